//! What the conditions of a policy decide about a bill. Bills that are alike in all that is asked share one [`Plan`]:
//! which layers apply, by which figures, with every rule worked in. What is left to do per bill is arithmetic.

use kangmai_base::{Day, Fen};

use crate::accumulators::NO_SLOT;
use crate::policy::{InForce, Layer};
use crate::predicate::{AsOf, DESIGNATIONS, KINDS, LABELS, Predicate, STAYS, Words};
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
    kinds: u64,
    designations: u64,
    ranges: Box<[Range]>,
    epochs: u64,
    by_admission: bool,
    by_settlement: bool,
    /// Whether more kinds of bills are told apart than a number has room for.
    pub(crate) too_many: bool,
}

/// A number of the bill, or a count of the year, and the values at which some condition changes.
#[derive(Debug, Clone)]
struct Range {
    word: usize,
    slot: u8,
    /// Most have one or two; the largest number there is where there is none.
    first: [u64; 2],
    more: Box<[u64]>,
    /// One more than there are edges.
    count: u64,
}

impl Range {
    fn new((word, slot, edges): (usize, u8, Vec<u64>)) -> Range {
        let edge = |number: usize| edges.get(number).copied().unwrap_or(u64::MAX);
        Range {
            word,
            slot,
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
pub(crate) type Key = [u64; 4];

impl Asked {
    pub(crate) fn new(layers: &[Layer], epochs: usize) -> Asked {
        let mut asked = Asked { epochs: epochs as u64 + 1, ..Asked::default() };
        let mut ranges: Vec<(usize, u8, Vec<u64>)> = Vec::new();
        for layer in layers {
            asked.by_admission |= layer.benefit.date == DateBasis::Admission;
            asked.by_settlement |= layer.benefit.date == DateBasis::Settlement;
            for predicate in conditions(layer) {
                predicate.asks(
                    |word, bits| match word {
                        LABELS => asked.labels |= bits,
                        DESIGNATIONS => asked.designations |= bits,
                        _ => asked.kinds |= bits,
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
        asked.ranges = ranges.into_iter().map(Range::new).collect();
        asked
    }

    /// The labels that some condition asks for, and the earlier of the days as of which any is.
    pub(crate) const fn labels(&self) -> (LabelSet, AsOf) {
        let at_admission = self.labels as u32;
        let as_of = if at_admission == 0 { AsOf::Discharge } else { AsOf::Admission };
        (LabelSet(at_admission | (self.labels >> 32) as u32), as_of)
    }

    #[inline(always)]
    fn key(
        &self,
        policy: &Policy,
        facts: &BillFacts,
        words: &Words,
        year: &YearAccumulators,
        epoch: usize,
    ) -> Key {
        let mut cell = epoch as u64;
        if self.by_admission {
            cell = cell * self.epochs + policy.epoch(facts.admission) as u64;
        }
        if self.by_settlement {
            cell = cell * self.epochs + policy.epoch(facts.settlement) as u64;
        }
        for range in &self.ranges {
            let value =
                if range.word == STAYS { year.get(range.slot).max(0) as u64 } else { words.get(range.word) };
            cell = cell * range.count + range.number(value);
        }
        [
            words.get(LABELS) & self.labels,
            words.get(KINDS) & self.kinds,
            words.get(DESIGNATIONS) & self.designations,
            cell,
        ]
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
    /// For each layer what became of it, as far as conditions decide that.
    pub(crate) heads: Box<[Head]>,
    /// The layers that apply, in order.
    pub(crate) acts: Box<[Act]>,
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
    pub(crate) layer: u8,
    /// The count of stays that this bill may add to.
    pub(crate) stays: u8,
    pub(crate) takes_compliant: bool,
    pub(crate) rounding: Rounding,
    pub(crate) limits: Limits,
    pub(crate) figures: Figures,
}

/// What a layer pays at most; the largest number there is where there is no limit.
#[derive(Debug)]
pub(crate) struct Limits {
    /// What it paid this year.
    pub(crate) paid: u8,
    pub(crate) year: i64,
    /// Whether one of the following is there.
    pub(crate) more: bool,
    pub(crate) bill: i64,
    /// What was paid out of the pool this year.
    pub(crate) pool: u8,
    pub(crate) pool_holds: i64,
}

/// The arithmetic of a layer that applies.
#[derive(Debug)]
pub(crate) enum Figures {
    Insured(Insured),
    Fixed(Fixed),
    /// With the accumulator of what counted against the limit of the year, taken or not (all bits or none).
    CategoryLimit(CategoryLimit, (u8, i64)),
    Ceiling(Ceiling),
    /// With the layer whose deductible is waived; past the last if there is none.
    Waiver(Waiver, u8),
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
    pub(crate) pieces: Box<[Piece]>,
    pub(crate) denominator: i64,
    /// Whether all products fit 64 bits.
    pub(crate) is_small: bool,
    /// Whether the ratios are whole per cents, rounded half up to the fen.
    pub(crate) is_plain: bool,
}

/// What of the base from `from` to `to` is paid at `numerator` over the common denominator.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Piece {
    pub(crate) from: i64,
    pub(crate) to: i64,
    pub(crate) numerator: i64,
}

impl Piece {
    /// How much of `low..high` lies in it.
    #[inline(always)]
    pub(crate) fn overlap(&self, low: i64, high: i64) -> i64 {
        (self.to.min(high) - self.from.max(low)).max(0)
    }
}

impl Plan {
    /// Asks all conditions.
    pub(crate) fn resolve(policy: &Policy, facts: &BillFacts, year: &YearAccumulators) -> Plan {
        let mut words = Words::of(facts);
        let mut acts = Vec::with_capacity(policy.layers.len());
        let mut heads = Vec::with_capacity(policy.layers.len());
        for (index, layer) in policy.layers.iter().enumerate() {
            let epoch = policy.epoch(layer.benefit.date.day_of(facts));
            words.set_stays(if layer.slots.stays == NO_SLOT { 0 } else { year.get(layer.slots.stays) });
            let (head, figures) = match policy.in_force(epoch, index) {
                InForce::Nothing => (Head::NOT_IN_FORCE, None),
                InForce::Gap(number) => {
                    (Head { outcome: Outcome::Gap, version: number, ..Head::NOT_IN_FORCE }, None)
                }
                InForce::Version(number) => resolve_layer(layer, number, &words),
            };
            heads.push(head);
            acts.extend(figures.map(|figures| Act {
                limits: limits_of(policy, layer, head, facts, &words),
                layer: index as u8,
                stays: layer.slots.stays,
                takes_compliant: layer.benefit.base.take == BaseTake::Compliant,
                rounding: layer.benefit.rounding,
                figures,
            }));
        }
        Plan { heads: heads.into(), acts: acts.into() }
    }
}

/// The caps of the profile that holds, and the pool as far as it is there for this bill.
fn limits_of(policy: &Policy, layer: &Layer, head: Head, facts: &BillFacts, words: &Words) -> Limits {
    let amount = |cap: Option<Fen>| cap.map_or(i64::MAX, |cap| cap.0);
    let version = layer.benefit.versions.get(usize::from(head.version));
    let profile = version.and_then(|version| version.profiles.get(usize::from(head.profile)));
    let pool = layer.pool.and_then(|owner| {
        let layer = policy.layers.get(usize::from(owner))?;
        let epoch = policy.epoch(layer.benefit.date.day_of(facts));
        let InForce::Version(number) = policy.in_force(epoch, usize::from(owner)) else { return None };
        let (head, _) = resolve_layer(layer, number, words);
        let profiles = &layer.benefit.versions.get(usize::from(number))?.profiles;
        let profile = profiles.get(usize::from(head.profile)).filter(|_| head.outcome.applied())?;
        Some((layer.slots.paid, amount(profile.yearly_cap)))
    });
    let (pool, pool_holds) = pool.unwrap_or((NO_SLOT, i64::MAX));
    let bill = amount(profile.and_then(|profile| profile.bill_cap));
    Limits {
        paid: layer.slots.paid,
        year: amount(profile.and_then(|profile| profile.yearly_cap)),
        more: bill != i64::MAX || pool != NO_SLOT,
        bill,
        pool,
        pool_holds,
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
        Terms::Fixed(fixed) => Figures::Fixed(*fixed),
        Terms::CategoryLimit(limit) => {
            let remembers = if limit.limit_over == Over::Year { -1 } else { 0 };
            Figures::CategoryLimit(limit.clone(), (layer.slots.base, remembers))
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
    let piece = |segment: &Segment| Piece {
        from: segment.from.0.max(deductible),
        to: segment.to.0,
        numerator: (segment.numerator - points).max(0),
    };
    let pays = |piece: &Piece| piece.to > piece.from;
    Insured {
        before: (NO_SLOT, 0),
        base: NO_SLOT,
        deductible_used: NO_SLOT,
        remembers: false,
        deductible,
        pieces: segments.iter().map(piece).filter(pays).collect(),
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
        Plans { plans: Vec::new(), places: vec![0; PLACES].into(), epoch }
    }
}

impl Plans {
    /// The number of the plan for a bill; a plan that was made for an equal bill before serves again.
    #[inline(always)]
    pub(crate) fn find(&mut self, policy: &Policy, facts: &BillFacts, year: &YearAccumulators) -> usize {
        if !self.epoch.contains(facts.discharge) {
            self.epoch = LastEpoch::of(policy, facts.discharge);
        }
        let key = policy.asked.key(policy, facts, &Words::of(facts), year, self.epoch.number);
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
    (a[0] ^ b[0]) | (a[1] ^ b[1]) | (a[2] ^ b[2]) | (a[3] ^ b[3]) == 0
}

#[inline(always)]
const fn place_of(key: &Key) -> usize {
    let sum = key[0]
        .wrapping_mul(0x9E37_79B9_7F4A_7C15)
        .wrapping_add(key[1].wrapping_mul(0xC2B2_AE3D_27D4_EB4F))
        .wrapping_add(key[2].wrapping_mul(0x1656_67B1_9E37_79F9))
        .wrapping_add(key[3].wrapping_mul(0x27D4_EB2F_1656_67C5));
    let mixed = (sum ^ (sum >> 32)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (mixed >> 52) as usize
}
