//! What every answer of the server does: error pages in the reader's language, security headers, gzip, one log line.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::body::{Body, HttpBody, to_bytes};
use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::http::header::{
    ACCEPT, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE,
    HeaderMap, HeaderName, HeaderValue, REFERRER_POLICY, SET_COOKIE, STRICT_TRANSPORT_SECURITY, VARY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{Method, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use kangmai_base::{Clock, Ids, Moment};
use tracing::Instrument as _;

use crate::assets;
use crate::body::FormBody;
use crate::cookies;
use crate::failure::{Failure, FailureNote, chain};
use crate::interface::{REQUEST_ID, say_in_json};
use crate::page::Page;
use crate::preferences::Preferences;
use crate::request_id::RequestId;
use crate::words::Words;

/// A request that has been answered; nothing personal in it.
#[derive(Debug, Clone)]
pub struct Answered {
    /// The method.
    pub method: Method,
    /// The route's template, `/people/{id}`; `unmatched` if there was none.
    pub route: String,
    /// The answer's status.
    pub status: StatusCode,
    /// From the request's head to the answer's head, in microseconds.
    pub microseconds: i64,
}

/// Is told of every answer.
pub type Observer = Arc<dyn Fn(&Answered) + Send + Sync>;

/// What [`with_manners`] needs.
#[derive(Clone)]
pub struct Manners {
    /// For error pages.
    pub words: Arc<Words>,
    /// For help codes.
    pub ids: Arc<dyn Ids>,
    /// For the time in the log.
    pub clock: Arc<dyn Clock>,
    /// Whether the program is reached by https.
    pub secure: bool,
    /// Told of every answer; for metrics.
    pub observe: Option<Observer>,
}

/// What a page may load: only from here, no script or style inside of it, in no frame.
const CSP: &str =
    "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
/// What a page may use of the device: nothing. A browser that finds a strange script in a page gives it no camera.
const PERMISSIONS: &str = "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()";
/// Shorter answers are not worth compressing.
const GZIP_LEAST_BYTES: u64 = 1_024;
/// Longer ones are exports, which stream.
const GZIP_MOST_BYTES: u64 = 4 * 1_024 * 1_024;

/// All routes, with manners. The last layer put on, so that it sees every answer, also of unknown paths.
pub fn with_manners(router: Router, manners: Manners) -> Router {
    router
        .layer(DefaultBodyLimit::max(FormBody::LIMIT_BYTES))
        .layer(middleware::from_fn_with_state(manners, answer))
}

async fn answer(State(manners): State<Manners>, mut request: Request, next: Next) -> Response {
    let started = manners.clock.now();
    let request_id = RequestId::of(request.headers(), || manners.ids.mint(started));
    request.extensions_mut().insert(request_id.clone());
    // Whatever is logged on the way says which request it belongs to.
    let span = tracing::info_span!("request", id = request_id.as_str());
    manners.answer_named(request, next, started, &request_id).instrument(span).await
}

impl Manners {
    async fn answer_named(
        &self,
        request: Request,
        next: Next,
        started: Moment,
        request_id: &RequestId,
    ) -> Response {
        let asked = Asked::of(&request, request_id);
        let mut response = match AssertUnwindSafe(next.run(request)).catch_unwind().await {
            Ok(response) => response,
            Err(panic) => Failure::Internal(panic_message(panic.as_ref()).into()).into_response(),
        };
        if response.status().is_client_error() || response.status().is_server_error() {
            response = self.dress(response, &asked);
        }
        self.add_headers(&asked, &mut response);
        let response = if assets::takes_gzip(&asked.headers) { compress(response).await } else { response };
        let answered = Answered {
            method: asked.method,
            route: asked.route,
            status: response.status(),
            microseconds: self.clock.now().0.saturating_sub(started.0),
        };
        tracing::info!(
            method = %answered.method,
            route = answered.route,
            status = answered.status.as_u16(),
            ms = answered.microseconds / 1_000,
            "request"
        );
        if let Some(observe) = &self.observe {
            observe(&answered);
        }
        response
    }
}

/// What must be known of a request once its handler has taken it.
struct Asked {
    method: Method,
    route: String,
    headers: HeaderMap,
    path: String,
    request_id: RequestId,
}

impl Asked {
    fn of(request: &Request, request_id: &RequestId) -> Asked {
        let route = request.extensions().get::<MatchedPath>().map_or("unmatched", MatchedPath::as_str);
        Asked {
            method: request.method().clone(),
            route: route.to_owned(),
            headers: request.headers().clone(),
            path: request.uri().path_and_query().map_or("/", |path| path.as_str()).to_owned(),
            request_id: request_id.clone(),
        }
    }

    /// Whether it was sent to an interface: what goes wrong there has one shape.
    fn is_of_interface(&self) -> bool {
        self.path.starts_with(INTERFACES)
    }
}

/// Where the interfaces stand.
const INTERFACES: &str = "/api/";

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage<'a> {
    page: Page,
    text: String,
    code: &'a str,
    request_id: &'a str,
    fault: bool,
}

impl Manners {
    /// An error as a page (or as JSON for who asks for no page), logged once with its help code.
    fn dress(&self, response: Response, asked: &Asked) -> Response {
        let note = response.extensions().get::<FailureNote>().cloned();
        let status = response.status();
        if note.is_none() && is_finished(&response) {
            return response;
        }
        if asked.is_of_interface() {
            let language = Preferences::of_interface(&asked.headers).language;
            return say_in_json(response, &self.words, language, asked.request_id.as_str());
        }
        let mut random = [0_u8; 2];
        self.ids.fill(&mut random);
        let code = format!("{:04}", u16::from_le_bytes(random) % 10_000);
        let failure = note.as_ref().map(|note| note.0.as_ref());
        log_failure(failure, status, &code, asked);
        let accepted = asked.headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let mut dressed = if accepted.contains("text/html") {
            self.error_page(failure, status, &code, asked)
        } else {
            let kind = kind_of(failure, status);
            let reason = match failure {
                Some(Failure::Refused(refusal)) => format!(",\"reason\":\"{}\"", refusal.key),
                _ => String::new(),
            };
            let body = format!("{{\"error\":\"{kind}\",\"help_code\":\"{code}\"{reason}}}");
            (status, [(CONTENT_TYPE, "application/json")], body).into_response()
        };
        // What an extractor or the router said beside its text: `allow`, `retry-after`.
        for (name, value) in response.headers() {
            if name != CONTENT_TYPE && name != CONTENT_LENGTH {
                dressed.headers_mut().append(name, value.clone());
            }
        }
        dressed
    }

    fn error_page(
        &self,
        failure: Option<&Failure>,
        status: StatusCode,
        code: &str,
        asked: &Asked,
    ) -> Response {
        let kind = kind_of(failure, status);
        let mut page = Page::new(Arc::clone(&self.words), Preferences::read(&asked.headers), &asked.path)
            .titled(&format!("web.error.{kind}"));
        page.lead.clear();
        let text = match failure {
            Some(Failure::Refused(refusal)) => page.refusal(refusal),
            Some(Failure::TooMany(seconds)) => page.say1("web.error.too_many.wait", "seconds", seconds),
            Some(Failure::Busy(seconds)) => page.say1("web.error.busy.wait", "seconds", seconds),
            _ => page.word(&format!("web.error.{kind}.do")).into_owned(),
        };
        let view =
            ErrorPage { page, text, code, request_id: asked.request_id.as_str(), fault: kind == "fault" };
        let mut shown = (status, view.render().unwrap_or_default()).into_response();
        shown.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
        shown
    }

    fn add_headers(&self, asked: &Asked, response: &mut Response) {
        let is_page = is_html(response);
        let shown_once = is_page
            && response.status().is_success()
            && cookies::read(&asked.headers, cookies::FLASH).is_some();
        let headers = response.headers_mut();
        let mut unless_set = |name: HeaderName, value: &'static str| {
            headers.entry(name).or_insert(HeaderValue::from_static(value));
        };
        unless_set(X_CONTENT_TYPE_OPTIONS, "nosniff");
        unless_set(X_FRAME_OPTIONS, "DENY");
        unless_set(REFERRER_POLICY, "same-origin");
        unless_set(CONTENT_SECURITY_POLICY, CSP);
        unless_set(HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
        unless_set(HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
        unless_set(HeaderName::from_static("permissions-policy"), PERMISSIONS);
        unless_set(CACHE_CONTROL, "no-store");
        if self.secure {
            unless_set(STRICT_TRANSPORT_SECURITY, "max-age=31536000");
        }
        if let Ok(id) = HeaderValue::from_str(asked.request_id.as_str()) {
            headers.entry(REQUEST_ID).or_insert(id);
        }
        if shown_once {
            headers.append(SET_COOKIE, cookies::end_flash());
        }
    }
}

/// The word of an error in keys: `web.error.{kind}`.
fn kind_of(failure: Option<&Failure>, status: StatusCode) -> &'static str {
    match (failure, status) {
        (Some(Failure::Expired), _) => "expired",
        (Some(Failure::Refused(_)), _) => "refused",
        (Some(Failure::TookTooLong), _) => "took_too_long",
        (_, StatusCode::REQUEST_TIMEOUT) => "too_slow",
        (_, StatusCode::SERVICE_UNAVAILABLE) => "busy",
        (_, StatusCode::NOT_FOUND | StatusCode::FORBIDDEN | StatusCode::METHOD_NOT_ALLOWED) => "not_found",
        (_, StatusCode::PAYLOAD_TOO_LARGE) => "too_large",
        (_, StatusCode::TOO_MANY_REQUESTS) => "too_many",
        (_, status) if status.is_server_error() => "fault",
        _ => "malformed",
    }
}

/// Whether the handler has written the answer for its reader: a page, or the body of an interface. The one-line
/// texts of the router and of extractors are not.
fn is_finished(response: &Response) -> bool {
    let kind = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    kind.is_some_and(|kind| !kind.starts_with("text/plain"))
}

fn is_html(response: &Response) -> bool {
    let kind = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    kind.is_some_and(|kind| kind.starts_with("text/html"))
}

fn log_failure(failure: Option<&Failure>, status: StatusCode, code: &str, asked: &Asked) {
    let (status, method, route) = (status.as_u16(), &asked.method, &asked.route);
    match failure {
        Some(Failure::Internal(error)) => {
            let chain = chain(error.as_ref());
            tracing::error!(help_code = code, %method, route, status, error = chain, "a request failed");
        }
        Some(Failure::Refused(refusal)) => {
            // The key only: what fills it in may be what a person typed.
            tracing::info!(help_code = code, %method, route, status, reason = refusal.key, "a request was refused");
        }
        Some(Failure::Forbidden) => {
            tracing::warn!(help_code = code, %method, route, status, "a request was forbidden");
        }
        Some(Failure::Busy(_) | Failure::TookTooLong) => {
            tracing::warn!(help_code = code, %method, route, status, "a request was not served");
        }
        _ => tracing::info!(help_code = code, %method, route, status, "a request was not served"),
    }
}

fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text =
        panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("panic: {}", text.unwrap_or("without a message"))
}

async fn compress(response: Response) -> Response {
    let length = response.body().size_hint().exact().unwrap_or(0);
    let kind = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let is_text = kind.starts_with("text/") || kind.contains("json") || kind.contains("xml");
    let worth = (GZIP_LEAST_BYTES..=GZIP_MOST_BYTES).contains(&length) && is_text;
    if !worth || response.headers().contains_key(CONTENT_ENCODING) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    // The body is in memory already: its length is exact.
    let Ok(bytes) = to_bytes(body, GZIP_MOST_BYTES as usize).await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let zipped = assets::gzip(&bytes);
    if zipped.is_empty() {
        return Response::from_parts(parts, Body::from(bytes));
    }
    parts.headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    parts.headers.append(VARY, HeaderValue::from_static("accept-encoding"));
    parts.headers.remove(CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(zipped))
}
