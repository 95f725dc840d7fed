//! A connection that notes when bytes move and what TLS says when it fails.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use hyper::rt::{Read, ReadBuf, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::{Connected, Connection};
use tokio::time::{Instant, Sleep, sleep};

use crate::tls::{TlsFailure, classify};

/// What a connection has seen that hyper does not hand on.
#[derive(Debug)]
pub(crate) struct Record {
    start: Instant,
    /// Milliseconds from `start` to the last byte that the connection accepted.
    written: AtomicU64,
    /// How often everything that was written had left for the socket.
    flushes: AtomicU64,
    /// `flushes` at the time of the latest read.
    flushes_at_read: AtomicU64,
    /// The beginning of what was read since the latest write: an answer whose head cannot be
    /// read leaves nothing else.
    answer: Mutex<Vec<u8>>,
    /// Under TLS 1.3 a refused client certificate shows up in a later read or write, where hyper
    /// may report no more than a broken pipe.
    failure: OnceLock<TlsFailure>,
    failures: Failures,
}

/// The latest failure of TLS on any connection of a client. A connection that fails before hyper
/// has said which request it is for leaves its word only here.
#[derive(Clone, Debug, Default)]
pub(crate) struct Failures(Arc<Mutex<Option<(Instant, TlsFailure)>>>);

impl Failures {
    /// The failure, if it came after `start`.
    pub(crate) fn since(&self, start: Instant) -> Option<TlsFailure> {
        let latest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        latest
            .as_ref()
            .filter(|(at, _)| *at >= start)
            .map(|(_, failure)| failure.clone())
    }
}

impl Record {
    fn new(failures: Failures) -> Self {
        Self {
            start: Instant::now(),
            written: AtomicU64::new(0),
            flushes: AtomicU64::new(0),
            flushes_at_read: AtomicU64::new(0),
            answer: Mutex::default(),
            failure: OnceLock::new(),
            failures,
        }
    }

    /// When the connection was made.
    pub(crate) fn start(&self) -> Instant {
        self.start
    }

    /// What TLS said when it failed, if it did.
    pub(crate) fn failure(&self) -> Option<TlsFailure> {
        self.failure.get().cloned()
    }

    pub(crate) fn last_write(&self) -> Instant {
        self.start + Duration::from_millis(self.written.load(Ordering::Acquire))
    }

    pub(crate) fn flushes(&self) -> u64 {
        self.flushes.load(Ordering::Acquire)
    }

    /// As [`flushes`](Self::flushes), at the time of the latest read.
    pub(crate) fn flushes_at_read(&self) -> u64 {
        self.flushes_at_read.load(Ordering::Acquire)
    }

    /// What came since the latest write, head and all, and the status that it begins with; at most
    /// its first 64 KiB.
    pub(crate) fn raw_answer(&self) -> Option<(Option<StatusCode>, Bytes)> {
        let raw = self.answer.lock().unwrap_or_else(PoisonError::into_inner);
        // A frame of HTTP/2 begins with a zero, and is no text of one answer alone.
        if raw.first().is_none_or(|byte| *byte == 0) {
            return None;
        }
        let status = raw.split_at_checked("HTTP/1.1 ".len());
        let status = status
            .filter(|(version, _)| version.to_ascii_uppercase().starts_with(b"HTTP/"))
            .and_then(|(_, rest)| StatusCode::from_bytes(rest.get(..3)?).ok());
        Some((status, Bytes::copy_from_slice(&raw)))
    }

    /// As [`raw_answer`](Self::raw_answer), if it goes on after `body`, where the answer ended by
    /// its own head.
    pub(crate) fn answer_beyond(&self, body: &[u8]) -> Option<Bytes> {
        let end = if body.is_empty() { b"\r\n\r\n" } else { body };
        let (_, raw) = self.raw_answer()?;
        (raw.len() < MAX_RAW && !raw.ends_with(end)).then_some(raw)
    }

    fn read(&self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        let flushes = self.flushes();
        self.flushes_at_read.store(flushes, Ordering::Release);
        let mut answer = self.answer.lock().unwrap_or_else(PoisonError::into_inner);
        let room = MAX_RAW - answer.len();
        answer.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
    }

    fn wrote(&self) {
        let mut answer = self.answer.lock().unwrap_or_else(PoisonError::into_inner);
        answer.clear();
        drop(answer);
        let now = Instant::now()
            .saturating_duration_since(self.start)
            .as_millis();
        self.written
            .store(u64::try_from(now).unwrap_or(u64::MAX), Ordering::Release);
    }

    fn failed(&self, error: &io::Error) {
        if let Some(failure) = classify(error) {
            // The first word is the server's; later errors only follow from it.
            let failure = self.failure.get_or_init(|| failure).clone();
            let mut latest = self
                .failures
                .0
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            *latest = Some((Instant::now(), failure));
        }
    }
}

/// A connection that notes when bytes move and what TLS says when it fails.
pub(super) struct Watched<T> {
    io: T,
    record: Arc<Record>,
    broken: Option<Broken>,
}

/// A write that failed, held back for a moment.
///
/// A server that refuses a request closes while we still write: its answer or its TLS alert then
/// lies unread in the socket. hyper reads it if it is given the time before it learns of the
/// failed write; otherwise a 413 and a refused certificate are both no more than a broken pipe.
struct Broken {
    error: Option<io::Error>,
    grace: Pin<Box<Sleep>>,
}

/// How much is read at once: a record of TLS.
const READ: usize = 16 * 1024;

/// How much of a raw answer is kept.
const MAX_RAW: usize = 64 * 1024;

/// What the server sent before it closed is in the socket already, or at most one trip away.
const LAST_WORDS: Duration = Duration::from_millis(250);

impl<T> Watched<T> {
    pub(super) fn new(io: T, failures: Failures) -> Self {
        Self {
            io,
            record: Arc::new(Record::new(failures)),
            broken: None,
        }
    }

    #[cfg(test)]
    pub(super) fn record(&self) -> Arc<Record> {
        Arc::clone(&self.record)
    }

    /// Passes a success on, and holds a failure back.
    fn wrote<O>(&mut self, cx: &mut Context<'_>, outcome: io::Result<O>) -> Poll<io::Result<O>> {
        match outcome {
            Ok(written) => {
                self.record.wrote();
                Poll::Ready(Ok(written))
            }
            Err(error) => {
                self.record.failed(&error);
                self.broken = Some(Broken {
                    error: Some(error),
                    grace: Box::pin(sleep(LAST_WORDS)),
                });
                self.poll_broken(cx).map(Err)
            }
        }
    }

    /// Pending while nothing is broken or the grace lasts.
    fn poll_broken(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        let Some(broken) = &mut self.broken else {
            return Poll::Pending;
        };
        ready!(broken.grace.as_mut().poll(cx));
        let again = || io::Error::from(io::ErrorKind::BrokenPipe);
        Poll::Ready(broken.error.take().unwrap_or_else(again))
    }
}

impl<T: Read + Write + Unpin> Read for Watched<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        // Read here first, because a cursor does not show what was put into it.
        let mut space = [0; READ];
        let room = buffer.remaining().min(READ);
        let mut own = ReadBuf::new(space.get_mut(..room).unwrap_or_default());
        let outcome = ready!(Pin::new(&mut self.io).poll_read(cx, own.unfilled()));
        match &outcome {
            Ok(()) => {
                self.record.read(own.filled());
                buffer.put_slice(own.filled());
            }
            Err(error) => self.record.failed(error),
        }
        Poll::Ready(outcome)
    }
}

impl<T: Read + Write + Unpin> Write for Watched<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.broken.is_some() {
            return self.poll_broken(cx).map(Err);
        }
        let outcome = ready!(Pin::new(&mut self.io).poll_write(cx, bytes));
        self.wrote(cx, outcome)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.broken.is_some() {
            return self.poll_broken(cx).map(Err);
        }
        let outcome = ready!(Pin::new(&mut self.io).poll_write_vectored(cx, slices));
        self.wrote(cx, outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.broken.is_some() {
            return self.poll_broken(cx).map(Err);
        }
        let outcome = ready!(Pin::new(&mut self.io).poll_flush(cx));
        match outcome {
            Ok(()) => {
                // Flushing nothing moves nothing: this is no write.
                self.record.flushes.fetch_add(1, Ordering::AcqRel);
                Poll::Ready(Ok(()))
            }
            Err(error) => self.wrote(cx, Err(error)),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

impl<T: Connection> Connection for Watched<T> {
    fn connected(&self) -> Connected {
        self.io.connected().extra(Arc::clone(&self.record))
    }
}
