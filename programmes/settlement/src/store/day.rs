//! The end of a hospital's day: the ledger's side of it, and the reconciliations that were made.

mod projection;

use std::collections::BTreeMap;

use kangmai_access::Reach;
use kangmai_base::{Day, DivisionCode, Fen, Moment, Uuid};
use kangmai_database::{DatabaseError, Row, Transaction, Value, params};

pub use projection::DAYS;

use super::{BillState, PERSON_KIND, known_bill};
use crate::facts::{DayDifference, DaySide, DayStatus, DayTotals, FundAmount, FundsBy, Why};
use crate::rules::LedgerBill;

/// All postings of the bills with which an institution itself did something on a day.
const OF_DAY: &str = "select bill.id, bill.number, bill.state, bill.total, bill.receipt, posting.fact, posting.kind,
    posting.payer, posting.amount, posting.cause, posting.posted_on from bill join posting on posting.bill = bill.id
    where bill.id in (select step.bill from posting as step join bill as own on own.id = step.bill
        where own.institution = $1 and step.posted_on = $2
        and (step.cause is null or step.cause in ('received', 'corrected', 'cancelled')))
    order by bill.id, posting.posted_at, posting.place_sequence, posting.kind, posting.payer";
const OF_BILL: &str =
    "select bill.id, bill.number, bill.state, bill.total, bill.receipt, posting.fact, posting.kind,
    posting.payer, posting.amount, posting.cause, posting.posted_on from bill
    left join posting on posting.bill = bill.id where bill.id = $1
    order by posting.posted_at, posting.place_sequence, posting.kind, posting.payer";
const ONE: &str = "select day_reconciliation.id, day_reconciliation.institution, day_reconciliation.place,
    day_reconciliation.day, day_reconciliation.sent_at, day_reconciliation.has_lines, day_reconciliation.funds_by,
    day_reconciliation.theirs, day_reconciliation.ours, day_reconciliation.is_right, day_reconciliation.lines,
    day_reconciliation.different, day_reconciliation.explained, day_reconciliation.is_latest, institution.name,
    coalesce(account.display_name, client.name) from day_reconciliation
    left join institution on institution.id = day_reconciliation.institution
    left join account on account.id = day_reconciliation.author
    left join client on client.id = day_reconciliation.author
    where day_reconciliation.id = $1 and day_reconciliation.place between $2 and $3
    and (cast($4 as uuid) is null or day_reconciliation.institution = $4)";
/// `$6`: only those with something that nobody explained.
const LIST: &str = "select day_reconciliation.id, day_reconciliation.institution, day_reconciliation.place,
    day_reconciliation.day, day_reconciliation.sent_at, day_reconciliation.has_lines, day_reconciliation.funds_by,
    day_reconciliation.theirs, day_reconciliation.ours, day_reconciliation.is_right, day_reconciliation.lines,
    day_reconciliation.different, day_reconciliation.explained, day_reconciliation.is_latest, institution.name,
    coalesce(account.display_name, client.name) from day_reconciliation
    left join institution on institution.id = day_reconciliation.institution
    left join account on account.id = day_reconciliation.author
    left join client on client.id = day_reconciliation.author
    where day_reconciliation.place between $1 and $2 and day_reconciliation.day between $3 and $4
    and (cast($5 as uuid) is null or day_reconciliation.institution = $5)
    and (not $6 or (day_reconciliation.is_latest and not day_reconciliation.is_right
        and (day_reconciliation.different > day_reconciliation.explained or not day_reconciliation.has_lines)))
    order by day_reconciliation.day desc, institution.name, day_reconciliation.sent_at desc, day_reconciliation.id
    limit $7 offset $8";
const COUNT: &str = "select count(*) from day_reconciliation
    where place between $1 and $2 and day between $3 and $4 and (cast($5 as uuid) is null or institution = $5)
    and (not $6 or (is_latest and not is_right and (different > explained or not has_lines)))";
/// `$2`: which lines, by [`LinesOf`].
const LINES: &str = "select day_line.position, day_line.number, bill.id, day_line.theirs_status,
    day_line.theirs_total, day_line.theirs_own, day_line.ours_status, day_line.ours_total, day_line.ours_own,
    day_line.differences, day_line.is_different, day_line.reason,
    coalesce(account.display_name, client.name), day_line.explained_at from day_line left join bill on bill.id = day_line.bill
    left join account on account.id = day_line.explained_by left join client on client.id = day_line.explained_by
    where day_line.reconciliation = $1 and ($2 = 'all'
        or ($2 = 'different' and day_line.is_different)
        or ($2 = 'open' and day_line.is_different and day_line.reason is null)
        or ($2 = 'theirs' and day_line.theirs_status = 'settled')
        or ($2 = 'ours' and day_line.ours_status = 'settled'))
    order by day_line.position limit $3 offset $4";
const COUNT_LINES: &str = "select count(*) from day_line where reconciliation = $1 and ($2 = 'all'
        or ($2 = 'different' and is_different) or ($2 = 'open' and is_different and reason is null)
        or ($2 = 'theirs' and theirs_status = 'settled') or ($2 = 'ours' and ours_status = 'settled'))";
const LINE: &str = "select day_line.position, day_line.number, bill.id, day_line.theirs_status,
    day_line.theirs_total, day_line.theirs_own, day_line.ours_status, day_line.ours_total, day_line.ours_own,
    day_line.differences, day_line.is_different, day_line.reason,
    coalesce(account.display_name, client.name), day_line.explained_at from day_line left join bill on bill.id = day_line.bill
    left join account on account.id = day_line.explained_by left join client on client.id = day_line.explained_by
    where day_line.reconciliation = $1 and day_line.position = $2";

/// One posting of a bill.
struct Step {
    /// None: nothing is posted for the bill.
    fact: Option<Uuid>,
    /// None: the person's own share.
    fund: Option<String>,
    amount: Fen,
    cause: Option<Why>,
    on: Day,
}

struct LedgerRows {
    bill: Uuid,
    number: String,
    state: BillState,
    total: Fen,
    receipt: Option<Uuid>,
    steps: Vec<Step>,
}

/// Whether the institution itself did it; receipts of the first releases do not say why they were made.
fn is_own_step(cause: Option<Why>) -> bool {
    matches!(cause, None | Some(Why::Received | Why::Corrected | Why::Cancelled))
}

/// What an institution's ledger has of a day: the bills with which it did something then, and those of `numbers` besides.
/// Funds are named by `name_of`.
///
/// # Errors
/// When the database fails.
pub fn ledger_of_day(
    tx: &mut Transaction<'_>,
    institution: Uuid,
    day: Day,
    numbers: &[&str],
    name_of: &impl Fn(&str) -> String,
) -> Result<Vec<LedgerBill>, DatabaseError> {
    let mut all = grouped(&tx.query(OF_DAY, &params![institution, day])?)?;
    for number in numbers {
        if all.iter().any(|rows| rows.number == *number) {
            continue;
        }
        if let Some(known) = known_bill(tx, institution, number)? {
            all.extend(grouped(&tx.query(OF_BILL, &params![known.id])?)?);
        }
    }
    Ok(all.into_iter().map(|rows| rows.told(day, name_of)).collect())
}

fn grouped(rows: &[Row]) -> Result<Vec<LedgerRows>, DatabaseError> {
    let mut all: Vec<LedgerRows> = Vec::new();
    for row in rows {
        let bill: Uuid = row.get(0)?;
        if all.last().is_none_or(|last| last.bill != bill) {
            let state: String = row.get(2)?;
            all.push(LedgerRows {
                bill,
                number: row.get(1)?,
                state: BillState::of_key(&state)
                    .ok_or(DatabaseError::WrongType { column: 2, expected: "state of a bill" })?,
                total: row.get(3)?,
                receipt: row.get(4)?,
                steps: Vec::new(),
            });
        }
        let Some(fact) = row.get::<Option<Uuid>>(5)? else { continue };
        let (kind, payer): (String, String) = (row.get(6)?, row.get(7)?);
        let step = Step {
            fact: Some(fact),
            fund: (kind != PERSON_KIND).then_some(payer),
            amount: row.get(8)?,
            cause: row.get::<Option<String>>(9)?.as_deref().and_then(Why::of_key),
            on: row.get(10)?,
        };
        if let Some(last) = all.last_mut() {
            last.steps.push(step);
        }
    }
    Ok(all)
}

impl LedgerRows {
    fn told(self, day: Day, name_of: &impl Fn(&str) -> String) -> LedgerBill {
        let last_own = |of_day: bool| {
            let own = |step: &Step| is_own_step(step.cause) && (!of_day || step.on == day);
            self.steps.iter().rposition(own)
        };
        let of_day = last_own(true);
        let own = of_day.or_else(|| last_own(false));
        // All postings of the fact of that step belong to it.
        let end = own.map_or(0, |own| {
            let fact = self.steps[own].fact;
            self.steps.iter().rposition(|step| step.fact == fact).map_or(own, |last| last + 1)
        });
        let is_settled = self.state == BillState::Settled;
        let is_cancelled_then = own.is_some_and(|own| self.steps[own].cause == Some(Why::Cancelled));
        let (now, then) = (sum(&self.steps), sum(&self.steps[..end]));
        // What others paid before is never posted: the total less what is borne.
        let before = self.total - if is_settled { now } else { then };
        let status = match self.state {
            BillState::Settled => DayStatus::Settled,
            BillState::Cancelled => DayStatus::Cancelled,
            BillState::Received | BillState::Gap => DayStatus::Waiting,
        };
        let now_total = if is_settled { self.total } else { Fen::ZERO };
        let then_status = if is_cancelled_then { DayStatus::Cancelled } else { DayStatus::Settled };
        let then_total = if is_cancelled_then { Fen::ZERO } else { then + before };
        let side = |status, total, steps: &[Step], receipt| side_of(status, total, steps, receipt, name_of);
        LedgerBill {
            bill: self.bill,
            now: side(status, now_total, &self.steps, self.receipt.filter(|_| is_settled)),
            then: side(then_status, then_total, &self.steps[..end], None),
            since: self.steps[end..].last().map(|step| (step.cause, step.on)),
            first_on: self.steps.first().map(|step| step.on),
            own_on: own.map(|own| self.steps[own].on),
            is_of_day: of_day.is_some(),
            number: self.number,
        }
    }
}

fn sum(steps: &[Step]) -> Fen {
    steps.iter().map(|step| step.amount).sum()
}

fn side_of(
    status: DayStatus,
    total: Fen,
    steps: &[Step],
    receipt: Option<Uuid>,
    name_of: &impl Fn(&str) -> String,
) -> DaySide {
    let mut own = Fen::ZERO;
    let mut funds: BTreeMap<String, Fen> = BTreeMap::new();
    for step in steps {
        match &step.fund {
            None => own += step.amount,
            Some(fund) => *funds.entry(name_of(fund)).or_default() += step.amount,
        }
    }
    funds.retain(|_, amount| *amount != Fen::ZERO);
    let funds = funds.into_iter().map(|(fund, amount)| FundAmount(fund, amount)).collect();
    DaySide { status, receipt, total, own, funds: Some(funds) }
}

/// A reconciliation as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayRow {
    /// Which.
    pub id: Uuid,
    /// Of which institution.
    pub institution: Uuid,
    /// Where that stands.
    pub place: DivisionCode,
    /// Which day.
    pub day: Day,
    /// When it was sent.
    pub sent_at: Moment,
    /// Whether the hospital sent its bills, not their totals only.
    pub has_lines: bool,
    /// How its funds are named.
    pub funds_by: FundsBy,
    /// What the hospital has.
    pub theirs: DayTotals,
    /// What the ledger has.
    pub ours: DayTotals,
    /// Whether nothing differs.
    pub is_right: bool,
    /// How many bills were compared.
    pub lines: i64,
    /// How many of them differ.
    pub different: i64,
    /// How many of those are explained.
    pub explained: i64,
    /// Whether no later one of the same day is there.
    pub is_latest: bool,
    /// The institution's name.
    pub institution_name: String,
    /// Who sent it.
    pub sender: String,
}

impl DayRow {
    /// Bills that differ and that nobody explained.
    pub const fn open(&self) -> i64 {
        self.different - self.explained
    }
}

fn read<T: serde::de::DeserializeOwned>(row: &Row, column: usize) -> Result<T, DatabaseError> {
    let text: String = row.get(column)?;
    serde_json::from_str(&text)
        .map_err(|_| DatabaseError::WrongType { column, expected: "part of a reconciliation" })
}

fn read_row(row: &Row) -> Result<DayRow, DatabaseError> {
    let funds_by: String = row.get(6)?;
    Ok(DayRow {
        id: row.get(0)?,
        institution: row.get(1)?,
        place: row.get(2)?,
        day: row.get(3)?,
        sent_at: row.get(4)?,
        has_lines: row.get(5)?,
        funds_by: FundsBy::of_key(&funds_by)
            .ok_or(DatabaseError::WrongType { column: 6, expected: "names of funds" })?,
        theirs: read(row, 7)?,
        ours: read(row, 8)?,
        is_right: row.get(9)?,
        lines: row.get(10)?,
        different: row.get(11)?,
        explained: row.get(12)?,
        is_latest: row.get(13)?,
        institution_name: row.get::<Option<String>>(14)?.unwrap_or_default(),
        sender: row.get::<Option<String>>(15)?.unwrap_or_default(),
    })
}

/// Which reconciliations a list shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DayFilter {
    /// From this day.
    pub from: Day,
    /// To this day, included.
    pub to: Day,
    /// Of this institution.
    pub institution: Option<Uuid>,
    /// Only the latest of a day, with something that nobody explained.
    pub is_open: bool,
}

impl DayFilter {
    fn parameters(self, reach: &Reach) -> Vec<Value> {
        let own = reach.institution_or(self.institution);
        params![reach.first(), reach.last(), self.from, self.to, own, self.is_open].into()
    }
}

/// The reconciliations within reach, the latest day first.
///
/// # Errors
/// When the database fails.
pub fn days(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    filter: DayFilter,
    (limit, offset): (i64, i64),
) -> Result<Vec<DayRow>, DatabaseError> {
    let mut parameters = filter.parameters(reach);
    parameters.extend([limit.into(), offset.into()]);
    tx.query(LIST, &parameters)?.iter().map(read_row).collect()
}

/// How many reconciliations a list has.
///
/// # Errors
/// When the database fails.
pub fn count_days(tx: &mut Transaction<'_>, reach: &Reach, filter: DayFilter) -> Result<i64, DatabaseError> {
    tx.query_one(COUNT, &filter.parameters(reach))?.map_or(Ok(0), |row| row.get(0))
}

/// One reconciliation within reach.
///
/// # Errors
/// When the database fails.
pub fn day(tx: &mut Transaction<'_>, reach: &Reach, id: Uuid) -> Result<Option<DayRow>, DatabaseError> {
    let asked = params![id, reach.first(), reach.last(), reach.institution()];
    tx.query_one(ONE, &asked)?.as_ref().map(read_row).transpose()
}

/// Which lines of a reconciliation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinesOf {
    /// All.
    All,
    /// That differ.
    Different,
    /// That differ and that nobody explained.
    Open,
    /// That the hospital has as settled.
    Theirs,
    /// That the ledger has as settled.
    Ours,
}

impl LinesOf {
    /// All, in order.
    pub const ALL: [LinesOf; 5] =
        [LinesOf::Different, LinesOf::Open, LinesOf::Theirs, LinesOf::Ours, LinesOf::All];

    /// As it stands in addresses.
    pub const fn key(self) -> &'static str {
        match self {
            LinesOf::All => "all",
            LinesOf::Different => "different",
            LinesOf::Open => "open",
            LinesOf::Theirs => "theirs",
            LinesOf::Ours => "ours",
        }
    }

    /// The one with this key.
    pub fn of_key(key: &str) -> Option<LinesOf> {
        LinesOf::ALL.into_iter().find(|of| of.key() == key)
    }
}

/// A side of a line: status, total, own share.
pub type LineSide = (DayStatus, Fen, Fen);

/// A line of a reconciliation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayLineRow {
    /// Its number, from 0.
    pub position: i64,
    /// 结算单号
    pub number: String,
    /// The bill, if there is one here.
    pub bill: Option<Uuid>,
    /// What the hospital sent.
    pub theirs: Option<LineSide>,
    /// What the ledger says.
    pub ours: Option<LineSide>,
    /// What differs.
    pub differences: Vec<DayDifference>,
    /// Whether anything does.
    pub is_different: bool,
    /// Why it may stay so, if somebody said.
    pub reason: Option<String>,
    /// Who said.
    pub explainer: String,
    /// When.
    pub explained_at: Option<Moment>,
}

fn read_side(row: &Row, first: usize) -> Result<Option<LineSide>, DatabaseError> {
    let status = match row.get::<Option<String>>(first)?.as_deref() {
        None => return Ok(None),
        Some("settled") => DayStatus::Settled,
        Some("cancelled") => DayStatus::Cancelled,
        Some(_) => DayStatus::Waiting,
    };
    Ok(Some((status, row.get(first + 1)?, row.get(first + 2)?)))
}

fn read_line(row: &Row) -> Result<DayLineRow, DatabaseError> {
    Ok(DayLineRow {
        position: row.get(0)?,
        number: row.get(1)?,
        bill: row.get(2)?,
        theirs: read_side(row, 3)?,
        ours: read_side(row, 6)?,
        differences: read(row, 9)?,
        is_different: row.get(10)?,
        reason: row.get(11)?,
        explainer: row.get::<Option<String>>(12)?.unwrap_or_default(),
        explained_at: row.get(13)?,
    })
}

/// Lines of a reconciliation. The caller asks access for it.
///
/// # Errors
/// When the database fails.
pub fn day_lines(
    tx: &mut Transaction<'_>,
    id: Uuid,
    of: LinesOf,
    (limit, offset): (i64, i64),
) -> Result<Vec<DayLineRow>, DatabaseError> {
    tx.query(LINES, &params![id, of.key(), limit, offset])?.iter().map(read_line).collect()
}

/// How many of them there are.
///
/// # Errors
/// When the database fails.
pub fn count_day_lines(tx: &mut Transaction<'_>, id: Uuid, of: LinesOf) -> Result<i64, DatabaseError> {
    tx.query_one(COUNT_LINES, &params![id, of.key()])?.map_or(Ok(0), |row| row.get(0))
}

/// One line.
///
/// # Errors
/// When the database fails.
pub fn day_line(
    tx: &mut Transaction<'_>,
    id: Uuid,
    position: i64,
) -> Result<Option<DayLineRow>, DatabaseError> {
    tx.query_one(LINE, &params![id, position])?.as_ref().map(read_line).transpose()
}
