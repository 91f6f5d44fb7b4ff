//! The county's health bureau: it decides about a household, and sees it in its figures.

use kangmai_access::Role;

use super::{Day, beside_field, checked_at_home, nothing_went_wrong, wait_until};

/// Another role has taken the warning of `head` as far as the county.
pub(crate) fn before_the_county(day: &Day, head: &str) {
    checked_at_home(day, head);
    let page = day.sign_in(Role::TownshipOfficer);
    page.click("因病返贫致贫预警");
    page.click_beside(head, "查看");
    page.fill("公示张贴日期", "2026-11-20");
    page.click("评议通过");
    page.wait_for("评议已登记。");
    day.county.clock.advance(5 * 86_400);
    let page = day.sign_in(Role::TownshipOfficer);
    page.click("因病返贫致贫预警");
    page.click_beside(head, "乡镇初审");
    page.click("公示无异议");
    page.click("初审通过，报县级");
    page.wait_for("初审已登记，转县级审定。");
}

#[test]
fn the_health_bureau_decides_and_feeds_back() {
    let Some(day) = Day::begins().map(Day::with_warnings) else { return };
    before_the_county(&day, "示例李三桥");
    let mut page = day.sign_in(Role::HealthBureau);
    page.click("1 户待县级审定");
    page.click_beside("示例李三桥", "县级审定");
    // The bureau reads the diagnosis; to refuse, it has to say why.
    page.wait_for("脑梗死");
    page.click("不予纳入");
    page.click("审定");
    wait_until(&page, "the reason", |page| {
        beside_field(page, "审定理由（不予纳入必填）").contains("请写明情况")
    });
    page.click("纳入监测帮扶");
    page.fill("审定理由（不予纳入必填）", "同意纳入，落实低保渐退和慢病签约");
    page.click("审定");
    page.wait_for("审定已登记。");
    assert!(!page.shows("撤销上一步"), "the county's decision is final: {}", page.shown());
    let warning = page.address();
    page.fill("帮扶措施和结果", "已落实大病救治和临时救助");
    page.click("办结");
    page.wait_for("结果已反馈，办结。");

    // Its figure opens the list that it counts.
    page.click("数据");
    page.click_beside("预警后纳入", "1");
    page.wait_for("示例李三桥");
    // The village doctor reads how it ended.
    let doctor = day.sign_in(Role::VillageDoctor);
    doctor.open(&warning);
    doctor.wait_for("纳入监测帮扶");
    assert!(doctor.shows("已落实大病救治和临时救助") && doctor.shows("已办结"), "{}", doctor.shown());
    nothing_went_wrong(&mut page);
}
