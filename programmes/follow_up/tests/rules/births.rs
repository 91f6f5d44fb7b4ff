//! Visits that count from a birth or a pregnancy.

use std::cell::Cell;

use kangmai_base::{Day, Sex, Uuid};
use kangmai_follow_up::act::Writing;
use kangmai_follow_up::facts::Happening;
use kangmai_follow_up::rules::Beginning;

use super::{day, draft, found, hand, person, release, write};

/// Lets `test` write in the chart of somebody of this birth and sex.
fn with_person(birth: &str, sex: Sex, test: impl FnOnce(&mut Writing<'_>)) {
    let (release, mut person, next) = (release(), person(), Cell::new(1_000_u128));
    person.body.birth = Some(day(birth));
    person.body.sex = Some(sex);
    let mint = || {
        next.set(next.get() + 1);
        Uuid::from_u128(next.get())
    };
    test(&mut Writing::new(&release, &person, Vec::new(), &mint));
}

/// The first thing that is due in a programme.
fn due_first(writing: &Writing<'_>, programme: &str) -> Option<(String, Day, Day)> {
    let open = writing.chart.open_in(programme).expect("managed");
    let due = writing.chart.standing(open).due;
    let first = due.first()?;
    Some((first.window.clone().unwrap_or_default(), first.from.expect("from"), first.until))
}

fn is_due(writing: &Writing<'_>, programme: &str, window: &str, from: &str, until: &str) {
    let due = due_first(writing, programme);
    assert_eq!(due, Some((window.to_owned(), day(from), day(until))));
}

#[test]
fn the_visits_of_a_child_follow_one_another() {
    with_person("2025-11-10", Sex::Male, |writing| {
        let visit = |number, on| draft(number, on, &["child"], &[("weight", "4.2")]);
        writing.enrol_who_belongs(&hand("2025-11-12"), &[], day("2025-11-12")).expect("enrolled");
        is_due(writing, "child", "newborn", "2025-11-10", "2025-11-17");
        // A newborn who stays in hospital is visited after it.
        let home = (Happening::Discharge, day("2025-11-15"));
        let told = writing.happened(&hand("2025-11-16"), "child", home).expect("asked").expect("written");
        is_due(writing, "child", "newborn", "2025-11-15", "2025-11-22");
        writing.undo(&hand("2025-11-16"), told).expect("asked").expect("taken back");
        is_due(writing, "child", "newborn", "2025-11-10", "2025-11-17");
        writing.happened(&hand("2025-11-16"), "child", home).expect("asked").expect("written");

        write(writing, &visit(1, "2025-11-20"));
        assert_eq!(found(&writing.chart, 1, "child").window.as_deref(), Some("newborn"));
        is_due(writing, "child", "full_month", "2025-12-08", "2025-12-10");
        // One more between two of them is none of them, and what is due stays.
        write(writing, &visit(2, "2025-11-25"));
        assert_eq!(found(&writing.chart, 2, "child").window, None);
        is_due(writing, "child", "full_month", "2025-12-08", "2025-12-10");
        // Late, it is the one that has opened last: earlier ones are not made up for.
        write(writing, &visit(3, "2026-07-20"));
        assert_eq!(found(&writing.chart, 3, "child").window.as_deref(), Some("month_8"));
        is_due(writing, "child", "month_12", "2026-11-10", "2026-12-10");
        // What was forgotten and is written down late takes its place, and what follows stays.
        write(writing, &visit(4, "2025-12-09"));
        assert_eq!(found(&writing.chart, 4, "child").window.as_deref(), Some("full_month"));
        is_due(writing, "child", "month_12", "2026-11-10", "2026-12-10");
    });
}

#[test]
fn a_child_taken_in_late_begins_with_what_is_not_late_yet_and_ends_at_seven() {
    with_person("2020-03-15", Sex::Female, |writing| {
        writing.enrol_who_belongs(&hand("2026-04-01"), &[], day("2026-04-01")).expect("enrolled");
        is_due(writing, "child", "year_6", "2026-03-15", "2027-02-15");
        write(writing, &draft(1, "2026-04-01", &["child"], &[("weight", "20")]));
        assert_eq!(due_first(writing, "child"), None, "that was the last");
        let close = |writing: &mut Writing<'_>, on: &str| {
            writing.close_who_no_longer_belongs(&hand(on), &[], day(on)).expect("looked")
        };
        assert_eq!(close(writing, "2027-03-14"), 0);
        assert_eq!(close(writing, "2027-03-15"), 1, "seven years old");
        assert!(writing.chart.open_in("child").is_none());
    });
}

#[test]
fn a_mother_from_booking_to_the_check_after_delivery() {
    with_person("1996-05-01", Sex::Female, |writing| {
        let visit = |number, on| {
            draft(number, on, &["maternal"], &[("systolic", "118"), ("diastolic", "76"), ("weight", "58")])
        };
        let enrol = |writing: &mut Writing<'_>, began_on: Option<&str>| {
            let beginning = Beginning { began_on: began_on.map(day), ..Beginning::on(day("2026-02-01")) };
            let why = ("自测怀孕".to_owned(), &[][..]);
            writing
                .enrol(&hand("2026-02-01"), "maternal", beginning, why)
                .expect("asked")
                .map_err(|no| no.key)
        };
        assert_eq!(enrol(writing, None), Err("follow_up.refused.began_on"));
        assert_eq!(enrol(writing, Some("2026-02-02")), Err("follow_up.refused.future"));
        enrol(writing, Some("2026-01-15")).expect("enrolled");
        is_due(writing, "maternal", "book", "2026-01-15", "2026-04-15");
        write(writing, &visit(1, "2026-03-20"));
        assert_eq!(found(&writing.chart, 1, "maternal").window.as_deref(), Some("book"));
        is_due(writing, "maternal", "week_16", "2026-05-07", "2026-06-10");

        let happened = |writing: &mut Writing<'_>, what, on: &str| {
            let done = writing.happened(&hand("2026-11-20"), "maternal", (what, day(on))).expect("asked");
            done.map(|_| ()).map_err(|refusal| refusal.key)
        };
        let home = Happening::Discharge;
        assert_eq!(happened(writing, home, "2026-10-20"), Err("follow_up.refused.not_delivered"));
        let before = happened(writing, Happening::Delivery, "2026-01-14");
        assert_eq!(before, Err("follow_up.refused.happened_before"));
        happened(writing, Happening::Delivery, "2026-10-18").expect("written");
        is_due(writing, "maternal", "postpartum", "2026-10-18", "2026-10-25");
        happened(writing, home, "2026-10-21").expect("written");
        is_due(writing, "maternal", "postpartum", "2026-10-21", "2026-10-28");
        assert_eq!(happened(writing, home, "2026-10-21"), Err("follow_up.refused.same"));
        // A delivery put right moves what counts from the discharge, and none lies after it.
        happened(writing, Happening::Delivery, "2026-10-16").expect("written");
        is_due(writing, "maternal", "postpartum", "2026-10-21", "2026-10-28");
        let late = happened(writing, Happening::Delivery, "2026-10-22");
        assert_eq!(late, Err("follow_up.refused.happened_after"));
        happened(writing, Happening::Delivery, "2026-10-18").expect("written");
        // A visit on the day of the delivery was before it, whenever it is written down.
        write(writing, &visit(9, "2026-10-18"));
        assert_eq!(found(&writing.chart, 9, "maternal").window.as_deref(), Some("week_37"));
        is_due(writing, "maternal", "postpartum", "2026-10-21", "2026-10-28");

        write(writing, &visit(2, "2026-10-26"));
        assert_eq!(found(&writing.chart, 2, "maternal").window.as_deref(), Some("postpartum"));
        is_due(writing, "maternal", "day_42", "2026-11-29", "2026-12-13");
        // The delivery was a day earlier: what came after it is worked out again.
        happened(writing, Happening::Delivery, "2026-10-17").expect("written");
        is_due(writing, "maternal", "day_42", "2026-11-28", "2026-12-12");
        let close = |writing: &mut Writing<'_>| {
            let on = "2026-12-02";
            writing.close_who_no_longer_belongs(&hand(on), &[], day(on)).expect("looked")
        };
        assert_eq!(close(writing), 0, "the check after delivery is still to come");
        let last = visit(3, "2026-12-01");
        writing.visit(&hand("2026-12-01"), &last).expect("asked").expect("taken");
        assert_eq!(found(&writing.chart, 3, "maternal").window.as_deref(), Some("day_42"));
        assert_eq!(close(writing), 1);
        assert!(writing.chart.open().next().is_none());
        // Another pregnancy is another enrolment, with its own visits.
        let beginning = Beginning { began_on: Some(day("2028-01-10")), ..Beginning::on(day("2028-02-01")) };
        let why = ("第二孩".to_owned(), &[][..]);
        writing.enrol(&hand("2028-02-01"), "maternal", beginning, why).expect("asked").expect("enrolled");
        is_due(writing, "maternal", "book", "2028-01-10", "2028-04-09");
        let booked = visit(4, "2028-02-01");
        writing.visit(&hand("2028-02-01"), &booked).expect("asked").expect("taken");
        assert_eq!(found(&writing.chart, 4, "maternal").window.as_deref(), Some("book"));
        let born = (Happening::Delivery, day("2028-10-15"));
        writing.happened(&hand("2028-10-16"), "maternal", born).expect("asked").expect("written");
        is_due(writing, "maternal", "postpartum", "2028-10-15", "2028-10-22");
    });
}

#[test]
fn no_man_is_pregnant() {
    with_person("1990-05-01", Sex::Male, |writing| {
        let beginning = Beginning { began_on: Some(day("2026-01-15")), ..Beginning::on(day("2026-02-01")) };
        let asked = writing.enrol(&hand("2026-02-01"), "maternal", beginning, (String::new(), &[]));
        assert_eq!(asked.expect("asked").expect_err("refused").key, "follow_up.refused.not_for_them");
    });
}
