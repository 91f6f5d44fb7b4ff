//! The SQL of hubs and of who works at them.

use kangmai_base::{DivisionCode, DivisionLevel, Id, Moment};
use kangmai_database::{DatabaseError, Row, Transaction, params};

use crate::hub::{Hub, HubStaff};
use crate::store::role;
use crate::{Account, Actor, Phone, Reach};

const INSERT: &str =
    "insert into phone (id, account, name, key_hash, proof_hash, wrong_tries, created_at, is_hub)
    values ($1, $2, $3, $4, $5, 0, $6, true)";
const HUBS: &str = "select phone.id, phone.name, account.display_name, account.place, phone.created_at,
    phone.seen_at, phone.wiped_at,
    (select count(*) from hub_staff where hub_staff.hub = phone.id and hub_staff.left_at is null),
    exists (select 1 from hub_staff where hub_staff.hub = phone.id and hub_staff.account = $3
        and hub_staff.left_at is null)
    from phone join account on account.id = phone.account
    where phone.is_hub and (account.place between $1 and $2 or account.place in ($4, $5))
    order by phone.wiped_at is not null, phone.created_at desc, phone.id limit $6";
const JOIN: &str = "insert into hub_staff (hub, account, code_hash, code_until, joined_at)
    values ($1, $2, $3, $4, $5) on conflict (hub, account) do update
    set code_hash = excluded.code_hash, code_until = excluded.code_until, left_at = null";
const LEAVE: &str =
    "update hub_staff set left_at = $3, code_hash = null where hub = $1 and account = $2 and left_at is null";
const STAFF: &str =
    "select account.id, account.sign_in_name, account.display_name, account.role, account.place,
    hub_staff.code_hash, hub_staff.code_until from hub_staff join account on account.id = hub_staff.account
    where hub_staff.hub = $1 and hub_staff.left_at is null and account.closed_at is null
    and account.one_time_until is null and not coalesce(account.locked_until > $2, false)
    order by account.sign_in_name limit 500";
const AUTHOR: &str =
    "select account.id, account.display_name, account.role, account.place, account.institution
    from hub_staff join account on account.id = hub_staff.account
    where hub_staff.hub = $1 and account.id = $2 and hub_staff.left_at is null
    and account.closed_at is null and not coalesce(account.locked_until > $3, false)";
const TAKEN: &str = "select code_hash from hub_staff where hub = $1 and account = $2";
const TAKE: &str = "insert into hub_staff (hub, account, code_hash, code_until, joined_at)
    values ($1, $2, $3, $4, $5) on conflict (hub, account) do update
    set code_hash = coalesce(excluded.code_hash, hub_staff.code_hash), left_at = null";
const NAMES: &str = "update account set display_name = $2 where id = $1";
// At a hub there is one: what bears the name of an earlier registration is of the same people.
const HERE: &str = "select distinct account from hub_staff where left_at is null limit 1000";
const LEAVE_HERE: &str =
    "update hub_staff set left_at = $2, code_hash = null where account = $1 and left_at is null";

pub(crate) fn insert(
    tx: &mut Transaction<'_>,
    (id, account, name): (Id<Phone>, Id<Account>, &str),
    (key_hash, proof_hash): (&[u8], &[u8]),
    now: Moment,
) -> Result<(), DatabaseError> {
    tx.execute(INSERT, &params![id, account, name, key_hash.to_vec(), proof_hash.to_vec(), now])?;
    Ok(())
}

pub(crate) fn hubs(
    tx: &mut Transaction<'_>,
    by: &Actor,
    reach: &Reach,
    limit: i64,
) -> Result<Vec<Hub>, DatabaseError> {
    let above = [DivisionLevel::Township, DivisionLevel::County].map(|level| by.place.at(level));
    let values = params![reach.first(), reach.last(), by.account, above[0], above[1], limit];
    let read = |row: &Row| {
        Ok(Hub {
            id: row.get(0)?,
            name: row.get(1)?,
            by: row.get(2)?,
            place: row.get(3)?,
            created_at: row.get(4)?,
            seen_at: row.get(5)?,
            wiped_at: row.get(6)?,
            staff: row.get(7)?,
            is_own_place_of_work: row.get(8)?,
        })
    };
    tx.query(HUBS, &values)?.iter().map(read).collect()
}

pub(crate) fn join(
    tx: &mut Transaction<'_>,
    (hub, account): (Id<Phone>, Id<Account>),
    (code_hash, until): (&str, Moment),
    now: Moment,
) -> Result<(), DatabaseError> {
    tx.execute(JOIN, &params![hub, account, code_hash, until, now])?;
    Ok(())
}

pub(crate) fn leave(
    tx: &mut Transaction<'_>,
    (hub, account): (Id<Phone>, Id<Account>),
    now: Moment,
) -> Result<bool, DatabaseError> {
    Ok(tx.execute(LEAVE, &params![hub, account, now])? > 0)
}

pub(crate) fn staff(
    tx: &mut Transaction<'_>,
    hub: Id<Phone>,
    far: Moment,
) -> Result<Vec<HubStaff>, DatabaseError> {
    let read = |row: &Row| {
        Ok(HubStaff {
            account: row.get(0)?,
            sign_in_name: row.get(1)?,
            display_name: row.get(2)?,
            role: role(row, 3)?.key().to_owned(),
            place: row.get::<DivisionCode>(4)?,
            code_hash: row.get(5)?,
            code_until: row.get::<Option<i64>>(6)?,
        })
    };
    tx.query(STAFF, &params![hub, far])?.iter().map(read).collect()
}

pub(crate) fn author(
    tx: &mut Transaction<'_>,
    (hub, account): (Id<Phone>, Id<Account>),
    far: Moment,
) -> Result<Option<Actor>, DatabaseError> {
    let read = |row: &Row| {
        Ok(Actor {
            account: row.get(0)?,
            name: row.get(1)?,
            role: role(row, 2)?,
            place: row.get(3)?,
            institution: row.get(4)?,
            stands_in_for: None,
        })
    };
    tx.query_one(AUTHOR, &params![hub, account, far])?.as_ref().map(read).transpose()
}

/// The code that was taken up before, if any was.
pub(crate) fn taken(
    tx: &mut Transaction<'_>,
    (hub, account): (Id<Phone>, Id<Account>),
) -> Result<Option<String>, DatabaseError> {
    let row = tx.query_one(TAKEN, &params![hub, account])?;
    Ok(row.map(|row| row.get::<Option<String>>(0)).transpose()?.flatten())
}

pub(crate) fn take(
    tx: &mut Transaction<'_>,
    hub: Id<Phone>,
    one: &HubStaff,
    now: Moment,
) -> Result<(), DatabaseError> {
    tx.execute(TAKE, &params![hub, one.account, one.code_hash.as_deref(), one.code_until, now])?;
    Ok(())
}

pub(crate) fn rename(
    tx: &mut Transaction<'_>,
    account: Id<Account>,
    display_name: &str,
) -> Result<(), DatabaseError> {
    tx.execute(NAMES, &params![account, display_name])?;
    Ok(())
}

/// Who works here, as it was taken up last.
pub(crate) fn leave_here(
    tx: &mut Transaction<'_>,
    account: Id<Account>,
    now: Moment,
) -> Result<(), DatabaseError> {
    tx.execute(LEAVE_HERE, &params![account, now])?;
    Ok(())
}

pub(crate) fn here(tx: &mut Transaction<'_>) -> Result<Vec<Id<Account>>, DatabaseError> {
    tx.query(HERE, &[])?.iter().map(|row| row.get(0)).collect()
}
