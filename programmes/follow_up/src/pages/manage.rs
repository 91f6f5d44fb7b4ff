//! Who is managed for what: taken in by a doctor or a notice from above, and ended with a reason.

use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use kangmai_base::{Day, Refusal, Uuid};
use kangmai_policy::follow_up::FollowUpRules;
use kangmai_programme::Visit;
use kangmai_web::{Choice, Failure, Field, Flash, Form, FormBody, Page, show, show_refused};

use super::sheet::{Known, known};
use super::{note, transact};
use crate::facts::{Basis, CloseReason};
use crate::rules;
use crate::sentences::{Names, said};

const ENROL: &[Field] = &[
    Field::select("programme", "follow_up.field.programme"),
    Field::day("on", "follow_up.field.enrolled_on"),
    Field::day("noticed_on", "follow_up.field.noticed_on").optional(),
    Field::text("reason", "follow_up.field.basis").at_most(200),
];
const CLOSE: &[Field] = &[
    Field::select("closing", "follow_up.field.closing"),
    Field::day("closed_on", "follow_up.field.closed_on"),
    Field::radios("why", "follow_up.field.close_reason"),
    Field::text("closing_note", "follow_up.field.closing_note").at_most(200),
];

/// An enrolment as it is shown.
struct Line {
    name: String,
    since: Day,
    basis: String,
    closed: Option<Day>,
}

#[derive(Template)]
#[template(path = "follow_up_management.html")]
struct ManagementPage {
    page: Page,
    person: String,
    lines: Vec<Line>,
    enrol: Form,
    close: Form,
    has_open: bool,
}

/// GET `/people/{id}/management`.
pub(crate) async fn page(visit: Visit, Path(id): Path<Uuid>) -> Result<Response, Failure> {
    let known = known(&visit, id).await?;
    note(&visit, id, known.person.home).await?;
    show(&page_of(&visit, &known, Form::blank(ENROL), Form::blank(CLOSE)))
}

fn programmes<'r>(visit: &'r Visit, known: &Known) -> Vec<&'r FollowUpRules> {
    let all = visit.app.policies.follow_ups(known.person.home, visit.today);
    all.into_iter().filter(|rules| rules::is_managed_here(rules)).collect()
}

fn page_of(visit: &Visit, known: &Known, mut enrol: Form, mut close: Form) -> ManagementPage {
    let id = known.person.id;
    let page = visit.page.clone().titled("follow_up.management");
    let page = page.under(known.person.body.name.clone(), format!("/people/{id}"));
    let title = page.say1("follow_up.management.of", "name", &known.person.body.name);
    let page = Page { title, ..page };
    offer(visit, known, &mut enrol, &mut close);
    for (form, day) in [(&mut enrol, "on"), (&mut close, "closed_on")] {
        if form.raw(day).is_empty() && !form.is_refused() {
            form.fill(day, visit.today);
        }
    }
    let names = Names { release: &visit.app.policies, home: known.person.home, on: visit.today };
    let line = |one: &crate::chart::Managed| Line {
        name: names.short(&page, &one.body.programme),
        since: one.body.on,
        basis: match one.body.basis {
            Basis::Diagnosis => page.word("follow_up.basis.diagnosis").into_owned(),
            Basis::Age => page.word("follow_up.basis.age").into_owned(),
            Basis::Hand => one.body.reason.clone(),
        },
        closed: one.closed.map(|(day, _)| day),
    };
    ManagementPage {
        person: id.to_string(),
        lines: known.chart.managed.iter().map(line).collect(),
        enrol,
        close,
        has_open: known.chart.open().next().is_some(),
        page,
    }
}

fn offer(visit: &Visit, known: &Known, enrol: &mut Form, close: &mut Form) {
    let page = &visit.page;
    let choice = |rules: &&FollowUpRules| Choice::new(rules.programme.clone(), said(page, &rules.name));
    let (open, free): (Vec<&FollowUpRules>, Vec<&FollowUpRules>) = programmes(visit, known)
        .into_iter()
        .partition(|rules| known.chart.open_in(&rules.programme).is_some());
    enrol.offer("programme", free.iter().map(choice).collect());
    close.offer("closing", open.iter().map(choice).collect());
    let why = |reason: CloseReason| {
        Choice::new(reason.key(), page.word(&format!("follow_up.close.{}", reason.key())))
    };
    close.offer("why", CloseReason::ALL.map(why).to_vec());
}

/// POST `/people/{id}/management/enrol`.
pub(crate) async fn enrol(visit: Visit, Path(id): Path<Uuid>, body: FormBody) -> Result<Response, Failure> {
    let known = known(&visit, id).await?;
    let (mut form, mut close) = (body.form(ENROL), Form::blank(CLOSE));
    offer(&visit, &known, &mut form, &mut close);
    let (programme, on) = (form.choice("programme"), form.day("on"));
    let (noticed_on, reason) = (form.day("noticed_on"), form.text("reason"));
    if let (Some(programme), Some(on), Some(reason)) = (programme, on, reason)
        && !form.is_refused()
    {
        let done = transact(&visit, id, move |writing, ill, hand| {
            writing.enrol(hand, &programme, (on, noticed_on), (reason, ill))
        });
        match done.await? {
            Ok(fact) => return Ok(said_and_done(&visit, id, fact, "follow_up.enrolled")),
            Err(refusal) => form.refuse(refusal),
        }
    }
    show_refused(&page_of(&visit, &known, form, close))
}

/// POST `/people/{id}/management/close`.
pub(crate) async fn close(visit: Visit, Path(id): Path<Uuid>, body: FormBody) -> Result<Response, Failure> {
    let known = known(&visit, id).await?;
    let (mut enrol, mut form) = (Form::blank(ENROL), body.form(CLOSE));
    offer(&visit, &known, &mut enrol, &mut form);
    let (programme, on) = (form.choice("closing"), form.day("closed_on"));
    let (why, note) = (form.choice("why"), form.text("closing_note"));
    let why = why.as_deref().and_then(CloseReason::of_key);
    if let (Some(programme), Some(on), Some(why), Some(note)) = (programme, on, why, note)
        && !form.is_refused()
    {
        let done =
            transact(&visit, id, move |writing, _, hand| writing.close(hand, &programme, (on, why), note));
        match done.await? {
            Ok(fact) => return Ok(said_and_done(&visit, id, fact, "follow_up.closed")),
            Err(refusal) => form.refuse(at_closing(refusal)),
        }
    }
    show_refused(&page_of(&visit, &known, enrol, form))
}

/// The fields of the form that closes are called otherwise.
fn at_closing(refusal: Refusal) -> Refusal {
    match refusal.field {
        Some("on") => refusal.at("closed_on"),
        Some("programme") => refusal.at("closing"),
        _ => refusal,
    }
}

fn said_and_done(visit: &Visit, id: Uuid, fact: Uuid, word: &str) -> Response {
    let undo = format!("/people/{id}/follow-up/{fact}/undo");
    Flash::good(visit.page.word(word)).undo(undo).then_go_to(&format!("/people/{id}"))
}
