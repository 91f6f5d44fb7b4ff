//! The view of what was drawn to be asked about, and what came out.

use kangmai_access::Reach;
use kangmai_base::{Day, DivisionCode, Refusal, Uuid};
use kangmai_database::{DatabaseError, InsertMany, Row, Transaction, params};
use kangmai_people::read_name;
use kangmai_record::{Along, Fact, NewFact, Projection, Subject, SubjectKind};

use super::VisitsWanted;
use crate::checks::{CHECKED, Candidate, CheckOutcome, Checked, DRAWN, Drawn};

const PUT: InsertMany = InsertMany {
    table: "follow_up_check",
    columns: &["id", "sample", "person", "visit", "drawn_on", "outcome", "checked_on"],
    suffix: " on conflict (id) do nothing",
};
const CHECK: &str = "update follow_up_check set outcome = $3, checked_on = $4 where id = $2 and person = $1";
const DRAWN_UNDER: &str = "select count(*) from follow_up_check where sample = $1";
const OF_PERSON: &str = "select id from follow_up_check where person = $1";
const FORGET: &str = "delete from follow_up_check where person = $1";
/// Visits of these days that nobody has drawn yet; not those that $5 wrote down.
const CANDIDATES: &str =
    "select follow_up_visit.id, follow_up_visit.person, follow_up_visit.home, follow_up_visit.author
    from follow_up_visit left join follow_up_check
    on follow_up_check.person = follow_up_visit.person and follow_up_check.visit = follow_up_visit.id
    where follow_up_visit.home between $1 and $2 and follow_up_visit.visited_on between $3 and $4
    and follow_up_visit.author <> $5 and follow_up_check.id is null limit 200000";
const LISTED: &str = "select follow_up_check.id, follow_up_check.person, person.name_sealed, follow_up_visit.home,
    follow_up_check.visit, follow_up_visit.visited_on, follow_up_visit.way, follow_up_visit.figures,
    account.display_name, follow_up_check.outcome, follow_up_check.checked_on, follow_up_visit.author
    from follow_up_check
    join follow_up_visit on follow_up_visit.person = follow_up_check.person and follow_up_visit.id = follow_up_check.visit
    join person on person.id = follow_up_check.person
    left join account on account.id = follow_up_visit.author
    where follow_up_visit.home between $1 and $2 and follow_up_visit.visited_on between $3 and $4
    and (cast($5 as uuid) is null or follow_up_visit.author = $5)
    and (cast($6 as text) is null or follow_up_check.outcome = $6)
    order by follow_up_visit.visited_on, follow_up_check.id limit $7 offset $8";
const COUNTED: &str = "select follow_up_visit.author, follow_up_check.outcome, count(*) from follow_up_check
    join follow_up_visit on follow_up_visit.person = follow_up_check.person and follow_up_visit.id = follow_up_check.visit
    where follow_up_visit.home between $1 and $2 and follow_up_visit.visited_on between $3 and $4
    and (cast($5 as uuid) is null or follow_up_visit.author = $5)
    group by follow_up_visit.author, follow_up_check.outcome";
const ONE: &str = "select follow_up_check.id, follow_up_check.person, person.name_sealed, follow_up_visit.home,
    follow_up_check.visit, follow_up_visit.visited_on, follow_up_visit.way, follow_up_visit.figures,
    account.display_name, follow_up_check.outcome, follow_up_check.checked_on, follow_up_visit.author
    from follow_up_check
    join follow_up_visit on follow_up_visit.person = follow_up_check.person and follow_up_visit.id = follow_up_check.visit
    join person on person.id = follow_up_check.person
    left join account on account.id = follow_up_visit.author where follow_up_check.id = $1";

/// The view of checks. A visit that is taken back since is on no list of them.
pub const CHECKS: Projection = Projection {
    name: "follow_up_check",
    kinds: &[DRAWN, CHECKED],
    views: &["follow_up_check"],
    admit,
    apply,
    along,
    forget,
};

fn admit(fact: &NewFact) -> Result<(), Refusal> {
    match fact.kind.as_str() {
        DRAWN => fact.read_body::<Drawn>().map(|_| ()),
        _ => fact.read_body::<Checked>().map(|_| ()),
    }
}

fn apply(tx: &mut Transaction<'_>, facts: &[&Fact]) -> Result<(), DatabaseError> {
    let unreadable = |_| DatabaseError::WrongType { column: 0, expected: "a check" };
    for fact in facts {
        if fact.new.kind == DRAWN {
            let body: Drawn = fact.new.read_body().map_err(unreadable)?;
            let row =
                params![body.check, body.sample, body.person, body.visit, body.on, "", Option::<Day>::None];
            tx.insert_many(&PUT, vec![row])?;
        } else {
            let body: Checked = fact.new.read_body().map_err(unreadable)?;
            tx.execute(CHECK, &params![fact.new.subject.id, body.check, body.outcome.key(), body.on])?;
        }
    }
    Ok(())
}

/// The drawings of a person's visits are nothing without the person.
fn along(tx: &mut Transaction<'_>, subject: Subject) -> Result<Along, DatabaseError> {
    let mut along = Along::default();
    if subject.kind == SubjectKind::Person {
        for row in tx.query(OF_PERSON, &params![subject.id])? {
            along.subjects.push(Subject::case(row.get(0)?));
        }
    }
    Ok(along)
}

fn forget(tx: &mut Transaction<'_>, subject: Subject) -> Result<(), DatabaseError> {
    if subject.kind == SubjectKind::Person {
        tx.execute(FORGET, &params![subject.id])?;
    }
    Ok(())
}

/// Whether anything was drawn under this sample.
///
/// # Errors
/// When the database fails.
pub fn is_drawn(tx: &mut Transaction<'_>, sample: Uuid) -> Result<bool, DatabaseError> {
    let row = tx.query_one(DRAWN_UNDER, &params![sample])?;
    Ok(row.map(|row| row.get::<i64>(0)).transpose()?.unwrap_or(0) > 0)
}

/// Visits of the time asked for that may be drawn: not yet drawn, and written down by somebody else than `by`.
///
/// # Errors
/// When the database fails.
pub fn candidates(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    wanted: &VisitsWanted,
    by: Uuid,
) -> Result<Vec<Candidate>, DatabaseError> {
    let rows = tx.query(CANDIDATES, &params![reach.first(), reach.last(), wanted.from, wanted.to, by])?;
    let read = |row: &Row| {
        Ok(Candidate { visit: row.get(0)?, person: row.get(1)?, home: row.get(2)?, author: row.get(3)? })
    };
    rows.iter().map(read).collect()
}

/// A check on the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckRow {
    /// The check.
    pub id: Uuid,
    /// Whose.
    pub person: Uuid,
    /// By name.
    pub name: String,
    /// Home.
    pub home: DivisionCode,
    /// Which visit.
    pub visit: Uuid,
    /// On which day it was.
    pub on: Day,
    /// How: key of [`crate::facts::Way`].
    pub way: String,
    /// The figures that decide.
    pub figures: String,
    /// Who wrote it down, by name.
    pub by: Option<String>,
    /// What came out; none yet.
    pub outcome: Option<CheckOutcome>,
    /// When that was written down.
    pub checked_on: Option<Day>,
    /// Who wrote the visit down.
    pub author: Uuid,
}

fn check_row(tx: &mut Transaction<'_>, row: &Row) -> Result<CheckRow, DatabaseError> {
    let opener = tx.opener()?;
    let outcome: String = row.get(9)?;
    Ok(CheckRow {
        id: row.get(0)?,
        person: row.get(1)?,
        name: read_name(&opener, row, (1, 2))?,
        home: row.get(3)?,
        visit: row.get(4)?,
        on: row.get(5)?,
        way: row.get(6)?,
        figures: row.get(7)?,
        by: row.get(8)?,
        outcome: CheckOutcome::of_key(&outcome),
        checked_on: row.get(10)?,
        author: row.get(11)?,
    })
}

/// Checks of visits of the time asked for, within reach; `outcome` empty: those that wait.
///
/// # Errors
/// When the database fails.
pub fn checks(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    (wanted, outcome): (&VisitsWanted, Option<&str>),
    (limit, offset): (i64, i64),
) -> Result<Vec<CheckRow>, DatabaseError> {
    let asked =
        params![reach.first(), reach.last(), wanted.from, wanted.to, wanted.author, outcome, limit, offset];
    let rows = tx.query(LISTED, &asked)?;
    rows.iter().map(|row| check_row(tx, row)).collect()
}

/// One check.
///
/// # Errors
/// When the database fails.
pub fn check(tx: &mut Transaction<'_>, id: Uuid) -> Result<Option<CheckRow>, DatabaseError> {
    match tx.query_one(ONE, &params![id])? {
        Some(row) => check_row(tx, &row).map(Some),
        None => Ok(None),
    }
}

/// How checks of one author, or of all, came out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CheckSum {
    /// Drawn.
    pub drawn: i64,
    /// Asked, and reached.
    pub asked: i64,
    /// Of these, true.
    pub good: i64,
    /// Nobody asked yet.
    pub waiting: i64,
    /// Asked, and something is otherwise.
    pub differs: i64,
    /// Asked, and nobody was there.
    pub untrue: i64,
}

impl CheckSum {
    /// Both together.
    pub const fn with(self, other: CheckSum) -> CheckSum {
        CheckSum {
            drawn: self.drawn + other.drawn,
            asked: self.asked + other.asked,
            good: self.good + other.good,
            waiting: self.waiting + other.waiting,
            differs: self.differs + other.differs,
            untrue: self.untrue + other.untrue,
        }
    }

    /// How many have this outcome, as the table calls it; of none, all.
    pub fn of(self, outcome: Option<&str>) -> i64 {
        match outcome.map(CheckOutcome::of_key) {
            None => self.drawn,
            Some(None) => self.waiting,
            Some(Some(CheckOutcome::True)) => self.good,
            Some(Some(CheckOutcome::Differs)) => self.differs,
            Some(Some(CheckOutcome::Untrue)) => self.untrue,
            Some(Some(CheckOutcome::NotReached)) => self.drawn - self.waiting - self.asked,
        }
    }
}

/// How checks came out, by who wrote the visits down.
///
/// # Errors
/// When the database fails.
pub fn check_sums(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    wanted: &VisitsWanted,
) -> Result<Vec<(Uuid, CheckSum)>, DatabaseError> {
    let asked = params![reach.first(), reach.last(), wanted.from, wanted.to, wanted.author];
    let mut sums: Vec<(Uuid, CheckSum)> = Vec::new();
    for row in tx.query(COUNTED, &asked)? {
        let (author, outcome, count): (Uuid, String, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let place = sums.iter().position(|(known, _)| *known == author).unwrap_or_else(|| {
            sums.push((author, CheckSum::default()));
            sums.len() - 1
        });
        let sum = &mut sums[place].1;
        sum.drawn += count;
        match CheckOutcome::of_key(&outcome) {
            None => sum.waiting += count,
            Some(CheckOutcome::NotReached) => {}
            Some(outcome) => {
                sum.asked += count;
                match outcome {
                    CheckOutcome::True => sum.good += count,
                    CheckOutcome::Differs => sum.differs += count,
                    _ => sum.untrue += count,
                }
            }
        }
    }
    Ok(sums)
}
