//! The facts that the register owns. Bodies of persons and households are those of `kangmai_people`, of institutions those
//! of `kangmai_places`: always the whole state.

use kangmai_base::{Refusal, Uuid};
use kangmai_people::{HouseholdBody, LabelInterval, PERSON_REGISTERED, PersonBody};
use kangmai_places::{INSTITUTION_REGISTERED, InstitutionBody};
use kangmai_record::NewFact;
use serde::{Deserialize, Serialize};

/// A household is registered or changes; the body is a [`HouseholdBody`].
pub const HOUSEHOLD: &str = "register.household";
/// A person is registered or changes; the body is a [`PersonBody`].
pub const PERSON: &str = PERSON_REGISTERED;
/// An institution is registered or changes; the body is an [`InstitutionBody`].
pub const INSTITUTION: &str = INSTITUTION_REGISTERED;
/// Two records are alike; the body is a [`CandidateFound`].
pub const CANDIDATE_FOUND: &str = "register.candidate_found";
/// Somebody decided whether two records are one person; the body is a [`SamePersonDecided`].
pub const SAME_PERSON_DECIDED: &str = "register.same_person_decided";

/// The subject of the fact and `other` bear the same name and birth date in one county, and at least one of them has no
/// valid identity number. For somebody to look at; nothing is merged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CandidateFound {
    /// The record that was there before.
    pub other: Uuid,
}

/// What was decided about two records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// One person: the subject is another record of `other`. Both stay.
    Same,
    /// Two persons.
    NotSame,
    /// The decision before is taken back.
    Open,
}

impl Decision {
    /// As it stands in the table.
    pub const fn key(self) -> &'static str {
        match self {
            Decision::Same => "same",
            Decision::NotSame => "not_same",
            Decision::Open => "open",
        }
    }
}

/// Somebody compared the subject of the fact with `other` and decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SamePersonDecided {
    /// The record that is kept in lists and figures if they are the same.
    pub other: Uuid,
    /// What was decided.
    pub decision: Decision,
    /// Why, in the words of who decided.
    pub reason: String,
}

/// Whether the body of a fact of ours can be read and breaks no rule that it alone tells.
///
/// # Errors
/// `record.parked.unreadable`, or `register.parked.labels_overlap` where two intervals of one label overlap: then
/// nobody could say since when it holds.
pub fn admit(fact: &NewFact) -> Result<(), Refusal> {
    match fact.kind.as_str() {
        HOUSEHOLD => fact.read_body::<HouseholdBody>().map(|_| ()),
        PERSON => {
            let body: PersonBody = fact.read_body()?;
            if overlap(&body.labels) {
                return Err(Refusal::new("register.parked.labels_overlap"));
            }
            Ok(())
        }
        INSTITUTION => fact.read_body::<InstitutionBody>().map(|_| ()),
        CANDIDATE_FOUND => fact.read_body::<CandidateFound>().map(|_| ()),
        _ => fact.read_body::<SamePersonDecided>().map(|_| ()),
    }
}

/// Whether two intervals of one label overlap.
fn overlap(labels: &[LabelInterval]) -> bool {
    labels.iter().enumerate().any(|(index, one)| {
        labels
            .iter()
            .skip(index + 1)
            .any(|other| one.label == other.label && crate::rules::overlaps(one, other))
    })
}
