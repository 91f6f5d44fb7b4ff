//! The end of a day: what a hospital has against what the ledger has, bill by bill.

use std::collections::{BTreeMap, BTreeSet};

use kangmai_base::{Day, Fen, Uuid};

use crate::facts::{DayDifference, DayLine, DaySide, DayStatus, DayTotals, DifferenceKind, FundAmount, Why};

/// The code of the person among those who bear.
const PERSON: &str = "person";

/// A bill as the ledger has it, with what the hospital was last answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerBill {
    /// Which.
    pub bill: Uuid,
    /// 结算单号
    pub number: String,
    /// As it stands now.
    pub now: DaySide,
    /// As the hospital's last step of that day left it: what it was answered then.
    pub then: DaySide,
    /// The last thing that changed it after that step: why, and on which day.
    pub since: Option<(Option<Why>, Day)>,
    /// The first day on which something was posted for it.
    pub first_on: Option<Day>,
    /// The last day on which the hospital itself did something with it; none: nothing is posted.
    pub own_on: Option<Day>,
    /// Whether the hospital did something with it on the day asked for.
    pub is_of_day: bool,
}

/// What a side's bills come to: those that stand settled.
pub fn totals<'s>(sides: impl Iterator<Item = &'s DaySide>, says_funds: bool) -> DayTotals {
    let mut sum = DayTotals::default();
    let mut funds: BTreeMap<&str, Fen> = BTreeMap::new();
    for side in sides.filter(|side| side.status == DayStatus::Settled) {
        sum.bills += 1;
        sum.total += side.total;
        sum.own += side.own;
        for FundAmount(fund, amount) in side.funds.iter().flatten() {
            *funds.entry(fund).or_default() += *amount;
        }
    }
    funds.retain(|_, amount| *amount != Fen::ZERO);
    let funds = funds.into_iter().map(|(fund, amount)| FundAmount(fund.to_owned(), amount)).collect();
    sum.funds = says_funds.then_some(funds);
    sum
}

/// Whether two totals say the same, as far as both speak.
pub fn agree(theirs: &DayTotals, ours: &DayTotals) -> bool {
    (theirs.bills, theirs.total, theirs.own) == (ours.bills, ours.total, ours.own)
        && fund_differences(theirs.funds.as_deref(), ours.funds.as_deref()).is_empty()
}

/// Holds a day against the ledger. `theirs`: number and side, each number once; `ours`: the bills of the day and those that
/// the hospital names besides. The lines come in the hospital's order, then what only the ledger has, by number.
pub fn reconcile(day: Day, theirs: &[(String, DaySide)], ours: &[LedgerBill]) -> Vec<DayLine> {
    let by_number: BTreeMap<&str, &LedgerBill> =
        ours.iter().map(|bill| (bill.number.as_str(), bill)).collect();
    let sent: BTreeSet<&str> = theirs.iter().map(|(number, _)| number.as_str()).collect();
    let of_theirs = theirs.iter().map(|(number, side)| {
        let bill = by_number.get(number.as_str()).copied();
        DayLine {
            number: number.clone(),
            bill: bill.map(|bill| bill.bill),
            theirs: Some(side.clone()),
            ours: bill.map(|bill| bill.now.clone()),
            differences: bill
                .map_or_else(|| vec![plain(DifferenceKind::OnlyTheirs)], |bill| differences(side, bill)),
        }
    });
    let only_ours = by_number.values().filter(|bill| bill.is_of_day && !sent.contains(bill.number.as_str()));
    let of_ours = only_ours.map(|bill| {
        // Came in and was cancelled within the day: nothing of it stands, so nothing is missing.
        let is_nothing = bill.now.status == DayStatus::Cancelled && bill.first_on == Some(day);
        let differences = if is_nothing { Vec::new() } else { vec![plain(DifferenceKind::OnlyOurs)] };
        DayLine {
            number: bill.number.clone(),
            bill: Some(bill.bill),
            theirs: None,
            ours: Some(bill.now.clone()),
            differences,
        }
    });
    of_theirs.chain(of_ours).collect()
}

const fn plain(kind: DifferenceKind) -> DayDifference {
    DayDifference { kind, payer: None, theirs: None, ours: None, on: None, why: None }
}

fn differences(theirs: &DaySide, bill: &LedgerBill) -> Vec<DayDifference> {
    let mut found = Vec::new();
    if !bill.is_of_day && bill.now.status != DayStatus::Waiting {
        found.push(DayDifference { on: bill.own_on, ..plain(DifferenceKind::OtherDay) });
    }
    let since = bill.since.map(|(_, on)| on).or(bill.own_on);
    match (theirs.status, bill.now.status) {
        (_, DayStatus::Waiting) => found.push(plain(DifferenceKind::NotSettledHere)),
        (DayStatus::Cancelled, DayStatus::Cancelled) => {}
        (DayStatus::Cancelled, _) => found.push(plain(DifferenceKind::CancelledThere)),
        (_, DayStatus::Cancelled) => {
            found.push(DayDifference { on: since, ..plain(DifferenceKind::CancelledHere) });
        }
        (_, DayStatus::Settled) => found.extend(amounts(theirs, bill)),
    }
    found
}

/// What differs in money. Where the hospital has what it was answered, one thing is said: that it was settled again since.
fn amounts(theirs: &DaySide, bill: &LedgerBill) -> Vec<DayDifference> {
    let against_now = money(theirs, &bill.now);
    if against_now.is_empty() {
        return against_now;
    }
    match bill.since {
        Some((why, on)) if bill.then.status == DayStatus::Settled && money(theirs, &bill.then).is_empty() => {
            let again = |difference: DayDifference| DayDifference {
                kind: DifferenceKind::SettledAgain,
                on: Some(on),
                why,
                ..difference
            };
            against_now.into_iter().map(again).collect()
        }
        _ => against_now,
    }
}

fn money(theirs: &DaySide, ours: &DaySide) -> Vec<DayDifference> {
    let one = |kind, payer: Option<&str>, theirs: Fen, ours: Fen| {
        let (payer, theirs, ours) = (payer.map(str::to_owned), Some(theirs), Some(ours));
        (theirs != ours).then(|| DayDifference { payer, theirs, ours, ..plain(kind) })
    };
    let mut found: Vec<DayDifference> = Vec::new();
    found.extend(one(DifferenceKind::Total, None, theirs.total, ours.total));
    found.extend(one(DifferenceKind::OwnShare, Some(PERSON), theirs.own, ours.own));
    for (fund, theirs, ours) in fund_differences(theirs.funds.as_deref(), ours.funds.as_deref()) {
        found.extend(one(DifferenceKind::Fund, Some(&fund), theirs, ours));
    }
    found
}

/// The funds that two sides say otherwise; one that a side leaves out pays nothing there. Nothing where a side says nothing
/// of funds.
pub fn fund_differences(
    theirs: Option<&[FundAmount]>,
    ours: Option<&[FundAmount]>,
) -> Vec<(String, Fen, Fen)> {
    let (Some(theirs), Some(ours)) = (theirs, ours) else { return Vec::new() };
    let mut both: BTreeMap<&str, (Fen, Fen)> = BTreeMap::new();
    for FundAmount(fund, amount) in theirs {
        both.entry(fund).or_default().0 += *amount;
    }
    for FundAmount(fund, amount) in ours {
        both.entry(fund).or_default().1 += *amount;
    }
    let different = both.into_iter().filter(|(_, (theirs, ours))| theirs != ours);
    different.map(|(fund, (theirs, ours))| (fund.to_owned(), theirs, ours)).collect()
}

#[cfg(test)]
mod tests;
