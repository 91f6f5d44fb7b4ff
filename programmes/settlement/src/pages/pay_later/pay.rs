//! Money comes in, or goes back where a re-settlement lowered the own share; each with a receipt.

use axum::extract::Path;
use axum::response::Response;
use kangmai_base::{Day, Fen, Refusal, Uuid};
use kangmai_database::{DatabaseError, Transaction};
use kangmai_programme::Visit;
use kangmai_record::NewFact;
use kangmai_web::{Choice, Failure, Field, Flash, Form, FormBody, Page, show, show_refused};

use super::{DebtForm, Decided, Owed, owed, write_about};
use crate::facts::{OWN_SHARE_PAID, OWN_SHARE_REFUNDED, OwnSharePaid, PaymentMethod};
use crate::rules::{check_money, check_payment};
use crate::settling::Hand;
use crate::store::pay_later::next_sequence;

const PAY: &[Field] = &[
    Field::amount("amount", "settlement.field.paid"),
    Field::radios("method", "settlement.field.method"),
    Field::day("paid_on", "settlement.field.paid_on"),
    Field::hidden("expected"),
];
const REFUND: &[Field] = &[
    Field::amount("amount", "settlement.field.refunded"),
    Field::radios("method", "settlement.field.method"),
    Field::day("paid_on", "settlement.field.refunded_on"),
    Field::hidden("expected"),
];

/// What is read off the form.
struct Typed {
    amount: Fen,
    method: PaymentMethod,
    paid_on: Day,
    /// What was open when the form was drawn: who presses twice pays once.
    expected: Fen,
}

fn offer(form: &mut Form, page: &Page) {
    let choice = |method: PaymentMethod| Choice::new(method.key(), page.word(method.word()));
    form.offer("method", PaymentMethod::ALL.into_iter().map(choice).collect());
}

fn read(form: &mut Form) -> Option<Typed> {
    let (amount, method) = (form.amount("amount"), form.choice("method"));
    let (paid_on, expected) = (form.day("paid_on"), form.raw("expected").parse());
    Some(Typed {
        amount: amount?,
        method: PaymentMethod::of_key(&method?)?,
        paid_on: paid_on?,
        expected: expected.ok()?,
    })
}

fn page_of(visit: &Visit, owed: &Owed, form: Form) -> DebtForm {
    DebtForm::of(visit, owed, "settlement.pay.title", form, "settlement.pay.do")
}

fn refund_page(visit: &Visit, owed: &Owed, form: Form) -> DebtForm {
    DebtForm::of(visit, owed, "settlement.refund.title", form, "settlement.refund.do")
}

/// GET: what is due next stands in the field.
pub(crate) async fn pay_form(visit: Visit, Path(id): Path<String>) -> Result<Response, Failure> {
    let owed = owed(&visit, &id, true).await?;
    let mut form = Form::blank(PAY);
    offer(&mut form, &visit.page);
    let due: Fen = owed.lines.iter().filter(|line| line.due_on <= visit.today).map(|line| line.open).sum();
    let next = owed.lines.iter().map(|line| line.open).find(|open| *open > Fen::ZERO);
    let amount = if due > Fen::ZERO { due } else { next.unwrap_or(Fen::ZERO) };
    form.fill("amount", amount);
    form.fill("paid_on", visit.today);
    form.fill("expected", owed.debt.open);
    show(&page_of(&visit, &owed, form))
}

/// POST: writes the payment and shows its receipt.
pub(crate) async fn pay(visit: Visit, Path(id): Path<String>, body: FormBody) -> Result<Response, Failure> {
    let owed = owed(&visit, &id, true).await?;
    let mut form = body.form(PAY);
    offer(&mut form, &visit.page);
    let Some(typed) = read(&mut form) else { return show_refused(&page_of(&visit, &owed, form)) };
    let payment = visit.app.mint();
    let today = visit.today;
    let done = write_about(&visit, &owed.bill, move |tx, hand, owed| {
        let mut wrong =
            check_payment(owed.debt.open, typed.amount, typed.paid_on, owed.body.discharge, today);
        if wrong.is_empty() && typed.expected != owed.debt.open {
            wrong.push(Refusal::new("settlement.refused.moved").with("open", owed.debt.open.grouped()));
        }
        decided(tx, hand, owed, OWN_SHARE_PAID, payment, &typed, wrong)
    });
    match done.await? {
        Ok(()) => {
            Ok(Flash::good(visit.page.word("settlement.paid_now"))
                .then_go_to(&format!("/receipts/{payment}")))
        }
        Err(wrong) => show_refused(&page_of(&visit, &owed, refused(form, wrong))),
    }
}

/// The form with what is wrong. What was open has moved: the next try goes by what is open now.
fn refused(mut form: Form, wrong: Vec<Refusal>) -> Form {
    for refusal in wrong {
        form.refuse(refusal);
    }
    form
}

fn decided(
    tx: &mut Transaction<'_>,
    hand: &Hand<'_>,
    owed: &Owed,
    kind: &'static str,
    payment: Uuid,
    typed: &Typed,
    wrong: Vec<Refusal>,
) -> Result<Decided, DatabaseError> {
    if !wrong.is_empty() {
        return Ok(Err(wrong));
    }
    let fact = paid_fact(tx, hand, owed, kind, payment, (typed.amount, typed.method, typed.paid_on))?;
    Ok(Ok(vec![fact]))
}

/// The fact of a payment with the next number of the institution's receipts.
pub(crate) fn paid_fact(
    tx: &mut Transaction<'_>,
    hand: &Hand<'_>,
    owed: &Owed,
    kind: &'static str,
    payment: Uuid,
    (amount, method, paid_on): (Fen, PaymentMethod, Day),
) -> Result<NewFact, DatabaseError> {
    let (institution, year) = (owed.bill.institution, hand.now.day().year());
    tx.lock(&format!("settlement receipts {institution}"))?;
    let sequence = next_sequence(tx, institution, year)?;
    let body =
        OwnSharePaid { payment, bill: owed.bill.id, institution, amount, method, year, sequence, paid_on };
    hand.fact(kind, owed.bill.person, owed.bill.home, &body)
}

/// GET: what went too far stands in the field.
pub(crate) async fn refund_form(visit: Visit, Path(id): Path<String>) -> Result<Response, Failure> {
    let owed = owed(&visit, &id, true).await?;
    let mut form = Form::blank(REFUND);
    offer(&mut form, &visit.page);
    form.fill("amount", (-owed.debt.open).max(Fen::ZERO));
    form.fill("paid_on", visit.today);
    form.fill("expected", owed.debt.open);
    show(&refund_page(&visit, &owed, form))
}

/// POST: writes the refund and shows its slip.
pub(crate) async fn refund(
    visit: Visit,
    Path(id): Path<String>,
    body: FormBody,
) -> Result<Response, Failure> {
    let owed = owed(&visit, &id, true).await?;
    let mut form = body.form(REFUND);
    offer(&mut form, &visit.page);
    let Some(typed) = read(&mut form) else { return show_refused(&refund_page(&visit, &owed, form)) };
    let (payment, today) = (visit.app.mint(), visit.today);
    let done = write_about(&visit, &owed.bill, move |tx, hand, owed| {
        // What was written off was never paid: only money that came in goes back.
        let most = (-owed.debt.open).min(owed.debt.paid);
        let mut wrong = check_money(most, typed.amount, "settlement.refused.refund");
        if typed.paid_on > today || typed.paid_on < owed.body.discharge {
            let refusal = Refusal::new("settlement.refused.paid_on");
            let from = owed.body.discharge.to_string();
            wrong.push(refusal.with("from", from).with("today", today.to_string()).at("paid_on"));
        }
        decided(tx, hand, owed, OWN_SHARE_REFUNDED, payment, &typed, wrong)
    });
    match done.await? {
        Ok(()) => Ok(Flash::good(visit.page.word("settlement.refunded_now"))
            .then_go_to(&format!("/receipts/{payment}"))),
        Err(wrong) => show_refused(&refund_page(&visit, &owed, refused(form, wrong))),
    }
}
