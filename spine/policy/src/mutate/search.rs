//! Looks for a bill at which two policies differ in one layer. What to try is taken from what the benefit itself
//! says: its amounts, days, ages, lists; first who and when, until every way through the layer has been found, then
//! how much.

use std::collections::HashSet;

use kangmai_base::{Day, DivisionCode, Fen, Rate, Sex};
use toml::de::{DeTable, DeValue};

use crate::cases::{Given, Taken, taken};
use crate::trace::Step;
use crate::vocabulary::{
    InstitutionGrade, InstitutionKind, InstitutionTier, LabelSet, Referral, Setting, Vocabulary,
};
use crate::{BaseTake, Benefit, FeeKind, Icd10, IcdRange, Policy, UNKNOWN_AGE};

/// Most bills that are tried for one change.
const MOST_TRIES: usize = 1_000_000;
/// Most different ways through a layer that are followed.
const MOST_WAYS: usize = 300;

/// More stays than any rule asks for.
const MANY_STAYS: i64 = 9;

/// What the search came to.
pub(super) enum Found {
    /// A bill, the plainest found.
    Bill(Box<Given>),
    /// There is none: every combination of facts that the benefit tells apart has been tried.
    NoneExists,
    /// None was found.
    None,
}

/// Looks for a bill at which `mutant` pays or leaves otherwise than `policy` in the layer of `benefit`, or takes
/// another version or profile. `in_condition`: the change only decides which profile is taken.
pub(super) fn difference(
    table: &DeTable<'_>,
    benefit: &Benefit,
    (policy, mutant): (&Policy, &Policy),
    seeds: &[Given],
    in_condition: bool,
) -> Found {
    let Some(index) = policy.layer_of(&benefit.id) else { return Found::None };
    let mut said = Said::default();
    said.read(table, &policy.vocabulary, &[]);
    let takes_remaining = benefit.base.take == BaseTake::RemainingCompliant;
    let mut pair =
        Pair { policy, mutant, index, other: mutant.layer_of(&benefit.id), tries: 0, takes_remaining };
    if let Some(seed) = seeds.iter().find(|seed| pair.differs(seed)) {
        return pair.bill(*seed);
    }
    let ways = match find_ways(&mut pair, &said, seeds) {
        Ways::Differ(given) => return pair.bill(*given),
        Ways::Alike(ways) => ways,
    };
    if in_condition {
        // Which profile is taken does not hang on the rules that change its figures.
        let mut said = Said::default();
        said.read(table, &policy.vocabulary, &["deductible_rule", "ratio_rule"]);
        if let Some(found) = look_everywhere(&mut pair, &said) {
            return found;
        }
    }
    match look_at_amounts(&mut pair, &said, &ways) {
        Some(given) => pair.bill(given),
        None => Found::None,
    }
}

struct Pair<'p> {
    policy: &'p Policy,
    mutant: &'p Policy,
    index: usize,
    other: Option<usize>,
    tries: usize,
    takes_remaining: bool,
}

/// Where following who and when has led.
enum Ways {
    Differ(Box<Given>),
    Alike(Vec<Given>),
}

impl Pair<'_> {
    fn bill(&mut self, given: Given) -> Found {
        Found::Bill(Box::new(plainest(self, given)))
    }

    fn differs(&mut self, given: &Given) -> bool {
        self.tries += 1;
        if given.facts.check().is_err() {
            return false;
        }
        let step = given.settle(self.policy, self.index);
        match self.other {
            None => step.pays != Fen::ZERO,
            Some(other) => {
                let changed = given.settle(self.mutant, other);
                (changed.pays, changed.remaining) != (step.pays, step.remaining)
                    || self.is_taken_otherwise(&taken(self.mutant, other, &changed), &step)
            }
        }
    }

    /// Whether another version, by its number, or another profile has been taken.
    fn is_taken_otherwise(&self, changed: &Taken<'_>, step: &Step) -> bool {
        let own = taken(self.policy, self.index, step);
        (changed.number, changed.profile) != (own.number, own.profile)
    }

    fn step(&self, given: &Given) -> Step {
        given.settle(self.policy, self.index)
    }

    fn with_amount(&self, given: &Given, amount: Fen) -> Given {
        let mut given = *given;
        (given.facts.total, given.facts.compliant) = (amount, amount);
        given.facts.already_paid = Fen::ZERO;
        given.remaining = self.takes_remaining.then_some(amount);
        given
    }
}

/// What a benefit says, by kind.
#[derive(Default)]
struct Said {
    amounts: Vec<Fen>,
    rates: Vec<Rate>,
    numbers: Vec<i64>,
    days: Vec<Day>,
    labels: Vec<LabelSet>,
    designations: Vec<u32>,
    places: Vec<DivisionCode>,
    codes: Vec<Icd10>,
    /// The facts that are asked about.
    facts: HashSet<String>,
}

impl Said {
    fn read(&mut self, table: &DeTable<'_>, vocabulary: &Vocabulary, without: &[&str]) {
        for (key, value) in table.iter() {
            let name: &str = key.get_ref();
            if !matches!(name, "source" | "name" | "payer") && !without.contains(&name) {
                self.value(name, value.get_ref(), vocabulary, without);
            }
        }
    }

    fn value(&mut self, key: &str, value: &DeValue<'_>, vocabulary: &Vocabulary, without: &[&str]) {
        match value {
            DeValue::Table(table) => self.read(table, vocabulary, without),
            DeValue::Array(items) => {
                for item in items {
                    self.value(key, item.get_ref(), vocabulary, without);
                }
            }
            DeValue::Integer(number) => self.numbers.extend(number.as_str().parse::<i64>()),
            DeValue::String(text) if key == "fact" => drop(self.facts.insert(text.to_string())),
            DeValue::String(text) if key == "within" => self.places.extend(text.parse::<DivisionCode>()),
            DeValue::String(text) => {
                self.labels.extend(vocabulary.label(text));
                self.designations.extend(vocabulary.designation(text));
                if let Ok(day) = text.parse::<Day>() {
                    let edge = if key == "to" { day.plus_days(1) } else { day };
                    self.days.extend([edge, edge.plus_days(-1)]);
                } else if let Ok(amount) = text.parse::<Fen>() {
                    self.amounts.push(amount);
                } else if let Ok(rate) = text.parse::<Rate>() {
                    self.rates.push(rate);
                } else if text.parse::<IcdRange>().is_ok() {
                    let (first, last) = text.split_once('-').unwrap_or((text, text));
                    self.codes.extend(first.parse::<Icd10>().into_iter().chain(last.parse::<Icd10>()));
                }
            }
            _ => {}
        }
    }

    /// Amounts at which something may happen, the plainest first.
    fn near(&self) -> Vec<Fen> {
        let mut centres: Vec<i64> = self.amounts.iter().map(|amount| amount.0).collect();
        let parts = self.amounts.iter().flat_map(|amount| self.rates.iter().map(|rate| rate.of(*amount).0));
        centres.extend(parts);
        let round = [100, 10_000, 100_000, 1_000_000, 6_000_000, 20_000_000, 100_000_000, 1_000_000_000];
        let steps = [0, 1, -1, 2, -2, 3, -3, 4, 5, 6, 7, 8, 9, 11, 50, -50, 10_000, 100_000];
        let mut near: Vec<i64> = round.to_vec();
        near.extend(steps.iter().flat_map(|step| centres.iter().map(move |centre| centre + step)));
        let mut seen = HashSet::new();
        near.retain(|amount| (0..Fen::LIMIT.0).contains(amount) && seen.insert(*amount));
        near.into_iter().map(Fen).collect()
    }

    /// An amount over everything that is said.
    fn large(&self) -> Fen {
        self.amounts.iter().copied().max().unwrap_or(Fen::ZERO) + Fen::yuan(10_000)
    }

    /// Who, where and when: each a list of settings of one fact.
    fn circumstances(&self, vocabulary: &Vocabulary) -> Vec<Set> {
        let mut sets = Vec::new();
        for (first, day) in self.days.iter().zip(self.days.iter().skip(1)) {
            sets.extend([Set::Day(*day, *day), Set::Day(*first, *first)]);
            sets.push(Set::Day(*first.min(day), *first.max(day)));
        }
        let other = vocabulary.labels.iter().filter_map(|label| vocabulary.label(&label.id));
        let other: Vec<LabelSet> = other.filter(|label| !self.labels.contains(label)).take(1).collect();
        for label in self.labels.iter().chain(&other) {
            sets.extend([Set::Labels(*label, *label), Set::Labels(LabelSet::NONE, *label)]);
            sets.push(Set::Labels(*label, LabelSet::NONE));
            sets.extend(self.labels.iter().map(|two| Set::Labels(label.and(*two), label.and(*two))));
        }
        sets.extend([Set::Insured(false, false), Set::Insured(true, false), Set::Insured(false, true)]);
        sets.extend(InstitutionTier::ALL.iter().map(|tier| Set::Tier(*tier)));
        sets.extend(InstitutionGrade::ALL.iter().map(|grade| Set::Grade(*grade)));
        sets.extend(InstitutionKind::ALL.iter().map(|kind| Set::Kind(*kind)));
        sets.extend(Setting::ALL.iter().map(|setting| Set::Setting(*setting)));
        sets.extend(Referral::ALL.iter().map(|referral| Set::Referral(*referral)));
        sets.extend([Set::Sex(Sex::Male), Set::Sex(Sex::Female)]);
        sets.extend(self.designations.iter().map(|bit| Set::Designation(*bit)));
        for place in &self.places {
            let others = [Some(*place), place.parent(), DivisionCode::from_number(990_000_000_000)];
            let places = others.into_iter().flatten();
            sets.extend(places.flat_map(|place| [Set::PersonPlace(place), Set::InstitutionPlace(place)]));
        }
        for number in &self.numbers {
            sets.extend((number - 1..=number + 1).filter(|stays| *stays >= 0).map(Set::Stays));
            for age in number - 1..=number + 1 {
                let Ok(age) = u8::try_from(age) else { continue };
                sets.extend([Set::Age(age, age), Set::Age(age, age.saturating_add(1))]);
            }
        }
        sets.extend(self.codes.iter().map(|code| Set::Diagnosis(*code)));
        sets
    }

    /// What of the year, and of the bill, has been paid or borne before.
    fn money(&self) -> Vec<Set> {
        let fees = FeeKind::ALL.into_iter().map(|fee| Set::Fee(fee, Fen(200)));
        let mut sets: Vec<Set> = fees.collect();
        sets.extend([Set::Outside(Fen::yuan(100)), Set::DeductibleUsed(Fen::yuan(1))]);
        sets.push(Set::Left(Rate::percent(50)));
        sets.extend(self.amounts.iter().copied().chain([self.large()]).map(Set::OtherMember));
        let shares = self.rates.iter().chain(&[Rate::ZERO]);
        sets.extend(shares.flat_map(|rate| [Set::Paid(*rate, -1), Set::Paid(*rate, 0), Set::Paid(*rate, 1)]));
        for amount in &self.amounts {
            for by in [0, -1, 1, -100] {
                let amount = Fen((amount.0 + by).max(0));
                sets.extend([
                    Set::BaseToDate(amount),
                    Set::PaidToDate(amount),
                    Set::DeductibleToDate(amount),
                ]);
            }
        }
        sets
    }
}

/// One fact of a bill, set.
#[derive(Debug, Clone, Copy)]
enum Set {
    /// Admission and discharge.
    Day(Day, Day),
    /// At admission and at discharge.
    Labels(LabelSet, LabelSet),
    Insured(bool, bool),
    Age(u8, u8),
    Sex(Sex),
    Tier(InstitutionTier),
    Grade(InstitutionGrade),
    Kind(InstitutionKind),
    Setting(Setting),
    Referral(Referral),
    Designation(u32),
    PersonPlace(DivisionCode),
    InstitutionPlace(DivisionCode),
    Diagnosis(Icd10),
    Stays(i64),
    Fee(FeeKind, Fen),
    Outside(Fen),
    /// A part of the compliant cost, and so many fen.
    Paid(Rate, i64),
    /// What earlier layers have left, as a part of the compliant cost.
    Left(Rate),
    BaseToDate(Fen),
    PaidToDate(Fen),
    DeductibleToDate(Fen),
    DeductibleUsed(Fen),
    /// Another member of the household has used so much of everything.
    OtherMember(Fen),
}

impl Set {
    /// The fact that decides whether it matters; `None`: it always may.
    const fn fact(self) -> Option<&'static str> {
        match self {
            Set::Labels(..) => Some("label"),
            Set::Insured(..) => Some("insured_basic"),
            Set::Age(..) => Some("age"),
            Set::Sex(_) => Some("sex"),
            Set::Tier(_) => Some("institution_tier"),
            Set::Grade(_) => Some("institution_grade"),
            Set::Kind(_) => Some("institution_kind"),
            Set::Setting(_) => Some("setting"),
            Set::Referral(_) => Some("referral"),
            Set::Designation(_) => Some("designation"),
            Set::PersonPlace(_) => Some("person_place"),
            Set::InstitutionPlace(_) => Some("institution_place"),
            Set::Diagnosis(_) => Some("diagnosis"),
            Set::Stays(_) => Some("earlier_stays"),
            _ => None,
        }
    }

    fn on(self, given: &Given) -> Given {
        let mut given = *given;
        let facts = &mut given.facts;
        match self {
            Set::Day(first, last) => {
                (facts.admission, facts.discharge, facts.settlement) = (first, last, last);
            }
            Set::Labels(first, last) => {
                (facts.labels_at_admission, facts.labels_at_discharge) = (first, last);
            }
            Set::Insured(first, last) => {
                (facts.insured_at_admission, facts.insured_at_discharge) = (first, last);
            }
            Set::Age(first, last) => (facts.age_at_admission, facts.age_at_discharge) = (first, last),
            Set::Sex(sex) => facts.sex = Some(sex),
            Set::Tier(tier) => facts.tier = tier,
            Set::Grade(grade) => facts.grade = grade,
            Set::Kind(kind) => facts.kind = kind,
            Set::Setting(setting) => facts.setting = setting,
            Set::Referral(referral) => facts.referral = referral,
            Set::Designation(bit) => facts.designations = bit,
            Set::PersonPlace(place) => facts.person_place = place,
            Set::InstitutionPlace(place) => facts.institution_place = place,
            Set::Diagnosis(code) => facts.diagnosis = code,
            Set::Fee(fee, amount) => facts.fees[fee as usize] = amount,
            Set::Outside(amount) => facts.total += amount,
            Set::Paid(rate, by) => facts.already_paid = Fen(rate.of(facts.compliant).0 + by),
            Set::Left(rate) => given.remaining = Some(rate.of(given.facts.compliant)),
            Set::Stays(stays) => given.earlier_stays = stays,
            Set::BaseToDate(amount) => given.base_to_date = amount,
            Set::PaidToDate(amount) => given.paid_to_date = amount,
            Set::DeductibleToDate(amount) => given.deductible_to_date = amount,
            Set::DeductibleUsed(amount) => given.deductible_used = amount,
            Set::OtherMember(amount) => {
                (given.base_to_date, given.paid_to_date) = (amount, amount);
                (given.deductible_to_date, given.earlier_stays) = (amount, MANY_STAYS);
                given.other_member = true;
            }
        }
        given
    }
}

/// Tries every combination of what the conditions of a benefit tell apart, if they are not too many.
fn look_everywhere(pair: &mut Pair<'_>, said: &Said) -> Option<Found> {
    let sets = said.circumstances(&pair.policy.vocabulary);
    let asked: Vec<&Set> =
        sets.iter().filter(|set| set.fact().is_none_or(|fact| said.facts.contains(fact))).collect();
    let same = |one: &&Set, other: &&Set| std::mem::discriminant(*one) == std::mem::discriminant(*other);
    let mut groups: Vec<Vec<&Set>> = Vec::new();
    for set in asked {
        match groups.iter_mut().find(|group| group.first().is_some_and(|first| same(first, &set))) {
            Some(group) => group.push(set),
            None => groups.push(vec![set]),
        }
    }
    // One more for the fact as it is by default.
    let many = groups.iter().try_fold(1_usize, |many, group| many.checked_mul(group.len() + 1));
    let many = many.filter(|many| *many <= MOST_TRIES)?;
    let plain = pair.with_amount(&Given::on(said.days.first().copied().unwrap_or(Day(0))), said.large());
    for number in 0..many {
        let (mut given, mut rest) = (plain, number);
        for group in &groups {
            if let Some(set) = (rest % (group.len() + 1)).checked_sub(1) {
                given = group[set].on(&given);
            }
            rest /= group.len() + 1;
        }
        if pair.differs(&given) {
            return Some(pair.bill(given));
        }
    }
    Some(Found::NoneExists)
}

/// A way through the layer, by what the original does.
fn way(step: &Step) -> (bool, [u8; 5]) {
    let ways = [step.version, step.profile, step.deductible_rule, step.ratio_rules, step.failed];
    (step.outcome.applied(), ways)
}

/// Follows who and when until no new way through the layer is found.
fn find_ways(pair: &mut Pair<'_>, said: &Said, seeds: &[Given]) -> Ways {
    let circumstances = said.circumstances(&pair.policy.vocabulary);
    let mut ways: Vec<Given> = Vec::new();
    let mut seen = HashSet::new();
    let start = said.days.first().copied().unwrap_or(Day(0));
    let starts = [Given::on(start)].into_iter().chain(seeds.iter().copied());
    for given in starts.map(|given| pair.with_amount(&given, said.large())) {
        if seen.insert(way(&pair.step(&given))) {
            ways.push(given);
        }
    }
    let mut next = 0;
    while next < ways.len().min(MOST_WAYS) {
        let from = ways[next];
        next += 1;
        for set in &circumstances {
            let given = set.on(&from);
            if pair.differs(&given) {
                return Ways::Differ(Box::new(given));
            }
            if seen.insert(way(&pair.step(&given))) {
                ways.push(given);
            }
        }
    }
    Ways::Alike(ways)
}

fn look_at_amounts(pair: &mut Pair<'_>, said: &Said, ways: &[Given]) -> Option<Given> {
    let circumstances = said.circumstances(&pair.policy.vocabulary);
    let (near, money) = (said.near(), said.money());
    let (applied, others): (Vec<&Given>, Vec<&Given>) =
        ways.iter().partition(|given| pair.step(given).outcome.applied());
    let ordered = || applied.iter().chain(&others);
    for from in ordered() {
        for amount in &near {
            let given = pair.with_amount(from, *amount);
            if pair.differs(&given) {
                return Some(given);
            }
        }
    }
    for sets in [&money, &circumstances] {
        for from in ordered() {
            for amount in &near {
                for set in sets {
                    let given = set.on(&pair.with_amount(from, *amount));
                    if pair.differs(&given) {
                        return Some(given);
                    }
                    if pair.tries > MOST_TRIES {
                        return None;
                    }
                }
            }
        }
    }
    None
}

/// Takes back whatever is not needed for the difference.
fn plainest(pair: &mut Pair<'_>, found: Given) -> Given {
    let plain = Given::on(found.facts.discharge);
    let back: [fn(&mut Given, &Given); 21] = [
        |given, _| given.facts.admission = given.facts.discharge,
        |given, plain| given.facts.labels_at_admission = plain.facts.labels_at_admission,
        |given, _| given.facts.labels_at_admission = given.facts.labels_at_discharge,
        |given, _| given.facts.insured_at_admission = given.facts.insured_at_discharge,
        |given, _| given.facts.age_at_admission = given.facts.age_at_discharge,
        |given, _| (given.facts.age_at_admission, given.facts.age_at_discharge) = (UNKNOWN_AGE, UNKNOWN_AGE),
        |given, plain| given.facts.sex = plain.facts.sex,
        |given, plain| given.facts.tier = plain.facts.tier,
        |given, plain| given.facts.grade = plain.facts.grade,
        |given, plain| given.facts.kind = plain.facts.kind,
        |given, plain| given.facts.setting = plain.facts.setting,
        |given, plain| given.facts.referral = plain.facts.referral,
        |given, plain| given.facts.diagnosis = plain.facts.diagnosis,
        |given, plain| given.facts.person_place = plain.facts.person_place,
        |given, plain| given.facts.institution_place = plain.facts.institution_place,
        |given, _| given.earlier_stays = 0,
        |given, _| given.other_member = false,
        |given, _| given.base_to_date = Fen::ZERO,
        |given, _| given.deductible_to_date = Fen::ZERO,
        |given, _| given.paid_to_date = Fen::ZERO,
        |given, _| given.deductible_used = Fen::ZERO,
    ];
    let mut given = found;
    for undo in back {
        let mut plainer = given;
        undo(&mut plainer, &plain);
        if plainer != given && pair.differs(&plainer) {
            given = plainer;
        }
    }
    given
}
