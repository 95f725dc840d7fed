//! Polls until an answer is final: interval, jitter, `Retry-After`, the last poll before the time is up.

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::time::Duration;

use http::StatusCode;
use tokio::time::{Instant, sleep};

use crate::telemetry;
use crate::{Call, CallMeta, Delivery, Error, ErrorKind, Operation};

/// A shorter interval would be a busy loop.
const MIN_INTERVAL: Duration = Duration::from_millis(10);
/// Nothing here needs longer, and sums of times stay far from overflowing.
const MAX_DURATION: Duration = Duration::from_secs(365 * 24 * 60 * 60);
/// The time that the last poll has for its answer, unless a quarter of the timeout is less.
const LAST_POLL: Duration = Duration::from_secs(10);
/// After so many polls a host that has never answered is more likely misspelled than down.
const MAX_UNREACHED_POLLS: u32 = 5;

/// How often to poll and for how long.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct PollConfig {
    interval: Duration,
    timeout: Duration,
}

impl PollConfig {
    /// Polls every `interval` until `timeout` has passed.
    #[must_use]
    pub fn new(interval: Duration, timeout: Duration) -> Self {
        Self { interval, timeout }
            .with_interval(interval)
            .with_timeout(timeout)
    }

    /// Sets the time between two polls, at least 10 ms. Each pause is up to 10 % shorter or longer,
    /// so that many waits do not poll in step.
    #[must_use]
    pub fn with_interval(mut self, interval: Duration) -> Self {
        self.interval = interval.clamp(MIN_INTERVAL, MAX_DURATION);
        self
    }

    /// Sets the time after which the wait ends. The last poll begins 10 s before it (a quarter of
    /// the timeout if that is less), so that its answer still arrives in time.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout.min(MAX_DURATION);
        self
    }

    /// The time after which the wait ends.
    #[must_use]
    pub fn timeout(&self) -> Duration {
        self.timeout
    }

    fn pause(&self) -> Duration {
        self.interval.mul_f64(0.9 + 0.2 * fastrand::f64())
    }
}

/// Whether a failure may be gone at the next poll: no connection, a proxy that may recover, a timeout,
/// or a status of 408, 429 or 5xx. The status in the body outranks that of HTTP; FlinksCodes are not considered.
#[must_use]
pub fn is_transient(error: &Error) -> bool {
    let said = error.api().and_then(|api| api.http_status_code);
    let said = said
        .filter(|status| *status >= 400)
        .and_then(|status| StatusCode::from_u16(status).ok());
    let is_transient_status = said.or_else(|| error.status()).is_some_and(|status| {
        status.is_server_error()
            || status == StatusCode::REQUEST_TIMEOUT
            || status == StatusCode::TOO_MANY_REQUESTS
    });
    let is_of_network = matches!(
        error.kind(),
        ErrorKind::Connect | ErrorKind::Connection | ErrorKind::Proxy | ErrorKind::Timeout
    );
    (is_of_network && !error.is_final()) || (error.kind() == ErrorKind::Api && is_transient_status)
}

/// A wait in progress. It sends only what [`poll`](Self::poll) is given, and may be dropped at any
/// time.
///
/// ```
/// use std::time::Duration;
///
/// use flinks_transport::poll::{PollConfig, Poller, is_transient};
/// # use flinks_transport::{Body, CallMeta, DecodeError, Error, Operation, Replay, Route, Transport};
/// # use http::{Request, Response};
/// # struct Status;
/// # impl Operation for Status {
/// #     type Output = String;
/// #     fn meta(&self) -> CallMeta {
/// #         CallMeta::new("example.status", Route::get("/status"), Replay::Safe)
/// #     }
/// #     fn request(&self) -> Result<Request<Body>, Error> {
/// #         Ok(Request::new(Body::empty()))
/// #     }
/// #     fn decode(&self, response: Response<bytes::Bytes>) -> Result<String, DecodeError> {
/// #         Ok(String::from_utf8_lossy(response.body()).into_owned())
/// #     }
/// # }
/// async fn wait_until_done(transport: &Transport) -> Result<String, Error> {
///     let every_30_s = PollConfig::new(Duration::from_secs(30), Duration::from_secs(3600));
///     let mut poller = Poller::new(every_30_s, is_transient);
///     loop {
///         if let Some(status) = poller.poll(transport.call(Status)).await?
///             && status == "done"
///         {
///             return Ok(status);
///         }
///         if let Err(over) = poller.pause().await {
///             // `Error::is_wait_over` is true of this error.
///             return Err(over.into_error("the status is still not final"));
///         }
///     }
/// }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Error> {
/// # let done = tower::service_fn(|_: Request<Body>| async {
/// #     Ok::<_, std::convert::Infallible>(Response::new(Body::from("done".to_owned())))
/// # });
/// # let transport = Transport::builder().service(done).build()?;
/// # assert_eq!(wait_until_done(&transport).await?, "done");
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Poller {
    config: PollConfig,
    is_transient: fn(&Error) -> bool,
    start: Instant,
    end: Instant,
    pause: Duration,
    last_meta: Option<CallMeta>,
    polls: u32,
    failures: u32,
    /// The last transient failure.
    failure: Option<Error>,
    /// Whether no answer came after it.
    is_failing: bool,
    /// How many polls did not reach the host; `None` once it has answered.
    unreached: Option<u32>,
}

impl Poller {
    /// Starts the timer of a wait that continues after failures for which `is_transient` is true.
    #[must_use]
    pub fn new(config: PollConfig, is_transient: fn(&Error) -> bool) -> Self {
        let start = Instant::now();
        Self {
            config,
            is_transient,
            start,
            end: start + config.timeout,
            pause: config.pause(),
            last_meta: None,
            polls: 0,
            failures: 0,
            failure: None,
            is_failing: false,
            unreached: Some(0),
        }
    }

    /// The time since the wait began.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    /// Records an answer that came by another way than [`poll`](Self::poll): the host can be reached.
    pub fn answered(&mut self) {
        self.unreached = None;
        self.is_failing = false;
    }

    /// Returns what the wait has seen so far.
    #[must_use]
    pub fn status(&self) -> PollStatus<'_> {
        let left = self.left();
        PollStatus {
            elapsed: self.elapsed(),
            polls: self.polls,
            failures: self.failures,
            failure: self.failure.as_ref(),
            is_failing: self.is_failing,
            next_poll: (!left.is_zero()).then(|| self.pause.min(left)),
        }
    }

    /// The time until the last poll.
    fn left(&self) -> Duration {
        let last_poll = self.end - LAST_POLL.min(self.config.timeout / 4);
        last_poll.saturating_duration_since(Instant::now())
    }

    /// Makes one poll, which ends with the wait at the latest. `None` is a transient failure.
    ///
    /// # Errors
    /// Failures that are not transient, and the fifth in a row that could not connect to a host
    /// that has never answered.
    pub async fn poll<O>(&mut self, call: Call<O>) -> Result<Option<O::Output>, Error>
    where
        O: Operation<Output: Send> + Send + Sync + 'static,
    {
        let meta = *call.meta();
        self.last_meta = Some(meta);
        let left = self.end.saturating_duration_since(Instant::now());
        let limit = left.min(call.transport().timeout());
        self.polls = self.polls.saturating_add(1);
        let error = match call.timeout(limit).await {
            Ok(output) => {
                self.answered();
                self.pause = self.config.pause();
                return Ok(Some(output));
            }
            Err(error) => error,
        };
        if !(self.is_transient)(&error) {
            return Err(error);
        }
        telemetry::poll_failed(&meta, &error);
        self.unreached = self
            .unreached
            .filter(|_| matches!(error.kind(), ErrorKind::Connect | ErrorKind::Proxy))
            .map(|polls| polls + 1);
        if self.unreached == Some(MAX_UNREACHED_POLLS) {
            return Err(error);
        }
        let retry_after = error.retry_after().unwrap_or_default();
        self.pause = self.config.pause().max(retry_after);
        // What the end of the wait cut off says less than the failure before it.
        if !self.is_failing || Instant::now() < self.end {
            self.failure = Some(error);
        }
        self.failures = self.failures.saturating_add(1);
        self.is_failing = true;
        Ok(None)
    }

    /// Sleeps until the next poll is due: after the interval or `Retry-After`, whichever is longer.
    ///
    /// # Errors
    /// [`WaitOver`] when there is no time for another poll. A wait has at least one poll.
    pub async fn pause(&mut self) -> Result<(), WaitOver> {
        let left = self.left();
        if left.is_zero()
            && let Some(meta) = self.last_meta
        {
            return Err(WaitOver {
                failure: self.failure.clone().filter(|_| self.is_failing),
                timeout: self.config.timeout,
                meta,
            });
        }
        sleep(self.pause.min(left)).await;
        Ok(())
    }
}

/// What a wait has seen so far.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PollStatus<'a> {
    /// The time since the wait began.
    pub elapsed: Duration,
    /// How many polls have ended.
    pub polls: u32,
    /// How many of them failed in a way that does not end the wait.
    pub failures: u32,
    /// The last of these failures.
    pub failure: Option<&'a Error>,
    /// Whether no answer came after [`failure`](Self::failure).
    pub is_failing: bool,
    /// The time until the next poll; `None` if the time of the wait is up.
    pub next_poll: Option<Duration>,
}

/// The time of a wait was up before an answer was final.
#[derive(Clone, Debug)]
pub struct WaitOver {
    failure: Option<Error>,
    timeout: Duration,
    meta: CallMeta,
}

impl WaitOver {
    /// The last failure if no answer came after it, or else an [`ErrorKind::Timeout`] with this
    /// message. [`Error::is_wait_over`] is true of both.
    #[must_use]
    pub fn into_error(self, message: impl Into<Cow<'static, str>>) -> Error {
        self.failure
            .unwrap_or_else(|| {
                Error::new(ErrorKind::Timeout, message)
                    .with_delivery(Delivery::Delivered)
                    .with_call(&self.meta, None, None)
            })
            .with_wait_over()
    }

    /// How long the wait was allowed to take.
    #[must_use]
    pub fn timeout(&self) -> Duration {
        self.timeout
    }
}
