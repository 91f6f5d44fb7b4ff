// Progressive: every page works without this file. Nothing here decides anything; the server checks all again.
(() => {
  "use strict";

  // On a telephone the place where one is may lie beyond the edge of the navigation.
  const here = document.querySelector(".navigation [aria-current]");
  if (here) {
    const [list, box] = [here.closest("ul"), here.getBoundingClientRect()];
    list.scrollLeft += box.left - list.getBoundingClientRect().left - (list.clientWidth - box.width) / 2;
  }

  // An identity number says so as it is left when its last character cannot be right (GB 11643-1999).
  const WEIGHTS = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
  const expectedCheck = (text) => {
    if (!/^\d{17}[\dX]$/.test(text)) return null;
    const sum = WEIGHTS.reduce((total, weight, index) => total + weight * Number(text[index]), 0);
    return "10X98765432"[sum % 11];
  };
  const checkIdNumber = (input) => {
    const text = input.value.replace(/\s/g, "").toUpperCase();
    const expected = expectedCheck(text);
    const wrong = expected !== null && expected !== text[17];
    const field = input.closest(".field");
    let error = field.querySelector(".error");
    if (wrong) {
      if (!error) {
        error = document.createElement("p");
        error.className = "error";
        error.dataset.client = "";
        input.closest(".input-line").before(error);
      }
      error.id = `${input.id}-error`;
      error.setAttribute("role", "alert");
      error.textContent = input.dataset.idNumber + expected;
    } else if (error && "client" in error.dataset) {
      error.remove();
      error = null;
    }
    if (wrong || !error) {
      field.classList.toggle("field-wrong", wrong);
      if (wrong) input.setAttribute("aria-invalid", "true");
      else input.removeAttribute("aria-invalid");
    }
  };
  document.addEventListener("focusout", (event) => {
    if (event.target.matches("[data-id-number]")) checkIdNumber(event.target);
  });

  // A filter that is chosen takes effect at once; typed ones wait for Enter. Empty filters stay out of the link.
  document.addEventListener("change", (event) => {
    const form = event.target.closest("[data-filters]");
    if (form && event.target.matches("select, input[type=date], input[type=checkbox]")) form.requestSubmit();
  });
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.matches("[data-filters]")) {
      for (const control of form.elements) if (control.name && control.value === "") control.disabled = true;
    } else if (form.method === "post" && !event.defaultPrevented) {
      // Sent once, however often it is pressed. After the event, so that the button's own value is sent.
      if ("sent" in form.dataset) return event.preventDefault();
      if (!form.matches(".switches")) form.dataset.sent = "";
    }
  });
  window.addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
    for (const control of document.querySelectorAll("[data-filters] :disabled")) control.disabled = false;
  });

  // Text size without a reload: the cookie is kept by the server, the page only changes its class.
  const setElder = (step) => {
    document.documentElement.className = step > 0 ? `elder elder-${step}` : "";
  };
  document.addEventListener("click", async (event) => {
    const button = event.target.closest(".switches button[name=elder]");
    if (!button) return;
    event.preventDefault();
    const form = button.form;
    const step = Number(button.value);
    setElder(step);
    const body = new URLSearchParams(new FormData(form));
    body.set("elder", String(step));
    try {
      const answer = await fetch(form.action, { method: "POST", body, redirect: "follow" });
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector(".switches");
      if (fresh) {
        form.replaceWith(fresh);
        const again = fresh.querySelector("button[name=elder]");
        if (again) again.focus();
      }
    } catch {
      form.requestSubmit(button);
    }
  });

  // A signature is drawn into a frame and sent as a path of whole numbers; without this script one signs on paper.
  const [DRAWN_WIDTH, DRAWN_HEIGHT] = [600, 200];
  for (const room of document.querySelectorAll("[data-signature]")) {
    const input = room.querySelector("input[type=hidden]");
    const clear = room.querySelector("[data-signature-clear]");
    const frame = document.createElement("canvas");
    [frame.width, frame.height, frame.className] = [DRAWN_WIDTH, DRAWN_HEIGHT, "signature-frame"];
    frame.tabIndex = 0;
    input.before(frame);
    const pen = frame.getContext("2d");
    [pen.lineWidth, pen.lineCap, pen.lineJoin] = [3, "round", "round"];
    let path = "";
    const point = (event) => {
      const box = frame.getBoundingClientRect();
      const along = (at, from, size, whole) => Math.max(0, Math.min(whole, Math.round(((at - from) / size) * whole)));
      return [along(event.clientX, box.left, box.width, DRAWN_WIDTH), along(event.clientY, box.top, box.height, DRAWN_HEIGHT)];
    };
    const step = (event, sign) => {
      const [x, y] = point(event);
      path += `${sign}${x} ${y}`;
      if (sign === "M") { pen.beginPath(); pen.moveTo(x, y); } else { pen.lineTo(x, y); pen.stroke(); }
      input.value = path;
    };
    frame.addEventListener("pointerdown", (event) => {
      frame.setPointerCapture(event.pointerId);
      step(event, "M");
      const drawn = document.querySelector("input[type=radio][name=way][value=drawn]");
      if (drawn) drawn.checked = true;
    });
    frame.addEventListener("pointermove", (event) => { if (event.buttons) step(event, "L"); });
    clear.hidden = false;
    clear.addEventListener("click", () => {
      [path, input.value] = ["", ""];
      pen.clearRect(0, 0, DRAWN_WIDTH, DRAWN_HEIGHT);
    });
    // What was drawn before a form came back with an error stands there again.
    if (input.value) { path = input.value; pen.stroke(new Path2D(path)); }
  }

  // A telephone takes photographs of many megabytes: they are made smaller before they are sent, where that can be done.
  const LONGEST_SIDE = 1600;
  document.addEventListener("change", async (event) => {
    const input = event.target;
    if (!input.matches("input[type=file][accept^='image/']") || !input.files[0]) return;
    try {
      const whole = await createImageBitmap(input.files[0]);
      const scale = Math.min(1, LONGEST_SIDE / Math.max(whole.width, whole.height));
      const small = document.createElement("canvas");
      [small.width, small.height] = [Math.round(whole.width * scale), Math.round(whole.height * scale)];
      small.getContext("2d").drawImage(whole, 0, 0, small.width, small.height);
      const blob = await new Promise((done) => small.toBlob(done, "image/jpeg", 0.75));
      if (!blob || blob.size >= input.files[0].size) return;
      const files = new DataTransfer();
      files.items.add(new File([blob], "paper.jpg", { type: "image/jpeg" }));
      input.files = files.files;
    } catch {
      // Sent as it is; the server says if it is too large.
    }
  });

  // What can be taken back is offered at the foot for as long as one needs to see it, then stays where it was.
  const flash = document.querySelector(".notice[data-flash]");
  if (flash && flash.querySelector("form")) {
    flash.classList.add("toast");
    setTimeout(() => flash.classList.remove("toast"), 10000);
  }

  // Errors first: the summary takes the focus, so that a screen reader and the keyboard begin there.
  const errors = document.getElementById("errors");
  if (errors) errors.focus();

  // Open details close by Escape and when one goes elsewhere.
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      const open = document.querySelector("details.more[open]");
      if (open) {
        open.open = false;
        open.querySelector("summary").focus();
      }
    }
    // "/" goes to the first search field, unless something is being typed.
    if (event.key === "/" && !event.target.matches("input, textarea, select")) {
      const search = document.querySelector("[role=search] input:not([type=hidden])");
      if (search) {
        event.preventDefault();
        search.focus();
      }
    }
  });
  document.addEventListener("click", (event) => {
    for (const open of document.querySelectorAll("details.more[open]")) {
      if (!open.contains(event.target)) open.open = false;
    }
    if (event.target.closest("[data-print]")) window.print();
  });
})();
