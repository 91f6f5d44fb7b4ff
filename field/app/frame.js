// The frame of every screen: its head, its body, what lies under it; and the keys of a keyboard for a screen that takes them.

import { h } from "./element.js";
import { say } from "./words.js";

const root = document.getElementById("app");
export const toastPlace = h("div.toast-place", { role: "status" });
document.body.append(toastPlace);
let keys = null;

/** Shows a screen. @param {{title: string, lead?: string, back?: string, body: any, tabs?: Node, keys?: Function}} screen */
export const show = ({ title, lead, back, body, tabs, keys: take }) => {
  document.title = `${title} · ${say("name")}`;
  keys = take || null;
  const head = h("header.head", {}, back ? h("a.back", { href: back }, say("back")) : null, h("div", {}, h("h1", { tabindex: -1 }, title), lead ? h("p.lead", {}, lead) : null));
  root.replaceChildren(head, h("main", { id: "main" }, body), tabs || "");
  const hasPad = Boolean(root.querySelector(".pad"));
  document.body.classList.toggle("with-pad", hasPad);
  // Nothing may lie over the numbers; what was saved can be taken back on the page of the visit, too.
  if (hasPad) toastPlace.replaceChildren();
};

const DIGITS = /^[0-9]$/;
const KEYS = { Backspace: "back", ".": ".", "。": ".", Enter: "next" };
document.addEventListener("keydown", (event) => {
  if (!keys || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.matches("input, textarea, select") || (event.key === "Enter" && event.target.matches("button, a, summary"))) return;
  const key = DIGITS.test(event.key) ? event.key : KEYS[event.key];
  if (!key) return;
  event.preventDefault();
  keys(key);
});
