//! What the facts of follow-up say of one person, as far as referral asks: which visits came to a referral, with which figures and
//! medicines, and what is due after them. Read from the record by their kind; a later field of theirs is none of ours.

use std::collections::{BTreeMap, HashSet};

use kangmai_base::{Day, Uuid};
use serde::Deserialize;

use crate::facts::{Reason, Urgency};

/// The kinds that are read, besides those of this programme.
pub const KINDS: [&str; 3] = ["follow_up.visited", "follow_up.classified", "follow_up.undone"];
/// The item of the sheet that names medicines.
const MEDICINES: &str = "medicines";

/// A fact of follow-up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VisitEvent {
    /// The fact.
    pub id: Uuid,
    /// What it says.
    pub what: VisitFact,
}

/// What a fact of follow-up says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VisitFact {
    /// Visited, or a visit put right.
    Visited(Visited),
    /// A visit worked out again.
    Classified(Classified),
    /// Taken back.
    Undone(Undone),
}

/// Of `follow_up.visited`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Visited {
    visit: Uuid,
    on: Day,
    #[serde(default)]
    answers: BTreeMap<String, Vec<String>>,
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

/// What a visit came to in one programme.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct Found {
    programme: String,
    #[serde(default)]
    state: Option<String>,
    grade: String,
    #[serde(default)]
    figures: String,
    #[serde(default)]
    due: Vec<Due>,
    #[serde(default)]
    sensitive: bool,
}

impl Found {
    fn urgency(&self) -> Option<Urgency> {
        match self.grade.as_str() {
            "danger" => Some(Urgency::AtOnce),
            "refer" => Some(Urgency::Ordinary),
            _ => None,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct Due {
    why: String,
    until: Day,
}

/// A visit as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visit {
    /// Which.
    pub id: Uuid,
    /// On which day.
    pub on: Day,
    /// Medicines, as the sheet has them.
    pub medicines: String,
    found: Vec<Found>,
}

/// The next visit that follow-up asks for, in one programme.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NextVisit {
    /// The programme.
    pub programme: String,
    /// Late after this day.
    pub until: Day,
    /// Level 5.
    pub sensitive: bool,
}

impl Visit {
    /// What of it came to a referral.
    pub fn reasons(&self) -> Vec<Reason> {
        let of = |found: &Found| Reason {
            programme: found.programme.clone(),
            state: found.state.clone().unwrap_or_default(),
            figures: found.figures.clone(),
            on: self.on,
            sensitive: found.sensitive,
        };
        self.found.iter().filter(|found| found.urgency().is_some()).map(of).collect()
    }

    /// How much that presses: at once, if one of its programmes says so.
    pub fn urgency(&self) -> Option<Urgency> {
        self.found.iter().filter_map(Found::urgency).min()
    }

    /// The same of what tells nothing of level 5.
    pub fn urgency_told(&self) -> Option<Urgency> {
        self.found.iter().filter(|found| !found.sensitive).filter_map(Found::urgency).min()
    }

    /// Whether a part of it that came to a referral tells a disease of level 5.
    pub fn is_sensitive(&self) -> bool {
        self.found.iter().any(|found| found.sensitive && found.urgency().is_some())
    }
}

/// The visits of one person by day, the earliest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Visits {
    /// The visits.
    pub all: Vec<Visit>,
}

impl Visits {
    /// Folds the facts, in the order in which they came.
    pub fn of(events: &[VisitEvent]) -> Visits {
        let undone: HashSet<Uuid> = events
            .iter()
            .filter_map(|event| match &event.what {
                VisitFact::Undone(undone) => Some(undone.fact),
                _ => None,
            })
            .collect();
        let mut visits = Visits::default();
        for event in events.iter().filter(|event| !undone.contains(&event.id)) {
            match &event.what {
                VisitFact::Visited(body) => {
                    let medicines = body.answers.get(MEDICINES).map(|texts| texts.join(" "));
                    visits.all.retain(|visit| visit.id != body.visit);
                    visits.all.push(Visit {
                        id: body.visit,
                        on: body.on,
                        medicines: medicines.unwrap_or_default(),
                        found: body.found.clone(),
                    });
                }
                VisitFact::Classified(body) => {
                    if let Some(visit) = visits.all.iter_mut().find(|visit| visit.id == body.visit) {
                        visit.found.clone_from(&body.found);
                    }
                }
                VisitFact::Undone(_) => {}
            }
        }
        visits.all.sort_by_key(|visit| visit.on);
        visits
    }

    /// The visit of this name.
    pub fn visit(&self, id: Uuid) -> Option<&Visit> {
        self.all.iter().find(|visit| visit.id == id)
    }

    /// Whether a later visit looked at everything for which `visit` came to a referral: then what that one came to holds.
    pub fn is_passed(&self, visit: &Visit) -> bool {
        let at = self.all.iter().position(|one| one.id == visit.id).unwrap_or_default();
        let later: Vec<&Found> = self.all.iter().skip(at + 1).flat_map(|one| &one.found).collect();
        let looked_at = |reason: &Reason| later.iter().any(|found| found.programme == reason.programme);
        visit.reasons().iter().all(looked_at)
    }

    /// What follow-up says is due next, by programme: after the last visit in each.
    pub fn next(&self) -> Vec<NextVisit> {
        let (mut next, mut seen) = (Vec::new(), HashSet::new());
        for found in self.all.iter().rev().flat_map(|visit| &visit.found) {
            // Only the last visit in a programme says what is due in it, be it nothing.
            if !seen.insert(found.programme.as_str()) {
                continue;
            }
            let due = found.due.iter().filter(|due| due.why != "window").map(|due| due.until).min();
            next.extend(due.map(|until| NextVisit {
                programme: found.programme.clone(),
                until,
                sensitive: found.sensitive,
            }));
        }
        next.sort_by_key(|one: &NextVisit| one.until);
        next
    }
}

#[cfg(test)]
mod tests {

    use super::*;

    fn visited(visit: u128, on: &str, found: &str) -> VisitEvent {
        let visit = Uuid::from_u128(visit);
        let json = format!("{{\"visit\":\"{visit}\",\"on\":\"{on}\",\"found\":{found},\"by\":\"示例\"}}");
        VisitEvent { id: visit, what: VisitFact::Visited(serde_json::from_str(&json).expect("a visit")) }
    }

    #[test]
    fn a_visit_that_came_to_a_referral_is_passed_by_one_that_looked_at_the_same() {
        let danger = r#"[{"programme":"hypertension","state":"danger","grade":"danger","running":0,"figures":"185/112",
            "due":[{"why":"referral","until":"2026-11-15"}]}]"#;
        let steady = r#"[{"programme":"hypertension","grade":"steady","running":0,"due":[]}]"#;
        let other = r#"[{"programme":"copd","grade":"refer","running":0,"due":[],"sensitive":true}]"#;
        let both = [visited(1, "2026-11-01", danger), visited(2, "2026-11-03", other)];
        let visits = Visits::of(&both);
        let first = &visits.all[0];
        assert_eq!(first.urgency(), Some(Urgency::AtOnce));
        assert_eq!((first.is_sensitive(), first.urgency_told()), (false, Some(Urgency::AtOnce)));
        assert_eq!((visits.all[1].is_sensitive(), visits.all[1].urgency_told()), (true, None));
        assert!(!visits.is_passed(first), "another disease was looked at");
        assert_eq!(visits.next().len(), 1);
        let third = visited(3, "2026-11-04", steady);
        let visits = Visits::of(&[both[0].clone(), both[1].clone(), third]);
        assert!(visits.is_passed(&visits.all[0]));
        assert_eq!((visits.all[2].urgency(), visits.next().len()), (None, 0));
        // Taken back, it never was.
        let undone = VisitFact::Undone(Undone { fact: Uuid::from_u128(1) });
        let undone = VisitEvent { id: Uuid::from_u128(9), what: undone };
        assert_eq!(Visits::of(&[both[0].clone(), undone]).all, []);
    }
}
