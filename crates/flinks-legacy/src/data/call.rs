//! One data call: the request that starts it, or a poll for its result.

use std::time::Duration;

use bytes::Bytes;
use flinks_transport::{
    Body, CallMeta, Credential, CustomerEndpoint, DecodeError, Error, Operation, Replay, Route,
};
use flinks_types::{FlinksCode, LoginId, RequestId, Subject};
use http::{Request, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::response::{self, DataState};
use crate::client::ATTEMPT_TIMEOUT;

/// One whole attempt, and attempts before it that did not arrive.
pub(super) const START_TIMEOUT: Duration = Duration::from_secs(5 * 60);
/// A poll waits only for its answer, which can be large.
const POLL_ATTEMPT_TIMEOUT: Duration = Duration::from_secs(120);

/// Data that can be fetched for a session: the options of the request, its routes and its answer.
///
/// Implemented by [`AccountsDetail`](super::AccountsDetail),
/// [`AccountsSummary`](super::AccountsSummary) and [`Statements`](super::Statements). The fields
/// that an implementation serializes are sent together with `RequestId`.
pub trait Data: Clone + Serialize + Send + Sync + 'static {
    /// The answer.
    type Response: DeserializeOwned + Default + Send + 'static;

    /// The name of the call that starts, such as `legacy.statements`.
    const OPERATION: &'static str;
    /// The name of the call that polls.
    const POLL_OPERATION: &'static str;
    /// The route of the request that starts.
    const ROUTE: Route;
    /// The route of a poll, which ends with the RequestId.
    const POLL_ROUTE: Route;
    /// The largest answer that is read.
    const MAX_RESPONSE_BYTES: usize;

    /// Returns the HttpStatusCode and the FlinksCode of an answer.
    fn status(response: &Self::Response) -> (Option<u16>, Option<&FlinksCode>);

    /// Checks the options before anything is sent.
    ///
    /// # Errors
    /// [`ErrorKind::Input`](flinks_transport::ErrorKind::Input): the options contradict each other.
    fn check(&self) -> Result<(), Error> {
        Ok(())
    }
}

/// One data call of a session: the request that starts it, or one poll for its result.
///
/// [`DataWait`](super::DataWait) makes these calls for you.
#[derive(Clone, Debug)]
pub struct DataCall<D> {
    endpoint: CustomerEndpoint,
    request_id: RequestId,
    login_id: Option<LoginId>,
    /// The options of a call that starts; `None` in a poll.
    data: Option<D>,
}

impl<D: Data> DataCall<D> {
    /// Creates the request that starts. Its answer may already be the result.
    ///
    /// *Effect:* the service fetches the data from the bank. It is sent again only if it provably had
    /// no effect: after an unknown outcome, [poll](Self::poll).
    #[must_use]
    pub fn start(endpoint: CustomerEndpoint, request_id: RequestId, data: D) -> Self {
        Self {
            data: Some(data),
            ..Self::poll(endpoint, request_id)
        }
    }

    /// Creates a poll for the result of a call that has been started. *Effect:* none; it may be sent
    /// any number of times.
    #[must_use]
    pub fn poll(endpoint: CustomerEndpoint, request_id: RequestId) -> Self {
        Self {
            endpoint,
            request_id,
            login_id: None,
            data: None,
        }
    }

    /// The request that starts what this call polls for.
    pub(super) fn to_start(&self, data: D) -> Self {
        Self {
            data: Some(data),
            ..self.clone()
        }
    }

    /// Sets the login of the session: an answer about another login is then an error.
    #[must_use]
    pub fn with_login_id(mut self, login_id: Option<LoginId>) -> Self {
        self.login_id = login_id;
        self
    }
}

#[derive(Serialize)]
struct StartRequest<'r, D> {
    #[serde(rename = "RequestId")]
    request_id: &'r RequestId,
    #[serde(flatten)]
    data: &'r D,
}

impl<D: Data> Operation for DataCall<D> {
    type Output = DataState<D::Response>;

    fn meta(&self) -> CallMeta {
        let meta = if self.data.is_some() {
            CallMeta::new(D::OPERATION, D::ROUTE, Replay::Unsent)
                .with_attempt_timeout(ATTEMPT_TIMEOUT)
                .with_timeout(START_TIMEOUT)
        } else {
            CallMeta::new(D::POLL_OPERATION, D::POLL_ROUTE, Replay::Safe)
                .with_attempt_timeout(POLL_ATTEMPT_TIMEOUT)
        };
        meta.with_credential(Credential::ApiKey)
            .with_max_response_bytes(D::MAX_RESPONSE_BYTES)
    }

    fn request(&self) -> Result<Request<Body>, Error> {
        let request_id = &self.request_id;
        let Some(data) = &self.data else {
            return self.endpoint.request(D::POLL_ROUTE, &[request_id.as_str()]);
        };
        data.check()?;
        let body = Body::json(&StartRequest { request_id, data })?;
        self.endpoint.json_request(D::ROUTE, &[], body)
    }

    fn decode(&self, response: Response<Bytes>) -> Result<Self::Output, DecodeError> {
        let subject = Subject::new(self.login_id.as_ref(), Some(&self.request_id));
        response::read::<D>(response, subject)
    }
}
