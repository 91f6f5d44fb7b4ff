//! SQLite: one writer thread with group commit, a pool of reader threads, and one that brings the log into the file.

use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::JoinHandle;

use rusqlite::config::DbConfig;
use rusqlite::hooks::Wal;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection as SqliteConnection, ToSql};
use tokio::sync::oneshot;

use crate::insert::Rows;
use crate::layout::Table;
use crate::transaction::{Connection, Dialect};
use crate::{DatabaseError, Row, Transaction, Value};

/// How much of what was answered for survives a power cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Durability {
    /// All of it.
    Full,
    /// For tests and throw-away demos.
    None,
    /// Nothing, not even what was there before: for a new file that is filled and then opened anew.
    Fill,
}

/// Transactions that one commit may carry.
const GROUP: usize = 64;
/// Reader threads. Reads wait for the processor more than for the disk, so a few more than cores do.
const READERS: usize = 4;
/// Statements that each connection keeps prepared.
const PREPARED: usize = 256;
/// Pages of the log from which on it is brought into the file beside the writer.
const LOG_PAGES: i32 = 10_000;
/// Pages of the log at which the writer brings in itself what is left, and so keeps it from growing without end.
const LOG_PAGES_FULL: i32 = 20_000;

/// A piece of work for a thread that owns a connection.
type ReadJob = Box<dyn FnOnce(&mut SqliteConnection) + Send>;
/// It is handed an error instead, if no transaction could begin: to tell whoever waits.
type WriteJob = Box<dyn FnOnce(Result<&mut SqliteConnection, DatabaseError>) -> Written + Send>;

/// What a write left behind: whether its savepoint stands, and whom to tell once the group is committed.
struct Written {
    stands: bool,
    tell: Box<dyn FnOnce(Result<(), DatabaseError>) + Send>,
}

pub(crate) struct Sqlite {
    reads: Option<mpsc::Sender<ReadJob>>,
    writes: Option<mpsc::Sender<WriteJob>>,
    threads: Vec<JoinHandle<()>>,
    path: PathBuf,
}

impl Sqlite {
    pub(crate) fn open(path: &Path, durability: Durability) -> Result<Sqlite, DatabaseError> {
        let mut writer = connect(path, durability)?;
        let (tidy, tidy_jobs) = mpsc::sync_channel::<()>(1);
        keep_log_short(&mut writer, tidy)?;
        let tidier = connect(path, durability)?;
        let (writes, write_jobs) = mpsc::channel::<WriteJob>();
        let (reads, read_jobs) = mpsc::channel::<ReadJob>();
        let read_jobs = Arc::new(Mutex::new(read_jobs));
        let mut threads = vec![
            spawn("database-writer", move || write_loop(writer, &write_jobs))?,
            spawn("database-log", move || tidy_loop(&tidier, &tidy_jobs))?,
        ];
        for _ in 0..READERS {
            let reader = connect(path, durability)?;
            reader.execute_batch("pragma query_only = on")?;
            let read_jobs = Arc::clone(&read_jobs);
            threads.push(spawn("database-reader", move || read_loop(reader, &read_jobs))?);
        }
        Ok(Sqlite { reads: Some(reads), writes: Some(writes), threads, path: path.to_owned() })
    }

    /// Writes the file anew, without what was deleted or overwritten, and empties the log.
    pub(crate) fn scrub(&self) -> Result<(), DatabaseError> {
        let connection = connect(&self.path, Durability::Full)?;
        Ok(connection.execute_batch("vacuum; pragma wal_checkpoint(truncate)")?)
    }

    pub(crate) fn submit_read<T, E>(
        &self,
        work: impl FnOnce(&mut Transaction<'_>) -> Result<T, E> + Send + 'static,
        limited: bool,
    ) -> oneshot::Receiver<Result<T, E>>
    where
        T: Send + 'static,
        E: From<DatabaseError> + Send + 'static,
    {
        let (answer, receiver) = oneshot::channel();
        let job: ReadJob = Box::new(move |connection| {
            if answer.is_closed() {
                return;
            }
            // Nobody listening any more is no error of ours.
            let _ = answer.send(read(connection, work, limited));
        });
        if let Some(reads) = &self.reads {
            // A reader is always there; if it were not, the dropped job tells the caller.
            let _ = reads.send(job);
        }
        receiver
    }

    pub(crate) fn submit_write<T, E>(
        &self,
        work: impl FnOnce(&mut Transaction<'_>) -> Result<T, E> + Send + 'static,
    ) -> oneshot::Receiver<Result<T, E>>
    where
        T: Send + 'static,
        E: From<DatabaseError> + Send + 'static,
    {
        let (answer, receiver) = oneshot::channel();
        let job: WriteJob = Box::new(move |connection| {
            let result = match connection {
                Ok(connection) => work(&mut Transaction::on(&mut Wrapped(connection))),
                Err(error) => Err(E::from(error)),
            };
            Written {
                stands: result.is_ok(),
                tell: Box::new(move |committed| {
                    let _ = answer.send(match committed {
                        Ok(()) => result,
                        Err(error) => result.and(Err(E::from(error))),
                    });
                }),
            }
        });
        if let Some(writes) = &self.writes {
            let _ = writes.send(job);
        }
        receiver
    }
}

impl Drop for Sqlite {
    fn drop(&mut self) {
        self.reads = None;
        self.writes = None;
        // The last clone may be dropped by a job on one of these very threads. Then nobody is waited for: the log's thread ends
        // with the writer's connection, which the writer holds while it runs the job.
        let own = std::thread::current().id();
        if self.threads.iter().any(|thread| thread.thread().id() == own) {
            return;
        }
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, DatabaseError> {
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(work)
        .map_err(|error| DatabaseError::Driver(error.to_string()))
}

fn connect(path: &Path, durability: Durability) -> Result<SqliteConnection, DatabaseError> {
    let path: PathBuf = path.to_owned();
    let connection = SqliteConnection::open(&path)
        .map_err(|error| DatabaseError::Driver(format!("cannot open {}: {error}", path.display())))?;
    let busy = DatabaseError::LOCK_SECONDS * 1_000;
    let synchronous = match durability {
        Durability::Full => "full",
        Durability::None | Durability::Fill => "off",
    };
    let journal = if durability == Durability::Fill { "off" } else { "wal" };
    connection.execute_batch(&format!(
        "pragma busy_timeout = {busy}; pragma journal_mode = {journal}; pragma synchronous = {synchronous};
         pragma foreign_keys = on; pragma temp_store = memory; pragma cache_size = -65536;
         pragma mmap_size = 1073741824; pragma wal_autocheckpoint = 10000; pragma journal_size_limit = 67108864"
    ))?;
    // Without it a statement is planned anew whenever other values are bound to it: a third of an import's time.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.set_prepared_statement_cache_capacity(PREPARED);
    Ok(connection)
}

/// After a commit: a log that has grown is brought into the file by another thread while the writer goes on; one that the other
/// could not keep up with, by the writer. The signal ends with the writer's connection.
fn keep_log_short(writer: &mut SqliteConnection, tidy: mpsc::SyncSender<()>) -> Result<(), DatabaseError> {
    let after_commit = move |log: &mut Wal, pages| {
        if pages >= LOG_PAGES_FULL {
            // What is committed stays committed: a log that cannot be brought in now is tried again after the next commit.
            let _ = log.checkpoint();
        } else if pages >= LOG_PAGES {
            // One signal that waits is enough.
            let _ = tidy.try_send(());
        }
        Ok(())
    };
    Ok(writer.wal_hook(Some(after_commit))?)
}

fn tidy_loop(connection: &SqliteConnection, signals: &mpsc::Receiver<()>) {
    while signals.recv().is_ok() {
        let done = connection.query_row("pragma wal_checkpoint(passive)", [], |_| Ok(()));
        if let Err(error) = done {
            tracing::warn!(%error, "cannot bring the log into the database file");
        }
    }
}

fn read_loop(mut connection: SqliteConnection, jobs: &Mutex<mpsc::Receiver<ReadJob>>) {
    loop {
        let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = job else { return };
        if std::panic::catch_unwind(AssertUnwindSafe(|| job(&mut connection))).is_err() {
            tracing::error!("a read panicked");
            let _ = connection.execute_batch("rollback");
        }
    }
}

fn read<T, E: From<DatabaseError>>(
    connection: &mut SqliteConnection,
    work: impl FnOnce(&mut Transaction<'_>) -> Result<T, E>,
    limited: bool,
) -> Result<T, E> {
    if limited {
        limit_time(connection).map_err(DatabaseError::from)?;
    }
    run_cached(connection, "begin").map_err(DatabaseError::from)?;
    let result = work(&mut Transaction::on(&mut Wrapped(connection)));
    // A failed rollback leaves autocommit on or the connection closed; either way the next `begin` tells.
    let _ = run_cached(connection, "rollback");
    if limited {
        let _ = connection.progress_handler(0, None::<fn() -> bool>);
    }
    result
}

/// Stops whatever runs on the connection [`DatabaseError::READ_SECONDS`] from now.
#[expect(clippy::disallowed_methods, reason = "measures how long a read takes; no rule depends on it")]
fn limit_time(connection: &mut SqliteConnection) -> Result<(), rusqlite::Error> {
    let started = std::time::Instant::now();
    connection
        .progress_handler(100_000, Some(move || started.elapsed().as_secs() >= DatabaseError::READ_SECONDS))
}

fn write_loop(mut connection: SqliteConnection, jobs: &mpsc::Receiver<WriteJob>) {
    while let Ok(first) = jobs.recv() {
        if let Err(error) = run_cached(&connection, "begin immediate") {
            tracing::error!(%error, "cannot begin a transaction");
            (first(Err(error.into())).tell)(Ok(()));
            continue;
        }
        let mut next = Some(first);
        let mut written = Vec::new();
        while let Some(job) = next.take() {
            written.extend(write(&mut connection, job));
            // A full disk and the like end the whole transaction, not only the savepoint: what is in the group is gone.
            if written.len() < GROUP && !connection.is_autocommit() {
                next = jobs.try_recv().ok();
            }
        }
        let committed = run_cached(&connection, "commit").map_err(DatabaseError::from);
        if let Err(error) = &committed {
            tracing::error!(%error, "commit failed");
            let _ = run_cached(&connection, "rollback");
        }
        for done in written {
            let told = match &committed {
                Ok(()) => Ok(()),
                Err(error) => Err(DatabaseError::Driver(format!("nothing was written: {error}"))),
            };
            (done.tell)(told);
        }
    }
}

/// Runs one write in a savepoint; `None` if it panicked.
fn write(connection: &mut SqliteConnection, job: WriteJob) -> Option<Written> {
    let savepoint = run_cached(connection, "savepoint job");
    let written = std::panic::catch_unwind(AssertUnwindSafe(|| job(Ok(connection)))).ok();
    if written.is_none() {
        tracing::error!("a write panicked");
    }
    if !written.as_ref().is_some_and(|written| written.stands) {
        let _ = run_cached(connection, "rollback to job");
    }
    let released = savepoint.and_then(|()| run_cached(connection, "release job"));
    if let Err(error) = released {
        tracing::error!(%error, "a savepoint failed");
        if let Some(written) = written {
            (written.tell)(Err(error.into()));
        }
        return None;
    }
    written
}

fn run_cached(connection: &SqliteConnection, sql: &str) -> Result<(), rusqlite::Error> {
    connection.prepare_cached(sql)?.raw_execute().map(|_| ())
}

struct Wrapped<'a>(&'a mut SqliteConnection);

impl Connection for Wrapped<'_> {
    fn dialect(&self) -> Dialect {
        Dialect::Sqlite
    }

    fn for_each(
        &mut self,
        sql: &str,
        params: &[Value],
        each: &mut dyn FnMut(Row) -> Result<(), DatabaseError>,
    ) -> Result<(), DatabaseError> {
        let mut statement = self.0.prepare_cached(sql)?;
        bind(&mut statement, params)?;
        let columns = statement.column_count();
        let mut rows = statement.raw_query();
        while let Some(row) = rows.next()? {
            let mut values = Vec::with_capacity(columns);
            for column in 0..columns {
                values.push(match row.get_ref(column)? {
                    ValueRef::Null => Value::Null,
                    ValueRef::Integer(value) => Value::Int(value),
                    ValueRef::Real(value) => Value::Real(value),
                    ValueRef::Text(value) => Value::Text(String::from_utf8_lossy(value).into_owned()),
                    ValueRef::Blob(value) => Value::Bytes(value.to_vec()),
                });
            }
            each(Row { values })?;
        }
        Ok(())
    }

    fn execute(&mut self, sql: &str, params: &[Value]) -> Result<u64, DatabaseError> {
        let mut statement = self.0.prepare_cached(sql)?;
        bind(&mut statement, params)?;
        Ok(statement.raw_execute()? as u64)
    }

    fn execute_in_order(&mut self, sql: &str, params: &[Value]) -> Result<u64, DatabaseError> {
        let mut statement = self.0.prepare_cached(sql)?;
        for (index, value) in params.iter().enumerate() {
            statement.raw_bind_parameter(index + 1, value)?;
        }
        Ok(statement.raw_execute()? as u64)
    }

    fn batch(&mut self, sql: &str) -> Result<(), DatabaseError> {
        Ok(self.0.execute_batch(sql)?)
    }

    fn prepare(&mut self, sql: &str) -> Result<(), DatabaseError> {
        self.0.prepare(sql)?;
        Ok(())
    }

    fn lock(&mut self, _name: &str) -> Result<(), DatabaseError> {
        Ok(())
    }

    fn load(&mut self, table: &Table, rows: Rows<'_>) -> Result<u64, DatabaseError> {
        crate::insert::load(self, table, rows)
    }
}

/// Binds by the number in each placeholder: to SQLite `$2` is a name, and its names count in order of appearance.
fn bind(statement: &mut rusqlite::CachedStatement<'_>, params: &[Value]) -> Result<(), DatabaseError> {
    let mut highest = 0;
    for index in 1..=statement.parameter_count() {
        let number = statement.parameter_name(index).and_then(|name| name.strip_prefix('$')?.parse().ok());
        let value = number.and_then(|number: usize| params.get(number.checked_sub(1)?));
        let (Some(number), Some(value)) = (number, value) else {
            return Err(DatabaseError::Refused(format!("placeholder {index} of a statement has no value")));
        };
        highest = highest.max(number);
        statement.raw_bind_parameter(index, value)?;
    }
    if highest != params.len() {
        return Err(DatabaseError::Refused(format!("{} values for {highest} placeholders", params.len())));
    }
    Ok(())
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let borrowed = match self {
            Value::Null => ValueRef::Null,
            Value::Bool(value) => ValueRef::Integer(i64::from(*value)),
            Value::Int(value) => ValueRef::Integer(*value),
            Value::Real(value) => ValueRef::Real(*value),
            Value::Text(value) => ValueRef::Text(value.as_bytes()),
            Value::Bytes(value) => ValueRef::Blob(value),
            Value::Uuid(value) => ValueRef::Blob(value.as_bytes()),
        };
        Ok(ToSqlOutput::Borrowed(borrowed))
    }
}
