//! `legacy.authorize`: the call that opens a session or answers its challenges.

use bytes::Bytes;
use flinks_auth::AuthorizeTokenSlot;
use flinks_transport::{
    Body, CallMeta, Credential, CustomerEndpoint, DecodeError, Error, ErrorKind, Operation, Replay,
    Route,
};
use flinks_types::{
    ApiError, AuthorizeRequest, AuthorizeResponse, FlinksCode, Login, LoginId, Outcome, RequestId,
    Subject, find_http_status_code, find_login_id, find_request_id, from_json,
};
use http::{Request, Response, StatusCode, response};

use crate::answer::check_subject;
use crate::challenge::{ChallengeRound, CompletedAnswers, OPERATION};
use crate::client::{ATTEMPT_TIMEOUT, LegacyClient};
use crate::refusal::AuthorizeError;
use crate::session::Session;

const ROUTE: Route = Route::post("/v3/{customerId}/BankingServices/Authorize");

/// The result of a successful call to `/Authorize`.
#[derive(Clone, Debug)]
#[non_exhaustive]
#[must_use = "a session may be waiting for answers"]
pub enum Authorize {
    /// The session is open.
    Authorized(Session),
    /// The bank asks questions. Their answers may lead to another round, any number of times.
    Challenged(ChallengeRound),
}

impl Authorize {
    /// Reads the body of an answer, such as one that a test provides in place of the service's.
    ///
    /// ```
    /// use flinks_legacy::{Authorize, DecodeError, QuestionKind};
    ///
    /// /// The code under test: how many questions need a person?
    /// fn questions(step: &Authorize) -> usize {
    ///     match step {
    ///         Authorize::Challenged(round) => round.questions().len(),
    ///         _ => 0,
    ///     }
    /// }
    ///
    /// # fn main() -> Result<(), DecodeError> {
    /// let asks = Authorize::from_json(br#"{ "HttpStatusCode": 203, "RequestId": "9022abc2",
    ///     "SecurityChallenges": [{ "Type": "QuestionAndAnswer", "Prompt": "Your pet?" }] }"#)?;
    /// assert_eq!(questions(&asks), 1);
    ///
    /// let opens = br#"{ "HttpStatusCode": 200, "RequestId": "9022abc2", "Login": { "Id": "b0debb48" } }"#;
    /// let Authorize::Authorized(session) = Authorize::from_json(opens)? else { panic!() };
    /// assert_eq!(session.login_id().unwrap().as_str(), "b0debb48");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`DecodeError`]: the answer is a failure, or lacks what a session needs.
    pub fn from_json(body: &[u8]) -> Result<Self, DecodeError> {
        let answer: AuthorizeResponse =
            from_json(body).map_err(|error| DecodeError::json(&error))?;
        let status = answer
            .http_status_code
            .and_then(|status| StatusCode::from_u16(status).ok());
        let status = status.unwrap_or(StatusCode::OK);
        read(answer, status, &Context::default())
            .map_err(|refused| refused.into_error(status, body))
    }
}

impl LegacyClient {
    /// Opens a session with [`Credentials`](flinks_types::Credentials) or a
    /// [`StoredLogin`](flinks_types::StoredLogin): `legacy.authorize`.
    ///
    /// *Effect:* signs in at the bank, except for a cached login. It is sent at most once, because
    /// banks lock cards; only a cached login is sent again when an attempt fails. The service may
    /// take 210 s.
    ///
    /// # Errors
    /// [`AuthorizeError`]: its [`refusal`](AuthorizeError::refusal) says who must act.
    pub async fn authorize(
        &self,
        request: impl Into<AuthorizeRequest> + Send,
    ) -> Result<Authorize, AuthorizeError> {
        self.send(AuthorizeCall::new(self.endpoint().clone(), request))
            .await
    }

    /// Answers a round of challenges: `legacy.authorize`.
    ///
    /// *Effect:* the bank checks the answers, and a code is then used up. They are sent at most once.
    /// After an unknown outcome, open a new session.
    ///
    /// # Errors
    /// [`AuthorizeError`]: its [`refusal`](AuthorizeError::refusal) distinguishes a wrong answer
    /// from a session that has ended. A wrong answer after which the bank asks again is not an
    /// error but a round with [`answers_were_wrong`](ChallengeRound::answers_were_wrong).
    pub async fn answer(&self, answers: CompletedAnswers) -> Result<Authorize, AuthorizeError> {
        let CompletedAnswers {
            responses,
            token,
            login_id,
        } = answers;
        let call = AuthorizeCall::new(self.endpoint().clone(), responses);
        self.send(call.with_token(token).with_login_id(login_id))
            .await
    }

    async fn send(&self, call: AuthorizeCall) -> Result<Authorize, AuthorizeError> {
        let cached = call.request.is_cached();
        let cached_login_id = call.context.login_id.clone().filter(|_| cached);
        let outcome = self.transport().call(call).await;
        outcome.map_err(|error| AuthorizeError {
            error,
            cached_login_id,
        })
    }
}

/// The call that opens a session or answers its challenges: `legacy.authorize`.
///
/// Source: Legacy guide, Authorize.
#[derive(Clone, Debug)]
pub struct AuthorizeCall {
    endpoint: CustomerEndpoint,
    request: AuthorizeRequest,
    context: Context,
}

/// What is known of a session before the answer.
#[derive(Clone, Debug, Default)]
struct Context {
    request_id: Option<RequestId>,
    login_id: Option<LoginId>,
    token: AuthorizeTokenSlot,
}

impl AuthorizeCall {
    /// Creates a call that begins a session, unless `request` holds answers.
    #[must_use]
    pub fn new(endpoint: CustomerEndpoint, request: impl Into<AuthorizeRequest>) -> Self {
        let request = request.into();
        let context = Context {
            request_id: request.request_id().cloned(),
            login_id: request.login_id().cloned(),
            token: AuthorizeTokenSlot::new(),
        };
        Self {
            endpoint,
            request,
            context,
        }
    }

    /// Sets the login of the session: an answer about another login is then an error.
    #[must_use]
    pub fn with_login_id(mut self, login_id: Option<LoginId>) -> Self {
        self.context.login_id = login_id;
        self
    }

    /// Sets the authorize token of the session that this call continues.
    #[must_use]
    pub fn with_token(mut self, token: AuthorizeTokenSlot) -> Self {
        self.context.token = token;
        self
    }
}

fn read(
    answer: AuthorizeResponse,
    status: StatusCode,
    context: &Context,
) -> Result<Authorize, NoSession> {
    let code = answer.flinks_code.as_ref();
    let is_over = code == Some(&FlinksCode::InvalidSecurityResponseNoRetry);
    let is_challenge = !answer.security_challenges.is_empty() && !is_over;
    let is_authorized = code == Some(&FlinksCode::AlreadyAuthorized);
    if !is_challenge && !is_authorized {
        let inner = answer.http_status_code;
        if Outcome::of(status.as_u16(), inner, code) != Outcome::Done {
            return Err(NoSession::Failed);
        }
        // A 203 promises questions; a session that is open already has none.
        if status.as_u16() == 203 || inner == Some(203) {
            return Err(NoSession::Missing("the challenges"));
        }
    }
    // The RequestId of before must not make a session of an answer that says nothing.
    if answer == AuthorizeResponse::default() {
        return Err(NoSession::Missing("everything"));
    }
    // The answer to a round may bring a new RequestId, which replaces the one before.
    let request_id = answer
        .request_id
        .clone()
        .or_else(|| context.request_id.clone());
    let request_id = request_id.ok_or(NoSession::Missing("a RequestId"))?;
    let login_id = context.login_id.clone();
    Ok(if is_challenge {
        let token = context.token.clone();
        Authorize::Challenged(ChallengeRound::new(request_id, answer, token, login_id))
    } else {
        Authorize::Authorized(Session::new(request_id, answer, login_id))
    })
}

/// Why an answer opens no session and asks no questions.
enum NoSession {
    /// It says that the call failed.
    Failed,
    /// It lacks what a session needs.
    Missing(&'static str),
}

impl NoSession {
    fn into_error(self, status: StatusCode, body: &[u8]) -> DecodeError {
        match self {
            Self::Failed => failure(status, body),
            Self::Missing(what) => DecodeError::Malformed(format!("the answer lacks {what}")),
        }
    }
}

fn failure(status: StatusCode, body: &[u8]) -> DecodeError {
    let mut error = ApiError::from_body(body).unwrap_or_default();
    // The body's status outranks the other unless it contradicts a failure.
    let inner = error.http_status_code;
    if !status.is_success() && inner.is_none_or(|inner| (200..300).contains(&inner)) {
        error.http_status_code = Some(status.as_u16());
    }
    DecodeError::api(error)
}

/// Adds ids that are in undocumented places of the answer: they may not be available later.
fn with_ids(mut answer: AuthorizeResponse, body: &[u8]) -> AuthorizeResponse {
    answer.request_id = answer.request_id.or_else(|| find_request_id(body));
    let known = answer.login.as_ref().and_then(|login| login.id.as_ref());
    // Questions can be long, and their round does not need the login.
    if known.is_none()
        && answer.security_challenges.is_empty()
        && let Some(login_id) = find_login_id(body)
    {
        answer.login.get_or_insert_default().id = Some(login_id);
    }
    answer
}

impl Operation for AuthorizeCall {
    type Output = Authorize;

    fn meta(&self) -> CallMeta {
        let replay = if self.request.is_cached() {
            Replay::Safe
        } else {
            Replay::Never
        };
        // Two tokens may have to be fetched in addition.
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
            Error::new(ErrorKind::Input, "the request cannot be written as JSON").with_source(error)
        })?;
        let body = if self.request.is_cached() {
            Body::from(json)
        } else {
            Body::sealed(json).with_secrets(self.request.secrets())
        };
        let mut request = self.endpoint.json_request(ROUTE, &[], body)?;
        request.extensions_mut().insert(self.context.token.clone());
        Ok(request)
    }

    /// A 401 may hold questions: every answer but a redirect is read.
    fn accepts(&self, parts: &response::Parts) -> bool {
        !parts.status.is_redirection()
    }

    fn decode(&self, response: Response<Bytes>) -> Result<Authorize, DecodeError> {
        let (parts, body) = response.into_parts();
        let status = parts.status;
        let answer = match from_json::<AuthorizeResponse>(&body) {
            Ok(answer) => with_ids(answer, &body),
            Err(error) if status.is_success() => return Err(DecodeError::json(&error)),
            // A gateway's page says no more than its status.
            Err(_) => return Err(failure(status, &body)),
        };
        let read = read(answer, status, &self.context);
        // A refusal of a cached login offers its session, so its login must be the right one too.
        if read.is_ok() || self.request.is_cached() {
            check_subject(Subject::new(self.context.login_id.as_ref(), None), &body)?;
        }
        read.map_err(|refused| refused.into_error(status, &body))
    }

    /// The bank must not be asked again, so an answer that is malformed must not cost the session.
    ///
    /// Only an answer that names a Login opens one; an answer with questions or a reason does not.
    fn recover(&self, answer: &[u8]) -> Option<Authorize> {
        let text = String::from_utf8_lossy(answer).replace('\0', "");
        let opens = find_http_status_code(answer) == Some(200)
            && !["SecurityChallenges", "FlinksCode"]
                .iter()
                .any(|word| text.contains(word));
        let login_id = find_login_id(answer)?;
        let expected = self.context.login_id.as_ref();
        let is_another = expected.is_some_and(|login| login.is_another(login_id.as_str()));
        if self.request.is_cached() || !opens || is_another {
            return None;
        }
        let sent = || self.context.request_id.clone();
        let request_id = find_request_id(answer).or_else(sent)?;
        let mut login = Login::default();
        login.id = Some(login_id);
        let mut response = AuthorizeResponse::default();
        response.login = Some(login);
        let session = Session::new(request_id, response, expected.cloned());
        Some(Authorize::Authorized(session))
    }
}
