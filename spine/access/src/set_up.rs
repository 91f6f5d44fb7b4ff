//! The first accounts of an installation. There is no default account: who starts the server reads a code where it
//! runs, and whoever has the code makes the first accounts.

use kangmai_base::{Ids, Moment, Refusal};
use kangmai_database::{DatabaseError, Transaction};

use crate::account::{unfit, write_account};
use crate::session::hash_token;
use crate::store::set_up as store;
use crate::{Actor, NewAccount, Role, readable_secret};

/// How long a set-up code serves.
pub const SET_UP_MINUTES: i64 = 60;
/// The roles of the first accounts, which are of different persons: the first makes accounts, the others watch it.
pub const FIRST_ROLES: &[Role] = &[Role::Administrator, Role::SecurityOfficer, Role::Auditor];
/// The lock under which the first accounts are made: of two who try at once one is first.
const LOCK: &str = "access.set_up";

/// Makes a set-up code, to be shown where the server runs; the one before serves no more. `None` once there are
/// accounts.
///
/// # Errors
/// When the database fails.
pub fn begin_set_up(
    tx: &mut Transaction<'_>,
    ids: &dyn Ids,
    now: Moment,
) -> Result<Option<String>, DatabaseError> {
    if !set_up_waits(tx)? {
        return Ok(None);
    }
    let code = readable_secret(ids);
    store::forget(tx)?;
    store::insert(tx, &hash_token(&code), now, now.plus_seconds(SET_UP_MINUTES * 60))?;
    Ok(Some(code))
}

/// Whether there are no accounts yet.
///
/// # Errors
/// When the database fails.
pub fn set_up_waits(tx: &mut Transaction<'_>) -> Result<bool, DatabaseError> {
    Ok(!crate::store::has_accounts(tx)?)
}

/// A refusal of the set-up, and of which account it speaks; none: of the code.
pub type SetUpRefusal = (Option<usize>, Refusal);

/// Makes the first accounts by the code, all or none.
///
/// # Errors
/// The inner refusal when there are accounts already, the code is wrong or too old, or an account is not fit.
pub fn set_up(
    tx: &mut Transaction<'_>,
    ids: &dyn Ids,
    now: Moment,
    code: &str,
    accounts: &[NewAccount],
) -> Result<Result<(), SetUpRefusal>, DatabaseError> {
    tx.lock(LOCK)?;
    let hash = hash_token(&code.trim().to_lowercase());
    if !set_up_waits(tx)? || !store::is_valid(tx, &hash, now)? {
        return Ok(Err((None, Refusal::new("access.set_up.code_wrong").at("code"))));
    }
    for (index, account) in accounts.iter().enumerate() {
        let twice = accounts[..index].iter().any(|other| other.sign_in_name == account.sign_in_name);
        let refusal = match twice {
            true => Some(Refusal::new("access.account.name_taken").at("sign_in_name")),
            false => unfit(tx, account)?,
        };
        if let Some(refusal) = refusal {
            return Ok(Err((Some(index), refusal)));
        }
    }
    for account in accounts {
        write_account(tx, &Actor::system(), account, ids.mint(now), now)?;
    }
    store::set_used(tx, &hash, now)?;
    Ok(Ok(()))
}
