// Brings what was written here to the server, and what is new there to here. docs/sync.md is the protocol. One tab at a time does
// it; whatever fails is tried again later, and nothing leaves the outbox before the server has answered for it.

import { ALL } from "./phone.js";
import { Full, Store } from "./store.js";

/** Facts in one push, and their bytes: under the server's limits even where the browser cannot pack. */
const PUSH_FACTS = 400;
const PUSH_BYTES = 200_000;
const PEOPLE_AT_ONCE = 200;
const HOUSEHOLDS_AT_ONCE = 64;
const RETRY_MS = 5_000;
const LONGEST_RETRY_MS = 15 * 60_000;
const EVERY_MS = 5 * 60_000;
const PATIENCE_MS = 60_000;
/** Rounds of a pull at most: a server that never ends is broken. */
const MOST_ROUNDS = 1_000;
const API = "1";

/** The server answered otherwise than well. */
class Refused extends Error {
  constructor(status, body) {
    super(`status ${status}`);
    Object.assign(this, { status, body });
  }
}

/** What came broke off: it is asked for again. */
class Broken extends Error {}

async function* linesOf(stream) {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    const lines = (rest + value).split("\n");
    rest = lines.pop();
    yield* lines.filter(Boolean);
  }
  if (rest.trim()) yield rest;
}

const packed = async (text) => {
  if (!self.CompressionStream) return { body: text, headers: {} };
  const stream = new Blob([text]).stream().pipeThrough(new CompressionStream("gzip"));
  return { body: await new Response(stream).arrayBuffer(), headers: { "Content-Encoding": "gzip" } };
};

/** A household that has no card is known by the people who name it. */
const withCard = (line) => ({ ...line, household: line.household || { id: line.people[0].person.household } });

/** The roll of a place: how many live there, and the exclusive or of their identifiers. */
export const rollOf = (ids) => {
  let sum = 0n;
  ids.forEach((id) => (sum ^= BigInt(`0x${id.replace(/-/g, "")}`)));
  return `${ids.length}-${sum.toString(16).padStart(32, "0")}`;
};

export class Sync {
  /** @param {import("./phone.js").Phone} phone */
  constructor(phone) {
    this.phone = phone;
    /** What the screen says: idle, busy, offline, failed, old, denied, sign_in, wiped. */
    this.state = "idle";
    this.progress = null;
    this.failures = 0;
    this.tell = () => phone.tell();
  }

  start() {
    addEventListener("online", () => this.nudge(0));
    document.addEventListener("visibilitychange", () => document.hidden || this.nudge(0));
    setInterval(() => document.hidden || this.nudge(0), EVERY_MS);
    this.nudge(0);
  }

  /** Soon, and once, however often somebody asks. */
  nudge(delay = 1_500) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.run(), delay);
  }

  /** Everything once. Whether another tab is at it is asked first. */
  async run() {
    const lead = async (lock) => (lock ? this.whole() : undefined);
    if (this.isRunning) return (this.isWanted = true), undefined;
    this.isRunning = true;
    try {
      if (navigator.locks) await navigator.locks.request(`kangmai-sync:${this.phone.card.account}`, { ifAvailable: true }, lead);
      else await this.whole();
    } finally {
      this.isRunning = false;
      if (this.isWanted) {
        this.isWanted = false;
        this.nudge();
      }
    }
  }

  async whole() {
    this.turn("busy");
    try {
      await this.push();
      const sent = this.phone.outbox.filter((entry) => entry.state === "sent");
      await this.pull();
      // All that the record has came now: what was sent and did not come was there before under another name.
      await this.phone.drop(sent.filter((entry) => this.phone.outbox.includes(entry)));
      await this.phone.reserve();
      this.failures = 0;
      this.turn("idle");
    } catch (error) {
      await this.failed(error);
    }
    this.progress = null;
    this.phone.tell(ALL);
  }

  turn(state) {
    this.state = state;
    this.tell();
  }

  async failed(error) {
    const status = error instanceof Refused ? error.status : 0;
    if (error instanceof Full) this.phone.isFull = true;
    if (status === 410) return this.wipe();
    if (status === 401) return this.turn("sign_in");
    if (status === 404) return this.turn("denied");
    if (status === 426) return this.turn("old");
    this.turn(error instanceof TypeError || !navigator.onLine ? "offline" : "failed");
    const wait = Math.min(RETRY_MS * 2 ** this.failures++, LONGEST_RETRY_MS);
    this.nudge(Math.max(wait * (0.75 + Math.random() / 2), (error.retryAfter || 0) * 1_000));
  }

  async ask(path, options = {}) {
    const headers = { Authorization: `Bearer ${this.phone.secrets.key}`, "Kangmai-Phone": API, Accept: "application/json", ...options.headers };
    const signal = options.slow || !AbortSignal.timeout ? undefined : AbortSignal.timeout(PATIENCE_MS);
    const response = await fetch(path, { method: options.method, body: options.body, headers, signal, cache: "no-store", credentials: "omit" });
    if (response.ok) return response;
    const refused = new Refused(response.status, await response.json().catch(() => ({})));
    refused.retryAfter = Number(response.headers.get("retry-after")) || 0;
    throw refused;
  }

  /** What the server's clock says against the phone's. */
  clock(now) {
    return Number.isFinite(now) ? { offset: now - Date.now() } : {};
  }

  async push() {
    for (;;) {
      const batch = [];
      let bytes = 0;
      for (const entry of this.phone.waiting()) {
        bytes += entry.text.length * 3;
        if (batch.length === PUSH_FACTS || (batch.length && bytes > PUSH_BYTES)) break;
        batch.push(entry);
      }
      if (!batch.length) return;
      const facts = batch.map(({ sequence, chain, text }) => ({ sequence, chain, fact: text }));
      const { body, headers } = await packed(JSON.stringify({ facts }));
      const response = await this.ask("/sync/push", { method: "POST", body, headers: { "Content-Type": "application/json", ...headers } });
      const told = await response.json();
      const sent = told.answers.filter((one) => one.outcome === "accepted" || (one.outcome === "duplicate" && !one.reason)).length;
      const receipt = sent ? { count: sent, at: this.phone.now() } : this.phone.meta.receipt;
      await this.phone.answer(told.answers, { receipt, gaps: told.missing || [], ...this.clock(told.now) });
      const answered = new Set(told.answers.map((one) => one.sequence));
      if (!batch.some((entry) => answered.has(entry.sequence))) throw new Broken("the server answers for nothing that was sent");
    }
  }

  async pull() {
    const { phone } = this;
    // The tables first: without them nobody on the list has a name for what they have.
    if (!phone.meta.law) await this.fetchBook();
    if (!phone.meta.cursor) await this.first(phone.card.place);
    let told;
    for (let round = 0; ; round++) {
      const asked = `cursor=${encodeURIComponent(phone.meta.cursor)}&law=${encodeURIComponent(phone.meta.law)}`;
      told = await (await this.ask(`/sync/pull?${asked}`)).json();
      await this.take(told);
      if (!told.more || round > MOST_ROUNDS) break;
    }
    if (told.law !== phone.meta.law) await this.fetchBook();
    if (await this.movePlaces(told.places)) return this.pull();
    await this.callRolls(told.places);
    await this.fetchLacking();
    await phone.keepMeta({ syncedAt: phone.now() });
  }

  async fetchBook() {
    await this.phone.keepBook(await (await this.ask("/sync/rules")).json());
  }

  /** Loads a place whole, line by line: a household is kept as soon as some have come. */
  async first(place) {
    const response = await this.ask(`/sync/first?place=${place}`, { slow: true });
    let [head, batch, count] = [null, [], 0];
    const keep = async (meta) => {
      const bundles = new Map(batch.map((bundle) => [bundle.household.id, bundle]));
      await this.phone.keep(bundles, meta, place);
      count += batch.reduce((sum, bundle) => sum + bundle.people.length, 0);
      batch = [];
      this.progress = { place, count, of: head.people };
      this.tell();
    };
    for await (const line of linesOf(response.body)) {
      const read = JSON.parse(line);
      if (!head) head = read;
      else batch.push(withCard(read));
      if (batch.length >= HOUSEHOLDS_AT_ONCE) await keep();
    }
    if (!head) throw new Broken("nothing came");
    await keep();
    if (count < head.people) throw new Broken("the load broke off");
    const others = this.phone.meta.cursor.split(";").filter((one) => one && !one.startsWith(`${place}:`));
    await this.phone.keepMeta({
      cursor: [...others, head.cursor].join(";"),
      places: { ...this.phone.meta.places, [place]: head.older || 0 },
    });
  }

  /** Takes in what is new: once more the same changes nothing. */
  async take(told) {
    const { phone } = this;
    const bundles = new Map();
    const lacking = new Set(phone.meta.lacking);
    const bundleOf = async (id) => {
      if (!bundles.has(id)) bundles.set(id, (await phone.bundle(id)) || { household: { id }, people: [] });
      return bundles.get(id);
    };
    for (const household of told.households || []) {
      if (phone.households.has(household.id)) (await bundleOf(household.id)).household = household;
    }
    for (const person of told.people || []) {
      const entry = phone.people.get(person.id);
      // Whom the phone does not know the roll brings, with all that is known of them.
      if (!entry) continue;
      if (entry.household !== person.household) {
        lacking.add(person.id);
        continue;
      }
      const own = (await bundleOf(entry.household)).people.find((one) => one.person.id === person.id);
      if (own) own.person = person;
      else lacking.add(person.id);
    }
    for (const { person, ...fact } of told.facts || []) {
      const entry = phone.people.get(person);
      const own = entry && (await bundleOf(entry.household)).people.find((one) => one.person.id === person);
      if (own && !own.facts.some((one) => one.id === fact.id)) own.facts.push(fact);
    }
    const meta = { cursor: told.cursor, lacking: [...lacking], ...this.clock(told.now) };
    await phone.keep(bundles, meta);
    const came = new Set((told.facts || []).map((fact) => fact.id));
    await phone.drop(phone.outbox.filter((entry) => entry.state === "sent" && came.has(entry.id)));
  }

  /** Drops places that this account has no more, loads new ones; answers whether any was loaded. */
  async movePlaces(places) {
    const { phone } = this;
    const had = Object.keys(phone.meta.places);
    for (const gone of had.filter((place) => !(place in places))) {
      await this.leave([...phone.people.values()].filter((person) => person.place === gone).map((person) => person.id));
      const { [gone]: _, ...left } = phone.meta.places;
      const cursor = phone.meta.cursor.split(";").filter((one) => !one.startsWith(`${gone}:`)).join(";");
      await phone.keepMeta({ places: left, cursor });
    }
    const lacks = Object.keys(places).filter((place) => !had.includes(place));
    for (const place of lacks) await this.first(place);
    return lacks.length > 0;
  }

  /** Takes people out of what is held. */
  async leave(ids) {
    const { phone } = this;
    const bundles = new Map();
    for (const id of ids) {
      const entry = phone.people.get(id);
      if (!entry) continue;
      const bundle = bundles.get(entry.household) || (await phone.bundle(entry.household)) || { household: { id: entry.household }, people: [] };
      bundle.people = bundle.people.filter((one) => one.person.id !== id);
      bundles.set(entry.household, bundle);
      phone.people.delete(id);
    }
    if (bundles.size) await phone.keep(bundles);
  }

  async callRolls(places) {
    const { phone } = this;
    for (const [place, roll] of Object.entries(places)) {
      const held = [...phone.people.values()].filter((person) => person.place === place).map((person) => person.id);
      if (!roll || rollOf(held) === roll) continue;
      const { people } = await (await this.ask(`/sync/roll?place=${place}`)).json();
      const there = new Set(people);
      await this.leave(held.filter((id) => !there.has(id)));
      const lacks = people.filter((id) => !phone.people.has(id) || phone.people.get(id).place !== place);
      await phone.keepMeta({ lacking: [...new Set([...phone.meta.lacking, ...lacks])] });
      await this.fetchLacking(place);
    }
  }

  /** Asks for people of whom the phone knows that it lacks them. */
  async fetchLacking(place) {
    const { phone } = this;
    const wanted = [...phone.meta.lacking];
    for (let at = 0; at < wanted.length; at += PEOPLE_AT_ONCE) {
      const people = wanted.slice(at, at + PEOPLE_AT_ONCE);
      const body = JSON.stringify({ people });
      const response = await this.ask("/sync/people", { method: "POST", body, headers: { "Content-Type": "application/json" } });
      const came = [];
      for await (const line of linesOf(response.body)) came.push(withCard(JSON.parse(line)));
      await this.join(came, place);
      const left = phone.meta.lacking.filter((id) => !people.includes(id));
      await phone.keepMeta({ lacking: left });
    }
  }

  /** Puts people, each whole, into the households that they live in now. */
  async join(households, place) {
    const { phone } = this;
    const bundles = new Map();
    const bundleOf = async (id) => {
      if (!bundles.has(id)) bundles.set(id, (await phone.bundle(id)) || { household: { id }, people: [] });
      return bundles.get(id);
    };
    for (const { household, people } of households) {
      for (const one of people) {
        const before = phone.people.get(one.person.id);
        if (before && before.household !== household.id) {
          const old = await bundleOf(before.household);
          old.people = old.people.filter((other) => other.person.id !== one.person.id);
        }
        const bundle = await bundleOf(household.id);
        bundle.household = household;
        bundle.people = [...bundle.people.filter((other) => other.person.id !== one.person.id), one];
      }
    }
    if (bundles.size) await phone.keep(bundles, {}, place);
  }

  /** The phone was wiped from afar: it sends what it still holds and deletes all. */
  async wipe() {
    const { account } = this.phone.card;
    try {
      await this.push();
    } catch (error) {
      // Without a network it tries again: what is not sent is not deleted. A server that will not take it is obeyed all the same.
      if (!(error instanceof Refused) || error.status === 429 || error.status >= 500) return this.nudge(RETRY_MS);
    }
    this.state = "wiped";
    this.phone.close();
    await Store.forget(account);
    const register = await Store.register();
    await register.write([{ room: "phones", remove: account }]);
    this.tell();
  }
}
