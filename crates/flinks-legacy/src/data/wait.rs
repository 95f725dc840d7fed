//! Starts a data call at most once and polls for its result.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::time::Duration;

use flinks_transport::poll::{self, PollConfig, Poller};
use flinks_transport::{Delivery, Error, Operation};
use flinks_types::{FlinksCode, RetryClass};

use super::call::{Data, DataCall, START_TIMEOUT};
use super::response::{DataState, WithRawBody};
use crate::client::LegacyClient;
use crate::session::Session;

/// The interval that the service recommends.
const INTERVAL: Duration = Duration::from_secs(10);
/// The service gives up after this time.
const TIMEOUT: Duration = Duration::from_secs(30 * 60);

/// Fetches the data of a session and waits for it: awaiting it sends the first request at once.
///
/// One POST starts the call. The service answers it with the data or, after 210 s at the latest,
/// with a 202. Then, and also if the outcome of the POST is unknown, the asynchronous call is polled
/// with the same RequestId; the POST is never sent a second time. Polling continues after failures
/// that may pass: no connection, timeouts, `TOO_MANY_REQUESTS`, `CARD_IN_USE`, and 408, 429 and 5xx
/// without a known FlinksCode. A `Retry-After` is honored.
///
/// It may be dropped at any time once the first answer has come, and resumed with the client's
/// `_async` method, in another process too: only the RequestId is needed.
///
/// ```
/// # use flinks_auth::LegacyKeys;
/// # use flinks_legacy::LegacyClient;
/// # use flinks_transport::testing::{Reply, ScriptedService};
/// # use flinks_transport::{Endpoint, Transport};
/// # use flinks_types::CustomerId;
/// use flinks_legacy::{AccountsDetail, Session};
/// use flinks_types::{DaysOfTransactions, RequestId};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let body = r#"{"HttpStatusCode":200,"Accounts":[{"Balance":{"Current":1.10}}]}"#;
/// # let service = ScriptedService::new([Reply::json(200, body)]);
/// # let legacy = LegacyClient::new(
/// #     Transport::builder().service(service).build()?,
/// #     Endpoint::instance("toolbox")?,
/// #     CustomerId::new("43387ca6")?,
/// #     LegacyKeys::new(),
/// # )?;
/// let session = Session::from_request_id(RequestId::new("006fd2f3-055b-4ef6-a9fc-c1261cd76ec6")?);
/// let detail = legacy
///     .accounts_detail(&session)
///     .options(AccountsDetail::new().with_days(DaysOfTransactions::Days365))
///     .await?;
/// for account in detail.accounts.iter().flatten() {
///     let balance = account.balance.as_ref().and_then(|b| b.current.as_ref());
///     let cents = balance.and_then(|balance| balance.units(2));
/// #   assert_eq!(cents, Some(110));
/// }
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// Failures that polling cannot resolve are returned at once: a session that has expired, refused
/// keys, an answer that is malformed, too large, or about another session or login.
/// [`ErrorKind::Timeout`](flinks_transport::ErrorKind::Timeout) if the service has not finished
/// in time; [`Error::is_wait_over`] is then true.
#[must_use = "a wait does nothing until awaited"]
pub struct DataWait<D> {
    client: LegacyClient,
    call: DataCall<D>,
    config: PollConfig,
    on_pending: Option<OnPending>,
}

type OnPending = Box<dyn Fn(Duration) + Send + Sync>;

impl<D: Data> DataWait<D> {
    /// Polls only: the call has been started before.
    pub(super) fn resume(client: LegacyClient, session: &Session) -> Self {
        let call = DataCall::poll(client.endpoint().clone(), session.request_id().clone())
            .with_login_id(session.expected_login_id().cloned());
        Self {
            client,
            call,
            config: PollConfig::new(INTERVAL, TIMEOUT),
            on_pending: None,
        }
    }

    pub(super) fn start(client: LegacyClient, session: &Session) -> Self
    where
        D: Default,
    {
        let mut wait = Self::resume(client, session);
        wait.call.data = Some(D::default());
        wait
    }

    /// Sets the options of the request, in place of the service's defaults.
    ///
    /// Ignored by an `_async` method: the options were sent when the call was started.
    pub fn options(mut self, options: D) -> Self {
        self.call.data = self.call.data.map(|_| options);
        self
    }

    /// Sets the time between polls, at least 10 ms; 10 s by default. Each pause is up to 10 % shorter
    /// or longer, so that many waits do not poll in step.
    pub fn interval(mut self, interval: Duration) -> Self {
        self.config = self.config.with_interval(interval);
        self
    }

    /// Sets the time after which the wait ends; 30 min by default. The last poll begins 10 s before
    /// it (a quarter of the timeout if that is less).
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.config = self.config.with_timeout(timeout);
        self
    }

    /// Calls `on_pending` with the elapsed time whenever an answer is pending.
    pub fn on_pending(mut self, on_pending: impl Fn(Duration) + Send + Sync + 'static) -> Self {
        self.on_pending = Some(Box::new(on_pending));
        self
    }

    async fn run(mut self) -> Result<WithRawBody<D::Response>, Error> {
        let transport = self.client.transport().clone();
        let mut poller = Poller::new(self.config, is_transient);
        // The failure of the request that starts, while its outcome is unknown.
        let mut lost = None;
        if self.call.data.is_some() {
            let poll = self.call.to_poll();
            let start = std::mem::replace(&mut self.call, poll);
            let operation = start.meta().operation();
            let timeout = START_TIMEOUT.min(self.config.timeout());
            match transport.call(start).timeout(timeout).await {
                Ok(DataState::Ready(data)) => return Ok(data),
                Ok(DataState::Pending(_)) => {
                    poller.answered();
                    self.report_pending(&poller);
                }
                Err(error) if is_unknown(&error) => {
                    let kind = error.kind().as_str();
                    tracing::debug!(
                        operation,
                        kind,
                        "the outcome is unknown: polling for the result"
                    );
                    lost = Some(error);
                }
                Err(error) => return Err(error),
            }
            // Whatever time is left, there is one poll at least.
            poller.pause().await.ok();
        }
        loop {
            match poller.poll(transport.call(self.call.to_poll())).await {
                Ok(Some(DataState::Ready(data))) => return Ok(data),
                Ok(Some(DataState::Pending(_))) => {
                    lost = None;
                    self.report_pending(&poller);
                }
                Ok(None) => {}
                Err(error) => return Err(caused_by(error, lost)),
            }
            if let Err(over) = poller.pause().await {
                let message = format!(
                    "the service is still working after {} s: request the result of RequestId {} later",
                    over.timeout().as_secs_f64(),
                    self.call.request_id
                );
                return Err(caused_by(over.into_error(message), lost));
            }
        }
    }

    fn report_pending(&self, poller: &Poller) {
        if let Some(on_pending) = &self.on_pending {
            on_pending(poller.elapsed());
        }
    }
}

/// Whether the call may have been started although no answer came. A FlinksCode is an answer.
fn is_unknown(error: &Error) -> bool {
    error.delivery() == Delivery::Unknown && flinks_code(error).is_none()
}

/// Whether the failure may be gone at the next poll.
fn is_transient(error: &Error) -> bool {
    match flinks_code(error) {
        // An unknown code decides nothing.
        None | Some(FlinksCode::Other(_)) => poll::is_transient(error),
        Some(code) => {
            code.retry_class() == Some(RetryClass::Poll)
                || matches!(code, FlinksCode::CardInUse | FlinksCode::TooManyRequests)
        }
    }
}

fn flinks_code(error: &Error) -> Option<&FlinksCode> {
    error.api()?.flinks_code.as_ref()
}

/// The failure of a poll. If the outcome of the start is unknown, so is that of the whole call.
fn caused_by(error: Error, lost: Option<Error>) -> Error {
    match lost {
        Some(lost) => error.with_delivery(Delivery::Unknown).with_source(lost),
        None => error,
    }
}

impl<D: Data> IntoFuture for DataWait<D> {
    type Output = Result<WithRawBody<D::Response>, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

impl<D: Data> fmt::Debug for DataWait<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DataWait")
            .field("operation", &self.call.meta().operation())
            .field("request_id", &self.call.request_id)
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}
