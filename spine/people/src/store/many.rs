//! Many people at once, with few statements.

use std::collections::HashMap;

use kangmai_base::Uuid;
use kangmai_database::{DatabaseError, Transaction, in_fifties};

use super::{read_label, read_person};
use crate::Person;

/// Of 50 persons at once.
const PERSONS: &str =
    "select id, household, relation, name_sealed, id_number_sealed, sex, birth, ethnicity, home, living, phone_sealed,
    enrolment, died_on, marks, id_number, phone, name from person where id in
    ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17,
    $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34,
    $35, $36, $37, $38, $39, $40, $41, $42, $43, $44, $45, $46, $47, $48, $49, $50)";
/// Of 50 persons at once.
const LABELS_OF: &str = "select label, from_day, to_day, source, person from person_label where person in
    ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17,
    $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34,
    $35, $36, $37, $38, $39, $40, $41, $42, $43, $44, $45, $46, $47, $48, $49, $50)";

/// The persons with these identifiers, as many as there are, with few statements.
///
/// # Errors
/// When the database fails.
pub fn find_persons(tx: &mut Transaction<'_>, ids: &[Uuid]) -> Result<HashMap<Uuid, Person>, DatabaseError> {
    let mut found = HashMap::with_capacity(ids.len());
    for ids in in_fifties(ids) {
        for row in tx.query(PERSONS, &ids)? {
            let person = read_person(tx, &row)?;
            found.insert(person.id.uuid(), person);
        }
        for row in tx.query(LABELS_OF, &ids)? {
            let person: Uuid = row.get(4)?;
            if let Some(person) = found.get_mut(&person) {
                person.body.labels.push(read_label(&row)?);
            }
        }
    }
    found.values_mut().for_each(|person| person.body.labels.sort());
    Ok(found)
}
