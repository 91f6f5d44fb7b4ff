//! What would have been otherwise about a bill: the policy asks and answers, here are the facts around the bill.

use kangmai_base::{Day, DivisionCode};
use kangmai_people::{LabelInterval, labels_on};
use kangmai_policy::{Around, Policy, Release, Sight, ToldCounterfactuals, Trace};
use kangmai_web::Page;

use crate::facts::{PersonThen, Used};
use crate::rules::year_of;

/// Most answers that the desk shows before anything is final; the rest is on the auditor's page.
pub(crate) const MOST_AT_DESK: usize = 4;

/// What is known of the person around the days of a bill.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Known {
    /// Labels as the register has them now.
    pub(crate) labels: Vec<LabelInterval>,
    /// What is used of the next insurance year before its first bill.
    pub(crate) next_year: Vec<Used>,
}

/// The facts around a settled bill. Where the register now says otherwise of the day of discharge than the receipt does,
/// the bill waits to be settled again: its labels are then taken to hold on any day, so that no day looks better only
/// because the register was mended.
pub(crate) fn around(
    (policies, home): (&Release, DivisionCode),
    policy: &Policy,
    known: &Known,
    then: &PersonThen,
    day: Day,
) -> Around {
    let keys = |on: Day| -> Vec<String> {
        labels_on(&known.labels, on).into_iter().map(|label| label.key().to_owned()).collect()
    };
    let mut labels = Vec::new();
    if keys(day) == then.labels_at_discharge {
        let mut days = vec![Day(i32::MIN)];
        days.extend(known.labels.iter().flat_map(|label| [label.from, label.to]).flatten());
        days.sort_unstable();
        days.dedup();
        let set = |on: Day| policies.labels(keys(on).iter().map(String::as_str));
        labels = days.into_iter().map(|on| (on, set(on))).collect();
    }
    let year = Some(policies.insurance_year(home, day));
    Around { labels, birth: then.birth, year, next_year: year_of(policy, &known.next_year) }
}

/// Asks and tells all counterfactuals of a bill to a reader who sees so much.
pub(crate) fn otherwise(
    page: &Page,
    policy: &Policy,
    trace: &Trace,
    around: &Around,
    sight: Sight,
) -> ToldCounterfactuals {
    let found = policy.counterfactuals(trace, around);
    policy.tell_counterfactuals(trace, &found, crate::pages::language(page), sight)
}
