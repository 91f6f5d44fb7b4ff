//! 先诊疗后付费: whether somebody who is admitted owes a deposit.

use kangmai_base::{Day, DivisionCode, DivisionLevel};
use kangmai_policy::{InstitutionTier, LabelSet, Release, TreatFirstRules, TreatFirstWhyNot};

use crate::facts::WhyDeposit;
use crate::rules::Insured;

/// Whether a deposit may be asked.
#[derive(Debug, Clone, PartialEq)]
pub struct Deposit<'p> {
    /// The rule of the home place on that day, if it has one.
    pub rule: Option<&'p TreatFirstRules>,
    /// The labels that held on that day.
    pub labels: LabelSet,
    /// Why no right to treatment without deposit; none if there is one.
    pub why_not: Option<WhyDeposit>,
}

/// Asks the rule of `home` about an admission on `day` to an institution of `tier` that stands in `institution`.
/// `is_suspended`: the county took the right away after default in bad faith. An emergency is admitted without deposit
/// whatever this answers.
pub fn deposit<'p>(
    policies: &'p Release,
    insured: &Insured,
    home: DivisionCode,
    day: Day,
    tier: InstitutionTier,
    institution: DivisionCode,
    is_suspended: bool,
) -> Deposit<'p> {
    let keys = insured.labels_on(day);
    let labels = policies.labels(keys.iter().map(String::as_str));
    let Some(rule) = policies.treat_first(home, day) else {
        return Deposit { rule: None, labels, why_not: Some(WhyDeposit::NoRule) };
    };
    let is_outside = home.at(DivisionLevel::Province) != institution.at(DivisionLevel::Province);
    let tier = if is_outside { InstitutionTier::OutsideProvince } else { tier };
    let why_not =
        rule.entitled(labels, insured.is_insured(), home, tier, institution).err().map(|why| match why {
            TreatFirstWhyNot::NoLabel => WhyDeposit::NoLabel,
            TreatFirstWhyNot::NotTier => WhyDeposit::NotTier,
            TreatFirstWhyNot::NotPlace => WhyDeposit::NotPlace,
            TreatFirstWhyNot::Uninsured => WhyDeposit::Uninsured,
        });
    let why_not = why_not.or(is_suspended.then_some(WhyDeposit::Suspended));
    Deposit { rule: Some(rule), labels, why_not }
}
