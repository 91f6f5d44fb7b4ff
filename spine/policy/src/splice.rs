//! The text of a file changed in places: what is not touched stays as it was written, its comments and layout with it.

use std::ops::Range;

use toml::de::{DeTable, DeValue};

/// Changes of one text, by the places of the text as it was.
#[derive(Debug, Default)]
pub(crate) struct Splice {
    edits: Vec<(Range<usize>, String)>,
}

impl Splice {
    pub(crate) fn replace(&mut self, span: Range<usize>, with: impl Into<String>) {
        self.edits.push((span, with.into()));
    }

    pub(crate) fn insert(&mut self, at: usize, what: impl Into<String>) {
        self.replace(at..at, what);
    }

    /// Takes away the lines on which `span` lies.
    pub(crate) fn remove_lines(&mut self, text: &str, span: &Range<usize>) {
        let start = line_start(text, span.start);
        let end = text[span.end..].find('\n').map_or(text.len(), |newline| span.end + newline + 1);
        self.replace(start..end, "");
    }

    /// The text with all changes made; those at one place in the order in which they were asked for.
    pub(crate) fn applied(mut self, text: &str) -> String {
        self.edits.sort_by_key(|(span, _)| (span.start, span.end));
        let mut out = String::with_capacity(text.len() + 256);
        let mut done = 0;
        for (span, with) in &self.edits {
            out.push_str(text.get(done..span.start).unwrap_or_default());
            out.push_str(with);
            done = done.max(span.end);
        }
        out.push_str(text.get(done..).unwrap_or_default());
        out
    }
}

/// Where the line of `at` begins.
pub(crate) fn line_start(text: &str, at: usize) -> usize {
    text[..at].rfind('\n').map_or(0, |newline| newline + 1)
}

/// The number of the line of `at`, from 1.
pub(crate) fn line_of(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

/// What stands before the key at `at` on its line.
pub(crate) fn indent_of(text: &str, at: usize) -> &str {
    text.get(line_start(text, at)..at).filter(|before| before.trim().is_empty()).unwrap_or_default()
}

/// A text as TOML writes it, on one line.
pub(crate) fn quoted(text: &str) -> String {
    let one_line: Vec<&str> = text.split_whitespace().collect();
    let mut out = String::from("\"");
    for character in one_line.join(" ").chars() {
        match character {
            '"' | '\\' => out.extend(['\\', character]),
            other if other.is_control() => {}
            other => out.push(other),
        }
    }
    out.push('"');
    out
}

/// `{ key = value, … }` of values that are TOML already.
pub(crate) fn inline(pairs: &[(String, String)]) -> String {
    let pairs: Vec<String> = pairs.iter().map(|(key, value)| format!("{key} = {value}")).collect();
    if pairs.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", pairs.join(", ")) }
}

/// The entries of an inline table as they are written, in their order; `None` if it is written under a head of its own.
pub(crate) fn entries(text: &str, table: &DeTable<'_>, span: Range<usize>) -> Option<Vec<(String, String)>> {
    text.get(span)?.starts_with('{').then(|| {
        let mut entries: Vec<(usize, String, String)> = table
            .iter()
            .map(|(key, value)| {
                let written = text.get(value.span()).unwrap_or_default().to_owned();
                (key.span().start, key.get_ref().to_string(), written)
            })
            .collect();
        entries.sort();
        entries.into_iter().map(|(_, key, value)| (key, value)).collect()
    })
}

/// The lines of a part of a file that begins with the head at `at`: as far as the next head of the outermost level, without
/// the comments that stand over that one.
pub(crate) fn block(text: &str, table: &DeTable<'_>, at: usize) -> Range<usize> {
    let is_head = |span: &Range<usize>| text[span.start..].starts_with('[');
    let heads = table.iter().flat_map(|(_, value)| match value.get_ref() {
        DeValue::Array(items) => items.iter().map(toml::Spanned::span).filter(is_head).collect(),
        DeValue::Table(_) => vec![value.span()].into_iter().filter(is_head).collect::<Vec<_>>(),
        _ => Vec::new(),
    });
    let next = heads.map(|span| span.start).filter(|start| *start > at).min();
    let mut end = next.map_or(text.len(), |next| line_start(text, next));
    while next.is_some() && end > at {
        let before = line_start(text, end - 1);
        let line = text[before..end].trim();
        if before <= at || !(line.is_empty() || line.starts_with('#')) {
            break;
        }
        end = before;
    }
    line_start(text, at)..end
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "a = 1 # one\n\n[[part]]\nb = { y = \"2\", x = [1, 2] }\n  [[part.inner]]\n  c = 3\n\n# over the second\n\
                        [[part]]\nb = {}\n[other]\nd = 4\n";

    fn table() -> DeTable<'static> {
        DeTable::parse(FILE).expect("TOML").into_inner()
    }

    #[test]
    fn a_block_ends_before_what_is_said_over_the_next() {
        let table = table();
        let parts = table.get("part").and_then(|parts| parts.get_ref().as_array()).expect("parts");
        let text = |index: usize| &FILE[block(FILE, &table, parts[index].span().start)];
        assert_eq!(text(0), "[[part]]\nb = { y = \"2\", x = [1, 2] }\n  [[part.inner]]\n  c = 3\n");
        assert_eq!(text(1), "[[part]]\nb = {}\n");
        assert_eq!(&FILE[block(FILE, &table, FILE.find("[other]").expect("it"))], "[other]\nd = 4\n");
    }

    #[test]
    fn what_is_not_touched_stays_as_it_is_written() {
        let mut splice = Splice::default();
        splice.replace(FILE.find("4\n").map(|at| at..at + 1).expect("it"), "5");
        splice.remove_lines(FILE, &FILE.find("c = 3").map(|at| at..at + 5).expect("it"));
        splice.insert(0, "# first\n");
        let changed = splice.applied(FILE);
        let expected = FILE.replace("d = 4", "d = 5").replace("  c = 3\n", "");
        assert_eq!(changed, format!("# first\n{expected}"));
        assert_eq!(Splice::default().applied(FILE), FILE);
    }

    #[test]
    fn entries_keep_their_order_and_their_writing() {
        let table = table();
        let part = table.get("part").and_then(|parts| parts.get_ref().get(0)).expect("a part");
        let value = part.get_ref().get("b").expect("b");
        let found =
            entries(FILE, value.get_ref().as_table().expect("a table"), value.span()).expect("inline");
        assert_eq!(inline(&found), "{ y = \"2\", x = [1, 2] }");
        assert_eq!(inline(&[]), "{}");
    }

    #[test]
    fn any_text_becomes_one_line_of_toml() {
        for (text, expected) in [
            ("起付线\n1.1万元", "\"起付线 1.1万元\""),
            (" say \"this\" \\ ", "\"say \\\"this\\\" \\\\\""),
            ("bell\u{7}", "\"bell\""),
            ("", "\"\""),
        ] {
            assert_eq!(quoted(text), expected);
            let table: toml::Table = format!("a = {}", quoted(text)).parse().expect("TOML");
            assert!(table["a"].is_str());
        }
    }
}
