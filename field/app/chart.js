// A person's chart: what the facts of follow-up come to. The same fold as `programmes/follow_up/src/chart.rs`; a visit that is
// written down late, put right or taken back is nothing special.

import { sortDue } from "./rules.js";

export const KINDS = {
  enrolled: "follow_up.enrolled",
  closed: "follow_up.closed",
  visited: "follow_up.visited",
  classified: "follow_up.classified",
  missed: "follow_up.missed",
  undone: "follow_up.undone",
  happened: "follow_up.happened",
};

/**
 * @typedef {{id: string, kind: string, by: "own" | "other" | "program", recorded_on: string, body: Object}} Event
 * @typedef {{fact: string, by: string, recorded_on: string, corrected: boolean, body: Object, cut: boolean}} Visit
 */

export class Chart {
  constructor() {
    this.managed = [];
    this.visits = [];
    this.missed = [];
  }

  /** Folds facts, in the order in which they came. @param {Event[]} events */
  static of(events) {
    const undone = new Set(events.filter((event) => event.kind === KINDS.undone).map((event) => event.body.fact));
    const chart = new Chart();
    events.filter((event) => !undone.has(event.id)).forEach((event) => chart.take(event));
    const byDay = (one, other) => (one.body.on < other.body.on ? -1 : one.body.on > other.body.on ? 1 : 0);
    chart.visits.sort(byDay);
    chart.missed.sort(byDay);
    return chart;
  }

  take({ id, kind, by, recorded_on, body, cut }) {
    if (kind === KINDS.enrolled) {
      this.managed.push({ body, closed: null, mayReturn: false, happened: [] });
    } else if (kind === KINDS.closed) {
      const ended = this.managed.find((one) => one.body.enrolment === body.enrolment);
      if (ended) Object.assign(ended, { closed: { on: body.on, fact: id }, mayReturn: by === "program" && ended.body.basis !== "hand" });
    } else if (kind === KINDS.happened) {
      const managed = this.managed.find((one) => one.body.enrolment === body.enrolment);
      if (!managed) return;
      if (body.by) managed.happened = [...managed.happened.filter((one) => one.what !== body.what), body];
      else managed.happened = managed.happened.map((one) => (one.what === body.what && one.on === body.on ? { ...one, due: body.due } : one));
    } else if (kind === KINDS.visited) {
      const corrected = this.visits.some((visit) => visit.body.visit === body.visit);
      this.visits = this.visits.filter((visit) => visit.body.visit !== body.visit);
      this.visits.push({ fact: id, by, recorded_on, corrected, cut: Boolean(cut), body: { windows: [], found: [], ...body } });
    } else if (kind === KINDS.classified) {
      const visit = this.visits.find((one) => one.body.visit === body.visit);
      if (visit) visit.body = { ...visit.body, found: body.found };
    } else if (kind === KINDS.missed) {
      if (body.outcome === "died") {
        this.open().forEach((open) => (open.closed = { on: body.on, fact: id }));
      }
      this.missed.push({ fact: id, by, recorded_on, body });
    }
  }

  /** The enrolments that hold. */
  open() {
    return this.managed.filter((one) => !one.closed);
  }

  openIn(programme) {
    return this.open().find((one) => one.body.programme === programme);
  }

  visit(id) {
    return this.visits.find((one) => one.body.visit === id);
  }

  /** What visits before `before`, or all, came to in `programme`, the latest first. */
  foundIn(programme, before) {
    const found = [];
    for (const visit of [...this.visits].reverse()) {
      if (before && visit.body.on >= before) continue;
      const one = visit.body.found.find((other) => other.programme === programme);
      if (one) found.push({ visit, found: one });
    }
    return found;
  }

  /** The same of the visits under one enrolment: those up to the day on which an earlier one was ended by hand belong to that. */
  foundUnder(managed, before) {
    const { programme, enrolment, on } = managed.body;
    let ended = null;
    for (const one of this.managed) {
      const isEarlier = one.body.programme === programme && one.body.enrolment !== enrolment && !one.mayReturn;
      if (isEarlier && one.closed && one.closed.on < on && (!ended || one.closed.on > ended)) ended = one.closed.on;
    }
    return this.foundIn(programme, before).filter(({ visit }) => !ended || visit.body.on > ended);
  }

  /** How an enrolment stands: what lists show. */
  standing(managed) {
    const [last] = this.foundUnder(managed, null);
    const lastOn = last ? last.visit.body.on : null;
    const isLater = ({ what, on }) => !lastOn || on > lastOn || (what === "delivery" && on === lastOn);
    const moved = managed.happened.filter(isLater).reduce((one, other) => (one && one.on > other.on ? one : other), null);
    const due = sortDue([...(moved || (last ? last.found : managed.body)).due]);
    const since = this.missed.filter((one) => !lastOn || one.body.on >= lastOn);
    const latest = since[since.length - 1];
    return {
      programme: managed.body.programme,
      lastOn,
      state: (last && last.found.state) || null,
      grade: last ? last.found.grade : "steady",
      atTarget: last && last.found.at_target !== undefined ? last.found.at_target : null,
      figures: (last && last.found.figures) || "",
      due,
      missed: since.length,
      missedWhy: latest ? latest.body.outcome : null,
      againOn: (latest && latest.body.again_on) || (last && last.visit.body.agreed_on) || null,
    };
  }
}
