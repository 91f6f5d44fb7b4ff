//! An administrator: accounts are made, changed and closed; nothing of a resident is seen.

use kangmai_access::Role;

use crate::{Day, beside_field, nothing_went_wrong, wait_until};

const FIRST: &str = "three-words-for-a-start";
const SECOND: &str = "three-other-words-later";

#[test]
fn an_administrator_makes_moves_and_closes_an_account() {
    let Some(day) = Day::begins() else { return };
    let mut page = day.sign_in(Role::Administrator);
    page.click("账号");
    page.fill("登录名", "xincunyi");
    page.fill("姓名", "示例新村医");
    page.fill("岗位", "村医");
    page.fill("地区", "411723001001");
    page.fill("初始密码", "short");
    page.click("新建");
    // Another county's village is refused, and so is a short password; what was typed stays, but for the password.
    wait_until(&page, "the place refused", |page| beside_field(page, "地区").contains("不在您的管理范围内"));
    page.fill("地区", "411722001001");
    page.fill("初始密码", "short");
    page.click("新建");
    wait_until(&page, "the password refused", |page| beside_field(page, "初始密码").contains("至少"));
    page.fill("初始密码", FIRST);
    page.click("新建");
    page.wait_for("账号已建立。");

    let newcomer = day.sign_in_as("xincunyi", FIRST);
    newcomer.wait_for("老城社区");
    newcomer.click("居民查找");

    // Moved to the township: the session ends at once, and the new one has the new reach.
    page.click_beside("xincunyi", "更改");
    page.fill("岗位", "乡镇卫生院");
    page.fill("地区", "411722001000");
    page.click("调整岗位");
    page.wait_for("账号已更改。");
    newcomer.open(&day.address);
    newcomer.wait_for("登录");
    let moved = day.sign_in_as("xincunyi", FIRST);
    moved.wait_for("蔡都街道");
    moved.wait_for("身份核对");

    // A forgotten password is set anew, and the old one is none.
    page.fill("新密码", "short");
    page.click("重设密码");
    wait_until(&page, "the password refused", |page| beside_field(page, "新密码").contains("至少"));
    page.fill("新密码", SECOND);
    page.click("重设密码");
    page.wait_for("账号已更改。");
    moved.open(&day.address);
    moved.fill("登录名", "xincunyi");
    moved.fill("密码", FIRST);
    moved.click("登录");
    moved.wait_for("登录名或密码不对");
    moved.fill("密码", SECOND);
    moved.click("登录");
    moved.wait_for("身份核对");

    // Closed: nobody works with it any more.
    page.click("账号");
    page.click_beside("xincunyi", "停用");
    page.wait_for("已停用");
    moved.open(&day.address);
    moved.fill("登录名", "xincunyi");
    moved.fill("密码", SECOND);
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
