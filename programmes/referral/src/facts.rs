//! The facts that this programme owns, all about a person. A body, once written, is read for ever: it is never changed, only
//! followed by a new version.
//!
//! What tells a disease of level 5 has `sensitive: true`: who does not treat sees nothing of it (GB/T 39725-2020).

use kangmai_base::{Day, DivisionCode, Uuid};
use kangmai_places::InstitutionTier;
use serde::{Deserialize, Serialize};

/// The kind of [`Opened`].
pub const OPENED: &str = "referral.opened";
/// The kind of [`Answered`].
pub const ANSWERED: &str = "referral.answered";
/// The kind of [`Arrived`].
pub const ARRIVED: &str = "referral.arrived";
/// The kind of [`Ended`].
pub const ENDED: &str = "referral.ended";
/// The kind of [`Waived`].
pub const WAIVED: &str = "referral.waived";
/// The kind of [`Undone`].
pub const UNDONE: &str = "referral.undone";
/// All kinds.
pub const KINDS: &[&str] = &[OPENED, ANSWERED, ARRIVED, ENDED, WAIVED, UNDONE];

const fn is_false(flag: &bool) -> bool {
    !*flag
}

macro_rules! keyed {
    ($(#[$about:meta])* $name:ident { $($(#[$meta:meta])* $variant:ident = $key:literal;)+ }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$meta])* $variant,)+ }

        impl $name {
            /// All, in the order of forms.
            pub const ALL: &[$name] = &[$($name::$variant),+];

            /// As forms send it and tables hold it.
            pub const fn key(self) -> &'static str {
                match self { $($name::$variant => $key),+ }
            }

            /// The one that `key` names.
            pub fn of_key(key: &str) -> Option<$name> {
                match key { $($key => Some($name::$variant),)+ _ => None }
            }
        }
    };
}

keyed! {
    /// Which way somebody is referred.
    Direction {
        /// 上转: to who can do more.
        Up = "up";
        /// 下转: back to who is near.
        Down = "down";
    }
}

keyed! {
    /// How much it presses.
    Urgency {
        /// 立即转诊
        AtOnce = "at_once";
        /// 一般转诊
        Ordinary = "ordinary";
    }
}

keyed! {
    /// Why a referral, or a visit that came to one, is over without more.
    EndReason {
        /// 撤回: the sender takes it back before anybody came.
        Withdrawn = "withdrawn";
        /// 经复查不需要转诊
        NotNeeded = "not_needed";
        /// 患者不愿转诊
        PatientRefused = "patient_refused";
        /// 已在别处就诊
        Elsewhere = "elsewhere";
        /// 接诊结束，不需要下转
        Treated = "treated";
        /// 死亡
        Died = "died";
    }
}

/// One side of a referral, as it was on the day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Party {
    /// The institution; none where the sender's is not in the register of institutions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub institution: Option<Uuid>,
    /// What it is called.
    pub name: String,
    /// Whose it is.
    pub tier: InstitutionTier,
    /// Where it stands.
    pub place: DivisionCode,
    /// Telephone of its front desk.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub phone: String,
}

/// Why: what a visit came to in one programme of follow-up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    /// The programme.
    pub programme: String,
    /// The state, by its name in the table.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub state: String,
    /// The figures that decided.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub figures: String,
    /// On which day.
    pub on: Day,
    /// Level 5.
    #[serde(default, skip_serializing_if = "is_false")]
    pub sensitive: bool,
}

/// What somebody is sent back with (下转单的出院小结部分).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Summary {
    /// The diagnosis, in words.
    pub diagnosis: String,
    /// What was done.
    pub done: String,
    /// Medicines from now on.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub medicines: String,
    /// What is advised.
    pub advice: String,
    /// The day by which the hospital wants the next visit, if it says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_visit_by: Option<Day>,
}

/// Somebody is referred.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Opened {
    /// Which referral; minted with the form, so that a form sent twice is one.
    pub referral: Uuid,
    /// Which way.
    pub direction: Direction,
    /// On which day.
    pub on: Day,
    /// By whom.
    pub from: Party,
    /// To whom.
    pub to: Party,
    /// How much it presses.
    pub urgency: Urgency,
    /// The visit that came to it, if one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visit: Option<Uuid>,
    /// What that visit came to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<Reason>,
    /// Medicines, as the visit has them.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub medicines: String,
    /// In words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// Of one downwards: what was found and done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<Summary>,
    /// Of one downwards: the referral that it sends back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sends_back: Option<Uuid>,
    /// The referral that was refused, or to which nobody came, in whose place this one stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instead_of: Option<Uuid>,
    /// Who, by name.
    pub by: String,
    /// Hash of the release.
    pub law: String,
    /// Whether it tells a disease of level 5.
    #[serde(default, skip_serializing_if = "is_false")]
    pub sensitive: bool,
}

/// Who was asked answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answered {
    /// Which referral.
    pub referral: Uuid,
    /// Whether they take the person.
    pub accepted: bool,
    /// On which day.
    pub on: Day,
    /// The day on which the person is to come, if one was named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub come_on: Option<Day>,
    /// To which department.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub department: String,
    /// Of a refusal: why. Else what is to be brought, and so on.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// Who, by name.
    pub by: String,
    /// As the referral.
    #[serde(default, skip_serializing_if = "is_false")]
    pub sensitive: bool,
}

/// The person came, or did not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Arrived {
    /// Which referral.
    pub referral: Uuid,
    /// Whether they came.
    pub came: bool,
    /// On which day; of one who did not come: when it was written down.
    pub on: Day,
    /// In words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// Who, by name.
    pub by: String,
    /// As the referral.
    #[serde(default, skip_serializing_if = "is_false")]
    pub sensitive: bool,
}

/// A referral is over without being sent back or sent on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ended {
    /// Which referral.
    pub referral: Uuid,
    /// On which day.
    pub on: Day,
    /// Why.
    pub reason: EndReason,
    /// In words.
    pub note: String,
    /// Who, by name.
    pub by: String,
    /// As the referral.
    #[serde(default, skip_serializing_if = "is_false")]
    pub sensitive: bool,
}

/// A visit came to a referral, and none is made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Waived {
    /// The visit.
    pub visit: Uuid,
    /// On which day that was decided.
    pub on: Day,
    /// Why.
    pub reason: EndReason,
    /// In words.
    pub note: String,
    /// Who, by name.
    pub by: String,
    /// Whether the visit tells a disease of level 5.
    #[serde(default, skip_serializing_if = "is_false")]
    pub sensitive: bool,
}

/// Who did something took it back on the same day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Undone {
    /// The fact that is taken back.
    pub fact: Uuid,
    /// On which day.
    pub on: Day,
    /// Who, by name.
    pub by: String,
    /// As the fact that is taken back.
    #[serde(default, skip_serializing_if = "is_false")]
    pub sensitive: bool,
}
