//! The view of hand-overs and the relations that they give; the only files with SQL.

mod elsewhere;
mod evidence;
mod list;

use std::collections::BTreeSet;

use kangmai_access::{NO_TERM, NewRelation, Related, RelationKind, relate_anew};
use kangmai_base::{Moment, Uuid};
use kangmai_database::{DatabaseError, InsertMany, Opener, Row, Transaction, in_fifties, params};
use kangmai_people::{PERSON_REGISTERED, Person};
use kangmai_programme::Holding;
use kangmai_record::{Fact, NewFact, Projection, Subject, SubjectKind, nothing_along, open_body_by};
use serde::de::DeserializeOwned;

pub use elsewhere::{Elsewhere, Where, count_elsewhere, elsewhere};
pub use evidence::{Done, Evidence, EvidenceWanted, Month, count_evidence, done_of, evidence};
pub use list::{Listed, Wanted, count, count_to_answer, listed, person_of};

use crate::facts::{ANSWERED, ASKED, Answered, Asked, ENDED, Ended, KINDS};
use crate::rules::{Event, HandOver, What, hand_overs};

const EVENTS: &str = "select id, kind, place, received_at, body, body_sealed from fact
    where subject = $1 and kind in ('residence.asked', 'residence.answered', 'residence.ended', 'register.person')
    and erased_at is null order by received_at, place, place_sequence limit 10000";
/// Of 50 people at once.
const HANDED_OVER_OF: &str = "select distinct person from hand_over where person in
    ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17,
    $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34,
    $35, $36, $37, $38, $39, $40, $41, $42, $43, $44, $45, $46, $47, $48, $49, $50)";
const CLEAR: &str = "delete from hand_over where person = $1";
const PUT: InsertMany = InsertMany {
    table: "hand_over",
    columns: &[
        "id",
        "person",
        "home",
        "living",
        "side",
        "asked_on",
        "answer",
        "from_on",
        "ended_on",
        "ended_why",
    ],
    suffix: "",
};

/// The view of hand-overs.
pub const HAND_OVERS: Projection = Projection {
    name: "hand_overs",
    kinds: &[ASKED, ANSWERED, ENDED, PERSON_REGISTERED],
    views: &["hand_over"],
    admit,
    apply,
    along: nothing_along,
    forget,
};

fn admit(fact: &NewFact) -> Result<(), kangmai_base::Refusal> {
    match fact.kind.as_str() {
        ASKED => fact.read_body::<Asked>().map(|_| ()),
        ANSWERED => fact.read_body::<Answered>().map(|_| ()),
        ENDED => fact.read_body::<Ended>().map(|_| ()),
        _ => Ok(()),
    }
}

/// The rows of a person, and the relations of the serving places, are what all facts about the person come to. Of people whom the
/// register tells, only those matter who were handed over.
fn apply(tx: &mut Transaction<'_>, facts: &[&Fact]) -> Result<(), DatabaseError> {
    let (mut people, mut registered) = (BTreeSet::new(), Vec::new());
    for fact in facts {
        if KINDS.contains(&fact.new.kind.as_str()) {
            people.insert(fact.new.subject.id);
        } else {
            registered.push(fact.new.subject.id);
        }
    }
    for some in in_fifties(&registered) {
        for row in tx.query(HANDED_OVER_OF, &some)? {
            people.insert(row.get(0)?);
        }
    }
    for person in people {
        put(tx, person)?;
    }
    Ok(())
}

fn put(tx: &mut Transaction<'_>, person: Uuid) -> Result<(), DatabaseError> {
    let all = of_person(tx, person)?;
    tx.execute(CLEAR, &params![person])?;
    let rows = all.iter().map(|one| {
        let answer = match (one.is_refused(), one.from_on()) {
            (true, _) => "refused",
            (_, Some(_)) => "accepted",
            (_, None) => "waiting",
        };
        params![
            one.id(),
            person,
            one.home,
            one.asked.living,
            one.asked.side.key(),
            one.asked.on,
            answer,
            one.from_on(),
            one.ended.map(|(on, _)| on),
            one.ended.map_or("", |(_, why)| why.key())
        ]
    });
    tx.insert_many(&PUT, rows)?;
    for one in &all {
        relate_anew(tx, one.id(), relation(person, one).as_slice())?;
    }
    Ok(())
}

/// What the place of living reaches, and for how long.
fn relation(person: Uuid, one: &HandOver) -> Option<NewRelation> {
    let (from, until) = one.days()?;
    Some(NewRelation {
        id: one.id(),
        person,
        kind: RelationKind::Serving,
        whose: Related::Place(one.asked.living),
        from: Moment::start_of(from),
        until: until.map_or(NO_TERM, Moment::start_of),
        source: one.id(),
    })
}

fn forget(tx: &mut Transaction<'_>, subject: Subject) -> Result<(), DatabaseError> {
    if subject.kind == SubjectKind::Person {
        tx.execute(CLEAR, &params![subject.id])?;
    }
    Ok(())
}

/// All hand-overs of a person, in the order in which they were asked for.
///
/// # Errors
/// When the database fails or a fact cannot be read.
pub fn of_person(tx: &mut Transaction<'_>, person: Uuid) -> Result<Vec<HandOver>, DatabaseError> {
    let rows = tx.query(EVENTS, &params![person])?;
    let opener = tx.opener()?;
    let events: Vec<Event> = rows.iter().map(|row| event(&opener, row)).collect::<Result<_, _>>()?;
    Ok(hand_overs(&events))
}

fn event(opener: &Opener, row: &Row) -> Result<Event, DatabaseError> {
    let (id, kind): (Uuid, String) = (row.get(0)?, row.get(1)?);
    let received_at: Moment = row.get(3)?;
    let body = || open_body_by(opener, id, (row.get(4)?, row.get(5)?));
    let what = match kind.as_str() {
        ASKED => What::Asked(read(&body()?)?),
        ANSWERED => What::Answered(read(&body()?)?),
        ENDED => What::Ended(read(&body()?)?),
        _ => What::Registered,
    };
    Ok(Event { place: row.get(2)?, on: received_at.day(), what })
}

fn read<T: DeserializeOwned>(body: &str) -> Result<T, DatabaseError> {
    serde_json::from_str(body).map_err(|_| DatabaseError::WrongType { column: 4, expected: "hand-over" })
}

/// Where somebody lived and who was asked: no law asks that it be kept.
pub(crate) fn held(
    tx: &mut Transaction<'_>,
    person: &Person,
    _: bool,
) -> Result<Vec<Holding>, DatabaseError> {
    let all = of_person(tx, person.id.uuid())?;
    let count = i64::try_from(all.len()).unwrap_or(i64::MAX);
    let latest = all.iter().map(|one| one.asked.on).max();
    Ok(vec![Holding { word: "residence.held", class: None, count, latest }])
}
