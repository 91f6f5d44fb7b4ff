//! What the conditions of a policy decide about a bill. Bills that are alike in all that is asked share one [`Plan`]:
//! which layers apply, by which figures, with every rule worked in. What is left to do per bill is arithmetic.

use kangmai_base::{Day, Fen};

use crate::accumulators::NO_SLOT;
use crate::policy::{InForce, Layer};
use crate::predicate::{
    AsOf, DESIGNATIONS, LABELS, NUMBERS, Predicate, STAYS, Words, labels_of, numbers_of, packed, packed_mask,
};
use crate::terms::{Graded, Share, Terms};
use crate::trace::{Outcome, Step};
use crate::{
    BaseTake, BillFacts, CategoryLimit, Ceiling, DateBasis, Fixed, LabelSet, MAX_LAYERS, Over, Policy,
    Profile, Rounding, Segment, Version, Waiver, YearAccumulators,
};

/// What the conditions of a policy ask: bills with the same [`Key`] get the same plan.
#[derive(Debug, Clone, Default)]
pub(crate) struct Asked {
    labels: u64,
    packed: u64,
    ranges: Box<[Range]>,
    stays: Box<[Range]>,
    epochs: u64,
    by_admission: bool,
    by_settlement: bool,
    /// Whether more kinds of bills are told apart than a number has room for.
    pub(crate) too_many: bool,
}

/// A number of the bill, or a count of the year, and the values at which some condition changes.
#[derive(Debug, Clone)]
struct Range {
    /// Which of [`numbers_of`], or which accumulator.
    which: u8,
    /// Most have one or two; the largest number there is where there is none.
    first: [u64; 2],
    more: Box<[u64]>,
    /// One more than there are edges.
    count: u64,
}

impl Range {
    fn new(which: u8, edges: &[u64]) -> Range {
        let edge = |number: usize| edges.get(number).copied().unwrap_or(u64::MAX);
        Range {
            which,
            first: [edge(0), edge(1)],
            more: edges.get(2..).unwrap_or_default().into(),
            count: edges.len() as u64 + 1,
        }
    }

    /// How many of the edges `value` has reached.
    #[inline(always)]
    fn number(&self, value: u64) -> u64 {
        let number = u64::from(self.first[0] <= value) + u64::from(self.first[1] <= value);
        if self.more.is_empty() {
            number
        } else {
            number + self.more.partition_point(|edge| *edge <= value) as u64
        }
    }
}

/// What tells apart bills that may get different plans.
pub(crate) type Key = [u64; 3];

impl Asked {
    pub(crate) fn new(layers: &[Layer], epochs: usize) -> Asked {
        let mut asked = Asked { epochs: epochs as u64 + 1, ..Asked::default() };
        let (mut kinds, mut designations) = (0, 0);
        let mut ranges: Vec<(usize, u8, Vec<u64>)> = Vec::new();
        for layer in layers {
            asked.by_admission |= layer.benefit.date == DateBasis::Admission;
            asked.by_settlement |= layer.benefit.date == DateBasis::Settlement;
            for predicate in conditions(layer) {
                predicate.asks(
                    |word, bits| match word {
                        LABELS => asked.labels |= bits,
                        DESIGNATIONS => designations |= bits,
                        _ => kinds |= bits,
                    },
                    |word, edges| {
                        let slot = if word == STAYS { layer.slots.stays } else { NO_SLOT };
                        match ranges.iter_mut().find(|(other, whose, _)| (*other, *whose) == (word, slot)) {
                            Some((_, _, all)) => all.extend(edges),
                            None => ranges.push((word, slot, edges.to_vec())),
                        }
                    },
                );
            }
        }
        let mut combinations = u128::from(asked.epochs).pow(3);
        for (_, _, edges) in &mut ranges {
            // No value lies past the last.
            edges.retain(|edge| *edge != 0 && *edge != u64::MAX);
            edges.sort_unstable();
            edges.dedup();
            combinations = combinations.saturating_mul(edges.len() as u128 + 1);
        }
        asked.too_many = combinations > u128::from(u64::MAX);
        asked.packed = packed_mask(kinds, designations);
        let (stays, ranges): (Vec<_>, Vec<_>) = ranges.iter().partition(|(word, ..)| *word == STAYS);
        asked.stays = stays.iter().map(|(_, slot, edges)| Range::new(*slot, edges)).collect();
        let number = |word: &usize| (word - NUMBERS) as u8;
        asked.ranges = ranges.iter().map(|(word, _, edges)| Range::new(number(word), edges)).collect();
        asked
    }

    /// The labels that some condition asks for, and the earlier of the days as of which any is.
    pub(crate) const fn labels(&self) -> (LabelSet, AsOf) {
        let at_admission = self.labels as u32;
        let as_of = if at_admission == 0 { AsOf::Discharge } else { AsOf::Admission };
        (LabelSet(at_admission | (self.labels >> 32) as u32), as_of)
    }

    #[inline(always)]
    fn key(&self, policy: &Policy, facts: &BillFacts, year: &YearAccumulators, epoch: usize) -> Key {
        let mut cell = epoch as u64;
        if self.by_admission {
            cell = cell * self.epochs + policy.epoch(facts.admission) as u64;
        }
        if self.by_settlement {
            cell = cell * self.epochs + policy.epoch(facts.settlement) as u64;
        }
        let numbers = numbers_of(facts);
        for range in &self.ranges {
            cell = cell * range.count + range.number(numbers[usize::from(range.which) & 7]);
        }
        for range in &self.stays {
            cell = cell * range.count + range.number(year.get(range.which).max(0) as u64);
        }
        [labels_of(facts) & self.labels, packed(facts) & self.packed, cell]
    }
}

/// All conditions of a layer, of all its versions.
fn conditions(layer: &Layer) -> impl Iterator<Item = &Predicate> {
    let versions = layer.benefit.versions.iter().flat_map(|version| {
        let rules = version.deductible_rules.iter().chain(&version.ratio_rules);
        version.profiles.iter().map(|profile| &profile.when).chain(rules.map(|rule| &rule.when))
    });
    std::iter::once(&layer.benefit.applies).chain(versions)
}

/// What is decided about a bill before its amounts are looked at.
#[derive(Debug)]
pub(crate) struct Plan {
    /// The layers that apply, in order.
    pub(crate) acts: Box<[Act]>,
    /// The layers that do not, in order: number, and what became of it.
    pub(crate) others: Box<[(u8, Head)]>,
    /// The counts of stays that this bill may add to, as bits.
    pub(crate) stays: u16,
}

/// What conditions decide about a layer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Head {
    pub(crate) outcome: Outcome,
    pub(crate) version: u8,
    pub(crate) profile: u8,
    pub(crate) deductible_rule: u8,
    pub(crate) ratio_rules: u8,
    pub(crate) failed: u8,
}

impl Head {
    pub(crate) const NOT_IN_FORCE: Head = Head {
        outcome: Outcome::NotInForce,
        version: 0,
        profile: 0,
        deductible_rule: Step::NO_RULE,
        ratio_rules: 0,
        failed: 0,
    };
}

/// A layer that applies, with the figures that hold.
#[derive(Debug)]
pub(crate) struct Act {
    pub(crate) head: Head,
    pub(crate) layer: u8,
    pub(crate) takes_compliant: bool,
    pub(crate) rounding: Rounding,
    pub(crate) limits: Limits,
    pub(crate) figures: Figures,
}

/// A cap that nothing reaches, whatever was used of it.
const NO_CAP: i64 = 3 << 61;

/// What a layer pays at most; [`NO_CAP`] where there is no limit.
#[derive(Debug)]
pub(crate) struct Limits {
    /// What it paid this year.
    pub(crate) paid: u8,
    pub(crate) year: i64,
    /// Few layers have any.
    pub(crate) more: Option<Box<MoreLimits>>,
}

/// Caps that few layers have.
#[derive(Debug)]
pub(crate) struct MoreLimits {
    pub(crate) bill: i64,
    /// What was paid out of the pool this year.
    pub(crate) pool: u8,
    pub(crate) pool_holds: i64,
}

/// The arithmetic of a layer that applies.
#[derive(Debug)]
#[repr(u8)]
pub(crate) enum Figures {
    Insured(Insured),
    Ceiling(Ceiling),
    /// With the layer whose deductible is waived; past the last if there is none.
    Waiver(Waiver, u8),
    /// Kept apart, so that the others are small and near each other.
    Rarer(Box<Rarer>),
}

/// The arithmetic of layers that few policies have.
#[derive(Debug)]
pub(crate) enum Rarer {
    Fixed(Fixed),
    /// With the accumulator of what counted against the limit of the year, taken or not (all bits or none).
    CategoryLimit(CategoryLimit, (u8, i64)),
}

/// `deductible_ratio`, `tiers` and `share` alike: what of the base lies in each piece, times its ratio.
#[derive(Debug)]
pub(crate) struct Insured {
    /// Where the base of this bill begins: the accumulator, taken or not (all bits or none).
    pub(crate) before: (u8, i64),
    /// Accumulators that the base and the deductible used are added to.
    pub(crate) base: u8,
    pub(crate) deductible_used: u8,
    /// Whether any of these counts.
    pub(crate) remembers: bool,
    pub(crate) deductible: i64,
    pub(crate) bends: Bends,
    pub(crate) denominator: i64,
    /// Whether all products fit 64 bits.
    pub(crate) is_small: bool,
    /// Whether the ratios are whole per cents, rounded half up to the fen.
    pub(crate) is_plain: bool,
}

/// Where the ratio changes: from here on, each fen pays so much more (or less) over the common denominator than before.
/// A sum over these is shorter than one over the pieces between them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bend {
    from: i64,
    change: i64,
}

impl Bend {
    /// How much of `low..high` lies past it.
    #[inline(always)]
    fn past(&self, low: i64, high: i64) -> i64 {
        (high - self.from).max(0) - (low - self.from).max(0)
    }
}

/// All bends of a layer, rising. Most have one or two, which are asked without a loop.
#[derive(Debug)]
pub(crate) struct Bends {
    first: [Bend; 2],
    more: Box<[Bend]>,
}

impl Bends {
    /// Of pieces, each from, to (the largest number there is: without end) and its ratio.
    fn of(pieces: impl Iterator<Item = (i64, i64, i64)>) -> Bends {
        let mut bends: Vec<Bend> = Vec::new();
        let mut add = |from: i64, change: i64| match bends.iter_mut().find(|bend| bend.from == from) {
            Some(bend) => bend.change += change,
            None => bends.push(Bend { from, change }),
        };
        for (from, to, numerator) in pieces.filter(|(from, to, _)| to > from) {
            add(from, numerator);
            if to != i64::MAX {
                add(to, -numerator);
            }
        }
        bends.retain(|bend| bend.change != 0);
        bends.sort_unstable_by_key(|bend| bend.from);
        let bend = |number: usize| bends.get(number).copied().unwrap_or(Bend { from: 0, change: 0 });
        Bends { first: [bend(0), bend(1)], more: bends.get(2..).unwrap_or_default().into() }
    }

    /// What is paid on `low..high`, over the denominator, where that fits 63 bits. What comes off again may pass them on
    /// the way; the sum does not.
    #[inline(always)]
    pub(crate) fn pay(&self, low: i64, high: i64) -> i64 {
        let [first, second] = &self.first;
        let sum = first.past(low, high).wrapping_mul(first.change);
        let sum = sum.wrapping_add(second.past(low, high).wrapping_mul(second.change));
        if self.more.is_empty() { sum } else { sum.wrapping_add(self.pay_more(low, high)) }
    }

    #[inline(never)]
    fn pay_more(&self, low: i64, high: i64) -> i64 {
        let pay = |bend: &Bend| bend.past(low, high).wrapping_mul(bend.change);
        self.more.iter().fold(0, |sum, bend| sum.wrapping_add(pay(bend)))
    }

    /// What is paid on `low..high`, over the denominator.
    pub(crate) fn pay_wide(&self, low: i64, high: i64) -> i128 {
        let all = self.first.iter().chain(&self.more);
        all.map(|bend| i128::from(bend.past(low, high)) * i128::from(bend.change)).sum()
    }
}

/// The bit of a count of stays that is not there.
const NO_STAYS: u16 = 1 << NO_SLOT;

impl Plan {
    /// Asks all conditions.
    pub(crate) fn resolve(policy: &Policy, facts: &BillFacts, year: &YearAccumulators) -> Plan {
        Plan::resolve_some(policy, facts, year, u16::MAX)
    }

    /// As [`Plan::resolve`], where only some layers take part, as bits.
    pub(crate) fn resolve_some(
        policy: &Policy,
        facts: &BillFacts,
        year: &YearAccumulators,
        only: u16,
    ) -> Plan {
        let mut words = Words::of(facts);
        let (mut acts, mut others, mut stays) = (Vec::new(), Vec::new(), 0);
        for (index, layer) in policy.layers.iter().enumerate() {
            let epoch = policy.epoch(layer.benefit.date.day_of(facts));
            words.set_stays(if layer.slots.stays == NO_SLOT { 0 } else { year.get(layer.slots.stays) });
            let (head, figures) = match policy.in_force(epoch, index) {
                _ if only & (1 << index) == 0 => (Head::NOT_IN_FORCE, None),
                InForce::Nothing => (Head::NOT_IN_FORCE, None),
                InForce::Gap(number) => {
                    (Head { outcome: Outcome::Gap, version: number, ..Head::NOT_IN_FORCE }, None)
                }
                InForce::Version(number) => resolve_layer(layer, number, &words),
            };
            let Some(figures) = figures else {
                others.push((index as u8, head));
                continue;
            };
            acts.push(Act {
                head,
                limits: limits_of(policy, layer, head, (facts, year), words),
                layer: index as u8,
                takes_compliant: layer.benefit.base.take == BaseTake::Compliant,
                rounding: layer.benefit.rounding,
                figures,
            });
            stays |= 1 << layer.slots.stays & !NO_STAYS;
        }
        Plan { acts: acts.into(), others: others.into(), stays }
    }
}

/// The caps of the profile that holds, and the pool as far as it is there for this bill.
fn limits_of(
    policy: &Policy,
    layer: &Layer,
    head: Head,
    (facts, year): (&BillFacts, &YearAccumulators),
    mut words: Words,
) -> Limits {
    let amount = |cap: Option<Fen>| cap.map_or(NO_CAP, |cap| cap.0);
    let version = layer.benefit.versions.get(usize::from(head.version));
    let profile = version.and_then(|version| version.profiles.get(usize::from(head.profile)));
    let pool = layer.pool.and_then(|owner| {
        let layer = policy.layers.get(usize::from(owner))?;
        let epoch = policy.epoch(layer.benefit.date.day_of(facts));
        let InForce::Version(number) = policy.in_force(epoch, usize::from(owner)) else { return None };
        words.set_stays(if layer.slots.stays == NO_SLOT { 0 } else { year.get(layer.slots.stays) });
        let (head, _) = resolve_layer(layer, number, &words);
        let profiles = &layer.benefit.versions.get(usize::from(number))?.profiles;
        let profile = profiles.get(usize::from(head.profile)).filter(|_| head.outcome.applied())?;
        Some((layer.slots.paid, amount(profile.yearly_cap)))
    });
    let (pool, pool_holds) = pool.unwrap_or((NO_SLOT, NO_CAP));
    let bill = amount(profile.and_then(|profile| profile.bill_cap));
    let more = MoreLimits { bill, pool, pool_holds };
    Limits {
        paid: layer.slots.paid,
        year: amount(profile.and_then(|profile| profile.yearly_cap)),
        more: (bill != NO_CAP || pool != NO_SLOT).then(|| Box::new(more)),
    }
}

fn resolve_layer(layer: &Layer, number: u8, words: &Words) -> (Head, Option<Figures>) {
    let head = Head { version: number, ..Head::NOT_IN_FORCE };
    let Some(version) = layer.benefit.versions.get(usize::from(number)) else { return (head, None) };
    if let Some(failed) = layer.benefit.applies.failed(words) {
        return (Head { outcome: Outcome::NotEntitled, failed, ..head }, None);
    }
    let Some(number) = version.profiles.iter().position(|profile| profile.when.met(words)) else {
        return (Head { outcome: Outcome::NoProfile, ..head }, None);
    };
    let profile = &version.profiles[number];
    let mut head = Head { outcome: Outcome::PaidNothing, profile: number as u8, ..head };
    let figures = match &profile.terms {
        Terms::DeductibleRatio(graded) => {
            let deductible = deductible_of((version, profile), words, &mut head);
            let points = points_of((version, profile), words, &mut head);
            Figures::Insured(by_bill(layer, graded, deductible, points))
        }
        Terms::Tiers(graded) => {
            let points = points_of((version, profile), words, &mut head);
            Figures::Insured(tiers(layer, graded, points))
        }
        Terms::Share(share) | Terms::ThresholdToZero(share) | Terms::PoolLimit(share) => {
            let deductible = deductible_of((version, profile), words, &mut head);
            let points = points_of((version, profile), words, &mut head);
            Figures::Insured(share_of(layer, share, deductible, points))
        }
        Terms::Fixed(fixed) => Figures::Rarer(Box::new(Rarer::Fixed(*fixed))),
        Terms::CategoryLimit(limit) => {
            let remembers = if limit.limit_over == Over::Year { -1 } else { 0 };
            let counted = (layer.slots.base, remembers);
            Figures::Rarer(Box::new(Rarer::CategoryLimit(limit.clone(), counted)))
        }
        Terms::Ceiling(ceiling) => Figures::Ceiling(*ceiling),
        Terms::Waiver(waiver) => Figures::Waiver(waiver.clone(), layer.waives.unwrap_or(MAX_LAYERS as u8)),
    };
    (head, Some(figures))
}

/// The deductible under the first rule that holds.
fn deductible_of((version, profile): (&Version, &Profile), words: &Words, head: &mut Head) -> i64 {
    let deductible = profile.terms.deductible().0;
    let holds = version.deductible_rules.iter().position(|rule| rule.when.met(words));
    match holds.filter(|_| deductible != 0) {
        Some(number) => {
            head.deductible_rule = number as u8;
            profile.changed.get(number).copied().unwrap_or(deductible)
        }
        None => deductible,
    }
}

/// The points that the ratio rules take off together, over the terms' denominator.
fn points_of((version, profile): (&Version, &Profile), words: &Words, head: &mut Head) -> i64 {
    let mut points = 0;
    for (bit, (rule, off)) in version.ratio_rules.iter().zip(&profile.points).enumerate() {
        if rule.when.met(words) {
            points += off;
            head.ratio_rules |= 1 << bit;
        }
    }
    points
}

/// The figures of a layer without a memory, over `segments` from `deductible` on.
fn insured(
    layer: &Layer,
    (segments, denominator, is_small): (&[Segment], i64, bool),
    (deductible, points): (i64, i64),
) -> Insured {
    let piece = |segment: &Segment| {
        (segment.from.0.max(deductible), segment.to.0, (segment.numerator - points).max(0))
    };
    Insured {
        before: (NO_SLOT, 0),
        base: NO_SLOT,
        deductible_used: NO_SLOT,
        remembers: false,
        deductible,
        bends: Bends::of(segments.iter().map(piece)),
        denominator,
        is_small,
        is_plain: denominator == 100 && layer.benefit.rounding == Rounding::HalfUp(1),
    }
}

fn by_bill(layer: &Layer, graded: &Graded, deductible: i64, points: i64) -> Insured {
    let figures = (&*graded.segments, graded.denominator, graded.small);
    insured(layer, figures, (deductible, points))
}

fn tiers(layer: &Layer, graded: &Graded, points: i64) -> Insured {
    let over_year = layer.benefit.base.over == Over::Year;
    Insured {
        before: (layer.slots.base, if over_year { -1 } else { 0 }),
        base: layer.slots.base,
        remembers: true,
        ..by_bill(layer, graded, graded.deductible.0, points)
    }
}

fn share_of(layer: &Layer, share: &Share, deductible: i64, points: i64) -> Insured {
    let remembers = share.deductible_over == Over::Year && deductible > 0;
    let figures = (std::slice::from_ref(&share.segment), share.denominator, share.small);
    Insured {
        before: (layer.slots.deductible, if remembers { -1 } else { 0 }),
        deductible_used: layer.slots.deductible,
        remembers: true,
        ..insured(layer, figures, (deductible, points))
    }
}

/// Most plans that are kept at once; a policy rarely tells more than some hundred kinds of bills apart.
const MOST_PLANS: usize = 2_048;
/// Places in the table of plans: two for each.
const PLACES: usize = 2 * MOST_PLANS;

/// The plans made so far, found by key.
#[derive(Debug)]
pub(crate) struct Plans {
    plans: Vec<(Key, Plan)>,
    /// Number of a plan plus one, by hash; nought where there is none.
    places: Box<[u16]>,
    epoch: LastEpoch,
    /// The number of the last plan that was asked for: a person's next bill is often like the one before.
    last: usize,
}

/// The epoch that the last bill lay in; the next most often lies in it too.
#[derive(Debug)]
struct LastEpoch {
    from: i32,
    before: i32,
    number: usize,
}

impl LastEpoch {
    fn of(policy: &Policy, day: Day) -> LastEpoch {
        let number = policy.epoch(day);
        let edge = |number: usize| policy.boundaries.get(number).copied();
        LastEpoch {
            from: number.checked_sub(1).and_then(edge).unwrap_or(i32::MIN),
            before: edge(number).unwrap_or(i32::MAX),
            number,
        }
    }

    const fn contains(&self, day: Day) -> bool {
        self.from <= day.0 && day.0 < self.before
    }
}

impl Default for Plans {
    fn default() -> Plans {
        let epoch = LastEpoch { from: 0, before: 0, number: 0 };
        Plans { plans: Vec::new(), places: vec![0; PLACES].into(), epoch, last: 0 }
    }
}

impl Plans {
    /// The number of the plan for a bill; a plan that was made for an equal bill before serves again.
    #[inline(always)]
    pub(crate) fn find(&mut self, policy: &Policy, facts: &BillFacts, year: &YearAccumulators) -> usize {
        if !self.epoch.contains(facts.discharge) {
            self.epoch = LastEpoch::of(policy, facts.discharge);
        }
        let key = policy.asked.key(policy, facts, year, self.epoch.number);
        if !self.plans.get(self.last).is_some_and(|(other, _)| equal(other, &key)) {
            self.last = self.look_up(policy, facts, year, key);
        }
        self.last
    }

    #[inline(always)]
    fn look_up(&mut self, policy: &Policy, facts: &BillFacts, year: &YearAccumulators, key: Key) -> usize {
        let mut place = place_of(&key);
        loop {
            let number = usize::from(self.places[place & (PLACES - 1)]).wrapping_sub(1);
            match self.plans.get(number) {
                Some((other, _)) if equal(other, &key) => return number,
                Some(_) => place += 1,
                None => return self.make(policy, facts, year, key),
            }
        }
    }

    /// The plan of a number that [`Plans::find`] just gave.
    #[inline(always)]
    pub(crate) fn get(&self, number: usize) -> &Plan {
        &self.plans[number].1
    }

    /// Forgets all plans unless there is room for `more`: until then, numbers stay what they are.
    #[inline(always)]
    pub(crate) fn make_room(&mut self, more: usize) {
        if self.plans.len() + more > MOST_PLANS {
            self.plans.clear();
            self.places.fill(0);
        }
    }

    /// Makes a plan and answers its number.
    #[cold]
    #[inline(never)]
    fn make(&mut self, policy: &Policy, facts: &BillFacts, year: &YearAccumulators, key: Key) -> usize {
        self.make_room(1);
        self.plans.push((key, Plan::resolve(policy, facts, year)));
        let mut place = place_of(&key);
        while self.places[place & (PLACES - 1)] != 0 {
            place += 1;
        }
        self.places[place & (PLACES - 1)] = self.plans.len() as u16;
        self.plans.len() - 1
    }
}

/// Word by word: the key was written word by word just before, and a wider read would wait for the writes.
#[inline(always)]
const fn equal(a: &Key, b: &Key) -> bool {
    (a[0] ^ b[0]) | (a[1] ^ b[1]) | (a[2] ^ b[2]) == 0
}

#[inline(always)]
const fn place_of(key: &Key) -> usize {
    let sum = key[0]
        .wrapping_mul(0x9E37_79B9_7F4A_7C15)
        .wrapping_add(key[1].wrapping_mul(0xC2B2_AE3D_27D4_EB4F))
        .wrapping_add(key[2].wrapping_mul(0x1656_67B1_9E37_79F9));
    (sum >> 52) as usize
}
