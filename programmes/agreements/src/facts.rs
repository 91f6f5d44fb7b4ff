//! The facts that this programme owns: about a person, or about a place where a team works. A body, once written, is read for
//! ever: it is never changed, only followed by a new version.
//!
//! What tells a disease of level 5 has `sensitive: true`: who does not treat sees nothing of it (GB/T 39725-2020).

use kangmai_base::{Day, DivisionCode, Uuid};
use serde::{Deserialize, Serialize};

/// The kind of [`TeamKept`].
pub const TEAM_KEPT: &str = "agreements.team_kept";
/// The kind of [`Offered`].
pub const OFFERED: &str = "agreements.offered";
/// The kind of [`Signed`].
pub const SIGNED: &str = "agreements.signed";
/// The kind of [`Moved`].
pub const MOVED: &str = "agreements.moved";
/// The kind of [`Ended`].
pub const ENDED: &str = "agreements.ended";
/// The kind of [`Done`].
pub const DONE: &str = "agreements.done";
/// The kind of [`Planned`].
pub const PLANNED: &str = "agreements.planned";
/// The kind of [`Undone`].
pub const UNDONE: &str = "agreements.undone";
/// All kinds about a person.
pub const KINDS: &[&str] = &[OFFERED, SIGNED, MOVED, ENDED, DONE, PLANNED, UNDONE];

const fn is_false(flag: &bool) -> bool {
    !*flag
}

/// Somebody in a team.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// Which membership: who leaves and comes back is another.
    pub member: Uuid,
    /// The account, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<Uuid>,
    /// By name.
    pub name: String,
    /// What they are in the team, by its name in the pack.
    pub role: String,
    /// Telephone, as residents are given it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub phone: String,
    /// Whether they lead the team.
    #[serde(default, skip_serializing_if = "is_false")]
    pub leads: bool,
    /// From this day.
    pub from: Day,
    /// Until this day, the last; none: still.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Day>,
}

/// A team as it is from now on, about the place where it works: always the whole, with who left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TeamKept {
    /// Which team.
    pub team: Uuid,
    /// What it is called.
    pub name: String,
    /// Telephone, as residents are given it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub phone: String,
    /// The villages that it serves; none: all of the place.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub area: Vec<DivisionCode>,
    /// Since when it works.
    pub from: Day,
    /// Who is in it, and was.
    pub members: Vec<Member>,
    /// The day from which it works no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_on: Option<Day>,
    /// Who wrote it, by name.
    pub by: String,
}

/// By what an item is done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DoneBy {
    /// Visits in a programme of follow-up.
    FollowUp(String),
    /// A visit that was this window of any programme.
    Window(String),
    /// The plan of the person is written.
    Plan,
    /// Somebody writes that it was done.
    Hand,
}

/// What was agreed on: as it stood in the pack on the day, so that a later pack changes no agreement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Promise {
    /// The package.
    pub package: String,
    /// The item in it.
    pub item: String,
    /// How often in a year of the agreement; none: whenever it is needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u8>,
    /// By what it is done.
    pub done_by: DoneBy,
    /// Level 5.
    #[serde(default, skip_serializing_if = "is_false")]
    pub sensitive: bool,
}

/// What an agreement holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Content {
    /// The team.
    pub team: Uuid,
    /// For how long.
    pub term_months: i32,
    /// Packages, by their names in the pack.
    pub packages: Vec<String>,
    /// What they promise.
    pub promises: Vec<Promise>,
}

/// An agreement is prepared and waits for the signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Offered {
    /// Which agreement.
    pub agreement: Uuid,
    /// On which day.
    pub on: Day,
    /// What it holds.
    pub content: Content,
    /// Who, by name.
    pub by: String,
    /// Hash of the release.
    pub law: String,
    /// Whether it tells a disease of level 5.
    #[serde(default, skip_serializing_if = "is_false")]
    pub sensitive: bool,
}

/// How it was signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// Drawn on the screen.
    Drawn,
    /// A photograph or scan of the signed paper.
    Photo,
    /// On paper, with signature or fingerprint, which is kept somewhere.
    Paper,
}

impl Way {
    /// In the order of the form: what works everywhere comes first.
    pub const ALL: [Way; 3] = [Way::Paper, Way::Photo, Way::Drawn];

    /// As forms send it.
    pub const fn key(self) -> &'static str {
        match self {
            Way::Drawn => "drawn",
            Way::Photo => "photo",
            Way::Paper => "paper",
        }
    }

    /// The one that `key` names.
    pub fn of_key(key: &str) -> Option<Way> {
        Way::ALL.into_iter().find(|way| way.key() == key)
    }
}

/// The signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signature {
    /// How.
    pub way: Way,
    /// Where the paper is kept.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub paper_at: String,
    /// What was drawn or photographed: a row of `agreement_paper`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<Uuid>,
    /// SHA-256 of that, so that another picture in its place is seen.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub digest: String,
}

/// Who signed for the resident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignedBy {
    /// 本人
    Resident,
    /// 监护人
    Guardian,
    /// 家庭代表: one of the household for all.
    Household,
}

impl SignedBy {
    /// In the order of the form.
    pub const ALL: [SignedBy; 3] = [SignedBy::Resident, SignedBy::Guardian, SignedBy::Household];

    /// As forms send it.
    pub const fn key(self) -> &'static str {
        match self {
            SignedBy::Resident => "resident",
            SignedBy::Guardian => "guardian",
            SignedBy::Household => "household",
        }
    }

    /// The one that `key` names.
    pub fn of_key(key: &str) -> Option<SignedBy> {
        SignedBy::ALL.into_iter().find(|one| one.key() == key)
    }
}

/// Who signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signer {
    /// In whose name.
    pub who: SignedBy,
    /// By name, if not the resident.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// What they are to the resident.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub relation: String,
}

/// An agreement was signed. The same `agreement` again, with the earlier fact in `corrects`, puts it right: always the whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signed {
    /// Which agreement.
    pub agreement: Uuid,
    /// The agreement that this one renews.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renews: Option<Uuid>,
    /// On which day.
    pub on: Day,
    /// The first day on which it holds.
    pub from: Day,
    /// The last.
    pub until: Day,
    /// What it holds.
    pub content: Content,
    /// The signature.
    pub signature: Signature,
    /// Who signed.
    pub signer: Signer,
    /// SHA-256 of the text that was consented to.
    pub consent: String,
    /// The act in which several of a household signed at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub act: Option<Uuid>,
    /// In words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// Of one that puts another right: why.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// Who wrote it down, by name.
    pub by: String,
    /// Hash of the release.
    pub law: String,
    /// Whether it tells a disease of level 5.
    #[serde(default, skip_serializing_if = "is_false")]
    pub sensitive: bool,
}

/// Another team has the agreement from now on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Moved {
    /// Which agreement.
    pub agreement: Uuid,
    /// To which team.
    pub team: Uuid,
    /// From this day.
    pub on: Day,
    /// Why.
    pub reason: String,
    /// Who, by name.
    pub by: String,
}

/// Why an agreement ended before its term.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// 居民提出解约
    Resident,
    /// 团队提出解约
    Team,
    /// 迁出
    MovedAway,
    /// 转到其他机构签约
    Transferred,
    /// 死亡
    Died,
    /// 登记错误
    Mistake,
    /// 未签: what was offered is not wanted.
    Declined,
}

impl EndReason {
    /// In the order of the form.
    pub const ALL: [EndReason; 7] = [
        EndReason::Resident,
        EndReason::Team,
        EndReason::MovedAway,
        EndReason::Transferred,
        EndReason::Died,
        EndReason::Mistake,
        EndReason::Declined,
    ];

    /// As forms send it and the table holds it.
    pub const fn key(self) -> &'static str {
        match self {
            EndReason::Resident => "resident",
            EndReason::Team => "team",
            EndReason::MovedAway => "moved_away",
            EndReason::Transferred => "transferred",
            EndReason::Died => "died",
            EndReason::Mistake => "mistake",
            EndReason::Declined => "declined",
        }
    }

    /// The one that `key` names.
    pub fn of_key(key: &str) -> Option<EndReason> {
        EndReason::ALL.into_iter().find(|reason| reason.key() == key)
    }
}

/// An agreement, or an offer, ended before its term.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ended {
    /// Which agreement.
    pub agreement: Uuid,
    /// The day from which it holds no more.
    pub on: Day,
    /// Why.
    pub reason: EndReason,
    /// In words.
    pub note: String,
    /// Who, by name.
    pub by: String,
}

/// An item was done, as somebody writes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Done {
    /// Of which agreement.
    pub agreement: Uuid,
    /// The package.
    pub package: String,
    /// The item.
    pub item: String,
    /// On which day.
    pub on: Day,
    /// What was done, in words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// Who, by name.
    pub by: String,
    /// As the item.
    #[serde(default, skip_serializing_if = "is_false")]
    pub sensitive: bool,
}

/// The plan of a person as it is from now on, over what is derived: always the whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Planned {
    /// What is to be reached, in words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub goal: String,
    /// Lines that the doctor added.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub added: Vec<String>,
    /// Derived lines that are struck out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub struck: Vec<Struck>,
    /// On which day.
    pub on: Day,
    /// Who, by name.
    pub by: String,
    /// Whether a line that is struck out tells a disease of level 5.
    #[serde(default, skip_serializing_if = "is_false")]
    pub sensitive: bool,
}

/// A derived line that does not hold for this person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Struck {
    /// Which, by its name.
    pub line: String,
    /// Why.
    pub reason: String,
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
