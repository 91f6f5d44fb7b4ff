//! Anchors of the audit trail: the head of its chain, once a day, in a folder outside of the database. One file for each
//! month, to which lines are only added, so that it can be copied away or made append-only by the system.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use kangmai_access::Anchor;
use kangmai_base::Moment;

/// How the files are called.
const BEGINS: &str = "audit-anchors-";
const ENDS: &str = ".txt";

fn file_of(folder: &Path, at: Moment) -> PathBuf {
    let (year, month, _) = at.day().ymd();
    folder.join(format!("{BEGINS}{year:04}-{month:02}{ENDS}"))
}

/// Adds an anchor; answers the file.
///
/// # Errors
/// When the folder cannot be made or the file not be written.
pub fn keep_anchor(folder: &Path, anchor: &Anchor) -> anyhow::Result<PathBuf> {
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let path = file_of(folder, anchor.at);
    let failed = || format!("cannot write the anchor of the audit trail to {}", path.display());
    let mut file = OpenOptions::new().create(true).append(true).open(&path).with_context(failed)?;
    file.write_all(format!("{anchor}\n").as_bytes()).with_context(failed)?;
    file.sync_all().with_context(failed)?;
    Ok(path)
}

/// The anchors in a folder, oldest first; none where there is no such folder.
///
/// # Errors
/// When a file cannot be read or a line of it is no anchor.
pub fn kept_anchors(folder: &Path) -> anyhow::Result<Vec<Anchor>> {
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let path = entry?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if name.starts_with(BEGINS) && name.ends_with(ENDS) {
            paths.push(path);
        }
    }
    paths.sort();
    let mut anchors = Vec::new();
    for path in paths {
        let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let anchor = line.parse::<Anchor>();
            anchors.push(anchor.with_context(|| format!("{}, line {}", path.display(), number + 1))?);
        }
    }
    Ok(anchors)
}
