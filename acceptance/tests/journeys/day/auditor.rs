//! An auditor: who read what, and the money; no person's page.

use kangmai_access::Role;

use super::{Day, nothing_went_wrong};

#[test]
fn an_auditor_reads_who_did_what() {
    let Some(day) = Day::begins().map(Day::with_warnings) else { return };
    let doctor = day.sign_in(Role::VillageDoctor);
    doctor.click("居民查找");
    doctor.fill("姓名、首字母或号码", "示例王二河");
    doctor.click("查找");
    doctor.click("示例王二河");
    doctor.wait_for("登记入册");
    let person = doctor.address();
    // Somebody tries a password that is none.
    let stranger = day.sign_in_as(Role::Cadre.key(), "not-the-password");
    stranger.wait_for("登录名或密码不对");

    let mut page = day.sign_in(Role::Auditor);
    page.click("审计");
    page.wait_for("查看个人页");
    assert!(page.shows("示例 village_doctor") && page.shows("村医"), "{}", page.shown());
    page.wait_for("被拒绝");
    // The trail names the record by its number, and that is all that an auditor gets of it.
    let number = person.rsplit('/').next().expect("an identifier");
    page.wait_for(number);
    page.open(&person);
    page.wait_for("没有找到");
    assert!(!page.shows("示例王二河"), "{}", page.shown());

    // Money adds up from the figure to the bills behind it.
    day.open(&page, "/figures");
    page.click_beside("医疗总费用", "240,000.00");
    page.wait_for("共 3 条");
    page.fill("出院日期从", "2026-11-01");
    page.wait_for("没有结算单");
    page.click("清除筛选");
    page.wait_for("共 3 条");
    page.click_beside("90,000.00", "查看");
    page.wait_for("医疗费用一站式结算单");
    // Reading it left a line, the auditor's own.
    page.click("审计");
    page.wait_for("W-1");
    nothing_went_wrong(&mut page);
}
