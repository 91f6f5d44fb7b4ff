//! Bills come in and are settled exactly, layer by layer, with a statement that a patient can read.
//!
//! *Invariant:* a receipt is worked out of facts and a policy release, never typed; Σ layers + what was paid before + own
//! share = total, to the fen. A late, corrected or cancelled bill settles its person-year again, and where the law gives
//! households accumulators that their members have together, the years of all whom a household joins.
#![deny(clippy::float_arithmetic)]

mod api;
pub mod facts;
mod figures;
pub mod import;
mod intake;
mod lines_told;
mod otherwise;
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
        Migration { name: "004-pay-later", sql: include_str!("../migrations/004-pay-later.sql") },
        Migration { name: "005-claims", sql: include_str!("../migrations/005-claims.sql") },
        Migration { name: "006-households", sql: include_str!("../migrations/006-households.sql") },
        Migration { name: "007-interface", sql: include_str!("../migrations/007-interface.sql") },
        Migration { name: "008-desk", sql: include_str!("../migrations/008-desk.sql") },
        Migration {
            name: "009-sealed-diagnosis",
            sql: include_str!("../migrations/009-sealed-diagnosis.sql"),
        },
        Migration {
            name: "010-diagnosis-in-clear",
            sql: include_str!("../migrations/010-diagnosis-in-clear.sql"),
        },
    ],
};

/// The words of this programme.
pub const WORDS: &str = include_str!("../words.toml");

const NAVIGATION: &[Navigation] = &[
    Navigation { word: "settlement.desk.title", path: "/desk", purpose: Purpose::SettleBills, order: 30 },
    Navigation {
        word: "settlement.admissions.title",
        path: "/admissions",
        purpose: Purpose::SettleBills,
        order: 32,
    },
    Navigation {
        word: "settlement.debts.title",
        path: "/payments",
        purpose: Purpose::ReadPayments,
        order: 33,
    },
    Navigation { word: "settlement.claims.title", path: "/claims", purpose: Purpose::ReadBills, order: 37 },
    Navigation {
        word: "settlement.days.title",
        path: "/reconciliations",
        purpose: Purpose::ReadBills,
        order: 35,
    },
    Navigation { word: "settlement.bills.title", path: "/bills", purpose: Purpose::ReadBills, order: 34 },
    Navigation {
        word: "settlement.postings.title",
        path: "/postings",
        purpose: Purpose::ReadBills,
        order: 36,
    },
    Navigation { word: "settlement.years.title", path: "/years", purpose: Purpose::KeepLedger, order: 38 },
];

/// The programme, as a table.
pub const fn programme() -> Programme {
    Programme {
        name: "settlement",
        words: WORDS,
        migrations: MIGRATIONS,
        projections: &[
            store::BILLS,
            store::CLOSINGS,
            store::TOUCHED_YEARS,
            store::pay_later::PAY_LATER,
            store::claim::CLAIMS,
            store::day::DAYS,
        ],
        navigation: NAVIGATION,
        routes,
        imports: &[import::OPENINGS, import::BILLS, import::LINES],
        figures: figures::FIGURES,
        due: figures::due,
        person: Some(pages::person),
        household: Some(pages::household),
        timeline: None,
        holdings: Some(store::held),
        field: None,
    }
}

fn routes() -> Vec<Route> {
    let mut routes = bill_routes();
    routes.extend(pay_later_routes());
    routes.extend(claim_routes());
    routes.extend(day_routes());
    routes.extend(api_routes());
    routes
}

fn day_routes() -> Vec<Route> {
    use pages::days as to;
    vec![
        Route::get("/reconciliations", Purpose::ReadBills, to::list).about_nobody(),
        Route::get("/reconciliations/{day}", Purpose::ReadBills, to::one),
        Route::get("/reconciliations/{day}/export", Purpose::ReadBills, to::export),
        Route::get("/reconciliations/{day}/lines/{line}", Purpose::ReconcileDays, to::explain_form),
        Route::post("/reconciliations/{day}/lines/{line}", Purpose::ReconcileDays, to::explain),
    ]
}

/// What systems of hospitals send and ask.
fn api_routes() -> Vec<Route> {
    use Purpose::{ReconcileDays, SettleBills};
    vec![
        Route::api_post("/api/v1/settlement/pre-settle", SettleBills, &api::PRE_SETTLE, api::pre_settle),
        Route::api_post("/api/v1/settlement/settle", SettleBills, &api::SETTLE, api::settle),
        Route::api_post("/api/v1/settlement/cancel", SettleBills, &api::CANCEL, api::cancel),
        Route::api_post("/api/v1/settlement/correct", SettleBills, &api::CORRECT, api::correct),
        Route::api_post("/api/v1/settlement/reconcile", ReconcileDays, &api::RECONCILE, api::reconcile),
        Route::api_get("/api/v1/settlement/requests/{key}", SettleBills, &api::REQUEST, api::request)
            .about_nobody(),
        Route::api_get("/api/v1/settlement/receipts/{bill}", SettleBills, &api::RECEIPT, api::receipt),
    ]
}

fn claim_routes() -> Vec<Route> {
    use pages::claims as to;
    vec![
        Route::get("/claims", Purpose::ReadBills, to::list).about_nobody(),
        Route::get("/claims/new", Purpose::SettleBills, to::claim_form).about_nobody(),
        Route::post("/claims/new", Purpose::SettleBills, to::submit),
        Route::get("/claims/{claim}", Purpose::ReadBills, to::one),
        Route::get("/claims/{claim}/export", Purpose::ReadBills, to::export),
        Route::get("/claims/{claim}/withdraw", Purpose::SettleBills, to::withdraw_form),
        Route::post("/claims/{claim}/withdraw", Purpose::SettleBills, to::withdraw),
        Route::get("/claims/{claim}/lines/{bill}", Purpose::DecidePayLater, to::cut_form),
        Route::post("/claims/{claim}/lines/{bill}", Purpose::DecidePayLater, to::cut),
        Route::get("/claims/{claim}/reconcile", Purpose::DecidePayLater, to::reconcile_form),
        Route::post("/claims/{claim}/reconcile", Purpose::DecidePayLater, to::reconcile),
        Route::get("/claims/{claim}/pay", Purpose::DecidePayLater, to::pay_form),
        Route::post("/claims/{claim}/pay", Purpose::DecidePayLater, to::pay),
    ]
}

fn pay_later_routes() -> Vec<Route> {
    use pages::pay_later as to;
    vec![
        Route::get("/payments", Purpose::ReadPayments, to::list),
        Route::get("/payments.xlsx", Purpose::ReadPayments, to::export),
        Route::get("/payments/{bill}", Purpose::ReadPayments, to::one),
        Route::get("/payments/{bill}/pay", Purpose::SettleBills, to::pay_form),
        Route::post("/payments/{bill}/pay", Purpose::SettleBills, to::pay),
        Route::get("/payments/{bill}/refund", Purpose::SettleBills, to::refund_form),
        Route::post("/payments/{bill}/refund", Purpose::SettleBills, to::refund),
        Route::get("/payments/{bill}/agree", Purpose::SettleBills, to::agree_form),
        Route::post("/payments/{bill}/agree", Purpose::SettleBills, to::agree),
        Route::get("/payments/{bill}/agreement", Purpose::ReadPayments, to::agreement),
        Route::get("/payments/{bill}/write-off", Purpose::AskWriteOffs, to::ask_form),
        Route::post("/payments/{bill}/write-off", Purpose::AskWriteOffs, to::ask),
        Route::get("/receipts/{payment}", Purpose::ReadPayments, to::receipt),
        Route::get("/receipts/{payment}/take-back", Purpose::SettleBills, to::take_back_form),
        Route::post("/receipts/{payment}/take-back", Purpose::SettleBills, to::take_back),
        Route::get("/write-offs", Purpose::ReadPayments, to::write_offs),
        Route::get("/write-offs/{write_off}", Purpose::ReadPayments, to::write_off),
        Route::post("/write-offs/{write_off}", Purpose::DecidePayLater, to::decide),
        Route::get("/write-offs/{write_off}/withdraw", Purpose::ReadPayments, to::withdraw_form),
        Route::post("/write-offs/{write_off}/withdraw", Purpose::ReadPayments, to::withdraw),
        Route::get("/suspensions", Purpose::ReadPayments, to::suspensions),
        Route::get("/suspensions/new/{person}", Purpose::DecidePayLater, to::suspend_form),
        Route::post("/suspensions/new/{person}", Purpose::DecidePayLater, to::suspend),
        Route::get("/suspensions/{suspension}", Purpose::ReadPayments, to::suspension),
        Route::post("/suspensions/{suspension}", Purpose::DecidePayLater, to::answer),
        Route::get("/suspensions/{suspension}/appeal", Purpose::AskWriteOffs, to::appeal_form),
        Route::post("/suspensions/{suspension}/appeal", Purpose::AskWriteOffs, to::appeal),
    ]
}

fn bill_routes() -> Vec<Route> {
    vec![
        Route::get("/desk", Purpose::SettleBills, pages::find),
        Route::post("/desk", Purpose::SettleBills, pages::search),
        Route::get("/desk/{person}", Purpose::SettleBills, pages::bill_form),
        Route::post("/desk/{person}", Purpose::SettleBills, pages::preview),
        Route::get("/requests", Purpose::SettleBills, pages::ask_outcome).about_nobody(),
        Route::post("/requests", Purpose::SettleBills, pages::outcome),
        Route::post("/desk/{person}/settle", Purpose::SettleBills, pages::settle),
        Route::get("/bills", Purpose::ReadBills, pages::list),
        Route::get("/bills.xlsx", Purpose::ReadBills, pages::export),
        Route::get("/bills/{bill}", Purpose::ReadBills, pages::statement),
        Route::get("/bills/{bill}/why", Purpose::ReadBills, pages::why),
        Route::get("/bills/{bill}/receipt.json", Purpose::ReadBills, pages::receipt_file),
        Route::get("/bills/{bill}/lines.xlsx", Purpose::ReadBills, pages::lines_file),
        Route::get("/bills/{bill}/cancel", Purpose::SettleBills, pages::cancel_form),
        Route::post("/bills/{bill}/cancel", Purpose::SettleBills, pages::cancel),
        Route::post("/bills/{bill}/settle", Purpose::SettleBills, pages::settle_waiting),
        Route::get("/deviations", Purpose::ReadBills, pages::deviations::list),
        Route::get("/deviations.xlsx", Purpose::ReadBills, pages::deviations::export),
        Route::get("/postings", Purpose::ReadBills, pages::postings),
        Route::get("/postings.xlsx", Purpose::ReadBills, pages::export_postings),
        Route::get("/years", Purpose::KeepLedger, pages::years).about_nobody(),
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
