//! What sealing costs the record: facts appended and read again on SQLite with full durability, and of that what sealing
//! and opening their bodies takes.
//!
//! `KANGMAI_BENCH_FACTS` says how many (100,000 without it).

#![expect(clippy::expect_used, clippy::print_stdout, reason = "a measurement")]
#![expect(clippy::disallowed_methods, reason = "a measurement reads the clock")]

use std::time::{Duration, Instant};

use kangmai_base::{Ids as _, Moment, SeededIds, Uuid};
use kangmai_database::{Database, Migrations};
use kangmai_record::{MIGRATIONS, NewFact, Record, Source, Subject, rebuild};
use kangmai_seal::{Cell, CipherKind, KeyRing};

const ALL: &[Migrations] = &[MIGRATIONS];
/// Bytes of a body: a person's, and a bill's with its lines.
const BODIES: [usize; 2] = [400, 2_000];

fn main() {
    let facts =
        std::env::var("KANGMAI_BENCH_FACTS").ok().and_then(|text| text.parse().ok()).unwrap_or(100_000);
    for kind in [CipherKind::Aes256Gcm, CipherKind::Sm4Gcm] {
        for bytes in BODIES {
            measure(kind, facts, bytes);
        }
    }
}

fn measure(kind: CipherKind, facts: usize, bytes: usize) {
    let ids = SeededIds::new(1);
    let folder = std::env::temp_dir().join(format!("kangmai-bench-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let path = folder.join("bench.db");
    let database = Database::open(&path.to_string_lossy()).expect("a database");
    let ring = KeyRing::fresh(&ids, kind);
    database.hold_keys(ring.clone());
    database.migrate(ALL, Moment(0)).expect("tables");
    let body = format!("\"{}\"", "康".repeat(bytes / 3));
    let begun = Instant::now();
    for batch in 0..facts / Record::BATCH {
        let new: Vec<NewFact> = (0..Record::BATCH).map(|_| fact(&ids, &body)).collect();
        let now = Moment(i64::try_from(batch).unwrap_or(0) * 1_000_000);
        let append = move |tx: &mut kangmai_database::Transaction<'_>| {
            Record::new(Vec::new()).append(tx, now, new).map(|_| ())
        };
        database.write_blocking(append).expect("appended");
    }
    let appended = begun.elapsed();
    let begun = Instant::now();
    rebuild(&database, &Record::new(Vec::new()), true, |_| {}).expect("read");
    let read = begun.elapsed();
    let (sealing, opening) = alone(&ring, &ids, facts, &body);
    let of = |time: Duration| time.as_secs_f64() * 1e6 / facts as f64;
    println!("{} facts of {bytes} bytes, {}", facts, kind.key());
    println!("  appended {:>8.1} us a fact, of that sealing {:>6.1}", of(appended), of(sealing));
    println!("  read     {:>8.1} us a fact, of that opening {:>6.1}", of(read), of(opening));
    let size = std::fs::metadata(&path).map(|file| file.len()).unwrap_or_default();
    println!("  file     {:>8} bytes a fact", size / facts as u64);
    drop(database);
    let _ = std::fs::remove_dir_all(&folder);
}

fn alone(ring: &KeyRing, ids: &SeededIds, facts: usize, body: &str) -> (Duration, Duration) {
    let rows: Vec<Uuid> = (0..facts).map(|_| ids.mint(Moment(1))).collect();
    let cell = |row: &Uuid| -> [u8; 16] { *row.as_bytes() };
    let begun = Instant::now();
    let sealed: Vec<Vec<u8>> = rows
        .iter()
        .map(|row| {
            ring.seal(&Cell { table: "fact", column: "body_sealed", row: &cell(row) }, body.as_bytes())
        })
        .collect();
    let sealing = begun.elapsed();
    let begun = Instant::now();
    for (row, sealed) in rows.iter().zip(&sealed) {
        let cell = cell(row);
        ring.open(&Cell { table: "fact", column: "body_sealed", row: &cell }, sealed).expect("opens");
    }
    (sealing, begun.elapsed())
}

fn fact(ids: &SeededIds, body: &str) -> NewFact {
    NewFact {
        id: ids.mint(Moment(5_000)),
        kind: "bench.said".to_owned(),
        subject: Subject::person(ids.mint(Moment(5_000))),
        occurred_at: Moment(1_000),
        recorded_at: Moment(2_000),
        place: kangmai_base::DivisionCode::COUNTRY,
        author: Uuid::nil(),
        source: Source::Import,
        corrects: None,
        body: body.to_owned(),
    }
}
