//! Whether visits really happened: some of a month are drawn, somebody else asks the people, and writes down what they say.
//! The drawing is a fact, so that nobody asks until the answer fits.

use std::collections::BTreeMap;

use kangmai_access::Reach;
use kangmai_base::{Day, DivisionCode, Moment, Uuid};
use kangmai_database::{DatabaseError, Transaction};
use kangmai_programme::App;
use kangmai_record::{NewFact, Record, Source, Subject};
use serde::{Deserialize, Serialize};

use crate::store::{self, VisitsWanted};

/// The kind of [`Drawn`].
pub const DRAWN: &str = "follow_up.check_drawn";
/// The kind of [`Checked`].
pub const CHECKED: &str = "follow_up.checked";
/// Visits of one author that are drawn at once, at most.
pub const MOST_OF_ONE: i64 = 20;
/// Visits that are drawn at once, at most.
pub const MOST_AT_ONCE: usize = 1_000;

/// A visit is to be asked about: a fact about the check, not the person, so that whoever reads the person's timeline is not warned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Drawn {
    /// The check.
    pub check: Uuid,
    /// All that were drawn together.
    pub sample: Uuid,
    /// Which visit.
    pub visit: Uuid,
    /// Whose.
    pub person: Uuid,
    /// On which day it was drawn.
    pub on: Day,
    /// Who drew, by name.
    pub by: String,
}

/// What came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckOutcome {
    /// 属实
    True,
    /// 部分不符: visited, and something is otherwise than written.
    Differs,
    /// 不属实: not visited.
    Untrue,
    /// 联系不上
    NotReached,
}

impl CheckOutcome {
    /// In the order of the buttons.
    pub const ALL: [CheckOutcome; 4] =
        [CheckOutcome::True, CheckOutcome::Differs, CheckOutcome::Untrue, CheckOutcome::NotReached];

    /// As it stands in the table and as forms send it.
    pub const fn key(self) -> &'static str {
        match self {
            CheckOutcome::True => "true",
            CheckOutcome::Differs => "differs",
            CheckOutcome::Untrue => "untrue",
            CheckOutcome::NotReached => "not_reached",
        }
    }

    /// The one that `key` names.
    pub fn of_key(key: &str) -> Option<CheckOutcome> {
        CheckOutcome::ALL.into_iter().find(|one| one.key() == key)
    }

    /// Whether it needs words.
    pub const fn wants_words(self) -> bool {
        matches!(self, CheckOutcome::Differs | CheckOutcome::Untrue)
    }
}

/// Somebody asked. The same check again stands instead of what was said before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checked {
    /// Which check.
    pub check: Uuid,
    /// On which day.
    pub on: Day,
    /// What came out.
    pub outcome: CheckOutcome,
    /// In words: who was asked, what is otherwise.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// Who asked, by name.
    pub by: String,
}

/// A visit that may be drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate {
    /// Which.
    pub visit: Uuid,
    /// Whose.
    pub person: Uuid,
    /// Home.
    pub home: DivisionCode,
    /// Who wrote it down.
    pub author: Uuid,
}

/// Draws up to `of_each` visits of every author, by an order that the identifier of the sample gives and nobody can know before
/// it is minted.
pub fn draw(candidates: &[Candidate], of_each: usize, sample: Uuid) -> Vec<Candidate> {
    let mut of: BTreeMap<Uuid, Vec<(u64, Candidate)>> = BTreeMap::new();
    for one in candidates {
        of.entry(one.author).or_default().push((place_of(one.visit, sample), *one));
    }
    // One of each author, then a second one: where not all find room, nobody is left out for their name.
    let mut drawn = Vec::new();
    for mut own in of.into_values() {
        own.sort_unstable_by_key(|(place, one)| (*place, one.visit));
        let own = own.into_iter().take(of_each).enumerate();
        drawn.extend(own.map(|(round, (place, one))| (round, place, one)));
    }
    drawn.sort_unstable_by_key(|(round, place, one)| (*round, *place, one.visit));
    drawn.truncate(MOST_AT_ONCE);
    drawn.into_iter().map(|(.., one)| one).collect()
}

/// Who writes facts of checks, and when.
pub struct Pen {
    /// Where.
    pub app: App,
    /// Who.
    pub account: Uuid,
    /// By name.
    pub name: String,
    /// The present.
    pub now: Moment,
}

impl Pen {
    fn fact(
        &self,
        (kind, subject, place): (&str, Subject, DivisionCode),
        body: &impl Serialize,
    ) -> Result<NewFact, DatabaseError> {
        let body = serde_json::to_string(body).map_err(|error| DatabaseError::Refused(error.to_string()))?;
        Ok(NewFact {
            id: self.app.mint(),
            kind: kind.to_owned(),
            subject,
            occurred_at: self.now,
            recorded_at: self.now,
            place,
            author: self.account,
            source: Source::Typed,
            corrects: None,
            body,
        })
    }

    /// Draws visits within reach, of the time asked for, up to `of_each` of everybody else who wrote some down; answers the
    /// checks. What was drawn under this sample already is none: a form that is sent twice draws once.
    ///
    /// # Errors
    /// When the database fails.
    pub fn draw(
        &self,
        tx: &mut Transaction<'_>,
        (within, wanted): (&Reach, &VisitsWanted),
        (of_each, sample): (usize, Uuid),
        on: Day,
    ) -> Result<Vec<(Uuid, Candidate)>, DatabaseError> {
        // Two who draw at once do not draw the same visit.
        tx.lock("follow_up.checks")?;
        if store::is_drawn(tx, sample)? {
            return Ok(Vec::new());
        }
        let candidates = store::candidates(tx, within, wanted, self.account)?;
        let drawn = draw(&candidates, of_each, sample);
        let drawn: Vec<(Uuid, Candidate)> = drawn.into_iter().map(|one| (self.app.mint(), one)).collect();
        for part in drawn.chunks(Record::BATCH) {
            let fact = |(check, one): &(Uuid, Candidate)| {
                let (visit, person, by) = (one.visit, one.person, self.name.clone());
                let body = Drawn { check: *check, sample, visit, person, on, by };
                self.fact((DRAWN, Subject::case(*check), one.home), &body)
            };
            let facts: Vec<NewFact> = part.iter().map(fact).collect::<Result<_, DatabaseError>>()?;
            self.app.record.keep(tx, self.now, facts)?;
        }
        Ok(drawn)
    }

    /// Writes down what came out of a check of this person at home there.
    ///
    /// # Errors
    /// When the database fails.
    pub fn answer(
        &self,
        tx: &mut Transaction<'_>,
        (check, person, home): (Uuid, Uuid, DivisionCode),
        (on, outcome, note): (Day, CheckOutcome, String),
    ) -> Result<(), DatabaseError> {
        let body = Checked { check, on, outcome, note, by: self.name.clone() };
        let fact = self.fact((CHECKED, Subject::person(person), home), &body)?;
        self.app.record.keep(tx, self.now, vec![fact]).map(|_| ())
    }
}

/// Where a visit stands in the order of a sample: its random bits and the sample's, mixed (the finalizer of `SplitMix64`).
fn place_of(visit: Uuid, sample: Uuid) -> u64 {
    let fold = |id: Uuid| {
        let bits = id.as_u128();
        u64::try_from(bits >> 64 ^ bits & u128::from(u64::MAX)).unwrap_or_default()
    };
    let mut mixed = fold(visit) ^ fold(sample).rotate_left(32);
    mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ mixed >> 31
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn candidates(authors: u128, of_each: u128) -> Vec<Candidate> {
        let home: DivisionCode = "411722001001".parse().expect("a place");
        let one = |author: u128, visit: u128| Candidate {
            visit: Uuid::from_u128(author << 64 | visit << 8 | 0x07),
            person: Uuid::from_u128(visit),
            home,
            author: Uuid::from_u128(author),
        };
        (0..authors).flat_map(|author| (0..of_each).map(move |visit| one(author, visit))).collect()
    }

    #[test]
    fn of_every_author_some_are_drawn_and_never_one_twice() {
        let all = candidates(5, 40);
        for of_each in [1, 3, 40, 50] {
            let drawn = draw(&all, of_each, Uuid::from_u128(77));
            let visits: BTreeSet<Uuid> = drawn.iter().map(|one| one.visit).collect();
            assert_eq!((drawn.len(), visits.len()), (5 * of_each.min(40), 5 * of_each.min(40)));
        }
        assert_eq!(draw(&[], 3, Uuid::from_u128(1)), []);
        let many = draw(&candidates(400, 20), 20, Uuid::from_u128(1));
        let authors: BTreeSet<Uuid> = many.iter().map(|one| one.author).collect();
        assert_eq!((many.len(), authors.len()), (MOST_AT_ONCE, 400), "everybody is asked about");
    }

    #[test]
    fn each_visit_is_drawn_about_as_often_as_any_other() {
        let all = candidates(1, 20);
        let mut times = BTreeMap::new();
        for sample in 0..2_000_u128 {
            for one in draw(&all, 2, Uuid::from_u128(sample.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c))) {
                *times.entry(one.visit).or_insert(0) += 1;
            }
        }
        // 200 times each if it were even; far from it is a fault of the mixing.
        assert_eq!(times.len(), 20);
        assert!(times.values().all(|times| (140..=260).contains(times)), "{times:?}");
    }
}
