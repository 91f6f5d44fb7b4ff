//! A person's insurance year as one chain: deductibles, stays and tiers of a bill depend on all bills before it, so a late,
//! corrected or cancelled bill settles the whole year again. Where the law gives households accumulators that their members
//! have together, the years of all persons whom a household joins are one chain.

use std::collections::BTreeMap;

use kangmai_base::{Day, DivisionCode, DivisionLevel, Fen, Moment, Sex, Uuid};
use kangmai_people::{Enrolment, LabelInterval, labels_on};
use kangmai_policy::{
    BillFacts, FeeKind, Icd10, InstitutionTier, Jurisdiction, Policy, Release, Settler, Trace, Vocabulary,
    YearAccumulators,
};

use crate::facts::{BillReceived, Cause, LayerPaid, NotSettled, PersonThen, Settled, Used, WhyNotSettled};

/// The program that settles, as receipts name it.
pub(crate) const ENGINE: &str = concat!("kangmai ", env!("CARGO_PKG_VERSION"));

/// What settlement asks of a person.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Insured {
    /// Birth date.
    pub birth: Option<Day>,
    /// Sex.
    pub sex: Option<Sex>,
    /// Basic insurance; none if the register does not say.
    pub enrolment: Option<Enrolment>,
    /// Labels as dated intervals.
    pub labels: Vec<LabelInterval>,
}

/// A bill of the year.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainBill {
    /// When it was received: the order among bills of the same days.
    pub received_at: Moment,
    /// The person's home place when it was received.
    pub home: DivisionCode,
    /// What it says.
    pub body: BillReceived,
}

/// One of those who are settled together.
#[derive(Debug, Clone)]
pub struct Member<'a> {
    /// What is known of them.
    pub insured: &'a Insured,
    /// What they had used before the first bill. What a household has together counts for `opened_for`.
    pub opening: &'a [Used],
    /// The household that the opening was entered for; none: that of their first bill.
    pub opened_for: Option<Uuid>,
    /// Their bills, in any order.
    pub bills: Vec<&'a ChainBill>,
}

/// What became of a bill.
#[derive(Debug, Clone, PartialEq)]
pub enum Settlement {
    /// It is settled.
    Settled(Box<(Settled, Trace)>),
    /// It cannot be settled.
    Not(NotSettled),
}

impl Settlement {
    /// Which bill.
    pub fn bill(&self) -> Uuid {
        match self {
            Settlement::Settled(settled) => settled.0.bill,
            Settlement::Not(not) => not.bill,
        }
    }
}

impl Settlement {
    /// A number that tells whether settling again came to the same.
    pub fn result(&self) -> i64 {
        match self {
            Settlement::Settled(settled) => settled.0.result(),
            Settlement::Not(not) => not.result(),
        }
    }

    /// Writes down why it was settled now.
    pub(crate) fn set_cause(&mut self, cause: Cause) {
        match self {
            Settlement::Settled(settled) => settled.0.cause = Some(cause),
            Settlement::Not(not) => not.cause = Some(cause),
        }
    }
}

impl Insured {
    /// The labels that hold on `day`, by their keys, those of the strongest aid first.
    pub fn labels_on(&self, day: Day) -> Vec<String> {
        labels_on(&self.labels, day).into_iter().map(|label| label.key().to_owned()).collect()
    }

    /// What a receipt keeps: identity counts as of the day of discharge.
    pub fn then(&self, admission: Day, discharge: Day) -> PersonThen {
        let (at_admission, at_discharge) = (self.labels_on(admission), self.labels_on(discharge));
        PersonThen {
            labels_at_admission: (at_admission != at_discharge).then_some(at_admission),
            labels_at_discharge: at_discharge,
            birth: self.birth,
            sex: self.sex,
            insured: self.is_insured(),
            insured_is_assumed: self.enrolment.is_none(),
        }
    }

    /// Whether basic insurance covers the person. Where the register does not say, a bill that reached the desk of an
    /// insurer speaks for it; the receipt notes that it was assumed.
    pub fn is_insured(&self) -> bool {
        self.enrolment != Some(Enrolment::NotEnrolled)
    }
}

/// Settles many person-years under one release: what does not change from one to the next is worked out once.
#[derive(Debug)]
pub struct Adjudicator<'p> {
    policies: &'p Release,
    settlers: Vec<Settler<'p>>,
}

impl<'p> Adjudicator<'p> {
    /// For person-years under `policies`.
    pub fn new(policies: &'p Release) -> Adjudicator<'p> {
        Adjudicator { policies, settlers: Vec::new() }
    }

    /// As [`settle_year`].
    pub fn settle_year(
        &mut self,
        insured: &Insured,
        opening: &[Used],
        bills: &[&ChainBill],
    ) -> Vec<Settlement> {
        self.settle_together(&[Member { insured, opening, opened_for: None, bills: bills.to_vec() }])
    }

    /// Settles the bills of all members in one order: day of discharge, day of admission, order of receipt, identifier.
    pub fn settle_together(&mut self, members: &[Member<'_>]) -> Vec<Settlement> {
        let own = members.iter().enumerate();
        let mut order: Vec<(usize, &ChainBill)> =
            own.flat_map(|(at, member)| member.bills.iter().map(move |bill| (at, *bill))).collect();
        order.sort_by_key(|(_, bill)| {
            (bill.body.discharge, bill.body.admission, bill.received_at, bill.body.bill)
        });
        let mut years = RunningYears::of(self.policies, members, &order);
        let mut all = Vec::with_capacity(order.len());
        for (at, bill) in order {
            if let Some(member) = members.get(at) {
                all.push(settle_bill(self, member.insured, (&mut years, at), bill));
            }
        }
        all
    }

    /// The one that settles under `policy`; few policies take part in a run.
    fn settler(&mut self, policy: &'p Policy) -> &mut Settler<'p> {
        let known = self.settlers.iter().position(|settler| std::ptr::eq(settler.policy(), policy));
        let at = known.unwrap_or_else(|| {
            self.settlers.push(Settler::new(policy));
            self.settlers.len() - 1
        });
        &mut self.settlers[at]
    }
}

/// Settles all bills of one person and one insurance year in their order: day of discharge, day of admission, order of
/// receipt, identifier. `opening` is what was used of the year before the first of them.
///
/// The answer is in that order, one for each bill. A bill that cannot be settled uses nothing of the year.
pub fn settle_year(
    policies: &Release,
    insured: &Insured,
    opening: &[Used],
    bills: &[ChainBill],
) -> Vec<Settlement> {
    let bills: Vec<&ChainBill> = bills.iter().collect();
    Adjudicator::new(policies).settle_year(insured, opening, &bills)
}

/// What is used of a year, between bills that may fall under different packs: accumulators go by name.
#[derive(Default)]
struct RunningYear<'p> {
    used: Vec<Used>,
    policy: Option<(&'p Policy, YearAccumulators)>,
}

/// The years of those who are settled together: each member's, and what each household has together.
struct RunningYears<'p> {
    members: Vec<RunningYear<'p>>,
    households: BTreeMap<Uuid, RunningYear<'p>>,
}

impl<'p> RunningYears<'p> {
    /// As they were before the first bill.
    fn of(policies: &Release, members: &[Member<'_>], order: &[(usize, &ChainBill)]) -> RunningYears<'p> {
        let mut households: BTreeMap<Uuid, RunningYear<'p>> = BTreeMap::new();
        let mut own = Vec::with_capacity(members.len());
        for (at, member) in members.iter().enumerate() {
            let is_shared = |used: &&Used| policies.is_shared(&used.0);
            let (shared, alone): (Vec<&Used>, Vec<&Used>) = member.opening.iter().partition(is_shared);
            own.push(RunningYear { used: alone.into_iter().cloned().collect(), policy: None });
            let first = || order.iter().find(|(of, _)| *of == at).map(|(_, bill)| bill.body.household);
            let Some(household) = member.opened_for.or_else(first).filter(|_| !shared.is_empty()) else {
                continue;
            };
            let year = households.entry(household).or_default();
            for Used(name, value) in shared {
                match year.used.iter_mut().find(|used| used.0 == *name) {
                    Some(used) => used.1 += value,
                    None => year.used.push(Used(name.clone(), *value)),
                }
            }
        }
        RunningYears { members: own, households }
    }
}

impl<'p> RunningYear<'p> {
    /// The accumulators in the form of `policy`.
    fn under(&mut self, policy: &'p Policy) -> YearAccumulators {
        if let Some((before, year)) = self.policy {
            if std::ptr::eq(before, policy) {
                return year;
            }
            self.used = merged(&self.used, &used_of(before, &year));
        }
        year_of(policy, &self.used)
    }
}

/// `later` over `earlier`, by name.
fn merged(earlier: &[Used], later: &[Used]) -> Vec<Used> {
    let kept = earlier.iter().filter(|used| later.iter().all(|other| other.0 != used.0));
    let mut all: Vec<Used> = kept.chain(later).cloned().collect();
    all.sort_by(|one, other| one.0.cmp(&other.0));
    all
}

/// The accumulators of `policy` with what is used; names that it does not know are left aside.
pub(crate) fn year_of(policy: &Policy, used: &[Used]) -> YearAccumulators {
    let mut year = YearAccumulators::NONE;
    for Used(name, value) in used {
        let _ = policy.set_accumulator(&mut year, name, Fen(*value));
    }
    year
}

/// What is used, by name, without zeros, sorted.
pub(crate) fn used_of(policy: &Policy, year: &YearAccumulators) -> Vec<Used> {
    let entries = policy.year_entries(year).filter(|(_, value)| *value != Fen::ZERO);
    let mut used: Vec<Used> = entries.map(|(entry, value)| Used(entry.name.clone(), value.0)).collect();
    used.sort_by(|one, other| one.0.cmp(&other.0));
    used
}

fn settle_bill<'p>(
    adjudicator: &mut Adjudicator<'p>,
    insured: &Insured,
    (years, at): (&mut RunningYears<'p>, usize),
    bill: &ChainBill,
) -> Settlement {
    let policies = adjudicator.policies;
    let body = &bill.body;
    let person = insured.then(body.admission, body.discharge);
    let facts = bill_facts(policies.vocabulary(), bill, &person);
    let not = |why| {
        Settlement::Not(NotSettled { bill: body.bill, release: policies.hash().to_owned(), why, cause: None })
    };
    if facts.check().is_err() {
        return not(WhyNotSettled::Impossible);
    }
    let Some(jurisdiction) = policies.jurisdiction_for(bill.home, body.discharge) else {
        return not(WhyNotSettled::NoPolicy);
    };
    let policy = match jurisdiction.policy::<&str>(&[]) {
        Ok(policy) => policy,
        Err(open) => {
            let names = open.0.iter().map(|rule| rule.id.clone()).collect();
            return not(WhyNotSettled::Untranslatable(names));
        }
    };
    let Some(year) = years.members.get_mut(at) else { return not(WhyNotSettled::Impossible) };
    let mut after = year.under(policy);
    let mut shared = None;
    if policy.has_shared() {
        let household = years.households.entry(body.household).or_default();
        let lent = household.under(policy);
        policy.lend(&lent, &mut after);
        shared = Some((household, lent));
    }
    let mut trace = Trace::new(&facts);
    adjudicator.settler(policy).settle_into(&facts, &mut after, &mut trace);
    let settled = receipt(policies, jurisdiction, policy, bill, person, &trace, &after);
    if let Some((household, mut lent)) = shared {
        policy.give_back(&mut after, &mut lent);
        household.policy = Some((policy, lent));
    }
    year.policy = Some((policy, after));
    Settlement::Settled(Box::new((settled, trace)))
}

fn receipt(
    policies: &Release,
    jurisdiction: &Jurisdiction,
    policy: &Policy,
    bill: &ChainBill,
    person: PersonThen,
    trace: &Trace,
    after: &YearAccumulators,
) -> Settled {
    let layers = policy.layers().iter().zip(trace.steps()).map(|(layer, step)| LayerPaid {
        layer: layer.benefit.id.clone(),
        payer: layer.benefit.payer.fund.clone(),
        kind: layer.benefit.payer.kind,
        outcome: step.outcome,
        base: step.base,
        paid: step.pays,
        remaining: step.remaining,
    });
    Settled {
        bill: bill.body.bill,
        year: bill.body.year(),
        engine: ENGINE.to_owned(),
        release: policies.hash().to_owned(),
        jurisdiction: jurisdiction.pack.directory.clone(),
        person,
        before: used_of(policy, &trace.before),
        after: used_of(policy, after),
        layers: layers.collect(),
        total: bill.body.total,
        compliant: bill.body.compliant,
        already_paid: bill.body.already_paid,
        own: trace.own_share,
        own_uncovered: trace.own_out_of_catalogue,
        lines_rule: bill.body.lines.as_ref().map(|lines| lines.rule.clone()),
        cause: None,
    }
}

/// The insurance year in which a bill of somebody at home in `home` counts who was discharged on `discharge`, as a bill
/// keeps it: none where it is the calendar year.
pub(crate) fn insurance_year(policies: &Release, home: DivisionCode, discharge: Day) -> Option<i32> {
    if !policies.has_insurance_years() {
        return None;
    }
    let label = policies.insurance_year(home, discharge).label;
    (label != discharge.year()).then_some(label)
}

/// The bill as the policy asks about it.
pub fn bill_facts(vocabulary: &Vocabulary, bill: &ChainBill, person: &PersonThen) -> BillFacts {
    let body = &bill.body;
    let institution = &body.institution;
    let labels = |keys: &[String]| {
        keys.iter()
            .filter_map(|key| vocabulary.label(key))
            .fold(kangmai_policy::LabelSet::NONE, kangmai_policy::LabelSet::and)
    };
    let at_discharge = labels(&person.labels_at_discharge);
    let is_outside = bill.home.at(DivisionLevel::Province) != institution.place.at(DivisionLevel::Province);
    let mut facts = BillFacts::inpatient(body.total, body.discharge, bill.home);
    facts.compliant = body.compliant;
    facts.already_paid = body.already_paid;
    for fee in &body.fees {
        if let Some(position) = FeeKind::ALL.iter().position(|kind| *kind == fee.kind) {
            facts.fees[position] += fee.amount;
        }
    }
    for cost in body.lines.iter().flat_map(|lines| &lines.categories) {
        facts.categories[cost.category as usize] += cost.compliant;
    }
    facts.institution_place = institution.place;
    facts.diagnosis = body
        .diagnosis
        .as_ref()
        .and_then(|diagnosis| diagnosis.code.parse::<Icd10>().ok())
        .unwrap_or(Icd10::UNKNOWN);
    facts.admission = body.admission;
    // Law that goes by the day of settlement takes the day of discharge: a bill is settled as the patient leaves, and a
    // bill that comes in late must end in the same receipt.
    facts.settlement = body.discharge;
    facts.labels_at_discharge = at_discharge;
    facts.labels_at_admission = person.labels_at_admission.as_deref().map_or(at_discharge, labels);
    facts.designations = institution
        .designations
        .iter()
        .filter_map(|name| vocabulary.designation(name))
        .fold(0, |all, bit| all | bit);
    if let Some(birth) = person.birth {
        facts.set_birth(birth);
    }
    facts.sex = person.sex;
    facts.insured_at_admission = person.insured;
    facts.insured_at_discharge = person.insured;
    facts.tier = if is_outside { InstitutionTier::OutsideProvince } else { institution.tier };
    facts.grade = institution.grade;
    facts.kind = institution.kind;
    facts.setting = body.setting;
    facts.referral = body.referral;
    facts
}
