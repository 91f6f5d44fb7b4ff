//! Hubs: servers of a clinic day or a van, whose stations share one queue without a network. Upstream a hub is a phone of who
//! registered it: it shows a key of the same kind, reaches as far as that account, and is wiped the same way. But many work
//! at it, so it hands in what they wrote in their names: of those alone who said here that they work there.
//!
//! No password leaves: who joins gets a code that serves once, at the hub, to choose a password for that hub. Of the code the
//! hub is told the hash.

use kangmai_base::{DivisionCode, Id, Ids, Moment, Refusal, Uuid};
use kangmai_database::{DatabaseError, Transaction};
use serde::{Deserialize, Serialize};

use crate::phone::{KEY_BEGIN, far_from};
use crate::session::{hash_token, random_text};
use crate::store::hub as store;
use crate::{
    Account, Actor, LONGEST_PHONE_NAME, MOST_PHONES, NewAccount, PasswordHash, Phone, Purpose, Reach, Role,
    audit, end_sessions_of,
};

/// A hub whose key was not shown for so long after it was registered is let in no more: a key that lies about is a danger.
pub const HUB_KEY_HOURS: i64 = 24;
/// A code serves for so many days.
pub const HUB_CODE_DAYS: i64 = 7;
/// Hubs that a page lists.
const MOST_HUBS: i64 = 200;
const DAY_SECONDS: i64 = 86_400;

/// A registered hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hub {
    /// Its identifier, also as a phone.
    pub id: Id<Phone>,
    /// What to call it.
    pub name: String,
    /// Who registered it, by name.
    pub by: String,
    /// The place whose people it holds.
    pub place: DivisionCode,
    /// When it was registered.
    pub created_at: Moment,
    /// When it was last heard of, to the minute.
    pub seen_at: Option<Moment>,
    /// When it was wiped, if it was.
    pub wiped_at: Option<Moment>,
    /// How many work there.
    pub staff: i64,
    /// Whether who asks works there.
    pub is_own_place_of_work: bool,
}

/// One who works at a hub, as the hub is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HubStaff {
    /// The account, upstream and at the hub.
    pub account: Id<Account>,
    /// What is typed at sign-in.
    pub sign_in_name: String,
    /// What to call them.
    pub display_name: String,
    /// In which role, by its key.
    pub role: String,
    /// For which division.
    pub place: DivisionCode,
    /// The hash of the code that serves once.
    pub code_hash: Option<String>,
    /// Until when it serves, in microseconds.
    pub code_until: Option<i64>,
}

/// Registers a hub of `actor`; answers its identifier and its key, which is shown once.
///
/// # Errors
/// The inner [`Refusal`] when the name is not fit or there are too many.
pub fn register_hub(
    tx: &mut Transaction<'_>,
    actor: &Actor,
    name: &str,
    ids: &dyn Ids,
    now: Moment,
) -> Result<Result<(Id<Phone>, String), Refusal>, DatabaseError> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > LONGEST_PHONE_NAME {
        let most = LONGEST_PHONE_NAME.to_string();
        return Ok(Err(Refusal::new("access.phone.name_unfit").with("most", most).at("name")));
    }
    let phones = crate::store::phone::of_account(tx, actor.account)?;
    if phones.iter().filter(|phone| phone.wiped_at.is_none()).count() >= MOST_PHONES {
        let most = MOST_PHONES.to_string();
        return Ok(Err(Refusal::new("access.phone.too_many").with("most", most)));
    }
    let id = Id::from_uuid(ids.mint(now));
    let key = format!("{KEY_BEGIN}{}", random_text(ids));
    // It has no PIN: nobody knows a proof.
    let no_proof = hash_token(&random_text(ids));
    store::insert(tx, (id, actor.account, name), (&hash_token(&key), &no_proof), now)?;
    let told = ids.mint(now);
    audit(tx, told, now, actor, "hub_registered", Some(id.uuid()), actor.place, name, "done")?;
    Ok(Ok((id, key)))
}

/// The hubs within reach, and those of the township and county above: where `by` may work.
///
/// # Errors
/// When the database fails.
pub fn list_hubs(tx: &mut Transaction<'_>, by: &Actor, reach: &Reach) -> Result<Vec<Hub>, DatabaseError> {
    if reach.purpose() != Purpose::RecordVisits {
        return Ok(Vec::new());
    }
    store::hubs(tx, by, reach, MOST_HUBS)
}

/// Says that `actor` works at a hub from now on, with the hash of a code that serves once. Answers whether there is such a hub.
///
/// # Errors
/// When the database fails.
pub fn join_hub(
    tx: &mut Transaction<'_>,
    (actor, reach): (&Actor, &Reach),
    hub: Id<Phone>,
    code: &PasswordHash,
    (audit_id, now): (Uuid, Moment),
) -> Result<bool, DatabaseError> {
    let Some(found) = open_hub(tx, actor, reach, hub)? else { return Ok(false) };
    let until = now.plus_seconds(HUB_CODE_DAYS * DAY_SECONDS);
    store::join(tx, (hub, actor.account), (&code.text, until), now)?;
    let subject = Some(hub.uuid());
    audit(tx, audit_id, now, actor, "hub_joined", subject, found.place, &found.name, "done")?;
    Ok(true)
}

/// Says that `actor` works there no more: what comes in their name after this is put aside.
///
/// # Errors
/// When the database fails.
pub fn leave_hub(
    tx: &mut Transaction<'_>,
    (actor, reach): (&Actor, &Reach),
    hub: Id<Phone>,
    (audit_id, now): (Uuid, Moment),
) -> Result<bool, DatabaseError> {
    let Some(found) = open_hub(tx, actor, reach, hub)? else { return Ok(false) };
    if !store::leave(tx, (hub, actor.account), now)? {
        return Ok(false);
    }
    let subject = Some(hub.uuid());
    audit(tx, audit_id, now, actor, "hub_left", subject, found.place, &found.name, "done")?;
    Ok(true)
}

fn open_hub(
    tx: &mut Transaction<'_>,
    actor: &Actor,
    reach: &Reach,
    hub: Id<Phone>,
) -> Result<Option<Hub>, DatabaseError> {
    let hubs = list_hubs(tx, actor, reach)?;
    Ok(hubs.into_iter().find(|one| one.id == hub && one.wiped_at.is_none()))
}

/// Who works at a hub, as it is told.
///
/// # Errors
/// When the database fails.
pub fn hub_staff(
    tx: &mut Transaction<'_>,
    hub: Id<Phone>,
    now: Moment,
) -> Result<Vec<HubStaff>, DatabaseError> {
    store::staff(tx, hub, far_from(now))
}

/// The account in whose name a hub hands something in: none where they do not work there, or may not any more.
///
/// # Errors
/// When the database fails.
pub fn hub_author(
    tx: &mut Transaction<'_>,
    hub: Id<Phone>,
    account: Id<Account>,
    now: Moment,
) -> Result<Option<Actor>, DatabaseError> {
    store::author(tx, (hub, account), far_from(now))
}

/// An account as it stands, by its identifier.
///
/// # Errors
/// When the database fails.
pub fn actor_of(tx: &mut Transaction<'_>, account: Id<Account>) -> Result<Option<Actor>, DatabaseError> {
    Ok(crate::store::credentials_of(tx, account)?.map(|found| found.actor))
}

/// At a hub: takes up who works here, as upstream told. Each has the account of upstream, opened by the code; who is not among
/// them any more is closed, and a sign-in name that somebody else has here is left out and answered.
///
/// # Errors
/// When the database fails.
pub fn take_up_staff(
    tx: &mut Transaction<'_>,
    hub: Id<Phone>,
    staff: &[HubStaff],
    ids: &dyn Ids,
    now: Moment,
) -> Result<Vec<String>, DatabaseError> {
    let by = Actor::system();
    let mut left_out = Vec::new();
    for one in staff {
        let Some(role) = Role::from_key(&one.role).filter(|role| role.may(Purpose::RecordVisits)) else {
            left_out.push(one.sign_in_name.clone());
            continue;
        };
        let code = one.code_hash.clone().zip(one.code_until);
        let code = code.map(|(text, until)| PasswordHash { text, one_time_until: Some(Moment(until)) });
        match crate::store::account(tx, one.account)? {
            None => {
                let Some(password) = code else { continue };
                let new = NewAccount {
                    id: one.account,
                    sign_in_name: one.sign_in_name.clone(),
                    display_name: one.display_name.clone(),
                    role,
                    place: one.place,
                    institution: None,
                    password,
                };
                if crate::account::unfit(tx, &new)?.is_some() {
                    left_out.push(one.sign_in_name.clone());
                    continue;
                }
                crate::account::write_account(tx, &by, &new, ids.mint(now), now)?;
            }
            Some(known) => {
                if (known.role, known.place) != (role, one.place) {
                    crate::store::transfer(tx, one.account, role, one.place, None)?;
                    end_sessions_of(tx, one.account, now)?;
                }
                if known.display_name != one.display_name {
                    store::rename(tx, one.account, &one.display_name)?;
                }
                if known.closed_at.is_some() {
                    crate::store::set_closed(tx, one.account, None)?;
                }
                let before = store::taken(tx, (hub, one.account))?;
                if let Some(code) = code.filter(|code| before.as_ref() != Some(&code.text)) {
                    crate::store::set_password(tx, one.account, &code)?;
                    end_sessions_of(tx, one.account, now)?;
                }
            }
        }
        store::take(tx, hub, one, now)?;
    }
    for gone in store::here(tx)? {
        if !staff.iter().any(|one| one.account == gone) {
            crate::store::set_closed(tx, gone, Some(now))?;
            end_sessions_of(tx, gone, now)?;
            store::leave_here(tx, gone, now)?;
        }
    }
    Ok(left_out)
}
