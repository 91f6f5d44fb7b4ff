//! Signing in, being locked out, being transferred: on both databases.

#![expect(clippy::expect_used, reason = "a test says what it needs")]

use std::sync::Arc;

use kangmai_access::{
    AccountChange, Actor, MIGRATIONS, NewAccount, Purpose, Role, SignIn, account_within, change_account,
    create_account, hash_password, list_accounts, list_audit, reach, session, sign_in,
};
use kangmai_base::{Clock, Day, DivisionCode, FixedClock, Id, Ids, Moment, SeededIds};
use kangmai_database::testing::FreshDatabase;
use kangmai_database::{Database, DatabaseError, Migrations, Transaction};

const ALL: &[Migrations] = &[MIGRATIONS];
const PASSWORD: &str = "village-at-night-9";

struct Given {
    database: Database,
    clock: Arc<FixedClock>,
    ids: Arc<dyn Ids>,
    doctor: Id<kangmai_access::Account>,
    _fresh: FreshDatabase,
}

fn village() -> DivisionCode {
    "411722103203".parse().expect("a code")
}

/// A migrated database with one village doctor, `wang`.
fn given_a_village_doctor(fresh: FreshDatabase) -> Given {
    let clock = Arc::new(FixedClock::on(Day::from_ymd(2026, 3, 5).expect("a day")));
    let ids: Arc<dyn Ids> = Arc::new(SeededIds::new(11));
    fresh.database.migrate(ALL, clock.now()).expect("migrated");
    let doctor = Id::from_uuid(ids.mint(clock.now()));
    let new = NewAccount {
        id: doctor,
        sign_in_name: "wang".into(),
        display_name: "王医生（示例）".into(),
        role: Role::VillageDoctor,
        place: village(),
        institution: None,
        password: hash_password(&*ids, PASSWORD).expect("a hash"),
    };
    let audit_id = ids.mint(clock.now());
    let now = clock.now();
    fresh
        .database
        .write_blocking(move |tx| create_account(tx, &Actor::system(), &new, audit_id, now))
        .expect("database")
        .expect("made");
    Given { database: fresh.database.clone(), clock, ids, doctor, _fresh: fresh }
}

impl Given {
    fn sign_in(&self, name: &str, password: &str) -> Result<String, String> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let clock: Arc<dyn Clock> = self.clock.clone();
        let typed = SignIn { name: name.into(), password: password.into() };
        let answer = runtime.block_on(sign_in(&self.database, &clock, &self.ids, typed)).expect("database");
        answer.map(|(token, _)| token).map_err(|refusal| refusal.key.to_owned())
    }

    fn session_is_open(&self, token: &str) -> bool {
        let (token, now) = (token.to_owned(), self.clock.now());
        self.database.read_blocking(move |tx| session(tx, &token, now)).expect("database").is_some()
    }

    fn change(&self, change: AccountChange) {
        self.changed_by(Actor::system(), change).expect("changed");
    }

    fn changed_by(&self, actor: Actor, change: AccountChange) -> Result<(), String> {
        let (id, audit_id, now) = (self.doctor, self.ids.mint(Moment(0)), self.clock.now());
        let write = move |tx: &mut Transaction<'_>| {
            let reach = reach(&actor, Purpose::ManageAccounts).expect("may manage accounts");
            change_account(tx, &actor, &reach, id, &change, audit_id, now)
        };
        self.database.write_blocking(write).expect("database").map_err(|refusal| refusal.key.to_string())
    }
}

#[test]
fn signing_in_opens_a_session_that_ends_when_idle() {
    for fresh in FreshDatabase::all().expect("databases") {
        let given = given_a_village_doctor(fresh);
        let token = given.sign_in(" WANG ", PASSWORD).expect("signed in");
        assert!(given.session_is_open(&token));
        assert!(!given.session_is_open("another token"));
        given.clock.advance(1_799);
        assert!(given.session_is_open(&token));
        given.clock.advance(1);
        assert!(!given.session_is_open(&token));
    }
}

#[test]
fn five_wrong_passwords_lock_and_time_unlocks() {
    for fresh in FreshDatabase::all().expect("databases") {
        let given = given_a_village_doctor(fresh);
        assert_eq!(given.sign_in("nobody", PASSWORD), Err("access.sign_in.wrong".into()));
        for _ in 0..5 {
            assert_eq!(given.sign_in("wang", "wrong password"), Err("access.sign_in.wrong".into()));
        }
        assert_eq!(given.sign_in("wang", PASSWORD), Err("access.sign_in.locked".into()));
        given.clock.advance(60);
        assert!(given.sign_in("wang", PASSWORD).is_ok());
        for _ in 0..5 {
            assert!(given.sign_in("wang", "wrong password").is_err());
        }
        given.change(AccountChange::Unlock);
        assert!(given.sign_in("wang", PASSWORD).is_ok());
    }
}

#[test]
fn whatever_lessens_reach_ends_sessions_at_once() {
    for fresh in FreshDatabase::all().expect("databases") {
        let given = given_a_village_doctor(fresh);
        let new_password = hash_password(&*given.ids, "another village 2").expect("a hash");
        let elsewhere: DivisionCode = "411722104".parse().expect("a code");
        for change in [
            AccountChange::Transfer { role: Role::TownshipOfficer, place: elsewhere },
            AccountChange::Password(new_password),
            AccountChange::Close,
        ] {
            let password =
                if matches!(change, AccountChange::Close) { "another village 2" } else { PASSWORD };
            let token = given.sign_in("wang", password).expect("signed in");
            given.change(change);
            assert!(!given.session_is_open(&token));
        }
        assert_eq!(given.sign_in("wang", "another village 2"), Err("access.sign_in.wrong".into()));
    }
}

#[test]
fn lists_are_within_reach_only() {
    for fresh in FreshDatabase::all().expect("databases") {
        let given = given_a_village_doctor(fresh);
        let list = |place: &str| {
            let actor =
                Actor { role: Role::Administrator, place: place.parse().expect("a code"), ..Actor::system() };
            given.database.read_blocking(move |tx| -> Result<(usize, usize), DatabaseError> {
                let accounts = reach(&actor, Purpose::ManageAccounts).expect("may");
                let audited =
                    reach(&Actor { role: Role::Auditor, ..actor }, Purpose::ReadAudit).expect("may");
                Ok((list_accounts(tx, &accounts, 0, 50)?.len(), list_audit(tx, &audited, 0, 50)?.len()))
            })
        };
        assert_eq!(list("411722").expect("database"), (1, 1));
        assert_eq!(list("411721").expect("database"), (0, 0));
    }
}

#[test]
fn names_must_be_fit_and_free() {
    for fresh in FreshDatabase::all().expect("databases") {
        let given = given_a_village_doctor(fresh);
        for (name, role, expected) in [
            ("wang", Role::Cadre, Some("access.account.name_taken")),
            ("Wang", Role::Cadre, Some("access.account.name_unfit")),
            ("王", Role::Cadre, Some("access.account.name_unfit")),
            ("li", Role::System, Some("access.account.role_unfit")),
            ("li", Role::Cadre, None),
        ] {
            let new = NewAccount {
                id: Id::from_uuid(given.ids.mint(Moment(0))),
                sign_in_name: name.into(),
                display_name: "李".into(),
                role,
                place: village(),
                institution: None,
                password: hash_password(&*given.ids, PASSWORD).expect("a hash"),
            };
            let (audit_id, now) = (given.ids.mint(Moment(0)), given.clock.now());
            let made = given
                .database
                .write_blocking(move |tx| create_account(tx, &Actor::system(), &new, audit_id, now))
                .expect("database");
            assert_eq!(made.err().map(|refusal| refusal.key), expected, "{name}");
        }
    }
}

#[test]
fn an_administrator_reaches_the_accounts_of_the_place_and_makes_nobody_the_system() {
    for fresh in FreshDatabase::all().expect("databases") {
        let given = given_a_village_doctor(fresh);
        let of = |place: &str| Actor {
            role: Role::Administrator,
            place: place.parse().expect("a code"),
            ..Actor::system()
        };
        let (own, other) = (of("411722"), of("411723"));
        let seen = |actor: &Actor| {
            let (within, id) = (reach(actor, Purpose::ManageAccounts).expect("may"), given.doctor);
            let read = move |tx: &mut Transaction<'_>| account_within(tx, &within, id);
            given.database.read_blocking(read).expect("database").is_some()
        };
        assert!(seen(&own) && !seen(&other));
        let to =
            |role: Role, place: &str| AccountChange::Transfer { role, place: place.parse().expect("a code") };
        for (actor, change, refused) in [
            (&other, AccountChange::Close, "access.account.not_found"),
            (&own, to(Role::VillageDoctor, "411723001001"), "access.account.place_out_of_reach"),
            (&own, to(Role::System, "411722103203"), "access.account.role_unfit"),
        ] {
            assert_eq!(given.changed_by(actor.clone(), change), Err(refused.to_owned()));
        }
        assert_eq!(given.changed_by(own.clone(), to(Role::Cadre, "411722103")), Ok(()));
    }
}
