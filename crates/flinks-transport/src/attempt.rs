//! One attempt of a call: what was sent of its body, and what a dropped attempt means.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::TRANSFER_ENCODING;
use http::{Response, StatusCode};
use http_body::{Body as HttpBody, Frame, SizeHint};
use hyper_util::client::legacy::connect::CaptureConnection;
use tokio::time::{Duration, Instant};

use crate::clock::after;
use crate::collect::Collected;
use crate::connection::ConnectionStats;
use crate::metrics::{AttemptRecord, CANCELED, Recorder};
use crate::progress::{Progress, Unread};
use crate::{Body, BoxError, CallMeta, Delivery, Error};

/// One exchange with the server. If it is dropped before it is settled, it records the delivery.
pub(crate) struct Attempt {
    call: Arc<Progress>,
    pub(crate) state: Arc<AttemptState>,
    pub(crate) seen: Collected,
    meta: CallMeta,
    recorder: Option<Arc<dyn Recorder>>,
    /// Bytes of the bodies of the request and of the answer.
    bytes: Option<(u64, u64)>,
    settled: Option<Settled>,
}

/// How an attempt ended.
#[derive(Clone, Copy)]
struct Settled {
    status: Option<StatusCode>,
    error_type: Option<&'static str>,
    delivery: Delivery,
}

impl Attempt {
    pub(crate) fn new(
        meta: CallMeta,
        recorder: Option<Arc<dyn Recorder>>,
        call: Arc<Progress>,
        body: &Body,
    ) -> Self {
        Self {
            meta,
            recorder,
            bytes: None,
            call,
            state: Arc::new(AttemptState::new(body.size_hint().exact())),
            seen: Collected::default(),
            settled: None,
        }
    }

    /// Falls back on the raw answer when hyper could not even read its head.
    pub(crate) fn see_raw(&mut self) {
        if !self.seen.is_left
            && self.state.delivery_if_dropped().may_have_acted()
            && let Some((status, raw)) = self.state.stats().and_then(|stats| stats.raw_answer())
        {
            self.seen = Collected::raw(status, raw, self.state.is_answered_in_turn());
        }
    }

    /// Keeps the raw answer if it continues after the end that its head states: a 204 with a body,
    /// or a wrong length. It serves only if what was handed on cannot be read.
    pub(crate) fn see_beyond(&mut self, response: &Response<Body>) {
        let body = response.body().as_bytes().map_or(&[][..], Bytes::as_ref);
        if !response.headers().contains_key(TRANSFER_ENCODING)
            && let Some(stats) = self.state.stats()
            && let Some(raw) = stats.answer_beyond(body)
        {
            self.seen = Collected::raw(Some(response.status()), raw, self.seen.in_turn);
        }
    }

    /// Counts what was sent and what has arrived, once: before the raw answer is looked at.
    pub(crate) fn count_bytes(&mut self, response: Option<&Response<Body>>) {
        let received = match response {
            Some(response) => response.body().as_bytes().map_or(0, Bytes::len),
            None => self.seen.len(),
        };
        let (sent, received) = (self.state.sent().0, received as u64);
        if self.bytes.replace((sent, received)).is_none() {
            self.call.count_bytes(sent, received);
        }
    }

    pub(crate) fn settle(mut self, outcome: &Result<Response<Body>, Error>) {
        self.settled = Some(match outcome {
            Ok(response) => Settled {
                status: Some(response.status()),
                error_type: None,
                delivery: Delivery::of_status(response.status()),
            },
            Err(error) => Settled {
                status: error.status(),
                error_type: Some(error.kind().as_str()),
                delivery: error.delivery(),
            },
        });
    }

    fn record(&self, settled: Settled) {
        if let Some(recorder) = &self.recorder {
            let (sent, received) = self.bytes.unwrap_or_default();
            recorder.attempt(&AttemptRecord {
                meta: &self.meta,
                status: settled.status,
                error_type: settled.error_type,
                delivery: settled.delivery,
                elapsed: self.state.start().elapsed(),
                sent,
                received,
            });
        }
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        let settled = self.settled.unwrap_or_else(|| {
            self.count_bytes(None);
            self.see_raw();
            Settled {
                status: None,
                error_type: Some(CANCELED),
                delivery: self.state.delivery_if_dropped(),
            }
        });
        self.call.raise(settled.delivery);
        self.record(settled);
        if self.seen.is_left {
            let unread = Unread {
                status: self.seen.status,
                answer: self.seen.take(),
                in_turn: self.seen.in_turn,
            };
            *self
                .call
                .unread
                .lock()
                .unwrap_or_else(PoisonError::into_inner) = Some(unread);
        }
    }
}

/// What is known of the request in progress.
#[derive(Debug)]
pub(crate) struct AttemptState {
    start: Instant,
    length: Option<u64>,
    handed: AtomicU64,
    ended: AtomicBool,
    /// How often the connection had been flushed when the last frame was taken from us.
    flushes: OnceLock<u64>,
    /// Our own body's source is not ready: the stall timer is paused.
    body_pending: AtomicBool,
    /// Milliseconds from `start` to the last frame that was taken from us.
    moved: AtomicU64,
    /// Only our own connector sets it; a leaf of the user's leaves it empty.
    connection: OnceLock<CaptureConnection>,
    failure: Mutex<Option<BoxError>>,
}

impl AttemptState {
    fn new(length: Option<u64>) -> Self {
        Self {
            start: Instant::now(),
            length,
            handed: AtomicU64::new(0),
            ended: AtomicBool::new(false),
            flushes: OnceLock::new(),
            body_pending: AtomicBool::new(false),
            moved: AtomicU64::new(0),
            connection: OnceLock::new(),
            failure: Mutex::new(None),
        }
    }

    pub(crate) fn set_connection(&self, connection: CaptureConnection) {
        // A user's leaf may call ours twice for one request; the first connection then stands.
        self.connection.set(connection).unwrap_or_default();
    }

    /// What the connection in use has seen, if there is one.
    pub(crate) fn stats(&self) -> Option<Arc<ConnectionStats>> {
        let mut extras = http::Extensions::new();
        self.connection
            .get()?
            .connection_metadata()
            .as_ref()?
            .get_extras(&mut extras);
        extras.remove::<Arc<ConnectionStats>>()
    }

    /// When this attempt began.
    pub(crate) fn start(&self) -> Instant {
        self.start
    }

    /// Whether the connection in use was there before this attempt.
    pub(crate) fn is_on_kept_connection(&self) -> bool {
        self.stats().is_some_and(|stats| stats.start() < self.start)
    }

    /// What it means that no answer will be read any more.
    ///
    /// A body of known length whose last byte was never handed over makes the request incomplete,
    /// so the server cannot have acted on it.
    pub(crate) fn delivery_if_dropped(&self) -> Delivery {
        let connected = self
            .connection
            .get()
            .is_none_or(|connection| connection.connection_metadata().is_some());
        if connected && self.is_sent() {
            Delivery::Unknown
        } else {
            Delivery::NotSent
        }
    }

    /// Whether the whole body was taken from us.
    pub(crate) fn is_sent(&self) -> bool {
        match self.length {
            Some(length) => self.handed.load(Ordering::Acquire) >= length,
            None => self.ended.load(Ordering::Acquire),
        }
    }

    /// Whether an answer that has just begun came after the whole body had left the buffers of
    /// this process: only then can it be about the whole request.
    ///
    /// A custom service that reads nothing of a body is a test double that does not need it.
    pub(crate) fn is_answered_in_turn(&self) -> bool {
        let Some(stats) = self.stats() else {
            return self.is_sent() || self.handed.load(Ordering::Acquire) == 0;
        };
        let flushes = self.flushes.get();
        self.is_sent() && flushes.is_none_or(|flushes| stats.flushes_at_read() > *flushes)
    }

    /// Bytes of the body taken from us, and its length.
    pub(crate) fn sent(&self) -> (u64, Option<u64>) {
        (self.handed.load(Ordering::Acquire), self.length)
    }

    /// Why our own body failed, if it did.
    pub(crate) fn take_failure(&self) -> Option<BoxError> {
        self.failure
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }

    /// Whether the source of our own body keeps the server waiting.
    pub(crate) fn is_body_pending(&self) -> bool {
        self.body_pending.load(Ordering::Acquire)
    }

    /// When a byte of the body was last taken, from us or by the connection.
    pub(crate) fn last_progress(&self) -> Instant {
        let taken = Duration::from_millis(self.moved.load(Ordering::Acquire));
        let taken = after(self.start, taken);
        self.stats()
            .map_or(taken, |stats| stats.last_write().max(taken))
    }

    fn on_bytes(&self, bytes: u64) {
        self.handed.fetch_add(bytes, Ordering::AcqRel);
        let now = Instant::now()
            .saturating_duration_since(self.start)
            .as_millis();
        self.moved
            .store(u64::try_from(now).unwrap_or(u64::MAX), Ordering::Release);
    }
}

/// A request's body that counts what is taken from it.
pub(crate) struct Tracked {
    pub(crate) body: Body,
    pub(crate) state: Arc<AttemptState>,
}

impl HttpBody for Tracked {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        let state = &*self.state;
        state
            .body_pending
            .store(polled.is_pending(), Ordering::Release);
        match &polled {
            Poll::Ready(Some(Ok(frame))) => {
                state.on_bytes(frame.data_ref().map_or(0, |data| data.len() as u64));
                if self.body.is_end_stream() {
                    state.ended.store(true, Ordering::Release);
                }
            }
            Poll::Ready(Some(Err(_))) | Poll::Pending => {}
            Poll::Ready(None) => state.ended.store(true, Ordering::Release),
        }
        if state.is_sent()
            && let Some(stats) = state.stats()
        {
            state.flushes.get_or_init(|| stats.flushes());
        }
        polled.map(|next| {
            next.map(|frame| {
                frame.map_err(|error| {
                    // hyper wraps the error; the caller gets it unwrapped.
                    let mut failure = state.failure.lock().unwrap_or_else(PoisonError::into_inner);
                    *failure = Some(error);
                    "the request body failed".into()
                })
            })
        })
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
