//! Everything by which something comes in from outside, as functions of bytes: whatever the bytes are, the program refuses or
//! takes them, soon and within its memory. A door fails by a panic.
//!
//! The same doors are tried in three ways: over a kept corpus (`acceptance/bad_input/<door>/`), with bytes that a mutator makes out
//! of good ones, a fixed number of cases in every run (`tests/journeys/bad_input.rs`), and by cargo-fuzz (`fuzz/`) for as long as one likes.

mod doors;
mod interface;
mod mutate;
mod workbook;

use std::path::PathBuf;
use std::time::{Duration, Instant};

pub use doors::DOORS;
pub use interface::{Stand, stand};
pub use mutate::Mutator;
pub use workbook::{workbook_of, zip_of};

/// By which something comes in.
#[derive(Debug, Clone, Copy)]
pub struct Door {
    /// Its name: that of its corpus and of its target.
    pub name: &'static str,
    /// Takes the bytes.
    pub take: fn(&[u8]),
    /// Good ones, to begin from.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// What often makes a difference in them.
    pub tokens: &'static [&'static str],
    /// Cases in a run that a change waits for; what costs more has fewer.
    pub cases: u32,
}

/// How long a door may take over one input, on a busy machine without optimisation.
const LONGEST: Duration = Duration::from_secs(20);

impl Door {
    /// Gives it these bytes; a panic or too long a time fails.
    ///
    /// # Panics
    /// When it takes too long, or panics itself.
    #[expect(clippy::disallowed_methods, reason = "measures")]
    pub fn try_with(&self, bytes: &[u8]) {
        let began = Instant::now();
        (self.take)(bytes);
        let took = began.elapsed();
        assert!(took < LONGEST, "{} took {took:?} over {} bytes", self.name, bytes.len());
    }

    /// What is kept for it: inputs that once made a difference.
    pub fn corpus(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let folder = crate::tidy::root().join("acceptance/bad_input").join(self.name);
        let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
        let paths = entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| path.is_file());
        let mut found: Vec<_> =
            paths.filter_map(|path| std::fs::read(&path).ok().map(|bytes| (path, bytes))).collect();
        found.sort();
        found
    }
}

/// The door of this name.
pub fn door(name: &str) -> Option<&'static Door> {
    DOORS.iter().find(|door| door.name == name)
}

/// The most memory that this process has held so far, in KiB; none where the system does not say.
pub fn peak_memory_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}
