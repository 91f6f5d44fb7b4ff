//! Whoever looks at personal data leaves a line, on every page and in every file; and what somebody does to the lines
//! afterwards is found and named.

#![expect(clippy::expect_used, reason = "a test says what it needs")]

use std::collections::BTreeSet;

use kangmai_acceptance::access::{Scope, row_of, rows};
use kangmai_acceptance::county::County;
use kangmai_acceptance::crawl::crawl;
use kangmai_acceptance::program::{Program, fresh_folder, remove_folder};
use kangmai_access::Role;
use kangmai_database::testing::{FreshDatabase, POSTGRES_VARIABLE};
use kangmai_database::{Database, DatabaseError, Transaction};

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
