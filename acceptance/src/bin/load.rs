//! A load profile: many users who read, without a pause or with one after each page. For a server on this machine or in this room:
//!
//! ```text
//! cargo run --release -p kangmai-acceptance --bin load -- --host 127.0.0.1:8080 --login NAME:PASSWORD \
//!     --users 50 --pause-ms 1000 --seconds 30 --get '/search?words=王' --gather /warnings /warnings/ --at-most-ms 30
//! ```
//!
//! `--get PATH` is one path. `--gather PAGE BEGIN` opens PAGE once and takes every link there that begins with BEGIN,
//! as one group. Ends with failure if an answer failed, or if a p99 is above `--at-most-ms`.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for the terminal")]
#![expect(clippy::disallowed_methods, reason = "it measures time")]

use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use kangmai_acceptance::html::Document;
use kangmai_acceptance::measure::quantile_ms;
use kangmai_acceptance::visitor::percent;
use kangmai_acceptance::wire::Wire;

/// The page with the login form, and where that is sent.
const SIGN_IN: &str = "/sign-in";
/// Nobody asks for more.
const MOST_USERS: usize = 1_000;

struct Profile {
    host: String,
    login: Option<(String, String)>,
    users: usize,
    /// Between an answer and the next request of the same user, on average.
    pause_ms: u64,
    seconds: u64,
    requests: u64,
    gets: Vec<String>,
    gathers: Vec<(String, String)>,
    at_most_ms: Option<f64>,
}

/// Paths that are told together.
struct Group {
    name: String,
    paths: Vec<String>,
}

/// What one user met in one group.
#[derive(Default, Clone)]
struct Met {
    /// Microseconds, one for each answer.
    took: Vec<u64>,
    failures: u64,
    bytes: u64,
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
            login: None,
            users: 50,
            pause_ms: 0,
            seconds: 20,
            requests: 1_000_000,
            gets: Vec::new(),
            gathers: Vec::new(),
            at_most_ms: None,
        };
        let mut arguments = std::env::args().skip(1);
        while let Some(flag) = arguments.next() {
            let mut value = || arguments.next().with_context(|| format!("{flag} needs a value"));
            match flag.as_str() {
                "--host" => profile.host = value()?,
                "--login" => {
                    let pair = value()?;
                    let (name, password) = pair.split_once(':').context("--login NAME:PASSWORD")?;
                    profile.login = Some((name.to_owned(), password.to_owned()));
                }
                "--users" => profile.users = value()?.parse::<usize>()?.clamp(1, MOST_USERS),
                "--pause-ms" => profile.pause_ms = value()?.parse()?,
                "--seconds" => profile.seconds = value()?.parse()?,
                "--requests" => profile.requests = value()?.parse()?,
                "--get" => profile.gets.push(value()?),
                "--gather" => profile.gathers.push((value()?, value()?)),
                "--at-most-ms" => profile.at_most_ms = Some(value()?.parse()?),
                _ => anyhow::bail!("unknown flag {flag}; see the head of acceptance/src/bin/load.rs"),
            }
        }
        anyhow::ensure!(!profile.gets.is_empty() || !profile.gathers.is_empty(), "give --get or --gather");
        Ok(profile)
    }

    fn signed_in(&self) -> Result<Wire> {
        let mut wire = Wire::to(&self.host);
        let Some((name, password)) = &self.login else { return Ok(wire) };
        let answer = wire.get(SIGN_IN).with_context(|| format!("no answer from {}", self.host))?;
        let form = login_form(&String::from_utf8_lossy(&answer.body), name, password)?;
        let answer = wire.post(SIGN_IN, &form)?;
        anyhow::ensure!(
            (300..400).contains(&answer.status),
            "the login of {name} is refused ({})",
            answer.status
        );
        Ok(wire)
    }

    fn groups(&self, wire: &mut Wire) -> Result<Vec<Group>> {
        let single = self.gets.iter().map(|path| {
            let path = path
                .chars()
                .map(|sign| if sign.is_ascii() { sign.to_string() } else { percent(&sign.to_string()) });
            let path: String = path.collect();
            Group { name: path.clone(), paths: vec![path] }
        });
        let mut groups: Vec<Group> = single.collect();
        for (page, begin) in &self.gathers {
            let answer = wire.get(page)?;
            let html = String::from_utf8_lossy(&answer.body);
            let document = Document::read(&html).map_err(|error| anyhow::anyhow!("{page}: {error}"))?;
            let links = document.all("a").into_iter().filter_map(|link| document.attribute(link, "href"));
            let paths: Vec<String> =
                links.filter(|link| link.starts_with(begin.as_str())).map(str::to_owned).collect();
            anyhow::ensure!(!paths.is_empty(), "{page} ({}) has no link to {begin}…", answer.status);
            groups.push(Group { name: format!("{begin}… ({} pages)", paths.len()), paths });
        }
        Ok(groups)
    }
}

/// The login form filled in: its hidden fields, the name in its text field, the password in its password field.
fn login_form(html: &str, name: &str, password: &str) -> Result<String> {
    let page = Document::read(html).map_err(|error| anyhow::anyhow!("{SIGN_IN}: {error}"))?;
    let kind = |input: &usize| page.attribute(*input, "type").unwrap_or("text").to_owned();
    let secret = page.all("input").into_iter().find(|input| kind(input) == "password");
    let form = secret
        .and_then(|secret| page.around(secret, "form"))
        .context("the sign-in page has no field for a password")?;
    let pairs = page.all_in(form, "input").into_iter().filter_map(|input| {
        let value = match kind(&input).as_str() {
            "hidden" => page.attribute(input, "value").unwrap_or_default(),
            "password" => password,
            "text" => name,
            _ => return None,
        };
        Some(format!("{}={}", percent(page.attribute(input, "name")?), percent(value)))
    });
    Ok(pairs.collect::<Vec<_>>().join("&"))
}

fn run(profile: &Profile) -> Result<bool> {
    let mut wires = Vec::with_capacity(profile.users);
    for _ in 0..profile.users {
        wires.push(profile.signed_in()?);
    }
    let groups = profile.groups(&mut wires[0])?;
    let left = AtomicU64::new(profile.requests);
    let start = Instant::now();
    let end = start + Duration::from_secs(profile.seconds);
    let met: Vec<Vec<Met>> = std::thread::scope(|scope| {
        let users = wires.into_iter().enumerate();
        let threads: Vec<_> = users
            .map(|(user, wire)| {
                let (groups, left) = (&groups, &left);
                scope.spawn(move || read_pages(wire, (user, profile.pause_ms), groups, end, left))
            })
            .collect();
        threads.into_iter().filter_map(|thread| thread.join().ok()).collect()
    });
    Ok(tell(profile, &groups, &met, start.elapsed()))
}

fn read_pages(
    mut wire: Wire,
    (user, pause_ms): (usize, u64),
    groups: &[Group],
    end: Instant,
    left: &AtomicU64,
) -> Vec<Met> {
    let mut met = vec![Met::default(); groups.len()];
    let mut turn = user;
    // Half as long to one and a half times as long, each user by a sequence of its own.
    let mut sequence = user as u64 + 1;
    let mut pause = || {
        sequence = sequence.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let share = (sequence >> 33) % 1_000;
        std::thread::sleep(Duration::from_micros(pause_ms * (500 + share)));
    };
    pause();
    while Instant::now() < end && take_one(left) {
        let group = turn % groups.len();
        let paths = &groups[group].paths;
        // Users start at different places and step through a group by a prime, so that no two walk in step.
        let path = &paths[(turn / groups.len()).wrapping_mul(7_919).wrapping_add(user * 31) % paths.len()];
        let before = Instant::now();
        let answer = wire.get(path);
        let took = before.elapsed();
        match answer {
            Ok(answer) if answer.status == 200 => {
                met[group].took.push(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
                met[group].bytes += answer.body.len() as u64;
            }
            _ => met[group].failures += 1,
        }
        turn += 1;
        pause();
    }
    met
}

fn take_one(left: &AtomicU64) -> bool {
    left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok()
}

fn tell(profile: &Profile, groups: &[Group], met: &[Vec<Met>], took: Duration) -> bool {
    let (users, pause, seconds) = (profile.users, profile.pause_ms, took.as_secs_f64());
    println!("{users} users, {pause} ms between pages, {seconds:.1} s");
    println!(
        "{:>9} {:>7} {:>8} {:>8} {:>8} {:>8} {:>8}  path",
        "answers", "failed", "p50 ms", "p95 ms", "p99 ms", "max ms", "KiB"
    );
    let (mut answers, mut good) = (0, true);
    for (place, group) in groups.iter().enumerate() {
        let mut took: Vec<u64> = met.iter().flat_map(|user| user[place].took.iter().copied()).collect();
        took.sort_unstable();
        let failures: u64 = met.iter().map(|user| user[place].failures).sum();
        let bytes: u64 = met.iter().map(|user| user[place].bytes).sum();
        let at = |share: f64| quantile_ms(&took, share);
        let kib = bytes as f64 / 1_024.0 / took.len().max(1) as f64;
        println!(
            "{:>9} {failures:>7} {:>8.2} {:>8.2} {:>8.2} {:>8.2} {kib:>8.1}  {}",
            took.len(),
            at(0.5),
            at(0.95),
            at(0.99),
            at(1.0),
            group.name
        );
        answers += took.len();
        good &= failures == 0 && !took.is_empty() && profile.at_most_ms.is_none_or(|limit| at(0.99) <= limit);
    }
    println!("{answers} answers, {:.0} a second", answers as f64 / took.as_secs_f64());
    good
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_login_form_is_filled_in() {
        let html = "<form><button name=\"language\" value=\"en\">EN</button></form><form method=\"post\">\
            <input type=\"hidden\" name=\"csrf\" value=\"t\"><input name=\"name\"><input type=\"password\" name=\"secret\"></form>";
        assert_eq!(login_form(html, "li", "a b").unwrap(), "csrf=t&name=li&secret=a%20b");
        assert!(login_form("<p>closed</p>", "li", "x").is_err());
    }
}
