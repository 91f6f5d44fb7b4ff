//! The division tree of mainland China and the institutions in it.
//!
//! *Invariant:* knows no person. A scope is a division code; every list query is a range on it.

mod division;
mod divisions;
mod find;
mod pinyin;

pub use division::{Division, VillageKind};
pub use divisions::{Divisions, DivisionsError};
pub use find::{MAX_FOUND, Resolved};
pub use pinyin::{initial, initials, person_initials};
