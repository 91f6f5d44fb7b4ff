//! What to say when something may not be.

use std::borrow::Cow;

/// A rule says no. Carries the key of a sentence in `words.toml` and what to fill in, never a sentence: the page
/// says it in the reader's language. The sentence must say what is wrong *and* how to mend it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Key of the sentence.
    pub key: &'static str,
    /// Values for the `{names}` in the sentence. Never personal data beyond what the reader typed.
    pub values: Vec<(&'static str, Cow<'static, str>)>,
    /// The form field that it belongs to, if any.
    pub field: Option<&'static str>,
}

impl Refusal {
    /// A refusal with the sentence `key`.
    pub const fn new(key: &'static str) -> Refusal {
        Refusal { key, values: Vec::new(), field: None }
    }

    /// Fills in `name`.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<Cow<'static, str>>) -> Refusal {
        self.values.push((name, value.into()));
        self
    }

    /// Belongs to `field`.
    #[must_use]
    pub const fn at(mut self, field: &'static str) -> Refusal {
        self.field = Some(field);
        self
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.key)?;
        for (name, value) in &self.values {
            write!(f, " {name}={value}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Refusal {}
