//! How a person leaves the views, and what is kept of one.

use kangmai_base::Day;
use kangmai_database::{DatabaseError, Transaction, params};
use kangmai_people::Person;
use kangmai_programme::Holding;
use kangmai_record::{Subject, SubjectKind};

use super::{FORGET, FORGET_DUE, folder_of, paper};

/// Takes a person out of the views, and their signatures with them.
pub(super) fn forget(tx: &mut Transaction<'_>, subject: Subject) -> Result<(), DatabaseError> {
    if subject.kind == SubjectKind::Person {
        tx.execute(FORGET, &params![subject.id])?;
        tx.execute(FORGET_DUE, &params![subject.id])?;
        paper::forget(tx, subject.id)?;
    }
    Ok(())
}

/// Agreements and plans. No law was found that says how long an agreement is kept.
pub(crate) fn held(
    tx: &mut Transaction<'_>,
    person: &Person,
    sensitive: bool,
) -> Result<Vec<Holding>, DatabaseError> {
    let folder = folder_of(tx, person.id.uuid())?;
    let signed = folder.agreements.iter().filter_map(|one| one.signed.as_ref().map(|signed| &signed.body));
    let days: Vec<Day> =
        signed.filter(|signed| sensitive || !signed.sensitive).map(|signed| signed.on).collect();
    let plans: Vec<Day> = folder
        .planned
        .iter()
        .filter(|planned| sensitive || !planned.body.sensitive)
        .map(|planned| planned.body.on)
        .collect();
    let holding = |word, days: Vec<Day>| Holding {
        word,
        class: None,
        count: i64::try_from(days.len()).unwrap_or(i64::MAX),
        latest: days.into_iter().max(),
    };
    Ok(vec![holding("agreements.held", days), holding("agreements.held.plan", plans)])
}
