//! What a resident may ask of whoever holds their data: a copy for somebody else by a consent that can be withdrawn, that
//! something be put right, and to be erased, unless a law still asks that records be kept.

use kangmai_acceptance::county::County;
use kangmai_acceptance::visitor::Visitor;
use kangmai_access::Role;

const REGISTER: &str = "户编号,与户主关系,姓名,证件号码,户籍地区划代码,联系电话,参保状态,人群类别,认定日期\n\
    H0001,户主,示例王一,411722195001019915,411722001001,13900009901,居民,低保对象,2024-01-01\n\
    H0002,户主,示例李二,411722195001019923,411722001001,13900009902,居民,,\n\
    H0002,子女,示例李三,411722201501019936,411722001001,,居民,,\n";
const DIAGNOSES: &str = "证件号码,姓名,诊断编码,诊断名称,确诊日期\n\
    411722195001019915,示例王一,I10.x00,示例高血压,2026-09-05\n\
    411722195001019915,示例王一,B20.101,示例机密诊断,2026-09-06\n";
const PAPER: &str = "核对身份证；申请表在乡卫生院档案柜";

fn given(county: &County) {
    for (key, text) in [("register", REGISTER), ("diagnoses", DIAGNOSES)] {
        let finished = county.import(key, &format!("{key}.csv"), text.as_bytes());
        assert_eq!((finished.summary.faulty, finished.parked), (0, 0), "{finished:?}");
    }
}

/// The address of a person.
fn person(visitor: &mut Visitor, name: &str) -> String {
    visitor.finds("/people").fill("姓名、首字母或号码", name).press("查找").follow(name);
    visitor.path().split('?').next().unwrap_or_default().to_owned()
}

fn consents<'v>(visitor: &'v mut Visitor, recipient: &str, until: &str) -> &'v mut Visitor {
    visitor.fill("提供给谁", recipient).fill("做什么用", "办理商业保险理赔").fill("有效至", until);
    visitor.fill("由谁提出", "本人").fill("核对了什么证件，签字的同意书存放在哪里", PAPER).press("保存同意")
}

fn asks<'v>(visitor: &'v mut Visitor, field: &str, text: &str) -> &'v mut Visitor {
    visitor.fill(field, text).fill("由谁提出", "本人");
    visitor.fill("核对了什么证件，纸质材料存放在哪里", PAPER).press("记下请求")
}

#[test]
fn a_restricted_copy_is_made_by_a_consent_and_by_none_that_was_withdrawn() {
    County::on_both(|county| {
        given(county);
        let mut officer = county.sign_in(Role::TownshipOfficer);
        let wang = person(&mut officer, "示例王一");
        officer.follow("本人权利").follow("记下一份同意");
        consents(&mut officer, "示例人寿上蔡支公司", "2026-11-19").sees("选今天或以后的日期");
        consents(&mut officer, "", "2027-03-01").sees("提供给谁");
        assert!(officer.can("保存同意"), "nothing was said, and it was kept");
        consents(&mut officer, "示例人寿上蔡支公司", "2027-03-01")
            .sees("已记下，可以打印限用副本")
            .sees("有效");
        let consent = officer.path().to_owned();
        officer.follow("限用副本（交给第三方）").sees("示例高血压").does_not_see("示例机密诊断");
        officer.sees("示例人寿上蔡支公司").sees("办理商业保险理赔").sees("2027年3月1日");
        officer.does_not_see("411722195001019915").does_not_see("13900009901");
        let copy = officer.path().to_owned();
        // Another person's consent makes no copy of this one.
        let li = person(&mut officer, "示例李二");
        let id = consent.rsplit('/').next().unwrap_or_default();
        officer.does_not_find(&format!("{li}/copy/restricted/{id}"));
        county.sign_in_as("other_township_officer").does_not_find(&copy).does_not_find(&consent);
        county.sign_in(Role::VillageDoctor).does_not_find(&copy).does_not_find(&consent);
        // Withdrawn, at once.
        officer.finds(&consent).fill("由谁撤回", "本人").press("撤回同意").sees("已撤回");
        officer.open(&copy).sees("不能再据此提供信息").does_not_see("示例高血压");
        assert!(!officer.can("撤回同意"));
        // Another runs out by itself.
        officer.finds(&format!("{wang}/consents"));
        consents(&mut officer, "示例律师事务所", "2026-11-21").sees("已记下");
        let copy = officer.follow("限用副本（交给第三方）").path().to_owned();
        county.clock.advance(2 * 24 * 3_600);
        let mut officer = county.sign_in(Role::TownshipOfficer);
        officer.open(&copy).sees("不能再据此提供信息").does_not_see("示例高血压");
        officer.finds(&format!("{wang}/rights")).sees("已到期").sees("已撤回");
        // The person's page tells that there were consents, not to whom.
        officer.finds(&wang).sees("同意将信息提供给他人").does_not_see("示例律师事务所");
        assert_eq!(county.app.words.missing(), Vec::<String>::new());
    });
}

#[test]
fn who_speaks_for_somebody_is_asked() {
    County::on_both(|county| {
        given(county);
        let mut officer = county.sign_in(Role::TownshipOfficer);
        let child = person(&mut officer, "示例李三");
        officer.finds(&format!("{child}/consents"));
        consents(&mut officer, "示例学校", "2027-03-01").sees("不满14周岁，须由监护人提出");
        officer.fill("由谁提出", "监护人").press("保存同意").sees("写上代为提出的人的姓名");
        officer
            .fill("代为提出的人姓名", "示例李二")
            .press("保存同意")
            .sees("已记下")
            .sees("监护人：示例李二");
        officer.finds(&format!("{child}/consents")).fill("提供给谁", "示例学校").fill("做什么用", "体检");
        officer.fill("有效至", "2027-03-01").fill("由谁提出", "近亲属");
        officer.fill("核对了什么证件，签字的同意书存放在哪里", PAPER).press("保存同意").sees("本人健在");
    });
}

#[test]
fn something_is_put_right_before_it_is_said_to_be() {
    County::on_both(|county| {
        given(county);
        let mut officer = county.sign_in(Role::TownshipOfficer);
        officer.finds("/rights").sees("没有请求");
        let wang = person(&mut officer, "示例王一");
        officer.follow("本人权利").follow("记下更正请求");
        asks(&mut officer, "哪里不对，应当是什么", "电话换了，应当是13900009903").sees("请求已记下");
        let request = officer.path().to_owned();
        officer.sees("提出后还没有任何改动").sees("还有30天");
        officer.fill("结果", "已更正").fill("答复", "已改").press("确认答复").sees("提出后还没有改动");
        county.sign_in(Role::HealthBureau).finds("/").sees("1项个人请求等待答复");
        // Late after the days that the pack says.
        county.clock.advance(31 * 24 * 3_600);
        let mut officer = county.sign_in(Role::TownshipOfficer);
        officer.finds("/rights?state=waiting").sees("示例王一").sees("逾期1天");
        officer.finds(&format!("{wang}/correct")).fill("联系电话", "13900009903").press("保存");
        officer.finds(&request).sees("登记信息变更");
        officer.fill("结果", "已更正").fill("答复", "电话已改为新号码").press("确认答复");
        officer.sees("已答复").sees("已办理").sees("电话已改为新号码").sees("可以向县卫健局");
        assert!(!officer.can("确认答复") && !officer.can("本人撤回请求"));
        county.sign_in_as("other_township_officer").does_not_find(&request);
        county.sign_in(Role::VillageDoctor).does_not_find(&request).does_not_find("/rights");
        officer.finds("/rights?state=granted").sees("示例王一");
        officer.finds("/rights?state=waiting").does_not_see("示例王一");
        // The person is told who read and answered the request.
        officer.finds(&format!("{wang}/readers")).sees("办理或更改").sees("查看名单或页面");
        // What is right as it stands is said to be so, and who asked may take it back.
        for (answer, said) in [(true, "未同意"), (false, "已撤回")] {
            officer.finds(&format!("{wang}/requests/correct"));
            asks(&mut officer, "哪里不对，应当是什么", "出生日期").sees("请求已记下");
            if answer {
                officer.fill("结果", "核实无误，不更正").fill("答复", "与身份证一致").press("确认答复");
            } else {
                officer.press("本人撤回请求");
            }
            officer.sees(said);
        }
        assert_eq!(county.app.words.missing(), Vec::<String>::new());
    });
}

#[test]
fn nobody_is_erased_whom_a_law_keeps() {
    County::on_both(|county| {
        given(county);
        let mut officer = county.sign_in(Role::TownshipOfficer);
        let wang = person(&mut officer, "示例王一");
        officer.finds(&format!("{wang}/requests/erase")).fill("删除理由", "目的已经实现，或者不再需要");
        asks(&mut officer, "理由", "已迁走").sees("由县卫健局决定").sees("诊断记录");
        let request = officer.path().to_owned();
        assert!(!officer.can("确认答复"), "a township erases");
        // Once more leads to the same.
        officer.finds(&format!("{wang}/requests/erase")).fill("删除理由", "保存期已满");
        asks(&mut officer, "理由", "再问一次").sees("已经在办");
        assert_eq!(officer.path(), request);
        // The bureau does not treat: it hears until when, and not of how many diagnoses.
        let mut bureau = county.sign_in(Role::HealthBureau);
        bureau.finds(&request).sees("法律规定的保存期到 2041年9月6日 才满");
        let held = bureau.table("保存多久");
        let diagnoses = held.iter().find(|row| row["内容"] == "诊断记录").expect("a line");
        assert_eq!((diagnoses["条数"].as_str(), diagnoses["最近一条"].as_str()), ("1", "2026年9月5日"));
        bureau.fill("结果", "删除").fill("答复", "同意").press("确认答复").sees("现在不能删除");
        bureau.finds(&wang).sees("示例王一");
        bureau
            .finds(&request)
            .fill("结果", "不删除")
            .fill("答复", "保存期未满")
            .press("确认答复")
            .sees("未同意");
        assert_eq!(county.app.words.missing(), Vec::<String>::new());
    });
}

#[test]
fn who_is_erased_is_gone_and_only_that_it_was_done_stays() {
    County::on_both(|county| {
        given(county);
        let mut bureau = county.sign_in(Role::HealthBureau);
        let li = person(&mut bureau, "示例李二");
        bureau.finds(&format!("{li}/requests/erase")).fill("删除理由", "没有依据：登记错误，或者不该收集");
        asks(&mut bureau, "理由", "登记时弄错了人").sees("须由另一名工作人员决定");
        let request = bureau.path().to_owned();
        assert!(!bureau.can("确认答复"), "who wrote it down decides");
        county.employ(Role::HealthBureau, "second", "411722000000");
        let mut second = county.sign_in_as("second");
        second.finds(&request).sees("没有最短期限").does_not_see("才满");
        second
            .fill("结果", "删除")
            .fill("答复", "核实登记错误")
            .press("确认答复")
            .sees("已删除")
            .sees("不记载是谁");
        second.does_not_see("示例李二").sees("没有依据").sees("示例 second").sees("示例 health_bureau");
        second.does_not_find(&li);
        second.finds("/erasures").sees("没有依据").does_not_see("示例李二");
        second.finds("/people?q=%E7%A4%BA%E4%BE%8B").does_not_see("示例李二").sees("示例李三");
        // The others of the household stay, and so does the trail.
        let child = person(&mut second, "示例李三");
        second.finds(&child);
        county.sign_in(Role::Auditor).finds("/audit").sees("依法删除");
        // The same file again registers somebody new, not the one who was erased: the office imports what it holds.
        let differences = kangmai_record::rebuild(&county.app.database, &county.app.record, true, |_| {});
        assert_eq!(differences.expect("rebuilt"), Vec::new());
        assert_eq!(county.app.words.missing(), Vec::<String>::new());
    });
}
