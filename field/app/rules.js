// Interprets the tables of follow-up: what is asked, what an answer may be, what a visit comes to, what follows and by when.
// The server interprets the same tables (`kangmai_policy::follow_up`, `programmes/follow_up/src/rules.rs`); its test vectors are
// run against this file. No limit, deadline or question stands here: all are in the tables. Numbers are whole thousandths.

import { ageOn, plusDays, plusMonths } from "./days.js";

/**
 * @typedef {{number: number} | {chosen: string[]} | {words: string}} Answer a number in thousandths, options, or words
 * @typedef {Object<string, Answer>} Answers by item
 * @typedef {{age: ?number, sex: ?string, last: ?string}} Patient
 */

const MOST_DECIMALS = 3;
const LARGEST = 1_000_000_000;

/** `6.5` in thousandths; null where that is no number of at most three decimals within a million either way. */
export const thousandths = (text) => {
  const read = /^(-?)(\d+)(?:\.(\d{1,3}))?$/.exec(text);
  if (!read) return null;
  const [, sign, whole, decimals = ""] = read;
  // Longer than any number within a million, and more than a float holds exactly.
  if (whole.replace(/^0+/, "").length > 10) return null;
  const value = Number(whole) * 1_000 + Number(decimals.padEnd(MOST_DECIMALS, "0"));
  if (value > LARGEST) return null;
  return sign && value ? -value : value;
};

/** Thousandths as people write them. */
export const written = (value) => {
  const own = Math.abs(value);
  const decimals = String(own % 1_000).padStart(MOST_DECIMALS, "0").replace(/0+$/, "");
  return `${value < 0 ? "-" : ""}${Math.floor(own / 1_000)}${decimals && `.${decimals}`}`;
};

const fits = (value, decimals) => value % [1_000, 100, 10][decimals] === 0 || decimals > 2;

export const kindOf = (item) => (typeof item.kind === "string" ? item.kind : Object.keys(item.kind)[0]);
export const optionsOf = (item) => item.kind.one || item.kind.several || [];
export const unitOf = (item) => (item.kind.number ? item.kind.number.unit : "");

/**
 * Reads what was written or chosen for an item.
 * @returns {{answer: Answer} | {fault: "not_a_number" | "out_of_range" | "not_an_option" | "contradicts"}}
 */
export const answerOf = (item, texts) => {
  const kind = kindOf(item);
  if (kind === "number") return numberAnswer(item.kind.number, texts);
  if (kind === "words") return { answer: { words: texts.join("\n") } };
  if (kind === "one" && texts.length !== 1) return { fault: "contradicts" };
  const options = optionsOf(item);
  const known = texts.every((text) => options.some((option) => option.id === text));
  if (!texts.length || !known) return { fault: "not_an_option" };
  // The first option of several means none of the others.
  if (kind === "several" && texts.length > 1 && texts.includes(options[0].id)) return { fault: "contradicts" };
  return { answer: { chosen: [...texts] } };
};

const numberAnswer = ({ decimals, least, most }, texts) => {
  if (texts.length !== 1) return { fault: "contradicts" };
  const number = thousandths(texts[0].trim());
  if (number === null || !fits(number, decimals)) return { fault: "not_a_number" };
  if (number < thousandths(least) || number > thousandths(most)) return { fault: "out_of_range" };
  return { answer: { number } };
};

/** A number of another unit in the item's own, rounded to a tenth. */
const inOwn = (other, number) => {
  const per = thousandths(other.per_one);
  return Math.trunc((number * 10 + Math.floor(per / 2)) / per) * 100;
};

/**
 * What is doubtful about a number; `other` answers what another item says, if it is answered.
 * @returns {null | {why: "unusual"} | {why: "not_below", item: string} | {why: "other_unit", own: number}}
 */
export const doubtOf = (item, number, other) => {
  if (!item.kind.number) return null;
  const limit = (text) => (text === undefined || text === null ? null : thousandths(text));
  const above = item.below ? other(item.below) : null;
  if (above !== null && above !== undefined && number >= above) return { why: "not_below", item: item.below };
  const [least, most] = [thousandths(item.kind.number.least), thousandths(item.kind.number.most)];
  const [usualLeast, usualMost] = [limit(item.usual_least), limit(item.usual_most)];
  const unusual =
    (usualLeast !== null && number < usualLeast) || (usualMost !== null && number > usualMost) || number < least || number > most;
  if (!unusual) return null;
  const own = item.other_unit ? inOwn(item.other_unit, number) : null;
  const isOwn = own !== null && own >= least && (usualMost === null || own <= usualMost) && own < number;
  return isOwn ? { why: "other_unit", own } : { why: "unusual" };
};

const TESTS = {
  at_least: (value, limit) => value >= limit,
  above: (value, limit) => value > limit,
  at_most: (value, limit) => value <= limit,
  below: (value, limit) => value < limit,
};

/** The kind of a condition and what it says. */
const partOf = (condition) => (typeof condition === "string" ? [condition, null] : Object.entries(condition)[0]);

/**
 * Whether a condition holds; null: what it asks is not known. The items that are not answered go to `missing`.
 * @param {Answers} answers @param {Patient} patient @param {string[]} missing
 * @returns {?boolean}
 */
export const holds = (condition, answers, patient, missing) => {
  const [kind, says] = partOf(condition);
  switch (kind) {
    case "number": {
      const answer = answers[says.item];
      return answer && "number" in answer ? TESTS[says.test](answer.number, thousandths(says.limit)) : lacks(says.item, missing);
    }
    case "any_of": {
      const answer = answers[says.item];
      return answer && answer.chosen ? answer.chosen.some((one) => says.options.includes(one)) : lacks(says.item, missing);
    }
    case "answered": return says in answers;
    case "age_at_least": return patient.age === null ? null : patient.age >= says;
    case "age_below": return patient.age === null ? null : patient.age < says;
    case "sex": return patient.sex ? patient.sex === says : null;
    case "last": return Boolean(patient.last) && says.includes(patient.last);
    case "all": return fold(says, false, answers, patient, missing);
    case "any": return fold(says, true, answers, patient, missing);
    case "not": {
      const inner = holds(says, answers, patient, missing);
      return inner === null ? null : !inner;
    }
    case "otherwise": return true;
    // A kind of a later release: not known is the one answer that is never wrong.
    default: return null;
  }
};

const lacks = (item, missing) => {
  if (!missing.includes(item)) missing.push(item);
  return null;
};

/** `decisive` as soon as one part says so, its contrary if all parts do, else unknown: then all that is missing is named. */
const fold = (parts, decisive, answers, patient, missing) => {
  let allKnown = true;
  const lacking = [];
  for (const part of parts) {
    const answer = holds(part, answers, patient, lacking);
    if (answer === decisive) return decisive;
    if (answer === null) allKnown = false;
  }
  if (allKnown) return !decisive;
  lacking.forEach((item) => lacks(item, missing));
  return null;
};

/**
 * What a visit comes to: the first row whose condition holds. A row of which it cannot be told yet keeps every later row from being
 * taken: the rows go from the gravest down.
 * @returns {{state: Object} | {missing: string[]} | {open: true}}
 */
export const classify = (rules, answers, patient) => {
  let isOpen = false;
  const missing = [];
  for (const state of rules.states) {
    const answer = holds(state.when, answers, patient, missing);
    if (answer === true && !isOpen) return { state };
    if (answer === true) break;
    if (answer === null) isOpen = true;
  }
  return isOpen && missing.length ? { missing } : { open: true };
};

/** The required items that are not answered, in the order in which they are asked. */
export const unanswered = (rules, answers) =>
  rules.asks.filter((ask) => ask.required && !(ask.item.id in answers)).map((ask) => ask.item.id);

/** One sheet for several programmes: each thing asked once, required if any of them requires it. */
export const sheetOf = (programmes) => {
  const sheet = [];
  for (const ask of programmes.flatMap((rules) => rules.asks)) {
    const known = sheet.find((one) => one.item.id === ask.item.id);
    if (known) known.required ||= ask.required;
    else sheet.push({ ...ask });
  }
  return sheet;
};

/** The answers as the items read them; one that its item refuses is not there. */
export const readAnswers = (programmes, texts) => {
  const answers = {};
  for (const { item } of programmes.flatMap((rules) => rules.asks)) {
    const read = texts[item.id] ? answerOf(item, texts[item.id]) : {};
    if (read.answer) answers[item.id] = read.answer;
  }
  return answers;
};

/** The day that lies a span after `day`. Of hours, every beginning day counts as one. */
export const spanAfter = ({ count, unit }, day) => {
  switch (unit) {
    case "hours": return plusDays(day, Math.floor((count + 23) / 24));
    case "days": return plusDays(day, count);
    case "weeks": return plusDays(day, count * 7);
    case "months": return plusMonths(day, count);
    default: return plusMonths(day, count * 12);
  }
};

/** Whether a visit is classified: a table without rows asks for a check and no more. */
export const classifies = (rules) => rules.states.length > 0;

const OF_A_LIFE = ["birth", "birth_discharge", "pregnancy", "delivery", "delivery_discharge"];
const isOfALife = (window) => OF_A_LIFE.includes(window.anchor);

/** Whether every visit asks the table; any other is a check that somebody does once a year. */
export const isAlwaysAsked = (rules) => classifies(rules) || rules.windows.some(isOfALife);

export const GRADES = ["steady", "adjust", "refer", "danger"];
const GRADE_OF = { continue: "steady", adjust: "adjust", refer: "refer", report: "refer", refer_now: "danger" };
const WHYS = ["first", "visit", "referral", "window"];

export const sortDue = (due) =>
  due.sort((one, other) => (one.until === other.until ? WHYS.indexOf(one.why) - WHYS.indexOf(other.why) : one.until < other.until ? -1 : 1));

const dueOf = (window, anchor) => {
  const until = spanAfter(window.until, anchor);
  const last = window.anchor === "year" ? plusDays(until, -1) : until;
  return { why: "window", window: window.id, from: spanAfter(window.from, anchor), until: last };
};

/** When a window is due for somebody enrolled so, who had the visit of this window on the days `done`; null when it is done. */
const windowDue = (window, enrolled, done) => {
  const last = done.length ? done.reduce((one, other) => (one > other ? one : other)) : null;
  let anchor = enrolled.on;
  if (window.anchor === "year") anchor = `${last ? String(Number(last.slice(0, 4)) + 1).padStart(4, "0") : enrolled.on.slice(0, 4)}-01-01`;
  else if (window.anchor === "notice" || window.anchor === "joined") {
    if (last) return null;
    if (window.anchor === "notice") anchor = enrolled.noticed_on || enrolled.on;
  } else if (window.anchor === "last_of_kind") anchor = last || enrolled.on;
  return dueOf(window, anchor);
};

/** The visits that count from a birth or a pregnancy as they stand on `on`, each to be made once, by the day on which they open. */
const rowOn = (rules, { body, happened }, who, on) => {
  const happenedOn = (what) => (happened.find((one) => one.what === what) || { on: "9" }).on;
  const [delivery, discharge] = [happenedOn("delivery") < on && happenedOn("delivery"), happenedOn("discharge") <= on && happenedOn("discharge")];
  const anchors = {
    birth: who.birth,
    birth_discharge: discharge || who.birth,
    pregnancy: delivery ? null : body.began_on,
    delivery,
    delivery_discharge: delivery && (discharge || delivery),
  };
  const row = rules.windows.filter((window) => anchors[window.anchor]).map((window) => dueOf(window, anchors[window.anchor]));
  return row.sort((one, other) => (one.from < other.from ? -1 : one.from > other.from ? 1 : 0));
};

/** Calls `visit` with every condition in a condition. */
const walk = (condition, visit) => {
  const [kind, says] = partOf(condition);
  visit(kind, says);
  if (kind === "all" || kind === "any") says.forEach((part) => walk(part, visit));
  if (kind === "not") walk(says, visit);
};

/** The states that the table asks the visit before for: two of them running are "twice running". */
const countedStates = (rules) => {
  const found = [];
  rules.states.forEach((state) => walk(state.when, (kind, says) => kind === "last" && found.push(...says)));
  return found;
};

const asksFor = (condition, item) => {
  let found = false;
  walk(condition, (kind, says) => (found ||= kind === "number" && says.item === item));
  return found;
};

/** The numbers that rows of the table ask, in the order of the sheet: `168/98 9.1`. */
const figuresOf = (rules, answers) => {
  let [text, upper] = ["", null];
  for (const { item } of rules.asks) {
    const answer = answers[item.id];
    if (!answer || !("number" in answer) || !decides(rules, item.id)) continue;
    // A pressure is written upper/lower: an item that lies below the one before it belongs to it.
    if (text) text += item.below && item.below === upper ? "/" : " ";
    text += written(answer.number);
    upper = item.id;
  }
  return text;
};

/**
 * What a visit comes to in one programme; `chart` may hold it already, or later ones.
 * @param {{body: Object}} managed the enrolment
 * @param {{birth: ?string, sex: ?string}} who
 * @param {{on: string, way: string, answers: Answers, windows: string[]}} visit
 */
export const foundOf = (rules, managed, chart, who, visit) => {
  const earlier = chart.foundUnder(managed, visit.on);
  const before = earlier.map(({ found }) => found).find((found) => found.state);
  const patient = { age: ageOn(who.birth, visit.on), sex: who.sex || null, last: before ? before.state : null };
  const { state } = classify(rules, visit.answers, patient);
  const counted = countedStates(rules);
  const runsOn = before && counted.includes(before.state) ? before.running : 0;
  const due = [];
  if (state) {
    const isReferred = state.action === "refer" || state.action === "refer_now";
    due.push({ why: isReferred ? "referral" : "visit", until: spanAfter(state.next, visit.on) });
  } else {
    const left = earlier.length ? earlier[0].found.due : managed.body.due;
    due.push(...left.filter((one) => one.why !== "window"));
  }
  for (const window of rules.windows.filter((one) => !isOfALife(one))) {
    const fromOne = window.anchor === "notice" || window.anchor === "joined";
    const isIt = ({ way, windows }) => (fromOne || (windows || []).includes(window.id)) && (!window.ways || window.ways.includes(way));
    const done = [...earlier.map((one) => one.visit.body), visit].filter(isIt).map((one) => one.on);
    const next = windowDue(window, managed.body, done);
    if (next) due.push(next);
  }
  const row = rowOn(rules, managed, who, visit.on);
  const opened = row.filter((one) => one.from <= visit.on).pop();
  const waits = opened && !earlier.some((one) => one.found.window === opened.window);
  const { ways } = (opened && rules.windows.find((one) => one.id === opened.window)) || {};
  const isMade = waits && (!ways || ways.includes(visit.way));
  due.push(...(waits && !isMade ? [opened] : row.filter((one) => one.from > visit.on).slice(0, 1)));
  const found = { programme: rules.programme, grade: state ? GRADE_OF[state.action] || "steady" : "steady" };
  if (state) Object.assign(found, { state: state.id, at_target: state.at_target });
  found.running = state && counted.includes(state.id) ? runsOn + 1 : 0;
  found.figures = figuresOf(rules, visit.answers);
  found.due = sortDue(due);
  if (isMade) found.window = opened.window;
  return found;
};

/**
 * What of the answers makes a row hold, each item once.
 * @returns {{item: string, number?: number, limit?: number, options: string[]}[]}
 */
export const becauseOf = (condition, answers, patient) => {
  const found = [];
  const look = (part) => {
    if (holds(part, answers, patient, []) !== true) return;
    const [kind, says] = partOf(part);
    if (kind === "number" && !found.some((one) => one.item === says.item)) {
      found.push({ item: says.item, number: answers[says.item].number, limit: thousandths(says.limit), options: [] });
    } else if (kind === "any_of") {
      found.push({ item: says.item, options: answers[says.item].chosen.filter((one) => says.options.includes(one)) });
    } else if (kind === "all" || kind === "any") says.forEach(look);
  };
  look(condition);
  return found;
};

/** Whether the table tells a danger from these answers already. */
export const isDanger = (rules, answers, patient) => {
  const { state } = classify(rules, answers, patient);
  return state ? state.action === "refer_now" : false;
};

/** Whether a number of an item decides what a visit comes to. */
export const decides = (rules, item) => rules.states.some((state) => asksFor(state.when, item));

/**
 * Between what an item's numbers need no other treatment for this patient, as far as the rows say it plainly: the band of a curve.
 * @returns {{from: ?number, below: ?number}} in thousandths
 */
export const targetOf = (rules, item, patient) => {
  const band = { from: null, below: null };
  const look = (condition) => {
    const [kind, says] = partOf(condition);
    if (kind === "any") says.forEach(look);
    else if (kind === "all") {
      const ages = says.filter((part) => partOf(part)[0].startsWith("age_"));
      const others = says.filter((part) => !ages.includes(part));
      if (others.length === 1 && ages.every((part) => holds(part, {}, patient, []) === true)) look(others[0]);
    } else if (kind === "number" && says.item === item) {
      const limit = thousandths(says.limit);
      if (says.test === "at_least" || says.test === "above") band.below = band.below === null ? limit : Math.min(band.below, limit);
      else band.from = band.from === null ? limit : Math.max(band.from, limit);
    }
  };
  rules.states.filter((state) => state.action === "adjust").forEach((state) => look(state.when));
  return band;
};

/**
 * The rules of each programme that hold at a place on a day: of the innermost place that has any.
 * @param {{first: string, last: string, rules: Object}[]} book each table with the codes between which it holds
 */
export const rulesAt = (book, place, day) => {
  const found = new Map();
  for (const { first, last, rules } of book) {
    const { period, programme } = rules;
    if (place < first || place > last || period.from > day || (period.to && day > period.to)) continue;
    const width = Number(last) - Number(first);
    if (!found.has(programme) || width < found.get(programme).width) found.set(programme, { width, rules });
  }
  return [...found.values()].map(({ rules }) => rules);
};
