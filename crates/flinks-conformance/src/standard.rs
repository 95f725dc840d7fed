//! The credentials of every case: obviously made up, and searched for in every log.

use serde_json::{Value, json};

use crate::case::Credentials;

pub(crate) const CLIENT_ID: &str = "conformance-client";
/// With the characters that naive code encodes, splits or trims.
pub(crate) const CLIENT_SECRET: &str = "c0nf:0rm+ance%2Fsecret=";
/// `Basic` of the two, as the guide's samples make it: of the raw strings.
pub(crate) const BASIC_HEADER: &str =
    "Basic Y29uZm9ybWFuY2UtY2xpZW50OmMwbmY6MHJtK2FuY2UlMkZzZWNyZXQ9";

pub(crate) const TOKEN: &str = "eyJhbGciOiJub25lIn0.conformance.token";
pub(crate) const TOKEN_HEADER: &str = "Bearer eyJhbGciOiJub25lIn0.conformance.token";
pub(crate) const TOKEN_PATH: &str = "/api/v1/token";

pub(crate) const API_SECRET: &str = "conformance-api-secret";
pub(crate) const API_SECRET_HEADER: &str = "Bearer conformance-api-secret";
pub(crate) const CUSTOMER_ID: &str = "43387ca6-0391-4c82-857d-70d95f087ecb";

/// What fetches authorize tokens on the legacy host.
pub(crate) const AUTH_KEY: &str = "conformance-auth-key";
pub(crate) const AUTHORIZE_TOKEN: &str = "4f3f9c1e-conformance-authorize-token";
pub(crate) const X_API_KEY: &str = "conformance-x-api-key";

/// The credential headers that a call to this path has; `None` for those that it must not have.
pub(crate) fn carried(
    credentials: Credentials,
    path: &str,
) -> Vec<(&'static str, Option<&'static str>)> {
    match credentials {
        Credentials::Oauth if path == TOKEN_PATH => Vec::new(),
        Credentials::Oauth => vec![("authorization", Some(TOKEN_HEADER))],
        Credentials::ApiSecret => vec![("authorization", Some(API_SECRET_HEADER))],
        Credentials::LegacyKeys => {
            let token = path.ends_with("/Authorize").then_some(AUTHORIZE_TOKEN);
            let key = is_authorize_token(path).then_some(AUTH_KEY);
            let bearer = path
                .ends_with("/GetNightlyRefreshStatus")
                .then_some(API_SECRET_HEADER);
            let none = token.or(key).or(bearer).is_none();
            vec![
                ("flinks-auth-key", token.or(key)),
                ("authorization", bearer),
                ("x-api-key", none.then_some(X_API_KEY)),
            ]
        }
        Credentials::None => Vec::new(),
    }
}

/// Whether the path is where authorize tokens come from.
pub(crate) fn is_authorize_token(path: &str) -> bool {
    path.ends_with("/GenerateAuthorizeToken")
}

/// Whether a token comes from this path, of either host.
pub(crate) fn is_token(path: &str) -> bool {
    path == TOKEN_PATH || is_authorize_token(path)
}

pub(crate) fn authorize_token_answer() -> Value {
    json!({ "HttpStatusCode": 200, "Token": AUTHORIZE_TOKEN })
}

/// Long enough for a case of many virtual minutes: refreshes are cases of their own.
pub(crate) fn token_answer() -> Value {
    json!({ "access_token": TOKEN, "token_type": "Bearer", "expires_in": 3600 })
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    #[test]
    fn the_headers_are_made_of_the_values() {
        let raw = format!("{CLIENT_ID}:{CLIENT_SECRET}");
        assert_eq!(BASIC_HEADER, format!("Basic {}", STANDARD.encode(raw)));
        assert_eq!(TOKEN_HEADER, format!("Bearer {TOKEN}"));
        assert_eq!(API_SECRET_HEADER, format!("Bearer {API_SECRET}"));
    }
}
