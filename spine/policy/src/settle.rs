//! The arithmetic. All amounts are i64 fen; products that could pass 63 bits go through i128; each layer rounds once.

use kangmai_base::Fen;

use crate::benefit::gate_index;
use crate::policy::{InForce, Layer};
use crate::terms::{Ceiling, Graded, Share, Terms, Waiver};
use crate::trace::{Outcome, Step, Trace};
use crate::{
    BaseTake, BillFacts, DateBasis, FeeKind, MAX_LAYERS, Over, Policy, Rounding, Version, YearAccumulators,
};

/// What each layer pays, without the reasons.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Amounts {
    /// By layer, in the policy's order.
    pub pays: [Fen; MAX_LAYERS],
    /// What the person bears, out-of-catalogue cost included.
    pub own_share: Fen,
}

/// Settles one bill: what each layer pays and why. Moves the accumulators on.
///
/// `facts` should pass [`BillFacts::check`]; impossible amounts are taken as the nearest possible ones.
pub fn settle(policy: &Policy, facts: &BillFacts, year: &mut YearAccumulators) -> Trace {
    let mut trace = Trace::new(facts);
    settle_into(policy, facts, year, &mut trace);
    trace
}

/// As [`settle`], into a trace that is there already: without an allocation and without clearing what is not used.
pub fn settle_into(policy: &Policy, facts: &BillFacts, year: &mut YearAccumulators, trace: &mut Trace) {
    trace.facts = *facts;
    trace.before = *year;
    trace.length = policy.layers.len() as u8;
    let steps = &mut trace.steps;
    let bill = run(policy, facts, year, Start::default(), |index, step| steps[index] = step);
    trace.own_share = Fen(bill.own());
    trace.own_out_of_catalogue = Fen(bill.outside);
}

/// As [`settle`], amounts only.
pub fn settle_amounts(policy: &Policy, facts: &BillFacts, year: &mut YearAccumulators) -> Amounts {
    let mut pays = [Fen::ZERO; MAX_LAYERS];
    let bill = run(policy, facts, year, Start::default(), |index, step| pays[index] = step.pays);
    Amounts { pays, own_share: Fen(bill.own()) }
}

/// Settles the bills of one person-year in their order and hands each result to `with`.
pub fn settle_batch<'f>(
    policy: &Policy,
    bills: impl IntoIterator<Item = &'f BillFacts>,
    year: &mut YearAccumulators,
    mut with: impl FnMut(&'f BillFacts, &Amounts),
) {
    for facts in bills {
        with(facts, &settle_amounts(policy, facts, year));
    }
}

/// Where a bill stands between two layers.
struct Bill {
    compliant: i64,
    /// Compliant cost that nobody has paid yet.
    remaining: i64,
    /// Out-of-catalogue cost that nobody has waived yet.
    outside: i64,
    total: i64,
    /// The deductible used by each layer.
    deductibles: [i64; MAX_LAYERS],
}

impl Bill {
    const fn own(&self) -> i64 {
        self.remaining + self.outside
    }
}

/// A bill that does not start at its first layer, and layers left out: for the cases of packs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Start {
    /// The layers that take part, as bits.
    pub(crate) only: u16,
    /// What the compliant cost is taken to have left of it, if not all.
    pub(crate) remaining: Option<Fen>,
    /// The deductible that each layer is taken to have used before.
    pub(crate) deductible_used: Fen,
}

impl Default for Start {
    fn default() -> Start {
        Start { only: u16::MAX, remaining: None, deductible_used: Fen::ZERO }
    }
}

/// As [`settle`], from a given start.
pub(crate) fn settle_from(
    policy: &Policy,
    facts: &BillFacts,
    year: &mut YearAccumulators,
    start: Start,
) -> Trace {
    let mut trace = Trace::new(facts);
    trace.before = *year;
    trace.length = policy.layers.len() as u8;
    let steps = &mut trace.steps;
    let bill = run(policy, facts, year, start, |index, step| steps[index] = step);
    (trace.own_share, trace.own_out_of_catalogue) = (Fen(bill.own()), Fen(bill.outside));
    trace
}

#[inline(always)]
fn run(
    policy: &Policy,
    facts: &BillFacts,
    year: &mut YearAccumulators,
    start: Start,
    mut observe: impl FnMut(usize, Step),
) -> Bill {
    let total = facts.total.0.clamp(0, Fen::LIMIT.0);
    let compliant = facts.compliant.0.clamp(0, total);
    let unpaid = compliant - facts.already_paid.0.clamp(0, compliant);
    let mut bill = Bill {
        compliant,
        remaining: start.remaining.map_or(unpaid, |remaining| remaining.0.clamp(0, compliant)),
        outside: total - compliant,
        total,
        deductibles: [start.deductible_used.0; MAX_LAYERS],
    };
    let discharge = policy.epoch(facts.discharge);
    let gate = gate_index(facts);
    for (index, layer) in policy.layers.iter().enumerate() {
        let in_force = match layer.benefit.date {
            DateBasis::Discharge => discharge[index],
            DateBasis::Admission | DateBasis::Settlement => policy.epoch(layer.day_of(facts))[index],
        };
        let mut step = if start.only & (1 << index) == 0 {
            Step::EMPTY
        } else {
            match in_force {
                InForce::Version(version) => {
                    run_layer(layer, At { index, version, gate }, facts, year, &mut bill)
                }
                InForce::Gap(number) => Step { outcome: Outcome::Gap, version: number, ..Step::EMPTY },
                InForce::Nothing => Step::EMPTY,
            }
        };
        step.remaining = Fen(bill.remaining);
        observe(index, step);
    }
    bill
}

/// Which layer, which of its versions, and where in that version's gate.
struct At {
    index: usize,
    version: u8,
    gate: usize,
}

#[inline(always)]
fn run_layer(layer: &Layer, at: At, facts: &BillFacts, year: &mut YearAccumulators, bill: &mut Bill) -> Step {
    let At { index, version: number, gate } = at;
    let benefit = &*layer.benefit;
    let version = &benefit.versions[usize::from(number)];
    let stays = year.get(layer.slots.stays);
    let mut open = version.gate[gate];
    if open == 0 || !benefit.applies_rest.holds(facts, stays) {
        return not_applied(layer, number, facts, stays);
    }
    let profile = loop {
        if open == 0 {
            return not_applied(layer, number, facts, stays);
        }
        let candidate = open.trailing_zeros() as usize;
        if version.profiles[candidate].rest.holds(facts, stays) {
            break candidate;
        }
        open &= open - 1;
    };
    let mut step =
        Step { version: number, profile: profile as u8, outcome: Outcome::PaidNothing, ..Step::EMPTY };
    let base = match benefit.base.take {
        BaseTake::Compliant => bill.compliant,
        BaseTake::RemainingCompliant => bill.remaining,
    };
    step.base = Fen(base);
    match &version.profiles[profile].terms {
        Terms::DeductibleRatio(graded) => {
            deductible_ratio(layer, version, graded, facts, stays, &mut step);
            pay_insured(layer, graded.cap, year, bill, &mut step);
        }
        Terms::Tiers(graded) => {
            tiers(layer, version, graded, facts, year, &mut step);
            pay_insured(layer, graded.cap, year, bill, &mut step);
        }
        Terms::Share(share) => {
            share_of(layer, version, share, facts, year, &mut step);
            pay_insured(layer, share.cap, year, bill, &mut step);
        }
        Terms::Ceiling(ceiling) => pay_ceiling(benefit.rounding, *ceiling, bill, &mut step),
        Terms::Waiver(waiver) => {
            let waived = layer.waives.map_or(0, |waives| bill.deductibles[usize::from(waives)]);
            pay_waiver(benefit.rounding, waiver, waived, facts, bill, &mut step);
        }
    }
    bill.deductibles[index] = step.deductible_used.0;
    if layer.slots.stays.is_some() && facts.setting == crate::Setting::Inpatient {
        year.add(layer.slots.stays, 1);
    }
    step
}

/// Why a layer is not for this bill.
#[cold]
fn not_applied(layer: &Layer, number: u8, facts: &BillFacts, stays: i64) -> Step {
    match layer.benefit.applies.first_failure(facts, stays) {
        Some(failed) => Step { outcome: Outcome::NotEntitled, version: number, failed, ..Step::EMPTY },
        None => Step { outcome: Outcome::NoProfile, version: number, ..Step::EMPTY },
    }
}

/// The numerator of what is paid on `low..high`, with `points` (over the same denominator) off each ratio.
#[inline(always)]
fn numerator_of(graded: &Graded, low: i64, high: i64, points: i64) -> i128 {
    if graded.small {
        let mut sum: i64 = 0;
        for segment in &graded.segments {
            sum += segment.overlap(low, high) * (segment.numerator - points).max(0);
        }
        i128::from(sum)
    } else {
        let exact = |segment: &crate::Segment| {
            i128::from(segment.overlap(low, high)) * i128::from((segment.numerator - points).max(0))
        };
        graded.segments.iter().map(exact).sum()
    }
}

/// The points that the ratio rules take off, over `denominator`, and which rules held.
#[inline(always)]
fn points_of(version: &Version, denominator: i64, facts: &BillFacts, stays: i64) -> (i64, u8) {
    let (mut points, mut held) = (0, 0);
    for (bit, rule) in version.ratio_rules.iter().enumerate() {
        if rule.when.holds(facts, stays) {
            points += rule.rate.numerator() * (denominator / rule.rate.denominator());
            held |= 1 << bit;
        }
    }
    (points, held)
}

#[inline(always)]
fn changed_deductible(
    version: &Version,
    deductible: Fen,
    facts: &BillFacts,
    stays: i64,
    step: &mut Step,
) -> i64 {
    step.deductible = deductible;
    if deductible != Fen::ZERO {
        for (number, rule) in version.deductible_rules.iter().enumerate() {
            if rule.when.holds(facts, stays) {
                step.deductible_rule = number as u8;
                step.deductible = rule.rate.of(deductible);
                break;
            }
        }
    }
    step.deductible.0
}

#[inline(always)]
fn deductible_ratio(
    layer: &Layer,
    version: &Version,
    graded: &Graded,
    facts: &BillFacts,
    stays: i64,
    step: &mut Step,
) {
    let deductible = changed_deductible(version, graded.deductible, facts, stays, step);
    let base = step.base.0;
    step.deductible_used = Fen(deductible.min(base));
    let (points, held) = points_of(version, graded.denominator, facts, stays);
    step.ratio_rules = held;
    step.numerator = numerator_of(graded, deductible, base, points);
    step.denominator = graded.denominator;
    step.rounded = Fen(rounded(layer.benefit.rounding, step.numerator, graded.denominator));
}

#[inline(always)]
fn tiers(
    layer: &Layer,
    version: &Version,
    graded: &Graded,
    facts: &BillFacts,
    year: &mut YearAccumulators,
    step: &mut Step,
) {
    let before = match layer.benefit.base.over {
        Over::Year => year.get(layer.slots.base),
        Over::Bill => 0,
    };
    let after = before + step.base.0;
    step.before = Fen(before);
    step.deductible = graded.deductible;
    step.deductible_used = Fen((graded.deductible.0 - before).clamp(0, step.base.0));
    let (points, held) = points_of(version, graded.denominator, facts, year.get(layer.slots.stays));
    step.ratio_rules = held;
    step.numerator = numerator_of(graded, before, after, points);
    step.denominator = graded.denominator;
    step.rounded = Fen(rounded(layer.benefit.rounding, step.numerator, graded.denominator));
    year.add(layer.slots.base, step.base.0);
}

#[inline(always)]
fn share_of(
    layer: &Layer,
    version: &Version,
    share: &Share,
    facts: &BillFacts,
    year: &mut YearAccumulators,
    step: &mut Step,
) {
    let stays = year.get(layer.slots.stays);
    let deductible = changed_deductible(version, share.deductible, facts, stays, step);
    if share.deductible_over == Over::Year {
        step.before = Fen(year.get(layer.slots.deductible));
    }
    step.deductible_used = Fen((deductible - step.before.0).clamp(0, step.base.0));
    let (points, held) = points_of(version, share.denominator, facts, stays);
    step.ratio_rules = held;
    let payable = step.base.0 - step.deductible_used.0;
    step.numerator = i128::from(payable) * i128::from((share.segment.numerator - points).max(0));
    step.denominator = share.denominator;
    step.rounded = Fen(rounded(layer.benefit.rounding, step.numerator, share.denominator));
    year.add(layer.slots.deductible, step.deductible_used.0);
}

/// Pays within the cap of the year and within what is left.
#[inline(always)]
fn pay_insured(
    layer: &Layer,
    cap: Option<Fen>,
    year: &mut YearAccumulators,
    bill: &mut Bill,
    step: &mut Step,
) {
    let mut pays = step.rounded.0.min(bill.remaining);
    if let Some(cap) = cap {
        let room = (cap.0 - year.get(layer.slots.paid)).max(0);
        step.cap_room = Some(Fen(room));
        pays = pays.min(room);
    }
    step.pays = Fen(pays);
    bill.remaining -= pays;
    year.add(layer.slots.paid, pays);
    step.outcome = if pays > 0 {
        Outcome::Paid
    } else if step.base.0 == 0 {
        Outcome::NothingLeft
    } else if step.cap_room == Some(Fen::ZERO) {
        Outcome::CapExhausted
    } else if step.deductible_used.0 == step.base.0 {
        Outcome::BelowDeductible
    } else {
        Outcome::PaidNothing
    };
}

#[inline(always)]
fn pay_ceiling(rounding: Rounding, ceiling: Ceiling, bill: &mut Bill, step: &mut Step) {
    let whole = if ceiling.of_total { bill.total } else { bill.compliant };
    let left = if ceiling.of_total { bill.own() } else { bill.remaining };
    step.base = Fen(whole);
    step.before = Fen(whole - left);
    step.numerator = i128::from(whole) * i128::from(ceiling.rate.numerator());
    step.denominator = ceiling.rate.denominator();
    let promised = rounded(rounding, step.numerator, step.denominator);
    step.rounded = Fen(promised);
    let missing = if ceiling.of_own_share { left - promised } else { promised - (whole - left) };
    let pays = missing.clamp(0, bill.remaining);
    step.pays = Fen(pays);
    bill.remaining -= pays;
    if pays > 0 {
        step.outcome = Outcome::Paid;
    }
}

#[inline(always)]
fn pay_waiver(
    rounding: Rounding,
    waiver: &Waiver,
    deductible: i64,
    facts: &BillFacts,
    bill: &mut Bill,
    step: &mut Step,
) {
    let before = bill.own();
    step.base = Fen(before);
    let waived = deductible.clamp(0, bill.remaining);
    bill.remaining -= waived;
    step.deductible_used = Fen(waived);
    for fee in &waiver.fees {
        waive_fee(facts, *fee, bill);
    }
    step.fees = Fen(before - waived - bill.own());
    let rest = if waiver.discount_of_own { bill.own() } else { bill.remaining };
    step.before = Fen(rest);
    step.numerator = i128::from(rest) * i128::from(waiver.discount.numerator());
    step.denominator = waiver.discount.denominator();
    let discount = rounded(rounding, step.numerator, step.denominator).clamp(0, rest);
    step.rounded = Fen(discount);
    let from_compliant = discount.min(bill.remaining);
    bill.remaining -= from_compliant;
    bill.outside -= discount - from_compliant;
    step.pays = Fen(before - bill.own());
    step.outcome = if step.pays.0 > 0 {
        Outcome::Paid
    } else if before == 0 {
        Outcome::NothingLeft
    } else {
        Outcome::PaidNothing
    };
}

/// Waives one named fee, as far as the person still bears it. A named fee (挂号费, 救护车接送费) is taken to lie outside
/// the catalogues as far as anything on the bill does.
#[inline(always)]
fn waive_fee(facts: &BillFacts, fee: FeeKind, bill: &mut Bill) {
    let charged = facts.fees[fee as usize].0.max(0);
    let from_outside = charged.min(bill.outside);
    bill.outside -= from_outside;
    bill.remaining -= (charged - from_outside).min(bill.remaining);
}

/// A quotient brought to money; all numerators are at least zero.
#[inline(always)]
fn rounded(rounding: Rounding, numerator: i128, denominator: i64) -> i64 {
    let (unit, half) = match rounding {
        Rounding::HalfUp(unit) => (unit, None),
        Rounding::Down(unit) => (unit, Some(0)),
        Rounding::Up(unit) => (unit, Some(denominator * unit - 1)),
    };
    let divisor = denominator * unit;
    let added = half.unwrap_or(divisor / 2);
    let quotient = match u64::try_from(numerator) {
        // By far the most ratios are whole per cents: a division by a constant is a multiplication.
        Ok(small) if small < u64::MAX / 2 && divisor == 100 => (small + added as u64) / 100,
        Ok(small) if small < u64::MAX / 2 => (small + added as u64) / divisor as u64,
        _ => ((numerator + i128::from(added)) / i128::from(divisor)) as u64,
    };
    quotient as i64 * unit
}
