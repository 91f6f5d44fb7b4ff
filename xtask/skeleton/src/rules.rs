//! What may be noted. Pure: no database, no clock.

use kangmai_base::{Day, Refusal};

use crate::facts::Noted;

/// The longest note, in characters.
pub const LONGEST_NOTE: usize = 200;

/// What becomes of a note of the day `on`, written on `today`.
///
/// # Errors
/// `skeleton.refused.empty`, `skeleton.refused.too_long`, `skeleton.refused.future`.
pub fn decide(note: &str, on: Day, today: Day) -> Result<Noted, Refusal> {
    let note = note.trim();
    if note.is_empty() {
        return Err(Refusal::new("skeleton.refused.empty").at("note"));
    }
    if note.chars().count() > LONGEST_NOTE {
        let refusal = Refusal::new("skeleton.refused.too_long").at("note");
        return Err(refusal.with("most", LONGEST_NOTE.to_string()));
    }
    if on > today {
        return Err(Refusal::new("skeleton.refused.future").at("on"));
    }
    Ok(Noted { note: note.to_owned(), on })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_says_something_of_a_day_that_was() {
        let today = Day(20_000);
        let decided = |note: &str, on: Day| decide(note, on, today).map_err(|refusal| refusal.key);
        assert_eq!(decided(" seen ", today), Ok(Noted { note: "seen".to_owned(), on: today }));
        assert_eq!(decided("  ", today), Err("skeleton.refused.empty"));
        assert_eq!(decided(&"x".repeat(LONGEST_NOTE + 1), today), Err("skeleton.refused.too_long"));
        assert_eq!(decided("seen", today.plus_days(1)), Err("skeleton.refused.future"));
    }
}
