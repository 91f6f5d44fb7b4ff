//! The columns of a file of bills, as insurance bureaus export them, and the reading of one row. Pure.

use kangmai_base::{Fen, IdNumber, Refusal};
use kangmai_policy::{FeeKind, Icd10, Referral, Setting};
use kangmai_sheet::{Cells, Column, Flaw, Format, Matching, Schema, Slot, half_width, read};

use crate::facts::{Diagnosis, NamedFee};
use crate::rules::{BillDraft, LONGEST_NUMBER};

/// A file of bills: one row a bill.
pub const BILL_COLUMNS: Schema =
    Schema {
        key: "settlement.bills", title_zh: "医疗费用结算清单", title_en: "Bills", columns: &COLUMNS
    };

const COLUMNS: [Column; 17] = [
    Column::new("number", "结算单号", "Bill number")
        .required()
        .aliases(&["结算流水号", "结算编号", "单据号", "业务流水号", "住院号"])
        .format(Format::Code)
        .example("ZY202600001")
        .hint(
            "同一机构内不重复；同一单号再次导入不会重复计算",
            "Unique in the institution; the same bill twice counts once",
        ),
    Column::new("id_number", "证件号码", "ID number")
        .required()
        .aliases(&["身份证号", "身份证号码", "公民身份号码", "身份证", "证件号"])
        .format(Format::Code)
        .personal()
        .example("411721195001019919")
        .hint("须先在人员名册中登记", "The person must be in the register"),
    Column::new("name", "姓名", "Name").aliases(&["患者姓名", "人员姓名"]).personal().example("示例甲"),
    Column::new("institution_code", "医疗机构代码", "Institution code")
        .aliases(&["机构代码", "机构编码", "定点医疗机构代码", "医疗机构编码", "医院代码"])
        .format(Format::Code)
        .example("H41172100001")
        .hint(
            "代码、名称填一个即可，须已在机构名录中",
            "Code or name; it must be in the list of institutions",
        ),
    Column::new("institution_name", "医疗机构名称", "Institution")
        .aliases(&["机构名称", "医院名称", "定点医疗机构名称", "就诊医院"])
        .example("示例县人民医院"),
    Column::new("institution_tier", "机构级别", "Tier")
        .aliases(&["机构层级", "医疗机构级别"])
        .example("县级")
        .hint("仅供核对，以机构名录为准", "For checking only; the list of institutions counts"),
    Column::new("admission", "入院日期", "Admitted on")
        .required()
        .aliases(&["入院时间", "就诊日期", "开始日期"])
        .format(Format::Day)
        .example("2026-03-02"),
    Column::new("discharge", "出院日期", "Discharged on")
        .required()
        .aliases(&["出院时间", "结束日期"])
        .format(Format::Day)
        .example("2026-03-12")
        .hint("身份以出院日为准", "Identity counts as of this day"),
    Column::new("setting", "就诊类型", "Setting")
        .required()
        .aliases(&["就医类别", "医疗类别", "就诊类别"])
        .choices(&["住院", "门诊慢特病", "普通门诊"])
        .example("住院"),
    Column::new("diagnosis_code", "诊断编码", "Diagnosis code")
        .aliases(&["主要诊断编码", "疾病编码", "ICD编码", "主诊断编码", "出院诊断编码"])
        .format(Format::Code)
        .example("I63.900"),
    Column::new("diagnosis_name", "诊断名称", "Diagnosis")
        .aliases(&["主要诊断", "主要诊断名称", "疾病名称", "出院诊断", "诊断"])
        .example("脑梗死"),
    Column::new("total", "总费用", "Total")
        .required()
        .aliases(&["医疗总费用", "费用总额", "医疗费总额", "费用合计", "总金额"])
        .format(Format::Amount)
        .example("12345.60"),
    Column::new("compliant", "合规费用", "Compliant cost")
        .required()
        .aliases(&["政策范围内费用", "符合政策范围金额", "合规医疗费用", "范围内费用"])
        .format(Format::Amount)
        .example("11800.00")
        .hint("医保目录内的费用，不大于总费用", "What lies in the catalogues; not more than the total"),
    Column::new("already_paid", "其他已支付", "Already paid")
        .aliases(&["其他途径已支付", "已支付金额"])
        .format(Format::Amount)
        .hint("本清单以外已经支付的合规费用", "Compliant cost that others paid before"),
    Column::new("referral", "是否转诊", "Referred")
        .aliases(&["转诊", "转诊标志", "转诊类型"])
        .choices(&["是", "否", "急诊"])
        .example("是")
        .hint(
            "不填按未转诊；县、乡机构不影响待遇",
            "Empty means no; of no effect in county and township institutions",
        ),
    Column::new("fees", "免除费用项", "Named fees")
        .aliases(&["减免费用项", "可免除费用", "免收费用项"])
        .example("挂号费:2.00;注射费:3.50")
        .hint(
            "费用名称和金额，用分号分开：挂号费、注射费、换药费、救护车费、体检费",
            "Name and amount, parted by semicolons",
        ),
    Column::new("correction", "更正", "Correction")
        .aliases(&["是否更正", "更正标志"])
        .choices(&["是", "否"])
        .hint(
            "单号已在系统中而内容不同时填“是”：原结算作废，按本行重新结算",
            "是: cancels what is there and settles this row",
        ),
];

const SETTINGS: [(&str, Setting); 16] = [
    ("住院", Setting::Inpatient),
    ("门诊慢特病", Setting::ChronicOutpatient),
    ("普通门诊", Setting::Outpatient),
    ("普通住院", Setting::Inpatient),
    ("门诊慢性病", Setting::ChronicOutpatient),
    ("门诊特殊病", Setting::ChronicOutpatient),
    ("门诊特病", Setting::ChronicOutpatient),
    ("慢病门诊", Setting::ChronicOutpatient),
    ("慢性病门诊", Setting::ChronicOutpatient),
    ("门诊重症慢性病", Setting::ChronicOutpatient),
    ("门诊大病", Setting::ChronicOutpatient),
    ("门诊", Setting::Outpatient),
    ("inpatient", Setting::Inpatient),
    ("outpatient_chronic", Setting::ChronicOutpatient),
    ("chronic_outpatient", Setting::ChronicOutpatient),
    ("outpatient", Setting::Outpatient),
];

const REFERRALS: [(&str, Referral); 12] = [
    ("是", Referral::Referred),
    ("否", Referral::NotReferred),
    ("急诊", Referral::Emergency),
    ("转诊", Referral::Referred),
    ("规范转诊", Referral::Referred),
    ("未转诊", Referral::NotReferred),
    ("急诊转诊", Referral::Emergency),
    ("1", Referral::Referred),
    ("0", Referral::NotReferred),
    ("referred", Referral::Referred),
    ("none", Referral::NotReferred),
    ("emergency", Referral::Emergency),
];

/// The words of fees with a name of their own.
pub(crate) const FEES: [(&str, FeeKind); 13] = [
    ("挂号费", FeeKind::Registration),
    ("门诊挂号费", FeeKind::Registration),
    ("注射费", FeeKind::Injection),
    ("换药费", FeeKind::Dressing),
    ("救护车费", FeeKind::Ambulance),
    ("救护车接送费", FeeKind::Ambulance),
    ("体检费", FeeKind::Checkup),
    ("健康体检费", FeeKind::Checkup),
    ("registration", FeeKind::Registration),
    ("injection", FeeKind::Injection),
    ("dressing", FeeKind::Dressing),
    ("ambulance", FeeKind::Ambulance),
    ("checkup", FeeKind::Checkup),
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
    let number = slots.number.and_then(|slot| cells.required(slot, number));
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

/// 结算单号
pub(super) fn number(text: &str) -> Result<String, Flaw> {
    let text = half_width(text).into_owned();
    if text.chars().count() > LONGEST_NUMBER || text.chars().any(char::is_control) {
        return Err(Flaw::new("settlement.flaw.number").with("most", LONGEST_NUMBER.to_string()));
    }
    Ok(text)
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

/// `挂号费:2.00;注射费:3.50`, also with 元, without a colon, or parted by commas and 、.
fn named_fees(text: &str) -> Result<Vec<NamedFee>, Flaw> {
    let flaw = || {
        let mend = Refusal::new("settlement.mend.fees").with("example", "挂号费:2.00;注射费:3.50");
        Flaw::new("settlement.flaw.fees").mend(mend)
    };
    let text = half_width(text).into_owned();
    let parts = text.split([';', ',', '、']).map(str::trim).filter(|part| !part.is_empty());
    parts
        .map(|part| {
            let split = part.find(|letter: char| letter.is_ascii_digit() || "-:=".contains(letter));
            let (name, amount) = part.split_at(split.ok_or_else(flaw)?);
            let amount = amount.trim_start_matches([':', '=', ' ']).trim_end_matches('元').trim();
            let kind = read::choice(name.trim(), &FEES)?;
            Ok(NamedFee { kind, amount: read::amount(amount)? })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn named_fees_are_read_as_people_write_them() {
        let fee = |kind, fen| NamedFee { kind, amount: Fen(fen) };
        let both = vec![fee(FeeKind::Registration, 200), fee(FeeKind::Injection, 350)];
        for text in [
            "挂号费:2.00;注射费:3.50",
            "挂号费2元、注射费3.5元",
            "挂号费：2，注射费=3.50",
            "挂号费 2;注射费 3.5;",
        ] {
            assert_eq!(named_fees(text), Ok(both.clone()), "{text}");
        }
        for text in ["挂号费", "床位费:3", "挂号费:x", "挂号费:-2"] {
            assert!(named_fees(text).is_err(), "{text}");
        }
    }
}
