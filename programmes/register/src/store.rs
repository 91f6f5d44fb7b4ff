//! The views of the register; the only file with SQL. Persons, households and labels are tables of `kangmai_people`,
//! institutions of `kangmai_places`; this programme writes them as its facts tell, and owns the table of records that are
//! alike.

mod forget;
pub mod rights;

use kangmai_access::Reach;
use kangmai_base::{Day, Id, Moment, Uuid};
use kangmai_database::{DatabaseError, Row, Transaction, params};
use kangmai_people::{
    Household, HouseholdBody, Person, PersonBody, PersonId, put_households, put_persons, set_same_as,
};
use kangmai_places::{Institution, InstitutionBody, put_institutions};
use kangmai_record::{Fact, Projection, nothing_along, nothing_to_forget};

use crate::facts::{
    CANDIDATE_FOUND, CandidateFound, Decision, HOUSEHOLD, INSTITUTION, PERSON, SAME_PERSON_DECIDED,
    SamePersonDecided, admit,
};

const ADD_CANDIDATE: &str = "insert into identity_candidate (one, other, found_on, state, reason)
    values ($1, $2, $3, 'open', '') on conflict (one, other) do nothing";
const DECIDE: &str = "insert into identity_candidate
    (one, other, found_on, state, reason, decided_at, decided_by) values ($1, $2, $3, $4, $5, $6, $7)
    on conflict (one, other) do update set state = excluded.state, reason = excluded.reason,
        decided_at = excluded.decided_at, decided_by = excluded.decided_by";
const CANDIDATES: &str = "select identity_candidate.one, identity_candidate.other, identity_candidate.found_on,
    identity_candidate.state, identity_candidate.reason from identity_candidate
    join person as first on first.id = identity_candidate.one
    join person as second on second.id = identity_candidate.other
    where identity_candidate.state = $1 and first.home between $2 and $3 and second.home between $2 and $3
    order by identity_candidate.found_on, identity_candidate.one, identity_candidate.other limit $4 offset $5";
const COUNT_CANDIDATES: &str = "select count(*) from identity_candidate
    join person as first on first.id = identity_candidate.one
    join person as second on second.id = identity_candidate.other
    where identity_candidate.state = $1 and first.home between $2 and $3 and second.home between $2 and $3";
const CANDIDATE: &str = "select one, other, found_on, state, reason from identity_candidate
    where one = $1 and other = $2";
const CANDIDATES_OF: &str = "select one, other, found_on, state, reason from identity_candidate
    where one = $1 or other = $1 order by found_on, one, other limit 20";

/// The view of persons, households, labels and records that are alike.
pub const REGISTER: Projection = Projection {
    name: "register",
    kinds: &[HOUSEHOLD, PERSON, CANDIDATE_FOUND, SAME_PERSON_DECIDED],
    views: &["household", "person", "person_label", "person_name_key", "identity_candidate"],
    admit,
    apply,
    along: forget::along,
    forget: forget::forget,
};

/// The view of institutions.
pub const INSTITUTIONS: Projection = Projection {
    name: "institutions",
    kinds: &[INSTITUTION],
    views: &["institution", "institution_capability"],
    admit,
    apply: apply_institutions,
    along: nothing_along,
    forget: nothing_to_forget,
};

fn apply(tx: &mut Transaction<'_>, facts: &[&Fact]) -> Result<(), DatabaseError> {
    let mut households = Vec::new();
    let mut persons = Vec::new();
    for fact in facts {
        let (id, place) = (fact.new.subject.id, fact.new.place);
        match fact.new.kind.as_str() {
            HOUSEHOLD => {
                households.push(Household {
                    id: Id::from_uuid(id),
                    place,
                    body: fact.body::<HouseholdBody>()?,
                });
            }
            PERSON => {
                persons.push(Person { id: Id::from_uuid(id), home: place, body: fact.body::<PersonBody>()? });
            }
            _ => {}
        }
    }
    put_households(tx, &households)?;
    put_persons(tx, &persons)?;
    // What was decided about records touches other columns than what the records say, so it may come after.
    for fact in facts {
        let one = fact.new.subject.id;
        match fact.new.kind.as_str() {
            CANDIDATE_FOUND => {
                let body: CandidateFound = fact.body()?;
                tx.execute(ADD_CANDIDATE, &params![one, body.other, fact.new.occurred_at.day()])?;
            }
            SAME_PERSON_DECIDED => {
                let body: SamePersonDecided = fact.body()?;
                decide(tx, fact, one, &body)?;
            }
            _ => {}
        }
    }
    Ok(())
}

fn decide(
    tx: &mut Transaction<'_>,
    fact: &Fact,
    one: Uuid,
    body: &SamePersonDecided,
) -> Result<(), DatabaseError> {
    let at: Moment = fact.new.occurred_at;
    let params =
        params![one, body.other, at.day(), body.decision.key(), body.reason.as_str(), at, fact.new.author];
    tx.execute(DECIDE, &params)?;
    let same = (body.decision == Decision::Same).then(|| Id::from_uuid(body.other));
    set_same_as(tx, Id::from_uuid(one), same)
}

fn apply_institutions(tx: &mut Transaction<'_>, facts: &[&Fact]) -> Result<(), DatabaseError> {
    let institutions = facts
        .iter()
        .map(|fact| {
            let body: InstitutionBody = fact.body()?;
            Ok(Institution { id: Id::from_uuid(fact.new.subject.id), place: fact.new.place, body })
        })
        .collect::<Result<Vec<_>, DatabaseError>>()?;
    put_institutions(tx, &institutions)
}

/// Two records that are alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The record that came later.
    pub one: PersonId,
    /// The record that was there before.
    pub other: PersonId,
    /// The day on which it was noticed.
    pub found_on: Day,
    /// `open`, `same` or `not_same`.
    pub state: String,
    /// Why it was decided so.
    pub reason: String,
}

fn read_candidate(row: &Row) -> Result<Candidate, DatabaseError> {
    Ok(Candidate {
        one: row.get(0)?,
        other: row.get(1)?,
        found_on: row.get(2)?,
        state: row.get(3)?,
        reason: row.get(4)?,
    })
}

/// The pairs in `state` of which both records are within reach, oldest first.
///
/// # Errors
/// When the database fails.
pub fn candidates(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    state: &str,
    offset: i64,
    limit: i64,
) -> Result<Vec<Candidate>, DatabaseError> {
    let rows = tx.query(CANDIDATES, &params![state, reach.first(), reach.last(), limit, offset])?;
    rows.iter().map(read_candidate).collect()
}

/// How many pairs are in `state` of which both records are within reach.
///
/// # Errors
/// When the database fails.
pub fn count_candidates(tx: &mut Transaction<'_>, reach: &Reach, state: &str) -> Result<i64, DatabaseError> {
    let row = tx.query_one(COUNT_CANDIDATES, &params![state, reach.first(), reach.last()])?;
    row.map_or(Ok(0), |row| row.get(0))
}

/// The pair, if it is one. The caller asks access for both records.
///
/// # Errors
/// When the database fails.
pub fn candidate(
    tx: &mut Transaction<'_>,
    one: PersonId,
    other: PersonId,
) -> Result<Option<Candidate>, DatabaseError> {
    tx.query_one(CANDIDATE, &params![one, other])?.as_ref().map(read_candidate).transpose()
}

/// The pairs that a record is in, at most 20. The caller asks access for the other records.
///
/// # Errors
/// When the database fails.
pub fn candidates_of(tx: &mut Transaction<'_>, person: PersonId) -> Result<Vec<Candidate>, DatabaseError> {
    tx.query(CANDIDATES_OF, &params![person])?.iter().map(read_candidate).collect()
}
