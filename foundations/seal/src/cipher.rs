//! The ciphers, behind one trait.

use aes_gcm::aead::{Aead as _, KeyInit as _, Nonce, Payload};
use aes_gcm::aes::cipher::consts::U12;
use aes_gcm::{Aes256Gcm, AesGcm};
use sm4::Sm4;

/// Bytes of a nonce.
pub(crate) const NONCE: usize = 12;
/// Bytes that authenticate a sealed value.
pub(crate) const TAG: usize = 16;

type Sm4Gcm = AesGcm<Sm4, U12>;

/// Which cipher seals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CipherKind {
    /// AES with 256 bits in Galois/counter mode (NIST SP 800-38D).
    #[default]
    Aes256Gcm,
    /// SM4 in Galois/counter mode (GB/T 32907, RFC 8998): where commercial cryptography of the state is asked for.
    Sm4Gcm,
}

impl CipherKind {
    /// As a key file names it.
    pub const fn key(self) -> &'static str {
        match self {
            CipherKind::Aes256Gcm => "aes-256-gcm",
            CipherKind::Sm4Gcm => "sm4-gcm",
        }
    }

    /// The cipher that `key` names.
    pub fn of_key(key: &str) -> Option<CipherKind> {
        [CipherKind::Aes256Gcm, CipherKind::Sm4Gcm].into_iter().find(|kind| kind.key() == key)
    }

    /// As a sealed value says it.
    pub(crate) const fn number(self) -> u8 {
        match self {
            CipherKind::Aes256Gcm => 1,
            CipherKind::Sm4Gcm => 2,
        }
    }

    /// The cipher with this key: all 32 bytes of it for AES, the first 16 for SM4.
    pub(crate) fn keyed(self, key: &[u8; 32]) -> Box<dyn Cipher> {
        match self {
            CipherKind::Aes256Gcm => Box::new(Aes256Gcm::new(key.into())),
            CipherKind::Sm4Gcm => {
                let mut half = zeroize::Zeroizing::new([0_u8; 16]);
                half.copy_from_slice(&key[..16]);
                Box::new(Sm4Gcm::new((&*half).into()))
            }
        }
    }
}

/// An authenticated cipher with its key.
pub(crate) trait Cipher: Send + Sync {
    /// The ciphertext and its tag. `None` past the length that the mode allows (64 GiB).
    fn seal(&self, nonce: &[u8; NONCE], bound: &[u8], plain: &[u8]) -> Option<Vec<u8>>;
    /// The plain text; `None` if anything is not as it was sealed.
    fn open(&self, nonce: &[u8; NONCE], bound: &[u8], sealed: &[u8]) -> Option<Vec<u8>>;
}

macro_rules! gcm_is_a_cipher {
    ($($cipher:ty),*) => { $(
        impl Cipher for $cipher {
            fn seal(&self, nonce: &[u8; NONCE], bound: &[u8], plain: &[u8]) -> Option<Vec<u8>> {
                self.encrypt(&Nonce::<$cipher>::from(*nonce), Payload { msg: plain, aad: bound }).ok()
            }

            fn open(&self, nonce: &[u8; NONCE], bound: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
                self.decrypt(&Nonce::<$cipher>::from(*nonce), Payload { msg: sealed, aad: bound }).ok()
            }
        }
    )* };
}

gcm_is_a_cipher!(Aes256Gcm, Sm4Gcm);

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(hex: &str) -> Vec<u8> {
        let digits: Vec<u8> = hex.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
        digits
            .chunks(2)
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).expect("digits"), 16).expect("hex"))
            .collect()
    }

    fn known_answer(cipher: &dyn Cipher, [nonce, bound, plain, sealed, tag]: [&str; 5]) {
        let nonce: [u8; NONCE] = bytes(nonce).try_into().expect("12 bytes");
        let expected = [bytes(sealed), bytes(tag)].concat();
        assert_eq!(cipher.seal(&nonce, &bytes(bound), &bytes(plain)).as_ref(), Some(&expected));
        assert_eq!(cipher.open(&nonce, &bytes(bound), &expected), Some(bytes(plain)));
        for position in 0..expected.len() {
            let mut altered = expected.clone();
            altered[position] ^= 1;
            assert_eq!(cipher.open(&nonce, &bytes(bound), &altered), None, "byte {position} was altered");
        }
        assert_eq!(cipher.open(&nonce, b"elsewhere", &expected), None);
    }

    #[test]
    fn sm4_gcm_as_rfc_8998_publishes_it() {
        let mut key = [0_u8; 32];
        key[..16].copy_from_slice(&bytes("0123456789ABCDEFFEDCBA9876543210"));
        known_answer(
            CipherKind::Sm4Gcm.keyed(&key).as_ref(),
            [
                "00001234567800000000ABCD",
                "FEEDFACEDEADBEEFFEEDFACEDEADBEEFABADDAD2",
                "AAAAAAAAAAAAAAAABBBBBBBBBBBBBBBBCCCCCCCCCCCCCCCCDDDDDDDDDDDDDDDD
                 EEEEEEEEEEEEEEEEFFFFFFFFFFFFFFFFEEEEEEEEEEEEEEEEAAAAAAAAAAAAAAAA",
                "17F399F08C67D5EE19D0DC9969C4BB7D5FD46FD3756489069157B282BB200735
                 D82710CA5C22F0CCFA7CBF93D496AC15A56834CBCF98C397B4024A2691233B8D",
                "83DE3541E4C2B58177E065A9BF7B62EC",
            ],
        );
    }

    #[test]
    fn aes_256_gcm_as_the_specification_publishes_it() {
        // McGrew and Viega, The Galois/Counter Mode of Operation (as submitted to NIST), test cases 14 and 16.
        known_answer(
            CipherKind::Aes256Gcm.keyed(&[0; 32]).as_ref(),
            [
                "000000000000000000000000",
                "",
                "00000000000000000000000000000000",
                "cea7403d4d606b6e074ec5d3baf39d18",
                "d0d1c8a799996bf0265b98b5d48ab919",
            ],
        );
        let key: [u8; 32] = bytes("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308")
            .try_into()
            .expect("32 bytes");
        known_answer(
            CipherKind::Aes256Gcm.keyed(&key).as_ref(),
            [
                "cafebabefacedbaddecaf888",
                "feedfacedeadbeeffeedfacedeadbeefabaddad2",
                "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72
                 1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
                "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa
                 8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662",
                "76fc6ece0f4e1768cddf8853bb2d551b",
            ],
        );
    }
}
