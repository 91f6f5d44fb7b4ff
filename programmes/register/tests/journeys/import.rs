//! A register comes in, and comes in again: on both databases.

use crate::county::{County, day, on_both, place};
use kangmai_access::{Actor, Role};
use kangmai_base::{Day, IdNumber};
use kangmai_people::{
    Label, Person, Query, count_people, find_household, find_household_by_number, members, search,
};
use kangmai_record::rebuild;

const HEAD: &str = "户编号,与户主关系,姓名,证件号码,出生日期,户籍地区划代码,家庭住址,联系电话,参保状态,人群类别,认定日期,退出日期,死亡日期,家庭年收入,收入年份\n";
const VILLAGE: &str = "411721107200";

fn number(first_17: &str) -> String {
    IdNumber::with_checksum(first_17).expect("digits").as_str().to_owned()
}

/// The county's health bureau.
fn bureau() -> Actor {
    Actor { role: Role::HealthBureau, place: place("411721"), name: "示例".into(), ..Actor::system() }
}

fn register() -> String {
    let (a, b) = (number("41172119500101991"), number("41172119520202992"));
    format!(
        "{HEAD}H1,户主,示例甲,{a},,{VILLAGE},3组12号,13900009901,城乡居民,脱贫人口、低保,2019-12-31、2021-03-01,,,32000,2025\n\
         H1,配偶,示例乙,{b},,{VILLAGE},,,城乡居民,,,,,,\n\
         H1,父母,示例丙,,1931-05-06,{VILLAGE},,,,特困,,,,,\n\
         H2,户主,示例丁,,1960-07-08,{VILLAGE},,,未参保,,,,,,\n"
    )
}

fn find(county: &County, text: &str) -> Vec<Person> {
    let (query, places) = (Query::read(text).expect("a query"), place("411721").range());
    county.app.database.read_blocking(move |tx| search(tx, places, &query, 50)).expect("database")
}

#[test]
fn a_register_comes_in_and_again_changes_nothing() {
    on_both(|county| {
        let dry = county.import("register", &bureau(), &register(), true);
        assert_eq!((dry.summary.new, dry.summary.faulty, dry.summary.warned), (4, 0, 2));
        assert!(find(county, "示例").is_empty(), "a dry run writes nothing");

        let once = county.import("register", &bureau(), &register(), false);
        assert_eq!((once.summary.new, once.facts), (4, 6), "four persons, two households");
        let village = place(VILLAGE);
        let (household, people) = county
            .app
            .database
            .read_blocking(move |tx| {
                let (id, _) = find_household_by_number(tx, village, "H1")?.expect("a household");
                Ok::<_, kangmai_database::DatabaseError>((find_household(tx, id)?.unwrap(), members(tx, id)?))
            })
            .expect("database");
        assert_eq!(people.len(), 3);
        assert_eq!(household.body.address.as_deref(), Some("3组12号"));
        let head = find(county, "示例甲").remove(0);
        assert_eq!(household.body.head, Some(head.id.uuid()));
        assert_eq!(head.labels_on(day("2020-06-01")), [Label::PovertyAlleviated]);
        assert_eq!(
            head.labels_on(day("2026-03-05")),
            [Label::SubsistenceAllowance, Label::PovertyAlleviated]
        );
        let old = find(county, "示例丙").remove(0);
        assert_eq!(old.body.labels[0].from, Some(day("2026-03-05")), "since the day of the list");

        for _ in 0..2 {
            county.clock.advance(86_400);
            let again = county.import("register", &bureau(), &register(), false);
            assert_eq!((again.summary.unchanged, again.facts), (4, 0));
        }
        let count = county.app.database.read_blocking(move |tx| count_people(tx, place("411721").range()));
        assert_eq!(count.expect("database"), (4, 2));
        assert_eq!(rebuild(&county.app.database, &county.app.record, true, |_| {}).expect("rebuilt"), []);
    });
}

#[test]
fn what_the_file_does_not_say_stays_and_what_changes_is_shown_before() {
    on_both(|county| {
        county.import("register", &bureau(), &register(), false);
        let a = number("41172119500101991");
        let changed = format!(
            "{HEAD}H1,,示例甲,{a},,{VILLAGE},,13900009902,,低保,,2026-01-01,,,\n\
             H1,,示例丙,,1931-05-06,{VILLAGE},,,,,,,2026-02-01,,\n"
        );
        let dry = county.import("register", &bureau(), &changed, true);
        assert_eq!((dry.summary.changed, dry.summary.new), (2, 0));
        let said: Vec<String> = dry
            .summary
            .changes
            .iter()
            .map(|change| {
                format!("{} {}: {} -> {}", change.subject, change.column, change.before, change.after)
            })
            .collect();
        assert_eq!(
            said[0],
            "示例甲 4117**********991X phone: 139****9901 -> 139****9902".replace("991X", &a[14..])
        );
        assert!(said[1].contains("低保对象 2021-03-01–2026-01-01"), "{said:?}");
        assert_eq!(said[2], "示例丙 died:  -> 2026-02-01");
        let done = county.import("register", &bureau(), &changed, false);
        assert_eq!((done.summary.changed, done.facts), (dry.summary.changed, 2));
        let person = find(county, "示例甲").remove(0);
        assert_eq!(person.body.relation, Some(kangmai_people::Relation::Head), "known and not said");
        assert_eq!(person.labels_on(day("2026-03-05")), [Label::PovertyAlleviated]);
        let silent = format!("{HEAD}H1,,示例甲,{a},,{VILLAGE},,,,低保,,,,,\n");
        let warned = county.import("register", &bureau(), &silent, false);
        assert_eq!((warned.summary.unchanged, warned.summary.warned, warned.facts), (1, 1, 0));
        assert_eq!(warned.faults[0].reason.key, "register.flaw.label_ended");
    });
}

#[test]
fn alike_is_a_pair_for_somebody_and_never_one_person() {
    on_both(|county| {
        county.import("register", &bureau(), &register(), false);
        let valid = number("41172119600708993");
        let other = number("41172119500101993");
        let more = format!(
            "{HEAD}K1,户主,示例丁,{valid},,411721107201,,,,,,,,,\n\
             K2,户主,示例甲,{other},,411721107201,,,,,,,,,\n\
             K3,户主,示例丁,,1960-07-08,411721107202,,,,,,,,,\n"
        );
        let done = county.import("register", &bureau(), &more, false);
        assert_eq!(done.summary.new, 3);
        // 丁 K1 with 丁 H2, 丁 K3 with both; the two 甲 have two valid numbers.
        assert_eq!(done.facts, 6 + 3);
        let again = county.import("register", &bureau(), &more, false);
        assert_eq!((again.summary.unchanged, again.facts), (3, 0));
        assert_eq!(rebuild(&county.app.database, &county.app.record, true, |_| {}).expect("rebuilt"), []);
    });
}

#[test]
fn a_number_that_comes_later_belongs_to_the_record_without() {
    on_both(|county| {
        county.import("register", &bureau(), &register(), false);
        let valid = number("41172119600708993");
        let with_number = format!("{HEAD}H2,户主,示例丁,{valid},,{VILLAGE},,,,,,,,,\n");
        let done = county.import("register", &bureau(), &with_number, false);
        assert_eq!((done.summary.changed, done.facts), (1, 1));
        assert_eq!(find(county, &valid).len(), 1);
        assert!(find(county, &valid)[0].body.marks.is_empty(), "no longer in doubt");
        let without = county.import("register", &bureau(), &register(), false);
        assert_eq!(without.summary.new, 1, "the old file says somebody without a number: a pair to compare");
    });
}

#[test]
fn what_cannot_be_told_is_a_fault() {
    on_both(|county| {
        let twice = format!(
            "{HEAD}H9,户主,示例戊,,1960-07-08,{VILLAGE},,13900009901,,,,,,,\n\
             H9,户主,示例戊,,1960-07-08,{VILLAGE},,13900009902,,,,,,,\n"
        );
        for dry_run in [true, false] {
            let done = county.import("register", &bureau(), &twice, dry_run);
            assert_eq!((done.summary.new, done.summary.faulty), (1, 1));
            assert_eq!(done.faults.last().expect("a fault").reason.key, "register.flaw.twice_without_number");
        }
        county.import("register", &bureau(), &register(), false);
        let a = number("41172119500101991");
        let elsewhere = format!("{HEAD}Z1,户主,示例甲,{a},,411722103203,,,,,,,,,\n");
        let other = Actor { place: place("411722"), ..bureau() };
        let done = county.import("register", &other, &elsewhere, false);
        assert_eq!((done.summary.faulty, done.facts), (1, 0));
        assert_eq!(done.faults[0].reason.key, "register.flaw.elsewhere");
        let moved = format!("{HEAD}Z1,户主,示例甲,{a},,411722103203,,,,,,,,,\n");
        let city = Actor { place: place("4117"), ..bureau() };
        let done = county.import("register", &city, &moved, false);
        assert_eq!((done.summary.changed, done.facts), (1, 2), "moved: another household, another home");
    });
}

#[test]
fn more_rows_than_a_chunk_say_the_same_dry_and_wet() {
    on_both(|county| {
        let mut csv = HEAD.to_owned();
        for row in 0..4_500_u32 {
            let (household, birth) = (row / 3, Day(i32::try_from(row).unwrap() - 8_000));
            let number = number(&format!("411721{}991", birth.to_string().replace('-', "")));
            let name = char::from_u32(0x4E00 + row).unwrap();
            // One row a label: every ninth person stands twice.
            csv.push_str(&format!("H{household},,示例{name},{number},,{VILLAGE},,,,低保,2020-01-01,,,,\n"));
            if row % 9 == 0 {
                csv.push_str(&format!(
                    "H{household},,示例{name},{number},,{VILLAGE},,,,脱贫,2020-01-01,,,,\n"
                ));
            }
        }
        let dry = county.import("register", &bureau(), &csv, true).summary;
        let wet = county.import("register", &bureau(), &csv, false).summary;
        assert_eq!(
            (dry.new, dry.changed, dry.unchanged, dry.faulty),
            (wet.new, wet.changed, wet.unchanged, wet.faulty)
        );
        assert_eq!((wet.rows, wet.new), (5_000, 5_000));
        let again = county.import("register", &bureau(), &csv, false);
        assert_eq!((again.summary.unchanged, again.facts), (5_000, 0));
    });
}

#[test]
fn institutions_come_in_by_code() {
    on_both(|county| {
        let csv = "机构编码,机构名称,所在地区划代码,机构层级,医院等级,机构类别,服务能力\n\
                   H1,示例县人民医院,411721001000,县级,二级,综合医院,住院、先诊疗后付费\n\
                   H2,示例省医院,410102001000,省级,三级,综合医院,住院\n";
        let done = county.import("institutions", &bureau(), csv, false);
        assert_eq!((done.summary.new, done.facts), (2, 2));
        let again = county.import("institutions", &bureau(), csv, false);
        assert_eq!((again.summary.unchanged, again.facts), (2, 0));
        let changed = csv.replace("二级", "三级").replace("示例省医院", "示例省立医院");
        let done = county.import("institutions", &bureau(), &changed, false);
        assert_eq!((done.summary.changed, done.summary.faulty), (1, 1), "one of the two stands elsewhere");
        assert_eq!(rebuild(&county.app.database, &county.app.record, true, |_| {}).expect("rebuilt"), []);
    });
}
