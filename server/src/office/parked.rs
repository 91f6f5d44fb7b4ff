//! Facts that broke a rule and wait for a person.

use askama::Template;
use axum::extract::Path;
use axum::http::Uri;
use axum::response::Response;
use kangmai_access::{Actor, Purpose, reach};
use kangmai_base::{Day, Refusal, Uuid};
use kangmai_database::{DatabaseError, Transaction};
use kangmai_places::Divisions;
use kangmai_programme::{App, DueLine, Visit};
use kangmai_record::{ParkedFact, SubjectKind, list_parked, parked_waiting, resolve_parked};
use kangmai_web::{Failure, Field, Flash, FormBody, ListQuery, ListSpec, Page, show};

static LIST: ListSpec = ListSpec { filters: &[], sorts: &["at"], descending: false };
const FIELDS: &[Field] = &[Field::text("resolution", "server.parked.resolution")];

pub(super) fn due(
    tx: &mut Transaction<'_>,
    _: &App,
    actor: &Actor,
    _: Day,
) -> Result<Vec<DueLine>, DatabaseError> {
    let Some(reach) = reach(actor, Purpose::KeepRegister) else { return Ok(Vec::new()) };
    let count = parked_waiting(tx, &reach)?;
    Ok(vec![DueLine { word: "server.parked.due", count, late: 0, path: "/parked".into() }])
}

#[derive(Template)]
#[template(path = "office_parked.html")]
struct ParkedPage {
    page: Page,
    list: ListQuery,
    rows: Vec<Line>,
}

struct Line {
    parked: ParkedFact,
    reason: String,
    place: String,
    /// The page of whom it is about.
    person: Option<String>,
    /// What it says, for who writes such facts.
    body: Option<String>,
}

pub(super) async fn show_parked(visit: Visit, uri: Uri) -> Result<Response, Failure> {
    let mut list = ListQuery::read(&LIST, &uri);
    let (offset, limit, within) = (list.paging.offset(), list.paging.limit(), visit.reach.clone());
    let (rows, total) = visit
        .app
        .database
        .read(move |tx| -> Result<_, DatabaseError> {
            Ok((list_parked(tx, &within, offset, limit)?, parked_waiting(tx, &within)?))
        })
        .await?;
    list.found(u64::try_from(total).unwrap_or(0));
    let page = visit.page.titled("server.parked");
    let may_read = reach(&visit.actor, Purpose::RecordVisits).is_some();
    let rows = rows
        .into_iter()
        .map(|parked| Line {
            person: (parked.fact.subject.kind == SubjectKind::Person)
                .then(|| format!("/people/{}", parked.fact.subject.id)),
            body: may_read.then(|| spread_out(&parked.fact.body)),
            reason: page.word(&parked.reason).into_owned(),
            place: Divisions::shipped().get(parked.place).map(|one| one.full_name()).unwrap_or_default(),
            parked,
        })
        .collect();
    show(&ParkedPage { page, list, rows })
}

pub(super) async fn resolve(visit: Visit, Path(id): Path<Uuid>, body: FormBody) -> Result<Response, Failure> {
    let mut form = body.form(FIELDS);
    let Some(resolution) = form.text("resolution") else {
        return Err(Refusal::new("server.parked.say_what").into());
    };
    let (reach, actor, now) = (visit.reach.clone(), visit.actor.clone(), visit.app.clock.now());
    let found =
        visit.app.database.write(move |tx| resolve_parked(tx, &reach, &actor, id, &resolution, now)).await?;
    if !found {
        return Err(Failure::NotFound);
    }
    Ok(Flash::good(visit.page.word("server.parked.resolved").into_owned()).then_go_to("/parked"))
}

/// A body with a line for each member, so that somebody can read it.
fn spread_out(body: &str) -> String {
    let read = serde_json::from_str::<serde_json::Value>(body).ok();
    read.and_then(|value| serde_json::to_string_pretty(&value).ok()).unwrap_or_else(|| body.to_owned())
}
