//! The SQL of relations.

use kangmai_base::{DivisionCode, Moment, PlaceRange, Uuid};
use kangmai_database::{DatabaseError, InsertMany, Transaction, Value, params};

use crate::{Actor, NewRelation, Related, RelationKind};

const INSERT: &str =
    "insert into relation (id, person, kind, account, institution, place, from_at, until_at, source)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
const INSERT_MANY: InsertMany = InsertMany {
    table: "relation",
    columns: &["id", "person", "kind", "account", "institution", "place", "from_at", "until_at", "source"],
    suffix: "",
};
const END_OF_SOURCE: &str = "update relation set until_at = $2 where source = $1 and until_at > $2";
const END_OF_KIND: &str =
    "update relation set until_at = $3 where source = $1 and kind = $2 and until_at > $3";
const END_OF_ACCOUNT: &str = "update relation set until_at = $2 where account = $1 and until_at > $2";
const SERVING: &str = "select place from relation
    where person = $1 and kind = 'serving' and until_at > $2 and from_at <= $2 order by from_at desc limit 1";
const FORGET_SOURCE: &str = "delete from relation where source = $1";
const FORGET: &str = "delete from relation where person = $1";
const KINDS: &str = "select distinct kind from relation where person = $1 and until_at > $2 and from_at <= $2
    and (account = $3 or institution = $4 or place between $5 and $6)";

fn values(new: &NewRelation) -> [Value; 9] {
    let (account, institution, place) = match new.whose {
        Related::Account(account) => (Some(account), None, None),
        Related::Institution(institution) => (None, Some(institution), None),
        Related::Place(place) => (None, None, Some(place)),
    };
    params![new.id, new.person, new.kind.key(), account, institution, place, new.from, new.until, new.source]
}

/// Who works for the institutions of a place, one tier or two, without being bound to one.
const KINDS_AT: &str =
    "select distinct relation.kind from relation join institution on institution.id = relation.institution
    where relation.person = $1 and relation.until_at > $2 and relation.from_at <= $2
    and institution.place between $3 and $4 and institution.tier in ($5, $6)";

pub(crate) fn insert(tx: &mut Transaction<'_>, new: &NewRelation) -> Result<(), DatabaseError> {
    tx.execute(INSERT, &values(new))?;
    Ok(())
}

pub(crate) fn insert_all(tx: &mut Transaction<'_>, all: &[NewRelation]) -> Result<(), DatabaseError> {
    tx.insert_many(&INSERT_MANY, all.iter().map(values))?;
    Ok(())
}

pub(crate) fn forget_source(tx: &mut Transaction<'_>, source: Uuid) -> Result<(), DatabaseError> {
    tx.execute(FORGET_SOURCE, &params![source])?;
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

pub(crate) fn end_of_source_and_kind(
    tx: &mut Transaction<'_>,
    (source, kind): (Uuid, RelationKind),
    now: Moment,
) -> Result<(), DatabaseError> {
    tx.execute(END_OF_KIND, &params![source, kind.key(), now])?;
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

pub(crate) fn serving_place(
    tx: &mut Transaction<'_>,
    person: Uuid,
    now: Moment,
) -> Result<Option<DivisionCode>, DatabaseError> {
    tx.query_one(SERVING, &params![person, now])?.map_or(Ok(None), |row| row.get(0))
}

/// What `actor`, the institution that they work for, or the place where they treat is to a person at `now`.
pub(crate) fn kinds(
    tx: &mut Transaction<'_>,
    actor: &Actor,
    person: Uuid,
    now: Moment,
) -> Result<Vec<RelationKind>, DatabaseError> {
    // Who reaches nobody by place serves no place; who does not treat (a cadre, a desk) is not who was given the care.
    let treats_here = actor.role.treats() && !actor.role.reaches_by_relation();
    let places = if treats_here { actor.place.range() } else { PlaceRange { first: 1, last: 0 } };
    let (first, last) = (places.first.cast_signed(), places.last.cast_signed());
    let mut rows = tx.query(KINDS, &params![person, now, actor.account, actor.institution, first, last])?;
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
