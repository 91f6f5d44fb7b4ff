//! What the program bears: senders that dawdle, connections that wait, bodies without end, too much at once. Through real
//! sockets, against the program as a process of its own. Whatever happens, somebody else's page comes.
//!
//! `KANGMAI_IDLE_CONNECTIONS` is the number of connections that wait; 10000 for a night.

#![expect(clippy::expect_used, clippy::panic, reason = "a test says what it needs")]
#![expect(clippy::disallowed_methods, reason = "waits for another process")]

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use kangmai_acceptance::program::{Program, Running, fresh_folder, remove_folder};
use kangmai_server::serving::raise_file_limit;

/// Says how many connections wait.
const IDLE_VARIABLE: &str = "KANGMAI_IDLE_CONNECTIONS";
/// As many as a change must wait for.
const IDLE: usize = 2_000;
/// Senders that dawdle over their head.
const DAWDLERS: usize = 300;
/// Within this a page comes, whatever else goes on; generous, since the machine may be busy.
const PAGE_WITHIN: Duration = Duration::from_secs(3);
/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(20);

/// A program on an empty database under these limits.
struct Server {
    running: Running,
    folder: PathBuf,
}

impl Server {
    fn with(limits: &[(&str, &str)]) -> Server {
        let folder = fresh_folder("limits");
        let program = Program {
            executable: PathBuf::from(env!("CARGO_BIN_EXE_kangmai_here")),
            database: folder.join("kangmai.db").to_string_lossy().into_owned(),
            folder: folder.clone(),
        };
        let mut command = program.command(&["serve"]);
        command.envs(limits.iter().copied());
        let mut running = program.begin_serving_under(command);
        running.wait_until_it_answers();
        Server { running, folder }
    }

    fn line(&self) -> Line {
        Line::to(&self.running.host)
    }

    /// A page that needs the database, as a browser asks for it.
    fn page(&self, path: &str) -> String {
        let mut line = self.line();
        line.send(&ask(path));
        line.answer()
    }

    fn metric(&self, name: &str) -> i64 {
        let text = self.page("/metrics");
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|rest| rest.trim().parse().ok()).unwrap_or_else(|| panic!("no {name} in {text}"))
    }

    fn assert_page_comes(&self) {
        let began = Instant::now();
        let page = self.page("/set-up");
        assert!(page.starts_with("HTTP/1.1 200"), "{page}");
        assert!(began.elapsed() < PAGE_WITHIN, "a page took {:?}", began.elapsed());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.running.kill();
        remove_folder(&self.folder);
    }
}

/// A connection, spoken over by hand.
struct Line(TcpStream);

impl Line {
    fn to(host: &str) -> Line {
        let stream = TcpStream::connect(host).expect("a connection");
        stream.set_read_timeout(Some(PATIENCE)).expect("a time-out");
        Line(stream)
    }

    fn send(&mut self, text: &str) {
        self.0.write_all(text.as_bytes()).expect("sent");
    }

    /// Everything until the server ends the connection; cut or closed is the same.
    fn answer(&mut self) -> String {
        let mut answer = Vec::new();
        match self.0.read_to_end(&mut answer) {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::ConnectionReset => {}
            Err(error) => panic!("{error} after {}", String::from_utf8_lossy(&answer)),
        }
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// Whether the server has ended the connection within this time, without a word.
    fn is_cut_within(&mut self, time: Duration) -> bool {
        self.0.set_read_timeout(Some(time)).expect("a time-out");
        match self.0.read(&mut [0; 64]) {
            Ok(read) => read == 0,
            Err(error) => error.kind() == ErrorKind::ConnectionReset,
        }
    }
}

fn ask(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: h\r\nAccept: text/html\r\nConnection: close\r\n\r\n")
}

/// The head of a form that is said to have so many bytes.
fn form_head(path: &str, bytes: usize) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nHost: h\r\nAccept: text/html\r\nSec-Fetch-Site: same-origin\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {bytes}\r\n\r\n"
    )
}

#[test]
fn senders_that_dawdle_over_a_head_stop_nobody() {
    let server = Server::with(&[("KANGMAI_HEAD_SECONDS", "2")]);
    let mut dawdlers: Vec<Line> = (0..DAWDLERS).map(|_| server.line()).collect();
    let began = Instant::now();
    for letter in ["G", "E", "T", " ", "/"] {
        for line in &mut dawdlers {
            // Whoever was cut already cannot send.
            let _ = line.0.write_all(letter.as_bytes());
        }
        server.assert_page_comes();
        std::thread::sleep(Duration::from_millis(100));
    }
    // Each byte that comes buys no more time: from the first one on there are two seconds.
    let cut = dawdlers.iter_mut().filter_map(|line| line.is_cut_within(PATIENCE).then_some(())).count();
    assert_eq!(cut, DAWDLERS);
    assert!(began.elapsed() < PATIENCE, "cut after {:?}", began.elapsed());
    assert_eq!(server.metric("kangmai_refused_total{limit=\"slow_head\"}"), DAWDLERS as i64);
}

#[test]
fn connections_that_wait_do_not_stop_the_desk() {
    let wanted = std::env::var(IDLE_VARIABLE).ok().and_then(|text| text.parse().ok()).unwrap_or(IDLE);
    let fitting = raise_file_limit(wanted);
    assert!(
        fitting >= wanted.min(IDLE),
        "this machine lets a process open {fitting} files only: raise `ulimit -Hn`"
    );
    let server = Server::with(&[("KANGMAI_ADDRESS_CONNECTIONS", "100000")]);
    let waiting: Vec<Line> = (0..fitting).map(|_| server.line()).collect();
    for _ in 0..20 {
        server.assert_page_comes();
    }
    let open = server.metric("kangmai_connections");
    assert!(open >= waiting.len() as i64, "{open} of {} are open", waiting.len());
}

#[test]
fn a_connection_that_waits_too_long_is_ended() {
    let server = Server::with(&[("KANGMAI_KEEP_SECONDS", "1")]);
    let mut fresh = server.line();
    let mut used = server.line();
    used.send(&ask("/health").replace("Connection: close\r\n", ""));
    let answer = used.answer();
    assert!(answer.ends_with("ok\n"), "{answer}");
    assert!(fresh.is_cut_within(PATIENCE));
}

#[test]
fn one_address_has_its_share_of_connections() {
    let server = Server::with(&[("KANGMAI_ADDRESS_CONNECTIONS", "10")]);
    let mut held: Vec<Line> = (0..10).map(|_| server.line()).collect();
    // A connection counts once it is accepted, which may be a moment after it was made.
    let until = Instant::now() + PATIENCE;
    let mut refused = server.page("/set-up");
    while !refused.starts_with("HTTP/1.1 503") {
        assert!(Instant::now() < until, "more than its share: {refused}");
        refused = server.page("/set-up");
    }
    assert!(refused.contains("retry-after: 3") && refused.contains("系统正忙"), "{refused}");
    held.clear();
    let until = Instant::now() + PATIENCE;
    while !server.page("/set-up").starts_with("HTTP/1.1 200") {
        assert!(Instant::now() < until, "who has gone still counts");
        std::thread::sleep(Duration::from_millis(20));
    }
    // A proxy that is trusted brings a whole county.
    let server =
        Server::with(&[("KANGMAI_ADDRESS_CONNECTIONS", "10"), ("KANGMAI_TRUSTED_PROXIES", "127.0.0.1")]);
    let _held: Vec<Line> = (0..30).map(|_| server.line()).collect();
    server.assert_page_comes();
}

#[test]
fn a_body_over_the_limit_is_refused_in_words() {
    let server = Server::with(&[]);
    let bytes = 3 * 1024 * 1024;
    let mut line = server.line();
    line.send(&form_head("/sign-in", bytes));
    line.send(&"a".repeat(bytes));
    let until_end = line.0.set_read_timeout(Some(Duration::from_secs(5)));
    until_end.expect("a time-out");
    let mut answer = vec![0; 64 * 1024];
    let read = line.0.read(&mut answer).expect("an answer");
    let answer = String::from_utf8_lossy(&answer[..read]).into_owned();
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    assert!(server.page("/set-up").starts_with("HTTP/1.1 200"));
}

#[test]
fn a_body_that_stands_still_is_refused_in_words() {
    let server = Server::with(&[("KANGMAI_BODY_STILL_SECONDS", "1")]);
    let mut line = server.line();
    line.send(&form_head("/sign-in", 100));
    line.send("name=somebody");
    server.assert_page_comes();
    let answer = line.answer();
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert!(answer.contains("没有收完提交的内容") && answer.contains("x-request-id: "), "{answer}");
}

#[test]
fn more_at_once_than_it_bears_is_told_to_come_again() {
    let server = Server::with(&[("KANGMAI_REQUESTS_AT_ONCE", "4")]);
    let mut under_way: Vec<Line> = (0..4).map(|_| server.line()).collect();
    for line in &mut under_way {
        line.send(&form_head("/sign-in", 11));
        line.send("name=");
    }
    let until = Instant::now() + PATIENCE;
    while server.metric("kangmai_requests_under_way") < 4 {
        assert!(Instant::now() < until, "the forms do not come in");
    }
    let refused = server.page("/set-up");
    assert!(refused.starts_with("HTTP/1.1 503") && refused.contains("retry-after: 3"), "{refused}");
    assert!(refused.contains("系统正忙") && refused.contains("请等 3 秒再试"), "{refused}");
    // An interface says it in its own shape; who watches over the server is answered all the same.
    let refused = server.page("/api/v1/settlement/pre-settle");
    assert!(refused.starts_with("HTTP/1.1 503") && refused.contains("\"code\":\"busy\""), "{refused}");
    assert!(server.page("/health").starts_with("HTTP/1.1 200"));
    for line in &mut under_way {
        line.send("nobody");
    }
    for line in &mut under_way {
        let mut answer = [0; 12];
        line.0.read_exact(&mut answer).expect("an answer");
        assert!(!answer.ends_with(b"503"), "who was let in is served");
    }
    server.assert_page_comes();
}

#[test]
fn who_does_not_take_the_answer_is_cut() {
    let server = Server::with(&[("KANGMAI_WRITE_SECONDS", "1"), ("KANGMAI_STRANGER_REQUESTS", "1000000")]);
    let mut line = server.line();
    // More answers than all buffers between the two hold.
    let asked = ask("/api/openapi.json").replace("Connection: close\r\n", "").repeat(50);
    line.0.set_write_timeout(Some(Duration::from_secs(2))).expect("a time-out");
    let until = Instant::now() + PATIENCE;
    while server.metric("kangmai_refused_total{limit=\"slow_reader\"}") == 0 {
        // It takes no more requests either once it is stuck.
        let _ = line.0.write_all(asked.as_bytes());
        assert!(Instant::now() < until, "it waits for ever");
    }
    server.assert_page_comes();
}

#[test]
fn a_stop_lets_what_is_under_way_come_to_its_end() {
    let mut server = Server::with(&[]);
    let mut waiting = server.line();
    let mut under_way = server.line();
    under_way.send(&form_head("/sign-in", 11));
    under_way.send("name=");
    let until = Instant::now() + PATIENCE;
    while server.metric("kangmai_requests_under_way") < 1 {
        assert!(Instant::now() < until, "the form does not come in");
    }
    server.running.ask_to_stop();
    assert!(waiting.is_cut_within(PATIENCE), "who waits is let go at once");
    assert!(TcpStream::connect(&server.running.host).is_err(), "nobody new is taken");
    under_way.send("nobody");
    let answer = under_way.answer();
    assert!(answer.starts_with("HTTP/1.1 ") && answer.contains("\r\nx-request-id: "), "{answer}");
    assert!(server.running.ends_well());
}

#[test]
fn a_stop_comes_to_its_own_end() {
    let mut server = Server::with(&[("KANGMAI_STOP_SECONDS", "1")]);
    let mut line = server.line();
    line.send(&form_head("/sign-in", 11));
    line.send("name=");
    let until = Instant::now() + PATIENCE;
    while server.metric("kangmai_requests_under_way") < 1 {
        assert!(Instant::now() < until, "the form does not come in");
    }
    let asked = Instant::now();
    server.running.ask_to_stop();
    assert!(server.running.ends_well());
    assert!(asked.elapsed() < PATIENCE, "{:?}", asked.elapsed());
}
