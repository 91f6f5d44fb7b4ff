//! What an interface answers when it cannot do as it was asked: one shape for every reason, in the reader's language.

use std::error::Error;
use std::sync::Arc;

use axum::Json;
use axum::http::header::{CONTENT_TYPE, HeaderName, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use kangmai_base::Refusal;
use serde::Serialize;

use crate::failure::{Failure, FailureNote, chain};
use crate::words::{Language, Words};

/// The header that names a request: in every answer of an interface, and in the log.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Something that is wrong with a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What, and how to mend it.
    pub refusal: Refusal,
    /// Where: `person.id_number`, `bills[3].total`. None: the refusal's own field.
    pub field: Option<String>,
    /// Key of what the sending system does next; none: what fits the status.
    pub mend: Option<&'static str>,
}

impl Problem {
    /// With what fits the status as its mend.
    pub const fn new(refusal: Refusal) -> Problem {
        Problem { refusal, field: None, mend: None }
    }

    /// At a field.
    #[must_use]
    pub fn at(mut self, field: impl Into<String>) -> Problem {
        self.field = Some(field.into());
        self
    }

    /// With a mend of its own.
    #[must_use]
    pub const fn mending(mut self, key: &'static str) -> Problem {
        self.mend = Some(key);
        self
    }
}

/// Why an interface did not do as it was asked.
///
/// Every other error becomes a fault of the program by `?`; a [`Refusal`] becomes a 422.
#[derive(Debug)]
pub struct ApiFailure {
    status: StatusCode,
    problems: Vec<Problem>,
    retry_after_seconds: Option<i64>,
    /// The fault behind it. Logged once, never shown.
    cause: Option<Box<dyn Error + Send + Sync>>,
}

impl ApiFailure {
    /// With one problem.
    pub fn new(status: StatusCode, problem: Problem) -> ApiFailure {
        ApiFailure { status, problems: vec![problem], retry_after_seconds: None, cause: None }
    }

    /// All that is wrong with a request, at once: 422.
    pub fn all(problems: Vec<Problem>) -> ApiFailure {
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        ApiFailure { status, problems, retry_after_seconds: None, cause: None }
    }

    /// There is no such thing, or the sender may not know of it.
    pub fn not_found() -> ApiFailure {
        ApiFailure::new(StatusCode::NOT_FOUND, Problem::new(Refusal::new("web.api.not_found")))
    }

    /// To be sent again after so many seconds.
    #[must_use]
    pub fn after(mut self, seconds: i64) -> ApiFailure {
        self.retry_after_seconds = Some(seconds);
        self
    }
}

impl<E: Error + Send + Sync + 'static> From<E> for ApiFailure {
    fn from(error: E) -> ApiFailure {
        Failure::from(error).into()
    }
}

impl From<Failure> for ApiFailure {
    fn from(failure: Failure) -> ApiFailure {
        let status = failure.status();
        let (refusal, cause) = match failure {
            Failure::Refused(refusal) => (refusal, None),
            Failure::Internal(error) => (plain_refusal(status), Some(error)),
            _ => (plain_refusal(status), None),
        };
        ApiFailure { cause, ..ApiFailure::new(status, Problem::new(refusal)) }
    }
}

/// Carries the failure to [`say_in_json`].
#[derive(Debug, Clone)]
struct ApiNote(Arc<ApiFailure>);

impl IntoResponse for ApiFailure {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        if self.status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(seconds) = self.retry_after_seconds {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response.extensions_mut().insert(ApiNote(Arc::new(self)));
        response
    }
}

/// An error as an interface says it.
#[derive(Serialize)]
struct Said<'a> {
    code: String,
    message: String,
    field: Option<&'a str>,
    mend: String,
}

#[derive(Serialize)]
struct Body<'a> {
    #[serde(flatten)]
    first: &'a Said<'a>,
    request_id: &'a str,
    errors: &'a [Said<'a>],
}

/// Writes an answer that is an error as JSON, in one shape for all: what is wrong first, then everything. Logs a fault once.
/// Answers that succeeded and those that are JSON already stay as they are.
pub fn say_in_json(response: Response, words: &Words, language: Language, request_id: &str) -> Response {
    let status = response.status();
    if !status.is_client_error() && !status.is_server_error() {
        return with_request_id(response, request_id);
    }
    let note = response.extensions().get::<ApiNote>().cloned();
    let failure = response.extensions().get::<FailureNote>().cloned();
    let plain = [Problem::new(plain_refusal(status))];
    let from_page = failure.as_ref().and_then(|note| match note.0.as_ref() {
        Failure::Refused(refusal) => Some([Problem::new(refusal.clone())]),
        _ => None,
    });
    let problems: &[Problem] = match (&note, &from_page) {
        (Some(note), _) => &note.0.problems,
        (None, Some(problems)) => problems,
        (None, None) => &plain,
    };
    log(note.as_ref(), failure.as_ref(), status, problems, request_id);
    let errors: Vec<Said<'_>> =
        problems.iter().map(|problem| say(problem, status, words, language)).collect();
    let Some(first) = errors.first() else { return with_request_id(response, request_id) };
    let body = Json(Body { first, request_id, errors: &errors });
    let mut said = (status, body).into_response();
    for (name, value) in response.headers() {
        if name != CONTENT_TYPE && name != axum::http::header::CONTENT_LENGTH {
            said.headers_mut().append(name, value.clone());
        }
    }
    with_request_id(said, request_id)
}

fn with_request_id(mut response: Response, request_id: &str) -> Response {
    if let Ok(value) = HeaderValue::from_str(request_id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}

fn say<'p>(problem: &'p Problem, status: StatusCode, words: &Words, language: Language) -> Said<'p> {
    let field = problem.field.as_deref().or(problem.refusal.field);
    let mend = problem.mend.map_or_else(|| format!("web.api.mend.{}", kind_of(status)), str::to_owned);
    Said {
        code: code_of(problem.refusal.key),
        message: words.refusal(language, &problem.refusal, field.unwrap_or_default()),
        field,
        mend: words.word(language, &mend).into_owned(),
    }
}

/// The code of a sentence: its key without the crate and the kind of key: `year_closed`, `missing`.
fn code_of(key: &str) -> String {
    let rest = key.split_once('.').map_or(key, |(_, rest)| rest);
    let rest = ["refused.", "api.", "form.", "flaw."]
        .iter()
        .find_map(|kind| rest.strip_prefix(kind))
        .unwrap_or(rest);
    rest.replace('.', "_")
}

/// The kind of a status, in keys.
fn kind_of(status: StatusCode) -> &'static str {
    match status {
        StatusCode::UNAUTHORIZED => "unauthorized",
        StatusCode::NOT_FOUND | StatusCode::FORBIDDEN | StatusCode::METHOD_NOT_ALLOWED => "not_found",
        StatusCode::PAYLOAD_TOO_LARGE => "too_large",
        StatusCode::TOO_MANY_REQUESTS => "too_many",
        StatusCode::REQUEST_TIMEOUT => "too_slow",
        StatusCode::SERVICE_UNAVAILABLE => "busy",
        StatusCode::GATEWAY_TIMEOUT => "took_too_long",
        StatusCode::CONFLICT => "conflict",
        StatusCode::UNPROCESSABLE_ENTITY => "refused",
        status if status.is_server_error() => "fault",
        _ => "malformed",
    }
}

/// What to say of a status that comes without a reason.
fn plain_refusal(status: StatusCode) -> Refusal {
    Refusal::new(match kind_of(status) {
        "unauthorized" => "web.api.unauthorized",
        "not_found" => "web.api.not_found",
        "too_large" => "web.api.too_large",
        "too_many" => "web.api.too_often",
        "too_slow" => "web.api.too_slow",
        "busy" => "web.api.busy",
        "took_too_long" => "web.api.took_too_long",
        "fault" => "web.api.fault",
        _ => "web.api.malformed",
    })
}

fn log(
    note: Option<&ApiNote>,
    failure: Option<&FailureNote>,
    status: StatusCode,
    problems: &[Problem],
    request_id: &str,
) {
    let of_page = failure.and_then(|note| match note.0.as_ref() {
        Failure::Internal(error) => Some(error),
        _ => None,
    });
    let cause = note.and_then(|note| note.0.cause.as_ref()).or(of_page);
    let status = status.as_u16();
    if let Some(cause) = cause {
        tracing::error!(request_id, status, error = chain(cause.as_ref()), "a request failed");
    } else {
        // The keys only: what fills them in may be about a person.
        let reasons: Vec<&str> = problems.iter().map(|problem| problem.refusal.key).collect();
        tracing::info!(request_id, status, ?reasons, "a request was refused");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_the_key_without_its_crate() {
        for (key, code) in [
            ("settlement.refused.year_closed", "year_closed"),
            ("web.api.missing", "missing"),
            ("web.form.not_a_day", "not_a_day"),
            ("settlement.flaw.taken_back", "taken_back"),
            ("access.client.not_found", "client_not_found"),
            ("alone", "alone"),
        ] {
            assert_eq!(code_of(key), code);
        }
    }

    fn said(response: Response) -> (StatusCode, serde_json::Value, String) {
        let words = Words::load(&[crate::WORDS]).unwrap();
        let said = say_in_json(response, &words, Language::En, "r-1");
        let status = said.status();
        let id = said.headers()[REQUEST_ID].to_str().unwrap().to_owned();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let bytes = runtime.block_on(axum::body::to_bytes(said.into_body(), 1 << 20)).unwrap();
        assert_eq!(words.missing(), Vec::<String>::new());
        (status, serde_json::from_slice(&bytes).unwrap_or_default(), id)
    }

    #[test]
    fn every_reason_has_one_shape() {
        let two = ApiFailure::all(vec![
            Problem::new(Refusal::new("web.api.missing")).at("person.id_number"),
            Problem::new(Refusal::new("web.form.not_a_day").at("discharge")),
        ]);
        let (status, body, id) = said(two.into_response());
        assert_eq!((status, id.as_str()), (StatusCode::UNPROCESSABLE_ENTITY, "r-1"));
        assert_eq!(body["code"], "missing");
        assert_eq!(body["field"], "person.id_number");
        assert_eq!(body["request_id"], "r-1");
        assert_eq!(body["errors"].as_array().unwrap().len(), 2);
        assert_eq!(body["errors"][1]["field"], "discharge");
        for (response, status, code) in [
            (ApiFailure::not_found().into_response(), 404, "not_found"),
            (Failure::Forbidden.into_response(), 404, "not_found"),
            (Failure::Refused(Refusal::new("web.form.choose")).into_response(), 422, "choose"),
            (ApiFailure::from(std::fmt::Error).into_response(), 500, "fault"),
            (StatusCode::PAYLOAD_TOO_LARGE.into_response(), 413, "too_large"),
            (StatusCode::METHOD_NOT_ALLOWED.into_response(), 405, "not_found"),
            (StatusCode::UNSUPPORTED_MEDIA_TYPE.into_response(), 415, "malformed"),
        ] {
            let (found, body, _) = said(response);
            assert_eq!((found.as_u16(), body["code"].as_str()), (status, Some(code)));
            for part in ["message", "mend"] {
                assert!(body[part].as_str().is_some_and(|text| !text.is_empty()), "{part} of {code}");
            }
        }
    }

    #[test]
    fn a_sender_is_told_when_to_come_again() {
        let problem = Problem::new(Refusal::new("web.api.too_many"));
        let response = ApiFailure::new(StatusCode::TOO_MANY_REQUESTS, problem).after(7).into_response();
        let words = Words::load(&[crate::WORDS]).unwrap();
        let said = say_in_json(response, &words, Language::Zh, "r");
        assert_eq!(said.headers()[RETRY_AFTER], "7");
        let response =
            ApiFailure::new(StatusCode::UNAUTHORIZED, Problem::new(Refusal::new("web.api.unauthorized")));
        assert_eq!(response.into_response().headers()[WWW_AUTHENTICATE], "Bearer");
    }
}
