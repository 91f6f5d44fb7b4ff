//! Visits that came to a referral: those that wait for one are worked off as a list.

use kangmai_access::Reach;
use kangmai_base::{Day, DivisionCode, Uuid};
use kangmai_database::{DatabaseError, Row, Transaction, Value, params};
use kangmai_people::read_name;

use crate::facts::Urgency;
use crate::rules::Handled;

// $3: how they were followed; $4, $5: visits of these days; $6: those that tell a disease of level 5 and nothing else.
const LISTED: &str =
    "select referral_wanted.person, person.name_sealed, visit, referral_wanted.home, person.birth, urgency,
    programmes, visited_on, handled
    from referral_wanted join person on person.id = referral_wanted.person
    where referral_wanted.home between $1 and $2 and person.died_on is null
    and (cast($3 as text) is null or handled = $3) and visited_on between $4 and $5
    and referral_wanted.sensitive = $6
    order by case when handled = 'open' then 0 else 1 end, urgency, visited_on, visit limit $7 offset $8";
const COUNTED: &str = "select count(*) from referral_wanted join person on person.id = referral_wanted.person
    where referral_wanted.home between $1 and $2 and person.died_on is null
    and (cast($3 as text) is null or handled = $3) and visited_on between $4 and $5
    and referral_wanted.sensitive = $6";
const HANDLED: &str =
    "select coalesce(sum(case when handled in ('referred', 'waived') then 1 else 0 end), 0), count(*)
    from referral_wanted join person on person.id = referral_wanted.person
    where referral_wanted.home between $1 and $2 and person.died_on is null
    and (cast($3 as text) is null or handled = $3) and visited_on between $4 and $5
    and referral_wanted.sensitive = $6";

/// What is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WantedVisits {
    /// How they were followed; none: any.
    pub handled: Option<Handled>,
    /// Visits from this day on.
    pub from: Day,
    /// To this day.
    pub until: Day,
    /// Those that tell a disease of level 5 and nothing else; else the others.
    pub sensitive: bool,
}

impl WantedVisits {
    fn params(&self, reach: &Reach) -> [Value; 6] {
        params![
            reach.first(),
            reach.last(),
            self.handled.map(Handled::key),
            self.from,
            self.until,
            self.sensitive
        ]
    }
}

/// A visit as the list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedVisit {
    /// Who.
    pub person: Uuid,
    /// Name.
    pub name: String,
    /// The visit.
    pub visit: Uuid,
    /// Home place.
    pub home: DivisionCode,
    /// Birth date.
    pub birth: Option<Day>,
    /// How much it presses.
    pub urgency: Urgency,
    /// The programmes that came to it, by name in the packs, but for those of level 5.
    pub programmes: Vec<String>,
    /// On which day.
    pub on: Day,
    /// How it was followed.
    pub handled: Handled,
}

/// Visits within reach, what presses most first.
///
/// # Errors
/// When the database fails.
pub fn wanted_visits(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    wanted: &WantedVisits,
    (limit, offset): (i64, i64),
) -> Result<Vec<WantedVisit>, DatabaseError> {
    let mut asked = wanted.params(reach).to_vec();
    asked.extend(params![limit, offset]);
    let opener = tx.opener()?;
    let rows = tx.query(LISTED, &asked)?;
    let wrong = |column, expected| DatabaseError::WrongType { column, expected };
    let read = |row: &Row| {
        let (urgency, programmes, handled): (String, String, String) =
            (row.get(5)?, row.get(6)?, row.get(8)?);
        Ok(WantedVisit {
            person: row.get(0)?,
            name: read_name(&opener, row, (0, 1))?,
            visit: row.get(2)?,
            home: row.get(3)?,
            birth: row.get(4)?,
            urgency: Urgency::of_key(&urgency).ok_or(wrong(5, "urgency"))?,
            programmes: programmes.split_whitespace().map(str::to_owned).collect(),
            on: row.get(7)?,
            handled: Handled::of_key(&handled).ok_or(wrong(8, "how a visit was followed"))?,
        })
    };
    rows.iter().map(read).collect()
}

/// How many there are.
///
/// # Errors
/// When the database fails.
pub fn count_visits(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    wanted: &WantedVisits,
) -> Result<i64, DatabaseError> {
    tx.query_one(COUNTED, &wanted.params(reach))?.map_or(Ok(0), |row| row.get(0))
}

/// Of the visits, those that were followed by a referral or by a reason why none is needed.
///
/// # Errors
/// When the database fails.
pub fn visits_share(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    wanted: &WantedVisits,
) -> Result<(i64, i64), DatabaseError> {
    match tx.query_one(HANDLED, &wanted.params(reach))? {
        Some(row) => Ok((row.get(0)?, row.get(1)?)),
        None => Ok((0, 0)),
    }
}
