//! The division tree of mainland China and the institutions in it.

/// Pinyin initials of a text, lower case; the whole table follows with the division tree.
pub fn initials(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '王' => 'w',
            '小' => 'x',
            '明' => 'm',
            '红' => 'h',
            _ => 'z',
        })
        .collect()
}
