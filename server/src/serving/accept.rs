//! The loop that takes connections, and the end of it.

use std::collections::HashMap;
use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use kangmai_web::Sender;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::time::{sleep, timeout};
use tower::ServiceExt as _;

use super::at_once::COME_AGAIN_SECONDS;
use super::connection::{AnswerBody, Phase, Watched};
use super::{ConnectionLimits, Refused, Traffic};

/// The longest head of a request, and what is read ahead of it.
const HEAD_BYTES: usize = 64 * 1024;
/// The most lines in it.
const HEAD_LINES: usize = 100;
/// After the system refused a connection (no more open files), before the next is tried.
const AFTER_REFUSAL: Duration = Duration::from_millis(200);
/// Who is refused at the door is told so; of more than this at once the line is cut.
const MOST_TOLD_AT_ONCE: usize = 64;
/// How long telling may take.
const TOLD_WITHIN: Duration = Duration::from_secs(1);

/// How a server came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stopped {
    /// Connections that were cut because they did not come to their end in time.
    pub cut: usize,
}

/// Serves `router` to whoever connects until `stop` comes; then takes nobody any more, lets what is under way come to its end
/// and cuts what has not within [`ConnectionLimits::stop`]. `greet` makes of a bare connection the one that is spoken over,
/// within the time of a head.
pub async fn accept<S, G, F>(
    listener: TcpListener,
    (router, greet): (Router, G),
    (limits, traffic): (ConnectionLimits, Arc<Traffic>),
    stop: impl Future<Output = ()>,
) -> Stopped
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    G: Fn(TcpStream) -> F,
    F: Future<Output = io::Result<S>> + Send + 'static,
{
    let house = House::new(limits, traffic);
    let (tell, told) = watch::channel(false);
    let mut stop = pin!(stop);
    loop {
        let taken = tokio::select! {
            taken = listener.accept() => taken,
            () = &mut stop => break,
        };
        let (stream, peer) = match taken {
            Ok(taken) => taken,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be taken");
                sleep(AFTER_REFUSAL).await;
                continue;
            }
        };
        let Some(guest) = house.take_in(peer) else {
            house.send_away(stream);
            continue;
        };
        // Without it small answers wait for the other end's word on the one before.
        let _ = stream.set_nodelay(true);
        let (greeted, router) = (greet(stream), router.clone());
        tokio::spawn(speak(greeted, router, guest, told.clone()));
    }
    drop((listener, told));
    // Nobody listens any more if all have gone.
    let _ = tell.send(true);
    let patience = house.limits.stop;
    let all_gone = timeout(patience, tell.closed()).await.is_ok();
    let cut = if all_gone { 0 } else { tell.receiver_count() };
    Stopped { cut }
}

/// Who is in.
struct House {
    limits: Arc<ConnectionLimits>,
    traffic: Arc<Traffic>,
    of_address: Arc<Mutex<HashMap<IpAddr, usize>>>,
    telling: Arc<Semaphore>,
}

/// A connection that is counted, until it is dropped.
struct Guest {
    peer: SocketAddr,
    counted_as: Option<IpAddr>,
    limits: Arc<ConnectionLimits>,
    traffic: Arc<Traffic>,
    of_address: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

impl House {
    fn new(limits: ConnectionLimits, traffic: Arc<Traffic>) -> House {
        House {
            limits: Arc::new(limits),
            traffic,
            of_address: Arc::default(),
            telling: Arc::new(Semaphore::new(MOST_TOLD_AT_ONCE)),
        }
    }

    fn take_in(&self, peer: SocketAddr) -> Option<Guest> {
        if usize::try_from(self.traffic.connections()).unwrap_or(0) >= self.limits.most {
            self.traffic.note(Refused::Connections);
            return None;
        }
        let is_proxy = self.limits.proxies.trusts(peer.ip());
        let counted_as = (!is_proxy).then(|| Sender(peer.ip()).counted_as());
        if let Some(address) = counted_as {
            let mut of_address = self.of_address.lock().unwrap_or_else(PoisonError::into_inner);
            let own = of_address.entry(address).or_default();
            if *own >= self.limits.most_of_address {
                self.traffic.note(Refused::AddressConnections);
                return None;
            }
            *own += 1;
        }
        self.traffic.connection_opened();
        Some(Guest {
            peer,
            counted_as,
            limits: Arc::clone(&self.limits),
            traffic: Arc::clone(&self.traffic),
            of_address: Arc::clone(&self.of_address),
        })
    }

    /// Says that there is no room, as far as not too many are being told at once.
    fn send_away(&self, stream: TcpStream) {
        let Ok(turn) = Arc::clone(&self.telling).try_acquire_owned() else { return };
        tokio::spawn(async move {
            let _ = timeout(TOLD_WITHIN, tell_to_come_again(stream)).await;
            drop(turn);
        });
    }
}

/// Answers before anything was read, and then reads what was sent: a line that is cut with something unread loses the answer.
async fn tell_to_come_again(stream: TcpStream) -> io::Result<()> {
    let text = "系统正忙，请稍后再试 / The server is busy: try again in a moment\n";
    let answer = format!(
        "HTTP/1.1 503 Service Unavailable\r\nretry-after: {COME_AGAIN_SECONDS}\r\n\
         content-type: text/plain; charset=utf-8\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{text}",
        text.len()
    );
    stream.writable().await?;
    // As long as this is fits into the buffer of any socket.
    let _ = stream.try_write(answer.as_bytes())?;
    let mut thrown_away = [0; 1_024];
    loop {
        stream.readable().await?;
        match stream.try_read(&mut thrown_away) {
            Ok(0) => return Ok(()),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        self.traffic.connection_closed();
        let Some(address) = self.counted_as else { return };
        let mut of_address = self.of_address.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = of_address.get_mut(&address) {
            *own -= 1;
            if *own == 0 {
                of_address.remove(&address);
            }
        }
    }
}

async fn speak<S>(
    greeted: impl Future<Output = io::Result<S>>,
    router: Router,
    guest: Guest,
    mut told: watch::Receiver<bool>,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let Ok(Ok(stream)) = timeout(guest.limits.head, greeted).await else { return };
    let phase = Arc::<Phase>::default();
    let (limits, traffic) = (Arc::clone(&guest.limits), Arc::clone(&guest.traffic));
    let watched = Watched::new(stream, Arc::clone(&phase), limits, traffic);
    let peer = guest.peer;
    let service = service_fn(move |request: Request<Incoming>| {
        phase.begin_answer();
        let (phase, router) = (Arc::clone(&phase), router.clone());
        async move {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(ConnectInfo(peer));
            let response = router.oneshot(request).await?;
            Ok::<_, Infallible>(response.map(|body| AnswerBody::new(body, phase)))
        }
    });
    let mut builder = http1::Builder::new();
    // Our own watch tells waiting from sending slowly; theirs does not.
    builder.header_read_timeout(None).max_buf_size(HEAD_BYTES).max_headers(HEAD_LINES);
    let mut spoken = pin!(builder.serve_connection(TokioIo::new(watched), service));
    tokio::select! {
        // How a connection ends is the other end's affair.
        _ = spoken.as_mut() => return,
        () = is_told(&mut told) => spoken.as_mut().graceful_shutdown(),
    }
    let _ = spoken.await;
}

async fn is_told(told: &mut watch::Receiver<bool>) {
    // An error: whoever tells is gone, which says the same.
    let _ = told.wait_for(|stopping| *stopping).await;
}
