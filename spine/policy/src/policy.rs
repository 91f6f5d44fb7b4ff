//! A pack's benefits, and those it inherits, compiled into one order of layers.

use std::sync::Arc;

use kangmai_base::{Day, DivisionCode, Fen};

use crate::accumulators::NO_SLOT;
use crate::fields::Errors;
use crate::plan::Asked;
use crate::vocabulary::Vocabulary;
use crate::words::Word;
use crate::{
    Benefit, Bilingual, BillFacts, DateBasis, MAX_ACCUMULATORS, Owner, Pack, Untranslatable, YearAccumulators,
};

/// Most layers of one policy: the trace has room for so many. A power of two, so that a number is brought into it
/// by a mask.
pub const MAX_LAYERS: usize = 16;

/// One layer of a policy.
#[derive(Debug, Clone)]
pub struct Layer {
    /// The benefit.
    pub benefit: Arc<Benefit>,
    pub(crate) slots: SlotNumbers,
    pub(crate) waives: Option<u8>,
    /// The layer whose pool it draws on.
    pub(crate) pool: Option<u8>,
}

/// Where a layer's accumulators are, [`NO_SLOT`] where it has none.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SlotNumbers {
    pub(crate) base: u8,
    pub(crate) paid: u8,
    pub(crate) deductible: u8,
    pub(crate) stays: u8,
}

/// One accumulator of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accumulator {
    /// Its name, by which it is stored.
    pub name: String,
    /// The benefit that owns it.
    pub owner: String,
    /// Whether it counts (stays) rather than sums fen.
    pub is_count: bool,
    /// Whether all members of a household have it together.
    pub of_household: bool,
}

/// What holds at one place: layers in their order, compiled for all dates.
#[derive(Debug, Clone)]
pub struct Policy {
    /// The place.
    pub place: DivisionCode,
    /// What people call it.
    pub name: Bilingual,
    /// The closed lists that its rules speak.
    pub vocabulary: Arc<Vocabulary>,
    pub(crate) layers: Vec<Layer>,
    pub(crate) accumulators: Vec<Accumulator>,
    /// Which of them are a household's, as bits.
    shared: u16,
    /// The days on which something changes; epoch 0 lies before the first.
    pub(crate) boundaries: Vec<i32>,
    pub(crate) epochs: Vec<Box<[InForce]>>,
    /// What its conditions ask about a bill.
    pub(crate) asked: Asked,
}

/// What of a layer holds in an epoch.
#[derive(Debug, Clone, Copy)]
pub(crate) enum InForce {
    Nothing,
    Version(u8),
    Gap(u8),
}

/// A pack as a place where bills are settled.
#[derive(Debug, Clone)]
pub struct Jurisdiction {
    /// The pack.
    pub pack: Arc<Pack>,
    /// Rules that cannot be expressed, of this pack and of those above it.
    pub untranslatable: Vec<Untranslatable>,
    pub(crate) policy: Policy,
}

/// A rule stands in the way that the engine cannot express and that nobody has accepted by name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not settled: the pack holds rules that cannot be expressed: {}", names(.0))]
pub struct Unaccepted(pub Vec<Untranslatable>);

fn names(rules: &[Untranslatable]) -> String {
    rules.iter().map(|rule| rule.id.as_str()).collect::<Vec<_>>().join(", ")
}

impl Jurisdiction {
    /// The policy, if each rule that cannot be expressed is accepted by name.
    pub fn policy<S: AsRef<str>>(&self, accepted: &[S]) -> Result<&Policy, Unaccepted> {
        let open = |rule: &&Untranslatable| !accepted.iter().any(|name| name.as_ref() == rule.id);
        let unaccepted: Vec<Untranslatable> = self.untranslatable.iter().filter(open).cloned().collect();
        if unaccepted.is_empty() { Ok(&self.policy) } else { Err(Unaccepted(unaccepted)) }
    }

    /// The policy to read about (not to settle by).
    pub fn to_read(&self) -> &Policy {
        &self.policy
    }
}

impl Policy {
    /// The layers in their order; the steps of a trace are in the same.
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// The accumulators of a year.
    pub fn accumulators(&self) -> &[Accumulator] {
        &self.accumulators
    }

    /// The accumulators of a year with their values.
    pub fn year_entries<'p>(
        &'p self,
        year: &'p YearAccumulators,
    ) -> impl Iterator<Item = (&'p Accumulator, Fen)> + 'p {
        self.accumulators.iter().zip(year.values).map(|(accumulator, value)| (accumulator, Fen(value)))
    }

    /// Sets the accumulator `name`; `false` if the policy has none of that name.
    #[must_use]
    pub fn set_accumulator(&self, year: &mut YearAccumulators, name: &str, value: Fen) -> bool {
        let slot = self.accumulators.iter().position(|accumulator| accumulator.name == name);
        if let Some(slot) = slot {
            year.set(slot as u8, value);
        }
        slot.is_some()
    }

    /// Whether a household has any accumulator together.
    pub const fn has_shared(&self) -> bool {
        self.shared != 0
    }

    /// Before a bill: what the household has used comes into the year of its member.
    pub fn lend(&self, household: &YearAccumulators, member: &mut YearAccumulators) {
        member.take_over(self.shared, household);
    }

    /// After a bill: what the household has used by now; the member's year is without it again.
    pub fn give_back(&self, member: &mut YearAccumulators, household: &mut YearAccumulators) {
        household.take_over(self.shared, member);
        member.take_over(self.shared, &YearAccumulators::NONE);
    }

    /// The number of the layer of the benefit `id`.
    pub fn layer_of(&self, id: &str) -> Option<usize> {
        self.layers.iter().position(|layer| layer.benefit.id == id)
    }

    /// The number of the epoch that `day` lies in.
    #[inline]
    pub(crate) fn epoch(&self, day: Day) -> usize {
        self.boundaries.partition_point(|boundary| *boundary <= day.0)
    }

    /// What of the layer `index` holds in an epoch.
    pub(crate) fn in_force(&self, epoch: usize, index: usize) -> InForce {
        let layer = self.epochs.get(epoch).and_then(|layers| layers.get(index));
        layer.copied().unwrap_or(InForce::Nothing)
    }

    /// Whether any layer has a version, or a stated gap, on `day`.
    pub(crate) fn says_something_on(&self, day: Day) -> bool {
        let layers = self.epochs.get(self.epoch(day));
        layers.is_some_and(|layers| layers.iter().any(|layer| !matches!(layer, InForce::Nothing)))
    }

    /// Orders and compiles `benefits`.
    pub(crate) fn compile(
        pack: &Pack,
        benefits: Vec<Arc<Benefit>>,
        vocabulary: Arc<Vocabulary>,
        errors: &Errors,
    ) -> Policy {
        let mut accumulators = Vec::new();
        let mut layers: Vec<Layer> = Vec::new();
        for benefit in ordered(benefits, errors) {
            let slots = own(&benefit, &mut accumulators, errors);
            let waives = benefit.waives_deductible_of.as_ref().and_then(|id| {
                let position = layers.iter().position(|layer| layer.benefit.id == *id);
                if position.is_none() {
                    let error = benefit.spot.error(Word::ErrNotAfter, Word::MendNotAfter);
                    errors.borrow_mut().push(error.with("id", benefit.id.clone()).with("other", id.clone()));
                }
                position.map(|position| position as u8)
            });
            layers.push(Layer { benefit, slots, waives, pool: None });
        }
        find_pools(&mut layers, errors);
        if let Some(layer) = layers.get(MAX_LAYERS) {
            let error = layer.benefit.spot.error(Word::ErrTooMany, Word::MendTooMany);
            errors.borrow_mut().push(error.with("limit", MAX_LAYERS.to_string()));
            layers.truncate(MAX_LAYERS);
        }
        let (boundaries, epochs) = epochs_of(&layers);
        let is_shared = |(slot, one): (usize, &Accumulator)| u16::from(one.of_household) << slot;
        let shared = accumulators.iter().enumerate().map(is_shared).fold(0, |all, bit| all | bit);
        let asked = Asked::new(&layers, epochs.len());
        if let Some(layer) = layers.first().filter(|_| asked.too_many) {
            let error = layer.benefit.spot.error(Word::ErrTooMany, Word::MendTooMany);
            errors.borrow_mut().push(error.with("limit", u64::MAX.to_string()));
        }
        Policy {
            place: pack.place,
            name: pack.name.clone(),
            vocabulary,
            layers,
            accumulators,
            shared,
            boundaries,
            epochs,
            asked,
        }
    }
}

/// Tells each layer that draws on a pool which layer owns it.
fn find_pools(layers: &mut [Layer], errors: &Errors) {
    for index in 0..layers.len() {
        let Some(id) = layers[index].benefit.draws_on.clone() else { continue };
        let owner =
            layers.iter().position(|layer| layer.benefit.id == id && layer.benefit.kind == "pool_limit");
        layers[index].pool = owner.map(|owner| owner as u8);
        if owner.is_none() {
            let benefit = &layers[index].benefit;
            let error = benefit.spot.error(Word::ErrNoPool, Word::MendNoPool);
            errors.borrow_mut().push(error.with("id", benefit.id.clone()).with("other", id));
        }
    }
}

/// Sorts by `after`; among those that are free, by file.
fn ordered(mut waiting: Vec<Arc<Benefit>>, errors: &Errors) -> Vec<Arc<Benefit>> {
    waiting.sort_by(|a, b| file_name(&a.path).cmp(file_name(&b.path)).then_with(|| a.id.cmp(&b.id)));
    let mut done: Vec<Arc<Benefit>> = Vec::new();
    while !waiting.is_empty() {
        let is_free = |benefit: &Arc<Benefit>| {
            !benefit.after.iter().any(|before| waiting.iter().any(|other| other.id == *before))
        };
        match waiting.iter().position(is_free) {
            Some(position) => done.push(waiting.remove(position)),
            None => {
                let circle: Vec<&str> = waiting.iter().map(|benefit| benefit.id.as_str()).collect();
                let error =
                    waiting[0].spot.error(Word::ErrCycle, Word::MendCycle).with("circle", circle.join(", "));
                errors.borrow_mut().push(error);
                done.append(&mut waiting);
            }
        }
    }
    done
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Gives a benefit its accumulators; a second owner is an error.
fn own(benefit: &Arc<Benefit>, accumulators: &mut Vec<Accumulator>, errors: &Errors) -> SlotNumbers {
    let mut slot = |name: &Option<String>, is_count: bool| {
        let Some(name) = name else { return NO_SLOT };
        if let Some(other) = accumulators.iter().find(|other| other.name == *name) {
            let error =
                benefit.spot.error(Word::ErrTwoOwners, Word::MendTwoOwners).with("name", name.clone());
            errors
                .borrow_mut()
                .push(error.with("first", other.owner.clone()).with("second", benefit.id.clone()));
        }
        if accumulators.len() >= MAX_ACCUMULATORS {
            let error = benefit.spot.error(Word::ErrTooMany, Word::MendTooMany);
            errors.borrow_mut().push(error.with("limit", MAX_ACCUMULATORS.to_string()));
            return NO_SLOT;
        }
        let of_household = benefit.base.owner == Owner::Household;
        accumulators.push(Accumulator {
            name: name.clone(),
            owner: benefit.id.clone(),
            is_count,
            of_household,
        });
        (accumulators.len() - 1) as u8
    };
    let names = &benefit.slots;
    SlotNumbers {
        base: slot(&names.base, false),
        paid: slot(&names.paid, false),
        deductible: slot(&names.deductible, false),
        stays: slot(&names.stays, true),
    }
}

fn epochs_of(layers: &[Layer]) -> (Vec<i32>, Vec<Box<[InForce]>>) {
    let mut boundaries: Vec<i32> = Vec::new();
    for layer in layers {
        let versions = layer.benefit.versions.iter().map(|version| version.period);
        for period in versions.chain(layer.benefit.gaps.iter().map(|gap| gap.period)) {
            boundaries.push(period.from.0);
            boundaries.extend(period.to.map(|to| to.plus_days(1).0));
        }
    }
    boundaries.sort_unstable();
    boundaries.dedup();
    let before = boundaries.first().map_or(0, |first| first - 1);
    let days = std::iter::once(before).chain(boundaries.iter().copied());
    let epochs = days.map(|day| layers.iter().map(|layer| in_force(layer, Day(day))).collect()).collect();
    (boundaries, epochs)
}

fn in_force(layer: &Layer, day: Day) -> InForce {
    let benefit = &*layer.benefit;
    let version = benefit.versions.iter().position(|version| version.period.contains(day));
    let gap = benefit.gaps.iter().position(|gap| gap.period.contains(day));
    match (version, gap) {
        (Some(number), _) => InForce::Version(number as u8),
        (None, Some(number)) => InForce::Gap(number as u8),
        (None, None) => InForce::Nothing,
    }
}

impl DateBasis {
    /// The day of a bill that selects a version.
    #[inline]
    pub(crate) const fn day_of(self, facts: &BillFacts) -> Day {
        match self {
            DateBasis::Admission => facts.admission,
            DateBasis::Discharge => facts.discharge,
            DateBasis::Settlement => facts.settlement,
        }
    }
}
