//! A village doctor signs a household on a telephone: drawn on the screen, printed on paper, and what follows stands on the list.

use kangmai_acceptance::browser::Screen;
use kangmai_access::Role;

use super::{Day, nothing_went_wrong};

#[test]
fn a_household_is_signed_on_a_telephone_and_the_paper_has_it_all() {
    let Some(day) = Day::begins() else { return };
    let officer = day.sign_in(Role::TownshipOfficer);
    day.open(&officer, "/agreements/teams/new");
    officer.fill("团队名称", "示例一队");
    officer.fill("团队长", "示例 township_officer");
    officer.fill("团队长的角色", "乡镇卫生院医师");
    officer.click("建立团队");
    officer.wait_for("团队已建立");

    let mut page = day.sign_in(Role::VillageDoctor);
    page.screen(Screen::PHONE);
    page.click("家医签约");
    page.wait_for("没有这样的协议");
    day.open(&page, "/agreements/residents");
    page.wait_for("示例李三桥");
    page.click_beside("示例李三桥", "全户签约");
    page.wait_for("示例赵四妹");
    page.fill("签约团队", "示例一队");
    page.fill("代签人姓名", "示例李三桥");
    page.fill("与签约人关系", "户主");
    page.fill("纸质协议存放在哪里", "村卫生室");
    page.click("签约");
    page.wait_for("请确认签字人已同意");
    page.fill("签字人已阅读或听读上面的内容并同意", "yes");
    page.click("签约");
    page.wait_for("已签约 2 人");
    page.wait_for("全户 2 人，在约 2 人");

    // The paper is one sheet, both sides, with everything that the page has.
    page.click("家医签约");
    page.click("2026-11-20 至 2027-11-19");
    page.click("打印协议书");
    page.wait_for("家庭医生签约服务协议书");
    let printed = page.printed_text();
    for text in ["甲方（居民）", "乡镇卫生院医师", "每年 1 次", "村卫生室", "未定"] {
        assert!(printed.contains(text), "{text} is not on the paper: {printed}");
    }
    assert!(kangmai_acceptance::browser::Page::sheets_of(&page.print()) <= 2);
    nothing_went_wrong(&mut page);
}
