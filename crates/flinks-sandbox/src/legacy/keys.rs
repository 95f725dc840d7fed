//! The keys of the legacy API: the secret, the one-time authorize token, `x-api-key`.

use std::collections::HashMap;
use std::time::Duration;

use http::{HeaderMap, StatusCode};
use tokio::time::Instant;

use crate::answer::Answer;
use crate::config::SandboxCredentials;
use crate::ids::uuid;
use crate::request::text;

/// The service's message for a secret that *GenerateAuthorizeToken* refuses.
pub(crate) const NO_AUTH_KEY: &str = "You must provide a valid auth key";
/// The service's message for a token that *Authorize* refuses.
pub(crate) const NO_AUTHORIZE_TOKEN: &str = "You must provide a valid authorize token";

/// The lifetime of a token that is not used.
const UNUSED: Duration = Duration::from_secs(30 * 60);

/// The authorize tokens that were issued.
#[derive(Debug, Default)]
pub(super) struct AuthorizeTokens(HashMap<String, TokenState>);

#[derive(Debug, PartialEq, Eq)]
enum TokenState {
    /// Not used; expires at this time.
    Fresh(Instant),
    /// Used by a call that opened no session.
    Spent,
    /// Used by the session with this RequestId, which may use it again.
    Session(String),
}

pub(super) fn check_secret(
    credentials: &SandboxCredentials,
    headers: &HeaderMap,
) -> Result<(), Answer> {
    match &credentials.auth_key {
        Some(secret) if text(headers, "flinks-auth-key") != Some(secret) => Err(Answer::error(
            StatusCode::UNAUTHORIZED,
            "UNAUTHORIZED",
            NO_AUTH_KEY,
        )),
        Some(_) | None => Ok(()),
    }
}

pub(super) fn check_x_api_key(
    credentials: &SandboxCredentials,
    headers: &HeaderMap,
) -> Result<(), Answer> {
    match &credentials.x_api_key {
        Some(key) if text(headers, "x-api-key") != Some(key) => {
            Err(Answer::denied("The x-api-key is missing or wrong."))
        }
        Some(_) | None => Ok(()),
    }
}

impl AuthorizeTokens {
    /// Issues a token for one session.
    pub(super) fn issue(&mut self) -> String {
        let token = uuid();
        let state = TokenState::Fresh(Instant::now() + UNUSED);
        self.0.insert(token.clone(), state);
        token
    }

    /// Uses the token of an *Authorize*, if tokens are required. `request_id` is the session that
    /// the body names: the session that used a token first may use it again.
    pub(super) fn spend(
        &mut self,
        credentials: &SandboxCredentials,
        headers: &HeaderMap,
        request_id: Option<&str>,
    ) -> Result<(), Answer> {
        if credentials.auth_key.is_none() {
            return Ok(());
        }
        let refusal = Answer::error(StatusCode::UNAUTHORIZED, "UNAUTHORIZED", NO_AUTHORIZE_TOKEN);
        let Some(state) = self.of(headers) else {
            return Err(refusal);
        };
        match state {
            TokenState::Fresh(expires) if Instant::now() < *expires => {
                *state = match request_id {
                    Some(id) => TokenState::Session(id.to_owned()),
                    None => TokenState::Spent,
                };
                Ok(())
            }
            TokenState::Session(id) if Some(id.as_str()) == request_id => Ok(()),
            TokenState::Fresh(_) | TokenState::Spent | TokenState::Session(_) => Err(refusal),
        }
    }

    /// Lets the session that a token has opened use it again.
    pub(super) fn bind(&mut self, headers: &HeaderMap, request_id: &str) {
        let state = self.of(headers);
        if let Some(state) = state.filter(|state| **state == TokenState::Spent) {
            *state = TokenState::Session(request_id.to_owned());
        }
    }

    fn of(&mut self, headers: &HeaderMap) -> Option<&mut TokenState> {
        self.0.get_mut(text(headers, "flinks-auth-key")?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_token_is_for_one_session_and_half_an_hour() {
        let credentials = SandboxCredentials {
            auth_key: Some("key".to_owned()),
            ..SandboxCredentials::default()
        };
        let tokens = std::cell::RefCell::new(AuthorizeTokens::default());
        let token = || {
            let mut headers = HeaderMap::new();
            let token = tokens.borrow_mut().issue();
            headers.insert("flinks-auth-key", token.parse().unwrap());
            headers
        };
        let spend = |headers: &HeaderMap, id| {
            let mut tokens = tokens.borrow_mut();
            tokens.spend(&credentials, headers, id).is_ok()
        };
        let first = token();
        assert!(spend(&first, None));
        assert!(!spend(&first, None));
        assert!(!spend(&first, Some("r")));
        tokens.borrow_mut().bind(&first, "r");
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
