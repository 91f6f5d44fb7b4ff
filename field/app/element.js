// Makes elements of the page. Text is always text: nothing that a server or a person wrote becomes markup.

const SVG = "http://www.w3.org/2000/svg";

const fill = (element, attributes, children) => {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "value" || name === "checked" || name === "disabled") element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false && child !== ""));
  return element;
};

/** `h("p.muted", { id: "x" }, "text", …)` */
export const h = (tag, attributes, ...children) => {
  const [name, ...classes] = tag.split(".");
  const element = document.createElement(name);
  if (classes.length) element.className = classes.join(" ");
  return fill(element, attributes, children);
};

/** The same for a drawing. */
export const draw = (name, attributes, ...children) => fill(document.createElementNS(SVG, name), attributes, children);

/** A link that looks like a button, to another screen. */
export const linkButton = (to, text, attributes) => h("a.button", { href: to, ...attributes }, text);

export const button = (text, onclick, attributes) => h("button.button", { type: "button", onclick, ...attributes }, text);

/** Says something that must be read; `tone` is danger, warning or good. */
export const notice = (tone, ...children) => h(`div.notice.${tone}`, { role: tone === "danger" ? "alert" : "status" }, children);

/** A mark with its word. */
export const tag = (tone, text) => h(`span.tag.${tone}`, {}, text);

/** A field with its label above. */
export const field = (label, control, hint) => h("label.field", {}, h("span.label", {}, label), hint ? h("span.hint", {}, hint) : null, control);

let numbered = 0;
/** One of some, or several: a group of ticks with its legend. */
export const choices = (legend, kind, options, chosen, onchange) => {
  const name = `choice${(numbered += 1)}`;
  const one = ({ id, text }) => {
    const input = h("input", { type: kind === "several" ? "checkbox" : "radio", name, value: id, checked: chosen.includes(id) });
    return h("label.chip", {}, input, h("span", {}, text));
  };
  const group = h("fieldset.choices", {}, h("legend", {}, legend), h("div.chips", {}, options.map(one)));
  group.addEventListener("change", () => onchange([...group.querySelectorAll("input:checked")].map((input) => input.value)));
  return group;
};

/** Gives the user a file. */
export const saveFile = (name, text, type) => {
  const address = URL.createObjectURL(new Blob([text], { type }));
  const link = h("a", { href: address, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
};
