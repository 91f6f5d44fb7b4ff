//! Who is at home in a place, as one short text by which a phone sees that it knows the same people: their number, and the
//! exclusive or of their identifiers. People who move, die, are merged or erased come right by it, whatever was missed.

use std::fmt;

use kangmai_base::Uuid;

/// The roll of one place.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Roll {
    people: u64,
    sum: u128,
}

impl Roll {
    pub(crate) fn add(&mut self, person: Uuid) {
        self.people += 1;
        self.sum ^= person.as_u128();
    }
}

impl fmt::Display for Roll {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{:032x}", self.people, self.sum)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_roll_is_the_same_in_any_order_and_another_with_anybody_else() {
        let of = |people: &[u128]| {
            let mut roll = Roll::default();
            people.iter().for_each(|one| roll.add(Uuid::from_u128(*one)));
            roll.to_string()
        };
        assert_eq!(of(&[]), "0-00000000000000000000000000000000");
        assert_eq!(of(&[1, 2, 7]), of(&[7, 1, 2]));
        assert_eq!(of(&[1, 2, 7]), "3-00000000000000000000000000000004");
        assert_ne!(of(&[1, 2, 3]), of(&[]));
        assert_ne!(of(&[1, 2]), of(&[1, 3]));
    }
}
