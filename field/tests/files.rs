//! The files of the app, looked at without a browser.

#![expect(clippy::expect_used, reason = "a test says what it needs")]

use std::collections::{BTreeMap, BTreeSet};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{Request, StatusCode};
use kangmai_field::{FILES, routes};
use tower::ServiceExt as _;

/// The sources: name and text.
fn sources() -> Vec<(String, String)> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let modules = std::fs::read_dir(folder.join("app")).expect("the modules");
    let mut files: Vec<_> = modules.map(|entry| entry.expect("a file").path()).collect();
    files.extend(["sw.js", "app.css"].map(|name| folder.join(name)));
    let read = files.iter().map(|path| {
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        (name, std::fs::read_to_string(path).expect("a text"))
    });
    read.collect()
}

/// `  key: ["中文", "English"],` of `words.js`.
fn words() -> BTreeMap<String, (String, String)> {
    let all = sources();
    let (_, text) = all.iter().find(|(name, _)| name == "words.js").expect("words.js");
    let lines = text.lines().filter_map(|line| {
        let (key, rest) = line.strip_prefix("  ")?.split_once(": [\"")?;
        let (zh, en) = rest.strip_suffix("\"],")?.split_once("\", \"")?;
        Some((key.to_owned(), (zh.to_owned(), en.to_owned())))
    });
    lines.collect()
}

/// What stands between `say(` or `say(\`` and its end, for each call.
fn said(text: &str, begin: &str, end: char) -> Vec<String> {
    text.match_indices(begin)
        .filter_map(|(at, _)| text[at + begin.len()..].split_once(end))
        .map(|(key, _)| key.to_owned())
        .collect()
}

#[test]
fn every_sentence_is_there_in_both_languages_and_used() {
    let words = words();
    assert!(words.len() > 150, "only {} sentences", words.len());
    let names = |text: &str| -> BTreeSet<String> { said(text, "{", '}').into_iter().collect() };
    for (key, (zh, en)) in &words {
        assert!(!zh.is_empty() && !en.is_empty(), "{key}");
        assert_eq!(names(zh), names(en), "{key} is filled in with other names");
    }
    let all: String =
        sources().into_iter().filter(|(name, _)| name != "words.js").map(|(_, text)| text).collect();
    for key in said(&all, "say(\"", '"') {
        assert!(words.contains_key(&key), "no sentence for {key}");
    }
    let begins: Vec<String> = said(&all, "say(`", '$');
    for begin in &begins {
        assert!(words.keys().any(|key| key.starts_with(begin)), "no sentence begins with {begin}");
    }
    let own = all
        + &sources()
            .into_iter()
            .filter(|(name, _)| name == "words.js")
            .map(|(_, text)| text)
            .collect::<String>();
    for key in words.keys() {
        let is_used =
            own.contains(&format!("\"{key}\"")) || begins.iter().any(|begin| key.starts_with(begin));
        assert!(is_used, "nothing says {key}");
    }
}

#[test]
fn no_line_begins_inside_a_text() {
    for (name, text) in sources() {
        for (number, line) in text.lines().enumerate() {
            assert_eq!(line.matches('`').count() % 2, 0, "{name}:{}: {line}", number + 1);
        }
        assert!(text.lines().count() <= 700, "{name} is too long");
    }
}

#[test]
fn a_text_keeps_what_is_no_comment() {
    let whole: String = FILES.iter().map(|file| String::from_utf8_lossy(&file.plain).into_owned()).collect();
    for kept in ["export const classify", "self.addEventListener(\"fetch\"", "--primary: #0f6b6b", "https://"]
    {
        assert_eq!(whole.contains(kept), kept != "https://", "{kept}");
    }
}

async fn get(router: &Router, path: &str, tag: Option<&str>) -> axum::response::Response {
    let request = Request::builder().uri(path);
    let request = tag.iter().fold(request, |request, tag| request.header(IF_NONE_MATCH, *tag));
    router.clone().oneshot(request.body(Body::empty()).expect("a request")).await.expect("an answer")
}

#[tokio::test]
async fn every_file_is_served_with_its_kind_and_may_load_nothing_from_elsewhere() {
    let router: Router = routes();
    for file in FILES.iter() {
        let path = format!("/field/{}", file.path);
        let answer = get(&router, &path, None).await;
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        let head = |name| {
            answer.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
        };
        assert_eq!(head(CACHE_CONTROL), "no-cache", "{path}");
        let policy = head(CONTENT_SECURITY_POLICY);
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        let kind = match file.path.rsplit('.').next().unwrap_or_default() {
            "js" => "text/javascript; charset=utf-8",
            "css" => "text/css; charset=utf-8",
            "svg" => "image/svg+xml",
            "webmanifest" => "application/manifest+json; charset=utf-8",
            _ => "text/html; charset=utf-8",
        };
        assert_eq!(head(CONTENT_TYPE), kind, "{path}");
        let tag = head(ETAG);
        assert_eq!(to_bytes(answer.into_body(), 1_000_000).await.expect("a body"), file.plain, "{path}");
        assert_eq!(get(&router, &path, Some(&tag)).await.status(), StatusCode::NOT_MODIFIED, "{path}");
    }
    assert_eq!(get(&router, "/field/app/none.js", None).await.status(), StatusCode::NOT_FOUND);
    assert_eq!(get(&router, "/field", None).await.status(), StatusCode::PERMANENT_REDIRECT);
}

#[test]
fn the_service_keeps_every_file_and_the_page_holds_no_script() {
    let find = |path: &str| {
        FILES
            .iter()
            .find(|file| file.path == path)
            .map(|file| String::from_utf8_lossy(&file.plain).into_owned())
            .expect(path)
    };
    let service = find("sw.js");
    for file in FILES.iter().filter(|file| file.path != "sw.js") {
        assert!(service.contains(&format!("\"/field/{}\"", file.path)), "{}", file.path);
    }
    let page = find("");
    assert!(page.contains("modulepreload"), "{page}");
    assert!(!page.contains("style=") && !page.contains("<style") && !page.contains("onclick"), "{page}");
    assert_eq!(page.matches("<script").count(), 1);
}
