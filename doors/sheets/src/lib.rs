//! Excel and CSV files in and out.
//!
//! *Invariant:* decides nothing about what a row means; knows columns and cells only.

/// The words of this crate.
pub const WORDS: &str = include_str!("../words.toml");

mod error_sheet;
mod excel;
mod export;
mod merged;
mod open;
mod refused;
mod separated;
mod template;

pub use error_sheet::ErrorSheet;
pub use export::{Cell, CsvExport, Head, XlsxExport};
pub use open::{FileKind, Sheet, open, open_bytes, open_reader};
pub use refused::SheetError;
pub use template::template;

use kangmai_base::Refusal;

/// How titles and sentences are said: in which language, and the sentence of a key of `words.toml`.
#[derive(Clone, Copy)]
pub struct Speech<'a> {
    /// English titles; else Chinese.
    pub english: bool,
    /// Says a sentence.
    pub say: &'a dyn Fn(&Refusal) -> String,
}

impl Speech<'_> {
    fn word(&self, key: &'static str) -> String {
        (self.say)(&Refusal::new(key))
    }
}
