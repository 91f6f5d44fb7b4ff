//! Accounts, roles, sign-in, and the one function that says who may see what.
//!
//! [`reach`] answers whether an [`Actor`] may do something ([`Purpose`]), and if so how far: a [`Reach`]. A store's
//! list query takes a `&Reach` and can get one nowhere else, so a page cannot forget to ask.
//!
//! *Invariant:* no other crate compares roles to decide what may be seen. What may not be seen looks as if it were
//! not there: the answer to the outside is always "not found".

mod account;
mod audit;
mod audit_search;
mod break_glass;
mod chain;
mod client;
mod delegation;
mod hashing;
mod hub;
mod identity;
mod matrix;
mod password;
mod phone;
mod relation;
mod second_factor;
mod session;
mod set_up;
mod sign_in;
mod store;
mod throttle;
mod totp;
mod wrong_keys;

use kangmai_base::{DivisionCode, Id, PlaceRange, Uuid};
use kangmai_database::{Migration, Migrations};
use kangmai_places::InstitutionTier;

pub use account::{
    Account, AccountChange, MOST_STAFF, NewAccount, account_within, change_account, create_account,
    list_accounts, staff_of_teams,
};
pub use audit::{AuditRow, audit, audit_of_subject, list_audit};
pub use audit_search::{
    AuditWanted, AuditWatch, Unusual, UnusualKind, account_called, readers_of, search_audit, unusual_audit,
};
pub use break_glass::{
    BREAK_GLASS_HOURS, BreakGlass, BreakGlassSum, LONGEST_REASON, MOST_TRIES_A_DAY, Review, SHORTEST_REASON,
    break_glass, break_glass_sums, break_glass_waiting, break_glass_within, check_tries, list_break_glass,
    review_break_glass, try_break_glass,
};
pub use chain::{
    AUDIT_KEPT_MONTHS, AUDIT_ONLY_ADDED_TO, Anchor, Cut, Fault, LEAST_AUDIT_MONTHS, NotAnAnchor, Verified,
    anchor_audit, audit_waits, cut_audit, seal_audit, take_up_audit, verify_audit,
};
pub use client::{
    Client, ClientKey, KEY_LASTS_DAYS, KEY_OVERLAP_DAYS, KeyHolder, LONGEST_CLIENT_NAME, NewClient,
    client_of_key, client_within, create_client, list_clients, note_key_seen, revoke_client, rotate_key,
    set_scopes,
};
pub use delegation::{
    Delegation, LONGEST_DELEGATION_DAYS, LONGEST_DELEGATION_REASON, MOST_COLLEAGUES, MOST_DELEGATIONS,
    NewDelegation, colleagues, delegate, delegations, end_delegation, may_stand_in, stand_in,
};
pub use hashing::hash_in_turn;
pub use hub::{
    HUB_CODE_DAYS, HUB_KEY_HOURS, Hub, HubStaff, actor_of, hub_author, hub_staff, join_hub, leave_hub,
    list_hubs, register_hub, take_up_staff,
};
pub use identity::{
    Binding, BoundIdentity, ProvenIdentity, bind_identity, identities_of, sign_in_by_identity,
};
pub use matrix::{Purpose, Role};
pub use password::{PasswordHash, check_password, hash_password, readable_secret, verify_password};
pub use phone::{
    LONGEST_PHONE_NAME, MOST_PHONES, MOST_WRONG_PINS, PHONE_OFFLINE_DAYS, Phone, PhoneHolder, PhoneKeys,
    Unlocked, list_phones, note_phone_seen, phone_of_key, phone_with_data_key, phone_within, register_phone,
    rescue_phone, unlock_phone, wipe_phone,
};
pub use relation::{
    NO_TERM, NewRelation, Related, RelationKind, end_relations, end_relations_of_kind, forget_relations,
    reach_of_person, relate, relate_all, relate_anew, relations_of, serving_place,
};
pub use second_factor::{
    Enrolled, Enrolment, Means, Proof, RECOVERY_CODES, SEALED, SecondFactor, begin_enrolment,
    finish_enrolment, give_code, give_up_factor, renew_recovery_codes, second_factor,
};
pub use session::{
    Device, FoundSession, LastSignIn, Method, Origin, SignInRules, SignedIn, Stage, devices, end_device,
    end_other_sessions, end_session, end_sessions_of, last_sign_in, needs_second_factor, note_seen, session,
};
pub use set_up::{FIRST_ROLES, SET_UP_MINUTES, SetUpRefusal, begin_set_up, set_up, set_up_waits};
pub use sign_in::{ONE_TIME_PASSWORD_DAYS, OwnPassword, SignIn, change_own_password, sign_in};
pub use throttle::{MOST_COUNTED, Throttle};
pub use totp::code_at;
pub use wrong_keys::{MOST_WRONG_KEYS, WrongKeys};

/// The tables of this crate.
pub const MIGRATIONS: Migrations = Migrations {
    owner: "access",
    steps: &[
        Migration { name: "001-accounts", sql: include_str!("../migrations/001-accounts.sql") },
        Migration { name: "002-clients", sql: include_str!("../migrations/002-clients.sql") },
        Migration { name: "003-sign-in", sql: include_str!("../migrations/003-sign-in.sql") },
        Migration { name: "004-relations", sql: include_str!("../migrations/004-relations.sql") },
        Migration { name: "005-identities", sql: include_str!("../migrations/005-identities.sql") },
        Migration { name: "006-audit-chain", sql: include_str!("../migrations/006-audit-chain.sql") },
        Migration { name: "007-audit-search", sql: include_str!("../migrations/007-audit-search.sql") },
        Migration { name: "008-delegations", sql: include_str!("../migrations/008-delegations.sql") },
        Migration { name: "009-phones", sql: include_str!("../migrations/009-phones.sql") },
        Migration { name: "010-serving-places", sql: include_str!("../migrations/010-serving-places.sql") },
        Migration {
            name: "011-serving-look-ups",
            sql: include_str!("../migrations/011-serving-look-ups.sql"),
        },
        Migration { name: "012-hubs", sql: include_str!("../migrations/012-hubs.sql") },
    ],
};

/// The words of this crate.
pub const WORDS: &str = include_str!("../words.toml");

/// Who acts: an account in its role at its place, or the system itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// The account; the nil UUID for the system.
    pub account: Id<Account>,
    /// What to call them.
    pub name: String,
    /// In which role.
    pub role: Role,
    /// The division that the role is held for.
    pub place: DivisionCode,
    /// The institution whose desk it is, if any.
    pub institution: Option<Uuid>,
    /// The name of whom they stand in for: role, place and institution are then that account's.
    pub stands_in_for: Option<String>,
}

impl Actor {
    /// The system: commands at the console, imports and reconcilers. It reaches everything.
    pub fn system() -> Actor {
        Actor {
            account: Id::from_uuid(Uuid::nil()),
            name: "kangmai".into(),
            role: Role::System,
            place: DivisionCode::COUNTRY,
            institution: None,
            stands_in_for: None,
        }
    }

    /// The institutions that they work for.
    pub const fn post(&self) -> Post {
        Post { institution: self.institution, place: self.place, tiers: self.role.tiers() }
    }
}

/// Which institutions somebody works for: the one of the account, and those of their tier at their place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Post {
    /// The institution of the account.
    pub institution: Option<Uuid>,
    /// Where they work.
    pub place: DivisionCode,
    /// Institutions of which tiers at that place are theirs, the lowest first; empty: none.
    pub tiers: &'static [InstitutionTier],
}

impl Post {
    /// Whether they work for an institution of `tier` that stands in `place`.
    pub fn works_for(&self, institution: Uuid, tier: InstitutionTier, place: DivisionCode) -> bool {
        self.institution == Some(institution) || (self.tiers.contains(&tier) && self.place.contains(place))
    }

    /// Whether they work for any.
    pub const fn is_any(&self) -> bool {
        self.institution.is_some() || !self.tiers.is_empty()
    }

    /// Lowest and highest code of their place.
    pub fn places(&self) -> (i64, i64) {
        let all = self.place.range();
        (all.first.cast_signed(), all.last.cast_signed())
    }

    /// Keys of the lowest and the highest of the tiers, for a list; empty where there is none.
    pub fn tier_keys(&self) -> (&'static str, &'static str) {
        let key = |tier: Option<&InstitutionTier>| tier.map_or("", |tier| tier.key());
        (key(self.tiers.first()), key(self.tiers.last()))
    }
}

/// How far an actor's permission reaches for one purpose. Only [`reach`] makes one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Reach {
    place: DivisionCode,
    purpose: Purpose,
    role: Role,
    diagnoses: bool,
    sensitive: bool,
    money: bool,
    contact: bool,
    institution: Option<Uuid>,
    person: Option<(Uuid, RelationKind)>,
}

impl Reach {
    /// The division within which everything lies that may be seen.
    pub const fn place(&self) -> DivisionCode {
        self.place
    }

    /// The one institution whose bills, admissions, claims, payments and days lie within reach, whoever else treats
    /// people of the place; none: those of every institution. A desk that belongs to no institution gets the nil UUID
    /// here, which none has, so it sees nobody's.
    pub const fn institution(&self) -> Option<Uuid> {
        self.institution
    }

    /// What a list asks for, if the actor may choose: its own institution, whatever is asked; else the one asked for.
    pub fn institution_or(&self, asked: Option<Uuid>) -> Option<Uuid> {
        self.institution.or(asked)
    }

    /// Whether what belongs to `institution` is within reach.
    pub fn covers_institution(&self, institution: Uuid) -> bool {
        self.institution.is_none_or(|own| own == institution)
    }

    /// What for.
    pub const fn purpose(&self) -> Purpose {
        self.purpose
    }

    /// In which role: for whose work it is, never for what may be seen.
    pub const fn role(&self) -> Role {
        self.role
    }

    /// Lowest code within reach, for `place between $1 and $2`. A reach for one person has no place: nothing lies between.
    pub fn first(&self) -> i64 {
        self.places().first.cast_signed()
    }

    /// Highest code within reach.
    pub fn last(&self) -> i64 {
        self.places().last.cast_signed()
    }

    /// The codes within reach, for what asks a range. Never `place().range()`: a reach for one person has no place, and an
    /// account that reaches by relation alone has none either.
    pub fn places(&self) -> PlaceRange {
        if self.person.is_some() { PlaceRange { first: 1, last: 0 } } else { self.place.range() }
    }

    /// Whether `place` is within reach. No place is within a reach for one person.
    pub fn covers(&self, place: DivisionCode) -> bool {
        self.person.is_none() && self.place.contains(place)
    }

    /// Whether a person at home in `home` is within reach: by place, or because it is a reach for that person.
    pub fn covers_person(&self, person: Uuid, home: DivisionCode) -> bool {
        match self.person {
            Some((own, _)) => own == person,
            None => self.place.contains(home),
        }
    }

    /// Lowest and highest code between which what is about `subject` lies within reach: by a reach for that person all of
    /// it, wherever it happened.
    pub fn places_of(&self, subject: Uuid) -> (i64, i64) {
        match self.person {
            Some((own, _)) if own == subject => {
                let all = DivisionCode::COUNTRY.range();
                (all.first.cast_signed(), all.last.cast_signed())
            }
            _ => (self.first(), self.last()),
        }
    }

    /// By what relation it reaches one person; none: it reaches a place.
    pub fn relation(&self) -> Option<RelationKind> {
        self.person.map(|(_, kind)| kind)
    }

    /// The same relation to the same person for another purpose, if it gives that and the role has it.
    pub fn for_purpose(&self, actor: &Actor, purpose: Purpose) -> Option<Reach> {
        let (person, kind) = self.person?;
        let by_place = reach(actor, purpose).filter(|_| kind.gives().contains(&purpose))?;
        Some(by_place.of_person(person, kind))
    }

    /// Reach for one person instead of a place. What they paid, and what others paid for them, is not in it.
    fn of_person(self, person: Uuid, kind: RelationKind) -> Reach {
        Reach { money: false, person: Some((person, kind)), ..self }
    }

    /// The same reach within `place` only; where `place` lies outside, nothing but the reach's own place stays.
    #[must_use]
    pub fn narrowed(&self, place: DivisionCode) -> Reach {
        let place = if self.covers(place) { place } else { self.place };
        Reach { place, ..self.clone() }
    }

    /// Whether diagnoses may be shown.
    pub const fn diagnoses(&self) -> bool {
        self.diagnoses
    }

    /// Whether diagnoses of sensitive level 5 may be shown. Never in a list: on one person's page only.
    pub const fn sensitive(&self) -> bool {
        self.sensitive
    }

    /// Whether amounts may be shown.
    pub const fn money(&self) -> bool {
        self.money
    }

    /// Whether telephone numbers may be shown.
    pub const fn contact(&self) -> bool {
        self.contact
    }
}

/// The one function that answers whether `actor` may do `purpose`, and how far. `None` is "not found" to the
/// outside.
pub fn reach(actor: &Actor, purpose: Purpose) -> Option<Reach> {
    let role = actor.role;
    role.may(purpose).then(|| Reach {
        place: actor.place,
        purpose,
        role,
        diagnoses: role.sees_diagnoses(),
        sensitive: role.treats() && matches!(purpose, Purpose::ReadRecord | Purpose::ReadReferrals),
        money: role.sees_money(),
        contact: role.sees_contact(),
        institution: role.is_of_an_institution().then(|| actor.institution.unwrap_or_default()),
        person: role.reaches_by_relation().then_some((Uuid::nil(), RelationKind::Team)),
    })
}
