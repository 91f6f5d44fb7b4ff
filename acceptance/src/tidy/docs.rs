//! The documents say what is: a README in every crate, every crate on the map, every term in the list of words, no
//! link into the void and no path of somebody's machine.

use std::path::{Component, Path, PathBuf};

use super::{Complaint, Package, TextFile};

/// Complaints about crates without a README that names them.
pub fn check_readmes(packages: &[Package], files: &[TextFile]) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    for package in packages {
        let Some(folder) = &package.folder else { continue };
        let path = format!("{folder}/README.md");
        match files.iter().find(|file| file.path == path) {
            None => complaints.push(Complaint::about(path, "every crate has a README.md")),
            Some(file) if !file.text.contains(&package.name) || file.text.lines().count() < 3 => {
                complaints
                    .push(Complaint::about(path, format!("says too little: what is {}?", package.name)));
            }
            Some(_) => {}
        }
    }
    complaints
}

/// Complaints about crates that `ARCHITECTURE.md` does not show.
pub fn check_map(packages: &[Package], map: &TextFile) -> Vec<Complaint> {
    let folders = packages.iter().filter_map(|package| package.folder.as_deref());
    let missing = folders.filter(|folder| !map.text.contains(*folder));
    missing.map(|folder| Complaint::about(&map.path, format!("does not show {folder}"))).collect()
}

/// Complaints about code names that `docs/words.md` does not explain: it must have each in backquotes.
pub fn check_terms<'a>(terms: impl IntoIterator<Item = &'a str>, words: &TextFile) -> Vec<Complaint> {
    let missing = terms.into_iter().filter(|term| !words.text.contains(&format!("`{term}`")));
    missing.map(|term| Complaint::about(&words.path, format!("does not explain `{term}`"))).collect()
}

/// Complaints about names in the second column of `docs/words.md` that no code has any more.
pub fn check_terms_live(words: &TextFile, files: &[TextFile]) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    let code: Vec<&TextFile> =
        files.iter().filter(|file| file.extension() == "rs" && !file.is_test()).collect();
    for (number, line) in words.text.lines().enumerate() {
        let name = line.split('|').nth(2).unwrap_or_default().trim();
        let Some(name) = name.strip_prefix('`').and_then(|name| name.strip_suffix('`')) else { continue };
        let is_there = |file: &&TextFile| {
            let is_part = |sign: char| sign.is_alphanumeric() || sign == '_';
            file.text.match_indices(name).any(|(at, _)| {
                !file.text[..at].ends_with(is_part) && !file.text[at + name.len()..].starts_with(is_part)
            })
        };
        let is_programme = files.iter().any(|file| file.path.starts_with(&format!("programmes/{name}/")));
        if !is_programme && !code.iter().any(is_there) {
            complaints.push(Complaint::at(&words.path, number + 1, format!("no code has the name `{name}`")));
        }
    }
    complaints
}

/// Complaints about tests that a document names as proof and that no file has: words in backquotes with three underscores or more.
pub fn check_proofs(document: &TextFile, files: &[TextFile]) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    let code: Vec<&TextFile> = files.iter().filter(|file| file.extension() == "rs").collect();
    for (number, line) in document.text.lines().enumerate() {
        for name in line.split('`').skip(1).step_by(2).filter(|name| is_name_of_test(name)) {
            let said = format!("fn {name}(");
            if !code.iter().any(|file| file.text.contains(&said)) {
                complaints.push(Complaint::at(
                    &document.path,
                    number + 1,
                    format!("no test is called {name}"),
                ));
            }
        }
    }
    complaints
}

fn is_name_of_test(name: &str) -> bool {
    let is_name = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    is_name && name.matches('_').count() >= 3
}

/// Complaints about paths of somebody's machine.
pub fn check_no_machine_paths(file: &TextFile) -> Vec<Complaint> {
    // Put together here, so that this file does not hold what it looks for.
    let homes = [
        ("/ho", "me/"),
        ("/ro", "ot/"),
        ("/Us", "ers/"),
        ("C:\\Us", "ers"),
        ("/wo", "rk/wt"),
        ("/wo", "rk/shared"),
    ];
    let mut complaints = Vec::new();
    for (number, line) in file.text.lines().enumerate() {
        for (begin, end) in homes {
            let path = format!("{begin}{end}");
            let found = line.match_indices(&path).any(|(at, _)| {
                // `https://example.org` with such a folder is an address, not a path.
                !line[..at].ends_with(|before: char| before.is_alphanumeric() || "._-".contains(before))
            });
            if found {
                complaints.push(Complaint::at(
                    &file.path,
                    number + 1,
                    format!("{path} is a path of one machine"),
                ));
            }
        }
    }
    complaints
}

/// Complaints about links of a Markdown file that lead nowhere. `exists` tells whether a path from the root is there;
/// `files` hold the headings.
pub fn check_links(file: &TextFile, files: &[TextFile], exists: impl Fn(&Path) -> bool) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    for (line, link) in links(&file.text) {
        if link.contains("://") || link.starts_with("mailto:") {
            continue;
        }
        let (path, heading) =
            link.split_once('#').map_or((&*link, None), |(path, heading)| (path, Some(heading)));
        let target =
            if path.is_empty() { Some(PathBuf::from(&file.path)) } else { resolve(&file.path, path) };
        let Some(target) = target.filter(|target| exists(target)) else {
            complaints.push(Complaint::at(&file.path, line, format!("the link {link} leads nowhere")));
            continue;
        };
        let held = files.iter().find(|file| Path::new(&file.path) == target);
        if let (Some(heading), Some(held)) = (heading, held)
            && !anchors(&held.text).iter().any(|anchor| anchor == heading)
        {
            complaints.push(Complaint::at(
                &file.path,
                line,
                format!("{} has no heading {heading}", held.path),
            ));
        }
    }
    complaints
}

/// The path from the root that `link` in the file `from` means; none if it leads out of the repository.
fn resolve(from: &str, link: &str) -> Option<PathBuf> {
    let mut path = PathBuf::from(from);
    path.pop();
    for part in Path::new(link).components() {
        match part {
            Component::ParentDir => {
                if !path.pop() {
                    return None;
                }
            }
            Component::Normal(name) => path.push(name),
            Component::CurDir => {}
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(path)
}

/// The links and pictures of a Markdown text, with their line; those in code are left out.
fn links(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (number, line) in prose(text) {
        let mut rest = line.as_str();
        while let Some((_, after)) = rest.split_once("](") {
            let (link, after) = after.split_once(')').unwrap_or((after, ""));
            let link = link.split(" \"").next().unwrap_or_default().trim();
            found.push((number, link.trim_matches(['<', '>']).to_owned()));
            rest = after;
        }
    }
    found
}

/// The anchors that a forge makes of the headings.
fn anchors(text: &str) -> Vec<String> {
    let headings = prose(text).into_iter().filter_map(|(_, line)| {
        let title = line.trim_start_matches('#');
        (title.len() < line.len() && title.starts_with(' ')).then(|| title.trim().to_lowercase())
    });
    headings
        .map(|title| {
            let kept =
                title.chars().filter(|character| character.is_alphanumeric() || " -_".contains(*character));
            kept.map(|character| if character == ' ' { '-' } else { character }).collect()
        })
        .collect()
}

/// The lines outside fenced code, numbered from 1, without what stands in backquotes.
fn prose(text: &str) -> Vec<(usize, String)> {
    let mut fenced = false;
    let mut lines = Vec::new();
    for (number, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            let is_heading = line.starts_with('#');
            let outside = line.split('`').enumerate().filter(|(at, _)| is_heading || at % 2 == 0);
            lines.push((number + 1, outside.map(|(_, part)| part).collect()));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn people() -> Vec<Package> {
        let folder = Some("spine/people".to_owned());
        vec![Package { name: "kangmai-people".to_owned(), folder, ..Package::default() }]
    }

    #[test]
    fn a_missing_or_empty_readme_is_found() {
        let check = |files: &[TextFile]| check_readmes(&people(), files).len();
        assert_eq!(check(&[]), 1);
        assert_eq!(
            check(&[TextFile::new("spine/people/README.md", "# kangmai-people\n\nPersons and households.")]),
            0
        );
        assert_eq!(check(&[TextFile::new("spine/people/README.md", "# people\n\nTo come.")]), 1);
    }

    #[test]
    fn a_proof_that_nobody_wrote_is_found() {
        let document = TextFile::new("docs/security.md", "| locks | `wrong_codes_lock_it` and `serve.rs` |");
        let code = |text: &str| [TextFile::new("server/tests/locks.rs", text)];
        assert_eq!(check_proofs(&document, &code("fn wrong_codes_lock_it() {}")), []);
        assert_eq!(check_proofs(&document, &code("fn wrong_codes_lock() {}")).len(), 1);
    }

    #[test]
    fn a_crate_off_the_map_and_a_term_without_a_word_are_found() {
        assert_eq!(check_map(&people(), &TextFile::new("ARCHITECTURE.md", "`spine/people` knows")), []);
        assert_eq!(check_map(&people(), &TextFile::new("ARCHITECTURE.md", "the people")).len(), 1);
        let words = TextFile::new("docs/words.md", "| 特困 | `destitute` |");
        assert_eq!(check_terms(["destitute"], &words), []);
        assert_eq!(check_terms(["destitute", "low_income"], &words).len(), 1);
        let code = |text: &str| [TextFile::new("spine/people/src/label.rs", text)];
        assert_eq!(check_terms_live(&words, &code("const A: &str = \"destitute\";")), []);
        assert_eq!(check_terms_live(&words, &code("fn is_destitute() {}")).len(), 1);
    }

    #[test]
    fn paths_of_a_machine_are_found() {
        let path = ["see /ho", "me/li/notes"].concat();
        assert_eq!(check_no_machine_paths(&TextFile::new("a.md", &path)).len(), 1);
        let address = ["see https://example.org/ho", "me/li"].concat();
        assert_eq!(check_no_machine_paths(&TextFile::new("a.md", &address)), []);
    }

    #[test]
    fn links_that_lead_nowhere_are_found() {
        let readme = TextFile::new("docs/README.md", "# All of it\n");
        let check = |text: &str| {
            let file = TextFile::new("docs/adr/one.md", text);
            let there = ["docs/README.md", "docs/adr/one.md"].map(PathBuf::from);
            check_links(&file, std::slice::from_ref(&readme), |path| there.contains(&path.to_path_buf()))
                .len()
        };
        assert_eq!(
            check("[up](../README.md) [heading](../README.md#all-of-it) [web](https://example.org)"),
            0
        );
        assert_eq!(check("`[code](gone.md)`\n```\n[code](gone.md)\n```"), 0);
        assert_eq!(check("[gone](gone.md)"), 1);
        assert_eq!(check("![picture](../gone.png \"title\")"), 1);
        assert_eq!(check("[gone](../README.md#nothing-of-it)"), 1);
        assert_eq!(check("[out](../../../../etc/passwd)"), 1);
    }
}
