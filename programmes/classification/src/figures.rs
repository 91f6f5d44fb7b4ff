//! The indicators of this programme.

use kangmai_access::{Purpose, Reach};
use kangmai_base::Day;
use kangmai_database::{DatabaseError, Transaction};
use kangmai_programme::{App, Figure, FigureValue};

use crate::rules::PlanKind;
use crate::store::{self, Wanted};

/// People by plan, and how many of those with a major disease were treated.
pub(crate) const FIGURES: &[Figure] = &[
    Figure {
        word: "classification.figure.major",
        purpose: Purpose::ReadFigures,
        value: major,
        list: "/plans?plan=major&place={place}",
        list_purpose: Purpose::ReadPlans,
    },
    Figure {
        word: "classification.figure.chronic",
        purpose: Purpose::ReadFigures,
        value: chronic,
        list: "/plans?plan=chronic&place={place}",
        list_purpose: Purpose::ReadPlans,
    },
    Figure {
        word: "classification.figure.severe",
        purpose: Purpose::ReadFigures,
        value: severe,
        list: "/plans?plan=severe&place={place}",
        list_purpose: Purpose::ReadPlans,
    },
    Figure {
        word: "classification.figure.treated",
        purpose: Purpose::ReadFigures,
        value: treated,
        list: "/plans?plan=major&treated=no&place={place}",
        list_purpose: Purpose::ReadPlans,
    },
];

fn of(tx: &mut Transaction<'_>, reach: &Reach, plan: PlanKind) -> Result<FigureValue, DatabaseError> {
    let wanted = Wanted { plan: Some(plan), ..Wanted::default() };
    Ok(FigureValue::Count(store::count(tx, reach, &wanted)?.0))
}

fn major(tx: &mut Transaction<'_>, _: &App, reach: &Reach, _: Day) -> Result<FigureValue, DatabaseError> {
    of(tx, reach, PlanKind::Major)
}

fn chronic(tx: &mut Transaction<'_>, _: &App, reach: &Reach, _: Day) -> Result<FigureValue, DatabaseError> {
    of(tx, reach, PlanKind::Chronic)
}

fn severe(tx: &mut Transaction<'_>, _: &App, reach: &Reach, _: Day) -> Result<FigureValue, DatabaseError> {
    of(tx, reach, PlanKind::Severe)
}

fn treated(tx: &mut Transaction<'_>, _: &App, reach: &Reach, _: Day) -> Result<FigureValue, DatabaseError> {
    let wanted = |treated| Wanted { plan: Some(PlanKind::Major), disease: None, treated };
    let part = store::count(tx, reach, &wanted(Some(true)))?.0;
    let whole = store::count(tx, reach, &wanted(None))?.0;
    Ok(FigureValue::Ratio { part, whole, money: false })
}
