//! Writing down: decided from the folder and written in one transaction with the relations that follow, so that who was asked
//! reaches whom they were sent, for as long as they are, and nobody else.

use kangmai_access::{NewRelation, Related, RelationKind, end_relations_of_kind, relate};
use kangmai_base::{Day, Moment, Refusal, Uuid};
use kangmai_database::{DatabaseError, Transaction};
use kangmai_people::Person;
use kangmai_policy::{ReferralRules, Release};
use kangmai_programme::App;
use kangmai_record::{NewFact, Source, Subject};
use serde::Serialize;

use crate::facts::{
    ANSWERED, ARRIVED, Answered, Arrived, Direction, ENDED, EndReason, Ended, OPENED, Opened, Party, Summary,
    UNDONE, Undone, Urgency, WAIVED, Waived,
};
use crate::folder::{Event, Folder, Referral, What};
use crate::rules::{self, Act, Sides, check_day, check_reason};
use crate::store;
use crate::visits::Visits;

/// Who writes, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hand {
    /// The account.
    pub author: Uuid,
    /// By name.
    pub by: String,
    /// The present.
    pub now: Moment,
}

/// A referral as it is handed in; what the visit says is not asked again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// Which; minted with the form, so that a form sent twice is one referral.
    pub referral: Uuid,
    /// Which way.
    pub direction: Direction,
    /// On which day.
    pub on: Day,
    /// By whom.
    pub from: Party,
    /// To whom.
    pub to: Party,
    /// How much it presses.
    pub urgency: Urgency,
    /// The visit that came to it.
    pub visit: Option<Uuid>,
    /// Medicines, where no visit says them.
    pub medicines: String,
    /// In words.
    pub note: String,
    /// Of one downwards: what was found and done.
    pub summary: Option<Summary>,
    /// The referral that it sends back.
    pub sends_back: Option<Uuid>,
    /// The referral in whose place it stands.
    pub instead_of: Option<Uuid>,
    /// Whether who writes says that it tells a disease of level 5.
    pub sensitive: bool,
}

/// An answer as it is handed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Whether they take the person.
    pub accepted: bool,
    /// When the person is to come.
    pub come_on: Option<Day>,
    /// To which department.
    pub department: String,
    /// Of a refusal: why.
    pub note: String,
}

/// The folder of one person while somebody writes in it, and the facts that say so.
pub struct Writing<'a> {
    release: &'a Release,
    person: &'a Person,
    events: Vec<Event>,
    /// As it stands with what was written.
    pub folder: Folder,
    /// What follow-up says.
    pub visits: Visits,
    facts: Vec<NewFact>,
    mint: &'a dyn Fn() -> Uuid,
}

/// A rule says no, or the fact that was written.
type Written = Result<Result<Uuid, Refusal>, DatabaseError>;

impl<'a> Writing<'a> {
    /// Opens the folder of a person of whom the record has `events` and `visits`.
    pub fn new(
        release: &'a Release,
        person: &'a Person,
        (events, visits): (Vec<Event>, Visits),
        mint: &'a dyn Fn() -> Uuid,
    ) -> Writing<'a> {
        let folder = Folder::of(&events);
        Writing { release, person, events, folder, visits, facts: Vec::new(), mint }
    }

    /// What was written, to be kept.
    pub fn into_facts(self) -> Vec<NewFact> {
        self.facts
    }

    fn write(&mut self, hand: &Hand, (kind, on): (&str, Day), what: What) -> Result<Uuid, DatabaseError> {
        let id = (self.mint)();
        self.facts.push(NewFact {
            id,
            kind: kind.to_owned(),
            subject: Subject::person(self.person.id.uuid()),
            occurred_at: Moment::start_of(on),
            recorded_at: hand.now,
            place: self.person.home,
            author: hand.author,
            source: Source::Typed,
            corrects: None,
            body: match &what {
                What::Opened(body) => json(body)?,
                What::Answered(body) => json(body)?,
                What::Arrived(body) => json(body)?,
                What::Ended(body) => json(body)?,
                What::Waived(body) => json(body)?,
                What::Undone(body) => json(body)?,
            },
        });
        self.events.push(Event { id, author: hand.author, recorded_on: hand.now.day(), what });
        self.folder = Folder::of(&self.events);
        Ok(id)
    }

    /// The referral, where who writes may do `act` with it.
    fn for_act(&self, id: Uuid, act: Act, sides: Sides) -> Result<Referral, Refusal> {
        let one = self.folder.referral(id).ok_or_else(|| Refusal::new("referral.refused.not_there"))?;
        let may = rules::acts(one, sides, self.person.body.died_on.is_some()).contains(&act);
        if may { Ok(one.clone()) } else { Err(Refusal::new("referral.refused.stage")) }
    }

    /// What of a draft is refused.
    fn check(&self, draft: &Draft, hand: &Hand) -> Result<(), Refusal> {
        check_day(self.person, draft.on, (Day(0), hand.now.day())).map_err(|refusal| refusal.at("on"))?;
        if self.person.body.died_on.is_some() {
            return Err(Refusal::new("referral.refused.died"));
        }
        if self.release.referral(self.person.home, draft.on).is_none() {
            return Err(Refusal::new("referral.refused.no_rules"));
        }
        let Some(to) = draft.to.institution else {
            return Err(Refusal::new("referral.refused.no_institution").at("to"));
        };
        if draft.from.institution == Some(to) {
            return Err(Refusal::new("referral.refused.itself").at("to"));
        }
        if rules::already(&self.folder, to, draft.direction).is_some() {
            return Err(Refusal::new("referral.refused.already")
                .with("name", draft.to.name.clone())
                .at("to"));
        }
        match &draft.summary {
            Some(summary) => {
                let said =
                    [("diagnosis", &summary.diagnosis), ("done", &summary.done), ("advice", &summary.advice)];
                for (field, text) in said {
                    check_reason(text).map_err(|refusal| refusal.at(field))?;
                }
                if summary.next_visit_by.is_some_and(|by| by < draft.on) {
                    return Err(Refusal::new("referral.refused.next_visit").at("next_visit_by"));
                }
            }
            // One in the place of another says the same why.
            None if draft.visit.is_none() && !self.says_why(draft.instead_of) => {
                check_reason(&draft.note).map_err(|_| Refusal::new("referral.refused.why").at("note"))?;
            }
            None => {}
        }
        Ok(())
    }

    /// Whether the referral in whose place another stands says why.
    fn says_why(&self, earlier: Option<Uuid>) -> bool {
        let earlier = earlier.and_then(|id| self.folder.referral(id)).map(Referral::body);
        earlier.is_some_and(|body| !body.reasons.is_empty())
    }

    /// Refers somebody. The same referral again is no news.
    ///
    /// # Errors
    /// When a body cannot be written; the inner refusal when a rule says no.
    pub fn open(&mut self, hand: &Hand, draft: &Draft, sides: Sides) -> Written {
        if let Some(there) = self.folder.referral(draft.referral) {
            return Ok(Ok(there.opened.fact));
        }
        if draft.sends_back.is_some() && draft.instead_of.is_some() {
            return Ok(Err(Refusal::new("referral.refused.not_there")));
        }
        let earlier = [(draft.sends_back, Act::SendBack), (draft.instead_of, Act::SendOn)];
        let mut sensitive = draft.sensitive;
        for (id, act) in earlier.into_iter().filter_map(|(id, act)| Some((id?, act))) {
            match self.for_act(id, act, sides) {
                Ok(one) => sensitive |= one.body().sensitive,
                Err(refusal) => return Ok(Err(refusal)),
            }
        }
        if let Err(refusal) = self.check(draft, hand) {
            return Ok(Err(refusal));
        }
        let visit = draft.visit.and_then(|id| self.visits.visit(id));
        let before = draft.instead_of.and_then(|id| self.folder.referral(id)).map(|one| one.body().clone());
        let (reasons, medicines) = match (visit, before) {
            (Some(visit), _) => (visit.reasons(), visit.medicines.clone()),
            (None, Some(before)) => (before.reasons, before.medicines),
            (None, None) => (Vec::new(), String::new()),
        };
        sensitive |= reasons.iter().any(|reason| reason.sensitive);
        let body = Opened {
            referral: draft.referral,
            direction: draft.direction,
            on: draft.on,
            from: draft.from.clone(),
            to: draft.to.clone(),
            urgency: draft.urgency,
            visit: draft.visit,
            reasons,
            medicines: if draft.medicines.is_empty() { medicines } else { draft.medicines.clone() },
            note: draft.note.clone(),
            summary: draft.summary.clone(),
            sends_back: draft.sends_back,
            instead_of: draft.instead_of,
            by: hand.by.clone(),
            law: self.release.hash().to_owned(),
            sensitive,
        };
        self.write(hand, (OPENED, draft.on), What::Opened(Box::new(body))).map(Ok)
    }

    /// Accepts or refuses.
    ///
    /// # Errors
    /// As [`Writing::open`].
    pub fn answer(&mut self, hand: &Hand, id: Uuid, answer: &Answer, sides: Sides) -> Written {
        let one = match self.for_act(id, Act::Answer, sides) {
            Ok(one) => one,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let today = hand.now.day();
        if !answer.accepted
            && let Err(refusal) = check_reason(&answer.note)
        {
            return Ok(Err(refusal.at("refuse_note")));
        }
        if let Some(day) =
            answer.come_on.filter(|day| *day < today || *day > today.plus_days(rules::MOST_DAYS_AFTER))
        {
            let refusal = Refusal::new("referral.refused.come_on").with("day", day.to_string());
            return Ok(Err(refusal.at("come_on")));
        }
        let body = Answered {
            referral: id,
            accepted: answer.accepted,
            on: today,
            come_on: answer.come_on,
            department: answer.department.clone(),
            note: answer.note.clone(),
            by: hand.by.clone(),
            sensitive: one.body().sensitive,
        };
        self.write(hand, (ANSWERED, today), What::Answered(body)).map(Ok)
    }

    /// Writes down that the person came, or that they did not.
    ///
    /// # Errors
    /// As [`Writing::open`].
    pub fn arrive(
        &mut self,
        hand: &Hand,
        id: Uuid,
        (came, on, note): (bool, Day, String),
        sides: Sides,
    ) -> Written {
        let one = match self.for_act(id, Act::Arrive, sides) {
            Ok(one) => one,
            Err(refusal) => return Ok(Err(refusal)),
        };
        if let Err(refusal) = check_day(self.person, on, (one.body().on, hand.now.day())) {
            return Ok(Err(refusal.at("arrived_on")));
        }
        let body =
            Arrived { referral: id, came, on, note, by: hand.by.clone(), sensitive: one.body().sensitive };
        self.write(hand, (ARRIVED, on), What::Arrived(body)).map(Ok)
    }

    /// Ends a referral.
    ///
    /// # Errors
    /// As [`Writing::open`].
    pub fn end(
        &mut self,
        hand: &Hand,
        id: Uuid,
        (reason, note): (EndReason, String),
        sides: Sides,
    ) -> Written {
        let one = match self.for_act(id, Act::End, sides) {
            Ok(one) => one,
            Err(refusal) => return Ok(Err(refusal)),
        };
        if !rules::end_reasons(&one, sides, self.person.body.died_on.is_some()).contains(&reason) {
            return Ok(Err(Refusal::new("referral.refused.stage").at("end_reason")));
        }
        if let Err(refusal) = check_reason(&note) {
            return Ok(Err(refusal.at("end_note")));
        }
        let on = hand.now.day();
        let by = hand.by.clone();
        let body = Ended { referral: id, on, reason, note, by, sensitive: one.body().sensitive };
        self.write(hand, (ENDED, on), What::Ended(body)).map(Ok)
    }

    /// Writes down why a visit that came to a referral needs none.
    ///
    /// # Errors
    /// As [`Writing::open`].
    pub fn waive(&mut self, hand: &Hand, visit: Uuid, (reason, note): (EndReason, String)) -> Written {
        let Some(found) = self.visits.visit(visit).filter(|visit| visit.urgency().is_some()) else {
            return Ok(Err(Refusal::new("referral.refused.not_there")));
        };
        if rules::handled(found, &self.visits, &self.folder) != rules::Handled::Open {
            return Ok(Err(Refusal::new("referral.refused.handled")));
        }
        if !rules::WAIVING.contains(&reason) {
            return Ok(Err(Refusal::new("web.form.not_a_choice").at("waive_reason")));
        }
        if let Err(refusal) = check_reason(&note) {
            return Ok(Err(refusal.at("waive_note")));
        }
        let on = hand.now.day();
        let body = Waived { visit, on, reason, note, by: hand.by.clone(), sensitive: found.is_sensitive() };
        self.write(hand, (WAIVED, on), What::Waived(body)).map(Ok)
    }

    /// Takes back what the same account wrote down on the same day, while nothing rests on it.
    ///
    /// # Errors
    /// As [`Writing::open`].
    pub fn undo(&mut self, hand: &Hand, fact: Uuid) -> Written {
        let event = self.events.iter().find(|event| event.id == fact).cloned();
        let undone =
            self.events.iter().any(|event| matches!(&event.what, What::Undone(body) if body.fact == fact));
        let Some(event) = event.filter(|event| !undone && !matches!(event.what, What::Undone(_))) else {
            return Ok(Err(Refusal::new("referral.refused.undo")));
        };
        let is_own = event.author == hand.author && event.recorded_on == hand.now.day();
        if !is_own || !self.is_last(&event) {
            return Ok(Err(Refusal::new("referral.refused.undo")));
        }
        let on = hand.now.day();
        let body = Undone { fact, on, by: hand.by.clone(), sensitive: event.what.is_sensitive() };
        self.write(hand, (UNDONE, on), What::Undone(body)).map(Ok)
    }

    /// Whether nothing was written later that rests on it.
    fn is_last(&self, event: &Event) -> bool {
        let of = |id: Uuid| self.folder.referral(id);
        match &event.what {
            What::Opened(body) => of(body.referral).is_some_and(|one| {
                one.answered.is_none()
                    && one.arrived.is_none()
                    && one.ended.is_none()
                    && one.sent_on.is_none()
                    && one.sent_back.is_none()
            }),
            What::Answered(body) => of(body.referral)
                .is_some_and(|one| one.arrived.is_none() && one.ended.is_none() && one.sent_on.is_none()),
            What::Arrived(body) => of(body.referral)
                .is_some_and(|one| one.ended.is_none() && one.sent_on.is_none() && one.sent_back.is_none()),
            What::Ended(_) | What::Waived(_) => true,
            What::Undone(_) => false,
        }
    }
}

fn json(body: &impl Serialize) -> Result<String, DatabaseError> {
    serde_json::to_string(body).map_err(|error| DatabaseError::Refused(error.to_string()))
}

/// Lets `work` write in the folder of `person` and keeps what it wrote, all or nothing, with what institutions reach by it.
///
/// # Errors
/// When the database fails.
pub fn write<T>(
    tx: &mut Transaction<'_>,
    app: &App,
    person: &Person,
    hand: &Hand,
    work: impl FnOnce(&mut Writing<'_>) -> Result<Result<T, Refusal>, DatabaseError>,
) -> Result<Result<T, Refusal>, DatabaseError> {
    // Two that write at once must see each other: nobody is sent twice to one place.
    tx.lock("referral.folder")?;
    let id = person.id.uuid();
    let known = (store::events_of(tx, id)?, store::visits_of(tx, id)?);
    let mint = || app.mint();
    let mut writing = Writing::new(&app.policies, person, known, &mint);
    let before = writing.folder.clone();
    let done = match work(&mut writing)? {
        Ok(done) => done,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let after = writing.folder.clone();
    app.record.keep(tx, hand.now, writing.into_facts())?;
    renew_reach(tx, app, person, (&before, &after), hand.now)?;
    Ok(Ok(done))
}

/// Gives those who were asked reach for the person, and ends at once what no longer holds.
///
/// # Errors
/// When the database fails.
pub fn renew_reach(
    tx: &mut Transaction<'_>,
    app: &App,
    person: &Person,
    (before, after): (&Folder, &Folder),
    now: Moment,
) -> Result<(), DatabaseError> {
    for gone in before.referrals.iter().filter(|one| after.referral(one.id()).is_none()) {
        // The form names the referral: it ends no relation of another kind that bears the same name.
        end_relations_of_kind(tx, (gone.id(), RelationKind::Referral), now)?;
    }
    for one in after.referrals.iter().filter(|one| before.referral(one.id()) != Some(one)) {
        end_relations_of_kind(tx, (one.id(), RelationKind::Referral), now)?;
        let rules: Option<&ReferralRules> = app.policies.referral(person.home, one.body().on);
        let until = rules.and_then(|rules| rules::reaches_until(one, rules));
        let Some((until, institution)) = until.zip(one.body().to.institution) else { continue };
        if until < now.day() {
            continue;
        }
        let relation = NewRelation {
            id: app.mint(),
            person: person.id.uuid(),
            kind: RelationKind::Referral,
            whose: Related::Institution(institution),
            from: now,
            until: Moment::start_of(until.plus_days(1)),
            source: one.id(),
        };
        relate(tx, &relation)?;
    }
    Ok(())
}
