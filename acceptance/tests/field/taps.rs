//! How often a finger must touch the glass: counted, for `docs/burden.md`.

use kangmai_acceptance::browser::Browser;
use kangmai_access::Role;

use crate::doctor::{Telephone, person_id, village};

/// Seconds of a day.
const DAY_SECONDS: i64 = 86_400;

#[test]
fn a_visit_for_blood_pressure_is_one_tap_five_digits_and_one_tap() {
    let Some(browser) = Browser::launch() else { return };
    let county = village();
    let telephone = Telephone::of(&browser, &county.serve(), Role::VillageDoctor.key());
    // The first time everything is asked: the digits, an answer to each of four questions, and no more.
    telephone.page.ask("window.taps = 0; document.addEventListener('click', () => (window.taps += 1), true)");
    telephone.visits("示例王一");
    telephone.types("16898");
    telephone.answers_that_all_is_well();
    telephone.page.click("保存随访");
    telephone.page.wait_for("已保存");
    let taps =
        |telephone: &Telephone| telephone.page.ask("const all = window.taps; window.taps = 0; return all");
    // A tick set by a script is a touch too.
    assert_eq!(taps(&telephone), serde_json::json!(1 + 5 + 4 + 1), "the first visit");
    telephone.waits_for_sync();
    // Ten days later it is due, and nothing else has changed.
    county.clock.advance(10 * DAY_SECONDS);
    telephone.is_linked();
    telephone.page.wait_for("立即同步");
    telephone.goes_to("today");
    telephone.page.wait_for("还有4天");
    taps(&telephone);
    telephone.page.click_beside("示例王一", "随访");
    telephone.page.wait_for("下一项");
    for digit in ["1", "3", "8", "8", "6"] {
        telephone.page.click(digit);
    }
    telephone.page.click("保存，其余同上次");
    telephone.page.wait_for("已保存：示例王一，血压控制满意");
    assert_eq!(taps(&telephone), serde_json::json!(1 + 5 + 1), "one tap, five digits, one tap");
    telephone.waits_for_sync();
    // All that is asked was answered, and what it came to is the same on the server.
    let wang = person_id(&county, "示例王一");
    county.sign_in(Role::VillageDoctor).finds(&format!("/people/{wang}")).sees("138/86").sees("血压控制满意");
}
