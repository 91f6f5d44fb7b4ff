//! What can go wrong with a database.

use kangmai_base::Refusal;

/// The database failed. Messages name tables, columns and codes, never a value: values are personal data.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// A row with the same key is there already.
    #[error("a row with this key is there already ({0})")]
    Duplicate(String),
    /// A row that this one names is not there, or a rule of a table forbids it.
    #[error("a rule of the table forbids it ({0})")]
    Constraint(String),
    /// A read took too long.
    #[error("the read took longer than {} seconds and was stopped", DatabaseError::READ_SECONDS)]
    TooLong,
    /// A column holds something else than the program asked for.
    #[error("column {column} holds no {expected}")]
    WrongType {
        /// Position in the row, from 0.
        column: usize,
        /// What was asked for.
        expected: &'static str,
    },
    /// A migration that ran before has been edited since.
    #[error("migration {owner}/{name} was changed after it ran; write a new one instead")]
    EditedMigration {
        /// The crate that owns the tables.
        owner: String,
        /// The step.
        name: String,
    },
    /// The work on a thread of the database panicked or could not begin; nothing of it stays, the log says why.
    #[error("the work on the database was given up and rolled back; the log says why")]
    GivenUp,
    /// A view of the facts met a fact it cannot read, or the like: the transaction must not be committed.
    #[error("{0}")]
    Refused(String),
    /// Something is to be sealed or opened and no keys were taken up.
    #[error("no keys were taken up: the program needs the master key of this database")]
    NoKeys,
    /// A sealed value does not open, or the keys themselves do not.
    #[error("a sealed value does not open: {0}")]
    Keys(kangmai_seal::Unopened),
    /// What was to be written breaks a rule and somebody waits for the answer: the transaction is rolled back, and whoever
    /// waits is told the sentence.
    #[error("a rule says no: {0}")]
    NotKept(#[source] Refusal),
    /// Anything else that the driver says.
    #[error("database: {0}")]
    Driver(String),
}

impl DatabaseError {
    /// The longest that a page's read may take.
    pub const READ_SECONDS: u64 = 30;
}

impl From<rusqlite::Error> for DatabaseError {
    fn from(error: rusqlite::Error) -> DatabaseError {
        let rusqlite::Error::SqliteFailure(failure, message) = &error else {
            return DatabaseError::Driver(error.to_string());
        };
        let message = message.clone().unwrap_or_else(|| failure.to_string());
        match failure.extended_code {
            rusqlite::ffi::SQLITE_CONSTRAINT_UNIQUE | rusqlite::ffi::SQLITE_CONSTRAINT_PRIMARYKEY => {
                DatabaseError::Duplicate(message)
            }
            code if code & 0xff == rusqlite::ffi::SQLITE_CONSTRAINT => DatabaseError::Constraint(message),
            rusqlite::ffi::SQLITE_INTERRUPT => DatabaseError::TooLong,
            _ => DatabaseError::Driver(message),
        }
    }
}

impl From<tokio_postgres::Error> for DatabaseError {
    /// Leaves out PostgreSQL's `DETAIL`: it quotes values.
    fn from(error: tokio_postgres::Error) -> DatabaseError {
        let Some(server) = error.as_db_error() else {
            return DatabaseError::Driver(error.to_string());
        };
        let message = format!("{}: {}", server.code().code(), server.message());
        match server.code().code() {
            "23505" => DatabaseError::Duplicate(message),
            "57014" => DatabaseError::TooLong,
            code if code.starts_with("23") => DatabaseError::Constraint(message),
            _ => DatabaseError::Driver(message),
        }
    }
}
