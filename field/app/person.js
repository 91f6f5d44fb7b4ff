// A person: what they are managed for, the course of what is measured, and what happened, newest first. And one visit of theirs.

import { KINDS } from "./chart.js";
import { ageOn, dayAt } from "./days.js";
import { button, draw, h, linkButton, tag } from "./element.js";
import { labelTags } from "./household.js";
import { decides, sheetOf, targetOf, thousandths, unitOf } from "./rules.js";
import { answerText, dueSentence, factLine, outcomeOf, programmeName, stateName, toneOf } from "./sentences.js";
import { householdName } from "./today.js";
import { dangerSteps } from "./visit.js";
import { day, of, say } from "./words.js";

/** Visits on a curve, and lines of the timeline shown at once. */
const MOST_POINTS = 12;
const MOST_LINES = 30;
const [WIDTH, HEIGHT, EDGE] = [320, 72, 6];

/** The course of one number, with the band in which it is at target. */
const curve = (item, points, band) => {
  const values = points.map((point) => point.value);
  const marks = [band.from, band.below].filter((mark) => mark !== null);
  const [low, high] = [Math.min(...values, ...marks), Math.max(...values, ...marks)];
  const y = (value) => HEIGHT - EDGE - ((value - low) * (HEIGHT - 2 * EDGE)) / (high - low || 1);
  const x = (at) => EDGE + (at * (WIDTH - 2 * EDGE)) / (points.length - 1);
  const last = points[points.length - 1];
  const name = say("curve", { name: of(item.name), count: points.length, from: points[0].text, to: last.text, unit: unitOf(item) });
  const top = band.below === null ? EDGE : y(band.below);
  const bottom = band.from === null ? HEIGHT - EDGE : y(band.from);
  return h("figure.curve", {},
    draw("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": name },
      marks.length ? draw("rect", { class: "band", x: 0, y: Math.max(top, 0), width: WIDTH, height: Math.max(bottom - top, 1) }) : "",
      draw("polyline", { class: "line", points: points.map((point, at) => `${x(at)},${y(point.value)}`).join(" ") }),
      points.map((point, at) => draw("circle", { class: "dot", cx: x(at), cy: y(point.value), r: 3 }))),
    h("figcaption", {}, name, band.below === null ? "" : ` ${say("target", { below: band.below / 1_000, unit: unitOf(item) })}`));
};

/** Of each number that decides in a programme, its course over the last visits. */
const curves = (known, programmes, today) => {
  const drawn = new Set();
  return programmes.flatMap((rules) => {
    const patient = { age: ageOn(known.person.birth, today), sex: known.person.sex || null, last: null };
    return rules.asks.map(({ item }) => {
      if (!item.kind.number || drawn.has(item.id) || !decides(rules, item.id)) return null;
      const band = targetOf(rules, item.id, patient);
      const seen = known.writing.chart.visits.filter((visit) => visit.body.answers && visit.body.answers[item.id]);
      const points = seen.slice(-MOST_POINTS).map((visit) => ({ text: visit.body.answers[item.id][0], value: thousandths(visit.body.answers[item.id][0]) }));
      if (points.length < 2 || points.some((point) => point.value === null)) return null;
      drawn.add(item.id);
      return curve(item, points, band);
    });
  });
};

const managedList = (known, all, today) =>
  h("ul.plain", {}, known.writing.standings().map((row) => h("li", {},
    h("strong", {}, programmeName(all, row.programme)), " ",
    row.state ? tag(toneOf(row.grade, row.atTarget), stateName(all, row.programme, row.state)) : "", " ",
    row.lastOn ? say("last_on", { day: row.lastOn, figures: row.figures }) : say("never_seen"),
    row.due.map((due) => h("p.reason", {}, dueSentence(all, row.programme, due, today))))));

const medicines = (known) => {
  const visits = known.writing.chart.visits.filter((visit) => visit.body.answers && visit.body.answers.medicines);
  const last = visits[visits.length - 1];
  return last ? [h("h2", {}, say("medicines")), h("p.pre", {}, last.body.answers.medicines.join("\n")), h("p.hint", {}, day(last.body.on))] : [];
};

const timeline = (phone, known, all) => {
  const { writing, person } = known;
  const undone = new Set(writing.events.filter((event) => event.kind === KINDS.undone).map((event) => event.body.fact));
  const shown = writing.events.filter((event) => event.kind !== KINDS.classified && event.kind !== KINDS.undone);
  const dated = shown.map((event) => ({ event, on: event.on || event.body.on || dayAt(event.at || 0) }));
  dated.sort((one, other) => (one.on === other.on ? 0 : one.on < other.on ? 1 : -1));
  const line = ({ event, on }) => {
    const isUndone = undone.has(event.id);
    const visit = event.kind === KINDS.visited && writing.chart.visits.find((one) => one.fact === event.id);
    const text = factLine(all, event.kind, visit ? visit.body : event.body);
    const waits = phone.outbox.some((entry) => entry.id === event.id && entry.state === "waiting");
    const words = visit && !isUndone ? h("a", { href: `#/person/${person.id}/visit/${visit.body.visit}` }, text) : isUndone ? h("s", {}, text) : text;
    return h("li", {}, h("time", { datetime: on }, on), " ", words, waits ? [" ", tag("plain", say("state_waiting"))] : "", isUndone ? ` ${say("taken_back")}` : "");
  };
  const list = h("ol.timeline", {}, dated.slice(0, MOST_LINES).map(line));
  const more = dated.length > MOST_LINES ? button(say("show_more", { count: dated.length - MOST_LINES }), () => (list.append(...dated.slice(MOST_LINES).map(line)), more.remove()), { class: "button second wide" }) : null;
  return [h("h2", {}, say("timeline")), list, more];
};

const head = (phone, person) => {
  const today = phone.today();
  const age = ageOn(person.birth, today);
  return [person.sex ? say(`sex_${person.sex}`) : "", age === null ? "" : say("age", { count: age }), person.last_four ? say("tail", { digits: person.last_four }) : ""].filter(Boolean).join(" · ");
};

export const personScreen = async (phone, id) => {
  const known = await phone.known(id);
  if (!known) return { title: say("person"), back: "#/today", body: [h("p.empty", {}, say("not_here"))] };
  const { person, household, writing } = known;
  const today = phone.today();
  const all = phone.rulesOn(person, today);
  const programmes = writing.managed(today);
  return {
    title: person.name,
    lead: head(phone, person),
    back: "#/today",
    body: [
      h("p", {}, h("a", { href: `#/household/${household.id}` }, householdName(phone, household)), person.phone ? [" · ", h("a.call", { href: `tel:${person.phone}` }, say("call", { number: person.phone }))] : ""),
      h("p.tags", {}, labelTags(phone, person)),
      person.died_on ? h("p", {}, say("died", { day: day(person.died_on) })) : null,
      programmes.length ? linkButton(`#/visit/${id}`, say("visit"), { class: "button wide" }) : null,
      h("h2", {}, say("managed")),
      programmes.length ? managedList(known, all, today) : h("p.empty", {}, say("nothing_managed")),
      curves(known, programmes, today),
      medicines(known),
      timeline(phone, known, all),
    ],
  };
};

/** One visit: what it came to, what follows, what was answered; to be put right or taken back. */
export const visitedScreen = async (phone, id, which, undo) => {
  const known = await phone.known(id);
  const visit = known && known.writing.chart.visit(which);
  if (!visit) return { title: say("visit"), back: `#/person/${id}`, body: [h("p.empty", {}, say("not_here"))] };
  const { body, fact } = visit;
  const today = phone.today();
  const all = phone.rulesOn(known.person, body.on);
  const outcomes = body.found.map((found) => {
    const rules = all.find((one) => one.programme === found.programme);
    const patient = rules ? known.writing.patient(rules, body.on) : { age: null, sex: null, last: null };
    return outcomeOf(all, body, found, patient, today);
  });
  const rules = body.found.map((found) => all.find((one) => one.programme === found.programme)).filter(Boolean);
  const answers = sheetOf(rules).filter(({ item }) => body.answers && body.answers[item.id]);
  return {
    title: say("visited_of", { name: known.person.name, day: day(body.on) }),
    lead: say(`way_${body.way}`) + (body.by ? ` · ${say("by", { by: body.by })}` : ""),
    back: `#/person/${id}`,
    body: [
      outcomes.filter((one) => one.grade === "danger").map(dangerSteps),
      body.reason ? h("p.hint", {}, say("put_right", { reason: body.reason })) : null,
      outcomes.map((one) => h("section", {},
        h("h2", {}, one.name, " ", tag(toneOf(one.grade, one.grade === "steady"), one.state)),
        one.running ? h("p", {}, h("strong", {}, one.running)) : null,
        one.grade === "danger" ? null : [one.because.map((text) => h("p", {}, text)), h("p", {}, one.advice)],
        h("ul", {}, one.due.map((text) => h("li", {}, text))))),
      body.agreed_on ? h("p", {}, h("strong", {}, say("agreed", { day: day(body.agreed_on) }))) : null,
      visit.cut ? h("p.hint", {}, say("told_cut")) : null,
      h("div.buttons", {},
        visit.cut ? null : linkButton(`#/visit/${id}/correct/${which}`, say("correct"), { class: "button second" }),
        known.writing.mayUndo(fact, today) ? button(say("undo_visit"), () => undo(id, fact), { class: "button second" }) : null,
        linkButton("#/today", say("next_person"))),
      h("h2", {}, say("answers")),
      h("dl.pairs", {}, answers.map(({ item }) => [h("dt", {}, of(item.name)), h("dd", {}, answerText(item, body.answers[item.id]))]), body.note ? [h("dt", {}, say("note")), h("dd", {}, body.note)] : null),
    ],
  };
};
