//! The bills of one year as the arithmetic wants them, read in one pass.

use std::collections::{BTreeSet, HashMap, HashSet};

use kangmai_base::{Day, DivisionCode, DivisionLevel, Fen, Sex, Uuid};
use kangmai_database::{DatabaseError, Opener, Row, Transaction, params};
use kangmai_people::Label;
use kangmai_policy::{BillFacts, FeeKind, Icd10, InstitutionTier, LabelSet, Release};
use serde::de::DeserializeOwned;

use super::DIAGNOSIS;
use crate::bills::{Cost, Fee, Holder, Treated};
use crate::rules::{Opened, Openings, YearBill, year_of};

const COUNT: &str = "select count(*) from what_if_bill where insurance_year = $1";
// By the index of years: its rows follow each other in the table, those of a place do not.
const BILLS: &str =
    "select bill, person, household, home, admitted_on, discharged_on, received_at, total, compliant,
    already_paid, own, birth, sex, diagnosis, treated, fees, holder, categories, diagnosis_sealed from what_if_bill
    where insurance_year = $1 and home between $2 and $3";
const ONE: &str =
    "select bill, person, household, home, admitted_on, discharged_on, received_at, total, compliant,
    already_paid, own, birth, sex, diagnosis, treated, fees, holder, categories, diagnosis_sealed from what_if_bill
    where bill = $1";
const ELSEWHERE: &str = "select bill, person, household from what_if_bill
    where insurance_year = $1 and (home < $2 or home > $3)";
const OPENED_ELSEWHERE: &str = "select person, used, household from opening
    where insurance_year = $1 and (home < $2 or home > $3)";
const OPENINGS: &str =
    "select person, used, household from opening where insurance_year = $1 and home between $2 and $3";
// Few people have a label: from there to the people, not the other way round.
const LABELS: &str = "select person.household, person_label.label from person_label
    cross join person where person.id = person_label.person and person.home between $1 and $2
    and (person_label.from_day is null or person_label.from_day <= $3)
    and (person_label.to_day is null or person_label.to_day > $3)";
/// How often progress is told, in bills.
const TOLD_EVERY: u64 = 10_000;

/// A year as it was read.
#[derive(Debug, Default)]
pub struct YearRead {
    /// The bills, in no order.
    pub bills: Vec<YearBill>,
    /// What was used before.
    pub openings: Openings,
    /// Labels at the end of the year, by household.
    pub labels: HashMap<Uuid, LabelSet>,
    /// Bills that no law has settled yet, or that cannot be.
    pub unsettled: i64,
}

/// How many bills a year has at all places.
///
/// # Errors
/// When the database fails.
pub fn bills_in_all(tx: &mut Transaction<'_>, year: i32) -> Result<i64, DatabaseError> {
    tx.query_one(COUNT, &params![year])?.map_or(Ok(0), |row| row.get(0))
}

/// Reads the year of all bills whose home lay in `place`, and of those elsewhere that are settled with them: of persons who
/// moved and, where the law lets households have anything together (`is_shared`), of all whom a household joins. `progress`
/// is told how many are read.
///
/// # Errors
/// When the database fails.
pub fn read_year(
    tx: &mut Transaction<'_>,
    (release, is_shared): (&Release, bool),
    (place, year): (DivisionCode, i32),
    progress: impl Fn(u64),
) -> Result<YearRead, DatabaseError> {
    let range = place.range();
    let (first, last) = (range.first.cast_signed(), range.last.cast_signed());
    let mut read = YearRead::default();
    let opener = tx.opener()?;
    let mut known = Known { release, opener, treated: HashMap::new(), holders: HashMap::new() };
    let mut seen = 0;
    tx.for_each(BILLS, &params![year, first, last], |row| {
        seen += 1;
        if seen % TOLD_EVERY == 0 {
            progress(seen);
        }
        match known.bill(&row)? {
            Some(bill) => read.bills.push(bill),
            None => read.unsettled += 1,
        }
        Ok(())
    })?;
    tx.for_each(OPENINGS, &params![year, first, last], |row| {
        read.openings.insert(row.get(0)?, opened(&row)?);
        Ok(())
    })?;
    let has_others = bills_in_all(tx, year)? > i64::try_from(seen).unwrap_or(i64::MAX);
    for bill in settled_with(tx, &mut read, is_shared, (year, first, last), has_others)? {
        if let Some(row) = tx.query_one(ONE, &params![bill])?
            && let Some(bill) = known.bill(&row)?
        {
            read.bills.push(YearBill { is_elsewhere: true, ..bill });
        }
    }
    let end = year_of(release, place, year).last;
    tx.for_each(LABELS, &params![first, last, end], |row| {
        let label: String = row.get(1)?;
        let set = read.labels.entry(row.get(0)?).or_default();
        *set = set.and(release.labels([label.as_str()]));
        Ok(())
    })?;
    progress(seen);
    Ok(read)
}

fn opened(row: &Row) -> Result<Opened, DatabaseError> {
    Ok(Opened { used: said(&row.get::<String>(1)?, 1)?, household: row.get(2)? })
}

/// The bills of other places that are settled with those that were read; openings of other places join what was read at once.
/// Looks again until nobody else is joined: each time somebody is, so it ends.
fn settled_with(
    tx: &mut Transaction<'_>,
    read: &mut YearRead,
    is_shared: bool,
    (year, first, last): (i32, i64, i64),
    has_others: bool,
) -> Result<BTreeSet<Uuid>, DatabaseError> {
    let mut people: HashSet<Uuid> = read.bills.iter().map(|bill| bill.person).collect();
    let mut households: HashSet<Uuid> = HashSet::new();
    if is_shared {
        households.extend(read.bills.iter().map(|bill| bill.household));
        households.extend(read.openings.values().filter_map(|opened| opened.household));
    }
    let mut found = BTreeSet::new();
    loop {
        let known = (people.len(), households.len());
        let mut is_joined = |person: Uuid, household: Option<Uuid>| {
            let joins = people.contains(&person) || household.is_some_and(|one| households.contains(&one));
            if joins && is_shared {
                people.insert(person);
                households.extend(household);
            }
            joins
        };
        if has_others {
            tx.for_each(ELSEWHERE, &params![year, first, last], |row| {
                if is_joined(row.get(1)?, Some(row.get(2)?)) {
                    found.insert(row.get(0)?);
                }
                Ok(())
            })?;
        }
        tx.for_each(OPENED_ELSEWHERE, &params![year, first, last], |row| {
            if is_joined(row.get(0)?, row.get(2)?) {
                read.openings.insert(row.get(0)?, opened(&row)?);
            }
            Ok(())
        })?;
        if known == (people.len(), households.len()) {
            return Ok(found);
        }
    }
}

fn said<T: DeserializeOwned>(text: &str, column: usize) -> Result<T, DatabaseError> {
    serde_json::from_str(text).map_err(|_| DatabaseError::WrongType { column, expected: "JSON of a bill" })
}

/// Of `Treated`, what a bill takes over.
#[derive(Debug, Clone)]
struct Place {
    treated: Treated,
    designations: u32,
}

/// Of `Holder`, what a bill takes over.
#[derive(Debug, Clone, Copy)]
struct Person {
    at_discharge: LabelSet,
    at_admission: LabelSet,
    strongest: Option<Label>,
    insured: bool,
}

/// What stands in many rows, read once.
struct Known<'r> {
    release: &'r Release,
    opener: Opener,
    treated: HashMap<String, Place>,
    holders: HashMap<String, Person>,
}

impl Known<'_> {
    /// A bill; none if it waits for a law, or cannot be.
    fn bill(&mut self, row: &Row) -> Result<Option<YearBill>, DatabaseError> {
        let Some(holder) = row.get::<Option<String>>(16)? else { return Ok(None) };
        let person = self.person(holder)?;
        let diagnosis = match self.opener.text(DIAGNOSIS, row.get(0)?, row.get(18)?)? {
            Some(code) => Some(code),
            None => row.get(13)?,
        };
        let place = self.place(row.get(14)?)?;
        let home: DivisionCode = row.get(3)?;
        let (total, discharge): (Fen, Day) = (row.get(7)?, row.get(5)?);
        let mut facts = BillFacts::inpatient(total, discharge, home);
        facts.compliant = row.get(8)?;
        facts.already_paid = row.get(9)?;
        facts.admission = row.get(4)?;
        facts.settlement = discharge;
        facts.labels_at_discharge = person.at_discharge;
        facts.labels_at_admission = person.at_admission;
        facts.insured_at_admission = person.insured;
        facts.insured_at_discharge = person.insured;
        if let Some(birth) = row.get::<Option<Day>>(11)? {
            facts.set_birth(birth);
        }
        facts.sex =
            row.get::<Option<String>>(12)?.map(|sex| if sex == "male" { Sex::Male } else { Sex::Female });
        facts.diagnosis = diagnosis.and_then(|code| code.parse().ok()).unwrap_or(Icd10::UNKNOWN);
        put_place(&mut facts, place);
        if let Some(fees) = row.get::<Option<String>>(15)? {
            for fee in said::<Vec<Fee>>(&fees, 15)? {
                if let Some(position) = FeeKind::ALL.iter().position(|kind| *kind == fee.kind) {
                    facts.fees[position] += fee.amount;
                }
            }
        }
        if let Some(categories) = row.get::<Option<String>>(17)? {
            for cost in said::<Vec<Cost>>(&categories, 17)? {
                facts.categories[cost.category as usize] += cost.compliant;
            }
        }
        if facts.check().is_err() {
            return Ok(None);
        }
        Ok(Some(YearBill {
            bill: row.get(0)?,
            person: row.get(1)?,
            chain: row.get(1)?,
            household: row.get(2)?,
            received_at: row.get(6)?,
            own: row.get(10)?,
            label: person.strongest,
            is_elsewhere: false,
            facts,
        }))
    }

    fn place(&mut self, text: String) -> Result<&Place, DatabaseError> {
        if !self.treated.contains_key(&text) {
            let treated: Treated = said(&text, 14)?;
            let vocabulary = self.release.vocabulary();
            let bits = treated.designations.iter().filter_map(|name| vocabulary.designation(name));
            let designations = bits.fold(0, |all, bit| all | bit);
            self.treated.insert(text.clone(), Place { treated, designations });
        }
        // It was put there just now.
        self.treated.get(&text).ok_or(DatabaseError::GivenUp)
    }

    fn person(&mut self, text: String) -> Result<Person, DatabaseError> {
        if let Some(person) = self.holders.get(&text) {
            return Ok(*person);
        }
        let holder: Holder = said(&text, 16)?;
        let set = |keys: &[String]| self.release.labels(keys.iter().map(String::as_str));
        let at_discharge = set(&holder.labels_at_discharge);
        let person = Person {
            at_discharge,
            at_admission: holder.labels_at_admission.as_deref().map_or(at_discharge, set),
            strongest: Label::ALL
                .into_iter()
                .find(|label| holder.labels_at_discharge.iter().any(|key| key == label.key())),
            insured: holder.insured,
        };
        self.holders.insert(text, person);
        Ok(person)
    }
}

fn put_place(facts: &mut BillFacts, place: &Place) {
    let treated = &place.treated;
    let province = |code: DivisionCode| code.at(DivisionLevel::Province);
    let is_outside = province(facts.person_place) != province(treated.place);
    facts.institution_place = treated.place;
    facts.designations = place.designations;
    facts.tier = if is_outside { InstitutionTier::OutsideProvince } else { treated.tier };
    facts.grade = treated.grade;
    facts.kind = treated.kind;
    facts.setting = treated.setting;
    facts.referral = treated.referral;
}
