//! A county whose program is killed again and again.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use kangmai_acceptance::program::{Program, Running};
use kangmai_acceptance::wire::Wire;
use kangmai_base::{Clock as _, Day, SystemClock};
use kangmai_database::Database;
use kangmai_server::demo::{Plan, write_county};

use super::keeping::{Expected, age_requests, bills_like, complaints, damage};

/// People of the county.
const PEOPLE: u32 = 160;
/// People whose bills are settled over the interface.
const PATIENTS: usize = 24;
/// Hospitals' connections.
const SENDERS: u64 = 3;
/// The longest that the program works until it is killed, in milliseconds.
const LONGEST_LIFE_MS: u64 = 220;
/// Rows of a file that comes in.
const ROWS: usize = 40;
/// Rounds after which every view is worked out again, besides the end.
const REBUILD_EVERY: usize = 150;
const INTERFACE: &str = "/api/v1/settlement";

/// A request as it was sent.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    operation: &'static str,
    body: String,
    expected: Expected,
}

/// What the senders of one round met.
#[derive(Default)]
struct Met {
    acknowledged: Vec<Sent>,
    /// No answer came.
    unknown: Vec<Sent>,
    refused: Vec<String>,
}

/// A county under trial.
pub(crate) struct Trial {
    /// The program on its database.
    pub(crate) program: Program,
    key: String,
    patients: Vec<String>,
    today: Day,
    bill_rows: (String, Vec<String>),
    diagnoses: PathBuf,
    /// The next request, over all rounds.
    next: AtomicU64,
    random: u64,
    acknowledged: Vec<Sent>,
    unknown: Vec<Sent>,
    /// The bills that came in by files.
    file_rows: Vec<String>,
    kills: usize,
    killed_commands: usize,
}

impl Trial {
    /// Makes the county, with its people and the key of a hospital.
    pub(crate) fn begin(database: &str, folder: &Path, seed: u64) -> Trial {
        let program = Program {
            executable: PathBuf::from(env!("CARGO_BIN_EXE_kangmai_here")),
            database: database.to_owned(),
            folder: folder.to_owned(),
        };
        let today = SystemClock.today();
        let plan = Plan { people: PEOPLE, bills_each: 2.0, today, seed: 7 };
        let files = write_county(&plan, &folder.join("county")).expect("the county's files");
        program.must(&["import", "institutions", &files.institutions.to_string_lossy()]);
        program.must(&["import", "register", &files.register.to_string_lossy()]);
        let key = program.must(&["client", "add", "HIS", "--institution", "H41172200901"]);
        let bills = std::fs::read_to_string(&files.bills).expect("bills");
        let mut rows = bills.lines().map(str::to_owned);
        let head = rows.next().expect("a head");
        let mut trial = Trial {
            program,
            key,
            patients: Vec::new(),
            today,
            bill_rows: (head, rows.collect()),
            diagnoses: files.diagnoses.clone(),
            next: AtomicU64::new(0),
            random: seed,
            acknowledged: Vec::new(),
            unknown: Vec::new(),
            file_rows: Vec::new(),
            kills: 0,
            killed_commands: 0,
        };
        trial.find_patients(&std::fs::read_to_string(&files.register).expect("the register"));
        trial
    }

    /// People whom the interface knows: a trial of a bill for each.
    fn find_patients(&mut self, register: &str) {
        let server = self.program.serve();
        let mut wire = Wire::to(&server.host);
        let cells = register.lines().flat_map(|line| line.split(','));
        let numbers = cells.map(|cell| cell.trim_matches('"')).filter(|cell| cell.len() == 18);
        for number in numbers.filter(|number| number.bytes().take(17).all(|digit| digit.is_ascii_digit())) {
            let body = self.bill(number, "trial", 1_000);
            let path = format!("{INTERFACE}/pre-settle");
            let answer = wire.post_json(&path, &self.key, "trial", &body).expect("an answer");
            if answer.status == 200 && !self.patients.iter().any(|known| known == number) {
                self.patients.push(number.to_owned());
            }
            if self.patients.len() == PATIENTS {
                return;
            }
        }
        panic!("the interface knows {} people only", self.patients.len());
    }

    /// Kills so often, then lets everything come to its end and looks at all of it.
    pub(crate) fn run(mut self, kills: usize) {
        let mut round = 0;
        while self.kills < kills {
            self.round(round);
            // Every other time the program itself is the first to open what it left behind.
            if round % 2 == 1 {
                let acknowledged = self.acknowledged.iter().rev().take(200).collect::<Vec<_>>();
                let expected = self.expected_of(&acknowledged);
                let database = self.open();
                assert_none(&complaints(&database, expected), round);
                if round % REBUILD_EVERY == REBUILD_EVERY - 1 {
                    self.assert_views();
                }
            }
            round += 1;
        }
        self.finish();
        let (acknowledged, rows) = (self.acknowledged.len(), self.file_rows.len());
        eprintln!(
            "{} kills in {round} rounds, {} of them of imports and the watch; {acknowledged} acknowledged requests, \
             {rows} bills out of files",
            self.kills, self.killed_commands
        );
        assert!(acknowledged > 2 * kills, "hardly anything was settled: {acknowledged}");
    }

    /// A server under load and a command beside it; both are killed.
    fn round(&mut self, round: usize) {
        let mut command = self.begin_command(round);
        let mut server = self.program.begin_serving();
        server.wait_until_it_answers();
        let life = Duration::from_millis(self.draw(LONGEST_LIFE_MS));
        let over = AtomicBool::new(false);
        let whole = Mutex::new(self.to_be_changed());
        let (met, killed) = std::thread::scope(|scope| {
            let (trial, host, over, whole) = (&*self, server.host.clone(), &over, &whole);
            let senders: Vec<_> = (0..SENDERS)
                .map(|sender| {
                    let host = host.clone();
                    scope.spawn(move || trial.send(&host, sender, over, whole))
                })
                .collect();
            std::thread::sleep(life);
            let killed = (server.kill(), command.as_mut().is_some_and(Running::kill));
            over.store(true, Ordering::Relaxed);
            let met: Vec<Met> = senders.into_iter().map(|sender| sender.join().expect("a sender")).collect();
            (met, killed)
        });
        assert!(killed.0, "the server ended by itself");
        for met in met {
            assert!(met.refused.is_empty(), "refused: {:?}", met.refused);
            self.acknowledged.extend(met.acknowledged);
            self.unknown.extend(met.unknown);
        }
        self.kills += 1 + usize::from(killed.1);
        self.killed_commands += usize::from(killed.1);
    }

    /// What runs beside the server in this round: bills or diagnoses that come in, the watch, or nothing.
    fn begin_command(&mut self, round: usize) -> Option<Running> {
        let program = self.program.clone();
        Some(match self.draw(5) {
            0 => return None,
            1 | 2 => {
                let file = self.file_of_bills(round);
                program.begin(&["import", "bills", &file.to_string_lossy()])
            }
            3 => program.begin(&["import", "diagnoses", &self.diagnoses.to_string_lossy()]),
            _ => {
                let day = self.today.plus_days(-i32::try_from(self.draw(30)).unwrap_or(0)).to_string();
                program.begin(&["watch", "run", "--as-of", &day])
            }
        })
    }

    /// Bills of the county under numbers of their own.
    fn file_of_bills(&mut self, round: usize) -> PathBuf {
        let begin = format!("F{round}-");
        let (head, rows) = &self.bill_rows;
        let first = round * ROWS % rows.len();
        let rows = rows.iter().cycle().skip(first).take(ROWS.min(rows.len()));
        let rows: Vec<String> = rows.map(|row| format!("{begin}{row}\n")).collect();
        let path = self.program.folder.join(format!("{begin}bills.csv"));
        std::fs::write(&path, format!("{head}\n{}", rows.concat())).expect("a file");
        self.file_rows.extend(rows);
        path
    }

    /// The bills of all rounds in one file.
    fn all_files(&self) -> PathBuf {
        let path = self.program.folder.join("all-bills.csv");
        std::fs::write(&path, format!("{}\n{}", self.bill_rows.0, self.file_rows.concat())).expect("a file");
        path
    }

    fn open(&self) -> Database {
        Database::open(&self.program.database).expect("the database opens after a kill")
    }

    /// A number below `end`; the same trial draws the same.
    fn draw(&mut self, end: u64) -> u64 {
        self.random =
            self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.random >> 33) % end
    }

    /// Settled bills that nobody cancelled or corrected, nor tried to: each can be changed once.
    fn to_be_changed(&self) -> Vec<Sent> {
        let all = self.acknowledged.iter().chain(&self.unknown);
        let changed: Vec<&str> =
            all.filter(|sent| sent.operation != "settle").map(|sent| sent.expected.number.as_str()).collect();
        let settled = self.acknowledged.iter().rev().filter(|sent| sent.operation == "settle");
        settled.filter(|sent| !changed.contains(&sent.expected.number.as_str())).take(20).cloned().collect()
    }

    /// Sends until the server is dead.
    fn send(&self, host: &str, sender: u64, over: &AtomicBool, whole: &Mutex<Vec<Sent>>) -> Met {
        let (mut wire, mut met) = (Wire::to(host), Met::default());
        while !over.load(Ordering::Relaxed) {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            let old = match (number + sender) % 4 {
                0 => whole.lock().expect("nobody panics").pop(),
                _ => None,
            };
            let sent = self.request(number, old);
            match self.post(&mut wire, &sent) {
                Ok((200, _)) => met.acknowledged.push(sent),
                Ok((status, says)) => met.refused.push(format!("{} {status} {says}", sent.operation)),
                Err(_) => met.unknown.push(sent),
            }
        }
        met
    }

    /// Sends a request; its status and what it says.
    pub(crate) fn post(&self, wire: &mut Wire, sent: &Sent) -> std::io::Result<(u16, String)> {
        let path = format!("{INTERFACE}/{}", sent.operation);
        let answer = wire.post_json(&path, &self.key, &sent.expected.request, &sent.body)?;
        Ok((answer.status, String::from_utf8_lossy(&answer.body).into_owned()))
    }

    /// A new bill; or an old one, cancelled or corrected.
    fn request(&self, number: u64, old: Option<Sent>) -> Sent {
        let request = format!("K-{number}");
        let yuan = 1_000 + i64::try_from(number % 20_000).unwrap_or(0);
        let patient = &self.patients[usize::try_from(number).unwrap_or(0) % self.patients.len()];
        let expected =
            |number: String, state, yuan: i64| Expected { number, request, state, total: yuan * 100 };
        let Some(old) = old else {
            let own = format!("K{number}");
            let body = self.bill(patient, &own, yuan);
            return Sent { operation: "settle", body, expected: expected(own, "settled", yuan) };
        };
        let own = old.expected.number;
        if number.is_multiple_of(3) {
            let body = serde_json::json!({ "number": own, "reason": "charged twice" }).to_string();
            let total = old.expected.total / 100;
            return Sent { operation: "cancel", body, expected: expected(own, "cancelled", total) };
        }
        let mut body: serde_json::Value = serde_json::from_str(&old.body).expect("a body");
        body["reason"] = "one day too many".into();
        body["total"] = format!("{yuan}.00").into();
        body["compliant"] = format!("{yuan}.00").into();
        Sent { operation: "correct", body: body.to_string(), expected: expected(own, "settled", yuan) }
    }

    /// A stay of ten days that ended yesterday.
    fn bill(&self, person: &str, number: &str, yuan: i64) -> String {
        let (from, to) = (self.today.plus_days(-11), self.today.plus_days(-1));
        serde_json::json!({
            "number": number, "person": { "id_number": person }, "setting": "inpatient", "referral": "referred",
            "admission": from.to_string(), "discharge": to.to_string(), "total": format!("{yuan}.00"),
            "compliant": format!("{yuan}.00"),
        })
        .to_string()
    }

    /// What must stand of these requests: the last acknowledged of each bill, unless one without an answer followed.
    fn expected_of(&self, sent: &[&Sent]) -> Vec<Expected> {
        let changed = |sent: &Sent, by: &[Sent]| {
            by.iter()
                .any(|later| later.operation != "settle" && later.expected.number == sent.expected.number)
        };
        let last = sent.iter().filter(|sent| {
            !changed(sent, &self.unknown)
                && (sent.operation != "settle" || !changed(sent, &self.acknowledged))
        });
        last.map(|sent| sent.expected.clone()).collect()
    }

    /// Every view is what its facts tell.
    fn assert_views(&self) {
        let checked = self.program.run(&["rebuild", "--check"]);
        let says = String::from_utf8_lossy(&checked.stdout).into_owned();
        assert!(checked.status.success(), "views differ from their facts: {says}");
    }

    /// The numbers of the patients.
    pub(crate) fn patients(&self) -> &[String] {
        &self.patients
    }

    /// The same trial, of whom a copy stands in another database.
    pub(crate) fn copy_on(&self, database: &str) -> Trial {
        Trial {
            program: Program { database: database.to_owned(), ..self.program.clone() },
            key: self.key.clone(),
            patients: self.patients.clone(),
            today: self.today,
            bill_rows: self.bill_rows.clone(),
            diagnoses: self.diagnoses.clone(),
            next: AtomicU64::new(self.next.load(Ordering::Relaxed)),
            random: self.random,
            acknowledged: self.acknowledged.clone(),
            unknown: self.unknown.clone(),
            file_rows: self.file_rows.clone(),
            kills: 0,
            killed_commands: 0,
        }
    }

    /// The request to settle bill `number`.
    pub(crate) fn settling(&self, number: u64) -> Sent {
        self.request(number, None)
    }

    /// Notes that a request was answered.
    pub(crate) fn acknowledge(&mut self, sent: Sent) {
        self.acknowledged.push(sent);
    }

    /// Notes that nobody knows what became of a request.
    pub(crate) fn not_acknowledge(&mut self, sent: Sent) {
        self.unknown.push(sent);
    }

    /// Whatever was broken off comes to its end; then nothing may be missing, doubled or half.
    pub(crate) fn finish(&mut self) {
        age_requests(&self.open());
        let mut server = self.program.serve();
        let mut wire = Wire::to(&server.host);
        for sent in std::mem::take(&mut self.unknown) {
            let (status, says) = self.post(&mut wire, &sent).expect("an answer");
            assert_eq!(status, 200, "{} sent again: {says}", sent.operation);
            self.acknowledged.push(sent);
        }
        server.kill();
        self.program.must(&["import", "diagnoses", &self.diagnoses.to_string_lossy()]);
        if !self.file_rows.is_empty() {
            self.program.must(&["import", "bills", &self.all_files().to_string_lossy()]);
        }
        let there = bills_like(&self.open(), "F");
        assert_eq!(there.len(), self.file_rows.len(), "bills of files that came in again");
        let waiting: Vec<_> = there.iter().filter(|(_, state)| *state != "settled").collect();
        assert!(waiting.is_empty(), "not settled: {waiting:?}");
        let today = self.today.to_string();
        self.program.must(&["watch", "run", "--as-of", &today]);
        let again = self.program.must(&["watch", "run", "--as-of", &today]);
        assert!(again.contains(" 0 warnings raised, 0 graver"), "the watch is not at its end: {again}");
        let database = self.open();
        let all: Vec<&Sent> = self.acknowledged.iter().collect();
        let mut found = complaints(&database, self.expected_of(&all));
        found.extend(damage(&database));
        assert_none(&found, usize::MAX);
        self.assert_views();
    }
}

fn assert_none(complaints: &[String], round: usize) {
    assert!(complaints.is_empty(), "after round {round}: {complaints:#?}");
}
