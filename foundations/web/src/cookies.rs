//! The cookies, each made in one place.

use axum::http::HeaderMap;
use axum::http::header::{COOKIE, HeaderValue};

/// The session: an opaque random token; what it stands for is on the server.
pub const SESSION: &str = "kangmai_session";
/// The same where the program is reached by https: with this prefix a browser takes it from this host alone, over https
/// alone and for all paths, so that no neighbour under the same domain can plant one.
pub const SECURE_SESSION: &str = "__Host-kangmai_session";
/// `zh` or `en`.
pub const LANGUAGE: &str = "kangmai_language";
/// `0` to `4`.
pub const ELDER: &str = "kangmai_elder";
/// What just happened, for the next page only.
pub const FLASH: &str = "kangmai_flash";

/// A year: how long a preference is kept.
const PREFERENCE_SECONDS: u32 = 31_536_000;
/// How long what just happened waits for the next page.
const FLASH_SECONDS: u32 = 60;
/// The longest value that is read; browsers hold 4,096 bytes with the name.
const LONGEST_BYTES: usize = 3_000;

/// The value of the cookie `name`. The first, if a careless proxy doubled it.
pub fn read<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(candidate, value)| *candidate == name && value.len() <= LONGEST_BYTES)
        .map(|(_, value)| value)
}

/// The name of the session's cookie. `secure`: whether the program is reached by https.
pub const fn session_name(secure: bool) -> &'static str {
    if secure { SECURE_SESSION } else { SESSION }
}

/// `Set-Cookie` for a session that the server ends: no `Max-Age`, so that closing the browser ends it too.
/// `secure`: whether the program is reached by https.
pub fn session(token: &str, secure: bool) -> HeaderValue {
    make(session_name(secure), token, None, secure, true)
}

/// `Set-Cookie` that removes the session.
pub fn end_session(secure: bool) -> HeaderValue {
    make(session_name(secure), "", Some(0), secure, true)
}

/// `Set-Cookie` of something hidden that only this program reads again, under a name of its own, for `seconds`; 0
/// removes it.
pub fn hidden(name: &str, value: &str, seconds: u32, secure: bool) -> HeaderValue {
    make(name, value, Some(seconds), secure, true)
}

/// `Set-Cookie` of a preference: [`LANGUAGE`] or [`ELDER`].
pub fn preference(name: &str, value: &str) -> HeaderValue {
    make(name, value, Some(PREFERENCE_SECONDS), false, false)
}

/// `Set-Cookie` of what just happened; see [`crate::Flash`].
pub(crate) fn flash(value: &str) -> HeaderValue {
    make(FLASH, value, Some(FLASH_SECONDS), false, true)
}

/// `Set-Cookie` that removes what just happened, once shown.
pub(crate) fn end_flash() -> HeaderValue {
    make(FLASH, "", Some(0), false, true)
}

fn make(name: &str, value: &str, seconds: Option<u32>, secure: bool, hidden: bool) -> HeaderValue {
    let mut text = format!("{name}={value}; Path=/; SameSite=Lax");
    if let Some(seconds) = seconds {
        text.push_str(&format!("; Max-Age={seconds}"));
    }
    if hidden {
        text.push_str("; HttpOnly");
    }
    if secure {
        text.push_str("; Secure");
    }
    // A value that is no header text (we make none) is left out rather than sent broken.
    HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_hidden_from_scripts_and_other_sites() {
        assert_eq!(
            session("abc", true),
            "__Host-kangmai_session=abc; Path=/; SameSite=Lax; HttpOnly; Secure"
        );
        assert_eq!(session("abc", false), "kangmai_session=abc; Path=/; SameSite=Lax; HttpOnly");
        assert_eq!(end_session(false), "kangmai_session=; Path=/; SameSite=Lax; Max-Age=0; HttpOnly");
        assert_eq!(preference(LANGUAGE, "en"), "kangmai_language=en; Path=/; SameSite=Lax; Max-Age=31536000");
    }

    #[test]
    fn reads_one_of_many() {
        let mut headers = HeaderMap::new();
        headers.append(COOKIE, "a=1; kangmai_session=t=1".parse().unwrap());
        headers.append(COOKIE, "kangmai_elder=2".parse().unwrap());
        assert_eq!(read(&headers, SESSION), Some("t=1"));
        assert_eq!(read(&headers, ELDER), Some("2"));
        assert_eq!(read(&headers, FLASH), None);
    }
}
