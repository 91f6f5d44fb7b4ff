//! The rules by tables: who may do what at which stage, by when, for how long who was asked reaches, and how a visit was followed.

#![expect(clippy::expect_used, reason = "a test says what it needs")]

use kangmai_base::{Day, Uuid};
use kangmai_policy::{Period, ReferralRules, Source, Sure};
use kangmai_referral::facts::{
    Answered, Arrived, Direction, EndReason, Ended, Opened, Party, Undone, Urgency, Waived,
};
use kangmai_referral::folder::{Event, Folder, Referral, Stage, What};
use kangmai_referral::rules::{Act, Handled, Sides, acts, already, due, end_reasons, handled, reaches_until};
use kangmai_referral::visits::{VisitEvent, VisitFact, Visits};

const SENDER: Sides = Sides { sends: true, receives: false };
const ASKED: Sides = Sides { sends: false, receives: true };
const DAY: Day = Day(20_000);

fn rules() -> ReferralRules {
    ReferralRules {
        period: Period { from: Day(0), to: None },
        sure: Sure::Low,
        source: Source { doc: "示例".to_owned(), article: None, quote: None, note: None },
        answer_at_once_days: 0,
        answer_days: 2,
        arrive_days: 3,
        take_back_days: 4,
        decide_days: 5,
        tell_after_days: 1,
        open_days: 30,
        treating_days: 20,
    }
}

fn side(institution: Option<u128>) -> Party {
    let json = serde_json::json!({ "name": "示例", "tier": "county", "place": "411722000000" });
    let party: Party = serde_json::from_value(json).expect("a side");
    Party { institution: institution.map(Uuid::from_u128), ..party }
}

fn event(id: u128, what: What) -> Event {
    Event { id: Uuid::from_u128(id), author: Uuid::nil(), recorded_on: DAY, what }
}

fn opened(id: u128, direction: Direction, urgency: Urgency) -> Opened {
    Opened {
        referral: Uuid::from_u128(id),
        direction,
        on: DAY,
        from: side(None),
        to: side(Some(7)),
        urgency,
        visit: None,
        reasons: Vec::new(),
        medicines: String::new(),
        note: "示例".to_owned(),
        summary: None,
        sends_back: None,
        instead_of: None,
        by: "示例".to_owned(),
        law: String::new(),
        sensitive: false,
    }
}

fn open(opened: Opened) -> Event {
    event(100 + opened.referral.as_u128(), What::Opened(Box::new(opened)))
}

fn answered(accepted: bool, come_on: Option<Day>) -> Event {
    let body = Answered {
        referral: Uuid::from_u128(1),
        accepted,
        on: DAY.plus_days(1),
        come_on,
        department: String::new(),
        note: "示例".to_owned(),
        by: "示例".to_owned(),
        sensitive: false,
    };
    event(2, What::Answered(body))
}

fn arrived(came: bool) -> Event {
    let (referral, on) = (Uuid::from_u128(1), DAY.plus_days(2));
    let by = "示例".to_owned();
    event(3, What::Arrived(Arrived { referral, came, on, note: String::new(), by, sensitive: false }))
}

fn ended(id: u128, reason: EndReason) -> Event {
    let (referral, on) = (Uuid::from_u128(id), DAY.plus_days(3));
    let (note, by) = ("示例".to_owned(), "示例".to_owned());
    event(4, What::Ended(Ended { referral, on, reason, note, by, sensitive: false }))
}

fn one(events: &[Event]) -> Referral {
    Folder::of(events).referral(Uuid::from_u128(1)).expect("a referral").clone()
}

fn up() -> Event {
    open(opened(1, Direction::Up, Urgency::Ordinary))
}

#[test]
fn each_stage_offers_each_side_its_own() {
    let table = [
        (vec![up()], Stage::Waiting, vec![Act::End], vec![Act::Answer, Act::Arrive]),
        (vec![up(), answered(true, None)], Stage::Accepted, vec![Act::End], vec![Act::Arrive]),
        (vec![up(), answered(false, None)], Stage::Refused, vec![Act::SendOn, Act::End], vec![]),
        (vec![up(), answered(true, None), arrived(true)], Stage::Here, vec![], vec![Act::SendBack, Act::End]),
        (vec![up(), arrived(true)], Stage::Here, vec![], vec![Act::SendBack, Act::End]),
        (
            vec![up(), answered(true, None), arrived(false)],
            Stage::Absent,
            vec![Act::SendOn, Act::End],
            vec![],
        ),
        (vec![up(), ended(1, EndReason::Withdrawn)], Stage::Closed, vec![], vec![]),
    ];
    for (events, stage, sends, receives) in table {
        let one = one(&events);
        assert_eq!(one.stage(), stage);
        assert_eq!(acts(&one, SENDER, false), sends, "{stage:?}");
        assert_eq!(acts(&one, ASKED, false), receives, "{stage:?}");
        assert_eq!(acts(&one, Sides::default(), false), [], "{stage:?}");
        // Of who died nothing but the end, for that reason.
        let dead = if stage == Stage::Closed { vec![] } else { vec![EndReason::Died] };
        assert_eq!(end_reasons(&one, SENDER, true), dead, "{stage:?}");
    }
    let down = one(&[open(opened(1, Direction::Down, Urgency::Ordinary))]);
    assert_eq!(acts(&down, ASKED, false), [Act::Answer]);
    let taken = one(&[open(opened(1, Direction::Down, Urgency::Ordinary)), answered(true, None)]);
    assert_eq!(taken.outcome(), Some(("taken_back", DAY.plus_days(1))));
}

#[test]
fn each_stage_has_its_days_and_its_reach() {
    let urgent = open(opened(1, Direction::Up, Urgency::AtOnce));
    let down = open(opened(1, Direction::Down, Urgency::Ordinary));
    let come = Some(DAY.plus_days(10));
    let table = [
        (vec![urgent], Some(0), Some(30)),
        (vec![up()], Some(2), Some(30)),
        (vec![down.clone()], Some(4), Some(30)),
        (vec![up(), answered(true, None)], Some(1 + 3), Some(1 + 30)),
        (vec![up(), answered(true, come)], Some(10 + 3), Some(10 + 30)),
        (vec![up(), answered(false, None)], Some(1 + 5), None),
        (vec![up(), answered(true, None), arrived(true)], None, Some(2 + 20)),
        (vec![up(), answered(true, None), arrived(false)], Some(2 + 5), None),
        (vec![up(), ended(1, EndReason::Withdrawn)], None, None),
        (vec![down.clone(), answered(true, None)], None, Some(1 + 20)),
        (vec![down, answered(false, None)], Some(1 + 5), None),
    ];
    for (number, (events, until, reach)) in table.into_iter().enumerate() {
        let one = one(&events);
        assert_eq!(due(&one, &rules()), until.map(|days| DAY.plus_days(days)), "{number}");
        assert_eq!(reaches_until(&one, &rules()), reach.map(|days| DAY.plus_days(days)), "{number}");
    }
}

#[test]
fn one_that_answers_another_ends_it_and_stands_back_when_it_is_withdrawn_or_taken_back() {
    let here = [up(), answered(true, None), arrived(true)];
    let back = open(Opened {
        sends_back: Some(Uuid::from_u128(1)),
        ..opened(2, Direction::Down, Urgency::Ordinary)
    });
    let sent: Vec<Event> = here.iter().cloned().chain([back.clone()]).collect();
    assert_eq!(one(&sent).outcome(), Some(("sent_back", DAY)));
    assert_eq!(reaches_until(&one(&sent), &rules()), None, "the reach ends at once");
    let withdrawn: Vec<Event> = sent.iter().cloned().chain([ended(2, EndReason::Withdrawn)]).collect();
    assert_eq!(one(&withdrawn).stage(), Stage::Here);
    let undone = Undone { fact: back.id, on: DAY, by: String::new(), sensitive: false };
    let undone: Vec<Event> = sent.into_iter().chain([event(9, What::Undone(undone))]).collect();
    assert_eq!(one(&undone).stage(), Stage::Here);
    let refused = [up(), answered(false, None)];
    let on =
        open(Opened { instead_of: Some(Uuid::from_u128(1)), ..opened(3, Direction::Up, Urgency::Ordinary) });
    let on: Vec<Event> = refused.into_iter().chain([on]).collect();
    assert_eq!(one(&on).outcome(), Some(("sent_on", DAY)));
}

#[test]
fn the_same_place_is_asked_once_at_a_time() {
    let to = Uuid::from_u128(7);
    let asked = |events: &[Event]| already(&Folder::of(events), to, Direction::Up).is_some();
    assert!(asked(&[up()]) && asked(&[up(), answered(true, None), arrived(true)]));
    assert!(!asked(&[up(), answered(false, None)]), "who refused can be asked again");
    assert!(!asked(&[up(), ended(1, EndReason::Withdrawn)]) && !asked(&[]));
    assert!(already(&Folder::of(&[up()]), to, Direction::Down).is_none());
    assert!(already(&Folder::of(&[up()]), Uuid::from_u128(8), Direction::Up).is_none());
}

fn visits(all: &[(u128, i32, &str)]) -> Visits {
    let visited = |(id, day, grade): &(u128, i32, &str)| {
        let json = serde_json::json!({
            "visit": Uuid::from_u128(*id), "on": DAY.plus_days(*day),
            "found": [{ "programme": "hypertension", "grade": grade, "due": [] }]
        });
        let what = VisitFact::Visited(serde_json::from_value(json).expect("a visit"));
        VisitEvent { id: Uuid::from_u128(*id), what }
    };
    Visits::of(&all.iter().map(visited).collect::<Vec<_>>())
}

#[test]
fn a_visit_is_followed_by_its_referral_by_one_of_its_time_by_a_reason_or_by_the_next_visit() {
    let two = visits(&[(50, 0, "refer"), (51, 10, "danger")]);
    let how = |visits: &Visits, events: &[Event], visit: u128| {
        let visit = visits.visit(Uuid::from_u128(visit)).expect("a visit");
        handled(visit, visits, &Folder::of(events))
    };
    let of_visit = |visit: u128| {
        open(Opened { visit: Some(Uuid::from_u128(visit)), ..opened(1, Direction::Up, Urgency::Ordinary) })
    };
    assert_eq!((how(&two, &[], 50), how(&two, &[], 51)), (Handled::Passed, Handled::Open));
    assert_eq!(how(&two, &[of_visit(51)], 51), Handled::Referred);
    assert_eq!(how(&two, &[of_visit(51)], 50), Handled::Passed, "another's referral is none of its own");
    // Without a visit it counts from its day to the next visit, that day not included.
    for (day, first, second) in [
        (-1, Handled::Passed, Handled::Open),
        (0, Handled::Referred, Handled::Open),
        (9, Handled::Referred, Handled::Open),
        (10, Handled::Passed, Handled::Referred),
    ] {
        let one = [open(Opened { on: DAY.plus_days(day), ..opened(1, Direction::Up, Urgency::Ordinary) })];
        assert_eq!((how(&two, &one, 50), how(&two, &one, 51)), (first, second), "{day}");
    }
    assert_eq!(how(&two, &[of_visit(51), ended(1, EndReason::Withdrawn)], 51), Handled::Open);
    assert_eq!(how(&two, &[open(opened(1, Direction::Down, Urgency::Ordinary))], 51), Handled::Open);
    let (visit, reason) = (Uuid::from_u128(51), EndReason::PatientRefused);
    let (note, by) = ("示例".to_owned(), String::new());
    let waived = event(5, What::Waived(Waived { visit, on: DAY, reason, note, by, sensitive: false }));
    assert_eq!(how(&two, &[waived], 51), Handled::Waived);
}
