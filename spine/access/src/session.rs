//! Sessions: what a signed-in browser is, how far its sign-in has come, and when it ends.

use kangmai_base::{DivisionLevel, Id, Ids, Moment};
use kangmai_database::{DatabaseError, Transaction};
use sha2::{Digest as _, Sha256};

use crate::store::session as store;
use crate::{Account, Actor, Role};

/// How often a session's last sight is written down: a page need not write.
const SEEN_EVERY_SECONDS: i64 = 60;
/// The sessions that a list of devices shows.
const MOST_DEVICES: i64 = 50;

/// What can be set of signing in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignInRules {
    /// A session without a request ends after so many seconds.
    pub idle_seconds: i64,
    /// A session ends after so many seconds at the latest.
    pub longest_seconds: i64,
    /// Whether a second factor must be set up where [`needs_second_factor`] says so. Who has one is asked for it either
    /// way.
    pub second_factor_required: bool,
}

impl SignInRules {
    /// Half an hour without a request, as GB/T 22239 asks for at level 3 (登录连接超时自动退出); the value is ours.
    pub const IDLE_SECONDS: i64 = 1_800;
    /// Twelve hours: the longest working day.
    pub const LONGEST_SECONDS: i64 = 43_200;

    /// What holds unless somebody sets something else.
    pub const STRICT: SignInRules = SignInRules {
        idle_seconds: SignInRules::IDLE_SECONDS,
        longest_seconds: SignInRules::LONGEST_SECONDS,
        second_factor_required: true,
    };

    /// For a demonstration and for tests of other things: nobody is made to set up a second factor.
    pub const WITHOUT_SECOND_FACTOR: SignInRules =
        SignInRules { second_factor_required: false, ..SignInRules::STRICT };
}

/// The accounts that may do without a second factor, as role and lowest level of place: they see one village. All others
/// see more than a village, or manage what others see.
const WITHOUT_SECOND_FACTOR: &[(Role, DivisionLevel)] =
    &[(Role::VillageDoctor, DivisionLevel::Village), (Role::Cadre, DivisionLevel::Village)];

/// Whether an account in this role at this place must have a second factor.
pub fn needs_second_factor(actor: &Actor) -> bool {
    let level = actor.place.level();
    !WITHOUT_SECOND_FACTOR.iter().any(|(role, least)| *role == actor.role && level == Some(*least))
}

/// From where somebody signs in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origin {
    /// The address.
    pub address: String,
    /// Browser and system in words: `Chrome, Windows`.
    pub device: String,
}

/// How somebody showed who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// By the password of the account.
    Password,
    /// By an identity provider (OpenID Connect), which stands for the password.
    Provider,
    /// By an identity provider that asks for a second factor itself.
    ProviderWithSecondFactor,
}

impl Method {
    pub(crate) const fn key(self) -> &'static str {
        match self {
            Method::Password => "password",
            Method::Provider => "provider",
            Method::ProviderWithSecondFactor => "provider_with_second_factor",
        }
    }
}

/// How far a sign-in has come. Worked out at each request and never stored, so that a factor that an administrator takes
/// away or a password that is set anew counts at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stage {
    /// The code of the second factor is missing.
    Code,
    /// A password of one's own must be chosen.
    Password,
    /// A second factor must be set up.
    Enrolment,
    /// Nothing is missing.
    Open,
}

/// An open session.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// Who acts.
    pub actor: Actor,
    /// What a form must send back.
    pub csrf: String,
}

/// An open session, as a request finds it.
#[derive(Debug, Clone)]
pub struct FoundSession {
    /// Who acts, and the token of forms.
    pub signed_in: SignedIn,
    /// How far the sign-in has come.
    pub stage: Stage,
    /// Whether its last sight is to be written down: then call [`note_seen`] in a write.
    pub seen_is_old: bool,
}

/// What the database says of a session, for its [`Stage`].
pub(crate) struct Progress {
    pub(crate) method: Option<String>,
    pub(crate) is_one_time: bool,
    pub(crate) has_factor: bool,
    pub(crate) gave_code: bool,
}

pub(crate) fn stage(rules: &SignInRules, actor: &Actor, progress: &Progress) -> Stage {
    let by = |method: Method| progress.method.as_deref() == Some(method.key());
    let by_provider = by(Method::Provider) || by(Method::ProviderWithSecondFactor);
    let provider_asked = by(Method::ProviderWithSecondFactor);
    if progress.has_factor && !progress.gave_code && !provider_asked {
        Stage::Code
    } else if progress.is_one_time && !by_provider {
        Stage::Password
    } else if rules.second_factor_required
        && needs_second_factor(actor)
        && !progress.has_factor
        && !provider_asked
    {
        Stage::Enrolment
    } else {
        Stage::Open
    }
}

/// The session of `token`, if it is open. Its last sight is written at most once a minute.
///
/// # Errors
/// When the database fails.
pub fn session(
    tx: &mut Transaction<'_>,
    rules: &SignInRules,
    token: &str,
    now: Moment,
) -> Result<Option<FoundSession>, DatabaseError> {
    let Some(found) = store::session(tx, &hash_token(token), now)? else { return Ok(None) };
    if !is_open(rules, found.opened_at, found.seen_at, now) {
        return Ok(None);
    }
    let seen_is_old = now >= found.seen_at.plus_seconds(SEEN_EVERY_SECONDS);
    let stage = stage(rules, &found.actor, &found.progress);
    let signed_in = SignedIn { actor: found.actor, csrf: found.csrf };
    Ok(Some(FoundSession { signed_in, stage, seen_is_old }))
}

fn is_open(rules: &SignInRules, opened_at: Moment, seen_at: Moment, now: Moment) -> bool {
    now < seen_at.plus_seconds(rules.idle_seconds) && now < opened_at.plus_seconds(rules.longest_seconds)
}

/// Writes down that the session of `token` was seen at `now`.
///
/// # Errors
/// When the database fails.
pub fn note_seen(tx: &mut Transaction<'_>, token: &str, now: Moment) -> Result<(), DatabaseError> {
    store::set_seen(tx, &hash_token(token), now)
}

/// Gives the session another token and another form token: whoever knew the old ones is outside.
pub(crate) fn rotate(tx: &mut Transaction<'_>, ids: &dyn Ids, token: &str) -> Result<String, DatabaseError> {
    let (anew, csrf) = (random_text(ids), random_text(ids));
    store::rotate(tx, &hash_token(token), &hash_token(&anew), &csrf)?;
    Ok(anew)
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
    store::end_sessions_of(tx, account, now, &[])
}

/// Ends every session of an account but that of `token`.
///
/// # Errors
/// When the database fails.
pub fn end_other_sessions(
    tx: &mut Transaction<'_>,
    account: Id<Account>,
    token: &str,
    now: Moment,
) -> Result<(), DatabaseError> {
    store::end_sessions_of(tx, account, now, &hash_token(token))
}

/// A browser in which an account is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Its handle for [`end_device`]: it opens nothing.
    pub handle: String,
    /// From which address.
    pub address: String,
    /// Browser and system.
    pub device: String,
    /// When it signed in.
    pub opened_at: Moment,
    /// When it was last seen, to the minute.
    pub seen_at: Moment,
    /// Whether it is the one that asks.
    pub is_this: bool,
}

/// Where an account is signed in, the one last seen first.
///
/// # Errors
/// When the database fails.
pub fn devices(
    tx: &mut Transaction<'_>,
    rules: &SignInRules,
    account: Id<Account>,
    token: &str,
    now: Moment,
) -> Result<Vec<Device>, DatabaseError> {
    let this = hex(&hash_token(token));
    let mut devices = store::devices(tx, account, MOST_DEVICES)?;
    devices.retain(|device| is_open(rules, device.opened_at, device.seen_at, now));
    for device in &mut devices {
        device.is_this = device.handle == this;
    }
    Ok(devices)
}

/// Ends one session of an account by its handle; nothing happens where it is none of this account.
///
/// # Errors
/// When the database fails.
pub fn end_device(
    tx: &mut Transaction<'_>,
    account: Id<Account>,
    handle: &str,
    now: Moment,
) -> Result<(), DatabaseError> {
    let own = store::devices(tx, account, MOST_DEVICES)?.into_iter().any(|device| device.handle == handle);
    let hash = unhex(handle).filter(|_| own);
    hash.map_or(Ok(()), |hash| store::end_session(tx, &hash, now))
}

/// What an account is told of its last sign-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastSignIn {
    /// When.
    pub at: Moment,
    /// From which address.
    pub address: String,
    /// Browser and system.
    pub device: String,
    /// Wrong tries between that one and the present one.
    pub failures: i64,
}

/// The sign-in before the present one; none at the first.
///
/// # Errors
/// When the database fails.
pub fn last_sign_in(
    tx: &mut Transaction<'_>,
    account: Id<Account>,
    token: &str,
) -> Result<Option<LastSignIn>, DatabaseError> {
    store::last_sign_in(tx, account, &hash_token(token))
}

/// What the database holds instead of the token: who reads the table cannot sign in with it.
pub(crate) fn hash_token(token: &str) -> Vec<u8> {
    Sha256::digest(token.as_bytes()).to_vec()
}

pub(crate) fn random_text(ids: &dyn Ids) -> String {
    let mut bytes = [0_u8; 32];
    ids.fill(&mut bytes);
    hex(&bytes)
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |hex, byte| hex + &format!("{byte:02x}"))
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let pairs = text.as_bytes().chunks(2);
    pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_sees_more_than_a_village_needs_a_second_factor() {
        for role in Role::ALL {
            for (place, is_village) in
                [("411722001001", true), ("411722001", false), ("411722", false), ("41", false)]
            {
                let place = place.parse().expect("a code");
                let actor = Actor { role, place, ..Actor::system() };
                let without = is_village && matches!(role, Role::VillageDoctor | Role::Cadre);
                assert_eq!(needs_second_factor(&actor), !without, "{role:?} at {place}");
            }
        }
    }

    #[test]
    fn a_sign_in_asks_for_one_thing_after_the_other() {
        let actor = Actor { role: Role::HealthBureau, ..Actor::system() };
        let (strict, voluntary) = (SignInRules::STRICT, SignInRules::WITHOUT_SECOND_FACTOR);
        let of = |rules: &SignInRules, method: Method, signs: &str| {
            let has = |sign: char| signs.contains(sign);
            let progress = Progress {
                method: Some(method.key().to_owned()),
                is_one_time: has('o'),
                has_factor: has('f'),
                gave_code: has('c'),
            };
            stage(rules, &actor, &progress)
        };
        use Method::{Password, Provider, ProviderWithSecondFactor as Both};
        for (rules, method, signs, expected) in [
            (&strict, Password, "", Stage::Enrolment),
            (&strict, Password, "o", Stage::Password),
            (&strict, Password, "f", Stage::Code),
            (&strict, Password, "of", Stage::Code),
            (&strict, Password, "ofc", Stage::Password),
            (&strict, Password, "fc", Stage::Open),
            (&strict, Provider, "", Stage::Enrolment),
            (&strict, Provider, "o", Stage::Enrolment),
            (&strict, Provider, "f", Stage::Code),
            (&strict, Both, "", Stage::Open),
            (&strict, Both, "of", Stage::Open),
            (&voluntary, Password, "", Stage::Open),
            (&voluntary, Password, "f", Stage::Code),
            (&voluntary, Password, "o", Stage::Password),
        ] {
            assert_eq!(of(rules, method, signs), expected, "{method:?} {signs:?} {rules:?}");
        }
        let doctor = Actor { role: Role::VillageDoctor, place: "411722001001".parse().unwrap(), ..actor };
        let bare = Progress { method: None, is_one_time: false, has_factor: false, gave_code: false };
        assert_eq!(stage(&strict, &doctor, &bare), Stage::Open);
    }
}
