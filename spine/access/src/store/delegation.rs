//! The SQL of delegations.

use kangmai_base::{Id, Moment, Uuid};
use kangmai_database::{DatabaseError, Row, Transaction, params};

use crate::store::role;
use crate::{Account, Delegation};

/// One, those given by an account and those given to it: identifiers are never the same.
const OF: &str = "select delegation.id, delegation.from_at, delegation.until_at, delegation.reason,
    o.id, o.sign_in_name, o.display_name, o.role, o.place, o.institution, o.closed_at, o.locked_until,
    t.id, t.sign_in_name, t.display_name, t.role, t.place, t.institution, t.closed_at, t.locked_until
    from delegation join account o on o.id = delegation.of_account
    join account t on t.id = delegation.to_account
    where delegation.ended_at is null and delegation.until_at > $2
    and (delegation.id = $1 or delegation.of_account = $1 or delegation.to_account = $1)
    order by delegation.from_at, delegation.id limit 100";
const INSERT: &str = "insert into delegation
    (id, of_account, to_account, from_at, until_at, reason, made_at, made_by) values ($1, $2, $3, $4, $5, $6, $7, $8)";
const END: &str = "update delegation set ended_at = $2 where id = $1 and ended_at is null";
const END_OF_ACCOUNT: &str = "update delegation set ended_at = $2
    where (of_account = $1 or to_account = $1) and ended_at is null and until_at > $2";
const SET_OF_SESSION: &str = "update session set delegation = $2 where token_hash = $1 and ended_at is null";
/// A county has some hundred; what is beyond is not offered.
const OPEN_ACCOUNTS: &str =
    "select id, sign_in_name, display_name, role, place, institution, closed_at, locked_until
    from account where place between $1 and $2 and closed_at is null order by place, sign_in_name limit 2000";

fn account(row: &Row, first: usize) -> Result<Account, DatabaseError> {
    Ok(Account {
        id: row.get(first)?,
        sign_in_name: row.get(first + 1)?,
        display_name: row.get(first + 2)?,
        role: role(row, first + 3)?,
        place: row.get(first + 4)?,
        institution: row.get(first + 5)?,
        closed_at: row.get(first + 6)?,
        locked_until: row.get(first + 7)?,
    })
}

fn read(row: &Row) -> Result<Delegation, DatabaseError> {
    Ok(Delegation {
        id: row.get(0)?,
        from: row.get(1)?,
        until: row.get(2)?,
        reason: row.get(3)?,
        of: account(row, 4)?,
        to: account(row, 12)?,
    })
}

fn find(tx: &mut Transaction<'_>, id: Uuid, now: Moment) -> Result<Vec<Delegation>, DatabaseError> {
    tx.query(OF, &params![id, now])?.iter().map(read).collect()
}

pub(crate) fn one(
    tx: &mut Transaction<'_>,
    id: Uuid,
    now: Moment,
) -> Result<Option<Delegation>, DatabaseError> {
    Ok(find(tx, id, now)?.into_iter().find(|one| one.id == id))
}

/// Those given by an account, and those given to it.
pub(crate) fn of_account(
    tx: &mut Transaction<'_>,
    account: Id<Account>,
    now: Moment,
) -> Result<(Vec<Delegation>, Vec<Delegation>), DatabaseError> {
    Ok(find(tx, account.uuid(), now)?.into_iter().partition(|one| one.of.id == account))
}

pub(crate) fn insert(
    tx: &mut Transaction<'_>,
    id: Uuid,
    (of, to): (Id<Account>, Id<Account>),
    (from, until): (Moment, Moment),
    reason: &str,
    (now, by): (Moment, Id<Account>),
) -> Result<(), DatabaseError> {
    tx.execute(INSERT, &params![id, of, to, from, until, reason, now, by])?;
    Ok(())
}

pub(crate) fn end(tx: &mut Transaction<'_>, id: Uuid, now: Moment) -> Result<(), DatabaseError> {
    tx.execute(END, &params![id, now])?;
    Ok(())
}

/// Ends all that was given by an account or to it.
pub(crate) fn end_of_account(
    tx: &mut Transaction<'_>,
    account: Id<Account>,
    now: Moment,
) -> Result<(), DatabaseError> {
    tx.execute(END_OF_ACCOUNT, &params![account, now])?;
    Ok(())
}

pub(crate) fn set_of_session(
    tx: &mut Transaction<'_>,
    token_hash: &[u8],
    id: Option<Uuid>,
) -> Result<(), DatabaseError> {
    tx.execute(SET_OF_SESSION, &params![token_hash.to_vec(), id])?;
    Ok(())
}

/// Open accounts between two places.
pub(crate) fn open_accounts(
    tx: &mut Transaction<'_>,
    (first, last): (i64, i64),
) -> Result<Vec<Account>, DatabaseError> {
    tx.query(OPEN_ACCOUNTS, &params![first, last])?.iter().map(|row| account(row, 0)).collect()
}
