//! Two-way referral: a visit that came to one is worked off with one act, the hospital answers, treats and sends back, the township
//! takes back; who was asked reaches the person for as long as they are asked and no longer; what is of level 5 stands in no list.

#![expect(clippy::expect_used, reason = "a test says what it needs")]

use kangmai_acceptance::county::County;
use kangmai_acceptance::visitor::Visitor;
use kangmai_access::Role;
use kangmai_base::Uuid;
use kangmai_follow_up::enrol_all;

const INSTITUTIONS: &str = "机构编码,机构名称,所在地区划代码,机构层级,医院等级,机构类别,服务能力\n\
    H1,示例县医院,411722000000,县级,二级,综合医院,住院、门诊\n\
    H2,示例中医院,411722001000,县级,二级,中医医院,住院、门诊\n\
    T1,示例甲卫生院,411722001000,乡镇级,一级,乡镇卫生院,门诊\n\
    T2,示例乙卫生院,411722002000,乡镇级,一级,乡镇卫生院,门诊\n";
const REGISTER: &str = "户编号,与户主关系,姓名,证件号码,户籍地区划代码,联系电话,参保状态,人群类别,认定日期\n\
    H0001,户主,示例王一,N1,411722001001,13900009901,居民,,\n\
    H0002,户主,示例赵三,N2,411722001001,,居民,,\n\
    H0003,户主,示例远村,N3,411722002001,,居民,,\n";
const DIAGNOSES: &str = "证件号码,姓名,诊断编码,诊断名称,确诊日期\n\
    N1,示例王一,I10.x00,原发性高血压,2026-09-05\n\
    N2,示例赵三,F20.901,示例机密诊断,2026-09-05\n\
    N3,示例远村,I10.x00,原发性高血压,2026-09-05\n";
const NUMBERS: [(&str, &str); 3] =
    [("N1", "41172219600101991"), ("N2", "41172219700101991"), ("N3", "41172219710101991")];

fn given(county: &County) {
    let right = |text: &str| {
        NUMBERS.iter().fold(text.to_owned(), |text, (name, first)| {
            let number = kangmai_base::IdNumber::with_checksum(first).expect("a number");
            text.replace(&format!("{name},"), &format!("{},", number.as_str()))
        })
    };
    for (key, text) in [("institutions", INSTITUTIONS), ("register", REGISTER), ("diagnoses", DIAGNOSES)] {
        let finished = county.import(key, &format!("{key}.csv"), right(text).as_bytes());
        assert_eq!((finished.summary.faulty, finished.parked), (0, 0), "{finished:?}");
    }
    enrol_all(&county.app, county.app.today(), |_| {}).expect("a run");
    county.seat_as("expert", Role::Expert, "H1");
    county.seat("county_desk", "H1");
}

/// The address of a person.
fn person(visitor: &mut Visitor, name: &str) -> String {
    visitor.finds("/people").fill("姓名、首字母或号码", name).press("查找").follow(name);
    visitor.path().split('?').next().unwrap_or_default().to_owned()
}

fn id_of(path: &str) -> Uuid {
    path.rsplit('/').next().and_then(|id| id.parse().ok()).expect("an identifier")
}

/// A visit that finds 185/112.
fn in_danger(doctor: &mut Visitor, who: &str) {
    doctor
        .finds(&format!("{who}/visit"))
        .fill("随访方式", "家庭")
        .fill("收缩压", "185")
        .fill("舒张压", "112");
    doctor
        .fill("高血压危急情况", "无")
        .fill("药物不良反应", "无")
        .fill("并发症", "无新发")
        .fill("服药依从性", "规律");
    doctor.fill("用药情况", "示例氨氯地平").press("保存随访").sees("随访已保存");
}

/// Refers whom the visit found in danger to the county's hospital; the address of the referral.
fn referred(doctor: &mut Visitor, who: &str) -> String {
    in_danger(doctor, who);
    doctor.finds(&format!("{who}/referrals/up")).sees("185/112").fill("转到哪个机构", "示例县医院");
    doctor.press("提交转诊单").sees("转诊单已提交").sees("立即转诊").sees("示例氨氯地平");
    doctor.path().to_owned()
}

fn unharmed(county: &County) {
    let differs = kangmai_record::rebuild(&county.app.database, &county.app.record, true, |_| {});
    assert_eq!(differs.expect("rebuilt"), []);
    assert_eq!(county.app.words.missing(), Vec::<String>::new());
}

#[test]
fn a_visit_is_worked_off_with_one_act_and_the_patient_goes_up_and_comes_back() {
    County::on_both(|county| {
        given(county);
        let mut doctor = county.sign_in(Role::VillageDoctor);
        let wang = person(&mut doctor, "示例王一");
        let mut expert = county.sign_in(Role::Expert);
        expert.does_not_find(&wang);
        in_danger(&mut doctor, &wang);
        doctor.finds("/").sees("1 次随访应转诊，还没有处理").follow("1 次随访应转诊，还没有处理");
        doctor.sees("示例王一").sees("立即转诊").sees("高血压").does_not_see("185/112").follow("开转诊单");
        // What the visit says is not typed again.
        doctor.sees("高血压").sees("185/112").sees("前随访").press("提交转诊单").sees("请");
        doctor.fill("转到哪个机构", "示例县医院").press("提交转诊单").sees("转诊单已提交").sees("待答复");
        let up = doctor.path().to_owned();
        doctor.sees("示例氨氯地平").finds("/referrals/visits").does_not_see("示例王一");
        doctor.finds("/referrals/visits?handled=all").sees("示例王一").sees("已转诊");
        // The same place twice is one: the open one is offered.
        doctor.finds(&format!("{wang}/referrals/up")).sees("示例县医院，待答复");
        doctor.fill("转到哪个机构", "示例县医院").fill("补充说明", "再转一次").press("提交转诊单");
        doctor.sees("还没结束的转诊单");

        // The hospital: on its list without a reason, on the page with it, and the record is within reach.
        expert.finds("/").sees("1 例转来的病人").follow("1 例转来的病人");
        expert.sees("示例王一").does_not_see("185/112").follow("办理").sees("185/112");
        expert.finds(&wang).sees("转诊到本机构的病人").sees("原发性高血压");
        county.sign_in_as("other_expert").does_not_find(&up);
        let mut desk = county.sign_in(Role::CountyDesk);
        desk.finds("/referrals").sees("示例王一");
        expert.finds(&up).fill("请患者哪天来", "2026-11-19").press("接受转诊").sees("不在今天起90天内");
        expert
            .fill("请患者哪天来", "2026-11-21")
            .fill("到哪个科室", "心内科")
            .press("接受转诊")
            .sees("已接受");
        doctor.finds(&up).sees("心内科").sees("约 2026-11-21 来");
        expert.finds(&up).press("已到诊").sees("已登记到诊").follow("下转");
        // Back with a summary, to who is near.
        expert.press("提交转诊单").sees("请");
        expert
            .fill("转回哪个机构", "示例甲卫生院")
            .fill("诊断", "示例高血压3级")
            .fill("做了哪些检查和治疗", "示例检查");
        expert
            .fill("后续建议", "示例低盐")
            .fill("医院希望在哪天前复查或随访", "2026-11-01")
            .press("提交转诊单");
        expert.sees("不能早于转诊日期").fill("医院希望在哪天前复查或随访", "2026-12-01").press("提交转诊单");
        expert.sees("转诊单已提交").sees("示例高血压3级");
        let down = expert.path().to_owned();
        // With that the reach is over at once; taken back on the same day it is there again.
        expert.does_not_find(&wang);
        expert.finds(&up).sees("已下转").sees("病情不再显示").does_not_see("185/112");
        doctor.finds(&down).does_not_see("接回患者");
        let mut officer = county.sign_in(Role::TownshipOfficer);
        officer.finds("/referrals?whose=in").sees("示例王一").finds(&down).sees("示例低盐");
        officer.press("接回患者").sees("已接受").sees("已接回");
        doctor.finds(&wang).sees("已接回").sees("示例高血压3级").sees("前随访");
        doctor.finds(&up).follow("打印转诊单").sees("存根").sees("示例高血压3级").sees("填报单位（盖章）");
        let mut bureau = county.sign_in(Role::HealthBureau);
        bureau.finds("/figures").sees("转诊及时答复率").sees("转诊到诊率").sees("转诊下转率");
        bureau.finds("/referrals?whose=all&state=to_return").sees("示例王一").sees("已下转");
        unharmed(county);
    });
}

#[test]
fn who_refuses_reaches_nobody_any_more_and_the_sender_decides() {
    County::on_both(|county| {
        given(county);
        let mut doctor = county.sign_in(Role::VillageDoctor);
        let wang = person(&mut doctor, "示例王一");
        let up = referred(&mut doctor, &wang);
        let mut expert = county.sign_in(Role::Expert);
        expert.finds(&up).press("拒绝转诊").sees("请");
        expert.fill("拒绝的原因", "没有床位").press("拒绝转诊").sees("已退回转出方");
        expert.does_not_find(&wang);
        expert.finds(&up).does_not_see("185/112").does_not_find(&format!("{up}/print"));
        // The mistake and the undo.
        expert.finds(&up);
        let mut again = county.sign_in(Role::Expert);
        again.finds(&up).does_not_see("接受转诊");
        doctor
            .finds("/")
            .sees("1 例被拒绝或未到诊")
            .follow("1 例被拒绝或未到诊")
            .follow("办理")
            .sees("没有床位");
        doctor.follow("转到别的机构").sees("185/112").fill("转到哪个机构", "示例中医院").press("提交转诊单");
        doctor.sees("转诊单已提交").sees("代替被退回的转诊");
        let second = doctor.path().to_owned();
        doctor.finds(&up).sees("已另转");
        // The township's officer answers for no hospital of the county that stands in the township.
        county.sign_in(Role::TownshipOfficer).finds(&second).does_not_see("接受转诊");
        // Withdrawn, and the visit waits again.
        doctor
            .finds(&second)
            .fill("具体情况", "家属送去了市里")
            .press("结束转诊")
            .sees("转诊已结束")
            .sees("已撤回");
        doctor.finds(&up).sees("已拒绝");
        doctor
            .fill("结束的原因", "患者不愿转诊")
            .fill("具体情况", "已交代风险")
            .press("结束转诊")
            .sees("患者不愿转诊");
        unharmed(county);
    });
}

#[test]
fn what_is_late_is_told_to_the_next_tier_and_reach_ends_by_itself() {
    County::on_both(|county| {
        given(county);
        let mut doctor = county.sign_in(Role::VillageDoctor);
        let wang = person(&mut doctor, "示例王一");
        let up = referred(&mut doctor, &wang);
        county.clock.advance(24 * 3_600);
        county.sign_in(Role::HealthBureau).finds("/").does_not_see("例转诊逾期");
        county.clock.advance(24 * 3_600);
        let mut bureau = county.sign_in(Role::HealthBureau);
        bureau.finds("/").sees("1 例转诊逾期").follow("1 例转诊逾期").sees("示例王一");
        bureau.finds("/figures").sees("转诊及时答复率").sees("0.0%");
        let mut expert = county.sign_in(Role::Expert);
        expert.finds(&wang);
        county.clock.advance(30 * 24 * 3_600);
        let mut expert = county.sign_in(Role::Expert);
        expert.does_not_find(&wang);
        // The referral stands there to be ended, and says no longer why.
        expert.finds(&up).does_not_see("185/112").press("未到诊").sees("已登记未到诊");
        expert.finds(&up).does_not_see("185/112");
        expert.does_not_find(&format!("{up}/print"));
        unharmed(county);
    });
}

#[test]
fn it_follows_who_moves_ends_with_who_dies_and_is_refused_after() {
    County::on_both(|county| {
        given(county);
        let mut doctor = county.sign_in(Role::VillageDoctor);
        let wang = person(&mut doctor, "示例王一");
        let up = referred(&mut doctor, &wang);
        county.move_home(id_of(&wang), "411722002001");
        doctor.does_not_find(&up);
        doctor.finds("/referrals?whose=out&state=all").does_not_see("示例王一");
        county.employ(Role::VillageDoctor, "far_doctor", "411722002001");
        let mut far = county.sign_in_as("far_doctor");
        far.finds("/referrals?whose=out").sees("示例王一").finds(&up).sees("185/112");
        let mut expert = county.sign_in(Role::Expert);
        expert.finds(&wang).finds(&up).press("接受转诊").sees("已接受");
        // Sent back to a township where they are not at home any more: its officers reach them for that.
        expert.finds(&up).press("已到诊").follow("下转").fill("转回哪个机构", "示例甲卫生院");
        expert
            .fill("诊断", "示例")
            .fill("做了哪些检查和治疗", "示例")
            .fill("后续建议", "示例")
            .press("提交转诊单");
        let down = expert.path().to_owned();
        let mut officer = county.sign_in(Role::TownshipOfficer);
        officer.finds(&wang).sees("转诊到本机构的病人").finds(&down).press("接回患者").sees("已接回");
        county.clock.advance(31 * 24 * 3_600);
        county.sign_in(Role::TownshipOfficer).does_not_find(&wang);
        // Who died is on no list, and is referred no more; what was open can be ended.
        let mut far = county.sign_in_as("far_doctor");
        far.finds(&format!("{wang}/referrals/up"))
            .fill("转到哪个机构", "示例乙卫生院")
            .fill("补充说明", "示例复诊");
        far.press("提交转诊单").sees("转诊单已提交");
        let last = far.path().to_owned();
        county.let_die(id_of(&wang));
        far.finds("/referrals?whose=all&state=all").does_not_see("示例王一");
        far.finds(&format!("{wang}/referrals/up")).sees("不再转诊").does_not_see("提交转诊单");
        far.finds(&last)
            .does_not_see("转到别的机构")
            .fill("具体情况", "已死亡")
            .press("结束转诊")
            .sees("已死亡");
        unharmed(county);
    });
}

#[test]
fn what_is_of_level_5_stands_in_no_list_and_is_told_to_who_treats() {
    County::on_both(|county| {
        given(county);
        let mut doctor = county.sign_in(Role::VillageDoctor);
        let zhao = person(&mut doctor, "示例赵三");
        doctor.finds(&format!("{zhao}/referrals/up")).fill("转到哪个机构", "示例县医院");
        doctor
            .fill("补充说明", "示例机密病情")
            .tick("涉及受限病种", true)
            .press("提交转诊单")
            .sees("转诊单已提交");
        let up = doctor.path().to_owned();
        doctor.sees("示例机密病情").finds("/referrals?whose=out").does_not_see("示例赵三").sees("另有 1 例");
        let mut expert = county.sign_in(Role::Expert);
        expert.finds("/referrals").does_not_see("示例赵三").sees("不在列表显示").follow("受限转诊");
        expert.sees("示例赵三").sees("示例机密病情").finds(&zhao).sees("示例县医院");
        let mut desk = county.sign_in(Role::CountyDesk);
        desk.finds("/referrals").sees("另有 1 例").does_not_see("示例赵三").does_not_see("受限转诊");
        desk.finds(&up)
            .sees("只给诊疗人员看")
            .does_not_see("示例机密病情")
            .does_not_find(&format!("{up}/print"));
        let mut bureau = county.sign_in(Role::HealthBureau);
        bureau.does_not_find(&up);
        bureau.finds("/referrals?whose=all").does_not_see("示例赵三");
        bureau.finds(&zhao).does_not_see("示例机密病情").does_not_see("示例县医院");
        for role in [Role::Cadre, Role::InsuranceClerk, Role::Auditor, Role::Administrator] {
            county.sign_in(role).does_not_find(&up);
        }
        unharmed(county);
    });
}

#[test]
fn two_records_of_one_person_are_worked_off_as_one_and_a_reason_closes_a_visit() {
    County::on_both(|county| {
        given(county);
        let mut doctor = county.sign_in(Role::VillageDoctor);
        let wang = person(&mut doctor, "示例王一");
        in_danger(&mut doctor, &wang);
        doctor.finds(&wang).sees("最近的随访要求立即转诊").follow("不转诊").press("保存原因").sees("请");
        doctor.fill("为什么不转诊", "患者不愿转诊").fill("具体情况", "已交代风险").press("保存原因");
        doctor.sees("已写明不转诊的原因").does_not_see("最近的随访要求立即转诊").sees("应转诊，未转");
        county.sign_in(Role::VillageDoctor).finds("/referrals/visits?handled=waived").sees("示例王一");
        doctor.press("撤销").sees("已撤销");
        doctor.finds("/referrals/visits").sees("示例王一");
        // Under the other record of the same person it stays on the list, and both pages show it.
        let zhao = person(&mut doctor, "示例赵三");
        doctor
            .finds(&format!("{zhao}/referrals/up"))
            .fill("转到哪个机构", "示例县医院")
            .fill("补充说明", "示例腹痛");
        doctor.press("提交转诊单").sees("转诊单已提交");
        county.merge(id_of(&zhao), id_of(&wang));
        doctor.finds("/referrals?whose=out").sees("示例赵三");
        doctor.finds(&wang).sees("示例县医院");
        unharmed(county);
    });
}
