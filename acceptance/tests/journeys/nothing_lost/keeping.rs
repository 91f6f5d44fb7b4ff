//! What must hold of a database whose program was killed.

use std::collections::HashMap;

use kangmai_database::{Database, DatabaseError, Transaction, params};

/// Questions whose answer is a number that must be zero, and what it would mean.
const NONE_OF: [(&str, &str); 6] = [
    (
        "select count(*) from bill where state = 'settled' and (receipt is null or not exists
            (select 1 from fact where fact.id = bill.receipt))",
        "settled bills without their receipt",
    ),
    (
        "select count(*) from bill where state = 'settled' and total <> own + coalesce(
            (select sum(paid) from bill_payment where bill_payment.bill = bill.id), 0)",
        "settled bills whose payers and own share do not bear the total",
    ),
    (
        "select count(*) from bill where state <> 'settled' and exists
            (select 1 from bill_payment where bill_payment.bill = bill.id)",
        "payments for bills that are not settled",
    ),
    (
        "select count(*) from (select number from bill group by institution, number having count(*) > 1) as twice",
        "bills that are there twice",
    ),
    (
        "select count(*) from place_sequence where last <>
            (select count(*) from fact where fact.place = place_sequence.place)",
        "places whose facts have a gap",
    ),
    (
        "select count(*) from (select household from warning where closed_on is null group by household
            having count(*) > 1) as twice",
        "households with two open warnings",
    ),
];
const BILL: &str = "select state, total from bill where number = $1";
const ANSWERED: &str = "select count(*) from request where key = $1 and state = 'answered'";
/// As if the senders waited long enough for what was broken off to count as broken off.
const AGE_REQUESTS: &str = "update request set began_at = began_at - 120000000 where state = 'open'";
const BILLS_LIKE: &str = "select number, state from bill where number like $1";
const INTEGRITY: &str = "select integrity_check from pragma_integrity_check";
const IS_SQLITE: &str = "select count(*) from sqlite_master";

/// A bill as the last acknowledged request left it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Expected {
    /// Its number.
    pub(crate) number: String,
    /// The name of the request.
    pub(crate) request: String,
    /// `settled` or `cancelled`.
    pub(crate) state: &'static str,
    /// In fen.
    pub(crate) total: i64,
}

fn number_of(tx: &mut Transaction<'_>, sql: &str, of: Option<&str>) -> Result<i64, DatabaseError> {
    let row = match of {
        Some(of) => tx.query_one(sql, &params![of])?,
        None => tx.query_one(sql, &[])?,
    };
    row.map_or(Ok(0), |row| row.get(0))
}

/// Everything that may not be, and every acknowledged request that is not as it was acknowledged.
pub(crate) fn complaints(database: &Database, expected: Vec<Expected>) -> Vec<String> {
    let found = database.read_blocking(move |tx| -> Result<Vec<String>, DatabaseError> {
        let mut complaints = Vec::new();
        for (sql, means) in NONE_OF {
            let number = number_of(tx, sql, None)?;
            if number > 0 {
                complaints.push(format!("{number} {means}"));
            }
        }
        for one in expected {
            if number_of(tx, ANSWERED, Some(&one.request))? != 1 {
                complaints.push(format!("the request {} was acknowledged and is not answered", one.request));
            }
            let bills = tx.query(BILL, &params![one.number.as_str()])?;
            let bills: Vec<(String, i64)> = bills
                .iter()
                .map(|row| Ok((row.get(0)?, row.get(1)?)))
                .collect::<Result<_, DatabaseError>>()?;
            if bills != [(one.state.to_owned(), one.total)] {
                complaints.push(format!("{one:?} was acknowledged, and there is {bills:?}"));
            }
        }
        Ok(complaints)
    });
    found.expect("the database answers")
}

/// Bills whose number begins so, with their state.
pub(crate) fn bills_like(database: &Database, begin: &str) -> HashMap<String, String> {
    let like = format!("{begin}%");
    let rows = database.read_blocking(move |tx| tx.query(BILLS_LIKE, &params![like])).expect("the database");
    rows.iter().map(|row| (row.get(0).expect("a number"), row.get(1).expect("a state"))).collect()
}

/// Lets two minutes pass for requests that were broken off.
pub(crate) fn age_requests(database: &Database) -> u64 {
    database.write_blocking(|tx| tx.execute(AGE_REQUESTS, &[])).expect("the database")
}

/// What SQLite says of the file itself; nothing on PostgreSQL.
pub(crate) fn damage(database: &Database) -> Vec<String> {
    let is_sqlite = database.read_blocking(|tx| number_of(tx, IS_SQLITE, None)).is_ok();
    if !is_sqlite {
        return Vec::new();
    }
    let rows = database.read_blocking(|tx| tx.query(INTEGRITY, &[])).expect("the database");
    let says = rows.iter().map(|row| row.get::<String>(0).expect("a sentence"));
    says.filter(|sentence| sentence != "ok").collect()
}
