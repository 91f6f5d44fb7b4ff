//! The example client of the interface, against a served county, over a line that loses requests and answers.

#![expect(clippy::expect_used, reason = "a test says what it needs")]

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use kangmai_acceptance::browser::ALL_VARIABLE;
use kangmai_acceptance::county::{COUNTY, County};
use kangmai_acceptance::tidy::root;
use kangmai_base::{Clock as _, DivisionCode, Id, IdNumber};
use kangmai_people::{Enrolment, Household, HouseholdBody, Person, PersonBody, put_households, put_persons};

/// What a hospital's system does in a day: it tries, settles over a bad line, asks, corrects, cancels, reconciles.
const DAY: &str = r#"
import json, sys
sys.path.insert(0, sys.argv[1])
import settlement_client as example
example.PAUSE_SECONDS = 0
client = example.Client(sys.argv[2], sys.argv[3])
bill, today = json.loads(sys.argv[4]), sys.argv[5]
tried = client.pre_settle(bill)
settled = client.settle(bill, "m-1")
assert settled["own_share"] == tried["own_share"], settled
assert client.settle(bill, "m-1") == settled
other = client.settle({**bill, "number": "ZY-2"}, "m-2")
try:
    client.settle(bill, "m-3")
    raise AssertionError("a bill is settled twice")
except example.Refused as refused:
    assert (refused.status, refused.code) == (409, "known"), refused
corrected = client.correct({**bill, "total": "40000.00", "compliant": "40000.00"}, "more drugs", "m-4")
assert corrected["bill"] == settled["bill"] and corrected["total"] == "40000.00"
cancelled = client.cancel("ZY-2", "charged twice", "m-5")
assert cancelled["state"] == "cancelled"
now = client.receipt(settled["bill"])
gone = {**example.line_of(other), "status": "cancelled"}
well = client.reconcile(today, [example.line_of(now), gone], "m-6")
assert well["agrees"], well
wrong = {**example.line_of(now), "own_share": "0.01"}
bad = client.reconcile(today, [wrong, gone], "m-7")
assert not bad["agrees"] and bad["different"] == 1, bad
kinds = [one["kind"] for one in bad["bills"][0]["differences"]]
assert kinds == ["own_share"], kinds
print("a day is done")
"#;

/// What becomes of a request on the line.
#[derive(Clone, Copy)]
enum Fate {
    Passes,
    /// It never arrives.
    RequestLost,
    /// It is done, but nobody hears of it.
    AnswerLost,
}

/// A line to `server` on which each settling is lost once on its way there and once on its way back.
fn bad_line(server: &str) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    let (server, lost) = (server.trim_start_matches("http://").to_owned(), Arc::new(AtomicUsize::new(0)));
    let count = Arc::clone(&lost);
    std::thread::spawn(move || {
        let mut settlings = 0;
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let request = read_request(&mut stream);
            let fate = if request.starts_with(b"POST /api/v1/settlement/settle") {
                settlings += 1;
                match settlings % 3 {
                    1 => Fate::RequestLost,
                    2 => Fate::AnswerLost,
                    _ => Fate::Passes,
                }
            } else {
                Fate::Passes
            };
            if !matches!(fate, Fate::Passes) {
                count.fetch_add(1, Ordering::Relaxed);
            }
            if matches!(fate, Fate::RequestLost) {
                continue;
            }
            let mut onward = TcpStream::connect(&server).expect("the server");
            onward.write_all(&request).expect("sent on");
            let mut answer = Vec::new();
            onward.read_to_end(&mut answer).expect("an answer");
            if matches!(fate, Fate::Passes) {
                // Whoever went away hears nothing.
                let _sent = stream.write_all(&answer);
            }
        }
    });
    (address, lost)
}

/// A whole request: its head, and as much body as that says.
fn read_request(stream: &mut TcpStream) -> Vec<u8> {
    let mut request = Vec::new();
    let mut part = [0_u8; 4_096];
    loop {
        let count = stream.read(&mut part).expect("a request");
        request.extend(&part[..count]);
        let text = String::from_utf8_lossy(&request);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
        });
        if count == 0 || body.len() >= length.unwrap_or(0) {
            return request;
        }
    }
}

fn given_a_patient(county: &County) -> Person {
    let place: DivisionCode = COUNTY.parse().expect("a code");
    let number = IdNumber::with_checksum("41172219510101991").expect("a number");
    let (id, household) = (county.app.mint(), county.app.mint());
    let person = Person {
        id: Id::from_uuid(id),
        home: place,
        body: PersonBody {
            household,
            relation: None,
            name: "示例甲".to_owned(),
            birth: number.birth(),
            sex: number.sex(),
            id_number: Some(number),
            ethnicity: None,
            living: None,
            phone: None,
            enrolment: Some(Enrolment::Resident),
            died_on: None,
            marks: Vec::new(),
            labels: Vec::new(),
        },
    };
    let family = Household {
        id: Id::from_uuid(household),
        place,
        body: HouseholdBody {
            number: "H1".to_owned(),
            head: Some(id),
            address: None,
            income: None,
            income_year: None,
        },
    };
    let put = person.clone();
    let write = move |tx: &mut kangmai_database::Transaction<'_>| {
        put_households(tx, &[family])?;
        put_persons(tx, &[put])
    };
    county.app.database.write_blocking(write).expect("the database");
    person
}

#[test]
fn the_example_client_gets_through_a_day_over_a_bad_line() {
    if Command::new("python3").arg("--version").output().is_err() {
        assert!(std::env::var_os(ALL_VARIABLE).is_none(), "there is no python3");
        return;
    }
    County::on_both(|county| {
        let person = given_a_patient(county);
        let (_, key) = county.employ_client("his");
        let number = person.body.id_number.as_ref().expect("a number").as_str();
        let today = county.clock.today().to_string();
        let bill = serde_json::json!({
            "number": "ZY-1", "person": { "id_number": number, "name": person.body.name }, "setting": "21",
            "referral": "referred", "admission": "2026-11-01", "discharge": "2026-11-11",
            "total": "30000.00", "compliant": "28000.00",
        });
        let (line, lost) = bad_line(&county.serve());
        let examples = root().join("docs/examples");
        let mut python = Command::new("python3");
        python.args(["-B", "-c", DAY]).arg(examples).args([&line, &key, &bill.to_string(), &today]);
        let done = python.output().expect("python runs");
        let said = String::from_utf8_lossy(&done.stdout);
        assert!(said.contains("a day is done"), "{said}{}", String::from_utf8_lossy(&done.stderr));
        assert!(lost.load(Ordering::Relaxed) >= 4, "the line was not bad enough");
    });
}
