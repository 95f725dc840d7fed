//! How far a call has come, so that `delivery` stays right when its future is dropped.

use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use http::StatusCode;

use crate::Delivery;
use crate::redact::Secrets;

/// The state of a whole call; shared by all its attempts, including those that a layer adds.
#[derive(Default)]
pub(crate) struct Progress {
    attempts: AtomicU32,
    /// The most delivered of the attempts before the present one.
    earlier: AtomicU8,
    present: AtomicU8,
    /// What the present attempt leaves of an answer that it could not hand on.
    pub(crate) unread: Mutex<Option<Unread>>,
    secrets: Mutex<Secrets>,
    /// Bytes of the bodies of all requests and of all answers.
    sent: AtomicU64,
    received: AtomicU64,
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
    /// Counts an attempt.
    pub(crate) fn begin_attempt(&self) {
        drop(self.unread());
        self.earlier
            .fetch_max(self.present.swap(0, Ordering::AcqRel), Ordering::AcqRel);
        self.attempts.fetch_add(1, Ordering::AcqRel);
    }

    pub(crate) fn attempts(&self) -> u32 {
        self.attempts.load(Ordering::Acquire)
    }

    /// Records an outcome. A layer may send one attempt more than once: the most delivered counts.
    pub(crate) fn raise(&self, delivery: Delivery) {
        self.present.fetch_max(delivery as u8, Ordering::AcqRel);
    }

    /// Counts the bytes of a request's body and of its answer's.
    pub(crate) fn count_bytes(&self, sent: u64, received: u64) {
        self.sent.fetch_add(sent, Ordering::AcqRel);
        self.received.fetch_add(received, Ordering::AcqRel);
    }

    /// Bytes sent and received by all attempts.
    pub(crate) fn bytes(&self) -> (u64, u64) {
        let (sent, received) = (&self.sent, &self.received);
        (
            sent.load(Ordering::Acquire),
            received.load(Ordering::Acquire),
        )
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

    /// What all attempts may have done, when it is not known how the present one ended.
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
