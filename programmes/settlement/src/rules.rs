//! The rules of settlement. Pure: no database, no clock; law comes in as a policy release.

mod admission;
mod bill;
mod chain;
mod claim;
mod day;
mod deviation;
mod lines;
mod pay_later;

pub use admission::{Deposit, deposit};
pub use bill::{BillDraft, LONGEST_NUMBER, LONGEST_STAY_DAYS, check_bill, refuse_stay};
pub use chain::{Adjudicator, ChainBill, Insured, Member, Settlement, bill_facts, settle_year};
pub(crate) use chain::{insurance_year, used_of, year_of};
pub use claim::{check_cut, check_reconciled, month_end};
pub use day::{LedgerBill, agree, fund_differences, reconcile, totals};
pub use deviation::{Deviated, Stay, deviated};
pub use lines::{Itemised, LineFault, Stated, itemise, too_many};
pub use pay_later::{
    CoveredLine, Credit, DebtEvent, DueLine, Instalments, check_agreement, check_money, check_payment,
    check_suspension, covered, days_late, due_lines,
};

/// The longest reason for cancelling, in characters.
pub const LONGEST_REASON: usize = 200;
