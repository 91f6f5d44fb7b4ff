//! A county with a few people, a hospital's key and somebody at a page, for doors that need one.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode, header};
use kangmai_access::{Actor, Role};
use kangmai_programme::Import;
use kangmai_server::application::router;
use kangmai_server::demo::{Files, Plan, write_county};
use kangmai_server::import::{ImportFailure, Task, run};
use serde_json::Value;
use tower::ServiceExt as _;

use crate::county::{COUNTY, County, HOSPITAL};
use crate::visitor::Visitor;

/// People of the county.
const PEOPLE: u32 = 30;
/// The longest answer that is read.
const LONGEST_ANSWER: usize = 1 << 24;

/// What doors stand at. Made once for each thread.
pub struct Stand {
    /// The county.
    pub county: County,
    /// Its files, as they came in.
    pub files: Files,
    /// A hospital's key.
    pub key: String,
    router: Router,
    runtime: tokio::runtime::Runtime,
    asked: std::cell::Cell<u64>,
}

/// The stand of this thread, made at the first call and kept until the process ends.
pub fn stand() -> &'static Stand {
    thread_local! {
        static STAND: &'static Stand = Box::leak(Box::new(Stand::make()));
    }
    STAND.with(|stand| *stand)
}

impl Stand {
    fn make() -> Stand {
        let county = County::on_sqlite();
        let plan = Plan { people: PEOPLE, bills_each: 1.0, today: county.app.today(), seed: 7 };
        let files = write_county(&plan, &county.files().join("county")).expect("the county's files");
        for (key, path) in [("institutions", &files.institutions), ("register", &files.register)] {
            county.import(key, &format!("{key}.csv"), &std::fs::read(path).expect("a file"));
        }
        Stand::at(county, files)
    }

    /// A stand of its own in a populated county.
    ///
    /// # Panics
    /// When the county cannot be made.
    pub fn populated() -> Stand {
        let county = County::on_sqlite();
        let files = county.populate();
        Stand::at(county, files)
    }

    fn at(county: County, files: Files) -> Stand {
        let (_, key) = county.employ_client("bad-input");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let router = runtime.block_on(async { router(&county.app) });
        Stand { county, files, key, router, runtime, asked: std::cell::Cell::new(0) }
    }

    /// The interfaces that take a body: path, and an example of what they take.
    pub fn operations(&self) -> Vec<(String, Value)> {
        let document = self.ask("GET", "/api/openapi.json", b"").1;
        let document: Value = serde_json::from_slice(&document).expect("JSON");
        let paths = document["paths"].as_object().expect("paths");
        let with_body = paths.iter().filter_map(|(path, methods)| {
            let content = &methods.get("post")?["requestBody"]["content"]["application/json"];
            content.is_object().then(|| (path.clone(), content["example"].clone()))
        });
        with_body.collect()
    }

    /// Sends something to an interface with the hospital's key, under a name of its own; status and body of the answer.
    pub fn ask(&self, method: &str, path: &str, body: &[u8]) -> (StatusCode, Vec<u8>) {
        self.asked.set(self.asked.get() + 1);
        let mut headers = HeaderMap::new();
        let name = format!("bad-{}", self.asked.get()).parse();
        headers.insert("idempotency-key", name.expect("a name"));
        let (status, _, body) = self.ask_named(method, path, &headers, body);
        (status, body)
    }

    /// The same with these heads besides, the name among them.
    ///
    /// # Panics
    /// When it is no request.
    pub fn ask_named(
        &self,
        method: &str,
        path: &str,
        headers: &HeaderMap,
        body: &[u8],
    ) -> (StatusCode, HeaderMap, Vec<u8>) {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, "localhost")
            .header(header::AUTHORIZATION, format!("Bearer {}", self.key))
            .header(header::CONTENT_TYPE, "application/json");
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let request = request.body(Body::from(body.to_vec())).expect("a request");
        let app = self.router.clone();
        self.runtime.block_on(async {
            let (head, body) = app.oneshot(request).await.expect("an answer").into_parts();
            let body = axum::body::to_bytes(body, LONGEST_ANSWER).await.expect("the whole answer");
            (head.status, head.headers, body.to_vec())
        })
    }

    /// Sends something to an interface; whatever it is, the answer is no fault of the program, and what goes wrong has the
    /// one shape.
    ///
    /// # Panics
    /// When it is not so.
    pub fn must_answer(&self, method: &str, path: &str, body: &[u8]) -> StatusCode {
        let (status, answer) = self.ask(method, path, body);
        let says = String::from_utf8_lossy(&answer);
        let sent = String::from_utf8_lossy(body);
        assert!(!status.is_server_error(), "{method} {path} {sent} fails: {says}");
        if status.is_client_error() {
            let answer: Value = serde_json::from_slice(&answer).unwrap_or_default();
            for part in ["code", "message", "mend", "request_id"] {
                let is_there = answer[part].as_str().is_some_and(|text| !text.is_empty());
                assert!(is_there, "{method} {path} {sent} answers {status} without {part}: {says}");
            }
            assert!(answer["errors"].as_array().is_some_and(|errors| !errors.is_empty()), "{says}");
        }
        status
    }

    /// A file of the kind `import` in a dry run, with its error sheet. No damage to it is a fault of the database.
    ///
    /// # Panics
    /// When it is.
    pub fn try_file(&self, import: &'static Import, bytes: &[u8]) {
        let path = self.county.files().join("bad-input");
        std::fs::write(&path, bytes).expect("a file");
        let sheet = self.county.files().join("bad-input.xlsx");
        let task = Task {
            import,
            path: &path,
            file_name: "bad-input",
            actor: &Actor::system(),
            dry_run: true,
            error_sheet: Some((sheet, kangmai_web::Language::Zh)),
        };
        match run(&self.county.app, &task, &mut |_, _| true) {
            Ok(_) | Err(ImportFailure::Refused(_)) => {}
            Err(other) => panic!("a file of {} is no refusal: {other:?}", import.key),
        }
    }

    /// Somebody who sees the county, signed in.
    pub fn reader(&self) -> Visitor {
        self.county.sign_in(Role::HealthBureau)
    }

    /// A settled bill of this hospital's file of a receipt, as the page gives it out.
    ///
    /// # Panics
    /// When none can be settled.
    pub fn receipt(&self) -> Vec<u8> {
        let county = &self.county;
        let bills = std::fs::read(&self.files.bills).expect("bills");
        county.import("bills", "bills.csv", &bills);
        county.seat(Role::CountyDesk.key(), HOSPITAL);
        let mut clerk = county.sign_in(Role::InsuranceClerk);
        clerk.open("/bills");
        let page = clerk.page();
        let links = page.all("a").into_iter().filter_map(|link| page.attribute(link, "href"));
        let bill =
            links.filter(|href| href.starts_with("/bills/")).find(|href| href.matches('/').count() == 2);
        let path = format!("{}/receipt.json", bill.expect("a bill").split('?').next().unwrap_or_default());
        clerk.open(&path);
        assert_eq!(clerk.status(), StatusCode::OK, "{path} of {COUNTY}");
        clerk.bytes().to_vec()
    }

    /// The kinds of files, in the order of their names.
    pub fn imports(&self) -> Vec<&'static Import> {
        let mut all: Vec<&'static Import> =
            self.county.app.programmes.iter().flat_map(|programme| programme.imports).collect();
        all.sort_by_key(|import| import.key);
        all
    }

    /// The law in force.
    pub fn policies(&self) -> Arc<kangmai_policy::Release> {
        Arc::clone(&self.county.app.policies)
    }
}
