//! Works every plan out again: a child grew up, a list changed, a diagnosis ended. Takes no input, may run at any time,
//! any number of times.

use kangmai_base::Day;
use kangmai_database::DatabaseError;
use kangmai_programme::App;
use kangmai_record::NewFact;

use crate::planning::{Whose, change, fact_of};
use crate::store;

/// What a run came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reclassified {
    /// People with a diagnosis.
    pub checked: u64,
    /// Those whose plan or its reason came to be another.
    pub changed: u64,
}

/// People that one transaction takes.
const AT_ONCE: usize = 1_000;

/// Works out the plan of everybody with a diagnosis on `as_of`; `progress` is told how many are done.
///
/// # Errors
/// When the database fails.
pub fn reclassify(
    app: &App,
    as_of: Day,
    mut progress: impl FnMut(u64),
) -> Result<Reclassified, DatabaseError> {
    let people = app.database.read_blocking(store::people_with_diagnoses)?;
    let mut run = Reclassified::default();
    for chunk in people.chunks(AT_ONCE) {
        let (part, chunk) = (app.clone(), chunk.to_vec());
        let (checked, now) = (chunk.len() as u64, app.clock.now());
        let changed = app.database.write_blocking(move |tx| {
            let mut facts: Vec<NewFact> = Vec::new();
            for one in &chunk {
                let whose = Whose { person: one.person, home: one.home, birth: one.birth, sex: one.sex };
                let known = store::diagnoses_of(tx, one.person)?;
                let decision = store::decision_of(tx, one.person)?.map(|(decision, ..)| decision);
                let stored = store::plan_row(tx, one.person)?;
                let planned =
                    change(&part.policies, whose, &known, decision.as_ref(), stored.as_ref(), as_of);
                if let Some(planned) = planned {
                    let fact = fact_of(part.mint(), now, whose, &planned);
                    facts.push(fact.map_err(|error| DatabaseError::Refused(error.to_string()))?);
                }
            }
            let changed = facts.len() as u64;
            part.record.append(tx, now, facts)?;
            Ok::<_, DatabaseError>(changed)
        })?;
        run.checked += checked;
        run.changed += changed;
        progress(run.checked);
    }
    Ok(run)
}
