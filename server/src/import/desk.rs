//! Imports under way in the browser: a file that came in, its dry run, its import.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use kangmai_access::{Account, Actor};
use kangmai_base::{Id, Moment, Refusal, Uuid};
use kangmai_programme::{App, Import};
use kangmai_sheet::{Progress, Summary};
use kangmai_web::{Language, UploadedFile};

use super::run::{Finished, ImportFailure, Task, run};

/// Jobs that are kept; the oldest that is not running makes room.
const MOST_JOBS: usize = 50;

/// All imports of this process.
#[derive(Default)]
pub struct ImportDesk {
    jobs: Mutex<BTreeMap<Uuid, Job>>,
}

/// One file.
#[derive(Clone)]
pub struct Job {
    /// Which kind of file.
    pub import: &'static Import,
    /// Whose it is: nobody else sees it.
    pub owner: Id<Account>,
    /// Name of the file.
    pub file_name: String,
    /// When it came.
    pub came_at: Moment,
    /// How far it is.
    pub state: JobState,
    /// The error sheet, once there is one.
    pub error_sheet: Option<PathBuf>,
    file: Arc<UploadedFile>,
}

/// How far a job is.
#[derive(Clone)]
pub enum JobState {
    /// The dry run or the import is under way.
    Running {
        /// Whether it is the dry run.
        dry_run: bool,
        /// How far it has come.
        progress: Progress,
        /// What became of the rows so far.
        summary: Summary,
    },
    /// The dry run has ended; somebody decides.
    Previewed(Finished),
    /// Imported.
    Done(Finished),
    /// It could not be done.
    Failed(Refusal),
}

impl ImportDesk {
    /// Takes a file in and begins its dry run; answers the job's identifier.
    pub fn take(
        self: &Arc<ImportDesk>,
        app: &App,
        actor: &Actor,
        import: &'static Import,
        file: UploadedFile,
        language: Language,
    ) -> Uuid {
        let id = app.mint();
        let job = Job {
            import,
            owner: actor.account,
            file_name: file.file_name.clone(),
            came_at: app.clock.now(),
            state: running(true),
            error_sheet: None,
            file: Arc::new(file),
        };
        self.put(id, job);
        self.begin(app, actor, id, true, language);
        id
    }

    /// The job `id`, if it is `actor`'s.
    pub fn job(&self, actor: &Actor, id: Uuid) -> Option<Job> {
        let jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        jobs.get(&id).filter(|job| job.owner == actor.account).cloned()
    }

    /// Begins the import of a job whose dry run has ended; `false` if it stands elsewhere.
    pub fn confirm(self: &Arc<ImportDesk>, app: &App, actor: &Actor, id: Uuid, language: Language) -> bool {
        {
            let mut jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(job) = jobs.get_mut(&id).filter(|job| job.owner == actor.account) else { return false };
            if !matches!(job.state, JobState::Previewed(_)) {
                return false;
            }
            job.state = running(false);
        }
        self.begin(app, actor, id, false, language);
        true
    }

    /// Drops a job that is not running; its file goes with it.
    pub fn forget(&self, actor: &Actor, id: Uuid) {
        let mut jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        let done = jobs
            .get(&id)
            .is_some_and(|job| job.owner == actor.account && !matches!(job.state, JobState::Running { .. }));
        if done && let Some(sheet) = jobs.remove(&id).and_then(|job| job.error_sheet) {
            let _ = std::fs::remove_file(sheet);
        }
    }

    fn put(&self, id: Uuid, job: Job) {
        let mut jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        if jobs.len() >= MOST_JOBS {
            let oldest = jobs
                .iter()
                .filter(|(_, job)| !matches!(job.state, JobState::Running { .. }))
                .min_by_key(|(_, job)| job.came_at)
                .map(|(id, _)| *id);
            if let Some(sheet) = oldest.and_then(|id| jobs.remove(&id)).and_then(|job| job.error_sheet) {
                let _ = std::fs::remove_file(sheet);
            }
        }
        jobs.insert(id, job);
    }

    fn change(&self, id: Uuid, change: impl FnOnce(&mut Job)) {
        let mut jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(job) = jobs.get_mut(&id) {
            change(job);
        }
    }

    fn begin(self: &Arc<ImportDesk>, app: &App, actor: &Actor, id: Uuid, dry_run: bool, language: Language) {
        let Some(job) = self.job(actor, id) else { return };
        let (desk, app, actor) = (Arc::clone(self), app.clone(), actor.clone());
        tokio::task::spawn_blocking(move || {
            let sheet = app.settings.uploads.join(format!("{id}-errors.xlsx"));
            let task = Task {
                import: job.import,
                path: job.file.path(),
                file_name: &job.file_name,
                actor: &actor,
                dry_run,
                error_sheet: Some((sheet.clone(), language)),
            };
            let mut report = |progress: Progress, summary: &Summary| {
                let summary = summary.clone();
                desk.change(id, |job| job.state = JobState::Running { dry_run, progress, summary });
                true
            };
            let state = match run(&app, &task, &mut report) {
                Ok(finished) if dry_run => JobState::Previewed(finished),
                Ok(finished) => JobState::Done(finished),
                Err(ImportFailure::Refused(refusal)) => JobState::Failed(refusal),
                Err(ImportFailure::Database(error)) => {
                    tracing::error!(%error, "an import failed");
                    JobState::Failed(Refusal::new("server.import.failed"))
                }
                Err(ImportFailure::ErrorSheet(error)) => JobState::Failed(error.refusal()),
            };
            desk.change(id, |job| {
                job.error_sheet = sheet.exists().then_some(sheet);
                job.state = state;
            });
        });
    }
}

fn running(dry_run: bool) -> JobState {
    JobState::Running { dry_run, progress: Progress::default(), summary: Summary::default() }
}
