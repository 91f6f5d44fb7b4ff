//! Working every view out again from the facts.

use kangmai_database::{Database, DatabaseError, Transaction, reseal_copy};

use crate::{Fact, Record, store};

/// How a view differs from what its facts tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The table.
    pub view: &'static str,
    /// Rows that stand there and should not.
    pub surplus: i64,
    /// Rows that should stand there and do not.
    pub missing: i64,
}

/// Carries the outcome of a check out of a transaction that must not be committed.
enum Undone {
    Checked(Vec<Difference>),
    Failed(DatabaseError),
}

impl From<DatabaseError> for Undone {
    fn from(error: DatabaseError) -> Undone {
        Undone::Failed(error)
    }
}

/// Works every view of `record` out again. With `check` everything stays as it was; else the new rows stay. Answers
/// the views that differed; `progress` is told the number of facts applied so far.
///
/// # Errors
/// When the database fails or a fact cannot be read.
pub fn rebuild(
    database: &Database,
    record: &Record,
    check: bool,
    mut progress: impl FnMut(u64) + Send + 'static,
) -> Result<Vec<Difference>, DatabaseError> {
    let record = record.clone();
    let outcome = database.write_blocking(move |tx| {
        let differences = rebuild_in(tx, &record, &mut progress)?;
        if check { Err(Undone::Checked(differences)) } else { Ok(differences) }
    });
    match outcome {
        Ok(differences) | Err(Undone::Checked(differences)) => Ok(differences),
        Err(Undone::Failed(error)) => Err(error),
    }
}

fn rebuild_in(
    tx: &mut Transaction<'_>,
    record: &Record,
    progress: &mut dyn FnMut(u64),
) -> Result<Vec<Difference>, DatabaseError> {
    let views: Vec<&'static str> =
        record.projections().iter().flat_map(|projection| projection.views.iter().copied()).collect();
    for view in &views {
        store::set_view_aside(tx, view)?;
    }
    let mut after = None;
    let mut applied = 0;
    loop {
        let facts: Vec<Fact> = store::facts_after(tx, after, Record::BATCH)?;
        let Some(last) = facts.last() else { break };
        after = Some((last.received_at, last.new.place, last.place_sequence));
        applied += facts.len() as u64;
        record.project(tx, &facts)?;
        progress(applied);
    }
    let mut differences = Vec::new();
    for view in views {
        if let Some(sealed) = record.sealed_view(view) {
            // What was sealed before a rotation is not the same to the letter as what is sealed now.
            reseal_copy(tx, sealed, &store::aside(view))?;
        }
        let (surplus, missing) = store::compare_view(tx, view)?;
        if surplus + missing > 0 {
            differences.push(Difference { view, surplus, missing });
        }
    }
    Ok(differences)
}
