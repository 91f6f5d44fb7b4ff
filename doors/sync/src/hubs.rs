//! Hubs, for who registers them and who works at them; and what a hub is told of itself.

use askama::Template;
use axum::extract::Path;
use axum::http::Uri;
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Json};
use kangmai_access::{
    HUB_CODE_DAYS, HUB_KEY_HOURS, Hub, hash_in_turn, hub_staff, join_hub, leave_hub, list_hubs,
    readable_secret, register_hub,
};
use kangmai_base::{Id, Moment, Uuid};
use kangmai_database::{DatabaseError, Transaction};
use kangmai_places::Divisions;
use kangmai_programme::{PhoneCall, Visit};
use kangmai_web::{ApiFailure, Failure, Field, Flash, Form, FormBody, Page, show, show_refused};
use serde_json::json;

use crate::alive;
use crate::relay::AtHub;

const FIELDS: &[Field] = &[Field::text("name", "sync.hubs.name").at_most(kangmai_access::LONGEST_PHONE_NAME)];

/// A hub on the list.
struct Line {
    id: String,
    name: String,
    whose: String,
    place: String,
    seen: Option<Moment>,
    state: (&'static str, String),
    staff: String,
    may_join: bool,
    works_there: bool,
}

/// What is shown once.
struct Once {
    lead: String,
    secret: String,
    how: String,
}

#[derive(Template)]
#[template(path = "sync_hubs.html")]
struct HubsPage {
    page: Page,
    lines: Vec<Line>,
    form: Form,
    may_register: bool,
    once: Option<Once>,
}

/// GET `/hubs`: the hubs of one's place, and of the township and county above; at a hub, how its link stands.
pub(crate) async fn list(
    visit: Visit,
    at_hub: Option<Extension<AtHub>>,
    uri: Uri,
) -> Result<Response, Failure> {
    match at_hub {
        Some(Extension(at_hub)) => crate::relay::desk::page(visit, &at_hub, &uri).await,
        None => show(&hubs_page(&visit, Form::blank(FIELDS), None).await?),
    }
}

async fn hubs_page(visit: &Visit, form: Form, once: Option<Once>) -> Result<HubsPage, Failure> {
    let (actor, reach) = (visit.actor.clone(), visit.reach.clone());
    let hubs = visit.app.database.read(move |tx| list_hubs(tx, &actor, &reach)).await?;
    let page = visit.page.clone().titled("sync.hubs");
    let lines = hubs.into_iter().map(|hub| line(&page, hub)).collect();
    let may_register = visit.actor.stands_in_for.is_none();
    Ok(HubsPage { page, lines, form, may_register, once })
}

fn line(page: &Page, hub: Hub) -> Line {
    let is_open = hub.wiped_at.is_none();
    let state = match (is_open, hub.seen_at) {
        (false, _) => ("quiet", "sync.state.wiped"),
        (true, None) => ("warning", "sync.hubs.unused"),
        (true, Some(_)) => ("good", "sync.state.open"),
    };
    Line {
        id: hub.id.to_string(),
        name: hub.name,
        whose: hub.by,
        place: Divisions::shipped().get(hub.place).map(|one| one.short_name()).unwrap_or_default(),
        seen: hub.seen_at,
        state: (state.0, page.word(state.1).into_owned()),
        staff: page.count("sync.hubs.staff", hub.staff),
        may_join: is_open,
        works_there: is_open && hub.is_own_place_of_work,
    }
}

/// POST `/hubs`: registers a hub; its key is shown once.
pub(crate) async fn register(visit: Visit, body: FormBody) -> Result<Response, Failure> {
    if visit.actor.stands_in_for.is_some() {
        return Err(Failure::NotFound);
    }
    let mut form = body.form(FIELDS);
    let Some(name) = form.text("name") else { return show_refused(&hubs_page(&visit, form, None).await?) };
    let (actor, app, now) = (visit.actor.clone(), visit.app.clone(), visit.app.clock.now());
    let write = move |tx: &mut Transaction<'_>| register_hub(tx, &actor, &name, &*app.ids, now);
    match visit.app.database.write(write).await? {
        Ok((_, key)) => {
            let once = Once {
                lead: visit.page.say1("sync.hubs.key_once", "hours", HUB_KEY_HOURS),
                secret: key,
                how: visit.page.word("sync.hubs.key_how").into_owned(),
            };
            show(&hubs_page(&visit, Form::blank(FIELDS), Some(once)).await?)
        }
        Err(refusal) => {
            form.refuse(refusal);
            show_refused(&hubs_page(&visit, form, None).await?)
        }
    }
}

/// POST `/hubs/{id}/join`: says that one works at a hub; the code by which one first signs in there is shown once.
pub(crate) async fn join(visit: Visit, Path(id): Path<Uuid>, _: FormBody) -> Result<Response, Failure> {
    if visit.actor.stands_in_for.is_some() {
        return Err(Failure::NotFound);
    }
    let code = readable_secret(&*visit.app.ids);
    let hash = hash_in_turn(&visit.app.ids, code.clone()).await?.map_err(Failure::Refused)?;
    let (actor, reach) = (visit.actor.clone(), visit.reach.clone());
    let when = (visit.app.mint(), visit.app.clock.now());
    let write =
        move |tx: &mut Transaction<'_>| join_hub(tx, (&actor, &reach), Id::from_uuid(id), &hash, when);
    if !visit.app.database.write(write).await? {
        return Err(Failure::NotFound);
    }
    let once = Once {
        lead: visit.page.say1("sync.hubs.code_once", "days", HUB_CODE_DAYS),
        secret: code,
        how: visit.page.word("sync.hubs.code_how").into_owned(),
    };
    show(&hubs_page(&visit, Form::blank(FIELDS), Some(once)).await?)
}

/// POST `/hubs/{id}/leave`.
pub(crate) async fn leave(visit: Visit, Path(id): Path<Uuid>, _: FormBody) -> Result<Response, Failure> {
    let (actor, reach) = (visit.actor.clone(), visit.reach.clone());
    let when = (visit.app.mint(), visit.app.clock.now());
    let write = move |tx: &mut Transaction<'_>| leave_hub(tx, (&actor, &reach), Id::from_uuid(id), when);
    if !visit.app.database.write(write).await? {
        return Err(Failure::NotFound);
    }
    Ok(Flash::good(visit.page.word("sync.hubs.left")).then_go_to("/hubs"))
}

/// GET `/sync/hub`: what a hub is, whose places it holds, and who works there.
pub(crate) async fn own(call: PhoneCall) -> Result<Response, ApiFailure> {
    let reach = alive(&call)?;
    if !call.holder.is_hub {
        return Err(ApiFailure::not_found());
    }
    let (hub, now, place) = (call.holder.phone, call.app.clock.now(), reach.place());
    let read = move |tx: &mut Transaction<'_>| -> Result<_, DatabaseError> {
        Ok((hub_staff(tx, hub, now)?, crate::store::highest(tx, hub)?))
    };
    let (staff, received) = call.app.database.read(read).await?;
    let body = json!({
        "hub": hub, "name": call.holder.name, "place": place, "staff": staff, "received": received
    });
    Ok(Json(body).into_response())
}
