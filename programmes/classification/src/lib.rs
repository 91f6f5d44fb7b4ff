//! Each person with a diagnosis in exactly one plan: major disease, chronic or severe, with the reason in words; changes
//! over time are kept.
//!
//! *Invariant:* a plan is only ever written by the fact `classification.planned`, which says by which release of the
//! lists it was worked out. A diagnosis of sensitive level 5 stands in no list and no export.
//! *Invariant:* it knows no other programme; whether somebody was treated it reads in the view `bill`.

mod by_hand;
mod diagnoses;
pub mod facts;
mod figures;
mod import;
mod pages;
mod planning;
mod reclassify;
pub mod rules;
mod section;
pub mod store;

use kangmai_access::Purpose;
use kangmai_database::{Migration, Migrations};
use kangmai_programme::{Import, Navigation, Programme, Route, Telling, nothing_due, nothing_more};

pub use import::SCHEMA;
pub use reclassify::{Reclassified, reclassify};

/// The tables of this programme.
pub const MIGRATIONS: Migrations = Migrations {
    owner: "classification",
    steps: &[
        Migration { name: "001-plans", sql: include_str!("../migrations/001-plans.sql") },
        Migration { name: "002-struck", sql: include_str!("../migrations/002-struck.sql") },
        Migration { name: "003-sealed", sql: include_str!("../migrations/003-sealed.sql") },
    ],
};

/// The words of this programme.
pub const WORDS: &str = include_str!("../words.toml");

/// What comes in as a file.
const IMPORTS: &[Import] = &[Import {
    key: "diagnoses",
    word: "classification.import.diagnoses",
    purpose: Purpose::KeepRegister,
    schema: &SCHEMA,
    schema_under: None,
    order: 25,
    plan: import::plan,
    finish: None,
    rows_at_once: 1_000,
}];

/// The programme, as a table.
pub const fn programme() -> Programme {
    Programme {
        name: "classification",
        words: WORDS,
        migrations: MIGRATIONS,
        projections: &[store::DIAGNOSES, store::PLANS],
        navigation: &[Navigation {
            word: "classification.title",
            path: "/plans",
            purpose: Purpose::ReadPlans,
            order: 30,
        }],
        routes,
        imports: IMPORTS,
        figures: figures::FIGURES,
        due: nothing_due,
        person: Some(section::person),
        household: None,
        timeline: Some(Telling { also: nothing_more, sentence: section::told }),
        holdings: Some(store::held),
        field: None,
    }
}

fn routes() -> Vec<Route> {
    vec![
        Route::get("/plans", Purpose::ReadPlans, pages::list),
        Route::get("/plans/export", Purpose::ReadPlans, pages::export),
        Route::get("/plans/{person}", Purpose::ReadPlans, pages::one),
        Route::post("/plans/{person}", Purpose::KeepRegister, pages::decide),
        Route::post("/plans/{person}/undo", Purpose::KeepRegister, pages::undo),
        Route::get("/plans/{person}/diagnoses", Purpose::RecordDiagnoses, pages::diagnoses::blank),
        Route::post("/plans/{person}/diagnoses", Purpose::RecordDiagnoses, pages::diagnoses::record),
        Route::get("/plans/{person}/diagnoses/{diagnosis}", Purpose::RecordDiagnoses, pages::diagnoses::one),
        Route::post(
            "/plans/{person}/diagnoses/{diagnosis}",
            Purpose::RecordDiagnoses,
            pages::diagnoses::correct,
        ),
        Route::post(
            "/plans/{person}/diagnoses/{diagnosis}/withdraw",
            Purpose::RecordDiagnoses,
            pages::diagnoses::withdraw,
        ),
        Route::post("/plans/{person}/facts/{fact}/undo", Purpose::RecordDiagnoses, pages::diagnoses::undo),
    ]
}
