//! The way of a warning: clue, home check, village review and notice, township check, county decision, outcome. Pure.
//!
//! As counties publish it (甘肃省秦安县, 防返贫监测识别程序): from clue to decision at most 15 days, village notice at least 5
//! days, only in the village and once. Other places count otherwise, so the days are knobs of the pack ([`Clock`]).

use kangmai_access::{Actor, Purpose, Role, reach};
use kangmai_base::{Day, DivisionCode, DivisionLevel, Refusal, Uuid};
use kangmai_cases::StageRule;
use kangmai_policy::Clock;
use serde::{Deserialize, Serialize};

use crate::facts::{
    COUNTY_DECIDED, DISMISSED, HOUSEHOLD_CHECKED, NOTICED, OUTCOME_FED_BACK, Step, TOWNSHIP_CHECKED, UNDONE,
    VILLAGE_REVIEWED,
};

/// Where a warning stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// 待入户核实
    Clue,
    /// 待村级评议
    Review,
    /// 待张贴公示
    Posting,
    /// 公示中, 待乡镇初审
    Notice,
    /// 待县级审定
    County,
    /// 已纳入, 待反馈帮扶结果
    Feedback,
    /// 已办结
    Closed,
}

impl Stage {
    /// All, in the order of the work.
    pub const ALL: [Stage; 7] = [
        Stage::Clue,
        Stage::Review,
        Stage::Posting,
        Stage::Notice,
        Stage::County,
        Stage::Feedback,
        Stage::Closed,
    ];

    /// In the database and in addresses; the key of its word is `poverty_watch.stage.` and this.
    pub const fn key(self) -> &'static str {
        match self {
            Stage::Clue => "clue",
            Stage::Review => "review",
            Stage::Posting => "posting",
            Stage::Notice => "notice",
            Stage::County => "county",
            Stage::Feedback => "feedback",
            Stage::Closed => "closed",
        }
    }

    /// The stage that `key` names.
    pub fn of_key(key: &str) -> Option<Stage> {
        Stage::ALL.into_iter().find(|stage| stage.key() == key)
    }

    /// Whose turn it is, and for what they must have a purpose; nobody's once it is closed.
    pub const fn turn(self) -> Option<(Role, Purpose)> {
        match self {
            Stage::Clue | Stage::Review | Stage::Posting => {
                Some((Role::VillageDoctor, Purpose::CheckWarnings))
            }
            Stage::Notice => Some((Role::TownshipOfficer, Purpose::ReviewWarnings)),
            Stage::County | Stage::Feedback => Some((Role::HealthBureau, Purpose::DecideWarnings)),
            Stage::Closed => None,
        }
    }
}

/// How a warning ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// There was no risk: a false alarm.
    NoRisk,
    /// Taken in.
    TakenIn,
    /// Checked in full and not taken in.
    NotTakenIn,
}

impl Outcome {
    /// All three.
    pub const ALL: [Outcome; 3] = [Outcome::NoRisk, Outcome::TakenIn, Outcome::NotTakenIn];

    /// In the database; the key of its word is `poverty_watch.outcome.` and this.
    pub const fn key(self) -> &'static str {
        match self {
            Outcome::NoRisk => "no_risk",
            Outcome::TakenIn => "taken_in",
            Outcome::NotTakenIn => "not_taken_in",
        }
    }

    /// The outcome that `key` names.
    pub fn of_key(key: &str) -> Option<Outcome> {
        Outcome::ALL.into_iter().find(|outcome| outcome.key() == key)
    }
}

/// Why there is no risk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DismissReason {
    /// The household can bear it.
    CanBear,
    /// Somebody else paid: commercial insurance, the other side of an accident, charity.
    PaidByOthers,
    /// The household is taken in or helped already.
    AlreadyHelped,
    /// The data are wrong: another person's bill, a bill twice.
    WrongData,
    /// Moved away or died.
    Gone,
    /// Something else, which the note says.
    Other,
}

impl DismissReason {
    /// All, the most frequent first.
    pub const ALL: [DismissReason; 6] = [
        DismissReason::CanBear,
        DismissReason::PaidByOthers,
        DismissReason::AlreadyHelped,
        DismissReason::WrongData,
        DismissReason::Gone,
        DismissReason::Other,
    ];

    /// In forms; the key of its word is `poverty_watch.dismiss.` and this.
    pub const fn key(self) -> &'static str {
        match self {
            DismissReason::CanBear => "can_bear",
            DismissReason::PaidByOthers => "paid_by_others",
            DismissReason::AlreadyHelped => "already_helped",
            DismissReason::WrongData => "wrong_data",
            DismissReason::Gone => "gone",
            DismissReason::Other => "other",
        }
    }

    /// The reason that `key` names.
    pub fn of_key(key: &str) -> Option<DismissReason> {
        DismissReason::ALL.into_iter().find(|reason| reason.key() == key)
    }
}

/// A warning, as far as rules ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// Where the household is.
    pub place: DivisionCode,
    /// Where it stands.
    pub stage: Stage,
    /// Since when.
    pub since: Day,
    /// The day of the clue.
    pub opened_on: Day,
    /// The day on which the village notice was posted.
    pub noticed_on: Option<Day>,
    /// The last step that somebody took.
    pub last: Option<LastStep>,
}

/// The last step that somebody took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastStep {
    /// Its fact.
    pub fact: Uuid,
    /// The account.
    pub author: Uuid,
    /// On which day.
    pub on: Day,
    /// The stage before.
    pub from: Stage,
    /// Since when it had been in that stage.
    pub since: Day,
}

/// What somebody wants to do about a warning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// The house was visited; there is risk.
    CheckHousehold {
        /// The household agrees that its data are compared.
        consent: bool,
        /// What was seen.
        note: String,
    },
    /// There is no risk.
    Dismiss {
        /// Why.
        reason: DismissReason,
        /// More about it.
        note: String,
    },
    /// The village reviewed it and agrees.
    ReviewInVillage {
        /// The day on which the notice was posted, if it was at once.
        posted_on: Option<Day>,
        /// What was said.
        note: String,
    },
    /// The notice was posted.
    PostNotice {
        /// On which day.
        posted_on: Day,
    },
    /// The notice is over and the township checked.
    CheckInTownship {
        /// Whether anybody objected.
        objections: bool,
        /// What, and how it was settled.
        note: String,
    },
    /// The county decides. Final.
    Decide {
        /// Whether the household is taken in.
        take_in: bool,
        /// Why.
        note: String,
    },
    /// What became of the household.
    FeedBack {
        /// What was done and how it stands.
        note: String,
    },
    /// Take the last step back.
    Undo,
}

/// The longest note, in characters.
pub const LONGEST_NOTE: usize = 500;

/// What a command comes to: the kinds and bodies of the facts, in order.
///
/// # Errors
/// `poverty_watch.refused.…`: not this stage, not yours, the notice too short, a note or day missing or wrong, final.
pub fn decide(
    warning: &Warning,
    command: &Command,
    actor: &Actor,
    today: Day,
    clock: &Clock,
) -> Result<Vec<(&'static str, Step)>, Refusal> {
    if *command == Command::Undo {
        return undo(warning, actor, today);
    }
    is_their_turn(warning, command, actor)?;
    let step = |to: Stage, note: &str| plain_step(warning, actor, today, to, note);
    match command {
        Command::CheckHousehold { consent, note } => {
            let step = Step { consent: Some(*consent), ..step(Stage::Review, note) };
            Ok(vec![(HOUSEHOLD_CHECKED, step)])
        }
        Command::Dismiss { reason, note } => {
            if *reason == DismissReason::Other {
                // This form stands beside others that have a note too.
                needs_note(note).map_err(|refusal| refusal.at("explanation"))?;
            }
            Ok(vec![(DISMISSED, Step { reason: Some(*reason), ..step(Stage::Closed, note) })])
        }
        Command::ReviewInVillage { posted_on: None, note } => {
            Ok(vec![(VILLAGE_REVIEWED, step(Stage::Posting, note))])
        }
        Command::ReviewInVillage { posted_on: Some(posted_on), note } => {
            may_be_posted(warning, *posted_on, today)?;
            let reviewed = step(Stage::Posting, note);
            let posted = Step { from: Stage::Posting, since: today, ..step(Stage::Notice, "") };
            let posted = Step { posted_on: Some(*posted_on), ..posted };
            Ok(vec![(VILLAGE_REVIEWED, reviewed), (NOTICED, posted)])
        }
        Command::PostNotice { posted_on } => {
            may_be_posted(warning, *posted_on, today)?;
            Ok(vec![(NOTICED, Step { posted_on: Some(*posted_on), ..step(Stage::Notice, "") })])
        }
        Command::CheckInTownship { objections, note } => {
            notice_is_over(warning, today, clock)?;
            if *objections {
                needs_note(note)?;
            }
            let step = Step { objections: Some(*objections), ..step(Stage::County, note) };
            Ok(vec![(TOWNSHIP_CHECKED, step)])
        }
        Command::Decide { take_in, note } => {
            if !take_in {
                needs_note(note)?;
            }
            let to = if *take_in { Stage::Feedback } else { Stage::Closed };
            Ok(vec![(COUNTY_DECIDED, Step { take_in: Some(*take_in), ..step(to, note) })])
        }
        Command::FeedBack { note } => {
            needs_note(note)?;
            Ok(vec![(OUTCOME_FED_BACK, step(Stage::Closed, note))])
        }
        Command::Undo => undo(warning, actor, today),
    }
}

fn plain_step(warning: &Warning, actor: &Actor, today: Day, to: Stage, note: &str) -> Step {
    Step {
        on: today,
        by: actor.name.clone(),
        from: warning.stage,
        since: warning.since,
        to,
        note: note.trim().to_owned(),
        consent: None,
        posted_on: None,
        objections: None,
        take_in: None,
        reason: None,
        undoes: None,
    }
}

/// Whether a command belongs to a stage.
fn belongs(command: &Command, stage: Stage) -> bool {
    match command {
        Command::CheckHousehold { .. } => stage == Stage::Clue,
        Command::Dismiss { .. } => !matches!(stage, Stage::Feedback | Stage::Closed),
        Command::ReviewInVillage { .. } => stage == Stage::Review,
        Command::PostNotice { .. } => stage == Stage::Posting,
        Command::CheckInTownship { .. } => stage == Stage::Notice,
        Command::Decide { .. } => stage == Stage::County,
        Command::FeedBack { .. } => stage == Stage::Feedback,
        Command::Undo => true,
    }
}

fn is_their_turn(warning: &Warning, command: &Command, actor: &Actor) -> Result<(), Refusal> {
    if !belongs(command, warning.stage) {
        return Err(Refusal::new("poverty_watch.refused.not_this_stage"));
    }
    if may_act(warning.stage, warning.place, actor) {
        Ok(())
    } else {
        Err(Refusal::new("poverty_watch.refused.not_yours"))
    }
}

/// Whether the next step of a warning in `stage` at `place` is one that `actor` may take: the purpose, the place, and
/// the tier that the step belongs to.
pub fn may_act(stage: Stage, place: DivisionCode, actor: &Actor) -> bool {
    let Some((_, purpose)) = stage.turn() else { return false };
    let is_of_tier = match purpose {
        Purpose::DecideWarnings => is_at_least(actor, DivisionLevel::County),
        Purpose::ReviewWarnings => is_at_least(actor, DivisionLevel::Township),
        _ => true,
    };
    is_of_tier && reach(actor, purpose).is_some_and(|reach| reach.covers(place))
}

fn is_at_least(actor: &Actor, tier: DivisionLevel) -> bool {
    actor.place.level().is_none_or(|level| level <= tier)
}

fn needs_note(note: &str) -> Result<(), Refusal> {
    if note.trim().is_empty() {
        return Err(Refusal::new("poverty_watch.refused.needs_note").at("note"));
    }
    Ok(())
}

fn may_be_posted(warning: &Warning, posted_on: Day, today: Day) -> Result<(), Refusal> {
    if posted_on > today {
        return Err(Refusal::new("poverty_watch.refused.posted_in_future").at("posted_on"));
    }
    if posted_on < warning.opened_on {
        let refusal = Refusal::new("poverty_watch.refused.posted_before_clue").at("posted_on");
        return Err(refusal.with("day", warning.opened_on.to_string()));
    }
    Ok(())
}

/// The village notice must have hung for its days: posted on the 1st, five days, the 6th is the first on which the
/// township may close it.
fn notice_is_over(warning: &Warning, today: Day, clock: &Clock) -> Result<(), Refusal> {
    let posted_on = warning.noticed_on.unwrap_or(warning.since);
    let ends = posted_on.plus_days(clock.notice_days);
    if today < ends {
        let refusal = Refusal::new("poverty_watch.refused.notice_too_short");
        return Err(refusal.with("days", clock.notice_days.to_string()).with("day", ends.to_string()));
    }
    Ok(())
}

/// The last step is taken back by who took it, on the same day, unless it was the county's.
fn undo(warning: &Warning, actor: &Actor, today: Day) -> Result<Vec<(&'static str, Step)>, Refusal> {
    let Some(last) = warning.last.filter(|last| can_undo(last, actor, today)) else {
        return Err(Refusal::new("poverty_watch.refused.final"));
    };
    let step = plain_step(warning, actor, today, last.from, "");
    let step = Step { since: last.since, undoes: Some(last.fact), ..step };
    Ok(vec![(UNDONE, step)])
}

/// Whether `actor` may take `last` back today.
pub fn can_undo(last: &LastStep, actor: &Actor, today: Day) -> bool {
    let is_final = matches!(last.from, Stage::County | Stage::Feedback | Stage::Closed);
    !is_final && last.author == actor.account.uuid() && last.on == today
}

/// How much a warning presses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pressure {
    /// There is time, or nothing to do.
    Calm,
    /// Three days or fewer.
    Soon,
    /// The day has come or is past.
    Late,
}

impl Pressure {
    /// For `page.tag`.
    pub const fn tone(self) -> &'static str {
        match self {
            Pressure::Calm => "plain",
            Pressure::Soon => "warning",
            Pressure::Late => "danger",
        }
    }
}

/// How a warning stands on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status {
    /// By when this stage should be done; none once it is decided.
    pub due: Option<Day>,
    /// By when the county must have decided.
    pub decision_due: Day,
    /// How much it presses.
    pub pressure: Pressure,
}

/// How a warning stands on `today`: the stage's own day and the day of decision, whichever comes first, rule. On the
/// day of decision itself (day 15) it is red.
pub fn status(stage: Stage, since: Day, opened_on: Day, today: Day, clock: &Clock) -> Status {
    let decision_due = after(clock, opened_on, clock.decision_days);
    if matches!(stage, Stage::Feedback | Stage::Closed) {
        return Status { due: None, decision_due, pressure: Pressure::Calm };
    }
    let rules = stage_rules(clock);
    let days = rules.iter().find(|rule| rule.stage == stage.key()).map_or(0, |rule| rule.due_after_days);
    let due = since.plus_days(days).min(decision_due);
    let left = due.days_since(today);
    let pressure = if today >= decision_due || left < 0 {
        Pressure::Late
    } else if left <= 3 {
        Pressure::Soon
    } else {
        Pressure::Calm
    };
    Status { due: Some(due), decision_due, pressure }
}

/// The day `days` after `from`, in working days (Monday to Friday; public holidays are not known here) if the pack
/// counts so.
pub fn after(clock: &Clock, from: Day, days: i32) -> Day {
    if !clock.working_days {
        return from.plus_days(days);
    }
    let (mut day, mut left) = (from, days);
    while left > 0 {
        day = day.plus_days(1);
        left -= i32::from(is_working_day(day));
    }
    day
}

/// 1970-01-01 was a Thursday.
const fn is_working_day(day: Day) -> bool {
    (day.0 + 3).rem_euclid(7) < 5
}

/// What each stage asks for: the home check and the notice have days of their own; what the clock leaves is shared in
/// equal parts among village, township and county.
pub fn stage_rules(clock: &Clock) -> [StageRule; 6] {
    let calendar = |days: i32| if clock.working_days { days + 2 * ((days + 4) / 5) } else { days };
    let spare = (clock.decision_days - clock.home_check_days - clock.notice_days).max(3);
    let share = calendar(spare / 3);
    let home_check = calendar(clock.home_check_days);
    let rule = |stage: Stage, show: i32, due: i32, up: Role, todo: &'static str| StageRule {
        stage: stage.key(),
        owner: stage.turn().map_or(Role::System, |(role, _)| role),
        show_after_days: show,
        due_after_days: due,
        late_after_days: due,
        escalates_to: up,
        todo,
    };
    let (township, county) = (Role::TownshipOfficer, Role::HealthBureau);
    [
        rule(Stage::Clue, 0, home_check, township, "poverty_watch.todo.clue"),
        rule(Stage::Review, 0, share, township, "poverty_watch.todo.review"),
        rule(Stage::Posting, 0, share, township, "poverty_watch.todo.posting"),
        rule(
            Stage::Notice,
            clock.notice_days,
            clock.notice_days + share,
            county,
            "poverty_watch.todo.notice",
        ),
        rule(Stage::County, 0, calendar(spare - 2 * (spare / 3)), county, "poverty_watch.todo.county"),
        rule(Stage::Feedback, 0, 30, county, "poverty_watch.todo.feedback"),
    ]
}

#[cfg(test)]
#[path = "rules_tests.rs"]
mod tests;
