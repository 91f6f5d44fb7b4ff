//! What the facts of follow-up say of one person, as far as agreements and plans ask: visits that were made, what is managed and
//! what is due. Read from the record by their kind; a later field of theirs is none of ours.

use std::collections::HashSet;

use kangmai_base::{Day, Uuid};
use serde::Deserialize;

use crate::facts::DoneBy;

/// The kinds that are read, besides those of this programme.
pub const KINDS: [&str; 5] = [
    "follow_up.enrolled",
    "follow_up.closed",
    "follow_up.visited",
    "follow_up.classified",
    "follow_up.undone",
];

/// A fact of follow-up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CareEvent {
    /// The fact.
    pub id: Uuid,
    /// What it says.
    pub what: CareFact,
}

/// What a fact of follow-up says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CareFact {
    /// Managed from now on.
    Enrolled(Enrolled),
    /// No longer managed.
    Closed(Closed),
    /// Visited.
    Visited(Visited),
    /// A visit worked out again.
    Classified(Classified),
    /// Taken back.
    Undone(Undone),
}

/// Of `follow_up.enrolled`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Enrolled {
    enrolment: Uuid,
    programme: String,
    #[serde(default)]
    due: Vec<Due>,
    #[serde(default)]
    sensitive: bool,
}

/// Of `follow_up.closed`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Closed {
    enrolment: Uuid,
}

/// Of `follow_up.visited`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Visited {
    visit: Uuid,
    on: Day,
    #[serde(default)]
    windows: Vec<String>,
    #[serde(default)]
    found: Vec<Found>,
}

/// Of `follow_up.classified`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Classified {
    visit: Uuid,
    #[serde(default)]
    found: Vec<Found>,
}

/// Of `follow_up.undone`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Undone {
    fact: Uuid,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct Found {
    programme: String,
    #[serde(default)]
    due: Vec<Due>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct Due {
    until: Day,
}

/// A programme in which somebody is managed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Managed {
    /// The programme.
    pub programme: String,
    /// By when something is due next.
    pub due_on: Option<Day>,
    /// Level 5.
    pub sensitive: bool,
}

/// What is known of one person's follow-up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Care {
    visits: Vec<Visited>,
    enrolled: Vec<Enrolled>,
}

impl Care {
    /// Folds the facts, in the order in which they came.
    pub fn of(events: &[CareEvent]) -> Care {
        let undone: HashSet<Uuid> = events
            .iter()
            .filter_map(|event| match &event.what {
                CareFact::Undone(undone) => Some(undone.fact),
                _ => None,
            })
            .collect();
        let mut care = Care::default();
        for event in events.iter().filter(|event| !undone.contains(&event.id)) {
            match &event.what {
                CareFact::Enrolled(body) => care.enrolled.push(body.clone()),
                CareFact::Closed(body) => care.enrolled.retain(|one| one.enrolment != body.enrolment),
                CareFact::Visited(body) => {
                    care.visits.retain(|visit| visit.visit != body.visit);
                    care.visits.push(body.clone());
                }
                CareFact::Classified(body) => {
                    let visit = care.visits.iter_mut().find(|visit| visit.visit == body.visit);
                    if let Some(visit) = visit {
                        visit.found.clone_from(&body.found);
                    }
                }
                CareFact::Undone(_) => {}
            }
        }
        care.visits.sort_by_key(|visit| visit.on);
        care
    }

    /// The days on which something was done that is done by visits.
    pub fn done(&self, by: &DoneBy) -> Vec<Day> {
        let is_it = |visit: &&Visited| match by {
            DoneBy::FollowUp(programme) => visit.found.iter().any(|found| found.programme == *programme),
            DoneBy::Window(window) => visit.windows.contains(window),
            DoneBy::Plan | DoneBy::Hand => false,
        };
        self.visits.iter().filter(is_it).map(|visit| visit.on).collect()
    }

    /// The programmes in which the person is managed, with what is due next.
    pub fn managed(&self) -> Vec<Managed> {
        let of = |one: &Enrolled| {
            let found = self
                .visits
                .iter()
                .rev()
                .find_map(|visit| visit.found.iter().find(|found| found.programme == one.programme));
            let due = found.map_or(&one.due, |found| &found.due);
            Managed {
                programme: one.programme.clone(),
                due_on: due.iter().map(|due| due.until).min(),
                sensitive: one.sensitive,
            }
        };
        self.enrolled.iter().map(of).collect()
    }
}
