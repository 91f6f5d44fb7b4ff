//! A run: the changes laid over the law, the year read, both settled, compared.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use kangmai_access::Actor;
use kangmai_base::{DivisionCode, Uuid};
use kangmai_database::DatabaseError;
use kangmai_policy::{Overlay, PackError, Release};
use kangmai_programme::App;
use tokio::sync::Semaphore;

use crate::households::households;
use crate::result::{HouseholdLine, Outcome, PersonLine};
use crate::rules::{
    YearBill, add_people, count, join_households, moved_most, settle_both, settles_alike, sort_bills, year_of,
};
use crate::store;

/// People that a run keeps of those who bear more, and of those who bear less.
pub const MOST_PEOPLE: usize = 5_000;
/// Households that a run keeps.
pub const MOST_HOUSEHOLDS: usize = 5_000;

/// What is asked.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Of which place.
    pub place: DivisionCode,
    /// Of which year.
    pub year: i32,
    /// What is changed.
    pub overlay: Overlay,
    /// A draft that takes the place of the changes.
    pub draft: Option<Drafted>,
}

/// A draft of a new release, to be held against the packs in force.
#[derive(Debug, Clone)]
pub struct Drafted {
    /// The packs with it.
    pub release: Arc<Release>,
    /// What is otherwise, in words.
    pub told: Vec<String>,
}

/// Why a run could not be done.
#[derive(Debug, thiserror::Error)]
pub enum WhatIfFailure {
    /// No pack holds at the place in the year.
    #[error("no policy pack holds a rule for this place and year")]
    NoPack,
    /// The changes cannot be laid over the law.
    #[error("{}", said(.0))]
    Changes(Vec<PackError>),
    /// Too many run or wait.
    #[error("too many what-ifs are under way")]
    Busy,
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

fn said(errors: &[PackError]) -> String {
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// What a run came to, with the people and households behind it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Finished {
    /// The figures.
    pub outcome: Outcome,
    /// Those whom it moves most.
    pub people: Vec<PersonLine>,
    /// Those that it moves over the line, or back.
    pub households: Vec<HouseholdLine>,
}

/// How far a run has come: bills read, bills of the year.
#[derive(Debug, Default)]
pub struct Progress {
    read: AtomicU64,
    in_all: AtomicU64,
}

impl Progress {
    /// Bills read, and bills of the year.
    pub fn now(&self) -> (i64, i64) {
        let load = |number: &AtomicU64| i64::try_from(number.load(Ordering::Relaxed)).unwrap_or(i64::MAX);
        (load(&self.read), load(&self.in_all))
    }
}

/// The directory of the pack that holds at `place` in `year`: at its end, else at its beginning.
pub fn pack_of(release: &Release, place: DivisionCode, year: i32) -> Option<&str> {
    let days = year_of(release, place, year);
    let mut found = [days.last, days.first].into_iter();
    let one = found.find_map(|day| release.jurisdiction_for(place, day))?;
    Some(one.pack.directory.as_str())
}

/// The law with the changes.
///
/// # Errors
/// [`WhatIfFailure::NoPack`] and [`WhatIfFailure::Changes`].
pub fn changed_law(release: &Release, asked: &Asked) -> Result<Arc<Release>, WhatIfFailure> {
    if let Some(draft) = &asked.draft {
        return Ok(Arc::clone(&draft.release));
    }
    let pack = pack_of(release, asked.place, asked.year).ok_or(WhatIfFailure::NoPack)?;
    asked.overlay.apply(release, pack).map(Arc::new).map_err(WhatIfFailure::Changes)
}

/// Runs; for commands and threads that may block.
///
/// # Errors
/// See [`WhatIfFailure`].
pub fn run(app: &App, asked: &Asked, progress: &Arc<Progress>) -> Result<Finished, WhatIfFailure> {
    let before = Arc::clone(&app.policies);
    let after = changed_law(&before, asked)?;
    let (place, year) = (asked.place, asked.year);
    let (law, told) = (Arc::clone(&before), Arc::clone(progress));
    let is_shared = before.has_shared() || after.has_shared();
    let read = app.database.read_blocking(move |tx| {
        let in_all = store::bills_in_all(tx, year)?;
        told.in_all.store(in_all.unsigned_abs(), Ordering::Relaxed);
        store::read_year(tx, (&law, is_shared), (place, year), |read| {
            told.read.store(read, Ordering::Relaxed)
        })
    });
    let store::YearRead { mut bills, openings, labels, unsettled } =
        read.map_err(|error: DatabaseError| error)?;
    // Whichever of both laws lets households have anything together.
    join_households(&mut bills, &openings, if before.has_shared() { &before } else { &after });
    sort_bills(&mut bills);
    let (mut outcome, mut people) = settle_both(&bills, &openings, (&before, &after));
    if asked.draft.is_some() && outcome.touched_bills == 0 {
        let found = settle_later(&mut bills, year, |bills| settle_both(bills, &openings, (&before, &after)));
        (outcome, people) = found.unwrap_or((outcome, people));
    }
    outcome.left_out += unsettled;
    if outcome.touched_bills == 0 {
        outcome.idle = (0..asked.overlay.len()).collect();
    } else if asked.overlay.len() > 1 {
        for index in 0..asked.overlay.len() {
            let overlay = asked.overlay.without(index);
            let without = changed_law(&before, &Asked { overlay, draft: None, ..asked.clone() });
            // A change without which the rest does not hold together is not idle.
            if without.is_ok_and(|without| settles_alike(&bills, &openings, (&after, &without))) {
                outcome.idle.push(index);
            }
        }
    }
    add_people(&mut outcome, &people, store::level_below(place));
    let (found, mut crossing) = households(&people, &labels, &before, year);
    outcome.households = found;
    crossing.truncate(MOST_HOUSEHOLDS);
    debug_assert!(outcome.people == count(people.len()));
    Ok(Finished { outcome, people: moved_most(&people, MOST_PEOPLE), households: crossing })
}

/// How many years after the bills a draft may begin for its effect to be shown.
const MOST_YEARS_LATER: i32 = 3;

/// What a draft that begins after all bills of the year would do, had they come in the first later year that it touches: both
/// laws settle them by the days of that year.
fn settle_later<T>(
    bills: &mut [YearBill],
    year: i32,
    settle: impl Fn(&[YearBill]) -> (Outcome, T),
) -> Option<(Outcome, T)> {
    (1..=MOST_YEARS_LATER).find_map(|later| {
        for bill in bills.iter_mut() {
            let facts = &mut bill.facts;
            for day in [&mut facts.admission, &mut facts.discharge, &mut facts.settlement] {
                *day = day.plus_months(12);
            }
        }
        let (mut outcome, people) = settle(bills);
        // Receipts are of another year's law.
        (outcome.unlike_receipt, outcome.as_if_year) = (0, Some(year + later));
        (outcome.touched_bills > 0).then_some((outcome, people))
    })
}

/// How often a run under way says that it goes on.
const TOLD_EVERY: Duration = Duration::from_millis(500);

/// Runs at the same time: each takes a processor and the bills of a year in memory.
const MOST_AT_ONCE: usize = 2;
/// Runs that are under way or wait.
const MOST_WAITING: usize = 16;
static TURN: Semaphore = Semaphore::const_new(MOST_AT_ONCE);
static PLACES: Semaphore = Semaphore::const_new(MOST_WAITING);

/// Begins a run that is kept; answers its identifier at once. Whoever looks finds out how far it is.
///
/// # Errors
/// See [`WhatIfFailure`]; what goes wrong later stands in the run.
pub async fn begin(app: &App, actor: &Actor, asked: Asked) -> Result<Uuid, WhatIfFailure> {
    changed_law(&app.policies, &asked)?;
    let place = PLACES.try_acquire().map_err(|_| WhatIfFailure::Busy)?;
    let (id, now) = (app.mint(), app.clock.now());
    let changes: Vec<String> = match &asked.draft {
        Some(draft) => draft.told.clone(),
        None => asked.overlay.texts().map(str::to_owned).collect(),
    };
    let (who, law, of) = (actor.clone(), app.policies.hash().to_owned(), (asked.place, asked.year));
    let noted = app.database.write(move |tx| store::put_run(tx, id, &who, of, (&changes, &law), now));
    noted.await.map_err(|error: DatabaseError| error)?;
    let app = app.clone();
    tokio::spawn(async move {
        let _place = place;
        keep(app, id, asked).await;
    });
    Ok(id)
}

/// Runs and keeps what it comes to; says meanwhile how far it is.
async fn keep(app: App, id: Uuid, asked: Asked) {
    let progress = Arc::new(Progress::default());
    let (worker, told) = (app.clone(), Arc::clone(&progress));
    let mut working = tokio::spawn(async move {
        let _turn = TURN.acquire().await;
        tokio::task::spawn_blocking(move || run(&worker, &asked, &told)).await
    });
    let finished = loop {
        tokio::select! {
            finished = &mut working => break finished,
            () = tokio::time::sleep(TOLD_EVERY) => {
                let (far, now) = (progress.now(), app.clock.now());
                let touched = app.database.write(move |tx| store::touch_run(tx, id, far, now)).await;
                if let Err(error) = touched as Result<(), DatabaseError> {
                    tracing::warn!(%error, "the progress of a what-if could not be noted");
                }
            }
        }
    };
    let now = app.clock.now();
    let kept: Result<(), DatabaseError> = match finished {
        Ok(Ok(Ok(finished))) => {
            app.database
                .write(move |tx| {
                    let Finished { outcome, people, households } = &finished;
                    store::write_result(tx, id, (outcome, people, households), now)
                })
                .await
        }
        failed => {
            match failed {
                Ok(Ok(Err(error))) => tracing::error!(%error, "a what-if failed"),
                Ok(Err(error)) | Err(error) => tracing::error!(%error, "a what-if broke off"),
                Ok(Ok(Ok(_))) => {}
            }
            app.database.write(move |tx| store::write_failure(tx, id, now)).await
        }
    };
    if let Err(error) = kept {
        tracing::error!(%error, "a what-if could not be kept");
    }
}
