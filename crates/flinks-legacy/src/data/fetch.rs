//! The data calls as values: the request that begins, and the poll that asks for the result.

use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use bytes::Bytes;
use flinks_transport::{
    Body, CallMeta, Credential, DecodeError, Endpoint, Error, Operation, Replay, Route,
};
use flinks_types::{
    AccountsResponse, CustomerId, FlinksCode, LoginId, RequestId, StatementsResponse, Subject,
};
use http::{Method, Request, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::answer::{Fetched, fetched};
use super::place::{Place, json};

/// The service answers a synchronous call after 210 s at the latest, with a 202 if need be.
pub(crate) const ATTEMPT: Duration = Duration::from_secs(240);
/// One whole attempt, and attempts before it that did not arrive.
pub(crate) const DEADLINE: Duration = Duration::from_secs(5 * 60);
/// A poll waits for nothing but its answer, which can be large.
const POLL_ATTEMPT: Duration = Duration::from_secs(120);

/// Data that a session gives: what can be asked for, where, and what is answered.
///
/// The SDK's own are [`AccountsDetail`](super::AccountsDetail),
/// [`AccountsSummary`](super::AccountsSummary) and [`Statements`](super::Statements); the fields
/// that they serialise stand beside `RequestId` in the request.
pub trait Data: Serialize + Send + Sync + 'static {
    /// What is answered.
    type Response: DataResponse;

    /// The operation's name, such as `legacy.statements`.
    const CALL: &'static str;
    /// The name of the operation that asks for the result.
    const POLL: &'static str;
    /// The route of the call that begins.
    const ROUTE: Route;
    /// The route of the call that asks for the result.
    const POLL_ROUTE: Route;
    /// The path below `BankingServices`.
    const PATH: &'static str;
    /// The path to poll; the RequestId follows it.
    const POLL_PATH: &'static str;
    /// How large an answer may be.
    const MAX_RESPONSE_BYTES: usize;

    /// Whether it can be asked for like this.
    ///
    /// # Errors
    /// [`ErrorKind::Input`](flinks_transport::ErrorKind::Input), saying what to change.
    fn check(&self) -> Result<(), Error> {
        Ok(())
    }
}

/// An answer of a data call: what it says of itself.
pub trait DataResponse: DeserializeOwned + Default + Send + 'static {
    /// The status that the body repeats.
    fn http_status_code(&self) -> Option<u16>;
    /// The service's word for what happened.
    fn flinks_code(&self) -> Option<&FlinksCode>;
}

impl DataResponse for AccountsResponse {
    fn http_status_code(&self) -> Option<u16> {
        self.http_status_code
    }

    fn flinks_code(&self) -> Option<&FlinksCode> {
        self.flinks_code.as_ref()
    }
}

impl DataResponse for StatementsResponse {
    fn http_status_code(&self) -> Option<u16> {
        self.http_status_code
    }

    fn flinks_code(&self) -> Option<&FlinksCode> {
        self.flinks_code.as_ref()
    }
}

/// Begins a data call, and may already bring its result.
///
/// *Effect:* the service begins to work. Sent again by itself only if it provably had no effect:
/// after an unknown outcome ask [`DataPoll`].
#[derive(Clone, Debug)]
pub struct DataRequest<D> {
    place: Place,
    request_id: RequestId,
    login_id: Option<LoginId>,
    data: D,
}

impl<D: Data> DataRequest<D> {
    /// Asks `endpoint` for `data` of the session that `request_id` names.
    #[must_use]
    pub fn new(
        endpoint: Endpoint,
        customer_id: CustomerId,
        request_id: RequestId,
        data: D,
    ) -> Self {
        Self::at(Place::new(endpoint, customer_id), request_id, data)
    }

    pub(crate) fn at(place: Place, request_id: RequestId, data: D) -> Self {
        Self {
            place,
            request_id,
            login_id: None,
            data,
        }
    }

    /// The same, of a session whose login is known: an answer about another one is refused.
    #[must_use]
    pub fn of_login(mut self, login_id: Option<LoginId>) -> Self {
        self.login_id = login_id;
        self
    }
}

#[derive(Serialize)]
struct Wire<'r, D> {
    #[serde(rename = "RequestId")]
    request_id: &'r RequestId,
    #[serde(flatten)]
    data: &'r D,
}

impl<D: Data> Operation for DataRequest<D> {
    type Output = Fetched<D::Response>;

    fn meta(&self) -> CallMeta {
        CallMeta::new(D::CALL, D::ROUTE, Replay::Unsent)
            .with_credential(Credential::ApiKey)
            .with_attempt_timeout(ATTEMPT)
            .with_timeout(DEADLINE)
            .with_max_response_bytes(D::MAX_RESPONSE_BYTES)
    }

    fn request(&self) -> Result<Request<Body>, Error> {
        self.data.check()?;
        let body = json(&Wire {
            request_id: &self.request_id,
            data: &self.data,
        })?;
        self.place.tell(Method::POST, D::PATH, body)
    }

    fn decode(&self, response: Response<Bytes>) -> Result<Self::Output, DecodeError> {
        let subject = Subject::new(self.login_id.as_ref(), Some(&self.request_id));
        fetched(response, subject)
    }
}

/// Asks for the result of a data call that was begun. *Effect:* none; it may be asked any number
/// of times.
pub struct DataPoll<D> {
    place: Place,
    request_id: RequestId,
    login_id: Option<LoginId>,
    data: PhantomData<fn() -> D>,
}

impl<D: Data> DataPoll<D> {
    /// Asks `endpoint` for the result of the call that was begun with `request_id`.
    #[must_use]
    pub fn new(endpoint: Endpoint, customer_id: CustomerId, request_id: RequestId) -> Self {
        Self::at(Place::new(endpoint, customer_id), request_id)
    }

    pub(crate) fn at(place: Place, request_id: RequestId) -> Self {
        Self {
            place,
            request_id,
            login_id: None,
            data: PhantomData,
        }
    }

    /// The same, of a session whose login is known: an answer about another one is refused.
    #[must_use]
    pub fn of_login(mut self, login_id: Option<LoginId>) -> Self {
        self.login_id = login_id;
        self
    }
}

impl<D: Data> Operation for DataPoll<D> {
    type Output = Fetched<D::Response>;

    fn meta(&self) -> CallMeta {
        CallMeta::new(D::POLL, D::POLL_ROUTE, Replay::Safe)
            .with_credential(Credential::ApiKey)
            .with_attempt_timeout(POLL_ATTEMPT)
            .with_max_response_bytes(D::MAX_RESPONSE_BYTES)
    }

    fn request(&self) -> Result<Request<Body>, Error> {
        let id = self.request_id.as_str();
        self.place.ask(Method::GET, D::POLL_PATH, Some(id))
    }

    fn decode(&self, response: Response<Bytes>) -> Result<Self::Output, DecodeError> {
        let subject = Subject::new(self.login_id.as_ref(), Some(&self.request_id));
        fetched(response, subject)
    }
}

impl<D: Data> fmt::Debug for DataPoll<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DataPoll")
            .field("operation", &D::POLL)
            .field("place", &self.place)
            .field("request_id", &self.request_id)
            .finish()
    }
}
