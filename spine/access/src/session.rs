//! Sign-in and sessions.

use std::sync::Arc;

use kangmai_base::{Clock, Id, Ids, Moment, Refusal};
use kangmai_database::{Database, DatabaseError, Transaction};
use sha2::{Digest as _, Sha256};

use crate::{Account, Actor, audit, store, verify_password};

/// Wrong passwords in a row that lock an account.
const FAILURES_TO_LOCK: i64 = 5;
/// The first lock; each further wrong password after it locks for twice as long, up to [`LONGEST_LOCK_SECONDS`].
const FIRST_LOCK_SECONDS: i64 = 60;
/// The longest lock: a day.
const LONGEST_LOCK_SECONDS: i64 = 86_400;
/// A session without a request ends after half an hour.
const IDLE_SECONDS: i64 = 1_800;
/// A session ends after twelve hours at the latest.
const LONGEST_SECONDS: i64 = 43_200;
/// How often a session's last sight is written down: a page need not write.
const SEEN_EVERY_SECONDS: i64 = 60;

/// What is typed at sign-in.
#[derive(Clone)]
pub struct SignIn {
    /// Name of the account, in any case.
    pub name: String,
    /// The password.
    pub password: String,
}

/// An open session.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// Who acts.
    pub actor: Actor,
    /// What a form must send back.
    pub csrf: String,
}

/// Opens a session; answers the token for the cookie.
///
/// # Errors
/// `Ok(Err(refusal))` when name or password are wrong (which of them is not said), the account is closed or locked.
pub async fn sign_in(
    database: &Database,
    clock: &Arc<dyn Clock>,
    ids: &Arc<dyn Ids>,
    typed: SignIn,
) -> Result<Result<(String, SignedIn), Refusal>, DatabaseError> {
    let name = typed.name.trim().to_ascii_lowercase();
    let now = clock.now();
    let asked = name.clone();
    let known = database.read(move |tx| store::credentials(tx, &asked)).await?;
    let locked_until = known.as_ref().and_then(|known| known.locked_until).filter(|until| *until > now);
    if let Some(until) = locked_until {
        return Ok(Err(Refusal::new("access.sign_in.locked").with("until", until.to_string())));
    }
    let hash = known.as_ref().filter(|known| !known.closed).map(|known| known.password.clone());
    let right = tokio::task::spawn_blocking(move || verify_password(hash.as_ref(), &typed.password))
        .await
        .map_err(|_| DatabaseError::GivenUp)?;
    let (clock, ids) = (Arc::clone(clock), Arc::clone(ids));
    database
        .write(move |tx| {
            let now = clock.now();
            match known {
                Some(known) if right => open(tx, &*ids, now, &known).map(Ok),
                known => {
                    if let Some(known) = known {
                        note_failure(tx, &*ids, now, &known)?;
                    }
                    Ok(Err(Refusal::new("access.sign_in.wrong")))
                }
            }
        })
        .await
}

fn open(
    tx: &mut Transaction<'_>,
    ids: &dyn Ids,
    now: Moment,
    known: &store::Credentials,
) -> Result<(String, SignedIn), DatabaseError> {
    let (token, csrf) = (random_text(ids), random_text(ids));
    store::set_failures(tx, known.actor.account, 0, None)?;
    store::insert_session(tx, &hash_token(&token), known.actor.account, &csrf, now)?;
    audit(tx, ids.mint(now), now, &known.actor, "sign_in", None, known.actor.place, "", "done")?;
    Ok((token, SignedIn { actor: known.actor.clone(), csrf }))
}

fn note_failure(
    tx: &mut Transaction<'_>,
    ids: &dyn Ids,
    now: Moment,
    known: &store::Credentials,
) -> Result<(), DatabaseError> {
    let failures = known.failures + 1;
    let locked_until = (failures >= FAILURES_TO_LOCK).then(|| {
        let doublings = u32::try_from(failures - FAILURES_TO_LOCK).unwrap_or(u32::MAX).min(20);
        now.plus_seconds((FIRST_LOCK_SECONDS << doublings).min(LONGEST_LOCK_SECONDS))
    });
    store::set_failures(tx, known.actor.account, failures, locked_until)?;
    audit(tx, ids.mint(now), now, &known.actor, "sign_in", None, known.actor.place, "", "refused")
}

/// The session of `token`, if it is open. Its last sight is written at most once a minute; the answer's second part
/// says whether that is due: then call [`note_seen`] in a write.
///
/// # Errors
/// When the database fails.
pub fn session(
    tx: &mut Transaction<'_>,
    token: &str,
    now: Moment,
) -> Result<Option<(SignedIn, bool)>, DatabaseError> {
    let Some(found) = store::session(tx, &hash_token(token))? else { return Ok(None) };
    let open =
        now < found.seen_at.plus_seconds(IDLE_SECONDS) && now < found.opened_at.plus_seconds(LONGEST_SECONDS);
    let seen_is_old = now >= found.seen_at.plus_seconds(SEEN_EVERY_SECONDS);
    Ok(open.then_some((found.signed_in, seen_is_old)))
}

/// Writes down that the session of `token` was seen at `now`.
///
/// # Errors
/// When the database fails.
pub fn note_seen(tx: &mut Transaction<'_>, token: &str, now: Moment) -> Result<(), DatabaseError> {
    store::set_seen(tx, &hash_token(token), now)
}

/// Ends the session of `token`.
///
/// # Errors
/// When the database fails.
pub fn end_session(tx: &mut Transaction<'_>, token: &str, now: Moment) -> Result<(), DatabaseError> {
    store::end_session(tx, &hash_token(token), now)
}

/// Ends every session of an account.
///
/// # Errors
/// When the database fails.
pub fn end_sessions_of(
    tx: &mut Transaction<'_>,
    account: Id<Account>,
    now: Moment,
) -> Result<(), DatabaseError> {
    store::end_sessions_of(tx, account, now)
}

/// What the database holds instead of the token: who reads the table cannot sign in with it.
pub(crate) fn hash_token(token: &str) -> Vec<u8> {
    Sha256::digest(token.as_bytes()).to_vec()
}

pub(crate) fn random_text(ids: &dyn Ids) -> String {
    let mut bytes = [0_u8; 32];
    ids.fill(&mut bytes);
    bytes.iter().fold(String::with_capacity(64), |hex, byte| hex + &format!("{byte:02x}"))
}
