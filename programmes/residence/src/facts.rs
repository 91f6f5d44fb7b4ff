//! The facts that this programme owns, all about a person. A body, once written, is read for ever: it is never changed,
//! only followed by a new version.

use kangmai_base::{Day, DivisionCode, Uuid};
use serde::{Deserialize, Serialize};

/// The kind of [`Asked`].
pub const ASKED: &str = "residence.asked";
/// The kind of [`Answered`].
pub const ANSWERED: &str = "residence.answered";
/// The kind of [`Ended`].
pub const ENDED: &str = "residence.ended";
/// All kinds.
pub const KINDS: &[&str] = &[ASKED, ANSWERED, ENDED];

/// Which of the two places.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// 户籍地
    Home,
    /// 居住地
    Living,
}

impl Side {
    /// Both.
    pub const ALL: [Side; 2] = [Side::Home, Side::Living];

    /// As it stands in the table, in filters and in the keys of words.
    pub const fn key(self) -> &'static str {
        match self {
            Side::Home => "home",
            Side::Living => "living",
        }
    }

    /// The one that `key` names.
    pub fn of_key(key: &str) -> Option<Side> {
        Side::ALL.into_iter().find(|side| side.key() == key)
    }

    /// Who answers what this side asks.
    pub const fn other(self) -> Side {
        match self {
            Side::Home => Side::Living,
            Side::Living => Side::Home,
        }
    }
}

/// One of the two places asks the other that the place of living take somebody's care over. The fact's place is home.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// Which hand-over.
    pub hand_over: Uuid,
    /// The village in which the person lives.
    pub living: DivisionCode,
    /// Who asks.
    pub side: Side,
    /// On which day.
    pub on: Day,
    /// What the other side should know.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// Who, by name.
    pub by: String,
}

/// The other side answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answered {
    /// Which hand-over.
    pub hand_over: Uuid,
    /// On which day.
    pub on: Day,
    /// From which day on the place of living serves; none: refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_on: Option<Day>,
    /// Why not.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// Who, by name.
    pub by: String,
}

/// Why a hand-over is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// Came back to the place of registration.
    MovedBack,
    /// Lives somewhere else by now.
    MovedOn,
    /// Does not want it.
    NotWanted,
    /// It was a mistake.
    Mistake,
    /// Another reason, in words.
    Other,
    /// Who asked takes the question back before there is an answer.
    Withdrawn,
    /// Is registered in another township now: worked out of the register, never written.
    Registered,
}

impl EndReason {
    /// Those that a form offers while it is in force.
    pub const OFFERED: [EndReason; 5] = [
        EndReason::MovedBack,
        EndReason::MovedOn,
        EndReason::NotWanted,
        EndReason::Mistake,
        EndReason::Other,
    ];

    /// As it stands in the table and in the keys of words.
    pub const fn key(self) -> &'static str {
        match self {
            EndReason::MovedBack => "moved_back",
            EndReason::MovedOn => "moved_on",
            EndReason::NotWanted => "not_wanted",
            EndReason::Mistake => "mistake",
            EndReason::Other => "other",
            EndReason::Withdrawn => "withdrawn",
            EndReason::Registered => "registered",
        }
    }

    /// The offered one that `key` names.
    pub fn of_key(key: &str) -> Option<EndReason> {
        EndReason::OFFERED.into_iter().find(|reason| reason.key() == key)
    }
}

/// A hand-over is over: home visits again from this day on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ended {
    /// Which hand-over.
    pub hand_over: Uuid,
    /// From this day.
    pub on: Day,
    /// Why.
    pub why: EndReason,
    /// In words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// Who, by name.
    pub by: String,
}
