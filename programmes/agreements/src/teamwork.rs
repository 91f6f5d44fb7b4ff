//! Keeping teams: a fact with the whole team, and what its members reach by it.

use kangmai_base::{Day, DivisionCode, Id, Moment, Refusal, Uuid};
use kangmai_database::{DatabaseError, Transaction};
use kangmai_people::find_person;
use kangmai_programme::App;
use kangmai_record::{NewFact, Source, Subject};

use crate::act::{Hand, relate_team, write};
use crate::facts::{Member, TEAM_KEPT, TeamKept};
use crate::rules;
use crate::store::{self, Team};

/// The members of a team at most, those who left included.
pub const MOST_MEMBERS: usize = 200;
/// The agreements that one act of a team concerns at most.
pub const MOST_OF_TEAM: i64 = 20_000;

/// Adds somebody to a team. Who leads takes the place of who led before.
///
/// # Errors
/// The refusal that says why not.
pub fn joined(team: &TeamKept, new: Member, may_lead: bool) -> Result<TeamKept, Refusal> {
    let mut kept = team.clone();
    if kept.members.len() >= MOST_MEMBERS {
        return Err(Refusal::new("agreements.refused.team_full").with("most", MOST_MEMBERS.to_string()));
    }
    if new.name.is_empty() {
        return Err(Refusal::new("agreements.refused.member_name").at("name"));
    }
    if new.from < team.from {
        let refusal = Refusal::new("agreements.refused.member_before").with("day", team.from.to_string());
        return Err(refusal.at("from"));
    }
    let is_there = |one: &Member| {
        let same = if new.account.is_some() { one.account == new.account } else { one.name == new.name };
        same && rules::is_in(one, new.from)
    };
    if kept.members.iter().any(is_there) {
        return Err(Refusal::new("agreements.refused.member_twice").at("account"));
    }
    if new.leads && !may_lead {
        return Err(Refusal::new("agreements.refused.may_not_lead").at("role"));
    }
    if new.leads {
        for one in kept.members.iter_mut().filter(|one| one.until.is_none()) {
            one.leads = false;
        }
    }
    kept.members.push(new);
    Ok(kept)
}

/// Lets somebody leave a team: their last day. Who leads stays until another does.
///
/// # Errors
/// The refusal that says why not.
pub fn left(team: &TeamKept, member: Uuid, until: Day) -> Result<TeamKept, Refusal> {
    let mut kept = team.clone();
    let Some(one) = kept.members.iter_mut().find(|one| one.member == member && one.until.is_none()) else {
        return Err(Refusal::new("agreements.refused.not_a_member"));
    };
    if one.leads && team.closed_on.is_none() {
        return Err(Refusal::new("agreements.refused.leader_leaves"));
    }
    if until < one.from {
        return Err(Refusal::new("agreements.refused.member_before")
            .with("day", one.from.to_string())
            .at("until"));
    }
    one.until = Some(until);
    Ok(kept)
}

/// Keeps a team as it is from now on, in the caller's transaction.
///
/// # Errors
/// When the database fails.
pub fn keep_team(
    tx: &mut Transaction<'_>,
    app: &App,
    (place, kept): (DivisionCode, &TeamKept),
    hand: &Hand,
) -> Result<(), DatabaseError> {
    let body = serde_json::to_string(kept).map_err(|error| DatabaseError::Refused(error.to_string()))?;
    let fact = NewFact {
        id: app.mint(),
        kind: TEAM_KEPT.to_owned(),
        subject: Subject::place(place),
        occurred_at: hand.now,
        recorded_at: hand.now,
        place,
        author: hand.author,
        source: Source::Typed,
        corrects: None,
        body,
    };
    app.record.keep(tx, hand.now, vec![fact])
}

/// The same with a team whose members changed: what they reach by the team's agreements follows.
///
/// # Errors
/// When the database fails.
pub fn keep_members(
    tx: &mut Transaction<'_>,
    app: &App,
    (place, kept): (DivisionCode, &TeamKept),
    hand: &Hand,
) -> Result<(), DatabaseError> {
    keep_team(tx, app, (place, kept), hand)?;
    renew_reach(tx, app, kept.team, hand.now)
}

fn renew_reach(tx: &mut Transaction<'_>, app: &App, team: Uuid, now: Moment) -> Result<(), DatabaseError> {
    for (agreement, person, _) in store::signed_by_team(tx, team, now.day(), MOST_OF_TEAM)? {
        let folder = store::folder_of(tx, person)?;
        let term = folder.agreement(agreement).and_then(|one| one.term().zip(one.last_day()));
        relate_team(tx, app, (person, agreement, team), term, now)?;
    }
    Ok(())
}

/// Gives all agreements of a team to another; answers how many.
///
/// # Errors
/// When the database fails; the inner refusal when a rule says no.
pub fn pass_all_on(
    tx: &mut Transaction<'_>,
    app: &App,
    (from, to): (Uuid, &Team),
    reason: &str,
    hand: &Hand,
) -> Result<Result<usize, Refusal>, DatabaseError> {
    let mut passed = 0;
    for (agreement, person, _) in store::signed_by_team(tx, from, hand.now.day(), MOST_OF_TEAM)? {
        let Some(person) = find_person(tx, Id::from_uuid(person))? else { continue };
        let done = write(tx, app, &person, hand, |writing| {
            writing.pass_on(hand, agreement, &to.kept, reason.to_owned())
        })?;
        match done {
            Ok(_) => passed += 1,
            Err(refusal) => return Ok(Err(refusal)),
        }
    }
    Ok(Ok(passed))
}
