//! The legacy API of the results host: Authorize with its challenges, then data.

mod accounts;
mod authorize;
mod calendar;
mod cards;
mod challenges;
mod data;
mod data_request;
mod images;
mod institutions;
mod keys;
mod links;
mod sandbox_user;
mod sessions;
mod statements;
mod transactions;
mod users;

use http::HeaderMap;
use http::request::Parts;
use serde_json::json;

pub(crate) use self::data::{accounts_of_login, accounts_of_request};
use self::data_request::Dataset;
pub(crate) use self::keys::{NO_AUTH_KEY, NO_AUTHORIZE_TOKEN};
pub use self::sandbox_user::SandboxUser;
pub(crate) use self::sessions::Store;
pub use self::sessions::{CACHED_LOGIN_ID, DEVICE_LOGIN_ID, REFUSED_LOGIN_ID, SandboxLogin};
pub(crate) use self::users::User;
use crate::answer::Answer;
use crate::lock::lock;
use crate::log::LogLine;
use crate::operation::ApiOperation;
use crate::request::{authorization, is_of_type};
use crate::routes::Route;
use crate::state::State;

/// Refuses a request by its customer, its keys or the type of its body.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "every other call takes the x-api-key"
)]
pub(crate) fn admit(state: &State, headers: &HeaderMap, route: Route<'_>) -> Result<(), Answer> {
    let credentials = &state.config.credentials;
    if route.customer_id != credentials.customer_id {
        return Err(Answer::forbidden("The customer of the path is unknown."));
    }
    match route.operation {
        ApiOperation::AuthorizeToken => keys::check_secret(credentials, headers)?,
        // Authorize checks its token with its body, which names the session.
        ApiOperation::Authorize | ApiOperation::Institutions => {}
        ApiOperation::NightlyStatus => {
            if authorization(headers, "bearer") != Some(&credentials.api_secret) {
                return Err(Answer::denied("The bearer is not the API secret."));
            }
        }
        _ => keys::check_x_api_key(credentials, headers)?,
    }
    let has_json = matches!(
        route.endpoint,
        "Authorize"
            | "GetAccountsDetail"
            | "GetAccountsSummary"
            | "GetStatements"
            | "AnswerMFAQuestions"
            | "SetScheduledRefresh"
    );
    if has_json && !is_of_type(headers, "application/json") {
        return Err(Answer::not_json());
    }
    Ok(())
}

/// Performs a call.
pub(crate) fn act(
    state: &State,
    route: Route<'_>,
    head: &Parts,
    body: &[u8],
    line: &mut LogLine,
) -> Result<Answer, Answer> {
    match route.endpoint {
        "GenerateAuthorizeToken" => {
            line.acted = true;
            let token = lock(&state.legacy).tokens.issue();
            Ok(Answer::ok(&json!({"HttpStatusCode": 200, "Token": token})))
        }
        "Authorize" => authorize::authorize(state, &head.headers, body, line),
        "DeleteCard" => cards::delete(state, route.id, line),
        "GetMFAQuestions" => cards::questions(state, route.id, line),
        "AnswerMFAQuestions" => cards::answer_questions(state, body, line),
        "SetScheduledRefresh" => cards::set_scheduled_refresh(state, body, line),
        "GetNightlyRefreshStatus" => Ok(cards::nightly_status(state)),
        "Institutions" => institutions::page(head.uri.query().unwrap_or_default()),
        endpoint => match Dataset::with_endpoint(endpoint) {
            Some((dataset, false)) => data::start(state, dataset, body, line),
            Some((dataset, true)) => data::poll(state, dataset, route.id, line),
            None => Err(Answer::invalid("There is no such endpoint.")),
        },
    }
}
