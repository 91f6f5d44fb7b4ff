//! Finding a person by what somebody at a desk can say: a name, its initials, four digits.

use kangmai_base::{IdNumber, Phone, PlaceRange};
use kangmai_database::{DatabaseError, Transaction};

use crate::{Person, store};

/// What is searched by. Only [`Query::read`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Query {
    /// A whole identity number.
    IdNumber(String),
    /// The last four characters of an identity number, or of a telephone number.
    LastFour(String),
    /// A whole telephone number.
    Phone(Phone),
    /// The beginning of a name.
    Name(String),
    /// The beginning of a name's pinyin initials, lower case.
    Initials(String),
}

impl Query {
    /// The longest text that is looked at, in characters.
    pub const LONGEST: usize = 40;
    /// So many digits may be a whole number: it must stand in no address.
    pub const WHOLE_NUMBER_DIGITS: usize = 6;

    /// Tells what was typed: 4 digits (or 3 and an X) are a tail, letters are initials, a whole telephone or identity
    /// number is one, everything else is the beginning of a name. `None` for an empty or overlong text.
    pub fn read(text: &str) -> Option<Query> {
        let text: String = text.chars().filter(|character| !character.is_whitespace()).collect();
        if text.is_empty() || text.chars().count() > Query::LONGEST {
            return None;
        }
        let digits = text.bytes().filter(u8::is_ascii_digit).count();
        let is_tail = text.len() == 4 && (digits == 4 || (digits == 3 && text.ends_with(['x', 'X'])));
        if is_tail {
            return Some(Query::LastFour(text.to_ascii_uppercase()));
        }
        if digits >= Query::WHOLE_NUMBER_DIGITS
            && let Some(phone) = Phone::read(&text)
        {
            return Some(Query::Phone(phone));
        }
        if text.is_ascii() && digits >= Query::WHOLE_NUMBER_DIGITS {
            return IdNumber::read(&text).map(|number| Query::IdNumber(number.as_str().to_owned()));
        }
        if text.bytes().all(|byte| byte.is_ascii_alphabetic()) {
            return Some(Query::Initials(text.to_ascii_lowercase()));
        }
        Some(Query::Name(text))
    }
}

/// The people within `places` that `query` finds, by name, at most `limit`. Those who died come too: the page says so.
///
/// # Errors
/// When the database fails.
pub fn search(
    tx: &mut Transaction<'_>,
    places: PlaceRange,
    query: &Query,
    limit: i64,
) -> Result<Vec<Person>, DatabaseError> {
    match query {
        Query::IdNumber(number) => store::by_id_number(tx, places, number, limit),
        Query::LastFour(tail) => {
            let mut found = store::by_last_four(tx, places, tail, limit)?;
            for person in store::by_phone_tail(tx, places, tail, limit)? {
                if found.len() < usize::try_from(limit).unwrap_or(0) && !found.contains(&person) {
                    found.push(person);
                }
            }
            Ok(found)
        }
        Query::Phone(phone) => store::by_phone(tx, places, phone, limit),
        Query::Name(name) => store::by_name(tx, places, name, limit),
        Query::Initials(initials) => store::by_initials(tx, places, initials, limit),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_what_was_typed() {
        for (text, expected) in [
            ("王小", Some(Query::Name("王小".into()))),
            (" 王 小 明 ", Some(Query::Name("王小明".into()))),
            ("WXM", Some(Query::Initials("wxm".into()))),
            ("0013", Some(Query::LastFour("0013".into()))),
            ("002x", Some(Query::LastFour("002X".into()))),
            ("41172219500101001 3", Some(Query::IdNumber("411722195001010013".into()))),
            ("138 0013 8002", Phone::read("13800138002").map(Query::Phone)),
            ("阿不都热依木·买买提", Some(Query::Name("阿不都热依木·买买提".into()))),
            ("", None),
            ("   ", None),
        ] {
            assert_eq!(Query::read(text), expected, "{text}");
        }
        assert_eq!(Query::read(&"长".repeat(41)), None);
    }
}
