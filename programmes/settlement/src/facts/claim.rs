//! Facts about claims of institutions for what they waived. Their subject is the institution, their place where it stands.

use kangmai_base::{Day, Fen, Uuid};
use serde::{Deserialize, Serialize};

/// The kind of [`ClaimSubmitted`].
pub const CLAIM_SUBMITTED: &str = "settlement.claim_submitted";
/// The kind of [`ClaimLines`].
pub const CLAIM_LINES: &str = "settlement.claim_lines";
/// The kind of [`ClaimCut`].
pub const CLAIM_CUT: &str = "settlement.claim_cut";
/// The kind of [`ClaimWithdrawn`].
pub const CLAIM_WITHDRAWN: &str = "settlement.claim_withdrawn";
/// The kind of [`ClaimReconciled`].
pub const CLAIM_RECONCILED: &str = "settlement.claim_reconciled";
/// The kind of [`ClaimPaid`].
pub const CLAIM_PAID: &str = "settlement.claim_paid";

/// An institution claims what it waived on settled bills up to the end of a month and has not claimed before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClaimSubmitted {
    /// The claim, for ever.
    pub claim: Uuid,
    /// The last day of the month.
    pub month_end: Day,
    /// How many lines.
    pub lines: i64,
    /// What they come to.
    pub amount: Fen,
    /// Who is to pay: a fund of the pack.
    pub bearer: String,
    /// Hash of the policy release that says which layers may be claimed.
    pub release: String,
}

/// Lines of a claim: a fact holds at most so many.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClaimLines {
    /// Which claim.
    pub claim: Uuid,
    /// The lines.
    pub lines: Vec<ClaimLine>,
}

impl ClaimLines {
    /// Lines of one fact: their text stays far below what a fact's body may hold.
    pub const MOST: usize = 1_000;
}

/// What is claimed on a bill. Negative where a later settlement lowered what was claimed before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimLine(pub Uuid, pub Fen);

/// The county does not accept all of a line; a later cut of the same line replaces an earlier one, zero takes it back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClaimCut {
    /// Which claim.
    pub claim: Uuid,
    /// Which line: its bill.
    pub bill: Uuid,
    /// How much is not accepted.
    pub amount: Fen,
    /// Why.
    pub reason: String,
}

/// The institution takes a claim back that nobody reconciled yet; its lines may be claimed anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClaimWithdrawn {
    /// Which.
    pub claim: Uuid,
    /// Why.
    pub reason: String,
}

/// The county reconciled a claim: it accepts its amount less the cuts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClaimReconciled {
    /// Which.
    pub claim: Uuid,
    /// On which day.
    pub reconciled_on: Day,
    /// What is accepted.
    pub accepted: Fen,
    /// What is to be said; needed where something was cut.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A claim was paid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClaimPaid {
    /// Which.
    pub claim: Uuid,
    /// On which day.
    pub paid_on: Day,
    /// The payment's number at the bank or treasury.
    pub reference: String,
}
