//! Signs that a disease of which somebody was cured is back: in visits of the cured, bills and diagnoses. Level 5 is never read.

use std::collections::HashMap;

use kangmai_base::{Day, DivisionCode, Uuid};
use kangmai_database::{DatabaseError, Row, Transaction, params};
use kangmai_policy::{Icd10, Release};

use crate::findings::{Relapse, RelapseSign};

// $1: the day; $2: since when.
const VISITS: &str =
    "select person, id, last_on from follow_up where programme = 'cured' and state = 'relapse'
    and closed_on is null and not sensitive and last_on between $2 and $1";
const BILLS: &str = "select bill.person, bill.id, bill.discharged_on, cured.code, bill.diagnosis, bill.home,
    cured.from_day from diagnosis as cured join bill on bill.person = cured.person
    where cured.to_day <= $1 and not cured.sensitive and bill.state <> 'cancelled'
    and bill.discharged_on between $2 and $1 and bill.discharged_on > cured.to_day and bill.diagnosis is not null";
const DIAGNOSES: &str = "select later.person, later.id, later.from_day, cured.code, later.code, later.home,
    cured.from_day from diagnosis as cured join diagnosis as later on later.person = cured.person
    where cured.to_day <= $1 and not cured.sensitive and not later.sensitive and later.id <> cured.id
    and later.from_day between $2 and $1 and later.from_day >= cured.to_day
    and (later.to_day is null or later.to_day > $1)";

/// The signs from `first` to `as_of`, by person; of each kind the latest.
///
/// # Errors
/// When the database fails.
pub fn relapses_on(
    tx: &mut Transaction<'_>,
    release: &Release,
    (first, as_of): (Day, Day),
) -> Result<HashMap<Uuid, Vec<Relapse>>, DatabaseError> {
    let mut all: HashMap<Uuid, Vec<Relapse>> = HashMap::new();
    let asked = params![as_of, first];
    let mut put = |person: Uuid, new: Relapse| {
        let own = all.entry(person).or_default();
        match own.iter_mut().find(|one| one.sign == new.sign) {
            Some(one) if (one.on, one.id) < (new.on, new.id) => *one = new,
            Some(_) => {}
            None => own.push(new),
        }
    };
    tx.for_each(VISITS, &asked, |row| {
        put(row.get(0)?, Relapse { sign: RelapseSign::Visit, id: row.get(1)?, on: row.get(2)? });
        Ok(())
    })?;
    for (statement, sign) in [(BILLS, RelapseSign::Bill), (DIAGNOSES, RelapseSign::Diagnosis)] {
        tx.for_each(statement, &asked, |row| {
            if is_same_disease(release, &row, as_of)? {
                put(row.get(0)?, Relapse { sign, id: row.get(1)?, on: row.get(2)? });
            }
            Ok(())
        })?;
    }
    for own in all.values_mut() {
        own.sort_by_key(|one| one.sign);
    }
    Ok(all)
}

/// Whether both codes belong to one major disease of the lists.
fn is_same_disease(release: &Release, row: &Row, day: Day) -> Result<bool, DatabaseError> {
    let (cured, later): (String, String) = (row.get(3)?, row.get(4)?);
    let home: DivisionCode = row.get(5)?;
    let (Ok(cured), Ok(later)) = (cured.parse::<Icd10>(), later.parse::<Icd10>()) else { return Ok(false) };
    let Some(table) = release.disease_table(home, day) else { return Ok(false) };
    let fits = |code: Icd10| table.major.iter().filter(move |disease| disease.rule.holds(code, None));
    Ok(fits(cured).any(|one| fits(later).any(|other| one.id == other.id)))
}
