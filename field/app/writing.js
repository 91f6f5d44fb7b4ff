// Writing down, decided from the chart as the server decides it (`programmes/follow_up/src/act.rs`): a visit that the server would
// refuse is refused while the doctor still sits beside the patient. What a visit comes to is worked out here only to be shown.

import { Chart, KINDS } from "./chart.js";
import { ageOn, dayAt } from "./days.js";
import { foundOf, isAlwaysAsked, isDanger, readAnswers, unanswered } from "./rules.js";

/** Who wrote a fact: this account, another, or the program itself. */
const byWhom = (by, account) => (by === null || by === undefined ? "program" : by === account ? "own" : "other");

/** A fact of the server, or of the outbox, as the chart folds it. */
export const eventOf = (fact, account) => ({ ...fact, by: byWhom(fact.by, account), recorded_on: dayAt(fact.at), body: fact.body || {} });

export class Writing {
  /**
   * @param {Object} person the card
   * @param {Object[]} facts those of the server, in the order in which they came
   * @param {Object[]} mine those that wait in the outbox
   * @param {(day: string) => Object[]} rulesOn the tables that hold where the person lives
   * @param {string} account who writes here
   */
  constructor(person, facts, mine, rulesOn, account) {
    Object.assign(this, { person, rulesOn, account });
    this.events = facts.map((fact) => eventOf(fact, account));
    this.chart = Chart.of(this.events);
    const known = new Set(facts.map((fact) => fact.id));
    mine.filter((fact) => !known.has(fact.id)).forEach((fact) => this.add(fact));
  }

  rules(programme, on) {
    return this.rulesOn(on).find((rules) => rules.programme === programme);
  }

  /** Takes in a fact that this phone wrote, with what follows of it. */
  add(fact) {
    const event = eventOf(fact, this.account);
    if (event.kind === KINDS.visited) {
      const before = this.chart.visit(event.body.visit);
      const found = keepWhatEnded(this.judge(event.body), before ? before.body.found : []);
      event.body = { windows: [], ...event.body, found };
      this.push(event);
      this.workOutAgain(before && before.body.on < event.body.on ? before.body.on : event.body.on);
    } else {
      const undone = event.kind === KINDS.undone && this.events.find((one) => one.id === event.body.fact);
      this.push(event);
      if (undone && undone.body.on) this.workOutAgain(undone.body.on);
    }
  }

  push(event) {
    this.events.push(event);
    this.chart = Chart.of(this.events);
  }

  /** What a visit comes to, by programme. */
  judge({ on, way, answers, windows = [], programmes = [] }) {
    const found = [];
    for (const programme of programmes) {
      const [rules, managed] = [this.rules(programme, on), this.chart.openIn(programme)];
      if (!rules || !managed) continue;
      found.push(foundOf(rules, managed, this.chart, this.person, { on, way, answers: readAnswers([rules], answers), windows }));
    }
    return found;
  }

  /** Works every visit after `from` out again: those before it may be others now. */
  workOutAgain(from) {
    for (const { body } of this.chart.visits.filter((visit) => visit.body.on > from)) {
      const there = this.chart.visit(body.visit).body;
      const programmes = there.found.map((found) => found.programme);
      const found = keepWhatEnded(this.judge({ ...there, programmes }), there.found);
      found.sort((one, other) => programmes.indexOf(one.programme) - programmes.indexOf(other.programme));
      if (JSON.stringify(found) !== JSON.stringify(there.found)) {
        this.push({ kind: KINDS.classified, by: "program", body: { visit: body.visit, on: there.on, found } });
      }
    }
  }

  /** The tables of the programmes in which the person is managed. */
  managed(on) {
    return this.rulesOn(on).filter((rules) => this.chart.openIn(rules.programme));
  }

  /** Of these, what a visit asks: a check is asked when somebody does it, or when there is nothing else. */
  asked(on, check) {
    const managed = this.managed(on);
    const asked = managed.filter(isAlwaysAsked);
    return check || !asked.length ? managed : asked;
  }

  patient(rules, on) {
    const managed = this.chart.openIn(rules.programme);
    const before = managed && this.chart.foundUnder(managed, on).find(({ found }) => found.state);
    return { age: ageOn(this.person.birth, on), sex: this.person.sex || null, last: before ? before.found.state : null };
  }

  /** What must be answered and is not. A danger that is seen is written down at once, whatever else is not asked yet. */
  missing(programmes, answers, on) {
    if (programmes.some((rules) => isDanger(rules, answers, this.patient(rules, on)))) return [];
    return [...new Set(programmes.flatMap((rules) => unanswered(rules, answers)))];
  }

  /** Why nothing can have happened to this person on `on`, if so. */
  dayFault(on, today) {
    if (on > today) return { why: "refused_future" };
    if (this.person.birth && on < this.person.birth) return { why: "refused_before_birth", day: this.person.birth };
    if (this.person.died_on && on > this.person.died_on) return { why: "refused_after_death", day: this.person.died_on };
    return null;
  }

  /** Why a visit cannot be written down so, if it cannot. */
  visitFault(body, today) {
    const fault = this.dayFault(body.on, today);
    if (fault) return fault;
    const twin = this.chart.visits.find((visit) => visit.body.visit !== body.visit && visit.body.on === body.on);
    if (twin) return { why: "refused_twice", day: body.on, visit: twin.body.visit };
    const found = this.judge(body);
    if (!found.length && !this.chart.visit(body.visit)) return { why: "refused_nothing" };
    if (!body.agreed_on) return null;
    if (body.agreed_on <= body.on) return { why: "refused_agreed_before" };
    const latest = latestNext(found);
    return latest && body.agreed_on > latest ? { why: "refused_agreed_late", day: latest } : null;
  }

  missedFault({ on, outcome, again_on: again }, today) {
    const fault = this.dayFault(on, today);
    if (fault) return fault;
    if (outcome === "put_off" && !again) return { why: "refused_again" };
    if (again && again <= on) return { why: "refused_agreed_before" };
    const isThere = this.chart.missed.some((one) => one.body.on === on && one.body.outcome === outcome);
    if (isThere) return { why: "refused_missed_twice" };
    return this.chart.open().length ? null : { why: "refused_nothing" };
  }

  /** Whether a fact can be taken back: one's own, of today by this clock or the server's, and nothing was built on it since. */
  mayUndo(id, today) {
    const days = [today, dayAt(Date.now())];
    const event = this.events.find((one) => one.id === id && one.by === "own" && days.includes(one.recorded_on));
    if (!event || this.events.some((one) => one.kind === KINDS.undone && one.body.fact === id)) return false;
    if (event.kind === KINDS.visited) return this.chart.visits.some((visit) => visit.fact === id);
    return event.kind === KINDS.missed && (event.body.outcome !== "died" || !this.chart.open().length);
  }

  /** How each programme stands: what lists show. */
  standings() {
    return this.chart.open().map((managed) => this.chart.standing(managed));
  }
}

/** By when the next visit is due after what a visit came to. A programme whose questions are not all answered bounds nothing. */
export const latestNext = (found) => {
  const due = found.filter((one) => one.state).flatMap((one) => one.due).filter((one) => one.why !== "window");
  return due.map((one) => one.until).sort()[0] || null;
};

/** In a programme that has ended since, a visit comes to what it came to before. */
const keepWhatEnded = (found, before) => [
  ...found,
  ...before.filter((one) => found.every((other) => other.programme !== one.programme)),
];
