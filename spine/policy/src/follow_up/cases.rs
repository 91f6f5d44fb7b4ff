//! Cases of a programme: what a visit with these answers must come to, who belongs, when a window is open. The same
//! cases, as JSON, are what a phone's interpreter of the table is held against.

use kangmai_base::{Day, Sex};
use serde::Serialize;

use super::classify::{Answers, Classified, Patient};
use super::schedule::Anchor;
use super::{FollowUpRules, Item};
use crate::Icd10;
use crate::fields::Fields;
use crate::source::Spot;
use crate::words::Word;

/// A case of one programme.
#[derive(Debug, Clone)]
pub(crate) struct FollowUpCase {
    pub(crate) name: String,
    pub(crate) programme: String,
    pub(crate) given: Given,
    expect: Vec<(&'static str, String)>,
    pub(crate) spot: Spot,
}

/// What a case gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Given {
    pub(crate) day: Day,
    age: Option<u8>,
    sex: Option<Sex>,
    last: Option<String>,
    diagnoses: Vec<Icd10>,
    since: Vec<Anchor>,
    window: Option<String>,
    anchor: Option<Day>,
    answers: Vec<(String, Vec<String>)>,
}

/// Everything that a programme answers.
const ANSWERS: &[&str] = &[
    "in_force",
    "belongs",
    "sensitive",
    "visits_per_year",
    "required",
    "optional",
    "windows",
    "state",
    "action",
    "next",
    "next_on",
    "at_target",
    "missing",
    "opens",
    "due",
    "due_after",
    "asks",
    "ways",
    "report_after",
];

impl Given {
    fn read(fields: &Fields<'_>, day: Day, own: &Fields<'_>) -> Given {
        let age = fields.age_maybe("age");
        let sex = fields.sex(fields.text_maybe("sex"));
        let codes = fields.texts_maybe("diagnosis").unwrap_or_default();
        let since = fields.texts_maybe("since").unwrap_or_default();
        let mut answers = Vec::new();
        for table in [fields.table_maybe("answers"), own.table_maybe("more")].into_iter().flatten() {
            for (item, values) in table.entries() {
                answers.retain(|(known, _)| *known != item);
                if !values.is_empty() {
                    answers.push((item, values));
                }
            }
        }
        Given {
            day,
            age,
            sex,
            last: fields.text_maybe("last").map(|last| last.value.to_owned()),
            diagnoses: fields.parse_all(codes, Word::ErrNotACode, Word::MendCode),
            since: since.iter().filter_map(|name| Anchor::from_name(name.value)).collect(),
            window: fields.text_maybe("window").map(|window| window.value.to_owned()),
            anchor: fields.day_maybe("anchor").map(|anchor| anchor.value),
            answers,
        }
    }

    /// The answers as the items read them; an answer that its item refuses is not there.
    fn answered(&self, rules: &FollowUpRules) -> Answers {
        let mut answers = Answers::new();
        for (id, written) in &self.answers {
            let written: Vec<&str> = written.iter().map(String::as_str).collect();
            let item: Option<&Item> = rules.asks.iter().map(|ask| &*ask.item).find(|item| item.id == *id);
            if let Some(Ok(answer)) = item.map(|item| item.answer(&written)) {
                answers.insert(id.clone(), answer);
            }
        }
        answers
    }
}

impl FollowUpCase {
    /// The cases of one `[[case]]`: one for each date and each of its points. A point's `more` adds answers to those of
    /// `given`, or takes them away with an empty list.
    pub(crate) fn read(fields: &Fields<'_>, programme: &str) -> Vec<FollowUpCase> {
        let name = fields.text("name").map_or("", |name| name.value);
        let days = fields.days("date");
        let points = fields.tables("points");
        let given = fields.table_maybe("given");
        let mut cases = Vec::new();
        let single = points.is_empty().then(|| fields.table_maybe("expect")).flatten();
        for point in points.iter().chain(&single) {
            let table = given.as_ref().unwrap_or(point).overlaid(point);
            let both = point.of(&table);
            let wanted = ANSWERS.iter().filter_map(|key| both.said(key).map(|value| (*key, value)));
            let expect: Vec<(&str, String)> = wanted.collect();
            if expect.is_empty() {
                let error = point.spot().error(Word::ErrEmptyList, Word::MendList);
                point.push(error.with("key", "expect").with("list", ANSWERS.join(", ")));
            }
            for day in &days {
                let given = Given::read(&both, *day, &both);
                let (name, programme) = (name.to_owned(), programme.to_owned());
                cases.push(FollowUpCase {
                    name,
                    programme,
                    given,
                    expect: expect.clone(),
                    spot: point.spot(),
                });
            }
            both.finish();
        }
        fields.finish();
        cases
    }

    /// What comes out otherwise than expected under `rules`.
    pub(crate) fn run(&self, rules: Option<&FollowUpRules>) -> Vec<String> {
        let found = answers(rules, &self.given);
        let differs = self.expect.iter().filter_map(|(key, wanted)| {
            let answer = found.iter().find(|(name, _)| name == key).map_or("", |(_, answer)| answer);
            (answer != wanted).then(|| format!("{key}: expected {wanted}, found {answer}"))
        });
        differs.collect()
    }

    /// The case as a phone's interpreter is asked it.
    pub(crate) fn vector(&self, rules: &FollowUpRules) -> Vector {
        let given = &self.given;
        Vector {
            name: self.name.clone(),
            programme: self.programme.clone(),
            rules_from: rules.period.from.to_string(),
            day: given.day.to_string(),
            age: given.age,
            sex: given.sex,
            last: given.last.clone(),
            answers: given.answers.clone().into_iter().collect(),
            expect: answers(Some(rules), given)
                .into_iter()
                .filter(|(key, _)| matches!(*key, "state" | "action" | "next_on" | "at_target" | "missing"))
                .collect(),
        }
    }
}

/// A case in JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Vector {
    name: String,
    programme: String,
    rules_from: String,
    day: String,
    age: Option<u8>,
    sex: Option<Sex>,
    last: Option<String>,
    answers: std::collections::BTreeMap<String, Vec<String>>,
    expect: std::collections::BTreeMap<&'static str, String>,
}

fn answers(rules: Option<&FollowUpRules>, given: &Given) -> Vec<(&'static str, String)> {
    let Some(rules) = rules else { return vec![("in_force", false.to_string())] };
    let patient = Patient { age: given.age, sex: given.sex, last: given.last.as_deref() };
    let read = given.answered(rules);
    let asked = |required: bool| {
        let asks = rules.asks.iter().filter(|ask| ask.required == required);
        asks.map(|ask| ask.item.id.as_str()).collect::<Vec<_>>().join(", ")
    };
    let windows: Vec<&str> = rules.windows.iter().map(|window| window.id.as_str()).collect();
    let belongs = rules.belongs(&given.diagnoses, given.age, given.sex, &given.since);
    let mut found = vec![
        ("in_force", true.to_string()),
        ("belongs", belongs.to_string()),
        ("sensitive", rules.sensitive.to_string()),
        ("visits_per_year", rules.visits_per_year.to_string()),
        ("required", asked(true)),
        ("optional", asked(false)),
        ("windows", windows.join(", ")),
    ];
    match rules.classify(&read, &patient) {
        Classified::As(state) => found.extend([
            ("state", state.id.clone()),
            ("action", state.action.name().to_owned()),
            ("next", state.next.text()),
            ("next_on", state.next.after(given.day).to_string()),
            ("at_target", state.at_target.to_string()),
        ]),
        Classified::Incomplete(missing) => {
            found.extend([("state", "incomplete".to_owned()), ("missing", missing.join(", "))]);
        }
        Classified::Open => found.push(("state", "open".to_owned())),
    }
    let window = rules.windows.iter().find(|window| Some(&window.id) == given.window.as_ref());
    if let (Some(window), Some(anchor)) = (window, given.anchor) {
        let due = window.due(anchor);
        found.extend([
            ("opens", due.from.to_string()),
            ("due", due.until.to_string()),
            ("due_after", window.until.text()),
            ("asks", window.asks.join(", ")),
            ("ways", window.ways.join(", ")),
            ("report_after", window.report_after.map_or_else(String::new, |times| times.to_string())),
        ]);
    }
    found
}
