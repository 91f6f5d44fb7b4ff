//! What tells a diagnosis of level 5, sealed together in one cell; the columns that hold it otherwise are empty in such a
//! row. Lists leave the row out by its mark and need not open it.

use kangmai_base::Uuid;
use kangmai_database::{ClearText, DatabaseError, Row, SealedTable, Transaction, Value, params};

/// What is sealed of diagnoses and plans.
pub const SEALED: &[SealedTable] = &[
    SealedTable { table: DIAGNOSIS.0, id: "id", columns: &["told_sealed", "major_sealed"] },
    SealedTable { table: STRUCK.0, id: "id", columns: &["told_sealed"] },
    SealedTable { table: PLAN.0, id: "person", columns: &["told_sealed"] },
    SealedTable { table: CHANGE.0, id: "id", columns: &["told_sealed"] },
    SealedTable { table: REASON.0, id: "person", columns: &["reason_sealed"] },
];

/// What stood in clear.
pub const CLEAR_TEXT: &[ClearText] = &[
    ClearText { name: "diagnoses", seal: seal_diagnoses, finish: "" },
    ClearText {
        name: "struck diagnoses",
        seal: |tx, most| seal_told::<3>(tx, STRUCK, (STRUCK_IN_CLEAR, SEAL_STRUCK), most),
        finish: "",
    },
    ClearText {
        name: "plans",
        seal: |tx, most| seal_told::<5>(tx, PLAN, (PLANS_IN_CLEAR, SEAL_PLAN), most),
        finish: "",
    },
    ClearText {
        name: "changes of plans",
        seal: |tx, most| seal_told::<5>(tx, CHANGE, (CHANGES_IN_CLEAR, SEAL_CHANGE), most),
        finish: "",
    },
    ClearText { name: "decisions on plans", seal: seal_reasons, finish: "" },
];

/// A table and its sealed column.
pub(super) type Place = (&'static str, &'static str);
/// Code, system, name, institution, origin, whether it is resistant to drugs.
pub(super) const DIAGNOSIS: Place = ("diagnosis", "told_sealed");
/// The major disease that a diagnosis is.
pub(super) const MAJOR: Place = ("diagnosis", "major_sealed");
/// Code, name, reason.
pub(super) const STRUCK: Place = ("diagnosis_struck", "told_sealed");
/// Why, the disease in Chinese and in English, code, note.
pub(super) const PLAN: Place = ("plan", "told_sealed");
/// The same.
pub(super) const CHANGE: Place = ("plan_change", "told_sealed");
/// Why somebody decided on a plan: whoever writes it may name the disease, of whatever level.
pub(super) const REASON: Place = ("plan_decision", "reason_sealed");

const DIAGNOSES_IN_CLEAR: &str = "select id, code, system, name, institution, origin, drug_resistant, major
    from diagnosis where sensitive and told_sealed is null limit $1";
const SEAL_DIAGNOSIS: &str = "update diagnosis set told_sealed = $2, major_sealed = $3, code = '', system = '', name = '',
    institution = '', origin = '', drug_resistant = false, major = null where id = $1 and told_sealed is null";
const STRUCK_IN_CLEAR: &str =
    "select id, code, name, reason from diagnosis_struck where sensitive and told_sealed is null limit $1";
const SEAL_STRUCK: &str = "update diagnosis_struck set told_sealed = $2, code = '', name = '', reason = ''
    where id = $1 and told_sealed is null";
const PLANS_IN_CLEAR: &str = "select person, why, disease_zh, disease_en, code, note from plan
    where sensitive and told_sealed is null limit $1";
const SEAL_PLAN: &str =
    "update plan set told_sealed = $2, why = '', disease = null, disease_zh = '', disease_en = '',
    code = '', note = '' where person = $1 and told_sealed is null";
const CHANGES_IN_CLEAR: &str = "select id, why, disease_zh, disease_en, code, note from plan_change
    where sensitive and told_sealed is null limit $1";
const SEAL_CHANGE: &str =
    "update plan_change set told_sealed = $2, why = '', disease_zh = '', disease_en = '',
    code = '', note = '' where id = $1 and told_sealed is null";
const REASONS_IN_CLEAR: &str = "select person, reason from plan_decision where reason <> '' limit $1";
const SEAL_REASON: &str =
    "update plan_decision set reason = '', reason_sealed = $2 where person = $1 and reason = $3";

/// The texts as their columns hold them, and sealed: one or the other.
pub(super) fn told<const N: usize>(
    tx: &mut Transaction<'_>,
    place: Place,
    row: Uuid,
    is_secret: bool,
    texts: [&str; N],
) -> Result<([Value; N], Value), DatabaseError> {
    if !is_secret {
        return Ok((texts.map(Value::from), Value::Null));
    }
    Ok((texts.map(|_| Value::from("")), sealed(tx, place, row, &texts.map(str::to_owned))?))
}

fn sealed<const N: usize>(
    tx: &mut Transaction<'_>,
    place: Place,
    row: Uuid,
    texts: &[String; N],
) -> Result<Value, DatabaseError> {
    let json = serde_json::to_string(texts.as_slice())
        .map_err(|_| DatabaseError::Refused("what tells a diagnosis cannot be written".into()))?;
    tx.sealed(place, row, Some(&json))
}

/// The texts out of a row: those in clear begin at the column `first`, what is sealed stands in `sealed`.
pub(super) fn read_told<const N: usize>(
    tx: &mut Transaction<'_>,
    place: Place,
    id: Uuid,
    row: &Row,
    (clear, sealed): ([usize; N], usize),
) -> Result<[String; N], DatabaseError> {
    let wrong = |column| DatabaseError::WrongType { column, expected: "what tells a diagnosis" };
    let texts: Vec<String> = match tx.opened(place, id, row.get(sealed)?)? {
        Some(json) => serde_json::from_str(&json).map_err(|_| wrong(sealed))?,
        None => clear.iter().map(|column| row.get(*column)).collect::<Result<_, _>>()?,
    };
    texts.try_into().map_err(|_| wrong(sealed))
}

fn limit(most: usize) -> i64 {
    i64::try_from(most).unwrap_or(i64::MAX)
}

fn seal_told<const N: usize>(
    tx: &mut Transaction<'_>,
    place: Place,
    (find, seal): (&'static str, &'static str),
    most: usize,
) -> Result<u64, DatabaseError> {
    let rows = tx.query(find, &params![limit(most)])?;
    for row in &rows {
        let id: Uuid = row.get(0)?;
        let mut texts = [const { String::new() }; N];
        for (position, text) in texts.iter_mut().enumerate() {
            *text = row.get(position + 1)?;
        }
        let sealed = sealed(tx, place, id, &texts)?;
        tx.execute(seal, &params![id, sealed])?;
    }
    Ok(rows.len() as u64)
}

fn seal_diagnoses(tx: &mut Transaction<'_>, most: usize) -> Result<u64, DatabaseError> {
    let rows = tx.query(DIAGNOSES_IN_CLEAR, &params![limit(most)])?;
    for row in &rows {
        let id: Uuid = row.get(0)?;
        let resistant: bool = row.get(6)?;
        let texts = [
            row.get(1)?,
            row.get(2)?,
            row.get(3)?,
            row.get(4)?,
            row.get(5)?,
            resistance(resistant).to_owned(),
        ];
        let told = sealed(tx, DIAGNOSIS, id, &texts)?;
        let major: Option<String> = row.get(7)?;
        let major = tx.sealed(MAJOR, id, major.as_deref())?;
        tx.execute(SEAL_DIAGNOSIS, &params![id, told, major])?;
    }
    Ok(rows.len() as u64)
}

fn seal_reasons(tx: &mut Transaction<'_>, most: usize) -> Result<u64, DatabaseError> {
    let rows = tx.query(REASONS_IN_CLEAR, &params![limit(most)])?;
    for row in &rows {
        let (person, reason): (Uuid, String) = (row.get(0)?, row.get(1)?);
        let sealed = reason_sealed(tx, person, &reason)?;
        tx.execute(SEAL_REASON, &params![person, sealed, reason])?;
    }
    Ok(rows.len() as u64)
}

/// The reason of a decision, sealed; none if there is none.
pub(super) fn reason_sealed(
    tx: &mut Transaction<'_>,
    person: Uuid,
    reason: &str,
) -> Result<Value, DatabaseError> {
    tx.sealed(REASON, person, Some(reason).filter(|reason| !reason.is_empty()))
}

/// Whether a diagnosis is resistant to drugs, as a text beside the others.
pub(super) const fn resistance(is_resistant: bool) -> &'static str {
    if is_resistant { "resistant" } else { "" }
}
