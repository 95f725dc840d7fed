//! Begins a data call and polls for its result, so that it is begun once whatever happens.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::time::Duration;

use flinks_transport::{Delivery, Error, ErrorKind};
use flinks_types::{FlinksCode, LoginId, RequestId, RetryClass};
use http::StatusCode;
use tokio::time::{Instant, sleep};

use super::answer::{Collected, Fetched};
use super::fetch::{DEADLINE, Data, DataPoll, DataRequest};
use crate::{LegacyClient, Session};

/// What the service recommends.
const INTERVAL: Duration = Duration::from_secs(10);
/// How long the service keeps at it.
const LIMIT: Duration = Duration::from_secs(30 * 60);
/// A shorter interval would be a busy loop.
const SHORTEST_INTERVAL: Duration = Duration::from_millis(10);
/// Nothing here needs longer, and sums of times stay far from overflowing.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);
/// What the last poll is left to be answered in, unless a quarter of the deadline is less.
const LAST_POLL: Duration = Duration::from_secs(10);
/// How often a host may be out of reach that has never answered.
const UNREACHED_POLLS: u32 = 5;

/// Waits for the data of a session: awaiting it sends the first request at once.
///
/// The call is begun with one POST, which the service answers with the data or, after 210 s at
/// the latest, with a 202. Then, and also when the outcome of the POST is unknown, the
/// asynchronous call is polled with the same RequestId; there is never a second POST. Polls that
/// fail for a reason that passes (no connection, timeouts, `TOO_MANY_REQUESTS`, `CARD_IN_USE`, and
/// 408, 429 and 5xx without a FlinksCode that is known) are made again, and a `Retry-After` is
/// honoured.
///
/// It may be dropped at any time once the first answer is there, and resumed with the `_async`
/// method of the client, in another process if need be: the RequestId is all it takes.
///
/// ```
/// # use flinks_auth::LegacyKeys;
/// # use flinks_legacy::LegacyClient;
/// # use flinks_transport::{Body, Endpoint, Transport};
/// # use flinks_types::CustomerId;
/// use flinks_legacy::{AccountsDetail, Session};
/// use flinks_types::{DaysOfTransactions, RequestId};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let answering = tower::service_fn(|_: http::Request<Body>| async {
/// #     let body = r#"{"HttpStatusCode":200,"Accounts":[{"Balance":{"Current":1.10}}]}"#;
/// #     Ok::<_, std::convert::Infallible>(http::Response::new(Body::from(body.to_owned())))
/// # });
/// # let legacy = LegacyClient::new(
/// #     Transport::builder().service(answering).build()?,
/// #     Endpoint::instance("toolbox")?,
/// #     CustomerId::new("43387ca6")?,
/// #     LegacyKeys::new(),
/// # )?;
/// let session = Session::of_request(RequestId::new("006fd2f3-055b-4ef6-a9fc-c1261cd76ec6")?);
/// let detail = legacy
///     .accounts_detail(&session)
///     .options(AccountsDetail::new().days(DaysOfTransactions::Days365))
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
/// What does not pass is returned at once: a session that has expired, refused keys, an unreadable
/// or too large answer, and one about another session or login than this. [`ErrorKind::Timeout`] when the deadline comes while the service is still
/// at work.
#[must_use = "a fetch does nothing until awaited"]
pub struct Fetch<D> {
    client: LegacyClient,
    request_id: RequestId,
    login_id: Option<LoginId>,
    /// What to begin; nothing when only the result is asked for.
    data: Option<D>,
    interval: Duration,
    deadline: Duration,
    on_pending: Option<OnPending>,
}

type OnPending = Box<dyn Fn(Duration) + Send + Sync>;

impl<D> Fetch<D> {
    fn new(client: LegacyClient, session: &Session, data: Option<D>) -> Self {
        Self {
            client,
            request_id: session.request_id().clone(),
            login_id: session.expected_login().cloned(),
            data,
            interval: INTERVAL,
            deadline: LIMIT,
            on_pending: None,
        }
    }

    pub(crate) fn polling(client: LegacyClient, session: &Session) -> Self {
        Self::new(client, session, None)
    }

    /// What to ask for, instead of what the service gives by default.
    ///
    /// It has no effect on a fetch that only goes on waiting: what was asked for is settled.
    pub fn options(mut self, options: D) -> Self {
        if self.data.is_some() {
            self.data = Some(options);
        }
        self
    }

    /// The time between polls; 10 s by default. Each is up to 10 % shorter or longer, so that many
    /// fetches do not poll in step. At least 10 ms.
    pub fn interval(mut self, interval: Duration) -> Self {
        self.interval = interval.clamp(SHORTEST_INTERVAL, LONGEST);
        self
    }

    /// The time after which the wait ends; 30 min by default. The last poll begins 10 s before it
    /// (earlier by a quarter of a deadline under 40 s).
    pub fn timeout(mut self, deadline: Duration) -> Self {
        self.deadline = deadline.min(LONGEST);
        self
    }

    /// Calls this with the time that has passed, whenever the service says that it is at work.
    pub fn on_pending(mut self, on_pending: impl Fn(Duration) + Send + Sync + 'static) -> Self {
        self.on_pending = Some(Box::new(on_pending));
        self
    }
}

impl<D: Data + Default> Fetch<D> {
    pub(crate) fn starting(client: LegacyClient, session: &Session) -> Self {
        Self::new(client, session, Some(D::default()))
    }
}

/// What is known between two requests.
struct Waiting {
    start: Instant,
    end: Instant,
    /// The failure of the request that began the call, when its outcome is unknown.
    lost: Option<Error>,
    /// The last failure that may pass.
    failure: Option<Error>,
    /// How many polls never reached the host; nothing once it has answered.
    unreached: Option<u32>,
}

impl<D: Data> Fetch<D> {
    async fn run(mut self) -> Result<Collected<D::Response>, Error> {
        let start = Instant::now();
        let end = start + self.deadline;
        let last_poll = end - LAST_POLL.min(self.deadline / 4);
        let mut waiting = Waiting {
            start,
            end,
            lost: None,
            failure: None,
            unreached: Some(0),
        };
        if let Some(data) = self.data.take() {
            if let Some(answer) = self.begin(data, &mut waiting).await? {
                return Ok(answer);
            }
            let left = last_poll.saturating_duration_since(Instant::now());
            sleep(self.pause().min(left)).await;
        }
        loop {
            let (answer, pause) = self.poll(&mut waiting).await?;
            if let Some(answer) = answer {
                return Ok(answer);
            }
            let left = last_poll.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(self.too_late(waiting));
            }
            sleep(pause.min(left)).await;
        }
    }

    /// Begins the call, once.
    async fn begin(
        &self,
        data: D,
        waiting: &mut Waiting,
    ) -> Result<Option<Collected<D::Response>>, Error> {
        let call = DataRequest::at(self.client.place(), self.request_id.clone(), data)
            .of_login(self.login_id.clone());
        let limit = DEADLINE.min(self.deadline);
        match self.client.transport().call(call).timeout(limit).await {
            Ok(fetched) => Ok(self.note(fetched, waiting)),
            Err(error) if is_open(&error) => {
                tracing::debug!(
                    operation = D::CALL,
                    kind = error.kind().as_str(),
                    "the outcome is unknown: asking for the result"
                );
                waiting.lost = Some(error);
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// One poll, and how long to pause when it brings no result.
    async fn poll(
        &self,
        waiting: &mut Waiting,
    ) -> Result<(Option<Collected<D::Response>>, Duration), Error> {
        let call = DataPoll::<D>::at(self.client.place(), self.request_id.clone())
            .of_login(self.login_id.clone());
        let transport = self.client.transport();
        let left = waiting.end.saturating_duration_since(Instant::now());
        let limit = left.min(transport.timeout());
        match transport.call(call).timeout(limit).await {
            Ok(fetched) => {
                waiting.failure = None;
                Ok((self.note(fetched, waiting), self.pause()))
            }
            Err(error) if passes(&error) => {
                tracing::debug!(
                    operation = D::POLL,
                    kind = error.kind().as_str(),
                    "a poll failed"
                );
                waiting.unreached = waiting
                    .unreached
                    .filter(|_| error.kind() == ErrorKind::Connect)
                    .map(|polls| polls + 1);
                if waiting
                    .unreached
                    .is_some_and(|polls| polls >= UNREACHED_POLLS)
                {
                    return Err(after(error, waiting.lost.take()));
                }
                let pause = self.pause().max(error.retry_after().unwrap_or_default());
                // What the deadline cut off says less than the failure before it.
                if waiting.failure.is_none() || Instant::now() < waiting.end {
                    waiting.failure = Some(error);
                }
                Ok((None, pause))
            }
            Err(error) => Err(after(error, waiting.lost.take())),
        }
    }

    /// The result, if this is it.
    fn note(
        &self,
        fetched: Fetched<D::Response>,
        waiting: &mut Waiting,
    ) -> Option<Collected<D::Response>> {
        waiting.unreached = None;
        match fetched {
            Fetched::Ready(answer) => Some(answer),
            Fetched::Pending(_) => {
                waiting.lost = None;
                if let Some(on_pending) = &self.on_pending {
                    on_pending(waiting.start.elapsed());
                }
                None
            }
        }
    }

    fn too_late(&self, waiting: Waiting) -> Error {
        let error = waiting.failure.unwrap_or_else(|| {
            let message = format!(
                "the service is still at work after {} s: ask for the result of RequestId {} later",
                self.deadline.as_secs_f64(),
                self.request_id
            );
            Error::new(ErrorKind::Timeout, message)
                .with_delivery(Delivery::Delivered)
                .with_operation(D::POLL)
        });
        after(error, waiting.lost)
    }

    fn pause(&self) -> Duration {
        self.interval.mul_f64(0.9 + 0.2 * fastrand::f64())
    }
}

/// Whether a call may have begun whose answer did not come. A FlinksCode is an answer.
fn is_open(error: &Error) -> bool {
    error.delivery() == Delivery::Unknown && code_of(error).is_none()
}

/// Whether the next poll may fare better.
fn passes(error: &Error) -> bool {
    match code_of(error) {
        // A code that nobody knows decides nothing.
        None | Some(FlinksCode::Other(_)) => {}
        Some(code) => {
            return code.retry_class() == Some(RetryClass::Poll)
                || matches!(code, FlinksCode::CardInUse | FlinksCode::TooManyRequests);
        }
    }
    // The body's own status outranks the one it came with.
    let said = error.api().and_then(|api| api.http_status_code);
    let said = said.filter(|status| *status >= 400);
    let said = said.and_then(|status| StatusCode::from_u16(status).ok());
    let is_passing_status = said.or_else(|| error.status()).is_some_and(|status| {
        status.is_server_error()
            || status == StatusCode::REQUEST_TIMEOUT
            || status == StatusCode::TOO_MANY_REQUESTS
    });
    matches!(
        error.kind(),
        ErrorKind::Connect | ErrorKind::Connection | ErrorKind::Timeout
    ) || (error.kind() == ErrorKind::Api && is_passing_status)
}

fn code_of(error: &Error) -> Option<&FlinksCode> {
    error.api()?.flinks_code.as_ref()
}

/// What a poll says after the beginning was lost leaves open whether anything was begun.
fn after(error: Error, lost: Option<Error>) -> Error {
    match lost {
        Some(lost) => error.with_delivery(Delivery::Unknown).with_source(lost),
        None => error,
    }
}

impl<D: Data> IntoFuture for Fetch<D> {
    type Output = Result<Collected<D::Response>, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

impl<D: Data> fmt::Debug for Fetch<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fetch")
            .field("operation", &D::CALL)
            .field("request_id", &self.request_id)
            .field("begins", &self.data.is_some())
            .field("interval", &self.interval)
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}
