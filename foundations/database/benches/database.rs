//! What the database layer itself costs, on SQLite with full durability. `cargo bench -p kangmai-database`

#![expect(clippy::expect_used, reason = "a bench says what it needs")]

use kangmai_base::{Ids as _, Moment, SeededIds, Uuid};
use kangmai_database::{Database, DatabaseError, InsertMany, Migration, Migrations, params};

const MIGRATIONS: &[Migrations] = &[Migrations {
    owner: "bench",
    steps: &[Migration {
        name: "001-item",
        sql: "create table item (id uuid primary key, name text not null, amount bigint not null)",
    }],
}];
const INSERT: InsertMany = InsertMany { table: "item", columns: &["id", "name", "amount"], suffix: "" };
const ROWS: i64 = 100_000;

fn main() {
    divan::main();
}

fn open(name: &str) -> (Database, std::path::PathBuf) {
    let path = std::env::temp_dir().join(format!("kangmai-bench-{name}-{}.db", std::process::id()));
    for ending in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{ending}", path.display()));
    }
    let database = Database::open(&path.to_string_lossy()).expect("open");
    database.migrate(MIGRATIONS, Moment(0)).expect("migrate");
    (database, path)
}

fn fill(database: &Database) -> Vec<Uuid> {
    let ids = SeededIds::new(1);
    let keys: Vec<Uuid> = (0..ROWS).map(|number| ids.mint(Moment(number * 1_000))).collect();
    let rows = keys.clone();
    database
        .write_blocking(move |tx| {
            let rows = rows.iter().zip(0_i64..).map(|(key, number)| params![*key, "王小明", number]);
            tx.insert_many(&INSERT, rows)
        })
        .expect("fill");
    keys
}

#[divan::bench(sample_count = 10, sample_size = 1)]
fn insert_100_000_rows_in_one_transaction(bencher: divan::Bencher<'_, '_>) {
    bencher.with_inputs(|| open("insert").0).bench_values(|database| fill(&database));
}

#[divan::bench(sample_count = 20)]
fn find_by_id(bencher: divan::Bencher<'_, '_>) {
    let (database, _) = open("find");
    let keys = fill(&database);
    let mut next = 0;
    bencher.bench_local(|| {
        next = (next + 7_919) % keys.len();
        let key = keys[next];
        database
            .read_blocking(move |tx| {
                tx.query_one("select name, amount from item where id = $1", &params![key])
            })
            .expect("found")
    });
}

#[divan::bench(sample_count = 20)]
fn durable_commit_of_one_row(bencher: divan::Bencher<'_, '_>) {
    let (database, _) = open("commit");
    let ids = SeededIds::new(2);
    bencher.bench_local(|| {
        let key = ids.mint(Moment(1));
        database
            .write_blocking(move |tx| -> Result<u64, DatabaseError> {
                tx.insert_many(&INSERT, [params![key, "王小明", 1_i64]])
            })
            .expect("written")
    });
}
