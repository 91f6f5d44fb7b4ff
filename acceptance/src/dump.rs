//! What whoever has the disk or a dump of a database reads.

use std::path::{Path, PathBuf};

use kangmai_database::{Database, DatabaseError, Dialect, Transaction, Value};

/// Every text and every bytes of every table; and, where the database is a file, all of the file.
pub fn dump(database: &Database, file: Option<&Path>) -> Vec<u8> {
    let names = match database.dialect() {
        Dialect::Sqlite => "select name from sqlite_master where type = 'table'",
        Dialect::Postgres => {
            "select table_name::text from information_schema.tables where table_schema = any (current_schemas(false))"
        }
    };
    let read = move |tx: &mut Transaction<'_>| -> Result<Vec<u8>, DatabaseError> {
        let mut bytes = Vec::new();
        for name in tx.query(names, &[])? {
            let name: String = name.get(0)?;
            tx.for_each(&format!("select * from {name}"), &[], |row| {
                for value in row.values() {
                    match value {
                        Value::Bytes(value) => bytes.extend(value),
                        Value::Text(value) => bytes.extend(value.bytes()),
                        _ => {}
                    }
                    bytes.push(0);
                }
                Ok(())
            })?;
        }
        Ok(bytes)
    };
    let mut bytes = database.read_blocking(read).expect("the tables");
    if let Some(file) = file.filter(|file| file.exists()) {
        for ending in ["", "-wal"] {
            let path = format!("{}{ending}", file.display());
            bytes.extend(std::fs::read(path).unwrap_or_default());
        }
    }
    bytes
}

/// The file of the database, if it is one.
pub fn file_of(database: &Database) -> Option<PathBuf> {
    let asked = |tx: &mut Transaction<'_>| tx.query("select file from pragma_database_list", &[]);
    match database.dialect() {
        Dialect::Sqlite => {
            let rows = database.read_blocking(asked).expect("a file");
            rows.first().map(|row| PathBuf::from(row.get::<String>(0).expect("a path")))
        }
        Dialect::Postgres => None,
    }
}
