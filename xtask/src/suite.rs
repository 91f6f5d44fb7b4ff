//! `cargo xtask test`: everything that must hold before a change lands.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use crate::browser;
use crate::postgres::{ADDRESS, Postgres};
use crate::report::Report;
use crate::workspace::{self, cargo, has_cargo_command, root};

/// The master key of the database that `kangmai check` makes: it holds nothing.
const CHECK_KEY: &str = "5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e";

/// What a run is to hold.
#[derive(Debug)]
pub(crate) struct Choice {
    postgres: bool,
    browser: bool,
    /// Only the browser journeys, with pictures into this folder.
    pictures: Option<PathBuf>,
}

impl Choice {
    /// Reads `--sqlite-only` and `--no-browser`.
    pub(crate) fn from_flags(flags: &[&str]) -> Result<Choice> {
        let mut choice = Choice { postgres: true, browser: true, pictures: None };
        for flag in flags {
            match *flag {
                "--sqlite-only" => choice.postgres = false,
                "--no-browser" => choice.browser = false,
                _ => anyhow::bail!("unknown flag {flag}; there are --sqlite-only and --no-browser"),
            }
        }
        Ok(choice)
    }

    /// The browser journeys alone, with the README's pictures.
    pub(crate) fn screenshots() -> Choice {
        Choice { postgres: false, browser: true, pictures: Some(root().join("docs/screenshots")) }
    }
}

/// What the tests are told about their surroundings.
#[derive(Default)]
struct Surroundings(Vec<(&'static str, String)>);

impl Surroundings {
    fn apply<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command.envs(self.0.iter().map(|(name, value)| (*name, value)))
    }
}

/// Runs it; true if everything passed. What was started is stopped in any case.
pub(crate) fn run(choice: &Choice) -> Result<bool> {
    let mut report = Report::default();
    let mut surroundings = Surroundings::default();
    let postgres = if choice.postgres { report.step("PostgreSQL is ready", Postgres::ready) } else { None };
    if let Some(postgres) = &postgres {
        surroundings.0.push((ADDRESS, postgres.address()));
    }
    if choice.browser {
        prepare_browser(&mut report, &mut surroundings);
    }
    // What is asked for and missing is a failed test, not a skipped one.
    if choice.postgres && choice.browser {
        surroundings.0.push(("KANGMAI_TEST_ALL", "1".to_owned()));
    }
    if let Some(folder) = &choice.pictures {
        surroundings.0.push(("KANGMAI_SCREENSHOTS", folder.display().to_string()));
        let arguments = ["test", "--package", "kangmai-acceptance", "--test", "browser"];
        report.run_tests("browser journeys with pictures", surroundings.apply(&mut cargo(&arguments)));
        return Ok(report.close());
    }
    check_source(&mut report);
    run_tests(&mut report, &surroundings);
    if let Some(postgres) = &postgres {
        report.step("PostgreSQL was tested", || postgres.was_used());
    }
    for arguments in [
        &["policy", "check", "--strict", "--shipped"][..],
        &["policy", "test", "--shipped"],
        &["policy", "mutate", "--shipped"],
        &["check"],
    ] {
        let mut command = cargo(&["run", "--quiet", "--package", "kangmai-server", "--bin", "kangmai", "--"]);
        command.env("KANGMAI_DATABASE", "target/kangmai-check.db").env("KANGMAI_MASTER_KEY", CHECK_KEY);
        report.run(&format!("kangmai {}", arguments.join(" ")), command.args(arguments));
    }
    drop(postgres);
    Ok(report.close())
}

fn prepare_browser(report: &mut Report, surroundings: &mut Surroundings) {
    if let Some(chromium) = report.step("Chromium is ready", browser::chromium) {
        println!("{}", chromium.display());
        surroundings.0.push(("KANGMAI_CHROMIUM", chromium.display().to_string()));
    }
    match browser::axe() {
        Some(script) => surroundings.0.push(("KANGMAI_AXE", script.display().to_string())),
        None => {
            println!("axe-core is not at hand: the journeys check accessibility with their own rules alone")
        }
    }
}

fn check_source(report: &mut Report) {
    report.run("format", &mut cargo(&["fmt", "--all", "--check"]));
    let clippy = ["clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"];
    report.run("clippy", &mut cargo(&clippy));
    if has_cargo_command("deny") {
        let deny = ["deny", "--workspace", "check", "licenses", "bans", "sources"];
        report.run("licences and sources (cargo-deny)", &mut cargo(&deny));
    }
}

fn run_tests(report: &mut Report, surroundings: &Surroundings) {
    if !has_cargo_command("nextest") {
        let arguments = ["test", "--workspace", "--no-fail-fast"];
        report.run_tests("tests and documentation tests", surroundings.apply(&mut cargo(&arguments)));
        return;
    }
    let arguments = ["nextest", "run", "--workspace", "--no-fail-fast", "--no-tests", "fail"];
    let levels = ["--status-level", "slow", "--final-status-level", "fail"];
    report.run_tests("tests", surroundings.apply(cargo(&arguments).args(levels)));
    // rustdoc takes seconds for each crate, whether it finds anything or not.
    let with_examples = workspace::crates_with_examples();
    if !with_examples.is_empty() {
        let mut command = cargo(&["test", "--doc", "--quiet"]);
        for name in &with_examples {
            command.args(["--package", name]);
        }
        report.run_tests("documentation tests", surroundings.apply(&mut command));
    }
}
