//! The view of this programme; the only file with SQL.

use kangmai_access::Reach;
use kangmai_base::{Day, DivisionCode};
use kangmai_database::{DatabaseError, Transaction, params};
use kangmai_record::{Fact, Projection, nothing_along, nothing_to_forget};

use crate::facts::{NOTED, Noted};

const INSERT_NOTE: &str = "insert into skeleton_note (id, place, on_day, note) values ($1, $2, $3, $4)
    on conflict (id) do update set place = excluded.place, on_day = excluded.on_day, note = excluded.note";
const LIST_NOTES: &str = "select on_day, note from skeleton_note
    where place between $1 and $2 order by on_day desc, id limit $3 offset $4";
const COUNT_NOTES: &str = "select count(*) from skeleton_note where place between $1 and $2";

/// The view of all notes.
pub const NOTES: Projection = Projection {
    name: "skeleton notes",
    kinds: &[NOTED],
    views: &["skeleton_note"],
    admit: |fact| fact.read_body::<Noted>().map(|_| ()),
    apply,
    along: nothing_along,
    // A note is about a place. A table with a column `person` or `household` gives up its rows here.
    forget: nothing_to_forget,
};

fn apply(tx: &mut Transaction<'_>, facts: &[&Fact]) -> Result<(), DatabaseError> {
    for fact in facts {
        let body: Noted = fact.body()?;
        let place: DivisionCode = fact.new.place;
        tx.execute(INSERT_NOTE, &params![fact.new.id, place, body.on, body.note])?;
    }
    Ok(())
}

/// Notes within reach, the latest first.
///
/// # Errors
/// When the database fails.
pub fn list(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    limit: i64,
    offset: i64,
) -> Result<Vec<Noted>, DatabaseError> {
    let rows = tx.query(LIST_NOTES, &params![reach.first(), reach.last(), limit, offset])?;
    rows.iter().map(|row| Ok(Noted { on: row.get::<Day>(0)?, note: row.get(1)? })).collect()
}

/// How many notes are within reach.
///
/// # Errors
/// When the database fails.
pub fn count(tx: &mut Transaction<'_>, reach: &Reach) -> Result<i64, DatabaseError> {
    tx.query_one(COUNT_NOTES, &params![reach.first(), reach.last()])?.map_or(Ok(0), |row| row.get(0))
}
