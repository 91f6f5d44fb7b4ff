//! One debt: its lines, payments and agreements.

use kangmai_access::Reach;
use kangmai_base::{Day, DivisionCode, Fen, Moment, Uuid};
use kangmai_database::{DatabaseError, Row, Transaction, params};
use kangmai_record::facts_of_kind;

use crate::facts::{DEFERRAL_AGREED, DeferralAgreed, PaymentMethod};

const DEBT: &str = "select own, paid, written_off, open, next_due, agreement from own_share where bill = $1";
const LINES: &str =
    "select due_on, amount, open, closed_on from own_share_due where bill = $1 order by number";
const PAYMENTS: &str =
    "select own_payment.id, own_payment.fact, own_payment.bill, own_payment.person, own_payment.home,
    own_payment.institution, own_payment.amount, own_payment.method, own_payment.receipt_year,
    own_payment.receipt_sequence, own_payment.paid_on, own_payment.paid_at, own_payment.taken_back,
    institution.name, account.display_name
    from own_payment left join institution on institution.id = own_payment.institution
    left join account on account.id = own_payment.author
    where own_payment.bill = $1 order by own_payment.paid_on, own_payment.paid_at, own_payment.id";
const PAYMENT: &str =
    "select own_payment.id, own_payment.fact, own_payment.bill, own_payment.person, own_payment.home,
    own_payment.institution, own_payment.amount, own_payment.method, own_payment.receipt_year,
    own_payment.receipt_sequence, own_payment.paid_on, own_payment.paid_at, own_payment.taken_back,
    institution.name, account.display_name
    from own_payment left join institution on institution.id = own_payment.institution
    left join account on account.id = own_payment.author
    where own_payment.id = $1 and own_payment.home between $2 and $3
    and (cast($4 as uuid) is null or own_payment.institution = $4)";
const LAST_SEQUENCE: &str = "select cast(coalesce(max(receipt_sequence), 0) as bigint) from own_payment
    where institution = $1 and receipt_year = $2";

/// What is owed on a bill.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Debt {
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
    /// The agreement that holds.
    pub agreement: Option<Uuid>,
}

/// A line of the plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DebtLine {
    /// When it is due.
    pub due_on: Day,
    /// How much.
    pub amount: Fen,
    /// What is open of it.
    pub open: Fen,
    /// When it was closed.
    pub closed_on: Option<Day>,
}

/// Money that changed hands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    /// Which.
    pub id: Uuid,
    /// Its fact.
    pub fact: Uuid,
    /// For which bill.
    pub bill: Uuid,
    /// Whose.
    pub person: Uuid,
    /// The bill's home place.
    pub home: DivisionCode,
    /// Which institution.
    pub institution: Uuid,
    /// How much; negative: it went back.
    pub amount: Fen,
    /// How; none if the table holds a word of a later version.
    pub method: Option<PaymentMethod>,
    /// 收据号
    pub receipt: String,
    /// On which day.
    pub paid_on: Day,
    /// When it was written down.
    pub paid_at: Moment,
    /// The fact that took it back.
    pub taken_back: Option<Uuid>,
    /// The institution's name.
    pub institution_name: String,
    /// Who took the money in.
    pub by: String,
}

/// What is owed on a bill; none if nobody follows its own share.
///
/// # Errors
/// When the database fails.
pub fn debt(tx: &mut Transaction<'_>, bill: Uuid) -> Result<Option<Debt>, DatabaseError> {
    let Some(row) = tx.query_one(DEBT, &params![bill])? else { return Ok(None) };
    Ok(Some(Debt {
        own: row.get(0)?,
        paid: row.get(1)?,
        written_off: row.get(2)?,
        open: row.get(3)?,
        next_due: row.get(4)?,
        agreement: row.get(5)?,
    }))
}

/// The plan of a bill.
///
/// # Errors
/// When the database fails.
pub fn lines_of(tx: &mut Transaction<'_>, bill: Uuid) -> Result<Vec<DebtLine>, DatabaseError> {
    let read = |row: &Row| {
        Ok(DebtLine { due_on: row.get(0)?, amount: row.get(1)?, open: row.get(2)?, closed_on: row.get(3)? })
    };
    tx.query(LINES, &params![bill])?.iter().map(read).collect()
}

fn read_payment(row: &Row) -> Result<Payment, DatabaseError> {
    let (method, year, sequence): (String, i32, i64) = (row.get(7)?, row.get(8)?, row.get(9)?);
    Ok(Payment {
        id: row.get(0)?,
        fact: row.get(1)?,
        bill: row.get(2)?,
        person: row.get(3)?,
        home: row.get(4)?,
        institution: row.get(5)?,
        amount: row.get(6)?,
        method: PaymentMethod::of_key(&method),
        receipt: format!("{year}-{sequence:06}"),
        paid_on: row.get(10)?,
        paid_at: row.get(11)?,
        taken_back: row.get(12)?,
        institution_name: row.get::<Option<String>>(13)?.unwrap_or_default(),
        by: row.get::<Option<String>>(14)?.unwrap_or_default(),
    })
}

/// All payments of a bill, those taken back too, in order of their day.
///
/// # Errors
/// When the database fails.
pub fn payments_of(tx: &mut Transaction<'_>, bill: Uuid) -> Result<Vec<Payment>, DatabaseError> {
    tx.query(PAYMENTS, &params![bill])?.iter().map(read_payment).collect()
}

/// One payment within reach.
///
/// # Errors
/// When the database fails.
pub fn payment(tx: &mut Transaction<'_>, reach: &Reach, id: Uuid) -> Result<Option<Payment>, DatabaseError> {
    let asked = params![id, reach.first(), reach.last(), reach.institution()];
    tx.query_one(PAYMENT, &asked)?.as_ref().map(read_payment).transpose()
}

/// The number of the next receipt of an institution in a year. Ask under a lock of that institution.
///
/// # Errors
/// When the database fails.
pub fn next_sequence(tx: &mut Transaction<'_>, institution: Uuid, year: i32) -> Result<i64, DatabaseError> {
    let last = tx.query_one(LAST_SEQUENCE, &params![institution, year])?;
    last.map_or(Ok(1), |row| Ok(row.get::<i64>(0)? + 1))
}

/// The agreements on a bill, the latest last.
///
/// # Errors
/// When the database fails.
pub fn agreements(
    tx: &mut Transaction<'_>,
    person: Uuid,
    bill: Uuid,
) -> Result<Vec<DeferralAgreed>, DatabaseError> {
    let mut found = Vec::new();
    for fact in facts_of_kind(tx, person, DEFERRAL_AGREED)? {
        let body: DeferralAgreed = fact.body()?;
        if body.bill == bill {
            found.push(body);
        }
    }
    Ok(found)
}
