//! Erasing: how a person leaves the views of payments, write-offs and suspensions.

use kangmai_database::{DatabaseError, Transaction, params};
use kangmai_record::{Subject, SubjectKind};

use super::projection::work_out;
use crate::store::projection::bills_ever_of;

const FORGET_PAYMENTS: &str = "delete from own_payment where bill = $1 and person = $2";
const FORGET_WRITE_OFFS: &str = "delete from write_off where bill = $1 and person = $2";
const FORGET_SUSPENSIONS: &str = "delete from suspension where person = $1";

/// Takes a person out. The view of bills has done so before: what is owed on those that are left is worked out anew.
pub(super) fn forget(tx: &mut Transaction<'_>, subject: Subject) -> Result<(), DatabaseError> {
    if subject.kind != SubjectKind::Person {
        return Ok(());
    }
    let person = subject.id;
    tx.execute(FORGET_SUSPENSIONS, &params![person])?;
    for bill in bills_ever_of(tx, person)? {
        for statement in [FORGET_PAYMENTS, FORGET_WRITE_OFFS] {
            tx.execute(statement, &params![bill, person])?;
        }
        work_out(tx, bill)?;
    }
    Ok(())
}
