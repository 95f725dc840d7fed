//! Why `/Authorize` failed, who must act, and the ids in its answer.

use std::fmt;

use flinks_transport::{Error, Step};
use flinks_types::{FlinksCode, LoginId, RequestId, find_login_id, find_request_id};
use http::StatusCode;

use crate::session::Session;

/// Why no session was opened, by who must act.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Refusal {
    /// The API credentials were not accepted. *What to do:* check the keys and the customer id.
    ApiCredentials,
    /// The bank cannot be reached or is disabled. *What to do:* try again later.
    BankDown,
    /// The bank refused the login. *What to do:* ask the customer, who may have to enter user name
    /// and password again or contact the bank. Never try again unchanged: banks lock cards.
    BankLogin,
    /// The service continues in the background. The asynchronous form of Authorize is not supported.
    Pending,
    /// The session is over. *What to do:* open a new one.
    SessionOver,
    /// An answer was wrong and the bank does not ask again. *What to do:* open a new session.
    WrongAnswer,
    /// An answer was wrong and the service has ended the session. *What to do:* open a new one.
    WrongAnswerFinal,
}

/// A call to `/Authorize` that led neither to a session nor to questions.
///
/// `Display` and `Debug` are those of [`AuthorizeError::error`]. Create one with `From<Error>`, in tests
/// for example.
#[derive(Clone)]
pub struct AuthorizeError {
    pub(crate) error: Error,
    /// The login whose stored data was requested.
    pub(crate) cached_login_id: Option<LoginId>,
}

impl AuthorizeError {
    /// Returns the error of the call, with its kind, its delivery and the service's answer.
    #[must_use]
    pub fn error(&self) -> &Error {
        &self.error
    }

    /// Returns the session that the answer names, even if the answer is incomplete or malformed.
    ///
    /// After an answer that was lost in part it may be the only trace of an open session.
    #[must_use]
    pub fn request_id(&self) -> Option<RequestId> {
        let id = self.error.api().and_then(|api| api.request_id.clone());
        id.or_else(|| find_request_id(self.error.answer()?))
    }

    /// Returns the login that the answer names, even if the answer is incomplete or malformed.
    #[must_use]
    pub fn login_id(&self) -> Option<LoginId> {
        let id = self.error.api().and_then(|api| api.login_id.clone());
        id.or_else(|| find_login_id(self.error.answer()?))
    }

    /// Returns why the call was refused, or `None` if the answer does not say.
    #[must_use]
    pub fn refusal(&self) -> Option<Refusal> {
        let token_refused = self.error.step() == Step::Token
            && self.error.status() == Some(StatusCode::UNAUTHORIZED);
        if token_refused {
            return Some(Refusal::ApiCredentials);
        }
        let api = self.error.api()?;
        let accepted = StatusCode::ACCEPTED.as_u16();
        let status = self.error.status().map(|status| status.as_u16());
        if [status, api.http_status_code].contains(&Some(accepted)) {
            return Some(Refusal::Pending);
        }
        let of_bank = api.request_id.is_some() || api.login_id.is_some();
        refusal(api.flinks_code.as_ref()?, of_bank)
    }

    /// Returns the session of a cached login that was refused.
    ///
    /// The refusal repeats the bank's answer to the last refresh; the data from before can still be
    /// read. Check its age with [`Login::last_refresh`](flinks_types::Login::last_refresh).
    ///
    /// Source: Flinks help centre, cached mode and 401.
    #[must_use]
    pub fn session(&self) -> Option<Session> {
        let login_id = self.cached_login_id.clone()?;
        let refused = self.error.status() == Some(StatusCode::UNAUTHORIZED);
        let request_id: RequestId = self.error.api()?.request_id.clone()?;
        refused.then(|| Session::from_request_id(request_id).with_login_id(login_id))
    }
}

fn refusal(code: &FlinksCode, of_bank: bool) -> Option<Refusal> {
    Some(match code {
        FlinksCode::AccessDenied => Refusal::ApiCredentials,
        FlinksCode::Unauthorized if !of_bank => Refusal::ApiCredentials,
        FlinksCode::BankMaintenanceRetryLater
        | FlinksCode::DisabledInstitution
        | FlinksCode::RetryLater => Refusal::BankDown,
        FlinksCode::DisabledLogin
        | FlinksCode::InvalidLogin
        | FlinksCode::InvalidPassword
        | FlinksCode::InvalidUsername
        | FlinksCode::NewAccount
        | FlinksCode::QuestionNotFound
        | FlinksCode::Unauthorized => Refusal::BankLogin,
        FlinksCode::OperationDispatched | FlinksCode::OperationPending => Refusal::Pending,
        FlinksCode::SessionExpired | FlinksCode::SessionNonexistent => Refusal::SessionOver,
        FlinksCode::InvalidSecurityResponse => Refusal::WrongAnswer,
        FlinksCode::InvalidSecurityResponseNoRetry => Refusal::WrongAnswerFinal,
        FlinksCode::AggregationError
        | FlinksCode::AlreadyAuthorized
        | FlinksCode::CardInUse
        | FlinksCode::ConcurrentSession
        | FlinksCode::Created
        | FlinksCode::DocumentProcessingFailed
        | FlinksCode::FeatureDisabled
        | FlinksCode::InvalidRequest
        | FlinksCode::MethodNotAvailable
        | FlinksCode::NoTransaction
        | FlinksCode::Ok
        | FlinksCode::SecurityResponsesIncomplete
        | FlinksCode::TooManyRequests
        | FlinksCode::UnknownChallengeKey
        | FlinksCode::Other(_) => return None,
        // The enum is non-exhaustive: a new code has no class yet.
        _ => return None,
    })
}

impl fmt::Display for AuthorizeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.error)
    }
}

impl fmt::Debug for AuthorizeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.error, f)
    }
}

impl std::error::Error for AuthorizeError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.error.source()
    }
}

impl From<AuthorizeError> for Error {
    fn from(error: AuthorizeError) -> Self {
        error.error
    }
}

impl From<Error> for AuthorizeError {
    fn from(error: Error) -> Self {
        Self {
            error,
            cached_login_id: None,
        }
    }
}
