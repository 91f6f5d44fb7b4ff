//! Looking through the audit trail: by who, whose, what, when; and lists of what is out of the ordinary. What counts as that is
//! our own choice and can be set: no rule of the field draws these lines. Each list is a hint to look, never a finding.

use kangmai_base::{Id, Moment, Uuid};
use kangmai_database::{DatabaseError, Transaction};

use crate::store::audit_search as store;
use crate::{Account, AuditRow, Reach};

/// What is looked for; what is left open matches everything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditWanted {
    /// Who.
    pub account: Option<Uuid>,
    /// Whose record.
    pub subject: Option<Uuid>,
    /// What was done.
    pub action: Option<String>,
    /// `done` or `refused`.
    pub outcome: Option<String>,
    /// From this moment on.
    pub since: Moment,
    /// Before this moment.
    pub until: Moment,
}

/// What counts as out of the ordinary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuditWatch {
    /// The hour in China at which the night begins.
    pub night_from_hour: i64,
    /// The hour at which it ends.
    pub night_until_hour: i64,
    /// Looks at night, of one account in the time looked at.
    pub night_reads: i64,
    /// Persons that one account looks at within an hour of the clock.
    pub people_an_hour: i64,
    /// Files that one account takes out on one day.
    pub exports_a_day: i64,
    /// Persons that one account looks at in the time looked at, without a relation and without doing anything for them.
    pub people_without_act: i64,
}

impl AuditWatch {
    /// What holds unless somebody sets something else: values of ours, to be moved once a county has seen its own weeks.
    pub const USUAL: AuditWatch = AuditWatch {
        night_from_hour: 22,
        night_until_hour: 6,
        night_reads: 10,
        people_an_hour: 60,
        exports_a_day: 5,
        people_without_act: 30,
    };
}

/// Days before and after a look within which doing something for the person explains it.
pub(crate) const ACT_WITHIN_DAYS: i64 = 7;

/// A kind of what is out of the ordinary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnusualKind {
    /// Looks at night.
    Night,
    /// Many persons within an hour.
    ManyPeople,
    /// Many files on a day.
    ManyExports,
    /// Persons without a relation and without anything done for them.
    WithoutAct,
}

impl UnusualKind {
    /// All kinds.
    pub const ALL: [UnusualKind; 4] =
        [UnusualKind::Night, UnusualKind::ManyPeople, UnusualKind::ManyExports, UnusualKind::WithoutAct];

    /// The name in keys of words.
    pub const fn key(self) -> &'static str {
        match self {
            UnusualKind::Night => "night",
            UnusualKind::ManyPeople => "many_people",
            UnusualKind::ManyExports => "many_exports",
            UnusualKind::WithoutAct => "without_act",
        }
    }
}

/// Somebody who is worth a look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unusual {
    /// Who.
    pub account: Id<Account>,
    /// What to call them today.
    pub name: Option<String>,
    /// In which role, by its key.
    pub role: String,
    /// How many lines.
    pub lines: i64,
    /// Of how many persons.
    pub people: i64,
    /// The first of them.
    pub first: Moment,
    /// The last of them.
    pub last: Moment,
}

/// The lines that match, the newest first.
///
/// # Errors
/// When the database fails.
pub fn search_audit(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    wanted: &AuditWanted,
    offset: i64,
    limit: i64,
) -> Result<Vec<AuditRow>, DatabaseError> {
    store::search(tx, reach, wanted, offset, limit)
}

/// The account or client within reach that is called so: by sign-in name, else by the name that is shown.
///
/// # Errors
/// When the database fails.
pub fn account_called(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    name: &str,
) -> Result<Option<Uuid>, DatabaseError> {
    store::account_called(tx, reach, name)
}

/// Accounts that are out of the ordinary, the most first.
///
/// # Errors
/// When the database fails.
pub fn unusual_audit(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    watch: &AuditWatch,
    kind: UnusualKind,
    (since, until): (Moment, Moment),
) -> Result<Vec<Unusual>, DatabaseError> {
    store::unusual(tx, reach, watch, kind, (since, until))
}

/// Everything that was done with one record, wherever whoever did it stands, the newest first: what its owner may be told. The
/// caller has made sure that the record is within reach.
///
/// # Errors
/// When the database fails.
pub fn readers_of(
    tx: &mut Transaction<'_>,
    subject: Uuid,
    limit: i64,
) -> Result<Vec<AuditRow>, DatabaseError> {
    store::readers(tx, subject, limit)
}
