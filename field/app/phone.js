// An account on this phone, opened: who lives in its places, what is known of them, what waits to be sent.
//
// A household is one sealed bundle: `{household, people: [{person, facts}]}`. What lists need of all people stands in a sealed index
// of some parts, so that the first screen opens no bundle and a change writes one part. What waits in the outbox is laid over both.

import { KINDS } from "./chart.js";
import { dayAt } from "./days.js";
import { bytesOf, hexOf, mint, open, seal, sha256, utf8 } from "./seal.js";
import { rulesAt } from "./rules.js";
import { Full, Store } from "./store.js";
import { Writing } from "./writing.js";

/** In how many parts the index lies. */
const PARTS = 16;
/** The form of what stands in the outbox. An older one is read for ever; a newer one is left alone. */
const OUTBOX_FORM = 1;
/** Kept free for what is to be sent: given up when the phone is full. */
const RESERVE_BYTES = 512 * 1_024;
/** What one tab tells the others to read anew. */
const OUTBOX = "outbox";
export const ALL = "all";
/** A clock that is off by less is right. */
const CLOCK_SLACK_MS = 5 * 60_000;

const partOf = (household) => parseInt(household.replace(/-/g, "").slice(-4), 16) % PARTS;
/** How a person stands: as the server said, with what was written here laid over it. */
export const standsOf = (person) => person.laid || person.rows;
const rowsOf = (writing) => writing.standings().map(({ due, ...row }) => ({ ...row, next: due[0] || null }));

export class Phone {
  /** @param {Object} card what the register of this phone has of the account @param {CryptoKey} dataKey */
  constructor(card, dataKey, store) {
    Object.assign(this, { card, dataKey, store });
    /** @type {Map<string, Object>} by person */
    this.people = new Map();
    this.households = new Map();
    this.outbox = [];
    this.meta = { places: {}, cursor: "", law: "", offset: 0, syncedAt: 0, lacking: [], receipt: null };
    this.book = { programmes: [], labels: {} };
    this.listeners = new Set();
    /** Grows with everything that a screen shows of people and of the outbox. */
    this.revision = 0;
    this.channel = new BroadcastChannel(`kangmai-field:${card.account}`);
    this.channel.onmessage = (event) => this.readAgain(event.data);
  }

  /** Opens what is kept; null where the browser has cleared it: then this is another phone to the server. */
  static async open(card, dataKey) {
    const store = await Store.ofAccount(card.account);
    if (!(await store.get("meta", "chain"))) return null;
    const phone = new Phone(card, dataKey, store);
    await phone.read();
    return phone;
  }

  /** Makes room for a phone that was registered now. */
  static async begin(card, dataKey, secrets) {
    const store = await Store.ofAccount(card.account);
    const chain = hexOf(await sha256(utf8(card.phone)));
    await store.write([
      { room: "meta", key: "chain", put: { sequence: 0, chain } },
      { room: "meta", key: "secrets", put: await seal(dataKey, "secrets", secrets) },
      { room: "meta", key: "reserve", put: new Uint8Array(RESERVE_BYTES) },
    ]);
    return Phone.open(card, dataKey);
  }

  async keepSecrets(secrets) {
    this.secrets = secrets;
    await this.store.write([{ room: "meta", key: "secrets", put: await seal(this.dataKey, "secrets", secrets) }]);
  }

  async read() {
    const [meta, book, secrets] = await Promise.all(["state", "book", "secrets"].map((key) => this.store.get("meta", key)));
    Object.assign(this.meta, meta);
    if (book) this.book = book;
    this.secrets = await open(this.dataKey, "secrets", secrets);
    await Promise.all([this.readIndex(), this.readOutbox()]);
    await this.layOver();
  }

  /** Another tab wrote, into the outbox or all over: that is read anew, once for however many times it is said meanwhile. */
  async readAgain(what) {
    this.wanted = this.wanted === ALL ? ALL : what;
    if (this.isReading) return;
    this.isReading = true;
    while (this.wanted) {
      const now = this.wanted;
      this.wanted = null;
      const before = this.outbox;
      if (now === ALL) await this.read();
      else await this.readOutbox();
      await this.layOver(before);
    }
    this.isReading = false;
    this.revision += 1;
    this.tell();
  }

  async readIndex() {
    const parts = await Promise.all([...Array(PARTS).keys()].map((part) => this.store.get("index", part)));
    try {
      const read = await Promise.all(parts.map((part, at) => part && open(this.dataKey, `index/${at}`, part)));
      const own = read.filter(Boolean);
      this.households = new Map(own.flatMap((part) => part.households.map((household) => [household.id, household])));
      this.people = new Map(own.flatMap((part) => part.people.map((person) => [person.id, person])));
    } catch {
      // A part is damaged: all of it is in the bundles too.
      const ids = await this.store.keys("households");
      for (const id of ids) {
        const bundle = await this.bundle(id);
        if (bundle) this.indexBundle(bundle);
      }
      await this.store.write(await this.sealedParts([...Array(PARTS).keys()]));
    }
  }

  async readOutbox() {
    const kept = await this.store.all("outbox");
    const read = kept.map(async (record) => {
      const entry = { sequence: record.sequence, id: record.id, form: record.form || OUTBOX_FORM, chain: record.chain };
      Object.assign(entry, { state: record.state || "waiting", reason: record.reason, said: record.said });
      if (entry.form > OUTBOX_FORM) return { ...entry, state: "newer" };
      const { text } = await open(this.dataKey, `outbox/${record.sequence}`, record.sealed);
      return { ...entry, text, fact: JSON.parse(text) };
    });
    this.outbox = await Promise.all(read);
  }

  /** Lays what was not sent yet over the index; `before` is the outbox as it was, of whom something may have gone. */
  async layOver(before = []) {
    const written = [...before, ...this.outbox.filter(isLaid)].filter((entry) => entry.fact);
    const ids = new Set(written.map((entry) => entry.fact.person));
    for (const id of ids) await this.refresh(id);
  }

  /** Works out again what lists say of a person. */
  async refresh(id) {
    const [known, entry] = [await this.known(id), this.people.get(id)];
    if (known && entry) entry.laid = this.mine(id).length ? rowsOf(known.writing) : null;
  }

  /** The bundle of a household. One that does not open is dropped and asked for again. */
  async bundle(id) {
    const kept = await this.store.get("households", id);
    if (!kept) return null;
    try {
      return await open(this.dataKey, `household/${id}`, kept);
    } catch {
      const people = [...this.people.values()].filter((person) => person.household === id).map((person) => person.id);
      this.meta.lacking = [...new Set([...this.meta.lacking, ...people])];
      await this.store.write([{ room: "households", remove: id }, this.metaChange()]);
      return null;
    }
  }

  /** A person with the household, the facts and the chart; null where the phone does not hold them. */
  async known(id) {
    const entry = this.people.get(id);
    const bundle = entry && (await this.bundle(entry.household));
    const own = bundle && bundle.people.find((one) => one.person.id === id);
    if (!own) return null;
    const writing = new Writing(own.person, own.facts, this.mine(id), (day) => this.rulesOn(own.person, day), this.card.account);
    return { person: own.person, household: bundle.household, facts: own.facts, writing };
  }

  rulesOn(person, day) {
    const own = rulesAt(this.book.programmes, person.home, day);
    const entry = this.people.get(person.id);
    return own.length || !entry ? own : rulesAt(this.book.programmes, entry.place, day);
  }

  /** The facts about a person that the server has not given back yet. */
  mine(id) {
    const own = this.outbox.filter((entry) => isLaid(entry) && entry.fact.person === id);
    return own.map(({ fact }) => ({ id: fact.id, kind: fact.kind, on: fact.body.on, at: fact.at, by: this.card.account, body: fact.body }));
  }

  /** What of a bundle lists need. */
  indexBundle({ household, people }, place) {
    this.households.set(household.id, household);
    for (const { person, facts } of people) {
      const before = this.people.get(person.id);
      const { id, name, initials, last_four, sex, birth, died_on, relation, labels, phone } = person;
      const writing = new Writing(person, facts, [], (day) => rulesAt(this.book.programmes, person.home, day), this.card.account);
      this.people.set(id, {
        id, name, initials, last_four, sex, birth, died_on, relation, labels, phone,
        household: household.id,
        place: place || (before && before.place) || person.home,
        rows: rowsOf(writing),
      });
    }
  }

  async sealedParts(parts) {
    const of = (map, key) => [...map.values()].filter((one) => parts.includes(partOf(one[key])));
    // What was not sent stands in the outbox alone: laid over, it would stay where it is refused.
    const [households, people] = [of(this.households, "id"), of(this.people, "household").map(({ laid: _, ...person }) => person)];
    return Promise.all(
      parts.map(async (part) => ({
        room: "index",
        key: part,
        put: await seal(this.dataKey, `index/${part}`, {
          households: households.filter((one) => partOf(one.id) === part),
          people: people.filter((one) => partOf(one.household) === part),
        }),
      })),
    );
  }

  async sealedBundle(bundle) {
    const { id } = bundle.household;
    return { room: "households", key: id, put: await seal(this.dataKey, `household/${id}`, bundle) };
  }

  metaChange() {
    return { room: "meta", key: "state", put: { ...this.meta } };
  }

  /**
   * Keeps what came from the server in one transaction, and its cursor with it.
   * @param {Map<string, ?Object>} bundles by household; null: it goes
   * @param {Object} meta what of the state changes
   */
  async keep(bundles, meta = {}, place) {
    const parts = new Set();
    const changes = [];
    for (const [id, bundle] of bundles) {
      parts.add(partOf(id));
      if (bundle && bundle.people.length) {
        this.indexBundle(bundle, place);
        changes.push(await this.sealedBundle(bundle));
      } else {
        this.households.delete(id);
        changes.push({ room: "households", remove: id });
      }
    }
    if (bundles.size) this.revision += 1;
    Object.assign(this.meta, meta);
    changes.push(...(await this.sealedParts([...parts])), this.metaChange());
    await this.store.write(changes);
    await this.layOver();
  }

  async keepBook(book) {
    const { vectors: _, ...own } = book;
    this.book = own;
    this.revision += 1;
    this.meta.law = book.law;
    await this.store.write([{ room: "meta", key: "book", put: own }, this.metaChange()]);
  }

  keepMeta(meta) {
    Object.assign(this.meta, meta);
    return this.store.write([this.metaChange()]);
  }

  /**
   * Writes a fact down. It is in the chain and on the disk when this is done.
   * @returns {Promise<string>} the fact
   */
  async write(kind, person, body) {
    const at = Date.now();
    // A fact that puts another right says so at its head, as the record keeps it.
    const fact = { id: mint(at), kind, person, at, ...(body.corrects ? { corrects: body.corrects } : {}), body };
    await this.writeText(JSON.stringify(fact), fact);
    await this.refresh(person);
    this.tell(OUTBOX);
    return fact.id;
  }

  /** Puts a fact into the chain as it is written. */
  async writeText(text, fact) {
    for (;;) {
      const before = await this.store.get("meta", "chain");
      const sequence = before.sequence + 1;
      const linked = new Uint8Array([...bytesOf(before.chain), ...(await sha256(utf8(text)))]);
      const chain = hexOf(await sha256(linked));
      const sealed = await seal(this.dataKey, `outbox/${sequence}`, { text });
      const record = { sequence, id: fact.id, form: OUTBOX_FORM, state: "waiting", chain, sealed };
      const changes = [{ room: "outbox", put: record }, { room: "meta", key: "chain", put: { sequence, chain } }];
      const expect = { room: "meta", key: "chain", is: (now) => now && now.sequence === before.sequence };
      // Another tab may have taken the number.
      if (await this.writeFirst(changes, expect)) {
        this.outbox.push({ sequence, id: fact.id, form: OUTBOX_FORM, chain, state: "waiting", text, fact });
        return;
      }
    }
  }

  /** What is to be sent comes first: on a full phone the reserve is given up for it. */
  async writeFirst(changes, expect) {
    try {
      return await this.store.write(changes, expect);
    } catch (error) {
      if (!(error instanceof Full)) throw error;
      this.isFull = true;
      await this.store.write([{ room: "meta", remove: "reserve" }]);
      return this.store.write(changes, expect);
    }
  }

  /** Takes the reserve again, where there is room once more. */
  async reserve() {
    if (!this.isFull) return;
    await this.store.write([{ room: "meta", key: "reserve", put: new Uint8Array(RESERVE_BYTES) }]);
    this.isFull = false;
    this.revision += 1;
  }

  /** What the server said to entries of the outbox. */
  async answer(answers, meta) {
    const [changes, answered] = [[], []];
    for (const { sequence, outcome, reason, said, field } of answers) {
      const entry = this.outbox.find((one) => one.sequence === sequence);
      if (!entry) continue;
      answered.push(entry);
      const state = outcome === "accepted" ? "sent" : outcome === "duplicate" ? (reason ? "parked" : "sent") : outcome;
      Object.assign(entry, { state, reason: reason || field, said });
      const kept = await this.store.get("outbox", sequence);
      if (kept) changes.push({ room: "outbox", put: { ...kept, state, reason: entry.reason, said } });
    }
    Object.assign(this.meta, meta);
    await this.store.write([...changes, this.metaChange()]);
    await this.layOver(answered);
    this.tell(OUTBOX);
  }

  /** What was sent and has come back, or was seen by the doctor, need not be kept twice. */
  async drop(entries) {
    if (!entries.length) return;
    await this.store.write(entries.map((entry) => ({ room: "outbox", remove: entry.sequence })));
    this.outbox = this.outbox.filter((entry) => !entries.includes(entry));
    await this.layOver(entries);
    this.tell(OUTBOX);
  }

  waiting() {
    return this.outbox.filter((entry) => entry.state === "waiting");
  }

  refused() {
    return this.outbox.filter((entry) => entry.state === "parked" || entry.state === "rejected");
  }

  /** The server's time, as far as it is known. */
  now() {
    return Date.now() + (Math.abs(this.meta.offset) > CLOCK_SLACK_MS ? this.meta.offset : 0);
  }

  today() {
    return dayAt(this.now());
  }

  /** Tells the screen that something changed, and other tabs what they must read anew. */
  tell(others) {
    if (others === OUTBOX) this.revision += 1;
    this.listeners.forEach((listen) => listen());
    if (others) this.channel.postMessage(others);
  }

  close() {
    this.channel.close();
    this.store.database.close();
  }
}

/** Whether an entry is laid over what the server said: what was refused is not. */
const isLaid = (entry) => entry.fact && (entry.state === "waiting" || entry.state === "sent") && Object.values(KINDS).includes(entry.fact.kind);
