//! One request of a system that is let in by its key.

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use kangmai_access::{Actor, Reach};
use kangmai_base::{Day, Refusal};
use kangmai_web::{ApiFailure, Page, Preferences, Problem};

use crate::App;

/// Put into a request's extensions once access has let it through.
#[derive(Debug, Clone)]
pub(crate) struct Let {
    pub(crate) actor: Actor,
    pub(crate) reach: Reach,
    pub(crate) request_id: String,
}

/// What a handler of an interface gets: who asks, how far the route's purpose reaches, and the words of the language asked
/// for.
#[derive(Clone)]
pub struct Call {
    /// The program.
    pub app: App,
    /// Which client.
    pub actor: Actor,
    /// How far.
    pub reach: Reach,
    /// For its words; nothing is shown.
    pub page: Page,
    /// The present day.
    pub today: Day,
    /// What the answer is named by, also in the log.
    pub request_id: String,
    /// What the sender calls its request (报文 ID), if it says so.
    key: Option<String>,
}

impl Call {
    /// The header with the sender's name for its request.
    pub const KEY: &'static str = "idempotency-key";

    /// What the sender calls its request.
    ///
    /// # Errors
    /// 400 when it says nothing, or more than `most` characters.
    pub fn key(&self, most: usize) -> Result<String, ApiFailure> {
        let refuse = |refusal| ApiFailure::new(StatusCode::BAD_REQUEST, Problem::new(refusal));
        match self.key.as_deref().map(str::trim) {
            None | Some("") => Err(refuse(Refusal::new("web.api.key_missing"))),
            Some(key) if key.chars().count() > most => {
                Err(refuse(Refusal::new("web.api.key_too_long").with("most", most.to_string())))
            }
            Some(key) => Ok(key.to_owned()),
        }
    }
}

impl FromRequestParts<App> for Call {
    type Rejection = ApiFailure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Call, ApiFailure> {
        let granted = parts.extensions.get::<Let>().cloned().ok_or_else(ApiFailure::not_found)?;
        let key = parts.headers.get(Call::KEY).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let preferences = Preferences::of_interface(&parts.headers);
        Ok(Call {
            app: app.current(),
            actor: granted.actor,
            reach: granted.reach,
            page: Page::new(std::sync::Arc::clone(&app.words), preferences, parts.uri.path()),
            today: app.today(),
            request_id: granted.request_id,
            key,
        })
    }
}
