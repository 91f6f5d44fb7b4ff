//! The invariants of the house, each as a function from what the repository holds to a list of complaints. Each is
//! tried on a bad sample beside it: a check that cannot fail is no check.

pub mod arrows;
pub mod docs;
pub mod licences;
pub mod size;
pub mod sql;
pub mod steps;
pub mod words;

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Something that breaks an invariant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complaint {
    /// The file, from the root.
    pub file: String,
    /// The line, counted from 1; 0 if it is about the whole file.
    pub line: usize,
    /// What is wrong, and the mend.
    pub says: String,
}

impl Complaint {
    /// A complaint about a line of a file.
    pub fn at(file: impl Into<String>, line: usize, says: impl Into<String>) -> Complaint {
        Complaint { file: file.into(), line, says: says.into() }
    }

    /// A complaint about a file as a whole.
    pub fn about(file: impl Into<String>, says: impl Into<String>) -> Complaint {
        Complaint::at(file, 0, says)
    }
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.file, self.says),
            line => write!(f, "{}:{line}: {}", self.file, self.says),
        }
    }
}

/// Fails with all complaints, one a line.
pub fn expect_none(complaints: &[Complaint]) {
    let lines: Vec<String> = complaints.iter().map(Complaint::to_string).collect();
    assert!(lines.is_empty(), "{} complaints:\n{}\n", lines.len(), lines.join("\n"));
}

/// A text file of the repository.
#[derive(Debug, Clone)]
pub struct TextFile {
    /// The path from the root, with `/`.
    pub path: String,
    /// What it holds.
    pub text: String,
}

impl TextFile {
    /// A sample.
    pub fn new(path: &str, text: &str) -> TextFile {
        TextFile { path: path.to_owned(), text: text.to_owned() }
    }

    /// Whether the whole file is test code: a folder `tests`, `benches` or `examples`, or a module `tests.rs`.
    pub fn is_test(&self) -> bool {
        self.path.split('/').any(|part| matches!(part, "tests" | "benches" | "examples" | "tests.rs"))
    }

    /// The path's ending, without the dot.
    pub fn extension(&self) -> &str {
        Path::new(&self.path).extension().and_then(|ending| ending.to_str()).unwrap_or_default()
    }
}

/// The repository's root.
pub fn root() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own).to_path_buf()
}

/// All text files of the repository that we wrote, sorted by path.
pub fn text_files() -> Vec<TextFile> {
    const ENDINGS: [&str; 12] =
        ["rs", "toml", "md", "sql", "html", "css", "js", "json", "csv", "txt", "sh", "svg"];
    let mut files = Vec::new();
    visit(&root(), &mut |path| {
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        if !ENDINGS.contains(&ending) {
            return;
        }
        if let Ok(text) = std::fs::read_to_string(path) {
            files.push(TextFile { path: from_root(path), text });
        }
    });
    files.sort_by(|one, other| one.path.cmp(&other.path));
    files
}

/// The path from the root, with `/`.
fn from_root(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).to_string_lossy().replace('\\', "/")
}

fn visit(folder: &Path, found: &mut impl FnMut(&Path)) {
    const NOT_OURS: [&str; 5] = [".git", "target", "node_modules", "kangmai-data", "insta"];
    for entry in std::fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok) {
        let path = entry.path();
        let name = entry.file_name();
        if path.is_dir() {
            if !NOT_OURS.iter().any(|other| name == **other) {
                visit(&path, found);
            }
        } else {
            found(&path);
        }
    }
}

/// A package that the workspace builds: ours or a dependency.
#[derive(Debug, Clone, Default)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its licence expression, if it states one.
    pub licence: Option<String>,
    /// The folder from the root, if it is ours.
    pub folder: Option<String>,
    /// The names of its normal dependencies.
    pub needs: Vec<String>,
}

/// What `cargo metadata` knows of this workspace on this platform.
pub fn packages() -> Vec<Package> {
    let asked = Command::new(std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()))
        .args(["metadata", "--format-version", "1", "--filter-platform", &host()])
        .current_dir(root())
        .output()
        .expect("cargo metadata starts");
    assert!(asked.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&asked.stderr));
    let told: Value = serde_json::from_slice(&asked.stdout).expect("cargo metadata prints JSON");
    let built: Vec<&str> = told["resolve"]["nodes"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|node| node["id"].as_str())
        .collect();
    let packages = told["packages"].as_array().into_iter().flatten();
    packages
        .filter(|package| built.contains(&package["id"].as_str().unwrap_or_default()))
        .map(package)
        .collect()
}

fn package(told: &Value) -> Package {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let needs = told["dependencies"].as_array().into_iter().flatten();
    let folder =
        Path::new(told["manifest_path"].as_str().unwrap_or_default()).parent().map(Path::to_path_buf);
    Package {
        name: text(&told["name"]),
        version: text(&told["version"]),
        licence: told["license"].as_str().map(str::to_owned),
        folder: folder.filter(|_| told["source"].is_null()).map(|folder| from_root(&folder)),
        needs: needs.filter(|need| need["kind"].is_null()).map(|need| text(&need["name"])).collect(),
    }
}

fn host() -> String {
    let told = Command::new("rustc").arg("-vV").output().expect("rustc starts");
    let told = String::from_utf8_lossy(&told.stdout).into_owned();
    told.lines().find_map(|line| line.strip_prefix("host: ")).expect("rustc tells its host").to_owned()
}
