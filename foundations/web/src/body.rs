//! The body of a POST, checked before anybody reads it.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;

use crate::csrf;
use crate::failure::Failure;
use crate::field::Field;
use crate::form::Form;

/// A form as sent. An extractor: a handler that has it knows that the form comes from our own page and carries the
/// session's token ([`csrf::ExpectedToken`]).
#[derive(Debug, Clone)]
pub struct FormBody {
    values: Vec<(String, String)>,
}

impl FormBody {
    /// The longest body: a bill of 10,000 lines, pasted into one field, stays below it.
    pub const LIMIT_BYTES: usize = 2 * 1024 * 1024;
    /// The most fields in it.
    pub const LIMIT_FIELDS: usize = 2_000;

    /// As the form of these fields.
    pub fn form(self, fields: &'static [Field]) -> Form {
        Form::typed(fields, self.values)
    }

    /// The first value of `name`; empty if there is none.
    pub fn value(&self, name: &str) -> &str {
        self.values.iter().find(|(candidate, _)| candidate == name).map_or("", |(_, value)| value)
    }

    /// All values of `name`.
    pub fn values<'b>(&'b self, name: &'b str) -> impl Iterator<Item = &'b str> {
        self.values.iter().filter(move |(candidate, _)| candidate == name).map(|(_, value)| value.as_str())
    }

    /// The button that was pressed: `page.second_button(key, value)`; empty for the main button.
    pub fn act(&self) -> &str {
        self.value("act")
    }
}

impl<S: Send + Sync> FromRequest<S> for FormBody {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<FormBody, Failure> {
        if !csrf::is_from_here(request.headers()) {
            return Err(Failure::Expired);
        }
        let is_form = request
            .headers()
            .get(CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .is_some_and(|value| value.starts_with("application/x-www-form-urlencoded"));
        if !is_form {
            return Err(Failure::Malformed);
        }
        let expected = request.extensions().get::<csrf::ExpectedToken>().cloned();
        let bytes = Bytes::from_request(request, state).await.map_err(|rejection| {
            match rejection.into_response().status() {
                StatusCode::PAYLOAD_TOO_LARGE => Failure::TooLarge,
                _ => Failure::Malformed,
            }
        })?;
        if bytes.len() > FormBody::LIMIT_BYTES {
            return Err(Failure::TooLarge);
        }
        let values: Vec<(String, String)> =
            form_urlencoded::parse(&bytes).into_owned().take(FormBody::LIMIT_FIELDS + 1).collect();
        if values.len() > FormBody::LIMIT_FIELDS {
            return Err(Failure::TooLarge);
        }
        let body = FormBody { values };
        match expected {
            Some(csrf::ExpectedToken(token)) if !csrf::is_token(&token, body.value(csrf::FIELD)) => {
                Err(Failure::Expired)
            }
            _ => Ok(body),
        }
    }
}
