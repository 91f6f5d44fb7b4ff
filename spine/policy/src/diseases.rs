//! Which diagnosis belongs to which plan: the major diseases of a place and year, the chronic diseases of signed
//! management, and what is backed up as severe.

use kangmai_base::Sex;

use crate::dated::Period;
use crate::fields::Fields;
use crate::words::Word;
use crate::{Bilingual, Icd10, IcdRange, Source, Sure};

/// What of a plan a diagnosis and an age decide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanRule {
    /// Codes that belong here.
    pub icd10: Vec<IcdRange>,
    /// Oldest age in completed years, if it is a disease of children.
    pub max_age: Option<u8>,
    /// Youngest age.
    pub min_age: Option<u8>,
    /// Only this sex.
    pub sex: Option<Sex>,
    /// What the code cannot tell and a doctor must confirm (`drug_resistant`).
    pub needs: Option<String>,
}

impl PlanRule {
    /// Whether a diagnosis at an age belongs here. An unknown age is let in: a doctor confirms.
    pub fn holds(&self, diagnosis: Icd10, age: Option<u8>) -> bool {
        let fits =
            |age: u8| self.max_age.is_none_or(|max| age <= max) && self.min_age.is_none_or(|min| age >= min);
        self.icd10.iter().any(|range| range.contains(diagnosis)) && age.is_none_or(fits)
    }

    /// The first code that belongs here.
    pub(crate) fn first_code(&self) -> Option<Icd10> {
        self.icd10.first().and_then(|range| range.categories().first().copied())
    }

    fn read(fields: &Fields<'_>) -> PlanRule {
        let age = |key| fields.age_maybe(key);
        let icd10 = fields.parse_all(fields.texts("icd10"), Word::ErrNotACode, Word::MendCode);
        let sex = fields.sex(fields.text_maybe("sex"));
        let needs =
            fields.chosen(fields.text_maybe("needs"), &["drug_resistant"], |name| Some(name.to_owned()));
        PlanRule { icd10, max_age: age("max_age"), min_age: age("min_age"), sex, needs }
    }
}

/// One disease of 大病专项救治.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MajorDisease {
    /// Its number in the list.
    pub number: u8,
    /// Code name.
    pub id: String,
    /// Its name.
    pub name: Bilingual,
    /// The year from which it belongs to the list.
    pub since: i32,
    /// Who and which codes.
    pub rule: PlanRule,
    /// Sensitive level; 5 is never shown in lists, exports, notices or cadre views.
    pub sensitive: u8,
}

/// One disease of signed chronic management.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChronicDisease {
    /// Code name.
    pub id: String,
    /// Its name.
    pub name: Bilingual,
    /// Who and which codes.
    pub rule: PlanRule,
    /// Sensitive level.
    pub sensitive: u8,
}

/// What is backed up as severe when it is neither a major nor a chronic disease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SevereRules {
    /// Which codes.
    pub rule: PlanRule,
    /// How sure.
    pub sure: Sure,
    /// Where from.
    pub source: Source,
}

/// The lists of one place and time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiseaseTable {
    /// When it holds.
    pub period: Period,
    /// How sure.
    pub sure: Sure,
    /// Where from.
    pub source: Source,
    /// The major diseases, by number.
    pub major: Vec<MajorDisease>,
    /// The chronic diseases.
    pub chronic: Vec<ChronicDisease>,
    /// What is severe.
    pub severe: SevereRules,
    /// Codes that belong to no plan and give the same away, with their level.
    pub sensitive: Vec<(PlanRule, u8)>,
}

impl DiseaseTable {
    /// The major disease that a diagnosis of `year` at `age` belongs to. Where two fit (a leukaemia of a child), the
    /// one with the narrower age wins.
    pub fn major_for(&self, diagnosis: Icd10, age: Option<u8>, year: i32) -> Option<&MajorDisease> {
        let fits = |disease: &&MajorDisease| disease.since <= year && disease.rule.holds(diagnosis, age);
        self.major
            .iter()
            .filter(fits)
            .min_by_key(|disease| (disease.rule.max_age.unwrap_or(u8::MAX), disease.number))
    }

    /// The chronic disease that a diagnosis belongs to.
    pub fn chronic_for(&self, diagnosis: Icd10, age: Option<u8>) -> Option<&ChronicDisease> {
        self.chronic.iter().find(|disease| disease.rule.holds(diagnosis, age))
    }

    /// Whether a diagnosis is backed up as severe.
    pub fn is_severe(&self, diagnosis: Icd10, age: Option<u8>) -> bool {
        self.severe.rule.holds(diagnosis, age)
    }

    /// The highest sensitive level that any list gives a diagnosis, whatever the age or the year; 0 if none.
    pub fn sensitive_level(&self, diagnosis: Icd10) -> u8 {
        let major = self.major.iter().map(|disease| (&disease.rule, disease.sensitive));
        let chronic = self.chronic.iter().map(|disease| (&disease.rule, disease.sensitive));
        let others = self.sensitive.iter().map(|(rule, level)| (rule, *level));
        let all = major.chain(chronic).chain(others);
        let levels = all.filter(|(rule, _)| rule.holds(diagnosis, None)).map(|(_, level)| level);
        levels.max().unwrap_or(0)
    }

    pub(crate) fn read(fields: &Fields<'_>) -> Option<DiseaseTable> {
        let (period, sure, source) = (Period::read(fields), Sure::read(fields), Source::read(fields));
        let mut major: Vec<MajorDisease> =
            fields.some_tables("major").iter().filter_map(read_major).collect();
        major.sort_by_key(|disease| disease.number);
        let chronic = fields.some_tables("chronic").iter().filter_map(read_chronic).collect();
        let severe = fields.table("severe").and_then(|table| {
            let (rule, sure, source) = (PlanRule::read(&table), Sure::read(&table), Source::read(&table));
            table.finish();
            Some(SevereRules { rule, sure: sure?, source: source? })
        });
        let sensitive = fields.tables("sensitive").iter().map(read_sensitive_codes).collect();
        fields.finish();
        let (period, sure, source, severe) = (period?, sure?, source?, severe?);
        Some(DiseaseTable { period, sure, source, major, chronic, severe, sensitive })
    }
}

fn read_sensitive(fields: &Fields<'_>) -> u8 {
    fields.whole_maybe("sensitive").and_then(|level| u8::try_from(level.value).ok()).unwrap_or(0)
}

fn read_sensitive_codes(fields: &Fields<'_>) -> (PlanRule, u8) {
    fields.bilingual("name");
    let read = (PlanRule::read(fields), read_sensitive(fields));
    fields.finish();
    read
}

fn read_major(fields: &Fields<'_>) -> Option<MajorDisease> {
    let (number, id, name) = (fields.whole("number"), fields.text("id"), fields.bilingual("name"));
    let (since, rule, sensitive) = (fields.whole("since"), PlanRule::read(fields), read_sensitive(fields));
    fields.finish();
    Some(MajorDisease {
        number: u8::try_from(number?.value).ok()?,
        id: id?.value.to_owned(),
        name: name?,
        since: i32::try_from(since?.value).ok()?,
        rule,
        sensitive,
    })
}

fn read_chronic(fields: &Fields<'_>) -> Option<ChronicDisease> {
    let (id, name) = (fields.text("id"), fields.bilingual("name"));
    let (rule, sensitive) = (PlanRule::read(fields), read_sensitive(fields));
    fields.finish();
    Some(ChronicDisease { id: id?.value.to_owned(), name: name?, rule, sensitive })
}
