//! What waits for somebody today: the line of the home page.

use kangmai_access::{Actor, Purpose, reach};
use kangmai_base::Day;
use kangmai_database::{DatabaseError, Transaction};
use kangmai_programme::{App, DueLine};

use crate::store::{self, Wanted, When};

/// Who visits is told how many people wait, and how many of them for longer than they should.
pub(crate) fn due(
    tx: &mut Transaction<'_>,
    _: &App,
    actor: &Actor,
    today: Day,
) -> Result<Vec<DueLine>, DatabaseError> {
    let Some(reach) = reach(actor, Purpose::RecordVisits) else { return Ok(Vec::new()) };
    let of = |when| Wanted { when, ..Wanted::default() };
    let count = store::count(tx, &reach, &of(When::Soon), today)?.listed;
    let late = store::count(tx, &reach, &of(When::Overdue), today)?.listed;
    Ok(vec![DueLine { word: "follow_up.todo", count, late, path: "/follow-up".to_owned() }])
}
