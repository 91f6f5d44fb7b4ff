//! Writing down: decided from the chart and written in one transaction, so that what follows of a visit always fits the
//! visits before it.

use std::collections::BTreeMap;

use kangmai_base::{Day, Moment, Refusal, Uuid};
use kangmai_database::{DatabaseError, Transaction};
use kangmai_people::Person;
use kangmai_policy::Release;
use kangmai_policy::follow_up::{Anchor, Answers, FollowUpRules};
use kangmai_programme::App;
use kangmai_record::{NewFact, Source, Subject};
use serde::Serialize;

use crate::chart::{Chart, Event, Managed, What};
use crate::facts::{
    Basis, CLASSIFIED, CLOSED, Classified, CloseReason, Closed, DueWhy, ENROLLED, Enrolled, Found, HAPPENED,
    Happened, Happening, MISSED, Missed, Opinion, Outcome, REPORTED, Reported, UNDONE, Undone, VISITED,
    Visited, Way,
};
use crate::rules::{self, Beginning, Ill, Judged, SECRET_LEVEL, Who};
use crate::store;

/// Who writes, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hand {
    /// The account.
    pub author: Uuid,
    /// By name.
    pub by: String,
    /// The present.
    pub now: Moment,
    /// The clock of whoever wrote it down, when they did: the present, but for what a phone hands in later.
    pub recorded_at: Moment,
}

/// A visit as it is handed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// Which visit; minted with the form, so that a form sent twice is one visit.
    pub visit: Uuid,
    /// On which day.
    pub on: Day,
    /// How.
    pub way: Way,
    /// What was answered.
    pub answers: BTreeMap<String, Vec<String>>,
    /// The visits with a time of their own that it was.
    pub windows: Vec<String>,
    /// In which programmes it was.
    pub programmes: Vec<String>,
    /// The day agreed on for the next one.
    pub agreed_on: Option<Day>,
    /// In words.
    pub note: String,
    /// What the patient said of the follow-up, if they were asked.
    pub opinion: Option<Opinion>,
    /// Of one that puts another right: why.
    pub reason: String,
}

/// The chart of one person while somebody writes in it, and the facts that say so.
pub struct Writing<'a> {
    release: &'a Release,
    person: &'a Person,
    who: Who,
    events: Vec<Event>,
    /// As it stands with what was written.
    pub chart: Chart,
    facts: Vec<NewFact>,
    next_fact: Option<Uuid>,
    mint: &'a dyn Fn() -> Uuid,
}

impl<'a> Writing<'a> {
    /// Opens the chart of a person of whom the record has `events`.
    pub fn new(
        release: &'a Release,
        person: &'a Person,
        events: Vec<Event>,
        mint: &'a dyn Fn() -> Uuid,
    ) -> Writing<'a> {
        let who = Who { birth: person.body.birth, sex: person.body.sex };
        let chart = Chart::of(&events);
        Writing { release, person, who, events, chart, facts: Vec::new(), next_fact: None, mint }
    }

    /// The next thing that somebody writes has this identifier: a phone has minted it.
    pub fn next_fact(&mut self, id: Uuid) {
        self.next_fact = Some(id);
    }

    /// Whether the chart rests on this fact already.
    pub fn knows(&self, fact: Uuid) -> bool {
        self.events.iter().any(|event| event.id == fact)
    }

    /// What the record has, with what was written.
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// What was written, to be kept.
    pub fn into_facts(self) -> Vec<NewFact> {
        self.facts
    }

    fn rules(&self, programme: &str, on: Day) -> Option<&'a FollowUpRules> {
        self.release.follow_up(programme, self.person.home, on)
    }

    fn write(
        &mut self,
        hand: &Hand,
        (kind, on, corrects): (&str, Day, Option<Uuid>),
        what: What,
    ) -> Result<Uuid, DatabaseError> {
        let is_derived = match &what {
            What::Classified(_) => true,
            What::Enrolled(body) => body.basis != Basis::Hand,
            What::Closed(body) => body.by.is_empty(),
            What::Happened(body) => body.by.is_empty(),
            _ => false,
        };
        let minted = if is_derived { None } else { self.next_fact.take() };
        let id = minted.unwrap_or_else(|| (self.mint)());
        let author = if is_derived { Uuid::nil() } else { hand.author };
        self.facts.push(NewFact {
            id,
            kind: kind.to_owned(),
            subject: Subject::person(self.person.id.uuid()),
            occurred_at: Moment::start_of(on),
            recorded_at: if is_derived { hand.now } else { hand.recorded_at },
            place: self.person.home,
            author,
            source: if is_derived { Source::Derived } else { Source::Typed },
            corrects,
            body: match &what {
                What::Enrolled(body) => json(body)?,
                What::Closed(body) => json(body)?,
                What::Visited(body) => json(body)?,
                What::Classified(body) => json(body)?,
                What::Missed(body) => json(body)?,
                What::Undone(body) => json(body)?,
                What::Happened(body) => json(body)?,
                What::Reported(body) => json(body)?,
            },
        });
        let recorded_on = if is_derived { hand.now } else { hand.recorded_at }.day();
        let event = Event { id, author, recorded_on, what };
        let takes_back = matches!(event.what, What::Undone(_));
        if !takes_back {
            self.chart.add(&event);
        }
        self.events.push(event);
        if takes_back {
            self.chart = Chart::of(&self.events);
        }
        Ok(id)
    }

    /// Ends what rested on a diagnosis that no longer holds on `on`, such as one that was withdrawn, or on an age that is past; and
    /// what is over: a mother had all visits after delivery.
    ///
    /// # Errors
    /// When a body cannot be written.
    pub fn close_who_no_longer_belongs(
        &mut self,
        hand: &Hand,
        ill: &[Ill],
        on: Day,
    ) -> Result<usize, DatabaseError> {
        let why = |one: &Managed| {
            let rules = self.rules(&one.body.programme, on)?;
            let belongs = || rules::belongs(rules, &self.who, ill, on).is_some();
            let rests_on_age = rules.belongs.icd10.is_empty() && rules.belongs.since.is_none();
            match one.body.basis {
                Basis::Diagnosis if !belongs() => Some(CloseReason::NotIll),
                Basis::Age | Basis::Hand if rests_on_age && !belongs() => Some(CloseReason::Completed),
                Basis::Hand if one.has(Happening::Delivery) && self.chart.standing(one).due.is_empty() => {
                    Some(CloseReason::Completed)
                }
                _ => None,
            }
        };
        let open = self.chart.open().filter_map(|one| Some((one.body.clone(), why(one)?)));
        let ended: Vec<(Enrolled, CloseReason)> = open.collect();
        for (body, reason) in &ended {
            let body = Closed {
                enrolment: body.enrolment,
                programme: body.programme.clone(),
                on,
                reason: *reason,
                note: String::new(),
                by: String::new(),
                sensitive: body.sensitive,
            };
            self.write(hand, (CLOSED, on, None), What::Closed(body))?;
        }
        Ok(ended.len())
    }

    /// Takes the person into every programme to which they belong on `on` and out of which nobody took them.
    ///
    /// # Errors
    /// When a body cannot be written.
    pub fn enrol_who_belongs(&mut self, hand: &Hand, ill: &[Ill], on: Day) -> Result<usize, DatabaseError> {
        let mut enrolled = 0;
        for rules in self.release.follow_ups(self.person.home, on) {
            let is_known = |one: &Managed| {
                one.body.programme == rules.programme && !(one.closed.is_some() && one.may_return)
            };
            if self.chart.managed.iter().any(is_known) {
                continue;
            }
            let Some(why) = rules::belongs(rules, &self.who, ill, on) else { continue };
            let ids = ((self.mint)(), self.release.hash());
            let body = rules::enrolled(rules, &self.who, ids, Beginning::on(on), why);
            self.write(hand, (ENROLLED, on, None), What::Enrolled(body))?;
            enrolled += 1;
        }
        Ok(enrolled)
    }

    /// Takes the person into `programme` by hand.
    ///
    /// # Errors
    /// When a body cannot be written; the inner refusal when a rule says no.
    pub fn enrol(
        &mut self,
        hand: &Hand,
        programme: &str,
        beginning: Beginning,
        (reason, ill): (String, &[Ill]),
    ) -> Result<Result<Uuid, Refusal>, DatabaseError> {
        let on = beginning.on;
        let Some(rules) = self.rules(programme, on) else {
            return Ok(Err(Refusal::new("follow_up.refused.no_rules").at("programme")));
        };
        let days = [("on", Some(on)), ("noticed_on", beginning.noticed_on), ("began_on", beginning.began_on)];
        for (field, day) in days {
            if let Some(Err(refusal)) = day.map(|day| self.check_day(day, hand.now.day())) {
                return Ok(Err(refusal.at(field)));
            }
        }
        let since = rules.belongs.since;
        let fits = rules.belongs(&[], self.who.age_on(on), self.who.sex, since.as_slice());
        // A diagnosis is the doctor's to make; an age and a sex are not.
        if rules.belongs.icd10.is_empty() && !fits {
            return Ok(Err(Refusal::new("follow_up.refused.not_for_them").at("programme")));
        }
        let is_pregnancy = since == Some(Anchor::Pregnancy);
        if is_pregnancy && beginning.began_on.is_none_or(|began| began > on) {
            return Ok(Err(Refusal::new("follow_up.refused.began_on").at("began_on")));
        }
        let beginning = Beginning { began_on: beginning.began_on.filter(|_| is_pregnancy), ..beginning };
        if self.chart.open_in(programme).is_some() {
            return Ok(Err(Refusal::new("follow_up.refused.managed").at("programme")));
        }
        let known = rules::belongs(rules, &self.who, ill, on).map(|(_, sensitive)| sensitive);
        let sensitive = rules.sensitive >= SECRET_LEVEL || known == Some(true);
        let ids = ((self.mint)(), self.release.hash());
        let body = rules::enrolled(rules, &self.who, ids, beginning, (Basis::Hand, sensitive));
        let body = Enrolled { reason, by: hand.by.clone(), ..body };
        self.write(hand, (ENROLLED, on, None), What::Enrolled(body)).map(Ok)
    }

    /// Writes down that something happened from which visits count, or puts its day right.
    ///
    /// # Errors
    /// As [`Writing::enrol`].
    pub fn happened(
        &mut self,
        hand: &Hand,
        programme: &str,
        (what, on): (Happening, Day),
    ) -> Result<Result<Uuid, Refusal>, DatabaseError> {
        if let Err(refusal) = self.check_day(on, hand.now.day()) {
            return Ok(Err(refusal.at("happened_on")));
        }
        let open = self.chart.open_in(programme).zip(self.rules(programme, on));
        let Some((open, rules)) = open else {
            return Ok(Err(Refusal::new("follow_up.refused.not_managed").at("what")));
        };
        if !rules::may_happen(rules).contains(&what) {
            return Ok(Err(Refusal::new("follow_up.refused.not_for_them").at("what")));
        }
        let earliest = match what {
            Happening::Delivery => open.body.began_on,
            Happening::Discharge if open.body.began_on.is_some() => {
                let delivery = open.happened.iter().find(|one| one.what == Happening::Delivery);
                let Some(delivery) = delivery else {
                    return Ok(Err(Refusal::new("follow_up.refused.not_delivered").at("what")));
                };
                Some(delivery.on)
            }
            Happening::Discharge => None,
        };
        if let Some(earliest) = earliest.filter(|earliest| on < *earliest) {
            let refusal = Refusal::new("follow_up.refused.happened_before").with("day", earliest.to_string());
            return Ok(Err(refusal.at("happened_on")));
        }
        let home = open.happened.iter().find(|one| one.what == Happening::Discharge);
        if let Some(home) = home.filter(|home| what == Happening::Delivery && home.on < on) {
            let refusal = Refusal::new("follow_up.refused.happened_after").with("day", home.on.to_string());
            return Ok(Err(refusal.at("happened_on")));
        }
        if open.happened.iter().any(|one| one.what == what && one.on == on) {
            return Ok(Err(Refusal::new("follow_up.refused.same").at("happened_on")));
        }
        let mut body = Happened {
            enrolment: open.body.enrolment,
            programme: programme.to_owned(),
            what,
            on,
            due: Vec::new(),
            by: hand.by.clone(),
            law: self.release.hash().to_owned(),
            sensitive: open.body.sensitive,
        };
        let mut managed = open.clone();
        managed.take_happened(&body);
        body.due = rules::due_after(rules, &self.chart, &managed, &self.who, &body);
        let fact = self.write(hand, (HAPPENED, on, None), What::Happened(body))?;
        self.work_out_again(hand, on.plus_days(-1))?;
        Ok(Ok(fact))
    }

    /// Writes down that who is not seen was reported upwards.
    ///
    /// # Errors
    /// As [`Writing::enrol`].
    pub fn report(
        &mut self,
        hand: &Hand,
        programme: &str,
        (on, to): (Day, String),
    ) -> Result<Result<Uuid, Refusal>, DatabaseError> {
        if let Err(refusal) = self.check_day(on, hand.now.day()) {
            return Ok(Err(refusal.at("reported_on")));
        }
        let open = self.chart.open_in(programme).zip(self.rules(programme, hand.now.day()));
        let waits = open.filter(|(open, rules)| rules::to_report(rules, &self.chart, open).is_some());
        let Some((open, _)) = waits else {
            return Ok(Err(Refusal::new("follow_up.refused.no_report").at("reported")));
        };
        let body = Reported {
            enrolment: open.body.enrolment,
            programme: programme.to_owned(),
            on,
            to,
            by: hand.by.clone(),
            sensitive: open.body.sensitive,
        };
        self.write(hand, (REPORTED, on, None), What::Reported(body)).map(Ok)
    }

    /// Ends the management in `programme`.
    ///
    /// # Errors
    /// As [`Writing::enrol`].
    pub fn close(
        &mut self,
        hand: &Hand,
        programme: &str,
        (on, reason): (Day, CloseReason),
        note: String,
    ) -> Result<Result<Uuid, Refusal>, DatabaseError> {
        if let Err(refusal) = self.check_day(on, hand.now.day()) {
            return Ok(Err(refusal.at("on")));
        }
        let Some(open) = self.chart.open_in(programme) else {
            return Ok(Err(Refusal::new("follow_up.refused.not_managed").at("programme")));
        };
        let body = Closed {
            enrolment: open.body.enrolment,
            programme: programme.to_owned(),
            on,
            reason,
            note,
            by: hand.by.clone(),
            sensitive: open.body.sensitive,
        };
        self.write(hand, (CLOSED, on, None), What::Closed(body)).map(Ok)
    }

    /// Whether anything can have happened to this person on `on`.
    fn check_day(&self, on: Day, today: Day) -> Result<(), Refusal> {
        if on > today {
            return Err(Refusal::new("follow_up.refused.future"));
        }
        if let Some(birth) = self.person.body.birth.filter(|birth| on < *birth) {
            return Err(Refusal::new("follow_up.refused.before_birth").with("day", birth.to_string()));
        }
        if let Some(died_on) = self.person.body.died_on.filter(|died_on| on > *died_on) {
            return Err(Refusal::new("follow_up.refused.after_death").with("day", died_on.to_string()));
        }
        Ok(())
    }

    /// What a visit comes to, by programme.
    fn judge(&self, draft: &Draft) -> Vec<Found> {
        let of = |programme: &String| {
            let (rules, managed) = (self.rules(programme, draft.on)?, self.chart.open_in(programme)?);
            let answers: Answers = rules::read_answers([rules], &draft.answers);
            let judged = Judged { on: draft.on, way: draft.way, answers: &answers, windows: &draft.windows };
            Some(rules::found(rules, managed, &self.chart, &self.who, judged))
        };
        draft.programmes.iter().filter_map(of).collect()
    }

    /// Writes a visit down, or puts one right, and works the visits after it out again. The same visit as it stands is no
    /// news.
    ///
    /// # Errors
    /// As [`Writing::enrol`].
    pub fn visit(
        &mut self,
        hand: &Hand,
        draft: &Draft,
    ) -> Result<Result<Option<Uuid>, Refusal>, DatabaseError> {
        if let Err(refusal) = self.check_day(draft.on, hand.now.day()) {
            return Ok(Err(refusal.at("on")));
        }
        if let Err(refusal) = rules::check_opinion(draft.opinion.as_ref()) {
            return Ok(Err(refusal));
        }
        let there = self.chart.visit(draft.visit).map(|visit| (visit.fact, visit.body.clone()));
        let is_new = draft.reason.is_empty();
        if is_new && there.is_some() {
            return Ok(Ok(None));
        }
        let others = self.chart.visits.iter().filter(|visit| visit.body.visit != draft.visit);
        if others.into_iter().any(|visit| visit.body.on == draft.on) {
            let refusal = Refusal::new("follow_up.refused.twice").with("day", draft.on.to_string());
            return Ok(Err(refusal.at("on")));
        }
        let mut found = self.judge(draft);
        // A programme whose questions are not all answered has its old day still: it does not bound the next.
        let judged = found.iter().filter(|found| found.state.is_some());
        let visits = judged.flat_map(|found| &found.due).filter(|due| due.why != DueWhy::Window);
        let latest = visits.map(|due| due.until).min();
        let before = there.as_ref().map(|(_, before)| before);
        if let Some(before) = before {
            keep_what_ended(&mut found, &before.found);
        }
        if found.is_empty() {
            return Ok(Err(Refusal::new("follow_up.refused.nothing")));
        }
        let from = before.map_or(draft.on, |before| before.on.min(draft.on));
        if let Some(agreed) = draft.agreed_on {
            let late = latest.filter(|latest| agreed > *latest);
            if agreed <= draft.on {
                return Ok(Err(Refusal::new("follow_up.refused.agreed_before").at("agreed_on")));
            }
            if let Some(latest) = late {
                let refusal = Refusal::new("follow_up.refused.agreed_late").with("day", latest.to_string());
                return Ok(Err(refusal.at("agreed_on")));
            }
        }
        let body = Visited {
            visit: draft.visit,
            on: draft.on,
            way: draft.way,
            answers: draft.answers.clone(),
            windows: draft.windows.clone(),
            sensitive: found.iter().any(|found| found.sensitive)
                || before.is_some_and(|before| before.sensitive),
            found,
            agreed_on: draft.agreed_on,
            note: draft.note.clone(),
            opinion: draft.opinion.clone(),
            reason: draft.reason.clone(),
            by: hand.by.clone(),
            law: self.release.hash().to_owned(),
        };
        let corrects = there.as_ref().map(|(fact, _)| *fact);
        if there.is_some_and(|(_, before)| same(&before, &body)) {
            return Ok(Err(Refusal::new("follow_up.refused.same")));
        }
        let fact = self.write(hand, (VISITED, draft.on, corrects), What::Visited(body))?;
        self.work_out_again(hand, from)?;
        Ok(Ok(Some(fact)))
    }

    /// Writes down that nobody was seen.
    ///
    /// # Errors
    /// As [`Writing::enrol`].
    pub fn missed(
        &mut self,
        hand: &Hand,
        outcome: Outcome,
        (on, again_on): (Day, Option<Day>),
    ) -> Result<Result<Uuid, Refusal>, DatabaseError> {
        if let Err(refusal) = self.check_day(on, hand.now.day()) {
            return Ok(Err(refusal.at("missed_on")));
        }
        if outcome == Outcome::PutOff && again_on.is_none() {
            return Ok(Err(Refusal::new("follow_up.refused.again").at("again_on")));
        }
        if again_on.is_some_and(|again| again <= on) {
            return Ok(Err(Refusal::new("follow_up.refused.agreed_before").at("again_on")));
        }
        if self.chart.missed.iter().any(|one| one.body.on == on && one.body.outcome == outcome) {
            return Ok(Err(Refusal::new("follow_up.refused.missed_twice").at("missed_on")));
        }
        if self.chart.open().next().is_none() {
            return Ok(Err(Refusal::new("follow_up.refused.nothing")));
        }
        let sensitive = self.chart.open().all(|one| one.body.sensitive);
        let body = Missed { on, outcome, again_on, by: hand.by.clone(), sensitive };
        self.write(hand, (MISSED, on, None), What::Missed(body)).map(Ok)
    }

    /// Takes back what `hand` wrote today.
    ///
    /// # Errors
    /// As [`Writing::enrol`].
    pub fn undo(&mut self, hand: &Hand, fact: Uuid) -> Result<Result<Uuid, Refusal>, DatabaseError> {
        let refused = Refusal::new("follow_up.refused.undo");
        let is_undone = |event: &Event| matches!(&event.what, What::Undone(undone) if undone.fact == fact);
        if self.events.iter().any(is_undone) {
            return Ok(Err(refused));
        }
        let today = hand.recorded_at.day();
        let own =
            |event: &&Event| event.id == fact && event.author == hand.author && event.recorded_on == today;
        let Some(event) = self.events.iter().find(own) else { return Ok(Err(refused)) };
        let (sensitive, from) = match &event.what {
            What::Enrolled(body) => (body.sensitive, body.on),
            // Who was taken in again since is managed: the end before that stands.
            What::Closed(body) if self.chart.open_in(&body.programme).is_none() => (body.sensitive, body.on),
            What::Visited(body) if self.chart.visit(body.visit).is_some_and(|visit| visit.fact == fact) => {
                (body.sensitive, body.on)
            }
            What::Missed(body) if body.outcome != Outcome::Died || self.chart.open().next().is_none() => {
                (body.sensitive, body.on)
            }
            What::Happened(body) if self.chart.open_in(&body.programme).is_some() => {
                (body.sensitive, body.on.plus_days(-1))
            }
            What::Reported(body) => (body.sensitive, today),
            _ => return Ok(Err(refused)),
        };
        let body = Undone { fact, on: today, by: hand.by.clone(), sensitive };
        let id = self.write(hand, (UNDONE, today, Some(fact)), What::Undone(body))?;
        self.work_out_again(hand, from)?;
        Ok(Ok(id))
    }

    /// Works every visit after `from` out again: those before it may be others now.
    fn work_out_again(&mut self, hand: &Hand, from: Day) -> Result<(), DatabaseError> {
        let later = self.chart.visits.iter().filter(|visit| visit.body.on > from);
        let visits: Vec<Uuid> = later.map(|visit| visit.body.visit).collect();
        for visit in visits {
            let Some(there) = self.chart.visit(visit).map(|visit| visit.body.clone()) else { continue };
            let draft = Draft {
                visit,
                on: there.on,
                way: there.way,
                answers: there.answers.clone(),
                windows: there.windows.clone(),
                programmes: there.found.iter().map(|found| found.programme.clone()).collect(),
                agreed_on: there.agreed_on,
                note: String::new(),
                opinion: there.opinion.clone(),
                reason: String::new(),
            };
            let mut found = self.judge(&draft);
            keep_what_ended(&mut found, &there.found);
            found.sort_by_key(|one| there.found.iter().position(|other| other.programme == one.programme));
            if found != there.found {
                let sensitive = found.iter().any(|found| found.sensitive);
                let law = self.release.hash().to_owned();
                let body = Classified { visit, on: there.on, found, law, sensitive };
                self.write(hand, (CLASSIFIED, there.on, None), What::Classified(body))?;
            }
        }
        let mut moved = Vec::new();
        for managed in self.chart.open() {
            for one in &managed.happened {
                let Some(rules) = self.rules(&one.programme, one.on) else { continue };
                let due = rules::due_after(rules, &self.chart, managed, &self.who, one);
                if due != one.due {
                    let law = self.release.hash().to_owned();
                    moved.push(Happened { due, law, by: String::new(), ..one.clone() });
                }
            }
        }
        for body in moved {
            self.write(hand, (HAPPENED, body.on, None), What::Happened(body))?;
        }
        Ok(())
    }
}

/// In a programme that has ended since, a visit comes to what it came to before.
fn keep_what_ended(found: &mut Vec<Found>, before: &[Found]) {
    let judged = found.len();
    for one in before {
        if found[..judged].iter().all(|new| new.programme != one.programme) {
            found.push(one.clone());
        }
    }
}

/// Whether a visit says nothing new.
fn same(before: &Visited, after: &Visited) -> bool {
    before.on == after.on
        && before.way == after.way
        && before.answers == after.answers
        && before.windows == after.windows
        && before.agreed_on == after.agreed_on
        && before.note == after.note
        && before.opinion == after.opinion
}

fn json(body: &impl Serialize) -> Result<String, DatabaseError> {
    serde_json::to_string(body).map_err(|error| DatabaseError::Refused(error.to_string()))
}

/// Lets `work` write in the chart of `person` and keeps what it wrote, all or nothing.
///
/// # Errors
/// When the database fails.
pub fn write<T>(
    tx: &mut Transaction<'_>,
    app: &App,
    person: &Person,
    hand: &Hand,
    work: impl FnOnce(&mut Writing<'_>, &[Ill]) -> Result<Result<T, Refusal>, DatabaseError>,
) -> Result<Result<T, Refusal>, DatabaseError> {
    // Two visits that are written down at once must see each other.
    tx.lock("follow_up.chart")?;
    let id = person.id.uuid();
    let (events, ill) = (store::events_of(tx, id)?, store::ill_of(tx, id, hand.now.day())?);
    let mint = || app.mint();
    let mut writing = Writing::new(&app.policies, person, events, &mint);
    let done = match work(&mut writing, &ill)? {
        Ok(done) => done,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let facts = writing.into_facts();
    app.record.keep(tx, hand.now, facts)?;
    Ok(Ok(done))
}
