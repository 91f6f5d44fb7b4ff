//! Changes of an overlay as people say them: which figure, for whom, what held and what is to hold, from when.

use kangmai_base::Day;
use toml::{Table, Value};

use super::{Change, Overlay, day_in, figures_of_version, table_of, tables_of};
use crate::dated::Period;
use crate::figure::value_said;
use crate::{Bilingual, OverlayFigure, Release};

/// A change, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeTold {
    /// What people call the benefit.
    pub benefit: Bilingual,
    /// For whom, where the figure is of a group.
    pub group: Option<Bilingual>,
    /// What people call the figure.
    pub figure: Bilingual,
    /// What holds under the release.
    pub before: Bilingual,
    /// What is to hold.
    pub after: Bilingual,
    /// The first day of it.
    pub from: Day,
}

impl Overlay {
    /// Each change in words, in the order in which they were written; none where the release has no such figure, or
    /// where what is changed is no figure (the condition of a group).
    pub fn told(&self, release: &Release, directory: &str) -> Vec<Option<ChangeTold>> {
        self.changes.iter().map(|change| change.told(release, directory)).collect()
    }
}

impl Change {
    fn told(&self, release: &Release, directory: &str) -> Option<ChangeTold> {
        let path = self.path_in(release, directory).ok()?;
        let (_, text) = release.files().iter().find(|(known, _)| *known == path)?;
        let table = table_of(text);
        let (period, version) = tables_of(&table, "version").find_map(|version| {
            let period = Period { from: day_in(version, "from")?, to: day_in(version, "to") };
            let holds = period.from <= self.from && period.to.is_none_or(|to| self.from <= to);
            holds.then_some((period, version))
        })?;
        let layers = release.jurisdictions().iter().flat_map(|one| one.to_read().layers());
        let layer = layers.into_iter().find(|layer| layer.benefit.path == path)?;
        let mut all = Vec::new();
        figures_of_version((&layer.benefit, release.vocabulary()), period, version, &mut all);
        let figure = all.into_iter().find(|figure| self.is_of(figure))?;
        let last = figure.key.rsplit('.').next().unwrap_or(&figure.key);
        Some(ChangeTold {
            after: value_said(last, &self.value_read(), release.vocabulary()),
            benefit: figure.benefit_name,
            group: figure.profile,
            figure: figure.name,
            before: figure.shown,
            from: self.from,
        })
    }

    /// Whether the path leads to this figure of the version.
    fn is_of(&self, figure: &OverlayFigure) -> bool {
        let keys: Vec<&str> = self.figure.iter().map(|part| part.key.text.as_str()).collect();
        let number = self.figure.iter().find_map(|part| part.number.as_ref().map(|(number, _)| *number));
        let group = self.profile.as_ref().is_none_or(|wanted| {
            let is_named = |name: &Bilingual| name.zh == wanted.text || name.en == wanted.text;
            figure.profile.as_ref().is_some_and(is_named)
                || figure.path.contains(&format!("[{}]", wanted.text))
        });
        group && figure.key == keys.join(".") && figure.number.is_none_or(|at| at == number.unwrap_or(1))
    }

    /// The new value as TOML reads it; a text may come without quotes.
    fn value_read(&self) -> Value {
        let read = format!("value = {}", self.value.text).parse::<Table>().ok();
        match read.and_then(|mut table| table.remove("value")) {
            Some(value @ (Value::Boolean(_) | Value::Integer(_))) => value,
            _ => Value::String(self.value.text.trim_matches('"').to_owned()),
        }
    }
}
