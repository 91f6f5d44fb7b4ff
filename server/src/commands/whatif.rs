//! `kangmai whatif`.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use clap::Args;
use kangmai_base::{DivisionCode, Fen};
use kangmai_policy::{Language as Spoken, Overlay};
use kangmai_web::Language;
use kangmai_what_if::result::{Outcome, Pair};
use kangmai_what_if::{Asked, Finished, Progress, WhatIfFailure, figures_file, run as run_what_if};

use super::{say, show_progress};
use crate::application::quiet_settings;
use crate::config::Config;

/// What is asked.
#[derive(Debug, Args)]
pub(super) struct WhatIfArgs {
    /// The year whose bills are settled again
    #[arg(long)]
    year: i32,
    /// The place, as a code: 411722
    #[arg(long)]
    place: DivisionCode,
    /// A change, such as 'major [参保居民] tiers[1].ratio = 65% from 2025-01-01'; may be given several times
    #[arg(long = "change", required = true)]
    changes: Vec<String>,
    /// Write the figures to this Excel file
    #[arg(long)]
    out: Option<PathBuf>,
    /// English sentences
    #[arg(long)]
    english: bool,
}

/// Runs the command.
///
/// # Errors
/// The changes cannot be laid over the law, or the database fails.
pub(super) fn run(config: &Config, args: &WhatIfArgs) -> anyhow::Result<()> {
    let (language, spoken) =
        if args.english { (Language::En, Spoken::En) } else { (Language::Zh, Spoken::Zh) };
    let overlay = Overlay::parse(&args.changes).map_err(WhatIfFailure::Changes);
    let overlay = overlay.map_err(|error| told(error, spoken))?;
    let app = super::serve::open(config, quiet_settings(std::env::temp_dir()))?;
    let asked = Asked { place: args.place, year: args.year, overlay, draft: None };
    show_progress(&format!("bills of {}", args.year));
    let finished = run_what_if(&app, &asked, &Arc::new(Progress::default()));
    show_progress("");
    let Finished { outcome, .. } = finished.map_err(|error| told(error, spoken))?;
    for line in lines(&args.changes, &outcome, spoken) {
        say(line);
    }
    if let Some(path) = &args.out {
        let (bytes, _) = figures_file(&app.words, language, &args.changes, &outcome)
            .map_err(|error| anyhow::anyhow!("{error:?}"))?;
        std::fs::write(path, bytes).with_context(|| format!("cannot write {}", path.display()))?;
        say(path.display());
    }
    Ok(())
}

/// All that is wrong with the changes, underlined.
fn told(error: WhatIfFailure, language: Spoken) -> anyhow::Error {
    match error {
        WhatIfFailure::Changes(errors) => {
            let texts: Vec<String> = errors.iter().map(|error| error.render(language)).collect();
            anyhow::anyhow!("{}", texts.join("\n\n"))
        }
        other => other.into(),
    }
}

fn lines(changes: &[String], outcome: &Outcome, language: Spoken) -> Vec<String> {
    let pair = |name: &str, pair: Pair| {
        let [before, after, difference] = [pair.before, pair.after, pair.difference()].map(Fen::grouped);
        format!("  {before:>18} {after:>18} {difference:>18}  {name}")
    };
    let mut lines = vec![format!(
        "{} bills of {} people settled twice, {} touched, {} left out",
        outcome.bills, outcome.people, outcome.touched_bills, outcome.left_out
    )];
    if outcome.bills + outcome.left_out == 0 {
        lines.push(
            "no bills of that year at this place; after an update run `kangmai rebuild` once".to_owned(),
        );
        return lines;
    }
    if outcome.touched_bills == 0 {
        lines.push("WARNING: these changes touch no bill at all: look at group, day and figure".to_owned());
    } else {
        let idle = outcome.idle.iter().filter_map(|index| changes.get(*index));
        lines.extend(idle.map(|change| format!("WARNING: makes no difference to any bill: {change}")));
    }
    if outcome.elsewhere > 0 {
        lines.push(format!(
            "{} bills of other places are of the same people or households: settled with these, counted in nothing",
            outcome.elsewhere
        ));
    }
    if outcome.unlike_receipt > 0 {
        lines.push(format!(
            "{} bills come out otherwise than their receipts even without the changes: the packs were changed since",
            outcome.unlike_receipt
        ));
    }
    lines.push(format!("  {:>18} {:>18} {:>18}", "before", "after", "difference"));
    lines.extend(outcome.payers.iter().map(|payer| pair(payer.name.get(language), payer.pays)));
    lines.push(pair("all payers", outcome.all_payers()));
    lines.push(pair("own share", outcome.own));
    let (lose, gain, households) = (outcome.lose, outcome.gain, outcome.households);
    lines.push(format!("{} people bear more, {} yuan in all", lose.people, lose.sum.grouped()));
    lines.push(format!("{} people bear less, {} yuan in all", gain.people, gain.sum.grouped()));
    lines.push(format!(
        "households over the line of the watch: {} before, {} after ({} newly over, {} no longer)",
        households.over_before, households.over_after, households.newly_over, households.no_longer_over
    ));
    lines.push("not modelled: any change in how often, where or at what price people seek care".to_owned());
    lines
}
