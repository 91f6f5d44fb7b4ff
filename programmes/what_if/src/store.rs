//! The bills of a year, and the runs that are kept; with `bills.rs` all that touches the database.

pub mod draft;
mod forget;
mod run;
mod year;

use kangmai_base::Uuid;
use kangmai_database::{ClearText, DatabaseError, InsertMany, SealedTable, Transaction, params};

pub(crate) use forget::forget_subject;
pub use run::{
    Moved, RunRow, RunState, crossing_households, drop_run, level_below, moved_people, people_count, put_run,
    run_row, runs, touch_run, write_failure, write_result,
};
pub use year::{YearRead, bills_in_all, read_year};

const IN_CLEAR: &str = "select bill, diagnosis from what_if_bill where diagnosis is not null limit $1";
const SEAL_DIAGNOSIS: &str = "update what_if_bill set diagnosis = null, diagnosis_sealed = $2
    where bill = $1 and diagnosis = $3";

/// What is sealed of the bills of a year.
pub const SEALED: &[SealedTable] =
    &[SealedTable { table: "what_if_bill", id: "bill", columns: &["diagnosis_sealed"] }];

/// What stood in clear.
pub const CLEAR_TEXT: &[ClearText] =
    &[ClearText { name: "diagnoses of what-if bills", seal: seal_diagnoses, finish: "" }];

/// Where the code of the diagnosis stands.
pub(crate) const DIAGNOSIS: (&str, &str) = ("what_if_bill", "diagnosis_sealed");

fn seal_diagnoses(tx: &mut Transaction<'_>, most: usize) -> Result<u64, DatabaseError> {
    let rows = tx.query(IN_CLEAR, &params![i64::try_from(most).unwrap_or(i64::MAX)])?;
    for row in &rows {
        let (bill, code): (Uuid, String) = (row.get(0)?, row.get(1)?);
        let sealed = tx.sealed(DIAGNOSIS, bill, Some(&code))?;
        tx.execute(SEAL_DIAGNOSIS, &params![bill, sealed, code])?;
    }
    Ok(rows.len() as u64)
}

pub(crate) const SETTLE: &str =
    "update what_if_bill set holder = $2, birth = $3, sex = $4, own = $5 where bill = $1";
pub(crate) const LEAVE: &str = "update what_if_bill set holder = null, own = 0 where bill = $1";
/// The lines of a bill came after it: what was settled with it stays until it is settled again.
pub(crate) const ITEMISE: &str = "update what_if_bill set fees = $2, categories = $3 where bill = $1";
pub(crate) const DROP: &str = "delete from what_if_bill where bill = $1";
pub(crate) const PUT_BILLS: InsertMany = InsertMany {
    table: "what_if_bill",
    columns: &[
        "bill",
        "person",
        "household",
        "home",
        "insurance_year",
        "admitted_on",
        "discharged_on",
        "received_at",
        "total",
        "compliant",
        "already_paid",
        "diagnosis_sealed",
        "treated",
        "fees",
        "categories",
        "own",
    ],
    suffix: "on conflict (bill) do update set person = excluded.person, household = excluded.household,
        home = excluded.home, insurance_year = excluded.insurance_year, admitted_on = excluded.admitted_on,
        discharged_on = excluded.discharged_on, received_at = excluded.received_at, total = excluded.total,
        compliant = excluded.compliant, already_paid = excluded.already_paid,
        diagnosis = null, diagnosis_sealed = excluded.diagnosis_sealed,
        treated = excluded.treated, fees = excluded.fees, categories = excluded.categories,
        own = excluded.own,
        holder = null, birth = null, sex = null",
};
