//! What would have been otherwise: the bill with one fact changed, settled by the same engine, and what a layer that did
//! not apply lacks.
//!
//! *Invariant:* each answer holds whole facts and a whole year before them; whoever settles those gets the same, to the
//! fen. What it would do to later bills of the year is not asked, and the costs of the bill are taken as they are.

mod differs;
mod missing;
mod tell;

pub use differs::{Around, Change};
pub use missing::{Condition, FactChange, Missing, Way};
pub use tell::{LayerDifference, ToldCondition, ToldCounterfactuals, ToldMissing, ToldOtherwise, ToldWay};

use kangmai_base::Fen;

use crate::{Policy, Trace};

/// Most answers to "what if one fact were another".
pub const MOST_OTHERWISE: usize = 10;
/// Most of them that are about one label or another.
const MOST_LABELS: usize = 3;
/// Most ways to qualify that are told for one layer.
pub const MOST_WAYS: usize = 4;
/// Most facts that would have to be otherwise for a layer to apply; where more would, nothing is proposed.
pub const MOST_CONDITIONS: usize = 4;
/// How many days before and after the day of discharge are asked about.
pub const MOST_DAYS: i32 = 31;

/// The bill with one fact changed.
#[derive(Debug, Clone, PartialEq)]
pub struct Otherwise {
    /// What is otherwise.
    pub change: Change,
    /// The bill settled so: its facts, the year before it, every layer.
    pub trace: Box<Trace>,
    /// The first layer that pays another amount: its rule makes the difference.
    pub by: usize,
}

impl Otherwise {
    /// By how much the person bears less than on `trace`; below nothing if they bear more.
    pub fn saves(&self, trace: &Trace) -> Fen {
        trace.own_share - self.trace.own_share
    }
}

/// All that is asked about a bill.
#[derive(Debug, Clone, PartialEq)]
pub struct Counterfactuals {
    /// One fact changed, what helps most first; what changes nothing is left out.
    pub otherwise: Vec<Otherwise>,
    /// The layers that did not apply although a rule of them was in force, in the policy's order.
    pub missing: Vec<Missing>,
}

impl Policy {
    /// What would have been otherwise about a bill that this policy settled.
    pub fn counterfactuals(&self, trace: &Trace, around: &Around) -> Counterfactuals {
        let mut otherwise: Vec<Otherwise> = Vec::new();
        for asked in differs::asked(self, trace, around) {
            match otherwise.iter_mut().find(|other| differs::is_alike(other, &asked)) {
                Some(other) => differs::join(other, &asked),
                None => otherwise.push(asked),
            }
        }
        otherwise.sort_by_key(|one| one.trace.own_share);
        let mut labels = 0;
        otherwise.retain(|one| {
            labels += usize::from(matches!(one.change, Change::Labels(..)));
            !matches!(one.change, Change::Labels(..)) || labels <= MOST_LABELS
        });
        otherwise.truncate(MOST_OTHERWISE);
        Counterfactuals { otherwise, missing: missing::missing(self, trace) }
    }
}

/// The first layer that pays another amount: before it all is as it was, so its own rule makes the difference.
fn first_difference(one: &Trace, other: &Trace) -> Option<usize> {
    one.steps().iter().zip(other.steps()).position(|(one, other)| one.pays != other.pays)
}
