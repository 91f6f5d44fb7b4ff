//! Residents who live in another township of the county than they are registered in: one side asks, the other accepts from a day
//! or refuses with a reason; from then on the place of living visits and signs, and what it does goes back by itself. Who lives in
//! another county is followed up by telephone from home.
//!
//! *Invariant:* everybody is counted once: at home for coverage, at the place that serves for work. Of one person one hand-over is
//! open at most; what it gives is a relation of the place (`kangmai_access`), worked out of the facts.
//! *Invariant:* it knows no other programme; visits it reads as facts of the record, never what they came to.

pub mod act;
mod due;
pub mod facts;
mod figures;
mod pages;
pub mod rules;
mod section;
pub mod store;

use kangmai_access::Purpose;
use kangmai_database::{Migration, Migrations};
use kangmai_programme::{Navigation, Programme, Telling, nothing_more};

/// The tables of this programme.
pub const MIGRATIONS: Migrations = Migrations {
    owner: "residence",
    steps: &[Migration { name: "001-hand-overs", sql: include_str!("../migrations/001-hand-overs.sql") }],
};

/// The words of this programme.
pub const WORDS: &str = include_str!("../words.toml");

/// The programme, as a table.
pub const fn programme() -> Programme {
    Programme {
        name: "residence",
        words: WORDS,
        migrations: MIGRATIONS,
        projections: &[store::HAND_OVERS],
        navigation: &[Navigation {
            word: "residence.title",
            path: "/residence",
            purpose: Purpose::ReadHandOvers,
            order: 18,
        }],
        routes: pages::routes,
        imports: &[],
        figures: figures::FIGURES,
        due: due::due,
        person: Some(section::person),
        household: None,
        timeline: Some(Telling { also: nothing_more, sentence: section::told }),
        holdings: Some(store::held),
        field: None,
    }
}
