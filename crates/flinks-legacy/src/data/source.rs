//! What data are fetched of: an open session, or a login whose cached session is opened first.

use bytes::Bytes;
use flinks_transport::{Body, CallMeta, CustomerEndpoint, DecodeError, Error, Operation};
use flinks_types::{LoginId, Outcome, RequestId, StoredLogin};
use http::{Request, Response, response};

use crate::answer::failure;
use crate::authorize::{Authorize, AuthorizeCall};
use crate::session::Session;

/// What data are fetched of, made from a [`&Session`](Session) or a [`&LoginId`](LoginId).
///
/// Of a LoginId, such as that of a completed upload, the call first opens a session on the data
/// that the service stored: `legacy.authorize` with `MostRecentCached`. No bank is asked, so this
/// request may be sent any number of times.
#[derive(Clone, Debug)]
pub struct DataSource(pub(super) Source);

#[derive(Clone, Debug)]
pub(super) enum Source {
    Session {
        request_id: RequestId,
        /// The login that the data must belong to, if it is known.
        login_id: Option<LoginId>,
    },
    Login(LoginId),
}

impl From<&Session> for DataSource {
    fn from(session: &Session) -> Self {
        Self(Source::Session {
            request_id: session.request_id().clone(),
            login_id: session.expected_login_id().cloned(),
        })
    }
}

impl From<&LoginId> for DataSource {
    fn from(login_id: &LoginId) -> Self {
        Self(Source::Login(login_id.clone()))
    }
}

/// Opens a cached session: `legacy.authorize`, with `None` while the service works on it.
pub(super) struct CachedSession(AuthorizeCall);

impl CachedSession {
    pub(super) fn open(endpoint: CustomerEndpoint, login_id: LoginId) -> Self {
        Self(AuthorizeCall::new(endpoint, StoredLogin::cached(login_id)))
    }
}

impl Operation for CachedSession {
    type Output = Option<Session>;

    fn meta(&self) -> CallMeta {
        self.0.meta()
    }

    fn request(&self) -> Result<Request<Body>, Error> {
        self.0.request()
    }

    fn accepts(&self, parts: &response::Parts) -> bool {
        self.0.accepts(parts)
    }

    fn decode(&self, response: Response<Bytes>) -> Result<Option<Session>, DecodeError> {
        let (status, body) = (response.status().as_u16(), response.body().clone());
        match self.0.decode(response) {
            Ok(Authorize::Authorized(session)) => Ok(Some(session)),
            // Nobody is there to answer, and the data are stored: questions are a refusal.
            Ok(Authorize::Challenged(_)) => Err(failure(&body)),
            Err(DecodeError::Api(api)) => {
                let code = api.flinks_code.as_ref();
                match Outcome::of(status, api.http_status_code, code) {
                    Outcome::Pending => Ok(None),
                    Outcome::Done | Outcome::Failed => Err(DecodeError::Api(api)),
                }
            }
            Err(error) => Err(error),
        }
    }
}
