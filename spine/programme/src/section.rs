//! Parts that a programme adds to pages that it does not own.

use kangmai_access::{Actor, Purpose, Reach, reach};
use kangmai_base::{Day, Moment};
use kangmai_database::{DatabaseError, Transaction};
use kangmai_people::{Household, Person};
use kangmai_record::Fact;
use kangmai_web::{Html, Page};

use crate::App;

/// Who looks at a person or household, and how.
pub struct Looking {
    /// The program.
    pub app: App,
    /// Who looks.
    pub actor: Actor,
    /// How far, for finding people. For bills, plans or warnings ask access for that purpose.
    pub reach: Reach,
    /// The frame: language and words.
    pub page: Page,
    /// The present day.
    pub today: Day,
}

impl Looking {
    /// How far the one who looks may do `purpose` with this person: by place, or by the relation that opened the page.
    pub fn within(&self, purpose: Purpose, person: &Person) -> Option<Reach> {
        let by_place = reach(&self.actor, purpose).filter(|within| within.covers(person.home));
        let by_relation = || self.reach.for_purpose(&self.actor, purpose);
        by_place.or_else(by_relation).filter(|within| within.covers_person(person.id.uuid(), person.home))
    }
}

/// A part of a page.
#[derive(Debug, Clone)]
pub struct Section {
    /// Its heading, in the reader's language.
    pub heading: String,
    /// Its markup.
    pub body: Html,
    /// Where it stands; lower comes first.
    pub order: u8,
}

/// Makes the part of a person's page; `None` if there is nothing to show or the actor may not see it.
pub type PersonSection =
    fn(&mut Transaction<'_>, &Looking, &Person) -> Result<Option<Section>, DatabaseError>;

/// Makes the part of a household's page, whose living members are given.
pub type HouseholdSection =
    fn(&mut Transaction<'_>, &Looking, &Household, &[Person]) -> Result<Option<Section>, DatabaseError>;

/// A fact in the reader's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// What happened, in one sentence.
    pub title: String,
    /// What else is to be said.
    pub details: Vec<String>,
}

/// How a programme tells its facts on a person's timeline.
#[derive(Debug, Clone, Copy)]
pub struct Telling {
    /// Facts about something else (a case of the household) that belong on the person's timeline too: those that
    /// happened before a moment, newest first, at most so many, as far as the actor may see them.
    pub also: MoreFacts,
    /// A fact of the programme in words; `None` where the sentence `{kind}.timeline` says it.
    pub sentence: fn(&Looking, &Person, &Fact) -> Option<Told>,
}

/// Reads [`Telling::also`].
pub type MoreFacts =
    fn(&mut Transaction<'_>, &Looking, &Person, Option<Moment>, i64) -> Result<Vec<Fact>, DatabaseError>;

/// For a programme whose facts are all about the person.
///
/// # Errors
/// None.
pub fn nothing_more(
    _: &mut Transaction<'_>,
    _: &Looking,
    _: &Person,
    _: Option<Moment>,
    _: i64,
) -> Result<Vec<Fact>, DatabaseError> {
    Ok(Vec::new())
}
