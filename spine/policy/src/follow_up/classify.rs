//! What a visit comes to.

use std::collections::BTreeMap;

use kangmai_base::Sex;
use serde::{Deserialize, Serialize};

use super::item::{ItemKind, Measure};
use super::{FollowUpRules, Item, State};

/// One answer of a visit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// A number.
    Number(Measure),
    /// One or several options by their names.
    Chosen(Vec<String>),
    /// Words.
    Words(String),
}

/// The answers of a visit, by item. What was not asked, or not answered, is not there.
pub type Answers = BTreeMap<String, Answer>;

/// What of the patient the rules ask besides the answers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Patient<'p> {
    /// Completed years on the day of the visit.
    pub age: Option<u8>,
    /// Sex.
    pub sex: Option<Sex>,
    /// What the visit before in this programme came to, if there was one that could be classified.
    pub last: Option<&'p str>,
}

/// What a visit comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Classified<'r> {
    /// It is in this state.
    As(&'r State),
    /// It cannot be told before these items are answered.
    Incomplete(Vec<String>),
    /// No row of the table fits: the table leaves such a visit open, or asks an age or a sex that is not known.
    Open,
}

/// What is wrong with an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnswerFault {
    /// Not a number, or with too many digits behind the point.
    NotANumber,
    /// Outside what a living person can have.
    OutOfRange,
    /// Not one of the options.
    NotAnOption,
    /// More than one where one is asked, or the option "none" beside others.
    Contradicts,
}

impl Item {
    /// Reads what was written or chosen for it.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn answer(&self, written: &[&str]) -> Result<Answer, AnswerFault> {
        match &self.kind {
            ItemKind::Number { decimals, least, most, .. } => {
                let [text] = written else { return Err(AnswerFault::Contradicts) };
                let number: Measure = text.trim().parse().map_err(|_| AnswerFault::NotANumber)?;
                if !number.fits(*decimals) {
                    Err(AnswerFault::NotANumber)
                } else if number < *least || number > *most {
                    Err(AnswerFault::OutOfRange)
                } else {
                    Ok(Answer::Number(number))
                }
            }
            ItemKind::One(_) if written.len() != 1 => Err(AnswerFault::Contradicts),
            ItemKind::One(options) | ItemKind::Several(options) => {
                let is_known = |one: &&str| options.iter().any(|option| option.id == **one);
                let is_none = |one: &&str| options.first().is_some_and(|first| first.id == **one);
                let several = matches!(self.kind, ItemKind::Several(_));
                if written.is_empty() || !written.iter().all(is_known) {
                    Err(AnswerFault::NotAnOption)
                } else if several && written.len() > 1 && written.iter().any(is_none) {
                    Err(AnswerFault::Contradicts)
                } else {
                    Ok(Answer::Chosen(written.iter().map(|one| (*one).to_owned()).collect()))
                }
            }
            ItemKind::Words => Ok(Answer::Words(written.join("\n"))),
        }
    }
}

impl FollowUpRules {
    /// What a visit with these answers comes to: the first row whose condition holds. A row of which it cannot be told
    /// yet whether it holds keeps every later row from being taken: the rows go from the gravest down.
    pub fn classify(&self, answers: &Answers, patient: &Patient<'_>) -> Classified<'_> {
        let mut is_open = false;
        let mut missing = Vec::new();
        for state in &self.states {
            match state.when.holds(answers, patient, &mut missing) {
                Some(true) if !is_open => return Classified::As(state),
                Some(true) => break,
                Some(false) => {}
                None => is_open = true,
            }
        }
        if is_open && !missing.is_empty() { Classified::Incomplete(missing) } else { Classified::Open }
    }

    /// The required items that a visit has not answered, in the order in which they are asked.
    pub fn unanswered(&self, answers: &Answers) -> Vec<&Item> {
        let asks = self.asks.iter().filter(|ask| ask.required && !answers.contains_key(&ask.item.id));
        asks.map(|ask| &*ask.item).collect()
    }
}
