//! Phones and a server under all that a network does to them: what is asked or answered is lost, comes twice, comes in another
//! order or cut off; phones die between two steps; clocks are off by two days; people move and doctors are transferred; two
//! doctors write about one person. In the end all know the same, nothing is lost and nothing is there twice.
//!
//! One seed is one world: a seed that fails fails again. `KANGMAI_SYNC_SEEDS` says how many are tried.

#![expect(clippy::expect_used, reason = "a test says what it needs")]

use std::collections::BTreeSet;

use kangmai_acceptance::county::{County, TOWNSHIP, VILLAGE};
use kangmai_acceptance::phone::{Outgoing, Phone};
use kangmai_access::Role;
use kangmai_base::{IdNumber, SeededIds, Uuid};
use kangmai_database::{DatabaseError, Row, Transaction, params};
use kangmai_follow_up::enrol_all;
use serde_json::{Value, json};

/// How many worlds are tried unless somebody asks for more.
const SEEDS: u64 = 200;
/// Worlds that live in one county, one after the other: making a county takes longer than a world.
const WORLDS_OF_A_COUNTY: u64 = 20;
/// Steps of one world.
const STEPS: usize = 60;
const OTHER_VILLAGE: &str = "411722001002";
const VILLAGES: [&str; 2] = [VILLAGE, OTHER_VILLAGE];
/// People of one county.
const PEOPLE: usize = 8;

/// A number after the other out of one seed (xorshift).
struct Lot(u64);

impl Lot {
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from((self.0 >> 11) % most as u64).expect("small")
    }

    fn chance(&mut self, in_ten: usize) -> bool {
        self.below(10) < in_ten
    }
}

fn given(county: &County) {
    let mut register =
        "户编号,与户主关系,姓名,证件号码,户籍地区划代码,联系电话,参保状态,人群类别,认定日期\n".to_owned();
    let mut diagnoses = "证件号码,姓名,诊断编码,诊断名称,确诊日期\n".to_owned();
    for index in 0..PEOPLE {
        let number = IdNumber::with_checksum(&format!("411722196{index}0101991")).expect("a number");
        let name = format!("示例{}", ["甲", "乙", "丙", "丁", "戊", "己", "庚", "辛"][index]);
        register += &format!("H{index},户主,{name},{},{},,居民,,\n", number.as_str(), VILLAGES[index % 2]);
        diagnoses += &format!("{},{name},I10.x00,示例诊断,2026-09-05\n", number.as_str());
    }
    for (key, text) in [("register", register), ("diagnoses", diagnoses)] {
        let finished = county.import(key, &format!("{key}.csv"), text.as_bytes());
        assert_eq!((finished.summary.faulty, finished.parked), (0, 0), "{finished:?}");
    }
    enrol_all(&county.app, county.app.today(), |_| {}).expect("a run");
}

/// Three doctors, each with a phone.
struct World {
    lot: Lot,
    ids: SeededIds,
    phones: Vec<(String, Phone)>,
}

impl World {
    fn new(county: &County, seed: u64) -> World {
        let mut world = World {
            lot: Lot(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1),
            ids: SeededIds::new(1_000 + seed),
            phones: Vec::new(),
        };
        for (name, role, place) in [
            ("one", Role::VillageDoctor, VILLAGE),
            ("two", Role::VillageDoctor, OTHER_VILLAGE),
            ("both", Role::TownshipOfficer, TOWNSHIP),
        ] {
            let account = format!("{name}_{seed}");
            county.employ(role, &account, place);
            let mut signed_in = county.sign_in_as(&account);
            let mut phone = Phone::registered(&mut signed_in, county.visitor(), name, "123456");
            phone.ahead_seconds = i64::try_from(world.lot.below(5)).expect("small") * 86_400 - 2 * 86_400;
            world.phones.push((account, phone));
        }
        world
    }

    fn step(&mut self, county: &County) {
        let which = self.lot.below(self.phones.len());
        match self.lot.below(20) {
            0..=6 => self.write(county, which),
            7..=11 => self.push(which),
            12..=14 => {
                let deaf = self.lot.chance(3);
                self.phones[which].1.hears(deaf);
            }
            15 => county.clock.advance(i64::try_from(self.lot.below(40_000)).expect("small")),
            16 => self.somebody_moves(county),
            17 if which < 2 => {
                let (account, place) = (self.phones[which].0.clone(), VILLAGES[self.lot.below(2)]);
                county.transfer(&account, Role::VillageDoctor, place);
            }
            // The app dies and is opened again: what was not written down is gone, and nothing else.
            18 => {
                let phone = &mut self.phones[which].1;
                let all = phone.outbox.clone();
                if let Some(some) = all.first() {
                    let _unheard = phone.sends("/sync/push", &Phone::push_of([some]));
                }
            }
            _ => county.clock.advance(86_400),
        }
    }

    fn write(&mut self, county: &County, which: usize) {
        let now = county.app.clock.now();
        let known: Vec<Uuid> = self.phones[which].1.people.keys().copied().collect();
        if known.is_empty() {
            return;
        }
        let person = known[self.lot.below(known.len())];
        let phone = &mut self.phones[which].1;
        let day = now.plus_seconds(phone.ahead_seconds - 86_400 * self.lot.below(40) as i64).day();
        let (kind, body) = match self.lot.below(8) {
            0 => ("follow_up.missed", json!({ "on": day, "outcome": "not_at_home" })),
            1 => {
                let Some(last) = phone.written.last().copied() else { return };
                ("follow_up.undone", json!({ "fact": last }))
            }
            2 => ("field.unknown", json!({ "day": day })),
            _ => {
                let pressure = 110 + self.lot.below(90);
                let visit = kangmai_base::Ids::mint(&self.ids, now);
                ("follow_up.visited", visit_of(visit, &day.to_string(), pressure))
            }
        };
        phone.writes(&self.ids, now, kind, person, body);
    }

    /// Hands something in over a bad network.
    fn push(&mut self, which: usize) {
        let mut facts: Vec<Outgoing> = self.phones[which].1.outbox.clone();
        if facts.is_empty() {
            return;
        }
        // Some of it, in some order, some of it twice.
        if self.lot.chance(4) {
            let keep = 1 + self.lot.below(facts.len());
            facts.truncate(keep);
        }
        if self.lot.chance(4) {
            for index in (1..facts.len()).rev() {
                facts.swap(index, self.lot.below(index + 1));
            }
        }
        if self.lot.chance(3) {
            let again = facts[self.lot.below(facts.len())].clone();
            facts.push(again);
        }
        let phone = &mut self.phones[which].1;
        match self.lot.below(10) {
            // It never arrives.
            0 => {}
            // It arrives cut off.
            1 => {
                let mut body = Phone::push_of(&facts).to_string().into_bytes();
                body.truncate(body.len() / 2);
                let (status, _) = phone.sends_bytes("/sync/push", body);
                assert!(status.is_client_error(), "{status}");
            }
            // It arrives, and the answer is lost.
            2 | 3 => _ = phone.sends("/sync/push", &Phone::push_of(&facts)),
            _ => _ = phone.pushes_these(&facts),
        }
    }

    fn somebody_moves(&mut self, county: &County) {
        let known: BTreeSet<Uuid> =
            self.phones.iter().flat_map(|(_, phone)| phone.people.keys().copied()).collect();
        let known: Vec<Uuid> = known.into_iter().collect();
        if !known.is_empty() {
            county.move_home(known[self.lot.below(known.len())], VILLAGES[self.lot.below(2)]);
        }
    }

    /// The network is back: all that waits is handed in, all that is new is heard.
    fn settle(&mut self) {
        for (_, phone) in &mut self.phones {
            phone.pushes();
        }
        for (_, phone) in &mut self.phones {
            phone.hears(false);
        }
    }
}

fn visit_of(visit: Uuid, on: &str, systolic: usize) -> Value {
    json!({
        "visit": visit, "on": on, "way": "home", "programmes": ["hypertension"], "windows": [],
        "answers": {
            "systolic": [systolic.to_string()], "diastolic": ["80"], "hypertension_danger": ["none"],
            "side_effect": ["none"], "complication": ["none"], "adherence": ["regular"],
        },
    })
}

const RECORDED: &str = "select count(*) from fact where id = $1";
const RECEIVED: &str = "select fact, outcome from phone_fact where phone = $1 order by sequence limit 10000";
const PARKED: &str = "select count(*) from parked_fact";
const BROKEN: &str = "select count(*) from phone_fact where is_broken";

fn count(tx: &mut Transaction<'_>, sql: &'static str) -> i64 {
    tx.query_one(sql, &[]).expect("a count").map_or(0, |row| row.get(0).expect("a number"))
}

fn parked(county: &County) -> i64 {
    let read = |tx: &mut Transaction<'_>| Ok::<_, DatabaseError>(count(tx, PARKED));
    county.app.database.read_blocking(read).expect("the database")
}

/// Nothing is lost, nothing is there twice: every fact that a phone wrote has one receipt, and is in the record once or put aside.
fn nothing_is_lost(county: &County, world: &World, (seed, parked_before): (u64, i64)) {
    let written: Vec<(Uuid, Vec<Uuid>)> =
        world.phones.iter().map(|(_, phone)| (phone.id, phone.written.clone())).collect();
    let read = move |tx: &mut Transaction<'_>| -> Result<(), DatabaseError> {
        assert_eq!(count(tx, BROKEN), 0, "seed {seed}: a chain is broken");
        let mut aside = 0;
        for (phone, written) in &written {
            let receipt =
                |row: &Row| -> Result<(Uuid, String), DatabaseError> { Ok((row.get(0)?, row.get(1)?)) };
            let rows = tx.query(RECEIVED, &params![*phone])?;
            let receipts: Vec<(Uuid, String)> = rows.iter().map(receipt).collect::<Result<_, _>>()?;
            let facts: Vec<Uuid> = receipts.iter().map(|(fact, _)| *fact).collect();
            assert_eq!(&facts, written, "seed {seed}: a receipt for each, in the order of writing");
            for (fact, outcome) in receipts {
                let times: i64 = tx.query_one(RECORDED, &params![fact])?.map_or(Ok(0), |row| row.get(0))?;
                match outcome.as_str() {
                    "accepted" => assert_eq!(times, 1, "seed {seed}: {fact} was accepted"),
                    "parked" => {
                        assert_eq!(times, 0, "seed {seed}: {fact} is put aside and in the record");
                        aside += 1;
                    }
                    other => assert_eq!(other, "", "seed {seed}: nothing that a phone writes is {other}"),
                }
            }
        }
        let parked = count(tx, PARKED) - parked_before;
        assert_eq!(parked, aside, "seed {seed}: what was put aside is there, once");
        Ok(())
    };
    county.app.database.read_blocking(read).expect("the database");
}

/// A phone that begins anew knows no more and nothing else than one that went through it all.
fn all_know_the_same(county: &County, world: &mut World, seed: u64) {
    for index in 0..world.phones.len() {
        let account = world.phones[index].0.clone();
        let mut signed_in = county.sign_in_as(&account);
        let mut fresh = Phone::registered(&mut signed_in, county.visitor(), "neu", "123456");
        fresh.hears(false);
        let (_, old) = &world.phones[index];
        assert!(old.outbox.is_empty(), "seed {seed}: {account} still waits");
        let ids = |phone: &Phone| phone.people.keys().copied().collect::<Vec<_>>();
        assert_eq!(ids(&fresh), ids(old), "seed {seed}: whom {account} knows");
        for (person, known) in &fresh.people {
            assert_eq!(known, &old.people[person], "seed {seed}: what {account} knows of {person}");
        }
    }
}

/// Worlds of one county, one after the other.
fn try_worlds(county: &County, seeds: std::ops::Range<u64>) {
    given(county);
    for seed in seeds.clone() {
        let parked_before = parked(county);
        let mut world = World::new(county, seed);
        for (_, phone) in &mut world.phones {
            phone.hears(false);
        }
        for _ in 0..STEPS {
            world.step(county);
        }
        world.settle();
        // What one handed in, another hears.
        world.settle();
        nothing_is_lost(county, &world, (seed, parked_before));
        all_know_the_same(county, &mut world, seed);
    }
    let differs = kangmai_record::rebuild(&county.app.database, &county.app.record, true, |_| {});
    assert_eq!(differs.expect("a rebuild"), [], "seeds {seeds:?}");
}

fn seeds() -> u64 {
    let asked = std::env::var("KANGMAI_SYNC_SEEDS").ok().and_then(|text| text.parse().ok());
    asked.unwrap_or(SEEDS)
}

#[test]
fn phones_and_server_come_to_the_same_whatever_the_network_does() {
    let all = seeds();
    for first in (0..all).step_by(usize::try_from(WORLDS_OF_A_COUNTY).expect("small")) {
        try_worlds(&County::on_sqlite(), first..all.min(first + WORLDS_OF_A_COUNTY));
    }
}

#[test]
fn the_same_on_postgresql() {
    let Some(county) = County::on_postgresql() else { return };
    try_worlds(&county, 1_000_000..1_000_000 + WORLDS_OF_A_COUNTY.min(seeds()));
}
