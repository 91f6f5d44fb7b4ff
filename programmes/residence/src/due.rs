//! What waits for somebody today: the line of the home page.

use kangmai_access::{Actor, Purpose, reach};
use kangmai_base::Day;
use kangmai_database::{DatabaseError, Transaction};
use kangmai_programme::{App, DueLine};

use crate::store;

/// Who answers is told how many questions wait for them. No law says until when: none is late.
pub(crate) fn due(
    tx: &mut Transaction<'_>,
    _: &App,
    actor: &Actor,
    _: Day,
) -> Result<Vec<DueLine>, DatabaseError> {
    let Some(reach) = reach(actor, Purpose::KeepHandOvers) else { return Ok(Vec::new()) };
    let count = store::count_to_answer(tx, &reach)?;
    let path = "/residence?which=waiting".to_owned();
    Ok(vec![DueLine { word: "residence.todo", count, late: 0, path }])
}
