//! Tables are made and changed by the crate that owns them, in steps that never change once they ran.

use kangmai_base::Moment;
use sha2::{Digest as _, Sha256};

use crate::layout::has_steps;
use crate::transaction::Dialect;
use crate::{DatabaseError, Transaction, params};

/// The steps of one owner, in order.
#[derive(Debug, Clone, Copy)]
pub struct Migrations {
    /// The crate that owns the tables.
    pub owner: &'static str,
    /// Oldest first.
    pub steps: &'static [Migration],
}

/// One step: SQL that both databases understand. A step whose first line is `-- online` holds nothing but `create index`
/// statements, for tables that are large already: on PostgreSQL they are built one by one beside whoever reads and writes,
/// outside of a transaction; broken off, they are begun anew.
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    /// Name of its file without the ending, such as `001-people`.
    pub name: &'static str,
    /// The statements.
    pub sql: &'static str,
}

/// The table that says which steps ran.
pub(crate) const APPLIED_TABLE: &str = "applied_migration";

/// A step that ran.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) owner: String,
    pub(crate) name: String,
    pub(crate) checksum: String,
}

impl Step {
    /// Owner, name and checksum, as a copy names a step.
    pub(crate) fn texts(&self) -> [&str; 3] {
        [&self.owner, &self.name, &self.checksum]
    }
}

/// The first line of a step that runs outside of a transaction.
const ONLINE: &str = "-- online";

const TABLE: &str = "create table if not exists applied_migration (
    owner text not null, name text not null, checksum text not null, applied_at bigint not null,
    primary key (owner, name))";
const APPLIED: &str = "select checksum from applied_migration where owner = $1 and name = $2";
const ALL_APPLIED: &str = "select owner, name, checksum from applied_migration order by owner, name";
const RECORD: &str =
    "insert into applied_migration (owner, name, checksum, applied_at) values ($1, $2, $3, $4)";

pub(crate) fn run(tx: &mut Transaction<'_>, all: &[Migrations], now: Moment) -> Result<usize, DatabaseError> {
    tx.lock("kangmai migrations")?;
    // A role that works with the tables and does not own them may make none, and need not.
    if !has_steps(tx)? {
        tx.batch(TABLE)?;
    }
    let mut applied = 0;
    for (owner, step) in all.iter().flat_map(|owned| owned.steps.iter().map(move |step| (owned.owner, step)))
    {
        let checksum = checksum(step.sql);
        match tx.query_one(APPLIED, &params![owner, step.name])? {
            Some(row) if row.get::<String>(0)? == checksum => {}
            Some(_) => {
                return Err(DatabaseError::EditedMigration { owner: owner.into(), name: step.name.into() });
            }
            None if is_online(step) && tx.dialect() == Dialect::Postgres => {}
            None => {
                tx.batch(step.sql)?;
                tx.execute(RECORD, &params![owner, step.name, checksum, now])?;
                applied += 1;
            }
        }
    }
    Ok(applied)
}

/// How many of these steps did not run in this form.
pub(crate) fn lacking(tx: &mut Transaction<'_>, all: &[Migrations]) -> Result<usize, DatabaseError> {
    let mut applied = std::collections::HashSet::new();
    for row in tx.query(ALL_APPLIED, &[])? {
        applied.insert((row.get::<String>(0)?, row.get::<String>(1)?, row.get::<String>(2)?));
    }
    let steps = all.iter().flat_map(|owned| owned.steps.iter().map(move |step| (owned.owner, step)));
    let ran = |(owner, step): &(&str, &Migration)| {
        applied.contains(&((*owner).to_owned(), step.name.to_owned(), checksum(step.sql)))
    };
    Ok(steps.filter(|step| !ran(step)).count())
}

fn is_online(step: &Migration) -> bool {
    step.sql.starts_with(ONLINE)
}

/// An index that is built beside whoever reads and writes, and the statement that builds it.
pub(crate) struct OnlineIndex {
    pub(crate) name: String,
    pub(crate) sql: String,
}

/// A step that is to be done outside of a transaction.
pub(crate) struct OnlineStep {
    owner: &'static str,
    step: &'static Migration,
    pub(crate) indexes: Vec<OnlineIndex>,
}

/// The online steps that did not run yet.
pub(crate) fn online_steps(
    tx: &mut Transaction<'_>,
    all: &'static [Migrations],
) -> Result<Vec<OnlineStep>, DatabaseError> {
    let mut found = Vec::new();
    for (owner, step) in all.iter().flat_map(|owned| owned.steps.iter().map(move |step| (owned.owner, step)))
    {
        if is_online(step) && tx.query_one(APPLIED, &params![owner, step.name])?.is_none() {
            found.push(OnlineStep { owner, step, indexes: indexes(owner, step)? });
        }
    }
    Ok(found)
}

fn indexes(owner: &str, step: &Migration) -> Result<Vec<OnlineIndex>, DatabaseError> {
    let text: String =
        step.sql.lines().filter(|line| !line.trim_start().starts_with("--")).collect::<Vec<_>>().join("\n");
    let statements = text.split(';').map(str::trim).filter(|statement| !statement.is_empty());
    statements
        .map(|statement| {
            let rest = statement.strip_prefix("create index ");
            let (name, rest) = rest.and_then(|rest| rest.split_once(' ')).ok_or_else(|| {
                let name = step.name;
                DatabaseError::Refused(format!("{owner}/{name}: an online step holds only `create index`"))
            })?;
            let sql = format!("create index concurrently if not exists {name} {rest}");
            Ok(OnlineIndex { name: name.to_owned(), sql })
        })
        .collect()
}

/// Notes that an online step ran.
pub(crate) fn online_step_ran(
    tx: &mut Transaction<'_>,
    done: &OnlineStep,
    now: Moment,
) -> Result<(), DatabaseError> {
    let (owner, step) = (done.owner, done.step);
    tx.lock("kangmai migrations")?;
    if tx.query_one(APPLIED, &params![owner, step.name])?.is_none() {
        tx.execute(RECORD, &params![owner, step.name, checksum(step.sql), now])?;
    }
    Ok(())
}

/// The steps that ran in this database.
pub(crate) fn applied(tx: &mut Transaction<'_>) -> Result<Vec<Step>, DatabaseError> {
    if !has_steps(tx)? {
        return Ok(Vec::new());
    }
    let rows = tx.query(ALL_APPLIED, &[])?;
    rows.iter().map(|row| Ok(Step { owner: row.get(0)?, name: row.get(1)?, checksum: row.get(2)? })).collect()
}

/// Runs exactly the steps that are asked for, in the order of `all`: tables as another program left them.
pub(crate) fn run_steps(
    tx: &mut Transaction<'_>,
    all: &[Migrations],
    asked: &[Step],
    now: Moment,
) -> Result<(), DatabaseError> {
    tx.lock("kangmai migrations")?;
    tx.batch(TABLE)?;
    let mut left: Vec<&Step> = asked.iter().collect();
    for (owner, step) in all.iter().flat_map(|owned| owned.steps.iter().map(move |step| (owned.owner, step)))
    {
        let Some(at) = left.iter().position(|one| one.owner == owner && one.name == step.name) else {
            continue;
        };
        if left.swap_remove(at).checksum != checksum(step.sql) {
            return Err(DatabaseError::EditedMigration { owner: owner.into(), name: step.name.into() });
        }
        tx.batch(step.sql)?;
        tx.execute(RECORD, &params![owner, step.name, checksum(step.sql), now])?;
    }
    match left.first() {
        None => Ok(()),
        Some(step) => {
            let (owner, name) = (&step.owner, &step.name);
            Err(DatabaseError::Copy(format!("it is of a newer program: {owner}/{name} is not known here")))
        }
    }
}

fn checksum(sql: &str) -> String {
    let digest = Sha256::digest(sql.as_bytes());
    digest.iter().fold(String::with_capacity(64), |hex, byte| hex + &format!("{byte:02x}"))
}
