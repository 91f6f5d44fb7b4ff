//! What a fact is.

use kangmai_base::{DivisionCode, Moment, Refusal, Uuid};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// What a fact is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubjectKind {
    /// A person.
    Person,
    /// A household.
    Household,
    /// An institution.
    Institution,
    /// A case.
    Case,
    /// A division: what holds there for all.
    Place,
}

impl SubjectKind {
    /// As it stands in the table.
    pub const fn key(self) -> &'static str {
        match self {
            SubjectKind::Person => "person",
            SubjectKind::Household => "household",
            SubjectKind::Institution => "institution",
            SubjectKind::Case => "case",
            SubjectKind::Place => "place",
        }
    }

    pub(crate) fn from_key(key: &str) -> Option<SubjectKind> {
        const ALL: [SubjectKind; 5] = [
            SubjectKind::Person,
            SubjectKind::Household,
            SubjectKind::Institution,
            SubjectKind::Case,
            SubjectKind::Place,
        ];
        ALL.into_iter().find(|kind| kind.key() == key)
    }
}

/// Whom or what a fact is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Subject {
    /// Which kind of thing.
    pub kind: SubjectKind,
    /// Which one.
    pub id: Uuid,
}

impl Subject {
    /// A person.
    pub const fn person(id: Uuid) -> Subject {
        Subject { kind: SubjectKind::Person, id }
    }

    /// A household.
    pub const fn household(id: Uuid) -> Subject {
        Subject { kind: SubjectKind::Household, id }
    }

    /// An institution.
    pub const fn institution(id: Uuid) -> Subject {
        Subject { kind: SubjectKind::Institution, id }
    }

    /// A case.
    pub const fn case(id: Uuid) -> Subject {
        Subject { kind: SubjectKind::Case, id }
    }

    /// A division; its code stands in the identifier.
    pub const fn place(place: DivisionCode) -> Subject {
        Subject { kind: SubjectKind::Place, id: Uuid::from_u128(place.number() as u128) }
    }
}

/// Where a fact comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A person typed it.
    Typed,
    /// A device measured it.
    Device,
    /// A hospital's system sent it.
    Hospital,
    /// It came in a file.
    Import,
    /// The program worked it out under the law of a day.
    Derived,
}

impl Source {
    /// As it stands in the table.
    pub const fn key(self) -> &'static str {
        match self {
            Source::Typed => "typed",
            Source::Device => "device",
            Source::Hospital => "hospital",
            Source::Import => "import",
            Source::Derived => "derived",
        }
    }

    /// Key of its word.
    pub const fn word(self) -> &'static str {
        match self {
            Source::Typed => "record.source.typed",
            Source::Device => "record.source.device",
            Source::Hospital => "record.source.hospital",
            Source::Import => "record.source.import",
            Source::Derived => "record.source.derived",
        }
    }

    /// The source that `key` names.
    pub fn from_key(key: &str) -> Option<Source> {
        [Source::Typed, Source::Device, Source::Hospital, Source::Import, Source::Derived]
            .into_iter()
            .find(|source| source.key() == key)
    }
}

/// A fact as its author hands it in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NewFact {
    /// Minted by the author, so that a retry is harmless.
    pub id: Uuid,
    /// Programme and verb, such as `settlement.bill_received`.
    pub kind: String,
    /// Whom it is about.
    pub subject: Subject,
    /// When it happened.
    pub occurred_at: Moment,
    /// The author's clock when it was written down.
    pub recorded_at: Moment,
    /// Where it belongs: the place whose record it joins.
    pub place: DivisionCode,
    /// The account that answers for it; nil for the system.
    pub author: Uuid,
    /// Where it comes from.
    pub source: Source,
    /// The fact that it puts right, if any.
    pub corrects: Option<Uuid>,
    /// JSON; its form is its kind's.
    pub body: String,
}

impl NewFact {
    /// The body as a `T`.
    ///
    /// # Errors
    /// `record.parked.unreadable` when it is none.
    pub fn read_body<T: DeserializeOwned>(&self) -> Result<T, Refusal> {
        serde_json::from_str(&self.body).map_err(|_| Refusal::new("record.parked.unreadable"))
    }
}

/// A fact that was received.
#[derive(Debug, Clone, PartialEq)]
pub struct Fact {
    /// As it was handed in.
    pub new: NewFact,
    /// The server's clock when it came.
    pub received_at: Moment,
    /// The author's clock is more than [`Fact::CLOCK_TOLERANCE_SECONDS`] ahead of the server's.
    pub clock_fault: bool,
    /// Its number in its place, without gaps.
    pub place_sequence: i64,
}

impl Fact {
    /// How far an author's clock may run ahead.
    pub const CLOCK_TOLERANCE_SECONDS: i64 = 300;

    /// The body as a `T`. Facts in the record were admitted, so a failure is a fault of the program.
    ///
    /// # Errors
    /// [`kangmai_database::DatabaseError::Refused`], so that it can be raised inside a projection.
    pub fn body<T: DeserializeOwned>(&self) -> Result<T, kangmai_database::DatabaseError> {
        serde_json::from_str(&self.new.body).map_err(|error| {
            let (id, kind) = (self.new.id, &self.new.kind);
            let (line, column) = (error.line(), error.column());
            kangmai_database::DatabaseError::Refused(format!(
                "fact {id} of kind {kind} cannot be read (line {line}, column {column})"
            ))
        })
    }
}
