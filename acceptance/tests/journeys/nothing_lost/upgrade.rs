//! A database as every earlier set of steps left it is brought up to date, and what stood in it still stands.

use kangmai_base::{Ids as _, Moment, SeededIds};
use kangmai_database::testing::FreshDatabase;
use kangmai_database::{Database, DatabaseError, Dialect, Migrations, Value};
use kangmai_server::programmes;

const SQLITE_COLUMNS: &str =
    "select m.name, c.name, c.type from sqlite_master m join pragma_table_info(m.name) c
    where m.type = 'table' and substr(m.name, 1, 7) <> 'sqlite_' and m.name <> 'applied_migration'
    order by m.name, c.cid";
const POSTGRES_COLUMNS: &str = "select table_name::text, column_name::text, data_type::text
    from information_schema.columns where table_schema = current_schema() and table_name <> 'applied_migration'
    order by table_name, ordinal_position";
/// Rows that each table gets.
const ROWS: i64 = 3;

type Columns = Vec<(String, Vec<(String, String)>)>;

fn columns(database: &Database) -> Result<Columns, DatabaseError> {
    let sql = match database.dialect() {
        Dialect::Sqlite => SQLITE_COLUMNS,
        Dialect::Postgres => POSTGRES_COLUMNS,
    };
    let rows = database.read_blocking(move |tx| tx.query(sql, &[]))?;
    let mut tables: Columns = Vec::new();
    for row in rows {
        let (table, column, kind): (String, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        if tables.last().is_none_or(|(last, _)| *last != table) {
            tables.push((table, Vec::new()));
        }
        if let Some((_, columns)) = tables.last_mut() {
            columns.push((column, kind));
        }
    }
    Ok(tables)
}

fn value(kind: &str, number: i64, ids: &SeededIds) -> Value {
    match kind {
        "bigint" => Value::Int(411_722_000_000 + number),
        "boolean" => Value::Bool(number % 2 == 0),
        "uuid" => Value::Uuid(ids.mint(Moment(number))),
        "bytea" => Value::Bytes(vec![1, 2, u8::try_from(number).unwrap_or(0)]),
        "double precision" => Value::Real(0.5),
        _ => Value::Text(format!("示例 {number}")),
    }
}

/// Puts some rows into every table, whatever it is for.
fn fill(database: &Database, tables: &Columns) -> Result<(), DatabaseError> {
    let ids = SeededIds::new(5);
    for (table, columns) in tables {
        let names: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
        let places: Vec<String> = (1..=names.len()).map(|number| format!("${number}")).collect();
        let sql = format!("insert into {table} ({}) values ({})", names.join(", "), places.join(", "));
        for number in 0..ROWS {
            let values: Vec<Value> = columns.iter().map(|(_, kind)| value(kind, number, &ids)).collect();
            let sql = sql.clone();
            database.write_blocking(move |tx| tx.execute(&sql, &values))?;
        }
    }
    Ok(())
}

/// The rows of every table in the columns that it had.
fn content(database: &Database, tables: &Columns) -> Result<Vec<String>, DatabaseError> {
    let mut all = Vec::new();
    for (table, columns) in tables {
        let names: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
        let sql = format!("select {} from {table}", names.join(", "));
        let rows = database.read_blocking(move |tx| tx.query(&sql, &[]))?;
        let mut rows: Vec<String> = rows.iter().map(|row| format!("{table} {:?}", row.values())).collect();
        rows.sort();
        all.append(&mut rows);
    }
    Ok(all)
}

/// What a program knew that had only the first steps of every owner.
fn first_steps(most: usize) -> &'static [Migrations] {
    let all = programmes::migrations().iter();
    let cut = all.map(|own| Migrations { steps: &own.steps[..own.steps.len().min(most)], ..*own });
    Box::leak(cut.collect::<Vec<_>>().into_boxed_slice())
}

#[test]
fn every_earlier_schema_is_brought_up_to_date_and_keeps_its_rows() -> Result<(), DatabaseError> {
    let most = programmes::migrations().iter().map(|own| own.steps.len()).max().unwrap_or(0);
    assert!(most > 3, "there is hardly anything to upgrade from");
    let total: usize = programmes::migrations().iter().map(|own| own.steps.len()).sum();
    for steps in 1..most {
        for fresh in FreshDatabase::all()? {
            let made = fresh.database.migrate(first_steps(steps), Moment(0))?;
            let tables = columns(&fresh.database)?;
            fill(&fresh.database, &tables)?;
            let before = content(&fresh.database, &tables)?;
            assert_eq!(before.len(), tables.len() * usize::try_from(ROWS).unwrap_or(0));
            assert_eq!(fresh.database.migrate(programmes::migrations(), Moment(0))?, total - made);
            assert_eq!(content(&fresh.database, &tables)?, before, "after {steps} steps");
        }
    }
    Ok(())
}
