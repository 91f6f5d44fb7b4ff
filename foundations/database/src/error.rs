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
    /// Every connection to the database was in use for too long.
    #[error(
        "all {connections} connections to the database were in use for {} seconds",
        DatabaseError::WAIT_SECONDS
    )]
    Busy {
        /// How many there may be.
        connections: usize,
    },
    /// Another transaction held what this one needs for too long; nothing of this one stays.
    #[error("waited {} seconds for somebody else who writes, and gave up", DatabaseError::LOCK_SECONDS)]
    Locked,
    /// There is no room left on the disk of the database; nothing of the work stays.
    #[error("the disk of the database is full")]
    Full,
    /// TLS to the database is asked for, and not whose certificates are trusted.
    #[error(
        "TLS to the database needs sslrootcert=FILE in its address: the certificates of whoever is trusted, as PEM"
    )]
    NoAuthority,
    /// The database cannot be reached, or the connection broke before the work was committed: nothing of it stays.
    #[error("the database cannot be reached ({0})")]
    Unreachable(String),
    /// The connection broke while the work was committed. Whoever sent it must ask before doing it again.
    #[error("the connection to the database broke during the commit; whether the work stands is not known")]
    Unknown,
    /// A copy of a database goes only into one that has no table.
    #[error("the database has tables already; a copy goes only into one that has none")]
    NotEmpty,
    /// A copy of a database cannot be written or read.
    #[error("copy of the database: {0}")]
    Copy(String),
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
    /// The longest that a page's write may take with one statement.
    pub const WRITE_SECONDS: u64 = 60;
    /// The longest wait for a connection.
    pub const WAIT_SECONDS: u64 = 10;
    /// The longest wait for somebody else who writes.
    pub const LOCK_SECONDS: u64 = 10;
    /// What [`DatabaseError::Copy`] says when the stream ended before the copy did.
    pub const ENDS_EARLY: &str = "it ends early";
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
            rusqlite::ffi::SQLITE_FULL => DatabaseError::Full,
            rusqlite::ffi::SQLITE_INTERRUPT => DatabaseError::TooLong,
            code if code & 0xff == rusqlite::ffi::SQLITE_BUSY => DatabaseError::Locked,
            _ => DatabaseError::Driver(message),
        }
    }
}

impl From<tokio_postgres::Error> for DatabaseError {
    /// Leaves out PostgreSQL's `DETAIL`: it quotes values.
    fn from(error: tokio_postgres::Error) -> DatabaseError {
        let Some(server) = error.as_db_error() else {
            // Whatever the server did not say itself is about the way to it, but for values that do not fit a statement.
            let is_of_the_way =
                error.is_closed() || std::error::Error::source(&error).is_some_and(is_of_the_way);
            return match is_of_the_way {
                true => DatabaseError::Unreachable(error.to_string()),
                false => DatabaseError::Driver(error.to_string()),
            };
        };
        let message = format!("{}: {}", server.code().code(), server.message());
        match server.code().code() {
            "23505" => DatabaseError::Duplicate(message),
            "57014" => DatabaseError::TooLong,
            "53100" => DatabaseError::Full,
            "55P03" => DatabaseError::Locked,
            // Shutting down, crashed, starting, too many connections, and the classes of broken connections.
            "57P01" | "57P02" | "57P03" | "57P05" | "53300" => DatabaseError::Unreachable(message),
            code if code.starts_with("08") => DatabaseError::Unreachable(message),
            code if code.starts_with("23") => DatabaseError::Constraint(message),
            _ => DatabaseError::Driver(message),
        }
    }
}

fn is_of_the_way(cause: &(dyn std::error::Error + 'static)) -> bool {
    cause.is::<std::io::Error>()
}
