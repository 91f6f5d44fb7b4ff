//! What waits for somebody today: the lines of the home page.

use kangmai_access::{Actor, Purpose, reach};
use kangmai_base::Day;
use kangmai_database::{DatabaseError, Transaction};
use kangmai_programme::{App, DueLine};

use crate::rules::Standing;
use crate::sentences::{SOON_DAYS, remind_days};
use crate::store::{self, DueWanted, First, ResidentsWanted, Wanted, Which};

/// Who signs is told what is due of agreements and what of it is late, which end soon, and who is to be signed first and is not.
pub(crate) fn due(
    tx: &mut Transaction<'_>,
    app: &App,
    actor: &Actor,
    today: Day,
) -> Result<Vec<DueLine>, DatabaseError> {
    let Some(reach) = reach(actor, Purpose::KeepAgreements) else { return Ok(Vec::new()) };
    let of = |which| DueWanted { which, today, soon_days: SOON_DAYS };
    let late = store::count_due(tx, &reach, &of(Which::Overdue))?;
    let soon = store::count_due(tx, &reach, &of(Which::Soon))?;
    let remind = remind_days(&app.policies, reach.place(), today);
    let ends = Wanted { standing: Some(Standing::EndsSoon), renewed: None };
    let ends = store::count(tx, &reach, &ends, (today, remind))?;
    let first = First::of(&app.policies, reach.place(), today);
    let unsigned = ResidentsWanted { signed: Some(false), only_first: true, first, today };
    let unsigned = store::count_residents(tx, &reach, &unsigned)?;
    let line = |word, count, late, path: &str| DueLine { word, count, late, path: path.to_owned() };
    let which = if late > 0 { "/agreements/items" } else { "/agreements/items?which=soon" };
    Ok(vec![
        line("agreements.todo.items", late + soon, late, which),
        line("agreements.todo.ends", ends, 0, "/agreements?standing=ends_soon"),
        line("agreements.todo.unsigned", unsigned, 0, "/agreements/residents?signed=no&who=first"),
    ])
}
