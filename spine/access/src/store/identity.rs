//! The SQL of identities at providers.

use kangmai_base::{Id, Moment};
use kangmai_database::{DatabaseError, Row, Transaction, params};

use crate::{Account, BoundIdentity};

const ACCOUNT_OF: &str = "select account from identity where issuer = $1 and subject = $2";
const OF: &str = "select issuer, subject, bound_at from identity where account = $1
    order by bound_at, issuer, subject limit 20";
const INSERT: &str =
    "insert into identity (issuer, subject, account, bound_at, bound_by) values ($1, $2, $3, $4, $5)";
const REMOVE: &str = "delete from identity where issuer = $1 and subject = $2";

pub(crate) fn account_of(
    tx: &mut Transaction<'_>,
    issuer: &str,
    subject: &str,
) -> Result<Option<Id<Account>>, DatabaseError> {
    tx.query_one(ACCOUNT_OF, &params![issuer, subject])?.map(|row| row.get(0)).transpose()
}

pub(crate) fn of(
    tx: &mut Transaction<'_>,
    account: Id<Account>,
) -> Result<Vec<BoundIdentity>, DatabaseError> {
    let read =
        |row: &Row| Ok(BoundIdentity { issuer: row.get(0)?, subject: row.get(1)?, bound_at: row.get(2)? });
    tx.query(OF, &params![account])?.iter().map(read).collect()
}

pub(crate) fn insert(
    tx: &mut Transaction<'_>,
    (issuer, subject): (&str, &str),
    account: Id<Account>,
    now: Moment,
    by: Option<Id<Account>>,
) -> Result<(), DatabaseError> {
    tx.execute(INSERT, &params![issuer, subject, account, now, by])?;
    Ok(())
}

pub(crate) fn remove(tx: &mut Transaction<'_>, issuer: &str, subject: &str) -> Result<(), DatabaseError> {
    tx.execute(REMOVE, &params![issuer, subject])?;
    Ok(())
}
