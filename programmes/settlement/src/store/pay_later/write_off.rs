//! Write-offs for hardship.

use kangmai_access::Reach;
use kangmai_base::{Day, DivisionCode, Fen, Moment, Uuid};
use kangmai_database::{DatabaseError, Opener, Row, Transaction, params};
use kangmai_people::read_name;

const WRITE_OFF: &str = "select write_off.id, write_off.bill, write_off.person, write_off.home, write_off.institution,
    write_off.amount, write_off.reason, write_off.evidence, write_off.asked_at, write_off.asked_by, write_off.state,
    write_off.bearer, write_off.decided_on, write_off.decided_reason, person.name_sealed, institution.name, asker.display_name,
    decider.display_name
    from write_off left join person on person.id = write_off.person
    left join institution on institution.id = write_off.institution
    left join account as asker on asker.id = write_off.asked_by
    left join account as decider on decider.id = write_off.decided_by
    where write_off.id = $1 and write_off.home between $2 and $3
    and (cast($4 as uuid) is null or write_off.institution = $4)";
const WRITE_OFFS: &str = "select write_off.id, write_off.bill, write_off.person, write_off.home, write_off.institution,
    write_off.amount, write_off.reason, write_off.evidence, write_off.asked_at, write_off.asked_by, write_off.state,
    write_off.bearer, write_off.decided_on, write_off.decided_reason, person.name_sealed, institution.name, asker.display_name,
    decider.display_name
    from write_off left join person on person.id = write_off.person
    left join institution on institution.id = write_off.institution
    left join account as asker on asker.id = write_off.asked_by
    left join account as decider on decider.id = write_off.decided_by
    where write_off.home between $1 and $2 and (cast($3 as text) is null or write_off.state = $3)
    and (cast($4 as uuid) is null or write_off.institution = $4)
    order by write_off.asked_at desc, write_off.id limit $5 offset $6";
const OF_BILL: &str = "select write_off.id, write_off.bill, write_off.person, write_off.home, write_off.institution,
    write_off.amount, write_off.reason, write_off.evidence, write_off.asked_at, write_off.asked_by, write_off.state,
    write_off.bearer, write_off.decided_on, write_off.decided_reason, person.name_sealed, institution.name, asker.display_name,
    decider.display_name
    from write_off left join person on person.id = write_off.person
    left join institution on institution.id = write_off.institution
    left join account as asker on asker.id = write_off.asked_by
    left join account as decider on decider.id = write_off.decided_by
    where write_off.bill = $1 order by write_off.asked_at, write_off.id limit 200";
const COUNT: &str = "select count(*) from write_off where home between $1 and $2
    and (cast($3 as text) is null or state = $3) and (cast($4 as uuid) is null or institution = $4)";
const WRITTEN_OFF: &str = "select cast(coalesce(sum(amount), 0) as bigint) from write_off
    where state = 'approved' and home between $1 and $2 and decided_on between $3 and $4
    and (cast($5 as uuid) is null or institution = $5)";

/// Where a write-off stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteOffState {
    /// It waits for a second person.
    Asked,
    /// Somebody else bears it.
    Approved,
    /// It was rejected.
    Rejected,
    /// It was taken back.
    Withdrawn,
}

impl WriteOffState {
    /// All, in order.
    pub const ALL: [WriteOffState; 4] =
        [WriteOffState::Asked, WriteOffState::Approved, WriteOffState::Rejected, WriteOffState::Withdrawn];

    /// As it stands in the table and in addresses.
    pub const fn key(self) -> &'static str {
        match self {
            WriteOffState::Asked => "asked",
            WriteOffState::Approved => "approved",
            WriteOffState::Rejected => "rejected",
            WriteOffState::Withdrawn => "withdrawn",
        }
    }

    /// Key of its word.
    pub const fn word(self) -> &'static str {
        match self {
            WriteOffState::Asked => "settlement.write_off.asked",
            WriteOffState::Approved => "settlement.write_off.approved",
            WriteOffState::Rejected => "settlement.write_off.rejected",
            WriteOffState::Withdrawn => "settlement.write_off.withdrawn",
        }
    }

    /// The tone of its tag.
    pub const fn tone(self) -> &'static str {
        match self {
            WriteOffState::Asked => "warning",
            WriteOffState::Approved => "good",
            WriteOffState::Rejected | WriteOffState::Withdrawn => "plain",
        }
    }

    /// The state with this key.
    pub fn of_key(key: &str) -> Option<WriteOffState> {
        WriteOffState::ALL.into_iter().find(|state| state.key() == key)
    }
}

/// A write-off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteOff {
    /// Which.
    pub id: Uuid,
    /// Of which bill.
    pub bill: Uuid,
    /// Whose.
    pub person: Uuid,
    /// The bill's home place.
    pub home: DivisionCode,
    /// Which institution.
    pub institution: Uuid,
    /// How much.
    pub amount: Fen,
    /// Why it is asked.
    pub reason: String,
    /// What was looked at.
    pub evidence: String,
    /// When it was asked.
    pub asked_at: Moment,
    /// Who asked: an account.
    pub asked_by: Uuid,
    /// Where it stands.
    pub state: WriteOffState,
    /// Who bears it: a fund.
    pub bearer: Option<String>,
    /// When it was decided.
    pub decided_on: Option<Day>,
    /// Why it was decided so, or taken back.
    pub decided_reason: Option<String>,
    /// The person's name.
    pub person_name: String,
    /// The institution's name.
    pub institution_name: String,
    /// Who asked, by name.
    pub asker: String,
    /// Who decided, by name.
    pub decider: String,
}

fn read(row: &Row, opener: &Opener) -> Result<WriteOff, DatabaseError> {
    let state: String = row.get(10)?;
    Ok(WriteOff {
        id: row.get(0)?,
        bill: row.get(1)?,
        person: row.get(2)?,
        home: row.get(3)?,
        institution: row.get(4)?,
        amount: row.get(5)?,
        reason: row.get(6)?,
        evidence: row.get(7)?,
        asked_at: row.get(8)?,
        asked_by: row.get(9)?,
        state: WriteOffState::of_key(&state)
            .ok_or(DatabaseError::WrongType { column: 10, expected: "state of a write-off" })?,
        bearer: row.get(11)?,
        decided_on: row.get(12)?,
        decided_reason: row.get(13)?,
        person_name: read_name(opener, row, (2, 14))?,
        institution_name: row.get::<Option<String>>(15)?.unwrap_or_default(),
        asker: row.get::<Option<String>>(16)?.unwrap_or_default(),
        decider: row.get::<Option<String>>(17)?.unwrap_or_default(),
    })
}

/// One write-off within reach.
///
/// # Errors
/// When the database fails.
pub fn write_off(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    id: Uuid,
) -> Result<Option<WriteOff>, DatabaseError> {
    let asked = params![id, reach.first(), reach.last(), reach.institution()];
    let opener = tx.opener()?;
    tx.query_one(WRITE_OFF, &asked)?.as_ref().map(|row| read(row, &opener)).transpose()
}

/// The write-offs within reach, the latest first.
///
/// # Errors
/// When the database fails.
pub fn write_offs(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    state: Option<WriteOffState>,
    institution: Option<Uuid>,
    (limit, offset): (i64, i64),
) -> Result<Vec<WriteOff>, DatabaseError> {
    let (state, institution) = (state.map(WriteOffState::key), reach.institution_or(institution));
    let parameters = params![reach.first(), reach.last(), state, institution, limit, offset];
    let opener = tx.opener()?;
    tx.query(WRITE_OFFS, &parameters)?.iter().map(|row| read(row, &opener)).collect()
}

/// How many write-offs there are within reach.
///
/// # Errors
/// When the database fails.
pub fn count_write_offs(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    state: Option<WriteOffState>,
    institution: Option<Uuid>,
) -> Result<i64, DatabaseError> {
    let (state, institution) = (state.map(WriteOffState::key), reach.institution_or(institution));
    let parameters = params![reach.first(), reach.last(), state, institution];
    tx.query_one(COUNT, &parameters)?.map_or(Ok(0), |row| row.get(0))
}

/// The write-offs of a bill, the first first.
///
/// # Errors
/// When the database fails.
pub fn write_offs_of(tx: &mut Transaction<'_>, bill: Uuid) -> Result<Vec<WriteOff>, DatabaseError> {
    let opener = tx.opener()?;
    tx.query(OF_BILL, &params![bill])?.iter().map(|row| read(row, &opener)).collect()
}

/// What was written off from `from` to `to` within reach.
///
/// # Errors
/// When the database fails.
pub fn written_off(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    from: Day,
    to: Day,
) -> Result<Fen, DatabaseError> {
    let parameters = params![reach.first(), reach.last(), from, to, reach.institution()];
    tx.query_one(WRITTEN_OFF, &parameters)?.map_or(Ok(Fen::ZERO), |row| row.get(0))
}
