//! `kangmai settlement`.

use std::fmt::Write as _;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use kangmai_access::{Actor, Purpose, reach};
use kangmai_base::{DivisionCode, Fen};
use kangmai_settlement::{Resettled, Which, resettle};

use crate::application::quiet_settings;
use crate::config::Config;

use super::{say, show_progress};

#[derive(Debug, Subcommand)]
pub(super) enum SettlementCommand {
    /// Settle again in retrospect: what the register reaches back into, or a whole year under a new release of the
    /// policies; a second run changes nothing, a run that was broken off goes on
    Resettle(ResettleArgs),
}

/// What is settled again.
#[derive(Debug, Args)]
pub(super) struct ResettleArgs {
    /// Only this insurance year
    #[arg(long)]
    year: Option<i32>,
    /// All person-years of the year, under the release at hand; without it those that the register reaches back into
    #[arg(long, requires = "year")]
    release: bool,
    /// Only people at home in this division, such as 411721
    #[arg(long)]
    place: Option<DivisionCode>,
    /// Only say what would change; change nothing
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(config: &Config, command: &SettlementCommand) -> anyhow::Result<()> {
    let SettlementCommand::Resettle(args) = command;
    let app = super::serve::open(config, quiet_settings(std::env::temp_dir()))?;
    let actor = Actor { place: args.place.unwrap_or(DivisionCode::COUNTRY), ..Actor::system() };
    let within = reach(&actor, Purpose::KeepLedger).context("the program may settle again")?;
    let which = match (args.release, args.year) {
        (true, Some(year)) => Which::Release(year),
        (_, year) => Which::Touched(year),
    };
    let progress = |looked_at| show_progress(&format!("{looked_at} person-years"));
    let done = resettle(&app, &actor, &within, which, args.dry_run, progress)?;
    show_progress("");
    say(outcome(args.dry_run, app.policies.hash(), &done));
    Ok(())
}

/// What a run came to, in lines.
fn outcome(dry_run: bool, release: &str, done: &Resettled) -> String {
    let verb = if dry_run { "would change (nothing is written)" } else { "changed" };
    let mut text = format!(
        "release {release}: {} person-years looked at; {} with {} bills {verb}",
        done.looked_at, done.changed, done.bills
    );
    if done.closed > 0 {
        let _ = write!(text, "; {} stay, their year is closed", done.closed);
    }
    if done.moved > 0 {
        let verb = if dry_run { "would go" } else { "went" };
        let _ = write!(text, "; {} bills {verb} to another insurance year", done.moved);
    }
    for ((kind, payer), (added, taken_back)) in &done.payers {
        let name = if kind == payer { kind.clone() } else { format!("{kind} {payer}") };
        let balance: Fen = *added + *taken_back;
        let _ = write!(text, "\n  {name}: {added} added, {taken_back} taken back, {balance} in all");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_payer_has_a_line() {
        let mut done = Resettled { looked_at: 9, changed: 2, bills: 3, closed: 1, ..Resettled::default() };
        done.payers.insert(("insurance".into(), "basic".into()), (Fen(1_050), Fen(-50)));
        let moving = Resettled { moved: 4, ..Resettled::default() };
        assert!(outcome(true, "ab", &moving).ends_with("; 4 bills would go to another insurance year"));
        assert!(outcome(false, "ab", &moving).ends_with("; 4 bills went to another insurance year"));
        assert_eq!(
            outcome(true, "ab12", &done),
            "release ab12: 9 person-years looked at; 2 with 3 bills would change (nothing is written); 1 stay, \
             their year is closed\n  insurance basic: 10.50 added, -0.50 taken back, 10.00 in all"
        );
    }
}
