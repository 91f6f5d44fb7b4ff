//! Whoever looks at personal data leaves a line, on every page and in every file; and what somebody does to the lines
//! afterwards is found and named.

#![expect(clippy::expect_used, reason = "a test says what it needs")]

use std::collections::BTreeSet;

use kangmai_acceptance::access::{Scope, row_of, rows};
use kangmai_acceptance::county::County;
use kangmai_acceptance::crawl::crawl;
use kangmai_acceptance::program::{Program, fresh_folder, remove_folder};
use kangmai_acceptance::visitor::percent;
use kangmai_access::{AuditWatch, Role};
use kangmai_database::testing::{FreshDatabase, POSTGRES_VARIABLE};
use kangmai_database::{Database, DatabaseError, Transaction};
use kangmai_programme::GateRules;

fn texts(database: &Database, sql: &'static str) -> BTreeSet<String> {
    let read = move |tx: &mut Transaction<'_>| -> Result<BTreeSet<String>, DatabaseError> {
        tx.query(sql, &[])?.iter().map(|row| row.get(0)).collect()
    };
    database.read_blocking(read).expect("an answer")
}

const ASKED: &str = "select distinct asked from audit_row where outcome = 'done' and asked is not null";
const WITHOUT_ADDRESS: &str =
    "select distinct action from audit_row where asked is not null and address is null";

#[test]
fn whoever_looks_at_personal_data_leaves_a_line() {
    let county = County::on_sqlite();
    county.populate();
    let rows = rows();
    let mut looked_at = BTreeSet::new();
    for role in Role::ALL {
        let mut visitor = county.sign_in(role);
        for path in crawl(&mut visitor, "/").pages.values().flatten() {
            let Some(row) = row_of(&rows, "GET", path) else { continue };
            if row.about_persons && row.scope != Scope::Key {
                looked_at.insert(format!("GET {}", row.path));
            }
        }
    }
    let told = texts(&county.app.database, ASKED);
    let silent: Vec<&String> = looked_at.difference(&told).collect();
    assert!(silent.is_empty(), "these leave no line: {silent:#?}");
    assert!(looked_at.len() >= 25, "the walk met only {looked_at:#?}");
    for path in ["GET /people", "GET /people/lists/{label}", "GET /people/{id}", "GET /bills.xlsx"] {
        assert!(looked_at.contains(path), "the walk does not meet {path}");
    }
    assert_eq!(texts(&county.app.database, WITHOUT_ADDRESS), BTreeSet::new());
}

#[test]
fn a_line_says_from_where_what_and_whose_and_also_what_was_refused() {
    County::on_both(|county| {
        county.populate();
        let mut doctor = county.sign_in(Role::VillageDoctor);
        doctor.finds("/people?q=%E7%A4%BA%E4%BE%8B");
        let nobody = "/people/00000000-0000-7000-8000-000000000000";
        doctor.does_not_find(nobody);
        let mut stranger = county.visitor();
        stranger
            .finds("/sign-in")
            .fill("登录名", "nobody_here")
            .fill("密码", "not-the-password")
            .press("登录");
        let mut auditor = county.sign_in(Role::Auditor);
        auditor.finds("/audit").sees("查看名单或页面").sees("被拒绝");
        let told = texts(
            &county.app.database,
            "select action || ' ' || outcome || ' ' || coalesce(asked, '-') from audit_row",
        );
        for line in [
            "read done GET /people",
            "read refused GET /people/{id}",
            "sign_in refused POST /sign-in",
            "sign_in done POST /sign-in",
        ] {
            assert!(told.contains(line), "{line} is not in {told:#?}");
        }
        // What was looked for is nobody's business.
        assert!(!told.iter().any(|line| line.contains("%E7")), "{told:#?}");
    });
}

/// The auditor's lists with limits that a journey reaches.
fn with_low_limits(county: &mut County) {
    let audit = AuditWatch {
        night_reads: 2,
        people_an_hour: 3,
        exports_a_day: 2,
        people_without_act: 3,
        ..AuditWatch::USUAL
    };
    county.put_behind(GateRules { audit, ..GateRules::lenient() });
}

/// Looks at so many people of the register, one after the other.
fn looks_at_people(county: &County, role: Role, many: usize) -> Vec<String> {
    let mut visitor = county.sign_in(role);
    let mut links: Vec<String> = Vec::new();
    for surname in ["王", "李", "张", "刘", "陈", "杨", "赵", "郭", "马", "孙"] {
        visitor.finds(&format!("/people?q={}", percent(surname)));
        let page = visitor.page();
        let found = page.all("a").into_iter().filter_map(|link| page.attribute(link, "href"));
        links.extend(
            found.filter(|link| link.starts_with("/people/") && !link.contains("lists")).map(str::to_owned),
        );
        if links.len() >= many {
            break;
        }
    }
    links.truncate(many);
    assert_eq!(links.len(), many, "too few people are found");
    links.iter().for_each(|link| {
        visitor.finds(link);
    });
    links.iter().map(|link| link.split('?').next().unwrap_or_default().to_owned()).collect()
}

#[test]
fn an_auditor_finds_by_who_whose_and_what_and_takes_a_file() {
    County::on_both(|county| {
        county.populate();
        let people = looks_at_people(county, Role::TownshipOfficer, 3);
        looks_at_people(county, Role::HealthBureau, 1);
        let id = people[0].rsplit('/').next().expect("an identifier");
        let mut auditor = county.sign_in(Role::Auditor);
        auditor
            .finds("/audit?who=township_officer")
            .sees("示例 township_officer")
            .does_not_see("示例 health_bureau");
        auditor.finds("/audit?who=health_bureau&action=read_person").sees("查看个人页");
        auditor
            .finds(&format!("/audit?whose={id}"))
            .sees(id)
            .does_not_see(people[1].rsplit('/').next().expect("one"));
        auditor.finds("/audit?who=nobody_at_all").sees("没有符合条件的记录");
        auditor.finds("/audit?whose=not-a-number").sees("没有符合条件的记录");
        auditor.finds("/audit?from=2026-11-21").sees("没有符合条件的记录");
        auditor.finds("/audit?to=2026-11-20&outcome=done").sees("示例 township_officer");
        auditor.open("/audit.xlsx?who=township_officer");
        assert!(auditor.bytes().starts_with(b"PK"), "a workbook");
        auditor.finds("/audit?action=export").sees("审计记录");
        assert_eq!(county.app.words.missing(), Vec::<String>::new());
    });
}

#[test]
fn what_is_out_of_the_ordinary_stands_on_its_list() {
    County::on_both(|county| {
        county.populate();
        with_low_limits(county);
        county.sign_in(Role::Auditor).finds("/audit/unusual").does_not_see("示例 health_bureau");
        looks_at_people(county, Role::HealthBureau, 3);
        let mut bureau = county.sign_in(Role::HealthBureau);
        bureau.open("/warnings/export");
        bureau.open("/bills.xlsx");
        let mut auditor = county.sign_in(Role::Auditor);
        auditor.finds("/audit/unusual").sees("一小时内查看 3 人以上").sees("示例 health_bureau");
        let shown = auditor.shown();
        assert_eq!(shown.matches("示例 health_bureau").count(), 3, "hour, files, without a task: {shown}");
        // At night.
        county.clock.advance(11 * 3_600);
        let mut officer = county.sign_in(Role::TownshipOfficer);
        officer.finds("/people?q=%E7%A4%BA%E4%BE%8B");
        officer.finds("/plans");
        let mut auditor = county.sign_in(Role::Auditor);
        auditor
            .finds("/audit/unusual")
            .sees("22 时至次日 6 时")
            .sees("示例 township_officer")
            .follow("查看记录");
        auditor.sees("审计记录");
        assert_eq!(county.app.words.missing(), Vec::<String>::new());
    });
}

#[test]
fn a_person_is_told_who_looked_at_the_record() {
    County::on_both(|county| {
        county.populate();
        let people = looks_at_people(county, Role::TownshipOfficer, 1);
        let mut officer = county.sign_in(Role::TownshipOfficer);
        officer.finds(&people[0]).follow("本人权利").follow("谁查看过这份档案");
        officer.sees("示例 township_officer").sees("查看个人页").sees("乡镇卫生院");
        // The print is itself a line, and stands on the next one.
        officer.finds(&format!("{}/readers", people[0])).sees("打印");
        let mut other = county.sign_in_as("other_township_officer");
        other.does_not_find(&format!("{}/readers", people[0]));
        county.sign_in(Role::VillageDoctor).does_not_find(&format!("{}/readers", people[0]));
        assert_eq!(county.app.words.missing(), Vec::<String>::new());
    });
}

const REGISTER: &str = "户编号,与户主关系,姓名,证件号码,户籍地区划代码,联系电话,参保状态,人群类别,认定日期\n\
    H0001,户主,示例王一,411722195001019915,411722001001,13900009901,居民,低保对象,2024-01-01\n";
const DIAGNOSES: &str = "证件号码,姓名,诊断编码,诊断名称,确诊日期\n\
    411722195001019915,示例王一,I10.x00,示例高血压,2026-09-05\n\
    411722195001019915,示例王一,B20.101,示例机密诊断,2026-09-06\n";

#[test]
fn a_person_gets_a_copy_of_everything_and_others_get_less() {
    County::on_both(|county| {
        for (key, text) in [("register", REGISTER), ("diagnoses", DIAGNOSES)] {
            let finished = county.import(key, &format!("{key}.csv"), text.as_bytes());
            assert_eq!((finished.summary.faulty, finished.parked), (0, 0), "{finished:?}");
        }
        let mut officer = county.sign_in(Role::TownshipOfficer);
        let found = officer.finds("/people?q=%E7%A4%BA%E4%BE%8B").follow("示例王一").path().to_owned();
        let person = found.split('?').next().expect("a path").to_owned();
        officer.follow("本人权利").follow("本人信息副本（全部）");
        officer.sees("411722195001019915").sees("13900009901").sees("示例高血压").sees("示例机密诊断");
        officer.open(&format!("{person}/fhir.json"));
        let bundle: serde_json::Value = serde_json::from_slice(officer.bytes()).expect("JSON");
        let entries = bundle["entry"].as_array().expect("entries");
        let of =
            |kind: &str| entries.iter().filter(|entry| entry["resource"]["resourceType"] == kind).count();
        assert_eq!((of("Patient"), of("Condition")), (1, 2), "{bundle:#}");
        assert!(of("Basic") >= 3, "{bundle:#}");
        // Who does not treat hands out neither what is of level 5 nor the file.
        let mut bureau = county.sign_in(Role::HealthBureau);
        bureau.finds(&format!("{person}/copy")).sees("示例高血压").does_not_see("示例机密诊断");
        bureau.sees("不含高度敏感的健康信息");
        bureau.does_not_find(&format!("{person}/fhir.json"));
        county.sign_in_as("other_township_officer").does_not_find(&format!("{person}/copy"));
        // Each leaves its line, and the person is told.
        officer.finds(&format!("{person}/readers")).sees("打印").sees("导出").sees("示例 health_bureau");
        assert_eq!(county.app.words.missing(), Vec::<String>::new());
    });
}

/// The program on a database of either kind.
fn programs() -> Vec<(Program, Option<FreshDatabase>)> {
    let executable = env!("CARGO_BIN_EXE_kangmai_here").into();
    let folder = fresh_folder("audit");
    let file = folder.join("kangmai.db").to_string_lossy().into_owned();
    let sqlite = Program { executable, database: file, folder: folder.clone() };
    let mut all = vec![(sqlite.clone(), None)];
    if let Ok(server) = std::env::var(POSTGRES_VARIABLE) {
        let schema = FreshDatabase::postgres(&server).expect("a schema");
        let folder = fresh_folder("audit");
        all.push((Program { database: schema.address.clone(), folder, ..sqlite }, Some(schema)));
    }
    all
}

fn does(program: &Program, sql: &'static str) {
    let database = Database::open(&program.database).expect("a database");
    database.write_blocking(move |tx| tx.batch(sql)).expect("done");
}

#[test]
fn the_program_names_what_was_done_to_its_trail() {
    for (program, _schema) in programs() {
        for name in ["wang", "li", "zhao"] {
            program.must(&["account", "add", name, "--role", "village_doctor", "--place", "411722001001"]);
        }
        assert!(program.must(&["audit", "verify"]).contains("without an anchor"));
        assert!(program.must(&["audit", "anchor"]).contains("line 4 is anchored"));
        let whole = program.must(&["audit", "verify"]);
        assert!(whole.contains("4 lines in the chain, 1 to 4") && whole.contains("1 anchors"), "{whole}");
        let (alter, mend) = (
            "update audit_row set reason = 'x' where id = (select line from audit_link where ordinal = 2)",
            "update audit_row set reason = '' where id = (select line from audit_link where ordinal = 2)",
        );
        does(&program, alter);
        let ended = program.run(&["audit", "verify"]);
        let says = String::from_utf8_lossy(&ended.stdout).into_owned();
        assert!(!ended.status.success() && says.contains("altered: line 2"), "{says}");
        // What is not whole is not cut.
        assert!(!program.run(&["audit", "cut"]).status.success());
        does(&program, mend);
        let says = program.must(&["audit", "cut"]);
        assert!(says.contains("no line is from before"), "{says}");
        let ended = program.run(&["audit", "cut", "--months", "5"]);
        assert!(!ended.status.success(), "less than six months");
        does(
            &program,
            "delete from audit_row where id in (select line from audit_link where ordinal > 3);
            delete from audit_link where ordinal > 3",
        );
        let ended = program.run(&["audit", "verify"]);
        let says = String::from_utf8_lossy(&ended.stdout).into_owned();
        assert!(!ended.status.success() && says.contains("cut off at the end: lines 4"), "{says}");
        remove_folder(&program.folder);
    }
}
