//! One file of SQLite has one server.

use std::fs::{File, TryLockError};

use anyhow::{Context as _, bail};

use crate::copy::{beside, sqlite_path};

/// Holds the file of an SQLite database for this process, as long as what it answers lives; a process that is killed holds
/// nothing. On PostgreSQL any number of servers may work, and nothing is held.
///
/// Commands beside a server are welcome: an import is a writer like any other. A second server is a mistake, since each
/// would count wrong keys and keep figures for itself; so is moving a database that is written to.
///
/// # Errors
/// When a server holds it, or the folder cannot be written to.
pub fn hold_alone(address: &str) -> anyhow::Result<Option<File>> {
    let Some(path) = sqlite_path(address) else { return Ok(None) };
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    let lock = beside(&path, "lock");
    let cannot = || format!("cannot write {}", lock.display());
    let file = File::options().create(true).append(true).open(&lock).with_context(cannot)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => bail!(
            "another server already serves {}: one file has one server. Stop it first; where several servers are \
             wanted, use PostgreSQL",
            path.display()
        ),
        Err(TryLockError::Error(error)) => Err(error).with_context(cannot),
    }
}
