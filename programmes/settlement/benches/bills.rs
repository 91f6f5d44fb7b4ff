//! How fast bills are taken in, settled, and settled again under another release, and how fast lists answer over many of them, on SQLite with full durability.
//!
//! `KANGMAI_BENCH_BILLS` says how many bills (100,000 without it; 3,000,000 is a large county over many years).

#![expect(clippy::expect_used, clippy::print_stdout, reason = "a measurement")]
#![expect(clippy::disallowed_methods, reason = "a measurement reads the clock")]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use kangmai_access::{Actor, Purpose, Reach, reach};
use kangmai_base::{Clock, Day, DivisionCode, Id, IdNumber, Moment, SeededIds, Uuid};
use kangmai_database::{Database, DatabaseError, Transaction};
use kangmai_people::{Enrolment, Label, LabelInterval, Person, PersonBody};
use kangmai_places::{Institution, InstitutionBody, InstitutionGrade, InstitutionKind, InstitutionTier};
use kangmai_policy::Release;
use kangmai_programme::{App, AppParts, Import, ImportRun, Programme, Settings};
use kangmai_record::Record as FactRecord;
use kangmai_settlement::import::BILLS;
use kangmai_settlement::rules::{Adjudicator, ChainBill};
use kangmai_settlement::store::{self, BillFilter};
use kangmai_settlement::{Which, resettle};
use kangmai_sheet::{Record, Summary};
use kangmai_web::Words;

const BILLS_OF_A_PERSON: usize = 5;
const VILLAGES: usize = 3_000;
const HEAD: [&str; 10] = [
    "结算单号",
    "证件号码",
    "机构代码",
    "入院日期",
    "出院日期",
    "就诊类型",
    "总费用",
    "合规费用",
    "是否转诊",
    "诊断编码",
];

fn main() {
    let bills: usize =
        std::env::var("KANGMAI_BENCH_BILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(100_000);
    let folder = std::env::temp_dir().join(format!("kangmai-bench-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let database = Database::open(&folder.join("bench.db").to_string_lossy()).expect("a database");
    let database = kangmai_database::testing::with_test_keys(database);
    let app = application(database);
    let people = given_people(&app, bills.div_ceil(BILLS_OF_A_PERSON));
    let (taken, settled) = import(&app, &people, bills);
    let per_second = |time: Duration| bills as f64 / time.as_secs_f64();
    println!("bills                      {bills:>12}");
    println!("taken in                   {:>12.0} bills/s", per_second(taken));
    println!("settled (chain, receipts)  {:>12.0} bills/s", per_second(settled));
    println!("both                       {:>12.0} bills/s", per_second(taken + settled));
    app.database.analyze().expect("analyzed");
    lists(&app, &people);
    settled_again(&app);
    let _ = std::fs::remove_dir_all(&folder);
}

/// A clock that goes on a millisecond whenever it is looked at, so that identifiers rise as they do in an office.
struct Ticking(AtomicI64);

impl Clock for Ticking {
    fn now(&self) -> Moment {
        Moment(self.0.fetch_add(1_000, Ordering::Relaxed))
    }
}

fn application(database: Database) -> App {
    static MIGRATIONS: &[kangmai_database::Migrations] = &[
        kangmai_places::MIGRATIONS,
        kangmai_people::MIGRATIONS,
        kangmai_access::MIGRATIONS,
        kangmai_record::MIGRATIONS,
        kangmai_settlement::MIGRATIONS,
    ];
    let begin = Moment::start_of(Day::from_ymd(2026, 3, 5).expect("a day"));
    let clock = Arc::new(Ticking(AtomicI64::new(begin.0)));
    database.migrate(MIGRATIONS, clock.now()).expect("migrated");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies");
    let release = Release::load(Release::read_directory(&folder).expect("the packs")).expect("loaded");
    let programmes: &'static [Programme] = Box::leak(Box::new([kangmai_settlement::programme()]));
    App::new(AppParts {
        database,
        record: FactRecord::new(programmes[0].projections.to_vec()),
        policies: Arc::new(release),
        words: Arc::new(Words::load(&[kangmai_web::WORDS]).expect("words")),
        clock,
        ids: Arc::new(SeededIds::new(3)),
        programmes,
        settings: Settings { secure: false, uploads: std::env::temp_dir(), demo: false },
    })
}

fn given_people(app: &App, count: usize) -> Vec<Person> {
    let people: Vec<Person> = (0..count).map(|number| person(app, number)).collect();
    for chunk in people.chunks(5_000) {
        let chunk = chunk.to_vec();
        let put = move |tx: &mut Transaction<'_>| kangmai_people::put_persons(tx, &chunk);
        app.database.write_blocking(put).expect("people");
    }
    let hospitals: Vec<Institution> = (0..10).map(|number| institution(app, number)).collect();
    let put = move |tx: &mut Transaction<'_>| kangmai_places::put_institutions(tx, &hospitals);
    app.database.write_blocking(put).expect("institutions");
    people
}

/// Villages of ten counties of Zhumadian.
fn home(number: usize) -> DivisionCode {
    let village = number % VILLAGES;
    let (county, rest) = (village % 10, village / 10);
    let code = 411_721_000_000 + county as u64 * 1_000_000 + (rest / 20 + 100) as u64 * 1_000 + 200;
    DivisionCode::from_number(code + (rest % 20) as u64).expect("a code")
}

fn person(app: &App, number: usize) -> Person {
    let (serial, years, days) = (number % 10, number / 10 % 60, number / 600);
    let county = 411_721 + days / 330;
    let (month, date) = (days % 330 / 28 + 1, days % 28 + 1);
    let first_17 = format!("{county:06}{:04}{month:02}{date:02}99{serial}", 1940 + years);
    let id_number = IdNumber::with_checksum(&first_17).expect("a number");
    let label = LabelInterval {
        label: if number.is_multiple_of(3) { Label::SubsistenceAllowance } else { Label::PovertyAlleviated },
        from: Day::from_ymd(2016, 1, 1),
        to: None,
        source: "示例".to_owned(),
    };
    Person {
        id: Id::from_uuid(app.mint()),
        home: home(number),
        body: PersonBody {
            household: app.mint(),
            relation: None,
            name: "示例甲".to_owned(),
            birth: id_number.birth(),
            sex: id_number.sex(),
            id_number: Some(id_number),
            ethnicity: None,
            living: None,
            phone: None,
            enrolment: Some(Enrolment::Resident),
            died_on: None,
            marks: Vec::new(),
            labels: vec![label],
        },
    }
}

fn institution(app: &App, number: usize) -> Institution {
    Institution {
        id: Id::from_uuid(app.mint()),
        place: home(number),
        body: InstitutionBody {
            code: format!("H{number}"),
            name: format!("示例医院{number}"),
            tier: InstitutionTier::County,
            grade: InstitutionGrade::Second,
            kind: InstitutionKind::Hospital,
            capabilities: std::collections::BTreeSet::new(),
            phone: None,
            opened: None,
            closed: None,
        },
    }
}

fn row(people: &[Person], number: usize) -> Vec<String> {
    let person = &people[number % people.len()];
    let id_number = person.body.id_number.as_ref().expect("a number").as_str().to_owned();
    let from = Day::from_ymd(2025, 1, 1).expect("a day").plus_days((number * 7 % 340) as i32);
    let yuan = 2_000 + number * 37 % 60_000;
    vec![
        format!("ZY{number:09}"),
        id_number,
        format!("H{}", number % 10),
        from.to_string(),
        from.plus_days(9).to_string(),
        "住院".to_owned(),
        format!("{yuan}.50"),
        format!("{}.00", yuan - yuan / 20),
        "是".to_owned(),
        "I63.900".to_owned(),
    ]
}

/// Runs the import as the server does; answers the time for taking bills in and for settling them.
fn import(app: &App, people: &[Person], bills: usize) -> (Duration, Duration) {
    static IMPORT: Import = BILLS;
    let matching = Arc::new(IMPORT.schema.match_header(&Record::of(1, HEAD)));
    let actor = Actor::system();
    let mut run = ImportRun {
        app: app.clone(),
        reach: reach(&actor, IMPORT.purpose).expect("may import"),
        actor,
        file: "bench.csv".to_owned(),
        now: app.clock.now(),
        today: app.clock.today(),
        dry_run: false,
        summary: Summary::new(),
        faults: Vec::new(),
        held: Vec::new(),
        memory: Box::new(()),
    };
    let mut taken = Duration::ZERO;
    for first in (0..bills).step_by(IMPORT.rows_at_once) {
        let records: Vec<Record> = (first..bills.min(first + IMPORT.rows_at_once))
            .map(|number| {
                let cells = row(people, number);
                Record::of(number as u32 + 2, cells.iter().map(String::as_str))
            })
            .collect();
        run.now = app.clock.now();
        let began = Instant::now();
        let (record, matching) = (app.record.clone(), Arc::clone(&matching));
        let work = move |tx: &mut Transaction<'_>| {
            let planned = (IMPORT.plan)(tx, &mut run, &matching, &records)?;
            record.append(tx, run.now, planned.facts)?;
            Ok::<_, DatabaseError>(run)
        };
        run = app.database.write_blocking(work).expect("taken in");
        taken += began.elapsed();
    }
    assert_eq!(run.summary.new as usize, bills, "{:?}", run.summary.faults.first());
    let began = Instant::now();
    let finish = IMPORT.finish.expect("it settles");
    loop {
        let record = app.record.clone();
        run.now = app.clock.now();
        let work = move |tx: &mut Transaction<'_>| {
            let planned = finish(tx, &mut run)?;
            let answers = record.append(tx, run.now, planned.facts)?;
            Ok::<_, DatabaseError>((run, answers.len()))
        };
        let (back, facts) = app.database.write_blocking(work).expect("settled");
        run = back;
        if facts == 0 {
            break;
        }
    }
    (taken, began.elapsed())
}

/// The whole year once more: the arithmetic by itself, then with the database, under the same release and under another.
fn settled_again(app: &App) {
    const YEAR: i32 = 2025;
    let actor = Actor::system();
    let within = reach(&actor, Purpose::KeepLedger).expect("the system may");
    let (mut after, mut settling, mut telling, mut bills) = (Uuid::nil(), Duration::ZERO, Duration::ZERO, 0);
    loop {
        let within = within.clone();
        let read = move |tx: &mut Transaction<'_>| {
            let people = store::people_of_year(tx, &within, YEAR, after, 500)?;
            let (Some(first), Some(last)) = (people.first(), people.last()) else { return Ok(None) };
            let years = store::years_between(tx, YEAR, first.0, last.0)?;
            Ok::<_, DatabaseError>(Some((years, last.0)))
        };
        let Some((years, last)) = app.database.read_blocking(read).expect("read") else { break };
        after = last;
        let chains: Vec<Vec<&ChainBill>> =
            years.iter().map(|year| year.bills.iter().map(|bill| &bill.bill).collect()).collect();
        let began = Instant::now();
        let mut adjudicator = Adjudicator::new(&app.policies);
        let settled: Vec<_> = years
            .iter()
            .zip(&chains)
            .map(|(year, bills)| adjudicator.settle_year(&year.insured, &year.opening, bills))
            .collect();
        settling += began.elapsed();
        let began = Instant::now();
        bills += settled.iter().flatten().filter(|settlement| settlement.result() != 0).count();
        telling += began.elapsed();
    }
    println!(
        "settled again, arithmetic  {:>12.2} s for {bills} bills, with receipts",
        settling.as_secs_f64()
    );
    println!("their results compared     {:>12.2} s", telling.as_secs_f64());
    for (name, app) in [("the same release", app.clone()), ("another release", under_another_release(app))] {
        for dry_run in [true, false] {
            let began = Instant::now();
            let done =
                resettle(&app, &actor, &within, Which::Release(YEAR), dry_run, |_| {}).expect("settled");
            println!(
                "settled again, {name}{} {:>8.2} s for {} person-years, {} bills changed",
                if dry_run { " (dry)" } else { "" },
                began.elapsed().as_secs_f64(),
                done.looked_at,
                done.bills
            );
        }
    }
}

/// The same packs, but that basic insurance pays a little less of everything.
fn under_another_release(app: &App) -> App {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies");
    let files = Release::read_directory(&folder).expect("the packs").into_iter().map(|(path, text)| {
        let is_basic = path == "cn/henan/benefits/10-basic.toml";
        (path, if is_basic { text.replace("\"63%\"", "\"62%\"").replace("\"83%\"", "\"82%\"") } else { text })
    });
    let release = Release::load(files.collect::<Vec<_>>()).expect("loaded");
    assert_ne!(release.hash(), app.policies.hash(), "another release");
    App::new(AppParts {
        database: app.database.clone(),
        record: app.record.clone(),
        policies: Arc::new(release),
        words: Arc::clone(&app.words),
        clock: Arc::clone(&app.clock),
        ids: Arc::clone(&app.ids),
        programmes: app.programmes,
        settings: app.settings.clone(),
    })
}

fn lists(app: &App, people: &[Person]) {
    let wide = |code: &str| -> Reach {
        let place = code.parse().expect("a code");
        reach(&Actor { place, ..Actor::system() }, Purpose::ReadBills).expect("reads")
    };
    let filter = BillFilter::default();
    let some_days =
        BillFilter { from: Day::from_ymd(2025, 6, 1), to: Day::from_ymd(2025, 6, 30), state: None };
    for (name, code, filter) in [
        ("list, province", "41", filter),
        ("list, city", "4117", filter),
        ("list, county", "411722", filter),
        ("list, county, a month", "411722", some_days),
        ("list, township", "411722101", filter),
        ("list, village", "411722101201", filter),
        ("list, where nothing is", "4102", filter),
    ] {
        let reach = wide(code);
        measure(name, app, move |tx, _| {
            let rows = store::bill_rows(tx, &reach, filter, 50, 0)?;
            Ok(rows.len() + store::count_bills(tx, &reach, filter)? as usize)
        });
    }
    let reach = wide("411722");
    measure("sum of a county and year", app, move |tx, _| {
        Ok(store::bill_sum(tx, &reach, Some(2025))?.bills as usize)
    });
    let ids: Vec<_> = people.iter().step_by(97).map(|person| person.id.uuid()).collect();
    measure("bills of a person", app, move |tx, turn| {
        let since = Day::from_ymd(2025, 1, 1).expect("a day");
        Ok(store::bills_of_person(tx, ids[turn * 31 % ids.len()], since, 20)?.len())
    });
}

fn measure(
    name: &str,
    app: &App,
    work: impl Fn(&mut Transaction<'_>, usize) -> Result<usize, DatabaseError> + Send + Sync + 'static,
) {
    const TURNS: usize = 200;
    let work = Arc::new(work);
    let mut times: Vec<Duration> = (0..TURNS)
        .map(|turn| {
            let work = Arc::clone(&work);
            let began = Instant::now();
            app.database.read_blocking(move |tx| work(tx, turn)).expect("read");
            began.elapsed()
        })
        .collect();
    times.sort_unstable();
    let at = |share: usize| times[TURNS * share / 100].as_secs_f64() * 1_000.0;
    println!("{name:<26} p50 {:>8.2} ms   p99 {:>8.2} ms", at(50), at(99));
}
