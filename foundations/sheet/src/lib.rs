//! A sheet of rows that comes from outside: columns, cells, faults and what a dry run says.
//!
//! *Invariant:* nothing here knows a file format, a database or a page, and nothing here reads or writes. A door
//! turns a file into [`Record`]s; a [`Schema`] finds its columns; [`Cells`] reads them; a [`Summary`] counts.

/// The words of this crate.
pub const WORDS: &str = include_str!("../words.toml");

mod cells;
mod column;
mod fault;
mod header;
mod likeness;
pub mod limit;
pub mod read;
mod record;
mod summary;
mod width;

pub use cells::{Cells, Key};
pub use column::{Column, Format, Schema};
pub use fault::{Fault, Flaw, Severity};
pub use header::{Matching, Slot, UnknownColumn};
pub use likeness::most_like;
pub use record::{Progress, Record, Source};
pub use summary::{Change, Outcome, Summary};
pub use width::half_width;
