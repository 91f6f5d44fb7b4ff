//! Conditions over the answers of a visit, the patient's age and what the visit before came to. Three answers: it
//! holds, it does not, or what it asks is not known yet.

use kangmai_base::Sex;
use serde::Serialize;

use super::classify::{Answer, Answers, Patient};
use super::item::{ItemKind, Measure};
use super::{Ask, Item};
use crate::fields::{At, Fields, not_in_list};
use crate::words::Word;

/// How a number is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Test {
    /// ≥
    AtLeast,
    /// >
    Above,
    /// ≤
    AtMost,
    /// <
    Below,
}

impl Test {
    const ALL: [(&'static str, Test); 4] = [
        ("at_least", Test::AtLeast),
        ("above", Test::Above),
        ("at_most", Test::AtMost),
        ("below", Test::Below),
    ];

    fn holds(self, value: Measure, limit: Measure) -> bool {
        match self {
            Test::AtLeast => value >= limit,
            Test::Above => value > limit,
            Test::AtMost => value <= limit,
            Test::Below => value < limit,
        }
    }
}

/// A condition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// The number answered for `item` compares so with `limit`.
    Number {
        /// Which item.
        item: String,
        /// How.
        test: Test,
        /// With what.
        limit: Measure,
    },
    /// Any of `options` was answered for `item`.
    AnyOf {
        /// Which item.
        item: String,
        /// Which of its options.
        options: Vec<String>,
    },
    /// The item was answered at all: for what is not asked of everybody.
    Answered(String),
    /// So many completed years or more.
    AgeAtLeast(u8),
    /// Fewer completed years.
    AgeBelow(u8),
    /// Of this sex.
    Sex(Sex),
    /// The visit before was classified as one of these. A first visit has none before it.
    Last(Vec<String>),
    /// All of these.
    All(Vec<Condition>),
    /// Any of these.
    Any(Vec<Condition>),
    /// Not this.
    Not(Box<Condition>),
    /// In every case: the row for all that are left.
    Otherwise,
}

impl Condition {
    /// Whether it holds; `None`: what it asks is not known. The names of items that are not answered go to `missing`.
    pub fn holds(&self, answers: &Answers, patient: &Patient<'_>, missing: &mut Vec<String>) -> Option<bool> {
        match self {
            Condition::Number { item, test, limit } => match answers.get(item) {
                Some(Answer::Number(value)) => Some(test.holds(*value, *limit)),
                _ => lacks(item, missing),
            },
            Condition::AnyOf { item, options } => match answers.get(item) {
                Some(Answer::Chosen(chosen)) => Some(chosen.iter().any(|one| options.contains(one))),
                _ => lacks(item, missing),
            },
            Condition::Answered(item) => Some(answers.contains_key(item)),
            Condition::AgeAtLeast(age) => patient.age.map(|own| own >= *age),
            Condition::AgeBelow(age) => patient.age.map(|own| own < *age),
            Condition::Sex(sex) => patient.sex.map(|own| own == *sex),
            Condition::Last(states) => {
                Some(patient.last.is_some_and(|last| states.iter().any(|state| state == last)))
            }
            Condition::All(parts) => fold(parts, false, (answers, patient), missing),
            Condition::Any(parts) => fold(parts, true, (answers, patient), missing),
            Condition::Not(part) => part.holds(answers, patient, missing).map(|holds| !holds),
            Condition::Otherwise => Some(true),
        }
    }

    /// The states that it asks the visit before for.
    pub(super) fn states_before<'c>(&'c self, found: &mut Vec<&'c str>) {
        match self {
            Condition::Last(states) => found.extend(states.iter().map(String::as_str)),
            Condition::All(parts) | Condition::Any(parts) => {
                parts.iter().for_each(|part| part.states_before(found));
            }
            Condition::Not(part) => part.states_before(found),
            _ => {}
        }
    }
}

fn lacks(item: &str, missing: &mut Vec<String>) -> Option<bool> {
    if !missing.iter().any(|known| known == item) {
        missing.push(item.to_owned());
    }
    None
}

/// `decisive` as soon as one part says so, its contrary if all parts do, else unknown: then all that is missing is named.
fn fold(
    parts: &[Condition],
    decisive: bool,
    (answers, patient): (&Answers, &Patient<'_>),
    missing: &mut Vec<String>,
) -> Option<bool> {
    let mut all_known = true;
    let mut lacking = Vec::new();
    for part in parts {
        match part.holds(answers, patient, &mut lacking) {
            Some(answer) if answer == decisive => return Some(decisive),
            Some(_) => {}
            None => all_known = false,
        }
    }
    if all_known {
        return Some(!decisive);
    }
    for item in lacking {
        lacks(&item, missing);
    }
    None
}

impl Condition {
    /// Reads `{ item = …, at_least = … }` and its like; `asks` are the items that the programme asks.
    pub(super) fn read(fields: &Fields<'_>, asks: &[Ask]) -> Option<Condition> {
        let condition = Condition::read_one(fields, asks);
        fields.finish();
        condition
    }

    fn read_one(fields: &Fields<'_>, asks: &[Ask]) -> Option<Condition> {
        if fields.has("all") {
            return read_parts(fields, "all", asks).map(Condition::All);
        }
        if fields.has("any") {
            return read_parts(fields, "any", asks).map(Condition::Any);
        }
        if let Some(inner) = fields.table_maybe("not") {
            return Condition::read(&inner, asks).map(|inner| Condition::Not(Box::new(inner)));
        }
        if fields.flag_maybe("otherwise") == Some(true) {
            return Some(Condition::Otherwise);
        }
        let age = |key| fields.age_maybe(key);
        if let Some(age) = age("age_at_least") {
            return Some(Condition::AgeAtLeast(age));
        }
        if let Some(age) = age("age_below") {
            return Some(Condition::AgeBelow(age));
        }
        if fields.has("sex") {
            return fields.sex(fields.text("sex")).map(Condition::Sex);
        }
        if let Some(states) = fields.texts_maybe("last") {
            return Some(Condition::Last(states.iter().map(|state| state.value.to_owned()).collect()));
        }
        if fields.has("answered") {
            return item_of(fields, "answered", asks).map(|item| Condition::Answered(item.id.clone()));
        }
        let item = item_of(fields, "item", asks)?;
        match &item.kind {
            ItemKind::Number { decimals, .. } => read_number(fields, item, *decimals),
            ItemKind::One(_) | ItemKind::Several(_) => read_choice(fields, item),
            ItemKind::Words => {
                fields.push(fields.spot().error(Word::ErrFollowUpWords, Word::MendFollowUpWords));
                None
            }
        }
    }
}

fn read_parts(fields: &Fields<'_>, key: &'static str, asks: &[Ask]) -> Option<Vec<Condition>> {
    let parts: Vec<Option<Condition>> =
        fields.some_tables(key).iter().map(|part| Condition::read(part, asks)).collect();
    parts.into_iter().collect()
}

fn item_of<'i>(fields: &Fields<'_>, key: &'static str, asks: &'i [Ask]) -> Option<&'i Item> {
    let named: At<&str> = fields.text(key)?;
    let found = asks.iter().find(|ask| ask.item.id == named.value);
    if found.is_none() {
        let known: Vec<&str> = asks.iter().map(|ask| ask.item.id.as_str()).collect();
        fields.push(not_in_list(&named, &known));
    }
    found.map(|ask| &*ask.item)
}

fn read_number(fields: &Fields<'_>, item: &Item, decimals: u8) -> Option<Condition> {
    let mut found = None;
    for (key, test) in Test::ALL {
        let Some(limit) = fields.measure_maybe(key) else { continue };
        if !limit.value.fits(decimals) || found.is_some() {
            let error = limit.spot.error(Word::ErrNotAMeasure, Word::MendMeasure);
            fields.push(error.with("value", limit.value.to_string()).with("decimals", decimals.to_string()));
            return None;
        }
        found = Some(Condition::Number { item: item.id.clone(), test, limit: limit.value });
    }
    if found.is_none() {
        let error = fields.spot().error(Word::ErrMissingKey, Word::MendAddKey);
        fields.push(error.with("key", "at_least"));
    }
    found
}

fn read_choice(fields: &Fields<'_>, item: &Item) -> Option<Condition> {
    let known: Vec<&str> = item.options().iter().map(|option| option.id.as_str()).collect();
    let mut options = Vec::new();
    for option in fields.texts("any_of") {
        if known.contains(&option.value) {
            options.push(option.value.to_owned());
        } else {
            fields.push(not_in_list(&option, &known));
        }
    }
    (!options.is_empty()).then(|| Condition::AnyOf { item: item.id.clone(), options })
}
