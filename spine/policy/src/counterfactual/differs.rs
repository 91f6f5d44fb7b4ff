//! The variations that are worth asking about a bill, one fact each.

use kangmai_base::{Day, Fen};

use super::{MOST_DAYS, Otherwise, first_difference};
use crate::predicate::AsOf;
use crate::settle::settle;
use crate::{
    BillFacts, InstitutionGrade, InstitutionKind, InstitutionTier, InsuranceYear, LabelSet, Policy, Referral,
    Setting, Trace, YearAccumulators,
};

/// What is known around a bill: facts that are dated may be others on another day.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Around {
    /// From each day on these labels hold, in order of the days; empty: those of the bill hold on any day.
    pub labels: Vec<(Day, LabelSet)>,
    /// Birth date.
    pub birth: Option<Day>,
    /// The insurance year that the bill counts in; none: the calendar year.
    pub year: Option<InsuranceYear>,
    /// What is used of the next insurance year before the bill, if it came in that.
    pub next_year: YearAccumulators,
}

impl Around {
    fn year_of(&self, trace: &Trace) -> InsuranceYear {
        self.year.unwrap_or(InsuranceYear::calendar(trace.facts.discharge.year()))
    }

    fn labels_on(&self, day: Day) -> Option<LabelSet> {
        let after = self.labels.partition_point(|(from, _)| *from <= day);
        self.labels.get(after.checked_sub(1)?).map(|(_, set)| *set)
    }
}

/// The one fact that is otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Whether the patient was referred by the rules.
    Referral(bool),
    /// The day of discharge, the days of the stay with it.
    Discharge(Day),
    /// An institution of the person's own county, in this tier.
    Institution(InstitutionTier, InstitutionGrade),
    /// Whether basic insurance covers the person.
    Insured(bool),
    /// How the bill is settled.
    Setting(Setting),
    /// One more label, any of these, recognised by the day.
    Labels(LabelSet, AsOf),
}

impl Change {
    /// Its name in files and interfaces.
    pub const fn name(self) -> &'static str {
        match self {
            Change::Referral(_) => "referral",
            Change::Discharge(_) => "discharge",
            Change::Institution(..) => "institution",
            Change::Insured(_) => "insured",
            Change::Setting(_) => "setting",
            Change::Labels(..) => "labels",
        }
    }
}

/// All variations that change what the person bears.
pub(super) fn asked(policy: &Policy, trace: &Trace, around: &Around) -> Vec<Otherwise> {
    let facts = &trace.facts;
    let mut found = Vec::new();
    let mut ask = |change: Change, facts: BillFacts| {
        found.extend(settled(policy, trace, change, (facts, trace.before)));
    };
    for (is, referral) in [(true, Referral::Referred), (false, Referral::NotReferred)] {
        ask(Change::Referral(is), BillFacts { referral, ..*facts });
    }
    let is_insured = facts.insured_at_admission && facts.insured_at_discharge;
    ask(
        Change::Insured(!is_insured),
        BillFacts { insured_at_admission: !is_insured, insured_at_discharge: !is_insured, ..*facts },
    );
    for tier in [InstitutionTier::Township, InstitutionTier::County] {
        if tier != facts.tier {
            let within = within_the_county(facts, tier);
            ask(Change::Institution(tier, within.grade), within);
        }
    }
    // Recognised as a chronic patient, an outpatient visit or a stay of a day counts as such. The other way round would be
    // to admit somebody for the money.
    if facts.setting == Setting::Outpatient
        || facts.setting == Setting::Inpatient && facts.admission == facts.discharge
    {
        let setting = Setting::ChronicOutpatient;
        ask(Change::Setting(setting), BillFacts { setting, ..*facts });
    }
    let (labels, as_of) = policy.asked.labels();
    let outgrown = policy.vocabulary.outgrown_at(match as_of {
        AsOf::Admission => facts.age_at_admission,
        AsOf::Discharge => facts.age_at_discharge,
    });
    for label in labels.each() {
        if outgrown.meets(label) {
            continue;
        }
        if !facts.labels_at_discharge.meets(label) {
            ask(Change::Labels(label, as_of), with_label(facts, label, as_of));
        }
    }
    if facts.setting == Setting::Inpatient {
        found.extend(later(policy, trace, around));
        found.extend(earlier(policy, trace, around));
    }
    found
}

fn settled(
    policy: &Policy,
    trace: &Trace,
    change: Change,
    (facts, before): (BillFacts, YearAccumulators),
) -> Option<Otherwise> {
    let mut year = before;
    let other = settle(policy, &facts, &mut year);
    if other.own_share == trace.own_share {
        return None;
    }
    let by = first_difference(trace, &other)?;
    Some(Otherwise { change, trace: Box::new(other), by })
}

/// The label besides those that hold; recognised by admission, it holds at discharge as well.
pub(super) const fn with_label(facts: &BillFacts, label: LabelSet, as_of: AsOf) -> BillFacts {
    let mut other = *facts;
    other.labels_at_discharge = facts.labels_at_discharge.and(label);
    if matches!(as_of, AsOf::Admission) {
        other.labels_at_admission = facts.labels_at_admission.and(label);
    }
    other
}

/// The same bill in the person's own county, at an institution as they mostly are there: a township centre of first
/// grade, a county hospital of second. What it is named for stays what it is.
fn within_the_county(facts: &BillFacts, tier: InstitutionTier) -> BillFacts {
    use InstitutionKind::{CommunityCenter, Hospital, MaternalChild, TcmHospital, TownshipCenter};
    let (grade, kind) = match tier {
        InstitutionTier::Township => {
            let fits = matches!(facts.kind, TownshipCenter | CommunityCenter);
            (InstitutionGrade::First, if fits { facts.kind } else { TownshipCenter })
        }
        _ => {
            let fits = matches!(facts.kind, Hospital | TcmHospital | MaternalChild);
            (InstitutionGrade::Second, if fits { facts.kind } else { Hospital })
        }
    };
    BillFacts { tier, grade, kind, institution_place: facts.person_place, ..*facts }
}

/// The bill discharged on another day; `None` before the admission, where no rule speaks, and in a year that is over.
pub(super) fn discharged_on(
    policy: &Policy,
    trace: &Trace,
    around: &Around,
    day: Day,
) -> Option<(BillFacts, YearAccumulators)> {
    let mut facts = trace.facts;
    if day < facts.admission || !policy.says_something_on(day) {
        return None;
    }
    if facts.settlement == facts.discharge || facts.settlement < day {
        facts.settlement = day;
    }
    facts.discharge = day;
    if let Some(labels) = around.labels_on(day) {
        facts.labels_at_discharge = labels;
    }
    if let Some(birth) = around.birth {
        facts.set_birth(birth);
    }
    let counts_in = around.year_of(trace);
    if day < counts_in.first {
        return None;
    }
    Some((facts, if day <= counts_in.last { trace.before } else { around.next_year }))
}

/// A day later; the next day on which something changes; and the next on which it changes for the better.
fn later(policy: &Policy, trace: &Trace, around: &Around) -> Vec<Otherwise> {
    let day = trace.facts.discharge;
    let next_year = Some(around.year_of(trace).last.plus_days(1));
    let birthday = around.birth.and_then(|birth| {
        (1..=MOST_DAYS).map(|days| day.plus_days(days)).find(|other| other.age_of(birth) != day.age_of(birth))
    });
    let mut days: Vec<Day> = changes(policy, around).chain(next_year).chain(birthday).collect();
    days.push(day.plus_days(1));
    days.retain(|other| *other > day && other.days_since(day) <= MOST_DAYS);
    days.sort_unstable();
    days.dedup();
    nearest(policy, trace, around, days.into_iter())
}

/// The last day, within the stay, on which something was otherwise, and the last on which it was better.
fn earlier(policy: &Policy, trace: &Trace, around: &Around) -> Vec<Otherwise> {
    let day = trace.facts.discharge;
    let mut days: Vec<Day> = changes(policy, around).map(|change| change.plus_days(-1)).collect();
    days.retain(|other| {
        *other < day && *other >= trace.facts.admission && day.days_since(*other) <= MOST_DAYS
    });
    days.sort_unstable();
    days.dedup();
    nearest(policy, trace, around, days.into_iter().rev())
}

/// The days on which law or labels change.
fn changes<'a>(policy: &'a Policy, around: &'a Around) -> impl Iterator<Item = Day> + 'a {
    let law = policy.boundaries.iter().map(|boundary| Day(*boundary));
    law.chain(around.labels.iter().map(|(from, _)| *from))
}

fn nearest(
    policy: &Policy,
    trace: &Trace,
    around: &Around,
    days: impl Iterator<Item = Day>,
) -> Vec<Otherwise> {
    let mut found: Vec<Otherwise> = Vec::new();
    for day in days {
        let Some(other) = discharged_on(policy, trace, around, day) else { continue };
        let Some(other) = settled(policy, trace, Change::Discharge(day), other) else { continue };
        let is_better = other.saves(trace) > Fen::ZERO;
        if found.is_empty() || is_better {
            found.push(other);
        }
        if is_better {
            break;
        }
    }
    found
}

/// Whether two answers are about a label and come to the same, layer by layer.
pub(super) fn is_alike(one: &Otherwise, other: &Otherwise) -> bool {
    let labels = matches!((one.change, other.change), (Change::Labels(..), Change::Labels(..)));
    let pays = || one.trace.steps().iter().zip(other.trace.steps());
    labels && one.by == other.by && pays().all(|(one, other)| one.pays == other.pays)
}

/// Any of the labels of both comes to the same.
pub(super) fn join(one: &mut Otherwise, other: &Otherwise) {
    if let (Change::Labels(set, as_of), Change::Labels(more, _)) = (one.change, other.change) {
        one.change = Change::Labels(set.and(more), as_of);
    }
}
