//! Who lives elsewhere than registered: handed over, visited where they live, seen from home, counted once, and given back; across
//! counties called by telephone, and told where nobody is reached.

#![expect(clippy::expect_used, reason = "a test says what it needs")]

use kangmai_acceptance::county::County;
use kangmai_acceptance::visitor::Visitor;
use kangmai_access::{Actor, Purpose, Role, reach};
use kangmai_base::{Day, Uuid};
use kangmai_follow_up::enrol_all;
use kangmai_follow_up::store::{Side, VisitsWanted, Wanted, When, count, places};
use kangmai_residence::store::{Wanted as Handed, count as count_handed};

const THERE: &str = "411722002001";
const THERE_TOWNSHIP: &str = "411722002000";
const THIRD: &str = "411722003000";
const COUNTY: &str = "411722000000";

fn number(first_17: &str) -> String {
    kangmai_base::IdNumber::with_checksum(first_17).expect("a number").as_str().to_owned()
}

fn given(county: &County) {
    let (away, home, far) =
        (number("41172219750101991"), number("41172219620101992"), number("41172219710101991"));
    let register = format!(
        "户编号,与户主关系,姓名,证件号码,户籍地区划代码,现住地,参保状态\n\
        H0001,户主,示例外住,{away},411722001001,{THERE},居民\n\
        H0002,户主,示例在家,{home},411722001001,,居民\n\
        H0003,户主,示例远方,{far},411722001001,411723001001,居民\n"
    );
    let diagnoses = format!(
        "证件号码,姓名,诊断编码,诊断名称,确诊日期\n\
        {away},示例外住,I10.x00,原发性高血压,2026-09-05\n\
        {home},示例在家,I10.x00,原发性高血压,2026-09-05\n\
        {far},示例远方,I10.x00,原发性高血压,2026-09-05\n"
    );
    for (key, text) in [("register", register), ("diagnoses", diagnoses)] {
        let finished = county.import(key, &format!("{key}.csv"), text.as_bytes());
        assert_eq!((finished.summary.faulty, finished.parked), (0, 0), "{finished:?}");
    }
    let run = enrol_all(&county.app, county.app.today(), |_| {}).expect("a run");
    assert_eq!((run.people, run.enrolled), (3, 3), "{run:?}");
    county.employ(Role::VillageDoctor, "doctor_there", THERE);
    county.employ(Role::TownshipOfficer, "officer_there", THERE_TOWNSHIP);
    county.employ(Role::TownshipOfficer, "officer_third", THIRD);
    county.employ(Role::Cadre, "cadre_there", THERE_TOWNSHIP);
}

/// The address of a person.
fn person(visitor: &mut Visitor, name: &str) -> String {
    visitor.finds("/people").fill("姓名、首字母或号码", name).press("查找").follow(name);
    visitor.path().split('?').next().unwrap_or_default().to_owned()
}

fn visited(visitor: &mut Visitor, address: &str) {
    visitor.finds(&format!("{address}/visit")).fill("随访方式", "家庭").fill("高血压危急情况", "无");
    visitor.fill("药物不良反应", "无").fill("并发症", "无新发").fill("服药依从性", "规律");
    visitor.fill("收缩压", "138").fill("舒张压", "82").press("保存随访").sees("随访已保存");
}

/// What a place counts on a day: managed at home, to be visited, visits of the month, handed over, taken over.
fn counted(county: &County, place: &str, today: Day) -> [i64; 5] {
    let place = place.parse().expect("a place");
    let actor = Actor { role: Role::HealthBureau, place, ..Actor::system() };
    let within = reach(&actor, Purpose::ReadFollowUps).expect("reach");
    let month = VisitsWanted {
        from: today.plus_days(-40),
        to: today,
        author: None,
        ends: None,
        hour: None,
        satisfied: None,
    };
    let read = move |tx: &mut kangmai_database::Transaction<'_>| {
        let of = |side| Wanted { when: When::All, side, ..Wanted::default() };
        let handed = |side| Handed { side, state: Some(kangmai_residence::rules::State::InForce) };
        Ok::<_, kangmai_database::DatabaseError>([
            count(tx, &within, &of(Side::Home), today)?.listed,
            count(tx, &within, &of(Side::Work), today)?.listed,
            places(tx, &within, &month, today)?.values().map(|sum| sum.visits).sum(),
            count_handed(tx, &within, &handed(kangmai_residence::facts::Side::Home), today)?,
            count_handed(tx, &within, &handed(kangmai_residence::facts::Side::Living), today)?,
        ])
    };
    county.app.database.read_blocking(read).expect("counted")
}

/// Nobody is counted twice and nobody is left out: the townships come to the county.
fn adds_up(county: &County, expected: [[i64; 5]; 2]) {
    let today = county.app.today();
    let [home, there, third, all] =
        ["411722001000", THERE_TOWNSHIP, THIRD, COUNTY].map(|place| counted(county, place, today));
    assert_eq!([home, there], expected);
    for (index, whole) in all.into_iter().enumerate() {
        assert_eq!(home[index] + there[index] + third[index], whole, "the county's figure {index}");
    }
}

/// Home asks; gives the address of the person and of the hand-over.
fn asked(county: &County) -> (String, String) {
    let mut officer = county.sign_in(Role::TownshipOfficer);
    officer.finds("/residence/elsewhere").sees("示例外住").sees("示例远方").does_not_see("示例在家");
    officer.finds("/residence/elsewhere?where=beyond").does_not_see("示例外住").sees("电话随访");
    officer.finds("/residence/elsewhere?where=county").follow("申请移交");
    officer.press("提出申请").sees("待答复").sees("仍由户籍地随访");
    let hand_over = officer.path().to_owned();
    assert!(!officer.can("同意移交"), "who asks does not answer");
    let person = person(&mut officer, "示例外住");
    officer.sees("待答复").finds(&format!("{person}/hand-over")).press("提出申请");
    officer.sees("这个人已有一件没有结束的移交");
    (person, hand_over)
}

fn accepted(county: &County, hand_over: &str, from: Day) {
    let mut there = county.sign_in_as("officer_there");
    there.finds("/").follow("1件代管申请等您答复").finds(hand_over);
    there.fill("从哪天起由居住地随访", &from.plus_days(-9).to_string()).press("同意移交").sees("生效日要在");
    there.fill("从哪天起由居住地随访", &from.to_string()).press("同意移交").sees("已同意");
    there.finds("/").does_not_see("件代管申请等您答复");
}

#[test]
fn handed_over_visited_where_they_live_and_given_back() {
    County::on_both(|county| {
        given(county);
        adds_up(county, [[3, 3, 0, 0, 0], [0; 5]]);
        let (wang, hand_over) = asked(county);

        // Who is asked is told whom and why, and reaches nobody before saying yes; a third township finds nothing.
        let mut there = county.sign_in_as("officer_there");
        there.finds("/residence?side=living").sees("示例外住").sees("待答复").does_not_find(&wang);
        county.sign_in_as("officer_third").does_not_find(&hand_over);
        there.finds(&hand_over).fill("为什么不同意", "不").press("不同意").sees("请写明理由");
        let tomorrow = county.app.today().plus_days(1);
        accepted(county, &hand_over, tomorrow);
        county.sign_in_as("doctor_there").does_not_find(&wang);
        adds_up(county, [[3, 3, 0, 0, 0], [0; 5]]);

        // From its day on the place of living visits and signs; home sees all of it and is asked for the visit no more.
        county.clock.advance(24 * 3_600);
        adds_up(county, [[3, 2, 0, 1, 0], [0, 1, 0, 0, 1]]);
        let mut doctor = county.sign_in_as("doctor_there");
        doctor.finds("/follow-up?when=all").sees("示例外住").sees("外来·由").does_not_see("示例在家");
        doctor.finds(&wang).sees("户籍在别的乡镇，由本地代管").does_not_find(&format!("{wang}/hand-over"));
        visited(&mut doctor, &wang);
        doctor.finds(&format!("{wang}/agreements/sign")).sees("示例外住");
        let visit = doctor.finds(&wang).follow("2026-11-21").path().to_owned();
        county.sign_in_as("cadre_there").does_not_find(&wang);
        county.sign_in_as("officer_third").does_not_find(&wang);

        let mut home = county.sign_in(Role::VillageDoctor);
        home.finds("/follow-up?when=all").does_not_see("示例外住").sees("示例在家");
        home.finds("/follow-up?when=all&side=home").sees("示例外住");
        home.finds(&visit).sees("138 mmHg");
        adds_up(county, [[3, 2, 0, 1, 0], [0, 1, 1, 0, 1]]);
        let mut officer = county.sign_in(Role::TownshipOfficer);
        officer.finds("/residence/month").sees("代管 1 人，当月见到 1 人，未见到 0 人");
        officer.sees("2026-11-21 随访 示例 doctor_there").does_not_see("138");
        officer.finds("/residence/month?seen=no").sees("当月没有代管的人");
        officer.finds("/residence/month?month=2026-10").sees("代管 0 人");
        there.finds("/sign-in");
        county.sign_in_as("officer_there").finds("/residence/month?side=living").sees("当月见到 1 人");

        // What the facts come to stays so, and so does who reaches whom.
        let differs = kangmai_record::rebuild(&county.app.database, &county.app.record, true, |_| {});
        assert_eq!(differs.expect("rebuilt"), []);
        doctor.finds(&wang);

        // A visit that was taken back is no evidence.
        doctor.finds(&visit).press("撤销本次随访").sees("已撤销");
        officer.finds("/residence/month").sees("当月见到 0 人，未见到 1 人");
        visited(&mut doctor, &wang);

        // Ended by the place of living: home visits again, at once; the visit stays where it was made.
        let mut there = county.sign_in_as("officer_there");
        there.finds(&hand_over).press("结束代管").sees("请选择");
        there.fill("为什么结束", "回户籍地居住").press("结束代管").sees("今天起由户籍地随访");
        there.does_not_find(&wang);
        doctor.does_not_find(&wang).finds("/follow-up?when=all").does_not_see("示例外住");
        home.finds("/follow-up?when=all").sees("示例外住");
        assert_eq!(county.app.words.missing(), Vec::<String>::new());
    });
}

#[test]
fn a_new_registration_gives_back_and_who_lives_there_is_asked_for_by_name() {
    County::on_both(|county| {
        given(county);
        let (wang, hand_over) = asked(county);
        accepted(county, &hand_over, county.app.today());
        adds_up(county, [[3, 2, 0, 1, 0], [0, 1, 0, 0, 1]]);
        let id: Uuid = wang.rsplit('/').next().and_then(|id| id.parse().ok()).expect("an id");
        let mut doctor = county.sign_in_as("doctor_there");
        doctor.finds(&wang);
        // Within the township nothing changes; in another one it is over.
        county.move_home(id, "411722001002");
        adds_up(county, [[3, 2, 0, 1, 0], [0, 1, 0, 0, 1]]);
        county.move_home(id, "411722003001");
        doctor.does_not_find(&wang);
        let today = county.app.today();
        assert_eq!(counted(county, THIRD, today), [1, 1, 0, 0, 0]);
        county.sign_in(Role::TownshipOfficer).finds(&hand_over).sees("户籍迁到别的乡镇");

        // The place of living asks by number and name; a wrong name says nothing of who is there.
        let mut there = county.sign_in_as("officer_there");
        there.finds("/residence/ask").fill("身份证号", &number("41172219620101992"));
        there.fill("姓名", "示例错名").fill("住在我们的哪个村", "芦岗街道奎星楼社区").press("提出申请");
        there.sees("本县底册里没有这个身份证号和姓名的人");
        there.fill("姓名", "示例在家").press("提出申请").sees("待答复");
        let second = there.path().to_owned();
        let mut officer = county.sign_in(Role::TownshipOfficer);
        officer.finds("/residence?which=waiting").sees("示例在家").finds(&second);
        officer.fill("为什么不同意", "本人不愿意").press("不同意").sees("已答复不同意");
        there.finds(&second).sees("本人不愿意").sees("由户籍地继续随访");
        let differs = kangmai_record::rebuild(&county.app.database, &county.app.record, true, |_| {});
        assert_eq!(differs.expect("rebuilt"), []);
        assert_eq!(county.app.words.missing(), Vec::<String>::new());
    });
}

#[test]
fn across_counties_home_calls_and_says_who_is_not_reached() {
    County::on_both(|county| {
        given(county);
        let mut doctor = county.sign_in(Role::VillageDoctor);
        let far = person(&mut doctor, "示例远方");
        doctor.sees("跨县不移交，由户籍地电话随访");
        doctor.finds("/follow-up?when=all").sees("外出·现住");
        doctor.finds(&format!("{far}/visit")).sees("不在本县").press("联系不上");
        doctor.finds(&far).sees("联系不上 自2026年11月20日起 已0天");
        county.clock.advance(2 * 24 * 3_600);
        let mut doctor = county.sign_in(Role::VillageDoctor);
        doctor.finds(&format!("{far}/visit")).press("联系不上");
        doctor.finds("/follow-up?when=unreached").sees("示例远方").sees("自2026年11月20日起 已2天");
        doctor.does_not_see("示例在家");
        county.sign_in(Role::TownshipOfficer).finds("/residence/elsewhere?where=beyond").sees("起联系不上");
        // Whoever answers is reached.
        let mut doctor = county.sign_in(Role::VillageDoctor);
        visited(&mut doctor, &far);
        doctor.finds("/follow-up?when=unreached").does_not_see("示例远方");
        // A hand-over across counties is refused, whoever asks.
        let mut officer = county.sign_in(Role::TownshipOfficer);
        officer.finds(&format!("{far}/hand-over")).sees("现住外县");
        let differs = kangmai_record::rebuild(&county.app.database, &county.app.record, true, |_| {});
        assert_eq!(differs.expect("rebuilt"), []);
        assert_eq!(county.app.words.missing(), Vec::<String>::new());
    });
}
