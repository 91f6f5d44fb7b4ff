//! `kangmai move`, `kangmai backup` and `kangmai restore`.

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::Args;
use kangmai_base::{Clock as _, SystemClock, SystemIds};
use kangmai_database::{Database, DatabaseError, TableSum};
use kangmai_seal::MasterKeys;

use crate::config::Config;
use crate::copy::{back_up, move_database, restore, verify};

use super::{say, show_progress};

#[derive(Debug, Args)]
pub(super) struct MoveArgs {
    /// The database that is there: a path for SQLite, or postgres://user@host/name
    #[arg(long)]
    from: String,
    /// Where it is to go: a path where no file is, or a database or schema of PostgreSQL that has no table
    #[arg(long)]
    to: String,
}

#[derive(Debug, Args)]
pub(super) struct BackupArgs {
    /// The file to write; it must not be there
    file: PathBuf,
    /// Then restore it into a throw-away database beside it, and compare number and hash of the rows of every table
    #[arg(long)]
    verify: bool,
}

#[derive(Debug, Args)]
pub(super) struct RestoreArgs {
    /// A file of `kangmai backup`
    file: PathBuf,
    /// Only restore it into a throw-away database beside it, to see that it is whole
    #[arg(long)]
    check: bool,
}

fn master(config: &Config) -> anyhow::Result<MasterKeys> {
    config.master()?.context(
        "a backup is sealed under the master key, and there is none: name it in KANGMAI_MASTER_KEY_FILE \
         (docs/howto/keys.md)",
    )
}

pub(super) fn back_up_to(config: &Config, args: &BackupArgs) -> anyhow::Result<()> {
    let keys = master(config)?;
    if !super::serve::is_there(config) {
        bail!("there is no database {}", config.database);
    }
    let database = super::serve::open_database(config)?;
    if !args.file.exists() {
        note_backup(&database, &keys)?;
    }
    let sums = back_up(&database, &keys, &args.file, progress)?;
    tell(&sums);
    if args.verify {
        let restored = verify(&args.file, &keys, progress)?;
        if restored != sums {
            bail!("what was restored of {} is not what was written to it", args.file.display());
        }
        show_progress("");
        say("restored and compared: number and hash of the rows of every table are the same");
    }
    let bytes = std::fs::metadata(&args.file)?.len();
    say(format!(
        "{}: {bytes} bytes, sealed under the master key; without it the file is of no use",
        args.file.display()
    ));
    Ok(())
}

/// Everything leaves the house: a line says so, and the backup holds it. The tables of a program of before are left alone.
fn note_backup(database: &Database, keys: &MasterKeys) -> anyhow::Result<()> {
    let is_ready = database.read_blocking(|tx| {
        Ok::<_, DatabaseError>(tx.has_table("audit_waiting")? && tx.has_table("seal_key")?)
    })?;
    if is_ready {
        database.unlock(keys, &SystemIds, SystemClock.now())?;
        super::audit::note(database, "backup", "")?;
    }
    Ok(())
}

pub(super) fn restore_from(config: &Config, args: &RestoreArgs) -> anyhow::Result<()> {
    let keys = master(config)?;
    if args.check {
        tell(&verify(&args.file, &keys, progress)?);
        say(format!("{} is whole", args.file.display()));
        return Ok(());
    }
    tell(&restore(&args.file, &keys, &config.database, progress)?);
    say("restored: number and hash of the rows of every table are those of the file");
    Ok(())
}

pub(super) fn move_to(args: &MoveArgs) -> anyhow::Result<()> {
    let sums = move_database(&args.from, &args.to, progress)?;
    tell(&sums);
    say("moved: number and hash of the rows of every table are the same on both sides");
    say("The old database is as it was. Start the server on the new one, and keep nobody on the old");
    Ok(())
}

fn progress(table: &str, rows: u64) {
    show_progress(&format!("{table}: {rows} rows"));
}

fn tell(sums: &[TableSum]) {
    show_progress("");
    for sum in sums.iter().filter(|sum| sum.rows > 0) {
        say(format!("{:>12}  {}  {}", sum.rows, sum.hash, sum.table));
    }
    let rows: u64 = sums.iter().map(|sum| sum.rows).sum();
    say(format!("{rows} rows in {} tables", sums.len()));
}
