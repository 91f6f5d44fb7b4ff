//! Lists and counts of agreements by how they stand on a day. What is asked of the day is asked in SQL, so that nothing about it is
//! ever stored.

use kangmai_access::{Account, Reach};
use kangmai_base::{Day, DivisionCode, Id, Uuid};
use kangmai_database::{DatabaseError, Row, Transaction, Value, params};
use kangmai_people::read_name;

use super::{Share, a_year_before};
use crate::rules::Standing;

// $3: how it stands; $4: the day; $5: the last day that counts as soon; $6: whether it was renewed; $7: since when an expired
// one is listed.
const LISTED: &str = "select agreement.person, person.name_sealed, agreement.id, agreement.home, person.birth,
    person.household, agreement.offered_on, agreement.from_on, agreement.until_on, agreement.ended_on,
    agreement.end_reason, agreement.renewed_on, agreement.packages, agreement_team.name
    from agreement join person on person.id = agreement.person
    left join agreement_team on agreement_team.id = agreement.team
    where agreement.home between $1 and $2 and person.died_on is null and person.same_as is null
    and (cast($3 as text) is null
    or ($3 = 'offered' and agreement.signed_on is null and (agreement.ended_on is null or agreement.ended_on > $4))
    or ($3 = 'later' and agreement.from_on > $4 and (agreement.ended_on is null or agreement.ended_on > $4))
    or ($3 = 'in_force' and agreement.from_on <= $4 and agreement.until_on >= $4
        and (agreement.ended_on is null or agreement.ended_on > $4))
    or ($3 = 'ends_soon' and agreement.from_on <= $4 and agreement.until_on between $4 and $5
        and agreement.renewed_on is null and (agreement.ended_on is null or agreement.ended_on > $4))
    or ($3 = 'expired' and agreement.until_on between $7 and $4 - 1
        and (agreement.ended_on is null or agreement.ended_on > agreement.until_on))
    or ($3 = 'ended' and agreement.ended_on <= $4
        and (agreement.until_on is null or agreement.ended_on <= agreement.until_on)))
    and (cast($6 as text) is null or ($6 = 'yes' and agreement.renewed_on is not null)
        or ($6 = 'no' and agreement.renewed_on is null))
    order by coalesce(agreement.until_on, agreement.offered_on), agreement.id limit $8 offset $9";
const COUNTED: &str = "select count(*) from agreement join person on person.id = agreement.person
    where agreement.home between $1 and $2 and person.died_on is null and person.same_as is null
    and (cast($3 as text) is null
    or ($3 = 'offered' and agreement.signed_on is null and (agreement.ended_on is null or agreement.ended_on > $4))
    or ($3 = 'later' and agreement.from_on > $4 and (agreement.ended_on is null or agreement.ended_on > $4))
    or ($3 = 'in_force' and agreement.from_on <= $4 and agreement.until_on >= $4
        and (agreement.ended_on is null or agreement.ended_on > $4))
    or ($3 = 'ends_soon' and agreement.from_on <= $4 and agreement.until_on between $4 and $5
        and agreement.renewed_on is null and (agreement.ended_on is null or agreement.ended_on > $4))
    or ($3 = 'expired' and agreement.until_on between $7 and $4 - 1
        and (agreement.ended_on is null or agreement.ended_on > agreement.until_on))
    or ($3 = 'ended' and agreement.ended_on <= $4
        and (agreement.until_on is null or agreement.ended_on <= agreement.until_on)))
    and (cast($6 as text) is null or ($6 = 'yes' and agreement.renewed_on is not null)
        or ($6 = 'no' and agreement.renewed_on is null))";
const IN_FORCE: &str = "select count(distinct agreement.person) from agreement
    join person on person.id = agreement.person
    where agreement.home between $1 and $2 and person.died_on is null and person.same_as is null
    and agreement.from_on <= $3 and agreement.until_on >= $3 and (agreement.ended_on is null or agreement.ended_on > $3)";
const RESIDENTS: &str = "select count(*) from person
    where home between $1 and $2 and died_on is null and same_as is null";
const RENEWED: &str =
    "select coalesce(sum(case when agreement.renewed_on is not null then 1 else 0 end), 0), count(*)
    from agreement join person on person.id = agreement.person
    where agreement.home between $1 and $2 and person.died_on is null and person.same_as is null
    and agreement.until_on >= $4 and agreement.until_on < $3
    and (agreement.ended_on is null or agreement.ended_on > agreement.until_on)";
const SIGNED_WITH: &str = "select agreement.person, person.name_sealed, agreement.id, agreement.home, person.birth,
    person.household, agreement.offered_on, agreement.from_on, agreement.until_on, agreement.ended_on,
    agreement.end_reason, agreement.renewed_on, agreement.packages, agreement_team.name
    from agreement_team_member
    join agreement_team on agreement_team.id = agreement_team_member.team
    join agreement on agreement.team = agreement_team.id
    join person on person.id = agreement.person
    where agreement_team_member.account = $1 and agreement_team_member.from_on <= $2
    and (agreement_team_member.until_on is null or agreement_team_member.until_on >= $2)
    and agreement.from_on <= $2 and agreement.until_on >= $2
    and (agreement.ended_on is null or agreement.ended_on > $2) and person.died_on is null and person.same_as is null
    order by agreement.home, person.household, person.id limit $3 offset $4";
const COUNT_SIGNED_WITH: &str = "select count(*) from agreement_team_member
    join agreement on agreement.team = agreement_team_member.team
    join person on person.id = agreement.person
    where agreement_team_member.account = $1 and agreement_team_member.from_on <= $2
    and (agreement_team_member.until_on is null or agreement_team_member.until_on >= $2)
    and agreement.from_on <= $2 and agreement.until_on >= $2
    and (agreement.ended_on is null or agreement.ended_on > $2) and person.died_on is null and person.same_as is null";
const HOUSEHOLD_SIGNED: &str = "select count(distinct agreement.person) from agreement
    join person on person.id = agreement.person
    where person.household = $1 and person.died_on is null and person.same_as is null and agreement.from_on <= $2
    and agreement.until_on >= $2 and (agreement.ended_on is null or agreement.ended_on > $2)";

/// What is listed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// How agreements stand; none: any.
    pub standing: Option<Standing>,
    /// Whether they were renewed; none: either.
    pub renewed: Option<bool>,
}

impl Wanted {
    fn params(&self, reach: &Reach, today: Day, remind_days: i32) -> [Value; 7] {
        params![
            reach.first(),
            reach.last(),
            self.standing.map(Standing::key),
            today,
            today.plus_days(remind_days),
            self.renewed.map(|renewed| if renewed { "yes" } else { "no" }),
            a_year_before(today)
        ]
    }
}

/// An agreement as lists show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Whose.
    pub person: Uuid,
    /// Name.
    pub name: String,
    /// Which.
    pub agreement: Uuid,
    /// Home place.
    pub home: DivisionCode,
    /// Birth date.
    pub birth: Option<Day>,
    /// The household.
    pub household: Uuid,
    /// When it was prepared.
    pub offered_on: Option<Day>,
    /// Its term, if it was signed.
    pub term: Option<(Day, Day)>,
    /// The day from which it ended.
    pub ended_on: Option<Day>,
    /// Why, as the fact has it.
    pub end_reason: String,
    /// When it was renewed.
    pub renewed_on: Option<Day>,
    /// Packages that tell no disease of level 5, by name in the pack.
    pub packages: Vec<String>,
    /// What the team is called.
    pub team: String,
}

/// Agreements within reach, those first whose term ends first.
///
/// # Errors
/// When the database fails.
pub fn listed(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    wanted: &Wanted,
    (today, remind_days): (Day, i32),
    (limit, offset): (i64, i64),
) -> Result<Vec<Listed>, DatabaseError> {
    let mut asked = wanted.params(reach, today, remind_days).to_vec();
    asked.extend(params![limit, offset]);
    rows_of(tx, LISTED, &asked)
}

fn rows_of(tx: &mut Transaction<'_>, statement: &str, asked: &[Value]) -> Result<Vec<Listed>, DatabaseError> {
    let opener = tx.opener()?;
    let rows = tx.query(statement, asked)?;
    let read = |row: &Row| {
        let (from, until): (Option<Day>, Option<Day>) = (row.get(7)?, row.get(8)?);
        let packages: String = row.get(12)?;
        Ok(Listed {
            person: row.get(0)?,
            name: read_name(&opener, row, (0, 1))?,
            agreement: row.get(2)?,
            home: row.get(3)?,
            birth: row.get(4)?,
            household: row.get(5)?,
            offered_on: row.get(6)?,
            term: from.zip(until),
            ended_on: row.get(9)?,
            end_reason: row.get(10)?,
            renewed_on: row.get(11)?,
            packages: packages.split_whitespace().map(str::to_owned).collect(),
            team: row.get::<Option<String>>(13)?.unwrap_or_default(),
        })
    };
    rows.iter().map(read).collect()
}

/// How many agreements within reach are wanted.
///
/// # Errors
/// When the database fails.
pub fn count(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    wanted: &Wanted,
    (today, remind_days): (Day, i32),
) -> Result<i64, DatabaseError> {
    let row = tx.query_one(COUNTED, &wanted.params(reach, today, remind_days))?;
    row.map_or(Ok(0), |row| row.get(0))
}

/// 签约率: residents with an agreement in force on `today`, of all residents.
///
/// # Errors
/// When the database fails.
pub fn in_force_share(tx: &mut Transaction<'_>, reach: &Reach, today: Day) -> Result<Share, DatabaseError> {
    let signed = tx.query_one(IN_FORCE, &params![reach.first(), reach.last(), today])?;
    let all = tx.query_one(RESIDENTS, &params![reach.first(), reach.last()])?;
    Ok((signed.map_or(Ok(0), |row| row.get(0))?, all.map_or(Ok(0), |row| row.get(0))?))
}

/// 续签率: of the agreements whose term ran out within the twelve months before `today`, those that were renewed.
///
/// # Errors
/// When the database fails.
pub fn renewed_share(tx: &mut Transaction<'_>, reach: &Reach, today: Day) -> Result<Share, DatabaseError> {
    let asked = params![reach.first(), reach.last(), today, a_year_before(today)];
    let row = tx.query_one(RENEWED, &asked)?;
    row.map_or(Ok((0, 0)), |row| Ok((row.get(0)?, row.get(1)?)))
}

/// Whom the teams of an account have signed on `today`, wherever they live, and how many: what somebody sees who reaches
/// nobody by place.
///
/// # Errors
/// When the database fails.
pub fn signed_with(
    tx: &mut Transaction<'_>,
    account: Id<Account>,
    today: Day,
    (limit, offset): (i64, i64),
) -> Result<(Vec<Listed>, i64), DatabaseError> {
    let rows = rows_of(tx, SIGNED_WITH, &params![account, today, limit, offset])?;
    let total = tx.query_one(COUNT_SIGNED_WITH, &params![account, today])?;
    Ok((rows, total.map_or(Ok(0), |row| row.get(0))?))
}

/// How many of a household have an agreement in force on `today`.
///
/// # Errors
/// When the database fails.
pub fn households_signed(
    tx: &mut Transaction<'_>,
    household: Uuid,
    today: Day,
) -> Result<i64, DatabaseError> {
    let row = tx.query_one(HOUSEHOLD_SIGNED, &params![household, today])?;
    row.map_or(Ok(0), |row| row.get(0))
}
