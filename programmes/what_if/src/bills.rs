//! What a bill must tell to be settled again, kept in one row for each bill: the facts of settlement, read as they stand in
//! the record. A year of a million bills is read in one pass.

use std::collections::HashSet;

use kangmai_base::{Day, DivisionCode, Fen, Sex, Uuid};
use kangmai_database::{DatabaseError, InsertMany, Transaction, Value, params};
use kangmai_policy::{
    CostCategory, FeeKind, InstitutionGrade, InstitutionKind, InstitutionTier, Referral, Setting,
};
use kangmai_record::{Fact, Projection, Subject, facts_of_kind, nothing_along};
use serde::{Deserialize, Serialize};

use crate::store;

const RECEIVED: &str = "settlement.bill_received";
const ITEMISED: &str = "settlement.bill_itemised";
const SETTLED: &str = "settlement.settled";
const NOT_SETTLED: &str = "settlement.not_settled";
const CANCELLED: &str = "settlement.bill_cancelled";

/// The view of all bills that are not cancelled.
pub(crate) const BILLS: Projection = Projection {
    name: "what_if bills",
    kinds: &[RECEIVED, ITEMISED, SETTLED, NOT_SETTLED, CANCELLED],
    views: &["what_if_bill"],
    admit: |_| Ok(()),
    apply,
    along: nothing_along,
    forget,
};

/// Of a bill that came in, what settlement asks.
#[derive(Debug, Deserialize)]
struct Received {
    bill: Uuid,
    household: Uuid,
    insurance_year: Option<i32>,
    institution: Institution,
    admission: Day,
    discharge: Day,
    setting: Setting,
    referral: Referral,
    diagnosis: Option<Diagnosis>,
    total: Fen,
    compliant: Fen,
    #[serde(default)]
    already_paid: Fen,
    #[serde(default)]
    fees: Vec<Fee>,
    lines: Option<Lines>,
}

/// Of the lines of a bill, what a layer may ask.
#[derive(Debug, Deserialize)]
struct Lines {
    #[serde(default)]
    categories: Vec<Cost>,
}

/// Compliant cost of one category.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Cost {
    pub(crate) category: CostCategory,
    pub(crate) compliant: Fen,
}

#[derive(Debug, Deserialize)]
struct Institution {
    place: DivisionCode,
    tier: InstitutionTier,
    grade: InstitutionGrade,
    kind: InstitutionKind,
    #[serde(default)]
    designations: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Diagnosis {
    code: String,
}

/// A fee with a name of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Fee {
    pub(crate) kind: FeeKind,
    pub(crate) amount: Fen,
}

/// Where and how somebody was treated: the same for very many bills, so it is read once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Treated {
    pub(crate) place: DivisionCode,
    pub(crate) tier: InstitutionTier,
    pub(crate) grade: InstitutionGrade,
    pub(crate) kind: InstitutionKind,
    pub(crate) designations: Vec<String>,
    pub(crate) setting: Setting,
    pub(crate) referral: Referral,
}

/// Of a receipt, what it knew of the person.
#[derive(Debug, Deserialize)]
struct Settled {
    bill: Uuid,
    person: PersonThen,
    own: Fen,
}

#[derive(Debug, Deserialize)]
struct PersonThen {
    #[serde(flatten)]
    holder: Holder,
    birth: Option<Day>,
    sex: Option<Sex>,
}

/// As whom somebody was settled: the same for very many bills.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Holder {
    #[serde(default)]
    pub(crate) labels_at_discharge: Vec<String>,
    #[serde(default)]
    pub(crate) labels_at_admission: Option<Vec<String>>,
    pub(crate) insured: bool,
}

#[derive(Debug, Deserialize)]
struct OfBill {
    bill: Uuid,
}

fn apply(tx: &mut Transaction<'_>, facts: &[&Fact]) -> Result<(), DatabaseError> {
    let (mut rows, mut bills) = (Vec::new(), HashSet::new());
    for fact in facts {
        if fact.new.kind == RECEIVED {
            let body: Received = fact.body()?;
            if !bills.insert(body.bill) {
                put(tx, &mut rows)?;
            }
            rows.push(row(tx, fact, &body)?);
            continue;
        }
        put(tx, &mut rows)?;
        match fact.new.kind.as_str() {
            ITEMISED => {
                let body: Received = fact.body()?;
                let parameters = params![body.bill, fees_of(&body)?, categories_of(&body)?];
                tx.execute(store::ITEMISE, &parameters)?;
            }
            SETTLED => {
                let Settled { bill, person, own } = fact.body()?;
                let sex = person.sex.map(|sex| if sex == Sex::Male { "male" } else { "female" });
                let holder = written(&person.holder)?;
                tx.execute(store::SETTLE, &params![bill, holder, person.birth, sex, own])?;
            }
            NOT_SETTLED => _ = tx.execute(store::LEAVE, &params![fact.body::<OfBill>()?.bill])?,
            _ => _ = tx.execute(store::DROP, &params![fact.body::<OfBill>()?.bill])?,
        }
    }
    put(tx, &mut rows)
}

fn forget(tx: &mut Transaction<'_>, subject: Subject) -> Result<(), DatabaseError> {
    let mut bills = Vec::new();
    for fact in facts_of_kind(tx, subject.id, RECEIVED)? {
        bills.push(fact.body::<OfBill>()?.bill);
    }
    store::forget_subject(tx, subject, &bills)
}

fn put(tx: &mut Transaction<'_>, rows: &mut Vec<Vec<Value>>) -> Result<(), DatabaseError> {
    const PUT: InsertMany = store::PUT_BILLS;
    if !rows.is_empty() {
        tx.insert_many(&PUT, std::mem::take(rows))?;
    }
    Ok(())
}

fn row(tx: &mut Transaction<'_>, fact: &Fact, body: &Received) -> Result<Vec<Value>, DatabaseError> {
    let code = body.diagnosis.as_ref().map(|diagnosis| diagnosis.code.as_str());
    let diagnosis = tx.sealed(store::DIAGNOSIS, body.bill, code)?;
    let institution = &body.institution;
    let treated = Treated {
        place: institution.place,
        tier: institution.tier,
        grade: institution.grade,
        kind: institution.kind,
        designations: institution.designations.clone(),
        setting: body.setting,
        referral: body.referral,
    };
    let row = params![
        body.bill,
        fact.new.subject.id,
        body.household,
        fact.new.place,
        body.insurance_year.unwrap_or(body.discharge.year()),
        body.admission,
        body.discharge,
        fact.received_at,
        body.total,
        body.compliant,
        body.already_paid,
        diagnosis,
        written(&treated)?,
        fees_of(body)?,
        categories_of(body)?,
        0_i64
    ];
    Ok(row.into())
}

fn fees_of(body: &Received) -> Result<Option<String>, DatabaseError> {
    if body.fees.is_empty() { Ok(None) } else { written(&body.fees).map(Some) }
}

fn categories_of(body: &Received) -> Result<Option<String>, DatabaseError> {
    body.lines.as_ref().map(|lines| written(&lines.categories)).transpose()
}

fn written(value: &impl Serialize) -> Result<String, DatabaseError> {
    serde_json::to_string(value).map_err(|error| DatabaseError::Refused(error.to_string()))
}
