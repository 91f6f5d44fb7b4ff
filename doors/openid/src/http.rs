//! The one client that speaks to the provider.

use std::time::Duration;

use ureq::Agent;
use ureq::tls::{Certificate, RootCerts, TlsConfig, parse_pem};

use crate::{OpenIdError, SettingsError};

/// A provider that takes longer is not waited for.
const TIMEOUT: Duration = Duration::from_secs(8);
/// The longest answer that is read.
const LONGEST_ANSWER: u64 = 256 * 1_024;

/// A client that follows no redirect: what the provider says elsewhere is not said by the provider.
pub(crate) fn agent(certificates: Option<&str>) -> Result<Agent, SettingsError> {
    let mut tls = TlsConfig::builder();
    if let Some(pem) = certificates {
        let mut own: Vec<Certificate<'static>> = Vec::new();
        for item in parse_pem(pem.as_bytes()) {
            if let Ok(ureq::tls::PemItem::Certificate(certificate)) = item {
                own.push(certificate);
            }
        }
        if own.is_empty() {
            return Err(SettingsError::NoCertificate);
        }
        tls = tls.root_certs(RootCerts::from(own));
    }
    let config = Agent::config_builder()
        .timeout_global(Some(TIMEOUT))
        .max_redirects(0)
        .http_status_as_error(false)
        .proxy(None)
        .tls_config(tls.build())
        .build();
    Ok(Agent::new_with_config(config))
}

/// What stands at an address.
pub(crate) fn fetch(agent: &Agent, address: &str) -> Result<String, OpenIdError> {
    let mut answer = agent.get(address).call().map_err(|_| OpenIdError::NoAnswer)?;
    read(&mut answer)
}

/// What a form that is sent is answered.
pub(crate) fn send(
    agent: &Agent,
    address: &str,
    authorization: Option<&str>,
    form: &[(&str, &str)],
) -> Result<String, OpenIdError> {
    let mut request = agent.post(address).header("accept", "application/json");
    if let Some(authorization) = authorization {
        request = request.header("authorization", authorization);
    }
    let mut answer = request.send_form(form.iter().copied()).map_err(|_| OpenIdError::NoAnswer)?;
    read(&mut answer)
}

fn read(answer: &mut ureq::http::Response<ureq::Body>) -> Result<String, OpenIdError> {
    let status = answer.status();
    if !status.is_success() {
        return Err(OpenIdError::Refused(status.as_u16()));
    }
    let body = answer.body_mut().with_config().limit(LONGEST_ANSWER).read_to_string();
    body.map_err(|_| OpenIdError::NoAnswer)
}
