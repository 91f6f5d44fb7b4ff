//! Bills come in and are settled exactly, layer by layer, with a statement that a patient can read.
//!
//! *Invariant:* a receipt is worked out of facts and a policy release, never typed; Σ layers + what was paid before + own
//! share = total, to the fen. A late, corrected or cancelled bill settles its person-year again.
#![deny(clippy::float_arithmetic)]

pub mod facts;
pub mod import;
pub mod rules;
mod settling;
pub mod store;

use kangmai_database::{Migration, Migrations};

/// The tables of this programme.
pub const MIGRATIONS: Migrations = Migrations {
    owner: "settlement",
    steps: &[Migration { name: "001-bills", sql: include_str!("../migrations/001-bills.sql") }],
};
