//! Works every plan out again: a child grew up, a list changed, a diagnosis ended. Takes no input but the day, may run at
//! any time, any number of times: a second run of the same day changes nothing.

use std::collections::BTreeMap;

use kangmai_base::{Day, Moment};
use kangmai_database::{DatabaseError, Transaction};
use kangmai_programme::App;
use kangmai_record::NewFact;

use crate::planning::{Whose, follow};
use crate::rules::PlanKind;
use crate::store::{self, PersonWithDiagnoses};

/// What a run came to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reclassified {
    /// People with a diagnosis.
    pub checked: u64,
    /// Those whose plan or its reason came to be another.
    pub changed: u64,
    /// The same by the plan before and the plan after; both the same where only the reason is another.
    pub moves: BTreeMap<(Option<PlanKind>, Option<PlanKind>), u64>,
}

/// People that one transaction takes.
const AT_ONCE: usize = 1_000;

/// Works out the plan of everybody with a diagnosis on `as_of`; `progress` is told how many are done. A dry run writes
/// nothing and counts what would change.
///
/// # Errors
/// When the database fails.
pub fn reclassify(
    app: &App,
    as_of: Day,
    dry_run: bool,
    mut progress: impl FnMut(u64),
) -> Result<Reclassified, DatabaseError> {
    let people = app.database.read_blocking(store::people_with_diagnoses)?;
    let mut run = Reclassified::default();
    for chunk in people.chunks(AT_ONCE) {
        let (part, chunk) = (app.clone(), chunk.to_vec());
        let (checked, now) = (chunk.len() as u64, app.clock.now());
        let moves = if dry_run {
            app.database
                .read_blocking(move |tx| Ok::<_, DatabaseError>(look(tx, &part, &chunk, as_of, now)?.0))?
        } else {
            app.database.write_blocking(move |tx| {
                let (moves, facts) = look(tx, &part, &chunk, as_of, now)?;
                part.record.append(tx, now, facts)?;
                Ok::<_, DatabaseError>(moves)
            })?
        };
        run.checked += checked;
        run.changed += moves.len() as u64;
        for step in moves {
            *run.moves.entry(step).or_default() += 1;
        }
        progress(run.checked);
    }
    Ok(run)
}

/// From which plan to which, one for each change.
type Moves = Vec<(Option<PlanKind>, Option<PlanKind>)>;

/// What is to be said of `people`: the moves and their facts, in the same order.
fn look(
    tx: &mut Transaction<'_>,
    app: &App,
    people: &[PersonWithDiagnoses],
    as_of: Day,
    now: Moment,
) -> Result<(Moves, Vec<NewFact>), DatabaseError> {
    let (mut moves, mut facts) = (Moves::new(), Vec::new());
    for one in people {
        let whose = Whose { person: one.person, home: one.home, birth: one.birth, sex: one.sex };
        let known = store::diagnoses_of(tx, one.person)?;
        if let Some((planned, fact)) = follow(tx, app, whose, &known, (as_of, now))? {
            moves.push((planned.before, planned.plan.as_ref().map(|plan| plan.kind)));
            facts.push(fact);
        }
    }
    Ok((moves, facts))
}
