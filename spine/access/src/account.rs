//! Accounts: who may sign in, in which role, for which place.

use kangmai_base::{DivisionCode, Id, Moment, Refusal, Uuid};
use kangmai_database::{DatabaseError, Transaction};

use crate::{Actor, PasswordHash, Purpose, Reach, Role, audit, end_sessions_of, store};

/// An account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its identifier.
    pub id: Id<Account>,
    /// What is typed at sign-in: letters, digits, `.`, `-`, `_`; lower case.
    pub sign_in_name: String,
    /// What to call them.
    pub display_name: String,
    /// In which role.
    pub role: Role,
    /// For which division.
    pub place: DivisionCode,
    /// The institution whose desk it is, if any.
    pub institution: Option<Uuid>,
    /// When it was closed, if it was.
    pub closed_at: Option<Moment>,
    /// Until when sign-in is locked after wrong passwords, if it is.
    pub locked_until: Option<Moment>,
}

/// A new account.
#[derive(Debug, Clone)]
pub struct NewAccount {
    /// Its identifier.
    pub id: Id<Account>,
    /// What is typed at sign-in.
    pub sign_in_name: String,
    /// What to call them.
    pub display_name: String,
    /// In which role.
    pub role: Role,
    /// For which division.
    pub place: DivisionCode,
    /// The institution whose desk it is, if any.
    pub institution: Option<Uuid>,
    /// The hash of the first password.
    pub password: PasswordHash,
}

/// What can happen to an account.
#[derive(Debug, Clone)]
pub enum AccountChange {
    /// Nobody signs in with it any more; its sessions end at once.
    Close,
    /// It may be used again.
    Reopen,
    /// Another password; its sessions end at once.
    Password(PasswordHash),
    /// Another role or place: its sessions end at once, so that nothing of the old reach stays.
    Transfer {
        /// The new role.
        role: Role,
        /// The new place.
        place: DivisionCode,
        /// The institution whose desk it is from now on, if any.
        institution: Option<Uuid>,
    },
    /// The lock after wrong passwords, or by the security officer, is taken off.
    Unlock,
    /// Nobody signs in with it until it is unlocked; its sessions end at once. The security officer's hand brake.
    Lock,
    /// The second factor is taken away, with its recovery codes: another is set up at the next sign-in.
    ResetSecondFactor,
}

impl AccountChange {
    const fn action(&self) -> &'static str {
        match self {
            AccountChange::Close => "account_closed",
            AccountChange::Reopen => "account_reopened",
            AccountChange::Password(_) => "account_password",
            AccountChange::Transfer { .. } => "account_transferred",
            AccountChange::Unlock => "account_unlocked",
            AccountChange::Lock => "account_locked",
            AccountChange::ResetSecondFactor => "second_factor_reset",
        }
    }
}

/// A lock by the security officer holds until somebody takes it off: a hundred years.
const LOCKED_SECONDS: i64 = 100 * 365 * 86_400;
/// The longest sign-in name and display name.
const LONGEST_NAME: usize = 64;

/// Makes an account.
///
/// # Errors
/// The inner [`Refusal`] when the name is not fit or taken; [`DatabaseError`] when the database fails.
pub fn create_account(
    tx: &mut Transaction<'_>,
    by: &Actor,
    new: &NewAccount,
    audit_id: Uuid,
    now: Moment,
) -> Result<Result<(), Refusal>, DatabaseError> {
    if let Some(refusal) = unfit(tx, new)? {
        return Ok(Err(refusal));
    }
    write_account(tx, by, new, audit_id, now).map(Ok)
}

/// What is wrong with a new account, if anything is.
pub(crate) fn unfit(tx: &mut Transaction<'_>, new: &NewAccount) -> Result<Option<Refusal>, DatabaseError> {
    let name_is_fit = (2..=LONGEST_NAME).contains(&new.sign_in_name.len())
        && new.sign_in_name.bytes().all(|byte| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'_')
        });
    if !name_is_fit {
        return Ok(Some(Refusal::new("access.account.name_unfit").at("sign_in_name")));
    }
    let display = new.display_name.trim();
    if display.is_empty() || display.len() > LONGEST_NAME * 4 {
        return Ok(Some(Refusal::new("access.account.display_name_unfit").at("display_name")));
    }
    if new.role == Role::System {
        return Ok(Some(Refusal::new("access.account.role_unfit").at("role")));
    }
    if store::credentials(tx, &new.sign_in_name)?.is_some() {
        return Ok(Some(Refusal::new("access.account.name_taken").at("sign_in_name")));
    }
    Ok(None)
}

/// Writes a new account that is not [`unfit`].
pub(crate) fn write_account(
    tx: &mut Transaction<'_>,
    by: &Actor,
    new: &NewAccount,
    audit_id: Uuid,
    now: Moment,
) -> Result<(), DatabaseError> {
    store::insert_account(tx, new, now)?;
    audit(tx, audit_id, now, by, "account_created", Some(new.id.uuid()), new.place, "", "done")
}

/// Changes an account. Whatever lessens its reach ends its sessions in the same transaction.
///
/// # Errors
/// The inner [`Refusal`] when there is no such account within `reach`.
pub fn change_account(
    tx: &mut Transaction<'_>,
    by: &Actor,
    reach: &Reach,
    id: Id<Account>,
    change: &AccountChange,
    audit_id: Uuid,
    now: Moment,
) -> Result<Result<(), Refusal>, DatabaseError> {
    let may = |account: &Account| match change {
        AccountChange::Lock => reach.purpose() == Purpose::GuardAccounts && reach.covers(account.place),
        _ => may_manage(reach, account.place),
    };
    let Some(account) = store::account(tx, id)?.filter(may) else {
        return Ok(Err(Refusal::new("access.account.not_found")));
    };
    if id == by.account && !matches!(change, AccountChange::Password(_)) {
        // Nobody gives themself another role, place or state.
        return Ok(Err(Refusal::new("access.account.own")));
    }
    match change {
        AccountChange::Transfer { role, .. }
            if *role != account.role && (role.keeps_watch() || account.role.keeps_watch()) =>
        {
            return Ok(Err(Refusal::new("access.account.separate").at("role")));
        }
        AccountChange::Close => store::set_closed(tx, id, Some(now))?,
        AccountChange::Reopen => store::set_closed(tx, id, None)?,
        AccountChange::Password(hash) => store::set_password(tx, id, hash)?,
        AccountChange::Transfer { place, .. } if !may_manage(reach, *place) => {
            return Ok(Err(Refusal::new("access.account.place_out_of_reach").at("place")));
        }
        AccountChange::Transfer { role: Role::System, .. } => {
            return Ok(Err(Refusal::new("access.account.role_unfit").at("role")));
        }
        AccountChange::Transfer { role, place, institution } => {
            store::transfer(tx, id, *role, *place, *institution)?;
        }
        AccountChange::Unlock => store::set_failures(tx, id, 0, None)?,
        AccountChange::Lock => store::lock(tx, id, now.plus_seconds(LOCKED_SECONDS))?,
        AccountChange::ResetSecondFactor => crate::second_factor::forget_factor(tx, id)?,
    }
    if !matches!(change, AccountChange::Reopen | AccountChange::Unlock) {
        end_sessions_of(tx, id, now)?;
    }
    if matches!(change, AccountChange::Close | AccountChange::Transfer { .. } | AccountChange::Lock) {
        // What somebody was to single persons ends with the place that they were it for; so does standing in, either way.
        store::relation::end_of_account(tx, id.uuid(), now)?;
        store::delegation::end_of_account(tx, id, now)?;
    }
    audit(tx, audit_id, now, by, change.action(), Some(id.uuid()), account.place, "", "done")?;
    Ok(Ok(()))
}

fn may_manage(reach: &Reach, place: DivisionCode) -> bool {
    reach.purpose() == Purpose::ManageAccounts && reach.covers(place)
}

/// One account, if it lies within reach.
///
/// # Errors
/// When the database fails.
pub fn account_within(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    id: Id<Account>,
) -> Result<Option<Account>, DatabaseError> {
    Ok(store::account(tx, id)?.filter(|account| may_manage(reach, account.place)))
}

/// The accounts within reach, by place and name; to who makes accounts and who guards them.
///
/// # Errors
/// When the database fails.
pub fn list_accounts(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    offset: i64,
    limit: i64,
) -> Result<Vec<Account>, DatabaseError> {
    if !matches!(reach.purpose(), Purpose::ManageAccounts | Purpose::GuardAccounts) {
        return Ok(Vec::new());
    }
    store::accounts(tx, reach, offset, limit)
}

/// The accounts that a form of a team offers at most.
pub const MOST_STAFF: i64 = 500;

/// Who may be in a family-doctor team of `place`, within reach: doctors and officers who work there, and the experts of the
/// county and above.
///
/// # Errors
/// When the database fails.
pub fn staff_of_teams(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    place: DivisionCode,
) -> Result<Vec<Account>, DatabaseError> {
    let may = matches!(reach.purpose(), Purpose::KeepTeams | Purpose::ReadTeams) && reach.covers(place);
    if may { store::staff(tx, place, MOST_STAFF) } else { Ok(Vec::new()) }
}
