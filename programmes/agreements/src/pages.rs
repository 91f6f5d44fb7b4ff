//! The pages of this programme: lists of agreements, of residents and of what is due; signing; one agreement; plans; teams.

mod agreement;
mod list;
mod members;
mod plan;
mod print;
mod sign;
mod signing;
mod teams;

use kangmai_access::{Actor, Purpose, audit, reach_of_person, serving_place};
use kangmai_base::{DivisionCode, Id, Moment, Refusal, Uuid};
use kangmai_database::{DatabaseError, Transaction};
use kangmai_people::{Person, find_person};
use kangmai_programme::{Route, Visit};
use kangmai_web::Failure;

use crate::act::{Hand, Writing, write};
use crate::care::Care;
use crate::folder::Folder;
use crate::store::{self, Team};

use Purpose::{KeepAgreements, KeepTeams, ReadAgreements, ReadTeams};

pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::get("/agreements", ReadAgreements, list::agreements),
        Route::get("/agreements/residents", ReadAgreements, list::residents),
        Route::post("/agreements/residents", KeepAgreements, signing::many),
        Route::get("/agreements/items", ReadAgreements, list::items),
        Route::get("/agreements/blank", ReadAgreements, print::blank).about_nobody(),
        Route::get("/agreements/teams", ReadTeams, teams::list).about_nobody(),
        Route::get("/agreements/teams/new", KeepTeams, teams::blank).about_nobody(),
        Route::post("/agreements/teams/new", KeepTeams, teams::make),
        Route::get("/agreements/teams/{team}", ReadTeams, members::page).about_nobody(),
        Route::post("/agreements/teams/{team}", KeepTeams, members::change),
        Route::post("/agreements/teams/{team}/members", KeepTeams, members::join),
        Route::post("/agreements/teams/{team}/leave", KeepTeams, members::leave),
        Route::post("/agreements/teams/{team}/pass-on", KeepTeams, members::pass_on),
        Route::get("/people/{id}/agreements/sign", KeepAgreements, sign::person),
        Route::post("/people/{id}/agreements/sign", KeepAgreements, signing::person),
        Route::get("/households/{id}/agreements/sign", KeepAgreements, sign::household),
        Route::post("/households/{id}/agreements/sign", KeepAgreements, signing::household),
        Route::get("/people/{id}/agreements/{agreement}", ReadAgreements, agreement::page),
        Route::post("/people/{id}/agreements/{agreement}/done", KeepAgreements, agreement::done),
        Route::post("/people/{id}/agreements/{agreement}/end", KeepAgreements, agreement::end),
        Route::post("/people/{id}/agreements/{agreement}/pass-on", KeepAgreements, agreement::pass_on),
        Route::post("/people/{id}/agreements/{agreement}/correct", KeepAgreements, agreement::correct),
        Route::get("/people/{id}/agreements/{agreement}/print", ReadAgreements, print::page),
        Route::get("/people/{id}/agreements/{agreement}/paper", ReadAgreements, print::paper),
        Route::post("/people/{id}/agreements/undo/{fact}", KeepAgreements, agreement::undo),
        Route::get("/people/{id}/care-plan", ReadAgreements, plan::page),
        Route::post("/people/{id}/care-plan", KeepAgreements, plan::keep),
        Route::get("/people/{id}/care-plan/print", ReadAgreements, plan::print),
    ]
}

/// A person with what is known of their agreements, as far as the reader may see it.
pub(crate) struct Known {
    pub(crate) person: Person,
    pub(crate) folder: Folder,
    pub(crate) care: Care,
    /// Whether the reader may be told of level 5.
    pub(crate) secret: bool,
    /// Whether the reader may write.
    pub(crate) may_write: bool,
}

/// The person, whoever reaches them by place or by a team.
async fn known(visit: &Visit, id: Uuid) -> Result<Known, Failure> {
    let (actor, now) = (visit.actor.clone(), visit.app.clock.now());
    let read = move |tx: &mut Transaction<'_>| {
        let Some(person) = find_person(tx, Id::from_uuid(id))? else { return Ok(None) };
        let whom = (id, person.home);
        if reach_of_person(tx, &actor, ReadAgreements, whom, now)?.is_none() {
            return Ok(None);
        }
        let record = reach_of_person(tx, &actor, Purpose::ReadRecord, whom, now)?;
        let secret = record.is_some_and(|record| record.diagnoses() && record.sensitive());
        let may_write = reach_of_person(tx, &actor, KeepAgreements, whom, now)?.is_some();
        let (folder, care) = (store::folder_of(tx, id)?, store::care_of(tx, id)?);
        Ok::<_, DatabaseError>(Some(Known { person, folder, care, secret, may_write }))
    };
    visit.app.database.read(read).await?.ok_or(Failure::NotFound)
}

/// The team of this name, whatever its place.
async fn team_of(visit: &Visit, id: Uuid) -> Result<Option<Team>, Failure> {
    Ok(visit.app.database.read(move |tx| store::team(tx, id)).await?)
}

/// The person whose agreements `actor` may keep, by place or because they were handed over.
fn person_within(
    tx: &mut Transaction<'_>,
    actor: &Actor,
    id: Uuid,
    now: Moment,
) -> Result<Option<Person>, DatabaseError> {
    let Some(person) = find_person(tx, Id::from_uuid(id))? else { return Ok(None) };
    let may = reach_of_person(tx, actor, KeepAgreements, (id, person.home), now)?;
    Ok(may.map(|_| person))
}

/// The teams that can sign with a person: those of the place that serves them, and those of home.
fn teams_for(tx: &mut Transaction<'_>, person: &Person, now: Moment) -> Result<Vec<Team>, DatabaseError> {
    let mut teams = match serving_place(tx, person.id.uuid(), now)? {
        Some(place) => store::teams_at(tx, place)?,
        None => Vec::new(),
    };
    for team in store::teams_at(tx, person.home)? {
        if teams.iter().all(|known| known.kept.team != team.kept.team) {
            teams.push(team);
        }
    }
    Ok(teams)
}

fn hand_of(visit: &Visit) -> Hand {
    Hand { author: visit.actor.account.uuid(), by: visit.actor.name.clone(), now: visit.app.clock.now() }
}

/// Lets `work` write in the folder of a person within reach.
async fn transact<T: Send + 'static>(
    visit: &Visit,
    person: Uuid,
    work: impl FnOnce(&mut Writing<'_>, &Hand) -> Result<Result<T, Refusal>, DatabaseError> + Send + 'static,
) -> Result<Result<T, Refusal>, Failure> {
    let (app, actor, hand) = (visit.app.clone(), visit.actor.clone(), hand_of(visit));
    let done = visit.app.database.write(move |tx| {
        let Some(person) = person_within(tx, &actor, person, hand.now)? else { return Ok(None) };
        write(tx, &app, &person, &hand, |writing| work(writing, &hand)).map(Some)
    });
    done.await?.ok_or(Failure::NotFound)
}

/// Notes that somebody read about a person.
async fn note(visit: &Visit, subject: Uuid, place: DivisionCode) -> Result<(), DatabaseError> {
    note_as(visit, "read_person", subject, place).await
}

/// The same with what was done.
async fn note_as(
    visit: &Visit,
    action: &'static str,
    subject: Uuid,
    place: DivisionCode,
) -> Result<(), DatabaseError> {
    let (id, now, actor) = (visit.app.mint(), visit.app.clock.now(), visit.actor.clone());
    let write =
        move |tx: &mut Transaction<'_>| audit(tx, id, now, &actor, action, Some(subject), place, "", "done");
    visit.app.database.write(write).await
}
