use kangmai_policy::{Guarantor, Source, Sure};
use proptest::prelude::*;

use super::*;

const DISCHARGE: Day = Day(20_000);

fn day(text: &str) -> Day {
    text.parse().expect("a day")
}

fn line(days: i32, yuan: i64) -> DueLine {
    DueLine { due_on: DISCHARGE.plus_days(days), amount: Fen::yuan(yuan) }
}

fn settled(days: i32, yuan: i64) -> DebtEvent {
    DebtEvent::Settled { on: DISCHARGE.plus_days(days), own: Fen::yuan(yuan) }
}

fn agreed(days: i32, yuan: i64, count: i32) -> DebtEvent {
    DebtEvent::Agreed(Instalments { amount: Fen::yuan(yuan), count, first_due: DISCHARGE.plus_days(days) })
}

#[test]
fn instalments_are_exact_and_the_last_takes_the_remainder() {
    for (amount, count, expected) in [
        (10_000, 1, vec![10_000]),
        (10_000, 3, vec![3_333, 3_333, 3_334]),
        (10_001, 2, vec![5_000, 5_001]),
        (2, 3, vec![0, 0, 2]),
        (120_000, 12, vec![10_000; 12]),
    ] {
        let instalments = Instalments { amount: Fen(amount), count, first_due: DISCHARGE };
        let found: Vec<i64> = instalments.lines().iter().map(|line| line.amount.0).collect();
        assert_eq!(found, expected, "{amount} in {count}");
    }
    let at_the_end = Instalments { amount: Fen(300), count: 3, first_due: day("2026-01-31") };
    let days: Vec<String> = at_the_end.lines().iter().map(|line| line.due_on.to_string()).collect();
    assert_eq!(days, ["2026-01-31", "2026-02-28", "2026-03-31"]);
}

#[test]
fn what_is_due_follows_receipts_and_agreements() {
    let check = |name: &str, within: i32, events: &[DebtEvent], own: i64, expected: &[DueLine]| {
        assert_eq!(due_lines(DISCHARGE, within, events, Fen::yuan(own)), expected, "{name}");
    };
    check("nothing yet", 0, &[], 0, &[]);
    check("at discharge", 0, &[settled(5, 300)], 300, &[line(0, 300)]);
    check("so many days later", 7, &[settled(5, 300)], 300, &[line(7, 300)]);
    check("nothing to bear", 0, &[settled(0, 0)], 0, &[]);
    check("raised", 0, &[settled(0, 300), settled(9, 350)], 350, &[line(0, 300), line(9, 50)]);
    check("lowered", 0, &[settled(0, 300), settled(9, 250)], 250, &[line(0, 250)]);
    check(
        "raised, then lowered below",
        0,
        &[settled(0, 300), settled(9, 350), settled(10, 200)],
        200,
        &[line(0, 200)],
    );
    check("cancelled", 0, &[settled(0, 300)], 0, &[]);
    check("agreed", 0, &[settled(0, 300), agreed(31, 300, 1)], 300, &[line(31, 300)]);
    check(
        "agreed after a part was paid",
        0,
        &[settled(0, 300), agreed(31, 200, 1)],
        300,
        &[line(0, 100), line(31, 200)],
    );
    check(
        "agreed, then raised",
        0,
        &[settled(0, 300), agreed(31, 300, 1), settled(40, 310)],
        310,
        &[line(31, 300), line(40, 10)],
    );
    check(
        "agreed, then lowered: off the last",
        0,
        &[settled(0, 300), agreed(0, 300, 3), settled(40, 150)],
        150,
        &[line(0, 100), DueLine { due_on: DISCHARGE.plus_months(1), amount: Fen::yuan(50) }],
    );
    check(
        "agreed anew",
        0,
        &[settled(0, 300), agreed(31, 300, 3), agreed(100, 200, 1)],
        300,
        &[line(31, 100), line(100, 200)],
    );
}

#[test]
fn payments_cover_in_order_and_close_on_their_day() {
    let lines = [line(0, 100), line(30, 100)];
    let pay = |days: i32, yuan: i64| Credit { on: DISCHARGE.plus_days(days), amount: Fen::yuan(yuan) };
    let check = |credits: &[Credit], open: [i64; 2], closed: [Option<i32>; 2], left: i64| {
        let (found, surplus) = covered(&lines, credits);
        let found_open: Vec<i64> = found.iter().map(|line| line.open.0 / 100).collect();
        let found_closed: Vec<Option<i32>> =
            found.iter().map(|line| line.closed_on.map(|on| on.days_since(DISCHARGE))).collect();
        assert_eq!((found_open, found_closed), (open.to_vec(), closed.to_vec()), "{credits:?}");
        assert_eq!(surplus, Fen::yuan(left), "{credits:?}");
    };
    check(&[], [100, 100], [None, None], 0);
    check(&[pay(0, 40)], [60, 100], [None, None], 0);
    check(&[pay(0, 100)], [0, 100], [Some(0), None], 0);
    check(&[pay(3, 60), pay(0, 40)], [0, 100], [Some(3), None], 0);
    check(&[pay(0, 150)], [0, 50], [Some(0), None], 0);
    check(&[pay(0, 150), pay(29, 50)], [0, 0], [Some(0), Some(29)], 0);
    check(&[pay(0, 250)], [0, 0], [Some(0), Some(0)], 50);
    check(&[pay(0, 250), pay(9, -50)], [0, 0], [Some(0), Some(0)], 0);
    check(&[pay(0, 100), pay(9, -50)], [50, 100], [None, None], 0);
}

#[test]
fn late_begins_the_day_after() {
    for (days, expected) in [(-1, None), (0, None), (1, Some(1)), (30, Some(30))] {
        assert_eq!(days_late(DISCHARGE, DISCHARGE.plus_days(days)), expected);
    }
}

fn keys(wrong: &[Refusal]) -> Vec<&'static str> {
    wrong.iter().map(|refusal| refusal.key).collect()
}

#[test]
fn a_payment_is_at_most_what_is_open() {
    let today = DISCHARGE.plus_days(10);
    let check = |open: i64, amount: i64, paid: i32, expected: &[&str]| {
        let wrong = check_payment(Fen(open), Fen(amount), DISCHARGE.plus_days(paid), DISCHARGE, today);
        assert_eq!(keys(&wrong), expected, "{amount} of {open} on {paid}");
    };
    check(10_000, 9_999, 10, &[]);
    check(10_000, 10_000, 0, &[]);
    check(10_000, 10_001, 10, &["settlement.refused.overpaid"]);
    check(-500, 1, 10, &["settlement.refused.overpaid"]);
    check(10_000, 0, 10, &["settlement.refused.nothing"]);
    check(10_000, -1, 10, &["settlement.refused.nothing"]);
    check(10_000, 1, 11, &["settlement.refused.paid_on"]);
    check(10_000, 1, -1, &["settlement.refused.paid_on"]);
}

fn terms() -> DeferralTerms {
    DeferralTerms {
        sure: Sure::Low,
        source: Source { doc: "示例".to_owned(), article: None, quote: None, note: None },
        most_months: 12,
        least_amount: Fen::yuan(100),
        guarantors: vec![Guarantor::TownshipGovernment],
    }
}

#[test]
fn an_agreement_keeps_to_the_terms_of_the_pack() {
    let today = day("2026-03-05");
    let check = |open: i64, count: i32, first: &str, replaces: Option<&str>, expected: &[&str]| {
        let instalments = Instalments { amount: Fen::yuan(open), count, first_due: day(first) };
        let reason = replaces.filter(|reason| !reason.is_empty());
        let found =
            check_agreement(&terms(), Fen::yuan(open), instalments, today, replaces.is_some(), reason);
        assert_eq!(keys(&found), expected, "{open} in {count} from {first}");
    };
    check(1_200, 12, "2026-04-05", None, &[]);
    check(1_200, 12, "2026-04-06", None, &["settlement.refused.most_months"]);
    check(1_200, 13, "2026-03-05", None, &["settlement.refused.least_amount"]);
    check(1_300, 13, "2026-03-05", None, &[]);
    check(1_300, 13, "2026-03-06", None, &["settlement.refused.most_months"]);
    check(1_199, 12, "2026-04-05", None, &["settlement.refused.least_amount"]);
    check(50, 1, "2026-04-05", None, &[]);
    check(300, 1, "2026-03-04", None, &["settlement.refused.first_due"]);
    check(300, 1, "2027-03-05", None, &[]);
    check(300, 1, "2027-03-06", None, &["settlement.refused.most_months"]);
    check(0, 1, "2026-04-05", None, &["settlement.refused.nothing_open"]);
    check(300, 1, "2026-04-05", Some(""), &["settlement.refused.agreement_reason"]);
    check(300, 1, "2026-04-05", Some("失业"), &[]);
}

#[test]
fn a_right_is_suspended_only_over_something_overdue() {
    let key = |overdue: i64, is_suspended: bool| {
        check_suspension(Fen(overdue), is_suspended).map(|refusal| refusal.key)
    };
    assert_eq!(key(1, false), None);
    assert_eq!(key(0, false), Some("settlement.refused.not_overdue"));
    assert_eq!(key(-1, false), Some("settlement.refused.not_overdue"));
    assert_eq!(key(1, true), Some("settlement.refused.suspended_already"));
}

fn event() -> impl Strategy<Value = (bool, i64, i32, i32)> {
    (any::<bool>(), 0_i64..100_000, 1_i32..14, 0_i32..400)
}

proptest! {
    /// Whatever happened, the lines come to what is borne now, and none is negative.
    #[test]
    fn lines_come_to_the_own_share(events in proptest::collection::vec(event(), 0..12), own in 0_i64..100_000) {
        let mut events_in: Vec<DebtEvent> = Vec::new();
        for (is_receipt, amount, count, days) in events {
            let on = DISCHARGE.plus_days(days);
            events_in.push(if is_receipt {
                DebtEvent::Settled { on, own: Fen(amount) }
            } else {
                let open = due_lines(DISCHARGE, 0, &events_in, Fen::LIMIT);
                let most = open.iter().map(|line| line.amount).sum::<Fen>() - Fen::LIMIT + Fen(amount);
                DebtEvent::Agreed(Instalments { amount: most.max(Fen::ZERO), count, first_due: on })
            });
        }
        let lines = due_lines(DISCHARGE, 3, &events_in, Fen(own));
        prop_assert_eq!(lines.iter().map(|line| line.amount).sum::<Fen>(), Fen(own));
        prop_assert!(lines.iter().all(|line| !line.amount.is_negative()));
    }

    /// Paid and open together are the lines; what is left over is what was paid too much.
    #[test]
    fn paid_and_open_add_up(amounts in proptest::collection::vec(0_i64..50_000, 0..8),
        paid in proptest::collection::vec(0_i64..50_000, 0..8)) {
        let lines: Vec<DueLine> = amounts.iter().zip(0..).map(|(amount, number)| DueLine {
            due_on: DISCHARGE.plus_days(number), amount: Fen(*amount),
        }).collect();
        let credits: Vec<Credit> = paid.iter().zip(0..).map(|(amount, number)| Credit {
            on: DISCHARGE.plus_days(number), amount: Fen(*amount),
        }).collect();
        let (found, left) = covered(&lines, &credits);
        let open: Fen = found.iter().map(|line| line.open).sum();
        let (owed, came): (i64, i64) = (amounts.iter().sum(), paid.iter().sum());
        prop_assert_eq!(open - left, Fen(owed - came));
        prop_assert!(found.iter().all(|line| line.open <= line.line.amount && !line.open.is_negative()));
        prop_assert!(left == Fen::ZERO || open == Fen::ZERO);
    }
}
