//! Reading facts.

use std::collections::HashSet;

use kangmai_access::{Purpose, Reach};
use kangmai_base::{Moment, Uuid};
use kangmai_database::{DatabaseError, Transaction};

use crate::{Fact, Subject, store};

/// The facts about `subject` within reach that happened before `before`, newest first.
///
/// # Errors
/// When the database fails.
pub fn timeline(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    subject: Subject,
    before: Option<Moment>,
    limit: i64,
) -> Result<Vec<Fact>, DatabaseError> {
    debug_assert!(reach.purpose() != Purpose::Home, "a timeline is read for a purpose");
    store::timeline(tx, reach, subject.id, before, limit)
}

/// The facts about `subject` of one kind, oldest first; for rules that fold over them.
///
/// # Errors
/// When the database fails.
pub fn facts_of_kind(
    tx: &mut Transaction<'_>,
    subject: Uuid,
    kind: &str,
) -> Result<Vec<Fact>, DatabaseError> {
    store::facts_of_kind(tx, subject, kind)
}

/// The facts about `subject` that somebody put right, withdrew or took back by hand. What was taken back itself strikes
/// nothing out any more.
///
/// # Errors
/// When the database fails.
pub fn struck_out(tx: &mut Transaction<'_>, subject: Uuid) -> Result<HashSet<Uuid>, DatabaseError> {
    let mut struck = HashSet::new();
    for (fact, other) in store::put_right_of(tx, subject)? {
        if !struck.contains(&fact) {
            struck.insert(other);
        }
    }
    Ok(struck)
}
