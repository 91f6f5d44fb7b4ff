//! Conditions over the facts of a bill, compiled to "all of (any of)" so that the first part that fails can be named.

use kangmai_base::{PlaceRange, Sex};

use crate::fields::Fields;
use crate::vocabulary::{InstitutionGrade, InstitutionKind, InstitutionTier, Referral, Setting, Vocabulary};
use crate::words::Word;
use crate::{BillFacts, Icd10, IcdRange, LabelSet, UNKNOWN_AGE};

/// The date at which a dated fact is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AsOf {
    /// The day of admission.
    Admission,
    /// The day of discharge.
    Discharge,
}

/// One question about one fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Test {
    /// One of these labels holds.
    Labels(LabelSet, AsOf),
    /// Completed years, both bounds included. An unknown age is in no bounds.
    Age(u8, u8, AsOf),
    /// The sex is known to be this.
    Sex(Sex),
    /// The main diagnosis lies here.
    Diagnosis(IcdRange),
    /// The institution's tier is one of these (bits).
    Tier(u16),
    /// The institution's grade is one of these (bits).
    Grade(u16),
    /// The institution's kind is one of these (bits).
    Kind(u16),
    /// The institution is named for one of these (bits of the vocabulary).
    Designation(u32),
    /// The referral is one of these (bits).
    Referral(u16),
    /// The setting is one of these (bits).
    Setting(u16),
    /// Basic insurance covers the person.
    Insured(AsOf),
    /// The person is insured in this place.
    PersonPlace(PlaceRange),
    /// The institution stands in this place.
    InstitutionPlace(PlaceRange),
    /// So many stays of the same year came before, both bounds included.
    EarlierStays(u16, u16),
}

impl Test {
    /// The name of the fact, as packs write it.
    pub const fn fact(&self) -> &'static str {
        match self {
            Test::Labels(..) => "label",
            Test::Insured(_) => "insured_basic",
            Test::Age(..) => "age",
            Test::Sex(_) => "sex",
            Test::Diagnosis(_) => "diagnosis",
            Test::Tier(_) => "institution_tier",
            Test::Grade(_) => "institution_grade",
            Test::Kind(_) => "institution_kind",
            Test::Designation(_) => "designation",
            Test::Referral(_) => "referral",
            Test::Setting(_) => "setting",
            Test::PersonPlace(_) => "person_place",
            Test::InstitutionPlace(_) => "institution_place",
            Test::EarlierStays(..) => "earlier_stays",
        }
    }

    /// The day as of which it is asked, of facts that are dated.
    pub const fn as_of(&self) -> Option<AsOf> {
        match self {
            Test::Labels(_, as_of) | Test::Insured(as_of) | Test::Age(_, _, as_of) => Some(*as_of),
            _ => None,
        }
    }
}

/// A test or its contrary; `last` closes an "any of".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Literal {
    /// The test.
    pub test: Test,
    /// Whether the contrary is asked.
    pub negated: bool,
    pub(crate) last: bool,
}

impl Literal {
    /// The same question in the form that is asked fast.
    fn check(&self) -> Check {
        let mask = |word: usize, bits: u64| Check {
            word,
            is_mask: true,
            low: bits,
            span: 0,
            negated: false,
            last: false,
        };
        let range = |word: usize, low: u64, high: u64| Check {
            word,
            is_mask: false,
            low,
            span: high.saturating_sub(low),
            negated: false,
            last: false,
        };
        let check = match self.test {
            Test::Labels(set, AsOf::Admission) => mask(LABELS, u64::from(set.0)),
            Test::Labels(set, AsOf::Discharge) => mask(LABELS, u64::from(set.0) << 32),
            Test::Age(low, high, AsOf::Admission) => range(AGE_AT_ADMISSION, low.into(), high.into()),
            Test::Age(low, high, AsOf::Discharge) => range(AGE_AT_DISCHARGE, low.into(), high.into()),
            Test::Sex(Sex::Male) => mask(KINDS, MALE),
            Test::Sex(Sex::Female) => mask(KINDS, FEMALE),
            Test::Diagnosis(list) => range(DIAGNOSIS, list.lowest(), list.highest()),
            Test::Tier(bits) => mask(KINDS, u64::from(bits)),
            Test::Grade(bits) => mask(KINDS, u64::from(bits) << GRADE),
            Test::Kind(bits) => mask(KINDS, u64::from(bits) << KIND),
            Test::Setting(bits) => mask(KINDS, u64::from(bits) << SETTING),
            Test::Referral(bits) => mask(KINDS, u64::from(bits) << REFERRAL),
            Test::Insured(AsOf::Admission) => mask(KINDS, INSURED_AT_ADMISSION),
            Test::Insured(AsOf::Discharge) => mask(KINDS, INSURED_AT_DISCHARGE),
            Test::Designation(bits) => mask(DESIGNATIONS, u64::from(bits)),
            Test::PersonPlace(places) => range(PERSON_PLACE, places.first, places.last),
            Test::InstitutionPlace(places) => range(INSTITUTION_PLACE, places.first, places.last),
            Test::EarlierStays(low, high) => range(STAYS, low.into(), high.into()),
        };
        Check { negated: self.negated, last: self.last, ..check }
    }
}

/// One question about one word of the facts, asked without a branch: are some of these bits set, or does the number
/// lie in this range?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Check {
    word: usize,
    low: u64,
    span: u64,
    is_mask: bool,
    negated: bool,
    last: bool,
}

pub(crate) const LABELS: usize = 0;
pub(crate) const KINDS: usize = 1;
pub(crate) const DESIGNATIONS: usize = 2;
/// From here on words stand for numbers.
pub(crate) const NUMBERS: usize = 3;
const AGE_AT_ADMISSION: usize = 3;
const AGE_AT_DISCHARGE: usize = 4;
const DIAGNOSIS: usize = 5;
const PERSON_PLACE: usize = 6;
const INSTITUTION_PLACE: usize = 7;
pub(crate) const STAYS: usize = 8;
const WORDS: usize = 9;

const GRADE: u32 = 8;
const KIND: u32 = 16;
const SETTING: u32 = 24;
const REFERRAL: u32 = 28;
const INSURED_AT_ADMISSION: u64 = 1 << 32;
const INSURED_AT_DISCHARGE: u64 = 1 << 33;
const MALE: u64 = 1 << 34;
const FEMALE: u64 = 1 << 35;

/// The labels, as the word [`LABELS`].
#[inline(always)]
pub(crate) fn labels_of(facts: &BillFacts) -> u64 {
    u64::from(facts.labels_at_admission.0) | u64::from(facts.labels_at_discharge.0) << 32
}

/// What is one of few, as the word [`KINDS`].
fn kinds_of(facts: &BillFacts) -> u64 {
    u64::from(facts.tier.bit())
        | u64::from(facts.grade.bit()) << GRADE
        | u64::from(facts.kind.bit()) << KIND
        | u64::from(facts.setting.bit()) << SETTING
        | u64::from(facts.referral.bit()) << REFERRAL
        | u64::from(facts.insured_at_admission) << 32
        | u64::from(facts.insured_at_discharge) << 33
        | u64::from(facts.sex == Some(Sex::Male)) << 34
        | u64::from(facts.sex == Some(Sex::Female)) << 35
}

/// What is one of few and what the institution is named for, packed so that it is made fast: half a byte for each kind, and
/// the designations above. Tells apart what the words [`KINDS`] and [`DESIGNATIONS`] tell apart.
#[inline(always)]
pub(crate) fn packed(facts: &BillFacts) -> u64 {
    (facts.tier as u64)
        | (facts.grade as u64) << 4
        | (facts.kind as u64) << 8
        | (facts.setting as u64) << 12
        | (facts.referral as u64) << 16
        | u64::from(facts.insured_at_admission) << 20
        | u64::from(facts.insured_at_discharge) << 21
        | u64::from(facts.sex == Some(Sex::Male)) << 22
        | u64::from(facts.sex == Some(Sex::Female)) << 23
        | u64::from(facts.designations) << 32
}

/// What of [`packed`] is asked by checks of these bits of the words [`KINDS`] and [`DESIGNATIONS`].
pub(crate) fn packed_mask(kinds: u64, designations: u64) -> u64 {
    let half_bytes =
        [(0xff, 0), (0xff << GRADE, 4), (0xff << KIND, 8), (0xf << SETTING, 12), (0xf << REFERRAL, 16)];
    let asked =
        half_bytes.iter().filter(|(bits, _)| kinds & bits != 0).fold(0, |all, (_, at)| all | 0xf << at);
    asked | (kinds >> 32 & 0xf) << 20 | designations << 32
}

/// The words that stand for numbers, from [`AGE_AT_ADMISSION`] on; [`STAYS`] and what lies past it is nought.
#[inline(always)]
pub(crate) fn numbers_of(facts: &BillFacts) -> [u64; 8] {
    let mut numbers = [0; 8];
    // No range reaches the unknown age.
    numbers[AGE_AT_ADMISSION - NUMBERS] = u64::from(facts.age_at_admission);
    numbers[AGE_AT_DISCHARGE - NUMBERS] = u64::from(facts.age_at_discharge);
    numbers[DIAGNOSIS - NUMBERS] = facts.diagnosis.0;
    numbers[PERSON_PLACE - NUMBERS] = facts.person_place.number();
    numbers[INSTITUTION_PLACE - NUMBERS] = facts.institution_place.number();
    numbers
}

/// The facts of a bill as words that checks are asked about.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Words([u64; WORDS]);

impl Words {
    #[inline(always)]
    pub(crate) fn of(facts: &BillFacts) -> Words {
        let mut words = [0; WORDS];
        words[LABELS] = labels_of(facts);
        words[KINDS] = kinds_of(facts);
        words[DESIGNATIONS] = u64::from(facts.designations);
        for (word, value) in words.iter_mut().skip(NUMBERS).zip(numbers_of(facts)) {
            *word = value;
        }
        Words(words)
    }

    #[inline(always)]
    pub(crate) const fn get(&self, word: usize) -> u64 {
        if word < WORDS { self.0[word] } else { 0 }
    }

    /// Sets the earlier stays of the year, which each benefit counts for itself.
    #[inline]
    pub(crate) fn set_stays(&mut self, stays: i64) {
        self.0[STAYS] = stays.max(0) as u64;
    }
}

impl Check {
    #[inline]
    fn holds(&self, words: &Words) -> bool {
        let word = words.get(self.word);
        let in_mask = word & self.low != 0;
        let in_range = word.wrapping_sub(self.low) <= self.span;
        (if self.is_mask { in_mask } else { in_range }) != self.negated
    }
}

/// All of (any of tests). Empty: always true.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Predicate {
    literals: Box<[Literal]>,
    checks: Box<[Check]>,
}

impl Predicate {
    fn new(literals: Vec<Literal>) -> Predicate {
        let checks: Box<[Check]> = literals.iter().map(Literal::check).collect();
        Predicate { checks, literals: literals.into() }
    }

    /// Whether a bill meets all parts; `stays` stays came before it in the year.
    pub fn holds(&self, facts: &BillFacts, stays: i64) -> bool {
        let mut words = Words::of(facts);
        words.set_stays(stays);
        self.met(&words)
    }

    /// Whether all parts are met.
    pub(crate) fn met(&self, words: &Words) -> bool {
        self.failed(words).is_none()
    }

    /// The number of the first part that is not met.
    pub(crate) fn failed(&self, words: &Words) -> Option<u8> {
        let mut parts = self.checks.split_inclusive(|check| check.last);
        let failed = parts.position(|part| !part.iter().any(|check| check.holds(words)));
        failed.map(|number| u8::try_from(number).unwrap_or(u8::MAX))
    }

    /// The number of the first part that fails.
    pub fn first_failure(&self, facts: &BillFacts, stays: i64) -> Option<u8> {
        let mut words = Words::of(facts);
        words.set_stays(stays);
        self.failed(&words)
    }

    /// The parts: each an "any of".
    pub fn parts(&self) -> impl Iterator<Item = &[Literal]> {
        self.literals.split_inclusive(|literal| literal.last)
    }

    /// Whether it asks nothing.
    pub fn is_always(&self) -> bool {
        self.literals.is_empty()
    }

    pub(crate) fn asks_earlier_stays(&self) -> bool {
        self.literals.iter().any(|literal| matches!(literal.test, Test::EarlierStays(..)))
    }

    /// What it asks about: the bits of masks, and the edges of ranges, by word.
    pub(crate) fn asks(&self, mut mask: impl FnMut(usize, u64), mut edges: impl FnMut(usize, [u64; 2])) {
        for check in &self.checks {
            if check.is_mask {
                mask(check.word, check.low);
            } else {
                edges(check.word, [check.low, check.low.saturating_add(check.span).saturating_add(1)]);
            }
        }
    }

    pub(crate) fn read(fields: &Fields<'_>, vocabulary: &Vocabulary) -> Option<Predicate> {
        let tree = read_tree(fields, vocabulary, false)?;
        let parts = tree.parts();
        if parts.len() > MOST_PARTS {
            fields.push(fields.spot().error(Word::ErrPredicateSize, Word::MendPredicateSize));
            return None;
        }
        let mut literals = Vec::new();
        for part in parts.into_iter().filter(|part| !part.is_empty()) {
            literals.extend(part);
            if let Some(literal) = literals.last_mut() {
                literal.last = true;
            }
        }
        Some(Predicate::new(literals))
    }
}

/// Most "any of" parts of one condition.
const MOST_PARTS: usize = 64;

enum Tree {
    All(Vec<Tree>),
    Any(Vec<Tree>),
    Leaf(Literal),
}

impl Tree {
    /// Conjunctive normal form.
    fn parts(self) -> Vec<Vec<Literal>> {
        match self {
            Tree::Leaf(literal) => vec![vec![literal]],
            Tree::All(trees) => trees.into_iter().flat_map(Tree::parts).collect(),
            Tree::Any(trees) => {
                let mut product: Vec<Vec<Literal>> = vec![Vec::new()];
                for tree in trees {
                    let parts = tree.parts();
                    let mut next = Vec::with_capacity(product.len() * parts.len());
                    for left in &product {
                        next.extend(parts.iter().map(|right| [left.as_slice(), right.as_slice()].concat()));
                    }
                    product = next;
                    if product.len() > MOST_PARTS {
                        break;
                    }
                }
                product
            }
        }
    }
}

fn read_tree(fields: &Fields<'_>, vocabulary: &Vocabulary, negated: bool) -> Option<Tree> {
    let branches = |key: &'static str| -> Option<Vec<Tree>> {
        let branches = fields.some_tables(key);
        let read: Vec<Tree> =
            branches.iter().filter_map(|branch| read_tree(branch, vocabulary, negated)).collect();
        (read.len() == branches.len()).then_some(read)
    };
    let tree = if fields.has("all") {
        let read = branches("all");
        read.map(|read| if negated { Tree::Any(read) } else { Tree::All(read) })
    } else if fields.has("any") {
        let read = branches("any");
        read.map(|read| if negated { Tree::All(read) } else { Tree::Any(read) })
    } else if fields.has("not") {
        fields.table("not").and_then(|inner| read_tree(&inner, vocabulary, !negated))
    } else {
        read_leaf(fields, vocabulary).map(|tests| {
            let leaves =
                tests.into_iter().map(|test| Tree::Leaf(Literal { test, negated, last: false })).collect();
            if negated { Tree::All(leaves) } else { Tree::Any(leaves) }
        })
    };
    fields.finish();
    tree
}

const FACTS: &[&str] = &[
    "label",
    "insured_basic",
    "age",
    "sex",
    "diagnosis",
    "institution_tier",
    "institution_grade",
    "institution_kind",
    "designation",
    "referral",
    "setting",
    "person_place",
    "institution_place",
    "earlier_stays",
];

/// The tests of one leaf, of which any must hold.
fn read_leaf(fields: &Fields<'_>, vocabulary: &Vocabulary) -> Option<Vec<Test>> {
    let fact = fields.text("fact")?;
    let one = |test: Option<Test>| test.map(|test| vec![test]);
    let is_dated = matches!(fact.value, "label" | "insured_basic" | "age");
    if !is_dated && fields.has("as_of") {
        let error = fact.spot.error(Word::ErrAsOf, Word::MendAsOf).with("fact", fact.value);
        fields.push(error);
    }
    match fact.value {
        "label" => one(read_labels(fields, vocabulary)),
        "insured_basic" => one(read_as_of(fields).map(Test::Insured)),
        "age" => {
            let bounds = read_bounds(fields, i64::from(UNKNOWN_AGE - 1));
            one(read_as_of(fields)
                .zip(bounds)
                .map(|(as_of, (low, high))| Test::Age(low as u8, high as u8, as_of)))
        }
        "sex" => one(read_sex(fields)),
        "diagnosis" => {
            let ranges = fields.texts("starts_with");
            let ranges: Vec<IcdRange> = fields.parse_all(ranges, Word::ErrNotACode, Word::MendCode);
            Some(ranges.into_iter().map(Test::Diagnosis).collect())
        }
        "institution_tier" => {
            one(bits(fields, InstitutionTier::NAMES, |n| InstitutionTier::from_name(n).map(|v| v.bit()))
                .map(Test::Tier))
        }
        "institution_grade" => {
            let read = |n: &str| InstitutionGrade::from_name(n).map(|v| v.bit());
            one(bits(fields, InstitutionGrade::NAMES, read).map(Test::Grade))
        }
        "institution_kind" => {
            one(bits(fields, InstitutionKind::NAMES, |n| InstitutionKind::from_name(n).map(|v| v.bit()))
                .map(Test::Kind))
        }
        "referral" => {
            one(bits(fields, Referral::NAMES, |n| Referral::from_name(n).map(|v| v.bit()))
                .map(Test::Referral))
        }
        "setting" => {
            one(bits(fields, Setting::NAMES, |n| Setting::from_name(n).map(|v| v.bit())).map(Test::Setting))
        }
        "designation" => {
            let names: Vec<&str> = vocabulary.designations.iter().map(|one| one.id.as_str()).collect();
            let mut set = 0;
            for text in fields.texts("any_of") {
                set |= fields.chosen(Some(text), &names, |name| vocabulary.designation(name))?;
            }
            Some(vec![Test::Designation(set)])
        }
        "person_place" => one(fields.place("within").map(|place| Test::PersonPlace(place.value.range()))),
        "institution_place" => {
            one(fields.place("within").map(|place| Test::InstitutionPlace(place.value.range())))
        }
        "earlier_stays" => {
            let bounds = read_bounds(fields, i64::from(u16::MAX));
            one(bounds.map(|(low, high)| Test::EarlierStays(low as u16, high as u16)))
        }
        _ => {
            fields.push(crate::fields::not_in_list(&fact, FACTS));
            None
        }
    }
}

fn read_sex(fields: &Fields<'_>) -> Option<Test> {
    fields.sex(fields.text("is")).map(Test::Sex)
}

fn read_labels(fields: &Fields<'_>, vocabulary: &Vocabulary) -> Option<Test> {
    let as_of = read_as_of(fields);
    let set = read_label_set(fields, "any_of", vocabulary);
    Some(Test::Labels(set?, as_of?))
}

/// The labels that `key` lists.
pub(crate) fn read_label_set(
    fields: &Fields<'_>,
    key: &'static str,
    vocabulary: &Vocabulary,
) -> Option<LabelSet> {
    let names: Vec<&str> = vocabulary.labels.iter().map(|label| label.id.as_str()).collect();
    let texts = fields.texts(key);
    let count = texts.len();
    let read: Vec<LabelSet> = texts
        .into_iter()
        .filter_map(|text| fields.chosen(Some(text), &names, |name| vocabulary.label(name)))
        .collect();
    (count > 0 && read.len() == count).then(|| read.into_iter().fold(LabelSet::NONE, LabelSet::and))
}

fn read_as_of(fields: &Fields<'_>) -> Option<AsOf> {
    if !fields.has("as_of") {
        fields.push(fields.spot().error(Word::ErrNoAsOf, Word::MendNoAsOf));
        return None;
    }
    fields.chosen(fields.text("as_of"), &["admission", "discharge"], |name| match name {
        "admission" => Some(AsOf::Admission),
        "discharge" => Some(AsOf::Discharge),
        _ => None,
    })
}

fn read_bounds(fields: &Fields<'_>, highest: i64) -> Option<(i64, i64)> {
    let (low, high) = (fields.whole_maybe("at_least"), fields.whole_maybe("at_most"));
    if low.is_none() && high.is_none() {
        let error = fields.spot().error(Word::ErrMissingKey, Word::MendAddKey);
        fields.push(error.with("key", "at_least"));
        return None;
    }
    let (low_value, high_value) =
        (low.map_or(0, |low| low.value), high.as_ref().map_or(highest, |high| high.value));
    if low_value < 0 || high_value > highest || low_value > high_value {
        let error =
            high.map_or(fields.spot(), |high| high.spot).error(Word::ErrBackwards, Word::MendBackwards);
        fields.push(error.with("from", low_value.to_string()).with("to", high_value.to_string()));
        return None;
    }
    Some((low_value, high_value))
}

fn bits(fields: &Fields<'_>, names: &[&str], read: impl Fn(&str) -> Option<u16>) -> Option<u16> {
    let texts = fields.texts("any_of");
    let count = texts.len();
    let found: Vec<u16> =
        texts.into_iter().filter_map(|text| fields.chosen(Some(text), names, &read)).collect();
    (count > 0 && found.len() == count).then(|| found.into_iter().fold(0, |set, bit| set | bit))
}

/// Tells a code that is no diagnosis at all from one that is.
pub(crate) fn known(diagnosis: Icd10) -> Option<Icd10> {
    (!diagnosis.is_unknown()).then_some(diagnosis)
}
