//! Family-doctor agreements: teams, packages, signatures, what is due of them and what was done, and one plan for each person.
//! Terms, roles and packages stand in the packs.
//!
//! *Invariant:* what was agreed on is a fact with the packages as they were on the day; how an agreement stands is worked out for a
//! day and never stored, and nothing renews itself. A package of sensitive level 5 stands in no list and no figure.
//! *Invariant:* it knows no other programme; it reads the facts of follow-up by their kind and diagnoses in the view `diagnosis`.

pub mod act;
pub mod care;
mod due;
pub mod facts;
mod figures;
pub mod folder;
mod pages;
pub mod rules;
mod section;
mod sentences;
pub mod store;
pub mod teamwork;

use kangmai_access::Purpose;
use kangmai_database::{Migration, Migrations};
use kangmai_programme::{Navigation, Programme, Telling, nothing_more};

/// The tables of this programme.
pub const MIGRATIONS: Migrations = Migrations {
    owner: "agreements",
    steps: &[Migration { name: "001-agreements", sql: include_str!("../migrations/001-agreements.sql") }],
};

/// The words of this programme.
pub const WORDS: &str = include_str!("../words.toml");

/// The programme, as a table.
pub const fn programme() -> Programme {
    Programme {
        name: "agreements",
        words: WORDS,
        migrations: MIGRATIONS,
        projections: &[store::AGREEMENTS, store::TEAMS],
        navigation: &[Navigation {
            word: "agreements.title",
            path: "/agreements",
            purpose: Purpose::ReadAgreements,
            order: 16,
        }],
        routes: pages::routes,
        imports: &[],
        figures: figures::FIGURES,
        due: due::due,
        person: Some(section::person),
        household: Some(section::household),
        timeline: Some(Telling { also: nothing_more, sentence: section::told }),
        holdings: Some(store::held),
        field: None,
    }
}
