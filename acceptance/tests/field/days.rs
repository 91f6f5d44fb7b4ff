//! The days of a village doctor whose network comes and goes.

use kangmai_acceptance::browser::{Browser, Link};
use kangmai_access::Role;

use crate::doctor::{PIN, Telephone, person_id, village};

#[test]
fn a_visit_without_a_network_survives_reload_and_kill_and_arrives() {
    let Some(browser) = Browser::launch() else { return };
    let county = village();
    let address = county.serve();
    let telephone = Telephone::of(&browser, &address, Role::VillageDoctor.key());
    assert!(!telephone.page.shows("示例赵三"), "who is ill in confidence is on no list");
    telephone.cuts();
    telephone.writes_visit("示例王一", "16898");
    assert!(telephone.page.shows("待上传 1"), "{}", telephone.page.shown());
    // The page is loaded again, without a network.
    telephone.opens(PIN);
    telephone.page.wait_for("待上传 1");
    // The tab is gone, and another opens, without a network.
    let telephone = telephone.killed_and_opened(Link::Cut);
    telephone.page.wait_for("待上传 1");
    telephone.goes_to("search");
    telephone.page.wait_for("姓名、拼音首字母或证件后四位");
    telephone.page.fill("姓名、拼音首字母或证件后四位", "slwy");
    telephone.page.wait_for("上次 168/98");
    telephone.is_linked();
    telephone.page.wait_for("1 条已上传");
    let wang = person_id(&county, "示例王一");
    county.sign_in(Role::VillageDoctor).finds(&format!("/people/{wang}")).sees("168/98");
    // The same person on the phone: what the server made of it is what the phone said.
    telephone.goes_to(&format!("person/{wang}"));
    telephone.page.wait_for("血压控制不满意或有不良反应");
    assert!(telephone.page.shows("168/98"));
}

#[test]
fn two_phones_with_one_person_come_to_the_same() {
    let Some(browser) = Browser::launch() else { return };
    let county = village();
    let address = county.serve();
    let doctor = Telephone::of(&browser, &address, Role::VillageDoctor.key());
    let officer = Telephone::of(&browser, &address, Role::TownshipOfficer.key());
    for telephone in [&doctor, &officer] {
        telephone.cuts();
    }
    doctor.writes_visit("示例王一", "16898");
    officer.writes_visit("示例王一", "13080");
    officer.writes_visit("示例李二", "12680");
    doctor.is_linked();
    doctor.page.wait_for("1 条已上传");
    officer.is_linked();
    // Two visits of one person on one day: somebody has to look at the second, and its doctor is told so.
    officer.page.wait_for("待乡镇处理");
    officer.page.wait_for("1 条已上传");
    assert!(officer.page.shows("已经有一次随访"), "{}", officer.page.shown());
    doctor.page.click("立即同步");
    let (wang, li) = (person_id(&county, "示例王一"), person_id(&county, "示例李二"));
    for telephone in [&doctor, &officer] {
        for (person, figures) in [(&wang, "168/98"), (&li, "126/80")] {
            telephone.goes_to(&format!("person/{person}"));
            telephone.page.wait_for(figures);
            assert!(!telephone.page.shows("130/80"), "{}", telephone.page.shown());
        }
    }
    // What is put right on one phone is right on the other.
    doctor.goes_to(&format!("person/{wang}"));
    doctor.page.wait_for("随访：高血压 168/98");
    doctor.page.click("随访：高血压 168/98");
    doctor.page.wait_for("更正");
    doctor.page.click("更正");
    doctor.page.wait_for("更正原因");
    doctor.page.fill("更正原因", "看错了一位");
    doctor.page.click("收缩压 168 mmHg");
    doctor.page.ask("for (let at = 0; at < 3; at++) document.querySelector('.key.act').click()");
    doctor.types("158");
    doctor.page.click("保存更正");
    doctor.page.wait_for("已保存");
    doctor.is_linked();
    doctor.page.wait_for("1 条已上传");
    officer.is_linked();
    officer.goes_to(&format!("person/{wang}"));
    officer.page.wait_for("158/98");
    // Every number came, each linked with the one before.
    let mut phones = county.sign_in(Role::TownshipOfficer);
    phones.finds("/phones").sees("2 条").does_not_see("接不上").does_not_see("缺第");
}

#[test]
fn a_danger_tells_the_steps_at_once_without_a_network() {
    let Some(browser) = Browser::launch() else { return };
    let county = village();
    let telephone = Telephone::of(&browser, &county.serve(), Role::VillageDoctor.key());
    telephone.cuts();
    telephone.visits("示例王一");
    telephone.types("18");
    assert!(!telephone.page.shows("立即转诊"), "18 is no pressure yet");
    telephone.types("5");
    // The third digit, and nothing more: the limit is the table's.
    for step in [
        "立即转诊：高血压（危急）",
        "收缩压 185 mmHg（界线 180）",
        "处理后立即转诊",
        "拨打 120",
        "2026年12月4日前随访转诊结果",
    ] {
        assert!(telephone.page.shows(step), "{step}:\n{}", telephone.page.shown());
    }
    // It is written down at once, whatever else was not asked.
    telephone.page.click("保存随访");
    telephone.page.wait_for("示例王一 2026年11月20日随访");
    telephone.page.wait_for("立即转诊：高血压（危急）");
    telephone.goes_to("today");
    telephone.page.wait_for("随访转诊结果 还有14天");
    // Taken back, it never was; and what is sent says both.
    telephone.page.click("撤销");
    telephone.page.wait_for("已撤销");
    assert!(!telephone.page.shows("随访转诊结果"), "{}", telephone.page.shown());
    telephone.is_linked();
    telephone.page.wait_for("2 条已上传");
    let wang = person_id(&county, "示例王一");
    county.sign_in(Role::VillageDoctor).finds(&format!("/people/{wang}")).sees("还没有随访过");
}

#[test]
fn what_cannot_be_is_asked_again_before_it_is_taken() {
    let Some(browser) = Browser::launch() else { return };
    let county = village();
    let telephone = Telephone::of(&browser, &county.serve(), Role::VillageDoctor.key());
    telephone.visits("示例王一");
    telephone.types("80120");
    telephone.page.click("保存随访");
    telephone.page.wait_for("舒张压应低于收缩压");
    telephone.visits("示例周四");
    telephone.types("12680126");
    telephone.page.click("保存随访");
    telephone.page.wait_for("126 像是按 mg/dL 读的数，换算为 7 mmol/L");
    telephone.page.wait_for("请填写");
    // Somebody who was not there is a record too.
    telephone.page.click("改约");
    telephone.page.click("3 天后");
    telephone.page.wait_for("已记下：示例周四，改约");
    assert!(telephone.page.shows("约定 2026-11-23"), "{}", telephone.page.shown());
    telephone.is_linked();
    telephone.page.wait_for("1 条已上传");
}

#[test]
fn ten_wrong_pins_shut_the_phone_and_signing_in_opens_it_with_all_that_waits() {
    let Some(browser) = Browser::launch() else { return };
    let county = village();
    let telephone = Telephone::of(&browser, &county.serve(), Role::VillageDoctor.key());
    telephone.cuts();
    telephone.writes_visit("示例王一", "13886");
    telephone.opens("000001");
    for left in (1..10).rev() {
        telephone.page.wait_for(&format!("还可以试 {left} 次"));
        telephone.page.fill("PIN", "000001");
    }
    telephone.page.wait_for("已锁定");
    // The right one opens nothing any more.
    assert_eq!(telephone.in_store("return card.share"), serde_json::json!(null));
    telephone.page.link(Link::Free);
    telephone.page.click("再试一次");
    telephone.page.wait_for("再输一次");
    telephone.chooses_pin("271828");
    telephone.page.wait_for("今日应访");
    telephone.is_linked();
    telephone.page.wait_for("1 条已上传");
    telephone.opens("271828");
    telephone.page.wait_for("今日应访");
}

#[test]
fn a_wiped_phone_sends_what_it_holds_and_keeps_nothing() {
    let Some(browser) = Browser::launch() else { return };
    let county = village();
    let telephone = Telephone::of(&browser, &county.serve(), Role::VillageDoctor.key());
    telephone.cuts();
    telephone.writes_visit("示例王一", "13886");
    county.sign_in(Role::TownshipOfficer).finds("/phones").press("清空").sees("已下令清空");
    telephone.is_linked();
    telephone.page.wait_for("已远程清除");
    let names = telephone.databases();
    assert_eq!(names, ["kangmai-field"], "the account's own is gone");
    // What it still held waits for somebody.
    county.sign_in(Role::TownshipOfficer).finds("/phones").sees("待核对");
    telephone.page.click("开始使用");
    telephone.page.wait_for("设置 PIN");
}

#[test]
fn two_tabs_a_damaged_household_and_forms_of_other_times_lose_nothing() {
    let Some(browser) = Browser::launch() else { return };
    let county = village();
    let address = county.serve();
    let telephone = Telephone::of(&browser, &address, Role::VillageDoctor.key());
    assert!(telephone.page.shows("手机时间"), "the county's clock stands still: {}", telephone.page.shown());
    let second = telephone.page.beside();
    second.open(&format!("{address}/field/"));
    second.wait_for("忘记 PIN");
    second.fill("PIN", PIN);
    second.wait_for("今日应访");
    for page in [&telephone.page, &second] {
        page.link(Link::Cut);
    }
    telephone.writes_visit("示例王一", "13886");
    second.wait_for("待上传 1");
    second.kill();
    // An entry of before the form had a number, and one of a later form.
    telephone.in_store(
        "const [kept] = await store.all('outbox');
        const { form, state, ...older } = kept;
        await store.write([{ room: 'outbox', put: older }, { room: 'outbox', put: { ...kept, sequence: 99, form: 7 } }]);",
    );
    // Households that do not open any more.
    telephone.in_store(
        "const ids = await store.keys('households');
        await store.write(ids.map((key) => ({ room: 'households', key, put: new Uint8Array(64) })));",
    );
    telephone.opens(PIN);
    telephone.page.wait_for("今日应访");
    telephone.is_linked();
    telephone.page.wait_for("1 条已上传");
    telephone.page.wait_for("新版本所写");
    let wang = person_id(&county, "示例王一");
    telephone.goes_to(&format!("person/{wang}"));
    telephone.page.wait_for("138/86");
}

#[test]
fn a_full_phone_says_so_and_what_is_to_be_sent_comes_first() {
    let Some(browser) = Browser::launch() else { return };
    let county = village();
    let telephone = Telephone::of(&browser, &county.serve(), Role::VillageDoctor.key());
    telephone.cuts();
    // The disk takes nothing into the outbox until the reserve is given up.
    telephone.page.ask(
        "const { Store, Full } = await import('/field/app/store.js');
        const { write } = Store.prototype;
        let isFull = true;
        Store.prototype.write = function (changes, expect) {
          if (changes.some((change) => change.remove === 'reserve')) isFull = false;
          const refused = isFull && changes.some((change) => change.room === 'outbox');
          return refused ? Promise.reject(new Full()) : write.call(this, changes, expect);
        };",
    );
    telephone.writes_visit("示例王一", "13886");
    telephone.page.wait_for("手机存储空间已满");
    telephone.page.wait_for("待上传 1");
    telephone.is_linked();
    telephone.page.wait_for("1 条已上传");
    // There is room again, and the reserve is taken anew.
    assert_eq!(
        telephone.in_store("return (await store.get('meta', 'reserve')).length"),
        serde_json::json!(512 * 1_024)
    );
    assert!(!telephone.page.shows("手机存储空间已满"), "{}", telephone.page.shown());
}

#[test]
fn a_phone_whose_clock_is_a_day_fast_says_so_and_writes_the_right_day() {
    let Some(browser) = Browser::launch() else { return };
    let county = village();
    let blank = browser.page();
    let phone_now = blank.ask("return Date.now()").as_i64().expect("a time") / 1_000;
    let server_now = county.app.clock.now().0 / kangmai_base::Moment::SECOND;
    county.clock.advance(phone_now - 86_400 - server_now);
    let telephone = Telephone::of(&browser, &county.serve(), Role::VillageDoctor.key());
    telephone.page.wait_for("手机时间快了 1 天");
    telephone.cuts();
    telephone.writes_visit("示例王一", "13886");
    // It is told without a network, too, and the visit is of the server's day.
    telephone.opens(PIN);
    telephone.page.wait_for("手机时间快了 1 天");
    telephone.is_linked();
    telephone.page.wait_for("1 条已上传");
    let wang = person_id(&county, "示例王一");
    let today = county.app.today().to_string();
    county.sign_in(Role::VillageDoctor).finds(&format!("/people/{wang}")).sees("138/86").sees(&today);
}
