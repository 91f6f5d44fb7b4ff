//! One request of a system that is let in by its key.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use kangmai_access::{Actor, PhoneHolder, Reach};
use kangmai_base::{Day, Refusal};
use kangmai_database::OnBehalf;
use kangmai_web::{ApiFailure, Page, Preferences, Problem};

use crate::App;

/// Put into a request's extensions once access has let it through.
#[derive(Debug, Clone)]
pub(crate) struct Let {
    pub(crate) actor: Actor,
    pub(crate) reach: Reach,
    pub(crate) request_id: String,
    pub(crate) behalf: Option<Arc<OnBehalf>>,
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
    key: Option<HeaderValue>,
}

impl Call {
    /// The header with the sender's name for its request.
    pub const KEY: &'static str = "idempotency-key";

    /// What the sender calls its request.
    ///
    /// # Errors
    /// 400 when it says nothing, more than `most` characters, or others than [`Call::named`] takes.
    pub fn key(&self, most: usize) -> Result<String, ApiFailure> {
        let sent = self.key.as_ref().map(HeaderValue::as_bytes).unwrap_or_default();
        Call::named(sent, most)
    }

    /// The name of a request, wherever it is said: visible ASCII, since a header carries nothing else.
    ///
    /// # Errors
    /// 400 when it says nothing, more than `most` characters, or others than these.
    pub fn named(name: &[u8], most: usize) -> Result<String, ApiFailure> {
        let refuse = |refusal| Err(ApiFailure::new(StatusCode::BAD_REQUEST, Problem::new(refusal)));
        let name = name.trim_ascii();
        if name.is_empty() {
            return refuse(Refusal::new("web.api.key_missing"));
        }
        let read = std::str::from_utf8(name)
            .ok()
            .filter(|name| name.bytes().all(|byte| matches!(byte, b' '..=b'~')));
        let Some(name) = read else { return refuse(Refusal::new("web.api.key_characters")) };
        if name.len() > most {
            return refuse(Refusal::new("web.api.key_too_long").with("most", most.to_string()));
        }
        Ok(name.to_owned())
    }
}

impl FromRequestParts<App> for Call {
    type Rejection = ApiFailure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Call, ApiFailure> {
        let granted = parts.extensions.get::<Let>().cloned().ok_or_else(ApiFailure::not_found)?;
        let key = parts.headers.get(Call::KEY).cloned();
        let preferences = Preferences::of_interface(&parts.headers);
        let app = app.current().within(granted.actor.place);
        Ok(Call {
            today: app.today(),
            page: Page::new(Arc::clone(&app.words), preferences, parts.uri.path()),
            app: granted.behalf.as_ref().map_or_else(|| app.clone(), |behalf| app.on_behalf(behalf)),
            actor: granted.actor,
            reach: granted.reach,
            request_id: granted.request_id,
            key,
        })
    }
}

/// Put into a request's extensions once access has let a phone through.
#[derive(Debug, Clone)]
pub(crate) struct LetPhone {
    pub(crate) holder: PhoneHolder,
    pub(crate) reach: Option<Reach>,
    pub(crate) behalf: Option<Arc<OnBehalf>>,
}

/// What a handler gets that phones ask: which phone, whose it is, and how far that account reaches.
pub struct PhoneCall {
    /// The program.
    pub app: App,
    /// Which phone, and its account as it stands now.
    pub holder: PhoneHolder,
    /// How far; none: the account has not the purpose, is barred, or the phone is to be emptied.
    pub reach: Option<Reach>,
    /// For its words; nothing is shown.
    pub page: Page,
    /// The version of the protocol that the app on it speaks, if it says so.
    pub version: Option<u32>,
}

impl PhoneCall {
    /// The header with the version of the protocol.
    pub const VERSION: &'static str = "kangmai-phone";
}

impl FromRequestParts<App> for PhoneCall {
    type Rejection = ApiFailure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<PhoneCall, ApiFailure> {
        let granted = parts.extensions.get::<LetPhone>().cloned().ok_or_else(ApiFailure::not_found)?;
        let preferences = Preferences::of_interface(&parts.headers);
        let app = app.current().within(granted.holder.actor.place);
        Ok(PhoneCall {
            page: Page::new(Arc::clone(&app.words), preferences, parts.uri.path()),
            app: granted.behalf.as_ref().map_or_else(|| app.clone(), |behalf| app.on_behalf(behalf)),
            holder: granted.holder,
            reach: granted.reach,
            version: parts
                .headers
                .get(PhoneCall::VERSION)
                .and_then(|version| version.to_str().ok())
                .and_then(|version| version.trim().parse().ok()),
        })
    }
}
