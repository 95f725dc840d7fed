//! Waits until an analysis is final: polls through pending answers and transient failures.

use std::fmt;
use std::future::{Future, IntoFuture, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use flinks_transport::Error;
use flinks_transport::poll::{self, PollConfig, PollStatus, Poller};
use flinks_types::{FlinksCode, LoginId};

use crate::analysis::Analysis;
use crate::client::FraudClient;
use crate::operation::is_pending;
use crate::verdict::Verdict;

/// Upload guide, Fraud Analysis Endpoint: "every 30 seconds".
const INTERVAL: Duration = Duration::from_secs(30);
/// Flinks' documentation of uploads: ready in minutes, sometimes after 4 hours.
const TIMEOUT: Duration = Duration::from_secs(4 * 60 * 60);

/// A prepared wait for a final analysis; awaiting it sends the first poll.
///
/// It ends when every document is completed or failed and none of the
/// [expected](Self::expected_documents) ones is missing. A signal does not end it, so that the
/// analysis has the signals of all documents. It changes nothing on the server and may be dropped at
/// any time.
///
/// Transient failures do not end it (see [`is_transient`](Self::is_transient)), and a `Retry-After`
/// is honored within the timeout.
///
/// # Errors
/// Other failures end it at once: a refused secret or LoginId, 403, 404,
/// `Document_Processing_Failed`, an unreadable answer, certificates, settings. When the time is up,
/// it returns the last analysis, whose verdict is flagged or undetermined; if it has none, the last
/// failure, for which [`Error::is_wait_over`] is true.
///
/// ```no_run
/// # use std::time::Duration;
/// # use flinks_fraud::{FraudClient, LoginId};
/// # async fn run(fraud: FraudClient, login_id: LoginId) -> Result<(), flinks_fraud::Error> {
/// let analysis = fraud
///     .wait(&login_id)
///     .expected_documents(2)
///     .timeout(Duration::from_secs(3600))
///     .on_poll(|analysis| println!("{} documents so far", analysis.documents().len()))
///     .await?;
/// # Ok(())
/// # }
/// ```
#[must_use = "a wait does nothing until awaited"]
pub struct AnalysisWait {
    client: FraudClient,
    login_id: LoginId,
    expected_documents: Option<usize>,
    poll: PollConfig,
    on_poll: Option<OnPoll>,
    on_pause: Option<OnPause>,
    notified: Notified,
}

type OnPoll = Box<dyn Fn(&Analysis) + Send + Sync>;
type OnPause = Box<dyn Fn(&PollStatus<'_>) + Send + Sync>;

impl AnalysisWait {
    pub(crate) fn new(client: FraudClient, login_id: LoginId) -> Self {
        Self {
            client,
            login_id,
            expected_documents: None,
            poll: PollConfig::new(INTERVAL, TIMEOUT),
            on_poll: None,
            on_pause: None,
            notified: Notified::default(),
        }
    }

    /// Sets how many files were uploaded: with fewer documents the wait continues, and the verdict is
    /// not clean.
    pub fn expected_documents(mut self, files: impl Into<Option<usize>>) -> Self {
        self.expected_documents = files.into();
        self
    }

    /// Sets the time between two polls: 30 s by default, at least 10 ms. Each is up to 10 % shorter or
    /// longer, so that many waits do not poll in step.
    pub fn interval(mut self, interval: Duration) -> Self {
        self.poll = self.poll.with_interval(interval);
        self
    }

    /// Sets the time after which the wait ends with the last analysis; 4 h by default. The last poll
    /// begins 10 s before it (a quarter of the timeout if that is less).
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.poll = self.poll.with_timeout(timeout);
        self
    }

    /// Calls `on_poll` with every analysis that is read, the last one included, for example to show the
    /// documents that are completed.
    pub fn on_poll(mut self, on_poll: impl Fn(&Analysis) + Send + Sync + 'static) -> Self {
        self.on_poll = Some(Box::new(on_poll));
        self
    }

    /// Calls `on_pause` after every poll that does not end the wait, a failed one too, for example to
    /// show when the next one is due.
    pub fn on_pause(mut self, on_pause: impl Fn(&PollStatus<'_>) + Send + Sync + 'static) -> Self {
        self.on_pause = Some(Box::new(on_pause));
        self
    }

    /// Polls at once when `notified` resolves, as after a webhook about this LoginId, and ends the wait
    /// with that analysis if it is final or flagged.
    ///
    /// Otherwise the wait continues as before. The poll decides, never the notification: an alert does
    /// not mean flagged, and no alert does not mean clean. So a notification without a cause, such as a
    /// channel whose sender was dropped, costs one poll. After a transient failure the poll waits for
    /// its pause, so that a `Retry-After` is honored.
    ///
    /// ```no_run
    /// # use std::collections::HashMap;
    /// # use std::convert::Infallible;
    /// # use std::sync::{Arc, Mutex};
    /// # use flinks_fraud::{FraudClient, LoginId};
    /// # use flinks_webhook::{Secret, Verifier, Webhook, WebhookService};
    /// # use tokio::sync::oneshot;
    /// # async fn run(fraud: FraudClient, login_id: LoginId) -> Result<(), Box<dyn std::error::Error>> {
    /// // Shared by the handler of webhooks and by those who wait, by LoginId.
    /// let waiting: Arc<Mutex<HashMap<LoginId, oneshot::Sender<()>>>> = Arc::default();
    ///
    /// let notify = Arc::clone(&waiting);
    /// let handle = move |webhook: Webhook| {
    ///     // Any webhook about a login is a reason to look.
    ///     let login_id = webhook.login_id();
    ///     if let Some(wait) = login_id.and_then(|id| notify.lock().unwrap().remove(id)) {
    ///         drop(wait.send(()));
    ///     }
    ///     std::future::ready(Ok::<(), Infallible>(()))
    /// };
    /// let service = WebhookService::new(Verifier::new(Secret::new("secret"))?, handle);
    /// # let app: axum::Router = axum::Router::new().route_service("/flinks", service);
    ///
    /// let (sender, receiver) = oneshot::channel();
    /// waiting.lock().unwrap().insert(login_id.clone(), sender);
    /// let analysis = fraud
    ///     .wait(&login_id)
    ///     .poll_when(async { drop(receiver.await) })
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn poll_when(mut self, notified: impl Future<Output = ()> + Send + 'static) -> Self {
        self.notified.future = Some(Box::pin(notified));
        self
    }

    /// Whether a wait continues after this failure: no connection, a timeout, 408, 429, 5xx, or a
    /// FlinksCode that asks to retry, whatever its status.
    #[must_use]
    pub fn is_transient(error: &Error) -> bool {
        let api = error.api();
        match api.and_then(|api| api.flinks_code.as_ref()) {
            Some(code) if asks_to_retry(code) => return true,
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

    async fn run(mut self) -> Result<Analysis, Error> {
        let mut poller = Poller::new(self.poll, Self::is_transient);
        let mut analysis = None;
        loop {
            let call = self.client.analysis(&self.login_id);
            poll_fn(|context| {
                self.notified.look(context);
                Poll::Ready(())
            })
            .await;
            let polled = poller.poll(call).await?;
            let can_be_cut_short = polled.is_some();
            if let Some(read) = polled {
                let read = read.with_expected_documents(self.expected_documents);
                if let Some(on_poll) = &self.on_poll {
                    on_poll(&read);
                }
                let is_flagged = || matches!(read.verdict(), Verdict::Flagged(_));
                if read.is_final() || (self.notified.take() && is_flagged()) {
                    return Ok(read);
                }
                analysis = Some(read);
            }
            if let Some(on_pause) = &self.on_pause {
                on_pause(&poller.status());
            }
            if let Err(over) = self
                .notified
                .cut_short(poller.pause(), can_be_cut_short)
                .await
            {
                return analysis.ok_or_else(|| over.into_error("the analysis is still not final"));
            }
        }
    }
}

/// What a wait is notified by.
#[derive(Default)]
struct Notified {
    /// `None` after it has resolved.
    future: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    /// Whether it has resolved, and no analysis has been read since.
    is_pending: bool,
}

impl Notified {
    /// Notes whether the future has resolved.
    fn look(&mut self, context: &mut Context<'_>) {
        let resolved = self
            .future
            .as_mut()
            .map(|future| future.as_mut().poll(context));
        if resolved.is_some_and(|poll| poll.is_ready()) {
            self.future = None;
            self.is_pending = true;
        }
    }

    fn take(&mut self) -> bool {
        std::mem::take(&mut self.is_pending)
    }

    /// Ends a pause when the future resolves, if it can be cut short.
    async fn cut_short<E>(
        &mut self,
        pause: impl Future<Output = Result<(), E>> + Send,
        can_be_cut_short: bool,
    ) -> Result<(), E> {
        let mut pause = std::pin::pin!(pause);
        poll_fn(|context| {
            if can_be_cut_short {
                self.look(context);
            }
            let paused = pause.as_mut().poll(context);
            if paused.is_pending() && can_be_cut_short && self.is_pending {
                return Poll::Ready(Ok(()));
            }
            paused
        })
        .await
    }
}

impl IntoFuture for AnalysisWait {
    type Output = Result<Analysis, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

impl fmt::Debug for AnalysisWait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AnalysisWait")
            .field("login_id", &self.login_id)
            .field("expected_documents", &self.expected_documents)
            .field("poll", &self.poll)
            .finish_non_exhaustive()
    }
}

fn asks_to_retry(code: &FlinksCode) -> bool {
    is_pending(code)
        || matches!(
            code,
            FlinksCode::CardInUse | FlinksCode::RetryLater | FlinksCode::TooManyRequests
        )
}
