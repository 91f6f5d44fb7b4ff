//! Clients of the interface: the system of one institution, with keys that can be changed without a break.

use kangmai_base::{DivisionCode, Id, Ids, Moment, Refusal, Uuid};
use kangmai_database::{DatabaseError, Transaction};
use kangmai_places::find_institution;

use crate::session::{hash_token, random_text};
use crate::store::client as store;
use crate::{Actor, Purpose, Reach, Role, audit};

/// What every key begins with, so that one that lies about is told for what it is.
const KEY_BEGIN: &str = "kmk_";
/// Signs of a key that lists show, to tell one from the other: far too few to guess the rest.
const HINT_LENGTH: usize = KEY_BEGIN.len() + 6;
/// A key ends after so many days, if it is not changed before.
pub const KEY_LASTS_DAYS: i64 = 365;
/// After a change the earlier key still works for so many days: time to enter the new one everywhere.
pub const KEY_OVERLAP_DAYS: i64 = 14;
/// How often a key's last use is written down: a request need not write.
const SEEN_EVERY_SECONDS: i64 = 60;
/// The longest name, in characters.
pub const LONGEST_CLIENT_NAME: usize = 64;
const DAY_SECONDS: i64 = 86_400;

/// The system of one institution that speaks to the interface. It acts as a settlement desk of that institution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    /// Its identifier.
    pub id: Id<Client>,
    /// What to call it: 县医院 HIS.
    pub name: String,
    /// Whose system it is.
    pub institution: Uuid,
    /// What to call that.
    pub institution_name: String,
    /// For which division.
    pub place: DivisionCode,
    /// When it was made.
    pub created_at: Moment,
    /// Who made it; none: the system.
    pub created_by: Option<String>,
    /// When it was closed, if it was.
    pub closed_at: Option<Moment>,
    /// Its keys, the newest first.
    pub keys: Vec<ClientKey>,
    /// The operations that its keys open, by their names; none: all that a client may do.
    pub scopes: Option<Vec<String>>,
}

/// Who shows a key that works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyHolder {
    /// The client as one who acts.
    pub actor: Actor,
    /// The operations that its keys open; none: all.
    pub scopes: Option<Vec<String>>,
    /// Whether its last use is to be written down: then call [`note_key_seen`] in a write.
    pub seen_is_old: bool,
}

impl KeyHolder {
    /// Whether the key opens the operation of this name.
    pub fn may(&self, operation: &str) -> bool {
        self.scopes.as_ref().is_none_or(|scopes| scopes.iter().any(|scope| scope == operation))
    }
}

impl Client {
    /// When one of its keys was last used.
    pub fn seen_at(&self) -> Option<Moment> {
        self.keys.iter().filter_map(|key| key.seen_at).max()
    }

    /// The keys that work at `now`, the newest first.
    pub fn keys_at(&self, now: Moment) -> impl Iterator<Item = &ClientKey> {
        let open = self.closed_at.is_none();
        self.keys.iter().filter(move |key| open && key.works_at(now))
    }
}

/// A key, without the key itself: only its hash is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientKey {
    /// Its first signs.
    pub hint: String,
    /// When it was made.
    pub made_at: Moment,
    /// When it ends.
    pub expires_at: Moment,
    /// When it was revoked, if it was.
    pub revoked_at: Option<Moment>,
    /// When it was last used, to the minute.
    pub seen_at: Option<Moment>,
}

impl ClientKey {
    /// Whether it opens anything.
    pub fn works_at(&self, now: Moment) -> bool {
        self.revoked_at.is_none() && now < self.expires_at
    }
}

/// A new client.
#[derive(Debug, Clone)]
pub struct NewClient {
    /// Its identifier.
    pub id: Id<Client>,
    /// What to call it.
    pub name: String,
    /// Whose system it is.
    pub institution: Uuid,
    /// For which division: whose patients it may settle.
    pub place: DivisionCode,
}

fn may_manage(reach: &Reach, place: DivisionCode) -> bool {
    reach.purpose() == Purpose::ManageAccounts && reach.covers(place)
}

/// Makes a client; answers its first key, which is shown once.
///
/// # Errors
/// The inner [`Refusal`] when name, institution or place are not fit.
pub fn create_client(
    tx: &mut Transaction<'_>,
    by: &Actor,
    reach: &Reach,
    new: &NewClient,
    ids: &dyn Ids,
    now: Moment,
) -> Result<Result<String, Refusal>, DatabaseError> {
    let name = new.name.trim();
    if name.is_empty() || name.chars().count() > LONGEST_CLIENT_NAME {
        return Ok(Err(Refusal::new("access.client.name_unfit").at("name")));
    }
    if !may_manage(reach, new.place) {
        return Ok(Err(Refusal::new("access.account.place_out_of_reach").at("place")));
    }
    let institution = find_institution(tx, Id::from_uuid(new.institution))?;
    if !institution.is_some_and(|found| reach.covers(found.place)) {
        return Ok(Err(Refusal::new("access.client.no_institution").at("institution")));
    }
    store::insert_client(tx, new, by, now)?;
    audit(tx, ids.mint(now), now, by, "client_created", Some(new.id.uuid()), new.place, name, "done")?;
    new_key(tx, new.id, ids, now).map(Ok)
}

fn new_key(
    tx: &mut Transaction<'_>,
    client: Id<Client>,
    ids: &dyn Ids,
    now: Moment,
) -> Result<String, DatabaseError> {
    let key = format!("{KEY_BEGIN}{}", random_text(ids));
    let made = ClientKey {
        hint: key.chars().take(HINT_LENGTH).collect(),
        made_at: now,
        expires_at: now.plus_seconds(KEY_LASTS_DAYS * DAY_SECONDS),
        revoked_at: None,
        seen_at: None,
    };
    store::insert_key(tx, client, &hash_token(&key), &made)?;
    Ok(key)
}

/// Gives a client a new key, which is shown once. The newest of those that work goes on working for
/// [`KEY_OVERLAP_DAYS`]; older ones end at once, so that never more than two are valid.
///
/// # Errors
/// The inner [`Refusal`] when there is no such open client within `reach`.
pub fn rotate_key(
    tx: &mut Transaction<'_>,
    by: &Actor,
    reach: &Reach,
    id: Id<Client>,
    ids: &dyn Ids,
    now: Moment,
) -> Result<Result<String, Refusal>, DatabaseError> {
    let Some(client) = client_within(tx, reach, id)?.filter(|client| client.closed_at.is_none()) else {
        return Ok(Err(Refusal::new("access.client.not_found")));
    };
    let newest = client.keys_at(now).next().map(|key| key.made_at);
    store::revoke_keys_before(tx, id, newest.unwrap_or(now), now)?;
    store::shorten_keys(tx, id, now.plus_seconds(KEY_OVERLAP_DAYS * DAY_SECONDS))?;
    audit(tx, ids.mint(now), now, by, "client_key", Some(id.uuid()), client.place, &client.name, "done")?;
    new_key(tx, id, ids, now).map(Ok)
}

/// Closes a client: all its keys end at once.
///
/// # Errors
/// The inner [`Refusal`] when there is no such open client within `reach`.
pub fn revoke_client(
    tx: &mut Transaction<'_>,
    by: &Actor,
    reach: &Reach,
    id: Id<Client>,
    audit_id: Uuid,
    now: Moment,
) -> Result<Result<(), Refusal>, DatabaseError> {
    let Some(client) = client_within(tx, reach, id)?.filter(|client| client.closed_at.is_none()) else {
        return Ok(Err(Refusal::new("access.client.not_found")));
    };
    store::close_client(tx, id, now)?;
    audit(tx, audit_id, now, by, "client_revoked", Some(id.uuid()), client.place, &client.name, "done")?;
    Ok(Ok(()))
}

/// Says which operations a client's keys open; none: all that a client may do. It holds from the next request on.
///
/// # Errors
/// The inner [`Refusal`] when there is no such open client within `reach`.
pub fn set_scopes(
    tx: &mut Transaction<'_>,
    by: &Actor,
    reach: &Reach,
    id: Id<Client>,
    scopes: Option<&[String]>,
    (audit_id, now): (Uuid, Moment),
) -> Result<Result<(), Refusal>, DatabaseError> {
    let Some(client) = client_within(tx, reach, id)?.filter(|client| client.closed_at.is_none()) else {
        return Ok(Err(Refusal::new("access.client.not_found")));
    };
    let text = scopes.map(|scopes| scopes.join(" "));
    let reason = text.clone().unwrap_or_default();
    store::set_scopes(tx, id, text)?;
    audit(tx, audit_id, now, by, "client_scopes", Some(id.uuid()), client.place, &reason, "done")?;
    Ok(Ok(()))
}

/// One client with its keys, if it lies within reach.
///
/// # Errors
/// When the database fails.
pub fn client_within(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    id: Id<Client>,
) -> Result<Option<Client>, DatabaseError> {
    Ok(store::client(tx, id)?.filter(|client| may_manage(reach, client.place)))
}

/// The clients within reach with their keys, by place and name.
///
/// # Errors
/// When the database fails.
pub fn list_clients(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    offset: i64,
    limit: i64,
) -> Result<Vec<Client>, DatabaseError> {
    if reach.purpose() != Purpose::ManageAccounts {
        return Ok(Vec::new());
    }
    store::clients(tx, reach, offset, limit)
}

/// Whose key it is, if it works.
///
/// # Errors
/// When the database fails.
pub fn client_of_key(
    tx: &mut Transaction<'_>,
    key: &str,
    now: Moment,
) -> Result<Option<KeyHolder>, DatabaseError> {
    if !key.starts_with(KEY_BEGIN) {
        return Ok(None);
    }
    let Some((client, key)) = store::client_of_key(tx, &hash_token(key))? else { return Ok(None) };
    if !key.works_at(now) {
        return Ok(None);
    }
    let seen_is_old = key.seen_at.is_none_or(|seen| now >= seen.plus_seconds(SEEN_EVERY_SECONDS));
    let actor = Actor {
        account: Id::from_uuid(client.id.uuid()),
        name: client.name,
        role: Role::CountyDesk,
        place: client.place,
        institution: Some(client.institution),
        stands_in_for: None,
    };
    Ok(Some(KeyHolder { actor, scopes: client.scopes, seen_is_old }))
}

/// Writes down that `key` was used at `now`.
///
/// # Errors
/// When the database fails.
pub fn note_key_seen(tx: &mut Transaction<'_>, key: &str, now: Moment) -> Result<(), DatabaseError> {
    store::set_key_seen(tx, &hash_token(key), now)
}
