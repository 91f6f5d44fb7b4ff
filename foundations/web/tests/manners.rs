//! What every answer of the server does, asked from outside.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::io::Read;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use axum::routing::{get, post};
use kangmai_base::{FixedClock, Ids, Moment, Refusal, SeededIds};
use kangmai_web::{
    Answered, Failure, FormBody, Manners, SCRIPT, STYLE, Upload, UploadRoom, Words, csrf, with_manners,
};
use tower::ServiceExt;

/// A folder of one test, removed with it.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("kangmai-web-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    fn files(&self) -> usize {
        std::fs::read_dir(&self.0).unwrap().count()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

async fn broken() -> Result<Response, Failure> {
    std::fs::read("/nowhere/at/all")?;
    Err(Failure::NotFound)
}

fn app(seen: Arc<Mutex<Vec<Answered>>>) -> Router {
    let router = Router::new()
        .merge(kangmai_web::routes())
        .route("/broken", get(broken))
        .route(
            "/panic",
            get(|| async {
                if true {
                    panic!("on purpose")
                }
            }),
        )
        .route("/forbidden/{id}", get(|| async { Failure::Forbidden }))
        .route(
            "/refused",
            get(|| async { Failure::from(Refusal::new("web.form.missing").with("field", "甲<乙>")) }),
        )
        .route("/form", post(|body: FormBody| async move { body.value("x").to_owned() }))
        .route(
            "/long",
            get(|| async {
                ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], "<p>康脉</p>".repeat(1_000))
            }),
        );
    with_manners(
        router,
        Manners {
            words: Arc::new(Words::load(&[kangmai_web::WORDS]).unwrap()),
            ids: Arc::new(SeededIds::new(3)),
            clock: Arc::new(FixedClock::at(Moment(0))),
            secure: true,
            observe: Some(Arc::new(move |answered| seen.lock().unwrap().push(answered.clone()))),
        },
    )
}

async fn ask(request: Request) -> (StatusCode, HeaderMap, Vec<u8>) {
    let response = app(Arc::default()).oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    (parts.status, parts.headers, to_bytes(body, 1 << 22).await.unwrap().to_vec())
}

fn browser(path: &str) -> Request {
    Request::get(path).header(header::ACCEPT, "text/html,*/*;q=0.8").body(Body::empty()).unwrap()
}

#[tokio::test]
async fn an_error_is_a_page_with_a_help_code() {
    for (path, status, title) in [
        ("/nothing", StatusCode::NOT_FOUND, "没有找到"),
        ("/forbidden/7", StatusCode::NOT_FOUND, "没有找到"),
        ("/refused", StatusCode::UNPROCESSABLE_ENTITY, "请填写甲&#60;乙&#62;"),
        ("/broken", StatusCode::INTERNAL_SERVER_ERROR, "系统出了问题"),
        ("/panic", StatusCode::INTERNAL_SERVER_ERROR, "系统出了问题"),
        ("/form", StatusCode::METHOD_NOT_ALLOWED, "没有找到"),
    ] {
        let (found, headers, body) = ask(browser(path)).await;
        let text = String::from_utf8(body).unwrap();
        assert_eq!(found, status, "{path}");
        assert!(text.contains(title), "{path}: {text}");
        let code = text.split("help-code\">").nth(1).unwrap().get(..4).unwrap();
        assert!(code.bytes().all(|byte| byte.is_ascii_digit()), "{path}: {code}");
        assert!(!text.contains("nowhere") && !text.contains("on purpose"), "{path}");
        assert_eq!(headers[header::CACHE_CONTROL], "no-store");
    }
}

#[tokio::test]
async fn an_error_is_json_for_a_program() {
    let request =
        Request::get("/broken").header(header::ACCEPT, "application/json").body(Body::empty()).unwrap();
    let (status, headers, body) = ask(request).await;
    assert_eq!(
        (status, &headers[header::CONTENT_TYPE]),
        (StatusCode::INTERNAL_SERVER_ERROR, &"application/json".parse().unwrap())
    );
    assert!(String::from_utf8(body).unwrap().starts_with("{\"error\":\"fault\",\"help_code\":\""));
}

#[tokio::test]
async fn every_answer_carries_the_headers() {
    for path in ["/long", "/nothing", STYLE.path()] {
        let (_, headers, _) = ask(browser(path)).await;
        let csp = headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(csp.contains("default-src 'self'") && csp.contains("frame-ancestors 'none'"), "{csp}");
        assert!(!csp.contains("unsafe"), "{csp}");
        assert_eq!(headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
        assert_eq!(headers[header::REFERRER_POLICY], "same-origin");
        assert_eq!(headers[header::STRICT_TRANSPORT_SECURITY], "max-age=31536000");
    }
}

#[tokio::test]
async fn long_answers_and_assets_are_compressed() {
    for (path, cache) in [
        ("/long", "no-store"),
        (STYLE.path(), "public, max-age=31536000, immutable"),
        (SCRIPT.path(), "public, max-age=31536000, immutable"),
    ] {
        let (_, _, plain) = ask(browser(path)).await;
        let mut request = browser(path);
        request.headers_mut().insert(header::ACCEPT_ENCODING, "gzip, br".parse().unwrap());
        let (status, headers, zipped) = ask(request).await;
        assert_eq!(status, StatusCode::OK);
        assert_eq!(
            (&headers[header::CONTENT_ENCODING], headers[header::CACHE_CONTROL].to_str().unwrap()),
            (&"gzip".parse().unwrap(), cache)
        );
        let mut unzipped = Vec::new();
        flate2::read::GzDecoder::new(zipped.as_slice()).read_to_end(&mut unzipped).unwrap();
        assert_eq!(unzipped, plain, "{path}");
        assert!(zipped.len() * 2 < plain.len());
    }
    let (status, ..) = ask(browser("/assets/kangmai.0000000000000000.css")).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn preferences_are_kept_and_lead_back_here_only() {
    for (back, expected) in [("%2Fpeople%3Fpage%3D2", "/people?page=2"), ("https%3A%2F%2Fevil.example", "/")]
    {
        let request = Request::post("/preferences")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(format!("language=en&elder=3&back={back}")))
            .unwrap();
        let (status, headers, _) = ask(request).await;
        assert_eq!((status, headers[header::LOCATION].to_str().unwrap()), (StatusCode::SEE_OTHER, expected));
        let cookies: Vec<&str> =
            headers.get_all(header::SET_COOKIE).iter().map(|value| value.to_str().unwrap()).collect();
        assert!(cookies[0].starts_with("kangmai_language=en;") && cookies[1].starts_with("kangmai_elder=3;"));
    }
}

#[tokio::test]
async fn a_body_has_a_limit() {
    let send = |bytes: usize| {
        Request::post("/form")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(format!("x={}", "a".repeat(bytes))))
            .unwrap()
    };
    assert_eq!(ask(send(1_000)).await.0, StatusCode::OK);
    assert_eq!(ask(send(FormBody::LIMIT_BYTES)).await.0, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn what_is_observed_holds_no_path() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    app(Arc::clone(&seen)).oneshot(browser("/forbidden/110105?name=王")).await.unwrap();
    app(Arc::clone(&seen)).oneshot(browser("/people/王")).await.unwrap();
    let routes: BTreeMap<String, u16> = seen
        .lock()
        .unwrap()
        .iter()
        .map(|answered| (answered.route.clone(), answered.status.as_u16()))
        .collect();
    assert_eq!(routes, BTreeMap::from([("/forbidden/{id}".to_owned(), 404), ("unmatched".to_owned(), 404)]));
}

fn multipart(token: &str, file: &str) -> Request {
    let body = format!(
        "--b\r\nContent-Disposition: form-data; name=\"csrf\"\r\n\r\n{token}\r\n\
         --b\r\nContent-Disposition: form-data; name=\"sheet\"; filename=\"名册.csv\"\r\nContent-Type: text/csv\r\n\r\n{file}\r\n--b--\r\n"
    );
    let mut request = Request::post("/import")
        .header(header::CONTENT_TYPE, "multipart/form-data; boundary=b")
        .body(Body::from(body))
        .unwrap();
    request.extensions_mut().insert(csrf::ExpectedToken("t".to_owned()));
    request
}

#[tokio::test]
async fn a_file_goes_to_disk_and_away_again() {
    let folder = Folder::new("upload");
    let ids = SeededIds::new(1);
    let room = UploadRoom { folder: &folder.0, limit_bytes: 10, ids: &ids as &dyn Ids, now: Moment(0) };
    let upload = Upload::read(multipart("t", "0123456789"), room).await.unwrap();
    let file = upload.file("sheet").unwrap();
    assert_eq!((file.file_name.as_str(), file.bytes), ("名册.csv", 10));
    assert_eq!(std::fs::read(file.path()).unwrap(), b"0123456789");
    assert_eq!(folder.files(), 1);
    drop(upload);
    assert_eq!(folder.files(), 0);
    let too_large = Upload::read(multipart("t", "0123456789a"), room).await;
    assert!(matches!(too_large, Err(Failure::TooLarge)));
    let expired = Upload::read(multipart("other", "0"), room).await;
    assert!(matches!(expired, Err(Failure::Expired)));
    let empty = Upload::read(multipart("t", ""), room).await.unwrap();
    assert!(empty.file("sheet").is_none());
    assert_eq!(folder.files(), 0);
}
