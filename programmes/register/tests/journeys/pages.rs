//! What each page shows to whom.

use axum::http::StatusCode;
use kangmai_access::{Actor, Role};
use kangmai_base::IdNumber;
use kangmai_database::DatabaseError;
use kangmai_people::{Person, Query, same_as, search};
use kangmai_record::{Source, rebuild, timeline};
use proptest::prelude::*;

use crate::county::{County, Somebody, day, on_both, place};

const HEAD: &str = "户编号,与户主关系,姓名,证件号码,出生日期,户籍地区划代码,家庭住址,联系电话,参保状态,人群类别,认定日期,退出日期,家庭年收入,收入年份\n";
const VILLAGE: &str = "411721107200";
const NEXT_VILLAGE: &str = "411721107201";

fn number(first_17: &str) -> String {
    IdNumber::with_checksum(first_17).expect("digits").as_str().to_owned()
}

fn given_a_register(county: &County) {
    let bureau =
        Actor { role: Role::HealthBureau, place: place("411721"), name: "示例".into(), ..Actor::system() };
    let (a, b, c) = (number("41172119500101991"), number("41172119520202992"), number("41172119600708993"));
    let csv = format!(
        "{HEAD}H1,户主,示例甲,{a},,{VILLAGE},3组12号,13900009901,城乡居民,边缘易致贫、低保,2019-12-31、2021-03-01,-、2024-01-01,32000,2025\n\
         H1,配偶,示例乙,{b},,{VILLAGE},,,城乡居民,,,,,\n\
         H2,户主,示例丁,,1960-07-08,{VILLAGE},,,未参保,,,,,\n\
         H7,户主,示例丁,{c},,{NEXT_VILLAGE},,13900009907,,脱贫,2020-01-01,,,\n"
    );
    let done = county.import("register", &bureau, &csv, false);
    assert_eq!((done.summary.new, done.summary.faulty), (4, 0));
}

fn find(county: &County, text: &str) -> Vec<Person> {
    let (query, places) = (Query::read(text).expect("a query"), place("411721").range());
    county.app.database.read_blocking(move |tx| search(tx, places, &query, 50)).expect("database")
}

fn path_of(county: &County, name: &str) -> String {
    format!("/people/{}", find(county, name)[0].id)
}

fn doctor(county: &County) -> Somebody<'_> {
    county.sign_in("doctor", Role::VillageDoctor, place(VILLAGE))
}

fn officer(county: &County) -> Somebody<'_> {
    county.sign_in("officer", Role::TownshipOfficer, place("411721107"))
}

#[test]
fn a_village_doctor_finds_somebody_by_what_they_say() {
    on_both(|county| {
        given_a_register(county);
        let doctor = doctor(county);
        let empty = doctor.get("/people");
        assert_eq!(empty.status, StatusCode::OK);
        assert!(empty.text().contains("/people/lists/marginal"));

        let to = doctor.post("/people", &[("q", "示例甲")]).location();
        assert!(
            to.starts_with("/people?found=") && to.is_ascii(),
            "it has an address, and no name in it: {to}"
        );
        let found = doctor.get(&to).text();
        assert!(found.contains("示例甲") && found.contains("边缘易致贫户") && !found.contains("示例乙"));
        assert!(found.contains("男，76 岁") && found.contains("4117**********"), "{found}");
        assert!(!found.contains(&number("41172119500101991")), "numbers are masked in lists");
        let broken =
            [to.replace("found=", "found=A"), format!("{to}A"), "/people?found=%E7%A4%BA".to_owned()];
        for path in broken {
            let page = doctor.get(&path);
            assert!(page.status == StatusCode::OK && !page.text().contains("示例甲"), "{path}");
        }

        let whole = doctor.post("/people", &[("q", &number("41172119500101991"))]);
        assert_eq!(whole.status, StatusCode::OK, "a whole number is answered without an address");
        assert!(whole.text().contains("示例甲"));
        let in_address = doctor.get(&format!("/people?q={}", number("41172119500101991")));
        assert_eq!(in_address.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(!in_address.text().contains("示例甲"));
        let by_phone = doctor.post("/people", &[("q", "139 0000 9901")]).text();
        assert!(by_phone.contains("示例甲"));
        assert!(doctor.get("/people?q=9907").text().contains("没有找到"), "another village");
        assert!(doctor.get_in_english("/people?q=slj").text().contains("aged 76"));
        let nothing = doctor.post("/people", &[("q", " ")]);
        assert_eq!(nothing.status, StatusCode::UNPROCESSABLE_ENTITY);
    });
}

#[test]
fn a_person_has_one_page_with_what_is_known_and_what_happened() {
    on_both(|county| {
        given_a_register(county);
        let (doctor, path) = (doctor(county), path_of(county, "示例甲"));
        let page = doctor.get(&path).text();
        for expected in [
            "示例甲",
            "边缘易致贫户 2019-12-31 起",
            "低保对象 2021-03-01 至 2024-01-01",
            "139****9901",
            "登记入册",
            "导入",
        ] {
            assert!(page.contains(expected), "{expected}");
        }
        assert!(!page.contains("13900009901") && !page.contains(&number("41172119500101991")), "{page}");
        assert!(!page.contains("更正登记信息"), "a village doctor does not keep the register");
        assert_eq!(doctor.get(&format!("{path}/correct")).status, StatusCode::NOT_FOUND);
        let english = doctor.get_in_english(&path).text();
        assert!(
            english.contains("On the margin of poverty since 2019-12-31") && english.contains("Registered")
        );
        assert!(doctor.get(&format!("{path}?source=typed")).text().contains("没有记录"));
        assert_eq!(audited(county, "read_person"), 3);

        let next = path_of(county, &number("41172119600708993"));
        assert_eq!(doctor.get(&next).status, StatusCode::NOT_FOUND, "another village");
        assert_eq!(doctor.get("/people/00000000-0000-0000-0000-000000000000").status, StatusCode::NOT_FOUND);
        assert_eq!(audited(county, "read_person"), 3, "what was not read leaves no line");

        let whole = doctor.post(&format!("{path}/numbers"), &[]);
        assert_eq!(whole.status, StatusCode::OK);
        let whole = whole.text();
        assert!(whole.contains("13900009901") && whole.contains(&number("41172119500101991")), "{whole}");
        assert_eq!(audited(county, "reveal_numbers"), 1);
        assert_eq!(doctor.post(&format!("{next}/numbers"), &[]).status, StatusCode::NOT_FOUND);
        assert_eq!(audited(county, "reveal_numbers"), 1, "what was not shown leaves no line");
        assert!(!doctor.get(&path).text().contains("13900009901"), "once");
    });
}

#[test]
fn a_household_shows_its_members() {
    on_both(|county| {
        given_a_register(county);
        let household = find(county, "示例甲")[0].body.household;
        let path = format!("/households/{household}");
        let doctor = doctor(county);
        let page = doctor.get(&path).text();
        for expected in
            ["示例甲户", "示例乙", "配偶", "3组12号", "32,000.00 元（2025 年）", "一户一档", "城乡居民医保"]
        {
            assert!(page.contains(expected), "{expected}");
        }
        assert!(doctor.get_in_english(&path).text().contains("Household of 示例甲"));
        assert_eq!(audited(county, "read_household"), 2);
        let other = county.sign_in("next", Role::VillageDoctor, place(NEXT_VILLAGE));
        assert_eq!(other.get(&path).status, StatusCode::NOT_FOUND);
        let administrator = county.sign_in("admin", Role::Administrator, place("411721"));
        assert_eq!(administrator.get(&path).status, StatusCode::NOT_FOUND);
        assert_eq!(administrator.get("/people").status, StatusCode::NOT_FOUND);
    });
}

#[test]
fn a_list_is_narrowed_exported_and_comes_back_unchanged() {
    on_both(|county| {
        given_a_register(county);
        let officer = officer(county);
        let list = officer.get("/people/lists/all").text();
        assert!(list.contains("共 4 条"), "{list}");
        assert!(officer.get(&format!("/people/lists/all?place={NEXT_VILLAGE}")).text().contains("共 1 条"));
        assert_eq!(officer.get("/people/lists/all?place=411722103203").status, StatusCode::NOT_FOUND);
        assert_eq!(officer.get("/people/lists/rich").status, StatusCode::NOT_FOUND);
        for label in ["marginal", "not_enrolled", "marked", "subsistence_allowance"] {
            let page = officer.get(&format!("/people/lists/{label}"));
            let expected = if label == "subsistence_allowance" { "名单里没有人" } else { "共 1 条" };
            assert!(page.text().contains(expected), "{label}");
            assert_eq!(officer.get_in_english(&format!("/people/lists/{label}")).status, StatusCode::OK);
        }
        let doctor = doctor(county);
        assert_eq!(doctor.get("/people/lists/all/export").status, StatusCode::NOT_FOUND);
        let file = officer.get("/people/lists/all/export");
        assert_eq!(file.status, StatusCode::OK);
        assert_eq!((audited(county, "export"), audited(county, "export_numbers")), (1, 0));
        let bureau = Actor { role: Role::HealthBureau, place: place("411721"), ..Actor::system() };
        let masked = county.import_bytes("register", &bureau, file.body, true);
        assert_eq!(masked.summary.faulty, 3, "masked numbers are none: {:?}", masked.summary);
        assert_eq!(doctor.post("/people/lists/all/export", &[]).status, StatusCode::NOT_FOUND);
        let file = officer.post("/people/lists/all/export", &[]);
        assert_eq!(file.status, StatusCode::OK);
        assert_eq!(audited(county, "export_numbers"), 1);
        let bureau = Actor {
            role: Role::HealthBureau,
            place: place("411721"),
            name: "示例".into(),
            ..Actor::system()
        };
        let done = county.import_bytes("register", &bureau, file.body, false);
        assert_eq!((done.summary.unchanged, done.facts), (4, 0), "{:?}", done.summary);
    });
}

#[test]
fn what_is_wrong_is_put_right_by_hand_and_what_it_was_stays() {
    on_both(|county| {
        given_a_register(county);
        let (officer, path) = (officer(county), path_of(county, "示例甲"));
        let correct = format!("{path}/correct");
        let asked = officer.get(&correct).text();
        assert!(asked.contains("139****9901") && !asked.contains("13900009901"), "{asked}");
        let wrong =
            officer.post(&correct, &[("phone", "123"), ("living", "无此地"), ("enrolment", "resident")]);
        assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(wrong.text().contains("没有这个地方"), "{}", wrong.text());
        let no_day = officer.post(&correct, &[("label", "marginal 2019-12-31")]);
        assert_eq!(no_day.status, StatusCode::UNPROCESSABLE_ENTITY);
        let ahead = [("label", "marginal 2019-12-31"), ("label_to", "2027-01-01")];
        assert_eq!(officer.post(&correct, &ahead).status, StatusCode::UNPROCESSABLE_ENTITY);

        county.clock.advance(60);
        let right = [
            ("phone", "13900009902"),
            ("living", NEXT_VILLAGE),
            ("enrolment", "resident"),
            ("label", "marginal 2019-12-31"),
            ("label_to", "2026-03-01"),
        ];
        let done = officer.post(&correct, &right);
        assert_eq!((done.status, done.location()), (StatusCode::SEE_OTHER, path.clone()));
        let page = officer.get(&path).text();
        for expected in ["登记信息变更", "139****9901 → 139****9902", "没有认定的人群类别"] {
            assert!(page.contains(expected), "{expected}: {page}");
        }
        let phone = |county: &County| {
            let person = find(county, "示例甲").remove(0);
            person.body.phone.map(|phone| phone.as_str().to_owned())
        };
        assert_eq!(phone(county).as_deref(), Some("13900009902"));
        county.clock.advance(60);
        officer.post(&correct, &[("enrolment", "resident"), ("living", NEXT_VILLAGE)]);
        assert_eq!(phone(county).as_deref(), Some("13900009902"), "nobody said otherwise");
        let person = find(county, "示例甲").remove(0);
        let reach = kangmai_access::reach(&officer.actor, kangmai_access::Purpose::FindPeople).unwrap();
        let subject = kangmai_record::Subject::person(person.id.uuid());
        let facts = county
            .app
            .database
            .read_blocking(move |tx| timeline(tx, &reach, subject, None, 10))
            .expect("database");
        assert_eq!(
            facts.iter().map(|fact| fact.new.source).collect::<Vec<_>>(),
            [Source::Typed, Source::Import]
        );
        assert_eq!(rebuild(&county.app.database, &county.app.record, true, |_| {}).expect("rebuilt"), []);
    });
}

#[test]
fn two_records_are_compared_decided_and_taken_back() {
    on_both(|county| {
        given_a_register(county);
        let officer = officer(county);
        let list = officer.get("/identity").text();
        assert!(list.contains("示例丁") && list.contains("待核对"));
        assert!(officer.get_in_english("/identity").text().contains("To compare"));
        let start = list.find("/identity/").unwrap();
        let pair = list[start..].split('"').next().unwrap().to_owned();
        let page = officer.get(&pair);
        assert!(page.text().contains(&number("41172119600708993")) && page.text().contains("不同"));
        assert_eq!(officer.get_in_english(&pair).status, StatusCode::OK);
        let without = officer.post(&pair, &[("act", "same")]);
        assert_eq!(without.status, StatusCode::UNPROCESSABLE_ENTITY, "a reason is wanted");
        let done = officer.post(&pair, &[("act", "same"), ("reason", "已入户见证件")]);
        assert_eq!(done.location(), "/identity");
        assert!(officer.get("/identity").text().contains("没有待核对的登记"));
        assert!(officer.get("/identity?state=same").text().contains("示例丁"));
        let ids: Vec<&str> = pair.split('/').collect();
        let alias: kangmai_base::Uuid = ids[2].parse().unwrap();
        let is_alias = || {
            let read = move |tx: &mut kangmai_database::Transaction<'_>| {
                Ok::<_, DatabaseError>(same_as(tx, kangmai_base::Id::from_uuid(alias))?.is_some())
            };
            county.app.database.read_blocking(read).expect("database")
        };
        assert!(is_alias());
        assert!(officer.get("/people/lists/all").text().contains("共 3 条"), "counted once");
        assert!(officer.get(&format!("/people/{}", ids[2])).text().contains("同一人的另一条登记"));
        assert!(officer.get(&format!("/people/{}", ids[3])).text().contains("同一人的其他登记"));
        assert!(officer.get(&pair).text().contains("撤销结论"));
        let undone = officer.post(&format!("{pair}/undo"), &[]);
        assert_eq!(undone.location(), pair);
        assert!(!is_alias());
        assert!(officer.get("/people/lists/all").text().contains("共 4 条"));
        officer.post(&pair, &[("act", "not_same"), ("reason", "两人都见到")]);
        assert!(!is_alias());
        assert!(officer.get("/identity?state=not_same").text().contains("示例丁"));
        assert_eq!(rebuild(&county.app.database, &county.app.record, true, |_| {}).expect("rebuilt"), []);

        let doctor = doctor(county);
        assert_eq!(doctor.get("/identity").status, StatusCode::NOT_FOUND);
        assert_eq!(doctor.get(&pair).status, StatusCode::NOT_FOUND);
        let other = county.sign_in("other", Role::TownshipOfficer, place("411721108"));
        assert_eq!(other.get(&pair).status, StatusCode::NOT_FOUND);
        assert_eq!(other.post(&pair, &[("act", "same"), ("reason", "x")]).status, StatusCode::NOT_FOUND);
    });
}

#[test]
fn who_keeps_the_register_sees_what_waits() {
    on_both(|county| {
        given_a_register(county);
        let due = kangmai_register::programme().due;
        let lines = |somebody: &Somebody<'_>| {
            let (app, actor) = (county.app.clone(), somebody.actor.clone());
            let read =
                move |tx: &mut kangmai_database::Transaction<'_>| due(tx, &app, &actor, day("2026-03-05"));
            let lines = county.app.database.read_blocking(read).expect("database");
            lines.into_iter().map(|line| (line.path, line.count)).collect::<Vec<_>>()
        };
        let expected = [("/identity".to_owned(), 1), ("/people/lists/marked".to_owned(), 1)];
        assert_eq!(lines(&officer(county)), expected);
        assert_eq!(lines(&doctor(county)), []);
    });
}

fn audited(county: &County, action: &str) -> usize {
    let reach = kangmai_access::reach(&Actor::system(), kangmai_access::Purpose::ReadAudit).unwrap();
    let rows = county
        .app
        .database
        .read_blocking(move |tx| kangmai_access::list_audit(tx, &reach, 0, 500))
        .expect("database");
    rows.iter().filter(|row| row.action == action).count()
}

/// Places in two townships of one county and in another county.
const PLACES: [&str; 6] =
    ["411721107200", "411721107201", "411721108200", "411722103203", "411722103205", "410102001002"];
const ACTORS: [(Role, &str); 7] = [
    (Role::VillageDoctor, "411721107200"),
    (Role::TownshipOfficer, "411721107000"),
    (Role::CountyDesk, "411721000000"),
    (Role::InsuranceClerk, "411722000000"),
    (Role::HealthBureau, "411721000000"),
    (Role::Cadre, "411721108000"),
    (Role::HealthBureau, "411700000000"),
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, max_shrink_iters: 0, ..ProptestConfig::default() })]
    #[test]
    fn nobody_sees_a_person_outside_their_place(people in prop::collection::vec((0..6_usize, 0..3_usize), 8..24)) {
        let county = County::new(kangmai_database::testing::FreshDatabase::sqlite().expect("a database"));
        let mut csv = HEAD.to_owned();
        let mut names = Vec::new();
        for (index, (at, label)) in people.iter().enumerate() {
            let name = format!("示例{}", char::from_u32(0x4E00 + u32::try_from(index).unwrap()).unwrap());
            let number = number(&format!("4117211950{:02}{:02}991", index / 28 + 1, index % 28 + 1));
            let label = ["低保", "脱贫", "边缘易致贫"][*label];
            csv.push_str(&format!("H{index},户主,{name},{number},,{},,,未参保,{label},2020-01-01,,,\n", PLACES[*at]));
            names.push((name, place(PLACES[*at])));
        }
        let done = county.import("register", &Actor::system(), &csv, false);
        prop_assert_eq!(done.summary.faulty, 0, "{:?}", done.faults);
        for (index, (role, at)) in ACTORS.iter().enumerate() {
            let somebody = county.sign_in(&format!("somebody{index}"), *role, place(at));
            let lists = ["all", "subsistence_allowance", "poverty_alleviated", "marginal", "not_enrolled"];
            let paths = lists.iter().map(|list| format!("/people/lists/{list}")).chain(["/people?q=%E7%A4%BA".into()]);
            let pages: String = paths.map(|path| somebody.get(&path).text()).collect();
            for (name, home) in &names {
                let within = place(at).contains(*home);
                prop_assert_eq!(pages.contains(name.as_str()), within, "{:?} at {} sees {} of {}", role, at, name, home);
                let person = somebody.get(&path_of_anywhere(&county, name));
                prop_assert_eq!(person.status == StatusCode::OK, within);
            }
        }
    }
}

fn path_of_anywhere(county: &County, name: &str) -> String {
    let (query, places) = (Query::read(name).expect("a query"), kangmai_base::DivisionCode::COUNTRY.range());
    let found =
        county.app.database.read_blocking(move |tx| search(tx, places, &query, 50)).expect("database");
    format!("/people/{}", found[0].id)
}
