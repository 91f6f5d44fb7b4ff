//! What all interfaces have in common: their description, and the answer where there is none.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse as _, Response};
use kangmai_programme::{App, openapi};
use kangmai_web::{ApiFailure, Preferences, say_in_json};

/// GET the OpenAPI document, in the language asked for. Open to everybody: it tells of no person and no place.
pub(super) async fn describe(State(app): State<App>, headers: HeaderMap) -> Response {
    let routes: Vec<_> = app.programmes.iter().flat_map(|programme| (programme.routes)()).collect();
    let language = Preferences::of_interface(&headers).language;
    Json(openapi(&routes, &app.words, language)).into_response()
}

/// Any other path of an interface: not found, in the shape that all of them have.
pub(super) async fn not_there(State(app): State<App>, headers: HeaderMap) -> Response {
    let language = Preferences::of_interface(&headers).language;
    let answer = ApiFailure::not_found().into_response();
    say_in_json(answer, &app.words, language, &app.mint().to_string())
}
