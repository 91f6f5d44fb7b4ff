//! Changes written into the files themselves: a new version in the file's own text, with the document that it rests on.

use std::collections::BTreeMap;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Change, Overlay, is_figure};
use crate::source::PackError;
use crate::splice::{Splice, block, indent_of, inline, quoted};
use crate::words::Word;
use crate::{Release, Sure};

/// The document that a change rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Citation {
    /// The document: title, number, date.
    pub doc: String,
    /// Article or section.
    pub article: Option<String>,
    /// The words that the figure rests on.
    pub quote: Option<String>,
    /// How sure it is.
    pub sure: Sure,
}

impl Citation {
    fn source(&self) -> String {
        let mut pairs = vec![("doc".to_owned(), quoted(&self.doc))];
        for (key, text) in [("article", &self.article), ("quote", &self.quote)] {
            pairs.extend(text.as_ref().map(|text| (key.to_owned(), quoted(text))));
        }
        inline(&pairs)
    }

    fn sure(&self) -> String {
        quoted(self.sure.name())
    }
}

impl Overlay {
    /// The files that the changes touch, each with its new text. A version that is split off rests on `citation`; groups
    /// that it does not change go on to rest on what they rested on.
    ///
    /// # Errors
    /// What [`Overlay::apply`] says; and a file whose writing leaves no place for the change.
    pub fn write(
        &self,
        release: &Release,
        directory: &str,
        citation: &Citation,
    ) -> Result<Vec<(String, String)>, Vec<PackError>> {
        self.apply(release, directory)?;
        let mut order: Vec<&Change> = self.changes.iter().collect();
        order.sort_by_key(|change| change.from);
        let mut texts: BTreeMap<String, String> = BTreeMap::new();
        for change in order {
            let path = change.path_in(release, directory).map_err(|error| vec![error])?;
            let old = release.files().iter().find(|(known, _)| *known == path);
            let text = texts.remove(&path).or_else(|| old.map(|(_, text)| text.clone())).unwrap_or_default();
            let by_hand = || {
                let error = change.error(&change.benefit.span, Word::ErrByHand, Word::MendByHand);
                vec![error.with("path", path.clone())]
            };
            let written = change.written(&text, citation).ok_or_else(by_hand)?;
            texts.insert(path, written);
        }
        Ok(texts.into_iter().collect())
    }
}

type Table<'t> = &'t DeTable<'t>;

impl Change {
    /// `text` with this change; `None` if its writing leaves no place for it.
    fn written(&self, text: &str, citation: &Citation) -> Option<String> {
        let table = DeTable::parse(text).ok()?.into_inner();
        let versions = items(&table, "version");
        let (position, (version, head)) = versions.iter().enumerate().find(|(_, (version, _))| {
            let from = day_in(version, "from");
            from.is_some_and(|from| from <= self.from)
                && day_in(version, "to").is_none_or(|to| self.from <= to)
        })?;
        if day_in(version, "from") == Some(self.from) {
            return self.changed(text, position, citation, false);
        }
        let own = block(text, &table, head.start);
        let mut splice = Splice::default();
        splice.insert(own.end, format!("\n{}", text.get(own.clone())?.trim_end_matches('\n')));
        splice.insert(own.end, "\n");
        let twice = splice.applied(text);
        let twice = self.dated(&twice, position)?;
        self.changed(&twice, position + 1, citation, true)
    }

    /// The version at `position` ends the day before, its copy after it begins on the day.
    fn dated(&self, text: &str, position: usize) -> Option<String> {
        let table = DeTable::parse(text).ok()?.into_inner();
        let versions = items(&table, "version");
        let ((old, _), (new, _)) = (versions.get(position)?, versions.get(position + 1)?);
        let (eve, day) = (quoted(&self.from.plus_days(-1).to_string()), quoted(&self.from.to_string()));
        let mut splice = Splice::default();
        let (from_key, from) = old.get_key_value("from")?;
        match old.get("to") {
            Some(to) => splice.replace(to.span(), eve),
            None => {
                let indent = indent_of(text, from_key.span().start);
                // As wide as the line above.
                let between = text.get(from_key.span().end..from.span().start)?;
                let wide = if between.starts_with("  ") { "  " } else { "" };
                splice.insert(from.span().end, format!("\n{indent}to{wide}{between}{eve}"));
            }
        }
        splice.replace(new.get("from")?.span(), day);
        Some(splice.applied(text))
    }

    /// The figure of the version at `position` changed, with what it rests on.
    fn changed(&self, text: &str, position: usize, citation: &Citation, is_new: bool) -> Option<String> {
        let table = DeTable::parse(text).ok()?.into_inner();
        let versions = items(&table, "version");
        let (version, _) = versions.get(position)?;
        let group = self.group_in(version);
        let holder = match group {
            Some(group) => items(version, "profile").get(group)?.0,
            None => *version,
        };
        let slot = self.slot_in(holder)?;
        let mut splice = Splice::default();
        splice.replace(slot.span(), self.value_for(text, slot)?);
        cite(text, version, group, citation, is_new, &mut splice)?;
        Some(splice.applied(text))
    }

    /// The number of the profile that the figure stands in; `None`: the version itself.
    fn group_in(&self, version: Table<'_>) -> Option<usize> {
        let head = &self.figure.first()?.key.text;
        if self.profile.is_none() && is_figure(head) && version.get(head.as_str()).is_some() {
            return None;
        }
        let profiles = items(version, "profile");
        let Some(wanted) = &self.profile else { return Some(0) };
        let by_number = wanted.text.parse::<usize>().ok();
        let by_number =
            by_number.filter(|number| (1..=profiles.len()).contains(number)).map(|number| number - 1);
        let by_name = || {
            profiles.iter().position(|(profile, _)| {
                let name = profile.get("name").and_then(|name| name.get_ref().as_table());
                name.is_some_and(|name| {
                    name.values().any(|text| text.get_ref().as_str() == Some(&wanted.text))
                })
            })
        };
        by_number.or_else(by_name).or(Some(0))
    }

    /// The value that the path leads to.
    fn slot_in<'t>(&self, holder: Table<'t>) -> Option<&'t Spanned<DeValue<'t>>> {
        let mut table = holder;
        let (last, before) = self.figure.split_last()?;
        let step = |table: Table<'t>, part: &super::Part, is_last: bool| {
            let value = table.get(part.key.text.as_str())?;
            let DeValue::Array(all) = value.get_ref() else { return Some(value) };
            match &part.number {
                Some((number, _)) => all.get(number.checked_sub(1)?),
                None if is_last => Some(value),
                None => all.first(),
            }
        };
        for part in before {
            table = step(table, part, false)?.get_ref().as_table()?;
        }
        step(table, last, true)
    }

    /// The new value as TOML, of the kind of the one that stands there.
    fn value_for(&self, text: &str, slot: &Spanned<DeValue<'_>>) -> Option<String> {
        let old = format!("value = {}", text.get(slot.span())?).parse::<toml::Table>().ok()?;
        let new = self.value_like(old.get("value")?).ok()?;
        Some(match new {
            toml::Value::String(text) => quoted(&text),
            // One that is no text was written as TOML.
            _ => self.value.text.clone(),
        })
    }
}

/// Says what a change rests on. Of a version that is new, all that is not changed keeps what it rested on before.
fn cite(
    text: &str,
    version: Table<'_>,
    group: Option<usize>,
    citation: &Citation,
    is_new: bool,
    splice: &mut Splice,
) -> Option<()> {
    let (source, sure) = (version.get("source")?, version.get("sure")?);
    let old_source = text.get(source.span()).filter(|text| text.starts_with('{'))?;
    let old_sure = text.get(sure.span())?;
    let rests_on_it = old_source == citation.source() && old_sure == citation.sure();
    let own = |profile: Table<'_>, key: &str| {
        profile.get_key_value(key).map(|(key, value)| key.span().start..value.span().end)
    };
    for (index, (profile, _)) in items(version, "profile").into_iter().enumerate() {
        let is_changed = group == Some(index);
        let (new_source, new_sure) = match (is_changed, is_new || rests_on_it || group.is_none()) {
            // It takes the version's.
            (true, true) => (None, None),
            (true, false) => (Some(citation.source()), Some(citation.sure())),
            (false, true) if !rests_on_it => (Some(old_source.to_owned()), Some(old_sure.to_owned())),
            (false, _) => continue,
        };
        for (key, new) in [("source", new_source), ("sure", new_sure)] {
            match (own(profile, key), new) {
                (Some(span), None) => splice.remove_lines(text, &span),
                (Some(_), Some(new)) if is_changed => splice.replace(profile.get(key)?.span(), new),
                (None, Some(new)) => {
                    let (name_key, name) = profile.get_key_value("name")?;
                    let indent = indent_of(text, name_key.span().start);
                    splice.insert(name.span().end, format!("\n{indent}{key} = {new}"));
                }
                _ => {}
            }
        }
    }
    if is_new || (group.is_none() && !rests_on_it) {
        splice.replace(source.span(), citation.source());
        splice.replace(sure.span(), citation.sure());
    }
    if let Some(carried) = own(version, "carried_forward").filter(|_| is_new) {
        splice.remove_lines(text, &carried);
    }
    Some(())
}

/// The tables that `key` lists, each with the place of its head.
fn items<'t>(table: Table<'t>, key: &str) -> Vec<(Table<'t>, Range<usize>)> {
    let list = table.get(key).and_then(|list| list.get_ref().as_array());
    let item = |item: &'t Spanned<DeValue<'t>>| Some((item.get_ref().as_table()?, item.span()));
    list.into_iter().flat_map(|list| list.iter().filter_map(item)).collect()
}

fn day_in(table: Table<'_>, key: &str) -> Option<kangmai_base::Day> {
    table.get(key)?.get_ref().as_str()?.parse().ok()
}

/// What a place must write to rule a benefit by itself that a place above it rules: its pack, and the benefit with its
/// cases as they stand there, to be changed from then on.
///
/// `own` is the directory, the code and the Chinese and English name of the place. `None` if the benefit is not taken over
/// from above, or the place's pack is written in a way that leaves no room.
pub fn take_over(
    release: &Release,
    (own, division, name): (&str, &str, (&str, &str)),
    benefit: &str,
) -> Option<Vec<(String, String)>> {
    let above = own.rsplit_once('/').map_or("", |(above, _)| above);
    let one = release.jurisdiction(own).or_else(|| nearest_above(release, above))?;
    let layer = one.to_read().layers().iter().find(|layer| layer.benefit.id == benefit)?;
    let from = layer.benefit.path.as_str();
    let (home, file) = from.rsplit_once("/benefits/")?;
    if home == own {
        return None;
    }
    let mut files = Vec::new();
    let pack = format!("{own}/pack.toml");
    let text =
        |path: &str| release.files().iter().find(|(known, _)| known == path).map(|(_, text)| text.as_str());
    files.push(match text(&pack) {
        Some(old) => (pack, with_override(old, benefit)?),
        None => {
            let head = [
                ("id", quoted(own.rsplit('/').next().unwrap_or(own))),
                ("name", inline(&[("zh".into(), quoted(name.0)), ("en".into(), quoted(name.1))])),
                ("division", quoted(division)),
                ("inherits", quoted("all")),
                ("overrides", format!("[{}]", quoted(benefit))),
            ];
            let lines: Vec<String> = head.iter().map(|(key, value)| format!("{key} = {value}\n")).collect();
            (pack, lines.concat())
        }
    });
    files.push((format!("{own}/benefits/{file}"), text(from)?.to_owned()));
    let cases = release.files().iter().filter(|(path, _)| path.starts_with(&format!("{home}/cases/")));
    for (path, text) in cases {
        let table = DeTable::parse(text).ok()?.into_inner();
        if table.get("benefit").and_then(|id| id.get_ref().as_str()) == Some(benefit) {
            files.push((path.replacen(home, own, 1), text.clone()));
        }
    }
    Some(files)
}

fn nearest_above<'r>(release: &'r Release, directory: &str) -> Option<&'r crate::Jurisdiction> {
    let mut directory = directory;
    loop {
        if let Some(one) = release.jurisdiction(directory) {
            return Some(one);
        }
        directory = directory.rsplit_once('/')?.0;
    }
}

/// The head of a pack that also rules `benefit` by itself.
fn with_override(text: &str, benefit: &str) -> Option<String> {
    let table = DeTable::parse(text).ok()?.into_inner();
    let mut splice = Splice::default();
    match table.get("overrides") {
        Some(list) => {
            let mut names: Vec<String> = match list.get_ref() {
                DeValue::Array(items) => {
                    items.iter().filter_map(|item| item.get_ref().as_str()).map(quoted).collect()
                }
                other => other.as_str().map(quoted).into_iter().collect(),
            };
            names.push(quoted(benefit));
            splice.replace(list.span(), format!("[{}]", names.join(", ")));
        }
        None => {
            let inherits = table.get("inherits")?.span();
            let end = text[inherits.end..].find('\n').map_or(text.len(), |newline| inherits.end + newline);
            splice.insert(end, format!("\noverrides = [{}]", quoted(benefit)));
        }
    }
    Some(splice.applied(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pack_rules_a_benefit_by_itself_once_it_says_so() {
        for (text, expected) in [
            (
                "inherits = \"all\" # from above\n",
                "inherits = \"all\" # from above\noverrides = [\"major\"]\n",
            ),
            ("inherits = \"all\"", "inherits = \"all\"\noverrides = [\"major\"]"),
            (
                "inherits = \"all\"\noverrides = [\"a\"]\n",
                "inherits = \"all\"\noverrides = [\"a\", \"major\"]\n",
            ),
            (
                "inherits = \"all\"\noverrides = \"a\"\n",
                "inherits = \"all\"\noverrides = [\"a\", \"major\"]\n",
            ),
        ] {
            assert_eq!(with_override(text, "major").as_deref(), Some(expected));
        }
        assert_eq!(with_override("id = \"a\"", "major"), None);
    }
}
