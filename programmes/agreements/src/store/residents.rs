//! Residents with and without an agreement, and who is to be signed first. Diagnoses of level 5 are asked of nobody here.

use std::collections::HashMap;

use kangmai_access::Reach;
use kangmai_base::{Day, DivisionCode, Sex, Uuid};
use kangmai_database::{DatabaseError, Row, Transaction, Value, params};
use kangmai_people::{Label, read_name};
use kangmai_policy::{Icd10, Release, ServicePackage};

use super::Share;
use crate::rules::{Known, SECRET_LEVEL};

// $1, $2: places; $3: the day; $4: signed, yes or no; $5: only who is to be signed first; $6 to $11: three spans of birth; $12 to
// $23: labels; $24 to $55: four diseases, each a span of birth and six categories of codes.
const RESIDENTS: &str = "select person.id, person.name_sealed, person.home, person.birth, person.household, person.sex,
    (select max(agreement.until_on) from agreement where agreement.person = person.id and agreement.from_on <= $3
        and agreement.until_on >= $3 and (agreement.ended_on is null or agreement.ended_on > $3))
    from person where person.home between $1 and $2 and person.died_on is null and person.same_as is null
    and (cast($4 as text) is null or ($4 = 'yes') = exists (select 1 from agreement where agreement.person = person.id
        and agreement.from_on <= $3 and agreement.until_on >= $3
        and (agreement.ended_on is null or agreement.ended_on > $3)))
    and (cast($5 as text) is null or person.birth between $6 and $7 or person.birth between $8 and $9
        or person.birth between $10 and $11
        or exists (select 1 from person_label where person_label.person = person.id
            and (person_label.from_day is null or person_label.from_day <= $3)
            and (person_label.to_day is null or person_label.to_day > $3) and person_label.label in
            ($12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23))
        or exists (select 1 from diagnosis where diagnosis.person = person.id and not diagnosis.sensitive
            and diagnosis.from_day <= $3 and (diagnosis.to_day is null or diagnosis.to_day > $3) and (
            (person.birth between $24 and $25 and substr(diagnosis.code, 1, 3) in ($26, $27, $28, $29, $30, $31))
            or (person.birth between $32 and $33 and substr(diagnosis.code, 1, 3) in ($34, $35, $36, $37, $38, $39))
            or (person.birth between $40 and $41 and substr(diagnosis.code, 1, 3) in ($42, $43, $44, $45, $46, $47))
            or (person.birth between $48 and $49 and substr(diagnosis.code, 1, 3) in ($50, $51, $52, $53, $54, $55)))))
    order by person.home, person.household, person.id limit $56 offset $57";
const COUNTED: &str = "select count(*) from person
    where person.home between $1 and $2 and person.died_on is null and person.same_as is null
    and (cast($4 as text) is null or ($4 = 'yes') = exists (select 1 from agreement where agreement.person = person.id
        and agreement.from_on <= $3 and agreement.until_on >= $3
        and (agreement.ended_on is null or agreement.ended_on > $3)))
    and (cast($5 as text) is null or person.birth between $6 and $7 or person.birth between $8 and $9
        or person.birth between $10 and $11
        or exists (select 1 from person_label where person_label.person = person.id
            and (person_label.from_day is null or person_label.from_day <= $3)
            and (person_label.to_day is null or person_label.to_day > $3) and person_label.label in
            ($12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23))
        or exists (select 1 from diagnosis where diagnosis.person = person.id and not diagnosis.sensitive
            and diagnosis.from_day <= $3 and (diagnosis.to_day is null or diagnosis.to_day > $3) and (
            (person.birth between $24 and $25 and substr(diagnosis.code, 1, 3) in ($26, $27, $28, $29, $30, $31))
            or (person.birth between $32 and $33 and substr(diagnosis.code, 1, 3) in ($34, $35, $36, $37, $38, $39))
            or (person.birth between $40 and $41 and substr(diagnosis.code, 1, 3) in ($42, $43, $44, $45, $46, $47))
            or (person.birth between $48 and $49 and substr(diagnosis.code, 1, 3) in ($50, $51, $52, $53, $54, $55)))))";
// The rows of one page: as many places as a page has rows.
const LABELS_OF_ALL: &str = "select person, label from person_label
    where (from_day is null or from_day <= $1) and (to_day is null or to_day > $1) and person in
    ($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25,
    $26, $27, $28, $29, $30, $31, $32, $33, $34, $35, $36, $37, $38, $39, $40, $41, $42, $43, $44, $45, $46, $47, $48,
    $49, $50, $51)";
const DIAGNOSES_OF_ALL: &str = "select person, code from diagnosis
    where from_day <= $1 and (to_day is null or to_day > $1) and not sensitive and person in
    ($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25,
    $26, $27, $28, $29, $30, $31, $32, $33, $34, $35, $36, $37, $38, $39, $40, $41, $42, $43, $44, $45, $46, $47, $48,
    $49, $50, $51)";
/// People whose labels and diagnoses are asked at once.
const AT_ONCE: usize = 50;

/// Packages by age alone, labels, diseases, and categories of codes of one disease that a list asks for at most.
pub const MOST_FIRST: (usize, usize, usize, usize) = (3, 12, 4, 6);

/// Who is to be signed first, by the packages of a pack, as a list asks it on a day.
#[derive(Debug, Clone, PartialEq)]
pub struct First {
    params: Vec<Value>,
}

impl First {
    /// Of the packages of level 5 none is asked: who is on a list for them would be known by it.
    pub fn of(release: &Release, home: DivisionCode, today: Day) -> First {
        let rules = release.agreements(home, today);
        let packages = rules.map(|rules| rules.packages.as_slice()).unwrap_or_default();
        let first = packages.iter().filter(|one| one.first && one.sensitive < SECRET_LEVEL);
        let (mut ages, mut labels, mut ill) = (Vec::new(), Vec::new(), Vec::new());
        for package in first {
            let Some(fits) = &package.fits else { continue };
            let born = born(package, today);
            if !fits.icd10.is_empty() {
                let codes = fits.icd10.iter().flat_map(|range| range.categories());
                ill.push((born, codes.map(|code| code.to_string()).collect::<Vec<String>>()));
            } else if fits.labels.is_empty() {
                ages.push(born);
            } else {
                let named = Label::ALL.into_iter().map(Label::key);
                labels.extend(named.filter(|key| release.labels([*key]).meets(fits.labels)));
            }
        }
        let (most_ages, most_labels, most_ill, most_codes) = MOST_FIRST;
        let mut params: Vec<Value> = Vec::new();
        let nobody = (Day(1), Day(0));
        for at in 0..most_ages {
            let (from, until) = ages.get(at).copied().unwrap_or(nobody);
            params.extend(params![from, until]);
        }
        for at in 0..most_labels {
            params.push(Value::from(labels.get(at).copied().unwrap_or("")));
        }
        for at in 0..most_ill {
            let ((from, until), codes) = ill.get(at).cloned().unwrap_or((nobody, Vec::new()));
            params.extend(params![from, until]);
            for code in 0..most_codes {
                params.push(Value::from(codes.get(code).map_or("", String::as_str)));
            }
        }
        First { params }
    }
}

/// Between which days somebody is born whose age a package asks.
fn born(package: &ServicePackage, today: Day) -> (Day, Day) {
    let fits = package.fits.as_ref();
    let years = |years: u8| today.plus_months(-12 * i32::from(years));
    let from = fits.and_then(|fits| fits.max_age).map(|age| years(age.saturating_add(1)).plus_days(1));
    let until = fits.and_then(|fits| fits.min_age).map(years);
    (from.unwrap_or(Day(i32::MIN / 2)), until.unwrap_or(Day(i32::MAX / 2)))
}

/// What is listed.
#[derive(Debug, Clone, PartialEq)]
pub struct ResidentsWanted {
    /// With or without an agreement in force; none: either.
    pub signed: Option<bool>,
    /// Only who is to be signed first.
    pub only_first: bool,
    /// Who that is.
    pub first: First,
    /// The day.
    pub today: Day,
}

impl ResidentsWanted {
    fn params(&self, reach: &Reach) -> Vec<Value> {
        let signed = self.signed.map(|signed| if signed { "yes" } else { "no" });
        let only = self.only_first.then_some("yes");
        let mut asked = params![reach.first(), reach.last(), self.today, signed, only].to_vec();
        asked.extend(self.first.params.iter().cloned());
        asked
    }
}

/// A resident as lists show one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resident {
    /// Who.
    pub person: Uuid,
    /// Name.
    pub name: String,
    /// Home place.
    pub home: DivisionCode,
    /// Birth date.
    pub birth: Option<Day>,
    /// The household.
    pub household: Uuid,
    /// Sex.
    pub sex: Option<Sex>,
    /// The last day of the agreement in force.
    pub until: Option<Day>,
}

/// Living residents within reach, by place and household.
///
/// # Errors
/// When the database fails.
pub fn residents(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    wanted: &ResidentsWanted,
    (limit, offset): (i64, i64),
) -> Result<Vec<Resident>, DatabaseError> {
    let mut asked = wanted.params(reach);
    asked.extend(params![limit, offset]);
    let opener = tx.opener()?;
    let rows = tx.query(RESIDENTS, &asked)?;
    let read = |row: &Row| {
        let sex: Option<String> = row.get(5)?;
        Ok(Resident {
            person: row.get(0)?,
            name: read_name(&opener, row, (0, 1))?,
            home: row.get(2)?,
            birth: row.get(3)?,
            household: row.get(4)?,
            sex: sex.and_then(|sex| serde_json::from_value(serde_json::Value::String(sex)).ok()),
            until: row.get(6)?,
        })
    };
    rows.iter().map(read).collect()
}

/// How many residents within reach are wanted.
///
/// # Errors
/// When the database fails.
pub fn count_residents(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    wanted: &ResidentsWanted,
) -> Result<i64, DatabaseError> {
    tx.query_one(COUNTED, &wanted.params(reach))?.map_or(Ok(0), |row| row.get(0))
}

/// 重点人群签约率: of those who are to be signed first, who has an agreement in force.
///
/// # Errors
/// When the database fails.
pub fn first_share(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    first: &First,
    today: Day,
) -> Result<Share, DatabaseError> {
    let of = |signed| ResidentsWanted { signed, only_first: true, first: first.clone(), today };
    Ok((count_residents(tx, reach, &of(Some(true)))?, count_residents(tx, reach, &of(None))?))
}

/// What packages ask of these residents, without level 5: for the reasons that a list shows.
///
/// # Errors
/// When the database fails.
pub fn known_of_all(
    tx: &mut Transaction<'_>,
    people: &[Resident],
    today: Day,
) -> Result<HashMap<Uuid, Known>, DatabaseError> {
    let mut known: HashMap<Uuid, Known> = people
        .iter()
        .map(|one| (one.person, Known { birth: one.birth, sex: one.sex, ..Known::default() }))
        .collect();
    for chunk in people.chunks(AT_ONCE) {
        let mut asked = params![today].to_vec();
        let ids = chunk.iter().map(|one| one.person).chain(std::iter::repeat(Uuid::nil()));
        asked.extend(ids.take(AT_ONCE).map(Value::from));
        for row in tx.query(LABELS_OF_ALL, &asked)? {
            let (person, label): (Uuid, String) = (row.get(0)?, row.get(1)?);
            let label = Label::ALL.into_iter().map(Label::key).find(|key| *key == label);
            if let Some((one, label)) = known.get_mut(&person).zip(label) {
                one.labels.push(label);
            }
        }
        for row in tx.query(DIAGNOSES_OF_ALL, &asked)? {
            let (person, code): (Uuid, String) = (row.get(0)?, row.get(1)?);
            if let Some((one, code)) = known.get_mut(&person).zip(code.parse::<Icd10>().ok()) {
                one.ill.push((code, false));
            }
        }
    }
    Ok(known)
}
