//! Appending, duplicates, parking, gapless numbers, rebuilding: on both databases.

#![expect(clippy::expect_used, reason = "a test says what it needs")]

use kangmai_access::{Actor, NewRelation, Purpose, Related, RelationKind, reach, relate};
use kangmai_base::{DivisionCode, Ids as _, Moment, Refusal, SeededIds, Uuid};
use kangmai_database::testing::on_both;
use kangmai_database::{Database, DatabaseError, Migration, Migrations, Transaction, params, reseal};
use kangmai_record::{
    Along, Appended, CLEAR_TEXT, Erased, Fact, MIGRATIONS, NewFact, Projection, Record, SEALED, Source,
    Subject, SubjectKind, facts_of_kind, list_parked, nothing_along, nothing_to_forget, parked_waiting,
    rebuild, resolve_parked, struck_out, timeline,
};
use kangmai_seal::{CipherKind, MasterKeys};

const ALL: &[Migrations] = &[
    kangmai_database::KEY_TABLES,
    kangmai_access::MIGRATIONS,
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
    along: nothing_along,
    forget: |tx, subject| tx.execute(FORGET, &params![subject.id]).map(|_| ()),
};
const FORGET: &str = "delete from latest_weight where person = $1";
/// A household that is weighed together: its facts name its members, and its case is nothing without it.
const CIRCLE: Uuid = Uuid::from_u128(90);
const CIRCLES: Projection = Projection {
    name: "circles",
    kinds: &["test.circle"],
    views: &[],
    admit: |_| Ok(()),
    apply: |_, _| Ok(()),
    along: |tx, subject| {
        let mut along = Along::default();
        match subject.kind {
            SubjectKind::Household => along.subjects.push(Subject::case(Uuid::from_u128(91))),
            _ => {
                for fact in facts_of_kind(tx, CIRCLE, "test.circle")? {
                    let mut members: Vec<Uuid> = fact.body()?;
                    members.retain(|member| *member != subject.id);
                    let left = serde_json::to_string(&members).expect("a list");
                    along.facts.push((fact.new.id, (!members.is_empty()).then_some(left)));
                }
            }
        }
        Ok(along)
    },
    forget: nothing_to_forget,
};

fn record() -> Record {
    Record::new(vec![WEIGHTS, CIRCLES])
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

/// What stands in the table of a person's facts: body, whether it is sealed, when it was erased, its number.
fn raw(database: &Database, subject: Uuid) -> Vec<(String, bool, Option<i64>, i64)> {
    let rows = database.read_blocking(move |tx| {
        let sql = "select body, body_sealed is not null, erased_at, place_sequence from fact
            where subject = $1 order by place_sequence";
        tx.query(sql, &params![subject])
    });
    let read = |row: &kangmai_database::Row| {
        Ok::<_, DatabaseError>((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
    };
    rows.expect("rows").iter().map(|row| read(row).expect("a row")).collect()
}

fn erase(database: &Database, subject: Subject, now: i64) -> Erased {
    database.write_blocking(move |tx| record().erase(tx, subject, Moment(now))).expect("erased")
}

fn bodies(database: &Database, subject: Uuid, kind: &'static str) -> Vec<String> {
    let facts = database.read_blocking(move |tx| facts_of_kind(tx, subject, kind)).expect("facts");
    facts.into_iter().map(|fact| fact.new.body).collect()
}

#[test]
fn what_is_erased_is_gone_leaves_its_number_and_does_not_come_back() {
    on_both(ALL, |database| {
        let ids = SeededIds::new(6);
        let (person, other) = (Uuid::from_u128(7), Uuid::from_u128(8));
        let first = weighed(&ids, person, "411722103203", "61000");
        let second = NewFact {
            corrects: Some(first.id),
            source: Source::Typed,
            ..weighed(&ids, person, "411722103203", "62000")
        };
        let forged = NewFact { body: "63000".into(), ..first.clone() };
        append(&database, vec![first.clone(), weighed(&ids, other, "411722103203", "50000"), second.clone()]);
        append(&database, vec![forged.clone(), weighed(&ids, other, "411722103203", "0")]);
        let relation = NewRelation {
            id: Uuid::from_u128(60),
            person,
            kind: RelationKind::Treating,
            whose: Related::Institution(Uuid::from_u128(61)),
            from: Moment(0),
            until: Moment(99_000),
            source: first.id,
        };
        database.write_blocking(move |tx| relate(tx, &relation))?;

        assert_eq!(erase(&database, Subject::person(person), 9_500), Erased { facts: 2 });
        let gone = |number| (String::new(), false, Some(9_500), number);
        assert_eq!(raw(&database, person), [gone(1), gone(3)]);
        assert_eq!(bodies(&database, other, "test.weighed"), ["50000"]);
        let reach = reach(&Actor::system(), Purpose::ReadRecord).expect("the system may");
        let (shown, struck, parked, left) = database.read_blocking(move |tx| {
            let shown = timeline(tx, &reach, Subject::person(person), None, 50)?.len();
            let parked = list_parked(tx, &reach, 0, 10)?;
            let left = tx.query("select person from latest_weight", &[])?.len()
                + tx.query("select id from relation", &[])?.len();
            Ok::<_, DatabaseError>((shown, struck_out(tx, person)?, parked, left))
        })?;
        assert_eq!((shown, struck.len(), left), (0, 0, 1));
        assert_eq!(parked.iter().map(|parked| parked.fact.subject.id).collect::<Vec<_>>(), [other]);
        let texts = database.read_blocking(|tx| {
            tx.query("select fact, fact_sealed is null, resolution from parked_fact order by resolution", &[])
        })?;
        let looked_after = texts.iter().filter(|row| {
            row.get::<Option<String>>(2).expect("a text").as_deref() == Some("record.parked.erased")
                && row.get::<bool>(1).expect("a mark")
                && row.get::<String>(0).expect("a text").is_empty()
        });
        assert_eq!((texts.len(), looked_after.count()), (2, 1));

        // A retry is there already, whatever it says now, and nothing is parked of it.
        let again = append(&database, vec![first.clone(), second, forged]);
        assert_eq!(again, [Appended::Duplicate, Appended::Duplicate, Appended::Duplicate]);
        assert_eq!(raw(&database, person), [gone(1), gone(3)]);
        assert_eq!(rebuild(&database, &record(), true, |_| {})?, []);
        assert_eq!(erase(&database, Subject::person(person), 9_700), Erased { facts: 0 });
        // The next fact of the place goes on counting.
        append(&database, vec![weighed(&ids, other, "411722103203", "51000")]);
        assert_eq!(raw(&database, other).last().expect("a fact").3, 4);
        Ok(())
    })
    .expect("both");
}

#[test]
fn what_others_facts_say_of_it_is_cut_and_what_is_nothing_without_it_goes_along() {
    on_both(ALL, |database| {
        let ids = SeededIds::new(7);
        let (one, other) = (Uuid::from_u128(7), Uuid::from_u128(8));
        let circle = |members: &[Uuid]| NewFact {
            kind: "test.circle".into(),
            subject: Subject::household(CIRCLE),
            ..weighed(&ids, one, "411722103203", &serde_json::to_string(members).expect("a list"))
        };
        let (both, alone) = (circle(&[one, other]), circle(&[one]));
        let case = NewFact {
            kind: "test.step".into(),
            subject: Subject::case(Uuid::from_u128(91)),
            ..weighed(&ids, one, "411722103203", "1")
        };
        append(&database, vec![both.clone(), alone.clone(), case.clone()]);
        assert_eq!(erase(&database, Subject::person(one), 9_500), Erased { facts: 1 });
        let left = [serde_json::to_string(&[other]).expect("a list")];
        assert_eq!(bodies(&database, CIRCLE, "test.circle"), left);
        assert_eq!(append(&database, vec![both, alone]), [Appended::Duplicate, Appended::Duplicate]);
        assert_eq!(bodies(&database, CIRCLE, "test.circle"), left);
        assert_eq!(bodies(&database, case.subject.id, "test.step"), ["1"]);
        assert_eq!(erase(&database, Subject::household(CIRCLE), 9_600), Erased { facts: 2 });
        assert_eq!(bodies(&database, CIRCLE, "test.circle"), Vec::<String>::new());
        assert_eq!(bodies(&database, case.subject.id, "test.step"), Vec::<String>::new());
        assert_eq!(rebuild(&database, &record(), true, |_| {})?, []);
        Ok(())
    })
    .expect("both");
}

#[test]
fn keys_change_and_clear_text_is_looked_for_over_what_was_erased() {
    on_both(ALL, |database| {
        let ids = SeededIds::new(8);
        let master = MasterKeys::fresh(&ids, CipherKind::Sm4Gcm);
        database.unlock(&master, &ids, Moment(5)).expect("keys that can be changed");
        let person = Uuid::from_u128(7);
        let fact = weighed(&ids, person, "411722103203", "61000");
        append(&database, vec![fact.clone(), weighed(&ids, Uuid::from_u128(8), "411722103203", "50000")]);
        append(&database, vec![NewFact { body: "1".into(), ..fact }]);
        erase(&database, Subject::person(person), 9_500);
        let before = raw(&database, person);
        for step in CLEAR_TEXT {
            assert_eq!(database.write_blocking(move |tx| (step.seal)(tx, 500))?, 0, "{}", step.name);
        }
        database.rotate_keys(&ids, Moment(9_600)).expect("another key");
        assert_eq!(
            reseal(&database, SEALED, |_| {})?,
            1,
            "of two facts and a parked one, one says something"
        );
        assert_eq!(raw(&database, person), before);
        assert_eq!(bodies(&database, Uuid::from_u128(8), "test.weighed"), ["50000"]);
        Ok(())
    })
    .expect("both");
}

#[test]
fn an_institution_or_a_place_is_nobody_and_is_not_erased() {
    on_both(ALL, |database| {
        let place: DivisionCode = "411722103203".parse().expect("a code");
        for subject in [Subject::institution(Uuid::from_u128(5)), Subject::place(place)] {
            let refused = database.write_blocking(move |tx| record().erase(tx, subject, Moment(9_500)));
            assert!(matches!(refused, Err(DatabaseError::Refused(_))), "{refused:?}");
        }
        Ok(())
    })
    .expect("both");
}
