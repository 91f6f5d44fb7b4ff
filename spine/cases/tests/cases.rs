//! Lists of cases and tasks, on both databases.

#![expect(clippy::expect_used, reason = "a test says what it needs")]

use kangmai_access::{Actor, Purpose, Reach, Role, reach};
use kangmai_base::{Day, DivisionCode, Id, Uuid};
use kangmai_cases::{
    Case, MIGRATIONS, StageRule, Urgency, case, cases_of_subject, count, list, put, tasks_due,
};
use kangmai_database::testing::on_both;
use kangmai_database::{DatabaseError, Migrations};

const ALL: &[Migrations] = &[MIGRATIONS];
const RULES: &[StageRule] = &[StageRule {
    stage: "check",
    owner: Role::VillageDoctor,
    show_after_days: 0,
    due_after_days: 5,
    late_after_days: 8,
    escalates_to: Role::TownshipOfficer,
    todo: "test.check",
}];

fn within(place: &str) -> Reach {
    let actor = Actor { place: place.parse().expect("a code"), ..Actor::system() };
    reach(&actor, Purpose::ReadWarnings).expect("may")
}

fn a_case(number: u32, place: &str, since: i32) -> Case {
    Case {
        id: Id::from_uuid(Uuid::from_u128(u128::from(number))),
        programme: "watch".into(),
        subject: Uuid::from_u128(u128::from(number % 2)),
        place: place.parse::<DivisionCode>().expect("a code"),
        stage: "check".into(),
        stage_since: Day(since),
        opened_on: Day(since),
        closed_on: None,
        outcome: None,
        weight: i64::from(number),
    }
}

#[test]
fn lists_and_tasks_keep_to_reach_role_and_day() {
    on_both(ALL, |database| {
        database.write_blocking(|tx| {
            put(tx, &[a_case(1, "411722103203", 100), a_case(2, "411722103203", 96)])?;
            put(tx, &[a_case(3, "411723103203", 90), a_case(4, "411722103204", 80)])?;
            let moved =
                Case { stage: "done".into(), closed_on: Some(Day(99)), ..a_case(4, "411722103204", 80) };
            put(tx, &[moved])
        })?;
        database.read_blocking(|tx| -> Result<(), DatabaseError> {
            let county = within("411722");
            assert_eq!(count(tx, &county, "watch", None)?, 3);
            assert_eq!(count(tx, &county, "watch", Some("check"))?, 2);
            assert_eq!(count(tx, &county, "other", None)?, 0);
            let weights: Vec<i64> =
                list(tx, &county, "watch", None, 0, 50)?.iter().map(|case| case.weight).collect();
            assert_eq!(weights, [4, 2, 1]);
            assert!(case(tx, &county, Id::from_uuid(Uuid::from_u128(3)))?.is_none());
            assert_eq!(cases_of_subject(tx, &county, "watch", Uuid::from_u128(0))?.len(), 2);
            let mut due = |role, day| tasks_due(tx, &county, role, ("watch", RULES), Day(day), 50);
            let doctor = due(Role::VillageDoctor, 102)?;
            assert_eq!(
                doctor.iter().map(|task| (task.case.weight, task.urgency)).collect::<Vec<_>>(),
                [(2, Urgency::Overdue), (1, Urgency::Open)]
            );
            assert!(due(Role::TownshipOfficer, 104)?.is_empty());
            assert_eq!(due(Role::TownshipOfficer, 105)?.len(), 1);
            assert!(due(Role::Cadre, 200)?.is_empty());
            Ok(())
        })
    })
    .expect("both");
}
