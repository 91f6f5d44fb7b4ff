//! How facts about payments become rows. What is owed on a bill is worked out anew from its receipts, agreements, payments
//! and write-offs whenever one of them joins, so that it comes to the same however the facts are cut into calls.

use std::collections::BTreeSet;

use kangmai_base::{Day, DivisionCode, Fen, Refusal, Uuid};
use kangmai_database::{DatabaseError, InsertMany, Transaction, params};
use kangmai_record::{Fact, NewFact, Projection, SubjectKind, facts_of_kind, nothing_along, open_body};
use serde::Deserialize;

use super::forget::forget;
use crate::facts::{
    ADMITTED, Admitted, BILL_CANCELLED, DEFERRAL_AGREED, DeferralAgreed, NOT_SETTLED, OWN_SHARE_PAID,
    OWN_SHARE_REFUNDED, OwnSharePaid, PAYMENT_TAKEN_BACK, PRIVILEGE_SUSPENDED, PaymentTakenBack,
    PrivilegeSuspended, SETTLED, SUSPENSION_APPEALED, SUSPENSION_LIFTED, SUSPENSION_UPHELD, SuspensionStep,
    WRITE_OFF_ASKED, WRITE_OFF_DECIDED, WRITE_OFF_WITHDRAWN, WriteOffAsked, WriteOffDecided,
    WriteOffWithdrawn,
};
use crate::rules::{CoveredLine, Credit, DebtEvent, Instalments, covered, due_lines};

const PUT_PAYMENT: &str =
    "insert into own_payment (id, fact, bill, person, home, institution, amount, method,
    receipt_year, receipt_sequence, paid_on, paid_at, author)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
const TAKE_BACK: &str = "update own_payment set taken_back = $2 where id = $1 and bill = $3";
const PUT_WRITE_OFF: &str =
    "insert into write_off (id, bill, person, home, institution, amount, reason, evidence,
    asked_at, asked_by, state) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'asked')";
const DECIDE_WRITE_OFF: &str =
    "update write_off set state = $2, bearer = $3, decided_on = $4, decided_by = $5,
    decided_reason = $6 where id = $1 and bill = $7";
const WITHDRAW_WRITE_OFF: &str =
    "update write_off set state = 'withdrawn', decided_reason = $2, decided_by = $3
    where id = $1 and bill = $4";
const PUT_SUSPENSION: &str =
    "insert into suspension (id, person, home, suspended_on, suspended_by, overdue, reason, state)
    values ($1, $2, $3, $4, $5, $6, $7, 'suspended')";
const APPEAL: &str = "update suspension set appealed_on = $2, appeal = $3, answered_on = null, answer = null,
    state = 'appealed' where id = $1";
const UPHOLD: &str = "update suspension set answered_on = $2, answer = $3, state = 'upheld' where id = $1";
const LIFT: &str =
    "update suspension set answered_on = $2, answer = $3, lifted_on = $2, state = 'lifted' where id = $1";

const ASK: InsertMany = InsertMany { table: "own_share_asked", columns: &["bill"], suffix: "" };
/// Of the bills asked for, those that somebody owes: a stay without deposit, or whose own share is followed already.
const FOLLOWED: &str = "select distinct own_share_asked.bill from own_share_asked
    join bill on bill.id = own_share_asked.bill
    where exists (select 1 from own_share where own_share.bill = own_share_asked.bill)
    or exists (select 1 from admission where admission.person = bill.person
        and admission.institution = bill.institution and bill.setting = 'inpatient'
        and admission.admitted_on between bill.admitted_on - 1 and bill.discharged_on
        and (admission.entitled or admission.emergency))";
const CLEAR_ASKED: &str = "delete from own_share_asked";
const BILLS_OF_STAY: &str =
    "select id from bill where person = $1 and institution = $2 and setting = 'inpatient'
    and discharged_on >= $3 and admitted_on <= $3 + 1";
const BILL: &str =
    "select person, home, institution, admitted_on, discharged_on, setting, state, own from bill
    where id = $1";
const ADMISSION: &str = "select fact.body, fact.body_sealed, fact.id from admission join fact on fact.id = admission.id and fact.erased_at is null
    where admission.person = $1 and admission.institution = $2
    and admission.admitted_on between cast($3 as bigint) - 1 and $4 and (admission.entitled or admission.emergency)
    order by admission.admitted_on, admission.id limit 1";
const CREDITS: &str = "select amount, paid_on, taken_back is null from own_payment where bill = $1
    order by paid_on, id";
const WRITTEN_OFF: &str =
    "select amount, decided_on, state = 'approved' from write_off where bill = $1 order by id";
const CLEAR_LINES: &str = "delete from own_share_due where bill = $1";
const CLEAR_SHARE: &str = "delete from own_share where bill = $1";
const PUT_SHARE: &str = "insert into own_share (bill, person, home, institution, discharged_on, own, paid,
    written_off, open, next_due, agreement) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
const PUT_LINE: &str =
    "insert into own_share_due (bill, number, home, institution, due_on, amount, open, closed_on)
    values ($1, $2, $3, $4, $5, $6, $7, $8)";

/// The views of payments, write-offs and suspensions. Stands behind that of bills, whose rows it reads.
pub const PAY_LATER: Projection = Projection {
    name: "settlement payments",
    kinds: &[
        SETTLED,
        NOT_SETTLED,
        BILL_CANCELLED,
        ADMITTED,
        OWN_SHARE_PAID,
        OWN_SHARE_REFUNDED,
        PAYMENT_TAKEN_BACK,
        DEFERRAL_AGREED,
        WRITE_OFF_ASKED,
        WRITE_OFF_DECIDED,
        WRITE_OFF_WITHDRAWN,
        PRIVILEGE_SUSPENDED,
        SUSPENSION_APPEALED,
        SUSPENSION_UPHELD,
        SUSPENSION_LIFTED,
    ],
    views: &["own_payment", "own_share", "own_share_due", "write_off", "suspension"],
    admit,
    apply,
    along: nothing_along,
    forget,
};

/// Which bill a fact of the settlement is about.
#[derive(Deserialize)]
struct OfBill {
    bill: Uuid,
}

/// What a receipt says of the own share.
#[derive(Deserialize)]
struct OwnBy {
    bill: Uuid,
    own: Fen,
}

fn admit(fact: &NewFact) -> Result<(), Refusal> {
    if fact.subject.kind != SubjectKind::Person {
        return Err(Refusal::new("settlement.parked.not_a_person"));
    }
    let positive = |amount: Fen| match amount > Fen::ZERO && amount <= Fen::LIMIT {
        true => Ok(()),
        false => Err(Refusal::new("settlement.parked.amounts")),
    };
    match fact.kind.as_str() {
        OWN_SHARE_PAID | OWN_SHARE_REFUNDED => positive(fact.read_body::<OwnSharePaid>()?.amount),
        PAYMENT_TAKEN_BACK => fact.read_body::<PaymentTakenBack>().map(|_| ()),
        DEFERRAL_AGREED => {
            let body: DeferralAgreed = fact.read_body()?;
            positive(body.amount)?;
            match (1..=1_200).contains(&body.instalments) {
                true => Ok(()),
                false => Err(Refusal::new("settlement.parked.amounts")),
            }
        }
        WRITE_OFF_ASKED => positive(fact.read_body::<WriteOffAsked>()?.amount),
        WRITE_OFF_DECIDED => fact.read_body::<WriteOffDecided>().map(|_| ()),
        WRITE_OFF_WITHDRAWN => fact.read_body::<WriteOffWithdrawn>().map(|_| ()),
        PRIVILEGE_SUSPENDED => fact.read_body::<PrivilegeSuspended>().map(|_| ()),
        SUSPENSION_APPEALED | SUSPENSION_UPHELD | SUSPENSION_LIFTED => {
            fact.read_body::<SuspensionStep>().map(|_| ())
        }
        // The view of bills judges its own.
        _ => Ok(()),
    }
}

fn apply(tx: &mut Transaction<'_>, facts: &[&Fact]) -> Result<(), DatabaseError> {
    let (mut touched, mut asked) = (BTreeSet::new(), Vec::new());
    for fact in facts {
        match fact.new.kind.as_str() {
            SETTLED | NOT_SETTLED | BILL_CANCELLED => asked.push(fact.body::<OfBill>()?.bill),
            ADMITTED => {
                let body: Admitted = fact.body()?;
                let parameters = params![fact.new.subject.id, body.institution, body.admission];
                for row in tx.query(BILLS_OF_STAY, &parameters)? {
                    asked.push(row.get(0)?);
                }
            }
            PRIVILEGE_SUSPENDED | SUSPENSION_APPEALED | SUSPENSION_UPHELD | SUSPENSION_LIFTED => {
                apply_suspension(tx, fact)?;
            }
            _ => {
                touched.insert(apply_to_bill(tx, fact)?);
            }
        }
    }
    if !asked.is_empty() {
        tx.insert_many(&ASK, asked.into_iter().map(|bill| params![bill]))?;
        for row in tx.query(FOLLOWED, &[])? {
            touched.insert(row.get(0)?);
        }
        tx.execute(CLEAR_ASKED, &[])?;
    }
    touched.into_iter().try_for_each(|bill| work_out(tx, bill))
}

/// Writes the row of a fact about the money of one bill; answers which.
fn apply_to_bill(tx: &mut Transaction<'_>, fact: &Fact) -> Result<Uuid, DatabaseError> {
    let new = &fact.new;
    Ok(match new.kind.as_str() {
        OWN_SHARE_PAID | OWN_SHARE_REFUNDED => {
            let body: OwnSharePaid = fact.body()?;
            let amount = if new.kind == OWN_SHARE_PAID { body.amount } else { -body.amount };
            let parameters = params![
                body.payment,
                new.id,
                body.bill,
                new.subject.id,
                new.place,
                body.institution,
                amount,
                body.method.key(),
                body.year,
                body.sequence,
                body.paid_on,
                new.occurred_at,
                new.author,
            ];
            tx.execute(PUT_PAYMENT, &parameters)?;
            body.bill
        }
        PAYMENT_TAKEN_BACK => {
            let body: PaymentTakenBack = fact.body()?;
            tx.execute(TAKE_BACK, &params![body.payment, new.id, body.bill])?;
            body.bill
        }
        WRITE_OFF_ASKED => {
            let body: WriteOffAsked = fact.body()?;
            let parameters = params![
                body.write_off,
                body.bill,
                new.subject.id,
                new.place,
                body.institution,
                body.amount,
                body.reason,
                body.evidence,
                new.occurred_at,
                new.author,
            ];
            tx.execute(PUT_WRITE_OFF, &parameters)?;
            body.bill
        }
        WRITE_OFF_DECIDED => {
            let body: WriteOffDecided = fact.body()?;
            let state = if body.bearer.is_some() { "approved" } else { "rejected" };
            let parameters = params![
                body.write_off,
                state,
                body.bearer,
                body.decided_on,
                new.author,
                body.reason,
                body.bill
            ];
            tx.execute(DECIDE_WRITE_OFF, &parameters)?;
            body.bill
        }
        WRITE_OFF_WITHDRAWN => {
            let body: WriteOffWithdrawn = fact.body()?;
            let parameters = params![body.write_off, body.reason, new.author, body.bill];
            tx.execute(WITHDRAW_WRITE_OFF, &parameters)?;
            body.bill
        }
        _ => fact.body::<DeferralAgreed>()?.bill,
    })
}

fn apply_suspension(tx: &mut Transaction<'_>, fact: &Fact) -> Result<(), DatabaseError> {
    let new = &fact.new;
    if new.kind == PRIVILEGE_SUSPENDED {
        let body: PrivilegeSuspended = fact.body()?;
        let parameters = params![
            body.suspension,
            new.subject.id,
            new.place,
            body.suspended_on,
            new.author,
            body.overdue,
            body.reason,
        ];
        tx.execute(PUT_SUSPENSION, &parameters)?;
        return Ok(());
    }
    let body: SuspensionStep = fact.body()?;
    let statement = match new.kind.as_str() {
        SUSPENSION_APPEALED => APPEAL,
        SUSPENSION_UPHELD => UPHOLD,
        _ => LIFT,
    };
    tx.execute(statement, &params![body.suspension, body.on, body.reason])?;
    Ok(())
}

/// A bill as far as its own share goes.
struct OwedBill {
    person: Uuid,
    home: DivisionCode,
    institution: Uuid,
    discharged_on: Day,
    /// Days after discharge, of a stay without deposit; none: there was a deposit, or nobody knows.
    within: Option<i32>,
    own: Fen,
}

fn owed_bill(tx: &mut Transaction<'_>, bill: Uuid) -> Result<Option<OwedBill>, DatabaseError> {
    let Some(row) = tx.query_one(BILL, &params![bill])? else { return Ok(None) };
    let (setting, state): (String, String) = (row.get(5)?, row.get(6)?);
    let (person, institution): (Uuid, Uuid) = (row.get(0)?, row.get(2)?);
    let (admitted_on, discharged_on): (Day, Day) = (row.get(3)?, row.get(4)?);
    let mut within = None;
    if setting == "inpatient"
        && let Some(stay) =
            tx.query_one(ADMISSION, &params![person, institution, admitted_on, discharged_on])?
    {
        let text = open_body(tx, stay.get(2)?, (stay.get(0)?, stay.get(1)?))?;
        let admitted: Admitted = serde_json::from_str(&text)
            .map_err(|_| DatabaseError::Refused("an admission in the record cannot be read".into()))?;
        within = Some(admitted.pay_within_days.unwrap_or(0));
    }
    let own = if state == "settled" { row.get(7)? } else { Fen::ZERO };
    Ok(Some(OwedBill { person, home: row.get(1)?, institution, discharged_on, within, own }))
}

/// Receipts and agreements of a bill in the order in which they came, and the last agreement.
fn events_of(
    tx: &mut Transaction<'_>,
    person: Uuid,
    bill: Uuid,
) -> Result<(Vec<DebtEvent>, Option<Uuid>), DatabaseError> {
    let mut events = Vec::new();
    for fact in facts_of_kind(tx, person, SETTLED)? {
        let receipt: OwnBy = fact.body()?;
        if receipt.bill == bill {
            let event = DebtEvent::Settled { on: fact.new.occurred_at.day(), own: receipt.own };
            events.push(((fact.received_at, fact.place_sequence), event));
        }
    }
    let mut agreement = None;
    for fact in facts_of_kind(tx, person, DEFERRAL_AGREED)? {
        let body: DeferralAgreed = fact.body()?;
        if body.bill == bill {
            agreement = Some(body.agreement);
            let (amount, count, first_due) = (body.amount, body.instalments, body.first_due);
            let event = DebtEvent::Agreed(Instalments { amount, count, first_due });
            events.push(((fact.received_at, fact.place_sequence), event));
        }
    }
    events.sort_by_key(|(order, _)| *order);
    Ok((events.into_iter().map(|(_, event)| event).collect(), agreement))
}

/// Payments that count, then write-offs that count, and whether there are any at all, counting or not.
fn credits_of(
    tx: &mut Transaction<'_>,
    bill: Uuid,
) -> Result<(Vec<Credit>, Vec<Credit>, bool), DatabaseError> {
    let mut read = |statement: &str| -> Result<(Vec<Credit>, bool), DatabaseError> {
        let rows = tx.query(statement, &params![bill])?;
        let mut credits = Vec::new();
        for row in &rows {
            if row.get::<bool>(2)? {
                credits.push(Credit { on: row.get(1)?, amount: row.get(0)? });
            }
        }
        Ok((credits, !rows.is_empty()))
    };
    let (paid, any_paid) = read(CREDITS)?;
    let (written_off, any_asked) = read(WRITTEN_OFF)?;
    Ok((paid, written_off, any_paid || any_asked))
}

/// Works out what is owed on a bill and writes it; a bill whose own share nobody follows has no row.
pub(super) fn work_out(tx: &mut Transaction<'_>, bill: Uuid) -> Result<(), DatabaseError> {
    tx.execute(CLEAR_LINES, &params![bill])?;
    tx.execute(CLEAR_SHARE, &params![bill])?;
    let Some(owed) = owed_bill(tx, bill)? else { return Ok(()) };
    let (events, agreement) = events_of(tx, owed.person, bill)?;
    let (paid, written_off, is_touched) = credits_of(tx, bill)?;
    if owed.within.is_none() && agreement.is_none() && !is_touched {
        return Ok(());
    }
    let lines = due_lines(owed.discharged_on, owed.within.unwrap_or(0), &events, owed.own);
    let all: Vec<Credit> = paid.iter().chain(&written_off).copied().collect();
    let (lines, left) = covered(&lines, &all);
    let sum = |credits: &[Credit]| credits.iter().map(|credit| credit.amount).sum::<Fen>();
    let open: Fen = lines.iter().map(|line| line.open).sum::<Fen>() - left;
    let next_due = lines.iter().filter(|line| line.open > Fen::ZERO).map(|line| line.line.due_on).min();
    let parameters = params![
        bill,
        owed.person,
        owed.home,
        owed.institution,
        owed.discharged_on,
        owed.own,
        sum(&paid),
        sum(&written_off),
        open,
        next_due,
        agreement,
    ];
    tx.execute(PUT_SHARE, &parameters)?;
    for (line, number) in lines.iter().zip(1_i64..) {
        put_line(tx, bill, number, &owed, line)?;
    }
    Ok(())
}

fn put_line(
    tx: &mut Transaction<'_>,
    bill: Uuid,
    number: i64,
    owed: &OwedBill,
    covered: &CoveredLine,
) -> Result<(), DatabaseError> {
    let line = covered.line;
    let parameters = params![
        bill,
        number,
        owed.home,
        owed.institution,
        line.due_on,
        line.amount,
        covered.open,
        covered.closed_on,
    ];
    tx.execute(PUT_LINE, &parameters)?;
    Ok(())
}
