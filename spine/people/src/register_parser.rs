//! Turns the rows of a register into typed rows, each with what is wrong with it. Pure: reads no database; knows the
//! rows before, so that a person who stands twice in a file is seen.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use kangmai_base::{Day, DivisionCode, DivisionLevel, IdNumber, IdNumberKind, Refusal};
use kangmai_places::{Division, Divisions};
use kangmai_sheet::{Cells, Fault, Flaw, Matching, Record, Severity, half_width, read};

use crate::label::LabelInterval;
use crate::register::{HouseholdRow, Mark, RegisterRow, Relation};
use crate::register_words::{ENROLMENTS, SEXES, label, relation};

/// The longest name, in characters.
const MAX_NAME_CHARS: usize = 50;
/// The longest number of a household, in characters.
const MAX_HOUSEHOLD_NUMBER_CHARS: usize = 40;
/// The most labels of one row.
const MAX_LABELS: usize = 12;
/// The greatest age that is believed.
const MAX_AGE: i32 = 120;
/// Columns that say where a person is registered: one of them is wanted.
const HOME_COLUMNS: [&str; 4] = ["home_code", "home_path", "township", "village"];
/// Columns in which two rows of one person may differ: one row a label.
const LABEL_COLUMNS: [&str; 4] = ["labels", "labels_from", "labels_to", "labels_source"];

/// What a register is read against.
#[derive(Debug, Clone)]
pub struct RegisterContext {
    /// Everybody must be registered in here; where a row does not say where and this is a village, here.
    pub scope: DivisionCode,
    /// The day of reading: nothing can have happened after it.
    pub today: Day,
    /// Who says so, where the row does not: as a rule the name of the file.
    pub source: String,
}

/// What a row turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Parsed {
    /// A person.
    Row(Box<RegisterRow>),
    /// Word for word a row before: nothing to do.
    Repeat {
        /// That row.
        of_row: u32,
    },
    /// Not taken; the faults say why.
    Faulty,
}

/// Reads the rows of one file in order, however they are handed in; keeps what it must know of the rows before.
#[derive(Debug)]
pub struct RegisterParser {
    matching: Arc<Matching>,
    divisions: &'static Divisions,
    context: RegisterContext,
    /// By identity number (hashed): the row that was taken.
    seen: HashMap<u64, Seen>,
    /// By whole row (hashed), for rows without a number.
    seen_rows: HashMap<u64, u32>,
    /// By place and number of the household (hashed): the row of its head.
    heads: HashMap<u64, u32>,
    /// Places by name, as they were resolved.
    resolved: HashMap<String, Result<DivisionCode, Flaw>>,
}

#[derive(Debug, Clone, Copy)]
struct Seen {
    row: u32,
    name: u64,
    whole: u64,
    without_labels: u64,
}

impl RegisterParser {
    /// Reads the rows of a file whose head is `matching`, a matching of [`crate::REGISTER`].
    pub fn new(
        matching: Arc<Matching>,
        divisions: &'static Divisions,
        context: RegisterContext,
    ) -> RegisterParser {
        RegisterParser {
            matching,
            divisions,
            context,
            seen: HashMap::new(),
            seen_rows: HashMap::new(),
            heads: HashMap::new(),
            resolved: HashMap::new(),
        }
    }

    /// What is wrong with the head. With an error among them no row can be taken.
    pub fn header_faults(&self) -> Vec<Fault> {
        let mut faults = self.matching.faults();
        let says_where = HOME_COLUMNS.iter().any(|key| self.matching.has(key));
        if !says_where && self.context.scope.level() != Some(DivisionLevel::Village) {
            let flaw =
                Flaw::new("people.flaw.no_home_column").mend(Refusal::new("people.mend.no_home_column"));
            faults.push(Fault::of_row(self.matching.row(), Severity::Error, flaw));
        }
        faults
    }

    /// Reads one row.
    pub fn parse(&mut self, record: &Record) -> (Parsed, Vec<Fault>) {
        let matching = Arc::clone(&self.matching);
        let mut cells = Cells::new(&matching, record);
        let row = self.row(&mut cells);
        let Some(row) = row.filter(|_| !cells.has_errors()) else {
            return (Parsed::Faulty, cells.into_faults());
        };
        let earlier = self.compare(&row, record, &mut cells);
        if cells.has_errors() {
            return (Parsed::Faulty, cells.into_faults());
        }
        if let Some(of_row) = earlier {
            return (Parsed::Repeat { of_row }, Vec::new());
        }
        self.watch_heads(&row, &mut cells);
        (Parsed::Row(Box::new(row)), cells.into_faults())
    }

    fn row(&mut self, cells: &mut Cells<'_>) -> Option<RegisterRow> {
        let mut marks = Vec::new();
        let name = cells.required("name", name);
        let id_number = id_number(cells, &mut marks);
        let birth = self.birth(cells, id_number.as_ref(), &mut marks);
        let sex = sex(cells, id_number.as_ref(), &mut marks);
        let died = cells.optional("died", |text| read::past_day(text, self.context.today));
        if let (Some(died), Some(birth)) = (died, birth)
            && died < birth
        {
            cells.error(
                "died",
                Flaw::new("people.flaw.died_before_birth").mend(Refusal::new("people.mend.dates")),
            );
        }
        let home = self.home(cells);
        let living = self.living(cells).filter(|living| Some(*living) != home);
        let phone = match cells.filled("phone").map(read::phone) {
            Some(Ok(phone)) => Some(phone),
            Some(Err(flaw)) => {
                cells.warning("phone", flaw);
                None
            }
            None => None,
        };
        let enrolment = cells.optional("enrolment", |text| read::choice(text, &ENROLMENTS));
        let labels = self.labels(cells);
        let relation = cells.filled("relation").map(relation);
        let number = cells.optional("household_number", |text| read::code(text, MAX_HOUSEHOLD_NUMBER_CHARS));
        let address = cells.optional("address", read::text);
        let annual_income = cells.optional("annual_income", read::amount);
        let this_year = i64::from(self.context.today.year());
        let income_year =
            cells.optional("income_year", |text| read::whole(text.trim_end_matches('年'), 2000..=this_year));
        let ethnicity = cells.optional("ethnicity", |text| Ok(ethnicity(text)));
        let (name, home) = (name?, home?);
        Some(RegisterRow {
            row: cells.row(),
            household: HouseholdRow {
                number,
                place: home,
                address,
                annual_income,
                income_year: income_year.and_then(|year| i32::try_from(year).ok()),
            },
            relation,
            name,
            id_number,
            birth,
            sex,
            ethnicity,
            home,
            living,
            phone,
            enrolment,
            labels,
            died,
            marks,
        })
    }

    /// The birth date of the file, else of the number. A date that cannot be read is an error only where the number does
    /// not tell it.
    fn birth(&self, cells: &mut Cells<'_>, number: Option<&IdNumber>, marks: &mut Vec<Mark>) -> Option<Day> {
        let of_number = number.and_then(IdNumber::birth).filter(|birth| *birth <= self.context.today);
        let read = cells.filled("birth").map(|text| read::past_day(text, self.context.today));
        match (read, of_number) {
            (Some(Err(flaw)), Some(of_number)) => {
                cells.warning("birth", flaw);
                Some(of_number)
            }
            (Some(Err(flaw)), None) => {
                cells.error("birth", flaw);
                None
            }
            (Some(Ok(birth)), of_number) => {
                if self.context.today.age_of(birth) > MAX_AGE {
                    cells.error(
                        "birth",
                        Flaw::new("people.flaw.too_old").mend(Refusal::new("people.mend.dates")),
                    );
                }
                if let Some(of_number) = of_number.filter(|of_number| *of_number != birth) {
                    marks.push(Mark::BirthDiffers);
                    let flaw =
                        Flaw::new("people.flaw.birth_differs").with("of_number", of_number.to_string());
                    cells.warning("birth", flaw.mend(Refusal::new("people.mend.against_card")));
                }
                Some(birth)
            }
            (None, of_number) => of_number,
        }
    }

    /// Where the person is registered: by code, else by names.
    fn home(&mut self, cells: &mut Cells<'_>) -> Option<DivisionCode> {
        if cells.filled("home_code").is_some() {
            let code = cells.optional("home_code", read::division)?;
            return match self.check_home(code) {
                Ok(warning) => {
                    if let Some(flaw) = warning {
                        cells.warning("home_code", flaw);
                    }
                    Some(code)
                }
                Err(flaw) => {
                    cells.error("home_code", flaw);
                    None
                }
            };
        }
        let (key, names) = match cells.filled("home_path") {
            Some(path) => ("home_path", path.to_owned()),
            None => {
                let names: String =
                    ["township", "village"].into_iter().filter_map(|key| cells.filled(key)).collect();
                (if cells.filled("village").is_some() { "village" } else { "township" }, names)
            }
        };
        if names.is_empty() {
            if self.context.scope.level() == Some(DivisionLevel::Village) {
                return Some(self.context.scope);
            }
            cells.error(
                "home_code",
                Flaw::new("people.flaw.no_home").mend(Refusal::new("people.mend.no_home_column")),
            );
            return None;
        }
        let found = match self.resolve(&names) {
            Ok(code) => self.check_home(code).map(|warning| (code, warning)),
            Err(flaw) => Err(flaw),
        };
        match found {
            Ok((code, warning)) => {
                if let Some(flaw) = warning {
                    cells.warning(key, flaw);
                }
                Some(code)
            }
            Err(flaw) => {
                cells.error(key, flaw);
                None
            }
        }
    }

    /// Whether people can be registered at `code`; a warning if only the township is known.
    fn check_home(&self, code: DivisionCode) -> Result<Option<Flaw>, Flaw> {
        let division = self.divisions.existing(code)?;
        if !self.context.scope.contains(code) {
            let scope = self.divisions.get(self.context.scope).map(Division::full_name).unwrap_or_default();
            return Err(Flaw::new("people.flaw.home_outside")
                .with("home", division.full_name())
                .with("scope", scope)
                .mend(Refusal::new("people.mend.home_outside")));
        }
        match code.level() {
            Some(DivisionLevel::Village) => Ok(None),
            Some(DivisionLevel::Township) => Ok(Some(
                Flaw::new("people.flaw.home_is_township")
                    .with("home", division.full_name())
                    .mend(Refusal::new("people.mend.home_is_township")),
            )),
            _ => Err(Flaw::new("people.flaw.home_too_wide")
                .with("home", division.full_name())
                .mend(Refusal::new("people.mend.home_is_township"))),
        }
    }

    fn resolve(&mut self, names: &str) -> Result<DivisionCode, Flaw> {
        if let Some(known) = self.resolved.get(names) {
            return known.clone();
        }
        let found = self.divisions.read_place(names, self.context.scope).map(Division::code);
        self.resolved.insert(names.to_owned(), found.clone());
        found
    }

    /// Where the person lives: anywhere in the country, by code, or by names in the scope.
    fn living(&mut self, cells: &mut Cells<'_>) -> Option<DivisionCode> {
        let text = cells.filled("living")?;
        let found = self.resolve(text).or_else(|flaw| {
            self.divisions.read_place(text, DivisionCode::COUNTRY).map(Division::code).map_err(|_| flaw)
        });
        match found {
            Ok(code) => Some(code),
            Err(flaw) => {
                cells.error("living", flaw);
                None
            }
        }
    }

    fn labels(&self, cells: &mut Cells<'_>) -> Vec<LabelInterval> {
        let Some(text) = cells.filled("labels") else { return Vec::new() };
        let narrow = half_width(text);
        let words: Vec<&str> = narrow
            .split(['、', ',', ';', '/', '|', '+', ' '])
            .map(str::trim)
            .filter(|word| !word.is_empty())
            .collect();
        if words.len() > MAX_LABELS {
            cells.error(
                "labels",
                Flaw::new("people.flaw.too_many_labels").with("limit", MAX_LABELS.to_string()),
            );
            return Vec::new();
        }
        let from = dates(cells, "labels_from", words.len(), |text| read::past_day(text, self.context.today));
        let to = dates(cells, "labels_to", words.len(), read::day);
        let source = cells
            .filled("labels_source")
            .map_or_else(|| self.context.source.clone(), |text| half_width(text).into_owned());
        let mut labels = Vec::new();
        for (index, word) in words.into_iter().enumerate() {
            let label = match label(word) {
                Ok(Some(label)) => label,
                Ok(None) => continue,
                Err(flaw) => {
                    cells.error("labels", flaw);
                    continue;
                }
            };
            let (from, to) = (from.get(index).copied().flatten(), to.get(index).copied().flatten());
            if let (Some(from), Some(to)) = (from, to)
                && to < from
            {
                cells.error(
                    "labels_to",
                    Flaw::new("people.flaw.label_ends_before").mend(Refusal::new("people.mend.dates")),
                );
            }
            let interval = LabelInterval { label, from, to, source: source.clone() };
            if !labels.contains(&interval) {
                labels.push(interval);
            }
        }
        labels
    }

    /// Compares with the rows before. The number of the row that this one repeats word for word, if any.
    fn compare(&mut self, row: &RegisterRow, record: &Record, cells: &mut Cells<'_>) -> Option<u32> {
        let whole = hash_of(record.cells().map(str::trim));
        let Some(number) = &row.id_number else {
            let first = *self.seen_rows.entry(whole).or_insert(row.row);
            return (first != row.row).then_some(first);
        };
        let label_positions: Vec<Option<usize>> = LABEL_COLUMNS
            .iter()
            .map(|key| self.matching.slot(key).and_then(|slot| self.matching.position(slot)))
            .collect();
        let without_labels =
            record.cells().enumerate().filter(|(at, _)| !label_positions.contains(&Some(*at)));
        let this = Seen {
            row: row.row,
            name: hash_of([row.name.as_str()]),
            whole,
            without_labels: hash_of(without_labels.map(|(_, cell)| cell.trim())),
        };
        let first = *self.seen.entry(hash_of([number.as_str()])).or_insert(this);
        if first.row == this.row {
            return None;
        }
        let of_row = first.row.to_string();
        if first.name != this.name {
            let flaw = Flaw::new("people.flaw.id_of_two_names").with("row", of_row);
            cells.error("id_number", flaw.mend(Refusal::new("people.mend.against_card")));
        } else if first.whole == this.whole {
            return Some(first.row);
        } else if first.without_labels != this.without_labels {
            let flaw = Flaw::new("people.flaw.person_twice").with("row", of_row);
            cells.error("id_number", flaw.mend(Refusal::new("people.mend.person_twice")));
        }
        None
    }

    /// Warns of a second head in one household.
    fn watch_heads(&mut self, row: &RegisterRow, cells: &mut Cells<'_>) {
        let (Some(Relation::Head), Some(number)) = (row.relation, &row.household.number) else { return };
        let household = hash_of([number.as_str(), &row.household.place.to_string()]);
        let first = *self.heads.entry(household).or_insert(row.row);
        if first != row.row && row.labels.is_empty() {
            let flaw = Flaw::new("people.flaw.two_heads").with("row", first.to_string());
            cells.warning("relation", flaw.mend(Refusal::new("people.mend.two_heads")));
        }
    }
}

/// A name, half-width, with one kind of dot between the parts of a name of several parts.
fn name(text: &str) -> Result<String, Flaw> {
    let narrow = half_width(text);
    let dotted: String =
        narrow.chars().map(|c| if matches!(c, '•' | '.' | '・' | '‧' | '●') { '·' } else { c }).collect();
    let ascii = dotted.is_ascii();
    let name: String = dotted.chars().filter(|c| ascii || !c.is_whitespace()).collect();
    if name.chars().count() > MAX_NAME_CHARS {
        return Err(Flaw::new("sheet.flaw.too_long").with("limit", MAX_NAME_CHARS.to_string()));
    }
    if name.chars().any(|c| c.is_ascii_digit()) || !name.chars().any(char::is_alphabetic) {
        return Err(Flaw::new("people.flaw.no_name").mend(Refusal::new("people.mend.against_card")));
    }
    Ok(name)
}

/// The number of any kind; its oddities are warnings and marks, never a reason to leave the person out.
fn id_number(cells: &mut Cells<'_>, marks: &mut Vec<Mark>) -> Option<IdNumber> {
    if cells.filled("id_number").is_none() {
        marks.push(Mark::NoIdNumber);
        cells.warning(
            "id_number",
            Flaw::new("people.flaw.no_id_number").mend(Refusal::new("people.mend.no_id_number")),
        );
        return None;
    }
    let number = cells.optional("id_number", read::id_number)?;
    let foreign = cells.filled("id_kind").is_some_and(|kind| !kind.contains("身份证"));
    let of_another_kind = foreign && number.kind() == IdNumberKind::Passport;
    if let Some(flaw) = read::id_oddity(&number).filter(|_| !of_another_kind) {
        marks.push(Mark::OddIdNumber);
        cells.warning("id_number", flaw);
    }
    Some(number)
}

fn sex(cells: &mut Cells<'_>, number: Option<&IdNumber>, marks: &mut Vec<Mark>) -> Option<kangmai_base::Sex> {
    let of_number = number.and_then(IdNumber::sex);
    let Some(sex) = cells.optional("sex", |text| read::choice(text, &SEXES)) else { return of_number };
    if of_number.is_some_and(|of_number| of_number != sex) {
        marks.push(Mark::SexDiffers);
        cells.warning(
            "sex",
            Flaw::new("people.flaw.sex_differs").mend(Refusal::new("people.mend.against_card")),
        );
    }
    Some(sex)
}

/// `汉` and `汉族` are one.
fn ethnicity(text: &str) -> String {
    let narrow = half_width(text);
    if narrow.chars().count() >= 6 || narrow.ends_with('族') || narrow.contains("其他") || narrow.is_ascii()
    {
        narrow.into_owned()
    } else {
        format!("{narrow}族")
    }
}

/// The dates of `count` labels: one for each, or one for all.
fn dates(
    cells: &mut Cells<'_>,
    key: &'static str,
    count: usize,
    read: impl Fn(&str) -> Result<Day, Flaw>,
) -> Vec<Option<Day>> {
    let Some(text) = cells.filled(key) else { return vec![None; count] };
    let narrow = half_width(text);
    let parts: Vec<&str> = narrow.split(['、', ',', ';', '|']).map(str::trim).collect();
    let mut days = Vec::with_capacity(count);
    for part in &parts {
        match part {
            &"" | &"-" | &"/" | &"无" => days.push(None),
            part => match read(part) {
                Ok(day) => days.push(Some(day)),
                Err(flaw) => {
                    cells.error(key, flaw);
                    return vec![None; count];
                }
            },
        }
    }
    match days.as_slice() {
        [one] => vec![*one; count],
        several if several.len() == count => days,
        several => {
            let flaw = Flaw::new("people.flaw.label_dates")
                .with("dates", several.len().to_string())
                .with("labels", count.to_string());
            cells.error(key, flaw.mend(Refusal::new("people.mend.label_dates")));
            vec![None; count]
        }
    }
}

fn hash_of<'t>(texts: impl IntoIterator<Item = &'t str>) -> u64 {
    let mut hasher = DefaultHasher::new();
    for text in texts {
        text.hash(&mut hasher);
    }
    hasher.finish()
}
