//! The SQL of facts. What was erased is read by nobody: only that it was there is known.

mod erased;

use std::collections::HashMap;

use kangmai_access::{Actor, Reach};
use kangmai_base::{DivisionCode, Moment, Uuid, on_all_cores};
use kangmai_database::{
    ClearText, DatabaseError, InsertMany, Opener, Row, SealedTable, Transaction, in_fifties, params,
};
use kangmai_seal::Purpose;

use crate::fact::SubjectKind;
use crate::{Fact, NewFact, ParkedFact, Source, Subject};

pub use erased::was_erased;
pub(crate) use erased::{cut_fact, erase_fact, erase_facts, erase_parked, let_go_facts};

const INSERT_FACTS: InsertMany = InsertMany {
    table: "fact",
    columns: &[
        "id",
        "kind",
        "subject_kind",
        "subject",
        "occurred_at",
        "recorded_at",
        "received_at",
        "clock_fault",
        "place",
        "place_sequence",
        "author",
        "source",
        "corrects",
        "body",
        "body_sealed",
    ],
    suffix: "",
};
const FACT: &str =
    "select id, kind, subject_kind, subject, occurred_at, recorded_at, received_at, clock_fault,
    place, place_sequence, author, source, corrects, body, body_sealed from fact where id = $1";
const FACTS_THERE: &str = "select id, erased_at is not null or cut_at is not null from fact where id in
    ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17,
    $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34,
    $35, $36, $37, $38, $39, $40, $41, $42, $43, $44, $45, $46, $47, $48, $49, $50)";
const TIMELINE: &str =
    "select id, kind, subject_kind, subject, occurred_at, recorded_at, received_at, clock_fault,
    place, place_sequence, author, source, corrects, body, body_sealed from fact
    where subject = $1 and place between $2 and $3 and occurred_at < $4 and erased_at is null
    order by occurred_at desc, id desc limit $5";
const FACTS_OF_KIND: &str = "select id, kind, subject_kind, subject, occurred_at, recorded_at, received_at,
    clock_fault, place, place_sequence, author, source, corrects, body, body_sealed from fact
    where subject = $1 and kind = $2 and erased_at is null order by received_at, place, place_sequence limit 10000";
const PUT_RIGHT_OF: &str = "select id, corrects from fact
    where subject = $1 and corrects is not null and source = 'typed' and erased_at is null
    order by received_at desc, place_sequence desc limit 10000";
const FACTS_AFTER: &str = "select id, kind, subject_kind, subject, occurred_at, recorded_at, received_at,
    clock_fault, place, place_sequence, author, source, corrects, body, body_sealed from fact
    where (received_at, place, place_sequence) > ($1, $2, $3) and erased_at is null
    order by received_at, place, place_sequence limit $4";
const TAKE_NUMBERS: &str = "insert into place_sequence (place, last) values ($1, $2)
    on conflict (place) do update set last = place_sequence.last + excluded.last returning last";
const LATEST_RECEIPT: &str =
    "select received_at from fact order by received_at desc, place desc, place_sequence desc limit 1";
const INSERT_PARKED: &str = "insert into parked_fact (id, parked_at, place, reason, fact, fact_sealed)
    values ($1, $2, $3, $4, '', $5) on conflict (id) do nothing";
const PARKED: &str = "select id, parked_at, place, reason, fact, fact_sealed from parked_fact
    where place between $1 and $2 and resolved_at is null order by parked_at, id limit $3 offset $4";
const PARKED_WAITING: &str =
    "select count(*) from parked_fact where place between $1 and $2 and resolved_at is null";
const RESOLVE_PARKED: &str = "update parked_fact set resolved_at = $4, resolved_by = $5, resolution = $6
    where id = $1 and place between $2 and $3 and resolved_at is null";

const FACTS_IN_CLEAR: &str =
    "select id, body from fact where body_sealed is null and erased_at is null limit $1";
const SEAL_FACT: &str = "update fact set body = '', body_sealed = $2
    where id = $1 and body_sealed is null and erased_at is null";
const PARKED_IN_CLEAR: &str =
    "select id, fact from parked_fact where fact_sealed is null and fact <> '' limit $1";
const SEAL_PARKED: &str = "update parked_fact set fact = '', fact_sealed = $2
    where id = $1 and fact_sealed is null and fact <> ''";

/// What is sealed of the record: what facts say.
pub const SEALED: &[SealedTable] = &[
    SealedTable { table: "fact", id: "id", columns: &["body_sealed"] },
    SealedTable { table: "parked_fact", id: "id", columns: &["fact_sealed"] },
];

/// Facts that stood in clear.
pub const CLEAR_TEXT: &[ClearText] = &[
    ClearText {
        name: "facts",
        seal: |tx, most| seal_in_clear(tx, (FACTS_IN_CLEAR, SEAL_FACT), BODY, most),
        finish: "",
    },
    ClearText {
        name: "parked facts",
        seal: |tx, most| seal_in_clear(tx, (PARKED_IN_CLEAR, SEAL_PARKED), PARKED_FACT, most),
        finish: "",
    },
];

/// Where the body of a fact stands.
const BODY: (&str, &str) = ("fact", "body_sealed");
/// Where a parked fact stands.
const PARKED_FACT: (&str, &str) = ("parked_fact", "fact_sealed");
/// What makes the identifier of a parked fact: a digest that only who has the keys can make.
const PARKING: Purpose = Purpose("parked_fact");

fn seal_in_clear(
    tx: &mut Transaction<'_>,
    (find, seal): (&'static str, &'static str),
    cell: (&str, &str),
    most: usize,
) -> Result<u64, DatabaseError> {
    let rows = tx.query(find, &params![i64::try_from(most).unwrap_or(i64::MAX)])?;
    for row in &rows {
        let (id, text): (Uuid, String) = (row.get(0)?, row.get(1)?);
        let sealed = tx.sealed(cell, id, Some(&text))?;
        tx.execute(seal, &params![id, sealed])?;
    }
    Ok(rows.len() as u64)
}

/// The body of the fact `id` as its columns `body` and `body_sealed` hold it: for queries of other crates that join facts.
///
/// # Errors
/// When it does not open.
pub fn open_body(
    tx: &mut Transaction<'_>,
    id: Uuid,
    (clear, sealed): (String, Option<Vec<u8>>),
) -> Result<String, DatabaseError> {
    Ok(tx.opened(BODY, id, sealed)?.unwrap_or(clear))
}

/// The same while a transaction hands over rows.
///
/// # Errors
/// When it does not open.
pub fn open_body_by(
    opener: &Opener,
    id: Uuid,
    (clear, sealed): (String, Option<Vec<u8>>),
) -> Result<String, DatabaseError> {
    Ok(opener.text(BODY, id, sealed)?.unwrap_or(clear))
}

fn read_facts(tx: &mut Transaction<'_>, rows: &[Row]) -> Result<Vec<Fact>, DatabaseError> {
    rows.iter().map(|row| read_fact(tx, row)).collect()
}

fn read_fact(tx: &mut Transaction<'_>, row: &Row) -> Result<Fact, DatabaseError> {
    let subject_kind: String = row.get(2)?;
    let source: String = row.get(11)?;
    Ok(Fact {
        new: NewFact {
            id: row.get(0)?,
            kind: row.get(1)?,
            subject: Subject {
                kind: SubjectKind::from_key(&subject_kind)
                    .ok_or(DatabaseError::WrongType { column: 2, expected: "kind of subject" })?,
                id: row.get(3)?,
            },
            occurred_at: row.get(4)?,
            recorded_at: row.get(5)?,
            place: row.get(8)?,
            author: row.get(10)?,
            source: Source::from_key(&source)
                .ok_or(DatabaseError::WrongType { column: 11, expected: "source" })?,
            corrects: row.get(12)?,
            body: open_body(tx, row.get(0)?, (row.get(13)?, row.get(14)?))?,
        },
        received_at: row.get(6)?,
        clock_fault: row.get(7)?,
        place_sequence: row.get(9)?,
    })
}

pub(crate) fn insert_facts(tx: &mut Transaction<'_>, facts: &[Fact]) -> Result<(), DatabaseError> {
    if facts.is_empty() {
        return Ok(());
    }
    let opener = tx.opener()?;
    let sealed = on_all_cores(facts, |fact| opener.sealed(BODY, fact.new.id, &fact.new.body));
    let rows = facts.iter().zip(sealed).map(|(fact, sealed)| {
        let new = &fact.new;
        params![
            new.id,
            new.kind.as_str(),
            new.subject.kind.key(),
            new.subject.id,
            new.occurred_at,
            new.recorded_at,
            fact.received_at,
            fact.clock_fault,
            new.place,
            fact.place_sequence,
            new.author,
            new.source.key(),
            new.corrects,
            "",
            sealed,
        ]
    });
    tx.insert_many(&INSERT_FACTS, rows)?;
    Ok(())
}

pub(crate) fn fact(tx: &mut Transaction<'_>, id: Uuid) -> Result<Option<Fact>, DatabaseError> {
    let row = tx.query_one(FACT, &params![id])?;
    row.as_ref().map(|row| read_fact(tx, row)).transpose()
}

/// Which of these facts are there already, and whether any of what they said was erased.
pub(crate) fn facts_there(
    tx: &mut Transaction<'_>,
    ids: &[Uuid],
) -> Result<HashMap<Uuid, bool>, DatabaseError> {
    let mut there = HashMap::new();
    for ids in in_fifties(ids) {
        for row in tx.query(FACTS_THERE, &ids)? {
            there.insert(row.get(0)?, row.get(1)?);
        }
    }
    Ok(there)
}

pub(crate) fn timeline(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    subject: Uuid,
    before: Option<Moment>,
    limit: i64,
) -> Result<Vec<Fact>, DatabaseError> {
    let before = before.unwrap_or(Moment(i64::MAX));
    let (first, last) = reach.places_of(subject);
    let rows = tx.query(TIMELINE, &params![subject, first, last, before, limit])?;
    read_facts(tx, &rows)
}

pub(crate) fn facts_of_kind(
    tx: &mut Transaction<'_>,
    subject: Uuid,
    kind: &str,
) -> Result<Vec<Fact>, DatabaseError> {
    let rows = tx.query(FACTS_OF_KIND, &params![subject, kind])?;
    read_facts(tx, &rows)
}

/// The facts about `subject` that somebody typed to put another right, newest first: which, and the other.
pub(crate) fn put_right_of(
    tx: &mut Transaction<'_>,
    subject: Uuid,
) -> Result<Vec<(Uuid, Uuid)>, DatabaseError> {
    let rows = tx.query(PUT_RIGHT_OF, &params![subject])?;
    rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

pub(crate) fn facts_after(
    tx: &mut Transaction<'_>,
    after: Option<(Moment, DivisionCode, i64)>,
    limit: usize,
) -> Result<Vec<Fact>, DatabaseError> {
    let (received_at, place, sequence) = after.unwrap_or((Moment(i64::MIN), DivisionCode::COUNTRY, i64::MIN));
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = tx.query(FACTS_AFTER, &params![received_at, place, sequence, limit])?;
    read_facts(tx, &rows)
}

/// Takes `count` numbers of `place`, holding its row until the transaction ends; answers the last.
pub(crate) fn take_numbers(
    tx: &mut Transaction<'_>,
    place: DivisionCode,
    count: i64,
) -> Result<i64, DatabaseError> {
    tx.query_one(TAKE_NUMBERS, &params![place, count])?.map_or(Ok(count), |row| row.get(0))
}

/// When the latest fact came in.
pub(crate) fn latest_receipt(tx: &mut Transaction<'_>) -> Result<Option<Moment>, DatabaseError> {
    tx.query_one(LATEST_RECEIPT, &[])?.map(|row| row.get(0)).transpose()
}

pub(crate) fn insert_parked(
    tx: &mut Transaction<'_>,
    now: Moment,
    place: DivisionCode,
    reason: &str,
    fact: &str,
) -> Result<(), DatabaseError> {
    let digest = tx.digest(PARKING, format!("{reason}\n{fact}").as_bytes())?;
    let mut first = [0_u8; 16];
    first.copy_from_slice(&digest.bytes()[..16]);
    let id = Uuid::from_bytes(first);
    let sealed = tx.sealed(PARKED_FACT, id, Some(fact))?;
    tx.execute(INSERT_PARKED, &params![id, now, place, reason, sealed])?;
    Ok(())
}

pub(crate) fn parked(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    offset: i64,
    limit: i64,
) -> Result<Vec<ParkedFact>, DatabaseError> {
    let rows = tx.query(PARKED, &params![reach.first(), reach.last(), limit, offset])?;
    rows.iter()
        .map(|row| {
            let text = tx.opened(PARKED_FACT, row.get(0)?, row.get(5)?)?;
            let text = text.map_or_else(|| row.get(4), Ok)?;
            let fact = serde_json::from_str(&text)
                .map_err(|_| DatabaseError::WrongType { column: 4, expected: "fact" })?;
            Ok(ParkedFact {
                id: row.get(0)?,
                parked_at: row.get(1)?,
                place: row.get(2)?,
                reason: row.get(3)?,
                fact,
            })
        })
        .collect()
}

pub(crate) fn parked_waiting(tx: &mut Transaction<'_>, reach: &Reach) -> Result<i64, DatabaseError> {
    tx.query_one(PARKED_WAITING, &params![reach.first(), reach.last()])?.map_or(Ok(0), |row| row.get(0))
}

pub(crate) fn resolve_parked(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    by: &Actor,
    id: Uuid,
    resolution: &str,
    now: Moment,
) -> Result<bool, DatabaseError> {
    let changed =
        tx.execute(RESOLVE_PARKED, &params![id, reach.first(), reach.last(), now, by.account, resolution])?;
    Ok(changed > 0)
}

/// The table to which a view is set aside.
pub(crate) fn aside(view: &str) -> String {
    format!("aside_{view}")
}

/// Copies a view to a temporary table and empties it. `view` is a constant of a projection, never a text from outside.
pub(crate) fn set_view_aside(tx: &mut Transaction<'_>, view: &'static str) -> Result<(), DatabaseError> {
    tx.batch(&format!(
        "drop table if exists aside_{view}; create temp table aside_{view} as select * from {view}; delete from {view}"
    ))
}

/// Rows only in the copy that was set aside, and rows only in the view as it stands now.
pub(crate) fn compare_view(
    tx: &mut Transaction<'_>,
    view: &'static str,
) -> Result<(i64, i64), DatabaseError> {
    let mut count = |sql: String| -> Result<i64, DatabaseError> {
        tx.query_one(&sql, &[])?.map_or(Ok(0), |row| row.get(0))
    };
    let only_in = |one: &str, other: &str| {
        format!("select count(*) from (select * from {one} except select * from {other}) as difference")
    };
    let surplus = count(only_in(&format!("aside_{view}"), view))?;
    let missing = count(only_in(view, &format!("aside_{view}")))?;
    tx.batch(&format!("drop table aside_{view}"))?;
    Ok((surplus, missing))
}
