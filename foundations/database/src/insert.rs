//! Bulk insert.

use std::fmt::Write as _;

use crate::layout::Table;
use crate::transaction::{Connection, Dialect};
use crate::{DatabaseError, Value};

/// An insert of many rows, as data, so that a test can prepare it.
#[derive(Debug, Clone, Copy)]
pub struct InsertMany {
    /// The table.
    pub table: &'static str,
    /// Its columns, in the order of each row's values.
    pub columns: &'static [&'static str],
    /// What follows the values: empty or `on conflict …`.
    pub suffix: &'static str,
}

/// Placeholders in one statement: below SQLite's 32,766 and PostgreSQL's 65,535.
const PLACEHOLDERS: usize = 16_000;
/// Rows in one statement; more gains nothing.
const ROWS: usize = 500;

/// What is left goes in by pieces of these sizes, so that few statements are ever prepared.
const REST: [usize; 4] = [125, 25, 5, 1];

impl InsertMany {
    /// The statement for `rows` rows.
    pub fn sql(&self, rows: usize) -> String {
        self.sql_with(rows, true)
    }

    /// With numbered placeholders for PostgreSQL; with bare `?` for SQLite, which looks a name up by going through all
    /// names, so that 16,000 of them would take 128 million steps.
    fn sql_with(&self, rows: usize, numbered: bool) -> String {
        let mut sql = sql_for(self.table, &self.columns.join(", "), (rows, self.columns.len()), numbered);
        if !self.suffix.is_empty() {
            sql.push(' ');
            sql.push_str(self.suffix);
        }
        sql
    }

    fn rows_per_chunk(&self) -> usize {
        (PLACEHOLDERS / self.columns.len().max(1)).clamp(1, ROWS)
    }
}

fn sql_for(table: &str, names: &str, (rows, columns): (usize, usize), numbered: bool) -> String {
    // SQLite keeps aside each page that a statement of many rows changes, to take the statement alone back if a later row
    // fails. Nobody goes on after a failed insert (PostgreSQL would not let them): the transaction is taken back.
    let verb = if numbered { "insert" } else { "insert or fail" };
    let mut sql = format!("{verb} into {table} ({names}) values ");
    let mut placeholder = 1;
    for row in 0..rows {
        sql.push_str(if row == 0 { "(" } else { ", (" });
        for column in 0..columns {
            let comma = if column == 0 { "" } else { ", " };
            if numbered {
                // Writing to a String cannot fail.
                let _ = write!(sql, "{comma}${placeholder}");
            } else {
                sql.push_str(comma);
                sql.push('?');
            }
            placeholder += 1;
        }
        sql.push(')');
    }
    sql
}

/// Where the rows of a table that is loaded come from; `None` after the last.
pub(crate) type Rows<'a> = &'a mut dyn FnMut() -> Result<Option<Vec<Value>>, DatabaseError>;

/// Rows of one statement when a whole table is loaded into SQLite.
const LOADED_ROWS: usize = 64;

/// Loads a whole table by inserts with bare placeholders.
pub(crate) fn load(
    connection: &mut dyn Connection,
    table: &Table,
    rows: Rows<'_>,
) -> Result<u64, DatabaseError> {
    let (names, columns) = (table.column_names(), table.columns.len());
    let many = sql_for(&table.name, &names, (LOADED_ROWS, columns), false);
    let one = sql_for(&table.name, &names, (1, columns), false);
    let mut values = Vec::with_capacity(LOADED_ROWS * columns);
    let mut loaded = 0;
    while let Some(row) = rows()? {
        values.extend(row);
        if values.len() == LOADED_ROWS * columns {
            loaded += connection.execute_in_order(&many, &values)?;
            values.clear();
        }
    }
    for row in values.chunks(columns.max(1)) {
        loaded += connection.execute_in_order(&one, row)?;
    }
    Ok(loaded)
}

pub(crate) fn run<R>(
    connection: &mut dyn Connection,
    insert: &InsertMany,
    rows: impl IntoIterator<Item = R>,
) -> Result<u64, DatabaseError>
where
    R: IntoIterator<Item = Value>,
{
    let numbered = connection.dialect() == Dialect::Postgres;
    let chunk = insert.rows_per_chunk();
    let whole_chunk_sql = insert.sql_with(chunk, numbered);
    let mut values = Vec::with_capacity(chunk * insert.columns.len());
    let mut waiting = 0;
    let mut inserted = 0;
    for row in rows {
        values.extend(row);
        waiting += 1;
        if values.len() != waiting * insert.columns.len() {
            let table = insert.table;
            return Err(DatabaseError::Refused(format!("a row for {table} has a wrong number of values")));
        }
        if waiting == chunk {
            inserted += connection.execute_in_order(&whole_chunk_sql, &values)?;
            values.clear();
            waiting = 0;
        }
    }
    let mut rest = values.as_slice();
    for size in REST {
        while rest.len() >= size * insert.columns.len() && !rest.is_empty() {
            let (now, later) = rest.split_at(size * insert.columns.len());
            inserted += connection.execute_in_order(&insert.sql_with(size, numbered), now)?;
            rest = later;
        }
    }
    Ok(inserted)
}
