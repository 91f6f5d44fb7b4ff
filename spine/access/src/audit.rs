//! Who did or read what, when, why and from where.

use kangmai_base::{DivisionCode, Id, Moment, Uuid};
use kangmai_database::{DatabaseError, Transaction};
use kangmai_seal::Purpose as DigestPurpose;

use crate::store::audit as store;
use crate::{Account, Actor, Reach, Role};

/// What the program marks a line for.
pub(crate) const MARK: DigestPurpose = DigestPurpose("audit_row.mark");

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
    /// The address that it was asked from; none: at the console, or by the program itself.
    pub address: Option<String>,
    /// The page or operation that was asked, without what was filled in.
    pub asked: Option<String>,
}

/// A line as it is kept, hashed and marked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) id: Uuid,
    pub(crate) at: Moment,
    pub(crate) account: Option<Uuid>,
    pub(crate) role: String,
    pub(crate) action: String,
    pub(crate) subject: Option<Uuid>,
    pub(crate) place: DivisionCode,
    pub(crate) reason: String,
    pub(crate) outcome: String,
    pub(crate) address: Option<String>,
    pub(crate) asked: Option<String>,
}

impl Line {
    /// The bytes that stand for the line; two lines never have the same.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(256);
        let (at, place) = (self.at.0.to_be_bytes(), self.place.number().to_be_bytes());
        let account = self.account.map(Uuid::into_bytes);
        let subject = self.subject.map(Uuid::into_bytes);
        let parts: [Option<&[u8]>; 11] = [
            Some(self.id.as_bytes()),
            Some(&at),
            account.as_ref().map(|id| &id[..]),
            Some(self.role.as_bytes()),
            Some(self.action.as_bytes()),
            subject.as_ref().map(|id| &id[..]),
            Some(&place),
            Some(self.reason.as_bytes()),
            Some(self.outcome.as_bytes()),
            self.address.as_ref().map(|text| text.as_bytes()),
            self.asked.as_ref().map(|text| text.as_bytes()),
        ];
        for part in parts {
            // What is not there is told apart from what is empty.
            let length = part.map_or(u64::MAX, |part| part.len() as u64);
            bytes.extend_from_slice(&length.to_be_bytes());
            bytes.extend_from_slice(part.unwrap_or_default());
        }
        bytes
    }
}

/// Writes one line of the audit trail, in the transaction of what it tells of. From where and what was asked it takes
/// from the transaction.
///
/// # Errors
/// When the database holds no keys or fails.
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
    let behalf = tx.behalf();
    let line = Line {
        id,
        at: now,
        account: (actor.role != Role::System).then_some(actor.account.uuid()),
        role: actor.role.key().to_owned(),
        action: action.to_owned(),
        subject,
        place,
        reason: reason.to_owned(),
        outcome: outcome.to_owned(),
        address: behalf.as_ref().map(|behalf| behalf.address.clone()),
        asked: behalf.as_ref().map(|behalf| behalf.asked.clone()),
    };
    let mark = tx.digest(MARK, &line.bytes())?;
    store::insert(tx, &line, mark.bytes())?;
    if let Some(behalf) = behalf {
        behalf.tell();
    }
    Ok(())
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
    store::rows(tx, reach, offset, limit)
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
    store::rows_of(tx, reach, subject, limit)
}
