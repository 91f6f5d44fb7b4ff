//! On leave: a colleague stands in, with the reach of who is away and under their own name, until the last day or until
//! somebody ends it.

use kangmai_acceptance::county::{COUNTY, County, TOWNSHIP, VILLAGE};
use kangmai_acceptance::visitor::Visitor;
use kangmai_access::Role;

const REGISTER: &str = "户编号,与户主关系,姓名,证件号码,户籍地区划代码,联系电话,参保状态,人群类别,认定日期\n\
    H0001,户主,示例王一,411722195001019915,411722001001,13900009901,居民,低保对象,2024-01-01\n";
const NEXT_VILLAGE: &str = "411722001002";

/// The address of the one person, who lives in [`VILLAGE`].
fn register(county: &County) -> String {
    let finished = county.import("register", "register.csv", REGISTER.as_bytes());
    assert_eq!(finished.summary.faulty, 0);
    let mut doctor = county.sign_in(Role::VillageDoctor);
    doctor.finds("/people").fill("姓名、首字母或号码", "示例王一").press("查找").follow("示例王一");
    doctor.path().split('?').next().unwrap_or_default().to_owned()
}

fn names<'v>(visitor: &'v mut Visitor, colleague: &str, from: &str, until: &str) -> &'v mut Visitor {
    visitor.fill("代班人", colleague).fill("第一天", from).fill("最后一天", until);
    visitor.fill("原因", "培训").press("安排")
}

#[test]
fn a_colleague_stands_in_for_some_days_under_their_own_name() {
    County::on_both(|county| {
        let person = register(county);
        county.employ(Role::VillageDoctor, "li", NEXT_VILLAGE);
        county.employ(Role::Cadre, "zhao", VILLAGE);
        let mut doctor = county.sign_in(Role::VillageDoctor);
        doctor.finds("/").follow("代班");
        // Whom the list does not offer cannot be named: another role, another county.
        let page = doctor.shown();
        assert!(page.contains("示例 li") && page.contains("示例 township_officer"), "{page}");
        assert!(!page.contains("示例 zhao") && !page.contains("other_village_doctor"), "{page}");
        names(&mut doctor, "示例 li · 村医", "2026-11-21", "2026-11-19").sees("结束日期不能早于开始日期");
        names(&mut doctor, "示例 li · 村医", "2026-11-19", "2026-11-22").sees("开始日期不能早于今天");
        names(&mut doctor, "示例 li · 村医", "2026-11-21", "2027-03-01").sees("一次代班最多 92 天");
        names(&mut doctor, "示例 li · 村医", "2026-11-21", "2026-11-22").sees("已安排");
        names(&mut doctor, "示例 li · 村医", "2026-11-22", "2026-11-25").sees("已经安排了代班");

        // Not before the first day.
        let mut colleague = county.sign_in_as("li");
        colleague.does_not_find(&person).finds("/").does_not_see("同事请您代班");
        colleague.finds("/delegations").sees("2026-11-21 – 2026-11-22");
        assert!(!colleague.can("开始代班"));

        county.clock.advance(24 * 3_600);
        let mut colleague = county.sign_in_as("li");
        colleague.finds("/").sees("1 位同事请您代班").follow("1 位同事请您代班").press("开始代班");
        colleague.sees("示例 li（代示例 village_doctor）").finds(&person).sees("示例王一");
        colleague.finds("/delegations").sees("您正在代示例 village_doctor工作");
        colleague.press("回到本人工作").does_not_find(&person);

        // What was read stands under the colleague's name.
        colleague.finds("/delegations").press("开始代班").finds(&person);
        county.sign_in(Role::Auditor).finds("/audit").sees("开始代班工作").sees("示例 li");

        // After the last day it is over within the same session.
        county.clock.advance(24 * 3_600 + 9 * 3_600);
        let mut colleague = county.sign_in_as("li");
        colleague.finds("/delegations").press("开始代班").finds(&person);
        county.clock.advance(20 * 60);
        colleague.finds(&person);
        county.clock.advance(15 * 3_600 - 20 * 60);
        let mut colleague = county.sign_in_as("li");
        colleague.does_not_find(&person).finds("/delegations").does_not_see("开始代班");
        assert_eq!(county.app.words.missing(), Vec::<String>::new());
    });
}

#[test]
fn whoever_ends_it_or_is_moved_takes_the_reach_away_within_the_session() {
    County::on_both(|county| {
        let person = register(county);
        county.employ(Role::VillageDoctor, "li", NEXT_VILLAGE);
        let begin = || {
            let mut doctor = county.sign_in(Role::VillageDoctor);
            doctor.finds("/delegations");
            names(&mut doctor, "示例 li · 村医", "2026-11-20", "2026-11-30").sees("已安排");
            let mut colleague = county.sign_in_as("li");
            colleague.finds("/delegations").press("开始代班").finds(&person);
            (doctor, colleague)
        };
        // Who is away comes back earlier.
        let (mut doctor, mut colleague) = begin();
        doctor.finds("/delegations").press("结束").sees("代班已结束").sees("没有人代班");
        colleague.does_not_find(&person);
        // Who stands in gives it back.
        let (_, mut colleague) = begin();
        colleague.finds("/delegations").press("不再代班").sees("代班已结束").does_not_find(&person);
        // Who is away is transferred by an administrator.
        let (_, mut colleague) = begin();
        let mut administrator = county.sign_in(Role::Administrator);
        administrator.finds("/accounts").follow("更改 示例 village_doctor").fill("地区", NEXT_VILLAGE);
        administrator.press("调整岗位");
        colleague.does_not_find(&person);
    });
}

#[test]
fn an_administrator_names_somebody_for_who_no_longer_can_and_who_watches_has_nobody_stand_in() {
    County::on_both(|county| {
        let person = register(county);
        county.employ(Role::VillageDoctor, "li", NEXT_VILLAGE);
        let mut administrator = county.sign_in(Role::Administrator);
        administrator.finds("/accounts").follow("更改 示例 village_doctor").follow("代班安排");
        let path = administrator.path().to_owned();
        names(&mut administrator, "示例 township_officer", "2026-11-20", "2026-11-21").sees("已安排");
        county.sign_in_as("other_administrator").does_not_find(&path);
        county.sign_in(Role::HealthBureau).does_not_find(&path);
        // The township sees the village anyway, and works there as its doctor.
        let mut township = county.sign_in(Role::TownshipOfficer);
        township.finds("/delegations").press("开始代班").finds(&person).sees("村医");
        for role in [Role::Administrator, Role::Auditor, Role::SecurityOfficer] {
            let mut watcher = county.sign_in(role);
            watcher.finds("/delegations").sees("没有同岗位的同事可以代班");
        }
        assert!(TOWNSHIP.starts_with(&COUNTY[..6]));
    });
}
