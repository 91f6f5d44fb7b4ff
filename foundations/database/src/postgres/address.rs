//! The address of a PostgreSQL server, and how its certificate is checked.
//!
//! `sslrootcert` names a PEM file of the authorities that are trusted; with it the connection is by TLS, the certificate is
//! checked and its name must be the host's, as libpq's `verify-full` does it. Half-measures of libpq (a connection by TLS with
//! whomever) are refused: they keep nobody out.

use std::path::Path;
use std::sync::Arc;

use tokio_postgres::config::SslMode;
use tokio_postgres_rustls::MakeRustlsConnect;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::DatabaseError;

/// What an address asks for.
pub(super) struct Address {
    pub(super) config: tokio_postgres::Config,
    /// None: in clear, as on the same machine or by a socket.
    pub(super) tls: Option<MakeRustlsConnect>,
}

impl Address {
    /// Reads an address as libpq writes it.
    ///
    /// # Errors
    /// When it is none, asks for TLS without saying whom to trust, or names a file that holds no certificate.
    pub(super) fn read(address: &str) -> Result<Address, DatabaseError> {
        let (rest, mode, authorities) = taken_apart(address);
        let mut config: tokio_postgres::Config = rest.parse()?;
        let tls = match (mode.as_deref(), authorities) {
            (Some("disable"), _) | (None | Some("prefer" | "allow"), None) => None,
            (None | Some("require" | "verify-ca" | "verify-full"), Some(file)) => {
                Some(trusting(Path::new(&file))?)
            }
            (Some("require" | "verify-ca" | "verify-full"), None) => return Err(DatabaseError::NoAuthority),
            (Some(mode), _) => {
                return Err(DatabaseError::Refused(format!(
                    "sslmode={mode} is none of disable, verify-full"
                )));
            }
        };
        config.ssl_mode(if tls.is_some() { SslMode::Require } else { SslMode::Disable });
        Ok(Address { config, tls })
    }
}

/// The address without what says how to trust, and that: `sslmode` and `sslrootcert`.
fn taken_apart(address: &str) -> (String, Option<String>, Option<String>) {
    let Some((front, query)) = address.split_once('?') else { return (address.to_owned(), None, None) };
    let (mut mode, mut authorities) = (None, None);
    let mut rest = Vec::new();
    for part in query.split('&') {
        match part.split_once('=') {
            Some(("sslmode", value)) => mode = Some(value.to_owned()),
            Some(("sslrootcert", value)) => authorities = Some(percent_decoded(value)),
            _ => rest.push(part),
        }
    }
    let rest = if rest.is_empty() { front.to_owned() } else { format!("{front}?{}", rest.join("&")) };
    (rest, mode, authorities)
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let code = after.get(..2).filter(|_| first == b'%').and_then(|code| std::str::from_utf8(code).ok());
        if let Some(byte) = code.and_then(|code| u8::from_str_radix(code, 16).ok()) {
            bytes.push(byte);
            rest = after.get(2..).unwrap_or_default();
        } else {
            bytes.push(first);
            rest = after;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn trusting(file: &Path) -> Result<MakeRustlsConnect, DatabaseError> {
    let told = |error: &dyn std::fmt::Display| {
        DatabaseError::Refused(format!("the certificates of {} cannot be used: {error}", file.display()))
    };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(file).map_err(|error| told(&error))? {
        roots.add(certificate.map_err(|error| told(&error))?).map_err(|error| told(&error))?;
    }
    if roots.is_empty() {
        return Err(told(&"there is none in it"));
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| told(&error))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_says_whom_to_trust_is_taken_out_of_the_address() {
        for (address, rest, mode, authorities) in [
            ("postgres://a@b/c", "postgres://a@b/c", None, None),
            ("postgres://a@b/c?sslmode=disable", "postgres://a@b/c", Some("disable"), None),
            (
                "postgres://a@b/c?x=1&sslrootcert=%2Fetc%2Fca%20file.pem&sslmode=verify-full&y=2%25",
                "postgres://a@b/c?x=1&y=2%25",
                Some("verify-full"),
                Some("/etc/ca file.pem"),
            ),
            ("postgres://a@b/c?sslrootcert=%zz%", "postgres://a@b/c", None, Some("%zz%")),
        ] {
            let read = taken_apart(address);
            assert_eq!((read.0.as_str(), read.1.as_deref(), read.2.as_deref()), (rest, mode, authorities));
        }
    }

    #[test]
    fn tls_without_an_authority_is_refused() {
        for mode in ["require", "verify-ca", "verify-full"] {
            let read = Address::read(&format!("postgres://a@b/c?sslmode={mode}"));
            assert!(matches!(read, Err(DatabaseError::NoAuthority)), "{mode}");
        }
        for wrong in ["postgres://a@b/c?sslmode=maybe", "postgres://a@b/c?sslrootcert=/nowhere.pem"] {
            assert!(matches!(Address::read(wrong), Err(DatabaseError::Refused(_))), "{wrong}");
        }
        assert!(Address::read("postgres://a@b/c").is_ok_and(|address| address.tls.is_none()));
    }
}
