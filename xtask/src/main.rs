//! `cargo xtask`: what a person or the continuous integration asks of this repository.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for the terminal")]

mod bench;
mod browser;
mod packages;
mod postgres;
mod programme;
mod report;
mod suite;
mod workspace;

use std::process::ExitCode;

const USAGE: &str = "\
cargo xtask test [--sqlite-only] [--no-browser]   everything that must hold; installs and starts what it needs
cargo xtask ci                                    the same as `test`
cargo xtask bench [FILTER]                        the benches
cargo xtask screenshots                           the browser journeys, pictures into docs/screenshots
cargo xtask new-programme NAME                    a programme that compiles, to be filled";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["test" | "ci", flags @ ..] => {
            suite::Choice::from_flags(flags).and_then(|choice| suite::run(&choice))
        }
        ["screenshots"] => suite::run(&suite::Choice::screenshots()),
        ["bench", filter @ ..] => bench::run(filter),
        ["new-programme", name] => programme::write_new(name).map(|()| true),
        ["help" | "--help" | "-h"] => {
            println!("{USAGE}");
            Ok(true)
        }
        _ => Err(anyhow::anyhow!("unknown command: {}\n\n{USAGE}", words.join(" "))),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
