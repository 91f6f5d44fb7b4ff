//! The view of visits, for who oversees them: by place and by who wrote them down. A visit that tells a disease of level 5 does
//! not stand here.
//!
//! A visit counts where it was made: of somebody who was handed over on that day, at the place that served them.

use std::collections::{BTreeMap, HashMap};

use kangmai_access::Reach;
use kangmai_base::{Day, DivisionCode, Moment, Uuid};
use kangmai_database::{
    DatabaseError, InsertMany, Row as DatabaseRow, Transaction, Value, in_fifties, params,
};
use kangmai_people::read_name;
use kangmai_record::Fact;

use super::list::first_of_next_month;
use crate::chart::{Chart, Event, What};
use crate::facts::{CLASSIFIED, Classified, UNDONE, Undone, VISITED, Visited};

const PUT: InsertMany = InsertMany {
    table: "follow_up_visit",
    columns: &[
        "id",
        "person",
        "home",
        "visited_on",
        "way",
        "author",
        "recorded_at",
        "source",
        "figures",
        "ends",
        "satisfied",
    ],
    suffix: "",
};
const CLEAR: &str = "delete from follow_up_visit where person = $1 and id = $2";
pub(super) const FORGET: &str = "delete from follow_up_visit where person = $1";
pub(super) const MOVE: &str = "update follow_up_visit set home = $2 where person = $1 and home <> $2";
/// Of 50 facts at once.
const WRITTEN: &str = "select id, author, recorded_at, source from fact where id in
    ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17,
    $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34,
    $35, $36, $37, $38, $39, $40, $41, $42, $43, $44, $45, $46, $47, $48, $49, $50)";
/// Per author: visits, numbers, numbers that end in 0, measured by a device.
const BY_AUTHOR: &str = "select follow_up_visit.author, account.display_name, count(*), sum(length(ends)),
    sum(length(ends) - length(replace(ends, '0', ''))), sum(case when source = 'device' then 1 else 0 end)
    from (select follow_up_visit.*, home as served from follow_up_visit where home between $1 and $2 and not exists
        (select 1 from relation where relation.person = follow_up_visit.person and relation.kind = 'serving'
            and relation.from_at <= visited_on * 86400000000 - 28800000000
            and relation.until_at > visited_on * 86400000000 - 28800000000)
        union all select follow_up_visit.*, relation.place as served from relation
            join follow_up_visit on follow_up_visit.person = relation.person
            where relation.kind = 'serving' and relation.place between $1 and $2
            and relation.from_at <= visited_on * 86400000000 - 28800000000
            and relation.until_at > visited_on * 86400000000 - 28800000000) as follow_up_visit
    left join account on account.id = follow_up_visit.author
    where visited_on between $3 and $4
    group by follow_up_visit.author, account.display_name order by count(*) desc, follow_up_visit.author limit 200";
/// The same figures as at the visit before, per author. A visit of the time before that is asked for counts as the one before, from
/// the day $5 on.
const REPEATS: &str = "select author, count(*) from
    (select author, visited_on, figures, lag(figures) over (partition by person order by visited_on, id) as earlier
        from (select follow_up_visit.*, home as served from follow_up_visit where home between $1 and $2 and not exists
        (select 1 from relation where relation.person = follow_up_visit.person and relation.kind = 'serving'
            and relation.from_at <= visited_on * 86400000000 - 28800000000
            and relation.until_at > visited_on * 86400000000 - 28800000000)
        union all select follow_up_visit.*, relation.place as served from relation
            join follow_up_visit on follow_up_visit.person = relation.person
            where relation.kind = 'serving' and relation.place between $1 and $2
            and relation.from_at <= visited_on * 86400000000 - 28800000000
            and relation.until_at > visited_on * 86400000000 - 28800000000) as follow_up_visit
        where visited_on between $5 and $4) as step
    where visited_on >= $3 and figures <> '' and figures = earlier group by author";
/// How many numbers end in each digit.
const DIGITS: &str = "select
    sum(length(ends) - length(replace(ends, '0', ''))), sum(length(ends) - length(replace(ends, '1', ''))),
    sum(length(ends) - length(replace(ends, '2', ''))), sum(length(ends) - length(replace(ends, '3', ''))),
    sum(length(ends) - length(replace(ends, '4', ''))), sum(length(ends) - length(replace(ends, '5', ''))),
    sum(length(ends) - length(replace(ends, '6', ''))), sum(length(ends) - length(replace(ends, '7', ''))),
    sum(length(ends) - length(replace(ends, '8', ''))), sum(length(ends) - length(replace(ends, '9', '')))
    from (select follow_up_visit.*, home as served from follow_up_visit where home between $1 and $2 and not exists
        (select 1 from relation where relation.person = follow_up_visit.person and relation.kind = 'serving'
            and relation.from_at <= visited_on * 86400000000 - 28800000000
            and relation.until_at > visited_on * 86400000000 - 28800000000)
        union all select follow_up_visit.*, relation.place as served from relation
            join follow_up_visit on follow_up_visit.person = relation.person
            where relation.kind = 'serving' and relation.place between $1 and $2
            and relation.from_at <= visited_on * 86400000000 - 28800000000
            and relation.until_at > visited_on * 86400000000 - 28800000000) as follow_up_visit
    where visited_on between $3 and $4
    and (cast($5 as uuid) is null or author = $5)";
/// Visits by the hour of the clock in China at which they were written down.
const HOURS: &str = "select (recorded_at / 3600000000 + 8) % 24, count(*) from (select follow_up_visit.*, home as served from follow_up_visit where home between $1 and $2 and not exists
        (select 1 from relation where relation.person = follow_up_visit.person and relation.kind = 'serving'
            and relation.from_at <= visited_on * 86400000000 - 28800000000
            and relation.until_at > visited_on * 86400000000 - 28800000000)
        union all select follow_up_visit.*, relation.place as served from relation
            join follow_up_visit on follow_up_visit.person = relation.person
            where relation.kind = 'serving' and relation.place between $1 and $2
            and relation.from_at <= visited_on * 86400000000 - 28800000000
            and relation.until_at > visited_on * 86400000000 - 28800000000) as follow_up_visit
    where visited_on between $3 and $4
    and (cast($5 as uuid) is null or author = $5) group by (recorded_at / 3600000000 + 8) % 24";
const BY_PLACE: &str = "select served, count(*),
    sum(case when satisfied = 'satisfied' then 1 else 0 end), count(satisfied) from (select follow_up_visit.*, home as served from follow_up_visit where home between $1 and $2 and not exists
        (select 1 from relation where relation.person = follow_up_visit.person and relation.kind = 'serving'
            and relation.from_at <= visited_on * 86400000000 - 28800000000
            and relation.until_at > visited_on * 86400000000 - 28800000000)
        union all select follow_up_visit.*, relation.place as served from relation
            join follow_up_visit on follow_up_visit.person = relation.person
            where relation.kind = 'serving' and relation.place between $1 and $2
            and relation.from_at <= visited_on * 86400000000 - 28800000000
            and relation.until_at > visited_on * 86400000000 - 28800000000) as follow_up_visit
    where visited_on between $3 and $4 group by served";
const DUE_BY_PLACE: &str = "select follow_up.served, count(distinct follow_up.person),
    count(distinct case when follow_up.due_on <= $3 or follow_up.grade >= 3 then follow_up.person end),
    count(distinct case when follow_up.due_on < $4 then follow_up.person end)
    from (select follow_up.*, follow_up.home as served from follow_up
            where follow_up.home between $1 and $2 and not exists (select 1 from relation
                where relation.person = follow_up.person and relation.kind = 'serving'
                and relation.from_at <= $5 and relation.until_at > $5)
        union all select follow_up.*, relation.place as served
            from relation join follow_up on follow_up.person = relation.person
            where relation.kind = 'serving' and relation.place between $1 and $2
            and relation.from_at <= $5 and relation.until_at > $5) as follow_up
    join person on person.id = follow_up.person
    where not follow_up.sensitive and follow_up.closed_on is null
    and person.died_on is null and person.same_as is null group by follow_up.served";
const LISTED: &str =
    "select follow_up_visit.id, follow_up_visit.person, person.name_sealed, follow_up_visit.home,
    visited_on, way, account.display_name, recorded_at, figures
    from (select follow_up_visit.*, home as served from follow_up_visit where home between $1 and $2 and not exists
        (select 1 from relation where relation.person = follow_up_visit.person and relation.kind = 'serving'
            and relation.from_at <= visited_on * 86400000000 - 28800000000
            and relation.until_at > visited_on * 86400000000 - 28800000000)
        union all select follow_up_visit.*, relation.place as served from relation
            join follow_up_visit on follow_up_visit.person = relation.person
            where relation.kind = 'serving' and relation.place between $1 and $2
            and relation.from_at <= visited_on * 86400000000 - 28800000000
            and relation.until_at > visited_on * 86400000000 - 28800000000) as follow_up_visit
    join person on person.id = follow_up_visit.person
    left join account on account.id = follow_up_visit.author
    where visited_on between $3 and $4
    and (cast($5 as uuid) is null or author = $5) and (cast($6 as text) is null or ends like $6)
    and (cast($7 as bigint) is null or (recorded_at / 3600000000 + 8) % 24 = $7)
    and (cast($8 as text) is null or satisfied = $8 or ($8 = 'any' and satisfied is not null))
    order by visited_on desc, follow_up_visit.id limit $9 offset $10";
const COUNTED: &str = "select count(*) from (select follow_up_visit.*, home as served from follow_up_visit where home between $1 and $2 and not exists
        (select 1 from relation where relation.person = follow_up_visit.person and relation.kind = 'serving'
            and relation.from_at <= visited_on * 86400000000 - 28800000000
            and relation.until_at > visited_on * 86400000000 - 28800000000)
        union all select follow_up_visit.*, relation.place as served from relation
            join follow_up_visit on follow_up_visit.person = relation.person
            where relation.kind = 'serving' and relation.place between $1 and $2
            and relation.from_at <= visited_on * 86400000000 - 28800000000
            and relation.until_at > visited_on * 86400000000 - 28800000000) as follow_up_visit
    where visited_on between $3 and $4
    and (cast($5 as uuid) is null or author = $5) and (cast($6 as text) is null or ends like $6)
    and (cast($7 as bigint) is null or (recorded_at / 3600000000 + 8) % 24 = $7)
    and (cast($8 as text) is null or satisfied = $8 or ($8 = 'any' and satisfied is not null))";

/// The last digits of the pressures in a text such as `168/98 9.1`, in their order: `88`. Other numbers have decimals that are
/// left out where they are nought, so their last digit tells nothing.
fn end_digits(figures: &str) -> String {
    let pressures = figures.split(' ').filter(|word| word.contains('/'));
    let numbers = pressures.flat_map(|pressure| pressure.split('/'));
    numbers.filter_map(|number| number.chars().last()).filter(char::is_ascii_digit).collect()
}

/// The visits that these facts touch, by person.
fn touched(facts: &[&Fact], events: &HashMap<Uuid, Vec<Event>>) -> Result<Vec<(Uuid, Uuid)>, DatabaseError> {
    let mut touched = Vec::new();
    for fact in facts {
        let person = fact.new.subject.id;
        match fact.new.kind.as_str() {
            VISITED => touched.push((person, fact.body::<Visited>()?.visit)),
            CLASSIFIED => touched.push((person, fact.body::<Classified>()?.visit)),
            UNDONE => {
                let undone = fact.body::<Undone>()?.fact;
                let of = events.get(&person).into_iter().flatten().find(|event| event.id == undone);
                if let Some(What::Visited(body)) = of.map(|event| &event.what) {
                    touched.push((person, body.visit));
                }
            }
            _ => {}
        }
    }
    touched.sort_unstable();
    touched.dedup();
    Ok(touched)
}

/// Writes the visits that these facts touch as they stand now.
pub(super) fn put(
    tx: &mut Transaction<'_>,
    facts: &[&Fact],
    events: &HashMap<Uuid, Vec<Event>>,
    charts: &HashMap<Uuid, (DivisionCode, Chart)>,
) -> Result<(), DatabaseError> {
    let touched = touched(facts, events)?;
    for (person, visit) in &touched {
        tx.execute(CLEAR, &params![*person, *visit])?;
    }
    let stand = touched.iter().filter_map(|(person, visit)| {
        let (home, chart) = charts.get(person)?;
        let visit = chart.visit(*visit).filter(|visit| !visit.body.sensitive)?;
        Some((*person, *home, visit))
    });
    let stand: Vec<(Uuid, DivisionCode, &crate::chart::Visit)> = stand.collect();
    let facts: Vec<Uuid> = stand.iter().map(|(_, _, visit)| visit.fact).collect();
    let mut written: HashMap<Uuid, (Uuid, Moment, String)> = HashMap::with_capacity(facts.len());
    for facts in in_fifties(&facts) {
        for row in tx.query(WRITTEN, &facts)? {
            written.insert(row.get(0)?, (row.get(1)?, row.get(2)?, row.get(3)?));
        }
    }
    let rows = stand.iter().filter_map(|(person, home, visit)| {
        let (author, recorded_at, source) = written.get(&visit.fact)?;
        let figures = figures_of(visit);
        let ends = end_digits(&figures);
        let (body, way) = (&visit.body, visit.body.way.key());
        Some(params![
            body.visit,
            *person,
            *home,
            body.on,
            way,
            *author,
            *recorded_at,
            source.as_str(),
            figures,
            ends,
            body.opinion.as_ref().map(|one| one.satisfied.key()),
        ])
    });
    let rows: Vec<[Value; 11]> = rows.collect();
    tx.insert_many(&PUT, rows)?;
    Ok(())
}

/// The figures that decide, of every programme, each once: two programmes ask for one pressure.
fn figures_of(visit: &crate::chart::Visit) -> String {
    let mut all: Vec<&str> = Vec::new();
    for figure in visit.body.found.iter().flat_map(|found| found.figures.split(' ')) {
        if !figure.is_empty() && !all.contains(&figure) {
            all.push(figure);
        }
    }
    all.join(" ")
}

/// Which visits are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VisitsWanted {
    /// From this day.
    pub from: Day,
    /// To this one.
    pub to: Day,
    /// Written down by this account.
    pub author: Option<Uuid>,
    /// With a number that ends in this digit.
    pub ends: Option<char>,
    /// Written down within this hour of the day.
    pub hour: Option<i64>,
    /// Whose patient said so: a key of [`crate::facts::Satisfaction`], or `any` who was asked.
    pub satisfied: Option<String>,
}

impl VisitsWanted {
    fn days(&self, reach: &Reach) -> [Value; 4] {
        params![reach.first(), reach.last(), self.from, self.to]
    }

    fn params(&self, reach: &Reach) -> Vec<Value> {
        let mut all = self.days(reach).to_vec();
        let like = self.ends.map(|digit| format!("%{digit}%"));
        all.extend(params![self.author, like, self.hour, self.satisfied.as_deref()]);
        all
    }
}

/// A visit longer before is not held against the next one.
const MONTHS_BEFORE: i32 = 13;

/// What somebody wrote down in a time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Author {
    /// Who; nil: the program, or a sample.
    pub account: Uuid,
    /// By name, if the account is there.
    pub name: Option<String>,
    /// Visits.
    pub visits: i64,
    /// Numbers in them.
    pub numbers: i64,
    /// Of these, how many end in 0.
    pub zeros: i64,
    /// Visits whose figures a device sent.
    pub devices: i64,
    /// Visits with the same figures as that person's visit before.
    pub repeats: i64,
}

/// Who wrote visits of a place down, the busiest first.
///
/// # Errors
/// When the database fails.
pub fn authors(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    wanted: &VisitsWanted,
) -> Result<Vec<Author>, DatabaseError> {
    let days = wanted.days(reach);
    let read = |row: &DatabaseRow| {
        Ok(Author {
            account: row.get(0)?,
            name: row.get(1)?,
            visits: row.get(2)?,
            numbers: row.get::<Option<i64>>(3)?.unwrap_or_default(),
            zeros: row.get::<Option<i64>>(4)?.unwrap_or_default(),
            devices: row.get(5)?,
            repeats: 0,
        })
    };
    let rows = tx.query(BY_AUTHOR, &days)?;
    let mut authors: Vec<Author> = rows.iter().map(read).collect::<Result<_, DatabaseError>>()?;
    let mut with_before = days.to_vec();
    with_before.push(Value::from(wanted.from.plus_months(-MONTHS_BEFORE)));
    for row in tx.query(REPEATS, &with_before)? {
        let account: Uuid = row.get(0)?;
        if let Some(author) = authors.iter_mut().find(|author| author.account == account) {
            author.repeats = row.get(1)?;
        }
    }
    Ok(authors)
}

/// How many numbers end in 0 to 9, and how many visits were written down in each hour of the day.
///
/// # Errors
/// When the database fails.
pub fn pattern(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    wanted: &VisitsWanted,
) -> Result<([i64; 10], [i64; 24]), DatabaseError> {
    let mut params = wanted.days(reach).to_vec();
    params.push(Value::from(wanted.author));
    let (mut digits, mut hours) = ([0; 10], [0; 24]);
    if let Some(row) = tx.query_one(DIGITS, &params)? {
        for (digit, count) in digits.iter_mut().enumerate() {
            *count = row.get::<Option<i64>>(digit)?.unwrap_or_default();
        }
    }
    for row in tx.query(HOURS, &params)? {
        let hour: i64 = row.get(0)?;
        if let Some(count) = usize::try_from(hour).ok().and_then(|hour| hours.get_mut(hour)) {
            *count = row.get(1)?;
        }
    }
    Ok((digits, hours))
}

/// How a place stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PlaceSum {
    /// People who are managed.
    pub managed: i64,
    /// Of them, who is on the plan of the present month: due until its end, overdue, or in danger.
    pub due: i64,
    /// Whose visit is overdue today.
    pub late: i64,
    /// Visits in the time.
    pub visits: i64,
    /// At the end of which the patient said to be satisfied.
    pub satisfied: i64,
    /// Of so many who were asked.
    pub asked: i64,
}

/// How the places within reach stand, by whose work it is.
///
/// # Errors
/// When the database fails.
pub fn places(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    wanted: &VisitsWanted,
    today: Day,
) -> Result<BTreeMap<DivisionCode, PlaceSum>, DatabaseError> {
    let days = wanted.days(reach);
    let mut places: BTreeMap<DivisionCode, PlaceSum> = BTreeMap::new();
    let end_of_month = first_of_next_month(today).plus_days(-1);
    let due = params![reach.first(), reach.last(), end_of_month, today, Moment::start_of(today)];
    for row in tx.query(DUE_BY_PLACE, &due)? {
        let sum =
            PlaceSum { managed: row.get(1)?, due: row.get(2)?, late: row.get(3)?, ..PlaceSum::default() };
        places.insert(row.get(0)?, sum);
    }
    for row in tx.query(BY_PLACE, &days)? {
        let sum = places.entry(row.get(0)?).or_default();
        (sum.visits, sum.satisfied, sum.asked) = (row.get(1)?, row.get(2)?, row.get(3)?);
    }
    Ok(places)
}

/// A visit on the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VisitRow {
    /// Which.
    pub visit: Uuid,
    /// Whose.
    pub person: Uuid,
    /// By name.
    pub name: String,
    /// Home.
    pub home: DivisionCode,
    /// On which day.
    pub on: Day,
    /// How: key of [`crate::facts::Way`].
    pub way: String,
    /// Who wrote it down.
    pub by: Option<String>,
    /// When.
    pub recorded_at: Moment,
    /// The figures that decide.
    pub figures: String,
}

/// Visits within reach, the latest first, and how many there are.
///
/// # Errors
/// When the database fails.
pub fn visits(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    wanted: &VisitsWanted,
    (limit, offset): (i64, i64),
) -> Result<(Vec<VisitRow>, i64), DatabaseError> {
    let mut params = wanted.params(reach);
    let count = tx.query_one(COUNTED, &params)?.map_or(Ok(0), |row| row.get(0))?;
    params.extend(params![limit, offset]);
    let opener = tx.opener()?;
    let read = |row: &DatabaseRow| {
        Ok(VisitRow {
            visit: row.get(0)?,
            person: row.get(1)?,
            name: read_name(&opener, row, (1, 2))?,
            home: row.get(3)?,
            on: row.get(4)?,
            way: row.get(5)?,
            by: row.get(6)?,
            recorded_at: row.get(7)?,
            figures: row.get(8)?,
        })
    };
    let rows = tx.query(LISTED, &params)?;
    Ok((rows.iter().map(read).collect::<Result<_, DatabaseError>>()?, count))
}

#[cfg(test)]
mod tests {
    use super::end_digits;

    #[test]
    fn the_last_digit_of_each_pressure_counts() {
        for (figures, ends) in
            [("168/98 9.1", "88"), ("", ""), ("120/80", "00"), ("7", ""), ("7 130/71", "01"), ("—", "")]
        {
            assert_eq!(end_digits(figures), ends, "{figures}");
        }
    }
}
