//! The pages of this programme: lists by plan and disease, and one person's plan with the form of a decision.

pub(crate) mod diagnoses;

use askama::Template;
use axum::extract::Path;
use axum::http::Uri;
use axum::response::Response;
use kangmai_access::{Actor, Purpose, Reach, audit, reach};
use kangmai_base::{Day, DivisionCode, Moment, Refusal, Uuid};
use kangmai_database::{DatabaseError, Transaction};
use kangmai_programme::{App, Visit, place_choices, place_name};
use kangmai_record::{NewFact, Source, Subject};
use kangmai_sheet::Format;
use kangmai_sheets::{Cell, Head, XlsxExport};
use kangmai_web::{
    Choice, Failure, Field, Flash, Form, FormBody, ListQuery, ListSpec, Page, show, show_refused, workbook,
};

use crate::facts::{DECIDED, Decided};
use crate::import::person_within;
use crate::planning::{Whose, follow};
use crate::rules::PlanKind;
use crate::section::{Because, DECISION, PlanPart, offer, part, plan_word};
use crate::store::{self, PlanRow, Wanted};

static LIST: ListSpec = ListSpec {
    filters: &[
        Field::select("plan", "classification.filter.plan"),
        Field::select("disease", "classification.filter.disease"),
        Field::select("treated", "classification.filter.treated"),
        Field::select("place", "classification.filter.place"),
    ],
    sorts: &["since"],
    descending: true,
};

/// A row as it is shown.
struct Row {
    person: String,
    name: String,
    place: String,
    age: Option<i32>,
    plan: String,
    tone: &'static str,
    reason: String,
    since: Day,
    treated_on: Option<Day>,
}

#[derive(Template)]
#[template(path = "classification_plans.html")]
struct PlansPage {
    page: Page,
    list: ListQuery,
    rows: Vec<Row>,
    restricted: i64,
}

/// What a list is asked for: the filters, and the reach narrowed to the place.
fn asked(list: &ListQuery, all: &Reach) -> (Wanted, Reach) {
    let treated = match list.filter("treated") {
        Some("yes") => Some(true),
        Some("no") => Some(false),
        _ => None,
    };
    let wanted = Wanted {
        plan: list.filter("plan").and_then(PlanKind::of_key),
        disease: list.filter("disease").map(str::to_owned),
        treated,
    };
    let place = list.parsed::<DivisionCode>("place");
    (wanted, place.map_or_else(|| all.clone(), |place| all.narrowed(place)))
}

fn offer_filters(
    page: &Page,
    list: &mut ListQuery,
    diseases: &[(String, String, String, i64)],
    reaches: (&Reach, &Reach),
) {
    list.offer("plan", PlanKind::ALL.map(|kind| Choice::new(kind.key(), plan_word(page, kind))).to_vec());
    let disease = |(key, zh, en, count): &(String, String, String, i64)| {
        let name = if page.is_chinese() { zh } else { en };
        Choice::new(key.clone(), format!("{name} {count}"))
    };
    list.offer("disease", diseases.iter().map(disease).collect());
    let treated = |value: &'static str, key: &str| Choice::new(value, page.word(key));
    list.offer(
        "treated",
        vec![treated("yes", "classification.treated.yes"), treated("no", "classification.treated.no")],
    );
    list.offer("place", place_choices(reaches.0, reaches.1));
}

/// GET `/plans`: who is in which plan, within reach. Those with a diagnosis of level 5 are counted, not shown.
pub(crate) async fn list(visit: Visit, uri: Uri) -> Result<Response, Failure> {
    let mut list = ListQuery::read(&LIST, &uri);
    let (wanted, narrowed) = asked(&list, &visit.reach);
    let (limit, offset) = (list.paging.limit(), list.paging.offset());
    let (ask, within) = (wanted.clone(), narrowed.clone());
    let (rows, (total, restricted), diseases) = visit
        .app
        .database
        .read(move |tx| {
            let rows = store::list(tx, &within, &ask, (limit, offset))?;
            let counted = store::count(tx, &within, &ask)?;
            Ok::<_, DatabaseError>((rows, counted, store::diseases(tx, &within, ask.plan)?))
        })
        .await?;
    let page = visit.page.titled("classification.title");
    offer_filters(&page, &mut list, &diseases, (&visit.reach, &narrowed));
    list.found((total - restricted).unsigned_abs());
    let rows = rows.iter().map(|row| shown(&page, row, visit.today)).collect();
    show(&PlansPage { page, list, rows, restricted })
}

fn shown(page: &Page, row: &PlanRow, today: Day) -> Row {
    Row {
        person: row.person.to_string(),
        name: row.name.clone(),
        place: place_name(row.home),
        age: row.birth.map(|birth| today.age_of(birth)),
        plan: plan_word(page, row.plan),
        tone: match row.plan {
            PlanKind::Major => "danger",
            PlanKind::Severe => "warning",
            PlanKind::Chronic => "plain",
        },
        reason: Because::from(row).sentence(page, false),
        since: row.since,
        treated_on: row.treated_on,
    }
}

/// GET `/plans/export`: the same list as Excel.
pub(crate) async fn export(visit: Visit, uri: Uri) -> Result<Response, Failure> {
    let list = ListQuery::read(&LIST, &uri);
    let (wanted, narrowed) = asked(&list, &visit.reach);
    let page = visit.page.titled("classification.title");
    let today = visit.today;
    let (within, what) = (narrowed.clone(), page.title.clone());
    let (bytes, rows) = visit.app.database.read(move |tx| sheet(tx, &page, &within, &wanted, today)).await?;
    note(&visit.app, &visit.actor, "export", None, narrowed.place(), &format!("{what} {rows}")).await?;
    Ok(workbook(bytes, "plans.xlsx"))
}

/// The file and how many rows it holds.
fn sheet(
    tx: &mut Transaction<'_>,
    page: &Page,
    within: &Reach,
    wanted: &Wanted,
    today: Day,
) -> Result<(Vec<u8>, i64), Failure> {
    let head = |key: &str, format| Head::new(page.word(key), format);
    let heads = vec![
        head("classification.column.name", Format::Text),
        head("classification.column.place", Format::Text),
        head("classification.column.age", Format::Whole),
        head("classification.column.plan", Format::Text),
        head("classification.column.reason", Format::Text),
        head("classification.column.since", Format::Day),
        head("classification.column.treated", Format::Day),
    ];
    let read = |limit, offset| store::list(tx, within, wanted, (limit, offset)).map_err(Failure::from);
    XlsxExport::list(&page.title, heads, read, |export, row| {
        let row = shown(page, row, today);
        export.row(&[
            Cell::Text(&row.name),
            Cell::Text(&row.place),
            row.age.map_or(Cell::Empty, |age| Cell::Whole(age.into())),
            Cell::Text(&row.plan),
            Cell::Text(&row.reason),
            Cell::Day(row.since),
            row.treated_on.map_or(Cell::Empty, Cell::Day),
        ])
    })
}

#[derive(Template)]
#[template(path = "classification_person.html")]
struct PersonPage {
    page: Page,
    part: PlanPart,
}

/// GET `/plans/{person}`: one person's plan. Reading it leaves a line in the audit trail.
pub(crate) async fn one(visit: Visit, Path(person): Path<Uuid>) -> Result<Response, Failure> {
    show(&person_page(&visit, person, None).await?)
}

async fn person_page(visit: &Visit, id: Uuid, form: Option<Form>) -> Result<PersonPage, Failure> {
    let (within, looking) = (visit.reach.clone(), visit.looking());
    let found = visit
        .app
        .database
        .read(move |tx| {
            let Some(person) = person_within(tx, &within, id)? else { return Ok(None) };
            let part = part(tx, &looking, &person)?;
            Ok::<_, DatabaseError>(part.map(|part| (person, part)))
        })
        .await?;
    let Some((person, mut part)) = found else { return Err(Failure::NotFound) };
    note(&visit.app, &visit.actor, "read_person", Some(id), person.home, "").await?;
    if let Some(form) = form {
        part.form = Some(form);
    }
    let page =
        visit.page.clone().titled("classification.section").under(person.body.name, format!("/people/{id}"));
    Ok(PersonPage { page, part })
}

async fn note(
    app: &App,
    actor: &Actor,
    action: &'static str,
    subject: Option<Uuid>,
    place: DivisionCode,
    details: &str,
) -> Result<(), DatabaseError> {
    let (id, now, actor, details) = (app.mint(), app.clock.now(), actor.clone(), details.to_owned());
    app.database.write(move |tx| audit(tx, id, now, &actor, action, subject, place, &details, "done")).await
}

/// POST `/plans/{person}`: somebody decides the plan, with a reason.
pub(crate) async fn decide(
    visit: Visit,
    Path(person): Path<Uuid>,
    body: FormBody,
) -> Result<Response, Failure> {
    let mut form = body.form(DECISION);
    offer(&visit.page, &mut form);
    let (plan, reason) = (form.choice("plan"), form.text("reason"));
    let (Some(plan), Some(reason)) = (plan.as_deref().and_then(PlanKind::of_key), reason) else {
        return show_refused(&person_page(&visit, person, Some(form)).await?);
    };
    if reason.chars().count() < 4 {
        form.refuse(Refusal::new("classification.refused.reason_too_short").at("reason"));
        return show_refused(&person_page(&visit, person, Some(form)).await?);
    }
    let decided = Decided { plan: Some(plan), reason, by: visit.actor.name.clone(), on: visit.today };
    write_decision(&visit, person, decided).await?;
    let said = visit.page.say1("classification.decided_now", "plan", plan_word(&visit.page, plan));
    Ok(Flash::good(said).undo(format!("/plans/{person}/undo")).then_go_to(&format!("/people/{person}")))
}

/// POST `/plans/{person}/undo`: the decision is taken back; the lists decide again.
pub(crate) async fn undo(visit: Visit, Path(person): Path<Uuid>) -> Result<Response, Failure> {
    let reason = visit.page.word("classification.taken_back").into_owned();
    let decided = Decided { plan: None, reason, by: visit.actor.name.clone(), on: visit.today };
    write_decision(&visit, person, decided).await?;
    let said = visit.page.word("classification.undone").into_owned();
    Ok(Flash::good(said).then_go_to(&format!("/people/{person}")))
}

/// Writes the decision and the plan that follows from it. The decision must be within reach for keeping the register.
async fn write_decision(visit: &Visit, person: Uuid, decided: Decided) -> Result<(), Failure> {
    let may = reach(&visit.actor, Purpose::KeepRegister).ok_or(Failure::NotFound)?;
    let (app, now, today) = (visit.app.clone(), visit.app.clock.now(), visit.today);
    let author = visit.actor.account.uuid();
    let found = visit
        .app
        .database
        .write(move |tx| {
            let Some(person) = person_within(tx, &may, person)? else { return Ok(false) };
            let known = store::diagnoses_of(tx, person.id.uuid())?;
            if known.is_empty() {
                return Ok(false);
            }
            let unwritten = |error: serde_json::Error| DatabaseError::Refused(error.to_string());
            let decision = NewFact {
                id: app.mint(),
                kind: DECIDED.to_owned(),
                subject: Subject::person(person.id.uuid()),
                occurred_at: Moment::start_of(decided.on),
                recorded_at: now,
                place: person.home,
                author,
                source: Source::Typed,
                corrects: None,
                body: serde_json::to_string(&decided).map_err(unwritten)?,
            };
            app.record.keep(tx, now, vec![decision])?;
            if let Some((_, plan)) = follow(tx, &app, Whose::of(&person), &known, (today, now))? {
                app.record.keep(tx, now, vec![plan])?;
            }
            Ok::<_, DatabaseError>(true)
        })
        .await?;
    if found { Ok(()) } else { Err(Failure::NotFound) }
}
