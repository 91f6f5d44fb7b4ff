//! The facts that this programme owns, all about a person. A body, once written, is read for ever: it is never changed,
//! only followed by a new version.
//!
//! What tells a disease of level 5 has `sensitive: true`: who does not treat sees nothing of it (GB/T 39725-2020).

use std::collections::BTreeMap;

use kangmai_base::{Day, Uuid};
use serde::{Deserialize, Serialize};

/// The kind of [`Enrolled`].
pub const ENROLLED: &str = "follow_up.enrolled";
/// The kind of [`Closed`].
pub const CLOSED: &str = "follow_up.closed";
/// The kind of [`Visited`].
pub const VISITED: &str = "follow_up.visited";
/// The kind of [`Classified`].
pub const CLASSIFIED: &str = "follow_up.classified";
/// The kind of [`Missed`].
pub const MISSED: &str = "follow_up.missed";
/// The kind of [`Undone`].
pub const UNDONE: &str = "follow_up.undone";
/// All kinds.
pub const KINDS: &[&str] = &[ENROLLED, CLOSED, VISITED, CLASSIFIED, MISSED, UNDONE];

const fn is_false(flag: &bool) -> bool {
    !*flag
}

/// Why somebody is managed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// A diagnosis in force.
    Diagnosis,
    /// Age alone.
    Age,
    /// A doctor or a notice from above said so.
    Hand,
}

/// Why a visit is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DueWhy {
    /// Nobody was there since the person came into the programme.
    First,
    /// So long after the last visit.
    Visit,
    /// What became of a referral.
    Referral,
    /// A visit with a time of its own.
    Window,
}

impl DueWhy {
    /// As it stands in the table and in the keys of words.
    pub const fn key(self) -> &'static str {
        match self {
            DueWhy::First => "first",
            DueWhy::Visit => "visit",
            DueWhy::Referral => "referral",
            DueWhy::Window => "window",
        }
    }

    /// The one that `key` names.
    pub fn of_key(key: &str) -> Option<DueWhy> {
        [DueWhy::First, DueWhy::Visit, DueWhy::Referral, DueWhy::Window]
            .into_iter()
            .find(|why| why.key() == key)
    }
}

/// A visit that is due.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Due {
    /// Why.
    pub why: DueWhy,
    /// Which window, by its name in the table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<String>,
    /// Not before this day, if it opens at one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Day>,
    /// Late after this day.
    pub until: Day,
}

/// How grave what a visit came to is: what the table says to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grade {
    /// Go on as before, or nothing was classified.
    Steady,
    /// The treatment changes.
    Adjust,
    /// Referred.
    Refer,
    /// Referred at once: in danger.
    Danger,
}

impl Grade {
    /// All, from the least.
    pub const ALL: [Grade; 4] = [Grade::Steady, Grade::Adjust, Grade::Refer, Grade::Danger];

    /// The higher, the graver.
    pub const fn rank(self) -> i64 {
        self as i64
    }

    /// The one of this rank.
    pub fn of_rank(rank: i64) -> Option<Grade> {
        Grade::ALL.into_iter().find(|grade| grade.rank() == rank)
    }
}

/// What a visit came to in one programme.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Found {
    /// The programme.
    pub programme: String,
    /// The state, by its name in the table; none where the table classifies nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// How grave it is.
    pub grade: Grade,
    /// Whether it counts as at target.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_target: Option<bool>,
    /// How many visits running came to a state that the table counts, this one included.
    pub running: u16,
    /// The figures that decide, as lists show them: `168/98`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub figures: String,
    /// What is due after it.
    pub due: Vec<Due>,
    /// Level 5.
    #[serde(default, skip_serializing_if = "is_false")]
    pub sensitive: bool,
}

/// A person is managed in a programme from now on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Enrolled {
    /// Which enrolment.
    pub enrolment: Uuid,
    /// The programme.
    pub programme: String,
    /// From this day.
    pub on: Day,
    /// When a notice from above came, if one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub noticed_on: Option<Day>,
    /// Why.
    pub basis: Basis,
    /// What is due from the beginning.
    pub due: Vec<Due>,
    /// Of one by hand: why.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// Of one by hand: who, by name.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub by: String,
    /// Hash of the release whose rules were used.
    pub law: String,
    /// Level 5.
    #[serde(default, skip_serializing_if = "is_false")]
    pub sensitive: bool,
}

/// Why somebody is no longer managed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CloseReason {
    /// Lives elsewhere for good.
    Moved,
    /// Treatment is complete.
    Cured,
    /// The disease was ruled out.
    NotIll,
    /// Does not want to be managed.
    Refused,
    /// Another reason.
    Other,
}

impl CloseReason {
    /// All of them.
    pub const ALL: [CloseReason; 5] = [
        CloseReason::Moved,
        CloseReason::Cured,
        CloseReason::NotIll,
        CloseReason::Refused,
        CloseReason::Other,
    ];

    /// As forms send it.
    pub const fn key(self) -> &'static str {
        match self {
            CloseReason::Moved => "moved",
            CloseReason::Cured => "cured",
            CloseReason::NotIll => "not_ill",
            CloseReason::Refused => "refused",
            CloseReason::Other => "other",
        }
    }

    /// The one that `key` names.
    pub fn of_key(key: &str) -> Option<CloseReason> {
        CloseReason::ALL.into_iter().find(|reason| reason.key() == key)
    }
}

/// A person is no longer managed in a programme.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Closed {
    /// Which enrolment ends.
    pub enrolment: Uuid,
    /// The programme.
    pub programme: String,
    /// From this day.
    pub on: Day,
    /// Why.
    pub reason: CloseReason,
    /// In words.
    pub note: String,
    /// Who, by name.
    pub by: String,
    /// Level 5.
    #[serde(default, skip_serializing_if = "is_false")]
    pub sensitive: bool,
}

/// How somebody was visited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// 门诊
    Clinic,
    /// 家庭
    Home,
    /// 电话
    Phone,
}

impl Way {
    /// In the order of the official forms.
    pub const ALL: [Way; 3] = [Way::Clinic, Way::Home, Way::Phone];

    /// As forms send it.
    pub const fn key(self) -> &'static str {
        match self {
            Way::Clinic => "clinic",
            Way::Home => "home",
            Way::Phone => "phone",
        }
    }

    /// The one that `key` names.
    pub fn of_key(key: &str) -> Option<Way> {
        Way::ALL.into_iter().find(|way| way.key() == key)
    }
}

/// How satisfied a patient is with the follow-up, as they say at the end of a visit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Satisfaction {
    /// 满意
    Satisfied,
    /// 一般
    Fair,
    /// 不满意
    Dissatisfied,
}

impl Satisfaction {
    /// The best first.
    pub const ALL: [Satisfaction; 3] =
        [Satisfaction::Satisfied, Satisfaction::Fair, Satisfaction::Dissatisfied];

    /// As forms send it and the table has it.
    pub const fn key(self) -> &'static str {
        match self {
            Satisfaction::Satisfied => "satisfied",
            Satisfaction::Fair => "fair",
            Satisfaction::Dissatisfied => "dissatisfied",
        }
    }

    /// The one that `key` names.
    pub fn of_key(key: &str) -> Option<Satisfaction> {
        Satisfaction::ALL.into_iter().find(|one| one.key() == key)
    }
}

/// What a patient said of the follow-up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Opinion {
    /// How satisfied.
    pub satisfied: Satisfaction,
    /// With what they are not.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
}

/// Somebody was visited: one sheet for all programmes. The same `visit` again, with the earlier fact in `corrects`, puts it
/// right: always the whole visit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Visited {
    /// Which visit; stays the same when it is put right.
    pub visit: Uuid,
    /// On which day.
    pub on: Day,
    /// How.
    pub way: Way,
    /// What was answered, by item, as it was written or chosen.
    pub answers: BTreeMap<String, Vec<String>>,
    /// The visits with a time of their own that this one was.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub windows: Vec<String>,
    /// What it came to, by programme.
    pub found: Vec<Found>,
    /// The day agreed on for the next visit, if one was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agreed_on: Option<Day>,
    /// In words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// What the patient said of the follow-up, if they were asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opinion: Option<Opinion>,
    /// Of one that puts another right: why.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// Who, by name.
    pub by: String,
    /// Hash of the release whose rules were used.
    pub law: String,
    /// Whether it tells a disease of level 5.
    #[serde(default, skip_serializing_if = "is_false")]
    pub sensitive: bool,
}

/// An earlier visit was written down, put right or taken back: what this one comes to is worked out again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Classified {
    /// Which visit.
    pub visit: Uuid,
    /// On which day it was.
    pub on: Day,
    /// What it comes to now.
    pub found: Vec<Found>,
    /// The release by which; empty in facts of before it was kept.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub law: String,
    /// Whether it tells a disease of level 5.
    #[serde(default, skip_serializing_if = "is_false")]
    pub sensitive: bool,
}

/// Why nobody was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// 不在家
    NotAtHome,
    /// 外出务工
    WorkingAway,
    /// 拒访
    Refused,
    /// 住院
    InHospital,
    /// 联系不上: nobody answers, or the number is no longer theirs
    Unreachable,
    /// 死亡
    Died,
    /// 改约
    PutOff,
}

impl Outcome {
    /// In the order of the buttons.
    pub const ALL: [Outcome; 7] = [
        Outcome::NotAtHome,
        Outcome::WorkingAway,
        Outcome::Refused,
        Outcome::InHospital,
        Outcome::Unreachable,
        Outcome::Died,
        Outcome::PutOff,
    ];

    /// As forms send it.
    pub const fn key(self) -> &'static str {
        match self {
            Outcome::NotAtHome => "not_at_home",
            Outcome::WorkingAway => "working_away",
            Outcome::Refused => "refused",
            Outcome::InHospital => "in_hospital",
            Outcome::Unreachable => "unreachable",
            Outcome::Died => "died",
            Outcome::PutOff => "put_off",
        }
    }

    /// The one that `key` names.
    pub fn of_key(key: &str) -> Option<Outcome> {
        Outcome::ALL.into_iter().find(|outcome| outcome.key() == key)
    }
}

/// Somebody went to see a person, or called, and did not see them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Missed {
    /// On which day.
    pub on: Day,
    /// Why.
    pub outcome: Outcome,
    /// The day agreed on instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub again_on: Option<Day>,
    /// Who, by name.
    pub by: String,
    /// Whether the person is managed for diseases of level 5 alone.
    #[serde(default, skip_serializing_if = "is_false")]
    pub sensitive: bool,
}

/// Who did something took it back.
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
