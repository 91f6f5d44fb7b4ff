//! The audit trail is a chain: whatever somebody with the database in their hands does to it is found and named, on both
//! databases.

#![expect(clippy::expect_used, clippy::panic, reason = "a test says what it needs")]

use kangmai_access::{
    Actor, Anchor, Fault, MIGRATIONS, Verified, anchor_audit, audit, cut_audit, seal_audit, take_up_audit,
    verify_audit,
};
use kangmai_base::{Day, DivisionCode, Ids, Moment, SeededIds, Uuid};
use kangmai_database::testing::FreshDatabase;
use kangmai_database::{Database, DatabaseError, Migrations, OnBehalf, Transaction, params};

const ALL: &[Migrations] = &[MIGRATIONS];
/// Lines that each trail begins with; the chain's first line stands before them.
const LINES: i64 = 10;

fn noon() -> Moment {
    Moment::start_of(Day::from_ymd(2026, 3, 5).expect("a day")).plus_seconds(12 * 3_600)
}

fn write_line(database: &Database, ids: &SeededIds, now: Moment, reason: &str) -> Uuid {
    let (id, reason) = (ids.mint(now), reason.to_owned());
    let place: DivisionCode = "411722103203".parse().expect("a code");
    let behalf = OnBehalf::new("10.0.0.7".to_owned(), "GET /people/{id}".to_owned());
    let write = move |tx: &mut Transaction<'_>| {
        audit(tx, id, now, &Actor::system(), "read_person", Some(Uuid::nil()), place, &reason, "done")
    };
    database.on_behalf(behalf).write_blocking(write).expect("a line");
    id
}

fn seal(database: &Database, now: Moment) {
    let run = move |tx: &mut Transaction<'_>| seal_audit(tx, &SeededIds::new(99), now);
    while database.write_blocking(run).expect("sealed") > 0 {}
}

fn anchor(database: &Database) -> Anchor {
    database.read_blocking(|tx| anchor_audit(tx, noon())).expect("database").expect("a chain")
}

fn on_both(journey: impl Fn(&Database, &SeededIds)) {
    for fresh in FreshDatabase::all().expect("databases") {
        fresh.database.migrate(ALL, noon()).expect("migrated");
        journey(&fresh.database, &SeededIds::new(5));
    }
}

fn with_lines(journey: impl Fn(&Database, &SeededIds)) {
    on_both(|database, ids| {
        for number in 0..LINES {
            write_line(database, ids, noon().plus_seconds(number), &format!("{number}"));
        }
        seal(database, noon());
        journey(database, ids);
    });
}

fn verify(database: &Database, anchors: &[Anchor]) -> Verified {
    let anchors = anchors.to_vec();
    database.read_blocking(move |tx| verify_audit(tx, &anchors)).expect("verified")
}

/// Ends a transaction without leaving anything of it.
enum Undone {
    Found(Box<Verified>),
    Failed(DatabaseError),
}

impl From<DatabaseError> for Undone {
    fn from(error: DatabaseError) -> Undone {
        Undone::Failed(error)
    }
}

/// What is found after somebody did this to the database; afterwards it is as before.
fn found_after(
    database: &Database,
    anchors: &[Anchor],
    does: impl FnOnce(&mut Transaction<'_>) -> Result<(), DatabaseError> + Send + 'static,
) -> Vec<Fault> {
    let anchors = anchors.to_vec();
    let done = database.write_blocking(move |tx| -> Result<(), Undone> {
        does(tx)?;
        Err(Undone::Found(Box::new(verify_audit(tx, &anchors)?)))
    });
    match done {
        Err(Undone::Found(found)) => found.faults,
        Err(Undone::Failed(error)) => panic!("{error}"),
        Ok(()) => Vec::new(),
    }
}

fn line_at(database: &Database, ordinal: i64) -> Uuid {
    let read = move |tx: &mut Transaction<'_>| -> Result<Uuid, DatabaseError> {
        let row = tx.query_one("select line from audit_link where ordinal = $1", &params![ordinal])?;
        row.expect("a link").get(0)
    };
    database.read_blocking(read).expect("a line")
}

#[test]
fn an_untouched_trail_is_whole() {
    with_lines(|database, ids| {
        let found = verify(database, &[anchor(database)]);
        assert!(found.is_whole(), "{:?}", found.faults);
        assert_eq!((found.links, found.from_to, found.waiting), (11, Some((1, LINES + 1)), 0));
        // A line that waits is no fault, and comes in with the next run.
        write_line(database, ids, noon(), "later");
        assert_eq!(verify(database, &[]).waiting, 1);
        seal(database, noon());
        let found = verify(database, &[anchor(database)]);
        assert!(found.is_whole() && found.waiting == 0 && found.links == 12, "{found:?}");
    });
}

#[test]
fn an_altered_line_is_named_whatever_was_altered() {
    with_lines(|database, _| {
        let line = line_at(database, 4);
        for change in [
            "reason = 'another'",
            "outcome = 'refused'",
            "address = '10.0.0.8'",
            "address = null",
            "asked = 'GET /'",
            "subject = null",
            "account = id",
            "at = at + 1",
            "place = 411722103204",
            "place = -1",
            "mark = null",
        ] {
            let sql = format!("update audit_row set {change} where id = $1");
            let faults = found_after(database, &[], move |tx| tx.execute(&sql, &params![line]).map(|_| ()));
            assert_eq!(faults, [Fault::Altered { ordinal: 4, line }], "{change}");
        }
        // Who alters the link too has no key to hash it with.
        let faults = found_after(database, &[], move |tx| {
            tx.execute("update audit_row set reason = 'another' where id = $1", &params![line])?;
            tx.execute("update audit_link set hash = $1 where ordinal = 4", &params![vec![7_u8; 32]])
                .map(|_| ())
        });
        assert!(faults.contains(&Fault::Altered { ordinal: 4, line }), "{faults:?}");
    });
}

#[test]
fn a_removed_line_is_named() {
    with_lines(|database, ids| {
        let line = line_at(database, 4);
        let remove = "delete from audit_row where id = $1";
        let faults = found_after(database, &[], move |tx| tx.execute(remove, &params![line]).map(|_| ()));
        assert_eq!(faults, [Fault::Removed { ordinal: Some(4), line }]);
        let faults = found_after(database, &[], move |tx| {
            tx.execute(remove, &params![line])?;
            tx.batch("delete from audit_link where ordinal in (4, 5)")
        });
        let after = line_at(database, 5);
        assert_eq!(faults, [Fault::Missing { first: 4, last: 5 }]);
        // The links behind are moved up, as if nothing had been there.
        let faults = found_after(database, &[], move |tx| {
            tx.execute(remove, &params![line])?;
            tx.batch("delete from audit_link where ordinal = 4")?;
            for ordinal in 5..=LINES + 1 {
                let moved = "update audit_link set ordinal = $2 where ordinal = $1";
                tx.execute(moved, &params![ordinal, ordinal - 1])?;
            }
            Ok(())
        });
        assert!(faults.contains(&Fault::Moved { ordinal: 4, line: after }), "{faults:?}");
        // One that waits is missed as well.
        let waiting = write_line(database, ids, noon(), "waits");
        let faults = found_after(database, &[], move |tx| tx.execute(remove, &params![waiting]).map(|_| ()));
        assert_eq!(faults, [Fault::Removed { ordinal: None, line: waiting }]);
    });
}

const COPY: &str =
    "insert into audit_row (id, at, account, role, action, subject, place, reason, outcome, address, asked, mark)
    select $1, at, account, role, action, subject, place, reason, outcome, address, asked, mark
    from audit_row where id = $2";

#[test]
fn an_inserted_line_is_named() {
    with_lines(|database, ids| {
        let (line, model) = (ids.mint(noon()), line_at(database, 4));
        let faults =
            found_after(database, &[], move |tx| tx.execute(COPY, &params![line, model]).map(|_| ()));
        assert_eq!(faults, [Fault::Inserted { ordinal: None, line }]);
        // Whoever lets it come into the chain gains nothing: it carries no mark of the program.
        let faults = found_after(database, &[], move |tx| {
            tx.execute(COPY, &params![line, model])?;
            tx.execute("insert into audit_waiting (line) values ($1)", &params![line])?;
            seal_audit(tx, &SeededIds::new(3), noon())?;
            Ok(())
        });
        assert_eq!(faults, [Fault::Inserted { ordinal: Some(LINES + 2), line }]);
    });
}

#[test]
fn lines_that_changed_places_are_named() {
    with_lines(|database, _| {
        let (one, other) = (line_at(database, 4), line_at(database, 6));
        let faults = found_after(database, &[], move |tx| {
            let put = "update audit_link set line = $2 where ordinal = $1";
            for (ordinal, line) in [(4_i64, Uuid::max()), (6, one), (4, other)] {
                tx.execute(put, &params![ordinal, line])?;
            }
            Ok(())
        });
        assert_eq!(
            faults,
            [Fault::Moved { ordinal: 4, line: other }, Fault::Moved { ordinal: 6, line: one }]
        );
    });
}

#[test]
fn an_anchor_tells_what_was_cut_off_or_begun_anew() {
    with_lines(|database, ids| {
        let anchor = anchor(database);
        assert_eq!(anchor.to_string().parse::<Anchor>(), Ok(anchor.clone()), "an anchor is kept as text");
        let cut_off = |tx: &mut Transaction<'_>| {
            tx.batch(
                "delete from audit_row where id in (select line from audit_link where ordinal > 8);
                delete from audit_link where ordinal > 8",
            )
        };
        let faults = found_after(database, &[], cut_off);
        assert_eq!(faults, [], "nobody sees it without an anchor");
        let faults = found_after(database, std::slice::from_ref(&anchor), cut_off);
        assert_eq!(faults, [Fault::CutOff { last: 8, anchored: LINES + 1, at: anchor.at }]);
        // All of it away, and as many lines written anew by the program itself.
        let (database, before) = (database.clone(), anchor.clone());
        let gone = |tx: &mut Transaction<'_>| tx.batch("delete from audit_row; delete from audit_link");
        database.write_blocking(gone).expect("gone");
        for number in 0..LINES + 3 {
            write_line(&database, ids, noon(), &format!("anew {number}"));
        }
        seal(&database, noon());
        assert!(verify(&database, &[]).is_whole());
        let found = verify(&database, std::slice::from_ref(&before));
        assert_eq!(found.faults, [Fault::NotAnchored { ordinal: LINES + 1, at: before.at }]);
        // An anchor that somebody wrote by hand is none.
        let text = before.to_string().replace(&format!(" {} ", LINES + 1), " 3 ");
        let forged: Anchor = text.parse().expect("the form of one");
        let found = verify(&database, &[forged]);
        assert_eq!(found.faults, [Fault::ForgedAnchor { ordinal: 3, at: before.at }]);
    });
}

const OF_BEFORE: &str = "insert into audit_row (id, at, role, action, place, reason, outcome)
    values ($1, $2, 'system', 'import', 410000000000, '', 'done')";

#[test]
fn lines_from_before_the_chain_are_taken_in_once() {
    on_both(|database, ids| {
        let lines: Vec<Uuid> = (0..5).map(|_| ids.mint(noon())).collect();
        let of_before = lines.clone();
        let write = move |tx: &mut Transaction<'_>| -> Result<(), DatabaseError> {
            for line in of_before {
                tx.execute(OF_BEFORE, &params![line, noon()])?;
            }
            Ok(())
        };
        database.write_blocking(write).expect("lines");
        write_line(database, ids, noon(), "the first of the new program");
        assert_eq!(database.write_blocking(take_up_audit).expect("taken up"), 5);
        seal(database, noon());
        let found = verify(database, &[]);
        assert!(found.is_whole() && found.links == 7, "{found:?}");
        assert_eq!(database.write_blocking(take_up_audit).expect("taken up"), 0);
        // One of them altered is named; one more like them is not taken for one.
        let line = line_at(database, 3);
        assert!(lines.contains(&line), "they come first");
        let alter = "update audit_row set reason = 'another' where id = $1";
        let faults = found_after(database, &[], move |tx| tx.execute(alter, &params![line]).map(|_| ()));
        assert_eq!(faults, [Fault::Altered { ordinal: 3, line }]);
        let line = ids.mint(noon());
        let faults = found_after(database, &[], move |tx| {
            tx.execute(OF_BEFORE, &params![line, noon()])?;
            take_up_audit(tx)?;
            seal_audit(tx, &SeededIds::new(3), noon())?;
            Ok(())
        });
        assert_eq!(faults, [Fault::Inserted { ordinal: Some(8), line }]);
    });
}

#[test]
fn what_is_left_after_a_cut_is_verified_from_the_cut() {
    with_lines(|database, ids| {
        let before = anchor(database);
        let later = noon().plus_seconds(400 * 86_400);
        for number in 0..5 {
            write_line(database, ids, later.plus_seconds(number), "of this year");
        }
        seal(database, later);
        let cut = move |tx: &mut Transaction<'_>| cut_audit(tx, &SeededIds::new(8), later, later);
        let gone = database.write_blocking(cut).expect("database").expect("something to cut");
        assert_eq!((gone.first, gone.last), (1, LINES + 1));
        assert!(database.write_blocking(cut).expect("database").is_none(), "once is enough");
        seal(database, later);
        let found = verify(database, &[before, anchor(database)]);
        assert!(found.is_whole(), "{:?}", found.faults);
        assert_eq!((found.links, found.from_to), (6, Some((LINES + 2, LINES + 7))));
        // Nobody takes one more away under cover of the cut.
        let faults = found_after(database, &[], |tx| {
            tx.batch(
                "delete from audit_row where id in (select line from audit_link where ordinal = 12);
                delete from audit_link where ordinal = 12",
            )
        });
        assert_eq!(faults, [Fault::Missing { first: LINES + 2, last: LINES + 2 }]);
    });
}
