//! One run over one file.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use kangmai_access::{Actor, reach};
use kangmai_base::Refusal;
use kangmai_database::{DatabaseError, Transaction};
use kangmai_programme::{App, Import, ImportRun, Planned};
use kangmai_record::Appended;
use kangmai_sheet::{Fault, Matching, Progress, Record, Severity, Source as _, Summary};
use kangmai_sheets::{ErrorSheet, SheetError, Speech, open};
use kangmai_web::Language;

/// What is to be imported.
pub struct Task<'a> {
    /// Which kind of file.
    pub import: &'static Import,
    /// The file.
    pub path: &'a Path,
    /// Its name, as its sender knows it.
    pub file_name: &'a str,
    /// Who imports.
    pub actor: &'a Actor,
    /// Only say what would happen.
    pub dry_run: bool,
    /// Where the faulty rows go, and in which language.
    pub error_sheet: Option<(PathBuf, Language)>,
}

/// How a run ended.
#[derive(Debug, Clone, Default)]
pub struct Finished {
    /// What became of the rows.
    pub summary: Summary,
    /// Facts that joined the record.
    pub facts: u64,
    /// Facts that were parked.
    pub parked: u64,
    /// Rows on the error sheet.
    pub error_rows: u32,
}

/// Why a run ended early. What was committed before stays; running again is harmless.
#[derive(Debug)]
pub enum ImportFailure {
    /// The file cannot be read, or the reader may not import it.
    Refused(Refusal),
    /// The database failed.
    Database(DatabaseError),
    /// The error sheet cannot be written.
    ErrorSheet(SheetError),
}

impl From<DatabaseError> for ImportFailure {
    fn from(error: DatabaseError) -> ImportFailure {
        ImportFailure::Database(error)
    }
}

impl From<Refusal> for ImportFailure {
    fn from(refusal: Refusal) -> ImportFailure {
        ImportFailure::Refused(refusal)
    }
}

impl From<SheetError> for ImportFailure {
    fn from(error: SheetError) -> ImportFailure {
        ImportFailure::ErrorSheet(error)
    }
}

/// Imports a file, or says what importing it would do. `progress` is told after every piece; when it answers `false`
/// the run stops after what is committed. Blocks: not on an async thread.
///
/// # Errors
/// See [`ImportFailure`].
pub fn run(
    app: &App,
    task: &Task<'_>,
    progress: &mut dyn FnMut(Progress, &Summary) -> bool,
) -> Result<Finished, ImportFailure> {
    let import = task.import;
    let reach = reach(task.actor, import.purpose).ok_or(Refusal::new("server.import.not_for_you"))?;
    let mut sheet = open(task.path, &import.columns(&app.policies), None).map_err(|error| error.refusal())?;
    let words = &app.words;
    let language = task.error_sheet.as_ref().map_or(Language::Zh, |(_, language)| *language);
    let say = |refusal: &Refusal| words.refusal(language, refusal, "");
    let speech = Speech { english: language == Language::En, say: &say };
    let mut errors = ErrorSheet::begin(sheet.matching(), speech)?;
    let mut run = ImportRun {
        app: app.clone(),
        actor: task.actor.clone(),
        reach,
        file: task.file_name.to_owned(),
        now: app.clock.now(),
        today: app.today(),
        dry_run: task.dry_run,
        summary: Summary::new(),
        faults: Vec::new(),
        held: Vec::new(),
        memory: Box::new(()),
    };
    let header_faults = sheet.header_faults();
    let unusable = header_faults.iter().any(Fault::is_error);
    for fault in header_faults {
        errors.note(fault.clone());
        run.summary.keep(fault);
    }
    let mut finished = Finished::default();
    let mut stopped = unusable;
    while !stopped {
        let mut records = Vec::with_capacity(import.rows_at_once);
        let end = read_some(&mut sheet, &mut records, import.rows_at_once, &mut run, &mut errors)?;
        if !records.is_empty() {
            let matching = sheet.matching().clone();
            let step = Step::Rows(records, Box::new(matching));
            let (back, records) = advance(app, import, run, step, &mut finished)?;
            run = back;
            write_errors(&mut errors, &records, &mut run)?;
        }
        stopped = end || !progress(sheet.progress(), &run.summary);
    }
    if !unusable && import.finish.is_some() {
        loop {
            let before = finished.facts + finished.parked;
            let (back, _) = advance(app, import, run, Step::Rest, &mut finished)?;
            run = back;
            write_errors(&mut errors, &[], &mut run)?;
            let nothing_more = finished.facts + finished.parked == before;
            if nothing_more || task.dry_run || !progress(sheet.progress(), &run.summary) {
                break;
            }
        }
    }
    finished.error_rows = errors.rows();
    if let Some((path, _)) = &task.error_sheet
        && (errors.rows() > 0 || run.summary.faults_total > 0)
    {
        let file = File::create(path).map_err(|_| Refusal::new("server.import.cannot_write_errors"))?;
        errors.finish(BufWriter::new(file))?;
    }
    finished.summary = run.summary;
    Ok(finished)
}

/// Reads up to `limit` rows; `true` at the end. A file that breaks off gives what it has and a fault.
fn read_some(
    sheet: &mut kangmai_sheets::Sheet,
    records: &mut Vec<Record>,
    limit: usize,
    run: &mut ImportRun,
    errors: &mut ErrorSheet<'_>,
) -> Result<bool, ImportFailure> {
    while records.len() < limit {
        let mut record = Record::new();
        match sheet.next(&mut record) {
            Ok(true) => records.push(record),
            Ok(false) => return Ok(true),
            Err(refusal) => {
                let row = u32::try_from(sheet.progress().rows).unwrap_or(u32::MAX);
                let flaw = kangmai_sheet::Flaw { reason: refusal, suggestion: None };
                let fault = Fault::of_row(row, Severity::Error, flaw);
                errors.note(fault.clone());
                run.summary.keep(fault);
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// What the programme is asked next.
enum Step {
    Rows(Vec<Record>, Box<Matching>),
    Rest,
}

/// Plans one step and, unless it is a dry run, appends its facts in the same transaction.
fn advance(
    app: &App,
    import: &'static Import,
    run: ImportRun,
    step: Step,
    finished: &mut Finished,
) -> Result<(ImportRun, Vec<Record>), ImportFailure> {
    let dry_run = run.dry_run;
    let record = app.record.clone();
    let work = move |tx: &mut Transaction<'_>| -> Result<_, DatabaseError> {
        let mut run = run;
        let (planned, records) = match step {
            Step::Rows(records, matching) => {
                let planned = (import.plan)(tx, &mut run, &matching, &records)?;
                (planned, records)
            }
            Step::Rest => {
                let planned = import.finish.map_or(Ok(Planned::default()), |finish| finish(tx, &mut run))?;
                (planned, Vec::new())
            }
        };
        let answers = if dry_run { Vec::new() } else { record.append(tx, run.now, planned.facts)? };
        Ok((run, records, answers))
    };
    let (run, records, answers) =
        if dry_run { app.database.read_blocking(work)? } else { app.database.write_blocking(work)? };
    finished.facts += answers.iter().filter(|answer| **answer == Appended::Accepted).count() as u64;
    finished.parked += answers.iter().filter(|answer| matches!(answer, Appended::Parked(_))).count() as u64;
    Ok((run, records))
}

fn write_errors(
    errors: &mut ErrorSheet<'_>,
    records: &[Record],
    run: &mut ImportRun,
) -> Result<(), ImportFailure> {
    if run.faults.is_empty() {
        return Ok(());
    }
    let faults = &mut run.faults;
    faults.sort_by_key(|fault| fault.row);
    for group in faults.chunk_by(|one, other| one.row == other.row) {
        let row = group.first().map_or(0, |fault| fault.row);
        match run.held.iter().chain(records).find(|record| record.number() == row) {
            Some(record) => errors.row(record, group)?,
            None => group.iter().for_each(|fault| errors.note(fault.clone())),
        }
    }
    faults.clear();
    Ok(())
}
