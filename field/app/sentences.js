// What the screens say of people and visits: why somebody is on the list, what a visit came to, what follows.

import { KINDS } from "./chart.js";
import { becauseOf, optionsOf, readAnswers, unitOf, written } from "./rules.js";
import { day, daysLeft, joined, of, say } from "./words.js";

const rulesNamed = (all, programme) => all.find((rules) => rules.programme === programme);

export const programmeName = (all, programme) => {
  const rules = rulesNamed(all, programme);
  return rules ? of(rules.short) : programme;
};

export const stateName = (all, programme, state) => {
  const rules = rulesNamed(all, programme);
  const found = rules && rules.states.find((one) => one.id === state);
  return found ? of(found.name) : "";
};

const windowName = (all, programme, id) => {
  const rules = rulesNamed(all, programme);
  const found = rules && rules.windows.find((one) => one.id === id);
  return found ? of(found.name) : "";
};

/** Why somebody is on the list for one programme: `高血压 逾期12天 · 上次 168/98 · 血压控制不满意`. */
export const reason = (all, row, today) => {
  const parts = [programmeName(all, row.programme)];
  if (row.next) {
    const { why, window, until } = row.next;
    const what = why === "window" ? windowName(all, row.programme, window) : why === "visit" ? "" : say(`due_${why}`);
    parts.push(what, daysLeft(until, today));
  }
  const more = [];
  if (row.figures) more.push(say("last_figures", { figures: row.figures }));
  const state = row.grade !== "steady" && row.state ? stateName(all, row.programme, row.state) : "";
  // The mark before the sentence says a danger already, where it is called so.
  if (state && state !== say("mark_danger")) more.push(state);
  if (row.missedWhy) more.push(say("missed_times", { times: row.missed, why: say(`outcome_${row.missedWhy}`) }));
  return [parts.filter(Boolean).join(" "), ...more].join(" · ");
};

/** What is due, by when and why. */
export const dueSentence = (all, programme, due, today) => {
  const what = due.window ? windowName(all, programme, due.window) : say(`due_${due.why}`);
  return say("due", { what, day: day(due.until), left: daysLeft(due.until, today) });
};

/** An answer as it is shown: with its unit, or the names of options. */
export const answerText = (item, texts) => {
  const options = optionsOf(item);
  if (options.length) {
    return joined(texts.map((id) => {
      const option = options.find((one) => one.id === id);
      return option ? of(option.name) : id;
    }));
  }
  return `${texts.join("\n")}${unitOf(item) && ` ${unitOf(item)}`}`;
};

const becauseSentence = (rules, one) => {
  const ask = rules.asks.find(({ item }) => item.id === one.item);
  if (!ask) return "";
  const name = of(ask.item.name);
  if (one.number === undefined) return say("because_option", { name, options: answerText(ask.item, one.options) });
  return say("because_number", { name, number: written(one.number), unit: unitOf(ask.item), limit: written(one.limit) });
};

/**
 * What a visit came to in one programme, in words.
 * @param {Object} patient as the rules ask
 */
export const outcomeOf = (all, body, found, patient, today) => {
  const rules = rulesNamed(all, found.programme);
  const state = rules && rules.states.find((one) => one.id === found.state);
  const because = state && found.grade !== "steady" ? becauseOf(state.when, readAnswers([rules], body.answers), patient) : [];
  const referral = found.due.find((due) => due.why === "referral");
  return {
    programme: found.programme,
    name: programmeName(all, found.programme),
    grade: found.grade,
    state: state ? of(state.name) : found.window ? windowName(all, found.programme, found.window) : say("not_classified"),
    because: because.map((one) => becauseSentence(rules, one)).filter(Boolean),
    running: found.running > 1 ? say("running", { count: found.running }) : "",
    advice: state ? of(state.advice) : "",
    due: found.due.map((due) => dueSentence(all, found.programme, due, today)),
    next: ((found.due.find((due) => due.why !== "window") || found.due[0]) || { until: null }).until,
    referral: referral ? referral.until : null,
  };
};

export const toneOf = (grade, atTarget) => (grade === "danger" ? "danger" : grade === "steady" ? (atTarget ? "good" : "plain") : "warning");

/** What a fact says, as one line of a timeline or of the outbox. */
export const factLine = (all, kind, body) => {
  switch (kind) {
    case KINDS.visited: {
      const found = (body.found || []).map((one) =>
        [programmeName(all, one.programme), one.figures, one.state && stateName(all, one.programme, one.state)].filter(Boolean).join(" "));
      const numbers = found.length ? joined(found) : joined((body.programmes || []).map((one) => programmeName(all, one)));
      return say(body.corrects ? "told_corrected" : "told_visited", { found: numbers || say(`way_${body.way}`) });
    }
    case KINDS.missed: return say("told_missed", { why: say(`outcome_${body.outcome}`) }) + (body.again_on ? say("told_again", { day: body.again_on }) : "");
    case KINDS.enrolled: return say("told_enrolled", { name: programmeName(all, body.programme) });
    case KINDS.closed: return say("told_closed", { name: programmeName(all, body.programme), reason: say(`close_${body.reason}`) });
    case KINDS.undone: return say("told_undone");
    default: return say("told_other");
  }
};
