//! Bills come in and are settled exactly, layer by layer, with a statement that a patient can read.
//!
//! *Invariant:* a receipt is worked out of facts and a policy release, never typed; Σ layers + what was paid before + own
//! share = total, to the fen. A late, corrected or cancelled bill settles its person-year again.
#![deny(clippy::float_arithmetic)]

pub mod facts;
mod figures;
pub mod import;
mod pages;
pub mod replay;
mod resettling;
pub mod rules;
mod settling;
mod statement;
pub mod store;

pub use resettling::{Payers, Resettled, Which, resettle};

use kangmai_access::Purpose;
use kangmai_database::{Migration, Migrations};
use kangmai_programme::{Navigation, Programme, Route};

/// The tables of this programme.
pub const MIGRATIONS: Migrations = Migrations {
    owner: "settlement",
    steps: &[
        Migration { name: "001-bills", sql: include_str!("../migrations/001-bills.sql") },
        Migration { name: "002-ledger", sql: include_str!("../migrations/002-ledger.sql") },
        Migration { name: "003-requests", sql: include_str!("../migrations/003-requests.sql") },
    ],
};

/// The words of this programme.
pub const WORDS: &str = include_str!("../words.toml");

/// The programme, as a table.
pub const fn programme() -> Programme {
    Programme {
        name: "settlement",
        words: WORDS,
        migrations: MIGRATIONS,
        projections: &[store::BILLS, store::CLOSINGS, store::TOUCHED_YEARS],
        navigation: &[
            Navigation {
                word: "settlement.desk.title",
                path: "/desk",
                purpose: Purpose::SettleBills,
                order: 30,
            },
            Navigation {
                word: "settlement.admissions.title",
                path: "/admissions",
                purpose: Purpose::SettleBills,
                order: 32,
            },
            Navigation {
                word: "settlement.bills.title",
                path: "/bills",
                purpose: Purpose::ReadBills,
                order: 34,
            },
            Navigation {
                word: "settlement.postings.title",
                path: "/postings",
                purpose: Purpose::ReadBills,
                order: 36,
            },
            Navigation {
                word: "settlement.years.title",
                path: "/years",
                purpose: Purpose::KeepLedger,
                order: 38,
            },
        ],
        routes,
        imports: &[import::OPENINGS, import::BILLS],
        figures: figures::FIGURES,
        due: figures::due,
        person: Some(pages::person),
        household: Some(pages::household),
        timeline: None,
    }
}

fn routes() -> Vec<Route> {
    vec![
        Route::get("/desk", Purpose::SettleBills, pages::find),
        Route::post("/desk", Purpose::SettleBills, pages::search),
        Route::get("/desk/{person}", Purpose::SettleBills, pages::bill_form),
        Route::post("/desk/{person}", Purpose::SettleBills, pages::preview),
        Route::get("/requests", Purpose::SettleBills, pages::ask_outcome),
        Route::post("/requests", Purpose::SettleBills, pages::outcome),
        Route::post("/desk/{person}/settle", Purpose::SettleBills, pages::settle),
        Route::get("/bills", Purpose::ReadBills, pages::list),
        Route::get("/bills.xlsx", Purpose::ReadBills, pages::export),
        Route::get("/bills/{bill}", Purpose::ReadBills, pages::statement),
        Route::get("/bills/{bill}/receipt.json", Purpose::ReadBills, pages::receipt_file),
        Route::get("/bills/{bill}/cancel", Purpose::SettleBills, pages::cancel_form),
        Route::post("/bills/{bill}/cancel", Purpose::SettleBills, pages::cancel),
        Route::post("/bills/{bill}/settle", Purpose::SettleBills, pages::settle_waiting),
        Route::get("/postings", Purpose::ReadBills, pages::postings),
        Route::get("/postings.xlsx", Purpose::ReadBills, pages::export_postings),
        Route::get("/years", Purpose::KeepLedger, pages::years),
        Route::get("/years/{year}", Purpose::KeepLedger, pages::year),
        Route::post("/years/{year}", Purpose::KeepLedger, pages::decide_year),
        Route::get("/late-bills/{bill}", Purpose::KeepLedger, pages::late),
        Route::post("/late-bills/{bill}", Purpose::KeepLedger, pages::decide_late),
        Route::get("/resettle", Purpose::KeepLedger, pages::resettle_form),
        Route::post("/resettle", Purpose::KeepLedger, pages::resettle),
        Route::get("/admissions", Purpose::SettleBills, pages::admissions),
        Route::get("/admissions/new", Purpose::SettleBills, pages::find_to_admit),
        Route::post("/admissions/new", Purpose::SettleBills, pages::search_to_admit),
        Route::get("/admissions/new/{person}", Purpose::SettleBills, pages::admit_form),
        Route::post("/admissions/new/{person}", Purpose::SettleBills, pages::admit),
        Route::get("/admissions/{admission}", Purpose::SettleBills, pages::admission),
    ]
}
