//! The SQL of accounts.

pub(crate) mod audit;
pub(crate) mod audit_search;
pub(crate) mod break_glass;
pub(crate) mod chain;
pub(crate) mod client;
pub(crate) mod delegation;
pub(crate) mod factor;
pub(crate) mod hub;
pub(crate) mod identity;
pub(crate) mod phone;
pub(crate) mod relation;
pub(crate) mod session;
pub(crate) mod set_up;

use kangmai_base::{DivisionCode, DivisionLevel, Id, Moment, Uuid};
use kangmai_database::{DatabaseError, Row, Transaction, params};

use crate::{Account, Actor, NewAccount, PasswordHash, Reach, Role};

const INSERT_ACCOUNT: &str = "insert into account
    (id, sign_in_name, display_name, role, place, institution, password_hash, created_at, failures, one_time_until)
    values ($1, $2, $3, $4, $5, $6, $7, $8, 0, $9)";
const CREDENTIALS: &str =
    "select account.id, display_name, role, place, institution, password_hash, closed_at,
    failures, locked_until, one_time_until, sign_in_name, second_factor.confirmed_at is not null
    from account left join second_factor on second_factor.account = account.id where sign_in_name = $1";
const CREDENTIALS_OF: &str =
    "select account.id, display_name, role, place, institution, password_hash, closed_at,
    failures, locked_until, one_time_until, sign_in_name, second_factor.confirmed_at is not null
    from account left join second_factor on second_factor.account = account.id where account.id = $1";
const HAS_ACCOUNTS: &str = "select 1 from account limit 1";
const ACCOUNT: &str =
    "select id, sign_in_name, display_name, role, place, institution, closed_at, locked_until
    from account where id = $1";
const ACCOUNTS: &str =
    "select id, sign_in_name, display_name, role, place, institution, closed_at, locked_until
    from account where place between $1 and $2 order by place, sign_in_name limit $3 offset $4";
const STAFF: &str = "select id, sign_in_name, display_name, role, place, institution, closed_at, locked_until
    from account where closed_at is null and (
        (role in ('village_doctor', 'township_officer') and place between $1 and $2)
        or (role = 'expert' and (place between $1 and $2 or place in ($3, $4, $5))))
    order by role desc, place, sign_in_name limit $6";
const SET_CLOSED: &str = "update account set closed_at = $2 where id = $1";
const SET_PASSWORD: &str = "update account set password_hash = $2, one_time_until = $3, failures = 0, locked_until = null where id = $1";
const TRANSFER: &str = "update account set role = $2, place = $3, institution = $4 where id = $1";
const LOCK: &str = "update account set locked_until = $2 where id = $1";
const SET_FAILURES: &str = "update account set failures = $2, locked_until = $3 where id = $1";
/// What sign-in must know of an account.
#[derive(Clone)]
pub(crate) struct Credentials {
    pub(crate) actor: Actor,
    pub(crate) password: PasswordHash,
    pub(crate) closed: bool,
    pub(crate) failures: i64,
    pub(crate) locked_until: Option<Moment>,
    pub(crate) sign_in_name: String,
    pub(crate) has_factor: bool,
}

pub(crate) fn role(row: &Row, column: usize) -> Result<Role, DatabaseError> {
    let key: String = row.get(column)?;
    Role::from_key(&key).ok_or(DatabaseError::WrongType { column, expected: "role" })
}

pub(crate) fn insert_account(
    tx: &mut Transaction<'_>,
    new: &NewAccount,
    now: Moment,
) -> Result<(), DatabaseError> {
    let name = new.display_name.trim();
    let (role, password) = (new.role.key(), new.password.text.as_str());
    let (sign_in_name, one_time) = (new.sign_in_name.as_str(), new.password.one_time_until);
    tx.execute(
        INSERT_ACCOUNT,
        &params![new.id, sign_in_name, name, role, new.place, new.institution, password, now, one_time],
    )?;
    Ok(())
}

pub(crate) fn credentials(
    tx: &mut Transaction<'_>,
    name: &str,
) -> Result<Option<Credentials>, DatabaseError> {
    tx.query_one(CREDENTIALS, &params![name])?.as_ref().map(read_credentials).transpose()
}

pub(crate) fn credentials_of(
    tx: &mut Transaction<'_>,
    account: Id<Account>,
) -> Result<Option<Credentials>, DatabaseError> {
    tx.query_one(CREDENTIALS_OF, &params![account])?.as_ref().map(read_credentials).transpose()
}

/// Whether there is any account.
pub(crate) fn has_accounts(tx: &mut Transaction<'_>) -> Result<bool, DatabaseError> {
    Ok(tx.query_one(HAS_ACCOUNTS, &[])?.is_some())
}

fn read_credentials(row: &Row) -> Result<Credentials, DatabaseError> {
    Ok(Credentials {
        actor: Actor {
            account: row.get(0)?,
            name: row.get(1)?,
            role: role(row, 2)?,
            place: row.get(3)?,
            institution: row.get(4)?,
            stands_in_for: None,
        },
        password: PasswordHash { text: row.get(5)?, one_time_until: row.get(9)? },
        closed: row.get::<Option<Moment>>(6)?.is_some(),
        failures: row.get(7)?,
        locked_until: row.get(8)?,
        sign_in_name: row.get(10)?,
        has_factor: row.get(11)?,
    })
}

fn read_account(row: &Row) -> Result<Account, DatabaseError> {
    Ok(Account {
        id: row.get(0)?,
        sign_in_name: row.get(1)?,
        display_name: row.get(2)?,
        role: role(row, 3)?,
        place: row.get(4)?,
        institution: row.get(5)?,
        closed_at: row.get(6)?,
        locked_until: row.get(7)?,
    })
}

pub(crate) fn account(tx: &mut Transaction<'_>, id: Id<Account>) -> Result<Option<Account>, DatabaseError> {
    tx.query_one(ACCOUNT, &params![id])?.as_ref().map(read_account).transpose()
}

/// Who may be in a team of `place`: who works there, and experts of the county, city and province above.
pub(crate) fn staff(
    tx: &mut Transaction<'_>,
    place: DivisionCode,
    limit: i64,
) -> Result<Vec<Account>, DatabaseError> {
    let range = place.range();
    let above = [DivisionLevel::County, DivisionLevel::City, DivisionLevel::Province];
    let [county, city, province] = above.map(|level| place.at(level));
    let (first, last) = (range.first.cast_signed(), range.last.cast_signed());
    let rows = tx.query(STAFF, &params![first, last, county, city, province, limit])?;
    rows.iter().map(read_account).collect()
}

pub(crate) fn accounts(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    offset: i64,
    limit: i64,
) -> Result<Vec<Account>, DatabaseError> {
    tx.query(ACCOUNTS, &params![reach.first(), reach.last(), limit, offset])?
        .iter()
        .map(read_account)
        .collect()
}

pub(crate) fn set_closed(
    tx: &mut Transaction<'_>,
    id: Id<Account>,
    at: Option<Moment>,
) -> Result<(), DatabaseError> {
    tx.execute(SET_CLOSED, &params![id, at])?;
    Ok(())
}

pub(crate) fn set_password(
    tx: &mut Transaction<'_>,
    id: Id<Account>,
    hash: &PasswordHash,
) -> Result<(), DatabaseError> {
    tx.execute(SET_PASSWORD, &params![id, hash.text.as_str(), hash.one_time_until])?;
    Ok(())
}

pub(crate) fn transfer(
    tx: &mut Transaction<'_>,
    id: Id<Account>,
    role: Role,
    place: DivisionCode,
    institution: Option<Uuid>,
) -> Result<(), DatabaseError> {
    tx.execute(TRANSFER, &params![id, role.key(), place, institution])?;
    Ok(())
}

pub(crate) fn set_failures(
    tx: &mut Transaction<'_>,
    id: Id<Account>,
    failures: i64,
    locked_until: Option<Moment>,
) -> Result<(), DatabaseError> {
    tx.execute(SET_FAILURES, &params![id, failures, locked_until])?;
    Ok(())
}

pub(crate) fn lock(tx: &mut Transaction<'_>, id: Id<Account>, until: Moment) -> Result<(), DatabaseError> {
    tx.execute(LOCK, &params![id, until])?;
    Ok(())
}
