//! A run over one place settles with its bills those of other places that belong to the same persons and households, and
//! counts none of them: what the counties of a province come to is what the province comes to. On both databases.
#![expect(clippy::expect_used, reason = "a test says what it needs")]

use std::path::Path;
use std::sync::Arc;

use kangmai_base::{Clock as _, Day, DivisionCode, Fen, FixedClock, SeededIds, Uuid};
use kangmai_database::testing::FreshDatabase;
use kangmai_database::{Database, InsertMany, Migration, Migrations, params};
use kangmai_policy::{Overlay, Release};
use kangmai_programme::{App, AppParts, Programme, Settings};
use kangmai_record::Record;
use kangmai_web::Words;
use kangmai_what_if::result::Outcome;
use kangmai_what_if::{Asked, Progress, programme, run};

/// The view of another programme that a run reads.
const OTHERS: Migrations = Migrations {
    owner: "others_of_a_test",
    steps: &[Migration {
        name: "001-views",
        sql:
            "create table opening (person uuid not null, insurance_year bigint not null, home bigint not null,
            used text not null, household uuid, primary key (person, insurance_year))",
    }],
};
const MIGRATIONS: &[Migrations] =
    &[kangmai_people::MIGRATIONS, kangmai_record::MIGRATIONS, kangmai_what_if::MIGRATIONS, OTHERS];
static PROGRAMMES: [Programme; 1] = [programme()];
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
        "treated",
        "holder",
        "own",
    ],
    suffix: "",
};
const OPENING: InsertMany = InsertMany {
    table: "opening",
    columns: &["person", "insurance_year", "home", "used", "household"],
    suffix: "",
};
const TREATED: &str = r#"{"place":PLACE,"tier":"county","grade":"second","kind":"hospital","designations":[],"setting":"inpatient","referral":"not_referred"}"#;
const MARGINAL: &str = r#"{"labels_at_discharge":["marginal"],"labels_at_admission":null,"insured":true}"#;
const YEAR: i32 = 2025;
const HERE: &str = "411722";
const THERE: &str = "411721";

fn place(code: &str) -> DivisionCode {
    code.parse().expect("a code")
}

/// The shipped packs; `joining`: medical assistance counts for whole households.
fn release(joining: bool) -> Arc<Release> {
    let packs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies");
    let files = Release::read_directory(&packs).expect("the packs").into_iter().map(|(path, text)| {
        let is_aid = joining && path.ends_with("benefits/40-assistance.toml");
        (path, if is_aid { text.replace("owner = \"person\"", "owner = \"household\"") } else { text })
    });
    Arc::new(Release::load(files.collect::<Vec<_>>()).expect("a release"))
}

/// A bill of 60,000: number, person and household, home, day of the year.
fn put(database: &Database, number: u128, (person, household): (u128, u128), home: &str, day: i32) {
    let on = Day::from_ymd(YEAR, 1, 1).expect("a day").plus_days(day);
    let at = serde_json::to_string(&place(HERE)).expect("a code");
    let row = params![
        Uuid::from_u128(number),
        Uuid::from_u128(person),
        Uuid::from_u128(1_000 + household),
        place(home),
        YEAR,
        on.plus_days(-8),
        on,
        0_i64,
        6_000_000_i64,
        6_000_000_i64,
        0_i64,
        TREATED.replace("PLACE", &at),
        MARGINAL,
        0_i64
    ];
    database.write_blocking(move |tx| tx.insert_many(&BILL, [row])).expect("put");
}

fn outcome(database: &Database, law: &Arc<Release>, of: &str) -> Outcome {
    let app = App::new(AppParts {
        database: database.clone(),
        record: Record::new(programme().projections.to_vec()),
        policies: Arc::clone(law),
        words: Arc::new(Words::default()),
        clock: Arc::new(FixedClock::on("2026-03-05".parse::<Day>().expect("a day"))),
        ids: Arc::new(SeededIds::new(1)),
        programmes: &PROGRAMMES,
        settings: Settings { secure: false, uploads: std::env::temp_dir(), demo: false },
    });
    let change = "basic [县级二级及以下医院] deductible = 600.00 from 2025-01-01";
    let overlay = Overlay::parse(&[change]).expect("a change");
    let asked = Asked { place: place(of), year: YEAR, overlay, draft: None };
    run(&app, &asked, &Arc::new(Progress::default())).expect("a run").outcome
}

#[test]
fn what_two_counties_come_to_is_what_the_province_comes_to() {
    for fresh in FreshDatabase::all().expect("databases") {
        let database = &fresh.database;
        database.migrate(MIGRATIONS, FixedClock::on(Day(20_000)).now()).expect("migrated");
        // A household of two counties; one of its members moves in with a third, of the other county. Somebody moves between
        // the counties. Somebody has nobody elsewhere.
        put(database, 1, (7, 1), HERE, 100);
        put(database, 2, (3, 1), THERE, 10);
        put(database, 3, (3, 2), THERE, 200);
        put(database, 4, (9, 2), HERE, 300);
        put(database, 5, (5, 4), HERE, 50);
        put(database, 6, (5, 4), THERE, 20);
        put(database, 7, (6, 6), HERE, 20);
        // What a member elsewhere without a bill had used of what the household has together.
        let used = r#"[["assistance_deductible",210000]]"#;
        let opening = params![Uuid::from_u128(77), YEAR, place(THERE), used, Uuid::from_u128(1_006)];
        database.write_blocking(move |tx| tx.insert_many(&OPENING, [opening])).expect("put");

        for (joining, elsewhere) in [(true, [3, 4]), (false, [1, 1])] {
            let law = release(joining);
            let [here, there, all] = [HERE, THERE, "41"].map(|of| outcome(database, &law, of));
            assert_eq!((here.bills, there.bills, all.bills), (4, 3, 7));
            assert_eq!([here.elsewhere, there.elsewhere, all.elsewhere], [elsewhere[0], elsewhere[1], 0]);
            assert_eq!(here.own.before + there.own.before, all.own.before, "joining: {joining}");
            assert_eq!(here.own.after + there.own.after, all.own.after, "joining: {joining}");
            assert_eq!(here.all_payers().after + there.all_payers().after, all.all_payers().after);
            assert!(here.own.after > here.own.before && here.lose.people > 0, "{here:?}");
        }
        // To the fen: 5,560.80 alone; 4,300.80 where the deductible of 2,100 was used up by the household.
        let joined = outcome(database, &release(true), HERE);
        let alone = outcome(database, &release(false), HERE);
        assert!(joined.own.before < alone.own.before && joined.own.before > Fen::ZERO);
    }
}
