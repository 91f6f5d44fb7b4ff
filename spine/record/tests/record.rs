//! Appending, duplicates, parking, gapless numbers, rebuilding: on both databases.

#![expect(clippy::expect_used, reason = "a test says what it needs")]

use kangmai_access::{Actor, Purpose, reach};
use kangmai_base::{DivisionCode, Ids as _, Moment, Refusal, SeededIds, Uuid};
use kangmai_database::testing::on_both;
use kangmai_database::{Database, DatabaseError, Migration, Migrations, Transaction, params};
use kangmai_record::{
    Appended, Fact, MIGRATIONS, NewFact, Projection, Record, Source, Subject, list_parked, parked_waiting,
    rebuild, resolve_parked, timeline,
};

const ALL: &[Migrations] = &[
    MIGRATIONS,
    Migrations {
        owner: "weights",
        steps: &[Migration {
            name: "001-weight",
            sql: "create table latest_weight (person uuid primary key, grams bigint not null)",
        }],
    },
];
const PUT: &str = "insert into latest_weight (person, grams) values ($1, $2)
    on conflict (person) do update set grams = excluded.grams";
const WEIGHTS: Projection = Projection {
    name: "weights",
    kinds: &["test.weighed"],
    views: &["latest_weight"],
    admit: |fact| {
        let grams: i64 = fact.read_body()?;
        if grams > 0 { Ok(()) } else { Err(Refusal::new("test.no_weight")) }
    },
    apply: |tx: &mut Transaction<'_>, facts: &[&Fact]| {
        for fact in facts {
            tx.execute(PUT, &params![fact.new.subject.id, fact.body::<i64>()?])?;
        }
        Ok(())
    },
};

fn record() -> Record {
    Record::new(vec![WEIGHTS])
}

fn weighed(ids: &SeededIds, person: Uuid, place: &str, body: &str) -> NewFact {
    NewFact {
        id: ids.mint(Moment(5_000)),
        kind: "test.weighed".into(),
        subject: Subject::person(person),
        occurred_at: Moment(1_000),
        recorded_at: Moment(2_000),
        place: place.parse().expect("a code"),
        author: Uuid::nil(),
        source: Source::Device,
        corrects: None,
        body: body.into(),
    }
}

fn append(database: &Database, facts: Vec<NewFact>) -> Vec<Appended> {
    database.write_blocking(move |tx| record().append(tx, Moment(9_000), facts)).expect("appended")
}

#[test]
fn whoever_waits_hears_why_a_fact_is_not_kept_and_nothing_written_with_it_stays() {
    on_both(ALL, |database| {
        let ids = SeededIds::new(2);
        let right = weighed(&ids, Uuid::from_u128(7), "411722103203", "61000");
        let wrong = weighed(&ids, Uuid::from_u128(8), "411722103203", "0");
        let both = vec![right.clone(), wrong];
        let kept = database.write_blocking(move |tx| record().keep(tx, Moment(9_000), both));
        assert!(
            matches!(&kept, Err(DatabaseError::NotKept(refusal)) if refusal.key == "test.no_weight"),
            "{kept:?}"
        );
        let reach = reach(&Actor::system(), Purpose::KeepRegister).expect("the system may");
        let left = database.read_blocking(move |tx| {
            let rows = tx.query("select grams from latest_weight", &[])?.len();
            Ok::<_, DatabaseError>((rows, parked_waiting(tx, &reach)?))
        })?;
        assert_eq!(left, (0, 0));
        database.write_blocking(move |tx| record().keep(tx, Moment(9_000), vec![right.clone(), right]))?;
        Ok(())
    })
    .expect("both");
}

#[test]
fn a_fact_again_is_a_duplicate_and_other_content_is_parked() {
    on_both(ALL, |database| {
        let ids = SeededIds::new(1);
        let fact = weighed(&ids, Uuid::from_u128(7), "411722103203", "61000");
        let forged = NewFact { body: "62000".into(), ..fact.clone() };
        assert_eq!(
            append(&database, vec![fact.clone(), fact.clone()]),
            [Appended::Accepted, Appended::Duplicate]
        );
        assert_eq!(append(&database, vec![fact]), [Appended::Duplicate]);
        let answers = append(&database, vec![forged.clone()]);
        assert_eq!(answers, [Appended::Parked(Refusal::new("record.parked.other_content"))]);
        append(&database, vec![forged]);
        let grams: i64 = database
            .read_blocking(|tx| tx.query_one("select grams from latest_weight", &[]))?
            .expect("a row")
            .get(0)?;
        assert_eq!(grams, 61_000);
        let actor = Actor::system();
        let reach = reach(&actor, Purpose::KeepRegister).expect("the system may");
        let (waiting, first) = database.read_blocking({
            let reach = reach.clone();
            move |tx| Ok::<_, DatabaseError>((parked_waiting(tx, &reach)?, list_parked(tx, &reach, 0, 10)?))
        })?;
        assert_eq!((waiting, first.len()), (1, 1));
        let id = first[0].id;
        let after = database.write_blocking(move |tx| {
            assert!(resolve_parked(tx, &reach, &actor, id, "checked with the sender", Moment(10_000))?);
            assert!(!resolve_parked(tx, &reach, &actor, id, "twice", Moment(10_000))?);
            parked_waiting(tx, &reach)
        })?;
        assert_eq!(after, 0);
        Ok(())
    })
    .expect("both");
}

#[test]
fn what_cannot_be_read_is_parked_and_the_rest_goes_in() {
    on_both(ALL, |database| {
        let ids = SeededIds::new(2);
        let person = Uuid::from_u128(7);
        let answers = append(
            &database,
            vec![
                weighed(&ids, person, "411722103203", "\"heavy\""),
                weighed(&ids, person, "411722103203", "0"),
                weighed(&ids, person, "411722103203", "61000"),
            ],
        );
        let keys: Vec<_> = answers
            .iter()
            .map(|answer| match answer {
                Appended::Parked(refusal) => refusal.key,
                _ => "in",
            })
            .collect();
        assert_eq!(keys, ["record.parked.unreadable", "test.no_weight", "in"]);
        Ok(())
    })
    .expect("both");
}

#[test]
fn each_place_numbers_its_facts_without_gaps() {
    on_both(ALL, |database| {
        let ids = SeededIds::new(3);
        for batch in 0..5 {
            let facts = (0..20)
                .map(|number| {
                    let place = if number % 3 == 0 { "411722103203" } else { "411722103204" };
                    weighed(&ids, Uuid::from_u128(batch * 100 + number), place, "50000")
                })
                .collect();
            append(&database, facts);
        }
        let rows = database.read_blocking(|tx| {
            tx.query(
                "select place, count(*), min(place_sequence), max(place_sequence), count(distinct place_sequence)
                 from fact group by place order by place",
                &[],
            )
        })?;
        let found: Vec<(DivisionCode, i64, i64, i64, i64)> = rows
            .iter()
            .map(|row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?)))
            .collect::<Result<_, DatabaseError>>()?;
        let code = |text: &str| text.parse::<DivisionCode>().expect("a code");
        assert_eq!(
            found,
            [(code("411722103203"), 35, 1, 35, 35), (code("411722103204"), 65, 1, 65, 65)]
        );
        Ok(())
    })
    .expect("both");
}

#[test]
fn a_rebuild_finds_a_row_that_was_tampered_with_and_mends_it() {
    on_both(ALL, |database| {
        let ids = SeededIds::new(4);
        let facts =
            (0..10).map(|number| weighed(&ids, Uuid::from_u128(number), "411722103203", "50000")).collect();
        append(&database, facts);
        assert_eq!(rebuild(&database, &record(), true, |_| {})?, []);
        database.write_blocking(|tx| tx.batch("update latest_weight set grams = 1 where grams = 50000"))?;
        let differences = rebuild(&database, &record(), true, |_| {})?;
        assert_eq!(differences.len(), 1);
        assert_eq!((differences[0].surplus, differences[0].missing), (10, 10));
        assert_eq!(rebuild(&database, &record(), false, |_| {})?.len(), 1);
        assert_eq!(rebuild(&database, &record(), true, |_| {})?, []);
        Ok(())
    })
    .expect("both");
}

#[test]
fn a_timeline_stays_within_reach() {
    on_both(ALL, |database| {
        let ids = SeededIds::new(5);
        let person = Uuid::from_u128(7);
        append(
            &database,
            vec![
                weighed(&ids, person, "411722103203", "50000"),
                weighed(&ids, person, "411723103203", "51000"),
            ],
        );
        let actor = Actor { place: "411722".parse().expect("a code"), ..Actor::system() };
        let reach = reach(&actor, Purpose::ReadRecord).expect("may");
        let facts =
            database.read_blocking(move |tx| timeline(tx, &reach, Subject::person(person), None, 50))?;
        assert_eq!(facts.iter().map(|fact| fact.new.body.as_str()).collect::<Vec<_>>(), ["50000"]);
        Ok(())
    })
    .expect("both");
}
