//! What a handler answers when there is no page to show, and how a template becomes a response.

use std::error::Error;
use std::sync::Arc;

use askama::Template;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, HeaderValue, LOCATION, RETRY_AFTER};
use axum::response::{IntoResponse, Response};
use kangmai_base::Refusal;

use crate::page::local_path;

/// Why there is no page. Becomes an error page in the reader's language, with a help code; see `manners`.
///
/// Every other error becomes [`Failure::Internal`] by `?`; a [`Refusal`] becomes [`Failure::Refused`].
#[derive(Debug)]
pub enum Failure {
    /// There is no such thing, or the reader may not know of it.
    NotFound,
    /// The reader may not. Shown as not found: that something is there is itself a secret.
    Forbidden,
    /// A rule says no, and there is no form to show it at.
    Refused(Refusal),
    /// The form carries no token of this session, or comes from elsewhere.
    Expired,
    /// The body is larger than its limit.
    TooLarge,
    /// The body cannot be read as a form.
    Malformed,
    /// Too often; it may be tried again after so many seconds.
    TooMany(i64),
    /// The body came in too slowly, or not to its end.
    TooSlow,
    /// More is under way than the server takes at once; nothing was done, and it may be tried again after so many seconds.
    Busy(i64),
    /// The answer did not begin in time; what became of the request is not known.
    TookTooLong,
    /// A fault of the program or of what it stands on. Its chain is logged once, never shown.
    Internal(Box<dyn Error + Send + Sync>),
}

impl Failure {
    /// A fault that is no `std::error::Error` of its own: a text, an `anyhow::Error`.
    pub fn internal(error: impl Into<Box<dyn Error + Send + Sync>>) -> Failure {
        Failure::Internal(error.into())
    }

    /// The status of the answer.
    pub const fn status(&self) -> StatusCode {
        match self {
            Failure::NotFound | Failure::Forbidden => StatusCode::NOT_FOUND,
            Failure::Refused(_) | Failure::Expired => StatusCode::UNPROCESSABLE_ENTITY,
            Failure::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Failure::Malformed => StatusCode::BAD_REQUEST,
            Failure::TooMany(_) => StatusCode::TOO_MANY_REQUESTS,
            Failure::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Failure::Busy(_) => StatusCode::SERVICE_UNAVAILABLE,
            Failure::TookTooLong => StatusCode::GATEWAY_TIMEOUT,
            Failure::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl<E: Error + Send + Sync + 'static> From<E> for Failure {
    fn from(error: E) -> Failure {
        let error: Box<dyn Error + Send + Sync> = Box::new(error);
        match error.downcast::<Refusal>() {
            Ok(refusal) => Failure::Refused(*refusal),
            // A rule may have said no deep inside, where only other errors are spoken of.
            Err(error) => match error.source().and_then(|source| source.downcast_ref::<Refusal>()) {
                Some(refusal) => Failure::Refused(refusal.clone()),
                None => Failure::Internal(error),
            },
        }
    }
}

/// Carries the failure to the layer that knows the reader's language.
#[derive(Debug, Clone)]
pub(crate) struct FailureNote(pub(crate) Arc<Failure>);

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        if let Failure::TooMany(seconds) | Failure::Busy(seconds) = self {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response.extensions_mut().insert(FailureNote(Arc::new(self)));
        response
    }
}

/// An error and all its causes: `cannot read the pack: no such file`.
pub(crate) fn chain(error: &(dyn Error + 'static)) -> String {
    let mut out = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        out.push_str(": ");
        out.push_str(&error.to_string());
        cause = error.source();
    }
    out
}

/// The page, 200.
pub fn show(template: &impl Template) -> Result<Response, Failure> {
    show_with(StatusCode::OK, template)
}

/// The form again with what is wrong in it, 422.
pub fn show_refused(template: &impl Template) -> Result<Response, Failure> {
    show_with(StatusCode::UNPROCESSABLE_ENTITY, template)
}

fn show_with(status: StatusCode, template: &impl Template) -> Result<Response, Failure> {
    let body = template.render()?;
    let mut response = (status, body).into_response();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    Ok(response)
}

/// A workbook (.xlsx) to be kept as `name`, which is ASCII without quotes; another name is left to the browser.
pub fn workbook(bytes: Vec<u8>, name: &str) -> Response {
    download(bytes, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", name)
}

/// A file of the media type `kind` to be kept as `name`; the same holds for the name.
pub fn download(bytes: Vec<u8>, kind: &'static str, name: &str) -> Response {
    let mut response = bytes.into_response();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    if let Ok(value) = HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")) {
        response.headers_mut().insert(CONTENT_DISPOSITION, value);
    }
    response
}

/// After a POST: to the page `path` of this program, by GET. A path that leads elsewhere leads home.
pub fn go_to(path: &str) -> Response {
    let path = local_path(path).unwrap_or("/");
    let location = HeaderValue::from_str(path).unwrap_or_else(|_| HeaderValue::from_static("/"));
    let mut response = StatusCode::SEE_OTHER.into_response();
    response.headers_mut().insert(LOCATION, location);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_not_a_fault() {
        let failure = Failure::from(Refusal::new("x.no"));
        assert!(matches!(failure, Failure::Refused(refusal) if refusal.key == "x.no"));
        assert!(matches!(Failure::from(std::fmt::Error), Failure::Internal(_)));
    }

    #[test]
    fn goes_nowhere_else() {
        let to = |path| go_to(path).headers()[LOCATION].to_str().unwrap().to_owned();
        assert_eq!(to("/people?x=1"), "/people?x=1");
        assert_eq!(to("//evil.example"), "/");
        assert_eq!(to("https://evil.example"), "/");
    }
}
