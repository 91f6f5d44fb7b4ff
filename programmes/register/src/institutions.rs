//! The import of institutions. An institution is told by its code.

use std::sync::Arc;

use kangmai_base::Refusal;
use kangmai_database::{DatabaseError, Transaction};
use kangmai_places::{
    Divisions, InstitutionParser, InstitutionRow, ParsedInstitution, changes, find_institution_by_code,
};
use kangmai_programme::{ImportRun, Planned};
use kangmai_record::{NewFact, Subject};
use kangmai_sheet::{Change, Fault, Flaw, Matching, Outcome, Record, Severity};

use crate::facts::INSTITUTION;
use crate::import::fact_of;

/// What is kept from one chunk of rows to the next.
#[derive(Debug, Default)]
struct Memory {
    parser: Option<InstitutionParser>,
}

/// Plans some rows.
pub(crate) fn plan(
    tx: &mut Transaction<'_>,
    run: &mut ImportRun,
    matching: &Matching,
    records: &[Record],
) -> Result<Planned, DatabaseError> {
    let mut memory = std::mem::take(run.memory::<Memory>());
    let scope = run.reach.place();
    let parser = memory.parser.get_or_insert_with(|| {
        InstitutionParser::new(Arc::new(matching.clone()), Divisions::shipped(), scope)
    });
    let parsed: Vec<_> = records.iter().map(|record| parser.parse(record)).collect();
    let mut facts = Vec::new();
    for (parsed, mut faults) in parsed {
        let outcome = match parsed {
            ParsedInstitution::Faulty => Outcome::Faulty,
            ParsedInstitution::Repeat { .. } => Outcome::Unchanged,
            ParsedInstitution::Row(row) => take(tx, run, &row, &mut faults, &mut facts)?,
        };
        run.count(outcome, faults);
    }
    *run.memory::<Memory>() = memory;
    Ok(Planned { facts })
}

fn take(
    tx: &mut Transaction<'_>,
    run: &mut ImportRun,
    row: &InstitutionRow,
    faults: &mut Vec<Fault>,
    facts: &mut Vec<NewFact>,
) -> Result<Outcome, DatabaseError> {
    let held = find_institution_by_code(tx, &row.body.code)?;
    let Some(held) = held else {
        let id = run.app.mint();
        facts.push(fact_of(run, INSTITUTION, Subject::institution(id), row.place, &row.body));
        return Ok(Outcome::New);
    };
    // What stands elsewhere is kept by who is there; bills may name it all the same.
    if !run.reach.covers(held.place) && held.body.digest(held.place) != row.body.digest(row.place) {
        let flaw = Flaw::new("register.flaw.institution_elsewhere");
        let flaw = flaw.mend(Refusal::new("register.mend.elsewhere"));
        faults.push(Fault::of_row(row.row, Severity::Error, flaw));
        return Ok(Outcome::Faulty);
    }
    let changed = changes(&held, row);
    if changed.is_empty() {
        return Ok(Outcome::Unchanged);
    }
    for (column, before, after) in changed {
        run.summary.change(Change { row: row.row, subject: row.body.name.clone(), column, before, after });
    }
    facts.push(fact_of(run, INSTITUTION, Subject::institution(held.id.uuid()), row.place, &row.body));
    Ok(Outcome::Changed)
}
