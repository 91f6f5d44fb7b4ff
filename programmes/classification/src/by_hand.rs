//! Diagnoses that somebody records, corrects or withdraws by hand. Pure: from the form and the record to the fact.
//!
//! *Invariant:* nothing is written over. Who puts a diagnosis right says why; what it was stays, struck out.

use kangmai_base::{Day, Refusal, Uuid};
use kangmai_sheet::Flaw;
use kangmai_web::{Field, Form};

use crate::diagnoses::{Reported, body, state_of};
use crate::facts::{Diagnosed, PutRight};
use crate::store::KnownDiagnosis;

const fn fields(institution: Field) -> [Field; 7] {
    [
        Field::text("code", "classification.diagnosis.code").at_most(24),
        Field::text("disease", "classification.diagnosis.name").at_most(100),
        Field::day("from", "classification.diagnosis.from"),
        Field::day("to", "classification.diagnosis.to").optional(),
        institution.at_most(100),
        Field::tick("drug_resistant", "classification.diagnosis.drug_resistant"),
        Field::text("reason", "classification.diagnosis.reason").at_most(200),
    ]
}

const INSTITUTION: Field = Field::text("institution", "classification.diagnosis.institution");

/// The fields of a new diagnosis: it names who certified it.
pub(crate) const NEW: &[Field] = &fields(INSTITUTION);
/// The fields of one that the record has: of one that came in a list who certified it may not be known.
pub(crate) const KNOWN: &[Field] = &fields(INSTITUTION.optional());

/// The fields of a withdrawal.
pub(crate) const WITHDRAWAL: &[Field] =
    &[Field::text("withdraw_reason", "classification.withdraw.reason").at_most(200)];

/// The shortest reason, in characters.
pub(crate) const REASON_AT_LEAST: usize = 4;

/// What somebody does about a diagnosis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Act {
    /// One that the record does not have.
    Record(Reported, String),
    /// The diagnosis is otherwise than the record says.
    Correct(Uuid, Reported, String),
    /// It was never one of this person.
    Withdraw(Uuid, String),
}

/// Who acts, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hand {
    pub(crate) by: String,
    pub(crate) on: Day,
}

/// The body of the fact that follows from an act, and the fact that it corrects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Told {
    /// A diagnosis is recorded.
    Recorded(Diagnosed),
    /// One is put right.
    PutRight(Box<PutRight>, Uuid),
    /// The record says so already.
    Same,
}

/// Reads the form of a diagnosis; what is wrong stands at its field.
pub(crate) fn read(form: &mut Form, birth: Option<Day>, today: Day) -> Option<(Reported, String)> {
    let code = form.text("code").and_then(|text| match crate::import::read_code(&text) {
        Ok(code) => Some(code),
        Err(Flaw { reason, suggestion }) => {
            form.refuse(reason.at("code"));
            if let Some(mend) = suggestion {
                form.refuse(mend.at("code"));
            }
            None
        }
    });
    let (name, from, to) = (form.text("disease"), form.day("from"), form.day("to"));
    let (institution, reason) = (form.text("institution"), read_reason(form, "reason"));
    for (field, day) in [("from", from), ("to", to)] {
        if day.is_some_and(|day| day > today) {
            form.refuse(Refusal::new("classification.refused.in_future").at(field));
        }
    }
    if from.zip(birth).is_some_and(|(from, birth)| from < birth) {
        form.refuse(Refusal::new("classification.flaw.before_birth").at("from"));
    }
    if let Some((from, _)) = from.zip(to).filter(|(from, to)| to < from) {
        form.refuse(Refusal::new("classification.flaw.ends_before").with("from", from.to_string()).at("to"));
    }
    if form.is_refused() {
        return None;
    }
    let reported = Reported {
        code: code?,
        system: crate::import::DEFAULT_SYSTEM.to_owned(),
        name: name?,
        from: from?,
        to,
        institution: institution.unwrap_or_default(),
        drug_resistant: form.tick("drug_resistant"),
        sensitive: false,
    };
    Some((reported, reason?))
}

/// A reason that says something.
pub(crate) fn read_reason(form: &mut Form, field: &'static str) -> Option<String> {
    let reason = form.text(field)?;
    if reason.chars().count() < REASON_AT_LEAST {
        form.refuse(Refusal::new("classification.refused.reason_too_short").at(field));
        return None;
    }
    Some(reason)
}

/// What follows from an act. `None`: the record has no such diagnosis.
pub(crate) fn decide(
    act: &Act,
    known: &[KnownDiagnosis],
    hand: &Hand,
    new_id: Uuid,
) -> Result<Option<Told>, Refusal> {
    match act {
        Act::Record(reported, reason) => {
            if let Some(there) = known.iter().find(|known| crate::diagnoses::is_same(reported, known)) {
                let from = there.diagnosis.from.to_string();
                return Err(Refusal::new("classification.refused.there_already")
                    .with("day", from)
                    .at("code"));
            }
            let recorded = Diagnosed { reason: reason.clone(), ..body(reported, new_id, &hand.by) };
            Ok(Some(Told::Recorded(recorded)))
        }
        Act::Correct(diagnosis, reported, reason) => {
            let Some(there) = find(known, *diagnosis) else { return Ok(None) };
            let before = state_of(there);
            let after = Diagnosed {
                system: before.system.clone(),
                origin: before.origin.clone(),
                ..body(reported, *diagnosis, "")
            };
            if after == before {
                return Ok(Some(Told::Same));
            }
            Ok(Some(put_right(there, Some(after), reason, hand)))
        }
        Act::Withdraw(diagnosis, reason) => {
            Ok(find(known, *diagnosis).map(|there| put_right(there, None, reason, hand)))
        }
    }
}

fn find(known: &[KnownDiagnosis], diagnosis: Uuid) -> Option<&KnownDiagnosis> {
    known.iter().find(|known| known.diagnosis.id == diagnosis)
}

fn put_right(there: &KnownDiagnosis, after: Option<Diagnosed>, reason: &str, hand: &Hand) -> Told {
    let before = state_of(there);
    let sensitive = before.sensitive || after.as_ref().is_some_and(|after| after.sensitive);
    let body = PutRight {
        diagnosis: there.diagnosis.id,
        before,
        after,
        reason: reason.to_owned(),
        by: hand.by.clone(),
        on: hand.on,
        sensitive,
        undoes: None,
    };
    Told::PutRight(Box::new(body), there.fact)
}

/// What takes `done` back.
pub(crate) fn undo_put_right(done: PutRight, fact: Uuid, reason: &str, hand: &Hand) -> PutRight {
    PutRight {
        before: done.after.unwrap_or_else(|| done.before.clone()),
        after: Some(done.before),
        reason: reason.to_owned(),
        by: hand.by.clone(),
        on: hand.on,
        undoes: Some(fact),
        ..done
    }
}
