//! `legacy.authorize`: the call that opens a session or answers its challenges, and how it can end.

use std::time::Duration;

use bytes::Bytes;
use flinks_auth::AuthorizeToken;
use flinks_transport::{
    Body, CallMeta, Credential, DecodeError, Endpoint, Error, ErrorKind, Operation, Replay, Route,
};
use flinks_types::{
    ApiError, AuthorizeRequest, AuthorizeResponse, CustomerId, FlinksCode, Login, LoginId, Outcome,
    Subject, find_http_status_code, find_login_id, find_request_id, from_json,
};
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Request, Response, StatusCode, response};

use crate::answers::AnsweredRound;
use crate::challenge::Round;
use crate::client::LegacyClient;
use crate::data::about;
use crate::refusal::AuthorizeError;
use crate::session::Session;

const ROUTE: Route = Route::post("/v3/{customerId}/BankingServices/Authorize");
pub(crate) const OPERATION: &str = "legacy.authorize";

/// The service itself waits up to 210 s for a bank.
pub(crate) const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(240);

/// How a call to `/Authorize` went well.
#[derive(Clone, Debug)]
#[non_exhaustive]
#[must_use = "a session may be waiting for answers"]
pub enum Authorize {
    /// The session is open.
    Authorized(Session),
    /// The bank asks. Answers may lead to more questions, any number of times.
    Challenged(Round),
}

impl LegacyClient {
    /// Opens a session, from [`Credentials`](flinks_types::Credentials) or a
    /// [`StoredLogin`](flinks_types::StoredLogin): `legacy.authorize`.
    ///
    /// *Effect:* signs in at the bank, but for a cached login. It is sent once, come what may:
    /// banks lock cards. A cached login is asked again when an attempt fails. The service may
    /// take 210 s.
    ///
    /// # Errors
    /// [`AuthorizeError`]: its [`refusal`](AuthorizeError::refusal) tells who must act.
    pub async fn authorize(
        &self,
        request: impl Into<AuthorizeRequest> + Send,
    ) -> Result<Authorize, AuthorizeError> {
        self.run(AuthorizeCall::new(
            self.endpoint().clone(),
            self.customer_id().clone(),
            request,
        ))
        .await
    }

    /// Answers a round of challenges: `legacy.authorize`.
    ///
    /// *Effect:* the bank checks the answers; a code is then spent. It is sent once, come what
    /// may. After an unknown outcome open a new session.
    ///
    /// # Errors
    /// [`AuthorizeError`]: its [`refusal`](AuthorizeError::refusal) tells a wrong answer from a
    /// session that is over. A wrong answer that the bank asks for again is no error, but a round
    /// whose [`answers_were_wrong`](Round::answers_were_wrong).
    pub async fn answer(&self, answers: AnsweredRound) -> Result<Authorize, AuthorizeError> {
        let AnsweredRound {
            responses,
            token,
            login_id,
        } = answers;
        let call = AuthorizeCall::new(
            self.endpoint().clone(),
            self.customer_id().clone(),
            responses,
        );
        self.run(call.of_session(token).of_login(login_id)).await
    }

    async fn run(&self, call: AuthorizeCall) -> Result<Authorize, AuthorizeError> {
        let cached = call.login_id.clone().filter(|_| call.request.is_cached());
        let outcome = self.transport().call(call).await;
        outcome.map_err(|error| AuthorizeError { error, cached })
    }
}

/// Opens a session or answers its challenges: `legacy.authorize`, as a value.
///
/// Source: Legacy guide, Authorize.
#[derive(Clone, Debug)]
pub struct AuthorizeCall {
    endpoint: Endpoint,
    customer_id: CustomerId,
    request: AuthorizeRequest,
    login_id: Option<LoginId>,
    token: AuthorizeToken,
}

impl AuthorizeCall {
    /// Asks `endpoint`, in a session of its own.
    #[must_use]
    pub fn new(
        endpoint: Endpoint,
        customer_id: CustomerId,
        request: impl Into<AuthorizeRequest>,
    ) -> Self {
        let request = request.into();
        Self {
            endpoint,
            customer_id,
            login_id: request.login_id().cloned(),
            request,
            token: AuthorizeToken::new(),
        }
    }

    /// The same call in the session of a known login: an answer about another one is refused.
    #[must_use]
    pub fn of_login(mut self, login_id: Option<LoginId>) -> Self {
        self.login_id = login_id;
        self
    }

    /// The same call in the session that `token` belongs to.
    #[must_use]
    pub fn of_session(mut self, token: AuthorizeToken) -> Self {
        self.token = token;
        self
    }

    fn read(&self, answer: AuthorizeResponse, status: StatusCode) -> Result<Authorize, Refused> {
        let code = answer.flinks_code.as_ref();
        let over = code == Some(&FlinksCode::InvalidSecurityResponseNoRetry);
        let challenged = !answer.security_challenges.is_empty() && !over;
        let authorized = code == Some(&FlinksCode::AlreadyAuthorized);
        if !challenged && !authorized {
            let inner = answer.http_status_code;
            if Outcome::of(status.as_u16(), inner, code) != Outcome::Done {
                return Err(Refused::Said);
            }
            // A 203 promises questions; a session that is open already has none.
            if status.as_u16() == 203 || inner == Some(203) {
                return Err(Refused::Lacks("the challenges"));
            }
        }
        // The RequestId of before must not make a session of an answer that says nothing.
        if answer == AuthorizeResponse::default() {
            return Err(Refused::Lacks("everything"));
        }
        let newest = answer.request_id.clone();
        let request_id = newest.or_else(|| self.request.request_id().cloned());
        let request_id = request_id.ok_or(Refused::Lacks("a RequestId"))?;
        let login_id = self.login_id.clone();
        Ok(if challenged {
            Authorize::Challenged(Round::new(request_id, answer, self.token.clone(), login_id))
        } else {
            Authorize::Authorized(Session::new(request_id, answer, login_id))
        })
    }
}

/// The answer with ids that stand in it otherwise than documented: they exist nowhere else.
fn with_ids(mut answer: AuthorizeResponse, body: &[u8]) -> AuthorizeResponse {
    answer.request_id = answer.request_id.or_else(|| find_request_id(body));
    let known = answer.login.as_ref().and_then(|login| login.id.as_ref());
    if known.is_none()
        && let Some(login_id) = find_login_id(body)
    {
        answer.login.get_or_insert_default().id = Some(login_id);
    }
    answer
}

/// Why an answer opens nothing.
enum Refused {
    /// It says so.
    Said,
    /// It lacks what nobody can go on without.
    Lacks(&'static str),
}

impl Operation for AuthorizeCall {
    type Output = Authorize;

    fn meta(&self) -> CallMeta {
        let replay = if self.request.is_cached() {
            Replay::Safe
        } else {
            Replay::Never
        };
        // Two tokens may have to be fetched besides.
        CallMeta::new(OPERATION, ROUTE, replay)
            .with_credential(Credential::AuthorizeToken)
            .with_attempt_timeout(ATTEMPT_TIMEOUT)
            .with_timeout(ATTEMPT_TIMEOUT * 2)
    }

    fn request(&self) -> Result<Request<Body>, Error> {
        if let Some(field) = self.request.missing() {
            let message = format!("{field} must not be empty");
            return Err(Error::new(ErrorKind::Input, message));
        }
        let json = self.request.to_json().map_err(|error| {
            Error::new(ErrorKind::Input, "this request cannot be written").with_source(error)
        })?;
        let body = if self.request.is_cached() {
            Body::from(json)
        } else {
            Body::sealed(json).with_secrets(self.request.secrets())
        };
        let customer = self.customer_id.as_str();
        let path = ["v3", customer, "BankingServices", "Authorize"];
        let mut request = Request::new(body);
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.endpoint.join(path)?;
        let json = HeaderValue::from_static("application/json");
        request.headers_mut().insert(CONTENT_TYPE, json);
        request.extensions_mut().insert(self.token.clone());
        Ok(request)
    }

    /// A 401 may hold questions: whatever is no redirect is read.
    fn accepts(&self, parts: &response::Parts) -> bool {
        !parts.status.is_redirection()
    }

    fn decode(&self, response: Response<Bytes>) -> Result<Authorize, DecodeError> {
        let (parts, body) = response.into_parts();
        let status = parts.status;
        let said = || {
            let mut said = ApiError::from_body(&body).unwrap_or_default();
            // The body's status outranks the other unless it contradicts a failure.
            let inner = said.http_status_code;
            if !status.is_success() && inner.is_none_or(|inner| (200..300).contains(&inner)) {
                said.http_status_code = Some(status.as_u16());
            }
            DecodeError::api(said)
        };
        let answer = match from_json::<AuthorizeResponse>(&body) {
            Ok(answer) => with_ids(answer, &body),
            Err(error) if status.is_success() => return Err(DecodeError::json(&error)),
            // A gateway's page says no more than its status.
            Err(_) => return Err(said()),
        };
        let read = self.read(answer, status);
        // The RequestId is not compared: a round's answer may bring a new one, and the newest counts.
        // A refusal of a cached login offers its session.
        if read.is_ok() || self.request.is_cached() {
            about(Subject::new(self.login_id.as_ref(), None), &body)?;
        }
        read.map_err(|refused| match refused {
            Refused::Said => said(),
            Refused::Lacks(what) => DecodeError::Malformed(format!("the answer lacks {what}")),
        })
    }

    /// The bank has been asked, and must not be asked again: a formality must not cost the session.
    ///
    /// Only an answer that names a Login opens one; an answer that asks, or gives a reason, does not.
    fn recover(&self, answer: &[u8]) -> Option<Authorize> {
        let text = String::from_utf8_lossy(answer).replace('\0', "");
        let opens = find_http_status_code(answer) == Some(200)
            && !["SecurityChallenges", "FlinksCode"]
                .iter()
                .any(|word| text.contains(word));
        let login_id = find_login_id(answer)?;
        let is_asked = |asked: &LoginId| !asked.is_another(login_id.as_str());
        if self.request.is_cached() || !opens || !self.login_id.as_ref().is_none_or(is_asked) {
            return None;
        }
        let sent = || self.request.request_id().cloned();
        let request_id = find_request_id(answer).or_else(sent)?;
        let mut login = Login::default();
        login.id = Some(login_id);
        let mut read = AuthorizeResponse::default();
        read.login = Some(login);
        let session = Session::new(request_id, read, self.login_id.clone());
        Some(Authorize::Authorized(session))
    }
}
