//! An administrator: accounts are made, changed and closed; nothing of a resident is seen.

use kangmai_acceptance::browser::Page;
use kangmai_access::Role;

use super::{Day, beside_field, nothing_went_wrong, wait_until};

const OWN: &str = "the well behind the school";

/// The one-time password that the page shows: four groups of four, once.
fn one_time_on(page: &Page) -> String {
    page.wait_for("一次性密码，只在这里显示这一次");
    let is_group = |group: &str| group.len() == 4 && group.bytes().all(|sign| sign.is_ascii_alphanumeric());
    let is_secret = |word: &&str| word.len() == 19 && word.split('-').all(is_group);
    page.shown().split_whitespace().find(is_secret).expect("a one-time password").to_owned()
}

/// Who has a one-time password chooses their own before anything else.
fn chooses_own(page: &Page, one_time: &str, own: &str) {
    page.wait_for("先设一个只有自己知道的密码");
    page.fill("现在的密码", one_time);
    page.fill("自己的密码", own);
    page.fill("再输一次", own);
    page.click("修改密码");
}

#[test]
fn an_administrator_makes_moves_and_closes_an_account() {
    let Some(day) = Day::begins() else { return };
    let mut page = day.sign_in(Role::Administrator);
    page.click("账号");
    page.fill("登录名", "xincunyi");
    page.fill("姓名", "示例新村医");
    page.fill("岗位", "村医");
    page.fill("地区", "411723001001");
    page.click("新建");
    // Another county's village is refused; what was typed stays.
    wait_until(&page, "the place refused", |page| beside_field(page, "地区").contains("不在您的管理范围内"));
    page.fill("地区", "411722001001");
    page.click("新建");
    let first = one_time_on(&page);

    let newcomer = day.sign_in_as("xincunyi", &first);
    chooses_own(&newcomer, &first, OWN);
    newcomer.wait_for("老城社区");
    newcomer.click("居民查找");

    // Moved to the township: the session ends at once, and the new one has the new reach.
    page.click("账号");
    page.click_beside("xincunyi", "更改");
    page.fill("岗位", "乡镇卫生院");
    page.fill("地区", "411722001000");
    page.click("调整岗位");
    page.wait_for("账号已更改。");
    newcomer.open(&day.address);
    newcomer.wait_for("登录");
    let moved = day.sign_in_as("xincunyi", OWN);
    moved.wait_for("蔡都街道");
    moved.wait_for("身份核对");

    // A forgotten password is set anew, and the old one is none.
    page.click("重设密码");
    let second = one_time_on(&page);
    moved.open(&day.address);
    moved.fill("登录名", "xincunyi");
    moved.fill("密码", OWN);
    moved.click("登录");
    moved.wait_for("登录名或密码不对");
    moved.fill("密码", &second);
    moved.click("登录");
    chooses_own(&moved, &second, "the other well");
    moved.wait_for("身份核对");

    // Closed: nobody works with it any more.
    page.click("账号");
    page.click_beside("xincunyi", "停用");
    page.wait_for("已停用");
    moved.open(&day.address);
    moved.fill("登录名", "xincunyi");
    moved.fill("密码", "the other well");
    moved.click("登录");
    moved.wait_for("登录名或密码不对");
    // The auditor reads each step.
    let auditor = day.sign_in(Role::Auditor);
    auditor.click("审计");
    for step in ["新建账号", "调整岗位", "重设密码", "停用账号"] {
        auditor.wait_for(step);
    }
    nothing_went_wrong(&mut page);
}
