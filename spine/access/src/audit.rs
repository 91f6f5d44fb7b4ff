//! Who did or read what, when and why.

use kangmai_base::{DivisionCode, Id, Moment, Uuid};
use kangmai_database::{DatabaseError, Transaction};

use crate::{Account, Actor, Reach, store};

/// One line of the audit trail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRow {
    /// When.
    pub at: Moment,
    /// Who; `None` for the system.
    pub account: Option<Id<Account>>,
    /// What to call them today.
    pub name: Option<String>,
    /// In which role, by its key.
    pub role: String,
    /// What was done: `read_person`, `sign_in`, `export` …; its word is `access.action.` and this.
    pub action: String,
    /// Whose record, if it is one person's, household's or account's.
    pub subject: Option<Uuid>,
    /// Where.
    pub place: DivisionCode,
    /// Why, if they were asked.
    pub reason: String,
    /// `done` or `refused`.
    pub outcome: String,
}

/// Writes one line of the audit trail, in the transaction of what it tells of.
///
/// # Errors
/// When the database fails.
#[expect(
    clippy::too_many_arguments,
    reason = "who, what, whose, where, why and the outcome are what a line is"
)]
pub fn audit(
    tx: &mut Transaction<'_>,
    id: Uuid,
    now: Moment,
    actor: &Actor,
    action: &str,
    subject: Option<Uuid>,
    place: DivisionCode,
    reason: &str,
    outcome: &str,
) -> Result<(), DatabaseError> {
    store::insert_audit(tx, id, now, actor, action, subject, place, reason, outcome)
}

/// The newest lines within reach.
///
/// # Errors
/// When the database fails.
pub fn list_audit(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    offset: i64,
    limit: i64,
) -> Result<Vec<AuditRow>, DatabaseError> {
    store::audit_rows(tx, reach, offset, limit)
}

/// The newest lines about one person, household or account: who read this record.
///
/// # Errors
/// When the database fails.
pub fn audit_of_subject(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    subject: Uuid,
    limit: i64,
) -> Result<Vec<AuditRow>, DatabaseError> {
    store::audit_rows_of(tx, reach, subject, limit)
}
