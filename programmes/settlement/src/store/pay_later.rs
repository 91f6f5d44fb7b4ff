//! What is owed after treatment before payment: how facts become its rows, and all that is read of them.

mod forget;
mod list;
mod one;
mod projection;
mod suspension;
mod write_off;

pub use list::{
    DebtFilter, DebtRow, DebtState, DebtSum, VillageSum, count_debts, debt_sum, debts, debts_of_person,
    villages,
};
pub use one::{Debt, DebtLine, Payment, agreements, debt, lines_of, next_sequence, payment, payments_of};
pub use projection::PAY_LATER;
pub use suspension::{
    Suspension, SuspensionState, appeals, count_suspensions, is_suspended, overdue_of, suspension,
    suspensions, suspensions_of,
};
pub use write_off::{
    WriteOff, WriteOffState, count_write_offs, write_off, write_offs, write_offs_of, written_off,
};
