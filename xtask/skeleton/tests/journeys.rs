//! The programme from its outside, on both databases.

#![expect(clippy::expect_used, reason = "a test says what it needs")]

use kangmai_access::{Actor, Reach, reach};
use kangmai_base::{Day, DivisionCode, Ids as _, Moment, SeededIds, Uuid};
use kangmai_database::testing::on_both;
use kangmai_database::{Database, DatabaseError, Migrations};
use kangmai_record::{Appended, NewFact, Record, Source, Subject, rebuild};
use kangmai_skeleton::facts::{NOTED, Noted};
use kangmai_skeleton::{MIGRATIONS, programme, store};

const ALL: &[Migrations] = &[kangmai_record::MIGRATIONS, MIGRATIONS];
const NOW: Moment = Moment(1_700_000_000_000_000);

fn record() -> Record {
    Record::new(programme().projections.to_vec())
}

fn place(code: &str) -> DivisionCode {
    code.parse().expect("a code")
}

fn given_a_note(place: DivisionCode, note: &str) -> NewFact {
    let id = SeededIds::new(7).mint(NOW);
    let body = Noted { note: note.to_owned(), on: Day(19_000) };
    NewFact {
        id,
        kind: NOTED.to_owned(),
        subject: Subject::case(id),
        occurred_at: NOW,
        recorded_at: NOW,
        place,
        author: Uuid::nil(),
        source: Source::Typed,
        corrects: None,
        body: serde_json::to_string(&body).expect("JSON"),
    }
}

fn when_it_is_appended(database: &Database, fact: &NewFact) -> Result<Vec<Appended>, DatabaseError> {
    let fact = fact.clone();
    database.write_blocking(move |tx| record().append(tx, NOW, vec![fact]))
}

fn reach_of(place: DivisionCode) -> Reach {
    let actor = Actor { place, ..Actor::system() };
    reach(&actor, programme().navigation[0].purpose).expect("the system reaches everything")
}

fn then_it_is_seen_from(database: &Database, place: DivisionCode) -> Result<usize, DatabaseError> {
    database.read_blocking(move |tx| Ok(store::list(tx, &reach_of(place), 50, 0)?.len()))
}

#[test]
fn a_note_is_seen_within_its_place_and_nowhere_else() {
    on_both(ALL, |database| {
        let fact = given_a_note(place("411722103203"), "seen");
        assert_eq!(when_it_is_appended(&database, &fact)?, [Appended::Accepted]);
        assert_eq!(when_it_is_appended(&database, &fact)?, [Appended::Duplicate]);
        assert_eq!(then_it_is_seen_from(&database, place("411722000000"))?, 1);
        assert_eq!(then_it_is_seen_from(&database, place("411723000000"))?, 0);
        assert_eq!(rebuild(&database, &record(), true, |_| {})?, []);
        Ok(())
    })
    .expect("both databases");
}

#[test]
fn a_note_that_cannot_be_read_is_parked() {
    on_both(ALL, |database| {
        let fact = NewFact { body: "{}".to_owned(), ..given_a_note(place("411722103203"), "seen") };
        assert!(matches!(when_it_is_appended(&database, &fact)?[..], [Appended::Parked(_)]));
        assert_eq!(then_it_is_seen_from(&database, place("411722000000"))?, 0);
        Ok(())
    })
    .expect("both databases");
}
