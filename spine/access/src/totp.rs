//! One-time codes by the clock (TOTP, RFC 6238): SHA-1, six digits, thirty seconds, which every authenticator knows.

use hmac::{Hmac, KeyInit as _, Mac as _};
use kangmai_base::Moment;
use sha1::Sha1;

/// Length of a secret: that of the hash, as RFC 4226 asks for.
pub(crate) const SECRET_BYTES: usize = 20;
/// How long a code is shown.
const STEP_SECONDS: i64 = 30;
/// Steps that a telephone's clock may go wrong, either way.
const SKEW_STEPS: i64 = 1;
/// A code is less than this: six digits.
const CODES: u32 = 1_000_000;

fn step_at(now: Moment) -> i64 {
    now.0.div_euclid(Moment::SECOND * STEP_SECONDS)
}

/// The code of a step.
fn code_of(secret: &[u8], step: i64) -> Option<u32> {
    let mut mac = Hmac::<Sha1>::new_from_slice(secret).ok()?;
    mac.update(&step.to_be_bytes());
    let digest = mac.finalize().into_bytes();
    let offset = usize::from(digest.last()? & 0x0f);
    let bytes: [u8; 4] = digest.get(offset..offset + 4)?.try_into().ok()?;
    Some((u32::from_be_bytes(bytes) & 0x7fff_ffff) % CODES)
}

/// The step that `typed` is the code of at `now`, if that is a later one than `last`: a code serves once, and none that
/// was shown before it serves any more.
pub(crate) fn accepted_step(secret: &[u8], typed: &str, now: Moment, last: Option<i64>) -> Option<i64> {
    let digits: String = typed.chars().filter(|character| !character.is_whitespace()).collect();
    if digits.len() != 6 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let typed: u32 = digits.parse().ok()?;
    let present = step_at(now);
    // All steps are compared, whichever fits: how long it takes tells nothing.
    let fits = (present - SKEW_STEPS..=present + SKEW_STEPS)
        .filter(|step| code_of(secret, *step).is_some_and(|code| code ^ typed == 0))
        .fold(None, |_, step| Some(step));
    fits.filter(|step| last.is_none_or(|last| *step > last))
}

/// The code that an authenticator shows at `now`: for tests of what asks for it.
pub fn code_at(secret: &str, now: Moment) -> Option<String> {
    code_of(&from_base32(secret)?, step_at(now)).map(|code| format!("{code:06}"))
}

const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// As authenticators read a secret; 20 bytes are 32 letters.
pub(crate) fn to_base32(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(5) * 8);
    for chunk in bytes.chunks(5) {
        let mut buffer = [0_u8; 8];
        buffer[3..3 + chunk.len()].copy_from_slice(chunk);
        let bits = u64::from_be_bytes(buffer);
        for place in 0..(chunk.len() * 8).div_ceil(5) {
            text.push(char::from(BASE32[((bits >> (35 - 5 * place)) & 31) as usize]));
        }
    }
    text
}

fn from_base32(text: &str) -> Option<Vec<u8>> {
    let (mut bytes, mut bits, mut held) = (Vec::new(), 0_u32, 0_u32);
    for letter in text.bytes().filter(|byte| *byte != b' ') {
        let value = BASE32.iter().position(|own| *own == letter.to_ascii_uppercase())?;
        bits = (bits << 5) | u32::try_from(value).ok()?;
        held += 5;
        if held >= 8 {
            held -= 8;
            bytes.push(u8::try_from((bits >> held) & 0xff).ok()?);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &[u8] = b"12345678901234567890";

    fn at(seconds: i64) -> Moment {
        Moment(0).plus_seconds(seconds)
    }

    #[test]
    fn the_vectors_of_rfc_6238() {
        // Appendix B, SHA-1; the last six of its eight digits.
        for (seconds, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(code_at(&to_base32(SECRET), at(seconds)).as_deref(), Some(code), "{seconds}");
            assert!(accepted_step(SECRET, code, at(seconds), None).is_some(), "{seconds}");
        }
    }

    #[test]
    fn a_code_serves_one_step_either_way_and_once() {
        let code = "287082"; // of step 1
        for (seconds, accepted) in [(0, true), (29, true), (30, true), (59, true), (89, true), (90, false)] {
            assert_eq!(accepted_step(SECRET, code, at(seconds), None).is_some(), accepted, "{seconds}");
        }
        assert_eq!(accepted_step(SECRET, code, at(59), None), Some(1));
        assert_eq!(accepted_step(SECRET, code, at(59), Some(0)), Some(1));
        assert_eq!(accepted_step(SECRET, code, at(59), Some(1)), None, "it was used");
        assert_eq!(accepted_step(SECRET, code, at(59), Some(2)), None, "a later one was used");
        assert_eq!(accepted_step(SECRET, " 287 082 ", at(59), None), Some(1));
        for wrong in ["", "28708", "2870820", "28708x", "-28708", "２８７０８２"] {
            assert_eq!(accepted_step(SECRET, wrong, at(59), None), None, "{wrong}");
        }
    }

    #[test]
    fn secrets_are_written_as_authenticators_read_them() {
        // RFC 4648, section 10, without the padding.
        for (bytes, text) in
            [("", ""), ("f", "MY"), ("fo", "MZXQ"), ("foo", "MZXW6"), ("foobar", "MZXW6YTBOI")]
        {
            assert_eq!(to_base32(bytes.as_bytes()), text);
            assert_eq!(from_base32(text).as_deref(), Some(bytes.as_bytes()), "{text}");
        }
        assert_eq!(to_base32(SECRET), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        assert_eq!(from_base32("0"), None);
    }
}
