// What stands between a page and a reader who is old, blind, on a telephone or without a mouse. Returns sentences.
// `wish`: { target: smallest height of a control in px, text: smallest size of text in px }.

const complaints = [];
const complain = (element, says) => {
  const begin = element.outerHTML.replace(/\s+/g, " ").slice(0, 120);
  complaints.push(`${says}: ${begin}`);
};
const all = (selector) => [...document.querySelectorAll(selector)].filter(visible);

if (!document.documentElement.lang) complaints.push("the page does not say its language");
if (!squeeze(document.title)) complaints.push("the page has no title");
if (document.querySelectorAll("main").length !== 1) complaints.push("a page has exactly one <main>");
if (all("h1").length !== 1) complaints.push(`a page has exactly one heading of the first level, not ${all("h1").length}`);

let level = 0;
for (const heading of all("h1, h2, h3, h4, h5, h6")) {
  const own = Number(heading.tagName[1]);
  if (own > level + 1) complain(heading, `a heading of level ${own} follows one of level ${level}`);
  level = own;
}

const ids = new Map();
for (const element of document.querySelectorAll("[id]")) {
  if (ids.has(element.id)) complain(element, "an id is there twice");
  ids.set(element.id, element);
}

const named = (element) => {
  const by = (element.getAttribute("aria-labelledby") || "").split(" ").map((id) => ids.get(id)).filter(Boolean);
  const label = element.labels && element.labels[0];
  const words = [element.getAttribute("aria-label"), ...by.map((one) => one.textContent), label && label.textContent];
  return words.some((text) => squeeze(text));
};
for (const control of all("input, select, textarea")) {
  if (["hidden", "submit", "button"].includes(control.type)) continue;
  if (!named(control)) complain(control, "a field has no label");
}
for (const element of all("a[href], button, summary, input[type=submit]")) {
  const picture = element.querySelector("img[alt], svg[aria-label]");
  const words = element.innerText || element.value || element.getAttribute("aria-label") || picture;
  if (!(typeof words === "string" ? squeeze(words) : words)) complain(element, "a link or button has no words");
}
for (const picture of all("img")) {
  if (!picture.hasAttribute("alt")) complain(picture, "a picture has no alternative text");
}
for (const drawing of all("svg")) {
  const hidden = drawing.closest("[aria-hidden=true]");
  if (!hidden && !named(drawing) && !drawing.querySelector("title")) complain(drawing, "a drawing has no name");
}
for (const table of all("table")) {
  const heads = [...table.querySelectorAll("th")];
  if (heads.length === 0) complain(table, "a table has no heads");
  if (heads.some((head) => !head.scope)) complain(table, "a head of a table does not say its scope");
  if (!table.caption && !named(table)) complain(table, "a table has no caption");
}
const wide = document.scrollingElement.scrollWidth - document.documentElement.clientWidth;
if (wide > 1) complaints.push(`the page is ${wide} px wider than the screen`);

// Contrast and size of text.
const colour = (text) => {
  const parts = text.match(/[\d.]+/g).map(Number);
  const scale = text.startsWith("color(") ? 255 : 1;
  return { r: parts[0] * scale, g: parts[1] * scale, b: parts[2] * scale, a: parts.length > 3 ? parts[3] : 1 };
};
const over = (top, under) => ({
  r: top.r * top.a + under.r * (1 - top.a),
  g: top.g * top.a + under.g * (1 - top.a),
  b: top.b * top.a + under.b * (1 - top.a),
  a: 1,
});
const ground = (element) => {
  const layers = [];
  for (let at = element; at; at = at.parentElement) {
    const layer = colour(getComputedStyle(at).backgroundColor);
    layers.push(layer);
    if (layer.a === 1) break;
  }
  const dark = matchMedia("(prefers-color-scheme: dark)").matches && getComputedStyle(document.documentElement).colorScheme.includes("dark");
  const paper = dark ? { r: 18, g: 18, b: 18, a: 1 } : { r: 255, g: 255, b: 255, a: 1 };
  return layers.reduceRight((under, layer) => over(layer, under), paper);
};
const luminance = ({ r, g, b }) => {
  const part = (value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4);
  return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
};
const seen = new Set();
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  const element = walker.currentNode.parentElement;
  if (!squeeze(walker.currentNode.textContent) || !element || seen.has(element) || !visible(element)) continue;
  if (element.closest("[disabled], [aria-disabled=true], script, style, noscript, svg")) continue;
  seen.add(element);
  const style = getComputedStyle(element);
  const hidden = style.clipPath !== "none" || style.clip !== "auto" || Number(style.opacity) === 0;
  if (hidden) continue;
  const under = ground(element);
  const pair = [luminance(over(colour(style.color), under)), luminance(under)].sort((one, other) => other - one);
  const ratio = (pair[0] + 0.05) / (pair[1] + 0.05);
  const size = parseFloat(style.fontSize);
  const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
  if (ratio < (large ? 3 : 4.5)) complain(element, `contrast ${ratio.toFixed(2)} of ${style.color} is too low`);
  if (size < wish.text) complain(element, `text of ${size} px is smaller than ${wish.text} px`);
}

// Size of what is touched. A link inside a sentence is as high as its line.
for (const element of all("a[href], button, summary, select, textarea, input:not([type=hidden])")) {
  const label = element.labels && element.labels[0];
  const box = element.getBoundingClientRect();
  const height = Math.max(box.height, label && ["checkbox", "radio"].includes(element.type) ? label.getBoundingClientRect().height : 0);
  const inline = element.tagName === "A" && getComputedStyle(element).display === "inline";
  if (box.right < 0 || box.bottom < 0 || box.width <= 1) continue;
  if (!inline && height + 0.5 < wish.target) complain(element, `a target of ${height.toFixed(0)} px is lower than ${wish.target} px`);
}

return complaints;
