//! Asking for a hand-over: home, which knows the person; or the place of living, which names a person whom it does not reach.

use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use kangmai_access::{Actor, audit, check_tries, reach_of_person, try_break_glass};
use kangmai_base::{DivisionCode, DivisionLevel, Id, IdNumber, Refusal, Uuid};
use kangmai_database::{DatabaseError, Transaction};
use kangmai_people::{Person, find_person, match_id_numbers, same_as};
use kangmai_places::{Division, Divisions};
use kangmai_programme::{Visit, place_name};
use kangmai_web::{Choice, Failure, Field, Flash, Form, FormBody, Page, show, show_refused};

use crate::act::{self, Hand};
use crate::facts::Side;
use crate::rules::{LONGEST_NOTE, same_county, township};

/// From home: the person is known.
const HOME: &[Field] = &[
    Field::hidden("minted"),
    Field::select("village", "residence.field.village"),
    Field::text("note", "residence.field.note").at_most(LONGEST_NOTE).optional(),
];
/// From the place of living.
const HERE: &[Field] = &[
    Field::hidden("minted"),
    Field::id_number("id_number", "residence.field.id_number"),
    Field::text("name", "residence.field.name").at_most(40),
    Field::select("village", "residence.field.village_here"),
    Field::text("note", "residence.field.note").at_most(LONGEST_NOTE).optional(),
];

#[derive(Template)]
#[template(path = "residence_ask.html")]
struct AskPage {
    page: Page,
    action: String,
    back: String,
    lead: String,
    /// Where the person lives in another county, if so: then there is nothing to hand over.
    beyond: Option<String>,
    form: Form,
}

/// Who writes, and for which place.
pub(super) fn hand_of(visit: &Visit) -> Hand {
    Hand {
        author: visit.actor.account.uuid(),
        by: visit.actor.name.clone(),
        place: visit.reach.place(),
        now: visit.app.clock.now(),
    }
}

/// The villages of a county but those of one township, or those of a place.
fn villages(scope: DivisionCode, but: Option<DivisionCode>) -> Vec<Choice> {
    let all = Divisions::shipped().of_level(scope, DivisionLevel::Village);
    let others = all.filter(|village| but != Some(township(village.code())));
    others
        .map(|village: Division<'_>| Choice::new(village.code().to_string(), place_name(village.code())))
        .collect()
}

/// The person at home within reach.
async fn person_at_home(visit: &Visit, id: Uuid) -> Result<Person, Failure> {
    let within = visit.reach.clone();
    let find = move |tx: &mut Transaction<'_>| find_person(tx, Id::from_uuid(id));
    let found = visit.app.database.read(find).await?;
    found.filter(|person| within.covers(person.home)).ok_or(Failure::NotFound)
}

fn home_page(visit: &Visit, person: &Person, mut form: Form) -> AskPage {
    let page = visit.page.clone().titled("residence.ask.home");
    let page = page.under(person.body.name.clone(), format!("/people/{}", person.id));
    let title = page.say1("residence.ask.home.of", "name", &person.body.name);
    form.offer("village", villages(person.home.at(DivisionLevel::County), Some(township(person.home))));
    let beyond = person.body.living.filter(|living| !same_county(*living, person.home));
    AskPage {
        action: format!("/people/{}/hand-over", person.id),
        back: format!("/people/{}", person.id),
        lead: page.word("residence.ask.home.says").into_owned(),
        beyond: beyond.map(super::whole_name),
        form,
        page: Page { title, ..page },
    }
}

/// GET `/people/{id}/hand-over`.
pub(crate) async fn blank_home(visit: Visit, Path(id): Path<Uuid>) -> Result<Response, Failure> {
    let person = person_at_home(&visit, id).await?;
    let mut form = Form::blank(HOME);
    form.fill("minted", visit.app.mint());
    if let Some(living) = person.body.living.filter(|living| same_county(*living, person.home)) {
        form.fill("village", living);
    }
    show(&home_page(&visit, &person, form))
}

/// POST: home asks the place of living.
pub(crate) async fn home(visit: Visit, Path(id): Path<Uuid>, body: FormBody) -> Result<Response, Failure> {
    let person = person_at_home(&visit, id).await?;
    let mut form = body.form(HOME);
    form.offer("village", villages(person.home.at(DivisionLevel::County), Some(township(person.home))));
    let minted = form.parsed::<Uuid>("minted").unwrap_or_else(|| visit.app.mint());
    let (village, note) = (form.division("village"), form.text("note").unwrap_or_default());
    if let Some(village) = village.filter(|_| !form.is_refused()) {
        let (app, hand) = (visit.app.clone(), hand_of(&visit));
        let asked = person.clone();
        let work = move |tx: &mut Transaction<'_>| {
            act::ask(tx, &app, &hand, (&asked, Side::Home), (minted, village, note))
        };
        match visit.app.database.write(work).await? {
            Ok(one) => return Ok(asked_now(&visit, one)),
            Err(refusal) => form.refuse(refusal),
        }
    }
    show_refused(&home_page(&visit, &person, form))
}

fn asked_now(visit: &Visit, one: Uuid) -> Response {
    Flash::good(visit.page.word("residence.asked_now")).then_go_to(&format!("/residence/{one}"))
}

fn here_page(visit: &Visit, mut form: Form) -> AskPage {
    let page = visit.page.clone().titled("residence.ask.here");
    let page = page.under(visit.page.word("residence.title").into_owned(), "/residence?side=living");
    form.offer("village", villages(visit.reach.place(), None));
    AskPage {
        action: "/residence/ask".to_owned(),
        back: "/residence?side=living".to_owned(),
        lead: page.word("residence.ask.here.says").into_owned(),
        beyond: None,
        form,
        page,
    }
}

/// GET `/residence/ask`.
pub(crate) async fn blank_here(visit: Visit) -> Result<Response, Failure> {
    let mut form = Form::blank(HERE);
    form.fill("minted", visit.app.mint());
    show(&here_page(&visit, form))
}

/// POST: the place of living asks home.
pub(crate) async fn here(visit: Visit, body: FormBody) -> Result<Response, Failure> {
    let mut form = body.form(HERE);
    form.offer("village", villages(visit.reach.place(), None));
    let minted = form.parsed::<Uuid>("minted").unwrap_or_else(|| visit.app.mint());
    let (number, name) = (form.id_number("id_number"), form.text("name"));
    let (village, note) = (form.division("village"), form.text("note").unwrap_or_default());
    if let (Some(number), Some(name), Some(village), false) = (number, name, village, form.is_refused()) {
        let (app, hand, actor) = (visit.app.clone(), hand_of(&visit), visit.actor.clone());
        let work = move |tx: &mut Transaction<'_>| {
            let person = match named(tx, &actor, (&number, &name), village, &hand)? {
                Ok(person) => person,
                Err(refusal) => return Ok(Err(refusal)),
            };
            let done = act::ask(tx, &app, &hand, (&person, Side::Living), (minted, village, note))?;
            let outcome = if done.is_ok() { "done" } else { "refused" };
            let whom = Some(person.id.uuid());
            audit(tx, app.mint(), hand.now, &actor, "read_person", whom, person.home, "", outcome)?;
            Ok::<_, DatabaseError>(done)
        };
        match visit.app.database.write(work).await? {
            Ok(one) => return Ok(asked_now(&visit, one)),
            Err(refusal) => form.refuse(refusal),
        }
    }
    show_refused(&here_page(&visit, form))
}

/// The one person of the county with this number and name. Who is not there and whose name is another looks the same, and tries are
/// counted with those of asking in an emergency: nobody finds out by trying who is in the register.
fn named(
    tx: &mut Transaction<'_>,
    actor: &Actor,
    (number, name): (&IdNumber, &str),
    village: DivisionCode,
    hand: &Hand,
) -> Result<Result<Person, Refusal>, DatabaseError> {
    if let Err(refusal) = check_tries(tx, actor, hand.now)? {
        return Ok(Err(refusal));
    }
    let found = match_id_numbers(tx, &[number])?.into_values().next().unwrap_or_default();
    // Two records of one person are one.
    let mut ids = Vec::with_capacity(found.len());
    for id in found {
        ids.push(same_as(tx, id)?.unwrap_or(id));
    }
    ids.dedup();
    let person = match ids[..] {
        [id] => find_person(tx, id)?,
        _ => None,
    };
    let Some(person) = person else { return nobody(tx, actor, hand) };
    let own = reach_of_person(
        tx,
        actor,
        kangmai_access::Purpose::FindPeople,
        (person.id.uuid(), person.home),
        hand.now,
    )?;
    let is_named = person.body.name == name.trim() && same_county(person.home, village);
    // Who is reached anyway is told apart: then the refusal says what is wrong with the places.
    if is_named || own.is_some() { Ok(Ok(person)) } else { nobody(tx, actor, hand) }
}

/// Counts the try: who asks for ten people whom they know uses none up.
fn nobody(
    tx: &mut Transaction<'_>,
    actor: &Actor,
    hand: &Hand,
) -> Result<Result<Person, Refusal>, DatabaseError> {
    let counted = try_break_glass(tx, actor, hand.now)?;
    let refusal = Refusal::new("residence.refused.nobody").at("id_number");
    Ok(Err(counted.err().unwrap_or(refusal)))
}
