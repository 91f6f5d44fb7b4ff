//! Where a file of a pack can be wrong by a little: every number by one unit, every comparison, every date by a day,
//! every layer, profile, rule and listed name left out. Found on the parsed file by the form of its values, so that a
//! new layer kind is covered by being written.

use std::borrow::Cow;
use std::ops::Range;

use kangmai_base::{Day, Fen, Rate};
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use crate::figure::{CHOICES, RATIOS};

/// A step from a table or a list to what is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Hop {
    Key(String),
    Item(usize),
}

/// What is done to one value.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Edit {
    /// A string becomes another.
    Text(String),
    /// A whole number becomes another.
    Whole(String),
    /// A truth becomes its contrary.
    Flag(bool),
    /// A key is called otherwise.
    Rename(&'static str),
    /// A condition becomes its contrary.
    Not,
    /// It is left out.
    Remove,
}

/// One small change of a file.
#[derive(Debug, Clone)]
pub(super) struct Change {
    edits: Vec<(Vec<Hop>, Edit)>,
    /// What is underlined.
    pub(super) span: Range<usize>,
    /// What stands there, and what would stand there instead; `None`: nothing.
    pub(super) from: String,
    pub(super) to: Option<String>,
}

impl Change {
    /// The whole file left out: a layer dropped.
    pub(super) fn of_all() -> Change {
        Change { edits: Vec::new(), span: 0..0, from: String::new(), to: None }
    }

    /// Whether it drops the layer.
    pub(super) fn drops_all(&self) -> bool {
        self.edits.is_empty()
    }

    /// Whether it changes only for whom a layer or a profile is.
    pub(super) fn is_in_condition(&self) -> bool {
        let has =
            |path: &[Hop], name: &str| path.iter().any(|hop| matches!(hop, Hop::Key(key) if key == name));
        let is_rule = |path: &[Hop]| has(path, "deductible_rule") || has(path, "ratio_rule");
        let is_condition = |path: &[Hop]| has(path, "applies") || has(path, "when");
        self.edits.iter().all(|(path, _)| is_condition(path) && !is_rule(path))
    }

    /// The path to what is changed.
    pub(super) fn hops(&self) -> &[Hop] {
        self.edits.first().map_or(&[][..], |(path, _)| path)
    }

    /// Where it is: `version 1, profile 2, deductible`.
    pub(super) fn place(&self) -> String {
        let mut out = String::new();
        for hop in self.hops() {
            match hop {
                Hop::Key(key) if out.is_empty() => out.push_str(key),
                Hop::Key(key) => out.extend([", ", key.as_str()]),
                Hop::Item(index) => out.extend([" ".to_owned(), (index + 1).to_string()]),
            }
        }
        out
    }

    /// The table with this change made.
    pub(super) fn applied<'a>(&'a self, table: &DeTable<'a>) -> DeTable<'a> {
        let mut table = table.clone();
        for (path, edit) in &self.edits {
            if let [Hop::Key(key), rest @ ..] = path.as_slice() {
                edit_entry(&mut table, key, rest, edit);
            }
        }
        table
    }
}

fn edit_entry<'a>(table: &mut DeTable<'a>, key: &str, rest: &[Hop], edit: &'a Edit) {
    if !rest.is_empty() {
        if let Some(value) = table.get_mut(key) {
            descend(value, rest, edit);
        }
        return;
    }
    match edit {
        Edit::Remove => drop(table.remove(key)),
        Edit::Rename(name) => {
            if let Some((old, value)) = table.remove_entry(key) {
                table.insert(Spanned::new(old.span(), Cow::Borrowed(*name)), value);
            }
        }
        _ => {
            if let Some(value) = table.get_mut(key) {
                change_value(value, edit);
            }
        }
    }
}

fn descend<'a>(value: &mut Spanned<DeValue<'a>>, path: &[Hop], edit: &'a Edit) {
    match (value.get_mut(), path) {
        (DeValue::Table(table), [Hop::Key(key), rest @ ..]) => edit_entry(table, key, rest, edit),
        (DeValue::Array(items), [Hop::Item(index)]) if *edit == Edit::Remove => {
            let kept = items.iter().enumerate().filter(|(number, _)| number != index);
            *items = kept.map(|(_, item)| item.clone()).collect();
        }
        (DeValue::Array(items), [Hop::Item(index)]) => {
            if let Some(item) = items.get_mut(*index) {
                change_value(item, edit);
            }
        }
        (DeValue::Array(items), [Hop::Item(index), rest @ ..]) => {
            if let Some(item) = items.get_mut(*index) {
                descend(item, rest, edit);
            }
        }
        _ => {}
    }
}

fn change_value<'a>(value: &mut Spanned<DeValue<'a>>, edit: &'a Edit) {
    let span = value.span();
    match edit {
        Edit::Text(text) => *value.get_mut() = DeValue::String(Cow::Borrowed(text)),
        Edit::Flag(flag) => *value.get_mut() = DeValue::Boolean(*flag),
        Edit::Whole(number) => {
            if let Ok(parsed) = DeValue::parse(number) {
                *value.get_mut() = parsed.into_inner();
            }
        }
        Edit::Not => {
            let inner = std::mem::replace(value.get_mut(), DeValue::Boolean(false));
            let mut table = DeTable::new();
            table.insert(Spanned::new(span.clone(), Cow::Borrowed("not")), Spanned::new(span, inner));
            *value.get_mut() = DeValue::Table(table);
        }
        Edit::Rename(_) | Edit::Remove => {}
    }
}

/// What carries no rule: names, sources, cases, and what only a reader sees.
const SILENT: &[&str] = &[
    "id",
    "name",
    "payer",
    "source",
    "sure",
    "carried_forward",
    "case",
    "kind",
    "text",
    "why",
    "accumulators",
    "after",
    "note",
    "number",
    "condition",
    "instalments",
    "responsible",
    "advice",
];

/// What can be left out without the file being refused for it.
const OPTIONAL: &[&str] = &[
    "when",
    "recognition",
    "push_every_days",
    "max_age",
    "min_age",
    "sensitive",
    "needs",
    "waives_deductible_of",
    "to_year",
    "at_least",
    "kinds",
    "designations",
    "pathway",
    "hospitals",
];

/// All changes of a file whose parsed table is `table`.
pub(super) fn changes(text: &str, table: &DeTable<'_>, is_measured: bool) -> Vec<Change> {
    let kind = table.get("kind").and_then(|kind| kind.get_ref().as_str()).unwrap_or_default().to_owned();
    let remembers = table.contains_key("accumulators");
    let mut sites = Sites { text, kind, remembers, is_measured, path: Vec::new(), found: Vec::new() };
    sites.edges(table);
    sites.table(table);
    sites.found
}

struct Sites<'t> {
    text: &'t str,
    kind: String,
    /// Whether the benefit has accumulators.
    remembers: bool,
    /// Whether its numbers are measured ones, with their own digits, and no money.
    is_measured: bool,
    path: Vec<Hop>,
    found: Vec<Change>,
}

impl Sites<'_> {
    fn push(&mut self, span: Range<usize>, edit: Edit, to: Option<String>) {
        let from = self.text.get(span.clone()).unwrap_or_default().to_owned();
        self.found.push(Change { edits: vec![(self.path.clone(), edit)], span, from, to });
    }

    fn within(&mut self, hop: Hop, look: impl FnOnce(&mut Self)) {
        self.path.push(hop);
        look(self);
        self.path.pop();
    }

    fn table(&mut self, table: &DeTable<'_>) {
        for (key, value) in table.iter() {
            let name: &str = key.get_ref();
            if SILENT.contains(&name) || self.is_without_effect(name, table) {
                continue;
            }
            let is_edge = matches!(name, "from" | "to") && self.is_period();
            if is_edge {
                continue;
            }
            self.within(Hop::Key(name.to_owned()), |sites| {
                if OPTIONAL.contains(&name) {
                    sites.push(value.span(), Edit::Remove, None);
                }
                sites.value(name, value);
            });
        }
    }

    /// Whether we are in a version or a gap, whose days are changed together with those beside them.
    fn is_period(&self) -> bool {
        matches!(self.path.as_slice(), [Hop::Key(key), Hop::Item(_)] if key == "version" || key == "gap")
    }

    /// Words that mean nothing in some tables: over what a deductible of nothing is counted, the base of kinds that take
    /// none, whose the accumulators are where there are none, and how what has no fraction is rounded.
    fn is_without_effect(&self, key: &str, table: &DeTable<'_>) -> bool {
        let text = |key: &str| table.get(key).and_then(|value| value.get_ref().as_str()).unwrap_or_default();
        match key {
            "deductible_over" => text("deductible").parse() == Ok(Fen::ZERO),
            "take" => !matches!(self.kind.as_str(), "deductible_ratio" | "tiers" | "share"),
            "over" => self.kind != "tiers",
            "owner" => !self.remembers,
            // A fixed sum has no fraction to round.
            "mode" => self.kind == "fixed",
            _ => false,
        }
    }

    fn value(&mut self, key: &str, value: &Spanned<DeValue<'_>>) {
        match value.get_ref() {
            _ if matches!(key, "applies" | "when") => self.condition(value),
            DeValue::String(text) => self.string(key, text, value.span()),
            DeValue::Integer(number) => {
                let Ok(number) = number.as_str().parse::<i64>() else { return };
                for other in [number - 1, number + 1].into_iter().filter(|other| *other >= 0) {
                    self.push(value.span(), Edit::Whole(other.to_string()), Some(other.to_string()));
                }
            }
            DeValue::Boolean(flag) => {
                self.push(value.span(), Edit::Flag(!flag), Some((!flag).to_string()));
            }
            DeValue::Table(table) => self.table(table),
            DeValue::Array(items) => self.list(key, items),
            DeValue::Float(_) | DeValue::Datetime(_) => {}
        }
    }

    fn list(&mut self, key: &str, items: &DeArray<'_>) {
        for (index, item) in items.iter().enumerate() {
            let is_table = item.get_ref().is_table();
            self.within(Hop::Item(index), |sites| {
                // A gap left out is a hole, which the loader refuses, or at the end says no less to the arithmetic.
                if key != "gap" && (is_table || items.len() > 1) {
                    let to_end_of_line = |text: &str| text.find('\n').unwrap_or(text.len());
                    let mut span = item.span();
                    if let Some(head) = sites.text.get(span.clone()) {
                        span.end = span.start + to_end_of_line(head);
                    }
                    sites.push(span, Edit::Remove, None);
                }
                match item.get_ref() {
                    DeValue::Table(table) => sites.table(table),
                    DeValue::String(text) => sites.span_of_codes(key, text, item.span()),
                    _ => {}
                }
            });
        }
    }

    /// `C19-C20` shortened to either end.
    fn span_of_codes(&mut self, key: &str, text: &str, span: Range<usize>) {
        if let ("icd10" | "starts_with", Some((first, last))) = (key, text.split_once('-')) {
            for end in [first, last] {
                self.push(span.clone(), Edit::Text(end.to_owned()), Some(quoted(end)));
            }
        }
    }

    fn string(&mut self, key: &str, text: &str, span: Range<usize>) {
        if let Some((_, words)) = CHOICES.iter().find(|(name, words)| *name == key && words.contains(&text)) {
            for other in words.iter().filter(|other| **other != text) {
                self.push(span.clone(), Edit::Text((*other).to_owned()), Some(quoted(other)));
            }
            return;
        }
        // The unit of a rounding is a closed list of its own.
        if matches!(self.path.as_slice(), [Hop::Key(round), Hop::Key(_)] if round == "round") {
            return;
        }
        let others = if key == "within" {
            wider(text)
        } else if let Ok(day) = text.parse::<Day>() {
            [-1, 1].into_iter().map(|by| day.plus_days(by).to_string()).collect()
        } else if RATIOS.contains(&key) || text.ends_with('%') {
            ratios_beside(text)
        } else if self.is_measured {
            measures_beside(text)
        } else if let Ok(amount) = text.parse::<Fen>() {
            let beside = [Fen(amount.0 - 1), Fen(amount.0 + 1)];
            beside.into_iter().filter(|other| !other.is_negative()).map(|other| other.to_string()).collect()
        } else {
            Vec::new()
        };
        for other in others {
            let said = quoted(&other);
            self.push(span.clone(), Edit::Text(other), Some(said));
        }
    }

    fn condition(&mut self, value: &Spanned<DeValue<'_>>) {
        self.push(value.span(), Edit::Not, None);
        if let Some(change) = self.found.last_mut() {
            change.to = Some(format!("{{ not = {} }}", change.from));
        }
        let DeValue::Table(table) = value.get_ref() else { return };
        for (key, value) in table.iter() {
            let name: &str = key.get_ref();
            self.within(Hop::Key(name.to_owned()), |sites| match value.get_ref() {
                DeValue::Array(items) if matches!(name, "all" | "any") => {
                    for (index, item) in items.iter().enumerate() {
                        sites.within(Hop::Item(index), |sites| {
                            if items.len() > 1 {
                                sites.push(item.span(), Edit::Remove, None);
                                sites.condition(item);
                            }
                        });
                    }
                }
                DeValue::Table(_) if name == "not" => sites.condition(value),
                _ => {
                    let turned = match name {
                        "at_least" => Some("at_most"),
                        "at_most" => Some("at_least"),
                        "above" => Some("below"),
                        "below" => Some("above"),
                        _ => None,
                    };
                    if let Some(turned) = turned.filter(|turned| !table.contains_key(*turned)) {
                        sites.push(key.span(), Edit::Rename(turned), Some(turned.to_owned()));
                    }
                    sites.value(name, value);
                }
            });
        }
    }

    /// The days on which one version follows another, moved for both.
    fn edges(&mut self, table: &DeTable<'_>) {
        let mut edges: Vec<(Day, Vec<Hop>, Range<usize>, bool)> = Vec::new();
        for list in ["version", "gap"] {
            let Some(items) = table.get(list).and_then(|list| list.get_ref().as_array()) else { continue };
            for (index, item) in items.iter().enumerate() {
                for key in ["from", "to"] {
                    let Some(value) = item.get_ref().get(key) else { continue };
                    let Some(Ok(day)) = value.get_ref().as_str().map(str::parse::<Day>) else { continue };
                    let hops = [Hop::Key(list.to_owned()), Hop::Item(index), Hop::Key(key.to_owned())];
                    let is_last = key == "to";
                    edges.push((day.plus_days(is_last.into()), hops.to_vec(), value.span(), is_last));
                }
            }
        }
        edges.sort_by_key(|(day, _, _, is_last)| (*day, *is_last));
        for together in edges.chunk_by(|(one, ..), (other, ..)| one == other) {
            let Some((day, _, span, is_last)) = together.first() else { continue };
            for by in [-1, 1] {
                let moved = |is_last: bool| day.plus_days(by - i32::from(is_last)).to_string();
                let edits = together.iter();
                let edits = edits.map(|(_, path, _, is_last)| (path.clone(), Edit::Text(moved(*is_last))));
                let from = self.text.get(span.clone()).unwrap_or_default().to_owned();
                let to = Some(quoted(&moved(*is_last)));
                self.found.push(Change { edits: edits.collect(), span: span.clone(), from, to });
            }
        }
    }
}

/// The measured numbers one last digit less and more.
fn measures_beside(text: &str) -> Vec<String> {
    let decimals = text.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    let Ok(digits) = text.replace('.', "").parse::<i64>() else { return Vec::new() };
    let beside = [digits - 1, digits + 1].into_iter().filter(|other| *other >= 0);
    beside
        .map(|other| {
            let padded = format!("{other:0>width$}", width = decimals + 1);
            let (whole, part) = padded.split_at(padded.len() - decimals);
            if part.is_empty() { whole.to_owned() } else { format!("{whole}.{part}") }
        })
        .collect()
}

fn quoted(text: &str) -> String {
    format!("\"{text}\"")
}

/// The division above the one that a code names.
fn wider(code: &str) -> Vec<String> {
    let shorter = match code.len() {
        12 => 9,
        9 => 6,
        6 => 4,
        4 => 2,
        _ => return Vec::new(),
    };
    code.get(..shorter).map(str::to_owned).into_iter().collect()
}

/// The ratios one unit away: a per cent point, or the last digit that is written; a share stays one.
fn ratios_beside(text: &str) -> Vec<String> {
    let Ok(rate) = text.parse::<Rate>() else { return Vec::new() };
    let written: Vec<String> = if let Some((numerator, denominator)) = text.split_once('/') {
        let Ok(numerator) = numerator.trim().parse::<i64>() else { return Vec::new() };
        [numerator - 1, numerator + 1].map(|other| format!("{other}/{}", denominator.trim())).into()
    } else {
        let unit = if text.ends_with('%') { "%" } else { "" };
        let digits = text.trim_end_matches('%').trim_end();
        let decimals = digits.split_once('.').map_or(0, |(_, decimals)| decimals.len());
        let Ok(whole) = digits.replace('.', "").parse::<i64>() else { return Vec::new() };
        let write = |other: i64| {
            let padded = format!("{other:0width$}", width = decimals + 1);
            let (before, after) = padded.split_at(padded.len() - decimals);
            let point = if decimals > 0 { "." } else { "" };
            format!("{before}{point}{after}{unit}")
        };
        [whole - 1, whole + 1].into_iter().filter(|other| *other >= 0).map(write).collect()
    };
    let fits = |other: &Rate| other.is_share() || !rate.is_share();
    written.into_iter().filter(|other| other.parse::<Rate>().is_ok_and(|other| fits(&other))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_moves_by_a_point_or_by_its_last_digit() {
        for (text, beside) in [
            ("80%", &["79%", "81%"][..]),
            ("100%", &["99%"]),
            ("0%", &["1%"]),
            ("9.5%", &["9.4%", "9.6%"]),
            ("0.05", &["0.04", "0.06"]),
            ("1/2", &["0/2", "2/2"]),
            ("2/37", &["1/37", "3/37"]),
        ] {
            assert_eq!(ratios_beside(text), beside, "{text}");
        }
    }

    #[test]
    fn what_can_be_wrong_is_found_by_its_form() {
        let text = r#"
kind = "share"
date = "discharge"
round = { mode = "half_up", to = "0.01", at = "layer" }
applies = { all = [ { fact = "insured_basic", as_of = "admission" }, { fact = "age", at_most = 14, as_of = "admission" } ] }
[[version]]
from = "2019-01-01"
to = "2019-12-31"
ratio = "65%"
deductible = "5500.00"
deductible_over = "year"
[[gap]]
from = "2020-01-01"
[[case]]
given = { compliant = "1.00" }
"#;
        let table = DeTable::parse(text).expect("a table");
        let found = changes(text, table.get_ref(), false);
        let said: Vec<String> = found
            .iter()
            .map(|change| {
                format!("{}: {} -> {}", change.place(), change.from, change.to.as_deref().unwrap_or("-"))
            })
            .collect();
        let has = |line: &str| assert!(said.iter().any(|said| said == line), "{line}\n{}", said.join("\n"));
        has("version 1, ratio: \"65%\" -> \"64%\"");
        has("version 1, deductible: \"5500.00\" -> \"5500.01\"");
        has("version 1, deductible_over: \"year\" -> \"bill\"");
        has("applies, all 2, at_most: 14 -> 15");
        has("applies, all 2, at_most: at_most -> at_least");
        has("applies, all 1, as_of: \"admission\" -> \"discharge\"");
        has("gap 1, from: \"2020-01-01\" -> \"2019-12-31\"");
        let silent = |line: &String| line.starts_with("case") || line.starts_with("round, to");
        assert!(!said.iter().any(silent), "{said:?}");
        let edge = found.iter().find(|change| change.from == "\"2020-01-01\"").expect("the edge");
        assert_eq!(edge.edits.len(), 2, "both sides of an edge move");
        let moved = edge.applied(table.get_ref());
        let to = moved
            .get("version")
            .and_then(|list| list.get_ref().get(0))
            .and_then(|one| one.get_ref().get("to"));
        assert_eq!(to.and_then(|to| to.get_ref().as_str()), Some("2019-12-30"));
    }
}
