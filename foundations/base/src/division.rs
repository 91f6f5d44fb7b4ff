//! The 12-digit code of an administrative division (统计用区划代码): a path, so that a scope is a prefix.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// How deep a division lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DivisionLevel {
    /// 省, 2 digits.
    Province,
    /// 市, 4 digits.
    City,
    /// 县, 6 digits.
    County,
    /// 乡镇, 9 digits.
    Township,
    /// 村, 12 digits.
    Village,
}

impl DivisionLevel {
    /// All five, outermost first.
    pub const ALL: [DivisionLevel; 5] = [
        DivisionLevel::Province,
        DivisionLevel::City,
        DivisionLevel::County,
        DivisionLevel::Township,
        DivisionLevel::Village,
    ];

    /// What a code of this level is a multiple of, and how many codes lie in it.
    const fn span(self) -> u64 {
        match self {
            DivisionLevel::Province => 10_000_000_000,
            DivisionLevel::City => 100_000_000,
            DivisionLevel::County => 1_000_000,
            DivisionLevel::Township => 1_000,
            DivisionLevel::Village => 1,
        }
    }
}

/// A 12-digit code: 2 + 2 + 2 + 3 + 3, padded with zeros. A city without counties shares its code with a county
/// of the same code (four do), so a *division* is told by code and level; a *scope* by the code alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DivisionCode(u64);

/// A text or number that is no division code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a division code of 2, 4, 6, 9 or 12 digits: {0:?}")]
pub struct NotADivisionCode(String);

impl DivisionCode {
    /// The whole country: the scope that holds every other.
    pub const COUNTRY: DivisionCode = DivisionCode(0);

    /// From its number; `None` past 12 digits.
    pub const fn from_number(number: u64) -> Option<DivisionCode> {
        if number <= 999_999_999_999 { Some(DivisionCode(number)) } else { None }
    }

    /// Its number; fits an i64 column.
    pub const fn number(self) -> u64 {
        self.0
    }

    /// The level that its trailing zeros tell; `None` for the whole country.
    pub fn level(self) -> Option<DivisionLevel> {
        if self.0 == 0 {
            return None;
        }
        DivisionLevel::ALL.into_iter().find(|level| self.0.is_multiple_of(level.span()))
    }

    /// The division of `level` that holds this one (itself, if it is of that level or above).
    pub const fn at(self, level: DivisionLevel) -> DivisionCode {
        DivisionCode(self.0 - self.0 % level.span())
    }

    /// The next wider division; the whole country has none.
    pub fn parent(self) -> Option<DivisionCode> {
        match self.level()? {
            DivisionLevel::Province => Some(DivisionCode::COUNTRY),
            DivisionLevel::City => Some(self.at(DivisionLevel::Province)),
            DivisionLevel::County => Some(self.at(DivisionLevel::City)),
            DivisionLevel::Township => Some(self.at(DivisionLevel::County)),
            DivisionLevel::Village => Some(self.at(DivisionLevel::Township)),
        }
    }

    /// Every code in this scope, as a range that an index serves.
    pub fn range(self) -> PlaceRange {
        let last = match self.level() {
            None => 999_999_999_999,
            Some(level) => self.0 + level.span() - 1,
        };
        PlaceRange { first: self.0, last }
    }

    /// Whether `other` is this division or lies in it.
    pub fn contains(self, other: DivisionCode) -> bool {
        let range = self.range();
        range.first <= other.0 && other.0 <= range.last
    }
}

/// The codes from `first` to `last`, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlaceRange {
    /// Lowest code.
    pub first: u64,
    /// Highest code.
    pub last: u64,
}

impl fmt::Display for DivisionCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:012}", self.0)
    }
}

/// Reads 2, 4, 6, 9 or 12 digits; shorter ones are padded with zeros.
impl FromStr for DivisionCode {
    type Err = NotADivisionCode;

    fn from_str(text: &str) -> Result<DivisionCode, NotADivisionCode> {
        let trimmed = text.trim();
        let error = || NotADivisionCode(text.to_owned());
        if !matches!(trimmed.len(), 2 | 4 | 6 | 9 | 12) || !trimmed.bytes().all(|byte| byte.is_ascii_digit())
        {
            return Err(error());
        }
        let number: u64 = trimmed.parse().map_err(|_| error())?;
        Ok(DivisionCode(number * 10_u64.pow(12 - trimmed.len() as u32)))
    }
}

impl Serialize for DivisionCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for DivisionCode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<DivisionCode, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> DivisionCode {
        text.parse().expect("a code")
    }

    #[test]
    fn a_code_is_a_path() {
        let village = code("411722103203");
        assert_eq!(village.level(), Some(DivisionLevel::Village));
        let path: Vec<String> =
            std::iter::successors(Some(village), |code| code.parent()).map(|code| code.to_string()).collect();
        assert_eq!(
            path,
            ["411722103203", "411722103000", "411722000000", "411700000000", "410000000000", "000000000000"]
        );
        assert!(code("4117").contains(village));
        assert!(!code("4118").contains(village));
        assert!(DivisionCode::COUNTRY.contains(village));
        assert_eq!(code("411722").range(), PlaceRange { first: 411_722_000_000, last: 411_722_999_999 });
    }

    #[test]
    fn refuses_what_is_no_code() {
        for text in ["", "4", "411", "41172210", "4117221032031", "41172x", "-41172"] {
            assert!(text.parse::<DivisionCode>().is_err(), "{text}");
        }
    }
}
