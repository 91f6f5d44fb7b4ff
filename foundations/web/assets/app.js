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
