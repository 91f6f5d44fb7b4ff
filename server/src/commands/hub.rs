//! `kangmai hub`: a server of a clinic day that is, upstream, a phone (`docs/howto/hub.md`).

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use clap::Args;
use kangmai_programme::{App, Settings};
use kangmai_sync::relay::{AtHub, Link, LinkError, Relay, RelayError};
use kangmai_web::{Language, Words};
use tokio::sync::Notify;

use crate::config::{Config, ServeConfig, secret_of};
use crate::programmes;

use super::say;
use super::serve::{HubPart, open, serve_app};

/// The variable with the key of the hub; the same with `_FILE` behind it names a file.
const HUB_KEY: &str = "KANGMAI_HUB_KEY";

/// What a hub is told.
#[derive(Debug, Args)]
pub(super) struct HubArgs {
    /// The county's system: https://kangmai.county.example; the key of the hub is in KANGMAI_HUB_KEY or KANGMAI_HUB_KEY_FILE
    #[arg(long, env = "KANGMAI_UPSTREAM")]
    upstream: String,
    /// A file of certificates (PEM) that vouch for it in place of the public ones
    #[arg(long, env = "KANGMAI_UPSTREAM_CERTIFICATES")]
    upstream_certificates: Option<PathBuf>,
    /// Seconds between two tries of the link
    #[arg(long, env = "KANGMAI_HUB_EVERY", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=3600))]
    every: u64,
    #[command(flatten)]
    serve: ServeConfig,
}

pub(super) fn run(config: &Config, args: &HubArgs) -> anyhow::Result<()> {
    if config.database.contains("://") {
        bail!("a hub keeps its own file: --database names a path, no server");
    }
    let serve = &args.serve;
    let certificate = serve.certificate()?;
    let secure = serve.secure || certificate.is_some();
    let settings = Settings { secure, uploads: serve.uploads.clone(), demo: false };
    let alone = crate::lock::hold_alone(&config.database)?;
    let app = open(config, settings)?.behind(serve.gate.rules());
    if Relay::is_wiped(&app)? {
        drop(app);
        return empty(config, serve);
    }
    let relay = Arc::new(take_up(&app, args)?);
    super::audit::note(&app.database, "server_started", serve.settings())?;
    let scheme = if certificate.is_some() { "https" } else { "http" };
    let limits = serve.limits.limits(&serve.gate.trusted_proxies);
    let ended = Arc::new(Notify::new());
    let part = HubPart { at_hub: AtHub(args.upstream.as_str().into()), ended: Arc::clone(&ended) };
    let every = Duration::from_secs(args.every);
    std::thread::Builder::new().name("hub".to_owned()).spawn({
        let relay = Arc::clone(&relay);
        move || keep_up(&relay, every, &ended)
    })?;
    serve_app(&app, (serve.listen, certificate), (None, limits), &serve.anchors, Some(part), || {
        say(format!("{scheme}://{}", serve.listen));
        say(format!("分站，上级 / hub of {}", args.upstream));
    })?;
    let is_wiped = Relay::is_wiped(&app)?;
    // A station may have saved while the last round went.
    if is_wiped && let Err(error) = relay.hand_in_the_rest() {
        tracing::warn!(%error, "the last visits of this hub are not handed in");
    }
    drop((relay, app));
    if is_wiped {
        empty(config, serve)?;
    }
    drop(alone);
    Ok(())
}

/// The link upstream, by the key that is given or the one that is held.
fn take_up(app: &App, args: &HubArgs) -> anyhow::Result<Relay> {
    let certificates = args
        .upstream_certificates
        .as_ref()
        .map(|path| std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display())));
    let certificates = certificates.transpose()?;
    let held = Relay::held_key(app)?;
    let key = secret_of(HUB_KEY)?.map(|key| key.trim().to_owned()).filter(|key| !key.is_empty()).or(held);
    let key = key.ok_or_else(|| {
        anyhow!("this hub has no key yet: register it upstream under 巡诊分站 (/hubs), put the key into a file and name that in {HUB_KEY}_FILE")
    })?;
    let link = Link::new(&args.upstream, &key, certificates.as_deref())?;
    Relay::take_up(app, link, &key).map_err(|error| match error {
        RelayError::Link(trouble) => anyhow!("{}", said(trouble)),
        RelayError::Database(error) => error.into(),
    })
}

/// What is wrong with the link, in both languages: nobody has chosen one at the console.
fn said(trouble: LinkError) -> String {
    let Ok(words) = Words::load(&programmes::words()) else { return trouble.to_string() };
    let say = |language| words.word(language, trouble.word()).into_owned();
    format!("{} / {}", say(Language::Zh), say(Language::En))
}

/// Rounds without end; what goes wrong is said once, until it is something else.
fn keep_up(relay: &Relay, every: Duration, ended: &Notify) {
    let mut before = None;
    loop {
        let trouble = match relay.round() {
            Ok(()) => None,
            Err(RelayError::Link(LinkError::Wiped)) => {
                tracing::warn!("upstream had this hub wiped: it ends");
                ended.notify_one();
                return;
            }
            Err(RelayError::Link(trouble)) => Some(trouble.to_string()),
            Err(RelayError::Database(error)) => Some(error.to_string()),
        };
        if trouble != before {
            match &trouble {
                Some(trouble) => tracing::warn!(trouble, "the link upstream"),
                None => tracing::info!("the link upstream is there"),
            }
            before = trouble;
        }
        std::thread::sleep(every);
    }
}

/// Takes away all that a wiped hub held: its database, its uploads, and the file with its master key, without which a piece of
/// the database that is still found on the disk opens for nobody.
fn empty(config: &Config, serve: &ServeConfig) -> anyhow::Result<()> {
    let database = config.database.strip_prefix("sqlite:").unwrap_or(&config.database);
    // A key on a stick that cannot be written keeps nothing else from going.
    let mut gone = vec![config.master_key_file.as_deref().map_or(Ok(()), remove)];
    gone.extend(["-wal", "-shm", ""].map(|ending| remove(Path::new(&format!("{database}{ending}")))));
    if serve.uploads.exists() {
        let uploads = std::fs::remove_dir_all(&serve.uploads);
        gone.push(uploads.with_context(|| format!("cannot remove {}", serve.uploads.display())));
    }
    gone.into_iter().collect::<anyhow::Result<()>>()?;
    say("县里已下令清空这个分站，数据已删除 / upstream had this hub wiped: what it held is gone");
    Ok(())
}

fn remove(path: &Path) -> anyhow::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", path.display()))
        }
        _ => Ok(()),
    }
}
