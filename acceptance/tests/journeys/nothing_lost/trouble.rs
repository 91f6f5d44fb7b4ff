//! What the program does when the machine under it fails: it says so, stays or ends as a whole, and goes on afterwards.

use std::fs::Permissions;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use kangmai_acceptance::program::{fresh_folder, remove_folder};
use kangmai_acceptance::wire::Wire;
use kangmai_database::testing::{FreshDatabase, POSTGRES_VARIABLE};

use super::trial::Trial;

/// Bills that are sent until the disk is full.
const MOST_BILLS: u64 = 2_000;
/// What a file may grow by, in bytes.
const ROOM: u64 = 400_000;
/// The one who owns nothing on this machine.
const NOBODY: &str = "65534";

fn on_sqlite(name: &str) -> (Trial, std::path::PathBuf) {
    let folder = fresh_folder(name);
    let trial = Trial::begin(&folder.join("kangmai.db").to_string_lossy(), &folder, 3);
    (trial, folder)
}

#[test]
fn a_second_server_on_one_file_is_refused_and_says_why() {
    let (trial, folder) = on_sqlite("two");
    let mut first = trial.program.serve();
    let second =
        trial.program.command(&["serve"]).env("KANGMAI_LISTEN", "127.0.0.1:0").output().expect("a program");
    let says = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(!second.status.success() && says.contains("another server"), "{says}");
    let away = format!("{}-moved", trial.program.database);
    let moved = trial.program.run(&["move", "--from", &trial.program.database, "--to", &away]);
    let says = String::from_utf8_lossy(&moved.stderr).into_owned();
    assert!(!moved.status.success() && says.contains("another server"), "{says}");
    assert!(!Path::new(&away).exists());
    // A killed server holds nothing.
    first.kill();
    trial.program.serve();
    trial.program.must(&["move", "--from", &trial.program.database, "--to", &away]);
    remove_folder(&folder);
}

#[test]
fn two_servers_on_one_postgresql_do_a_request_once() {
    let Ok(server) = std::env::var(POSTGRES_VARIABLE) else { return };
    let folder = fresh_folder("both");
    let fresh = FreshDatabase::postgres(&server).expect("a schema");
    let mut trial = Trial::begin(&fresh.address, &folder, 4);
    let servers = [trial.program.serve(), trial.program.serve()];
    for number in 0..8 {
        let sent = trial.settling(number);
        let statuses: Vec<u16> = std::thread::scope(|scope| {
            let both: Vec<_> = servers
                .iter()
                .map(|server| {
                    let (trial, sent) = (&trial, &sent);
                    scope.spawn(move || trial.post(&mut Wire::to(&server.host), sent).expect("an answer").0)
                })
                .collect();
            both.into_iter().map(|one| one.join().expect("a sender")).collect()
        });
        // The second hears that it is under way, or gets the answer of the first.
        assert!(
            statuses.contains(&200) && statuses.iter().all(|status| [200, 409].contains(status)),
            "{statuses:?}"
        );
        trial.acknowledge(sent);
    }
    trial.finish();
    remove_folder(&folder);
}

#[test]
fn a_full_disk_refuses_what_it_cannot_keep_and_loses_nothing() {
    let (mut trial, folder) = on_sqlite("full");
    let size = std::fs::metadata(&trial.program.database).expect("a file").len() + ROOM;
    // No file of this process may grow past that; its writes fail, as they do on a full disk.
    let mut narrow = Command::new("sh");
    let plain = trial.program.command(&["serve"]);
    let script = format!("trap '' XFSZ; ulimit -f {}; exec \"$0\" \"$@\"", size / 512);
    narrow.arg("-c").arg(script).arg(plain.get_program()).args(plain.get_args());
    narrow.envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let mut server = trial.program.begin_serving_under(narrow);
    server.wait_until_it_answers();
    let mut wire = Wire::to(&server.host);
    let mut refused = None;
    for number in 0..MOST_BILLS {
        let sent = trial.settling(number);
        match trial.post(&mut wire, &sent).expect("the server answers") {
            (200, _) => trial.acknowledge(sent),
            (status, says) => {
                assert_eq!(status, 500, "{says}");
                refused = Some(sent);
                break;
            }
        }
    }
    let refused = refused.expect("the disk never was full");
    // It still reads, and still says no to what it cannot write.
    assert_eq!(wire.get("/health").expect("an answer").status, 200);
    assert_eq!(trial.post(&mut wire, &trial.settling(MOST_BILLS)).expect("an answer").0, 500);
    server.kill();
    trial.not_acknowledge(refused);
    trial.finish();
    remove_folder(&folder);
}

#[test]
fn a_disk_that_only_reads_ends_the_start_with_its_reason() {
    let (trial, folder) = on_sqlite("closed");
    let uploads = fresh_folder("closed-uploads");
    set_mode(&uploads, 0o777);
    set_mode(Path::new(&trial.program.database), 0o444);
    set_mode(&folder, 0o555);
    let plain = trial.program.command(&["serve"]);
    // To whoever may do everything no file is closed.
    let mut closed = Command::new("setpriv");
    closed.args(["--reuid", NOBODY, "--regid", NOBODY, "--clear-groups"]);
    closed.arg(plain.get_program()).args(plain.get_args());
    closed.envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
    closed.env("KANGMAI_UPLOADS", &uploads).env("KANGMAI_LISTEN", "127.0.0.1:0");
    let ended = closed.output().expect("setpriv is there");
    let says = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert!(!ended.status.success(), "it serves");
    assert!(says.contains("kangmai.db") && says.contains("writ"), "{says}");
    set_mode(&folder, 0o755);
    set_mode(Path::new(&trial.program.database), 0o644);
    trial.program.serve();
    remove_folder(&folder);
    remove_folder(&uploads);
}

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, Permissions::from_mode(mode)).expect("a mode");
}

#[test]
fn a_database_that_goes_away_and_comes_back_is_used_again() {
    let Ok(server) = std::env::var(POSTGRES_VARIABLE) else { return };
    let folder = fresh_folder("away");
    let fresh = FreshDatabase::postgres(&server).expect("a schema");
    let line = Line::to_database_of(&fresh.address);
    let mut trial = Trial::begin(&line.address, &folder, 5);
    let program = trial.program.serve();
    let mut wire = Wire::to(&program.host);
    let mut number = 0;
    for _ in 0..3 {
        for _ in 0..3 {
            number += 1;
            let sent = trial.settling(number);
            assert_eq!(trial.post(&mut wire, &sent).expect("an answer").0, 200);
            trial.acknowledge(sent);
        }
        line.set_open(false);
        for _ in 0..3 {
            number += 1;
            let sent = trial.settling(number);
            let (status, says) = trial.post(&mut wire, &sent).expect("the server lives");
            assert!(status >= 500, "{status} {says}");
            trial.not_acknowledge(sent);
        }
        line.set_open(true);
    }
    drop(program);
    trial.finish();
    remove_folder(&folder);
}

/// A line to the database that can be cut.
struct Line {
    address: String,
    is_open: Arc<AtomicBool>,
    streams: Arc<Mutex<Vec<TcpStream>>>,
}

impl Line {
    fn to_database_of(address: &str) -> Line {
        let (before, rest) = address.split_once('@').expect("an address with a user");
        let (host, after) = rest.split_once('/').expect("an address with a database");
        let host = if host.contains(':') { host.to_owned() } else { format!("{host}:5432") };
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = format!("{before}@{}/{after}", listener.local_addr().expect("an address"));
        let (is_open, streams) = (Arc::new(AtomicBool::new(true)), Arc::new(Mutex::new(Vec::new())));
        let (open, all) = (Arc::clone(&is_open), Arc::clone(&streams));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if open.load(Ordering::Relaxed) {
                    let onward = TcpStream::connect(&host).expect("the database");
                    let ways = [(&stream, &onward), (&onward, &stream)];
                    for (from, to) in ways {
                        let (from, to) =
                            (from.try_clone().expect("a stream"), to.try_clone().expect("a stream"));
                        std::thread::spawn(move || pass_on(from, to));
                    }
                    all.lock().expect("nobody panics").extend([stream, onward]);
                }
            }
        });
        Line { address, is_open, streams }
    }

    fn set_open(&self, is_open: bool) {
        self.is_open.store(is_open, Ordering::Relaxed);
        if !is_open {
            for stream in self.streams.lock().expect("nobody panics").drain(..) {
                // It may be closed already.
                let _ = stream.shutdown(Shutdown::Both);
            }
        }
    }
}

fn pass_on(mut from: TcpStream, mut to: TcpStream) {
    let mut part = [0; 16_384];
    while let Ok(count) = from.read(&mut part) {
        if count == 0 || to.write_all(&part[..count]).is_err() {
            break;
        }
    }
    // The other end may be gone.
    let _ = to.shutdown(Shutdown::Both);
}
