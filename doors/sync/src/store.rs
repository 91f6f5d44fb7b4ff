//! The SQL of what phones are told and of what they sent.

use std::collections::BTreeMap;

use kangmai_access::Phone;
use kangmai_base::{DivisionCode, Id, Moment, Uuid, on_all_cores};
use kangmai_database::{DatabaseError, InsertMany, Row, SealedTable, Transaction, Value, params};
use kangmai_people::{Household, HouseholdBody};
use kangmai_record::{NewFact, Source, Subject, open_body_by};

use crate::roll::Roll;

/// Kinds of facts that one statement takes.
pub(crate) const MOST_KINDS: usize = 16;
/// People whose facts one statement takes.
pub(crate) const PEOPLE_AT_ONCE: usize = 20;

const TEXT: (&str, &str) = ("phone_text", "text_sealed");
/// What is sealed here.
pub const SEALED: &[SealedTable] = &[
    SealedTable { table: "phone_text", id: "id", columns: &["text_sealed"] },
    SealedTable { table: "hub_link", id: "hub", columns: &["key_sealed"] },
    SealedTable { table: "hub_out", id: "fact", columns: &["text_sealed"] },
];

const ROLLS: &str = "select home, id from person
    where home between $1 and $2 and died_on is null and same_as is null";
const ROLL: &str =
    "select id from person where home = $1 and died_on is null and same_as is null order by id";
const HEADS: &str = "select place, last from place_sequence where place between $1 and $2";
const HOUSEHOLDS: &str =
    "select id, number, place, head, address, income, income_year from household where place = $1";
const FACTS_SINCE: &str = "select id, kind, subject, occurred_at, recorded_at, place, author, corrects, body,
    body_sealed, place_sequence, subject_kind from fact
    where place = $1 and place_sequence > $2 and place_sequence <= $3 and erased_at is null
    and kind in ($5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)
    order by place_sequence limit $4";
const FACTS_AT: &str =
    "select fact.id, fact.kind, fact.subject, fact.occurred_at, fact.recorded_at, fact.place,
    fact.author, fact.corrects, fact.body, fact.body_sealed, fact.place_sequence, fact.subject_kind
    from person join fact on fact.subject = person.id
    where person.home = $1 and person.died_on is null and person.same_as is null and fact.erased_at is null
    and fact.kind in ($3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
    order by fact.received_at, fact.place, fact.place_sequence limit $2";
const FACTS_OF: &str = "select id, kind, subject, occurred_at, recorded_at, place, author, corrects, body,
    body_sealed, place_sequence, subject_kind from fact where erased_at is null
    and kind in ($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
    and subject in ($18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34, $35, $36, $37)
    order by received_at, place, place_sequence limit $1";
const RECEIPTS: &str = "select sequence, fact, digest, chain, outcome, reason from phone_fact
    where phone = $1 and sequence between $2 and $3 order by sequence limit 2000";
const INSERT_RECEIPTS: InsertMany = InsertMany {
    table: "phone_fact",
    columns: &[
        "phone",
        "sequence",
        "fact",
        "digest",
        "chain",
        "is_broken",
        "outcome",
        "reason",
        "received_at",
    ],
    suffix: "on conflict (phone, sequence) do nothing",
};
const BREAK: &str = "update phone_fact set is_broken = true where phone = $1 and sequence = $2";
const INSERT_TEXT: &str = "insert into phone_text (id, phone, sequence, reason, received_at, text_sealed)
    values ($1, $2, $3, $4, $5, $6)";
const TEXTS: &str = "select id, text_sealed from phone_text order by id limit 100000";
const FORGET_TEXT: &str = "delete from phone_text where id = $1";
const TEXTS_OF: &str = "select id, sequence, reason, received_at, text_sealed from phone_text
    where phone = $1 order by received_at desc, id desc limit $2";
const GAPS: &str = "select earlier + 1, sequence - 1 from
    (select sequence, lag(sequence, 1, 0) over (order by sequence) as earlier from phone_fact where phone = $1) as step
    where sequence > earlier + 1 order by sequence limit $2";
const SUMS: &str = "select count(*), coalesce(max(sequence), 0), coalesce(max(received_at), 0),
    coalesce(sum(case when outcome = 'parked' then 1 else 0 end), 0),
    coalesce(sum(case when outcome = 'rejected' then 1 else 0 end), 0),
    coalesce(sum(case when is_broken then 1 else 0 end), 0) from phone_fact where phone = $1";

const HIGHEST: &str = "select coalesce(max(sequence), 0) from phone_fact where phone = $1";

/// The rolls of the places between two codes.
pub(crate) fn rolls(
    tx: &mut Transaction<'_>,
    (first, last): (i64, i64),
) -> Result<BTreeMap<DivisionCode, Roll>, DatabaseError> {
    let mut rolls: BTreeMap<DivisionCode, Roll> = BTreeMap::new();
    tx.for_each(ROLLS, &params![first, last], |row| {
        rolls.entry(row.get(0)?).or_default().add(row.get(1)?);
        Ok(())
    })?;
    Ok(rolls)
}

/// Who is on the roll of a place.
pub(crate) fn on_roll(tx: &mut Transaction<'_>, place: DivisionCode) -> Result<Vec<Uuid>, DatabaseError> {
    tx.query(ROLL, &params![place])?.iter().map(|row| row.get(0)).collect()
}

/// The number of the last fact of every place between two codes that has any.
pub(crate) fn heads(
    tx: &mut Transaction<'_>,
    (first, last): (i64, i64),
) -> Result<BTreeMap<DivisionCode, i64>, DatabaseError> {
    let rows = tx.query(HEADS, &params![first, last])?;
    rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

pub(crate) fn households(
    tx: &mut Transaction<'_>,
    place: DivisionCode,
) -> Result<Vec<Household>, DatabaseError> {
    let read = |row: &Row| {
        Ok(Household {
            id: row.get(0)?,
            place: row.get(2)?,
            body: HouseholdBody {
                number: row.get(1)?,
                head: row.get(3)?,
                address: row.get(4)?,
                income: row.get(5)?,
                income_year: row.get(6)?,
            },
        })
    };
    tx.query(HOUSEHOLDS, &params![place])?.iter().map(read).collect()
}

/// The kinds, as a statement takes them: the last again where there are fewer.
pub(crate) fn kinds_of(kinds: &[&str]) -> Result<Vec<Value>, DatabaseError> {
    if kinds.len() > MOST_KINDS {
        return Err(DatabaseError::Refused(format!("phones are told more than {MOST_KINDS} kinds of facts")));
    }
    let mut values: Vec<Value> = kinds.iter().map(|kind| Value::from(*kind)).collect();
    values.resize(MOST_KINDS, values.last().cloned().unwrap_or_else(|| Value::from("")));
    Ok(values)
}

/// A fact with its number in its place.
pub(crate) struct Numbered {
    pub(crate) fact: NewFact,
    pub(crate) number: i64,
}

/// Opens the bodies on all cores.
fn read_facts(tx: &mut Transaction<'_>, rows: &[Row]) -> Result<Vec<Numbered>, DatabaseError> {
    let opener = tx.opener()?;
    let read = |row: &Row| {
        let id: Uuid = row.get(0)?;
        let subject_kind: String = row.get(11)?;
        let subject: Uuid = row.get(2)?;
        Ok(Numbered {
            fact: NewFact {
                id,
                kind: row.get(1)?,
                subject: if subject_kind == "person" {
                    Subject::person(subject)
                } else {
                    Subject::household(subject)
                },
                occurred_at: row.get(3)?,
                recorded_at: row.get(4)?,
                place: row.get(5)?,
                author: row.get(6)?,
                source: Source::Typed,
                corrects: row.get(7)?,
                body: open_body_by(&opener, id, (row.get(8)?, row.get(9)?))?,
            },
            number: row.get(10)?,
        })
    };
    on_all_cores(rows, read).into_iter().collect()
}

/// The facts of these kinds of a place, above `after` up to `upto`.
pub(crate) fn facts_since(
    tx: &mut Transaction<'_>,
    (place, after, upto): (DivisionCode, i64, i64),
    kinds: &[&str],
    limit: i64,
) -> Result<Vec<Numbered>, DatabaseError> {
    let mut values = params![place, after, upto, limit].to_vec();
    values.extend(kinds_of(kinds)?);
    let rows = tx.query(FACTS_SINCE, &values)?;
    read_facts(tx, &rows)
}

/// The facts of these kinds about everybody at home in a place.
pub(crate) fn facts_at(
    tx: &mut Transaction<'_>,
    place: DivisionCode,
    kinds: &[&str],
    limit: i64,
) -> Result<Vec<NewFact>, DatabaseError> {
    let mut values = params![place, limit].to_vec();
    values.extend(kinds_of(kinds)?);
    let rows = tx.query(FACTS_AT, &values)?;
    Ok(read_facts(tx, &rows)?.into_iter().map(|numbered| numbered.fact).collect())
}

/// The same about these people.
pub(crate) fn facts_of(
    tx: &mut Transaction<'_>,
    people: &[Uuid],
    kinds: &[&str],
    limit: i64,
) -> Result<Vec<NewFact>, DatabaseError> {
    let mut facts = Vec::new();
    for people in people.chunks(PEOPLE_AT_ONCE) {
        let mut values = params![limit].to_vec();
        values.extend(kinds_of(kinds)?);
        let mut ids: Vec<Value> = people.iter().map(|person| Value::from(*person)).collect();
        ids.resize(PEOPLE_AT_ONCE, ids.last().cloned().unwrap_or(Value::Null));
        values.extend(ids);
        let rows = tx.query(FACTS_OF, &values)?;
        facts.extend(read_facts(tx, &rows)?.into_iter().map(|numbered| numbered.fact));
    }
    Ok(facts)
}

/// What was answered for one number of a phone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Receipt {
    pub(crate) sequence: i64,
    pub(crate) fact: Option<Uuid>,
    pub(crate) digest: [u8; 32],
    pub(crate) chain: [u8; 32],
    pub(crate) outcome: String,
    pub(crate) reason: String,
}

fn bytes(row: &Row, column: usize) -> Result<[u8; 32], DatabaseError> {
    let bytes: Vec<u8> = row.get(column)?;
    bytes.try_into().map_err(|_| DatabaseError::WrongType { column, expected: "32 bytes" })
}

pub(crate) fn receipts(
    tx: &mut Transaction<'_>,
    phone: Id<Phone>,
    (first, last): (i64, i64),
) -> Result<Vec<Receipt>, DatabaseError> {
    let read = |row: &Row| {
        Ok(Receipt {
            sequence: row.get(0)?,
            fact: row.get(1)?,
            digest: bytes(row, 2)?,
            chain: bytes(row, 3)?,
            outcome: row.get(4)?,
            reason: row.get(5)?,
        })
    };
    tx.query(RECEIPTS, &params![phone, first, last])?.iter().map(read).collect()
}

/// Writes receipts, each with whether its chain does not follow from the one before.
pub(crate) fn insert_receipts(
    tx: &mut Transaction<'_>,
    phone: Id<Phone>,
    receipts: &[(Receipt, bool)],
    now: Moment,
) -> Result<(), DatabaseError> {
    let rows = receipts.iter().map(|(receipt, is_broken)| {
        params![
            phone,
            receipt.sequence,
            receipt.fact,
            receipt.digest.to_vec(),
            receipt.chain.to_vec(),
            *is_broken,
            receipt.outcome.as_str(),
            receipt.reason.as_str(),
            now,
        ]
    });
    tx.insert_many(&INSERT_RECEIPTS, rows)?;
    Ok(())
}

/// Notes that the chain of a receipt that is there does not follow from one that came later.
pub(crate) fn note_broken(
    tx: &mut Transaction<'_>,
    phone: Id<Phone>,
    sequence: i64,
) -> Result<(), DatabaseError> {
    tx.execute(BREAK, &params![phone, sequence])?;
    Ok(())
}

/// Keeps a text that is no fact.
pub(crate) fn keep_text(
    tx: &mut Transaction<'_>,
    (id, phone, sequence): (Uuid, Id<Phone>, i64),
    (reason, text): (&str, &str),
    now: Moment,
) -> Result<(), DatabaseError> {
    let sealed = tx.sealed(TEXT, id, Some(text))?;
    tx.execute(INSERT_TEXT, &params![id, phone, sequence, reason, now, sealed])?;
    Ok(())
}

/// A text that was no fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeptText {
    pub(crate) sequence: i64,
    pub(crate) reason: String,
    pub(crate) received_at: Moment,
    pub(crate) text: String,
}

/// The texts of a phone that were no facts, the latest first.
pub(crate) fn texts_of(
    tx: &mut Transaction<'_>,
    phone: Id<Phone>,
    limit: i64,
) -> Result<Vec<KeptText>, DatabaseError> {
    let opener = tx.opener()?;
    let read = |row: &Row| {
        Ok(KeptText {
            sequence: row.get(1)?,
            reason: row.get(2)?,
            received_at: row.get(3)?,
            text: opener.text(TEXT, row.get(0)?, row.get(4)?)?.unwrap_or_default(),
        })
    };
    tx.query(TEXTS_OF, &params![phone, limit])?.iter().map(read).collect()
}

/// Takes away the texts that name somebody who is being erased.
pub(crate) fn forget_texts(tx: &mut Transaction<'_>, subject: Subject) -> Result<(), DatabaseError> {
    let (opener, named) = (tx.opener()?, subject.id.to_string());
    for row in tx.query(TEXTS, &[])? {
        let id: Uuid = row.get(0)?;
        if opener.text(TEXT, id, row.get(1)?)?.is_some_and(|text| text.contains(&named)) {
            tx.execute(FORGET_TEXT, &params![id])?;
        }
    }
    Ok(())
}

/// The numbers of a phone below its highest that never came, as ranges.
pub(crate) fn gaps(
    tx: &mut Transaction<'_>,
    phone: Id<Phone>,
    limit: i64,
) -> Result<Vec<(i64, i64)>, DatabaseError> {
    let rows = tx.query(GAPS, &params![phone, limit])?;
    rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

/// The highest number that came from a phone.
pub(crate) fn highest(tx: &mut Transaction<'_>, phone: Id<Phone>) -> Result<i64, DatabaseError> {
    tx.query_one(HIGHEST, &params![phone])?.map_or(Ok(0), |row| row.get(0))
}

/// What came from a phone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Sums {
    pub(crate) received: i64,
    pub(crate) highest: i64,
    pub(crate) last_at: Option<Moment>,
    pub(crate) parked: i64,
    pub(crate) rejected: i64,
    pub(crate) broken: i64,
}

pub(crate) fn sums(tx: &mut Transaction<'_>, phone: Id<Phone>) -> Result<Sums, DatabaseError> {
    let Some(row) = tx.query_one(SUMS, &params![phone])? else { return Ok(Sums::default()) };
    let last: i64 = row.get(2)?;
    Ok(Sums {
        received: row.get(0)?,
        highest: row.get(1)?,
        last_at: (last > 0).then_some(Moment(last)),
        parked: row.get(3)?,
        rejected: row.get(4)?,
        broken: row.get(5)?,
    })
}
