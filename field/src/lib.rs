//! The field app's files, inside the binary, served under `/field/`: a page of nobody, which works without a network once it has been
//! opened. What it does is in `app/`; what it says to the server, in `docs/sync.md`.

use std::sync::LazyLock;

use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HeaderMap,
    HeaderName, HeaderValue, IF_NONE_MATCH, VARY,
};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use include_dir::{Dir, include_dir};
use kangmai_web::{fingerprint, gzip, takes_gzip};

/// The modules.
static APP: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/app");
/// The other files: name and content. The script of the service is made of `sw.js` and what there is to keep.
const OTHERS: [(&str, &[u8]); 4] = [
    ("app.css", include_bytes!("../app.css")),
    ("manifest.webmanifest", include_bytes!("../manifest.webmanifest")),
    ("icon.svg", include_bytes!("../icon.svg")),
    ("index.html", include_bytes!("../index.html")),
];
const SERVICE: &str = include_str!("../sw.js");
/// Where the page names the modules to be loaded at once: found one by one, each would wait for the one before.
const MODULES_MARK: &str = "<!-- modules -->";
/// What the door needs; the others come while a PIN is typed.
const DOOR: [&str; 10] =
    ["app", "days", "door", "element", "frame", "look", "seal", "sealed_file", "store", "words"];

/// Only from here, no script or style inside of the page, in no frame, nothing else.
const CSP: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
    worker-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// A file of the app.
#[derive(Debug)]
pub struct File {
    /// Its path below `/field/`; empty: the page itself.
    pub path: String,
    /// What it holds.
    pub plain: Vec<u8>,
    /// The same, packed.
    pub gzip: Vec<u8>,
    content_type: &'static str,
    tag: HeaderValue,
}

impl File {
    fn new(path: &str, plain: Vec<u8>) -> File {
        let tag = format!("\"{:016x}\"", fingerprint(&plain));
        File {
            path: path.to_owned(),
            gzip: gzip(&plain),
            content_type: content_type(path),
            tag: HeaderValue::from_str(&tag).unwrap_or(HeaderValue::from_static("\"\"")),
            plain,
        }
    }

    fn answer(&self, headers: &HeaderMap) -> Response {
        let is_known = headers.get(IF_NONE_MATCH) == Some(&self.tag);
        let zipped = takes_gzip(headers) && !self.gzip.is_empty();
        let mut response = match (is_known, zipped) {
            (true, _) => StatusCode::NOT_MODIFIED.into_response(),
            (false, true) => self.gzip.clone().into_response(),
            (false, false) => self.plain.clone().into_response(),
        };
        let out = response.headers_mut();
        out.insert(ETAG, self.tag.clone());
        // The service worker keeps them; who asks the server wants to know whether they are still those.
        out.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        out.insert(VARY, HeaderValue::from_name(ACCEPT_ENCODING));
        out.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(CSP));
        out.insert(HeaderName::from_static("service-worker-allowed"), HeaderValue::from_static("/field/"));
        if !is_known {
            out.insert(CONTENT_TYPE, HeaderValue::from_static(self.content_type));
            if zipped {
                out.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            }
        }
        response
    }
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or_default() {
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "webmanifest" => "application/manifest+json; charset=utf-8",
        _ => "text/html; charset=utf-8",
    }
}

/// All files of the app, the script of the service last.
pub static FILES: LazyLock<Vec<File>> = LazyLock::new(|| {
    let modules: Vec<(String, &[u8])> = APP
        .files()
        .map(|file| (format!("app/{}", file.path().to_string_lossy()), file.contents()))
        .filter(|(path, _)| path.ends_with(".js"))
        .collect();
    let preloads: String = modules
        .iter()
        .filter(|(path, _)| DOOR.iter().any(|name| *path == format!("app/{name}.js")))
        .map(|(path, _)| format!("<link rel=\"modulepreload\" href=\"/field/{path}\">\n"))
        .collect();
    let mut files: Vec<File> = modules.iter().map(|(path, content)| File::new(path, bare(content))).collect();
    for (name, content) in OTHERS {
        files.push(match name {
            "index.html" => {
                let page = String::from_utf8_lossy(content).replace(MODULES_MARK, preloads.trim_end());
                File::new("", page.into_bytes())
            }
            "app.css" => File::new(name, bare(content)),
            _ => File::new(name, content.to_vec()),
        });
    }
    files.sort_by(|one, other| one.path.cmp(&other.path));
    files.push(File::new("sw.js", service(&files).into_bytes()));
    files
});

/// A script or a style sheet without the comments that have lines of their own, and without indentation: a telephone need not load
/// what only its maintainers read. No line of ours begins inside a text, which a test sees to.
fn bare(content: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(content);
    let (mut out, mut in_comment) = (String::with_capacity(text.len()), false);
    for line in text.lines().map(str::trim) {
        let begins = !in_comment && line.starts_with("/*");
        if !(in_comment || begins || line.is_empty() || line.starts_with("//")) {
            out.push_str(line);
            out.push('\n');
        }
        in_comment = (in_comment || begins) && !line.ends_with("*/");
    }
    out.into_bytes()
}

/// The script of the service, which says what it keeps and of which version.
fn service(files: &[File]) -> String {
    let mut all = Vec::new();
    for file in files {
        all.extend_from_slice(file.path.as_bytes());
        all.extend_from_slice(&file.plain);
    }
    let paths: Vec<String> = files.iter().map(|file| format!("\"/field/{}\"", file.path)).collect();
    format!(
        "const VERSION = \"{:016x}\";\nconst FILES = [{}];\n{}",
        fingerprint(&all),
        paths.join(", "),
        String::from_utf8_lossy(&bare(SERVICE.as_bytes()))
    )
}

fn answer(path: &str, headers: &HeaderMap) -> Response {
    let found = FILES.iter().find(|file| file.path == path);
    found.map_or_else(|| StatusCode::NOT_FOUND.into_response(), |file| file.answer(headers))
}

/// The routes of the files.
pub fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    let module =
        async |Path(file): Path<String>, headers: HeaderMap| answer(&format!("app/{file}"), &headers);
    let mut router = Router::new()
        .route("/field", get(async || Redirect::permanent("/field/")))
        .route("/field/", get(async |headers: HeaderMap| answer("", &headers)))
        .route("/field/app/{file}", get(module));
    // Each by its name: what else stands under /field/ is the server's.
    for name in ["app.css", "sw.js", "manifest.webmanifest", "icon.svg"] {
        let named = async move |headers: HeaderMap| answer(name, &headers);
        router = router.route(&format!("/field/{name}"), get(named));
    }
    router
}
