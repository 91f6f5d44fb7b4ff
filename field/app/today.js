// 今日: who is to be visited, by household, those in danger first, then whose visit has been due longest.

import { ageOn, daysBetween } from "./days.js";
import { h, linkButton, tag } from "./element.js";
import { notices, statusLine } from "./notices.js";
import { standsOf } from "./phone.js";
import { reason } from "./sentences.js";
import { say } from "./words.js";

/** Days before a visit is due from which it is on the list, as on the server's. */
const SOON_DAYS = 7;
/** Households on the screen at first: more come at a touch, so that a cheap phone shows the first at once. */
const AT_ONCE = 12;

const lateness = (row, today) => (row.next ? daysBetween(row.next.until, today) : -10_000);
const isDue = (row, today) => row.grade === "danger" || lateness(row, today) >= -SOON_DAYS;

/**
 * The households with somebody to visit, in order.
 * @returns {{household: Object, people: {person: Object, rows: Object[]}[], danger: boolean, late: number}[]}
 */
export const dueHouseholds = (phone) => {
  const today = phone.today();
  const found = new Map();
  for (const person of phone.people.values()) {
    const rows = person.died_on ? [] : standsOf(person).filter((row) => isDue(row, today));
    if (!rows.length) continue;
    const one = found.get(person.household) || { household: phone.households.get(person.household) || { id: person.household }, people: [], danger: false, late: -10_000 };
    rows.sort((a, b) => lateness(b, today) - lateness(a, today));
    one.people.push({ person, rows });
    one.danger ||= rows.some((row) => row.grade === "danger");
    one.late = Math.max(one.late, ...rows.map((row) => lateness(row, today)));
    found.set(person.household, one);
  }
  const gravest = ({ rows }) => Number(rows.some((row) => row.grade === "danger")) * 100_000 + lateness(rows[0], today);
  for (const { people } of found.values()) people.sort((a, b) => gravest(b) - gravest(a));
  return [...found.values()].sort((a, b) => Number(b.danger) - Number(a.danger) || b.late - a.late);
};

/** Marks and reasons of one person. */
export const personRow = (phone, person, rows, { action = true } = {}) => {
  const today = phone.today();
  const all = phone.rulesOn(person, today);
  const age = ageOn(person.birth, today);
  const marks = [];
  if (rows.some((row) => row.grade === "danger")) marks.push(tag("danger", say("mark_danger")));
  else if (rows.some((row) => lateness(row, today) > 0)) marks.push(tag("warning", say("mark_late")));
  const agreed = rows.map((row) => row.againOn).filter((day) => day && day >= today).sort()[0];
  return h("li.person", {},
    h("div.person-text", {},
      h("p.person-name", {}, marks, h("a", { href: `#/person/${person.id}` }, person.name), " ", age === null ? "" : h("span.whole", {}, say("age", { count: age }))),
      rows.map((row) => h("p.reason", {}, reason(all, row, today))),
      agreed ? h("p.reason", {}, say("agreed", { day: agreed })) : null),
    action ? linkButton(`#/visit/${person.id}`, say("visit"), { "aria-label": say("visit_of", { name: person.name }) }) : null);
};

export const householdName = (phone, household) => {
  const head = household.head && phone.people.get(household.head);
  const name = head ? head.name : household.number || "";
  return say("household_of", { name }) + (household.address ? ` · ${household.address}` : "");
};

const householdCard = (phone, { household, people }) =>
  h("article.card", {},
    h("h2.card-title", {}, h("a", { href: `#/household/${household.id}` }, householdName(phone, household))),
    h("ul.people", {}, people.map(({ person, rows }) => personRow(phone, person, rows))));

export const todayScreen = (phone, sync) => {
  const due = dueHouseholds(phone);
  const today = phone.today();
  const rows = due.flatMap((one) => one.people.flatMap((two) => two.rows));
  const late = rows.filter((row) => lateness(row, today) > 0).length;
  const list = h("div", {}, due.slice(0, AT_ONCE).map((one) => householdCard(phone, one)));
  const more = h("button.button.second.wide", { type: "button" }, say("show_more", { count: due.length - AT_ONCE }));
  more.addEventListener("click", () => {
    list.append(...due.slice(list.childElementCount, list.childElementCount + AT_ONCE).map((one) => householdCard(phone, one)));
    const left = due.length - list.childElementCount;
    more.textContent = say("show_more", { count: left });
    if (left <= 0) more.remove();
  });
  return {
    title: say("today"),
    body: [
      h("p.summary", {}, h("strong", {}, say("today_summary", { households: due.length, items: rows.length, late }))),
      statusLine(phone, sync),
      notices(phone, sync),
      due.length ? list : h("p.empty", {}, phone.people.size ? say("today_none") : say("today_empty")),
      due.length > AT_ONCE ? more : null,
    ],
  };
};
