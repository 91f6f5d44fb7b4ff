//! How facts about the end of a day become rows.

use kangmai_base::Refusal;
use kangmai_database::{DatabaseError, InsertMany, Transaction, params};
use kangmai_record::{Fact, NewFact, Projection, SubjectKind, nothing_along, nothing_to_forget};
use serde::Serialize;

use crate::facts::{
    DAY_LINES, DAY_RECONCILED, DIFFERENCE_EXPLAINED, DayLines, DayReconciled, DifferenceExplained,
};
use crate::rules::agree;

const SUPERSEDE: &str = "update day_reconciliation set is_latest = false where institution = $1 and day = $2";
const PUT_DAY: &str =
    "insert into day_reconciliation (id, institution, place, day, sent_at, author, has_lines, funds_by,
    theirs, ours, is_right, lines, different, explained, is_latest)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 0, true)";
const PUT_LINES: InsertMany = InsertMany {
    table: "day_line",
    columns: &[
        "reconciliation",
        "position",
        "number",
        "bill",
        "theirs_status",
        "theirs_total",
        "theirs_own",
        "ours_status",
        "ours_total",
        "ours_own",
        "differences",
        "is_different",
    ],
    suffix: "",
};
const EXPLAIN: &str = "update day_line set reason = $3, explained_by = $4, explained_at = $5
    where reconciliation = $1 and position = $2";
const COUNT_EXPLAINED: &str = "update day_reconciliation set explained = (select count(*) from day_line
    where day_line.reconciliation = day_reconciliation.id and day_line.is_different and day_line.reason is not null)
    where id = $1";

/// The views of reconciled days.
pub const DAYS: Projection = Projection {
    name: "settlement days",
    kinds: &[DAY_RECONCILED, DAY_LINES, DIFFERENCE_EXPLAINED],
    views: &["day_reconciliation", "day_line"],
    admit,
    apply,
    along: nothing_along,
    forget: nothing_to_forget,
};

fn admit(fact: &NewFact) -> Result<(), Refusal> {
    if fact.subject.kind != SubjectKind::Institution {
        return Err(Refusal::new("settlement.parked.not_an_institution"));
    }
    match fact.kind.as_str() {
        DAY_RECONCILED => fact.read_body::<DayReconciled>().map(|_| ()),
        DAY_LINES => fact.read_body::<DayLines>().map(|_| ()),
        _ => fact.read_body::<DifferenceExplained>().map(|_| ()),
    }
}

fn apply(tx: &mut Transaction<'_>, facts: &[&Fact]) -> Result<(), DatabaseError> {
    facts.iter().try_for_each(|fact| match fact.new.kind.as_str() {
        DAY_RECONCILED => apply_day(tx, fact),
        DAY_LINES => apply_lines(tx, fact),
        _ => {
            let body: DifferenceExplained = fact.body()?;
            let (at, by) = (fact.new.occurred_at, fact.new.author);
            tx.execute(EXPLAIN, &params![body.reconciliation, body.position, body.reason, by, at])?;
            tx.execute(COUNT_EXPLAINED, &params![body.reconciliation])?;
            Ok(())
        }
    })
}

fn text(value: &impl Serialize) -> Result<String, DatabaseError> {
    serde_json::to_string(value)
        .map_err(|_| DatabaseError::Refused("a reconciliation cannot be written".into()))
}

fn apply_day(tx: &mut Transaction<'_>, fact: &Fact) -> Result<(), DatabaseError> {
    let body: DayReconciled = fact.body()?;
    let new = &fact.new;
    tx.execute(SUPERSEDE, &params![new.subject.id, body.day])?;
    let is_right = if body.has_lines { body.different == 0 } else { agree(&body.theirs, &body.ours) };
    let parameters = params![
        body.reconciliation,
        new.subject.id,
        new.place,
        body.day,
        new.occurred_at,
        new.author,
        body.has_lines,
        body.funds_by.key(),
        text(&body.theirs)?,
        text(&body.ours)?,
        is_right,
        body.lines,
        body.different,
    ];
    tx.execute(PUT_DAY, &parameters)?;
    Ok(())
}

fn apply_lines(tx: &mut Transaction<'_>, fact: &Fact) -> Result<(), DatabaseError> {
    let body: DayLines = fact.body()?;
    let mut rows = Vec::with_capacity(body.lines.len());
    for (position, line) in (body.first..).zip(body.lines) {
        let (theirs, ours) = (line.theirs.as_ref(), line.ours.as_ref());
        rows.push(params![
            body.reconciliation,
            position,
            line.number,
            line.bill,
            theirs.map(|side| side.status.key()),
            theirs.map(|side| side.total),
            theirs.map(|side| side.own),
            ours.map(|side| side.status.key()),
            ours.map(|side| side.total),
            ours.map(|side| side.own),
            text(&line.differences)?,
            !line.differences.is_empty(),
        ]);
    }
    tx.insert_many(&PUT_LINES, rows)?;
    Ok(())
}
