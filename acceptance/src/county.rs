//! A county for one journey: the whole application on a database of its own, with a clock that stands still, the same
//! identifiers every time, and somebody to sign in as for every role.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use axum::Router;
use kangmai_access::{
    AccountChange, Actor, Client, NewAccount, NewClient, PasswordHash, Purpose, Role, change_account,
    create_account, create_client, hash_password, list_accounts, reach, revoke_client,
};
use kangmai_base::{Clock, Day, DivisionCode, FixedClock, Id, Ids, Moment, SeededIds, SystemIds, Uuid};
use kangmai_database::testing::FreshDatabase;
use kangmai_people::{PERSON_REGISTERED, find_person};
use kangmai_places::{
    Institution, InstitutionBody, InstitutionGrade, InstitutionKind, InstitutionTier,
    find_institution_by_code, put_institutions,
};
use kangmai_policy::Release;
use kangmai_poverty_watch::run_watch;
use kangmai_programme::{App, GateRules, Import, Settings};
use kangmai_record::{NewFact, Source, Subject};
use kangmai_server::application::{Parts, application, load_policies, router};
use kangmai_server::demo::{
    Files, Plan, take_agreements, take_hand_overs, take_referrals, take_visits, write_county,
};
use kangmai_server::import::{Finished, Task, run};

use crate::browser::ALL_VARIABLE;
use crate::visitor::Visitor;

/// People in a populated county: enough for two pages of a list.
const PEOPLE: u32 = 400;
/// The password of every account.
pub const PASSWORD: &str = "health-for-all-2026";
/// 上蔡县, where the staff of a county is at home.
pub const COUNTY: &str = "411722000000";
/// 蔡都街道 in it, where the township officer works.
pub const TOWNSHIP: &str = "411722001000";
/// 老城社区居委会 in that, where the village doctor works.
pub const VILLAGE: &str = "411722001001";
/// The county's hospital in a populated county, whose desk is the account of that role.
pub const HOSPITAL: &str = "H41172200901";
/// A county beside it; its staff must see nothing of the first.
pub const OTHER_COUNTY: &str = "411723000000";

/// A running application.
pub struct County {
    /// Its parts.
    pub app: App,
    /// Its clock, to be moved on.
    pub clock: Arc<FixedClock>,
    router: Router,
    runtime: Arc<tokio::runtime::Runtime>,
    files: PathBuf,
    // Dropped last: the application holds the database open.
    _fresh: FreshDatabase,
}

impl County {
    /// Runs a journey on SQLite and, where one is at hand, on PostgreSQL.
    pub fn on_both(journey: impl Fn(&mut County)) {
        let all = FreshDatabase::all().expect("a database");
        let insists = std::env::var_os(ALL_VARIABLE).is_some();
        assert!(all.len() == 2 || !insists, "there is no PostgreSQL");
        for fresh in all {
            journey(&mut County::on(fresh));
        }
    }

    /// The same under other law than the packs inside the program.
    pub fn on_both_under(policies: &Arc<Release>, journey: impl Fn(&mut County)) {
        for fresh in FreshDatabase::all().expect("a database") {
            journey(&mut County::under(fresh, Arc::clone(policies)));
        }
    }

    /// On PostgreSQL, where one is at hand.
    pub fn on_postgresql() -> Option<County> {
        let mut all = FreshDatabase::all().expect("a database");
        let insists = std::env::var_os(ALL_VARIABLE).is_some();
        assert!(all.len() == 2 || !insists, "there is no PostgreSQL");
        (all.len() == 2).then(|| all.pop()).flatten().map(County::on)
    }

    /// On SQLite alone, for what does not depend on the database.
    pub fn on_sqlite() -> County {
        County::on(FreshDatabase::sqlite().expect("a database"))
    }

    /// On a database that somebody made.
    pub fn on(fresh: FreshDatabase) -> County {
        County::under(fresh, load_policies(None).expect("the shipped packs"))
    }

    fn under(fresh: FreshDatabase, policies: Arc<Release>) -> County {
        // What the application logs belongs to a failed test. The first county of a process begins the log.
        let log =
            tracing_subscriber::fmt().with_test_writer().with_max_level(tracing::Level::WARN).try_init();
        drop(log);
        let files = std::env::temp_dir().join(format!("kangmai-county-{}", SystemIds.mint(Moment(0))));
        let today = Day::from_ymd(2026, 11, 20).expect("a day");
        let clock = Arc::new(FixedClock::on(today));
        let parts = Parts {
            database: fresh.database.clone(),
            master: None,
            policies,
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            ids: Arc::new(SeededIds::new(7)),
            settings: Settings { secure: false, uploads: files.join("uploads"), demo: false },
        };
        let app = application(parts).expect("an application");
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        let runtime = Arc::new(runtime.expect("a runtime"));
        let router = runtime.block_on(async { router(&app) });
        let county = County { app, clock, router, runtime, files, _fresh: fresh };
        for role in Role::ALL {
            county.employ(role, role.key(), home_of(role));
            county.employ(role, &format!("other_{}", role.key()), OTHER_COUNTY);
        }
        county
    }

    /// Puts the application behind a gate with these rules: its visitors from now on meet them.
    pub fn put_behind(&mut self, rules: GateRules) {
        self.app = self.app.clone().behind(rules);
        self.router = self.runtime.block_on(async { router(&self.app) });
    }

    /// Makes an account.
    pub fn employ(&self, role: Role, name: &str, place: &str) -> Actor {
        let (ids, now) = (Arc::clone(&self.app.ids), self.app.clock.now());
        let new = NewAccount {
            id: Id::from_uuid(ids.mint(now)),
            sign_in_name: name.to_owned(),
            display_name: format!("示例 {name}"),
            role,
            place: place.parse::<DivisionCode>().expect("a division"),
            institution: None,
            password: password(),
        };
        let actor = Actor {
            account: new.id,
            name: new.display_name.clone(),
            role,
            place: new.place,
            institution: new.institution,
            stands_in_for: None,
        };
        let audit_id = ids.mint(now);
        let write = move |tx: &mut kangmai_database::Transaction<'_>| {
            create_account(tx, &Actor::system(), &new, audit_id, now)
        };
        self.app.database.write_blocking(write).expect("the database").expect("an account");
        actor
    }

    /// Another role or place for the account that signs in as `name`.
    pub fn transfer(&self, name: &str, role: Role, place: &str) {
        let place = place.parse::<DivisionCode>().expect("a division");
        self.change(name, AccountChange::Transfer { role, place, institution: None });
    }

    /// Changes the account that signs in as `name`.
    pub fn change(&self, name: &str, change: AccountChange) {
        let (audit_id, now, name) = (self.app.mint(), self.app.clock.now(), name.to_owned());
        let write = move |tx: &mut kangmai_database::Transaction<'_>| {
            let system = Actor::system();
            let purpose = match &change {
                AccountChange::Lock | AccountChange::Unlock => Purpose::GuardAccounts,
                _ => Purpose::ManageAccounts,
            };
            let reach = reach(&system, purpose).expect("the system reaches everything");
            let accounts = list_accounts(tx, &reach, 0, 1_000)?;
            let account = accounts.iter().find(|account| account.sign_in_name == name).expect("an account");
            change_account(tx, &system, &reach, account.id, &change, audit_id, now)
        };
        self.app.database.write_blocking(write).expect("the database").expect("a change");
    }

    /// Lets a person be at home elsewhere from now on.
    pub fn move_home(&self, person: Uuid, to: &str) {
        let to = to.parse::<DivisionCode>().expect("a place");
        self.register_again(person, Some(to), None);
    }

    /// Lets a person have died today.
    pub fn let_die(&self, person: Uuid) {
        self.register_again(person, None, Some(self.app.today()));
    }

    /// Somebody decides that two records are of one person: `one` is `kept`.
    pub fn merge(&self, one: Uuid, kept: Uuid) {
        let (id, now, record) = (self.app.mint(), self.app.clock.now(), self.app.record.clone());
        let write = move |tx: &mut kangmai_database::Transaction<'_>| {
            let person = find_person(tx, Id::from_uuid(one))?.expect("a person");
            let fact = NewFact {
                id,
                kind: "register.same_person_decided".to_owned(),
                subject: Subject::person(one),
                occurred_at: now,
                recorded_at: now,
                place: person.home,
                author: Uuid::nil(),
                source: Source::Typed,
                corrects: None,
                body: format!("{{\"other\":\"{kept}\",\"decision\":\"same\",\"reason\":\"示例\"}}"),
            };
            record.keep(tx, now, vec![fact])
        };
        self.app.database.write_blocking(write).expect("the database");
    }

    fn register_again(&self, person: Uuid, to: Option<DivisionCode>, died_on: Option<Day>) {
        let (id, now) = (self.app.mint(), self.app.clock.now());
        let record = self.app.record.clone();
        let write = move |tx: &mut kangmai_database::Transaction<'_>| {
            let mut person = find_person(tx, Id::from_uuid(person))?.expect("a person");
            let to = to.unwrap_or(person.home);
            person.body.died_on = died_on.or(person.body.died_on);
            let fact = NewFact {
                id,
                kind: PERSON_REGISTERED.to_owned(),
                subject: Subject::person(person.id.uuid()),
                occurred_at: now,
                recorded_at: now,
                place: to,
                author: Uuid::nil(),
                source: Source::Typed,
                corrects: None,
                body: serde_json::to_string(&person.body).expect("JSON"),
            };
            record.keep(tx, now, vec![fact])
        };
        self.app.database.write_blocking(write).expect("the database");
    }

    /// Writes down that a person was not seen, so many times.
    pub fn miss_often(&self, person: Uuid, place: &str, count: i32) {
        let (now, place) = (self.app.clock.now(), place.parse::<DivisionCode>().expect("a place"));
        let fact = |number: i32| NewFact {
            id: self.app.mint(),
            kind: "follow_up.missed".to_owned(),
            subject: Subject::person(person),
            occurred_at: now,
            recorded_at: now,
            place,
            author: Uuid::nil(),
            source: Source::Typed,
            corrects: None,
            body: format!(
                "{{\"on\":\"{}\",\"outcome\":\"not_at_home\",\"by\":\"示例\"}}",
                now.day().plus_days(-(number % 300))
            ),
        };
        let facts: Vec<NewFact> = (0..count).map(fact).collect();
        let record = self.app.record.clone();
        let write = move |tx: &mut kangmai_database::Transaction<'_>| record.keep(tx, now, facts);
        self.app.database.write_blocking(write).expect("the database");
    }

    /// Makes the account `name`, a settlement desk of [`COUNTY`], one of the institution with this code.
    pub fn seat(&self, name: &str, code: &str) {
        self.seat_as(name, Role::CountyDesk, code);
    }

    /// Lets the account `name` work for the institution with this code, in this role.
    pub fn seat_as(&self, name: &str, role: Role, code: &str) {
        let (audit_id, now) = (self.app.mint(), self.app.clock.now());
        let (name, code) = (name.to_owned(), code.to_owned());
        let write = move |tx: &mut kangmai_database::Transaction<'_>| {
            let system = Actor::system();
            let reach = reach(&system, Purpose::ManageAccounts).expect("the system reaches everything");
            let accounts = list_accounts(tx, &reach, 0, 1_000)?;
            let account = accounts.into_iter().find(|account| account.sign_in_name == name);
            let account = account.expect("the account");
            let institution = find_institution_by_code(tx, &code)?.map(|found| found.id.uuid());
            assert!(institution.is_some(), "there is no institution {code}");
            let change = AccountChange::Transfer { role, place: account.place, institution };
            change_account(tx, &system, &reach, account.id, &change, audit_id, now)
        };
        self.app.database.write_blocking(write).expect("the database").expect("seated");
    }

    /// Makes a client of the interface, for a hospital of [`COUNTY`] that is made for it; gives its key.
    pub fn employ_client(&self, name: &str) -> (Id<Client>, String) {
        let (ids, now) = (Arc::clone(&self.app.ids), self.app.clock.now());
        let place = COUNTY.parse::<DivisionCode>().expect("a division");
        let institution = Institution {
            id: Id::from_uuid(ids.mint(now)),
            place,
            body: InstitutionBody {
                code: format!("C-{name}"),
                name: format!("示例医院 {name}"),
                tier: InstitutionTier::County,
                grade: InstitutionGrade::Second,
                kind: InstitutionKind::Hospital,
                capabilities: std::collections::BTreeSet::new(),
                phone: None,
                opened: None,
                closed: None,
            },
        };
        let id = Id::from_uuid(ids.mint(now));
        let new = NewClient { id, name: name.to_owned(), institution: institution.id.uuid(), place };
        let write = move |tx: &mut kangmai_database::Transaction<'_>| {
            put_institutions(tx, &[institution])?;
            let system = Actor::system();
            let reach = reach(&system, Purpose::ManageAccounts).expect("the system reaches everything");
            create_client(tx, &system, &reach, &new, &*ids, now)
        };
        (id, self.app.database.write_blocking(write).expect("the database").expect("a client"))
    }

    /// Ends all keys of a client.
    pub fn revoke(&self, id: Id<Client>) {
        let (audit_id, now) = (self.app.mint(), self.app.clock.now());
        let write = move |tx: &mut kangmai_database::Transaction<'_>| {
            let system = Actor::system();
            let reach = reach(&system, Purpose::ManageAccounts).expect("the system reaches everything");
            revoke_client(tx, &system, &reach, id, audit_id, now)
        };
        self.app.database.write_blocking(write).expect("the database").expect("revoked");
    }

    /// Somebody who has not signed in.
    pub fn visitor(&self) -> Visitor {
        Visitor::new(self.router.clone(), Arc::clone(&self.runtime))
    }

    /// Somebody who has not signed in, at another program on the same database.
    pub fn visitor_of(&self, router: Router) -> Visitor {
        Visitor::new(router, Arc::clone(&self.runtime))
    }

    /// Somebody of this role in [`COUNTY`], signed in, on the home page.
    pub fn sign_in(&self, role: Role) -> Visitor {
        self.sign_in_as(role.key())
    }

    /// Whoever has the account `name`, signed in, on the home page.
    pub fn sign_in_as(&self, name: &str) -> Visitor {
        let mut visitor = self.visitor();
        visitor.finds("/sign-in").sign_in(name, PASSWORD);
        visitor
    }

    /// Imports a file of the kind `key` as the system, as `kangmai import` does.
    pub fn import(&self, key: &str, file_name: &str, content: &[u8]) -> Finished {
        std::fs::create_dir_all(&self.files).expect("a folder");
        let path = self.files.join(file_name);
        std::fs::write(&path, content).expect("a file");
        let task = Task {
            import: self.import_called(key),
            path: &path,
            file_name,
            actor: &Actor::system(),
            dry_run: false,
            error_sheet: None,
        };
        let outcome = run(&self.app, &task, &mut |_, _| true);
        outcome.unwrap_or_else(|error| panic!("{file_name} is not imported: {error:?}"))
    }

    /// A folder for files of the journey; it goes with the county.
    pub fn files(&self) -> &Path {
        &self.files
    }

    fn import_called(&self, key: &str) -> &'static Import {
        let programmes = self.app.programmes;
        let found =
            programmes.iter().flat_map(|programme| programme.imports).find(|import| import.key == key);
        found.unwrap_or_else(|| panic!("there is no import {key}"))
    }

    /// Lets some hundred invented people live in [`COUNTY`], with households, labels, diagnoses and a year of bills:
    /// the demonstration's files, through the doors that any file uses; and lets the watch look at them. Answers the files.
    pub fn populate(&self) -> Files {
        let plan = Plan { people: PEOPLE, bills_each: 1.0, today: self.app.today(), seed: 7 };
        let files = write_county(&plan, &self.files.join("county")).expect("the county's files");
        for (key, path) in [
            ("institutions", &files.institutions),
            ("register", &files.register),
            ("diagnoses", &files.diagnoses),
            ("bills", &files.bills),
            ("lines", &files.lines),
        ] {
            let content = std::fs::read(path).expect("a file");
            let finished = self.import(key, &format!("{key}.csv"), &content);
            assert_eq!(finished.parked, 0, "facts of {key} were parked");
        }
        self.seat(Role::CountyDesk.key(), HOSPITAL);
        let watched = run_watch(&self.app, self.app.today(), |_| {}).expect("the watch");
        assert!(watched.raised > 0, "nobody is in need of a warning: {watched:?}");
        take_visits(&self.app, plan.seed, plan.today).expect("visits");
        take_agreements(&self.app, plan.seed, plan.today).expect("agreements");
        take_referrals(&self.app, plan.seed, plan.today).expect("referrals");
        take_hand_overs(&self.app, plan.today).expect("hand-overs");
        files
    }

    /// Serves it on the loopback until the county ends, for a browser; gives the address.
    pub fn serve(&self) -> String {
        let router = self.router.clone();
        let address: SocketAddr = self.runtime.block_on(async {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
            let address = listener.local_addr().expect("an address");
            tokio::spawn(async move { axum::serve(listener, router).await });
            address
        });
        format!("http://{address}")
    }
}

impl Drop for County {
    fn drop(&mut self) {
        // It may never have been made.
        let _removed = std::fs::remove_dir_all(&self.files);
    }
}

/// A village doctor works in a village, a township officer in a township, everybody else for the whole county.
fn home_of(role: Role) -> &'static str {
    match role {
        Role::VillageDoctor => VILLAGE,
        Role::TownshipOfficer => TOWNSHIP,
        _ => COUNTY,
    }
}

/// Hashed once: to be slow is what a password hash is for.
fn password() -> PasswordHash {
    static HASH: OnceLock<PasswordHash> = OnceLock::new();
    HASH.get_or_init(|| hash_password(&SystemIds, PASSWORD).expect("a fit password")).clone()
}
