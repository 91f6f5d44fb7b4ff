//! What a programme is: a plain table ([`Programme`]) of its words, tables, views, routes, imports, figures and the parts
//! it adds to pages that it does not own.
//!
//! Navigation, permissions, the home page, a person's page, imports, figures, migrations and template tests go over
//! the list of programmes; adding one touches its folder and one line of that list.
//!
//! *Invariant:* a route cannot exist without a purpose ([`Route`]), and a handler that takes a [`Visit`] or a [`Call`] gets
//! a [`kangmai_access::Reach`] for that purpose and no other. An interface cannot exist without its description.

mod app;
mod call;
mod field;
mod figure;
mod figure_book;
mod gate;
mod holding;
mod import;
mod law;
mod operation;
mod place;
mod route;
mod section;
mod store;
mod telling;
mod visit;

use kangmai_access::{Actor, Purpose};
use kangmai_base::Day;
use kangmai_database::{DatabaseError, Migration, Migrations, Transaction};
use kangmai_record::Projection;

pub use app::{App, AppParts, Settings};
pub use call::{Call, PhoneCall};
pub use field::{Field, Sent, Take, Taken, ToldToPhone};
pub use figure::{Figure, FigureValue};
pub use figure_book::{Counted, FigureBook};
pub use gate::{Door, Gate, GateRules, RequestLimits, WRONG_WINDOW_SECONDS, count_strangers};
pub use holding::{Holding, Holdings};
pub use import::{Import, ImportRun, PlanRest, PlanRows, Planned};
pub use law::{
    Conflict, FileToPublish, Law, LawError, NewPublication, Publication, PublishedFile, Touches, conflicts,
    read_law, with_published,
};
pub use operation::{Described, Operation, openapi};
pub use place::{place_choices, place_name};
pub use route::{API_LIMIT_BYTES, Route, peer_of, percent_encoded, routed};
pub use section::{
    HouseholdSection, Looking, MoreFacts, PersonSection, Section, Telling, Told, nothing_more,
};
pub use store::{
    keep_release, kept_text, laid_over, newest_publication, publication, publications, publish, release_files,
};
pub use visit::{Admitted, Visit};

/// The tables of this crate.
pub const MIGRATIONS: Migrations = Migrations {
    owner: "programme",
    steps: &[Migration { name: "001-releases", sql: include_str!("../migrations/001-releases.sql") }],
};

/// A programme, as data and functions.
#[derive(Debug, Clone, Copy)]
pub struct Programme {
    /// Its folder's name; the beginning of its words' keys.
    pub name: &'static str,
    /// Its `words.toml`.
    pub words: &'static str,
    /// Its tables.
    pub migrations: Migrations,
    /// How its facts become rows of its tables.
    pub projections: &'static [Projection],
    /// Its entries of the navigation.
    pub navigation: &'static [Navigation],
    /// Its routes, each with its purpose.
    pub routes: fn() -> Vec<Route>,
    /// What comes in as a file.
    pub imports: &'static [Import],
    /// Its indicators.
    pub figures: &'static [Figure],
    /// What waits for an actor today: lines of the home page.
    pub due: Due,
    /// What it adds to a person's page.
    pub person: Option<PersonSection>,
    /// What it adds to a household's page.
    pub household: Option<HouseholdSection>,
    /// How it tells its facts on a person's timeline, where the sentence `{kind}.timeline` is not enough.
    pub timeline: Option<Telling>,
    /// What it keeps of a person, and under which class of records.
    pub holdings: Option<Holdings>,
    /// What phones are told of its facts, and what they write.
    pub field: Option<Field>,
}

/// Works out the lines of the home page for an actor on a day.
pub type Due = fn(&mut Transaction<'_>, &App, &Actor, Day) -> Result<Vec<DueLine>, DatabaseError>;

/// An entry of the navigation; shown to who has its purpose.
#[derive(Debug, Clone, Copy)]
pub struct Navigation {
    /// Key of its word.
    pub word: &'static str,
    /// Where it leads.
    pub path: &'static str,
    /// Who sees it.
    pub purpose: Purpose,
    /// Where it stands among the others; lower comes first.
    pub order: u8,
}

/// What waits for somebody: a count with its sentence, and where it leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueLine {
    /// Key of a sentence with `{count}`.
    pub word: &'static str,
    /// How many.
    pub count: i64,
    /// How many of them are late.
    pub late: i64,
    /// The list.
    pub path: String,
}

/// For a programme that adds no line to the home page.
///
/// # Errors
/// None.
pub fn nothing_due(
    _: &mut Transaction<'_>,
    _: &App,
    _: &Actor,
    _: Day,
) -> Result<Vec<DueLine>, DatabaseError> {
    Ok(Vec::new())
}
