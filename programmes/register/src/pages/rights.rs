//! The rights of the person (个人信息保护法 art. 44 to 47): everything that is held about one person as a page to print, the same
//! without what is not for others, and as a file that other programs read; how long it is kept; consents and requests.
//!
//! The whole copy is what whoever makes it may see: of level 5 (GB/T 39725-2020) only who treats. The restricted copy holds neither
//! that nor what others wrote about the person in their own words, and hides number and telephone; it is made by a consent that
//! names who gets it and what for.

use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use kangmai_access::{Actor, Purpose, Role, audit, reach};
use kangmai_base::Uuid;
use kangmai_database::{DatabaseError, Transaction};
use kangmai_people::{Person, PersonId, find_person};
use kangmai_programme::{Looking, Visit};
use kangmai_record::{Fact, Source};
use kangmai_web::{Failure, Flash, Page, download, show};

use crate::fhir;
use crate::pages::Numbers;
use crate::pages::consents::{consent_of, read_consents};
use crate::pages::held::{self, HeldRow};
use crate::pages::person::pairs;
use crate::pages::timeline::{self, Asked, Event, Timeline};
use crate::pages::{LabelTag, dated_tags, under_search};
use crate::rights::Consent;
use crate::store::rights::{RightsRequest, WantedRequests, rights_requests};

/// Pages of the timeline that a copy goes through at most: with more it says that it ends.
const MOST_PAGES: usize = 400;

/// What is handed out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Handed {
    /// For the person.
    Whole,
    /// For somebody else, with the person's consent.
    Restricted,
}

#[derive(Template)]
#[template(path = "register_rights.html")]
struct RightsPage {
    page: Page,
    path: String,
    treats: bool,
    consents: Vec<(Consent, (&'static str, &'static str))>,
    requests: Vec<RightsRequest>,
    held: Vec<HeldRow>,
}

/// Whether the one who asks may see what is of level 5, and so may give the whole of it.
fn treats(visit: &Visit) -> bool {
    reach(&visit.actor, Purpose::ReadRecord).is_some_and(|record| record.sensitive())
}

pub(super) async fn person_of(visit: &Visit, id: Uuid) -> Result<Person, Failure> {
    let within = visit.reach.clone();
    let read = move |tx: &mut Transaction<'_>| {
        let person = find_person(tx, PersonId::from_uuid(id))?;
        Ok::<_, DatabaseError>(person.filter(|person| within.covers(person.home)))
    };
    visit.app.database.read(read).await?.ok_or(Failure::NotFound)
}

/// Requests of one person that are shown.
const SHOWN_REQUESTS: i64 = 50;

/// GET `/people/{id}/rights`: what can be handed to the person, what they agreed to, what they asked, how long it is kept.
pub(crate) async fn page(visit: Visit, Path(id): Path<Uuid>) -> Result<Response, Failure> {
    let person = person_of(&visit, id).await?;
    let treats = treats(&visit);
    let (looking, whom) = (visit.looking(), person.clone());
    let read = move |tx: &mut Transaction<'_>| {
        let wanted = WantedRequests { person: Some(id), ..WantedRequests::default() };
        let requests = rights_requests(tx, &looking.reach, wanted, (SHOWN_REQUESTS, 0))?;
        Ok::<_, DatabaseError>((read_consents(tx, id)?, requests, held::of(tx, &looking, &whom)?))
    };
    let (consents, requests, held) = visit.app.database.read(read).await?;
    let page = under_search(visit.page).under(person.body.name.clone(), format!("/people/{id}"));
    let held = held::rows(&page, &held, visit.today);
    let stated = |consent: Consent| (consent.state(visit.today), consent);
    let consents = consents.into_iter().map(stated).map(|(state, consent)| (consent, state)).collect();
    show(&RightsPage {
        page: page.titled("register.rights"),
        path: format!("/people/{id}"),
        treats,
        consents,
        requests,
        held,
    })
}

/// A page below the rights of a person.
pub(super) fn under_rights(page: Page, person: &Person) -> Page {
    let path = format!("/people/{}", person.id);
    let rights = page.word("register.rights").into_owned();
    under_search(page).under(person.body.name.clone(), path.clone()).under(rights, format!("{path}/rights"))
}

#[derive(Template)]
#[template(path = "register_copy.html")]
struct CopyPage {
    page: Page,
    intro: String,
    pairs: Vec<(String, String)>,
    labels: Vec<LabelTag>,
    events: Vec<Event>,
    left_out: Option<String>,
    is_cut: bool,
}

/// GET `/people/{id}/copy`: all that is held, for the person.
pub(crate) async fn whole(visit: Visit, Path(id): Path<Uuid>) -> Result<Response, Failure> {
    let person = person_of(&visit, id).await?;
    let intro = visit.page.say1("register.copy.whole.intro", "day", visit.page.day(visit.today));
    copy(visit, person, Handed::Whole, (intro, String::new())).await
}

/// GET `/people/{id}/copy/restricted/{consent}`: for the one whom the consent names. One that was withdrawn or is over makes no
/// copy any more.
pub(crate) async fn restricted(
    visit: Visit,
    Path((id, consent)): Path<(Uuid, Uuid)>,
) -> Result<Response, Failure> {
    let (person, consent) = consent_of(&visit, id, consent).await?;
    if !consent.holds_on(visit.today) {
        let path = format!("/people/{id}/consents/{}", consent.id);
        return Ok(Flash::warning(visit.page.word("register.consent.holds_no_more")).then_go_to(&path));
    }
    let page = &visit.page;
    let intro = page.say(
        "register.copy.restricted.intro",
        &[
            ("day", &page.day(visit.today)),
            ("recipient", &consent.body.recipient),
            ("used_for", &consent.body.used_for),
            ("until", &page.day(consent.body.until)),
        ],
    );
    copy(visit, person, Handed::Restricted, (intro, consent.id.to_string())).await
}

/// Makes the copy; `by` is what it is made by, for the audit trail.
async fn copy(
    visit: Visit,
    person: Person,
    which: Handed,
    (intro, by): (String, String),
) -> Result<Response, Failure> {
    let id = person.id;
    let looking = eyes(&visit, which);
    let (whom, treats) = (person.clone(), treats(&visit));
    let read = move |tx: &mut Transaction<'_>| {
        let (parts, is_cut) = all(tx, &looking, &whom)?;
        let events = parts.iter().flat_map(|part| events_of(&looking, part, which)).collect();
        Ok::<(Vec<Event>, bool), DatabaseError>((events, is_cut))
    };
    let (events, is_cut) = visit.app.database.read(read).await?;
    let reason = match which {
        Handed::Whole => "register.copy.whole",
        Handed::Restricted => "register.copy.restricted",
    };
    let said = format!("{} {by}", visit.page.word(reason)).trim_end().to_owned();
    note(&visit, "print", &person, said).await?;
    let mut page = under_search(visit.page.clone()).under(person.body.name.clone(), format!("/people/{id}"));
    page.title = page.say1(&format!("{reason}.of"), "name", &person.body.name);
    let left_out = match which {
        Handed::Restricted => Some("register.copy.restricted.left_out"),
        Handed::Whole if !treats => Some("register.copy.whole.left_out"),
        Handed::Whole => None,
    };
    show(&CopyPage {
        intro,
        pairs: pairs_of(&page, &visit, &person, which),
        labels: dated_tags(&page, visit.today, &person.body.labels),
        events,
        left_out: left_out.map(|key| page.word(key).into_owned()),
        is_cut,
        page,
    })
}

/// With whose eyes a copy looks: what is for others is seen as one sees it who does not treat.
fn eyes(visit: &Visit, which: Handed) -> Looking {
    let mut looking = visit.looking();
    if which == Handed::Restricted {
        looking.actor = Actor { role: Role::HealthBureau, ..visit.actor.clone() };
    }
    if let Some(own) = reach(&looking.actor, Purpose::FindPeople) {
        looking.reach = own;
    }
    looking
}

/// The whole timeline, and whether it is longer than a copy.
fn all(
    tx: &mut Transaction<'_>,
    looking: &Looking,
    person: &Person,
) -> Result<(Vec<Timeline>, bool), DatabaseError> {
    let mut parts = Vec::new();
    let mut before = None;
    for _ in 0..MOST_PAGES {
        let asked = Asked { source: None, programme: None, before };
        let part = timeline::read(tx, looking, person, &asked)?;
        before = part.next;
        parts.push(part);
        if before.is_none() {
            return Ok((parts, false));
        }
    }
    Ok((parts, true))
}

fn events_of(looking: &Looking, part: &Timeline, which: Handed) -> Vec<Event> {
    let events = part.events(&looking.page, looking.app.programmes).into_iter().zip(&part.facts);
    events
        .map(|(event, fact)| match which {
            Handed::Restricted if is_in_own_words(fact) => Event { details: Vec::new(), ..event },
            _ => event,
        })
        .collect()
}

/// What somebody typed may hold what they think, or what neighbours said: not for others.
fn is_in_own_words(fact: &Fact) -> bool {
    fact.new.source == Source::Typed
}

fn pairs_of(page: &Page, visit: &Visit, person: &Person, which: Handed) -> Vec<(String, String)> {
    if which == Handed::Whole {
        return pairs(page, &visit.reach, Numbers::Whole, person);
    }
    let mut other = person.clone();
    other.body.phone = None;
    let number = other.body.id_number.take().map(|number| number.masked());
    let number = number.map(|number| (page.word("register.number").into_owned(), number));
    number.into_iter().chain(pairs(page, &visit.reach, Numbers::Masked, &other)).collect()
}

/// GET `/people/{id}/fhir.json`: all that is held as a FHIR R4 bundle. Only who treats may give all of it.
pub(crate) async fn bundle(visit: Visit, Path(id): Path<Uuid>) -> Result<Response, Failure> {
    let person = person_of(&visit, id).await?;
    if !treats(&visit) {
        return Err(Failure::NotFound);
    }
    let (looking, whom) = (eyes(&visit, Handed::Whole), person.clone());
    let now = visit.app.clock.now();
    let read = move |tx: &mut Transaction<'_>| {
        let (parts, is_cut) = all(tx, &looking, &whom)?;
        let facts: Vec<(&Fact, bool)> = parts.iter().flat_map(Timeline::marked_facts).collect();
        Ok::<_, DatabaseError>((fhir::bundle(&whom, &facts, now), is_cut))
    };
    let (bundle, is_cut) = visit.app.database.read(read).await?;
    if is_cut {
        return Err(Failure::TooLarge);
    }
    note(&visit, "export", &person, "FHIR R4".to_owned()).await?;
    let text = serde_json::to_vec_pretty(&bundle).map_err(Failure::internal)?;
    Ok(download(text, "application/fhir+json", "fhir-record.json"))
}

/// The line that says what was handed out.
async fn note(
    visit: &Visit,
    action: &'static str,
    person: &Person,
    what: String,
) -> Result<(), DatabaseError> {
    let (id, now, actor) = (visit.app.mint(), visit.app.clock.now(), visit.actor.clone());
    let (subject, home) = (person.id.uuid(), person.home);
    let write = move |tx: &mut Transaction<'_>| {
        audit(tx, id, now, &actor, action, Some(subject), home, &what, "done")
    };
    visit.app.database.write(write).await
}
