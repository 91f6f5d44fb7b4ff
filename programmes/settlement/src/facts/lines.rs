//! The lines of a bill (收费明细), as its fact keeps them.
//!
//! They have no table of their own. Nobody asks for the lines of many bills at once, so they are read from the fact when one
//! bill is looked at; lists read the table of bills, which knows nothing of them and stays as small and as fast as it was.
//! What layers ask of them, the cost by category, is worked out once, when they come in, and stands beside them: the
//! receipt of a bill then comes to the same fen for ever, whatever a later pack says about lines.

use kangmai_base::{Day, Fen, Rate};
use kangmai_policy::{BillLine, CatalogueClass, CostCategory, Decimal4, FeeKind};
use serde::{Deserialize, Serialize};

use super::fingerprint;

/// The lines of a bill, and what of its compliant cost is for what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BillLines {
    /// By which rule they were added up.
    pub rule: LineRule,
    /// Compliant cost by category; those at zero are left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub categories: Vec<CategoryCost>,
    /// The lines as the hospital has them.
    pub lines: Vec<ChargedLine>,
}

/// A rule of lines: a file of the policy release and the first day of its version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LineRule {
    /// Such as `cn/lines.toml`.
    pub file: String,
    /// First day of the version.
    pub from: Day,
}

/// What of the compliant cost is for one category.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CategoryCost {
    /// Which.
    pub category: CostCategory,
    /// How much.
    pub compliant: Fen,
}

/// One line of a bill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChargedLine {
    /// The code that the hospital prints, whatever it is; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub code: String,
    /// What was charged, in words.
    pub name: String,
    /// 费用类别
    pub category: CostCategory,
    /// 目录类别
    pub class: CatalogueClass,
    /// 数量; below zero where a charge is taken back.
    pub quantity: Decimal4,
    /// 单价, in yuan.
    pub unit_price: Decimal4,
    /// 金额 as printed, if it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Fen>,
    /// 乙类先行自付比例, if the line is of class B and says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub own_share: Option<Rate>,
    /// The fee with a name of its own that it is, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fee: Option<FeeKind>,
    /// When it was charged, if the hospital says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on: Option<Day>,
}

impl ChargedLine {
    /// As the policy asks about it.
    pub fn to_rule(&self) -> BillLine {
        BillLine {
            category: self.category,
            class: self.class,
            quantity: self.quantity,
            unit_price: self.unit_price,
            own_share: self.own_share,
            fee: self.fee,
            amount: self.amount,
        }
    }
}

impl BillLines {
    /// What all lines say, whatever their order. A printed amount says nothing that quantity and price do not.
    pub(super) fn content(&self) -> i64 {
        let of = |line: &ChargedLine| {
            let what = (&line.code, &line.name, line.category, line.class);
            fingerprint(&(what, (line.quantity, line.unit_price, line.own_share, line.fee, line.on)))
        };
        self.lines.iter().map(of).fold(0, i64::wrapping_add)
    }
}

#[cfg(test)]
mod tests {
    use kangmai_base::{DivisionCode, Uuid};
    use kangmai_policy::{InstitutionGrade, InstitutionKind, InstitutionTier, Referral, Setting};

    use super::*;
    use crate::facts::{BillReceived, TreatingInstitution};

    fn line(name: &str) -> ChargedLine {
        ChargedLine {
            code: String::new(),
            name: name.to_owned(),
            category: CostCategory::Drug,
            class: CatalogueClass::A,
            quantity: Decimal4::ONE,
            unit_price: Decimal4::ONE,
            amount: None,
            own_share: None,
            fee: None,
            on: None,
        }
    }

    fn bill(lines: Option<Vec<ChargedLine>>) -> BillReceived {
        let rule = LineRule { file: "cn/lines.toml".to_owned(), from: Day(0) };
        BillReceived {
            bill: Uuid::from_u128(1),
            number: "ZY1".to_owned(),
            household: Uuid::from_u128(2),
            insurance_year: None,
            institution: TreatingInstitution {
                id: Uuid::from_u128(3),
                code: "H1".to_owned(),
                place: DivisionCode::COUNTRY,
                tier: InstitutionTier::County,
                grade: InstitutionGrade::Second,
                kind: InstitutionKind::Hospital,
                designations: Vec::new(),
            },
            admission: Day(20_000),
            discharge: Day(20_009),
            setting: Setting::Inpatient,
            referral: Referral::Referred,
            diagnosis: None,
            total: Fen(200),
            compliant: Fen(200),
            already_paid: Fen::ZERO,
            fees: Vec::new(),
            lines: lines.map(|lines| BillLines { rule, categories: Vec::new(), lines }),
        }
    }

    fn content(lines: &[ChargedLine]) -> i64 {
        bill(Some(lines.to_vec())).content(Uuid::from_u128(9))
    }

    #[test]
    fn a_bill_without_lines_says_what_it_always_said() {
        let plain = bill(None);
        // The number that the first releases wrote into their tables.
        assert_eq!(plain.content(Uuid::from_u128(9)), PLAIN);
        assert_eq!(plain.content_without_lines(Uuid::from_u128(9)), PLAIN);
        let text = serde_json::to_string(&plain).expect("JSON");
        assert!(!text.contains("lines"), "an old program reads it: {text}");
        assert_eq!(serde_json::from_str::<BillReceived>(&text).expect("a bill"), plain);
    }

    const PLAIN: i64 = -1_334_489_764_355_938_539;

    #[test]
    fn lines_say_the_same_in_any_order_and_with_amounts_or_without() {
        let (one, other) = (line("甲药"), line("乙药"));
        let both = content(&[one.clone(), other.clone()]);
        assert_ne!(both, PLAIN);
        assert_eq!(content(&[other.clone(), one.clone()]), both);
        let printed = ChargedLine { amount: Some(Fen(100)), ..one.clone() };
        assert_eq!(content(&[printed, other.clone()]), both);
        for changed in [
            ChargedLine { class: CatalogueClass::C, ..one.clone() },
            ChargedLine { quantity: Decimal4(20_000), ..one.clone() },
            ChargedLine { own_share: Some(Rate::percent(10)), ..one.clone() },
            ChargedLine { fee: Some(FeeKind::Checkup), ..one.clone() },
            ChargedLine { code: "X".to_owned(), ..one.clone() },
            ChargedLine { on: Some(Day(1)), ..one.clone() },
        ] {
            assert_ne!(content(&[changed, other.clone()]), both);
        }
        assert_ne!(content(&[one.clone(), other.clone(), one.clone()]), both);
        let lines = bill(Some(vec![one, other]));
        let text = serde_json::to_string(&lines).expect("JSON");
        assert_eq!(serde_json::from_str::<BillReceived>(&text).expect("a bill"), lines);
    }
}
