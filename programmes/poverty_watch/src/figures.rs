//! The indicators of this programme.

use kangmai_access::{Purpose, Reach};
use kangmai_base::Day;
use kangmai_database::{DatabaseError, Transaction};
use kangmai_programme::{App, Figure, FigureValue};

use crate::due::clock_at;
use crate::findings::Level;
use crate::store::{self, Outcomes};

/// Work out a figure.
type Value = fn(&mut Transaction<'_>, &App, &Reach, Day) -> Result<FigureValue, DatabaseError>;

const fn figure(word: &'static str, value: Value, list: &'static str) -> Figure {
    Figure { word, purpose: Purpose::ReadFigures, value, list, list_purpose: Purpose::ReadWarnings }
}

/// Warnings by level, decided in time, false alarms, taken in.
pub(crate) const FIGURES: &[Figure] = &[
    figure("poverty_watch.figure.open", open, "/warnings?place={place}"),
    figure("poverty_watch.figure.red", red, "/warnings?level=red&place={place}"),
    figure("poverty_watch.figure.orange", orange, "/warnings?level=orange&place={place}"),
    figure("poverty_watch.figure.yellow", yellow, "/warnings?level=yellow&place={place}"),
    figure("poverty_watch.figure.in_time", in_time, "/warnings?state=late&place={place}"),
    figure("poverty_watch.figure.false_alarms", false_alarms, "/warnings?state=no_risk&place={place}"),
    figure("poverty_watch.figure.taken_in", taken_in, "/warnings?state=taken_in&place={place}"),
];

fn undecided(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    level: Option<Level>,
) -> Result<FigureValue, DatabaseError> {
    Ok(FigureValue::Count(store::undecided(tx, reach, level)?))
}

fn open(tx: &mut Transaction<'_>, _: &App, reach: &Reach, _: Day) -> Result<FigureValue, DatabaseError> {
    undecided(tx, reach, None)
}

fn red(tx: &mut Transaction<'_>, _: &App, reach: &Reach, _: Day) -> Result<FigureValue, DatabaseError> {
    undecided(tx, reach, Some(Level::Red))
}

fn orange(tx: &mut Transaction<'_>, _: &App, reach: &Reach, _: Day) -> Result<FigureValue, DatabaseError> {
    undecided(tx, reach, Some(Level::Orange))
}

fn yellow(tx: &mut Transaction<'_>, _: &App, reach: &Reach, _: Day) -> Result<FigureValue, DatabaseError> {
    undecided(tx, reach, Some(Level::Yellow))
}

fn outcomes(
    tx: &mut Transaction<'_>,
    app: &App,
    reach: &Reach,
    today: Day,
) -> Result<Outcomes, DatabaseError> {
    let days = clock_at(app, reach.place(), today).map_or(0, |clock| clock.decision_days);
    store::outcomes(tx, reach, today, days)
}

fn in_time(
    tx: &mut Transaction<'_>,
    app: &App,
    reach: &Reach,
    today: Day,
) -> Result<FigureValue, DatabaseError> {
    let outcomes = outcomes(tx, app, reach, today)?;
    let whole = outcomes.ended() + outcomes.overdue;
    Ok(FigureValue::Ratio { part: outcomes.in_time, whole, money: false })
}

fn false_alarms(
    tx: &mut Transaction<'_>,
    app: &App,
    reach: &Reach,
    today: Day,
) -> Result<FigureValue, DatabaseError> {
    let outcomes = outcomes(tx, app, reach, today)?;
    let part = outcomes.no_risk + outcomes.not_taken_in;
    Ok(FigureValue::Ratio { part, whole: outcomes.ended(), money: false })
}

fn taken_in(
    tx: &mut Transaction<'_>,
    app: &App,
    reach: &Reach,
    today: Day,
) -> Result<FigureValue, DatabaseError> {
    Ok(FigureValue::Count(outcomes(tx, app, reach, today)?.taken_in))
}
