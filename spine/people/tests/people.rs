//! Registering and finding people, on both databases.

#![expect(clippy::expect_used, reason = "a test says what it needs")]

use kangmai_base::{Day, DivisionCode, Id, IdNumber, Phone, PlaceRange, Uuid};
use kangmai_database::testing::on_both;
use kangmai_database::{DatabaseError, Migrations};
use kangmai_people::{
    Enrolment, Household, HouseholdBody, Label, LabelInterval, MIGRATIONS, Person, PersonBody, Query,
    Relation, aliases, count_living, count_not_enrolled, count_people, count_with_label, count_with_marks,
    find_alike, find_household, find_household_by_number, find_person, match_id_number, members, people_at,
    people_not_enrolled, people_with_label, people_with_marks, put_households, put_persons, same_as,
    same_name_and_birth, search, set_same_as,
};

const ALL: &[Migrations] = &[MIGRATIONS];
const HOUSEHOLD: Uuid = Uuid::from_u128(900);

fn places(text: &str) -> PlaceRange {
    text.parse::<DivisionCode>().expect("a code").range()
}

fn day(text: &str) -> Day {
    text.parse().expect("a day")
}

fn person(number: u128, name: &str, home: &str, id_number: Option<&str>) -> Person {
    let id_number = id_number.and_then(IdNumber::read);
    Person {
        id: Id::from_uuid(Uuid::from_u128(number)),
        home: home.parse().expect("a code"),
        body: PersonBody {
            household: HOUSEHOLD,
            relation: Some(Relation::Head),
            name: name.into(),
            sex: id_number.as_ref().and_then(IdNumber::sex),
            birth: id_number.as_ref().and_then(IdNumber::birth),
            id_number,
            ethnicity: None,
            living: None,
            phone: Phone::read(&format!("1380013{:04}", 8_000 + number)),
            enrolment: Some(Enrolment::Resident),
            died_on: None,
            marks: vec![],
            labels: vec![LabelInterval {
                label: Label::Marginal,
                from: Some(day("2024-01-01")),
                to: Some(day("2026-01-01")),
                source: "示例".into(),
            }],
        },
    }
}

#[test]
fn people_are_found_by_what_somebody_can_say() {
    on_both(ALL, |database| {
        database.write_blocking(|tx| {
            put_persons(
                tx,
                &[
                    person(1, "王小明", "411722103203", Some("411722195001010013")),
                    person(2, "王小红", "411722104203", Some("220524194803150027")),
                    person(3, "李四", "411723103203", None),
                ],
            )
        })?;
        let find = |text: &str, within: &str| -> Result<Vec<u128>, DatabaseError> {
            let (query, range) = (Query::read(text).expect("a query"), places(within));
            let found = database.read_blocking(move |tx| search(tx, range, &query, 50))?;
            Ok(found.iter().map(|person| person.id.uuid().as_u128()).collect())
        };
        assert_eq!(find("王小", "411722")?.len(), 2);
        assert_eq!(find("王小明", "411722")?, [1]);
        assert_eq!(find("王小", "411722103")?, [1]);
        assert_eq!(find("wxm", "411722")?, [1]);
        assert_eq!(find("wx", "411722104")?, [2]);
        assert_eq!(find("0013", "411722")?, [1]);
        assert_eq!(find("8002", "411722")?, [2]);
        assert_eq!(find("13800138002", "411722")?, [2]);
        assert!(find("13900138002", "411722")?.is_empty());
        assert_eq!(find("411722195001010013", "41")?, [1]);
        assert!(find("李四", "411722")?.is_empty());
        Ok(())
    })
    .expect("both");
}

#[test]
fn who_is_called_just_so_comes_first_however_many_begin_so() {
    on_both(ALL, |database| {
        database.write_blocking(|tx| {
            let longer = (1..=9).map(|number| person(number, "张伟东", "411722103203", None));
            let just_so = person(10, "张伟", "411722199203", None);
            put_persons(tx, &longer.chain([just_so]).collect::<Vec<_>>())
        })?;
        let find = |text: &str, limit| -> Result<Vec<u128>, DatabaseError> {
            let (query, range) = (Query::read(text).expect("a query"), places("411722"));
            let found = database.read_blocking(move |tx| search(tx, range, &query, limit))?;
            Ok(found.iter().map(|person| person.id.uuid().as_u128()).collect())
        };
        let found = find("张伟", 5)?;
        assert_eq!((found.len(), found[0]), (5, 10), "at the end of the county, and first all the same");
        assert_eq!(find("张伟", 50)?.len(), 10);
        assert_eq!(find("张", 50)?.len(), 10);
        // A change of name leaves nothing by which the old one finds.
        database.write_blocking(|tx| put_persons(tx, &[person(10, "张小伟", "411722103203", None)]))?;
        assert_eq!(find("张伟", 50)?.len(), 9);
        assert_eq!(find("zxw", 50)?, [10]);
        Ok(())
    })
    .expect("both");
}

#[test]
fn a_person_comes_back_whole_and_changes_in_place() {
    on_both(ALL, |database| {
        let first = person(1, "王小明", "411722103203", Some("411722195001010013"));
        let mut second = first.clone();
        second.body.labels.clear();
        second.body.enrolment = Some(Enrolment::NotEnrolled);
        let (once, again) = (first.clone(), second.clone());
        database.write_blocking(move |tx| put_persons(tx, &[once]))?;
        let id = first.id;
        assert_eq!(database.read_blocking(move |tx| find_person(tx, id))?.as_ref(), Some(&first));
        database.write_blocking(move |tx| put_persons(tx, &[first, again]))?;
        assert_eq!(database.read_blocking(move |tx| find_person(tx, id))?, Some(second.clone()));
        let number = second.body.id_number.clone().expect("a number");
        let matched = database.read_blocking(move |tx| match_id_number(tx, &number))?;
        assert_eq!(matched, [(id, Id::from_uuid(HOUSEHOLD))]);
        Ok(())
    })
    .expect("both");
}

#[test]
fn labels_are_asked_at_a_day_and_the_dead_are_not_counted() {
    on_both(ALL, |database| {
        let mut dead = person(2, "王小红", "411722103203", None);
        dead.body.died_on = Some(day("2024-05-01"));
        database.write_blocking(move |tx| {
            put_persons(tx, &[person(1, "王小明", "411722103203", Some("411722195001010013")), dead])
        })?;
        database.read_blocking(|tx| -> Result<(), DatabaseError> {
            let county = places("411722");
            assert_eq!(count_people(tx, county)?, (1, 1));
            assert_eq!(count_living(tx, county)?, 1);
            assert_eq!(people_at(tx, county, 0, 10)?.len(), 1);
            for (on, expected) in [("2023-12-31", 0), ("2024-01-01", 1), ("2025-12-31", 1), ("2026-01-01", 0)]
            {
                assert_eq!(count_with_label(tx, county, (Label::Marginal, day(on)))?, expected, "{on}");
                let listed = people_with_label(tx, county, (Label::Marginal, day(on)), 0, 10)?;
                assert_eq!(i64::try_from(listed.len()).expect("small"), expected, "{on}");
            }
            assert_eq!(count_with_label(tx, places("411723"), (Label::Marginal, day("2024-06-01")))?, 0);
            let twins = same_name_and_birth(tx, county, "王小明", day("1950-01-01"))?;
            assert_eq!(twins, [Id::from_uuid(Uuid::from_u128(1))]);
            Ok(())
        })
    })
    .expect("both");
}

#[test]
fn a_household_is_found_by_its_number_in_its_village() {
    on_both(ALL, |database| {
        let village: DivisionCode = "411722103203".parse().expect("a code");
        let household = Household {
            id: Id::from_uuid(HOUSEHOLD),
            place: village,
            body: HouseholdBody {
                number: "0012".into(),
                head: None,
                address: Some("3组".into()),
                income: None,
                income_year: Some(2025),
            },
        };
        let digest = household.body.digest(village);
        let put = household.clone();
        database.write_blocking(move |tx| -> Result<(), DatabaseError> {
            put_households(tx, &[put])?;
            put_persons(tx, &[person(1, "王小明", "411722103203", None)])
        })?;
        database.read_blocking(move |tx| -> Result<(), DatabaseError> {
            assert_eq!(find_household_by_number(tx, village, "0012")?, Some((household.id, digest)));
            assert_eq!(find_household_by_number(tx, village, "0013")?, None);
            assert_eq!(find_household(tx, household.id)?, Some(household.clone()));
            assert_eq!(members(tx, household.id)?.len(), 1);
            Ok(())
        })
    })
    .expect("both");
}

#[test]
fn another_record_of_a_person_is_kept_and_counted_once() {
    on_both(ALL, |database| {
        let mut second = person(2, "王小明", "411722103204", None);
        second.body.birth = Some(day("1950-01-01"));
        database.write_blocking(move |tx| {
            put_persons(tx, &[person(1, "王小明", "411722103203", Some("411722195001010013")), second])
        })?;
        let (first, alias) = (Id::from_uuid(Uuid::from_u128(1)), Id::from_uuid(Uuid::from_u128(2)));
        database.write_blocking(move |tx| set_same_as(tx, alias, Some(first)))?;
        database.read_blocking(move |tx| -> Result<(), DatabaseError> {
            let county = places("411722");
            assert_eq!(count_people(tx, county)?, (1, 1));
            assert_eq!(count_with_label(tx, county, (Label::Marginal, day("2024-06-01")))?, 1);
            assert_eq!(people_with_label(tx, county, (Label::Marginal, day("2024-06-01")), 0, 9)?.len(), 1);
            assert_eq!((same_as(tx, alias)?, same_as(tx, first)?), (Some(first), None));
            assert_eq!(aliases(tx, first)?, [alias]);
            assert!(find_person(tx, alias)?.is_some());
            Ok(())
        })?;
        database.write_blocking(move |tx| set_same_as(tx, alias, None))?;
        database.read_blocking(move |tx| -> Result<(), DatabaseError> {
            assert_eq!(count_people(tx, places("411722"))?, (2, 1));
            assert_eq!(find_alike(tx, "王小明", Some(day("1950-01-01")))?, []);
            Ok(())
        })
    })
    .expect("both");
}

#[test]
fn records_in_doubt_are_found_by_name_and_birth() {
    on_both(ALL, |database| {
        let mut odd = person(2, "王小明", "411722103203", None);
        odd.body.birth = Some(day("1950-01-01"));
        odd.body.marks = vec![kangmai_people::Mark::NoIdNumber];
        odd.body.enrolment = Some(Enrolment::NotEnrolled);
        let household = Household {
            id: Id::from_uuid(HOUSEHOLD),
            place: "411722103203".parse().expect("a code"),
            body: HouseholdBody {
                number: "0012".into(),
                head: None,
                address: None,
                income: None,
                income_year: None,
            },
        };
        database.write_blocking(move |tx| {
            put_households(tx, &[household])?;
            put_persons(tx, &[person(1, "王小明", "411722103203", Some("411722195001010013")), odd])
        })?;
        database.read_blocking(move |tx| -> Result<(), DatabaseError> {
            let alike = find_alike(tx, "王小明", Some(day("1950-01-01")))?;
            assert_eq!(alike.len(), 1);
            assert_eq!((alike[0].household_number.as_str(), alike[0].has_number), ("0012", false));
            let county = places("411722");
            assert_eq!((count_not_enrolled(tx, county)?, count_with_marks(tx, county)?), (1, 1));
            assert_eq!(people_not_enrolled(tx, county, 0, 9)?, people_with_marks(tx, county, 0, 9)?);
            assert_eq!(count_not_enrolled(tx, places("411723"))?, 0);
            Ok(())
        })
    })
    .expect("both");
}
