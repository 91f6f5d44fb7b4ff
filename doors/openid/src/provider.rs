//! One provider: what is set of it, what it says of itself, and the way there and back.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use kangmai_base::{Ids, Moment};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use ureq::Agent;

use crate::http::{agent, fetch, send};
use crate::token::key_id;
use crate::{Expected, Identity, KeySet, TokenError, verify_token};

/// How long what the provider says of itself, and its keys, are held.
const HELD_SECONDS: i64 = 3_600;
/// Keys are not fetched more often than that, whatever keys tokens name.
const LEAST_BETWEEN_FETCHES_SECONDS: i64 = 30;
/// The longest code that is passed on.
const LONGEST_CODE: usize = 2_048;

/// What is set of a provider.
#[derive(Clone)]
pub struct ProviderSettings {
    /// Its issuer, as it names itself: `https://id.county.example`.
    pub issuer: String,
    /// What it calls this program.
    pub client_id: String,
    /// By what this program shows that it is it.
    pub client_secret: String,
    /// Where a browser comes back to: the address of this program and `/sign-in/openid/back`.
    pub redirect: String,
    /// What is asked for besides `openid`: `profile`.
    pub scope: String,
    /// Certificates (PEM) that vouch for it in place of the public ones, for a provider inside a county's network.
    pub certificates: Option<String>,
}

impl fmt::Debug for ProviderSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ProviderSettings({})", self.issuer)
    }
}

/// Why settings are not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// The issuer or the way back is not `https://`, nor on this machine.
    #[error("the addresses of issuer and redirect must begin with https://, unless they are on this machine")]
    NotSecure,
    /// Client or secret are missing.
    #[error("the provider's name for this program, and the secret, must be set")]
    NoClient,
    /// The file of certificates holds none.
    #[error("the file of certificates holds no certificate (PEM)")]
    NoCertificate,
}

/// Why nobody is signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OpenIdError {
    /// The provider is not reached, or answers what is no answer.
    #[error("the provider does not answer")]
    NoAnswer,
    /// The provider says no.
    #[error("the provider answers {0}")]
    Refused(u16),
    /// What the provider says of itself is not as it must be.
    #[error("what the provider says of itself is not as it must be")]
    Misconfigured,
    /// The browser comes back with another sign-in than it went with.
    #[error("the answer belongs to another sign-in")]
    OtherAttempt,
    /// The token is not believed.
    #[error("the provider's token is not believed: {0}")]
    Token(#[from] TokenError),
}

/// A sign-in on its way: kept for the browser until it comes back, and shown to nobody else.
#[derive(Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Comes back with the browser.
    pub state: String,
    /// Comes back in the token.
    pub nonce: String,
    /// Proves to the provider that the one who comes with the code is the one who went (PKCE).
    pub verifier: String,
}

/// A sign-in that was begun.
#[derive(Clone, PartialEq, Eq)]
pub struct Begun {
    /// Where the browser goes.
    pub address: String,
    /// What must be there when it comes back.
    pub attempt: Attempt,
}

/// What a provider says of itself (OpenID Connect Discovery 1.0).
#[derive(Debug, Deserialize)]
struct Description {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct TokenAnswer {
    id_token: String,
}

struct Held {
    description: Arc<Description>,
    keys: Arc<KeySet>,
    since: Moment,
    keys_since: Moment,
}

/// A provider that people may sign in by.
pub struct Provider {
    settings: ProviderSettings,
    agent: Agent,
    held: Mutex<Option<Held>>,
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.settings.fmt(f)
    }
}

/// Whether nobody between can read or change what goes there: https, or this machine.
fn is_safe(address: &str) -> bool {
    let here = ["http://127.0.0.1", "http://localhost", "http://[::1]"];
    let ends_host = |rest: &str| rest.is_empty() || rest.starts_with([':', '/']);
    address.starts_with("https://") || here.iter().any(|own| address.strip_prefix(own).is_some_and(ends_host))
}

impl Provider {
    /// With these settings; the provider is asked when somebody signs in first.
    ///
    /// # Errors
    /// When the settings cannot be.
    pub fn new(settings: ProviderSettings) -> Result<Provider, SettingsError> {
        if !is_safe(&settings.issuer) || !is_safe(&settings.redirect) {
            return Err(SettingsError::NotSecure);
        }
        if settings.client_id.is_empty() || settings.client_secret.is_empty() {
            return Err(SettingsError::NoClient);
        }
        let agent = agent(settings.certificates.as_deref())?;
        Ok(Provider { settings, agent, held: Mutex::default() })
    }

    /// The issuer.
    pub fn issuer(&self) -> &str {
        &self.settings.issuer
    }

    /// Begins a sign-in.
    ///
    /// # Errors
    /// When the provider is not reached or not as it must be.
    pub fn begin(&self, ids: &dyn Ids, now: Moment) -> Result<Begun, OpenIdError> {
        let (description, _) = self.described(now)?;
        let attempt = Attempt { state: random(ids), nonce: random(ids), verifier: random(ids) };
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(attempt.verifier.as_bytes()));
        let scope = format!("openid {}", self.settings.scope);
        let mut query = form_urlencoded::Serializer::new(String::new());
        query
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.settings.client_id)
            .append_pair("redirect_uri", &self.settings.redirect)
            .append_pair("scope", scope.trim())
            .append_pair("state", &attempt.state)
            .append_pair("nonce", &attempt.nonce)
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256");
        let endpoint = &description.authorization_endpoint;
        let joint = if endpoint.contains('?') { '&' } else { '?' };
        Ok(Begun { address: format!("{endpoint}{joint}{}", query.finish()), attempt })
    }

    /// Ends a sign-in: changes the code for a token and says who it names.
    ///
    /// # Errors
    /// When the state is another, the provider says no, or its token is not believed.
    pub fn finish(
        &self,
        attempt: &Attempt,
        state: &str,
        code: &str,
        now: Moment,
    ) -> Result<Identity, OpenIdError> {
        if attempt.state.is_empty() || attempt.state != state || code.is_empty() || code.len() > LONGEST_CODE
        {
            return Err(OpenIdError::OtherAttempt);
        }
        let (description, keys) = self.described(now)?;
        let token = self.token(&description, &attempt.verifier, code)?;
        let keys = match key_id(&token) {
            Some(id) if !keys.has(&id) => self.keys_anew(now)?,
            _ => keys,
        };
        let (issuer, client_id) = (&self.settings.issuer, &self.settings.client_id);
        let expected = Expected { issuer, client_id, nonce: &attempt.nonce, now };
        Ok(verify_token(&token, &keys, &expected)?)
    }

    fn token(&self, description: &Description, verifier: &str, code: &str) -> Result<String, OpenIdError> {
        let (client_id, secret) = (self.settings.client_id.as_str(), self.settings.client_secret.as_str());
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", self.settings.redirect.as_str()),
            ("code_verifier", verifier),
        ];
        let methods = description.token_endpoint_auth_methods_supported.as_deref().unwrap_or_default();
        let by_form = !methods.is_empty() && !methods.iter().any(|method| method == "client_secret_basic");
        // RFC 6749, 2.3.1: both are form-encoded before they are joined.
        let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let basic =
            format!("Basic {}", STANDARD.encode(format!("{}:{}", encoded(client_id), encoded(secret))));
        if by_form {
            form.extend([("client_id", client_id), ("client_secret", secret)]);
        }
        let authorization = (!by_form).then_some(basic.as_str());
        let answer = send(&self.agent, &description.token_endpoint, authorization, &form)?;
        let answer: TokenAnswer = serde_json::from_str(&answer).map_err(|_| OpenIdError::Misconfigured)?;
        Ok(answer.id_token)
    }

    /// What the provider says of itself, and its keys, not older than an hour.
    fn described(&self, now: Moment) -> Result<(Arc<Description>, Arc<KeySet>), OpenIdError> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(held) = held.as_ref()
            && is_within(held.since, now, HELD_SECONDS)
        {
            return Ok((Arc::clone(&held.description), Arc::clone(&held.keys)));
        }
        let issuer = self.settings.issuer.trim_end_matches('/');
        let text = fetch(&self.agent, &format!("{issuer}/.well-known/openid-configuration"))?;
        let description: Description = serde_json::from_str(&text).map_err(|_| OpenIdError::Misconfigured)?;
        let all = [&description.authorization_endpoint, &description.token_endpoint, &description.jwks_uri];
        // Of another issuer than is set, or somewhere where others read along.
        if description.issuer != self.settings.issuer || !all.iter().all(|address| is_safe(address)) {
            return Err(OpenIdError::Misconfigured);
        }
        let description = Arc::new(description);
        let keys = self.fetch_keys(&description)?;
        let anew = Held {
            description: Arc::clone(&description),
            keys: Arc::clone(&keys),
            since: now,
            keys_since: now,
        };
        *held = Some(anew);
        Ok((description, keys))
    }

    fn fetch_keys(&self, description: &Description) -> Result<Arc<KeySet>, OpenIdError> {
        let text = fetch(&self.agent, &description.jwks_uri)?;
        KeySet::read(&text).map(Arc::new).map_err(|_| OpenIdError::Misconfigured)
    }

    /// The keys once more, because a token names one that is not held: the provider has changed them.
    fn keys_anew(&self, now: Moment) -> Result<Arc<KeySet>, OpenIdError> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(held) = held.as_mut() else { return Ok(Arc::default()) };
        if !is_within(held.keys_since, now, LEAST_BETWEEN_FETCHES_SECONDS) {
            held.keys = self.fetch_keys(&held.description)?;
            held.keys_since = now;
        }
        Ok(Arc::clone(&held.keys))
    }
}

const fn is_within(since: Moment, now: Moment, seconds: i64) -> bool {
    now.0 >= since.0 && now.0 < since.plus_seconds(seconds).0
}

/// 256 bits as 43 letters, which PKCE allows.
fn random(ids: &dyn Ids) -> String {
    let mut bytes = [0_u8; 32];
    ids.fill(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}
