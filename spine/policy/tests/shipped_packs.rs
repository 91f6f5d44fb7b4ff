//! The packs that the product ships: they load, and every case in them comes out to the fen.

use std::path::Path;

use kangmai_policy::{Language, Release};

/// The shipped release.
pub fn shipped() -> Release {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies");
    let files = Release::read_directory(&directory).expect("policies");
    Release::load(files).unwrap_or_else(|errors| {
        let rendered: Vec<String> = errors.iter().map(|error| error.render(Language::En)).collect();
        panic!("{}", rendered.join("\n\n"))
    })
}

#[test]
fn every_case_comes_out_to_the_fen() {
    let report = shipped().run_cases();
    let failures: Vec<String> = report
        .failures
        .iter()
        .map(|failure| format!("{}:{} {}: {}", failure.path, failure.line, failure.name, failure.difference))
        .collect();
    assert!(failures.is_empty(), "{} failures of {}\n{}", failures.len(), report.passed, failures.join("\n"));
    assert!(report.passed > 100, "only {} cases", report.passed);
}
