//! Lists and counts of hand-overs, from either side.

use kangmai_access::Reach;
use kangmai_base::{Day, DivisionCode, Uuid};
use kangmai_database::{DatabaseError, Row, Transaction, Value, params};
use kangmai_people::read_name;

use crate::facts::Side;
use crate::rules::State;

// $3: by which place; $4: how it stands; $5: the day. Of who died nothing is to be done.
const LISTED: &str = "select hand_over.person, person.name_sealed, hand_over.id, hand_over.home, hand_over.living,
    hand_over.side, hand_over.asked_on, hand_over.answer, hand_over.from_on, hand_over.ended_on, hand_over.ended_why
    from hand_over join person on person.id = hand_over.person
    where ((cast($3 as text) = 'home' and hand_over.home between $1 and $2)
        or (cast($3 as text) = 'living' and hand_over.living between $1 and $2))
    and person.died_on is null and person.same_as is null
    and (cast($4 as text) is null
    or ($4 = 'waiting' and answer = 'waiting' and ended_on is null)
    or ($4 = 'refused' and answer = 'refused')
    or ($4 = 'ahead' and answer = 'accepted' and from_on > $5 and ended_on is null)
    or ($4 = 'in_force' and answer = 'accepted' and from_on <= $5 and (ended_on is null or ended_on > $5))
    or ($4 = 'over' and answer <> 'refused' and ended_on <= $5))
    order by hand_over.asked_on desc, hand_over.id limit $6 offset $7";
const COUNTED: &str = "select count(*) from hand_over join person on person.id = hand_over.person
    where ((cast($3 as text) = 'home' and hand_over.home between $1 and $2)
        or (cast($3 as text) = 'living' and hand_over.living between $1 and $2))
    and person.died_on is null and person.same_as is null
    and (cast($4 as text) is null
    or ($4 = 'waiting' and answer = 'waiting' and ended_on is null)
    or ($4 = 'refused' and answer = 'refused')
    or ($4 = 'ahead' and answer = 'accepted' and from_on > $5 and ended_on is null)
    or ($4 = 'in_force' and answer = 'accepted' and from_on <= $5 and (ended_on is null or ended_on > $5))
    or ($4 = 'over' and answer <> 'refused' and ended_on <= $5))";
const TO_ANSWER: &str = "select count(*) from hand_over join person on person.id = hand_over.person
    where ((side = 'living' and hand_over.home between $1 and $2) or (side = 'home' and hand_over.living between $1 and $2))
    and answer = 'waiting' and ended_on is null and person.died_on is null and person.same_as is null";
const PERSON_OF: &str = "select person from hand_over where id = $1
    and (home between $2 and $3 or living between $2 and $3)";

/// What is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// Whose people live elsewhere, or who of elsewhere lives here.
    pub side: Side,
    /// How they stand; none: any.
    pub state: Option<State>,
}

impl Wanted {
    fn params(&self, reach: &Reach, today: Day) -> [Value; 5] {
        params![reach.first(), reach.last(), self.side.key(), self.state.map(State::key), today]
    }
}

/// A hand-over as lists show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Whose.
    pub person: Uuid,
    /// Name.
    pub name: String,
    /// Which.
    pub hand_over: Uuid,
    /// Where they are registered.
    pub home: DivisionCode,
    /// Where they live.
    pub living: DivisionCode,
    /// Who asked.
    pub side: Side,
    /// When.
    pub asked_on: Day,
    /// From when the place of living serves.
    pub from_on: Option<Day>,
    /// From when it does not any more.
    pub ended_on: Option<Day>,
    /// Why, as the fact has it.
    pub ended_why: String,
    /// How it stands.
    pub state: State,
}

/// Hand-overs within reach, the latest first.
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
    let rows = tx.query(LISTED, &asked)?;
    let read = |row: &Row| {
        let (side, answer): (String, String) = (row.get(5)?, row.get(7)?);
        let (from_on, ended_on) = (row.get(8)?, row.get(9)?);
        Ok(Listed {
            person: row.get(0)?,
            name: read_name(&opener, row, (0, 1))?,
            hand_over: row.get(2)?,
            home: row.get(3)?,
            living: row.get(4)?,
            side: Side::of_key(&side).ok_or(DatabaseError::WrongType { column: 5, expected: "side" })?,
            asked_on: row.get(6)?,
            from_on,
            ended_on,
            ended_why: row.get(10)?,
            state: State::of(answer == "refused", from_on, ended_on, today),
        })
    };
    rows.iter().map(read).collect()
}

/// How many hand-overs within reach are wanted.
///
/// # Errors
/// When the database fails.
pub fn count(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    wanted: &Wanted,
    today: Day,
) -> Result<i64, DatabaseError> {
    tx.query_one(COUNTED, &wanted.params(reach, today))?.map_or(Ok(0), |row| row.get(0))
}

/// How many wait for an answer of somebody within reach.
///
/// # Errors
/// When the database fails.
pub fn count_to_answer(tx: &mut Transaction<'_>, reach: &Reach) -> Result<i64, DatabaseError> {
    tx.query_one(TO_ANSWER, &params![reach.first(), reach.last()])?.map_or(Ok(0), |row| row.get(0))
}

/// Whose hand-over this is, if one of its two places lies within reach.
///
/// # Errors
/// When the database fails.
pub fn person_of(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    hand_over: Uuid,
) -> Result<Option<Uuid>, DatabaseError> {
    let row = tx.query_one(PERSON_OF, &params![hand_over, reach.first(), reach.last()])?;
    row.map(|row| row.get(0)).transpose()
}
