//! Claims of institutions for what they waived.

use kangmai_base::{Day, Fen, Refusal};

/// The last day of a month as `2026-03`; none for anything else.
pub fn month_end(text: &str) -> Option<Day> {
    let (year, month) = text.trim().split_once('-')?;
    let first = Day::from_ymd(year.parse().ok()?, month.parse().ok()?, 1)?;
    Some(first.plus_months(1).plus_days(-1))
}

/// Why `cut` cannot be taken off a line; nothing if it can. Zero takes an earlier cut back; what was lowered already
/// (a negative line) cannot be lowered more.
pub fn check_cut(line: Fen, cut: Fen) -> Option<Refusal> {
    let most = line.max(Fen::ZERO);
    let is_possible = cut >= Fen::ZERO && cut <= most;
    let refusal = Refusal::new("settlement.refused.cut").with("most", most.grouped()).at("amount");
    (!is_possible).then_some(refusal)
}

/// Why a claim cannot be accepted with these cuts; nothing if it can: who cuts says why.
pub fn check_reconciled(cut: Fen, reason: Option<&str>) -> Option<Refusal> {
    let is_silent = reason.is_none_or(|reason| reason.trim().is_empty());
    (cut > Fen::ZERO && is_silent).then(|| Refusal::new("settlement.refused.cut_reason").at("reason"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_ends_on_its_last_day() {
        for (text, expected) in [
            ("2026-02", Some("2026-02-28")),
            ("2024-02", Some("2024-02-29")),
            ("2026-12", Some("2026-12-31")),
            (" 2026-1 ", Some("2026-01-31")),
            ("2026-13", None),
            ("2026-0", None),
            ("2026", None),
            ("", None),
        ] {
            assert_eq!(month_end(text).map(|day| day.to_string()).as_deref(), expected, "{text:?}");
        }
    }

    #[test]
    fn a_cut_is_at_most_the_line() {
        for (line, cut, is_possible) in [
            (100, 0, true),
            (100, 100, true),
            (100, 101, false),
            (100, -1, false),
            (-50, 0, true),
            (-50, 1, false),
        ] {
            assert_eq!(check_cut(Fen(line), Fen(cut)).is_none(), is_possible, "{cut} of {line}");
        }
    }

    #[test]
    fn who_cuts_says_why() {
        for (cut, reason, is_possible) in
            [(0, None, true), (1, None, false), (1, Some(" "), false), (1, Some("重复"), true)]
        {
            assert_eq!(check_reconciled(Fen(cut), reason).is_none(), is_possible, "{cut} {reason:?}");
        }
    }
}
