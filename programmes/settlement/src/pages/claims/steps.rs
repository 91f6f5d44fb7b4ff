//! The steps of a claim: submitted, a line cut, reconciled, paid, withdrawn.

use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use kangmai_base::{Day, Fen, Refusal, Uuid};
use kangmai_database::{DatabaseError, Transaction};
use kangmai_programme::Visit;
use kangmai_record::{NewFact, Source, Subject};
use kangmai_web::{Failure, Field, Flash, Form, FormBody, Page, go_to, show, show_refused};
use serde::Serialize;

use super::{found, institution_within, offer_of};
use crate::facts::{
    CLAIM_CUT, CLAIM_LINES, CLAIM_PAID, CLAIM_RECONCILED, CLAIM_SUBMITTED, CLAIM_WITHDRAWN, ClaimCut,
    ClaimLine, ClaimLines, ClaimPaid, ClaimReconciled, ClaimSubmitted, ClaimWithdrawn,
};
use crate::pages::id_in;
use crate::rules::{LONGEST_REASON, check_cut, check_reconciled};
use crate::settling::Hand;
use crate::store::claim::{Claim, ClaimRow, ClaimState, claim as find_claim, claim_line, claimable};

const SUBMIT: &[Field] =
    &[Field::hidden("institution"), Field::hidden("month_end"), Field::hidden("expected")];
const CUT: &[Field] = &[
    Field::amount("amount", "settlement.field.cut"),
    Field::area("reason", "settlement.field.cut_reason").at_most(LONGEST_REASON),
];
const RECONCILE: &[Field] =
    &[Field::area("reason", "settlement.field.reconcile_reason").at_most(LONGEST_REASON).optional()];
const PAY: &[Field] = &[
    Field::day("paid_on", "settlement.field.claim_paid_on"),
    Field::text("reference", "settlement.field.reference").at_most(60),
];
const WITHDRAW: &[Field] = &[Field::area("reason", "settlement.field.why").at_most(LONGEST_REASON)];

/// A page with one form about a claim.
#[derive(Template)]
#[template(path = "settlement_pay_form.html")]
struct ClaimForm {
    page: Page,
    pairs: Vec<(String, String)>,
    notes: Vec<String>,
    form: Form,
    button: &'static str,
    is_danger: bool,
    back: String,
}

fn page_of(visit: &Visit, claim: &Claim, title: &'static str, form: Form, button: &'static str) -> ClaimForm {
    let page = visit.page.clone().titled(title);
    let list = page.word("settlement.claims.title").into_owned();
    let back = format!("/claims/{}", claim.id);
    let page = page.under(list, "/claims").under(claim.institution_name.clone(), back.clone());
    let word = |key: &str| page.word(key).into_owned();
    ClaimForm {
        pairs: vec![
            (word("settlement.field.institution"), claim.institution_name.clone()),
            (word("settlement.claim.month"), month_of(&claim.month_end)),
            (word("settlement.claim.amount"), page.yuan(claim.amount)),
            (word("settlement.claim.cut"), page.yuan(claim.cut)),
            (word("settlement.claim.accepted"), page.yuan(claim.amount - claim.cut)),
        ],
        notes: Vec::new(),
        form,
        button,
        is_danger: false,
        back,
        page,
    }
}

/// `2026-03`
pub(crate) fn month_of(day: &Day) -> String {
    let (year, month, _) = day.ymd();
    format!("{year}-{month:02}")
}

/// A fact about a claim: its subject is the institution.
fn fact(
    hand: &Hand<'_>,
    kind: &str,
    institution: Uuid,
    place: kangmai_base::DivisionCode,
    body: &impl Serialize,
) -> Result<NewFact, DatabaseError> {
    let fact = hand.fact(kind, institution, place, body)?;
    Ok(NewFact { subject: Subject::institution(institution), ..fact })
}

fn lock(tx: &mut Transaction<'_>, institution: Uuid) -> Result<(), DatabaseError> {
    tx.lock(&format!("settlement claims {institution}"))
}

/// POST: submits what the page before showed, if it still comes to the same.
pub(crate) async fn submit(visit: Visit, body: FormBody) -> Result<Response, Failure> {
    let form = body.form(SUBMIT);
    let institution = institution_within(&visit, id_in(form.raw("institution"))?).await?;
    let month_end: Day = form.raw("month_end").parse().map_err(|_| Failure::NotFound)?;
    let expected: Fen = form.raw("expected").parse().map_err(|_| Failure::NotFound)?;
    let offer = offer_of(&visit, institution, month_end).await?.ok_or(Failure::NotFound)?;
    let (app, actor, now) = (visit.app.clone(), visit.actor.clone(), visit.app.clock.now());
    let (id, place) = (offer.institution.id.uuid(), offer.institution.place);
    let (claim, layers, bearer) = (visit.app.mint(), offer.terms.layers, offer.terms.bearer.fund);
    let written = visit.app.database.write(move |tx| {
        lock(tx, id)?;
        let rows = claimable(tx, id, month_end, &layers)?;
        let amount: Fen = rows.iter().map(|row| row.amount).sum();
        if rows.is_empty() || amount != expected {
            return Ok::<_, DatabaseError>(false);
        }
        let hand = Hand { app: &app, actor: &actor, now, source: Source::Typed };
        let lines = i64::try_from(rows.len()).unwrap_or(i64::MAX);
        let release = app.policies.hash().to_owned();
        let body = ClaimSubmitted { claim, month_end, lines, amount, bearer, release };
        let mut facts = vec![fact(&hand, CLAIM_SUBMITTED, id, place, &body)?];
        for rows in rows.chunks(ClaimLines::MOST) {
            let lines = rows.iter().map(|row| ClaimLine(row.bill, row.amount)).collect();
            facts.push(fact(&hand, CLAIM_LINES, id, place, &ClaimLines { claim, lines })?);
        }
        app.record.keep(tx, now, facts)?;
        Ok(true)
    });
    if written.await? {
        let path = format!("/claims/{claim}");
        return Ok(Flash::good(visit.page.word("settlement.claim.submitted_now")).then_go_to(&path));
    }
    let path = format!("/claims/new?institution={id}&month={}", month_of(&month_end));
    Ok(Flash::warning(visit.page.word("settlement.claim.moved")).then_go_to(&path))
}

/// Writes a fact about a claim that is in one of the states `from`; answers whether it was.
async fn step<T: Serialize + Send + 'static>(
    visit: &Visit,
    claim: &Claim,
    from: ClaimState,
    kind: &'static str,
    body: impl FnOnce(&Claim) -> T + Send + 'static,
) -> Result<bool, Failure> {
    let (app, actor, now, within) =
        (visit.app.clone(), visit.actor.clone(), visit.app.clock.now(), visit.reach.clone());
    let (id, institution) = (claim.id, claim.institution);
    let written = visit.app.database.write(move |tx| {
        lock(tx, institution)?;
        let Some(claim) = find_claim(tx, &within, id)?.filter(|claim| claim.state == from) else {
            return Ok::<_, DatabaseError>(false);
        };
        let hand = Hand { app: &app, actor: &actor, now, source: Source::Typed };
        let fact = fact(&hand, kind, claim.institution, claim.place, &body(&claim))?;
        app.record.keep(tx, now, vec![fact])?;
        Ok(true)
    });
    Ok(written.await?)
}

fn told(visit: &Visit, claim: &Claim, done: bool, word: &str) -> Response {
    let path = format!("/claims/{}", claim.id);
    match done {
        true => Flash::good(visit.page.word(word)).then_go_to(&path),
        false => Flash::warning(visit.page.word("settlement.refused.decided_already")).then_go_to(&path),
    }
}

async fn in_state(visit: &Visit, id: &str, state: ClaimState) -> Result<Claim, Failure> {
    let claim = found(visit, id_in(id)?).await?;
    if claim.state == state { Ok(claim) } else { Err(Failure::NotFound) }
}

fn withdraw_page(visit: &Visit, claim: &Claim, form: Form) -> ClaimForm {
    let mut page =
        page_of(visit, claim, "settlement.claim.withdraw_title", form, "settlement.claim.withdraw");
    page.is_danger = true;
    page.notes.push(page.page.word("settlement.claim.withdraw_note").into_owned());
    page
}

/// GET: the field for the reason.
pub(crate) async fn withdraw_form(visit: Visit, Path(id): Path<String>) -> Result<Response, Failure> {
    let claim = in_state(&visit, &id, ClaimState::Submitted).await?;
    show(&withdraw_page(&visit, &claim, Form::blank(WITHDRAW)))
}

/// POST: its lines may be claimed anew.
pub(crate) async fn withdraw(
    visit: Visit,
    Path(id): Path<String>,
    body: FormBody,
) -> Result<Response, Failure> {
    let claim = in_state(&visit, &id, ClaimState::Submitted).await?;
    let mut form = body.form(WITHDRAW);
    let Some(reason) = form.text("reason") else {
        return show_refused(&withdraw_page(&visit, &claim, form));
    };
    let make = move |claim: &Claim| ClaimWithdrawn { claim: claim.id, reason };
    let done = step(&visit, &claim, ClaimState::Submitted, CLAIM_WITHDRAWN, make).await?;
    Ok(told(&visit, &claim, done, "settlement.claim.withdrawn_now"))
}

async fn line_of(visit: &Visit, id: &str, bill: &str) -> Result<(Claim, ClaimRow), Failure> {
    let claim = in_state(visit, id, ClaimState::Submitted).await?;
    let (id, bill) = (claim.id, id_in(bill)?);
    let line = visit.app.database.read(move |tx| claim_line(tx, id, bill)).await?;
    Ok((claim, line.ok_or(Failure::NotFound)?))
}

fn cut_page(visit: &Visit, claim: &Claim, line: &ClaimRow, form: Form) -> ClaimForm {
    let mut page = page_of(visit, claim, "settlement.claim.cut_title", form, "settlement.claim.do_cut");
    let word = |key: &str| page.page.word(key).into_owned();
    page.pairs = vec![
        (word("settlement.field.institution"), claim.institution_name.clone()),
        (word("settlement.field.number"), line.number.clone()),
        (word("settlement.column.name"), line.person_name.clone()),
        (word("settlement.claim.amount"), page.page.yuan(line.amount)),
    ];
    page
}

/// GET: how much of a line is not accepted, and why.
pub(crate) async fn cut_form(
    visit: Visit,
    Path((id, bill)): Path<(String, String)>,
) -> Result<Response, Failure> {
    let (claim, line) = line_of(&visit, &id, &bill).await?;
    let mut form = Form::blank(CUT);
    form.fill("amount", line.cut);
    form.fill("reason", line.reason.clone().unwrap_or_default());
    show(&cut_page(&visit, &claim, &line, form))
}

/// POST: cuts the line; zero takes an earlier cut back.
pub(crate) async fn cut(
    visit: Visit,
    Path((id, bill)): Path<(String, String)>,
    body: FormBody,
) -> Result<Response, Failure> {
    let (claim, line) = line_of(&visit, &id, &bill).await?;
    let mut form = body.form(CUT);
    let (amount, reason) = (form.amount("amount"), form.text("reason"));
    if let Some(refusal) = amount.and_then(|amount| check_cut(line.amount, amount)) {
        form.refuse(refusal);
    }
    let (Some(amount), Some(reason), false) = (amount, reason, form.is_refused()) else {
        return show_refused(&cut_page(&visit, &claim, &line, form));
    };
    let bill = line.bill;
    let make = move |claim: &Claim| ClaimCut { claim: claim.id, bill, amount, reason };
    let done = step(&visit, &claim, ClaimState::Submitted, CLAIM_CUT, make).await?;
    Ok(told(&visit, &claim, done, "settlement.claim.cut_now"))
}

fn reconcile_page(visit: &Visit, claim: &Claim, form: Form) -> ClaimForm {
    page_of(visit, claim, "settlement.claim.reconcile_title", form, "settlement.claim.reconcile")
}

/// GET: what will be accepted.
pub(crate) async fn reconcile_form(visit: Visit, Path(id): Path<String>) -> Result<Response, Failure> {
    let claim = in_state(&visit, &id, ClaimState::Submitted).await?;
    show(&reconcile_page(&visit, &claim, Form::blank(RECONCILE)))
}

/// POST: accepts the claim less its cuts.
pub(crate) async fn reconcile(
    visit: Visit,
    Path(id): Path<String>,
    body: FormBody,
) -> Result<Response, Failure> {
    let claim = in_state(&visit, &id, ClaimState::Submitted).await?;
    let mut form = body.form(RECONCILE);
    let reason = form.text("reason");
    if let Some(refusal) = check_reconciled(claim.cut, reason.as_deref()) {
        form.refuse(refusal);
    }
    if form.is_refused() {
        return show_refused(&reconcile_page(&visit, &claim, form));
    }
    let reconciled_on = visit.today;
    let make = move |claim: &Claim| ClaimReconciled {
        claim: claim.id,
        reconciled_on,
        accepted: claim.amount - claim.cut,
        reason,
    };
    let done = step(&visit, &claim, ClaimState::Submitted, CLAIM_RECONCILED, make).await?;
    Ok(told(&visit, &claim, done, "settlement.claim.reconciled_now"))
}

fn pay_page(visit: &Visit, claim: &Claim, form: Form) -> ClaimForm {
    page_of(visit, claim, "settlement.claim.pay_title", form, "settlement.claim.pay")
}

/// GET: when and under which number.
pub(crate) async fn pay_form(visit: Visit, Path(id): Path<String>) -> Result<Response, Failure> {
    let claim = in_state(&visit, &id, ClaimState::Reconciled).await?;
    let mut form = Form::blank(PAY);
    form.fill("paid_on", visit.today);
    show(&pay_page(&visit, &claim, form))
}

/// POST: the claim is paid.
pub(crate) async fn pay(visit: Visit, Path(id): Path<String>, body: FormBody) -> Result<Response, Failure> {
    let claim = in_state(&visit, &id, ClaimState::Reconciled).await?;
    let mut form = body.form(PAY);
    let (paid_on, reference) = (form.day("paid_on"), form.text("reference"));
    if paid_on.is_some_and(|on| on > visit.today || claim.reconciled_on.is_some_and(|from| on < from)) {
        let from = claim.reconciled_on.map(|day| day.to_string()).unwrap_or_default();
        let refusal = Refusal::new("settlement.refused.claim_paid_on").with("from", from);
        form.refuse(refusal.with("today", visit.today.to_string()).at("paid_on"));
    }
    let (Some(paid_on), Some(reference), false) = (paid_on, reference, form.is_refused()) else {
        return show_refused(&pay_page(&visit, &claim, form));
    };
    let make = move |claim: &Claim| ClaimPaid { claim: claim.id, paid_on, reference };
    let done = step(&visit, &claim, ClaimState::Reconciled, CLAIM_PAID, make).await?;
    if !done {
        return Ok(go_to(&format!("/claims/{}", claim.id)));
    }
    Ok(told(&visit, &claim, done, "settlement.claim.paid_now"))
}
