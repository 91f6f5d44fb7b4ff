use super::*;

const DAY: Day = Day(20_500);

fn side(status: DayStatus, total: i64, own: i64, funds: &[(&str, i64)]) -> DaySide {
    let funds = funds.iter().map(|(fund, amount)| FundAmount((*fund).to_owned(), Fen(*amount))).collect();
    DaySide { status, receipt: None, total: Fen(total), own: Fen(own), funds: Some(funds) }
}

fn settled(total: i64, own: i64, basic: i64) -> DaySide {
    side(DayStatus::Settled, total, own, &[("basic", basic)])
}

fn cancelled() -> DaySide {
    side(DayStatus::Cancelled, 0, 0, &[])
}

/// A bill that came in on the day and stands as it was answered.
fn ours(number: &str, now: DaySide) -> LedgerBill {
    LedgerBill {
        bill: Uuid::from_u128(u128::from(number.as_bytes()[0])),
        number: number.to_owned(),
        then: now.clone(),
        now,
        since: None,
        first_on: Some(DAY),
        own_on: Some(DAY),
        is_of_day: true,
    }
}

fn kinds(theirs: &[(&str, DaySide)], ours: &[LedgerBill]) -> Vec<(String, Vec<DifferenceKind>)> {
    let theirs: Vec<(String, DaySide)> =
        theirs.iter().map(|(number, side)| ((*number).to_owned(), side.clone())).collect();
    let lines = reconcile(DAY, &theirs, ours).into_iter();
    lines.map(|line| (line.number, line.differences.into_iter().map(|one| one.kind).collect())).collect()
}

#[test]
fn each_difference_has_its_name() {
    use DifferenceKind as D;
    let now = settled(10_000, 3_000, 7_000);
    let check = |theirs: Option<DaySide>, bill: Option<LedgerBill>, expected: &[D]| {
        let theirs: Vec<(&str, DaySide)> = theirs.map(|side| ("A", side)).into_iter().collect();
        let found = kinds(&theirs, &bill.into_iter().collect::<Vec<_>>());
        assert_eq!(found, [("A".to_owned(), expected.to_vec())]);
    };
    check(Some(now.clone()), Some(ours("A", now.clone())), &[]);
    check(Some(now.clone()), None, &[D::OnlyTheirs]);
    check(None, Some(ours("A", now.clone())), &[D::OnlyOurs]);
    // A fen at each figure.
    check(Some(settled(10_001, 3_000, 7_000)), Some(ours("A", now.clone())), &[D::Total]);
    check(Some(settled(10_000, 2_999, 7_000)), Some(ours("A", now.clone())), &[D::OwnShare]);
    check(Some(settled(10_000, 3_000, 7_001)), Some(ours("A", now.clone())), &[D::Fund]);
    check(Some(settled(9_999, 2_999, 7_000)), Some(ours("A", now.clone())), &[D::Total, D::OwnShare]);
    // A fund that only one side names.
    let two = side(DayStatus::Settled, 10_000, 3_000, &[("basic", 6_999), ("major", 1)]);
    check(Some(two), Some(ours("A", now.clone())), &[D::Fund, D::Fund]);
    // Who says nothing of funds is not asked.
    check(Some(DaySide { funds: None, ..now.clone() }), Some(ours("A", now.clone())), &[]);
    // A zero that is named and one that is not are the same.
    let named = side(DayStatus::Settled, 10_000, 3_000, &[("basic", 7_000), ("major", 0)]);
    check(Some(named), Some(ours("A", now.clone())), &[]);
    check(Some(cancelled()), Some(ours("A", now.clone())), &[D::CancelledThere]);
    check(Some(now.clone()), Some(ours("A", cancelled())), &[D::CancelledHere]);
    check(Some(cancelled()), Some(ours("A", cancelled())), &[]);
    let waiting = side(DayStatus::Waiting, 10_000, 0, &[]);
    check(
        Some(now.clone()),
        Some(LedgerBill { is_of_day: false, ..ours("A", waiting) }),
        &[D::NotSettledHere],
    );
    let other_day = LedgerBill { is_of_day: false, own_on: Some(Day(DAY.0 - 1)), ..ours("A", now.clone()) };
    check(Some(now.clone()), Some(other_day.clone()), &[D::OtherDay]);
    check(Some(settled(10_000, 2_999, 7_001)), Some(other_day), &[D::OtherDay, D::OwnShare, D::Fund]);
    // Came in and was cancelled within the day: nothing is missing. One of an earlier day is.
    check(None, Some(ours("A", cancelled())), &[]);
    let earlier = LedgerBill { first_on: Some(Day(DAY.0 - 1)), ..ours("A", cancelled()) };
    check(None, Some(earlier), &[D::OnlyOurs]);
}

#[test]
fn what_was_settled_again_since_is_told_from_what_was_wrong_from_the_start() {
    let (then, now) = (settled(10_000, 3_000, 7_000), settled(10_000, 2_500, 7_500));
    let later = Day(DAY.0 + 1);
    let again = LedgerBill {
        then: then.clone(),
        since: Some((Some(Why::OtherReceived), later)),
        ..ours("A", now.clone())
    };
    let lines = reconcile(DAY, &[("A".to_owned(), then)], std::slice::from_ref(&again));
    let said: Vec<_> = lines[0]
        .differences
        .iter()
        .map(|one| (one.kind, one.payer.as_deref(), one.theirs, one.ours, one.on, one.why))
        .collect();
    let why = Some(Why::OtherReceived);
    assert_eq!(
        said,
        [
            (
                DifferenceKind::SettledAgain,
                Some("person"),
                Some(Fen(3_000)),
                Some(Fen(2_500)),
                Some(later),
                why
            ),
            (
                DifferenceKind::SettledAgain,
                Some("basic"),
                Some(Fen(7_000)),
                Some(Fen(7_500)),
                Some(later),
                why
            ),
        ]
    );
    // The hospital has the new figures already.
    assert_eq!(kinds(&[("A", now)], std::slice::from_ref(&again))[0].1, []);
    // It has neither.
    let neither = settled(10_000, 2_600, 7_400);
    assert_eq!(kinds(&[("A", neither)], &[again])[0].1, [DifferenceKind::OwnShare, DifferenceKind::Fund]);
}

#[test]
fn lines_come_in_the_hospital_s_order_then_what_only_the_ledger_has() {
    let one = settled(100, 100, 0);
    let found = kinds(
        &[("C", one.clone()), ("B", one.clone())],
        &[ours("D", one.clone()), ours("A", one.clone()), ours("B", one.clone())],
    );
    let numbers: Vec<&str> = found.iter().map(|(number, _)| number.as_str()).collect();
    assert_eq!(numbers, ["C", "B", "A", "D"]);
    // One of another day that nobody sent is no matter of this day.
    let other = LedgerBill { is_of_day: false, ..ours("A", one) };
    assert_eq!(kinds(&[], &[other]), []);
}

#[test]
fn totals_are_of_what_stands() {
    let sides = [settled(10_000, 3_000, 7_000), cancelled(), settled(500, 500, 0)];
    let sum = totals(sides.iter(), true);
    assert_eq!((sum.bills, sum.total, sum.own), (2, Fen(10_500), Fen(3_500)));
    assert_eq!(sum.funds, Some(vec![FundAmount("basic".to_owned(), Fen(7_000))]));
    let silent = totals(sides.iter(), false);
    assert_eq!(silent.funds, None);
    assert!(agree(&silent, &sum) && agree(&sum, &sum));
    for change in [
        |sum: &mut DayTotals| sum.bills += 1,
        |sum: &mut DayTotals| sum.total += Fen(1),
        |sum: &mut DayTotals| sum.own += Fen(-1),
        |sum: &mut DayTotals| sum.funds = Some(Vec::new()),
    ] {
        let mut other = sum.clone();
        change(&mut other);
        assert!(!agree(&other, &sum));
    }
}
