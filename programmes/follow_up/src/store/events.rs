//! The facts of this programme about one person, read.

use kangmai_base::{Moment, Uuid};
use kangmai_database::{DatabaseError, Row, Transaction, params};
use kangmai_record::open_body;
use serde::de::DeserializeOwned;

use crate::chart::{Chart, Event, What};
use crate::facts::{CLASSIFIED, CLOSED, ENROLLED, MISSED, UNDONE, VISITED};

const EVENTS: &str = "select id, kind, author, recorded_at, body, body_sealed from fact
    where subject = $1 and kind in ('follow_up.enrolled', 'follow_up.closed', 'follow_up.visited',
    'follow_up.classified', 'follow_up.missed', 'follow_up.undone') and erased_at is null
    order by received_at, place, place_sequence limit 10000";

/// The facts of this programme about a person, in the order in which they came.
///
/// # Errors
/// When the database fails or a fact cannot be read.
pub fn events_of(tx: &mut Transaction<'_>, person: Uuid) -> Result<Vec<Event>, DatabaseError> {
    let rows = tx.query(EVENTS, &params![person])?;
    rows.iter().map(|row| event(tx, row)).collect()
}

/// A person's chart.
///
/// # Errors
/// As [`events_of`].
pub fn chart_of(tx: &mut Transaction<'_>, person: Uuid) -> Result<Chart, DatabaseError> {
    Ok(Chart::of(&events_of(tx, person)?))
}

fn event(tx: &mut Transaction<'_>, row: &Row) -> Result<Event, DatabaseError> {
    let (id, kind): (Uuid, String) = (row.get(0)?, row.get(1)?);
    let recorded_at: Moment = row.get(3)?;
    let body = open_body(tx, id, (row.get(4)?, row.get(5)?))?;
    let what = match kind.as_str() {
        ENROLLED => What::Enrolled(read(&body)?),
        CLOSED => What::Closed(read(&body)?),
        VISITED => What::Visited(read(&body)?),
        CLASSIFIED => What::Classified(read(&body)?),
        MISSED => What::Missed(read(&body)?),
        UNDONE => What::Undone(read(&body)?),
        _ => return Err(DatabaseError::WrongType { column: 1, expected: "kind of a follow-up" }),
    };
    Ok(Event { id, author: row.get(2)?, recorded_on: recorded_at.day(), what })
}

fn read<T: DeserializeOwned>(body: &str) -> Result<T, DatabaseError> {
    serde_json::from_str(body).map_err(|_| DatabaseError::WrongType { column: 4, expected: "follow-up" })
}
