//! The view of warnings, and what its pages read; the only file with SQL besides `store/`.

mod costs;
mod forget;
mod held;
mod relapse;
mod view;

use kangmai_access::Reach;
use kangmai_base::{Day, DivisionCode, DivisionLevel, Uuid};
use kangmai_database::{DatabaseError, Opener, Row, Transaction, params};
use kangmai_people::read_name;
use serde::de::DeserializeOwned;

pub use costs::{
    EvidenceRow, Existing, LabelRow, NamedMajor, WatchedPerson, add_bills, bills_of, bills_of_household,
    existing, labels_on, majors_on, named_majors, watched_after,
};
pub(crate) use held::held;
pub use relapse::relapses_on;
pub use view::WARNINGS;

use crate::facts::{EvidenceBill, EvidenceCosts};
use crate::findings::{Finding, Level};
use crate::rules::{LastStep, Outcome, Stage, Warning};

const WARNING: &str = "select warning.id, warning.household, warning.home, warning.level, warning.stage,
    warning.stage_since, warning.opened_on, warning.closed_on, warning.outcome, warning.dismissed, warning.consent,
    warning.checked_on, warning.noticed_on, warning.decided_on, warning.as_of, warning.found, warning.evidence,
    warning.law, warning.last_step, warning.last_author, warning.last_on, warning.last_from, warning.last_since
    from warning where warning.id = $1 and warning.home between $2 and $3";
const WARNINGS_OF_HOUSEHOLD: &str = "select warning.id, warning.household, warning.home, warning.level, warning.stage,
    warning.stage_since, warning.opened_on, warning.closed_on, warning.outcome, warning.dismissed, warning.consent,
    warning.checked_on, warning.noticed_on, warning.decided_on, warning.as_of, warning.found, '',
    warning.law, warning.last_step, warning.last_author, warning.last_on, warning.last_from, warning.last_since
    from warning where warning.household = $1 and warning.home between $2 and $3
    order by warning.opened_on desc, warning.id desc limit 50";
const LIST_OPEN: &str = "select warning.id, warning.household, warning.home, warning.level, warning.stage,
    warning.stage_since, warning.opened_on, warning.closed_on, warning.outcome, warning.found,
    (select person.name_sealed from household join person on person.id = household.head
        where household.id = warning.household and person.home between $1 and $2) as head, warning.noticed_on,
    (select household.head from household where household.id = warning.household) as head_id
    from warning where warning.home between $1 and $2 and warning.closed_on is null
    and (cast($3 as bigint) is null or warning.level = $3)
    and (cast($4 as text) is null or warning.stage in ($4, $5, $6))
    and (cast($7 as bigint) is null or warning.opened_on <= $7)
    order by warning.level desc, warning.opened_on, warning.id limit $8 offset $9";
// For a county or more: in the order of the list by the index of open warnings, until a page is full. Without the `+`
// SQLite would gather all of the county and sort them.
const LIST_OPEN_WIDE: &str =
    "select warning.id, warning.household, warning.home, warning.level, warning.stage,
    warning.stage_since, warning.opened_on, warning.closed_on, warning.outcome, warning.found,
    (select person.name_sealed from household join person on person.id = household.head
        where household.id = warning.household and person.home between $1 and $2) as head, warning.noticed_on,
    (select household.head from household where household.id = warning.household) as head_id
    from warning where +warning.home between $1 and $2 and warning.closed_on is null
    and (cast($3 as bigint) is null or warning.level = $3)
    and (cast($4 as text) is null or warning.stage in ($4, $5, $6))
    and (cast($7 as bigint) is null or warning.opened_on <= $7)
    order by warning.level desc, warning.opened_on, warning.id limit $8 offset $9";
const COUNT_OPEN: &str = "select count(*) from warning where warning.home between $1 and $2
    and warning.closed_on is null
    and (cast($3 as bigint) is null or warning.level = $3)
    and (cast($4 as text) is null or warning.stage in ($4, $5, $6))
    and (cast($7 as bigint) is null or warning.opened_on <= $7)";
const COUNT_IN_STAGES: &str = "select count(*) from warning where warning.stage in ($3, $4, $5)
    and warning.home between $1 and $2 and warning.closed_on is null";
const LIST_ALL: &str = "select warning.id, warning.household, warning.home, warning.level, warning.stage,
    warning.stage_since, warning.opened_on, warning.closed_on, warning.outcome, warning.found,
    (select person.name_sealed from household join person on person.id = household.head
        where household.id = warning.household and person.home between $1 and $2) as head, warning.noticed_on,
    (select household.head from household where household.id = warning.household) as head_id
    from warning where warning.home between $1 and $2
    and (cast($3 as bigint) is null or warning.level = $3)
    and (cast($4 as text) is null or warning.stage in ($4, $5, $6))
    and (cast($7 as bigint) is null or warning.opened_on <= $7)
    and (cast($8 as text) is null or warning.outcome = $8)
    and (cast($9 as boolean) is null or $9 = (warning.decided_on is not null and warning.decided_on - warning.opened_on > $10))
    order by warning.opened_on desc, warning.id limit $11 offset $12";
const COUNT_ALL: &str = "select count(*) from warning where warning.home between $1 and $2
    and (cast($3 as bigint) is null or warning.level = $3)
    and (cast($4 as text) is null or warning.stage in ($4, $5, $6))
    and (cast($7 as bigint) is null or warning.opened_on <= $7)
    and (cast($8 as text) is null or warning.outcome = $8)
    and (cast($9 as boolean) is null or $9 = (warning.decided_on is not null and warning.decided_on - warning.opened_on > $10))";
const WAITING: &str = "select warning.stage, warning.stage_since, warning.opened_on, count(*) from warning
    where warning.home between $1 and $2 and warning.closed_on is null
    group by warning.stage, warning.stage_since, warning.opened_on";
const BY_LEVEL: &str = "select count(*) from warning where warning.home between $1 and $2
    and warning.closed_on is null and warning.stage <> 'feedback' and (cast($3 as bigint) is null or warning.level = $3)";
const OUTCOMES: &str = "select coalesce(sum(case when warning.outcome = 'no_risk' then 1 else 0 end), 0),
    coalesce(sum(case when warning.outcome = 'taken_in' then 1 else 0 end), 0),
    coalesce(sum(case when warning.outcome = 'not_taken_in' then 1 else 0 end), 0),
    coalesce(sum(case when warning.decided_on - warning.opened_on <= $3 then 1 else 0 end), 0)
    from warning where warning.home between $1 and $2 and warning.outcome is not null";
// The few that are old, of whatever place, then the place.
const OVERDUE: &str = "select count(*) from warning where warning.outcome is null and warning.opened_on <= $3
    and +warning.home between $1 and $2";

/// A warning with everything about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WarningRow {
    /// Which.
    pub id: Uuid,
    /// The household.
    pub household: Uuid,
    /// How grave.
    pub level: Level,
    /// What rules ask.
    pub warning: Warning,
    /// When it was closed.
    pub closed_on: Option<Day>,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// Key of the reason of a dismissal.
    pub dismissed: Option<String>,
    /// Whether the household agreed that its data are compared.
    pub consent: Option<bool>,
    /// When the house was visited.
    pub checked_on: Option<Day>,
    /// When it was decided, or found to be without risk.
    pub decided_on: Option<Day>,
    /// Of which day the findings are.
    pub as_of: Day,
    /// The findings.
    pub findings: Vec<Finding>,
    /// The bills of the last twelve months before that day; none in lists.
    pub bills: Vec<EvidenceBill>,
    /// What care cost each member; none in lists.
    pub costs: Vec<EvidenceCosts>,
    /// Hash of the release whose rules were used.
    pub law: String,
}

fn unreadable<T: DeserializeOwned>(text: &str, column: usize) -> Result<T, DatabaseError> {
    serde_json::from_str(text).map_err(|_| DatabaseError::WrongType { column, expected: "JSON of the watch" })
}

fn read_stage(row: &Row, column: usize) -> Result<Stage, DatabaseError> {
    let stage: String = row.get(column)?;
    Stage::of_key(&stage).ok_or(DatabaseError::WrongType { column, expected: "stage" })
}

fn read_level(row: &Row, column: usize) -> Result<Level, DatabaseError> {
    Level::of_rank(row.get(column)?).ok_or(DatabaseError::WrongType { column, expected: "level" })
}

fn read_last(row: &Row) -> Result<Option<LastStep>, DatabaseError> {
    let (fact, author): (Option<Uuid>, Option<Uuid>) = (row.get(18)?, row.get(19)?);
    let (on, since): (Option<Day>, Option<Day>) = (row.get(20)?, row.get(22)?);
    let from: Option<String> = row.get(21)?;
    let (Some(fact), Some(author), Some(on), Some(from), Some(since)) = (fact, author, on, from, since)
    else {
        return Ok(None);
    };
    Ok(Stage::of_key(&from).map(|from| LastStep { fact, author, on, from, since }))
}

fn read_warning(row: &Row) -> Result<WarningRow, DatabaseError> {
    let (found, evidence): (String, String) = (row.get(15)?, row.get(16)?);
    let (bills, costs) =
        if evidence.is_empty() { (Vec::new(), Vec::new()) } else { unreadable(&evidence, 16)? };
    let outcome: Option<String> = row.get(8)?;
    Ok(WarningRow {
        id: row.get(0)?,
        household: row.get(1)?,
        level: read_level(row, 3)?,
        warning: Warning {
            place: row.get(2)?,
            stage: read_stage(row, 4)?,
            since: row.get(5)?,
            opened_on: row.get(6)?,
            noticed_on: row.get(12)?,
            last: read_last(row)?,
        },
        closed_on: row.get(7)?,
        outcome: outcome.as_deref().and_then(Outcome::of_key),
        dismissed: row.get(9)?,
        consent: row.get(10)?,
        checked_on: row.get(11)?,
        decided_on: row.get(13)?,
        as_of: row.get(14)?,
        findings: unreadable(&found, 15)?,
        bills,
        costs,
        law: row.get(17)?,
    })
}

/// The warning `id`, if it is within reach.
///
/// # Errors
/// When the database fails.
pub fn warning(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    id: Uuid,
) -> Result<Option<WarningRow>, DatabaseError> {
    tx.query_one(WARNING, &params![id, reach.first(), reach.last()])?.as_ref().map(read_warning).transpose()
}

/// The warnings of a household within reach, the newest first.
///
/// # Errors
/// When the database fails.
pub fn warnings_of(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    household: Uuid,
) -> Result<Vec<WarningRow>, DatabaseError> {
    let rows = tx.query(WARNINGS_OF_HOUSEHOLD, &params![household, reach.first(), reach.last()])?;
    rows.iter().map(read_warning).collect()
}

/// Which warnings are listed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Only this level.
    pub level: Option<Level>,
    /// Only these stages, at most three; empty: all.
    pub stages: Vec<Stage>,
    /// Only those whose clue is of this day or before: past their time.
    pub opened_by: Option<Day>,
    /// Closed ones too.
    pub closed_too: bool,
    /// Only those that ended so.
    pub outcome: Option<Outcome>,
    /// Only those decided after (or within) so many days.
    pub decided_late: Option<(bool, i32)>,
}

impl Wanted {
    fn stage(&self, position: usize) -> Option<&'static str> {
        self.stages.get(position).or(self.stages.first()).map(|stage| stage.key())
    }

    fn is_open_only(&self) -> bool {
        !self.closed_too && self.outcome.is_none() && self.decided_late.is_none()
    }
}

/// A warning as lists show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedWarning {
    /// Which.
    pub id: Uuid,
    /// The household.
    pub household: Uuid,
    /// Where.
    pub home: DivisionCode,
    /// How grave.
    pub level: Level,
    /// Where it stands.
    pub stage: Stage,
    /// Since when.
    pub since: Day,
    /// The day of the clue.
    pub opened_on: Day,
    /// When it was closed.
    pub closed_on: Option<Day>,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// The gravest finding; none if nothing is found any more.
    pub first: Option<Finding>,
    /// How many findings there are.
    pub found: usize,
    /// Name of the head of the household.
    pub head: String,
    /// When the notice was posted.
    pub noticed_on: Option<Day>,
}

fn read_listed(row: &Row, opener: &Opener) -> Result<ListedWarning, DatabaseError> {
    let (outcome, found): (Option<String>, String) = (row.get(8)?, row.get(9)?);
    let mut found: Vec<Finding> = unreadable(&found, 9)?;
    let count = found.len();
    found.truncate(1);
    Ok(ListedWarning {
        id: row.get(0)?,
        household: row.get(1)?,
        home: row.get(2)?,
        level: read_level(row, 3)?,
        stage: read_stage(row, 4)?,
        since: row.get(5)?,
        opened_on: row.get(6)?,
        closed_on: row.get(7)?,
        outcome: outcome.as_deref().and_then(Outcome::of_key),
        first: found.pop(),
        found: count,
        head: read_name(opener, row, (12, 10))?,
        noticed_on: row.get(11)?,
    })
}

/// Warnings within reach: open ones the gravest first, else the newest first.
///
/// # Errors
/// When the database fails.
pub fn list(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    wanted: &Wanted,
    (limit, offset): (i64, i64),
) -> Result<Vec<ListedWarning>, DatabaseError> {
    let level = wanted.level.map(Level::rank);
    let rows = if wanted.is_open_only() {
        let params = params![
            reach.first(),
            reach.last(),
            level,
            wanted.stage(0),
            wanted.stage(1),
            wanted.stage(2),
            wanted.opened_by,
            limit,
            offset
        ];
        let is_wide = reach.place().level().is_none_or(|level| level <= DivisionLevel::County);
        tx.query(if is_wide { LIST_OPEN_WIDE } else { LIST_OPEN }, &params)?
    } else {
        let params = params![
            reach.first(),
            reach.last(),
            level,
            wanted.stage(0),
            wanted.stage(1),
            wanted.stage(2),
            wanted.opened_by,
            wanted.outcome.map(Outcome::key),
            wanted.decided_late.map(|(late, _)| late),
            wanted.decided_late.map_or(0, |(_, days)| days),
            limit,
            offset
        ];
        tx.query(LIST_ALL, &params)?
    };
    let opener = tx.opener()?;
    rows.iter().map(|row| read_listed(row, &opener)).collect()
}

/// How many open warnings are in one of at most three `stages`.
///
/// # Errors
/// When the database fails.
pub fn count_in_stages(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    stages: &[Stage],
) -> Result<i64, DatabaseError> {
    let key = |number: usize| stages.get(number).map(|stage| stage.key());
    let row = tx.query_one(COUNT_IN_STAGES, &params![reach.first(), reach.last(), key(0), key(1), key(2)])?;
    row.map_or(Ok(0), |row| row.get(0))
}

/// How many warnings [`list`] has in all.
///
/// # Errors
/// When the database fails.
pub fn count(tx: &mut Transaction<'_>, reach: &Reach, wanted: &Wanted) -> Result<i64, DatabaseError> {
    let level = wanted.level.map(Level::rank);
    let stages = [wanted.stage(0), wanted.stage(1), wanted.stage(2)];
    let row = if wanted.is_open_only() {
        let params =
            params![reach.first(), reach.last(), level, stages[0], stages[1], stages[2], wanted.opened_by];
        tx.query_one(COUNT_OPEN, &params)?
    } else {
        let params = params![
            reach.first(),
            reach.last(),
            level,
            stages[0],
            stages[1],
            stages[2],
            wanted.opened_by,
            wanted.outcome.map(Outcome::key),
            wanted.decided_late.map(|(late, _)| late),
            wanted.decided_late.map_or(0, |(_, days)| days)
        ];
        tx.query_one(COUNT_ALL, &params)?
    };
    row.map_or(Ok(0), |row| row.get(0))
}

/// How many open warnings wait within reach, by stage, day of the stage and day of the clue.
///
/// # Errors
/// When the database fails.
pub fn waiting(
    tx: &mut Transaction<'_>,
    reach: &Reach,
) -> Result<Vec<(Stage, Day, Day, i64)>, DatabaseError> {
    let rows = tx.query(WAITING, &params![reach.first(), reach.last()])?;
    rows.iter().map(|row| Ok((read_stage(row, 0)?, row.get(1)?, row.get(2)?, row.get(3)?))).collect()
}

/// How many warnings within reach are not decided yet, of one level if it is named.
///
/// # Errors
/// When the database fails.
pub fn undecided(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    level: Option<Level>,
) -> Result<i64, DatabaseError> {
    let row = tx.query_one(BY_LEVEL, &params![reach.first(), reach.last(), level.map(Level::rank)])?;
    row.map_or(Ok(0), |row| row.get(0))
}

/// How warnings within reach ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Outcomes {
    /// Without risk.
    pub no_risk: i64,
    /// Taken in.
    pub taken_in: i64,
    /// Checked in full and not taken in.
    pub not_taken_in: i64,
    /// Ended within the days of the clock.
    pub in_time: i64,
    /// Not ended, and past those days.
    pub overdue: i64,
}

impl Outcomes {
    /// All that ended.
    pub const fn ended(&self) -> i64 {
        self.no_risk + self.taken_in + self.not_taken_in
    }
}

/// How warnings within reach ended, seen on `today`, with `decision_days` from clue to decision.
///
/// # Errors
/// When the database fails.
pub fn outcomes(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    today: Day,
    decision_days: i32,
) -> Result<Outcomes, DatabaseError> {
    let late = today.plus_days(-decision_days - 1);
    let row = tx.query_one(OUTCOMES, &params![reach.first(), reach.last(), decision_days])?;
    let Some(row) = row else { return Ok(Outcomes::default()) };
    let overdue = tx.query_one(OVERDUE, &params![reach.first(), reach.last(), late])?;
    Ok(Outcomes {
        no_risk: row.get(0)?,
        taken_in: row.get(1)?,
        not_taken_in: row.get(2)?,
        in_time: row.get(3)?,
        overdue: overdue.map_or(Ok(0), |row| row.get(0))?,
    })
}
