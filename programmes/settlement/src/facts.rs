//! The facts that this programme owns. A body, once written, is read for ever: it is never changed, only followed by a
//! new version. All are about a person; their place is the person's home place on that day.

mod claim;
mod day;
mod lines;
mod pay_later;

use kangmai_base::{Day, DivisionCode, Fen, Uuid};
use kangmai_policy::{
    FeeKind, InstitutionGrade, InstitutionKind, InstitutionTier, Outcome, PayerKind, Referral, Setting,
};
use serde::{Deserialize, Serialize};

pub use claim::*;
pub use day::*;
pub use lines::*;
pub use pay_later::*;

/// The kind of [`BillReceived`].
pub const BILL_RECEIVED: &str = "settlement.bill_received";
/// The lines of a bill came after it; the body is the [`BillReceived`] with them, and it corrects the fact before.
pub const BILL_ITEMISED: &str = "settlement.bill_itemised";
/// The kind of [`Settled`].
pub const SETTLED: &str = "settlement.settled";
/// The kind of [`NotSettled`].
pub const NOT_SETTLED: &str = "settlement.not_settled";
/// The kind of [`BillCancelled`].
pub const BILL_CANCELLED: &str = "settlement.bill_cancelled";
/// The kind of [`Opening`].
pub const OPENING: &str = "settlement.opening";
/// The kind of [`Admitted`].
pub const ADMITTED: &str = "settlement.admitted";
/// An insurance year was closed for a place: no bill of it comes in, is cancelled or corrected any more. The body is a
/// [`YearDecided`].
pub const YEAR_CLOSED: &str = "settlement.year_closed";
/// A closed year was opened again. The body is a [`YearDecided`].
pub const YEAR_REOPENED: &str = "settlement.year_reopened";
/// A bill of a closed year was handed to the insurance bureau; the body is a [`BillReceived`].
pub const BILL_LATE: &str = "settlement.bill_late";
/// The kind of [`LateBillLeft`].
pub const LATE_BILL_LEFT: &str = "settlement.late_bill_left";

/// What was decided about an insurance year of a place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct YearDecided {
    /// The insurance year.
    pub year: i32,
    /// Who decided, as they are called.
    pub by: String,
    /// Why.
    pub reason: String,
}

/// The bureau does not take a late bill in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LateBillLeft {
    /// The bill.
    pub bill: Uuid,
    /// Why.
    pub reason: String,
}

/// A bill came in, typed at a desk or in a file. A bill that was cancelled may come in again with other content; then
/// the fact corrects the earlier one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BillReceived {
    /// The bill, for ever.
    pub bill: Uuid,
    /// 结算单号 of the institution.
    pub number: String,
    /// The person's household on that day.
    pub household: Uuid,
    /// Who treated, as it was then.
    pub institution: TreatingInstitution,
    /// The insurance year that it counts in, by the law that held when it came in; none: the calendar year of discharge.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub insurance_year: Option<i32>,
    /// 入院日, or the day of the visit.
    pub admission: Day,
    /// 出院日, or the day of the visit.
    pub discharge: Day,
    /// 就诊类型
    pub setting: Setting,
    /// 转诊
    pub referral: Referral,
    /// 主要诊断
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub diagnosis: Option<Diagnosis>,
    /// 总费用
    pub total: Fen,
    /// 合规费用
    pub compliant: Fen,
    /// What others paid on it before the first layer.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub already_paid: Fen,
    /// Fees with a name of their own within the total.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fees: Vec<NamedFee>,
    /// 收费明细. Total, compliant cost and fees are then what they come to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lines: Option<BillLines>,
}

fn is_zero(amount: &Fen) -> bool {
    *amount == Fen::ZERO
}

/// An institution as it was on the day of the bill: its level decides money, so a later change must not reach back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TreatingInstitution {
    /// Which.
    pub id: Uuid,
    /// Its code in the register.
    pub code: String,
    /// Where it stands.
    pub place: DivisionCode,
    /// 机构层级
    pub tier: InstitutionTier,
    /// 医院等级
    pub grade: InstitutionGrade,
    /// 机构类别
    pub kind: InstitutionKind,
    /// What it is named for (定点).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub designations: Vec<String>,
}

/// A diagnosis as the bill says it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Diagnosis {
    /// ICD-10, as typed.
    pub code: String,
    /// In words; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
}

/// A fee with a name of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NamedFee {
    /// Which.
    pub kind: FeeKind,
    /// How much.
    pub amount: Fen,
}

/// The receipt of a settlement: everything that it rests on, so that it can be worked out again. One that settles a bill
/// anew corrects the one before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settled {
    /// The bill.
    pub bill: Uuid,
    /// The insurance year.
    pub year: i32,
    /// The program that settled.
    pub engine: String,
    /// Hash of the policy release.
    pub release: String,
    /// The pack, as its directory in the release.
    pub jurisdiction: String,
    /// The facts about the person that decided.
    pub person: PersonThen,
    /// What of the year was used before, by accumulator; those at zero are left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub before: Vec<Used>,
    /// The same after it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<Used>,
    /// The layers in their order.
    pub layers: Vec<LayerPaid>,
    /// The total of the bill.
    pub total: Fen,
    /// What of it lies in the catalogues.
    pub compliant: Fen,
    /// What others had paid before.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub already_paid: Fen,
    /// What the person bears, out-of-catalogue cost included.
    pub own: Fen,
    /// What of it lies outside the catalogues.
    pub own_uncovered: Fen,
    /// By which rule the bill's lines were added up, if it has lines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lines_rule: Option<LineRule>,
    /// Why it was settled now; receipts of the first releases do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
}

/// Why a bill was settled, or settled again: what its postings are linked to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cause {
    /// What happened.
    pub why: Why,
    /// The fact that it happened by; a new release is none, its hash stands in the receipt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fact: Option<Uuid>,
    /// The bill that it happened to, if it is another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bill: Option<Uuid>,
}

impl Cause {
    /// The same, as it is for the bills of the other members of the household.
    pub(crate) fn for_member(self) -> Cause {
        Cause { why: self.why.for_member(), ..self }
    }
}

/// What can make a bill be settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// It came in.
    Received,
    /// It came in anew with other content.
    Corrected,
    /// Its lines came after it.
    Itemised,
    /// It was cancelled.
    Cancelled,
    /// Another bill of the year came in.
    OtherReceived,
    /// Another bill of the year was corrected.
    OtherCorrected,
    /// Another bill of the year was cancelled.
    OtherCancelled,
    /// A bill of another member of the household came in.
    MemberReceived,
    /// One of theirs was corrected.
    MemberCorrected,
    /// One of theirs was cancelled.
    MemberCancelled,
    /// What another member had used of the year before was entered.
    MemberOpening,
    /// The register changed in retrospect about another member.
    MemberRegister,
    /// What was used of the year before was entered.
    Opening,
    /// The register of people changed in retrospect.
    Register,
    /// Another release of the policies.
    Release,
}

impl Why {
    /// All.
    pub const ALL: [Why; 15] = [
        Why::Received,
        Why::Corrected,
        Why::Itemised,
        Why::Cancelled,
        Why::OtherReceived,
        Why::OtherCorrected,
        Why::OtherCancelled,
        Why::MemberReceived,
        Why::MemberCorrected,
        Why::MemberCancelled,
        Why::MemberOpening,
        Why::MemberRegister,
        Why::Opening,
        Why::Register,
        Why::Release,
    ];

    /// As it stands in the table.
    pub const fn key(self) -> &'static str {
        match self {
            Why::Received => "received",
            Why::Corrected => "corrected",
            Why::Itemised => "itemised",
            Why::Cancelled => "cancelled",
            Why::OtherReceived => "other_received",
            Why::OtherCorrected => "other_corrected",
            Why::OtherCancelled => "other_cancelled",
            Why::MemberReceived => "member_received",
            Why::MemberCorrected => "member_corrected",
            Why::MemberCancelled => "member_cancelled",
            Why::MemberOpening => "member_opening",
            Why::MemberRegister => "member_register",
            Why::Opening => "opening",
            Why::Register => "register",
            Why::Release => "release",
        }
    }

    /// Key of its sentence.
    pub const fn word(self) -> &'static str {
        match self {
            Why::Received => "settlement.cause.received",
            Why::Corrected => "settlement.cause.corrected",
            Why::Itemised => "settlement.cause.itemised",
            Why::Cancelled => "settlement.cause.cancelled",
            Why::OtherReceived => "settlement.cause.other_received",
            Why::OtherCorrected => "settlement.cause.other_corrected",
            Why::OtherCancelled => "settlement.cause.other_cancelled",
            Why::MemberReceived => "settlement.cause.member_received",
            Why::MemberCorrected => "settlement.cause.member_corrected",
            Why::MemberCancelled => "settlement.cause.member_cancelled",
            Why::MemberOpening => "settlement.cause.member_opening",
            Why::MemberRegister => "settlement.cause.member_register",
            Why::Opening => "settlement.cause.opening",
            Why::Register => "settlement.cause.register",
            Why::Release => "settlement.cause.release",
        }
    }

    /// The same, as it is for the bills of the other members of the household.
    pub(crate) const fn for_member(self) -> Why {
        match self {
            Why::Received | Why::OtherReceived => Why::MemberReceived,
            Why::Corrected | Why::OtherCorrected => Why::MemberCorrected,
            Why::Cancelled | Why::OtherCancelled => Why::MemberCancelled,
            Why::Opening => Why::MemberOpening,
            Why::Register => Why::MemberRegister,
            other => other,
        }
    }

    /// The one with this key.
    pub fn of_key(key: &str) -> Option<Why> {
        Why::ALL.into_iter().find(|why| why.key() == key)
    }
}

/// What was known of the person when the bill was settled, each as of its day.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PersonThen {
    /// Labels that held on the day of discharge: 身份以出院日为准.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels_at_discharge: Vec<String>,
    /// Labels that held on the day of admission, if they were others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels_at_admission: Option<Vec<String>>,
    /// Birth date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub birth: Option<Day>,
    /// Sex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sex: Option<kangmai_base::Sex>,
    /// Whether basic insurance covers the person.
    pub insured: bool,
    /// Whether that is taken for granted, because the register does not say.
    #[serde(default, skip_serializing_if = "is_false")]
    pub insured_is_assumed: bool,
}

fn is_false(value: &bool) -> bool {
    !*value
}

/// An accumulator with its value: fen, or a count of stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Used(pub String, pub i64);

/// What one layer did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LayerPaid {
    /// The benefit.
    pub layer: String,
    /// The fund that pays.
    pub payer: String,
    /// Its kind.
    pub kind: PayerKind,
    /// What became of it.
    pub outcome: Outcome,
    /// The base.
    pub base: Fen,
    /// What it pays.
    pub paid: Fen,
    /// What of the compliant cost is left after it.
    pub remaining: Fen,
}

/// A bill could not be settled; it waits for a policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NotSettled {
    /// The bill.
    pub bill: Uuid,
    /// Hash of the policy release.
    pub release: String,
    /// Why not.
    pub why: WhyNotSettled,
    /// What made it be tried now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
}

/// Why a bill could not be settled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum WhyNotSettled {
    /// No pack holds a rule for the home place on the day of discharge.
    NoPolicy,
    /// The pack holds rules that cannot be expressed and that nobody has accepted: their names.
    Untranslatable(Vec<String>),
    /// The amounts or dates cannot be.
    Impossible,
}

/// A bill was cancelled: it was charged wrongly, or to the wrong person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BillCancelled {
    /// The bill.
    pub bill: Uuid,
    /// Why.
    pub reason: String,
}

/// What a person had used of a year before the county joined: replaces what was said of that year before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Opening {
    /// The insurance year.
    pub year: i32,
    /// The person's household on that day: what of it a household has together counts for that one. Openings of the first
    /// releases do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub household: Option<Uuid>,
    /// The accumulators, sorted by name. What a household has together is what this person used of it: the household's is
    /// the sum over its members.
    pub used: Vec<Used>,
}

/// Somebody was admitted, and it was checked whether they owe a deposit (先诊疗后付费).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Admitted {
    /// The person's household on that day.
    pub household: Uuid,
    /// Where.
    pub institution: Uuid,
    /// When.
    pub admission: Day,
    /// Whether it was an emergency: never refused, whatever the rest says.
    pub emergency: bool,
    /// Whether no deposit is taken by right.
    pub entitled: bool,
    /// Why not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why_not: Option<WhyDeposit>,
    /// Labels that held on the day of admission.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<String>,
    /// Days after discharge within which the own share is to be paid, by the law of the day; none: at discharge.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pay_within_days: Option<i32>,
    /// Hash of the policy release.
    pub release: String,
}

/// Why somebody has no right to treatment without deposit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhyDeposit {
    /// The place has no such rule on that day.
    NoRule,
    /// None of the labels that the rule names holds.
    NoLabel,
    /// The institution's level is not among those that the rule names.
    NotTier,
    /// The institution lies too far from home.
    NotPlace,
    /// Not insured.
    Uninsured,
    /// The county suspended the right after default in bad faith.
    Suspended,
}

impl WhyDeposit {
    /// All, in order.
    pub const ALL: [WhyDeposit; 6] = [
        WhyDeposit::NoRule,
        WhyDeposit::NoLabel,
        WhyDeposit::NotTier,
        WhyDeposit::NotPlace,
        WhyDeposit::Uninsured,
        WhyDeposit::Suspended,
    ];

    /// As it stands in the table.
    pub const fn key(self) -> &'static str {
        match self {
            WhyDeposit::NoRule => "no_rule",
            WhyDeposit::NoLabel => "no_label",
            WhyDeposit::NotTier => "not_tier",
            WhyDeposit::NotPlace => "not_place",
            WhyDeposit::Uninsured => "uninsured",
            WhyDeposit::Suspended => "suspended",
        }
    }

    /// Key of its sentence.
    pub const fn word(self) -> &'static str {
        match self {
            WhyDeposit::NoRule => "settlement.why_deposit.no_rule",
            WhyDeposit::NoLabel => "settlement.why_deposit.no_label",
            WhyDeposit::NotTier => "settlement.why_deposit.not_tier",
            WhyDeposit::NotPlace => "settlement.why_deposit.not_place",
            WhyDeposit::Uninsured => "settlement.why_deposit.uninsured",
            WhyDeposit::Suspended => "settlement.why_deposit.suspended",
        }
    }

    /// The reason with this key.
    pub fn of_key(key: &str) -> Option<WhyDeposit> {
        WhyDeposit::ALL.into_iter().find(|why| why.key() == key)
    }
}

impl BillReceived {
    /// A number that tells whether a bill that comes again says the same: FNV-1a over all but its identifier and what the
    /// register knew of household and institution then. Lines count whatever their order.
    pub fn content(&self, person: Uuid) -> i64 {
        let without = self.content_without_lines(person);
        self.lines.as_ref().map_or(without, |lines| fingerprint(&(without, lines.content())))
    }

    /// The same of what a bill says without its lines.
    pub fn content_without_lines(&self, person: Uuid) -> i64 {
        let fees: Vec<(FeeKind, i64)> = self.fees.iter().map(|fee| (fee.kind, fee.amount.0)).collect();
        let said = (
            (person, self.institution.id, self.number.as_str()),
            (self.admission, self.discharge, self.setting, self.referral),
            (self.diagnosis.as_ref().map(|diagnosis| diagnosis.code.as_str()), fees),
            (self.total, self.compliant, self.already_paid),
        );
        fingerprint(&said)
    }

    /// The insurance year that it counts in.
    pub const fn year(&self) -> i32 {
        match self.insurance_year {
            Some(year) => year,
            None => self.discharge.year(),
        }
    }
}

impl Settled {
    /// A number that tells whether settling again came to the same: FNV-1a over all but engine and release.
    pub fn result(&self) -> i64 {
        let said = (
            (self.bill, self.year, &self.person),
            (&self.before, &self.after, &self.layers),
            (self.total, self.compliant, self.already_paid, self.own, self.own_uncovered),
        );
        match &self.lines_rule {
            None => fingerprint(&said),
            rule => fingerprint(&(said, rule)),
        }
    }

    /// What insurance funds pay.
    pub fn paid_by_insurance(&self) -> Fen {
        self.paid_by(|kind| kind == PayerKind::Insurance)
    }

    /// What the institution forgoes.
    pub fn waived(&self) -> Fen {
        self.paid_by(|kind| kind == PayerKind::Institution)
    }

    fn paid_by(&self, is_meant: impl Fn(PayerKind) -> bool) -> Fen {
        self.layers.iter().filter(|layer| is_meant(layer.kind)).map(|layer| layer.paid).sum()
    }
}

impl NotSettled {
    /// A number that tells whether trying again came to the same.
    pub fn result(&self) -> i64 {
        fingerprint(&(self.bill, &self.why))
    }
}

fn fingerprint(said: &impl Serialize) -> i64 {
    let mut hash = Fnv(0xcbf2_9ce4_8422_2325);
    // Writing into a number cannot fail, and no map with odd keys is among what is said.
    let _ = serde_json::to_writer(&mut hash, said);
    hash.0.cast_signed()
}

struct Fnv(u64);

impl std::io::Write for Fnv {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 =
            bytes.iter().fold(self.0, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
