//! Files that come in: bills, their lines, and what was used of a year before the county joined.

mod bill_rows;
mod bills;
mod line_rows;
mod lines;
mod opening;

pub use bill_rows::BILL_COLUMNS;
pub(crate) use bill_rows::FEES;
pub use bills::BILLS;
pub(crate) use bills::treating;
pub(crate) use line_rows::{CATEGORIES, CLASSES};
pub use line_rows::{LINE_COLUMNS, LINE_FILE_COLUMNS, LONGEST_CODE, LONGEST_NAME, LineReader};
pub use lines::LINES;
pub use opening::{OPENING_COLUMNS, OPENINGS};
