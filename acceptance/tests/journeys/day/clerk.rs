//! A clerk of the county's insurance: bills come in from the fund's system, one of them with another amount than before.

use kangmai_acceptance::browser::Page;
use kangmai_access::Role;

use super::{Day, nothing_went_wrong};

const HEAD: &str = "结算单号,证件号码,姓名,医疗机构代码,入院日期,出院日期,就诊类型,诊断编码,诊断名称,总费用,合规费用,是否转诊,更正";

fn sheet(rows: &[&str]) -> Vec<u8> {
    format!("{HEAD}\n{}\n", rows.join("\n")).into_bytes()
}

const FIRST: &str = "N-1,411722196203089916,示例石大山,H41172200901,2026-10-02,2026-10-12,住院,J18.900,肺炎,20000.00,18000.00,是,";
const SECOND: &str = "N-2,411722195501019911,示例王二河,H41172200901,2026-10-03,2026-10-13,住院,J18.900,肺炎,12000.00,12000.00,是,";
const UNKNOWN: &str = "N-3,411722194505059959,示例无名氏,H41172200901,2026-10-04,2026-10-14,住院,J18.900,肺炎,5000.00,5000.00,是,";

fn begin_import(page: &Page) {
    page.click("导入");
    page.click("医疗费用结算清单");
}

#[test]
fn an_insurance_clerk_imports_bills_and_clears_a_doubt() {
    let Some(day) = Day::begins() else { return };
    let mut page = day.sign_in(Role::InsuranceClerk);
    begin_import(&page);
    day.preview(&page, "十月.csv", &sheet(&[FIRST, SECOND, UNKNOWN]));
    assert!(page.shows("名册中没有这个人"), "{}", page.shown());
    // A preview is no import.
    page.click("放弃");
    page.click("结算单");
    page.wait_for("没有结算单");
    begin_import(&page);
    day.preview(&page, "十月.csv", &sheet(&[FIRST, SECOND, UNKNOWN]));
    day.confirm(&page, "导入 2 行");

    // The fund sends the first bill again with another amount: it is held, not overwritten.
    let other = FIRST.replace("20000.00", "21000.00");
    begin_import(&page);
    day.preview(&page, "更正.csv", &sheet(&[&other]));
    assert!(page.shows("单号已在系统中，原总费用 20,000.00 元，本行 21,000.00 元"), "{}", page.shown());
    assert!(!page.shows("导入 1 行"), "{}", page.shown());
    page.click("结算单");
    page.wait_for("20,000.00");
    assert!(!page.shows("21,000.00"), "{}", page.shown());
    // The hospital confirms the new amount: the row says that it corrects.
    begin_import(&page);
    day.preview(&page, "更正.csv", &sheet(&[&format!("{other}是")]));
    day.confirm(&page, "导入 1 行");
    page.click("结算单");
    let printed = page.printed_text();
    assert!(
        printed.contains("21,000.00") && !printed.contains("操作"),
        "a column of links is printed:\n{printed}"
    );
    page.click_beside("21,000.00", "查看");
    page.wait_for("医疗费用一站式结算单");
    assert!(page.shows("21,000.00"), "{}", page.shown());
    let buttons = page
        .ask("return [...document.querySelectorAll('main a, main button')].map(e => e.textContent.trim())");
    assert!(!buttons.to_string().contains("作废"), "a clerk does not cancel: {buttons}");
    let statement = page.address();

    // The rules that it was settled by, and their source.
    page.click("政策");
    page.wait_for("豫政办〔2016〕194号");

    // The auditor reads the same statement.
    let auditor = day.sign_in(Role::Auditor);
    auditor.open(&statement);
    auditor.wait_for("21,000.00");
    nothing_went_wrong(&mut page);
}
