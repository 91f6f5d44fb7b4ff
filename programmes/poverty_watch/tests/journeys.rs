//! The programme from its outside, on both databases: from a run of the watch to a household taken in, or let go.

#![expect(clippy::expect_used, reason = "a test says what it needs")]

mod county;

use axum::http::StatusCode;
use county::{County, VILLAGE, fen, on_each};
use kangmai_access::{Actor, Purpose, Role, reach};
use kangmai_base::{Fen, Id, Uuid};
use kangmai_database::DatabaseError;
use kangmai_people::{Enrolment, Label};
use kangmai_policy::{CostWindow, OwnCost};
use kangmai_poverty_watch::findings::{Level, What, window_start};
use kangmai_poverty_watch::programme;
use kangmai_poverty_watch::rules::{Outcome, Stage};
use kangmai_programme::{FigureValue, Looking};
use kangmai_web::{Language, Page, Preferences};

const TOWNSHIP: &str = "411722103";
const COUNTY: &str = "411722";

/// A household whose head bears 23,410.00 this year, over the line of 10,026.50 for the alleviated.
fn given_a_household_over_the_line(county: &County) -> Uuid {
    let people = [(1, "王示例", Some(Label::PovertyAlleviated)), (2, "李示例", None)];
    let household = county.household(1, VILLAGE, &people);
    county.bill(1, "2026-01-15", "20000.00", "4000.00");
    county.bill(1, "2026-02-10", "3410.00", "0.00");
    county.bill(2, "2025-06-10", "500.00", "100.00");
    household
}

fn when_the_watch_runs(county: &County) -> (u64, u64, u64, u64) {
    county.watch("2026-03-01")
}

fn path_of(county: &County, household: Uuid) -> String {
    format!("/warnings/{}", county.warnings(household)[0].id)
}

fn stage_of(county: &County, household: Uuid) -> (Stage, Option<Outcome>) {
    let row = &county.warnings(household)[0];
    (row.warning.stage, row.outcome)
}

#[test]
fn a_warning_says_why_and_its_evidence_sums_to_its_figure() {
    on_each(|county| {
        let household = given_a_household_over_the_line(county);
        assert_eq!(when_the_watch_runs(county), (1, 0, 0, 0));
        assert_eq!(when_the_watch_runs(county), (0, 0, 0, 1), "a second run of the day raises nothing");
        let row = county.warnings(household).remove(0);
        assert_eq!((row.level, row.warning.stage), (Level::Orange, Stage::Clue));
        let doctor = county.visitor(Role::VillageDoctor, VILLAGE);
        let (_, list) = doctor.get("/warnings");
        assert!(list.contains("今年以来自付 23,410.00 元，超过警戒线 10,026.50 元"), "{list}");
        assert!(list.contains("王示例") && list.contains("入户核实") && list.contains("还有5天"), "{list}");
        let (status, page) = doctor.get(&path_of(county, household));
        assert_eq!(status, StatusCode::OK);
        for part in
            ["沿用2023年收入数据", "23,910.00", "23,410.00", "19,410.00", "因病致贫认定线 20,053.00 元"]
        {
            assert!(page.contains(part), "no {part} in {page}");
        }
        assert_sums(county, household);
        county.rebuild_finds_nothing();
        county.lacks_no_word();
    });
}

/// Each figure of a warning is the sum of the bills that it keeps.
fn assert_sums(county: &County, household: Uuid) {
    let id = county.warnings(household)[0].id;
    let row = county
        .database()
        .read_blocking(move |tx| {
            let within = reach(&Actor::system(), Purpose::ReadWarnings).expect("may");
            kangmai_poverty_watch::store::warning(tx, &within, id)
        })
        .expect("read")
        .expect("a warning");
    for finding in &row.findings {
        let Some(measure) = &finding.measure else { continue };
        let first = window_start(measure.window, row.as_of);
        let bills = row.bills.iter().filter(|bill| {
            bill.on >= first
                && bill.on <= row.as_of
                && finding.person.is_none_or(|person| bill.person == person)
        });
        let cost = |bill: &kangmai_poverty_watch::facts::EvidenceBill| match measure.own_cost {
            OwnCost::All => bill.own.0,
            OwnCost::Compliant => bill.own.0 - bill.own_uncovered.0,
        };
        assert_eq!(measure.cost, Fen(bills.map(cost).sum()), "{finding:?}");
    }
    assert!(
        window_start(CostWindow::YearToDate, row.as_of)
            >= window_start(CostWindow::Rolling12Months, row.as_of)
    );
}

#[test]
fn from_the_village_by_the_township_to_the_county() {
    on_each(|county| {
        let household = given_a_household_over_the_line(county);
        when_the_watch_runs(county);
        let path = path_of(county, household);

        county.it_is("2026-03-03");
        let doctor = county.visitor(Role::VillageDoctor, VILLAGE);
        let township = county.visitor(Role::TownshipOfficer, TOWNSHIP);
        let bureau = county.visitor(Role::HealthBureau, COUNTY);
        assert!(!bureau.get(&path).1.contains("value=\"decide\""));
        let (status, to) = doctor.post(&path, "act=check&consent=1&note=%E5%85%A5%E6%88%B7");
        assert_eq!((status, to.as_str()), (StatusCode::SEE_OTHER, path.as_str()));
        let (status, page) = doctor.post(&path, "act=check&consent=1");
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "the same step again");
        assert!(page.contains("已不在这个环节") || page.contains("value=\"review\""), "{page}");
        assert_eq!(township.post(&path, "act=review&posted_on=2026-03-03").0, StatusCode::SEE_OTHER);
        assert_eq!(stage_of(county, household).0, Stage::Notice);

        let (status, page) = township.post(&path, "act=township&objections=no");
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(page.contains("公示未满5天，2026-03-08起才能初审"), "{page}");
        county.it_is("2026-03-08");
        let township = county.visitor(Role::TownshipOfficer, TOWNSHIP);
        let doctor = county.visitor(Role::VillageDoctor, VILLAGE);
        let refused = doctor.post(&path, "act=township&objections=no");
        assert_eq!(
            refused.0,
            StatusCode::UNPROCESSABLE_ENTITY,
            "a village doctor does not check for the township"
        );
        assert_eq!(township.post(&path, "act=township&objections=no").0, StatusCode::SEE_OTHER);

        let bureau = county.visitor(Role::HealthBureau, COUNTY);
        assert_eq!(bureau.post(&path, "act=decide&take_in=no").0, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(bureau.post(&path, "act=decide&take_in=yes&note=ok").0, StatusCode::SEE_OTHER);
        assert_eq!(stage_of(county, household), (Stage::Feedback, Some(Outcome::TakenIn)));
        assert_eq!(bureau.post(&format!("{path}/undo"), "").0, StatusCode::UNPROCESSABLE_ENTITY, "final");
        assert_eq!(
            bureau.post(&path, "act=feedback&note=%E5%B7%B2%E6%95%91%E5%8A%A9").0,
            StatusCode::SEE_OTHER
        );
        assert_eq!(stage_of(county, household), (Stage::Closed, Some(Outcome::TakenIn)));
        let (_, page) = bureau.get(&path);
        for part in [
            "入户核实",
            "村级评议",
            "张贴公示",
            "乡镇初审",
            "县级审定",
            "反馈结果",
            "农户已同意数据比对",
            "已救助",
        ] {
            assert!(page.contains(part), "no {part} in {page}");
        }
        let (_, page) = bureau.get_in(&path, "en");
        assert!(
            page.contains("Household of 王示例") && page.contains("over the line of 10,026.50 yuan"),
            "{page}"
        );
        county.rebuild_finds_nothing();
        county.lacks_no_word();
    });
}

#[test]
fn no_risk_takes_three_clicks_and_can_be_taken_back() {
    on_each(|county| {
        let household = given_a_household_over_the_line(county);
        when_the_watch_runs(county);
        let doctor = county.visitor(Role::VillageDoctor, VILLAGE);
        // Click one: the row's button. Click two: a reason. Click three: the form's button.
        let (_, list) = doctor.get("/warnings");
        let path = path_of(county, household);
        assert!(list.contains(&format!("href=\"{path}\"")));
        let (_, page) = doctor.get(&path);
        for reason in ["can_bear", "paid_by_others", "already_helped", "wrong_data", "gone", "other"] {
            assert!(page.contains(&format!("type=\"radio\" name=\"reason\" value=\"{reason}\"")), "{page}");
        }
        assert_eq!(doctor.post(&path, "act=dismiss").0, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(doctor.post(&path, "act=dismiss&reason=other").0, StatusCode::UNPROCESSABLE_ENTITY);
        let (status, to) = doctor.post(&path, "act=dismiss&reason=can_bear");
        assert_eq!((status, to.as_str()), (StatusCode::SEE_OTHER, "/warnings?whose=mine"));
        assert_eq!(stage_of(county, household), (Stage::Closed, Some(Outcome::NoRisk)));
        assert!(doctor.get("/warnings").1.contains("没有符合条件的预警"));
        assert!(doctor.get("/warnings?state=no_risk").1.contains("王示例"));
        assert!(doctor.get(&path).1.contains("家庭能够承担"));

        assert_eq!(doctor.post(&format!("{path}/undo"), "").0, StatusCode::SEE_OTHER);
        assert_eq!(stage_of(county, household), (Stage::Clue, None));
        assert_eq!(doctor.post(&format!("{path}/undo"), "").0, StatusCode::UNPROCESSABLE_ENTITY);
        county.rebuild_finds_nothing();
        county.lacks_no_word();
    });
}

#[test]
fn a_warning_grows_and_comes_back_only_with_news() {
    on_each(|county| {
        let household = given_a_household_over_the_line(county);
        when_the_watch_runs(county);
        county.bill(2, "2026-02-20", "1.00", "0.00");
        assert_eq!(county.watch("2026-03-02"), (0, 0, 1, 0), "more cost, not graver");
        county.bill(1, "2026-02-25", "1.00", "0.00");
        assert_eq!(county.watch("2026-03-02"), (0, 1, 0, 0), "the third stay makes it red");
        assert_eq!(county.warnings(household)[0].level, Level::Red);
        assert_eq!(county.warnings(household).len(), 1, "updated, not doubled");
        assert_sums(county, household);
        county.it_is("2026-03-02");
        let doctor = county.visitor(Role::VillageDoctor, VILLAGE);
        doctor.post(&path_of(county, household), "act=dismiss&reason=can_bear");
        assert_eq!(county.watch("2026-03-03"), (0, 0, 0, 0), "nothing new, nothing raised");
        county.bill(1, "2026-03-02", "100.00", "0.00");
        assert_eq!(county.watch("2026-03-03"), (0, 0, 0, 0), "a little more is no news");
        county.bill(1, "2026-03-03", "10000.00", "0.00");
        assert_eq!(county.watch("2026-03-03"), (1, 0, 0, 0), "a further line is");
        assert_eq!(county.warnings(household).len(), 2);
        county.rebuild_finds_nothing();
    });
}

#[test]
fn new_diseases_and_the_unenrolled_are_found_and_level_5_is_not_read() {
    on_each(|county| {
        let home = county.household(3, VILLAGE, &[(5, "赵示例", None), (6, "钱示例", Some(Label::Marginal))]);
        let secret = county.household(4, VILLAGE, &[(7, "孙示例", None)]);
        county.diagnosis(5, "胃恶性肿瘤", "2026-02-01", false);
        county.diagnosis(7, "不可显示的诊断", "2026-02-01", true);
        county.person(6, |body| body.enrolment = Some(Enrolment::NotEnrolled));
        assert_eq!(when_the_watch_runs(county), (1, 0, 0, 0));
        let whats: Vec<What> = county.warnings(home)[0].findings.iter().map(|found| found.what).collect();
        assert_eq!(whats, [What::NewMajor, What::Unenrolled]);
        assert_eq!(county.warnings(secret), []);
        let path = path_of(county, home);
        let doctor = county.visitor(Role::VillageDoctor, VILLAGE);
        let (_, page) = doctor.get(&path);
        assert!(page.contains("家庭成员新确诊大病") && page.contains("胃恶性肿瘤"), "{page}");
        let cadre = county.visitor(Role::Cadre, COUNTY);
        for page in [cadre.get(&path).1, cadre.get("/warnings").1] {
            assert!(page.contains("新的健康支出风险"), "{page}");
            assert!(
                !page.contains("确诊大病")
                    && !page.contains("患大病")
                    && !page.contains("肿瘤")
                    && !page.contains("X00"),
                "{page}"
            );
        }
        county.lacks_no_word();
    });
}

#[test]
fn nobody_outside_reach_sees_a_warning() {
    on_each(|county| {
        let household = given_a_household_over_the_line(county);
        when_the_watch_runs(county);
        let path = path_of(county, household);
        for (role, at) in [
            (Role::VillageDoctor, "411722103204"),
            (Role::TownshipOfficer, "411722104"),
            (Role::HealthBureau, "411723"),
            (Role::Cadre, "411723"),
            (Role::CountyDesk, COUNTY),
            (Role::Auditor, COUNTY),
            (Role::Administrator, COUNTY),
        ] {
            let visitor = county.visitor(role, at);
            assert_eq!(visitor.get(&path).0, StatusCode::NOT_FOUND, "{role:?} {at}");
            assert_eq!(visitor.get(&format!("{path}/notice")).0, StatusCode::NOT_FOUND, "{role:?} {at}");
            let (status, _) = visitor.post(&path, "act=dismiss&reason=can_bear");
            assert_eq!(status, StatusCode::NOT_FOUND, "{role:?} {at}");
            let (_, list) = visitor.get("/warnings?state=all&place=411722103203");
            assert!(!list.contains("王示例"), "{role:?} {at}");
        }
        // An insurance clerk looks and does nothing.
        let clerk = county.visitor(Role::InsuranceClerk, COUNTY);
        assert_eq!(clerk.get(&path).0, StatusCode::OK);
        assert_eq!(clerk.post(&path, "act=dismiss&reason=can_bear").0, StatusCode::NOT_FOUND);
        assert_eq!(stage_of(county, household).0, Stage::Clue);
    });
}

#[test]
fn the_village_notice_holds_no_forbidden_field() {
    on_each(|county| {
        let household = given_a_household_over_the_line(county);
        county.diagnosis(1, "胃恶性肿瘤", "2026-02-01", false);
        when_the_watch_runs(county);
        let path = path_of(county, household);
        let doctor = county.visitor(Role::VillageDoctor, VILLAGE);
        assert_eq!(doctor.get(&format!("{path}/notice")).0, StatusCode::NOT_FOUND, "nothing to post yet");
        doctor.post(&path, "act=check&consent=1");
        doctor.post(&path, "act=review&posted_on=");
        for language in ["zh", "en"] {
            let (status, page) = doctor.get_in(&format!("{path}/notice"), language);
            assert_eq!(status, StatusCode::OK);
            assert!(page.contains("王示例"));
            // Identity numbers and telephones as the register holds them, in whole or by their tails.
            for forbidden in
                ["41172219700501", "13800138", "8001", "肿瘤", "X00", "23,410", "20,000", "红色", "Red"]
            {
                assert!(!page.contains(forbidden), "{forbidden} in {page}");
            }
            let (_, printed) = page.split_once("print-head").expect("a head for print");
            let printed = printed.split_once("</main>").expect("an end").0;
            for word in ["病", "illness", "poverty_watch"] {
                assert!(!printed.contains(word), "{word} in {printed}");
            }
            let digits = page.split(|sign: char| !sign.is_ascii_digit()).map(str::len).max();
            assert!(digits.is_some_and(|longest| longest < 13), "a long number, perhaps an account");
        }
        let (_, page) = doctor.get(&format!("{path}/notice"));
        assert!(page.contains("2026年3月1日至2026年3月6日") && page.contains("公示期不少于5天"), "{page}");
        county.lacks_no_word();
    });
}

#[test]
fn what_is_due_and_how_well_warnings_do() {
    on_each(|county| {
        let household = given_a_household_over_the_line(county);
        let second = county.household(2, VILLAGE, &[(3, "周示例", Some(Label::Marginal))]);
        county.bill(3, "2026-02-10", "12000.00", "0.00");
        assert_eq!(when_the_watch_runs(county).0, 2);
        let due = |role: Role, at: &str, on: &str| -> Vec<(String, i64, i64)> {
            let actor = Actor { role, place: county::place(at), ..Actor::system() };
            let (app, on) = (county.app.clone(), county::day(on));
            let lines = county.database().read_blocking(move |tx| (programme().due)(tx, &app, &actor, on));
            let lines = lines.expect("due lines").into_iter();
            lines.map(|line| (line.word.to_owned(), line.count, line.late)).collect()
        };
        let line = |word: &str, count, late| (format!("poverty_watch.todo.{word}"), count, late);
        assert_eq!(due(Role::VillageDoctor, VILLAGE, "2026-03-01"), [line("clue", 2, 0)]);
        assert_eq!(due(Role::VillageDoctor, VILLAGE, "2026-03-07"), [line("clue", 2, 2)]);
        assert_eq!(due(Role::TownshipOfficer, TOWNSHIP, "2026-03-06"), []);
        assert_eq!(due(Role::TownshipOfficer, TOWNSHIP, "2026-03-07"), [line("others", 2, 2)]);
        assert_eq!(due(Role::InsuranceClerk, COUNTY, "2026-03-07"), []);
        let figures = |on: &str| -> Vec<FigureValue> {
            let (app, on) = (county.app.clone(), county::day(on));
            let values = county.database().read_blocking(move |tx| {
                let actor = Actor { place: county::place(COUNTY), ..Actor::system() };
                let within = reach(&actor, Purpose::ReadFigures).expect("may");
                programme().figures.iter().map(|figure| (figure.value)(tx, &app, &within, on)).collect()
            });
            values.map_err(|error: DatabaseError| error).expect("figures")
        };
        let ratio = |part, whole| FigureValue::Ratio { part, whole, money: false };
        let counts = |all: [i64; 4]| all.map(FigureValue::Count).to_vec();
        let none = || vec![ratio(0, 0), ratio(0, 0), FigureValue::Count(0)];
        assert_eq!(figures("2026-03-16"), [counts([2, 0, 2, 0]), none()].concat());
        assert_eq!(figures("2026-03-17")[4], ratio(0, 2), "the fifteenth day has passed");
        let doctor = county.visitor(Role::VillageDoctor, VILLAGE);
        doctor.post(&path_of(county, second), "act=dismiss&reason=paid_by_others");
        assert_eq!(figures("2026-03-16")[4..6], [ratio(1, 1), ratio(1, 1)]);
        let (_, page) = doctor.get("/warnings");
        assert!(page.contains("误报率") && page.contains("100.0%"), "{page}");
        // Each figure opens a list that holds it.
        let bureau = county.visitor(Role::HealthBureau, COUNTY);
        for figure in programme().figures {
            let path = figure.list.replace("{place}", "411722000000");
            assert_eq!(bureau.get(&path).0, StatusCode::OK, "{path}");
        }
        assert!(bureau.get("/warnings?level=orange&place=411722000000").1.contains("王示例"));
        assert!(!bureau.get("/warnings?level=red&place=411722000000").1.contains("王示例"));
        assert!(!bureau.get("/warnings?stage=county").1.contains("王示例"));
        assert!(!bureau.download("/warnings/export?state=all").is_empty());
        let _ = household;
        county.lacks_no_word();
    });
}

#[test]
fn a_person_and_a_household_show_own_cost_against_the_line() {
    on_each(|county| {
        let household = given_a_household_over_the_line(county);
        when_the_watch_runs(county);
        for (role, at, sees) in [
            (Role::VillageDoctor, VILLAGE, true),
            (Role::CountyDesk, COUNTY, true),
            (Role::HealthBureau, "411723", false),
        ] {
            for language in Language::ALL {
                let actor = Actor { role, place: county::place(at), ..Actor::system() };
                let app = county.app.clone();
                let said = county.database().read_blocking(move |tx| {
                    let preferences = Preferences { language, ..Preferences::default() };
                    let looking = Looking {
                        page: Page::new(app.words.clone(), preferences, "/"),
                        reach: reach(&actor, Purpose::FindPeople).expect("may"),
                        today: county::day("2026-03-01"),
                        actor,
                        app,
                    };
                    let person =
                        kangmai_people::find_person(tx, Id::from_uuid(Uuid::from_u128(1)))?.expect("one");
                    let home = kangmai_people::find_household(tx, Id::from_uuid(household))?.expect("one");
                    let people = kangmai_people::members(tx, home.id)?;
                    let whole = (programme().household.expect("one"))(tx, &looking, &home, &people)?;
                    let one = (programme().person.expect("one"))(tx, &looking, &person)?;
                    Ok::<_, DatabaseError>(
                        one.zip(whole).map(|(one, whole)| format!("{}{}", one.body, whole.body)),
                    )
                });
                let said = said.expect("sections");
                assert_eq!(said.is_some(), sees, "{role:?} {at}");
                let Some(said) = said else { continue };
                for part in ["23,410.00", "19,410.00", "23,910.00", "10,026.50", "<svg"] {
                    assert!(said.contains(part), "no {part} in {said}");
                }
                assert_eq!(said.contains("/warnings/"), role == Role::VillageDoctor);
            }
        }
        assert_eq!(fen("1.00"), Fen::yuan(1));
        county.lacks_no_word();
    });
}
