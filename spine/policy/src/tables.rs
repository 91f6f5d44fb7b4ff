//! The dated tables of all packs besides their benefits (watch lines, diseases, treatment first, income, insurance year): found by
//! place and day, and the cases that say what must be found.

mod kind;

use std::sync::Arc;

use kangmai_base::{Day, DivisionCode, Fen};

use crate::cases::read_labels;
use crate::dated::{Period, check_coverage};
use crate::fields::{At, Fields};
use crate::insurance_year::YearTable;
use crate::source::{PackError, Spot};
use crate::vocabulary::Vocabulary;
use crate::words::Word;
use crate::{
    AgreementRules, CostWindow, DiseaseCaps, DiseaseTable, Icd10, IncomeKind, IncomeLine, InstitutionKind,
    InstitutionTier, InsuranceYear, InterfaceCodes, LabelSet, LineRules, OwnCost, Premium, PremiumAid,
    PremiumDue, PushRhythm, RecordRules, RedTrigger, ReferralRules, Resident, Rounding, SubsidyTable,
    Threshold, TreatFirstRules, TreatFirstWhyNot, WatchGroup, WatchRules,
};
use crate::{disease_caps, premiums, subsidies};

pub(crate) use kind::TableKind;

/// Something that holds at a place for a time.
#[derive(Debug, Clone)]
struct Placed<T> {
    path: Arc<str>,
    place: DivisionCode,
    period: Period,
    value: T,
}

/// All tables of a release.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tables {
    watch: Vec<Placed<WatchRules>>,
    diseases: Vec<Placed<DiseaseTable>>,
    treat_first: Vec<Placed<TreatFirstRules>>,
    lines: Vec<Placed<LineRules>>,
    interface: Vec<Placed<InterfaceCodes>>,
    income: Vec<(Arc<str>, IncomeLine)>,
    years: Vec<YearTable>,
    premiums: Vec<(Arc<str>, Premium)>,
    premium_aids: Vec<(Arc<str>, PremiumAid)>,
    subsidies: Vec<Placed<SubsidyTable>>,
    disease_caps: Vec<Placed<DiseaseCaps>>,
    records: Vec<Placed<RecordRules>>,
    referral: Vec<Placed<ReferralRules>>,
    agreements: Vec<Placed<AgreementRules>>,
    cases: Vec<(DivisionCode, TableCase)>,
}

/// A case of one table.
#[derive(Debug, Clone)]
pub(crate) struct TableCase {
    pub(crate) name: String,
    pub(crate) kind: TableKind,
    pub(crate) given: Question,
    /// The codes that it is asked for, one by one; one unknown code where the table knows none.
    diagnoses: Vec<Icd10>,
    expect: Vec<(&'static str, String)>,
    pub(crate) spot: Spot,
}

/// What a table is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Question {
    pub(crate) day: Day,
    pub(crate) place: Option<DivisionCode>,
    pub(crate) institution: Option<DivisionCode>,
    pub(crate) labels: LabelSet,
    pub(crate) insured: bool,
    pub(crate) tier: InstitutionTier,
    pub(crate) kind: InstitutionKind,
    pub(crate) designations: u32,
    /// How many cases of what is paid by the case.
    pub(crate) cases: u32,
    pub(crate) diagnosis: Icd10,
    pub(crate) age: Option<u8>,
    pub(crate) income: IncomeKind,
    pub(crate) year: i32,
    /// The income figures of this year, the last and the one before, where a line is to be told without those that
    /// the packs have.
    pub(crate) incomes: Option<[Fen; 3]>,
}

/// What a table answers, by name.
pub(crate) type Answers = Vec<(&'static str, String)>;

pub(crate) fn depth(place: DivisionCode) -> u8 {
    place.level().map_or(0, |level| level as u8 + 1)
}

fn innermost<T>(all: &[Placed<T>], place: DivisionCode, day: Day) -> Option<&T> {
    innermost_placed(all, place, day).map(|placed| &placed.value)
}

fn innermost_placed<T>(all: &[Placed<T>], place: DivisionCode, day: Day) -> Option<&Placed<T>> {
    let fits = |placed: &&Placed<T>| placed.place.contains(place) && placed.period.contains(day);
    all.iter().filter(fits).max_by_key(|placed| depth(placed.place))
}

impl Tables {
    pub(crate) fn watch_rules(&self, place: DivisionCode, day: Day) -> Option<&WatchRules> {
        innermost(&self.watch, place, day)
    }

    pub(crate) fn disease_table(&self, place: DivisionCode, day: Day) -> Option<&DiseaseTable> {
        innermost(&self.diseases, place, day)
    }

    pub(crate) fn treat_first(&self, place: DivisionCode, day: Day) -> Option<&TreatFirstRules> {
        innermost(&self.treat_first, place, day)
    }

    /// With the file that they stand in.
    pub(crate) fn lines(&self, place: DivisionCode, day: Day) -> Option<(&str, &LineRules)> {
        innermost_placed(&self.lines, place, day).map(|placed| (&*placed.path, &placed.value))
    }

    pub(crate) fn interface(&self, place: DivisionCode, day: Day) -> Option<&InterfaceCodes> {
        innermost(&self.interface, place, day)
    }

    /// The insurance years of the innermost place that says anything of them.
    pub(crate) fn years_at(&self, place: DivisionCode) -> Option<&YearTable> {
        let fits = |table: &&YearTable| table.place.contains(place);
        self.years.iter().filter(fits).max_by_key(|table| depth(table.place))
    }

    pub(crate) fn insurance_year(&self, place: DivisionCode, day: Day) -> InsuranceYear {
        let calendar = || InsuranceYear::calendar(day.year());
        self.years_at(place).map_or_else(calendar, |table| table.of_day(day))
    }

    /// Whether any place has other insurance years than the calendar's.
    pub(crate) fn has_years(&self) -> bool {
        !self.years.is_empty()
    }

    pub(crate) fn income_line(
        &self,
        place: DivisionCode,
        kind: IncomeKind,
        year: i32,
    ) -> Option<&IncomeLine> {
        let fits = |line: &&IncomeLine| line.kind == kind && line.year <= year && line.place.contains(place);
        let lines = self.income.iter().map(|(_, line)| line);
        lines.filter(fits).max_by_key(|line| (depth(line.place), line.year, line.from))
    }

    pub(crate) fn threshold(
        &self,
        threshold: Threshold,
        place: DivisionCode,
        year: i32,
    ) -> Option<(Fen, Option<&IncomeLine>)> {
        match threshold {
            Threshold::Amount(amount) => Some((amount, None)),
            Threshold::OfIncome { kind, years_before, rate } => {
                let line = self.income_line(place, kind, year - years_before)?;
                Some((rate.of(line.amount), Some(line)))
            }
        }
    }

    pub(crate) fn premium(&self, place: DivisionCode, year: i32) -> Option<&Premium> {
        premiums::premium_of(self.premiums.iter().map(|(_, premium)| premium), place, year)
    }

    pub(crate) fn premium_aids(&self, place: DivisionCode, year: i32) -> Vec<&PremiumAid> {
        premiums::aids_of(self.premium_aids.iter().map(|(_, aid)| aid), place, year)
    }

    pub(crate) fn premium_due(
        &self,
        place: DivisionCode,
        year: i32,
        labels: LabelSet,
    ) -> Option<PremiumDue<'_>> {
        let aid = self.premium_aid(place, year, labels);
        self.premium(place, year).map(|premium| premiums::due(premium, aid))
    }

    fn premium_aid(&self, place: DivisionCode, year: i32, labels: LabelSet) -> Option<&PremiumAid> {
        self.premium_aids(place, year).into_iter().find(|aid| aid.labels.meets(labels))
    }

    pub(crate) fn subsidies(&self, place: DivisionCode, day: Day) -> Option<&SubsidyTable> {
        innermost(&self.subsidies, place, day)
    }

    pub(crate) fn disease_caps(&self, place: DivisionCode, day: Day) -> Option<&DiseaseCaps> {
        innermost(&self.disease_caps, place, day)
    }

    pub(crate) fn agreements(&self, place: DivisionCode, day: Day) -> Option<&AgreementRules> {
        innermost(&self.agreements, place, day)
    }

    pub(crate) fn records(&self, place: DivisionCode, day: Day) -> Option<&RecordRules> {
        innermost(&self.records, place, day)
    }

    pub(crate) fn referral(&self, place: DivisionCode, day: Day) -> Option<&ReferralRules> {
        innermost(&self.referral, place, day)
    }

    pub(crate) fn has_disease_caps(&self) -> bool {
        !self.disease_caps.is_empty()
    }

    /// Reports what only all files together can tell: a cap for a disease that is in no list of its place.
    pub(crate) fn check(&self, mut push: impl FnMut(PackError)) {
        for caps in &self.disease_caps {
            let diseases = self.disease_table(caps.place, caps.period.from);
            let major = diseases.map(|table| table.major.as_slice()).unwrap_or_default();
            let known: Vec<&str> = major.iter().map(|disease| disease.id.as_str()).collect();
            caps.value.check(&known, &mut push);
        }
    }

    /// Places that have an income figure.
    pub(crate) fn places_with_income(&self) -> impl Iterator<Item = DivisionCode> {
        self.income.iter().map(|(_, line)| line.place)
    }

    /// All cases, each with the place of its pack.
    pub(crate) fn cases(&self) -> &[(DivisionCode, TableCase)] {
        &self.cases
    }

    /// The tables of all files but one, without their cases.
    pub(crate) fn without(&self, path: &str) -> Tables {
        fn others<T: Clone>(all: &[Placed<T>], path: &str) -> Vec<Placed<T>> {
            all.iter().filter(|placed| *placed.path != *path).cloned().collect()
        }
        Tables {
            watch: others(&self.watch, path),
            diseases: others(&self.diseases, path),
            treat_first: others(&self.treat_first, path),
            lines: others(&self.lines, path),
            interface: others(&self.interface, path),
            income: self.income.iter().filter(|(file, _)| **file != *path).cloned().collect(),
            years: self.years.iter().filter(|table| *table.path != *path).cloned().collect(),
            premiums: self.premiums.iter().filter(|(file, _)| **file != *path).cloned().collect(),
            premium_aids: self.premium_aids.iter().filter(|(file, _)| **file != *path).cloned().collect(),
            subsidies: others(&self.subsidies, path),
            disease_caps: others(&self.disease_caps, path),
            records: others(&self.records, path),
            referral: others(&self.referral, path),
            agreements: others(&self.agreements, path),
            cases: Vec::new(),
        }
    }

    /// Takes in one file.
    pub(crate) fn read(
        &mut self,
        kind: TableKind,
        fields: &Fields<'_>,
        (path, place): (&str, DivisionCode),
        vocabulary: &Vocabulary,
    ) {
        let path: Arc<str> = path.into();
        let cases = fields.tables("case");
        let read = cases.iter().flat_map(|table| TableCase::read(table, kind, vocabulary));
        self.cases.extend(read.map(|case| (place, case)));
        match kind {
            TableKind::Income => {
                let lines = IncomeLine::read_all(fields, place);
                self.income.extend(lines.into_iter().map(|line| (Arc::clone(&path), line)));
            }
            TableKind::InsuranceYear => self.years.extend(YearTable::read(fields, (path, place))),
            TableKind::Watch => {
                let read = |table: &Fields<'_>| WatchRules::read(table, vocabulary);
                self.watch.extend(read_placed(fields, (&path, place), read, |rules| rules.period));
            }
            TableKind::Diseases => {
                let read = |table: &Fields<'_>| DiseaseTable::read(table);
                self.diseases.extend(read_placed(fields, (&path, place), read, |table| table.period));
            }
            TableKind::Lines => {
                let read = |table: &Fields<'_>| LineRules::read(table);
                self.lines.extend(read_placed(fields, (&path, place), read, |rules| rules.period));
            }
            TableKind::Premiums => {
                let (premiums, aids) = premiums::read(fields, place, vocabulary);
                self.premiums.extend(premiums.into_iter().map(|premium| (Arc::clone(&path), premium)));
                self.premium_aids.extend(aids.into_iter().map(|aid| (Arc::clone(&path), aid)));
            }
            TableKind::Subsidies => {
                let read = |table: &Fields<'_>| SubsidyTable::read(table, vocabulary);
                self.subsidies.extend(read_placed(fields, (&path, place), read, |table| table.period));
            }
            TableKind::DiseaseCaps => {
                let read = |table: &Fields<'_>| DiseaseCaps::read(table);
                self.disease_caps.extend(read_placed(fields, (&path, place), read, |caps| caps.period));
            }
            TableKind::Records => {
                let read = |table: &Fields<'_>| RecordRules::read(table);
                self.records.extend(read_placed(fields, (&path, place), read, |rules| rules.period));
            }
            TableKind::Referral => {
                let read = |table: &Fields<'_>| ReferralRules::read(table);
                self.referral.extend(read_placed(fields, (&path, place), read, |rules| rules.period));
            }
            TableKind::Agreements => {
                let read = |table: &Fields<'_>| AgreementRules::read(table, vocabulary);
                self.agreements.extend(read_placed(fields, (&path, place), read, |rules| rules.period));
            }
            TableKind::Interface => {
                let read = |table: &Fields<'_>| InterfaceCodes::read(table);
                self.interface.extend(read_placed(fields, (&path, place), read, |codes| codes.period));
            }
            TableKind::TreatFirst => {
                let read = |table: &Fields<'_>| TreatFirstRules::read(table, vocabulary);
                self.treat_first.extend(read_placed(fields, (&path, place), read, |rules| rules.period));
            }
        }
    }

    /// What the innermost table of `kind` answers; `home` is where a question plays that names no place.
    pub(crate) fn answer(&self, kind: TableKind, home: DivisionCode, asked: &Question) -> Answers {
        let place = asked.place.unwrap_or(home);
        match kind {
            TableKind::Premiums => {
                let (year, labels) = (asked.year, asked.labels);
                let aid = self.premium_aid(place, year, labels);
                premiums::answers(self.premium_due(place, year, labels), aid)
            }
            TableKind::Subsidies => match self.subsidies(place, asked.day) {
                Some(table) => table.answers(asked.kind, asked.designations, asked.cases),
                None => vec![("in_force", false.to_string())],
            },
            TableKind::DiseaseCaps => match self.disease_caps(place, asked.day) {
                Some(caps) => {
                    let diseases = self.disease_table(place, asked.day);
                    let disease =
                        diseases.and_then(|table| table.major_for(asked.diagnosis, asked.age, asked.year));
                    disease_caps::answers(caps, disease.map(|disease| disease.id.as_str()))
                }
                None => vec![("in_force", false.to_string())],
            },
            TableKind::Records => or_none(self.records(place, asked.day).map(RecordRules::answers)),
            TableKind::Referral => or_none(self.referral(place, asked.day).map(ReferralRules::answers)),
            TableKind::Agreements => match self.agreements(place, asked.day) {
                Some(rules) => {
                    let diagnoses = [asked.diagnosis];
                    let (labels, age) = (asked.labels, asked.age);
                    rules.answers(&Resident { diagnoses: &diagnoses, labels, age, sex: None })
                }
                None => vec![("in_force", false.to_string())],
            },
            TableKind::Watch => match self.watch_rules(place, asked.day) {
                Some(rules) => self.answer_watch(rules, place, asked),
                None => vec![("in_force", false.to_string())],
            },
            TableKind::Diseases => match self.disease_table(place, asked.day) {
                Some(table) => answer_diseases(table, asked),
                None => vec![("in_force", false.to_string())],
            },
            TableKind::TreatFirst => match self.treat_first(place, asked.day) {
                Some(rules) => answer_treat_first(rules, place, asked),
                None => vec![("in_force", false.to_string())],
            },
            TableKind::Lines => match self.lines(place, asked.day).map(|(_, rules)| rules) {
                Some(rules) => answer_lines(rules),
                None => vec![("in_force", false.to_string())],
            },
            TableKind::Interface => match self.interface(place, asked.day) {
                Some(codes) => codes.answers(),
                None => vec![("in_force", false.to_string())],
            },
            TableKind::InsuranceYear => {
                let InsuranceYear { label, first, last } = self.insurance_year(place, asked.day);
                vec![("year", label.to_string()), ("first", first.to_string()), ("last", last.to_string())]
            }
            TableKind::Income => {
                let line = self.income_line(place, asked.income, asked.year);
                let from = line.and_then(|line| line.from);
                vec![
                    ("amount", line.map_or_else(none, |line| line.amount.to_string())),
                    ("of_year", line.map_or_else(none, |line| line.year.to_string())),
                    ("from", from.map_or_else(none, |from| from.to_string())),
                ]
            }
        }
    }

    fn answer_watch(&self, rules: &WatchRules, place: DivisionCode, asked: &Question) -> Answers {
        let group = rules.group_for(asked.labels);
        let line_of = |group: Option<&WatchGroup>| match (group?.threshold, asked.incomes) {
            (Threshold::OfIncome { years_before, rate, .. }, Some(incomes)) => {
                let before = usize::try_from(years_before).ok()?;
                incomes.get(before).map(|income| (rate.of(*income), None))
            }
            (threshold, _) => self
                .threshold(threshold, place, asked.day.year())
                .map(|(line, income)| (line, income.map(|income| income.year))),
        };
        let line = line_of(group);
        let amount = |line: Option<Fen>| line.map_or_else(none, |line| line.to_string());
        let share = |rate: kangmai_base::Rate| amount(line.map(|(line, _)| rate.of(line)));
        let income = line.and_then(|(_, year)| year);
        let recognition = rules.recognition.as_ref();
        let levels = &rules.levels;
        let red: Vec<&str> = levels.red_with.iter().map(|trigger| trigger_name(*trigger)).collect();
        let push_to: Vec<&str> = rules.push_to.iter().map(|name| name.zh.as_str()).collect();
        let window =
            |group: Option<&WatchGroup>| group.map_or_else(none, |group| window_name(group).to_owned());
        let cost = |group: Option<&WatchGroup>| group.map_or_else(none, |group| cost_name(group).to_owned());
        let push = |group: &WatchGroup| match group.push {
            PushRhythm::EveryDays(days) => days.to_string(),
            PushRhythm::Monthly => "monthly".to_owned(),
        };
        vec![
            ("in_force", true.to_string()),
            ("rules", rules.name.zh.clone()),
            ("group", group.map_or_else(none, |group| group.id.clone())),
            ("line", amount(line.map(|(line, _)| line))),
            ("income_year", income.map_or_else(none, |year| year.to_string())),
            ("push_every_days", group.map_or_else(none, push)),
            ("window", window(group)),
            ("own_cost", cost(group)),
            ("yellow_over", share(levels.yellow_from)),
            ("orange_over", share(levels.orange_from)),
            ("red_with", red.join(", ")),
            ("repeated_admissions", levels.repeated_admissions.to_string()),
            ("recognition_line", amount(line_of(recognition).map(|(line, _)| line))),
            ("recognition_window", window(recognition)),
            ("recognition_own_cost", cost(recognition)),
            ("recognition_months", rules.recognition_months.to_string()),
            ("home_check_days", rules.clock.home_check_days.to_string()),
            ("decision_days", rules.clock.decision_days.to_string()),
            ("notice_days", rules.clock.notice_days.to_string()),
            ("working_days", rules.clock.working_days.to_string()),
            ("households", rules.households.to_string()),
            ("push_to", push_to.join(", ")),
        ]
    }
}

/// What a table answers, or that none is in force.
fn or_none(answers: Option<Answers>) -> Answers {
    answers.unwrap_or_else(|| vec![("in_force", false.to_string())])
}

fn none() -> String {
    "none".to_owned()
}

const fn trigger_name(trigger: RedTrigger) -> &'static str {
    match trigger {
        RedTrigger::MajorDisease => "major_disease",
        RedTrigger::RepeatedAdmission => "repeated_admission",
        RedTrigger::LostEarner => "lost_earner",
    }
}

const fn window_name(group: &WatchGroup) -> &'static str {
    match group.window {
        CostWindow::YearToDate => "year_to_date",
        CostWindow::Rolling12Months => "rolling_12_months",
    }
}

const fn cost_name(group: &WatchGroup) -> &'static str {
    match group.own_cost {
        OwnCost::Compliant => "compliant",
        OwnCost::All => "all",
    }
}

fn answer_diseases(table: &DiseaseTable, asked: &Question) -> Answers {
    let major = table.major_for(asked.diagnosis, asked.age, asked.year);
    let chronic = table.chronic_for(asked.diagnosis, asked.age);
    let needs = major.and_then(|disease| disease.rule.needs.clone());
    vec![
        ("in_force", true.to_string()),
        ("major", major.map_or_else(none, |disease| disease.id.clone())),
        ("chronic", chronic.map_or_else(none, |disease| disease.id.clone())),
        ("severe", table.is_severe(asked.diagnosis, asked.age).to_string()),
        ("sensitive", table.sensitive_level(asked.diagnosis).to_string()),
        ("needs", needs.unwrap_or_else(none)),
    ]
}

fn answer_lines(rules: &LineRules) -> Answers {
    let (mode, unit) = match rules.rounding {
        Rounding::HalfUp(unit) => ("half_up", unit),
        Rounding::Down(unit) => ("down", unit),
        Rounding::Up(unit) => ("up", unit),
    };
    vec![
        ("in_force", true.to_string()),
        ("round", format!("{mode} {}", Fen(unit))),
        ("at", if rules.at_line { "line" } else { "bill" }.to_owned()),
        ("class_b_own_share", rules.class_b_own_share.map_or_else(none, |rate| rate.to_string())),
    ]
}

fn answer_treat_first(rules: &TreatFirstRules, home: DivisionCode, asked: &Question) -> Answers {
    let institution = asked.institution.unwrap_or(home);
    let entitled = match rules.entitled(asked.labels, asked.insured, home, asked.tier, institution) {
        Ok(()) => "yes",
        Err(TreatFirstWhyNot::NoLabel) => "no_label",
        Err(TreatFirstWhyNot::NotTier) => "not_tier",
        Err(TreatFirstWhyNot::NotPlace) => "not_place",
        Err(TreatFirstWhyNot::Uninsured) => "uninsured",
    };
    let mut answers = vec![
        ("in_force", true.to_string()),
        ("entitled", entitled.to_owned()),
        ("conditions", rules.conditions.len().to_string()),
        ("instalments", rules.instalments.is_some().to_string()),
    ];
    answers.extend(rules.pay_later_answers());
    answers
}

fn read_placed<T>(
    fields: &Fields<'_>,
    (path, place): (&Arc<str>, DivisionCode),
    read: impl Fn(&Fields<'_>) -> Option<T>,
    period: impl Fn(&T) -> Period,
) -> Vec<Placed<T>> {
    let tables = fields.some_tables("version");
    let all: Vec<(Placed<T>, Spot)> = tables
        .iter()
        .filter_map(|table| read(table).map(|value| (value, table.spot())))
        .map(|(value, spot)| (Placed { path: Arc::clone(path), place, period: period(&value), value }, spot))
        .collect();
    let gaps = crate::Gap::read_all(fields);
    fields.finish();
    let periods = all.iter().map(|(placed, spot)| (placed.period, spot.clone()));
    check_coverage(
        fields,
        periods.chain(gaps.iter().map(|(gap, spot)| (gap.period, spot.clone()))).collect(),
    );
    all.into_iter().map(|(placed, _)| placed).collect()
}

impl Question {
    /// On `day`, of an insured adult without labels at a county institution.
    pub(crate) fn on(day: Day) -> Question {
        Question {
            day,
            place: None,
            institution: None,
            labels: LabelSet::NONE,
            insured: true,
            tier: InstitutionTier::County,
            kind: InstitutionKind::Hospital,
            designations: 0,
            cases: 1,
            diagnosis: Icd10::UNKNOWN,
            age: None,
            income: IncomeKind::RuralDisposable,
            year: day.year(),
            incomes: None,
        }
    }
}

impl Question {
    fn read(given: &Fields<'_>, day: Day, vocabulary: &Vocabulary) -> (Question, Vec<Icd10>) {
        let mut asked = Question::on(day);
        asked.year = given.whole_maybe("year").map_or(asked.year, |year| year.value as i32);
        asked.place = given.place_maybe("place").map(|place| place.value);
        asked.institution = given.place_maybe("institution_place").map(|place| place.value);
        asked.labels = read_labels(given, "labels", vocabulary).unwrap_or(LabelSet::NONE);
        asked.insured = given.flag_maybe("insured").unwrap_or(true);
        let tier = given.text_maybe("tier");
        asked.tier =
            given.chosen(tier, InstitutionTier::NAMES, InstitutionTier::from_name).unwrap_or(asked.tier);
        let kind = given.text_maybe("kind");
        asked.kind =
            given.chosen(kind, InstitutionKind::NAMES, InstitutionKind::from_name).unwrap_or(asked.kind);
        asked.designations = subsidies::read_designations(given, vocabulary);
        let cases = given.whole_maybe("cases").and_then(|cases| u32::try_from(cases.value).ok());
        asked.cases = cases.unwrap_or(asked.cases);
        asked.age = given.whole_maybe("age").and_then(|age| u8::try_from(age.value).ok());
        let income = given.text_maybe("income");
        asked.income = given.chosen(income, IncomeKind::NAMES, IncomeKind::from_name).unwrap_or(asked.income);
        if let Some(texts) = given.texts_maybe("incomes") {
            let incomes: Vec<Fen> = given.parse_all(texts, Word::ErrNotAnAmount, Word::MendAmount);
            asked.incomes = <[Fen; 3]>::try_from(incomes).ok();
            if asked.incomes.is_none() {
                given.push(given.spot().error(Word::ErrIncomes, Word::MendIncomes));
            }
        }
        let codes: Vec<At<&str>> = given.texts_maybe("diagnosis").unwrap_or_default();
        let mut diagnoses = given.parse_all(codes, Word::ErrNotACode, Word::MendCode);
        if diagnoses.is_empty() {
            diagnoses.push(Icd10::UNKNOWN);
        }
        given.finish();
        (asked, diagnoses)
    }
}

impl TableCase {
    /// The cases of one `[[case]]`: one for each date and each of its points.
    fn read(fields: &Fields<'_>, kind: TableKind, vocabulary: &Vocabulary) -> Vec<TableCase> {
        let name = fields.text("name").map_or("", |name| name.value);
        let days = fields.days("date");
        let points = fields.tables("points");
        let mut cases = Vec::new();
        let mut take = |given: &Fields<'_>, wanted: &Fields<'_>, spot: Spot| {
            let answers = kind.answers().iter();
            let expect: Vec<(&str, String)> =
                answers.filter_map(|key| wanted.said(key).map(|value| (*key, value))).collect();
            if expect.is_empty() {
                let error = wanted.spot().error(Word::ErrEmptyList, Word::MendList);
                wanted.push(error.with("key", "expect").with("list", kind.answers().join(", ")));
            }
            for day in &days {
                let (given, diagnoses) = Question::read(given, *day, vocabulary);
                let (name, expect, spot) = (name.to_owned(), expect.clone(), spot.clone());
                cases.push(TableCase { name, kind, given, diagnoses, expect, spot });
            }
        };
        let given = fields.table_maybe("given");
        if points.is_empty() {
            if let (Some(given), Some(expect)) = (given, fields.table("expect")) {
                take(&given, &expect, fields.spot());
                expect.finish();
            }
        } else {
            for point in &points {
                let table = given.as_ref().unwrap_or(point).overlaid(point);
                let both = point.of(&table);
                take(&both, &both, point.spot());
            }
        }
        fields.finish();
        cases
    }

    /// What of the tables' answers is otherwise than expected.
    pub(crate) fn run(&self, tables: &Tables, home: DivisionCode) -> Vec<String> {
        let mut differences = Vec::new();
        for diagnosis in &self.diagnoses {
            let asked = Question { diagnosis: *diagnosis, ..self.given };
            let found = tables.answer(self.kind, home, &asked);
            for (key, wanted) in &self.expect {
                let answer = found.iter().find(|(name, _)| name == key).map_or("", |(_, answer)| answer);
                if answer != wanted {
                    let code = if diagnosis.is_unknown() { String::new() } else { format!("{diagnosis}: ") };
                    differences.push(format!("{code}{key}: expected {wanted}, found {answer}"));
                }
            }
        }
        differences
    }
}
