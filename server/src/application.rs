//! The application: its parts put together, and its router.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use axum::Router;
use include_dir::{Dir, DirEntry, include_dir};
use kangmai_base::{Clock, Ids, SystemClock, SystemIds};
use kangmai_database::{Database, DatabaseError, seal_clear_text};
use kangmai_policy::Release;
use kangmai_programme::{App, AppParts, Law, Settings, count_strangers, read_law, routed};
use kangmai_seal::{MasterKeys, Unopened};
use kangmai_sync::relay::{AtHub, keep_to_hub};
use kangmai_web::{Manners, Words, with_manners};

use crate::import::ImportDesk;
use crate::metrics::Metrics;
use crate::serving::{AtOnce, ServingLimits, Traffic, keep_limits};
use crate::{office, programmes};

pub use crate::office::OpenIdDesk;

/// The packs inside the program.
static PACKS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../policies");

/// What an application is made of.
pub struct Parts {
    /// Open, not yet migrated.
    pub database: Database,
    /// The master key; none if the database holds its keys already.
    pub master: Option<MasterKeys>,
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
    pub fn of_this_machine(
        database: Database,
        master: Option<MasterKeys>,
        policies: Arc<Release>,
        settings: Settings,
    ) -> Parts {
        Parts { database, master, policies, clock: Arc::new(SystemClock), ids: Arc::new(SystemIds), settings }
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
    let master = parts.master.as_ref();
    let law = make_ready(&parts.database, &parts.policies, master, &*parts.clock, &*parts.ids)?;
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
    app.hold_law(law)?;
    Ok(app.current())
}

/// Brings the tables of a database up to date, takes up its keys and seals what stood in clear before there were any; but
/// first it is made sure that this program reads the law that was published there: one that would not start leaves the tables
/// to the one that does. Answers the law.
///
/// # Errors
/// When what was published does not load, a step fails, there is no master key, or it is another than the one that wraps the
/// keys of this database.
pub fn make_ready(
    database: &Database,
    shipped: &Arc<Release>,
    master: Option<&MasterKeys>,
    clock: &dyn Clock,
    ids: &dyn Ids,
) -> anyhow::Result<Law> {
    let law = read_law(database, shipped)?;
    if master.is_none() && database.keys().is_none() {
        anyhow::bail!(NO_MASTER_KEY);
    }
    database.migrate(programmes::migrations(), clock.now()).context("bringing the database up to date")?;
    if let Some(master) = master {
        match database.unlock(master, ids, clock.now()) {
            Err(DatabaseError::Keys(Unopened::NoKey(wanted))) => {
                anyhow::bail!(other_master_key(wanted, master))
            }
            taken => taken.context("taking up the keys of the database")?,
        }
    }
    let sealed = seal_clear_text(database, &programmes::clear_text(), clock.now(), |rows| {
        tracing::info!(rows, "sealing what stood in clear");
    })
    .context("sealing what stood in clear")?;
    if sealed > 0 {
        tracing::info!(rows = sealed, "what stood in clear is sealed");
    }
    Ok(law)
}

/// What to do where there is no master key.
const NO_MASTER_KEY: &str = "there is no master key, without which identity numbers, telephone numbers and the record \
    cannot be sealed. Make one with `kangmai keys new FILE`, keep a copy of the file away from this machine, and name it in \
    KANGMAI_MASTER_KEY_FILE (or its text in KANGMAI_MASTER_KEY). See docs/howto/keys.md";

/// What to do where the master key is another than the one that wraps the keys of the database.
fn other_master_key(wanted: u32, master: &MasterKeys) -> String {
    let there: Vec<String> = master.fingerprints().map(|key| format!("{key:08x}")).collect();
    format!(
        "this database opens with master key {wanted:08x}; the program was given {}. Look for the file with that key: \
         `kangmai keys status` prints the same digits where it is. Nothing was changed. See docs/howto/keys.md",
        there.join(", ")
    )
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
    router_with(app, None)
}

/// The same with an identity provider to sign in by, if there is one.
pub fn router_with(app: &App, openid: Option<Arc<OpenIdDesk>>) -> Router {
    limited_router(app, openid, &ServingLimits::usual(), &Arc::default())
}

/// The same within these limits, counted here.
pub fn limited_router(
    app: &App,
    openid: Option<Arc<OpenIdDesk>>,
    limits: &ServingLimits,
    traffic: &Arc<Traffic>,
) -> Router {
    router_of(app, openid, (limits, traffic), None)
}

/// The same; of a hub with what its pages ask, and without what would not be handed on.
pub fn router_of(
    app: &App,
    openid: Option<Arc<OpenIdDesk>>,
    (limits, traffic): (&ServingLimits, &Arc<Traffic>),
    at_hub: Option<AtHub>,
) -> Router {
    let metrics = Arc::new(Metrics::new(Arc::clone(traffic)));
    let observed = Arc::clone(&metrics);
    let manners = Manners {
        words: Arc::clone(&app.words),
        ids: Arc::clone(&app.ids),
        clock: Arc::clone(&app.clock),
        secure: app.settings.secure,
        observe: Some(Arc::new(move |answered| observed.count(answered))),
    };
    let at_once = Arc::new(AtOnce::new(limits, Arc::clone(traffic)));
    let routes = app.programmes.iter().flat_map(|programme| (programme.routes)()).collect();
    let router = routed(app, routes)
        .merge(office::open_routes(metrics))
        .merge(kangmai_sync::open_routes())
        .merge(kangmai_web::routes())
        .merge(kangmai_field::routes());
    let router = match at_hub {
        Some(at_hub) => router.layer(axum::middleware::from_fn(keep_to_hub)).layer(axum::Extension(at_hub)),
        None => router,
    };
    let router = router
        .layer(axum::Extension(Arc::new(ImportDesk::default())))
        .layer(axum::Extension(openid))
        .layer(axum::Extension(Arc::new(kangmai_sync::LoadShelf::default())))
        .layer(axum::middleware::from_fn_with_state(at_once, keep_limits))
        .layer(axum::middleware::from_fn_with_state(app.clone(), count_strangers))
        .with_state(app.clone());
    with_manners(router, manners)
}
