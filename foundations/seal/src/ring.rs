//! The ring of keys.

use std::fmt;
use std::sync::Arc;

use kangmai_base::Ids;
use zeroize::Zeroizing;

use crate::cipher::{Cipher, NONCE, TAG};
use crate::digest::{HmacSm3, derive, finish, keyed};
use crate::{CipherKind, Digest, LookUp, Purpose};

/// 32 bytes that nobody else may know; forgotten when dropped.
pub type Secret = Zeroizing<[u8; 32]>;

/// The form of sealed values that this program writes.
const FORM: u8 = 1;
/// Form, cipher, number of the key, nonce.
const HEAD: usize = 1 + 1 + 4 + NONCE;

/// Where a value stands. It opens nowhere else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cell<'a> {
    /// The table.
    pub table: &'a str,
    /// The column.
    pub column: &'a str,
    /// The identifier of the row.
    pub row: &'a [u8],
}

impl Cell<'_> {
    /// The bytes that stand for the cell; two cells never have the same.
    fn bound(&self) -> Vec<u8> {
        let mut bound = Vec::with_capacity(self.table.len() + self.column.len() + self.row.len() + 2);
        bound.extend_from_slice(self.table.as_bytes());
        bound.push(0);
        bound.extend_from_slice(self.column.as_bytes());
        bound.push(0);
        bound.extend_from_slice(self.row);
        bound
    }
}

/// Why a sealed value does not open. Says nothing of the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unopened {
    /// The key with this number is not in the ring: it came after the ring was read, or was lost.
    #[error("it was sealed with key {0}, which is not in the ring")]
    NoKey(u32),
    /// It was altered, cut, or sealed for another cell.
    #[error("it was altered or belongs elsewhere")]
    Broken,
}

/// What a sealed value held. Forgotten when dropped.
pub type Opened = Zeroizing<Vec<u8>>;

/// A key that seals values.
pub(crate) struct Key {
    pub(crate) number: u32,
    kind: CipherKind,
    secret: Secret,
    cipher: Box<dyn Cipher>,
    nonces: HmacSm3,
}

impl Key {
    pub(crate) fn new(number: u32, kind: CipherKind, secret: Secret) -> Key {
        let cipher = kind.keyed(&derive(&secret, "seal"));
        let nonces = keyed(&derive(&secret, "nonce")[..]);
        Key { number, kind, secret, cipher, nonces }
    }

    pub(crate) fn secret(&self) -> &Secret {
        &self.secret
    }

    pub(crate) const fn kind(&self) -> CipherKind {
        self.kind
    }

    pub(crate) fn seal(&self, cell: &Cell<'_>, plain: &[u8]) -> Vec<u8> {
        let bound = cell.bound();
        let length = (bound.len() as u64).to_be_bytes();
        let digest = finish(self.nonces.clone(), &[&length, &bound, plain]);
        let mut nonce = [0_u8; NONCE];
        nonce.copy_from_slice(&digest[..NONCE]);
        let mut sealed = Vec::with_capacity(HEAD + plain.len() + TAG);
        sealed.extend_from_slice(&[FORM, self.kind.number()]);
        sealed.extend_from_slice(&self.number.to_be_bytes());
        sealed.extend_from_slice(&nonce);
        // Only past 64 GiB does the mode refuse; what is cut there does not open, and nothing is told.
        sealed.extend(self.cipher.seal(&nonce, &bound, plain).unwrap_or_default());
        sealed
    }

    pub(crate) fn open(&self, cell: &Cell<'_>, sealed: &[u8]) -> Result<Opened, Unopened> {
        let (head, body) = sealed.split_at_checked(HEAD).ok_or(Unopened::Broken)?;
        let nonce: &[u8; NONCE] = head[6..].try_into().map_err(|_| Unopened::Broken)?;
        if head[0] != FORM || head[1] != self.kind.number() {
            return Err(Unopened::Broken);
        }
        self.cipher.open(nonce, &cell.bound(), body).map(Zeroizing::new).ok_or(Unopened::Broken)
    }
}

/// The number of the key that sealed a value; `None` if it is no sealed value of this form.
pub fn key_of(sealed: &[u8]) -> Option<u32> {
    (sealed.len() >= HEAD + TAG && sealed[0] == FORM)
        .then(|| u32::from_be_bytes([sealed[2], sealed[3], sealed[4], sealed[5]]))
}

/// A key of the ring as it is kept: wrapped by a master key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrappedKey {
    /// Its number; that of the look-up key is 0.
    pub number: u32,
    /// Its cipher.
    pub cipher: CipherKind,
    /// The key, sealed with a master key.
    pub wrapped: Vec<u8>,
}

/// Keys that seal values, one of them current, and the key of look-ups. Cheap to clone; shows nothing.
#[derive(Clone)]
pub struct KeyRing(Arc<Inner>);

struct Inner {
    /// The current one is the last.
    keys: Vec<Key>,
    look_up: Secret,
}

impl KeyRing {
    /// A ring of these keys, of which the one with the highest number is current. `None` without any, or with two of
    /// one number.
    pub fn new(mut keys: Vec<(u32, CipherKind, Secret)>, look_up: Secret) -> Option<KeyRing> {
        keys.sort_by_key(|(number, ..)| *number);
        let twice = keys.windows(2).any(|pair| pair[0].0 == pair[1].0);
        if keys.is_empty() || twice {
            return None;
        }
        let keys = keys.into_iter().map(|(number, kind, secret)| Key::new(number, kind, secret)).collect();
        Some(KeyRing(Arc::new(Inner { keys, look_up })))
    }

    /// A ring of one fresh key.
    pub fn fresh(ids: &dyn Ids, kind: CipherKind) -> KeyRing {
        let keys = vec![Key::new(1, kind, fresh_secret(ids))];
        KeyRing(Arc::new(Inner { keys, look_up: fresh_secret(ids) }))
    }

    /// The ring with one more fresh key, which is current.
    #[must_use]
    pub fn rotated(&self, ids: &dyn Ids, kind: CipherKind) -> KeyRing {
        self.with_newest_of(&KeyRing::fresh(ids, kind), kind)
    }

    /// The ring with the newest key of `other` as one more, which is current.
    #[must_use]
    pub fn with_newest_of(&self, other: &KeyRing, kind: CipherKind) -> KeyRing {
        let old = self.0.keys.iter().map(|key| Key::new(key.number, key.kind, key.secret.clone()));
        let newest = other.0.keys.last().map(|key| Key::new(self.current() + 1, kind, key.secret.clone()));
        KeyRing(Arc::new(Inner { keys: old.chain(newest).collect(), look_up: self.0.look_up.clone() }))
    }

    /// The number of the current key.
    pub fn current(&self) -> u32 {
        self.0.keys.last().map_or(0, |key| key.number)
    }

    /// The numbers and ciphers of all keys, oldest first.
    pub fn keys(&self) -> impl Iterator<Item = (u32, CipherKind)> {
        self.0.keys.iter().map(|key| (key.number, key.kind))
    }

    /// Seals `plain` to its cell with the current key.
    pub fn seal(&self, cell: &Cell<'_>, plain: &[u8]) -> Vec<u8> {
        self.0.keys.last().map(|key| key.seal(cell, plain)).unwrap_or_default()
    }

    /// Opens what was sealed for `cell` with any key of the ring.
    ///
    /// # Errors
    /// When the key is not in the ring, or the value is not what was sealed there.
    pub fn open(&self, cell: &Cell<'_>, sealed: &[u8]) -> Result<Opened, Unopened> {
        let number = key_of(sealed).ok_or(Unopened::Broken)?;
        let key = self.0.keys.iter().rfind(|key| key.number == number).ok_or(Unopened::NoKey(number))?;
        key.open(cell, sealed)
    }

    /// The keyed digest of `plain` for `purpose`.
    pub fn digest(&self, purpose: Purpose, plain: &[u8]) -> Digest {
        self.look_up(purpose).digest(plain)
    }

    /// The look-up key of a purpose, for many digests.
    pub fn look_up(&self, purpose: Purpose) -> LookUp {
        LookUp::new(&self.0.look_up, purpose)
    }

    pub(crate) fn parts(&self) -> (impl Iterator<Item = &Key>, &Secret) {
        (self.0.keys.iter(), &self.0.look_up)
    }
}

/// 32 random bytes.
pub(crate) fn fresh_secret(ids: &dyn Ids) -> Secret {
    let mut secret = Zeroizing::new([0_u8; 32]);
    ids.fill(&mut secret[..]);
    secret
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyRing({} keys, current {})", self.0.keys.len(), self.current())
    }
}
