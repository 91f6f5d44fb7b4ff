//! What tables a database has, asked of itself: a copy of the whole must not depend on a list that somebody keeps.

use crate::migrate::APPLIED_TABLE;
use crate::transaction::Dialect;
use crate::{DatabaseError, Row, Transaction, Value};

/// What a column holds: the column types that both databases understand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Int,
    Bool,
    Real,
    Bytes,
    Uuid,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) kind: Kind,
}

/// A table of the program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Table {
    pub(crate) name: String,
    pub(crate) columns: Vec<Column>,
}

const SQLITE_COLUMNS: &str =
    "select m.name, c.name, c.type from sqlite_master m join pragma_table_info(m.name) c
    where m.type = 'table' and substr(m.name, 1, 7) <> 'sqlite_' order by m.name, c.cid";
const POSTGRES_COLUMNS: &str = "select c.relname::text, a.attname::text, a.atttypid::regtype::text
    from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_attribute a on a.attrelid = c.oid
    where n.nspname = current_schema() and c.relkind in ('r', 'p') and not c.relispartition
    and a.attnum > 0 and not a.attisdropped order by c.relname collate \"C\", a.attnum";

impl Kind {
    fn of(declared: &str) -> Option<Kind> {
        Some(match declared.to_ascii_lowercase().as_str() {
            "text" => Kind::Text,
            "bigint" | "integer" => Kind::Int,
            "boolean" => Kind::Bool,
            "double precision" => Kind::Real,
            "bytea" => Kind::Bytes,
            "uuid" => Kind::Uuid,
            _ => return None,
        })
    }

    /// The value as this kind writes it: SQLite keeps truth as a number and identifiers as bytes.
    fn normal(self, value: Value) -> Option<Value> {
        Some(match (self, value) {
            (_, Value::Null) => Value::Null,
            (Kind::Bool, Value::Int(value @ 0..=1)) => Value::Bool(value == 1),
            (Kind::Uuid, Value::Bytes(bytes)) => Value::Uuid(uuid::Uuid::from_slice(&bytes).ok()?),
            (Kind::Text, value @ Value::Text(_))
            | (Kind::Int, value @ Value::Int(_))
            | (Kind::Bool, value @ Value::Bool(_))
            | (Kind::Real, value @ Value::Real(_))
            | (Kind::Bytes, value @ Value::Bytes(_))
            | (Kind::Uuid, value @ Value::Uuid(_)) => value,
            _ => return None,
        })
    }
}

impl Table {
    /// All rows, in no order; `each` is handed the values as both databases have them.
    pub(crate) fn for_each(
        &self,
        tx: &mut Transaction<'_>,
        mut each: impl FnMut(Vec<Value>) -> Result<(), DatabaseError>,
    ) -> Result<(), DatabaseError> {
        let sql = format!("select {} from {}", self.column_names(), self.name);
        tx.for_each(&sql, &[], |row| each(self.normal(row)?))
    }

    /// The names of the columns, for a statement.
    pub(crate) fn column_names(&self) -> String {
        let names: Vec<&str> = self.columns.iter().map(|column| column.name.as_str()).collect();
        names.join(", ")
    }

    fn normal(&self, row: Row) -> Result<Vec<Value>, DatabaseError> {
        let values = row.values.into_iter().zip(&self.columns).map(|(value, column)| {
            column.kind.normal(value).ok_or_else(|| {
                let (table, column) = (&self.name, &column.name);
                DatabaseError::Copy(format!("a row of {table} has something else in {column} than its kind"))
            })
        });
        values.collect()
    }
}

/// The tables in the order of their names, without the list of steps that made them.
pub(crate) fn tables(tx: &mut Transaction<'_>) -> Result<Vec<Table>, DatabaseError> {
    let sql = match tx.dialect() {
        Dialect::Sqlite => SQLITE_COLUMNS,
        Dialect::Postgres => POSTGRES_COLUMNS,
    };
    let mut tables: Vec<Table> = Vec::new();
    for row in tx.query(sql, &[])? {
        let (name, column, declared): (String, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let Some(kind) = Kind::of(&declared) else {
            return Err(DatabaseError::Copy(format!("{name}.{column} is of a kind that no copy knows")));
        };
        if tables.last().is_none_or(|table| table.name != name) {
            tables.push(Table { name, columns: Vec::new() });
        }
        if let Some(table) = tables.last_mut() {
            table.columns.push(Column { name: column, kind });
        }
    }
    tables.retain(|table| table.name != APPLIED_TABLE);
    Ok(tables)
}

/// Whether there is any table at all.
pub(crate) fn is_bare(tx: &mut Transaction<'_>) -> Result<bool, DatabaseError> {
    let sql = match tx.dialect() {
        Dialect::Sqlite => SQLITE_COLUMNS,
        Dialect::Postgres => POSTGRES_COLUMNS,
    };
    Ok(tx.query(sql, &[])?.is_empty())
}

/// Whether steps ran here: their list is there.
pub(crate) fn has_steps(tx: &mut Transaction<'_>) -> Result<bool, DatabaseError> {
    let sql = match tx.dialect() {
        Dialect::Sqlite => SQLITE_COLUMNS,
        Dialect::Postgres => POSTGRES_COLUMNS,
    };
    let rows = tx.query(sql, &[])?;
    Ok(rows.iter().any(|row| row.get::<String>(0).is_ok_and(|table| table == APPLIED_TABLE)))
}
