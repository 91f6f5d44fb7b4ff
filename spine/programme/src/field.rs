//! What a programme does with phones that work without a network: what of its facts they are told, and what they write.

use kangmai_access::{Actor, Reach};
use kangmai_base::{Moment, Refusal, Uuid};
use kangmai_database::{DatabaseError, Transaction};
use kangmai_people::Person;
use kangmai_policy::Release;
use kangmai_record::NewFact;
use serde_json::Value;

use crate::App;

/// A programme's part in the field.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// The kinds of facts that phones are told.
    pub told: &'static [&'static str],
    /// The kinds among them that say who is looked after: they are told however old they are.
    pub lasting: &'static [&'static str],
    /// What a phone is told of a fact; none: nothing, as of whatever tells a disease of level 5.
    pub tell: fn(&Release, &NewFact) -> Option<ToldToPhone>,
    /// The kinds of facts that phones write.
    pub written: &'static [&'static str],
    /// What a phone would have written, of a fact of these kinds that was written at a desk: so a hub hands it on. None: it
    /// cannot be read.
    pub hand_on: fn(&NewFact) -> Option<Value>,
    /// Takes what phones wrote, in the order in which it is given and in one transaction; answers for each.
    pub take: Take,
}

/// Takes what one account wrote on its phone, as far as it reaches.
pub type Take =
    fn(&mut Transaction<'_>, &App, (&Actor, &Reach), Vec<Sent>) -> Result<Vec<Taken>, DatabaseError>;

/// What a phone is told of a fact.
#[derive(Debug, Clone, PartialEq)]
pub struct ToldToPhone {
    /// The body.
    pub body: Value,
    /// Whether something was left out, so that it cannot be put right from there.
    pub is_cut: bool,
}

/// What a phone wrote.
#[derive(Debug, Clone, PartialEq)]
pub struct Sent {
    /// The fact, as it is to be in the record: place, author and source are the server's.
    pub fact: NewFact,
    /// Whom it is about.
    pub person: Person,
    /// The server's clock.
    pub now: Moment,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken {
    /// It is in the record, with this identifier.
    Kept(Uuid),
    /// The record says so already.
    There,
    /// A rule speaks against it: it is put aside for somebody to look at.
    Refused(Refusal),
    /// It cannot be read; the member that is at fault.
    Unreadable(String),
}
