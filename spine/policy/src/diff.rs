//! What another release says otherwise, in words: `城乡居民大病保险，参保居民，自 2026-01-01 起：第 1 段比例 60% → 65%`.
//!
//! Two releases are held against each other day by day: a version that was split into two which say the same makes no
//! difference. What rests on another document, or holds for somebody else, is a difference like any other.

use std::collections::{BTreeMap, BTreeSet};

use kangmai_base::Day;
use toml::de::DeTable;
use toml::{Table, Value};

use crate::dated::Period;
use crate::figure::{key_name, table_name, value_said};
use crate::release::{Role, role_of};
use crate::words::{Arg, Word};
use crate::{Benefit, Bilingual, Jurisdiction, Language, Release};

/// One thing that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The file.
    pub path: String,
    /// In words.
    pub text: Bilingual,
    /// Whether bills can be settled otherwise for it: not for a case or a comment.
    pub is_law: bool,
    /// From which day; none if for all time.
    pub from: Option<Day>,
}

/// What stands for somebody at some place of a version: whose, and the path in the version.
type Place = (String, String);

/// Something that a file says of a time.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Said {
    value: Bilingual,
    /// Of the group, in both languages.
    group: Bilingual,
    /// The document that it rests on.
    source: String,
}

/// Something that differs from a day on.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Run {
    period: Period,
    place: Place,
    before: Option<Said>,
    after: Option<Said>,
}

/// All that `after` says otherwise than `before`, by file.
pub fn diff(before: &Release, after: &Release) -> Vec<Difference> {
    let text = |release: &'_ Release, path: &str| {
        release.files().iter().find(|(known, _)| known == path).map(|(_, text)| text.clone())
    };
    let paths: BTreeSet<&String> = before.files().iter().chain(after.files()).map(|(path, _)| path).collect();
    let mut all = Vec::new();
    for path in paths {
        let (old, new) = (text(before, path), text(after, path));
        if old == new {
            continue;
        }
        // A place that comes to rule a benefit by itself is held against what held there before.
        let handed = match (&old, &new) {
            (None, Some(new)) => handed_down(before, path, new),
            (Some(old), None) => handed_down(after, path, old),
            _ => None,
        };
        let file = File { path, releases: [before, after], is_handed_down: handed.is_some() };
        let (now, then) = (old.is_some(), new.is_some());
        let (old, new) = (old.or_else(|| handed.clone()), new.or(handed));
        all.extend(file.differences((old.as_deref(), now), (new.as_deref(), then)));
    }
    all
}

/// The text of the file from which a place without the file at `path` takes the benefit, or its cases.
fn handed_down(release: &Release, path: &str, own: &str) -> Option<String> {
    let table: Table = own.parse().ok()?;
    let (directory, role) = role_of(path);
    let id = match role {
        Role::Benefit => table.get("id"),
        Role::Cases => table.get("benefit"),
        _ => None,
    };
    let one = nearest(release, directory)?;
    let id = id?.as_str()?;
    let layer = one.to_read().layers().iter().find(|layer| layer.benefit.id == id)?;
    let home = layer.benefit.path.rsplit_once("/benefits/")?.0;
    let from = match role {
        Role::Benefit => layer.benefit.path.clone(),
        _ => format!("{home}{}", path.strip_prefix(directory)?),
    };
    release.files().iter().find(|(known, _)| *known == from).map(|(_, text)| text.clone())
}

/// The pack in `directory`, or the nearest above it.
fn nearest<'r>(release: &'r Release, directory: &str) -> Option<&'r Jurisdiction> {
    let mut above = std::iter::successors(Some(directory), |directory| Some(directory.rsplit_once('/')?.0));
    above.find_map(|directory| release.jurisdiction(directory))
}

/// A sentence in both languages, with values in both.
pub(crate) fn both(word: Word, values: &[(&str, &Bilingual)]) -> Bilingual {
    let say = |language: Language| {
        let mut out = String::new();
        let values: Vec<(&str, Arg<'_>)> =
            values.iter().map(|(name, value)| (*name, Arg::Text(value.get(language)))).collect();
        word.write(language, &mut out, &values);
        out
    };
    Bilingual { zh: say(Language::Zh), en: say(Language::En) }
}

pub(crate) fn plain(text: impl ToString) -> Bilingual {
    let text = text.to_string();
    Bilingual { zh: text.clone(), en: text }
}

struct File<'r> {
    path: &'r str,
    releases: [&'r Release; 2],
    /// Where it is not there, the place takes the same from above.
    is_handed_down: bool,
}

impl File<'_> {
    /// The texts on both sides, and whether the file itself is there.
    fn differences(
        &self,
        (old, now): (Option<&str>, bool),
        (new, then): (Option<&str>, bool),
    ) -> Vec<Difference> {
        let told = |text: Bilingual, is_law: bool, from: Option<Day>| Difference {
            path: self.path.to_owned(),
            text,
            is_law,
            from,
        };
        let role = role_of(self.path).1;
        let is_law = !matches!(role, Role::Cases);
        let tables =
            [old, new].map(|text| text.and_then(|text| text.parse::<Table>().ok()).unwrap_or_default());
        let name = self.name(&tables);
        let path = plain(self.path);
        let named = [("name", &name), ("path", &path)];
        // A new pack that takes over all there is changes nothing by itself.
        let takes_all = |table: &Table| {
            table.get("inherits").and_then(Value::as_str) == Some("all")
                && !table.contains_key("untranslatable")
        };
        let rules = match role {
            Role::Pack => !tables.iter().filter(|table| !table.is_empty()).all(takes_all),
            _ => is_law && !self.is_handed_down,
        };
        let mut all = Vec::new();
        match (now, then, self.is_handed_down) {
            // What is otherwise than above is told below, or there is nothing.
            (false, _, true) | (_, false, true) => {}
            (false, _, false) => all.push(told(both(Word::DiffFileNew, &named), rules, None)),
            (_, false, false) => return vec![told(both(Word::DiffFileGone, &named), rules, None)],
            _ => {}
        }
        for (key, text) in self.heads(&tables, &name) {
            all.push(told(text, is_law && !NAMES.contains(&key.as_str()), None));
        }
        for run in self.runs(&tables) {
            let counts = is_law && !is_about_source(&run.place);
            all.push(told(sentence(&name, &run), counts, Some(run.period.from)));
        }
        if self.is_handed_down && !(now && then) {
            let word = match (now, all.is_empty()) {
                (false, false) => Word::DiffTakenOver,
                (false, true) => Word::DiffTakenOverSame,
                (true, false) => Word::DiffGivenBack,
                (true, true) => Word::DiffGivenBackSame,
            };
            all.insert(0, told(both(word, &named), false, None));
        }
        all.extend(cases(&tables, &name).map(|text| told(text, false, None)));
        if all.is_empty() {
            all.push(told(both(Word::DiffWritingOnly, &named), false, None));
        }
        all
    }

    /// What people call the file.
    fn name(&self, [old, new]: &[Table; 2]) -> Bilingual {
        let named = |table: &Table| {
            let name = bilingual(table.get("name")?)?;
            Some(name)
        };
        let (directory, role) = role_of(self.path);
        let of_cases = || {
            let id = new.get("benefit").or_else(|| old.get("benefit"))?.as_str()?;
            self.releases.iter().rev().find_map(|release| {
                let one = release.jurisdiction(directory)?;
                one.pack.benefits.iter().find(|benefit| benefit.id == id).map(|benefit| benefit.name.clone())
            })
        };
        let own = match role {
            Role::Cases => of_cases(),
            _ => named(new).or_else(|| named(old)),
        };
        let file = self.path.rsplit('/').next().unwrap_or(self.path);
        let own = own.or_else(|| table_name(file.trim_end_matches(".toml"))).unwrap_or_else(|| plain(file));
        let pack = self.releases.iter().rev().find_map(|release| release.jurisdiction(directory));
        match (role, pack) {
            (Role::Pack, _) | (_, None) => own,
            (_, Some(one)) => both(Word::DiffOfPack, &[("pack", &one.pack.name), ("name", &own)]),
        }
    }

    /// What is said once for all time.
    fn heads(&self, [old, new]: &[Table; 2], name: &Bilingual) -> Vec<(String, Bilingual)> {
        const DATED: [&str; 4] = ["version", "gap", "case", "id"];
        if old.is_empty() || new.is_empty() {
            return Vec::new();
        }
        let keys: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        let mut told = Vec::new();
        for key in keys.into_iter().filter(|key| !DATED.contains(&key.as_str())) {
            let mut values: [BTreeMap<Place, Said>; 2] = Default::default();
            for (table, values) in [old, new].into_iter().zip(&mut values) {
                if let Some(value) = table.get(key) {
                    self.flatten(value, key, &mut Group::default(), values);
                }
            }
            let [old, new] = values;
            let places: BTreeSet<&Place> = old.keys().chain(new.keys()).collect();
            for place in places.into_iter().filter(|place| old.get(*place) != new.get(*place)) {
                let run = Run {
                    period: Period { from: Day(0), to: None },
                    place: place.clone(),
                    before: old.get(place).cloned(),
                    after: new.get(place).cloned(),
                };
                told.push((key.clone(), figure_sentence(name, &run, None)));
            }
        }
        told
    }

    /// What differs from a day to a day.
    fn runs(&self, tables: &[Table; 2]) -> Vec<Run> {
        let mut days: BTreeSet<Day> = BTreeSet::new();
        for table in tables {
            for period in parts(table, "version").chain(parts(table, "gap")).filter_map(period_of) {
                days.insert(period.from);
                days.extend(period.to.map(|to| to.plus_days(1)));
            }
        }
        let mut open: BTreeMap<Place, Run> = BTreeMap::new();
        let mut done = Vec::new();
        for day in days {
            let [old, new] = [0, 1].map(|side| self.on(&tables[side], side, day));
            let places: BTreeSet<&Place> = old.keys().chain(new.keys()).chain(open.keys()).collect();
            let places: Vec<Place> = places.into_iter().cloned().collect();
            for place in places {
                let (before, after) = (old.get(&place), new.get(&place));
                let differs = before.map(|said| &said.value) != after.map(|said| &said.value);
                let goes_on = open.get(&place).is_some_and(|run| {
                    let same = |one: &Option<Said>, other: Option<&Said>| {
                        one.as_ref().map(|said| &said.value) == other.map(|said| &said.value)
                    };
                    differs && same(&run.before, before) && same(&run.after, after)
                });
                if goes_on {
                    continue;
                }
                if let Some(mut run) = open.remove(&place) {
                    run.period.to = Some(day.plus_days(-1));
                    done.push(run);
                }
                if differs {
                    let (before, after) = (before.cloned(), after.cloned());
                    let period = Period { from: day, to: None };
                    open.insert(place.clone(), Run { period, place, before, after });
                }
            }
        }
        done.extend(open.into_values());
        done.sort_by(|one, other| (one.period.from, &one.place).cmp(&(other.period.from, &other.place)));
        // A document that is told with the figure that rests on it is not told again.
        let figures: BTreeSet<(Day, String)> = done
            .iter()
            .filter(|run| !is_about_source(&run.place) && run.after.is_some())
            .map(|run| (run.period.from, run.place.0.clone()))
            .collect();
        done.retain(|run| {
            !is_about_source(&run.place) || !figures.contains(&(run.period.from, run.place.0.clone()))
        });
        done
    }

    /// All that a file says of a day.
    fn on(&self, table: &Table, side: usize, day: Day) -> BTreeMap<Place, Said> {
        let holds = |part: &&Table| period_of(part).is_some_and(|period| period.contains(day));
        let mut said = BTreeMap::new();
        if let Some(gap) = parts(table, "gap").find(holds) {
            let value = gap.get("why").and_then(bilingual).unwrap_or_default();
            let gap = Said { value, ..Said::default() };
            said.insert((String::new(), "gap".to_owned()), gap);
        }
        let Some(version) = parts(table, "version").find(holds) else { return said };
        let mut group = Group { source: source_of(version).unwrap_or_default(), ..Group::default() };
        let mut has_groups = false;
        for (key, value) in version.iter().filter(|(key, _)| !NOT_FLAT.contains(&key.as_str())) {
            has_groups |= key == "profile";
            self.flatten(value, if key == "profile" { "" } else { key }, &mut group, &mut said);
        }
        if !has_groups {
            rest_on(version, &group, &mut said);
        }
        for profile in parts(version, "profile") {
            let own = Group {
                name: profile.get("name").and_then(bilingual).unwrap_or_default(),
                source: source_of(profile).unwrap_or_else(|| group.source.clone()),
            };
            let sure = profile.get("sure").or_else(|| version.get("sure"));
            let mut with_sure = profile.clone();
            with_sure.extend(sure.map(|sure| ("sure".to_owned(), sure.clone())));
            rest_on(&with_sure, &own, &mut said);
        }
        self.conditions(side, day, &mut said);
        said
    }

    /// For whom each group and rule of a benefit is, as a sentence.
    fn conditions(&self, side: usize, day: Day, said: &mut BTreeMap<Place, Said>) {
        let Some((one, benefit)) = self.benefit(side) else { return };
        let Some(version) = benefit.version_on(day) else { return };
        let profiles = version.profiles.iter().map(|profile| (&profile.name, &profile.when));
        let rules = version.deductible_rules.iter().chain(&version.ratio_rules);
        for (name, when) in profiles.chain(rules.map(|rule| (&rule.name, &rule.when))) {
            let say = |language| one.to_read().condition(when, language);
            let value = Bilingual { zh: say(Language::Zh), en: say(Language::En) };
            let place = (name.zh.clone(), "when".to_owned());
            said.insert(place, Said { value, group: name.clone(), source: version.source.doc.clone() });
        }
    }

    /// The benefit that the file states; on the side where the place takes it from above, that one.
    fn benefit(&self, side: usize) -> Option<(&Jurisdiction, &Benefit)> {
        let own = |release: &&'_ Release| {
            let one = release.jurisdiction(role_of(self.path).0)?;
            one.pack
                .benefits
                .iter()
                .find(|benefit| benefit.path == self.path)
                .map(|benefit| benefit.id.clone())
        };
        let id = self.releases.iter().find_map(own)?;
        let one = nearest(self.releases[side], role_of(self.path).0)?;
        let layer = one.to_read().layers().iter().find(|layer| layer.benefit.id == id)?;
        Some((one, &layer.benefit))
    }

    /// Puts every value under `value` into `said`, by its path.
    fn flatten(&self, value: &Value, path: &str, group: &mut Group, said: &mut BTreeMap<Place, Said>) {
        match value {
            Value::Table(table) => {
                if let Some(text) = bilingual(value) {
                    self.put(path, text, group, said);
                    return;
                }
                for (key, inner) in table.iter().filter(|(key, _)| !NOT_FLAT.contains(&key.as_str())) {
                    let deeper = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                    self.flatten(inner, &deeper, group, said);
                }
            }
            Value::Array(items) if items.iter().all(Value::is_table) && !items.is_empty() => {
                for (index, item) in items.iter().enumerate() {
                    let Some(table) = item.as_table() else { continue };
                    match table.get("name").and_then(bilingual) {
                        Some(name) => {
                            let mut own = Group {
                                source: source_of(table).unwrap_or_else(|| group.source.clone()),
                                name,
                            };
                            self.flatten(item, path, &mut own, said);
                        }
                        None => {
                            let numbered = format!("{path}[{}]", identity(table, index));
                            self.flatten(item, &numbered, group, said);
                        }
                    }
                }
            }
            one => {
                let key = path.rsplit('.').next().unwrap_or(path);
                self.put(path, value_said(key, one, self.releases[1].vocabulary()), group, said);
            }
        }
    }

    fn put(&self, path: &str, value: Bilingual, group: &Group, said: &mut BTreeMap<Place, Said>) {
        let place = (group.name.zh.clone(), path.to_owned());
        said.insert(place, Said { value, group: group.name.clone(), source: group.source.clone() });
    }
}

/// Keys of a file that settle no bill by themselves.
const NAMES: [&str; 3] = ["name", "note", "overrides"];
/// Keys of a version and of what is in it that are no figures by themselves.
const NOT_FLAT: [&str; 6] = ["from", "to", "name", "sure", "source", "when"];

/// Whose figures they are, and what they rest on.
#[derive(Debug, Clone, Default)]
struct Group {
    name: Bilingual,
    source: String,
}

fn is_about_source((_, path): &Place) -> bool {
    path == "source" || path == "sure"
}

fn rest_on(table: &Table, group: &Group, said: &mut BTreeMap<Place, Said>) {
    let put = |key: &str, value: Bilingual| {
        let place = (group.name.zh.clone(), key.to_owned());
        (place, Said { value, group: group.name.clone(), source: group.source.clone() })
    };
    said.extend([put("source", plain(&group.source))]);
    let sure = table.get("sure").and_then(Value::as_str).and_then(crate::Sure::from_name);
    said.extend(sure.map(|sure| {
        let word = sure.word();
        put("sure", Bilingual { zh: word.text(Language::Zh), en: word.text(Language::En) })
    }));
}

fn parts<'t>(table: &'t Table, key: &str) -> impl Iterator<Item = &'t Table> {
    table.get(key).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_table)
}

fn period_of(part: &Table) -> Option<Period> {
    let day = |key: &str| part.get(key)?.as_str()?.parse().ok();
    Some(Period { from: day("from")?, to: day("to") })
}

fn bilingual(value: &Value) -> Option<Bilingual> {
    let text = |key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
    Some(Bilingual { zh: text("zh")?, en: text("en")? })
}

/// The text in both languages that stands at `key`.
pub(crate) fn table_bilingual(table: &DeTable<'_>, key: &str) -> Option<Bilingual> {
    let value = table.get(key)?.get_ref();
    let text = |key: &str| Some(value.get(key)?.get_ref().as_str()?.to_owned());
    Some(Bilingual { zh: text("zh")?, en: text("en")? })
}

/// Document and article.
fn source_of(table: &Table) -> Option<String> {
    let source = table.get("source")?;
    let text = |key: &str| source.get(key).and_then(Value::as_str);
    let parts: Vec<&str> = [text("doc"), text("article")].into_iter().flatten().collect();
    Some(parts.join(" "))
}

/// By what an entry of a list is told from the others.
fn identity(table: &Table, index: usize) -> String {
    let own = ["id", "kind", "year", "code"].into_iter().filter_map(|key| table.get(key));
    let own: Vec<String> = own.map(shown).collect();
    if own.is_empty() { (index + 1).to_string() } else { own.join(" ") }
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// What the figure at a path with numbers is called.
fn figure_name(path: &str) -> Bilingual {
    let number: String = path.chars().filter(char::is_ascii_digit).collect();
    let bare: String = path.split('[').enumerate().fold(String::new(), |out, (index, part)| {
        if index == 0 { out + part } else { out + part.split_once(']').map_or("", |(_, rest)| rest) }
    });
    key_name(&bare, number.parse().ok())
}

fn sentence(name: &Bilingual, run: &Run) -> Bilingual {
    let from = plain(run.period.from);
    let when = match run.period.to {
        None => both(Word::DiffSince, &[("from", &from)]),
        Some(to) => both(Word::DiffBetween, &[("from", &from), ("to", &plain(to))]),
    };
    figure_sentence(name, run, Some(when))
}

fn figure_sentence(name: &Bilingual, run: &Run, when: Option<Bilingual>) -> Bilingual {
    let group = run.after.as_ref().or(run.before.as_ref()).map(|said| said.group.clone()).unwrap_or_default();
    let mut heading = name.clone();
    for part in [Some(group), when].into_iter().flatten().filter(|part| !part.zh.is_empty()) {
        heading = both(Word::DiffComma, &[("one", &heading), ("other", &part)]);
    }
    let figure = figure_name(&run.place.1);
    let value = |said: &Option<Said>| said.as_ref().map(|said| said.value.clone()).unwrap_or_default();
    let (before, after) = (value(&run.before), value(&run.after));
    let values: [(&str, &Bilingual); 4] =
        [("where", &heading), ("figure", &figure), ("before", &before), ("after", &after)];
    let said = match (&run.before, &run.after) {
        (None, _) => both(Word::DiffAdded, &values),
        (_, None) => both(Word::DiffRemoved, &values),
        _ => both(Word::DiffChanged, &values),
    };
    let source = run.after.as_ref().map(|said| said.source.as_str()).unwrap_or_default();
    if source.is_empty() || is_about_source(&run.place) {
        return said;
    }
    both(Word::DiffBecause, &[("said", &said), ("source", &plain(source))])
}

/// How many cases there are, and which of them say something else.
fn cases([old, new]: &[Table; 2], name: &Bilingual) -> Option<Bilingual> {
    let all = |table: &Table| -> Vec<String> { parts(table, "case").map(ToString::to_string).collect() };
    let (old, new) = (all(old), all(new));
    let added = new.iter().filter(|case| !old.contains(case)).count();
    let gone = old.iter().filter(|case| !new.contains(case)).count();
    (added + gone > 0).then(|| {
        let counts = [old.len(), new.len(), added, gone].map(plain);
        let [before, after, added, gone] = &counts;
        let values: [(&str, &Bilingual); 5] =
            [("name", name), ("before", before), ("after", after), ("added", added), ("gone", gone)];
        both(Word::DiffCases, &values)
    })
}
