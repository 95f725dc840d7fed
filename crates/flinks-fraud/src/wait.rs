//! Polls an analysis until it is final, through pending answers and failures that pass.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::time::Duration;

use flinks_transport::{Error, ErrorKind};
use flinks_types::{FlinksCode, LoginId};
use http::StatusCode;
use tokio::time::{Instant, sleep};

use crate::analysis::Analysis;
use crate::client::FraudClient;
use crate::operation::is_at_work;

/// How often a host may be out of reach that has never answered: by then it is more likely misspelt
/// than down. Once it has answered, it may be out of reach until the deadline.
const UNREACHED_POLLS: u32 = 5;

/// Upload guide, Fraud Analysis Endpoint: "every 30 seconds".
const INTERVAL: Duration = Duration::from_secs(30);
/// Flinks' documentation of uploads: ready in minutes, sometimes after 4 hours.
const DEADLINE: Duration = Duration::from_secs(4 * 60 * 60);
/// A shorter interval would be a busy loop.
const SHORTEST_INTERVAL: Duration = Duration::from_millis(10);
/// Nothing here needs longer, and sums of times stay far from overflowing.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);
/// What the last poll is left to be answered in, unless a quarter of the deadline is less.
const LAST_POLL: Duration = Duration::from_secs(10);

/// Waits for a final analysis: awaiting it sends the first poll at once.
///
/// It ends when every document is completed or has failed for good, and no uploaded file is
/// missing when their number is known. A signal is final for its document only, so the wait goes
/// on to see them all.
///
/// Failures that pass do not end it: no connection, timeouts, 408, 429 and 5xx, and the
/// FlinksCodes that ask to come back, whatever status they come with. A `Retry-After` is honoured
/// up to the deadline. It may be dropped at any time: reading changes nothing on the server.
///
/// # Errors
/// What does not pass is returned at once: a refused secret or LoginId, 403, 404,
/// `Document_Processing_Failed`, an unreadable answer, certificates, settings. At the deadline the
/// last analysis is `Ok`, and its verdict undetermined unless something was found; if none was
/// read, the last failure is returned.
#[must_use = "a wait does nothing until awaited"]
pub struct Wait {
    client: FraudClient,
    login_id: LoginId,
    files: Option<usize>,
    interval: Duration,
    deadline: Duration,
    on_poll: Option<OnPoll>,
}

type OnPoll = Box<dyn Fn(&Analysis) + Send + Sync>;

impl Wait {
    pub(crate) fn new(client: FraudClient, login_id: LoginId) -> Self {
        Self {
            client,
            login_id,
            files: None,
            interval: INTERVAL,
            deadline: DEADLINE,
            on_poll: None,
        }
    }

    /// How many files were uploaded: with fewer documents the wait goes on, and none is clean.
    pub fn files(mut self, files: impl Into<Option<usize>>) -> Self {
        self.files = files.into();
        self
    }

    /// The time between polls; 30 s by default. Each is up to 10 % shorter or longer, so that many
    /// waits do not poll in step. At least 10 ms.
    pub fn interval(mut self, interval: Duration) -> Self {
        self.interval = interval.clamp(SHORTEST_INTERVAL, LONGEST);
        self
    }

    /// The time after which the wait ends with what was read; 4 h by default.
    ///
    /// The last poll begins 10 s before it (earlier by a quarter of a deadline under 40 s), so that
    /// its answer still comes in time.
    pub fn timeout(mut self, deadline: Duration) -> Self {
        self.deadline = deadline.min(LONGEST);
        self
    }

    /// Calls this with every analysis that is read, the last one included: to show documents that
    /// are ready while others are not.
    pub fn on_poll(mut self, on_poll: impl Fn(&Analysis) + Send + Sync + 'static) -> Self {
        self.on_poll = Some(Box::new(on_poll));
        self
    }

    /// Whether a wait goes on after this failure, because it may be gone at the next poll.
    ///
    /// A wait that returns such a failure has come to its deadline. The FlinksCode decides first:
    /// the service documents codes that ask to come back under 401 and 400.
    #[must_use]
    pub fn goes_on_after(error: &Error) -> bool {
        let api = error.api();
        match api.and_then(|api| api.flinks_code.as_ref()) {
            Some(code) if asks_to_come_back(code) => return true,
            Some(
                FlinksCode::DocumentProcessingFailed
                | FlinksCode::AccessDenied
                | FlinksCode::InvalidLogin,
            ) => {
                return false;
            }
            Some(_) | None => {}
        }
        let is_passing_kind = matches!(
            error.kind(),
            ErrorKind::Connect | ErrorKind::Connection | ErrorKind::Timeout
        );
        let said = api
            .and_then(|api| api.http_status_code)
            .filter(|status| *status >= 400)
            .and_then(|status| StatusCode::from_u16(status).ok());
        let is_passing_status = said.or_else(|| error.status()).is_some_and(|status| {
            status.is_server_error()
                || status == StatusCode::REQUEST_TIMEOUT
                || status == StatusCode::TOO_MANY_REQUESTS
        });
        is_passing_kind || (error.kind() == ErrorKind::Api && is_passing_status)
    }

    async fn run(self) -> Result<Analysis, Error> {
        let end = Instant::now() + self.deadline;
        let last_poll = end - LAST_POLL.min(self.deadline / 4);
        let mut analysis = None;
        let mut failure = None;
        let mut unreached = Some(0);
        loop {
            let pause = match self.poll(end).await {
                Ok(read) => {
                    unreached = None;
                    if let Some(on_poll) = &self.on_poll {
                        on_poll(&read);
                    }
                    if read.is_final(self.files) {
                        return Ok(read);
                    }
                    analysis = Some(read);
                    self.pause()
                }
                Err(error) if Self::goes_on_after(&error) => {
                    tracing::debug!(kind = error.kind().as_str(), "a poll failed");
                    unreached = unreached
                        .filter(|_| error.kind() == ErrorKind::Connect)
                        .map(|polls: u32| polls + 1);
                    if unreached.is_some_and(|polls| polls >= UNREACHED_POLLS) {
                        return Err(error);
                    }
                    let pause = self.pause().max(error.retry_after().unwrap_or_default());
                    // What the deadline cut off says less than the failure before it.
                    if failure.is_none() || Instant::now() < end {
                        failure = Some(error);
                    }
                    pause
                }
                Err(error) => return Err(error),
            };
            let left = last_poll.saturating_duration_since(Instant::now());
            match (analysis, failure) {
                (Some(read), _) if left.is_zero() => return Ok(read),
                (None, Some(error)) if left.is_zero() => return Err(error),
                kept => (analysis, failure) = kept,
            }
            sleep(pause.min(left)).await;
        }
    }

    /// One poll, which ends at `end` at the latest.
    async fn poll(&self, end: Instant) -> Result<Analysis, Error> {
        let left = end.saturating_duration_since(Instant::now());
        let limit = left.min(self.client.transport().timeout());
        let analysis = self.client.analysis(&self.login_id).timeout(limit).await?;
        Ok(analysis.of_files(self.files))
    }

    fn pause(&self) -> Duration {
        self.interval.mul_f64(0.9 + 0.2 * fastrand::f64())
    }
}

impl IntoFuture for Wait {
    type Output = Result<Analysis, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

impl fmt::Debug for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wait")
            .field("login_id", &self.login_id)
            .field("files", &self.files)
            .field("interval", &self.interval)
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}

fn asks_to_come_back(code: &FlinksCode) -> bool {
    is_at_work(code)
        || matches!(
            code,
            FlinksCode::CardInUse | FlinksCode::RetryLater | FlinksCode::TooManyRequests
        )
}
