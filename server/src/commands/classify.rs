//! `kangmai classify run`.

use clap::Subcommand;
use kangmai_base::{Clock as _, Day, SystemClock};
use kangmai_classification::rules::PlanKind;
use kangmai_classification::{Reclassified, reclassify};

use crate::application::quiet_settings;
use crate::config::Config;

use super::{parse_day, say, show_progress};

#[derive(Debug, Subcommand)]
pub(super) enum ClassifyCommand {
    /// Work every plan out again: when a list changed or people grew past an age; a second run changes nothing
    Run {
        /// As if it were this day, such as 2026-03-05
        #[arg(long, value_parser = parse_day)]
        as_of: Option<Day>,
        /// Only say what would change; change nothing
        #[arg(long)]
        dry_run: bool,
    },
}

pub(super) fn run(config: &Config, command: &ClassifyCommand) -> anyhow::Result<()> {
    let ClassifyCommand::Run { as_of, dry_run } = command;
    let app = super::serve::open(config, quiet_settings(std::env::temp_dir()))?;
    let as_of = as_of.unwrap_or_else(|| SystemClock.today());
    let run = reclassify(&app, as_of, *dry_run, |people| show_progress(&format!("{people} people")))?;
    show_progress("");
    say(outcome(as_of, *dry_run, &run));
    Ok(())
}

/// What a run came to, in lines.
fn outcome(as_of: Day, dry_run: bool, run: &Reclassified) -> String {
    let verb = if dry_run { "would change (nothing is written)" } else { "changed" };
    let mut lines = vec![format!(
        "{as_of}: {} people with a diagnosis looked at; {} plans {verb}",
        run.checked, run.changed
    )];
    let name = |kind: Option<PlanKind>| kind.map_or("no plan", PlanKind::key);
    for ((before, after), count) in &run.moves {
        lines.push(if before == after {
            format!("  {count} still {}, for another reason", name(*after))
        } else {
            format!("  {count} from {} to {}", name(*before), name(*after))
        });
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moves_are_told_one_by_one() {
        let moves = [
            ((Some(PlanKind::Major), Some(PlanKind::Chronic)), 2),
            ((Some(PlanKind::Chronic), None), 1),
            ((Some(PlanKind::Severe), Some(PlanKind::Severe)), 4),
        ];
        let run = Reclassified { checked: 90, changed: 7, moves: moves.into() };
        let day = "2026-03-05".parse().expect("a day");
        assert_eq!(
            outcome(day, true, &run),
            "2026-03-05: 90 people with a diagnosis looked at; 7 plans would change (nothing is written)\n  \
             2 from major to chronic\n  4 still severe, for another reason\n  1 from chronic to no plan"
        );
    }
}
