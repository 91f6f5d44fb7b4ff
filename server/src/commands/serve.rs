//! `kangmai serve`.

use std::sync::Arc;

use anyhow::Context as _;
use kangmai_access::{SET_UP_MINUTES, begin_set_up};
use kangmai_base::{SystemClock, SystemIds};
use kangmai_database::Database;
use kangmai_policy::Release;
use kangmai_programme::{App, Law, Settings, read_law, release_files};
use kangmai_sync::relay::AtHub;

use crate::application::{OpenIdDesk, Parts, application, load_policies, make_ready, router_of};
use crate::config::{Config, ServeConfig};
use crate::serving::{ConnectionLimits, ServingLimits, Stopped, Traffic, accept, raise_file_limit};
use crate::tls::Certificate;
use tokio::sync::Notify;

use super::say;

pub(super) fn run(config: &Config, serve: &ServeConfig) -> anyhow::Result<()> {
    let certificate = serve.certificate()?;
    let secure = serve.secure || certificate.is_some();
    let settings = Settings { secure, uploads: serve.uploads.clone(), demo: false };
    let _alone = crate::lock::hold_alone(&config.database)?;
    let app = open(config, settings)?.behind(serve.gate.rules());
    let code = set_up_code(&app)?;
    let openid = serve.gate.openid()?;
    let limits = serve.limits.limits(&serve.gate.trusted_proxies);
    super::audit::note(&app.database, "server_started", serve.settings())?;
    let scheme = if certificate.is_some() { "https" } else { "http" };
    serve_app(&app, (serve.listen, certificate), (openid, limits), &serve.anchors, None, || {
        say(format!("{scheme}://{}", serve.listen));
        if let Some(code) = code {
            say(format!("初始设置 / set-up: {scheme}://{}/set-up", serve.listen));
            say(format!(
                "初始设置码（{SET_UP_MINUTES} 分钟内有效）/ set-up code, for {SET_UP_MINUTES} minutes: {code}"
            ));
        }
    })
}

/// The code for making the first accounts, while there are none.
fn set_up_code(app: &App) -> anyhow::Result<Option<String>> {
    let (by, now) = (app.clone(), app.clock.now());
    Ok(app.database.write_blocking(move |tx| begin_set_up(tx, &*by.ids, now))?)
}

/// Opens the application on the configured database.
pub(super) fn open(config: &Config, settings: Settings) -> anyhow::Result<App> {
    let policies = load_policies(config.policies.as_deref())?;
    let master = config.master()?;
    application(Parts::of_this_machine(open_database(config)?, master, policies, settings))
}

/// The law in force in the configured database, read only: none where there is no database yet.
pub(super) fn law_in_force(config: &Config, shipped: &Arc<Release>) -> anyhow::Result<Option<Law>> {
    if !is_there(config) {
        return Ok(None);
    }
    Ok(Some(read_law(&open_database(config)?, shipped)?))
}

/// The files of a release that was in force in the configured database, by its hash or the beginning of it. Only reads.
pub(super) fn kept_release(config: &Config, hash: &str) -> anyhow::Result<Option<Vec<(String, String)>>> {
    if !is_there(config) {
        return Ok(None);
    }
    let hash = hash.to_owned();
    Ok(open_database(config)?.read_blocking(move |tx| match tx.has_table("policy_release")? {
        true => release_files(tx, &hash),
        false => Ok(None),
    })?)
}

/// Whether there is a database already: a command that only reads makes none.
pub(super) fn is_there(config: &Config) -> bool {
    let path = config.database.strip_prefix("sqlite:").unwrap_or(&config.database);
    config.database.contains("://") || std::path::Path::new(path).exists()
}

/// Opens the configured database; a new SQLite file gets its folder.
pub(super) fn open_database(config: &Config) -> anyhow::Result<Database> {
    let path = std::path::Path::new(config.database.strip_prefix("sqlite:").unwrap_or(&config.database));
    if !config.database.contains("://")
        && let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty())
    {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    Database::open_with(&config.database, config.database_connections).context("cannot open the database")
}

/// Opens the configured database with its tables up to date and its keys taken up.
pub(super) fn ready_database(config: &Config) -> anyhow::Result<Database> {
    let shipped = load_policies(config.policies.as_deref())?;
    let database = open_database(config)?;
    make_ready(&database, &shipped, config.master()?.as_ref(), &SystemClock, &SystemIds)?;
    Ok(database)
}

/// What makes a server a hub: what its pages ask, and what is told when it is to stop because it is wiped.
pub(super) struct HubPart {
    pub(super) at_hub: AtHub,
    pub(super) ended: Arc<Notify>,
}

/// Serves until told to stop, by https if there is a certificate; calls `ready` once the address answers.
pub(super) fn serve_app(
    app: &App,
    (listen, certificate): (std::net::SocketAddr, Option<Certificate>),
    (openid, mut limits): (Option<Arc<OpenIdDesk>>, ServingLimits),
    anchors: &std::path::Path,
    hub: Option<HubPart>,
    ready: impl FnOnce(),
) -> anyhow::Result<()> {
    let fitting = raise_file_limit(limits.connections.most);
    if fitting < limits.connections.most {
        tracing::warn!(fitting, "the limit of open files leaves room for fewer connections than are set");
        limits.connections.most = fitting;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let served = runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(listen).await.with_context(|| {
            format!("cannot listen on {listen}; is it in use? Choose another with --listen or --port")
        })?;
        ready();
        let _counting = tokio::spawn(keep_figures_fresh(app.clone()));
        let _chaining = tokio::spawn(super::audit::keep_chain(app.clone(), anchors.to_owned()));
        let traffic = Arc::<Traffic>::default();
        let (at_hub, ended) = hub.map(|hub| (hub.at_hub, hub.ended)).unzip();
        let router = router_of(app, openid, (&limits, &traffic), at_hub);
        let stopped = take_all(listener, certificate, router, (limits.connections, traffic), ended).await?;
        match stopped.cut {
            0 => tracing::info!("stopped; all that was under way came to its end"),
            cut => {
                tracing::warn!(cut, "stopped; connections were cut that did not come to their end in time")
            }
        }
        anyhow::Ok(())
    });
    // What a thread still writes ends by itself; a stop does not wait for it for ever.
    runtime.shutdown_timeout(LAST_WRITES);
    served
}

/// Serves whoever connects until told to stop, by https if there is a certificate.
async fn take_all(
    listener: tokio::net::TcpListener,
    certificate: Option<Certificate>,
    router: axum::Router,
    limits: (ConnectionLimits, Arc<Traffic>),
    ended: Option<Arc<Notify>>,
) -> anyhow::Result<Stopped> {
    let stop = async move {
        match ended {
            Some(ended) => tokio::select! {
                () = stop_signal() => {}
                () = ended.notified() => {}
            },
            None => stop_signal().await,
        }
    };
    let Some(certificate) = certificate else {
        let greet = |stream| std::future::ready(Ok(stream));
        return Ok(accept(listener, (router, greet), limits, stop).await);
    };
    let acceptor = certificate.acceptor()?;
    let _fresh = tokio::spawn(certificate.keep_fresh());
    let greet = move |stream| acceptor.accept(stream);
    Ok(accept(listener, (router, greet), limits, stop).await)
}

/// How long the last writes may take once everybody has left.
const LAST_WRITES: std::time::Duration = std::time::Duration::from_secs(10);

/// How often figures that are kept are looked over.
const LOOK_OVER_SECONDS: u64 = 30;

async fn keep_figures_fresh(app: App) {
    let mut ticks = tokio::time::interval(std::time::Duration::from_secs(LOOK_OVER_SECONDS));
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let by = app.current();
        let counted = app.database.read(move |tx| by.figure_book().count_again(tx, &by)).await;
        if let Err(error) = counted {
            tracing::error!(%error, "figures were not counted again");
        }
    }
}

async fn stop_signal() {
    let interrupt = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = interrupt => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    // Without a signal to wait for, serve until killed.
    let _ = interrupt.await;
}
