//! Who may belong to a programme: people of the register with their diagnoses, as the view `diagnosis` has them.

use std::collections::HashMap;

use kangmai_base::{Day, DivisionCode, Sex, Uuid};
use kangmai_database::{DatabaseError, Row, Transaction, in_fifties, params};

use crate::rules::{Ill, Who};

/// The cell of the view `diagnosis` in which what is of level 5 is sealed: a list of texts, the code first.
const TOLD: (&str, &str) = ("diagnosis", "told_sealed");
const PEOPLE: &str = "select id, home, birth, sex from person where id > $1 and died_on is null and same_as is null order by id limit $2";
// What ended is told too: who was cured is followed up by a table of the cured.
const DIAGNOSES: &str = "select person, id, code, told_sealed, sensitive, from_day, to_day from diagnosis
    where person > $1 and person <= $2 and from_day <= $3";
const DIAGNOSES_OF: &str = "select person, id, code, told_sealed, sensitive, from_day, to_day from diagnosis
    where person = $1 and from_day <= $2";
/// Of 50 people at once, whenever the diagnoses held.
const DIAGNOSES_OF_PEOPLE: &str =
    "select person, id, code, told_sealed, sensitive, from_day, to_day from diagnosis
    where person in ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17,
    $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34,
    $35, $36, $37, $38, $39, $40, $41, $42, $43, $44, $45, $46, $47, $48, $49, $50)";
const MANAGED: &str = "select person, id, programme, told_sealed from follow_up
    where person > $1 and person <= $2 and closed_on is null";

/// Somebody, as far as it matters for who belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Someone {
    /// Who.
    pub person: Uuid,
    /// Home place.
    pub home: DivisionCode,
    /// Age and sex.
    pub who: Who,
    /// Diagnoses, those that ended too.
    pub ill: Vec<Ill>,
    /// The programmes in which they are managed.
    pub managed: Vec<String>,
}

/// The living after the person `after`, in the order of identifiers, with what holds on `day`.
///
/// # Errors
/// When the database fails.
pub fn people_after(
    tx: &mut Transaction<'_>,
    after: Uuid,
    day: Day,
    limit: i64,
) -> Result<Vec<Someone>, DatabaseError> {
    let rows = tx.query(PEOPLE, &params![after, limit])?;
    let mut people: Vec<Someone> = rows.iter().map(someone).collect::<Result<_, _>>()?;
    let Some(last) = people.last().map(|last| last.person) else { return Ok(people) };
    let places: HashMap<Uuid, usize> =
        people.iter().enumerate().map(|(place, one)| (one.person, place)).collect();
    for row in tx.query(DIAGNOSES, &params![after, last, day])? {
        let person: Uuid = row.get(0)?;
        let ill = read_ill(tx, &row)?;
        if let Some(one) = places.get(&person).and_then(|place| people.get_mut(*place)) {
            one.ill.extend(ill);
        }
    }
    for row in tx.query(MANAGED, &params![after, last])? {
        let (person, id): (Uuid, Uuid) = (row.get(0)?, row.get(1)?);
        let told = super::list::told(tx, id, row.get(3)?)?;
        let programme = told.map_or_else(|| row.get(2), |told| Ok(told.programme))?;
        if let Some(one) = places.get(&person).and_then(|place| people.get_mut(*place)) {
            one.managed.push(programme);
        }
    }
    Ok(people)
}

/// The diagnoses of a person known on `day`, with the day of the end of those that ended.
///
/// # Errors
/// When the database fails.
pub fn ill_of(tx: &mut Transaction<'_>, person: Uuid, day: Day) -> Result<Vec<Ill>, DatabaseError> {
    let mut ill = Vec::new();
    for row in tx.query(DIAGNOSES_OF, &params![person, day])? {
        ill.extend(read_ill(tx, &row)?);
    }
    Ok(ill)
}

/// The same of many people, with few statements. Who has none is not there.
///
/// # Errors
/// When the database fails.
pub fn ill_of_people(
    tx: &mut Transaction<'_>,
    people: &[Uuid],
    day: Day,
) -> Result<HashMap<Uuid, Vec<Ill>>, DatabaseError> {
    let mut all: HashMap<Uuid, Vec<Ill>> = HashMap::new();
    for people in in_fifties(people) {
        for row in tx.query(DIAGNOSES_OF_PEOPLE, &people)? {
            if row.get::<Day>(5)? <= day {
                let ill = read_ill(tx, &row)?;
                all.entry(row.get(0)?).or_default().extend(ill);
            }
        }
    }
    Ok(all)
}

fn someone(row: &Row) -> Result<Someone, DatabaseError> {
    let sex: Option<String> = row.get(3)?;
    let sex: Option<Sex> = sex.and_then(|sex| serde_json::from_value(serde_json::Value::String(sex)).ok());
    Ok(Someone {
        person: row.get(0)?,
        home: row.get(1)?,
        who: Who { birth: row.get(2)?, sex },
        ill: Vec::new(),
        managed: Vec::new(),
    })
}

/// A diagnosis; none where its code is none that lists could hold.
fn read_ill(tx: &mut Transaction<'_>, row: &Row) -> Result<Option<Ill>, DatabaseError> {
    let code: String = match tx.opened(TOLD, row.get(1)?, row.get(3)?)? {
        Some(json) => {
            let texts: Vec<String> = serde_json::from_str(&json)
                .map_err(|_| DatabaseError::WrongType { column: 3, expected: "what tells a diagnosis" })?;
            texts.into_iter().next().unwrap_or_default()
        }
        None => row.get(2)?,
    };
    let (sensitive, since, ended) = (row.get(4)?, row.get(5)?, row.get(6)?);
    Ok(code.parse().ok().map(|code| Ill { code, sensitive, since, ended }))
}
