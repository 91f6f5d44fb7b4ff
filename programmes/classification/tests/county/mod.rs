//! A small county for the journeys of this crate: people in a register, accounts, and the program behind HTTP.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header};
use kangmai_access::{Actor, NewAccount, Role, SignIn, create_account, hash_password, reach, sign_in};
use kangmai_base::{Clock as _, Day, DivisionCode, FixedClock, Id, IdNumber, SeededIds, Uuid};
use kangmai_classification::programme;
use kangmai_database::testing::FreshDatabase;
use kangmai_database::{Database, DatabaseError, Migration, Migrations};
use kangmai_people::{
    Enrolment, Household, HouseholdBody, Person, PersonBody, Relation, put_households, put_persons,
};
use kangmai_policy::Release;
use kangmai_programme::{App, AppParts, ImportRun, Programme, Settings, routed};
use kangmai_record::{Record as Facts, rebuild};
use kangmai_sheet::{Record, Summary};
use kangmai_web::{Manners, Words, cookies, with_manners};
use tower::ServiceExt as _;

/// The bill view, with the columns that programmes agreed on; its owner is another programme.
const BILLS: Migrations = Migrations {
    owner: "bills_of_a_test",
    steps: &[Migration {
        name: "001-bill",
        sql: "create table bill (id uuid primary key, person uuid not null, household uuid not null,
            home bigint not null, institution uuid not null, discharged_on bigint not null, total bigint not null,
            compliant bigint not null, own bigint not null, own_uncovered bigint not null,
            paid_insurance bigint not null, waived bigint not null, state text not null)",
    }],
};

const MIGRATIONS: &[Migrations] = &[
    kangmai_people::MIGRATIONS,
    kangmai_access::MIGRATIONS,
    kangmai_record::MIGRATIONS,
    kangmai_cases::MIGRATIONS,
    kangmai_programme::MIGRATIONS,
    kangmai_classification::MIGRATIONS,
    BILLS,
];

static PROGRAMMES: [Programme; 1] = [programme()];

pub(crate) const TODAY: &str = "2026-03-05";
pub(crate) const VILLAGE: &str = "411722103203";
pub(crate) const OTHER_VILLAGE: &str = "411722104204";

/// The program over one database.
pub(crate) struct County {
    pub(crate) app: App,
    router: Router,
    runtime: tokio::runtime::Runtime,
    _fresh: FreshDatabase,
}

/// Somebody signed in.
pub(crate) struct Visitor<'c> {
    county: &'c County,
    cookie: String,
    csrf: String,
}

/// Runs `journey` on a fresh county on each database.
pub(crate) fn on_each(journey: impl Fn(&County)) {
    for fresh in FreshDatabase::all().expect("databases") {
        journey(&County::new(fresh));
    }
}

pub(crate) fn day(text: &str) -> Day {
    text.parse().expect("a day")
}

pub(crate) fn place(code: &str) -> DivisionCode {
    code.parse().expect("a code")
}

impl County {
    fn new(fresh: FreshDatabase) -> County {
        let clock = Arc::new(FixedClock::on(day(TODAY)));
        let ids = Arc::new(SeededIds::new(5));
        fresh.database.migrate(MIGRATIONS, clock.now()).expect("migrated");
        let texts = [
            kangmai_web::WORDS,
            kangmai_access::WORDS,
            kangmai_people::WORDS,
            kangmai_record::WORDS,
            kangmai_cases::WORDS,
            kangmai_classification::WORDS,
        ];
        let packs = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies");
        let release = Release::load(Release::read_directory(&packs).expect("the packs")).expect("a release");
        let app = App::new(AppParts {
            database: fresh.database.clone(),
            record: Facts::new(programme().projections.to_vec()),
            policies: Arc::new(release),
            words: Arc::new(Words::load(&texts).expect("words")),
            clock: clock.clone(),
            ids: ids.clone(),
            programmes: &PROGRAMMES,
            settings: Settings { secure: false, uploads: std::env::temp_dir(), demo: false },
        });
        let router = routed(&app, (programme().routes)()).with_state(app.clone());
        let manners = Manners { words: app.words.clone(), ids, clock, secure: false, observe: None };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        County { app, router: with_manners(router, manners), runtime, _fresh: fresh }
    }

    pub(crate) fn database(&self) -> &Database {
        &self.app.database
    }

    /// Registers a person who lives alone; answers the identifier.
    pub(crate) fn has(&self, number: u128, name: &str, id_number: &str, home: &str) -> Uuid {
        let (person, household) = (Uuid::from_u128(number), Uuid::from_u128(10_000 + number));
        let id_number = IdNumber::read(id_number);
        let row = Person {
            id: Id::from_uuid(person),
            home: place(home),
            body: PersonBody {
                household,
                relation: Some(Relation::Head),
                name: name.to_owned(),
                sex: id_number.as_ref().and_then(IdNumber::sex),
                birth: id_number.as_ref().and_then(IdNumber::birth),
                id_number,
                ethnicity: None,
                living: None,
                phone: None,
                enrolment: Some(Enrolment::Resident),
                died_on: None,
                marks: vec![],
                labels: vec![],
            },
        };
        let home = Household {
            id: Id::from_uuid(household),
            place: place(home),
            body: HouseholdBody {
                number: number.to_string(),
                head: Some(person),
                address: None,
                income: None,
                income_year: None,
            },
        };
        self.database()
            .write_blocking(move |tx| {
                put_households(tx, &[home])?;
                put_persons(tx, &[row])
            })
            .expect("registered");
        person
    }

    /// A settled bill of a person, discharged on `on`.
    pub(crate) fn bill(&self, person: Uuid, on: &str) {
        let on = day(on);
        let bill = self.app.mint();
        self.database()
            .write_blocking(move |tx| {
                tx.execute(
                    "insert into bill values ($1, $2, $2, 411722103203, $1, $3, 100, 100, 10, 0, 90, 0, 'settled')",
                    &kangmai_database::params![bill, person, on],
                )
            })
            .expect("a bill");
    }

    /// Takes a file in: its head and its rows. Answers what became of it.
    pub(crate) fn import(&self, head: &[&str], rows: &[&[&str]], dry_run: bool) -> (Summary, Vec<String>) {
        let import = programme().imports[0];
        let matching = import.schema.match_header(&Record::of(1, head.iter().copied()));
        let records: Vec<Record> =
            (2..).zip(rows).map(|(number, cells)| Record::of(number, cells.iter().copied())).collect();
        let actor = Actor { place: place("411722"), ..Actor::system() };
        let app = self.app.clone();
        let work = move |tx: &mut kangmai_database::Transaction<'_>| {
            let mut run = ImportRun {
                reach: reach(&actor, import.purpose).expect("may"),
                actor,
                file: "诊断.xlsx".to_owned(),
                now: app.clock.now(),
                today: app.today(),
                dry_run,
                summary: Summary::new(),
                faults: Vec::new(),
                held: Vec::new(),
                memory: Box::new(()),
                app: app.clone(),
            };
            for some in records.chunks(2) {
                let planned = (import.plan)(tx, &mut run, &matching, some)?;
                if !dry_run {
                    app.record.append(tx, run.now, planned.facts)?;
                }
            }
            let said = run.faults.iter().map(|fault| fault.reason.key.to_owned()).collect();
            Ok::<_, DatabaseError>((run.summary, said))
        };
        let done =
            if dry_run { self.database().read_blocking(work) } else { self.database().write_blocking(work) };
        done.expect("imported")
    }

    /// An account signs in.
    pub(crate) fn visitor(&self, role: Role, at: &str) -> Visitor<'_> {
        let name = format!("{}-{at}", role.key().replace('_', "-"));
        let (ids, now) = (self.app.ids.clone(), self.app.clock.now());
        let new = NewAccount {
            id: Id::from_uuid(ids.mint(now)),
            sign_in_name: name.clone(),
            display_name: "示例".to_owned(),
            role,
            place: place(at),
            institution: None,
            password: hash_password(&*ids, "village-at-night-9").expect("a hash"),
        };
        let audit = ids.mint(now);
        self.database()
            .write_blocking(move |tx| create_account(tx, &Actor::system(), &new, audit, now))
            .expect("database")
            .expect("made");
        let typed = SignIn { name, password: "village-at-night-9".to_owned(), ..SignIn::default() };
        let (token, signed_in) = self
            .runtime
            .block_on(sign_in(self.database(), &self.app.clock, &self.app.ids, typed))
            .expect("database")
            .expect("signed in");
        Visitor { county: self, cookie: format!("{}={token}", cookies::SESSION), csrf: signed_in.csrf }
    }

    pub(crate) fn rebuild_finds_nothing(&self) {
        assert_eq!(rebuild(self.database(), &self.app.record, true, |_| {}).expect("rebuilt"), []);
    }

    pub(crate) fn lacks_no_word(&self) {
        assert_eq!(self.app.words.missing(), Vec::<String>::new());
    }
}

impl Visitor<'_> {
    fn ask(&self, request: Request<Body>) -> (StatusCode, String, Vec<u8>) {
        self.county.runtime.block_on(async {
            let response = self.county.router.clone().oneshot(request).await.expect("an answer");
            let status = response.status();
            let location = response.headers().get(header::LOCATION).and_then(|to| to.to_str().ok());
            let location = location.unwrap_or_default().to_owned();
            let body = to_bytes(response.into_body(), 1 << 24).await.expect("a body").to_vec();
            (status, location, body)
        })
    }

    /// Looks at a page.
    pub(crate) fn get(&self, path: &str) -> (StatusCode, String) {
        self.get_in(path, "zh")
    }

    pub(crate) fn get_in(&self, path: &str, language: &str) -> (StatusCode, String) {
        let cookie = format!("{}; {}={language}", self.cookie, cookies::LANGUAGE);
        let request = Request::get(path).header(header::COOKIE, cookie).body(Body::empty());
        let (status, _, body) = self.ask(request.expect("a request"));
        (status, String::from_utf8_lossy(&body).into_owned())
    }

    pub(crate) fn download(&self, path: &str) -> Vec<u8> {
        let request = Request::get(path).header(header::COOKIE, &self.cookie).body(Body::empty());
        let (status, _, body) = self.ask(request.expect("a request"));
        assert_eq!(status, StatusCode::OK);
        body
    }

    /// Sends a form; answers the status and where it leads, or the page.
    pub(crate) fn post(&self, path: &str, fields: &str) -> (StatusCode, String) {
        let request = Request::post(path)
            .header(header::COOKIE, &self.cookie)
            .header("content-type", "application/x-www-form-urlencoded")
            .header("sec-fetch-site", "same-origin")
            .body(Body::from(format!("csrf={}&{fields}", self.csrf)));
        let (status, location, body) = self.ask(request.expect("a request"));
        let page = String::from_utf8_lossy(&body).into_owned();
        (status, if location.is_empty() { page } else { location })
    }
}
