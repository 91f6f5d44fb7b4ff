//! The application: its parts put together, and its router.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use axum::Router;
use include_dir::{Dir, DirEntry, include_dir};
use kangmai_base::{Clock, Ids, SystemClock, SystemIds};
use kangmai_database::Database;
use kangmai_policy::Release;
use kangmai_programme::{App, AppParts, Settings, routed};
use kangmai_web::{Manners, Words, with_manners};

use crate::import::ImportDesk;
use crate::metrics::Metrics;
use crate::{office, programmes};

/// The packs inside the program.
static PACKS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../policies");

/// What an application is made of.
pub struct Parts {
    /// Open, not yet migrated.
    pub database: Database,
    /// The packs.
    pub policies: Arc<Release>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// New identifiers.
    pub ids: Arc<dyn Ids>,
    /// Settings of pages.
    pub settings: Settings,
}

impl Parts {
    /// With the machine's clock and randomness.
    pub fn of_this_machine(database: Database, policies: Arc<Release>, settings: Settings) -> Parts {
        Parts { database, policies, clock: Arc::new(SystemClock), ids: Arc::new(SystemIds), settings }
    }
}

/// Puts an application together, brings its tables up to date and takes up the law that was published.
///
/// # Errors
/// When words are missing, a migration fails, the uploads folder cannot be made or what was published does not load.
pub fn application(parts: Parts) -> anyhow::Result<App> {
    let words = Words::load(&programmes::words()).context("the words of the program")?;
    std::fs::create_dir_all(&parts.settings.uploads)
        .with_context(|| format!("cannot make the folder {}", parts.settings.uploads.display()))?;
    parts
        .database
        .migrate(programmes::migrations(), parts.clock.now())
        .context("bringing the database up to date")?;
    let app = App::new(AppParts {
        database: parts.database,
        record: programmes::record(),
        policies: parts.policies,
        words: Arc::new(words),
        clock: parts.clock,
        ids: parts.ids,
        programmes: programmes::all(),
        settings: parts.settings,
    });
    app.take_up_law()?;
    Ok(app.current())
}

/// Loads the packs in `directory`, or those inside the program.
///
/// # Errors
/// All errors of the packs, as the loader underlines them.
pub fn load_policies(directory: Option<&Path>) -> anyhow::Result<Arc<Release>> {
    let files = match directory {
        Some(directory) => Release::read_directory(directory)
            .with_context(|| format!("cannot read the packs in {}", directory.display()))?,
        None => shipped_packs(),
    };
    loaded(files)
}

/// Loads the files of packs.
///
/// # Errors
/// All errors of the packs, as the loader underlines them.
pub fn loaded(files: Vec<(String, String)>) -> anyhow::Result<Arc<Release>> {
    let release = Release::load(files).map_err(|errors| {
        let texts: Vec<String> = errors.iter().map(ToString::to_string).collect();
        anyhow::anyhow!("{}", texts.join("\n"))
    })?;
    Ok(Arc::new(release))
}

/// The files of the packs inside the program: path and text.
pub fn shipped_packs() -> Vec<(String, String)> {
    let mut files = Vec::new();
    collect(&PACKS, &mut files);
    files
}

fn collect(directory: &Dir<'_>, files: &mut Vec<(String, String)>) {
    for entry in directory.entries() {
        match entry {
            DirEntry::Dir(inner) => collect(inner, files),
            DirEntry::File(file) => {
                if let Some(text) = file.contents_utf8() {
                    files.push((file.path().to_string_lossy().replace('\\', "/"), text.to_owned()));
                }
            }
        }
    }
}

/// Settings for tests and commands that serve no pages.
pub fn quiet_settings(uploads: PathBuf) -> Settings {
    Settings { secure: false, uploads, demo: false }
}

/// All pages and interfaces, with manners.
pub fn router(app: &App) -> Router {
    let metrics = Arc::new(Metrics::default());
    let observed = Arc::clone(&metrics);
    let manners = Manners {
        words: Arc::clone(&app.words),
        ids: Arc::clone(&app.ids),
        clock: Arc::clone(&app.clock),
        secure: app.settings.secure,
        observe: Some(Arc::new(move |answered| observed.count(answered))),
    };
    let routes = app.programmes.iter().flat_map(|programme| (programme.routes)()).collect();
    let router = routed(app, routes)
        .merge(office::open_routes(metrics))
        .merge(kangmai_web::routes())
        .layer(axum::Extension(Arc::new(ImportDesk::default())))
        .with_state(app.clone());
    with_manners(router, manners)
}
