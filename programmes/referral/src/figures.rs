//! The indicators of this programme. What tells a disease of level 5 is in none of them, as it is in no list.

use kangmai_access::{Purpose, Reach};
use kangmai_base::Day;
use kangmai_database::{DatabaseError, Transaction};
use kangmai_programme::{App, Figure, FigureValue};

use crate::sentences::A_YEAR_MONTHS;
use crate::store::{self, WantedVisits, Which};

/// 转诊及时答复率, 到诊率, 下转率, 应转诊随访处理率.
pub(crate) const FIGURES: &[Figure] = &[
    Figure {
        word: "referral.figure.visits",
        purpose: Purpose::ReadFigures,
        value: visits,
        list: "/referrals/visits?handled=all&place={place}",
        list_purpose: Purpose::ReadReferrals,
    },
    Figure {
        word: "referral.figure.answered",
        purpose: Purpose::ReadFigures,
        value: answered,
        list: "/referrals?whose=all&state=to_answer&place={place}",
        list_purpose: Purpose::ReadReferrals,
    },
    Figure {
        word: "referral.figure.came",
        purpose: Purpose::ReadFigures,
        value: came,
        list: "/referrals?whose=all&state=to_come&place={place}",
        list_purpose: Purpose::ReadReferrals,
    },
    Figure {
        word: "referral.figure.sent_back",
        purpose: Purpose::ReadFigures,
        value: sent_back,
        list: "/referrals?whose=all&state=to_return&place={place}",
        list_purpose: Purpose::ReadReferrals,
    },
];

const fn share((part, whole): (i64, i64)) -> FigureValue {
    FigureValue::Ratio { part, whole, money: false }
}

fn visits(tx: &mut Transaction<'_>, _: &App, reach: &Reach, on: Day) -> Result<FigureValue, DatabaseError> {
    let from = on.plus_months(-A_YEAR_MONTHS);
    let all = WantedVisits { handled: None, from, until: on, sensitive: false };
    store::visits_share(tx, reach, &all).map(share)
}

fn of(
    tx: &mut Transaction<'_>,
    app: &App,
    reach: &Reach,
    which: (Which, Day),
) -> Result<FigureValue, DatabaseError> {
    store::share(tx, reach, which, app.policies.referral(reach.place(), which.1)).map(share)
}

fn answered(
    tx: &mut Transaction<'_>,
    app: &App,
    reach: &Reach,
    on: Day,
) -> Result<FigureValue, DatabaseError> {
    of(tx, app, reach, (Which::Answered, on))
}

fn came(tx: &mut Transaction<'_>, app: &App, reach: &Reach, on: Day) -> Result<FigureValue, DatabaseError> {
    of(tx, app, reach, (Which::Came, on))
}

fn sent_back(
    tx: &mut Transaction<'_>,
    app: &App,
    reach: &Reach,
    on: Day,
) -> Result<FigureValue, DatabaseError> {
    of(tx, app, reach, (Which::SentBack, on))
}
