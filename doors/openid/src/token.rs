//! What an ID token must say (OpenID Connect Core 1.0, 3.1.3.7).

use kangmai_base::Moment;
use serde_json::{Map, Value};

use crate::KeySet;
use crate::keys::decoded;

/// How far the provider's clock may go wrong.
const SKEW_SECONDS: i64 = 60;
/// A token that was made longer ago is not of this sign-in.
const LONGEST_AGE_SECONDS: i64 = 600;
/// The longest token that is looked at.
const LONGEST_TOKEN: usize = 16 * 1_024;
/// The longest subject: OpenID Connect Core 1.0, 2.
const LONGEST_SUBJECT: usize = 255;

/// Why a token is not believed. Says nothing of what is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// It is no signed token.
    #[error("it is no signed token")]
    Malformed,
    /// It is signed in a way that is not believed.
    #[error("it is signed by an algorithm that is not believed")]
    Algorithm,
    /// It is not signed by a key of the provider.
    #[error("no key of the provider has signed it")]
    Signature,
    /// It is of another issuer.
    #[error("another issuer made it")]
    Issuer,
    /// It is meant for somebody else.
    #[error("it is meant for another client")]
    Audience,
    /// Its time is over, or has not come.
    #[error("it is not of this time")]
    Time,
    /// It answers another sign-in.
    #[error("it answers another sign-in")]
    Nonce,
    /// It names nobody.
    #[error("it names nobody")]
    Subject,
}

/// What a token is held against.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// Who must have made it.
    pub issuer: &'a str,
    /// For whom.
    pub client_id: &'a str,
    /// For which sign-in.
    pub nonce: &'a str,
    /// The present.
    pub now: Moment,
}

/// Who somebody is at a provider.
#[derive(Clone, PartialEq)]
pub struct Identity {
    /// The provider.
    pub issuer: String,
    /// What it calls them: for ever the same, and nobody else's.
    pub subject: String,
    claims: Map<String, Value>,
}

impl Identity {
    /// A claim that is a text, such as `preferred_username`.
    pub fn claim(&self, name: &str) -> Option<&str> {
        self.claims.get(name).and_then(Value::as_str)
    }
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Identity(…)")
    }
}

/// The key that a token says it is signed by.
pub(crate) fn key_id(token: &str) -> Option<String> {
    let head: Map<String, Value> = serde_json::from_slice(&decoded(token.split('.').next()?)?).ok()?;
    head.get("kid").and_then(Value::as_str).map(str::to_owned)
}

/// Who a token names, if everything in it is as it must be.
///
/// # Errors
/// What is not.
pub fn verify_token(token: &str, keys: &KeySet, expected: &Expected<'_>) -> Result<Identity, TokenError> {
    let claims = signed_claims(token, keys)?;
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    if text("iss") != Some(expected.issuer) {
        return Err(TokenError::Issuer);
    }
    if !is_meant_for(&claims, expected.client_id) {
        return Err(TokenError::Audience);
    }
    if !is_of_now(&claims, expected.now) {
        return Err(TokenError::Time);
    }
    if expected.nonce.is_empty() || text("nonce") != Some(expected.nonce) {
        return Err(TokenError::Nonce);
    }
    let subject = text("sub").filter(|subject| !subject.is_empty() && subject.len() <= LONGEST_SUBJECT);
    let subject = subject.ok_or(TokenError::Subject)?.to_owned();
    Ok(Identity { issuer: expected.issuer.to_owned(), subject, claims })
}

fn signed_claims(token: &str, keys: &KeySet) -> Result<Map<String, Value>, TokenError> {
    if token.len() > LONGEST_TOKEN {
        return Err(TokenError::Malformed);
    }
    let (message, signature) = token.rsplit_once('.').ok_or(TokenError::Malformed)?;
    let (head, body) = message.split_once('.').ok_or(TokenError::Malformed)?;
    let object = |text: &str| {
        let bytes = decoded(text).ok_or(TokenError::Malformed)?;
        serde_json::from_slice::<Map<String, Value>>(&bytes).map_err(|_| TokenError::Malformed)
    };
    let head = object(head)?;
    let algorithm = head.get("alg").and_then(Value::as_str).unwrap_or_default();
    // A head that must be understood and is not (RFC 7515, 4.1.11).
    if !matches!(algorithm, "RS256" | "ES256") || head.contains_key("crit") {
        return Err(TokenError::Algorithm);
    }
    let id = head.get("kid").and_then(Value::as_str);
    let signature = decoded(signature).ok_or(TokenError::Malformed)?;
    if !keys.signed(algorithm, id, message.as_bytes(), &signature) {
        return Err(TokenError::Signature);
    }
    object(body)
}

fn is_meant_for(claims: &Map<String, Value>, client_id: &str) -> bool {
    let party = claims.get("azp").map(Value::as_str);
    match claims.get("aud") {
        Some(Value::String(one)) => one == client_id && party.is_none_or(|party| party == Some(client_id)),
        Some(Value::Array(many)) => {
            let named = many.iter().any(|one| one.as_str() == Some(client_id));
            // Of several audiences the token must say that it was made for this one.
            named && (many.len() == 1 && party.is_none() || party == Some(Some(client_id)))
        }
        _ => false,
    }
}

fn is_of_now(claims: &Map<String, Value>, now: Moment) -> bool {
    let now = now.0.div_euclid(Moment::SECOND);
    let time = |name: &str| claims.get(name).and_then(Value::as_i64);
    let (Some(expires), Some(made)) = (time("exp"), time("iat")) else { return false };
    let begun = time("nbf").is_none_or(|begins| begins <= now.saturating_add(SKEW_SECONDS));
    begun
        && now < expires.saturating_add(SKEW_SECONDS)
        && made <= now.saturating_add(SKEW_SECONDS)
        && now <= made.saturating_add(LONGEST_AGE_SECONDS)
}
