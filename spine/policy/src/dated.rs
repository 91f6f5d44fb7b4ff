//! When a rule holds, where it comes from and how sure that is.

use kangmai_base::Day;
use serde::{Deserialize, Serialize};

use crate::Bilingual;
use crate::fields::Fields;
use crate::source::Spot;
use crate::words::Word;

/// From a day to a day, both included; open at the end if `to` is `None`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Period {
    /// First day.
    pub from: Day,
    /// Last day, if the rule ends.
    pub to: Option<Day>,
}

impl Period {
    /// Whether `day` lies in it.
    pub fn contains(self, day: Day) -> bool {
        self.from <= day && self.to.is_none_or(|to| day <= to)
    }

    pub(crate) fn read(fields: &Fields<'_>) -> Option<Period> {
        let from = fields.day("from");
        let to = fields.day_maybe("to");
        let from = from?;
        if let Some(to) = to.as_ref().filter(|to| to.value < from.value) {
            let error = to.spot.error(Word::ErrBackwards, Word::MendBackwards);
            fields.push(error.with("from", from.value.to_string()).with("to", to.value.to_string()));
        }
        Some(Period { from: from.value, to: to.map(|to| to.value) })
    }
}

/// How sure a figure is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sure {
    /// A stand-in, carried forward or borrowed: confirm with the local notice before real money follows it.
    Low,
    /// From one usable source or from general knowledge that agrees with one.
    Medium,
    /// From the notice itself, or from two sources that agree.
    High,
}

impl Sure {
    const NAMES: &[&str] = &["high", "medium", "low"];

    /// As packs name it.
    pub const fn name(self) -> &'static str {
        match self {
            Sure::High => "high",
            Sure::Medium => "medium",
            Sure::Low => "low",
        }
    }

    pub(crate) fn word(self) -> Word {
        match self {
            Sure::High => Word::SureHigh,
            Sure::Medium => Word::SureMedium,
            Sure::Low => Word::SureLow,
        }
    }

    pub(crate) fn read(fields: &Fields<'_>) -> Option<Sure> {
        fields.chosen(fields.text("sure"), Sure::NAMES, Sure::from_name)
    }

    pub(crate) fn read_maybe(fields: &Fields<'_>) -> Option<Sure> {
        fields.chosen(fields.text_maybe("sure"), Sure::NAMES, Sure::from_name)
    }

    /// The one that packs name so.
    pub fn from_name(name: &str) -> Option<Sure> {
        match name {
            "high" => Some(Sure::High),
            "medium" => Some(Sure::Medium),
            "low" => Some(Sure::Low),
            _ => None,
        }
    }
}

/// Where a rule comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// The document: title, number, date.
    pub doc: String,
    /// Article or section.
    pub article: Option<String>,
    /// The words that the figures rest on.
    pub quote: Option<String>,
    /// What the reader should know about it (carried forward, borrowed, read in one of two ways).
    pub note: Option<Bilingual>,
}

impl Source {
    pub(crate) fn read(fields: &Fields<'_>) -> Option<Source> {
        let source = fields.table("source")?;
        Source::read_table(&source)
    }

    pub(crate) fn read_maybe(fields: &Fields<'_>) -> Option<Source> {
        let source = fields.table_maybe("source")?;
        Source::read_table(&source)
    }

    fn read_table(source: &Fields<'_>) -> Option<Source> {
        let doc = source.text("doc");
        let owned = |key| source.text_maybe(key).map(|text| text.value.to_owned());
        let (article, quote, note) = (owned("article"), owned("quote"), source.bilingual_maybe("note"));
        source.finish();
        Some(Source { doc: doc?.value.to_owned(), article, quote, note })
    }
}

/// A time for which a pack says, on purpose, that it holds no rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// When.
    pub period: Period,
    /// Why: the figures were not found, or the benefit did not exist.
    pub why: Bilingual,
}

impl Gap {
    pub(crate) fn read_all(fields: &Fields<'_>) -> Vec<(Gap, Spot)> {
        let read = |gap: Fields<'_>| {
            let (period, why) = (Period::read(&gap), gap.bilingual("why"));
            gap.finish();
            Some((Gap { period: period?, why: why? }, gap.spot()))
        };
        fields.tables("gap").into_iter().filter_map(read).collect()
    }
}

/// Reports two periods that overlap and every day between two of them that neither covers.
pub(crate) fn check_coverage(fields: &Fields<'_>, mut periods: Vec<(Period, Spot)>) {
    periods.sort_by_key(|(period, _)| period.from);
    for pair in periods.windows(2) {
        let [(earlier, _), (later, spot)] = pair else { continue };
        let next = earlier.to.map(|to| to.plus_days(1));
        let until = earlier.to.map_or_else(|| "…".to_owned(), |to| to.to_string());
        if next.is_none_or(|next| later.from < next) {
            let error = spot.error(Word::ErrOverlap, Word::MendOverlap);
            fields.push(error.with("from", later.from.to_string()).with("to", until));
        } else if let Some(next) = next.filter(|next| *next < later.from) {
            let error = spot.error(Word::ErrHole, Word::MendHole);
            fields
                .push(error.with("from", next.to_string()).with("to", later.from.plus_days(-1).to_string()));
        }
    }
}
