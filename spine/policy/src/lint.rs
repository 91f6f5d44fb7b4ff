//! The points that the cases of a pack must cover, and which of them they leave out: each deductible, tier edge and
//! cap a fen below, at and above it; each day on which something changes and the day before; each condition, and each
//! part of it, met and not met.

use std::ops::Range;
use std::sync::Arc;

use kangmai_base::{Day, Fen};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::dated::Period;
use crate::fields::{Errors, Fields};
use crate::predicate::Predicate;
use crate::release::{Role, role_of};
use crate::source::{PackError, PackFile};
use crate::trace::Step;
use crate::words::Word;
use crate::{Benefit, BillFacts, Jurisdiction, Release};

impl Release {
    /// The points that no case covers, each with the case to write, by file and place. They are warnings: a pack
    /// with a missing case settles, it has only not proved itself.
    pub fn lint(&self) -> Vec<PackError> {
        let mut missing = Vec::new();
        for (path, text) in self.files() {
            let (directory, Role::Benefit) = role_of(path) else { continue };
            let home = self.jurisdiction(directory);
            let benefit =
                home.and_then(|home| home.pack.benefits.iter().find(|benefit| benefit.path == *path));
            // The file has been loaded: it parses.
            let (Some(benefit), Ok(table)) = (benefit, DeTable::parse(text)) else { continue };
            let file = Arc::new(PackFile { path: path.clone(), text: text.clone() });
            let seen = self.seen(benefit);
            let mut lint = Lint { release: self, file: &file, benefit, seen, missing: Vec::new() };
            lint.benefit(table.get_ref());
            missing.append(&mut lint.missing);
        }
        missing.sort_by(|a, b| (&a.path, a.line, a.column).cmp(&(&b.path, b.line, b.column)));
        missing.dedup();
        missing
    }

    /// What the cases show of a benefit.
    fn seen(&self, benefit: &Arc<Benefit>) -> Vec<Seen> {
        let mut seen = Vec::new();
        for jurisdiction in self.jurisdictions() {
            let layers = jurisdiction.policy.layers();
            let Some(index) = layers.iter().position(|layer| Arc::ptr_eq(&layer.benefit, benefit)) else {
                continue;
            };
            see_layers(jurisdiction, index, benefit, &mut seen);
            see_chains(jurisdiction, index, benefit, &mut seen);
        }
        seen
    }
}

fn see_layers(jurisdiction: &Jurisdiction, index: usize, benefit: &Benefit, seen: &mut Vec<Seen>) {
    let policy = &jurisdiction.policy;
    for (_, case) in jurisdiction.layer_cases().filter(|(id, _)| *id == benefit.id) {
        let (facts, stays) = (case.given.facts_at(policy.place), case.given.earlier_stays);
        let step = case.given.settle(policy, index);
        seen.push(Seen { facts, stays, step, of_another: case.given.other_member });
    }
}

fn see_chains(jurisdiction: &Jurisdiction, index: usize, benefit: &Benefit, seen: &mut Vec<Seen>) {
    let policy = &jurisdiction.policy;
    let stays = |trace: &crate::Trace| {
        let mut own = policy.year_entries(&trace.before);
        let stays = benefit.slots.stays.as_ref();
        stays.and_then(|name| own.find(|(one, _)| one.name == *name)).map_or(0, |(_, stays)| stays.0)
    };
    for case in &jurisdiction.pack.cases {
        // A case that cannot be settled is a failed case, which is said elsewhere.
        let _ = case.settle(jurisdiction, policy, |number, member, trace| {
            if let Some(step) = trace.steps().get(index) {
                let of_another = number > 0 && !member.is_empty();
                seen.push(Seen { facts: trace.facts, stays: stays(trace), step: *step, of_another });
            }
        });
    }
}

/// One bill of a case, and what the benefit did with it.
struct Seen {
    facts: BillFacts,
    stays: i64,
    step: Step,
    /// Whether it is of another member of the household than what was used of the year before.
    of_another: bool,
}

struct Lint<'r> {
    release: &'r Release,
    file: &'r Arc<PackFile>,
    benefit: &'r Benefit,
    seen: Vec<Seen>,
    missing: Vec<PackError>,
}

/// Where in a file a version stands, and which it is of the benefit's.
#[derive(Clone, Copy)]
struct At {
    version: u8,
    period: Period,
}

impl Lint<'_> {
    fn push(&mut self, span: Range<usize>, code: Word, mend: Word, values: &[(&'static str, String)]) {
        let error = PackError::new(self.file, span, code, mend);
        let error = values.iter().fold(error, |error, (name, value)| error.with(name, value.clone()));
        self.missing.push(error);
    }

    fn benefit(&mut self, table: &DeTable<'_>) {
        if let Some(applies) = table.get("applies") {
            self.condition(applies, None);
        }
        self.owner(table);
        self.edges(table);
        for version in items(table, "version") {
            let Some(from) = day(version, "from") else { continue };
            let number = self.benefit.versions.iter().position(|one| one.period.from == from);
            let Some((number, own)) =
                number.and_then(|number| Some((number, self.benefit.versions.get(number)?)))
            else {
                continue;
            };
            let at = At { version: number as u8, period: own.period };
            for (number, profile) in items(version, "profile").enumerate() {
                self.profile(profile, at, number as u8);
            }
            for rule in items(version, "deductible_rule").chain(items(version, "ratio_rule")) {
                if let Some(when) = rule.get("when") {
                    self.condition(when, Some(at));
                }
            }
        }
    }

    /// Whose the accumulators are: a second member of the household comes to the layer.
    fn owner(&mut self, table: &DeTable<'_>) {
        let base = table.get("base").and_then(|base| base.get_ref().as_table());
        let Some(owner) = base.and_then(|base| base.get("owner")) else { return };
        let shows = |seen: &Seen| seen.of_another && seen.step.outcome.applied();
        if self.benefit.accumulators().next().is_some() && !self.seen.iter().any(shows) {
            self.push(owner.span(), Word::LintOwner, Word::MendLintOwner, &[]);
        }
    }

    /// Each day on which a version begins or ends, and the day before.
    fn edges(&mut self, table: &DeTable<'_>) {
        let mut edges: Vec<(Day, Range<usize>)> = Vec::new();
        for version in items(table, "version").chain(items(table, "gap")) {
            for (key, after) in [("from", 0), ("to", 1)] {
                if let (Some(day), Some(value)) = (day(version, key), version.get(key)) {
                    edges.push((day.plus_days(after), value.span()));
                }
            }
        }
        edges.sort_by_key(|(day, span)| (*day, span.start));
        edges.dedup_by_key(|(day, _)| *day);
        for (edge, span) in edges {
            for day in [edge.plus_days(-1), edge] {
                let is_on = |seen: &&Seen| self.benefit.date.day_of(&seen.facts) == day;
                let mut on = self.seen.iter().filter(is_on);
                if !on.any(|seen| self.benefit.applies.holds(&seen.facts, seen.stays)) {
                    self.push(span.clone(), Word::LintDay, Word::MendLintDay, &[("day", day.to_string())]);
                }
            }
        }
    }

    fn profile(&mut self, profile: &DeTable<'_>, at: At, number: u8) {
        if let Some(when) = profile.get("when") {
            self.condition(when, Some(at));
        }
        let mut edges: Vec<(Fen, Range<usize>, bool)> = Vec::new();
        edges.extend(amount(profile, "deductible").map(|(edge, span)| (edge, span, true)));
        for (list, key) in [("segments", "up_to"), ("tiers", "above")] {
            let found = items(profile, list).filter_map(|item| amount(item, key));
            edges.extend(found.map(|(edge, span)| (edge, span, false)));
        }
        for (edge, span, is_deductible) in edges.into_iter().filter(|(edge, ..)| *edge > Fen::ZERO) {
            for by in [-1, 0, 1] {
                let base = Fen(edge.0 + by);
                let is_at = |seen: &Seen| {
                    let changed = is_deductible && seen.step.deductible_rule != Step::NO_RULE;
                    is_taken(seen, at, number) && !changed && seen.step.before + seen.step.base == base
                };
                if !self.seen.iter().any(is_at) {
                    self.push(
                        span.clone(),
                        Word::LintAmount,
                        Word::MendLintAmount,
                        &[("amount", base.to_string())],
                    );
                }
            }
        }
        if let Some((cap, span)) = amount(profile, "yearly_cap") {
            for by in [-1, 0, 1] {
                let is_at = |seen: &Seen| {
                    let room = seen.step.cap_room;
                    is_taken(seen, at, number) && room.is_some_and(|room| seen.step.rounded.0 - room.0 == by)
                };
                if !self.seen.iter().any(is_at) {
                    let values = [("amount", Fen(cap.0 + by).to_string()), ("cap", cap.to_string())];
                    self.push(span.clone(), Word::LintCap, Word::MendLintCap, &values);
                }
            }
        }
    }

    /// A condition, and each of its parts, met and not met: the benefit's own by anybody, any other by somebody whom
    /// the benefit is for on a day of its version.
    fn condition(&mut self, condition: &Spanned<DeValue<'_>>, at: Option<At>) {
        let DeValue::Table(table) = condition.get_ref() else { return };
        let mut parts: Vec<(&DeTable<'_>, Range<usize>)> = vec![(table, condition.span())];
        let mut next = 0;
        while let Some((part, _)) = parts.get(next).cloned() {
            next += 1;
            for (_, value) in part.iter() {
                let inner = match value.get_ref() {
                    DeValue::Table(table) => vec![(table, value.span())],
                    DeValue::Array(items) => items
                        .iter()
                        .filter_map(|item| Some((item.get_ref().as_table()?, item.span())))
                        .collect(),
                    _ => Vec::new(),
                };
                parts.extend(inner);
            }
        }
        for (part, span) in parts {
            let errors = Errors::default();
            let fields = Fields::new(self.file, &errors, part, span.clone());
            let Some(predicate) = Predicate::read(&fields, self.release.vocabulary()) else { continue };
            for (wanted, code, mend) in [
                (true, Word::LintNeverMet, Word::MendLintNeverMet),
                (false, Word::LintAlwaysMet, Word::MendLintAlwaysMet),
            ] {
                let shows = |seen: &Seen| {
                    let counts = at.is_none_or(|at| {
                        at.period.contains(self.benefit.date.day_of(&seen.facts))
                            && self.benefit.applies.holds(&seen.facts, seen.stays)
                    });
                    counts && predicate.holds(&seen.facts, seen.stays) == wanted
                };
                if !self.seen.iter().any(shows) {
                    let since = at.map_or_else(|| "*".to_owned(), |at| at.period.from.to_string());
                    self.push(span.clone(), code, mend, &[("since", since)]);
                }
            }
        }
    }
}

fn is_taken(seen: &Seen, at: At, profile: u8) -> bool {
    seen.step.outcome.applied() && (seen.step.version, seen.step.profile) == (at.version, profile)
}

/// The tables that `key` lists.
fn items<'t, 'd>(table: &'t DeTable<'d>, key: &str) -> impl Iterator<Item = &'t DeTable<'d>> {
    let list = table.get(key).and_then(|list| list.get_ref().as_array());
    list.into_iter().flat_map(|list| list.iter().filter_map(|item| item.get_ref().as_table()))
}

fn amount(table: &DeTable<'_>, key: &str) -> Option<(Fen, Range<usize>)> {
    let value = table.get(key)?;
    Some((value.get_ref().as_str()?.parse().ok()?, value.span()))
}

fn day(table: &DeTable<'_>, key: &str) -> Option<Day> {
    table.get(key)?.get_ref().as_str()?.parse().ok()
}
