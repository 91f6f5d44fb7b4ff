// The number pad: large keys that do not cover the sheet, and that know when a number is complete.

import { h } from "./element.js";
import { thousandths } from "./rules.js";
import { say } from "./words.js";

/**
 * Whether no further digit can follow: then the next number has the focus by itself. `13` may become 138; 138 can become nothing.
 * @param {{decimals: number, most: string}} number of the item
 */
export const isComplete = ({ decimals, most }, text) => {
  const [whole, part] = text.split(".");
  if (part !== undefined) return part.length >= decimals;
  if (!whole) return false;
  return decimals === 0 && thousandths(whole) * 10 > thousandths(most);
};

/** What a key does to what stands there. */
export const typed = ({ decimals }, text, key) => {
  if (key === "back") return text.slice(0, -1);
  if (key === ".") return decimals && text && !text.includes(".") ? `${text}.` : text;
  const [whole, part] = `${text}${key}`.split(".");
  if (part !== undefined && part.length > decimals) return text;
  return whole.length > 4 ? text : `${text}${key}`;
};

/** @param {(key: string) => void} press gets a digit, ".", "back", "next" or "close" */
export const pad = (press, hasPoint) => {
  const key = (name, text, label, classes = "") =>
    h(`button.key${classes}`, { type: "button", "aria-label": label, onclick: () => press(name) }, text);
  const digit = (name) => key(name, name);
  return h("div.pad", { role: "group", "aria-label": say("pad") },
    ["1", "2", "3"].map(digit), key("back", "⌫", say("pad_back"), ".act"),
    ["4", "5", "6"].map(digit), key("next", say("pad_next"), null, ".act"),
    ["7", "8", "9"].map(digit), key("close", say("pad_close"), null, ".act.tall"),
    hasPoint ? key(".", ".", say("pad_point")) : h("span.key.none"), digit("0"), h("span.key.none"));
};
