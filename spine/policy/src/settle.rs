//! The arithmetic. All amounts are i64 fen; products that could pass 63 bits go through i128; each layer rounds once.

use kangmai_base::Fen;

use crate::benefit::gate_index;
use crate::policy::{InForce, Running};
use crate::predicate::Words;
use crate::terms::{Ceiling, Graded, Share, Terms, Waiver};
use crate::trace::{Outcome, Step, Trace};
use crate::{
    BillFacts, DateBasis, FeeKind, MAX_LAYERS, Over, Policy, Profile, Rounding, Segment, Setting, Version,
    YearAccumulators,
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
    settle_from(policy, facts, year, Start::default(), trace);
}

/// As [`settle`], amounts only.
pub fn settle_amounts(policy: &Policy, facts: &BillFacts, year: &mut YearAccumulators) -> Amounts {
    let mut pays = [Fen::ZERO; MAX_LAYERS];
    let mut unused = Step::EMPTY;
    let mut bill = Bill::new(facts, Start::default());
    for (index, layer) in policy.epoch(facts.discharge).iter().enumerate() {
        pays[index] = Fen(run_layer::<false>(policy, (index, layer), facts, year, &mut bill, &mut unused));
    }
    year.clear_unused();
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

/// As [`settle_into`], from a given start.
pub(crate) fn settle_from(
    policy: &Policy,
    facts: &BillFacts,
    year: &mut YearAccumulators,
    start: Start,
    trace: &mut Trace,
) {
    trace.facts = *facts;
    trace.before = *year;
    trace.length = policy.layers.len() as u8;
    let mut bill = Bill::new(facts, start);
    for (index, (layer, step)) in policy.epoch(facts.discharge).iter().zip(&mut trace.steps).enumerate() {
        if start.only & (1 << index) == 0 {
            *step = Step::EMPTY;
        } else {
            run_layer::<true>(policy, (index, layer), facts, year, &mut bill, step);
        }
        step.remaining = Fen(bill.remaining);
    }
    year.clear_unused();
    trace.own_share = Fen(bill.own());
    trace.own_out_of_catalogue = Fen(bill.outside);
}

/// Where a bill stands between two layers.
struct Bill {
    total: i64,
    compliant: i64,
    /// Compliant cost that nobody has paid yet.
    remaining: i64,
    /// Out-of-catalogue cost that nobody has waived yet.
    outside: i64,
    /// The deductible used by each layer.
    deductibles: [i64; MAX_LAYERS],
    words: Words,
    gate: usize,
}

impl Bill {
    #[inline(always)]
    fn new(facts: &BillFacts, start: Start) -> Bill {
        let total = facts.total.0.clamp(0, Fen::LIMIT.0);
        let compliant = facts.compliant.0.clamp(0, total);
        let unpaid = compliant - facts.already_paid.0.clamp(0, compliant);
        Bill {
            total,
            compliant,
            remaining: start.remaining.map_or(unpaid, |remaining| remaining.0.clamp(0, compliant)),
            outside: total - compliant,
            deductibles: [start.deductible_used.0; MAX_LAYERS],
            words: Words::of(facts),
            gate: gate_index(facts),
        }
    }

    const fn own(&self) -> i64 {
        self.remaining + self.outside
    }
}

/// The version and the profile that a layer runs by.
type Rules<'v> = (&'v Version, &'v Profile);

/// What holds of a layer on the day that its date basis names.
#[inline(always)]
fn in_force<'p>(policy: &'p Policy, (index, layer): (usize, &'p Running), facts: &BillFacts) -> &'p InForce {
    match layer.date {
        DateBasis::Discharge => &layer.in_force,
        DateBasis::Admission | DateBasis::Settlement => policy
            .epoch(layer.date.day_of(facts))
            .get(index)
            .map_or(&InForce::Nothing, |other| &other.in_force),
    }
}

/// The number of the first profile whose condition holds, if the layer is for this bill at all.
#[inline(always)]
fn profile_of(layer: &Running, version: &Version, bill: &Bill) -> Option<usize> {
    let mut open = version.gate[bill.gate];
    if open == 0 || !layer.applies.met(&bill.words) {
        return None;
    }
    while open != 0 {
        let candidate = open.trailing_zeros() as usize;
        if version.profiles[candidate].rest.met(&bill.words) {
            return Some(candidate);
        }
        open &= open - 1;
    }
    None
}

/// Runs one layer and answers what it pays. Writes `step` only if `TRACE`.
#[inline(always)]
fn run_layer<const TRACE: bool>(
    policy: &Policy,
    (index, layer): (usize, &Running),
    facts: &BillFacts,
    year: &mut YearAccumulators,
    bill: &mut Bill,
    step: &mut Step,
) -> i64 {
    if TRACE {
        *step = Step::EMPTY;
    }
    let (number, version) = match in_force(policy, (index, layer), facts) {
        InForce::Version(number, version) => (*number, &**version),
        InForce::Gap(number) => {
            if TRACE {
                (step.outcome, step.version) = (Outcome::Gap, *number);
            }
            return 0;
        }
        InForce::Nothing => return 0,
    };
    if layer.counts_stays {
        bill.words.set_stays(year.get(layer.slots.stays));
    }
    let Some(profile) = profile_of(layer, version, bill) else {
        if TRACE {
            say_not_applied(policy, (index, number), facts, year.get(layer.slots.stays), step);
        }
        return 0;
    };
    if TRACE {
        (step.outcome, step.version, step.profile) = (Outcome::PaidNothing, number, profile as u8);
    }
    let base = if layer.takes_compliant { bill.compliant } else { bill.remaining };
    let rules: Rules<'_> = (version, &version.profiles[profile]);
    let (pays, deductible_used) = match &rules.1.terms {
        Terms::DeductibleRatio(graded) => {
            let asked = deductible_ratio::<TRACE>(layer, rules, graded, (base, bill), step);
            (pay_insured::<TRACE>(layer, graded.cap, year, (base, asked), bill, step), asked.deductible_used)
        }
        Terms::Tiers(graded) => {
            let asked = tiers::<TRACE>(layer, rules, graded, year, (base, bill), step);
            (pay_insured::<TRACE>(layer, graded.cap, year, (base, asked), bill, step), asked.deductible_used)
        }
        Terms::Share(share) => {
            let asked = share_of::<TRACE>(layer, rules, share, year, (base, bill), step);
            (pay_insured::<TRACE>(layer, share.cap, year, (base, asked), bill, step), asked.deductible_used)
        }
        Terms::Ceiling(ceiling) => (pay_ceiling::<TRACE>(layer, ceiling, bill, step), 0),
        Terms::Waiver(waiver) => {
            let waived = bill.deductibles.get(usize::from(layer.waives)).copied().unwrap_or(0);
            (pay_waiver::<TRACE>(layer, waiver, waived, facts, bill, step), 0)
        }
    };
    bill.deductibles[index] = deductible_used;
    if layer.counts_stays {
        year.add(layer.slots.stays, i64::from(facts.setting == Setting::Inpatient));
    }
    pays
}

/// Why a layer is not for this bill.
fn say_not_applied(
    policy: &Policy,
    (index, number): (usize, u8),
    facts: &BillFacts,
    stays: i64,
    step: &mut Step,
) {
    step.version = number;
    let applies = policy.layers.get(index).map(|layer| &layer.benefit.applies);
    match applies.and_then(|applies| applies.first_failure(facts, stays)) {
        Some(failed) => (step.outcome, step.failed) = (Outcome::NotEntitled, failed),
        None => step.outcome = Outcome::NoProfile,
    }
}

/// What a layer would pay before its cap and before what is left.
#[derive(Clone, Copy)]
struct Asked {
    rounded: i64,
    deductible_used: i64,
}

/// What is paid on `low..high` with `points` off each ratio, rounded; the exact amount goes into the trace.
#[inline(always)]
fn graded_amount<const TRACE: bool>(
    layer: &Running,
    graded: &Graded,
    (low, high): (i64, i64),
    points: i64,
    step: &mut Step,
) -> i64 {
    if !graded.small {
        return graded_amount_wide(layer.rounding, graded, (low, high), points, step);
    }
    let mut sum: i64 = 0;
    if points == 0 {
        for segment in &graded.segments {
            sum += segment.overlap(low, high) * segment.numerator;
        }
    } else {
        for segment in &graded.segments {
            sum += segment.overlap(low, high) * (segment.numerator - points).max(0);
        }
    }
    let amount = if layer.is_plain & graded.is_percent {
        percent(sum)
    } else {
        rounded_otherwise(layer.rounding, i128::from(sum), graded.denominator)
    };
    if TRACE {
        say_exact(step, i128::from(sum), graded.denominator, amount);
    }
    amount
}

/// As above, where a product could pass 63 bits.
#[cold]
fn graded_amount_wide(
    rounding: Rounding,
    graded: &Graded,
    (low, high): (i64, i64),
    points: i64,
    step: &mut Step,
) -> i64 {
    let exact = |segment: &Segment| {
        i128::from(segment.overlap(low, high)) * i128::from((segment.numerator - points).max(0))
    };
    let sum = graded.segments.iter().map(exact).sum();
    let amount = rounded_otherwise(rounding, sum, graded.denominator);
    say_exact(step, sum, graded.denominator, amount);
    amount
}

/// The points that the ratio rules take off, over the terms' denominator.
#[inline(always)]
fn points_of<const TRACE: bool>((version, profile): Rules<'_>, bill: &Bill, step: &mut Step) -> i64 {
    let mut points = 0;
    for (bit, (rule, off)) in version.ratio_rules.iter().zip(&profile.points).enumerate() {
        let holds = rule.when.met(&bill.words);
        points += i64::from(holds) * off;
        if TRACE {
            step.ratio_rules |= u8::from(holds) << bit;
        }
    }
    points
}

/// The deductible under the first rule that holds.
#[inline(always)]
fn changed_deductible<const TRACE: bool>(
    (version, profile): Rules<'_>,
    deductible: Fen,
    bill: &Bill,
    step: &mut Step,
) -> i64 {
    let mut changed = deductible.0;
    if deductible != Fen::ZERO {
        for (number, (rule, to)) in version.deductible_rules.iter().zip(&profile.changed).enumerate() {
            if rule.when.met(&bill.words) {
                changed = *to;
                if TRACE {
                    step.deductible_rule = number as u8;
                }
                break;
            }
        }
    }
    if TRACE {
        step.deductible = Fen(changed);
    }
    changed
}

#[inline(always)]
fn say_exact(step: &mut Step, numerator: i128, denominator: i64, rounded: i64) {
    (step.numerator, step.denominator, step.rounded) = (numerator, denominator, Fen(rounded));
}

#[inline(always)]
fn deductible_ratio<const TRACE: bool>(
    layer: &Running,
    rules: Rules<'_>,
    graded: &Graded,
    (base, bill): (i64, &Bill),
    step: &mut Step,
) -> Asked {
    let deductible = changed_deductible::<TRACE>(rules, graded.deductible, bill, step);
    let points = points_of::<TRACE>(rules, bill, step);
    let rounded = graded_amount::<TRACE>(layer, graded, (deductible, base), points, step);
    Asked { rounded, deductible_used: deductible.min(base) }
}

#[inline(always)]
fn tiers<const TRACE: bool>(
    layer: &Running,
    rules: Rules<'_>,
    graded: &Graded,
    year: &mut YearAccumulators,
    (base, bill): (i64, &Bill),
    step: &mut Step,
) -> Asked {
    let before = if layer.over_year { year.get(layer.slots.base) } else { 0 };
    let points = points_of::<TRACE>(rules, bill, step);
    let rounded = graded_amount::<TRACE>(layer, graded, (before, before + base), points, step);
    year.add(layer.slots.base, base);
    if TRACE {
        (step.before, step.deductible) = (Fen(before), graded.deductible);
    }
    Asked { rounded, deductible_used: (graded.deductible.0 - before).clamp(0, base) }
}

#[inline(always)]
fn share_of<const TRACE: bool>(
    layer: &Running,
    rules: Rules<'_>,
    share: &Share,
    year: &mut YearAccumulators,
    (base, bill): (i64, &Bill),
    step: &mut Step,
) -> Asked {
    let deductible = changed_deductible::<TRACE>(rules, share.deductible, bill, step);
    let before = match share.deductible_over {
        Over::Year if deductible > 0 => year.get(layer.slots.deductible),
        Over::Year | Over::Bill => 0,
    };
    let deductible_used = (deductible - before).clamp(0, base);
    let points = points_of::<TRACE>(rules, bill, step);
    let ratio = (share.segment.numerator - points).max(0);
    let payable = base - deductible_used;
    let rounded = times(layer, payable, ratio, share.denominator);
    year.add(layer.slots.deductible, deductible_used);
    if TRACE {
        step.before = Fen(before);
        say_exact(step, i128::from(payable) * i128::from(ratio), share.denominator, rounded);
    }
    Asked { rounded, deductible_used }
}

/// Pays within the cap of the year and within what is left.
#[inline(always)]
fn pay_insured<const TRACE: bool>(
    layer: &Running,
    cap: Option<Fen>,
    year: &mut YearAccumulators,
    (base, asked): (i64, Asked),
    bill: &mut Bill,
    step: &mut Step,
) -> i64 {
    let room = cap.map_or(i64::MAX, |cap| (cap.0 - year.get(layer.slots.paid)).max(0));
    let pays = asked.rounded.min(bill.remaining).min(room);
    bill.remaining -= pays;
    year.add(layer.slots.paid, pays);
    if TRACE {
        (step.base, step.deductible_used, step.pays) = (Fen(base), Fen(asked.deductible_used), Fen(pays));
        step.cap_room = cap.map(|_| Fen(room));
        step.outcome = if pays > 0 {
            Outcome::Paid
        } else if base == 0 {
            Outcome::NothingLeft
        } else if room == 0 {
            Outcome::CapExhausted
        } else if asked.deductible_used == base {
            Outcome::BelowDeductible
        } else {
            Outcome::PaidNothing
        };
    }
    pays
}

#[inline(always)]
fn pay_ceiling<const TRACE: bool>(
    layer: &Running,
    ceiling: &Ceiling,
    bill: &mut Bill,
    step: &mut Step,
) -> i64 {
    let whole = if ceiling.of_total { bill.total } else { bill.compliant };
    let left = if ceiling.of_total { bill.own() } else { bill.remaining };
    let promised = times(layer, whole, ceiling.scale.numerator, ceiling.scale.denominator);
    let missing = if ceiling.of_own_share { left - promised } else { promised - (whole - left) };
    let pays = missing.clamp(0, bill.remaining);
    bill.remaining -= pays;
    if TRACE {
        (step.base, step.before, step.pays) = (Fen(whole), Fen(whole - left), Fen(pays));
        let exact = i128::from(whole) * i128::from(ceiling.scale.numerator);
        say_exact(step, exact, ceiling.scale.denominator, promised);
        if pays > 0 {
            step.outcome = Outcome::Paid;
        }
    }
    pays
}

#[inline(always)]
fn pay_waiver<const TRACE: bool>(
    layer: &Running,
    waiver: &Waiver,
    deductible: i64,
    facts: &BillFacts,
    bill: &mut Bill,
    step: &mut Step,
) -> i64 {
    let before = bill.own();
    let waived = deductible.clamp(0, bill.remaining);
    bill.remaining -= waived;
    for fee in &waiver.fees {
        waive_fee(facts, *fee, bill);
    }
    let fees = before - waived - bill.own();
    let rest = if waiver.discount_of_own { bill.own() } else { bill.remaining };
    let discount = times(layer, rest, waiver.scale.numerator, waiver.scale.denominator).clamp(0, rest);
    let from_compliant = discount.min(bill.remaining);
    bill.remaining -= from_compliant;
    bill.outside -= discount - from_compliant;
    let pays = before - bill.own();
    if TRACE {
        (step.base, step.before, step.pays) = (Fen(before), Fen(rest), Fen(pays));
        (step.deductible_used, step.fees) = (Fen(waived), Fen(fees));
        let exact = i128::from(rest) * i128::from(waiver.scale.numerator);
        say_exact(step, exact, waiver.scale.denominator, discount);
        if pays > 0 {
            step.outcome = Outcome::Paid;
        } else if before == 0 {
            step.outcome = Outcome::NothingLeft;
        }
    }
    pays
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

/// An amount of at most [`Fen::LIMIT`] times a ratio, brought to money.
#[inline(always)]
fn times(layer: &Running, amount: i64, numerator: i64, denominator: i64) -> i64 {
    if layer.is_plain & (denominator == 100) {
        // A whole per cent of an amount within the limit fits 63 bits.
        percent(amount * numerator)
    } else {
        rounded_otherwise(layer.rounding, i128::from(amount) * i128::from(numerator), denominator)
    }
}

/// Hundredths, half up. By far the most ratios are whole per cents, and a division by a constant is a multiplication.
#[inline(always)]
const fn percent(hundredths: i64) -> i64 {
    ((hundredths as u64 + 50) / 100) as i64
}

/// A quotient brought to money; all numerators are at least zero.
fn rounded_otherwise(rounding: Rounding, numerator: i128, denominator: i64) -> i64 {
    let (unit, added) = match rounding {
        Rounding::HalfUp(unit) => (unit, denominator * unit / 2),
        Rounding::Down(unit) => (unit, 0),
        Rounding::Up(unit) => (unit, denominator * unit - 1),
    };
    let quotient = (numerator + i128::from(added)) / i128::from(denominator * unit);
    i64::try_from(quotient).unwrap_or(i64::MAX).saturating_mul(unit)
}
