//! Whether the server is well, for whoever watches over it. Open to everybody: it tells of no person and no place.

use std::fmt::Write as _;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use kangmai_access::{Actor, Purpose, reach};
use kangmai_database::DatabaseError;
use kangmai_programme::App;
use kangmai_record::parked_waiting;
use serde::Serialize;

use crate::metrics::Metrics;
use crate::programmes;

/// What must hold before work comes here.
#[derive(Debug, Serialize)]
struct Readiness {
    ready: bool,
    /// The database answers.
    database: bool,
    /// Its tables are as this program needs them.
    tables: bool,
    /// Its keys are taken up: what is sealed can be read.
    keys: bool,
}

/// GET `/health`: `ok` while the database answers.
pub(super) async fn answers(State(app): State<App>) -> (StatusCode, &'static str) {
    match app.database.ping().await {
        Ok(()) => (StatusCode::OK, "ok\n"),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n"),
    }
}

/// GET `/health/live`: the program runs. It does not ask the database: to start the program anew mends no database.
pub(super) async fn lives() -> &'static str {
    "ok\n"
}

/// GET `/health/ready`: whether work may come here; 503 says what is lacking.
pub(super) async fn is_ready(State(app): State<App>) -> Response {
    let lacking = app.database.lacking_steps(programmes::migrations()).await;
    let (database, tables) = (lacking.is_ok(), matches!(lacking, Ok(0)));
    let keys = app.database.keys().is_some();
    let ready = database && tables && keys;
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(Readiness { ready, database, tables, keys })).into_response()
}

/// GET `/metrics`: what was counted, and what is found at this look.
pub(super) async fn measure(app: &App, metrics: &Metrics) -> String {
    let mut out = metrics.text();
    let asked = app.clock.now();
    let parked = app.database.read(|tx| {
        reach(&Actor::system(), Purpose::KeepRegister).map_or(Ok(0), |reach| parked_waiting(tx, &reach))
    });
    let parked: Result<i64, DatabaseError> = parked.await;
    let took = app.clock.now().0.saturating_sub(asked.0);
    let mut gauge = |name: &str, help: &str, value: &str| {
        // Writing to a String cannot fail.
        let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} gauge\n{name}{value}");
    };
    let up = if parked.is_ok() { " 1" } else { " 0" };
    gauge("kangmai_database_up", "Whether the database answers.", up);
    if let Ok(parked) = parked {
        let took = format!(" {}.{:06}", took / 1_000_000, took % 1_000_000);
        gauge("kangmai_database_answer_seconds", "How long the database took to answer this look.", &took);
        gauge("kangmai_parked_facts", "Facts that wait for somebody to decide.", &format!(" {parked}"));
    }
    let version = concat!("{version=\"", env!("CARGO_PKG_VERSION"), "\"} 1");
    gauge("kangmai_build", "The version of the program.", version);
    out
}
