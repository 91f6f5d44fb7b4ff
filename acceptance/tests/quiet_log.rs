//! A county's day with the log at its most talkative: whoever reads the log afterwards learns of no person. Nor does whoever sees
//! the addresses of pages: a proxy, a browser's history.

#![expect(clippy::expect_used, reason = "a test says what it needs")]

use std::collections::BTreeSet;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use kangmai_acceptance::bad_input::Stand;
use kangmai_acceptance::county::{COUNTY, County};
use kangmai_acceptance::crawl::crawl;
use kangmai_acceptance::visitor::percent;
use kangmai_access::Role;
use kangmai_server::config::log_filter;
use serde_json::json;
use tracing_subscriber::fmt::MakeWriter;

/// What was logged so far.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl io::Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'w> MakeWriter<'w> for Kept {
    type Writer = Kept;

    fn make_writer(&'w self) -> Kept {
        self.clone()
    }
}

/// What must stand nowhere.
#[derive(Debug, Default)]
struct Personal {
    names: BTreeSet<String>,
    numbers: BTreeSet<String>,
}

impl Personal {
    /// Of the register as it came in.
    fn of(register: &str) -> Personal {
        let mut rows = register.lines();
        let head: Vec<&str> = rows.next().unwrap_or_default().split(',').collect();
        let column = |title: &str| head.iter().position(|own| own.trim_matches(['"', '\u{feff}']) == title);
        let (name, phone) = (column("姓名").expect("names"), column("联系电话").expect("telephones"));
        let mut personal = Personal::default();
        for row in rows {
            let cells: Vec<&str> = row.split(',').map(|cell| cell.trim_matches('"')).collect();
            personal.names.insert(cells[name].to_owned());
            let long =
                |cell: &&&str| cell.len() >= 15 && cell.bytes().filter(u8::is_ascii_digit).count() >= 15;
            personal.numbers.extend(cells.iter().filter(long).map(|cell| (*cell).to_owned()));
            personal.numbers.extend(Some(cells[phone].to_owned()).filter(|phone| phone.len() >= 7));
        }
        personal
    }

    /// Those that stand in a text: numbers, and names as they are or as they stand in an address.
    fn found_in(&self, text: &str) -> Vec<&str> {
        let numbers = self.numbers.iter().filter(|number| text.contains(number.as_str()));
        let names =
            self.names.iter().filter(|name| text.contains(name.as_str()) || text.contains(&percent(name)));
        numbers.chain(names).map(String::as_str).collect()
    }
}

fn is_chinese(character: char) -> bool {
    matches!(character, '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

/// Looks people up in every way, with and without success.
fn search(county: &County, personal: &Personal) {
    let mut desk = county.sign_in(Role::CountyDesk);
    for what in personal.names.iter().take(3).chain(personal.numbers.iter().take(6)) {
        desk.open("/people").try_open(&format!("/people?q={}", percent(what)));
        assert_ne!(desk.status().as_u16(), 404, "there is a search");
        desk.try_open(&format!("/people/{}", percent(what)));
        desk.try_open(&format!("/bills/new?person={}", percent(what)));
    }
}

/// A file in whose rows names, numbers and telephones changed places: each is a fault of its column.
fn import_with_faults(county: &County, register: &str) {
    let mut rows = register.lines().take(12);
    let head = rows.next().expect("a head").replace("证件号码", "?");
    let head = head.replace("联系电话", "证件号码").replace('?', "联系电话");
    let rows: Vec<String> = std::iter::once(head).chain(rows.map(str::to_owned)).collect();
    let finished = county.import("register", "faults.csv", rows.join("\n").as_bytes());
    assert!(finished.summary.faults_total > 0, "{finished:?}");
    let nameless = register.lines().take(12).map(|row| row.replacen(',', ",,", 3)).collect::<Vec<_>>();
    county.import("register", "shifted.csv", nameless.join("\n").as_bytes());
}

/// What a hospital's system sends: well, wrongly, and with people in places where none belong.
fn send_bills(stand: &Stand, personal: &Personal) {
    let (name, number) =
        (personal.names.first().expect("a name"), personal.numbers.first().expect("a number"));
    let bill = json!({
        "number": format!("ZY-{number}"), "person": { "id_number": number, "name": name }, "setting": "inpatient",
        "referral": "referred", "admission": "2026-11-01", "discharge": "2026-11-11", "total": "3000.00",
        "compliant": "2800.00",
    });
    let begin = "/api/v1/settlement";
    for operation in ["pre-settle", "settle", "settle", "correct", "cancel", "reconcile"] {
        stand.must_answer("POST", &format!("{begin}/{operation}"), bill.to_string().as_bytes());
        stand.must_answer(
            "POST",
            &format!("{begin}/{operation}"),
            format!("{{\"{name}\": {number}").as_bytes(),
        );
    }
    stand.must_answer("GET", &format!("{begin}/receipts/{number}"), b"");
    stand.must_answer("GET", &format!("{begin}/{}", percent(name)), b"");
}

/// Tables that are taken away: a fault of the database is logged with its whole chain.
fn break_the_database(county: &County, personal: &Personal) {
    let mut bureau = county.sign_in(Role::HealthBureau);
    let taken = county.app.database.write_blocking(|tx| tx.batch("alter table person rename to person_gone"));
    taken.expect("the database");
    let mut failed = 0;
    for what in personal.names.iter().take(20).chain(personal.numbers.iter().take(20)) {
        failed += bureau.try_open(&format!("/people?q={}", percent(what))).len();
    }
    assert!(failed > 0, "the search works without people");
}

#[test]
fn the_log_and_the_addresses_tell_of_nobody() {
    let kept = Kept::default();
    let log = tracing_subscriber::fmt().with_writer(kept.clone()).with_ansi(false);
    log.with_env_filter(log_filter("trace")).init();
    let stand = Stand::populated();
    let county = &stand.county;
    let register = std::fs::read_to_string(&stand.files.register).expect("the register");
    let personal = Personal::of(&register);
    assert!(personal.names.len() > 100 && personal.numbers.len() > 300, "{COUNTY} is empty");

    let mut stranger = county.visitor();
    let name = personal.names.first().expect("a name").clone();
    stranger.finds("/sign-in").fill("登录名", &name);
    stranger.fill("密码", personal.numbers.first().expect("a number")).press("登录");
    search(county, &personal);
    import_with_faults(county, &register);
    send_bills(&stand, &personal);
    let mut complaints = Vec::new();
    for role in [Role::VillageDoctor, Role::CountyDesk, Role::Cadre] {
        let walk = crawl(&mut county.sign_in(role), "/");
        assert!(walk.pages.len() > 10, "{} sees {} pages", role.key(), walk.pages.len());
        for link in &walk.links {
            let found = personal.found_in(link);
            complaints.extend((!found.is_empty()).then(|| format!("the address {link} holds {found:?}")));
        }
    }
    break_the_database(county, &personal);

    let logged =
        String::from_utf8(kept.0.lock().unwrap_or_else(PoisonError::into_inner).clone()).expect("text");
    assert!(logged.lines().count() > 300, "only {} lines were logged", logged.lines().count());
    for kind in ["a request failed", "a request was refused", "id=\""] {
        assert!(logged.contains(kind), "nothing of {kind:?} was logged");
    }
    for line in logged.lines() {
        let found = personal.found_in(line);
        if !found.is_empty() || line.chars().any(is_chinese) {
            complaints.push(format!("the log holds {found:?}: {line}"));
        }
    }
    complaints.truncate(40);
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}
