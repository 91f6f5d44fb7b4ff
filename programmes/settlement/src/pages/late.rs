//! A bill that came when its year was closed: handed in at the desk, decided by the insurance bureau.

use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use kangmai_base::{DivisionCode, Refusal, Uuid};
use kangmai_database::{DatabaseError, Transaction};
use kangmai_programme::Visit;
use kangmai_record::Source;
use kangmai_web::{Failure, Field, Flash, Form, FormBody, Page, go_to, show, show_refused};

use super::years::refuse_closed;
use super::{id_in, village};
use crate::facts::{BILL_LATE, BillReceived, LATE_BILL_LEFT, LateBillLeft};
use crate::rules::LONGEST_REASON;
use crate::settling::{Hand, closing, lock_person, settle_again};
use crate::store::{self, BillState, LateBill, known_bill};

const FIELDS: &[Field] =
    &[Field::area("reason", "settlement.field.leave_reason").at_most(LONGEST_REASON).optional()];

#[derive(Template)]
#[template(path = "settlement_late.html")]
struct LatePage {
    page: Page,
    form: Form,
    late: LateBill,
    body: BillReceived,
    village: String,
    /// Whether the year is still closed.
    is_closed: bool,
}

/// Hands a bill of a closed year to the bureau; once, however often it is sent.
pub(super) fn hand_in(
    tx: &mut Transaction<'_>,
    hand: &Hand<'_>,
    person: Uuid,
    home: DivisionCode,
    body: &BillReceived,
) -> Result<(), DatabaseError> {
    lock_person(tx, person, home)?;
    if store::is_handed_in(tx, body.institution.id, &body.number)? {
        return Ok(());
    }
    let fact = hand.fact(BILL_LATE, person, home, body)?;
    hand.app.record.keep(tx, hand.now, vec![fact])?;
    Ok(())
}

async fn page_of(visit: Visit, id: Uuid, form: Form) -> Result<LatePage, Failure> {
    let within = visit.reach.clone();
    let found = visit
        .app
        .database
        .read(move |tx| {
            let Some(late) = store::late_bill(tx, &within, id)? else { return Ok::<_, DatabaseError>(None) };
            let is_closed = store::closed_year(tx, late.home, late.year)?.is_some();
            let body: Option<BillReceived> = store::receipt_of(tx, Some(late.fact))?;
            Ok(body.map(|body| (late, body, is_closed)))
        })
        .await?;
    let (late, body, is_closed) = found.ok_or(Failure::NotFound)?;
    let years = visit.page.word("settlement.years.title").into_owned();
    let page = visit.page.titled("settlement.late.title").under(years, "/years");
    Ok(LatePage { page, form, village: village(late.home), late, body, is_closed })
}

/// GET: the bill, and what can be done with it.
pub(crate) async fn late(visit: Visit, Path(id): Path<String>) -> Result<Response, Failure> {
    let id = id_in(&id)?;
    show(&page_of(visit, id, Form::blank(FIELDS)).await?)
}

/// POST: takes the bill in, once its year is open again, or leaves it with a reason.
pub(crate) async fn decide_late(
    visit: Visit,
    Path(id): Path<String>,
    body: FormBody,
) -> Result<Response, Failure> {
    let id = id_in(&id)?;
    let taking = match body.act() {
        "take" => true,
        "leave" => false,
        _ => return Err(Failure::NotFound),
    };
    let mut form = body.form(FIELDS);
    let reason = form.text("reason").unwrap_or_default();
    if !taking && reason.is_empty() {
        form.refuse(Refusal::new("settlement.refused.leave_reason").at("reason"));
        return show_refused(&page_of(visit, id, form).await?);
    }
    let (app, actor, reach, now) =
        (visit.app.clone(), visit.actor.clone(), visit.reach.clone(), visit.app.clock.now());
    let written = visit.app.database.write(move |tx| {
        let Some(late) = store::late_bill(tx, &reach, id)? else { return Ok::<_, DatabaseError>(None) };
        lock_person(tx, late.person, late.home)?;
        // Somebody else may have been quicker.
        let Some(late) = store::late_bill(tx, &reach, id)? else { return Ok(None) };
        let hand = Hand { app: &app, actor: &actor, now, source: Source::Typed };
        if !taking {
            let fact =
                hand.fact(LATE_BILL_LEFT, late.person, late.home, &LateBillLeft { bill: late.id, reason })?;
            app.record.keep(tx, now, vec![fact])?;
            return Ok(Some(Ok(None)));
        }
        Ok(Some(take_in(tx, &hand, &late)?.map(Some)))
    });
    match written.await? {
        None => Ok(go_to("/years")),
        Some(Ok(Some(bill))) => {
            let said = visit.page.word("settlement.late.taken");
            Ok(Flash::good(said).then_go_to(&format!("/bills/{bill}")))
        }
        Some(Ok(None)) => Ok(Flash::good(visit.page.word("settlement.late.left")).then_go_to("/years")),
        Some(Err(refusal)) => {
            form.refuse(refusal);
            show_refused(&page_of(visit, id, form).await?)
        }
    }
}

fn take_in(
    tx: &mut Transaction<'_>,
    hand: &Hand<'_>,
    late: &LateBill,
) -> Result<Result<Uuid, Refusal>, DatabaseError> {
    let Some(mut body) = store::receipt_of::<BillReceived>(tx, Some(late.fact))? else {
        return Ok(Err(Refusal::new("settlement.refused.impossible")));
    };
    let whose = (late.person, Some(body.household));
    if let Some(closed) = closing(tx, &hand.app.policies, whose, late.home, late.year)? {
        return Ok(Err(refuse_closed(&closed)));
    }
    let mut corrects = None;
    if let Some(known) = known_bill(tx, body.institution.id, &body.number)? {
        if known.state != BillState::Cancelled {
            return Ok(Err(crate::intake::refuse_known(&known)));
        }
        (body.bill, corrects) = (known.id, Some(known.fact));
    }
    let mut fact = hand.received(late.person, late.home, &body)?;
    fact.corrects = corrects;
    hand.app.record.keep(tx, hand.now, vec![fact])?;
    settle_again(tx, hand, whose, body.year(), None)?;
    Ok(Ok(body.bill))
}
