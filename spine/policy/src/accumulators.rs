//! What a person has used up of a year: deductibles, paid amounts, stays.

use kangmai_base::Fen;
use serde::{Deserialize, Serialize};

/// Most accumulators of one policy.
pub const MAX_ACCUMULATORS: usize = 16;

/// The accumulators of one person and one insurance year. Which is which, the policy knows
/// ([`Policy::accumulators`](crate::Policy::accumulators)): store them by *name*, never by position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct YearAccumulators {
    pub(crate) values: [i64; MAX_ACCUMULATORS],
}

impl YearAccumulators {
    /// The start of a year: nothing used.
    pub const NONE: YearAccumulators = YearAccumulators { values: [0; MAX_ACCUMULATORS] };

    pub(crate) fn get(&self, slot: Option<u8>) -> i64 {
        slot.and_then(|slot| self.values.get(usize::from(slot))).copied().unwrap_or(0)
    }

    pub(crate) fn add(&mut self, slot: Option<u8>, amount: i64) {
        if let Some(value) = slot.and_then(|slot| self.values.get_mut(usize::from(slot))) {
            *value = value.saturating_add(amount);
        }
    }

    pub(crate) fn set(&mut self, slot: u8, amount: Fen) {
        if let Some(value) = self.values.get_mut(usize::from(slot)) {
            *value = amount.0;
        }
    }
}
