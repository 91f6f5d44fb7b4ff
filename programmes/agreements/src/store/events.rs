//! Facts about one person, read: of this programme, of follow-up, and diagnoses as the view `diagnosis` has them.

use kangmai_base::{Day, Moment, Uuid};
use kangmai_database::{DatabaseError, Row, Transaction, params};
use kangmai_people::{Label, Person};
use kangmai_policy::Icd10;
use kangmai_record::open_body;
use serde::de::DeserializeOwned;

use crate::care::{Care, CareEvent, CareFact};
use crate::facts::{DONE, ENDED, MOVED, OFFERED, PLANNED, SIGNED, UNDONE};
use crate::folder::{Event, Folder, What};
use crate::rules::Known;

const EVENTS: &str = "select id, kind, author, recorded_at, body, body_sealed from fact
    where subject = $1 and kind in ('agreements.offered', 'agreements.signed', 'agreements.moved',
    'agreements.ended', 'agreements.done', 'agreements.planned', 'agreements.undone') and erased_at is null
    order by received_at, place, place_sequence limit 10000";
const CARE: &str = "select id, kind, author, recorded_at, body, body_sealed from fact
    where subject = $1 and kind in ('follow_up.enrolled', 'follow_up.closed', 'follow_up.visited',
    'follow_up.classified', 'follow_up.undone') and erased_at is null
    order by received_at, place, place_sequence limit 10000";
const DIAGNOSES_OF: &str = "select id, code, name, told_sealed, sensitive, from_day from diagnosis
    where person = $1 and from_day <= $2 and (to_day is null or to_day > $2) order by from_day, id limit 100";
/// The cell of the view `diagnosis` in which what is of level 5 is sealed: a list of texts, the code first, the name third.
const TOLD: (&str, &str) = ("diagnosis", "told_sealed");

/// The facts of this programme about a person, in the order in which they came.
///
/// # Errors
/// When the database fails or a fact cannot be read.
pub fn events_of(tx: &mut Transaction<'_>, person: Uuid) -> Result<Vec<Event>, DatabaseError> {
    let rows = tx.query(EVENTS, &params![person])?;
    rows.iter().map(|row| event(tx, row)).collect()
}

/// A person's folder.
///
/// # Errors
/// As [`events_of`].
pub fn folder_of(tx: &mut Transaction<'_>, person: Uuid) -> Result<Folder, DatabaseError> {
    Ok(Folder::of(&events_of(tx, person)?))
}

/// What the facts of follow-up say of a person.
///
/// # Errors
/// As [`events_of`].
pub fn care_of(tx: &mut Transaction<'_>, person: Uuid) -> Result<Care, DatabaseError> {
    let rows = tx.query(CARE, &params![person])?;
    let events: Vec<CareEvent> = rows.iter().map(|row| care(tx, row)).collect::<Result<_, _>>()?;
    Ok(Care::of(&events))
}

fn event(tx: &mut Transaction<'_>, row: &Row) -> Result<Event, DatabaseError> {
    let (id, kind): (Uuid, String) = (row.get(0)?, row.get(1)?);
    let recorded_at: Moment = row.get(3)?;
    let body = open_body(tx, id, (row.get(4)?, row.get(5)?))?;
    let what = match kind.as_str() {
        OFFERED => What::Offered(read(&body)?),
        SIGNED => What::Signed(Box::new(read(&body)?)),
        MOVED => What::Moved(read(&body)?),
        ENDED => What::Ended(read(&body)?),
        DONE => What::Done(read(&body)?),
        PLANNED => What::Planned(read(&body)?),
        UNDONE => What::Undone(read(&body)?),
        _ => return Err(DatabaseError::WrongType { column: 1, expected: "kind of an agreement" }),
    };
    Ok(Event { id, author: row.get(2)?, recorded_on: recorded_at.day(), what })
}

fn care(tx: &mut Transaction<'_>, row: &Row) -> Result<CareEvent, DatabaseError> {
    let (id, kind): (Uuid, String) = (row.get(0)?, row.get(1)?);
    let body = open_body(tx, id, (row.get(4)?, row.get(5)?))?;
    let what = match kind.as_str() {
        "follow_up.enrolled" => CareFact::Enrolled(read(&body)?),
        "follow_up.closed" => CareFact::Closed(read(&body)?),
        "follow_up.visited" => CareFact::Visited(read(&body)?),
        "follow_up.classified" => CareFact::Classified(read(&body)?),
        _ => CareFact::Undone(read(&body)?),
    };
    Ok(CareEvent { id, what })
}

fn read<T: DeserializeOwned>(body: &str) -> Result<T, DatabaseError> {
    serde_json::from_str(body).map_err(|_| DatabaseError::WrongType { column: 4, expected: "agreement" })
}

/// A diagnosis in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnosed {
    /// Its code, where it is one that lists could hold.
    pub code: Option<Icd10>,
    /// What it is called.
    pub name: String,
    /// Level 5.
    pub sensitive: bool,
    /// Since when.
    pub since: Day,
}

/// The diagnoses of a person in force on `day`.
///
/// # Errors
/// When the database fails.
pub fn diagnosed_of(
    tx: &mut Transaction<'_>,
    person: Uuid,
    day: Day,
) -> Result<Vec<Diagnosed>, DatabaseError> {
    let mut all = Vec::new();
    for row in tx.query(DIAGNOSES_OF, &params![person, day])? {
        let (code, name): (String, String) = match tx.opened(TOLD, row.get(0)?, row.get(3)?)? {
            Some(json) => {
                let wrong = |_| DatabaseError::WrongType { column: 3, expected: "what tells a diagnosis" };
                let texts: Vec<String> = serde_json::from_str(&json).map_err(wrong)?;
                let text = |at: usize| texts.get(at).cloned().unwrap_or_default();
                (text(0), text(2))
            }
            None => (row.get(1)?, row.get(2)?),
        };
        let (sensitive, since) = (row.get(4)?, row.get(5)?);
        all.push(Diagnosed { code: code.parse().ok(), name, sensitive, since });
    }
    Ok(all)
}

/// What a person is, as far as packages ask, on `day`.
///
/// # Errors
/// When the database fails.
pub fn known_of(tx: &mut Transaction<'_>, person: &Person, day: Day) -> Result<Known, DatabaseError> {
    let ill = diagnosed_of(tx, person.id.uuid(), day)?;
    Ok(Known {
        ill: ill.iter().filter_map(|one| Some((one.code?, one.sensitive))).collect(),
        labels: person.labels_on(day).into_iter().map(Label::key).collect(),
        birth: person.body.birth,
        sex: person.body.sex,
    })
}
