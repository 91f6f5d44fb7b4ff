//! Runs that are kept, so that one can return to them, with the people and households that they move.

use kangmai_access::{Actor, Reach};
use kangmai_base::{DivisionCode, DivisionLevel, Fen, Moment, Uuid};
use kangmai_database::{DatabaseError, InsertMany, Row, Transaction, params};
use kangmai_people::{Label, read_name};

use crate::result::{HouseholdLine, Outcome, Pair, PersonLine};

const COLUMNS_OF: &str =
    "select id, place, insurance_year, name, begun_at, touched_at, changes, law, state, bills_read,
    bills_in_all, result from what_if_run where id = $1 and place between $2 and $3";
const LIST: &str = "select id, place, insurance_year, name, begun_at, touched_at, changes, law, state, bills_read,
    bills_in_all, result from what_if_run where place between $1 and $2 order by begun_at desc, id desc limit $3";
const PUT: &str = "insert into what_if_run (id, place, insurance_year, account, name, begun_at, touched_at, changes, law,
    state, bills_read, bills_in_all, result) values ($1, $2, $3, $4, $5, $6, $6, $7, $8, 'running', 0, 0, null)";
const TOUCH: &str = "update what_if_run set touched_at = $2, bills_read = $3, bills_in_all = $4
    where id = $1 and state = 'running'";
const FINISH: &str = "update what_if_run set state = $2, result = $3, touched_at = $4 where id = $1";
const OLD: &str =
    "select id from what_if_run where place = $1 order by begun_at desc, id desc limit 1000 offset $2";
const DROP_RUN: &str = "delete from what_if_run where id = $1";
const DROP_PEOPLE: &str = "delete from what_if_person where run = $1";
const DROP_HOUSEHOLDS: &str = "delete from what_if_household where run = $1";
const PUT_PEOPLE: InsertMany = InsertMany {
    table: "what_if_person",
    columns: &["run", "person", "household", "home", "label", "own_before", "own_after", "difference"],
    suffix: "",
};
const PUT_HOUSEHOLDS: InsertMany = InsertMany {
    table: "what_if_household",
    columns: &["run", "household", "home", "own_before", "own_after", "line", "is_newly_over"],
    suffix: "",
};
const LOSE: &str =
    "select what_if_person.person, what_if_person.household, what_if_person.home, what_if_person.label,
    what_if_person.own_before, what_if_person.own_after, person.name_sealed from what_if_person
    left join person on person.id = what_if_person.person
    where what_if_person.run = $1 and what_if_person.home between $2 and $3
    and what_if_person.difference between $4 and $5
    and (cast($6 as text) is null or what_if_person.label = $6)
    order by what_if_person.difference desc, what_if_person.person limit $7 offset $8";
const GAIN: &str =
    "select what_if_person.person, what_if_person.household, what_if_person.home, what_if_person.label,
    what_if_person.own_before, what_if_person.own_after, person.name_sealed from what_if_person
    left join person on person.id = what_if_person.person
    where what_if_person.run = $1 and what_if_person.home between $2 and $3
    and what_if_person.difference between $4 and $5
    and (cast($6 as text) is null or what_if_person.label = $6)
    order by what_if_person.difference, what_if_person.person limit $7 offset $8";
const COUNT_PEOPLE: &str = "select count(*) from what_if_person where run = $1 and home between $2 and $3
    and difference between $4 and $5 and (cast($6 as text) is null or label = $6)";
const HOUSEHOLDS: &str =
    "select what_if_household.household, what_if_household.home, what_if_household.own_before,
    what_if_household.own_after, what_if_household.line, what_if_household.is_newly_over,
    (select person.name_sealed from household join person on person.id = household.head
        where household.id = what_if_household.household),
    (select household.head from household where household.id = what_if_household.household)
    from what_if_household where run = $1 and home between $2 and $3
    and (cast($4 as boolean) is null or is_newly_over = $4)
    order by is_newly_over desc, own_after - own_before desc, household limit $5";

/// A run that says nothing for so long has broken off, in seconds.
const SILENT_FOR: i64 = 60;
/// Runs of a place that are kept.
const MOST_RUNS: i64 = 100;

/// How far a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunState {
    /// Under way.
    Running,
    /// Done.
    Done,
    /// It could not be done.
    Failed,
    /// The program ended in the middle of it.
    BrokenOff,
}

/// A run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunRow {
    /// Which.
    pub id: Uuid,
    /// Of which place.
    pub place: DivisionCode,
    /// Of which year.
    pub year: i32,
    /// Who began it.
    pub name: String,
    /// When.
    pub begun_at: Moment,
    /// The changes.
    pub changes: Vec<String>,
    /// Hash of the release that they are laid over.
    pub law: String,
    /// How far.
    pub state: RunState,
    /// Bills read so far.
    pub bills_read: i64,
    /// Bills of the year.
    pub bills_in_all: i64,
    /// What it came to.
    pub outcome: Option<Outcome>,
}

fn read(row: &Row, now: Moment) -> Result<RunRow, DatabaseError> {
    let (touched_at, state): (Moment, String) = (row.get(5)?, row.get(8)?);
    let (changes, result): (String, Option<String>) = (row.get(6)?, row.get(11)?);
    let state = match state.as_str() {
        "done" => RunState::Done,
        "running" if touched_at.plus_seconds(SILENT_FOR) >= now => RunState::Running,
        "running" => RunState::BrokenOff,
        _ => RunState::Failed,
    };
    let wrong = |column| DatabaseError::WrongType { column, expected: "JSON of a run" };
    let outcome = result.map(|result| serde_json::from_str(&result).map_err(|_| wrong(11)));
    Ok(RunRow {
        id: row.get(0)?,
        place: row.get(1)?,
        year: row.get(2)?,
        name: row.get(3)?,
        begun_at: row.get(4)?,
        changes: serde_json::from_str(&changes).map_err(|_| wrong(6))?,
        law: row.get(7)?,
        state,
        bills_read: row.get(9)?,
        bills_in_all: row.get(10)?,
        outcome: outcome.transpose()?,
    })
}

/// A run within reach.
///
/// # Errors
/// When the database fails.
pub fn run_row(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    id: Uuid,
    now: Moment,
) -> Result<Option<RunRow>, DatabaseError> {
    let row = tx.query_one(COLUMNS_OF, &params![id, reach.first(), reach.last()])?;
    row.map(|row| read(&row, now)).transpose()
}

/// The runs within reach, the latest first.
///
/// # Errors
/// When the database fails.
pub fn runs(tx: &mut Transaction<'_>, reach: &Reach, now: Moment) -> Result<Vec<RunRow>, DatabaseError> {
    let rows = tx.query(LIST, &params![reach.first(), reach.last(), MOST_RUNS])?;
    rows.iter().map(|row| read(row, now)).collect()
}

/// Notes that a run has begun; the oldest of the place make room.
///
/// # Errors
/// When the database fails.
pub fn put_run(
    tx: &mut Transaction<'_>,
    id: Uuid,
    actor: &Actor,
    (place, year): (DivisionCode, i32),
    (changes, law): (&[String], &str),
    now: Moment,
) -> Result<(), DatabaseError> {
    let changes =
        serde_json::to_string(changes).map_err(|error| DatabaseError::Refused(error.to_string()))?;
    tx.execute(PUT, &params![id, place, year, actor.account, &actor.name, now, changes, law])?;
    let old: Vec<Uuid> =
        tx.query(OLD, &params![place, MOST_RUNS])?.iter().map(|row| row.get(0)).collect::<Result<_, _>>()?;
    old.into_iter().try_for_each(|run| drop_run(tx, run))
}

/// Notes how far a run has come.
///
/// # Errors
/// When the database fails.
pub fn touch_run(
    tx: &mut Transaction<'_>,
    id: Uuid,
    (bills_read, bills_in_all): (i64, i64),
    now: Moment,
) -> Result<(), DatabaseError> {
    tx.execute(TOUCH, &params![id, now, bills_read, bills_in_all]).map(|_| ())
}

/// Keeps what a run came to.
///
/// # Errors
/// When the database fails.
pub fn write_result(
    tx: &mut Transaction<'_>,
    id: Uuid,
    (outcome, people, households): (&Outcome, &[PersonLine], &[HouseholdLine]),
    now: Moment,
) -> Result<(), DatabaseError> {
    let result = serde_json::to_string(outcome).map_err(|error| DatabaseError::Refused(error.to_string()))?;
    tx.execute(FINISH, &params![id, "done", result, now])?;
    tx.insert_many(
        &PUT_PEOPLE,
        people.iter().map(|line| {
            let (before, after) = (line.own.before, line.own.after);
            params![
                id,
                line.person,
                line.household,
                line.home,
                line.label,
                before,
                after,
                line.own.difference()
            ]
        }),
    )?;
    tx.insert_many(
        &PUT_HOUSEHOLDS,
        households.iter().map(|line| {
            let (before, after) = (line.own.before, line.own.after);
            params![id, line.household, line.home, before, after, line.line, line.is_newly_over]
        }),
    )?;
    Ok(())
}

/// Notes that a run could not be done.
///
/// # Errors
/// When the database fails.
pub fn write_failure(tx: &mut Transaction<'_>, id: Uuid, now: Moment) -> Result<(), DatabaseError> {
    tx.execute(FINISH, &params![id, "failed", None::<String>, now]).map(|_| ())
}

/// Forgets a run with its lists.
///
/// # Errors
/// When the database fails.
pub fn drop_run(tx: &mut Transaction<'_>, id: Uuid) -> Result<(), DatabaseError> {
    for statement in [DROP_PEOPLE, DROP_HOUSEHOLDS, DROP_RUN] {
        tx.execute(statement, &params![id])?;
    }
    Ok(())
}

/// Which of the people that a run moves: from a difference to a difference, at a place, with a label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// Whether those who bear more, the most first; else those who bear less.
    pub lose: bool,
    /// Least and greatest difference, both above zero.
    pub between: (i64, i64),
    /// Only those with this label; the empty one is nobody's.
    pub label: Option<String>,
}

impl Moved {
    fn range(&self) -> (i64, i64) {
        let (least, most) = self.between;
        if self.lose { (least, most) } else { (-most, -least) }
    }
}

/// The people that a run moves, those first whom it moves most, each with the name.
///
/// # Errors
/// When the database fails.
pub fn moved_people(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    (run, moved): (Uuid, &Moved),
    (limit, offset): (i64, i64),
) -> Result<Vec<(PersonLine, String)>, DatabaseError> {
    let (least, most) = moved.range();
    let statement = if moved.lose { LOSE } else { GAIN };
    let asked = params![run, reach.first(), reach.last(), least, most, moved.label.clone(), limit, offset];
    let opener = tx.opener()?;
    let rows = tx.query(statement, &asked)?;
    let read = |row: &Row| {
        let label: String = row.get(3)?;
        let line = PersonLine {
            person: row.get(0)?,
            household: row.get(1)?,
            home: row.get(2)?,
            label: Label::of_key(&label).map_or("", Label::key),
            own: Pair { before: row.get(4)?, after: row.get(5)? },
        };
        Ok((line, read_name(&opener, row, (0, 6))?))
    };
    rows.iter().map(read).collect()
}

/// How many they are.
///
/// # Errors
/// When the database fails.
pub fn people_count(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    (run, moved): (Uuid, &Moved),
) -> Result<i64, DatabaseError> {
    let (least, most) = moved.range();
    let asked = params![run, reach.first(), reach.last(), least, most, moved.label.clone()];
    tx.query_one(COUNT_PEOPLE, &asked)?.map_or(Ok(0), |row| row.get(0))
}

/// The households that a run moves over the line, or back, each with the name of its head.
///
/// # Errors
/// When the database fails.
pub fn crossing_households(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    (run, newly_over): (Uuid, Option<bool>),
    limit: i64,
) -> Result<Vec<(HouseholdLine, String)>, DatabaseError> {
    let opener = tx.opener()?;
    let rows = tx.query(HOUSEHOLDS, &params![run, reach.first(), reach.last(), newly_over, limit])?;
    let read = |row: &Row| {
        let own = Pair { before: row.get::<Fen>(2)?, after: row.get(3)? };
        let line = HouseholdLine {
            household: row.get(0)?,
            home: row.get(1)?,
            own,
            line: row.get(4)?,
            is_newly_over: row.get(5)?,
        };
        Ok((line, read_name(&opener, row, (7, 6))?))
    };
    rows.iter().map(read).collect()
}

/// The level by which a run of `place` is broken down.
pub fn level_below(place: DivisionCode) -> DivisionLevel {
    match place.level() {
        Some(DivisionLevel::Township | DivisionLevel::Village) => DivisionLevel::Village,
        Some(DivisionLevel::County) => DivisionLevel::Township,
        Some(DivisionLevel::City) => DivisionLevel::County,
        Some(DivisionLevel::Province) => DivisionLevel::City,
        None => DivisionLevel::Province,
    }
}
