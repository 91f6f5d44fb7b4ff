//! `kangmai watch run`.

use clap::Subcommand;
use kangmai_base::{Clock as _, Day, SystemClock};
use kangmai_poverty_watch::run_watch;

use crate::application::quiet_settings;
use crate::config::Config;

use super::{parse_day, say, show_progress};

#[derive(Debug, Subcommand)]
pub(super) enum WatchCommand {
    /// Look at every household and raise what is to be raised; a second run on the same day raises nothing new
    Run {
        /// As if it were this day, such as 2026-03-05
        #[arg(long, value_parser = parse_day)]
        as_of: Option<Day>,
    },
}

pub(super) fn run(config: &Config, command: &WatchCommand) -> anyhow::Result<()> {
    let WatchCommand::Run { as_of } = command;
    let app = super::serve::open(config, quiet_settings(std::env::temp_dir()))?;
    let as_of = as_of.unwrap_or_else(|| SystemClock.today());
    let run = run_watch(&app, as_of, |people| show_progress(&format!("{people} people")))?;
    show_progress("");
    say(format!(
        "{as_of}: {} people in {} households looked at, {} bills; {} warnings raised, {} graver, {} otherwise \
         grounded, {} as they were",
        run.checked, run.households, run.bills, run.raised, run.raised_level, run.updated, run.unchanged
    ));
    Ok(())
}
