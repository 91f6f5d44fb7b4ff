//! Databases for tests: a fresh SQLite file, and a fresh schema in PostgreSQL where one is at hand.

use kangmai_base::{Ids as _, Moment, SeededIds, SystemIds};
use kangmai_seal::{CipherKind, KeyRing};

use crate::{Database, DatabaseError, Migrations};

/// The variable that holds the address of a PostgreSQL server for tests.
pub const POSTGRES_VARIABLE: &str = "KANGMAI_TEST_POSTGRES";

/// Runs `test` on a fresh, migrated SQLite database, and on a fresh PostgreSQL schema if
/// [`POSTGRES_VARIABLE`] is set (the test command sets it).
///
/// # Errors
/// Those of opening, migrating and `test`.
pub fn on_both(
    migrations: &'static [Migrations],
    test: impl Fn(Database) -> Result<(), DatabaseError>,
) -> Result<(), DatabaseError> {
    for fresh in FreshDatabase::all()? {
        fresh.database.migrate(migrations, Moment(0))?;
        test(fresh.database.clone())?;
    }
    Ok(())
}

/// The same database holding keys that everybody knows.
pub fn with_test_keys(database: Database) -> Database {
    database.hold_keys(KeyRing::fresh(&SeededIds::new(1), CipherKind::Aes256Gcm));
    database
}

/// A database of its own, with keys that everybody knows; gone when dropped.
pub struct FreshDatabase {
    /// The open database.
    pub database: Database,
    /// Its address, to be opened once more.
    pub address: String,
    clean_up: CleanUp,
}

enum CleanUp {
    Directory(std::path::PathBuf),
    Schema { server: String, schema: String },
}

impl FreshDatabase {
    /// SQLite, and PostgreSQL if there is one for tests.
    ///
    /// # Errors
    /// When one cannot be opened.
    pub fn all() -> Result<Vec<FreshDatabase>, DatabaseError> {
        let mut all = vec![FreshDatabase::sqlite()?];
        if let Ok(server) = std::env::var(POSTGRES_VARIABLE) {
            all.push(FreshDatabase::postgres(&server)?);
        }
        Ok(all)
    }

    /// An SQLite file in a directory of its own.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn sqlite() -> Result<FreshDatabase, DatabaseError> {
        let directory = std::env::temp_dir().join(format!("kangmai-{}", SystemIds.mint(Moment(0))));
        std::fs::create_dir_all(&directory).map_err(|error| DatabaseError::Driver(error.to_string()))?;
        let path = directory.join("kangmai.db");
        let database = with_test_keys(Database::open_throw_away(&path)?);
        let address = path.to_string_lossy().into_owned();
        Ok(FreshDatabase { database, address, clean_up: CleanUp::Directory(directory) })
    }

    /// A schema of its own on `server`.
    ///
    /// # Errors
    /// When the server does not answer.
    pub fn postgres(server: &str) -> Result<FreshDatabase, DatabaseError> {
        let schema = format!("test_{}", SystemIds.mint(Moment(0)).simple());
        let create = format!("create schema {schema}");
        Database::open(server)?.write_blocking(move |tx| tx.batch(&create))?;
        let joint = if server.contains('?') { '&' } else { '?' };
        let address = format!("{server}{joint}options=-c%20search_path%3D{schema}");
        let database = with_test_keys(Database::open(&address)?);
        let clean_up = CleanUp::Schema { server: server.to_owned(), schema };
        Ok(FreshDatabase { database, address, clean_up })
    }
}

impl Drop for FreshDatabase {
    fn drop(&mut self) {
        match &self.clean_up {
            CleanUp::Directory(directory) => {
                let _ = std::fs::remove_dir_all(directory);
            }
            CleanUp::Schema { server, schema } => {
                let drop_schema = format!("drop schema {schema} cascade");
                if let Ok(database) = Database::open(server) {
                    let _ = database.write_blocking(move |tx| tx.batch(&drop_schema));
                }
            }
        }
    }
}
