//! Tables with sealed columns, told as data by the crates that own them: so that a rotation can walk through all of them.

use kangmai_base::{Moment, Uuid};
use kangmai_seal::{Cell, key_of};

use crate::{Database, DatabaseError, Transaction, Value, params};

/// A table with sealed columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SealedTable {
    /// Its name.
    pub table: &'static str,
    /// The column whose UUID tells a row, and to which its values are sealed.
    pub id: &'static str,
    /// The sealed columns, of type `bytea`.
    pub columns: &'static [&'static str],
}

/// How many values of one column are sealed with one key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// The table.
    pub table: &'static str,
    /// The column.
    pub column: &'static str,
    /// The key.
    pub key: u32,
    /// How many.
    pub values: i64,
}

/// Rows that stood in clear before there were keys, and how they are sealed, so many at once. Answers how many were
/// sealed; 0 when nothing is left.
#[derive(Clone, Copy)]
pub struct ClearText {
    /// For the note that it is done.
    pub name: &'static str,
    /// Seals at most so many rows.
    pub seal: fn(&mut Transaction<'_>, usize) -> Result<u64, DatabaseError>,
    /// Statements for the end, such as dropping the empty table.
    pub finish: &'static str,
}

/// Rows that one transaction seals again.
const BATCH: usize = 500;

const IS_DONE: &str = "select 1 from seal_step where name = $1";
const FORGET_DONE: &str = "delete from seal_step";
const DONE: &str = "insert into seal_step (name, done_at) values ($1, $2) on conflict (name) do nothing";

/// What stands under which key, by table, column and key. Reads the tables from end to end.
///
/// # Errors
/// When the database fails.
pub fn standing(tx: &mut Transaction<'_>, tables: &[SealedTable]) -> Result<Vec<Standing>, DatabaseError> {
    let mut all: Vec<Standing> = Vec::new();
    for SealedTable { table, columns, .. } in tables {
        for column in *columns {
            // The names are constants of crates; the first 6 bytes of a sealed value say cipher and key.
            let sql = format!(
                "select head, count(*) from (select substr({column}, 1, 6) as head from {table}
                where {column} is not null) as heads group by head order by head"
            );
            for row in tx.query(&sql, &[])? {
                let mut head: Vec<u8> = row.get(0)?;
                head.resize(64, 0);
                let key = key_of(&head).unwrap_or_default();
                let values: i64 = row.get(1)?;
                match all.iter_mut().find(|one| (one.table, one.column, one.key) == (table, column, key)) {
                    Some(one) => one.values += values,
                    None => all.push(Standing { table, column, key, values }),
                }
            }
        }
    }
    Ok(all)
}

/// Seals again, with the current key, what stands under another; one short transaction after the other, so that others
/// come between. `progress` is told how many so far. Answers how many in all.
///
/// # Errors
/// When the database fails or a value does not open: that row is named.
pub fn reseal(
    database: &Database,
    tables: &[SealedTable],
    mut progress: impl FnMut(u64),
) -> Result<u64, DatabaseError> {
    let mut done = 0;
    for table in tables.iter().copied() {
        let mut after = Uuid::nil();
        loop {
            let (last, sealed) = database
                .write_blocking(move |tx| reseal_some(tx, table, (table.table, Broken::Refused), after))?;
            done += sealed;
            progress(done);
            match last {
                Some(last) => after = last,
                None => break,
            }
        }
    }
    Ok(done)
}

/// What happens with a value that does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Broken {
    /// Sealing again stops there and names the row.
    Refused,
    /// It stays as it is.
    Left,
}

/// Seals all rows of `copy`, a table of the transaction with the columns of `sealed`, again with the current key: so that it can be
/// compared with what is written now. What does not open stays as it is.
///
/// # Errors
/// When there are no keys or the database fails.
pub fn reseal_copy(tx: &mut Transaction<'_>, sealed: SealedTable, copy: &str) -> Result<(), DatabaseError> {
    let current = tx.current_key()?;
    let mut is_current = true;
    for column in sealed.columns {
        let heads = format!("select distinct substr({column}, 1, 6) from {copy} where {column} is not null");
        for row in tx.query(&heads, &[])? {
            let mut head: Vec<u8> = row.get(0)?;
            head.resize(64, 0);
            is_current &= key_of(&head) == Some(current);
        }
    }
    if is_current {
        return Ok(());
    }
    tx.batch(&format!("create index {copy}_by_id on {copy} ({})", sealed.id))?;
    let mut after = Uuid::nil();
    while let (Some(last), _) = reseal_some(tx, sealed, (copy, Broken::Left), after)? {
        after = last;
    }
    Ok(())
}

/// Seals at most [`BATCH`] rows of `stands_in` after `after` again, to the cells of `sealed`; answers the last row that it
/// looked at and how many values it sealed.
fn reseal_some(
    tx: &mut Transaction<'_>,
    sealed: SealedTable,
    (stands_in, broken): (&str, Broken),
    after: Uuid,
) -> Result<(Option<Uuid>, u64), DatabaseError> {
    let SealedTable { table, id, columns } = sealed;
    let current = tx.current_key()?;
    let list = columns.join(", ");
    let rows = tx.query(
        &format!("select {id}, {list} from {stands_in} where {id} > $1 order by {id} limit {BATCH}"),
        &params![after],
    )?;
    let (mut last, mut done) = (None, 0);
    for row in &rows {
        let row_id: Uuid = row.get(0)?;
        last = Some(row_id);
        for (position, column) in columns.iter().enumerate() {
            let Some(old) = row.get::<Option<Vec<u8>>>(position + 1)? else { continue };
            if key_of(&old) == Some(current) {
                continue;
            }
            let cell = Cell { table, column, row: row_id.as_bytes() };
            let opened = match tx.open(&cell, &old) {
                Ok(opened) => opened,
                Err(DatabaseError::Keys(_)) if broken == Broken::Left => continue,
                Err(error) => {
                    return Err(DatabaseError::Refused(format!("{table}.{column} of {row_id}: {error}")));
                }
            };
            let new = tx.seal(&cell, &opened)?;
            let update = format!("update {stands_in} set {column} = $2 where {id} = $1 and {column} = $3");
            // What was changed meanwhile was sealed with the current key by who changed it.
            done += tx.execute(&update, &params![row_id, new, old])?;
        }
    }
    Ok((last, done))
}

/// Looks again for clear text where it was looked for once: a program of before may have written some since.
///
/// # Errors
/// When the database fails.
pub fn look_for_clear_text_again(tx: &mut Transaction<'_>) -> Result<(), DatabaseError> {
    tx.execute(FORGET_DONE, &[])?;
    Ok(())
}

/// Seals in batches what stood in clear before there were keys. What was done once is not looked at again. Answers how
/// many rows were sealed.
///
/// # Errors
/// When the database fails.
pub fn seal_clear_text(
    database: &Database,
    steps: &[ClearText],
    now: Moment,
    mut progress: impl FnMut(u64),
) -> Result<u64, DatabaseError> {
    let mut sealed = 0;
    for step in steps.iter().copied() {
        let is_done = database
            .read_blocking(move |tx| tx.query_one(IS_DONE, &params![step.name]).map(|row| row.is_some()))?;
        if is_done {
            continue;
        }
        loop {
            let some = database.write_blocking(move |tx| (step.seal)(tx, BATCH))?;
            if some == 0 {
                break;
            }
            sealed += some;
            progress(sealed);
        }
        database.write_blocking(move |tx| {
            tx.batch(step.finish)?;
            tx.execute(DONE, &params![step.name, now]).map(|_| ())
        })?;
    }
    if sealed > 0 {
        database.scrub()?;
    }
    Ok(sealed)
}

impl Transaction<'_> {
    /// A value of `table.column` of the row `id`, sealed; nothing stays nothing.
    ///
    /// # Errors
    /// When there are no keys or the database fails.
    pub fn sealed(
        &mut self,
        (table, column): (&str, &str),
        id: Uuid,
        plain: Option<&str>,
    ) -> Result<Value, DatabaseError> {
        let Some(plain) = plain else { return Ok(Value::Null) };
        Ok(Value::Bytes(self.seal(&Cell { table, column, row: id.as_bytes() }, plain.as_bytes())?))
    }

    /// The text of `table.column` of the row `id`, as [`Transaction::sealed`] sealed it.
    ///
    /// # Errors
    /// As [`Transaction::open`].
    pub fn opened(
        &mut self,
        (table, column): (&str, &str),
        id: Uuid,
        sealed: Option<Vec<u8>>,
    ) -> Result<Option<String>, DatabaseError> {
        let Some(sealed) = sealed else { return Ok(None) };
        self.open_text(&Cell { table, column, row: id.as_bytes() }, &sealed).map(Some)
    }
}
