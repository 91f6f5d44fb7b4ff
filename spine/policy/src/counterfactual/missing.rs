//! What a layer that did not apply lacks: the fewest facts that would have to be otherwise.

use kangmai_base::{DivisionCode, Fen, PlaceRange, Sex};

use super::MOST_CONDITIONS;
use super::differs::with_label;
use crate::accumulators::NO_SLOT;
use crate::policy::InForce;
use crate::predicate::{AsOf, Literal, Predicate, Test};
use crate::settle::settle;
use crate::{
    BillFacts, Icd10, InstitutionGrade, InstitutionKind, InstitutionTier, LabelSet, MOST_WAYS, Policy,
    Referral, Setting, Trace, UNKNOWN_AGE, Vocabulary,
};

/// Most combinations that are tried for one layer; where that is not enough, nothing is proposed.
const MOST_TRIES: usize = 512;

/// What a layer that did not apply lacks.
#[derive(Debug, Clone, PartialEq)]
pub struct Missing {
    /// The number of the layer.
    pub layer: usize,
    /// The ways to qualify with the fewest conditions; what somebody can act on instead of the rest, what leaves the person
    /// with least first. Empty: more than [`MOST_CONDITIONS`] facts are otherwise.
    pub ways: Vec<Way>,
}

/// Facts that, all otherwise, would make the layer apply.
#[derive(Debug, Clone, PartialEq)]
pub struct Way {
    /// What would have to be otherwise.
    pub conditions: Vec<Condition>,
    /// The bill settled so; only where somebody can act on all of it: what a person is (age, sex, illness) is a reason and
    /// no advice.
    pub trace: Option<Box<Trace>>,
}

/// One fact that is not as the rule wants it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Condition {
    /// The test that fails. Of labels, those that come to the same here.
    pub needed: Literal,
    /// The change that meets it; of a set of labels any one.
    pub change: FactChange,
}

/// A fact made otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FactChange {
    /// One of these labels holds besides.
    Label(LabelSet, AsOf),
    /// One of these labels holds besides, which nobody of this age can be given: a reason, and no advice.
    OutgrownLabel(LabelSet, AsOf),
    /// None of these holds.
    NoLabel(LabelSet, AsOf),
    /// The age on the day.
    Age(u8, AsOf),
    /// The sex.
    Sex(Sex),
    /// The main diagnosis.
    Diagnosis(Icd10),
    /// The institution's tier.
    Tier(InstitutionTier),
    /// Its grade.
    Grade(InstitutionGrade),
    /// Its kind.
    Kind(InstitutionKind),
    /// What it is named for, all of it.
    Designations(u32),
    /// The referral.
    Referral(Referral),
    /// The setting.
    Setting(Setting),
    /// Whether basic insurance covers the person, and when.
    Insured(bool, AsOf),
    /// Where the person is insured.
    PersonPlace(DivisionCode),
    /// Where the institution stands.
    InstitutionPlace(DivisionCode),
    /// The earlier stays of the year.
    EarlierStays(u16),
}

impl FactChange {
    /// Whether a person or a desk can do something about it: choose where to go and how, enrol, have a status recognised.
    pub const fn can_act(self) -> bool {
        matches!(
            self,
            FactChange::Label(..)
                | FactChange::Tier(_)
                | FactChange::Grade(_)
                | FactChange::Kind(_)
                | FactChange::Designations(_)
                | FactChange::Referral(Referral::Referred)
                | FactChange::Insured(true, _)
                | FactChange::InstitutionPlace(_)
        )
    }

    /// The facts with it; a count of stays is not among them.
    #[must_use]
    pub fn applied_to(self, facts: &BillFacts) -> BillFacts {
        let mut other = *facts;
        match self {
            FactChange::Label(set, as_of) | FactChange::OutgrownLabel(set, as_of) => {
                return with_label(facts, set.first(), as_of);
            }
            FactChange::NoLabel(set, AsOf::Admission) => other.labels_at_admission.0 &= !set.0,
            FactChange::NoLabel(set, AsOf::Discharge) => other.labels_at_discharge.0 &= !set.0,
            FactChange::Age(age, AsOf::Admission) => other.age_at_admission = age,
            FactChange::Age(age, AsOf::Discharge) => other.age_at_discharge = age,
            FactChange::Sex(sex) => other.sex = Some(sex),
            FactChange::Diagnosis(code) => other.diagnosis = code,
            FactChange::Tier(tier) => other.tier = tier,
            FactChange::Grade(grade) => other.grade = grade,
            FactChange::Kind(kind) => other.kind = kind,
            FactChange::Designations(bits) => other.designations = bits,
            FactChange::Referral(referral) => other.referral = referral,
            FactChange::Setting(setting) => other.setting = setting,
            FactChange::Insured(is, AsOf::Admission) => other.insured_at_admission = is,
            FactChange::Insured(is, AsOf::Discharge) => other.insured_at_discharge = is,
            FactChange::PersonPlace(place) => other.person_place = place,
            FactChange::InstitutionPlace(place) => other.institution_place = place,
            FactChange::EarlierStays(_) => {}
        }
        other
    }
}

/// For each layer that did not apply although a rule of it was in force.
pub(super) fn missing(policy: &Policy, trace: &Trace) -> Vec<Missing> {
    let mut all = Vec::new();
    for (index, step) in trace.steps().iter().enumerate() {
        let Some(layer) = policy.layers.get(index) else { continue };
        let epoch = policy.epoch(layer.benefit.date.day_of(&trace.facts));
        let InForce::Version(version) = policy.in_force(epoch, index) else { continue };
        if !step.outcome.applied()
            && let Some(ways) = ways(policy, trace, (index, usize::from(version)))
        {
            all.push(Missing { layer: index, ways });
        }
    }
    all
}

/// None: whatever somebody could do about it, the layer would pay nothing.
fn ways(policy: &Policy, trace: &Trace, (layer, version): (usize, usize)) -> Option<Vec<Way>> {
    let one = policy.layers.get(layer)?;
    let version = one.benefit.versions.get(version)?;
    let slot = one.slots.stays;
    let stays = if slot == NO_SLOT { 0 } else { trace.before.get(slot) };
    let start = Tried { facts: trace.facts, stays, conditions: Vec::new() };
    let mut search = Search { vocabulary: &policy.vocabulary, tries: MOST_TRIES, found: Vec::new() };
    for most in 1..=MOST_CONDITIONS {
        for profile in &version.profiles {
            search.go([&one.benefit.applies, &profile.when], &start, most);
        }
        if search.tries == 0 {
            // Something smaller may have been left out.
            return Some(Vec::new());
        }
        if !search.found.is_empty() {
            break;
        }
    }
    let can_act = |tried: &Tried| tried.conditions.iter().all(|one| one.change.can_act());
    if search.found.iter().any(can_act) {
        search.found.retain(can_act);
    }
    let is_too_much = search.found.is_empty();
    let mut ways: Vec<Way> = Vec::new();
    for tried in search.found {
        let way = Way {
            trace: can_act(&tried).then(|| settled(policy, trace, &tried)),
            conditions: tried.conditions,
        };
        let pays_nothing = |then: &Trace| then.steps().get(layer).is_none_or(|step| step.pays == Fen::ZERO);
        if way.trace.as_deref().is_some_and(pays_nothing) {
            continue;
        }
        if !ways.iter_mut().any(|other| join(other, &way)) {
            ways.push(way);
        }
    }
    ways.sort_by_key(|way| way.trace.as_ref().map(|trace| trace.own_share));
    ways.truncate(MOST_WAYS);
    (is_too_much || !ways.is_empty()).then_some(ways)
}

fn settled(policy: &Policy, trace: &Trace, tried: &Tried) -> Box<Trace> {
    let mut year = trace.before;
    Box::new(settle(policy, &tried.facts, &mut year))
}

/// Takes `way` into `other` if they differ in one label only and come to the same.
fn join(other: &mut Way, way: &Way) -> bool {
    let same = match (&other.trace, &way.trace) {
        (Some(one), Some(other)) => {
            one.steps().iter().zip(other.steps()).all(|(one, other)| one.pays == other.pays)
                && one.own_share == other.own_share
        }
        (None, None) => true,
        _ => false,
    };
    if !same || other.conditions.len() != way.conditions.len() {
        return false;
    }
    let mut unlike = other.conditions.iter_mut().zip(&way.conditions).filter(|(one, other)| **one != **other);
    let (Some((one, more)), None) = (unlike.next(), unlike.next()) else { return false };
    let (set, as_of, more, also, outgrown) = match (one.change, more.change) {
        (FactChange::Label(set, as_of), FactChange::Label(more, also)) => (set, as_of, more, also, false),
        (FactChange::OutgrownLabel(set, as_of), FactChange::OutgrownLabel(more, also)) => {
            (set, as_of, more, also, true)
        }
        _ => return false,
    };
    if as_of == also {
        let first = set.and(more).first();
        if set.first() != first {
            other.trace.clone_from(&way.trace);
        }
        let change = if outgrown { FactChange::OutgrownLabel } else { FactChange::Label };
        one.change = change(set.and(more), as_of);
        one.needed.test = Test::Labels(set.and(more), as_of);
    }
    as_of == also
}

/// A bill with some facts made otherwise.
#[derive(Debug, Clone)]
struct Tried {
    facts: BillFacts,
    stays: i64,
    conditions: Vec<Condition>,
}

impl Tried {
    /// With one more change, unless the fact is already made otherwise.
    fn with(&self, needed: Literal, change: FactChange) -> Option<Tried> {
        let fact = std::mem::discriminant(&change);
        let is_free = |condition: &Condition| {
            std::mem::discriminant(&condition.change) != fact
                || matches!(
                    change,
                    FactChange::Label(..)
                        | FactChange::OutgrownLabel(..)
                        | FactChange::NoLabel(..)
                        | FactChange::Age(..)
                        | FactChange::Insured(..)
                        | FactChange::Designations(_)
                )
        };
        if !self.conditions.iter().all(is_free) {
            return None;
        }
        let mut tried = self.clone();
        tried.facts = change.applied_to(&self.facts);
        if let FactChange::EarlierStays(stays) = change {
            tried.stays = i64::from(stays);
        }
        let test = match change {
            FactChange::Label(set, as_of) | FactChange::OutgrownLabel(set, as_of) => Test::Labels(set, as_of),
            _ => needed.test,
        };
        tried.conditions.push(Condition { needed: Literal { test, ..needed }, change });
        Some(tried)
    }
}

struct Search<'p> {
    vocabulary: &'p Vocabulary,
    tries: usize,
    found: Vec<Tried>,
}

impl Search<'_> {
    /// Finds all ways with at most `most` further changes: takes the first part that fails and tries everything that
    /// meets it.
    fn go(&mut self, conditions: [&Predicate; 2], tried: &Tried, most: usize) {
        if self.tries == 0 {
            return;
        }
        self.tries -= 1;
        let failing = conditions.iter().find_map(|predicate| {
            let part = predicate.first_failure(&tried.facts, tried.stays)?;
            predicate.parts().nth(usize::from(part))
        });
        let Some(part) = failing else {
            if !self.found.iter().any(|other| other.facts == tried.facts && other.stays == tried.stays) {
                self.found.push(tried.clone());
            }
            return;
        };
        if most == 0 {
            return;
        }
        for literal in part {
            for change in changes_for(literal, &tried.facts, self.vocabulary) {
                if let Some(next) = tried.with(*literal, change) {
                    self.go(conditions, &next, most - 1);
                }
            }
        }
    }
}

/// The changes that meet a test which fails.
fn changes_for(literal: &Literal, facts: &BillFacts, vocabulary: &Vocabulary) -> Vec<FactChange> {
    let age_on = |as_of: AsOf| match as_of {
        AsOf::Admission => facts.age_at_admission,
        AsOf::Discharge => facts.age_at_discharge,
    };
    let wanted = |bit: u16, bits: u16| (bit & bits != 0) != literal.negated;
    match literal.test {
        Test::Labels(set, as_of) if literal.negated => vec![FactChange::NoLabel(set, as_of)],
        Test::Labels(set, as_of) => {
            let outgrown = vocabulary.outgrown_at(age_on(as_of));
            let change = |label: LabelSet| match outgrown.meets(label) {
                true => FactChange::OutgrownLabel(label, as_of),
                false => FactChange::Label(label, as_of),
            };
            set.each().map(change).collect()
        }
        Test::Age(low, high, as_of) => {
            let age = age_on(as_of);
            let ages = if literal.negated {
                outside(low, high, UNKNOWN_AGE - 1)
            } else {
                vec![age.clamp(low, high)]
            };
            ages.into_iter().map(|age| FactChange::Age(age, as_of)).collect()
        }
        Test::Sex(sex) => {
            let other = if sex == Sex::Male { Sex::Female } else { Sex::Male };
            vec![FactChange::Sex(if literal.negated { other } else { sex })]
        }
        Test::Diagnosis(range) => {
            let code = if literal.negated { Icd10::UNKNOWN } else { Icd10(range.lowest()) };
            vec![FactChange::Diagnosis(code)]
        }
        Test::Tier(bits) => each(InstitutionTier::ALL, |one| wanted(one.bit(), bits), FactChange::Tier),
        Test::Grade(bits) => each(InstitutionGrade::ALL, |one| wanted(one.bit(), bits), FactChange::Grade),
        Test::Kind(bits) => each(InstitutionKind::ALL, |one| wanted(one.bit(), bits), FactChange::Kind),
        Test::Referral(bits) => each(Referral::ALL, |one| wanted(one.bit(), bits), FactChange::Referral),
        Test::Setting(bits) => each(Setting::ALL, |one| wanted(one.bit(), bits), FactChange::Setting),
        Test::Designation(bits) if literal.negated => {
            vec![FactChange::Designations(facts.designations & !bits)]
        }
        Test::Designation(bits) => {
            let each = (0..u32::BITS).map(|bit| 1 << bit).filter(|bit| bits & bit != 0);
            each.map(|bit| FactChange::Designations(facts.designations | bit)).collect()
        }
        Test::Insured(as_of) => vec![FactChange::Insured(!literal.negated, as_of)],
        Test::PersonPlace(range) => places(range, literal.negated, FactChange::PersonPlace),
        Test::InstitutionPlace(range) => places(range, literal.negated, FactChange::InstitutionPlace),
        Test::EarlierStays(low, high) => {
            let counts = if literal.negated {
                let below = low.checked_sub(1);
                below.into_iter().chain(high.checked_add(1)).collect()
            } else {
                vec![low]
            };
            counts.into_iter().map(FactChange::EarlierStays).collect()
        }
    }
}

fn each<T: Copy>(all: &[T], wanted: impl Fn(T) -> bool, change: fn(T) -> FactChange) -> Vec<FactChange> {
    all.iter().copied().filter(|one| wanted(*one)).map(change).collect()
}

/// The nearest ages on either side of a range.
fn outside(low: u8, high: u8, highest: u8) -> Vec<u8> {
    let above = high.checked_add(1).filter(|age| *age <= highest);
    low.checked_sub(1).into_iter().chain(above).collect()
}

/// The first place of a range; no place is proposed for "anywhere else".
fn places(range: PlaceRange, negated: bool, change: fn(DivisionCode) -> FactChange) -> Vec<FactChange> {
    let first = DivisionCode::from_number(range.first).filter(|_| !negated);
    first.into_iter().map(change).collect()
}
