//! A bureau makes a new release: a figure changed by its document, cases held against it, mutants noticed, last year's bills
//! settled both ways, a second person's word, and then it is law; on both databases.

#![expect(clippy::expect_used, clippy::panic, reason = "a test says what it needs")]

use std::sync::Arc;

use axum::http::StatusCode;
use kangmai_acceptance::county::{COUNTY, County};
use kangmai_acceptance::visitor::Visitor;
use kangmai_access::Role;
use kangmai_policy::Release;
use kangmai_programme::{App, Settings, conflicts, laid_over, release_files};
use kangmai_server::application::{Parts, application, router};

const FIGURE: &str = "major [参保居民] tiers[1].ratio";
const NOTICE: &str = "示例县医疗保障局通知（示例〔2026〕1号）";

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

fn given_a_draft(clerk: &mut Visitor, title: &str) -> String {
    clerk.finds("/policy-drafts").fill("修订名称", title).press("新建修订");
    clerk.sees(title).sees("还没有任何改动");
    clerk.path().to_owned()
}

fn when_a_figure_is_changed(clerk: &mut Visitor, draft: &str, value: &str, from: &str) {
    clerk.finds(&format!("{draft}/figure?figure={}", encoded(FIGURE)));
    fill_figure(clerk, value, from, NOTICE).press("写入修订");
}

fn fill_figure<'v>(clerk: &'v mut Visitor, value: &str, from: &str, document: &str) -> &'v mut Visitor {
    clerk
        .fill("新值", value)
        .fill("从哪一天起", from)
        .fill("依据文件（名称、文号、日期）", document)
        .fill("条款", "第三条")
        .fill("可靠程度", "高：有文件原文，或两处来源一致")
}

/// The mutants are judged beside the requests, by themselves whenever the draft says something else.
fn then_the_mutants_are_judged(clerk: &mut Visitor, draft: &str) {
    // Each look reads the whole law: often ones would take the processor from what they wait for.
    for _ in 0..600 {
        if !clerk.finds(draft).shown().contains("正在做变异检查") {
            return;
        }
        std::thread::sleep(std::time::Duration::from_secs(1));
    }
    panic!("judging has no end");
}

/// All cases take the new answers, those that mutants ask for come in, and a person checks each.
fn when_its_cases_are_put_right(clerk: &mut Visitor, draft: &str) {
    clerk.finds(draft);
    if clerk.shown().contains("结果变了的案例") {
        clerk.press("全部采用新结果").does_not_see("结果变了的案例");
    }
    for _ in 0..4 {
        then_the_mutants_are_judged(clerk, draft);
        let is_there = |button: usize| clerk.page().text(button) == "加入建议的案例";
        if !clerk.page().all("button").into_iter().any(is_there) {
            break;
        }
        // In words, without a key of a file.
        clerk.sees("城乡居民大病保险，");
        clerk.press("加入建议的案例").sees("个案例待对照来源核对");
    }
    // A fen at an edge between two ratios can be hidden by rounding: it is accepted by name, with a reason.
    let accepts = |clerk: &Visitor| clerk.page().all("select").into_iter().next();
    while let Some(select) = accepts(clerk) {
        let options = clerk.page().all_in(select, "option");
        let mutant = clerk.page().text(*options.last().expect("a mutant"));
        assert!(!mutant.contains(['[', '_', '=']), "in words: {mutant}");
        clerk.press("说明理由后认可");
        assert_eq!(clerk.status(), StatusCode::UNPROCESSABLE_ENTITY);
        clerk
            .fill("没有案例发现的改动", &mutant)
            .fill("认可的理由", "差一分不影响金额")
            .press("说明理由后认可");
        clerk.sees("差一分不影响金额").sees(&mutant);
    }
    if clerk.shown().contains("待核对的案例") {
        clerk.press("勾选的案例都已对照来源核对").sees("请先勾选已核对的案例");
        // One is ticked, then all others at once; what was judged still holds.
        let cases = |clerk: &Visitor| {
            let of_cases = |input: &usize| clerk.page().attribute(*input, "name") == Some("case");
            clerk.page().all("input").into_iter().filter(of_cases).count()
        };
        let before = cases(clerk);
        let said = clerk.table("待核对的案例");
        assert_eq!(said.len(), before);
        let unlike: std::collections::BTreeSet<String> =
            said.iter().map(|row| format!("{} {} {}", row["日期"], row["条件"], row["应有的结果"])).collect();
        assert_eq!(unlike.len(), before, "no case is proposed twice");
        clerk.tick_all("case").press("勾选的案例都已对照来源核对");
        clerk.does_not_see("个案例待对照来源核对");
        clerk.does_not_see("还没有做变异检查").does_not_see("正在做变异检查");
    }
}

fn then_the_run_ends(clerk: &mut Visitor) {
    let run = clerk.path().to_owned();
    for _ in 0..200 {
        if clerk.finds(&run).shown().contains("按支付方") {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
}

fn when_it_is_handed_in(clerk: &mut Visitor, draft: &str) {
    then_the_mutants_are_judged(clerk, draft);
    clerk.press("送审");
    clerk.sees("待审核").sees("等待另一人审核");
}

fn then_the_law_says(visitor: &mut Visitor, pack: &str, on: &str, ratio: &str) {
    visitor.finds(&format!("/policies?place={pack}&on={on}"));
    let rows = visitor.table("城乡居民大病保险");
    let row = rows.iter().find(|row| row["适用于"].starts_with("参保居民")).expect("the residents");
    assert!(row["支付比例或减免"].contains(ratio), "{row:?}");
}

#[test]
fn a_draft_that_begins_later_is_tried_as_if_last_years_bills_came_then() {
    let county = County::on_sqlite();
    county.populate();
    let mut clerk = county.sign_in(Role::InsuranceClerk);
    let draft = given_a_draft(&mut clerk, "明年起第一段提到65%");
    clerk.finds(&format!("{draft}/figure?figure={}", encoded(FIGURE))).sees("先把它连同案例照抄为本地规定");
    when_a_figure_is_changed(&mut clerk, &draft, "65%", "2027-01-01");
    clerk.finds(&draft).press("测算上一年的费用");
    then_the_run_ends(&mut clerk);
    clerk.sees("同样的费用发生在 2027 年").does_not_see("没有影响到任何一笔费用");
    clerk.finds(&draft).sees("按费用发生在哪一年计算");
}

#[test]
fn a_county_makes_a_change_law_with_two_persons() {
    County::on_both(|county| {
        county.populate();
        let mut clerk = county.sign_in(Role::InsuranceClerk);
        let draft = given_a_draft(&mut clerk, "大病保险第一段提到65%");
        clerk
            .finds(&format!("{draft}/figure?figure={}", encoded(FIGURE)))
            .sees("先把它连同案例照抄为本地规定");
        when_a_figure_is_changed(&mut clerk, &draft, "65%", "2025-01-01");
        clerk
            .sees("参保居民，自 2025-01-01 起：第 1 段比例 60% → 65%")
            .sees("新增文件 cn/henan/411722/pack.toml")
            .sees("结果变了的案例")
            .press("送审")
            .sees("个案例的结果变了");
        when_its_cases_are_put_right(&mut clerk, &draft);
        clerk.press("测算上一年的费用");
        then_the_run_ends(&mut clerk);
        clerk.sees("第 1 段比例 60% → 65%").sees("按支付方");
        clerk.finds(&draft).sees("受影响的费用").sees("可以送审");
        when_it_is_handed_in(&mut clerk, &draft);
        // The author cannot approve it, by the page or without.
        clerk.does_not_see("通过并发布");
        let law = county.app.policies.hash().to_owned();

        // Another county's bureau does not know of it; the health bureau sends it back once.
        county.sign_in_as("other_insurance_clerk").does_not_find(&draft);
        county.sign_in(Role::VillageDoctor).does_not_find(&draft).does_not_find("/policy-drafts");
        let mut bureau = county.sign_in(Role::HealthBureau);
        bureau.finds("/").sees("1 份政策修订等待审核");
        bureau.finds(&draft).press("退回");
        assert_eq!(bureau.status(), StatusCode::UNPROCESSABLE_ENTITY);
        bureau.fill("退回的理由", "请补充依据的文号").press("退回").sees("已退回").sees("请补充依据的文号");
        clerk.finds(&draft).sees("请补充依据的文号");
        when_it_is_handed_in(&mut clerk, &draft);
        bureau.finds(&draft).sees("第 1 段比例 60% → 65%").press("通过并发布");
        bureau
            .sees("已发布")
            .sees("影响 2025年1月1日 及以后的费用")
            .sees("kangmai settlement resettle --release --year 2025");

        then_the_law_says(&mut clerk, COUNTY, "2025-06-30", "65%");
        then_the_law_says(&mut clerk, COUNTY, "2024-12-31", "60%");
        then_the_law_says(&mut clerk, "411723000000", "2025-06-30", "60%");
        clerk.finds("/policies/releases").follow("大病保险第一段提到65%").follow("到重新结算页面");
        // Every release that was in force can be read by its hash; what was settled is as it was.
        let kept =
            county.app.database.read_blocking(move |tx| release_files(tx, &law)).expect("the database");
        assert_eq!(kept.as_deref(), Some(county.app.policies.files()));
        let differences = kangmai_record::rebuild(&county.app.database, &county.app.record, true, |_| {});
        assert_eq!(differences.expect("rebuilt"), []);
        county.sign_in(Role::Auditor).finds("/audit").sees("发布政策").finds("/policies/releases");

        // It is taken back by a release of its own.
        clerk.finds("/policies/releases/1").press("恢复到这次发布以前");
        let back = clerk.path().to_owned();
        clerk.sees("删去文件 cn/henan/411722/pack.toml").sees("65% → 60%");
        when_its_cases_are_put_right(&mut clerk, &back);
        when_it_is_handed_in(&mut clerk, &back);
        bureau.finds(&back).press("通过并发布");
        then_the_law_says(&mut clerk, COUNTY, "2025-06-30", "60%");
        assert_eq!(county.app.current().policies.hash(), county.app.shipped.hash());
    });
}

/// Another program on the same database.
fn another_program(county: &County, policies: Arc<Release>) -> App {
    let parts = Parts {
        database: county.app.database.clone(),
        master: None,
        policies,
        clock: county.app.clock.clone(),
        ids: county.app.ids.clone(),
        settings: Settings { secure: false, uploads: county.files().join("other"), demo: false },
    };
    application(parts).expect("an application")
}

#[test]
fn of_two_who_publish_at_once_one_has_to_look_again_and_other_programs_follow() {
    County::on_both(|county| {
        county.employ(Role::InsuranceClerk, "second", COUNTY);
        let other = another_program(county, county.app.shipped.clone());
        let (mut clerk, mut second) = (county.sign_in(Role::InsuranceClerk), county.sign_in_as("second"));
        let pack = "id = \"shangcai\"\nname = { zh = \"上蔡县\", en = \"Shangcai\" }\ndivision = \"411722\"\ninherits = \"all\"\n";
        let path = "cn/henan/411722/pack.toml";
        let drafts = ["甲", "乙"].map(|remark| {
            let draft = given_a_draft(&mut clerk, remark);
            clerk.finds(&format!("{draft}/file?path={path}"));
            clerk.fill("文件内容", &format!("# {remark}\n{pack}")).press("保存文件");
            when_it_is_handed_in(&mut clerk, &draft);
            draft
        });
        second.finds(&drafts[0]).press("通过并发布").sees("已发布");
        second.finds(&drafts[1]).sees("又有新的发布").press("通过并发布");
        second.sees("又有新的发布").does_not_see("已发布，现行政策已更新");

        // It is taken up again, brought up to date, and somebody decides.
        clerk.finds(&drafts[1]).press("继续起草").press("更新到最新发布").sees("请决定采用哪份文本");
        clerk.press("采用本修订的文本").does_not_see("请决定采用哪份文本");
        when_it_is_handed_in(&mut clerk, &drafts[1]);
        second.finds(&drafts[1]).press("通过并发布").sees("已发布，现行政策已更新");
        let text = |app: &App| {
            app.policies.files().iter().find(|(known, _)| known == path).map(|(_, text)| text.clone())
        };
        assert_eq!(text(&county.app.current()), Some(format!("# 乙\n{pack}")));
        assert_eq!(county.app.current().publication, 2);

        // The other program learns of it with the next request.
        assert_eq!((other.publication, text(&other.current())), (0, None));
        let cookies: Vec<(String, String)> =
            clerk.cookies().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let mut visitor = county.visitor_of(router(&other));
        for (name, value) in &cookies {
            visitor.take_cookie(name, value);
        }
        visitor.finds("/policies/releases").sees("乙");
        assert_eq!(text(&other.current()), Some(format!("# 乙\n{pack}")));

        // A later program brings a file of that name: the published one holds, and the page says so.
        let mut files = county.app.shipped.files().to_vec();
        files.push((path.to_owned(), pack.replace("上蔡县", "河南省上蔡县")));
        let later = another_program(county, Arc::new(Release::load(files).expect("packs")));
        assert_eq!(text(&later), Some(format!("# 乙\n{pack}")));
        let published = county.app.database.read_blocking(laid_over).expect("the database");
        assert_eq!(conflicts(later.shipped.files(), &published).len(), 1);
        let mut visitor = county.visitor_of(router(&later));
        for (name, value) in &cookies {
            visitor.take_cookie(name, value);
        }
        visitor.finds("/policy-drafts").sees("程序更新后需要决定的文件").press("新建修订：改用程序文本");
        visitor.sees("上蔡县 → 河南省上蔡县");
    });
}

#[test]
fn what_is_wrong_is_underlined_and_nothing_typed_is_lost() {
    let county = County::on_sqlite();
    let mut clerk = county.sign_in(Role::InsuranceClerk);
    clerk.finds("/policy-drafts").press("新建修订");
    assert_eq!(clerk.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let draft = given_a_draft(&mut clerk, "试一试");
    let form = format!("{draft}/figure?figure={}", encoded(FIGURE));
    for (value, from, document, said) in [
        ("101%", "2027-01-01", NOTICE, "比例超过 100%"),
        ("65%", "2027-02-29", NOTICE, "日期"),
        ("70", "2027-01-01", NOTICE, "是不是想写 70%？比例请带上百分号"),
        ("七成", "2027-01-01", NOTICE, "写成 70%、7/10 或 2/37"),
        ("65%", "2001-01-01", NOTICE, "有规定的时间是"),
        ("65%", "2027-01-01", "", "依据文件"),
    ] {
        clerk.finds(&form);
        fill_figure(&mut clerk, value, from, document).press("写入修订");
        assert_eq!(clerk.status(), StatusCode::UNPROCESSABLE_ENTITY, "{value} {from}");
        clerk.sees(said);
        let typed: Vec<String> = clerk
            .page()
            .all("input")
            .into_iter()
            .filter_map(|input| clerk.page().attribute(input, "value").map(str::to_owned))
            .collect();
        assert!(typed.contains(&value.to_owned()) && typed.contains(&from.to_owned()), "{typed:?}");
        // In words at a field, with a way to it from the top, and not as the loader prints it.
        let wrong = clerk
            .page()
            .all("p")
            .into_iter()
            .filter(|p| clerk.page().attribute(*p, "class") == Some("error"));
        assert_eq!(wrong.count(), 1, "{value} {from}");
    }
    // Written in any of the ways in which officers write it, it is shown as a per cent.
    clerk.finds(&form);
    fill_figure(&mut clerk, "0.7", "2027-01-01", NOTICE).press("写入修订");
    clerk.sees("第 1 段比例 60% → 70%").does_not_see("→ 0.7").does_not_see("tiers[1]");
    let draft = given_a_draft(&mut clerk, "再试一试");
    // A figure that is not there.
    clerk.finds(&format!("{draft}/figure?figure={}", encoded("magor tires"))).does_not_see("写入修订");
    // A file of the province is not the county's; neither is a way out of the packs.
    for path in [
        "cn/henan/benefits/20-major.toml",
        "cn/labels.toml",
        "cn/henan/411722/../pack.toml",
        "cn/henan/411723/pack.toml",
        "x.txt",
    ] {
        clerk.open(&format!("{draft}/file?path={}", encoded(path)));
        assert_eq!(clerk.status(), StatusCode::UNPROCESSABLE_ENTITY, "{path}");
        assert!(String::from_utf8_lossy(clerk.bytes()).contains("what_if.draft.not_yours"), "{path}");
    }
    // A text that does not load is kept, with what is wrong.
    let path = format!("{draft}/file?path=cn/henan/411722/pack.toml");
    clerk.finds(&path).fill("文件内容", "id = \"x\"\nnaem = 1\n").press("保存文件");
    assert_eq!(clerk.status(), StatusCode::UNPROCESSABLE_ENTITY);
    clerk.sees("文本已保存，但有错误").sees("naem").sees("^^^^");
    clerk.finds(&draft).sees("政策包不能载入").press("送审").sees("处错误");
    clerk.finds(&path).sees("naem");
    // Two windows: the second one's text is not written over the first one's, and not lost.
    let mut again = county.sign_in(Role::InsuranceClerk);
    again.finds(&path);
    clerk.fill("文件内容", "# first\n").press("保存文件");
    again.fill("文件内容", "# second\n").press("保存文件").sees("刚被别人改过");
    let area = again.page().all("textarea")[0];
    assert!(again.page().raw_text(area).contains("# second"), "what was typed is lost");
    clerk.finds(&path);
    let area = clerk.page().all("textarea")[0];
    assert!(clerk.page().raw_text(area).contains("# first"));
    clerk.in_english().finds(&draft).sees("It cannot be handed in yet");
    clerk
        .finds(&draft)
        .press("Withdraw the draft")
        .sees("withdrawn")
        .press("Take it up again")
        .sees("being written");
}

#[test]
fn who_hands_in_what_another_has_written_cannot_approve_it() {
    County::on_both(|county| {
        county.employ(Role::InsuranceClerk, "second", COUNTY);
        let (mut clerk, mut second) = (county.sign_in(Role::InsuranceClerk), county.sign_in_as("second"));
        let draft = given_a_draft(&mut clerk, "两人");
        clerk.finds(&format!("{draft}/file?path=cn/henan/411722/pack.toml"));
        let pack = "id = \"x\"\nname = { zh = \"上蔡县\", en = \"Shangcai\" }\ndivision = \"411722\"\ninherits = \"all\"\n";
        clerk.fill("文件内容", pack).press("保存文件");
        when_it_is_handed_in(&mut second, &draft);
        // Neither who wrote it nor who handed it in, by the page or without.
        for visitor in [&mut clerk, &mut second] {
            visitor.finds(&draft).sees("参与起草或送审的人不能审核").does_not_see("通过并发布");
            assert!(!visitor.can("做变异检查") && !visitor.can("测算上一年的费用"));
        }
        let mut bureau = county.sign_in(Role::HealthBureau);
        bureau.finds(&draft).press("通过并发布").sees("已发布");
        // The line of the audit trail is written with it.
        county.sign_in(Role::Auditor).finds("/audit").sees("发布政策");
    });
}

#[test]
fn a_reader_lets_a_pack_prove_itself() {
    let county = County::on_sqlite();
    let mut doctor = county.sign_in(Role::VillageDoctor);
    doctor
        .finds("/policies?pack=cn/henan/zhengzhou")
        .press("检查案例是否齐全")
        .sees("有 0 处没有案例或结果不符");
    doctor.finds("/policies?pack=cn/henan/zhengzhou").press("变异检查").sees("0 处没有");
    // Without its cases nothing is proved, and the case to write is there.
    let files =
        county.app.shipped.files().iter().filter(|(path, _)| !path.starts_with("cn/jilin/changchun/cases/"));
    let bare = Release::load(files.cloned()).expect("packs");
    let other = another_program(&county, Arc::new(bare));
    let mut visitor = county.visitor_of(router(&other));
    for (name, value) in doctor.cookies() {
        visitor.take_cookie(name, value);
    }
    visitor.finds("/policies?pack=cn/jilin/changchun").press("检查案例是否齐全").does_not_see("有 0 处");
    visitor.finds("/policies?pack=cn/jilin/changchun").press("变异检查").sees("[[case]]").sees("待核对");
}
