//! The way upstream: one client with the hub's key, and what can be wrong with the answer.

use std::io::Read as _;
use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use ureq::Agent;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};

/// A request that takes longer is given up and tried again: over a weak link a first load of a village takes a minute.
const TIMEOUT: Duration = Duration::from_secs(120);
/// No connection within this: there is no link.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Bytes of an answer at most, as they come and unpacked.
const LONGEST_ANSWER: u64 = 256 * 1_024 * 1_024;

/// What is wrong with the link, for whoever looks at the hub. Each has its sentence: `sync.hub.trouble.…`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// Nobody answers: no network, a wrong name, a server that is down.
    #[error("upstream is not reached")]
    NoLink,
    /// The certificate is not trusted, or it speaks no TLS.
    #[error("the certificate of upstream is not trusted")]
    Certificate,
    /// What answers is no Kangmai, or one that knows no hubs.
    #[error("what answers there is no Kangmai that knows hubs")]
    NotKangmai,
    /// It does not know the key.
    #[error("upstream does not know the key of this hub")]
    WrongKey,
    /// The key was not used in time.
    #[error("the key of this hub was not used in time")]
    Expired,
    /// The account that registered it visits nobody now.
    #[error("the account that registered this hub visits nobody now")]
    NotAllowed,
    /// It is to be emptied.
    #[error("this hub is wiped")]
    Wiped,
    /// Upstream no longer speaks what this program speaks.
    #[error("this program is too old for upstream")]
    TooOld,
    /// It is asked too often, or has too much to do.
    #[error("upstream has too much to do")]
    Busy,
}

impl LinkError {
    /// The key of its sentence.
    pub const fn word(self) -> &'static str {
        match self {
            LinkError::NoLink => "sync.hub.trouble.no_link",
            LinkError::Certificate => "sync.hub.trouble.certificate",
            LinkError::NotKangmai => "sync.hub.trouble.not_kangmai",
            LinkError::WrongKey => "sync.hub.trouble.wrong_key",
            LinkError::Expired => "sync.hub.trouble.expired",
            LinkError::NotAllowed => "sync.hub.trouble.not_allowed",
            LinkError::Wiped => "sync.hub.trouble.wiped",
            LinkError::TooOld => "sync.hub.trouble.too_old",
            LinkError::Busy => "sync.hub.trouble.busy",
        }
    }
}

/// Why an address upstream is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Health data would go in clear.
    #[error("the address of upstream must begin with https://, unless it is on this machine")]
    NotSecure,
    /// It has a path, a question or spaces.
    #[error("the address of upstream is https://, the name and perhaps a port, and nothing behind it")]
    NotAnAddress,
    /// The file of certificates holds none.
    #[error("the file of certificates holds no certificate (PEM)")]
    NoCertificate,
}

/// The way upstream.
#[derive(Clone)]
pub struct Link {
    agent: Agent,
    base: String,
    key: String,
}

#[derive(Deserialize)]
struct Said {
    code: String,
}

impl Link {
    /// To `base`, by `key`; `certificates` (PEM) vouch for it in place of the public ones.
    ///
    /// # Errors
    /// When the address cannot be one, or would be asked in clear.
    pub fn new(base: &str, key: &str, certificates: Option<&str>) -> Result<Link, AddressError> {
        let base = base.trim().trim_end_matches('/').to_owned();
        let here = ["http://127.0.0.1", "http://localhost", "http://[::1]"];
        let ends_host = |rest: &str| rest.is_empty() || rest.starts_with(':');
        let is_here = here.iter().any(|own| base.strip_prefix(own).is_some_and(ends_host));
        let host = match base.strip_prefix("https://") {
            Some(host) => host,
            // `https://` alone lost its strokes above.
            None if base == "https:" => "",
            None if is_here => "here",
            None => return Err(AddressError::NotSecure),
        };
        if host.is_empty() || host.contains(|c: char| "/?#@".contains(c) || c.is_whitespace()) {
            return Err(AddressError::NotAnAddress);
        }
        let mut tls = TlsConfig::builder();
        if let Some(pem) = certificates {
            let mut own: Vec<Certificate<'static>> = Vec::new();
            for item in parse_pem(pem.as_bytes()) {
                if let Ok(PemItem::Certificate(certificate)) = item {
                    own.push(certificate);
                }
            }
            if own.is_empty() {
                return Err(AddressError::NoCertificate);
            }
            tls = tls.root_certs(RootCerts::from(own));
        }
        let config = Agent::config_builder()
            .timeout_global(Some(TIMEOUT))
            .timeout_connect(Some(CONNECT_TIMEOUT))
            .max_redirects(0)
            .http_status_as_error(false)
            .proxy(None)
            .tls_config(tls.build())
            .build();
        Ok(Link { agent: Agent::new_with_config(config), base, key: key.to_owned() })
    }

    /// The address.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// What stands at a path.
    pub(crate) fn get(&self, path: &str) -> Result<Vec<u8>, LinkError> {
        let request = self.agent.get(format!("{}{path}", self.base));
        let request = request
            .header("authorization", format!("Bearer {}", self.key))
            .header("kangmai-phone", crate::VERSION.to_string());
        read(request.call().map_err(|error| wrong(&error))?)
    }

    /// The same as JSON.
    pub(crate) fn ask<T: DeserializeOwned>(&self, path: &str) -> Result<T, LinkError> {
        serde_json::from_slice(&self.get(path)?).map_err(|_| LinkError::NotKangmai)
    }

    /// What is answered to JSON.
    pub(crate) fn send(&self, path: &str, body: &[u8]) -> Result<Vec<u8>, LinkError> {
        let request = self.agent.post(format!("{}{path}", self.base));
        let request = request
            .header("authorization", format!("Bearer {}", self.key))
            .header("kangmai-phone", crate::VERSION.to_string())
            .header("content-type", "application/json");
        read(request.send(body).map_err(|error| wrong(&error))?)
    }
}

fn wrong(error: &ureq::Error) -> LinkError {
    match error {
        ureq::Error::Tls(_) | ureq::Error::Rustls(_) => LinkError::Certificate,
        // The handshake speaks of a certificate that is not taken as of an error of the connection.
        ureq::Error::Io(error) if error.to_string().contains("certificate") => LinkError::Certificate,
        ureq::Error::Protocol(_) | ureq::Error::BadUri(_) => LinkError::NotKangmai,
        _ => LinkError::NoLink,
    }
}

fn read(mut answer: ureq::http::Response<ureq::Body>) -> Result<Vec<u8>, LinkError> {
    let is_packed = answer.headers().get("content-encoding").is_some_and(|how| how == "gzip");
    let status = answer.status().as_u16();
    let body = answer.body_mut().with_config().limit(LONGEST_ANSWER).read_to_vec();
    let body = body.map_err(|_| LinkError::NoLink)?;
    if status == 200 {
        return if is_packed { unpacked(&body) } else { Ok(body) };
    }
    let code = serde_json::from_slice::<Said>(&body).map(|said| said.code);
    Err(refused(status, code.ok().as_deref()))
}

/// What an answer other than 200 means, by its status and the code in its body. That a hub is wiped is told by nothing less than
/// that very word: what it holds is taken away then.
fn refused(status: u16, code: Option<&str>) -> LinkError {
    match (status, code) {
        (410, Some("hub_expired")) => LinkError::Expired,
        (410, Some("wiped")) => LinkError::Wiped,
        (401, Some(_)) => LinkError::WrongKey,
        (404, Some(_)) => LinkError::NotAllowed,
        (426, Some(_)) => LinkError::TooOld,
        (429 | 500..=599, _) => LinkError::Busy,
        _ => LinkError::NotKangmai,
    }
}

fn unpacked(packed: &[u8]) -> Result<Vec<u8>, LinkError> {
    let mut body = Vec::new();
    let read = flate2::read::GzDecoder::new(packed).take(LONGEST_ANSWER).read_to_end(&mut body);
    // A link that was cut in the middle leaves a piece.
    read.map(|_| body).map_err(|_| LinkError::NoLink)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_the_word_wipes_a_hub() {
        for (status, code, means) in [
            (410, Some("wiped"), LinkError::Wiped),
            (410, Some("hub_expired"), LinkError::Expired),
            (410, Some("gone"), LinkError::NotKangmai),
            (410, None, LinkError::NotKangmai),
            (401, Some("unauthorized"), LinkError::WrongKey),
            (404, Some("not_found"), LinkError::NotAllowed),
            (404, None, LinkError::NotKangmai),
            (426, Some("too_old"), LinkError::TooOld),
            (429, None, LinkError::Busy),
            (503, Some("busy"), LinkError::Busy),
            (302, None, LinkError::NotKangmai),
        ] {
            assert_eq!(refused(status, code), means, "{status} {code:?}");
        }
    }

    #[test]
    fn only_an_address_that_nobody_between_can_read_is_taken() {
        let taken = |base: &str| Link::new(base, "kmp_x", None).map(|link| link.base().to_owned());
        assert_eq!(taken("https://kangmai.example/"), Ok("https://kangmai.example".to_owned()));
        assert_eq!(taken("https://kangmai.example:8443"), Ok("https://kangmai.example:8443".to_owned()));
        assert_eq!(taken("http://127.0.0.1:8080"), Ok("http://127.0.0.1:8080".to_owned()));
        for base in ["http://kangmai.example", "http://127.0.0.1.example", "kangmai.example", "", "ftp://x"] {
            assert_eq!(taken(base), Err(AddressError::NotSecure), "{base}");
        }
        for base in ["https://", "https://x/y", "https://x?y", "https://a@b", "https://x y"] {
            assert_eq!(taken(base), Err(AddressError::NotAnAddress), "{base}");
        }
        let none = Link::new("https://x", "k", Some("nothing")).err();
        assert_eq!(none, Some(AddressError::NoCertificate));
    }
}
