//! `kangmai phones`: what a phone exported that finds no network any more.

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::Subcommand;
use kangmai_sync::read_outbox;
use kangmai_web::{Language, Words};

use crate::application::quiet_settings;
use crate::config::Config;
use crate::programmes;

use super::say;

#[derive(Debug, Subcommand)]
pub(super) enum PhonesCommand {
    /// Open the sealed export of a phone and hand in what it holds, as if the phone had; a second run changes nothing
    ReadOutbox {
        /// The file that the field app saved: kangmai-….json
        file: PathBuf,
    },
}

/// Bytes of a file that is read at most.
const LONGEST_FILE: u64 = 256 * 1_024 * 1_024;

pub(super) fn run(config: &Config, command: &PhonesCommand) -> anyhow::Result<()> {
    let PhonesCommand::ReadOutbox { file } = command;
    let about = || format!("cannot read {}", file.display());
    if std::fs::metadata(file).with_context(about)?.len() > LONGEST_FILE {
        bail!("{} is larger than {LONGEST_FILE} bytes: no phone exports so much", file.display());
    }
    let text = std::fs::read_to_string(file).with_context(about)?;
    let app = super::serve::open(config, quiet_settings(std::env::temp_dir()))?;
    let read = read_outbox(&app, &text)?.with_context(about)?;
    let words = Words::load(&programmes::words())?;
    say(&read.whose);
    for receipt in &read.receipts {
        let why = receipt.refusal.as_ref().map(|refusal| {
            let said = |language| words.refusal(language, refusal, "");
            format!("\t{} / {}", said(Language::Zh), said(Language::En))
        });
        say(format!("{}\t{}{}", receipt.sequence, receipt.outcome, why.unwrap_or_default()));
    }
    for sequence in &read.unopened {
        say(format!("{sequence}\tdoes not open: it is damaged, or of another phone"));
    }
    let taken = |outcome: &str| read.receipts.iter().filter(|receipt| receipt.outcome == outcome).count();
    say(format!(
        "accepted {}, duplicate {}, parked {}, rejected {}, unopened {}",
        taken("accepted"),
        taken("duplicate"),
        taken("parked"),
        taken("rejected"),
        read.unopened.len()
    ));
    if read.unopened.is_empty() { Ok(()) } else { bail!("{} entries do not open", read.unopened.len()) }
}
