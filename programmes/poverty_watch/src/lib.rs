//! Finds the households that illness is pulling under, with evidence, and follows each warning to a decision.
//!
//! *Invariant:* it knows no other programme: bills and diagnoses it reads in the views `bill` and `diagnosis`. A diagnosis
//! of sensitive level 5 is never read.
//! *Invariant:* a warning's evidence sums to its figure; nobody sees a warning outside the reach that `access` gave.

mod due;
pub mod facts;
mod figures;
pub mod findings;
mod pages;
pub mod rules;
mod section;
mod sentences;
mod steps;
pub mod store;
mod story;
mod watch;

use kangmai_access::Purpose;
use kangmai_database::{Migration, Migrations};
use kangmai_programme::{Navigation, Programme, Route, Telling};

pub use steps::take_step;
pub use watch::{WatchRun, run_watch};

/// The tables of this programme.
pub const MIGRATIONS: Migrations = Migrations {
    owner: "poverty_watch",
    steps: &[
        Migration { name: "001-warnings", sql: include_str!("../migrations/001-warnings.sql") },
        Migration { name: "002-counts", sql: include_str!("../migrations/002-counts.sql") },
        Migration { name: "003-counts-of-many", sql: include_str!("../migrations/003-counts-of-many.sql") },
    ],
};

/// The words of this programme.
pub const WORDS: &str = include_str!("../words.toml");

/// The programme, as a table.
pub const fn programme() -> Programme {
    Programme {
        name: "poverty_watch",
        words: WORDS,
        migrations: MIGRATIONS,
        projections: &[store::WARNINGS],
        navigation: &[Navigation {
            word: "poverty_watch.title",
            path: "/warnings",
            purpose: Purpose::ReadWarnings,
            order: 20,
        }],
        routes,
        imports: &[],
        figures: figures::FIGURES,
        due: due::due,
        person: Some(section::person),
        household: Some(section::household),
        timeline: Some(Telling { also: story::of_household, sentence: story::sentence }),
        holdings: Some(store::held),
        field: None,
    }
}

fn routes() -> Vec<Route> {
    vec![
        Route::get("/warnings", Purpose::ReadWarnings, pages::list),
        Route::get("/warnings/export", Purpose::ReadWarnings, pages::export),
        Route::get("/warnings/{id}", Purpose::ReadWarnings, pages::one::one),
        Route::post("/warnings/{id}", Purpose::CheckWarnings, pages::one::act),
        Route::post("/warnings/{id}/undo", Purpose::CheckWarnings, pages::one::undo),
        Route::get("/warnings/{id}/notice", Purpose::CheckWarnings, pages::notice::show_notice),
    ]
}
