//! Passwords: argon2id at the cost that OWASP asks for, and which passwords are refused.

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash as Phc;
use argon2::{PasswordHasher, PasswordVerifier};
use kangmai_base::{Ids, Moment, Refusal};

/// The shortest password, in characters.
const SHORTEST: usize = 10;
/// The longest password, in bytes.
const LONGEST: usize = 256;
/// A password has at least so many different characters.
const LEAST_DIFFERENT: usize = 5;
/// Of a name with so many characters or more nothing in the password may remind.
const SHORTEST_NAME: usize = 3;
/// What every hash of today begins with: argon2id with 19 MiB, two passes and one lane, the least that OWASP's Password
/// Storage Cheat Sheet asks for. A hash that begins otherwise is made anew when its owner signs in.
const PRESENT: &str = "$argon2id$v=19$m=19456,t=2,p=1$";
/// A hash that no password has: verified against when there is no such account, so that both take as long.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$YmFzZWxlc3NzYWx0$0000000000000000000000000000000000000000000";
/// Passwords of ten characters and more that everybody tries first; in order. Origin: see the crate's README.
const COMMON: &str = include_str!("common_passwords.txt");

/// An argon2id hash in PHC form. `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash {
    pub(crate) text: String,
    pub(crate) one_time_until: Option<Moment>,
}

impl PasswordHash {
    /// The hash of a password that its owner did not choose: it serves until then, to choose another.
    #[must_use]
    pub fn one_time(self, until: Moment) -> PasswordHash {
        PasswordHash { one_time_until: Some(until), ..self }
    }

    /// Whether it was made at another cost than today's.
    pub(crate) fn is_outdated(&self) -> bool {
        !self.text.starts_with(PRESENT)
    }
}

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
    Ok(PasswordHash { text: hash.to_string(), one_time_until: None })
}

/// Whether somebody called `names` may choose `password`: none that everybody tries first, none that is hardly more than
/// one character, none with the own name in it. Its length is [`hash_password`]'s.
///
/// # Errors
/// What is wrong with it.
pub fn check_password(password: &str, names: &[&str]) -> Result<(), Refusal> {
    let plain = password.to_lowercase();
    let mut different: Vec<char> = plain.chars().collect();
    different.sort_unstable();
    different.dedup();
    let is_common = COMMON.lines().collect::<Vec<_>>().binary_search(&plain.as_str()).is_ok();
    if different.len() < LEAST_DIFFERENT || is_common {
        return Err(Refusal::new("access.password.common").at("password"));
    }
    let reminds = |name: &&str| {
        let name = name.trim().to_lowercase();
        let letters = name.chars().count();
        let least = if name.is_ascii() { SHORTEST_NAME } else { 2 };
        letters >= least && plain.contains(&name)
    };
    if names.iter().any(reminds) {
        return Err(Refusal::new("access.password.name_in_it").at("password"));
    }
    Ok(())
}

/// Sixteen characters that are not mistaken for each other, in groups of four: 80 bits. For passwords that serve once
/// and for codes.
pub fn readable_secret(ids: &dyn Ids) -> String {
    const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let mut bytes = [0_u8; 16];
    ids.fill(&mut bytes);
    let mut text = String::with_capacity(19);
    for (index, byte) in bytes.iter().enumerate() {
        if index > 0 && index % 4 == 0 {
            text.push('-');
        }
        text.push(char::from(ALPHABET[usize::from(byte % 32)]));
    }
    text
}

/// Whether `password` is the one of `hash`. Without a hash (no such account) it takes as long and says no.
pub fn verify_password(hash: Option<&PasswordHash>, password: &str) -> bool {
    let text = hash.map_or(NOBODY, |hash| hash.text.as_str());
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
        assert!(hash.text.starts_with(PRESENT) && NOBODY.starts_with(PRESENT) && !hash.is_outdated());
        assert!(hash_password(&SeededIds::new(1), "short").is_err());
        assert!(hash_password(&SeededIds::new(1), &"长".repeat(100)).is_err());
    }

    #[test]
    fn what_everybody_tries_first_is_refused() {
        let sorted: Vec<&str> = COMMON.lines().collect();
        assert!(sorted.is_sorted() && sorted.len() > 1_000);
        assert!(sorted.iter().all(|line| line.chars().count() >= SHORTEST && *line == line.to_lowercase()));
        let names = ["wangli", "王丽", "李"];
        for (password, expected) in [
            ("a village at night", None),
            ("三个词凑成的一句话好记", None),
            ("李家村口的大槐树下有口井", None),
            ("Password123", Some("access.password.common")),
            ("woaini1314520", Some("access.password.common")),
            ("aaaaaaaaaaaa", Some("access.password.common")),
            ("1212121212121", Some("access.password.common")),
            ("WangLi and more", Some("access.password.name_in_it")),
            ("我是王丽来自上蔡县", Some("access.password.name_in_it")),
        ] {
            let found = check_password(password, &names).err().map(|refusal| refusal.key);
            assert_eq!(found, expected, "{password}");
        }
    }

    #[test]
    fn a_readable_secret_passes_and_is_another_each_time() {
        let ids = SeededIds::new(4);
        let (first, second) = (readable_secret(&ids), readable_secret(&ids));
        assert_ne!(first, second);
        assert_eq!(first.len(), 19);
        assert!(check_password(&first, &["wang"]).is_ok() && hash_password(&ids, &first).is_ok());
    }
}
