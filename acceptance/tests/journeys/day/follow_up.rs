//! A village doctor's visit on a telephone: one sheet, five digits, a danger in words, and the paper.

use kangmai_acceptance::browser::Screen;
use kangmai_access::Role;
use kangmai_follow_up::enrol_all;

use super::{Day, nothing_went_wrong};

const DIAGNOSES: &str = "证件号码,姓名,诊断编码,诊断名称,确诊日期
411722196203089916,示例石大山,I10.x00,原发性高血压,2026-02-05
411722195501019911,示例王二河,I10.x00,原发性高血压,2026-02-05
411722195501019911,示例王二河,E11.900,2型糖尿病,2026-02-05
";

#[test]
fn a_village_doctor_visits_and_knows_what_follows() {
    let Some(day) = Day::begins() else { return };
    let finished = day.county.import("diagnoses", "diagnoses.csv", DIAGNOSES.as_bytes());
    assert_eq!((finished.summary.faulty, finished.parked), (0, 0), "{finished:?}");
    let since = day.county.app.today().plus_days(-120);
    enrol_all(&day.county.app, since, |_| {}).expect("a run");
    let mut page = day.sign_in(Role::VillageDoctor);
    page.screen(Screen::PHONE);
    page.wait_for("2 人应随访");
    page.click("2 人应随访");
    page.wait_for("首次随访 逾期");

    // One sheet for two diseases; the two figures the wrong way round are seen at once.
    page.click_beside("示例王二河", "随访");
    page.wait_for("一张表：高血压、2型糖尿病");
    page.fill("收缩压", "82");
    page.fill("舒张压", "138");
    page.click("保存随访");
    page.wait_for("两个数是不是填反了");
    page.fill("收缩压", "188");
    page.fill("舒张压", "104");
    page.click("保存随访");
    page.wait_for("立即转诊：高血压（危急）");
    page.wait_for("收缩压 188 mmHg（界线 180）");
    page.wait_for("120");

    // The paper that the patient takes along.
    page.click("打印记录表：高血压");
    page.wait_for("高血压患者随访服务记录表");
    assert!(page.printed_text().contains("188/104"), "{}", page.printed_text());
    assert_eq!(kangmai_acceptance::browser::Page::sheets_of(&page.print()), 1);

    // The other one works away: one press.
    page.click("今日应访");
    page.click_beside("示例石大山", "随访");
    page.click("外出务工");
    page.wait_for("已记下：外出务工");
    page.click("今日应访");
    page.wait_for("未见到1次：外出务工");
    let shown = page.shown();
    let (danger, late) = (shown.find("示例王二河"), shown.find("示例石大山"));
    assert!(danger < late, "who is in danger comes first: {shown}");
    nothing_went_wrong(&mut page);
}
