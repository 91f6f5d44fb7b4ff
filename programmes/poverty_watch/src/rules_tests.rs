//! Tables of the way of a warning.

use kangmai_base::Id;

use super::*;

const CLOCK: Clock = Clock { home_check_days: 5, decision_days: 15, notice_days: 5, working_days: false };
const VILLAGE: &str = "411722103203";

fn day(text: &str) -> Day {
    text.parse().expect("a day")
}

fn actor(role: Role, place: &str) -> Actor {
    Actor {
        account: Id::from_uuid(Uuid::from_u128(role as u128 + 1)),
        name: "示例".into(),
        role,
        place: place.parse().expect("a code"),
        institution: None,
        stands_in_for: None,
    }
}

fn warning(stage: Stage) -> Warning {
    Warning {
        place: VILLAGE.parse().expect("a code"),
        stage,
        since: day("2026-03-06"),
        opened_on: day("2026-03-01"),
        noticed_on: (stage >= Stage::Notice).then(|| day("2026-03-06")),
        last: None,
    }
}

fn commands() -> Vec<(Stage, Command)> {
    let note = || "示例".to_owned();
    vec![
        (Stage::Clue, Command::CheckHousehold { consent: true, note: note() }),
        (Stage::Review, Command::ReviewInVillage { posted_on: None, note: note() }),
        (Stage::Posting, Command::PostNotice { posted_on: day("2026-03-06") }),
        (Stage::Notice, Command::CheckInTownship { objections: false, note: String::new() }),
        (Stage::County, Command::Decide { take_in: true, note: note() }),
        (Stage::Feedback, Command::FeedBack { note: note() }),
    ]
}

fn tried(warning: &Warning, command: &Command, actor: &Actor, on: &str) -> Result<Vec<Stage>, &'static str> {
    let decided = decide(warning, command, actor, day(on), &CLOCK);
    decided.map(|facts| facts.iter().map(|(_, step)| step.to).collect()).map_err(|refusal| refusal.key)
}

#[test]
fn each_step_belongs_to_one_stage() {
    let bureau = actor(Role::HealthBureau, "411722");
    let next = [Stage::Review, Stage::Posting, Stage::Notice, Stage::County, Stage::Feedback, Stage::Closed];
    for ((its, command), next) in commands().into_iter().zip(next) {
        for stage in Stage::ALL {
            let expected =
                if stage == its { Ok(vec![next]) } else { Err("poverty_watch.refused.not_this_stage") };
            assert_eq!(
                tried(&warning(stage), &command, &bureau, "2026-03-20"),
                expected,
                "{command:?} at {stage:?}"
            );
        }
    }
}

#[test]
fn each_step_is_one_tiers() {
    let purposes = "poverty_watch.refused.not_yours";
    for (role, place, may) in [
        (Role::VillageDoctor, VILLAGE, [true, true, true, false, false, false]),
        (Role::VillageDoctor, "411722103204", [false; 6]),
        (Role::TownshipOfficer, "411722103", [true, true, true, true, false, false]),
        (Role::TownshipOfficer, VILLAGE, [true, true, true, false, false, false]),
        (Role::HealthBureau, "411722", [true; 6]),
        (Role::HealthBureau, "411723", [false; 6]),
        (Role::Cadre, "411722", [true, true, true, false, true, true]),
        (Role::Cadre, VILLAGE, [true, true, true, false, false, false]),
        (Role::InsuranceClerk, "411722", [false; 6]),
        (Role::CountyDesk, "411722", [false; 6]),
        (Role::Auditor, "411722", [false; 6]),
    ] {
        for ((stage, command), may) in commands().into_iter().zip(may) {
            let found = tried(&warning(stage), &command, &actor(role, place), "2026-03-20");
            assert_eq!(found.is_ok(), may, "{role:?} at {place}: {command:?}");
            assert!(may || found == Err(purposes));
        }
    }
}

#[test]
fn no_risk_needs_a_reason_and_ends_it_at_any_stage_before_the_decision() {
    let bureau = actor(Role::HealthBureau, "411722");
    for reason in DismissReason::ALL {
        let without = Command::Dismiss { reason, note: " ".into() };
        let expected = if reason == DismissReason::Other {
            Err("poverty_watch.refused.needs_note")
        } else {
            Ok(vec![Stage::Closed])
        };
        assert_eq!(tried(&warning(Stage::Clue), &without, &bureau, "2026-03-06"), expected);
    }
    let command = Command::Dismiss { reason: DismissReason::Other, note: "保险已全额赔付".into() };
    for stage in Stage::ALL {
        let may = !matches!(stage, Stage::Feedback | Stage::Closed);
        assert_eq!(tried(&warning(stage), &command, &bureau, "2026-03-06").is_ok(), may, "{stage:?}");
    }
}

#[test]
fn a_notice_under_five_days_does_not_close() {
    let township = actor(Role::TownshipOfficer, "411722103");
    let close = Command::CheckInTownship { objections: false, note: String::new() };
    for (on, closes) in
        [("2026-03-06", false), ("2026-03-10", false), ("2026-03-11", true), ("2026-03-12", true)]
    {
        let found = tried(&warning(Stage::Notice), &close, &township, on);
        let expected =
            if closes { Ok(vec![Stage::County]) } else { Err("poverty_watch.refused.notice_too_short") };
        assert_eq!(found, expected, "{on}");
    }
    let objected = Command::CheckInTownship { objections: true, note: String::new() };
    assert_eq!(
        tried(&warning(Stage::Notice), &objected, &township, "2026-03-11"),
        Err("poverty_watch.refused.needs_note")
    );
    let refusal =
        decide(&warning(Stage::Notice), &close, &township, day("2026-03-10"), &CLOCK).expect_err("refused");
    assert_eq!(refusal.to_string(), "poverty_watch.refused.notice_too_short days=5 day=2026-03-11");
}

#[test]
fn a_notice_is_posted_between_the_clue_and_today() {
    let doctor = actor(Role::VillageDoctor, VILLAGE);
    for (posted, expected) in [
        ("2026-02-28", Err("poverty_watch.refused.posted_before_clue")),
        ("2026-03-01", Ok(vec![Stage::Notice])),
        ("2026-03-08", Ok(vec![Stage::Notice])),
        ("2026-03-09", Err("poverty_watch.refused.posted_in_future")),
    ] {
        let command = Command::PostNotice { posted_on: day(posted) };
        assert_eq!(tried(&warning(Stage::Posting), &command, &doctor, "2026-03-08"), expected, "{posted}");
        let both = Command::ReviewInVillage { posted_on: Some(day(posted)), note: String::new() };
        let found = tried(&warning(Stage::Review), &both, &doctor, "2026-03-08");
        assert_eq!(found, expected.map(|_| vec![Stage::Posting, Stage::Notice]), "{posted}");
    }
}

#[test]
fn the_fifteenth_day_is_red() {
    for (stage, since, today, due, pressure) in [
        (Stage::Clue, "2026-03-01", "2026-03-01", Some("2026-03-06"), Pressure::Calm),
        (Stage::Clue, "2026-03-01", "2026-03-03", Some("2026-03-06"), Pressure::Soon),
        (Stage::Clue, "2026-03-01", "2026-03-06", Some("2026-03-06"), Pressure::Soon),
        (Stage::Clue, "2026-03-01", "2026-03-07", Some("2026-03-06"), Pressure::Late),
        (Stage::Notice, "2026-03-06", "2026-03-08", Some("2026-03-12"), Pressure::Calm),
        (Stage::County, "2026-03-13", "2026-03-15", Some("2026-03-16"), Pressure::Soon),
        (Stage::County, "2026-03-13", "2026-03-16", Some("2026-03-16"), Pressure::Late),
        (Stage::County, "2026-03-16", "2026-03-16", Some("2026-03-16"), Pressure::Late),
        (Stage::Feedback, "2026-03-16", "2026-04-16", None, Pressure::Calm),
        (Stage::Closed, "2026-03-16", "2026-04-16", None, Pressure::Calm),
    ] {
        let found = status(stage, day(since), day("2026-03-01"), day(today), &CLOCK);
        assert_eq!((found.due, found.pressure), (due.map(day), pressure), "{stage:?} on {today}");
        assert_eq!(found.decision_due, day("2026-03-16"));
    }
}

#[test]
fn working_days_leave_out_weekends() {
    let clock = Clock { decision_days: 20, working_days: true, ..CLOCK };
    for (from, days, to) in [
        ("2026-03-06", 1, "2026-03-09"),
        ("2026-03-07", 1, "2026-03-09"),
        ("2026-03-02", 20, "2026-03-30"),
        ("2026-03-02", 0, "2026-03-02"),
    ] {
        assert_eq!(after(&clock, day(from), days), day(to), "{days} after {from}");
    }
    assert_eq!(after(&CLOCK, day("2026-03-06"), 1), day("2026-03-07"));
}

#[test]
fn the_last_step_is_taken_back_by_who_took_it_on_the_same_day_unless_it_was_the_countys() {
    let doctor = actor(Role::VillageDoctor, VILLAGE);
    let of = |from: Stage, stage: Stage| Warning {
        last: Some(LastStep {
            fact: Uuid::from_u128(77),
            author: doctor.account.uuid(),
            on: day("2026-03-06"),
            from,
            since: day("2026-03-01"),
        }),
        ..warning(stage)
    };
    let undo = |warning: &Warning, actor: &Actor, on: &str| tried(warning, &Command::Undo, actor, on);
    assert_eq!(undo(&of(Stage::Clue, Stage::Closed), &doctor, "2026-03-06"), Ok(vec![Stage::Clue]));
    assert_eq!(undo(&of(Stage::Review, Stage::Posting), &doctor, "2026-03-06"), Ok(vec![Stage::Review]));
    let is_final = Err("poverty_watch.refused.final");
    assert_eq!(undo(&of(Stage::Clue, Stage::Closed), &doctor, "2026-03-07"), is_final);
    assert_eq!(undo(&of(Stage::County, Stage::Feedback), &doctor, "2026-03-06"), is_final);
    assert_eq!(
        undo(&of(Stage::Clue, Stage::Closed), &actor(Role::TownshipOfficer, "411722103"), "2026-03-06"),
        is_final
    );
    assert_eq!(undo(&warning(Stage::Clue), &doctor, "2026-03-06"), is_final);
}
