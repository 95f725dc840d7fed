//! Polls an analysis until it is final, through pending answers and failures that pass.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::time::Duration;

use flinks_transport::Error;
use flinks_transport::poll::{self, PollConfig, Poller};
use flinks_types::{FlinksCode, LoginId};

use crate::analysis::Analysis;
use crate::client::FraudClient;
use crate::operation::is_at_work;

/// Upload guide, Fraud Analysis Endpoint: "every 30 seconds".
const INTERVAL: Duration = Duration::from_secs(30);
/// Flinks' documentation of uploads: ready in minutes, sometimes after 4 hours.
const TIMEOUT: Duration = Duration::from_secs(4 * 60 * 60);
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
    poll: PollConfig,
    on_poll: Option<OnPoll>,
}

type OnPoll = Box<dyn Fn(&Analysis) + Send + Sync>;

impl Wait {
    pub(crate) fn new(client: FraudClient, login_id: LoginId) -> Self {
        Self {
            client,
            login_id,
            files: None,
            poll: PollConfig::new(INTERVAL, TIMEOUT),
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
        self.poll = self.poll.with_interval(interval);
        self
    }

    /// The time after which the wait ends with what was read; 4 h by default.
    ///
    /// The last poll begins 10 s before it (earlier by a quarter of a deadline under 40 s), so that
    /// its answer still comes in time.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.poll = self.poll.with_timeout(timeout);
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
    /// A wait returns such a failure only when its time is up ([`Error::is_wait_over`]), or when
    /// the host has never answered. The FlinksCode decides first:
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
        poll::is_transient(error)
    }

    async fn run(self) -> Result<Analysis, Error> {
        let mut poller = Poller::new(self.poll, Self::goes_on_after);
        let mut analysis = None;
        loop {
            let call = self.client.analysis(&self.login_id);
            if let Some(read) = poller.poll(call).await? {
                let read = read.of_files(self.files);
                if let Some(on_poll) = &self.on_poll {
                    on_poll(&read);
                }
                if read.is_final(self.files) {
                    return Ok(read);
                }
                analysis = Some(read);
            }
            if let Err(over) = poller.pause().await {
                return analysis.ok_or_else(|| over.into_error("the analysis is still not final"));
            }
        }
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
            .field("poll", &self.poll)
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
