//! The pages of this programme: lists of referrals and of visits that came to one; referring up and down; one referral.

mod list;
mod one;
mod open;
mod print;
mod visits;

use kangmai_access::{Actor, Purpose, Reach, RelationKind, audit, reach, reach_of_person, relations_of};
use kangmai_base::{DivisionCode, Id, Moment, Refusal, Uuid};
use kangmai_database::{DatabaseError, Transaction};
use kangmai_people::{Person, find_person};
use kangmai_places::InstitutionTier;
use kangmai_programme::{Route, Visit};
use kangmai_web::Failure;

use crate::act::{Hand, Writing, write};
use crate::facts::{Direction, Party};
use crate::folder::{Folder, Referral};
use crate::rules::Sides;
use crate::store;
use crate::visits::Visits;

use Purpose::{KeepReferrals, ReadReferrals, RecordVisits};

pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::get("/referrals", ReadReferrals, list::page),
        Route::get("/referrals/visits", ReadReferrals, visits::page),
        Route::get("/people/{id}/referrals/up", KeepReferrals, open::up),
        Route::post("/people/{id}/referrals/up", KeepReferrals, open::send_up),
        Route::get("/people/{id}/referrals/down", KeepReferrals, open::down),
        Route::post("/people/{id}/referrals/down", KeepReferrals, open::send_down),
        Route::get("/people/{id}/referrals/visits/{visit}", RecordVisits, visits::waiving),
        Route::post("/people/{id}/referrals/visits/{visit}", RecordVisits, visits::waive),
        Route::get("/people/{id}/referrals/{referral}", ReadReferrals, one::page),
        Route::post("/people/{id}/referrals/{referral}/accept", KeepReferrals, one::accept),
        Route::post("/people/{id}/referrals/{referral}/refuse", KeepReferrals, one::refuse),
        Route::post("/people/{id}/referrals/{referral}/arrival", KeepReferrals, one::arrive),
        Route::post("/people/{id}/referrals/{referral}/end", KeepReferrals, one::end),
        Route::get("/people/{id}/referrals/{referral}/print", ReadReferrals, print::page),
        Route::post("/people/{id}/referrals/undo/{fact}", KeepReferrals, one::undo),
    ]
}

/// What somebody is to a person and their referrals.
#[derive(Debug, Clone)]
pub(crate) struct Standing {
    actor: Actor,
    /// Finds the person's page.
    pub(crate) finds: bool,
    /// Reads all referrals of the person: by place, or by a relation that holds. A hospital's desk does not.
    pub(crate) reads: bool,
    /// Refers the person: by place, or by a relation that holds.
    pub(crate) keeps: bool,
    /// Whoever they work for was asked, and the term is not over.
    pub(crate) asked: bool,
    /// Refers them for the village and the township where they are at home.
    pub(crate) near: bool,
    /// May be told of level 5.
    pub(crate) secret: bool,
}

impl Standing {
    /// How `actor` stands to a person.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) fn of(
        tx: &mut Transaction<'_>,
        actor: &Actor,
        person: &Person,
        now: Moment,
    ) -> Result<Option<Standing>, DatabaseError> {
        let Some(own) = reach(actor, ReadReferrals) else { return Ok(None) };
        let whom = (person.id.uuid(), person.home);
        let reads = reach_of_person(tx, actor, ReadReferrals, whom, now)?;
        let keeps = reach_of_person(tx, actor, KeepReferrals, whom, now)?;
        let finds = reach_of_person(tx, actor, Purpose::FindPeople, whom, now)?;
        let related = relations_of(tx, actor, person.id.uuid(), now)?;
        let asked = related.contains(&RelationKind::Referral);
        let is_patient = asked || related.contains(&RelationKind::Treating);
        // A ward has somebody as a patient, and reads what it was sent or sends itself.
        let by_ward = reads.as_ref().is_some_and(|reads| reads.relation() == Some(RelationKind::Treating));
        // Near is who treats at home, or where the person lives and was handed over to.
        let near = |may: &Reach| may.relation().is_none_or(|kind| kind == RelationKind::Serving);
        let is_near = keeps.as_ref().is_some_and(near);
        Ok(Some(Standing {
            finds: finds.is_some(),
            reads: reads.is_some() && !by_ward && own.institution().is_none(),
            // A hospital refers its patients, not everybody of the county.
            keeps: keeps.is_some() && (own.institution().is_none() || is_patient),
            asked,
            near: is_near && own.institution().is_none(),
            secret: own.diagnoses() && own.sensitive(),
            actor: actor.clone(),
        }))
    }

    fn works_for(&self, party: &Party) -> bool {
        party.institution.is_some_and(|id| self.actor.post().works_for(id, party.tier, party.place))
    }

    fn may_write(&self) -> bool {
        reach(&self.actor, KeepReferrals).is_some()
    }

    /// On which sides of a referral they stand.
    pub(crate) fn sides(&self, one: &Referral) -> Sides {
        let body = one.body();
        let is_near = matches!(body.from.tier, InstitutionTier::Village | InstitutionTier::Township);
        let sends = match body.direction {
            // Whoever is near when it comes back decides, also when the person has moved meanwhile.
            Direction::Up if is_near => self.near,
            _ => self.works_for(&body.from),
        };
        Sides { sends: sends && self.may_write(), receives: self.works_for(&body.to) && self.may_write() }
    }

    /// Whether they find a referral. What tells a disease of level 5 is for who treats, and for those who were asked.
    pub(crate) fn sees(&self, one: &Referral) -> bool {
        let body = one.body();
        let receives = self.works_for(&body.to);
        let is_side = receives || self.sides(one).sends;
        if body.sensitive && !self.secret && !receives {
            return false;
        }
        is_side || self.reads
    }

    /// Whether they are told why: while it is open, or while they reach the person anyway.
    pub(crate) fn is_told(&self, one: &Referral) -> bool {
        let secret = self.secret || !one.body().sensitive;
        secret && (self.reads || self.holds(one) || self.sides(one).sends)
    }

    /// Whether they have somebody by this referral: it is open, and its term is not over.
    pub(crate) fn holds(&self, one: &Referral) -> bool {
        self.asked && self.sees(one) && one.is_open() && one.stage() != crate::folder::Stage::Refused
    }
}

/// A person with what is known of their referrals, as far as the reader may see it.
pub(crate) struct Known {
    pub(crate) person: Person,
    pub(crate) folder: Folder,
    pub(crate) visits: Visits,
    pub(crate) standing: Standing,
}

impl Known {
    /// The referral of this name, if the reader finds it.
    fn referral(&self, id: Uuid) -> Result<&Referral, Failure> {
        self.folder.referral(id).filter(|one| self.standing.sees(one)).ok_or(Failure::NotFound)
    }
}

/// The person with everything, whoever asks: the page asks what of it they may see.
async fn known(visit: &Visit, id: Uuid) -> Result<Known, Failure> {
    let (actor, now) = (visit.actor.clone(), visit.app.clock.now());
    let read = move |tx: &mut Transaction<'_>| {
        let Some(person) = find_person(tx, Id::from_uuid(id))? else { return Ok(None) };
        let Some(standing) = Standing::of(tx, &actor, &person, now)? else { return Ok(None) };
        let (folder, visits) = (store::folder_of(tx, id)?, store::visits_of(tx, id)?);
        Ok::<_, DatabaseError>(Some(Known { person, folder, visits, standing }))
    };
    visit.app.database.read(read).await?.ok_or(Failure::NotFound)
}

fn hand_of(visit: &Visit) -> Hand {
    Hand { author: visit.actor.account.uuid(), by: visit.actor.name.clone(), now: visit.app.clock.now() }
}

/// Lets `work` write in the folder of a person; it says what of it the writer may.
async fn transact<T: Send + 'static>(
    visit: &Visit,
    person: Uuid,
    work: impl FnOnce(&mut Writing<'_>, &Hand, &Standing) -> Result<Result<T, Refusal>, DatabaseError>
    + Send
    + 'static,
) -> Result<Result<T, Refusal>, Failure> {
    let (app, actor, hand) = (visit.app.clone(), visit.actor.clone(), hand_of(visit));
    let done = visit.app.database.write(move |tx| {
        let Some(person) = find_person(tx, Id::from_uuid(person))? else { return Ok(None) };
        let Some(standing) = Standing::of(tx, &actor, &person, hand.now)? else { return Ok(None) };
        write(tx, &app, &person, &hand, |writing| work(writing, &hand, &standing)).map(Some)
    });
    done.await?.ok_or(Failure::NotFound)
}

/// On which sides of a referral the writer stands; on none where there is no such referral.
fn sides_in(writing: &Writing<'_>, standing: &Standing, id: Option<Uuid>) -> Sides {
    let one = id.and_then(|id| writing.folder.referral(id));
    one.filter(|one| standing.sees(one)).map_or_else(Sides::default, |one| standing.sides(one))
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
