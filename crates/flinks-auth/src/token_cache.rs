//! Caches one token: fetched once, refreshed ahead of its expiry, never used past it.

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

/// What is assumed when the service does not say how long a token lives.
const UNSAID_LIFETIME: Duration = Duration::from_secs(60);

/// What is believed at most: a service that says more has made a mistake more often than not.
const MAX_LIFETIME: Duration = Duration::from_secs(3600);

/// A token is not used in its last tenth, nor in more than its last ten seconds: a request on its
/// way must arrive before the end.
const MAX_MARGIN: Duration = Duration::from_secs(10);

/// A request for a token.
pub(crate) type Fetch<T, E> = Pin<Box<dyn Future<Output = Result<Issued<T>, E>> + Send>>;

/// A token as the service issued it.
pub(crate) struct Issued<T> {
    value: T,
    lifetime: Duration,
}

impl<T> Issued<T> {
    /// `lifetime` is what the service says; zero means that the token may be used once.
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
    /// Names this very token, for [`TokenCache::evict`].
    pub(crate) generation: u64,
    /// A refresh that is due. To be polled beside the request and dropped with it: the cache keeps
    /// both an unfinished refresh and the result of a finished one.
    pub(crate) refresh: Option<Waiter<Outcome<T, E>>>,
}

/// What a fetch brings to everyone who waits for it.
pub(crate) type Outcome<T, E> = Result<Token<T>, E>;

/// A token and its times.
#[derive(Clone)]
pub(crate) struct Token<T> {
    value: T,
    generation: u64,
    lifetime: Duration,
    started: Instant,
    /// Whether a token that may be used once has been.
    used: Arc<AtomicBool>,
}

impl<T> Token<T> {
    fn is_for_one_use(&self) -> bool {
        self.lifetime.is_zero()
    }

    /// Whether the token lives for `life` yet. Half the lifetime always suffices, so that a
    /// short-lived token is not fetched again and again.
    fn lives(&self, life: Duration, now: Instant) -> bool {
        let margin = (self.lifetime / 10).min(MAX_MARGIN);
        let left = (self.started + (self.lifetime - margin)).saturating_duration_since(now);
        !left.is_zero() && left >= life.min(self.lifetime / 2)
    }

    /// Whether 80 % of the lifetime have passed.
    fn is_due(&self, now: Instant) -> bool {
        now >= self.started + self.lifetime / 5 * 4
    }

    /// Whether a waiter may take this token: a token for one use goes to the first who asks.
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
/// - Those who wait for a fetch share its result. A failure is not remembered: the next call
///   fetches again.
/// - From 80 % of the lifetime on, callers get the old token at once and a refresh to poll beside
///   their request. A failed refresh leaves the old token in place.
/// - A token for one use is given to one caller; others that wait fetch their own, one after another.
pub(crate) struct TokenCache<T, E> {
    state: Arc<Mutex<State<T, E>>>,
}

struct State<T, E> {
    token: Option<Token<T>>,
    /// The fetches under way, one for each runtime that waits for a token.
    fetches: Vec<InFlight<T, E>>,
    last_generation: u64,
}

impl<T, E> State<T, E> {
    /// Takes out the fetches that have no waiter and began on another runtime: that one may
    /// be gone, and polling what it drove would then panic.
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
    /// Where it began: its timers and sockets belong to that runtime, and die with it.
    runtime: Option<runtime::Id>,
    /// Whether everyone had left it at some time. It then stood still, and its failure (a time
    /// limit that passed meanwhile, say) tells nothing about a request made now.
    was_left: bool,
}

/// How a caller comes to a token.
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

    /// A token that lives for `life` yet, or for half its lifetime if that is less; a token that
    /// has just been fetched is taken as it is.
    ///
    /// `fetch` makes a request for a token and is called only when this call starts one. It must
    /// not use this cache.
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
                // The old token may have too little life for comfort, but it is not dead.
                Some(Err(error)) => match self.current(Duration::ZERO) {
                    Some(token) => return Ok(token.lease()),
                    None if was_left => {}
                    None => return Err(error),
                },
                None => {}
            }
        }
    }

    /// Forgets this token, if it is still the current one: the service refused it.
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
        // Dropped without the lock, as all foreign code.
        let left = lock(&self.state).abandoned_on_other_runtimes();
        drop(left);
        let mut state = lock(&self.state);
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

    /// Waits for the fetch under way, or for a new one.
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
            // The cache holds the only reference: there is no waiter.
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

    /// A fetch that puts its token into the cache, by whichever waiter it is completed.
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
                // The service counts from some time after this one.
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
