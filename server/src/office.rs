//! The pages that belong to no programme: signing in, the home page, figures of a place, imports, the packs, accounts,
//! the audit trail, parked facts. A programme like the others, so that navigation and access are the same.

mod accounts;
mod audit;
mod break_glass;
mod clients;
mod delegations;
mod figures;
mod health;
mod home;
mod imports;
mod interface;
mod law;
mod openid;
mod own;
mod packs;
mod parked;
mod proof;
mod second_factor;
mod security;
mod set_up;
mod sign_in;
mod subsidies;
mod tables;

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::routing::{any, get};
use kangmai_access::{Actor, Purpose, Stage};
use kangmai_base::Day;
use kangmai_database::{DatabaseError, Migrations, Transaction};
use kangmai_programme::{App, DueLine, Navigation, Programme, Route};

use crate::metrics::Metrics;

pub use openid::OpenIdDesk;

/// The table of contents.
pub(crate) fn programme() -> Programme {
    Programme {
        name: "server",
        words: include_str!("../words.toml"),
        migrations: Migrations { owner: "server", steps: &[] },
        projections: &[],
        navigation: NAVIGATION,
        routes,
        imports: &[],
        figures: &[],
        due,
        person: Some(tables::premium_section),
        household: None,
        timeline: None,
        holdings: None,
        field: None,
    }
}

const NAVIGATION: &[Navigation] = &[
    Navigation { word: "server.home.nav", path: "/", purpose: Purpose::Home, order: 0 },
    Navigation { word: "server.figures.nav", path: "/figures", purpose: Purpose::ReadFigures, order: 60 },
    Navigation { word: "server.import.nav", path: "/import", purpose: Purpose::KeepRegister, order: 70 },
    Navigation { word: "server.import.nav", path: "/import", purpose: Purpose::ImportBills, order: 70 },
    Navigation { word: "server.packs.nav", path: "/policies", purpose: Purpose::ReadPolicy, order: 80 },
    Navigation {
        word: "server.accounts.nav",
        path: "/accounts",
        purpose: Purpose::ManageAccounts,
        order: 90,
    },
    Navigation { word: "server.clients.nav", path: "/clients", purpose: Purpose::ManageAccounts, order: 90 },
    Navigation { word: "server.security.nav", path: "/security", purpose: Purpose::GuardAccounts, order: 92 },
    Navigation {
        word: "server.break_glass.nav",
        path: "/break-glass",
        purpose: Purpose::AskBreakGlass,
        order: 85,
    },
    Navigation {
        word: "server.break_glass.reviews.nav",
        path: "/break-glass/reviews",
        purpose: Purpose::ReviewBreakGlass,
        order: 86,
    },
    Navigation { word: "server.audit.nav", path: "/audit", purpose: Purpose::ReadAudit, order: 91 },
];

const ALL_STAGES: &[Stage] = &[Stage::Code, Stage::Password, Stage::Enrolment, Stage::Open];
const CODE: &[Stage] = &[Stage::Code];
const ENROLMENT: &[Stage] = &[Stage::Enrolment, Stage::Open];
const OWN_PASSWORD: &[Stage] = &[Stage::Password, Stage::Open];

fn routes() -> Vec<Route> {
    vec![
        Route::get("/", Purpose::Home, home::show_home).about_nobody(),
        Route::post("/logout", Purpose::Home, sign_in::sign_out).in_stages(ALL_STAGES),
        Route::get("/password", Purpose::Home, own::show_password).about_nobody().in_stages(OWN_PASSWORD),
        Route::post("/password", Purpose::Home, own::change_password).in_stages(OWN_PASSWORD),
        Route::get("/second-factor", Purpose::Home, second_factor::show_code).about_nobody().in_stages(CODE),
        Route::post("/second-factor", Purpose::Home, second_factor::take_code).in_stages(CODE),
        Route::get("/second-factor/enrolment", Purpose::Home, second_factor::show_enrolment)
            .about_nobody()
            .in_stages(ENROLMENT),
        Route::post("/second-factor/enrolment", Purpose::Home, second_factor::change).in_stages(ENROLMENT),
        Route::get("/devices", Purpose::Home, own::show_devices).about_nobody(),
        Route::post("/devices", Purpose::Home, own::end_devices),
        Route::get("/delegations", Purpose::Home, delegations::show_own).about_nobody(),
        Route::post("/delegations", Purpose::Home, delegations::change_own),
        Route::get("/accounts/{id}/delegations", Purpose::ManageAccounts, delegations::show_of)
            .about_nobody(),
        Route::post("/accounts/{id}/delegations", Purpose::ManageAccounts, delegations::change_of),
        Route::get("/figures", Purpose::ReadFigures, figures::show_figures).about_nobody(),
        Route::get("/import", Purpose::Home, imports::show_kinds).about_nobody(),
        Route::get("/import/{kind}", Purpose::Home, imports::show_kind).about_nobody(),
        Route::post("/import/{kind}", Purpose::Home, imports::take_file),
        Route::get("/import/{kind}/template.xlsx", Purpose::Home, imports::template).about_nobody(),
        Route::get("/import/jobs/{id}", Purpose::Home, imports::show_job),
        Route::post("/import/jobs/{id}", Purpose::Home, imports::decide),
        Route::get("/import/jobs/{id}/errors.xlsx", Purpose::Home, imports::error_sheet),
        Route::get("/policies", Purpose::ReadPolicy, packs::show_here).about_nobody(),
        Route::get("/policies/benefit", Purpose::ReadPolicy, packs::show_benefit).about_nobody(),
        Route::get("/policies/cases", Purpose::ReadPolicy, packs::show_cases).about_nobody(),
        Route::get("/policies/tables", Purpose::ReadPolicy, tables::show_tables).about_nobody(),
        Route::get("/subsidies", Purpose::ReadFigures, subsidies::list).about_nobody(),
        Route::get("/subsidies.xlsx", Purpose::ReadFigures, subsidies::export),
        Route::get("/policies/file", Purpose::ReadPolicy, packs::show_file).about_nobody(),
        Route::post("/policies/proof", Purpose::ReadPolicy, proof::prove).about_nobody(),
        Route::get("/accounts", Purpose::ManageAccounts, accounts::show_accounts).about_nobody(),
        Route::post("/accounts", Purpose::ManageAccounts, accounts::create),
        Route::get("/accounts/{id}", Purpose::ManageAccounts, accounts::show_account).about_nobody(),
        Route::post("/accounts/{id}", Purpose::ManageAccounts, accounts::change),
        Route::get("/clients", Purpose::ManageAccounts, clients::show_clients).about_nobody(),
        Route::post("/clients", Purpose::ManageAccounts, clients::create),
        Route::get("/clients/{id}", Purpose::ManageAccounts, clients::show_client).about_nobody(),
        Route::post("/clients/{id}", Purpose::ManageAccounts, clients::change),
        Route::get("/audit", Purpose::ReadAudit, audit::show_audit),
        Route::get("/audit.xlsx", Purpose::ReadAudit, audit::export),
        Route::get("/audit/unusual", Purpose::ReadAudit, audit::unusual),
        Route::get("/break-glass", Purpose::AskBreakGlass, break_glass::show_ask).about_nobody(),
        Route::post("/break-glass", Purpose::AskBreakGlass, break_glass::ask),
        Route::get("/break-glass/reviews", Purpose::ReviewBreakGlass, break_glass::list),
        Route::get("/break-glass/reviews/{id}", Purpose::ReviewBreakGlass, break_glass::one),
        Route::post("/break-glass/reviews/{id}", Purpose::ReviewBreakGlass, break_glass::review),
        Route::get("/security", Purpose::GuardAccounts, security::show_security).about_nobody(),
        Route::post("/security/{id}", Purpose::GuardAccounts, security::lock),
        Route::get("/parked", Purpose::KeepRegister, parked::show_parked),
        Route::post("/parked/{id}", Purpose::KeepRegister, parked::resolve),
    ]
}

/// What waits for somebody: facts that are parked, glass that was broken, colleagues who are on leave.
fn due(tx: &mut Transaction<'_>, app: &App, actor: &Actor, day: Day) -> Result<Vec<DueLine>, DatabaseError> {
    let mut lines = parked::due(tx, app, actor, day)?;
    lines.extend(break_glass::due(tx, app, actor, day)?);
    lines.extend(delegations::due(tx, app, actor)?);
    Ok(lines)
}

/// What needs no session.
pub(crate) fn open_routes(metrics: Arc<Metrics>) -> Router<App> {
    Router::new()
        .route("/sign-in", get(sign_in::show_sign_in).post(sign_in::take_sign_in))
        .route("/sign-in/openid", get(openid::go))
        .route("/sign-in/openid/back", get(openid::come_back))
        .route("/set-up", get(set_up::show_set_up).post(set_up::take_set_up))
        .route("/health", get(health::answers))
        .route("/health/live", get(health::lives))
        .route("/health/ready", get(health::is_ready))
        .route("/api/openapi.json", get(interface::describe))
        .route("/api/{*rest}", any(interface::not_there))
        .route(
            "/metrics",
            get(move |State(app): State<App>| async move { health::measure(&app, &metrics).await }),
        )
}
