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
