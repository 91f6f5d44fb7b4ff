//! Indicators: each defined once, each opens its list.

use kangmai_access::{Purpose, Reach};
use kangmai_base::{Day, Fen};
use kangmai_database::{DatabaseError, Transaction};

use crate::App;

/// An indicator.
#[derive(Debug, Clone, Copy)]
pub struct Figure {
    /// Key of its name; `{key}.definition` says how it is counted.
    pub word: &'static str,
    /// Who may see it.
    pub purpose: Purpose,
    /// Works it out for a place on a day.
    pub value: fn(&mut Transaction<'_>, &App, &Reach, Day) -> Result<FigureValue, DatabaseError>,
    /// The list behind it, for who may read that; `{place}` is replaced by the 12-digit code.
    pub list: &'static str,
    /// Who may open the list.
    pub list_purpose: Purpose,
}

/// What an indicator came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FigureValue {
    /// People, households, cases.
    Count(i64),
    /// Money.
    Amount(Fen),
    /// A share; `whole` 0 means there is nothing to take a share of.
    Ratio {
        /// Above the line.
        part: i64,
        /// Below the line.
        whole: i64,
        /// Whether both are fen.
        money: bool,
    },
}

/// Counts are told in steps of so many to who may not open the list behind them: whoever knows a village would else learn by
/// one figure, or by the difference of two, who is ill. The size is our own choice; a rounded figure hides a single person in
/// sums and differences alike, which leaving out small ones does not.
const COARSE_COUNT: i64 = 5;
/// The same for amounts: ten thousand yuan, in fen.
const COARSE_FEN: i64 = 1_000_000;

impl FigureValue {
    /// As it is told to who may not open the list.
    #[must_use]
    pub fn coarse(self) -> FigureValue {
        match self {
            FigureValue::Count(count) => FigureValue::Count(nearest(count, COARSE_COUNT)),
            FigureValue::Amount(Fen(amount)) => FigureValue::Amount(Fen(nearest(amount, COARSE_FEN))),
            FigureValue::Ratio { part, whole, money } => {
                let step = if money { COARSE_FEN } else { COARSE_COUNT };
                FigureValue::Ratio { part: nearest(part, step), whole: nearest(whole, step), money }
            }
        }
    }
}

/// The multiple of `step` nearest to `value`; the higher one where both are as near.
fn nearest(value: i64, step: i64) -> i64 {
    let below = value.div_euclid(step) * step;
    if value - below >= step - step / 2 { below.saturating_add(step) } else { below }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_single_person_moves_no_coarse_figure_by_one() {
        for (count, coarse) in [(0, 0), (1, 0), (2, 0), (3, 5), (4, 5), (5, 5), (7, 5), (8, 10), (-1, 0)] {
            assert_eq!(FigureValue::Count(count).coarse(), FigureValue::Count(coarse), "{count}");
        }
        assert!(matches!(FigureValue::Count(i64::MAX).coarse(), FigureValue::Count(told) if told > 0));
        let ratio = FigureValue::Ratio { part: 3, whole: 12, money: false };
        assert_eq!(ratio.coarse(), FigureValue::Ratio { part: 5, whole: 10, money: false });
        assert_eq!(FigureValue::Amount(Fen(499_999)).coarse(), FigureValue::Amount(Fen(0)));
        assert_eq!(FigureValue::Amount(Fen(500_000)).coarse(), FigureValue::Amount(Fen(1_000_000)));
    }
}
