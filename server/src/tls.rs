//! Serving by https without a proxy: TLS 1.2 and 1.3 by rustls with *ring*. Whoever connects is greeted with a handshake,
//! within the time of a head (`serving`).

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use anyhow::Context as _;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::{CryptoProvider, ring};
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;

/// How often it is looked whether the files are others.
const LOOK_AGAIN: Duration = Duration::from_secs(60);

/// The certificate that is shown, read anew when its files change.
#[derive(Clone)]
pub struct Certificate(Arc<Inner>);

struct Inner {
    certificate: PathBuf,
    key: PathBuf,
    held: RwLock<Held>,
    provider: Arc<CryptoProvider>,
}

struct Held {
    shown: Arc<CertifiedKey>,
    changed: [Option<SystemTime>; 2],
}

impl Certificate {
    /// Reads a chain of certificates, the own first, and its key, both as PEM.
    ///
    /// # Errors
    /// When a file cannot be read or holds something else, or the key is not that of the certificate.
    pub fn read(certificate: &Path, key: &Path) -> anyhow::Result<Certificate> {
        let provider = Arc::new(ring::default_provider());
        let shown = load(certificate, key, &provider)?;
        let held = Held { shown, changed: changed(certificate, key) };
        Ok(Certificate(Arc::new(Inner {
            certificate: certificate.to_owned(),
            key: key.to_owned(),
            held: RwLock::new(held),
            provider,
        })))
    }

    /// Reads the files again. What cannot be used is logged, and the certificate of before stays.
    pub fn read_again(&self) {
        let Inner { certificate, key, held, provider } = &*self.0;
        let changed = changed(certificate, key);
        let loaded = load(certificate, key, provider);
        let mut held = held.write().unwrap_or_else(PoisonError::into_inner);
        // Once is enough to say that a file cannot be used.
        held.changed = changed;
        match loaded {
            Ok(shown) => {
                held.shown = shown;
                tracing::info!("the certificate was read anew");
            }
            Err(error) => {
                tracing::error!(error = format!("{error:#}"), "the certificate of before stays");
            }
        }
    }

    fn is_outdated(&self) -> bool {
        let Inner { certificate, key, held, .. } = &*self.0;
        held.read().unwrap_or_else(PoisonError::into_inner).changed != changed(certificate, key)
    }

    /// Reads the files again whenever they are others, and on SIGHUP. Runs as long as the program.
    pub async fn keep_fresh(self) {
        let mut ticks = tokio::time::interval(LOOK_AGAIN);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        #[cfg(unix)]
        let mut hang_up = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup()).ok();
        loop {
            let is_told = {
                #[cfg(unix)]
                {
                    tokio::select! {
                        _ = ticks.tick() => false,
                        _ = told(&mut hang_up) => true,
                    }
                }
                #[cfg(not(unix))]
                {
                    ticks.tick().await;
                    false
                }
            };
            if is_told || self.is_outdated() {
                self.read_again();
            }
        }
    }

    /// What shakes hands with whoever connects.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn acceptor(&self) -> anyhow::Result<TlsAcceptor> {
        let mut config = ServerConfig::builder_with_provider(Arc::clone(&self.0.provider))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(Shown(self.clone())));
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}

#[cfg(unix)]
async fn told(signal: &mut Option<tokio::signal::unix::Signal>) {
    match signal {
        Some(signal) => {
            signal.recv().await;
        }
        None => std::future::pending().await,
    }
}

struct Shown(Certificate);

impl std::fmt::Debug for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Shown")
    }
}

impl ResolvesServerCert for Shown {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let held = self.0.0.held.read().unwrap_or_else(PoisonError::into_inner);
        Some(Arc::clone(&held.shown))
    }
}

fn changed(certificate: &Path, key: &Path) -> [Option<SystemTime>; 2] {
    [certificate, key].map(|path| std::fs::metadata(path).and_then(|file| file.modified()).ok())
}

fn load(certificate: &Path, key: &Path, provider: &CryptoProvider) -> anyhow::Result<Arc<CertifiedKey>> {
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect)
        .with_context(|| format!("cannot read the certificate in {}", certificate.display()))?;
    anyhow::ensure!(!chain.is_empty(), "there is no certificate in {}", certificate.display());
    let secret = PrivateKeyDer::from_pem_file(key)
        .with_context(|| format!("cannot read the key of the certificate in {}", key.display()))?;
    let signing = provider
        .key_provider
        .load_private_key(secret)
        .with_context(|| format!("the key in {} is of a kind that is not known", key.display()))?;
    let certified = CertifiedKey::new(chain, signing);
    certified.keys_match().with_context(|| {
        format!("the key in {} is not that of the certificate in {}", key.display(), certificate.display())
    })?;
    Ok(Arc::new(certified))
}
