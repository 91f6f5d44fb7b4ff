//! Language and elder mode: two cookies that anybody may set, and that hold nothing about a person.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::header::{ACCEPT_LANGUAGE, SET_COOKIE};
use axum::http::request::Parts;
use axum::response::Response;

use crate::body::FormBody;
use crate::cookies;
use crate::failure::go_to;
use crate::words::Language;

/// How the reader wants pages. An extractor that cannot fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Preferences {
    /// The cookie's language; without one English for a browser that asks for English first; else Chinese.
    pub language: Language,
    /// 0: not elder mode. 1 to 4: 18, 22, 26, 30 px.
    pub text_step: u8,
}

impl Preferences {
    /// The largest text of elder mode.
    pub const LARGEST_TEXT_STEP: u8 = 4;

    /// From `Accept-Language` alone: an interface has no cookies.
    pub fn of_interface(headers: &HeaderMap) -> Preferences {
        let mut bare = HeaderMap::new();
        if let Some(asked) = headers.get(ACCEPT_LANGUAGE) {
            bare.insert(ACCEPT_LANGUAGE, asked.clone());
        }
        Preferences::read(&bare)
    }

    /// From the request's cookies and `Accept-Language`.
    pub fn read(headers: &HeaderMap) -> Preferences {
        let asked = headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let fallback = if asked.to_ascii_lowercase().starts_with("en") { Language::En } else { Language::Zh };
        let language = cookies::read(headers, cookies::LANGUAGE).and_then(Language::from_code);
        let text_step =
            cookies::read(headers, cookies::ELDER).and_then(|step| step.parse().ok()).unwrap_or(0);
        Preferences {
            language: language.unwrap_or(fallback),
            text_step: if text_step <= Preferences::LARGEST_TEXT_STEP { text_step } else { 0 },
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Preferences {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Preferences, Infallible> {
        Ok(Preferences::read(&parts.headers))
    }
}

/// POST `/preferences`: `language` and `elder` into cookies, then `back`.
pub(crate) async fn keep(body: FormBody) -> Response {
    let mut response = go_to(body.value("back"));
    let headers = response.headers_mut();
    if let Some(language) = Language::from_code(body.value("language")) {
        headers.append(SET_COOKIE, cookies::preference(cookies::LANGUAGE, language.code()));
    }
    match body.value("elder").parse::<u8>() {
        Ok(step) if step <= Preferences::LARGEST_TEXT_STEP => {
            headers.append(SET_COOKIE, cookies::preference(cookies::ELDER, &step.to_string()));
        }
        _ => {}
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chinese_first() {
        let check = |cookie: &str, asked: &str, language, text_step| {
            let mut headers = HeaderMap::new();
            headers.insert("cookie", cookie.parse().unwrap());
            headers.insert(ACCEPT_LANGUAGE, asked.parse().unwrap());
            assert_eq!(Preferences::read(&headers), Preferences { language, text_step }, "{cookie} {asked}");
        };
        check("", "", Language::Zh, 0);
        check("", "zh-CN,zh;q=0.9,en;q=0.8", Language::Zh, 0);
        check("", "en-GB,en;q=0.9,zh;q=0.1", Language::En, 0);
        check("kangmai_language=zh; kangmai_elder=4", "en", Language::Zh, 4);
        check("a=b; kangmai_language=en; kangmai_elder=5", "zh", Language::En, 0);
        check("kangmai_language=xx; kangmai_elder=x", "", Language::Zh, 0);
    }
}
