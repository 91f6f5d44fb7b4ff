//! One connection, watched: how long it may wait, how long a head may take, how long the other end may take nothing.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use http_body::{Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

use super::{ConnectionLimits, Refused, Traffic};

/// Nothing of the next request has come.
const WAITING: u8 = 0;
/// A request has begun to come; its head is not whole.
const HEAD: u8 = 1;
/// A request is being answered. Its body has limits of its own, see `kangmai_web::Pace`.
const ANSWERING: u8 = 2;

/// Where a connection stands: what the socket and the answers on it know of each other.
#[derive(Debug, Default)]
pub(super) struct Phase(AtomicU8);

impl Phase {
    /// A head is whole: the request is answered from now on.
    pub(super) fn begin_answer(self: &Arc<Phase>) {
        self.0.store(ANSWERING, Ordering::Relaxed);
    }
}

/// The body of an answer; with its end the connection waits for the next request.
pub(super) struct AnswerBody {
    body: Body,
    phase: Arc<Phase>,
}

impl AnswerBody {
    pub(super) fn new(body: Body, phase: Arc<Phase>) -> AnswerBody {
        AnswerBody { body, phase }
    }
}

impl HttpBody for AnswerBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for AnswerBody {
    fn drop(&mut self) {
        self.phase.0.store(WAITING, Ordering::Relaxed);
    }
}

/// A connection of any kind, bare or encrypted.
pub(super) struct Watched<S> {
    stream: S,
    phase: Arc<Phase>,
    limits: Arc<ConnectionLimits>,
    traffic: Arc<Traffic>,
    /// The phase for which the timer of reading was set, and it.
    reading: Option<(u8, Pin<Box<Sleep>>)>,
    writing: Option<Pin<Box<Sleep>>>,
}

impl<S> Watched<S> {
    pub(super) fn new(
        stream: S,
        phase: Arc<Phase>,
        limits: Arc<ConnectionLimits>,
        traffic: Arc<Traffic>,
    ) -> Watched<S> {
        Watched { stream, phase, limits, traffic, reading: None, writing: None }
    }

    fn patience(&self, phase: u8) -> Duration {
        let crowded = usize::try_from(self.traffic.connections()).unwrap_or(0) > self.limits.most / 2;
        match phase {
            HEAD => self.limits.head,
            _ if crowded => self.limits.idle_when_crowded,
            _ => self.limits.idle,
        }
    }

    /// Whether the other end has had its time. Registers to be woken by then.
    fn is_over(&mut self, context: &mut Context<'_>) -> bool {
        let phase = self.phase.0.load(Ordering::Relaxed);
        if phase == ANSWERING {
            self.reading = None;
            return false;
        }
        if self.reading.as_ref().is_none_or(|(set_for, _)| *set_for != phase) {
            self.reading = Some((phase, Box::pin(sleep(self.patience(phase)))));
        }
        let Some((_, timer)) = &mut self.reading else { return false };
        let over = timer.as_mut().poll(context).is_ready();
        if over && phase == HEAD {
            self.traffic.note(Refused::SlowHead);
        }
        over
    }

    /// Watches that the other end takes what it asked for.
    fn watch_write<T>(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.writing = None;
            return written;
        }
        let patience = self.limits.write;
        let timer = self.writing.get_or_insert_with(|| Box::pin(sleep(patience)));
        if timer.as_mut().poll(context).is_pending() {
            return Poll::Pending;
        }
        self.traffic.note(Refused::SlowReader);
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        if let Poll::Ready(read) = Pin::new(&mut self.stream).poll_read(context, buffer) {
            if buffer.filled().len() > before {
                // Only the first bytes of a head make a difference: each later one must not buy more time.
                let _ = self.phase.0.compare_exchange(WAITING, HEAD, Ordering::Relaxed, Ordering::Relaxed);
            }
            return Poll::Ready(read);
        }
        if self.is_over(context) {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        Poll::Pending
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.watch_write(context, written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        // The last flush of an answer may be followed by no read for as long as nothing comes: the time of waiting begins here.
        let _ = self.is_over(context);
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        self.watch_write(context, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let shut = Pin::new(&mut self.stream).poll_shutdown(context);
        self.watch_write(context, shut)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, pieces);
        self.watch_write(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
