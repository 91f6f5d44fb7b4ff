//! Drives a Chromium through its debugging pipe: no driver program, no Node, no port. A journey opens a page, fills
//! fields by their label, clicks by the words on the button, and looks.

pub mod accessibility;
mod devtools;
mod page;

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use kangmai_base::{Ids as _, Moment, SystemIds};
use serde_json::json;

use self::devtools::Connection;
pub use self::page::{Link, Page, Screen};

/// Set by `cargo xtask test`: what is missing fails the test instead of skipping it.
pub const ALL_VARIABLE: &str = "KANGMAI_TEST_ALL";

/// A browser with a fresh profile; ends, with its profile, when dropped.
pub struct Browser {
    process: Child,
    connection: Arc<Connection>,
    profile: PathBuf,
}

impl Browser {
    /// Starts the Chromium that `KANGMAI_CHROMIUM` names, or the first in `PATH`. None if there is none and nobody
    /// insists: the journey is then skipped.
    pub fn launch() -> Option<Browser> {
        let Some(chromium) = find() else {
            assert!(
                std::env::var_os(ALL_VARIABLE).is_none(),
                "there is no Chromium; name one in KANGMAI_CHROMIUM"
            );
            return None;
        };
        let profile = std::env::temp_dir().join(format!("kangmai-chromium-{}", SystemIds.mint(Moment(0))));
        std::fs::create_dir_all(&profile).expect("a folder for the profile");
        // The shell moves its pipes to where Chromium looks for them: it reads from 3 and writes to 4.
        let mut process = Command::new("sh")
            .args(["-c", "exec \"$0\" \"$@\" 3<&0 4>&1 </dev/null >/dev/null 2>&1"])
            .arg(chromium)
            .args(FLAGS)
            .arg(format!("--user-data-dir={}", profile.display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("Chromium starts");
        let to = process.stdin.take().expect("a pipe to Chromium");
        let from = process.stdout.take().expect("a pipe from Chromium");
        let connection = Connection::over(to, from);
        Some(Browser { process, connection, profile })
    }

    /// A new page, with cookies of its own.
    pub fn page(&self) -> Page {
        let context = self.connection.call(None, "Target.createBrowserContext", json!({}));
        let context = context["browserContextId"].as_str().expect("a context").to_owned();
        Page::opened(Arc::clone(&self.connection), context)
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        self.connection.send_and_forget("Browser.close");
        for _ in 0..50 {
            if matches!(self.process.try_wait(), Ok(Some(_))) {
                break;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        // It may be gone already.
        let _killed = self.process.kill();
        let _reaped = self.process.wait();
        let _removed = std::fs::remove_dir_all(&self.profile);
    }
}

const FLAGS: [&str; 16] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-extensions",
    "--disable-sync",
    "--hide-scrollbars",
    "--mute-audio",
    "--lang=zh-CN",
    "--accept-lang=zh-CN",
    "--force-color-profile=srgb",
    "--remote-debugging-pipe",
];

fn find() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("KANGMAI_CHROMIUM") {
        return Some(PathBuf::from(named)).filter(|file| file.is_file());
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let names = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"];
    let files = std::env::split_paths(&path).flat_map(|folder| names.map(|name| folder.join(name)));
    files.into_iter().find(|file| file.is_file())
}
