//! `kangmai audit`: the audit trail as a chain that can be verified, anchored and cut.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::bail;
use clap::{Args, Subcommand};
use kangmai_access::{
    AUDIT_KEPT_MONTHS, Actor, Anchor, LEAST_AUDIT_MONTHS, anchor_audit, audit, cut_audit, seal_audit,
    take_up_audit, verify_audit,
};
use kangmai_base::{Clock as _, Ids as _, Moment, SystemClock, SystemIds};
use kangmai_database::{Database, DatabaseError};
use kangmai_programme::App;

use crate::anchors::{keep_anchor, kept_anchors};
use crate::config::Config;

use super::say;

#[derive(Debug, Subcommand)]
pub(super) enum AuditCommand {
    /// Compare the whole trail with its chain and its anchors; name every line that was altered, removed or inserted
    Verify(Folder),
    /// Take every line into the chain and write its head to the folder of anchors
    Anchor(Folder),
    /// Take away what is older than the time for which the trail is kept
    Cut {
        #[command(flatten)]
        folder: Folder,
        /// Months for which the trail is kept
        #[arg(long, env = "KANGMAI_AUDIT_KEPT_MONTHS", default_value_t = AUDIT_KEPT_MONTHS, value_parser = clap::value_parser!(u32).range(i64::from(LEAST_AUDIT_MONTHS)..=1_200))]
        months: u32,
    },
}

/// Where anchors are kept.
#[derive(Debug, Clone, Args)]
pub(super) struct Folder {
    /// A folder for the anchors of the audit trail, best on another machine
    #[arg(long = "anchors", env = "KANGMAI_AUDIT_ANCHORS", default_value = "kangmai-data/audit-anchors")]
    anchors: PathBuf,
}

pub(super) fn run(config: &Config, command: &AuditCommand) -> anyhow::Result<()> {
    let database = super::serve::ready_database(config)?;
    match command {
        AuditCommand::Verify(folder) => verify(&database, &folder.anchors),
        AuditCommand::Anchor(folder) => {
            let Some((anchor, path)) = anchor(&database, &folder.anchors, SystemClock.now())? else {
                say("there is no line yet");
                return Ok(());
            };
            say(format!("line {} is anchored in {}", anchor.ordinal, path.display()));
            Ok(())
        }
        AuditCommand::Cut { folder, months } => cut(&database, &folder.anchors, *months),
    }
}

fn verify(database: &Database, folder: &Path) -> anyhow::Result<()> {
    let anchors = kept_anchors(folder)?;
    let found = database.read_blocking(move |tx| verify_audit(tx, &anchors))?;
    for fault in &found.faults {
        say(fault);
    }
    if let Some((first, last)) = found.from_to {
        say(format!("{} lines in the chain, {first} to {last}", found.links));
    }
    say(format!("{} lines wait to come into it; {} anchors compared", found.waiting, found.anchors));
    if found.anchors == 0 {
        say(format!(
            "without an anchor nobody sees that lines were cut off at the end; {} holds none",
            folder.display()
        ));
    }
    if !found.is_whole() {
        bail!("the audit trail is not as it was written: {} faults", found.faults.len() as u64 + found.more);
    }
    say("the audit trail is as it was written");
    Ok(())
}

/// Takes every line into the chain that is not in it.
fn seal_all(database: &Database, now: Moment) -> Result<(), DatabaseError> {
    database.write_blocking(take_up_audit)?;
    while database.write_blocking(move |tx| seal_audit(tx, &SystemIds, now))? > 0 {}
    Ok(())
}

fn anchor(database: &Database, folder: &Path, now: Moment) -> anyhow::Result<Option<(Anchor, PathBuf)>> {
    seal_all(database, now)?;
    let Some(anchor) = database.read_blocking(move |tx| anchor_audit(tx, now))? else { return Ok(None) };
    let path = keep_anchor(folder, &anchor)?;
    Ok(Some((anchor, path)))
}

fn cut(database: &Database, folder: &Path, months: u32) -> anyhow::Result<()> {
    let now = SystemClock.now();
    // What is not whole is evidence, and stays.
    verify(database, folder)?;
    anchor(database, folder, now)?;
    let first_day = now.day().plus_months(-i32::try_from(months).unwrap_or(i32::MAX));
    let since = Moment::start_of(first_day);
    let cut = database.write_blocking(move |tx| cut_audit(tx, &SystemIds, since, now))?;
    match cut {
        Some(cut) => {
            anchor(database, folder, now)?;
            say(format!(
                "lines {} to {}, from before {first_day}, are gone; a line says so",
                cut.first, cut.last
            ));
        }
        None => say(format!("no line is from before {first_day}")),
    }
    Ok(())
}

/// Writes a line of somebody at the console.
pub(super) fn note(
    database: &Database,
    action: &'static str,
    reason: impl Into<String>,
) -> Result<(), DatabaseError> {
    let (now, reason) = (SystemClock.now(), reason.into());
    let id = SystemIds.mint(now);
    database.write_blocking(move |tx| {
        let actor = Actor::system();
        audit(tx, id, now, &actor, action, None, actor.place, &reason, "done")
    })
}

/// Between two looks whether lines wait.
const SEAL_EVERY: Duration = Duration::from_secs(1);
/// After a failure.
const PAUSE: Duration = Duration::from_secs(30);

/// Takes lines into the chain as they come, and anchors its head once a day. It begins with what was left: the anchor of
/// today is written when there is none yet, whenever the program was started.
pub(super) async fn keep_chain(app: App, folder: PathBuf) {
    let mut anchored = None;
    let mut is_taken_up = false;
    loop {
        let pause = match look_after(&app, &folder, &mut is_taken_up, &mut anchored).await {
            Ok(()) => SEAL_EVERY,
            Err(error) => {
                tracing::error!(error = format!("{error:#}"), "the audit trail was not taken into its chain");
                PAUSE
            }
        };
        tokio::time::sleep(pause).await;
    }
}

async fn look_after(
    app: &App,
    folder: &Path,
    is_taken_up: &mut bool,
    anchored: &mut Option<kangmai_base::Day>,
) -> anyhow::Result<()> {
    if !*is_taken_up {
        // A large trail of before takes longer than a page may: without the limit of one.
        let database = app.database.clone();
        tokio::task::spawn_blocking(move || database.write_blocking(take_up_audit)).await??;
        *is_taken_up = true;
    }
    let (ids, now) = (std::sync::Arc::clone(&app.ids), app.clock.now());
    while app.database.read(kangmai_access::audit_waits).await? {
        let ids = std::sync::Arc::clone(&ids);
        if app.database.write(move |tx| seal_audit(tx, &*ids, now)).await? == 0 {
            break;
        }
    }
    if *anchored == Some(now.day()) {
        return Ok(());
    }
    let (database, folder) = (app.database.clone(), folder.to_owned());
    let day = tokio::task::spawn_blocking(move || -> anyhow::Result<_> {
        let last = kept_anchors(&folder)?.last().map(|anchor| anchor.at.day());
        match last {
            Some(day) if day >= now.day() => Ok(Some(day)),
            _ => Ok(anchor(&database, &folder, now)?.map(|_| now.day())),
        }
    });
    *anchored = day.await??;
    Ok(())
}
