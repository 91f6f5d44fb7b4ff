//! What a change of policy would have cost last year: the stored bills of a year settled twice, under the law as it is and
//! with the changes laid over it, and compared.
//!
//! *Invariant:* it knows no other programme: bills it reads in the facts of settlement. A run changes no bill and no receipt.
//! *Invariant:* what the payers gain and what people gain come to nothing together, to the fen.
#![deny(clippy::float_arithmetic)]

mod bills;
mod households;
mod pages;
pub mod result;
pub mod rules;
mod run;
pub mod store;
mod workbook;

use kangmai_access::Purpose;
use kangmai_database::{Migration, Migrations};
use kangmai_programme::{Navigation, Programme, Route, nothing_due};

pub use households::households;
pub use run::{
    Asked, Finished, MOST_HOUSEHOLDS, MOST_PEOPLE, Progress, WhatIfFailure, begin, changed_law, pack_of, run,
};
pub use workbook::figures_file;

/// The tables of this programme.
pub const MIGRATIONS: Migrations = Migrations {
    owner: "what_if",
    steps: &[
        Migration { name: "001-runs", sql: include_str!("../migrations/001-runs.sql") },
        Migration { name: "002-categories", sql: include_str!("../migrations/002-categories.sql") },
    ],
};

/// The words of this programme.
pub const WORDS: &str = include_str!("../words.toml");

/// The programme, as a table.
pub const fn programme() -> Programme {
    Programme {
        name: "what_if",
        words: WORDS,
        migrations: MIGRATIONS,
        projections: &[bills::BILLS],
        navigation: &[Navigation {
            word: "what_if.title",
            path: "/what-if",
            purpose: Purpose::TryPolicy,
            order: 82,
        }],
        routes,
        imports: &[],
        figures: &[],
        due: nothing_due,
        person: None,
        household: None,
        timeline: None,
    }
}

fn routes() -> Vec<Route> {
    vec![
        Route::get("/what-if", Purpose::TryPolicy, pages::runs),
        Route::get("/what-if/new", Purpose::TryPolicy, pages::compose),
        Route::post("/what-if/new", Purpose::TryPolicy, pages::start),
        Route::get("/what-if/{id}", Purpose::TryPolicy, pages::one),
        Route::post("/what-if/{id}", Purpose::TryPolicy, pages::forget),
        Route::get("/what-if/{id}/people", Purpose::TryPolicy, pages::people),
        Route::get("/what-if/{id}/people.xlsx", Purpose::TryPolicy, pages::people_file),
        Route::get("/what-if/{id}/households", Purpose::TryPolicy, pages::households),
        Route::get("/what-if/{id}/figures.xlsx", Purpose::TryPolicy, pages::figures),
    ]
}
