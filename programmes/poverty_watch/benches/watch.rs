//! The full run of the watch over a county on SQLite, and how fast its list opens afterwards.
//!
//! `cargo bench -p kangmai-poverty-watch`: 100,000 people with 3 bills each. `KANGMAI_BENCH_PEOPLE=1000000` for a million.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a bench says what it needs and what it measured"
)]
#![expect(clippy::disallowed_methods, reason = "a bench measures time")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use kangmai_access::{Actor, Purpose, reach};
use kangmai_base::{Clock as _, Day, DivisionCode, DivisionLevel, FixedClock, Id, SeededIds, Uuid};
use kangmai_database::testing::FreshDatabase;
use kangmai_database::{DatabaseError, InsertMany, Migration, Migrations, params};
use kangmai_people::{Enrolment, Label, LabelInterval, Person, PersonBody, Relation, put_persons};
use kangmai_places::Divisions;
use kangmai_policy::Release;
use kangmai_poverty_watch::store::{self, Wanted};
use kangmai_poverty_watch::{programme, run_watch};
use kangmai_programme::{App, AppParts, Programme, Settings};
use kangmai_record::Record;
use kangmai_web::Words;

const OTHERS: Migrations = Migrations {
    owner: "others_of_a_bench",
    steps: &[Migration {
        name: "001-views",
        sql: "create table bill (id uuid primary key, person uuid not null, household uuid not null,
            home bigint not null, institution uuid not null, discharged_on bigint not null, total bigint not null,
            compliant bigint not null, own bigint not null, own_uncovered bigint not null,
            paid_insurance bigint not null, waived bigint not null, setting text not null, state text not null, diagnosis text);
            create index bill_by_person on bill (person, discharged_on);
            create index bill_by_day on bill (discharged_on, home);
            create table diagnosis (id uuid primary key, person uuid not null, code text not null, name text not null,
            from_day bigint not null, to_day bigint, major text, sensitive boolean not null, home bigint not null);
            create index diagnosis_by_person on diagnosis (person);
            create table follow_up (id uuid primary key, person uuid not null, sensitive boolean not null,
            programme text not null, closed_on bigint, last_on bigint, state text not null)",
    }],
};
const MIGRATIONS: &[Migrations] = &[
    kangmai_people::MIGRATIONS,
    kangmai_access::MIGRATIONS,
    kangmai_record::MIGRATIONS,
    kangmai_cases::MIGRATIONS,
    kangmai_poverty_watch::MIGRATIONS,
    OTHERS,
];
const BILL: InsertMany = InsertMany {
    table: "bill",
    columns: &[
        "id",
        "person",
        "household",
        "home",
        "institution",
        "discharged_on",
        "total",
        "compliant",
        "own",
        "own_uncovered",
        "paid_insurance",
        "waived",
        "setting",
        "state",
    ],
    suffix: "",
};
static PROGRAMMES: [Programme; 1] = [programme()];
const COUNTY: &str = "411722";

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

    fn uuid(&mut self) -> Uuid {
        Uuid::from_u64_pair(self.below(u64::MAX), self.below(u64::MAX))
    }
}

fn main() -> Result<(), DatabaseError> {
    let people: usize =
        std::env::var("KANGMAI_BENCH_PEOPLE").ok().and_then(|text| text.parse().ok()).unwrap_or(100_000);
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
    fill(&app, people)?;
    println!("filled: {people} people, {} bills in {:.1?}", people * 3, filled.elapsed());
    for name in ["first run", "second run"] {
        let started = Instant::now();
        let run = run_watch(&app, app.today(), |_| {})?;
        println!("{name}: {:.1?}  {run:?}", started.elapsed());
    }
    app.database.analyze()?;
    for place in [COUNTY, "411722103", "411722103203"] {
        list(&app, place)?;
    }
    Ok(())
}

fn fill(app: &App, people: usize) -> Result<(), DatabaseError> {
    let county: DivisionCode = COUNTY.parse().expect("a code");
    let villages: Vec<DivisionCode> =
        Divisions::shipped().of_level(county, DivisionLevel::Village).map(|village| village.code()).collect();
    let mut chance = Chance(7);
    let today = app.today();
    let mut left = people;
    while left > 0 {
        let count = left.min(20_000);
        left -= count;
        let mut persons = Vec::with_capacity(count);
        let mut bills = Vec::with_capacity(count * 3);
        let (mut household, mut home) = (chance.uuid(), county);
        for index in 0..count {
            if index % 4 == 0 {
                household = chance.uuid();
                home = villages[usize::try_from(chance.below(villages.len() as u64)).unwrap_or(0)];
            }
            let id = chance.uuid();
            let supported = chance.below(100) < 12;
            persons.push(person(id, household, home, index % 4 == 0, supported));
            for _ in 0..3 {
                // Most bills are small; about one in a hundred is a heavy one.
                let own = match chance.below(100) {
                    0 => 800_000 + chance.below(4_000_000),
                    1..=9 => 100_000 + chance.below(300_000),
                    _ => chance.below(60_000),
                };
                let on = today.plus_days(-i32::try_from(chance.below(420)).unwrap_or(0));
                let own = i64::try_from(own).unwrap_or(0);
                bills.push(params![
                    chance.uuid(),
                    id,
                    household,
                    home,
                    household,
                    on,
                    own * 3,
                    own * 3,
                    own,
                    own / 10,
                    own * 2,
                    0_i64,
                    "inpatient",
                    "settled"
                ]);
            }
        }
        app.database.write_blocking(move |tx| {
            put_persons(tx, &persons)?;
            tx.insert_many(&BILL, bills)
        })?;
    }
    Ok(())
}

fn person(id: Uuid, household: Uuid, home: DivisionCode, is_head: bool, supported: bool) -> Person {
    let label =
        LabelInterval { label: Label::PovertyAlleviated, from: None, to: None, source: String::new() };
    Person {
        id: Id::from_uuid(id),
        home,
        body: PersonBody {
            household,
            relation: Some(if is_head { Relation::Head } else { Relation::Other }),
            name: "示例".to_owned(),
            id_number: None,
            sex: None,
            birth: Some(Day(3_000)),
            ethnicity: None,
            living: None,
            phone: None,
            enrolment: Some(Enrolment::Resident),
            died_on: None,
            marks: vec![],
            labels: if supported { vec![label] } else { vec![] },
        },
    }
}

fn list(app: &App, place: &str) -> Result<(), DatabaseError> {
    let actor = Actor { place: place.parse().expect("a code"), ..Actor::system() };
    let within = reach(&actor, Purpose::ReadWarnings).expect("may");
    let mut times: Vec<Duration> = Vec::new();
    let mut total = 0;
    for page in 0..200_i64 {
        let within = within.clone();
        let started = Instant::now();
        total = app.database.read_blocking(move |tx| {
            let wanted = Wanted::default();
            store::list(tx, &within, &wanted, (50, 50 * (page % 10)))?;
            let total = store::count(tx, &within, &wanted)?;
            store::outcomes(tx, &within, Day(20_517), 15)?;
            Ok::<_, DatabaseError>(total)
        })?;
        times.push(started.elapsed());
    }
    times.sort();
    println!("list at {place}: {total} open, p50 {:.1?}, p99 {:.1?}", times[100], times[198]);
    Ok(())
}
