// The app once it is open: shows the screen that the address names, and keeps up with what changes.

import { KINDS } from "./chart.js";
import { show, toastPlace } from "./frame.js";
import { button, h } from "./element.js";
import { householdScreen } from "./household.js";
import { statusLine } from "./notices.js";
import { personScreen, visitedScreen } from "./person.js";
import { standsOf } from "./phone.js";
import { find, MOST_FOUND } from "./search.js";
import { outcomeOf } from "./sentences.js";
import { checkScreen, settingsScreen } from "./settings.js";
import { outboxScreen } from "./outbox.js";
import { Store } from "./store.js";
import { Sync } from "./sync.js";
import { personRow, todayScreen } from "./today.js";
import { visitScreen } from "./visit.js";
import { day, say } from "./words.js";
import { ageOn } from "./days.js";

/** How long a phone that lies aside stays open. */
const OPEN_MS = 15 * 60_000;
const UNDO_MS = 12_000;
const REDRAW_MS = 50;
let [phone, sync, door, drawn, looked] = [null, null, null, 0, ""];

const navigation = () => {
  const waiting = phone.outbox.filter((entry) => entry.state !== "sent").length;
  const at = location.hash || "#/today";
  const link = (to, text) => h("a", { href: to, "aria-current": at.startsWith(to) ? "page" : null }, text);
  return h("nav.tabs", { "aria-label": say("name") },
    link("#/today", say("today_nav")), link("#/search", say("search")), link("#/outbox", waiting ? say("outbox_nav", { count: waiting }) : say("outbox")), link("#/settings", say("settings")));
};

const toast = (text, undo) => {
  const close = () => bar.remove();
  const bar = h("div.toast", {}, h("p", {}, text), undo ? button(say("undo"), () => (close(), undo()), { class: "button second" }) : null);
  toastPlace.replaceChildren(bar);
  setTimeout(close, UNDO_MS);
};

const undo = async (person, fact) => {
  await phone.write(KINDS.undone, person, { fact });
  sync.nudge();
  toast(say("undone"));
  draw();
};

/** Where it goes on when something was written down. */
const leaving = ({ person, writing }) => ({
  saved: async (body, found) => {
    const all = writing.rulesOn(body.on);
    const fact = await phone.write(KINDS.visited, person.id, body);
    sync.nudge();
    const told = found.map((one) => outcomeOf(all, body, one, { age: ageOn(person.birth, body.on), sex: person.sex, last: null }, phone.today()));
    const grave = told.some((one) => one.grade === "danger" || one.grade === "refer");
    const words = told.map((one) => (one.next ? say("saved_next", { state: one.state, day: day(one.next) }) : one.state)).join(say("semicolon"));
    location.hash = grave ? `#/person/${person.id}/visit/${body.visit}` : "#/today";
    toast(say("saved", { name: person.name, words }), () => undo(person.id, fact));
  },
  missed: async (body) => {
    const fact = await phone.write(KINDS.missed, person.id, body);
    sync.nudge();
    location.hash = "#/today";
    const died = body.outcome === "died" ? say("missed_died") : "";
    toast(say("missed", { name: person.name, why: say(`outcome_${body.outcome}`) }) + died, () => undo(person.id, fact));
  },
});

const searchScreen = () => {
  const results = h("div", { "aria-live": "polite" });
  const look = (text) => {
    const found = find(phone.people.values(), text);
    const list = found.length ? h("ul.people.card", {}, found.map((person) => personRow(phone, person, standsOf(person), { action: standsOf(person).length > 0 && !person.died_on }))) : text.trim() ? h("p.empty", {}, say("found_none")) : h("p.hint", {}, say("search_hint"));
    results.replaceChildren(list, found.length === MOST_FOUND ? h("p.hint", {}, say("found_more", { count: MOST_FOUND })) : "");
  };
  const input = h("input", { type: "search", autocomplete: "off", oninput: (event) => look(event.target.value) });
  look("");
  return { title: say("search"), body: [h("label.field", {}, h("span.label", {}, say("search_label")), input), results] };
};

const acts = {
  redraw: () => draw(),
  lock: () => location.reload(),
  other: () => (sessionStorage.setItem("kangmai-field-other", "1"), location.reload()),
  leave: async () => {
    if (phone.outbox.some((entry) => entry.state !== "sent")) return;
    phone.close();
    await Store.forget(phone.card.account);
    await (await Store.register()).write([{ room: "phones", remove: phone.card.account }]);
    location.hash = "";
    location.reload();
  },
};

const screenAt = (parts) => {
  const [name, id, what, which] = parts;
  switch (name) {
    case "household": return householdScreen(phone, id);
    case "person": return what === "visit" ? visitedScreen(phone, id, which, undo) : personScreen(phone, id);
    case "visit": return visitScreen(phone, id, what === "correct" ? which : null, leaving);
    case "search": return searchScreen();
    case "outbox": return outboxScreen(phone, sync);
    case "settings": return settingsScreen(phone, sync, acts);
    case "check": return checkScreen(sync);
    default: return todayScreen(phone, sync);
  }
};

const loadingScreen = () => {
  const { progress, state } = sync;
  const text = progress ? say("loading", { count: progress.count, of: progress.of }) : state === "busy" ? say("loading_begin") : say(`state_${state}`);
  const bar = progress ? h("progress", { max: progress.of || 1, value: progress.count, "aria-label": say("loading_title") }) : null;
  const full = phone.isFull ? h("p", {}, say("told_full")) : null;
  return { title: say("loading_title"), body: [h("p", { role: "status" }, text), bar, full, state === "busy" ? null : button(say("again_do"), () => sync.nudge(0))] };
};

/** What decides how a screen looks, besides the network. */
const looksNow = () => {
  const state = ["sign_in", "old", "denied", "wiped"].includes(sync.state) ? sync.state : "";
  const isOff = Math.abs(phone.now() - Date.now()) > 1_000;
  return [phone.revision, state, Boolean(phone.updateReady), Boolean(phone.isFull), isOff, phone.meta.syncedAt > 0].join(" ");
};

const draw = async (keepPlace) => {
  const own = (drawn += 1);
  looked = looksNow();
  if (sync.state === "wiped") return shut(say("wiped"), say("wiped_sent"));
  const parts = location.hash.replace(/^#\//, "").split("/");
  if (parts[0] === "renew") return door.renew(phone);
  const isEmpty = !phone.meta.syncedAt;
  const screen = isEmpty ? { ...loadingScreen(), bare: true } : await screenAt(parts);
  if (own !== drawn) return undefined;
  const place = scrollY;
  show({ ...screen, tabs: screen.bare ? null : navigation() });
  scrollTo(0, keepPlace ? place : 0);
  // Whoever reads by ear or by keys begins at the head of the new screen.
  if (!keepPlace) document.querySelector("h1").focus({ preventScroll: true });
  return undefined;
};

const shut = (title, text) => {
  phone = null;
  show({ title, body: [h("p", {}, text), button(say("begin"), () => location.reload())] });
};

/** Screens on which somebody types are not drawn anew under the hand. */
const isStill = () => /^#\/(visit|search|settings)/.test(location.hash) && sync.state !== "wiped";

/** @param {import("./phone.js").Phone} opened @param {import("./door.js").Door} way back to the door */
export const begin = (opened, way) => {
  [phone, door] = [opened, way];
  sync = new Sync(phone);
  let waiting = false;
  const drawAnew = () => {
    waiting = false;
    // Asked again: the doctor may have gone on to a sheet since.
    if (!phone || (isStill() && phone.people.size)) return;
    const status = document.getElementById("status");
    // Where only the network came or went, nothing moves under the finger.
    if (status && looksNow() === looked) status.replaceWith(statusLine(phone, sync));
    else draw(true);
  };
  phone.listeners.add(() => {
    if (waiting) return;
    waiting = true;
    setTimeout(drawAnew, REDRAW_MS);
  });
  addEventListener("hashchange", () => draw());
  if (navigator.storage && navigator.storage.persist) navigator.storage.persist();
  if (location.hash === "#/renew") location.hash = "#/today";
  draw();
  sync.start();
  watchUpdates();
  lockWhenIdle();
};

/** A new version waits until somebody takes it: nobody loses a sheet that is half filled. */
const watchUpdates = async () => {
  const registration = navigator.serviceWorker && (await navigator.serviceWorker.getRegistration());
  if (!registration) return;
  const ready = () => {
    if (!registration.waiting || !phone) return;
    phone.updateReady = () => registration.waiting.postMessage("take over");
    phone.tell();
  };
  ready();
  registration.addEventListener("updatefound", () => registration.installing && registration.installing.addEventListener("statechange", ready));
};

const lockWhenIdle = () => {
  let hiddenAt = 0;
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) hiddenAt = Date.now();
    else if (phone && hiddenAt && Date.now() - hiddenAt > OPEN_MS) location.reload();
  });
};
