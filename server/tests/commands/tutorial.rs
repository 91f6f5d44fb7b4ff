//! docs/howto/write-a-pack.md, done from zero in an empty folder: every file is written as it stands there, every
//! command is run, and the program must answer as it is printed. `…` stands for any text, alone for any lines.
#![expect(clippy::expect_used, clippy::panic, reason = "a test")]

use std::path::{Path, PathBuf};
use std::process::Command;

const TUTORIAL: &str = include_str!("../../../docs/howto/write-a-pack.md");
const ANYTHING: &str = "…";

/// An empty folder; gone afterwards.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let folder = std::env::temp_dir().join(format!("kangmai-test-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        Folder(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// One thing to do.
#[derive(Debug)]
enum Step {
    /// Write a file, or add to it.
    File { path: &'static str, text: String, append: bool },
    /// Run a command and read its answer.
    Command { line: &'static str, answer: Vec<&'static str> },
}

/// The fenced blocks of the tutorial: `toml` and `csv` name a file, `console` holds commands and their answers.
fn steps() -> Vec<Step> {
    let mut steps = Vec::new();
    let mut lines = TUTORIAL.lines();
    while let Some(line) = lines.next() {
        let Some(head) = line.strip_prefix("```") else { continue };
        let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        match head.split(' ').collect::<Vec<_>>().as_slice() {
            ["console"] => {
                for line in block {
                    match (line.strip_prefix("$ "), steps.last_mut()) {
                        (Some(line), _) => steps.push(Step::Command { line, answer: Vec::new() }),
                        (None, Some(Step::Command { answer, .. })) => answer.push(line),
                        (None, _) => panic!("an answer without a command: {line}"),
                    }
                }
            }
            ["toml" | "csv", how @ .., path] => {
                let append = *how == ["append"];
                steps.push(Step::File { path, text: block.join("\n") + "\n", append });
            }
            ["sh"] => {}
            _ => panic!("a block that nobody runs: {line}"),
        }
    }
    steps
}

/// Standard output, then standard error, of a command in `folder`.
fn run(folder: &Path, line: &str) -> String {
    let words: Vec<&str> = line.split_whitespace().collect();
    match words.as_slice() {
        ["rm", path] => {
            std::fs::remove_file(folder.join(path)).expect("the file to remove");
            String::new()
        }
        ["kangmai", words @ ..] => {
            let mut command = Command::new(env!("CARGO_BIN_EXE_kangmai"));
            command.env("KANGMAI_MASTER_KEY", "5e".repeat(32));
            command.args(words).current_dir(folder);
            command.env_remove("RUST_BACKTRACE").env_remove("RUST_LIB_BACKTRACE");
            let output = command.output().expect("the command runs");
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            text(&output.stdout) + &text(&output.stderr)
        }
        _ => panic!("a command that nobody knows: {line}"),
    }
}

/// Whether `found` is the printed `line`.
fn is_line(line: &str, found: &str) -> bool {
    let mut parts = line.split(ANYTHING);
    let Some(mut rest) = parts.next().and_then(|first| found.strip_prefix(first)) else { return false };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        let Some(at) = rest.find(part) else { return false };
        rest = rest.get(at + part.len()..).unwrap_or_default();
    }
    true
}

fn is_answer(printed: &[&str], found: &[&str]) -> bool {
    match (printed, found) {
        ([], []) => true,
        ([ANYTHING, rest @ ..], _) => (0..=found.len()).any(|skipped| is_answer(rest, &found[skipped..])),
        ([line, rest @ ..], [first, others @ ..]) => is_line(line, first) && is_answer(rest, others),
        _ => false,
    }
}

#[test]
fn the_tutorial_works_from_zero_as_it_is_written() {
    let folder = Folder::new("tutorial");
    let (mut files, mut commands) = (0, 0);
    for step in steps() {
        match step {
            Step::File { path, text, append } => {
                let path = folder.0.join(path);
                std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
                let before =
                    if append { std::fs::read_to_string(&path).expect("the file") } else { String::new() };
                std::fs::write(&path, before + &text).expect("a file");
                files += 1;
            }
            Step::Command { line, answer } => {
                let told = run(&folder.0, line);
                let found: Vec<&str> = told.lines().map(str::trim_end).collect();
                assert!(
                    is_answer(&answer, &found),
                    "$ {line}\nprinted:\n{}\n\nfound:\n{told}",
                    answer.join("\n")
                );
                commands += 1;
            }
        }
    }
    assert!(files >= 12 && commands >= 14, "{files} files, {commands} commands");
}

#[test]
fn what_is_printed_is_compared_and_what_is_left_out_is_not() {
    for (printed, found, same) in [
        (&["a"][..], &["a"][..], true),
        (&["a"], &["b"], false),
        (&["a"], &["a", "b"], false),
        (&["a", "…"], &["a", "b", "c"], true),
        (&["a", "…", "c"], &["a", "c"], true),
        (&["a", "…", "c"], &["a", "b"], false),
        (&["… packs, … benefits, release …"], &["13 packs, 9 benefits, release ab"], true),
        (&["… packs, … benefits"], &["13 packs, 9 layers"], false),
        (&["… cases, 0 did not"], &["13 cases, 10 did not"], false),
        (&[], &["a"], false),
        (&["a"], &[], false),
    ] {
        assert_eq!(is_answer(printed, found), same, "{printed:?} {found:?}");
    }
}

#[test]
fn a_folder_that_holds_something_is_not_unpacked_into() {
    let folder = Folder::new("unpack");
    std::fs::write(folder.0.join("mine.toml"), "mine").expect("a file");
    let told = run(&folder.0, "kangmai policy unpack .");
    assert!(told.contains("is not empty"), "{told}");
    let kept: Vec<_> = std::fs::read_dir(&folder.0).expect("the folder").collect();
    assert_eq!(kept.len(), 1);
}
