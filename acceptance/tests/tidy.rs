//! The invariants of the house, on the house as it is.

use kangmai_acceptance::tidy::words::{Keys, Uses};
use kangmai_acceptance::tidy::{
    Complaint, TextFile, arrows, docs, expect_none, licences, packages, root, size, sql, steps, text_files,
    words,
};
use kangmai_people::Label;

fn code() -> impl Iterator<Item = TextFile> {
    text_files().into_iter().filter(|file| file.extension() == "rs")
}

fn document(path: &str) -> TextFile {
    let found = text_files().into_iter().find(|file| file.path == path);
    found.unwrap_or_else(|| TextFile::new(path, ""))
}

fn complaints(
    check: impl Fn(&TextFile) -> Vec<Complaint>,
    files: impl Iterator<Item = TextFile>,
) -> Vec<Complaint> {
    files.flat_map(|file| check(&file)).collect()
}

#[test]
fn dependencies_run_along_the_arrows() {
    let packages = packages();
    assert!(
        packages.iter().filter(|package| package.folder.is_some()).count() > 10,
        "too few crates: {packages:?}"
    );
    expect_none(&arrows::check_arrows(&packages));
    expect_none(&arrows::check_names(&packages));
}

#[test]
fn every_licence_is_allowed() {
    let allowed = licences::allowed(&document("deny.toml").text);
    assert!(!allowed.is_empty(), "deny.toml allows nothing");
    expect_none(&licences::check_licences(&packages(), &allowed));
}

#[test]
fn functions_and_files_are_short() {
    expect_none(&complaints(size::check_size, code()));
}

#[test]
fn no_lint_is_silenced_without_a_reason() {
    expect_none(&complaints(size::check_no_allow, code()));
}

#[test]
fn sql_stands_in_stores() {
    expect_none(&complaints(sql::check_sql, code()));
}

#[test]
fn migrations_widen_and_never_narrow() {
    let all: Vec<TextFile> = text_files().into_iter().filter(steps::is_step).collect();
    assert!(all.len() > 10, "only {} steps were found", all.len());
    expect_none(&complaints(steps::check_step, all.into_iter()));
}

#[test]
fn every_key_has_its_words_and_every_word_is_used() {
    let files = text_files();
    let (keys, careless) = Keys::read(&files);
    expect_none(&careless);
    let uses = Uses::read(&files);
    expect_none(&[words::check_missing(&keys, &uses), words::check_unused(&keys, &uses)].concat());
}

#[test]
fn words_use_the_names_of_today() {
    let (keys, _) = Keys::read(&text_files());
    expect_none(&[words::check_names_of_today(&keys), words::check_historical(&keys)].concat());
}

#[test]
fn templates_hold_no_sentences() {
    expect_none(&complaints(words::check_template, text_files().into_iter()));
}

#[test]
fn every_crate_has_a_readme_and_is_on_the_map() {
    let packages = packages();
    expect_none(&docs::check_readmes(&packages, &text_files()));
    expect_none(&docs::check_map(&packages, &document("ARCHITECTURE.md")));
}

#[test]
fn documents_link_to_what_is_there() {
    let files = text_files();
    let documents = files.iter().filter(|file| file.extension() == "md");
    let broken: Vec<Complaint> = documents
        .flat_map(|file| docs::check_links(file, &files, |path| root().join(path).exists()))
        .collect();
    expect_none(&broken);
}

#[test]
fn nothing_names_a_path_of_one_machine() {
    expect_none(&complaints(docs::check_no_machine_paths, text_files().into_iter()));
}

#[test]
fn every_programme_and_label_is_in_the_list_of_words() {
    let packages = packages();
    let folders = packages.iter().filter_map(|package| package.folder.as_deref());
    let programmes = folders.filter_map(|folder| folder.strip_prefix("programmes/"));
    let labels = Label::ALL.iter().map(|label| label.key());
    expect_none(&docs::check_terms(programmes.chain(labels), &document("docs/words.md")));
    expect_none(&docs::check_terms_live(&document("docs/words.md"), &text_files()));
    let (keys, _) = Keys::read(&text_files());
    expect_none(&words::check_present(&keys, Label::ALL.iter().map(|label| label.word())));
}

#[test]
fn what_security_rests_on_is_a_test_that_is_there() {
    expect_none(&docs::check_proofs(&document("docs/security.md"), &text_files()));
}
