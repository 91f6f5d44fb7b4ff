//! "Did you mean …".

/// Longest word compared, in characters.
const LONGEST: usize = 64;

/// The candidate most like `word`, if one is like enough: one contains the other, or at most a third of the
/// characters (at least one) would have to change. Of equals the first. A single character is like nothing.
pub fn most_like<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word: Vec<char> = word.chars().take(LONGEST).collect();
    if word.len() < 2 {
        return None;
    }
    let mut best: Option<(usize, &'a str)> = None;
    for candidate in candidates {
        let other: Vec<char> = candidate.chars().take(LONGEST).collect();
        let contained =
            word.len().min(other.len()) >= 2 && (contains(&word, &other) || contains(&other, &word));
        let distance = changes(&word, &other);
        let allowed = (word.len().max(other.len()) / 3).max(1);
        let like = distance <= allowed && distance < word.len().max(other.len());
        if (contained || like) && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

fn contains(whole: &[char], part: &[char]) -> bool {
    whole.windows(part.len().max(1)).any(|window| window == part)
}

/// How many characters to insert, drop, replace or swap with their neighbour to turn `a` into `b`.
fn changes(a: &[char], b: &[char]) -> usize {
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, to) in b.iter().enumerate() {
            let mut least = (last[j] + usize::from(from != to)).min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && a[i - 1] == *to && b[j - 1] == *from {
                least = least.min(before_last[j - 1] + 1);
            }
            row.push(least);
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_was_meant() {
        let titles = ["姓名", "证件号码", "证件类型", "联系电话", "total", "hospital_level"];
        for (word, expected) in [
            ("证件号", Some("证件号码")),
            ("证件号吗", Some("证件号码")),
            ("电话", Some("联系电话")),
            ("totla", Some("total")),
            ("hospital level", Some("hospital_level")),
            ("备注", None),
            ("名", None),
            ("", None),
        ] {
            assert_eq!(most_like(word, titles), expected, "{word}");
        }
    }
}
