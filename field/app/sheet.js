// What stands on the sheet of a visit, without a screen: what is asked, typed, carried over from the last time, and what it comes to.

import { isComplete, typed } from "./pad.js";
import { mint } from "./seal.js";
import { answerOf, classifies, doubtOf, foundOf, holds, isAlwaysAsked, kindOf, readAnswers, sheetOf, thousandths, unitOf, written } from "./rules.js";
import { latestNext } from "./writing.js";
import { of, say } from "./words.js";

const MEDICINES = "medicines";

export class Sheet {
  static of(phone, known, there) {
    const sheet = new Sheet();
    const { writing } = known;
    const today = phone.today();
    Object.assign(sheet, { writing, today, texts: {}, carried: {}, confirmed: new Set(), note: "", reason: "", agreed_on: "", windows: [] });
    if (there) {
      const { body, fact } = there;
      sheet.correcting = fact;
      Object.assign(sheet, { visit: body.visit, on: body.on, way: body.way, note: body.note || "", agreed_on: body.agreed_on || "", windows: [...body.windows] });
      sheet.texts = { ...body.answers };
      sheet.programmes = body.found.map((found) => writing.rules(found.programme, body.on)).filter(Boolean);
    } else {
      const last = writing.chart.visits[writing.chart.visits.length - 1];
      Object.assign(sheet, { visit: mint(Date.now()), on: today, way: last ? last.body.way : "home" });
      sheet.programmes = writing.asked(today, false);
      // Where nothing but a check is managed, the visit is the check.
      if (!sheet.programmes.some(isAlwaysAsked)) sheet.windows = sheet.yearWindows().slice(0, 1).map((window) => window.id);
    }
    sheet.ask();
    return sheet;
  }

  /** Puts the questions together, and what is offered as the last time. */
  ask() {
    this.asks = sheetOf(this.programmes);
    this.carried = {};
    if (this.correcting) return;
    for (const { item } of this.asks) {
      const previous = this.previous(item.id);
      const mayStay = kindOf(item) === "number" ? item.carries : kindOf(item) !== "words" || item.id === MEDICINES;
      if (previous && mayStay && !this.texts[item.id] && this.isQuiet(item, previous.texts)) this.carried[item.id] = previous.texts;
    }
  }

  /** Whether an answer alone puts nobody off target: one that did the last time is asked anew, never taken over. */
  isQuiet(item, texts) {
    const answers = readAnswers([{ asks: [{ item }] }], { [item.id]: texts });
    if (!(item.id in answers)) return false;
    const decides = (rules) => (state) =>
      !state.at_target && state.when !== "otherwise" && holds(state.when, answers, this.writing.patient(rules, this.on), []) === true;
    return !this.programmes.some((rules) => rules.states.some(decides(rules)));
  }

  previous(id) {
    const visits = this.writing.chart.visits.filter((visit) => visit.body.visit !== this.visit && visit.body.answers && visit.body.answers[id]);
    const last = visits[visits.length - 1];
    return last ? { on: last.body.on, texts: last.body.answers[id] } : null;
  }

  item(id) {
    const ask = this.asks.find((one) => one.item.id === id);
    return ask && ask.item;
  }

  /** The numbers that are asked, in order. */
  numbers(requiredOnly) {
    return this.asks.filter(({ item, required }) => kindOf(item) === "number" && (required || !requiredOnly)).map(({ item }) => item.id);
  }

  text(id) {
    return this.texts[id] ? this.texts[id][0] : "";
  }

  isCarried(id) {
    return id in this.carried && !this.texts[id];
  }

  /** What was offered as the last time stands in its fields from now on, to be changed one by one. */
  takeOver() {
    this.texts = { ...this.carried, ...this.texts };
    this.carried = {};
  }

  set(id, texts) {
    if (texts.length) this.texts[id] = texts;
    else delete this.texts[id];
    this.confirmed.delete(id);
  }

  /** Types a key into a number; answers whether the number is complete. */
  press(id, key) {
    const { number } = this.item(id).kind;
    const text = typed(number, this.text(id), key);
    this.set(id, text ? [text] : []);
    return key !== "back" && isComplete(number, text);
  }

  /** What will be written: typed, chosen, and as the last time. A point with nothing behind it is none. */
  answers() {
    const texts = { ...this.carried, ...this.texts };
    for (const { item } of this.asks) {
      if (kindOf(item) === "number" && texts[item.id]) texts[item.id] = [texts[item.id][0].replace(/\.$/, "")];
    }
    return Object.fromEntries(Object.entries(texts).filter(([id]) => this.item(id)));
  }

  read(without) {
    const texts = this.answers();
    if (without && this.item(without) && !isComplete(this.item(without).kind.number, this.text(without))) delete texts[without];
    return readAnswers(this.programmes, texts);
  }

  body() {
    const body = {
      visit: this.visit, on: this.on, way: this.way, answers: this.answers(), windows: this.windows,
      programmes: this.programmes.map((rules) => rules.programme),
    };
    if (this.agreed_on) body.agreed_on = this.agreed_on;
    if (this.note) body.note = this.note;
    if (this.correcting) Object.assign(body, { corrects: this.correcting, reason: this.reason });
    return body;
  }

  /** What it comes to so far, by programme; the number that is being typed does not count before it is complete. */
  outcomes(typing) {
    const answers = this.read(typing);
    const found = [];
    for (const rules of this.programmes) {
      const managed = this.writing.chart.openIn(rules.programme);
      if (!managed || !classifies(rules)) continue;
      const visit = { on: this.on, way: this.way, answers, windows: this.windows };
      found.push({ found: foundOf(rules, managed, this.writing.chart, this.writing.person, visit), patient: this.writing.patient(rules, this.on) });
    }
    return found;
  }

  found() {
    return this.writing.judge(this.body());
  }

  /** The day by which the next visit is due, as far as it can be told. */
  proposed() {
    return latestNext(this.outcomes(null).map(({ found }) => found));
  }

  missing() {
    return this.writing.missing(this.programmes, this.read(null), this.on);
  }

  /** What is wrong with what was typed: by item, the sentence. */
  faults() {
    const faults = {};
    for (const { item } of this.asks) {
      const fault = this.faultOf(item.id);
      if (fault) faults[item.id] = fault;
    }
    return faults;
  }

  /** @returns {?{text: string, again?: boolean}} */
  faultOf(id) {
    const item = this.item(id);
    const texts = this.answers()[id];
    if (!item || !texts) return null;
    const { answer, fault } = answerOf(item, texts);
    if (fault) return { text: this.faultText(item, fault, texts) };
    if (!("number" in answer)) return null;
    const others = this.read(null);
    const doubt = doubtOf(item, answer.number, (other) => (others[other] ? others[other].number : null));
    if (!doubt) return null;
    const name = of(item.name);
    if (doubt.why === "not_below") return { text: say("answer_not_below", { name, other: of(this.item(doubt.item).name) }) };
    if (this.confirmed.has(id)) return null;
    if (doubt.why === "other_unit") return { text: otherUnit(item, answer.number, doubt.own), again: true };
    return { text: say("answer_unusual", { name, number: written(answer.number), unit: unitOf(item) }), again: true };
  }

  faultText(item, fault, texts) {
    const name = of(item.name);
    const { number } = item.kind;
    if (fault === "out_of_range") {
      const read = thousandths(texts[0].trim());
      const doubt = doubtOf(item, read, () => null);
      if (doubt && doubt.why === "other_unit") return otherUnit(item, read, doubt.own);
      return say("answer_out_of_range", { name, least: number.least, most: number.most, unit: number.unit });
    }
    if (fault === "not_a_number") return say("answer_not_a_number", { name, decimals: number.decimals });
    return say(fault === "contradicts" ? "answer_contradicts" : "answer_not_an_option", { name });
  }

  /** The windows of the year that the person's programmes have, each once. */
  yearWindows() {
    const all = this.writing.managed(this.on).flatMap((rules) => rules.windows).filter((window) => window.anchor === "year");
    return all.filter((window, at) => all.findIndex((other) => other.id === window.id) === at);
  }

  /** A yearly check asks what its programmes ask. */
  setWindows(chosen) {
    this.windows = chosen;
    if (this.correcting) return;
    this.programmes = this.writing.asked(this.on, chosen.length > 0);
    this.asks = sheetOf(this.programmes);
  }
}

const otherUnit = (item, number, own) =>
  say("answer_other_unit", { number: written(number), other: item.other_unit.unit, converted: written(own), unit: unitOf(item) });
