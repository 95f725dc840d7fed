//! Starts a data call at most once and polls for its result.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::time::Duration;

use flinks_transport::poll::{self, PollConfig, PollStatus, Poller};
use flinks_transport::{Delivery, Error, Operation};
use flinks_types::{FlinksCode, LoginId, RequestId, RetryClass};

use super::call::{Data, DataCall, START_TIMEOUT};
use super::response::{DataState, WithRawBody};
use super::source::{CachedSession, DataSource, Source};
use crate::client::LegacyClient;
use crate::refusal::AuthorizeError;
use crate::session::Session;

/// The interval that the service recommends.
const INTERVAL: Duration = Duration::from_secs(10);
/// The service gives up after this time.
const TIMEOUT: Duration = Duration::from_secs(30 * 60);

/// Fetches data and waits for them: awaiting it sends the first request at once.
///
/// One POST starts the call. The service answers it with the data or, after 210 s at the latest,
/// with a 202. Then, and also if the outcome of the POST is unknown, the asynchronous call is polled
/// with the same RequestId; in a session, the POST is never sent a second time. Polling continues
/// after failures that may pass: no connection, timeouts, `TOO_MANY_REQUESTS`, `CARD_IN_USE`, and
/// 408, 429 and 5xx without a known FlinksCode. A `Retry-After` is honored.
///
/// It may be dropped at any time once the first answer has come, and resumed with the client's
/// `_async` method, in another process too: only the RequestId is needed.
///
/// # Of a LoginId
///
/// Data of a [LoginId](DataSource) begin with a cached session, and that request with a refusal is
/// an error of `legacy.authorize`: `INVALID_LOGIN`, questions of the bank, or what the bank answered
/// to the last refresh ([`allow_stale`](Self::allow_stale)). A 202 is waited for.
///
/// **The data of an upload** come when the service has read the documents: usually within 10 minutes,
/// sometimes after 4 hours, so set a [`timeout`](Self::timeout). A session ends after 30 minutes
/// (`SESSION_EXPIRED`, `SESSION_NONEXISTENT`); if it was pending until then, another one is opened
/// and the call is started there, until the time is up. `Document_Processing_Failed` is final:
/// upload the document again. An older service answers `RETRY_LATER` instead, which ends the wait
/// too: call again some minutes later.
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
    source: Source,
    /// The options of the request; `None` if the call has been started before.
    data: Option<D>,
    allow_stale: bool,
    config: PollConfig,
    on_pause: Option<OnPause>,
}

type OnPause = Box<dyn Fn(&PollStatus<'_>) + Send + Sync>;

impl<D: Data> DataWait<D> {
    /// Polls only: the call has been started before.
    pub(super) fn resume(client: LegacyClient, session: &Session) -> Self {
        Self {
            client,
            source: DataSource::from(session).0,
            data: None,
            allow_stale: false,
            config: PollConfig::new(INTERVAL, TIMEOUT),
            on_pause: None,
        }
    }

    pub(super) fn start(client: LegacyClient, source: impl Into<DataSource>) -> Self
    where
        D: Default,
    {
        Self {
            client,
            source: source.into().0,
            data: Some(D::default()),
            allow_stale: false,
            config: PollConfig::new(INTERVAL, TIMEOUT),
            on_pause: None,
        }
    }

    /// Sets the options of the request, in place of the service's defaults.
    ///
    /// Ignored by an `_async` method: the options were sent when the call was started.
    pub fn options(mut self, options: D) -> Self {
        self.data = self.data.map(|_| options);
        self
    }

    /// Sets whether data of a LoginId are fetched even if the service refuses its cached session;
    /// false by default.
    ///
    /// A refusal with a RequestId repeats the bank's answer to the last refresh, and the session can
    /// still be used: for the data from before. Their age is
    /// [`Login::last_refresh`](flinks_types::Login::last_refresh) of the answer.
    ///
    /// Source: Flinks help centre, cached mode and 401.
    pub fn allow_stale(mut self, allow: bool) -> Self {
        self.allow_stale = allow;
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

    /// Calls `on_pause` before each pause: when an answer is pending, and when a request failed in a
    /// way that does not end the wait.
    pub fn on_pause(mut self, on_pause: impl Fn(&PollStatus<'_>) + Send + Sync + 'static) -> Self {
        self.on_pause = Some(Box::new(on_pause));
        self
    }

    async fn run(self) -> Result<WithRawBody<D::Response>, Error> {
        let mut poller = Poller::new(self.config, is_transient);
        let login_id = match &self.source {
            Source::Session {
                request_id,
                login_id,
            } => {
                let call = self.poll_call(request_id.clone(), login_id.clone());
                return match self.fetch(&call, &mut poller).await? {
                    Fetched::Data(data) => Ok(data),
                    Fetched::SessionOver(error) => Err(error),
                };
            }
            Source::Login(login_id) => login_id,
        };
        let mut is_first = true;
        loop {
            let session = self.open(login_id, is_first, &mut poller).await?;
            let call = self.poll_call(session.request_id().clone(), Some(login_id.clone()));
            match self.fetch(&call, &mut poller).await? {
                Fetched::Data(data) => return Ok(data),
                Fetched::SessionOver(_) => {
                    tracing::debug!(
                        name: "flinks.bank_session_reopened",
                        { flinks.operation = call.meta().operation() },
                        "the bank session is over; another one is opened"
                    );
                    self.pause(&mut poller).await?;
                }
            }
            is_first = false;
        }
    }

    /// Opens a cached session. The first failure is returned at once; later, in the middle of a wait,
    /// the failures that end a poll.
    async fn open(
        &self,
        login_id: &LoginId,
        mut is_first: bool,
        poller: &mut Poller,
    ) -> Result<Session, Error> {
        loop {
            let endpoint = self.client.endpoint().clone();
            let operation = CachedSession::open(endpoint, login_id.clone());
            let call = self.client.transport().call(operation);
            let answer = if is_first {
                call.timeout(self.start_timeout(poller)).await.map(Some)
            } else {
                poller.poll(call).await
            };
            match answer {
                Ok(Some(Some(session))) => {
                    poller.answered();
                    return Ok(session);
                }
                Ok(Some(None)) => {
                    poller.answered();
                }
                Ok(None) => {}
                Err(error) => return self.stale(error, login_id),
            }
            is_first = false;
            self.pause(poller).await?;
        }
    }

    /// The session that the refusal of a cached login offers, if it may be used.
    fn stale(&self, error: Error, login_id: &LoginId) -> Result<Session, Error> {
        let refused = AuthorizeError {
            error,
            cached_login_id: Some(login_id.clone()),
        };
        let session = refused.session().filter(|_| self.allow_stale);
        session.ok_or(refused.error)
    }

    /// Starts the call, unless it was started before, and polls for its result with `call`.
    async fn fetch(&self, call: &DataCall<D>, poller: &mut Poller) -> Result<Fetched<D>, Error> {
        let transport = self.client.transport();
        let mut is_pending = false;
        // The failure of the request that starts, while its outcome is unknown.
        let mut lost = None;
        if let Some(data) = &self.data {
            let start = call.to_start(data.clone());
            let operation = start.meta().operation();
            let timeout = self.start_timeout(poller);
            match transport.call(start).timeout(timeout).await {
                Ok(DataState::Ready(data)) => return Ok(Fetched::Data(data)),
                Ok(DataState::Pending(_)) => {
                    is_pending = true;
                    poller.answered();
                }
                Err(error) if is_unknown(&error) => {
                    tracing::debug!(
                        name: "flinks.polls_after_loss",
                        { flinks.operation = operation, error.type = error.kind().as_str() },
                        "the outcome of the call is unknown; its result is polled for"
                    );
                    lost = Some(error);
                }
                Err(error) => return Err(error),
            }
            self.report_pause(poller);
            // Whatever time is left, there is one poll at least.
            poller.pause().await.ok();
        }
        loop {
            match poller.poll(transport.call(call.clone())).await {
                Ok(Some(DataState::Ready(data))) => return Ok(Fetched::Data(data)),
                Ok(Some(DataState::Pending(_))) => {
                    is_pending = true;
                    lost = None;
                }
                Ok(None) => {}
                Err(error) if is_pending && is_session_over(&error) => {
                    return Ok(Fetched::SessionOver(error));
                }
                Err(error) => return Err(caused_by(error, lost)),
            }
            if let Err(over) = self.pause(poller).await {
                return Err(caused_by(over, lost));
            }
        }
    }

    fn poll_call(&self, request_id: RequestId, login_id: Option<LoginId>) -> DataCall<D> {
        DataCall::poll(self.client.endpoint().clone(), request_id).with_login_id(login_id)
    }

    /// The time for a request that is no poll.
    fn start_timeout(&self, poller: &Poller) -> Duration {
        let left = self.config.timeout().saturating_sub(poller.elapsed());
        START_TIMEOUT.min(left)
    }

    /// Sleeps until the next request is due, or returns the error of a wait that is over.
    async fn pause(&self, poller: &mut Poller) -> Result<(), Error> {
        self.report_pause(poller);
        poller.pause().await.map_err(|over| {
            let seconds = over.timeout().as_secs_f64();
            let what = match &self.source {
                Source::Session { request_id, .. } => {
                    format!("request the result of RequestId {request_id} later")
                }
                Source::Login(_) => "fetch the data of this LoginId again later".to_owned(),
            };
            over.into_error(format!(
                "the service is still working after {seconds} s: {what}"
            ))
        })
    }

    fn report_pause(&self, poller: &Poller) {
        if let Some(on_pause) = &self.on_pause {
            on_pause(&poller.status());
        }
    }
}

/// How the wait in one session ended.
enum Fetched<D: Data> {
    Data(WithRawBody<D::Response>),
    /// The session expired before the data were there.
    SessionOver(Error),
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

fn is_session_over(error: &Error) -> bool {
    matches!(
        flinks_code(error),
        Some(FlinksCode::SessionExpired | FlinksCode::SessionNonexistent)
    )
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
        let operation = match &self.data {
            Some(_) => D::OPERATION,
            None => D::POLL_OPERATION,
        };
        f.debug_struct("DataWait")
            .field("operation", &operation)
            .field("source", &self.source)
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}
