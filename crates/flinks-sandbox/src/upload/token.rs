//! The token endpoint and the tokens that it issues (Upload guide, "Authentication Flow").

use std::collections::HashMap;
use std::time::Duration;

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::json;
use tokio::time::Instant;

use crate::answer::Answer;
use crate::config::{Config, SandboxCredentials};
use crate::request::{authorization, form, is_of_type};

/// The access tokens that were issued.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    valid: HashMap<String, Token>,
    /// The number of tokens so far, with those that have expired.
    pub(crate) issued: u64,
}

#[derive(Debug)]
struct Token {
    /// The serial number of the certificate that requested it.
    serial: String,
    /// `None` for a lifetime that the clock cannot count.
    expires: Option<Instant>,
}

impl Token {
    fn is_expired(&self, now: Instant) -> bool {
        self.expires.is_some_and(|expires| now >= expires)
    }
}

impl Tokens {
    /// Refuses a request without a valid token of the certificate with this serial number.
    pub(crate) fn check_bearer(&self, headers: &HeaderMap, serial: &str) -> Result<(), Answer> {
        match authorization(headers, "bearer") {
            Some(token) => self.check(token, serial),
            None => Err(Answer::denied("The access token is missing.")),
        }
    }

    /// Issues a token bound to the certificate with this serial.
    pub(crate) fn issue(
        &mut self,
        config: &Config,
        headers: &HeaderMap,
        body: &[u8],
        serial: &str,
    ) -> Result<Answer, Answer> {
        let invalid =
            |error, description| Answer::oauth(StatusCode::BAD_REQUEST, error, description);
        if !is_of_type(headers, "application/x-www-form-urlencoded") {
            return Err(invalid(
                "invalid_request",
                "The Content-Type has to be application/x-www-form-urlencoded.",
            ));
        }
        let malformed = || invalid("invalid_request", "The form is malformed.");
        let fields = form(body).ok_or_else(malformed)?;
        let field = |name: &str| -> Result<Option<&str>, Answer> {
            let mut values = fields.iter().filter(|(key, _)| key == name);
            match (values.next(), values.next()) {
                (field, None) => Ok(field.map(|(_, value)| value.as_str())),
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
        if field("scope")? != Some(config.credentials.scope.as_str()) {
            return Err(invalid(
                "invalid_scope",
                "The scope is missing or is not granted.",
            ));
        }
        let token = random_token();
        let ttl = config.token_ttl;
        self.keep(token.clone(), serial.to_owned(), ttl);
        let body =
            json!({"access_token": token, "token_type": "Bearer", "expires_in": ttl.as_secs()});
        Ok(Answer::ok(&body).with(header::CACHE_CONTROL, HeaderValue::from_static("no-store")))
    }

    fn keep(&mut self, token: String, serial: String, ttl: Duration) {
        let now = Instant::now();
        self.valid.retain(|_, token| !token.is_expired(now));
        let expires = now.checked_add(ttl);
        self.valid.insert(token, Token { serial, expires });
        self.issued += 1;
    }

    fn check(&self, token: &str, serial: &str) -> Result<(), Answer> {
        match self.valid.get(token) {
            Some(token) if token.is_expired(Instant::now()) => Err(Answer::denied(
                "The access token is unknown or has expired.",
            )),
            None => Err(Answer::denied(
                "The access token is unknown or has expired.",
            )),
            Some(token) if token.serial != serial => Err(Answer::forbidden(
                "The access token was issued to another client certificate.",
            )),
            Some(_) => Ok(()),
        }
    }
}

/// Refuses wrong client credentials.
pub(crate) fn check_basic(
    credentials: &SandboxCredentials,
    headers: &HeaderMap,
) -> Result<(), Answer> {
    let expected = format!("{}:{}", credentials.client_id, credentials.client_secret);
    let presented =
        authorization(headers, "basic").and_then(|text| BASE64_STANDARD.decode(text).ok());
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
        assert!(check_basic(&credentials, &basic(&format!("{id}:{secret}"))).is_ok());
        let encoded = secret.replace('%', "%25").replace(':', "%3A");
        for pair in [
            format!("{id}:{encoded}"),
            format!("{id}:"),
            id.clone(),
            String::new(),
        ] {
            let refusal = check_basic(&credentials, &basic(&pair)).unwrap_err();
            assert_eq!(refusal.status, StatusCode::UNAUTHORIZED, "{pair}");
        }
        assert!(check_basic(&credentials, &HeaderMap::new()).is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_serves_one_certificate_until_it_expires() {
        let mut tokens = Tokens::default();
        tokens.keep(
            "token".to_owned(),
            "01".to_owned(),
            Duration::from_secs(300),
        );
        tokens.keep("lasting".to_owned(), "01".to_owned(), Duration::MAX);
        let status = |token, serial| {
            tokens
                .check(token, serial)
                .map_err(|one| one.status.as_u16())
        };
        assert_eq!(status("token", "01"), Ok(()));
        assert_eq!(status("token", "02"), Err(403));
        assert_eq!(status("other", "01"), Err(401));
        tokio::time::advance(Duration::from_secs(300)).await;
        assert_eq!(status("token", "01"), Err(401));
        assert_eq!(status("token", "02"), Err(401));
        assert_eq!(status("lasting", "01"), Ok(()));
    }

    #[tokio::test]
    async fn each_mistake_in_the_form_has_its_error() {
        let config = Config::default();
        let mut tokens = Tokens::default();
        let mut headers = HeaderMap::new();
        let good = "grant_type=client_credentials&scope=ocr.write";
        let refusal = tokens
            .issue(&config, &headers, good.as_bytes(), "01")
            .unwrap_err();
        assert_eq!(refusal.status, StatusCode::BAD_REQUEST);
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/x-www-form-urlencoded; charset=utf-8"),
        );
        assert_eq!(
            tokens
                .issue(&config, &headers, good.as_bytes(), "01")
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
            let refusal = tokens
                .issue(&config, &headers, form.as_bytes(), "01")
                .unwrap_err();
            assert_eq!(refusal.status, StatusCode::BAD_REQUEST, "{form}");
            let body: serde_json::Value = serde_json::from_slice(&refusal.body).unwrap();
            assert_eq!(body["error"], error, "{form}");
        }
    }
}
