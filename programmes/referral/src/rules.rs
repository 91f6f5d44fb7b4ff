//! What may be done with a referral, by whom, and by when: pure. Days come from the pack.

use kangmai_base::{Day, Refusal, Uuid};
use kangmai_people::Person;
use kangmai_policy::ReferralRules;

use crate::facts::{Direction, EndReason, Urgency};
use crate::folder::{Folder, Referral, Stage};
use crate::visits::{Visit, Visits};

/// A reason in words has at least so many characters: our own choice, so that a dot is none.
pub const SHORTEST_REASON: usize = 2;
/// Days back within which something that was done may be written down: our own choice.
pub const MOST_DAYS_AFTER: i32 = 90;

/// On which sides of a referral somebody stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sides {
    /// They answer for who refers.
    pub sends: bool,
    /// They answer for who was asked.
    pub receives: bool,
}

/// What can be done with a referral.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Act {
    /// Accept or refuse it.
    Answer,
    /// Write down whether the person came.
    Arrive,
    /// Send the person back down.
    SendBack,
    /// Send the person elsewhere instead.
    SendOn,
    /// End it.
    End,
}

/// What somebody on these sides may do; of who died nothing but ending it.
pub fn acts(one: &Referral, sides: Sides, has_died: bool) -> Vec<Act> {
    let (stage, direction) = (one.stage(), one.body().direction);
    let may = |act: &Act| match act {
        Act::Answer => sides.receives && stage == Stage::Waiting,
        Act::Arrive => {
            sides.receives && direction == Direction::Up && matches!(stage, Stage::Accepted | Stage::Waiting)
        }
        Act::SendBack => sides.receives && direction == Direction::Up && stage == Stage::Here,
        Act::SendOn => sides.sends && matches!(stage, Stage::Refused | Stage::Absent),
        Act::End => !end_reasons(one, sides, has_died).is_empty(),
    };
    let all = [Act::Answer, Act::Arrive, Act::SendBack, Act::SendOn, Act::End];
    all.into_iter().filter(may).filter(|act| !has_died || *act == Act::End).collect()
}

/// Why somebody on these sides may end it.
pub fn end_reasons(one: &Referral, sides: Sides, has_died: bool) -> Vec<EndReason> {
    if !one.is_open() || !(sides.sends || sides.receives) {
        return Vec::new();
    }
    if has_died {
        return vec![EndReason::Died];
    }
    match one.stage() {
        Stage::Waiting | Stage::Accepted if sides.sends => vec![EndReason::Withdrawn],
        Stage::Refused | Stage::Absent if sides.sends => {
            vec![EndReason::NotNeeded, EndReason::PatientRefused, EndReason::Elsewhere]
        }
        Stage::Here if sides.receives => vec![EndReason::Treated],
        _ => Vec::new(),
    }
}

/// Why a visit that came to a referral needs none.
pub const WAIVING: [EndReason; 3] = [EndReason::NotNeeded, EndReason::PatientRefused, EndReason::Elsewhere];

/// By when the stage that it is in should be over; none: no time is set.
pub fn due(one: &Referral, rules: &ReferralRules) -> Option<Day> {
    let days = days_of(one.stage(), one.body().direction, one.body().urgency, rules)?;
    Some(one.waits_since().plus_days(days))
}

/// In how many days a stage should be over.
pub const fn days_of(
    stage: Stage,
    direction: Direction,
    urgency: Urgency,
    rules: &ReferralRules,
) -> Option<i32> {
    match (stage, direction, urgency) {
        (Stage::Waiting, Direction::Down, _) => Some(rules.take_back_days),
        (Stage::Waiting, _, Urgency::AtOnce) => Some(rules.answer_at_once_days),
        (Stage::Waiting, _, Urgency::Ordinary) => Some(rules.answer_days),
        (Stage::Accepted, ..) => Some(rules.arrive_days),
        (Stage::Refused | Stage::Absent, ..) => Some(rules.decide_days),
        // How long somebody is treated is the doctor's to say.
        (Stage::Here | Stage::Closed, ..) => None,
    }
}

/// The last day on which who was asked reaches the person; none: not at all.
pub fn reaches_until(one: &Referral, rules: &ReferralRules) -> Option<Day> {
    let answered = one.answered.as_ref().map(|answered| answered.body.on);
    match one.stage() {
        Stage::Waiting => Some(one.body().on.plus_days(rules.open_days)),
        Stage::Accepted => Some(one.waits_since().max(one.body().on).plus_days(rules.open_days)),
        Stage::Here => Some(one.waits_since().plus_days(rules.treating_days)),
        // Whoever took somebody back has them as a patient.
        Stage::Closed if one.ended.is_none() && one.outcome().is_some_and(|(how, _)| how == "taken_back") => {
            answered.map(|on| on.plus_days(rules.treating_days))
        }
        Stage::Refused | Stage::Absent | Stage::Closed => None,
    }
}

/// How a visit that came to a referral was followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handled {
    /// Nobody has done anything yet.
    Open,
    /// Somebody was referred.
    Referred,
    /// None is needed, with the reason.
    Waived,
    /// A later visit looked at the same before anybody was referred.
    Passed,
}

impl Handled {
    /// All, as filters offer them.
    pub const ALL: [Handled; 4] = [Handled::Open, Handled::Referred, Handled::Waived, Handled::Passed];

    /// As it stands in the table and in the keys of words.
    pub const fn key(self) -> &'static str {
        match self {
            Handled::Open => "open",
            Handled::Referred => "referred",
            Handled::Waived => "waived",
            Handled::Passed => "passed",
        }
    }

    /// The one that `key` names.
    pub fn of_key(key: &str) -> Option<Handled> {
        Handled::ALL.into_iter().find(|handled| handled.key() == key)
    }
}

/// How a visit was followed: by a referral of its own, or by any upwards from its day on before the next one.
pub fn handled(visit: &Visit, visits: &Visits, folder: &Folder) -> Handled {
    let next = visits.all.iter().map(|one| one.on).find(|on| *on > visit.on);
    let is_its = |one: &&Referral| {
        let body = one.body();
        let by_day = body.visit.is_none() && body.on >= visit.on && next.is_none_or(|next| body.on < next);
        let withdrawn = one.ended.as_ref().is_some_and(|ended| ended.body.reason == EndReason::Withdrawn);
        body.direction == Direction::Up && !withdrawn && (body.visit == Some(visit.id) || by_day)
    };
    if folder.referrals.iter().any(|one| is_its(&one)) {
        Handled::Referred
    } else if folder.waived.iter().any(|waived| waived.body.visit == visit.id) {
        Handled::Waived
    } else if visits.is_passed(visit) {
        Handled::Passed
    } else {
        Handled::Open
    }
}

/// The visit that waits for a referral, the latest; none: nothing waits.
pub fn wanted<'v>(visits: &'v Visits, folder: &Folder) -> Option<&'v Visit> {
    let waits = |visit: &&Visit| visit.urgency().is_some() && handled(visit, visits, folder) == Handled::Open;
    visits.all.iter().rev().find(waits)
}

/// An open referral of the person to the same place: the one to go on with.
pub fn already(folder: &Folder, to: Uuid, direction: Direction) -> Option<&Referral> {
    folder.open().find(|one| {
        let is_there = one.body().to.institution == Some(to) && one.body().direction == direction;
        // What was refused is over for who was asked; to ask them again is a new referral.
        is_there && !matches!(one.stage(), Stage::Refused | Stage::Absent)
    })
}

/// Whether something can have happened on a day.
///
/// # Errors
/// The refusal that says why not.
pub fn check_day(person: &Person, on: Day, (earliest, today): (Day, Day)) -> Result<(), Refusal> {
    if on > today {
        return Err(Refusal::new("referral.refused.future"));
    }
    let earliest = earliest.max(today.plus_days(-MOST_DAYS_AFTER));
    if on < earliest {
        return Err(Refusal::new("referral.refused.too_early").with("day", earliest.to_string()));
    }
    if let Some(died) = person.body.died_on.filter(|died| on > *died) {
        return Err(Refusal::new("referral.refused.after_death").with("day", died.to_string()));
    }
    Ok(())
}

/// Whether a reason says something.
///
/// # Errors
/// The refusal, without its field.
pub fn check_reason(text: &str) -> Result<(), Refusal> {
    if text.chars().count() < SHORTEST_REASON {
        return Err(Refusal::new("referral.refused.reason"));
    }
    Ok(())
}
