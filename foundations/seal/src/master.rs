//! Master keys: they stand outside the database and wrap the keys of the ring, which stand in it.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use kangmai_base::Ids;
use zeroize::Zeroizing;

use crate::digest::{derive, finish, keyed};
use crate::ring::{Key, fresh_secret};
use crate::{Cell, CipherKind, KeyRing, Secret, Unopened, WrappedKey, hex};

/// The number under which the look-up key is wrapped.
const LOOK_UP: u32 = 0;
/// Master keys at most: one in use, the others only to unwrap until everything is wrapped again.
const MASTER_KEYS: usize = 8;

/// The master keys of an installation. The first wraps, all unwrap. Cheap to clone; shows nothing.
#[derive(Clone)]
pub struct MasterKeys {
    cipher: CipherKind,
    keys: Arc<Vec<Key>>,
}

/// A key file that cannot be read. Says which line, nothing of what stands there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadKeyText {
    /// A line is neither a cipher nor a key.
    #[error(
        "line {0} of the master key is neither `cipher aes-256-gcm`, `cipher sm4-gcm` nor `key` with 64 hexadecimal digits"
    )]
    Line(usize),
    /// There is no key.
    #[error(
        "the master key is empty: one line with `key` and 64 hexadecimal digits is wanted (`kangmai keys new`)"
    )]
    Empty,
    /// More keys than anybody needs.
    #[error("more than {MASTER_KEYS} master keys")]
    TooMany,
}

impl MasterKeys {
    /// One fresh master key; `cipher` seals from now on.
    pub fn fresh(ids: &dyn Ids, cipher: CipherKind) -> MasterKeys {
        MasterKeys::of(cipher, vec![fresh_secret(ids)])
    }

    fn of(cipher: CipherKind, secrets: Vec<Secret>) -> MasterKeys {
        let keys = secrets.into_iter().map(|secret| Key::new(fingerprint(&secret), cipher, secret)).collect();
        MasterKeys { cipher, keys: Arc::new(keys) }
    }

    /// The cipher of keys to be made.
    pub const fn cipher(&self) -> CipherKind {
        self.cipher
    }

    /// What tells the master keys apart, the one that wraps first: 32 bits that tell nothing of the key.
    pub fn fingerprints(&self) -> impl Iterator<Item = u32> {
        self.keys.iter().map(|key| key.number)
    }

    /// The text of a key file. A secret.
    pub fn text(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(format!("cipher {}\n", self.cipher.key()));
        for key in self.keys.iter() {
            text.push_str("key ");
            text.push_str(&hex::write(&key.secret()[..]));
            text.push('\n');
        }
        text
    }

    /// The same with one more, fresh key, which wraps from now on.
    #[must_use]
    pub fn renewed(&self, ids: &dyn Ids) -> MasterKeys {
        let old = self.keys.iter().map(|key| key.secret().clone());
        MasterKeys::of(self.cipher, [fresh_secret(ids)].into_iter().chain(old).collect())
    }

    /// The ring as it is kept: every key wrapped by the first master key.
    pub fn wrap(&self, ring: &KeyRing) -> Vec<WrappedKey> {
        let (keys, look_up) = ring.parts();
        let data = keys.map(|key| self.wrap_one(key.number, key.kind(), key.secret()));
        data.chain([self.wrap_one(LOOK_UP, self.cipher, look_up)]).collect()
    }

    fn wrap_one(&self, number: u32, cipher: CipherKind, secret: &Secret) -> WrappedKey {
        let row = number.to_be_bytes();
        let wrapped = self.keys.first().map(|master| master.seal(&cell(&row, cipher), &secret[..]));
        WrappedKey { number, cipher, wrapped: wrapped.unwrap_or_default() }
    }

    /// The ring out of its wrapped keys.
    ///
    /// # Errors
    /// [`Unopened::NoKey`] with the fingerprint of the master key that is wanted; [`Unopened::Broken`] if one was
    /// altered or the look-up key or every other is missing.
    pub fn unwrap(&self, kept: &[WrappedKey]) -> Result<KeyRing, Unopened> {
        let mut keys = Vec::with_capacity(kept.len());
        let mut look_up = None;
        for one in kept {
            let secret = self.unwrap_one(one)?;
            if one.number == LOOK_UP {
                look_up = Some(secret);
            } else {
                keys.push((one.number, one.cipher, secret));
            }
        }
        KeyRing::new(keys, look_up.ok_or(Unopened::Broken)?).ok_or(Unopened::Broken)
    }

    fn unwrap_one(&self, one: &WrappedKey) -> Result<Secret, Unopened> {
        let wanted = crate::key_of(&one.wrapped).ok_or(Unopened::Broken)?;
        let master = self.keys.iter().find(|key| key.number == wanted).ok_or(Unopened::NoKey(wanted))?;
        let row = one.number.to_be_bytes();
        // The cipher of the file may have changed since; the wrapped key says with which it was wrapped.
        let kind = [CipherKind::Aes256Gcm, CipherKind::Sm4Gcm]
            .into_iter()
            .find(|kind| one.wrapped.get(1) == Some(&kind.number()))
            .ok_or(Unopened::Broken)?;
        let cell = cell(&row, one.cipher);
        let opened = if kind == master.kind() {
            master.open(&cell, &one.wrapped)?
        } else {
            Key::new(wanted, kind, master.secret().clone()).open(&cell, &one.wrapped)?
        };
        let mut secret = Zeroizing::new([0_u8; 32]);
        if opened.len() != secret.len() {
            return Err(Unopened::Broken);
        }
        secret.copy_from_slice(&opened);
        Ok(secret)
    }
}

/// A wrapped key opens only under its number and cipher.
const fn cell(row: &[u8; 4], cipher: CipherKind) -> Cell<'_> {
    Cell { table: "seal_key", column: cipher.key(), row }
}

/// 32 bits of a digest of the key.
fn fingerprint(secret: &Secret) -> u32 {
    let digest = finish(keyed(&derive(secret, "fingerprint")[..]), &[]);
    u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]])
}

impl FromStr for MasterKeys {
    type Err = BadKeyText;

    /// Reads a key file: lines of `cipher …` and `key …`; lines that begin with `#` and empty ones say nothing. 64
    /// digits alone are a key.
    fn from_str(text: &str) -> Result<MasterKeys, BadKeyText> {
        let mut cipher = CipherKind::default();
        let mut secrets = Vec::new();
        for (index, line) in text.lines().map(str::trim).enumerate() {
            let bad = || BadKeyText::Line(index + 1);
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            if let Some(name) = line.strip_prefix("cipher ") {
                cipher = CipherKind::of_key(name.trim()).ok_or_else(bad)?;
            } else {
                let digits = line.strip_prefix("key ").unwrap_or(line).trim();
                secrets.push(hex::read_32(digits).ok_or_else(bad)?);
            }
        }
        match secrets.len() {
            0 => Err(BadKeyText::Empty),
            1..=MASTER_KEYS => Ok(MasterKeys::of(cipher, secrets)),
            _ => Err(BadKeyText::TooMany),
        }
    }
}

impl fmt::Debug for MasterKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MasterKeys({}, {})", self.keys.len(), self.cipher.key())
    }
}
