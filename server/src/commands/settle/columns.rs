//! The columns of a file of bills that carries all that settling asks, and the words that they take.

use kangmai_policy::{FeeKind, InstitutionGrade, InstitutionTier, Referral, Setting};
use kangmai_sheet::{Column, Format, Schema};

/// A file of bills for `kangmai settle`. The titles are those of the import of bills; what a database would know stands in
/// further columns.
pub(super) const BILLS: Schema =
    Schema {
        key: "settle.bills", title_zh: "医疗费用结算清单", title_en: "Bills", columns: &COLUMNS
    };

const COLUMNS: [Column; 20] = [
    Column::new("number", "结算单号", "Bill number")
        .required()
        .aliases(&["结算流水号", "结算编号", "单据号", "业务流水号", "住院号", "bill"])
        .format(Format::Code)
        .example("ZY202600001"),
    Column::new("id_number", "证件号码", "ID number")
        .required()
        .aliases(&["身份证号", "身份证号码", "公民身份号码", "身份证", "证件号", "person"])
        .format(Format::Code)
        .personal()
        .example("411721195001019919"),
    Column::new("discharge", "出院日期", "Discharged on")
        .required()
        .aliases(&["出院时间", "结束日期", "就诊日期"])
        .format(Format::Day)
        .example("2026-03-12"),
    Column::new("total", "总费用", "Total")
        .required()
        .aliases(&["医疗总费用", "费用总额", "医疗费总额", "费用合计", "总金额"])
        .format(Format::Amount)
        .example("12345.60"),
    Column::new("compliant", "合规费用", "Compliant cost")
        .aliases(&["政策范围内费用", "符合政策范围金额", "合规医疗费用", "范围内费用"])
        .format(Format::Amount),
    Column::new("already_paid", "其他已支付", "Already paid")
        .aliases(&["其他途径已支付", "已支付金额", "已支付"])
        .format(Format::Amount),
    Column::new("admission", "入院日期", "Admitted on")
        .aliases(&["入院时间", "开始日期"])
        .format(Format::Day),
    Column::new("settlement", "结算日期", "Settled on").aliases(&["结算时间"]).format(Format::Day),
    Column::new("setting", "就诊类型", "Setting").aliases(&["就医类别", "医疗类别", "就诊类别"]),
    Column::new("institution_code", "医疗机构代码", "Institution code")
        .aliases(&["机构代码", "机构编码", "定点医疗机构代码", "医疗机构编码", "医院代码"])
        .format(Format::Code),
    Column::new("institution_tier", "机构级别", "Tier")
        .aliases(&["机构层级", "医疗机构级别"])
        .example("县级"),
    Column::new("institution_grade", "医院等级", "Grade").aliases(&["等级", "机构等级"]),
    Column::new("institution_place", "就医地", "Place of the institution")
        .aliases(&["就医地区划代码", "机构区划代码"])
        .format(Format::Code),
    Column::new("designations", "定点资格", "Designations").aliases(&["定点类型"]),
    Column::new("referral", "是否转诊", "Referred").aliases(&["转诊", "转诊标志", "转诊类型"]),
    Column::new("diagnosis_code", "诊断编码", "Diagnosis code")
        .aliases(&["主要诊断编码", "疾病编码", "ICD编码", "主诊断编码", "出院诊断编码"])
        .format(Format::Code),
    Column::new("fees", "免除费用项", "Named fees").aliases(&["减免费用项", "可免除费用", "免收费用项"]),
    Column::new("labels", "人群类别", "Labels").aliases(&["人员类别", "身份类别", "户类型", "救助类别"]),
    Column::new("person_place", "参保地", "Insured in")
        .aliases(&["参保地区划代码", "户籍地区划代码", "区划代码", "place"])
        .format(Format::Code),
    Column::new("household_number", "户编号", "Household number")
        .aliases(&["户号", "家庭编号", "户籍编号", "household"])
        .format(Format::Code)
        .hint(
            "在本文件内唯一；不填按人员名册；只在政策有按全户累计的待遇时用到",
            "Unique in this file; else by the register; asked only where a benefit counts for households",
        ),
];

pub(super) const SETTINGS: [(&str, Setting); 13] = [
    ("住院", Setting::Inpatient),
    ("门诊慢特病", Setting::ChronicOutpatient),
    ("普通门诊", Setting::Outpatient),
    ("普通住院", Setting::Inpatient),
    ("门诊慢性病", Setting::ChronicOutpatient),
    ("门诊特殊病", Setting::ChronicOutpatient),
    ("门诊重症慢性病", Setting::ChronicOutpatient),
    ("慢病门诊", Setting::ChronicOutpatient),
    ("门诊大病", Setting::ChronicOutpatient),
    ("门诊", Setting::Outpatient),
    ("inpatient", Setting::Inpatient),
    ("chronic_outpatient", Setting::ChronicOutpatient),
    ("outpatient", Setting::Outpatient),
];

pub(super) const REFERRALS: [(&str, Referral); 10] = [
    ("是", Referral::Referred),
    ("否", Referral::NotReferred),
    ("急诊", Referral::Emergency),
    ("规范转诊", Referral::Referred),
    ("未转诊", Referral::NotReferred),
    ("1", Referral::Referred),
    ("0", Referral::NotReferred),
    ("referred", Referral::Referred),
    ("none", Referral::NotReferred),
    ("emergency", Referral::Emergency),
];

pub(super) const TIERS: [(&str, InstitutionTier); 16] = [
    ("村级", InstitutionTier::Village),
    ("乡镇级", InstitutionTier::Township),
    ("县级", InstitutionTier::County),
    ("市级", InstitutionTier::City),
    ("省级", InstitutionTier::Province),
    ("省外", InstitutionTier::OutsideProvince),
    ("乡级", InstitutionTier::Township),
    ("乡镇", InstitutionTier::Township),
    ("社区级", InstitutionTier::Township),
    ("县区级", InstitutionTier::County),
    ("village", InstitutionTier::Village),
    ("township", InstitutionTier::Township),
    ("county", InstitutionTier::County),
    ("city", InstitutionTier::City),
    ("province", InstitutionTier::Province),
    ("outside_province", InstitutionTier::OutsideProvince),
];

pub(super) const GRADES: [(&str, InstitutionGrade); 12] = [
    ("未定级", InstitutionGrade::Ungraded),
    ("一级", InstitutionGrade::First),
    ("二级", InstitutionGrade::Second),
    ("三级", InstitutionGrade::Third),
    ("二级甲等", InstitutionGrade::Second),
    ("三级甲等", InstitutionGrade::Third),
    ("二甲", InstitutionGrade::Second),
    ("三甲", InstitutionGrade::Third),
    ("ungraded", InstitutionGrade::Ungraded),
    ("first", InstitutionGrade::First),
    ("second", InstitutionGrade::Second),
    ("third", InstitutionGrade::Third),
];

pub(super) const FEES: [(&str, FeeKind); 12] = [
    ("挂号费", FeeKind::Registration),
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

/// Short forms of labels that lists use.
pub(super) const LABELS: [(&str, &str); 14] = [
    ("脱贫户", "poverty_alleviated"),
    ("脱贫不稳定", "unstable_alleviated"),
    ("边缘易致贫", "marginal"),
    ("突发严重困难", "sudden_hardship"),
    ("低保", "subsistence_allowance"),
    ("农村低保", "subsistence_allowance"),
    ("低保边缘", "subsistence_marginal"),
    ("特困", "extreme_poverty"),
    ("特困供养", "extreme_poverty"),
    ("返贫致贫", "returned_to_poverty"),
    ("因病致贫", "illness_impoverished"),
    ("刚性支出困难", "expenditure_hardship"),
    ("建档立卡", "registered_poor"),
    ("建档立卡贫困人口", "registered_poor"),
];
