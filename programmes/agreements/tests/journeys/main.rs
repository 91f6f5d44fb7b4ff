//! The rules of agreements, with every boundary as a table.

#![expect(clippy::expect_used, reason = "a test says what it needs")]

mod promises;
mod standing;
mod teams;

use kangmai_base::{Day, Uuid};

pub(crate) fn day(text: &str) -> Day {
    text.parse().expect("a day")
}

pub(crate) fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}
