// Language and size of text.

import { setLanguage } from "./words.js";

export const SIZES = [18, 22, 26, 30];
/** From this size on, what is touched is larger too. */
const LARGE_FROM = 22;
const KEPT = "kangmai-field-look";

const kept = () => {
  try {
    return JSON.parse(localStorage.getItem(KEPT)) || {};
  } catch {
    return {};
  }
};

/** What the reader chose on the pages of the server holds here, too, until something else is chosen. */
const chosenBefore = () => {
  const chosen = Object.fromEntries(document.cookie.split("; ").map((one) => one.split("=")));
  const elder = Number(chosen.kangmai_elder) || 0;
  return { language: chosen.kangmai_language === "en" ? "en" : "zh", size: elder ? Math.max(SIZES[elder - 1] || 0, LARGE_FROM) : SIZES[0] };
};

export const chosenLook = () => ({ ...chosenBefore(), ...kept() });

/** Shows everything in the language and size that the reader chose. */
export const applyLook = (change = {}) => {
  const look = { ...chosenLook(), ...change };
  if (Object.keys(change).length) localStorage.setItem(KEPT, JSON.stringify(look));
  setLanguage(look.language);
  const { classList } = document.documentElement;
  SIZES.forEach((size) => classList.toggle(`size-${size}`, size === look.size));
  classList.toggle("large", look.size >= LARGE_FROM);
  return look;
};
