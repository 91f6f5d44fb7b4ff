//! The lists of residents that figures open: one for each label, and those who need looking after for another reason.

use kangmai_access::Reach;
use kangmai_base::{Day, PlaceRange};
use kangmai_database::{DatabaseError, Transaction};
use kangmai_people::{
    Label, Person, count_living, count_not_enrolled, count_with_label, count_with_marks, people_at,
    people_not_enrolled, people_with_label, people_with_marks,
};

/// Which residents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum List {
    /// All who live.
    All,
    /// Those who have this label on the day.
    Label(Label),
    /// Those in no basic insurance.
    NotEnrolled,
    /// Those whose record has marks.
    Marked,
}

impl List {
    /// All lists, in the order in which they are offered.
    pub fn every() -> impl Iterator<Item = List> {
        Label::ALL.into_iter().map(List::Label).chain([List::NotEnrolled, List::Marked, List::All])
    }

    /// Its name in addresses.
    pub const fn key(self) -> &'static str {
        match self {
            List::All => "all",
            List::Label(label) => label.key(),
            List::NotEnrolled => "not_enrolled",
            List::Marked => "marked",
        }
    }

    /// Key of its word.
    pub const fn word(self) -> &'static str {
        match self {
            List::All => "register.list.all",
            List::Label(label) => label.word(),
            List::NotEnrolled => "register.list.not_enrolled",
            List::Marked => "register.list.marked",
        }
    }

    /// The list of this name.
    pub fn of_key(key: &str) -> Option<List> {
        List::every().find(|list| list.key() == key)
    }

    /// How many are in it within reach on `day`.
    ///
    /// # Errors
    /// When the database fails.
    pub fn count(self, tx: &mut Transaction<'_>, reach: &Reach, day: Day) -> Result<i64, DatabaseError> {
        let places = range(reach);
        match self {
            List::All => count_living(tx, places),
            List::Label(label) => count_with_label(tx, places, (label, day)),
            List::NotEnrolled => count_not_enrolled(tx, places),
            List::Marked => count_with_marks(tx, places),
        }
    }

    /// Those in it within reach on `day`, by place.
    ///
    /// # Errors
    /// When the database fails.
    pub fn people(
        self,
        tx: &mut Transaction<'_>,
        reach: &Reach,
        day: Day,
        offset: i64,
        limit: i64,
    ) -> Result<Vec<Person>, DatabaseError> {
        let places = range(reach);
        match self {
            List::All => people_at(tx, places, offset, limit),
            List::Label(label) => people_with_label(tx, places, (label, day), offset, limit),
            List::NotEnrolled => people_not_enrolled(tx, places, offset, limit),
            List::Marked => people_with_marks(tx, places, offset, limit),
        }
    }
}

fn range(reach: &Reach) -> PlaceRange {
    reach.places()
}
