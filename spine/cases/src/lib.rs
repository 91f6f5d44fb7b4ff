//! A piece of work about a person, household or institution that moves through stages between tiers.
//!
//! A programme's facts move its cases; its projection writes them here with [`put`]. What is to be done by whom and
//! by when is never stored: [`task`] derives it from the stage, the day it was reached and the programme's
//! [`StageRule`]s, so a restart, a changed clock or a new policy release heals by itself.
//!
//! *Invariant:* this crate knows no programme and no stage by name.

mod store;
mod task;

use kangmai_base::{Day, DivisionCode, Id, Uuid};
use kangmai_database::{Migration, Migrations};

pub use store::{case, cases_of_subject, count, forget, list, put, tasks_due};
pub use task::{StageRule, Task, Urgency, task};

/// The tables of this crate. `work_case` is written by the projections of programmes, each its own rows.
pub const MIGRATIONS: Migrations = Migrations {
    owner: "cases",
    steps: &[Migration { name: "001-cases", sql: include_str!("../migrations/001-cases.sql") }],
};

/// The words of this crate.
pub const WORDS: &str = include_str!("../words.toml");

/// A case as it stands today.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// Its identifier.
    pub id: Id<Case>,
    /// The programme whose case it is.
    pub programme: String,
    /// The person, household or institution that it is about.
    pub subject: Uuid,
    /// Where that is: decides whose work it is.
    pub place: DivisionCode,
    /// Where in the programme's stages it stands.
    pub stage: String,
    /// Since when.
    pub stage_since: Day,
    /// When it was opened.
    pub opened_on: Day,
    /// When it was closed, if it was.
    pub closed_on: Option<Day>,
    /// How it ended, as a key of the programme.
    pub outcome: Option<String>,
    /// What is graver comes first; the programme's own scale.
    pub weight: i64,
}
