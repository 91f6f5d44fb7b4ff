//! Passwords: argon2id, at the cost that its crate recommends.

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash as Phc;
use argon2::{PasswordHasher, PasswordVerifier};
use kangmai_base::{Ids, Refusal};

/// The shortest password, in characters.
const SHORTEST: usize = 10;
/// The longest password, in bytes.
const LONGEST: usize = 256;
/// A hash that no password has: verified against when there is no such account, so that both take as long.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$YmFzZWxlc3NzYWx0$0000000000000000000000000000000000000000000";

/// An argon2id hash in PHC form. `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(pub(crate) String);

impl std::fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

/// Hashes a new password. Takes tens of milliseconds of a core: not on an async thread.
///
/// # Errors
/// A [`Refusal`] when it is too short or too long.
pub fn hash_password(ids: &dyn Ids, password: &str) -> Result<PasswordHash, Refusal> {
    if password.chars().count() < SHORTEST {
        return Err(Refusal::new("access.password.too_short")
            .with("least", SHORTEST.to_string())
            .at("password"));
    }
    if password.len() > LONGEST {
        return Err(Refusal::new("access.password.too_long")
            .with("most", LONGEST.to_string())
            .at("password"));
    }
    let mut salt = [0_u8; 16];
    ids.fill(&mut salt);
    let hash: Phc = Argon2::default()
        .hash_password_with_salt(password.as_bytes(), &salt)
        .map_err(|_| Refusal::new("access.password.cannot_hash").at("password"))?;
    Ok(PasswordHash(hash.to_string()))
}

/// Whether `password` is the one of `hash`. Without a hash (no such account) it takes as long and says no.
pub fn verify_password(hash: Option<&PasswordHash>, password: &str) -> bool {
    let text = hash.map_or(NOBODY, |hash| hash.0.as_str());
    let right = password.len() <= LONGEST
        && PasswordVerifier::<str>::verify_password(&Argon2::default(), password.as_bytes(), text).is_ok();
    right && hash.is_some()
}

#[cfg(test)]
mod tests {
    use kangmai_base::SeededIds;

    use super::*;

    #[test]
    fn only_the_right_password_passes() {
        let hash = hash_password(&SeededIds::new(1), "a village at night").expect("a hash");
        assert!(verify_password(Some(&hash), "a village at night"));
        assert!(!verify_password(Some(&hash), "a village at Night"));
        assert!(!verify_password(None, "a village at night"));
        assert!(Phc::new(NOBODY).is_ok(), "the hash of nobody must cost as much as a real one");
        assert!(hash_password(&SeededIds::new(1), "short").is_err());
        assert!(hash_password(&SeededIds::new(1), &"长".repeat(100)).is_err());
    }
}
