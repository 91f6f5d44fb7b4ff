//! The SQL of a hub: its link, what is to be handed on, and of whom it must be told anew.

use kangmai_access::Phone;
use kangmai_base::{DivisionCode, Id, Moment, Uuid, on_all_cores};
use kangmai_database::{DatabaseError, InsertMany, Row, Transaction, Value, params};
use kangmai_record::{NewFact, Source, Subject, open_body_by};

use crate::relay::heard::Answer;
use crate::store::kinds_of;

const KEY: (&str, &str) = ("hub_link", "key_sealed");
const TEXT: (&str, &str) = ("hub_out", "text_sealed");

const LINK: &str = "select hub, upstream, name, key_sealed, cursor, last_sequence, last_chain, collected_at,
    heard_at, trouble, wiped_at from hub_link limit 1";
const INSERT_LINK: &str =
    "insert into hub_link (hub, upstream, name, place, key_sealed, cursor, last_sequence,
    last_chain, collected_at, trouble) values ($1, $2, $3, $4, $5, '', 0, $6, $7, '')";
const DELETE_LINK: &str = "delete from hub_link where hub <> $1";
const SET_LINK: &str = "update hub_link set upstream = $2, key_sealed = $3, wiped_at = null where hub = $1";
const SET_OWN: &str = "update hub_link set name = $1, place = $2";
const SET_CURSOR: &str = "update hub_link set cursor = $1";
const SET_LAST: &str = "update hub_link set last_sequence = $1, last_chain = $2, collected_at = $3";
const SET_HEARD: &str = "update hub_link set heard_at = $1, trouble = ''";
const SET_TROUBLE: &str = "update hub_link set trouble = $1 where trouble <> $1";
const SET_WIPED: &str = "update hub_link set wiped_at = $1";
const LATEST: &str = "select coalesce(max(received_at), 0) from fact";
const FRESH: &str = "select fact.id, fact.kind, fact.subject, fact.occurred_at, fact.recorded_at, fact.place,
    fact.author, fact.corrects, fact.body, fact.body_sealed, fact.received_at from fact
    left join hub_told on hub_told.fact = fact.id left join hub_out on hub_out.fact = fact.id
    where fact.received_at > $1 and hub_told.fact is null and hub_out.fact is null and fact.erased_at is null
    and fact.subject_kind = 'person'
    and fact.kind in ($3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
    order by fact.received_at, fact.place, fact.place_sequence limit $2";
const INSERT_OUT: &str =
    "insert into hub_out (fact, sequence, person, kind, chain, text_sealed, written_at, reason, said)
    values ($1, $2, $3, $4, $5, $6, $7, '', '')";
const ALL_OUT: &str = "select fact, text_sealed from hub_out where sequence > $1 order by sequence limit $2";
const RENUMBER: &str = "update hub_out set sequence = $2, chain = $3, outcome = null where fact = $1";
const LIFT: &str = "update hub_out set sequence = sequence + $1";
const HIGHEST: &str = "select coalesce(max(sequence), 0) from hub_out";
const WAITING: &str = "select fact, sequence, person, kind, chain, text_sealed from hub_out
    where outcome is null and sequence > $1 order by sequence limit $2";
const WAITING_OF: &str = "select fact, sequence, person, kind, chain, text_sealed from hub_out
    where person = $1 and outcome is null order by sequence limit $2";
const ANSWER: &str = "update hub_out set outcome = $2, reason = $3, said = $4 where sequence = $1";
const PERSON_OF: &str = "select person from hub_out where sequence = $1";
const AGAIN_AFTER: &str = "update hub_out set outcome = null
    where sequence > $1 and outcome is not null and text_sealed is not null";
const AGAIN: &str = "update hub_out set outcome = null
    where sequence between $1 and $2 and outcome is not null and text_sealed is not null";
const MARK_STALE: InsertMany =
    InsertMany { table: "hub_stale", columns: &["person"], suffix: "on conflict (person) do nothing" };
const STALE: &str = "select person from hub_stale order by person limit $1";
const FRESHENED: &str = "delete from hub_stale where person = $1";
const TOLD: InsertMany =
    InsertMany { table: "hub_told", columns: &["fact", "person"], suffix: "on conflict (fact) do nothing" };
const UNTOLD: &str = "delete from hub_told where person = $1";
const FORGET_OUT: &str = "delete from hub_out where person = $1
    and (outcome in ('accepted', 'duplicate') or (outcome is not null and seen_at is not null))";
const FORGET_TEXT: &str = "update hub_out set text_sealed = null where person = $1 and outcome is not null";
const FORGET_TEXTLESS: &str = "delete from hub_out where text_sealed is null";
const COUNT_FRESH: &str = "select count(*) from fact
    left join hub_told on hub_told.fact = fact.id left join hub_out on hub_out.fact = fact.id
    where fact.received_at > $1 and hub_told.fact is null and hub_out.fact is null and fact.erased_at is null
    and fact.subject_kind = 'person'
    and fact.kind in ($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)";
const SUMS: &str = "select coalesce(sum(case when outcome is null then 1 else 0 end), 0),
    coalesce(sum(case when outcome in ('accepted', 'duplicate') then 1 else 0 end), 0) from hub_out";
const ASIDE: &str = "select fact, person, kind, outcome, said, written_at from hub_out
    where outcome in ('parked', 'rejected') and seen_at is null order by sequence limit $1";
const SEEN: &str = "update hub_out set seen_at = $2 where fact = $1 and outcome in ('parked', 'rejected')";

/// The link of this hub.
#[derive(Clone)]
pub(crate) struct HubLink {
    pub(crate) hub: Id<Phone>,
    pub(crate) upstream: String,
    pub(crate) name: String,
    pub(crate) key: String,
    pub(crate) cursor: String,
    pub(crate) last_sequence: i64,
    pub(crate) last_chain: [u8; 32],
    pub(crate) collected_at: Moment,
    pub(crate) heard_at: Option<Moment>,
    pub(crate) trouble: String,
    pub(crate) wiped_at: Option<Moment>,
}

fn chain(row: &Row, column: usize) -> Result<[u8; 32], DatabaseError> {
    let bytes: Vec<u8> = row.get(column)?;
    bytes.try_into().map_err(|_| DatabaseError::WrongType { column, expected: "32 bytes" })
}

pub(crate) fn link(tx: &mut Transaction<'_>) -> Result<Option<HubLink>, DatabaseError> {
    let Some(row) = tx.query_one(LINK, &[])? else { return Ok(None) };
    let hub: Uuid = row.get(0)?;
    Ok(Some(HubLink {
        hub: Id::from_uuid(hub),
        upstream: row.get(1)?,
        name: row.get(2)?,
        key: tx.opened(KEY, hub, row.get(3)?)?.unwrap_or_default(),
        cursor: row.get(4)?,
        last_sequence: row.get(5)?,
        last_chain: chain(&row, 6)?,
        collected_at: row.get(7)?,
        heard_at: row.get(8)?,
        trouble: row.get(9)?,
        wiped_at: row.get(10)?,
    }))
}

/// Writes the link of a hub: a new one, or another address or key of the one that is there.
pub(crate) fn set_link(
    tx: &mut Transaction<'_>,
    (hub, name, place): (Id<Phone>, &str, DivisionCode),
    (upstream, key): (&str, &str),
    first_chain: [u8; 32],
) -> Result<(), DatabaseError> {
    let sealed = tx.sealed(KEY, hub.uuid(), Some(key))?;
    if tx.execute(SET_LINK, &params![hub, upstream, sealed.clone()])? == 0 {
        tx.execute(DELETE_LINK, &params![hub])?;
        let chain = first_chain.to_vec();
        tx.execute(INSERT_LINK, &params![hub, upstream, name, place, sealed, chain, Moment(0)])?;
    }
    Ok(())
}

pub(crate) fn set_own(
    tx: &mut Transaction<'_>,
    name: &str,
    place: DivisionCode,
) -> Result<(), DatabaseError> {
    tx.execute(SET_OWN, &params![name, place])?;
    Ok(())
}

pub(crate) fn set_cursor(tx: &mut Transaction<'_>, cursor: &str) -> Result<(), DatabaseError> {
    tx.execute(SET_CURSOR, &params![cursor])?;
    Ok(())
}

pub(crate) fn set_last(
    tx: &mut Transaction<'_>,
    (sequence, chain): (i64, [u8; 32]),
    collected_at: Moment,
) -> Result<(), DatabaseError> {
    tx.execute(SET_LAST, &params![sequence, chain.to_vec(), collected_at])?;
    Ok(())
}

pub(crate) fn set_heard(tx: &mut Transaction<'_>, now: Moment) -> Result<(), DatabaseError> {
    tx.execute(SET_HEARD, &params![now])?;
    Ok(())
}

pub(crate) fn set_trouble(tx: &mut Transaction<'_>, trouble: &str) -> Result<(), DatabaseError> {
    tx.execute(SET_TROUBLE, &params![trouble])?;
    Ok(())
}

pub(crate) fn set_wiped(tx: &mut Transaction<'_>, now: Moment) -> Result<(), DatabaseError> {
    tx.execute(SET_WIPED, &params![now])?;
    Ok(())
}

pub(crate) fn latest(tx: &mut Transaction<'_>) -> Result<Moment, DatabaseError> {
    tx.query_one(LATEST, &[])?.map_or(Ok(Moment(0)), |row| row.get(0))
}

/// What was written here since and is to be handed on, in the order of writing, each with when it came into the record.
pub(crate) fn fresh(
    tx: &mut Transaction<'_>,
    since: Moment,
    kinds: &[&str],
    limit: i64,
) -> Result<Vec<(NewFact, Moment)>, DatabaseError> {
    let mut values: Vec<Value> = params![since, limit].to_vec();
    values.extend(kinds_of(kinds)?);
    let rows = tx.query(FRESH, &values)?;
    let opener = tx.opener()?;
    let read = |row: &Row| {
        let id: Uuid = row.get(0)?;
        let fact = NewFact {
            id,
            kind: row.get(1)?,
            subject: Subject::person(row.get(2)?),
            occurred_at: row.get(3)?,
            recorded_at: row.get(4)?,
            place: row.get(5)?,
            author: row.get(6)?,
            source: Source::Typed,
            corrects: row.get(7)?,
            body: open_body_by(&opener, id, (row.get(8)?, row.get(9)?))?,
        };
        Ok((fact, row.get(10)?))
    };
    on_all_cores(&rows, read).into_iter().collect()
}

/// Puts a fact among what is handed on.
pub(crate) fn put_out(
    tx: &mut Transaction<'_>,
    fact: &NewFact,
    (sequence, chain): (i64, [u8; 32]),
    text: &str,
) -> Result<(), DatabaseError> {
    let sealed = tx.sealed(TEXT, fact.id, Some(text))?;
    let kind = fact.kind.as_str();
    let values = params![fact.id, sequence, fact.subject.id, kind, chain.to_vec(), sealed, fact.recorded_at];
    tx.execute(INSERT_OUT, &values)?;
    Ok(())
}

/// What is handed on.
pub(crate) struct Out {
    pub(crate) fact: Uuid,
    pub(crate) sequence: i64,
    pub(crate) kind: String,
    pub(crate) chain: [u8; 32],
    pub(crate) text: String,
}

fn read_out(tx: &mut Transaction<'_>, rows: &[Row]) -> Result<Vec<Out>, DatabaseError> {
    let opener = tx.opener()?;
    let read = |row: &Row| {
        let fact: Uuid = row.get(0)?;
        Ok(Out {
            fact,
            sequence: row.get(1)?,
            kind: row.get(3)?,
            chain: chain(row, 4)?,
            text: opener.text(TEXT, fact, row.get(5)?)?.unwrap_or_default(),
        })
    };
    rows.iter().map(read).collect()
}

pub(crate) fn waiting(tx: &mut Transaction<'_>, after: i64, limit: i64) -> Result<Vec<Out>, DatabaseError> {
    let rows = tx.query(WAITING, &params![after, limit])?;
    read_out(tx, &rows)
}

/// What waits about one person.
pub(crate) fn waiting_of(tx: &mut Transaction<'_>, person: Uuid) -> Result<Vec<Out>, DatabaseError> {
    let rows = tx.query(WAITING_OF, &params![person, MOST_OF_ONE])?;
    read_out(tx, &rows)
}

/// Facts about one person that wait at most: more are handed on all the same, and are seen here when upstream tells them.
const MOST_OF_ONE: i64 = 1_000;

/// Numbers all that is held anew, from 1: for a hub that was registered again.
pub(crate) fn renumber(
    tx: &mut Transaction<'_>,
    mut next: impl FnMut(&str) -> (i64, [u8; 32]),
) -> Result<(), DatabaseError> {
    // What was put aside of somebody who is not held here any more waits upstream.
    tx.execute(FORGET_TEXTLESS, &[])?;
    let highest: i64 = tx.query_one(HIGHEST, &[])?.map_or(Ok(0), |row| row.get(0))?;
    // Out of the way first: no number stands twice.
    tx.execute(LIFT, &params![highest])?;
    let opener = tx.opener()?;
    // What is numbered anew stands below them, so each round finds the others.
    loop {
        let rows = tx.query(ALL_OUT, &params![highest, AT_ONCE])?;
        for row in &rows {
            let fact: Uuid = row.get(0)?;
            let text = opener.text(TEXT, fact, row.get(1)?)?.unwrap_or_default();
            let (sequence, chain) = next(&text);
            tx.execute(RENUMBER, &params![fact, sequence, chain.to_vec()])?;
        }
        if rows.is_empty() {
            return Ok(());
        }
    }
}

/// Rows that are renumbered at once.
const AT_ONCE: i64 = 500;

/// Writes down what upstream answered; answers about whom it was.
pub(crate) fn answered(tx: &mut Transaction<'_>, answer: &Answer) -> Result<Option<Uuid>, DatabaseError> {
    // What was answered before stands as it was answered then.
    let is_aside = answer.outcome == "duplicate" && !answer.reason.is_empty();
    let outcome = if is_aside { "parked" } else { answer.outcome.as_str() };
    let values = params![answer.sequence, outcome, answer.reason.as_str(), answer.said.as_str()];
    tx.execute(ANSWER, &values)?;
    tx.query_one(PERSON_OF, &params![answer.sequence])?.map(|row| row.get(0)).transpose()
}

/// Upstream has lost what came after this number: it is handed on again. Answers how many.
pub(crate) fn again_after(tx: &mut Transaction<'_>, sequence: i64) -> Result<u64, DatabaseError> {
    tx.execute(AGAIN_AFTER, &params![sequence])
}

/// The same of the numbers between two.
pub(crate) fn again(tx: &mut Transaction<'_>, (first, last): (i64, i64)) -> Result<u64, DatabaseError> {
    tx.execute(AGAIN, &params![first, last])
}

pub(crate) fn mark_stale(tx: &mut Transaction<'_>, people: &[Uuid]) -> Result<(), DatabaseError> {
    tx.insert_many(&MARK_STALE, people.iter().map(|person| params![*person]))?;
    Ok(())
}

pub(crate) fn stale(tx: &mut Transaction<'_>, limit: i64) -> Result<Vec<Uuid>, DatabaseError> {
    tx.query(STALE, &params![limit])?.iter().map(|row| row.get(0)).collect()
}

pub(crate) fn freshened(tx: &mut Transaction<'_>, person: Uuid) -> Result<(), DatabaseError> {
    tx.execute(FRESHENED, &params![person])?;
    Ok(())
}

/// Notes which facts upstream told of somebody.
pub(crate) fn note_told(tx: &mut Transaction<'_>, person: Uuid, facts: &[Uuid]) -> Result<(), DatabaseError> {
    tx.execute(UNTOLD, &params![person])?;
    tx.insert_many(&TOLD, facts.iter().map(|fact| params![*fact, person]))?;
    Ok(())
}

/// Takes away what was handed on of somebody who is not held here any more. What waits stays; of what upstream put aside, that
/// it did, until somebody has seen it.
pub(crate) fn forget_out(tx: &mut Transaction<'_>, person: Uuid) -> Result<(), DatabaseError> {
    tx.execute(UNTOLD, &params![person])?;
    tx.execute(FORGET_OUT, &params![person])?;
    tx.execute(FORGET_TEXT, &params![person])?;
    Ok(())
}

/// How many facts were written here since that are not numbered yet.
pub(crate) fn count_fresh(
    tx: &mut Transaction<'_>,
    since: Moment,
    kinds: &[&str],
) -> Result<i64, DatabaseError> {
    let mut values: Vec<Value> = params![since].to_vec();
    values.extend(kinds_of(kinds)?);
    tx.query_one(COUNT_FRESH, &values)?.map_or(Ok(0), |row| row.get(0))
}

/// How many numbered ones wait, and how many were taken.
pub(crate) fn sums(tx: &mut Transaction<'_>) -> Result<(i64, i64), DatabaseError> {
    let Some(row) = tx.query_one(SUMS, &[])? else { return Ok((0, 0)) };
    Ok((row.get(0)?, row.get(1)?))
}

/// What upstream put aside.
pub(crate) struct Aside {
    pub(crate) fact: Uuid,
    pub(crate) person: Uuid,
    pub(crate) kind: String,
    pub(crate) outcome: String,
    pub(crate) said: String,
    pub(crate) written_at: Moment,
}

pub(crate) fn aside(tx: &mut Transaction<'_>, limit: i64) -> Result<Vec<Aside>, DatabaseError> {
    let read = |row: &Row| {
        Ok(Aside {
            fact: row.get(0)?,
            person: row.get(1)?,
            kind: row.get(2)?,
            outcome: row.get(3)?,
            said: row.get(4)?,
            written_at: row.get(5)?,
        })
    };
    tx.query(ASIDE, &params![limit])?.iter().map(read).collect()
}

pub(crate) fn note_seen(tx: &mut Transaction<'_>, fact: Uuid, now: Moment) -> Result<bool, DatabaseError> {
    Ok(tx.execute(SEEN, &params![fact, now])? > 0)
}
