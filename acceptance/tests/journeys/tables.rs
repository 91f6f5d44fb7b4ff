//! The tables of the packs, read by a clerk; what a person pays for insurance; what the clinics of a county are due.

use kangmai_acceptance::county::County;
use kangmai_access::Role;

/// A county of Zhengzhou, whose pack has subsidies.
const ZHONGMU: &str = "410122000000";
const INSTITUTIONS: &str =
    "机构编码,机构名称,所在地区划代码,机构层级,医院等级,机构类别,服务能力,开业日期,停业日期
C1,示例甲村卫生室,410122001001,村级,,村卫生室,门诊,,
C2,示例乙村卫生室,410122001001,村级,,村卫生室,门诊、脱贫村卫生室,,
C3,示例旧村卫生室,410122001001,村级,,村卫生室,门诊,,2026-01-01
C4,示例新村卫生室,410122001001,村级,,村卫生室,门诊,2027-01-01,
H1,示例卫生院,410122001001,乡镇级,一级,乡镇卫生院,住院,,
";
const REGISTER: &str = "户编号,与户主关系,姓名,证件号码,户籍地区划代码,参保状态,人群类别,认定日期,退出日期
H0001,户主,示例石大山,411722196203089916,411722001001,城乡居民基本医疗保险,特困人员,2021-01-01,
H0002,户主,示例王二河,411722195501019911,411722001001,城乡居民基本医疗保险,,,
";

#[test]
fn the_tables_of_a_place_and_day_stand_in_words() {
    let county = County::on_sqlite();
    let mut clerk = county.sign_in(Role::InsuranceClerk);
    clerk.open("/policies").follow("参保缴费、机构补助和单病种定额");
    clerk.sees("这里没有录入单病种定额").sees("这里没有录入按例付费和机构补助");
    let rows = clerk.table("居民医保筹资标准");
    assert_eq!((rows[1]["保障年度"].as_str(), rows[1]["个人缴费标准"].as_str()), ("2025", "400.00 元"));
    assert_eq!(
        (rows[2]["财政补助"].as_str(), rows[2]["个人缴费标准"].as_str()),
        ("724.00 元", "未见公布，不计算")
    );

    clerk.open("/policies/tables?place=130727&on=2025-06-30");
    let rows = clerk.table("2025 年度参保资助");
    assert_eq!(rows.len(), 2, "{rows:?}");
    assert_eq!(rows[1]["资助"], "资助不低于个人缴费的 60%");
    assert!(rows[1]["适用于"].contains("低保对象、") || rows[1]["适用于"].contains("、低保对象"), "{rows:?}");

    clerk.open("/policies/tables?place=410122&on=2019-12-31");
    assert_eq!(clerk.table("按例付费和机构补助")[0]["标准"], "每例 100.00 元");
    clerk.open("/policies/tables?place=410122&on=2020-01-01");
    let rows = clerk.table("按例付费和机构补助");
    assert_eq!(rows[0]["标准"], "每例 140.00 元");
    assert_eq!(rows[3]["付给"], "村卫生室（脱贫村卫生室）");
    clerk.follow("查看规则原文件 按例付费和机构补助").sees("clinic_essential_drugs");
    clerk.in_english().open("/policies/tables?place=410122&on=2020-01-01").sees("140.00 yuan a case");
    assert_eq!(county.app.words.missing(), Vec::<String>::new());
}

#[test]
fn a_person_s_page_says_what_insurance_costs_and_who_pays() {
    County::on_both(|county| {
        let finished = county.import("register", "register.csv", REGISTER.as_bytes());
        assert_eq!((finished.summary.faulty, finished.parked), (0, 0), "{finished:?}");
        let mut doctor = county.sign_in(Role::VillageDoctor);
        for (name, aid, pays) in
            [("示例石大山", "特困人员：全额资助", "0.00 元"), ("示例王二河", "无资助", "未见公布，不计算")]
        {
            doctor.open("/people").fill("姓名、首字母或号码", name).press("查找");
            if doctor.can(name) {
                doctor.follow(name);
            }
            let rows = doctor.table("参保缴费");
            assert_eq!(rows.len(), 1, "2027 is not stated: {rows:?}");
            let row = &rows[0];
            assert_eq!(
                (row["保障年度"].as_str(), row["资助"].as_str(), row["本人缴"].as_str()),
                ("2026", aid, pays)
            );
        }
    });
}

#[test]
fn each_clinic_is_due_its_subsidy_and_the_file_says_the_same() {
    County::on_both(|county| {
        let finished = county.import("institutions", "institutions.csv", INSTITUTIONS.as_bytes());
        assert_eq!((finished.summary.faulty, finished.parked), (0, 0), "{finished:?}");
        county.employ(Role::HealthBureau, "zhongmu", ZHONGMU);
        let mut bureau = county.sign_in_as("zhongmu");
        bureau.open("/policies/tables").follow("机构年度补助");
        // C3 closed on the first day of the year, C4 is not open yet, and a health centre gets nothing by the year.
        bureau.sees("2026 年：2 家机构，应付 12,000.00 元");
        let rows = bureau.table("机构年度补助");
        let due: Vec<(&str, &str)> =
            rows.iter().map(|row| (row["机构编码"].as_str(), row["应付（元）"].as_str())).collect();
        assert_eq!(due, [("C1", "5,000.00"), ("C2", "7,000.00")]);
        assert!(rows[1]["项目"].contains("脱贫村卫生室补助 2,000.00 元"), "{rows:?}");
        bureau.open("/subsidies?year=2025").sees("2025 年：3 家机构，应付 17,000.00 元");
        // No rule before 2016, and no year beyond those that can be asked for.
        bureau.open("/subsidies?year=1999").sees("2026 年：2 家机构");
        bureau.open("/subsidies.xlsx");
        assert!(bureau.bytes().starts_with(b"PK"), "an Excel file");
        bureau.open("/policies/tables?place=411722").does_not_see("机构年度补助");

        // Elsewhere there are no such clinics.
        let mut other = county.sign_in(Role::HealthBureau);
        other.open("/subsidies").sees("2026 年没有应付的年度补助").does_not_see("示例甲村卫生室");
        county.employ(Role::Auditor, "zhongmu_auditor", ZHONGMU);
        county.sign_in_as("zhongmu_auditor").open("/audit").sees("机构年度补助 2 2026");
    });
}
