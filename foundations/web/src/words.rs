//! Every sentence that a user sees, in Chinese and English side by side, by key.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write};
use std::sync::{Mutex, PoisonError};

use kangmai_base::Refusal;
use serde::{Deserialize, Serialize};

/// The language of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Language {
    /// 简体中文
    #[default]
    Zh,
    /// English
    En,
}

impl Language {
    /// Both, Chinese first.
    pub const ALL: [Language; 2] = [Language::Zh, Language::En];

    /// `zh-CN` or `en`, for `<html lang>`.
    pub const fn tag(self) -> &'static str {
        match self {
            Language::Zh => "zh-CN",
            Language::En => "en",
        }
    }

    /// `zh` or `en`: the cookie's value and the key in `words.toml`.
    pub const fn code(self) -> &'static str {
        match self {
            Language::Zh => "zh",
            Language::En => "en",
        }
    }

    /// From `zh` or `en`.
    pub fn from_code(code: &str) -> Option<Language> {
        Language::ALL.into_iter().find(|language| language.code() == code)
    }

    /// The other one: what the language switch offers.
    pub const fn other(self) -> Language {
        match self {
            Language::Zh => Language::En,
            Language::En => Language::Zh,
        }
    }
}

/// Why words could not be loaded. Says the key, so that the mistake is found in a second.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WordsError {
    /// Not TOML, or not tables of `zh` and `en`.
    #[error("words.toml number {file} (from 0): {reason}")]
    Malformed {
        /// Which of the texts given, from 0.
        file: usize,
        /// What the reader of TOML says; names the line.
        reason: String,
    },
    /// The same key twice, in one file or in two.
    #[error("words: the key {0:?} is there twice")]
    Duplicate(String),
    /// `zh` or `en` is missing or empty.
    #[error("words: {key:?} has no {language}")]
    Missing {
        /// The key.
        key: String,
        /// `zh` or `en`.
        language: &'static str,
    },
    /// The `{names}` differ between the languages.
    #[error("words: {key:?} fills in {zh:?} in zh and {en:?} in en")]
    NamesDiffer {
        /// The key.
        key: String,
        /// Names in the Chinese sentence.
        zh: BTreeSet<String>,
        /// Names in the English sentence.
        en: BTreeSet<String>,
    },
    /// A brace without its partner, or a name that is not of `a-z`, `0-9` and `_`.
    #[error("words: {0:?} has a brace that is no {{name}}")]
    Brace(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    zh: Option<String>,
    en: Option<String>,
}

#[derive(Debug)]
struct Sentence {
    zh: String,
    en: String,
}

/// All words of the program. Loaded once; shared by `Arc`.
#[derive(Debug, Default)]
pub struct Words {
    sentences: BTreeMap<String, Sentence>,
    missing: Mutex<BTreeSet<String>>,
}

impl Words {
    /// How many missing keys are remembered.
    const MISSING_REMEMBERED: usize = 200;

    /// Reads `words.toml` texts: tables `["settlement.bill.title"]` with `zh` and `en`. Strict: see [`WordsError`].
    pub fn load(texts: &[&'static str]) -> Result<Words, WordsError> {
        let mut sentences = BTreeMap::new();
        for (file, text) in texts.iter().enumerate() {
            let malformed =
                |reason: toml::de::Error| WordsError::Malformed { file, reason: reason.to_string() };
            let entries: BTreeMap<String, Entry> = toml::from_str(text).map_err(malformed)?;
            for (key, entry) in entries {
                let sentence = Sentence::read(&key, entry)?;
                if sentences.insert(key.clone(), sentence).is_some() {
                    return Err(WordsError::Duplicate(key));
                }
            }
        }
        Ok(Words { sentences, missing: Mutex::default() })
    }

    /// The sentence `key` with its `{names}` filled in. A missing key shows as `⟦key⟧` and is remembered
    /// ([`Words::missing`]); a name without a value stays as it is; values without a name are ignored.
    pub fn say(&self, language: Language, key: &str, values: &[(&str, &dyn fmt::Display)]) -> String {
        let mut out = String::new();
        let sentence = self.sentence(language, key);
        let mut rest: &str = &sentence;
        while let Some((before, name, after)) = next_name(rest) {
            out.push_str(before);
            match values.iter().find(|(candidate, _)| *candidate == name) {
                Some((_, value)) => {
                    // Writing to a String cannot fail.
                    let _ = write!(out, "{value}");
                }
                None => {
                    let _ = write!(out, "{{{name}}}");
                }
            }
            rest = after;
        }
        out.push_str(rest);
        out
    }

    /// The sentence `key` that has no `{names}`.
    pub fn word(&self, language: Language, key: &str) -> Cow<'_, str> {
        self.sentence(language, key)
    }

    /// What a [`Refusal`] says. `field` fills in `{field}`.
    pub fn refusal(&self, language: Language, refusal: &Refusal, field: &str) -> String {
        let mut values: Vec<(&str, &dyn fmt::Display)> =
            refusal.values.iter().map(|(name, value)| (*name, value as &dyn fmt::Display)).collect();
        values.push(("field", &field));
        self.say(language, refusal.key, &values)
    }

    /// Whether there is such a key.
    pub fn has(&self, key: &str) -> bool {
        self.sentences.contains_key(key)
    }

    /// All keys, sorted.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.sentences.keys().map(String::as_str)
    }

    /// Keys that were asked for and are not there (at most 200 are remembered). Empty in a right program.
    pub fn missing(&self) -> Vec<String> {
        self.missing.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    fn sentence(&self, language: Language, key: &str) -> Cow<'_, str> {
        match self.sentences.get(key) {
            Some(sentence) => Cow::Borrowed(match language {
                Language::Zh => &sentence.zh,
                Language::En => &sentence.en,
            }),
            None => {
                let mut missing = self.missing.lock().unwrap_or_else(PoisonError::into_inner);
                if missing.len() < Words::MISSING_REMEMBERED && missing.insert(key.to_owned()) {
                    tracing::warn!(key, "a word is missing");
                }
                Cow::Owned(format!("⟦{key}⟧"))
            }
        }
    }
}

impl Sentence {
    fn read(key: &str, entry: Entry) -> Result<Sentence, WordsError> {
        let present = |text: Option<String>, language| {
            text.filter(|text| !text.trim().is_empty())
                .ok_or_else(|| WordsError::Missing { key: key.to_owned(), language })
        };
        let sentence = Sentence { zh: present(entry.zh, "zh")?, en: present(entry.en, "en")? };
        let (zh, en) = (names(key, &sentence.zh)?, names(key, &sentence.en)?);
        if zh != en {
            return Err(WordsError::NamesDiffer { key: key.to_owned(), zh, en });
        }
        Ok(sentence)
    }
}

/// Text before the next `{name}`, the name, and the text after it.
fn next_name(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once('{')?;
    let (name, after) = rest.split_once('}')?;
    Some((before, name, after))
}

fn names(key: &str, text: &str) -> Result<BTreeSet<String>, WordsError> {
    let mut found = BTreeSet::new();
    let mut rest = text;
    let is_name = |name: &str| {
        !name.is_empty()
            && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
    };
    while let Some((before, name, after)) = next_name(rest) {
        if before.contains('}') || !is_name(name) {
            return Err(WordsError::Brace(key.to_owned()));
        }
        found.insert(name.to_owned());
        rest = after;
    }
    if rest.contains(['{', '}']) { Err(WordsError::Brace(key.to_owned())) } else { Ok(found) }
}

/// `1,234,567`.
pub fn grouped(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3 + 1);
    if number < 0 {
        out.push('-');
    }
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_in_both_languages() {
        let words = Words::load(&[r#"
            ["bill.paid"]
            zh = "{payer}支付{amount}元"
            en = "{payer} pays {amount} yuan"
        "#])
        .unwrap();
        let values: &[(&str, &dyn fmt::Display)] = &[("payer", &"A{x}"), ("amount", &12), ("spare", &1)];
        assert_eq!(words.say(Language::Zh, "bill.paid", values), "A{x}支付12元");
        assert_eq!(words.say(Language::En, "bill.paid", values), "A{x} pays 12 yuan");
        assert_eq!(words.say(Language::En, "bill.paid", &[]), "{payer} pays {amount} yuan");
        assert_eq!(words.missing(), Vec::<String>::new());
        assert_eq!(words.word(Language::En, "bill.unknown"), "⟦bill.unknown⟧");
        assert_eq!(words.missing(), ["bill.unknown"]);
    }

    #[test]
    fn refuses_careless_words() {
        let check = |text: &'static str, expected: &str| {
            let error = Words::load(&[text]).unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
        };
        check("[\"a\"]\nzh = \"一\"", "\"a\" has no en");
        check("[\"a\"]\nzh = \"\"\nen = \"a\"", "\"a\" has no zh");
        check("[\"a\"]\nzh = \"{n}\"\nen = \"{m}\"", "fills in");
        check("[\"a\"]\nzh = \"{n\"\nen = \"a\"", "brace");
        check("[\"a\"]\nzh = \"n}\"\nen = \"a\"", "brace");
        check("[\"a\"]\nzh = \"{N}\"\nen = \"{N}\"", "brace");
        check("[\"a\"]\nzh = \"一\"\nen = \"a\"\nfr = \"a\"", "unknown field");
        check("[a.b]\nzh = \"一\"\nen = \"a\"", "unknown field");
        check("[\"a\"]\nzh = \"一\"\nen = \"a\"\n[\"a\"]\nzh = \"一\"\nen = \"a\"", "duplicate");
        let one = "[\"a\"]\nzh = \"一\"\nen = \"a\"";
        assert_eq!(Words::load(&[one, one]).unwrap_err(), WordsError::Duplicate("a".to_owned()));
    }

    #[test]
    fn groups_numbers() {
        for (number, expected) in [(0, "0"), (999, "999"), (1_000, "1,000"), (-1_234_567, "-1,234,567")] {
            assert_eq!(grouped(number), expected);
        }
    }
}
