//! Erasing: what goes with a person or household, and how they leave the view of warnings.
//!
//! A warning is a case of a household. It goes with the household. With one member goes what it says of them and of the
//! household's cost in sum; that there was a warning, how grave it was and what the offices did about it, stays.

use std::collections::BTreeSet;

use kangmai_base::{Id, Uuid};
use kangmai_database::{DatabaseError, Transaction, params};
use kangmai_people::{PERSON_REGISTERED, PersonBody};
use kangmai_record::{Along, Subject, SubjectKind, facts_of_kind};

use super::view::json;
use crate::facts::{EvidenceBill, EvidenceCosts, LEVEL_CHANGED, RAISED, Seen, UPDATED};
use crate::findings::{Finding, What};

const OF_HOUSEHOLD: &str = "select id from warning where household = $1 order by id";
const TOLD: &str = "select found, evidence from warning where id = $1";
const TELL: &str = "update warning set found = $2, evidence = $3 where id = $1";
const FORGET: &str = "delete from warning where id = $1";

/// A household takes its warnings along; of a member, what the facts of warnings say of them.
pub(super) fn along(tx: &mut Transaction<'_>, subject: Subject) -> Result<Along, DatabaseError> {
    let mut along = Along::default();
    match subject.kind {
        SubjectKind::Household => {
            along.subjects = warnings_of(tx, subject.id)?.into_iter().map(Subject::case).collect();
        }
        SubjectKind::Person => {
            for warning in warnings_of_member(tx, subject.id)? {
                for kind in [RAISED, LEVEL_CHANGED, UPDATED] {
                    for fact in facts_of_kind(tx, warning, kind)? {
                        let mut seen: Seen = fact.body()?;
                        if leave_out(subject.id, &mut seen.findings, &mut seen.bills, &mut seen.costs) {
                            along.facts.push((fact.new.id, Some(json(&seen)?)));
                        }
                    }
                }
            }
        }
        _ => {}
    }
    Ok(along)
}

/// Takes a warning away, or a member out of the warnings of their households.
pub(super) fn forget(tx: &mut Transaction<'_>, subject: Subject) -> Result<(), DatabaseError> {
    match subject.kind {
        SubjectKind::Case => {
            tx.execute(FORGET, &params![subject.id])?;
            kangmai_cases::forget(tx, Id::from_uuid(subject.id))
        }
        SubjectKind::Person => {
            for warning in warnings_of_member(tx, subject.id)? {
                forget_member(tx, warning, subject.id)?;
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

fn forget_member(tx: &mut Transaction<'_>, warning: Uuid, person: Uuid) -> Result<(), DatabaseError> {
    let Some(row) = tx.query_one(TOLD, &params![warning])? else { return Ok(()) };
    let mut findings: Vec<Finding> = super::unreadable(&row.get::<String>(0)?, 0)?;
    let (mut bills, mut costs): (Vec<EvidenceBill>, Vec<EvidenceCosts>) =
        super::unreadable(&row.get::<String>(1)?, 1)?;
    if leave_out(person, &mut findings, &mut bills, &mut costs) {
        tx.execute(TELL, &params![warning, json(&findings)?, json(&(&bills, &costs))?])?;
    }
    Ok(())
}

/// Leaves out what tells of one member; the household's sum as well, if their cost is in it. Answers whether anything did.
fn leave_out(
    person: Uuid,
    findings: &mut Vec<Finding>,
    bills: &mut Vec<EvidenceBill>,
    costs: &mut Vec<EvidenceCosts>,
) -> bool {
    let before = findings.len() + bills.len() + costs.len();
    let cost_something = costs.iter().any(|cost| cost.person == person);
    bills.retain(|bill| bill.person != person);
    costs.retain(|cost| cost.person != person);
    findings.retain(|finding| {
        let is_sum = finding.what == What::HouseholdCost && cost_something;
        finding.person != Some(person) && !is_sum
    });
    findings.len() + bills.len() + costs.len() < before
}

fn warnings_of(tx: &mut Transaction<'_>, household: Uuid) -> Result<Vec<Uuid>, DatabaseError> {
    tx.query(OF_HOUSEHOLD, &params![household])?.iter().map(|row| row.get(0)).collect()
}

/// The warnings of all households that a person ever belonged to.
fn warnings_of_member(tx: &mut Transaction<'_>, person: Uuid) -> Result<Vec<Uuid>, DatabaseError> {
    let mut households = BTreeSet::new();
    for fact in facts_of_kind(tx, person, PERSON_REGISTERED)? {
        households.insert(fact.body::<PersonBody>()?.household);
    }
    let mut warnings = Vec::new();
    for household in households {
        warnings.extend(warnings_of(tx, household)?);
    }
    Ok(warnings)
}
