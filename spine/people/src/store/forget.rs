//! Rows of whom everything is erased.

use kangmai_database::{DatabaseError, Transaction, params};

use crate::{HouseholdId, PersonId};

const FORGET_LABELS: &str = "delete from person_label where person = $1";
const FORGET_NAME_KEYS: &str = "delete from person_name_key where person = $1";
const FORGET_PERSON: &str = "delete from person where id = $1";
const FORGET_HOUSEHOLD: &str = "delete from household where id = $1";
const HEADED_BY: &str = "select id from household where head = $1 order by id";

/// Takes a person away with their labels: for the projection of the register, of whom everything is erased.
///
/// # Errors
/// When the database fails.
pub fn forget_person(tx: &mut Transaction<'_>, person: PersonId) -> Result<(), DatabaseError> {
    for statement in [FORGET_LABELS, FORGET_NAME_KEYS, FORGET_PERSON] {
        tx.execute(statement, &params![person])?;
    }
    Ok(())
}

/// Takes a household away: for the projection of the register, when everything about it is erased.
///
/// # Errors
/// When the database fails.
pub fn forget_household(tx: &mut Transaction<'_>, household: HouseholdId) -> Result<(), DatabaseError> {
    tx.execute(FORGET_HOUSEHOLD, &params![household])?;
    Ok(())
}

/// The households whose head is this person. Reads the table from end to end.
///
/// # Errors
/// When the database fails.
pub fn headed_by(tx: &mut Transaction<'_>, person: PersonId) -> Result<Vec<HouseholdId>, DatabaseError> {
    tx.query(HEADED_BY, &params![person])?.iter().map(|row| row.get(0)).collect()
}
