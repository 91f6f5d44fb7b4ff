//! The packs that the product ships: they load, and every case in them comes out to the fen.
#![expect(clippy::expect_used, reason = "a test")]

use std::path::Path;

use kangmai_policy::{Language, PackError, Release};

/// The shipped release.
fn shipped() -> Release {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies");
    let files = Release::read_directory(&directory).expect("policies");
    let rendered =
        |errors: Vec<PackError>| errors.iter().map(|error| error.render(Language::En)).collect::<Vec<_>>();
    Release::load(files).map_err(|errors| rendered(errors).join("\n\n")).expect("the shipped packs load")
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
