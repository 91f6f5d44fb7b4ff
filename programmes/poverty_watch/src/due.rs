//! Whose turn it is, and what waits for somebody today: the lines of the home page.

use kangmai_access::{Actor, Purpose, Role, reach};
use kangmai_base::{Day, DivisionCode, Id, Uuid};
use kangmai_cases::{Case, Urgency, task};
use kangmai_database::{DatabaseError, Transaction};
use kangmai_policy::Clock;
use kangmai_programme::{App, DueLine};

use crate::rules::{Pressure, Stage, may_act, stage_rules, status};
use crate::store;

/// The clocks at a place on a day.
pub(crate) fn clock_at(app: &App, place: DivisionCode, day: Day) -> Option<Clock> {
    app.policies.watch_rules(place, day).map(|rules| rules.clock)
}

/// Key of the word that says how a stage presses, by the task that it makes; none where nothing waits.
pub(crate) fn urgency_word(stage: Stage, since: Day, today: Day, clock: &Clock) -> Option<&'static str> {
    let case = Case {
        id: Id::from_uuid(Uuid::nil()),
        programme: String::new(),
        subject: Uuid::nil(),
        place: DivisionCode::COUNTRY,
        stage: stage.key().to_owned(),
        stage_since: since,
        opened_on: since,
        closed_on: None,
        outcome: None,
        weight: 0,
    };
    match task(&case, &stage_rules(clock), today)?.urgency {
        Urgency::Hidden => None,
        Urgency::Open => Some("cases.urgency.open"),
        Urgency::DueToday => Some("cases.urgency.due_today"),
        Urgency::Overdue => Some("cases.urgency.overdue"),
        Urgency::Escalated => Some("cases.urgency.escalated"),
    }
}

/// The stages whose next step is `actor`'s daily work, at most three.
pub(crate) fn stages_of(actor: &Actor) -> Vec<Stage> {
    let at_county = may_act(Stage::County, actor.place, actor);
    let at_township = may_act(Stage::Notice, actor.place, actor);
    match actor.role {
        Role::HealthBureau | Role::Cadre if at_county => vec![Stage::County, Stage::Feedback],
        Role::TownshipOfficer if at_township => vec![Stage::Notice],
        _ if may_act(Stage::Clue, actor.place, actor) => vec![Stage::Clue, Stage::Review, Stage::Posting],
        _ => Vec::new(),
    }
}

/// What waits for `actor` on `today`: one line for each stage that is theirs, and one for what others let pass.
pub(crate) fn due(
    tx: &mut Transaction<'_>,
    app: &App,
    actor: &Actor,
    today: Day,
) -> Result<Vec<DueLine>, DatabaseError> {
    let mine = stages_of(actor);
    let (Some(reach), Some(clock)) = (reach(actor, Purpose::ReadWarnings), clock_at(app, actor.place, today))
    else {
        return Ok(Vec::new());
    };
    if mine.is_empty() {
        return Ok(Vec::new());
    }
    let rules = stage_rules(&clock);
    let waiting = store::waiting(tx, &reach)?;
    let mut lines: Vec<DueLine> = Vec::new();
    for rule in rules.iter().filter(|rule| mine.iter().any(|stage| stage.key() == rule.stage)) {
        let shown = waiting.iter().filter(|(stage, since, ..)| {
            stage.key() == rule.stage && since.plus_days(rule.show_after_days) <= today
        });
        let (mut count, mut late) = (0, 0);
        for (stage, since, opened_on, how_many) in shown {
            count += how_many;
            let pressure = status(*stage, *since, *opened_on, today, &clock).pressure;
            late += if pressure == Pressure::Late { *how_many } else { 0 };
        }
        if count > 0 {
            lines.push(DueLine {
                word: rule.todo,
                count,
                late,
                path: format!("/warnings?stage={}", rule.stage),
            });
        }
    }
    let others: i64 = waiting
        .iter()
        .filter(|(stage, since, opened_on, _)| {
            !mine.contains(stage)
                && status(*stage, *since, *opened_on, today, &clock).pressure == Pressure::Late
        })
        .map(|(.., count)| count)
        .sum();
    let watches_others = matches!(actor.role, Role::TownshipOfficer | Role::HealthBureau);
    if watches_others && others > 0 {
        let path = "/warnings?whose=late".to_owned();
        lines.push(DueLine { word: "poverty_watch.todo.others", count: others, late: others, path });
    }
    Ok(lines)
}
