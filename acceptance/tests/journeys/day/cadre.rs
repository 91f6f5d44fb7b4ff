//! A cadre of agriculture and civil affairs: decides beside the health bureau, and reads of risk, not of illness.

use kangmai_access::Role;

use super::bureau::before_the_county;
use super::{Day, beside_field, nothing_went_wrong, wait_until};

#[test]
fn a_cadre_decides_without_reading_of_illness() {
    let Some(day) = Day::begins().map(Day::with_warnings) else { return };
    before_the_county(&day, "示例李三桥");
    let mut page = day.sign_in(Role::Cadre);
    page.click("因病返贫致贫预警");
    page.fill("范围", "该我办理");
    wait_until(&page, "the filter", |page| !page.shows("示例石大山"));
    page.click_beside("示例李三桥", "县级审定");
    page.wait_for("为什么预警");
    let shown = page.shown();
    for illness in ["脑梗", "I63", "诊断"] {
        assert!(!shown.contains(illness), "a cadre reads {illness}:\n{shown}");
    }
    page.click("不予纳入");
    page.click("审定");
    wait_until(&page, "the reason", |page| {
        beside_field(page, "审定理由（不予纳入必填）").contains("请写明情况")
    });
    page.fill("审定理由（不予纳入必填）", "已有低保，子女赡养");
    page.click("不予纳入");
    page.click("审定");
    page.wait_for("审定已登记。");
    assert!(page.shows("已办结") && !page.shows("已纳入，待反馈结果"), "not a step of it: {}", page.shown());
    let warning = page.address();

    // The other households of the county, seen by the village on its way.
    page.click("因病返贫致贫预警");
    assert!(page.shows("示例石大山") && !page.shows("示例李三桥"), "{}", page.shown());
    page.click("数据");
    page.wait_for("误报率");
    // The township reads the decision and its reason.
    let township = day.sign_in(Role::TownshipOfficer);
    township.open(&warning);
    township.wait_for("已有低保，子女赡养");
    township.wait_for("不予纳入");
    nothing_went_wrong(&mut page);
}
