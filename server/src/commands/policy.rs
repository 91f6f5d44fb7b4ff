//! `kangmai policy`: checks packs, runs their cases, and sees that the cases would notice a wrong figure.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand, ValueEnum};
use kangmai_policy::{Language, MutationChoice, Release, diff};

use super::law::{LawArgs, Read, release_named};
use super::replay::ReplayArgs;
use super::say;
use crate::application::shipped_packs;
use crate::config::Config;

/// What `kangmai policy` can do.
#[derive(Debug, Subcommand)]
pub(super) enum PolicyCommand {
    /// Load the packs and show every error with its place and its mend, and every point that no case covers
    Check {
        #[command(flatten)]
        packs: PolicyArgs,
        /// A point that no case covers is an error
        #[arg(long)]
        strict: bool,
    },
    /// Run every case inside the packs
    Test(PolicyArgs),
    /// Change every figure, date and condition of the packs a little: each change must make a case fail
    Mutate {
        #[command(flatten)]
        packs: PolicyArgs,
        /// Only the pack in this directory, such as cn/henan
        #[arg(long)]
        pack: Option<String>,
        /// Only this benefit, or this table: watch, diseases, treat_first, lines, income, premiums, subsidies, disease_caps,
        /// agreements
        #[arg(long)]
        only: Option<String>,
    },
    /// Write the packs inside the program into a folder, to begin one's own from
    Unpack {
        /// A folder that is empty or not there yet
        into: PathBuf,
    },
    /// Say in words what a second release says otherwise than a first
    Diff(DiffArgs),
    /// Work a receipt out again and say whether it comes to the same to the fen, layer by layer
    Replay(ReplayArgs),
}

/// Which packs.
#[derive(Debug, Args)]
pub(super) struct PolicyArgs {
    #[command(flatten)]
    law: LawArgs,
    /// English sentences
    #[arg(long)]
    english: bool,
}

/// Two releases.
#[derive(Debug, Args)]
pub(super) struct DiffArgs {
    /// A directory of packs, the hash of a release that was in force here (or its beginning), `published` or `shipped`
    before: String,
    /// The same, of the other release
    after: String,
    /// The language of the sentences
    #[arg(long, value_enum, default_value_t = Tongue::Zh)]
    lang: Tongue,
}

/// A language, by its code.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Tongue {
    /// 中文
    Zh,
    /// English
    En,
}

/// Runs the command.
///
/// # Errors
/// The packs do not load, a case comes out otherwise, or (as asked) cases are missing; what a replay says.
pub(super) fn run(command: &PolicyCommand, config: &Config) -> anyhow::Result<()> {
    match command {
        PolicyCommand::Check { packs, strict } => {
            check(load(packs, config)?.as_ref(), *strict, packs.language())
        }
        PolicyCommand::Test(packs) => test(load(packs, config)?.as_ref()),
        PolicyCommand::Mutate { packs, pack, only } => {
            let release = load(packs, config)?;
            // A case that fails anyway notices nothing.
            test(&release)?;
            let choice = MutationChoice { pack: pack.clone(), only: only.clone(), threads: 0 };
            mutate(&release, &choice, packs.language())
        }
        PolicyCommand::Unpack { into } => unpack(into),
        PolicyCommand::Diff(args) => say_differences(config, args),
        PolicyCommand::Replay(args) => super::replay::run(args, config),
    }
}

/// Says what the second release says otherwise, one difference a line.
fn say_differences(config: &Config, args: &DiffArgs) -> anyhow::Result<()> {
    let (before, after) = (release_named(config, &args.before)?, release_named(config, &args.after)?);
    let language = match args.lang {
        Tongue::Zh => Language::Zh,
        Tongue::En => Language::En,
    };
    for difference in diff(&before, &after) {
        say(difference.text.get(language));
    }
    Ok(())
}

impl PolicyArgs {
    const fn language(&self) -> Language {
        if self.english { Language::En } else { Language::Zh }
    }
}

/// Writes the shipped packs into `into`. A folder that holds something is left alone: it may be somebody's work.
fn unpack(into: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(into).with_context(|| format!("cannot make {}", into.display()))?;
    let mut entries = std::fs::read_dir(into).with_context(|| format!("cannot read {}", into.display()))?;
    if entries.next().is_some() {
        bail!("{} is not empty: name a folder that is not there yet", into.display());
    }
    let files = shipped_packs();
    for (path, text) in &files {
        let path = into.join(path);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        }
        std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    say(format!("{} files in {}", files.len(), into.display()));
    Ok(())
}

/// Loads the packs and says which they are.
fn load(args: &PolicyArgs, config: &Config) -> anyhow::Result<Arc<Release>> {
    let language = args.language();
    let Read { release, which } = args.law.read(config, language)?;
    let benefits: usize = release.jurisdictions().iter().map(|one| one.pack.benefits.len()).sum();
    say(format!(
        "{} packs, {benefits} benefits, release {}: {which}",
        release.jurisdictions().len(),
        release.hash()
    ));
    let mut said: Vec<&str> = Vec::new();
    for rule in release.jurisdictions().iter().flat_map(|one| one.untranslatable.iter()) {
        // A pack hands its rules down to those below it.
        if said.contains(&rule.id.as_str()) {
            continue;
        }
        said.push(&rule.id);
        say(format!("{}: {}", rule.id, rule.text.get(language)));
    }
    Ok(release)
}

/// Shows each point that the cases leave out.
fn check(release: &Release, strict: bool, language: Language) -> anyhow::Result<()> {
    let missing = release.lint();
    for point in &missing {
        say(if strict { point.render(language) } else { point.render_warning(language) });
        say("");
    }
    if !missing.is_empty() {
        say(format!("{} points have no case", missing.len()));
    }
    if strict && !missing.is_empty() {
        bail!("{} points have no case", missing.len());
    }
    Ok(())
}

fn test(release: &Release) -> anyhow::Result<()> {
    let report = release.run_cases();
    for failure in &report.failures {
        say(format!("{}:{}  {}  {}", failure.path, failure.line, failure.name, failure.difference));
    }
    say(format!("{} cases came out to the fen, {} did not", report.passed, report.failures.len()));
    if !report.failures.is_empty() {
        bail!("{} cases came out otherwise", report.failures.len());
    }
    Ok(())
}

/// Changes the packs a little, everywhere, and shows each change that no case notices.
fn mutate(release: &Release, choice: &MutationChoice, language: Language) -> anyhow::Result<()> {
    let report = release.mutate(choice);
    for mutant in &report.alive {
        say(mutant.render(language));
        say("");
    }
    let (noticed, refused, without) = (report.killed, report.refused, report.without_effect);
    let alive = report.alive.len();
    say(format!(
        "{noticed} changes made a case fail, {refused} were refused by the loader, {alive} went unnoticed"
    ));
    if without > 0 {
        say(format!(
            "{without} more change nothing, whoever the bill is of: what they touch is said elsewhere too"
        ));
    }
    if noticed + refused + without + alive == 0 {
        bail!("there is nothing to change: no such pack or benefit");
    }
    if alive > 0 {
        bail!("{alive} changes went unnoticed");
    }
    Ok(())
}
