//! Person-years as chains of bills: what settling reads.

use std::collections::HashMap;

use kangmai_access::Reach;
use kangmai_base::{DivisionCode, Fen, Sex, Uuid};
use kangmai_database::{DatabaseError, Opener, Row, Transaction, Value, params};
use kangmai_people::{Enrolment, Label, LabelInterval};
use kangmai_record::{Source, open_body_by};

use crate::facts::{BILL_ITEMISED, Cause, Used, Why};
use crate::rules::{ChainBill, Insured};

/// The person-years with a bill that waits, of homes within a range: the first so many. The plus keeps SQLite from taking
/// the index of homes: the partial index of what waits is short and in order.
const WAITING_BILLS: &str = "select bill.person, bill.insurance_year, bill.home, bill.received_at, bill.receipt,
    bill.result, fact.body, bill.fact, bill.state, fact.corrects, fact.kind, fact.source, fact.body_sealed from (select distinct person, insurance_year from bill
        where state = 'received' and +home between $1 and $2 order by person, insurance_year limit $3) as waiting
    join bill on bill.person = waiting.person and bill.insurance_year = waiting.insurance_year
        and bill.state <> 'cancelled'
    join fact on fact.id = bill.fact and fact.erased_at is null
    order by bill.person, bill.insurance_year, bill.discharged_on, bill.id";
const WAITING_PEOPLE: &str = "select id, birth, sex, enrolment from person where id in (select person from
    (select distinct person, insurance_year from bill where state = 'received' and +home between $1 and $2
    order by person, insurance_year limit $3) as waiting)";
const WAITING_LABELS: &str =
    "select person, label, from_day, to_day, source from person_label where person in
    (select person from (select distinct person, insurance_year from bill where state = 'received'
    and +home between $1 and $2 order by person, insurance_year limit $3) as waiting)";
const WAITING_OPENINGS: &str =
    "select opening.person, opening.insurance_year, opening.used, opening.household from
    (select distinct person, insurance_year from bill where state = 'received' and +home between $1 and $2
    order by person, insurance_year limit $3) as waiting
    join opening on opening.person = waiting.person and opening.insurance_year = waiting.insurance_year";
/// Who has bills in a year, behind a person: the first so many, with the home of now. Grouped in the order of the index of
/// persons, so that it stops at the limit; the pluses keep SQLite from taking another index.
const PEOPLE_OF_YEAR: &str = "select people.person, coalesce(person.home, people.home) from
    (select person, min(home) as home from bill where person > $3 and +insurance_year = $4
        and +home between $1 and $2 and state <> 'cancelled' group by person order by person limit $5) as people
    left join person on person.id = people.person order by people.person";
const SPAN_BILLS: &str = "select bill.person, bill.insurance_year, bill.home, bill.received_at, bill.receipt,
    bill.result, fact.body, bill.fact, bill.state, fact.corrects, fact.kind, fact.source, fact.body_sealed from bill join fact on fact.id = bill.fact and fact.erased_at is null
    where bill.person between $1 and $2 and +bill.insurance_year = $3 and bill.state <> 'cancelled'
    order by bill.person, bill.discharged_on, bill.id";
const SPAN_PEOPLE: &str = "select id, birth, sex, enrolment from person where id between $1 and $2";
const SPAN_LABELS: &str = "select person, label, from_day, to_day, source from person_label
    where person between $1 and $2";
const SPAN_OPENINGS: &str = "select person, insurance_year, used, household from opening
    where person between $1 and $2 and insurance_year = $3";
const BORNE: &str = "select bill.id, 'person', 'person', bill.own from bill
    where bill.person = $1 and bill.insurance_year = $2 and bill.state = 'settled'
    union all select bill.id, bill_payment.kind, bill_payment.payer, bill_payment.paid from bill
    join bill_payment on bill_payment.bill = bill.id
    where bill.person = $1 and bill.insurance_year = $2 and bill.state = 'settled'";
const SPAN_BORNE: &str = "select bill.id, 'person', 'person', bill.own, bill.person from bill
    where bill.person between $1 and $2 and +bill.insurance_year = $3 and bill.state = 'settled'
    union all select bill.id, bill_payment.kind, bill_payment.payer, bill_payment.paid, bill.person from bill
    join bill_payment on bill_payment.bill = bill.id
    where bill.person between $1 and $2 and +bill.insurance_year = $3 and bill.state = 'settled'";
const YEAR_BILLS: &str = "select bill.person, bill.insurance_year, bill.home, bill.received_at, bill.receipt,
    bill.result, fact.body, bill.fact, bill.state, fact.corrects, fact.kind, fact.source, fact.body_sealed from bill join fact on fact.id = bill.fact and fact.erased_at is null
    where bill.person = $1 and bill.insurance_year = $2 and bill.state <> 'cancelled'
    order by bill.discharged_on, bill.id limit 5000";
const PERSON: &str = "select id, birth, sex, enrolment from person where id = $1";
const LABELS: &str = "select person, label, from_day, to_day, source from person_label where person = $1";
const YEAR_OPENING: &str =
    "select person, insurance_year, used, household from opening where person = $1 and insurance_year = $2";
const OPENING_FACT: &str = "select fact, used from opening where person = $1 and insurance_year = $2";

/// A bill of a person-year with what it came to before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct YearBill {
    /// The bill.
    pub bill: ChainBill,
    /// The fact that it came in by, nil while it is only tried.
    pub fact: Uuid,
    /// The fact of its last receipt (or of why there is none).
    pub receipt: Option<Uuid>,
    /// What that came to; none if it is not settled.
    pub result: Option<i64>,
    /// Why it waits to be settled: it came in, or came in anew. None if it does not wait.
    pub waits: Option<Cause>,
}

/// A person-year, ready to be settled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonYear {
    /// Who.
    pub person: Uuid,
    /// Which insurance year.
    pub year: i32,
    /// What is known of them.
    pub insured: Insured,
    /// What was used before the first bill.
    pub opening: Vec<Used>,
    /// The household that the opening was entered for.
    pub opened_for: Option<Uuid>,
    /// The bills that are not cancelled.
    pub bills: Vec<YearBill>,
}

impl PersonYear {
    fn new(person: Uuid, year: i32) -> PersonYear {
        let (insured, opening, bills) = (Insured::default(), Vec::new(), Vec::new());
        PersonYear { person, year, insured, opening, opened_for: None, bills }
    }
}

fn read_bill(opener: &Opener, row: &Row) -> Result<(Uuid, i32, YearBill), DatabaseError> {
    let fact = row.get(7)?;
    let text = open_body_by(opener, fact, (row.get(6)?, row.get(12)?))?;
    let body = serde_json::from_str(&text)
        .map_err(|_| DatabaseError::Refused("a bill in the record cannot be read".into()))?;
    let bill = ChainBill { home: row.get(2)?, received_at: row.get(3)?, body };
    let (state, corrects): (String, Option<Uuid>) = (row.get(8)?, row.get(9)?);
    let (kind, result): (String, Option<i64>) = (row.get(10)?, row.get(5)?);
    let source: String = row.get(11)?;
    let why = match corrects {
        // Nobody corrected it: by another release it counts in another year.
        _ if source == Source::Derived.key() => Why::Release,
        _ if kind == BILL_ITEMISED => Why::Itemised,
        Some(_) => Why::Corrected,
        None => Why::Received,
    };
    // A settled bill whose lines came afterwards has its receipt still, but no result that stands.
    let waits = match state.as_str() {
        "received" => Some(Cause { why, fact: Some(fact), bill: None }),
        "settled" if result.is_none() => Some(Cause { why, fact: Some(fact), bill: None }),
        _ => None,
    };
    Ok((row.get(0)?, row.get(1)?, YearBill { bill, fact, receipt: row.get(4)?, result, waits }))
}

fn read_insured(row: &Row) -> Result<(Uuid, Insured), DatabaseError> {
    let (sex, enrolment): (Option<String>, Option<String>) = (row.get(2)?, row.get(3)?);
    let insured = Insured {
        birth: row.get(1)?,
        sex: match sex.as_deref() {
            Some("male") => Some(Sex::Male),
            Some("female") => Some(Sex::Female),
            _ => None,
        },
        enrolment: enrolment.as_deref().and_then(Enrolment::of_key),
        labels: Vec::new(),
    };
    Ok((row.get(0)?, insured))
}

fn read_label(row: &Row) -> Result<(Uuid, Option<LabelInterval>), DatabaseError> {
    let key: String = row.get(1)?;
    let (from, to, source) = (row.get(2)?, row.get(3)?, row.get(4)?);
    Ok((row.get(0)?, Label::of_key(&key).map(|label| LabelInterval { label, from, to, source })))
}

fn read_used(text: &str) -> Result<Vec<Used>, DatabaseError> {
    serde_json::from_str(text).map_err(|_| DatabaseError::Refused("an opening cannot be read".into()))
}

/// The first `limit` person-years, of homes within reach, that hold a bill which waits to be settled.
///
/// # Errors
/// When the database fails.
pub fn waiting_years(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    limit: i64,
) -> Result<Vec<PersonYear>, DatabaseError> {
    let range = params![reach.first(), reach.last(), limit];
    put_together(
        tx,
        [WAITING_BILLS, WAITING_PEOPLE, WAITING_LABELS, WAITING_OPENINGS],
        [&range, &range, &range, &range],
    )
}

/// Reads bills, people, labels and openings into years; the bills of a year stand together.
fn put_together(
    tx: &mut Transaction<'_>,
    [bills, people, labels, openings]: [&'static str; 4],
    parameters: [&[Value]; 4],
) -> Result<Vec<PersonYear>, DatabaseError> {
    let mut years: Vec<PersonYear> = Vec::new();
    let opener = tx.opener()?;
    tx.for_each(bills, parameters[0], |row| {
        let (person, year, bill) = read_bill(&opener, &row)?;
        match years.last_mut() {
            Some(last) if last.person == person && last.year == year => last.bills.push(bill),
            _ => {
                let mut next = PersonYear::new(person, year);
                next.bills.push(bill);
                years.push(next);
            }
        }
        Ok(())
    })?;
    let mut known: HashMap<Uuid, Insured> = HashMap::with_capacity(years.len());
    tx.for_each(people, parameters[1], |row| {
        let (person, insured) = read_insured(&row)?;
        known.insert(person, insured);
        Ok(())
    })?;
    tx.for_each(labels, parameters[2], |row| {
        let (person, label) = read_label(&row)?;
        if let Some(insured) = known.get_mut(&person) {
            insured.labels.extend(label);
        }
        Ok(())
    })?;
    let mut opened: HashMap<(Uuid, i32), (Vec<Used>, Option<Uuid>)> = HashMap::new();
    tx.for_each(openings, parameters[3], |row| {
        let used: String = row.get(2)?;
        opened.insert((row.get(0)?, row.get(1)?), (read_used(&used)?, row.get(3)?));
        Ok(())
    })?;
    for year in &mut years {
        year.insured = known.get(&year.person).cloned().unwrap_or_default();
        let opening = opened.remove(&(year.person, year.year));
        (year.opening, year.opened_for) = opening.unwrap_or_default();
    }
    Ok(years)
}

/// Who has bills in `year` within reach, behind the person `after`, in order: each with their home.
///
/// # Errors
/// When the database fails.
pub fn people_of_year(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    year: i32,
    after: Uuid,
    limit: i64,
) -> Result<Vec<(Uuid, DivisionCode)>, DatabaseError> {
    let rows = tx.query(PEOPLE_OF_YEAR, &params![reach.first(), reach.last(), after, year, limit])?;
    rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

/// The person-years of all persons between two that have bills in `year`, both included.
///
/// # Errors
/// When the database fails.
pub fn years_between(
    tx: &mut Transaction<'_>,
    year: i32,
    first: Uuid,
    last: Uuid,
) -> Result<Vec<PersonYear>, DatabaseError> {
    let (people, of_year) = (params![first, last], params![first, last, year]);
    put_together(
        tx,
        [SPAN_BILLS, SPAN_PEOPLE, SPAN_LABELS, SPAN_OPENINGS],
        [&of_year, &people, &people, &of_year],
    )
}

/// Who bears what of a settled bill: bill, kind, payer, amount.
pub type BorneOf = (Uuid, String, String, Fen);

fn read_borne(row: &Row) -> Result<BorneOf, DatabaseError> {
    Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
}

/// Who bears what of the settled bills of a person-year.
///
/// # Errors
/// When the database fails.
pub fn borne_in_year(
    tx: &mut Transaction<'_>,
    person: Uuid,
    year: i32,
) -> Result<Vec<BorneOf>, DatabaseError> {
    tx.query(BORNE, &params![person, year])?.iter().map(read_borne).collect()
}

/// The same of all persons between two, both included.
///
/// # Errors
/// When the database fails.
pub fn borne_between(
    tx: &mut Transaction<'_>,
    year: i32,
    first: Uuid,
    last: Uuid,
) -> Result<HashMap<Uuid, Vec<BorneOf>>, DatabaseError> {
    let mut all: HashMap<Uuid, Vec<BorneOf>> = HashMap::new();
    tx.for_each(SPAN_BORNE, &params![first, last, year], |row| {
        all.entry(row.get(4)?).or_default().push(read_borne(&row)?);
        Ok(())
    })?;
    Ok(all)
}

/// One person-year, whether anything waits in it or not.
///
/// # Errors
/// When the database fails.
pub fn person_year(tx: &mut Transaction<'_>, person: Uuid, year: i32) -> Result<PersonYear, DatabaseError> {
    let mut found = PersonYear::new(person, year);
    let opener = tx.opener()?;
    for row in tx.query(YEAR_BILLS, &params![person, year])? {
        found.bills.push(read_bill(&opener, &row)?.2);
    }
    if let Some(row) = tx.query_one(PERSON, &params![person])? {
        found.insured = read_insured(&row)?.1;
    }
    for row in tx.query(LABELS, &params![person])? {
        found.insured.labels.extend(read_label(&row)?.1);
    }
    if let Some(row) = tx.query_one(YEAR_OPENING, &params![person, year])? {
        (found.opening, found.opened_for) = (read_used(&row.get::<String>(2)?)?, row.get(3)?);
    }
    Ok(found)
}

/// The fact that says what a person had used of a year, and what it says.
///
/// # Errors
/// When the database fails.
pub fn opening_fact(
    tx: &mut Transaction<'_>,
    person: Uuid,
    year: i32,
) -> Result<Option<(Uuid, Vec<Used>)>, DatabaseError> {
    let Some(row) = tx.query_one(OPENING_FACT, &params![person, year])? else { return Ok(None) };
    Ok(Some((row.get(0)?, read_used(&row.get::<String>(1)?)?)))
}
