//! Diagnosis codes (ICD-10) as numbers that compare fast.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A diagnosis code, upper case, without its dot, of which the first eight characters count: `C91.000x001` of the
/// national clinical edition is `C91000X0`, which no list in a pack needs to tell further.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Icd10(pub(crate) u64);

/// A text that is no diagnosis code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an ICD-10 code such as C91.0: {0:?}")]
pub struct NotAnIcd10(String);

impl Icd10 {
    /// No diagnosis known.
    pub const UNKNOWN: Icd10 = Icd10(0);

    /// Whether no diagnosis is known.
    pub const fn is_unknown(self) -> bool {
        self.0 == 0
    }
}

fn characters(text: &str) -> Option<([u8; 8], usize)> {
    let mut bytes = [0_u8; 8];
    let mut length = 0;
    for byte in text.trim().bytes().filter(|byte| !matches!(byte, b'.' | b'+' | b'*' | b' ')) {
        if !byte.is_ascii_alphanumeric() {
            return None;
        }
        if length < 8 {
            bytes[length] = byte.to_ascii_uppercase();
            length += 1;
        }
    }
    let formed = length >= 1
        && bytes[0].is_ascii_uppercase()
        && bytes[1..length.min(3)].iter().all(u8::is_ascii_digit);
    formed.then_some((bytes, length))
}

/// Reads `C91.0`, `c91.0`, `C91.000x001`, `G63.2*`: a letter and two digits at least.
impl FromStr for Icd10 {
    type Err = NotAnIcd10;

    fn from_str(text: &str) -> Result<Icd10, NotAnIcd10> {
        match characters(text) {
            Some((bytes, length)) if length >= 3 => Ok(Icd10(u64::from_be_bytes(bytes))),
            _ => Err(NotAnIcd10(text.to_owned())),
        }
    }
}

/// `C91.0`.
impl fmt::Display for Icd10 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.0.to_be_bytes();
        for (position, byte) in bytes.iter().take_while(|byte| **byte != 0).enumerate() {
            if position == 3 {
                f.write_str(".")?;
            }
            write!(f, "{}", *byte as char)?;
        }
        Ok(())
    }
}

impl Serialize for Icd10 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Icd10 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Icd10, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        if text.is_empty() { Ok(Icd10::UNKNOWN) } else { text.parse().map_err(serde::de::Error::custom) }
    }
}

/// All codes under a prefix (`C15`, `N18.5`) or under a span of prefixes (`C19-C20`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IcdRange {
    lowest: u64,
    highest: u64,
    lowest_length: u8,
    highest_length: u8,
}

impl IcdRange {
    /// Whether `code` lies in it.
    pub const fn contains(self, code: Icd10) -> bool {
        self.lowest <= code.0 && code.0 <= self.highest
    }

    /// The codes with which it begins to be told: `C19` and `C20` of `C19-C20`, all five of `I60-I64`, `N18.5` itself;
    /// of a span across letters or of longer prefixes only its two ends.
    pub fn categories(self) -> Vec<Icd10> {
        let (low, high) =
            (self.end(self.lowest, self.lowest_length), self.end(self.highest, self.highest_length));
        let (first, last) = (low.0.to_be_bytes(), high.0.to_be_bytes());
        let number = |bytes: [u8; 8]| 10 * (bytes[1].wrapping_sub(b'0')) + bytes[2].wrapping_sub(b'0');
        if (self.lowest_length, self.highest_length) != (3, 3) || first[0] != last[0] {
            return if low == high { vec![low] } else { vec![low, high] };
        }
        let code = |n: u8| Icd10(u64::from_be_bytes([first[0], b'0' + n / 10, b'0' + n % 10, 0, 0, 0, 0, 0]));
        (number(first)..=number(last)).map(code).collect()
    }

    /// One of its ends as a code of `length` characters.
    const fn end(self, number: u64, length: u8) -> Icd10 {
        Icd10(if length >= 8 { number } else { number & !(u64::MAX >> (8 * length as u32)) })
    }

    pub(crate) const fn lowest(self) -> u64 {
        self.lowest
    }

    pub(crate) const fn highest(self) -> u64 {
        self.highest
    }
}

impl FromStr for IcdRange {
    type Err = NotAnIcd10;

    fn from_str(text: &str) -> Result<IcdRange, NotAnIcd10> {
        let error = || NotAnIcd10(text.to_owned());
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        let (low, low_length) = characters(first).ok_or_else(error)?;
        let (mut high, high_length) = characters(last).ok_or_else(error)?;
        high[high_length..].fill(0xff);
        let (lowest, highest) = (u64::from_be_bytes(low), u64::from_be_bytes(high));
        if lowest > highest {
            return Err(error());
        }
        Ok(IcdRange { lowest, highest, lowest_length: low_length as u8, highest_length: high_length as u8 })
    }
}

/// `C15`, `C19-C20`, `N18.5`.
impl fmt::Display for IcdRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (low, high) =
            (self.end(self.lowest, self.lowest_length), self.end(self.highest, self.highest_length));
        if low == high { write!(f, "{low}") } else { write!(f, "{low}-{high}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(text: &str) -> IcdRange {
        text.parse().expect("a range")
    }

    #[test]
    fn a_prefix_holds_what_begins_with_it() {
        for (list, code, inside) in [
            ("C15", "C15.9", true),
            ("C15", "C15", true),
            ("C15", "C16.0", false),
            ("C15", "C14.9", false),
            ("C19-C20", "C20.900", true),
            ("C19-C20", "C18.9", false),
            ("C19-C20", "C21", false),
            ("N18.5", "N18.500x001", true),
            ("N18.5", "N18.4", false),
            ("N18.5", "N18", false),
            ("F20-F31", "F31.9", true),
            ("F20-F31", "F32.0", false),
        ] {
            assert_eq!(range(list).contains(code.parse().unwrap()), inside, "{code} in {list}");
        }
        assert!(!range("A00-Z99").contains(Icd10::UNKNOWN));
    }

    #[test]
    fn a_range_is_told_by_its_categories() {
        for (list, codes) in [
            ("C15", "C15"),
            ("C19-C20", "C19 C20"),
            ("I08-I11", "I08 I09 I10 I11"),
            ("N18.5", "N18.5"),
            ("N18.4-N18.5", "N18.4 N18.5"),
            ("C97-D01", "C97 D01"),
        ] {
            let told: Vec<String> = range(list).categories().iter().map(ToString::to_string).collect();
            assert_eq!(told.join(" "), codes);
        }
    }

    #[test]
    fn reads_and_writes() {
        assert_eq!("c91.0".parse::<Icd10>().unwrap().to_string(), "C91.0");
        assert_eq!("C91.000x001".parse::<Icd10>().unwrap().to_string(), "C91.000X0");
        assert_eq!(range("C19-C20").to_string(), "C19-C20");
        assert_eq!(range("N18.5").to_string(), "N18.5");
        for text in ["", "15", "C1", "C", "癌", "CC1"] {
            assert!(text.parse::<Icd10>().is_err(), "{text}");
        }
        assert!("C20-C19".parse::<IcdRange>().is_err());
    }
}
