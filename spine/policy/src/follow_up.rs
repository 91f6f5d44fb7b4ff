//! Rules of follow-up as tables: who belongs to a programme, what a visit asks, how it is classified, what follows and
//! by when. The same table is interpreted here and, as JSON, on a phone: a condition knows three answers (yes, no, not
//! asked yet), so that a danger is told as soon as it is seen and nothing is called controlled that nobody measured.

mod book;
mod cases;
mod classify;
mod condition;
mod item;
mod read;
mod schedule;

use std::sync::Arc;

use kangmai_base::Sex;
use serde::Serialize;

use crate::dated::Period;
use crate::{Bilingual, Icd10, IcdRange, Source, Sure};

pub(crate) use book::FollowUpBook;
pub(crate) use cases::FollowUpCase;
pub use cases::Vector;
pub use classify::{Answer, AnswerFault, Answers, Classified, Patient};
pub use condition::{Condition, Test};
pub use item::{Checks, Doubt, Item, ItemKind, ItemOption, Measure, OtherUnit};
pub use schedule::{Anchor, Due, Span, SpanUnit, Window};

/// A programme of follow-up, such as that of hypertension, as one place rules it for a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FollowUpRules {
    /// Code name of the programme.
    pub programme: String,
    /// What people call it.
    pub name: Bilingual,
    /// What it is called where there is little room: the disease alone.
    pub short: Bilingual,
    /// When the rules hold: the day of the visit decides.
    pub period: Period,
    /// How sure.
    pub sure: Sure,
    /// Where from.
    pub source: Source,
    /// Sensitive level: what belongs to a programme of level 5 shows to treating staff on the person's page alone.
    pub sensitive: u8,
    /// Who belongs.
    pub belongs: Belongs,
    /// Face-to-face visits a year at least; 0: the windows alone say when.
    pub visits_per_year: u8,
    /// Kinds of visits that are due at a time of their own: the yearly check, a newborn's first visit.
    pub windows: Vec<Window>,
    /// What a visit asks, in order.
    pub asks: Vec<Ask>,
    /// What a visit can be classified as; the first whose condition holds is taken.
    pub states: Vec<State>,
}

/// Who belongs to a programme. All that is said must hold; a person of unknown age belongs nowhere that asks an age.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Belongs {
    /// Any of these diagnoses; empty: no diagnosis is needed.
    #[serde(serialize_with = "codes_as_text")]
    pub icd10: Vec<IcdRange>,
    /// From this age in completed years.
    pub min_age: Option<u8>,
    /// Up to this age.
    pub max_age: Option<u8>,
    /// Only this sex.
    pub sex: Option<Sex>,
    /// What must have begun for the person, and not have ended: a pregnancy.
    pub since: Option<Anchor>,
}

/// Something that a visit asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Ask {
    /// What; in JSON whole, so that a phone needs no catalogue.
    #[serde(serialize_with = "item_itself")]
    pub item: Arc<Item>,
    /// Whether the visit is incomplete without it.
    pub required: bool,
}

/// What follows of a visit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Go on as before.
    Continue,
    /// Change the treatment.
    Adjust,
    /// Refer upwards.
    Refer,
    /// Treat what cannot wait and refer at once.
    ReferNow,
    /// Report upwards.
    Report,
}

impl Action {
    pub(crate) const NAMES: &[&str] = &["continue", "adjust", "refer", "refer_now", "report"];

    /// As packs name it.
    pub const fn name(self) -> &'static str {
        match self {
            Action::Continue => "continue",
            Action::Adjust => "adjust",
            Action::Refer => "refer",
            Action::ReferNow => "refer_now",
            Action::Report => "report",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Action> {
        let all = [Action::Continue, Action::Adjust, Action::Refer, Action::ReferNow, Action::Report];
        all.into_iter().find(|action| action.name() == name)
    }
}

/// One row of the table by which visits are classified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct State {
    /// Code name.
    pub id: String,
    /// What people call it.
    pub name: Bilingual,
    /// When.
    pub when: Condition,
    /// What follows.
    pub action: Action,
    /// By when the next visit is due.
    pub next: Span,
    /// What to do, as a sentence.
    pub advice: Bilingual,
    /// Whether it counts as at target in the rate of control.
    pub at_target: bool,
}

impl FollowUpRules {
    /// Whether somebody belongs: `since` are the anchors that have begun for the person.
    pub fn belongs(&self, diagnoses: &[Icd10], age: Option<u8>, sex: Option<Sex>, since: &[Anchor]) -> bool {
        let Belongs { icd10, min_age, max_age, sex: only, since: began } = &self.belongs;
        let has_diagnosis = || diagnoses.iter().any(|code| icd10.iter().any(|range| range.contains(*code)));
        (icd10.is_empty() || has_diagnosis())
            && min_age.is_none_or(|min| age.is_some_and(|age| age >= min))
            && max_age.is_none_or(|max| age.is_some_and(|age| age <= max))
            && only.is_none_or(|only| sex == Some(only))
            && began.is_none_or(|began| since.contains(&began))
    }

    /// The state of this name.
    pub fn state(&self, id: &str) -> Option<&State> {
        self.states.iter().find(|state| state.id == id)
    }
}

/// One sheet for several programmes: each thing is asked once, in the order in which it first comes, and is required if
/// any of them requires it.
pub fn sheet<'r>(programmes: impl IntoIterator<Item = &'r FollowUpRules>) -> Vec<Ask> {
    let mut sheet: Vec<Ask> = Vec::new();
    for ask in programmes.into_iter().flat_map(|rules| &rules.asks) {
        match sheet.iter_mut().find(|known| known.item.id == ask.item.id) {
            Some(known) => known.required |= ask.required,
            None => sheet.push(ask.clone()),
        }
    }
    sheet
}

fn item_itself<S: serde::Serializer>(item: &Arc<Item>, serializer: S) -> Result<S::Ok, S::Error> {
    (**item).serialize(serializer)
}

fn codes_as_text<S: serde::Serializer>(ranges: &[IcdRange], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(ranges.iter().map(ToString::to_string))
}
