//! What only PostgreSQL can do to a program: be away, come back, hold a lock, break off in the midst of a commit.

use std::time::Duration;

use kangmai_base::Moment;
use kangmai_database::testing::{FreshDatabase, POSTGRES_VARIABLE};
use kangmai_database::{Database, DatabaseError, Migration, Migrations, params};

const PID: &str = "select pg_backend_pid()::bigint";
const END: &str = "select pg_terminate_backend($1::bigint::int)";
const COUNT: &str = "select count(*) from item";

/// `None` where there is no PostgreSQL for tests.
fn fresh() -> Result<Option<FreshDatabase>, DatabaseError> {
    let Ok(server) = std::env::var(POSTGRES_VARIABLE) else { return Ok(None) };
    let fresh = FreshDatabase::postgres(&server)?;
    fresh.database.write_blocking(|tx| tx.batch("create table item (id bigint primary key)"))?;
    Ok(Some(fresh))
}

fn count(database: &Database) -> Result<i64, DatabaseError> {
    database.read_blocking(|tx| tx.query_one(COUNT, &[])?.map_or(Ok(0), |row| row.get(0)))
}

/// Ends a connection, as an administrator or a crash does.
fn end(database: &Database, pid: i64) -> Result<(), DatabaseError> {
    database.read_blocking(move |tx| tx.query(END, &params![pid]).map(|_| ()))
}

#[test]
fn connections_that_broke_while_idle_are_replaced() -> Result<(), DatabaseError> {
    let Some(fresh) = fresh()? else { return Ok(()) };
    let administrator = Database::open(&fresh.address)?;
    let pid = fresh.database.read_blocking(|tx| tx.query_one(PID, &[])?.map_or(Ok(0), |row| row.get(0)))?;
    end(&administrator, pid)?;
    for _ in 0..3 {
        assert_eq!(count(&fresh.database)?, 0);
    }
    Ok(())
}

#[test]
fn work_whose_connection_breaks_is_told_and_leaves_nothing() -> Result<(), DatabaseError> {
    let Some(fresh) = fresh()? else { return Ok(()) };
    let administrator = Database::open(&fresh.address)?;
    let broken: Result<(), DatabaseError> = fresh.database.write_blocking(move |tx| {
        tx.execute("insert into item (id) values (1)", &[])?;
        let pid = tx.query_one(PID, &[])?.map_or(Ok(0), |row| row.get::<i64>(0))?;
        end(&administrator, pid)?;
        std::thread::sleep(Duration::from_millis(200));
        tx.execute("insert into item (id) values (2)", &[])?;
        Ok(())
    });
    assert!(matches!(broken, Err(DatabaseError::Unreachable(_))), "{broken:?}");
    assert_eq!(count(&fresh.database)?, 0);
    Ok(())
}

#[test]
fn a_commit_that_breaks_off_is_told_as_unknown() -> Result<(), DatabaseError> {
    let Some(fresh) = fresh()? else { return Ok(()) };
    // A trigger that waits for the commit ends its own connection there.
    fresh.database.write_blocking(|tx| {
        tx.batch(
            "create function broken() returns trigger language plpgsql as
                'begin perform pg_terminate_backend(pg_backend_pid()); perform pg_sleep(1); return null; end';
             create constraint trigger breaks after insert on item deferrable initially deferred
                for each row execute function broken()",
        )
    })?;
    let broken: Result<u64, DatabaseError> =
        fresh.database.write_blocking(|tx| tx.execute("insert into item (id) values (1)", &[]));
    assert!(matches!(broken, Err(DatabaseError::Unknown)), "{broken:?}");
    // A reader that breaks off at its end has read what it read, and the next has another connection.
    assert_eq!(count(&fresh.database)?, 0);
    Ok(())
}

#[test]
fn waiting_for_a_connection_and_for_a_lock_ends_with_a_clear_error() -> Result<(), DatabaseError> {
    let Some(fresh) = fresh()? else { return Ok(()) };
    let narrow = Database::open_with(&fresh.address, 1)?;
    let (holds, held) = std::sync::mpsc::channel();
    let (done, until) = std::sync::mpsc::channel::<()>();
    let holder = std::thread::spawn(move || {
        narrow.write_blocking(move |tx| {
            tx.lock("the ledger")?;
            // Nobody listens any more only if the test failed.
            let _ = holds.send(());
            let _ = until.recv();
            Ok::<_, DatabaseError>(())
        })?;
        Ok::<_, DatabaseError>(narrow)
    });
    assert!(held.recv().is_ok());
    let waiter = fresh.database.clone();
    let locked: Result<(), DatabaseError> = waiter.write_blocking(|tx| tx.lock("the ledger"));
    assert!(matches!(locked, Err(DatabaseError::Locked)), "{locked:?}");
    let _ = done.send(());
    let narrow = holder.join().map_err(|_| DatabaseError::GivenUp)??;
    // Both connections of a pool of one: the second is asked for while the first is in use.
    let again = narrow.clone();
    let busy: Result<i64, DatabaseError> = narrow.read_blocking(move |_| count(&again));
    let says = busy.map_err(|error| error.to_string());
    assert_eq!(says, Err("all 1 connections to the database were in use for 10 seconds".to_owned()));
    assert_eq!(count(&narrow)?, 0);
    Ok(())
}

const STEPS: &[Migrations] = &[Migrations {
    owner: "online",
    steps: &[
        Migration { name: "001-item", sql: "create table thing (id bigint primary key, name text)" },
        Migration {
            name: "002-online",
            sql: "-- online\n-- Names are looked up now.\ncreate index thing_by_name on thing (name);\n
                  create index thing_named on thing (id) where name is not null;",
        },
    ],
}];
const INDEXES: &str = "select count(*) from pg_index i join pg_class c on c.oid = i.indexrelid
    where c.relnamespace = (select oid from pg_namespace where nspname = current_schema())
    and c.relname like 'thing_%' and c.relname <> 'thing_pkey' and i.indisvalid";

#[test]
fn indexes_are_built_while_others_write_and_one_that_was_broken_off_is_built_anew()
-> Result<(), DatabaseError> {
    let Some(fresh) = fresh()? else { return Ok(()) };
    let first = &[Migrations { owner: "online", steps: &STEPS[0].steps[..1] }];
    let first: &'static [Migrations] = Box::leak(Box::new(*first));
    assert_eq!(fresh.database.migrate(first, Moment(0))?, 1);
    // Two rows alike, and an index that therefore cannot be: what a build leaves that was broken off.
    fresh.database.write_blocking(|tx| {
        tx.batch("insert into thing values (1, 'one'), (2, 'one')")?;
        tx.batch("create index thing_by_name on thing (name)")?;
        tx.batch("update pg_index set indisvalid = false where indexrelid = 'thing_by_name'::regclass")
    })?;
    let writer = Database::open(&fresh.address)?;
    let (begun, wait) = std::sync::mpsc::channel();
    let writing = std::thread::spawn(move || {
        writer.write_blocking(move |tx| {
            tx.execute("insert into thing values (3, 'three')", &[])?;
            // Nobody listens any more only if the test failed.
            let _ = begun.send(());
            std::thread::sleep(Duration::from_millis(400));
            Ok::<_, DatabaseError>(())
        })?;
        writer.write_blocking(|tx| tx.execute("insert into thing values (4, 'four')", &[]))
    });
    assert!(wait.recv().is_ok());
    assert_eq!(fresh.database.migrate(STEPS, Moment(0))?, 1);
    assert_eq!(writing.join().map_err(|_| DatabaseError::GivenUp)??, 1);
    let valid: i64 =
        fresh.database.read_blocking(|tx| tx.query_one(INDEXES, &[])?.map_or(Ok(0), |row| row.get(0)))?;
    assert_eq!(valid, 2);
    assert_eq!(fresh.database.migrate(STEPS, Moment(0))?, 0);
    let sqlite = FreshDatabase::sqlite()?;
    assert_eq!(sqlite.database.migrate(STEPS, Moment(0))?, 2);
    Ok(())
}

#[test]
fn pages_have_limits_and_commands_have_none_but_for_locks() -> Result<(), DatabaseError> {
    let Some(fresh) = fresh()? else { return Ok(()) };
    let shown = |tx: &mut kangmai_database::Transaction<'_>| -> Result<Vec<String>, DatabaseError> {
        let names =
            ["statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "application_name"];
        names
            .iter()
            .map(|name| {
                tx.query_one(&format!("show {name}"), &[])?.map_or(Ok(String::new()), |row| row.get(0))
            })
            .collect()
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| DatabaseError::Driver(error.to_string()))?;
    let page = runtime.block_on(fresh.database.read(shown))?;
    assert_eq!(page, ["30s", "10s", "10min", "kangmai"]);
    let page = runtime.block_on(fresh.database.write(shown))?;
    assert_eq!(page, ["1min", "10s", "10min", "kangmai"]);
    assert_eq!(fresh.database.read_blocking(shown)?, ["0", "10s", "10min", "kangmai"]);
    Ok(())
}
