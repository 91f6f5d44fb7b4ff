//! What follows of a visit, by the tables that are shipped: every row, the run of visits, what is due and by when.

#![expect(clippy::expect_used, reason = "a test says what it needs")]

use std::cell::Cell;
use std::collections::BTreeMap;

use kangmai_base::{Day, Id, IdNumber, Moment, Uuid};
use kangmai_follow_up::act::{Draft, Hand, Writing};
use kangmai_follow_up::chart::Chart;
use kangmai_follow_up::facts::{CloseReason, DueWhy, Found, Grade, Outcome, Way};
use kangmai_follow_up::rules::{Ill, belongs, is_managed_here};
use kangmai_people::{Person, PersonBody};
use kangmai_policy::Release;

fn day(text: &str) -> Day {
    text.parse().expect(text)
}

fn release() -> Release {
    let packs = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies");
    Release::load(Release::read_directory(&packs).expect("the packs")).expect("a release")
}

/// Born on 5 January 1960.
fn person() -> Person {
    let number = IdNumber::read("411722196001059918").expect("a number");
    Person {
        id: Id::from_uuid(Uuid::from_u128(1)),
        home: "411722103203".parse().expect("a place"),
        body: PersonBody {
            household: Uuid::from_u128(2),
            relation: None,
            name: "示例".to_owned(),
            sex: number.sex(),
            birth: Some(day("1960-01-05")),
            id_number: Some(number),
            ethnicity: None,
            living: None,
            phone: None,
            enrolment: None,
            died_on: None,
            marks: vec![],
            labels: vec![],
        },
    }
}

fn ill(code: &str) -> Ill {
    Ill {
        code: code.parse().expect(code),
        sensitive: code.starts_with("F20"),
        since: day("2020-01-01"),
        ended: None,
    }
}

fn hand(today: &str) -> Hand {
    let now = Moment::start_of(day(today));
    Hand { author: Uuid::from_u128(9), by: "示例".to_owned(), now, recorded_at: now }
}

/// Whoever writes in a chart mints identifiers one after the other.
fn with_chart(codes: &[&str], test: impl FnOnce(&mut Writing<'_>)) {
    let (release, person, next) = (release(), person(), Cell::new(1_000_u128));
    let mint = || {
        next.set(next.get() + 1);
        Uuid::from_u128(next.get())
    };
    let mut writing = Writing::new(&release, &person, Vec::new(), &mint);
    let ill: Vec<Ill> = codes.iter().map(|code| ill(code)).collect();
    writing.enrol_who_belongs(&hand("2026-01-10"), &ill, day("2026-01-10")).expect("enrolled");
    test(&mut writing);
}

fn draft(number: u128, on: &str, programmes: &[&str], answers: &[(&str, &str)]) -> Draft {
    let mut all: BTreeMap<String, Vec<String>> = [
        ("hypertension_danger", "none"),
        ("diabetes_danger", "none"),
        ("side_effect", "none"),
        ("complication", "none"),
        ("adherence", "regular"),
        ("foot_pulse", "felt"),
    ]
    .into_iter()
    .map(|(item, answer)| (item.to_owned(), vec![answer.to_owned()]))
    .collect();
    all.extend(answers.iter().map(|(item, answer)| ((*item).to_owned(), vec![(*answer).to_owned()])));
    Draft {
        visit: Uuid::from_u128(number),
        on: day(on),
        way: Way::Home,
        answers: all,
        windows: Vec::new(),
        programmes: programmes.iter().map(|one| (*one).to_owned()).collect(),
        agreed_on: None,
        note: String::new(),
        opinion: None,
        reason: String::new(),
    }
}

fn pressure(number: u128, on: &str, systolic: &str, diastolic: &str) -> Draft {
    draft(number, on, &["hypertension"], &[("systolic", systolic), ("diastolic", diastolic)])
}

fn write(writing: &mut Writing<'_>, draft: &Draft) {
    writing.visit(&hand("2026-11-20"), draft).expect("written").expect("taken");
}

fn refusal(writing: &mut Writing<'_>, draft: &Draft) -> &'static str {
    writing.visit(&hand("2026-11-20"), draft).expect("written").expect_err("refused").key
}

fn found(chart: &Chart, number: u128, programme: &str) -> Found {
    let visit = chart.visit(Uuid::from_u128(number)).expect("a visit");
    visit.body.found.iter().find(|found| found.programme == programme).expect(programme).clone()
}

#[test]
fn who_belongs_is_taken_in_once() {
    with_chart(&["I10.x00", "E11.900", "F20.900", "J45.000"], |writing| {
        let mut open: Vec<(&str, bool)> =
            writing.chart.open().map(|open| (open.body.programme.as_str(), open.body.sensitive)).collect();
        open.sort_unstable();
        assert_eq!(
            open,
            [
                ("elderly", false),
                ("hypertension", false),
                ("severe_mental_illness", true),
                ("type2_diabetes", false)
            ]
        );
        let again = writing.enrol_who_belongs(&hand("2026-02-01"), &[ill("I10")], day("2026-02-01"));
        assert_eq!(again.expect("looked"), 0);
    });
}

#[test]
fn what_counts_from_a_birth_is_not_managed_here() {
    let (release, home) = (release(), person().home);
    let managed: Vec<(&str, bool)> = release
        .follow_ups(home, day("2026-11-26"))
        .into_iter()
        .map(|rules| (rules.programme.as_str(), is_managed_here(rules)))
        .collect();
    let not: Vec<&str> = managed.iter().filter(|(_, is)| !is).map(|(name, _)| *name).collect();
    assert_eq!(not, ["child", "maternal"]);
    let who = kangmai_follow_up::rules::Who { birth: person().body.birth, sex: None };
    let of = |programme, ill: Ill| {
        let rules = release.follow_up(programme, home, day("2026-11-26")).expect("rules");
        belongs(rules, &who, &[ill], day("2026-11-26")).map(|(_, sensitive)| sensitive)
    };
    let secret = |code| Ill { sensitive: true, ..ill(code) };
    assert_eq!(of("hypertension", ill("I10")), Some(false));
    assert_eq!(of("hypertension", secret("I10")), Some(true));
    assert_eq!(of("hypertension", ill("A15.0")), None);
    // All of it is of level 5, whatever the diagnosis was marked.
    assert_eq!(of("tuberculosis", ill("A15.0")), Some(true));
}

#[test]
fn what_is_due_from_the_beginning() {
    with_chart(&["I10", "A15.000"], |writing| {
        let due = |programme: &str| -> Vec<(DueWhy, String)> {
            let open = writing.chart.open_in(programme).expect(programme);
            let standing = writing.chart.standing(open);
            standing.due.iter().map(|due| (due.why, due.until.to_string())).collect()
        };
        let (first, window) = (DueWhy::First, DueWhy::Window);
        assert_eq!(
            due("hypertension"),
            [(first, "2026-04-10".to_owned()), (window, "2026-12-31".to_owned())]
        );
        assert_eq!(due("tuberculosis"), [(window, "2026-01-13".to_owned())]);
    });
    // The 72 hours count from the notice.
    with_chart(&[], |writing| {
        let on = (day("2026-11-18"), Some(day("2026-11-17")));
        let done = writing.enrol(&hand("2026-11-20"), "tuberculosis", on, ("上级通知".to_owned(), &[]));
        done.expect("written").expect("enrolled");
        let open = writing.chart.open_in("tuberculosis").expect("managed");
        assert_eq!(writing.chart.standing(open).due[0].until, day("2026-11-20"));
    });
}

#[test]
fn the_first_visit_within_72_hours_is_done_once() {
    with_chart(&["A15.000"], |writing| {
        let answers = [
            ("tuberculosis_emergency", "none"),
            ("tuberculosis_phase", "intensive"),
            ("supervisor", "family"),
        ];
        write(writing, &draft(1, "2026-01-12", &["tuberculosis"], &answers));
        let found = found(&writing.chart, 1, "tuberculosis");
        let due: Vec<(DueWhy, Day)> = found.due.iter().map(|due| (due.why, due.until)).collect();
        assert_eq!(due, [(DueWhy::Visit, day("2026-01-22"))]);
    });
}

#[test]
fn every_row_of_pressure_and_what_follows() {
    // At 66 years the line of the systolic pressure is 150.
    for (systolic, diastolic, state, grade, why, until) in [
        ("149", "89", "controlled", Grade::Steady, DueWhy::Visit, "2026-06-01"),
        ("150", "89", "uncontrolled", Grade::Adjust, DueWhy::Visit, "2026-03-15"),
        ("149", "90", "uncontrolled", Grade::Adjust, DueWhy::Visit, "2026-03-15"),
        ("179", "109", "uncontrolled", Grade::Adjust, DueWhy::Visit, "2026-03-15"),
        ("180", "109", "danger", Grade::Danger, DueWhy::Referral, "2026-03-15"),
        ("179", "110", "danger", Grade::Danger, DueWhy::Referral, "2026-03-15"),
    ] {
        with_chart(&["I10"], |writing| {
            write(writing, &pressure(1, "2026-03-01", systolic, diastolic));
            let found = found(&writing.chart, 1, "hypertension");
            let first = found.due.first().expect("due");
            assert_eq!(
                (found.state.as_deref(), found.grade, first.why, first.until, found.figures.as_str()),
                (Some(state), grade, why, day(until), &*format!("{systolic}/{diastolic}")),
                "{systolic}/{diastolic}"
            );
            assert_eq!(found.at_target, Some(state == "controlled"));
        });
    }
}

#[test]
fn twice_running_is_referred_and_one_good_visit_counts_anew() {
    with_chart(&["I10"], |writing| {
        for (number, on, systolic, state, running) in [
            (1, "2026-02-01", "155", "uncontrolled", 1),
            (2, "2026-02-14", "155", "refer", 2),
            (3, "2026-02-27", "152", "refer", 3),
            (4, "2026-03-12", "140", "controlled", 0),
            (5, "2026-06-12", "155", "uncontrolled", 1),
        ] {
            write(writing, &pressure(number, on, systolic, "80"));
            let found = found(&writing.chart, number, "hypertension");
            assert_eq!((found.state.as_deref(), found.running), (Some(state), running), "{on}");
        }
    });
}

#[test]
fn a_visit_written_down_late_changes_those_after_it() {
    with_chart(&["I10"], |writing| {
        write(writing, &pressure(2, "2026-02-14", "155", "80"));
        assert_eq!(found(&writing.chart, 2, "hypertension").state.as_deref(), Some("uncontrolled"));
        write(writing, &pressure(1, "2026-02-01", "155", "80"));
        assert_eq!(found(&writing.chart, 2, "hypertension").state.as_deref(), Some("refer"));
        // The earlier one was 140: put right, the second is the first again.
        let right = Draft { reason: "抄错了数字".to_owned(), ..pressure(1, "2026-02-01", "140", "80") };
        write(writing, &right);
        assert_eq!(found(&writing.chart, 1, "hypertension").state.as_deref(), Some("controlled"));
        assert_eq!(found(&writing.chart, 2, "hypertension").state.as_deref(), Some("uncontrolled"));
        assert!(writing.chart.visit(Uuid::from_u128(1)).expect("a visit").is_corrected);
    });
}

#[test]
fn what_was_written_today_is_taken_back_by_who_wrote_it() {
    with_chart(&["I10"], |writing| {
        let fact = writing.visit(&hand("2026-03-01"), &pressure(1, "2026-03-01", "185", "80"));
        let fact = fact.expect("written").expect("taken").expect("new");
        let other = Hand { author: Uuid::from_u128(8), ..hand("2026-03-01") };
        for wrong in [other, hand("2026-03-02")] {
            let refused = writing.undo(&wrong, fact).expect("asked").expect_err("refused");
            assert_eq!(refused.key, "follow_up.refused.undo");
        }
        writing.undo(&hand("2026-03-01"), fact).expect("asked").expect("taken back");
        assert!(writing.chart.visits.is_empty());
        assert!(writing.undo(&hand("2026-03-01"), fact).expect("asked").is_err());
    });
}

#[test]
fn one_sheet_is_classified_by_each_programme_for_itself() {
    with_chart(&["I10", "E11"], |writing| {
        let both = ["hypertension", "type2_diabetes"];
        let answers = [("systolic", "140"), ("diastolic", "80"), ("fasting_glucose", "8.2")];
        write(writing, &draft(1, "2026-03-01", &both, &answers));
        let states = both.map(|one| found(&writing.chart, 1, one));
        assert_eq!(states[0].state.as_deref(), Some("controlled"));
        assert_eq!(
            (states[1].state.as_deref(), states[1].figures.as_str()),
            (Some("uncontrolled"), "140/80 8.2")
        );
    });
}

#[test]
fn the_yearly_check_is_due_once_a_year() {
    with_chart(&[], |writing| {
        let check = Draft {
            windows: vec!["yearly_check".to_owned()],
            ..draft(1, "2026-05-01", &["elderly"], &[("systolic", "130"), ("diastolic", "80")])
        };
        write(writing, &check);
        let found = found(&writing.chart, 1, "elderly");
        let due: Vec<(Option<&str>, Day)> =
            found.due.iter().map(|due| (due.window.as_deref(), due.until)).collect();
        assert_eq!(
            due,
            [(Some("constitution"), day("2026-12-31")), (Some("yearly_check"), day("2027-12-31"))]
        );
        assert_eq!((found.state, found.at_target), (None, None));
    });
}

#[test]
fn what_cannot_be_is_refused() {
    with_chart(&["I10"], |writing| {
        let good = |on: &str| pressure(1, on, "130", "80");
        for (draft, key) in [
            (good("2026-11-21"), "follow_up.refused.future"),
            (good("1960-01-04"), "follow_up.refused.before_birth"),
            (
                Draft { programmes: vec!["copd".to_owned()], ..good("2026-11-01") },
                "follow_up.refused.nothing",
            ),
            (
                Draft { agreed_on: Some(day("2026-11-01")), ..good("2026-11-01") },
                "follow_up.refused.agreed_before",
            ),
            (
                Draft { agreed_on: Some(day("2027-02-02")), ..good("2026-11-01") },
                "follow_up.refused.agreed_late",
            ),
        ] {
            assert_eq!(refusal(writing, &draft), key);
        }
        write(writing, &Draft { agreed_on: Some(day("2026-12-31")), ..good("2026-11-01") });
        // The same form sent twice is one visit; another of the same day is told where the first is.
        let again = writing.visit(&hand("2026-11-20"), &good("2026-11-01")).expect("asked");
        assert_eq!(again, Ok(None));
        assert_eq!(refusal(writing, &pressure(2, "2026-11-01", "135", "80")), "follow_up.refused.twice");
        let same =
            Draft {
                agreed_on: Some(day("2026-12-31")), reason: "没有改动".to_owned(), ..good("2026-11-01")
            };
        assert_eq!(refusal(writing, &same), "follow_up.refused.same");
    });
}

#[test]
fn nobody_is_visited_after_death() {
    let (release, next) = (release(), Cell::new(0_u128));
    let mint = || {
        next.set(next.get() + 1);
        Uuid::from_u128(next.get())
    };
    let mut dead = person();
    dead.body.died_on = Some(day("2026-10-01"));
    let mut writing = Writing::new(&release, &dead, Vec::new(), &mint);
    writing.enrol_who_belongs(&hand("2026-01-10"), &[ill("I10")], day("2026-01-10")).expect("enrolled");
    assert_eq!(
        refusal(&mut writing, &pressure(1, "2026-10-02", "130", "80")),
        "follow_up.refused.after_death"
    );
    write(&mut writing, &pressure(1, "2026-10-01", "130", "80"));
}

#[test]
fn nobody_seen_is_told_and_death_ends_management() {
    with_chart(&["I10"], |writing| {
        let today = hand("2026-11-20");
        let on = day("2026-11-20");
        let put_off = writing.missed(&today, Outcome::PutOff, (on, None)).expect("asked");
        assert_eq!(put_off.expect_err("refused").key, "follow_up.refused.again");
        writing.missed(&today, Outcome::PutOff, (on, Some(day("2026-11-25")))).expect("asked").expect("told");
        let open = writing.chart.open_in("hypertension").expect("managed").clone();
        let standing = writing.chart.standing(&open);
        assert_eq!((standing.missed, standing.again_on), (1, Some(day("2026-11-25"))));
        let died = writing.missed(&today, Outcome::Died, (on, None)).expect("asked").expect("told");
        assert_eq!(writing.chart.open().count(), 0);
        writing.undo(&today, died).expect("asked").expect("taken back");
        assert!(writing.chart.open_in("hypertension").is_some());
    });
}

#[test]
fn management_ends_with_a_reason_and_begins_again() {
    with_chart(&["I10"], |writing| {
        let (today, on) = (hand("2026-11-20"), day("2026-11-20"));
        let close = |writing: &mut Writing<'_>| {
            writing.close(&today, "hypertension", (on, CloseReason::Moved), "迁出".to_owned()).expect("asked")
        };
        close(writing).expect("ended");
        assert_eq!(close(writing).expect_err("refused").key, "follow_up.refused.not_managed");
        // Who was taken out by somebody is not taken in by the program.
        assert_eq!(writing.enrol_who_belongs(&today, &[ill("I10")], on).expect("looked"), 0);
        let by_hand = |writing: &mut Writing<'_>| {
            writing.enrol(&today, "hypertension", (on, None), ("医生确认".to_owned(), &[])).expect("asked")
        };
        by_hand(writing).expect("enrolled");
        assert_eq!(by_hand(writing).expect_err("refused").key, "follow_up.refused.managed");
    });
}

#[test]
fn what_rested_on_a_withdrawn_diagnosis_ends_and_comes_back_with_it() {
    with_chart(&["I10", "E11"], |writing| {
        let (today, on) = (hand("2026-11-20"), day("2026-11-20"));
        let close = |writing: &mut Writing<'_>, ill: &[Ill]| {
            writing.close_who_no_longer_belongs(&today, ill, on).expect("looked")
        };
        assert_eq!(close(writing, &[ill("I10"), ill("E11")]), 0);
        assert_eq!(close(writing, &[ill("I10")]), 1);
        assert_eq!(close(writing, &[ill("I10")]), 0);
        let open: Vec<&str> = writing.chart.open().map(|open| open.body.programme.as_str()).collect();
        assert_eq!(open, ["elderly", "hypertension"]);
        assert_eq!(writing.enrol_who_belongs(&today, &[ill("I10")], on).expect("looked"), 0);
        assert_eq!(writing.enrol_who_belongs(&today, &[ill("I10"), ill("E11")], on).expect("looked"), 1);
    });
}

const TUBERCULOSIS: [(&str, &str); 5] = [
    ("tuberculosis_emergency", "none"),
    ("tuberculosis_phase", "intensive"),
    ("supervisor", "family"),
    ("systolic", "150"),
    ("diastolic", "95"),
];

fn end(writing: &mut Writing<'_>, programme: &str, on: &str) {
    let told = (day(on), CloseReason::Moved);
    writing.close(&hand("2026-11-20"), programme, told, "示例".to_owned()).expect("asked").expect("ended");
}

#[test]
fn tuberculosis_is_of_level_5_however_it_came_in() {
    with_chart(&[], |writing| {
        let (today, on) = (hand("2026-11-20"), day("2026-11-19"));
        let asked = writing.enrol(&today, "tuberculosis", (on, Some(on)), ("上级通知".to_owned(), &[]));
        asked.expect("asked").expect("enrolled");
        assert!(writing.chart.open_in("tuberculosis").expect("managed").body.sensitive);
        let told = (on, Some(day("1959-12-31")));
        let before_birth = writing.enrol(&today, "hypertension", told, (String::new(), &[])).expect("asked");
        assert_eq!(before_birth.expect_err("refused").key, "follow_up.refused.before_birth");
    });
}

#[test]
fn a_visit_that_is_put_right_keeps_what_it_came_to_where_management_has_ended_and_stays_of_level_5() {
    with_chart(&["I10", "A15.000"], |writing| {
        let both = draft(1, "2026-02-01", &["hypertension", "tuberculosis"], &TUBERCULOSIS);
        write(writing, &both);
        let before = found(&writing.chart, 1, "tuberculosis");
        end(writing, "tuberculosis", "2026-08-01");
        let mut right = draft(1, "2026-02-01", &["hypertension"], &TUBERCULOSIS);
        right.answers.insert("systolic".to_owned(), vec!["156".to_owned()]);
        right.reason = "看错一位".to_owned();
        write(writing, &right);
        let visit = writing.chart.visit(both.visit).expect("a visit");
        assert!(visit.body.sensitive, "what was answered is of level 5 still");
        assert_eq!(found(&writing.chart, 1, "tuberculosis"), before);
        // With everything ended it can be put right all the same.
        end(writing, "hypertension", "2026-08-01");
        right.answers.insert("systolic".to_owned(), vec!["158".to_owned()]);
        write(writing, &right);
        assert_eq!(found(&writing.chart, 1, "hypertension").programme, "hypertension");
    });
}

#[test]
fn who_is_managed_again_begins_anew() {
    with_chart(&["A15.000"], |writing| {
        let visit = |number, on| draft(number, on, &["tuberculosis"], &TUBERCULOSIS);
        write(writing, &visit(1, "2026-01-12"));
        end(writing, "tuberculosis", "2026-06-01");
        let (today, on) = (hand("2026-11-20"), day("2026-11-18"));
        let asked = writing.enrol(&today, "tuberculosis", (on, Some(on)), ("复发".to_owned(), &[]));
        asked.expect("asked").expect("enrolled");
        let managed = writing.chart.open_in("tuberculosis").expect("managed").clone();
        let standing = writing.chart.standing(&managed);
        assert_eq!(standing.last_on, None);
        let due: Vec<(DueWhy, Day)> = standing.due.iter().map(|due| (due.why, due.until)).collect();
        assert!(due.contains(&(DueWhy::Window, day("2026-11-21"))), "72 hours, again: {due:?}");
        write(writing, &visit(2, "2026-11-20"));
        assert_eq!(writing.chart.standing(&managed).last_on, Some(day("2026-11-20")));
    });
}

#[test]
fn an_end_is_not_taken_back_where_management_has_begun_again() {
    with_chart(&["I10"], |writing| {
        let (today, on) = (hand("2026-11-20"), day("2026-11-20"));
        let told = (on, CloseReason::Moved);
        let ended =
            writing.close(&today, "hypertension", told, String::new()).expect("asked").expect("ended");
        let asked = writing.enrol(&today, "hypertension", (on, None), ("医生确认".to_owned(), &[]));
        asked.expect("asked").expect("enrolled");
        assert_eq!(
            writing.undo(&today, ended).expect("asked").expect_err("refused").key,
            "follow_up.refused.undo"
        );
        assert_eq!(writing.chart.open().filter(|one| one.body.programme == "hypertension").count(), 1);
    });
}
