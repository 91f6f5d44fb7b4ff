//! When a visit is due: so long after the last one, or within a window that counts from something that happened.

use kangmai_base::Day;
use serde::Serialize;

use crate::Bilingual;
use crate::fields::{At, Fields};
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
    /// A newborn's discharge.
    BirthDischarge,
    /// The first day of the last period before a pregnancy.
    Pregnancy,
    /// The delivery.
    Delivery,
    /// The mother's discharge after delivery.
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
    /// It is late after this.
    pub until: Span,
}

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
        Due { from: self.from.after(day), until: self.until.after(day) }
    }

    pub(super) fn read(fields: &Fields<'_>) -> Option<Window> {
        let (id, name) = (fields.text("id"), fields.bilingual("name"));
        let anchor = Anchor::read(fields, "anchor");
        if anchor.is_none() && !fields.has("anchor") {
            fields.push(fields.spot().error(Word::ErrMissingKey, Word::MendAddKey).with("key", "anchor"));
        }
        let from = fields.table("opens").and_then(|table| Span::read(&table));
        let until = fields.table("due").and_then(|table| Span::read(&table));
        fields.finish();
        let window =
            Window { id: id?.value.to_owned(), name: name?, anchor: anchor?, from: from?, until: until? };
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

#[cfg(test)]
mod tests {
    use super::*;

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
