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

mod behalf;
mod error;
mod insert;
mod keys;
mod layout;
mod migrate;
mod postgres;
mod sealed;
mod snapshot;
mod sqlite;
pub mod testing;
mod transaction;
mod value;
mod wall;

use std::sync::Arc;

use kangmai_base::PlaceRange;
use postgres::Manner;

pub use behalf::OnBehalf;
pub use error::DatabaseError;
pub use insert::InsertMany;
pub use keys::{KEY_TABLES, KeptKey, Opener, forget_key, kept_keys};
pub use migrate::{Migration, Migrations};
pub use sealed::{
    ClearText, SealedTable, Standing, look_for_clear_text_again, reseal, reseal_copy, seal_clear_text,
    standing,
};
pub use snapshot::{Hash, TableSum};
pub use transaction::{Dialect, Transaction};
pub use value::{FIFTY, FromValue, Row, Value, in_fifties};
pub use wall::{Wall, Walled};

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
    scope: Scope,
    behalf: Option<Arc<OnBehalf>>,
}

/// The places that a handle of a database may see, as `place` and `home` hold them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Scope {
    first: i64,
    last: i64,
}

impl Scope {
    const EVERYWHERE: Scope = Scope { first: 0, last: i64::MAX };
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
        Database::open_with(address, Database::CONNECTIONS)
    }

    /// The most connections to PostgreSQL, unless somebody says otherwise.
    pub const CONNECTIONS: usize = 16;

    /// [`Database::open`] with another number of connections at most; SQLite has no use for it.
    ///
    /// # Errors
    /// As [`Database::open`].
    pub fn open_with(address: &str, connections: usize) -> Result<Database, DatabaseError> {
        let inner = if address.starts_with("postgres://") || address.starts_with("postgresql://") {
            Inner::Postgres(Box::new(postgres::Postgres::open(address, connections.max(1))?))
        } else {
            let path = address.strip_prefix("sqlite:").unwrap_or(address);
            Inner::Sqlite(sqlite::Sqlite::open(path.as_ref(), sqlite::Durability::Full)?)
        };
        Ok(Database::of(inner))
    }

    /// Opens an SQLite file to be filled at once: a failure leaves it of no use. Whoever fills it opens it anew afterwards.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub fn open_to_fill(path: &std::path::Path) -> Result<Database, DatabaseError> {
        Ok(Database::of(Inner::Sqlite(sqlite::Sqlite::open(path, sqlite::Durability::Fill)?)))
    }

    /// Opens an SQLite file that may lose its last seconds in a power cut: for tests and throw-away demos.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub fn open_throw_away(path: &std::path::Path) -> Result<Database, DatabaseError> {
        let inner = Inner::Sqlite(sqlite::Sqlite::open(path, sqlite::Durability::None)?);
        Ok(Database::of(inner))
    }

    fn of(inner: Inner) -> Database {
        Database {
            inner: Arc::new(inner),
            keys: keys::Keys::default(),
            scope: Scope::EVERYWHERE,
            behalf: None,
        }
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
            Inner::Postgres(_) => {
                let manner = self.manner(true, DatabaseError::READ_SECONDS);
                self.on_blocking_thread(move |database| database.on_postgres(work, manner)).await
            }
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
                let manner = self.manner(false, DatabaseError::WRITE_SECONDS);
                self.on_blocking_thread(move |database| database.on_postgres(work, manner)).await
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
            Inner::Postgres(_) => self.on_postgres(work, self.manner(true, 0)),
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
            Inner::Postgres(_) => self.on_postgres(work, self.manner(false, 0)),
        }
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ping(&self) -> Result<(), DatabaseError> {
        self.read(|tx| tx.query(PING, &[]).map(|_| ())).await
    }

    /// Brings the tables of every owner up to date, in the order given, in one transaction; then, on PostgreSQL, builds the
    /// indexes of online steps beside whoever works.
    ///
    /// # Errors
    /// When a step fails, or when a step that ran before has another checksum now.
    pub fn migrate(
        &self,
        all: &'static [Migrations],
        now: kangmai_base::Moment,
    ) -> Result<usize, DatabaseError> {
        let applied = self.write_blocking(move |tx| migrate::run(tx, all, now))?;
        let Inner::Postgres(postgres) = &*self.inner else { return Ok(applied) };
        let online = self.read_blocking(move |tx| migrate::online_steps(tx, all))?;
        let more = online.len();
        for step in online {
            for index in &step.indexes {
                postgres.build_index(index)?;
            }
            self.write_blocking(move |tx| migrate::online_step_ran(tx, &step, now))?;
        }
        Ok(applied + more)
    }

    /// How many steps of these owners did not run here yet. Only reads.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn lacking_steps(&self, all: &'static [Migrations]) -> Result<usize, DatabaseError> {
        self.read(move |tx| migrate::lacking(tx, all)).await
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

    /// The same work with the keys, and on whose behalf it is, in its transaction.
    fn with_keys<T, E>(
        &self,
        work: impl FnOnce(&mut Transaction<'_>) -> Result<T, E> + Send + 'static,
    ) -> impl FnOnce(&mut Transaction<'_>) -> Result<T, E> + Send + 'static {
        let (keys, behalf) = (self.keys.clone(), self.behalf.clone());
        move |tx| {
            tx.held = keys::Holding::of(keys);
            tx.behalf = behalf;
            work(tx)
        }
    }

    /// The same database, of which only these places are there for whoever asks through this handle: on
    /// PostgreSQL, where its tables are walled (`docs/adr/`), even a query that forgot to ask for a place sees no other.
    /// SQLite has no such wall; there it changes nothing.
    #[must_use]
    pub fn within(&self, places: PlaceRange) -> Database {
        let scope = Scope { first: places.first.cast_signed(), last: places.last.cast_signed() };
        Database { scope, ..self.clone() }
    }

    fn manner(&self, read_only: bool, statement_seconds: u64) -> Manner {
        Manner { read_only, statement_seconds, scope: self.scope }
    }

    fn on_postgres<T, E: From<DatabaseError>>(
        &self,
        work: impl FnOnce(&mut Transaction<'_>) -> Result<T, E> + Send + 'static,
        manner: Manner,
    ) -> Result<T, E> {
        match &*self.inner {
            Inner::Postgres(postgres) => postgres.transaction(self.with_keys(work), manner),
            // Only asked of PostgreSQL.
            Inner::Sqlite(_) => Err(E::from(DatabaseError::GivenUp)),
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
