//! The second wall: in PostgreSQL itself a county is closed to the others, whatever the program asks.

use std::collections::BTreeSet;

use kangmai_acceptance::county::{COUNTY, County, OTHER_COUNTY};
use kangmai_acceptance::program::{fresh_folder, remove_folder};
use kangmai_acceptance::wire::Wire;
use kangmai_base::{DivisionCode, Ids as _, Moment, SystemIds};
use kangmai_database::testing::{FreshDatabase, POSTGRES_VARIABLE};
use kangmai_database::{Database, DatabaseError, Wall};
use kangmai_server::programmes;
use kangmai_server::wall::{ONLY_ADDED_TO, OPEN, WALLED};

use super::trial::Trial;

const TABLES: &str =
    "select table_name::text from information_schema.tables where table_schema = current_schema()";

/// The address of the same database for another role.
fn as_role(address: &str, role: &str) -> String {
    let (scheme, rest) = address.split_once("://").expect("an address");
    let (_, rest) = rest.split_once('@').expect("an address with a user");
    format!("{scheme}://{role}:{role}@{rest}")
}

/// A role of PostgreSQL that owns nothing; gone when dropped.
struct Role {
    server: String,
    name: String,
}

impl Role {
    fn new(server: &str) -> Role {
        let name = format!("kangmai_{}", SystemIds.mint(Moment(0)).simple());
        let make = format!("create role {name} login password '{name}'");
        let database = Database::open(server).expect("a server");
        database.write_blocking(move |tx| tx.batch(&make)).expect("tests may make roles");
        Role { server: server.to_owned(), name }
    }
}

impl Drop for Role {
    fn drop(&mut self) {
        let drop_role = format!("drop owned by {0}; drop role {0}", self.name);
        if let Ok(database) = Database::open(&self.server) {
            // What stays is one role without rights.
            let _ = database.write_blocking(move |tx| tx.batch(&drop_role));
        }
    }
}

fn count(database: &Database, table: &str) -> i64 {
    // A wrong query: nothing says whose rows.
    let sql = format!("select count(*) from {table}");
    let asked = database.read_blocking(move |tx| -> Result<i64, DatabaseError> {
        tx.query_one(&sql, &[])?.map_or(Ok(0), |row| row.get(0))
    });
    asked.expect("the database answers")
}

#[test]
fn a_wrong_query_sees_nothing_of_another_county() {
    let Ok(server) = std::env::var(POSTGRES_VARIABLE) else { return };
    let role = Role::new(&server);
    let fresh = FreshDatabase::postgres(&server).expect("a schema");
    let owner = fresh.database.clone();
    let address = fresh.address.clone();
    let county = County::on(fresh);
    county.populate();
    owner.wall(WALLED, ONLY_ADDED_TO, &role.name).expect("walls");
    assert_eq!(owner.walls().expect("walls"), i64::try_from(WALLED.len()).expect("few"));
    let works = Database::open(&as_role(&address, &role.name)).expect("the role may sign in");
    let range = |code: &str| code.parse::<DivisionCode>().expect("a division").range();
    let (own, other) = (works.within(range(COUNTY)), works.within(range(OTHER_COUNTY)));
    let mut filled = 0;
    for (table, wall) in WALLED {
        let all = count(&owner, table);
        assert_eq!(count(&works, table), all, "{table}: without a scope the program itself sees everything");
        assert_eq!(count(&other, table), 0, "{table} shows rows of another county");
        if let Wall::Column(column) = wall {
            let home = range(COUNTY);
            let (first, last) = (home.first, home.last);
            let of_county = count(&owner, &format!("{table} where {column} between {first} and {last}"));
            assert_eq!(count(&own, table), of_county, "{table} hides rows of the own county");
        }
        filled += usize::from(all > 0);
    }
    assert!(filled > 10, "only {filled} tables held anything");
    // Whoever comes past the program says no scope, and sees nothing.
    let past = works.write_blocking(|tx| -> Result<i64, DatabaseError> {
        tx.batch("reset kangmai.scope_first; reset kangmai.scope_last")?;
        tx.query_one("select count(*) from person", &[])?.map_or(Ok(0), |row| row.get(0))
    });
    assert_eq!(past.expect("an answer"), 0);
    let down = works.write_blocking(|tx| tx.batch("alter table person disable row level security"));
    assert!(down.is_err(), "the role takes the wall down");
    for table in ONLY_ADDED_TO {
        for sql in [format!("delete from {table}"), format!("truncate {table}")] {
            let gone = works.write_blocking(move |tx| tx.batch(&sql));
            assert!(gone.is_err(), "the role takes lines out of {table}");
        }
    }
    let altered = works.write_blocking(|tx| tx.batch("update audit_row set reason = ''"));
    assert!(altered.is_err(), "the role alters the audit trail");
}

#[test]
fn a_walled_server_works_by_a_role_that_owns_nothing() {
    let Ok(server) = std::env::var(POSTGRES_VARIABLE) else { return };
    let role = Role::new(&server);
    let folder = fresh_folder("walled");
    let fresh = FreshDatabase::postgres(&server).expect("a schema");
    let mut trial = Trial::begin(&fresh.address, &folder, 8);
    let says = trial.program.must(&["database", "secure", "--role", &role.name]);
    assert!(says.contains("walled"), "{says}");
    let owner = trial.program.database.clone();
    trial.program.database = as_role(&owner, &role.name);
    let running = trial.program.serve();
    let mut wire = Wire::to(&running.host);
    for number in 0..6 {
        let sent = trial.settling(number);
        let (status, says) = trial.post(&mut wire, &sent).expect("an answer");
        assert_eq!(status, 200, "{says}");
        trial.acknowledge(sent);
    }
    drop(running);
    // To compare every view makes tables: that is for the owner.
    trial.program.database = owner;
    trial.finish();
    remove_folder(&folder);
}

#[test]
fn every_table_is_walled_or_said_to_be_open() {
    for fresh in FreshDatabase::all().expect("databases") {
        fresh.database.migrate(programmes::migrations(), Moment(0)).expect("tables");
        if fresh.address.contains("://") {
            let rows = fresh.database.read_blocking(|tx| tx.query(TABLES, &[])).expect("an answer");
            let there: BTreeSet<String> = rows.iter().map(|row| row.get(0).expect("a name")).collect();
            let known = WALLED.iter().map(|(table, _)| *table).chain(OPEN.iter().copied());
            let known: BTreeSet<String> = known.map(str::to_owned).collect();
            assert_eq!(there, known, "server/src/wall.rs: a table is in one of both lists");
        }
    }
}
