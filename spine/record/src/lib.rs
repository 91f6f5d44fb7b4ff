//! The health axis: everything that happens is one immutable [`Fact`].
//!
//! [`Record::append`] writes facts and, in the same transaction, every view that is derived of them. Appending is
//! idempotent: the same fact again is already there; the same identifier with other content is an alarm, never an
//! overwrite. A fact that breaks a rule is parked with a reason that someone sees. A correction is a new fact. Where the law
//! wants somebody's data erased, [`Record::erase`] leaves of each fact that there was one (`docs/adr/015-erasure.md`).
//!
//! *Invariant:* this crate knows no kind of fact and no view by name; who owns them registers a [`Projection`].

mod append;
mod erase;
mod fact;
mod park;
mod rebuild;
mod store;
mod timeline;

use kangmai_database::{DatabaseError, Migration, Migrations, Transaction};

pub use append::{Appended, Record, known_facts};
pub use erase::{Along, Erased, nothing_along, nothing_to_forget};
pub use fact::{Fact, NewFact, Source, Subject, SubjectKind};
pub use park::{ParkedFact, list_parked, park_fact, parked_waiting, resolve_parked};
pub use rebuild::{Difference, rebuild};
pub use store::{CLEAR_TEXT, SEALED, open_body, open_body_by, was_erased};
pub use timeline::{facts_of_kind, struck_out, timeline};

/// The tables of this crate.
pub const MIGRATIONS: Migrations = Migrations {
    owner: "record",
    steps: &[
        Migration { name: "001-facts", sql: include_str!("../migrations/001-facts.sql") },
        Migration { name: "002-sealed-bodies", sql: include_str!("../migrations/002-sealed-bodies.sql") },
        Migration { name: "003-bodies-in-clear", sql: include_str!("../migrations/003-bodies-in-clear.sql") },
        Migration { name: "004-erased", sql: include_str!("../migrations/004-erased.sql") },
    ],
};

/// The words of this crate.
pub const WORDS: &str = include_str!("../words.toml");

/// How facts of some kinds become rows of some views.
#[derive(Debug, Clone, Copy)]
pub struct Projection {
    /// For messages.
    pub name: &'static str,
    /// The kinds that it reads.
    pub kinds: &'static [&'static str],
    /// The tables that it alone writes, each named with the columns that tell a row.
    pub views: &'static [&'static str],
    /// Whether a fact's body can be read and breaks no rule that the body alone tells. A refused fact is parked.
    pub admit: fn(&NewFact) -> Result<(), kangmai_base::Refusal>,
    /// Writes the rows. Gets the facts in the order of appending, only admitted ones of its kinds. Must come to the
    /// same rows however the facts are cut into calls.
    pub apply: fn(&mut Transaction<'_>, &[&Fact]) -> Result<(), DatabaseError>,
    /// What goes with a subject that is to be erased, besides the facts about it; [`nothing_along`] if nothing does.
    pub along: fn(&mut Transaction<'_>, Subject) -> Result<Along, DatabaseError>,
    /// Takes a subject that is being erased out of the views, and out of sums, so that they are as a rebuild would leave them;
    /// [`nothing_to_forget`] if they hold nothing about persons, households and cases. The facts about the subject can
    /// still be read; those about others that named it are cut already.
    pub forget: fn(&mut Transaction<'_>, Subject) -> Result<(), DatabaseError>,
}
