// The sheet of a visit: what the tables of all programmes of a person ask, each thing once. Numbers come by our own pad; what was
// chosen the last time is offered as it was, and one press says that it still is.

import { Sheet } from "./sheet.js";
import { pad } from "./pad.js";
import { plusDays } from "./days.js";
import { button, choices, field, h, notice, tag } from "./element.js";
import { kindOf, optionsOf, unitOf } from "./rules.js";
import { answerText, outcomeOf, reason, toneOf } from "./sentences.js";
import { day, joined, of, say } from "./words.js";

const OUTCOMES = ["not_at_home", "working_away", "refused", "in_hospital", "unreachable", "died", "put_off"];
const WAYS = ["clinic", "home", "phone"];
/** In how many days somebody may be put off at one touch. */
const PUT_OFF_DAYS = [1, 3, 7];
const LONGEST_WORDS = 500;
const SHORTEST_REASON = 4;

/** What to do at once where somebody is in danger: in words, with no network. */
export const dangerSteps = (outcome) =>
  notice("danger",
    h("p", {}, h("strong", {}, say("danger", { name: outcome.name, state: outcome.state }))),
    outcome.because.map((text) => h("p", {}, text)),
    h("ol", {},
      h("li", {}, outcome.advice),
      h("li", {}, say("danger_tell"), " ", h("a.call", { href: "tel:120" }, say("danger_call"))),
      h("li", {}, say("danger_note")),
      outcome.referral ? h("li", {}, say("danger_ask", { day: day(outcome.referral) })) : null));

class VisitView {
  constructor(phone, known, sheet, leave) {
    Object.assign(this, { phone, known, sheet, leave, errors: {}, isOpen: false });
    this.numbers = h("div.numbers");
    this.told = h("div.told", { "aria-live": "assertive" });
    this.rest = h("div");
    this.foot = h("div.foot");
    this.errorBox = h("div");
    this.active = sheet.numbers(true)[0] || null;
  }

  draw() {
    this.drawNumbers();
    this.drawTold();
    this.drawRest();
    this.drawFoot();
    const { sheet } = this;
    const standing = this.known.writing.standings();
    const all = this.phone.rulesOn(this.known.person, sheet.on);
    return [
      this.errorBox, this.numbers, this.told,
      h("ul.standing", {}, standing.map((row) => h("li", {}, reason(all, { ...row, next: row.due[0] }, this.phone.today())))),
      sheet.correcting ? this.reasonField() : null,
      this.rest,
      sheet.correcting ? null : this.notSeen(),
      this.foot,
    ];
  }

  /** The boxes of the numbers that must be measured, and of those that somebody has opened. */
  drawNumbers() {
    const shown = this.sheet.asks.filter(({ item, required }) => kindOf(item) === "number" && (required || this.isOpen));
    this.numbers.replaceChildren(...shown.map(({ item, required }) => this.numberBox(item, required)));
  }

  numberBox(item, required) {
    const text = this.sheet.text(item.id);
    const previous = this.sheet.previous(item.id);
    const classes = `${this.active === item.id ? ".active" : ""}${this.errors[item.id] ? ".wrong" : ""}`;
    const name = of(item.name);
    const pick = () => this.pick(item.id);
    const box = h(`button.number${classes}`, { type: "button", id: `item-${item.id}`, onclick: pick, "aria-pressed": String(this.active === item.id) },
      h("span.number-name", {}, name, required ? "" : say("optional")), " ", h("span.number-value", {}, text || "–"), " ", h("span.number-unit", {}, unitOf(item)));
    const last = previous ? h("p.hint", {}, h("span.whole", {}, say("last_figures", { figures: previous.texts.join("") })), " ", h("span.whole", {}, previous.on)) : null;
    return h("div.number-box", {}, box, last, this.errors[item.id] ? this.errorOf(item) : null);
  }

  errorOf(item) {
    const error = this.errors[item.id];
    const again = error.again
      ? h("label.chip", {}, h("input", { type: "checkbox", checked: this.sheet.confirmed.has(item.id), onchange: (event) => this.confirm(item.id, event.target.checked) }), h("span", {}, say("again")))
      : null;
    return h("div.error", { role: "alert" }, h("p", {}, error.text), again);
  }

  confirm(id, isConfirmed) {
    this.sheet.confirmed[isConfirmed ? "add" : "delete"](id);
  }

  pick(id) {
    this.leaveNumber();
    this.active = id;
    this.drawNumbers();
    this.drawFoot();
    this.bringUp(id);
  }

  /** The pad must not lie over the number that it types. */
  bringUp(id) {
    const box = id && document.getElementById(`item-${id}`);
    if (box) box.scrollIntoView({ block: "nearest" });
  }

  /** A number that is left is looked at: a slip is said where it was made. */
  leaveNumber() {
    if (this.active) this.look(this.active);
  }

  look(id) {
    this.errors[id] = this.sheet.faultOf(id) || undefined;
  }

  press(key) {
    const { sheet } = this;
    if (key === "close") return this.pick(null);
    if (key === "next") return this.next();
    if (!this.active) return undefined;
    const isFull = sheet.press(this.active, key);
    delete this.errors[this.active];
    if (isFull) return this.next();
    this.drawNumbers();
    this.drawTold();
    return this.drawFoot();
  }

  /** On to the next number that has nothing yet; after the last the pad goes, and what follows can be read. */
  next() {
    this.leaveNumber();
    const shown = this.sheet.numbers(!this.isOpen);
    const after = shown.slice(shown.indexOf(this.active) + 1);
    this.active = after.find((id) => !this.sheet.text(id)) || null;
    this.drawNumbers();
    this.drawTold();
    this.drawFoot();
    this.bringUp(this.active);
  }

  /** What it comes to as far as it can be told: a danger the moment it is seen. */
  drawTold() {
    const told = this.sheet.outcomes(this.active).map(({ found, patient }) => {
      const outcome = outcomeOf(this.sheet.programmes, this.sheet.body(), found, patient, this.phone.today());
      if (found.grade === "danger") return dangerSteps(outcome);
      if (!found.state) return null;
      return h("p.outcome", {}, tag(toneOf(found.grade, found.at_target), `${outcome.name} ${outcome.state}`), ` ${outcome.advice} `, h("span.muted", {}, say("next_by", { day: day(outcome.next) })));
    });
    this.told.replaceChildren(...told.filter(Boolean));
  }

  /** Everything that is no number: in one line where it is as the last time, else to be chosen. */
  drawRest() {
    const { sheet } = this;
    const carried = sheet.asks.filter(({ item }) => sheet.isCarried(item.id));
    const nodes = [];
    if (carried.length && !this.isOpen) {
      const named = carried.filter(({ required, item }) => required || item.id === "medicines");
      const texts = (named.length ? named : carried).map(({ item }) => `${of(item.name)}：${answerText(item, sheet.carried[item.id])}`);
      nodes.push(h("section.carried", {}, h("h2", {}, say("as_last_time")), h("p", {}, texts.join(say("semicolon")))));
    }
    const must = sheet.asks.filter(({ item, required }) => required && kindOf(item) !== "number" && !sheet.isCarried(item.id));
    nodes.push(...must.map((ask) => this.control(ask)));
    if (this.isOpen) {
      const others = sheet.asks.filter((ask) => kindOf(ask.item) !== "number" && !must.includes(ask));
      nodes.push(...others.map((ask) => this.control(ask)), this.circumstances());
    } else {
      nodes.push(button(say("open_all"), () => this.openAll(), { class: "button second wide" }));
    }
    this.rest.replaceChildren(...nodes);
  }

  openAll() {
    this.isOpen = true;
    this.sheet.takeOver();
    this.drawNumbers();
    this.drawRest();
    this.drawFoot();
  }

  control({ item }) {
    const { sheet } = this;
    const set = (texts) => {
      sheet.set(item.id, texts);
      delete this.errors[item.id];
      this.drawTold();
      this.drawFoot();
    };
    const error = this.errors[item.id] ? h("div.error", { role: "alert" }, h("p", {}, this.errors[item.id].text)) : null;
    if (kindOf(item) === "words") {
      const area = h("textarea", { rows: 2, maxlength: LONGEST_WORDS, oninput: (event) => set(event.target.value.trim() ? [event.target.value] : []) });
      area.value = sheet.texts[item.id] ? sheet.texts[item.id].join("\n") : "";
      return h("div", { id: `item-${item.id}` }, field(of(item.name), area), error);
    }
    const options = optionsOf(item).map((option) => ({ id: option.id, text: of(option.name) }));
    return h("div", { id: `item-${item.id}` }, choices(of(item.name), kindOf(item), options, sheet.texts[item.id] || [], set), error);
  }

  /** Day, way, the yearly check, the day agreed on, remarks: each stands there already. */
  circumstances() {
    const { sheet } = this;
    const dayField = (label, value, set, hint) => field(label, h("input", { type: "date", value: value || "", onchange: (event) => set(event.target.value) }), hint);
    const note = h("textarea", { rows: 2, maxlength: LONGEST_WORDS, oninput: (event) => (sheet.note = event.target.value.trim()) });
    note.value = sheet.note;
    const windows = sheet.yearWindows().map((window) => ({ id: window.id, text: of(window.name) }));
    return h("div", {},
      dayField(say("on"), sheet.on, (on) => this.changeDay(on)),
      choices(say("way"), "one", WAYS.map((way) => ({ id: way, text: say(`way_${way}`) })), [sheet.way], ([way]) => (sheet.way = way)),
      windows.length ? choices(say("windows"), "several", windows, sheet.windows, (chosen) => this.changeWindows(chosen)) : null,
      dayField(say("agreed_on"), sheet.agreed_on, (on) => (sheet.agreed_on = on), say("agreed_hint", { day: sheet.proposed() ? day(sheet.proposed()) : say("by_norm") })),
      field(say("note"), note));
  }

  changeDay(on) {
    this.sheet.on = on || this.sheet.on;
    this.drawTold();
  }

  changeWindows(chosen) {
    this.sheet.setWindows(chosen);
    this.drawNumbers();
    this.drawRest();
    this.drawTold();
  }

  reasonField() {
    const input = h("input", { type: "text", maxlength: 200, oninput: (event) => (this.sheet.reason = event.target.value.trim()) });
    return field(say("reason"), input);
  }

  drawFoot() {
    const carried = !this.isOpen && this.sheet.asks.some(({ item, required }) => required && this.sheet.isCarried(item.id));
    const save = button(say(this.sheet.correcting ? "correct_do" : carried ? "save_same" : "save"), () => this.save(), { class: "button wide", id: "save" });
    const item = this.active && this.sheet.item(this.active);
    this.foot.replaceChildren(save, ...(item ? [pad((key) => this.press(key), item.kind.number.decimals > 0)] : []));
    document.body.classList.toggle("with-pad", Boolean(item));
  }

  notSeen() {
    const put = h("div");
    const again = (on) => this.miss("put_off", on);
    const askDay = () => {
      const today = this.phone.today();
      const other = h("input", { type: "date", min: plusDays(today, 1), onchange: (event) => event.target.value && again(event.target.value) });
      put.replaceChildren(h("div.chips", {}, PUT_OFF_DAYS.map((count) => button(say("in_days", { count }), () => again(plusDays(today, count)), { class: "button second" }))), field(say("again_on"), other));
    };
    return h("section.not-seen", {}, h("h2", {}, say("not_seen")),
      h("div.outcomes", {}, OUTCOMES.map((outcome) => button(say(`outcome_${outcome}`), () => (outcome === "put_off" ? askDay() : this.miss(outcome)), { class: "button second" }))), put);
  }

  async miss(outcome, again) {
    const body = { on: this.sheet.on, outcome, ...(again ? { again_on: again } : {}) };
    const fault = this.known.writing.missedFault(body, this.phone.today());
    if (fault) return this.refuse(fault);
    return this.keep(() => this.leave.missed(body));
  }

  /** Once, however often somebody presses; what could not be kept stands there still. */
  async keep(write) {
    if (this.isSaving) return;
    this.isSaving = true;
    await write().catch(() => this.refuse({ why: "refused_not_kept" }));
    this.isSaving = false;
  }

  refuse(fault) {
    const own = fault.visit ? h("a", { href: `#/visit/${this.known.person.id}/correct/${fault.visit}` }, say("open_that")) : null;
    this.errorBox.replaceChildren(notice("danger", h("p", {}, say(fault.why, { day: fault.day ? day(fault.day) : "" }), " ", own)));
    this.errorBox.scrollIntoView({ block: "center" });
  }

  async save() {
    const { sheet } = this;
    this.errorBox.replaceChildren();
    this.errors = sheet.faults();
    this.sheetFault();
    const [first] = Object.keys(this.errors);
    if (first) {
      if (sheet.item(first) && kindOf(sheet.item(first)) === "number") this.active = first;
      if (!document.getElementById(`item-${first}`)) this.openAll();
      this.drawNumbers();
      this.drawRest();
      this.drawFoot();
      const place = document.getElementById(`item-${first}`);
      if (place) place.scrollIntoView({ block: "center" });
      return;
    }
    const body = sheet.body();
    const fault = this.known.writing.visitFault(body, this.phone.today()) || this.reasonFault();
    if (fault) return this.refuse(fault);
    await this.keep(() => this.leave.saved(body, sheet.found()));
  }

  reasonFault() {
    return this.sheet.correcting && [...this.sheet.reason].length < SHORTEST_REASON ? { why: "refused_reason" } : null;
  }

  sheetFault() {
    const missing = this.sheet.missing().filter((id) => !this.errors[id]);
    for (const id of missing) this.errors[id] = { text: say("answer_missing", { name: of(this.sheet.item(id).name) }) };
  }
}

/** @param {{saved: Function, missed: Function}} leave where it goes on when something was written down */
export const visitScreen = async (phone, id, correcting, leave) => {
  const known = await phone.known(id);
  if (!known) return { title: say("visit"), body: [h("p.empty", {}, say("not_here"))], back: "#/today" };
  const { person, writing } = known;
  const title = say(correcting ? "correct_of" : "visit_of", { name: person.name });
  const back = correcting ? `#/person/${id}/visit/${correcting}` : "#/today";
  const there = correcting && writing.chart.visit(correcting);
  if (correcting && (!there || there.cut)) return { title, back, body: [h("p.empty", {}, say("not_correctable"))] };
  const sheet = Sheet.of(phone, known, there);
  if (!sheet.asks.length) return { title, back, body: [h("p.empty", {}, say("nothing_managed"))] };
  const view = new VisitView(phone, known, sheet, leave(known));
  const twin = !there && writing.visitFault(sheet.body(), phone.today());
  const isTwin = twin && twin.why === "refused_twice";
  if (isTwin) view.active = null;
  const drawn = view.draw();
  if (isTwin) view.refuse(twin);
  return { title, back, bare: true, lead: joined(sheet.programmes.map((rules) => of(rules.short))), body: drawn, keys: (key) => view.press(key) };
};
