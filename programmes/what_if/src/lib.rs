//! What a change of policy would have cost last year: the stored bills of a year settled twice, under the law as it is and
//! with the changes laid over it, and compared.
//!
//! *Invariant:* it knows no other programme: bills it reads in the facts of settlement. A run changes no bill and no receipt.
//! *Invariant:* what the payers gain and what people gain come to nothing together, to the fen.
#![deny(clippy::float_arithmetic)]

mod bills;
pub mod draft;
mod households;
mod judging;
mod pages;
pub mod result;
pub mod rules;
mod run;
pub mod store;
pub mod value;
mod workbook;

use kangmai_access::{Actor, Purpose, reach};
use kangmai_base::Day;
use kangmai_database::{DatabaseError, Migration, Migrations, Transaction};
use kangmai_programme::{App, DueLine, Navigation, Programme, Route};

pub use households::households;
pub use run::{
    Asked, Drafted, Finished, MOST_HOUSEHOLDS, MOST_PEOPLE, Progress, WhatIfFailure, begin, changed_law,
    pack_of, run,
};
pub use workbook::figures_file;

/// The tables of this programme.
pub const MIGRATIONS: Migrations = Migrations {
    owner: "what_if",
    steps: &[
        Migration { name: "001-runs", sql: include_str!("../migrations/001-runs.sql") },
        Migration { name: "002-categories", sql: include_str!("../migrations/002-categories.sql") },
        Migration { name: "003-drafts", sql: include_str!("../migrations/003-drafts.sql") },
        Migration { name: "004-judging", sql: include_str!("../migrations/004-judging.sql") },
        Migration {
            name: "005-sealed-diagnosis",
            sql: include_str!("../migrations/005-sealed-diagnosis.sql"),
        },
        Migration {
            name: "006-diagnosis-in-clear",
            sql: include_str!("../migrations/006-diagnosis-in-clear.sql"),
        },
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
        navigation: &[
            Navigation { word: "what_if.title", path: "/what-if", purpose: Purpose::TryPolicy, order: 82 },
            Navigation {
                word: "what_if.drafts.title",
                path: "/policy-drafts",
                purpose: Purpose::ApprovePolicy,
                order: 84,
            },
        ],
        routes,
        imports: &[],
        figures: &[],
        due,
        person: None,
        household: None,
        timeline: None,
        holdings: None,
        field: None,
    }
}

/// Drafts that wait for a second person.
fn due(tx: &mut Transaction<'_>, _: &App, actor: &Actor, _: Day) -> Result<Vec<DueLine>, DatabaseError> {
    let Some(within) = reach(actor, Purpose::ApprovePolicy) else { return Ok(Vec::new()) };
    let count = store::draft::drafts_in(tx, &within, draft::DraftState::Submitted)?;
    Ok(vec![DueLine { word: "what_if.draft.due", count, late: 0, path: "/policy-drafts".to_owned() }])
}

fn routes() -> Vec<Route> {
    vec![
        Route::get("/what-if", Purpose::TryPolicy, pages::runs).about_nobody(),
        Route::get("/what-if/new", Purpose::TryPolicy, pages::compose).about_nobody(),
        Route::post("/what-if/new", Purpose::TryPolicy, pages::start),
        Route::get("/what-if/{id}", Purpose::TryPolicy, pages::one).about_nobody(),
        Route::post("/what-if/{id}", Purpose::TryPolicy, pages::forget),
        Route::get("/what-if/{id}/people", Purpose::TryPolicy, pages::people),
        Route::get("/what-if/{id}/people.xlsx", Purpose::TryPolicy, pages::people_file),
        Route::get("/what-if/{id}/households", Purpose::TryPolicy, pages::households),
        Route::get("/what-if/{id}/figures.xlsx", Purpose::TryPolicy, pages::figures).about_nobody(),
        Route::get("/policy-drafts", Purpose::ApprovePolicy, pages::show_drafts).about_nobody(),
        Route::post("/policy-drafts", Purpose::EditPolicy, pages::begin_draft),
        Route::get("/policy-drafts/{id}", Purpose::ApprovePolicy, pages::show_draft).about_nobody(),
        Route::post("/policy-drafts/{id}", Purpose::EditPolicy, pages::act),
        Route::post("/policy-drafts/{id}/decision", Purpose::ApprovePolicy, pages::decide),
        Route::get("/policy-drafts/{id}/figure", Purpose::EditPolicy, pages::choose_figure).about_nobody(),
        Route::post("/policy-drafts/{id}/figure", Purpose::EditPolicy, pages::take_figure),
        Route::get("/policy-drafts/{id}/file", Purpose::EditPolicy, pages::edit_file).about_nobody(),
        Route::post("/policy-drafts/{id}/file", Purpose::EditPolicy, pages::take_file),
        Route::get("/policies/releases", Purpose::ReadPolicy, pages::show_releases).about_nobody(),
        Route::get("/policies/releases/{number}", Purpose::ReadPolicy, pages::show_release).about_nobody(),
    ]
}
