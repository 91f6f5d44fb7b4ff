//! What the watch reads of others' views: people, labels, bills, major diagnoses. Set by set, never person by person.

use std::collections::HashMap;

use kangmai_base::{Day, DivisionCode, Fen, Uuid};
use kangmai_database::{DatabaseError, Row, Transaction, params};
use kangmai_people::Enrolment;

use crate::facts::EvidenceBill;
use crate::findings::{Finding, MajorDiagnosis, PersonCosts};

// `+discharged_on`: a year is most of the table, and reading it in its own order is faster than by an index of days.
const BILLS: &str = "select person, discharged_on, own, own_uncovered, setting from bill
    where state = 'settled' and +discharged_on between $1 and $2";
const LABELS: &str = "select person, label from person_label
    where (from_day is null or from_day <= $1) and (to_day is null or to_day > $1)";
const MAJORS: &str = "select person, id, from_day from diagnosis where major is not null and not sensitive
    and from_day <= $1 and (to_day is null or to_day > $1)";
const EXISTING: &str = "select id, household, closed_on, level, found from warning";
const WATCHED: &str = "select household, id, relation, home, enrolment, birth, died_on from person
    where (household, id) > ($1, $2) order by household, id limit $3";
const BILLS_OF: &str = "select id, person, discharged_on, own, own_uncovered from bill where person = $1
    and discharged_on between $2 and $3 and state = 'settled' order by discharged_on, id";
const EVIDENCE: &str = "select bill.id, bill.person, bill.discharged_on, bill.total, bill.own, bill.own_uncovered, bill.setting
    from bill join person on person.id = bill.person where person.household = $1
    and bill.discharged_on between $2 and $3 and bill.state = 'settled' order by bill.discharged_on desc, bill.id limit 500";
const NAMED_MAJORS: &str =
    "select diagnosis.person, diagnosis.id, diagnosis.name, diagnosis.code, diagnosis.from_day
    from diagnosis join person on person.id = diagnosis.person where person.household = $1
    and diagnosis.major is not null and not diagnosis.sensitive order by diagnosis.from_day desc limit 50";
///
/// # Errors
/// When the database fails.
pub fn add_bills(
    tx: &mut Transaction<'_>,
    (first, as_of): (Day, Day),
    costs: &mut HashMap<Uuid, PersonCosts>,
) -> Result<u64, DatabaseError> {
    let mut bills = 0;
    tx.for_each(BILLS, &params![first, as_of], |row| {
        let (person, on): (Uuid, Day) = (row.get(0)?, row.get(1)?);
        let (own, own_uncovered): (Fen, Fen) = (row.get(2)?, row.get(3)?);
        let setting: String = row.get(4)?;
        costs.entry(person).or_default().add(as_of, on, own, own_uncovered, setting == "inpatient");
        bills += 1;
        Ok(())
    })?;
    Ok(bills)
}

/// A label that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelRow {
    /// Whose.
    pub person: Uuid,
    /// Its key.
    pub label: String,
}

/// Hands over every label that holds on `day`.
///
/// # Errors
/// When the database fails.
pub fn labels_on(
    tx: &mut Transaction<'_>,
    day: Day,
    mut each: impl FnMut(LabelRow),
) -> Result<(), DatabaseError> {
    tx.for_each(LABELS, &params![day], |row| {
        each(LabelRow { person: row.get(0)?, label: row.get(1)? });
        Ok(())
    })
}

/// The major diseases in force on `day`, by person. Those of level 5 are left out.
///
/// # Errors
/// When the database fails.
pub fn majors_on(
    tx: &mut Transaction<'_>,
    day: Day,
) -> Result<HashMap<Uuid, Vec<MajorDiagnosis>>, DatabaseError> {
    let mut majors: HashMap<Uuid, Vec<MajorDiagnosis>> = HashMap::new();
    tx.for_each(MAJORS, &params![day], |row| {
        let major = MajorDiagnosis { id: row.get(1)?, from: row.get(2)? };
        majors.entry(row.get(0)?).or_default().push(major);
        Ok(())
    })?;
    for of_person in majors.values_mut() {
        of_person.sort_by_key(|major| (major.from, major.id));
    }
    Ok(majors)
}

/// A warning that there is already: its identifier, level and findings.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Existing {
    /// The open one, if there is one.
    pub open: Option<(Uuid, crate::findings::Level, Vec<Finding>)>,
    /// What closed ones speak of.
    pub closed: Vec<Finding>,
}

/// All warnings, by household.
///
/// # Errors
/// When the database fails.
pub fn existing(tx: &mut Transaction<'_>) -> Result<HashMap<Uuid, Existing>, DatabaseError> {
    let mut all: HashMap<Uuid, Existing> = HashMap::new();
    tx.for_each(EXISTING, &[], |row| {
        let (closed_on, found): (Option<Day>, String) = (row.get(2)?, row.get(4)?);
        let findings: Vec<Finding> = super::unreadable(&found, 4)?;
        let there = all.entry(row.get(1)?).or_default();
        if closed_on.is_some() {
            there.closed.extend(findings);
        } else {
            there.open = Some((row.get(0)?, super::read_level(&row, 3)?, findings));
        }
        Ok(())
    })?;
    Ok(all)
}

/// A person as the watch sees one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WatchedPerson {
    /// The household.
    pub household: Uuid,
    /// Who.
    pub person: Uuid,
    /// Whether the head of the household.
    pub is_head: bool,
    /// Home place.
    pub home: DivisionCode,
    /// Whether in basic insurance, if known.
    pub enrolled: Option<bool>,
    /// Birth date.
    pub birth: Option<Day>,
    /// Day of death.
    pub died_on: Option<Day>,
}

fn enrolled(key: Option<String>) -> Option<bool> {
    key.as_deref().and_then(Enrolment::of_key).map(|enrolment| enrolment != Enrolment::NotEnrolled)
}

/// The people after (`household`, `person`), by household, at most `limit`.
///
/// # Errors
/// When the database fails.
pub fn watched_after(
    tx: &mut Transaction<'_>,
    (household, person): (Uuid, Uuid),
    limit: i64,
) -> Result<Vec<WatchedPerson>, DatabaseError> {
    let mut people = Vec::with_capacity(usize::try_from(limit).unwrap_or(0));
    tx.for_each(WATCHED, &params![household, person, limit], |row| {
        let relation: Option<String> = row.get(2)?;
        people.push(WatchedPerson {
            household: row.get(0)?,
            person: row.get(1)?,
            is_head: relation.as_deref() == Some("head"),
            home: row.get(3)?,
            enrolled: enrolled(row.get(4)?),
            birth: row.get(5)?,
            died_on: row.get(6)?,
        });
        Ok(())
    })?;
    Ok(people)
}

/// The settled bills of a person in a window, the earliest first.
///
/// # Errors
/// When the database fails.
pub fn bills_of(
    tx: &mut Transaction<'_>,
    person: Uuid,
    (first, last): (Day, Day),
) -> Result<Vec<EvidenceBill>, DatabaseError> {
    let read = |row: &Row| {
        Ok(EvidenceBill {
            bill: row.get(0)?,
            person: row.get(1)?,
            on: row.get(2)?,
            own: row.get(3)?,
            own_uncovered: row.get(4)?,
        })
    };
    tx.query(BILLS_OF, &params![person, first, last])?.iter().map(read).collect()
}

/// A bill of a household as a page shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvidenceRow {
    /// Which.
    pub bill: Uuid,
    /// Whose.
    pub person: Uuid,
    /// Day of discharge.
    pub on: Day,
    /// What care cost in all.
    pub total: Fen,
    /// What the person bears.
    pub own: Fen,
    /// What of it lies outside the catalogues.
    pub own_uncovered: Fen,
    /// The setting.
    pub setting: String,
}

/// The settled bills of a household's members in a window, the latest first.
///
/// # Errors
/// When the database fails.
pub fn bills_of_household(
    tx: &mut Transaction<'_>,
    household: Uuid,
    (first, last): (Day, Day),
) -> Result<Vec<EvidenceRow>, DatabaseError> {
    let read = |row: &Row| {
        Ok(EvidenceRow {
            bill: row.get(0)?,
            person: row.get(1)?,
            on: row.get(2)?,
            total: row.get(3)?,
            own: row.get(4)?,
            own_uncovered: row.get(5)?,
            setting: row.get(6)?,
        })
    };
    tx.query(EVIDENCE, &params![household, first, last])?.iter().map(read).collect()
}

/// A major disease by its name, for who may read diagnoses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedMajor {
    /// Whose.
    pub person: Uuid,
    /// Which diagnosis.
    pub diagnosis: Uuid,
    /// What it is called.
    pub name: String,
    /// Its code.
    pub code: String,
    /// Since when.
    pub from: Day,
}

/// The major diseases of a household's members by name. Those of level 5 are left out.
///
/// # Errors
/// When the database fails.
pub fn named_majors(tx: &mut Transaction<'_>, household: Uuid) -> Result<Vec<NamedMajor>, DatabaseError> {
    let read = |row: &Row| {
        Ok(NamedMajor {
            person: row.get(0)?,
            diagnosis: row.get(1)?,
            name: row.get(2)?,
            code: row.get(3)?,
            from: row.get(4)?,
        })
    };
    tx.query(NAMED_MAJORS, &params![household])?.iter().map(read).collect()
}
