//! Facts about one person, read: of this programme, and of follow-up.

use kangmai_base::{Moment, Uuid};
use kangmai_database::{DatabaseError, Row, Transaction, params};
use kangmai_record::open_body;
use serde::de::DeserializeOwned;

use crate::facts::{ANSWERED, ARRIVED, ENDED, OPENED, UNDONE, WAIVED};
use crate::folder::{Event, Folder, What};
use crate::visits::{VisitEvent, VisitFact, Visits};

const EVENTS: &str = "select id, kind, author, recorded_at, body, body_sealed from fact
    where subject = $1 and kind in ('referral.opened', 'referral.answered', 'referral.arrived',
    'referral.ended', 'referral.waived', 'referral.undone') and erased_at is null
    order by received_at, place, place_sequence limit 10000";
const VISITS: &str = "select id, kind, author, recorded_at, body, body_sealed from fact
    where subject = $1 and kind in ('follow_up.visited', 'follow_up.classified', 'follow_up.undone')
    and erased_at is null order by received_at, place, place_sequence limit 10000";

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

/// What follow-up says of a person.
///
/// # Errors
/// As [`events_of`].
pub fn visits_of(tx: &mut Transaction<'_>, person: Uuid) -> Result<Visits, DatabaseError> {
    let rows = tx.query(VISITS, &params![person])?;
    let events: Vec<VisitEvent> = rows.iter().map(|row| visit(tx, row)).collect::<Result<_, _>>()?;
    Ok(Visits::of(&events))
}

fn event(tx: &mut Transaction<'_>, row: &Row) -> Result<Event, DatabaseError> {
    let (id, kind): (Uuid, String) = (row.get(0)?, row.get(1)?);
    let recorded_at: Moment = row.get(3)?;
    let body = open_body(tx, id, (row.get(4)?, row.get(5)?))?;
    let what = match kind.as_str() {
        OPENED => What::Opened(Box::new(read(&body)?)),
        ANSWERED => What::Answered(read(&body)?),
        ARRIVED => What::Arrived(read(&body)?),
        ENDED => What::Ended(read(&body)?),
        WAIVED => What::Waived(read(&body)?),
        UNDONE => What::Undone(read(&body)?),
        _ => return Err(DatabaseError::WrongType { column: 1, expected: "kind of a referral" }),
    };
    Ok(Event { id, author: row.get(2)?, recorded_on: recorded_at.day(), what })
}

fn visit(tx: &mut Transaction<'_>, row: &Row) -> Result<VisitEvent, DatabaseError> {
    let (id, kind): (Uuid, String) = (row.get(0)?, row.get(1)?);
    let body = open_body(tx, id, (row.get(4)?, row.get(5)?))?;
    let what = match kind.as_str() {
        "follow_up.visited" => VisitFact::Visited(read(&body)?),
        "follow_up.classified" => VisitFact::Classified(read(&body)?),
        _ => VisitFact::Undone(read(&body)?),
    };
    Ok(VisitEvent { id, what })
}

fn read<T: DeserializeOwned>(body: &str) -> Result<T, DatabaseError> {
    serde_json::from_str(body).map_err(|_| DatabaseError::WrongType { column: 4, expected: "referral" })
}
