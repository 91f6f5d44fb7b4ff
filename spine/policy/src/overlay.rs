//! What if a figure were another from a day on: a list of changes `path = value from DATE` laid over a release.
//!
//! A change names what it changes as a person would: `cn/henan/major [参保居民] tiers[1].ratio = "65%" from 2025-01-01`.
//! The pack may be left out where the place says it; the group in brackets where a version has only one; quotes around
//! the value. Tiers and segments are counted from 1. Laying a change over the pack splits off a new version from that day and
//! ends the old one the day before; what results goes through the same strict loader as any release.

mod told;
mod write;

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use kangmai_base::Day;
use toml::{Table, Value};

use crate::dated::Period;
use crate::fields::nearest;
use crate::figure::{key_name, value_said};
use crate::source::{PackError, PackFile};
use crate::vocabulary::Vocabulary;
use crate::words::Word;
use crate::{Benefit, Bilingual, FigureKind, Jurisdiction, Release};

pub use told::ChangeTold;
pub use write::{Citation, take_over};

/// Most changes of one overlay.
pub const MOST_CHANGES: usize = 8;
/// Keys of a version and of a profile that are no figures.
const NO_FIGURES: [&str; 8] = ["from", "to", "name", "sure", "source", "carried_forward", "profile", "when"];

/// Changes to lay over a release.
#[derive(Debug, Clone)]
pub struct Overlay {
    changes: Vec<Change>,
}

/// A word of a change and where it stands in it.
#[derive(Debug, Clone)]
struct Token {
    text: String,
    span: Range<usize>,
}

/// A part of the path of a figure: `tiers[1]`.
#[derive(Debug, Clone)]
struct Part {
    key: Token,
    number: Option<(usize, Range<usize>)>,
}

#[derive(Debug, Clone)]
struct Change {
    file: Arc<PackFile>,
    pack: Option<Token>,
    benefit: Token,
    profile: Option<Token>,
    figure: Vec<Part>,
    value: Token,
    from: Day,
    day: Range<usize>,
}

/// A figure that can be changed, as a path that [`Overlay::parse`] understands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OverlayFigure {
    /// The benefit's code name.
    pub benefit: String,
    /// What people call it.
    pub benefit_name: Bilingual,
    /// When the version holds.
    pub period: Period,
    /// For whom, or the rule that it belongs to.
    pub profile: Option<Bilingual>,
    /// `deductible`, `tiers.ratio`: the path without numbers.
    pub key: String,
    /// Which tier, segment or rule, from 1.
    pub number: Option<usize>,
    /// What people call it.
    pub name: Bilingual,
    /// What holds now, as the file says it.
    pub value: String,
    /// What holds now, in words.
    pub shown: Bilingual,
    /// What may be typed in its place.
    pub kind: FigureKind,
    /// The path, without a pack.
    pub path: String,
}

impl Overlay {
    /// Reads changes; all that is wrong with them is found at once.
    ///
    /// # Errors
    /// What cannot be read, each underlined. The path of an error is `#` and the number of the change.
    pub fn parse(texts: &[impl AsRef<str>]) -> Result<Overlay, Vec<PackError>> {
        let (mut changes, mut errors) = (Vec::new(), Vec::new());
        for (index, text) in texts.iter().enumerate() {
            let file = Arc::new(PackFile { path: format!("#{}", index + 1), text: one_line(text.as_ref()) });
            match Change::parse(&file) {
                Ok(_) if index >= MOST_CHANGES => {
                    let error =
                        PackError::new(&file, 0..file.text.len(), Word::ErrTooMany, Word::MendTooMany);
                    errors.push(error.with("limit", MOST_CHANGES.to_string()));
                }
                Ok(change) => changes.push(change),
                Err(error) => errors.push(error),
            }
        }
        if errors.is_empty() { Ok(Overlay { changes }) } else { Err(errors) }
    }

    /// How many changes there are.
    pub fn len(&self) -> usize {
        self.changes.len()
    }

    /// Whether nothing is changed.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// The changes as they were written.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.changes.iter().map(|change| change.file.text.as_str())
    }

    /// The same without the change `index`: shows whether that one makes a difference.
    #[must_use]
    pub fn without(&self, index: usize) -> Overlay {
        let rest = self.changes.iter().enumerate().filter(|(other, _)| *other != index);
        Overlay { changes: rest.map(|(_, change)| change.clone()).collect() }
    }

    /// Lays the changes over `release`, the earliest day first. A benefit without a pack in front is looked for in the
    /// pack of `directory` and in what that one takes over.
    ///
    /// # Errors
    /// A path that leads nowhere, a value of the wrong kind, and all that the loader finds wrong with the result, at
    /// the change that brought it.
    pub fn apply(&self, release: &Release, directory: &str) -> Result<Release, Vec<PackError>> {
        let mut order: Vec<&Change> = self.changes.iter().collect();
        order.sort_by_key(|change| change.from);
        let (mut errors, mut tables) = (Vec::new(), BTreeMap::new());
        let mut touched: Vec<(&Change, String)> = Vec::new();
        for change in order {
            match change.lay_over(release, directory, &mut tables) {
                Ok(path) => touched.push((change, path)),
                Err(error) => errors.push(error),
            }
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        let texts: BTreeMap<String, String> =
            tables.iter().map(|(path, table)| (path.clone(), table.to_string())).collect();
        let files = release.files().iter().map(|(path, text)| {
            let changed = texts.get(path).unwrap_or(text);
            (path.clone(), changed.clone())
        });
        Release::load(files).map_err(|errors| self.blamed(release, directory, &touched, errors))
    }

    /// The loader's errors at the changes that brought them: at the one that is wrong by itself, else at the last that
    /// touched the file.
    fn blamed(
        &self,
        release: &Release,
        directory: &str,
        touched: &[(&Change, String)],
        errors: Vec<PackError>,
    ) -> Vec<PackError> {
        let alone = |change: &Change| {
            let one = Overlay { changes: vec![change.clone()] };
            self.changes.len() > 1 && one.apply(release, directory).is_err()
        };
        let blame = |error: PackError| {
            let of_file = || touched.iter().filter(|(_, path)| *path == error.path);
            let change = of_file().find(|(change, _)| alone(change)).or_else(|| of_file().next_back());
            let Some((change, _)) = change.or(touched.last()) else { return error };
            let moved = PackError::new(&change.file, change.value.span.clone(), error.code, error.mend);
            error.values.iter().fold(moved, |moved, (name, value)| moved.with(name, value.clone()))
        };
        let mut blamed: Vec<PackError> = errors.into_iter().map(blame).collect();
        blamed.dedup();
        blamed
    }
}

/// A change is one line.
fn one_line(text: &str) -> String {
    text.trim().replace(['\n', '\r', '\t'], " ")
}

impl Change {
    fn parse(file: &Arc<PackFile>) -> Result<Change, PackError> {
        let text = file.text.as_str();
        let unreadable =
            |span: Range<usize>| PackError::new(file, span, Word::ErrOverlaySyntax, Word::MendOverlaySyntax);
        let token = |span: Range<usize>| trimmed(text, span);
        let from = text.rfind(" from ").ok_or_else(|| unreadable(text.len()..text.len()))?;
        let day = token(from + " from ".len()..text.len());
        let first = text.find(char::is_whitespace).unwrap_or(text.len()).min(from);
        let mut rest = first;
        let mut profile = None;
        let after = token(first..from);
        if after.text.starts_with('[') {
            let close = text[after.span.start..from].find(']').map(|at| after.span.start + at);
            let close = close.ok_or_else(|| unreadable(after.span.clone()))?;
            profile = Some(token(after.span.start + 1..close));
            rest = close + 1;
        }
        let equals = text[rest..from].find('=').map(|at| rest + at);
        let equals = equals.ok_or_else(|| unreadable(token(rest..from).span))?;
        let (figure, value) = (token(rest..equals), token(equals + 1..from));
        if first == 0 || figure.text.is_empty() || value.text.is_empty() {
            return Err(unreadable(figure.span));
        }
        let from = day.text.parse::<Day>().map_err(|_| {
            let error = PackError::new(file, day.span.clone(), Word::ErrNotADate, Word::MendDate);
            error.with("value", day.text.clone())
        })?;
        let (pack, benefit) = match text[..first].rfind('/').filter(|_| !text[..first].ends_with(".toml")) {
            Some(slash) => (Some(token(0..slash)), token(slash + 1..first)),
            None => (None, token(0..first)),
        };
        let figure = parts_of(&figure).map_err(unreadable)?;
        Ok(Change { file: Arc::clone(file), pack, benefit, profile, figure, value, from, day: day.span })
    }

    fn error(&self, span: &Range<usize>, code: Word, mend: Word) -> PackError {
        PackError::new(&self.file, span.clone(), code, mend)
    }

    /// `token` is no name of `names`: the nearest is proposed, or all are told.
    fn unknown(&self, token: &Token, code: Word, names: &[&str]) -> PackError {
        let error = match nearest(&token.text, names) {
            Some(meant) => self.error(&token.span, code, Word::MendDidYouMean).with("meant", meant),
            None => self.error(&token.span, code, Word::MendList).with("list", names.join(", ")),
        };
        error.with("value", token.text.clone())
    }

    /// The file of the benefit.
    fn path_in(&self, release: &Release, directory: &str) -> Result<String, PackError> {
        if self.benefit.text.ends_with(".toml") {
            let paths: Vec<&str> = release.files().iter().map(|(path, _)| path.as_str()).collect();
            let of_benefits: Vec<&str> =
                paths.into_iter().filter(|path| path.contains("/benefits/")).collect();
            return match of_benefits.contains(&self.benefit.text.as_str()) {
                true => Ok(self.benefit.text.clone()),
                false => Err(self.unknown(&self.benefit, Word::ErrOverlayBenefit, &of_benefits)),
            };
        }
        let asked = self.pack.as_ref().map_or(directory, |pack| pack.text.as_str());
        let Some(one) = release.jurisdiction(asked) else {
            let packs: Vec<&str> =
                release.jurisdictions().iter().map(|one| one.pack.directory.as_str()).collect();
            let pack = self.pack.as_ref().unwrap_or(&self.benefit);
            return Err(self.unknown(pack, Word::ErrOverlayPack, &packs));
        };
        let layers = one.to_read().layers();
        match layers.iter().find(|layer| layer.benefit.id == self.benefit.text) {
            Some(layer) => Ok(layer.benefit.path.clone()),
            None => {
                let ids: Vec<&str> = layers.iter().map(|layer| layer.benefit.id.as_str()).collect();
                Err(self.unknown(&self.benefit, Word::ErrOverlayBenefit, &ids))
            }
        }
    }

    /// Changes the table of its benefit and answers the benefit's file.
    fn lay_over(
        &self,
        release: &Release,
        directory: &str,
        tables: &mut BTreeMap<String, Table>,
    ) -> Result<String, PackError> {
        let path = self.path_in(release, directory)?;
        if !tables.contains_key(&path) {
            let text = release.files().iter().find(|(known, _)| *known == path);
            tables.insert(path.clone(), table_of(text.map_or("", |(_, text)| text)));
        }
        if let Some(table) = tables.get_mut(&path) {
            let version = self.split(table)?;
            let target = self.target(version)?;
            let slot = self.slot(target)?;
            *slot = self.value_like(slot)?;
        }
        Ok(path)
    }

    /// The version that begins on the change's first day: split off the one in force, unless it begins then anyway.
    fn split<'t>(&self, table: &'t mut Table) -> Result<&'t mut Table, PackError> {
        let periods: Vec<(Option<Day>, Option<Day>)> = tables_of(table, "version")
            .map(|version| (day_in(version, "from"), day_in(version, "to")))
            .collect();
        let holds = |period: &(Option<Day>, Option<Day>)| {
            period.0.is_some_and(|from| from <= self.from) && period.1.is_none_or(|to| self.from <= to)
        };
        let found = periods.iter().position(holds);
        let versions = table.get_mut("version").and_then(Value::as_array_mut);
        let (Some(position), Some(versions)) = (found, versions) else {
            let said = periods.iter().map(|(from, to)| {
                let [from, to] = [from, to].map(|day| day.map(|day| day.to_string()).unwrap_or_default());
                format!("{from}…{to}")
            });
            let error = self.error(&self.day, Word::ErrOverlayNotInForce, Word::MendOverlayNotInForce);
            return Err(error
                .with("id", self.benefit.text.clone())
                .with("day", self.from.to_string())
                .with("list", said.collect::<Vec<_>>().join(", ")));
        };
        let mut position = position;
        if periods[position].0 != Some(self.from) {
            let mut next = versions[position].clone();
            set_day(&mut versions[position], "to", self.from.plus_days(-1));
            set_day(&mut next, "from", self.from);
            position += 1;
            versions.insert(position, next);
        }
        // What was found above is a table.
        versions[position]
            .as_table_mut()
            .ok_or_else(|| self.error(&self.day, Word::ErrOverlaySyntax, Word::MendOverlaySyntax))
    }

    /// The table of the version in which the figure stands: the profile, or the version itself.
    fn target<'t>(&self, version: &'t mut Table) -> Result<&'t mut Table, PackError> {
        let head = &self.figure[0].key;
        if self.profile.is_none() && is_figure(&head.text) && version.contains_key(&head.text) {
            return Ok(version);
        }
        let names: Vec<[String; 2]> = tables_of(version, "profile")
            .map(|profile| ["zh", "en"].map(|key| name_in(profile, key)))
            .collect();
        let chinese: Vec<&str> = names.iter().map(|name| name[0].as_str()).collect();
        let position = match &self.profile {
            Some(wanted) => {
                let by_name = || names.iter().position(|name| name.contains(&wanted.text));
                let by_number =
                    wanted.text.parse::<usize>().ok().filter(|number| (1..=names.len()).contains(number));
                let found = by_number.map(|number| number - 1).or_else(by_name);
                found.ok_or_else(|| self.unknown(wanted, Word::ErrOverlayProfile, &chinese))?
            }
            None if names.len() == 1 => 0,
            None => {
                let keys: Vec<&str> = tables_of(version, "profile").flat_map(figure_keys).collect();
                if !keys.contains(&head.text.as_str()) {
                    return Err(self.unknown(head, Word::ErrOverlayFigure, &known(version, keys)));
                }
                let error =
                    self.error(&head.span, Word::ErrOverlayWhichProfile, Word::MendOverlayWhichProfile);
                return Err(error.with("list", chinese.join(", ")).with("first", chinese[0]));
            }
        };
        let keys: Vec<String> = known(version, Vec::new()).into_iter().map(str::to_owned).collect();
        let profile = version.get_mut("profile").and_then(Value::as_array_mut);
        match profile.and_then(|all| all.get_mut(position)).and_then(Value::as_table_mut) {
            Some(profile) if profile.contains_key(&head.text) && is_figure_of_profile(&head.text) => {
                Ok(profile)
            }
            profile => {
                let own = profile.as_deref().map(figure_keys).into_iter().flatten();
                let names: Vec<&str> = own.chain(keys.iter().map(String::as_str)).collect();
                Err(self.unknown(head, Word::ErrOverlayFigure, &names))
            }
        }
    }

    /// The value that the path leads to.
    fn slot<'t>(&self, table: &'t mut Table) -> Result<&'t mut Value, PackError> {
        let mut table = table;
        let (last, before) = self.figure.split_last().unwrap_or((&self.figure[0], &[]));
        for part in before {
            let value = self.step(table, part)?;
            // A figure that holds no others is as far as a path goes.
            table = match value {
                Value::Table(inner) => inner,
                _ => return Err(self.unknown(&last.key, Word::ErrOverlayFigure, &[])),
            };
        }
        self.step(table, last)
    }

    fn step<'t>(&self, table: &'t mut Table, part: &Part) -> Result<&'t mut Value, PackError> {
        let is_last = self.figure.last().is_some_and(|last| last.key.span == part.key.span);
        let keys: Vec<String> = table.keys().cloned().collect();
        let Some(value) = table.get_mut(&part.key.text) else {
            let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
            return Err(self.unknown(&part.key, Word::ErrOverlayFigure, &keys));
        };
        let count = value.as_array().map(Vec::len);
        let number = match (&part.number, count) {
            (None, None) => return Ok(value),
            (None, Some(_)) if is_last => return Ok(value),
            (None, Some(1)) => 1,
            (Some((number, _)), Some(count)) if (1..=count).contains(number) => *number,
            (number, count) => {
                let span = number.as_ref().map_or(&part.key.span, |(_, span)| span);
                let error = self.error(span, Word::ErrOverlayNumber, Word::MendOverlayNumber);
                return Err(error
                    .with("key", part.key.text.clone())
                    .with("count", count.unwrap_or(0).to_string()));
            }
        };
        let missing = || self.error(&part.key.span, Word::ErrOverlaySyntax, Word::MendOverlaySyntax);
        value.as_array_mut().and_then(|all| all.get_mut(number - 1)).ok_or_else(missing)
    }

    /// The new value, of the kind of the one that stands there. A text may come without quotes.
    fn value_like(&self, old: &Value) -> Result<Value, PackError> {
        let read = format!("value = {}", self.value.text).parse::<Table>().ok();
        let read = read.and_then(|table| table.get("value").cloned());
        match (read, old) {
            (Some(value), old) if value.same_type(old) => Ok(value),
            (read, Value::String(_)) if !matches!(read, Some(Value::Array(_) | Value::Table(_))) => {
                Ok(Value::String(self.value.text.trim_matches('"').to_owned()))
            }
            (read, old) => {
                let found = read.map_or("string", |value| value.type_str());
                let error = self.error(&self.value.span, Word::ErrWrongType, Word::MendType);
                let key = self.figure.last().map(|part| part.key.text.clone()).unwrap_or_default();
                Err(error.with("key", key).with("found", found).with("wanted", old.type_str()))
            }
        }
    }
}

/// `span` without spaces at its ends.
fn trimmed(text: &str, span: Range<usize>) -> Token {
    let whole = text.get(span.clone()).unwrap_or_default();
    let start = span.start + (whole.len() - whole.trim_start().len());
    let inner = whole.trim();
    Token { text: inner.to_owned(), span: start..start + inner.len() }
}

/// `tiers[1].ratio` as its parts; else what cannot be read.
fn parts_of(figure: &Token) -> Result<Vec<Part>, Range<usize>> {
    let mut start = figure.span.start;
    let mut parts = Vec::new();
    for piece in figure.text.split('.') {
        let span = start..start + piece.len();
        start = span.end + 1;
        let (name, number) = match piece.split_once('[') {
            None => (piece, None),
            Some((name, rest)) => {
                let digits = rest.strip_suffix(']').ok_or_else(|| span.clone())?;
                let inside = span.start + name.len() + 1..span.end - 1;
                (name, Some((digits.trim().parse().map_err(|_| inside.clone())?, inside)))
            }
        };
        if name.is_empty() || name.contains(char::is_whitespace) {
            return Err(span);
        }
        let key = Token { text: name.to_owned(), span: span.start..span.start + name.len() };
        parts.push(Part { key, number });
    }
    Ok(parts)
}

/// A file that a release has loaded is TOML.
fn table_of(text: &str) -> Table {
    text.parse().unwrap_or_default()
}

fn tables_of<'t>(table: &'t Table, key: &str) -> impl Iterator<Item = &'t Table> {
    table.get(key).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_table)
}

fn day_in(table: &Table, key: &str) -> Option<Day> {
    table.get(key)?.as_str()?.parse().ok()
}

fn set_day(version: &mut Value, key: &str, day: Day) {
    if let Some(table) = version.as_table_mut() {
        table.insert(key.to_owned(), Value::String(day.to_string()));
    }
}

fn name_in(profile: &Table, language: &str) -> String {
    let name = profile.get("name").and_then(|name| name.get(language)).and_then(Value::as_str);
    name.unwrap_or_default().to_owned()
}

fn is_figure(key: &str) -> bool {
    !NO_FIGURES.contains(&key)
}

/// The condition of a profile can be changed too, though it is no figure.
fn is_figure_of_profile(key: &str) -> bool {
    is_figure(key) || key == "when"
}

fn figure_keys(table: &Table) -> impl Iterator<Item = &str> {
    table.keys().map(String::as_str).filter(|key| is_figure(key))
}

fn known<'t>(version: &'t Table, mut keys: Vec<&'t str>) -> Vec<&'t str> {
    keys.extend(figure_keys(version));
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// All figures that hold at some time from `first` to `last` under the pack of `one`, in the order of its layers.
pub fn figures(release: &Release, one: &Jurisdiction, first: Day, last: Day) -> Vec<OverlayFigure> {
    let mut all = Vec::new();
    for layer in one.to_read().layers() {
        let benefit = &*layer.benefit;
        let text = release.files().iter().find(|(path, _)| *path == benefit.path);
        let table = table_of(text.map_or("", |(_, text)| text));
        for version in tables_of(&table, "version") {
            let Some(from) = day_in(version, "from") else { continue };
            let period = Period { from, to: day_in(version, "to") };
            if from <= last && period.to.is_none_or(|to| first <= to) {
                figures_of_version((benefit, release.vocabulary()), period, version, &mut all);
            }
        }
    }
    all
}

fn figures_of_version(
    of @ (benefit, _): (&Benefit, &Vocabulary),
    period: Period,
    version: &Table,
    all: &mut Vec<OverlayFigure>,
) {
    let profiles: Vec<&Table> = tables_of(version, "profile").collect();
    for (index, profile) in profiles.iter().enumerate() {
        let name = Bilingual { zh: name_in(profile, "zh"), en: name_in(profile, "en") };
        // A name that the path could not say, or that stands twice, gives way to its number.
        let twice = profiles.iter().filter(|other| name_in(other, "zh") == name.zh).count() > 1;
        let said = match twice || name.zh.contains([']', '[']) {
            true => (index + 1).to_string(),
            false => name.zh.clone(),
        };
        let prefix = format!("{} [{said}] ", benefit.id);
        figures_of(of, period, Some(&name), (&prefix, profile), all);
    }
    let prefix = format!("{} ", benefit.id);
    figures_of(of, period, None, (&prefix, version), all);
}

fn figures_of(
    (benefit, vocabulary): (&Benefit, &Vocabulary),
    period: Period,
    profile: Option<&Bilingual>,
    (prefix, table): (&str, &Table),
    all: &mut Vec<OverlayFigure>,
) {
    let mut put =
        |profile: Option<&Bilingual>, key: String, number: Option<usize>, path: String, value: &Value| {
            let text = match value {
                Value::String(text) => text.clone(),
                Value::Integer(_) | Value::Boolean(_) => value.to_string(),
                _ => return,
            };
            let last = key.rsplit('.').next().unwrap_or(&key);
            all.push(OverlayFigure {
                benefit: benefit.id.clone(),
                benefit_name: benefit.name.clone(),
                period,
                profile: profile.cloned(),
                name: key_name(&key, number),
                shown: value_said(last, value, vocabulary),
                kind: FigureKind::of(last, value),
                value: text,
                key,
                number,
                path: format!("{prefix}{path}"),
            });
        };
    for (key, value) in table.iter().filter(|(key, _)| is_figure(key)) {
        let Some(items) = value.as_array() else {
            put(profile, key.clone(), None, key.clone(), value);
            continue;
        };
        for (index, item) in items.iter().enumerate() {
            let Some(item) = item.as_table() else { continue };
            let named = item.contains_key("name");
            let own = Bilingual { zh: name_in(item, "zh"), en: name_in(item, "en") };
            for (inner, value) in item.iter().filter(|(inner, _)| is_figure(inner)) {
                let path = format!("{key}[{}].{inner}", index + 1);
                let profile = if named { Some(&own) } else { profile };
                put(profile, format!("{key}.{inner}"), Some(index + 1), path, value);
            }
        }
    }
}
