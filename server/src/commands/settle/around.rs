//! What stands around the bills: the register, the institutions, what people have used up of a year.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, anyhow, bail};
use kangmai_base::{Clock as _, Day, DivisionCode, Fen, Sex, SystemClock};
use kangmai_people::{Enrolment, LabelInterval, Parsed, REGISTER, RegisterContext, RegisterParser};
use kangmai_places::{Divisions, INSTITUTIONS, InstitutionParser, ParsedInstitution};
use kangmai_policy::{
    InstitutionGrade, InstitutionKind, InstitutionTier, LabelSet, Policy, Release, YearAccumulators,
};
use kangmai_settlement::import::{accumulator_columns, opening_columns};
use kangmai_sheet::{Cells, Fault, Format, Record, Source as _, read};
use kangmai_sheets::{Sheet, SheetError, open};
use kangmai_web::{Language, Words};

use super::bill_file::{hash_of, person_of};
use crate::commands::say;

/// A person of the register, as far as settling asks.
#[derive(Debug, Clone)]
pub(super) struct KnownPerson {
    pub(super) home: DivisionCode,
    pub(super) birth: Option<Day>,
    pub(super) sex: Option<Sex>,
    pub(super) insured: bool,
    /// The household, as a number, if the register says its number.
    household: Option<u64>,
    /// Label, first day, and the day from which it no longer holds.
    labels: Vec<(LabelSet, Day, Day)>,
}

impl KnownPerson {
    pub(super) fn labels_on(&self, day: Day) -> LabelSet {
        let holding = self.labels.iter().filter(|(_, from, to)| *from <= day && day < *to);
        holding.fold(LabelSet::NONE, |set, (label, _, _)| set.and(*label))
    }

    /// From each day on which a label begins or ends, those that hold.
    pub(super) fn label_days(&self) -> Vec<(Day, LabelSet)> {
        let mut days: Vec<Day> = self.labels.iter().flat_map(|(_, from, to)| [*from, *to]).collect();
        days.push(Day(i32::MIN));
        days.sort_unstable();
        days.dedup();
        days.into_iter().map(|day| (day, self.labels_on(day))).collect()
    }
}

/// An institution, as far as settling asks.
#[derive(Debug, Clone, Copy)]
pub(super) struct KnownInstitution {
    pub(super) place: DivisionCode,
    pub(super) tier: InstitutionTier,
    pub(super) grade: InstitutionGrade,
    pub(super) kind: InstitutionKind,
    pub(super) designations: u32,
}

/// All of it.
#[derive(Debug, Default)]
pub(super) struct Around {
    people: HashMap<u64, KnownPerson>,
    institutions: HashMap<String, KnownInstitution>,
    /// By person and year: number of the column and value.
    openings: HashMap<(u64, i32), Vec<(u16, Fen)>>,
    /// Members of the households that have any with an opening.
    opened: HashMap<u64, Vec<u64>>,
    opening_names: Vec<&'static str>,
}

/// What is said of a file that stands around the bills.
pub(super) struct Telling<'t> {
    pub(super) words: &'t Words,
    pub(super) language: Language,
}

impl Telling<'_> {
    fn refuse(&self, path: &Path, error: &SheetError) -> anyhow::Error {
        anyhow!("{}: {}", path.display(), self.words.refusal(self.language, &error.refusal(), ""))
    }

    fn head(&self, path: &Path, faults: &[Fault]) -> anyhow::Result<()> {
        match faults.iter().find(|fault| fault.is_error()) {
            Some(fault) => bail!("{}: {}", path.display(), self.line(fault)),
            None => Ok(()),
        }
    }

    fn line(&self, fault: &Fault) -> String {
        let text = |refusal| self.words.refusal(self.language, refusal, "");
        let mend = fault.suggestion.as_ref().map(|mend| format!(" {}", text(mend))).unwrap_or_default();
        format!("{}: {} {}{mend}", fault.row, fault.shown, text(&fault.reason))
    }

    /// Prints the first faults of a file and how many there are.
    fn faults(&self, path: &Path, faults: &[String], rows: usize) {
        if faults.is_empty() {
            return;
        }
        say(format!("{}: {} of {rows} rows were not taken", path.display(), faults.len()));
        for line in faults.iter().take(super::MOST_PRINTED) {
            say(line);
        }
    }
}

fn rows(
    path: &Path,
    sheet: &mut Sheet,
    telling: &Telling<'_>,
    mut each: impl FnMut(&Record) -> Vec<Fault>,
) -> anyhow::Result<()> {
    let (mut record, mut count, mut faulty) = (Record::new(), 0, Vec::new());
    while sheet.next(&mut record).map_err(|refusal| {
        anyhow!("{}: {}", path.display(), telling.words.refusal(telling.language, &refusal, ""))
    })? {
        count += 1;
        faulty.extend(each(&record).iter().find(|fault| fault.is_error()).map(|fault| telling.line(fault)));
    }
    telling.faults(path, &faulty, count);
    Ok(())
}

impl Around {
    pub(super) fn person(&self, person: u64) -> Option<&KnownPerson> {
        self.people.get(&person)
    }

    pub(super) fn institution(&self, code: &str) -> Option<&KnownInstitution> {
        self.institutions.get(code)
    }

    /// The household of a person, as the register has it.
    pub(super) fn household(&self, person: u64) -> Option<u64> {
        self.people.get(&person)?.household
    }

    /// Those members of a household, by the register, that have an opening.
    pub(super) fn opened_members(&self, household: u64) -> &[u64] {
        self.opened.get(&household).map_or(&[], Vec::as_slice)
    }

    /// The year of a person as the opening file has it.
    pub(super) fn opening(&self, person: u64, of_year: i32, policy: &Policy) -> YearAccumulators {
        let mut year = YearAccumulators::NONE;
        for (column, value) in self.openings.get(&(person, of_year)).into_iter().flatten() {
            if let Some(name) = self.opening_names.get(usize::from(*column)) {
                // An accumulator of another place's policy has no meaning here.
                let _ = policy.set_accumulator(&mut year, name, *value);
            }
        }
        year
    }

    /// Reads the register: the same file that the import takes.
    pub(super) fn read_people(
        &mut self,
        path: &Path,
        release: &Release,
        telling: &Telling<'_>,
    ) -> anyhow::Result<()> {
        let mut sheet = open(path, &REGISTER, None).map_err(|error| telling.refuse(path, &error))?;
        let context = RegisterContext {
            scope: DivisionCode::COUNTRY,
            today: SystemClock.today(),
            source: path.display().to_string(),
        };
        let matching = Arc::new(sheet.matching().clone());
        let mut parser = RegisterParser::new(matching, Divisions::shipped(), context);
        telling.head(path, &parser.header_faults())?;
        rows(path, &mut sheet, telling, |record| {
            let (parsed, faults) = parser.parse(record);
            if let Parsed::Row(row) = parsed
                && let Some(number) = &row.id_number
            {
                let known = self.people.entry(person_of(number.as_str())).or_insert_with(|| KnownPerson {
                    home: row.home,
                    birth: row.birth,
                    sex: row.sex,
                    insured: row.enrolment != Some(Enrolment::NotEnrolled),
                    household: row.household.number.as_ref().map(|number| {
                        // A number is unique in its village.
                        hash_of((row.household.place, number.as_str()))
                    }),
                    labels: Vec::new(),
                });
                known.labels.extend(row.labels.iter().filter_map(|interval| label_of(interval, release)));
            }
            faults
        })
    }

    /// Reads the list of institutions: the same file that the import takes.
    pub(super) fn read_institutions(
        &mut self,
        path: &Path,
        release: &Release,
        telling: &Telling<'_>,
    ) -> anyhow::Result<()> {
        let mut sheet = open(path, &INSTITUTIONS, None).map_err(|error| telling.refuse(path, &error))?;
        telling.head(path, &sheet.header_faults())?;
        let matching = Arc::new(sheet.matching().clone());
        let mut parser = InstitutionParser::new(matching, Divisions::shipped(), DivisionCode::COUNTRY);
        rows(path, &mut sheet, telling, |record| {
            let (parsed, faults) = parser.parse(record);
            if let ParsedInstitution::Row(row) = parsed {
                let capabilities = row.body.capabilities.iter();
                let designations = capabilities.filter_map(|one| release.vocabulary().designation(one.key()));
                let known = KnownInstitution {
                    place: row.place,
                    tier: InstitutionTier::from_name(row.body.tier.key()).unwrap_or(InstitutionTier::County),
                    grade: InstitutionGrade::from_name(row.body.grade.key())
                        .unwrap_or(InstitutionGrade::Ungraded),
                    kind: InstitutionKind::from_name(row.body.kind.key()).unwrap_or(InstitutionKind::Other),
                    designations: designations.fold(0, |bits, bit| bits | bit),
                };
                self.institutions.insert(row.body.code.clone(), known);
            }
            faults
        })
    }

    fn open(&mut self, person: u64, of_year: i32, used: Vec<(u16, Fen)>) {
        self.openings.insert((person, of_year), used);
        if let Some(household) = self.household(person) {
            let members = self.opened.entry(household).or_default();
            if !members.contains(&person) {
                members.push(person);
            }
        }
    }

    /// Reads what people have used up: a row a person and year, a column an accumulator of any pack.
    pub(super) fn read_openings(
        &mut self,
        path: &Path,
        release: &Release,
        telling: &Telling<'_>,
    ) -> anyhow::Result<()> {
        let schema = opening_columns(release);
        let columns = accumulator_columns(&schema);
        let mut sheet = open(path, &schema, None).map_err(|error| telling.refuse(path, &error))?;
        telling.head(path, &sheet.header_faults())?;
        let matching = sheet.matching().clone();
        let (id, year) =
            (matching.slot("id_number").context("id_number")?, matching.slot("year").context("year")?);
        let slots: Vec<_> = columns.iter().map(|column| matching.slot(column.key)).collect();
        self.opening_names = columns.iter().map(|column| column.key).collect();
        rows(path, &mut sheet, telling, |record| {
            let mut cells = Cells::new(&matching, record);
            let person = cells.required(id, read::id_number).map(|number| person_of(number.as_str()));
            let of_year = cells.required(year, |text| read::whole(text, 2000..=2199));
            let mut values = Vec::new();
            for (column, slot) in slots.iter().enumerate() {
                let Some(slot) = *slot else { continue };
                let value = match columns[column].format == Format::Whole {
                    true => cells.optional(slot, |text| read::whole(text, 0..=366)).map(Fen),
                    false => cells.optional(slot, read::amount),
                };
                values.extend(value.map(|value| (column as u16, value)));
            }
            if let (Some(person), Some(of_year), false) = (person, of_year, cells.has_errors()) {
                self.open(person, of_year as i32, values);
            }
            cells.into_faults()
        })
    }
}

fn label_of(interval: &LabelInterval, release: &Release) -> Option<(LabelSet, Day, Day)> {
    let set = release.vocabulary().label(interval.label.key())?;
    Some((set, interval.from.unwrap_or(Day(i32::MIN)), interval.to.unwrap_or(Day(i32::MAX))))
}
