//! What is kept of one person, told by the programmes that keep it: so that the person can be told, and nobody is erased
//! whose records a law keeps.

use kangmai_base::Day;
use kangmai_database::{DatabaseError, Transaction};
use kangmai_people::Person;
use kangmai_policy::RecordClass;

/// What a programme keeps of a person, of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holding {
    /// Key of the word for what it is.
    pub word: &'static str,
    /// The class by which its time is told; none: no law asks that it be kept.
    pub class: Option<RecordClass>,
    /// How many records.
    pub count: i64,
    /// The day of the latest; none where there is no day.
    pub latest: Option<Day>,
}

/// Reads what a programme keeps of a person, with or without what is of level 5 (GB/T 39725-2020). What it has none of may be
/// left out.
pub type Holdings = fn(&mut Transaction<'_>, &Person, bool) -> Result<Vec<Holding>, DatabaseError>;
