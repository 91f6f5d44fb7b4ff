//! What a bill must be before it is taken.

use kangmai_base::{Day, Fen, Refusal};
use kangmai_policy::{Referral, Setting};

use crate::facts::{BillLines, Diagnosis, NamedFee};

/// The longest 结算单号, in characters.
pub const LONGEST_NUMBER: usize = 64;

/// The longest stay of one bill, in days: five years. Whoever stays longer is settled in parts; a date of another century is
/// an error of typing.
pub const LONGEST_STAY_DAYS: i32 = 5 * 366;

/// The refusal of a stay that is longer than [`LONGEST_STAY_DAYS`].
pub fn refuse_stay(admission: Day, discharge: Day) -> Option<Refusal> {
    let days = discharge.days_since(admission);
    let refusal = Refusal::new("settlement.refused.stay_too_long")
        .with("days", days.to_string())
        .with("most", LONGEST_STAY_DAYS.to_string());
    (days > LONGEST_STAY_DAYS).then(|| refusal.at("admission"))
}

/// A bill as it was typed or read from a file, before it has a person and an institution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BillDraft {
    /// 结算单号
    pub number: String,
    /// 入院日
    pub admission: Day,
    /// 出院日
    pub discharge: Day,
    /// 就诊类型
    pub setting: Setting,
    /// 转诊
    pub referral: Referral,
    /// 诊断
    pub diagnosis: Option<Diagnosis>,
    /// 总费用
    pub total: Fen,
    /// 合规费用
    pub compliant: Fen,
    /// What others paid before.
    pub already_paid: Fen,
    /// Fees with a name of their own.
    pub fees: Vec<NamedFee>,
    /// 收费明细, which total, compliant cost and fees were then worked out of.
    pub lines: Option<BillLines>,
}

/// What is wrong with a bill, each at its field; nothing if it can be taken. `died_on`: the person's day of death.
pub fn check_bill(draft: &BillDraft, today: Day, died_on: Option<Day>) -> Vec<Refusal> {
    let mut wrong = Vec::new();
    let mut refuse = |is_wrong: bool, refusal: Refusal| {
        if is_wrong {
            wrong.push(refusal);
        }
    };
    let fees: Fen = draft.fees.iter().map(|fee| fee.amount).sum();
    refuse(draft.total <= Fen::ZERO, Refusal::new("settlement.refused.total").at("total"));
    refuse(
        draft.compliant.is_negative() || draft.compliant > draft.total,
        Refusal::new("settlement.refused.compliant")
            .with("compliant", draft.compliant.grouped())
            .with("total", draft.total.grouped())
            .at("compliant"),
    );
    refuse(
        draft.already_paid.is_negative() || draft.already_paid > draft.compliant,
        Refusal::new("settlement.refused.already_paid").at("already_paid"),
    );
    refuse(
        draft.fees.iter().any(|fee| fee.amount.is_negative()) || fees > draft.total,
        Refusal::new("settlement.refused.fees").with("fees", fees.grouped()).at("registration"),
    );
    refuse(
        draft.discharge < draft.admission,
        Refusal::new("settlement.refused.dates")
            .with("admission", draft.admission.to_string())
            .with("discharge", draft.discharge.to_string())
            .at("discharge"),
    );
    if let Some(refusal) = refuse_stay(draft.admission, draft.discharge) {
        refuse(true, refusal);
    }
    refuse(
        draft.discharge > today,
        Refusal::new("settlement.refused.future").with("today", today.to_string()).at("discharge"),
    );
    refuse(
        died_on.is_some_and(|died_on| draft.admission > died_on),
        Refusal::new("settlement.refused.died")
            .with("died", died_on.map(|day| day.to_string()).unwrap_or_default())
            .at("admission"),
    );
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft() -> BillDraft {
        BillDraft {
            number: "ZY0001".to_owned(),
            admission: Day(20_000),
            discharge: Day(20_010),
            setting: Setting::Inpatient,
            referral: Referral::Referred,
            diagnosis: None,
            total: Fen::yuan(100),
            compliant: Fen::yuan(80),
            already_paid: Fen::ZERO,
            fees: Vec::new(),
            lines: None,
        }
    }

    #[test]
    fn says_what_cannot_be() {
        let today = Day(20_010);
        let check = |change: fn(&mut BillDraft), died: Option<Day>, expected: &[&str]| {
            let mut draft = draft();
            change(&mut draft);
            let found: Vec<&str> =
                check_bill(&draft, today, died).into_iter().map(|refusal| refusal.key).collect();
            assert_eq!(found, expected);
        };
        check(|_| {}, None, &[]);
        check(|_| {}, Some(Day(20_005)), &[]);
        check(
            |bill| bill.total = Fen::ZERO,
            None,
            &["settlement.refused.total", "settlement.refused.compliant"],
        );
        check(|bill| bill.compliant = Fen(10_001), None, &["settlement.refused.compliant"]);
        check(
            |bill| bill.compliant = Fen(-1),
            None,
            &["settlement.refused.compliant", "settlement.refused.already_paid"],
        );
        check(|bill| bill.already_paid = Fen(8_001), None, &["settlement.refused.already_paid"]);
        check(|bill| bill.discharge = Day(19_999), None, &["settlement.refused.dates"]);
        check(|bill| bill.admission = Day(20_010 - LONGEST_STAY_DAYS), None, &[]);
        check(
            |bill| bill.admission = Day(20_009 - LONGEST_STAY_DAYS),
            None,
            &["settlement.refused.stay_too_long"],
        );
        check(|bill| bill.discharge = Day(20_011), None, &["settlement.refused.future"]);
        check(|_| {}, Some(Day(19_999)), &["settlement.refused.died"]);
        check(
            |bill| {
                let kind = kangmai_policy::FeeKind::Registration;
                bill.fees = vec![NamedFee { kind, amount: Fen(10_001) }];
            },
            None,
            &["settlement.refused.fees"],
        );
    }
}
