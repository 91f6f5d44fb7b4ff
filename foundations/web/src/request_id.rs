//! What a request is named by: in the answer's head, on an error page, in every line of the log.

use std::fmt;

use axum::http::HeaderMap;
use kangmai_base::Uuid;

use crate::interface::REQUEST_ID;

/// The name of a request. A proxy that has named it already keeps its name, if that is a UUID: anything else could carry an
/// identity number into the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(String);

impl RequestId {
    /// The name that came with the request, or a new one.
    pub fn of(headers: &HeaderMap, mint: impl FnOnce() -> Uuid) -> RequestId {
        let given = headers.get(REQUEST_ID).and_then(|value| value.to_str().ok());
        let given = given.and_then(|text| Uuid::try_parse(text).ok());
        RequestId::from(given.unwrap_or_else(mint))
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<Uuid> for RequestId {
    fn from(id: Uuid) -> RequestId {
        RequestId(id.to_string())
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_identifier_is_taken_from_outside() {
        let named = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(REQUEST_ID, text.parse().unwrap());
            RequestId::of(&headers, || Uuid::from_u128(7)).to_string()
        };
        let given = "0193f2a4-7c11-7c8e-9e05-0123456789ab";
        assert_eq!(named(given), given);
        assert_eq!(named(&given.to_uppercase()), given);
        for other in ["110105194912310021", "", "a b"] {
            assert_eq!(named(other), Uuid::from_u128(7).to_string(), "{other}");
        }
    }
}
