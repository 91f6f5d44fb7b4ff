//! Every statement of every store is understood by SQLite and by PostgreSQL, on the tables as migrations make them.

use kangmai_acceptance::browser::ALL_VARIABLE;
use kangmai_acceptance::tidy::sql::{is_store, statements};
use kangmai_acceptance::tidy::{Complaint, TextFile, expect_none, text_files};
use kangmai_database::DatabaseError;
use kangmai_database::testing::FreshDatabase;

/// The crates in the order in which their tables build on each other.
const ORDER: [&str; 9] = [
    "foundations/",
    "spine/places/",
    "spine/people/",
    "spine/access/",
    "spine/record/",
    "spine/cases/",
    "spine/",
    "doors/",
    "programmes/",
];

/// All migrations, in the order in which the server runs them.
fn migrations(files: &[TextFile]) -> Vec<TextFile> {
    let is_migration = |file: &&TextFile| file.extension() == "sql" && file.path.contains("/migrations/");
    let mut found: Vec<TextFile> = files.iter().filter(is_migration).cloned().collect();
    let place = |path: &str| ORDER.iter().position(|begin| path.starts_with(begin)).unwrap_or(ORDER.len());
    found.sort_by_key(|file| (place(&file.path), file.path.clone()));
    found
}

/// What a database has against the statements: one complaint each.
fn complaints(fresh: &FreshDatabase, files: &[TextFile]) -> Result<Vec<Complaint>, DatabaseError> {
    let dialect = fresh.database.dialect();
    for migration in migrations(files) {
        let text = migration.text.clone();
        let made: Result<(), DatabaseError> = fresh.database.write_blocking(move |tx| tx.batch(&text));
        if let Err(error) = made {
            return Ok(vec![Complaint::about(&migration.path, format!("on {dialect:?}: {error}"))]);
        }
    }
    let mut complaints = Vec::new();
    for file in files.iter().filter(|file| is_store(&file.path)) {
        for statement in statements(file) {
            let text = statement.text.clone();
            // A transaction each: PostgreSQL's ends with its first error.
            let prepared: Result<(), DatabaseError> =
                fresh.database.read_blocking(move |tx| tx.prepare(&text));
            if let Err(error) = prepared {
                let says = format!("{} on {dialect:?}: {error}", statement.name);
                complaints.push(Complaint::at(&file.path, statement.line, says));
            }
        }
    }
    Ok(complaints)
}

#[test]
fn every_statement_is_prepared_on_both_databases() -> Result<(), DatabaseError> {
    let files = text_files();
    let all = FreshDatabase::all()?;
    assert!(all.len() == 2 || std::env::var_os(ALL_VARIABLE).is_none(), "there is no PostgreSQL");
    let stores = files.iter().filter(|file| is_store(&file.path));
    let count: usize = stores.map(|file| statements(file).len()).sum();
    assert!(count > 40, "only {count} statements were found");
    let found: Result<Vec<Vec<Complaint>>, DatabaseError> =
        all.iter().map(|fresh| complaints(fresh, &files)).collect();
    expect_none(&found?.concat());
    Ok(())
}

#[test]
fn a_statement_that_one_database_does_not_understand_is_found() -> Result<(), DatabaseError> {
    let files = [
        TextFile::new(
            "spine/people/migrations/001.sql",
            "create table village (code bigint primary key, name text);",
        ),
        TextFile::new(
            "spine/people/src/store.rs",
            "const GOOD: &str = \"select name from village where code = $1\";
             const BAD: &str = \"select nickname from village where code = $1\";",
        ),
    ];
    for fresh in FreshDatabase::all()? {
        let found = complaints(&fresh, &files)?;
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].says.starts_with("BAD"), "{found:?}");
    }
    Ok(())
}

#[test]
fn every_migration_belongs_to_a_crate_that_runs_it() {
    let files = text_files();
    let unused: Vec<Complaint> = migrations(&files)
        .iter()
        .filter_map(|migration| {
            let (folder, name) = migration.path.split_once("/migrations/")?;
            let code = files.iter().filter(|file| file.extension() == "rs" && file.path.starts_with(folder));
            let named = code.into_iter().any(|file| file.text.contains(name));
            (!named)
                .then(|| Complaint::about(&migration.path, "no code of its crate names it: it never runs"))
        })
        .collect();
    expect_none(&unused);
}
