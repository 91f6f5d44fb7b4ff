//! Reading stays that may have left what is set for their disease.

use kangmai_access::Reach;
use kangmai_base::{Day, DivisionCode, Fen, Uuid};
use kangmai_database::{ClearText, DatabaseError, Row, SealedTable, Transaction, params};
use kangmai_people::read_name;

const STAYS: &str = "select bill.id, bill.number, bill.person, bill.home, bill.discharged_on, bill.diagnosis_sealed, bill.total,
    bill.own, person.name_sealed, person.birth, institution.code, institution.name, bill.diagnosis
    from bill join institution on institution.id = bill.institution left join person on person.id = bill.person
    where bill.discharged_on between $3 and $4 and bill.home between $1 and $2
        and (cast($6 as uuid) is null or bill.institution = $6) and bill.state = 'settled' and bill.setting = 'inpatient'
        and (bill.diagnosis_sealed is not null or bill.diagnosis is not null)
    order by bill.discharged_on desc, bill.home desc, bill.id desc limit $5";

const IN_CLEAR: &str = "select id, diagnosis from bill where diagnosis is not null limit $1";
const SEAL_DIAGNOSIS: &str =
    "update bill set diagnosis = null, diagnosis_sealed = $2 where id = $1 and diagnosis = $3";

/// What is sealed of bills.
pub const SEALED: &[SealedTable] = &[SealedTable { table: "bill", id: "id", columns: &["diagnosis_sealed"] }];

/// What stood in clear.
pub const CLEAR_TEXT: &[ClearText] =
    &[ClearText { name: "diagnoses of bills", seal: seal_diagnoses, finish: "" }];

/// Where the code of the diagnosis stands.
pub(super) const DIAGNOSIS: (&str, &str) = ("bill", "diagnosis_sealed");

fn seal_diagnoses(tx: &mut Transaction<'_>, most: usize) -> Result<u64, DatabaseError> {
    let rows = tx.query(IN_CLEAR, &params![i64::try_from(most).unwrap_or(i64::MAX)])?;
    for row in &rows {
        let (bill, code): (Uuid, String) = (row.get(0)?, row.get(1)?);
        let sealed = tx.sealed(DIAGNOSIS, bill, Some(&code))?;
        tx.execute(SEAL_DIAGNOSIS, &params![bill, sealed, code])?;
    }
    Ok(rows.len() as u64)
}

/// A settled stay with a diagnosis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StayRow {
    /// Which bill.
    pub id: Uuid,
    /// 结算单号
    pub number: String,
    /// Whose.
    pub person: Uuid,
    /// Their home place then.
    pub home: DivisionCode,
    /// Day of discharge.
    pub discharged_on: Day,
    /// The code of the diagnosis.
    pub diagnosis: String,
    /// What it cost.
    pub total: Fen,
    /// What stayed with the person.
    pub own: Fen,
    /// The person's name now.
    pub person_name: String,
    /// Their age on the day of discharge.
    pub age: Option<i32>,
    /// The institution's code now.
    pub institution_code: String,
    /// The institution's name now.
    pub institution_name: String,
}

fn read(tx: &mut Transaction<'_>, row: &Row) -> Result<StayRow, DatabaseError> {
    let opener = tx.opener()?;
    let (id, discharged_on): (Uuid, Day) = (row.get(0)?, row.get(4)?);
    let diagnosis = match opener.text(DIAGNOSIS, id, row.get(5)?)? {
        Some(code) => code,
        None => row.get(12)?,
    };
    Ok(StayRow {
        id,
        number: row.get(1)?,
        person: row.get(2)?,
        home: row.get(3)?,
        discharged_on,
        diagnosis,
        total: row.get(6)?,
        own: row.get(7)?,
        person_name: read_name(&opener, row, (2, 8))?,
        age: row.get::<Option<Day>>(9)?.map(|birth| discharged_on.age_of(birth)),
        institution_code: row.get(10)?,
        institution_name: row.get(11)?,
    })
}

/// Settled stays with a diagnosis within reach, discharged from `from` to `to`, the latest first.
///
/// # Errors
/// When the database fails.
pub fn stays_with_diagnosis(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    (from, to): (Day, Day),
    limit: i64,
) -> Result<Vec<StayRow>, DatabaseError> {
    let asked = params![reach.first(), reach.last(), from, to, limit, reach.institution()];
    let rows = tx.query(STAYS, &asked)?;
    rows.iter().map(|row| read(tx, row)).collect()
}
