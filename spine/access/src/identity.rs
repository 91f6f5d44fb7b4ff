//! Signing in by an identity provider: an identity there is bound to an account here, by an administrator or by a claim
//! that is set. No account is made by itself.

use kangmai_base::{Id, Ids, Moment, Refusal, Uuid};
use kangmai_database::{DatabaseError, Transaction};

use crate::session::{Method, Origin};
use crate::sign_in::open;
use crate::store::identity as store;
use crate::{Account, Actor, Reach, account_within, audit};

/// The longest issuer and subject.
const LONGEST: usize = 255;

/// Who somebody is at a provider, once the door has believed it.
#[derive(Clone, PartialEq, Eq)]
pub struct ProvenIdentity {
    /// The provider.
    pub issuer: String,
    /// What it calls them.
    pub subject: String,
    /// The sign-in name that a claim of the provider gives, where that is set to count.
    pub sign_in_name: Option<String>,
    /// How they showed who they are.
    pub method: Method,
    /// From where.
    pub from: Origin,
}

/// An identity that is bound to an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BoundIdentity {
    /// The provider.
    pub issuer: String,
    /// What it calls them.
    pub subject: String,
    /// Since when.
    pub bound_at: Moment,
}

/// Opens a session for who a provider says it is; answers the token for the cookie. A lock after wrong passwords does
/// not count here: no password was tried.
///
/// # Errors
/// The inner [`Refusal`] when no open account is bound to it.
pub fn sign_in_by_identity(
    tx: &mut Transaction<'_>,
    ids: &dyn Ids,
    now: Moment,
    proven: &ProvenIdentity,
) -> Result<Result<String, Refusal>, DatabaseError> {
    let bound = store::account_of(tx, &proven.issuer, &proven.subject)?;
    let known = match (bound, &proven.sign_in_name) {
        (Some(account), _) => crate::store::credentials_of(tx, account)?,
        (None, Some(name)) => crate::store::credentials(tx, &name.trim().to_ascii_lowercase())?,
        (None, None) => None,
    };
    let Some(known) = known.filter(|known| !known.closed) else {
        let (id, system) = (ids.mint(now), Actor::system());
        audit(tx, id, now, &system, "sign_in", None, system.place, "", "refused")?;
        return Ok(Err(Refusal::new("access.identity.unbound")));
    };
    open(tx, ids, now, &known, proven.method, &proven.from).map(|(token, _)| Ok(token))
}

/// Binds an identity to an account within reach, or takes the binding away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Binding {
    /// From now on it opens the account.
    Bind,
    /// From now on it does not.
    Unbind,
}

/// Binds an identity to an account, or takes it away; sessions of the account end when it is taken away.
///
/// # Errors
/// The inner [`Refusal`] when there is no such account within reach, or the identity is another's.
pub fn bind_identity(
    tx: &mut Transaction<'_>,
    by: &Actor,
    reach: &Reach,
    id: Id<Account>,
    (issuer, subject): (&str, &str),
    binding: Binding,
    (audit_id, now): (Uuid, Moment),
) -> Result<Result<(), Refusal>, DatabaseError> {
    let Some(account) = account_within(tx, reach, id)? else {
        return Ok(Err(Refusal::new("access.account.not_found")));
    };
    if subject.is_empty() || subject.len() > LONGEST || issuer.len() > LONGEST {
        return Ok(Err(Refusal::new("access.identity.unfit").at("subject")));
    }
    let owner = store::account_of(tx, issuer, subject)?;
    match binding {
        Binding::Bind if owner.is_some() => {
            return Ok(Err(Refusal::new("access.identity.taken").at("subject")));
        }
        Binding::Bind => {
            let bound_by = (by.role != crate::Role::System).then_some(by.account);
            store::insert(tx, (issuer, subject), id, now, bound_by)?;
        }
        Binding::Unbind if owner == Some(id) => {
            store::remove(tx, issuer, subject)?;
            crate::end_sessions_of(tx, id, now)?;
        }
        Binding::Unbind => return Ok(Err(Refusal::new("access.account.not_found"))),
    }
    let action = match binding {
        Binding::Bind => "identity_bound",
        Binding::Unbind => "identity_unbound",
    };
    audit(tx, audit_id, now, by, action, Some(id.uuid()), account.place, "", "done")?;
    Ok(Ok(()))
}

/// The identities that are bound to an account.
///
/// # Errors
/// When the database fails.
pub fn identities_of(
    tx: &mut Transaction<'_>,
    account: Id<Account>,
) -> Result<Vec<BoundIdentity>, DatabaseError> {
    store::of(tx, account)
}
