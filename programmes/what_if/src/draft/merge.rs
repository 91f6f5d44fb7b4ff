//! Two changes of one text put together, line by line.

/// `old` with what `own` and what `other` changed of it; `None` where both changed the same lines, or lines that touch, each
/// in another way.
pub fn merge(old: &str, own: &str, other: &str) -> Option<String> {
    let lines = |text: &'_ str| text.split_inclusive('\n').map(str::to_owned).collect::<Vec<String>>();
    let (old, own, other) = (lines(old), lines(own), lines(other));
    let (mut mine, mut theirs) = (changes(&old, &own), changes(&old, &other));
    mine.reverse();
    theirs.reverse();
    let mut out = String::new();
    let mut done = 0;
    loop {
        let change = match (mine.last(), theirs.last()) {
            (None, None) => break,
            (Some(_), None) => mine.pop(),
            (None, Some(_)) => theirs.pop(),
            (Some(one), Some(two)) if one == two => {
                theirs.pop();
                mine.pop()
            }
            (Some(one), Some(two)) if one.end < two.start => mine.pop(),
            (Some(one), Some(two)) if two.end < one.start => theirs.pop(),
            _ => return None,
        };
        let Some(change) = change else { break };
        out.extend(old.get(done..change.start)?.iter().map(String::as_str));
        out.extend(change.lines.iter().map(String::as_str));
        done = change.end;
    }
    out.extend(old.get(done..)?.iter().map(String::as_str));
    Some(out)
}

/// Lines `start..end` of the old text become these.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Change {
    start: usize,
    end: usize,
    lines: Vec<String>,
}

/// What changed from one text to another: by the longest run of lines that both have.
fn changes(old: &[String], new: &[String]) -> Vec<Change> {
    let head = old.iter().zip(new).take_while(|(one, other)| one == other).count();
    let tail = old[head..]
        .iter()
        .rev()
        .zip(new[head..].iter().rev())
        .take_while(|(one, other)| one == other)
        .count();
    let (inner_old, inner_new) = (&old[head..old.len() - tail], &new[head..new.len() - tail]);
    // How many lines both have from here on.
    let wide = inner_new.len() + 1;
    let mut both = vec![0_u32; (inner_old.len() + 1) * wide];
    for i in (0..inner_old.len()).rev() {
        for j in (0..inner_new.len()).rev() {
            both[i * wide + j] = if inner_old[i] == inner_new[j] {
                both[(i + 1) * wide + j + 1] + 1
            } else {
                both[(i + 1) * wide + j].max(both[i * wide + j + 1])
            };
        }
    }
    let mut changes: Vec<Change> = Vec::new();
    let (mut i, mut j) = (0, 0);
    while i < inner_old.len() || j < inner_new.len() {
        if i < inner_old.len() && j < inner_new.len() && inner_old[i] == inner_new[j] {
            (i, j) = (i + 1, j + 1);
            continue;
        }
        let at = head + i;
        if changes.last().is_none_or(|last| last.end != at) {
            changes.push(Change { start: at, end: at, lines: Vec::new() });
        }
        let takes_new = i == inner_old.len()
            || (j < inner_new.len() && both[i * wide + j + 1] >= both[(i + 1) * wide + j]);
        if let Some(change) = changes.last_mut() {
            if takes_new {
                change.lines.push(inner_new[j].clone());
                j += 1;
            } else {
                change.end += 1;
                i += 1;
            }
        }
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_changes_hold_unless_they_meet() {
        let old = "a\nb\nc\nd\ne\n";
        for (own, other, expected) in [
            (old, old, Some(old)),
            ("a\nB\nc\nd\ne\n", old, Some("a\nB\nc\nd\ne\n")),
            (old, "a\nb\nc\nD\ne\n", Some("a\nb\nc\nD\ne\n")),
            ("a\nB\nc\nd\ne\n", "a\nb\nc\nD\ne\n", Some("a\nB\nc\nD\ne\n")),
            ("A\nb\nc\nd\ne\n", "a\nb\nc\nd\ne\nf\n", Some("A\nb\nc\nd\ne\nf\n")),
            ("b\nc\nd\ne\n", "a\nb\nc\ne\n", Some("b\nc\ne\n")),
            // The same change twice is one.
            ("a\nX\nc\nd\ne\n", "a\nX\nc\nd\ne\n", Some("a\nX\nc\nd\ne\n")),
            // The same line, or lines side by side.
            ("a\nX\nc\nd\ne\n", "a\nY\nc\nd\ne\n", None),
            ("a\nX\nc\nd\ne\n", "a\nb\nY\nd\ne\n", None),
            ("a\nb\nc\nd\ne\nf\n", "a\nb\nc\nd\ne\ng\n", None),
            ("", "a\nb\nc\nd\nE\n", None),
        ] {
            assert_eq!(merge(old, own, other).as_deref(), expected, "{own:?} {other:?}");
            assert_eq!(merge(old, other, own).as_deref(), expected, "{other:?} {own:?}");
        }
    }

    #[test]
    fn a_change_holds_the_fewest_lines() {
        let lines = |text: &str| text.split_inclusive('\n').map(str::to_owned).collect::<Vec<String>>();
        let found = changes(&lines("a\nb\nc\nb\n"), &lines("a\nc\nx\nb\n"));
        let told: Vec<(usize, usize, usize)> =
            found.iter().map(|change| (change.start, change.end, change.lines.len())).collect();
        assert_eq!(told, [(1, 2, 0), (3, 3, 1)]);
        assert_eq!(changes(&[], &lines("a\n")), [Change { start: 0, end: 0, lines: lines("a\n") }]);
    }
}
