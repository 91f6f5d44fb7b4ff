//! How facts become rows of `warning` and cases.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use kangmai_base::{Day, DivisionCode, Id, Uuid};
use kangmai_cases::Case;
use kangmai_database::{DatabaseError, InsertMany, Row, Transaction, Value, params};
use kangmai_record::{Fact, Projection};

use super::forget;
use crate::facts::{
    COUNTY_DECIDED, DISMISSED, HOUSEHOLD_CHECKED, KINDS, LEVEL_CHANGED, NOTICED, OUTCOME_FED_BACK, RAISED,
    Seen, Step, UNDONE, UPDATED,
};
use crate::findings::Level;
use crate::rules::{Outcome, Stage};

const LOAD: &str = "select household, home, level, stage, stage_since, opened_on, closed_on, outcome, dismissed, consent,
    checked_on, noticed_on, decided_on, fed_back_on, as_of, found, evidence, law, last_step, last_author, last_on,
    last_from, last_since from warning where id = $1";
const PUT: InsertMany = InsertMany {
    table: "warning",
    columns: &[
        "id",
        "household",
        "home",
        "level",
        "stage",
        "stage_since",
        "opened_on",
        "closed_on",
        "outcome",
        "dismissed",
        "consent",
        "checked_on",
        "noticed_on",
        "decided_on",
        "fed_back_on",
        "as_of",
        "found",
        "evidence",
        "law",
        "last_step",
        "last_author",
        "last_on",
        "last_from",
        "last_since",
    ],
    suffix: "on conflict (id) do update set level = excluded.level, stage = excluded.stage,
        stage_since = excluded.stage_since, closed_on = excluded.closed_on, outcome = excluded.outcome,
        dismissed = excluded.dismissed, consent = excluded.consent, checked_on = excluded.checked_on,
        noticed_on = excluded.noticed_on, decided_on = excluded.decided_on, fed_back_on = excluded.fed_back_on,
        as_of = excluded.as_of, found = excluded.found, evidence = excluded.evidence, law = excluded.law,
        last_step = excluded.last_step, last_author = excluded.last_author, last_on = excluded.last_on,
        last_from = excluded.last_from, last_since = excluded.last_since",
};

/// The view of all warnings, and their cases.
pub const WARNINGS: Projection = Projection {
    name: "warnings",
    kinds: KINDS,
    views: &["warning", "work_case"],
    admit: |fact| match fact.kind.as_str() {
        RAISED | LEVEL_CHANGED | UPDATED => fact.read_body::<Seen>().map(|_| ()),
        _ => fact.read_body::<Step>().map(|_| ()),
    },
    apply,
    along: forget::along,
    forget: forget::forget,
};

/// A row of `warning`, as facts change it.
struct Standing {
    household: Uuid,
    home: DivisionCode,
    level: Level,
    stage: Stage,
    stage_since: Day,
    opened_on: Day,
    closed_on: Option<Day>,
    outcome: Option<Outcome>,
    dismissed: Option<String>,
    consent: Option<bool>,
    checked_on: Option<Day>,
    noticed_on: Option<Day>,
    decided_on: Option<Day>,
    fed_back_on: Option<Day>,
    as_of: Day,
    found: String,
    evidence: String,
    law: String,
    last: Option<(Uuid, Uuid, Day, Stage, Day)>,
}

fn apply(tx: &mut Transaction<'_>, facts: &[&Fact]) -> Result<(), DatabaseError> {
    let mut rows: HashMap<Uuid, Standing> = HashMap::new();
    let mut order: Vec<Uuid> = Vec::new();
    for fact in facts {
        let id = fact.new.subject.id;
        if fact.new.kind == RAISED {
            let seen: Seen = fact.body()?;
            rows.insert(id, raised(fact, &seen)?);
            order.push(id);
            continue;
        }
        let row = match rows.entry(id) {
            Entry::Occupied(there) => there.into_mut(),
            Entry::Vacant(vacant) => {
                let Some(row) = load(tx, id)? else {
                    return Err(DatabaseError::Refused(format!("there is no warning {id}")));
                };
                order.push(id);
                vacant.insert(row)
            }
        };
        match fact.new.kind.as_str() {
            LEVEL_CHANGED | UPDATED => row.see(&fact.body()?)?,
            _ => row.step(fact, &fact.body()?),
        }
    }
    let cases: Vec<Case> = order.iter().filter_map(|id| rows.get(id).map(|row| row.case(*id))).collect();
    kangmai_cases::put(tx, &cases)?;
    let values = order.iter().filter_map(|id| rows.get(id).map(|row| row.values(*id)));
    tx.insert_many(&PUT, values)?;
    Ok(())
}

pub(super) fn json(value: &impl serde::Serialize) -> Result<String, DatabaseError> {
    serde_json::to_string(value).map_err(|error| DatabaseError::Refused(error.to_string()))
}

fn raised(fact: &Fact, seen: &Seen) -> Result<Standing, DatabaseError> {
    Ok(Standing {
        household: seen.household,
        home: fact.new.place,
        level: seen.level,
        stage: Stage::Clue,
        stage_since: seen.as_of,
        opened_on: seen.as_of,
        closed_on: None,
        outcome: None,
        dismissed: None,
        consent: None,
        checked_on: None,
        noticed_on: None,
        decided_on: None,
        fed_back_on: None,
        as_of: seen.as_of,
        found: json(&seen.findings)?,
        evidence: json(&(&seen.bills, &seen.costs))?,
        law: seen.law.clone(),
        last: None,
    })
}

impl Standing {
    fn see(&mut self, seen: &Seen) -> Result<(), DatabaseError> {
        self.level = seen.level;
        self.as_of = seen.as_of;
        self.found = json(&seen.findings)?;
        self.evidence = json(&(&seen.bills, &seen.costs))?;
        self.law.clone_from(&seen.law);
        Ok(())
    }

    fn step(&mut self, fact: &Fact, step: &Step) {
        let kind = fact.new.kind.as_str();
        self.stage = step.to;
        self.stage_since = if kind == UNDONE { step.since } else { step.on };
        self.last =
            (kind != UNDONE).then_some((fact.new.id, fact.new.author, step.on, step.from, step.since));
        match kind {
            HOUSEHOLD_CHECKED => {
                self.consent = step.consent;
                self.checked_on = Some(step.on);
            }
            NOTICED => self.noticed_on = step.posted_on,
            DISMISSED => {
                self.dismissed = step.reason.map(|reason| reason.key().to_owned());
                self.end(Outcome::NoRisk, step.on);
            }
            COUNTY_DECIDED => {
                let taken_in = step.take_in == Some(true);
                self.end(if taken_in { Outcome::TakenIn } else { Outcome::NotTakenIn }, step.on);
                self.closed_on = (!taken_in).then_some(step.on);
            }
            OUTCOME_FED_BACK => {
                self.fed_back_on = Some(step.on);
                self.closed_on = Some(step.on);
            }
            UNDONE => self.go_back(step.to),
            _ => {}
        }
    }

    fn end(&mut self, outcome: Outcome, on: Day) {
        self.outcome = Some(outcome);
        self.decided_on = Some(on);
        self.closed_on = Some(on);
    }

    /// What a step told is no longer so once it is taken back.
    fn go_back(&mut self, to: Stage) {
        (self.closed_on, self.outcome, self.dismissed, self.decided_on) = (None, None, None, None);
        if to <= Stage::Posting {
            self.noticed_on = None;
        }
        if to == Stage::Clue {
            (self.consent, self.checked_on) = (None, None);
        }
    }

    fn case(&self, id: Uuid) -> Case {
        Case {
            id: Id::from_uuid(id),
            programme: "poverty_watch".to_owned(),
            subject: self.household,
            place: self.home,
            stage: self.stage.key().to_owned(),
            stage_since: self.stage_since,
            opened_on: self.opened_on,
            closed_on: self.closed_on,
            outcome: self.outcome.map(|outcome| outcome.key().to_owned()),
            weight: self.level.rank(),
        }
    }

    fn values(&self, id: Uuid) -> [Value; 24] {
        params![
            id,
            self.household,
            self.home,
            self.level.rank(),
            self.stage.key(),
            self.stage_since,
            self.opened_on,
            self.closed_on,
            self.outcome.map(Outcome::key),
            self.dismissed.as_deref(),
            self.consent,
            self.checked_on,
            self.noticed_on,
            self.decided_on,
            self.fed_back_on,
            self.as_of,
            self.found.as_str(),
            self.evidence.as_str(),
            self.law.as_str(),
            self.last.map(|last| last.0),
            self.last.map(|last| last.1),
            self.last.map(|last| last.2),
            self.last.map(|last| last.3.key()),
            self.last.map(|last| last.4)
        ]
    }
}

fn load(tx: &mut Transaction<'_>, id: Uuid) -> Result<Option<Standing>, DatabaseError> {
    tx.query_one(LOAD, &params![id])?.as_ref().map(read).transpose()
}

fn read(row: &Row) -> Result<Standing, DatabaseError> {
    let (outcome, from): (Option<String>, Option<String>) = (row.get(7)?, row.get(21)?);
    let (step, author, on, since): (Option<Uuid>, Option<Uuid>, Option<Day>, Option<Day>) =
        (row.get(18)?, row.get(19)?, row.get(20)?, row.get(22)?);
    let last = step.zip(author).zip(on).zip(from.as_deref().and_then(Stage::of_key)).zip(since);
    Ok(Standing {
        household: row.get(0)?,
        home: row.get(1)?,
        level: super::read_level(row, 2)?,
        stage: super::read_stage(row, 3)?,
        stage_since: row.get(4)?,
        opened_on: row.get(5)?,
        closed_on: row.get(6)?,
        outcome: outcome.as_deref().and_then(Outcome::of_key),
        dismissed: row.get(8)?,
        consent: row.get(9)?,
        checked_on: row.get(10)?,
        noticed_on: row.get(11)?,
        decided_on: row.get(12)?,
        fed_back_on: row.get(13)?,
        as_of: row.get(14)?,
        found: row.get(15)?,
        evidence: row.get(16)?,
        law: row.get(17)?,
        last: last.map(|((((step, author), on), from), since)| (step, author, on, from, since)),
    })
}
