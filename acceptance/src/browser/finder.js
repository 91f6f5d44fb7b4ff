// Finds elements as a person does: by the words they see. Runs before each question of the driver.

const squeeze = (text) => (text || "").replace(/\s+/g, " ").trim();

const visible = (element) => {
  const box = element.getBoundingClientRect();
  // What lies in a closed <details> has a box, but is not seen.
  return box.width > 0 && box.height > 0 && element.checkVisibility({ visibilityProperty: true });
};

// The one of `elements` whose words are `wanted`: exactly, else the shortest that holds them.
const bestOf = (elements, words, wanted) => {
  const text = squeeze(wanted);
  const exact = elements.find((element) => squeeze(words(element)) === text);
  if (exact) return exact;
  const holding = elements.filter((element) => squeeze(words(element)).includes(text));
  holding.sort((one, other) => squeeze(words(one)).length - squeeze(words(other)).length);
  return holding[0];
};

const clickable = (words, within = document) => {
  const elements = [...within.querySelectorAll("a[href], button, summary, input[type=submit], [role=button], label")];
  const text = (element) => element.innerText || element.value || element.getAttribute("aria-label");
  const found = bestOf(elements.filter(visible), text, words);
  if (!found) throw new Error(`there is nothing to click called ${words}`);
  return found;
};

// The smallest row, entry, figure or section that holds the words.
const around = (words) => {
  const parts = [...document.querySelectorAll("tr, li, article, section, fieldset, form, .stat")].filter(visible);
  const found = bestOf(parts, (element) => element.innerText, words);
  if (!found) throw new Error(`no row, entry, figure or section holds ${words}`);
  return found;
};

const place = (element) => {
  if (!element) throw new Error("the element to click is not there");
  element.scrollIntoView({ block: "center", inline: "center", behavior: "instant" });
  const box = element.getClientRects()[0];
  return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
};

const field = (label) => {
  const controls = [...document.querySelectorAll("input, select, textarea")].filter((control) => control.type !== "hidden");
  const words = (control) => {
    const label = control.labels && control.labels[0];
    return label ? label.innerText : control.getAttribute("aria-label") || "";
  };
  const firstLine = (control) => words(control).split("\n")[0];
  const found = bestOf(controls, firstLine, label) || bestOf(controls, words, label);
  if (!found) throw new Error(`there is no field called ${label}`);
  return found;
};

// Sets what can be set at once; answers "type" if the value is to be typed into the field, which then is empty and
// has the focus.
const prepareField = (label, value) => {
  const control = field(label);
  const tell = () => {
    control.dispatchEvent(new Event("input", { bubbles: true }));
    control.dispatchEvent(new Event("change", { bubbles: true }));
  };
  if (control.tagName === "SELECT") {
    const option = bestOf([...control.options], (option) => option.text, value);
    if (!option) throw new Error(`${label} has no choice ${value}`);
    control.value = option.value;
    tell();
    return "done";
  }
  if (control.type === "checkbox" || control.type === "radio") {
    if (control.checked !== (value === "yes")) control.click();
    return "done";
  }
  if (["date", "time", "month", "number", "range", "color"].includes(control.type)) {
    control.value = value;
    tell();
    return "done";
  }
  control.focus();
  control.value = "";
  return "type";
};
