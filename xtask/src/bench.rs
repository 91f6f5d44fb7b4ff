//! `cargo xtask bench`.

use anyhow::Result;

use crate::workspace::cargo;

/// Runs the benches, all or those whose name holds the filter.
pub(crate) fn run(filter: &[&str]) -> Result<bool> {
    let status = cargo(&["bench", "--workspace", "--bench", "*", "--"]).args(filter).status()?;
    Ok(status.success())
}
