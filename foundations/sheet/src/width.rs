//! Full-width letters, as Chinese input methods leave them.

use std::borrow::Cow;

/// `text` without spaces at its ends, with full-width letters, digits, signs and spaces as half-width ones and without
/// invisible characters: `　４１１７２２（元）` is `411722(元)`. Borrows if nothing is to be done.
pub fn half_width(text: &str) -> Cow<'_, str> {
    let text = text.trim();
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return Cow::Borrowed(text);
    }
    if !text.chars().any(|character| half(character) != Some(character)) {
        return Cow::Borrowed(text);
    }
    let narrow: String = text.chars().filter_map(half).collect();
    Cow::Owned(narrow.trim().to_owned())
}

fn half(character: char) -> Option<char> {
    match character {
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(character as u32 - 0xFEE0),
        '\u{3000}' | '\u{A0}' | '\t' | '\r' | '\n' => Some(' '),
        '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}' | '\u{FEFF}' => None,
        character if character.is_control() => None,
        character => Some(character),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn narrows_what_is_wide() {
        for (text, expected) in [
            ("411722", "411722"),
            ("　４１１７２２（元） ", "411722(元)"),
            ("\u{FEFF}姓名", "姓名"),
            ("\u{202D}411722195001010013\u{202C}", "411722195001010013"),
            ("张\n三", "张 三"),
            ("", ""),
        ] {
            assert_eq!(half_width(text), expected, "{text:?}");
        }
        assert!(matches!(half_width(" 张三 "), Cow::Borrowed("张三")));
    }
}
