//! The law that was published in the database, at the console: what is read, and what happens when it cannot be read.
#![expect(clippy::expect_used, reason = "a test")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;

use kangmai_base::{Clock as _, DivisionCode, Ids as _, SystemClock, SystemIds};
use kangmai_database::{Database, Migrations};
use kangmai_policy::Release;
use kangmai_programme::{FileToPublish, MIGRATIONS, NewPublication, Touches, keep_release, publish};
use kangmai_server::application::load_policies;

/// As a program of before left it: the releases, and nothing of what this program needs besides.
static OF_BEFORE: &[Migrations] = &[MIGRATIONS];
const FILE: &str = "cn/henan/benefits/20-major.toml";

/// A database of a program of before.
struct Desk(PathBuf);

impl Desk {
    fn new(name: &str) -> Desk {
        let folder =
            std::env::temp_dir().join(format!("kangmai-test-published-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).expect("a folder");
        let desk = Desk(folder);
        desk.open().migrate(OF_BEFORE, SystemClock.now()).expect("migrated");
        desk
    }

    fn path(&self) -> PathBuf {
        self.0.join("kangmai.db")
    }

    fn open(&self) -> Database {
        Database::open(self.path().to_str().expect("a path")).expect("a database")
    }

    /// Publishes `text` of the file over the program's `base`.
    fn publish(&self, base: &Arc<Release>, text: String) {
        let (who, now) = (SystemIds.mint(SystemClock.now()), SystemClock.now());
        let own = base.files().iter().find(|(path, _)| path == FILE).map(|(_, text)| text.clone());
        let new = NewPublication {
            after: 0,
            release: Arc::clone(base),
            made_from: base.hash().to_owned(),
            place: "410000".parse::<DivisionCode>().expect("a place"),
            title: "调整".to_owned(),
            touches: Touches::Everything,
            told: Vec::new(),
            files: vec![FileToPublish { path: FILE.to_owned(), base: own, text: Some(text) }],
        };
        let put = self.open().write_blocking(move |tx| publish(tx, &new, ((who, "甲"), (who, "乙")), now));
        assert!(put.expect("the database"));
    }

    fn kangmai(&self, words: &[&str]) -> Output {
        kangmai(&self.path(), words)
    }

    fn has_table(&self, name: &'static str) -> bool {
        self.open().read_blocking(move |tx| tx.has_table(name)).expect("the database")
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn kangmai(database: &Path, words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kangmai"));
    command.env("RUST_BACKTRACE", "0").env_remove("KANGMAI_POLICIES");
    command.env("KANGMAI_MASTER_KEY", "5e".repeat(32));
    command.arg("--database").arg(database).args(words).output().expect("the command runs")
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn complained(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn text_of(release: &Release) -> &str {
    release.files().iter().find(|(path, _)| path == FILE).map(|(_, text)| text.as_str()).expect("the file")
}

#[test]
fn what_was_published_is_what_the_console_checks() {
    let shipped = load_policies(None).expect("packs");
    let desk = Desk::new("in-force");
    let before = desk.kangmai(&["policy", "check"]);
    assert!(told(&before).contains("the law in force: the packs inside the program, nothing was published"));
    assert!(told(&before).contains(shipped.hash()), "{}", told(&before));

    // Ten points less in the first tier: the province's cases come out otherwise.
    let (before, after) =
        ("{ above = \"11000.00\", ratio = \"60%\" }", "{ above = \"11000.00\", ratio = \"50%\" }");
    let text = text_of(&shipped).replace(before, after);
    assert_ne!(text, text_of(&shipped), "there is such a figure");
    desk.publish(&shipped, text.clone());
    let files = shipped
        .files()
        .iter()
        .map(|(path, own)| (path.clone(), if path == FILE { text.clone() } else { own.clone() }));
    let files: Vec<(String, String)> = files.collect();
    let in_force = Release::load(files).expect("the law in force");

    for words in [&["policy", "test"][..], &["policy", "test", "--published"]] {
        let output = desk.kangmai(words);
        let said = told(&output);
        assert!(!output.status.success(), "the cases are those of before: {said}");
        assert!(said.contains("publication 1 of the database") && said.contains(in_force.hash()), "{said}");
        assert!(said.contains(&format!("{FILE}:")), "{said}");
    }
    let output = desk.kangmai(&["policy", "test", "--shipped"]);
    assert!(output.status.success() && told(&output).contains(shipped.hash()), "{}", told(&output));
    let output = desk.kangmai(&["policy", "mutate", "--only", "major", "--pack", "cn/henan"]);
    assert!(!output.status.success() && told(&output).contains(in_force.hash()), "{}", told(&output));
    let output = desk.kangmai(&["policy", "diff", "shipped", "published"]);
    assert!(output.status.success() && told(&output).contains("60% → 50%"), "{}", told(&output));

    // A file of bills by the law in force, and by the packs of the program.
    let bills = desk.0.join("bills.csv");
    let rows = "结算单号,证件号码,出院日期,总费用,机构级别,参保地\n\
        E1,411721195001019919,2026-02-28,200000.00,县级,411722\n";
    std::fs::write(&bills, rows).expect("a file");
    let settled = |more: &[&str]| {
        let (bills, out) = (bills.to_str().expect("a path"), desk.0.join("out.csv"));
        let words = ["settle", "--bills", bills, "--out", out.to_str().expect("a path")];
        let output = desk.kangmai(&[&words, more].concat());
        let text = std::fs::read_to_string(&out).expect("a file");
        let own = text.lines().find(|line| line.starts_with("E1,own")).expect("the own share").to_owned();
        (told(&output), own)
    };
    let (by_program, by_law) = (settled(&[]), settled(&["--published"]));
    assert!(by_program.0.contains(&shipped.hash()[..12]), "{}", by_program.0);
    assert!(by_law.0.contains(&in_force.hash()[..12]) && by_law.0.contains("publication 1"), "{}", by_law.0);
    assert_ne!(by_program.1, by_law.1);

    // Somebody's own packs are read as they are, and it is said.
    let own = desk.0.join("packs");
    assert!(desk.kangmai(&["policy", "unpack", own.to_str().expect("a path")]).status.success());
    let directory = own.to_str().expect("a path");
    let output = desk.kangmai(&["policy", "test", "--policies", directory]);
    assert!(output.status.success() && told(&output).contains("without what was published"));
    let output = desk.kangmai(&["policy", "check", "--published", "--policies", directory]);
    assert!(output.status.success() && told(&output).contains(in_force.hash()), "{}", told(&output));

    // None of it made tables.
    assert!(!desk.has_table("person") && desk.has_table("policy_release"));
    let nowhere = desk.0.join("nowhere/kangmai.db");
    let output = kangmai(&nowhere, &["policy", "check", "--published"]);
    assert!(!output.status.success() && complained(&output).contains("there is no database here"));
    assert!(!nowhere.exists());
}

#[test]
fn law_that_this_program_cannot_read_stops_it_before_any_table_is_touched() {
    let shipped = load_policies(None).expect("packs");
    let desk = Desk::new("unreadable");
    let kept = Arc::clone(&shipped);
    desk.open().write_blocking(move |tx| keep_release(tx, &kept, SystemClock.now())).expect("kept");
    let wrong = text_of(&shipped).replacen("\nkind ", "\nno_such_key = 1\nkind ", 1);
    desk.publish(&shipped, wrong);

    for words in [
        &["check"][..],
        &["serve", "--listen", "127.0.0.1:0"],
        &["migrate"],
        &["rebuild", "--check"],
        &["account", "list"],
        &["client", "list"],
        &["watch", "run"],
        &["policy", "test"],
    ] {
        let output = desk.kangmai(words);
        let why = complained(&output);
        assert!(!output.status.success(), "{words:?}: {}", told(&output));
        for part in
            [FILE, "published as number 1", "no_such_key", "/policy-drafts", "nothing in the database"]
        {
            assert!(why.contains(part), "{words:?}, {part}: {why}");
        }
        assert!(!desk.has_table("person"), "{words:?} touched the tables");
    }
    // What was in force before is still found: that only reads.
    let output = desk.kangmai(&["policy", "diff", &shipped.hash()[..12], "shipped"]);
    assert!(output.status.success() && told(&output).is_empty(), "{}", complained(&output));
    assert!(!desk.has_table("person"));
}
