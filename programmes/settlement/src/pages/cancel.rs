//! Cancelling a bill, and trying again to settle one that waits.

use std::sync::Arc;

use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use kangmai_base::{Refusal, Uuid};
use kangmai_database::{DatabaseError, Transaction};
use kangmai_policy::Release;
use kangmai_programme::Visit;
use kangmai_record::Source;
use kangmai_web::{Failure, Field, Flash, Form, FormBody, Page, go_to, show, show_refused};

use super::{id_in, refuse_closed};
use crate::intake::cancel_bill;
use crate::rules::LONGEST_REASON;
use crate::settling::{Hand, closing, lock_person, settle_again};
use crate::store::{self, Bill, BillState, YearState};

const FIELDS: &[Field] = &[Field::area("reason", "settlement.field.reason").at_most(LONGEST_REASON)];

#[derive(Template)]
#[template(path = "settlement_cancel.html")]
struct CancelPage {
    page: Page,
    form: Form,
    bill: Bill,
}

impl CancelPage {
    fn statement(&self) -> String {
        format!("/bills/{}", self.bill.id)
    }
}

/// The bill, if this desk may change it: its own institution's, and not cancelled already.
async fn own_bill(visit: &Visit, id: Uuid) -> Result<Bill, Failure> {
    let (reach, own) = (visit.reach.clone(), visit.actor.institution);
    let bill = visit.app.database.read(move |tx| store::bill(tx, &reach, id)).await?;
    bill.filter(|bill| own.is_none_or(|own| own == bill.institution))
        .filter(|bill| bill.state != BillState::Cancelled)
        .ok_or(Failure::NotFound)
}

/// GET: what cancelling does, and the field for the reason.
pub(crate) async fn cancel_form(visit: Visit, Path(id): Path<String>) -> Result<Response, Failure> {
    let bill = own_bill(&visit, id_in(&id)?).await?;
    let (policies, asked) = (Arc::clone(&visit.app.policies), bill.clone());
    let closed = visit.app.database.read(move |tx| closing_for(tx, &policies, &asked)).await?;
    let mut form = Form::blank(FIELDS);
    if let Some(closed) = closed {
        form.refuse(Refusal { field: None, ..refuse_closed(&closed) });
    }
    show(&page_of(visit, bill, form))
}

fn page_of(visit: Visit, bill: Bill, form: Form) -> CancelPage {
    let list = visit.page.word("settlement.bills.title").into_owned();
    let page = visit.page.titled("settlement.cancel.title").under(list, "/bills");
    let page = page.under(bill.number.clone(), format!("/bills/{}", bill.id));
    CancelPage { page, form, bill }
}

/// POST: cancels the bill and settles the rest of its person-year again, in one transaction.
pub(crate) async fn cancel(
    visit: Visit,
    Path(id): Path<String>,
    body: FormBody,
) -> Result<Response, Failure> {
    let bill = own_bill(&visit, id_in(&id)?).await?;
    let mut form = body.form(FIELDS);
    let Some(reason) = form.text("reason") else {
        return show_refused(&page_of(visit, bill, form));
    };
    let (app, actor, now, reach) =
        (visit.app.clone(), visit.actor.clone(), visit.app.clock.now(), visit.reach.clone());
    let asked = bill.clone();
    let changed = visit.app.database.write(move |tx| {
        let hand = Hand { app: &app, actor: &actor, now, source: Source::Typed };
        cancel_bill(tx, &hand, &reach, &asked, &reason)
    });
    let changed = match changed.await? {
        Ok(changed) => changed.unwrap_or(0),
        Err(refusal) => {
            form.refuse(refusal);
            return show_refused(&page_of(visit, bill, form));
        }
    };
    let text = visit.page.say2("settlement.cancelled_now", "number", &bill.number, "changed", changed);
    Ok(Flash::good(text).then_go_to(&format!("/bills/{}", bill.id)))
}

/// The closing that stands in the way of cancelling or settling a bill.
pub(crate) fn closing_for(
    tx: &mut Transaction<'_>,
    policies: &Release,
    bill: &Bill,
) -> Result<Option<YearState>, DatabaseError> {
    closing(tx, policies, (bill.person, Some(bill.household)), bill.home, bill.year)
}

/// POST: tries to settle a bill that waits; a policy may be there by now.
pub(crate) async fn settle_waiting(
    visit: Visit,
    Path(id): Path<String>,
    _body: FormBody,
) -> Result<Response, Failure> {
    let bill = own_bill(&visit, id_in(&id)?).await?;
    if bill.state == BillState::Settled {
        return Ok(go_to(&format!("/bills/{}", bill.id)));
    }
    let (app, actor, now, asked) =
        (visit.app.clone(), visit.actor.clone(), visit.app.clock.now(), bill.clone());
    let reach = visit.reach.clone();
    let state = visit.app.database.write(move |tx| {
        lock_person(tx, asked.person, asked.home)?;
        if let Some(closed) = closing_for(tx, &app.policies, &asked)? {
            return Ok::<_, DatabaseError>(Err(refuse_closed(&closed)));
        }
        let hand = Hand { app: &app, actor: &actor, now, source: Source::Typed };
        settle_again(tx, &hand, (asked.person, Some(asked.household)), asked.year, None)?;
        Ok(Ok(store::bill(tx, &reach, asked.id)?.map(|bill| bill.state)))
    });
    let path = format!("/bills/{}", bill.id);
    let state = match state.await? {
        Ok(state) => state,
        Err(refusal) => return Ok(Flash::warning(visit.page.refusal(&refusal)).then_go_to(&path)),
    };
    Ok(if state == Some(BillState::Settled) {
        Flash::good(visit.page.word("settlement.waiting.settled")).then_go_to(&path)
    } else {
        Flash::warning(visit.page.word("settlement.waiting.still")).then_go_to(&path)
    })
}
