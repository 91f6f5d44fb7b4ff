//! What the browser journeys need: a Chromium, a Chinese font, and, where npm is at hand, axe-core.

use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context, Result};

use crate::packages;
use crate::workspace::{command, find_program, printed, target};

/// Rules of accessibility that the journeys run in each page, if npm can fetch them.
const AXE: &str = "axe-core@4.14.1";

const BY_HAND: &str = "Install Chromium (Debian: apt-get install chromium fonts-noto-cjk; Fedora: dnf install \
    chromium google-noto-sans-cjk-fonts; macOS: brew install --cask chromium) or name one in KANGMAI_CHROMIUM; \
    `cargo xtask test --no-browser` runs everything else";

/// The Chromium to drive, installed if need be.
pub(crate) fn chromium() -> Result<PathBuf> {
    if let Some(named) = std::env::var_os("KANGMAI_CHROMIUM") {
        let named = PathBuf::from(named);
        anyhow::ensure!(named.is_file(), "KANGMAI_CHROMIUM names no file: {}", named.display());
        return Ok(named);
    }
    let mut missing = Vec::new();
    if find().is_none() {
        missing.push("chromium");
    }
    if !has_chinese_font() {
        missing.push("fonts-noto-cjk");
    }
    if !missing.is_empty() {
        packages::install(&missing, BY_HAND)?;
    }
    find().with_context(|| format!("there is no Chromium. {BY_HAND}"))
}

fn find() -> Option<PathBuf> {
    let mac = PathBuf::from("/Applications/Chromium.app/Contents/MacOS");
    let mac_chrome = PathBuf::from("/Applications/Google Chrome.app/Contents/MacOS");
    let names = [
        "chromium",
        "chromium-browser",
        "google-chrome-stable",
        "google-chrome",
        "Chromium",
        "Google Chrome",
    ];
    find_program(&names, &[mac, mac_chrome])
}

/// Where the question cannot be asked there is none, but for systems that come with one.
fn has_chinese_font() -> bool {
    match printed(&mut command("fc-list", &[":lang=zh", "family"])) {
        Ok(families) => !families.trim().is_empty(),
        Err(_) => !cfg!(target_os = "linux"),
    }
}

/// The script of axe-core: named by `KANGMAI_AXE`, fetched before, or fetched now. The journeys' own checks of
/// accessibility run in any case; this adds to them.
pub(crate) fn axe() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("KANGMAI_AXE") {
        return Some(PathBuf::from(named)).filter(|file| file.is_file());
    }
    let folder = target().join("axe");
    let script = folder.join("node_modules/axe-core/axe.min.js");
    if !script.is_file() {
        std::fs::create_dir_all(&folder).ok()?;
        let npm = find_program(&["npm"], &[])?;
        let _fetched = command(&npm.to_string_lossy(), &["install", "--ignore-scripts", "--no-audit"])
            .args(["--no-fund", "--no-save", "--fetch-retries=1", "--fetch-timeout=20000", "--prefix"])
            .arg(&folder)
            .arg(AXE)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
    }
    script.is_file().then_some(script)
}
