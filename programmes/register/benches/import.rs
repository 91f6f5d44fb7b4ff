//! How fast a register comes in: `cargo bench -p kangmai-register -- 1000000` reads that many people from a CSV file made
//! up on the spot (invented names, numbers that end in 99x where there are enough of them) into a fresh SQLite file,
//! once as new and once unchanged, and prints what each step took.

#![expect(clippy::expect_used, clippy::print_stdout, reason = "a bench says what it measured")]

use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use kangmai_access::{Actor, Purpose, reach};
use kangmai_base::{Clock, Day, DivisionCode, DivisionLevel, IdNumber, SeededIds, SystemClock, SystemIds};
use kangmai_database::testing::FreshDatabase;
use kangmai_database::{DatabaseError, Migrations};
use kangmai_places::{Division, Divisions};
use kangmai_policy::Release;
use kangmai_programme::{App, AppParts, ImportRun, Programme, Settings};
use kangmai_record::Record;
use kangmai_sheet::{Source as _, Summary};
use kangmai_web::Words;

static PROGRAMMES: [Programme; 1] = [kangmai_register::programme()];
const ALL: &[Migrations] = &[
    kangmai_access::MIGRATIONS,
    kangmai_places::MIGRATIONS,
    kangmai_people::MIGRATIONS,
    kangmai_record::MIGRATIONS,
    kangmai_register::MIGRATIONS,
];
const SURNAMES: &str = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾萧田董潘袁于";
const GIVEN: &str = "伟芳娜秀英敏静丽强磊军洋勇艳杰娟涛明超兰霞平刚桂花玉梅建国华红云春生志海山林成福贵";

fn main() {
    let people = std::env::args().filter_map(|argument| argument.parse().ok()).next().unwrap_or(20_000);
    let fresh = FreshDatabase::sqlite().expect("a database");
    fresh.database.migrate(ALL, SystemClock.now()).expect("migrated");
    let words = [kangmai_web::WORDS, kangmai_people::WORDS, kangmai_record::WORDS, kangmai_register::WORDS];
    let packs = Release::read_directory(std::path::Path::new("../../policies")).expect("the packs");
    let app = App::new(AppParts {
        database: fresh.database.clone(),
        record: Record::new(PROGRAMMES[0].projections.to_vec()),
        policies: Arc::new(Release::load(packs).expect("right packs")),
        words: Arc::new(Words::load(&words).expect("words")),
        clock: Arc::new(SystemClock),
        ids: Arc::new(SystemIds),
        programmes: &PROGRAMMES,
        settings: Settings { secure: false, uploads: PathBuf::from("/nowhere"), demo: false },
    });
    let csv = register(people);
    println!("{people} people, {} bytes", csv.len());
    for step in ["new", "unchanged"] {
        let started = SystemClock.now();
        let summary = import(&app, csv.clone());
        let seconds = (SystemClock.now().0 - started.0) as f64 / 1e6;
        let rate = people as f64 / seconds;
        println!(
            "{step}: {seconds:.1} s, {rate:.0} people a second, {} new, {} faulty",
            summary.new, summary.faulty
        );
    }
}

fn register(people: usize) -> String {
    let random = SeededIds::new(5);
    let draw = |below: usize| usize::try_from(random.next() % below as u64).unwrap_or(0);
    let (surnames, given): (Vec<char>, Vec<char>) = (SURNAMES.chars().collect(), GIVEN.chars().collect());
    let county: DivisionCode = "411722".parse().expect("a code");
    let villages: Vec<DivisionCode> =
        Divisions::shipped().of_level(county, DivisionLevel::Village).map(Division::code).collect();
    let mut csv = String::from(
        "户编号,与户主关系,姓名,证件号码,民族,户籍地区划代码,家庭住址,联系电话,参保状态,人群类别,认定日期,家庭年收入,收入年份\n",
    );
    let (mut household, mut left) = (0, 0);
    for person in 0..people {
        if left == 0 {
            household += 1;
            left = 1 + draw(5);
        }
        left -= 1;
        // 14,000 days and 72 serials hold a million different numbers.
        let birth = Day(i32::try_from(person % 14_000).unwrap_or(0) - 8_000).to_string().replace('-', "");
        let number =
            IdNumber::with_checksum(&format!("411722{birth}{:03}", 900 + person / 14_000)).expect("digits");
        let name: String =
            [surnames[draw(surnames.len())], given[draw(given.len())], given[draw(given.len())]]
                .iter()
                .collect();
        let label = ["脱贫人口,2019-12-31", "低保,2021-03-01", ",", ",", ",", ",", ","][draw(7)];
        let village = villages[household * villages.len() / people % villages.len()];
        let _ = writeln!(
            csv,
            "H{household},,{name},{},汉族,{village},{}组,199{:08},城乡居民,{label},,",
            number.as_str(),
            household % 9,
            draw(100_000_000)
        );
    }
    csv
}

fn import(app: &App, csv: String) -> Summary {
    let import = PROGRAMMES[0].imports.iter().find(|import| import.key == "register").expect("an import");
    let mut sheet = kangmai_sheets::open_bytes(csv.into_bytes(), import.schema, None).expect("a sheet");
    let actor = Actor::system();
    let mut run = ImportRun {
        app: app.clone(),
        reach: reach(&actor, Purpose::KeepRegister).expect("may import"),
        actor,
        file: "bench.csv".into(),
        now: app.clock.now(),
        today: app.today(),
        dry_run: false,
        summary: Summary::new(),
        faults: Vec::new(),
        held: Vec::new(),
        memory: Box::new(()),
    };
    let matching = sheet.matching().clone();
    loop {
        let mut records = Vec::new();
        let mut record = kangmai_sheet::Record::new();
        while records.len() < import.rows_at_once && sheet.next(&mut record).expect("a row") {
            records.push(record.clone());
        }
        if records.is_empty() {
            return run.summary;
        }
        let (record, matching) = (app.record.clone(), matching.clone());
        run = app
            .database
            .write_blocking(move |tx| {
                let mut run = run;
                let planned = (import.plan)(tx, &mut run, &matching, &records)?;
                record.append(tx, run.now, planned.facts)?;
                run.faults.clear();
                Ok::<_, DatabaseError>(run)
            })
            .expect("database");
    }
}
