//! The timeline of a person: what several programmes have to say, as far as the reader may see it; what was put right is
//! struck out.

#![expect(clippy::expect_used, reason = "a test says what it needs")]

use kangmai_acceptance::county::County;
use kangmai_acceptance::visitor::Visitor;
use kangmai_access::Role;

/// The first address on the page that begins so.
fn address(visitor: &Visitor, begin: &str) -> String {
    let page = String::from_utf8_lossy(visitor.bytes()).into_owned();
    let after = page.split(&format!("href=\"{begin}")).nth(1).expect("a link");
    let id: String = after.chars().take(36).collect();
    format!("{begin}{id}")
}

/// A person of a household with a warning.
fn somebody_warned_of(visitor: &mut Visitor) -> String {
    let household = address(visitor.open("/warnings"), "/households/");
    address(visitor.open(&household), "/people/")
}

#[test]
fn each_step_of_a_warning_is_told_to_who_may_read_warnings() {
    County::on_both(|county| {
        county.populate();
        let mut bureau = county.sign_in(Role::HealthBureau);
        let person = somebody_warned_of(&mut bureau);
        bureau.open(&person).sees("本户因病返贫致贫预警：");
        bureau.open(&format!("{person}?kind=poverty_watch")).sees("本户因病返贫致贫预警：");
        let warning = address(bureau.open(&person), "/warnings/");
        bureau.open(&warning).tick("农户同意部门之间比对其家庭数据", true).press("核实有风险，报评议");
        bureau.open(&person).sees("办理人：示例 health_bureau");
        // A cadre reads of risk and money; a hospital desk does not read warnings.
        county.sign_in(Role::Cadre).open(&person).sees("本户因病返贫致贫预警：");
        county.sign_in(Role::CountyDesk).open(&person).does_not_see("本户因病返贫致贫预警：");
        assert_eq!(county.app.words.missing(), Vec::<String>::new());
    });
}

#[test]
fn what_was_put_right_by_hand_is_struck_out() {
    County::on_both(|county| {
        county.populate();
        let mut bureau = county.sign_in(Role::HealthBureau);
        let person = somebody_warned_of(&mut bureau);
        bureau.open(&person).follow("登记诊断");
        bureau
            .fill("诊断编码（ICD-10）", "M05.900")
            .fill("诊断名称", "类风湿")
            .fill("确诊日期", "2026-03-02");
        bureau.fill("确诊机构", "县人民医院").fill("依据或原因", "出院诊断证明").press("登记");
        bureau.sees("已登记诊断").sees("依据：出院诊断证明（示例 health_bureau 登记）");
        let there = String::from_utf8_lossy(bureau.bytes()).into_owned();
        assert!(!there.contains("<del>"), "something is struck out already");
        bureau.press("撤销");
        bureau.sees("已恢复").sees("诊断撤销：类风湿（M05.900）2026年3月2日确诊");
        let there = String::from_utf8_lossy(bureau.bytes()).into_owned();
        assert!(there.contains("<del>确诊：类风湿（M05.900）</del>"), "the fact is not struck out");
        assert_eq!(county.app.words.missing(), Vec::<String>::new());
    });
}
