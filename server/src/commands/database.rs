//! `kangmai migrate`, `kangmai rebuild` and `kangmai database`.

use anyhow::bail;
use clap::Subcommand;
use kangmai_base::{Clock as _, SystemClock};
use kangmai_programme::read_law;
use kangmai_record::rebuild;

use crate::application::load_policies;
use crate::config::Config;
use crate::programmes;
use crate::wall::{ONLY_ADDED_TO, OPEN, WALLED};

use super::{say, show_progress};

#[derive(Debug, Subcommand)]
pub(super) enum DatabaseCommand {
    /// Wall the tables of PostgreSQL by place, for the role by which the server works; run it as the owner of the tables
    Secure {
        /// The role of the server; it must be there, and own nothing
        #[arg(long)]
        role: String,
    },
}

pub(super) fn run(config: &Config, command: &DatabaseCommand) -> anyhow::Result<()> {
    let DatabaseCommand::Secure { role } = command;
    let open = super::serve::open_database(config)?.wall(WALLED, ONLY_ADDED_TO, role)?;
    say(format!("{} tables are walled by place; {role} may work with all", WALLED.len()));
    let unknown: Vec<&str> = open.iter().map(String::as_str).filter(|table| !OPEN.contains(table)).collect();
    if !unknown.is_empty() {
        bail!("these tables have no wall, and nobody decided that they need none: {}", unknown.join(", "));
    }
    Ok(())
}

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
