//! The SQL of phones.

use kangmai_base::{DivisionCode, Id, Moment};
use kangmai_database::{DatabaseError, Row, Transaction, params};

use crate::phone::{MOST_WRONG_PINS, Phone, PhoneHolder, PhoneKeys};
use crate::store::role;
use crate::{Account, Actor, Reach, Role};

const SHARE: (&str, &str) = ("phone", "share_sealed");
const DATA_KEY: (&str, &str) = ("phone", "data_key_sealed");

const INSERT: &str = "insert into phone
    (id, account, name, key_hash, proof_hash, share_sealed, data_key_sealed, wrong_tries, created_at, seen_at)
    values ($1, $2, $3, $4, $5, $6, $7, 0, $8, $8)";
const REKEY: &str = "update phone set key_hash = $2, proof_hash = $3, share_sealed = $4, wrong_tries = 0
    where id = $1 and wiped_at is null";
const OF_ACCOUNT: &str = "select phone.id, phone.account, account.display_name, account.place, phone.name,
    phone.created_at, phone.seen_at, phone.wiped_at, phone.wrong_tries from phone
    join account on account.id = phone.account where phone.account = $1 order by phone.created_at desc limit 100";
const PHONE: &str = "select phone.id, phone.account, account.display_name, account.place, phone.name,
    phone.created_at, phone.seen_at, phone.wiped_at, phone.wrong_tries from phone
    join account on account.id = phone.account where phone.id = $1";
const WITHIN: &str = "select phone.id, phone.account, account.display_name, account.place, phone.name,
    phone.created_at, phone.seen_at, phone.wiped_at, phone.wrong_tries from phone
    join account on account.id = phone.account where account.place between $1 and $2
    order by phone.wiped_at is not null, account.place, account.display_name, phone.id limit $3 offset $4";
const DATA_KEY_OF: &str = "select data_key_sealed from phone where id = $1";
/// A phone of an account that is closed is ended like a wiped one.
const LOCK: &str = "select phone.proof_hash, phone.share_sealed, phone.wrong_tries,
    phone.wiped_at is not null or account.closed_at is not null or account.one_time_until is not null
    or coalesce(account.locked_until > $2, false), account.place, account.role
    from phone join account on account.id = phone.account where phone.id = $1";
const SET_WRONG_TRIES: &str = "update phone set wrong_tries = $2 where id = $1";
const TAKE_SHARE: &str = "update phone set share_sealed = null where id = $1";
const HOLDER: &str = "select phone.id, phone.wiped_at is not null, phone.seen_at, account.id,
    account.display_name, account.role, account.place, account.institution,
    account.closed_at is not null or account.one_time_until is not null
    or coalesce(account.locked_until > $2, false), coalesce(phone.is_hub, false), phone.name, phone.created_at
    from phone join account on account.id = phone.account where phone.key_hash = $1";
const HOLDER_OF: &str = "select phone.id, phone.wiped_at is not null, phone.seen_at, account.id,
    account.display_name, account.role, account.place, account.institution,
    account.closed_at is not null or account.one_time_until is not null
    or coalesce(account.locked_until > $2, false), coalesce(phone.is_hub, false), phone.name, phone.created_at
    from phone join account on account.id = phone.account where phone.id = $1";
const SET_SEEN: &str = "update phone set seen_at = $2 where id = $1";
const WIPE: &str = "update phone set wiped_at = $2, wiped_by = $3, share_sealed = null
    where id = $1 and wiped_at is null";

/// What stands between a PIN and the share.
pub(crate) struct Lock {
    pub(crate) proof_hash: Vec<u8>,
    pub(crate) share: Option<String>,
    pub(crate) wrong_tries: i64,
    pub(crate) is_ended: bool,
    pub(crate) place: DivisionCode,
    pub(crate) role: Role,
}

pub(crate) fn insert(
    tx: &mut Transaction<'_>,
    (account, name): (Id<Account>, &str),
    keys: &PhoneKeys,
    (key_hash, proof_hash): (&[u8], &[u8]),
    now: Moment,
) -> Result<(), DatabaseError> {
    let id = keys.phone.uuid();
    let share = tx.sealed(SHARE, id, Some(&keys.share))?;
    let data_key = tx.sealed(DATA_KEY, id, Some(&keys.data_key))?;
    let hashes = (key_hash.to_vec(), proof_hash.to_vec());
    tx.execute(INSERT, &params![id, account, name, hashes.0, hashes.1, share, data_key, now])?;
    Ok(())
}

pub(crate) fn rekey(
    tx: &mut Transaction<'_>,
    keys: &PhoneKeys,
    (key_hash, proof_hash): (&[u8], &[u8]),
) -> Result<(), DatabaseError> {
    let id = keys.phone.uuid();
    let share = tx.sealed(SHARE, id, Some(&keys.share))?;
    tx.execute(REKEY, &params![id, key_hash.to_vec(), proof_hash.to_vec(), share])?;
    Ok(())
}

fn read_phone(row: &Row) -> Result<Phone, DatabaseError> {
    Ok(Phone {
        id: row.get(0)?,
        account: row.get(1)?,
        account_name: row.get(2)?,
        place: row.get(3)?,
        name: row.get(4)?,
        created_at: row.get(5)?,
        seen_at: row.get(6)?,
        wiped_at: row.get(7)?,
        is_locked: row.get::<i64>(8)? >= MOST_WRONG_PINS,
    })
}

pub(crate) fn of_account(
    tx: &mut Transaction<'_>,
    account: Id<Account>,
) -> Result<Vec<Phone>, DatabaseError> {
    tx.query(OF_ACCOUNT, &params![account])?.iter().map(read_phone).collect()
}

pub(crate) fn phone(tx: &mut Transaction<'_>, id: Id<Phone>) -> Result<Option<Phone>, DatabaseError> {
    tx.query_one(PHONE, &params![id])?.as_ref().map(read_phone).transpose()
}

pub(crate) fn within(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    offset: i64,
    limit: i64,
) -> Result<Vec<Phone>, DatabaseError> {
    let rows = tx.query(WITHIN, &params![reach.first(), reach.last(), limit, offset])?;
    rows.iter().map(read_phone).collect()
}

pub(crate) fn data_key(tx: &mut Transaction<'_>, id: Id<Phone>) -> Result<Option<String>, DatabaseError> {
    let Some(row) = tx.query_one(DATA_KEY_OF, &params![id])? else { return Ok(None) };
    tx.opened(DATA_KEY, id.uuid(), row.get(0)?)
}

/// `far`: an account that is locked beyond it is locked by an officer.
pub(crate) fn lock(
    tx: &mut Transaction<'_>,
    id: Id<Phone>,
    far: Moment,
) -> Result<Option<Lock>, DatabaseError> {
    let Some(row) = tx.query_one(LOCK, &params![id, far])? else { return Ok(None) };
    Ok(Some(Lock {
        proof_hash: row.get(0)?,
        share: tx.opened(SHARE, id.uuid(), row.get(1)?)?,
        wrong_tries: row.get(2)?,
        is_ended: row.get(3)?,
        place: row.get(4)?,
        role: role(&row, 5)?,
    }))
}

pub(crate) fn set_wrong_tries(
    tx: &mut Transaction<'_>,
    id: Id<Phone>,
    tries: i64,
) -> Result<(), DatabaseError> {
    tx.execute(SET_WRONG_TRIES, &params![id, tries])?;
    Ok(())
}

pub(crate) fn take_share(tx: &mut Transaction<'_>, id: Id<Phone>) -> Result<(), DatabaseError> {
    tx.execute(TAKE_SHARE, &params![id])?;
    Ok(())
}

/// Whose key has this hash; when the phone was registered, and when it was last seen.
pub(crate) fn holder(
    tx: &mut Transaction<'_>,
    key_hash: &[u8],
    far: Moment,
) -> Result<Option<(PhoneHolder, Moment, Option<Moment>)>, DatabaseError> {
    let row = tx.query_one(HOLDER, &params![key_hash.to_vec(), far])?;
    row.as_ref().map(read_holder).transpose()
}

/// The same by its identifier.
pub(crate) fn holder_of(
    tx: &mut Transaction<'_>,
    id: Id<Phone>,
    far: Moment,
) -> Result<Option<PhoneHolder>, DatabaseError> {
    let row = tx.query_one(HOLDER_OF, &params![id, far])?;
    Ok(row.as_ref().map(read_holder).transpose()?.map(|(holder, _, _)| holder))
}

fn read_holder(row: &Row) -> Result<(PhoneHolder, Moment, Option<Moment>), DatabaseError> {
    let actor = Actor {
        account: row.get(3)?,
        name: row.get(4)?,
        role: role(row, 5)?,
        place: row.get(6)?,
        institution: row.get(7)?,
        stands_in_for: None,
    };
    let (is_wiped, is_barred) = (row.get(1)?, row.get(8)?);
    let holder = PhoneHolder {
        phone: row.get(0)?,
        name: row.get(10)?,
        actor,
        is_hub: row.get(9)?,
        is_expired: false,
        is_wiped,
        is_barred,
        seen_is_old: false,
    };
    Ok((holder, row.get(11)?, row.get(2)?))
}

pub(crate) fn set_seen(tx: &mut Transaction<'_>, id: Id<Phone>, now: Moment) -> Result<(), DatabaseError> {
    tx.execute(SET_SEEN, &params![id, now])?;
    Ok(())
}

pub(crate) fn wipe(
    tx: &mut Transaction<'_>,
    id: Id<Phone>,
    by: &Actor,
    now: Moment,
) -> Result<(), DatabaseError> {
    let by = (by.role != Role::System).then_some(by.account);
    tx.execute(WIPE, &params![id, now, by])?;
    Ok(())
}
