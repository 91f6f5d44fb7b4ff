//! All rules of follow-up of a release, found by programme, place and day.

use std::sync::Arc;

use kangmai_base::{Day, DivisionCode};

use super::FollowUpRules;
use super::cases::{FollowUpCase, Vector};
use super::item::Item;
use super::read::{read_items, read_programme};
use crate::Gap;
use crate::dated::check_coverage;
use crate::fields::Fields;
use crate::tables::depth;

/// The rules of one version, and where they hold.
#[derive(Debug, Clone)]
struct Placed {
    path: Arc<str>,
    place: DivisionCode,
    rules: FollowUpRules,
}

/// All programmes of all packs.
#[derive(Debug, Clone, Default)]
pub(crate) struct FollowUpBook {
    items: Vec<Arc<Item>>,
    all: Vec<Placed>,
    cases: Vec<(DivisionCode, FollowUpCase)>,
}

impl FollowUpBook {
    /// Takes in a catalogue of items.
    pub(crate) fn read_items(&mut self, fields: &Fields<'_>) {
        self.items.extend(read_items(fields));
    }

    /// Takes in the file of a programme; the catalogues have been read.
    pub(crate) fn read(&mut self, fields: &Fields<'_>, (path, place): (&str, DivisionCode)) {
        let path: Arc<str> = path.into();
        let programme = fields.text_maybe("id").map_or("", |id| id.value);
        let cases = fields.tables("case");
        let read = cases.iter().flat_map(|table| FollowUpCase::read(table, programme));
        self.cases.extend(read.map(|case| (place, case)));
        let versions = read_programme(fields, &self.items);
        let gaps = Gap::read_all(fields);
        fields.finish();
        let periods = versions.iter().map(|(rules, spot)| (rules.period, spot.clone()));
        let gaps = gaps.iter().map(|(gap, spot)| (gap.period, spot.clone()));
        check_coverage(fields, periods.chain(gaps).collect());
        let placed = versions.into_iter().map(|(rules, _)| Placed { path: Arc::clone(&path), place, rules });
        self.all.extend(placed);
    }

    /// The rules of `programme` of the innermost place that has any on `day`.
    pub(crate) fn rules(&self, programme: &str, place: DivisionCode, day: Day) -> Option<&FollowUpRules> {
        let fits = |placed: &&Placed| {
            placed.rules.programme == programme
                && placed.place.contains(place)
                && placed.rules.period.contains(day)
        };
        self.all.iter().filter(fits).max_by_key(|placed| depth(placed.place)).map(|placed| &placed.rules)
    }

    /// The rules of every programme in force at `place` on `day`, by the programmes' names.
    pub(crate) fn all_rules(&self, place: DivisionCode, day: Day) -> Vec<&FollowUpRules> {
        let mut programmes: Vec<&str> = self.all.iter().map(|placed| &*placed.rules.programme).collect();
        programmes.sort_unstable();
        programmes.dedup();
        programmes.into_iter().filter_map(|programme| self.rules(programme, place, day)).collect()
    }

    /// Every table that holds anywhere within `place` or around it, and has not ended before `since`, each with the place of
    /// its pack.
    pub(crate) fn tables(&self, place: DivisionCode, since: Day) -> Vec<(DivisionCode, &FollowUpRules)> {
        let fits = |placed: &&Placed| {
            (placed.place.contains(place) || place.contains(placed.place))
                && placed.rules.period.to.is_none_or(|to| to >= since)
        };
        self.all.iter().filter(fits).map(|placed| (placed.place, &placed.rules)).collect()
    }

    /// All cases, each with the place of its pack.
    pub(crate) fn cases(&self) -> &[(DivisionCode, FollowUpCase)] {
        &self.cases
    }

    /// What a case finds otherwise.
    pub(crate) fn run(&self, home: DivisionCode, case: &FollowUpCase) -> Vec<String> {
        case.run(self.rules(&case.programme, home, case.given.day))
    }

    /// All cases whose programme is in force, for other interpreters of the tables.
    pub(crate) fn vectors(&self) -> Vec<Vector> {
        let of = |(home, case): &(DivisionCode, FollowUpCase)| {
            self.rules(&case.programme, *home, case.given.day).map(|rules| case.vector(rules))
        };
        self.cases.iter().filter_map(of).collect()
    }

    /// What all files but one say of a programme, without its cases.
    pub(crate) fn beside(&self, path: &str, programme: &str) -> FollowUpBook {
        let rules = self.all.iter().filter(|one| *one.path != *path && one.rules.programme == programme);
        FollowUpBook { items: self.items.clone(), all: rules.cloned().collect(), cases: Vec::new() }
    }
}
