//! A person's chart: what the facts of this programme come to. A pure fold, so that a visit written down late, put right or
//! taken back is nothing special.

use std::collections::HashSet;

use kangmai_base::{Day, Uuid};

use crate::facts::{
    Basis, Classified, Closed, Due, Enrolled, Found, Grade, Happened, Happening, Missed, Outcome, Reported,
    Undone, Visited,
};

/// A fact of this programme, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The fact.
    pub id: Uuid,
    /// The account that wrote it; nil for the program itself.
    pub author: Uuid,
    /// On which day it was written down.
    pub recorded_on: Day,
    /// What it says.
    pub what: What,
}

/// What a fact says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// Managed from now on.
    Enrolled(Enrolled),
    /// No longer managed.
    Closed(Closed),
    /// Visited, or a visit put right.
    Visited(Visited),
    /// A visit worked out again.
    Classified(Classified),
    /// Not seen.
    Missed(Missed),
    /// Taken back.
    Undone(Undone),
    /// A delivery, a discharge.
    Happened(Happened),
    /// Reported upwards.
    Reported(Reported),
}

/// An enrolment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Managed {
    /// As it was written down.
    pub body: Enrolled,
    /// When it ended, and the fact that ended it.
    pub closed: Option<(Day, Uuid)>,
    /// The program ended it, since what it rested on is gone: it begins again when that is there again.
    pub may_return: bool,
    /// What happened in its course, the latest written last.
    pub happened: Vec<Happened>,
    /// When it was reported upwards that nobody is seen, the last time.
    pub reported_on: Option<Day>,
}

impl Managed {
    /// One that begins.
    pub const fn begun(body: Enrolled) -> Managed {
        Managed { body, closed: None, may_return: false, happened: Vec::new(), reported_on: None }
    }

    /// Takes in what happened. What the program worked out again moves what is due and no day.
    pub fn take_happened(&mut self, body: &Happened) {
        if body.by.is_empty() {
            let same = |one: &&mut Happened| one.what == body.what && one.on == body.on;
            if let Some(there) = self.happened.iter_mut().find(same) {
                there.due.clone_from(&body.due);
            }
        } else {
            self.happened.retain(|one| one.what != body.what);
            self.happened.push(body.clone());
        }
    }

    /// Whether this happened in its course.
    pub fn has(&self, what: Happening) -> bool {
        self.happened.iter().any(|one| one.what == what)
    }
}

/// A visit as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visit {
    /// The fact that tells it last.
    pub fact: Uuid,
    /// Who wrote that.
    pub author: Uuid,
    /// On which day.
    pub recorded_on: Day,
    /// Whether it was put right.
    pub is_corrected: bool,
    /// What it says, with what it comes to now.
    pub body: Visited,
}

/// Somebody was not seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotSeen {
    /// The fact.
    pub fact: Uuid,
    /// Who wrote it.
    pub author: Uuid,
    /// On which day.
    pub recorded_on: Day,
    /// What it says.
    pub body: Missed,
}

/// What is known of one person.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chart {
    /// Enrolments, the earliest first.
    pub managed: Vec<Managed>,
    /// Visits by day, the earliest first.
    pub visits: Vec<Visit>,
    /// Those when nobody was seen, the earliest first.
    pub missed: Vec<NotSeen>,
}

/// How an enrolment stands: what lists show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Last visit in the programme.
    pub last_on: Option<Day>,
    /// What it came to.
    pub state: Option<String>,
    /// How grave that is.
    pub grade: Grade,
    /// Whether it is at target.
    pub at_target: Option<bool>,
    /// The figures that decide.
    pub figures: String,
    /// What is due, the earliest first.
    pub due: Vec<Due>,
    /// How often nobody was seen since.
    pub missed: usize,
    /// Why, the last time.
    pub missed_why: Option<Outcome>,
    /// The day agreed on.
    pub again_on: Option<Day>,
    /// Since when calls and ways were in vain, if the last ones were.
    pub unreached_since: Option<Day>,
}

impl Chart {
    /// Folds the facts, in the order in which they came.
    pub fn of(events: &[Event]) -> Chart {
        let undone: HashSet<Uuid> = events
            .iter()
            .filter_map(|event| match &event.what {
                What::Undone(undone) => Some(undone.fact),
                _ => None,
            })
            .collect();
        let mut chart = Chart::default();
        for event in events.iter().filter(|event| !undone.contains(&event.id)) {
            chart.take(event);
        }
        chart.in_order();
        chart
    }

    /// The same with one more fact that takes nothing back.
    pub fn add(&mut self, event: &Event) {
        self.take(event);
        self.in_order();
    }

    fn in_order(&mut self) {
        self.visits.sort_by_key(|visit| visit.body.on);
        self.missed.sort_by_key(|missed| missed.body.on);
    }

    fn take(&mut self, event: &Event) {
        match &event.what {
            What::Enrolled(body) => {
                self.managed.push(Managed::begun(body.clone()));
            }
            What::Closed(body) => {
                if let Some(ended) = self.enrolment_mut(body.enrolment) {
                    ended.closed = Some((body.on, event.id));
                    // What somebody began by hand does not begin again by itself: a second pregnancy is another.
                    ended.may_return = event.author.is_nil() && ended.body.basis != Basis::Hand;
                }
            }
            What::Visited(body) => {
                let is_corrected = self.visits.iter().any(|visit| visit.body.visit == body.visit);
                self.visits.retain(|visit| visit.body.visit != body.visit);
                self.visits.push(Visit {
                    fact: event.id,
                    author: event.author,
                    recorded_on: event.recorded_on,
                    is_corrected,
                    body: body.clone(),
                });
            }
            What::Classified(body) => {
                if let Some(visit) = self.visits.iter_mut().find(|visit| visit.body.visit == body.visit) {
                    visit.body.found.clone_from(&body.found);
                    visit.body.sensitive |= body.sensitive;
                    if !body.law.is_empty() {
                        visit.body.law.clone_from(&body.law);
                    }
                }
            }
            What::Missed(body) => {
                if body.outcome == Outcome::Died {
                    for open in self.managed.iter_mut().filter(|one| one.closed.is_none()) {
                        open.closed = Some((body.on, event.id));
                    }
                }
                self.missed.push(NotSeen {
                    fact: event.id,
                    author: event.author,
                    recorded_on: event.recorded_on,
                    body: body.clone(),
                });
            }
            What::Happened(body) => {
                if let Some(managed) = self.enrolment_mut(body.enrolment) {
                    managed.take_happened(body);
                }
            }
            What::Reported(body) => {
                if let Some(managed) = self.enrolment_mut(body.enrolment) {
                    managed.reported_on = Some(body.on);
                }
            }
            What::Undone(_) => {}
        }
    }

    fn enrolment_mut(&mut self, id: Uuid) -> Option<&mut Managed> {
        self.managed.iter_mut().find(|one| one.body.enrolment == id)
    }

    /// The enrolments that hold.
    pub fn open(&self) -> impl Iterator<Item = &Managed> {
        self.managed.iter().filter(|one| one.closed.is_none())
    }

    /// The enrolment in `programme` that holds.
    pub fn open_in(&self, programme: &str) -> Option<&Managed> {
        self.open().find(|one| one.body.programme == programme)
    }

    /// The visit of this name.
    pub fn visit(&self, id: Uuid) -> Option<&Visit> {
        self.visits.iter().find(|visit| visit.body.visit == id)
    }

    /// What visits before `before`, or all, came to in `programme`, the latest first.
    pub fn found_in<'c>(
        &'c self,
        programme: &'c str,
        before: Option<Day>,
    ) -> impl Iterator<Item = (&'c Visit, &'c Found)> {
        let visits = self.visits.iter().rev();
        visits.filter(move |visit| before.is_none_or(|before| visit.body.on < before)).filter_map(
            move |visit| Some((visit, visit.body.found.iter().find(|found| found.programme == programme)?)),
        )
    }

    /// The same of the visits under one enrolment: those up to the day on which an earlier one in its programme was ended by
    /// hand belong to that.
    pub fn found_under<'c>(
        &'c self,
        managed: &'c Managed,
        before: Option<Day>,
    ) -> impl Iterator<Item = (&'c Visit, &'c Found)> {
        let earlier = self.managed.iter().filter(|one| {
            one.body.programme == managed.body.programme
                && one.body.enrolment != managed.body.enrolment
                && !one.may_return
        });
        let ended = earlier.filter_map(|one| one.closed.map(|(on, _)| on));
        let ended = ended.filter(|on| *on < managed.body.on).max();
        let visits = self.found_in(&managed.body.programme, before);
        visits.filter(move |(visit, _)| ended.is_none_or(|ended| visit.body.on > ended))
    }

    /// How often somebody went or called in vain since `since`.
    pub fn in_vain_since(&self, since: Day) -> usize {
        let in_vain = |one: &&NotSeen| one.body.on >= since && one.body.outcome.is_in_vain();
        self.missed.iter().filter(in_vain).count()
    }

    /// How an enrolment stands.
    pub fn standing(&self, managed: &Managed) -> Standing {
        let last = self.found_under(managed, None).next();
        let last_on = last.map(|(visit, _)| visit.body.on);
        // A visit on the day of a delivery was before it; one on the day of a discharge after it.
        let is_later = |one: &&Happened| {
            last_on.is_none_or(|last| match one.what {
                Happening::Delivery => one.on >= last,
                Happening::Discharge => one.on > last,
            })
        };
        let happened = managed.happened.iter().filter(is_later).max_by_key(|one| one.on);
        let mut due = match (happened, last) {
            (Some(happened), _) => happened.due.clone(),
            (None, Some((_, found))) => found.due.clone(),
            (None, None) => managed.body.due.clone(),
        };
        due.sort_by_key(|due| (due.until, due.why));
        let since: Vec<&NotSeen> =
            self.missed.iter().filter(|one| last_on.is_none_or(|last| one.body.on >= last)).collect();
        let agreed = last.and_then(|(visit, _)| visit.body.agreed_on);
        Standing {
            last_on,
            state: last.and_then(|(_, found)| found.state.clone()),
            grade: last.map_or(Grade::Steady, |(_, found)| found.grade),
            at_target: last.and_then(|(_, found)| found.at_target),
            figures: last.map(|(_, found)| found.figures.clone()).unwrap_or_default(),
            due,
            missed: since.len(),
            missed_why: since.last().map(|one| one.body.outcome),
            again_on: since.last().and_then(|one| one.body.again_on).or(agreed),
            unreached_since: self.unreached_since(),
        }
    }

    /// 联系不上: the day of the first try since the person was seen, or heard of, from which on nobody was reached.
    pub fn unreached_since(&self) -> Option<Day> {
        let seen = self.visits.last().map(|visit| visit.body.on);
        let in_vain = |one: &&NotSeen| {
            one.body.outcome == Outcome::Unreachable && seen.is_none_or(|seen| one.body.on > seen)
        };
        self.missed.iter().rev().take_while(in_vain).last().map(|one| one.body.on)
    }
}
