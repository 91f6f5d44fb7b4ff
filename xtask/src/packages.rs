//! Installs what the tests need from the system's packages, where that is possible without asking anybody.

use anyhow::{Context, Result, bail};

use crate::workspace::{command, find_program, is_root};

/// Installs Debian's `packages`, or says how to install them by hand.
///
/// `by_hand` is the sentence for every other system.
pub(crate) fn install(packages: &[&str], by_hand: &str) -> Result<()> {
    if find_program(&["apt-get"], &[]).is_none() || !is_root() {
        bail!("{} is missing. {by_hand}", packages.join(" and "));
    }
    println!("installing {} with apt-get", packages.join(", "));
    let quiet = ["-qq", "-o", "Dpkg::Use-Pty=0"];
    let apt = |arguments: &[&str]| {
        command("apt-get", &quiet).args(arguments).env("DEBIAN_FRONTEND", "noninteractive").status()
    };
    // An old list of packages may do; the install tells.
    let _listed = apt(&["update"]).context("cannot start apt-get")?;
    let mut arguments = vec!["install", "-y", "--no-install-recommends"];
    arguments.extend(packages);
    let installed = apt(&arguments)?;
    anyhow::ensure!(installed.success(), "apt-get could not install {}. {by_hand}", packages.join(", "));
    Ok(())
}
