//! Who was cured of a major disease stands on a list of their own and is followed up; signs that it is back refer, and warn.

#![expect(clippy::expect_used, reason = "a test says what it needs")]

use kangmai_acceptance::county::County;
use kangmai_acceptance::visitor::Visitor;
use kangmai_access::Role;
use kangmai_follow_up::enrol_all;
use kangmai_poverty_watch::run_watch;

fn number(first_17: &str) -> String {
    kangmai_base::IdNumber::with_checksum(first_17).expect("a number").as_str().to_owned()
}

fn import(county: &County, key: &str, text: &str) {
    let finished = county.import(key, &format!("{key}.csv"), text.as_bytes());
    assert_eq!((finished.summary.faulty, finished.parked), (0, 0), "{finished:?}");
}

fn given(county: &County) {
    let [cured, ill, pressure] = ["41172219750101991", "41172219760101991", "41172219770101991"].map(number);
    import(
        county,
        "register",
        &format!(
            "户编号,与户主关系,姓名,证件号码,户籍地区划代码,参保状态\n\
            H0001,户主,示例治愈,{cured},411722001001,居民\n\
            H0002,户主,示例在治,{ill},411722001001,居民\n\
            H0003,户主,示例血压,{pressure},411722001001,居民\n"
        ),
    );
    import(
        county,
        "diagnoses",
        &format!(
            "证件号码,姓名,诊断编码,诊断名称,确诊日期,治愈日期\n\
            {cured},示例治愈,C50.900,乳腺恶性肿瘤,2022-03-05,2025-03-05\n\
            {ill},示例在治,C50.900,乳腺恶性肿瘤,2024-03-05,\n\
            {pressure},示例血压,I10.x00,原发性高血压,2020-03-05,2025-03-05\n"
        ),
    );
    let run = enrol_all(&county.app, county.app.today(), |_| {}).expect("a run");
    assert_eq!((run.people, run.enrolled), (3, 1), "the cured alone: {run:?}");
}

fn raised(county: &County) -> u64 {
    run_watch(&county.app, county.app.today(), |_| {}).expect("the watch").raised
}

fn person(visitor: &mut Visitor, name: &str) -> String {
    visitor.finds("/people").fill("姓名、首字母或号码", name).press("查找").follow(name);
    visitor.path().split('?').next().unwrap_or_default().to_owned()
}

#[test]
fn the_cured_are_watched_and_a_relapse_warns() {
    County::on_both(|county| {
        given(county);
        let mut doctor = county.sign_in(Role::VillageDoctor);
        doctor.finds("/follow-up?when=all&programme=cured").sees("示例治愈").sees("已治愈");
        doctor.does_not_see("示例在治").does_not_see("示例血压");
        let before = raised(county);

        // Nothing amiss: the next visit in half a year, and no warning.
        let address = person(&mut doctor, "示例治愈");
        doctor.finds(&format!("{address}/visit")).fill("随访方式", "家庭").fill("复发迹象", "无");
        doctor.fill("随访日期", "2026-11-10").press("保存随访").sees("未见复发").sees("2027年5月10日前");
        assert_eq!(raised(county), 0);
        // Suspected: referred, asked again in two weeks, and the household gets a warning with its task.
        doctor.finds(&format!("{address}/visit")).fill("随访方式", "家庭").fill("复发迹象", "有，怀疑复发");
        doctor.press("保存随访").sees("怀疑复发").sees("2026年12月4日前");
        let visit = doctor.path().to_owned();
        doctor.finds("/follow-up?when=all&programme=cured&grade=referred").sees("示例治愈");
        assert_eq!((before, raised(county)), (0, 1), "an illness of long ago is no news; the relapse is");
        doctor.finds("/warnings").sees("已治愈的家庭成员随访怀疑大病复发");
        assert_eq!(raised(county), 0, "told once");
        // Who may not read diagnoses reads of risk.
        county.sign_in(Role::Cadre).finds("/warnings").does_not_see("复发").sees("新的健康支出风险");

        // It was a slip: taken back, the sign is gone.
        doctor.finds(&visit).press("撤销本次随访").sees("已撤销");
        let again = run_watch(&county.app, county.app.today(), |_| {}).expect("the watch");
        assert_eq!((again.raised, again.updated), (0, 1), "{again:?}");
        let differs = kangmai_record::rebuild(&county.app.database, &county.app.record, true, |_| {});
        assert_eq!(differs.expect("rebuilt"), []);
        assert_eq!(county.app.words.missing(), Vec::<String>::new());
    });
}

#[test]
fn a_bill_or_a_diagnosis_of_the_same_disease_after_the_cure_warns_and_another_does_not() {
    County::on_both(|county| {
        given(county);
        let cured = number("41172219750101991");
        raised(county);
        let diagnosed = |code: &str, name: &str, on: &str| {
            let text = format!(
                "证件号码,姓名,诊断编码,诊断名称,确诊日期,治愈日期\n{cured},示例治愈,{code},{name},{on},\n"
            );
            import(county, "diagnoses", &text);
        };
        // Another chronic disease is no relapse; the same disease, under another code of it, is.
        diagnosed("I10.x00", "原发性高血压", "2026-05-05");
        assert_eq!(raised(county), 0);
        diagnosed("C50.901", "乳腺癌", "2026-06-05");
        assert_eq!(raised(county), 1);
        let mut doctor = county.sign_in(Role::VillageDoctor);
        doctor.finds("/warnings").sees("已治愈的家庭成员再次确诊同一大病");
        assert_eq!(county.app.words.missing(), Vec::<String>::new());
    });
}
