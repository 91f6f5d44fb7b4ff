//! When a visit is due: so long after the last one, or within a window that counts from something that happened.

use kangmai_base::Day;
use serde::Serialize;

use crate::Bilingual;
use crate::fields::{At, Fields, not_in_list};
use crate::words::Word;

/// In what a span is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SpanUnit {
    /// Hours. Where only the day is known, every beginning day counts as one.
    Hours,
    /// Days.
    Days,
    /// Weeks of seven days.
    Weeks,
    /// Calendar months: the same day of the month, or its last.
    Months,
    /// Calendar years.
    Years,
}

/// A length of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Span {
    /// How many.
    pub count: u16,
    /// Of what.
    pub unit: SpanUnit,
}

const UNITS: [(&str, SpanUnit); 5] = [
    ("hours", SpanUnit::Hours),
    ("days", SpanUnit::Days),
    ("weeks", SpanUnit::Weeks),
    ("months", SpanUnit::Months),
    ("years", SpanUnit::Years),
];

impl Span {
    /// The day that lies so long after `day`.
    pub fn after(self, day: Day) -> Day {
        let count = i32::from(self.count);
        match self.unit {
            SpanUnit::Hours => day.plus_days((count + 23) / 24),
            SpanUnit::Days => day.plus_days(count),
            SpanUnit::Weeks => day.plus_days(count * 7),
            SpanUnit::Months => day.plus_months(count),
            SpanUnit::Years => day.plus_months(count * 12),
        }
    }

    /// As cases write it: `2 weeks`.
    pub(super) fn text(self) -> String {
        let unit = UNITS.iter().find(|(_, unit)| *unit == self.unit).map_or("", |(name, _)| name);
        format!("{} {unit}", self.count)
    }

    /// Reads `{ months = 3 }`.
    pub(super) fn read(fields: &Fields<'_>) -> Option<Span> {
        let mut found = None;
        for (key, unit) in UNITS {
            let Some(At { value, spot }) = fields.whole_maybe(key) else { continue };
            match u16::try_from(value) {
                Ok(count) if found.is_none() => found = Some(Span { count, unit }),
                _ => fields.push(spot.error(Word::ErrNotASpan, Word::MendSpan)),
            }
        }
        if found.is_none() {
            fields.push(fields.spot().error(Word::ErrNotASpan, Word::MendSpan));
        }
        fields.finish();
        found
    }
}

/// From what a window counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Anchor {
    /// The day of birth.
    Birth,
    /// A newborn's discharge; the day of birth where it is not known.
    BirthDischarge,
    /// The first day of the last period before a pregnancy.
    Pregnancy,
    /// The delivery.
    Delivery,
    /// The mother's discharge after delivery; the delivery where it is not known.
    DeliveryDischarge,
    /// The day on which the case was notified.
    Notice,
    /// The day on which the person came into the programme.
    Joined,
    /// The last visit of this kind.
    LastOfKind,
    /// 1 January of the year.
    Year,
    /// The cure of a disease: the day on which its diagnosis ended.
    Cure,
}

impl Anchor {
    /// Whether it is an event of a life, from which a row of visits counts, each to be made once.
    pub const fn is_of_a_life(self) -> bool {
        matches!(
            self,
            Anchor::Birth
                | Anchor::BirthDischarge
                | Anchor::Pregnancy
                | Anchor::Delivery
                | Anchor::DeliveryDischarge
        )
    }

    const ALL: [(&'static str, Anchor); 10] = [
        ("birth", Anchor::Birth),
        ("birth_discharge", Anchor::BirthDischarge),
        ("pregnancy", Anchor::Pregnancy),
        ("delivery", Anchor::Delivery),
        ("delivery_discharge", Anchor::DeliveryDischarge),
        ("notice", Anchor::Notice),
        ("joined", Anchor::Joined),
        ("last_of_kind", Anchor::LastOfKind),
        ("year", Anchor::Year),
        ("cure", Anchor::Cure),
    ];

    /// As packs name it.
    pub fn name(self) -> &'static str {
        Anchor::ALL.iter().find(|(_, anchor)| *anchor == self).map_or("", |(name, _)| name)
    }

    pub(super) fn from_name(name: &str) -> Option<Anchor> {
        Anchor::ALL.iter().find(|(known, _)| *known == name).map(|(_, anchor)| *anchor)
    }

    pub(super) fn read(fields: &Fields<'_>, key: &'static str) -> Option<Anchor> {
        let names = Anchor::ALL.map(|(name, _)| name);
        fields.chosen(fields.text_maybe(key), &names, Anchor::from_name)
    }
}

/// A kind of visit that is due at a time of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Window {
    /// Code name.
    pub id: String,
    /// What people call it.
    pub name: Bilingual,
    /// From what it counts.
    pub anchor: Anchor,
    /// It opens so long after it.
    pub from: Span,
    /// It is late after this. Of one that counts from the year it is the length of it: `{ years = 1 }` ends on 31 December.
    pub until: Span,
    /// Only a visit of these ways is this one; empty: any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ways: Vec<String>,
    /// What this visit asks of what the programme does not always ask.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub asks: Vec<String>,
    /// Who was not seen so many times before it, of them is reported upwards.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub report_after: Option<u8>,
}

/// How somebody can be visited.
const WAYS: &[&str] = &["clinic", "home", "phone"];
/// Of visits in vain before one of whom is reported.
const MOST_IN_VAIN: i64 = 9;

/// When a window is open for somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// From this day.
    pub from: Day,
    /// Up to this day.
    pub until: Day,
}

impl Window {
    /// The days of the window for an anchor on `day`.
    pub fn due(&self, day: Day) -> Due {
        let until = self.until.after(day);
        let last = if self.anchor == Anchor::Year { until.plus_days(-1) } else { until };
        Due { from: self.from.after(day), until: last }
    }

    /// Whether a visit made so can be this one.
    pub fn is_made_by(&self, way: &str) -> bool {
        self.ways.is_empty() || self.ways.iter().any(|one| one == way)
    }

    /// Reads one; `known` are the items that the programme may ask.
    pub(super) fn read(fields: &Fields<'_>, known: &[&str]) -> Option<Window> {
        let (id, name) = (fields.text("id"), fields.bilingual("name"));
        let anchor = Anchor::read(fields, "anchor");
        if anchor.is_none() && !fields.has("anchor") {
            fields.push(fields.spot().error(Word::ErrMissingKey, Word::MendAddKey).with("key", "anchor"));
        }
        let from = fields.table("opens").and_then(|table| Span::read(&table));
        let until = fields.table("due").and_then(|table| Span::read(&table));
        let (ways, asks) = (named(fields, "ways", WAYS), named(fields, "asks", known));
        let report_after = fields.whole_maybe("report_after").and_then(|times| {
            let fits = (1..=MOST_IN_VAIN).contains(&times.value);
            if !fits {
                let error = times.spot.error(Word::ErrTooMany, Word::MendTooMany);
                fields.push(error.with("limit", MOST_IN_VAIN.to_string()));
            }
            u8::try_from(times.value).ok().filter(|_| fits)
        });
        fields.finish();
        let window = Window {
            id: id?.value.to_owned(),
            name: name?,
            anchor: anchor?,
            from: from?,
            until: until?,
            ways,
            asks,
            report_after,
        };
        let start = Day::from_ymd(2026, 1, 1)?;
        let due = window.due(start);
        if due.until < due.from {
            fields.push(
                fields
                    .spot()
                    .error(Word::ErrBackwards, Word::MendBackwards)
                    .with("from", window.from.text())
                    .with("to", window.until.text()),
            );
        }
        Some(window)
    }
}

/// A list of names, each of which must be known.
fn named(fields: &Fields<'_>, key: &'static str, known: &[&str]) -> Vec<String> {
    let mut names = Vec::new();
    for one in fields.texts_maybe(key).unwrap_or_default() {
        match known.contains(&one.value) {
            true => names.push(one.value.to_owned()),
            false => fields.push(not_in_list(&one, known)),
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_counts_from_the_year_ends_with_it() {
        let window = |count, unit, anchor| Window {
            id: "check".to_owned(),
            name: Bilingual { zh: String::new(), en: String::new() },
            anchor,
            from: Span { count: 0, unit: SpanUnit::Days },
            until: Span { count, unit },
            ways: Vec::new(),
            asks: Vec::new(),
            report_after: None,
        };
        let year = |text: &str| text.parse::<Day>().expect(text);
        let whole = window(1, SpanUnit::Years, Anchor::Year);
        assert_eq!(whole.due(year("2027-01-01")).until, year("2027-12-31"));
        assert_eq!(whole.due(year("2028-01-01")).until, year("2028-12-31"), "a leap year");
        assert_eq!(
            window(6, SpanUnit::Months, Anchor::Year).due(year("2028-01-01")).until,
            year("2028-06-30")
        );
        assert_eq!(
            window(1, SpanUnit::Years, Anchor::Joined).due(year("2027-01-01")).until,
            year("2028-01-01")
        );
    }

    #[test]
    fn spans_are_counted_by_the_calendar() {
        let day = |text: &str| text.parse::<Day>().expect(text);
        for (count, unit, from, to) in [
            (72, SpanUnit::Hours, "2026-03-01", "2026-03-04"),
            (73, SpanUnit::Hours, "2026-03-01", "2026-03-05"),
            (14, SpanUnit::Days, "2026-02-20", "2026-03-06"),
            (2, SpanUnit::Weeks, "2026-02-20", "2026-03-06"),
            (3, SpanUnit::Months, "2025-11-30", "2026-02-28"),
            (1, SpanUnit::Years, "2024-02-29", "2025-02-28"),
        ] {
            assert_eq!(Span { count, unit }.after(day(from)), day(to), "{count} {unit:?} {from}");
        }
    }
}
