//! The licence of every dependency is one that `deny.toml` allows.

use super::{Complaint, Package};

/// The licences that `deny.toml` allows.
pub fn allowed(deny: &str) -> Vec<String> {
    let table: toml::Table = deny.parse().expect("deny.toml is TOML");
    let list =
        table.get("licenses").and_then(|licences| licences.get("allow")).and_then(toml::Value::as_array);
    list.into_iter().flatten().filter_map(toml::Value::as_str).map(str::to_owned).collect()
}

/// Complaints about packages whose licence is unknown or not allowed.
pub fn check_licences(packages: &[Package], allowed: &[String]) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    for package in packages {
        let says = match &package.licence {
            None => "states no licence".to_owned(),
            Some(licence) if !is_allowed(licence, allowed) => {
                format!("has the licence {licence}, which deny.toml does not allow")
            }
            Some(_) => continue,
        };
        complaints.push(Complaint::about(format!("{} {}", package.name, package.version), says));
    }
    complaints
}

/// Whether an SPDX expression leaves a choice that is allowed. The old `MIT/Apache-2.0` means `or`.
pub fn is_allowed(expression: &str, allowed: &[String]) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut at = 0;
    let verdict = any_of(&words, &mut at, allowed);
    verdict && at == words.len()
}

fn any_of(words: &[&str], at: &mut usize, allowed: &[String]) -> bool {
    let mut verdict = all_of(words, at, allowed);
    while words.get(*at).is_some_and(|word| word.eq_ignore_ascii_case("or")) {
        *at += 1;
        verdict |= all_of(words, at, allowed);
    }
    verdict
}

fn all_of(words: &[&str], at: &mut usize, allowed: &[String]) -> bool {
    let mut verdict = one(words, at, allowed);
    while words.get(*at).is_some_and(|word| word.eq_ignore_ascii_case("and")) {
        *at += 1;
        verdict &= one(words, at, allowed);
    }
    verdict
}

fn one(words: &[&str], at: &mut usize, allowed: &[String]) -> bool {
    let Some(word) = words.get(*at) else { return false };
    *at += 1;
    if *word == "(" {
        let verdict = any_of(words, at, allowed);
        let closed = words.get(*at) == Some(&")");
        *at += 1;
        return verdict && closed;
    }
    let mut name = (*word).to_owned();
    if words.get(*at).is_some_and(|next| next.eq_ignore_ascii_case("with")) {
        name = format!("{name} WITH {}", words.get(*at + 1).copied().unwrap_or_default());
        *at += 2;
    }
    allowed.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_are_read_as_spdx_means_them() {
        let allowed =
            ["MIT", "Apache-2.0", "Unicode-3.0", "Apache-2.0 WITH LLVM-exception"].map(str::to_owned);
        for (expression, expected) in [
            ("MIT", true),
            ("GPL-3.0-only", false),
            ("MIT OR GPL-3.0-only", true),
            ("MIT AND GPL-3.0-only", false),
            ("(MIT OR Apache-2.0) AND Unicode-3.0", true),
            ("(MIT OR Apache-2.0) AND OpenSSL", false),
            ("MIT/Apache-2.0", true),
            ("Apache-2.0 WITH LLVM-exception OR GPL-2.0", true),
            ("Apache-2.0 WITH Other-exception", false),
            ("(MIT", false),
            ("", false),
        ] {
            assert_eq!(is_allowed(expression, &allowed), expected, "{expression}");
        }
    }

    #[test]
    fn a_package_without_a_licence_is_found() {
        let silent = Package { name: "silent".to_owned(), ..Package::default() };
        let strong = Package { licence: Some("AGPL-3.0-only".to_owned()), ..silent.clone() };
        let free = Package { licence: Some("MIT".to_owned()), ..silent.clone() };
        let found = check_licences(&[silent, strong, free], &["MIT".to_owned()]);
        assert_eq!(found.len(), 2);
    }
}
