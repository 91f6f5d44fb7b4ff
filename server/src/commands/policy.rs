//! `kangmai policy`: checks packs and runs their cases.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use kangmai_policy::{Language, Release};

use super::say;
use crate::application::shipped_packs;

/// What `kangmai policy` can do.
#[derive(Debug, Subcommand)]
pub(super) enum PolicyCommand {
    /// Load the packs and show every error with its place and its mend
    Check(PolicyArgs),
    /// Run every case inside the packs
    Test(PolicyArgs),
}

/// Which packs.
#[derive(Debug, Args)]
pub(super) struct PolicyArgs {
    /// A directory of packs; without it the packs inside the program
    #[arg(long)]
    policies: Option<PathBuf>,
    /// English sentences
    #[arg(long)]
    english: bool,
}

/// Runs the command.
///
/// # Errors
/// The packs do not load, or a case comes out otherwise.
pub(super) fn run(command: &PolicyCommand, configured: Option<&Path>) -> anyhow::Result<()> {
    let (PolicyCommand::Check(args) | PolicyCommand::Test(args)) = command;
    let files = match args.policies.as_deref().or(configured) {
        Some(directory) => Release::read_directory(directory)
            .with_context(|| format!("cannot read the packs in {}", directory.display()))?,
        None => shipped_packs(),
    };
    let language = if args.english { Language::En } else { Language::Zh };
    let release = match Release::load(files) {
        Ok(release) => release,
        Err(errors) => {
            for error in &errors {
                say(error.render(language));
                say("");
            }
            bail!("{} errors in the packs", errors.len());
        }
    };
    let benefits: usize = release.jurisdictions().iter().map(|one| one.pack.benefits.len()).sum();
    say(format!("{} packs, {benefits} benefits, release {}", release.jurisdictions().len(), release.hash()));
    let mut said: Vec<&str> = Vec::new();
    for rule in release.jurisdictions().iter().flat_map(|one| one.untranslatable.iter()) {
        // A pack hands its rules down to those below it.
        if said.contains(&rule.id.as_str()) {
            continue;
        }
        said.push(&rule.id);
        say(format!("{}: {}", rule.id, rule.text.get(language)));
    }
    if matches!(command, PolicyCommand::Check(_)) {
        return Ok(());
    }
    let report = release.run_cases();
    for failure in &report.failures {
        say(format!("{}:{}  {}  {}", failure.path, failure.line, failure.name, failure.difference));
    }
    say(format!("{} cases came out to the fen, {} did not", report.passed, report.failures.len()));
    if report.failures.is_empty() {
        Ok(())
    } else {
        bail!("{} cases came out otherwise", report.failures.len())
    }
}
