//! `kangmai whatif` from the outside, over a demonstration county.
#![expect(clippy::expect_used, reason = "a test")]

use std::path::PathBuf;
use std::process::{Command, Output};

struct Desk(PathBuf);

impl Desk {
    fn new() -> Desk {
        let directory = std::env::temp_dir().join(format!("kangmai-test-whatif-{}", std::process::id()));
        std::fs::create_dir_all(&directory).expect("a directory");
        let desk = Desk(directory);
        let data = desk.0.to_str().expect("a path").to_owned();
        let built = desk.kangmai(&["demo", "--build-only", "--people", "400", "--data", &data]);
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        desk
    }

    fn kangmai(&self, arguments: &[&str]) -> Output {
        let database = self.0.join("kangmai.db");
        let mut command = Command::new(env!("CARGO_BIN_EXE_kangmai"));
        command.env("KANGMAI_MASTER_KEY", "5e".repeat(32));
        command.env("RUST_BACKTRACE", "0").arg("--database").arg(database).args(arguments);
        command.output().expect("the command runs")
    }

    fn what_if(&self, place: &str, changes: &[&str], more: &[&str]) -> Output {
        let year = (kangmai_base::Clock::today(&kangmai_base::SystemClock).year() - 1).to_string();
        let changes: Vec<String> = changes.iter().map(|change| change.replace("YEAR", &year)).collect();
        let mut arguments = vec!["whatif", "--year", &year, "--place", place, "--english"];
        arguments.extend(changes.iter().flat_map(|change| ["--change", change]));
        arguments.extend(more);
        self.kangmai(&arguments)
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The last figure of the line that ends in `name`, in fen.
fn difference(said: &str, name: &str) -> i64 {
    let line = said.lines().find(|line| line.ends_with(name)).expect(name);
    let figure = line.split_whitespace().nth(2).expect("three figures");
    figure.replace([',', '.'], "").parse().expect("an amount")
}

#[test]
fn a_change_is_tried_at_the_console() {
    let desk = Desk::new();
    let deductible = "basic [县级二级及以下医院] deductible = 1.00 from YEAR-01-01";
    let file = desk.0.join("figures.xlsx");
    let output = desk.what_if("411722", &[deductible], &["--out", file.to_str().expect("a path")]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(!said.contains("WARNING"), "{said}");
    let (payers, own) = (difference(&said, "all payers"), difference(&said, "own share"));
    assert!(own < 0 && payers + own == 0, "{said}");
    assert!(said.contains("not modelled"), "{said}");
    assert!(std::fs::read(&file).expect("a file").starts_with(b"PK"));

    let idle = desk.what_if("411722", &["major [参保居民] yearly_cap = 390000.00 from YEAR-12-31"], &[]);
    let said = String::from_utf8_lossy(&idle.stdout).into_owned();
    assert!(said.contains("WARNING: these changes touch no bill at all"), "{said}");

    let elsewhere = desk.what_if("411723", &[deductible], &[]);
    let said = String::from_utf8_lossy(&elsewhere.stdout).into_owned();
    assert!(said.contains("no bills of that year"), "{said}");

    let wrong = desk.what_if("411722", &["magor [参保居民] yearly_cap = 1.00 from YEAR-01-01"], &[]);
    assert!(!wrong.status.success());
    let said = String::from_utf8_lossy(&wrong.stderr).into_owned();
    assert!(
        said.contains("no benefit `magor`") && said.contains("^^^^^") && said.contains("`major`"),
        "{said}"
    );
}
