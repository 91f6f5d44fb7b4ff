//! `kangmai follow-up run`.

use clap::Subcommand;
use kangmai_base::{Clock as _, Day, SystemClock};
use kangmai_follow_up::enrol_all;

use crate::application::quiet_settings;
use crate::config::Config;

use super::{parse_day, say, show_progress};

#[derive(Debug, Subcommand)]
pub(super) enum FollowUpCommand {
    /// Take everybody into management who has the diagnosis or the age, and out whose diagnosis was withdrawn; a second run
    /// changes nothing
    Run {
        /// As if it were this day, such as 2026-03-05
        #[arg(long, value_parser = parse_day)]
        as_of: Option<Day>,
    },
}

pub(super) fn run(config: &Config, command: &FollowUpCommand) -> anyhow::Result<()> {
    let FollowUpCommand::Run { as_of } = command;
    let app = super::serve::open(config, quiet_settings(std::env::temp_dir()))?;
    let as_of = as_of.unwrap_or_else(|| SystemClock.today());
    let run = enrol_all(&app, as_of, |people| show_progress(&format!("{people} people")))?;
    show_progress("");
    say(format!(
        "{as_of}: {} people looked at; {} taken into management, {} ended",
        run.people, run.enrolled, run.closed
    ));
    Ok(())
}
