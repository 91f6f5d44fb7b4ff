//! What is kept of a person.

use kangmai_base::Day;
use kangmai_database::{DatabaseError, Transaction, params};
use kangmai_people::Person;
use kangmai_policy::RecordClass;
use kangmai_programme::Holding;

const DIAGNOSES_HELD: &str = "select count(*), max(coalesce(to_day, from_day)) from diagnosis
    where person = $1 and ($2 or not sensitive)";
const STRUCK_HELD: &str =
    "select count(*), max(struck_on) from diagnosis_struck where person = $1 and ($2 or not sensitive)";

/// Diagnoses, those that were put right or withdrawn too: records of care outside of a ward, unless a bill says otherwise.
pub(crate) fn held(
    tx: &mut Transaction<'_>,
    person: &Person,
    sensitive: bool,
) -> Result<Vec<Holding>, DatabaseError> {
    let mut held =
        Holding { word: "classification.held", class: Some(RecordClass::Outpatient), count: 0, latest: None };
    for sql in [DIAGNOSES_HELD, STRUCK_HELD] {
        let Some(row) = tx.query_one(sql, &params![person.id, sensitive])? else { continue };
        held.count += row.get::<i64>(0)?;
        held.latest = held.latest.max(row.get::<Option<Day>>(1)?);
    }
    Ok(vec![held])
}
