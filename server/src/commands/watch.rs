//! `kangmai watch run`.

use clap::Subcommand;
use kangmai_base::{Clock as _, Day, SystemClock};


use crate::application::quiet_settings;
use crate::config::Config;

use super::{say, show_progress};

#[derive(Debug, Subcommand)]
pub(super) enum WatchCommand {
    /// Look at every household and raise what is to be raised; a second run on the same day raises nothing new
    Run {
        /// As if it were this day, such as 2026-03-05
        #[arg(long, value_parser = parse_day)]
        as_of: Option<Day>,
    },
}

fn parse_day(text: &str) -> Result<Day, String> {
    text.parse::<Day>().map_err(|error| error.to_string())
}

pub(super) fn run(config: &Config, command: &WatchCommand) -> anyhow::Result<()> {
    let WatchCommand::Run { as_of } = command;
    let app = super::serve::open(config, quiet_settings(std::env::temp_dir()))?;
    let as_of = as_of.unwrap_or_else(|| SystemClock.today());
    let run = run_watch(&app, as_of, |households| show_progress(&format!("{households} households")))?;
    show_progress("");
    say(format!(
        "{}: {} households looked at, {} warnings raised, {} raised to another level, {} as they were",
        as_of, run.checked, run.raised, run.raised_level, run.unchanged
    ));
    Ok(())
}
