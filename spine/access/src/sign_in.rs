//! Signing in by name and password, and choosing a password of one's own.
//!
//! Whether a name exists cannot be found out here: an unknown name, a wrong password, a closed and a locked account have
//! the same answer after the same work.

use std::sync::Arc;

use kangmai_base::{Clock, DivisionCode, Id, Ids, Moment, Refusal};
use kangmai_database::{Database, DatabaseError, Transaction};

use crate::hashing::{Proved, prove};
use crate::session::{Method, Origin, hash_token, random_text, rotate};
use crate::store::Credentials;
use crate::{
    Account, Actor, PasswordHash, SignedIn, audit, check_password, end_other_sessions, hash_in_turn, store,
};

/// Wrong passwords or codes in a row that lock an account.
const FAILURES_TO_LOCK: i64 = 5;
/// The first lock; each further wrong try after it locks for twice as long, up to [`LONGEST_LOCK_SECONDS`].
const FIRST_LOCK_SECONDS: i64 = 60;
/// The longest lock, an hour: 24 guesses a day lead nowhere, and who locks somebody out on purpose must come back each
/// hour.
const LONGEST_LOCK_SECONDS: i64 = 3_600;
/// How long a password that somebody else set serves to choose one's own.
pub const ONE_TIME_PASSWORD_DAYS: i64 = 7;

/// What is typed at sign-in, and where.
#[derive(Clone, Default)]
pub struct SignIn {
    /// Name of the account, in any case.
    pub name: String,
    /// The password.
    pub password: String,
    /// From where.
    pub from: Origin,
}

/// The one answer to whatever is wrong.
fn wrong() -> Refusal {
    Refusal::new("access.sign_in.wrong")
}

/// Opens a session; answers the token for the cookie. What the session may do, [`crate::session`] says: a second factor
/// or a password of one's own may be missing yet.
///
/// # Errors
/// `Ok(Err(refusal))` when name or password are wrong, the account is closed or locked (which of them is not said), or
/// too many sign in at this moment.
pub async fn sign_in(
    database: &Database,
    clock: &Arc<dyn Clock>,
    ids: &Arc<dyn Ids>,
    typed: SignIn,
) -> Result<Result<(String, SignedIn), Refusal>, DatabaseError> {
    let name = typed.name.trim().to_ascii_lowercase();
    let now = clock.now();
    let known = database.read(move |tx| store::credentials(tx, &name)).await?;
    let usable = known.as_ref().filter(|known| known.is_usable(now));
    let hash = usable.map(|known| known.password.clone());
    let proved = match prove(ids, hash, typed.password).await? {
        Ok(proved) => proved,
        Err(busy) => return Ok(Err(busy)),
    };
    let (clock, ids, from) = (Arc::clone(clock), Arc::clone(ids), typed.from);
    database
        .write(move |tx| {
            let now = clock.now();
            let Some(known) = known else {
                // As much work as for a name that exists.
                store::set_failures(tx, Id::from_uuid(kangmai_base::Uuid::nil()), 0, None)?;
                let (id, system) = (ids.mint(now), Actor::system());
                audit(tx, id, now, &system, "sign_in", None, DivisionCode::COUNTRY, "", "refused")?;
                return Ok(Err(wrong()));
            };
            if !proved.is_right {
                note_failure(tx, &*ids, now, &known)?;
                return Ok(Err(wrong()));
            }
            renew_hash(tx, &known, &proved)?;
            open(tx, &*ids, now, &known, Method::Password, &from).map(Ok)
        })
        .await
}

impl Credentials {
    /// Whether a password could open it now at all.
    fn is_usable(&self, now: Moment) -> bool {
        !self.closed && !self.is_locked(now) && self.password.one_time_until.is_none_or(|until| now < until)
    }

    /// Whether wrong tries keep it shut.
    pub(crate) fn is_locked(&self, now: Moment) -> bool {
        self.locked_until.is_some_and(|until| now < until)
    }
}

fn renew_hash(tx: &mut Transaction<'_>, known: &Credentials, proved: &Proved) -> Result<(), DatabaseError> {
    match &proved.anew {
        Some(hash) => store::set_password(tx, known.actor.account, hash),
        None => Ok(()),
    }
}

/// Opens a session of an account that has shown who it is.
pub(crate) fn open(
    tx: &mut Transaction<'_>,
    ids: &dyn Ids,
    now: Moment,
    known: &Credentials,
    method: Method,
    from: &Origin,
) -> Result<(String, SignedIn), DatabaseError> {
    let (token, csrf) = (random_text(ids), random_text(ids));
    let account = known.actor.account;
    // With a second factor the sign-in is not complete: the count goes on until the code is right, or the code could be
    // guessed for ever by who has the password.
    if !known.has_factor || method == Method::ProviderWithSecondFactor {
        store::set_failures(tx, account, 0, None)?;
    }
    let new = store::session::NewSession {
        token_hash: &hash_token(&token),
        account,
        csrf: &csrf,
        method,
        from,
        failures_before: known.failures,
    };
    store::session::insert(tx, &new, now)?;
    audit(tx, ids.mint(now), now, &known.actor, "sign_in", None, known.actor.place, "", "done")?;
    Ok((token, SignedIn { actor: known.actor.clone(), csrf }))
}

/// Counts a wrong password or code. While an account is locked nothing is counted: who goes on guessing does not lock
/// its owner out for longer.
pub(crate) fn note_failure(
    tx: &mut Transaction<'_>,
    ids: &dyn Ids,
    now: Moment,
    known: &Credentials,
) -> Result<(), DatabaseError> {
    let failures = known.failures.saturating_add(1);
    let locks = failures >= FAILURES_TO_LOCK;
    let locked_until = locks.then(|| {
        let doublings = u32::try_from(failures - FAILURES_TO_LOCK).unwrap_or(u32::MAX).min(20);
        now.plus_seconds((FIRST_LOCK_SECONDS << doublings).min(LONGEST_LOCK_SECONDS))
    });
    let (failures, locked_until) = if known.is_locked(now) || known.closed {
        (known.failures, known.locked_until)
    } else {
        (failures, locked_until)
    };
    store::set_failures(tx, known.actor.account, failures, locked_until)?;
    audit(tx, ids.mint(now), now, &known.actor, "sign_in", None, known.actor.place, "", "refused")
}

/// What somebody types to choose a password of their own.
#[derive(Clone)]
pub struct OwnPassword {
    /// The one so far.
    pub present: String,
    /// The new one.
    pub new: String,
}

/// Changes the password of who is signed in with `token`: all other sessions end, and this one has another token, which
/// is answered.
///
/// # Errors
/// The inner [`Refusal`] when the present one is wrong, too many tries were, or the new one is not fit.
pub async fn change_own_password(
    database: &Database,
    clock: &Arc<dyn Clock>,
    ids: &Arc<dyn Ids>,
    account: Id<Account>,
    token: &str,
    typed: OwnPassword,
) -> Result<Result<String, Refusal>, DatabaseError> {
    let now = clock.now();
    let Some(known) = database.read(move |tx| store::credentials_of(tx, account)).await? else {
        return Ok(Err(Refusal::new("access.password.present_wrong").at("present")));
    };
    let hash = (!known.is_locked(now)).then(|| known.password.clone());
    let is_right = match prove(ids, hash, typed.present.clone()).await? {
        Ok(proved) => proved.is_right,
        Err(busy) => return Ok(Err(busy)),
    };
    let fit = match fit_password(ids, &known, &typed, is_right).await? {
        Ok(hash) => Some(hash),
        Err(refusal) if is_right => return Ok(Err(refusal.at("password"))),
        Err(_) => None,
    };
    let (token, ids) = (token.to_owned(), Arc::clone(ids));
    database
        .write(move |tx| {
            let Some(hash) = fit else {
                note_failure(tx, &*ids, now, &known)?;
                return Ok(Err(Refusal::new("access.password.present_wrong").at("present")));
            };
            store::set_password(tx, account, &hash)?;
            end_other_sessions(tx, account, &token, now)?;
            let anew = rotate(tx, &*ids, &token)?;
            let (id, place) = (ids.mint(now), known.actor.place);
            audit(tx, id, now, &known.actor, "own_password", Some(account.uuid()), place, "", "done")?;
            Ok(Ok(anew))
        })
        .await
}

async fn fit_password(
    ids: &Arc<dyn Ids>,
    known: &Credentials,
    typed: &OwnPassword,
    is_right: bool,
) -> Result<Result<PasswordHash, Refusal>, DatabaseError> {
    if !is_right {
        return Ok(Err(wrong()));
    }
    if typed.new == typed.present {
        return Ok(Err(Refusal::new("access.password.same")));
    }
    if let Err(refusal) = check_password(&typed.new, &[&known.sign_in_name, &known.actor.name]) {
        return Ok(Err(refusal));
    }
    hash_in_turn(ids, typed.new.clone()).await
}
