//! `cargo xtask new-programme NAME`: a programme that compiles, is tested, and waits to be filled.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::workspace::{cargo, root};

/// The name that the skeleton bears until it gets its own.
const SKELETON: &str = "skeleton";

/// Writes `programmes/NAME` and its lines in the lists that name every programme.
pub(crate) fn write_new(name: &str) -> Result<()> {
    check_name(name)?;
    let root = root();
    let folder = root.join("programmes").join(name);
    anyhow::ensure!(!folder.exists(), "programmes/{name} is there already");
    let mut written = copy(&root.join("xtask").join(SKELETON), &folder, name)?;
    let kebab = name.replace('_', "-");
    let lists = [
        (
            "Cargo.toml",
            format!("kangmai-{kebab} = {{ path = \"programmes/{name}\" }}"),
            "path = \"programmes/",
        ),
        ("server/Cargo.toml", format!("kangmai-{kebab}.workspace = true"), ".workspace = true"),
        ("server/src/programmes.rs", format!("    kangmai_{name}::programme(),"), "::programme()"),
        ("ARCHITECTURE.md", String::new(), "| `programmes/"),
        ("docs/words.md", String::new(), "`settlement`"),
    ];
    for (file, line, beside) in lists {
        let path = root.join(file);
        let text = std::fs::read_to_string(&path).with_context(|| format!("{file} cannot be read"))?;
        let text = with_line(&text, name, line, beside)
            .with_context(|| format!("{file} has no line with {beside}"))?;
        std::fs::write(&path, text)?;
        written.push(path);
    }
    // A longer name breaks lines elsewhere.
    let own = format!("kangmai-{kebab}");
    let formatted = cargo(&["fmt", "--package", &own, "--package", "kangmai-server"]).status()?;
    anyhow::ensure!(formatted.success(), "cargo fmt ended with {formatted}");
    for file in written {
        println!("{}", file.strip_prefix(&root).unwrap_or(&file).display());
    }
    println!(
        "\nStart with programmes/{name}/README.md: who does what by when, and where each rule comes from."
    );
    Ok(())
}

fn check_name(name: &str) -> Result<()> {
    let letters = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    let is_word = letters && !name.starts_with('_') && !name.ends_with('_') && !name.contains("__");
    anyhow::ensure!(
        is_word && name.len() > 2,
        "{name:?} is no name: words of a to z, joined by _, as in drug_request"
    );
    let vague = ["utils", "common", "helpers", "types", "models", "services", SKELETON];
    anyhow::ensure!(!vague.contains(&name), "{name} says nothing: name the programme after what it does");
    Ok(())
}

/// Copies a folder of the skeleton; gives the files written.
fn copy(from: &Path, to: &Path, name: &str) -> Result<Vec<PathBuf>> {
    std::fs::create_dir_all(to)?;
    let mut written = Vec::new();
    let mut entries: Vec<_> = std::fs::read_dir(from)?.collect::<std::io::Result<_>>()?;
    entries.sort_by_key(std::fs::DirEntry::path);
    for entry in entries {
        let file = entry.file_name().to_string_lossy().replace(SKELETON, name);
        // The manifest must not look like one to cargo as long as it is a skeleton's.
        let target = to.join(file.trim_end_matches(".in"));
        if entry.path().is_dir() {
            written.extend(copy(&entry.path(), &target, name)?);
        } else {
            std::fs::write(&target, renamed(&std::fs::read_to_string(entry.path())?, name))?;
            written.push(target);
        }
    }
    Ok(written)
}

fn renamed(text: &str, name: &str) -> String {
    let words = name.replace('_', " ");
    let (first, rest) = words.split_at(1);
    let title = first.to_uppercase() + rest;
    text.replace("kangmai-skeleton", &format!("kangmai-{}", name.replace('_', "-")))
        .replace("Skeleton", &title)
        .replace(SKELETON, name)
}

/// `text` with `line` among the lines that hold `beside`, in order if those are. An empty `line` becomes an entry in the
/// manner of the last of them: a row of a table, an item of a list, a line of a tree.
fn with_line(text: &str, name: &str, line: String, beside: &str) -> Option<String> {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let last = lines.iter().rposition(|line| line.contains(beside))?;
    let line = if line.is_empty() { entry_like(&lines[last], name) } else { line };
    let before_greater = lines[..=last].iter().rposition(|own| own.contains(beside) && *own < line);
    lines.insert(before_greater.unwrap_or(last) + 1, line);
    Some(lines.join("\n") + "\n")
}

fn entry_like(line: &str, name: &str) -> String {
    let words = name.replace('_', " ");
    if line.starts_with('|') {
        let more = " – |".repeat(line.matches('|').count().saturating_sub(3));
        // A list of words has the Chinese term first; a map of rooms the folder.
        return if line.contains("programmes/") {
            format!("| `programmes/{name}` | {words} |{more}")
        } else {
            format!("| {words} | `{name}` |{more}")
        };
    }
    let indent = &line[..line.len() - line.trim_start().len()];
    let item = if line.trim_start().starts_with("- ") { "- " } else { "" };
    format!("{indent}{item}`programmes/{name}`: {words}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_words() {
        for good in ["drug_request", "follow_up"] {
            assert!(check_name(good).is_ok(), "{good}");
        }
        for bad in
            ["", "x", "Drug", "drug-request", "_drug", "drug__request", "../drug", "common", "skeleton", "药"]
        {
            assert!(check_name(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_skeleton_takes_the_name_everywhere() {
        let text = "kangmai-skeleton kangmai_skeleton::x skeleton.noted \"Skeleton\"";
        assert_eq!(
            renamed(text, "drug_request"),
            "kangmai-drug-request kangmai_drug_request::x drug_request.noted \"Drug request\""
        );
    }

    #[test]
    fn lines_are_added_in_order_and_in_their_manner() {
        let list = "[\n    a::programme(),\n    m::programme(),\n]\n";
        let added = |line: &str| with_line(list, "x", line.to_owned(), "::programme()").unwrap();
        assert_eq!(
            added("    c::programme(),"),
            "[\n    a::programme(),\n    c::programme(),\n    m::programme(),\n]\n"
        );
        assert_eq!(
            added("    z::programme(),"),
            "[\n    a::programme(),\n    m::programme(),\n    z::programme(),\n]\n"
        );
        assert_eq!(with_line("nothing\n", "x", String::new(), "::programme()"), None);
        let table = "| 结算 | `settlement` | desk |\n\nText\n";
        let row = with_line(table, "drug_request", String::new(), "`settlement`").unwrap();
        assert_eq!(row, "| 结算 | `settlement` | desk |\n| drug request | `drug_request` | – |\n\nText\n");
        let map = with_line("- `programmes/a`: is\n", "bc", String::new(), "programmes/").unwrap();
        assert_eq!(map, "- `programmes/a`: is\n- `programmes/bc`: bc\n");
    }
}
