//! Facts that broke a rule wait for a person; none is dropped.

use kangmai_access::{Actor, Reach};
use kangmai_base::{DivisionCode, Moment, Refusal, Uuid};
use kangmai_database::{DatabaseError, Transaction};

use crate::{NewFact, store};

/// A fact that was put aside.
#[derive(Debug, Clone, PartialEq)]
pub struct ParkedFact {
    /// Which parking it is.
    pub id: Uuid,
    /// When it was put aside.
    pub parked_at: Moment,
    /// Where.
    pub place: DivisionCode,
    /// Why: key of a sentence.
    pub reason: String,
    /// The fact.
    pub fact: NewFact,
}

/// Puts a fact aside that came from outside and that a rule speaks against: for doors, which hand facts on.
///
/// # Errors
/// When the database fails.
pub fn park_fact(
    tx: &mut Transaction<'_>,
    now: Moment,
    fact: &NewFact,
    refusal: &Refusal,
) -> Result<(), DatabaseError> {
    park(tx, now, fact, refusal)
}

/// Puts a fact aside. The same fact for the same reason waits once however often it comes.
pub(crate) fn park(
    tx: &mut Transaction<'_>,
    now: Moment,
    fact: &NewFact,
    refusal: &Refusal,
) -> Result<(), DatabaseError> {
    let text =
        serde_json::to_string(fact).map_err(|_| DatabaseError::Refused("a fact cannot be written".into()))?;
    tracing::warn!(fact = %fact.id, kind = fact.kind, reason = refusal.key, "a fact was parked");
    store::insert_parked(tx, now, fact.place, refusal.key, &text)
}

/// The parked facts within reach that nobody has looked after yet, oldest first.
///
/// # Errors
/// When the database fails.
pub fn list_parked(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    offset: i64,
    limit: i64,
) -> Result<Vec<ParkedFact>, DatabaseError> {
    store::parked(tx, reach, offset, limit)
}

/// How many wait within reach.
///
/// # Errors
/// When the database fails.
pub fn parked_waiting(tx: &mut Transaction<'_>, reach: &Reach) -> Result<i64, DatabaseError> {
    store::parked_waiting(tx, reach)
}

/// Writes down what was done about a parked fact; it stays in the table. Answers whether one waited there.
///
/// # Errors
/// When the database fails.
pub fn resolve_parked(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    by: &Actor,
    id: Uuid,
    resolution: &str,
    now: Moment,
) -> Result<bool, DatabaseError> {
    store::resolve_parked(tx, reach, by, id, resolution, now)
}
