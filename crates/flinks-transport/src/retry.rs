//! Decides whether a failed attempt is retried, and how long to wait first.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime};

use http::{Request, Response, StatusCode};
use tokio::time::{Instant, sleep};
use tower::retry::budget::{Budget, TpsBudget};
use tower_service::Service;
use tracing::{Instrument, Span};

use crate::clock::after;
use crate::progress::Progress;
use crate::request::try_clone_request;
use crate::retry_after::retry_after;
use crate::service::HttpService;
use crate::telemetry::{self, Ending, attempt_span};
use crate::{Body, BoxError, CallMeta, Delivery, Error, ErrorKind, Replay, Step};

/// Limits the number of attempts of a call and the waits between them.
///
/// Whether a request *may* be retried is not configurable: its [`Replay`] decides that.
#[derive(Clone, Copy, Debug)]
pub struct RetryConfig {
    max_attempts: u32,
    base: Duration,
    throttled_base: Duration,
    cap: Duration,
    max_retry_after: Duration,
}

impl Default for RetryConfig {
    fn default() -> Self {
        Self {
            max_attempts: 3,
            base: Duration::from_millis(200),
            throttled_base: Duration::from_secs(1),
            cap: Duration::from_secs(10),
            max_retry_after: Duration::from_secs(60),
        }
    }
}

impl RetryConfig {
    /// Returns the default: three attempts, full jitter over 200 ms × 2ⁿ (1 s × 2ⁿ after a 429), at
    /// most 10 s; `Retry-After` is honored up to 60 s.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Disables retries: one attempt only.
    #[must_use]
    pub fn none() -> Self {
        Self::default().max_attempts(1)
    }

    /// Limits the number of attempts, including the first; 0 counts as 1.
    #[must_use]
    pub fn max_attempts(mut self, attempts: u32) -> Self {
        self.max_attempts = attempts.max(1);
        self
    }

    /// Sets the wait before a retry: up to `base` before the second attempt, up to twice that
    /// before the third, never more than `cap`.
    #[must_use]
    pub fn backoff(mut self, base: Duration, cap: Duration) -> Self {
        self.base = base;
        self.cap = cap;
        self
    }

    /// Honors a `Retry-After` up to this limit. A longer one ends the call, and its error contains
    /// the requested wait.
    #[must_use]
    pub fn max_retry_after(mut self, limit: Duration) -> Self {
        self.max_retry_after = limit;
        self
    }

    fn wait(&self, retry: u32, throttled: bool) -> Duration {
        let base = if throttled {
            self.throttled_base
        } else {
            self.base
        };
        let ceiling = base
            .saturating_mul(2u32.saturating_pow(retry))
            .min(self.cap);
        ceiling.mul_f64(fastrand::f64())
    }
}

/// Whether an attempt may be followed by another.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Verdict {
    Final,
    Again,
    /// Again, after the longer wait for a 429.
    Throttled,
}

fn verdict(replay: Replay, outcome: &Result<Response<Body>, BoxError>) -> Verdict {
    match (outcome, replay) {
        (_, Replay::Never) => Verdict::Final,
        (Ok(response), Replay::Safe | Replay::Unsent) => of_status(replay, response.status()),
        (Err(error), Replay::Safe | Replay::Unsent) => error
            .downcast_ref::<Error>()
            .map_or(Verdict::Final, |error| of_error(replay, error)),
    }
}

/// A 503 is as ambiguous as a 502: gateways send it after the origin has acted.
fn of_status(replay: Replay, status: StatusCode) -> Verdict {
    match status {
        StatusCode::TOO_MANY_REQUESTS => Verdict::Throttled,
        StatusCode::REQUEST_TIMEOUT
        | StatusCode::BAD_GATEWAY
        | StatusCode::SERVICE_UNAVAILABLE
        | StatusCode::GATEWAY_TIMEOUT
            if replay == Replay::Safe =>
        {
            Verdict::Again
        }
        _ => Verdict::Final,
    }
}

fn of_error(replay: Replay, error: &Error) -> Verdict {
    // The token request has made its own attempts; the call that needs it adds none.
    if error.step() == Step::Token {
        return Verdict::Final;
    }
    // A retry does not fix a certificate, a layer or a file; only network failures may pass.
    let passing = matches!(
        error.kind(),
        ErrorKind::Connect | ErrorKind::Connection | ErrorKind::Proxy | ErrorKind::Timeout
    ) && !error.is_final();
    let harmless = error.delivery() == Delivery::NotSent
        || (error.delivery() == Delivery::Unknown && replay == Replay::Safe);
    if passing && harmless {
        Verdict::Again
    } else {
        Verdict::Final
    }
}

/// When the call's deadline passes; no wait goes beyond it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DeadlineAt(pub(crate) Option<Instant>);

/// Makes attempts until one is final; shared by all calls of a transport, budget included.
#[derive(Clone)]
pub(crate) struct RetryService {
    pub(crate) inner: HttpService,
    pub(crate) retry: RetryConfig,
    pub(crate) budget: Arc<TpsBudget>,
}

impl Service<Request<Body>> for RetryService {
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let this = self.clone();
        Box::pin(async move { this.run(request).await })
    }
}

impl RetryService {
    async fn run(self, mut request: Request<Body>) -> Result<Response<Body>, BoxError> {
        let extensions = request.extensions();
        let meta = extensions.get::<CallMeta>().copied();
        let replay = meta.as_ref().map_or(Replay::Never, CallMeta::replay);
        let deadline = extensions
            .get::<DeadlineAt>()
            .and_then(|deadline| deadline.0);
        let progress = extensions
            .get::<Arc<Progress>>()
            .cloned()
            .unwrap_or_default();
        self.budget.deposit();
        let mut retries = 0;
        loop {
            let more = replay != Replay::Never && retries + 1 < self.retry.max_attempts;
            let again = if more {
                try_clone_request(&request)
            } else {
                None
            };
            progress.begin_attempt();
            let span = attempt_span(meta.as_ref(), request.uri(), retries);
            let before = progress.bytes();
            let outcome = self
                .inner
                .clone()
                .send(request)
                .instrument(span.clone())
                .await;
            note(&span, &outcome, before, progress.bytes());
            let Some(next) = again else { return outcome };
            let Some(wait) = self.wait(replay, retries, &outcome) else {
                return outcome;
            };
            if deadline.is_some_and(|deadline| after(Instant::now(), wait) >= deadline)
                || !self.budget.withdraw()
            {
                return outcome;
            }
            retries += 1;
            telemetry::retrying(meta.as_ref(), retries, wait);
            sleep(wait).await;
            request = next;
        }
    }

    fn wait(
        &self,
        replay: Replay,
        retries: u32,
        outcome: &Result<Response<Body>, BoxError>,
    ) -> Option<Duration> {
        let verdict = verdict(replay, outcome);
        if verdict == Verdict::Final {
            return None;
        }
        let asked = outcome
            .as_ref()
            .ok()
            .and_then(|response| retry_after(response.headers(), wall_clock()));
        match asked {
            Some(asked) if asked > self.retry.max_retry_after => None,
            Some(asked) => Some(asked),
            None => Some(self.retry.wait(retries, verdict == Verdict::Throttled)),
        }
    }
}

/// Records how an attempt ended, and the bytes that it added.
fn note(
    span: &Span,
    outcome: &Result<Response<Body>, BoxError>,
    before: (u64, u64),
    after: (u64, u64),
) {
    let status = outcome.as_ref().ok().map(Response::status);
    let error = outcome.as_ref().err().map(|error| error.downcast_ref());
    let failed = status.as_ref().filter(|status| !status.is_success());
    let ending = Ending {
        status: status.or_else(|| error.flatten().and_then(Error::status)),
        error_type: match error {
            Some(error) => Some(error.map_or(ErrorKind::Layer, Error::kind).as_str()),
            None => failed.map(StatusCode::as_str),
        },
        delivery: match error {
            Some(error) => error.map(Error::delivery),
            None => status.map(Delivery::of_status),
        },
        bytes: (after.0 - before.0, after.1 - before.1),
    };
    ending.record(span);
}

/// The only use of the wall clock: a `Retry-After` date on an answer that carries no `Date`.
#[expect(
    clippy::disallowed_methods,
    reason = "an HTTP date has no other meaning"
)]
pub(crate) fn wall_clock() -> SystemTime {
    SystemTime::now()
}

#[cfg(test)]
mod tests;
