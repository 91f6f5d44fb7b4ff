// The way in: the first sign-in of a phone, the PIN of every day, and what is done when the PIN is lost or the key is old.

import { dayAt, dayIn } from "./days.js";
import { button, field, h, linkButton, notice } from "./element.js";
import { bytesOf, hexOf, random, stretch, unwrapDataKey, wrapDataKey } from "./seal.js";
import { Store } from "./store.js";
import { exportSealed } from "./sealed_file.js";
import { say } from "./words.js";

const PIN = /^\d{6}$/;
const SALT_BYTES = 16;
/** Wrong PINs running that end the share, as the server counts them. */
const MOST_WRONG = 10;
/** PINs that are tried first by whoever finds a phone. */
const EASY = /^(\d)\1{5}$|^(?:012345|123456|234567|345678|456789|654321|112233|121212|520520|666888)$/;
const OTHER = "kangmai-field-other";

const formOf = (values) => ({ method: "POST", credentials: "same-origin", cache: "no-store", body: new URLSearchParams(values), headers: { Accept: "application/json" } });
const jsonOf = (value) => ({ method: "POST", credentials: "omit", cache: "no-store", body: JSON.stringify(value), headers: { "Content-Type": "application/json", "Kangmai-Phone": "1" } });

/** Who is signed in, in this browser; null: nobody, undefined: there is no network. */
const session = async () => {
  try {
    const response = await fetch("/field/session", { redirect: "manual", cache: "no-store", headers: { Accept: "application/json" } });
    if (response.status === 404 || response.status === 403) return { denied: true };
    return response.ok ? await response.json() : null;
  } catch {
    return undefined;
  }
};

/** What a phone holds is read by what the screens need anyway: it comes while the PIN is typed. */
const phones = async () => (await import("./phone.js")).Phone;
const keepCard = async (card) => (await Store.register()).write([{ room: "phones", put: card }]);
export const cards = async () => (await Store.register()).all("phones");

export class Door {
  /** @param {(screen: Object) => void} show @param {(phone: Object) => void} enter */
  constructor(show, enter) {
    Object.assign(this, { show, enter });
  }

  async start() {
    if (!self.isSecureContext || !self.indexedDB) return this.show({ title: say("begin"), body: [notice("danger", h("p", {}, say("not_secure")))] });
    const known = await cards();
    if (sessionStorage.getItem(OTHER) || !known.length) return this.begin(known);
    return known.length === 1 ? this.askPin(known[0]) : this.choose(known);
  }

  choose(known) {
    const one = (card) => h("li", {}, button(`${card.name} · ${card.place_name || card.place}`, () => this.askPin(card), { class: "button second wide" }));
    this.show({ title: say("whose"), body: [h("ul.plain", {}, known.map(one)), button(say("other_account"), () => this.another())] });
  }

  another() {
    sessionStorage.setItem(OTHER, "1");
    return this.start();
  }

  /** The first time: signed in as always, then a PIN. */
  async begin(known) {
    const who = await session();
    const inChat = /MicroMessenger/.test(navigator.userAgent) ? notice("warning", h("p", {}, say("not_in_chat"))) : null;
    const back = known.length ? button(say("back"), () => (sessionStorage.removeItem(OTHER), this.start()), { class: "button second" }) : null;
    if (!who || who.denied) {
      const why = who ? say("begin_denied") : who === null ? say("begin_lead") : say("begin_offline");
      const body = [inChat, h("p", {}, why), h("div.buttons", {}, h("a.button", { href: "/sign-in?next=/field/" }, say("sign_in")), button(say("again_do"), () => this.start(), { class: "button second" }), back)];
      return this.show({ title: say("begin"), body });
    }
    const there = known.find((card) => card.account === who.account);
    if (there) return sessionStorage.removeItem(OTHER), this.askPin(there);
    const lead = [h("p", {}, say("begin_as", { name: who.name, place: who.place_name || who.place })), h("p.hint", {}, say("pin_hint"))];
    return this.newPin(say("begin_pin"), lead, (pin) => this.registerPhone(who, pin), back);
  }

  /** Asks for a new PIN, twice. */
  newPin(title, lead, done, more) {
    const inputs = ["pin_new", "pin_again"].map(() => this.pinInput());
    const told = h("div");
    const submit = async (event) => {
      event.preventDefault();
      const [one, two] = inputs.map((input) => input.value);
      const fault = !PIN.test(one) ? "pin_six" : EASY.test(one) ? "pin_easy" : one !== two ? "pin_differs" : null;
      if (fault) return told.replaceChildren(notice("danger", h("p", {}, say(fault))));
      told.replaceChildren(notice("good", h("p", {}, say("pin_working"))));
      const refused = await done(one).catch(() => say("no_network"));
      return refused && told.replaceChildren(notice("danger", h("p", {}, refused)));
    };
    const form = h("form", { onsubmit: submit }, field(say("pin_new"), inputs[0]), field(say("pin_again"), inputs[1]), told, h("div.buttons", {}, h("button.button", { type: "submit" }, say("pin_set")), more));
    this.show({ title, body: [lead, form] });
  }

  pinInput(attributes) {
    return h("input.pin", { type: "password", inputmode: "numeric", pattern: "[0-9]*", maxlength: 6, autocomplete: "off", ...attributes });
  }

  async registerPhone(who, pin) {
    const salt = random(SALT_BYTES);
    const { proof, half } = await stretch(pin, salt);
    const name = (navigator.userAgentData && navigator.userAgentData.platform) || "phone";
    const response = await fetch("/field/phones", formOf({ csrf: who.csrf, name, proof }));
    if (!response.ok) return say("begin_refused", { status: response.status });
    const told = await response.json();
    const { wrapped, key } = await wrapDataKey(told.data_key, half, told.share);
    const card = {
      account: who.account, name: who.name, place: who.place, place_name: who.place_name,
      phone: told.phone, salt: hexOf(salt), share: told.share, until: told.until, wrapped, tries: 0,
    };
    const left = this.carryOver || [];
    await Store.forget(card.account);
    const phone = await (await phones()).begin(card, key, { key: told.key });
    for (const text of left) await phone.writeText(text, JSON.parse(text));
    await keepCard(card);
    sessionStorage.removeItem(OTHER);
    if (navigator.storage && navigator.storage.persist) await navigator.storage.persist();
    return this.goIn(phone);
  }

  askPin(card, told) {
    if (card.locked) return this.rescue(card);
    const input = this.pinInput({ autofocus: true });
    const place = h("div", {}, told ? notice("danger", h("p", {}, told)) : null);
    const submit = async (event) => {
      if (event) event.preventDefault();
      if (!PIN.test(input.value) || this.isTrying) return;
      this.isTrying = true;
      place.replaceChildren(h("p.hint", {}, say("pin_working")));
      const refused = await this.tryPin(card, input.value).finally(() => (this.isTrying = false));
      input.value = "";
      if (refused) place.replaceChildren(notice("danger", h("p", {}, refused)));
      input.focus();
    };
    // The sixth digit opens: no button more.
    input.addEventListener("input", () => PIN.test(input.value) && submit());
    const form = h("form", { onsubmit: submit }, field(say("pin"), input, say("pin_six")), place, h("div.buttons", {}, h("button.button", { type: "submit" }, say("open"))));
    this.show({
      title: card.name,
      lead: card.place_name || card.place,
      body: [form, h("div.buttons", {}, button(say("pin_lost"), () => this.rescue(card), { class: "button second" }), button(say("other_account"), () => this.another(), { class: "button second" }))],
    });
    input.focus();
    return null;
  }

  /** Opens with the PIN; answers why not, in words. */
  async tryPin(card, pin) {
    const { proof, half } = await stretch(pin, bytesOf(card.salt));
    const isValid = card.share && dayAt(Date.now()) <= dayIn(card.until);
    const key = isValid ? await unwrapDataKey(card.wrapped, half, card.share) : null;
    if (key) {
      if (card.tries) await keepCard(Object.assign(card, { tries: 0 }));
      this.askServer(card, proof).catch(() => null);
      return this.open(card, key);
    }
    return this.tryServer(card, proof, half, isValid);
  }

  /** The server says whether the PIN is right, counts those that are not, and lends its share anew. */
  async askServer(card, proof) {
    const response = await fetch("/sync/unlock", jsonOf({ phone: card.phone, proof }));
    const told = await response.json().catch(() => ({}));
    if (told.share && (!card.share || told.share === card.share)) await keepCard(Object.assign(card, { share: told.share, until: told.until }));
    return { status: response.status, told };
  }

  async tryServer(card, proof, half, wasTried) {
    const answer = await this.askServer(card, proof).catch(() => null);
    if (answer && answer.told.share) {
      const key = await unwrapDataKey(card.wrapped, half, answer.told.share);
      if (!key) return this.rescue(card);
      await keepCard(Object.assign(card, { share: answer.told.share, until: answer.told.until, tries: 0 }));
      return this.open(card, key);
    }
    if (answer && answer.status === 410) return this.endShare(card);
    if (!answer && !wasTried) return say("share_ended");
    const tries = (card.tries || 0) + 1;
    await keepCard(Object.assign(card, { tries }));
    const left = Math.min(MOST_WRONG - tries, answer && Number.isFinite(answer.told.left) ? answer.told.left : MOST_WRONG);
    return left > 0 ? say("pin_wrong", { count: left }) : this.endShare(card);
  }

  async endShare(card) {
    await keepCard(Object.assign(card, { share: null, locked: true }));
    return this.rescue(card);
  }

  async open(card, key) {
    const phone = await (await phones()).open(card, key);
    if (!phone) {
      this.show({ title: say("cleared"), body: [h("p", {}, say("cleared_lead")), button(say("begin"), () => this.startAnew(card))] });
      return null;
    }
    this.enter(phone);
    return null;
  }

  async startAnew(card) {
    await Store.forget(card.account);
    await (await Store.register()).write([{ room: "phones", remove: card.account }]);
    return this.start();
  }

  /** Wiped from afar while it was shut: what is held of people goes; what was not sent stays sealed, to be taken out for the county. */
  async wiped(card) {
    const store = await Store.ofAccount(card.account);
    const [households, parts, unsent] = await Promise.all([store.keys("households"), store.keys("index"), store.all("outbox")]);
    await store.write([...households.map((remove) => ({ room: "households", remove })), ...parts.map((remove) => ({ room: "index", remove }))]);
    const waiting = unsent.filter((entry) => entry.state === "waiting").length;
    const anew = button(say("start_anew"), () => (store.database.close(), this.startAnew(card)), { class: "button danger" });
    const out = waiting ? [h("p", {}, say("wiped_waits", { count: waiting })), button(say("export_sealed"), () => exportSealed(store, card))] : null;
    this.show({ title: say("wiped"), body: [h("p", {}, say("wiped_lead")), out, h("div.buttons", {}, anew)] });
    return null;
  }

  /** A lost PIN: who signs in anew chooses another, and nothing is lost. */
  async rescue(card) {
    const who = await session();
    const lead = [h("p", {}, say(card.locked ? "rescue_locked" : "rescue_lead"))];
    if (!who || who.account !== card.account) {
      const why = who === undefined ? say("begin_offline") : who ? say("rescue_other", { name: card.name }) : say("rescue_sign_in", { name: card.name });
      const back = card.locked ? null : button(say("back"), () => this.askPin(card), { class: "button second" });
      this.show({ title: say("rescue"), body: [lead, h("p", {}, why), h("div.buttons", {}, h("a.button", { href: "/sign-in?next=/field/" }, say("sign_in")), button(say("again_do"), () => this.rescue(card), { class: "button second" }), back)] });
      return null;
    }
    this.newPin(say("rescue"), lead, (pin) => this.rescueWith(card, who, pin));
    return null;
  }

  async rescueWith(card, who, pin) {
    const salt = random(SALT_BYTES);
    const { proof, half } = await stretch(pin, salt);
    const response = await fetch(`/field/phones/${card.phone}/rescue`, formOf({ csrf: who.csrf, proof }));
    // A server that knows nothing of this phone, as after a copy was put back: it is another phone, with what waits.
    if (response.status === 404 && this.carryOver) return this.registerPhone(who, pin);
    if (response.status === 404 || response.status === 410) return this.wiped(card);
    if (!response.ok) return say("begin_refused", { status: response.status });
    const told = await response.json();
    const { wrapped, key } = await wrapDataKey(told.data_key, half, told.share);
    Object.assign(card, { salt: hexOf(salt), share: told.share, until: told.until, wrapped, tries: 0, locked: false });
    await keepCard(card);
    const phone = await (await phones()).open(card, key);
    if (!phone) return this.startAnew(card), null;
    await phone.keepSecrets({ key: told.key });
    return this.goIn(phone);
  }

  /** Into the app; where it was open already, it begins anew with its new key. */
  goIn(phone) {
    if (!this.carryOver) this.enter(phone);
    else {
      location.hash = "";
      location.reload();
    }
    return null;
  }

  /** The server knows the key of this phone no more: signed in anew it gets another, and what waits goes with it. */
  async renew(phone) {
    this.carryOver = phone.waiting().map((entry) => entry.text);
    return this.rescue(phone.card);
  }
}
