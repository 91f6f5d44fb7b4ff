//! What a phone loads first: everybody of a place with what is known of them, household by household, packed. It is made
//! once for all phones that ask for it as it stands.

use std::collections::HashMap;
use std::io::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::{Body, Bytes};
use axum::extract::Query;
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Json};
use kangmai_access::audit;
use kangmai_base::{Day, DivisionCode, PlaceRange, Refusal, Uuid};
use kangmai_database::{DatabaseError, Transaction};
use kangmai_people::{Household, HouseholdId, Person, find_household, find_persons, people_at, same_as};
use kangmai_policy::Release;
use kangmai_programme::PhoneCall;
use kangmai_web::{ApiFailure, Problem};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::cursor::Cursor;
use crate::told::{HouseholdCard, HouseholdLine, PersonCard, PersonLine, Tellers};
use crate::{alive, store};

/// People of one place at most.
const MOST_PEOPLE: i64 = 30_000;
/// Facts of one place at most: a phone holds no more.
const MOST_FACTS: i64 = 100_000;
/// People that one request for some of them names at most.
const MOST_NAMED: usize = 200;
/// Bytes of loads that are kept to be handed out again.
const MOST_KEPT_BYTES: usize = 64 * 1024 * 1024;

/// A load as it is handed out.
#[derive(Clone)]
struct Load {
    etag: String,
    packed: Bytes,
}

type Slot = Arc<tokio::sync::Mutex<Option<Load>>>;

/// The loads that are kept, by place.
#[derive(Default)]
pub struct LoadShelf(Mutex<HashMap<DivisionCode, Slot>>);

impl LoadShelf {
    fn slot(&self, place: DivisionCode) -> Slot {
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = |slot: &Slot| {
            let load = slot.try_lock().ok().and_then(|load| load.as_ref().map(|load| load.packed.len()));
            load.unwrap_or_default()
        };
        if !slots.contains_key(&place) && slots.values().map(kept).sum::<usize>() > MOST_KEPT_BYTES {
            slots.clear();
        }
        Arc::clone(slots.entry(place).or_default())
    }
}

/// The first line of a load.
#[derive(Debug, Serialize)]
struct Head {
    place: DivisionCode,
    cursor: String,
    law: String,
    people: usize,
    facts: usize,
    older: usize,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Asked {
    place: DivisionCode,
}

/// How a place stands: where its facts end, who is there, and the text by which a load of it is known.
struct Standing {
    cursor: String,
    etag: String,
}

fn standing(
    tx: &mut Transaction<'_>,
    release: &Release,
    place: DivisionCode,
    today: Day,
) -> Result<Standing, DatabaseError> {
    let range = (place.number().cast_signed(), place.number().cast_signed());
    let head = store::heads(tx, range)?.get(&place).copied().unwrap_or_default();
    let roll = store::rolls(tx, range)?.get(&place).copied().unwrap_or_default();
    let cursor = Cursor([(place, head)].into()).to_string();
    // What is too old to be told changes with the month.
    let (year, month, _) = today.ymd();
    let text = format!("{cursor} {roll} {} {year}-{month} {}", release.hash(), crate::VERSION);
    let etag = Sha256::digest(text.as_bytes());
    let etag: String = etag.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    Ok(Standing { cursor, etag: format!("\"{etag}\"") })
}

/// GET `/sync/first?place=`: the load of one place, packed.
pub(crate) async fn first(
    call: PhoneCall,
    Extension(shelf): Extension<Arc<LoadShelf>>,
    headers: HeaderMap,
    Query(asked): Query<Asked>,
) -> Result<Response, ApiFailure> {
    let reach = alive(&call)?;
    let place = asked.place;
    if !reach.covers(place) {
        return Err(ApiFailure::not_found());
    }
    let slot = shelf.slot(place);
    let mut kept = slot.lock().await;
    let (release, today) = (Arc::clone(&call.app.policies), call.app.today());
    let stands = call.app.database.read(move |tx| standing(tx, &release, place, today)).await?;
    if kept.as_ref().is_none_or(|load| load.etag != stands.etag) {
        *kept = Some(made(&call, place).await?);
    }
    let Some(load) = kept.clone() else { return Err(ApiFailure::not_found()) };
    drop(kept);
    if headers.get(IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == load.etag.as_bytes()) {
        return Ok((StatusCode::NOT_MODIFIED, [(ETAG, text(&load.etag))]).into_response());
    }
    tell(&call, "export", place).await?;
    let head = [
        (CONTENT_TYPE, HeaderValue::from_static("application/x-ndjson")),
        (CONTENT_ENCODING, HeaderValue::from_static("gzip")),
        (ETAG, text(&load.etag)),
    ];
    Ok((head, Body::from(load.packed)).into_response())
}

fn text(value: &str) -> HeaderValue {
    HeaderValue::from_str(value).unwrap_or(HeaderValue::from_static("\"\""))
}

/// Tells the audit trail what a phone was given.
pub(crate) async fn tell(
    call: &PhoneCall,
    action: &'static str,
    place: DivisionCode,
) -> Result<(), DatabaseError> {
    let (id, now) = (call.app.mint(), call.app.clock.now());
    let (actor, phone) = (call.holder.actor.clone(), call.holder.phone.uuid());
    let write =
        move |tx: &mut Transaction<'_>| audit(tx, id, now, &actor, action, Some(phone), place, "", "done");
    call.app.database.write(write).await
}

async fn made(call: &PhoneCall, place: DivisionCode) -> Result<Load, ApiFailure> {
    let (release, programmes, today) =
        (Arc::clone(&call.app.policies), call.app.programmes, call.app.today());
    let read = move |tx: &mut Transaction<'_>| -> Result<_, DatabaseError> {
        let stands = standing(tx, &release, place, today)?;
        let only = PlaceRange { first: place.number(), last: place.number() };
        let people = people_at(tx, only, 0, MOST_PEOPLE)?;
        let households = store::households(tx, place)?;
        let tellers = Tellers::of(programmes);
        let facts = store::facts_at(tx, place, &tellers.kinds(), MOST_FACTS + 1)?;
        let too_many = i64::try_from(facts.len()).unwrap_or(i64::MAX) > MOST_FACTS;
        let (told, older) = tellers.by_person(&release, &facts, today);
        let head = Head {
            place,
            cursor: stands.cursor,
            law: release.hash().to_owned(),
            people: people.len(),
            facts: told.values().map(Vec::len).sum(),
            older,
        };
        Ok((!too_many).then(|| (stands.etag, head, lines_of(&people, &households, told))))
    };
    let Some((etag, head, lines)) = call.app.database.read(read).await? else {
        let refusal = Refusal::new("sync.refused.too_much").with("most", MOST_FACTS.to_string());
        return Err(ApiFailure::new(StatusCode::PAYLOAD_TOO_LARGE, Problem::new(refusal)));
    };
    let packed = tokio::task::spawn_blocking(move || packed(&head, &lines)).await??;
    Ok(Load { etag, packed: Bytes::from(packed) })
}

/// Households with their people, by household.
fn lines_of(
    people: &[Person],
    households: &[Household],
    mut told: HashMap<Uuid, Vec<crate::told::FactTold>>,
) -> Vec<HouseholdLine> {
    let cards: HashMap<Uuid, &Household> =
        households.iter().map(|household| (household.id.uuid(), household)).collect();
    let mut lines: Vec<HouseholdLine> = Vec::new();
    let mut places: HashMap<Uuid, usize> = HashMap::new();
    for person in people {
        let household = person.body.household;
        let at = *places.entry(household).or_insert_with(|| {
            let card = cards.get(&household).map(|household| HouseholdCard::of(household));
            lines.push(HouseholdLine { household: card, people: Vec::new() });
            lines.len() - 1
        });
        let facts = told.remove(&person.id.uuid()).unwrap_or_default();
        if let Some(line) = lines.get_mut(at) {
            line.people.push(PersonLine { person: PersonCard::of(person), facts });
        }
    }
    lines
}

fn packed(head: &impl Serialize, lines: &[HouseholdLine]) -> std::io::Result<Vec<u8>> {
    let out = Vec::with_capacity(lines.len() * 512);
    let mut packer = flate2::write::GzEncoder::new(out, flate2::Compression::new(6));
    serde_json::to_writer(&mut packer, head)?;
    packer.write_all(b"\n")?;
    for line in lines {
        serde_json::to_writer(&mut packer, line)?;
        packer.write_all(b"\n")?;
    }
    packer.finish()
}

/// GET `/sync/roll?place=`: who is at home there.
pub(crate) async fn roll(
    call: PhoneCall,
    Query(asked): Query<Asked>,
) -> Result<Json<serde_json::Value>, ApiFailure> {
    let reach = alive(&call)?;
    if !reach.covers(asked.place) {
        return Err(ApiFailure::not_found());
    }
    let people = call.app.database.read(move |tx| store::on_roll(tx, asked.place)).await?;
    Ok(Json(serde_json::json!({ "people": people })))
}

#[derive(Debug, Deserialize)]
pub(crate) struct Named {
    people: Vec<Uuid>,
}

/// POST `/sync/people`: some people with what is known of them, as far as they are within reach.
pub(crate) async fn people(call: PhoneCall, Json(named): Json<Named>) -> Result<Response, ApiFailure> {
    let reach = alive(&call)?.clone();
    if named.people.len() > MOST_NAMED {
        let refusal = Refusal::new("sync.refused.too_many_named").with("most", MOST_NAMED.to_string());
        return Err(ApiFailure::new(StatusCode::UNPROCESSABLE_ENTITY, Problem::new(refusal)));
    }
    let (release, programmes, today) =
        (Arc::clone(&call.app.policies), call.app.programmes, call.app.today());
    let read = move |tx: &mut Transaction<'_>| -> Result<_, DatabaseError> {
        let (mut people, mut households) = (Vec::new(), HashMap::new());
        for (_, person) in find_persons(tx, &named.people)? {
            let stands = person.body.died_on.is_none() && same_as(tx, person.id)?.is_none();
            if reach.covers(person.home) && stands {
                people.push(person);
            }
        }
        for person in &people {
            let id = HouseholdId::from_uuid(person.body.household);
            if let std::collections::hash_map::Entry::Vacant(free) = households.entry(id)
                && let Some(household) = find_household(tx, id)?
            {
                free.insert(household);
            }
        }
        let tellers = Tellers::of(programmes);
        let ids: Vec<Uuid> = people.iter().map(|person| person.id.uuid()).collect();
        let facts = store::facts_of(tx, &ids, &tellers.kinds(), MOST_FACTS)?;
        let (told, _) = tellers.by_person(&release, &facts, today);
        let households: Vec<Household> = households.into_values().collect();
        Ok(lines_of(&people, &households, told))
    };
    let lines = call.app.database.read(read).await?;
    tell(&call, "phone_pull", call.holder.actor.place).await?;
    let mut body = Vec::new();
    for line in &lines {
        serde_json::to_writer(&mut body, line)?;
        body.push(b'\n');
    }
    Ok(([(CONTENT_TYPE, HeaderValue::from_static("application/x-ndjson"))], body).into_response())
}
