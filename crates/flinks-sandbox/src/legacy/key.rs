//! The keys of the legacy API: the secret, the one-time authorize token, `x-api-key`.

use std::time::Duration;

use http::{HeaderMap, StatusCode};
use serde_json::json;
use tokio::time::Instant;

use super::session::Store;
use crate::{
    answer::Answer,
    config::SandboxCredentials,
    lock,
    log::LogLine,
    state::{State, uuid},
};

/// The service's text for a secret that *GenerateAuthorizeToken* refuses.
pub(crate) const NO_AUTH_KEY: &str = "You must provide a valid auth key";
/// The service's text for a token that *Authorize* refuses.
pub(crate) const NO_AUTHORIZE_TOKEN: &str = "You must provide a valid authorize token";

/// How long a token that nobody uses is good.
const UNUSED: Duration = Duration::from_secs(30 * 60);

/// A token for one session.
#[derive(Debug)]
pub(crate) struct AuthorizeToken {
    expires: Instant,
    state: TokenState,
}

#[derive(Debug, PartialEq, Eq)]
enum TokenState {
    Fresh,
    /// Used by a call that opened no session.
    Spent,
    /// Used by a session, whose further calls may carry it too.
    Session(String),
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

pub(super) fn check_secret(
    credentials: &SandboxCredentials,
    headers: &HeaderMap,
) -> Result<(), Answer> {
    let Some(secret) = &credentials.auth_key else {
        return Ok(());
    };
    if header(headers, "flinks-auth-key") == Some(secret) {
        return Ok(());
    }
    Err(unauthorized(NO_AUTH_KEY))
}

pub(super) fn check_x_api_key(
    credentials: &SandboxCredentials,
    headers: &HeaderMap,
) -> Result<(), Answer> {
    let Some(expected) = &credentials.x_api_key else {
        return Ok(());
    };
    if header(headers, "x-api-key") == Some(expected) {
        return Ok(());
    }
    Err(Answer::house(
        StatusCode::UNAUTHORIZED,
        "ACCESS_DENIED",
        "The x-api-key is missing or wrong.",
    ))
}

fn unauthorized(message: &str) -> Answer {
    Answer::house(StatusCode::UNAUTHORIZED, "UNAUTHORIZED", message)
}

/// Issues a token for one session.
pub(super) fn issue(state: &State, line: &mut LogLine) -> Answer {
    let token = uuid();
    let issued = AuthorizeToken {
        expires: Instant::now() + UNUSED,
        state: TokenState::Fresh,
    };
    lock(&state.legacy).tokens.insert(token.clone(), issued);
    line.acted = true;
    Answer::json(
        StatusCode::OK,
        &json!({"HttpStatusCode": 200, "Token": token}),
    )
}

/// Uses up the token of an *Authorize*, if tokens are asked for. `request_id` is the session
/// that the body names: the one which used a token first may send it again.
pub(super) fn spend(
    store: &mut Store,
    credentials: &SandboxCredentials,
    headers: &HeaderMap,
    request_id: Option<&str>,
) -> Result<(), Answer> {
    if credentials.auth_key.is_none() {
        return Ok(());
    }
    let refused = || unauthorized(NO_AUTHORIZE_TOKEN);
    let text = header(headers, "flinks-auth-key").ok_or_else(refused)?;
    let token = store.tokens.get_mut(text).ok_or_else(refused)?;
    match &token.state {
        TokenState::Fresh if Instant::now() < token.expires => {
            token.state = match request_id {
                Some(id) => TokenState::Session(id.to_owned()),
                None => TokenState::Spent,
            };
            Ok(())
        }
        TokenState::Session(id) if Some(id.as_str()) == request_id => Ok(()),
        TokenState::Fresh | TokenState::Spent | TokenState::Session(_) => Err(refused()),
    }
}

/// Lets the session that a token has opened use it again.
pub(super) fn bind(store: &mut Store, headers: &HeaderMap, request_id: &str) {
    if let Some(token) = header(headers, "flinks-auth-key")
        .and_then(|text| store.tokens.get_mut(text))
        .filter(|token| token.state == TokenState::Spent)
    {
        token.state = TokenState::Session(request_id.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        config::Config,
        operation::{ApiOperation, Host},
    };

    #[tokio::test(start_paused = true)]
    async fn a_token_is_for_one_session_and_half_an_hour() {
        let mut config = Config::default();
        config.credentials.auth_key = Some("key".to_owned());
        let state = State::new(config);
        let credentials = &state.config.credentials;
        let token = || {
            let mut line = LogLine::new(Host::Results, "POST", "/", ApiOperation::AuthorizeToken);
            let body: serde_json::Value =
                serde_json::from_slice(&issue(&state, &mut line).body).unwrap();
            let mut headers = HeaderMap::new();
            headers.insert(
                "flinks-auth-key",
                body["Token"].as_str().unwrap().parse().unwrap(),
            );
            headers
        };
        let spend = |headers: &HeaderMap, id| {
            spend(&mut lock(&state.legacy), credentials, headers, id).is_ok()
        };
        let first = token();
        assert!(spend(&first, None));
        assert!(!spend(&first, None));
        assert!(!spend(&first, Some("r")));
        bind(&mut lock(&state.legacy), &first, "r");
        assert!(spend(&first, Some("r")));
        assert!(!spend(&first, Some("other")));
        assert!(!spend(&first, None));

        let answers_only = token();
        assert!(spend(&answers_only, Some("r")));
        assert!(!spend(&HeaderMap::new(), None));

        let late = token();
        tokio::time::advance(UNUSED).await;
        assert!(!spend(&late, None));
        assert!(spend(&first, Some("r")));
    }
}
