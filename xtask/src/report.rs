//! Runs named steps one after the other, times them, counts what passed and failed, and says so at the end.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use anyhow::Result;

/// The tests that a step reported.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
}

impl Count {
    /// A run that `failed` without a failed test has died: that is a failure too.
    fn or_died(self, failed: bool) -> Count {
        Count { failed: self.failed + u64::from(failed && self.failed == 0), ..self }
    }
}

/// All steps of a run.
#[derive(Debug, Default)]
pub(crate) struct Report {
    steps: Vec<Step>,
}

#[derive(Debug)]
struct Step {
    name: String,
    took: Duration,
    count: Count,
    /// Why it failed; nothing to say if a command already printed it.
    failure: Option<String>,
}

impl Report {
    /// Runs `act` as the step `name`. A step without tests of its own counts as one.
    pub(crate) fn step<T>(&mut self, name: &str, act: impl FnOnce() -> Result<T>) -> Option<T> {
        println!("\n── {name}");
        let start = now();
        let outcome = act();
        let took = now().duration_since(start);
        let (count, failure, value) = match outcome {
            Ok(value) => (Count { passed: 1, failed: 0 }, None, Some(value)),
            Err(error) => {
                eprintln!("{name}: {error:#}");
                (Count { passed: 0, failed: 1 }, Some(format!("{error:#}")), None)
            }
        };
        self.steps.push(Step { name: name.to_owned(), took, count, failure });
        value
    }

    /// Runs a command as a step.
    pub(crate) fn run(&mut self, name: &str, command: &mut Command) -> bool {
        self.step(name, || {
            let status = command.stdin(Stdio::null()).status()?;
            anyhow::ensure!(status.success(), "ended with {status}");
            Ok(())
        })
        .is_some()
    }

    /// Runs a command that runs tests: its output goes on as it is, and the tests it reports are counted.
    pub(crate) fn run_tests(&mut self, name: &str, command: &mut Command) -> bool {
        let mut counted = Count::default();
        let passed = self.step(name, || {
            let (status, count) = watch(command, std::io::stdout(), std::io::stderr())?;
            counted = count;
            anyhow::ensure!(status.success(), "ended with {status}");
            anyhow::ensure!(count.failed == 0, "{} failed", count.failed);
            Ok(())
        });
        if let (Some(step), true) = (self.steps.last_mut(), counted != Count::default()) {
            step.count = counted.or_died(passed.is_none());
        }
        passed.is_some()
    }

    /// Prints the table of steps and, alone on the last line, `N passed, N failed`. True if nothing failed.
    pub(crate) fn close(self) -> bool {
        println!("\n── summary");
        let mut total = Count::default();
        for step in &self.steps {
            total.passed += step.count.passed;
            total.failed += step.count.failed;
            let word = if step.count.failed == 0 { "ok" } else { "FAILED" };
            println!("{:>7.1} s  {word:<6}  {}", step.took.as_secs_f64(), step.name);
            if let Some(failure) = &step.failure {
                println!("{:19}{}", "", failure.lines().next().unwrap_or_default());
            }
        }
        let seconds: f64 = self.steps.iter().map(|step| step.took.as_secs_f64()).sum();
        println!("{seconds:>7.1} s  in all\n\n{} passed, {} failed", total.passed, total.failed);
        total.failed == 0
    }
}

#[expect(clippy::disallowed_methods, reason = "to tell how long a step took")]
fn now() -> Instant {
    Instant::now()
}

/// Runs `command`, passes its output on line by line and counts the tests in it.
fn watch(
    command: &mut Command,
    to_stdout: impl Write + Send,
    to_stderr: impl Write + Send,
) -> Result<(std::process::ExitStatus, Count)> {
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let count = Mutex::new(Count::default());
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    std::thread::scope(|scope| {
        scope.spawn(|| stdout.map(|pipe| pass_on(pipe, to_stdout, &count)));
        scope.spawn(|| stderr.map(|pipe| pass_on(pipe, to_stderr, &count)));
    });
    let status = child.wait()?;
    let count = *count.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    Ok((status, count))
}

fn pass_on(from: impl Read, mut to: impl Write, count: &Mutex<Count>) {
    for line in BufReader::new(from).split(b'\n').map_while(Result::ok) {
        let line = String::from_utf8_lossy(&line).into_owned();
        if let Some(more) = count_in(&line) {
            let mut count = count.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            count.passed += more.passed;
            count.failed += more.failed;
        }
        // A closed terminal is no reason to stop counting.
        let _unseen = writeln!(to, "{line}");
    }
}

/// The tests told by a closing line of nextest or of libtest.
fn count_in(line: &str) -> Option<Count> {
    let line = without_colour(line);
    let told = match line.split_once("tests run:").or_else(|| line.split_once("test run:")) {
        Some((before, told)) if before.contains("Summary") => told,
        _ => line.strip_prefix("test result:")?,
    };
    let number_before = |what: &str| -> u64 {
        let before = told.split(what).next().filter(|before| before.len() < told.len());
        before.and_then(|before| before.split_whitespace().next_back()?.parse().ok()).unwrap_or(0)
    };
    let failed = number_before(" failed") + number_before(" exec failed") + number_before(" timed out");
    Some(Count { passed: number_before(" passed"), failed })
}

fn without_colour(line: &str) -> String {
    let mut plain = String::with_capacity(line.len());
    let mut in_escape = false;
    for character in line.chars() {
        match character {
            '\u{1b}' => in_escape = true,
            'm' if in_escape => in_escape = false,
            _ if in_escape => {}
            _ => plain.push(character),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closing_lines_are_counted() {
        let nextest = "\u{1b}[31m     Summary\u{1b}[0m [  12.003s] 345 tests run: 340 passed (2 slow), 4 failed, 1 timed out, 3 skipped";
        assert_eq!(count_in(nextest), Some(Count { passed: 340, failed: 5 }));
        let one = "     Summary [   0.003s] 1 test run: 1 passed, 0 skipped";
        assert_eq!(count_in(one), Some(Count { passed: 1, failed: 0 }));
        let libtest = "test result: FAILED. 5 passed; 2 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s";
        assert_eq!(count_in(libtest), Some(Count { passed: 5, failed: 2 }));
        assert_eq!(count_in("running 3 tests"), None);
    }

    #[test]
    fn a_failed_step_makes_the_report_fail() {
        let mut report = Report::default();
        assert!(report.run("true", &mut Command::new("true")));
        assert!(!report.run("false", &mut Command::new("false")));
        assert!(!report.close());
    }

    #[test]
    fn a_test_run_that_dies_without_a_failed_test_is_a_failure() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo 'test result: ok. 3 passed; 0 failed;'; exit 101"]);
        let mut output = Vec::new();
        let (status, count) = watch(&mut command, &mut output, std::io::sink()).unwrap();
        assert_eq!(String::from_utf8(output).unwrap(), "test result: ok. 3 passed; 0 failed;\n");
        assert_eq!(count.or_died(!status.success()), Count { passed: 3, failed: 1 });
    }
}
