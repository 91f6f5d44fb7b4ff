//! Looks for a question that two sets of tables answer differently.

use kangmai_base::{Day, DivisionCode, Fen};
use toml::de::{DeTable, DeValue};

use crate::tables::{Question, TableKind, Tables};
use crate::vocabulary::{InstitutionKind, InstitutionTier, LabelSet, Vocabulary};
use crate::{Icd10, IncomeKind};

/// What a table says, by kind.
#[derive(Default)]
struct Said {
    days: Vec<Day>,
    numbers: Vec<i64>,
    codes: Vec<Icd10>,
}

impl Said {
    fn read(&mut self, table: &DeTable<'_>) {
        for (key, value) in table.iter() {
            if !matches!(key.get_ref().as_ref(), "source" | "name") {
                self.value(key.get_ref(), value.get_ref());
            }
        }
    }

    fn value(&mut self, key: &str, value: &DeValue<'_>) {
        match value {
            DeValue::Table(table) => self.read(table),
            DeValue::Array(items) => items.iter().for_each(|item| self.value(key, item.get_ref())),
            DeValue::Integer(number) => self.numbers.extend(number.as_str().parse::<i64>()),
            DeValue::String(text) if key == "icd10" => {
                let (first, last) = text.split_once('-').unwrap_or((text, text));
                self.codes.extend([first, last].into_iter().filter_map(|code| code.parse::<Icd10>().ok()));
                // A code between the ends of a range.
                let between = first.parse::<Icd10>().ok().and_then(|code| following(&code.to_string()));
                self.codes.extend(between);
            }
            DeValue::String(text) => {
                if let Ok(day) = text.parse::<Day>() {
                    let edge = if key == "to" { day.plus_days(1) } else { day };
                    self.days.extend([edge, edge.plus_days(-1)]);
                }
            }
            _ => {}
        }
    }
}

/// The code after a code of three characters: `C20` after `C19`.
fn following(code: &str) -> Option<Icd10> {
    let (letter, digits) = (code.get(..1)?, code.get(1..3)?);
    format!("{letter}{:02}", digits.parse::<u8>().ok()? + 1).parse().ok()
}

/// The first question found that `changed` answers otherwise than `tables`.
pub(super) fn difference(
    table: &DeTable<'_>,
    kind: TableKind,
    home: DivisionCode,
    (tables, changed): (&Tables, &Tables),
    vocabulary: &Vocabulary,
) -> Option<Question> {
    let mut said = Said::default();
    said.read(table);
    let questions = match kind {
        TableKind::Watch => about_people(&said, vocabulary, &[None, province_of(tables)]),
        TableKind::TreatFirst => about_admission(&said, vocabulary, home),
        TableKind::Diseases => about_diagnoses(&said),
        TableKind::Lines
        | TableKind::Interface
        | TableKind::InsuranceYear
        | TableKind::Records
        | TableKind::Referral => days(&said).into_iter().map(Question::on).collect(),
        TableKind::Income => about_income(&said),
        TableKind::Agreements => about_residents(&said, vocabulary),
        TableKind::Premiums => about_premiums(&said, vocabulary),
        TableKind::Subsidies => about_institutions(&said, vocabulary),
        TableKind::DiseaseCaps => about_caps(&said, tables, home),
    };
    questions.into_iter().find(|asked| tables.answer(kind, home, asked) != changed.answer(kind, home, asked))
}

/// A place that has an income figure, so that lines which are shares of it come to an amount.
fn province_of(tables: &Tables) -> Option<DivisionCode> {
    tables.places_with_income().max_by_key(|place| place.number())
}

fn days(said: &Said) -> Vec<Day> {
    let newest = said.days.iter().max().map(|day| day.plus_months(24));
    newest.into_iter().chain(said.days.iter().copied()).collect()
}

fn about_people(said: &Said, vocabulary: &Vocabulary, places: &[Option<DivisionCode>]) -> Vec<Question> {
    let labels = [LabelSet::NONE].into_iter();
    let labels: Vec<LabelSet> =
        labels.chain(vocabulary.labels.iter().filter_map(|label| vocabulary.label(&label.id))).collect();
    let mut questions = Vec::new();
    for place in places {
        for day in days(said) {
            let asked = Question { place: *place, ..Question::on(day) };
            let incomes = Some([Fen::yuan(30_000), Fen::yuan(20_000), Fen::yuan(10_000)]);
            for asked in [asked, Question { incomes, ..asked }] {
                questions.extend(labels.iter().map(|labels| Question { labels: *labels, ..asked }));
            }
        }
    }
    questions
}

fn about_admission(said: &Said, vocabulary: &Vocabulary, home: DivisionCode) -> Vec<Question> {
    // A county of the place, another of its city, one of another city, one of another province.
    let number = home.number().max(110_000_000_000);
    let here = match (number.is_multiple_of(10_000_000_000), number.is_multiple_of(100_000_000)) {
        (true, _) => number + 101_000_000,
        (false, true) => number + 1_000_000,
        (false, false) => number,
    };
    let elsewhere = [here, here + 1_000_000, here + 100_000_000, here + 10_000_000_000];
    let elsewhere = elsewhere.map(DivisionCode::from_number);
    let mut questions = Vec::new();
    for asked in about_people(said, vocabulary, &[DivisionCode::from_number(here)]) {
        questions.push(asked);
        questions.push(Question { insured: false, ..asked });
        questions.extend(elsewhere.map(|institution| Question { institution, ..asked }));
        questions.extend(InstitutionTier::ALL.iter().map(|tier| Question { tier: *tier, ..asked }));
    }
    questions
}

fn about_diagnoses(said: &Said) -> Vec<Question> {
    let mut questions = Vec::new();
    for day in days(said) {
        for code in &said.codes {
            let asked = Question { diagnosis: *code, ..Question::on(day) };
            questions.push(asked);
            for number in &said.numbers {
                if let Ok(age @ 0..=120) = u8::try_from(*number) {
                    questions.extend([age, age + 1].map(|age| Question { age: Some(age), ..asked }));
                }
                if let Ok(year @ 1_900..=2_100) = i32::try_from(*number) {
                    questions.extend([year - 1, year].map(|year| Question { year, ..asked }));
                }
            }
        }
    }
    questions
}

fn about_residents(said: &Said, vocabulary: &Vocabulary) -> Vec<Question> {
    let mut questions = about_people(said, vocabulary, &[None]);
    questions.extend(about_diagnoses(said));
    for day in days(said) {
        let ages = said.numbers.iter().filter_map(|number| u8::try_from(*number).ok());
        let ages = ages.flat_map(|age| [age.saturating_sub(1), age, age.saturating_add(1)]);
        questions.extend(ages.map(|age| Question { age: Some(age), ..Question::on(day) }));
    }
    questions
}

fn about_income(said: &Said) -> Vec<Question> {
    let years = said.numbers.iter().filter_map(|year| i32::try_from(*year).ok());
    let kinds = [IncomeKind::RuralDisposable, IncomeKind::MonitoringLine, IncomeKind::Disposable];
    let ask = |year: i32| {
        let day = Day::from_ymd(year, 1, 1)?;
        Some(kinds.map(|income| Question { income, year, ..Question::on(day) }))
    };
    years.flat_map(|year| [year, year - 1, year + 1]).filter_map(ask).flatten().collect()
}

fn about_premiums(said: &Said, vocabulary: &Vocabulary) -> Vec<Question> {
    let years = said.numbers.iter().filter_map(|year| i32::try_from(*year).ok());
    let years = years.flat_map(|year| [year, year - 1, year + 1]);
    let labels = vocabulary.labels.iter().filter_map(|label| vocabulary.label(&label.id));
    let labels: Vec<LabelSet> = [LabelSet::NONE].into_iter().chain(labels).collect();
    let ask = |year: i32| Some(Question::on(Day::from_ymd(year, 1, 1)?));
    let with = |asked: Question| labels.iter().map(move |labels| Question { labels: *labels, ..asked });
    years.filter_map(ask).flat_map(with).collect()
}

fn about_institutions(said: &Said, vocabulary: &Vocabulary) -> Vec<Question> {
    let names = vocabulary.designations.iter().filter_map(|one| vocabulary.designation(&one.id));
    let names: Vec<u32> = [0].into_iter().chain(names).collect();
    let mut questions = Vec::new();
    for day in days(said) {
        for kind in InstitutionKind::ALL {
            let asked = Question { kind: *kind, ..Question::on(day) };
            questions.extend(names.iter().map(|name| Question { designations: *name, ..asked }));
        }
    }
    questions
}

fn about_caps(said: &Said, tables: &Tables, home: DivisionCode) -> Vec<Question> {
    let mut questions = Vec::new();
    for day in days(said) {
        let diseases = tables.disease_table(home, day).map(|table| table.major.as_slice());
        let codes = diseases.unwrap_or_default().iter().filter_map(|disease| disease.rule.first_code());
        questions.extend(codes.map(|diagnosis| Question { diagnosis, ..Question::on(day) }));
    }
    questions
}
