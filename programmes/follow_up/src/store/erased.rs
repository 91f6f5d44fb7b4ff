//! How a person leaves the view, and what is kept of one.

use kangmai_base::Day;
use kangmai_database::{DatabaseError, Transaction, params};
use kangmai_people::Person;
use kangmai_policy::RecordClass;
use kangmai_programme::Holding;
use kangmai_record::{Subject, SubjectKind};

use super::{FORGET, chart_of, visits};

/// Takes a person out of the view.
pub(super) fn forget(tx: &mut Transaction<'_>, subject: Subject) -> Result<(), DatabaseError> {
    if subject.kind == SubjectKind::Person {
        tx.execute(FORGET, &params![subject.id])?;
        tx.execute(visits::FORGET, &params![subject.id])?;
    }
    Ok(())
}

/// Visits, and enrolments before the first one: records of care outside of a ward.
pub(crate) fn held(
    tx: &mut Transaction<'_>,
    person: &Person,
    sensitive: bool,
) -> Result<Vec<Holding>, DatabaseError> {
    let chart = chart_of(tx, person.id.uuid())?;
    let visits = chart.visits.iter().filter(|visit| sensitive || !visit.body.sensitive);
    let visits: Vec<Day> = visits.map(|visit| visit.body.on).collect();
    let managed = chart.managed.iter().filter(|one| sensitive || !one.body.sensitive);
    let days: Vec<Day> = managed.map(|one| one.body.on).chain(visits).collect();
    let count = i64::try_from(days.len()).unwrap_or(i64::MAX);
    let latest = days.into_iter().max();
    Ok(vec![Holding { word: "follow_up.held", class: Some(RecordClass::Outpatient), count, latest }])
}
