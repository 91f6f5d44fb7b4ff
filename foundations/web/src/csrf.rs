//! That a form comes from our own page: `SameSite=Lax` cookies, `Sec-Fetch-Site` or `Origin`, and the session's token.

use axum::http::HeaderMap;
use axum::http::header::{HOST, ORIGIN};

/// The name of the field that carries the token.
pub const FIELD: &str = "csrf";

/// The token of the session, put into the request's extensions by the session layer. A request without a session
/// has none; then only its origin is checked.
#[derive(Debug, Clone)]
pub struct ExpectedToken(pub String);

/// Whether the request comes from our own page: `Sec-Fetch-Site` is `same-origin` (or `none`: typed by the user); a
/// browser without that header sends `Origin`, which must be our host. A client that sends neither is no browser.
pub fn is_from_here(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = text("sec-fetch-site") {
        return matches!(site, "same-origin" | "none");
    }
    match text(ORIGIN.as_str()) {
        None => true,
        Some(origin) => {
            let host = origin.split_once("://").map_or("", |(_, host)| host);
            !host.is_empty() && text(HOST.as_str()) == Some(host)
        }
    }
}

/// Whether `given` is the token of the session. Takes the same time wherever they differ.
pub fn is_token(expected: &str, given: &str) -> bool {
    !expected.is_empty()
        && expected.len() == given.len()
        && expected.bytes().zip(given.bytes()).fold(0, |difference, (a, b)| difference | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_from_here() {
        let check = |pairs: &[(&'static str, &str)], expected: bool| {
            let mut headers = HeaderMap::new();
            for (name, value) in pairs {
                headers.insert(*name, value.parse().unwrap());
            }
            assert_eq!(is_from_here(&headers), expected, "{pairs:?}");
        };
        check(&[], true);
        check(&[("sec-fetch-site", "same-origin"), ("origin", "https://a.example")], true);
        check(&[("sec-fetch-site", "same-site")], false);
        check(&[("sec-fetch-site", "cross-site"), ("origin", "http://h:1"), ("host", "h:1")], false);
        check(&[("origin", "http://h:1"), ("host", "h:1")], true);
        check(&[("origin", "http://h:2"), ("host", "h:1")], false);
        check(&[("origin", "null"), ("host", "h")], false);
        check(&[("origin", "http://h")], false);
    }

    #[test]
    fn only_the_token() {
        assert!(is_token("abc", "abc"));
        for (expected, given) in [("abc", "abd"), ("abc", "ab"), ("abc", ""), ("", "")] {
            assert!(!is_token(expected, given), "{expected} {given}");
        }
    }
}
