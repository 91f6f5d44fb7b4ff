//! The one way to talk to a database.

use std::sync::Arc;

use crate::insert::Rows;
use crate::keys::Holding;
use crate::layout::Table;
use crate::{DatabaseError, InsertMany, OnBehalf, Row, Value};

const SQLITE_HAS_TABLE: &str = "select 1 from sqlite_master where type = 'table' and name = $1";
const POSTGRES_HAS_TABLE: &str = "select 1 from information_schema.tables
    where table_schema = current_schema() and table_name = $1";

/// Which database is behind it. Only for what truly differs, such as naming it on the health page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// SQLite
    Sqlite,
    /// PostgreSQL
    Postgres,
}

/// What a driver must do for a [`Transaction`].
pub(crate) trait Connection {
    fn dialect(&self) -> Dialect;
    fn for_each(
        &mut self,
        sql: &str,
        params: &[Value],
        each: &mut dyn FnMut(Row) -> Result<(), DatabaseError>,
    ) -> Result<(), DatabaseError>;
    fn execute(&mut self, sql: &str, params: &[Value]) -> Result<u64, DatabaseError>;
    /// The same for a statement whose placeholders stand in the order of the values.
    fn execute_in_order(&mut self, sql: &str, params: &[Value]) -> Result<u64, DatabaseError>;
    fn batch(&mut self, sql: &str) -> Result<(), DatabaseError>;
    fn prepare(&mut self, sql: &str) -> Result<(), DatabaseError>;
    fn lock(&mut self, name: &str) -> Result<(), DatabaseError>;
    /// Loads a whole table, the quickest way there is.
    fn load(&mut self, table: &Table, rows: Rows<'_>) -> Result<u64, DatabaseError>;
}

/// A transaction under way. Committed when the work that holds it ends well, else rolled back.
pub struct Transaction<'a> {
    pub(crate) connection: &'a mut dyn Connection,
    pub(crate) held: Holding,
    pub(crate) behalf: Option<Arc<OnBehalf>>,
}

impl<'a> Transaction<'a> {
    pub(crate) fn on(connection: &'a mut dyn Connection) -> Transaction<'a> {
        Transaction { connection, held: Holding::default(), behalf: None }
    }
}

impl Transaction<'_> {
    /// Which database it is.
    pub fn dialect(&self) -> Dialect {
        self.connection.dialect()
    }

    /// All rows of a query. The statement must say a limit unless few rows can match.
    ///
    /// # Errors
    /// When the database fails.
    pub fn query(&mut self, sql: &str, params: &[Value]) -> Result<Vec<Row>, DatabaseError> {
        let mut rows = Vec::new();
        self.connection.for_each(sql, params, &mut |row| {
            rows.push(row);
            Ok(())
        })?;
        Ok(rows)
    }

    /// The first row, if any.
    ///
    /// # Errors
    /// When the database fails.
    pub fn query_one(&mut self, sql: &str, params: &[Value]) -> Result<Option<Row>, DatabaseError> {
        Ok(self.query(sql, params)?.into_iter().next())
    }

    /// Hands over row by row, without holding them all.
    ///
    /// # Errors
    /// When the database fails or `each` does.
    pub fn for_each(
        &mut self,
        sql: &str,
        params: &[Value],
        mut each: impl FnMut(Row) -> Result<(), DatabaseError>,
    ) -> Result<(), DatabaseError> {
        self.connection.for_each(sql, params, &mut each)
    }

    /// Runs a statement; answers how many rows it touched.
    ///
    /// # Errors
    /// When the database fails.
    pub fn execute(&mut self, sql: &str, params: &[Value]) -> Result<u64, DatabaseError> {
        self.connection.execute(sql, params)
    }

    /// Inserts many rows, in chunks; answers how many came in.
    ///
    /// # Errors
    /// When the database fails or a row has another number of values than the insert has columns.
    pub fn insert_many<R>(
        &mut self,
        insert: &InsertMany,
        rows: impl IntoIterator<Item = R>,
    ) -> Result<u64, DatabaseError>
    where
        R: IntoIterator<Item = Value>,
    {
        crate::insert::run(self.connection, insert, rows)
    }

    /// Runs a text of several statements without parameters: migrations, temporary tables.
    ///
    /// # Errors
    /// When the database fails.
    pub fn batch(&mut self, sql: &str) -> Result<(), DatabaseError> {
        self.connection.batch(sql)
    }

    /// Prepares a statement without running it: how a test proves that a text works on both databases.
    ///
    /// # Errors
    /// When the database does not understand it.
    pub fn prepare(&mut self, sql: &str) -> Result<(), DatabaseError> {
        self.connection.prepare(sql)
    }

    /// Whether the database has this table already: what only reads may meet a database that no program has made tables in.
    ///
    /// # Errors
    /// When the database fails.
    pub fn has_table(&mut self, name: &str) -> Result<bool, DatabaseError> {
        let sql = match self.dialect() {
            Dialect::Sqlite => SQLITE_HAS_TABLE,
            Dialect::Postgres => POSTGRES_HAS_TABLE,
        };
        Ok(self.query_one(sql, &[Value::from(name)])?.is_some())
    }

    /// Waits until no other transaction holds the lock `name`, and holds it until this one ends. SQLite has one
    /// writer, so there it costs nothing.
    ///
    /// # Errors
    /// When the database fails.
    pub fn lock(&mut self, name: &str) -> Result<(), DatabaseError> {
        self.connection.lock(name)
    }

    /// Loads a whole table.
    pub(crate) fn load(&mut self, table: &Table, rows: Rows<'_>) -> Result<u64, DatabaseError> {
        self.connection.load(table, rows)
    }
}
