//! The phones of a place, for who answers for them; and how a phone is registered and opened.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use axum::{Json, Router};
use kangmai_access::{
    Phone, PhoneKeys, Unlocked, list_phones, phone_within, register_phone, rescue_phone, unlock_phone,
    wipe_phone,
};
use kangmai_base::{Id, Moment, Refusal, Uuid};
use kangmai_database::{DatabaseError, Transaction};
use kangmai_places::Divisions;
use kangmai_programme::{App, Door, Visit};
use kangmai_web::{
    ApiFailure, Failure, Flash, FormBody, ListQuery, ListSpec, Page, Preferences, Problem, RequestId,
    say_in_json, show,
};
use serde::Deserialize;
use serde_json::json;

use crate::store::{self, Sums};
use crate::told::milliseconds;

/// Gaps of one phone that the list names.
const MOST_GAPS: i64 = 5;

static LIST: ListSpec = ListSpec { filters: &[], sorts: &[], descending: false };

/// A phone with what came from it, and what never came.
type Received = (Sums, Vec<(i64, i64)>, Phone);

/// A phone on the list.
struct Line {
    id: String,
    whose: String,
    place: String,
    name: String,
    seen: Option<Moment>,
    state: (&'static str, String),
    came: String,
    faults: Vec<String>,
    may_wipe: bool,
    /// What could not be read.
    rejected: Option<String>,
}

#[derive(Template)]
#[template(path = "sync_phones.html")]
struct PhonesPage {
    page: Page,
    list: ListQuery,
    lines: Vec<Line>,
    more: bool,
}

/// GET `/phones`: one's own phones, and those of the accounts of one's place.
pub(crate) async fn list(visit: Visit, uri: Uri) -> Result<Response, Failure> {
    let list = ListQuery::read(&LIST, &uri);
    let (offset, limit, reach) = (list.paging.offset(), list.paging.limit(), visit.reach.clone());
    let read = move |tx: &mut Transaction<'_>| -> Result<_, DatabaseError> {
        let mut phones = list_phones(tx, &reach, offset, limit + 1)?;
        let more = i64::try_from(phones.len()).is_ok_and(|found| found > limit);
        phones.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        let with_sums = |phone: Phone| -> Result<_, DatabaseError> {
            Ok((store::sums(tx, phone.id)?, store::gaps(tx, phone.id, MOST_GAPS)?, phone))
        };
        let phones: Vec<Received> = phones.into_iter().map(with_sums).collect::<Result<_, _>>()?;
        Ok((phones, more))
    };
    let (phones, more) = visit.app.database.read(read).await?;
    let page = visit.page.titled("sync.phones");
    let lines = phones.into_iter().map(|(sums, gaps, phone)| line(&page, &sums, &gaps, phone)).collect();
    show(&PhonesPage { page, list, lines, more })
}

fn line(page: &Page, sums: &Sums, gaps: &[(i64, i64)], phone: Phone) -> Line {
    let mut faults: Vec<String> = gaps
        .iter()
        .map(|(first, last)| match first == last {
            true => page.say1("sync.gap.one", "number", first),
            false => page.say2("sync.gap", "first", first, "last", last),
        })
        .collect();
    for (count, key) in [(sums.parked, "sync.count.parked"), (sums.broken, "sync.count.broken")] {
        if count > 0 {
            faults.push(page.count(key, count));
        }
    }
    let state = match (phone.wiped_at, phone.is_locked) {
        (Some(_), _) => ("quiet", "sync.state.wiped"),
        (None, true) => ("warning", "sync.state.locked"),
        (None, false) => ("good", "sync.state.open"),
    };
    Line {
        id: phone.id.to_string(),
        place: Divisions::shipped().get(phone.place).map(|one| one.short_name()).unwrap_or_default(),
        whose: phone.account_name,
        name: phone.name,
        seen: phone.seen_at,
        state: (state.0, page.word(state.1).into_owned()),
        came: page.count("sync.count.received", sums.received),
        faults,
        may_wipe: phone.wiped_at.is_none(),
        rejected: (sums.rejected > 0).then(|| page.count("sync.count.rejected", sums.rejected)),
    }
}

/// Texts of one phone that its page shows.
const MOST_TEXTS: i64 = 100;

/// A text that was no fact, as its page shows it.
struct TextLine {
    kept: store::KeptText,
    reason: String,
}

#[derive(Template)]
#[template(path = "sync_texts.html")]
struct TextsPage {
    page: Page,
    lines: Vec<TextLine>,
}

/// GET `/phones/{id}/texts`: what came from a phone and could not be read, as it came.
pub(crate) async fn texts(visit: Visit, Path(id): Path<Uuid>) -> Result<Response, Failure> {
    let (actor, reach) = (visit.actor.clone(), visit.reach.clone());
    let read = move |tx: &mut Transaction<'_>| -> Result<_, DatabaseError> {
        let Some(phone) = phone_within(tx, &actor, &reach, Id::from_uuid(id))? else { return Ok(None) };
        Ok(Some((store::texts_of(tx, phone.id, MOST_TEXTS)?, phone)))
    };
    let (texts, phone) = visit.app.database.read(read).await?.ok_or(Failure::NotFound)?;
    let page = visit.page.titled("sync.texts").under(phone.name, "/phones");
    let line = |kept: store::KeptText| TextLine { reason: page.word(&kept.reason).into_owned(), kept };
    let lines = texts.into_iter().map(line).collect();
    show(&TextsPage { page, lines })
}

/// POST `/phones/{id}/wipe`.
pub(crate) async fn wipe(visit: Visit, Path(id): Path<Uuid>, _: FormBody) -> Result<Response, Failure> {
    let (actor, reach) = (visit.actor.clone(), visit.reach.clone());
    let (audit_id, now) = (visit.app.mint(), visit.app.clock.now());
    let write =
        move |tx: &mut Transaction<'_>| wipe_phone(tx, &actor, &reach, Id::from_uuid(id), audit_id, now);
    if !visit.app.database.write(write).await? {
        return Err(Failure::NotFound);
    }
    Ok(Flash::good(visit.page.word("sync.wiped")).then_go_to("/phones"))
}

/// GET `/field/session`: for the app, whether somebody is signed in, and who.
pub(crate) async fn session(visit: Visit) -> Json<serde_json::Value> {
    let place = Divisions::shipped().get(visit.actor.place).map(|one| one.full_name()).unwrap_or_default();
    Json(json!({
        "name": visit.actor.name,
        "account": visit.actor.account.uuid(),
        "place": visit.actor.place,
        "place_name": place,
        "csrf": visit.page.csrf,
    }))
}

fn keys(found: Result<PhoneKeys, Refusal>, visit: &Visit) -> Response {
    match found {
        Ok(keys) => Json(json!({
            "phone": keys.phone.uuid(),
            "key": keys.key,
            "share": keys.share,
            "data_key": keys.data_key,
            "until": milliseconds(keys.until),
        }))
        .into_response(),
        Err(refusal) => {
            let said = visit.page.refusal(&refusal);
            let body = Json(json!({ "code": refusal.key, "message": said, "field": refusal.field }));
            (StatusCode::UNPROCESSABLE_ENTITY, body).into_response()
        }
    }
}

/// POST `/field/phones`: registers the phone that asks. Who stands in for somebody registers none: a phone acts as its own
/// account alone.
pub(crate) async fn register(visit: Visit, body: FormBody) -> Result<Response, Failure> {
    if visit.actor.stands_in_for.is_some() {
        return Ok(keys(Err(Refusal::new("sync.refused.stands_in")), &visit));
    }
    let (name, proof) = (body.value("name").to_owned(), body.value("proof").to_owned());
    let (actor, app, now) = (visit.actor.clone(), visit.app.clone(), visit.app.clock.now());
    let write = move |tx: &mut Transaction<'_>| register_phone(tx, &actor, (&name, &proof), &*app.ids, now);
    let found = visit.app.database.write(write).await?;
    Ok(keys(found, &visit))
}

/// POST `/field/phones/{id}/rescue`: opens a phone of this account whose PIN is lost.
pub(crate) async fn rescue(visit: Visit, Path(id): Path<Uuid>, body: FormBody) -> Result<Response, Failure> {
    let proof = body.value("proof").to_owned();
    let (actor, app, now) = (visit.actor.clone(), visit.app.clone(), visit.app.clock.now());
    let write =
        move |tx: &mut Transaction<'_>| rescue_phone(tx, &actor, (Id::from_uuid(id), &proof), &*app.ids, now);
    let found = visit.app.database.write(write).await?.ok_or(Failure::NotFound)?;
    Ok(keys(found, &visit))
}

/// What is asked before anybody is let in: the share of a phone, for its PIN.
pub fn open_routes() -> Router<App> {
    Router::new().route("/sync/unlock", post(unlock))
}

#[derive(Debug, Deserialize)]
struct Asked {
    phone: Uuid,
    proof: String,
}

async fn unlock(
    State(app): State<App>,
    door: Door,
    axum::Extension(request): axum::Extension<RequestId>,
    headers: axum::http::HeaderMap,
    Json(asked): Json<Asked>,
) -> Response {
    let answer =
        unlocked(&app, &door, asked).await.unwrap_or_else(axum::response::IntoResponse::into_response);
    let language = Preferences::of_interface(&headers).language;
    say_in_json(answer, &app.words, language, &request.to_string())
}

async fn unlocked(app: &App, door: &Door, asked: Asked) -> Result<Response, ApiFailure> {
    door.may_try()?;
    let (from, now) = (door.app("POST /sync/unlock"), app.clock.now());
    let ids = app.clone();
    let write = move |tx: &mut Transaction<'_>| {
        unlock_phone(tx, (Id::from_uuid(asked.phone), &asked.proof), &*ids.ids, now)
    };
    match from.database.write(write).await? {
        Unlocked::Share(share, until) => {
            Ok(Json(json!({ "share": share, "until": milliseconds(until) })).into_response())
        }
        Unlocked::Wrong(left) => {
            door.note_wrong();
            Ok(Json(json!({ "left": left })).into_response())
        }
        Unlocked::Ended => {
            door.note_wrong();
            Err(ApiFailure::new(StatusCode::GONE, Problem::new(Refusal::new("sync.refused.ended"))))
        }
    }
}
