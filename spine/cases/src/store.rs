//! The SQL of cases.

use kangmai_access::{Reach, Role};
use kangmai_base::{Day, Id, Uuid};
use kangmai_database::{DatabaseError, InsertMany, Row, Transaction, params};

use crate::{Case, StageRule, Task, task};

const PUT: InsertMany = InsertMany {
    table: "work_case",
    columns: &[
        "id",
        "programme",
        "subject",
        "place",
        "stage",
        "stage_since",
        "opened_on",
        "closed_on",
        "outcome",
        "weight",
    ],
    suffix: "on conflict (id) do update set programme = excluded.programme, subject = excluded.subject,
        place = excluded.place, stage = excluded.stage, stage_since = excluded.stage_since,
        opened_on = excluded.opened_on, closed_on = excluded.closed_on, outcome = excluded.outcome,
        weight = excluded.weight",
};
const FORGET: &str = "delete from work_case where id = $1";
const CASE: &str =
    "select id, programme, subject, place, stage, stage_since, opened_on, closed_on, outcome, weight
    from work_case where id = $1 and place between $2 and $3";
const CASES_OF_SUBJECT: &str =
    "select id, programme, subject, place, stage, stage_since, opened_on, closed_on,
    outcome, weight from work_case where subject = $1 and programme = $2 and place between $3 and $4
    order by opened_on desc, id desc limit 200";
const LIST: &str = "select id, programme, subject, place, stage, stage_since, opened_on, closed_on, outcome, weight
    from work_case where programme = $1 and place between $2 and $3 and (cast($4 as text) is null or stage = $4)
    order by weight desc, opened_on, id limit $5 offset $6";
const COUNT: &str = "select count(*) from work_case
    where programme = $1 and place between $2 and $3 and (cast($4 as text) is null or stage = $4)";
const WAITING: &str =
    "select id, programme, subject, place, stage, stage_since, opened_on, closed_on, outcome, weight
    from work_case where programme = $1 and stage = $2 and place between $3 and $4 and closed_on is null
    and stage_since <= $5 order by stage_since, weight desc, id limit $6";

fn read(row: &Row) -> Result<Case, DatabaseError> {
    Ok(Case {
        id: row.get(0)?,
        programme: row.get(1)?,
        subject: row.get(2)?,
        place: row.get(3)?,
        stage: row.get(4)?,
        stage_since: row.get(5)?,
        opened_on: row.get(6)?,
        closed_on: row.get(7)?,
        outcome: row.get(8)?,
        weight: row.get(9)?,
    })
}

/// Writes cases as they stand now. For the projection of the programme whose cases they are, and nobody else.
///
/// # Errors
/// When the database fails.
pub fn put(tx: &mut Transaction<'_>, cases: &[Case]) -> Result<(), DatabaseError> {
    let rows = cases.iter().map(|case| {
        params![
            case.id,
            case.programme.as_str(),
            case.subject,
            case.place,
            case.stage.as_str(),
            case.stage_since,
            case.opened_on,
            case.closed_on,
            case.outcome.as_deref(),
            case.weight,
        ]
    });
    tx.insert_many(&PUT, rows)?;
    Ok(())
}

/// Takes a case away: for the projection of the programme whose case it is, when everything about it is erased.
///
/// # Errors
/// When the database fails.
pub fn forget(tx: &mut Transaction<'_>, id: Id<Case>) -> Result<(), DatabaseError> {
    tx.execute(FORGET, &params![id])?;
    Ok(())
}

/// The case `id`, if it is within reach.
///
/// # Errors
/// When the database fails.
pub fn case(tx: &mut Transaction<'_>, reach: &Reach, id: Id<Case>) -> Result<Option<Case>, DatabaseError> {
    tx.query_one(CASE, &params![id, reach.first(), reach.last()])?.as_ref().map(read).transpose()
}

/// The cases of a programme about one subject, newest first, at most 200.
///
/// # Errors
/// When the database fails.
pub fn cases_of_subject(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    programme: &str,
    subject: Uuid,
) -> Result<Vec<Case>, DatabaseError> {
    let rows = tx.query(CASES_OF_SUBJECT, &params![subject, programme, reach.first(), reach.last()])?;
    rows.iter().map(read).collect()
}

/// The cases of a programme within reach, gravest first; of one stage if it is named.
///
/// # Errors
/// When the database fails.
pub fn list(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    programme: &str,
    stage: Option<&str>,
    offset: i64,
    limit: i64,
) -> Result<Vec<Case>, DatabaseError> {
    let rows = tx.query(LIST, &params![programme, reach.first(), reach.last(), stage, limit, offset])?;
    rows.iter().map(read).collect()
}

/// How many cases a programme has within reach; of one stage if it is named.
///
/// # Errors
/// When the database fails.
pub fn count(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    programme: &str,
    stage: Option<&str>,
) -> Result<i64, DatabaseError> {
    let row = tx.query_one(COUNT, &params![programme, reach.first(), reach.last(), stage])?;
    row.map_or(Ok(0), |row| row.get(0))
}

/// The tasks of a programme that stand on `role`'s list on `today`, most pressing first, at most `limit`.
///
/// # Errors
/// When the database fails.
pub fn tasks_due(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    role: Role,
    (programme, rules): (&str, &[StageRule]),
    today: Day,
    limit: i64,
) -> Result<Vec<Task>, DatabaseError> {
    let mut tasks = Vec::new();
    for rule in rules.iter().filter(|rule| rule.owner == role || rule.escalates_to == role) {
        let shown_days = if rule.owner == role { rule.show_after_days } else { rule.late_after_days + 1 };
        let since_at_most = today.plus_days(-shown_days);
        let rows = tx.query(
            WAITING,
            &params![programme, rule.stage, reach.first(), reach.last(), since_at_most, limit],
        )?;
        for row in &rows {
            tasks.extend(task(&read(row)?, rules, today).filter(|task| task.is_for(role)));
        }
    }
    tasks
        .sort_by_key(|task| (std::cmp::Reverse(task.urgency), task.due, std::cmp::Reverse(task.case.weight)));
    tasks.truncate(usize::try_from(limit).unwrap_or(0));
    Ok(tasks)
}
