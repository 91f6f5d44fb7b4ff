//! The indicators of this programme, each defined once. All count settled bills of the year of the day, by the person's home
//! place, from sums that are kept as bills are settled.

use kangmai_access::{Actor, Purpose, Reach, reach};
use kangmai_base::{Day, Fen};
use kangmai_database::{DatabaseError, Transaction};
use kangmai_programme::{App, DueLine, Figure, FigureValue};

use crate::pages::OPEN_FOR_DAYS;
use crate::pages::pay_later::reminders;
use crate::store::claim::{self, ClaimState};
use crate::store::day::{DayFilter, count_days};
use crate::store::pay_later::{self, DebtFilter, DebtState, WriteOffState, count_debts, debt_sum};
use crate::store::{self, AdmissionFilter, BillSum, bill_sum, payer_sums};

const LIST: &str = "/bills?place={place}";

/// All of them.
pub(crate) const FIGURES: &[Figure] = &[
    figure("settlement.figure.bills", bills),
    figure("settlement.figure.total", total),
    figure("settlement.figure.ratio", ratio),
    figure("settlement.figure.own", own),
    figure("settlement.figure.waived", waived),
    figure("settlement.figure.insurance", insurance),
    figure("settlement.figure.assistance", assistance),
    debt_figure("settlement.figure.on_time", on_time, "/payments?place={place}&state=all"),
    debt_figure("settlement.figure.overdue", overdue, "/payments?place={place}&state=overdue"),
    debt_figure("settlement.figure.written_off", written_off, "/payments?place={place}&state=written_off"),
    claim_figure("settlement.figure.claimed", claimed, "/claims"),
    claim_figure("settlement.figure.claims_paid", claims_paid, "/claims?state=paid"),
];

const fn debt_figure(
    word: &'static str,
    value: fn(&mut Transaction<'_>, &App, &Reach, Day) -> Result<FigureValue, DatabaseError>,
    list: &'static str,
) -> Figure {
    Figure { word, purpose: Purpose::ReadFigures, value, list, list_purpose: Purpose::ReadPayments }
}

const fn claim_figure(
    word: &'static str,
    value: fn(&mut Transaction<'_>, &App, &Reach, Day) -> Result<FigureValue, DatabaseError>,
    list: &'static str,
) -> Figure {
    Figure { word, purpose: Purpose::ReadFigures, value, list, list_purpose: Purpose::ReadBills }
}

/// What institutions of the place claimed for months of the year, and what was paid of it.
fn claimed(tx: &mut Transaction<'_>, _: &App, reach: &Reach, day: Day) -> Result<FigureValue, DatabaseError> {
    Ok(FigureValue::Amount(claim::claim_sum(tx, reach, day.start_of_year(), day)?.0))
}

fn claims_paid(
    tx: &mut Transaction<'_>,
    _: &App,
    reach: &Reach,
    day: Day,
) -> Result<FigureValue, DatabaseError> {
    Ok(FigureValue::Amount(claim::claim_sum(tx, reach, day.start_of_year(), day)?.1))
}

/// Of the own shares and instalments due this year by yesterday, those that were closed by their day.
fn on_time(tx: &mut Transaction<'_>, _: &App, reach: &Reach, day: Day) -> Result<FigureValue, DatabaseError> {
    let sum = debt_sum(tx, reach, day.start_of_year(), day.plus_days(-1))?;
    Ok(FigureValue::Ratio { part: sum.on_time, whole: sum.lines, money: false })
}

/// What is overdue on the day, whenever it was due.
fn overdue(tx: &mut Transaction<'_>, _: &App, reach: &Reach, day: Day) -> Result<FigureValue, DatabaseError> {
    Ok(FigureValue::Amount(debt_sum(tx, reach, Day(-1_000_000), day.plus_days(-1))?.open))
}

fn written_off(
    tx: &mut Transaction<'_>,
    _: &App,
    reach: &Reach,
    day: Day,
) -> Result<FigureValue, DatabaseError> {
    Ok(FigureValue::Amount(pay_later::written_off(tx, reach, day.start_of_year(), day)?))
}

const fn figure(
    word: &'static str,
    value: fn(&mut Transaction<'_>, &App, &Reach, Day) -> Result<FigureValue, DatabaseError>,
) -> Figure {
    Figure { word, purpose: Purpose::ReadFigures, value, list: LIST, list_purpose: Purpose::ReadBills }
}

/// The insurance year of the place that the day lies in.
fn year_of(app: &App, reach: &Reach, day: Day) -> i32 {
    app.policies.insurance_year(reach.place(), day).label
}

fn sum(tx: &mut Transaction<'_>, app: &App, reach: &Reach, day: Day) -> Result<BillSum, DatabaseError> {
    bill_sum(tx, reach, Some(year_of(app, reach, day)))
}

fn bills(tx: &mut Transaction<'_>, app: &App, reach: &Reach, day: Day) -> Result<FigureValue, DatabaseError> {
    Ok(FigureValue::Count(sum(tx, app, reach, day)?.bills))
}

fn total(tx: &mut Transaction<'_>, app: &App, reach: &Reach, day: Day) -> Result<FigureValue, DatabaseError> {
    Ok(FigureValue::Amount(sum(tx, app, reach, day)?.total))
}

fn ratio(tx: &mut Transaction<'_>, app: &App, reach: &Reach, day: Day) -> Result<FigureValue, DatabaseError> {
    let sum = sum(tx, app, reach, day)?;
    Ok(FigureValue::Ratio { part: sum.reimbursed().0, whole: sum.total.0, money: true })
}

fn own(tx: &mut Transaction<'_>, app: &App, reach: &Reach, day: Day) -> Result<FigureValue, DatabaseError> {
    Ok(FigureValue::Amount(sum(tx, app, reach, day)?.own))
}

fn waived(
    tx: &mut Transaction<'_>,
    app: &App,
    reach: &Reach,
    day: Day,
) -> Result<FigureValue, DatabaseError> {
    Ok(FigureValue::Amount(sum(tx, app, reach, day)?.waived))
}

fn paid_by(
    tx: &mut Transaction<'_>,
    app: &App,
    reach: &Reach,
    day: Day,
    kind: &str,
) -> Result<FigureValue, DatabaseError> {
    let payers = payer_sums(tx, reach, year_of(app, reach, day))?;
    let paid: Fen = payers.iter().filter(|payer| payer.kind == kind).map(|payer| payer.paid).sum();
    Ok(FigureValue::Amount(paid))
}

fn insurance(
    tx: &mut Transaction<'_>,
    app: &App,
    reach: &Reach,
    day: Day,
) -> Result<FigureValue, DatabaseError> {
    paid_by(tx, app, reach, day, "insurance")
}

fn assistance(
    tx: &mut Transaction<'_>,
    app: &App,
    reach: &Reach,
    day: Day,
) -> Result<FigureValue, DatabaseError> {
    paid_by(tx, app, reach, day, "assistance")
}

/// The lines of the home page: bills that wait for a policy, admissions that wait for their bill.
pub(crate) fn due(
    tx: &mut Transaction<'_>,
    app: &App,
    actor: &Actor,
    day: Day,
) -> Result<Vec<DueLine>, DatabaseError> {
    let mut lines = Vec::new();
    if let Some(reach) = reach(actor, Purpose::ReadBills) {
        let count = store::unsettled(tx, &reach)?;
        if count > 0 {
            let path = "/bills?state=gap".to_owned();
            lines.push(DueLine { word: "settlement.due.unsettled", count, late: 0, path });
        }
    }
    if let Some(reach) = reach(actor, Purpose::KeepLedger) {
        let (late, touched) = (store::count_late(tx, &reach)?, store::count_touched(tx, &reach)?);
        for (word, count, path) in
            [("settlement.due.late", late, "/years"), ("settlement.due.touched", touched, "/resettle")]
        {
            if count > 0 {
                lines.push(DueLine { word, count, late: 0, path: path.to_owned() });
            }
        }
    }
    if let Some(reach) = reach(actor, Purpose::SettleBills) {
        let filter = AdmissionFilter { institution: actor.institution };
        let count = store::open_admissions(tx, &reach, filter, day.plus_days(-OPEN_FOR_DAYS))?;
        if count > 0 {
            let path = "/admissions".to_owned();
            lines.push(DueLine { word: "settlement.due.admissions", count, late: 0, path });
        }
    }
    lines.extend(due_later(tx, app, actor, day)?);
    Ok(lines)
}

/// What is due, overdue or to be given back, for who asks for money; what waits for a decision, for who decides.
fn due_later(
    tx: &mut Transaction<'_>,
    app: &App,
    actor: &Actor,
    day: Day,
) -> Result<Vec<DueLine>, DatabaseError> {
    let mut lines = Vec::new();
    let mut line = |word, count, late, path: &str| {
        if count > 0 {
            lines.push(DueLine { word, count, late, path: path.to_owned() });
        }
    };
    if let Some(within) = reach(actor, Purpose::AskWriteOffs) {
        let (soon_days, remind_days) = reminders(&app.policies, within.place(), day);
        let institution = actor.institution;
        let mut count = |state| {
            let filter = DebtFilter { state, institution, today: day, soon_days, remind_days };
            count_debts(tx, &within, filter)
        };
        let (soon, overdue) = (count(DebtState::DueSoon)?, count(DebtState::Overdue)?);
        let (remind, refund) = (count(DebtState::Remind)?, count(DebtState::Refund)?);
        line("settlement.due.soon", soon, 0, "/payments?state=soon");
        line("settlement.due.overdue", overdue, remind, "/payments?state=overdue");
        if reach(actor, Purpose::SettleBills).is_some() {
            line("settlement.due.refund", refund, 0, "/payments?state=refund");
        }
    }
    if let Some(within) = reach(actor, Purpose::ReconcileDays) {
        let (from, to) = (Day(i32::MIN), Day(i32::MAX));
        let filter = DayFilter { from, to, institution: actor.institution, is_open: true };
        line("settlement.due.days", count_days(tx, &within, filter)?, 0, "/reconciliations?state=open");
    }
    if let Some(within) = reach(actor, Purpose::DecidePayLater) {
        let asked = pay_later::count_write_offs(tx, &within, Some(WriteOffState::Asked), None)?;
        line("settlement.due.write_offs", asked, 0, "/write-offs?state=asked");
        let claims = claim::count_claims(tx, &within, None, Some(ClaimState::Submitted))?;
        line("settlement.due.claims", claims, 0, "/claims?state=submitted");
        line("settlement.due.appeals", pay_later::appeals(tx, &within)?, 0, "/suspensions?state=appealed");
    }
    Ok(lines)
}
