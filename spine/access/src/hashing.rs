//! Hashing passwords beside everything else: off the async threads, few at a time, with an end to the queue. A storm of
//! sign-ins slows signing in, not the desk.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

use kangmai_base::{Ids, Refusal};
use kangmai_database::DatabaseError;
use tokio::sync::Semaphore;

use crate::{PasswordHash, hash_password, verify_password};

/// Of the cores of the machine the half may hash passwords at a time, at least one.
static AT_ONCE: LazyLock<Semaphore> = LazyLock::new(|| {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    Semaphore::new((cores / 2).max(1))
});
/// Those who may wait for it; at 30 ms each, the last waits for two seconds.
const MOST_WAITING: usize = 64;
static WAITING: AtomicUsize = AtomicUsize::new(0);

/// One who waits, until dropped.
struct Waiting;

impl Waiting {
    fn begin() -> Result<Waiting, Refusal> {
        let waiting = Waiting;
        if WAITING.fetch_add(1, Ordering::Relaxed) >= MOST_WAITING {
            return Err(Refusal::new("access.sign_in.busy"));
        }
        Ok(waiting)
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        WAITING.fetch_sub(1, Ordering::Relaxed);
    }
}

async fn in_turn<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<Result<T, Refusal>, DatabaseError> {
    let _waiting = match Waiting::begin() {
        Ok(waiting) => waiting,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let permit = AT_ONCE.acquire().await.map_err(|_| DatabaseError::GivenUp)?;
    // The permit goes along: a request that is given up meanwhile does not make room for another hash.
    let done = tokio::task::spawn_blocking(move || {
        let done = work();
        drop(permit);
        done
    });
    Ok(Ok(done.await.map_err(|_| DatabaseError::GivenUp)?))
}

/// What a password proved to be.
pub(crate) struct Proved {
    /// Whether it is the right one.
    pub(crate) is_right: bool,
    /// Its hash at the cost of today, where that of the database is of another.
    pub(crate) anew: Option<PasswordHash>,
}

/// Whether `password` is that of `hash`; without a hash it takes as long.
///
/// # Errors
/// The inner [`Refusal`] when too many wait already.
pub(crate) async fn prove(
    ids: &Arc<dyn Ids>,
    hash: Option<PasswordHash>,
    password: String,
) -> Result<Result<Proved, Refusal>, DatabaseError> {
    let ids = Arc::clone(ids);
    in_turn(move || {
        let is_right = verify_password(hash.as_ref(), &password);
        let outdated = hash.filter(|hash| is_right && hash.is_outdated());
        let anew = outdated.and_then(|old| {
            let anew = hash_password(&*ids, &password).ok()?;
            Some(PasswordHash { one_time_until: old.one_time_until, ..anew })
        });
        Proved { is_right, anew }
    })
    .await
}

/// [`hash_password`] in turn with all others.
///
/// # Errors
/// The inner [`Refusal`] when too many wait already or the password is not fit.
pub async fn hash_in_turn(
    ids: &Arc<dyn Ids>,
    password: String,
) -> Result<Result<PasswordHash, Refusal>, DatabaseError> {
    let ids = Arc::clone(ids);
    Ok(in_turn(move || hash_password(&*ids, &password)).await?.and_then(|hash| hash))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_queue_has_an_end() {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().expect("a runtime");
        let refused = runtime.block_on(async {
            let work = || in_turn(|| std::thread::sleep(std::time::Duration::from_millis(5)));
            let all: Vec<_> = (0..MOST_WAITING * 2).map(|_| tokio::spawn(work())).collect();
            let mut refused = 0;
            for one in all {
                refused += usize::from(one.await.expect("joined").expect("done").is_err());
            }
            refused
        });
        assert!(refused > 0, "nobody was refused");
        assert_eq!(WAITING.load(Ordering::Relaxed), 0, "nobody waits any more");
    }
}
