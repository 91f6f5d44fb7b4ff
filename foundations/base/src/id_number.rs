//! The citizen's identity number (GB 11643) and what stands in its place.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Day;

/// Sex as the identity number tells it (GB/T 2261.1: 1 male, 2 female).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sex {
    /// 男
    Male,
    /// 女
    Female,
}

/// What kind of number it is. Only [`IdNumberKind::Valid`] passes the checksum; the others are kept all the same:
/// a number is never a reason to refuse care.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IdNumberKind {
    /// 18 characters, a real birth date and a right checksum (GB 11643-1999).
    Valid,
    /// 18 characters of the right form whose checksum or birth date is wrong, but which an office issued.
    WrongButOfficial,
    /// A passport or a permit of Hong Kong, Macao or Taiwan.
    Passport,
    /// A number given by an institution until papers are found.
    Temporary,
}

/// An identity number, upper case, without spaces. Its `Debug` shows the last four characters only, so that it
/// cannot slip into a log.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct IdNumber {
    text: String,
    kind: IdNumberKind,
}

const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
const CHECK_CHARACTERS: &[u8; 11] = b"10X98765432";
/// The longest number of any kind.
const LONGEST: usize = 32;

impl IdNumber {
    /// Reads a number of any kind. `None` if it is empty, longer than 32 characters or holds anything but letters,
    /// digits and `-`. 18 characters of the form of a citizen's number are that, right or wrong; a number that
    /// begins with `L` is a temporary one (临); all others are passports and permits.
    pub fn read(text: &str) -> Option<IdNumber> {
        let text: String = text
            .chars()
            .filter(|character| !character.is_whitespace())
            .map(|c| c.to_ascii_uppercase())
            .collect();
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        if text.is_empty() || text.len() > LONGEST || !text.bytes().all(allowed) {
            return None;
        }
        let kind = if has_citizen_form(&text) {
            let right = check_character(&text) == text.as_bytes().last().copied();
            if right && birth_of(&text).is_some() {
                IdNumberKind::Valid
            } else {
                IdNumberKind::WrongButOfficial
            }
        } else if text.starts_with('L') {
            IdNumberKind::Temporary
        } else {
            IdNumberKind::Passport
        };
        Some(IdNumber { text, kind })
    }

    /// Makes a valid number of its first 17 digits; `None` if they are not digits with a real birth date.
    pub fn with_checksum(first_17: &str) -> Option<IdNumber> {
        let check = check_character(first_17)?;
        let number = IdNumber::read(&format!("{first_17}{}", char::from(check)))?;
        (number.kind == IdNumberKind::Valid).then_some(number)
    }

    /// The whole number. Personal data: never to a log, an address or an error.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What kind of number it is.
    pub const fn kind(&self) -> IdNumberKind {
        self.kind
    }

    /// The last four characters; what a list may show.
    pub fn last_four(&self) -> &str {
        let start = self.text.char_indices().rev().nth(3).map_or(0, |(index, _)| index);
        &self.text[start..]
    }

    /// `4117**********1003`; of shorter numbers less, of four characters nothing: what is shown never tells most of it.
    pub fn masked(&self) -> String {
        let length = self.text.len();
        let (begin, end) = match length {
            0..=4 => (0, 0),
            5..=8 => (0, 2),
            9..=12 => (0, 4),
            _ => (4, 4),
        };
        let hidden = length - begin - end;
        format!("{}{}{}", &self.text[..begin], "*".repeat(hidden), &self.text[length - end..])
    }

    /// The birth date in a citizen's number; `None` for other kinds and impossible dates.
    pub fn birth(&self) -> Option<Day> {
        if has_citizen_form(&self.text) { birth_of(&self.text) } else { None }
    }

    /// The sex in a citizen's number; `None` for other kinds.
    pub fn sex(&self) -> Option<Sex> {
        if !has_citizen_form(&self.text) {
            return None;
        }
        let digit = self.text.as_bytes().get(16)? - b'0';
        Some(if digit % 2 == 1 { Sex::Male } else { Sex::Female })
    }

    /// What the last character should be, when only that is wrong: the suggestion on an error sheet.
    pub fn expected_check_character(&self) -> Option<char> {
        has_citizen_form(&self.text).then(|| check_character(&self.text).map(char::from)).flatten()
    }
}

fn has_citizen_form(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() == 18
        && bytes[..17].iter().all(u8::is_ascii_digit)
        && (bytes[17].is_ascii_digit() || bytes[17] == b'X')
}

fn birth_of(text: &str) -> Option<Day> {
    text.get(6..14)?.parse().ok()
}

/// The check character of the first 17 digits of `text`.
fn check_character(text: &str) -> Option<u8> {
    let digits = text.as_bytes().get(..17)?;
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let sum: u32 = digits.iter().zip(WEIGHTS).map(|(digit, weight)| u32::from(digit - b'0') * weight).sum();
    CHECK_CHARACTERS.get((sum % 11) as usize).copied()
}

impl fmt::Debug for IdNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IdNumber(…{}, {:?})", self.last_four(), self.kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_the_kinds_apart() {
        for (text, kind) in [
            ("11010519491231002X", Some(IdNumberKind::Valid)),
            ("11010519491231002x", Some(IdNumberKind::Valid)),
            (" 411722195001010013 ", Some(IdNumberKind::Valid)),
            ("220524194803150027", Some(IdNumberKind::Valid)),
            ("220524194803150028", Some(IdNumberKind::WrongButOfficial)),
            ("220524194813150027", Some(IdNumberKind::WrongButOfficial)),
            ("E12345678", Some(IdNumberKind::Passport)),
            ("L411722-0001", Some(IdNumberKind::Temporary)),
            ("", None),
            ("无", None),
            ("123456789012345678901234567890123", None),
        ] {
            assert_eq!(IdNumber::read(text).map(|number| number.kind()), kind, "{text}");
        }
    }

    #[test]
    fn tells_birth_and_sex_and_hides_itself() {
        let number = IdNumber::read("411722195001010013").expect("a number");
        assert_eq!(number.birth(), "1950-01-01".parse().ok());
        assert_eq!(number.sex(), Some(Sex::Male));
        assert_eq!(number.masked(), "4117**********0013");
        for (text, masked) in [
            ("L1", "**"),
            ("L123", "****"),
            ("L1234", "***34"),
            ("E1234567", "******67"),
            ("E12345678", "*****5678"),
            ("L411722-0001", "********0001"),
            ("H1234567890123", "H123******0123"),
        ] {
            assert_eq!(IdNumber::read(text).map(|number| number.masked()).as_deref(), Some(masked));
        }
        assert_eq!(format!("{number:?}"), "IdNumber(…0013, Valid)");
        let wrong = IdNumber::read("411722195001010014").expect("a number");
        assert_eq!(wrong.expected_check_character(), Some('3'));
        assert_eq!(IdNumber::with_checksum("41172219500101001").as_ref(), Some(&number));
        assert_eq!(IdNumber::with_checksum("41172219501301001"), None);
    }
}
