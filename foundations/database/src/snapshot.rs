//! A copy of everything in a database as one stream of bytes, the same of SQLite and of PostgreSQL: what a backup keeps
//! and what moves from one database to the other.
//!
//! The stream says by which steps the tables were made, then table by table its rows, how many they are, and their hash.
//! It is neither small nor secret: who keeps it packs and seals it.

mod bytes;

use std::io::{Read, Write};

use kangmai_base::Moment;

use self::bytes::{Reader, Writer, encode};
use crate::layout::{Table, is_bare, tables};
use crate::migrate::{applied, run_steps};
use crate::{Database, DatabaseError, Migrations, Transaction, Value};

pub use self::bytes::Hash;

/// How many rows a table has, and their hash: the sum of the SHA-256 of each row, so that their order does not matter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableSum {
    /// The table.
    pub table: String,
    /// Its rows.
    pub rows: u64,
    /// The hash.
    pub hash: Hash,
}

/// Rows between two signs of progress.
const SHOW_EVERY: u64 = 1_000;

/// Called with the table under way and how many rows of it are through.
type Progress<'a> = &'a mut (dyn FnMut(&str, u64) + Send);

impl Database {
    /// Writes everything to `out`, as it is at one moment; others read and write meanwhile. Not on an async thread.
    ///
    /// # Errors
    /// When the database fails, `out` does, or a table is of a form that both databases do not know.
    pub fn write_snapshot<W: Write + Send + 'static>(
        &self,
        out: W,
        mut progress: impl FnMut(&str, u64) + Send + 'static,
    ) -> Result<(W, Vec<TableSum>), DatabaseError> {
        self.read_blocking(move |tx| {
            let mut writer = Writer::new(out);
            writer.head(&applied(tx)?)?;
            let mut sums = Vec::new();
            for table in tables(tx)? {
                writer.table(&table)?;
                let sum = summed(tx, &table, &mut progress, |row| writer.row(row))?;
                writer.table_end(&sum)?;
                sums.push(sum);
            }
            Ok((writer.end(sums.len())?, sums))
        })
    }

    /// Fills this database, which must have no table, from what [`Database::write_snapshot`] wrote: makes the tables by the
    /// steps that the stream names, loads their rows, then reads all back and compares number and hash. All of it or
    /// nothing. Steps that `all` has besides are for [`Database::migrate`] afterwards. Not on an async thread.
    ///
    /// # Errors
    /// When there are tables already, a step is unknown or another, the stream is damaged or ends early, what is read
    /// back differs, or the database fails.
    pub fn read_snapshot<R: Read + Send + 'static>(
        &self,
        all: &'static [Migrations],
        input: R,
        now: Moment,
        mut progress: impl FnMut(&str, u64) + Send + 'static,
    ) -> Result<Vec<TableSum>, DatabaseError> {
        self.write_blocking(move |tx| {
            if !is_bare(tx)? {
                return Err(DatabaseError::NotEmpty);
            }
            let mut reader = Reader::new(input);
            let steps = reader.head()?;
            run_steps(tx, all, &steps, now)?;
            let made = tables(tx)?;
            let mut sums = Vec::new();
            while let Some(table) = reader.table()? {
                if !made.iter().any(|own| is_same(own, &table)) {
                    let table = table.name;
                    return Err(DatabaseError::Copy(format!("this program makes no such table {table}")));
                }
                sums.push(load(tx, &mut reader, &table, &mut progress)?);
            }
            reader.end(sums.len())?;
            if sums.len() != made.len() {
                return Err(DatabaseError::Copy("a table is missing in it".to_owned()));
            }
            Ok(sums)
        })
    }

    /// Number and hash of the rows of every table, at one moment. Not on an async thread.
    ///
    /// # Errors
    /// When the database fails.
    pub fn table_sums(
        &self,
        mut progress: impl FnMut(&str, u64) + Send + 'static,
    ) -> Result<Vec<TableSum>, DatabaseError> {
        self.read_blocking(move |tx| {
            let tables = tables(tx)?;
            tables.iter().map(|table| summed(tx, table, &mut progress, |_| Ok(()))).collect()
        })
    }
}

/// The same columns, in whatever order: a column that came later stands last in one and not in the other.
fn is_same(own: &Table, other: &Table) -> bool {
    own.name == other.name
        && own.columns.len() == other.columns.len()
        && other.columns.iter().all(|column| own.columns.contains(column))
}

fn load<R: Read>(
    tx: &mut Transaction<'_>,
    reader: &mut Reader<R>,
    table: &Table,
    progress: Progress<'_>,
) -> Result<TableSum, DatabaseError> {
    let mut sum = TableSum { table: table.name.clone(), rows: 0, hash: Hash::default() };
    let mut encoded = Vec::new();
    tx.load(table, &mut || {
        let Some(row) = reader.row(table.columns.len())? else { return Ok(None) };
        count(&mut sum, &row, &mut encoded, &mut *progress);
        Ok(Some(row))
    })?;
    let told = reader.table_end(&table.name)?;
    let kept = summed(tx, table, progress, |_| Ok(()))?;
    match (sum == told, kept == told) {
        (true, true) => Ok(told),
        (false, _) => Err(DatabaseError::Copy(format!("{} is damaged in it", table.name))),
        (true, false) => Err(DatabaseError::Copy(format!("{} was not kept as it stands in it", table.name))),
    }
}

/// Goes through a table; hands over each row as it is encoded.
fn summed(
    tx: &mut Transaction<'_>,
    table: &Table,
    progress: Progress<'_>,
    mut each: impl FnMut(&[u8]) -> Result<(), DatabaseError>,
) -> Result<TableSum, DatabaseError> {
    let mut sum = TableSum { table: table.name.clone(), rows: 0, hash: Hash::default() };
    let mut encoded = Vec::new();
    table.for_each(tx, |row| {
        count(&mut sum, &row, &mut encoded, &mut *progress);
        each(&encoded)
    })?;
    Ok(sum)
}

fn count(sum: &mut TableSum, row: &[Value], encoded: &mut Vec<u8>, progress: Progress<'_>) {
    encode(row, encoded);
    sum.hash.add(encoded);
    sum.rows += 1;
    if sum.rows.is_multiple_of(SHOW_EVERY) {
        progress(&sum.table, sum.rows);
    }
}
