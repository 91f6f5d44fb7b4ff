//! A village doctor: what waits is taken up on the telephone, one household let go, one brought before the village.

use kangmai_acceptance::browser::Screen;
use kangmai_access::Role;

use super::{Day, beside_field, nothing_went_wrong};

#[test]
fn a_village_doctor_checks_the_households_of_the_village() {
    let Some(day) = Day::begins().map(Day::with_warnings) else { return };
    let mut page = day.sign_in(Role::VillageDoctor);
    page.screen(Screen::PHONE);
    page.wait_for("6 项待办");
    page.click("3 户预警待入户核实");

    // The first household: no risk, but "other" wants a word of explanation.
    page.click_beside("示例石大山", "入户核实");
    page.wait_for("为什么预警");
    page.click("其他（请说明）");
    page.click("确认无风险");
    page.wait_for("有问题，请改正后再提交");
    assert!(beside_field(&page, "补充说明").contains("请写明情况"), "{}", page.shown());
    page.fill("补充说明", "子女已在外地付清，家里没有借款");
    page.click("确认无风险");
    page.wait_for("已办结：无风险。");
    // It was the wrong household: taken back at once, and let go for the right reason.
    page.click("撤销");
    page.wait_for("已撤销上一步。");
    page.click("费用已由商业保险、责任方或社会救助承担");
    page.click("确认无风险");
    page.wait_for("已办结：无风险。");

    // The second: the doctor was there, and the household agrees to have its data compared.
    page.click("因病返贫致贫预警");
    page.click_beside("示例王二河", "入户核实");
    page.fill("农户同意部门之间比对其家庭数据", "yes");
    page.fill("入户看到的情况", "住院欠款三万元，家中无劳动力");
    page.click("核实有风险，报评议");
    page.wait_for("已核实，转村级评议。");

    // The person's own page, found by what the patient says, tells of both.
    page.click("首页");
    page.fill("找人：姓名、拼音首字母、证件或电话后四位", "示例王二河");
    page.click("查找");
    page.click("示例王二河");
    page.wait_for("因病致贫风险");

    // What is left of the day; the township sees the same, and the closed one is not asked for again.
    page.click("首页");
    page.wait_for("1 户待村级评议");
    page.wait_for("1 户预警待入户核实");
    let township = day.sign_in(Role::TownshipOfficer);
    township.click("因病返贫致贫预警");
    assert!(township.shows("待村级评议") && !township.shows("示例石大山"), "{}", township.shown());
    township.click_beside("示例王二河", "查看");
    township.wait_for("住院欠款三万元，家中无劳动力");
    nothing_went_wrong(&mut page);
}
