//! Facts about what a person owes after treatment before payment: paid, deferred, written off, the right suspended.
//! Their place is the home place that the bill has.

use kangmai_base::{Day, Fen, Uuid};
use kangmai_policy::Guarantor;
use serde::{Deserialize, Serialize};

/// The kind of [`OwnSharePaid`] when money came in.
pub const OWN_SHARE_PAID: &str = "settlement.own_share_paid";
/// The kind of [`OwnSharePaid`] when money went back, since a re-settlement lowered the own share.
pub const OWN_SHARE_REFUNDED: &str = "settlement.own_share_refunded";
/// The kind of [`PaymentTakenBack`].
pub const PAYMENT_TAKEN_BACK: &str = "settlement.payment_taken_back";
/// The kind of [`DeferralAgreed`].
pub const DEFERRAL_AGREED: &str = "settlement.deferral_agreed";
/// The kind of [`WriteOffAsked`].
pub const WRITE_OFF_ASKED: &str = "settlement.write_off_asked";
/// The kind of [`WriteOffDecided`].
pub const WRITE_OFF_DECIDED: &str = "settlement.write_off_decided";
/// The kind of [`WriteOffWithdrawn`].
pub const WRITE_OFF_WITHDRAWN: &str = "settlement.write_off_withdrawn";
/// The kind of [`PrivilegeSuspended`].
pub const PRIVILEGE_SUSPENDED: &str = "settlement.privilege_suspended";
/// The kind of [`SuspensionStep`] when somebody appeals.
pub const SUSPENSION_APPEALED: &str = "settlement.suspension_appealed";
/// The kind of [`SuspensionStep`] when the county stands by it.
pub const SUSPENSION_UPHELD: &str = "settlement.suspension_upheld";
/// The kind of [`SuspensionStep`] when the right is given back.
pub const SUSPENSION_LIFTED: &str = "settlement.suspension_lifted";

/// How money came in or went back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentMethod {
    /// 现金
    Cash,
    /// 银行卡
    Card,
    /// 微信支付
    WeChat,
    /// 支付宝
    Alipay,
    /// 医保个人账户
    InsuranceAccount,
}

impl PaymentMethod {
    /// All, in order.
    pub const ALL: [PaymentMethod; 5] = [
        PaymentMethod::Cash,
        PaymentMethod::Card,
        PaymentMethod::WeChat,
        PaymentMethod::Alipay,
        PaymentMethod::InsuranceAccount,
    ];

    /// As it stands in the table and in forms.
    pub const fn key(self) -> &'static str {
        match self {
            PaymentMethod::Cash => "cash",
            PaymentMethod::Card => "card",
            PaymentMethod::WeChat => "wechat",
            PaymentMethod::Alipay => "alipay",
            PaymentMethod::InsuranceAccount => "insurance_account",
        }
    }

    /// Key of its word.
    pub const fn word(self) -> &'static str {
        match self {
            PaymentMethod::Cash => "settlement.method.cash",
            PaymentMethod::Card => "settlement.method.card",
            PaymentMethod::WeChat => "settlement.method.wechat",
            PaymentMethod::Alipay => "settlement.method.alipay",
            PaymentMethod::InsuranceAccount => "settlement.method.insurance_account",
        }
    }

    /// The one with this key.
    pub fn of_key(key: &str) -> Option<PaymentMethod> {
        PaymentMethod::ALL.into_iter().find(|method| method.key() == key)
    }
}

/// Key of the word of a guarantor.
pub const fn guarantor_word(guarantor: Guarantor) -> &'static str {
    match guarantor {
        Guarantor::TownshipGovernment => "settlement.guarantor.township_government",
        Guarantor::VillageCommittee => "settlement.guarantor.village_committee",
    }
}

/// Money for an own share changed hands, with a receipt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OwnSharePaid {
    /// The payment, for ever.
    pub payment: Uuid,
    /// For which bill.
    pub bill: Uuid,
    /// Which institution took it in, or gave it back.
    pub institution: Uuid,
    /// How much; positive, whichever way it went.
    pub amount: Fen,
    /// How.
    pub method: PaymentMethod,
    /// The year of the receipt.
    pub year: i32,
    /// Its number in that year and institution, from 1.
    pub sequence: i64,
    /// On which day.
    pub paid_on: Day,
}

/// A payment was typed by mistake: it does not count, its receipt is void.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PaymentTakenBack {
    /// Which.
    pub payment: Uuid,
    /// Of which bill.
    pub bill: Uuid,
    /// Why.
    pub reason: String,
}

/// Somebody who cannot pay agreed with the institution to pay later, in one sum or in instalments. A later agreement on
/// the same bill replaces an earlier one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeferralAgreed {
    /// The agreement, for ever.
    pub agreement: Uuid,
    /// About which bill.
    pub bill: Uuid,
    /// On which day.
    pub agreed_on: Day,
    /// What was open then, and is cut into instalments.
    pub amount: Fen,
    /// Into how many.
    pub instalments: i32,
    /// When the first is due; the others month by month.
    pub first_due: Day,
    /// Who guarantees: a name of [`Guarantor`].
    pub guarantor: String,
    /// Which township or village, by name.
    pub guarantor_name: String,
    /// Why it replaces an earlier one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Hash of the policy release whose limits were kept.
    pub release: String,
}

/// A desk or a township asked that a person in hardship need not pay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WriteOffAsked {
    /// The write-off, for ever.
    pub write_off: Uuid,
    /// Of which bill.
    pub bill: Uuid,
    /// Of which institution.
    pub institution: Uuid,
    /// How much.
    pub amount: Fen,
    /// Why.
    pub reason: String,
    /// What was looked at: papers, a visit.
    pub evidence: String,
}

/// A second person decided about a write-off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WriteOffDecided {
    /// Which.
    pub write_off: Uuid,
    /// Of which bill.
    pub bill: Uuid,
    /// On which day.
    pub decided_on: Day,
    /// Who bears it: a fund of the pack; none: it was rejected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bearer: Option<String>,
    /// Why.
    pub reason: String,
}

/// Who asked or who approved takes a write-off back: the person owes again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WriteOffWithdrawn {
    /// Which.
    pub write_off: Uuid,
    /// Of which bill.
    pub bill: Uuid,
    /// Why.
    pub reason: String,
}

/// The county decided that somebody defaults in bad faith: no treatment before payment until it is lifted. An emergency is
/// admitted without deposit all the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PrivilegeSuspended {
    /// The suspension, for ever.
    pub suspension: Uuid,
    /// On which day.
    pub suspended_on: Day,
    /// What was overdue then.
    pub overdue: Fen,
    /// What shows bad faith.
    pub reason: String,
}

/// An appeal against a suspension, or the county's answer; the kind says which.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SuspensionStep {
    /// Which.
    pub suspension: Uuid,
    /// On which day.
    pub on: Day,
    /// Why.
    pub reason: String,
}
