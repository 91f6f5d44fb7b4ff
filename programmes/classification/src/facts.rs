//! The facts that this programme owns. A body, once written, is read for ever: it is never changed, only followed by a
//! new version.

use kangmai_base::{Day, Uuid};
use serde::{Deserialize, Serialize};

use crate::rules::{Plan, PlanKind};

/// The kind of [`Diagnosed`].
pub const DIAGNOSED: &str = "classification.diagnosed";
/// The kind of [`PutRight`].
pub const PUT_RIGHT: &str = "classification.put_right";
/// The kind of [`Decided`].
pub const DECIDED: &str = "classification.decided";
/// The kind of [`Planned`].
pub const PLANNED: &str = "classification.planned";

/// A person was found to have a disease. The same `diagnosis` again, with the earlier fact in `corrects`, puts it right
/// or ends it: always the whole state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Diagnosed {
    /// Which diagnosis; stays the same when it is put right.
    pub diagnosis: Uuid,
    /// The code as it was given: `I10.x00`.
    pub code: String,
    /// The code system and its version: `ICD-10 国家临床版2.0`.
    pub system: String,
    /// What it is called there.
    pub name: String,
    /// The day of the diagnosis.
    pub from: Day,
    /// The day from which it no longer holds, if it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Day>,
    /// Who found it, as the source names it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub institution: String,
    /// The file or desk that says so.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub origin: String,
    /// Proved to resist drugs (rifampicin at least): what no code tells.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub drug_resistant: bool,
    /// Of one recorded by hand: what it rests on.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// Sensitive level 5 by the lists of the place on the day it came in (GB/T 39725-2020).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sensitive: bool,
}

/// Somebody put a diagnosis right by hand, withdrew one that was entered by mistake, or took such an act back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PutRight {
    /// Which diagnosis.
    pub diagnosis: Uuid,
    /// What the record said.
    pub before: Diagnosed,
    /// What it says from now on; none: the diagnosis is withdrawn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Diagnosed>,
    /// Why.
    pub reason: String,
    /// Who, by name, as it stood then.
    pub by: String,
    /// On which day.
    pub on: Day,
    /// Whether either state is of level 5: then who does not treat sees nothing of it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sensitive: bool,
    /// The act that is taken back by this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undoes: Option<Uuid>,
}

/// Somebody who answers for it put a person into a plan, or took that back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decided {
    /// The plan; none: the decision before is taken back, the lists decide again.
    pub plan: Option<PlanKind>,
    /// Why.
    pub reason: String,
    /// Who, by name, as it stood then.
    pub by: String,
    /// On which day.
    pub on: Day,
}

/// The plan of a person came to be another, or came to have another reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Planned {
    /// On which day it was worked out.
    pub on: Day,
    /// The plan before.
    pub before: Option<PlanKind>,
    /// The plan now; none when no diagnosis holds any more.
    pub plan: Option<Plan>,
    /// Since when the person is in this plan; kept while only the reason changes.
    pub since: Day,
    /// Which diagnoses are major diseases, by the key of the list.
    pub major: Vec<(Uuid, String)>,
    /// Hash of the release whose lists were used.
    pub law: String,
}
