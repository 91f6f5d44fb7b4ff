//! A database on another machine: the connection is by TLS, and with nobody whose certificate is not trusted. What stands
//! between here ends TLS and hands everything on to the database of the tests.

#![expect(clippy::expect_used, reason = "a test says what it needs")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use kangmai_database::{Database, DatabaseError};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

const OWN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../acceptance/tests/journeys/tls/first.pem");
const OTHER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../acceptance/tests/journeys/tls/second.pem");
const KEY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../acceptance/tests/journeys/tls/first-key.pem");
/// What a client of PostgreSQL says first when it wants TLS: the length of the message and a number.
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

fn acceptor() -> TlsAcceptor {
    let chain = vec![CertificateDer::from_pem_file(OWN).expect("a certificate")];
    let key = PrivateKeyDer::from_pem_file(KEY).expect("a key");
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .expect("a pair");
    TlsAcceptor::from(Arc::new(config))
}

/// Ends TLS for one who asks for it, and hands on to `behind`; who does not ask is sent away. Counts handshakes.
async fn hand_on(mut client: TcpStream, behind: String, ended: Arc<AtomicUsize>) -> std::io::Result<()> {
    let mut asked = [0_u8; 8];
    client.read_exact(&mut asked).await?;
    if asked != SSL_REQUEST {
        return Ok(());
    }
    client.write_all(b"S").await?;
    let mut client = acceptor().accept(client).await?;
    ended.fetch_add(1, Ordering::Relaxed);
    let mut database = TcpStream::connect(behind).await?;
    copy_bidirectional(&mut client, &mut database).await?;
    Ok(())
}

/// The address up to the host, and what stands behind.
fn test_server() -> Option<(String, String)> {
    let address = std::env::var(kangmai_database::testing::POSTGRES_VARIABLE).ok()?;
    let rest = address.split_once("://")?.1;
    let (authority, database) = rest.split_once('/')?;
    let (user, host) = authority.split_once('@').unwrap_or(("postgres", authority));
    let behind = if host.contains(':') { host.to_owned() } else { format!("{host}:5432") };
    let name = database.split('?').next().unwrap_or_default();
    Some((format!("{user}@HOST/{name}"), behind))
}

#[test]
fn a_database_elsewhere_is_spoken_with_by_tls_and_only_if_it_is_trusted() {
    let Some((address, behind)) = test_server() else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime = runtime.expect("a runtime");
    let listener = runtime.block_on(TcpListener::bind("localhost:0")).expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let ended = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&ended);
    runtime.spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            drop(tokio::spawn(hand_on(client, behind.clone(), Arc::clone(&counted))));
        }
    });
    let address = |host: &str, asked: &str| {
        format!("postgres://{}?{asked}", address.replace("HOST", &format!("{host}:{port}")))
    };
    for asked in [format!("sslrootcert={OWN}"), format!("sslmode=verify-full&sslrootcert={OWN}")] {
        let before = ended.load(Ordering::Relaxed);
        let database = Database::open(&address("localhost", &asked)).expect("a database");
        let one = database.read_blocking(|tx| tx.query_one("select cast(1 as bigint)", &[]));
        let one: i64 = one.expect("an answer").expect("a row").get(0).expect("a number");
        assert_eq!(one, 1);
        assert!(ended.load(Ordering::Relaxed) > before, "not by TLS");
    }
    // Another authority; the right one, and another name than the certificate's; TLS with whomever.
    let wrong = [("localhost", format!("sslrootcert={OTHER}")), ("127.0.0.1", format!("sslrootcert={OWN}"))];
    for (host, asked) in wrong {
        assert!(Database::open(&address(host, &asked)).is_err(), "{host} {asked}");
    }
    let whomever = Database::open(&address("localhost", "sslmode=require"));
    assert!(matches!(whomever, Err(DatabaseError::NoAuthority)));
}
