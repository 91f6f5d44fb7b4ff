//! The provider's public keys (RFC 7517), and whether a signature is of one of them.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
};
use serde::Deserialize;

/// The most keys of a provider that are looked at.
const MOST_KEYS: usize = 32;

/// The keys by which a provider signs.
#[derive(Debug, Clone, Default)]
pub struct KeySet(Vec<Key>);

/// A text that is no set of keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the provider's keys cannot be read")]
pub struct NotAKeySet;

#[derive(Debug, Clone)]
struct Key {
    id: Option<String>,
    public: Public,
}

#[derive(Debug, Clone)]
enum Public {
    Rsa {
        modulus: Vec<u8>,
        exponent: Vec<u8>,
    },
    /// A point of P-256, uncompressed.
    P256(Vec<u8>),
}

#[derive(Deserialize)]
struct RawSet {
    keys: Vec<RawKey>,
}

#[derive(Deserialize)]
struct RawKey {
    kty: String,
    kid: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    n: Option<String>,
    e: Option<String>,
    crv: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

/// Bytes as tokens write them.
pub(crate) fn decoded(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

impl KeySet {
    /// Reads a set (`jwks_uri`). Keys of other kinds than RSA and P-256, and those that are not for signing, are passed
    /// over.
    ///
    /// # Errors
    /// When it is no set of keys.
    pub fn read(text: &str) -> Result<KeySet, NotAKeySet> {
        let raw: RawSet = serde_json::from_str(text).map_err(|_| NotAKeySet)?;
        let keys = raw.keys.iter().take(MOST_KEYS);
        let keys = keys.filter(|key| key.usage.as_deref().is_none_or(|usage| usage == "sig"));
        Ok(KeySet(keys.filter_map(RawKey::key).collect()))
    }

    /// Whether there is a key with this identifier.
    pub(crate) fn has(&self, id: &str) -> bool {
        self.0.iter().any(|key| key.id.as_deref() == Some(id))
    }

    /// Whether `signature` over `message` is of one of the keys, by the algorithm that the token names. Only two are
    /// known, and each only with keys of its kind: `none`, or an HMAC whose secret would be a public key, are not among
    /// them.
    pub(crate) fn signed(&self, algorithm: &str, id: Option<&str>, message: &[u8], signature: &[u8]) -> bool {
        let meant = self.0.iter().filter(|key| id.is_none() || key.id.is_none() || key.id.as_deref() == id);
        meant.into_iter().any(|key| match (&key.public, algorithm) {
            (Public::Rsa { modulus, exponent }, "RS256") => {
                let key = RsaPublicKeyComponents { n: modulus, e: exponent };
                key.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature).is_ok()
            }
            (Public::P256(point), "ES256") => {
                let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point);
                key.verify(message, signature).is_ok()
            }
            _ => false,
        })
    }
}

impl RawKey {
    fn key(&self) -> Option<Key> {
        let part = |text: &Option<String>| decoded(text.as_deref()?);
        let public = match (self.kty.as_str(), self.crv.as_deref()) {
            ("RSA", _) => Public::Rsa { modulus: part(&self.n)?, exponent: part(&self.e)? },
            ("EC", Some("P-256")) => {
                let (x, y) = (part(&self.x)?, part(&self.y)?);
                Public::P256([&[4], x.as_slice(), y.as_slice()].concat())
            }
            _ => return None,
        };
        Some(Key { id: self.kid.clone(), public })
    }
}
