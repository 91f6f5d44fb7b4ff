//! Households against the line of the watch: the own cost of the year of all members together, against the line that holds
//! for the household's strongest support at the end of the year. Pure.

use std::collections::HashMap;

use kangmai_base::{DivisionCode, Fen, Uuid};
use kangmai_policy::{LabelSet, OwnCost as Measured, Release};

use crate::result::{HouseholdLine, Households};
use crate::rules::{OwnCost, PersonYear, count, year_of};

/// A household's year.
#[derive(Debug, Clone, Copy)]
struct HouseholdYear {
    home: DivisionCode,
    labels: LabelSet,
    own: OwnCost,
}

/// Counts households over the line under both laws, and answers those that cross it. `labels` are those of all members
/// at the end of the year.
pub fn households(
    people: &[PersonYear],
    labels: &HashMap<Uuid, LabelSet>,
    release: &Release,
    year: i32,
) -> (Households, Vec<HouseholdLine>) {
    let mut all: HashMap<Uuid, HouseholdYear> = HashMap::with_capacity(people.len() / 2);
    for person in people {
        let nothing = HouseholdYear { home: person.home, labels: LabelSet::NONE, own: OwnCost::default() };
        let household = all.entry(person.household).or_insert(nothing);
        household.home = person.home;
        household.labels = household.labels.and(person.labels);
        household.own.join(&person.own);
    }
    let mut found = Households { all: count(all.len()), ..Households::default() };
    let mut crossing = Vec::new();
    let mut lines: HashMap<(DivisionCode, LabelSet), Option<(Fen, Measured)>> = HashMap::new();
    for (id, household) in all {
        let supported = labels.get(&id).map_or(household.labels, |more| household.labels.and(*more));
        let line = lines
            .entry((household.home, supported))
            .or_insert_with(|| line_of(release, household.home, supported, year));
        let Some((line, measured)) = *line else {
            found.without_line += 1;
            continue;
        };
        let own = match measured {
            Measured::All => household.own.all,
            Measured::Compliant => household.own.compliant,
        };
        let (before, after) = (own.before > line, own.after > line);
        found.over_before += i64::from(before);
        found.over_after += i64::from(after);
        found.newly_over += i64::from(after && !before);
        found.no_longer_over += i64::from(before && !after);
        if before != after {
            let home = household.home;
            crossing.push(HouseholdLine { household: id, home, own, line, is_newly_over: after });
        }
    }
    crossing.sort_unstable_by_key(|line| (std::cmp::Reverse(line.own.difference().0.abs()), line.household));
    (found, crossing)
}

/// The line of the group of somebody with `labels`, on the last day of the insurance year: of a calendar year the year to
/// date and the last twelve months are the same by then.
fn line_of(release: &Release, home: DivisionCode, labels: LabelSet, year: i32) -> Option<(Fen, Measured)> {
    let last = year_of(release, home, year).last;
    let group = release.watch_rules(home, last)?.group_for(labels)?;
    let (amount, _) = release.threshold(group.threshold, home, last.year())?;
    Some((amount, group.own_cost))
}
