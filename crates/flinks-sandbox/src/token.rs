//! The token endpoint: HTTP Basic in, a short-lived bearer out (Upload guide, "Authentication Flow").

use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::json;

use crate::{answer::Answer, config::SandboxCredentials, media, state::State};

/// Refuses wrong client credentials; looks at the head alone.
pub(crate) fn authorize(
    credentials: &SandboxCredentials,
    headers: &HeaderMap,
) -> Result<(), Answer> {
    let expected = format!("{}:{}", credentials.client_id, credentials.client_secret);
    let presented = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("basic"))
        .and_then(|(_, encoded)| BASE64_STANDARD.decode(encoded.trim()).ok());
    if presented.is_some_and(|bytes| bytes == expected.as_bytes()) {
        return Ok(());
    }
    Err(Answer::oauth(
        StatusCode::UNAUTHORIZED,
        "invalid_client",
        "The client id or client secret is wrong, or the Basic header is malformed.",
    )
    .with(
        header::WWW_AUTHENTICATE,
        HeaderValue::from_static("Basic realm=\"flinks sandbox\""),
    ))
}

/// Issues a token bound to the certificate with this serial.
pub(crate) fn issue(
    state: &State,
    headers: &HeaderMap,
    body: &[u8],
    serial: &str,
) -> Result<Answer, Answer> {
    let invalid = |error, description| Answer::oauth(StatusCode::BAD_REQUEST, error, description);
    if !media::is(headers, "application/x-www-form-urlencoded") {
        return Err(invalid(
            "invalid_request",
            "The Content-Type has to be application/x-www-form-urlencoded.",
        ));
    }
    let malformed = || invalid("invalid_request", "The form is malformed.");
    let form = media::form(body).ok_or_else(malformed)?;
    let field = |name: &str| -> Result<Option<&str>, Answer> {
        let mut values = form
            .iter()
            .filter(|(key, _)| key == name)
            .map(|(_, value)| value);
        match (values.next(), values.next()) {
            (value, None) => Ok(value.map(String::as_str)),
            (_, Some(_)) => Err(invalid("invalid_request", "A parameter is given twice.")),
        }
    };
    match field("grant_type")? {
        Some("client_credentials") => {}
        Some(_) => {
            return Err(invalid(
                "unsupported_grant_type",
                "The grant_type has to be client_credentials.",
            ));
        }
        None => return Err(invalid("invalid_request", "The grant_type is missing.")),
    }
    if field("scope")? != Some(state.config.credentials.scope.as_str()) {
        return Err(invalid(
            "invalid_scope",
            "The scope is missing or is not granted.",
        ));
    }
    let token = random_token();
    state.keep_token(token.clone(), serial.to_owned());
    Ok(Answer::json(
        StatusCode::OK,
        &json!({
            "access_token": token,
            "token_type": "Bearer",
            "expires_in": state.config.token_ttl.as_secs(),
        }),
    )
    .with(header::CACHE_CONTROL, HeaderValue::from_static("no-store")))
}

/// Random, in the form of a JWT; clients have to treat it as opaque.
fn random_token() -> String {
    let part = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
    let claims = json!({"iss": "flinks-sandbox", "jti": format!("{:032x}", fastrand::u128(..))});
    let signature: [u8; 32] = std::array::from_fn(|_| fastrand::u8(..));
    format!(
        "{}.{}.{}",
        part(br#"{"alg":"none","typ":"JWT"}"#),
        part(claims.to_string().as_bytes()),
        part(&signature)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn basic(text: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let value = format!("Basic {}", BASE64_STANDARD.encode(text));
        headers.insert(header::AUTHORIZATION, value.parse().unwrap());
        headers
    }

    #[test]
    fn only_the_raw_pair_is_accepted() {
        let credentials = SandboxCredentials::default();
        let (id, secret) = (&credentials.client_id, &credentials.client_secret);
        assert!(authorize(&credentials, &basic(&format!("{id}:{secret}"))).is_ok());
        let encoded = secret.replace('%', "%25").replace(':', "%3A");
        for pair in [
            format!("{id}:{encoded}"),
            format!("{id}:"),
            id.clone(),
            String::new(),
        ] {
            let refusal = authorize(&credentials, &basic(&pair)).unwrap_err();
            assert_eq!(refusal.status, StatusCode::UNAUTHORIZED, "{pair}");
        }
        assert!(authorize(&credentials, &HeaderMap::new()).is_err());
    }

    #[tokio::test]
    async fn each_mistake_in_the_form_has_its_error() {
        let state = State::new(Config::default());
        let mut headers = HeaderMap::new();
        let good = "grant_type=client_credentials&scope=ocr.write";
        let refusal = issue(&state, &headers, good.as_bytes(), "01").unwrap_err();
        assert_eq!(refusal.status, StatusCode::BAD_REQUEST);
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/x-www-form-urlencoded; charset=utf-8"),
        );
        assert_eq!(
            issue(&state, &headers, good.as_bytes(), "01")
                .unwrap()
                .status,
            StatusCode::OK
        );
        for (form, error) in [
            ("", "invalid_request"),
            ("scope=ocr.write", "invalid_request"),
            (
                "grant_type=password&scope=ocr.write",
                "unsupported_grant_type",
            ),
            ("grant_type=client_credentials", "invalid_scope"),
            (
                "grant_type=client_credentials&scope=ocr.read",
                "invalid_scope",
            ),
            ("grant_type=client_credentials&scope=%zz", "invalid_request"),
            (
                "grant_type=client_credentials&grant_type=client_credentials&scope=ocr.write",
                "invalid_request",
            ),
        ] {
            let refusal = issue(&state, &headers, form.as_bytes(), "01").unwrap_err();
            assert_eq!(refusal.status, StatusCode::BAD_REQUEST, "{form}");
            let body: serde_json::Value = serde_json::from_slice(&refusal.body).unwrap();
            assert_eq!(body["error"], error, "{form}");
        }
    }
}
