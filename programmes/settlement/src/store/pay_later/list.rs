//! Lists of what is owed, and their sums.

use kangmai_access::Reach;
use kangmai_base::{Day, DivisionCode, Fen, Phone, Uuid};
use kangmai_database::{DatabaseError, Opener, Row, Transaction, params};
use kangmai_people::{open_phone, read_name};

/// Something open, by its next due day.
const BY_DUE: &str = "select own_share.bill, own_share.person, own_share.home, own_share.discharged_on, own_share.own,
    own_share.paid, own_share.written_off, own_share.open, own_share.next_due, own_share.agreement is not null,
    cast(coalesce((select sum(due.open) from own_share_due as due where due.bill = own_share.bill
        and due.due_on < $6), 0) as bigint),
    person.name_sealed, person.phone_sealed, institution.name
    from (select bill, next_due from own_share where next_due between $3 and $4 and home between $1 and $2
        and (cast($5 as uuid) is null or institution = $5) order by next_due, home, bill limit $7 offset $8) as page
    join own_share on own_share.bill = page.bill
    left join person on person.id = own_share.person
    left join institution on institution.id = own_share.institution
    order by own_share.next_due, own_share.home, own_share.bill";
/// All, paid up, or with a refund owed, by the day of discharge.
const BY_DAY: &str = "select own_share.bill, own_share.person, own_share.home, own_share.discharged_on, own_share.own,
    own_share.paid, own_share.written_off, own_share.open, own_share.next_due, own_share.agreement is not null,
    cast(coalesce((select sum(due.open) from own_share_due as due where due.bill = own_share.bill
        and due.due_on < $7), 0) as bigint),
    person.name_sealed, person.phone_sealed, institution.name
    from (select bill, discharged_on from own_share where home between $1 and $2
        and open >= $3 and open <= $4 and written_off >= $5
        and (cast($6 as uuid) is null or institution = $6)
        order by discharged_on desc, home desc, bill desc limit $8 offset $9) as page
    join own_share on own_share.bill = page.bill
    left join person on person.id = own_share.person
    left join institution on institution.id = own_share.institution
    order by own_share.discharged_on desc, own_share.home desc, own_share.bill desc";
const COUNT_BY_DUE: &str = "select count(*) from own_share where next_due between $3 and $4
    and home between $1 and $2 and (cast($5 as uuid) is null or institution = $5)";
const COUNT_BY_DAY: &str = "select count(*) from own_share where home between $1 and $2
    and open >= $3 and open <= $4 and written_off >= $5 and (cast($6 as uuid) is null or institution = $6)";
const OF_PERSON: &str = "select own_share.bill, own_share.person, own_share.home, own_share.discharged_on, own_share.own,
    own_share.paid, own_share.written_off, own_share.open, own_share.next_due, own_share.agreement is not null,
    cast(coalesce((select sum(due.open) from own_share_due as due where due.bill = own_share.bill
        and due.due_on < $2), 0) as bigint),
    person.name_sealed, person.phone_sealed, institution.name from own_share
    left join person on person.id = own_share.person
    left join institution on institution.id = own_share.institution
    where own_share.person = $1
    and (cast($3 as uuid) is null or own_share.institution = $3) order by own_share.discharged_on desc, own_share.bill limit 50";
/// Lines due within a time: how many, how many were closed by their day, what they come to, what is open, what is overdue.
const SUM: &str =
    "select count(*), cast(coalesce(sum(case when closed_on <= due_on then 1 else 0 end), 0) as bigint),
    cast(coalesce(sum(amount), 0) as bigint), cast(coalesce(sum(open), 0) as bigint)
    from own_share_due where due_on between $3 and $4 and home between $1 and $2
    and (cast($5 as uuid) is null or institution = $5)";
const OVERDUE_BY_HOME: &str = "select home, count(distinct bill), cast(sum(open) as bigint), min(due_on)
    from own_share_due where open > 0 and due_on < $3 and home between $1 and $2
    and (cast($4 as uuid) is null or institution = $4) group by home order by home limit 20000";

/// Which debts a list shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DebtState {
    /// All that is open.
    Open,
    /// Due on a day that is near, today included.
    DueSoon,
    /// The due day is over.
    Overdue,
    /// It is over for so long that somebody is to be reminded in person.
    Remind,
    /// Too much was paid: a refund is owed.
    Refund,
    /// Something was written off.
    WrittenOff,
    /// Nothing is open any more.
    Paid,
    /// All.
    All,
}

impl DebtState {
    /// All, in order.
    pub const ALL: [DebtState; 8] = [
        DebtState::Open,
        DebtState::DueSoon,
        DebtState::Overdue,
        DebtState::Remind,
        DebtState::Refund,
        DebtState::WrittenOff,
        DebtState::Paid,
        DebtState::All,
    ];

    /// As it stands in addresses.
    pub const fn key(self) -> &'static str {
        match self {
            DebtState::Open => "open",
            DebtState::DueSoon => "soon",
            DebtState::Overdue => "overdue",
            DebtState::Remind => "remind",
            DebtState::Refund => "refund",
            DebtState::WrittenOff => "written_off",
            DebtState::Paid => "paid",
            DebtState::All => "all",
        }
    }

    /// Key of its word.
    pub const fn word(self) -> &'static str {
        match self {
            DebtState::Open => "settlement.debts.open",
            DebtState::DueSoon => "settlement.debts.soon",
            DebtState::Overdue => "settlement.debts.overdue",
            DebtState::Remind => "settlement.debts.remind",
            DebtState::Refund => "settlement.debts.refund",
            DebtState::WrittenOff => "settlement.debts.written_off",
            DebtState::Paid => "settlement.debts.paid",
            DebtState::All => "settlement.debts.all",
        }
    }

    /// The state with this key.
    pub fn of_key(key: &str) -> Option<DebtState> {
        DebtState::ALL.into_iter().find(|state| state.key() == key)
    }
}

/// Which debts, as seen on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DebtFilter {
    /// In which state.
    pub state: DebtState,
    /// Of which institution.
    pub institution: Option<Uuid>,
    /// The present day.
    pub today: Day,
    /// Days before the due day from which something is due soon.
    pub soon_days: i32,
    /// Days after it from which somebody is reminded.
    pub remind_days: i32,
}

/// How a filter asks: by next due day, or by what is open and written off.
enum Asked {
    Due(Day, Day),
    Amount { least: i64, most: i64, written_off: i64 },
}

impl DebtFilter {
    fn asked(&self) -> Asked {
        const FIRST: Day = Day(-1_000_000);
        const LAST: Day = Day(10_000_000);
        let today = self.today;
        let amount = |least, most, written_off| Asked::Amount { least, most, written_off };
        match self.state {
            DebtState::Open => Asked::Due(FIRST, LAST),
            DebtState::DueSoon => Asked::Due(today, today.plus_days(self.soon_days)),
            DebtState::Overdue => Asked::Due(FIRST, today.plus_days(-1)),
            DebtState::Remind => Asked::Due(FIRST, today.plus_days(-self.remind_days.max(1))),
            DebtState::Refund => amount(i64::MIN, -1, 0),
            DebtState::WrittenOff => amount(i64::MIN, i64::MAX, 1),
            DebtState::Paid => amount(0, 0, 0),
            DebtState::All => amount(i64::MIN, i64::MAX, 0),
        }
    }
}

/// A line of a list of debts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DebtRow {
    /// The bill.
    pub bill: Uuid,
    /// Whose.
    pub person: Uuid,
    /// Their home place.
    pub home: DivisionCode,
    /// 出院日
    pub discharged_on: Day,
    /// 个人自付
    pub own: Fen,
    /// What came in, less what went back.
    pub paid: Fen,
    /// What was written off.
    pub written_off: Fen,
    /// What is open; negative: a refund is owed.
    pub open: Fen,
    /// The first day on which something open is due.
    pub next_due: Option<Day>,
    /// Whether there is an agreement.
    pub is_deferred: bool,
    /// What is overdue.
    pub overdue: Fen,
    /// The person's name.
    pub person_name: String,
    /// Their phone: only for who may see it.
    pub phone: Option<Phone>,
    /// The institution's name.
    pub institution_name: String,
}

/// `contact`: whether the phone is shown.
fn read(row: &Row, opener: &Opener, contact: bool) -> Result<DebtRow, DatabaseError> {
    let person = row.get(1)?;
    Ok(DebtRow {
        bill: row.get(0)?,
        person,
        home: row.get(2)?,
        discharged_on: row.get(3)?,
        own: row.get(4)?,
        paid: row.get(5)?,
        written_off: row.get(6)?,
        open: row.get(7)?,
        next_due: row.get(8)?,
        is_deferred: row.get(9)?,
        overdue: row.get(10)?,
        person_name: read_name(opener, row, (1, 11))?,
        phone: if contact { open_phone(opener, person, row.get(12)?)? } else { None },
        institution_name: row.get::<Option<String>>(13)?.unwrap_or_default(),
    })
}

/// The debts within reach: what is open by its due day, the rest by the day of discharge, the latest first. A phone number
/// only where the reach shows contacts.
///
/// # Errors
/// When the database fails.
pub fn debts(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    filter: DebtFilter,
    (limit, offset): (i64, i64),
    mut each: impl FnMut(DebtRow) -> Result<(), DatabaseError>,
) -> Result<(), DatabaseError> {
    let (first, last) = (reach.first(), reach.last());
    let institution = reach.institution_or(filter.institution);
    let opener = tx.opener()?;
    let on_row = |row: Row| each(read(&row, &opener, reach.contact())?);
    match filter.asked() {
        Asked::Due(from, to) => {
            let asked = params![first, last, from, to, institution, filter.today, limit, offset];
            tx.for_each(BY_DUE, &asked, on_row)
        }
        Asked::Amount { least, most, written_off } => {
            let asked =
                params![first, last, least, most, written_off, institution, filter.today, limit, offset];
            tx.for_each(BY_DAY, &asked, on_row)
        }
    }
}

/// The debts of a person, the latest first; without phone.
///
/// # Errors
/// When the database fails.
pub fn debts_of_person(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    person: Uuid,
    today: Day,
) -> Result<Vec<DebtRow>, DatabaseError> {
    let opener = tx.opener()?;
    tx.query(OF_PERSON, &params![person, today, reach.institution()])?
        .iter()
        .map(|row| read(row, &opener, false))
        .collect()
}

/// How many debts a filter finds within reach.
///
/// # Errors
/// When the database fails.
pub fn count_debts(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    filter: DebtFilter,
) -> Result<i64, DatabaseError> {
    let (first, last) = (reach.first(), reach.last());
    let institution = reach.institution_or(filter.institution);
    let row = match filter.asked() {
        Asked::Due(from, to) => tx.query_one(COUNT_BY_DUE, &params![first, last, from, to, institution])?,
        Asked::Amount { least, most, written_off } => {
            tx.query_one(COUNT_BY_DAY, &params![first, last, least, most, written_off, institution])?
        }
    };
    row.map_or(Ok(0), |row| row.get(0))
}

/// Sums over lines that were due within a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DebtSum {
    /// How many lines.
    pub lines: i64,
    /// How many were closed by their due day.
    pub on_time: i64,
    /// What they come to.
    pub amount: Fen,
    /// What of it is open.
    pub open: Fen,
}

/// The sums of the lines due from `from` to `to` within reach.
///
/// # Errors
/// When the database fails.
pub fn debt_sum(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    from: Day,
    to: Day,
) -> Result<DebtSum, DatabaseError> {
    let asked = params![reach.first(), reach.last(), from, to, reach.institution()];
    let Some(row) = tx.query_one(SUM, &asked)? else {
        return Ok(DebtSum::default());
    };
    Ok(DebtSum { lines: row.get(0)?, on_time: row.get(1)?, amount: row.get(2)?, open: row.get(3)? })
}

/// What is overdue in one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VillageSum {
    /// The place.
    pub home: DivisionCode,
    /// How many bills.
    pub bills: i64,
    /// What is overdue.
    pub overdue: Fen,
    /// Since when, at the longest.
    pub since: Day,
}

/// What is overdue on `today`, by home place.
///
/// # Errors
/// When the database fails.
pub fn villages(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    institution: Option<Uuid>,
    today: Day,
) -> Result<Vec<VillageSum>, DatabaseError> {
    let own = reach.institution_or(institution);
    let rows = tx.query(OVERDUE_BY_HOME, &params![reach.first(), reach.last(), today, own])?;
    let read = |row: &Row| {
        Ok(VillageSum { home: row.get(0)?, bills: row.get(1)?, overdue: row.get(2)?, since: row.get(3)? })
    };
    rows.iter().map(read).collect()
}
