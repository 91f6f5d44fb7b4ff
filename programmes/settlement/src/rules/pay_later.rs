//! What is owed when: the lines of a debt out of receipts and agreements, what payments cover of them, and what may be paid,
//! agreed, written off or suspended. Law comes in as the terms of a pack.

use kangmai_base::{Day, Fen, Refusal};
use kangmai_policy::DeferralTerms;

/// What changed a debt, in the order in which it came into the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DebtEvent {
    /// The bill was settled, or settled again, on a day: what the person bears by now.
    Settled {
        /// The day of the receipt.
        on: Day,
        /// The own share by it.
        own: Fen,
    },
    /// What was open was agreed to be paid later.
    Agreed(Instalments),
}

/// What an agreement says of money.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Instalments {
    /// What is cut.
    pub amount: Fen,
    /// Into how many; at least 1.
    pub count: i32,
    /// When the first is due; the others month by month.
    pub first_due: Day,
}

/// An amount and the day on which it is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DueLine {
    /// When.
    pub due_on: Day,
    /// How much.
    pub amount: Fen,
}

/// Money that came in (or went back, negative), or was written off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Credit {
    /// When.
    pub on: Day,
    /// How much.
    pub amount: Fen,
}

/// A line with what is still open of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CoveredLine {
    /// The line.
    pub line: DueLine,
    /// What is open.
    pub open: Fen,
    /// The day on which nothing of it was open any more.
    pub closed_on: Option<Day>,
}

impl Instalments {
    /// The instalments: equal, exact to the fen, the last takes the remainder.
    pub fn lines(self) -> Vec<DueLine> {
        let count = self.count.max(1);
        let each = Fen(self.amount.0 / i64::from(count));
        let line = |number: i32| {
            let rest = Fen(self.amount.0 - each.0 * i64::from(count - 1));
            let amount = if number == count - 1 { rest } else { each };
            DueLine { due_on: self.first_due.plus_months(number), amount }
        };
        (0..count).map(line).collect()
    }
}

/// What is due when. The first receipt is due `within` days after discharge, what a later one adds so many days after that
/// one; what a later one lowers comes off the last line first. An agreement replaces what was open when it was made. `own`:
/// what the person bears now, zero for a bill that is not settled any more.
pub fn due_lines(discharged_on: Day, within: i32, events: &[DebtEvent], own: Fen) -> Vec<DueLine> {
    let mut lines: Vec<DueLine> = Vec::new();
    let mut is_first = true;
    for event in events {
        match *event {
            DebtEvent::Settled { on, own } => {
                let from = if is_first { discharged_on } else { on };
                is_first = false;
                change_to(&mut lines, own, from.plus_days(within));
            }
            DebtEvent::Agreed(instalments) => {
                let total = total(&lines);
                change_to(&mut lines, total - instalments.amount, discharged_on);
                lines.extend(instalments.lines());
            }
        }
    }
    change_to(&mut lines, own, discharged_on.plus_days(within));
    lines
}

fn total(lines: &[DueLine]) -> Fen {
    lines.iter().map(|line| line.amount).sum()
}

fn change_to(lines: &mut Vec<DueLine>, wanted: Fen, due_on: Day) {
    let mut surplus = total(lines) - wanted;
    if surplus.is_negative() {
        lines.push(DueLine { due_on, amount: -surplus });
    }
    while surplus > Fen::ZERO
        && let Some(last) = lines.last_mut()
    {
        let taken = surplus.min(last.amount);
        last.amount -= taken;
        surplus -= taken;
        if last.amount == Fen::ZERO {
            lines.pop();
        }
    }
}

/// What credits cover, line by line in order; a line counts as closed on the first day on which all of it, and all before it,
/// was covered. What is left over is a refund that is owed.
pub fn covered(lines: &[DueLine], credits: &[Credit]) -> (Vec<CoveredLine>, Fen) {
    let mut ordered = credits.to_vec();
    ordered.sort_by_key(|credit| credit.on);
    let mut left: Fen = ordered.iter().map(|credit| credit.amount).sum();
    let mut needed = Fen::ZERO;
    let mut out = Vec::with_capacity(lines.len());
    for line in lines {
        needed += line.amount;
        let taken = left.min(line.amount).max(Fen::ZERO);
        left -= taken;
        let open = line.amount - taken;
        let mut sum = Fen::ZERO;
        let closed_on = ordered.iter().find_map(|credit| {
            sum += credit.amount;
            (sum >= needed).then_some(credit.on)
        });
        out.push(CoveredLine { line: *line, open, closed_on: closed_on.filter(|_| open == Fen::ZERO) });
    }
    (out, left.max(Fen::ZERO))
}

/// Days from `due_on` to `today`; none on the due day itself and before it.
pub fn days_late(due_on: Day, today: Day) -> Option<i32> {
    Some(today.days_since(due_on)).filter(|days| *days > 0)
}

/// Why a payment of `amount` on `paid_on` cannot be taken; nothing if it can. `open`: what is open.
pub fn check_payment(open: Fen, amount: Fen, paid_on: Day, discharged_on: Day, today: Day) -> Vec<Refusal> {
    let mut wrong = check_money(open, amount, "settlement.refused.overpaid");
    if paid_on > today || paid_on < discharged_on {
        let refusal = Refusal::new("settlement.refused.paid_on");
        wrong.push(
            refusal.with("from", discharged_on.to_string()).with("today", today.to_string()).at("paid_on"),
        );
    }
    wrong
}

/// Why `amount` cannot be paid, given back or written off, of which `most` is there; nothing if it can.
pub fn check_money(most: Fen, amount: Fen, too_much: &'static str) -> Vec<Refusal> {
    if amount <= Fen::ZERO {
        vec![Refusal::new("settlement.refused.nothing").at("amount")]
    } else if amount > most {
        vec![Refusal::new(too_much).with("most", most.max(Fen::ZERO).grouped()).at("amount")]
    } else {
        Vec::new()
    }
}

/// Why an agreement cannot be made; nothing if it can. `open` is what it would cut; `replaces` tells whether there is one
/// already, `reason` why it is replaced.
pub fn check_agreement(
    terms: &DeferralTerms,
    open: Fen,
    instalments: Instalments,
    today: Day,
    replaces: bool,
    reason: Option<&str>,
) -> Vec<Refusal> {
    let mut wrong = Vec::new();
    if open <= Fen::ZERO {
        wrong.push(Refusal::new("settlement.refused.nothing_open"));
        return wrong;
    }
    let last_day = today.plus_months(terms.most_months);
    let lines = instalments.lines();
    if instalments.first_due < today {
        wrong.push(Refusal::new("settlement.refused.first_due").at("first_due"));
    }
    if lines.last().is_some_and(|line| line.due_on > last_day) {
        let refusal = Refusal::new("settlement.refused.most_months");
        let refusal = refusal.with("months", terms.most_months.to_string());
        wrong.push(refusal.with("last", last_day.to_string()).at("instalments"));
    }
    // Who owes less than the least instalment pays it in one sum.
    if instalments.count > 1 && lines.iter().any(|line| line.amount < terms.least_amount) {
        let refusal = Refusal::new("settlement.refused.least_amount");
        wrong.push(refusal.with("least", terms.least_amount.grouped()).at("instalments"));
    }
    if replaces && reason.is_none_or(|reason| reason.trim().is_empty()) {
        wrong.push(Refusal::new("settlement.refused.agreement_reason").at("reason"));
    }
    wrong
}

/// Whether the right may be suspended: there must be something overdue, and no suspension yet.
pub fn check_suspension(overdue: Fen, is_suspended: bool) -> Option<Refusal> {
    if is_suspended {
        Some(Refusal::new("settlement.refused.suspended_already"))
    } else if overdue <= Fen::ZERO {
        Some(Refusal::new("settlement.refused.not_overdue"))
    } else {
        None
    }
}

#[cfg(test)]
mod tests;
