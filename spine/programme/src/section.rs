//! Parts that a programme adds to pages that it does not own.

use kangmai_access::{Actor, Reach};
use kangmai_base::Day;
use kangmai_database::{DatabaseError, Transaction};
use kangmai_people::{Household, Person};
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
