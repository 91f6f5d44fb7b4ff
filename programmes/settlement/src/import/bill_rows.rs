//! The columns of a file of bills, as insurance bureaus export them, and the reading of one row. Pure.

use kangmai_base::{Fen, IdNumber, Refusal};
use kangmai_policy::{Icd10, Referral};
use kangmai_sheet::{Cells, Column, Flaw, Format, Matching, Schema, Slot, read};

use super::bill_columns::{
    ALREADY_PAID, COMPLIANT, CORRECTION, DIAGNOSIS_CODE, DISCHARGE, ID_NUMBER, INSTITUTION_CODE,
    INSTITUTION_NAME, INSTITUTION_TIER, NAMED_FEES, NUMBER, REFERRAL, REFERRALS, SETTING, SETTINGS, TOTAL,
    bill_number, named_fees,
};
use crate::facts::Diagnosis;
use crate::rules::BillDraft;

/// A file of bills: one row a bill.
pub const BILL_COLUMNS: Schema =
    Schema {
        key: "settlement.bills", title_zh: "医疗费用结算清单", title_en: "Bills", columns: &COLUMNS
    };

const COLUMNS: [Column; 17] = [
    NUMBER.hint(
        "同一机构内不重复；同一单号再次导入不会重复计算",
        "Unique in the institution; the same bill twice counts once",
    ),
    ID_NUMBER.hint("须先在人员名册中登记", "The person must be in the register"),
    Column::new("name", "姓名", "Name").aliases(&["患者姓名", "人员姓名"]).personal().example("示例甲"),
    INSTITUTION_CODE,
    INSTITUTION_NAME,
    INSTITUTION_TIER.hint("仅供核对，以机构名录为准", "For checking only; the list of institutions counts"),
    Column::new("admission", "入院日期", "Admitted on")
        .required()
        .aliases(&["入院时间", "就诊日期", "开始日期"])
        .format(Format::Day)
        .example("2026-03-02"),
    DISCHARGE.aliases(&["出院时间", "结束日期"]).hint("身份以出院日为准", "Identity counts as of this day"),
    SETTING.required(),
    DIAGNOSIS_CODE,
    Column::new("diagnosis_name", "诊断名称", "Diagnosis")
        .aliases(&["主要诊断", "主要诊断名称", "疾病名称", "出院诊断", "诊断"])
        .example("脑梗死"),
    TOTAL,
    COMPLIANT.required(),
    ALREADY_PAID,
    REFERRAL,
    NAMED_FEES,
    CORRECTION.hint(
        "单号已在系统中而内容不同时填“是”：原结算作废，按本行重新结算",
        "是: cancels what is there and settles this row",
    ),
];

/// Where the columns stand in a file, looked up once.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Slots {
    number: Option<Slot>,
    pub(crate) id_number: Option<Slot>,
    pub(crate) name: Option<Slot>,
    pub(crate) institution_code: Option<Slot>,
    pub(crate) institution_name: Option<Slot>,
    pub(crate) institution_tier: Option<Slot>,
    admission: Option<Slot>,
    discharge: Option<Slot>,
    setting: Option<Slot>,
    diagnosis_code: Option<Slot>,
    diagnosis_name: Option<Slot>,
    total: Option<Slot>,
    compliant: Option<Slot>,
    already_paid: Option<Slot>,
    referral: Option<Slot>,
    fees: Option<Slot>,
    correction: Option<Slot>,
}

impl Slots {
    pub(crate) fn of(matching: &Matching) -> Slots {
        Slots {
            number: matching.slot("number"),
            id_number: matching.slot("id_number"),
            name: matching.slot("name"),
            institution_code: matching.slot("institution_code"),
            institution_name: matching.slot("institution_name"),
            institution_tier: matching.slot("institution_tier"),
            admission: matching.slot("admission"),
            discharge: matching.slot("discharge"),
            setting: matching.slot("setting"),
            diagnosis_code: matching.slot("diagnosis_code"),
            diagnosis_name: matching.slot("diagnosis_name"),
            total: matching.slot("total"),
            compliant: matching.slot("compliant"),
            already_paid: matching.slot("already_paid"),
            referral: matching.slot("referral"),
            fees: matching.slot("fees"),
            correction: matching.slot("correction"),
        }
    }
}

/// What a row says by itself.
#[derive(Debug, Clone)]
pub(crate) struct BillRead {
    pub(crate) draft: BillDraft,
    pub(crate) id_number: IdNumber,
    pub(crate) correction: bool,
}

/// Reads a row; none if a cell that must be right is not. The faults stay with `cells`.
pub(crate) fn read_bill(cells: &mut Cells<'_>, slots: &Slots) -> Option<BillRead> {
    let number = slots.number.and_then(|slot| cells.required(slot, bill_number));
    let id_number = slots.id_number.and_then(|slot| cells.required(slot, read::id_number));
    let admission = slots.admission.and_then(|slot| cells.required(slot, read::day));
    let discharge = slots.discharge.and_then(|slot| cells.required(slot, read::day));
    let setting = slots.setting.and_then(|slot| cells.required(slot, |text| read::choice(text, &SETTINGS)));
    let total = slots.total.and_then(|slot| cells.required(slot, read::amount));
    let compliant = slots.compliant.and_then(|slot| cells.required(slot, read::amount));
    let already_paid = slots.already_paid.and_then(|slot| cells.optional(slot, read::amount));
    let referral =
        slots.referral.and_then(|slot| cells.optional(slot, |text| read::choice(text, &REFERRALS)));
    let fees = slots.fees.and_then(|slot| cells.optional(slot, named_fees));
    let correction = slots.correction.and_then(|slot| cells.optional(slot, read::yes_no));
    let diagnosis = read_diagnosis(cells, slots);
    if cells.has_errors() {
        return None;
    }
    Some(BillRead {
        draft: BillDraft {
            number: number?,
            admission: admission?,
            discharge: discharge?,
            setting: setting?,
            referral: referral.unwrap_or(Referral::NotReferred),
            diagnosis,
            total: total?,
            compliant: compliant?,
            already_paid: already_paid.unwrap_or(Fen::ZERO),
            fees: fees.unwrap_or_default(),
            lines: None,
        },
        id_number: id_number?,
        correction: correction.unwrap_or(false),
    })
}

fn read_diagnosis(cells: &mut Cells<'_>, slots: &Slots) -> Option<Diagnosis> {
    let code = slots.diagnosis_code.and_then(|slot| cells.optional(slot, read::text));
    let name = slots.diagnosis_name.and_then(|slot| cells.optional(slot, read::text)).unwrap_or_default();
    let code = code.unwrap_or_default();
    if code.is_empty() && name.is_empty() {
        return None;
    }
    if let Some(slot) = slots.diagnosis_code.filter(|_| !code.is_empty() && code.parse::<Icd10>().is_err()) {
        let flaw = Flaw::new("settlement.flaw.diagnosis");
        cells.warning(slot, flaw.mend(Refusal::new("settlement.mend.diagnosis")));
    }
    Some(Diagnosis { code, name })
}
