//! The indicators of this programme.

use kangmai_access::{Purpose, Reach};
use kangmai_base::Day;
use kangmai_database::{DatabaseError, Transaction};
use kangmai_programme::{App, Figure, FigureValue};

use crate::facts::Grade;
use crate::store::{self, Side, Wanted, When};

/// How many are managed, whose visit is late, who is in danger, and how many are at target. Coverage counts where people are
/// registered, work where they are visited: in either everybody stands once.
pub(crate) const FIGURES: &[Figure] = &[
    Figure {
        word: "follow_up.figure.managed",
        purpose: Purpose::ReadFigures,
        value: managed,
        list: "/follow-up?when=all&side=home&place={place}",
        list_purpose: Purpose::ReadFollowUps,
    },
    Figure {
        word: "follow_up.figure.overdue",
        purpose: Purpose::ReadFigures,
        value: overdue,
        list: "/follow-up?when=overdue&place={place}",
        list_purpose: Purpose::ReadFollowUps,
    },
    Figure {
        word: "follow_up.figure.danger",
        purpose: Purpose::ReadFigures,
        value: danger,
        list: "/follow-up?when=all&grade=danger&place={place}",
        list_purpose: Purpose::ReadFollowUps,
    },
    Figure {
        word: "follow_up.figure.unreached",
        purpose: Purpose::ReadFigures,
        value: unreached,
        list: "/follow-up?when=unreached&place={place}",
        list_purpose: Purpose::ReadFollowUps,
    },
    Figure {
        word: "follow_up.figure.cured",
        purpose: Purpose::ReadFigures,
        value: cured,
        list: "/follow-up?when=all&side=home&programme=cured&place={place}",
        list_purpose: Purpose::ReadFollowUps,
    },
    Figure {
        word: "follow_up.figure.pressure",
        purpose: Purpose::ReadFigures,
        value: pressure,
        list: "/follow-up?when=all&side=home&programme=hypertension&place={place}",
        list_purpose: Purpose::ReadFollowUps,
    },
    Figure {
        word: "follow_up.figure.glucose",
        purpose: Purpose::ReadFigures,
        value: glucose,
        list: "/follow-up?when=all&side=home&programme=type2_diabetes&place={place}",
        list_purpose: Purpose::ReadFollowUps,
    },
];

fn counted(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    (when, grade, side): (When, Option<Grade>, Side),
    today: Day,
) -> Result<FigureValue, DatabaseError> {
    let wanted = Wanted { when, grade, side, ..Wanted::default() };
    Ok(FigureValue::Count(store::count(tx, reach, &wanted, today)?.listed))
}

fn managed(tx: &mut Transaction<'_>, _: &App, reach: &Reach, on: Day) -> Result<FigureValue, DatabaseError> {
    counted(tx, reach, (When::All, None, Side::Home), on)
}

fn overdue(tx: &mut Transaction<'_>, _: &App, reach: &Reach, on: Day) -> Result<FigureValue, DatabaseError> {
    counted(tx, reach, (When::Overdue, None, Side::Work), on)
}

fn danger(tx: &mut Transaction<'_>, _: &App, reach: &Reach, on: Day) -> Result<FigureValue, DatabaseError> {
    counted(tx, reach, (When::All, Some(Grade::Danger), Side::Work), on)
}

fn unreached(
    tx: &mut Transaction<'_>,
    _: &App,
    reach: &Reach,
    on: Day,
) -> Result<FigureValue, DatabaseError> {
    counted(tx, reach, (When::Unreached, None, Side::Work), on)
}

/// 已治愈动态库.
fn cured(tx: &mut Transaction<'_>, _: &App, reach: &Reach, on: Day) -> Result<FigureValue, DatabaseError> {
    let programme = Some("cured".to_owned());
    let wanted = Wanted { when: When::All, side: Side::Home, programme, ..Wanted::default() };
    Ok(FigureValue::Count(store::count(tx, reach, &wanted, on)?.listed))
}

fn rate(tx: &mut Transaction<'_>, reach: &Reach, programme: &str) -> Result<FigureValue, DatabaseError> {
    let (part, whole) = store::figures_of(tx, reach, programme)?;
    Ok(FigureValue::Ratio { part, whole, money: false })
}

fn pressure(tx: &mut Transaction<'_>, _: &App, reach: &Reach, _: Day) -> Result<FigureValue, DatabaseError> {
    rate(tx, reach, "hypertension")
}

fn glucose(tx: &mut Transaction<'_>, _: &App, reach: &Reach, _: Day) -> Result<FigureValue, DatabaseError> {
    rate(tx, reach, "type2_diabetes")
}
