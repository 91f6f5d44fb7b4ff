//! A year of bills read from SQLite and settled under two laws.
//!
//! `cargo bench -p kangmai-what-if`: 1,000,000 bills; `KANGMAI_BENCH_BILLS=100000` for fewer.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a bench says what it needs and what it measured"
)]
#![expect(clippy::disallowed_methods, reason = "a bench measures time")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use kangmai_base::{Clock as _, Day, DivisionCode, DivisionLevel, FixedClock, SeededIds, Uuid};
use kangmai_database::testing::FreshDatabase;
use kangmai_database::{DatabaseError, InsertMany, Migration, Migrations, params};
use kangmai_places::Divisions;
use kangmai_policy::{Overlay, Release};
use kangmai_programme::{App, AppParts, Programme, Settings};
use kangmai_record::Record;
use kangmai_web::Words;
use kangmai_what_if::rules::{settle_both, sort_bills};
use kangmai_what_if::store::read_year;
use kangmai_what_if::{Asked, Progress, changed_law, programme, run};

const OTHERS: Migrations = Migrations {
    owner: "others_of_a_bench",
    steps: &[Migration {
        name: "001-views",
        sql:
            "create table opening (person uuid not null, insurance_year bigint not null, home bigint not null,
            used text not null, household uuid, primary key (person, insurance_year))",
    }],
};
const MIGRATIONS: &[Migrations] =
    &[kangmai_people::MIGRATIONS, kangmai_record::MIGRATIONS, kangmai_what_if::MIGRATIONS, OTHERS];
const BILL: InsertMany = InsertMany {
    table: "what_if_bill",
    columns: &[
        "bill",
        "person",
        "household",
        "home",
        "insurance_year",
        "admitted_on",
        "discharged_on",
        "received_at",
        "total",
        "compliant",
        "already_paid",
        "diagnosis",
        "treated",
        "holder",
        "birth",
        "sex",
        "own",
    ],
    suffix: "",
};
static PROGRAMMES: [Programme; 1] = [programme()];
const COUNTY: &str = "411722";
const YEAR: i32 = 2025;
const CHANGE: &str = "basic [县级二级及以下医院] deductible = 600.00 from 2025-01-01";
const TIERS: [(&str, &str); 4] =
    [("township", "ungraded"), ("county", "second"), ("city", "third"), ("province", "third")];
const HOLDERS: [&str; 3] = [
    r#"{"labels_at_discharge":[],"labels_at_admission":null,"insured":true}"#,
    r#"{"labels_at_discharge":["poverty_alleviated"],"labels_at_admission":null,"insured":true}"#,
    r#"{"labels_at_discharge":["subsistence_allowance"],"labels_at_admission":[],"insured":true}"#,
];

/// A repeatable stream of numbers.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }

    fn pick<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[usize::try_from(self.below(all.len() as u64)).unwrap_or(0)]
    }

    fn uuid(&mut self) -> Uuid {
        Uuid::from_u64_pair(self.below(u64::MAX), self.below(u64::MAX))
    }
}

fn main() -> Result<(), DatabaseError> {
    let bills: usize =
        std::env::var("KANGMAI_BENCH_BILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(1_000_000);
    let fresh = FreshDatabase::sqlite()?;
    let clock = Arc::new(FixedClock::on("2026-03-05".parse::<Day>().expect("a day")));
    fresh.database.migrate(MIGRATIONS, clock.now())?;
    let packs = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies");
    let release = Release::load(Release::read_directory(&packs).expect("the packs")).expect("a release");
    let app = App::new(AppParts {
        database: fresh.database.clone(),
        record: Record::new(programme().projections.to_vec()),
        policies: Arc::new(release),
        words: Arc::new(Words::default()),
        clock,
        ids: Arc::new(SeededIds::new(1)),
        programmes: &PROGRAMMES,
        settings: Settings { secure: false, uploads: std::env::temp_dir(), demo: false },
    });
    let filled = Instant::now();
    fill(&app, bills)?;
    println!("filled: {bills} bills in {:.1?}", filled.elapsed());
    let place: DivisionCode = COUNTY.parse().expect("a code");
    let asked =
        Asked { place, year: YEAR, overlay: Overlay::parse(&[CHANGE]).expect("a change"), draft: None };
    for _ in 0..3 {
        parts(&app, &asked)?;
    }
    let started = Instant::now();
    let finished = run(&app, &asked, &Arc::new(Progress::default())).expect("a run");
    let outcome = finished.outcome;
    println!(
        "whole run: {:.2?}; {} bills of {} people, {} touched, {} of {} households over the line",
        started.elapsed(),
        outcome.bills,
        outcome.people,
        outcome.touched_bills,
        outcome.households.over_before,
        outcome.households.all
    );
    Ok(())
}

/// Reading, sorting and both arms, each by itself.
fn parts(app: &App, asked: &Asked) -> Result<(), DatabaseError> {
    let after = changed_law(&app.policies, asked).expect("laid over");
    let (law, place) = (Arc::clone(&app.policies), asked.place);
    let started = Instant::now();
    let mut read = app
        .database
        .read_blocking(move |tx| read_year(tx, (&law, law.has_shared()), (place, YEAR), |_| {}))?;
    let reading = started.elapsed();
    let started = Instant::now();
    sort_bills(&mut read.bills);
    let sorting = started.elapsed();
    let started = Instant::now();
    let (outcome, people) = settle_both(&read.bills, &read.openings, (&app.policies, &after));
    let both: Duration = started.elapsed();
    let each = both.as_nanos() / (2 * u128::from(outcome.bills.unsigned_abs().max(1)));
    println!(
        "read {reading:.2?}, sorted {sorting:.2?}, both arms {both:.3?} ({each} ns a bill and arm), {} people",
        people.len()
    );
    Ok(())
}

fn fill(app: &App, bills: usize) -> Result<(), DatabaseError> {
    let county: DivisionCode = COUNTY.parse().expect("a code");
    let villages: Vec<DivisionCode> =
        Divisions::shipped().of_level(county, DivisionLevel::Village).map(|village| village.code()).collect();
    let treated: Vec<String> = TIERS
        .iter()
        .flat_map(|(tier, grade)| {
            ["inpatient", "outpatient"].map(|setting| {
                let place = if *tier == "county" { 411_722_001_000_u64 } else { 410_000_000_000 };
                let place = serde_json::to_string(&DivisionCode::from_number(place)).expect("a code");
                format!(
                    r#"{{"place":{place},"tier":"{tier}","grade":"{grade}","kind":"hospital","designations":[],"setting":"{setting}","referral":"not_referred"}}"#
                )
            })
        })
        .collect();
    let mut chance = Chance(7);
    let first = Day::from_ymd(YEAR, 1, 1).expect("a day");
    let mut left = bills;
    while left > 0 {
        let count = left.min(20_000);
        left -= count;
        let mut rows = Vec::with_capacity(count);
        let (mut household, mut person) = (chance.uuid(), chance.uuid());
        let (mut home, mut holder, mut birth) = (villages[0], HOLDERS[0], Day(0));
        for index in 0..count {
            if index % 3 == 0 {
                person = chance.uuid();
                holder = HOLDERS[usize::try_from(chance.below(8).saturating_sub(5)).unwrap_or(0)];
                birth = Day(i32::try_from(chance.below(18_000)).unwrap_or(0) - 10_000);
            }
            if index % 9 == 0 {
                household = chance.uuid();
                home = *chance.pick(&villages);
            }
            let total = i64::try_from(20_000 + chance.below(3_000_000)).unwrap_or(0);
            let on = first.plus_days(i32::try_from(chance.below(365)).unwrap_or(0));
            rows.push(params![
                chance.uuid(),
                person,
                household,
                home,
                YEAR,
                on.plus_days(-8),
                on,
                i64::try_from(index).unwrap_or(0),
                total,
                total / 10 * 9,
                0_i64,
                "I63.900",
                chance.pick(&treated),
                holder,
                birth,
                "female",
                0_i64
            ]);
        }
        app.database.write_blocking(move |tx| tx.insert_many(&BILL, rows))?;
    }
    Ok(())
}
