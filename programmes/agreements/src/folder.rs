//! A person's folder: what the facts of this programme about them come to. A pure fold, so that an agreement put right or taken
//! back is nothing special.

use std::collections::HashSet;

use kangmai_base::{Day, Uuid};

use crate::facts::{Content, Done, Ended, Moved, Offered, Planned, Signed, Undone};

/// A fact of this programme, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The fact.
    pub id: Uuid,
    /// The account that wrote it.
    pub author: Uuid,
    /// On which day it was written down.
    pub recorded_on: Day,
    /// What it says.
    pub what: What,
}

/// What a fact says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// Prepared.
    Offered(Offered),
    /// Signed, or put right.
    Signed(Box<Signed>),
    /// With another team.
    Moved(Moved),
    /// Over before its term.
    Ended(Ended),
    /// An item was done.
    Done(Done),
    /// The plan of the person.
    Planned(Planned),
    /// Taken back.
    Undone(Undone),
}

/// Something with the fact that says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said<T> {
    /// The fact.
    pub fact: Uuid,
    /// Who wrote it.
    pub author: Uuid,
    /// On which day.
    pub recorded_on: Day,
    /// What it says.
    pub body: T,
}

/// An agreement, or an offer that is not signed yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agreement {
    /// Which.
    pub id: Uuid,
    /// As it was prepared, if it was.
    pub offered: Option<Said<Offered>>,
    /// As it was signed.
    pub signed: Option<Said<Signed>>,
    /// Whether it was put right.
    pub is_corrected: bool,
    /// The teams that took it over, the earliest first.
    pub moves: Vec<Said<Moved>>,
    /// How it ended.
    pub ended: Option<Said<Ended>>,
    /// What was done by hand.
    pub done: Vec<Said<Done>>,
    /// When the agreement that renews it was signed.
    pub renewed_on: Option<Day>,
}

impl Agreement {
    fn new(id: Uuid) -> Agreement {
        Agreement {
            id,
            offered: None,
            signed: None,
            is_corrected: false,
            moves: Vec::new(),
            ended: None,
            done: Vec::new(),
            renewed_on: None,
        }
    }

    /// What it holds: as signed, else as offered.
    pub fn content(&self) -> Option<&Content> {
        let signed = self.signed.as_ref().map(|signed| &signed.body.content);
        signed.or_else(|| self.offered.as_ref().map(|offered| &offered.body.content))
    }

    /// The team that has it now.
    pub fn team(&self) -> Uuid {
        let moved = self.moves.last().map(|moved| moved.body.team);
        moved.or_else(|| self.content().map(|content| content.team)).unwrap_or_default()
    }

    /// First day on which it holds, and the last as it was agreed on.
    pub fn term(&self) -> Option<(Day, Day)> {
        self.signed.as_ref().map(|signed| (signed.body.from, signed.body.until))
    }

    /// The last day on which it held, or will: its term, cut by its end.
    pub fn last_day(&self) -> Option<Day> {
        let (_, until) = self.term()?;
        Some(match &self.ended {
            Some(ended) => until.min(ended.body.on.plus_days(-1)),
            None => until,
        })
    }

    /// Whether it holds on `day`.
    pub fn holds_on(&self, day: Day) -> bool {
        let from = self.term().map(|(from, _)| from);
        from.is_some_and(|from| from <= day) && self.last_day().is_some_and(|last| day <= last)
    }
}

/// What is known of one person.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Folder {
    /// Agreements, in the order in which they were first written down.
    pub agreements: Vec<Agreement>,
    /// The plan as it was written last.
    pub planned: Option<Said<Planned>>,
    /// The days on which it was written.
    pub planned_on: Vec<Day>,
}

impl Folder {
    /// Folds the facts, in the order in which they came.
    pub fn of(events: &[Event]) -> Folder {
        let undone: HashSet<Uuid> = events
            .iter()
            .filter_map(|event| match &event.what {
                What::Undone(undone) => Some(undone.fact),
                _ => None,
            })
            .collect();
        let mut folder = Folder::default();
        for event in events.iter().filter(|event| !undone.contains(&event.id)) {
            folder.take(event);
        }
        // An offer or a signature that was taken back leaves nothing of its agreement.
        folder.agreements.retain(|one| one.signed.is_some() || one.offered.is_some());
        let renewals: Vec<(Uuid, Day)> = folder
            .agreements
            .iter()
            .filter_map(|one| one.signed.as_ref())
            .filter_map(|signed| Some((signed.body.renews?, signed.body.on)))
            .collect();
        for (renewed, on) in renewals {
            if let Some(one) = folder.agreements.iter_mut().find(|one| one.id == renewed) {
                one.renewed_on = Some(on);
            }
        }
        folder
    }

    fn take(&mut self, event: &Event) {
        match &event.what {
            What::Offered(body) => self.named(body.agreement).offered = Some(said(event, body)),
            What::Signed(body) => {
                let one = self.named(body.agreement);
                one.is_corrected = one.signed.is_some();
                one.signed = Some(said(event, body.as_ref()));
            }
            What::Moved(body) => self.named(body.agreement).moves.push(said(event, body)),
            What::Ended(body) => self.named(body.agreement).ended = Some(said(event, body)),
            What::Done(body) => self.named(body.agreement).done.push(said(event, body)),
            What::Planned(body) => {
                self.planned = Some(said(event, body));
                self.planned_on.push(body.on);
            }
            What::Undone(_) => {}
        }
    }

    fn named(&mut self, id: Uuid) -> &mut Agreement {
        let place = self.agreements.iter().position(|one| one.id == id).unwrap_or_else(|| {
            self.agreements.push(Agreement::new(id));
            self.agreements.len() - 1
        });
        &mut self.agreements[place]
    }

    /// The agreement of this name.
    pub fn agreement(&self, id: Uuid) -> Option<&Agreement> {
        self.agreements.iter().find(|one| one.id == id)
    }

    /// The agreement that holds on `day`.
    pub fn held_on(&self, day: Day) -> Option<&Agreement> {
        self.agreements.iter().find(|one| one.holds_on(day))
    }

    /// The signed agreement whose term ends last, among those that were not a mistake.
    pub fn latest(&self) -> Option<&Agreement> {
        let is_real =
            |one: &&Agreement| one.last_day().zip(one.term()).is_some_and(|(last, (from, _))| last >= from);
        self.agreements.iter().filter(is_real).max_by_key(|one| one.last_day())
    }
}

fn said<T: Clone>(event: &Event, body: &T) -> Said<T> {
    Said { fact: event.id, author: event.author, recorded_on: event.recorded_on, body: body.clone() }
}
