// What waits to be sent, what the server took, and what it laid aside with the reason. Only what the server has answered for is
// called sent.

import { dayAt, timeAt } from "./days.js";
import { button, h, saveFile, tag } from "./element.js";
import { notices, sinceText, statusLine } from "./notices.js";
import { factLine } from "./sentences.js";
import { exportSealed } from "./sealed_file.js";
import { say } from "./words.js";

const TONES = { waiting: "plain", sent: "good", parked: "warning", rejected: "danger", newer: "warning" };

const entryLine = (phone, entry) => {
  const state = tag(TONES[entry.state], say(`state_${entry.state}`));
  if (!entry.fact) return h("li", {}, h("p", {}, state, ` ${entry.sequence}`));
  const { fact } = entry;
  const person = phone.people.get(fact.person);
  const all = person ? phone.rulesOn(person, fact.body.on || phone.today()) : [];
  const seen = entry.state === "parked" || entry.state === "rejected" ? button(say("seen"), () => phone.drop([entry]), { class: "button second" }) : null;
  return h("li.card", {},
    h("p", {}, state, " ", person ? h("a", { href: `#/person/${person.id}` }, person.name) : say("not_here"), " ", factLine(all, fact.kind, fact.body)),
    h("p.hint", {}, `${fact.body.on || dayAt(fact.at)} · ${timeAt(fact.at)} · ${entry.sequence}`),
    entry.reason ? h("p", {}, say("reason_is", { reason: entry.said || reasonText(entry.reason) })) : null, seen);
};

/** The server's key in our words, where it is one of those that this app refuses by itself too. */
const reasonText = (reason) => {
  const key = reason.replace("follow_up.refused.", "");
  const text = say(`refused_${key}`, { day: "" });
  return text === `refused_${key}` ? reason : text;
};

const exportList = (phone) => {
  const lines = phone.outbox.filter((entry) => entry.fact).map((entry) => {
    const { fact } = entry;
    const person = phone.people.get(fact.person);
    const all = person ? phone.rulesOn(person, fact.body.on || phone.today()) : [];
    const answers = Object.entries(fact.body.answers || {}).map(([item, texts]) => `${item}=${texts.join("/")}`).join(" ");
    return [entry.sequence, say(`state_${entry.state}`), fact.body.on || dayAt(fact.at), person ? person.name : "", factLine(all, fact.kind, fact.body), answers].join("\t");
  });
  saveFile(`${say("outbox")}-${phone.today()}.txt`, `\ufeff${lines.join("\r\n")}\r\n`, "text/plain");
};

export const outboxScreen = (phone, sync) => {
  const { receipt, gaps } = phone.meta;
  const shown = [...phone.outbox].sort((one, other) => other.sequence - one.sequence);
  return {
    title: say("outbox"),
    body: [
      statusLine(phone, sync),
      notices(phone, sync),
      receipt ? h("p", {}, h("strong", {}, say("uploaded", { count: receipt.count })), ` · ${sinceText(phone, receipt.at)}`) : null,
      gaps && gaps.length ? h("p", {}, say("gaps", { which: gaps.map(([from, to]) => (from === to ? from : `${from}–${to}`)).join(", ") })) : null,
      h("div.buttons", {}, button(say("sync_now"), () => sync.nudge(0))),
      shown.length ? h("ol.entries", {}, shown.map((entry) => entryLine(phone, entry))) : h("p.empty", {}, say("outbox_empty")),
      shown.length ? [h("h2", {}, say("export")), h("p.hint", {}, say("export_hint")),
        h("div.buttons", {}, button(say("export_sealed"), () => exportSealed(phone.store, phone.card), { class: "button second" }), button(say("export_list"), () => exportList(phone), { class: "button second" }))] : null,
    ],
  };
};
