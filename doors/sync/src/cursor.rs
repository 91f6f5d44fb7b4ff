//! How far a phone has heard: for every place the number of the last fact.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use kangmai_base::DivisionCode;

/// The most places that one phone follows.
pub(crate) const MOST_PLACES: usize = 400;

/// As text: `411722001001:815;411722001002:77`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Cursor(pub(crate) BTreeMap<DivisionCode, i64>);

/// What was sent is no cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NotACursor;

impl FromStr for Cursor {
    type Err = NotACursor;

    fn from_str(text: &str) -> Result<Cursor, NotACursor> {
        let mut places = BTreeMap::new();
        for part in text.split(';').filter(|part| !part.is_empty()) {
            let (place, number) = part.split_once(':').ok_or(NotACursor)?;
            let number: i64 = number.parse().map_err(|_| NotACursor)?;
            places.insert(place.parse().map_err(|_| NotACursor)?, number.max(0));
        }
        if places.len() > MOST_PLACES { Err(NotACursor) } else { Ok(Cursor(places)) }
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (place, number)) in self.0.iter().enumerate() {
            let between = if index > 0 { ";" } else { "" };
            write!(f, "{between}{place}:{number}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_are_read_as_they_are_written() {
        for text in ["", "411722001001:815", "411722001001:815;411722001002:0"] {
            assert_eq!(text.parse::<Cursor>().map(|cursor| cursor.to_string()).as_deref(), Ok(text));
        }
        assert_eq!(
            "411722001001:-4".parse::<Cursor>().map(|read| read.to_string()).as_deref(),
            Ok("411722001001:0")
        );
        for text in
            ["411722001001", "411722001001:", "x:1", "411722001001:1:2", "411722001001:9999999999999999999"]
        {
            assert_eq!(text.parse::<Cursor>(), Err(NotACursor), "{text}");
        }
    }
}
