// Runs the test vectors that come with the tables through our interpreter: the same cases, of which the server says what must come out.

import { classify, readAnswers, spanAfter } from "./rules.js";

/** What our interpreter says to a vector, in the words of the server. */
const answersTo = (rules, vector) => {
  const answers = readAnswers([rules], vector.answers);
  const told = classify(rules, answers, { age: vector.age, sex: vector.sex, last: vector.last });
  if (told.missing) return { state: "incomplete", missing: told.missing.join(", ") };
  if (!told.state) return { state: "open" };
  const { id, action, next, at_target } = told.state;
  return { state: id, action, next_on: spanAfter(next, vector.day), at_target: String(at_target) };
};

/**
 * Runs all vectors; those of rules that this phone was not sent are counted apart.
 * @returns {{count: number, failed: string[], without_rules: number}}
 */
export const runVectors = ({ programmes, vectors }) => {
  const outcome = { count: 0, failed: [], without_rules: 0 };
  for (const vector of vectors) {
    const found = programmes.find(({ rules }) => rules.programme === vector.programme && rules.period.from === vector.rules_from);
    if (!found) {
      outcome.without_rules += 1;
      continue;
    }
    const answered = answersTo(found.rules, vector);
    for (const [key, expected] of Object.entries(vector.expect)) {
      if (answered[key] !== expected) outcome.failed.push(`${vector.name} ${vector.day} ${key}: ${expected}, ${answered[key]}`);
    }
    outcome.count += 1;
  }
  return outcome;
};
