//! The SQL of relations.

use kangmai_base::{Moment, Uuid};
use kangmai_database::{DatabaseError, InsertMany, Transaction, params};

use crate::{Actor, NewRelation, Related, RelationKind};

const INSERT: &str =
    "insert into relation (id, person, kind, account, institution, from_at, until_at, source)
    values ($1, $2, $3, $4, $5, $6, $7, $8)";
const INSERT_MANY: InsertMany = InsertMany {
    table: "relation",
    columns: &["id", "person", "kind", "account", "institution", "from_at", "until_at", "source"],
    suffix: "",
};
const END_OF_SOURCE: &str = "update relation set until_at = $2 where source = $1 and until_at > $2";
const END_OF_ACCOUNT: &str = "update relation set until_at = $2 where account = $1 and until_at > $2";
const FORGET: &str = "delete from relation where person = $1";
const KINDS: &str = "select distinct kind from relation where person = $1 and until_at > $2 and from_at <= $2
    and (account = $3 or institution = $4)";

/// Who works for the institutions of a place, one tier or two, without being bound to one.
const KINDS_AT: &str = "select distinct relation.kind from relation join institution on institution.id = relation.institution
    where relation.person = $1 and relation.until_at > $2 and relation.from_at <= $2
    and institution.place between $3 and $4 and institution.tier in ($5, $6)";

pub(crate) fn insert(tx: &mut Transaction<'_>, new: &NewRelation) -> Result<(), DatabaseError> {
    let (account, institution) = match new.whose {
        Related::Account(account) => (Some(account), None),
        Related::Institution(institution) => (None, Some(institution)),
    };
    let parameters =
        params![new.id, new.person, new.kind.key(), account, institution, new.from, new.until, new.source];
    tx.execute(INSERT, &parameters)?;
    Ok(())
}

pub(crate) fn insert_all(tx: &mut Transaction<'_>, all: &[NewRelation]) -> Result<(), DatabaseError> {
    let rows = all.iter().map(|new| {
        let (account, institution) = match new.whose {
            Related::Account(account) => (Some(account), None),
            Related::Institution(institution) => (None, Some(institution)),
        };
        params![new.id, new.person, new.kind.key(), account, institution, new.from, new.until, new.source]
    });
    tx.insert_many(&INSERT_MANY, rows)?;
    Ok(())
}

pub(crate) fn end_of_source(
    tx: &mut Transaction<'_>,
    source: Uuid,
    now: Moment,
) -> Result<(), DatabaseError> {
    tx.execute(END_OF_SOURCE, &params![source, now])?;
    Ok(())
}

pub(crate) fn end_of_account(
    tx: &mut Transaction<'_>,
    account: Uuid,
    now: Moment,
) -> Result<(), DatabaseError> {
    tx.execute(END_OF_ACCOUNT, &params![account, now])?;
    Ok(())
}

pub(crate) fn forget(tx: &mut Transaction<'_>, person: Uuid) -> Result<(), DatabaseError> {
    tx.execute(FORGET, &params![person])?;
    Ok(())
}

/// What `actor`, or the institution that they work for, is to a person at `now`.
pub(crate) fn kinds(
    tx: &mut Transaction<'_>,
    actor: &Actor,
    person: Uuid,
    now: Moment,
) -> Result<Vec<RelationKind>, DatabaseError> {
    let mut rows = tx.query(KINDS, &params![person, now, actor.account, actor.institution])?;
    let post = actor.post();
    if let Some((lower, upper)) = post.tiers.first().zip(post.tiers.last()) {
        let (first, last) = post.places();
        rows.extend(tx.query(KINDS_AT, &params![person, now, first, last, lower.key(), upper.key()])?);
    }
    let read = |row: &kangmai_database::Row| {
        let key: String = row.get(0)?;
        RelationKind::of_key(&key).ok_or(DatabaseError::WrongType { column: 0, expected: "kind of relation" })
    };
    rows.iter().map(read).collect()
}
