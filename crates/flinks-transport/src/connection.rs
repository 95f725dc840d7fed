//! Statistics of one connection: when bytes moved, what was read last, and why TLS failed.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use tokio::time::Instant;

use crate::connect::CertificateRequests;
use crate::tls::{TlsFailure, classify};

/// How much of a raw answer is kept.
const MAX_RAW: usize = 64 * 1024;

/// What was observed on a connection and is not reported by hyper.
#[derive(Debug)]
pub(crate) struct ConnectionStats {
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
/// has said which request it is for is recorded only here.
#[derive(Clone, Debug, Default)]
pub(crate) struct Failures {
    latest: Arc<Mutex<Option<(Instant, TlsFailure)>>>,
    /// If the client has a certificate.
    requests: Option<CertificateRequests>,
}

impl Failures {
    pub(crate) fn new(requests: Option<CertificateRequests>) -> Self {
        Self {
            latest: Arc::default(),
            requests,
        }
    }

    /// The failure, if it came after `start`.
    pub(crate) fn since(&self, start: Instant) -> Option<TlsFailure> {
        let latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        latest
            .as_ref()
            .filter(|(at, _)| *at >= start)
            .map(|(_, failure)| failure.clone())
    }
}

impl ConnectionStats {
    pub(crate) fn new(failures: Failures) -> Self {
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

    /// Why TLS failed, if it did.
    pub(crate) fn failure(&self) -> Option<TlsFailure> {
        self.failure.get().cloned()
    }

    /// What the message of a call without an answer ends with.
    pub(crate) fn certificate_note(&self) -> &'static str {
        let requests = self.failures.requests.as_ref();
        requests.map_or("", CertificateRequests::note)
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
        // A frame of HTTP/2 begins with a zero, and may contain parts of several answers.
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

    pub(crate) fn on_read(&self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        let flushes = self.flushes();
        self.flushes_at_read.store(flushes, Ordering::Release);
        let mut answer = self.answer.lock().unwrap_or_else(PoisonError::into_inner);
        let room = MAX_RAW - answer.len();
        answer.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
    }

    pub(crate) fn on_write(&self) {
        let mut answer = self.answer.lock().unwrap_or_else(PoisonError::into_inner);
        answer.clear();
        drop(answer);
        let now = Instant::now()
            .saturating_duration_since(self.start)
            .as_millis();
        self.written
            .store(u64::try_from(now).unwrap_or(u64::MAX), Ordering::Release);
    }

    pub(crate) fn on_flush(&self) {
        self.flushes.fetch_add(1, Ordering::AcqRel);
    }

    pub(crate) fn on_error(&self, error: &io::Error) {
        if let Some(failure) = classify(error) {
            // The first failure is the server's; later errors only follow from it.
            let failure = self.failure.get_or_init(|| failure).clone();
            let mut latest = self
                .failures
                .latest
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            *latest = Some((Instant::now(), failure));
        }
    }
}
