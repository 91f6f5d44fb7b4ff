//! The SQL of sessions.

use kangmai_base::{Id, Moment};
use kangmai_database::{DatabaseError, Row, Transaction, params};

use crate::session::{Device, LastSignIn, Method, Origin, Progress, hex};
use crate::store::role;
use crate::{Account, Actor};

const INSERT: &str = "insert into session
    (token_hash, account, csrf, opened_at, seen_at, method, address, device, failures_before)
    values ($1, $2, $3, $4, $4, $5, $6, $7, $8)";
const SESSION: &str =
    "select session.csrf, session.opened_at, session.seen_at, account.id, account.display_name,
    account.role, account.place, account.institution, session.method,
    account.one_time_until is not null, second_factor.confirmed_at is not null,
    session.second_factor_at is not null,
    absent.display_name, absent.role, absent.place, absent.institution
    from session join account on account.id = session.account
    left join second_factor on second_factor.account = account.id
    left join delegation on delegation.id = session.delegation and delegation.ended_at is null
        and delegation.from_at <= $2 and delegation.until_at > $2
    left join account absent on absent.id = delegation.of_account and absent.closed_at is null
    where session.token_hash = $1 and session.ended_at is null and account.closed_at is null";
const SET_SEEN: &str = "update session set seen_at = $2 where token_hash = $1";
const ROTATE: &str =
    "update session set token_hash = $2, csrf = $3 where token_hash = $1 and ended_at is null";
const SET_SECOND_FACTOR: &str = "update session set second_factor_at = $2 where token_hash = $1";
const END: &str = "update session set ended_at = $2 where token_hash = $1 and ended_at is null";
const END_OF: &str = "update session set ended_at = $2
    where account = $1 and ended_at is null and token_hash <> $3";
const DEVICES: &str = "select token_hash, address, device, opened_at, seen_at from session
    where account = $1 and ended_at is null order by seen_at desc, opened_at desc, token_hash limit $2";
const FAILURES_BEFORE: &str = "select opened_at, failures_before from session where token_hash = $1";
const LAST: &str = "select opened_at, address, device from session
    where account = $1 and opened_at < $2 order by opened_at desc limit 1";

/// A session as it is opened.
pub(crate) struct NewSession<'a> {
    pub(crate) token_hash: &'a [u8],
    pub(crate) account: Id<Account>,
    pub(crate) csrf: &'a str,
    pub(crate) method: Method,
    pub(crate) from: &'a Origin,
    pub(crate) failures_before: i64,
}

/// An open session and its times.
pub(crate) struct FoundSession {
    pub(crate) actor: Actor,
    pub(crate) csrf: String,
    pub(crate) opened_at: Moment,
    pub(crate) seen_at: Moment,
    pub(crate) progress: Progress,
}

pub(crate) fn insert(
    tx: &mut Transaction<'_>,
    new: &NewSession<'_>,
    now: Moment,
) -> Result<(), DatabaseError> {
    let (address, device) = (new.from.address.as_str(), new.from.device.as_str());
    let (method, failures) = (new.method.key(), new.failures_before);
    let hash = new.token_hash.to_vec();
    tx.execute(INSERT, &params![hash, new.account, new.csrf, now, method, address, device, failures])?;
    Ok(())
}

pub(crate) fn session(
    tx: &mut Transaction<'_>,
    token_hash: &[u8],
    now: Moment,
) -> Result<Option<FoundSession>, DatabaseError> {
    let Some(row) = tx.query_one(SESSION, &params![token_hash.to_vec(), now])? else { return Ok(None) };
    // Who stands in for somebody works where that account works, in its role.
    let stands_in_for: Option<String> = row.get(12)?;
    let (role_at, place_at, institution_at) = if stands_in_for.is_some() { (13, 14, 15) } else { (5, 6, 7) };
    Ok(Some(FoundSession {
        csrf: row.get(0)?,
        opened_at: row.get(1)?,
        seen_at: row.get(2)?,
        actor: Actor {
            account: row.get(3)?,
            name: row.get(4)?,
            role: role(&row, role_at)?,
            place: row.get(place_at)?,
            institution: row.get(institution_at)?,
            stands_in_for,
        },
        progress: Progress {
            method: row.get(8)?,
            is_one_time: row.get(9)?,
            has_factor: row.get(10)?,
            gave_code: row.get(11)?,
        },
    }))
}

pub(crate) fn set_seen(
    tx: &mut Transaction<'_>,
    token_hash: &[u8],
    now: Moment,
) -> Result<(), DatabaseError> {
    tx.execute(SET_SEEN, &params![token_hash.to_vec(), now])?;
    Ok(())
}

pub(crate) fn rotate(
    tx: &mut Transaction<'_>,
    old_hash: &[u8],
    new_hash: &[u8],
    csrf: &str,
) -> Result<(), DatabaseError> {
    tx.execute(ROTATE, &params![old_hash.to_vec(), new_hash.to_vec(), csrf])?;
    Ok(())
}

pub(crate) fn set_second_factor(
    tx: &mut Transaction<'_>,
    token_hash: &[u8],
    now: Moment,
) -> Result<(), DatabaseError> {
    tx.execute(SET_SECOND_FACTOR, &params![token_hash.to_vec(), now])?;
    Ok(())
}

pub(crate) fn end_session(
    tx: &mut Transaction<'_>,
    token_hash: &[u8],
    now: Moment,
) -> Result<(), DatabaseError> {
    tx.execute(END, &params![token_hash.to_vec(), now])?;
    Ok(())
}

/// Ends the sessions of an account but the one with the hash `keep`; empty: none is kept.
pub(crate) fn end_sessions_of(
    tx: &mut Transaction<'_>,
    account: Id<Account>,
    now: Moment,
    keep: &[u8],
) -> Result<(), DatabaseError> {
    tx.execute(END_OF, &params![account, now, keep.to_vec()])?;
    Ok(())
}

fn text(row: &Row, column: usize) -> Result<String, DatabaseError> {
    Ok(row.get::<Option<String>>(column)?.unwrap_or_default())
}

pub(crate) fn devices(
    tx: &mut Transaction<'_>,
    account: Id<Account>,
    limit: i64,
) -> Result<Vec<Device>, DatabaseError> {
    let rows = tx.query(DEVICES, &params![account, limit])?;
    let read = |row: &Row| {
        Ok(Device {
            handle: hex(&row.get::<Vec<u8>>(0)?),
            address: text(row, 1)?,
            device: text(row, 2)?,
            opened_at: row.get(3)?,
            seen_at: row.get(4)?,
            is_this: false,
        })
    };
    rows.iter().map(read).collect()
}

pub(crate) fn last_sign_in(
    tx: &mut Transaction<'_>,
    account: Id<Account>,
    token_hash: &[u8],
) -> Result<Option<LastSignIn>, DatabaseError> {
    let Some(this) = tx.query_one(FAILURES_BEFORE, &params![token_hash.to_vec()])? else { return Ok(None) };
    let opened_at: Moment = this.get(0)?;
    let Some(row) = tx.query_one(LAST, &params![account, opened_at])? else { return Ok(None) };
    Ok(Some(LastSignIn {
        at: row.get(0)?,
        address: text(&row, 1)?,
        device: text(&row, 2)?,
        failures: this.get::<Option<i64>>(1)?.unwrap_or_default(),
    }))
}
