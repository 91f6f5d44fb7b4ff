//! Skeleton: say in one line what it is for. The README says who does what by when, and why.
//!
//! *Invariant:* it knows no other programme; it reads facts and views of the spine.

pub mod facts;
mod pages;
pub mod rules;
pub mod store;

use kangmai_access::Purpose;
use kangmai_database::{Migration, Migrations};
use kangmai_programme::{Navigation, Programme, Route, nothing_due};

/// The tables of this programme.
pub const MIGRATIONS: Migrations = Migrations {
    owner: "skeleton",
    steps: &[Migration { name: "001-notes", sql: include_str!("../migrations/001-notes.sql") }],
};

/// The words of this programme.
pub const WORDS: &str = include_str!("../words.toml");

/// The purpose of its pages. One that no other page has gets a line of its own in the matrix of `access`.
const PURPOSE: Purpose = Purpose::FindPeople;

/// The programme, as a table.
pub const fn programme() -> Programme {
    Programme {
        name: "skeleton",
        words: WORDS,
        migrations: MIGRATIONS,
        projections: &[store::NOTES],
        navigation: &[Navigation { word: "skeleton.title", path: "/skeleton", purpose: PURPOSE, order: 200 }],
        routes,
        imports: &[],
        figures: &[],
        due: nothing_due,
        person: None,
        household: None,
        timeline: None,
        holdings: None,
        field: None,
    }
}

fn routes() -> Vec<Route> {
    vec![Route::get("/skeleton", PURPOSE, pages::list), Route::post("/skeleton", PURPOSE, pages::note)]
}
