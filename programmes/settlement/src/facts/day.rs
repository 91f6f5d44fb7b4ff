//! Facts about the end of a hospital's day: what its system sent, and what differs from the ledger. Their subject is the
//! institution, their place where it stands.

use kangmai_base::{Day, Fen, Uuid};
use serde::{Deserialize, Serialize};

use super::Why;

/// The kind of [`DayReconciled`].
pub const DAY_RECONCILED: &str = "settlement.day_reconciled";
/// The kind of [`DayLines`].
pub const DAY_LINES: &str = "settlement.day_lines";
/// The kind of [`DifferenceExplained`].
pub const DIFFERENCE_EXPLAINED: &str = "settlement.difference_explained";

/// A hospital's day was held against the ledger. A later one of the same day stands in its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DayReconciled {
    /// This reconciliation, for ever.
    pub reconciliation: Uuid,
    /// Which day.
    pub day: Day,
    /// How the sender names funds.
    pub funds_by: FundsBy,
    /// What the hospital has.
    pub theirs: DayTotals,
    /// What the ledger has.
    pub ours: DayTotals,
    /// Whether the hospital sent its bills, not their totals only.
    pub has_lines: bool,
    /// How many lines follow in [`DayLines`].
    pub lines: i64,
    /// How many of them differ.
    pub different: i64,
}

/// How funds are named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FundsBy {
    /// By the code of the pack: `basic`.
    #[default]
    Fund,
    /// By the field of the national interface: `hifp_pay`.
    National,
}

impl FundsBy {
    /// The names that a sender may use.
    pub const NAMES: [&str; 2] = ["fund", "national"];

    /// As it stands in the table and in the interface.
    pub const fn key(self) -> &'static str {
        match self {
            FundsBy::Fund => "fund",
            FundsBy::National => "national",
        }
    }

    /// The one with this key.
    pub fn of_key(key: &str) -> Option<FundsBy> {
        match key {
            "fund" => Some(FundsBy::Fund),
            "national" => Some(FundsBy::National),
            _ => None,
        }
    }
}

/// What a day comes to.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DayTotals {
    /// Bills that stand settled.
    pub bills: i64,
    /// Their cost.
    pub total: Fen,
    /// What the persons bear.
    pub own: Fen,
    /// What each fund pays, by code; none: the hospital does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub funds: Option<Vec<FundAmount>>,
}

/// A fund's code and its amount.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FundAmount(pub String, pub Fen);

/// Lines of a reconciliation: a fact holds at most so many.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DayLines {
    /// Which reconciliation.
    pub reconciliation: Uuid,
    /// The number of the first among all lines, from 0.
    pub first: i64,
    /// The lines.
    pub lines: Vec<DayLine>,
}

impl DayLines {
    /// Lines of one fact: their text stays far below what a fact's body may hold.
    pub const MOST: usize = 500;
}

/// A bill of the day, as the hospital and as the ledger has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DayLine {
    /// 结算单号 of the institution.
    pub number: String,
    /// The bill, if there is one here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bill: Option<Uuid>,
    /// What the hospital sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub theirs: Option<DaySide>,
    /// What the ledger says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ours: Option<DaySide>,
    /// What differs; nothing: both say the same.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub differences: Vec<DayDifference>,
}

/// A bill as one side has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DaySide {
    /// Whether it stands.
    pub status: DayStatus,
    /// The receipt, if the side names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<Uuid>,
    /// The cost.
    pub total: Fen,
    /// What the person bears.
    pub own: Fen,
    /// What each fund pays; none: the hospital does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub funds: Option<Vec<FundAmount>>,
}

/// Whether a bill stands at the end of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DayStatus {
    /// It is settled.
    Settled,
    /// It was cancelled.
    Cancelled,
    /// It came in, but no policy settles it; the ledger's only.
    Waiting,
}

impl DayStatus {
    /// The names that a sender may use.
    pub const SENT: [&str; 2] = ["settled", "cancelled"];

    /// As it stands in the table and in the interface.
    pub const fn key(self) -> &'static str {
        match self {
            DayStatus::Settled => "settled",
            DayStatus::Cancelled => "cancelled",
            DayStatus::Waiting => "waiting",
        }
    }

    /// One that a sender may name.
    pub fn of_sent(key: &str) -> Option<DayStatus> {
        match key {
            "settled" => Some(DayStatus::Settled),
            "cancelled" => Some(DayStatus::Cancelled),
            _ => None,
        }
    }

    /// Key of its word.
    pub const fn word(self) -> &'static str {
        match self {
            DayStatus::Settled => "settlement.day.status.settled",
            DayStatus::Cancelled => "settlement.day.status.cancelled",
            DayStatus::Waiting => "settlement.day.status.waiting",
        }
    }
}

/// Something that the two sides say otherwise of a bill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DayDifference {
    /// What.
    pub kind: DifferenceKind,
    /// Whose part: a fund, or `person`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payer: Option<String>,
    /// What the hospital has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub theirs: Option<Fen>,
    /// What the ledger has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ours: Option<Fen>,
    /// On which day that happened here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on: Option<Day>,
    /// Why it was settled again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<Why>,
}

/// What can differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DifferenceKind {
    /// The ledger has the bill on that day, the hospital did not send it.
    OnlyOurs,
    /// The hospital has it, here there is none of that number.
    OnlyTheirs,
    /// It is here, but of another day.
    OtherDay,
    /// It is here and waits for a policy.
    NotSettledHere,
    /// It was cancelled here, the hospital has it as settled.
    CancelledHere,
    /// The hospital has it as cancelled, here it stands.
    CancelledThere,
    /// The cost differs.
    Total,
    /// What the person bears differs.
    OwnShare,
    /// What a fund pays differs.
    Fund,
    /// The hospital has what it was answered; it was settled again since.
    SettledAgain,
}

impl DifferenceKind {
    /// As the interface names it.
    pub const fn key(self) -> &'static str {
        match self {
            DifferenceKind::OnlyOurs => "only_ours",
            DifferenceKind::OnlyTheirs => "only_theirs",
            DifferenceKind::OtherDay => "other_day",
            DifferenceKind::NotSettledHere => "not_settled_here",
            DifferenceKind::CancelledHere => "cancelled_here",
            DifferenceKind::CancelledThere => "cancelled_there",
            DifferenceKind::Total => "total",
            DifferenceKind::OwnShare => "own_share",
            DifferenceKind::Fund => "fund",
            DifferenceKind::SettledAgain => "settled_again",
        }
    }
}

/// Somebody said why a bill differs and that it may stay so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DifferenceExplained {
    /// Which reconciliation.
    pub reconciliation: Uuid,
    /// Which of its lines.
    pub position: i64,
    /// Why.
    pub reason: String,
}
