//! Signing in by an identity provider: there, and back.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::header::{LOCATION, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use kangmai_access::{Method, ProvenIdentity, sign_in_by_identity};
use kangmai_base::{Moment, Refusal};
use kangmai_openid::{Attempt, Identity, OpenIdError, Provider};
use kangmai_programme::{App, Door};
use kangmai_seal::Cell;
use kangmai_web::{Failure, Page, cookies, show_refused};
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;

use super::sign_in::{end_former, go_on, wanted};

/// Who asks the provider at a time; more are told to come again. It keeps a provider that does not answer from holding
/// every thread.
const MOST_AT_ONCE: usize = 8;
/// How long a browser may be away.
const AWAY_SECONDS: u32 = 600;

/// What is set of signing in by a provider.
#[derive(Debug)]
pub struct OpenIdDesk {
    provider: Arc<Provider>,
    /// The claim that gives the sign-in name; none: an administrator binds each identity.
    claim: Option<String>,
    /// How a sign-in by the provider counts.
    method: Method,
    at_once: Semaphore,
}

impl OpenIdDesk {
    /// For this provider. `claim`: the claim that gives the sign-in name; none: an administrator binds each identity.
    /// `asks_second_factor`: whether the provider does, so that this program does not.
    pub fn new(provider: Provider, claim: Option<String>, asks_second_factor: bool) -> OpenIdDesk {
        OpenIdDesk {
            provider: Arc::new(provider),
            claim,
            method: if asks_second_factor { Method::ProviderWithSecondFactor } else { Method::Provider },
            at_once: Semaphore::new(MOST_AT_ONCE),
        }
    }

    /// The issuer.
    pub fn issuer(&self) -> &str {
        self.provider.issuer()
    }
}

/// The desk of the running program, if there is one.
pub(super) type OpenId = Extension<Option<Arc<OpenIdDesk>>>;

/// What the browser carries while it is away, sealed.
#[derive(Serialize, Deserialize)]
struct Carried {
    state: String,
    nonce: String,
    verifier: String,
    next: String,
    until: i64,
}

const CELL: Cell<'static> = Cell { table: "cookie", column: "openid", row: b"" };

const fn cookie_name(secure: bool) -> &'static str {
    if secure { "__Host-kangmai_openid" } else { "kangmai_openid" }
}

fn seal(app: &App, carried: &Carried) -> Result<String, Failure> {
    let keys = app.keys().ok_or_else(|| Failure::internal("the database holds no keys"))?;
    let sealed = keys.seal(&CELL, &serde_json::to_vec(carried)?);
    Ok(sealed.iter().fold(String::with_capacity(sealed.len() * 2), |hex, byte| hex + &format!("{byte:02x}")))
}

fn open(app: &App, headers: &HeaderMap) -> Option<Carried> {
    let text = cookies::read(headers, cookie_name(app.settings.secure))?;
    let pairs = text.as_bytes().chunks(2);
    let sealed: Option<Vec<u8>> =
        pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect();
    let plain = app.keys()?.open(&CELL, &sealed?).ok()?;
    let carried: Carried = serde_json::from_slice(&plain).ok()?;
    (app.clock.now() < Moment(carried.until)).then_some(carried)
}

/// GET: to the provider.
pub(super) async fn go(
    State(app): State<App>,
    Extension(desk): OpenId,
    door: Door,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, Failure> {
    let desk = desk.ok_or(Failure::NotFound)?;
    door.may_try()?;
    let by = app.clone();
    let begun = match desk.ask(move |provider| provider.begin(&*by.ids, by.clock.now())).await? {
        Ok(begun) => begun,
        Err(refusal) => return refused(&app, &headers, &uri, refusal, String::new()),
    };
    let Attempt { state, nonce, verifier } = begun.attempt;
    let until = app.clock.now().plus_seconds(i64::from(AWAY_SECONDS)).0;
    let carried = Carried { state, nonce, verifier, next: wanted(&uri).unwrap_or_default(), until };
    let mut response = StatusCode::SEE_OTHER.into_response();
    response.headers_mut().insert(LOCATION, HeaderValue::from_str(&begun.address)?);
    let secure = app.settings.secure;
    let cookie = cookies::hidden(cookie_name(secure), &seal(&app, &carried)?, AWAY_SECONDS, secure);
    response.headers_mut().append(SET_COOKIE, cookie);
    Ok(response)
}

impl OpenIdDesk {
    /// Asks the provider, off the async threads; a provider that fails is logged and said in words.
    async fn ask<T: Send + 'static>(
        self: &Arc<Self>,
        ask: impl FnOnce(&Provider) -> Result<T, OpenIdError> + Send + 'static,
    ) -> Result<Result<T, Refusal>, Failure> {
        let Ok(_turn) = self.at_once.try_acquire() else {
            return Ok(Err(Refusal::new("access.sign_in.busy")));
        };
        let provider = Arc::clone(&self.provider);
        let answer = tokio::task::spawn_blocking(move || ask(&provider)).await?;
        Ok(answer.map_err(|error| {
            tracing::warn!(%error, "nobody was signed in by the identity provider");
            Refusal::new(match error {
                OpenIdError::NoAnswer | OpenIdError::Misconfigured => "server.openid.no_answer",
                _ => "server.openid.not_believed",
            })
        }))
    }
}

#[derive(Template)]
#[template(path = "office_openid.html")]
struct RefusedPage {
    page: Page,
    text: String,
    /// What the provider calls somebody who has no account here; to be told to the administrator.
    subject: String,
}

fn refused(
    app: &App,
    headers: &HeaderMap,
    uri: &Uri,
    refusal: Refusal,
    subject: String,
) -> Result<Response, Failure> {
    // Of the address only the path: the code in it is nobody's business.
    let path: Uri = uri.path().parse()?;
    let page = Page::of_request(&app.words, headers, &path).titled("server.openid");
    let text = page.refusal(&refusal);
    show_refused(&RefusedPage { page, text, subject })
}

/// GET: back from the provider, with a code.
pub(super) async fn come_back(
    Extension(desk): OpenId,
    door: Door,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, Failure> {
    let desk = desk.ok_or(Failure::NotFound)?;
    door.may_try()?;
    let app = door.app("GET /sign-in/openid/back");
    let mut response = match identify(&app, &desk, &headers, &uri).await? {
        Ok((identity, next)) => enter(&app, &desk, &door, &headers, &uri, identity, &next).await?,
        Err(refusal) => {
            door.note_wrong();
            refused(&app, &headers, &uri, refusal, String::new())?
        }
    };
    // It served once, however it ended.
    let secure = app.settings.secure;
    response.headers_mut().append(SET_COOKIE, cookies::hidden(cookie_name(secure), "", 0, secure));
    Ok(response)
}

fn value_of(uri: &Uri, wanted: &str) -> String {
    let query = uri.query().unwrap_or_default();
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs
        .find(|(name, _)| *name == wanted)
        .map(|(_, value)| super::sign_in::percent_decoded(value))
        .unwrap_or_default()
}

async fn identify(
    app: &App,
    desk: &Arc<OpenIdDesk>,
    headers: &HeaderMap,
    uri: &Uri,
) -> Result<Result<(Identity, String), Refusal>, Failure> {
    let Some(carried) = open(app, headers) else {
        return Ok(Err(Refusal::new("server.openid.not_begun")));
    };
    let Carried { state, nonce, verifier, next, .. } = carried;
    let attempt = Attempt { state, nonce, verifier };
    let (state, code, now) = (value_of(uri, "state"), value_of(uri, "code"), app.clock.now());
    let identity = desk.ask(move |provider| provider.finish(&attempt, &state, &code, now)).await?;
    Ok(identity.map(|identity| (identity, next)))
}

async fn enter(
    app: &App,
    desk: &OpenIdDesk,
    door: &Door,
    headers: &HeaderMap,
    uri: &Uri,
    identity: Identity,
    next: &str,
) -> Result<Response, Failure> {
    let sign_in_name = desk.claim.as_deref().and_then(|claim| identity.claim(claim)).map(str::to_owned);
    let (issuer, subject) = (identity.issuer, identity.subject);
    let proven = ProvenIdentity {
        issuer,
        subject: subject.clone(),
        sign_in_name,
        method: desk.method,
        from: door.origin(),
    };
    let (by, now) = (app.clone(), app.clock.now());
    let write =
        move |tx: &mut kangmai_database::Transaction<'_>| sign_in_by_identity(tx, &*by.ids, now, &proven);
    match app.database.write(write).await? {
        Ok(token) => {
            end_former(app, headers).await?;
            Ok(go_on(app, next, &token))
        }
        Err(refusal) => refused(app, headers, uri, refusal, subject),
    }
}
