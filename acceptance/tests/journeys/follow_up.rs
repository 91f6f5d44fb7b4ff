//! Follow-up: who has the diagnosis is on the list, one sheet asks for all diseases, what cannot be is said beside its field
//! and nothing typed is lost, a danger says what to do; what is of level 5 stands on the person's page alone.

#![expect(clippy::expect_used, reason = "a test says what it needs")]

use kangmai_acceptance::county::County;
use kangmai_acceptance::visitor::Visitor;
use kangmai_access::Role;
use kangmai_follow_up::enrol_all;

const REGISTER: &str = "户编号,与户主关系,姓名,证件号码,户籍地区划代码,联系电话,参保状态,人群类别,认定日期\n\
    H0001,户主,示例王一,411722196001019910,411722001001,13900009901,居民,,\n\
    H0001,配偶,示例李二,411722196201019929,411722001001,,居民,,\n\
    H0002,户主,示例赵三,411722197001019917,411722001001,,居民,,\n\
    H0003,户主,示例远村,411722197101019915,411722002001,,居民,,\n";
const DIAGNOSES: &str = "证件号码,姓名,诊断编码,诊断名称,确诊日期\n\
    411722196001019910,示例王一,I10.x00,原发性高血压,2026-09-05\n\
    411722196001019910,示例王一,E11.900,2型糖尿病,2026-09-05\n\
    411722196201019929,示例李二,I10.x00,原发性高血压,2026-09-05\n\
    411722197001019917,示例赵三,F20.901,示例机密诊断,2026-09-05\n\
    411722197101019915,示例远村,I10.x00,原发性高血压,2026-09-05\n";

fn number(first_17: &str) -> String {
    kangmai_base::IdNumber::with_checksum(first_17).expect("a number").as_str().to_owned()
}

fn given(county: &County) {
    let right = |text: &str| {
        let mut text = text.to_owned();
        for first in ["41172219600101991", "41172219620101992", "41172219700101991", "41172219710101991"] {
            let begins = text.find(first).map(|at| text[at..at + 18].to_owned()).expect("a number");
            text = text.replace(&begins, &number(first));
        }
        text
    };
    for (key, text) in [("register", REGISTER), ("diagnoses", DIAGNOSES)] {
        let finished = county.import(key, &format!("{key}.csv"), right(text).as_bytes());
        assert_eq!((finished.summary.faulty, finished.parked), (0, 0), "{finished:?}");
    }
    let run = enrol_all(&county.app, county.app.today(), |_| {}).expect("a run");
    assert_eq!((run.people, run.enrolled), (4, 6), "{run:?}");
    let again = enrol_all(&county.app, county.app.today(), |_| {}).expect("a run");
    assert_eq!((again.people, again.enrolled), (4, 0), "a second run changes nothing");
}

/// The address of a person.
fn person(visitor: &mut Visitor, name: &str) -> String {
    visitor.finds("/people").fill("姓名、首字母或号码", name).press("查找").follow(name);
    visitor.path().split('?').next().unwrap_or_default().to_owned()
}

/// Everything that the sheet asks but the numbers: nothing amiss.
fn nothing_amiss(visitor: &mut Visitor, diabetes: bool) -> &mut Visitor {
    visitor.fill("随访方式", "家庭").fill("高血压危急情况", "无").fill("药物不良反应", "无");
    visitor.fill("并发症", "无新发").fill("服药依从性", "规律");
    if diabetes {
        visitor.fill("糖尿病危急情况", "无").fill("足背动脉搏动", "触及正常");
    }
    visitor
}

#[test]
fn a_doctor_goes_through_the_list_and_nothing_typed_is_lost() {
    County::on_both(|county| {
        given(county);
        let mut doctor = county.sign_in(Role::VillageDoctor);
        // Nobody is late yet: the first visits are due by February.
        doctor.finds("/follow-up").sees("没有应随访的人").sees("应随访 0 人");
        doctor.finds("/follow-up?when=all").sees("示例王一").sees("示例李二").does_not_see("示例远村");
        doctor.does_not_see("示例赵三").sees("另有 1 人");
        doctor
            .finds("/follow-up?when=all&programme=type2_diabetes")
            .sees("示例王一")
            .does_not_see("示例李二");
        doctor.finds("/follow-up?when=all&order=household").sees("示例王一").sees("示例李二");

        // One sheet for both diseases: the pressure is asked once.
        let wang = person(&mut doctor, "示例王一");
        doctor.sees("高血压").sees("2型糖尿病").sees("还没有随访过").follow("随访");
        doctor.sees("一张表：高血压、2型糖尿病");
        assert_eq!(doctor.shown().matches("收缩压").count(), 1, "{}", doctor.shown());
        doctor.press("保存随访").sees("请填写收缩压").sees("请填写空腹血糖");

        // What cannot be, each with its sentence; what was typed stays.
        nothing_amiss(&mut doctor, true);
        doctor.fill("收缩压", "80").fill("舒张压", "120").fill("空腹血糖", "126").press("保存随访");
        doctor.sees("舒张压应低于收缩压").sees("126 像是按 mg/dL 读的数，换算为 7 mmol/L");
        doctor.fill("收缩压", "300").fill("舒张压", "20").fill("空腹血糖", "6.55").press("保存随访");
        doctor.sees("收缩压 300 mmHg很少见").sees("舒张压 20 mmHg很少见").sees("最多 1 位小数");
        assert!(
            doctor.whole_text().contains("value=\"300\"") && doctor.whole_text().contains("value=\"6.55\"")
        );
        doctor.fill("收缩压", "１４５").fill("舒张压", "88").fill("空腹血糖", "6。5");
        doctor.fill("随访日期", "2026-11-21").press("保存随访").sees("不能晚于今天");
        doctor.fill("随访日期", "1959-12-31").press("保存随访").sees("早于出生日期");
        doctor.fill("随访日期", "2026-11-20").fill("约定下次随访日期", "2027-03-01").press("保存随访");
        doctor.sees("按规范最迟 2027-02-20 再次随访");
        doctor.fill("约定下次随访日期", "").fill("用药情况", "示例药 5mg 每日1次").press("保存随访");

        // What it came to, what follows and by when.
        doctor.sees("随访已保存").sees("血压控制满意").sees("血糖控制满意").sees("2027年2月20日前");
        doctor.sees("示例药 5mg 每日1次").sees("145 mmHg");
        let visit = doctor.path().to_owned();
        doctor.finds(&wang).sees("血压控制满意").sees("随访：高血压 血压控制满意 145/88");
        // The same day again is the same visit.
        doctor.finds(&format!("{wang}/visit")).sees("上次：145 mmHg（2026-11-20）");
        doctor.sees("示例药 5mg 每日1次").follow("除测量值外同上次");
        doctor.fill("收缩压", "140").fill("舒张压", "80").fill("空腹血糖", "6.0").press("保存随访");
        doctor.sees("2026-11-20 已经有一次随访");

        // Put right, with a reason; then it is not controlled.
        doctor.finds(&visit).follow("更正").fill("收缩压", "152").press("更正").sees("更正原因");
        doctor.fill("更正原因", "抄错了数字").press("更正").sees("随访已更正").sees("血压控制不满意");
        doctor.sees("收缩压 152 mmHg（界线 150）").sees("2026年12月4日前").sees("已更正：抄错了数字");
        // On paper as the norm has it.
        doctor.follow("打印记录表：高血压").sees("高血压患者随访服务记录表").sees("152/88").sees("2 家庭");
        doctor.finds(&visit).follow("打印记录表：2型糖尿病").sees("2型糖尿病患者随访服务记录表").sees("6.5");
        doctor.finds("/follow-up?when=all").sees("上次 152/88").sees("血压控制不满意");

        let differs = kangmai_record::rebuild(&county.app.database, &county.app.record, true, |_| {});
        assert_eq!(differs.expect("rebuilt"), []);
        assert_eq!(county.app.words.missing(), Vec::<String>::new());
    });
}

#[test]
fn a_patient_is_asked_how_satisfied_and_few_answers_are_no_figure() {
    County::on_both(|county| {
        given(county);
        let mut doctor = county.sign_in(Role::VillageDoctor);
        let li = person(&mut doctor, "示例李二");
        for (day, said, why) in [
            ("2026-11-01", "满意", ""),
            ("2026-11-02", "不满意", "来得太少"),
            ("2026-11-03", "一般", ""),
            ("2026-11-04", "满意", ""),
            ("2026-11-05", "满意", ""),
        ] {
            county
                .sign_in(Role::TownshipOfficer)
                .finds("/follow-up/work")
                .does_not_see("2/3")
                .does_not_see("2/4");
            nothing_amiss(doctor.finds(&format!("{li}/visit")), false).fill("随访日期", day);
            doctor.fill("收缩压", "138").fill("舒张压", "80").fill("问本人：对随访服务满意吗", said);
            if !why.is_empty() {
                doctor.press("保存随访").sees("不满意的，请写明原因");
                doctor.fill("不满意的原因", why);
            }
            doctor.press("保存随访").sees("随访已保存");
            if !why.is_empty() {
                doctor.sees("不满意 · 来得太少");
            }
        }
        let mut officer = county.sign_in(Role::TownshipOfficer);
        officer.finds("/follow-up/work").follow("3/5").sees("问过满意度的随访").sees("示例李二");
        officer
            .finds("/follow-up/visits?satisfied=dissatisfied")
            .sees("2026-11-02")
            .does_not_see("2026-11-03");
        let differs = kangmai_record::rebuild(&county.app.database, &county.app.record, true, |_| {});
        assert_eq!(differs.expect("rebuilt"), []);
        assert_eq!(county.app.words.missing(), Vec::<String>::new());
    });
}

#[test]
fn a_danger_says_what_to_do_and_comes_first() {
    County::on_both(|county| {
        given(county);
        let mut doctor = county.sign_in(Role::VillageDoctor);
        let li = person(&mut doctor, "示例李二");
        // A danger is written down at once, whatever else is not asked yet.
        doctor.follow("随访").fill("收缩压", "186").fill("舒张压", "112").press("保存随访");
        doctor.sees("立即转诊：高血压（危急）").sees("收缩压 186 mmHg（界线 180）").sees("处理后立即转诊");
        doctor.sees("2026年12月4日前随访转诊结果").sees("撤销本次随访");
        doctor.finds("/").sees("1 人应随访");
        doctor.follow("1 人应随访").sees("示例李二").sees("上次 186/112");
        doctor.finds("/follow-up?grade=danger&when=all").sees("示例李二").does_not_see("示例王一");
        // It was somebody else's: taken back.
        doctor.finds(&li).follow("2026-11-20").press("撤销本次随访").sees("已撤销");
        doctor.sees("还没有随访过");
        // A fortnight later nobody is at home, and the visit after that is late.
        county.clock.advance(100 * 24 * 3_600);
        let mut doctor = county.sign_in(Role::VillageDoctor);
        doctor.finds("/follow-up?when=overdue").sees("示例李二").sees("逾期");
        doctor.finds(&format!("{li}/visit")).press("改约").sees("改约请填写改到哪天");
        doctor.fill("改约到哪天", "2027-03-05").press("改约").sees("已记下：改约");
        doctor.finds("/follow-up?when=overdue").sees("未见到1次：改约").sees("2027-03-05");
        doctor
            .finds(&format!("{li}/visit"))
            .press("外出务工")
            .sees("已记下：外出务工")
            .press("撤销")
            .sees("已撤销");
        // Management ends with a reason, and is taken up again.
        doctor.finds(&format!("{li}/management")).press("结案").sees("结束哪一项管理");
        doctor.fill("结束哪一项管理", "高血压").fill("原因", "迁出").fill("说明", "随子女迁居").press("结案");
        doctor.sees("已结案").sees("高血压结案：迁出");
        doctor.finds("/follow-up?when=all&programme=hypertension").does_not_see("示例李二");
        doctor.finds(&format!("{li}/management")).fill("管理项目", "高血压").fill("依据", "迁回，医生确认");
        doctor.press("纳入管理").sees("已纳入管理").sees("纳入高血压管理");
        let differs = kangmai_record::rebuild(&county.app.database, &county.app.record, true, |_| {});
        assert_eq!(differs.expect("rebuilt"), []);
    });
}

#[test]
fn level_5_stands_on_the_person_s_page_alone_for_who_treats() {
    County::on_both(|county| {
        given(county);
        let mut doctor = county.sign_in(Role::VillageDoctor);
        let zhao = person(&mut doctor, "示例赵三");
        doctor.sees("严重精神障碍").follow("随访").sees("一张表：严重精神障碍");
        doctor
            .fill("危险性评估", "3")
            .fill("精神症状", "有")
            .fill("自知力", "自知力不全")
            .fill("社会功能", "一般");
        doctor.fill("严重药物不良反应或严重躯体疾病", "无").fill("服药依从性", "间断").press("保存随访");
        doctor.sees("病情不稳定").sees("危险性评估 3 级（界线 3）").sees("必要时报告公安部门");
        let visit = doctor.path().to_owned();
        doctor.follow("打印记录表：严重精神障碍").sees("严重精神障碍患者随访服务记录表");
        // In danger, and yet on no list.
        doctor.finds("/follow-up").does_not_see("示例赵三").sees("另有 1 人");
        let mut bureau = county.sign_in(Role::HealthBureau);
        bureau.finds(&zhao).does_not_see("严重精神障碍").does_not_see("病情不稳定").sees("您无权查看");
        bureau.does_not_find(&visit);
        bureau.does_not_find(&format!("{visit}/print/severe_mental_illness"));
        for role in [Role::Cadre, Role::InsuranceClerk] {
            let mut other = county.sign_in(role);
            other.finds(&zhao).does_not_see("随访管理").does_not_see("精神");
            other.does_not_find(&visit);
        }
        let differs = kangmai_record::rebuild(&county.app.database, &county.app.record, true, |_| {});
        assert_eq!(differs.expect("rebuilt"), []);
    });
}

#[test]
fn a_township_sees_how_its_villages_stand_and_what_stands_behind_each_number() {
    County::on_both(|county| {
        given(county);
        let mut doctor = county.sign_in(Role::VillageDoctor);
        let mut officer = county.sign_in(Role::TownshipOfficer);
        officer.finds("/follow-up/work").sees("老城社区").sees("这个月没有随访记录");
        // Two visits of one person with the same figures, both ending in 0; one of another; one in confidence.
        let li = person(&mut doctor, "示例李二");
        for on in ["2026-11-06", "2026-11-19"] {
            nothing_amiss(doctor.finds(&format!("{li}/visit")), false).fill("随访日期", on);
            doctor.fill("收缩压", "150").fill("舒张压", "90").press("保存随访").sees("随访已保存");
        }
        let wang = person(&mut doctor, "示例王一");
        nothing_amiss(doctor.finds(&format!("{wang}/visit")), true);
        doctor
            .fill("收缩压", "137")
            .fill("舒张压", "84")
            .fill("空腹血糖", "6.0")
            .press("保存随访")
            .sees("随访已保存");
        let visit = doctor.path().to_owned();
        let zhao = person(&mut doctor, "示例赵三");
        doctor.finds(&format!("{zhao}/visit")).fill("危险性评估", "0").fill("精神症状", "无或基本消失");
        doctor.fill("自知力", "自知力完整").fill("社会功能", "较好");
        doctor.fill("严重药物不良反应或严重躯体疾病", "无").fill("服药依从性", "规律").press("保存随访");

        let author = "示例 village_doctor";
        officer.finds("/follow-up/work");
        let of = |officer: &Visitor| officer.table("谁录的")[0].clone();
        let told = of(&officer);
        assert_eq!((told["录入人"].as_str(), told["本月已访（次）"].as_str()), (author, "3"), "{told:?}");
        assert_eq!(
            (told["血压尾数为 0"].as_str(), told["与上次相同"].as_str()),
            ("66.6%", "33.3%"),
            "{told:?}"
        );
        officer.follow("66.6%").sees("只列血压值尾数有 0 的").sees("示例李二").does_not_see("示例王一");
        officer
            .finds("/follow-up/visits?month=2026-11")
            .sees("示例王一")
            .sees("137/84")
            .does_not_see("示例赵三");
        officer.finds("/follow-up/visits?month=2026-10").sees("这个月没有随访记录");
        officer.finds("/follow-up/visits?month=2026-11&hour=12").sees("只列 12 点录入的").sees("137/84");
        officer.finds("/follow-up/visits?month=2026-11&hour=3").sees("这个月没有随访记录");
        let planned = officer.finds("/follow-up/work").table("各地进度")[0]["本月计划（含逾期）"].clone();
        officer.finds("/follow-up?when=month&place=411722001001").sees("没有应随访的人");
        assert_eq!(planned, "0", "the next visits are due in December");
        // What is put right or taken back stands so here too.
        doctor.finds(&visit).press("撤销本次随访").sees("已撤销");
        officer.finds("/follow-up/work");
        assert_eq!(of(&officer)["本月已访（次）"], "2");
        // The other county sees nothing of it, whatever it asks for.
        let mut other = county.sign_in_as("other_township_officer");
        other.finds("/follow-up/visits?month=2026-11&place=411722001001").does_not_see("示例李二");
        // In December the plan is as long as the list that it opens.
        county.clock.advance(20 * 86_400);
        let mut officer = county.sign_in(Role::TownshipOfficer);
        let planned = officer.finds("/follow-up/work").table("各地进度")[0]["本月计划（含逾期）"].clone();
        officer.finds("/follow-up?when=month&place=411722001001");
        assert_eq!(officer.table("今日应访").len().to_string(), planned);
        // Who moves takes the visits along.
        let moved: kangmai_base::Uuid = li.trim_start_matches("/people/").parse().expect("an identifier");
        county.move_home(moved, "411722002001");
        officer.finds("/follow-up/visits?month=2026-11").does_not_see("示例李二");
        let differs = kangmai_record::rebuild(&county.app.database, &county.app.record, true, |_| {});
        assert_eq!(differs.expect("rebuilt"), []);
    });
}
