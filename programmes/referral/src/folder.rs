//! A person's folder: what the facts of this programme about them come to. A pure fold, so that what was taken back is nothing
//! special.

use std::collections::HashSet;

use kangmai_base::{Day, Uuid};

use crate::facts::{Answered, Arrived, Direction, Ended, Opened, Undone, Waived};

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
    /// Referred.
    Opened(Box<Opened>),
    /// Accepted or refused.
    Answered(Answered),
    /// Came, or did not.
    Arrived(Arrived),
    /// Over without more.
    Ended(Ended),
    /// A visit came to a referral and none is made.
    Waived(Waived),
    /// Taken back.
    Undone(Undone),
}

impl What {
    /// Whether it tells a disease of level 5.
    pub const fn is_sensitive(&self) -> bool {
        match self {
            What::Opened(body) => body.sensitive,
            What::Answered(body) => body.sensitive,
            What::Arrived(body) => body.sensitive,
            What::Ended(body) => body.sensitive,
            What::Waived(body) => body.sensitive,
            What::Undone(body) => body.sensitive,
        }
    }
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

/// Where a referral stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// 待答复: who was asked has not answered.
    Waiting,
    /// 待到诊: accepted, the person has not come.
    Accepted,
    /// 已拒绝: the sender decides what follows.
    Refused,
    /// 接诊中
    Here,
    /// 未到诊: the sender decides what follows.
    Absent,
    /// 已结束
    Closed,
}

impl Stage {
    /// All, in the order of the course.
    pub const ALL: [Stage; 6] =
        [Stage::Waiting, Stage::Accepted, Stage::Refused, Stage::Here, Stage::Absent, Stage::Closed];

    /// As it stands in the table and in the keys of words.
    pub const fn key(self) -> &'static str {
        match self {
            Stage::Waiting => "waiting",
            Stage::Accepted => "accepted",
            Stage::Refused => "refused",
            Stage::Here => "here",
            Stage::Absent => "absent",
            Stage::Closed => "closed",
        }
    }

    /// The one that `key` names.
    pub fn of_key(key: &str) -> Option<Stage> {
        Stage::ALL.into_iter().find(|stage| stage.key() == key)
    }
}

/// A referral.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Referral {
    /// As it was opened.
    pub opened: Said<Opened>,
    /// The answer.
    pub answered: Option<Said<Answered>>,
    /// Whether the person came.
    pub arrived: Option<Said<Arrived>>,
    /// How it ended, if it did without more.
    pub ended: Option<Said<Ended>>,
    /// The referral downwards that sends the person back, and its day.
    pub sent_back: Option<(Uuid, Day)>,
    /// The referral that stands in its place, and its day.
    pub sent_on: Option<(Uuid, Day)>,
}

impl Referral {
    /// Its identifier.
    pub const fn id(&self) -> Uuid {
        self.opened.body.referral
    }

    /// As it was opened.
    pub const fn body(&self) -> &Opened {
        &self.opened.body
    }

    /// Where it stands.
    pub fn stage(&self) -> Stage {
        if self.outcome().is_some() {
            return Stage::Closed;
        }
        let came = self.arrived.as_ref().map(|arrived| arrived.body.came);
        match (self.answered.as_ref().map(|answered| answered.body.accepted), came) {
            (_, Some(true)) => Stage::Here,
            (_, Some(false)) => Stage::Absent,
            (None, None) => Stage::Waiting,
            (Some(true), None) => Stage::Accepted,
            (Some(false), None) => Stage::Refused,
        }
    }

    /// How it ended, as a key of words, and on which day; none: it is open.
    pub fn outcome(&self) -> Option<(&'static str, Day)> {
        if let Some(ended) = &self.ended {
            return Some((ended.body.reason.key(), ended.body.on));
        }
        if let Some((_, on)) = self.sent_back {
            return Some(("sent_back", on));
        }
        if let Some((_, on)) = self.sent_on {
            return Some(("sent_on", on));
        }
        let taken = self.answered.as_ref().filter(|_| self.body().direction == Direction::Down);
        taken.filter(|taken| taken.body.accepted).map(|taken| ("taken_back", taken.body.on))
    }

    /// The day from which the time of its stage counts.
    pub fn waits_since(&self) -> Day {
        let answered = self.answered.as_ref().map(|answered| &answered.body);
        match self.stage() {
            Stage::Waiting => self.body().on,
            Stage::Accepted => {
                answered.map_or(self.body().on, |answered| answered.come_on.unwrap_or(answered.on))
            }
            Stage::Refused => answered.map_or(self.body().on, |answered| answered.on),
            Stage::Here | Stage::Absent => {
                self.arrived.as_ref().map_or(self.body().on, |arrived| arrived.body.on)
            }
            Stage::Closed => self.outcome().map_or(self.body().on, |(_, on)| on),
        }
    }

    /// Whether somebody has still to do something about it.
    pub fn is_open(&self) -> bool {
        self.stage() != Stage::Closed
    }
}

/// What is known of one person.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Folder {
    /// Referrals, in the order in which they were opened.
    pub referrals: Vec<Referral>,
    /// Visits that came to a referral and for which none is made.
    pub waived: Vec<Said<Waived>>,
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
        folder
    }

    fn take(&mut self, event: &Event) {
        match &event.what {
            What::Opened(body) => {
                let follows = (body.referral, body.on);
                if let Some(back) = body.sends_back.and_then(|id| self.named(id)) {
                    back.sent_back = Some(follows);
                }
                if let Some(earlier) = body.instead_of.and_then(|id| self.named(id)) {
                    earlier.sent_on = Some(follows);
                }
                // The same twice is one: the first stands.
                if self.referral(body.referral).is_none() {
                    self.referrals.push(Referral {
                        opened: said(event, body.as_ref()),
                        answered: None,
                        arrived: None,
                        ended: None,
                        sent_back: None,
                        sent_on: None,
                    });
                }
            }
            What::Answered(body) => {
                if let Some(one) = self.named(body.referral) {
                    one.answered = Some(said(event, body));
                }
            }
            What::Arrived(body) => {
                if let Some(one) = self.named(body.referral) {
                    one.arrived = Some(said(event, body));
                }
            }
            What::Ended(body) => {
                let ended = said(event, body);
                // Nobody was ever sent back by one that was withdrawn.
                if body.reason == crate::facts::EndReason::Withdrawn {
                    for one in &mut self.referrals {
                        one.sent_back = one.sent_back.filter(|(back, _)| *back != body.referral);
                        one.sent_on = one.sent_on.filter(|(on, _)| *on != body.referral);
                    }
                }
                if let Some(one) = self.named(body.referral) {
                    one.ended = Some(ended);
                }
            }
            What::Waived(body) => self.waived.push(said(event, body)),
            What::Undone(_) => {}
        }
    }

    fn named(&mut self, id: Uuid) -> Option<&mut Referral> {
        self.referrals.iter_mut().find(|one| one.id() == id)
    }

    /// The referral of this name.
    pub fn referral(&self, id: Uuid) -> Option<&Referral> {
        self.referrals.iter().find(|one| one.id() == id)
    }

    /// Those that are open.
    pub fn open(&self) -> impl Iterator<Item = &Referral> {
        self.referrals.iter().filter(|one| one.is_open())
    }
}

fn said<T: Clone>(event: &Event, body: &T) -> Said<T> {
    Said { fact: event.id, author: event.author, recorded_on: event.recorded_on, body: body.clone() }
}
