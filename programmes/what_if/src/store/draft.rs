//! Drafts, their files and their history. Steps are only ever added.

use kangmai_access::{Actor, Reach};
use kangmai_base::{Day, DivisionCode, Moment, Uuid};
use kangmai_database::{DatabaseError, InsertMany, Row, Transaction, params};

use crate::draft::{AcceptedMutant, Draft, DraftFile, DraftState, Judged, Judging, SILENT_FOR, Step};

const PUT: &str =
    "insert into policy_draft (id, place, title, made_from, state, author, author_name, begun_at,
    changed_at, revision) values ($1, $2, $3, $4, 'open', $5, $6, $7, $7, 1)";
const LIST: &str =
    "select id, place, title, made_from, state, author_name, changed_at, revision, judged, run,
    publication, judging_at, judging_done, judging_all from policy_draft where place between $1 and $2 order by changed_at desc, id desc limit $3";
const ONE: &str = "select id, place, title, made_from, state, author_name, changed_at, revision, judged, run,
    publication, judging_at, judging_done, judging_all from policy_draft where id = $1 and place between $2 and $3";
const OF_RUN: &str = "select id from policy_draft where run = $1 and place between $2 and $3";
const WAITING: &str = "select count(*) from policy_draft where state = $1 and place between $2 and $3";
const FILES: &str = "select path, old, body, clash from policy_draft_file where draft = $1 order by path";
const STEPS: &str =
    "select at, account, name, act, reason from policy_draft_step where draft = $1 order by number";
const ACCEPTED: &str =
    "select mutant, reason, name from policy_draft_mutant where draft = $1 order by mutant";
const TOUCH: &str = "update policy_draft set revision = revision + 1, changed_at = $3, state = $4
    where id = $1 and revision = $2";
const PUT_FILE: InsertMany = InsertMany {
    table: "policy_draft_file",
    columns: &["draft", "path", "old", "body", "clash"],
    suffix: "on conflict (draft, path) do update set old = excluded.old, body = excluded.body, clash = excluded.clash",
};
const DROP_FILE: &str = "delete from policy_draft_file where draft = $1 and path = $2";
const PUT_STEP: &str = "insert into policy_draft_step (draft, number, at, account, name, act, reason)
    values ($1, (select coalesce(max(number), 0) + 1 from policy_draft_step where draft = $1), $2, $3, $4, $5, $6)";
const ACCEPT: &str = "insert into policy_draft_mutant (draft, mutant, reason, name) values ($1, $2, $3, $4)
    on conflict (draft, mutant) do update set reason = excluded.reason, name = excluded.name";
const JUDGED: &str = "update policy_draft set judged = $2 where id = $1";
const CLAIM: &str = "update policy_draft set judging_at = $2, judging_done = 0, judging_all = 0
    where id = $1 and (judging_at is null or judging_at < $3)";
const TOUCH_JUDGING: &str = "update policy_draft set judging_at = $2, judging_done = $3, judging_all = $4
    where id = $1 and judging_at is not null";
const END_JUDGING: &str = "update policy_draft set judging_at = null
    where id = $1 and (cast($2 as bigint) is null or revision = $2)";
const RUN: &str = "update policy_draft set run = $2 where id = $1";
const MADE_FROM: &str = "update policy_draft set made_from = $2 where id = $1";
const PUBLISHED: &str = "update policy_draft set publication = $2 where id = $1";
const TOUCHED_YEARS: &str = "select insurance_year, count(*) from what_if_bill where home between $1 and $2
    and holder is not null and discharged_on >= $3 group by insurance_year order by insurance_year";
/// Drafts that a list shows.
const MOST_DRAFTS: i64 = 200;

/// What one act does to a draft.
#[derive(Debug, Clone, Default)]
pub struct Deed {
    /// The end of a key of words.
    pub act: &'static str,
    /// Why, or which.
    pub reason: String,
    /// Files that it writes.
    pub files: Vec<DraftFile>,
    /// Files that it takes out of the draft.
    pub dropped: Vec<String>,
    /// The state after it.
    pub state: Option<DraftState>,
    /// The publication that the draft is made from after it.
    pub made_from: Option<i64>,
    /// A mutant that it accepts.
    pub accepted: Option<String>,
    /// The publication that the draft becomes by it.
    pub publication: Option<i64>,
}

/// Begins a draft.
///
/// # Errors
/// When the database fails.
pub fn put_draft(
    tx: &mut Transaction<'_>,
    id: Uuid,
    actor: &Actor,
    (place, title, made_from): (DivisionCode, &str, i64),
    files: &[DraftFile],
    now: Moment,
) -> Result<(), DatabaseError> {
    tx.execute(PUT, &params![id, place, title, made_from, actor.account, &actor.name, now])?;
    write_files(tx, id, files)?;
    put_step(tx, id, actor, ("begun", title), now)
}

fn write_files(tx: &mut Transaction<'_>, id: Uuid, files: &[DraftFile]) -> Result<(), DatabaseError> {
    let rows = files
        .iter()
        .map(|file| params![id, &file.path, file.old.clone(), file.text.clone(), file.clash.clone()]);
    tx.insert_many(&PUT_FILE, rows).map(|_| ())
}

fn put_step(
    tx: &mut Transaction<'_>,
    id: Uuid,
    actor: &Actor,
    (act, reason): (&str, &str),
    now: Moment,
) -> Result<(), DatabaseError> {
    tx.execute(PUT_STEP, &params![id, now, actor.account, &actor.name, act, reason]).map(|_| ())
}

fn read(row: &Row) -> Result<Draft, DatabaseError> {
    let (state, judged): (String, Option<String>) = (row.get(4)?, row.get(8)?);
    let wrong = |column, expected| DatabaseError::WrongType { column, expected };
    Ok(Draft {
        id: row.get(0)?,
        place: row.get(1)?,
        title: row.get(2)?,
        made_from: row.get(3)?,
        state: DraftState::of_key(&state).ok_or(wrong(4, "the state of a draft"))?,
        author_name: row.get(5)?,
        changed_at: row.get(6)?,
        revision: row.get(7)?,
        judged: judged
            .map(|text| serde_json::from_str::<Judged>(&text).map_err(|_| wrong(8, "JSON of mutants")))
            .transpose()?,
        run: row.get(9)?,
        publication: row.get(10)?,
        judging: match row.get::<Option<Moment>>(11)? {
            Some(at) => Some(Judging {
                at,
                done: row.get::<Option<i64>>(12)?.unwrap_or(0),
                all: row.get::<Option<i64>>(13)?.unwrap_or(0),
            }),
            None => None,
        },
        files: Vec::new(),
        accepted: Vec::new(),
        steps: Vec::new(),
    })
}

/// The drafts within reach, the last changed first; without their files and their history.
///
/// # Errors
/// When the database fails.
pub fn drafts(tx: &mut Transaction<'_>, reach: &Reach) -> Result<Vec<Draft>, DatabaseError> {
    tx.query(LIST, &params![reach.first(), reach.last(), MOST_DRAFTS])?.iter().map(read).collect()
}

/// A draft within reach.
///
/// # Errors
/// When the database fails.
pub fn draft(tx: &mut Transaction<'_>, reach: &Reach, id: Uuid) -> Result<Option<Draft>, DatabaseError> {
    let Some(row) = tx.query_one(ONE, &params![id, reach.first(), reach.last()])? else { return Ok(None) };
    let mut draft = read(&row)?;
    let file = |row: &Row| {
        Ok(DraftFile { path: row.get(0)?, old: row.get(1)?, text: row.get(2)?, clash: row.get(3)? })
    };
    draft.files = tx.query(FILES, &params![id])?.iter().map(file).collect::<Result<_, DatabaseError>>()?;
    let step = |row: &Row| {
        Ok(Step {
            at: row.get(0)?,
            account: row.get(1)?,
            name: row.get(2)?,
            act: row.get(3)?,
            reason: row.get(4)?,
        })
    };
    draft.steps = tx.query(STEPS, &params![id])?.iter().map(step).collect::<Result<_, DatabaseError>>()?;
    let accepted =
        |row: &Row| Ok(AcceptedMutant { mutant: row.get(0)?, reason: row.get(1)?, name: row.get(2)? });
    draft.accepted =
        tx.query(ACCEPTED, &params![id])?.iter().map(accepted).collect::<Result<_, DatabaseError>>()?;
    Ok(Some(draft))
}

/// The draft whose effect a run shows, if it is within reach.
///
/// # Errors
/// When the database fails.
pub fn draft_of_run(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    run: Uuid,
) -> Result<Option<Uuid>, DatabaseError> {
    tx.query_one(OF_RUN, &params![run, reach.first(), reach.last()])?.map(|row| row.get(0)).transpose()
}

/// How many drafts of a state lie within reach.
///
/// # Errors
/// When the database fails.
pub fn drafts_in(tx: &mut Transaction<'_>, reach: &Reach, state: DraftState) -> Result<i64, DatabaseError> {
    tx.query_one(WAITING, &params![state.key(), reach.first(), reach.last()])?.map_or(Ok(0), |row| row.get(0))
}

/// Does something to the draft as it was read; `false` if somebody else has changed it meanwhile.
///
/// # Errors
/// When the database fails.
pub fn act_on(
    tx: &mut Transaction<'_>,
    draft: &Draft,
    actor: &Actor,
    deed: &Deed,
    now: Moment,
) -> Result<bool, DatabaseError> {
    let state = deed.state.unwrap_or(draft.state);
    if tx.execute(TOUCH, &params![draft.id, draft.revision, now, state.key()])? == 0 {
        return Ok(false);
    }
    write_files(tx, draft.id, &deed.files)?;
    for path in &deed.dropped {
        tx.execute(DROP_FILE, &params![draft.id, path])?;
    }
    if let Some(number) = deed.made_from {
        tx.execute(MADE_FROM, &params![draft.id, number])?;
    }
    if let Some(mutant) = &deed.accepted {
        tx.execute(ACCEPT, &params![draft.id, mutant, &deed.reason, &actor.name])?;
    }
    if let Some(number) = deed.publication {
        tx.execute(PUBLISHED, &params![draft.id, number])?;
    }
    put_step(tx, draft.id, actor, (deed.act, &deed.reason), now)?;
    Ok(true)
}

/// Keeps what became of the mutants.
///
/// # Errors
/// When the database fails.
pub fn keep_judged(tx: &mut Transaction<'_>, id: Uuid, judged: &Judged) -> Result<(), DatabaseError> {
    let text = serde_json::to_string(judged).map_err(|error| DatabaseError::Refused(error.to_string()))?;
    tx.execute(JUDGED, &params![id, text]).map(|_| ())
}

/// Takes on to judge a draft's mutants; `false` if that is under way.
///
/// # Errors
/// When the database fails.
pub fn claim_judging(tx: &mut Transaction<'_>, id: Uuid, now: Moment) -> Result<bool, DatabaseError> {
    Ok(tx.execute(CLAIM, &params![id, now, now.plus_seconds(-SILENT_FOR)])? > 0)
}

/// Says that judging goes on, and how far it is.
///
/// # Errors
/// When the database fails.
pub fn touch_judging(
    tx: &mut Transaction<'_>,
    id: Uuid,
    (done, all): (usize, usize),
    now: Moment,
) -> Result<(), DatabaseError> {
    let [done, all] = [done, all].map(|count| i64::try_from(count).unwrap_or(i64::MAX));
    tx.execute(TOUCH_JUDGING, &params![id, now, done, all]).map(|_| ())
}

/// Says that judging is at its end; `false`, and it is not, if the draft is of another revision by now.
///
/// # Errors
/// When the database fails.
pub fn end_judging(tx: &mut Transaction<'_>, id: Uuid, revision: Option<i64>) -> Result<bool, DatabaseError> {
    Ok(tx.execute(END_JUDGING, &params![id, revision])? > 0)
}

/// Keeps which run shows the draft's effect.
///
/// # Errors
/// When the database fails.
pub fn keep_run(tx: &mut Transaction<'_>, id: Uuid, run: Uuid) -> Result<(), DatabaseError> {
    tx.execute(RUN, &params![id, run]).map(|_| ())
}

/// Years with settled bills from a day on, each with how many; of all bills where no day is said.
///
/// # Errors
/// When the database fails.
pub fn touched_years(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    from: Option<Day>,
) -> Result<Vec<(i32, i64)>, DatabaseError> {
    let from = from.map_or(i64::MIN, |day| i64::from(day.0));
    let rows = tx.query(TOUCHED_YEARS, &params![reach.first(), reach.last(), from])?;
    rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}
