//! Who lives elsewhere by the register and is in nobody's hand-over: for the one to ask, for the others the telephone.

use kangmai_access::Reach;
use kangmai_base::{Day, DivisionCode, Uuid};
use kangmai_database::{DatabaseError, Row, Transaction, Value, params};
use kangmai_people::read_name;

// $3: in the county or beyond. Digits: a township has nine of twelve, a county six. What is of level 5 tells nothing here.
const ELSEWHERE: &str = "select person.id, person.name_sealed, person.home, person.living,
    (select max(visited_on) from follow_up_visit where follow_up_visit.person = person.id),
    (select min(unreached_since) from follow_up where follow_up.person = person.id and follow_up.closed_on is null
        and not follow_up.sensitive)
    from person where person.home between $1 and $2 and person.living is not null
    and person.died_on is null and person.same_as is null and person.living / 1000 <> person.home / 1000
    and (cast($3 as text) is null or ($3 = 'county' and person.living / 1000000 = person.home / 1000000)
        or ($3 = 'beyond' and person.living / 1000000 <> person.home / 1000000))
    and not exists (select 1 from hand_over where hand_over.person = person.id and hand_over.answer <> 'refused'
        and (hand_over.ended_on is null or hand_over.ended_on > $4))
    order by person.home, person.id limit $5 offset $6";
const COUNTED: &str =
    "select count(*) from person where person.home between $1 and $2 and person.living is not null
    and person.died_on is null and person.same_as is null and person.living / 1000 <> person.home / 1000
    and (cast($3 as text) is null or ($3 = 'county' and person.living / 1000000 = person.home / 1000000)
        or ($3 = 'beyond' and person.living / 1000000 <> person.home / 1000000))
    and not exists (select 1 from hand_over where hand_over.person = person.id and hand_over.answer <> 'refused'
        and (hand_over.ended_on is null or hand_over.ended_on > $4))";

/// Where somebody lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Where {
    /// In another township of the county.
    County,
    /// In another county.
    Beyond,
}

impl Where {
    /// Both.
    pub const ALL: [Where; 2] = [Where::County, Where::Beyond];

    /// As filters have it.
    pub const fn key(self) -> &'static str {
        match self {
            Where::County => "county",
            Where::Beyond => "beyond",
        }
    }

    /// The one that `key` names.
    pub fn of_key(key: &str) -> Option<Where> {
        Where::ALL.into_iter().find(|one| one.key() == key)
    }
}

/// Somebody who lives elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Elsewhere {
    /// Who.
    pub person: Uuid,
    /// Name.
    pub name: String,
    /// Home place.
    pub home: DivisionCode,
    /// Where they live.
    pub living: DivisionCode,
    /// When they were visited or called last.
    pub seen_on: Option<Day>,
    /// Since when nobody reaches them.
    pub unreached_since: Option<Day>,
}

fn asked(reach: &Reach, only: Option<Where>, today: Day) -> [Value; 4] {
    params![reach.first(), reach.last(), only.map(Where::key), today]
}

/// People at home within reach who live elsewhere, by home.
///
/// # Errors
/// When the database fails.
pub fn elsewhere(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    (only, today): (Option<Where>, Day),
    (limit, offset): (i64, i64),
) -> Result<Vec<Elsewhere>, DatabaseError> {
    let mut asked = asked(reach, only, today).to_vec();
    asked.extend(params![limit, offset]);
    let opener = tx.opener()?;
    let rows = tx.query(ELSEWHERE, &asked)?;
    let read = |row: &Row| {
        Ok(Elsewhere {
            person: row.get(0)?,
            name: read_name(&opener, row, (0, 1))?,
            home: row.get(2)?,
            living: row.get(3)?,
            seen_on: row.get(4)?,
            unreached_since: row.get(5)?,
        })
    };
    rows.iter().map(read).collect()
}

/// How many they are.
///
/// # Errors
/// When the database fails.
pub fn count_elsewhere(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    (only, today): (Option<Where>, Day),
) -> Result<i64, DatabaseError> {
    tx.query_one(COUNTED, &asked(reach, only, today))?.map_or(Ok(0), |row| row.get(0))
}
