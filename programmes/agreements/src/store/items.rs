//! What is due of agreements: lists, counts and the rate that was kept. Nothing of level 5 stands in it.

use kangmai_access::Reach;
use kangmai_base::{Day, DivisionCode, Moment, Uuid};
use kangmai_database::{DatabaseError, Row, Transaction, Value, params};
use kangmai_people::read_name;

use super::{Share, a_year_before};
use crate::care::Care;
use crate::folder::{Agreement, Folder};
use crate::rules::{Kept, Window, kept};

// What is to be done stands where it is done: of who was handed over, at the place that serves them. The rate counts at home.
// $7: the beginning of the day. $3: the day; $4: since when what is over counts; $5: which; $6: until when something counts as due soon.
const ROWS: &str = "select agreement_due.person, person.name_sealed, agreement_due.agreement, agreement_due.home,
    agreement_due.item, agreement_due.number, agreement_due.from_on, agreement_due.until_on, agreement_due.done_on
    from (select agreement_due.* from agreement_due
            where agreement_due.home between $1 and $2 and (cast($5 as text) not in ('overdue', 'soon') or not exists
                (select 1 from relation where relation.person = agreement_due.person and relation.kind = 'serving'
                and relation.from_at <= $7 and relation.until_at > $7))
        union all select agreement_due.* from relation join agreement_due on agreement_due.person = relation.person
            where cast($5 as text) in ('overdue', 'soon') and relation.kind = 'serving' and relation.place between $1 and $2
            and relation.from_at <= $7 and relation.until_at > $7) as agreement_due
    join person on person.id = agreement_due.person
    where person.died_on is null and person.same_as is null
    and (($5 = 'due' and agreement_due.until_on < $3 and agreement_due.until_on >= $4)
    or ($5 = 'in_time' and agreement_due.until_on < $3 and agreement_due.until_on >= $4
        and agreement_due.done_on <= agreement_due.until_on)
    or ($5 = 'not_in_time' and agreement_due.until_on < $3 and agreement_due.until_on >= $4
        and (agreement_due.done_on is null or agreement_due.done_on > agreement_due.until_on))
    or ($5 = 'overdue' and agreement_due.until_on < $3 and agreement_due.until_on >= $4
        and agreement_due.done_on is null
        and exists (select 1 from agreement where agreement.id = agreement_due.agreement and agreement.until_on >= $3
            and (agreement.ended_on is null or agreement.ended_on > $3)))
    or ($5 = 'soon' and agreement_due.from_on <= $3 and agreement_due.until_on between $3 and $6
        and agreement_due.done_on is null))
    order by agreement_due.until_on, agreement_due.person, agreement_due.item, agreement_due.number
    limit $8 offset $9";
const COUNTED: &str = "select count(*) from (select agreement_due.* from agreement_due
            where agreement_due.home between $1 and $2 and (cast($5 as text) not in ('overdue', 'soon') or not exists
                (select 1 from relation where relation.person = agreement_due.person and relation.kind = 'serving'
                and relation.from_at <= $7 and relation.until_at > $7))
        union all select agreement_due.* from relation join agreement_due on agreement_due.person = relation.person
            where cast($5 as text) in ('overdue', 'soon') and relation.kind = 'serving' and relation.place between $1 and $2
            and relation.from_at <= $7 and relation.until_at > $7) as agreement_due
    join person on person.id = agreement_due.person
    where person.died_on is null and person.same_as is null
    and (($5 = 'due' and agreement_due.until_on < $3 and agreement_due.until_on >= $4)
    or ($5 = 'in_time' and agreement_due.until_on < $3 and agreement_due.until_on >= $4
        and agreement_due.done_on <= agreement_due.until_on)
    or ($5 = 'not_in_time' and agreement_due.until_on < $3 and agreement_due.until_on >= $4
        and (agreement_due.done_on is null or agreement_due.done_on > agreement_due.until_on))
    or ($5 = 'overdue' and agreement_due.until_on < $3 and agreement_due.until_on >= $4
        and agreement_due.done_on is null
        and exists (select 1 from agreement where agreement.id = agreement_due.agreement and agreement.until_on >= $3
            and (agreement.ended_on is null or agreement.ended_on > $3)))
    or ($5 = 'soon' and agreement_due.from_on <= $3 and agreement_due.until_on between $3 and $6
        and agreement_due.done_on is null))";
const KEPT: &str =
    "select coalesce(sum(case when agreement_due.done_on <= agreement_due.until_on then 1 else 0 end), 0),
    count(*) from agreement_due join person on person.id = agreement_due.person
    where agreement_due.home between $1 and $2 and person.died_on is null and person.same_as is null
    and agreement_due.until_on < $3 and agreement_due.until_on >= $4";

/// Which of what is due is listed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Which {
    /// Its time is over, it was not done, and the agreement still holds: it can be made good.
    #[default]
    Overdue,
    /// Its time is about to be over.
    Soon,
    /// All whose time is over: below the line of the rate.
    Due,
    /// Of those, what was done in time: above the line.
    InTime,
    /// Of those, what was done late or not at all.
    NotInTime,
}

impl Which {
    /// In the order of the filter.
    pub const ALL: [Which; 5] = [Which::Overdue, Which::Soon, Which::Due, Which::InTime, Which::NotInTime];

    /// As filters send it.
    pub const fn key(self) -> &'static str {
        match self {
            Which::Overdue => "overdue",
            Which::Soon => "soon",
            Which::Due => "due",
            Which::InTime => "in_time",
            Which::NotInTime => "not_in_time",
        }
    }

    /// The one that `key` names.
    pub fn of_key(key: &str) -> Option<Which> {
        Which::ALL.into_iter().find(|which| which.key() == key)
    }
}

/// What is asked, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DueWanted {
    /// Which.
    pub which: Which,
    /// The day.
    pub today: Day,
    /// How many days ahead count as soon.
    pub soon_days: i32,
}

impl DueWanted {
    fn params(&self, reach: &Reach) -> [Value; 7] {
        params![
            reach.first(),
            reach.last(),
            self.today,
            a_year_before(self.today),
            self.which.key(),
            self.today.plus_days(self.soon_days),
            Moment::start_of(self.today)
        ]
    }
}

/// Something due, as lists show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueRow {
    /// Whose.
    pub person: Uuid,
    /// Name.
    pub name: String,
    /// Of which agreement.
    pub agreement: Uuid,
    /// Home place.
    pub home: DivisionCode,
    /// Package and item: `hypertension.visit`.
    pub item: String,
    /// Its time, and when it was done.
    pub window: Window,
}

/// What is due within reach, what has been due longest first.
///
/// # Errors
/// When the database fails.
pub fn due_rows(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    wanted: &DueWanted,
    (limit, offset): (i64, i64),
) -> Result<Vec<DueRow>, DatabaseError> {
    let mut asked = wanted.params(reach).to_vec();
    asked.extend(params![limit, offset]);
    let opener = tx.opener()?;
    let rows = tx.query(ROWS, &asked)?;
    let read = |row: &Row| {
        Ok(DueRow {
            person: row.get(0)?,
            name: read_name(&opener, row, (0, 1))?,
            agreement: row.get(2)?,
            home: row.get(3)?,
            item: row.get(4)?,
            window: Window {
                number: row.get(5)?,
                from: row.get(6)?,
                until: row.get(7)?,
                done_on: row.get(8)?,
            },
        })
    };
    rows.iter().map(read).collect()
}

/// How much is due within reach.
///
/// # Errors
/// When the database fails.
pub fn count_due(tx: &mut Transaction<'_>, reach: &Reach, wanted: &DueWanted) -> Result<i64, DatabaseError> {
    let row = tx.query_one(COUNTED, &wanted.params(reach))?;
    row.map_or(Ok(0), |row| row.get(0))
}

/// 履约率: of what became due within the twelve months before `today`, what was done in time.
///
/// # Errors
/// When the database fails.
pub fn kept_share(tx: &mut Transaction<'_>, reach: &Reach, today: Day) -> Result<Share, DatabaseError> {
    let row = tx.query_one(KEPT, &params![reach.first(), reach.last(), today, a_year_before(today)])?;
    row.map_or(Ok((0, 0)), |row| Ok((row.get(0)?, row.get(1)?)))
}

/// What an agreement promised, what of it was done and what is open, for the person's own pages: those of level 5 with `secret`
/// alone.
pub fn promises_of(folder: &Folder, one: &Agreement, care: &Care, secret: bool) -> Vec<Kept> {
    kept(folder, one, care).into_iter().filter(|kept| secret || !kept.promise.sensitive).collect()
}
