//! Taking a step: decided and written in one transaction, so that two people cannot both take the same.

use kangmai_access::{Actor, Purpose, reach};
use kangmai_base::{Day, DivisionCode, Moment, Refusal, Uuid};
use kangmai_database::{DatabaseError, Transaction};
use kangmai_programme::App;
use kangmai_record::{NewFact, Source, Subject};

use crate::due::clock_at;
use crate::facts::Step;
use crate::rules::{Command, decide};
use crate::store;

/// Takes a step of the warning `id` on `today`. `None` if there is no such warning within the actor's reach.
///
/// # Errors
/// When the database fails; the inner [`Refusal`] when a rule says no.
pub fn take_step(
    tx: &mut Transaction<'_>,
    app: &App,
    actor: &Actor,
    id: Uuid,
    command: &Command,
    today: Day,
) -> Result<Option<Result<(), Refusal>>, DatabaseError> {
    let Some(within) = reach(actor, Purpose::CheckWarnings) else { return Ok(None) };
    tx.lock("poverty_watch.warning")?;
    let Some(row) = store::warning(tx, &within, id)? else { return Ok(None) };
    let Some(clock) = clock_at(app, row.warning.place, today) else { return Ok(None) };
    let decided = match decide(&row.warning, command, actor, today, &clock) {
        Ok(decided) => decided,
        Err(refusal) => return Ok(Some(Err(refusal))),
    };
    let fact = |(kind, step): &(&'static str, Step)| fact(app, actor, (id, row.warning.place), kind, step);
    let facts: Result<Vec<NewFact>, DatabaseError> = decided.iter().map(fact).collect();
    app.record.keep(tx, app.clock.now(), facts?)?;
    Ok(Some(Ok(())))
}

fn fact(
    app: &App,
    actor: &Actor,
    (warning, place): (Uuid, DivisionCode),
    kind: &str,
    step: &Step,
) -> Result<NewFact, DatabaseError> {
    Ok(NewFact {
        id: app.mint(),
        kind: kind.to_owned(),
        subject: Subject::case(warning),
        occurred_at: Moment::start_of(step.on),
        recorded_at: app.clock.now(),
        place,
        author: actor.account.uuid(),
        source: Source::Typed,
        corrects: step.undoes,
        body: serde_json::to_string(step).map_err(|error| DatabaseError::Refused(error.to_string()))?,
    })
}
