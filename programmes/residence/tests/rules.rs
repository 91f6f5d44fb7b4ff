//! The rules of a hand-over, at every boundary.

#![expect(clippy::expect_used, reason = "a test says what it needs")]

use kangmai_base::{Day, DivisionCode, Uuid};
use kangmai_residence::facts::{Answered, Asked, EndReason, Ended, Side};
use kangmai_residence::rules::{
    Event, HandOver, MOST_DAYS_AHEAD, Question, State, What, check_from, check_reason, hand_overs,
    may_answer, may_ask, may_end,
};

fn day(text: &str) -> Day {
    text.parse().expect("a day")
}

fn place(text: &str) -> DivisionCode {
    text.parse().expect("a code")
}

const HOME: &str = "411722001201";
const HOME_TOWNSHIP: &str = "411722001000";
const LIVING: &str = "411722002203";
const LIVING_TOWNSHIP: &str = "411722002000";

fn asked(side: Side) -> Event {
    let body = Asked {
        hand_over: Uuid::from_u128(1),
        living: place(LIVING),
        side,
        on: day("2026-03-01"),
        note: String::new(),
        by: "甲".to_owned(),
    };
    Event { place: place(HOME), on: body.on, what: What::Asked(body) }
}

fn answered(from_on: Option<&str>) -> Event {
    let body = Answered {
        hand_over: Uuid::from_u128(1),
        on: day("2026-03-05"),
        from_on: from_on.map(day),
        reason: "查无此人".to_owned(),
        by: "乙".to_owned(),
    };
    Event { place: place(HOME), on: body.on, what: What::Answered(body) }
}

fn ended(on: &str) -> Event {
    let body = Ended {
        hand_over: Uuid::from_u128(1),
        on: day(on),
        why: EndReason::MovedBack,
        note: String::new(),
        by: "甲".to_owned(),
    };
    Event { place: place(HOME), on: body.on, what: What::Ended(body) }
}

fn registered(home: &str, on: &str) -> Event {
    Event { place: place(home), on: day(on), what: What::Registered }
}

fn one(events: &[Event]) -> HandOver {
    hand_overs(events).pop().expect("one")
}

#[test]
fn how_it_stands_is_asked_of_the_day() {
    let accepted = [asked(Side::Home), answered(Some("2026-04-01"))];
    let over = [asked(Side::Home), answered(Some("2026-04-01")), ended("2026-06-10")];
    let cases: [(&[Event], &str, State); 9] = [
        (&accepted[..1], "2026-03-01", State::Waiting),
        (&[asked(Side::Home), answered(None)], "2026-03-05", State::Refused),
        (&accepted, "2026-03-31", State::Ahead),
        (&accepted, "2026-04-01", State::InForce),
        (&accepted, "2036-04-01", State::InForce),
        (&over, "2026-06-09", State::InForce),
        (&over, "2026-06-10", State::Over),
        (&[asked(Side::Home), ended("2026-03-02")], "2026-03-02", State::Over),
        // What comes after the end changes nothing.
        (&[asked(Side::Home), ended("2026-03-02"), answered(Some("2026-04-01"))], "2026-04-01", State::Over),
    ];
    for (events, today, state) in cases {
        assert_eq!(one(events).state(day(today)), state, "{today} {events:?}");
    }
    assert_eq!(one(&over).days(), Some((day("2026-04-01"), Some(day("2026-06-10")))));
    assert_eq!(one(&accepted).days(), Some((day("2026-04-01"), None)));
    // Ended before it began: it never was in force.
    assert_eq!(one(&[asked(Side::Home), answered(Some("2026-04-01")), ended("2026-04-01")]).days(), None);
    assert_eq!(one(&accepted[..1]).days(), None);
}

#[test]
fn a_new_registration_ends_it_and_a_move_within_the_township_does_not() {
    let accepted = [asked(Side::Home), answered(Some("2026-04-01"))];
    let with = |event: Event| one(&[&accepted[..], &[event]].concat());
    let moved = with(registered("411722001204", "2026-05-02"));
    assert_eq!((moved.home, moved.ended), (place("411722001204"), None));
    let gone = with(registered("411722003201", "2026-05-02"));
    assert_eq!((gone.home, gone.ended), (place(HOME), Some((day("2026-05-02"), EndReason::Registered))));
    let settled = with(registered(LIVING, "2026-05-02"));
    assert_eq!(settled.state(day("2026-05-02")), State::Over);
    // Registered elsewhere before there was an answer: nobody is asked any more, and an answer comes too late.
    let late = one(&[asked(Side::Home), registered(LIVING, "2026-03-02"), answered(Some("2026-04-01"))]);
    assert_eq!((late.state(day("2026-04-02")), late.days()), (State::Over, None));
}

#[test]
fn who_may_ask_for_whom() {
    let today = day("2026-03-01");
    let open = hand_overs(&[asked(Side::Home)]);
    let refused = hand_overs(&[asked(Side::Home), answered(None)]);
    let question = |living: &str, side, asker: &str| Question {
        home: place(HOME),
        is_alive: true,
        known: &[],
        living: place(living),
        side,
        asker: place(asker),
    };
    let home = question(LIVING, Side::Home, HOME_TOWNSHIP);
    let cases: [(Question<'_>, Option<&str>); 10] = [
        (home, None),
        (question(LIVING, Side::Living, LIVING_TOWNSHIP), None),
        (question(LIVING, Side::Home, LIVING_TOWNSHIP), Some("residence.refused.not_yours")),
        (question(LIVING, Side::Living, HOME_TOWNSHIP), Some("residence.refused.not_yours")),
        (question("411722001204", Side::Home, HOME_TOWNSHIP), Some("residence.refused.same_township")),
        (question(LIVING_TOWNSHIP, Side::Home, HOME_TOWNSHIP), Some("residence.refused.village")),
        (question("411723002203", Side::Home, HOME_TOWNSHIP), Some("residence.refused.other_county")),
        (Question { is_alive: false, ..home }, Some("residence.refused.died")),
        (Question { known: &open, ..home }, Some("residence.refused.open")),
        (Question { known: &refused, ..home }, None),
    ];
    for (question, key) in cases {
        let found = may_ask(&question, today).err().map(|refusal| refusal.key);
        assert_eq!(found, key, "{question:?}");
    }
}

#[test]
fn the_other_side_answers_and_either_ends() {
    let today = day("2026-03-05");
    let key = |result: Result<(), kangmai_base::Refusal>| result.err().map(|refusal| refusal.key);
    let (waits, theirs) = (one(&[asked(Side::Home)]), one(&[asked(Side::Living)]));
    assert_eq!(key(may_answer(&waits, place(LIVING_TOWNSHIP), today)), None);
    assert_eq!(key(may_answer(&waits, place(HOME_TOWNSHIP), today)), Some("residence.refused.not_asked"));
    assert_eq!(key(may_answer(&theirs, place(HOME_TOWNSHIP), today)), None);
    assert_eq!(key(may_answer(&theirs, place(LIVING_TOWNSHIP), today)), Some("residence.refused.not_asked"));
    let runs = one(&[asked(Side::Home), answered(Some("2026-03-05"))]);
    assert_eq!(key(may_answer(&runs, place(LIVING_TOWNSHIP), today)), Some("residence.refused.answered"));
    let ends = |one: &HandOver, who: &str, why| may_end(one, place(who), why, today).is_ok();
    assert!(ends(&waits, HOME_TOWNSHIP, EndReason::Withdrawn));
    assert!(!ends(&waits, LIVING_TOWNSHIP, EndReason::Withdrawn));
    assert!(!ends(&waits, HOME_TOWNSHIP, EndReason::MovedBack));
    assert!(ends(&runs, HOME_TOWNSHIP, EndReason::MovedBack));
    assert!(ends(&runs, LIVING_TOWNSHIP, EndReason::NotWanted));
    assert!(!ends(&runs, "411722003000", EndReason::MovedBack));
    assert!(
        !ends(&runs, HOME_TOWNSHIP, EndReason::Withdrawn)
            && !ends(&runs, HOME_TOWNSHIP, EndReason::Registered)
    );
    let over = one(&[asked(Side::Home), answered(Some("2026-03-05")), ended("2026-03-05")]);
    assert!(!ends(&over, HOME_TOWNSHIP, EndReason::MovedBack));
}

#[test]
fn a_hand_over_begins_today_or_later_and_reasons_say_something() {
    let today = day("2026-03-05");
    for (from, is_right) in [
        (today.plus_days(-1), false),
        (today, true),
        (today.plus_days(MOST_DAYS_AHEAD), true),
        (today.plus_days(MOST_DAYS_AHEAD + 1), false),
    ] {
        assert_eq!(check_from(from, today).is_ok(), is_right, "{from}");
    }
    for (reason, is_right) in [("", false), ("不行吧", false), ("查无此人", true), ("   查无 ", false)]
    {
        assert_eq!(check_reason(reason, "reason").is_ok(), is_right, "{reason}");
    }
}
