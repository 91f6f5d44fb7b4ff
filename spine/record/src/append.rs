//! Appending facts.

use std::collections::{BTreeMap, HashSet};

use kangmai_base::{DivisionCode, Moment, Refusal, Uuid, on_all_cores};
use kangmai_database::{DatabaseError, SealedTable, Transaction};

use crate::{Fact, NewFact, Projection, park, store};

/// The record: the projections that derive views of its facts.
#[derive(Debug, Clone)]
pub struct Record {
    projections: Vec<Projection>,
    sealed: Vec<SealedTable>,
}

/// What became of one fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Appended {
    /// It is in the record now.
    Accepted,
    /// It was there already, the same to the letter; or it was erased, and does not come back.
    Duplicate,
    /// It was put aside; someone will look.
    Parked(Refusal),
}

impl Record {
    /// Facts that one call takes.
    pub const BATCH: usize = 5_000;
    /// The longest body, in bytes: a bill of 10,000 lines, the longest thing that is one fact, stays below it.
    pub const BODY_BYTES: usize = 8 * 1024 * 1024;

    /// A record with these projections, applied in this order.
    pub fn new(projections: Vec<Projection>) -> Record {
        Record { projections, sealed: Vec::new() }
    }

    /// The same, of whose views these have sealed columns: [`crate::rebuild`] compares what they hold, under whichever key.
    #[must_use]
    pub fn with_sealed(self, sealed: Vec<SealedTable>) -> Record {
        Record { sealed, ..self }
    }

    pub(crate) fn sealed_view(&self, view: &str) -> Option<SealedTable> {
        self.sealed.iter().copied().find(|sealed| sealed.table == view)
    }

    /// The projections.
    pub fn projections(&self) -> &[Projection] {
        &self.projections
    }

    /// Appends facts and writes the views derived of them, in the caller's transaction. Answers for each fact, in
    /// order. The facts are answered for only once that transaction is committed.
    ///
    /// # Errors
    /// When the database fails, when a projection cannot read an admitted fact, or past [`Record::BATCH`] facts.
    pub fn append(
        &self,
        tx: &mut Transaction<'_>,
        now: Moment,
        facts: Vec<NewFact>,
    ) -> Result<Vec<Appended>, DatabaseError> {
        if facts.len() > Record::BATCH {
            return Err(DatabaseError::Refused(format!("more than {} facts at once", Record::BATCH)));
        }
        let mut answers = Vec::with_capacity(facts.len());
        let mut accepted = Vec::with_capacity(facts.len());
        let mut seen = std::collections::HashMap::with_capacity(facts.len());
        let ids: Vec<Uuid> = facts.iter().map(|fact| fact.id).collect();
        let there = store::facts_there(tx, &ids)?;
        let admitted = on_all_cores(&facts, |fact| self.admit(fact));
        for (fact, admitted) in facts.into_iter().zip(admitted) {
            let answer = match seen.get(&fact.id) {
                Some(&index) if accepted.get(index) == Some(&fact) => Appended::Duplicate,
                Some(_) => Appended::Parked(Refusal::new("record.parked.other_content")),
                None => judge(tx, &fact, there.get(&fact.id).copied(), admitted)?,
            };
            match &answer {
                Appended::Accepted => {
                    seen.insert(fact.id, accepted.len());
                    accepted.push(fact);
                }
                Appended::Duplicate => {}
                Appended::Parked(refusal) => park::park(tx, now, &fact, refusal)?,
            }
            answers.push(answer);
        }
        let facts = number(tx, now, accepted)?;
        store::insert_facts(tx, &facts)?;
        self.project(tx, &facts)?;
        Ok(answers)
    }

    /// As [`append`](Record::append), where a person or a system waits for the answer: a fact that would be put aside is
    /// refused instead, with all that was written with it, and whoever waits hears why.
    ///
    /// # Errors
    /// As [`append`](Record::append); [`DatabaseError::NotKept`] with the sentence.
    pub fn keep(
        &self,
        tx: &mut Transaction<'_>,
        now: Moment,
        facts: Vec<NewFact>,
    ) -> Result<(), DatabaseError> {
        let parked = self.append(tx, now, facts)?.into_iter().find_map(|answer| match answer {
            Appended::Parked(refusal) => Some(refusal),
            Appended::Accepted | Appended::Duplicate => None,
        });
        parked.map_or(Ok(()), |refusal| Err(DatabaseError::NotKept(refusal)))
    }

    /// Whether the fact may be one, by itself.
    fn admit(&self, fact: &NewFact) -> Result<(), Refusal> {
        if fact.body.len() > Record::BODY_BYTES {
            let most = Record::BODY_BYTES.to_string();
            return Err(Refusal::new("record.parked.too_long").with("most", most));
        }
        let mut readers = self.projections.iter().filter(|projection| reads(projection, &fact.kind));
        readers.try_for_each(|projection| (projection.admit)(fact))
    }

    pub(crate) fn project(&self, tx: &mut Transaction<'_>, facts: &[Fact]) -> Result<(), DatabaseError> {
        for projection in &self.projections {
            let read: Vec<&Fact> = facts.iter().filter(|fact| reads(projection, &fact.new.kind)).collect();
            if !read.is_empty() {
                (projection.apply)(tx, &read)?;
            }
        }
        Ok(())
    }
}

/// `is_erased`: of one that is there already, whether it was erased or cut.
fn judge(
    tx: &mut Transaction<'_>,
    fact: &NewFact,
    is_erased: Option<bool>,
    admitted: Result<(), Refusal>,
) -> Result<Appended, DatabaseError> {
    if is_erased == Some(true) {
        return Ok(Appended::Duplicate);
    }
    if is_erased.is_some()
        && let Some(there) = store::fact(tx, fact.id)?
    {
        if there.new == *fact {
            return Ok(Appended::Duplicate);
        }
        tracing::error!(fact = %fact.id, kind = fact.kind, "a fact came again with other content");
        return Ok(Appended::Parked(Refusal::new("record.parked.other_content")));
    }
    Ok(admitted.map_or_else(Appended::Parked, |()| Appended::Accepted))
}

fn reads(projection: &Projection, kind: &str) -> bool {
    projection.kinds.contains(&kind)
}

/// Gives each fact the next number of its place. Places are taken in rising order, so that two transactions cannot
/// wait for each other.
fn number(tx: &mut Transaction<'_>, now: Moment, facts: Vec<NewFact>) -> Result<Vec<Fact>, DatabaseError> {
    let mut counts: BTreeMap<DivisionCode, i64> = BTreeMap::new();
    for fact in &facts {
        *counts.entry(fact.place).or_default() += 1;
    }
    let mut next = BTreeMap::new();
    for (place, count) in counts {
        let last = store::take_numbers(tx, place, count)?;
        next.insert(place, last - count + 1);
    }
    let latest = now.plus_seconds(Fact::CLOCK_TOLERANCE_SECONDS);
    // A clock that stands still or was set back must not put a fact before those that it follows: views are worked out in
    // this order.
    let received_at = match store::latest_receipt(tx)? {
        Some(last) if last >= now => Moment(last.0 + 1),
        _ => now,
    };
    Ok(facts
        .into_iter()
        .map(|new| {
            let number = next.entry(new.place).or_insert(1);
            let place_sequence = *number;
            *number += 1;
            Fact { received_at, clock_fault: new.recorded_at > latest, place_sequence, new }
        })
        .collect())
}

/// Which of these identifiers facts of the record bear already.
///
/// # Errors
/// When the database fails.
pub fn known_facts(tx: &mut Transaction<'_>, ids: &[Uuid]) -> Result<HashSet<Uuid>, DatabaseError> {
    Ok(store::facts_there(tx, ids)?.into_keys().collect())
}
