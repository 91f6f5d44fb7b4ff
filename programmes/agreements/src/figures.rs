//! The indicators of this programme. What was done of agreements stands before how many were signed (签而不约).

use kangmai_access::{Purpose, Reach};
use kangmai_base::Day;
use kangmai_database::{DatabaseError, Transaction};
use kangmai_programme::{App, Figure, FigureValue};

use crate::store::{self, First, Share};

/// 履约率, 签约率, 重点人群签约率, 续签率.
pub(crate) const FIGURES: &[Figure] = &[
    Figure {
        word: "agreements.figure.kept",
        purpose: Purpose::ReadFigures,
        value: kept,
        list: "/agreements/items?which=due&place={place}",
        list_purpose: Purpose::ReadAgreements,
    },
    Figure {
        word: "agreements.figure.signed",
        purpose: Purpose::ReadFigures,
        value: signed,
        list: "/agreements/residents?signed=all&who=all&place={place}",
        list_purpose: Purpose::ReadAgreements,
    },
    Figure {
        word: "agreements.figure.first",
        purpose: Purpose::ReadFigures,
        value: first,
        list: "/agreements/residents?signed=all&who=first&place={place}",
        list_purpose: Purpose::ReadAgreements,
    },
    Figure {
        word: "agreements.figure.renewed",
        purpose: Purpose::ReadFigures,
        value: renewed,
        list: "/agreements?standing=expired&place={place}",
        list_purpose: Purpose::ReadAgreements,
    },
];

const fn share((part, whole): Share) -> FigureValue {
    FigureValue::Ratio { part, whole, money: false }
}

fn kept(tx: &mut Transaction<'_>, _: &App, reach: &Reach, on: Day) -> Result<FigureValue, DatabaseError> {
    store::kept_share(tx, reach, on).map(share)
}

fn signed(tx: &mut Transaction<'_>, _: &App, reach: &Reach, on: Day) -> Result<FigureValue, DatabaseError> {
    store::in_force_share(tx, reach, on).map(share)
}

fn first(tx: &mut Transaction<'_>, app: &App, reach: &Reach, on: Day) -> Result<FigureValue, DatabaseError> {
    let first = First::of(&app.policies, reach.place(), on);
    store::first_share(tx, reach, &first, on).map(share)
}

fn renewed(tx: &mut Transaction<'_>, _: &App, reach: &Reach, on: Day) -> Result<FigureValue, DatabaseError> {
    store::renewed_share(tx, reach, on).map(share)
}
