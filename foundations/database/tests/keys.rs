//! The keys of a database: taken up by every program on it, rotated under running ones, lost with their master key.

#![expect(clippy::expect_used, reason = "a test says what it needs")]

use kangmai_base::{Moment, SeededIds, Uuid};
use kangmai_database::testing::FreshDatabase;
use kangmai_database::{
    Database, DatabaseError, KEY_TABLES, Migration, Migrations, SealedTable, kept_keys, params, reseal,
    standing,
};
use kangmai_seal::{CipherKind, MasterKeys, Unopened};

const MIGRATIONS: &[Migrations] = &[
    KEY_TABLES,
    Migrations {
        owner: "test",
        steps: &[Migration {
            name: "001-note",
            sql: "create table note (id uuid primary key, text bytea, other bytea);",
        }],
    },
];
const NOTES: SealedTable = SealedTable { table: "note", id: "id", columns: &["text", "other"] };
const PUT: &str = "insert into note (id, text, other) values ($1, $2, $3)
    on conflict (id) do update set text = excluded.text";
const GET: &str = "select text, other from note where id = $1";

/// Two programs on one database, on SQLite and on PostgreSQL.
fn two_programs(test: impl Fn(&Database, &Database, &MasterKeys)) {
    for fresh in FreshDatabase::all().expect("databases") {
        let master = MasterKeys::fresh(&SeededIds::new(1), CipherKind::Sm4Gcm);
        let (one, other) = (open(&fresh), open(&fresh));
        one.migrate(MIGRATIONS, Moment(0)).expect("tables");
        one.unlock(&master, &SeededIds::new(2), Moment(5)).expect("makes the first key");
        other.unlock(&master, &SeededIds::new(3), Moment(6)).expect("takes it up");
        test(&one, &other, &master);
    }
}

fn open(fresh: &FreshDatabase) -> Database {
    Database::open(&fresh.address).expect("open")
}

fn put(database: &Database, id: u128, text: &'static str) {
    let id = Uuid::from_u128(id);
    database
        .write_blocking(move |tx| {
            let values = params![
                id,
                tx.sealed(("note", "text"), id, Some(text))?,
                tx.sealed(("note", "other"), id, None)?
            ];
            tx.execute(PUT, &values)
        })
        .expect("written");
}

fn get(database: &Database, id: u128) -> Result<Option<String>, DatabaseError> {
    let id = Uuid::from_u128(id);
    database.read_blocking(move |tx| {
        let row = tx.query_one(GET, &params![id])?.expect("the row");
        assert_eq!(tx.opened(("note", "other"), id, row.get(1)?)?, None);
        tx.opened(("note", "text"), id, row.get(0)?)
    })
}

fn keys_in_use(database: &Database) -> Vec<(u32, i64)> {
    let standing = database.read_blocking(|tx| standing(tx, &[NOTES])).expect("a look");
    standing.iter().map(|one| (one.key, one.values)).collect()
}

#[test]
fn a_rotation_is_taken_up_by_programs_that_run() {
    two_programs(|one, other, _| {
        put(one, 1, "older");
        assert_eq!(get(other, 1).expect("opens").as_deref(), Some("older"));
        assert_eq!(one.rotate_keys(&SeededIds::new(4), Moment(7)).expect("a new key"), 2);
        put(one, 2, "newer");
        // The other was told nothing: it reads what the new key sealed, and writes with it.
        assert_eq!(get(other, 2).expect("opens").as_deref(), Some("newer"));
        assert_eq!(get(other, 1).expect("opens").as_deref(), Some("older"));
        put(other, 3, "newest");
        assert_eq!(keys_in_use(one), [(1, 1), (2, 2)]);
        // Two rotations by two programs are two keys.
        assert_eq!(other.rotate_keys(&SeededIds::new(5), Moment(8)).expect("a new key"), 3);
        assert_eq!(one.rotate_keys(&SeededIds::new(6), Moment(9)).expect("a new key"), 4);
        assert_eq!(reseal(other, &[NOTES], |_| {}).expect("sealed again"), 3);
        assert_eq!(keys_in_use(one), [(4, 3)]);
        assert_eq!(reseal(one, &[NOTES], |_| {}).expect("nothing is left"), 0);
        for (id, text) in [(1, "older"), (2, "newer"), (3, "newest")] {
            assert_eq!(get(one, id).expect("opens").as_deref(), Some(text));
            assert_eq!(get(other, id).expect("opens").as_deref(), Some(text));
        }
    });
}

#[test]
fn a_program_that_did_not_write_for_long_writes_with_the_new_key() {
    two_programs(|one, other, _| {
        put(other, 1, "before");
        one.rotate_keys(&SeededIds::new(4), Moment(7)).expect("a new key");
        put(other, 1, "after");
        assert_eq!(keys_in_use(one), [(2, 1)]);
    });
}

#[test]
fn another_master_key_opens_nothing_and_a_renewed_one_all() {
    two_programs(|one, other, master| {
        put(one, 1, "kept");
        let stranger = MasterKeys::fresh(&SeededIds::new(9), CipherKind::Sm4Gcm);
        let refused = other.unlock(&stranger, &SeededIds::new(9), Moment(8));
        assert!(matches!(refused, Err(DatabaseError::Keys(Unopened::NoKey(_)))), "{refused:?}");
        let renewed = master.renewed(&SeededIds::new(10));
        one.rewrap_keys(&renewed).expect("wrapped again");
        assert_eq!(get(one, 1).expect("opens").as_deref(), Some("kept"));
        other.unlock(&renewed, &SeededIds::new(11), Moment(9)).expect("takes them up");
        assert_eq!(get(other, 1).expect("opens").as_deref(), Some("kept"));
        assert!(matches!(
            other.unlock(master, &SeededIds::new(11), Moment(9)),
            Err(DatabaseError::Keys(Unopened::NoKey(_)))
        ));
        let kept = one.read_blocking(kept_keys).expect("keys");
        assert_eq!((kept.len(), kept[0].made_at), (1, Moment(5)), "its day stays");
    });
}

#[test]
fn a_value_does_not_open_in_another_row_and_without_keys_nothing_is_sealed() {
    two_programs(|one, _, _| {
        put(one, 1, "of the first");
        put(one, 2, "of the second");
        let swap = "update note set text = (select text from note where id = $2) where id = $1";
        one.write_blocking(move |tx| tx.execute(swap, &params![Uuid::from_u128(1), Uuid::from_u128(2)]))
            .expect("moved");
        assert!(matches!(get(one, 1), Err(DatabaseError::Keys(Unopened::Broken))));
        let resealed = {
            one.rotate_keys(&SeededIds::new(4), Moment(7)).expect("a new key");
            reseal(one, &[NOTES], |_| {})
        };
        let said = resealed.expect_err("a moved value is no value of its row").to_string();
        assert!(said.contains("note.text of 00000000-0000-0000-0000-000000000001"), "{said}");
        assert!(!said.contains("second"), "{said}");
    });
    let fresh = FreshDatabase::sqlite().expect("a database");
    let refused = open(&fresh).write_blocking(|tx| tx.sealed(("note", "text"), Uuid::nil(), Some("x")));
    assert!(matches!(refused, Err(DatabaseError::NoKeys)));
}
