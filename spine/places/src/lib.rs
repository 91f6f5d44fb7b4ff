//! The division tree of mainland China and the institutions in it.
//!
//! *Invariant:* knows no person. A scope is a division code; every list query is a range on it. Only `store` touches the
//! database; what a row of a file means is pure.

mod division;
mod divisions;
mod find;
mod institution;
mod institution_rows;
mod pinyin;
mod read_place;
mod store;

use kangmai_database::{Migration, Migrations};

pub use division::{Division, VillageKind};
pub use divisions::{Divisions, DivisionsError};
pub use find::{MAX_FOUND, Resolved};
pub use institution::{
    Capability, INSTITUTION_REGISTERED, Institution, InstitutionBody, InstitutionGrade, InstitutionId,
    InstitutionKind, InstitutionTier,
};
pub use institution_rows::{
    INSTITUTIONS, InstitutionChange, InstitutionParser, InstitutionRow, ParsedInstitution, changes,
};
pub use pinyin::{initial, initials, person_initials};
pub use store::{
    InstitutionFilter, count_institutions, find_institution, find_institution_by_code, institutions_at,
    put_institutions, search_institutions,
};

/// The tables of this crate.
pub const MIGRATIONS: Migrations = Migrations {
    owner: "places",
    steps: &[Migration { name: "001-institutions", sql: include_str!("../migrations/001-institutions.sql") }],
};

/// The words of this crate.
pub const WORDS: &str = include_str!("../words.toml");
