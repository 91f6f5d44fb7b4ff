//! The rules of settlement. Pure: no database, no clock; law comes in as a policy release.

mod admission;
mod bill;
mod chain;

pub use admission::{Deposit, deposit};
pub use bill::{BillDraft, LONGEST_NUMBER, check_bill};
pub use chain::{Adjudicator, ChainBill, Insured, Settlement, bill_facts, settle_year};
pub(crate) use chain::{used_of, year_of};

/// The longest reason for cancelling, in characters.
pub const LONGEST_REASON: usize = 200;
