//! Erasing: what goes with a person or household, and how both leave the views of the register.

use std::collections::BTreeSet;

use kangmai_base::{Id, Uuid};
use kangmai_database::{DatabaseError, Transaction, params};
use kangmai_people::{
    Household, HouseholdBody, HouseholdId, PersonBody, PersonId, forget_household, forget_person, headed_by,
    put_households, set_same_as,
};
use kangmai_record::{Along, Fact, Subject, SubjectKind, facts_of_kind};

use crate::facts::{
    CANDIDATE_FOUND, CandidateFound, Decision, HOUSEHOLD, PERSON, SAME_PERSON_DECIDED, SamePersonDecided,
};

const COMPARED_WITH: &str = "select one from identity_candidate where other = $1 order by one";
const FORGET_CANDIDATES: &str = "delete from identity_candidate where one = $1 or other = $1";

/// Other records that were compared with a person, and households that had them as their head, name them in facts of their
/// own: a comparison goes, a household only loses its head.
pub(super) fn along(tx: &mut Transaction<'_>, subject: Subject) -> Result<Along, DatabaseError> {
    let mut along = Along::default();
    if subject.kind != SubjectKind::Person {
        return Ok(along);
    }
    let person = subject.id;
    for one in compared_with(tx, person)? {
        for fact in facts_of_kind(tx, one.uuid(), CANDIDATE_FOUND)? {
            if fact.body::<CandidateFound>()?.other == person {
                along.facts.push((fact.new.id, None));
            }
        }
        for fact in facts_of_kind(tx, one.uuid(), SAME_PERSON_DECIDED)? {
            if fact.body::<SamePersonDecided>()?.other == person {
                along.facts.push((fact.new.id, None));
            }
        }
    }
    for household in households_of(tx, person)? {
        for fact in facts_of_kind(tx, household.uuid(), HOUSEHOLD)? {
            let body: HouseholdBody = fact.body()?;
            if body.head == Some(person) {
                let left = serde_json::to_string(&HouseholdBody { head: None, ..body })
                    .map_err(|_| DatabaseError::Refused("a household cannot be written".into()))?;
                along.facts.push((fact.new.id, Some(left)));
            }
        }
    }
    Ok(along)
}

/// Takes a person or a household out of the register.
pub(super) fn forget(tx: &mut Transaction<'_>, subject: Subject) -> Result<(), DatabaseError> {
    match subject.kind {
        SubjectKind::Person => forget_one(tx, subject.id),
        SubjectKind::Household => forget_household(tx, Id::from_uuid(subject.id)),
        _ => Ok(()),
    }
}

fn forget_one(tx: &mut Transaction<'_>, person: Uuid) -> Result<(), DatabaseError> {
    forget_person(tx, Id::from_uuid(person))?;
    let others = compared_with(tx, person)?;
    tx.execute(FORGET_CANDIDATES, &params![person])?;
    // What is decided of them is what the last of the comparisons says that are left.
    for one in others {
        let last = facts_of_kind(tx, one.uuid(), SAME_PERSON_DECIDED)?.pop();
        let last = last.as_ref().map(Fact::body::<SamePersonDecided>).transpose()?;
        let same = last.filter(|decided| decided.decision == Decision::Same);
        set_same_as(tx, one, same.map(|decided| Id::from_uuid(decided.other)))?;
    }
    for household in headed_by(tx, Id::from_uuid(person))? {
        if let Some(fact) = facts_of_kind(tx, household.uuid(), HOUSEHOLD)?.pop() {
            let household = Household { id: household, place: fact.new.place, body: fact.body()? };
            put_households(tx, &[household])?;
        }
    }
    Ok(())
}

fn compared_with(tx: &mut Transaction<'_>, person: Uuid) -> Result<Vec<PersonId>, DatabaseError> {
    tx.query(COMPARED_WITH, &params![person])?.iter().map(|row| row.get(0)).collect()
}

/// The households that a person ever belonged to, or is the head of.
fn households_of(tx: &mut Transaction<'_>, person: Uuid) -> Result<BTreeSet<HouseholdId>, DatabaseError> {
    let mut households: BTreeSet<HouseholdId> = headed_by(tx, Id::from_uuid(person))?.into_iter().collect();
    for fact in facts_of_kind(tx, person, PERSON)? {
        households.insert(Id::from_uuid(fact.body::<PersonBody>()?.household));
    }
    Ok(households)
}
