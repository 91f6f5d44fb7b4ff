//! A small county for the journeys of this crate: people in a register, accounts, and the program behind HTTP.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header};
use kangmai_access::{
    Actor, NewAccount, Purpose, Role, SignIn, create_account, hash_password, reach, sign_in,
};
use kangmai_base::{Clock as _, Day, DivisionCode, Fen, FixedClock, Id, IdNumber, Phone, SeededIds, Uuid};
use kangmai_database::testing::FreshDatabase;
use kangmai_database::{Database, Migration, Migrations, params};
use kangmai_people::{
    Enrolment, Household, HouseholdBody, Label, LabelInterval, Person, PersonBody, Relation, put_households,
    put_persons,
};
use kangmai_policy::Release;
use kangmai_poverty_watch::store::{self, WarningRow};
use kangmai_poverty_watch::{programme, run_watch};
use kangmai_programme::{App, AppParts, Programme, Settings, routed};
use kangmai_record::{Record as Facts, rebuild};
use kangmai_web::{Manners, Words, cookies, with_manners};
use tower::ServiceExt as _;

/// The views `bill` and `diagnosis`, with the columns that programmes agreed on; their owners are other programmes.
const OTHERS: Migrations = Migrations {
    owner: "others_of_a_test",
    steps: &[Migration {
        name: "001-views",
        sql: "create table bill (id uuid primary key, person uuid not null, household uuid not null,
            home bigint not null, institution uuid not null, discharged_on bigint not null, total bigint not null,
            compliant bigint not null, own bigint not null, own_uncovered bigint not null,
            paid_insurance bigint not null, waived bigint not null, setting text not null, state text not null, diagnosis text);
            create index bill_by_person on bill (person, discharged_on);
            create table diagnosis (id uuid primary key, person uuid not null, code text not null, name text not null,
            from_day bigint not null, to_day bigint, major text, sensitive boolean not null, home bigint not null);
            create index diagnosis_by_person on diagnosis (person);
            create table follow_up (id uuid primary key, person uuid not null, sensitive boolean not null,
            programme text not null, closed_on bigint, last_on bigint, state text not null)",
    }],
};

const MIGRATIONS: &[Migrations] = &[
    kangmai_people::MIGRATIONS,
    kangmai_access::MIGRATIONS,
    kangmai_record::MIGRATIONS,
    kangmai_cases::MIGRATIONS,
    kangmai_programme::MIGRATIONS,
    kangmai_poverty_watch::MIGRATIONS,
    OTHERS,
];

static PROGRAMMES: [Programme; 1] = [programme()];

pub(crate) const TODAY: &str = "2026-03-01";
pub(crate) const VILLAGE: &str = "411722103203";

pub(crate) fn fen(text: &str) -> Fen {
    text.parse().expect("an amount")
}

/// The program over one database.
pub(crate) struct County {
    pub(crate) app: App,
    router: Router,
    runtime: tokio::runtime::Runtime,
    clock: Arc<FixedClock>,
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
            kangmai_poverty_watch::WORDS,
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
        let manners =
            Manners { words: app.words.clone(), ids, clock: clock.clone(), secure: false, observe: None };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        County { app, router: with_manners(router, manners), runtime, clock, _fresh: fresh }
    }

    pub(crate) fn database(&self) -> &Database {
        &self.app.database
    }

    /// Registers a household of people (number, name, label); the first is its head. Answers its identifier.
    pub(crate) fn household(&self, number: u128, home: &str, people: &[(u128, &str, Option<Label>)]) -> Uuid {
        let household = Uuid::from_u128(10_000 + number);
        let person = |(index, (number, name, label)): (usize, &(u128, &str, Option<Label>))| Person {
            id: Id::from_uuid(Uuid::from_u128(*number)),
            home: place(home),
            body: PersonBody {
                household,
                relation: Some(if index == 0 { Relation::Head } else { Relation::Spouse }),
                name: (*name).to_owned(),
                sex: None,
                birth: Some(day("1970-05-01")),
                id_number: IdNumber::read(&format!("41172219700501{:03}X", 990 + number % 10)),
                ethnicity: None,
                living: None,
                phone: Phone::read(&format!("1380013{:04}", 8_000 + number)),
                enrolment: Some(Enrolment::Resident),
                died_on: None,
                marks: vec![],
                labels: label
                    .map(|label| LabelInterval {
                        label,
                        from: Some(day("2021-01-01")),
                        to: None,
                        source: "示例".to_owned(),
                    })
                    .into_iter()
                    .collect(),
            },
        };
        let rows: Vec<Person> = people.iter().enumerate().map(person).collect();
        let row = Household {
            id: Id::from_uuid(household),
            place: place(home),
            body: HouseholdBody {
                number: number.to_string(),
                head: Some(Uuid::from_u128(people[0].0)),
                address: None,
                income: None,
                income_year: None,
            },
        };
        self.database()
            .write_blocking(move |tx| {
                put_households(tx, &[row])?;
                put_persons(tx, &rows)
            })
            .expect("registered");
        household
    }

    /// Changes one person of the register.
    pub(crate) fn person(&self, number: u128, change: impl Fn(&mut PersonBody) + Send + 'static) {
        self.database()
            .write_blocking(move |tx| {
                let id = Id::from_uuid(Uuid::from_u128(number));
                let mut person = kangmai_people::find_person(tx, id)?.expect("a person");
                change(&mut person.body);
                put_persons(tx, &[person])
            })
            .expect("changed");
    }

    /// A settled inpatient bill of a person, discharged on `on`.
    pub(crate) fn bill(&self, person: u128, on: &str, own: &str, own_uncovered: &str) {
        let (on, own, uncovered) = (day(on), fen(own), fen(own_uncovered));
        let (bill, person) = (self.app.mint(), Uuid::from_u128(person));
        self.database()
            .write_blocking(move |tx| {
                tx.execute(
                    "insert into bill values ($1, $2, $2, 411722103203, $1, $3, $4, $4, $4, $5, 0, 0,
                        'inpatient', 'settled', null)",
                    &params![bill, person, on, own, uncovered],
                )
            })
            .expect("a bill");
    }

    /// A diagnosis of a major disease.
    pub(crate) fn diagnosis(&self, person: u128, name: &str, on: &str, sensitive: bool) {
        let (id, person, on, name) = (self.app.mint(), Uuid::from_u128(person), day(on), name.to_owned());
        self.database()
            .write_blocking(move |tx| {
                tx.execute(
                    "insert into diagnosis values ($1, $2, 'X00', $3, $4, null, 'some', $5, 411722103203)",
                    &params![id, person, name, on, sensitive],
                )
            })
            .expect("a diagnosis");
    }

    /// Runs the watch as of `on`: raised, graver, updated, unchanged.
    pub(crate) fn watch(&self, on: &str) -> (u64, u64, u64, u64) {
        let run = run_watch(&self.app, day(on), |_| {}).expect("a run");
        (run.raised, run.raised_level, run.updated, run.unchanged)
    }

    /// Moves the clock to noon of `on`; whoever signed in before must sign in again.
    pub(crate) fn it_is(&self, on: &str) {
        let seconds = i64::from(day(on).days_since(self.app.today())) * 86_400;
        self.clock.advance(seconds);
    }

    /// The warnings of a household, the newest first.
    pub(crate) fn warnings(&self, household: Uuid) -> Vec<WarningRow> {
        self.database()
            .read_blocking(move |tx| {
                let within = reach(&Actor::system(), Purpose::ReadWarnings).expect("may");
                store::warnings_of(tx, &within, household)
            })
            .expect("warnings")
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
        let made =
            self.database().write_blocking(move |tx| create_account(tx, &Actor::system(), &new, audit, now));
        // Who has an account already signs in again.
        let _ = made.expect("database");
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
