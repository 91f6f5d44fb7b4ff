//! The columns of files of bills and the words that they take, once for all who read such files: the import, the lines, the
//! command that settles a file without a database. Whoever has a hint of their own adds it.

use kangmai_base::Refusal;
use kangmai_policy::{FeeKind, Referral, Setting};
use kangmai_sheet::{Column, Flaw, Format, half_width, read};

use crate::facts::NamedFee;
use crate::rules::LONGEST_NUMBER;

/// 结算单号
pub const NUMBER: Column = Column::new("number", "结算单号", "Bill number")
    .required()
    .aliases(&["结算流水号", "结算编号", "单据号", "业务流水号", "住院号", "bill"])
    .format(Format::Code)
    .example("ZY202600001");
/// 证件号码
pub const ID_NUMBER: Column = Column::new("id_number", "证件号码", "ID number")
    .required()
    .aliases(&["身份证号", "身份证号码", "公民身份号码", "身份证", "证件号", "person"])
    .format(Format::Code)
    .personal()
    .example("411721195001019919");
/// 医疗机构代码
pub const INSTITUTION_CODE: Column = Column::new("institution_code", "医疗机构代码", "Institution code")
    .aliases(&["机构代码", "机构编码", "定点医疗机构代码", "医疗机构编码", "医院代码"])
    .format(Format::Code)
    .example("H41172100001")
    .hint("代码、名称填一个即可，须已在机构名录中", "Code or name; it must be in the list of institutions");
/// 医疗机构名称
pub(super) const INSTITUTION_NAME: Column = Column::new("institution_name", "医疗机构名称", "Institution")
    .aliases(&["机构名称", "医院名称", "定点医疗机构名称", "就诊医院"])
    .example("示例县人民医院");
/// 机构级别
pub const INSTITUTION_TIER: Column = Column::new("institution_tier", "机构级别", "Tier")
    .aliases(&["机构层级", "医疗机构级别"])
    .example("县级");
/// 出院日期; a file of visits may call it otherwise.
pub const DISCHARGE: Column = Column::new("discharge", "出院日期", "Discharged on")
    .required()
    .aliases(&["出院时间", "结束日期", "就诊日期"])
    .format(Format::Day)
    .example("2026-03-12");
/// 就诊类型
pub const SETTING: Column = Column::new("setting", "就诊类型", "Setting")
    .aliases(&["就医类别", "医疗类别", "就诊类别"])
    .choices(&["住院", "门诊慢特病", "普通门诊"])
    .example("住院");
/// 诊断编码
pub const DIAGNOSIS_CODE: Column = Column::new("diagnosis_code", "诊断编码", "Diagnosis code")
    .aliases(&["主要诊断编码", "疾病编码", "ICD编码", "主诊断编码", "出院诊断编码"])
    .format(Format::Code)
    .example("I63.900");
/// 总费用
pub const TOTAL: Column = Column::new("total", "总费用", "Total")
    .required()
    .aliases(&["医疗总费用", "费用总额", "医疗费总额", "费用合计", "总金额"])
    .format(Format::Amount)
    .example("12345.60");
/// 合规费用
pub const COMPLIANT: Column = Column::new("compliant", "合规费用", "Compliant cost")
    .aliases(&["政策范围内费用", "符合政策范围金额", "合规医疗费用", "范围内费用"])
    .format(Format::Amount)
    .example("11800.00")
    .hint("医保目录内的费用，不大于总费用", "What lies in the catalogues; not more than the total");
/// 其他已支付
pub const ALREADY_PAID: Column = Column::new("already_paid", "其他已支付", "Already paid")
    .aliases(&["其他途径已支付", "已支付金额", "已支付"])
    .format(Format::Amount)
    .hint("本清单以外已经支付的合规费用", "Compliant cost that others paid before");
/// 是否转诊
pub const REFERRAL: Column = Column::new("referral", "是否转诊", "Referred")
    .aliases(&["转诊", "转诊标志", "转诊类型"])
    .choices(&["是", "否", "急诊"])
    .example("是")
    .hint(
        "不填按未转诊；县、乡机构不影响待遇",
        "Empty means no; of no effect in county and township institutions",
    );
/// 免除费用项 of a bill, each with its amount.
pub const NAMED_FEES: Column = Column::new("fees", "免除费用项", "Named fees")
    .aliases(&["减免费用项", "可免除费用", "免收费用项"])
    .example("挂号费:2.00;注射费:3.50")
    .hint(
        "费用名称和金额，用分号分开：挂号费、注射费、换药费、救护车费、体检费",
        "Name and amount, parted by semicolons",
    );
/// 更正
pub(super) const CORRECTION: Column =
    Column::new("correction", "更正", "Correction").aliases(&["是否更正", "更正标志"]).choices(&["是", "否"]);

/// The words of settings.
pub const SETTINGS: [(&str, Setting); 16] = [
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

/// The words of referrals.
pub const REFERRALS: [(&str, Referral); 12] = [
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
pub const FEES: [(&str, FeeKind); 13] = [
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

/// A bill number as it stands, if nothing is lost of it: no digits that Excel rounded, no control character, not longer than
/// [`LONGEST_NUMBER`].
///
/// # Errors
/// What is wrong with it.
pub fn bill_number(text: &str) -> Result<String, Flaw> {
    let narrow = half_width(text);
    let number = narrow.trim_start_matches('\'').trim();
    if number.chars().count() > LONGEST_NUMBER || number.chars().any(char::is_control) {
        return Err(Flaw::new("settlement.flaw.number").with("most", LONGEST_NUMBER.to_string()));
    }
    read::code(number, LONGEST_NUMBER)?;
    Ok(number.to_owned())
}

/// `挂号费:2.00;注射费:3.50`, also with 元, without a colon, or parted by commas and 、.
///
/// # Errors
/// What is no fee or no amount.
pub fn named_fees(text: &str) -> Result<Vec<NamedFee>, Flaw> {
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
    use kangmai_base::Fen;

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
