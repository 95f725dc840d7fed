//! The legacy API of the results host: Authorize with its challenges, then data.

mod account;
mod authorize;
mod calendar;
mod card;
mod challenge;
mod data;
mod fields;
mod image;
mod institution;
mod key;
mod session;
mod statement;
mod transaction;
mod user;

use http::{HeaderMap, Method, StatusCode, request::Parts};

pub use self::session::{CACHED_LOGIN_ID, DEVICE_LOGIN_ID, REFUSED_LOGIN_ID, SandboxLogin};
pub(crate) use self::{
    data::Dataset,
    key::{NO_AUTH_KEY, NO_AUTHORIZE_TOKEN},
    session::Store,
};
use crate::{
    answer::Answer, bearer, log::LogLine, media, operation::ApiOperation, state::State, upload,
};

/// A call under `/v3/{customerId}/BankingServices`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call<'a> {
    AuthorizeToken,
    Authorize,
    Data(Dataset),
    DataAsync {
        dataset: Dataset,
        request_id: &'a str,
    },
    DeleteCard {
        login_id: &'a str,
    },
    MfaQuestions {
        login_id: &'a str,
    },
    AnswerMfaQuestions,
    SetScheduledRefresh,
    NightlyStatus,
    Institutions,
}

impl<'a> Call<'a> {
    /// The call of an endpoint and of the id behind it.
    pub(crate) fn new(endpoint: &str, id: Option<&'a str>) -> Option<Self> {
        match id {
            None => Some(match endpoint {
                "GenerateAuthorizeToken" => Self::AuthorizeToken,
                "Authorize" => Self::Authorize,
                "AnswerMFAQuestions" => Self::AnswerMfaQuestions,
                "SetScheduledRefresh" => Self::SetScheduledRefresh,
                "GetNightlyRefreshStatus" => Self::NightlyStatus,
                "Institutions" => Self::Institutions,
                _ => Self::Data(Dataset::with_endpoint(endpoint)?),
            }),
            Some("") => None,
            Some(id) => match endpoint {
                "DeleteCard" => Some(Self::DeleteCard { login_id: id }),
                "GetMFAQuestions" => Some(Self::MfaQuestions { login_id: id }),
                _ => Some(Self::DataAsync {
                    dataset: Dataset::with_endpoint(endpoint.strip_suffix("Async")?)?,
                    request_id: id,
                }),
            },
        }
    }

    pub(crate) fn method(self) -> Method {
        match self {
            Self::AuthorizeToken | Self::Authorize | Self::Data(_) => Method::POST,
            Self::DataAsync { .. }
            | Self::MfaQuestions { .. }
            | Self::NightlyStatus
            | Self::Institutions => Method::GET,
            Self::DeleteCard { .. } => Method::DELETE,
            Self::AnswerMfaQuestions | Self::SetScheduledRefresh => Method::PATCH,
        }
    }

    pub(crate) fn operation(self) -> ApiOperation {
        match self {
            Self::AuthorizeToken => ApiOperation::AuthorizeToken,
            Self::Authorize => ApiOperation::Authorize,
            Self::Data(_) => ApiOperation::Data,
            Self::DataAsync { .. } => ApiOperation::DataAsync,
            Self::DeleteCard { .. } => ApiOperation::DeleteCard,
            Self::MfaQuestions { .. } | Self::AnswerMfaQuestions => ApiOperation::MfaQuestions,
            Self::SetScheduledRefresh => ApiOperation::ScheduledRefresh,
            Self::NightlyStatus => ApiOperation::NightlyStatus,
            Self::Institutions => ApiOperation::Institutions,
        }
    }
}

/// What can be told from the head alone: the customer, the keys, the form of the body.
pub(crate) fn admit(
    state: &State,
    headers: &HeaderMap,
    customer_id: &str,
    call: Call<'_>,
) -> Result<(), Answer> {
    let credentials = &state.config.credentials;
    if customer_id != credentials.customer_id {
        return Err(Answer::house(
            StatusCode::FORBIDDEN,
            "ACCESS_DENIED",
            "The customer of the path is unknown.",
        ));
    }
    match call {
        Call::AuthorizeToken => key::check_secret(credentials, headers)?,
        // The token belongs to the session that the body names.
        Call::Authorize => {}
        Call::Data(_)
        | Call::DataAsync { .. }
        | Call::DeleteCard { .. }
        | Call::MfaQuestions { .. }
        | Call::AnswerMfaQuestions
        | Call::SetScheduledRefresh => key::check_x_api_key(credentials, headers)?,
        Call::NightlyStatus => {
            if bearer::of(headers) != Some(&credentials.api_secret) {
                return Err(Answer::house(
                    StatusCode::UNAUTHORIZED,
                    "ACCESS_DENIED",
                    "The bearer is not the API secret.",
                ));
            }
        }
        Call::Institutions => {}
    }
    let has_body = matches!(
        call,
        Call::Authorize | Call::Data(_) | Call::AnswerMfaQuestions | Call::SetScheduledRefresh
    );
    if has_body && !media::is(headers, "application/json") {
        return Err(upload::wrong_media_type());
    }
    Ok(())
}

pub(crate) fn act(
    state: &State,
    call: Call<'_>,
    head: &Parts,
    body: &[u8],
    line: &mut LogLine,
) -> Result<Answer, Answer> {
    match call {
        Call::AuthorizeToken => Ok(key::issue(state, line)),
        Call::Authorize => authorize::authorize(state, &head.headers, body, line),
        Call::Data(dataset) => data::start(state, dataset, body, line),
        Call::DataAsync {
            dataset,
            request_id,
        } => data::poll(state, dataset, request_id, line),
        Call::DeleteCard { login_id } => card::delete(state, login_id, line),
        Call::MfaQuestions { login_id } => card::questions(state, login_id, line),
        Call::AnswerMfaQuestions => card::answer_questions(state, body, line),
        Call::SetScheduledRefresh => card::set_scheduled_refresh(state, body, line),
        Call::NightlyStatus => Ok(card::nightly_status(state)),
        Call::Institutions => institution::page(head.uri.query().unwrap_or_default()),
    }
}
