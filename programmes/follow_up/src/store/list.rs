//! Lists and counts of who is managed. A programme of level 5 stands in none; it is counted where a list says how many it
//! leaves out.

use kangmai_access::Reach;
use kangmai_base::{Day, DivisionCode, Moment, Uuid};
use kangmai_database::{DatabaseError, Row as DatabaseRow, Transaction, Value, params};
use kangmai_people::read_name;

use super::{TOLD, Told};
use crate::facts::{DueWhy, Grade, Outcome};

// Whose work it is: of who has a hand-over in force, the place that serves them ($8 = 'work'); whose people they are: the place
// of their registration (cast($8 as text) = 'home'). Either way everybody stands in one place. $7: the beginning of the day.
// The gravest grade is 3: who is in danger comes first, all others by how long the visit has been due.
const LISTED: &str =
    "select follow_up.person, person.name_sealed, follow_up.home, person.birth, person.household,
    max(follow_up.grade) as grade, min(follow_up.due_on) as due_on, min(follow_up.again_on), follow_up.served,
    person.living, min(follow_up.unreached_since)
    from (select follow_up.*, follow_up.home as served from follow_up
            where follow_up.home between $1 and $2 and (cast($8 as text) = 'home' or not exists (select 1 from relation
                where relation.person = follow_up.person and relation.kind = 'serving'
                and relation.from_at <= $7 and relation.until_at > $7))
        union all select follow_up.*, relation.place as served
            from relation join follow_up on follow_up.person = relation.person
            where cast($8 as text) = 'work' and relation.kind = 'serving' and relation.place between $1 and $2
            and relation.from_at <= $7 and relation.until_at > $7) as follow_up
    join person on person.id = follow_up.person where not follow_up.sensitive and follow_up.closed_on is null
    and person.died_on is null and person.same_as is null
    and (cast($3 as text) is null or follow_up.programme = $3)
    and (cast($4 as bigint) is null or follow_up.due_on < $4 or follow_up.grade >= $6)
    and (cast($5 as bigint) is null or follow_up.grade >= $5)
    and (cast($9 as text) is null or follow_up.unreached_since is not null)
    group by follow_up.person, person.name_sealed, follow_up.home, person.birth, person.household, follow_up.served,
    person.living
    order by max(follow_up.grade) / 3 desc, min(follow_up.due_on), follow_up.person limit $10 offset $11";
// The same with the members of a household together, where the gravest or latest of them would stand.
const LISTED_BY_HOUSEHOLD: &str =
    "select follow_up.person, person.name_sealed, follow_up.home, person.birth, person.household,
    max(follow_up.grade) as grade, min(follow_up.due_on) as due_on, min(follow_up.again_on), follow_up.served,
    person.living, min(follow_up.unreached_since)
    from (select follow_up.*, follow_up.home as served from follow_up
            where follow_up.home between $1 and $2 and (cast($8 as text) = 'home' or not exists (select 1 from relation
                where relation.person = follow_up.person and relation.kind = 'serving'
                and relation.from_at <= $7 and relation.until_at > $7))
        union all select follow_up.*, relation.place as served
            from relation join follow_up on follow_up.person = relation.person
            where cast($8 as text) = 'work' and relation.kind = 'serving' and relation.place between $1 and $2
            and relation.from_at <= $7 and relation.until_at > $7) as follow_up
    join person on person.id = follow_up.person where not follow_up.sensitive and follow_up.closed_on is null
    and person.died_on is null and person.same_as is null
    and (cast($3 as text) is null or follow_up.programme = $3)
    and (cast($4 as bigint) is null or follow_up.due_on < $4 or follow_up.grade >= $6)
    and (cast($5 as bigint) is null or follow_up.grade >= $5)
    and (cast($9 as text) is null or follow_up.unreached_since is not null)
    group by follow_up.person, person.name_sealed, follow_up.home, person.birth, person.household, follow_up.served,
    person.living
    order by max(max(follow_up.grade)) over (partition by person.household) / 3 desc,
    min(min(follow_up.due_on)) over (partition by person.household), person.household, follow_up.person
    limit $10 offset $11";
const COUNTED: &str =
    "select count(distinct case when follow_up.sensitive then null else follow_up.person end),
    count(distinct case when follow_up.sensitive then follow_up.person end)
    from (select follow_up.*, follow_up.home as served from follow_up
            where follow_up.home between $1 and $2 and (cast($8 as text) = 'home' or not exists (select 1 from relation
                where relation.person = follow_up.person and relation.kind = 'serving'
                and relation.from_at <= $7 and relation.until_at > $7))
        union all select follow_up.*, relation.place as served
            from relation join follow_up on follow_up.person = relation.person
            where cast($8 as text) = 'work' and relation.kind = 'serving' and relation.place between $1 and $2
            and relation.from_at <= $7 and relation.until_at > $7) as follow_up
    join person on person.id = follow_up.person where follow_up.closed_on is null and person.died_on is null and person.same_as is null
    and (cast($3 as text) is null or follow_up.sensitive or follow_up.programme = $3)
    and (cast($4 as bigint) is null or follow_up.due_on < $4 or follow_up.grade >= $6)
    and (cast($5 as bigint) is null or follow_up.grade >= $5)
    and (cast($9 as text) is null or follow_up.unreached_since is not null)";
const FIGURES: &str = "select coalesce(sum(case when follow_up.at_target then 1 else 0 end), 0), count(*)
    from follow_up join person on person.id = follow_up.person
    where follow_up.home between $1 and $2 and follow_up.closed_on is null and person.died_on is null and person.same_as is null
    and follow_up.programme = $3 and not follow_up.sensitive";
const ROWS_OF: &str =
    "select id, programme, last_on, state, grade, figures, due_on, due_why, missed, missed_why, again_on,
    told_sealed, enrolled_on from follow_up where person = $1 and not sensitive and closed_on is null
    order by grade desc, due_on, programme limit 20";

/// Which visits are listed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum When {
    /// Due within so many days, overdue, or in danger.
    #[default]
    Soon,
    /// Due until the end of this month, or overdue: the month's plan.
    Month,
    /// Overdue.
    Overdue,
    /// Everybody who is managed.
    All,
    /// Whom nobody reaches any more.
    Unreached,
}

impl When {
    /// All of them.
    pub const ALL: [When; 5] = [When::Soon, When::Month, When::Overdue, When::All, When::Unreached];
    /// Days before a visit is due from which it stands on the list of what is to be done: our own choice.
    pub const SOON_DAYS: i32 = 7;

    /// As filters send it.
    pub const fn key(self) -> &'static str {
        match self {
            When::Soon => "soon",
            When::Month => "month",
            When::Overdue => "overdue",
            When::All => "all",
            When::Unreached => "unreached",
        }
    }

    /// The one that `key` names.
    pub fn of_key(key: &str) -> Option<When> {
        When::ALL.into_iter().find(|when| when.key() == key)
    }
}

/// The first day of the month after that of `day`.
pub fn first_of_next_month(day: Day) -> Day {
    let (_, _, of_month) = day.ymd();
    day.plus_days(1 - i32::try_from(of_month).unwrap_or(1)).plus_months(1)
}

/// Where somebody is counted who lives elsewhere than registered and was handed over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Side {
    /// Where the visits are made: the serving place.
    #[default]
    Work,
    /// Where they are registered.
    Home,
}

impl Side {
    /// Both.
    pub const ALL: [Side; 2] = [Side::Work, Side::Home];

    /// As filters and statements have it.
    pub const fn key(self) -> &'static str {
        match self {
            Side::Work => "work",
            Side::Home => "home",
        }
    }

    /// The one that `key` names.
    pub fn of_key(key: &str) -> Option<Side> {
        Side::ALL.into_iter().find(|side| side.key() == key)
    }
}

/// What is listed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Only this programme.
    pub programme: Option<String>,
    /// Which visits.
    pub when: When,
    /// Only who is in danger, or was referred: from this rank.
    pub grade: Option<Grade>,
    /// The members of a household together.
    pub by_household: bool,
    /// Whose they are: who visits them, or where they are registered.
    pub side: Side,
}

impl Wanted {
    fn params(&self, reach: &Reach, today: Day) -> [Value; 9] {
        // Who is in danger stands on the list of what is to be done, whenever the visit is due.
        let (before, danger) = match self.when {
            When::Soon => (Some(today.plus_days(When::SOON_DAYS + 1)), Grade::Danger.rank()),
            When::Month => (Some(first_of_next_month(today)), Grade::Danger.rank()),
            When::Overdue => (Some(today), i64::MAX),
            When::All | When::Unreached => (None, i64::MAX),
        };
        params![
            reach.first(),
            reach.last(),
            self.programme.as_deref(),
            before,
            self.grade.map(Grade::rank),
            danger,
            Moment::start_of(today),
            self.side.key(),
            (self.when == When::Unreached).then_some("yes")
        ]
    }
}

/// Somebody to be visited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Who.
    pub person: Uuid,
    /// Name.
    pub name: String,
    /// Home place.
    pub home: DivisionCode,
    /// Birth date.
    pub birth: Option<Day>,
    /// The household.
    pub household: Uuid,
    /// The gravest that the last visits came to.
    pub grade: Grade,
    /// By when the first visit is due.
    pub due_on: Option<Day>,
    /// The day agreed on.
    pub again_on: Option<Day>,
    /// The place that visits: another than home where they were handed over.
    pub served: DivisionCode,
    /// Where they live, as the register has it, if elsewhere.
    pub living: Option<DivisionCode>,
    /// Since when nobody reaches them.
    pub unreached_since: Option<Day>,
}

/// People within reach, those in danger first, then whose visit has been due longest.
///
/// # Errors
/// When the database fails.
pub fn listed(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    wanted: &Wanted,
    today: Day,
    (limit, offset): (i64, i64),
) -> Result<Vec<Listed>, DatabaseError> {
    let mut asked = wanted.params(reach, today).to_vec();
    asked.extend(params![limit, offset]);
    let opener = tx.opener()?;
    let rows = tx.query(if wanted.by_household { LISTED_BY_HOUSEHOLD } else { LISTED }, &asked)?;
    let read = |row: &DatabaseRow| {
        let grade = Grade::of_rank(row.get(5)?);
        Ok(Listed {
            person: row.get(0)?,
            name: read_name(&opener, row, (0, 1))?,
            home: row.get(2)?,
            birth: row.get(3)?,
            household: row.get(4)?,
            grade: grade.ok_or(DatabaseError::WrongType { column: 5, expected: "grade" })?,
            due_on: row.get(6)?,
            again_on: row.get(7)?,
            served: row.get(8)?,
            living: row.get(9)?,
            unreached_since: row.get(10)?,
        })
    };
    rows.iter().map(read).collect()
}

/// How many people.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    /// Who stand on the list.
    pub listed: i64,
    /// Who would for a disease of level 5; some of them may stand there for another.
    pub restricted: i64,
}

/// How many people within reach are wanted.
///
/// # Errors
/// When the database fails.
pub fn count(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    wanted: &Wanted,
    today: Day,
) -> Result<Count, DatabaseError> {
    let row = tx.query_one(COUNTED, &wanted.params(reach, today))?;
    row.map_or(Ok(Count::default()), |row| Ok(Count { listed: row.get(0)?, restricted: row.get(1)? }))
}

/// How many of those managed in `programme` are at target, and how many are managed. Who was not seen is not at target.
///
/// # Errors
/// When the database fails.
pub fn figures_of(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    programme: &str,
) -> Result<(i64, i64), DatabaseError> {
    let row = tx.query_one(FIGURES, &params![reach.first(), reach.last(), programme])?;
    row.map_or(Ok((0, 0)), |row| Ok((row.get(0)?, row.get(1)?)))
}

/// How one programme of a person stands, as lists show it. Never of level 5.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The programme.
    pub programme: String,
    /// Last visit.
    pub last_on: Option<Day>,
    /// What it came to.
    pub state: String,
    /// How grave that is.
    pub grade: Grade,
    /// The figures that decide.
    pub figures: String,
    /// By when a visit is due.
    pub due_on: Option<Day>,
    /// Why.
    pub due_why: Option<DueWhy>,
    /// Which window, if it is one.
    pub window: String,
    /// How often nobody was seen since.
    pub missed: i64,
    /// Why, the last time.
    pub missed_why: Option<Outcome>,
    /// Since when.
    pub enrolled_on: Day,
}

/// How the programmes of a person stand, without those of level 5.
///
/// # Errors
/// When the database fails.
pub fn rows_of(tx: &mut Transaction<'_>, person: Uuid) -> Result<Vec<Row>, DatabaseError> {
    let rows = tx.query(ROWS_OF, &params![person])?;
    rows.iter().map(read_row).collect()
}

fn read_row(row: &DatabaseRow) -> Result<Row, DatabaseError> {
    let (why, missed_why): (String, String) = (row.get(7)?, row.get(9)?);
    let (why, window) = why.split_once('.').unwrap_or((why.as_str(), ""));
    let grade = Grade::of_rank(row.get(4)?);
    Ok(Row {
        programme: row.get(1)?,
        last_on: row.get(2)?,
        state: row.get(3)?,
        grade: grade.ok_or(DatabaseError::WrongType { column: 4, expected: "grade" })?,
        figures: row.get(5)?,
        due_on: row.get(6)?,
        due_why: DueWhy::of_key(why),
        window: window.to_owned(),
        missed: row.get(8)?,
        missed_why: Outcome::of_key(&missed_why),
        enrolled_on: row.get(12)?,
    })
}

/// What of a row is sealed; none where it stands in its columns.
pub(super) fn told(
    tx: &mut Transaction<'_>,
    id: Uuid,
    sealed: Option<Vec<u8>>,
) -> Result<Option<Told>, DatabaseError> {
    let Some(json) = tx.opened(TOLD, id, sealed)? else { return Ok(None) };
    let wrong = DatabaseError::WrongType { column: 0, expected: "what tells a follow-up" };
    serde_json::from_str(&json).map(Some).map_err(|_| wrong)
}
