//! The views of this programme; the only files with SQL. What tells a diagnosis of level 5 is sealed (`secret`).

mod forget;
mod held;
mod home;
mod secret;

use kangmai_access::Reach;
use kangmai_base::{Day, DivisionCode, Uuid};
use kangmai_database::{DatabaseError, Row, Transaction, params};
use kangmai_people::{PERSON_REGISTERED, read_name};
use kangmai_record::{Fact, Projection, nothing_along};

use crate::facts::{DECIDED, DIAGNOSED, Decided, Diagnosed, PLANNED, PUT_RIGHT, Planned, PutRight};
use crate::rules::{Decision, Diagnosis, PlanKind, Why};
use secret::{CHANGE, DIAGNOSIS, MAJOR, PLAN, REASON, STRUCK, read_told, reason_sealed, resistance, told};

pub(crate) use held::held;
pub use secret::{CLEAR_TEXT, SEALED};

const PUT_DIAGNOSIS: &str = "insert into diagnosis (id, person, code, system, name, from_day, to_day, institution,
    origin, drug_resistant, sensitive, fact, home, told_sealed)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
    on conflict (id) do update set person = excluded.person, code = excluded.code, system = excluded.system,
    name = excluded.name, from_day = excluded.from_day, to_day = excluded.to_day, institution = excluded.institution,
    origin = excluded.origin, drug_resistant = excluded.drug_resistant, sensitive = excluded.sensitive,
    fact = excluded.fact, home = excluded.home, told_sealed = excluded.told_sealed,
    major = case when excluded.sensitive then null else diagnosis.major end,
    major_sealed = case when excluded.sensitive then diagnosis.major_sealed end";
const WITHDRAW_DIAGNOSIS: &str = "delete from diagnosis where id = $1";
const STRIKE: &str =
    "insert into diagnosis_struck (id, diagnosis, person, code, name, from_day, to_day, withdrawn,
    reason, struck_by, struck_on, author, sensitive, home, told_sealed)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)";
const UNSTRIKE: &str = "delete from diagnosis_struck where id = $1";
const STRUCK_OF: &str =
    "select id, code, name, from_day, to_day, withdrawn, reason, struck_by, struck_on, author,
    sensitive, told_sealed from diagnosis_struck where person = $1 order by struck_on desc, id desc limit 100";
const CODES_NAMED: &str =
    "select code, min(name) from diagnosis where home between $1 and $2 and not sensitive
    and name like $3 group by code order by count(*) desc, code limit $4";
const CLEAR_MAJOR: &str = "update diagnosis set major = null, major_sealed = null
    where person = $1 and (major is not null or major_sealed is not null)";
const SET_MAJOR: &str = "update diagnosis set major = $2 where id = $1 and not sensitive";
const SEAL_MAJOR: &str = "update diagnosis set major_sealed = $2 where id = $1 and sensitive";
const DIAGNOSES_OF: &str =
    "select id, code, name, from_day, to_day, drug_resistant, system, institution, origin,
    sensitive, fact, major, told_sealed, major_sealed from diagnosis where person = $1 order by from_day, id limit 500";
const PEOPLE_WITH_DIAGNOSES: &str = "select distinct diagnosis.person, person.home, person.birth, person.sex
    from diagnosis join person on person.id = diagnosis.person
    where person.died_on is null order by diagnosis.person";
const PUT_DECISION: &str = "insert into plan_decision (person, plan, reason, decided_by, decided_on, home, reason_sealed)
    values ($1, $2, '', $3, $4, $5, $6)
    on conflict (person) do update set plan = excluded.plan, reason = '', reason_sealed = excluded.reason_sealed,
    decided_by = excluded.decided_by, decided_on = excluded.decided_on, home = excluded.home";
const TAKE_BACK_DECISION: &str = "delete from plan_decision where person = $1";
const DECISION_OF: &str =
    "select plan, reason, decided_by, decided_on, reason_sealed from plan_decision where person = $1";
const PUT_PLAN: &str =
    "insert into plan (person, plan, why, disease, disease_zh, disease_en, code, diagnosed_on,
    sensitive, note, since, home, told_sealed) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
    on conflict (person) do update set plan = excluded.plan, why = excluded.why, disease = excluded.disease,
    disease_zh = excluded.disease_zh, disease_en = excluded.disease_en, code = excluded.code,
    diagnosed_on = excluded.diagnosed_on, sensitive = excluded.sensitive, note = excluded.note,
    since = excluded.since, home = excluded.home, told_sealed = excluded.told_sealed";
const END_PLAN: &str = "delete from plan where person = $1";
const PUT_CHANGE: &str =
    "insert into plan_change (id, person, on_day, before, after, why, disease_zh, disease_en,
    code, diagnosed_on, sensitive, note, home, told_sealed)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) on conflict (id) do nothing";
const PLAN_OF: &str =
    "select plan.person, cast(null as bytea), plan.home, cast(null as bigint), plan.plan, plan.why, plan.disease_zh,
    plan.disease_en, plan.code, plan.diagnosed_on, plan.sensitive, plan.note, plan.since, cast(null as bigint),
    plan.told_sealed from plan where plan.person = $1";
const CHANGES_OF: &str =
    "select on_day, before, after, why, disease_zh, disease_en, code, diagnosed_on, sensitive, note,
    id, told_sealed from plan_change where person = $1 order by on_day desc, id desc limit 100";
const LIST: &str =
    "select plan.person, person.name_sealed, plan.home, person.birth, plan.plan, plan.why, plan.disease_zh,
    plan.disease_en, plan.code, plan.diagnosed_on, plan.sensitive, plan.note, plan.since,
    (select max(bill.discharged_on) from bill where bill.person = plan.person
        and bill.discharged_on >= plan.diagnosed_on and bill.state = 'settled') as treated_on,
    plan.told_sealed from plan join person on person.id = plan.person
    where plan.home between $1 and $2 and not plan.sensitive and person.died_on is null
    and (cast($3 as text) is null or plan.plan = $3) and (cast($4 as text) is null or plan.disease = $4)
    and (cast($5 as boolean) is null or $5 = exists (select 1 from bill where bill.person = plan.person
        and bill.discharged_on >= plan.diagnosed_on and bill.state = 'settled'))
    order by plan.since desc, plan.person limit $6 offset $7";
const COUNT: &str = "select count(*), coalesce(sum(case when plan.sensitive then 1 else 0 end), 0)
    from plan join person on person.id = plan.person
    where plan.home between $1 and $2 and person.died_on is null
    and (cast($3 as text) is null or plan.plan = $3) and (cast($4 as text) is null or plan.disease = $4)
    and (cast($5 as boolean) is null or $5 = exists (select 1 from bill where bill.person = plan.person
        and bill.discharged_on >= plan.diagnosed_on and bill.state = 'settled'))";
const DISEASES: &str = "select plan.disease, min(plan.disease_zh), min(plan.disease_en), count(*) from plan
    where plan.home between $1 and $2 and not plan.sensitive and plan.disease is not null
    and (cast($3 as text) is null or plan.plan = $3) group by plan.disease order by count(*) desc, plan.disease limit 60";

/// The view of all diagnoses.
pub const DIAGNOSES: Projection = Projection {
    name: "diagnoses",
    kinds: &[DIAGNOSED, PUT_RIGHT, PLANNED, PERSON_REGISTERED],
    views: &["diagnosis", "diagnosis_struck"],
    admit: |fact| match fact.kind.as_str() {
        PERSON_REGISTERED => Ok(()),
        DIAGNOSED => fact.read_body::<Diagnosed>().map(|_| ()),
        PUT_RIGHT => fact.read_body::<PutRight>().map(|_| ()),
        _ => fact.read_body::<Planned>().map(|_| ()),
    },
    apply: apply_diagnoses,
    along: nothing_along,
    forget: forget::diagnoses,
};

/// The views of plans, their changes and the decisions in force.
pub const PLANS: Projection = Projection {
    name: "plans",
    kinds: &[DECIDED, PLANNED, PERSON_REGISTERED],
    views: &["plan", "plan_change", "plan_decision"],
    admit: |fact| match fact.kind.as_str() {
        PERSON_REGISTERED => Ok(()),
        DECIDED => fact.read_body::<Decided>().map(|_| ()),
        _ => fact.read_body::<Planned>().map(|_| ()),
    },
    apply: apply_plans,
    along: nothing_along,
    forget: forget::plans,
};

fn apply_diagnoses(tx: &mut Transaction<'_>, facts: &[&Fact]) -> Result<(), DatabaseError> {
    for fact in facts.iter().filter(|fact| fact.new.kind != PERSON_REGISTERED) {
        if fact.new.kind == PLANNED {
            let body: Planned = fact.body()?;
            tx.execute(CLEAR_MAJOR, &params![fact.new.subject.id])?;
            for (diagnosis, major) in &body.major {
                if tx.execute(SET_MAJOR, &params![*diagnosis, major.as_str()])? == 0 {
                    let sealed = tx.sealed(MAJOR, *diagnosis, Some(major))?;
                    tx.execute(SEAL_MAJOR, &params![*diagnosis, sealed])?;
                }
            }
            continue;
        }
        if fact.new.kind == PUT_RIGHT {
            apply_put_right(tx, fact, &fact.body()?)?;
        } else {
            put_diagnosis(tx, fact, &fact.body()?)?;
        }
    }
    home::follow(tx, facts, &[home::DIAGNOSES, home::STRUCK])
}

fn put_diagnosis(tx: &mut Transaction<'_>, fact: &Fact, body: &Diagnosed) -> Result<(), DatabaseError> {
    let texts = [
        body.code.as_str(),
        body.system.as_str(),
        body.name.as_str(),
        body.institution.as_str(),
        body.origin.as_str(),
        resistance(body.drug_resistant),
    ];
    let (clear, sealed) = told(tx, DIAGNOSIS, body.diagnosis, body.sensitive, texts)?;
    let [code, system, name, institution, origin, _] = clear;
    tx.execute(
        PUT_DIAGNOSIS,
        &params![
            body.diagnosis,
            fact.new.subject.id,
            code,
            system,
            name,
            body.from,
            body.to,
            institution,
            origin,
            body.drug_resistant && !body.sensitive,
            body.sensitive,
            fact.new.id,
            fact.new.place,
            sealed
        ],
    )?;
    Ok(())
}

fn apply_put_right(tx: &mut Transaction<'_>, fact: &Fact, body: &PutRight) -> Result<(), DatabaseError> {
    if let Some(undone) = body.undoes {
        tx.execute(UNSTRIKE, &params![undone])?;
    } else {
        let before = &body.before;
        let texts = [before.code.as_str(), before.name.as_str(), body.reason.as_str()];
        let ([code, name, reason], sealed) = told(tx, STRUCK, fact.new.id, body.sensitive, texts)?;
        tx.execute(
            STRIKE,
            &params![
                fact.new.id,
                body.diagnosis,
                fact.new.subject.id,
                code,
                name,
                before.from,
                before.to,
                body.after.is_none(),
                reason,
                body.by.as_str(),
                body.on,
                fact.new.author,
                body.sensitive,
                fact.new.place,
                sealed
            ],
        )?;
    }
    match &body.after {
        Some(after) => put_diagnosis(tx, fact, after),
        None => tx.execute(WITHDRAW_DIAGNOSIS, &params![body.diagnosis]).map(|_| ()),
    }
}

fn apply_plans(tx: &mut Transaction<'_>, facts: &[&Fact]) -> Result<(), DatabaseError> {
    for fact in facts.iter().filter(|fact| fact.new.kind != PERSON_REGISTERED) {
        if fact.new.kind == DECIDED {
            apply_decided(tx, fact, &fact.body()?)?;
        } else {
            apply_planned(tx, fact, &fact.body()?)?;
        }
    }
    home::follow(tx, facts, &[home::PLANS, home::CHANGES, home::DECISIONS])
}

fn apply_decided(tx: &mut Transaction<'_>, fact: &Fact, body: &Decided) -> Result<(), DatabaseError> {
    let person = fact.new.subject.id;
    match body.plan {
        None => tx.execute(TAKE_BACK_DECISION, &params![person])?,
        Some(plan) => {
            let reason = reason_sealed(tx, person, &body.reason)?;
            let row = params![person, plan.key(), body.by.as_str(), body.on, fact.new.place, reason];
            tx.execute(PUT_DECISION, &row)?
        }
    };
    Ok(())
}

fn apply_planned(tx: &mut Transaction<'_>, fact: &Fact, body: &Planned) -> Result<(), DatabaseError> {
    let (person, home) = (fact.new.subject.id, fact.new.place);
    let plan = body.plan.as_ref();
    let is_secret = plan.is_some_and(|plan| plan.sensitive);
    let texts = plan
        .map_or([""; 5], |plan| [plan.why.key(), &plan.disease_zh, &plan.disease_en, &plan.code, &plan.note]);
    let ([why, disease_zh, disease_en, code, note], sealed) =
        told(tx, CHANGE, fact.new.id, is_secret, texts)?;
    tx.execute(
        PUT_CHANGE,
        &params![
            fact.new.id,
            person,
            body.on,
            body.before.map(PlanKind::key),
            plan.map(|plan| plan.kind.key()),
            why,
            disease_zh,
            disease_en,
            code,
            plan.map(|plan| plan.diagnosed_on),
            is_secret,
            note,
            home,
            sealed
        ],
    )?;
    let Some(plan) = plan else {
        tx.execute(END_PLAN, &params![person])?;
        return Ok(());
    };
    let ([why, disease_zh, disease_en, code, note], sealed) = told(tx, PLAN, person, is_secret, texts)?;
    tx.execute(
        PUT_PLAN,
        &params![
            person,
            plan.kind.key(),
            why,
            plan.disease.as_deref().filter(|_| !is_secret),
            disease_zh,
            disease_en,
            code,
            plan.diagnosed_on,
            is_secret,
            note,
            body.since,
            home,
            sealed
        ],
    )?;
    Ok(())
}

/// A diagnosis with where it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownDiagnosis {
    /// What rules ask.
    pub diagnosis: Diagnosis,
    /// Code system and version.
    pub system: String,
    /// Who found it.
    pub institution: String,
    /// The file or desk.
    pub origin: String,
    /// Level 5.
    pub sensitive: bool,
    /// The fact that tells it last.
    pub fact: Uuid,
    /// Key of the major disease that it is.
    pub major: Option<String>,
}

/// All diagnoses of a person, the earliest first. For rules; who shows them asks access first.
///
/// # Errors
/// When the database fails.
pub fn diagnoses_of(tx: &mut Transaction<'_>, person: Uuid) -> Result<Vec<KnownDiagnosis>, DatabaseError> {
    let rows = tx.query(DIAGNOSES_OF, &params![person])?;
    rows.iter().map(|row| read_diagnosis(tx, row)).collect()
}

fn read_diagnosis(tx: &mut Transaction<'_>, row: &Row) -> Result<KnownDiagnosis, DatabaseError> {
    let id: Uuid = row.get(0)?;
    // Whether it is resistant stands in clear as what it is, sealed as a text.
    let resistant: bool = row.get(5)?;
    let [code, system, name, institution, origin, sealed_resistance] = match row.get::<Option<Vec<u8>>>(12)? {
        Some(_) => read_told(tx, DIAGNOSIS, id, row, ([1, 6, 2, 7, 8, 1], 12))?,
        None => [row.get(1)?, row.get(6)?, row.get(2)?, row.get(7)?, row.get(8)?, String::new()],
    };
    let major = match tx.opened(MAJOR, id, row.get(13)?)? {
        Some(major) => Some(major),
        None => row.get(11)?,
    };
    Ok(KnownDiagnosis {
        diagnosis: Diagnosis {
            id,
            code,
            name,
            from: row.get(3)?,
            to: row.get(4)?,
            drug_resistant: resistant || sealed_resistance == resistance(true),
        },
        system,
        institution,
        origin,
        sensitive: row.get(9)?,
        fact: row.get(10)?,
        major,
    })
}

/// What the record said of a disease before somebody put it right by hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StruckDiagnosis {
    /// The fact that struck it.
    pub fact: Uuid,
    /// The code as it was given.
    pub code: String,
    /// What it was called.
    pub name: String,
    /// The day of the diagnosis.
    pub from: Day,
    /// The day from which it no longer held.
    pub to: Option<Day>,
    /// Whether the diagnosis was withdrawn; else it stands otherwise.
    pub withdrawn: bool,
    /// Why.
    pub reason: String,
    /// Who, by name.
    pub by: String,
    /// On which day.
    pub on: Day,
    /// Who, as an account.
    pub author: Uuid,
    /// Whether the state before or after is of level 5.
    pub sensitive: bool,
}

/// What was struck out of a person's diagnoses, the latest first.
///
/// # Errors
/// When the database fails.
pub fn struck_of(tx: &mut Transaction<'_>, person: Uuid) -> Result<Vec<StruckDiagnosis>, DatabaseError> {
    let rows = tx.query(STRUCK_OF, &params![person])?;
    let read = |row: &Row| {
        let fact = row.get(0)?;
        let [code, name, reason] = read_told(tx, STRUCK, fact, row, ([1, 2, 6], 11))?;
        Ok(StruckDiagnosis {
            fact,
            code,
            name,
            from: row.get(3)?,
            to: row.get(4)?,
            withdrawn: row.get(5)?,
            reason,
            by: row.get(7)?,
            on: row.get(8)?,
            author: row.get(9)?,
            sensitive: row.get(10)?,
        })
    };
    rows.iter().map(read).collect()
}

/// The codes under which diagnoses within reach bear a name that holds `name`, the most frequent first, with the name.
/// Without level 5.
///
/// # Errors
/// When the database fails.
pub fn codes_named(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    name: &str,
    limit: usize,
) -> Result<Vec<(String, String)>, DatabaseError> {
    let literal: String = name.chars().filter(|sign| !matches!(sign, '%' | '_' | '\\')).collect();
    let (pattern, limit) = (format!("%{literal}%"), i64::try_from(limit).unwrap_or(0));
    let rows = tx.query(CODES_NAMED, &params![reach.first(), reach.last(), pattern, limit])?;
    rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

/// A person with diagnoses, as far as lists ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PersonWithDiagnoses {
    /// Who.
    pub person: Uuid,
    /// Home place.
    pub home: DivisionCode,
    /// Birth date.
    pub birth: Option<Day>,
    /// Sex.
    pub sex: Option<kangmai_base::Sex>,
}

/// Everybody alive with a diagnosis.
///
/// # Errors
/// When the database fails.
pub fn people_with_diagnoses(tx: &mut Transaction<'_>) -> Result<Vec<PersonWithDiagnoses>, DatabaseError> {
    let mut people = Vec::new();
    tx.for_each(PEOPLE_WITH_DIAGNOSES, &[], |row| {
        let sex: Option<String> = row.get(3)?;
        people.push(PersonWithDiagnoses {
            person: row.get(0)?,
            home: row.get(1)?,
            birth: row.get(2)?,
            sex: sex.and_then(|sex| serde_json::from_value(serde_json::Value::String(sex)).ok()),
        });
        Ok(())
    })?;
    Ok(people)
}

/// A decision in force: the decision, by whom, on which day.
///
/// # Errors
/// When the database fails.
pub fn decision_of(
    tx: &mut Transaction<'_>,
    person: Uuid,
) -> Result<Option<(Decision, String, Day)>, DatabaseError> {
    let Some(row) = tx.query_one(DECISION_OF, &params![person])? else { return Ok(None) };
    let plan: String = row.get(0)?;
    let Some(plan) = PlanKind::of_key(&plan) else { return Ok(None) };
    let reason = match tx.opened(REASON, person, row.get(4)?)? {
        Some(reason) => reason,
        None => row.get(1)?,
    };
    Ok(Some((Decision { plan, reason }, row.get(2)?, row.get(3)?)))
}

/// A person in a plan, as lists show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanRow {
    /// Who.
    pub person: Uuid,
    /// Name; empty from [`plan_row`].
    pub name: String,
    /// Home place.
    pub home: DivisionCode,
    /// Birth date.
    pub birth: Option<Day>,
    /// The plan.
    pub plan: PlanKind,
    /// What decided.
    pub why: Why,
    /// The disease in Chinese.
    pub disease_zh: String,
    /// The disease in English.
    pub disease_en: String,
    /// The code as it was given.
    pub code: String,
    /// Day of the diagnosis.
    pub diagnosed_on: Day,
    /// Level 5.
    pub sensitive: bool,
    /// Reason of a decision.
    pub note: String,
    /// Since when in this plan.
    pub since: Day,
    /// Last discharge of a settled bill since the diagnosis.
    pub treated_on: Option<Day>,
}

fn read_plan(tx: &mut Transaction<'_>, row: &Row) -> Result<PlanRow, DatabaseError> {
    let (person, plan): (Uuid, String) = (row.get(0)?, row.get(4)?);
    let [why, disease_zh, disease_en, code, note] = read_told(tx, PLAN, person, row, ([5, 6, 7, 8, 11], 14))?;
    Ok(PlanRow {
        person,
        name: read_name(&tx.opener()?, row, (0, 1))?,
        home: row.get(2)?,
        birth: row.get(3)?,
        plan: PlanKind::of_key(&plan).ok_or(DatabaseError::WrongType { column: 4, expected: "plan" })?,
        why: Why::of_key(&why).ok_or(DatabaseError::WrongType { column: 5, expected: "reason" })?,
        disease_zh,
        disease_en,
        code,
        diagnosed_on: row.get(9)?,
        sensitive: row.get(10)?,
        note,
        since: row.get(12)?,
        treated_on: row.get(13)?,
    })
}

/// The plan of a person.
///
/// # Errors
/// When the database fails.
pub fn plan_row(tx: &mut Transaction<'_>, person: Uuid) -> Result<Option<PlanRow>, DatabaseError> {
    let row = tx.query_one(PLAN_OF, &params![person])?;
    row.as_ref().map(|row| read_plan(tx, row)).transpose()
}

/// A change of plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeRow {
    /// On which day.
    pub on: Day,
    /// The plan before.
    pub before: Option<PlanKind>,
    /// The plan from then on.
    pub after: Option<PlanKind>,
    /// What decided.
    pub why: Option<Why>,
    /// The disease in Chinese.
    pub disease_zh: String,
    /// The disease in English.
    pub disease_en: String,
    /// The code as it was given.
    pub code: String,
    /// Day of the diagnosis.
    pub diagnosed_on: Option<Day>,
    /// Level 5.
    pub sensitive: bool,
    /// Reason of a decision.
    pub note: String,
}

/// The changes of a person's plan, the latest first.
///
/// # Errors
/// When the database fails.
pub fn changes_of(tx: &mut Transaction<'_>, person: Uuid) -> Result<Vec<ChangeRow>, DatabaseError> {
    let kind = |key: Option<String>| key.as_deref().and_then(PlanKind::of_key);
    let rows = tx.query(CHANGES_OF, &params![person])?;
    let read = |row: &Row| {
        let [why, disease_zh, disease_en, code, note] =
            read_told(tx, CHANGE, row.get(10)?, row, ([3, 4, 5, 6, 9], 11))?;
        Ok(ChangeRow {
            on: row.get(0)?,
            before: kind(row.get(1)?),
            after: kind(row.get(2)?),
            why: Why::of_key(&why),
            disease_zh,
            disease_en,
            code,
            diagnosed_on: row.get(7)?,
            sensitive: row.get(8)?,
            note,
        })
    };
    rows.iter().map(read).collect()
}

/// Which plans are listed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Only this plan.
    pub plan: Option<PlanKind>,
    /// Only this disease, by the key of its list.
    pub disease: Option<String>,
    /// Only those who have, or have not, a settled bill since the diagnosis.
    pub treated: Option<bool>,
}

/// People in plans within reach, the newest first. Whoever is there for a diagnosis of level 5 is left out.
///
/// # Errors
/// When the database fails.
pub fn list(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    wanted: &Wanted,
    (limit, offset): (i64, i64),
) -> Result<Vec<PlanRow>, DatabaseError> {
    let params = params![
        reach.first(),
        reach.last(),
        wanted.plan.map(PlanKind::key),
        wanted.disease.as_deref(),
        wanted.treated,
        limit,
        offset
    ];
    let rows = tx.query(LIST, &params)?;
    rows.iter().map(|row| read_plan(tx, row)).collect()
}

/// How many people in plans are within reach, and how many of them are there for a diagnosis of level 5.
///
/// # Errors
/// When the database fails.
pub fn count(tx: &mut Transaction<'_>, reach: &Reach, wanted: &Wanted) -> Result<(i64, i64), DatabaseError> {
    let params = params![
        reach.first(),
        reach.last(),
        wanted.plan.map(PlanKind::key),
        wanted.disease.as_deref(),
        wanted.treated
    ];
    tx.query_one(COUNT, &params)?.map_or(Ok((0, 0)), |row| Ok((row.get(0)?, row.get(1)?)))
}

/// The diseases of plans within reach with their counts: key, Chinese, English, count. Without level 5.
///
/// # Errors
/// When the database fails.
pub fn diseases(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    plan: Option<PlanKind>,
) -> Result<Vec<(String, String, String, i64)>, DatabaseError> {
    let rows = tx.query(DISEASES, &params![reach.first(), reach.last(), plan.map(PlanKind::key)])?;
    rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))).collect()
}
