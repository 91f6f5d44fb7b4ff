//! The SQL of second factors.

use kangmai_base::{Id, Moment};
use kangmai_database::{DatabaseError, Transaction, params};

use crate::Account;

const FACTOR: &str = "select secret, confirmed_at, last_step from second_factor where account = $1";
const INSERT: &str = "insert into second_factor (account, secret, made_at) values ($1, $2, $3)";
const CONFIRM: &str = "update second_factor set confirmed_at = $3, last_step = $2 where account = $1";
const SET_LAST_STEP: &str = "update second_factor set last_step = $2 where account = $1";
const FORGET: &str = "delete from second_factor where account = $1";
const INSERT_RECOVERY: &str = "insert into recovery_code (hash, account, made_at) values ($1, $2, $3)";
const IS_RECOVERY: &str = "select 1 from recovery_code where hash = $1 and account = $2 and used_at is null";
const USE_RECOVERY: &str = "update recovery_code set used_at = $2 where hash = $1";
const RECOVERY_LEFT: &str = "select count(*) from recovery_code where account = $1 and used_at is null";
const FORGET_RECOVERY: &str = "delete from recovery_code where account = $1";

/// A second factor, set up or on the way.
pub(crate) struct Factor {
    /// Sealed.
    pub(crate) secret: Vec<u8>,
    pub(crate) confirmed_at: Option<Moment>,
    pub(crate) last_step: Option<i64>,
}

pub(crate) fn factor(
    tx: &mut Transaction<'_>,
    account: Id<Account>,
) -> Result<Option<Factor>, DatabaseError> {
    let Some(row) = tx.query_one(FACTOR, &params![account])? else { return Ok(None) };
    Ok(Some(Factor { secret: row.get(0)?, confirmed_at: row.get(1)?, last_step: row.get(2)? }))
}

pub(crate) fn insert(
    tx: &mut Transaction<'_>,
    account: Id<Account>,
    sealed: &[u8],
    now: Moment,
) -> Result<(), DatabaseError> {
    tx.execute(INSERT, &params![account, sealed.to_vec(), now])?;
    Ok(())
}

pub(crate) fn confirm(
    tx: &mut Transaction<'_>,
    account: Id<Account>,
    step: i64,
    now: Moment,
) -> Result<(), DatabaseError> {
    tx.execute(CONFIRM, &params![account, step, now])?;
    Ok(())
}

pub(crate) fn set_last_step(
    tx: &mut Transaction<'_>,
    account: Id<Account>,
    step: i64,
) -> Result<(), DatabaseError> {
    tx.execute(SET_LAST_STEP, &params![account, step])?;
    Ok(())
}

pub(crate) fn forget(tx: &mut Transaction<'_>, account: Id<Account>) -> Result<(), DatabaseError> {
    tx.execute(FORGET, &params![account])?;
    Ok(())
}

pub(crate) fn insert_recovery(
    tx: &mut Transaction<'_>,
    hash: &[u8],
    account: Id<Account>,
    now: Moment,
) -> Result<(), DatabaseError> {
    tx.execute(INSERT_RECOVERY, &params![hash.to_vec(), account, now])?;
    Ok(())
}

pub(crate) fn is_recovery(
    tx: &mut Transaction<'_>,
    hash: &[u8],
    account: Id<Account>,
) -> Result<bool, DatabaseError> {
    Ok(tx.query_one(IS_RECOVERY, &params![hash.to_vec(), account])?.is_some())
}

pub(crate) fn use_recovery(tx: &mut Transaction<'_>, hash: &[u8], now: Moment) -> Result<(), DatabaseError> {
    tx.execute(USE_RECOVERY, &params![hash.to_vec(), now])?;
    Ok(())
}

pub(crate) fn recovery_left(tx: &mut Transaction<'_>, account: Id<Account>) -> Result<i64, DatabaseError> {
    let row = tx.query_one(RECOVERY_LEFT, &params![account])?;
    row.map_or(Ok(0), |row| row.get(0))
}

pub(crate) fn forget_recovery(tx: &mut Transaction<'_>, account: Id<Account>) -> Result<(), DatabaseError> {
    tx.execute(FORGET_RECOVERY, &params![account])?;
    Ok(())
}
