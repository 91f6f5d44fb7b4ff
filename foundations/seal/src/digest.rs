//! Keyed digests (HMAC-SM3) for exact look-ups.

use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sm3::Sm3;
use zeroize::Zeroizing;

pub(crate) type HmacSm3 = Hmac<Sm3>;

/// What a digest is for, such as `person.id_number`. Digests of the same value for two purposes have nothing in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Purpose(pub &'static str);

/// A keyed digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// All 32 bytes.
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// All 32 bytes as 64 lower-case hexadecimal digits.
    pub fn hex(&self) -> String {
        crate::hex::write(&self.0).to_string()
    }

    /// The digest that [`Digest::hex`] wrote.
    pub fn of_hex(text: &str) -> Option<Digest> {
        crate::hex::read_32(text).map(|bytes| Digest(*bytes))
    }

    /// The digest that was kept as bytes.
    pub fn of_bytes(bytes: &[u8]) -> Option<Digest> {
        bytes.try_into().ok().map(Digest)
    }

    /// The first 64 bits as a number: for a column that finds candidates, of which the true ones are kept once opened.
    pub fn number(&self) -> i64 {
        let mut first = [0_u8; 8];
        first.copy_from_slice(&self.0[..8]);
        i64::from_be_bytes(first)
    }
}

/// The look-up key of one purpose: for many digests in a row.
#[derive(Clone)]
pub struct LookUp(HmacSm3);

impl LookUp {
    pub(crate) fn new(root: &[u8; 32], purpose: Purpose) -> LookUp {
        let key = derive(root, purpose.0);
        LookUp(keyed(&key[..]))
    }

    /// The digest of `plain`.
    pub fn digest(&self, plain: &[u8]) -> Digest {
        Digest(finish(self.0.clone(), &[plain]))
    }
}

impl fmt::Debug for LookUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LookUp")
    }
}

/// HMAC-SM3 with `key`, ready for a message.
#[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
pub(crate) fn keyed(key: &[u8]) -> HmacSm3 {
    HmacSm3::new_from_slice(key).expect("any length is a key")
}

/// The digest of the parts, one after the other.
pub(crate) fn finish(mut mac: HmacSm3, parts: &[&[u8]]) -> [u8; 32] {
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// A key for one use out of a key for many.
pub(crate) fn derive(key: &[u8; 32], name: &str) -> Zeroizing<[u8; 32]> {
    Zeroizing::new(finish(keyed(key), &[b"kangmai ", name.as_bytes()]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use sm3::Digest as _;

    fn hex(bytes: &[u8]) -> String {
        crate::hex::write(bytes).to_string()
    }

    #[test]
    fn sm3_as_gb_t_32905_publishes_it() {
        assert_eq!(
            hex(&Sm3::digest(b"abc")),
            "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
        );
        assert_eq!(
            hex(&Sm3::digest(b"abcd".repeat(16))),
            "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732"
        );
    }

    #[test]
    fn hmac_sm3_as_gb_t_15852_publishes_it() {
        // GB/T 15852.2, also in GM/T 0042 and the test vectors of OpenSSL (evpmac_common.txt).
        let key: Vec<u8> = (1..=32).collect();
        let message = b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq".repeat(2);
        assert_eq!(
            hex(&finish(keyed(&key), &[&message])),
            "ca05e144ed05d1857840d1f318a4a8669e559fc8391f414485bfdf7bb408963a"
        );
    }

    #[test]
    fn purposes_have_nothing_in_common() {
        let root = [7; 32];
        let (one, other) = (LookUp::new(&root, Purpose("one")), LookUp::new(&root, Purpose("other")));
        assert_eq!(one.digest(b"same"), one.digest(b"same"));
        assert_ne!(one.digest(b"same"), other.digest(b"same"));
        assert_ne!(one.digest(b"same").number(), one.digest(b"another").number());
        assert_eq!(format!("{one:?}"), "LookUp");
    }

    #[test]
    fn a_digest_is_kept_as_letters_and_as_bytes() {
        let digest = LookUp::new(&[7; 32], Purpose("one")).digest(b"same");
        assert_eq!(Digest::of_hex(&digest.hex()), Some(digest));
        assert_eq!(Digest::of_bytes(digest.bytes()), Some(digest));
        assert_eq!(Digest::of_hex("zz"), None);
        assert_eq!(Digest::of_bytes(&[1, 2]), None);
    }
}
