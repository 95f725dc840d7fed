//! Caches one token: fetches it once, refreshes it before it expires, never uses it afterwards.

mod shared;
#[cfg(test)]
mod tests;

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::runtime;
use tokio::time::Instant;

use shared::{Shared, Waiter, lock};

/// The assumed lifetime of a token if the service does not state one.
const UNSAID_LIFETIME: Duration = Duration::from_secs(60);

/// The maximum lifetime: a longer one is probably a mistake of the service.
const MAX_LIFETIME: Duration = Duration::from_secs(3600);

/// A token is not used in the last tenth of its lifetime, at most its last ten seconds, so that a
/// request arrives before the token expires.
const MAX_MARGIN: Duration = Duration::from_secs(10);

/// A request for a token.
pub(crate) type Fetch<T, E> = Pin<Box<dyn Future<Output = Result<Issued<T>, E>> + Send>>;

/// A token as the service issued it.
pub(crate) struct Issued<T> {
    value: T,
    lifetime: Duration,
}

impl<T> Issued<T> {
    /// `lifetime` is the one that the service states; zero means that the token may be used once.
    pub(crate) fn new(value: T, lifetime: Option<Duration>) -> Self {
        Self {
            value,
            lifetime: lifetime.unwrap_or(UNSAID_LIFETIME).min(MAX_LIFETIME),
        }
    }
}

/// A token to send with one request.
pub(crate) struct Lease<T, E> {
    /// The token.
    pub(crate) value: T,
    /// Identifies this token, for [`TokenCache::evict`].
    pub(crate) generation: u64,
    /// A refresh that is due. Poll it together with the request and drop it afterwards: the cache
    /// keeps both an unfinished refresh and the result of a finished one.
    pub(crate) refresh: Option<Waiter<Outcome<T, E>>>,
}

/// The result of a fetch, shared by all its waiters.
pub(crate) type Outcome<T, E> = Result<Token<T>, E>;

/// A token and its times.
#[derive(Clone)]
pub(crate) struct Token<T> {
    value: T,
    generation: u64,
    lifetime: Duration,
    started: Instant,
    /// Whether a single-use token has been used.
    used: Arc<AtomicBool>,
}

impl<T> Token<T> {
    fn is_for_one_use(&self) -> bool {
        self.lifetime.is_zero()
    }

    /// Whether the token is valid for at least `life` more. Half its lifetime is always enough, so
    /// that a short-lived token is not fetched for every request.
    fn lives(&self, life: Duration, now: Instant) -> bool {
        let margin = (self.lifetime / 10).min(MAX_MARGIN);
        let left = (self.started + (self.lifetime - margin)).saturating_duration_since(now);
        !left.is_zero() && left >= life.min(self.lifetime / 2)
    }

    /// Whether 80% of the lifetime has passed.
    fn is_due(&self, now: Instant) -> bool {
        now >= self.started + self.lifetime / 5 * 4
    }

    /// Whether a waiter may take this token: only the first may take a single-use token.
    fn take(&self) -> bool {
        !self.is_for_one_use() || !self.used.swap(true, Ordering::Relaxed)
    }

    fn lease<E>(self) -> Lease<T, E> {
        Lease {
            value: self.value,
            generation: self.generation,
            refresh: None,
        }
    }
}

/// One token, shared by all calls with the same credentials and the same client certificate.
///
/// - One fetch at a time. The cache owns it and every waiter polls it, so a caller that is
///   cancelled cancels nothing, and no task is spawned.
/// - All waiters of a fetch share its result. A failure is not cached: the next call fetches again.
/// - After 80% of the lifetime, callers get the old token immediately, and a refresh to poll
///   together
///   with their request. A failed refresh leaves the old token in place.
/// - A single-use token is given to one caller; other waiters fetch their own, one after another.
pub(crate) struct TokenCache<T, E> {
    state: Arc<Mutex<State<T, E>>>,
}

struct State<T, E> {
    token: Option<Token<T>>,
    /// The fetches in progress, one for each runtime that waits for a token.
    fetches: Vec<InFlight<T, E>>,
    last_generation: u64,
}

impl<T, E> State<T, E> {
    /// Removes the fetches that have no waiter and began on another runtime: that runtime may have
    /// shut down, and polling its timers and sockets would then panic.
    fn abandoned_on_other_runtimes(&mut self) -> Vec<InFlight<T, E>> {
        let runtime = this_runtime();
        let left = |flight: &mut InFlight<T, E>| {
            flight.runtime != runtime && Arc::strong_count(&flight.shared) == 1
        };
        self.fetches.extract_if(.., left).collect()
    }
}

fn this_runtime() -> Option<runtime::Id> {
    runtime::Handle::try_current()
        .ok()
        .map(|handle| handle.id())
}

struct InFlight<T, E> {
    shared: Arc<Shared<Outcome<T, E>>>,
    generation: u64,
    /// The runtime on which it began, which its timers and sockets depend on.
    runtime: Option<runtime::Id>,
    /// Whether it was without waiters at some time. It made no progress then, so its failure (such
    /// as a timeout that elapsed meanwhile) does not apply to a new request.
    was_left: bool,
}

/// How a caller gets a token.
enum Plan<T, E> {
    Use(Lease<T, E>),
    Wait(Waiter<Outcome<T, E>>, WasLeft),
}

type WasLeft = bool;

impl<T, E> TokenCache<T, E>
where
    T: Clone + Send + 'static,
    E: Clone + Send + 'static,
{
    pub(crate) fn new() -> Self {
        let state = State {
            token: None,
            fetches: Vec::new(),
            last_generation: 0,
        };
        Self {
            state: Arc::new(Mutex::new(state)),
        }
    }

    /// Returns a token that is valid for at least `life` more, or for half its lifetime if that is
    /// less; a token that has just been fetched is returned in any case.
    ///
    /// `fetch` requests a token, and is called only if this call starts a fetch. It must not use
    /// this cache.
    pub(crate) async fn token(
        &self,
        life: Duration,
        fetch: impl Fn() -> Fetch<T, E>,
    ) -> Result<Lease<T, E>, E> {
        loop {
            let (waiter, was_left) = match self.plan(life, &fetch) {
                Plan::Use(lease) => return Ok(lease),
                Plan::Wait(waiter, was_left) => (waiter, was_left),
            };
            match waiter.await {
                Some(Ok(token)) => {
                    let stale =
                        was_left && !token.is_for_one_use() && !token.lives(life, Instant::now());
                    if !stale && token.take() {
                        return Ok(token.lease());
                    }
                }
                // The old token may be too short-lived for `life`, but it has not expired.
                Some(Err(error)) => match self.current(Duration::ZERO) {
                    Some(token) => return Ok(token.lease()),
                    None if was_left => {}
                    None => return Err(error),
                },
                None => {}
            }
        }
    }

    /// Removes a token that the service rejected, if it is still the current one.
    pub(crate) fn evict(&self, generation: u64) {
        let mut state = lock(&self.state);
        let refused = state.token.take_if(|token| token.generation == generation);
        drop(state);
        drop(refused);
    }

    fn current(&self, life: Duration) -> Option<Token<T>> {
        let now = Instant::now();
        lock(&self.state)
            .token
            .as_ref()
            .filter(|token| token.lives(life, now))
            .cloned()
    }

    fn plan(&self, life: Duration, fetch: &impl Fn() -> Fetch<T, E>) -> Plan<T, E> {
        let now = Instant::now();
        let mut state = lock(&self.state);
        if !state.fetches.is_empty() {
            let left = state.abandoned_on_other_runtimes();
            drop(state);
            // Dropped outside the lock, like all foreign code.
            drop(left);
            state = lock(&self.state);
        }
        let token = state
            .token
            .as_ref()
            .filter(|token| token.lives(life, now))
            .cloned();
        let Some(token) = token else {
            let (waiter, was_left) = self.join(&mut state, now, fetch);
            return Plan::Wait(waiter, was_left);
        };
        let refresh = token
            .is_due(now)
            .then(|| self.join(&mut state, now, fetch).0);
        Plan::Use(Lease {
            refresh,
            ..token.lease()
        })
    }

    /// Joins the fetch in progress, or starts a new one.
    fn join(
        &self,
        state: &mut State<T, E>,
        now: Instant,
        fetch: &impl Fn() -> Fetch<T, E>,
    ) -> (Waiter<Outcome<T, E>>, WasLeft) {
        let runtime = this_runtime();
        let mut fetches = state.fetches.iter_mut();
        if let Some(flight) =
            fetches.find(|flight| flight.runtime == runtime && !flight.shared.is_over())
        {
            // The cache has the only reference, so there are no waiters.
            flight.was_left |= Arc::strong_count(&flight.shared) == 1;
            return (flight.shared.wait(), flight.was_left);
        }
        let shared = self.start(state, now, fetch());
        let waiter = shared.wait();
        state.fetches.push(InFlight {
            shared,
            generation: state.last_generation,
            runtime,
            was_left: false,
        });
        (waiter, false)
    }

    /// Starts a fetch that stores its token in the cache, whichever waiter completes it.
    fn start(
        &self,
        state: &mut State<T, E>,
        started: Instant,
        fetch: Fetch<T, E>,
    ) -> Arc<Shared<Outcome<T, E>>> {
        state.last_generation += 1;
        let generation = state.last_generation;
        // Weak, because the cache holds the fetch.
        let cache = Arc::downgrade(&self.state);
        Shared::new(Box::pin(async move {
            let outcome = fetch.await.map(|issued| Token {
                value: issued.value,
                generation,
                lifetime: issued.lifetime,
                // The service starts counting later than this.
                started,
                used: Arc::default(),
            });
            if let Some(state) = cache.upgrade() {
                let mut state = lock(&state);
                let ended = |flight: &InFlight<T, E>| flight.generation == generation;
                let place = state.fetches.iter().position(ended);
                let fetch = place.map(|place| state.fetches.swap_remove(place));
                let old = match &outcome {
                    Ok(token) if !token.is_for_one_use() => state.token.replace(token.clone()),
                    Ok(_) | Err(_) => None,
                };
                drop(state);
                drop((fetch, old));
            }
            outcome
        }))
    }
}
