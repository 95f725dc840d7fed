//! Which webhooks have been handled, so that a repeated delivery is not handled twice.

use std::collections::{HashMap, VecDeque};
use std::convert::Infallible;
use std::future::Future;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::webhook::BodyHash;

/// The documented time between two deliveries is 30 minutes, so that a delivery whose handler was
/// cut off can be handled when it is repeated.
const LEASE: Duration = Duration::from_secs(15 * 60);

/// Remembers which webhooks have been handled.
///
/// A webhook has no number and no time of its own: a repeated delivery and a replayed one have the
/// same bytes, and only this store tells them from a new one. Implement it on a database that all
/// receivers share; [`MemoryStore`] is for one process.
pub trait SeenStore: Send + Sync + 'static {
    /// Why the store could not be used.
    type Error: Send;

    /// Reserves a webhook for its handler, atomically: of two deliveries at the same time only one is
    /// [`Claim::New`]. A reservation must expire (the process may end before it is confirmed or
    /// released), best in less than the 30 minutes after which Flinks repeats a delivery.
    fn claim(&self, hash: BodyHash) -> impl Future<Output = Result<Claim, Self::Error>> + Send;

    /// Records that the webhook was handled. Keep it for at least the five hours in which Flinks
    /// repeats a delivery.
    fn confirm(&self, hash: BodyHash) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// Removes the reservation, because the handler failed: the next delivery is [`Claim::New`].
    fn release(&self, hash: BodyHash) -> impl Future<Output = Result<(), Self::Error>> + Send;
}

/// What a [`SeenStore`] knows of a webhook.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "stores outside of this crate make them"
)]
pub enum Claim {
    /// It is reserved now, and must be handled.
    New,
    /// Another delivery of it is being handled.
    InProgress,
    /// It has been handled.
    Handled,
}

/// A [`SeenStore`] in memory: bounded, for one process, empty after a restart.
///
/// By default it remembers 65,536 webhooks, each for 24 hours, in about 10 MB at most. A delivery that
/// is replayed later than that, or after so many others, is handled again; a replay must have been
/// recorded with its signature. [`with_max_age`](crate::WebhookService::with_max_age) refuses
/// replays that are older, if their body has a date.
#[derive(Debug)]
pub struct MemoryStore {
    capacity: usize,
    ttl: Duration,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    webhooks: HashMap<BodyHash, (State, Instant)>,
    /// Every claim, the oldest first; those that were claimed again or released are outdated.
    claims: VecDeque<(BodyHash, Instant)>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
    Claimed,
    Handled,
}

impl MemoryStore {
    /// Remembers up to `capacity` webhooks (at least one), each for `ttl`.
    #[must_use]
    pub fn new(capacity: usize, ttl: Duration) -> Self {
        Self {
            capacity: capacity.max(1),
            ttl,
            seen: Mutex::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn claim_at(&self, hash: BodyHash, now: Instant) -> Claim {
        let mut seen = self.lock();
        seen.forget(|_, at| now - at >= self.ttl);
        match seen.webhooks.get(&hash) {
            Some((State::Handled, _)) => return Claim::Handled,
            Some((State::Claimed, at)) if now - *at < LEASE => return Claim::InProgress,
            Some(_) | None => {}
        }
        seen.forget(|claims, _| claims >= self.capacity);
        seen.webhooks.insert(hash, (State::Claimed, now));
        seen.claims.push_back((hash, now));
        Claim::New
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new(65_536, Duration::from_secs(24 * 60 * 60))
    }
}

impl Seen {
    /// Removes the oldest claim as long as `must_go` says so of the number of claims and its time.
    fn forget(&mut self, must_go: impl Fn(usize, Instant) -> bool) {
        while let Some((hash, at)) = self.claims.front().copied()
            && must_go(self.claims.len(), at)
        {
            self.claims.pop_front();
            if self
                .webhooks
                .get(&hash)
                .is_some_and(|(_, last)| *last == at)
            {
                self.webhooks.remove(&hash);
            }
        }
    }
}

impl SeenStore for MemoryStore {
    type Error = Infallible;

    async fn claim(&self, hash: BodyHash) -> Result<Claim, Infallible> {
        Ok(self.claim_at(hash, Instant::now()))
    }

    async fn confirm(&self, hash: BodyHash) -> Result<(), Infallible> {
        if let Some((state, _)) = self.lock().webhooks.get_mut(&hash) {
            *state = State::Handled;
        }
        Ok(())
    }

    async fn release(&self, hash: BodyHash) -> Result<(), Infallible> {
        self.lock().webhooks.remove(&hash);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Webhook;

    fn hash(text: &'static str) -> BodyHash {
        Webhook::read(text).hash()
    }

    #[tokio::test(start_paused = true)]
    async fn a_webhook_is_claimed_until_it_is_handled_or_released() {
        let store = MemoryStore::default();
        let one = hash("1");
        assert_eq!(store.claim(one).await, Ok(Claim::New));
        assert_eq!(store.claim(one).await, Ok(Claim::InProgress));
        store.release(one).await.unwrap();
        assert_eq!(store.claim(one).await, Ok(Claim::New));
        tokio::time::advance(LEASE).await;
        assert_eq!(store.claim(one).await, Ok(Claim::New));
        store.confirm(one).await.unwrap();
        tokio::time::advance(LEASE).await;
        assert_eq!(store.claim(one).await, Ok(Claim::Handled));
        assert_eq!(store.claim(hash("2")).await, Ok(Claim::New));
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_bounded_in_number_and_time() {
        let hour = Duration::from_secs(3600);
        let store = MemoryStore::new(2, hour);
        for text in ["1", "2", "3"] {
            store.claim(hash(text)).await.unwrap();
            store.confirm(hash(text)).await.unwrap();
        }
        assert_eq!(store.claim(hash("3")).await, Ok(Claim::Handled));
        assert_eq!(store.claim(hash("1")).await, Ok(Claim::New));
        tokio::time::advance(hour).await;
        assert_eq!(store.claim(hash("3")).await, Ok(Claim::New));
        for _ in 0..5 {
            store.claim(hash("4")).await.unwrap();
            store.release(hash("4")).await.unwrap();
        }
        let seen = store.lock();
        assert!(
            seen.claims.len() <= 2 && seen.webhooks.len() <= 2,
            "{seen:?}"
        );
    }
}
