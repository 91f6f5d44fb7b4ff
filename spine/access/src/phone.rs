//! Phones that work without a network. What such a phone holds is sealed with a data key; that is wrapped by a PIN together
//! with a share that the server hands out again only to who knows the PIN, and takes back after ten wrong tries.
//!
//! A phone acts as its account does, in its role and place of this minute: a transfer or a closed account ends its access at
//! once. A wiped phone is still let in to hand over what it holds, and to hear that it must be emptied.

use kangmai_base::{DivisionCode, Id, Ids, Moment, Refusal, Uuid};
use kangmai_database::{DatabaseError, SealedTable, Transaction};

use crate::session::{hash_token, random_text};
use crate::store::phone as store;
use crate::{Account, Actor, HUB_KEY_HOURS, Purpose, Reach, audit};

/// What every key of a phone begins with.
pub(crate) const KEY_BEGIN: &str = "kmp_";
/// A phone opens without a network for so many days after it was last opened with one.
pub const PHONE_OFFLINE_DAYS: i64 = 7;
/// So many wrong PINs running end the share.
pub const MOST_WRONG_PINS: i64 = 10;
/// Phones of one account that are not wiped.
pub const MOST_PHONES: usize = 5;
/// The longest name, in characters.
pub const LONGEST_PHONE_NAME: usize = 32;
const DAY_SECONDS: i64 = 86_400;
/// How often a phone's last sight is written down.
const SEEN_EVERY_SECONDS: i64 = 60;

/// What is sealed of phones.
pub(crate) const PHONES_SEALED: SealedTable =
    SealedTable { table: "phone", id: "id", columns: &["share_sealed", "data_key_sealed"] };

/// A registered phone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phone {
    /// Its identifier.
    pub id: Id<Phone>,
    /// Whose.
    pub account: Id<Account>,
    /// Whose, by name.
    pub account_name: String,
    /// Where that account works.
    pub place: DivisionCode,
    /// What to call it.
    pub name: String,
    /// When it was registered.
    pub created_at: Moment,
    /// When it was last heard of, to the minute.
    pub seen_at: Option<Moment>,
    /// When it was wiped, if it was.
    pub wiped_at: Option<Moment>,
    /// Whether its PIN was tried too often.
    pub is_locked: bool,
}

/// What a phone is given when it is registered, once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhoneKeys {
    /// Its identifier.
    pub phone: Id<Phone>,
    /// What it shows with every request.
    pub key: String,
    /// Half of what opens it, in hexadecimal.
    pub share: String,
    /// What seals its data, in hexadecimal.
    pub data_key: String,
    /// It may keep the share until then.
    pub until: Moment,
}

/// Who shows the key of a phone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhoneHolder {
    /// Which phone.
    pub phone: Id<Phone>,
    /// Its account, as it stands now.
    pub actor: Actor,
    /// Whether it is a hub, which hands in what several wrote.
    pub is_hub: bool,
    /// Whether it is a hub that was registered so long ago that its key, never shown since, is let in no more.
    pub is_expired: bool,
    /// What it is called.
    pub name: String,
    /// Whether it is to be emptied.
    pub is_wiped: bool,
    /// Whether its account is closed, locked by an officer, or has a password that is not its own yet: then nothing is told.
    pub is_barred: bool,
    /// Whether its last sight is to be written down: then call [`note_phone_seen`] in a write.
    pub seen_is_old: bool,
}

/// What became of a PIN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unlocked {
    /// It is right: the share, and until when it may be kept.
    Share(String, Moment),
    /// It is wrong; so many tries are left.
    Wrong(i64),
    /// There is no such phone, it is wiped, or it was tried too often.
    Ended,
}

/// An officer's lock lasts longer than this, one of wrong passwords less: strangers must not stop phones.
pub(crate) fn far_from(now: Moment) -> Moment {
    now.plus_seconds(DAY_SECONDS)
}

fn until(now: Moment) -> Moment {
    now.plus_seconds(PHONE_OFFLINE_DAYS * DAY_SECONDS)
}

/// Registers a phone of `actor`. `proof` is what the phone made of its PIN: 32 bytes in hexadecimal.
///
/// # Errors
/// The inner [`Refusal`] when name or proof are not fit, or there are too many phones.
pub fn register_phone(
    tx: &mut Transaction<'_>,
    actor: &Actor,
    (name, proof): (&str, &str),
    ids: &dyn Ids,
    now: Moment,
) -> Result<Result<PhoneKeys, Refusal>, DatabaseError> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > LONGEST_PHONE_NAME {
        let most = LONGEST_PHONE_NAME.to_string();
        return Ok(Err(Refusal::new("access.phone.name_unfit").with("most", most).at("name")));
    }
    if !is_proof(proof) {
        return Ok(Err(Refusal::new("access.phone.proof_unfit").at("proof")));
    }
    let phones = store::of_account(tx, actor.account)?;
    if phones.iter().filter(|phone| phone.wiped_at.is_none()).count() >= MOST_PHONES {
        let most = MOST_PHONES.to_string();
        return Ok(Err(Refusal::new("access.phone.too_many").with("most", most)));
    }
    let keys = PhoneKeys {
        phone: Id::from_uuid(ids.mint(now)),
        key: format!("{KEY_BEGIN}{}", random_text(ids)),
        share: random_text(ids),
        data_key: random_text(ids),
        until: until(now),
    };
    store::insert(tx, (actor.account, name), &keys, (&hash_token(&keys.key), &hash_token(proof)), now)?;
    let id = keys.phone.uuid();
    audit(tx, ids.mint(now), now, actor, "phone_registered", Some(id), actor.place, name, "done")?;
    Ok(Ok(keys))
}

fn is_proof(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Opens a phone of `actor` whose PIN is lost, with a new proof: another key and share, the data key of before. None: the actor
/// has no such phone.
///
/// # Errors
/// When the database fails; the inner [`Refusal`] when the proof is not fit.
pub fn rescue_phone(
    tx: &mut Transaction<'_>,
    actor: &Actor,
    (id, proof): (Id<Phone>, &str),
    ids: &dyn Ids,
    now: Moment,
) -> Result<Option<Result<PhoneKeys, Refusal>>, DatabaseError> {
    let own = store::of_account(tx, actor.account)?.into_iter().find(|phone| phone.id == id);
    let Some(own) = own.filter(|phone| phone.wiped_at.is_none()) else { return Ok(None) };
    if !is_proof(proof) {
        return Ok(Some(Err(Refusal::new("access.phone.proof_unfit").at("proof"))));
    }
    let Some(data_key) = store::data_key(tx, id)? else { return Ok(None) };
    let keys = PhoneKeys {
        phone: id,
        key: format!("{KEY_BEGIN}{}", random_text(ids)),
        share: random_text(ids),
        data_key,
        until: until(now),
    };
    store::rekey(tx, &keys, (&hash_token(&keys.key), &hash_token(proof)))?;
    let told = ids.mint(now);
    audit(tx, told, now, actor, "phone_rescued", Some(id.uuid()), actor.place, &own.name, "done")?;
    Ok(Some(Ok(keys)))
}

/// Hands the share out to who shows the proof of the PIN, or counts a wrong one.
///
/// # Errors
/// When the database fails.
pub fn unlock_phone(
    tx: &mut Transaction<'_>,
    (id, proof): (Id<Phone>, &str),
    ids: &dyn Ids,
    now: Moment,
) -> Result<Unlocked, DatabaseError> {
    // Ten tries are ten, however many come at once.
    tx.lock(&format!("access.phone.{}", id.uuid()))?;
    let Some(lock) = store::lock(tx, id, far_from(now))? else { return Ok(Unlocked::Ended) };
    if !lock.role.may(Purpose::RecordVisits) {
        return Ok(Unlocked::Ended);
    }
    let Some(share) = lock.share.filter(|_| !lock.is_ended) else { return Ok(Unlocked::Ended) };
    if lock.proof_hash == hash_token(proof) {
        store::set_wrong_tries(tx, id, 0)?;
        return Ok(Unlocked::Share(share, until(now)));
    }
    let tries = lock.wrong_tries + 1;
    store::set_wrong_tries(tx, id, tries)?;
    if tries < MOST_WRONG_PINS {
        return Ok(Unlocked::Wrong(MOST_WRONG_PINS - tries));
    }
    store::take_share(tx, id)?;
    let (actor, place) = (Actor::system(), lock.place);
    audit(tx, ids.mint(now), now, &actor, "phone_locked", Some(id.uuid()), place, "", "refused")?;
    Ok(Unlocked::Ended)
}

/// Whose key it is. None: it is none. A phone whose account may do nothing any more is known all the same: it must hear that
/// it is to be emptied, and may hand in what it holds.
///
/// # Errors
/// When the database fails.
pub fn phone_of_key(
    tx: &mut Transaction<'_>,
    key: &str,
    now: Moment,
) -> Result<Option<PhoneHolder>, DatabaseError> {
    if !key.starts_with(KEY_BEGIN) {
        return Ok(None);
    }
    let found = store::holder(tx, &hash_token(key), far_from(now))?;
    Ok(found.map(|(holder, created_at, seen_at)| {
        let is_expired =
            holder.is_hub && seen_at.is_none() && now > created_at.plus_seconds(HUB_KEY_HOURS * 3_600);
        let seen_is_old = seen_at.is_none_or(|seen| now >= seen.plus_seconds(SEEN_EVERY_SECONDS));
        PhoneHolder { is_expired, seen_is_old: seen_is_old && !is_expired, ..holder }
    }))
}

/// A phone by its identifier, with what seals what it holds, in hexadecimal: for who opens at the console what it exported.
///
/// # Errors
/// When the database fails.
pub fn phone_with_data_key(
    tx: &mut Transaction<'_>,
    id: Id<Phone>,
    now: Moment,
) -> Result<Option<(PhoneHolder, String)>, DatabaseError> {
    let holder = store::holder_of(tx, id, far_from(now))?;
    Ok(holder.zip(store::data_key(tx, id)?))
}

/// Writes down that a phone was heard of at `now`.
///
/// # Errors
/// When the database fails.
pub fn note_phone_seen(tx: &mut Transaction<'_>, id: Id<Phone>, now: Moment) -> Result<(), DatabaseError> {
    store::set_seen(tx, id, now)
}

/// The phones of the accounts within reach of who writes visits, or oversees it, the ones in use first.
///
/// # Errors
/// When the database fails.
pub fn list_phones(
    tx: &mut Transaction<'_>,
    reach: &Reach,
    offset: i64,
    limit: i64,
) -> Result<Vec<Phone>, DatabaseError> {
    if reach.purpose() != Purpose::RecordVisits {
        return Ok(Vec::new());
    }
    store::within(tx, reach, offset, limit)
}

/// A phone: one's own, or one of an account within reach.
///
/// # Errors
/// When the database fails.
pub fn phone_within(
    tx: &mut Transaction<'_>,
    by: &Actor,
    reach: &Reach,
    id: Id<Phone>,
) -> Result<Option<Phone>, DatabaseError> {
    let may = |phone: &Phone| {
        phone.account == by.account || (reach.purpose() == Purpose::RecordVisits && reach.covers(phone.place))
    };
    Ok(store::phone(tx, id)?.filter(may))
}

/// Has a phone emptied: one's own, or one of an account within reach. Answers whether there was one to empty.
///
/// # Errors
/// When the database fails.
pub fn wipe_phone(
    tx: &mut Transaction<'_>,
    by: &Actor,
    reach: &Reach,
    id: Id<Phone>,
    audit_id: Uuid,
    now: Moment,
) -> Result<bool, DatabaseError> {
    let found = phone_within(tx, by, reach, id)?.filter(|phone| phone.wiped_at.is_none());
    let Some(phone) = found else { return Ok(false) };
    store::wipe(tx, id, by, now)?;
    audit(tx, audit_id, now, by, "phone_wiped", Some(id.uuid()), phone.place, &phone.name, "done")?;
    Ok(true)
}
