//! The bearer token of the upload host's calls (Upload guide, "Calling the Upload API").

use http::{HeaderMap, StatusCode, header};

use crate::{
    answer::Answer,
    state::{State, TokenRefusal},
};

/// The token of an `Authorization: Bearer` header.
pub(crate) fn of(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers
        .get(header::AUTHORIZATION)?
        .to_str()
        .ok()?
        .split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Refuses a request without a valid token of the certificate with this serial.
pub(crate) fn authorize(state: &State, headers: &HeaderMap, serial: &str) -> Result<(), Answer> {
    let Some(token) = of(headers) else {
        return Err(Answer::house(
            StatusCode::UNAUTHORIZED,
            "ACCESS_DENIED",
            "The access token is missing.",
        ));
    };
    state
        .check_token(token, serial)
        .map_err(|refusal| match refusal {
            TokenRefusal::UnknownOrExpired => Answer::house(
                StatusCode::UNAUTHORIZED,
                "ACCESS_DENIED",
                "The access token is unknown or has expired.",
            ),
            TokenRefusal::OtherCertificate => Answer::house(
                StatusCode::FORBIDDEN,
                "ACCESS_DENIED",
                "The access token was issued to another client certificate.",
            ),
        })
}
