// How the app looks, and how it stands with this phone.

import { dayIn } from "./days.js";
import { button, choices, h, linkButton } from "./element.js";
import { clockText, notices, sinceText } from "./notices.js";
import { runVectors } from "./vectors.js";
import { applyLook, chosenLook, SIZES } from "./look.js";
import { language, say } from "./words.js";

const megabytes = (bytes) => `${Math.round((bytes || 0) / 1_048_576)} MB`;

const aboutPhone = async (phone) => {
  const storage = navigator.storage || {};
  const [persisted, room] = await Promise.all([storage.persisted ? storage.persisted() : false, storage.estimate ? storage.estimate() : {}]);
  const places = Object.entries(phone.meta.places);
  const pairs = [
    ["account", phone.card.name],
    ["place", phone.card.place_name || phone.card.place],
    ["held", say("held_text", { people: phone.people.size, households: phone.households.size })],
    ["synced_at", sinceText(phone, phone.meta.syncedAt)],
    ["offline_until", phone.card.until ? dayIn(phone.card.until) : ""],
    ["kept", say(persisted ? "kept_yes" : "kept_no")],
    ["room", `${megabytes(room.usage)} / ${megabytes(room.quota)}`],
    ["clock", phone.now() === Date.now() || Math.abs(phone.meta.offset) < 300_000 ? say("clock_right") : clockText(phone.meta.offset)],
    ["phone_id", phone.card.phone],
  ];
  const older = places.reduce((sum, [, count]) => sum + (count || 0), 0);
  if (older) pairs.push(["older", say("older_text", { count: older })]);
  return h("dl.pairs", {}, pairs.map(([key, value]) => [h("dt", {}, say(key)), h("dd", {}, value)]));
};

/** @param {{redraw: Function, lock: Function, other: Function, leave: Function}} acts */
export const settingsScreen = async (phone, sync, acts) => {
  const look = chosenLook();
  const waiting = phone.outbox.filter((entry) => entry.state !== "sent").length;
  const change = (wish) => {
    applyLook(wish);
    acts.redraw();
  };
  return {
    title: say("settings"),
    body: [
      notices(phone, sync),
      choices(say("language"), "one", [{ id: "zh", text: "中文" }, { id: "en", text: "English" }], [language()], ([one]) => change({ language: one })),
      choices(say("size"), "one", SIZES.map((size) => ({ id: String(size), text: say(`size_${size}`) })), [String(look.size)], ([size]) => change({ size: Number(size) })),
      h("h2", {}, say("this_phone")),
      await aboutPhone(phone),
      h("div.buttons", {},
        button(say("lock"), acts.lock),
        button(say("other_account"), acts.other, { class: "button second" }),
        linkButton("#/check", say("check_rules"), { class: "button second" })),
      h("h2", {}, say("sign_out")),
      waiting
        ? h("p", {}, say("sign_out_waits", { count: waiting }), " ", h("a", { href: "#/outbox" }, say("outbox")))
        : [h("p.hint", {}, say("sign_out_hint")), button(say("sign_out_do"), acts.leave, { class: "button danger" })],
    ],
  };
};

/** All test vectors of the tables through the interpreter that this phone works with. */
export const checkScreen = async (sync) => {
  const told = await sync.ask("/sync/rules").then((response) => response.json()).then(runVectors).catch(() => null);
  const body = told
    ? [h("p", { id: "outcome" }, say("vectors_told", { count: told.count, failed: told.failed.length })), h("ul", {}, told.failed.map((text) => h("li", {}, text)))]
    : [h("p", {}, say("no_network"))];
  return { title: say("check_rules"), back: "#/settings", body };
};
