//! `kangmai check`: configuration, packs, words.

use anyhow::Context as _;
use kangmai_web::Words;

use crate::application::load_policies;
use crate::config::Config;
use crate::programmes;

use super::say;

pub(super) fn run(config: &Config) -> anyhow::Result<()> {
    let words = Words::load(&programmes::words()).context("words")?;
    say(format!("words: {} sentences in Chinese and English", words.keys().count()));
    let policies = load_policies(config.policies.as_deref())?;
    say(format!("packs: {} places, release {}", policies.jurisdictions().len(), policies.hash()));
    let database = super::serve::open_database(config)?;
    say(format!("database: {:?} answers", database.dialect()));
    Ok(())
}
