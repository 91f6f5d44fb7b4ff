//! Whom a bill is about.

use kangmai_base::{Day, DivisionCode, Uuid};
use kangmai_database::{DatabaseError, Transaction, params};
use kangmai_people::{id_number_digest, read_name};

const WITH_NUMBER: &str = "select id, household, home, name_sealed, died_on from person where id_number_digest = $1 order by id limit 2";

/// A person as a row of a file finds them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MatchedPerson {
    /// Which.
    pub id: Uuid,
    /// The household.
    pub household: Uuid,
    /// The home place.
    pub home: DivisionCode,
    /// The name.
    pub name: String,
    /// The day of death.
    pub died_on: Option<Day>,
}

/// Who has this identity number, wherever they are; at most two.
///
/// # Errors
/// When the database fails.
pub fn people_with_number(
    tx: &mut Transaction<'_>,
    number: &str,
) -> Result<Vec<MatchedPerson>, DatabaseError> {
    let digest = id_number_digest(tx, number)?;
    let opener = tx.opener()?;
    let rows = tx.query(WITH_NUMBER, &params![digest])?;
    rows.iter()
        .map(|row| {
            Ok(MatchedPerson {
                id: row.get(0)?,
                household: row.get(1)?,
                home: row.get(2)?,
                name: read_name(&opener, row, (0, 3))?,
                died_on: row.get(4)?,
            })
        })
        .collect()
}
