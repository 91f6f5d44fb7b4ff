//! The facts that this programme owns. A body, once written, is read for ever: it is never changed, only followed by a
//! new version.

use kangmai_base::Day;
use serde::{Deserialize, Serialize};

/// The kind of [`Noted`].
pub const NOTED: &str = "skeleton.noted";

/// Something was noted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Noted {
    /// What.
    pub note: String,
    /// Of which day.
    pub on: Day,
}
