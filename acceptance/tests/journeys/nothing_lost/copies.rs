//! Backup, restore and move of a living county, by the program itself: what a server acknowledged while it was backed up
//! and before, every view, and the next settlement on the other database.

use std::path::{Path, PathBuf};

use kangmai_acceptance::program::{Program, fresh_folder, remove_folder};
use kangmai_acceptance::wire::Wire;
use kangmai_database::testing::{FreshDatabase, POSTGRES_VARIABLE};
use kangmai_database::{Database, TableSum};

use super::trial::Trial;

fn sums(address: &str) -> Vec<TableSum> {
    Database::open(address).expect("a database").table_sums(|_, _| {}).expect("sums")
}

/// An address where nothing is, of either kind.
struct Empty {
    address: String,
    _schema: Option<FreshDatabase>,
}

fn empty_ones(folder: &Path) -> Vec<Empty> {
    let mut all =
        vec![Empty { address: folder.join("other.db").to_string_lossy().into_owned(), _schema: None }];
    if let Ok(server) = std::env::var(POSTGRES_VARIABLE) {
        let schema = FreshDatabase::postgres(&server).expect("a schema");
        all.push(Empty { address: schema.address.clone(), _schema: Some(schema) });
    }
    all
}

fn on(program: &Program, database: &str) -> Program {
    Program { database: database.to_owned(), ..program.clone() }
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// A county with settled bills, on each kind of database.
fn each_kind(seed: u64, journey: impl Fn(Trial, &Path)) {
    let folder = fresh_folder("copies");
    for from in empty_ones(&folder) {
        let inner = fresh_folder("copied");
        let mut trial = Trial::begin(&from.address, &inner, seed);
        let server = trial.program.serve();
        let mut wire = Wire::to(&server.host);
        for number in 0..10 {
            let sent = trial.settling(number);
            assert_eq!(trial.post(&mut wire, &sent).expect("an answer").0, 200);
            trial.acknowledge(sent);
        }
        drop(server);
        journey(trial, &inner);
        remove_folder(&inner);
    }
    remove_folder(&folder);
}

#[test]
fn a_backup_made_under_load_is_restored_anywhere_and_goes_on() {
    each_kind(6, |mut trial, folder| {
        let file = folder.join("one.backup");
        let server = trial.program.serve();
        // Hospitals settle while it is written.
        let met = std::thread::scope(|scope| {
            let (trial, host) = (&trial, server.host.clone());
            let sending = scope.spawn(move || {
                let mut wire = Wire::to(&host);
                (10..40)
                    .map(|number| trial.settling(number))
                    .filter(|sent| trial.post(&mut wire, sent).expect("an answer").0 == 200)
                    .collect::<Vec<_>>()
            });
            let says = trial.program.must(&["backup", &text(&file), "--verify"]);
            assert!(says.contains("restored and compared"), "{says}");
            sending.join().expect("a sender")
        });
        assert_eq!(met.len(), 30);
        drop(server);
        seals_what_it_holds(&file, &trial);
        let quiet = folder.join("two.backup");
        trial.program.must(&["backup", &text(&quiet)]);
        assert!(!trial.program.run(&["backup", &text(&quiet)]).status.success(), "a file is written over");
        for target in empty_ones(folder) {
            let restored = on(&trial.program, &target.address);
            restored.must(&["restore", &text(&quiet)]);
            assert_eq!(sums(&target.address), sums(&trial.program.database));
            let again = restored.run(&["restore", &text(&quiet)]);
            assert!(!again.status.success(), "a database is written over");
            // What was settled during the first backup is in the second; everything goes on there.
            let mut copy = trial.copy_on(&target.address);
            met.iter().for_each(|sent| copy.acknowledge(sent.clone()));
            copy.finish();
        }
        met.into_iter().for_each(|sent| trial.acknowledge(sent));
        trial.finish();
    });
}

/// No number of a patient can be read in the file, and without the key it does not open.
fn seals_what_it_holds(file: &Path, trial: &Trial) {
    let bytes = std::fs::read(file).expect("a file");
    for patient in trial.patients() {
        assert!(!bytes.windows(patient.len()).any(|part| part == patient.as_bytes()));
    }
    let mut other = trial.program.command(&["restore", "--check", &text(file)]);
    other.env("KANGMAI_MASTER_KEY", "ff".repeat(32));
    let ended = other.output().expect("the program");
    let says = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert!(!ended.status.success() && says.contains("master key"), "{says}");
    let cut: PathBuf = file.with_extension("cut");
    std::fs::write(&cut, &bytes[..bytes.len() - 9]).expect("a file");
    let ended = trial.program.run(&["restore", "--check", &text(&cut)]);
    assert!(!ended.status.success(), "a file that was cut off is whole");
    trial.program.must(&["restore", "--check", &text(file)]);
}

#[test]
fn a_county_moves_to_another_database_and_goes_on_there() {
    each_kind(7, |trial, folder| {
        for target in empty_ones(folder) {
            let says =
                trial.program.must(&["move", "--from", &trial.program.database, "--to", &target.address]);
            assert!(says.contains("moved"), "{says}");
            assert_eq!(sums(&target.address), sums(&trial.program.database));
            let again =
                trial.program.run(&["move", "--from", &trial.program.database, "--to", &target.address]);
            assert!(!again.status.success(), "a database is written over");
            let mut moved = trial.copy_on(&target.address);
            let server = moved.program.serve();
            let sent = moved.settling(5_000);
            assert_eq!(moved.post(&mut Wire::to(&server.host), &sent).expect("an answer").0, 200);
            moved.acknowledge(sent);
            drop(server);
            moved.finish();
        }
    });
}
