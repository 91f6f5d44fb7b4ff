//! A load profile of phones: loads of one village at once, pulls with nothing new, and visits handed in by several phones at
//! once, five hundred at a time.
//!
//! ```text
//! cargo run --release -p kangmai-acceptance --bin phone_load -- --host 127.0.0.1:8080 --login NAME:PASSWORD \
//!     --place 411722001001 --phones 5 --facts 5000
//! ```
//!
//! The account needs room for so many phones; they are emptied at the end. The visits go round all who are managed for
//! hypertension in the account's places, each round a day later.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for the terminal")]
#![expect(clippy::disallowed_methods, reason = "it measures time")]

use std::io::{Read as _, Write as _};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use kangmai_acceptance::html::Document;
use kangmai_acceptance::measure::quantile_ms;
use kangmai_acceptance::visitor::percent;
use kangmai_acceptance::wire::{Answer, Wire};
use kangmai_base::{Clock as _, Ids as _, SystemClock, SystemIds, Uuid};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// Facts of one push.
const PUSH: usize = 500;
/// Pulls with nothing new.
const PULLS: usize = 200;
/// The first visits lie so many days back.
const DAYS: usize = 300;

struct Profile {
    host: String,
    login: (String, String),
    place: String,
    phones: usize,
    facts: usize,
}

fn main() -> ExitCode {
    match Profile::from_arguments().and_then(|profile| run(&profile)) {
        Ok(()) => ExitCode::SUCCESS,
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
            login: Default::default(),
            place: String::new(),
            phones: 5,
            facts: 5_000,
        };
        let mut arguments = std::env::args().skip(1);
        while let Some(flag) = arguments.next() {
            let value = arguments.next().with_context(|| format!("{flag} needs a value"))?;
            match flag.as_str() {
                "--host" => profile.host = value,
                "--login" => {
                    let (name, password) = value.split_once(':').context("--login NAME:PASSWORD")?;
                    profile.login = (name.to_owned(), password.to_owned());
                }
                "--place" => profile.place = value,
                "--phones" => profile.phones = value.parse::<usize>()?.clamp(1, 5),
                "--facts" => profile.facts = value.parse()?,
                _ => anyhow::bail!("unknown flag {flag}; see the head of acceptance/src/bin/phone_load.rs"),
            }
        }
        ensure!(!profile.place.is_empty() && !profile.login.0.is_empty(), "give --login and --place");
        Ok(profile)
    }

    fn signed_in(&self) -> Result<Wire> {
        let mut wire = Wire::to(&self.host);
        let page = wire.get("/sign-in")?;
        let html = String::from_utf8_lossy(&page.body);
        let page = Document::read(&html).map_err(|error| anyhow::anyhow!("/sign-in: {error}"))?;
        let hidden =
            page.all("input").into_iter().filter(|input| page.attribute(*input, "type") == Some("hidden"));
        let mut pairs: Vec<String> = hidden
            .filter_map(|input| {
                let value = page.attribute(input, "value").unwrap_or_default();
                Some(format!("{}={}", percent(page.attribute(input, "name")?), percent(value)))
            })
            .collect();
        pairs.push(format!("name={}&password={}", percent(&self.login.0), percent(&self.login.1)));
        let answer = wire.post("/sign-in", &pairs.join("&"))?;
        ensure!((300..400).contains(&answer.status), "the sign-in is refused ({})", answer.status);
        Ok(wire)
    }
}

/// A phone that is registered, with what it knows.
struct Phone {
    wire: Wire,
    id: Uuid,
    key: String,
    sequence: i64,
    chain: [u8; 32],
}

impl Phone {
    fn registered(profile: &Profile, signed_in: &mut Wire, csrf: &str) -> Result<Phone> {
        let proof = "5e".repeat(32);
        let form = format!("csrf={csrf}&name={}&proof={proof}", percent("压测"));
        let said = read_json(&signed_in.post("/field/phones", &form)?)?;
        let text = |name: &str| said[name].as_str().map(str::to_owned).context("keys of a phone");
        let id: Uuid = text("phone")?.parse()?;
        let chain = Sha256::digest(id.to_string().as_bytes()).into();
        Ok(Phone { wire: Wire::to(&profile.host), id, key: text("key")?, sequence: 0, chain })
    }

    fn get(&mut self, path: &str) -> Result<Answer> {
        let key = format!("Bearer {}", self.key);
        Ok(self.wire.send("GET", path, &[("Authorization", &key)], b"")?)
    }

    /// Visits of some people, as one push, packed.
    fn push_of(&mut self, visits: &[(Uuid, String)]) -> Result<Vec<u8>> {
        let now = SystemClock.now();
        let mut facts = Vec::with_capacity(visits.len());
        for (person, on) in visits {
            let text = json!({
                "id": SystemIds.mint(now), "kind": "follow_up.visited", "person": person, "at": now.0 / 1_000,
                "body": {
                    "visit": SystemIds.mint(now), "on": on, "way": "home", "programmes": ["hypertension"], "windows": [],
                    "answers": {
                        "systolic": ["136"], "diastolic": ["84"], "hypertension_danger": ["none"],
                        "side_effect": ["none"], "complication": ["none"], "adherence": ["regular"],
                        "medicines": ["氨氯地平 5mg qd"],
                    },
                },
            });
            let text = text.to_string();
            self.sequence += 1;
            let digest = Sha256::digest(text.as_bytes());
            self.chain = Sha256::new_with_prefix(self.chain).chain_update(digest).finalize().into();
            let chain: String = self.chain.iter().map(|byte| format!("{byte:02x}")).collect();
            facts.push(json!({ "sequence": self.sequence, "chain": chain, "fact": text }));
        }
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(6));
        packer.write_all(json!({ "facts": facts }).to_string().as_bytes())?;
        Ok(packer.finish()?)
    }

    fn push(&mut self, body: &[u8]) -> Result<Value> {
        let key = format!("Bearer {}", self.key);
        let headers = [
            ("Authorization", key.as_str()),
            ("Content-Type", "application/json"),
            ("Content-Encoding", "gzip"),
        ];
        read_json(&self.wire.send("POST", "/sync/push", &headers, body)?)
    }
}

fn read_json(answer: &Answer) -> Result<Value> {
    let text = String::from_utf8_lossy(&answer.body);
    ensure!(answer.status == 200, "answered {}: {text}", answer.status);
    Ok(serde_json::from_str(&text)?)
}

fn run(profile: &Profile) -> Result<()> {
    let mut signed_in = profile.signed_in()?;
    let session = read_json(&signed_in.get("/field/session")?)?;
    let csrf = session["csrf"].as_str().context("a token")?.to_owned();
    let mut phones = Vec::new();
    for _ in 0..profile.phones {
        phones.push(Phone::registered(profile, &mut signed_in, &csrf)?);
    }
    let loads = first_loads(profile, &mut phones)?;
    tell_load(&loads)?;
    pulls(profile, &mut phones)?;
    let people = managed(&mut phones)?;
    pushes(profile, &mut phones, &people)?;
    for phone in &phones {
        signed_in.post(&format!("/phones/{}/wipe", phone.id), &format!("csrf={csrf}"))?;
    }
    Ok(())
}

/// All phones at once, twice over: the first make the load, the others get it as it lies there.
fn first_loads(profile: &Profile, phones: &mut [Phone]) -> Result<Vec<(u64, Vec<u8>)>> {
    let path = format!("/sync/first?place={}", profile.place);
    let mut all = Vec::new();
    for _ in 0..2 {
        let loads: Vec<Result<(u64, Vec<u8>)>> = std::thread::scope(|scope| {
            let threads: Vec<_> = phones
                .iter_mut()
                .map(|phone| {
                    let path = &path;
                    scope.spawn(move || -> Result<(u64, Vec<u8>)> {
                        let start = Instant::now();
                        let answer = phone.get(path)?;
                        ensure!(answer.status == 200, "a load is answered {}", answer.status);
                        Ok((u64::try_from(start.elapsed().as_micros())?, answer.body))
                    })
                })
                .collect();
            threads.into_iter().filter_map(|thread| thread.join().ok()).collect()
        });
        for load in loads {
            all.push(load?);
        }
    }
    Ok(all)
}

/// Says what the loads took.
fn tell_load(loads: &[(u64, Vec<u8>)]) -> Result<()> {
    let (_, packed) = loads.first().context("a load")?;
    let mut text = String::new();
    flate2::read::GzDecoder::new(&packed[..]).read_to_string(&mut text)?;
    let head: Value = serde_json::from_str(text.lines().next().unwrap_or_default())?;
    let mean = loads.iter().map(|(took, _)| *took).sum::<u64>() as f64 / loads.len() as f64 / 1_000.0;
    println!(
        "{} loads, {} at once: mean {mean:.0} ms; {} people, {} facts ({} older left out), {} bytes packed, {} unpacked",
        loads.len(),
        loads.len() / 2,
        head["people"],
        head["facts"],
        head["older"],
        packed.len(),
        text.len()
    );
    Ok(())
}

/// Who is managed for hypertension in all places of the account.
fn managed(phones: &mut [Phone]) -> Result<Vec<Uuid>> {
    let phone = phones.first_mut().context("a phone")?;
    let places = read_json(&phone.get("/sync/pull?cursor=")?)?["places"].clone();
    let mut people = Vec::new();
    for place in places.as_object().context("places")?.keys() {
        let answer = phone.get(&format!("/sync/first?place={place}"))?;
        let mut text = String::new();
        flate2::read::GzDecoder::new(&answer.body[..]).read_to_string(&mut text)?;
        for line in text.lines().skip(1) {
            let line: Value = serde_json::from_str(line)?;
            for one in line["people"].as_array().into_iter().flatten() {
                let is_managed = |fact: &Value| fact["body"]["programme"] == "hypertension";
                if one["facts"].as_array().is_some_and(|facts| facts.iter().any(is_managed)) {
                    people.push(one["person"]["id"].as_str().context("an identifier")?.parse()?);
                }
            }
        }
    }
    ensure!(!people.is_empty(), "nobody there is managed for hypertension");
    Ok(people)
}

fn pulls(profile: &Profile, phones: &mut [Phone]) -> Result<()> {
    let phone = phones.first_mut().context("a phone")?;
    let first = read_json(&phone.get(&format!("/sync/pull?cursor={}:0", profile.place))?)?;
    let mut cursor = first["cursor"].as_str().context("a cursor")?.to_owned();
    let mut took = Vec::new();
    for _ in 0..PULLS {
        let start = Instant::now();
        let news = read_json(&phone.get(&format!("/sync/pull?cursor={cursor}"))?)?;
        if news["facts"].as_array().is_some_and(Vec::is_empty) {
            took.push(u64::try_from(start.elapsed().as_micros())?);
        }
        cursor = news["cursor"].as_str().context("a cursor")?.to_owned();
    }
    took.sort_unstable();
    println!(
        "{} pulls with nothing new: median {:.1} ms, p95 {:.1} ms",
        took.len(),
        quantile_ms(&took, 0.5),
        quantile_ms(&took, 0.95)
    );
    Ok(())
}

fn pushes(profile: &Profile, phones: &mut [Phone], people: &[Uuid]) -> Result<()> {
    let today = SystemClock.today();
    let each = profile.facts / phones.len();
    let mut bodies = Vec::new();
    let mut number = 0;
    for phone in phones.iter_mut() {
        let mut own = Vec::new();
        let mut left = each;
        while left > 0 {
            let visits: Vec<(Uuid, String)> = (0..left.min(PUSH))
                .map(|_| {
                    // Round after round over all people, each round a day later, as visits come.
                    let (person, round) = (people[number % people.len()], number / people.len());
                    number += 1;
                    let back = i32::try_from(DAYS.saturating_sub(round).max(1)).unwrap_or(1);
                    (person, today.plus_days(-back).to_string())
                })
                .collect();
            left -= visits.len();
            own.push(phone.push_of(&visits)?);
        }
        bodies.push(own);
    }
    let bytes: usize = bodies.iter().flatten().map(Vec::len).sum();
    let start = Instant::now();
    let all: Vec<Result<(usize, usize)>> = std::thread::scope(|scope| {
        let threads: Vec<_> = phones
            .iter_mut()
            .zip(&bodies)
            .map(|(phone, bodies)| scope.spawn(move || hand_in(phone, bodies)))
            .collect();
        threads.into_iter().filter_map(|thread| thread.join().ok()).collect()
    });
    let seconds = start.elapsed().as_secs_f64();
    let (mut accepted, mut aside) = (0, 0);
    for one in all {
        let (took, other) = one?;
        (accepted, aside) = (accepted + took, aside + other);
    }
    println!(
        "{accepted} visits accepted by {} phones in {seconds:.2} s: {:.0} a second; {aside} put aside; {bytes} bytes packed",
        phones.len(),
        accepted as f64 / seconds
    );
    Ok(())
}

/// How many were accepted, and how many not.
fn hand_in(phone: &mut Phone, bodies: &[Vec<u8>]) -> Result<(usize, usize)> {
    let (mut accepted, mut aside) = (0, 0);
    for body in bodies {
        let said = phone.push(body)?;
        for answer in said["answers"].as_array().into_iter().flatten() {
            if answer["outcome"] == "accepted" { accepted += 1 } else { aside += 1 }
        }
    }
    Ok((accepted, aside))
}
