//! The view of who is managed and how that stands; the only files with SQL. What tells a disease of level 5 is sealed.

mod checks;
mod erased;
mod events;
mod ill;
mod list;
mod visits;

use std::collections::{BTreeMap, HashMap};

use kangmai_base::{DivisionCode, Uuid, on_all_cores};
use kangmai_database::{
    DatabaseError, InsertMany, Opener, SealedTable, Transaction, Value, in_fifties, params,
};
use kangmai_people::PERSON_REGISTERED;
use kangmai_record::{Fact, NewFact, Projection, nothing_along};
use serde::{Deserialize, Serialize};

pub use checks::{CHECKS, CheckRow, CheckSum, candidates, check, check_sums, checks, is_drawn};
pub(crate) use erased::held;
pub use events::{chart_of, events_of, events_of_people};
pub use ill::{Someone, ill_of, ill_of_people, people_after};
pub use list::{
    Count, Listed, Row, Side, Wanted, When, count, figures_of, first_of_next_month, listed, rows_of,
};
pub use visits::{Author, PlaceSum, VisitRow, VisitsWanted, authors, pattern, places, visits};

use crate::chart::{Chart, Managed, Standing};
use crate::facts::{
    CLASSIFIED, CLOSED, Classified, Closed, ENROLLED, Enrolled, HAPPENED, Happened, KINDS, MISSED, Missed,
    Outcome, REPORTED, Reported, UNDONE, Undone, VISITED, Visited,
};

/// Where what tells a disease of level 5 is sealed.
const TOLD: (&str, &str) = ("follow_up", "told_sealed");
/// What is sealed of follow-up.
pub const SEALED: &[SealedTable] = &[SealedTable { table: "follow_up", id: "id", columns: &["told_sealed"] }];

/// Of 50 people at once.
const HOMES_OF: &str = "select id, home from person where id in
    ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17,
    $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34,
    $35, $36, $37, $38, $39, $40, $41, $42, $43, $44, $45, $46, $47, $48, $49, $50)";
const FORGET: &str = "delete from follow_up where person = $1";
/// Of 50 people at once.
const CLEAR_OF: &str = "delete from follow_up where person in
    ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17,
    $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34,
    $35, $36, $37, $38, $39, $40, $41, $42, $43, $44, $45, $46, $47, $48, $49, $50)";
const PUT: InsertMany = InsertMany {
    table: "follow_up",
    columns: &[
        "id",
        "person",
        "home",
        "sensitive",
        "programme",
        "enrolled_on",
        "closed_on",
        "last_on",
        "state",
        "grade",
        "at_target",
        "figures",
        "due_on",
        "due_why",
        "missed",
        "missed_why",
        "again_on",
        "told_sealed",
        "unreached_since",
    ],
    suffix: "",
};
const MOVE: &str = "update follow_up set home = $2 where person = $1 and home <> $2";

/// The view of who is managed.
pub const FOLLOW_UPS: Projection = Projection {
    name: "follow_up",
    kinds: &[ENROLLED, CLOSED, VISITED, CLASSIFIED, MISSED, UNDONE, HAPPENED, REPORTED, PERSON_REGISTERED],
    views: &["follow_up", "follow_up_visit"],
    admit,
    apply,
    along: nothing_along,
    forget: erased::forget,
};

fn admit(fact: &NewFact) -> Result<(), kangmai_base::Refusal> {
    match fact.kind.as_str() {
        ENROLLED => fact.read_body::<Enrolled>().map(|_| ()),
        CLOSED => fact.read_body::<Closed>().map(|_| ()),
        VISITED => fact.read_body::<Visited>().map(|_| ()),
        CLASSIFIED => fact.read_body::<Classified>().map(|_| ()),
        MISSED => fact.read_body::<Missed>().map(|_| ()),
        UNDONE => fact.read_body::<Undone>().map(|_| ()),
        HAPPENED => fact.read_body::<Happened>().map(|_| ()),
        REPORTED => fact.read_body::<Reported>().map(|_| ()),
        _ => Ok(()),
    }
}

/// The rows of a person are what all facts about the person come to, so they are worked out once for each person that a
/// batch speaks of. What stands here stands where the person is at home; the register has written that before.
fn apply(tx: &mut Transaction<'_>, facts: &[&Fact]) -> Result<(), DatabaseError> {
    let (mut own, mut moved) = (Vec::new(), Vec::new());
    for fact in facts {
        let people = if KINDS.contains(&fact.new.kind.as_str()) { &mut own } else { &mut moved };
        people.push((fact.new.subject.id, fact.new.place));
    }
    for people in [&mut own, &mut moved] {
        people.sort_by_key(|(person, _)| *person);
        people.dedup_by_key(|(person, _)| *person);
    }
    let registered = moved.clone();
    moved.retain(|(person, _)| own.binary_search_by_key(person, |(known, _)| *known).is_err());
    let ids =
        |people: &[(Uuid, DivisionCode)]| people.iter().map(|(person, _)| *person).collect::<Vec<Uuid>>();
    let homes = homes_of(tx, &ids(&own))?;
    put(tx, &own, &homes, facts)?;
    for (person, home) in homes_of(tx, &ids(&moved))? {
        tx.execute(MOVE, &params![person, home])?;
    }
    for (person, home) in homes_of(tx, &ids(&registered))? {
        tx.execute(visits::MOVE, &params![person, home])?;
    }
    Ok(())
}

fn homes_of(
    tx: &mut Transaction<'_>,
    people: &[Uuid],
) -> Result<BTreeMap<Uuid, DivisionCode>, DatabaseError> {
    let mut homes = BTreeMap::new();
    for people in in_fifties(people) {
        for row in tx.query(HOMES_OF, &people)? {
            homes.insert(row.get(0)?, row.get(1)?);
        }
    }
    Ok(homes)
}

/// What of a row tells the disease: in its columns, or sealed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Told {
    programme: String,
    state: String,
    figures: String,
    due_why: String,
}

/// Writes the rows of these people anew, each at home, or where the fact about them is where the register has them no more.
fn put(
    tx: &mut Transaction<'_>,
    people: &[(Uuid, DivisionCode)],
    homes: &BTreeMap<Uuid, DivisionCode>,
    facts: &[&Fact],
) -> Result<(), DatabaseError> {
    let ids: Vec<Uuid> = people.iter().map(|(person, _)| *person).collect();
    for ids in in_fifties(&ids) {
        tx.execute(CLEAR_OF, &ids)?;
    }
    let opener = tx.opener()?;
    let events = events_of_people(tx, &ids)?;
    let chart = |(person, place): &(Uuid, DivisionCode)| {
        let events = events.get(person).map(Vec::as_slice).unwrap_or_default();
        (*person, (*homes.get(person).unwrap_or(place), Chart::of(events)))
    };
    let charts: HashMap<Uuid, (DivisionCode, Chart)> = on_all_cores(people, chart).into_iter().collect();
    let mut rows = Vec::with_capacity(people.len());
    for (person, _) in people {
        let Some((home, chart)) = charts.get(person) else { continue };
        for managed in &chart.managed {
            rows.push(row_of(&opener, (*person, *home), managed, &chart.standing(managed))?);
        }
    }
    tx.insert_many(&PUT, rows)?;
    visits::put(tx, facts, &events, &charts)
}

fn row_of(
    opener: &Opener,
    (person, home): (Uuid, DivisionCode),
    managed: &Managed,
    standing: &Standing,
) -> Result<[Value; 19], DatabaseError> {
    let body = &managed.body;
    let due = standing.due.first();
    let why = due.map_or("", |due| due.why.key());
    let told = Told {
        programme: body.programme.clone(),
        state: standing.state.clone().unwrap_or_default(),
        figures: standing.figures.clone(),
        due_why: due
            .and_then(|due| due.window.clone())
            .map_or_else(|| why.to_owned(), |id| format!("{why}.{id}")),
    };
    let (told, sealed) = if body.sensitive {
        let json = serde_json::to_string(&told).map_err(|error| DatabaseError::Refused(error.to_string()))?;
        (Told::default(), opener.sealed(TOLD, body.enrolment, &json))
    } else {
        (told, Value::Null)
    };
    Ok(params![
        body.enrolment,
        person,
        home,
        body.sensitive,
        told.programme,
        body.on,
        managed.closed.map(|(day, _)| day),
        standing.last_on,
        told.state,
        standing.grade.rank(),
        standing.at_target,
        told.figures,
        due.map(|due| due.until),
        told.due_why,
        i64::try_from(standing.missed).unwrap_or(i64::MAX),
        standing.missed_why.map_or("", Outcome::key),
        standing.again_on,
        sealed,
        standing.unreached_since
    ])
}
