//! A function fits on a screen, a file in a head; no lint is silenced without a reason.

use super::{Complaint, TextFile};
use crate::source::{Kind, Token, functions, tokens};

/// The longest function, in lines from `fn` to the closing brace. Tests are free.
const FUNCTION_LINES: usize = 70;
/// The longest file, in lines, without its tests.
const FILE_LINES: usize = 700;
/// The longest file of tests, or file with its tests.
const TEST_FILE_LINES: usize = 1_200;

/// Complaints about functions and files that are too long.
pub fn check_size(file: &TextFile) -> Vec<Complaint> {
    let tokens = tokens(&file.text);
    let mut complaints = Vec::new();
    for function in functions(&tokens) {
        if function.lines > FUNCTION_LINES && !function.in_test && !file.is_test() {
            let says =
                format!("fn {} has {} lines, more than {FUNCTION_LINES}", function.name, function.lines);
            complaints.push(Complaint::at(&file.path, function.line, says));
        }
    }
    let total = file.text.lines().count();
    let mut test_lines: Vec<usize> =
        tokens.iter().filter(|token| token.in_test).map(|token| token.line).collect();
    test_lines.dedup();
    let own = if file.is_test() { 0 } else { total - test_lines.len().min(total) };
    if own > FILE_LINES || total > TEST_FILE_LINES {
        let says = format!(
            "{total} lines, {own} without tests: at most {FILE_LINES} without tests and {TEST_FILE_LINES} with them; split it by noun"
        );
        complaints.push(Complaint::about(&file.path, says));
    }
    complaints
}

/// Complaints about `#[allow]`: `#[expect(lint, reason = "…")]` says why and goes away when it is no longer needed.
pub fn check_no_allow(file: &TextFile) -> Vec<Complaint> {
    let tokens = tokens(&file.text);
    let mut complaints = Vec::new();
    let mut attribute_depth = 0_usize;
    for (at, token) in tokens.iter().enumerate() {
        let opens = token.is('[') && at > 0 && (tokens[at - 1].is('#') || is_inner(&tokens, at));
        if opens || (attribute_depth > 0 && token.is('[')) {
            attribute_depth += 1;
        } else if token.is(']') {
            attribute_depth = attribute_depth.saturating_sub(1);
        } else if attribute_depth > 0
            && token.kind == Kind::Word("allow".to_owned())
            && tokens.get(at + 1).is_some_and(|next| next.is('('))
        {
            complaints.push(Complaint::at(
                &file.path,
                token.line,
                "write #[expect(lint, reason = \"…\")], not allow",
            ));
        }
    }
    complaints
}

fn is_inner(tokens: &[Token], bracket: usize) -> bool {
    bracket >= 2 && tokens[bracket - 1].is('!') && tokens[bracket - 2].is('#')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function_of(lines: usize) -> String {
        format!("fn long() {{\n{}}}\n", "    step();\n".repeat(lines - 2))
    }

    #[test]
    fn a_long_function_is_found_unless_it_is_a_test() {
        assert_eq!(check_size(&TextFile::new("a.rs", &function_of(FUNCTION_LINES))), []);
        let long = function_of(FUNCTION_LINES + 1);
        assert_eq!(check_size(&TextFile::new("a.rs", &long)).len(), 1);
        assert_eq!(check_size(&TextFile::new("a.rs", &format!("#[test]\n{long}"))), []);
        assert_eq!(check_size(&TextFile::new("x/tests/a.rs", &long)), []);
    }

    #[test]
    fn a_long_file_is_found() {
        let constants = "const A: u8 = 1;\n".repeat(FILE_LINES);
        assert_eq!(check_size(&TextFile::new("a.rs", &constants)), []);
        let with_tests = format!("{constants}#[cfg(test)]\nmod tests {{\n{}}}\n", "use a;\n".repeat(100));
        assert_eq!(check_size(&TextFile::new("a.rs", &with_tests)), []);
        assert_eq!(check_size(&TextFile::new("a.rs", &format!("{constants}const B: u8 = 1;\n"))).len(), 1);
        assert_eq!(
            check_size(&TextFile::new("x/tests/a.rs", &"use a;\n".repeat(TEST_FILE_LINES + 1))).len(),
            1
        );
    }

    #[test]
    fn allow_is_found_in_every_form() {
        for bad in ["#[allow(dead_code)] fn a() {}", "#![allow(x)]", "#[cfg_attr(test, allow(x))] fn a() {}"]
        {
            assert_eq!(check_no_allow(&TextFile::new("a.rs", bad)).len(), 1, "{bad}");
        }
        let good = "#[expect(dead_code, reason = \"why\")] fn allow(x: [u8; 2]) { allow(x) } // #[allow(x)]";
        assert_eq!(check_no_allow(&TextFile::new("a.rs", good)), []);
    }
}
