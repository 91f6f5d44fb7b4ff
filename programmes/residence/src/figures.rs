//! The indicators of this programme: who of a place lives elsewhere, and whom it serves for others.

use kangmai_access::{Purpose, Reach};
use kangmai_base::Day;
use kangmai_database::{DatabaseError, Transaction};
use kangmai_programme::{App, Figure, FigureValue};

use crate::facts::Side;
use crate::rules::State;
use crate::store::{self, Wanted};

/// Handed over, and taken over.
pub(crate) const FIGURES: &[Figure] = &[
    Figure {
        word: "residence.figure.elsewhere",
        purpose: Purpose::ReadFigures,
        value: elsewhere,
        list: "/residence?side=home&which=in_force&place={place}",
        list_purpose: Purpose::ReadHandOvers,
    },
    Figure {
        word: "residence.figure.here",
        purpose: Purpose::ReadFigures,
        value: here,
        list: "/residence?side=living&which=in_force&place={place}",
        list_purpose: Purpose::ReadHandOvers,
    },
];

fn counted(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    side: Side,
    on: Day,
) -> Result<FigureValue, DatabaseError> {
    let wanted = Wanted { side, state: Some(State::InForce) };
    store::count(tx, reach, &wanted, on).map(FigureValue::Count)
}

fn elsewhere(
    tx: &mut Transaction<'_>,
    _: &App,
    reach: &Reach,
    on: Day,
) -> Result<FigureValue, DatabaseError> {
    counted(tx, reach, Side::Home, on)
}

fn here(tx: &mut Transaction<'_>, _: &App, reach: &Reach, on: Day) -> Result<FigureValue, DatabaseError> {
    counted(tx, reach, Side::Living, on)
}
