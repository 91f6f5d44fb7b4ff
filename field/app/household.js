// A household: who lives there, under which labels, and what is due for all of them.

import { ageOn } from "./days.js";
import { h, linkButton, tag } from "./element.js";
import { standsOf } from "./phone.js";
import { householdName, personRow } from "./today.js";
import { of, say } from "./words.js";

/** The labels that hold today, by their names. */
export const labelTags = (phone, person) => {
  const today = phone.today();
  const held = (person.labels || []).filter(({ from, to }) => (!from || from <= today) && (!to || today <= to));
  return held.map(({ label }) => tag("plain", phone.book.labels[label] ? of(phone.book.labels[label]) : label));
};

export const householdScreen = async (phone, id) => {
  const household = phone.households.get(id);
  const people = [...phone.people.values()].filter((person) => person.household === id);
  if (!household || !people.length) return { title: say("household"), back: "#/today", body: [h("p.empty", {}, say("not_here"))] };
  people.sort((one, other) => Number(other.id === household.head) - Number(one.id === household.head) || (one.birth || "").localeCompare(other.birth || ""));
  const managed = people.filter((person) => standsOf(person).length && !person.died_on);
  const others = people.filter((person) => !managed.includes(person));
  const line = (person) => {
    const age = ageOn(person.birth, phone.today());
    const parts = [person.relation ? say(`relation_${person.relation}`) : "", age === null ? "" : say("age", { count: age }), person.died_on ? say("died", { day: person.died_on }) : ""];
    return h("li.person", {}, h("div.person-text", {},
      h("p.person-name", {}, h("a", { href: `#/person/${person.id}` }, person.name), ` ${parts.filter(Boolean).join(" · ")}`),
      h("p.tags", {}, labelTags(phone, person))));
  };
  const labels = new Map(people.flatMap((person) => labelTags(phone, person)).map((node) => [node.textContent, node]));
  return {
    title: householdName(phone, { ...household, address: "" }),
    lead: [household.number ? say("number", { number: household.number }) : "", household.address || ""].filter(Boolean).join(" · "),
    back: "#/today",
    body: [
      labels.size ? h("p.tags", {}, [...labels.values()]) : null,
      h("h2", {}, say("to_do")),
      managed.length ? h("ul.people.card", {}, managed.map((person) => personRow(phone, person, standsOf(person)))) : h("p.empty", {}, say("nothing_managed_here")),
      others.length ? h("h2", {}, say("members")) : null,
      others.length ? h("ul.people.card", {}, others.map(line)) : null,
      managed.length > 1 ? linkButton(`#/visit/${managed[0].id}`, say("visit_all"), { class: "button wide" }) : null,
    ],
  };
};
