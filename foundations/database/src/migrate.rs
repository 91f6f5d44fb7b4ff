//! Tables are made and changed by the crate that owns them, in steps that never change once they ran.

use kangmai_base::Moment;
use sha2::{Digest as _, Sha256};

use crate::{DatabaseError, Transaction, params};

/// The steps of one owner, in order.
#[derive(Debug, Clone, Copy)]
pub struct Migrations {
    /// The crate that owns the tables.
    pub owner: &'static str,
    /// Oldest first.
    pub steps: &'static [Migration],
}

/// One step: SQL that both databases understand.
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    /// Name of its file without the ending, such as `001-people`.
    pub name: &'static str,
    /// The statements.
    pub sql: &'static str,
}

const TABLE: &str = "create table if not exists applied_migration (
    owner text not null, name text not null, checksum text not null, applied_at bigint not null,
    primary key (owner, name))";
const APPLIED: &str = "select checksum from applied_migration where owner = $1 and name = $2";
const RECORD: &str =
    "insert into applied_migration (owner, name, checksum, applied_at) values ($1, $2, $3, $4)";

pub(crate) fn run(tx: &mut Transaction<'_>, all: &[Migrations], now: Moment) -> Result<usize, DatabaseError> {
    tx.lock("kangmai migrations")?;
    tx.batch(TABLE)?;
    let mut applied = 0;
    for (owner, step) in all.iter().flat_map(|owned| owned.steps.iter().map(move |step| (owned.owner, step)))
    {
        let checksum = checksum(step.sql);
        match tx.query_one(APPLIED, &params![owner, step.name])? {
            Some(row) if row.get::<String>(0)? == checksum => {}
            Some(_) => {
                return Err(DatabaseError::EditedMigration { owner: owner.into(), name: step.name.into() });
            }
            None => {
                tx.batch(step.sql)?;
                tx.execute(RECORD, &params![owner, step.name, checksum, now])?;
                applied += 1;
            }
        }
    }
    Ok(applied)
}

fn checksum(sql: &str) -> String {
    let digest = Sha256::digest(sql.as_bytes());
    digest.iter().fold(String::with_capacity(64), |hex, byte| hex + &format!("{byte:02x}"))
}
