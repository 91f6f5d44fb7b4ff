//! A copy of everything, between all pairs of databases.

use std::io::Cursor;
use std::sync::atomic::{AtomicBool, Ordering};

use kangmai_base::{Ids as _, Moment, SeededIds};
use kangmai_database::testing::FreshDatabase;
use kangmai_database::{Database, DatabaseError, InsertMany, Migration, Migrations, TableSum, params};

const FIRST: Migration = Migration {
    name: "001-item",
    sql: "create table item (id uuid primary key, name text, amount bigint not null, seen boolean not null,
            share double precision, body bytea);
          create index item_by_amount on item (amount);
          create table mark (item uuid not null, note text not null);",
};
const SECOND: Migration = Migration {
    name: "002-place",
    sql: "alter table item add column place bigint; create table later (id uuid);",
};
const OLD: &[Migrations] = &[Migrations { owner: "test", steps: &[FIRST] }];
const NEW: &[Migrations] = &[Migrations { owner: "test", steps: &[FIRST, SECOND] }];
const EDITED: &[Migrations] = &[Migrations {
    owner: "test",
    steps: &[Migration { name: FIRST.name, sql: "create table item (id uuid)" }],
}];
const ITEMS: InsertMany =
    InsertMany { table: "item", columns: &["id", "name", "amount", "seen", "share", "body"], suffix: "" };
const MARKS: InsertMany = InsertMany { table: "mark", columns: &["item", "note"], suffix: "" };
const ROWS: i64 = 1_003;

fn fill(database: &Database, migrations: &'static [Migrations]) -> Result<(), DatabaseError> {
    database.migrate(migrations, Moment(0))?;
    database.write_blocking(|tx| {
        let ids = SeededIds::new(3);
        let item = |number: i64| {
            let name = (number % 7 != 0).then(|| format!("示例 {number}\n'\"\\"));
            let share = (number % 3 == 0).then_some(if number % 2 == 0 { 2.0 } else { 0.1 });
            let body = (number % 5 != 0).then(|| vec![0, 255, u8::try_from(number % 200).unwrap_or(0)]);
            params![ids.mint(Moment(number)), name, number - 500, number % 2 == 0, share, body]
        };
        tx.insert_many(&ITEMS, (0..ROWS).map(item))?;
        // Rows that are alike count as often as they are there.
        let mark = ids.mint(Moment(9));
        tx.insert_many(&MARKS, (0..130).map(|_| params![mark, ""]))?;
        Ok(())
    })
}

fn copy_of(database: &Database) -> Result<(Vec<u8>, Vec<TableSum>), DatabaseError> {
    database.write_snapshot(Vec::new(), |_, _| {})
}

fn restore(
    database: &Database,
    migrations: &'static [Migrations],
    copy: Vec<u8>,
) -> Result<Vec<TableSum>, DatabaseError> {
    database.read_snapshot(migrations, Cursor::new(copy), Moment(0), |_, _| {})
}

fn is_untouched(database: &Database) -> bool {
    database.table_sums(|_, _| {}).is_ok_and(|sums| sums.is_empty())
}

#[test]
fn everything_goes_from_each_database_to_each() -> Result<(), DatabaseError> {
    for from in FreshDatabase::all()? {
        fill(&from.database, NEW)?;
        let (copy, sums) = copy_of(&from.database)?;
        let rows: Vec<(&str, u64)> = sums.iter().map(|sum| (sum.table.as_str(), sum.rows)).collect();
        assert_eq!(rows, [("item", 1_003), ("later", 0), ("mark", 130)]);
        for to in FreshDatabase::all()? {
            assert_eq!(restore(&to.database, NEW, copy.clone())?, sums);
            assert_eq!(to.database.table_sums(|_, _| {})?, sums);
            assert_eq!(to.database.migrate(NEW, Moment(0))?, 0, "the steps are known to have run");
            assert_eq!(copy_of(&to.database)?.1, sums);
            // One row other than before, and the hash is another.
            to.database
                .write_blocking(|tx| tx.execute("update item set amount = 7 where amount = 8", &[]))?;
            assert_ne!(to.database.table_sums(|_, _| {})?, sums);
            assert!(matches!(restore(&to.database, NEW, copy.clone()), Err(DatabaseError::NotEmpty)));
        }
    }
    Ok(())
}

#[test]
fn an_older_copy_is_restored_as_it_was_and_then_brought_up_to_date() -> Result<(), DatabaseError> {
    for from in FreshDatabase::all()? {
        fill(&from.database, OLD)?;
        let (copy, sums) = copy_of(&from.database)?;
        for to in FreshDatabase::all()? {
            assert_eq!(restore(&to.database, NEW, copy.clone())?, sums);
            assert_eq!(to.database.migrate(NEW, Moment(0))?, 1);
        }
    }
    Ok(())
}

#[test]
fn a_copy_of_a_newer_or_another_program_is_refused() -> Result<(), DatabaseError> {
    let from = FreshDatabase::sqlite()?;
    fill(&from.database, NEW)?;
    let (copy, _) = copy_of(&from.database)?;
    for to in FreshDatabase::all()? {
        let newer = restore(&to.database, OLD, copy.clone());
        assert!(matches!(newer, Err(DatabaseError::Copy(says)) if says.contains("test/002-place")));
        let edited = restore(&to.database, EDITED, copy.clone());
        assert!(matches!(edited, Err(DatabaseError::EditedMigration { .. })));
        assert!(is_untouched(&to.database));
    }
    Ok(())
}

#[test]
fn a_copy_that_ends_early_or_is_damaged_leaves_nothing() -> Result<(), DatabaseError> {
    let from = FreshDatabase::sqlite()?;
    fill(&from.database, NEW)?;
    let (copy, _) = copy_of(&from.database)?;
    for to in FreshDatabase::all()? {
        for length in (0..copy.len()).step_by(4_999).chain([copy.len() - 1]) {
            let part = restore(&to.database, NEW, copy[..length].to_vec());
            assert!(matches!(part, Err(DatabaseError::Copy(_))), "{length} bytes of it are taken");
        }
        for at in (0..copy.len()).step_by(4_999) {
            let mut other = copy.clone();
            other[at] ^= 4;
            assert!(restore(&to.database, NEW, other).is_err(), "byte {at} may be another");
        }
        let behind = [copy.clone(), vec![0]].concat();
        assert!(restore(&to.database, NEW, behind).is_err());
        assert!(is_untouched(&to.database));
        restore(&to.database, NEW, copy.clone())?;
    }
    Ok(())
}

#[test]
fn a_copy_is_of_one_moment_while_others_write() -> Result<(), DatabaseError> {
    for from in FreshDatabase::all()? {
        fill(&from.database, NEW)?;
        let (writer, written) = (from.database.clone(), AtomicBool::new(false));
        let (copy, sums) = from.database.write_snapshot(Vec::new(), move |table, _| {
            // Once, in the midst of it, from a connection of its own.
            if table == "item" && !written.swap(true, Ordering::Relaxed) {
                let more = (0..5).map(|number| params![SeededIds::new(8).mint(Moment(number)), "late"]);
                let more: Vec<_> = more.collect();
                writer.write_blocking(move |tx| tx.insert_many(&MARKS, more)).expect("a write");
            }
        })?;
        let to = FreshDatabase::sqlite()?;
        assert_eq!(restore(&to.database, NEW, copy)?, sums);
        assert_eq!(sums.iter().map(|sum| sum.rows).sum::<u64>(), 1_133);
    }
    Ok(())
}

#[test]
fn a_file_that_is_filled_is_whole_when_it_is_opened_anew() -> Result<(), DatabaseError> {
    let from = FreshDatabase::sqlite()?;
    fill(&from.database, NEW)?;
    let (copy, sums) = copy_of(&from.database)?;
    let path = std::path::PathBuf::from(format!("{}-filled", from.address));
    let filled = Database::open_to_fill(&path)?;
    restore(&filled, NEW, copy)?;
    drop(filled);
    assert_eq!(Database::open(&path.to_string_lossy())?.table_sums(|_, _| {})?, sums);
    Ok(())
}
