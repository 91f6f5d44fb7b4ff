//! The mutants of a draft judged beside the requests: one run for a draft, a few in the program; whoever looks finds out how
//! far it is. A program that ends in the middle loses no more than the run.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use kangmai_access::Reach;
use kangmai_base::Uuid;
use kangmai_database::DatabaseError;
use kangmai_programme::App;
use tokio::sync::Semaphore;

use crate::draft::{Draft, Judged, Today, judge};
use crate::store::draft as store;

/// Drafts that are judged at the same time: each takes a processor.
const MOST_AT_ONCE: usize = 1;
/// Drafts that are judged or wait for it.
const MOST_WAITING: usize = 16;
/// How often a draft that is written on meanwhile is judged again, one time after the other.
const MOST_ROUNDS: usize = 20;
/// How often a run says that it goes on.
const TOLD_EVERY: Duration = Duration::from_millis(500);

static TURN: Semaphore = Semaphore::const_new(MOST_AT_ONCE);
static PLACES: Semaphore = Semaphore::const_new(MOST_WAITING);

/// What became of the wish to judge a draft.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Begun {
    /// It is under way.
    Now,
    /// It was under way before; what was written meanwhile is judged after it.
    Already,
    /// Too many wait.
    Busy,
}

/// Judges the draft beside the requests.
///
/// # Errors
/// When the database fails.
pub(crate) async fn begin(app: &App, reach: &Reach, id: Uuid) -> Result<Begun, DatabaseError> {
    let Ok(place) = PLACES.try_acquire() else { return Ok(Begun::Busy) };
    let now = app.clock.now();
    if !app.database.write(move |tx| store::claim_judging(tx, id, now)).await? {
        return Ok(Begun::Already);
    }
    let (app, reach) = (app.clone(), reach.clone());
    tokio::spawn(async move {
        let _place = place;
        if let Err(error) = rounds(&app, &reach, id).await {
            tracing::error!(%error, "the mutants of a draft could not be judged");
        }
    });
    Ok(Begun::Now)
}

/// Judges until nobody has written on the draft meanwhile.
async fn rounds(app: &App, reach: &Reach, id: Uuid) -> Result<(), DatabaseError> {
    let _turn = waiting(app, id).await?;
    for _ in 0..MOST_ROUNDS {
        let within = reach.clone();
        let read: Result<Option<Draft>, DatabaseError> =
            app.database.read(move |tx| store::draft(tx, &within, id)).await;
        let Some(draft) = read? else { break };
        let revision = draft.revision;
        let found = if draft.state.is_written_on() { judged(app, draft).await? } else { None };
        let end = move |tx: &mut kangmai_database::Transaction<'_>| {
            if let Some(found) = &found {
                store::keep_judged(tx, id, found)?;
            }
            store::end_judging(tx, id, Some(revision))
        };
        if app.database.write(end).await? {
            return Ok(());
        }
    }
    app.database.write(move |tx| store::end_judging(tx, id, None)).await.map(|_: bool| ())
}

/// Waits for a turn; says meanwhile that it goes on.
async fn waiting(
    app: &App,
    id: Uuid,
) -> Result<Option<tokio::sync::SemaphorePermit<'static>>, DatabaseError> {
    loop {
        tokio::select! {
            turn = TURN.acquire() => return Ok(turn.ok()),
            () = tokio::time::sleep(TOLD_EVERY) => tell(app, id, (0, 0)).await?,
        }
    }
}

async fn tell(app: &App, id: Uuid, far: (usize, usize)) -> Result<(), DatabaseError> {
    let now = app.clock.now();
    app.database.write(move |tx| store::touch_judging(tx, id, far, now)).await
}

/// What becomes of the mutants; `None` where that is known already, or where the draft is not so far: a case that fails
/// anyway notices nothing.
async fn judged(app: &App, draft: Draft) -> Result<Option<Judged>, DatabaseError> {
    let law = app.current();
    let today = Today {
        shipped: Arc::clone(&law.shipped),
        in_force: Arc::clone(&law.policies),
        newest: law.publication,
    };
    let id = draft.id;
    let far = Arc::new((AtomicUsize::new(0), AtomicUsize::new(0)));
    // A program that stops drops this future, and the thread with the mutants learns of it after the one in hand.
    let waits = Arc::new(());
    let (told, is_waited_for) = (Arc::clone(&far), Arc::downgrade(&waits));
    let mut work = tokio::task::spawn_blocking(move || {
        let review = draft.review(&today);
        let release = review.release.filter(|_| review.cases.is_empty() && !draft.files.is_empty())?;
        if draft.judged.as_ref().is_some_and(|judged| judged.release == review.proof) {
            return None;
        }
        judge(&release, &draft.files, &review.proof, &|done, all| {
            told.0.store(done, Ordering::Relaxed);
            told.1.store(all, Ordering::Relaxed);
            is_waited_for.strong_count() > 0
        })
    });
    loop {
        tokio::select! {
            done = &mut work => {
                drop(waits);
                return done.map_err(|error| DatabaseError::Refused(error.to_string()));
            }
            () = tokio::time::sleep(TOLD_EVERY) => {
                let now = (far.0.load(Ordering::Relaxed), far.1.load(Ordering::Relaxed));
                tell(app, id, now).await?;
            }
        }
    }
}
