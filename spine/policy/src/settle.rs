//! The arithmetic. All amounts are i64 fen; products that could pass 63 bits go through i128; each layer rounds once.

use kangmai_base::Fen;

use crate::benefit::round;
use crate::plan::{Act, Figures, Insured, Limits, Plan, Plans, Rarer};
use crate::trace::{Cap, Outcome, Step, Trace};
use crate::{
    BillFacts, CategoryLimit, Ceiling, FeeKind, Fixed, MAX_LAYERS, Policy, Rounding, Setting, Waiver,
    YearAccumulators,
};

/// What each layer pays, without the reasons.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Amounts {
    /// By layer, in the policy's order.
    pub pays: [Fen; MAX_LAYERS],
    /// What the person bears, out-of-catalogue cost included.
    pub own_share: Fen,
    /// What of it lies outside the catalogues.
    pub own_out_of_catalogue: Fen,
}

/// Settles one bill: what each layer pays and why. Moves the accumulators on.
///
/// `facts` should pass [`BillFacts::check`]; impossible amounts are taken as the nearest possible ones.
pub fn settle(policy: &Policy, facts: &BillFacts, year: &mut YearAccumulators) -> Trace {
    let mut trace = Trace::new(facts);
    settle_from(policy, facts, year, Start::default(), &mut trace);
    trace
}

/// Settles many bills under one policy: it asks the conditions once for all bills that are alike in what is asked.
#[derive(Debug)]
pub struct Settler<'p> {
    policy: &'p Policy,
    plans: Plans,
}

impl<'p> Settler<'p> {
    /// For bills under `policy`.
    pub fn new(policy: &'p Policy) -> Settler<'p> {
        Settler { policy, plans: Plans::default() }
    }

    /// The policy.
    pub const fn policy(&self) -> &'p Policy {
        self.policy
    }

    /// As [`settle`], into a trace that is there already: without an allocation and without clearing what is not used.
    pub fn settle_into(&mut self, facts: &BillFacts, year: &mut YearAccumulators, trace: &mut Trace) {
        let number = self.plans.find(self.policy, facts, year);
        run_traced(self.plans.get(number), facts, year, Bill::new(facts), trace);
    }

    /// As [`settle`], amounts only.
    pub fn amounts(&mut self, facts: &BillFacts, year: &mut YearAccumulators) -> Amounts {
        let number = self.plans.find(self.policy, facts, year);
        let mut amounts =
            Amounts { pays: [Fen::ZERO; MAX_LAYERS], own_share: Fen::ZERO, own_out_of_catalogue: Fen::ZERO };
        let mut unused = Step::EMPTY;
        let plan = self.plans.get(number);
        let mut bill = Bill::new(facts);
        for act in &plan.acts {
            let pays = run_act::<false>(act, facts, year, &mut bill, &mut unused);
            amounts.pays[usize::from(act.layer) & (MAX_LAYERS - 1)] = Fen(pays);
        }
        count_stay(plan, facts, year);
        amounts.own_share = Fen(bill.own());
        amounts.own_out_of_catalogue = Fen(bill.outside);
        amounts
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

/// As [`settle`], from a given start and into a given trace.
pub(crate) fn settle_from(
    policy: &Policy,
    facts: &BillFacts,
    year: &mut YearAccumulators,
    start: Start,
    trace: &mut Trace,
) {
    let plan = Plan::resolve_some(policy, facts, year, start.only);
    let mut bill = Bill::new(facts);
    if let Some(remaining) = start.remaining {
        bill.remaining = remaining.0.clamp(0, bill.compliant);
    }
    bill.deductibles = [start.deductible_used.0; MAX_LAYERS];
    run_traced(&plan, facts, year, bill, trace);
}

#[inline(always)]
fn run_traced(
    plan: &Plan,
    facts: &BillFacts,
    year: &mut YearAccumulators,
    mut bill: Bill,
    trace: &mut Trace,
) {
    trace.facts = *facts;
    trace.before = *year;
    trace.length = (plan.acts.len() + plan.others.len()) as u8;
    let before = bill.remaining;
    for act in &plan.acts {
        let step = &mut trace.steps[usize::from(act.layer) & (MAX_LAYERS - 1)];
        run_act::<true>(act, facts, year, &mut bill, step);
    }
    for (layer, head) in &plan.others {
        let earlier = usize::from(*layer).checked_sub(1).and_then(|earlier| trace.steps.get(earlier));
        let remaining = earlier.map_or(Fen(before), |step| step.remaining);
        trace.steps[usize::from(*layer) & (MAX_LAYERS - 1)] = Step { remaining, ..Step::of(head) };
    }
    count_stay(plan, facts, year);
    trace.own_share = Fen(bill.own());
    trace.own_out_of_catalogue = Fen(bill.outside);
}

/// Counts a stay for the benefits that do, and forgets what was added where there is no accumulator.
#[inline(always)]
fn count_stay(plan: &Plan, facts: &BillFacts, year: &mut YearAccumulators) {
    let mut stays = plan.stays;
    while stays != 0 {
        year.add(stays.trailing_zeros() as u8, i64::from(facts.setting == Setting::Inpatient));
        stays &= stays - 1;
    }
    year.clear_unused();
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
}

impl Bill {
    #[inline(always)]
    fn new(facts: &BillFacts) -> Bill {
        let total = facts.total.0.clamp(0, Fen::LIMIT.0);
        let compliant = facts.compliant.0.clamp(0, total);
        Bill {
            total,
            compliant,
            remaining: compliant - facts.already_paid.0.clamp(0, compliant),
            outside: total - compliant,
            deductibles: [0; MAX_LAYERS],
        }
    }

    const fn own(&self) -> i64 {
        self.remaining + self.outside
    }
}

/// Runs one layer and answers what it pays. Writes `step` only if `TRACE`.
#[inline(always)]
fn run_act<const TRACE: bool>(
    act: &Act,
    facts: &BillFacts,
    year: &mut YearAccumulators,
    bill: &mut Bill,
    step: &mut Step,
) -> i64 {
    match &act.figures {
        Figures::Insured(insured) => pay_insured::<TRACE>(act, insured, year, bill, step),
        Figures::Waiver(waiver, whose) => {
            let waived = bill.deductibles.get(usize::from(*whose)).copied().unwrap_or(0);
            pay_waiver::<TRACE>(act, waiver, waived, facts, bill, step)
        }
        Figures::Ceiling(ceiling) => pay_ceiling::<TRACE>(act, ceiling, bill, step),
        Figures::Rarer(rarer) => match &**rarer {
            Rarer::Fixed(fixed) => pay_fixed::<TRACE>(act, fixed, facts, year, bill, step),
            Rarer::CategoryLimit(limit, before) => {
                pay_category::<TRACE>(act, (limit, *before), facts, year, bill, step)
            }
        },
    }
}

/// Pays what lies in each piece times its ratio, within the cap of the year and within what is left.
#[inline(always)]
fn pay_insured<const TRACE: bool>(
    act: &Act,
    insured: &Insured,
    year: &mut YearAccumulators,
    bill: &mut Bill,
    step: &mut Step,
) -> i64 {
    let base = if act.takes_compliant { bill.compliant } else { bill.remaining };
    let before = if insured.remembers { year.get(insured.before.0) & insured.before.1 } else { 0 };
    let (numerator, asked) = graded_amount(act, insured, (before, before + base));
    let deductible_used = (insured.deductible - before).clamp(0, base);
    let (pays, room) = pay_within(&act.limits, asked, year, bill);
    bill.deductibles[usize::from(act.layer) & (MAX_LAYERS - 1)] = deductible_used;
    if insured.remembers {
        year.add(insured.base, base);
        year.add(insured.deductible_used, deductible_used);
    }
    if TRACE {
        let outcome = outcome_of(pays, base, room.0, deductible_used == base);
        *step = Step {
            outcome,
            base: Fen(base),
            before: Fen(before),
            deductible: Fen(insured.deductible),
            deductible_used: Fen(deductible_used),
            numerator,
            denominator: insured.denominator,
            rounded: Fen(asked),
            cap_room: (room.0 < NO_LIMIT).then_some(Fen(room.0)),
            cap: room.1,
            pays: Fen(pays),
            remaining: Fen(bill.remaining),
            ..Step::of(&act.head)
        };
    }
    pays
}

/// No limit is a number so large that what was used of it does not bring it below this.
const NO_LIMIT: i64 = i64::MAX / 2;

/// Pays within what is left and within all limits; answers what is paid, and the narrowest limit with what it held.
#[inline(always)]
fn pay_within(
    limits: &Limits,
    asked: i64,
    year: &mut YearAccumulators,
    bill: &mut Bill,
) -> (i64, (i64, Cap)) {
    // Neither leaves 63 bits: a cap is at most `NO_CAP`, and what is used of a year at most a quarter of them.
    let used = year.get(limits.paid);
    let mut room = (limits.year.wrapping_sub(used).max(0), Cap::Year);
    if let Some(more) = &limits.more {
        let pool = more.pool_holds.wrapping_sub(year.get(more.pool)).max(0);
        if more.bill < room.0 {
            room = (more.bill, Cap::Bill);
        }
        if pool < room.0 {
            room = (pool, Cap::Pool);
        }
    }
    let pays = asked.min(bill.remaining).min(room.0);
    bill.remaining -= pays;
    year.put(limits.paid, used.wrapping_add(pays));
    if let Some(more) = &limits.more {
        year.add(more.pool, pays);
    }
    (pays, room)
}

const fn outcome_of(pays: i64, base: i64, room: i64, all_deducted: bool) -> Outcome {
    if pays > 0 {
        Outcome::Paid
    } else if base == 0 {
        Outcome::NothingLeft
    } else if room == 0 {
        Outcome::CapExhausted
    } else if all_deducted {
        Outcome::BelowDeductible
    } else {
        Outcome::PaidNothing
    }
}

/// Pays an amount whatever the bill cost, as far as something is left.
#[inline(never)]
fn pay_fixed<const TRACE: bool>(
    act: &Act,
    fixed: &Fixed,
    facts: &BillFacts,
    year: &mut YearAccumulators,
    bill: &mut Bill,
    step: &mut Step,
) -> i64 {
    let base = if act.takes_compliant { bill.compliant } else { bill.remaining };
    let times = if fixed.per_day { facts.bed_days() } else { 1 };
    let asked = fixed.amount.0.saturating_mul(times);
    let (pays, room) = pay_within(&act.limits, asked, year, bill);
    if TRACE {
        *step = Step {
            outcome: outcome_of(pays, base, room.0, false),
            base: Fen(base),
            numerator: i128::from(asked),
            rounded: Fen(asked),
            cap_room: (room.0 < NO_LIMIT).then_some(Fen(room.0)),
            cap: room.1,
            pays: Fen(pays),
            remaining: Fen(bill.remaining),
            ..Step::of(&act.head)
        };
    }
    pays
}

/// Pays a ratio of some costs of the bill, up to a limit of the bill or of the year.
#[inline(never)]
fn pay_category<const TRACE: bool>(
    act: &Act,
    (limit, before): (&CategoryLimit, (u8, i64)),
    facts: &BillFacts,
    year: &mut YearAccumulators,
    bill: &mut Bill,
    step: &mut Step,
) -> i64 {
    let of = |amount: Fen| amount.0.clamp(0, bill.compliant);
    let categories = limit.categories.iter().map(|category| of(facts.categories[*category as usize]));
    let fees = limit.fees.iter().map(|fee| of(facts.fees[*fee as usize]));
    let charged = categories.chain(fees).fold(0, i64::saturating_add).min(bill.compliant);
    let counted = year.get(before.0) & before.1;
    let counts = charged.min((limit.limit.0 - counted).max(0));
    let asked = times(act, counts, limit.scale.numerator, limit.scale.denominator);
    let (pays, room) = pay_within(&act.limits, asked, year, bill);
    year.add(before.0, counts);
    if TRACE {
        let used_up = charged > 0 && counts == 0;
        *step = Step {
            outcome: outcome_of(pays, charged, if used_up { 0 } else { room.0 }, false),
            base: Fen(charged),
            before: Fen(counted),
            deductible_used: Fen(charged - counts),
            numerator: i128::from(counts) * i128::from(limit.scale.numerator),
            denominator: limit.scale.denominator,
            rounded: Fen(asked),
            cap_room: (room.0 < NO_LIMIT).then_some(Fen(room.0)),
            cap: room.1,
            pays: Fen(pays),
            remaining: Fen(bill.remaining),
            ..Step::of(&act.head)
        };
    }
    pays
}

/// What is paid on `low..high`: exactly, over the denominator, and rounded.
#[inline(always)]
fn graded_amount(act: &Act, insured: &Insured, (low, high): (i64, i64)) -> (i128, i64) {
    if !insured.is_small {
        return graded_amount_wide(act.rounding, insured, (low, high));
    }
    let sum = insured.bends.pay(low, high);
    let exact = i128::from(sum);
    let amount = if insured.is_plain {
        percent(sum)
    } else {
        rounded_otherwise(act.rounding, exact, insured.denominator)
    };
    (exact, amount)
}

/// As above, where a product could pass 63 bits.
#[cold]
fn graded_amount_wide(rounding: Rounding, insured: &Insured, (low, high): (i64, i64)) -> (i128, i64) {
    let sum = insured.bends.pay_wide(low, high);
    (sum, rounded_otherwise(rounding, sum, insured.denominator))
}

#[inline(always)]
fn pay_ceiling<const TRACE: bool>(act: &Act, ceiling: &Ceiling, bill: &mut Bill, step: &mut Step) -> i64 {
    let whole = if ceiling.of_total { bill.total } else { bill.compliant };
    let left = if ceiling.of_total { bill.own() } else { bill.remaining };
    let promised = times(act, whole, ceiling.scale.numerator, ceiling.scale.denominator);
    let missing = if ceiling.of_own_share { left - promised } else { promised - (whole - left) };
    let pays = missing.clamp(0, bill.remaining);
    bill.remaining -= pays;
    if TRACE {
        *step = Step {
            outcome: if pays > 0 { Outcome::Paid } else { act.head.outcome },
            base: Fen(whole),
            before: Fen(whole - left),
            numerator: i128::from(whole) * i128::from(ceiling.scale.numerator),
            denominator: ceiling.scale.denominator,
            rounded: Fen(promised),
            pays: Fen(pays),
            remaining: Fen(bill.remaining),
            ..Step::of(&act.head)
        };
    }
    pays
}

#[inline(always)]
fn pay_waiver<const TRACE: bool>(
    act: &Act,
    waiver: &Waiver,
    deductible: i64,
    facts: &BillFacts,
    bill: &mut Bill,
    step: &mut Step,
) -> i64 {
    let before = bill.own();
    let waived = deductible.clamp(0, bill.remaining);
    bill.remaining -= waived;
    // Few bills charge any.
    if facts.fees.iter().fold(0, |all, fee| all | fee.0) != 0 {
        for fee in &waiver.fees {
            waive_fee(facts, *fee, bill);
        }
    }
    let fees = before - waived - bill.own();
    let rest = if waiver.discount_of_own { bill.own() } else { bill.remaining };
    let discount = times(act, rest, waiver.scale.numerator, waiver.scale.denominator).clamp(0, rest);
    let from_compliant = discount.min(bill.remaining);
    bill.remaining -= from_compliant;
    bill.outside -= discount - from_compliant;
    let pays = before - bill.own();
    if TRACE {
        let outcome = match pays {
            1.. => Outcome::Paid,
            _ if before == 0 => Outcome::NothingLeft,
            _ => act.head.outcome,
        };
        *step = Step {
            outcome,
            base: Fen(before),
            before: Fen(rest),
            deductible_used: Fen(waived),
            fees: Fen(fees),
            numerator: i128::from(rest) * i128::from(waiver.scale.numerator),
            denominator: waiver.scale.denominator,
            rounded: Fen(discount),
            pays: Fen(pays),
            remaining: Fen(bill.remaining),
            ..Step::of(&act.head)
        };
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
fn times(act: &Act, amount: i64, numerator: i64, denominator: i64) -> i64 {
    if denominator == 100 && act.rounding == Rounding::HalfUp(1) {
        // A whole per cent of an amount within the limit fits 63 bits.
        percent(amount * numerator)
    } else {
        rounded_otherwise(act.rounding, i128::from(amount) * i128::from(numerator), denominator)
    }
}

/// Hundredths, half up. By far the most ratios are whole per cents, and a division by a constant is a multiplication.
#[inline(always)]
const fn percent(hundredths: i64) -> i64 {
    ((hundredths as u64 + 50) / 100) as i64
}

/// A quotient brought to money; the largest amount there is where it has no room.
#[cold]
#[inline(never)]
fn rounded_otherwise(rounding: Rounding, numerator: i128, denominator: i64) -> i64 {
    round(rounding, numerator, i128::from(denominator)).unwrap_or(i64::MAX)
}
