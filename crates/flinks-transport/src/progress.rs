//! How far a call and its present attempt have come: what keeps `delivery` right when a future is dropped.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::TRANSFER_ENCODING;
use http::{Response, StatusCode};
use http_body::{Body as HttpBody, Frame, SizeHint};
use hyper_util::client::legacy::connect::CaptureConnection;
use tokio::time::{Duration, Instant};

use crate::call_meta::Timing;
use crate::clock::after;
use crate::collect::Collected;
use crate::connect::Record;
use crate::redact::Secrets;
use crate::{Body, BoxError, Delivery};

/// What a whole call has led to so far; shared by all its attempts and by whatever a layer makes of it.
#[derive(Default)]
pub(crate) struct Progress {
    attempts: AtomicU32,
    /// The most delivered of the attempts before the present one.
    earlier: AtomicU8,
    present: AtomicU8,
    /// What the present attempt leaves of an answer that it could not hand on.
    unread: Mutex<Option<Unread>>,
    secrets: Mutex<Secrets>,
}

/// An answer that was not read to its end, or that came too early to be believed.
#[derive(Clone)]
pub(crate) struct Unread {
    /// None if it does not begin as an answer of HTTP does.
    pub(crate) status: Option<StatusCode>,
    pub(crate) answer: Bytes,
    /// Whether it began after the whole request had been sent.
    pub(crate) in_turn: bool,
}

impl std::fmt::Debug for Unread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Unread")
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

impl Progress {
    /// Counts an attempt, and says which one it is.
    pub(crate) fn begin_attempt(&self) -> u32 {
        drop(self.unread());
        self.earlier
            .fetch_max(self.present.swap(0, Ordering::AcqRel), Ordering::AcqRel);
        self.attempts.fetch_add(1, Ordering::AcqRel) + 1
    }

    pub(crate) fn attempts(&self) -> u32 {
        self.attempts.load(Ordering::Acquire)
    }

    /// Records an outcome. A layer may send one attempt more than once: the most delivered counts.
    fn raise(&self, delivery: Delivery) {
        self.present.fetch_max(delivery as u8, Ordering::AcqRel);
    }

    /// Remembers the secrets that a request carries.
    pub(crate) fn sends(&self, note: impl FnOnce(&mut Secrets)) {
        note(&mut self.secrets.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// What the service said, without the secrets that were sent.
    pub(crate) fn shown<T>(&self, show: impl FnOnce(&Secrets) -> T) -> T {
        show(&self.secrets.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes what is left of an answer that was not handed on.
    pub(crate) fn unread(&self) -> Option<Unread> {
        self.unread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }

    /// What the attempts before the present one may have done.
    pub(crate) fn earlier(&self) -> Delivery {
        of_rank(self.earlier.load(Ordering::Acquire))
    }

    /// What all attempts may have done, when nobody can say how the present one ended.
    pub(crate) fn delivery(&self) -> Delivery {
        self.earlier()
            .max(of_rank(self.present.load(Ordering::Acquire)))
    }
}

fn of_rank(rank: u8) -> Delivery {
    match rank {
        0 => Delivery::NotSent,
        1 => Delivery::Rejected,
        2 => Delivery::Unknown,
        _ => Delivery::Delivered,
    }
}

/// One exchange with the server. Dropped before it is settled, it records what that may mean.
pub(crate) struct Attempt {
    call: Arc<Progress>,
    pub(crate) flight: Arc<Flight>,
    pub(crate) seen: Collected,
    settled: bool,
}

impl Attempt {
    pub(crate) fn new(call: Arc<Progress>, body: &Body) -> Self {
        Self {
            call,
            flight: Arc::new(Flight::new(body.size_hint().exact())),
            seen: Collected::default(),
            settled: false,
        }
    }

    /// Falls back on the raw answer when hyper could not even read its head.
    pub(crate) fn see_raw(&mut self) {
        if !self.seen.is_left
            && self.flight.if_lost().may_have_acted()
            && let Some((status, raw)) = self.flight.record().and_then(|record| record.raw_answer())
        {
            self.seen = Collected::raw(status, raw, self.flight.is_answered_in_turn());
        }
    }

    /// Keeps the raw answer when it goes on after the end that its head gives: a 204 with a body,
    /// or a wrong length. It serves only if what was handed on cannot be read.
    pub(crate) fn see_beyond(&mut self, response: &Response<Body>) {
        let body = response.body().as_bytes().map_or(&[][..], Bytes::as_ref);
        if !response.headers().contains_key(TRANSFER_ENCODING)
            && let Some(record) = self.flight.record()
            && let Some(raw) = record.answer_beyond(body)
        {
            self.seen = Collected::raw(Some(response.status()), raw, self.seen.in_turn);
        }
    }

    pub(crate) fn settle(mut self, delivery: Delivery) {
        self.settled = true;
        self.call.raise(delivery);
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        if !self.settled {
            self.see_raw();
            self.call.raise(self.flight.if_lost());
        }
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

/// What is known of the request that is under way.
#[derive(Debug)]
pub(crate) struct Flight {
    start: Instant,
    length: Option<u64>,
    handed: AtomicU64,
    ended: AtomicBool,
    /// How often the connection had been flushed when the last frame was taken from us.
    flushes: OnceLock<u64>,
    /// Our own source keeps the server waiting: the stall clock stands still.
    starved: AtomicBool,
    /// Milliseconds from `start` to the last frame that was taken from us.
    moved: AtomicU64,
    /// Only our own connector sets it; a leaf of the user's leaves it empty.
    connection: OnceLock<CaptureConnection>,
    failure: Mutex<Option<BoxError>>,
}

impl Flight {
    fn new(length: Option<u64>) -> Self {
        Self {
            start: Instant::now(),
            length,
            handed: AtomicU64::new(0),
            ended: AtomicBool::new(false),
            flushes: OnceLock::new(),
            starved: AtomicBool::new(false),
            moved: AtomicU64::new(0),
            connection: OnceLock::new(),
            failure: Mutex::new(None),
        }
    }

    pub(crate) fn watch(&self, connection: CaptureConnection) {
        // A user's leaf may call ours twice for one request; the first connection then stands.
        self.connection.set(connection).unwrap_or_default();
    }

    /// What the connection in use has seen, if there is one.
    pub(crate) fn record(&self) -> Option<Arc<Record>> {
        let mut extras = http::Extensions::new();
        self.connection
            .get()?
            .connection_metadata()
            .as_ref()?
            .get_extras(&mut extras);
        extras.remove::<Arc<Record>>()
    }

    /// When this attempt began.
    pub(crate) fn start(&self) -> Instant {
        self.start
    }

    /// Whether the connection in use was there before this attempt.
    pub(crate) fn is_on_kept_connection(&self) -> bool {
        self.record()
            .is_some_and(|record| record.start() < self.start)
    }

    /// What it means that no answer will be read any more.
    ///
    /// A body of known length whose last byte was never handed over makes the request incomplete,
    /// so the server cannot have acted on it.
    pub(crate) fn if_lost(&self) -> Delivery {
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
    /// A leaf of the user's that takes no byte of a body at all is a stand-in that needs none.
    pub(crate) fn is_answered_in_turn(&self) -> bool {
        let Some(record) = self.record() else {
            return self.is_sent() || self.handed.load(Ordering::Acquire) == 0;
        };
        let flushes = self.flushes.get();
        self.is_sent() && flushes.is_none_or(|flushes| record.flushes_at_read() > *flushes)
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

    /// When this attempt ends if nothing more moves.
    pub(crate) fn limit(&self, timing: Timing, default: Duration) -> Instant {
        let (idle, answer) = match timing {
            Timing::Default => return after(self.start, default),
            Timing::Attempt(limit) => return after(self.start, limit),
            Timing::Stall { idle, answer } => (idle, answer),
        };
        if self.starved.load(Ordering::Acquire) {
            return after(Instant::now(), idle);
        }
        let taken = Duration::from_millis(self.moved.load(Ordering::Acquire));
        let taken = after(self.start, taken);
        let moved = self
            .record()
            .map_or(taken, |record| record.last_write().max(taken));
        after(moved, if self.is_sent() { answer } else { idle })
    }

    fn took(&self, bytes: u64) {
        self.handed.fetch_add(bytes, Ordering::AcqRel);
        let now = Instant::now()
            .saturating_duration_since(self.start)
            .as_millis();
        self.moved
            .store(u64::try_from(now).unwrap_or(u64::MAX), Ordering::Release);
    }
}

/// The body on its last way out: counts what is taken from it.
pub(crate) struct Tracked {
    pub(crate) body: Body,
    pub(crate) flight: Arc<Flight>,
}

impl HttpBody for Tracked {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        let flight = &*self.flight;
        flight.starved.store(polled.is_pending(), Ordering::Release);
        match &polled {
            Poll::Ready(Some(Ok(frame))) => {
                flight.took(frame.data_ref().map_or(0, |data| data.len() as u64));
                if self.body.is_end_stream() {
                    flight.ended.store(true, Ordering::Release);
                }
            }
            Poll::Ready(Some(Err(_))) | Poll::Pending => {}
            Poll::Ready(None) => flight.ended.store(true, Ordering::Release),
        }
        if flight.is_sent()
            && let Some(record) = flight.record()
        {
            flight.flushes.get_or_init(|| record.flushes());
        }
        polled.map(|next| {
            next.map(|frame| {
                frame.map_err(|error| {
                    // hyper wraps what a body says; the caller wants it bare.
                    let mut failure = flight
                        .failure
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner);
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
