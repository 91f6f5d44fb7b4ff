//! OpenID Connect as a relying party: the authorisation code flow with PKCE (OpenID Connect Core 1.0, RFC 7636).
//!
//! [`Provider::begin`] says where to send a browser, [`Provider::finish`] takes the code that it comes back with and
//! answers who it is, once everything in the token is as it must be. Both speak to the provider and wait for it: not on
//! an async thread.
//!
//! *Invariant:* knows no account and decides nothing: who an [`Identity`] is here, the caller knows. An error holds
//! neither a token nor a claim.

mod http;
mod keys;
mod provider;
mod token;

pub use keys::{KeySet, NotAKeySet};
pub use provider::{Attempt, Begun, OpenIdError, Provider, ProviderSettings, SettingsError};
pub use token::{Expected, Identity, TokenError, verify_token};
