//! Hospitals that settle: bills posted to the interface at a steady rate, whatever the server does. For a server on this
//! machine or in this room:
//!
//! ```text
//! cargo run --release -p kangmai-acceptance --bin settle_load -- --host 127.0.0.1:8080 --key kmk_… \
//!     --register DIR/files/register.csv --rate 200 --seconds 20 --at-most-ms 20
//! ```
//!
//! A time is counted from the moment at which a request was due, not from that at which a busy sender came to it: a server
//! that stops for a second is late for all that fall into it. Ends with failure if a bill was not settled, or if the p99 is
//! above `--at-most-ms`.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for the terminal")]
#![expect(clippy::disallowed_methods, reason = "it measures time")]

use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use kangmai_acceptance::measure::quantile_ms;
use kangmai_acceptance::wire::Wire;
use kangmai_base::{Clock as _, Day, Ids as _, SystemClock, SystemIds};

const SETTLE: &str = "/api/v1/settlement/settle";
/// The column of the register that holds the number of a person.
const NUMBER: &str = "证件号码";
/// Connections: more than are busy at once as long as the server keeps up.
const SENDERS: usize = 64;
const PRE_SETTLE: &str = "/api/v1/settlement/pre-settle";
/// People whose bills are settled, in turn.
const PEOPLE: usize = 4_000;

struct Profile {
    host: String,
    key: String,
    people: Vec<String>,
    rate: u64,
    seconds: u64,
    at_most_ms: Option<f64>,
}

fn main() -> ExitCode {
    match Profile::from_arguments().and_then(|profile| run(&profile)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

impl Profile {
    fn from_arguments() -> Result<Profile> {
        let mut profile = Profile {
            host: "127.0.0.1:8080".to_owned(),
            key: String::new(),
            people: Vec::new(),
            rate: 200,
            seconds: 20,
            at_most_ms: None,
        };
        let mut arguments = std::env::args().skip(1);
        while let Some(flag) = arguments.next() {
            let value = arguments.next().with_context(|| format!("{flag} needs a value"))?;
            match flag.as_str() {
                "--host" => profile.host = value,
                "--key" => profile.key = value,
                "--register" => profile.people = numbers(&value)?,
                "--rate" => profile.rate = value.parse::<u64>()?.max(1),
                "--seconds" => profile.seconds = value.parse()?,
                "--at-most-ms" => profile.at_most_ms = Some(value.parse()?),
                _ => anyhow::bail!("unknown flag {flag}; see the head of acceptance/src/bin/settle_load.rs"),
            }
        }
        anyhow::ensure!(!profile.key.is_empty() && !profile.people.is_empty(), "give --key and --register");
        Ok(profile)
    }
}

/// The numbers of people in a register that has no quoted commas before that column, as the demonstration writes it.
fn numbers(path: &str) -> Result<Vec<String>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {path}"))?;
    let mut lines = text.trim_start_matches('\u{feff}').lines();
    let head = lines.next().unwrap_or_default();
    let column = head.split(',').position(|name| name.trim_matches('"') == NUMBER);
    let column = column.with_context(|| format!("{path} has no column {NUMBER}"))?;
    let cells = lines.filter_map(|line| line.split(',').nth(column));
    let numbers = cells.map(|cell| cell.trim_matches('"').to_owned());
    // 18 signs: the few other documents of a register are none to settle by.
    Ok(numbers.filter(|number| number.len() == 18).collect())
}

/// What the senders met.
#[derive(Default)]
struct Met {
    /// Microseconds from the moment that a request was due, one for each bill that was settled.
    took: Vec<u64>,
    failures: Vec<String>,
}

fn run(profile: &Profile) -> Result<bool> {
    let run = SystemIds.mint(SystemClock.now()).simple().to_string();
    let today = SystemClock.today();
    let people = usable(profile, today)?;
    let (next, end) = (AtomicU64::new(0), profile.rate * profile.seconds);
    let start = Instant::now() + Duration::from_millis(200);
    let all: Vec<Met> = std::thread::scope(|scope| {
        let senders: Vec<_> = (0..SENDERS)
            .map(|_| scope.spawn(|| send(profile, &people, (&run, today), (&next, end), start)))
            .collect();
        senders.into_iter().filter_map(|sender| sender.join().ok()).collect()
    });
    Ok(tell(profile, all, start.elapsed()))
}

/// The first people of the register that the interface knows and who are alive: a trial for each, which also warms it up.
fn usable(profile: &Profile, today: Day) -> Result<Vec<String>> {
    let mut wire = Wire::to(&profile.host);
    let mut people = Vec::with_capacity(PEOPLE);
    for person in &profile.people {
        let answer = wire.post_json(PRE_SETTLE, &profile.key, "trial", &bill(person, "trial", 0, today))?;
        match answer.status {
            200 => people.push(person.clone()),
            404 | 422 => {}
            status => {
                anyhow::bail!("a trial is answered {status}: {}", String::from_utf8_lossy(&answer.body))
            }
        }
        if people.len() == PEOPLE {
            break;
        }
    }
    anyhow::ensure!(!people.is_empty(), "the interface knows nobody of the register");
    Ok(people)
}

fn send(
    profile: &Profile,
    people: &[String],
    (run, today): (&str, Day),
    (next, end): (&AtomicU64, u64),
    start: Instant,
) -> Met {
    let mut wire = Wire::to(&profile.host);
    let mut met = Met::default();
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= end {
            return met;
        }
        let due = start + Duration::from_micros(number * 1_000_000 / profile.rate);
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        let person = &people[usize::try_from(number).unwrap_or(0) % people.len()];
        let body = bill(person, &run[run.len() - 12..], number, today);
        match wire.post_json(SETTLE, &profile.key, &format!("{run}-{number}"), &body) {
            Ok(answer) if answer.status == 200 => {
                met.took.push(u64::try_from(due.elapsed().as_micros()).unwrap_or(u64::MAX));
            }
            Ok(answer) => {
                met.failures.push(format!("{} {}", answer.status, String::from_utf8_lossy(&answer.body)));
            }
            Err(error) => met.failures.push(error.to_string()),
        }
    }
}

/// A stay of ten days that ended yesterday.
fn bill(person: &str, run: &str, number: u64, today: Day) -> String {
    let (from, to) = (today.plus_days(-11), today.plus_days(-1));
    let total = format!("{}.00", 1_000 + number % 30_000);
    serde_json::json!({
        "number": format!("{run}-{number}"), "person": { "id_number": person }, "setting": "inpatient",
        "referral": "referred", "admission": from.to_string(), "discharge": to.to_string(), "total": total,
        "compliant": total,
    })
    .to_string()
}

fn tell(profile: &Profile, all: Vec<Met>, took: Duration) -> bool {
    let mut times: Vec<u64> = all.iter().flat_map(|met| met.took.iter().copied()).collect();
    times.sort_unstable();
    let failures: Vec<&String> = all.iter().flat_map(|met| &met.failures).collect();
    let at = |share: f64| quantile_ms(&times, share);
    println!(
        "{} settled, {} not, {:.0} a second; p50 {:.2} ms, p95 {:.2} ms, p99 {:.2} ms, max {:.2} ms",
        times.len(),
        failures.len(),
        times.len() as f64 / took.as_secs_f64(),
        at(0.5),
        at(0.95),
        at(0.99),
        at(1.0)
    );
    for failure in failures.iter().take(3) {
        println!("not settled: {failure}");
    }
    failures.is_empty() && !times.is_empty() && profile.at_most_ms.is_none_or(|limit| at(0.99) <= limit)
}
