//! Teams and who is in them.

use kangmai_access::Reach;
use kangmai_base::{Day, DivisionCode, DivisionLevel, Uuid};
use kangmai_database::{DatabaseError, InsertMany, Row, Transaction, params};
use kangmai_record::{Fact, Projection, nothing_along, nothing_to_forget};

use crate::facts::{Member, TEAM_KEPT, TeamKept};

const FORGET_TEAM: &str = "delete from agreement_team where id = $1";
const FORGET_MEMBERS: &str = "delete from agreement_team_member where team = $1";
const PUT_TEAM: &str = "insert into agreement_team (id, place, name, phone, area, from_on, closed_on)
    values ($1, $2, $3, $4, $5, $6, $7)";
const PUT_MEMBERS: InsertMany = InsertMany {
    table: "agreement_team_member",
    columns: &["id", "team", "account", "name", "role", "phone", "leads", "from_on", "until_on"],
    suffix: "",
};
const TEAM: &str =
    "select id, place, name, phone, area, from_on, closed_on from agreement_team where id = $1";
const MEMBERS: &str = "select id, account, name, role, phone, leads, from_on, until_on
    from agreement_team_member where team = $1 order by leads desc, from_on, id limit 500";
const TEAMS_AT: &str = "select id, place, name, phone, area, from_on, closed_on from agreement_team
    where place in ($1, $2, $3) and closed_on is null order by place desc, name, id limit 200";
const TEAMS_WITHIN: &str =
    "select agreement_team.id, place, name, phone, area, agreement_team.from_on, closed_on,
    (select count(*) from agreement where agreement.team = agreement_team.id and agreement.from_on <= $3
        and agreement.until_on >= $3 and (agreement.ended_on is null or agreement.ended_on > $3)),
    (select count(*) from agreement_team_member where agreement_team_member.team = agreement_team.id
        and agreement_team_member.from_on <= $3
        and (agreement_team_member.until_on is null or agreement_team_member.until_on >= $3))
    from agreement_team where place between $1 and $2
    order by closed_on is not null, place, name, id limit $4 offset $5";
const COUNT_WITHIN: &str = "select count(*) from agreement_team where place between $1 and $2";
const SIGNED_BY_TEAM: &str = "select agreement.id, agreement.person, agreement.until_on from agreement
    join person on person.id = agreement.person
    where agreement.team = $1 and agreement.until_on >= $2 and person.died_on is null
    and (agreement.ended_on is null or agreement.ended_on > $2) order by agreement.id limit $3";

/// The views of teams.
pub(super) const PROJECTION: Projection = Projection {
    name: "agreement teams",
    kinds: &[TEAM_KEPT],
    views: &["agreement_team", "agreement_team_member"],
    admit: |fact| fact.read_body::<TeamKept>().map(|_| ()),
    apply,
    along: nothing_along,
    // A team is of people at work, and about none who is served.
    forget: nothing_to_forget,
};

fn apply(tx: &mut Transaction<'_>, facts: &[&Fact]) -> Result<(), DatabaseError> {
    for fact in facts {
        let body: TeamKept = fact.body()?;
        tx.execute(FORGET_TEAM, &params![body.team])?;
        tx.execute(FORGET_MEMBERS, &params![body.team])?;
        let area: Vec<String> = body.area.iter().map(ToString::to_string).collect();
        tx.execute(
            PUT_TEAM,
            &params![
                body.team,
                fact.new.place,
                body.name,
                body.phone,
                area.join(" "),
                body.from,
                body.closed_on
            ],
        )?;
        let rows = body.members.iter().map(|member| {
            params![
                member.member,
                body.team,
                member.account,
                member.name.as_str(),
                member.role.as_str(),
                member.phone.as_str(),
                member.leads,
                member.from,
                member.until
            ]
        });
        tx.insert_many(&PUT_MEMBERS, rows)?;
    }
    Ok(())
}

/// A team with where it works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Team {
    /// Where.
    pub place: DivisionCode,
    /// As it is kept.
    pub kept: TeamKept,
}

impl Team {
    /// Whether the team serves who is at home in `home`.
    pub fn serves(&self, home: DivisionCode) -> bool {
        let area = &self.kept.area;
        self.place.contains(home) && (area.is_empty() || area.iter().any(|village| village.contains(home)))
    }
}

fn read_team(row: &Row) -> Result<Team, DatabaseError> {
    let area: String = row.get(4)?;
    Ok(Team {
        place: row.get(1)?,
        kept: TeamKept {
            team: row.get(0)?,
            name: row.get(2)?,
            phone: row.get(3)?,
            area: area.split_whitespace().filter_map(|code| code.parse().ok()).collect(),
            from: row.get(5)?,
            members: Vec::new(),
            closed_on: row.get(6)?,
            by: String::new(),
        },
    })
}

fn read_member(row: &Row) -> Result<Member, DatabaseError> {
    Ok(Member {
        member: row.get(0)?,
        account: row.get(1)?,
        name: row.get(2)?,
        role: row.get(3)?,
        phone: row.get(4)?,
        leads: row.get(5)?,
        from: row.get(6)?,
        until: row.get(7)?,
    })
}

/// The team `id` with its members, those who lead first.
///
/// # Errors
/// When the database fails.
pub fn team(tx: &mut Transaction<'_>, id: Uuid) -> Result<Option<Team>, DatabaseError> {
    let Some(row) = tx.query_one(TEAM, &params![id])? else { return Ok(None) };
    let mut team = read_team(&row)?;
    let rows = tx.query(MEMBERS, &params![id])?;
    team.kept.members = rows.iter().map(read_member).collect::<Result<_, _>>()?;
    Ok(Some(team))
}

/// The teams that may sign who is at home in `home`, those first that serve the village; without members.
///
/// # Errors
/// When the database fails.
pub fn teams_at(tx: &mut Transaction<'_>, home: DivisionCode) -> Result<Vec<Team>, DatabaseError> {
    let levels = [DivisionLevel::Village, DivisionLevel::Township, DivisionLevel::County];
    let [village, township, county] = levels.map(|level| home.at(level));
    let rows = tx.query(TEAMS_AT, &params![village, township, county])?;
    let mut teams: Vec<Team> = rows.iter().map(read_team).collect::<Result<_, _>>()?;
    teams.sort_by_key(|team| !team.serves(home));
    Ok(teams)
}

/// A team as lists show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TeamCount {
    /// The team, without members.
    pub team: Team,
    /// Agreements in force.
    pub signed: i64,
    /// Who is in it now.
    pub members: i64,
}

/// Teams within reach on `today`, those that work first, and how many there are.
///
/// # Errors
/// When the database fails.
pub fn teams_within(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    today: Day,
    (limit, offset): (i64, i64),
) -> Result<(Vec<TeamCount>, i64), DatabaseError> {
    let rows = tx.query(TEAMS_WITHIN, &params![reach.first(), reach.last(), today, limit, offset])?;
    let read = |row: &Row| Ok(TeamCount { team: read_team(row)?, signed: row.get(7)?, members: row.get(8)? });
    let teams: Vec<TeamCount> = rows.iter().map(read).collect::<Result<_, DatabaseError>>()?;
    let total = tx.query_one(COUNT_WITHIN, &params![reach.first(), reach.last()])?;
    Ok((teams, total.map_or(Ok(0), |row| row.get(0))?))
}

/// The agreements that a team has in force on `today` or will have: which, whose, and until when; at most so many.
///
/// # Errors
/// When the database fails.
pub fn signed_by_team(
    tx: &mut Transaction<'_>,
    team: Uuid,
    today: Day,
    limit: i64,
) -> Result<Vec<(Uuid, Uuid, Day)>, DatabaseError> {
    let rows = tx.query(SIGNED_BY_TEAM, &params![team, today, limit])?;
    rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).collect()
}
