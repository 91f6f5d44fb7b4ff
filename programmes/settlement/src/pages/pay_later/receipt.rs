//! The receipt of a payment, half a sheet; and taking a mistaken payment back.

use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use kangmai_access::{Purpose, Reach};
use kangmai_base::{Fen, Refusal, Uuid};
use kangmai_database::{DatabaseError, Transaction};
use kangmai_programme::Visit;
use kangmai_record::NewFact;
use kangmai_web::{Failure, Field, Flash, Form, FormBody, Page, show, show_refused};

use super::{DebtForm, Owed, find_owed, may, write_about};
use crate::facts::{PAYMENT_TAKEN_BACK, PaymentTakenBack};
use crate::pages::{Head, id_in, note, village};
use crate::rules::LONGEST_REASON;
use crate::store;
use crate::store::pay_later::{Payment, payment};

const FIELDS: &[Field] = &[Field::area("reason", "settlement.field.reason").at_most(LONGEST_REASON)];

#[derive(Template)]
#[template(path = "settlement_receipt.html")]
struct ReceiptPage {
    page: Page,
    payment: Payment,
    owed: Owed,
    payer: String,
    village: String,
    /// Without its sign.
    amount: Fen,
    in_words: String,
    method: String,
    taken_back: Option<String>,
    may_take_back: bool,
    /// Whether the data is a demonstration: the slip says so.
    is_sample: bool,
}

impl ReceiptPage {
    fn is_refund(&self) -> bool {
        self.payment.amount.is_negative()
    }

    fn debt(&self) -> String {
        self.owed.path()
    }

    fn take_back(&self) -> String {
        format!("/receipts/{}/take-back", self.payment.id)
    }
}

fn find(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    id: Uuid,
) -> Result<Option<(Payment, Owed, Option<PaymentTakenBack>)>, DatabaseError> {
    let Some(payment) = payment(tx, reach, id)? else { return Ok(None) };
    let Some(owed) = find_owed(tx, reach, payment.bill)? else { return Ok(None) };
    let taken_back = store::receipt_of(tx, payment.taken_back)?;
    Ok(Some((payment, owed, taken_back)))
}

/// GET: the receipt, to be printed.
pub(crate) async fn receipt(visit: Visit, Path(id): Path<String>) -> Result<Response, Failure> {
    let (id, within) = (id_in(&id)?, visit.reach.clone());
    let found = visit.app.database.read(move |tx| find(tx, &within, id)).await?;
    let (payment, owed, taken_back) = found.ok_or(Failure::NotFound)?;
    note(&visit, "read_person", Some(payment.person), payment.home, payment.receipt.clone()).await?;
    let page = &visit.page;
    let title = match payment.amount.is_negative() {
        true => "settlement.receipt.refund_title",
        false => "settlement.receipt.title",
    };
    let list = page.word("settlement.debts.title").into_owned();
    let mut framed = visit.page.clone().titled(title).under(list, "/payments");
    framed = framed.under(owed.bill.person_name.clone(), owed.path());
    framed.unit = payment.institution_name.clone();
    let amount = Fen(payment.amount.0.abs());
    let payer = match &owed.person {
        Some(person) => {
            let head = Head::of(page, person, payment.paid_on);
            format!("{} {}", head.name, head.id_number).trim().to_owned()
        }
        None => owed.bill.person_name.clone(),
    };
    show(&ReceiptPage {
        payer,
        village: village(payment.home),
        amount,
        in_words: amount.in_chinese_capitals(),
        method: payment.method.map(|method| page.word(method.word()).into_owned()).unwrap_or_default(),
        may_take_back: taken_back.is_none() && may(&visit, Purpose::SettleBills, &owed.bill),
        taken_back: taken_back.map(|taken| taken.reason),
        is_sample: visit.app.settings.demo,
        payment,
        owed,
        page: framed,
    })
}

/// The payment, if this desk may take it back: its own institution's, and not taken back already.
async fn own_payment(visit: &Visit, id: &str) -> Result<(Payment, Owed), Failure> {
    let (id, within) = (id_in(id)?, visit.reach.clone());
    let found = visit.app.database.read(move |tx| find(tx, &within, id)).await?;
    found
        .filter(|(payment, owed, _)| {
            payment.taken_back.is_none() && may(visit, Purpose::SettleBills, &owed.bill)
        })
        .map(|(payment, owed, _)| (payment, owed))
        .ok_or(Failure::NotFound)
}

fn page_of(visit: &Visit, payment: &Payment, owed: &Owed, form: Form) -> DebtForm {
    let mut page = DebtForm::of(visit, owed, "settlement.take_back.title", form, "settlement.take_back.do");
    page.is_danger = true;
    let said = ("receipt", &payment.receipt, page.page.yuan(payment.amount));
    page.notes.push(page.page.say2("settlement.take_back.note", said.0, said.1, "amount", said.2));
    page.back = format!("/receipts/{}", payment.id);
    page
}

/// GET: what taking back does, and the field for the reason.
pub(crate) async fn take_back_form(visit: Visit, Path(id): Path<String>) -> Result<Response, Failure> {
    let (payment, owed) = own_payment(&visit, &id).await?;
    show(&page_of(&visit, &payment, &owed, Form::blank(FIELDS)))
}

/// POST: the payment does not count any more; its number stays, marked void.
pub(crate) async fn take_back(
    visit: Visit,
    Path(id): Path<String>,
    body: FormBody,
) -> Result<Response, Failure> {
    let (payment, owed) = own_payment(&visit, &id).await?;
    let mut form = body.form(FIELDS);
    let Some(reason) = form.text("reason") else {
        return show_refused(&page_of(&visit, &payment, &owed, form));
    };
    let asked = payment.id;
    let done = write_about(&visit, &owed.bill, move |_, hand, owed| {
        // Somebody else may have been quicker.
        let found = owed.payments.iter().find(|one| one.id == asked && one.taken_back.is_none());
        let Some(found) = found else {
            return Ok(Err(vec![Refusal::new("settlement.refused.taken_back_already")]));
        };
        let fact = PaymentTakenBack { payment: asked, bill: owed.bill.id, reason };
        let fact = hand.fact(PAYMENT_TAKEN_BACK, owed.bill.person, owed.bill.home, &fact)?;
        Ok(Ok(vec![NewFact { corrects: Some(found.fact), ..fact }]))
    });
    match done.await? {
        Ok(()) => {
            let said = visit.page.say1("settlement.taken_back_now", "receipt", &payment.receipt);
            Ok(Flash::good(said).then_go_to(&owed.path()))
        }
        Err(wrong) => {
            for refusal in wrong {
                form.refuse(refusal);
            }
            show_refused(&page_of(&visit, &payment, &owed, form))
        }
    }
}
