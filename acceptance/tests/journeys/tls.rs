//! Serving by https without a proxy: with a certificate of one's own, read anew without a pause; whoever does not finish a
//! handshake holds nobody up.

#![expect(clippy::expect_used, reason = "a test says what it needs")]
#![expect(clippy::disallowed_methods, reason = "waits for another process")]

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use kangmai_acceptance::program::{Program, Running, fresh_folder, remove_folder};
use ureq::tls::{Certificate, RootCerts, TlsConfig};

/// A certificate for this machine with its key, for tests; it holds for a hundred years.
type Pair = (&'static str, &'static str);

const FIRST: Pair = (include_str!("tls/first.pem"), include_str!("tls/first-key.pem"));
const SECOND: Pair = (include_str!("tls/second.pem"), include_str!("tls/second-key.pem"));

/// Writes the files that the program reads.
fn certify(folder: &Path, (certificate, key): Pair) {
    std::fs::write(folder.join("key.pem"), key).expect("a file");
    std::fs::write(folder.join("certificate.pem"), certificate).expect("a file");
}

/// A browser that trusts this certificate alone.
fn browser((certificate, _): Pair) -> ureq::Agent {
    let trusted = Certificate::from_pem(certificate.as_bytes()).expect("a certificate").to_owned();
    let tls = TlsConfig::builder().root_certs(RootCerts::Specific(Arc::new(vec![trusted]))).build();
    let config = ureq::Agent::config_builder().tls_config(tls).timeout_global(Some(Duration::from_secs(20)));
    config.build().new_agent()
}

fn words<'a>(certificate: &'a str, key: &'a str) -> [&'a str; 5] {
    ["serve", "--tls-certificate", certificate, "--tls-key", key]
}

fn serving(program: &Program) -> Running {
    let file = |name: &str| program.folder.join(name).to_string_lossy().into_owned();
    let command = program.command(&words(&file("certificate.pem"), &file("key.pem")));
    let mut running = program.begin_serving_under(command);
    running.wait_until_it_answers();
    running
}

fn program(folder: &Path) -> Program {
    Program {
        executable: PathBuf::from(env!("CARGO_BIN_EXE_kangmai_here")),
        database: folder.join("kangmai.db").to_string_lossy().into_owned(),
        folder: folder.to_owned(),
    }
}

fn address(running: &Running) -> String {
    format!("https://localhost:{}/sign-in", running.host.rsplit(':').next().expect("a port"))
}

#[test]
fn it_serves_by_https_and_takes_up_a_new_certificate() {
    let folder = fresh_folder("tls");
    certify(&folder, FIRST);
    let program = program(&folder);
    let running = serving(&program);
    let address = address(&running);
    let answer = browser(FIRST).get(&address).call().expect("an answer");
    assert_eq!(answer.status(), 200);
    let header = |name: &str| answer.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or("");
    assert!(header("strict-transport-security").starts_with("max-age="), "HSTS");
    // Without TLS there is no answer.
    let mut plain = TcpStream::connect(&running.host).expect("a connection");
    plain.write_all(b"GET /sign-in HTTP/1.1\r\nhost: localhost\r\n\r\n").expect("sent");
    let mut told = Vec::new();
    // The other side may break the connection off.
    let _ = plain.read_to_end(&mut told);
    assert!(!told.starts_with(b"HTTP"), "it answers without TLS");
    // Somebody who never shakes hands holds nobody up.
    let idle: Vec<TcpStream> =
        (0..50).map(|_| TcpStream::connect(&running.host).expect("a connection")).collect();
    let begun = Instant::now();
    assert_eq!(browser(FIRST).get(&address).call().expect("an answer").status(), 200);
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    drop(idle);
    certify(&folder, SECOND);
    let told = Command::new("kill").args(["-HUP", &running.number().to_string()]).status().expect("kill");
    assert!(told.success());
    let until = Instant::now() + Duration::from_secs(20);
    while browser(SECOND).get(&address).call().is_err() {
        assert!(Instant::now() < until, "the new certificate is not shown");
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(browser(FIRST).get(&address).call().is_err(), "the old certificate is gone");
    // A broken file changes nothing.
    std::fs::write(folder.join("certificate.pem"), "no certificate").expect("a file");
    let told = Command::new("kill").args(["-HUP", &running.number().to_string()]).status().expect("kill");
    assert!(told.success());
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(browser(SECOND).get(&address).call().expect("an answer").status(), 200);
    drop(running);
    remove_folder(&folder);
}

#[test]
fn what_is_no_certificate_is_refused_with_its_file() {
    let folder = fresh_folder("tls");
    let program = program(&folder);
    let file = |name: &str| folder.join(name).to_string_lossy().into_owned();
    let refused = |certificate: &str, key: &str| {
        let ended = program.command(&words(certificate, key)).output().expect("the program");
        assert!(!ended.status.success());
        String::from_utf8_lossy(&ended.stderr).into_owned()
    };
    let says = refused(&file("certificate.pem"), &file("key.pem"));
    assert!(says.contains("cannot read the certificate") && says.contains("certificate.pem"), "{says}");
    certify(&folder, FIRST);
    std::fs::rename(folder.join("key.pem"), folder.join("old.pem")).expect("renamed");
    certify(&folder, SECOND);
    let says = refused(&file("certificate.pem"), &file("old.pem"));
    assert!(says.contains("is not that of the certificate"), "{says}");
    let alone = program.run(&["serve", "--tls-certificate", &file("certificate.pem")]);
    assert!(!alone.status.success() && String::from_utf8_lossy(&alone.stderr).contains("--tls-key"));
    remove_folder(&folder);
}
