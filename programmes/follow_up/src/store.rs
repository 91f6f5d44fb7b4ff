//! The view of who is managed and how that stands; the only files with SQL. What tells a disease of level 5 is sealed.

mod erased;
mod events;
mod ill;
mod list;

use kangmai_base::{DivisionCode, Uuid};
use kangmai_database::{DatabaseError, SealedTable, Transaction, Value, params};
use kangmai_people::PERSON_REGISTERED;
use kangmai_record::{Fact, NewFact, Projection, nothing_along};
use serde::{Deserialize, Serialize};

pub(crate) use erased::held;
pub use events::{chart_of, events_of};
pub use ill::{Someone, ill_of, people_after};
pub use list::{Count, Listed, Row, Wanted, When, count, figures_of, listed, rows_of};

use crate::chart::{Chart, Managed, Standing};
use crate::facts::{
    CLASSIFIED, CLOSED, Classified, Closed, ENROLLED, Enrolled, KINDS, MISSED, Missed, Outcome, UNDONE,
    Undone, VISITED, Visited,
};

/// Where what tells a disease of level 5 is sealed.
const TOLD: (&str, &str) = ("follow_up", "told_sealed");
/// What is sealed of follow-up.
pub const SEALED: &[SealedTable] = &[SealedTable { table: "follow_up", id: "id", columns: &["told_sealed"] }];

const HOME_OF: &str = "select home from person where id = $1";
const FORGET: &str = "delete from follow_up where person = $1";
const PUT: &str =
    "insert into follow_up (id, person, home, sensitive, programme, enrolled_on, closed_on, last_on, state,
    grade, at_target, figures, due_on, due_why, missed, missed_why, again_on, told_sealed)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)";
const MOVE: &str = "update follow_up set home = $2 where person = $1 and home <> $2";

/// The view of who is managed.
pub const FOLLOW_UPS: Projection = Projection {
    name: "follow_up",
    kinds: &[ENROLLED, CLOSED, VISITED, CLASSIFIED, MISSED, UNDONE, PERSON_REGISTERED],
    views: &["follow_up"],
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
    for (person, place) in &own {
        let home = tx.query_one(HOME_OF, &params![*person])?.map(|row| row.get(0)).transpose()?;
        put(tx, *person, home.unwrap_or(*place))?;
    }
    for (person, _) in moved.iter().filter(|(person, _)| own.iter().all(|(known, _)| known != person)) {
        let home = tx.query_one(HOME_OF, &params![*person])?;
        let home: Option<DivisionCode> = home.map(|row| row.get(0)).transpose()?;
        if let Some(home) = home {
            tx.execute(MOVE, &params![*person, home])?;
        }
    }
    Ok(())
}

/// What of a row tells the disease: in its columns, or sealed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Told {
    programme: String,
    state: String,
    figures: String,
    due_why: String,
}

fn put(tx: &mut Transaction<'_>, person: Uuid, home: DivisionCode) -> Result<(), DatabaseError> {
    let chart = Chart::of(&events_of(tx, person)?);
    tx.execute(FORGET, &params![person])?;
    for managed in &chart.managed {
        put_row(tx, (person, home), managed, &chart.standing(managed))?;
    }
    Ok(())
}

fn put_row(
    tx: &mut Transaction<'_>,
    (person, home): (Uuid, DivisionCode),
    managed: &Managed,
    standing: &Standing,
) -> Result<(), DatabaseError> {
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
        (Told::default(), tx.sealed(TOLD, body.enrolment, Some(&json))?)
    } else {
        (told, Value::Null)
    };
    tx.execute(
        PUT,
        &params![
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
            sealed
        ],
    )?;
    Ok(())
}
