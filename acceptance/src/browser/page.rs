//! A page as a person meets it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::devtools::{Connection, PATIENCE};

/// What finds elements by what a person sees. See the file.
const FINDER: &str = include_str!("finder.js");

/// A size of screen, in CSS pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Screen {
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// Whether it is a telephone.
    pub mobile: bool,
}

impl Screen {
    /// A cheap telephone.
    pub const PHONE: Screen = Screen { width: 360, height: 640, mobile: true };
    /// A tablet.
    pub const TABLET: Screen = Screen { width: 768, height: 1_024, mobile: false };
    /// What a reader of the README sees.
    pub const PICTURE: Screen = Screen { width: 1_100, height: 1_240, mobile: false };
    /// An office screen.
    pub const DESK: Screen = Screen { width: 1_440, height: 900, mobile: false };
}

/// A network as telephones meet it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    /// None.
    Cut,
    /// A weak 4G: 1.6 Mbit/s down, 750 kbit/s up, 150 ms there and back.
    Weak,
    /// As it is.
    Free,
}

/// An open page. What fails, fails the test and says what the page showed.
pub struct Page {
    connection: Arc<Connection>,
    session: String,
    target: String,
    context: String,
    /// Errors before this event were forgiven.
    forgiven: usize,
}

impl Page {
    /// Opens a page in a context, which has the cookies and what pages keep.
    pub(super) fn opened(connection: Arc<Connection>, context: String) -> Page {
        let wish = json!({ "url": "about:blank", "browserContextId": context });
        let target = connection.call(None, "Target.createTarget", wish);
        let target = target["targetId"].as_str().expect("a target").to_owned();
        let attach = json!({ "targetId": target, "flatten": true });
        let session = connection.call(None, "Target.attachToTarget", attach);
        let session = session["sessionId"].as_str().expect("a session").to_owned();
        let page = Page { connection, session, target, context, forgiven: 0 };
        for domain in ["Page", "Runtime", "Log", "Network"] {
            page.call(&format!("{domain}.enable"), json!({}));
        }
        page.screen(Screen::DESK);
        page
    }

    fn call(&self, method: &str, parameters: Value) -> Value {
        self.connection.call(Some(&self.session), method, parameters)
    }

    /// Another tab, with the same cookies and what pages keep.
    pub fn beside(&self) -> Page {
        Page::opened(Arc::clone(&self.connection), self.context.clone())
    }

    /// Ends the tab at once: nothing of the page runs any more.
    pub fn kill(self) {
        self.connection.call(None, "Target.closeTarget", json!({ "targetId": self.target }));
    }

    /// Sets the network of this page.
    pub fn link(&self, link: Link) {
        let wish = match link {
            Link::Cut => {
                json!({ "offline": true, "latency": 0, "downloadThroughput": 0, "uploadThroughput": 0 })
            }
            Link::Weak => {
                json!({ "offline": false, "latency": 150, "downloadThroughput": 200_000, "uploadThroughput": 93_750 })
            }
            Link::Free => {
                json!({ "offline": false, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1 })
            }
        };
        self.call("Network.emulateNetworkConditions", wish);
    }

    /// Makes the processor so many times slower.
    pub fn slow_down(&self, times: u32) {
        self.call("Emulation.setCPUThrottlingRate", json!({ "rate": times }));
    }

    /// Sets the size of the screen.
    pub fn screen(&self, screen: Screen) {
        let size = json!({ "width": screen.width, "height": screen.height, "deviceScaleFactor": 1, "mobile": screen.mobile });
        self.call("Emulation.setDeviceMetricsOverride", size);
    }

    /// Sets the reader's wish for a dark page.
    pub fn dark(&self, dark: bool) {
        let scheme = if dark { "dark" } else { "light" };
        let wish = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.call("Emulation.setEmulatedMedia", wish);
    }

    /// Switches the page's scripts on or off.
    pub fn scripts(&self, on: bool) {
        self.call("Emulation.setScriptExecutionDisabled", json!({ "value": !on }));
    }

    /// Opens an address and waits until the page has loaded.
    pub fn open(&self, address: &str) {
        let before = self.connection.events_so_far(&self.session);
        let told = self.call("Page.navigate", json!({ "url": address }));
        assert!(told["errorText"].is_null(), "{address}: {}", told["errorText"]);
        self.wait_until_loaded(before);
    }

    /// Shows `html` as the page, without a server.
    pub fn show(&self, html: &str) {
        let tree = self.call("Page.getFrameTree", json!({}));
        self.call(
            "Page.setDocumentContent",
            json!({ "frameId": tree["frameTree"]["frame"]["id"], "html": html }),
        );
    }

    fn wait_until_loaded(&self, from: usize) {
        let loaded = self.connection.wait_for(&self.session, from, &["Page.loadEventFired"], PATIENCE);
        assert!(loaded, "the page does not load: {}", self.address());
    }

    /// Runs `act`; if that leaves the page, waits for the next one.
    fn and_follow(&self, act: impl FnOnce()) {
        const LEAVING: [&str; 3] =
            ["Page.frameRequestedNavigation", "Page.frameStartedLoading", "Page.frameStartedNavigating"];
        let before = self.connection.events_so_far(&self.session);
        act();
        if self.connection.wait_for(&self.session, before, &LEAVING, Duration::from_millis(250)) {
            // To another place of the same page, or to another page.
            const THERE: [&str; 2] = ["Page.navigatedWithinDocument", "Page.loadEventFired"];
            let there = self.connection.wait_for(&self.session, before, &THERE, PATIENCE);
            assert!(there, "the page does not load: {}", self.address());
        }
    }

    /// What a script of ours returns. `body` is the body of a function that has the finder's functions at hand.
    pub fn ask(&self, body: &str) -> Value {
        let expression = format!("(async () => {{ {FINDER}\n{body}\n}})()");
        let wish = json!({ "expression": expression, "returnByValue": true, "awaitPromise": true });
        let told = self.call("Runtime.evaluate", wish);
        let thrown = &told["exceptionDetails"];
        let says = thrown["exception"]["description"].as_str().unwrap_or_default();
        let says = says.lines().next().unwrap_or_default();
        assert!(thrown.is_null(), "{says}\nat {}, which shows:\n{}", self.address(), self.shown());
        told["result"]["value"].clone()
    }

    /// Where the page is, path and query.
    pub fn address(&self) -> String {
        self.read("location.href")
    }

    /// The text that can be seen.
    pub fn shown(&self) -> String {
        self.read("document.body ? document.body.innerText : ''")
    }

    /// Reads something of the page that stands there. While one page takes another's place there is none for a moment.
    fn read(&self, expression: &str) -> String {
        let wish = json!({ "expression": expression, "returnByValue": true });
        for _ in 0..50 {
            match self.connection.try_call(Some(&self.session), "Runtime.evaluate", wish.clone()) {
                Ok(told) => return told["result"]["value"].as_str().unwrap_or_default().to_owned(),
                Err(error) if error.to_string().contains("target navigated") => {
                    std::thread::sleep(Duration::from_millis(100));
                }
                Err(error) => panic!("Runtime.evaluate: {error}"),
            }
        }
        panic!("no page stands still long enough to read {expression}")
    }

    /// The text that would be printed.
    pub fn printed_text(&self) -> String {
        self.call("Emulation.setEmulatedMedia", json!({ "media": "print" }));
        let text = self.shown();
        self.call("Emulation.setEmulatedMedia", json!({ "media": "" }));
        text
    }

    /// Whether the text can be seen; white space does not count.
    pub fn shows(&self, text: &str) -> bool {
        let squeeze = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        squeeze(&self.shown()).contains(&squeeze(text))
    }

    /// Waits until the text can be seen.
    pub fn wait_for(&self, text: &str) {
        for _ in 0..100 {
            if self.shows(text) {
                return;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("{text:?} does not appear at {}, which shows:\n{}", self.address(), self.shown());
    }

    /// Puts `value` into the field with this label: types it, chooses the option of that name, or sets the tick
    /// (`"yes"` or `"no"`).
    pub fn fill(&self, label: &str, value: &str) {
        let typed = self.ask(&format!("return prepareField({}, {})", json!(label), json!(value)));
        if typed == json!("type") {
            self.call("Input.insertText", json!({ "text": value }));
        }
    }

    /// Types into whatever has the focus.
    pub fn type_text(&self, text: &str) {
        self.call("Input.insertText", json!({ "text": text }));
    }

    /// Puts a file into the field with this label.
    pub fn attach(&self, label: &str, file: &Path) {
        let expression = format!("(() => {{ {FINDER}\nreturn field({}) }})()", json!(label));
        let found = self.call("Runtime.evaluate", json!({ "expression": expression }));
        let files = json!({ "files": [file], "objectId": found["result"]["objectId"] });
        self.call("DOM.setFileInputFiles", files);
    }

    /// Clicks the link or button with these words, and follows where it leads.
    pub fn click(&self, words: &str) {
        self.click_place(&format!("return place(clickable({}))", json!(words)));
    }

    /// Clicks the link or button with these words in the row, list entry or section that holds `beside`.
    pub fn click_beside(&self, beside: &str, words: &str) {
        self.click_place(&format!("return place(clickable({}, around({})))", json!(words), json!(beside)));
    }

    /// Clicks the first element that a CSS selector finds.
    pub fn click_selected(&self, selector: &str) {
        self.click_place(&format!("return place(document.querySelector({}))", json!(selector)));
    }

    fn click_place(&self, find: &str) {
        let place = self.ask(find);
        self.and_follow(|| {
            for (kind, buttons) in [("mouseMoved", 0), ("mousePressed", 1), ("mouseReleased", 0)] {
                let button = if kind == "mouseMoved" { "none" } else { "left" };
                let event = json!({ "type": kind, "x": place["x"], "y": place["y"], "button": button, "buttons": buttons, "clickCount": 1 });
                self.call("Input.dispatchMouseEvent", event);
            }
        });
    }

    /// Presses a key, such as `Enter` or `Tab`.
    pub fn press(&self, key: &str) {
        let (code, text) = match key {
            "Enter" => (13, "\r"),
            "Tab" => (9, ""),
            "Escape" => (27, ""),
            _ => (0, key),
        };
        self.and_follow(|| {
            for kind in ["keyDown", "keyUp"] {
                let event = json!({ "type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code, "text": if kind == "keyDown" { text } else { "" } });
                self.call("Input.dispatchKeyEvent", event);
            }
        });
    }

    /// Sets a cookie for `address`.
    pub fn cookie(&self, address: &str, name: &str, value: &str) {
        self.call("Network.setCookie", json!({ "url": address, "name": name, "value": value }));
    }

    /// Bytes that came over the wire since the page was last opened, all files together.
    pub fn bytes_loaded(&self) -> u64 {
        let total = self.ask(
            "return performance.getEntries().reduce((sum, entry) => sum + (entry.transferSize || 0), 0)",
        );
        total.as_u64().unwrap_or(0)
    }

    /// A picture of the whole page, as PNG.
    pub fn picture(&self) -> Vec<u8> {
        self.capture(&json!({ "format": "png", "captureBeyondViewport": true }))
    }

    /// A picture of what fits on the screen, as PNG.
    pub fn picture_of_screen(&self) -> Vec<u8> {
        self.capture(&json!({ "format": "png" }))
    }

    /// Takes a picture. While one page takes another's place the browser has none to take a picture of for a moment.
    fn capture(&self, parameters: &Value) -> Vec<u8> {
        for _ in 0..50 {
            match self.connection.try_call(Some(&self.session), "Page.captureScreenshot", parameters.clone())
            {
                Ok(told) => return base64(told["data"].as_str().unwrap_or_default()),
                Err(error) if error.to_string().contains("Not attached to an active page") => {
                    std::thread::sleep(Duration::from_millis(100));
                }
                Err(error) => panic!("Page.captureScreenshot: {error}"),
            }
        }
        panic!("there is no page to take a picture of: {}", self.address())
    }

    /// Keeps a picture of what fits on the screen as `name`.png among the pictures, and tells where.
    pub fn keep_picture(&self, name: &str) -> PathBuf {
        let folder = pictures();
        std::fs::create_dir_all(&folder).expect("a folder for the pictures");
        let file = folder.join(format!("{name}.png"));
        std::fs::write(&file, self.picture_of_screen()).expect("the picture is written");
        file
    }

    /// The page printed on A4, as PDF.
    pub fn print(&self) -> Vec<u8> {
        let paper = json!({ "paperWidth": 8.27, "paperHeight": 11.69, "preferCSSPageSize": true, "printBackground": false });
        base64(self.call("Page.printToPDF", paper)["data"].as_str().unwrap_or_default())
    }

    /// The number of pages in a PDF that Chromium made.
    pub fn sheets_of(pdf: &[u8]) -> usize {
        let text = String::from_utf8_lossy(pdf);
        text.match_indices("/Type /Page")
            .filter(|(at, found)| !text[at + found.len()..].starts_with('s'))
            .count()
    }

    /// What went wrong in the browser: uncaught errors, errors in the console, violations of the content policy,
    /// files that failed to load. Those told once are not told again.
    pub fn errors(&mut self) -> Vec<String> {
        let names = ["Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded"];
        let events = self.connection.events(&self.session, self.forgiven, &names);
        self.forgiven = self.connection.events_so_far(&self.session);
        events.iter().filter_map(|event| error_in(&event["params"])).collect()
    }
}

fn error_in(told: &Value) -> Option<String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    if told["exceptionDetails"].is_object() {
        return Some(text(&told["exceptionDetails"]["exception"]["description"]));
    }
    if told["entry"]["level"] == "error" {
        return Some(format!("{} {}", text(&told["entry"]["text"]), text(&told["entry"]["url"])));
    }
    let arguments = told["args"].as_array().into_iter().flatten();
    (told["type"] == "error").then(|| arguments.map(|argument| argument["value"].to_string()).collect())
}

/// Where pictures go: `KANGMAI_SCREENSHOTS`, or the target directory.
fn pictures() -> PathBuf {
    match std::env::var_os("KANGMAI_SCREENSHOTS") {
        Some(folder) => PathBuf::from(folder),
        None => crate::tidy::root().join("target/screenshots"),
    }
}

fn base64(text: &str) -> Vec<u8> {
    let value = |sign: u8| match sign {
        b'A'..=b'Z' => u32::from(sign - b'A'),
        b'a'..=b'z' => u32::from(sign - b'a') + 26,
        b'0'..=b'9' => u32::from(sign - b'0') + 52,
        b'+' => 62,
        _ => 63,
    };
    let signs: Vec<u8> = text.bytes().filter(|sign| *sign != b'=').collect();
    let mut bytes = Vec::with_capacity(signs.len() * 3 / 4);
    for chunk in signs.chunks(4) {
        let word =
            chunk.iter().enumerate().fold(0_u32, |word, (at, sign)| word | value(*sign) << (18 - 6 * at));
        bytes.extend(word.to_be_bytes()[1..].iter().take(chunk.len() - 1));
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_read() {
        for (text, expected) in
            [("", ""), ("Zg==", "f"), ("Zm8=", "fo"), ("Zm9v", "foo"), ("Zm9vYmE=", "fooba")]
        {
            assert_eq!(base64(text), expected.as_bytes());
        }
        assert_eq!(base64("+/8="), [0xfb, 0xff]);
    }
}
