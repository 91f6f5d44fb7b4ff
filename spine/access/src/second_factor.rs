//! The second factor: a code by the clock that the owner's telephone shows, and recovery codes on paper for the day on
//! which the telephone is lost.
//!
//! The secret is sealed in the database. A recovery code has 80 bits and is kept as its hash.

use kangmai_base::{Id, Ids, Moment, Refusal};
use kangmai_database::{DatabaseError, SealedTable, Transaction};
use kangmai_seal::{Cell, Opened};

use crate::session::{hash_token, rotate};
use crate::sign_in::note_failure;
use crate::store::{Credentials, factor as store, session as sessions};
use crate::totp::{SECRET_BYTES, accepted_step, to_base32};
use crate::{Account, Actor, audit, end_other_sessions, readable_secret};

/// The tables of this crate with sealed columns.
pub const SEALED: &[SealedTable] = &[
    SealedTable { table: "second_factor", id: "account", columns: &["secret"] },
    crate::phone::PHONES_SEALED,
];

/// Recovery codes that are made at a time.
pub const RECOVERY_CODES: usize = 10;

/// What an account has as its second factor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecondFactor {
    /// Since when.
    pub confirmed_at: Moment,
    /// Recovery codes that were not used yet.
    pub recovery_left: i64,
}

/// The second factor of an account; `None` if none is set up.
///
/// # Errors
/// When the database fails.
pub fn second_factor(
    tx: &mut Transaction<'_>,
    account: Id<Account>,
) -> Result<Option<SecondFactor>, DatabaseError> {
    let Some(confirmed_at) = store::factor(tx, account)?.and_then(|factor| factor.confirmed_at) else {
        return Ok(None);
    };
    Ok(Some(SecondFactor { confirmed_at, recovery_left: store::recovery_left(tx, account)? }))
}

/// What is typed to prove the second factor, and in which session.
pub struct Proof<'a> {
    /// Who.
    pub actor: &'a Actor,
    /// In which session.
    pub token: &'a str,
    /// Six digits, or a recovery code.
    pub code: &'a str,
}

/// What the factors need to work: chance and the time. The keys are the transaction's.
pub struct Means<'a> {
    /// For new secrets and codes.
    pub ids: &'a dyn Ids,
    /// The present.
    pub now: Moment,
}

const fn cell(row: &[u8]) -> Cell<'_> {
    Cell { table: "second_factor", column: "secret", row }
}

/// The secret of an account; `None` where it does not open.
fn opened(
    tx: &mut Transaction<'_>,
    account: Id<Account>,
    sealed: &[u8],
) -> Result<Option<Opened>, DatabaseError> {
    match tx.open(&cell(account.uuid().as_bytes()), sealed) {
        Ok(secret) => Ok(Some(secret)),
        Err(DatabaseError::Keys(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

fn unreadable() -> Refusal {
    Refusal::new("access.second_factor.unreadable").at("code")
}

/// What an authenticator is given.
#[derive(Clone, PartialEq, Eq)]
pub struct Enrolment {
    /// The secret, in the letters of authenticators.
    pub secret: String,
    /// Whose it is.
    pub sign_in_name: String,
}

/// What to give an authenticator: the secret of an enrolment under way, or a new one. `None` where a second factor is
/// set up already.
///
/// # Errors
/// The inner [`Refusal`] when the secret of the enrolment does not open.
pub fn begin_enrolment(
    tx: &mut Transaction<'_>,
    means: &Means<'_>,
    account: Id<Account>,
) -> Result<Result<Option<Enrolment>, Refusal>, DatabaseError> {
    let Some(known) = crate::store::credentials_of(tx, account)? else { return Ok(Ok(None)) };
    let secret = match store::factor(tx, account)? {
        Some(found) if found.confirmed_at.is_some() => return Ok(Ok(None)),
        Some(found) => match opened(tx, account, &found.secret)? {
            Some(secret) => to_base32(&secret),
            None => return Ok(Err(unreadable())),
        },
        None => {
            let mut secret = [0_u8; SECRET_BYTES];
            means.ids.fill(&mut secret);
            let sealed = tx.seal(&cell(account.uuid().as_bytes()), &secret)?;
            store::insert(tx, account, &sealed, means.now)?;
            to_base32(&secret)
        }
    };
    Ok(Ok(Some(Enrolment { secret, sign_in_name: known.sign_in_name })))
}

/// What an enrolment gives.
#[derive(Clone, PartialEq, Eq)]
pub struct Enrolled {
    /// The session's new token.
    pub token: String,
    /// The recovery codes, shown once.
    pub recovery_codes: Vec<String>,
}

/// Ends an enrolment by the first code of the authenticator. All other sessions end, and this one has another token.
///
/// # Errors
/// The inner [`Refusal`] when the code is wrong or there is no enrolment under way.
pub fn finish_enrolment(
    tx: &mut Transaction<'_>,
    means: &Means<'_>,
    proof: &Proof<'_>,
) -> Result<Result<Enrolled, Refusal>, DatabaseError> {
    let account = proof.actor.account;
    let found = store::factor(tx, account)?.filter(|factor| factor.confirmed_at.is_none());
    let Some(found) = found else { return Ok(Err(Refusal::new("access.code.wrong").at("code"))) };
    let Some(secret) = opened(tx, account, &found.secret)? else { return Ok(Err(unreadable())) };
    let Some(step) = accepted_step(&secret, proof.code, means.now, None) else {
        return Ok(Err(Refusal::new("access.code.not_yet").at("code")));
    };
    store::confirm(tx, account, step, means.now)?;
    let recovery_codes = make_recovery_codes(tx, means, account)?;
    sessions::set_second_factor(tx, &hash_token(proof.token), means.now)?;
    end_other_sessions(tx, account, proof.token, means.now)?;
    note(tx, means, proof.actor, "second_factor_set_up")?;
    let token = rotate(tx, means.ids, proof.token)?;
    Ok(Ok(Enrolled { token, recovery_codes }))
}

fn note(
    tx: &mut Transaction<'_>,
    means: &Means<'_>,
    actor: &Actor,
    action: &str,
) -> Result<(), DatabaseError> {
    let (id, now, place) = (means.ids.mint(means.now), means.now, actor.place);
    audit(tx, id, now, actor, action, Some(actor.account.uuid()), place, "", "done")
}

fn make_recovery_codes(
    tx: &mut Transaction<'_>,
    means: &Means<'_>,
    account: Id<Account>,
) -> Result<Vec<String>, DatabaseError> {
    store::forget_recovery(tx, account)?;
    let codes: Vec<String> = (0..RECOVERY_CODES).map(|_| readable_secret(means.ids)).collect();
    for code in &codes {
        store::insert_recovery(tx, &hash_token(code), account, means.now)?;
    }
    Ok(codes)
}

/// How a code proved right.
enum Proven {
    ByClock(i64),
    ByRecovery(Vec<u8>),
}

fn prove(
    tx: &mut Transaction<'_>,
    means: &Means<'_>,
    known: &Credentials,
    code: &str,
) -> Result<Result<Option<Proven>, Refusal>, DatabaseError> {
    let account = known.actor.account;
    let found = store::factor(tx, account)?.filter(|factor| factor.confirmed_at.is_some());
    let Some(found) = found else { return Ok(Ok(None)) };
    let recovery = hash_token(&code.trim().to_lowercase());
    if store::is_recovery(tx, &recovery, account)? {
        return Ok(Ok(Some(Proven::ByRecovery(recovery))));
    }
    let Some(secret) = opened(tx, account, &found.secret)? else { return Ok(Err(unreadable())) };
    Ok(Ok(accepted_step(&secret, code, means.now, found.last_step).map(Proven::ByClock)))
}

/// Takes a code of who is signed in; a wrong one counts like a wrong password, and a locked account takes none.
fn take_code(
    tx: &mut Transaction<'_>,
    means: &Means<'_>,
    proof: &Proof<'_>,
) -> Result<Result<(), Refusal>, DatabaseError> {
    let account = proof.actor.account;
    let wrong = || Refusal::new("access.code.wrong").at("code");
    // Two codes at once: the second finds what the first has used.
    tx.lock(&format!("access.second_factor.{account}"))?;
    let Some(known) = crate::store::credentials_of(tx, account)? else { return Ok(Err(wrong())) };
    let proven = match prove(tx, means, &known, proof.code)? {
        Ok(proven) => proven.filter(|_| !known.is_locked(means.now)),
        Err(refusal) => return Ok(Err(refusal)),
    };
    match proven {
        None => {
            note_failure(tx, means.ids, means.now, &known)?;
            return Ok(Err(wrong()));
        }
        Some(Proven::ByClock(step)) => store::set_last_step(tx, account, step)?,
        Some(Proven::ByRecovery(hash)) => {
            store::use_recovery(tx, &hash, means.now)?;
            note(tx, means, proof.actor, "recovery_code_used")?;
        }
    }
    crate::store::set_failures(tx, account, 0, None)?;
    Ok(Ok(()))
}

/// Completes a sign-in by a code; answers the session's new token.
///
/// # Errors
/// The inner [`Refusal`] when the code is wrong, was used, or too many were wrong.
pub fn give_code(
    tx: &mut Transaction<'_>,
    means: &Means<'_>,
    proof: &Proof<'_>,
) -> Result<Result<String, Refusal>, DatabaseError> {
    if let Err(refusal) = take_code(tx, means, proof)? {
        return Ok(Err(refusal));
    }
    sessions::set_second_factor(tx, &hash_token(proof.token), means.now)?;
    rotate(tx, means.ids, proof.token).map(Ok)
}

/// New recovery codes in the place of the old ones, by a code.
///
/// # Errors
/// The inner [`Refusal`] when the code is wrong.
pub fn renew_recovery_codes(
    tx: &mut Transaction<'_>,
    means: &Means<'_>,
    proof: &Proof<'_>,
) -> Result<Result<Vec<String>, Refusal>, DatabaseError> {
    if let Err(refusal) = take_code(tx, means, proof)? {
        return Ok(Err(refusal));
    }
    note(tx, means, proof.actor, "recovery_codes_renewed")?;
    make_recovery_codes(tx, means, proof.actor.account).map(Ok)
}

/// Takes one's own second factor away by a code, to set up another; answers the session's new token.
///
/// # Errors
/// The inner [`Refusal`] when the code is wrong.
pub fn give_up_factor(
    tx: &mut Transaction<'_>,
    means: &Means<'_>,
    proof: &Proof<'_>,
) -> Result<Result<String, Refusal>, DatabaseError> {
    if let Err(refusal) = take_code(tx, means, proof)? {
        return Ok(Err(refusal));
    }
    forget_factor(tx, proof.actor.account)?;
    end_other_sessions(tx, proof.actor.account, proof.token, means.now)?;
    note(tx, means, proof.actor, "second_factor_given_up")?;
    rotate(tx, means.ids, proof.token).map(Ok)
}

/// Takes the second factor of an account away, with its recovery codes.
pub(crate) fn forget_factor(tx: &mut Transaction<'_>, account: Id<Account>) -> Result<(), DatabaseError> {
    store::forget(tx, account)?;
    store::forget_recovery(tx, account)
}
