//! The SQL of accounts, sessions and the audit trail.

pub(crate) mod client;

use kangmai_base::{DivisionCode, Id, Moment, Uuid};
use kangmai_database::{DatabaseError, Row, Transaction, params};

use crate::{Account, Actor, AuditRow, NewAccount, PasswordHash, Reach, Role, SignedIn};

const INSERT_ACCOUNT: &str = "insert into account
    (id, sign_in_name, display_name, role, place, institution, password_hash, created_at, failures)
    values ($1, $2, $3, $4, $5, $6, $7, $8, 0)";
const CREDENTIALS: &str =
    "select id, display_name, role, place, institution, password_hash, closed_at, failures,
    locked_until from account where sign_in_name = $1";
const ACCOUNT: &str =
    "select id, sign_in_name, display_name, role, place, institution, closed_at, locked_until
    from account where id = $1";
const ACCOUNTS: &str =
    "select id, sign_in_name, display_name, role, place, institution, closed_at, locked_until
    from account where place between $1 and $2 order by place, sign_in_name limit $3 offset $4";
const SET_CLOSED: &str = "update account set closed_at = $2 where id = $1";
const SET_PASSWORD: &str =
    "update account set password_hash = $2, failures = 0, locked_until = null where id = $1";
const TRANSFER: &str = "update account set role = $2, place = $3 where id = $1";
const SET_FAILURES: &str = "update account set failures = $2, locked_until = $3 where id = $1";
const INSERT_SESSION: &str =
    "insert into session (token_hash, account, csrf, opened_at, seen_at) values ($1, $2, $3, $4, $4)";
const SESSION: &str =
    "select session.csrf, session.opened_at, session.seen_at, account.id, account.display_name,
    account.role, account.place, account.institution
    from session join account on account.id = session.account
    where session.token_hash = $1 and session.ended_at is null and account.closed_at is null";
const SET_SEEN: &str = "update session set seen_at = $2 where token_hash = $1";
const END_SESSION: &str = "update session set ended_at = $2 where token_hash = $1 and ended_at is null";
const END_SESSIONS_OF: &str = "update session set ended_at = $2 where account = $1 and ended_at is null";
const INSERT_AUDIT: &str = "insert into audit_row
    (id, at, account, role, action, subject, place, reason, outcome) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
const AUDIT_ROWS: &str =
    "select audit_row.at, audit_row.account, coalesce(account.display_name, client.name), audit_row.role,
    audit_row.action, audit_row.subject, audit_row.place, audit_row.reason, audit_row.outcome
    from audit_row left join account on account.id = audit_row.account
    left join client on client.id = audit_row.account
    where audit_row.place between $1 and $2 order by audit_row.at desc, audit_row.id desc limit $3 offset $4";
const AUDIT_ROWS_OF: &str =
    "select audit_row.at, audit_row.account, coalesce(account.display_name, client.name), audit_row.role,
    audit_row.action, audit_row.subject, audit_row.place, audit_row.reason, audit_row.outcome
    from audit_row left join account on account.id = audit_row.account
    left join client on client.id = audit_row.account
    where audit_row.subject = $1 and audit_row.place between $2 and $3
    order by audit_row.at desc, audit_row.id desc limit $4";

/// What sign-in must know of an account.
#[derive(Clone)]
pub(crate) struct Credentials {
    pub(crate) actor: Actor,
    pub(crate) password: PasswordHash,
    pub(crate) closed: bool,
    pub(crate) failures: i64,
    pub(crate) locked_until: Option<Moment>,
}

/// An open session and its times.
pub(crate) struct FoundSession {
    pub(crate) signed_in: SignedIn,
    pub(crate) opened_at: Moment,
    pub(crate) seen_at: Moment,
}

fn role(row: &Row, column: usize) -> Result<Role, DatabaseError> {
    let key: String = row.get(column)?;
    Role::from_key(&key).ok_or(DatabaseError::WrongType { column, expected: "role" })
}

pub(crate) fn insert_account(
    tx: &mut Transaction<'_>,
    new: &NewAccount,
    now: Moment,
) -> Result<(), DatabaseError> {
    let name = new.display_name.trim();
    let (role, password) = (new.role.key(), new.password.0.as_str());
    tx.execute(
        INSERT_ACCOUNT,
        &params![new.id, new.sign_in_name.as_str(), name, role, new.place, new.institution, password, now],
    )?;
    Ok(())
}

pub(crate) fn credentials(
    tx: &mut Transaction<'_>,
    name: &str,
) -> Result<Option<Credentials>, DatabaseError> {
    let Some(row) = tx.query_one(CREDENTIALS, &params![name])? else { return Ok(None) };
    Ok(Some(Credentials {
        actor: Actor {
            account: row.get(0)?,
            name: row.get(1)?,
            role: role(&row, 2)?,
            place: row.get(3)?,
            institution: row.get(4)?,
        },
        password: PasswordHash(row.get(5)?),
        closed: row.get::<Option<Moment>>(6)?.is_some(),
        failures: row.get(7)?,
        locked_until: row.get(8)?,
    }))
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
    tx.execute(SET_PASSWORD, &params![id, hash.0.as_str()])?;
    Ok(())
}

pub(crate) fn transfer(
    tx: &mut Transaction<'_>,
    id: Id<Account>,
    role: Role,
    place: DivisionCode,
) -> Result<(), DatabaseError> {
    tx.execute(TRANSFER, &params![id, role.key(), place])?;
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

pub(crate) fn insert_session(
    tx: &mut Transaction<'_>,
    token_hash: &[u8],
    account: Id<Account>,
    csrf: &str,
    now: Moment,
) -> Result<(), DatabaseError> {
    tx.execute(INSERT_SESSION, &params![token_hash.to_vec(), account, csrf, now])?;
    Ok(())
}

pub(crate) fn session(
    tx: &mut Transaction<'_>,
    token_hash: &[u8],
) -> Result<Option<FoundSession>, DatabaseError> {
    let Some(row) = tx.query_one(SESSION, &params![token_hash.to_vec()])? else { return Ok(None) };
    let actor = Actor {
        account: row.get(3)?,
        name: row.get(4)?,
        role: role(&row, 5)?,
        place: row.get(6)?,
        institution: row.get(7)?,
    };
    Ok(Some(FoundSession {
        signed_in: SignedIn { actor, csrf: row.get(0)? },
        opened_at: row.get(1)?,
        seen_at: row.get(2)?,
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

pub(crate) fn end_session(
    tx: &mut Transaction<'_>,
    token_hash: &[u8],
    now: Moment,
) -> Result<(), DatabaseError> {
    tx.execute(END_SESSION, &params![token_hash.to_vec(), now])?;
    Ok(())
}

pub(crate) fn end_sessions_of(
    tx: &mut Transaction<'_>,
    account: Id<Account>,
    now: Moment,
) -> Result<(), DatabaseError> {
    tx.execute(END_SESSIONS_OF, &params![account, now])?;
    Ok(())
}

#[expect(
    clippy::too_many_arguments,
    reason = "who, what, whose, where, why and the outcome are what a line is"
)]
pub(crate) fn insert_audit(
    tx: &mut Transaction<'_>,
    id: Uuid,
    now: Moment,
    actor: &Actor,
    action: &str,
    subject: Option<Uuid>,
    place: DivisionCode,
    reason: &str,
    outcome: &str,
) -> Result<(), DatabaseError> {
    let account = (actor.role != Role::System).then_some(actor.account);
    tx.execute(
        INSERT_AUDIT,
        &params![id, now, account, actor.role.key(), action, subject, place, reason, outcome],
    )?;
    Ok(())
}

fn read_audit_row(row: &Row) -> Result<AuditRow, DatabaseError> {
    Ok(AuditRow {
        at: row.get(0)?,
        account: row.get(1)?,
        name: row.get(2)?,
        role: row.get(3)?,
        action: row.get(4)?,
        subject: row.get(5)?,
        place: row.get(6)?,
        reason: row.get(7)?,
        outcome: row.get(8)?,
    })
}

pub(crate) fn audit_rows(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    offset: i64,
    limit: i64,
) -> Result<Vec<AuditRow>, DatabaseError> {
    let rows = tx.query(AUDIT_ROWS, &params![reach.first(), reach.last(), limit, offset])?;
    rows.iter().map(read_audit_row).collect()
}

pub(crate) fn audit_rows_of(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    subject: Uuid,
    limit: i64,
) -> Result<Vec<AuditRow>, DatabaseError> {
    let rows = tx.query(AUDIT_ROWS_OF, &params![subject, reach.first(), reach.last(), limit])?;
    rows.iter().map(read_audit_row).collect()
}
