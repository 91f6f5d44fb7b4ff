//! Erasing: how a person leaves the views of bills, and the sums. What an institution claimed and reconciled is the institution's
//! and stays, with the identifier of a bill that is no longer there.

use std::collections::BTreeSet;

use kangmai_base::{DivisionCode, Fen, Uuid};
use kangmai_database::{DatabaseError, Transaction, in_fifties, params};
use kangmai_record::{Fact, Subject, SubjectKind, facts_of_kind, open_body};
use serde::Deserialize;

use super::{Sums, apply, payer_kind_key, taken_out, write_sums};
use crate::facts::{BILL_CANCELLED, BILL_ITEMISED, BILL_RECEIVED, NOT_SETTLED, SETTLED, Settled};

const OWN_BILLS: &str = "select id from bill where person = $1 order by id";
const FORGET_BILL: &str = "delete from bill where id = $1";
const FORGET_POSTINGS: &str = "delete from posting where bill = $1 and person = $2";
const CLEAR_POSTINGS: &str = "delete from posting where bill = $1";
const FORGET_OPENINGS: &str = "delete from opening where person = $1";
const FORGET_ADMISSIONS: &str = "delete from admission where person = $1";
/// The answers of requests about 50 bills at once. That there was one stays, so that it is not done again.
const FORGET_ANSWERS: &str = "update request set answer = null, digest = '' where bill in
    ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25,
    $26, $27, $28, $29, $30, $31, $32, $33, $34, $35, $36, $37, $38, $39, $40, $41, $42, $43, $44, $45, $46, $47, $48, $49, $50)";
const BEFORE: &str = "select subject, corrects from fact where id = $1";
const ZERO_BILLS: &str = "select 1 from bill_sum where home = $1 and insurance_year = $2 and bills = 0";
const ZERO_PAYER: &str = "select 1 from payer_sum
    where home = $1 and insurance_year = $2 and kind = $3 and payer = $4 and paid = 0";
const SETTLED_AT: &str = "select id, body, body_sealed from fact
    where place = $1 and kind = 'settlement.settled' and subject <> $2 and erased_at is null";
const DROP_BILLS: &str = "delete from bill_sum where home = $1 and insurance_year = $2";
const DROP_PAYER: &str =
    "delete from payer_sum where home = $1 and insurance_year = $2 and kind = $3 and payer = $4";

/// Which bill a fact is about.
#[derive(Deserialize)]
struct OfBill {
    bill: Uuid,
}

/// The rows of sums that the receipts of somebody made.
#[derive(Default)]
struct Touched {
    bills: BTreeSet<(DivisionCode, i32)>,
    payers: BTreeSet<(DivisionCode, i32, &'static str, String)>,
}

/// The bills that ever were of a person. One that was charged to the wrong person, cancelled and sent anew is another's now.
///
/// # Errors
/// When the database fails.
pub(in crate::store) fn bills_ever_of(
    tx: &mut Transaction<'_>,
    person: Uuid,
) -> Result<BTreeSet<Uuid>, DatabaseError> {
    let facts = facts_of_kind(tx, person, BILL_RECEIVED)?;
    facts.iter().map(|fact| Ok(fact.body::<OfBill>()?.bill)).collect()
}

/// Takes a person out of the views of bills.
pub(super) fn forget(tx: &mut Transaction<'_>, subject: Subject) -> Result<(), DatabaseError> {
    if subject.kind != SubjectKind::Person {
        return Ok(());
    }
    let person = subject.id;
    let bills = bills_ever_of(tx, person)?;
    let before = held_before(tx, person)?;
    forget_answers(tx, &bills)?;
    let mut sums = Sums::default();
    let mut own: Vec<Uuid> = Vec::new();
    for row in tx.query(OWN_BILLS, &params![person])? {
        own.push(row.get(0)?);
    }
    for before in taken_out(tx, &own)?.into_values() {
        before.take_back(&mut sums);
    }
    for bill in &own {
        tx.execute(FORGET_BILL, &params![*bill])?;
    }
    for bill in &bills {
        tx.execute(FORGET_POSTINGS, &params![*bill, person])?;
    }
    for statement in [FORGET_OPENINGS, FORGET_ADMISSIONS] {
        tx.execute(statement, &params![person])?;
    }
    write_sums(tx, sums)?;
    for bill in own {
        give_back(tx, bill, &before)?;
    }
    drop_empty_sums(tx, person)
}

fn forget_answers(tx: &mut Transaction<'_>, bills: &BTreeSet<Uuid>) -> Result<(), DatabaseError> {
    let bills: Vec<Uuid> = bills.iter().copied().collect();
    for bills in in_fifties(&bills) {
        tx.execute(FORGET_ANSWERS, &bills)?;
    }
    Ok(())
}

/// Whose bills came to be this person's: each fact says which one it put right.
fn held_before(tx: &mut Transaction<'_>, person: Uuid) -> Result<BTreeSet<Uuid>, DatabaseError> {
    let (mut holders, mut seen) = (BTreeSet::new(), BTreeSet::new());
    for fact in facts_of_kind(tx, person, BILL_RECEIVED)? {
        let mut before = fact.new.corrects;
        while let Some(one) = before.filter(|one| seen.insert(*one)) {
            let Some(row) = tx.query_one(BEFORE, &params![one])? else { break };
            holders.insert(row.get(0)?);
            before = row.get(1)?;
        }
    }
    holders.remove(&person);
    Ok(holders)
}

/// A bill that was another's before is theirs again, cancelled as they left it.
fn give_back(tx: &mut Transaction<'_>, bill: Uuid, holders: &BTreeSet<Uuid>) -> Result<(), DatabaseError> {
    let mut facts = Vec::new();
    for holder in holders {
        for kind in [BILL_RECEIVED, BILL_ITEMISED, SETTLED, NOT_SETTLED, BILL_CANCELLED] {
            for fact in facts_of_kind(tx, *holder, kind)? {
                if fact.body::<OfBill>()?.bill == bill {
                    facts.push(fact);
                }
            }
        }
    }
    if facts.is_empty() {
        return Ok(());
    }
    facts.sort_by_key(|fact| (fact.received_at, fact.new.place, fact.place_sequence));
    tx.execute(CLEAR_POSTINGS, &params![bill])?;
    apply(tx, &facts.iter().collect::<Vec<&Fact>>())
}

/// A sum that no other receipt ever touched has no row.
fn drop_empty_sums(tx: &mut Transaction<'_>, person: Uuid) -> Result<(), DatabaseError> {
    let mut touched = Touched::default();
    for fact in facts_of_kind(tx, person, SETTLED)? {
        touched.add(fact.new.place, &fact.body()?);
    }
    let mut empty = Touched::default();
    for (home, year) in touched.bills {
        if tx.query_one(ZERO_BILLS, &params![home, year])?.is_some() {
            empty.bills.insert((home, year));
        }
    }
    for (home, year, kind, payer) in touched.payers {
        if tx.query_one(ZERO_PAYER, &params![home, year, kind, payer.as_str()])?.is_some() {
            empty.payers.insert((home, year, kind, payer));
        }
    }
    let of_bills = empty.bills.iter().map(|sum| sum.0);
    let places: BTreeSet<DivisionCode> = of_bills.chain(empty.payers.iter().map(|sum| sum.0)).collect();
    let mut others = Touched::default();
    for place in places {
        for row in tx.query(SETTLED_AT, &params![place, person])? {
            let text = open_body(tx, row.get(0)?, (row.get(1)?, row.get(2)?))?;
            let receipt: Settled = serde_json::from_str(&text)
                .map_err(|_| DatabaseError::Refused("a receipt in the record cannot be read".into()))?;
            others.add(place, &receipt);
        }
    }
    for (home, year) in empty.bills.difference(&others.bills) {
        tx.execute(DROP_BILLS, &params![*home, *year])?;
    }
    for (home, year, kind, payer) in empty.payers.difference(&others.payers) {
        tx.execute(DROP_PAYER, &params![*home, *year, *kind, payer.as_str()])?;
    }
    Ok(())
}

impl Touched {
    fn add(&mut self, home: DivisionCode, receipt: &Settled) {
        self.bills.insert((home, receipt.year));
        for layer in receipt.layers.iter().filter(|layer| layer.paid != Fen::ZERO) {
            self.payers.insert((home, receipt.year, payer_kind_key(layer.kind), layer.payer.clone()));
        }
    }
}
