//! What is new for a phone.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::Json;
use axum::extract::Query;
use axum::http::header::{ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use kangmai_access::Reach;
use kangmai_base::{DivisionCode, Id, Refusal, Uuid};
use kangmai_database::{DatabaseError, Transaction};
use kangmai_people::{Label, PERSON_REGISTERED, find_household, find_persons};
use kangmai_policy::Release;
use kangmai_policy::follow_up::FollowUpRules;
use kangmai_programme::{PhoneCall, Programme};
use kangmai_record::SubjectKind;
use kangmai_web::{ApiFailure, Language, Problem};
use serde::{Deserialize, Serialize};

use crate::cursor::Cursor;
use crate::told::{FactTold, HouseholdCard, MONTHS_TOLD, PersonCard, Tellers, milliseconds};
use crate::{alive, store};

/// Facts of one answer at most; `more` says that there are others.
const MOST_FACTS: i64 = 2_000;
/// The kind of fact that registers a household or changes it: its card is sent anew.
pub(crate) const HOUSEHOLD_REGISTERED: &str = "register.household";

#[derive(Debug, Deserialize)]
pub(crate) struct Asked {
    #[serde(default)]
    cursor: String,
}

/// What is new.
#[derive(Debug, Serialize)]
struct News {
    cursor: String,
    more: bool,
    now: i64,
    law: String,
    /// The highest number that came from this phone: after a restored copy it is lower than what was answered.
    received: i64,
    places: BTreeMap<DivisionCode, String>,
    people: Vec<PersonCard>,
    households: Vec<HouseholdCard>,
    facts: Vec<FactTold>,
}

/// GET `/sync/pull?cursor=`: what came into the record of the account's places since.
pub(crate) async fn pull(call: PhoneCall, Query(asked): Query<Asked>) -> Result<Response, ApiFailure> {
    let reach = alive(&call)?.clone();
    let Ok(cursor) = asked.cursor.parse::<Cursor>() else {
        let refusal = Refusal::new("sync.refused.cursor");
        return Err(ApiFailure::new(StatusCode::BAD_REQUEST, Problem::new(refusal).at("cursor")));
    };
    let (release, programmes) = (Arc::clone(&call.app.policies), call.app.programmes);
    let now = milliseconds(call.app.clock.now());
    let phone = call.holder.phone;
    let read = move |tx: &mut Transaction<'_>| -> Result<News, DatabaseError> {
        let received = store::highest(tx, phone)?;
        Ok(News { received, ..news(tx, &release, programmes, (&reach, cursor, now))? })
    };
    let news = call.app.database.read(read).await?;
    if !(news.facts.is_empty() && news.people.is_empty() && news.households.is_empty()) {
        crate::first::tell(&call, "phone_pull", call.holder.actor.place).await?;
    }
    Ok(Json(news).into_response())
}

fn news(
    tx: &mut Transaction<'_>,
    release: &Release,
    programmes: &[Programme],
    (reach, asked, now): (&Reach, Cursor, i64),
) -> Result<News, DatabaseError> {
    let range = (reach.first(), reach.last());
    let (rolls, heads) = (store::rolls(tx, range)?, store::heads(tx, range)?);
    let tellers = Tellers::of(programmes);
    let mut kinds = tellers.kinds();
    kinds.extend([PERSON_REGISTERED, HOUSEHOLD_REGISTERED]);
    let mut cursor = Cursor::default();
    let (mut facts, mut people, mut households) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
    let (mut left, mut more) = (MOST_FACTS, false);
    for (place, after) in asked.0.into_iter().filter(|(place, _)| rolls.contains_key(place)) {
        // A copy that was put back may end before what a phone heard: then it hears from there.
        let head = heads.get(&place).copied().unwrap_or_default();
        let after = after.min(head);
        if left == 0 {
            cursor.0.insert(place, after);
            more |= after < head;
            continue;
        }
        let found = store::facts_since(tx, (place, after, head), &kinds, left)?;
        let is_full = i64::try_from(found.len()).is_ok_and(|found| found == left);
        let reached = if is_full { found.last().map_or(head, |last| last.number) } else { head };
        more |= reached < head;
        left -= i64::try_from(found.len()).unwrap_or(left);
        cursor.0.insert(place, reached);
        for numbered in found {
            let fact = numbered.fact;
            match (fact.subject.kind, fact.kind.as_str()) {
                (SubjectKind::Household, _) => _ = households.insert(fact.subject.id),
                (_, PERSON_REGISTERED) => _ = people.insert(fact.subject.id),
                _ => facts.extend(tellers.tell(release, &fact, true)),
            }
        }
    }
    Ok(News {
        cursor: cursor.to_string(),
        more,
        now,
        received: 0,
        law: release.hash().to_owned(),
        people: cards(tx, &people, &rolls)?,
        households: household_cards(tx, &households)?,
        places: rolls.into_iter().map(|(place, roll)| (place, roll.to_string())).collect(),
        facts,
    })
}

/// The cards of the people who are at home in these places; the rolls tell of the others.
fn cards(
    tx: &mut Transaction<'_>,
    people: &BTreeSet<Uuid>,
    rolls: &BTreeMap<DivisionCode, crate::roll::Roll>,
) -> Result<Vec<PersonCard>, DatabaseError> {
    let mut cards = Vec::new();
    let ids: Vec<Uuid> = people.iter().copied().collect();
    for person in find_persons(tx, &ids)?.values() {
        if rolls.contains_key(&person.home) && person.body.died_on.is_none() {
            cards.push(PersonCard::of(person));
        }
    }
    Ok(cards)
}

fn household_cards(
    tx: &mut Transaction<'_>,
    households: &BTreeSet<Uuid>,
) -> Result<Vec<HouseholdCard>, DatabaseError> {
    let mut cards = Vec::new();
    for id in households {
        cards.extend(find_household(tx, Id::from_uuid(*id))?.as_ref().map(HouseholdCard::of));
    }
    Ok(cards)
}

/// A table, and from which to which place it holds.
#[derive(Debug, Serialize)]
struct Placed<'r> {
    first: String,
    last: String,
    rules: &'r FollowUpRules,
}

/// GET `/sync/rules`: the tables by which a phone judges a visit, today and as far as a visit may lie back.
pub(crate) async fn rules(call: PhoneCall, headers: HeaderMap) -> Result<Response, ApiFailure> {
    let reach = alive(&call)?;
    let release = Arc::clone(&call.app.policies);
    let etag = format!("\"{}-{}\"", release.hash(), crate::VERSION);
    let tag = HeaderValue::from_str(&etag).unwrap_or(HeaderValue::from_static("\"\""));
    if headers.get(IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == etag.as_bytes()) {
        return Ok((StatusCode::NOT_MODIFIED, [(ETAG, tag)]).into_response());
    }
    let since = call.app.today().plus_months(-MONTHS_TOLD);
    let tables = release.follow_up_tables(reach.place(), since).into_iter();
    let programmes: Vec<Placed<'_>> = tables
        .map(|(place, rules)| {
            let range = place.range();
            Placed { first: format!("{:012}", range.first), last: format!("{:012}", range.last), rules }
        })
        .collect();
    let words = &call.app.words;
    let labels: BTreeMap<&str, serde_json::Value> = Label::ALL
        .into_iter()
        .map(|label| {
            let say = |language| words.word(language, label.word()).into_owned();
            (label.key(), serde_json::json!({ "zh": say(Language::Zh), "en": say(Language::En) }))
        })
        .collect();
    let body = serde_json::json!({
        "law": release.hash(),
        "programmes": programmes,
        "labels": labels,
        "vectors": release.follow_up_vectors(),
    });
    Ok(([(ETAG, tag)], Json(body)).into_response())
}
