//! What is wrong with a cell, and how to mend it.

use std::borrow::Cow;

use kangmai_base::Refusal;

use crate::column::Column;

/// Whether the row can be taken all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The row is taken; somebody should look.
    Warning,
    /// The row is not taken.
    Error,
}

impl Severity {
    /// Key of its word.
    pub const fn word(self) -> &'static str {
        match self {
            Severity::Warning => "sheet.severity.warning",
            Severity::Error => "sheet.severity.error",
        }
    }
}

/// What a reader finds wrong with a text, before it is known where it stood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaw {
    /// Why, as a sentence key with values.
    pub reason: Refusal,
    /// How to mend it, as a sentence key with values.
    pub suggestion: Option<Refusal>,
}

impl Flaw {
    /// A flaw with the sentence `reason`.
    pub const fn new(reason: &'static str) -> Flaw {
        Flaw { reason: Refusal::new(reason), suggestion: None }
    }

    /// Fills in `name` of the reason.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<Cow<'static, str>>) -> Flaw {
        self.reason = self.reason.with(name, value);
        self
    }

    /// Is mended so.
    #[must_use]
    pub fn mend(mut self, suggestion: Refusal) -> Flaw {
        self.suggestion = Some(suggestion);
        self
    }
}

/// Something wrong in a sheet. The sentences are keys of `words.toml`; the page and the error sheet say them in the
/// reader's language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Number of the row, from 1 as in Excel.
    pub row: u32,
    /// The column; none if the whole row is meant.
    pub column: Option<&'static Column>,
    /// Position of the column in the file, from 0.
    pub position: Option<usize>,
    /// What stands in the cell; masked if the column is personal; at most 40 characters.
    pub shown: String,
    /// Why.
    pub reason: Refusal,
    /// How to mend it.
    pub suggestion: Option<Refusal>,
    /// Whether the row is taken.
    pub severity: Severity,
}

/// Characters of a cell that a fault shows.
const SHOWN_CHARS: usize = 40;

impl Fault {
    /// A fault of a whole row.
    pub fn of_row(row: u32, severity: Severity, flaw: Flaw) -> Fault {
        Fault {
            row,
            column: None,
            position: None,
            shown: String::new(),
            reason: flaw.reason,
            suggestion: flaw.suggestion,
            severity,
        }
    }

    /// Whether the row is not taken.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

/// What a fault shows of `text`.
pub(crate) fn shown(text: &str, personal: bool) -> String {
    let text: Vec<char> = text.trim().chars().collect();
    if !personal {
        let short: String = text.iter().take(SHOWN_CHARS).collect();
        return if text.len() > SHOWN_CHARS { format!("{short}…") } else { short };
    }
    let (head, tail) = match text.len() {
        0 => return String::new(),
        1..=4 => (1, 0),
        5..=8 => (1, 2),
        9..=12 => (3, 4),
        _ => (4, 4),
    };
    let stars = (text.len() - head - tail).min(SHOWN_CHARS);
    let start: String = text[..head].iter().collect();
    let end: String = text[text.len() - tail..].iter().collect();
    format!("{start}{}{end}", "*".repeat(stars))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_what_tells_who_somebody_is() {
        for (text, personal, expected) in [
            ("411722195001010014", true, "4117**********0014"),
            ("13800138000", true, "138****8000"),
            ("张三丰", true, "张**"),
            ("", true, ""),
            ("12,5", false, "12,5"),
        ] {
            assert_eq!(shown(text, personal), expected);
        }
        assert_eq!(shown(&"长".repeat(100), false).chars().count(), 41);
        assert_eq!(shown(&"9".repeat(10_000), true).len(), 48);
    }
}
