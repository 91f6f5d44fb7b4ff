//! A small change of a pack in words: which rule of whom, what stands there, what would stand there instead.

use toml::de::{DeTable, DeValue};

use super::sites::{Change, Hop};
use super::{Target, What};
use crate::diff::{both, plain, table_bilingual};
use crate::figure::{key_name, table_name, value_said};
use crate::words::Word;
use crate::{Benefit, Bilingual, Language, Policy, Predicate};

/// Where a change is.
struct Place {
    /// The benefit or table, the time, the group.
    heading: Bilingual,
    /// The path under the group, without numbers.
    path: String,
    number: Option<usize>,
}

impl Target<'_> {
    /// The change in words. `conditions`: for whom the rule that it stands in is, before and after.
    pub(super) fn tell(&self, change: &Change, conditions: Option<[Bilingual; 2]>) -> Bilingual {
        let place = self.place(change);
        let said = |word: Word, figure: &Bilingual, values: [&Bilingual; 2]| {
            let [before, after] = values;
            both(word, &[("where", &place.heading), ("figure", figure), ("before", before), ("after", after)])
        };
        if change.drops_all() {
            return both(Word::MutantSaidLayer, &[("where", &place.heading)]);
        }
        if let Some([before, after]) = conditions.filter(|[before, after]| before != after) {
            return said(Word::MutantSaid, &key_name("when", None), [&before, &after]);
        }
        let figure = key_name(&place.path, place.number);
        let value = |written: &str| self.value(&place.path, written);
        match &change.to {
            Some(to) => said(Word::MutantSaid, &figure, [&value(&change.from), &value(to)]),
            None => both(Word::MutantSaidOut, &[("where", &place.heading), ("figure", &figure)]),
        }
    }

    fn value(&self, path: &str, written: &str) -> Bilingual {
        let key = path.rsplit('.').next().unwrap_or(path);
        let parsed = format!("value = {written}").parse::<toml::Table>().ok();
        match parsed.as_ref().and_then(|table| table.get("value")) {
            Some(value) => value_said(key, value, self.release.vocabulary()),
            // A key that would be called otherwise.
            None => key_name(written, None),
        }
    }

    fn name(&self) -> Bilingual {
        let file = self.file.path.rsplit('/').next().unwrap_or(&self.file.path);
        let own = table_bilingual(&self.table, "name");
        own.or_else(|| table_name(file.trim_end_matches(".toml"))).unwrap_or_else(|| plain(file))
    }

    fn place(&self, change: &Change) -> Place {
        let mut place = Place { heading: self.name(), path: String::new(), number: None };
        let mut table: Option<&DeTable<'_>> = Some(&self.table);
        let mut value: Option<&DeValue<'_>> = None;
        let mut list = "";
        for hop in change.hops() {
            match hop {
                Hop::Key(key) => {
                    value = table.and_then(|table| table.get(key.as_str())).map(toml::Spanned::get_ref);
                    list = key;
                    let dot = if place.path.is_empty() { "" } else { "." };
                    place.path.extend([dot, key.as_str()]);
                }
                Hop::Item(index) => {
                    value = value
                        .and_then(DeValue::as_array)
                        .and_then(|items| items.get(*index))
                        .map(toml::Spanned::get_ref);
                    place.enter(list, *index, value.and_then(DeValue::as_table));
                }
            }
            table = value.and_then(DeValue::as_table);
        }
        // The entry itself.
        if place.path.is_empty() {
            place.path.push_str(list);
        }
        place
    }
}

impl Place {
    /// Goes into an entry of a list: of a version it says the time, of one that has a name that name.
    fn enter(&mut self, list: &str, index: usize, entry: Option<&DeTable<'_>>) {
        let text = |key: &str| Some(plain(entry?.get(key)?.get_ref().as_str()?));
        let own = match list {
            "version" | "gap" => match (text("from"), text("to")) {
                (Some(from), Some(to)) => Some(both(Word::DiffBetween, &[("from", &from), ("to", &to)])),
                (Some(from), None) => Some(both(Word::DiffSince, &[("from", &from)])),
                _ => None,
            },
            _ => entry.and_then(|entry| table_bilingual(entry, "name")),
        };
        match own {
            Some(own) => {
                self.heading = both(Word::DiffComma, &[("one", &self.heading), ("other", &own)]);
                // Only the rules go on to say what they are a rule of.
                if !list.ends_with("_rule") {
                    self.path.clear();
                }
            }
            None => self.number = Some(index + 1),
        }
    }
}

/// For whom the rule that a change stands in is, by the benefit as it is and as it is changed; `None` if it is about
/// nobody in particular.
pub(super) fn conditions(
    target: &Target<'_>,
    change: &Change,
    (policy, changed): (&Policy, Option<&Benefit>),
) -> Option<[Bilingual; 2]> {
    let What::Layer(benefit, _) = &target.what else { return None };
    let say = |benefit: &Benefit| {
        let condition = condition_of(benefit, change, &target.table)?;
        let [zh, en] = [Language::Zh, Language::En].map(|language| policy.condition(condition, language));
        Some(Bilingual { zh, en })
    };
    Some([say(benefit)?, say(changed?)?])
}

fn condition_of<'b>(benefit: &'b Benefit, change: &Change, table: &DeTable<'_>) -> Option<&'b Predicate> {
    let is = |hop: &Hop, name: &str| matches!(hop, Hop::Key(key) if key == name);
    match change.hops() {
        [first, ..] if is(first, "applies") => Some(&benefit.applies),
        [first, Hop::Item(version), Hop::Key(list), Hop::Item(entry), when, ..]
            if is(first, "version") && is(when, "when") =>
        {
            // In the file versions may stand in another order.
            let versions = table.get("version")?.get_ref().as_array()?;
            let from = versions.get(*version)?.get_ref().get("from")?.get_ref().as_str()?.parse().ok()?;
            let version = benefit.versions.iter().find(|one| one.period.from == from)?;
            match list.as_str() {
                "profile" => version.profiles.get(*entry).map(|profile| &profile.when),
                "deductible_rule" => version.deductible_rules.get(*entry).map(|rule| &rule.when),
                "ratio_rule" => version.ratio_rules.get(*entry).map(|rule| &rule.when),
                _ => None,
            }
        }
        _ => None,
    }
}
