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
use crate::facts::{Basis, CloseReason, Happening};
use crate::rules::{self, Beginning};
use crate::sentences::{Names, said};

const ENROL: &[Field] = &[
    Field::select("programme", "follow_up.field.programme"),
    Field::day("on", "follow_up.field.enrolled_on"),
    Field::day("noticed_on", "follow_up.field.noticed_on").optional(),
    Field::day("began_on", "follow_up.field.began_on").optional(),
    Field::text("reason", "follow_up.field.basis").at_most(200),
];
const CLOSE: &[Field] = &[
    Field::select("closing", "follow_up.field.closing"),
    Field::day("closed_on", "follow_up.field.closed_on"),
    Field::radios("why", "follow_up.field.close_reason"),
    Field::text("closing_note", "follow_up.field.closing_note").at_most(200),
];

const HAPPENED: &[Field] = &[
    Field::select("what", "follow_up.field.what"),
    Field::day("happened_on", "follow_up.field.happened_on"),
];
const REPORT: &[Field] = &[
    Field::select("reported", "follow_up.field.reported"),
    Field::day("reported_on", "follow_up.field.reported_on"),
    Field::text("to", "follow_up.field.reported_to").at_most(100),
];

/// An enrolment as it is shown.
struct Line {
    name: String,
    since: Day,
    basis: String,
    /// A pregnancy, a delivery, a discharge, a report, with their days.
    events: Vec<String>,
    closed: Option<Day>,
}

/// The four forms of the page.
struct Forms {
    enrol: Form,
    close: Form,
    happened: Form,
    report: Form,
}

impl Forms {
    fn blank() -> Forms {
        Forms {
            enrol: Form::blank(ENROL),
            close: Form::blank(CLOSE),
            happened: Form::blank(HAPPENED),
            report: Form::blank(REPORT),
        }
    }
}

#[derive(Template)]
#[template(path = "follow_up_management.html")]
struct ManagementPage {
    page: Page,
    person: String,
    lines: Vec<Line>,
    forms: Forms,
    has_open: bool,
    may_happen: bool,
    must_report: bool,
}

/// GET `/people/{id}/management`.
pub(crate) async fn page(visit: Visit, Path(id): Path<Uuid>) -> Result<Response, Failure> {
    let known = known(&visit, id).await?;
    note(&visit, id, known.person.home).await?;
    show(&page_of(&visit, &known, Forms::blank()))
}

/// `programme what`, as the form of what happened chooses it.
fn happening_choices(visit: &Visit, known: &Known) -> Vec<Choice> {
    let page = &visit.page;
    let of = |rules: &&FollowUpRules| known.chart.open_in(&rules.programme).is_some();
    let open = visit.app.policies.follow_ups(known.person.home, visit.today).into_iter().filter(of);
    let choices = open.flat_map(|rules| {
        rules::may_happen(rules).into_iter().map(move |what| {
            let word = page.word(&format!("follow_up.happening.{}", what.key()));
            let name = format!("{} · {word}", said(page, &rules.short));
            Choice::new(format!("{} {}", rules.programme, what.key()), name)
        })
    });
    choices.collect()
}

/// Of whom too many visits were in vain, and nobody reported it.
fn to_report<'r>(visit: &'r Visit, known: &Known) -> Vec<&'r FollowUpRules> {
    let waits = |rules: &&FollowUpRules| {
        let open = known.chart.open_in(&rules.programme);
        open.filter(|open| known.may_name || !open.body.sensitive)
            .is_some_and(|open| rules::to_report(rules, &known.chart, open).is_some())
    };
    visit.app.policies.follow_ups(known.person.home, visit.today).into_iter().filter(waits).collect()
}

fn page_of(visit: &Visit, known: &Known, mut forms: Forms) -> ManagementPage {
    let id = known.person.id;
    let page = visit.page.clone().titled("follow_up.management");
    let page = page.under(known.person.body.name.clone(), format!("/people/{id}"));
    let title = page.say1("follow_up.management.of", "name", &known.person.body.name);
    let page = Page { title, ..page };
    offer(visit, known, &mut forms);
    let Forms { enrol, close, happened, report } = &mut forms;
    let days = [(enrol, "on"), (close, "closed_on"), (happened, "happened_on"), (report, "reported_on")];
    for (form, day) in days {
        if form.raw(day).is_empty() && !form.is_refused() {
            form.fill(day, visit.today);
        }
    }
    let names = Names { release: &visit.app.policies, home: known.person.home, on: visit.today };
    let shown = known.chart.managed.iter().filter(|one| known.may_name || !one.body.sensitive);
    ManagementPage {
        person: id.to_string(),
        lines: shown.map(|one| line_of(&page, &names, one)).collect(),
        has_open: known.chart.open().next().is_some(),
        may_happen: !forms.happened.choices("what").is_empty(),
        must_report: !forms.report.choices("reported").is_empty(),
        forms,
        page,
    }
}

fn line_of(page: &Page, names: &Names<'_>, one: &crate::chart::Managed) -> Line {
    let dated = |key: &str, day: Day| format!("{} {}", page.word(key), page.day(day));
    let began = one.body.began_on.map(|day| dated("follow_up.field.began_on", day));
    let happened = one
        .happened
        .iter()
        .map(|event| dated(&format!("follow_up.happening.{}", event.what.key()), event.on));
    let reported = one.reported_on.map(|day| dated("follow_up.report", day));
    Line {
        name: names.short(page, &one.body.programme),
        since: one.body.on,
        basis: match one.body.basis {
            Basis::Diagnosis => page.word("follow_up.basis.diagnosis").into_owned(),
            Basis::Age => page.word("follow_up.basis.age").into_owned(),
            Basis::Hand => one.body.reason.clone(),
        },
        events: began.into_iter().chain(happened).chain(reported).collect(),
        closed: one.closed.map(|(day, _)| day),
    }
}

fn offer(visit: &Visit, known: &Known, forms: &mut Forms) {
    let page = &visit.page;
    let choice = |rules: &&FollowUpRules| Choice::new(rules.programme.clone(), said(page, &rules.name));
    let (open, free): (Vec<&FollowUpRules>, Vec<&FollowUpRules>) = visit
        .app
        .policies
        .follow_ups(known.person.home, visit.today)
        .into_iter()
        .partition(|rules| known.chart.open_in(&rules.programme).is_some());
    forms.enrol.offer("programme", free.iter().map(choice).collect());
    forms.close.offer("closing", open.iter().map(choice).collect());
    let why = |reason: CloseReason| {
        Choice::new(reason.key(), page.word(&format!("follow_up.close.{}", reason.key())))
    };
    forms.close.offer("why", CloseReason::ALL.map(why).to_vec());
    forms.happened.offer("what", happening_choices(visit, known));
    let to_report: Vec<Choice> = to_report(visit, known).iter().map(choice).collect();
    if let [only] = to_report.as_slice()
        && forms.report.raw("reported").is_empty()
    {
        forms.report.fill("reported", only.value.clone());
    }
    forms.report.offer("reported", to_report);
}

/// POST `/people/{id}/management/enrol`.
pub(crate) async fn enrol(visit: Visit, Path(id): Path<Uuid>, body: FormBody) -> Result<Response, Failure> {
    let known = known(&visit, id).await?;
    let mut forms = Forms { enrol: body.form(ENROL), ..Forms::blank() };
    offer(&visit, &known, &mut forms);
    let form = &mut forms.enrol;
    let (programme, on) = (form.choice("programme"), form.day("on"));
    let (noticed_on, began_on) = (form.day("noticed_on"), form.day("began_on"));
    let reason = form.text("reason");
    if let (Some(programme), Some(on), Some(reason)) = (programme, on, reason)
        && !form.is_refused()
    {
        let beginning = Beginning { on, noticed_on, began_on };
        let done = transact(&visit, id, move |writing, ill, hand| {
            writing.enrol(hand, &programme, beginning, (reason, ill))
        });
        match done.await? {
            Ok(fact) => return Ok(said_and_done(&visit, id, fact, "follow_up.enrolled")),
            Err(refusal) => form.refuse(refusal),
        }
    }
    show_refused(&page_of(&visit, &known, forms))
}

/// POST `/people/{id}/management/close`.
pub(crate) async fn close(visit: Visit, Path(id): Path<Uuid>, body: FormBody) -> Result<Response, Failure> {
    let known = known(&visit, id).await?;
    let mut forms = Forms { close: body.form(CLOSE), ..Forms::blank() };
    offer(&visit, &known, &mut forms);
    let form = &mut forms.close;
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
    show_refused(&page_of(&visit, &known, forms))
}

/// POST `/people/{id}/management/happened`: a delivery, a discharge.
pub(crate) async fn happened(
    visit: Visit,
    Path(id): Path<Uuid>,
    body: FormBody,
) -> Result<Response, Failure> {
    let known = known(&visit, id).await?;
    let mut forms = Forms { happened: body.form(HAPPENED), ..Forms::blank() };
    offer(&visit, &known, &mut forms);
    let form = &mut forms.happened;
    let (what, on) = (form.choice("what"), form.day("happened_on"));
    let what = what.as_deref().and_then(|what| what.split_once(' '));
    let what = what.and_then(|(programme, what)| Some((programme.to_owned(), Happening::of_key(what)?)));
    if let (Some((programme, what)), Some(on)) = (what, on)
        && !form.is_refused()
    {
        let done =
            transact(&visit, id, move |writing, _, hand| writing.happened(hand, &programme, (what, on)));
        match done.await? {
            Ok(fact) => return Ok(said_and_done(&visit, id, fact, "follow_up.happened")),
            Err(refusal) => form.refuse(refusal),
        }
    }
    show_refused(&page_of(&visit, &known, forms))
}

/// POST `/people/{id}/management/report`: who is not seen was reported upwards.
pub(crate) async fn report(visit: Visit, Path(id): Path<Uuid>, body: FormBody) -> Result<Response, Failure> {
    let known = known(&visit, id).await?;
    let mut forms = Forms { report: body.form(REPORT), ..Forms::blank() };
    offer(&visit, &known, &mut forms);
    let form = &mut forms.report;
    let (programme, on, to) = (form.choice("reported"), form.day("reported_on"), form.text("to"));
    if let (Some(programme), Some(on), Some(to)) = (programme, on, to)
        && !form.is_refused()
    {
        let done = transact(&visit, id, move |writing, _, hand| writing.report(hand, &programme, (on, to)));
        match done.await? {
            Ok(fact) => return Ok(said_and_done(&visit, id, fact, "follow_up.reported")),
            Err(refusal) => form.refuse(refusal),
        }
    }
    show_refused(&page_of(&visit, &known, forms))
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
