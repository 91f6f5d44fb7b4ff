//! Files that come in: bills, and what was used of a year before the county joined.

mod bill_rows;
mod bills;
mod opening;

pub use bill_rows::BILL_COLUMNS;
pub use bills::BILLS;
pub(crate) use bills::treating;
pub use opening::{OPENING_COLUMNS, OPENINGS};
