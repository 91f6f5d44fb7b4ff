//! A small application with this programme alone: a clock that stands, seeded identifiers, accounts at places.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::header::{CONTENT_TYPE, COOKIE, LOCATION};
use axum::http::{HeaderMap, Request, StatusCode};
use kangmai_access::{
    Actor, NewAccount, Purpose, Role, SignIn, create_account, hash_password, reach, sign_in,
};
use kangmai_base::{Clock, Day, DivisionCode, FixedClock, Id, Ids, SeededIds};
use kangmai_database::testing::FreshDatabase;
use kangmai_database::{DatabaseError, Migrations};
use kangmai_policy::Release;
use kangmai_programme::{App, AppParts, ImportRun, Planned, Programme, Settings, routed};
use kangmai_record::{Appended, Record};
use kangmai_sheet::{Fault, Source as _, Summary};
use kangmai_web::{Manners, Words, with_manners};
use tower::ServiceExt as _;

static PROGRAMMES: [Programme; 1] = [kangmai_register::programme()];
const ALL: &[Migrations] = &[
    kangmai_access::MIGRATIONS,
    kangmai_places::MIGRATIONS,
    kangmai_people::MIGRATIONS,
    kangmai_record::MIGRATIONS,
    kangmai_programme::MIGRATIONS,
    kangmai_register::MIGRATIONS,
];
const PASSWORD: &str = "village-at-night-9";

/// The application and what a test asks of it.
pub(crate) struct County {
    pub(crate) app: App,
    pub(crate) clock: Arc<FixedClock>,
    pub(crate) router: Router,
    hash: Mutex<Option<kangmai_access::PasswordHash>>,
    runtime: tokio::runtime::Runtime,
    _fresh: FreshDatabase,
}

/// An answer.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn location(&self) -> String {
        self.headers.get(LOCATION).map_or("", |value| value.to_str().expect("text")).to_owned()
    }
}

/// Somebody who is signed in.
pub(crate) struct Somebody<'a> {
    county: &'a County,
    pub(crate) actor: Actor,
    cookie: String,
    csrf: String,
}

/// What an import came to.
pub(crate) struct Imported {
    pub(crate) summary: Summary,
    pub(crate) faults: Vec<Fault>,
    pub(crate) facts: usize,
}

pub(crate) fn day(text: &str) -> Day {
    text.parse().expect("a day")
}

pub(crate) fn place(text: &str) -> DivisionCode {
    text.parse().expect("a code")
}

/// On every database there is.
pub(crate) fn on_both(test: impl Fn(&County)) {
    for fresh in FreshDatabase::all().expect("databases") {
        test(&County::new(fresh));
    }
}

impl County {
    pub(crate) fn new(fresh: FreshDatabase) -> County {
        let clock = Arc::new(FixedClock::on(day("2026-03-05")));
        let ids: Arc<dyn Ids> = Arc::new(SeededIds::new(7));
        fresh.database.migrate(ALL, clock.now()).expect("migrated");
        let words = Words::load(&[
            kangmai_web::WORDS,
            kangmai_sheet_words(),
            kangmai_access::WORDS,
            kangmai_places::WORDS,
            kangmai_people::WORDS,
            kangmai_record::WORDS,
            kangmai_register::WORDS,
        ]);
        let app = App::new(AppParts {
            database: fresh.database.clone(),
            record: Record::new(PROGRAMMES[0].projections.to_vec()),
            policies: Arc::new(packs()),
            words: Arc::new(words.expect("words")),
            clock: clock.clone(),
            ids: ids.clone(),
            programmes: &PROGRAMMES,
            settings: Settings { secure: false, uploads: PathBuf::from("/nowhere"), demo: false },
        });
        let manners =
            Manners { words: app.words.clone(), ids, clock: clock.clone(), secure: false, observe: None };
        let routes = routed(&app, (PROGRAMMES[0].routes)()).merge(kangmai_web::routes());
        let router = with_manners(routes.with_state(app.clone()), manners);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        County { app, clock, router, hash: Mutex::new(None), runtime, _fresh: fresh }
    }

    /// An account in `role` at `place`, signed in.
    pub(crate) fn sign_in(&self, name: &str, role: Role, place: DivisionCode) -> Somebody<'_> {
        let hash = self
            .hash
            .lock()
            .expect("a lock")
            .get_or_insert_with(|| hash_password(&*self.app.ids, PASSWORD).expect("a hash"))
            .clone();
        let new = NewAccount {
            id: Id::from_uuid(self.app.mint()),
            sign_in_name: name.into(),
            display_name: format!("{name}（示例）"),
            role,
            place,
            institution: None,
            password: hash,
        };
        let (audit, now) = (self.app.mint(), self.clock.now());
        self.app
            .database
            .write_blocking(move |tx| create_account(tx, &Actor::system(), &new, audit, now))
            .expect("database")
            .expect("made");
        let clock: Arc<dyn Clock> = self.clock.clone();
        let typed = SignIn { name: name.into(), password: PASSWORD.into(), ..SignIn::default() };
        let answer = self.runtime.block_on(sign_in(&self.app.database, &clock, &self.app.ids, typed));
        let (token, signed_in) = answer.expect("database").expect("signed in");
        let cookie = format!("kangmai_session={token}");
        Somebody { county: self, actor: signed_in.actor, cookie, csrf: signed_in.csrf }
    }

    /// Imports `csv` as `actor`; a dry run if `dry_run`.
    pub(crate) fn import(&self, key: &str, actor: &Actor, csv: &str, dry_run: bool) -> Imported {
        self.import_bytes(key, actor, csv.as_bytes().to_vec(), dry_run)
    }

    /// Imports a file as `actor`; a dry run if `dry_run`.
    pub(crate) fn import_bytes(&self, key: &str, actor: &Actor, bytes: Vec<u8>, dry_run: bool) -> Imported {
        let import = PROGRAMMES[0].imports.iter().find(|import| import.key == key).expect("an import");
        let mut sheet = kangmai_sheets::open_bytes(bytes, import.schema, None).expect("a sheet");
        let mut run = ImportRun {
            app: self.app.clone(),
            actor: actor.clone(),
            reach: reach(actor, Purpose::KeepRegister).expect("may import"),
            file: "名册.csv".into(),
            now: self.clock.now(),
            today: self.clock.today(),
            dry_run,
            summary: Summary::new(),
            faults: Vec::new(),
            held: Vec::new(),
            memory: Box::new(()),
        };
        let (mut facts, mut faults) = (0, Vec::new());
        let matching = sheet.matching().clone();
        loop {
            let mut records = Vec::new();
            let mut record = kangmai_sheet::Record::new();
            while records.len() < import.rows_at_once && sheet.next(&mut record).expect("a row") {
                records.push(record.clone());
            }
            if records.is_empty() {
                break;
            }
            let matching = matching.clone();
            (run, facts) = self.step(run, facts, move |tx, run| (import.plan)(tx, run, &matching, &records));
            faults.append(&mut run.faults);
        }
        if let Some(finish) = import.finish {
            (run, facts) = self.step(run, facts, finish);
        }
        Imported { summary: run.summary, faults, facts }
    }

    fn step(
        &self,
        run: ImportRun,
        facts: usize,
        plan: impl FnOnce(
            &mut kangmai_database::Transaction<'_>,
            &mut ImportRun,
        ) -> Result<Planned, DatabaseError>
        + Send
        + 'static,
    ) -> (ImportRun, usize) {
        let record = self.app.record.clone();
        let dry_run = run.dry_run;
        let work = move |tx: &mut kangmai_database::Transaction<'_>| {
            let mut run = run;
            let planned = plan(tx, &mut run)?;
            let count = planned.facts.len();
            if !run.dry_run {
                let answers = record.append(tx, run.now, planned.facts)?;
                assert!(answers.iter().all(|answer| *answer == Appended::Accepted), "{answers:?}");
            }
            Ok::<_, DatabaseError>((run, count))
        };
        let done = if dry_run {
            self.app.database.read_blocking(work)
        } else {
            self.app.database.write_blocking(work)
        };
        let (run, count) = done.expect("database");
        (run, facts + count)
    }
}

impl Somebody<'_> {
    /// A page.
    pub(crate) fn get(&self, path: &str) -> Answer {
        self.ask(Request::get(path).header(COOKIE, &self.cookie), Body::empty())
    }

    /// A page in English.
    pub(crate) fn get_in_english(&self, path: &str) -> Answer {
        let cookie = format!("{}; kangmai_language=en", self.cookie);
        self.ask(Request::get(path).header(COOKIE, cookie), Body::empty())
    }

    /// A form that is sent, with the session's token.
    pub(crate) fn post(&self, path: &str, values: &[(&str, &str)]) -> Answer {
        let mut body = form_urlencoded::Serializer::new(String::new());
        body.append_pair("csrf", &self.csrf);
        for (name, value) in values {
            body.append_pair(name, value);
        }
        let request = Request::post(path)
            .header(COOKIE, &self.cookie)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header("sec-fetch-site", "same-origin");
        self.ask(request, Body::from(body.finish()))
    }

    fn ask(&self, request: axum::http::request::Builder, body: Body) -> Answer {
        let request = request.body(body).expect("a request");
        let county = self.county;
        let answer = county.runtime.block_on(async {
            let response = county.router.clone().oneshot(request).await.expect("an answer");
            let (parts, body) = response.into_parts();
            let body = to_bytes(body, 64 << 20).await.expect("a body").to_vec();
            Answer { status: parts.status, headers: parts.headers, body }
        });
        assert_eq!(county.app.words.missing(), Vec::<String>::new());
        answer
    }
}

fn kangmai_sheet_words() -> &'static str {
    include_str!("../../../../foundations/sheet/words.toml")
}

fn packs() -> Release {
    let files = Release::read_directory(std::path::Path::new("../../policies")).expect("the packs");
    Release::load(files).expect("right packs")
}
