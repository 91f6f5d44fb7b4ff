//! What just happened, carried to the next page by a cookie that lives a minute.

use axum::http::HeaderMap;
use axum::http::header::SET_COOKIE;
use axum::response::Response;

use crate::cookies;
use crate::failure::go_to;
use crate::page::{Notice, local_path};

/// A notice for the next page: `Flash::good(text).undo("/tasks/7/reopen").then_go_to("/tasks")`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flash(Notice);

impl Flash {
    /// The longest notice, in characters: the cookie must fit.
    const LONGEST: usize = 300;

    /// It went well.
    pub fn good(text: impl Into<String>) -> Flash {
        Flash::new("good", text.into())
    }

    /// It went, but look.
    pub fn warning(text: impl Into<String>) -> Flash {
        Flash::new("warning", text.into())
    }

    fn new(tone: &str, text: String) -> Flash {
        let text = text.chars().take(Flash::LONGEST).collect();
        Flash(Notice { tone: tone.to_owned(), text, undo: None })
    }

    /// A POST to `path` takes it back.
    #[must_use]
    pub fn undo(mut self, path: impl Into<String>) -> Flash {
        self.0.undo = Some(path.into());
        self
    }

    /// To the page `path`, which shows it.
    pub fn then_go_to(self, path: &str) -> Response {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("tone", &self.0.tone).append_pair("text", &self.0.text);
        if let Some(undo) = &self.0.undo {
            query.append_pair("undo", undo);
        }
        let mut response = go_to(path);
        response.headers_mut().append(SET_COOKIE, cookies::flash(&query.finish()));
        response
    }

    /// What the last page left.
    pub fn read(headers: &HeaderMap) -> Option<Notice> {
        let mut notice = Notice { tone: "plain".to_owned(), text: String::new(), undo: None };
        for (name, value) in form_urlencoded::parse(cookies::read(headers, cookies::FLASH)?.as_bytes()) {
            match name.as_ref() {
                "tone" if matches!(value.as_ref(), "good" | "warning") => notice.tone = value.into_owned(),
                "text" => notice.text = value.chars().take(Flash::LONGEST).collect(),
                "undo" => notice.undo = local_path(&value).map(str::to_owned),
                _ => {}
            }
        }
        (!notice.text.is_empty()).then_some(notice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reaches_the_next_page() {
        let response = Flash::good("已结案：王秀英; 100%").undo("/tasks/7/reopen").then_go_to("/tasks");
        let cookie = response.headers()[SET_COOKIE].to_str().unwrap();
        let mut headers = HeaderMap::new();
        headers.insert("cookie", cookie.split(';').next().unwrap().parse().unwrap());
        let notice = Flash::read(&headers).unwrap();
        assert_eq!(notice.text, "已结案：王秀英; 100%");
        assert_eq!((notice.tone.as_str(), notice.undo.as_deref()), ("good", Some("/tasks/7/reopen")));
        headers.insert("cookie", "kangmai_flash=text=x&tone=%22evil&undo=//evil".parse().unwrap());
        let notice = Flash::read(&headers).unwrap();
        assert_eq!((notice.tone.as_str(), notice.undo), ("plain", None));
    }
}
