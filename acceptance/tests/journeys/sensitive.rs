//! Level 5 (handbook 8.4): HIV, severe mental illness, drug-resistant tuberculosis. One person with each lives in the
//! village, with a bill for it; every page and file of every role is opened, and none but the person's own page, for who
//! treats, says what they have.

#![expect(clippy::expect_used, reason = "a test says what it needs")]

use kangmai_acceptance::county::{County, HOSPITAL};
use kangmai_acceptance::crawl::crawl;
use kangmai_acceptance::dump::{dump, file_of};
use kangmai_access::Role;
use kangmai_poverty_watch::run_watch;

/// Codes of the shipped list, each with a name that nothing else has.
const ILL: [(&str, &str, &str); 5] = [
    ("41172219500101991", "B20.101", "示例机密甲"),
    ("41172219510101991", "Z21.x01", "示例机密乙"),
    ("41172219520101991", "F20.901", "示例机密丙"),
    ("41172219530101991", "U84.300", "示例机密丁"),
    ("41172219540101991", "A15.001", "示例机密戊"),
];
/// What the lists call these diseases; the law itself may.
const NAMES: [&str; 4] = ["艾滋病", "重性精神", "精神障碍", "耐多药"];

fn number(first_17: &str) -> String {
    kangmai_base::IdNumber::with_checksum(first_17).expect("a number").as_str().to_owned()
}

fn village(county: &County) {
    let institutions = format!(
        "机构编码,机构名称,所在地区划代码,机构层级,医院等级,机构类别,服务能力\n\
         {HOSPITAL},上蔡县示例人民医院,411722000000,县级,二级,综合医院,住院、门诊、一站式结算、医保定点\n"
    );
    let mut register =
        "户编号,与户主关系,姓名,证件号码,户籍地区划代码,参保状态,人群类别,认定日期\n".to_owned();
    let mut diagnoses = "证件号码,姓名,诊断编码,诊断名称,确诊日期\n".to_owned();
    let mut bills =
        "结算单号,证件号码,医疗机构代码,入院日期,出院日期,就诊类型,诊断编码,诊断名称,总费用,合规费用,是否转诊\n"
            .to_owned();
    for (order, (first, code, name)) in ILL.iter().enumerate() {
        let number = number(first);
        let person = format!("示例病{}", ["一", "二", "三", "四", "五"][order]);
        register
            .push_str(&format!("H{order},户主,{person},{number},411722001001,居民,低保对象,2024-01-01\n"));
        diagnoses.push_str(&format!("{number},{person},{code},{name},2026-01-05\n"));
        let days = "2026-02-01,2026-02-20";
        bills.push_str(&format!(
            "L{order},{number},{HOSPITAL},{days},住院,{code},{name},90000.00,40000.00,是\n"
        ));
    }
    for (key, text) in [
        ("institutions", &institutions),
        ("register", &register),
        ("diagnoses", &diagnoses),
        ("bills", &bills),
    ] {
        let finished = county.import(key, &format!("{key}.csv"), text.as_bytes());
        assert_eq!((finished.summary.faulty, finished.parked), (0, 0), "{key}: {finished:?}");
    }
    county.seat(Role::CountyDesk.key(), HOSPITAL);
    let watched = run_watch(&county.app, county.app.today(), |_| {}).expect("the watch");
    assert!(watched.raised > 0, "{watched:?}");
}

#[test]
fn no_page_or_file_says_it_but_the_person_s_own_to_who_treats() {
    let county = County::on_sqlite();
    village(&county);
    let (mut wrong, mut opened, mut files, mut told) = (Vec::new(), 0, 0, 0);
    for role in Role::ALL {
        let mut visitor = county.sign_in(role);
        let treats = matches!(role, Role::VillageDoctor | Role::TownshipOfficer);
        let walk = crawl(&mut visitor, "/");
        files += walk.files.len();
        for path in walk.pages.values().flatten() {
            visitor.try_open(path);
            opened += 1;
            let text = visitor.whole_text();
            let is_own = path.starts_with("/people/") || path.starts_with("/plans/");
            let is_own = is_own && !path.starts_with("/people/lists") && !path.starts_with("/plans/export");
            // The law names diseases, and so do the examples beside the field of a diagnosis.
            let is_law =
                ["/policies", "/policy-drafts", "/import"].iter().any(|begin| path.starts_with(begin))
                    || path.contains("/diagnoses");
            let secrets = ILL.iter().flat_map(|(_, code, name)| [*code, *name]);
            let secrets = secrets.chain(NAMES.into_iter().filter(|_| !is_law));
            for secret in secrets.filter(|secret| text.contains(secret)) {
                match treats && is_own {
                    true => told += 1,
                    false => wrong.push(format!("{}: {path} says {secret}", role.key())),
                }
            }
        }
    }
    assert!(opened > 150 && files > 3, "only {opened} pages, {files} kinds of files");
    assert!(told >= 10, "who treats is told {told} times");
    assert!(wrong.is_empty(), "{} leaks:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn no_table_says_it() {
    County::on_both(|county| {
        village(county);
        let database = &county.app.database;
        let dump = dump(database, file_of(database).as_deref());
        let text = String::from_utf8_lossy(&dump);
        assert!(text.contains("上蔡县示例人民医院"), "the tables are read");
        // The law stands in tables too, with the names of diseases.
        let secrets = ILL.iter().flat_map(|(_, code, name)| [*code, *name]);
        let told: Vec<&str> = secrets.filter(|secret| text.contains(secret)).collect();
        assert!(told.is_empty(), "the tables say {told:?}");
        let differs = kangmai_record::rebuild(database, &county.app.record, true, |_| {}).expect("rebuilt");
        assert_eq!(differs, []);
        // What a release before left in clear is sealed as well.
        let unsealed = |tx: &mut kangmai_database::Transaction<'_>| {
            tx.batch(
                "update diagnosis set told_sealed = null, code = 'B20.101', name = '示例机密甲', major = 'hiv'
                    where sensitive;
                update plan set told_sealed = null, why = 'major', code = 'B20.101', disease_zh = '示例机密甲'
                    where sensitive;
                update bill set diagnosis = 'B20.101'",
            )?;
            kangmai_database::look_for_clear_text_again(tx)
        };
        database.write_blocking(unsealed).expect("as it was");
        let steps = kangmai_server::programmes::clear_text();
        let sealed = kangmai_database::seal_clear_text(database, &steps, county.app.clock.now(), |_| {});
        assert!(sealed.expect("sealed") >= 10);
        let after = self::dump(database, file_of(database).as_deref());
        let text = String::from_utf8_lossy(&after);
        assert!(!text.contains("B20.101") && !text.contains("示例机密甲"));
    });
}
