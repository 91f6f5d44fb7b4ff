//! An office for journeys: the pages of this programme over HTTP, with people, institutions and accounts, on one database.

#![expect(clippy::expect_used, clippy::panic, reason = "a test says what it needs")]

use std::path::Path;
use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header};
use kangmai_access::{
    Actor, NewAccount, NewClient, Purpose, Role, SignIn, create_account, create_client, hash_password, reach,
    sign_in,
};
use kangmai_base::{Clock, Day, DivisionCode, Fen, FixedClock, Id, IdNumber, Ids, SeededIds, Uuid};
use kangmai_database::testing::FreshDatabase;
use kangmai_database::{DatabaseError, Migrations};
use kangmai_people::{Enrolment, Household, HouseholdBody, Label, LabelInterval, Person, PersonBody};
use kangmai_places::{Institution, InstitutionBody, InstitutionGrade, InstitutionKind, InstitutionTier};
use kangmai_policy::Release;
use kangmai_programme::{
    App, AppParts, DueLine, FigureValue, Import, ImportRun, Looking, Programme, Settings, routed,
};
use kangmai_record::{Appended, Record as FactRecord, rebuild};
use kangmai_sheet::{Record, Summary};
use kangmai_web::{Manners, Page, Preferences, Words, cookies, with_manners};
use tower::ServiceExt as _;

pub(crate) const PASSWORD: &str = "desk-by-the-door-7";
pub(crate) const TODAY: &str = "2026-03-05";

static MIGRATIONS: &[Migrations] = &[
    kangmai_places::MIGRATIONS,
    kangmai_people::MIGRATIONS,
    kangmai_access::MIGRATIONS,
    kangmai_record::MIGRATIONS,
    kangmai_cases::MIGRATIONS,
    kangmai_programme::MIGRATIONS,
    kangmai_settlement::MIGRATIONS,
];

/// The shipped packs.
pub(crate) fn policies() -> Arc<Release> {
    static RELEASE: OnceLock<Arc<Release>> = OnceLock::new();
    Arc::clone(RELEASE.get_or_init(|| policies_and(&[])))
}

/// The shipped packs and files beside them.
pub(crate) fn policies_and(more: &[(&str, &str)]) -> Arc<Release> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies");
    let mut files = Release::read_directory(&folder).expect("the packs");
    files.extend(more.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())));
    match Release::load(files) {
        Ok(release) => Arc::new(release),
        Err(errors) => panic!("{}", errors[0]),
    }
}

pub(crate) fn day(text: &str) -> Day {
    text.parse().expect("a day")
}

pub(crate) fn place(code: &str) -> DivisionCode {
    code.parse().expect("a code")
}

/// Runs a journey on SQLite and, where there is one for tests, on PostgreSQL.
pub(crate) fn on_both(journey: impl Fn(&mut Office)) {
    on_both_under(&policies(), journey);
}

/// As above, under other packs.
pub(crate) fn on_both_under(policies: &Arc<Release>, journey: impl Fn(&mut Office)) {
    for fresh in FreshDatabase::all().expect("databases") {
        journey(&mut Office::open_under(fresh, Arc::clone(policies)));
    }
}

/// The shipped packs, each file changed by `change`, and more files.
pub(crate) fn packs_with(change: impl Fn(&str, String) -> String, more: &[(&str, &str)]) -> Arc<Release> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies");
    let files = Release::read_directory(&folder).expect("the packs").into_iter();
    let files = files.map(|(path, text)| (path.clone(), change(&path, text)));
    let more = more.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned()));
    match Release::load(files.chain(more)) {
        Ok(release) => Arc::new(release),
        Err(errors) => panic!("{}", errors[0]),
    }
}

/// The shipped packs, but medical assistance counts for whole households.
pub(crate) fn household_packs() -> Arc<Release> {
    static RELEASE: OnceLock<Arc<Release>> = OnceLock::new();
    let change = |path: &str, text: String| match path.ends_with("benefits/40-assistance.toml") {
        true => text.replace("owner = \"person\"", "owner = \"household\""),
        false => text,
    };
    Arc::clone(RELEASE.get_or_init(|| packs_with(change, &[])))
}

pub(crate) struct Office {
    pub(crate) app: App,
    pub(crate) ids: Arc<SeededIds>,
    pub(crate) words: Arc<Words>,
    pub(crate) clock: Arc<FixedClock>,
    router: Router,
    runtime: tokio::runtime::Runtime,
    session: Option<(String, String)>,
    language: &'static str,
    people: u32,
    _fresh: FreshDatabase,
}

impl Office {
    pub(crate) fn open(fresh: FreshDatabase) -> Office {
        Office::open_under(fresh, policies())
    }

    /// Under packs of its own.
    pub(crate) fn open_under(fresh: FreshDatabase, policies: Arc<Release>) -> Office {
        Office::open_with(fresh, policies, &[])
    }

    /// With one more reader of facts, which may refuse them.
    pub(crate) fn open_with(
        fresh: FreshDatabase,
        policies: Arc<Release>,
        more: &[kangmai_record::Projection],
    ) -> Office {
        let clock = Arc::new(FixedClock::on(day(TODAY)));
        clock.advance(9 * 3_600);
        let ids = Arc::new(SeededIds::new(41));
        fresh.database.migrate(MIGRATIONS, clock.now()).expect("migrated");
        let words = Arc::new(
            Words::load(&[
                kangmai_web::WORDS,
                kangmai_sheet::WORDS,
                kangmai_sheets::WORDS,
                kangmai_places::WORDS,
                kangmai_people::WORDS,
                kangmai_access::WORDS,
                kangmai_record::WORDS,
                kangmai_settlement::WORDS,
            ])
            .expect("words"),
        );
        let programmes: &'static [Programme] = Box::leak(Box::new([kangmai_settlement::programme()]));
        let app = App::new(AppParts {
            database: fresh.database.clone(),
            record: FactRecord::new([programmes[0].projections, more].concat()),
            policies,
            words: Arc::clone(&words),
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            ids: Arc::clone(&ids) as Arc<dyn Ids>,
            programmes,
            settings: Settings { secure: false, uploads: std::env::temp_dir(), demo: false },
        });
        let manners = Manners {
            words: Arc::clone(&words),
            ids: Arc::clone(&ids) as Arc<dyn Ids>,
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            secure: false,
            observe: None,
        };
        let router = with_manners(routed(&app, (programmes[0].routes)()).with_state(app.clone()), manners);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime");
        Office {
            app,
            ids,
            words,
            clock,
            router,
            runtime,
            session: None,
            language: "zh",
            people: 0,
            _fresh: fresh,
        }
    }

    // Given.

    pub(crate) fn given_an_institution(
        &mut self,
        code: &str,
        at: &str,
        tier: InstitutionTier,
        grade: InstitutionGrade,
    ) -> Uuid {
        let id = self.ids.mint(self.clock.now());
        let institution = Institution {
            id: Id::from_uuid(id),
            place: place(at),
            body: InstitutionBody {
                code: code.to_owned(),
                name: format!("示例医院{code}"),
                tier,
                grade,
                kind: InstitutionKind::Hospital,
                capabilities: std::collections::BTreeSet::new(),
                phone: None,
                opened: None,
                closed: None,
            },
        };
        self.write(move |tx| kangmai_places::put_institutions(tx, &[institution]));
        id
    }

    /// A person of the village `home`, with labels (label, from, to). Names are invented, numbers end in 99x.
    pub(crate) fn given_a_person(
        &mut self,
        name: &str,
        home: &str,
        labels: &[(Label, &str, Option<&str>)],
    ) -> Person {
        self.people += 1;
        let first_17 = format!(
            "41172119{:02}{:02}01{:03}",
            50 + self.people % 40,
            1 + self.people / 40 % 12,
            990 + self.people % 10
        );
        let labels = labels
            .iter()
            .map(|(label, from, to)| LabelInterval {
                label: *label,
                from: Some(day(from)),
                to: to.map(day),
                source: "示例".to_owned(),
            })
            .collect();
        let number = IdNumber::with_checksum(&first_17).expect("a number");
        let person = Person {
            id: Id::from_uuid(self.ids.mint(self.clock.now())),
            home: place(home),
            body: PersonBody {
                household: self.ids.mint(self.clock.now()),
                relation: None,
                name: name.to_owned(),
                birth: number.birth(),
                sex: number.sex(),
                id_number: Some(number),
                ethnicity: None,
                living: None,
                phone: None,
                enrolment: Some(Enrolment::Resident),
                died_on: None,
                marks: Vec::new(),
                labels,
            },
        };
        let household = Household {
            id: Id::from_uuid(person.body.household),
            place: person.home,
            body: HouseholdBody {
                number: format!("H{:04}", self.people),
                head: Some(person.id.uuid()),
                address: None,
                income: None,
                income_year: None,
            },
        };
        self.put_person(&person);
        self.write(move |tx| kangmai_people::put_households(tx, &[household]));
        person
    }

    /// Another member of the household of `other`.
    pub(crate) fn given_a_member(
        &mut self,
        name: &str,
        other: &Person,
        labels: &[(Label, &str, Option<&str>)],
    ) -> Person {
        let mut person = self.given_a_person(name, &other.home.to_string(), labels);
        person.body.household = other.body.household;
        self.put_person(&person);
        person
    }

    /// The same office under other packs.
    pub(crate) fn app_under(&self, policies: Arc<Release>) -> App {
        App::new(AppParts {
            database: self.app.database.clone(),
            record: self.app.record.clone(),
            policies,
            words: Arc::clone(&self.app.words),
            clock: Arc::clone(&self.clock) as Arc<dyn Clock>,
            ids: Arc::clone(&self.app.ids),
            programmes: self.app.programmes,
            settings: self.app.settings.clone(),
        })
    }

    pub(crate) fn put_person(&self, person: &Person) {
        let person = person.clone();
        self.write(move |tx| kangmai_people::put_persons(tx, &[person]));
    }

    /// Somebody signs in.
    pub(crate) fn signed_in(&mut self, role: Role, at: &str, institution: Option<Uuid>) -> &mut Office {
        let id = self.ids.mint(self.clock.now());
        let name = format!("{}.{}", role.key().replace('_', "-"), &id.simple().to_string()[24..]);
        let account = NewAccount {
            id: Id::from_uuid(id),
            sign_in_name: name.clone(),
            display_name: "示例经办".to_owned(),
            role,
            place: place(at),
            institution,
            password: hash_password(&*self.ids, PASSWORD).expect("a hash"),
        };
        let (audit_id, now) = (self.ids.mint(self.clock.now()), self.clock.now());
        self.write(move |tx| create_account(tx, &Actor::system(), &account, audit_id, now))
            .expect("an account");
        let clock: Arc<dyn Clock> = Arc::clone(&self.clock) as Arc<dyn Clock>;
        let ids: Arc<dyn Ids> = Arc::clone(&self.ids) as Arc<dyn Ids>;
        let typed = SignIn { name, password: PASSWORD.to_owned(), ..SignIn::default() };
        let answer = self.runtime.block_on(sign_in(&self.app.database, &clock, &ids, typed));
        let (token, signed_in) = answer.expect("database").expect("signed in");
        self.session = Some((token, signed_in.csrf));
        self
    }

    pub(crate) fn in_english(&mut self) -> &mut Office {
        self.language = "en";
        self
    }

    pub(crate) fn in_chinese(&mut self) -> &mut Office {
        self.language = "zh";
        self
    }

    pub(crate) fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut kangmai_database::Transaction<'_>) -> Result<T, DatabaseError> + Send + 'static,
    ) -> T {
        self.app.database.write_blocking(work).expect("database")
    }

    pub(crate) fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut kangmai_database::Transaction<'_>) -> Result<T, DatabaseError> + Send + 'static,
    ) -> T {
        self.app.database.read_blocking(work).expect("database")
    }

    // When.

    fn ask(&self, request: Request<Body>) -> Answer {
        let answer = self.runtime.block_on(async {
            let response = self.router.clone().oneshot(request).await.expect("an answer");
            let (parts, body) = response.into_parts();
            let bytes = to_bytes(body, 64 << 20).await.expect("a body");
            (parts, bytes)
        });
        let (parts, bytes) = answer;
        let location = parts.headers.get(header::LOCATION).and_then(|value| value.to_str().ok());
        Answer {
            status: parts.status,
            location: location.map(str::to_owned),
            bytes: bytes.to_vec(),
            text: String::from_utf8_lossy(&bytes).into_owned(),
        }
    }

    /// A client of the interface for an institution; answers its key.
    pub(crate) fn given_a_client(&mut self, at: &str, institution: Uuid) -> String {
        let reach = self.reach_of("41", Purpose::ManageAccounts);
        let (ids, now) = (Arc::clone(&self.ids), self.clock.now());
        let id = Id::from_uuid(ids.mint(now));
        let new = NewClient { id, name: "示例 HIS".to_owned(), institution, place: place(at) };
        let made = self.write(move |tx| create_client(tx, &Actor::system(), &reach, &new, &*ids, now));
        made.expect("a client")
    }

    /// Sends to the interface; `name`: the sender's name for the request.
    pub(crate) fn sends(&self, key: &str, name: Option<&str>, path: &str, body: &serde_json::Value) -> Said {
        self.sends_text(key, name, path, &body.to_string())
    }

    pub(crate) fn sends_text(&self, key: &str, name: Option<&str>, path: &str, body: &str) -> Said {
        let path = format!("/api/v1/settlement/{path}");
        let mut request = Request::post(path)
            .header(header::AUTHORIZATION, format!("Bearer {key}"))
            .header(header::ACCEPT_LANGUAGE, self.language)
            .header(header::CONTENT_TYPE, "application/json");
        if let Some(name) = name {
            let name = header::HeaderValue::from_bytes(name.as_bytes()).expect("a header");
            request = request.header("Idempotency-Key", name);
        }
        self.said(request.body(Body::from(body.to_owned())).expect("a request"))
    }

    /// Asks the interface.
    pub(crate) fn asks(&self, key: &str, path: &str) -> Said {
        let request = Request::get(format!("/api/v1/settlement/{path}"))
            .header(header::AUTHORIZATION, format!("Bearer {key}"))
            .header(header::ACCEPT_LANGUAGE, self.language);
        self.said(request.body(Body::empty()).expect("a request"))
    }

    fn said(&self, request: Request<Body>) -> Said {
        let response = self.runtime.block_on(self.router.clone().oneshot(request)).expect("an answer");
        let (parts, body) = response.into_parts();
        let bytes = self.runtime.block_on(to_bytes(body, 64 << 20)).expect("a body");
        let text = String::from_utf8_lossy(&bytes).into_owned();
        assert_eq!(self.words.missing(), Vec::<String>::new());
        assert!(parts.headers.contains_key("x-request-id"), "every answer has a name");
        let json = serde_json::from_str(&text).unwrap_or_default();
        Said { status: parts.status, headers: parts.headers, json, text }
    }

    fn cookie(&self) -> String {
        let session = self.session.as_ref().map_or("", |(token, _)| token.as_str());
        format!("{}={session}; {}={}", cookies::SESSION, cookies::LANGUAGE, self.language)
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        let request = Request::get(path).header(header::COOKIE, self.cookie()).body(Body::empty());
        self.ask(request.expect("a request"))
    }

    /// Opens a page that must be there; checks that all its words are.
    pub(crate) fn finds(&self, path: &str) -> String {
        let answer = self.get(path);
        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text);
        assert_eq!(self.words.missing(), Vec::<String>::new(), "{path}");
        answer.text
    }

    pub(crate) fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let csrf = self.session.as_ref().map_or("", |(_, csrf)| csrf.as_str());
        let mut body = form_urlencoded::Serializer::new(String::new());
        body.append_pair("csrf", csrf);
        for (name, value) in fields {
            body.append_pair(name, value);
        }
        let request = Request::post(path)
            .header(header::COOKIE, self.cookie())
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(body.finish()));
        let answer = self.ask(request.expect("a request"));
        assert_eq!(self.words.missing(), Vec::<String>::new(), "{path}");
        answer
    }

    /// Types a bill at the desk, looks at the trial and settles it; answers the path of the statement.
    pub(crate) fn settles(&self, person: &Person, bill: &[(&str, &str)], own: &str) -> String {
        let trial = self.post(&format!("/desk/{}", person.id), bill);
        assert_eq!(trial.status, StatusCode::OK, "{}", trial.text);
        let grouped = own.parse::<Fen>().expect("an amount").grouped();
        assert!(
            trial.text.contains(&format!("{grouped} ")),
            "the trial does not say {grouped}:\n{}",
            trial.text
        );
        let mut confirmed = bill.to_vec();
        confirmed.push(("expected", own));
        let settled = self.post(&format!("/desk/{}/settle", person.id), &confirmed);
        assert_eq!(settled.status, StatusCode::SEE_OTHER, "{}", settled.text);
        settled.location.expect("a statement")
    }

    /// Runs an import as the server does; answers the summary, the facts that joined and the reasons of its faults.
    pub(crate) fn imports(
        &self,
        import: &'static Import,
        actor: &Actor,
        rows: &[Vec<&str>],
        dry_run: bool,
    ) -> Imported {
        let record_of = |number: usize, cells: &[&str]| {
            Record::of(u32::try_from(number + 1).expect("a row"), cells.iter().copied())
        };
        let matching = import.columns(&self.app.policies).match_header(&record_of(0, &rows[0]));
        let records: Vec<Record> =
            rows.iter().enumerate().skip(1).map(|(number, cells)| record_of(number, cells)).collect();
        let mut run = Some(ImportRun {
            app: self.app.clone(),
            actor: actor.clone(),
            reach: reach(actor, import.purpose).expect("may import"),
            file: "bills.xlsx".to_owned(),
            now: self.clock.now(),
            today: self.clock.today(),
            dry_run,
            summary: Summary::new(),
            faults: Vec::new(),
            held: Vec::new(),
            memory: Box::new(()),
        });
        let mut facts = 0;
        let mut step = |rows: Option<Vec<Record>>| {
            let (record, matching) = (self.app.record.clone(), matching.clone());
            let mut given = run.take().expect("a run");
            let work = move |tx: &mut kangmai_database::Transaction<'_>| {
                let planned = match (rows, import.finish) {
                    (Some(rows), _) => (import.plan)(tx, &mut given, &matching, &rows)?,
                    (None, Some(finish)) => finish(tx, &mut given)?,
                    (None, None) => kangmai_programme::Planned::default(),
                };
                let answers =
                    if dry_run { Vec::new() } else { record.append(tx, given.now, planned.facts)? };
                Ok::<_, DatabaseError>((given, answers))
            };
            let done = if dry_run {
                self.app.database.read_blocking(work)
            } else {
                self.app.database.write_blocking(work)
            };
            let (back, answers) = done.expect("database");
            run = Some(back);
            let parked = answers.iter().filter(|answer| matches!(answer, Appended::Parked(_))).count();
            assert_eq!(parked, 0, "an import parks nothing: {answers:?}");
            facts += answers.len();
            answers.len()
        };
        for chunk in records.chunks(import.rows_at_once) {
            step(Some(chunk.to_vec()));
        }
        while step(None) > 0 {}
        let run = run.expect("a run");
        Imported { summary: run.summary, facts }
    }

    pub(crate) fn bureau(&self, at: &str) -> Actor {
        Actor { role: Role::InsuranceClerk, place: place(at), ..Actor::system() }
    }

    /// What this programme adds to a person's and a household's page, as somebody sees it.
    pub(crate) fn sections(&self, role: Role, at: &str, person: &Person) -> Vec<String> {
        self.sections_at(role, at, None, person)
    }

    /// The same as the desk of an institution sees them.
    pub(crate) fn sections_at(
        &self,
        role: Role,
        at: &str,
        institution: Option<Uuid>,
        person: &Person,
    ) -> Vec<String> {
        let actor = Actor { role, place: place(at), institution, ..Actor::system() };
        let Some(reach) = reach(&actor, Purpose::FindPeople) else { return Vec::new() };
        let page = Page::new(Arc::clone(&self.words), Preferences::default(), "/people/x");
        let today = self.clock.today();
        let looking = Looking { app: self.app.clone(), actor, reach, page, today };
        let (programme, person) = (kangmai_settlement::programme(), person.clone());
        self.read(move |tx| {
            let of_person = programme.person.expect("a part")(tx, &looking, &person)?;
            let household = Household {
                id: Id::from_uuid(person.body.household),
                place: person.home,
                body: HouseholdBody {
                    number: "H".to_owned(),
                    head: None,
                    address: None,
                    income: None,
                    income_year: None,
                },
            };
            let of_household = programme.household.expect("a part")(tx, &looking, &household, &[person])?;
            Ok([of_person, of_household].into_iter().flatten().map(|part| part.body.to_string()).collect())
        })
    }

    /// All figures of a place on a day.
    pub(crate) fn figures(&self, at: &str, on: &str) -> Vec<(&'static str, FigureValue)> {
        let (app, reach, on) = (self.app.clone(), self.reach_of(at, Purpose::ReadFigures), day(on));
        self.read(move |tx| {
            let figures = kangmai_settlement::programme().figures.iter();
            figures.map(|figure| Ok((figure.word, (figure.value)(tx, &app, &reach, on)?))).collect()
        })
    }

    /// The lines of somebody's home page.
    pub(crate) fn due(&self, role: Role, at: &str) -> Vec<DueLine> {
        self.due_at(role, at, None)
    }

    /// The same for the desk of an institution.
    pub(crate) fn due_at(&self, role: Role, at: &str, institution: Option<Uuid>) -> Vec<DueLine> {
        let actor = Actor { role, place: place(at), institution, ..Actor::system() };
        let (app, today) = (self.app.clone(), self.clock.today());
        self.read(move |tx| (kangmai_settlement::programme().due)(tx, &app, &actor, today))
    }

    // Then.

    pub(crate) fn nothing_differs_after_rebuilding(&self) {
        let differences = rebuild(&self.app.database, &self.app.record, true, |_| {}).expect("database");
        assert_eq!(differences, []);
    }

    pub(crate) fn reach_of(&self, at: &str, purpose: Purpose) -> kangmai_access::Reach {
        let actor = Actor { place: place(at), ..Actor::system() };
        reach(&actor, purpose).expect("the system reaches everything")
    }
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) location: Option<String>,
    pub(crate) bytes: Vec<u8>,
    pub(crate) text: String,
}

/// What the interface said.
pub(crate) struct Said {
    pub(crate) status: StatusCode,
    pub(crate) headers: axum::http::HeaderMap,
    pub(crate) json: serde_json::Value,
    pub(crate) text: String,
}

impl Said {
    /// The answer of what was done.
    pub(crate) fn done(self) -> serde_json::Value {
        assert_eq!(self.status, StatusCode::OK, "{}", self.text);
        self.json
    }

    /// Status and code of what was not.
    pub(crate) fn not(&self) -> (u16, &str) {
        assert_ne!(self.status, StatusCode::OK, "{}", self.text);
        (self.status.as_u16(), self.json["code"].as_str().unwrap_or_default())
    }
}

pub(crate) struct Imported {
    pub(crate) summary: Summary,
    pub(crate) facts: usize,
}

impl Imported {
    /// Row, reason and suggestion of each fault.
    pub(crate) fn faults(&self) -> Vec<(u32, &'static str, &'static str)> {
        let of = |fault: &kangmai_sheet::Fault| {
            (fault.row, fault.reason.key, fault.suggestion.as_ref().map_or("", |mend| mend.key))
        };
        self.summary.faults.iter().map(of).collect()
    }
}

/// A village of Xiping.
pub(crate) const XIPING: &str = "411721107200";

/// An inpatient bill as it is typed at the desk.
pub(crate) fn stay<'a>(
    number: &'a str,
    hospital: &'a str,
    from: &'a str,
    to: &'a str,
    total: &'a str,
) -> Vec<(&'a str, &'a str)> {
    vec![
        ("number", number),
        ("institution", hospital),
        ("setting", "inpatient"),
        ("admission", from),
        ("discharge", to),
        ("referral", "referred"),
        ("total", total),
        ("compliant", total),
    ]
}

/// What stands in `text` between two others.
pub(crate) fn between(text: &str, before: &str, after: &str) -> String {
    let start = text.find(before).expect("it is there") + before.len();
    let rest = &text[start..];
    rest[..rest.find(after).expect("it ends")].to_owned()
}

/// Settles at the desk whatever it comes to; answers the path of the statement.
pub(crate) fn settles(office: &Office, person: &Person, bill: &[(&str, &str)]) -> String {
    let trial = office.post(&format!("/desk/{}", person.id), bill);
    assert_eq!(trial.status, StatusCode::OK, "{}", trial.text);
    office.settles(person, bill, &between(&trial.text, "name=\"expected\" value=\"", "\""))
}

/// A desk of a county hospital and one of its patients, without labels.
pub(crate) fn given_a_desk(office: &mut Office) -> (Uuid, Person) {
    let county = InstitutionTier::County;
    let hospital = office.given_an_institution("H1", "411721001000", county, InstitutionGrade::Second);
    let person = office.given_a_person("示例乙", XIPING, &[]);
    office.signed_in(Role::CountyDesk, "411721", Some(hospital));
    (hospital, person)
}
