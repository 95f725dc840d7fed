//! How `/Authorize` is refused: by whom, who must act, and what the answer still tells.

use std::fmt;

use flinks_transport::{Error, Step};
use flinks_types::{FlinksCode, LoginId, RequestId, find_login_id, find_request_id};
use http::StatusCode;

use crate::session::Session;

/// Why no session came about, told by who must act.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Refusal {
    /// The API credentials are not accepted. *What to do:* check the keys and the customer id.
    ApiCredentials,
    /// The bank cannot be reached, or is switched off. *What to do:* try again later.
    BankDown,
    /// The bank does not let the customer in. *What to do:* ask the customer, who may have to type
    /// user name and password again or go to the bank; never try again unchanged.
    BankLogin,
    /// The service works on in the background, and its asynchronous form is not supported yet.
    Pending,
    /// The session is over. *What to do:* open a new one.
    SessionOver,
    /// An answer was wrong, and the bank does not ask again. *What to do:* open a new session.
    WrongAnswer,
    /// An answer was wrong, and the service says that this was the last chance of the session.
    WrongAnswerFinal,
}

/// A call to `/Authorize` that ended in no session and no questions.
///
/// `Display` is that of [`AuthorizeError::error`].
#[derive(Clone, Debug)]
pub struct AuthorizeError {
    pub(crate) error: Error,
    /// The login whose kept data was asked for.
    pub(crate) cached: Option<LoginId>,
}

impl AuthorizeError {
    /// The call's own error, with its kind, its delivery and what the service said.
    #[must_use]
    pub fn error(&self) -> &Error {
        &self.error
    }

    /// The session that the answer names, also one that cannot be read otherwise.
    ///
    /// After an answer that was lost in part it may be the only trace of a session that is open.
    #[must_use]
    pub fn request_id(&self) -> Option<RequestId> {
        let said = self.error.api().and_then(|api| api.request_id.clone());
        said.or_else(|| find_request_id(self.error.answer()?))
    }

    /// The login that the answer names, also one that cannot be read otherwise.
    #[must_use]
    pub fn login_id(&self) -> Option<LoginId> {
        let said = self.error.api().and_then(|api| api.login_id.clone());
        said.or_else(|| find_login_id(self.error.answer()?))
    }

    /// Why, and who must act; `None` when the service said nothing of the kind.
    #[must_use]
    pub fn refusal(&self) -> Option<Refusal> {
        let token_refused = self.error.step() == Step::Token
            && self.error.status() == Some(StatusCode::UNAUTHORIZED);
        if token_refused {
            return Some(Refusal::ApiCredentials);
        }
        let api = self.error.api()?;
        let accepted = StatusCode::ACCEPTED;
        if self.error.status() == Some(accepted) || api.http_status_code == Some(accepted.as_u16())
        {
            return Some(Refusal::Pending);
        }
        let of_bank = api.request_id.is_some() || api.login_id.is_some();
        refusal(api.flinks_code.as_ref()?, of_bank)
    }

    /// The session of a cached login that was refused: the refusal repeats what the bank said at
    /// the last refresh, and the data from before can still be read. Look how old it is.
    ///
    /// Source: Flinks help centre, cached mode and 401.
    #[must_use]
    pub fn session(&self) -> Option<Session> {
        let login_id = self.cached.clone()?;
        let refused = self.error.status() == Some(StatusCode::UNAUTHORIZED);
        let request_id: RequestId = self.error.api()?.request_id.clone()?;
        refused.then(|| Session::of_request(request_id).of_login(login_id))
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
        // The enum is open: what has no class above has none here.
        _ => return None,
    })
}

impl fmt::Display for AuthorizeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.error)
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
