//! The indicators of this programme, each defined once. All count settled bills of the year of the day, by the person's home
//! place, from sums that are kept as bills are settled.

use kangmai_access::{Actor, Purpose, Reach, reach};
use kangmai_base::{Day, Fen};
use kangmai_database::{DatabaseError, Transaction};
use kangmai_programme::{App, DueLine, Figure, FigureValue};

use crate::pages::OPEN_FOR_DAYS;
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
];

const fn figure(
    word: &'static str,
    value: fn(&mut Transaction<'_>, &App, &Reach, Day) -> Result<FigureValue, DatabaseError>,
) -> Figure {
    Figure { word, purpose: Purpose::ReadFigures, value, list: LIST, list_purpose: Purpose::ReadBills }
}

fn sum(tx: &mut Transaction<'_>, reach: &Reach, day: Day) -> Result<BillSum, DatabaseError> {
    bill_sum(tx, reach, Some(day.year()))
}

fn bills(tx: &mut Transaction<'_>, _: &App, reach: &Reach, day: Day) -> Result<FigureValue, DatabaseError> {
    Ok(FigureValue::Count(sum(tx, reach, day)?.bills))
}

fn total(tx: &mut Transaction<'_>, _: &App, reach: &Reach, day: Day) -> Result<FigureValue, DatabaseError> {
    Ok(FigureValue::Amount(sum(tx, reach, day)?.total))
}

fn ratio(tx: &mut Transaction<'_>, _: &App, reach: &Reach, day: Day) -> Result<FigureValue, DatabaseError> {
    let sum = sum(tx, reach, day)?;
    Ok(FigureValue::Ratio { part: sum.reimbursed().0, whole: sum.total.0, money: true })
}

fn own(tx: &mut Transaction<'_>, _: &App, reach: &Reach, day: Day) -> Result<FigureValue, DatabaseError> {
    Ok(FigureValue::Amount(sum(tx, reach, day)?.own))
}

fn waived(tx: &mut Transaction<'_>, _: &App, reach: &Reach, day: Day) -> Result<FigureValue, DatabaseError> {
    Ok(FigureValue::Amount(sum(tx, reach, day)?.waived))
}

fn paid_by(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    day: Day,
    kind: &str,
) -> Result<FigureValue, DatabaseError> {
    let payers = payer_sums(tx, reach, day.year())?;
    let paid: Fen = payers.iter().filter(|payer| payer.kind == kind).map(|payer| payer.paid).sum();
    Ok(FigureValue::Amount(paid))
}

fn insurance(
    tx: &mut Transaction<'_>,
    _: &App,
    reach: &Reach,
    day: Day,
) -> Result<FigureValue, DatabaseError> {
    paid_by(tx, reach, day, "insurance")
}

fn assistance(
    tx: &mut Transaction<'_>,
    _: &App,
    reach: &Reach,
    day: Day,
) -> Result<FigureValue, DatabaseError> {
    paid_by(tx, reach, day, "assistance")
}

/// The lines of the home page: bills that wait for a policy, admissions that wait for their bill.
pub(crate) fn due(
    tx: &mut Transaction<'_>,
    _: &App,
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
    Ok(lines)
}
