//! `kangmai check`: configuration, packs, words.

use anyhow::Context as _;
use kangmai_programme::{conflicts, laid_over};
use kangmai_web::Words;

use crate::application::{load_policies, quiet_settings};
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
    drop(database);
    check_published(config)
}

/// What was published here, and each file whose text in the program has become another since.
fn check_published(config: &Config) -> anyhow::Result<()> {
    let app = super::serve::open(config, quiet_settings(std::env::temp_dir()))?;
    let published = app.database.read_blocking(laid_over)?;
    say(format!(
        "published: {} files over those of the program, by {} publications; in force: release {}",
        published.len(),
        app.publication,
        app.policies.hash()
    ));
    for conflict in conflicts(app.shipped.files(), &published) {
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
