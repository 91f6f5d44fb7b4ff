//! Erasing: how a person leaves the views of diagnoses and plans.

use kangmai_database::{DatabaseError, Transaction, params};
use kangmai_record::{Subject, SubjectKind};

const OF_DIAGNOSES: [&str; 2] = [FORGET_DIAGNOSES, FORGET_STRUCK];
const OF_PLANS: [&str; 3] = [FORGET_PLAN, FORGET_CHANGES, FORGET_DECISION];
const FORGET_DIAGNOSES: &str = "delete from diagnosis where person = $1";
const FORGET_STRUCK: &str = "delete from diagnosis_struck where person = $1";
const FORGET_PLAN: &str = "delete from plan where person = $1";
const FORGET_CHANGES: &str = "delete from plan_change where person = $1";
const FORGET_DECISION: &str = "delete from plan_decision where person = $1";

/// Takes a person's diagnoses away.
pub(super) fn diagnoses(tx: &mut Transaction<'_>, subject: Subject) -> Result<(), DatabaseError> {
    forget(tx, subject, &OF_DIAGNOSES)
}

/// Takes a person's plan away, with its changes and decisions.
pub(super) fn plans(tx: &mut Transaction<'_>, subject: Subject) -> Result<(), DatabaseError> {
    forget(tx, subject, &OF_PLANS)
}

fn forget(
    tx: &mut Transaction<'_>,
    subject: Subject,
    statements: &[&'static str],
) -> Result<(), DatabaseError> {
    if subject.kind == SubjectKind::Person {
        for statement in statements {
            tx.execute(statement, &params![subject.id])?;
        }
    }
    Ok(())
}
