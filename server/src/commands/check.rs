//! `kangmai check`: configuration, packs, words.

use std::sync::Arc;

use anyhow::Context as _;
use kangmai_database::Database;
use kangmai_policy::Release;
use kangmai_programme::{conflicts, laid_over, read_law};
use kangmai_web::Words;

use crate::application::load_policies;
use crate::config::Config;
use crate::programmes;

use super::say;
use super::serve::{is_there, open_database};

pub(super) fn run(config: &Config) -> anyhow::Result<()> {
    let words = Words::load(&programmes::words()).context("words")?;
    say(format!("words: {} sentences in Chinese and English", words.keys().count()));
    let policies = load_policies(config.policies.as_deref())?;
    say(format!("packs: {} places, release {}", policies.jurisdictions().len(), policies.hash()));
    if !is_there(config) {
        say("database: none yet; `kangmai serve` makes it");
        return Ok(());
    }
    let database = open_database(config)?;
    say(format!("database: {:?} answers", database.dialect()));
    check_published(&database, &policies)
}

/// What was published here, whether this program reads it, and each file whose text in the program has become another since.
/// Only reads: it is asked with a new program before the upgrade.
fn check_published(database: &Database, policies: &Arc<Release>) -> anyhow::Result<()> {
    let law = read_law(database, policies)?;
    let published = database.read_blocking(|tx| {
        if tx.has_table("policy_publication")? { laid_over(tx) } else { Ok(Vec::new()) }
    })?;
    say(format!(
        "published: {} files over those of the program, by {} publications; in force: release {}",
        published.len(),
        law.number,
        law.release.hash()
    ));
    for conflict in conflicts(policies.files(), &published) {
        let brings = match conflict.new_base {
            Some(_) => "brings another text of it",
            None => "has it no more",
        };
        say(format!(
            "{}: published as number {}; the program {brings}. The published text stays in force until somebody \
             decides, on the page /policy-drafts",
            conflict.path, conflict.number
        ));
    }
    Ok(())
}
