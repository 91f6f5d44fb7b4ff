//! What people did about warnings before today: most end without risk, some were taken in, a few are late.

use kangmai_access::{Actor, Purpose, reach};
use kangmai_base::{Day, Uuid};
use kangmai_database::{DatabaseError, Transaction};
use kangmai_poverty_watch::rules::{Command, DismissReason};
use kangmai_poverty_watch::{store, take_step};
use kangmai_programme::App;

use super::Draw;

/// Warnings that are taken up at once.
const AT_ONCE: i64 = 5_000;

/// Takes the steps that were taken about open warnings between `opened` and `today`.
///
/// # Errors
/// When the database fails.
pub(crate) fn take_steps(app: &App, seed: u64, opened: Day, today: Day) -> Result<(), DatabaseError> {
    let (app, app_inside) = (app.clone(), app.clone());
    app.database.write_blocking(move |tx| {
        let actor = Actor::system();
        let Some(within) = reach(&actor, Purpose::ReadWarnings) else { return Ok(()) };
        let mut draw = Draw::new(seed);
        let open = store::Wanted {
            stages: vec![kangmai_poverty_watch::rules::Stage::Clue],
            ..store::Wanted::default()
        };
        for row in store::list(tx, &within, &open, (AT_ONCE, 0))? {
            for (day, command) in history(&mut draw, opened) {
                if day > today {
                    break;
                }
                step(tx, &app_inside, &actor, row.id, &command, day)?;
            }
        }
        Ok(())
    })
}

/// A refusal is no fault here: a step that the rules forbid on its day simply was not taken.
fn step(
    tx: &mut Transaction<'_>,
    app: &App,
    actor: &Actor,
    id: Uuid,
    command: &Command,
    day: Day,
) -> Result<(), DatabaseError> {
    take_step(tx, app, actor, id, command, day).map(|_| ())
}

/// What is done about a warning and when.
fn history(draw: &mut Draw, opened: Day) -> Vec<(Day, Command)> {
    let after = |days: i32| opened.plus_days(days);
    match draw.below(1_000) {
        0..=44 => Vec::new(),
        45..=919 => {
            let reason = draw.early_one_of(&DismissReason::ALL);
            let reason = if reason == DismissReason::Other { DismissReason::CanBear } else { reason };
            vec![(after(draw.between(1, 6)), Command::Dismiss { reason, note: String::new() })]
        }
        _ => {
            let visited = draw.between(1, 4);
            let posted = visited + draw.between(0, 2);
            let checked = posted + draw.between(6, 8);
            let take_in = draw.chance(650);
            let note = if take_in { "同意纳入监测" } else { "家庭收入可以承担" };
            vec![
                (after(visited), Command::CheckHousehold { consent: true, note: "已入户，情况属实".into() }),
                (
                    after(posted),
                    Command::ReviewInVillage {
                        posted_on: Some(after(posted)), note: "村级评议通过".into()
                    },
                ),
                (after(checked), Command::CheckInTownship { objections: false, note: String::new() }),
                (after(checked + 2), Command::Decide { take_in, note: note.into() }),
            ]
        }
    }
}
