//! The bills of a year, and the runs that are kept; with `bills.rs` all that touches the database.

pub mod draft;
mod run;
mod year;

use kangmai_database::InsertMany;

pub use run::{
    Moved, RunRow, RunState, crossing_households, drop_run, level_below, moved_people, people_count, put_run,
    run_row, runs, touch_run, write_failure, write_result,
};
pub use year::{YearRead, bills_in_all, read_year};

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
        "diagnosis",
        "treated",
        "fees",
        "categories",
        "own",
    ],
    suffix: "on conflict (bill) do update set person = excluded.person, household = excluded.household,
        home = excluded.home, insurance_year = excluded.insurance_year, admitted_on = excluded.admitted_on,
        discharged_on = excluded.discharged_on, received_at = excluded.received_at, total = excluded.total,
        compliant = excluded.compliant, already_paid = excluded.already_paid, diagnosis = excluded.diagnosis,
        treated = excluded.treated, fees = excluded.fees, categories = excluded.categories,
        own = excluded.own,
        holder = null, birth = null, sex = null",
};
