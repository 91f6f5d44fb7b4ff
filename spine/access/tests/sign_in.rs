//! Signing in, being locked out, being transferred: on both databases.

#![expect(clippy::expect_used, reason = "a test says what it needs")]

use std::sync::Arc;

use argon2::PasswordHasher as _;
use kangmai_access::{
    AccountChange, Actor, Device, LastSignIn, MIGRATIONS, NewAccount, Origin, OwnPassword, Purpose, Role,
    SignIn, SignInRules, Stage, account_within, begin_set_up, change_account, change_own_password,
    create_account, devices, end_device, hash_password, last_sign_in, list_accounts, list_audit, reach,
    session, set_up, sign_in,
};
use kangmai_base::{Clock, Day, DivisionCode, FixedClock, Id, Ids, Moment, SeededIds};
use kangmai_database::testing::FreshDatabase;
use kangmai_database::{Database, DatabaseError, Migrations, Transaction, params};

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
        let typed = SignIn { name: name.into(), password: password.into(), ..SignIn::default() };
        let answer = runtime.block_on(sign_in(&self.database, &clock, &self.ids, typed)).expect("database");
        answer.map(|(token, _)| token).map_err(|refusal| refusal.key.to_owned())
    }

    fn session_is_open(&self, token: &str) -> bool {
        let (token, now) = (token.to_owned(), self.clock.now());
        self.database
            .read_blocking(move |tx| session(tx, &SignInRules::STRICT, &token, now))
            .expect("database")
            .is_some()
    }

    fn sign_in_at(&self, address: &str, device: &str) -> String {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let clock: Arc<dyn Clock> = self.clock.clone();
        let from = Origin { address: address.into(), device: device.into() };
        let typed = SignIn { name: "wang".into(), password: PASSWORD.into(), from };
        let answer = runtime.block_on(sign_in(&self.database, &clock, &self.ids, typed)).expect("database");
        answer.expect("signed in").0
    }

    fn stage(&self, token: &str) -> Option<Stage> {
        let (token, now) = (token.to_owned(), self.clock.now());
        let found = self.database.read_blocking(move |tx| session(tx, &SignInRules::STRICT, &token, now));
        found.expect("database").map(|found| found.stage)
    }

    fn choose(&self, token: &str, present: &str, new: &str) -> Result<String, String> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let clock: Arc<dyn Clock> = self.clock.clone();
        let typed = OwnPassword { present: present.into(), new: new.into() };
        let changing = change_own_password(&self.database, &clock, &self.ids, self.doctor, token, typed);
        runtime.block_on(changing).expect("database").map_err(|refusal| refusal.key.to_owned())
    }

    fn devices(&self, token: &str) -> Vec<Device> {
        let (token, now, account) = (token.to_owned(), self.clock.now(), self.doctor);
        let read = move |tx: &mut Transaction<'_>| devices(tx, &SignInRules::STRICT, account, &token, now);
        self.database.read_blocking(read).expect("database")
    }

    fn end_device(&self, account: Id<kangmai_access::Account>, handle: &str) {
        let (handle, now) = (handle.to_owned(), self.clock.now());
        self.database.write_blocking(move |tx| end_device(tx, account, &handle, now)).expect("database");
    }

    fn last_sign_in(&self, token: &str) -> Option<LastSignIn> {
        let (token, account) = (token.to_owned(), self.doctor);
        self.database.read_blocking(move |tx| last_sign_in(tx, account, &token)).expect("database")
    }

    fn account(&self) -> kangmai_access::Account {
        let id = self.doctor;
        let read = move |tx: &mut Transaction<'_>| {
            let reach = reach(&Actor::system(), Purpose::ManageAccounts).expect("may");
            account_within(tx, &reach, id)
        };
        self.database.read_blocking(read).expect("database").expect("the doctor")
    }

    fn hash(&self) -> String {
        let row = self.database.read_blocking(|tx| tx.query_one("select password_hash from account", &[]));
        row.expect("database").expect("a row").get(0).expect("a text")
    }

    fn set_hash(&self, hash: &str) {
        let hash = hash.to_owned();
        let write = move |tx: &mut Transaction<'_>| {
            tx.execute("update account set password_hash = $1", &params![hash])
        };
        self.database.write_blocking(write).expect("database");
    }

    fn weak_hash(&self, memory: u32, passes: u32) -> String {
        let params = argon2::Params::new(memory, passes, 1, None).expect("parameters");
        let argon2 = argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params);
        let hash = argon2.hash_password_with_salt(PASSWORD.as_bytes(), b"baselesssalt").expect("a hash");
        let hash: argon2::password_hash::phc::PasswordHash = hash;
        hash.to_string()
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
        let wrong = Err("access.sign_in.wrong".to_owned());
        assert_eq!(given.sign_in("nobody", PASSWORD), wrong);
        for _ in 0..5 {
            assert_eq!(given.sign_in("wang", "wrong password"), wrong);
        }
        // Locked: the answer to the right password is that to a wrong one, and to a name that nobody has.
        assert_eq!(given.sign_in("wang", PASSWORD), wrong);
        // Guessing on does not lock for longer.
        for _ in 0..5 {
            given.clock.advance(11);
            assert_eq!(given.sign_in("wang", "wrong password"), wrong);
        }
        given.clock.advance(5);
        let token = given.sign_in("wang", PASSWORD).expect("signed in after a minute");
        let last = given.last_sign_in(&token);
        assert_eq!(last, None, "it was the first");
        for _ in 0..5 {
            assert!(given.sign_in("wang", "wrong password").is_err());
        }
        given.change(AccountChange::Unlock);
        given.clock.advance(1);
        let token = given.sign_in("wang", PASSWORD).expect("unlocked");
        assert!(given.last_sign_in(&token).is_some());
    }
}

#[test]
fn each_lock_is_twice_as_long_up_to_an_hour() {
    let given = given_a_village_doctor(FreshDatabase::sqlite().expect("a database"));
    for _ in 0..4 {
        assert!(given.sign_in("wang", "wrong password").is_err());
    }
    for seconds in [60, 120, 240, 480, 960, 1_920, 3_600, 3_600] {
        assert!(given.sign_in("wang", "wrong password").is_err());
        let until = given.account().locked_until.expect("locked");
        assert_eq!(until, given.clock.now().plus_seconds(seconds));
        given.clock.advance(seconds);
    }
    let token = given.sign_in("wang", PASSWORD).expect("signed in");
    assert!(given.session_is_open(&token));
    assert_eq!(given.account().locked_until, None, "the right password begins anew");
}

#[test]
fn a_one_time_password_serves_to_choose_ones_own_and_not_for_ever() {
    for fresh in FreshDatabase::all().expect("databases") {
        let given = given_a_village_doctor(fresh);
        let own = given.sign_in("wang", PASSWORD).expect("signed in");
        let until = given.clock.now().plus_seconds(7 * 86_400);
        let set_anew = || {
            let hash = hash_password(&*given.ids, "given-by-somebody").expect("a hash").one_time(until);
            given.change(AccountChange::Password(hash));
        };
        set_anew();
        assert!(!given.session_is_open(&own), "a new password ends what was open");
        let token = given.sign_in("wang", "given-by-somebody").expect("signed in");
        assert_eq!(given.stage(&token), Some(Stage::Password));
        let other = given.sign_in("wang", "given-by-somebody").expect("signed in elsewhere");
        for (present, new, expected) in [
            ("given-by-somebody", "given-by-somebody", "access.password.same"),
            ("given-by-somebody", "short", "access.password.too_short"),
            ("given-by-somebody", "password123", "access.password.common"),
            ("given-by-somebody", "wang is at home", "access.password.name_in_it"),
            ("another that is wrong", "the well behind the school", "access.password.present_wrong"),
        ] {
            assert_eq!(given.choose(&token, present, new), Err(expected.to_owned()), "{new}");
        }
        let anew = given.choose(&token, "given-by-somebody", "the well behind the school").expect("chosen");
        assert_eq!(given.stage(&anew), Some(Stage::Open));
        assert!(!given.session_is_open(&token), "the session has another token");
        assert!(!given.session_is_open(&other), "and all others are over");
        assert!(given.sign_in("wang", "the well behind the school").is_ok());
        set_anew();
        given.clock.advance(7 * 86_400);
        assert_eq!(given.sign_in("wang", "given-by-somebody"), Err("access.sign_in.wrong".into()));
    }
}

#[test]
fn a_hash_of_another_cost_is_made_anew_at_sign_in() {
    let given = given_a_village_doctor(FreshDatabase::sqlite().expect("a database"));
    // The same password at a lower cost, as an older program may have kept it.
    let old = "$argon2id$v=19$m=8192,t=1,p=1$YmFzZWxlc3NzYWx0";
    let weak = given.weak_hash(8_192, 1);
    assert!(weak.starts_with(&old[..30]));
    given.set_hash(&weak);
    assert!(given.sign_in("wang", "wrong password").is_err());
    assert_eq!(given.hash(), weak, "a wrong password changes nothing");
    assert!(given.sign_in("wang", PASSWORD).is_ok());
    assert!(given.hash().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
    assert!(given.sign_in("wang", PASSWORD).is_ok());
}

#[test]
fn devices_are_listed_and_ended() {
    for fresh in FreshDatabase::all().expect("databases") {
        let given = given_a_village_doctor(fresh);
        let first = given.sign_in_at("192.0.2.1", "Chrome, Windows");
        given.clock.advance(60);
        let second = given.sign_in_at("192.0.2.2", "WeChat, Android");
        let list = given.devices(&second);
        let shown: Vec<(&str, bool)> =
            list.iter().map(|device| (device.address.as_str(), device.is_this)).collect();
        assert_eq!(shown, [("192.0.2.2", true), ("192.0.2.1", false)]);
        let last = given.last_sign_in(&second).expect("the first");
        assert_eq!((last.address.as_str(), last.device.as_str()), ("192.0.2.1", "Chrome, Windows"));
        // A handle is no token, and serves its own account alone.
        assert!(!given.session_is_open(&list[1].handle));
        given.end_device(Id::from_uuid(given.ids.mint(Moment(0))), &list[1].handle);
        assert!(given.session_is_open(&first), "another account ends nothing");
        given.end_device(given.doctor, &list[1].handle);
        assert!(!given.session_is_open(&first) && given.session_is_open(&second));
        given.clock.advance(1_800);
        let third = given.sign_in_at("192.0.2.3", "");
        assert_eq!(given.devices(&third).len(), 1, "what is over is not listed");
    }
}

#[test]
fn the_first_accounts_are_made_by_a_code_once() {
    for fresh in FreshDatabase::all().expect("databases") {
        let clock = Arc::new(FixedClock::on(Day::from_ymd(2026, 3, 5).expect("a day")));
        let ids: Arc<dyn Ids> = Arc::new(SeededIds::new(11));
        let database = fresh.database.clone();
        database.migrate(ALL, clock.now()).expect("migrated");
        let code = || {
            let (ids, now) = (Arc::clone(&ids), clock.now());
            database.write_blocking(move |tx| begin_set_up(tx, &*ids, now)).expect("database")
        };
        let new = |name: &str, role: Role| NewAccount {
            id: Id::from_uuid(ids.mint(Moment(0))),
            sign_in_name: name.into(),
            display_name: format!("示例 {name}"),
            role,
            place: "411722".parse().expect("a code"),
            institution: None,
            password: hash_password(&*ids, PASSWORD).expect("a hash"),
        };
        let make = |code: &str, names: [&str; 2]| {
            let accounts = [new(names[0], Role::Administrator), new(names[1], Role::Auditor)];
            let (ids, now, code) = (Arc::clone(&ids), clock.now(), code.to_owned());
            let write = move |tx: &mut Transaction<'_>| set_up(tx, &*ids, now, &code, &accounts);
            let made = database.write_blocking(write).expect("database");
            made.map_err(|(index, refusal)| (index, refusal.key.to_owned()))
        };
        let wrong = Err((None, "access.set_up.code_wrong".to_owned()));
        assert_eq!(make("", ["admin", "audit"]), wrong);
        let old = code().expect("a code");
        let present = code().expect("another");
        assert_eq!(make(&old, ["admin", "audit"]), wrong, "a newer one took its place");
        assert_eq!(make(&present, ["admin", "admin"]), Err((Some(1), "access.account.name_taken".into())));
        assert_eq!(make(&present, ["Admin", "audit"]), Err((Some(0), "access.account.name_unfit".into())));
        clock.advance(3_600);
        assert_eq!(make(&present, ["admin", "audit"]), wrong, "an hour is over");
        let present = code().expect("a third");
        assert_eq!(make(&format!(" {} ", present.to_uppercase()), ["admin", "audit"]), Ok(()));
        assert_eq!(make(&present, ["admin2", "audit2"]), wrong, "there are accounts");
        assert_eq!(code(), None);
    }
}

#[test]
fn whatever_lessens_reach_ends_sessions_at_once() {
    for fresh in FreshDatabase::all().expect("databases") {
        let given = given_a_village_doctor(fresh);
        let new_password = hash_password(&*given.ids, "another village 2").expect("a hash");
        let elsewhere: DivisionCode = "411722104".parse().expect("a code");
        for change in [
            AccountChange::Transfer { role: Role::TownshipOfficer, place: elsewhere, institution: None },
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
        let themself = Actor { account: given.doctor, ..own.clone() };
        let seen = |actor: &Actor| {
            let (within, id) = (reach(actor, Purpose::ManageAccounts).expect("may"), given.doctor);
            let read = move |tx: &mut Transaction<'_>| account_within(tx, &within, id);
            given.database.read_blocking(read).expect("database").is_some()
        };
        assert!(seen(&own) && !seen(&other));
        let to = |role: Role, place: &str| {
            let place = place.parse().expect("a code");
            AccountChange::Transfer { role, place, institution: None }
        };
        for (actor, change, refused) in [
            (&other, AccountChange::Close, "access.account.not_found"),
            (&own, to(Role::VillageDoctor, "411723001001"), "access.account.place_out_of_reach"),
            (&own, to(Role::System, "411722103203"), "access.account.role_unfit"),
            (&own, to(Role::Auditor, "411722103203"), "access.account.separate"),
            (&own, to(Role::Administrator, "411722103203"), "access.account.separate"),
            (&themself, to(Role::HealthBureau, "411722"), "access.account.own"),
            (&themself, AccountChange::Reopen, "access.account.own"),
        ] {
            assert_eq!(given.changed_by(actor.clone(), change), Err(refused.to_owned()));
        }
        assert_eq!(given.changed_by(own.clone(), to(Role::Cadre, "411722103")), Ok(()));
    }
}
