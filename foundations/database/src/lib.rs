//! SQLite or PostgreSQL behind one type.
//!
//! A store is plain synchronous code over a [`Transaction`], with one SQL text for both databases. A page awaits
//! [`Database::read`] or [`Database::write`]; a command or an import thread calls the `_blocking` twins.
//!
//! - SQLite: reads go to a pool of reader threads, each on a snapshot; writes to one writer thread that commits
//!   whatever is waiting together (group commit), each in a savepoint of its own. WAL, `synchronous = full`: what
//!   was answered for survives a power cut.
//! - PostgreSQL: a small pool of connections, each transaction on one of them.
//!
//! *Invariant:* no other crate knows a driver. Only what both databases understand reaches them: `$1`
//! placeholders, and the column types `text`, `bigint`, `boolean`, `double precision`, `bytea`, `uuid`.

mod error;
mod insert;
mod keys;
mod migrate;
mod postgres;
mod sealed;
mod sqlite;
pub mod testing;
mod transaction;
mod value;

use std::sync::Arc;

pub use error::DatabaseError;
pub use insert::InsertMany;
pub use keys::{KEY_TABLES, KeptKey, forget_key, kept_keys};
pub use migrate::{Migration, Migrations};
pub use sealed::{ClearText, SealedTable, Standing, reseal, seal_clear_text, standing};
pub use transaction::{Dialect, Transaction};
pub use value::{FromValue, Row, Value};

/// Builds the parameters of a statement: `params![person, day]` is an array of [`Value`].
#[macro_export]
macro_rules! params {
    ($($value:expr),* $(,)?) => { [$($crate::Value::from($value)),*] };
}

const PING: &str = "select 1";

/// One database, open. Cheap to clone; closed when the last clone goes.
#[derive(Clone)]
pub struct Database {
    inner: Arc<Inner>,
    keys: keys::Keys,
}

enum Inner {
    Sqlite(sqlite::Sqlite),
    Postgres(Box<postgres::Postgres>),
}

impl Database {
    /// Opens `address`: `postgres://…` for PostgreSQL, else the path of an SQLite file (perhaps behind
    /// `sqlite:`), made if it is not there.
    ///
    /// # Errors
    /// When the file cannot be opened or the server does not answer.
    pub fn open(address: &str) -> Result<Database, DatabaseError> {
        let inner = if address.starts_with("postgres://") || address.starts_with("postgresql://") {
            Inner::Postgres(Box::new(postgres::Postgres::open(address)?))
        } else {
            let path = address.strip_prefix("sqlite:").unwrap_or(address);
            Inner::Sqlite(sqlite::Sqlite::open(path.as_ref(), sqlite::Durability::Full)?)
        };
        Ok(Database { inner: Arc::new(inner), keys: keys::Keys::default() })
    }

    /// Opens an SQLite file that may lose its last seconds in a power cut: for tests and throw-away demos.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub fn open_throw_away(path: &std::path::Path) -> Result<Database, DatabaseError> {
        let inner = Inner::Sqlite(sqlite::Sqlite::open(path, sqlite::Durability::None)?);
        Ok(Database { inner: Arc::new(inner), keys: keys::Keys::default() })
    }

    /// Which database it is.
    pub fn dialect(&self) -> Dialect {
        match *self.inner {
            Inner::Sqlite(_) => Dialect::Sqlite,
            Inner::Postgres(_) => Dialect::Postgres,
        }
    }

    /// Runs `work` in a reading transaction, on one snapshot. A read that takes longer than
    /// [`DatabaseError::READ_SECONDS`] is stopped.
    ///
    /// # Errors
    /// Those of `work`, and [`DatabaseError`] when the database fails.
    pub async fn read<T, E>(
        &self,
        work: impl FnOnce(&mut Transaction<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<DatabaseError> + Send + 'static,
    {
        match &*self.inner {
            Inner::Sqlite(sqlite) => answer(sqlite.submit_read(self.with_keys(work), true).await),
            Inner::Postgres(_) => self.on_blocking_thread(move |database| database.read_blocking(work)).await,
        }
    }

    /// Runs `work` in a writing transaction and answers when it is committed. If `work` fails, nothing of it stays.
    /// It runs to its end even if the caller goes away.
    ///
    /// # Errors
    /// Those of `work`, and [`DatabaseError`] when the database fails.
    pub async fn write<T, E>(
        &self,
        work: impl FnOnce(&mut Transaction<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<DatabaseError> + Send + 'static,
    {
        match &*self.inner {
            Inner::Sqlite(sqlite) => answer(sqlite.submit_write(self.with_keys(work)).await),
            Inner::Postgres(_) => {
                self.on_blocking_thread(move |database| database.write_blocking(work)).await
            }
        }
    }

    /// [`Database::read`] for commands and import threads, without a time limit. Not on an async thread.
    ///
    /// # Errors
    /// As [`Database::read`].
    pub fn read_blocking<T, E>(
        &self,
        work: impl FnOnce(&mut Transaction<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<DatabaseError> + Send + 'static,
    {
        match &*self.inner {
            Inner::Sqlite(sqlite) => answer(sqlite.submit_read(self.with_keys(work), false).blocking_recv()),
            Inner::Postgres(postgres) => postgres.transaction(self.with_keys(work), true),
        }
    }

    /// [`Database::write`] for commands and import threads. Not on an async thread.
    ///
    /// # Errors
    /// As [`Database::write`].
    pub fn write_blocking<T, E>(
        &self,
        work: impl FnOnce(&mut Transaction<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<DatabaseError> + Send + 'static,
    {
        match &*self.inner {
            Inner::Sqlite(sqlite) => answer(sqlite.submit_write(self.with_keys(work)).blocking_recv()),
            Inner::Postgres(postgres) => postgres.transaction(self.with_keys(work), false),
        }
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ping(&self) -> Result<(), DatabaseError> {
        self.read(|tx| tx.query(PING, &[]).map(|_| ())).await
    }

    /// Brings the tables of every owner up to date, in the order given, in one transaction.
    ///
    /// # Errors
    /// When a step fails, or when a step that ran before has another checksum now.
    pub fn migrate(
        &self,
        all: &'static [Migrations],
        now: kangmai_base::Moment,
    ) -> Result<usize, DatabaseError> {
        self.write_blocking(move |tx| migrate::run(tx, all, now))
    }

    /// Lets SQLite refresh what its planner knows of the tables (after a large import), and PostgreSQL likewise.
    ///
    /// # Errors
    /// When the database fails.
    pub fn analyze(&self) -> Result<(), DatabaseError> {
        self.write_blocking(|tx| tx.batch("analyze"))
    }

    /// Leaves nothing behind of what was deleted or overwritten: SQLite writes its file anew, which no other transaction may
    /// do meanwhile. PostgreSQL does so with its own `vacuum full`, in the hands of who runs it.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn scrub(&self) -> Result<(), DatabaseError> {
        match &*self.inner {
            Inner::Sqlite(sqlite) => sqlite.scrub(),
            Inner::Postgres(_) => Ok(()),
        }
    }

    /// The same work with the keys in its transaction.
    fn with_keys<T, E>(
        &self,
        work: impl FnOnce(&mut Transaction<'_>) -> Result<T, E> + Send + 'static,
    ) -> impl FnOnce(&mut Transaction<'_>) -> Result<T, E> + Send + 'static {
        let keys = self.keys.clone();
        move |tx| {
            tx.held = keys::Holding::of(keys);
            work(tx)
        }
    }

    async fn on_blocking_thread<T, E>(
        &self,
        work: impl FnOnce(&Database) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<DatabaseError> + Send + 'static,
    {
        let database = self.clone();
        match tokio::task::spawn_blocking(move || work(&database)).await {
            Ok(result) => result,
            Err(_) => Err(E::from(DatabaseError::GivenUp)),
        }
    }
}

/// What a worker thread sent back; it sends nothing only if the work panicked.
fn answer<T, E: From<DatabaseError>, R>(received: Result<Result<T, E>, R>) -> Result<T, E> {
    received.unwrap_or_else(|_| Err(E::from(DatabaseError::GivenUp)))
}

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Database").field("dialect", &self.dialect()).finish()
    }
}
