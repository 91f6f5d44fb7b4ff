//! The facts that this programme owns, all about a warning, which is a case of a household. A body, once written, is read
//! for ever: it is never changed, only followed by a new version.

use kangmai_base::{Day, Fen, Uuid};
use serde::{Deserialize, Serialize};

use crate::findings::{Costs, Finding, Level};
use crate::rules::{DismissReason, Stage};

/// A warning began.
pub const RAISED: &str = "poverty_watch.raised";
/// A warning came to be graver.
pub const LEVEL_CHANGED: &str = "poverty_watch.level_changed";
/// What a warning rests on changed, and it is not graver for it.
pub const UPDATED: &str = "poverty_watch.updated";
/// Somebody went to the house and found that there is risk.
pub const HOUSEHOLD_CHECKED: &str = "poverty_watch.household_checked";
/// The village reviewed it.
pub const VILLAGE_REVIEWED: &str = "poverty_watch.village_reviewed";
/// The village notice was posted.
pub const NOTICED: &str = "poverty_watch.noticed";
/// The township checked it.
pub const TOWNSHIP_CHECKED: &str = "poverty_watch.township_checked";
/// The county decided.
pub const COUNTY_DECIDED: &str = "poverty_watch.county_decided";
/// There is no risk, for a reason.
pub const DISMISSED: &str = "poverty_watch.dismissed";
/// What became of the household was told.
pub const OUTCOME_FED_BACK: &str = "poverty_watch.outcome_fed_back";
/// The last step was taken back by who took it.
pub const UNDONE: &str = "poverty_watch.undone";

/// All kinds, in the order of the work.
pub const KINDS: &[&str] = &[
    RAISED,
    LEVEL_CHANGED,
    UPDATED,
    HOUSEHOLD_CHECKED,
    VILLAGE_REVIEWED,
    NOTICED,
    TOWNSHIP_CHECKED,
    COUNTY_DECIDED,
    DISMISSED,
    OUTCOME_FED_BACK,
    UNDONE,
];

/// A bill that a warning rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvidenceBill {
    /// Which.
    pub bill: Uuid,
    /// Whose.
    pub person: Uuid,
    /// Day of discharge.
    pub on: Day,
    /// What the person bears.
    pub own: Fen,
    /// What of it lies outside the catalogues.
    pub own_uncovered: Fen,
}

/// What care cost one member, in both windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvidenceCosts {
    /// Whose.
    pub person: Uuid,
    /// From 1 January.
    pub year: Costs,
    /// Over the last twelve months.
    pub rolling: Costs,
}

/// What a run of the watch saw: the body of [`RAISED`], [`LEVEL_CHANGED`] and [`UPDATED`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seen {
    /// The household.
    pub household: Uuid,
    /// As of which day.
    pub as_of: Day,
    /// How grave it is. When nothing is found any more, as grave as before.
    pub level: Level,
    /// What was found, the gravest first.
    pub findings: Vec<Finding>,
    /// What care cost each member who had any.
    pub costs: Vec<EvidenceCosts>,
    /// The bills of the last twelve months.
    pub bills: Vec<EvidenceBill>,
    /// Hash of the release whose rules were used.
    pub law: String,
}

/// A step that somebody took: the body of every other kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// On which day.
    pub on: Day,
    /// Who, by name, as it stood then.
    pub by: String,
    /// The stage before.
    pub from: Stage,
    /// Since when it had been in that stage.
    pub since: Day,
    /// The stage from then on.
    pub to: Stage,
    /// What was written about it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// Of a home check: the household agrees that its data are compared between offices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consent: Option<bool>,
    /// Of a village notice: the day on which it was posted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub posted_on: Option<Day>,
    /// Of a township check: whether anybody objected to the notice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub objections: Option<bool>,
    /// Of a decision: whether the household is taken in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub take_in: Option<bool>,
    /// Of a dismissal: why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<DismissReason>,
    /// Of taking back: the fact that is taken back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undoes: Option<Uuid>,
}
