//! What a person, or a household, has used up of a year: deductibles, paid amounts, stays.

use kangmai_base::Fen;
use serde::{Deserialize, Serialize};

/// Most accumulators of one policy.
pub const MAX_ACCUMULATORS: usize = 15;

/// The place of an accumulator that a benefit does not have: written and never read, and cleared after each bill, so
/// that the arithmetic need not ask whether there is one.
pub(crate) const NO_SLOT: u8 = MAX_ACCUMULATORS as u8;

/// The most that can have been used of a year when a bill comes: far more than any amount, far less than 63 bits hold.
const MOST_USED: i64 = 1 << 60;

/// The accumulators of one person (or one household) and one insurance year. Which is which, the policy knows
/// ([`Policy::accumulators`](crate::Policy::accumulators)): store them by *name*, never by position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct YearAccumulators {
    pub(crate) values: [i64; MAX_ACCUMULATORS + 1],
}

impl YearAccumulators {
    /// The start of a year: nothing used.
    pub const NONE: YearAccumulators = YearAccumulators { values: [0; MAX_ACCUMULATORS + 1] };

    #[inline(always)]
    pub(crate) const fn get(&self, slot: u8) -> i64 {
        self.values[(slot & NO_SLOT) as usize]
    }

    #[inline(always)]
    pub(crate) const fn add(&mut self, slot: u8, amount: i64) {
        let value = &mut self.values[(slot & NO_SLOT) as usize];
        *value = value.wrapping_add(amount);
    }

    #[inline(always)]
    pub(crate) const fn put(&mut self, slot: u8, value: i64) {
        self.values[(slot & NO_SLOT) as usize] = value;
    }

    #[inline(always)]
    pub(crate) const fn clear_unused(&mut self) {
        self.values[NO_SLOT as usize] = 0;
    }

    /// Brought into what is handled: no year uses more, and sums of it keep room.
    pub(crate) fn set(&mut self, slot: u8, amount: Fen) {
        self.put(slot, amount.0.clamp(-MOST_USED, MOST_USED));
    }

    /// Takes the values at `slots`, as bits, over from `other`.
    pub(crate) fn take_over(&mut self, slots: u16, other: &YearAccumulators) {
        for (slot, (value, theirs)) in self.values.iter_mut().zip(other.values).enumerate() {
            if slots & (1 << slot) != 0 {
                *value = theirs;
            }
        }
    }
}
