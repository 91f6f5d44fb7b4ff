//! `kangmai migrate` and `kangmai rebuild`.

use anyhow::bail;
use kangmai_base::{Clock as _, SystemClock};
use kangmai_programme::read_law;
use kangmai_record::rebuild;

use crate::application::load_policies;
use crate::config::Config;
use crate::programmes;

use super::{say, show_progress};

pub(super) fn migrate(config: &Config) -> anyhow::Result<()> {
    let shipped = load_policies(config.policies.as_deref())?;
    let database = super::serve::open_database(config)?;
    // A program that cannot read the law leaves the tables to the one that can.
    read_law(&database, &shipped)?;
    let steps = database.migrate(programmes::migrations(), SystemClock.now())?;
    say(format!("{steps} steps applied"));
    Ok(())
}

pub(super) fn rebuild_views(config: &Config, check: bool) -> anyhow::Result<()> {
    let database = super::serve::ready_database(config)?;
    let differences =
        rebuild(&database, &programmes::record(), check, |facts| show_progress(&format!("{facts} facts")))?;
    show_progress("");
    for difference in &differences {
        let (view, surplus, missing) = (difference.view, difference.surplus, difference.missing);
        say(format!("{view}: {surplus} rows that the facts do not tell, {missing} rows that were missing"));
    }
    match (differences.is_empty(), check) {
        (true, _) => say("no difference: every view is what its facts tell"),
        (false, true) => bail!("{} views differ; `kangmai rebuild` writes them anew", differences.len()),
        (false, false) => say(format!("{} views were written anew", differences.len())),
    }
    Ok(())
}
