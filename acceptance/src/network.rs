//! A network between two processes that can be cut, and somebody who uses the pages of a process over a socket.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, Response, StatusCode};

use crate::visitor::Visitor;

/// The longest body that is passed on.
const LONGEST_BODY: usize = 64 * 1_024 * 1_024;
/// How often a piece of wire looks whether it is cut.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// What a wire does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// It carries both ways.
    Open = 0,
    /// It carries nothing: who connects is hung up on.
    Cut = 1,
    /// What is asked arrives; the answer is lost on the way.
    NoAnswers = 2,
}

/// A wire to a server, with an address of its own.
#[derive(Debug, Clone)]
pub struct Network {
    /// Host and port of this end.
    pub host: String,
    way: Arc<AtomicU8>,
    target: Arc<Mutex<String>>,
}

impl Network {
    /// A wire to `target`, open.
    pub fn to(target: &str) -> Network {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let network = Network {
            host: listener.local_addr().expect("an address").to_string(),
            way: Arc::default(),
            target: Arc::new(Mutex::new(target.to_owned())),
        };
        let own = network.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let own = own.clone();
                std::thread::spawn(move || own.carry(&stream));
            }
        });
        network
    }

    /// From now on it does this, also to what is on it now.
    pub fn is(&self, way: Way) {
        self.way.store(way as u8, Ordering::SeqCst);
    }

    /// From now on it leads there.
    pub fn leads_to(&self, target: &str) {
        target.clone_into(&mut self.target.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn is_now(&self, way: Way) -> bool {
        self.way.load(Ordering::SeqCst) == way as u8
    }

    fn carry(&self, here: &TcpStream) {
        let target = self.target.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let there = match self.is_now(Way::Cut) {
            true => None,
            false => TcpStream::connect(target).ok(),
        };
        if let Some(there) = there {
            std::thread::scope(|scope| {
                scope.spawn(|| self.pipe(here, &there, false));
                self.pipe(&there, here, true);
            });
        }
        let _ = here.shutdown(Shutdown::Both);
    }

    /// Carries bytes one way until either end hangs up or the wire is cut.
    fn pipe(&self, mut from: &TcpStream, mut to: &TcpStream, is_answer: bool) {
        let mut bytes = [0_u8; 4_096];
        from.set_read_timeout(Some(LOOK_AGAIN)).expect("a socket");
        loop {
            let read = match from.read(&mut bytes) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error)
                    if matches!(
                        error.kind(),
                        std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut
                    ) =>
                {
                    if self.is_now(Way::Cut) {
                        break;
                    }
                    continue;
                }
                Err(_) => break,
            };
            if self.is_now(Way::Cut)
                || (is_answer && self.is_now(Way::NoAnswers))
                || to.write_all(&bytes[..read]).is_err()
            {
                break;
            }
        }
        let _ = from.shutdown(Shutdown::Both);
        let _ = to.shutdown(Shutdown::Both);
    }
}

/// Somebody who uses the pages of the process at `host`.
pub fn visitor_at(host: &str) -> Visitor {
    let agent = ureq::Agent::new_with_config(
        ureq::Agent::config_builder().max_redirects(0).http_status_as_error(false).build(),
    );
    let base = format!("http://{host}");
    let router = Router::new().fallback(move |request: Request<Body>| {
        let (agent, base) = (agent.clone(), base.clone());
        async move { passed_on(agent, &base, request).await }
    });
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    Visitor::new(router, Arc::new(runtime.expect("a runtime")))
}

async fn passed_on(agent: ureq::Agent, base: &str, request: Request<Body>) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, LONGEST_BODY).await.expect("a body").to_vec();
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let mut asked = ureq::http::Request::builder().method(parts.method).uri(format!("{base}{path}"));
    for (name, value) in parts.headers.iter().filter(|(name, _)| *name != "host" && *name != "content-length")
    {
        asked = asked.header(name, value);
    }
    let asked = asked.body(body).expect("a request");
    let answered = tokio::task::spawn_blocking(move || {
        let mut answer = agent.run(asked).ok()?;
        let body = answer.body_mut().with_config().limit(LONGEST_BODY as u64).read_to_vec().ok()?;
        Some((answer.status(), answer.headers().clone(), body))
    });
    let Some((status, headers, body)) = answered.await.expect("joined") else {
        let gone = Response::builder().status(StatusCode::BAD_GATEWAY);
        return gone.body(Body::from("nobody answers")).expect("an answer");
    };
    let mut answer = Response::builder().status(status);
    for (name, value) in headers.iter().filter(|(name, _)| *name != "transfer-encoding") {
        answer = answer.header(name, value);
    }
    answer.body(Body::from(body)).expect("an answer")
}
