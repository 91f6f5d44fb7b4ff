//! Family-doctor agreements: a township makes a team, a household is signed in one go, what cannot be is said beside its field, an
//! expert of the county reaches whom the team has signed and nobody else, visits count by themselves, what is of level 5 stands on
//! the person's own page alone; and the agreement ends by itself and is renewed.

#![expect(clippy::expect_used, reason = "a test says what it needs")]

use kangmai_acceptance::county::County;
use kangmai_acceptance::visitor::Visitor;
use kangmai_access::Role;
use kangmai_follow_up::enrol_all;

const REGISTER: &str = "户编号,与户主关系,姓名,证件号码,户籍地区划代码,联系电话,参保状态,人群类别,认定日期\n\
    H0001,户主,示例王一,N1,411722001001,13900009901,居民,低保对象,2024-01-01\n\
    H0001,配偶,示例李二,N2,411722001001,,居民,,\n\
    H0001,子女,示例王小,N3,411722001001,,居民,,\n\
    H0002,户主,示例赵三,N4,411722001001,,居民,,\n\
    H0003,户主,示例钱四,N5,411722001001,,居民,,\n\
    H0004,户主,示例远村,N6,411722002001,,居民,,\n";
const DIAGNOSES: &str = "证件号码,姓名,诊断编码,诊断名称,确诊日期\n\
    N1,示例王一,I10.x00,原发性高血压,2026-09-05\n\
    N4,示例赵三,F20.901,示例机密诊断,2026-09-05\n\
    N6,示例远村,I10.x00,原发性高血压,2026-09-05\n";
const NUMBERS: [(&str, &str); 6] = [
    ("N1", "41172219600101991"),
    ("N2", "41172219620101992"),
    ("N3", "41172220160101991"),
    ("N4", "41172219700101991"),
    ("N5", "41172219800101991"),
    ("N6", "41172219710101991"),
];

fn given(county: &County) {
    let right = |text: &str| {
        NUMBERS.iter().fold(text.to_owned(), |text, (name, first)| {
            let number = kangmai_base::IdNumber::with_checksum(first).expect("a number");
            text.replace(&format!("{name},"), &format!("{},", number.as_str()))
        })
    };
    for (key, text) in [("register", REGISTER), ("diagnoses", DIAGNOSES)] {
        let finished = county.import(key, &format!("{key}.csv"), right(text).as_bytes());
        assert_eq!((finished.summary.faulty, finished.parked), (0, 0), "{finished:?}");
    }
    enrol_all(&county.app, county.app.today(), |_| {}).expect("a run");
}

/// The address of a person.
fn person(visitor: &mut Visitor, name: &str) -> String {
    visitor.finds("/people").fill("姓名、首字母或号码", name).press("查找").follow(name);
    visitor.path().split('?').next().unwrap_or_default().to_owned()
}

/// The township makes a team, with the village's doctor and an expert of the county in it.
fn a_team(county: &County) -> Visitor {
    let mut officer = county.sign_in(Role::TownshipOfficer);
    officer.finds("/agreements/teams").sees("还没有团队").follow("新建团队");
    officer.press("建立团队").sees("请填写团队名称").sees("团队长");
    officer
        .fill("团队名称", "示例一队")
        .fill("团队电话", "0396-0000000")
        .fill("团队长", "示例 township_officer");
    officer.fill("团队长的角色", "乡镇卫生院医师").fill("从哪一天起", "2025-01-01").press("建立团队");
    officer.sees("团队已建立").sees("示例 township_officer");
    officer.fill("账号", "示例 village_doctor").fill("团队角色", "乡村医生").fill("加入日期", "2025-01-01");
    officer.press("添加").sees("已添加");
    officer.fill("账号", "示例 expert").fill("团队角色", "县级专家").fill("加入日期", "2025-01-01");
    officer.tick("担任团队长", true).press("添加").sees("这个角色不能担任团队长");
    officer.tick("担任团队长", false).press("添加").sees("已添加").sees("示例 expert");
    officer
}

fn unharmed(county: &County) {
    let differs = kangmai_record::rebuild(&county.app.database, &county.app.record, true, |_| {});
    assert_eq!(differs.expect("rebuilt"), []);
    assert_eq!(county.app.words.missing(), Vec::<String>::new());
}

#[test]
fn a_household_is_signed_in_one_visit_and_what_cannot_be_is_said() {
    County::on_both(|county| {
        given(county);
        let mut doctor = county.sign_in(Role::VillageDoctor);
        let wang = person(&mut doctor, "示例王一");
        doctor.follow("签约").sees("这里还没有签约团队");
        a_team(county);
        doctor.finds("/agreements/residents?signed=no&who=first").sees("示例王一").sees("高血压个性化包");
        doctor
            .sees("困难人群个性化包")
            .does_not_see("示例钱四")
            .does_not_see("示例赵三")
            .does_not_see("示例远村");
        // The household in one go: everybody their own agreement; a child of ten is signed by a guardian.
        doctor.follow("全户签约").sees("示例王一").sees("示例李二").sees("示例王小").sees("未定");
        doctor.fill("签约团队", "示例一队").press("签约").sees("请确认签字人已同意");
        doctor.tick("签字人已阅读或听读", true).press("签约").sees("请写明纸质协议存放在哪里");
        doctor.fill("纸质协议存放在哪里", "村卫生室").fill("由谁签字", "本人").press("签约");
        doctor.sees("不满 14 周岁由监护人签").sees("涉及：示例王小");
        doctor.fill("由谁签字", "家庭代表").press("签约").sees("请填写代签人姓名");
        doctor.fill("代签人姓名", "示例王一").fill("与签约人关系", "户主").fill("签约日期", "2026-11-21");
        doctor.press("签约").sees("不能晚于今天").fill("签约日期", "1959-01-01").press("签约");
        doctor.sees("早于出生日期").fill("签约日期", "2026-11-20").press("签约").sees("已签约 3 人");
        doctor.sees("全户 3 人，在约 3 人");

        // One in force at a day: nobody signs a second.
        doctor
            .finds(&wang)
            .sees("在约")
            .sees("示例一队")
            .sees("面对面随访")
            .sees("家庭医生签约，2026-11-20 至 2027-11-19");
        doctor.finds(&format!("{wang}/agreements/sign")).sees("协议到 2027-11-19 才到期");
        doctor.finds("/agreements").sees("示例王一").sees("示例李二").sees("高血压个性化包");
        // The page has every field, and so has the paper.
        doctor
            .finds(&wang)
            .follow("2026-11-20 至 2027-11-19")
            .sees("户主")
            .sees("村卫生室")
            .sees("每年 4 次");
        let one = doctor.path().to_owned();
        doctor
            .follow("打印协议书")
            .sees("家庭医生签约服务协议书")
            .sees("甲方（居民）")
            .sees("乡村医生")
            .sees("每年 4 次");
        doctor.sees("县级专家").sees("签约机构（盖章）").sees("期满自行终止").sees("未定");
        doctor
            .finds("/agreements/blank")
            .sees("家庭医生签约服务协议书")
            .does_not_see("肺结核")
            .does_not_see("精神");

        // Put right, ended, taken back.
        doctor.finds(&one).fill("协议期", "36 个月").fill("更正原因", "签了三年").press("更正");
        doctor.sees("协议已更正").sees("2029-11-19").sees("签了三年");
        doctor
            .fill("终止原因", "居民提出解约")
            .fill("从哪一天起终止", "2026-11-19")
            .fill("说明", "搬走")
            .press("终止协议");
        doctor.sees("终止日期早于签约日期 2026-11-20").fill("从哪一天起终止", "2026-11-20").press("终止协议");
        doctor.sees("协议已终止").sees("已解约").press("撤销").sees("已撤销");
        doctor.finds(&one).sees("在约").does_not_see("已解约");
        unharmed(county);
    });
}

#[test]
fn a_signature_is_drawn_or_photographed_and_nothing_else() {
    County::on_both(|county| {
        given(county);
        a_team(county);
        let mut doctor = county.sign_in(Role::VillageDoctor);
        let qian = person(&mut doctor, "示例钱四");
        let sign = format!("{qian}/agreements/sign");
        doctor.finds(&sign).fill("签约团队", "示例一队").tick("签字人已阅读或听读", true);
        doctor.fill("签字方式", "屏幕手写签名").press("签约").sees("没有写签名");
        doctor.fill("签字方式", "纸质协议拍照").press("签约").sees("请选择纸质协议的照片");
        doctor
            .attach("纸质协议照片", "paper.jpg", b"%PDF-1.7 and so on".to_vec())
            .press("签约")
            .sees("不是 JPEG 或 PNG");
        let mut large = vec![0xff, 0xd8, 0xff];
        large.resize(1_024 * 1_024 + 1, 0);
        doctor.attach("纸质协议照片", "paper.jpg", large).press("签约").sees("照片超过 1024 KB");
        let mut photo = vec![0xff, 0xd8, 0xff, 0xe0];
        photo.resize(4_096, 7);
        doctor.attach("纸质协议照片", "paper.png", photo.clone()).press("签约").sees("已签约 1 人");
        doctor
            .press("撤销")
            .sees("已撤销")
            .finds(&sign)
            .fill("签约团队", "示例一队")
            .tick("签字人已阅读或听读", true);
        doctor
            .fill("签字方式", "纸质协议拍照")
            .attach("纸质协议照片", "paper.png", photo.clone())
            .press("签约");
        doctor.sees("已签约 1 人").follow("2026-11-20 至 2027-11-19");
        let one = doctor.path().to_owned();
        doctor.open(&format!("{one}/paper"));
        assert_eq!(doctor.header("content-type"), Some("image/jpeg"));
        assert_eq!(doctor.bytes(), photo);
        // It is sealed where it lies, and somebody of another place finds nothing.
        county.sign_in_as("other_village_doctor").does_not_find(&format!("{one}/paper"));
        county.sign_in(Role::Cadre).does_not_find(&one);
        // Prepared first, printed, signed on paper, and entered.
        doctor
            .finds(&one)
            .fill("终止原因", "登记错误")
            .fill("说明", "照片不清")
            .press("终止协议")
            .sees("协议已终止");
        doctor.finds(&sign).fill("签约团队", "示例一队").press("先存为待签").sees("已存为待签 1 份");
        doctor.follow("准备，等待签字").sees("待签").follow("打印协议书").sees("代签人（关系）");
        doctor.finds("/agreements?standing=offered").sees("示例钱四");
        doctor.finds(&sign).fill("签约团队", "示例一队").tick("签字人已阅读或听读", true);
        doctor.fill("纸质协议存放在哪里", "村卫生室").press("签约").sees("已签约 1 人");
        doctor.finds("/agreements?standing=offered").does_not_see("示例钱四");
        doctor.finds(&qian).sees("在约").sees("已解约");
        unharmed(county);
    });
}

#[test]
fn an_expert_reaches_whom_the_team_has_signed_and_nobody_else() {
    County::on_both(|county| {
        given(county);
        let mut officer = a_team(county);
        let team = officer.path().to_owned();
        let mut doctor = county.sign_in(Role::VillageDoctor);
        let (wang, zhao) = (person(&mut doctor, "示例王一"), person(&mut doctor, "示例赵三"));
        let mut expert = county.sign_in(Role::Expert);
        expert.does_not_find(&wang);
        expert.finds("/agreements").does_not_see("示例王一");
        sign_on_paper(&mut doctor, &["示例王一"]);
        expert.finds("/agreements").sees("示例王一").does_not_see("示例赵三");
        expert.finds(&wang).sees("本人所在家庭医生团队的签约居民").sees("原发性高血压").follow("一人一策");
        expert.sees("一人一策：示例王一").sees("原发性高血压").does_not_see("修改方案");
        expert.does_not_find(&zhao);
        expert.does_not_find(&format!("{zhao}/care-plan"));
        expert.finds("/agreements/residents?signed=all").does_not_see("示例王一");
        expert.finds("/people?q=%E7%A4%BA%E4%BE%8B").does_not_see("示例王一");
        // Who leaves the team reaches nobody any more; who comes back does.
        officer.finds(&team).fill("谁离开", "示例 expert").fill("最后一天", "2026-11-19").press("登记离开");
        officer.sees("已登记离开").sees("2026-11-19");
        expert.does_not_find(&wang);
        expert.finds("/agreements").does_not_see("示例王一");
        officer.fill("谁离开", "示例 township_officer").press("登记离开").sees("请先让别的成员担任团队长");
        officer
            .finds(&team)
            .fill("账号", "示例 expert")
            .fill("团队角色", "县级专家")
            .press("添加")
            .sees("已添加");
        expert.finds(&wang).sees("在约");
        // With the end of the agreement it ends.
        doctor.finds("/agreements").follow("2026-11-20 至 2027-11-19");
        doctor.fill("终止原因", "迁出").fill("说明", "随子女迁居").press("终止协议").sees("协议已终止");
        expert.does_not_find(&wang);
        doctor.press("撤销").sees("已撤销");
        expert.finds(&wang).sees("在约");
        county.clock.advance(366 * 24 * 3_600);
        let mut expert = county.sign_in(Role::Expert);
        expert.does_not_find(&wang);
        unharmed(county);
    });
}

/// Signs these on the list, on paper.
fn sign_on_paper(doctor: &mut Visitor, names: &[&str]) {
    doctor.finds("/agreements/residents");
    for name in names {
        doctor.tick(name, true);
    }
    doctor.fill("签约团队", "示例一队").fill("纸质协议存放在哪里", "村卫生室");
    doctor.tick("勾选的人都已阅读", true).press("登记勾选的人已签约");
    doctor.sees(&format!("已签约 {} 人", names.len()));
}

#[test]
fn many_are_signed_on_paper_at_once_all_or_nobody_and_level_5_stands_in_no_list() {
    County::on_both(|county| {
        given(county);
        a_team(county);
        let mut doctor = county.sign_in(Role::VillageDoctor);
        let zhao = person(&mut doctor, "示例赵三");
        doctor.finds("/agreements/residents").fill("纸质协议存放在哪里", "村卫生室");
        doctor.fill("签约团队", "示例一队").tick("勾选的人都已阅读", true).press("登记勾选的人已签约");
        doctor.sees("请在名单里勾选签约人");
        doctor.tick("示例王小", true).tick("示例钱四", true).fill("纸质协议存放在哪里", "村卫生室");
        doctor.fill("签约团队", "示例一队").tick("勾选的人都已阅读", true).press("登记勾选的人已签约");
        doctor.sees("不满 14 周岁由监护人签").sees("涉及：示例王小");
        doctor.finds("/agreements").does_not_see("示例钱四");
        sign_on_paper(&mut doctor, &["示例赵三", "示例钱四"]);
        doctor.finds("/agreements/residents?signed=yes").sees("示例赵三").does_not_see("示例王一");

        // Who treats sees the package on the person's page; no list, no bureau, no print of theirs.
        doctor.finds(&zhao).sees("严重精神障碍个性化包").follow("2026-11-20 至 2027-11-19");
        let one = doctor.path().to_owned();
        doctor.sees("随访和危险性评估").follow("打印协议书").sees("严重精神障碍个性化包");
        doctor.finds("/agreements").sees("示例赵三").does_not_see("精神");
        doctor.finds("/agreements/residents?signed=all&who=all").sees("示例赵三").does_not_see("精神");
        county.clock.advance(100 * 24 * 3_600);
        let mut doctor = county.sign_in(Role::VillageDoctor);
        doctor.finds("/agreements/items").does_not_see("精神").does_not_see("示例赵三");
        let mut bureau = county.sign_in(Role::HealthBureau);
        for path in [&*one, &*format!("{one}/print"), &*zhao, &*format!("{zhao}/care-plan")] {
            bureau.finds(path).does_not_see("精神").does_not_see("危险性");
        }
        bureau.finds("/figures").sees("履约率").sees("签约率").sees("重点人群签约率").sees("续签率");
        for role in [Role::Cadre, Role::InsuranceClerk, Role::CountyDesk, Role::Auditor] {
            county.sign_in(role).does_not_find(&one);
        }
        unharmed(county);
    });
}

#[test]
fn visits_count_by_themselves_and_the_rate_comes_first() {
    County::on_both(|county| {
        given(county);
        a_team(county);
        let mut doctor = county.sign_in(Role::VillageDoctor);
        let wang = person(&mut doctor, "示例王一");
        sign_on_paper(&mut doctor, &["示例王一"]);
        doctor
            .finds(&format!("{wang}/visit"))
            .fill("随访方式", "家庭")
            .fill("收缩压", "138")
            .fill("舒张压", "84");
        doctor
            .fill("高血压危急情况", "无")
            .fill("药物不良反应", "无")
            .fill("并发症", "无新发")
            .fill("服药依从性", "规律");
        doctor.press("保存随访").sees("随访已保存");
        doctor.finds("/agreements").follow("2026-11-20 至 2027-11-19").sees("已做 1/4 次");
        let one = doctor.path().to_owned();
        // Anything else is one line; twice for a day is once, and only within the agreement.
        doctor
            .fill("做了哪一项", "健康评估和指导")
            .fill("完成日期", "2026-11-19")
            .press("登记")
            .sees("不在协议期内");
        doctor.fill("完成日期", "2026-11-20").fill("内容和结果", "低盐饮食").press("登记").sees("已登记");
        doctor.fill("做了哪一项", "健康评估和指导").press("登记").sees("这一天已经登记过这一项");
        // The plan says what is due and was not had yet; the doctor changes it.
        doctor.finds(&format!("{wang}/care-plan")).sees("还有").sees("项应享未享").sees("随访管理：高血压");
        doctor.fill("目标", "血压低于140/90").fill("补充的服务和措施", "限盐勺\n每周散步五次");
        doctor.fill("不适用的条目", "就医和转诊绿色通道").press("保存方案").sees("请写明原因");
        doctor.fill("不适用的原因", "本人谢绝").press("保存方案").sees("方案已保存").sees("每周散步五次");
        doctor.sees("不适用：本人谢绝").follow("打印方案").sees("血压低于140/90").sees("填报人");
        // A quarter and a day later one visit was in time; two quarters later the next is late.
        county.clock.advance(185 * 24 * 3_600);
        let mut doctor = county.sign_in(Role::VillageDoctor);
        doctor.finds("/agreements/items?which=in_time").sees("面对面随访").sees("按时完成");
        doctor.finds("/agreements/items?which=not_in_time").sees("面对面随访").sees("逾期");
        doctor.finds("/").sees("项签约服务到期");
        let mut bureau = county.sign_in(Role::HealthBureau);
        bureau.finds("/figures").sees("履约率").sees("50.0%");
        // A visit now counts for this quarter, and what was missed stays missed.
        doctor.finds(&one).sees("已做 1/4 次");
        unharmed(county);
    });
}

#[test]
fn it_ends_by_itself_is_renewed_and_given_to_another_team() {
    County::on_both(|county| {
        given(county);
        let mut officer = a_team(county);
        let first = officer.path().to_owned();
        let mut doctor = county.sign_in(Role::VillageDoctor);
        let wang = person(&mut doctor, "示例王一");
        sign_on_paper(&mut doctor, &["示例王一", "示例钱四"]);
        // Another team takes over all.
        officer
            .finds("/agreements/teams/new")
            .fill("团队名称", "示例二队")
            .fill("团队长", "示例 village_doctor");
        officer.fill("团队长的角色", "乡村医生").press("建立团队").sees("团队已建立");
        officer.finds(&first).tick("撤销团队", true).press("保存").sees("团队还有在约协议");
        officer.finds(&first).fill("转到哪个团队", "示例二队").fill("原因", "片区调整").press("全部转过去");
        officer.sees("已转 2 份协议").sees("在约 0 人");
        doctor.finds(&wang).sees("示例二队").sees("更换签约团队");
        officer.tick("撤销团队", true).press("保存").sees("团队已修改").sees("已撤销");
        // 31 days before the end nothing is said, 30 days before it is.
        county.clock.advance(333 * 24 * 3_600);
        county.sign_in(Role::VillageDoctor).finds("/").does_not_see("份协议即将到期");
        county.clock.advance(24 * 3_600);
        let mut doctor = county.sign_in(Role::VillageDoctor);
        doctor
            .finds("/")
            .sees("2 份协议即将到期")
            .follow("2 份协议即将到期")
            .sees("示例王一")
            .sees("示例钱四");
        doctor.finds(&wang).follow("续签").sees("续签：新协议自 2027-11-20 起").fill("签约团队", "示例二队");
        doctor
            .tick("签字人已阅读或听读", true)
            .fill("纸质协议存放在哪里", "村卫生室")
            .press("签约")
            .sees("已签约 1 人");
        doctor.sees("未到起始日").finds("/").sees("1 份协议即将到期");
        // The other one runs out by itself.
        county.clock.advance(40 * 24 * 3_600);
        let mut doctor = county.sign_in(Role::VillageDoctor);
        doctor.finds("/agreements?standing=expired").sees("示例王一").sees("示例钱四").sees("已续签");
        doctor.finds("/agreements?standing=expired&renewed=no").sees("示例钱四").does_not_see("示例王一");
        doctor.finds("/agreements?standing=in_force").sees("示例王一").does_not_see("示例钱四");
        let mut bureau = county.sign_in(Role::HealthBureau);
        bureau.finds("/figures").sees("续签率").sees("50.0%");
        unharmed(county);
    });
}
