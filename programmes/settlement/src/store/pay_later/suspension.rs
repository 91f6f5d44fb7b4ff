//! Suspensions of the right to treatment before payment.

use kangmai_access::Reach;
use kangmai_base::{Day, DivisionCode, Fen, Uuid};
use kangmai_database::{DatabaseError, Opener, Row, Transaction, params};
use kangmai_people::read_name;

const SUSPENSION: &str = "select suspension.id, suspension.person, suspension.home, suspension.suspended_on,
    suspension.overdue, suspension.reason, suspension.appealed_on, suspension.appeal, suspension.answered_on,
    suspension.answer, suspension.state, person.name_sealed, account.display_name
    from suspension left join person on person.id = suspension.person
    left join account on account.id = suspension.suspended_by
    where suspension.id = $1 and suspension.home between $2 and $3
    and (cast($4 as uuid) is null or exists (select 1 from own_share where own_share.person = suspension.person
        and own_share.institution = $4))";
const SUSPENSIONS: &str = "select suspension.id, suspension.person, suspension.home, suspension.suspended_on,
    suspension.overdue, suspension.reason, suspension.appealed_on, suspension.appeal, suspension.answered_on,
    suspension.answer, suspension.state, person.name_sealed, account.display_name
    from suspension left join person on person.id = suspension.person
    left join account on account.id = suspension.suspended_by
    where suspension.home between $1 and $2 and (cast($3 as text) is null or suspension.state = $3)
    and (cast($4 as uuid) is null or exists (select 1 from own_share where own_share.person = suspension.person
        and own_share.institution = $4))
    order by suspension.suspended_on desc, suspension.id limit $5 offset $6";
const OF_PERSON: &str = "select suspension.id, suspension.person, suspension.home, suspension.suspended_on,
    suspension.overdue, suspension.reason, suspension.appealed_on, suspension.appeal, suspension.answered_on,
    suspension.answer, suspension.state, person.name_sealed, account.display_name
    from suspension left join person on person.id = suspension.person
    left join account on account.id = suspension.suspended_by
    where suspension.person = $1 order by suspension.suspended_on desc, suspension.id limit 50";
const COUNT: &str = "select count(*) from suspension where home between $1 and $2
    and (cast($3 as text) is null or state = $3)
    and (cast($4 as uuid) is null or exists (select 1 from own_share where own_share.person = suspension.person
        and own_share.institution = $4))";
const IS_SUSPENDED: &str = "select count(*) from suspension where person = $1 and suspended_on <= $2
    and (lifted_on is null or lifted_on > $2)";
const OVERDUE_OF: &str = "select cast(coalesce(sum(due.open), 0) as bigint) from own_share
    join own_share_due as due on due.bill = own_share.bill and due.due_on < $2 where own_share.person = $1";

/// Where a suspension stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SuspensionState {
    /// It holds.
    Suspended,
    /// It holds; an appeal waits for the county.
    Appealed,
    /// It holds; the county stands by it.
    Upheld,
    /// It is lifted.
    Lifted,
}

impl SuspensionState {
    /// All, in order.
    pub const ALL: [SuspensionState; 4] = [
        SuspensionState::Appealed,
        SuspensionState::Suspended,
        SuspensionState::Upheld,
        SuspensionState::Lifted,
    ];

    /// As it stands in the table and in addresses.
    pub const fn key(self) -> &'static str {
        match self {
            SuspensionState::Suspended => "suspended",
            SuspensionState::Appealed => "appealed",
            SuspensionState::Upheld => "upheld",
            SuspensionState::Lifted => "lifted",
        }
    }

    /// Key of its word.
    pub const fn word(self) -> &'static str {
        match self {
            SuspensionState::Suspended => "settlement.suspension.suspended",
            SuspensionState::Appealed => "settlement.suspension.appealed",
            SuspensionState::Upheld => "settlement.suspension.upheld",
            SuspensionState::Lifted => "settlement.suspension.lifted",
        }
    }

    /// The tone of its tag.
    pub const fn tone(self) -> &'static str {
        match self {
            SuspensionState::Suspended | SuspensionState::Upheld => "danger",
            SuspensionState::Appealed => "warning",
            SuspensionState::Lifted => "plain",
        }
    }

    /// The state with this key.
    pub fn of_key(key: &str) -> Option<SuspensionState> {
        SuspensionState::ALL.into_iter().find(|state| state.key() == key)
    }
}

/// A suspension.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suspension {
    /// Which.
    pub id: Uuid,
    /// Whose.
    pub person: Uuid,
    /// Their home place then.
    pub home: DivisionCode,
    /// Since when.
    pub suspended_on: Day,
    /// What was overdue then.
    pub overdue: Fen,
    /// What showed bad faith.
    pub reason: String,
    /// When somebody appealed.
    pub appealed_on: Option<Day>,
    /// Why.
    pub appeal: Option<String>,
    /// When the county answered.
    pub answered_on: Option<Day>,
    /// What.
    pub answer: Option<String>,
    /// Where it stands.
    pub state: SuspensionState,
    /// The person's name.
    pub person_name: String,
    /// Who decided, by name.
    pub by: String,
}

fn read(row: &Row, opener: &Opener) -> Result<Suspension, DatabaseError> {
    let state: String = row.get(10)?;
    Ok(Suspension {
        id: row.get(0)?,
        person: row.get(1)?,
        home: row.get(2)?,
        suspended_on: row.get(3)?,
        overdue: row.get(4)?,
        reason: row.get(5)?,
        appealed_on: row.get(6)?,
        appeal: row.get(7)?,
        answered_on: row.get(8)?,
        answer: row.get(9)?,
        state: SuspensionState::of_key(&state)
            .ok_or(DatabaseError::WrongType { column: 10, expected: "state of a suspension" })?,
        person_name: read_name(opener, row, (1, 11))?,
        by: row.get::<Option<String>>(12)?.unwrap_or_default(),
    })
}

/// One suspension within reach.
///
/// # Errors
/// When the database fails.
pub fn suspension(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    id: Uuid,
) -> Result<Option<Suspension>, DatabaseError> {
    let asked = params![id, reach.first(), reach.last(), reach.institution()];
    let opener = tx.opener()?;
    tx.query_one(SUSPENSION, &asked)?.as_ref().map(|row| read(row, &opener)).transpose()
}

/// The suspensions within reach, the latest first.
///
/// # Errors
/// When the database fails.
pub fn suspensions(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    state: Option<SuspensionState>,
    (limit, offset): (i64, i64),
) -> Result<Vec<Suspension>, DatabaseError> {
    let state = state.map(SuspensionState::key);
    let parameters = params![reach.first(), reach.last(), state, reach.institution(), limit, offset];
    let opener = tx.opener()?;
    tx.query(SUSPENSIONS, &parameters)?.iter().map(|row| read(row, &opener)).collect()
}

/// How many suspensions there are within reach.
///
/// # Errors
/// When the database fails.
pub fn count_suspensions(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    state: Option<SuspensionState>,
) -> Result<i64, DatabaseError> {
    let state = state.map(SuspensionState::key);
    let parameters = params![reach.first(), reach.last(), state, reach.institution()];
    tx.query_one(COUNT, &parameters)?.map_or(Ok(0), |row| row.get(0))
}

/// How many appeals wait within reach.
///
/// # Errors
/// When the database fails.
pub fn appeals(tx: &mut Transaction<'_>, reach: &Reach) -> Result<i64, DatabaseError> {
    count_suspensions(tx, reach, Some(SuspensionState::Appealed))
}

/// The suspensions of a person, the latest first.
///
/// # Errors
/// When the database fails.
pub fn suspensions_of(tx: &mut Transaction<'_>, person: Uuid) -> Result<Vec<Suspension>, DatabaseError> {
    let opener = tx.opener()?;
    tx.query(OF_PERSON, &params![person])?.iter().map(|row| read(row, &opener)).collect()
}

/// Whether a person's right is suspended on `day`.
///
/// # Errors
/// When the database fails.
pub fn is_suspended(tx: &mut Transaction<'_>, person: Uuid, day: Day) -> Result<bool, DatabaseError> {
    let row = tx.query_one(IS_SUSPENDED, &params![person, day])?;
    row.map_or(Ok(false), |row| Ok(row.get::<i64>(0)? > 0))
}

/// What is overdue of a person on `today`, over all bills.
///
/// # Errors
/// When the database fails.
pub fn overdue_of(tx: &mut Transaction<'_>, person: Uuid, today: Day) -> Result<Fen, DatabaseError> {
    tx.query_one(OVERDUE_OF, &params![person, today])?.map_or(Ok(Fen::ZERO), |row| row.get(0))
}
