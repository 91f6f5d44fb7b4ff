//! The columns of a file of bills that carries all that settling asks, and the words of those that the import has not.

use kangmai_policy::{InstitutionGrade, InstitutionTier};
use kangmai_settlement::import::{
    ALREADY_PAID, COMPLIANT, DIAGNOSIS_CODE, DISCHARGE, ID_NUMBER, INSTITUTION_CODE, INSTITUTION_TIER,
    NAMED_FEES, NUMBER, REFERRAL, SETTING, TOTAL,
};
use kangmai_sheet::{Column, Format, Schema};

/// A file of bills for `kangmai settle`: the columns of the import of bills, and what a database would know in further ones.
pub(super) const BILLS: Schema =
    Schema {
        key: "settle.bills", title_zh: "医疗费用结算清单", title_en: "Bills", columns: &COLUMNS
    };

const COLUMNS: [Column; 20] = [
    NUMBER,
    ID_NUMBER,
    DISCHARGE,
    TOTAL,
    COMPLIANT,
    ALREADY_PAID,
    Column::new("admission", "入院日期", "Admitted on")
        .aliases(&["入院时间", "开始日期"])
        .format(Format::Day),
    Column::new("settlement", "结算日期", "Settled on").aliases(&["结算时间"]).format(Format::Day),
    SETTING,
    INSTITUTION_CODE,
    INSTITUTION_TIER,
    Column::new("institution_grade", "医院等级", "Grade").aliases(&["等级", "机构等级"]),
    Column::new("institution_place", "就医地", "Place of the institution")
        .aliases(&["就医地区划代码", "机构区划代码"])
        .format(Format::Code),
    Column::new("designations", "定点资格", "Designations").aliases(&["定点类型"]),
    REFERRAL,
    DIAGNOSIS_CODE,
    NAMED_FEES,
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
