//! Which packs a command at the console reads: those of a directory, those inside the program, or the law in force in the
//! database. It always says which.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use clap::Args;
use kangmai_policy::{Language, Release};

use super::say;
use super::serve::{is_there, law_in_force};
use crate::application::{load_policies, loaded, shipped_packs};
use crate::config::Config;

/// Which packs, where nothing else names them.
#[derive(Debug, Args)]
pub(super) struct LawArgs {
    /// The law in force in the database: what was published there, over the packs of --policies or inside the program. So
    /// too without it, if the database holds published law and no --policies are given
    #[arg(long)]
    published: bool,
    /// The packs inside the program, whatever was published
    #[arg(long, conflicts_with = "published")]
    shipped: bool,
}

/// Packs that were read, and which they are.
pub(super) struct Read {
    /// The packs.
    pub(super) release: Arc<Release>,
    /// Which they are, in words.
    pub(super) which: String,
}

impl LawArgs {
    /// Reads the packs; each error of files at hand is said, underlined, before this fails.
    ///
    /// # Errors
    /// When they do not load, or the law in force is asked for where there is no database.
    pub(super) fn read(&self, config: &Config, language: Language) -> anyhow::Result<Read> {
        if self.published {
            return in_force(config)?.context("there is no database here whose law could be read");
        }
        match config.policies.as_deref().filter(|_| !self.shipped) {
            Some(directory) => {
                let which = format!("the packs in {}, without what was published", directory.display());
                Ok(Read { release: underlined(read_directory(directory)?, language)?, which })
            }
            None if self.shipped => of_program(language),
            None => match in_force(config).context(
                "the law in force cannot be read; --shipped reads the packs inside the program instead",
            )? {
                Some(read) => Ok(read),
                None => of_program(language),
            },
        }
    }
}

fn of_program(language: Language) -> anyhow::Result<Read> {
    let release = underlined(shipped_packs(), language)?;
    Ok(Read { release, which: "the packs inside the program".to_owned() })
}

/// The law in force in the configured database; none where there is no database.
pub(super) fn in_force(config: &Config) -> anyhow::Result<Option<Read>> {
    if !is_there(config) {
        return Ok(None);
    }
    let base = load_policies(config.policies.as_deref())?;
    let Some(law) = law_in_force(config, &base)? else { return Ok(None) };
    let over = match &config.policies {
        Some(directory) => format!("the packs in {}", directory.display()),
        None => "the packs inside the program".to_owned(),
    };
    let which = match law.number {
        0 => format!("the law in force: {over}, nothing was published"),
        number => format!("the law in force: publication {number} of the database, over {over}"),
    };
    Ok(Some(Read { release: law.release, which }))
}

/// The files of a directory of packs.
pub(super) fn read_directory(directory: &Path) -> anyhow::Result<Vec<(String, String)>> {
    Release::read_directory(directory)
        .with_context(|| format!("cannot read the packs in {}", directory.display()))
}

/// Loads files; each error is said, underlined, with its mend.
fn underlined(files: Vec<(String, String)>, language: Language) -> anyhow::Result<Arc<Release>> {
    match Release::load(files) {
        Ok(release) => Ok(Arc::new(release)),
        Err(errors) => {
            for error in &errors {
                say(error.render(language));
                say("");
            }
            bail!("{} errors in the packs", errors.len());
        }
    }
}

/// The least of a hash that names a release.
const SHORTEST_HASH: usize = 8;

/// The release that a word of the command line names: a directory, `shipped`, `published`, or the hash of one that was in
/// force here.
pub(super) fn release_named(config: &Config, name: &str) -> anyhow::Result<Arc<Release>> {
    let files = match name {
        "shipped" => shipped_packs(),
        _ if Path::new(name).is_dir() => read_directory(Path::new(name))?,
        "published" => {
            return match in_force(config)? {
                Some(read) => Ok(read.release),
                None => load_policies(config.policies.as_deref()),
            };
        }
        hash if hash.len() >= SHORTEST_HASH && hash.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
            let hash = hash.to_ascii_lowercase();
            let found = super::serve::kept_release(config, &hash)?;
            found.with_context(|| format!("no release {hash} was in force here, or several begin so"))?
        }
        other => {
            bail!("{other} is no directory, no hash of a release, and neither `published` nor `shipped`")
        }
    };
    loaded(files)
}
