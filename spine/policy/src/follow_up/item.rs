//! What can be asked at a visit: one catalogue for all programmes, so that one answer serves all that ask for it.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use crate::Bilingual;

/// A measured number, exact to a thousandth of its unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Measure(i64);

/// Thousandths in one.
const ONE: i64 = 1_000;
/// Digits behind the point at most.
const MOST_DECIMALS: usize = 3;
/// The largest number either way.
const LARGEST: i64 = 1_000_000 * ONE;

impl Measure {
    /// In thousandths of the unit.
    pub const fn thousandths(self) -> i64 {
        self.0
    }

    /// Whether it has at most so many digits behind the point.
    pub const fn fits(self, decimals: u8) -> bool {
        let step = match decimals {
            0 => ONE,
            1 => 100,
            2 => 10,
            _ => 1,
        };
        self.0 % step == 0
    }
}

/// What was written is not a number of at most three decimals within a million either way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a measured number")]
pub struct NotAMeasure;

impl FromStr for Measure {
    type Err = NotAMeasure;

    fn from_str(text: &str) -> Result<Measure, NotAMeasure> {
        let (sign, digits) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
        let (whole, decimals) = digits.split_once('.').unwrap_or((digits, ""));
        let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let has_point = digits.contains('.');
        if whole.is_empty() || (has_point && decimals.is_empty()) || decimals.len() > MOST_DECIMALS {
            return Err(NotAMeasure);
        }
        if !is_number(whole) || !is_number(decimals) {
            return Err(NotAMeasure);
        }
        let padded = format!("{decimals:0<MOST_DECIMALS$}");
        let (whole, part): (i64, i64) =
            (whole.parse().map_err(|_| NotAMeasure)?, padded.parse().map_err(|_| NotAMeasure)?);
        let value = whole.checked_mul(ONE).and_then(|value| value.checked_add(part)).ok_or(NotAMeasure)?;
        if value > LARGEST { Err(NotAMeasure) } else { Ok(Measure(sign * value)) }
    }
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sign, value) = (if self.0 < 0 { "-" } else { "" }, self.0.unsigned_abs());
        let (whole, part) = (value / ONE.unsigned_abs(), value % ONE.unsigned_abs());
        if part == 0 {
            return write!(f, "{sign}{whole}");
        }
        let decimals = format!("{part:03}");
        write!(f, "{sign}{whole}.{}", decimals.trim_end_matches('0'))
    }
}

/// As text: a phone compares thousandths too, never floats.
impl Serialize for Measure {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Something that can be asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Item {
    /// Code name.
    pub id: String,
    /// What people call it.
    pub name: Bilingual,
    /// What an answer looks like.
    pub kind: ItemKind,
    /// Whether the last answer stands for a habit and may be taken over as it is: never a measurement.
    pub carries: bool,
    /// What makes somebody look at an answer again.
    #[serde(flatten)]
    pub checks: Checks,
}

/// What makes somebody look at a number again before it is taken: slips of the finger, not rules of care.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Checks {
    /// Below this it is asked for again, and taken if somebody says that it is so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usual_least: Option<Measure>,
    /// Above this the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usual_most: Option<Measure>,
    /// It lies below what this item says, as a diastolic pressure below the systolic.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub below: Option<String>,
    /// Another unit in which it is measured too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub other_unit: Option<OtherUnit>,
}

/// Another unit of a number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OtherUnit {
    /// What it is called.
    pub unit: String,
    /// So many of it are one of the item's own.
    pub per_one: Measure,
}

/// What is doubtful about an answer that its item takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Doubt {
    /// It lies outside what is usual.
    Unusual,
    /// It is not below this item's.
    NotBelow(String),
    /// In the other unit it would be this in the item's own.
    OtherUnit(Measure),
}

/// What an answer looks like.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ItemKind {
    /// A number within what a living person can have; anything else is a slip of the finger.
    Number {
        /// In which unit.
        unit: String,
        /// Digits behind the point.
        decimals: u8,
        /// The least.
        least: Measure,
        /// The most.
        most: Measure,
    },
    /// One of these.
    One(Vec<ItemOption>),
    /// Any of these; the first means none of the others.
    Several(Vec<ItemOption>),
    /// Words.
    Words,
}

/// One possible answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ItemOption {
    /// Code name.
    pub id: String,
    /// What people call it.
    pub name: Bilingual,
}

impl Item {
    /// The possible answers, if it has a list of them.
    pub fn options(&self) -> &[ItemOption] {
        match &self.kind {
            ItemKind::One(options) | ItemKind::Several(options) => options,
            ItemKind::Number { .. } | ItemKind::Words => &[],
        }
    }
}

impl OtherUnit {
    /// A number of this unit in the item's own, rounded to one digit behind the point.
    pub fn in_own(&self, number: Measure) -> Option<Measure> {
        let tenth = ONE / 10;
        let tenths =
            number.0.checked_mul(10)?.checked_add(self.per_one.0 / 2)?.checked_div(self.per_one.0)?;
        Some(Measure(tenths.checked_mul(tenth)?))
    }
}

impl Item {
    /// What is doubtful about `number`; `other` answers what another item says, if it is answered.
    pub fn doubt(&self, number: Measure, other: impl Fn(&str) -> Option<Measure>) -> Option<Doubt> {
        let ItemKind::Number { least, most, .. } = &self.kind else { return None };
        let checks = &self.checks;
        if let Some(below) = &checks.below
            && other(below).is_some_and(|other| number >= other)
        {
            return Some(Doubt::NotBelow(below.clone()));
        }
        let is_unusual = checks.usual_least.is_some_and(|usual| number < usual)
            || checks.usual_most.is_some_and(|usual| number > usual)
            || number < *least
            || number > *most;
        if !is_unusual {
            return None;
        }
        let own = checks.other_unit.as_ref().and_then(|unit| unit.in_own(number));
        let fits = own.filter(|own| own >= least && checks.usual_most.is_none_or(|usual| *own <= usual));
        Some(fits.filter(|own| *own < number).map_or(Doubt::Unusual, Doubt::OtherUnit))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn glucose() -> Item {
        let measure = |text: &str| text.parse::<Measure>().expect(text);
        let kind = ItemKind::Number {
            unit: "mmol/L".to_owned(),
            decimals: 1,
            least: measure("0.5"),
            most: measure("60"),
        };
        let checks = Checks {
            usual_least: Some(measure("2.0")),
            usual_most: Some(measure("35")),
            below: Some("other".to_owned()),
            other_unit: Some(OtherUnit { unit: "mg/dL".to_owned(), per_one: measure("18.016") }),
        };
        let name = Bilingual { zh: "血糖".to_owned(), en: "glucose".to_owned() };
        Item { id: "glucose".to_owned(), name, kind, carries: false, checks }
    }

    #[test]
    fn what_is_doubtful_is_said() {
        let own = |text: &str| Some(Doubt::OtherUnit(text.parse().expect(text)));
        let below = || Some(Doubt::NotBelow("other".to_owned()));
        for (number, other, doubt) in [
            ("7.0", None, None),
            ("2.0", None, None),
            ("1.9", None, Some(Doubt::Unusual)),
            ("35", None, None),
            ("35.1", None, own("1.9")),
            ("126", None, own("7")),
            ("720", None, Some(Doubt::Unusual)),
            ("7.0", Some("7.1"), None),
            ("7.0", Some("7.0"), below()),
            ("7.0", Some("6.9"), below()),
        ] {
            let other: Option<Measure> = other.map(|other: &str| other.parse().expect(other));
            let found = glucose().doubt(number.parse().expect(number), |_| other);
            assert_eq!(found, doubt, "{number} {other:?}");
        }
    }

    #[test]
    fn numbers_are_read_exactly_and_said_as_written() {
        for (text, thousandths) in
            [("0", 0), ("180", 180_000), ("16.7", 16_700), ("3.90", 3_900), ("-1.005", -1_005), ("0.001", 1)]
        {
            let read: Measure = text.parse().expect(text);
            assert_eq!(read.thousandths(), thousandths, "{text}");
            assert_eq!(read.to_string().parse(), Ok(read), "{text}");
        }
        assert_eq!("3.90".parse::<Measure>().map(|read| read.to_string()), Ok("3.9".to_owned()));
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in
            ["", "-", ".", "1.", ".5", "1.2345", "1e3", "１８０", "+1", "1000000.001", "99999999999999999999"]
        {
            assert_eq!(text.parse::<Measure>(), Err(NotAMeasure), "{text}");
        }
    }

    #[test]
    fn decimals_are_counted() {
        for (text, decimals, fits) in [
            ("7", 0, true),
            ("7.0", 0, true),
            ("7.1", 0, false),
            ("7.1", 1, true),
            ("7.11", 1, false),
            ("7.111", 3, true),
        ] {
            assert_eq!(
                text.parse::<Measure>().map(|read| read.fits(decimals)),
                Ok(fits),
                "{text} {decimals}"
            );
        }
    }
}
