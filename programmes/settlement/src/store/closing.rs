//! Closed years, and bills that came after.

use kangmai_access::Reach;
use kangmai_base::{DivisionCode, DivisionLevel, Fen, Moment, Refusal, Uuid};
use kangmai_database::{DatabaseError, Opener, Row, Transaction, params};
use kangmai_people::read_name;
use kangmai_record::{Fact, NewFact, Projection, Subject, SubjectKind, nothing_along};

use crate::facts::{
    BILL_LATE, BILL_RECEIVED, BillReceived, LATE_BILL_LEFT, LateBillLeft, YEAR_CLOSED, YEAR_REOPENED,
    YearDecided,
};

const PUT_YEAR: &str = "insert into closed_year
    (place, insurance_year, fact, is_closed, changed_at, decided_by, reason) values ($1, $2, $3, $4, $5, $6, $7)
    on conflict (place, insurance_year) do update set fact = excluded.fact, is_closed = excluded.is_closed,
        changed_at = excluded.changed_at, decided_by = excluded.decided_by, reason = excluded.reason";
const PUT_LATE: &str = "insert into late_bill
    (id, fact, number, person, home, institution, insurance_year, total, handed_in_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict (id) do nothing";
const ANY_LATE: &str = "select 1 from late_bill limit 1";
const LATE_CAME_IN: &str = "delete from late_bill where institution = $1 and number = $2";
const FORGET: &str = "delete from late_bill where person = $1";
const LATE_IS_LEFT: &str = "delete from late_bill where id = $1";
/// Whoever stands above a place may have closed the year for it.
const CLOSED: &str =
    "select place, insurance_year, is_closed, changed_at, decided_by, reason from closed_year
    where insurance_year = $1 and is_closed and place in ($2, $3, $4, $5) order by place limit 1";
/// What waits to be settled: bills that came in, and years of which a bill's lines came.
const WAITING: &str = "select (select count(*) from bill where state = 'received' and insurance_year = $3
        and +home between $1 and $2)
    + (select count(*) from touched_year join fact on fact.id = touched_year.fact and fact.erased_at is null
        where touched_year.insurance_year = $3 and touched_year.home between $1 and $2
        and fact.kind = 'settlement.bill_itemised')";
const YEARS: &str = "select insurance_year, cast(sum(bills) as bigint), cast(sum(total) as bigint),
    cast(sum(own) as bigint) from bill_sum where home between $1 and $2
    group by insurance_year order by insurance_year desc limit 60";
const LATE: &str = "select late_bill.id, late_bill.fact, late_bill.number, late_bill.person, late_bill.home,
    late_bill.institution, late_bill.insurance_year, late_bill.total, late_bill.handed_in_at, person.name_sealed,
    institution.name from late_bill left join person on person.id = late_bill.person
    left join institution on institution.id = late_bill.institution
    where late_bill.home between $1 and $2 order by late_bill.handed_in_at, late_bill.id limit $3";
const LATE_ONE: &str =
    "select late_bill.id, late_bill.fact, late_bill.number, late_bill.person, late_bill.home,
    late_bill.institution, late_bill.insurance_year, late_bill.total, late_bill.handed_in_at, person.name_sealed,
    institution.name from late_bill left join person on person.id = late_bill.person
    left join institution on institution.id = late_bill.institution
    where late_bill.home between $1 and $2 and late_bill.id = $3";
const LATE_KNOWN: &str = "select 1 from late_bill where institution = $1 and number = $2";
const COUNT_LATE: &str = "select count(*) from late_bill where home between $1 and $2";

/// The views of closed years and late bills.
pub const CLOSINGS: Projection = Projection {
    name: "settlement closings",
    kinds: &[YEAR_CLOSED, YEAR_REOPENED, BILL_LATE, LATE_BILL_LEFT, BILL_RECEIVED],
    views: &["closed_year", "late_bill"],
    admit,
    apply,
    along: nothing_along,
    forget,
};

fn admit(fact: &NewFact) -> Result<(), Refusal> {
    let expected = match fact.kind.as_str() {
        YEAR_CLOSED | YEAR_REOPENED => SubjectKind::Place,
        _ => SubjectKind::Person,
    };
    if fact.subject.kind != expected {
        return Err(Refusal::new("settlement.parked.other_subject"));
    }
    match fact.kind.as_str() {
        YEAR_CLOSED | YEAR_REOPENED => fact.read_body::<YearDecided>().map(|_| ()),
        LATE_BILL_LEFT => fact.read_body::<LateBillLeft>().map(|_| ()),
        _ => fact.read_body::<BillReceived>().map(|_| ()),
    }
}

fn apply(tx: &mut Transaction<'_>, facts: &[&Fact]) -> Result<(), DatabaseError> {
    let mut any_late = facts.iter().any(|fact| fact.new.kind == BILL_LATE);
    any_late = any_late || tx.query_one(ANY_LATE, &[])?.is_some();
    for fact in facts {
        match fact.new.kind.as_str() {
            YEAR_CLOSED | YEAR_REOPENED => put_year(tx, fact)?,
            LATE_BILL_LEFT => {
                let body: LateBillLeft = fact.body()?;
                tx.execute(LATE_IS_LEFT, &params![body.bill])?;
            }
            BILL_LATE => {
                let body: BillReceived = fact.body()?;
                let parameters = params![
                    body.bill,
                    fact.new.id,
                    body.number.as_str(),
                    fact.new.subject.id,
                    fact.new.place,
                    body.institution.id,
                    body.year(),
                    body.total,
                    fact.received_at,
                ];
                tx.execute(PUT_LATE, &parameters)?;
            }
            _ if any_late => {
                let body: BillReceived = fact.body()?;
                tx.execute(LATE_CAME_IN, &params![body.institution.id, body.number.as_str()])?;
            }
            _ => {}
        }
    }
    Ok(())
}

fn forget(tx: &mut Transaction<'_>, subject: Subject) -> Result<(), DatabaseError> {
    if subject.kind == SubjectKind::Person {
        tx.execute(FORGET, &params![subject.id])?;
    }
    Ok(())
}

fn put_year(tx: &mut Transaction<'_>, fact: &Fact) -> Result<(), DatabaseError> {
    let body: YearDecided = fact.body()?;
    let new = &fact.new;
    let is_closed = new.kind == YEAR_CLOSED;
    let parameters = params![new.place, body.year, new.id, is_closed, fact.received_at, body.by, body.reason];
    tx.execute(PUT_YEAR, &parameters)?;
    Ok(())
}

/// What was last said of a year at a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct YearState {
    /// Where.
    pub place: DivisionCode,
    /// Which year.
    pub year: i32,
    /// Whether it is closed.
    pub is_closed: bool,
    /// Since when.
    pub changed_at: Moment,
    /// Who said so.
    pub by: String,
    /// With what reason.
    pub reason: String,
}

fn read_year(row: &Row) -> Result<YearState, DatabaseError> {
    Ok(YearState {
        place: row.get(0)?,
        year: row.get(1)?,
        is_closed: row.get(2)?,
        changed_at: row.get(3)?,
        by: row.get(4)?,
        reason: row.get(5)?,
    })
}

/// The closing that holds for bills of `year` of people at `home`, if that year is closed: by the county or who is above.
///
/// # Errors
/// When the database fails.
pub fn closed_year(
    tx: &mut Transaction<'_>,
    home: DivisionCode,
    year: i32,
) -> Result<Option<YearState>, DatabaseError> {
    let [province, city, county] =
        [DivisionLevel::Province, DivisionLevel::City, DivisionLevel::County].map(|level| home.at(level));
    let parameters = params![year, DivisionCode::COUNTRY, province, city, county];
    tx.query_one(CLOSED, &parameters)?.as_ref().map(read_year).transpose()
}

/// A year with what was settled in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct YearSum {
    /// Which year.
    pub year: i32,
    /// How many bills stand.
    pub bills: i64,
    /// Their total.
    pub total: Fen,
    /// What persons bear of it.
    pub own: Fen,
}

/// The years with settled bills within reach, the latest first.
///
/// # Errors
/// When the database fails.
pub fn year_sums(tx: &mut Transaction<'_>, reach: &Reach) -> Result<Vec<YearSum>, DatabaseError> {
    let read = |row: &Row| {
        Ok(YearSum { year: row.get(0)?, bills: row.get(1)?, total: row.get(2)?, own: row.get(3)? })
    };
    tx.query(YEARS, &params![reach.first(), reach.last()])?.iter().map(read).collect()
}

/// How many bills of a year within reach came in and are not settled yet.
///
/// # Errors
/// When the database fails.
pub fn waiting_in_year(tx: &mut Transaction<'_>, reach: &Reach, year: i32) -> Result<i64, DatabaseError> {
    tx.query_one(WAITING, &params![reach.first(), reach.last(), year])?.map_or(Ok(0), |row| row.get(0))
}

/// A bill that came when its year was closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LateBill {
    /// Which.
    pub id: Uuid,
    /// The fact that it was handed in by.
    pub fact: Uuid,
    /// 结算单号
    pub number: String,
    /// Whose.
    pub person: Uuid,
    /// Their home place then.
    pub home: DivisionCode,
    /// Who treated.
    pub institution: Uuid,
    /// Its insurance year.
    pub year: i32,
    /// Its total.
    pub total: Fen,
    /// When it was handed in.
    pub handed_in_at: Moment,
    /// The person's name.
    pub person_name: String,
    /// The institution's name.
    pub institution_name: String,
}

fn read_late(row: &Row, opener: &Opener) -> Result<LateBill, DatabaseError> {
    Ok(LateBill {
        id: row.get(0)?,
        fact: row.get(1)?,
        number: row.get(2)?,
        person: row.get(3)?,
        home: row.get(4)?,
        institution: row.get(5)?,
        year: row.get(6)?,
        total: row.get(7)?,
        handed_in_at: row.get(8)?,
        person_name: read_name(opener, row, (3, 9))?,
        institution_name: row.get::<Option<String>>(10)?.unwrap_or_default(),
    })
}

/// The late bills within reach that nobody has decided on, oldest first.
///
/// # Errors
/// When the database fails.
pub fn late_bills(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    limit: i64,
) -> Result<Vec<LateBill>, DatabaseError> {
    let opener = tx.opener()?;
    let rows = tx.query(LATE, &params![reach.first(), reach.last(), limit])?;
    rows.iter().map(|row| read_late(row, &opener)).collect()
}

/// One of them.
///
/// # Errors
/// When the database fails.
pub fn late_bill(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    id: Uuid,
) -> Result<Option<LateBill>, DatabaseError> {
    let opener = tx.opener()?;
    let row = tx.query_one(LATE_ONE, &params![reach.first(), reach.last(), id])?;
    row.as_ref().map(|row| read_late(row, &opener)).transpose()
}

/// Whether a bill with this number was handed in already.
///
/// # Errors
/// When the database fails.
pub fn is_handed_in(
    tx: &mut Transaction<'_>,
    institution: Uuid,
    number: &str,
) -> Result<bool, DatabaseError> {
    Ok(tx.query_one(LATE_KNOWN, &params![institution, number])?.is_some())
}

/// How many late bills wait within reach.
///
/// # Errors
/// When the database fails.
pub fn count_late(tx: &mut Transaction<'_>, reach: &Reach) -> Result<i64, DatabaseError> {
    tx.query_one(COUNT_LATE, &params![reach.first(), reach.last()])?.map_or(Ok(0), |row| row.get(0))
}
