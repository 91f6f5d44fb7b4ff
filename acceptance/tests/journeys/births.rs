//! Children and mothers: each visit has its time, a delivery and a discharge move what is due, and who is not seen in time is
//! reported upwards.

#![expect(clippy::expect_used, reason = "a test says what it needs")]

use kangmai_acceptance::county::County;
use kangmai_acceptance::visitor::Visitor;
use kangmai_access::Role;
use kangmai_base::IdNumber;
use kangmai_follow_up::enrol_all;

const CHILD: &str = "41172220251110991";
const MOTHER: &str = "41172219960501992";
const ILL: &str = "41172219700101991";

fn number(first_17: &str) -> String {
    IdNumber::with_checksum(first_17).expect("a number").as_str().to_owned()
}

/// On 20 November 2026: a mother, her child of a year, and somebody with tuberculosis.
fn given(county: &County) {
    let register = format!(
        "户编号,与户主关系,姓名,证件号码,户籍地区划代码,联系电话,参保状态,人群类别,认定日期\n\
         H0001,户主,示例孙母,{},411722001001,,居民,,\n\
         H0001,子,示例孙宝,{},411722001001,,居民,,\n\
         H0002,户主,示例周病,{},411722001001,,居民,,\n",
        number(MOTHER),
        number(CHILD),
        number(ILL)
    );
    let finished = county.import("register", "register.csv", register.as_bytes());
    assert_eq!((finished.summary.faulty, finished.parked), (0, 0), "{finished:?}");
    let run = enrol_all(&county.app, county.app.today(), |_| {}).expect("a run");
    assert_eq!((run.people, run.enrolled), (3, 1), "the child is taken in by age: {run:?}");
}

fn person(visitor: &mut Visitor, name: &str) -> String {
    visitor.finds("/people").fill("姓名、首字母或号码", name).press("查找").follow(name);
    visitor.path().split('?').next().unwrap_or_default().to_owned()
}

fn whole(county: &County) {
    let differs = kangmai_record::rebuild(&county.app.database, &county.app.record, true, |_| {});
    assert_eq!(differs.expect("rebuilt"), []);
    assert_eq!(county.app.words.missing(), Vec::<String>::new());
}

#[test]
fn a_child_is_visited_by_its_months() {
    County::on_both(|county| {
        given(county);
        let mut doctor = county.sign_in(Role::VillageDoctor);
        // A year old ten days ago: the visit of twelve months is open, and nothing earlier is asked for.
        doctor.finds("/follow-up?when=all&programme=child").sees("示例孙宝").sees("12月龄");
        doctor.does_not_see("示例孙母");
        let child = person(&mut doctor, "示例孙宝");
        doctor.sees("0-6岁儿童").sees("12月龄").follow("随访").sees("一张表：0-6岁儿童");
        // What only this visit asks stands in front; what another asks is behind 更多.
        let shown = doctor.whole_text();
        let more = shown.find("<details").expect("more");
        assert!(
            shown.find("听力筛查").expect("hearing") < more && shown.find("血红蛋白").expect("later") > more
        );
        doctor.press("保存随访").sees("请填写体重");
        doctor.fill("随访方式", "门诊").fill("体重", "9.6").fill("听力筛查", "未通过").press("保存随访");
        doctor.sees("随访已保存").sees("12月龄").sees("18月龄").sees("2027年6月10日前");
        let visit = doctor.path().to_owned();
        doctor.finds(&child).sees("随访：0-6岁儿童 12月龄");
        // Put right, it stays what it was.
        doctor.finds(&visit).follow("更正").fill("体重", "9.8").fill("更正原因", "看错了秤").press("更正");
        doctor.sees("随访已更正").sees("12月龄").sees("9.8 kg");
        whole(county);
    });
}

#[test]
fn a_mother_is_booked_visited_and_delivered() {
    County::on_both(|county| {
        given(county);
        let mut doctor = county.sign_in(Role::VillageDoctor);
        let mother = person(&mut doctor, "示例孙母");
        let management = format!("{mother}/management");
        doctor.finds(&management).fill("管理项目", "孕产妇").fill("依据", "自测怀孕").press("纳入管理");
        doctor.sees("请填写末次月经首日").fill("末次月经首日", "2026-10-20").press("纳入管理");
        doctor.sees("已纳入管理").sees("孕早期建册").sees("2027年1月18日前");
        // The booking is a visit.
        doctor.follow("随访").fill("随访方式", "门诊").fill("收缩压", "112").fill("舒张压", "70");
        doctor.fill("体重", "55").press("保存随访").sees("孕早期建册").sees("孕16～20周");
        // A discharge needs a delivery, and neither lies in the future.
        doctor.finds(&management).fill("发生了什么", "孕产妇 · 出院").press("记下").sees("请先记下分娩日期");
        doctor
            .fill("发生了什么", "孕产妇 · 分娩")
            .fill("日期", "2027-07-20")
            .press("记下")
            .sees("不能晚于今天");

        county.clock.advance(280 * 86_400);
        let mut doctor = county.sign_in(Role::VillageDoctor);
        let overdue = "/follow-up?when=overdue&programme=maternal";
        doctor.finds(overdue).sees("示例孙母").sees("孕16～20周");
        doctor
            .finds(&management)
            .fill("发生了什么", "孕产妇 · 分娩")
            .fill("日期", "2027-07-20")
            .press("记下");
        doctor.sees("已记下").sees("产后访视").sees("2027年7月27日前");
        doctor
            .finds(&management)
            .fill("发生了什么", "孕产妇 · 出院")
            .fill("日期", "2027-07-24")
            .press("记下");
        doctor.sees("产后访视").sees("2027年7月31日前").press("撤销").sees("已撤销").sees("2027年7月27日前");
        doctor.finds(&management).sees("分娩 2027年7月20日").does_not_see("出院 2027年");
        doctor.finds(&format!("{mother}/visit")).fill("随访方式", "家庭").fill("收缩压", "118");
        doctor
            .fill("舒张压", "74")
            .fill("体重", "58")
            .press("保存随访")
            .sees("产后访视")
            .sees("产后42天健康检查");
        doctor.finds(overdue).does_not_see("示例孙母");
        whole(county);
    });
}

#[test]
fn who_is_not_seen_in_72_hours_is_reported() {
    County::on_both(|county| {
        given(county);
        let mut doctor = county.sign_in(Role::VillageDoctor);
        let ill = person(&mut doctor, "示例周病");
        let management = format!("{ill}/management");
        doctor.finds(&management).does_not_see("上报").fill("管理项目", "肺结核");
        doctor.fill("纳入日期", "2026-11-18").fill("上级通知日期", "2026-11-18").fill("依据", "县疾控通知");
        doctor.press("纳入管理").sees("已纳入管理");
        for on in ["2026-11-18", "2026-11-19"] {
            doctor.finds(&format!("{ill}/visit")).fill("哪天去的", on).press("不在家").sees("已记下：不在家");
        }
        doctor.finds(&ill).sees("第一次入户随访：2次没有见到本人，须上报").follow("已上报，记下");
        doctor.press("已上报，记下").sees("报告给谁").fill("报告给谁", "乡镇卫生院公卫科");
        doctor.press("已上报，记下").sees("已记下上报").does_not_see("须上报");
        doctor.sees("未见到本人，已上报乡镇卫生院公卫科");
        // Nobody else reads of it.
        let mut cadre = county.sign_in(Role::Cadre);
        cadre.finds(&ill).does_not_see("肺结核").does_not_see("上报");
        whole(county);
    });
}
