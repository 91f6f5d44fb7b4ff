//! Somebody out of reach is needed at once: who treats asks with a reason, the health bureau of that person's place looks
//! at it afterwards; and whoever moves, leaves or is locked out loses what they had at once.

use kangmai_acceptance::county::{COUNTY, County, OTHER_COUNTY};
use kangmai_acceptance::visitor::{Visitor, percent};
use kangmai_access::Role;

const NUMBER: &str = "411722195001019915";
const REGISTER: &str = "户编号,与户主关系,姓名,证件号码,户籍地区划代码,联系电话,参保状态,人群类别,认定日期\n\
    H0001,户主,示例王一,411722195001019915,411722001001,13900009901,居民,低保对象,2024-01-01\n\
    H0001,配偶,示例李二,411722195501019911,411722001001,13900009902,居民,低保对象,2024-01-01\n";
const DIAGNOSES: &str = "证件号码,姓名,诊断编码,诊断名称,确诊日期\n\
    411722195001019915,示例王一,I63.900,脑梗死,2026-09-05\n\
    411722195001019915,示例王一,B20.101,示例机密诊断,2026-09-06\n";
const REASON: &str = "突发昏迷送来我院，需要既往病史和用药";

/// The addresses of the two persons, as their own village doctor finds them.
fn register(county: &County) -> (String, String) {
    for (key, text) in [("register", REGISTER), ("diagnoses", DIAGNOSES)] {
        let finished = county.import(key, &format!("{key}.csv"), text.as_bytes());
        assert_eq!((finished.summary.faulty, finished.parked), (0, 0), "{finished:?}");
    }
    let mut doctor = county.sign_in(Role::VillageDoctor);
    let mut path_of = |name: &str| {
        doctor.finds("/people").fill("姓名、首字母或号码", name).press("查找").follow(name).path().to_owned()
    };
    let (one, other) = (path_of("示例王一"), path_of("示例李二"));
    let path = |path: String| path.split('?').next().unwrap_or_default().to_owned();
    (path(one), path(other))
}

fn asks<'v>(doctor: &'v mut Visitor, number: &str, name: &str, reason: &str) -> &'v mut Visitor {
    doctor.finds("/break-glass");
    doctor.fill("证件号码", number).fill("姓名", name).fill("理由", reason).press("应急查阅此人")
}

#[test]
fn who_treats_opens_one_person_for_a_day_and_nothing_else() {
    County::on_both(|county| {
        let (person, spouse) = register(county);
        let mut doctor = county.sign_in_as("other_village_doctor");
        doctor.does_not_find(&person);
        // A wrong name and an unknown number look the same; a word is no reason.
        asks(&mut doctor, NUMBER, "示例王二", REASON).sees("没有证件号码和姓名都相符的人");
        asks(&mut doctor, "411722196203089916", "示例王一", REASON).sees("没有证件号码和姓名都相符的人");
        asks(&mut doctor, NUMBER, "示例王一", "急").sees("请写明理由");
        doctor.does_not_find(&person);
        asks(&mut doctor, NUMBER, "示例王一", REASON).sees("示例王一").sees("应急查阅").sees("脑梗死");
        assert_eq!(doctor.path(), person);
        // Who treats needs to know this too; what others paid is not in it.
        doctor.sees("示例机密诊断").does_not_see("自付");
        let plans = person.replace("/people/", "/plans/");
        for path in [&spouse, &plans, &format!("{plans}/diagnoses")] {
            doctor.does_not_find(path);
        }
        let found = format!("/people?q={}", percent("示例王一"));
        for list in [&*found, "/plans", "/warnings", "/figures"] {
            doctor.finds(list).does_not_see("示例王一").does_not_see("示例李二");
        }
        // Nobody else got anything.
        county.sign_in_as("other_township_officer").does_not_find(&person);
        county.clock.advance(24 * 3_600);
        county.sign_in_as("other_village_doctor").does_not_find(&person);
        assert_eq!(county.app.words.missing(), Vec::<String>::new());
    });
}

#[test]
fn the_bureau_of_the_place_looks_at_each_and_ends_what_is_not_justified() {
    County::on_both(|county| {
        let (person, _) = register(county);
        let mut doctor = county.sign_in_as("other_village_doctor");
        asks(&mut doctor, NUMBER, "示例王一", REASON).sees("示例王一");
        county
            .sign_in_as("other_health_bureau")
            .finds("/break-glass/reviews")
            .does_not_see("other_village_doctor");
        let mut bureau = county.sign_in(Role::HealthBureau);
        bureau.finds("/").sees("1 条应急查阅待复核");
        bureau.finds("/break-glass/reviews").sees("示例 other_village_doctor").sees("待复核").follow("查看");
        bureau.sees(REASON).sees("示例王一").press("提交复核");
        bureau.fill("复核结论", "理由不成立").fill("复核意见", "当日没有该患者就诊").press("提交复核");
        bureau.sees("已复核").sees("理由不成立");
        // It ends the same moment, and nobody reviews twice.
        doctor.does_not_find(&person);
        bureau.finds("/").does_not_see("应急查阅待复核");
        bureau
            .finds("/break-glass/reviews")
            .follow("查看")
            .sees("当日没有该患者就诊")
            .does_not_see("提交复核");
        // Those who guard see how often, and neither whom nor why.
        let mut officer = county.sign_in_as("other_security_officer");
        officer
            .finds("/security")
            .sees("示例 other_village_doctor")
            .does_not_see("示例王一")
            .does_not_see(REASON);
        county.sign_in(Role::Auditor).finds("/audit").sees("应急查阅").sees("应急查阅复核");
        assert_eq!(county.app.words.missing(), Vec::<String>::new());
    });
}

#[test]
fn nobody_finds_out_by_trying_who_is_in_the_register() {
    let county = County::on_sqlite();
    register(&county);
    let mut doctor = county.sign_in_as("other_village_doctor");
    for _ in 0..10 {
        asks(&mut doctor, NUMBER, "示例王二", REASON).sees("没有证件号码和姓名都相符的人");
    }
    asks(&mut doctor, NUMBER, "示例王一", REASON).sees("24小时内最多申请 10 次");
}

#[test]
fn who_moves_leaves_or_is_locked_out_has_nothing_left() {
    let county = County::on_sqlite();
    let (person, _) = register(&county);
    for change in ["transfer", "close", "lock"] {
        let name = format!("mover_{change}");
        county.employ(Role::VillageDoctor, &name, "411723001001");
        let mut doctor = county.sign_in_as(&name);
        asks(&mut doctor, NUMBER, "示例王一", REASON).sees("示例王一");
        let by = if change == "lock" { "other_security_officer" } else { "other_administrator" };
        let mut by = county.sign_in_as(by);
        match change {
            "transfer" => {
                by.finds("/accounts").follow(&format!("更改 示例 {name}"));
            }
            "close" => {
                by.finds("/accounts").press_beside(&name, "停用");
            }
            _ => {
                by.finds("/security")
                    .press_beside(&format!("示例 {name} 村医 河南省"), "锁定")
                    .sees("账号已锁定");
            }
        }
        if change == "transfer" {
            by.fill("地区", OTHER_COUNTY).press("调整岗位").sees("账号已更改");
        }
        doctor.open(&person);
        assert!(doctor.path().starts_with("/sign-in"), "after {change} at {}", doctor.path());
        if change == "transfer" {
            county.sign_in_as(&name).does_not_find(&person);
        }
    }
    // The brake holds until an administrator takes it off.
    let mut locked = county.visitor();
    locked.finds("/sign-in").fill("登录名", "mover_lock").fill("密码", kangmai_acceptance::county::PASSWORD);
    locked.press("登录").sees("登录名或密码不对");
    // Nobody does it to themself.
    county.employ(Role::SecurityOfficer, "guard", COUNTY);
    county
        .sign_in_as("guard")
        .finds("/security")
        .press_beside("示例 guard 安全管理员 河南省", "锁定")
        .sees("不能更改自己账号");
}

#[test]
fn a_hospital_finds_its_patient_who_moved_away_meanwhile_and_no_other_does() {
    let county = County::on_sqlite();
    let (person, _) = register(&county);
    let institutions = "机构编码,机构名称,所在地区划代码,机构层级,医院等级,机构类别,服务能力\n\
        H1,上蔡县示例人民医院,411722000000,县级,二级,综合医院,住院、门诊、一站式结算、医保定点\n\
        H2,上蔡县示例中医院,411722000000,县级,二级,综合医院,住院、门诊、一站式结算、医保定点\n";
    county.import("institutions", "institutions.csv", institutions.as_bytes());
    county.seat(Role::CountyDesk.key(), "H1");
    county.employ(Role::CountyDesk, "second_desk", COUNTY);
    county.seat("second_desk", "H2");
    let mut desk = county.sign_in(Role::CountyDesk);
    desk.finds(&person.replace("/people/", "/admissions/new/"));
    desk.fill("医疗机构", "上蔡县示例人民医院 (县级)").fill("入院日期", "2026-11-19").press("核对并登记");
    desk.sees("先诊疗后付费协议书");
    county.sign_in_as("second_desk").finds(&person);
    let moved = REGISTER.replace("411722001001", "411723001001");
    let finished = county.import("register", "register.csv", moved.as_bytes());
    assert_eq!(finished.summary.faulty, 0, "{finished:?}");
    desk.finds(&person).sees("在本机构就医，居住地不在管辖范围");
    county.sign_in_as("second_desk").does_not_find(&person);
    county.sign_in(Role::VillageDoctor).does_not_find(&person);
    county.clock.advance(181 * 86_400);
    county.sign_in(Role::CountyDesk).does_not_find(&person);
}
