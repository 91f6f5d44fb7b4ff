//! The facts of this programme about people, read.

use std::collections::HashMap;

use kangmai_base::{Moment, Uuid, on_all_cores};
use kangmai_database::{DatabaseError, Opener, Row, Transaction, in_fifties, params};
use kangmai_record::open_body_by;
use serde::de::DeserializeOwned;

use crate::chart::{Chart, Event, What};
use crate::facts::{CLASSIFIED, CLOSED, ENROLLED, HAPPENED, MISSED, REPORTED, UNDONE, VISITED};

const EVENTS: &str = "select id, kind, author, recorded_at, body, body_sealed, subject from fact
    where subject = $1 and kind in ('follow_up.enrolled', 'follow_up.closed', 'follow_up.visited',
    'follow_up.classified', 'follow_up.missed', 'follow_up.undone', 'follow_up.happened',
    'follow_up.reported') and erased_at is null
    order by received_at, place, place_sequence limit 10000";

/// Of 50 people at once.
const EVENTS_OF: &str = "select id, kind, author, recorded_at, body, body_sealed, subject from fact
    where kind in ('follow_up.enrolled', 'follow_up.closed', 'follow_up.visited',
    'follow_up.classified', 'follow_up.missed', 'follow_up.undone', 'follow_up.happened',
    'follow_up.reported') and erased_at is null and subject in
    ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17,
    $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34,
    $35, $36, $37, $38, $39, $40, $41, $42, $43, $44, $45, $46, $47, $48, $49, $50)
    order by received_at, place, place_sequence";

/// The facts of this programme about a person, in the order in which they came.
///
/// # Errors
/// When the database fails or a fact cannot be read.
pub fn events_of(tx: &mut Transaction<'_>, person: Uuid) -> Result<Vec<Event>, DatabaseError> {
    let rows = tx.query(EVENTS, &params![person])?;
    let opener = tx.opener()?;
    rows.iter().map(|row| event(&opener, row)).collect()
}

/// The same of many people, with few statements and on all cores. Who has none is not there.
///
/// # Errors
/// As [`events_of`].
pub fn events_of_people(
    tx: &mut Transaction<'_>,
    people: &[Uuid],
) -> Result<HashMap<Uuid, Vec<Event>>, DatabaseError> {
    let opener = tx.opener()?;
    let mut events: HashMap<Uuid, Vec<Event>> = HashMap::with_capacity(people.len());
    for people in in_fifties(people) {
        let rows = tx.query(EVENTS_OF, &people)?;
        let read =
            |row: &Row| -> Result<(Uuid, Event), DatabaseError> { Ok((row.get(6)?, event(&opener, row)?)) };
        for found in on_all_cores(&rows, read) {
            let (person, event) = found?;
            events.entry(person).or_default().push(event);
        }
    }
    Ok(events)
}

/// A person's chart.
///
/// # Errors
/// As [`events_of`].
pub fn chart_of(tx: &mut Transaction<'_>, person: Uuid) -> Result<Chart, DatabaseError> {
    Ok(Chart::of(&events_of(tx, person)?))
}

fn event(opener: &Opener, row: &Row) -> Result<Event, DatabaseError> {
    let (id, kind): (Uuid, String) = (row.get(0)?, row.get(1)?);
    let recorded_at: Moment = row.get(3)?;
    let body = open_body_by(opener, id, (row.get(4)?, row.get(5)?))?;
    let what = match kind.as_str() {
        ENROLLED => What::Enrolled(read(&body)?),
        CLOSED => What::Closed(read(&body)?),
        VISITED => What::Visited(read(&body)?),
        CLASSIFIED => What::Classified(read(&body)?),
        MISSED => What::Missed(read(&body)?),
        UNDONE => What::Undone(read(&body)?),
        HAPPENED => What::Happened(read(&body)?),
        REPORTED => What::Reported(read(&body)?),
        _ => return Err(DatabaseError::WrongType { column: 1, expected: "kind of a follow-up" }),
    };
    Ok(Event { id, author: row.get(2)?, recorded_on: recorded_at.day(), what })
}

fn read<T: DeserializeOwned>(body: &str) -> Result<T, DatabaseError> {
    serde_json::from_str(body).map_err(|_| DatabaseError::WrongType { column: 4, expected: "follow-up" })
}
