//! Files that come in: bills, their lines, and what was used of a year before the county joined.

mod bill_columns;
mod bill_rows;
mod bills;
mod line_rows;
mod lines;
mod opening;

pub use bill_columns::{
    ALREADY_PAID, COMPLIANT, DIAGNOSIS_CODE, DISCHARGE, FEES, ID_NUMBER, INSTITUTION_CODE, INSTITUTION_TIER,
    NAMED_FEES, NUMBER, REFERRAL, REFERRALS, SETTING, SETTINGS, TOTAL, bill_number, named_fees,
};
pub use bill_rows::BILL_COLUMNS;
pub use bills::BILLS;
pub(crate) use bills::treating;
pub(crate) use line_rows::{CLASSES, category};
pub use line_rows::{LINE_COLUMNS, LINE_FILE_COLUMNS, LONGEST_CODE, LONGEST_NAME, LineReader};
pub use lines::LINES;
pub use opening::{OPENING_COLUMNS, OPENINGS, accumulator_columns, opening_columns};
