//! Writing down: decided from all that is known of the person's hand-overs and written in one transaction.

use kangmai_base::{Day, DivisionCode, Moment, Refusal, Uuid};
use kangmai_database::{DatabaseError, Transaction};
use kangmai_people::Person;
use kangmai_programme::App;
use kangmai_record::{NewFact, Source, Subject};
use serde::Serialize;

use crate::facts::{ANSWERED, ASKED, Answered, Asked, ENDED, EndReason, Ended, Side};
use crate::rules::{self, HandOver, Question};
use crate::store;

/// Who writes, for which place, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hand {
    /// The account.
    pub author: Uuid,
    /// By name.
    pub by: String,
    /// The place that they work for.
    pub place: DivisionCode,
    /// The present.
    pub now: Moment,
}

/// What is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The place of living serves from this day on.
    Accept(Day),
    /// It does not, or home does not let go, and why.
    Refuse(String),
}

fn keep(
    tx: &mut Transaction<'_>,
    app: &App,
    (person, home): (Uuid, DivisionCode),
    hand: &Hand,
    (kind, body): (&str, &impl Serialize),
) -> Result<(), DatabaseError> {
    let body = serde_json::to_string(body).map_err(|error| DatabaseError::Refused(error.to_string()))?;
    let fact = NewFact {
        id: app.mint(),
        kind: kind.to_owned(),
        subject: Subject::person(person),
        occurred_at: hand.now,
        recorded_at: hand.now,
        place: home,
        author: hand.author,
        source: Source::Typed,
        corrects: None,
        body,
    };
    app.record.keep(tx, hand.now, vec![fact])
}

/// Asks that the place where somebody lives take their care over; answers which hand-over it is. A question that is sent twice is
/// one.
///
/// # Errors
/// When the database fails; the inner refusal when a rule says no.
pub fn ask(
    tx: &mut Transaction<'_>,
    app: &App,
    hand: &Hand,
    (person, side): (&Person, Side),
    (id, living, note): (Uuid, DivisionCode, String),
) -> Result<Result<Uuid, Refusal>, DatabaseError> {
    // Two questions about one person at once must see each other.
    tx.lock("residence.hand_over")?;
    let today = hand.now.day();
    let known = store::of_person(tx, person.id.uuid())?;
    if known.iter().any(|one| one.id() == id) {
        return Ok(Ok(id));
    }
    let question = Question {
        home: person.home,
        is_alive: person.body.died_on.is_none(),
        known: &known,
        living,
        side,
        asker: hand.place,
    };
    if let Err(refusal) = rules::may_ask(&question, today) {
        return Ok(Err(refusal));
    }
    let body = Asked { hand_over: id, living, side, on: today, note, by: hand.by.clone() };
    keep(tx, app, (person.id.uuid(), person.home), hand, (ASKED, &body))?;
    Ok(Ok(id))
}

/// Answers a question.
///
/// # Errors
/// As [`ask`].
pub fn answer(
    tx: &mut Transaction<'_>,
    app: &App,
    hand: &Hand,
    (person, one): (Uuid, &HandOver),
    answer: Answer,
) -> Result<Result<(), Refusal>, DatabaseError> {
    let today = hand.now.day();
    let checked = rules::may_answer(one, hand.place, today).and_then(|()| match &answer {
        Answer::Accept(from_on) => rules::check_from(*from_on, today),
        Answer::Refuse(reason) => rules::check_reason(reason, "reason"),
    });
    if let Err(refusal) = checked {
        return Ok(Err(refusal));
    }
    let (from_on, reason) = match answer {
        Answer::Accept(from_on) => (Some(from_on), String::new()),
        Answer::Refuse(reason) => (None, reason),
    };
    let body = Answered { hand_over: one.id(), on: today, from_on, reason, by: hand.by.clone() };
    keep(tx, app, (person, one.home), hand, (ANSWERED, &body))?;
    Ok(Ok(()))
}

/// Ends a hand-over from today on, or takes a question back.
///
/// # Errors
/// As [`ask`].
pub fn end(
    tx: &mut Transaction<'_>,
    app: &App,
    hand: &Hand,
    (person, one): (Uuid, &HandOver),
    (why, note): (EndReason, String),
) -> Result<Result<(), Refusal>, DatabaseError> {
    let today = hand.now.day();
    let mut checked = rules::may_end(one, hand.place, why, today);
    if why == EndReason::Other {
        checked = checked.and_then(|()| rules::check_reason(&note, "note"));
    }
    if let Err(refusal) = checked {
        return Ok(Err(refusal));
    }
    let body = Ended { hand_over: one.id(), on: today, why, note, by: hand.by.clone() };
    keep(tx, app, (person, one.home), hand, (ENDED, &body))?;
    Ok(Ok(()))
}
