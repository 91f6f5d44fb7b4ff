//! The SQL of set-up codes.

use kangmai_base::Moment;
use kangmai_database::{DatabaseError, Transaction, params};

const FORGET: &str = "delete from set_up_code";
const INSERT: &str = "insert into set_up_code (hash, made_at, expires_at) values ($1, $2, $3)";
const VALID: &str = "select 1 from set_up_code where hash = $1 and used_at is null and expires_at > $2";
const SET_USED: &str = "update set_up_code set used_at = $2 where hash = $1";

pub(crate) fn forget(tx: &mut Transaction<'_>) -> Result<(), DatabaseError> {
    tx.execute(FORGET, &[])?;
    Ok(())
}

pub(crate) fn insert(
    tx: &mut Transaction<'_>,
    hash: &[u8],
    now: Moment,
    expires_at: Moment,
) -> Result<(), DatabaseError> {
    tx.execute(INSERT, &params![hash.to_vec(), now, expires_at])?;
    Ok(())
}

pub(crate) fn is_valid(tx: &mut Transaction<'_>, hash: &[u8], now: Moment) -> Result<bool, DatabaseError> {
    Ok(tx.query_one(VALID, &params![hash.to_vec(), now])?.is_some())
}

pub(crate) fn set_used(tx: &mut Transaction<'_>, hash: &[u8], now: Moment) -> Result<(), DatabaseError> {
    tx.execute(SET_USED, &params![hash.to_vec(), now])?;
    Ok(())
}
