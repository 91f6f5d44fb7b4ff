//! Settled years that a later word of the register reaches back into.

use std::collections::{BTreeSet, HashSet};

use kangmai_access::Reach;
use kangmai_base::{Day, DivisionCode, Moment, Refusal, Uuid};
use kangmai_database::{DatabaseError, Row, Transaction, in_fifties, params};
use kangmai_people::{PERSON_REGISTERED, PersonBody, read_name};
use kangmai_record::{Fact, NewFact, Projection, Subject, SubjectKind, nothing_along, open_body};

use crate::facts::{
    BILL_CANCELLED, BILL_ITEMISED, BillCancelled, BillReceived, NOT_SETTLED, NotSettled, SETTLED, Settled,
};
use crate::rules::Insured;

/// Of 50 persons at once.
const WITH_BILLS: &str = "select distinct person from bill where person in
    ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25,
    $26, $27, $28, $29, $30, $31, $32, $33, $34, $35, $36, $37, $38, $39, $40, $41, $42, $43, $44, $45, $46, $47, $48, $49,
    $50)";
const ANY_TOUCHED: &str = "select 1 from touched_year limit 1";
const RECEIPTS: &str =
    "select bill.insurance_year, bill.home, bill.admitted_on, bill.discharged_on, fact.body,
    fact.id, fact.body_sealed from bill join fact on fact.id = bill.receipt and fact.erased_at is null where bill.person = $1 and bill.state = 'settled'
    order by bill.discharged_on, bill.id";
/// A year that waits because lines came is not the register's to take back.
const CLEAR: &str = "delete from touched_year where person = $1 and not exists
    (select 1 from fact where fact.id = touched_year.fact and fact.kind = 'settlement.bill_itemised')";
const FORGET: &str = "delete from touched_year where person = $1";
const CLEAR_OF_BILL: &str = "delete from touched_year where person = $1
    and insurance_year in (select insurance_year from bill where id = $2)";
const PUT: &str = "insert into touched_year (person, insurance_year, home, fact, touched_at)
    values ($1, $2, $3, $4, $5) on conflict (person, insurance_year) do nothing";
/// Lines are settled by the import that brought them, whatever else the year waits for.
const PUT_ITEMISED: &str = "insert into touched_year (person, insurance_year, home, fact, touched_at)
    values ($1, $2, $3, $4, $5) on conflict (person, insurance_year) do update set fact = excluded.fact,
    touched_at = excluded.touched_at";
const TOUCHED: &str = "select touched_year.person, touched_year.insurance_year,
    coalesce(person.home, touched_year.home), touched_year.fact,
    touched_year.touched_at, person.name_sealed, fact.kind from touched_year
    left join person on person.id = touched_year.person left join fact on fact.id = touched_year.fact and fact.erased_at is null
    where touched_year.home between $1 and $2 and (cast($3 as bigint) is null or touched_year.insurance_year = $3)
    and (touched_year.person > $4 or (touched_year.person = $4 and touched_year.insurance_year > $5))
    order by touched_year.person, touched_year.insurance_year limit $6";
const ITEMISED: &str = "select touched_year.person, touched_year.insurance_year from touched_year
    join fact on fact.id = touched_year.fact and fact.erased_at is null where touched_year.home between $1 and $2
    and fact.kind = 'settlement.bill_itemised' order by touched_year.person, touched_year.insurance_year limit $3";
const COUNT: &str = "select count(*) from touched_year where home between $1 and $2";

/// The view of years that wait to be settled again. A receipt keeps what it took of the register; where the register now
/// says otherwise of a day that counted, the year is touched, until a settlement of that year follows. So it is when the lines of
/// one of its bills come after it.
pub const TOUCHED_YEARS: Projection = Projection {
    name: "settlement touched years",
    kinds: &[PERSON_REGISTERED, BILL_ITEMISED, SETTLED, NOT_SETTLED, BILL_CANCELLED],
    views: &["touched_year"],
    admit: |_: &NewFact| Ok::<(), Refusal>(()),
    apply,
    along: nothing_along,
    forget,
};

fn apply(tx: &mut Transaction<'_>, facts: &[&Fact]) -> Result<(), DatabaseError> {
    let is_person = |fact: &&&Fact| fact.new.kind == PERSON_REGISTERED;
    let persons: BTreeSet<Uuid> = facts.iter().filter(is_person).map(|fact| fact.new.subject.id).collect();
    let any_itemised = facts.iter().any(|fact| fact.new.kind == BILL_ITEMISED);
    if persons.is_empty() && !any_itemised && tx.query_one(ANY_TOUCHED, &[])?.is_none() {
        return Ok(());
    }
    let with_bills = with_bills(tx, &persons)?;
    for fact in facts {
        let person = fact.new.subject.id;
        let bill = match fact.new.kind.as_str() {
            PERSON_REGISTERED => {
                if with_bills.contains(&person) {
                    touch(tx, fact)?;
                }
                continue;
            }
            BILL_ITEMISED => {
                let year = fact.body::<BillReceived>()?.year();
                let home = fact.new.place;
                tx.execute(PUT_ITEMISED, &params![person, year, home, fact.new.id, fact.received_at])?;
                continue;
            }
            SETTLED => fact.body::<Settled>()?.bill,
            NOT_SETTLED => fact.body::<NotSettled>()?.bill,
            _ => fact.body::<BillCancelled>()?.bill,
        };
        tx.execute(CLEAR_OF_BILL, &params![person, bill])?;
    }
    Ok(())
}

fn forget(tx: &mut Transaction<'_>, subject: Subject) -> Result<(), DatabaseError> {
    if subject.kind == SubjectKind::Person {
        tx.execute(FORGET, &params![subject.id])?;
    }
    Ok(())
}

/// Which of these have a bill: in a register few do.
fn with_bills(tx: &mut Transaction<'_>, persons: &BTreeSet<Uuid>) -> Result<HashSet<Uuid>, DatabaseError> {
    let mut found = HashSet::new();
    let persons: Vec<Uuid> = persons.iter().copied().collect();
    for ids in in_fifties(&persons) {
        for row in tx.query(WITH_BILLS, &ids)? {
            found.insert(row.get(0)?);
        }
    }
    Ok(found)
}

fn touch(tx: &mut Transaction<'_>, fact: &Fact) -> Result<(), DatabaseError> {
    let body: PersonBody = fact.body()?;
    let insured =
        Insured { birth: body.birth, sex: body.sex, enrolment: body.enrolment, labels: body.labels };
    let person = fact.new.subject.id;
    tx.execute(CLEAR, &params![person])?;
    for row in tx.query(RECEIPTS, &params![person])? {
        let (year, home): (i32, DivisionCode) = (row.get(0)?, row.get(1)?);
        let (admission, discharge): (Day, Day) = (row.get(2)?, row.get(3)?);
        let text = open_body(tx, row.get(5)?, (row.get(4)?, row.get(6)?))?;
        let receipt: Settled = serde_json::from_str(&text)
            .map_err(|_| DatabaseError::Refused("a receipt in the record cannot be read".into()))?;
        if insured.then(admission, discharge) != receipt.person {
            tx.execute(PUT, &params![person, year, home, fact.new.id, fact.received_at])?;
        }
    }
    Ok(())
}

/// A year that waits to be settled again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TouchedYear {
    /// Whose.
    pub person: Uuid,
    /// Which year.
    pub year: i32,
    /// Their home place now.
    pub home: DivisionCode,
    /// The fact of the register that reaches back, or by which lines came.
    pub fact: Uuid,
    /// Whether lines of a bill came.
    pub is_itemised: bool,
    /// When it came.
    pub touched_at: Moment,
    /// The person's name.
    pub name: String,
}

/// The years within reach that wait to be settled again, behind `after`, by person; of one year or of all.
///
/// # Errors
/// When the database fails.
pub fn touched_years(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    year: Option<i32>,
    after: (Uuid, i32),
    limit: i64,
) -> Result<Vec<TouchedYear>, DatabaseError> {
    let opener = tx.opener()?;
    let read = |row: &Row| {
        Ok(TouchedYear {
            person: row.get(0)?,
            year: row.get(1)?,
            home: row.get(2)?,
            fact: row.get(3)?,
            touched_at: row.get(4)?,
            is_itemised: row.get::<Option<String>>(6)?.as_deref() == Some(BILL_ITEMISED),
            name: read_name(&opener, row, (0, 5))?,
        })
    };
    let parameters = params![reach.first(), reach.last(), year, after.0, after.1, limit];
    tx.query(TOUCHED, &parameters)?.iter().map(read).collect()
}

/// The first `limit` years within reach of which a bill's lines came and that were not settled since: who and which year.
///
/// # Errors
/// When the database fails.
pub(super) fn itemised_years(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    limit: i64,
) -> Result<Vec<(Uuid, i32)>, DatabaseError> {
    let rows = tx.query(ITEMISED, &params![reach.first(), reach.last(), limit])?;
    rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

/// How many years within reach wait to be settled again.
///
/// # Errors
/// When the database fails.
pub fn count_touched(tx: &mut Transaction<'_>, reach: &Reach) -> Result<i64, DatabaseError> {
    tx.query_one(COUNT, &params![reach.first(), reach.last()])?.map_or(Ok(0), |row| row.get(0))
}
