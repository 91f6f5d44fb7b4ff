//! Secrecy at rest: whoever has the disk or a dump of the database, and not the master key, reads no identity number and no
//! telephone number; keys change while everybody works; the wrong key is refused and says what to do.

#![expect(clippy::expect_used, reason = "a test says what it needs")]

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use kangmai_acceptance::county::{COUNTY, County};
use kangmai_acceptance::dump::{dump, file_of};
use kangmai_acceptance::program::{Program, fresh_folder, remove_folder};
use kangmai_base::{DivisionCode, Id, IdNumber, Moment, Phone, SeededIds, Uuid};
use kangmai_database::testing::FreshDatabase;
use kangmai_database::{
    Database, DatabaseError, Transaction, look_for_clear_text_again, params, reseal, seal_clear_text,
    standing,
};
use kangmai_people::{Person, PersonBody, Query, find_person, people_at, put_persons, search};
use kangmai_record::rebuild;
use kangmai_seal::{CipherKind, MasterKeys};
use kangmai_server::programmes;

/// The shortest number: a mobile one.
const SHORTEST: usize = 11;

/// All identity and telephone numbers of the county.
fn numbers(county: &County) -> HashSet<String> {
    let place: DivisionCode = COUNTY.parse().expect("a code");
    let people = county.app.database.read_blocking(move |tx| people_at(tx, place.range(), 0, 5_000));
    let people = people.expect("people");
    let of = |person: &Person| {
        let number = person.body.id_number.as_ref().map(|number| number.as_str().to_owned());
        let phone = person.body.phone.as_ref().map(|phone| phone.as_str().to_owned());
        number.into_iter().chain(phone).collect::<Vec<_>>()
    };
    people.iter().flat_map(of).filter(|number| number.len() >= SHORTEST).collect()
}

/// The numbers that stand somewhere in `bytes`.
fn found<'a>(bytes: &[u8], numbers: &'a HashSet<String>) -> Vec<&'a str> {
    let mut by_begin: BTreeMap<&[u8], Vec<&str>> = BTreeMap::new();
    for number in numbers {
        by_begin.entry(&number.as_bytes()[..SHORTEST]).or_default().push(number);
    }
    let mut all = Vec::new();
    for at in 0..bytes.len().saturating_sub(SHORTEST - 1) {
        // Most bytes begin no number.
        if !bytes[at + 1].is_ascii_digit() || !bytes[at + 2].is_ascii_digit() {
            continue;
        }
        let same = by_begin.get(&bytes[at..at + SHORTEST]).into_iter().flatten();
        all.extend(same.filter(|number| bytes[at..].starts_with(number.as_bytes())));
    }
    all
}

/// The names that stand somewhere in `bytes`. They are of more than one character, of three bytes each.
fn names_in<'a>(bytes: &[u8], names: &'a HashSet<String>) -> HashSet<&'a str> {
    let mut by_begin: HashMap<&[u8], Vec<&str>> = HashMap::new();
    for name in names {
        by_begin.entry(&name.as_bytes()[..6]).or_default().push(name);
    }
    let windows = bytes.windows(6).enumerate().filter(|(_, window)| window[0] >= 0xe0);
    let same = windows.filter_map(|(at, window)| Some((at, by_begin.get(window)?)));
    let all = same
        .flat_map(|(at, names)| names.iter().filter(move |name| bytes[at..].starts_with(name.as_bytes())));
    all.copied().collect()
}

/// The names of all people of the county.
fn names(county: &County) -> HashSet<String> {
    let place: DivisionCode = COUNTY.parse().expect("a code");
    let people = county.app.database.read_blocking(move |tx| people_at(tx, place.range(), 0, 5_000));
    people.expect("people").into_iter().map(|person| person.body.name).collect()
}

fn differences(county: &County) -> usize {
    rebuild(&county.app.database, &programmes::record(), true, |_| {}).expect("a rebuild").len()
}

#[test]
fn no_number_and_no_name_of_anybody_stands_in_the_database() {
    County::on_both(|county| {
        county.populate();
        let numbers = numbers(county);
        assert!(numbers.len() > 500, "only {} numbers", numbers.len());
        let dump = dump(&county.app.database, file_of(&county.app.database).as_deref());
        assert!(dump.len() > 500_000, "the tables are read: {}", dump.len());
        let in_clear = found(&dump, &numbers);
        assert!(in_clear.is_empty(), "{} numbers stand in clear, as {}", in_clear.len(), in_clear[0]);
        let names = names(county);
        assert!(names.len() > 100, "only {} names", names.len());
        let in_clear = names_in(&dump, &names);
        assert!(in_clear.is_empty(), "{} names stand in clear: {in_clear:?}", in_clear.len());
        assert_eq!(differences(county), 0);
    });
}

/// Puts the numbers and the facts back as a release before sealing left them.
fn unseal(tx: &mut Transaction<'_>) -> Result<(), DatabaseError> {
    let place: DivisionCode = COUNTY.parse().expect("a code");
    for person in people_at(tx, place.range(), 0, 5_000)? {
        let number = person.body.id_number.as_ref();
        let values = params![
            person.id,
            number.map(IdNumber::as_str),
            number.map(IdNumber::last_four),
            person.body.phone.as_ref(),
            person.body.phone.as_ref().map(Phone::last_four),
            person.body.name.as_str(),
        ];
        tx.execute(
            "update person set id_number = $2, last_four = $3, phone = $4, phone_tail = $5, digest = 7,
            name = $6, initials = 'x', name_sealed = null, name_digest = null, id_number_sealed = null, id_number_digest = null, last_four_digest = null,
            phone_sealed = null, phone_digest = null, phone_tail_digest = null where id = $1",
            &values,
        )?;
    }
    for row in tx.query("select id, body_sealed from fact", &[])? {
        let id: Uuid = row.get(0)?;
        let body = tx.opened(("fact", "body_sealed"), id, row.get(1)?)?;
        tx.execute("update fact set body = $2, body_sealed = null where id = $1", &params![id, body])?;
    }
    Ok(())
}

#[test]
fn what_a_release_before_left_in_clear_is_read_and_then_sealed() {
    County::on_both(|county| {
        county.populate();
        let numbers = numbers(county);
        let database = &county.app.database;
        database.write_blocking(unseal).expect("as it was");
        let file = file_of(&county.app.database);
        let names = names(county);
        let before = dump(database, file.as_deref());
        assert!(found(&before, &numbers).len() > 500, "it stands in clear");
        assert_eq!(names_in(&before, &names).len(), names.len(), "so do names");
        assert_eq!(self::numbers(county), numbers, "and is read all the same");
        assert_eq!(self::names(county), names);
        database.write_blocking(look_for_clear_text_again).expect("again");
        let sealed = seal_clear_text(database, &programmes::clear_text(), Moment(1), |_| {}).expect("sealed");
        assert!(sealed > 1_000, "only {sealed} rows");
        let again = seal_clear_text(database, &programmes::clear_text(), Moment(1), |_| {}).expect("sealed");
        assert_eq!(again, 0);
        // SQLite leaves nothing in its file either; PostgreSQL's pages are for its own vacuum.
        let after = dump(database, file.as_deref());
        assert_eq!(found(&after, &numbers), Vec::<&str>::new());
        assert_eq!(self::numbers(county), numbers);
        assert_eq!(self::names(county), names);
        assert_eq!(names_in(&after, &names), HashSet::new());
        assert_eq!(differences(county), 0);
        let place: DivisionCode = COUNTY.parse().expect("a code");
        let found_by = |text: &str| {
            let query = Query::read(text).expect("a query");
            database.read_blocking(move |tx| search(tx, place.range(), &query, 5_000)).expect("found")
        };
        let one = numbers.iter().find(|number| number.len() == 18).expect("a number");
        let is_one = |person: &Person| person.body.id_number.as_ref().is_some_and(|it| it.as_str() == one);
        assert!(found_by(one).iter().any(is_one));
        for name in names.iter().take(20) {
            assert!(found_by(name).iter().any(|person| person.body.name == *name), "by the whole name");
            let beginning: String = name.chars().take(1).collect();
            assert!(found_by(&beginning).iter().any(|person| person.body.name == *name), "by its beginning");
        }
    });
}

/// Two programs on one database, each with the master key.
fn two_programs(test: impl Fn(&Database, &Database)) {
    for fresh in FreshDatabase::all().expect("databases") {
        let master = MasterKeys::fresh(&SeededIds::new(1), CipherKind::Sm4Gcm);
        let open = || Database::open(&fresh.address).expect("open");
        let (one, other) = (open(), open());
        one.migrate(programmes::migrations(), Moment(0)).expect("tables");
        one.unlock(&master, &SeededIds::new(2), Moment(5)).expect("makes the first key");
        other.unlock(&master, &SeededIds::new(3), Moment(6)).expect("takes it up");
        test(&one, &other);
    }
}

fn person(number: u32) -> Person {
    Person {
        id: Id::from_uuid(Uuid::from_u128(u128::from(number) + 1)),
        home: "411722001001".parse().expect("a code"),
        body: PersonBody {
            household: Uuid::from_u128(7),
            relation: None,
            name: format!("示例{number}"),
            id_number: IdNumber::with_checksum(&format!("41172219500101{:03}", number % 1_000)),
            sex: None,
            birth: None,
            ethnicity: None,
            living: None,
            phone: Phone::read(&format!("139{number:08}")),
            enrolment: None,
            died_on: None,
            marks: vec![],
            labels: vec![],
        },
    }
}

fn keys_in_use(database: &Database) -> Vec<(u32, i64)> {
    let standing = database.read_blocking(|tx| standing(tx, &programmes::sealed())).expect("a look");
    let mut keys: BTreeMap<u32, i64> = BTreeMap::new();
    for one in standing {
        *keys.entry(one.key).or_default() += one.values;
    }
    keys.into_iter().collect()
}

#[test]
fn keys_change_while_others_write_and_read() {
    const WRITTEN_UNDER_EACH: u32 = 20;
    const ROTATIONS: u32 = 5;
    /// So that a test that fails ends.
    const MOST_WRITTEN: u32 = 50_000;
    two_programs(|one, other| {
        let written = AtomicU32::new(0);
        let is_over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let writing = scope.spawn(|| {
                for number in 0..MOST_WRITTEN {
                    if is_over.load(Ordering::SeqCst) {
                        break;
                    }
                    one.write_blocking(move |tx| put_persons(tx, &[person(number)])).expect("written");
                    let read = one.read_blocking(move |tx| find_person(tx, person(number / 2).id));
                    assert_eq!(read.expect("read"), Some(person(number / 2)));
                    written.store(number + 1, Ordering::SeqCst);
                }
            });
            // The writer ends only after the last key: every change of keys happens under its hands.
            let more_is_written = || {
                let enough = written.load(Ordering::SeqCst) + WRITTEN_UNDER_EACH;
                while written.load(Ordering::SeqCst) < enough && !writing.is_finished() {
                    std::thread::yield_now();
                }
            };
            more_is_written();
            for key in 2..2 + ROTATIONS {
                let made = other.rotate_keys(&SeededIds::new(u64::from(key)), Moment(i64::from(key)));
                assert_eq!(made.expect("a new key"), key);
                reseal(other, &programmes::sealed(), |_| {}).expect("sealed again");
                more_is_written();
            }
            is_over.store(true, Ordering::SeqCst);
            writing.join().expect("a writer");
        });
        let written = written.into_inner();
        assert!(written > ROTATIONS * WRITTEN_UNDER_EACH, "{written} were written");
        reseal(other, &programmes::sealed(), |_| {}).expect("sealed again");
        let current = other.read_blocking(|tx| tx.current_key()).expect("a key");
        assert_eq!(keys_in_use(one), [(current, i64::from(written) * 3)], "nothing is under an older key");
        for number in 0..written {
            let read = one.read_blocking(move |tx| find_person(tx, person(number).id)).expect("read");
            assert_eq!(read, Some(person(number)));
        }
    });
}

#[test]
fn the_wrong_key_is_refused_and_says_what_to_do() {
    let folder = fresh_folder("at-rest");
    let program = Program {
        executable: PathBuf::from(env!("CARGO_BIN_EXE_kangmai_here")),
        database: folder.join("kangmai.db").to_string_lossy().into_owned(),
        folder: folder.clone(),
    };
    let says = program.must(&["keys", "status"]);
    let master = says.split("wrapped by master key ").nth(1).and_then(|rest| rest.get(..8)).expect("a key");
    let refused = |key: Option<&str>| {
        let mut command = program.command(&["serve"]);
        match key {
            Some(key) => command.env("KANGMAI_MASTER_KEY", key),
            None => command.env_remove("KANGMAI_MASTER_KEY"),
        };
        let ended = command.output().expect("the program");
        assert!(!ended.status.success());
        String::from_utf8_lossy(&ended.stderr).into_owned()
    };
    let other = refused(Some(&"ab".repeat(32)));
    assert!(other.contains(master) && other.contains("docs/howto/keys.md"), "{other}");
    let none = refused(None);
    assert!(none.contains("kangmai keys new FILE"), "{none}");
    let broken = refused(Some("key 12"));
    assert!(broken.contains("line 1"), "{broken}");
    program.must(&["keys", "rotate"]);
    program.must(&["keys", "seal"]);
    assert!(program.must(&["keys", "status"]).contains("key 2"));
    remove_folder(&folder);
}
