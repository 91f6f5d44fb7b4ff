//! The SQL of break-glass.

use kangmai_base::{DivisionCode, Id, Moment, Uuid};
use kangmai_database::{DatabaseError, Row, Transaction, params};

use crate::break_glass::{BreakGlass, BreakGlassSum, Review};
use crate::{Account, Actor, Reach};

const INSERT: &str =
    "insert into break_glass (id, person, home, account, role, place, reason, asked_at, until_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
const INSERT_TRY: &str = "insert into break_glass_try (account, tried_at) values ($1, $2)";
const FORGET_TRIES: &str = "delete from break_glass_try where account = $1 and tried_at < $2";
const TRIES: &str = "select count(*) from break_glass_try where account = $1 and tried_at >= $2";
const ONE: &str = "select break_glass.id, break_glass.person, break_glass.home, break_glass.account,
    account.display_name, break_glass.role, break_glass.place, break_glass.reason, break_glass.asked_at,
    break_glass.until_at, break_glass.reviewed_at, reviewer.display_name, break_glass.is_justified, break_glass.note
    from break_glass left join account on account.id = break_glass.account
    left join account as reviewer on reviewer.id = break_glass.reviewed_by where break_glass.id = $1";
const LIST: &str = "select break_glass.id, break_glass.person, break_glass.home, break_glass.account,
    account.display_name, break_glass.role, break_glass.place, break_glass.reason, break_glass.asked_at,
    break_glass.until_at, break_glass.reviewed_at, reviewer.display_name, break_glass.is_justified, break_glass.note
    from break_glass left join account on account.id = break_glass.account
    left join account as reviewer on reviewer.id = break_glass.reviewed_by
    where break_glass.home between $1 and $2
    order by case when break_glass.reviewed_at is null then 0 else 1 end, break_glass.asked_at desc, break_glass.id
    limit $3 offset $4";
const WAITING: &str = "select count(*) from break_glass where reviewed_at is null and home between $1 and $2";
const REVIEW: &str = "update break_glass set reviewed_at = $2, reviewed_by = $3, is_justified = $4, note = $5
    where id = $1 and reviewed_at is null";
const SUMS: &str = "select account.display_name, break_glass.role, count(*),
    cast(sum(case when break_glass.reviewed_at is null then 1 else 0 end) as bigint),
    cast(sum(case when break_glass.is_justified then 0 when break_glass.reviewed_at is null then 0 else 1 end) as bigint)
    from break_glass left join account on account.id = break_glass.account
    where break_glass.asked_at >= $3 and break_glass.place between $1 and $2
    group by break_glass.account, account.display_name, break_glass.role order by 3 desc, 1 limit 200";

pub(crate) fn insert(
    tx: &mut Transaction<'_>,
    id: Uuid,
    actor: &Actor,
    (person, home): (Uuid, DivisionCode),
    reason: &str,
    (now, until): (Moment, Moment),
) -> Result<(), DatabaseError> {
    let (account, role) = (actor.account, actor.role.key());
    tx.execute(INSERT, &params![id, person, home, account, role, actor.place, reason, now, until])?;
    Ok(())
}

pub(crate) fn tries(
    tx: &mut Transaction<'_>,
    account: Id<Account>,
    since: Moment,
) -> Result<i64, DatabaseError> {
    tx.execute(FORGET_TRIES, &params![account, since])?;
    tx.query_one(TRIES, &params![account, since])?.map_or(Ok(0), |row| row.get(0))
}

pub(crate) fn insert_try(
    tx: &mut Transaction<'_>,
    account: Id<Account>,
    now: Moment,
) -> Result<(), DatabaseError> {
    tx.execute(INSERT_TRY, &params![account, now])?;
    Ok(())
}

fn read(row: &Row) -> Result<BreakGlass, DatabaseError> {
    let review = match row.get::<Option<Moment>>(10)? {
        Some(at) => Some(Review {
            at,
            by: row.get::<Option<String>>(11)?.unwrap_or_default(),
            is_justified: row.get::<Option<bool>>(12)?.unwrap_or_default(),
            note: row.get::<Option<String>>(13)?.unwrap_or_default(),
        }),
        None => None,
    };
    Ok(BreakGlass {
        id: row.get(0)?,
        person: row.get(1)?,
        home: row.get(2)?,
        account: row.get(3)?,
        name: row.get::<Option<String>>(4)?.unwrap_or_default(),
        role: super::role(row, 5)?,
        place: row.get(6)?,
        reason: row.get(7)?,
        asked_at: row.get(8)?,
        until: row.get(9)?,
        review,
    })
}

pub(crate) fn one(tx: &mut Transaction<'_>, id: Uuid) -> Result<Option<BreakGlass>, DatabaseError> {
    tx.query_one(ONE, &params![id])?.as_ref().map(read).transpose()
}

pub(crate) fn list(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    offset: i64,
    limit: i64,
) -> Result<Vec<BreakGlass>, DatabaseError> {
    tx.query(LIST, &params![reach.first(), reach.last(), limit, offset])?.iter().map(read).collect()
}

pub(crate) fn waiting(tx: &mut Transaction<'_>, reach: &Reach) -> Result<i64, DatabaseError> {
    tx.query_one(WAITING, &params![reach.first(), reach.last()])?.map_or(Ok(0), |row| row.get(0))
}

pub(crate) fn review(
    tx: &mut Transaction<'_>,
    id: Uuid,
    by: &Actor,
    (is_justified, note): (bool, &str),
    now: Moment,
) -> Result<(), DatabaseError> {
    tx.execute(REVIEW, &params![id, now, by.account, is_justified, note])?;
    Ok(())
}

pub(crate) fn sums(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    since: Moment,
) -> Result<Vec<BreakGlassSum>, DatabaseError> {
    let read = |row: &Row| {
        Ok(BreakGlassSum {
            name: row.get::<Option<String>>(0)?.unwrap_or_default(),
            role: super::role(row, 1)?,
            times: row.get(2)?,
            waiting: row.get(3)?,
            unjustified: row.get(4)?,
        })
    };
    tx.query(SUMS, &params![reach.first(), reach.last(), since])?.iter().map(read).collect()
}
