//! How fast a request must come in, and how long its answer may take to begin: who sends a byte a minute holds nothing up.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, BodyDataStream, Bytes, HttpBody as _};
use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use futures_util::{Stream, StreamExt as _};
use tokio::time::{Instant, Sleep, sleep, timeout};

use crate::failure::Failure;

/// Limits in time of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// So long a body may stand still.
    pub still: Duration,
    /// Below this a body is too slow, once its grace is over.
    pub least_bytes_a_second: u32,
    /// So long we wait for a body in all before its speed counts.
    pub grace: Duration,
    /// So long after the last byte came in an answer must have begun.
    pub answer: Duration,
}

impl Pace {
    /// What holds unless somebody sets something else. A form over the weakest mobile line of a village comes in within it.
    pub const USUAL: Pace = Pace {
        still: Duration::from_secs(30),
        least_bytes_a_second: 512,
        grace: Duration::from_secs(20),
        answer: Duration::from_secs(120),
    };
    /// How much of a body that is too large is still read, so that the sender reads the answer before the line is cut.
    const DRAINED_BYTES: u64 = 16 * 1024 * 1024;
    /// How long that may take.
    const DRAINED_WITHIN: Duration = Duration::from_secs(10);

    /// Runs what is behind, within these limits. A body that comes in too slowly makes the answer 408, an answer that does
    /// not begin 504.
    pub async fn keep(self, request: Request, next: Next) -> Response {
        let watch = Arc::new(Watch::new(self));
        let (parts, body) = request.into_parts();
        let body = if body.is_end_stream() { body } else { PacedBody::around(body, &watch) };
        let answer = next.run(Request::from_parts(parts, body));
        let Some(response) = watch.wait_for(answer).await else {
            return Failure::TookTooLong.into_response();
        };
        if watch.was_slow.load(Ordering::Relaxed) && response.status().is_client_error() {
            return Failure::TooSlow.into_response();
        }
        if response.status() == StatusCode::PAYLOAD_TOO_LARGE {
            watch.drain().await;
        }
        response
    }
}

/// What a request and its body know of each other.
#[derive(Debug)]
struct Watch {
    pace: Pace,
    started: Instant,
    /// When the body last came on, in milliseconds since `started`.
    moved_ms: AtomicU64,
    was_slow: AtomicBool,
    /// The rest of a body that its handler did not read to the end.
    rest: Mutex<Option<BodyDataStream>>,
}

impl Watch {
    fn new(pace: Pace) -> Watch {
        Watch {
            pace,
            started: Instant::now(),
            moved_ms: AtomicU64::new(0),
            was_slow: AtomicBool::new(false),
            rest: Mutex::new(None),
        }
    }

    fn note_moved(&self) {
        let passed = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.moved_ms.store(passed, Ordering::Relaxed);
    }

    /// How long an answer may still not begin.
    fn left(&self) -> Duration {
        let moved = Duration::from_millis(self.moved_ms.load(Ordering::Relaxed));
        let until = self.started + moved + self.pace.answer;
        until.saturating_duration_since(Instant::now())
    }

    async fn wait_for(&self, answer: impl Future<Output = Response>) -> Option<Response> {
        let mut answer = pin!(answer);
        loop {
            match timeout(self.left(), answer.as_mut()).await {
                Ok(response) => return Some(response),
                Err(_) if self.left().is_zero() => return None,
                Err(_) => {}
            }
        }
    }

    async fn drain(&self) {
        let rest = self.rest.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(mut rest) = rest else { return };
        let reading = async {
            let mut drained = 0;
            while let Some(Ok(piece)) = rest.next().await {
                drained += piece.len() as u64;
                if drained > Pace::DRAINED_BYTES {
                    break;
                }
            }
        };
        // Whoever has not sent the rest by then does not read the answer either.
        let _ = timeout(Pace::DRAINED_WITHIN, reading).await;
    }
}

/// The body comes in too slowly.
#[derive(Debug, thiserror::Error)]
#[error("the body of the request comes in too slowly")]
struct SlowBody;

struct PacedBody {
    inner: Option<BodyDataStream>,
    watch: Arc<Watch>,
    bytes: u64,
    /// How long we have waited for the sender in all; what we took ourselves between two pieces does not count.
    waited: Duration,
    waiting: Option<(Instant, Pin<Box<Sleep>>)>,
}

impl PacedBody {
    fn around(body: Body, watch: &Arc<Watch>) -> Body {
        Body::from_stream(PacedBody {
            inner: Some(body.into_data_stream()),
            watch: Arc::clone(watch),
            bytes: 0,
            waited: Duration::ZERO,
            waiting: None,
        })
    }

    /// How long the next piece may take.
    fn patience(&self) -> Duration {
        let pace = self.watch.pace;
        let by_speed = self.bytes * 1_000 / u64::from(pace.least_bytes_a_second.max(1));
        let by_speed = (pace.grace + Duration::from_millis(by_speed)).saturating_sub(self.waited);
        by_speed.min(pace.still)
    }
}

impl Stream for PacedBody {
    type Item = Result<Bytes, axum::BoxError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(inner) = &mut self.inner else { return Poll::Ready(None) };
        if let Poll::Ready(piece) = inner.poll_next_unpin(context) {
            if let Some((since, _)) = self.waiting.take() {
                self.waited += since.elapsed();
            }
            match &piece {
                Some(Ok(bytes)) => {
                    self.bytes += bytes.len() as u64;
                    self.watch.note_moved();
                }
                Some(Err(_)) | None => self.inner = None,
            }
            return Poll::Ready(piece.map(|piece| piece.map_err(Into::into)));
        }
        let patience = self.patience();
        let (_, timer) = self.waiting.get_or_insert_with(|| (Instant::now(), Box::pin(sleep(patience))));
        ready!(timer.as_mut().poll(context));
        self.watch.was_slow.store(true, Ordering::Relaxed);
        self.inner = None;
        Poll::Ready(Some(Err(SlowBody.into())))
    }
}

impl Drop for PacedBody {
    fn drop(&mut self) {
        *self.watch.rest.lock().unwrap_or_else(PoisonError::into_inner) = self.inner.take();
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::middleware::from_fn;
    use axum::routing::{get, post};
    use futures_util::stream;
    use tower::ServiceExt as _;

    use super::*;

    const PACE: Pace = Pace {
        still: Duration::from_millis(600),
        least_bytes_a_second: 50,
        grace: Duration::from_millis(800),
        answer: Duration::from_millis(1_600),
    };

    fn app() -> Router {
        Router::new()
            .route("/count", post(|body: Bytes| async move { body.len().to_string() }))
            .route("/for-ever", get(std::future::pending::<&'static str>))
            .layer(from_fn(|request, next| PACE.keep(request, next)))
    }

    /// A body of `pieces` of ten bytes, one every `each`; then it ends, or stands still.
    fn body(each: Duration, pieces: usize, ends: bool) -> Body {
        let whole = stream::iter(0..pieces).then(move |_| async move {
            sleep(each).await;
            Ok::<_, std::io::Error>(Bytes::from_static(b"0123456789"))
        });
        if ends { Body::from_stream(whole) } else { Body::from_stream(whole.chain(stream::pending())) }
    }

    fn status(method: &str, path: &str, body: impl FnOnce() -> Body) -> u16 {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        runtime.unwrap().block_on(async {
            let request = Request::builder().method(method).uri(path).body(body()).unwrap();
            app().oneshot(request).await.unwrap().status().as_u16()
        })
    }

    #[test]
    fn a_body_comes_on_or_is_refused() {
        let (quick, slow) = (Duration::from_millis(50), Duration::from_millis(450));
        assert_eq!(status("POST", "/count", || body(quick, 40, true)), 200);
        assert_eq!(status("POST", "/count", || body(quick, 2, false)), 408);
        // Never still for long, and yet too slow once the grace is over.
        assert_eq!(status("POST", "/count", || body(slow, 60, true)), 408);
        assert_eq!(status("POST", "/count", || body(slow, 1, true)), 200);
    }

    #[test]
    fn an_answer_begins_or_is_given_up() {
        assert_eq!(status("GET", "/for-ever", Body::empty), 504);
    }
}
