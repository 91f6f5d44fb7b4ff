//! Journeys of explanation: what would change a bill, before it is final and after; the auditor's page. On both databases.

use super::office::{Office, TODAY, XIPING, on_both, on_both_under, policies_and, settles, stay};
use axum::http::StatusCode;
use kangmai_access::Role;
use kangmai_base::Uuid;
use kangmai_people::Label;
use kangmai_places::{InstitutionGrade, InstitutionTier};

/// Xiping's own benefit, which asks for a diagnosis and then for an age.
const RENAL: &str = r#"
id = "renal"
name = { zh = "单病种补助", en = "Aid for one disease" }
payer = { kind = "government", fund = "renal", name = { zh = "县财政", en = "the county" }, national = "oth_pay" }
kind = "share"
date = "discharge"
round = { mode = "half_up", to = "0.01", at = "layer" }
base = { take = "remaining_compliant", over = "bill", owner = "person" }
after = ["assistance"]
applies = { fact = "diagnosis", starts_with = ["N18"] }
[[version]]
from = "2020-01-01"
sure = "low"
source = { doc = "示例文件" }
[[version.profile]]
name = { zh = "所有人", en = "everybody" }
deductible = "0.00"
deductible_over = "bill"
ratio = "50%"
yearly_cap = "none"
"#;
const PACK: &str = r#"
id = "xiping"
name = { zh = "西平县", en = "Xiping" }
division = "411721"
inherits = "all"
"#;

fn given_a_county_hospital(office: &mut Office) -> Uuid {
    let county = InstitutionTier::County;
    office.given_an_institution("H1", "411721001000", county, InstitutionGrade::Second)
}

fn at_the_desk(office: &mut Office, hospital: Uuid) {
    office.signed_in(Role::CountyDesk, "411721", Some(hospital));
}

#[test]
fn the_desk_sees_what_a_day_is_worth_before_anything_is_final() {
    on_both(|office| {
        let hospital = given_a_county_hospital(office);
        let code = hospital.to_string();
        let label = (Label::SubsistenceAllowance, "2026-03-06", None);
        let person = office.given_a_person("示例甲", XIPING, &[label]);
        at_the_desk(office, hospital);
        let bill = stay("ZY1", &code, "2026-02-20", TODAY, "60000.00");
        let trial = office.post(&format!("/desk/{}", person.id), &bill).text;
        // 10,752.00 as it is; a day later 3,413.80 of the tilted tiers and 70 % of 7,338.20 besides.
        assert!(trial.contains("value=\"10752.00\""), "{trial}");
        assert!(trial.contains("还可以怎样"), "{trial}");
        assert!(trial.contains("如果出院日为2026-03-06：个人自付2,201.46元，少付8,550.54元"), "{trial}");
        assert!(trial.contains("城乡居民大病保险 0.00 → 3,413.80元"), "{trial}");
        assert!(trial.contains("医疗救助 0.00 → 5,136.74元"), "{trial}");
        assert!(trial.contains("周口市居民医保政策详解"), "the rule that decides, with its source: {trial}");
        assert!(!trial.contains("换一种情形会多付的"), "the desk is shown what helps");
        // Another status comes after what the desk can still settle.
        let at = |part: &str| trial.find(part).unwrap_or(usize::MAX);
        assert!(at("如果出院日为2026-03-06") < at("如果2026-03-05以前（含当日）已认定为"), "{trial}");
        assert!(trial.contains("如果2026-03-05以前（含当日）已认定为"), "{trial}");
        let english = office.in_english().post(&format!("/desk/{}", person.id), &bill).text;
        assert!(
            english.contains("had the day of discharge been 2026-03-06: own share 2,201.46 yuan"),
            "{english}"
        );
        office.in_chinese();
        // The label counts from the day of discharge on: nothing of it is proposed, and the day is not asked about.
        let mut person = person;
        person.body.labels[0].from = Some(super::office::day(TODAY));
        office.put_person(&person);
        let trial = office.post(&format!("/desk/{}", person.id), &bill).text;
        assert!(trial.contains("value=\"2201.46\""), "{trial}");
        assert!(!trial.contains("如果出院日为"), "{trial}");
    });
}

#[test]
fn a_statement_tells_what_is_missing_and_the_auditors_page_everything() {
    on_both(|office| {
        let hospital = given_a_county_hospital(office);
        let code = hospital.to_string();
        let label = (Label::PovertyAlleviated, "2021-01-01", None);
        let person = office.given_a_person("示例乙", XIPING, &[label]);
        at_the_desk(office, hospital);
        let mut bill = stay("ZY1", &code, "2026-02-01", "2026-02-10", "60000.37");
        bill.retain(|(name, _)| *name != "referral");
        bill.push(("referral", "none"));
        let statement = settles(office, &person, &bill);
        let page = office.finds(&statement);
        for part in ["没有享受的待遇还差什么", "还可以怎样", "实际：身份为脱贫人口（出院日2026-02-10）"]
        {
            assert!(page.contains(part), "{part}: {page}");
        }
        let path = format!("{statement}/why");
        assert!(page.contains(&path), "the auditor's page is one link away");

        office.signed_in(Role::Auditor, "411721", None);
        let page = office.finds(&path);
        let reason = "不符合的条件：需要身份为脱贫不稳定户";
        assert!(page.matches(reason).count() == 1, "what two groups lack is said once: {page}");
        for part in [
            "您这次看病共花费60,000.37元",
            "城乡居民基本医疗保险为您支付49,248.31元。",
            // 1,100 × 63 % + 58,500.37 × 83 %.
            "49,248.3071",
            "49,248.31 元（四舍五入到0.01元，差 0.0029 元）",
            "年度支付限额：本次以前 150,000.00 元，以后 100,751.69 元",
            "第2版，2021-01-01起",
            "豫政办〔2016〕194号",
            "起付线1.1万元，1.1万元至10万元（含）60%",
            "不符合的条件：需要身份为低保对象、返贫致贫人口（出院日2026-02-10）；实际身份为脱贫人口（出院日2026-02-10）（来源：人员底册）",
            "不符合的条件：需要门诊慢特病；实际住院（来源：2026-02-10、",
            "起作用的规定：城乡居民基本医疗保险：参加基本医保。",
            "换一种情形会多付的",
            "如果当时没有参加基本医保：个人自付60,000.37元",
            "需要：身份为低保对象",
            "这是实际情况，只说明原因。",
            "不超过 4,000 字",
            "总费用60,000.37元，其中合规费用60,000.37元",
            "结算凭证校验码",
        ] {
            assert!(page.contains(part), "{part}: {page}");
        }
        let english = office.in_english().finds(&path);
        for part in ["What is missing to qualify", "Before rounding", "from: the register", "Layer by layer"]
        {
            assert!(english.contains(part), "{part}: {english}");
        }
        office.in_chinese();
        office.nothing_differs_after_rebuilding();
    });
}

#[test]
fn where_nothing_helps_that_is_said_and_a_mended_register_is_no_better_day() {
    on_both(|office| {
        let township = InstitutionTier::Township;
        let centre = office.given_an_institution("T1", "411721107000", township, InstitutionGrade::First);
        let mut person = office.given_a_person("示例丙", XIPING, &[]);
        office.signed_in(Role::CountyDesk, "411721", Some(centre));
        let centre = centre.to_string();
        let bill = stay("ZY1", &centre, "2026-02-01", "2026-02-10", "190.00");
        let statement = settles(office, &person, &bill);
        // Below every deductible only a label without one helps: 190.00 × 70 %.
        person.body.labels.push(kangmai_people::LabelInterval {
            label: Label::SubsistenceAllowance,
            from: Some(super::office::day("2026-02-01")),
            to: None,
            source: "示例".to_owned(),
        });
        office.put_person(&person);
        let page = office.finds(&format!("{statement}/why"));
        let recognised = "如果2026-02-10以前（含当日）已认定为低保对象或特困人员或返贫致贫人口：个人自付57.00元，少付133.00元";
        assert!(page.contains(recognised), "{page}");
        assert!(!page.contains("如果出院日为"), "the register was mended; no day is better for it: {page}");

        let old = office.given_a_person("示例丁", XIPING, &[(Label::RegisteredPoor, "2016-01-01", None)]);
        let bill = stay("ZY2", &centre, "2019-06-20", "2019-06-30", "3000.00");
        let statement = settles(office, &old, &bill);
        let page = office.finds(&format!("{statement}/why"));
        assert!(page.contains("没有哪一项改变能减少个人自付。"), "{page}");
        assert!(page.contains("如果在本县县级机构（二级）就医：个人自付1,062.00元，多付462.00元"), "{page}");
    });
}

#[test]
fn no_page_of_a_bill_tells_a_diagnosis_to_who_may_not_see_it() {
    let files = [("cn/henan/xiping/pack.toml", PACK), ("cn/henan/xiping/benefits/50-renal.toml", RENAL)];
    on_both_under(&policies_and(&files), |office| {
        let hospital = given_a_county_hospital(office);
        let code = hospital.to_string();
        let person = office.given_a_person("示例戊", XIPING, &[]);
        at_the_desk(office, hospital);
        let mut bill = stay("ZY1", &code, "2026-02-01", "2026-02-10", "1000.00");
        bill.extend([("diagnosis_code", "I63.9"), ("diagnosis_name", "脑梗死")]);
        let statement = settles(office, &person, &bill);
        let why = format!("{statement}/why");
        for path in [&statement, &why] {
            assert!(office.finds(path).contains("诊断I63.9"), "the desk sees why: {path}");
        }
        office.signed_in(Role::InsuranceClerk, "411721", None);
        for path in [&statement, &why] {
            let page = office.finds(path);
            assert!(page.contains("（无权查看）") && !page.contains("I63"), "{path}: {page}");
        }
        // Another place's bill is not found; nor is what is not settled.
        office.signed_in(Role::InsuranceClerk, "411722", None);
        assert_eq!(office.get(&why).status, StatusCode::NOT_FOUND);
        at_the_desk(office, hospital);
        let cancelled = office.post(&format!("{statement}/cancel"), &[("reason", "录错"), ("act", "cancel")]);
        assert_eq!(cancelled.status, StatusCode::SEE_OTHER);
        assert_eq!(office.get(&why).status, StatusCode::NOT_FOUND);
        assert_eq!(office.get("/bills/no-such/why").status, StatusCode::NOT_FOUND);
    });
}
