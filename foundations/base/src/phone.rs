//! Telephone numbers.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A mobile number (11 digits from 1) or a landline (with area code, 10 to 12 digits), digits only.
/// `Debug` shows the last four digits only.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Phone(String);

impl Phone {
    /// Reads `13800138000`, `+86 138-0013-8000`, `0396-2812345`; `None` for anything else.
    pub fn read(text: &str) -> Option<Phone> {
        let mut digits = String::with_capacity(12);
        let trimmed = text.trim();
        let trimmed = trimmed.strip_prefix("+86").unwrap_or(trimmed);
        for character in trimmed.chars() {
            match character {
                '0'..='9' => digits.push(character),
                ' ' | '-' | '(' | ')' | '（' | '）' => {}
                _ => return None,
            }
        }
        let mobile = digits.len() == 11 && digits.starts_with('1') && !digits.starts_with("10");
        let landline = (10..=12).contains(&digits.len()) && digits.starts_with('0');
        (mobile || landline).then_some(Phone(digits))
    }

    /// The digits. Personal data.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The last four digits; what a search takes.
    pub fn last_four(&self) -> &str {
        &self.0[self.0.len() - 4..]
    }

    /// `138****8000`.
    pub fn masked(&self) -> String {
        format!("{}****{}", &self.0[..3], self.last_four())
    }
}

impl fmt::Debug for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Phone(…{})", self.last_four())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_people_write() {
        for (text, expected) in [
            ("13800138000", Some("13800138000")),
            ("+86 138-0013-8000", Some("13800138000")),
            ("0396-2812345", Some("03962812345")),
            ("12317", None),
            ("10800138000", None),
            ("138001380001", None),
            ("无", None),
            ("", None),
        ] {
            assert_eq!(Phone::read(text).as_ref().map(Phone::as_str), expected, "{text}");
        }
        assert_eq!(Phone::read("13800138000").map(|phone| phone.masked()).as_deref(), Some("138****8000"));
    }
}
