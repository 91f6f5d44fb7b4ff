//! What is kept of a person: the warnings of the household.

use kangmai_database::{DatabaseError, Transaction, params};
use kangmai_people::Person;
use kangmai_policy::RecordClass;
use kangmai_programme::Holding;

const WARNINGS_HELD: &str =
    "select count(*), max(coalesce(closed_on, stage_since)) from warning where household = $1";

/// The warnings of the household, of whichever member they speak.
pub(crate) fn held(
    tx: &mut Transaction<'_>,
    person: &Person,
    _sensitive: bool,
) -> Result<Vec<Holding>, DatabaseError> {
    let Some(row) = tx.query_one(WARNINGS_HELD, &params![person.body.household])? else {
        return Ok(Vec::new());
    };
    let (count, latest) = (row.get(0)?, row.get(1)?);
    Ok(vec![Holding { word: "poverty_watch.held", class: Some(RecordClass::Support), count, latest }])
}
