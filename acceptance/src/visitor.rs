//! Somebody who uses the pages without a browser and without script: opens, reads, fills in, presses. Speaks to the
//! application directly, not over a socket, and looks at every answer with a critical eye.

use std::collections::BTreeMap;
use std::io::{Cursor, Read as _};
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Request, StatusCode, header};
use tower::ServiceExt as _;

use crate::html::{Document, squeeze};

/// The longest answer that is read.
const LONGEST_ANSWER: usize = 64 * 1_024 * 1_024;
/// More redirects than that are a circle.
const MOST_REDIRECTS: usize = 10;

/// Somebody with cookies of their own, on a page.
pub struct Visitor {
    app: Router,
    runtime: Arc<tokio::runtime::Runtime>,
    cookies: BTreeMap<String, String>,
    /// The key that it shows, if it is a system.
    key: Option<String>,
    /// A header of its own.
    header: Option<(String, String)>,
    path: String,
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
    page: Document,
    filled: BTreeMap<usize, Filled>,
}

/// What was put into a field.
#[derive(Debug, Clone)]
enum Filled {
    Text(String),
    Tick(bool),
    File { name: String, bytes: Vec<u8> },
}

impl Visitor {
    /// Somebody new, on no page.
    pub fn new(app: Router, runtime: Arc<tokio::runtime::Runtime>) -> Visitor {
        Visitor {
            app,
            runtime,
            cookies: BTreeMap::new(),
            key: None,
            header: None,
            path: "/".to_owned(),
            status: StatusCode::OK,
            headers: HeaderMap::new(),
            body: Bytes::new(),
            page: Document::default(),
            filled: BTreeMap::new(),
        }
    }

    /// From now on it shows a key of the interface; none: no more.
    pub fn shows_key(&mut self, key: Option<&str>) -> &mut Visitor {
        self.key = key.map(str::to_owned);
        self
    }

    /// From now on it sends this header; none: no more.
    pub fn says_header(&mut self, name: &str, value: Option<&str>) -> &mut Visitor {
        self.header = value.map(|value| (name.to_owned(), value.to_owned()));
        self
    }

    // Going places.

    /// Opens a path and follows redirects. The answer may be any but a failure of the server.
    pub fn open(&mut self, path: &str) -> &mut Visitor {
        self.send("GET", path, None, Vec::new());
        self
    }

    /// The answer as JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| self.fail(&format!("is no JSON: {error}")))
    }

    /// Opens a path that must be there.
    pub fn finds(&mut self, path: &str) -> &mut Visitor {
        self.open(path);
        assert_eq!(self.status, StatusCode::OK, "{path} shows:\n{}", self.shown());
        self
    }

    /// Opens a path that must not be there for this visitor.
    pub fn does_not_find(&mut self, path: &str) -> &mut Visitor {
        self.open(path);
        assert_eq!(self.status, StatusCode::NOT_FOUND, "{path} shows:\n{}", self.shown());
        self
    }

    /// Follows the link with these words.
    pub fn follow(&mut self, words: &str) -> &mut Visitor {
        let link = self.link(words).unwrap_or_else(|| self.fail(&format!("there is no link {words:?}")));
        let target = self.page.attribute(link, "href").unwrap_or_default().to_owned();
        self.open(&target)
    }

    /// Fills in the sign-in form of this page and sends it: the only form with a password.
    pub fn sign_in(&mut self, name: &str, password: &str) -> &mut Visitor {
        let is = |field: &usize, kind: &str| self.page.attribute(*field, "type").unwrap_or("text") == kind;
        let secret = self.page.all("input").into_iter().find(|field| is(field, "password"));
        let secret = secret.unwrap_or_else(|| self.fail("there is no sign-in"));
        let form = self.page.around(secret, "form").unwrap_or(0);
        let named = self.page.all_in(form, "input").into_iter().find(|field| is(field, "text"));
        let button = self.page.all_in(form, "button").first().copied();
        let (Some(named), Some(button)) = (named, button) else { self.fail("there is no sign-in") };
        self.filled.insert(named, Filled::Text(name.to_owned()));
        self.filled.insert(secret, Filled::Text(password.to_owned()));
        self.submit(button);
        let refused = self.status != StatusCode::OK || self.path.starts_with("/sign-in");
        if refused {
            self.fail(&format!("{name} cannot sign in"));
        }
        self
    }

    /// Puts a text into the field with this label, or chooses the option or the radio button of that name.
    pub fn fill(&mut self, label: &str, value: &str) -> &mut Visitor {
        if let Some(choice) = self.radio(label, value) {
            self.filled.insert(choice, Filled::Tick(true));
            return self;
        }
        let field = self.field(label);
        let value = if self.page.tag(field) == "select" {
            self.option(field, label, value)
        } else {
            value.to_owned()
        };
        self.filled.insert(field, Filled::Text(value));
        self
    }

    /// Sets or clears the tick with this label.
    pub fn tick(&mut self, label: &str, on: bool) -> &mut Visitor {
        let field = self.field(label);
        self.filled.insert(field, Filled::Tick(on));
        self
    }

    /// Sets every tick of this name on the page.
    pub fn tick_all(&mut self, name: &str) -> &mut Visitor {
        let named = |field: &usize| self.page.attribute(*field, "name") == Some(name);
        let ticks: Vec<usize> = self.page.all("input").into_iter().filter(named).collect();
        if ticks.is_empty() {
            self.fail(&format!("there is no tick {name:?}"));
        }
        self.filled.extend(ticks.into_iter().map(|tick| (tick, Filled::Tick(true))));
        self
    }

    /// Puts a file into the field with this label.
    pub fn attach(&mut self, label: &str, name: &str, bytes: Vec<u8>) -> &mut Visitor {
        let field = self.field(label);
        self.filled.insert(field, Filled::File { name: name.to_owned(), bytes });
        self
    }

    /// Presses the button with these words: its form is sent, with what was filled in, and the answer followed.
    pub fn press(&mut self, words: &str) -> &mut Visitor {
        let wanted = squeeze(words);
        let buttons: Vec<usize> = self.page.all("button");
        let exact = buttons.iter().find(|button| self.page.text(**button) == wanted);
        let holding = || buttons.iter().find(|button| self.page.text(**button).contains(&wanted));
        let button =
            *exact.or_else(holding).unwrap_or_else(|| self.fail(&format!("there is no button {words:?}")));
        self.submit(button);
        self
    }

    /// Presses the button with these words in the table row that holds `beside`.
    pub fn press_beside(&mut self, beside: &str, words: &str) -> &mut Visitor {
        let rows = self.page.all("tr").into_iter().chain(self.page.all("li"));
        let row = rows
            .filter(|row| self.page.text(*row).contains(&squeeze(beside)))
            .min_by_key(|row| self.page.text(*row).len());
        let row = row.unwrap_or_else(|| self.fail(&format!("no row holds {beside:?}")));
        let button = self
            .page
            .all_in(row, "button")
            .into_iter()
            .find(|button| self.page.text(*button) == squeeze(words));
        let button =
            button.unwrap_or_else(|| self.fail(&format!("there is no button {words:?} beside {beside:?}")));
        self.submit(button);
        self
    }

    // Looking.

    /// The page must show the text; white space does not count.
    pub fn sees(&mut self, text: &str) -> &mut Visitor {
        if !self.shown().contains(&squeeze(text)) {
            self.fail(&format!("{text:?} is not there"));
        }
        self
    }

    /// The page must not show the text.
    pub fn does_not_see(&mut self, text: &str) -> &mut Visitor {
        if self.shown().contains(&squeeze(text)) {
            self.fail(&format!("{text:?} is there"));
        }
        self
    }

    /// The text of the page.
    pub fn shown(&self) -> String {
        self.page.shown()
    }

    /// The page as a tree.
    pub fn page(&self) -> &Document {
        &self.page
    }

    /// Where the visitor is: path and query.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The status of the last answer.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// A header of the last answer.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The last answer's bytes: a workbook, a page.
    pub fn bytes(&self) -> &[u8] {
        &self.body
    }

    /// The last answer as text to be looked through: a page as it is, a workbook unpacked.
    pub fn whole_text(&self) -> String {
        if !self.body.starts_with(b"PK") {
            return String::from_utf8_lossy(&self.body).into_owned();
        }
        let mut text = String::new();
        let mut package = zip::ZipArchive::new(Cursor::new(&*self.body)).expect("a workbook");
        for part in 0..package.len() {
            let mut bytes = Vec::new();
            package.by_index(part).expect("a part").read_to_end(&mut bytes).expect("the part");
            text.push_str(&String::from_utf8_lossy(&bytes));
        }
        text
    }

    /// The visitor's cookies: name and value, to hand on to a browser.
    pub fn cookies(&self) -> impl Iterator<Item = (&str, &str)> {
        self.cookies.iter().map(|(name, value)| (&**name, &**value))
    }

    /// Takes a cookie, as if it had been found.
    pub fn take_cookie(&mut self, name: &str, value: &str) {
        self.cookies.insert(name.to_owned(), value.to_owned());
    }

    /// Reads pages in English from now on.
    pub fn in_english(&mut self) -> &mut Visitor {
        self.cookies.insert("kangmai_language".to_owned(), "en".to_owned());
        self
    }

    /// Whether there is a link or a button with these words.
    pub fn can(&self, words: &str) -> bool {
        let wanted = squeeze(words);
        self.link(words).is_some()
            || self.page.all("button").iter().any(|button| self.page.text(*button) == wanted)
    }

    /// The rows of the table whose caption holds `caption`, each cell under its head.
    pub fn table(&self, caption: &str) -> Vec<BTreeMap<String, String>> {
        let tables = self.page.all("table");
        let titled = |table: &usize| {
            let captions = self.page.all_in(*table, "caption");
            captions.iter().any(|own| self.page.text(*own).contains(caption))
        };
        let table = tables.iter().find(|table| titled(table));
        let table = *table.unwrap_or_else(|| self.fail(&format!("there is no table {caption:?}")));
        let heads: Vec<String> =
            self.page.all_in(table, "thead").iter().flat_map(|head| self.cells(*head)).collect();
        let bodies = self.page.all_in(table, "tbody");
        let rows = bodies.iter().flat_map(|body| self.page.all_in(*body, "tr"));
        rows.map(|row| heads.iter().cloned().zip(self.cells(row)).collect()).collect()
    }

    fn cells(&self, row: usize) -> Vec<String> {
        let inside = self.page.every().filter(|element| matches!(self.page.tag(*element), "td" | "th"));
        let own = inside.filter(|cell| {
            self.page.around(*cell, "tr") == Some(row) || self.page.around(*cell, "thead") == Some(row)
        });
        own.map(|cell| self.page.text(cell)).collect()
    }

    /// What the definition list says under `term`.
    pub fn value_of(&self, term: &str) -> String {
        let names = self.page.all("dt");
        let name = names.iter().find(|name| self.page.text(**name) == squeeze(term));
        let name = *name.unwrap_or_else(|| self.fail(&format!("there is no {term:?}")));
        let pair = self.page.around(name, "div").or_else(|| self.page.around(name, "dl")).unwrap_or(0);
        self.page.all_in(pair, "dd").first().map(|value| self.page.text(*value)).unwrap_or_default()
    }

    fn fail(&self, says: &str) -> ! {
        panic!("{says} at {} ({}), which shows:\n{}", self.path, self.status, self.shown())
    }

    // Fields.

    fn link(&self, words: &str) -> Option<usize> {
        let wanted = squeeze(words);
        let links = self.page.all("a");
        let exact = links.iter().find(|link| self.page.text(**link) == wanted);
        exact.or_else(|| links.iter().find(|link| self.page.text(**link).contains(&wanted))).copied()
    }

    fn field(&self, label: &str) -> usize {
        let wanted = squeeze(label);
        let labels = self.page.all("label");
        let exact = labels.iter().find(|label| self.page.text(**label) == wanted);
        let beginning = || labels.iter().find(|label| self.page.text(**label).starts_with(&wanted));
        let label =
            *exact.or_else(beginning).unwrap_or_else(|| self.fail(&format!("there is no field {label:?}")));
        let named = self.page.attribute(label, "for").and_then(|id| self.page.by_id(id));
        let inside = || {
            ["input", "select", "textarea"]
                .iter()
                .find_map(|tag| self.page.all_in(label, tag).first().copied())
        };
        named
            .or_else(inside)
            .unwrap_or_else(|| self.fail(&format!("the label {wanted:?} belongs to no field")))
    }

    /// The radio button or tick called `choice` under the legend `legend`.
    fn radio(&self, legend: &str, choice: &str) -> Option<usize> {
        let legends = self.page.all("legend");
        let legend = legends.into_iter().find(|own| self.page.text(*own).starts_with(&squeeze(legend)))?;
        let set = self.page.around(legend, "fieldset")?;
        let labels = self.page.all_in(set, "label");
        let label = labels.into_iter().find(|label| self.page.text(*label).starts_with(&squeeze(choice)))?;
        self.page.all_in(label, "input").first().copied()
    }

    fn option(&self, select: usize, label: &str, words: &str) -> String {
        let options = self.page.all_in(select, "option");
        let exact = options.iter().find(|option| self.page.text(**option) == squeeze(words));
        let holding = || options.iter().find(|option| self.page.text(**option).contains(&squeeze(words)));
        let option = *exact
            .or_else(holding)
            .unwrap_or_else(|| self.fail(&format!("{label:?} has no choice {words:?}")));
        let value = self.page.attribute(option, "value").map(str::to_owned);
        value.unwrap_or_else(|| self.page.text(option))
    }

    // Sending.

    fn submit(&mut self, button: usize) {
        let form = self.page.around(button, "form");
        let form = form.unwrap_or_else(|| self.fail("the button stands in no form"));
        let attribute = |element: usize, name: &str| self.page.attribute(element, name).map(str::to_owned);
        let method = attribute(form, "method").unwrap_or_default().to_lowercase();
        let action = attribute(button, "formaction").or_else(|| attribute(form, "action"));
        let action = action.filter(|action| !action.is_empty()).unwrap_or_else(|| self.path.clone());
        let multipart = self.page.attribute(form, "enctype") == Some("multipart/form-data");
        let mut fields = self.fields_of(form);
        if let Some(name) = attribute(button, "name") {
            fields.push((name, Filled::Text(attribute(button, "value").unwrap_or_default())));
        }
        if method != "post" {
            let path = action.split('?').next().unwrap_or_default();
            self.send("GET", &format!("{path}?{}", encoded(&fields)), None, Vec::new());
        } else if multipart {
            let kind = format!("multipart/form-data; boundary={BOUNDARY}");
            self.send("POST", &action, Some(&kind), parts(&fields));
        } else {
            let body = encoded(&fields).into_bytes();
            self.send("POST", &action, Some("application/x-www-form-urlencoded"), body);
        }
    }

    /// What the form would send, in the order of the page.
    fn fields_of(&self, form: usize) -> Vec<(String, Filled)> {
        let mut fields = Vec::new();
        let radio_filled = |name: &str| {
            self.filled.keys().any(|field| {
                self.page.attribute(*field, "name") == Some(name)
                    && self.page.attribute(*field, "type") == Some("radio")
            })
        };
        for control in self.page.every().filter(|control| self.page.around(*control, "form") == Some(form)) {
            let attribute = |name: &str| self.page.attribute(control, name);
            let Some(name) = attribute("name").filter(|_| attribute("disabled").is_none()) else { continue };
            let filled = self.filled.get(&control).cloned();
            let kind = attribute("type").unwrap_or("text");
            let value = match (self.page.tag(control), kind) {
                ("input", "submit" | "button" | "reset") => None,
                ("input", "radio" | "checkbox") => {
                    let own = attribute("checked").is_some() && !(kind == "radio" && radio_filled(name));
                    let on = match filled {
                        Some(Filled::Tick(on)) => on,
                        _ => own,
                    };
                    on.then(|| Filled::Text(attribute("value").unwrap_or("on").to_owned()))
                }
                ("input", "file") => {
                    Some(filled.unwrap_or(Filled::File { name: String::new(), bytes: Vec::new() }))
                }
                ("input", _) => Some(
                    filled.unwrap_or_else(|| Filled::Text(attribute("value").unwrap_or_default().to_owned())),
                ),
                ("textarea", _) => Some(filled.unwrap_or_else(|| Filled::Text(self.page.raw_text(control)))),
                ("select", _) => Some(filled.unwrap_or_else(|| Filled::Text(self.chosen(control)))),
                _ => None,
            };
            fields.extend(value.map(|value| (name.to_owned(), value)));
        }
        fields
    }

    fn chosen(&self, select: usize) -> String {
        let options = self.page.all_in(select, "option");
        let selected = options.iter().find(|option| self.page.attribute(**option, "selected").is_some());
        let option = selected.or(options.first());
        option.and_then(|option| self.page.attribute(*option, "value")).unwrap_or_default().to_owned()
    }

    /// Sends a request, follows where it leads; nothing may be wrong with the answer, whatever it is.
    pub fn send(&mut self, method: &str, path: &str, kind: Option<&str>, body: Vec<u8>) {
        let faults = self.exchange(method, path, kind, body);
        if !faults.is_empty() {
            self.fail(&faults.join("; "));
        }
    }

    /// Opens a path and tells what is wrong with the answer.
    pub fn try_open(&mut self, path: &str) -> Vec<String> {
        self.exchange("GET", path, None, Vec::new())
    }

    fn exchange(&mut self, method: &str, path: &str, kind: Option<&str>, body: Vec<u8>) -> Vec<String> {
        let (mut method, mut body, mut kind) = (method, body, kind);
        let mut path = resolve(&self.path, path);
        for _ in 0..MOST_REDIRECTS {
            let sent = path.split('#').next().unwrap_or_default();
            let mut request = Request::builder().method(method).uri(sent).header(header::HOST, "localhost");
            request = request.header("sec-fetch-site", "same-origin").header(header::COOKIE, self.cookie());
            if let Some(kind) = kind {
                request = request.header(header::CONTENT_TYPE, kind);
            }
            if let Some((name, value)) = &self.header {
                request = request.header(name, value);
            }
            if let Some(key) = &self.key {
                request = request.header(header::AUTHORIZATION, format!("Bearer {key}"));
            }
            let request = request.body(Body::from(std::mem::take(&mut body))).expect("a request");
            let app = self.app.clone();
            let (head, received) = self.runtime.block_on(async {
                let (head, body) = app.oneshot(request).await.expect("an answer").into_parts();
                (head, axum::body::to_bytes(body, LONGEST_ANSWER).await.expect("the whole answer"))
            });
            self.keep_cookies(&head.headers);
            self.status = head.status;
            self.headers = head.headers;
            self.body = received;
            self.path.clone_from(&path);
            let target = self.header("location").map(|target| resolve(&path, target));
            match target.filter(|_| self.status.is_redirection()) {
                Some(target) => (method, kind, path) = ("GET", None, target),
                None => return self.look(),
            }
        }
        panic!("{path} leads in a circle");
    }

    fn cookie(&self) -> String {
        let pairs: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        pairs.join("; ")
    }

    fn keep_cookies(&mut self, headers: &HeaderMap) {
        for cookie in headers.get_all(header::SET_COOKIE) {
            let text = cookie.to_str().unwrap_or_default();
            let (pair, rest) = text.split_once(';').unwrap_or((text, ""));
            let Some((name, value)) = pair.split_once('=') else { continue };
            if value.is_empty() || rest.to_lowercase().replace(' ', "").contains("max-age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }

    /// What is wrong with an answer, whatever it is: the server has failed; a page is not well-formed, lacks words,
    /// holds what the content policy forbids, or does not say that policy.
    fn look(&mut self) -> Vec<String> {
        self.filled.clear();
        self.page = Document::default();
        let is_page = self.header("content-type").is_some_and(|kind| kind.starts_with("text/html"));
        let text = String::from_utf8_lossy(&self.body).into_owned();
        let mut faults = Vec::new();
        if self.status.is_server_error() {
            faults.push(format!("fails with {}", self.status));
        }
        if !is_page {
            return faults;
        }
        match Document::read(&text) {
            Ok(page) => self.page = page,
            Err(error) => faults.push(error),
        }
        if text.contains('⟦') {
            faults.push(format!("lacks words: {}", lacking(&text)));
        }
        let policy = self.header("content-security-policy").unwrap_or_default();
        if !policy.contains("default-src") || policy.contains("unsafe") {
            faults.push(format!("has the content policy {policy:?}"));
        }
        for element in self.page.every() {
            let mut attributes = self.page.attributes(element).iter();
            if let Some(inline) = attributes.find(|(name, _)| name == "style" || name.starts_with("on")) {
                faults.push(format!("{inline:?} is forbidden by the content policy"));
            }
            if self.page.tag(element) == "script" && self.page.attribute(element, "src").is_none() {
                faults.push("holds a script, which the content policy forbids".to_owned());
            }
        }
        faults
    }
}

fn lacking(html: &str) -> String {
    let keys = html.split('⟦').skip(1).filter_map(|after| after.split('⟧').next());
    keys.collect::<Vec<_>>().join(", ")
}

/// The path that `link` means on the page `from`.
fn resolve(from: &str, link: &str) -> String {
    let link = link.strip_prefix("http://localhost").unwrap_or(link);
    let here = from.split(['?', '#']).next().unwrap_or_default();
    if link.starts_with('/') {
        link.to_owned()
    } else if link.is_empty() || link.starts_with(['?', '#']) {
        format!("{here}{link}")
    } else {
        format!("{}/{link}", here.rsplit_once('/').map_or("", |(folder, _)| folder))
    }
}

fn encoded(fields: &[(String, Filled)]) -> String {
    let pairs = fields.iter().map(|(name, value)| {
        let value = match value {
            Filled::Text(text) => text.replace('\n', "\r\n"),
            Filled::Tick(on) => on.to_string(),
            Filled::File { name, .. } => name.clone(),
        };
        format!("{}={}", percent(name), percent(&value))
    });
    pairs.collect::<Vec<_>>().join("&")
}

/// A text as it may stand in a query.
pub fn percent(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

const BOUNDARY: &str = "----kangmai-journey-boundary";

fn parts(fields: &[(String, Filled)]) -> Vec<u8> {
    let mut body = Vec::new();
    for (field, value) in fields {
        let (head, bytes) = match value {
            Filled::Text(text) => (String::new(), text.clone().into_bytes()),
            Filled::Tick(on) => (String::new(), on.to_string().into_bytes()),
            Filled::File { name, bytes } => {
                (format!("; filename=\"{name}\"\r\nContent-Type: application/octet-stream"), bytes.clone())
            }
        };
        body.extend(
            format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{field}\"{head}\r\n\r\n").bytes(),
        );
        body.extend(bytes);
        body.extend(b"\r\n");
    }
    body.extend(format!("--{BOUNDARY}--\r\n").bytes());
    body
}

#[cfg(test)]
mod tests {
    use axum::extract::{Multipart, RawQuery};
    use axum::http::HeaderMap;
    use axum::response::{Html, IntoResponse, Redirect, Response};
    use axum::routing::{get, post};

    use super::*;

    const FORM: &str = "<html><body><h1>Desk</h1><a href=\"list?page=1\">All bills</a>
        <form method=\"post\" action=\"/sent\"><input type=\"hidden\" name=\"csrf\" value=\"t\">
        <label for=\"n\">Name <span>if known</span></label><input id=\"n\" name=\"name\" value=\"old\">
        <label for=\"k\">Kind</label><select id=\"k\" name=\"kind\"><option value=\"1\">first</option><option value=\"2\">second</option></select>
        <fieldset><legend>Where</legend><label><input type=\"radio\" name=\"where\" value=\"a\" checked> here</label>
        <label><input type=\"radio\" name=\"where\" value=\"b\"> there</label></fieldset>
        <label><input type=\"checkbox\" name=\"sure\" value=\"1\"> Sure</label>
        <button name=\"act\" value=\"go\">Send</button></form>
        <form method=\"post\" action=\"/file\" enctype=\"multipart/form-data\"><label for=\"f\">File</label>
        <input id=\"f\" name=\"file\" type=\"file\"><button>Upload</button></form>
        <table><caption>Bills</caption><thead><tr><th>Bill</th><th>Paid</th></tr></thead>
        <tbody><tr><td>B-1</td><td>2.00</td></tr></tbody></table>
        <dl><div><dt>Total</dt><dd>3.00</dd></div></dl></body></html>";

    fn page(html: impl Into<String>) -> Response {
        ([("content-security-policy", "default-src 'self'")], Html(html.into())).into_response()
    }

    fn visitor() -> Visitor {
        let echo = |headers: HeaderMap, body: String| async move {
            let cookie = headers.get("cookie").map(|cookie| cookie.to_str().unwrap().to_owned());
            page(format!(
                "<html><body>{} {}</body></html>",
                body.replace('&', " "),
                cookie.unwrap_or_default()
            ))
        };
        let file = |mut form: Multipart| async move {
            let field = form.next_field().await.unwrap().unwrap();
            let name = field.file_name().unwrap().to_owned();
            page(format!("<html><body>{name} {}</body></html>", field.bytes().await.unwrap().len()))
        };
        let app = Router::new()
            .route("/desk/new", get(|| async { page(FORM) }))
            .route(
                "/desk/list",
                get(
                    |query: RawQuery| async move { page(format!("<html><body>{:?}</body></html>", query.0)) },
                ),
            )
            .route("/go", get(|| async { ([("set-cookie", "seen=yes; Path=/")], Redirect::to("/desk/new")) }))
            .route("/sent", post(echo))
            .route("/file", post(file))
            .route("/words", get(|| async { page("<html><body>⟦desk.title⟧</body></html>") }))
            .route("/style", get(|| async { page("<html><body><p style=\"a\"></p></body></html>") }))
            .route("/open", get(|| async { page("<html><body><p></body></html>") }))
            .route("/bare", get(|| async { Html("<html></html>") }))
            .route("/broken", get(|| async { StatusCode::INTERNAL_SERVER_ERROR }));
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        Visitor::new(app, Arc::new(runtime))
    }

    #[test]
    fn forms_links_and_tables_work_as_in_a_browser() {
        let mut visitor = visitor();
        visitor.finds("/go").sees("Desk");
        assert_eq!((visitor.path(), visitor.table("Bills")[0]["Paid"].as_str()), ("/desk/new", "2.00"));
        assert_eq!(visitor.value_of("Total"), "3.00");
        visitor.press("Send").sees("csrf=t name=old kind=1 where=a act=go seen=yes");
        visitor
            .finds("/go")
            .fill("Name", "李 三")
            .fill("Kind", "second")
            .fill("Where", "there")
            .tick("Sure", true);
        visitor.press("Send").sees("name=%E6%9D%8E%20%E4%B8%89 kind=2 where=b sure=1 act=go");
        visitor
            .finds("/desk/new")
            .attach("File", "bills.csv", b"a,b".to_vec())
            .press("Upload")
            .sees("bills.csv 3");
        visitor.finds("/desk/new").follow("All bills").sees("page=1");
        visitor.does_not_find("/nowhere");
    }

    #[test]
    fn a_careless_answer_fails_the_journey() {
        for path in ["/words", "/style", "/open", "/bare", "/broken"] {
            let outcome = std::panic::catch_unwind(|| visitor().open(path).status());
            assert!(outcome.is_err(), "{path} passed");
        }
    }
}
