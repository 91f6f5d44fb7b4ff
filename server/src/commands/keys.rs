//! `kangmai keys`: the keys that seal personal data at rest.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::{Subcommand, ValueEnum};
use kangmai_base::{Clock as _, Moment, SystemClock, SystemIds};
use kangmai_database::{
    Database, KeptKey, Standing, forget_key, kept_keys, look_for_clear_text_again, reseal, seal_clear_text,
    standing,
};
use kangmai_seal::{CipherKind, MasterKeys};

use crate::config::Config;
use crate::programmes;

use super::{say, show_progress};

#[derive(Debug, Subcommand)]
pub(super) enum KeysCommand {
    /// Make a master key in a new file
    New {
        /// The file; its folder must exist, the file must not
        file: PathBuf,
        /// The cipher of the keys that it will wrap
        #[arg(long, value_enum, default_value_t = Cipher::Aes)]
        cipher: Cipher,
    },
    /// Make a new key, current from now on for every running server, and seal again what stands under older ones
    Rotate {
        /// Only make the key; seal again later, with `keys reseal`
        #[arg(long)]
        new_key_only: bool,
    },
    /// Seal again, with the current key, what stands under older ones; may be stopped and begun again
    Reseal,
    /// Seal what stands in clear: once every server of a release before sealing is stopped
    Seal,
    /// Say what stands under which key
    Status,
    /// Forget keys that nothing stands under any more
    Retire,
    /// Wrap the keys of the database with a master key in a new file; the old one is wanted until then
    Rewrap {
        /// The new file: it holds the new master key and those of before
        file: PathBuf,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Cipher {
    /// AES-256-GCM
    #[value(name = "aes-256-gcm")]
    Aes,
    /// SM4-GCM
    #[value(name = "sm4-gcm")]
    Sm4,
}

impl Cipher {
    const fn kind(self) -> CipherKind {
        match self {
            Cipher::Aes => CipherKind::Aes256Gcm,
            Cipher::Sm4 => CipherKind::Sm4Gcm,
        }
    }
}

/// A key is forgotten only so long after the next was made: no transaction that began with it still runs.
const FORGOTTEN_AFTER_SECONDS: i64 = 3_600;

pub(super) fn run(config: &Config, command: &KeysCommand) -> anyhow::Result<()> {
    match command {
        KeysCommand::New { file, cipher } => {
            write_key(file, &MasterKeys::fresh(&SystemIds, cipher.kind()))?;
            say(format!("the master key stands in {}", file.display()));
            say(
                "keep a copy of it away from this machine: without it nobody opens the database again, a backup neither",
            );
            say(format!("the program reads it with KANGMAI_MASTER_KEY_FILE={}", file.display()));
            Ok(())
        }
        KeysCommand::Rotate { new_key_only } => {
            let database = super::serve::ready_database(config)?;
            let number = database.rotate_keys(&SystemIds, SystemClock.now())?;
            super::audit::note(&database, "keys", format!("rotate {number}"))?;
            say(format!("key {number} is current; running servers take it up with their next write"));
            if *new_key_only { Ok(()) } else { seal_again(&database) }
        }
        KeysCommand::Reseal => seal_again(&super::serve::ready_database(config)?),
        KeysCommand::Seal => seal(&super::serve::ready_database(config)?),
        KeysCommand::Status => status(&super::serve::ready_database(config)?),
        KeysCommand::Retire => retire(&super::serve::ready_database(config)?, SystemClock.now()),
        KeysCommand::Rewrap { file } => rewrap(config, file),
    }
}

/// Writes a master key to a new file that only its owner reads.
pub(super) fn write_key(path: &Path, master: &MasterKeys) -> anyhow::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let mut file = options.open(path).with_context(|| {
        format!("cannot make {}; a file that is there is never overwritten", path.display())
    })?;
    file.write_all(master.text().as_bytes())?;
    file.sync_all()?;
    Ok(())
}

fn seal(database: &Database) -> anyhow::Result<()> {
    database.write_blocking(look_for_clear_text_again)?;
    let show = |rows| show_progress(&format!("{rows} rows"));
    let sealed = seal_clear_text(database, &programmes::clear_text(), SystemClock.now(), show)?;
    show_progress("");
    say(format!("{sealed} rows stood in clear and are sealed"));
    Ok(())
}

fn seal_again(database: &Database) -> anyhow::Result<()> {
    let sealed =
        reseal(database, &programmes::sealed(), |values| show_progress(&format!("{values} values")))?;
    show_progress("");
    say(format!("{sealed} values were sealed again"));
    Ok(())
}

fn look(database: &Database) -> anyhow::Result<(Vec<KeptKey>, Vec<Standing>)> {
    let tables = programmes::sealed();
    let read = move |tx: &mut kangmai_database::Transaction<'_>| Ok((kept_keys(tx)?, standing(tx, &tables)?));
    Ok(database.read_blocking::<_, kangmai_database::DatabaseError>(read)?)
}

fn status(database: &Database) -> anyhow::Result<()> {
    let (keys, standing) = look(database)?;
    let current = keys.last().map(|key| key.number);
    for key in &keys {
        let note = if Some(key.number) == current { ", current" } else { "" };
        let (number, cipher, since) = (key.number, key.cipher.key(), key.made_at.day());
        say(format!(
            "key {number}: {cipher}, since {since}, wrapped by master key {:08x}{note}",
            key.wrapped_by
        ));
        for one in standing.iter().filter(|one| one.key == number) {
            say(format!("  {}.{}: {} values", one.table, one.column, one.values));
        }
    }
    let is_kept = |number: u32| keys.iter().any(|key| key.number == number);
    for one in standing.iter().filter(|one| !is_kept(one.key)) {
        say(format!(
            "no key {}: {}.{}: {} values cannot be opened",
            one.key, one.table, one.column, one.values
        ));
    }
    Ok(())
}

fn retire(database: &Database, now: Moment) -> anyhow::Result<()> {
    let (keys, standing) = look(database)?;
    let mut in_use = 0;
    let mut retired = 0;
    for pair in keys.windows(2) {
        let [old, next] = pair else { continue };
        let number = old.number;
        let values: i64 = standing.iter().filter(|one| one.key == number).map(|one| one.values).sum();
        if values > 0 {
            say(format!(
                "key {number} stays: {values} values stand under it; `kangmai keys reseal` seals them again"
            ));
            in_use += 1;
        } else if now < next.made_at.plus_seconds(FORGOTTEN_AFTER_SECONDS) {
            say(format!("key {number} stays: it was current less than an hour ago"));
            in_use += 1;
        } else {
            database.write_blocking(move |tx| forget_key(tx, number))?;
            super::audit::note(database, "keys", format!("retire {number}"))?;
            say(format!("key {number} is forgotten"));
            retired += 1;
        }
    }
    if retired == 0 && in_use > 0 {
        bail!("no key was forgotten");
    }
    Ok(())
}

fn rewrap(config: &Config, file: &Path) -> anyhow::Result<()> {
    let database = super::serve::ready_database(config)?;
    let Some(master) = config.master()? else { bail!("there is no master key to begin from") };
    let renewed = master.renewed(&SystemIds);
    // First the file, then the database: whatever stops in between, the new file opens it.
    write_key(file, &renewed)?;
    database.rewrap_keys(&renewed)?;
    super::audit::note(&database, "keys", "rewrap")?;
    say(format!("the keys are wrapped by the first key in {}", file.display()));
    say(
        "name that file in KANGMAI_MASTER_KEY_FILE and start every server again; then take the older lines out of it",
    );
    Ok(())
}
