//! A pack file's text, and errors that underline the token and say the mend.

use std::fmt::{self, Write};
use std::ops::Range;
use std::sync::Arc;

use crate::Language;
use crate::words::{Arg, Word};

/// A file of a release while it is read.
#[derive(Debug)]
pub(crate) struct PackFile {
    pub(crate) path: String,
    pub(crate) text: String,
}

/// What is wrong. Each has its sentence and its mend in both languages.
pub type ErrorCode = Word;

/// What is wrong with a pack, where, and how to mend it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackError {
    /// What is wrong.
    pub code: ErrorCode,
    /// How to mend it.
    pub mend: Word,
    /// The file, as it was given to the loader.
    pub path: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What to fill into the sentences.
    pub values: Vec<(&'static str, String)>,
    line_text: String,
    marked: Range<usize>,
}

impl PackError {
    pub(crate) fn new(file: &PackFile, span: Range<usize>, code: Word, mend: Word) -> PackError {
        let text = file.text.as_str();
        let mut start = span.start.min(text.len());
        while !text.is_char_boundary(start) {
            start -= 1;
        }
        let line_start = text[..start].rfind('\n').map_or(0, |newline| newline + 1);
        let line_end = text[start..].find('\n').map_or(text.len(), |newline| start + newline);
        let mut end = span.end.clamp(start, line_end);
        while !text.is_char_boundary(end) {
            end += 1;
        }
        PackError {
            code,
            mend,
            path: file.path.clone(),
            line: text[..start].matches('\n').count() + 1,
            column: text[line_start..start].chars().count() + 1,
            values: Vec::new(),
            line_text: text[line_start..line_end].trim_end().to_owned(),
            marked: start - line_start..end - line_start,
        }
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> PackError {
        self.values.push((name, value.into()));
        self
    }

    /// The sentence that says what is wrong.
    pub fn problem(&self, language: Language) -> String {
        self.fill(self.code, language)
    }

    /// The sentence that says how to mend it.
    pub fn advice(&self, language: Language) -> String {
        self.fill(self.mend, language)
    }

    fn fill(&self, word: Word, language: Language) -> String {
        let values: Vec<(&str, Arg<'_>)> =
            self.values.iter().map(|(name, value)| (*name, Arg::Text(value))).collect();
        let mut out = String::new();
        word.write(language, &mut out, &values);
        out
    }

    /// Problem, place, the line with the token underlined, and the mend.
    pub fn render(&self, language: Language) -> String {
        self.render_as(language, Word::HeadError)
    }

    /// As [`render`](PackError::render), for what does not keep the packs from being used.
    pub fn render_warning(&self, language: Language) -> String {
        self.render_as(language, Word::HeadWarning)
    }

    fn render_as(&self, language: Language, head: Word) -> String {
        let (head, mend) = (head.text(language), Word::HeadMend.text(language));
        let margin = " ".repeat(self.line.to_string().len());
        let before = self.line_text.get(..self.marked.start).unwrap_or_default();
        let token = self.line_text.get(self.marked.clone()).unwrap_or_default();
        let (indent, marks) = (" ".repeat(columns(before)), "^".repeat(columns(token).max(1)));
        let mut out = String::new();
        let _ = writeln!(out, "{head}: {}", self.problem(language));
        let _ = writeln!(out, "{margin}--> {}:{}:{}", self.path, self.line, self.column);
        let _ = writeln!(out, "{margin} |");
        let _ = writeln!(out, "{} | {}", self.line, self.line_text);
        let _ = writeln!(out, "{margin} | {indent}{marks}");
        let _ = write!(out, "{margin} = {mend}: {}", self.advice(language));
        out
    }
}

/// How many columns a terminal gives a text: two for a Chinese character.
fn columns(text: &str) -> usize {
    text.chars().map(|character| if (character as u32) >= 0x1100 { 2 } else { 1 }).sum()
}

/// In English.
impl fmt::Display for PackError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(Language::En))
    }
}

impl std::error::Error for PackError {}

/// A place in a file that a later check can point at.
#[derive(Debug, Clone)]
pub(crate) struct Spot {
    pub(crate) file: Arc<PackFile>,
    pub(crate) span: Range<usize>,
}

impl Spot {
    pub(crate) fn error(&self, code: Word, mend: Word) -> PackError {
        PackError::new(&self.file, self.span.clone(), code, mend)
    }
}
