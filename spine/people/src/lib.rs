//! Persons, households, identity labels as dated intervals, and how two records are told to be one person.
//!
//! *Invariant:* a person is never deleted, but where the law wants it, and never merged by name. Which label counts is always asked *at a day*.
//! What may be seen is decided above: lists take a range of places, which `access` hands out.

mod label;
mod person;
mod register;
mod register_parser;
mod register_schema;
mod register_words;
mod search;
mod store;

use kangmai_database::{Migration, Migrations};

pub use label::{Label, LabelInterval, labels_on};
pub use person::{Household, HouseholdBody, HouseholdId, Person, PersonBody, PersonId};
pub use register::{Enrolment, HouseholdRow, Mark, RegisterRow, Relation};
pub use register_parser::{Parsed, RegisterContext, RegisterParser};
pub use register_schema::REGISTER;
pub use search::{Query, search};
pub use store::{
    Alike, CLEAR_TEXT, SEALED, aliases, count_living, count_not_enrolled, count_people, count_with_label,
    count_with_marks, find_alike, find_household, find_household_by_number, find_person, find_persons,
    forget_household, forget_person, headed_by, id_number_digest, match_id_number, match_id_numbers, members,
    open_phone, people_at, people_not_enrolled, people_with_label, people_with_marks, put_households,
    put_persons, read_name, same_as, same_name_and_birth, set_same_as,
};

/// The kind of fact that registers a person or changes what is held of one; its body is [`PersonBody`].
pub const PERSON_REGISTERED: &str = "register.person";

/// The tables of this crate.
pub const MIGRATIONS: Migrations = Migrations {
    owner: "people",
    steps: &[
        Migration { name: "001-people", sql: include_str!("../migrations/001-people.sql") },
        Migration { name: "002-sealed-numbers", sql: include_str!("../migrations/002-sealed-numbers.sql") },
        Migration { name: "003-sealed-look-ups", sql: include_str!("../migrations/003-sealed-look-ups.sql") },
        Migration { name: "004-sealed-names", sql: include_str!("../migrations/004-sealed-names.sql") },
        Migration {
            name: "005-sealed-name-look-ups",
            sql: include_str!("../migrations/005-sealed-name-look-ups.sql"),
        },
        Migration {
            name: "006-living-elsewhere",
            sql: include_str!("../migrations/006-living-elsewhere.sql"),
        },
    ],
};

/// The words of this crate.
pub const WORDS: &str = include_str!("../words.toml");
