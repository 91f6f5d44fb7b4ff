//! The SQL of erasing: a tombstone keeps its row.

use kangmai_base::{Moment, Uuid};
use kangmai_database::{DatabaseError, Transaction, params};

use super::{BODY, PARKED_FACT};
use crate::Subject;
use crate::erase::RESOLUTION;

const ERASE_FACTS: &str = "update fact set body = '', body_sealed = null, erased_at = $3
    where subject = $1 and subject_kind = $2 and erased_at is null";
const WAS_ERASED: &str =
    "select 1 from fact where subject = $1 and subject_kind = $2 and erased_at is not null limit 1";
const LET_GO: &str = "delete from fact where subject = $1 and subject_kind = $2";
const ERASE_FACT: &str =
    "update fact set body = '', body_sealed = null, erased_at = $2 where id = $1 and erased_at is null";
const CUT_FACT: &str =
    "update fact set body = '', body_sealed = $2, cut_at = $3 where id = $1 and erased_at is null";
const PARKED_AFTER: &str = "select id, fact, fact_sealed from parked_fact
    where id > $1 and (fact <> '' or fact_sealed is not null) order by id limit $2";
const ERASE_PARKED: &str = "update parked_fact set fact = '', fact_sealed = null,
    resolved_at = coalesce(resolved_at, $2), resolution = coalesce(resolution, $3) where id = $1";

/// Parked facts that are read at once.
const PARKED_AT_ONCE: usize = 500;

/// Empties all facts about a subject; answers how many.
pub(crate) fn erase_facts(
    tx: &mut Transaction<'_>,
    subject: Subject,
    now: Moment,
) -> Result<u64, DatabaseError> {
    tx.execute(ERASE_FACTS, &params![subject.id, subject.kind.key(), now])
}

/// Whether what was known of a subject was erased.
///
/// # Errors
/// When the database fails.
pub fn was_erased(tx: &mut Transaction<'_>, subject: Subject) -> Result<bool, DatabaseError> {
    Ok(tx.query_one(WAS_ERASED, &params![subject.id, subject.kind.key()])?.is_some())
}

/// Takes all facts about a subject away, of a copy of another's record; answers how many.
pub(crate) fn let_go_facts(tx: &mut Transaction<'_>, subject: Subject) -> Result<u64, DatabaseError> {
    tx.execute(LET_GO, &params![subject.id, subject.kind.key()])
}

/// Empties one fact; answers how many.
pub(crate) fn erase_fact(tx: &mut Transaction<'_>, fact: Uuid, now: Moment) -> Result<u64, DatabaseError> {
    tx.execute(ERASE_FACT, &params![fact, now])
}

/// Lets a fact say `body` from now on: what is left of what it said.
pub(crate) fn cut_fact(
    tx: &mut Transaction<'_>,
    fact: Uuid,
    body: &str,
    now: Moment,
) -> Result<(), DatabaseError> {
    let sealed = tx.sealed(BODY, fact, Some(body))?;
    tx.execute(CUT_FACT, &params![fact, sealed, now])?;
    Ok(())
}

/// Empties every parked fact that names one of these, its subject among others. What is parked is sealed, so each is opened;
/// few are.
pub(crate) fn erase_parked(
    tx: &mut Transaction<'_>,
    subjects: &[Subject],
    now: Moment,
) -> Result<(), DatabaseError> {
    let names: Vec<String> = subjects.iter().map(|subject| subject.id.to_string()).collect();
    let limit = i64::try_from(PARKED_AT_ONCE).unwrap_or(i64::MAX);
    let mut after = Uuid::nil();
    loop {
        let rows = tx.query(PARKED_AFTER, &params![after, limit])?;
        for row in &rows {
            after = row.get(0)?;
            let text = tx.opened(PARKED_FACT, after, row.get(2)?)?;
            let text: String = text.map_or_else(|| row.get(1), Ok)?;
            if names.iter().any(|name| text.contains(name.as_str())) {
                tx.execute(ERASE_PARKED, &params![after, now, RESOLUTION])?;
            }
        }
        if rows.len() < PARKED_AT_ONCE {
            return Ok(());
        }
    }
}
