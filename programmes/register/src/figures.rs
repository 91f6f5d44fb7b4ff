//! The indicators of the register, each defined once.

use kangmai_access::{Actor, Purpose, Reach, reach};
use kangmai_base::Day;
use kangmai_database::{DatabaseError, Transaction};
use kangmai_people::{Label, count_people};
use kangmai_programme::{App, DueLine, Figure, FigureValue};

use crate::list::List;
use crate::store;

type Value = Result<FigureValue, DatabaseError>;

/// A figure that counts a list and opens it.
macro_rules! figure_of {
    ($word:literal, $list:expr, $path:literal) => {
        Figure {
            word: $word,
            purpose: Purpose::ReadFigures,
            value: |tx: &mut Transaction<'_>, _: &App, reach: &Reach, day: Day| -> Value {
                $list.count(tx, reach, day).map(FigureValue::Count)
            },
            list: $path,
            list_purpose: Purpose::FindPeople,
        }
    };
}

/// People, households, people by label, the not enrolled, records with marks.
pub(crate) const FIGURES: &[Figure] = &[
    figure_of!("register.figure.people", List::All, "/people/lists/all?place={place}"),
    Figure {
        word: "register.figure.households",
        purpose: Purpose::ReadFigures,
        value: |tx: &mut Transaction<'_>, _: &App, reach: &Reach, _: Day| -> Value {
            count_people(tx, reach.places()).map(|(_, households)| FigureValue::Count(households))
        },
        list: "/people/lists/all?place={place}",
        list_purpose: Purpose::FindPeople,
    },
    figure_of!(
        "register.figure.extreme_poverty",
        List::Label(Label::ExtremePoverty),
        "/people/lists/extreme_poverty?place={place}"
    ),
    figure_of!("register.figure.orphan", List::Label(Label::Orphan), "/people/lists/orphan?place={place}"),
    figure_of!(
        "register.figure.subsistence_allowance",
        List::Label(Label::SubsistenceAllowance),
        "/people/lists/subsistence_allowance?place={place}"
    ),
    figure_of!(
        "register.figure.returned_to_poverty",
        List::Label(Label::ReturnedToPoverty),
        "/people/lists/returned_to_poverty?place={place}"
    ),
    figure_of!(
        "register.figure.subsistence_marginal",
        List::Label(Label::SubsistenceMarginal),
        "/people/lists/subsistence_marginal?place={place}"
    ),
    figure_of!(
        "register.figure.unstable_alleviated",
        List::Label(Label::UnstableAlleviated),
        "/people/lists/unstable_alleviated?place={place}"
    ),
    figure_of!(
        "register.figure.marginal",
        List::Label(Label::Marginal),
        "/people/lists/marginal?place={place}"
    ),
    figure_of!(
        "register.figure.sudden_hardship",
        List::Label(Label::SuddenHardship),
        "/people/lists/sudden_hardship?place={place}"
    ),
    figure_of!(
        "register.figure.expenditure_hardship",
        List::Label(Label::ExpenditureHardship),
        "/people/lists/expenditure_hardship?place={place}"
    ),
    figure_of!(
        "register.figure.illness_impoverished",
        List::Label(Label::IllnessImpoverished),
        "/people/lists/illness_impoverished?place={place}"
    ),
    figure_of!(
        "register.figure.poverty_alleviated",
        List::Label(Label::PovertyAlleviated),
        "/people/lists/poverty_alleviated?place={place}"
    ),
    figure_of!("register.figure.not_enrolled", List::NotEnrolled, "/people/lists/not_enrolled?place={place}"),
    figure_of!("register.figure.marked", List::Marked, "/people/lists/marked?place={place}"),
];

/// What waits for whoever keeps the register: pairs of records to compare, records with marks.
///
/// # Errors
/// When the database fails.
pub(crate) fn due(
    tx: &mut Transaction<'_>,
    app: &App,
    actor: &Actor,
    day: Day,
) -> Result<Vec<DueLine>, DatabaseError> {
    let Some(reach) = reach(actor, Purpose::KeepRegister) else { return Ok(Vec::new()) };
    let days = app.policies.records(actor.place, day).map_or(i32::MAX, |rules| rules.answer_days);
    let late = Day(day.0.saturating_sub(days).saturating_sub(1));
    let requests = store::rights::rights_waiting(tx, &reach, late)?;
    let identity = store::count_candidates(tx, &reach, "open")?;
    let lines = [
        ("register.due.requests", requests, "/rights?state=waiting"),
        ("register.due.identity", (identity, 0), "/identity"),
        ("register.due.marked", (List::Marked.count(tx, &reach, day)?, 0), "/people/lists/marked"),
    ];
    let line = |(word, (count, late), path): (&'static str, (i64, i64), &str)| DueLine {
        word,
        count,
        late,
        path: path.into(),
    };
    Ok(lines.into_iter().filter(|(_, (count, _), _)| *count > 0).map(line).collect())
}
