//! `kangmai import`.

use std::path::PathBuf;

use anyhow::{anyhow, bail};
use clap::Args;
use kangmai_access::Actor;
use kangmai_programme::App;
use kangmai_sheet::Fault;
use kangmai_web::Language;

use crate::application::quiet_settings;
use crate::config::Config;
use crate::import::{ImportFailure, Task, run as run_import};
use crate::programmes;

use super::{say, show_progress};

#[derive(Debug, Args)]
pub(super) struct ImportArgs {
    /// What the file holds: register, institutions, diagnoses, bills, lines, opening
    kind: String,
    /// An .xlsx or .csv file
    file: PathBuf,
    /// Only say what would happen
    #[arg(long)]
    dry_run: bool,
    /// Where to write the rows that were not taken, with reason and suggestion (.xlsx)
    #[arg(long)]
    errors: Option<PathBuf>,
    /// English sentences
    #[arg(long)]
    english: bool,
}

/// Faults that are printed; the error sheet has all.
const MOST_PRINTED: usize = 20;

pub(super) fn run(config: &Config, args: &ImportArgs) -> anyhow::Result<()> {
    let all = programmes::all().iter().flat_map(|programme| programme.imports);
    let Some(import) = all.clone().find(|import| import.key == args.kind) else {
        let known: Vec<&str> = all.map(|import| import.key).collect();
        bail!("there is no import {:?}; there are: {}", args.kind, known.join(", "));
    };
    let uploads = std::env::temp_dir();
    let app = super::serve::open(config, quiet_settings(uploads))?;
    let language = if args.english { Language::En } else { Language::Zh };
    let file_name = args.file.file_name().map(|name| name.to_string_lossy().into_owned());
    let task = Task {
        import,
        path: &args.file,
        file_name: file_name.as_deref().unwrap_or_default(),
        actor: &Actor::system(),
        dry_run: args.dry_run,
        error_sheet: args.errors.clone().map(|path| (path, language)),
    };
    let finished = run_import(&app, &task, &mut |progress, summary| {
        show_progress(&format!("{:3} %  {} rows", progress.percent(), summary.rows));
        true
    })
    .map_err(|failure| explain(&app, language, failure))?;
    show_progress("");
    if !args.dry_run {
        super::audit::note(&app.database, "import", format!("{} {}", import.key, finished.facts))?;
    }
    let summary = &finished.summary;
    say(format!(
        "{}{} rows: {} new, {} changed, {} unchanged, {} with errors, {} with warnings; {} facts, {} parked",
        if args.dry_run { "would be: " } else { "" },
        summary.rows,
        summary.new,
        summary.changed,
        summary.unchanged,
        summary.faulty,
        summary.warned,
        finished.facts,
        finished.parked
    ));
    for fault in summary.faults.iter().take(MOST_PRINTED) {
        say(fault_line(&app, language, fault));
    }
    if summary.faults_total > MOST_PRINTED as u64 && args.errors.is_none() {
        say(format!("… {} in all; --errors FILE.xlsx writes them down", summary.faults_total));
    }
    Ok(())
}

fn fault_line(app: &App, language: Language, fault: &Fault) -> String {
    let column = fault.column.map_or("", |column| match language {
        Language::Zh => column.title_zh,
        Language::En => column.title_en,
    });
    let say = |refusal| app.words.refusal(language, refusal, "");
    let suggestion = fault.suggestion.as_ref().map(|mend| format!("；{}", say(mend))).unwrap_or_default();
    format!("{} {column} {}: {}{suggestion}", fault.row, fault.shown, say(&fault.reason))
}

/// A failure as an error of the command.
pub(super) fn explain(app: &App, language: Language, failure: ImportFailure) -> anyhow::Error {
    match failure {
        ImportFailure::Refused(refusal) => anyhow!("{}", app.words.refusal(language, &refusal, "")),
        ImportFailure::ErrorSheet(error) => {
            anyhow!("{}", app.words.refusal(language, &error.refusal(), ""))
        }
        ImportFailure::Database(error) => anyhow::Error::new(error),
    }
}
