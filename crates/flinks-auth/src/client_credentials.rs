//! OAuth client credentials, and the request that exchanges them for an access token.

use std::fmt;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use flinks_transport::{
    Body, CallMeta, DecodeError, Error, ErrorKind, Operation, Replay, Route, Step,
};
use flinks_types::{ApiError, Secret, TokenResponse, from_json};
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Request, Response, Uri};
use zeroize::Zeroizing;

/// The only scope that the Upload guide names (Step 1, Body).
const SCOPE: &str = "ocr.write";

/// The client id and client secret that Flinks issues to an OAuth client.
///
/// `Debug` shows neither.
#[derive(Clone)]
pub struct ClientCredentials {
    client_id: String,
    client_secret: Secret,
    scope: String,
}

impl ClientCredentials {
    /// Creates credentials with the scope `ocr.write`.
    #[must_use]
    pub fn new(client_id: impl Into<String>, client_secret: impl Into<Secret>) -> Self {
        Self {
            client_id: client_id.into(),
            client_secret: client_secret.into(),
            scope: SCOPE.to_owned(),
        }
    }

    /// Replaces the scope.
    #[must_use]
    pub fn scope(mut self, scope: impl Into<String>) -> Self {
        self.scope = scope.into();
        self
    }

    /// Returns the client id.
    #[must_use]
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// `Basic base64(client_id:client_secret)` of the raw strings, as in the guide's samples.
    fn basic(&self) -> Result<HeaderValue, Error> {
        if self.client_id.is_empty() || self.client_secret.is_empty() {
            return Err(config(
                "the client id and the client secret must not be empty",
            ));
        }
        let raw = [self.client_id.as_str(), self.client_secret.expose()];
        if raw.iter().any(|text| text.chars().any(char::is_control)) {
            // base64 would hide the mistake, and the service would only answer 401.
            return Err(config(
                "the client id or the client secret contains a line break or a control character: \
                 enter both exactly as received",
            ));
        }
        if self.client_id.contains(':') {
            return Err(config(
                "the client id must not contain \":\", which separates it from the client secret",
            ));
        }
        let raw = Zeroizing::new(format!(
            "{}:{}",
            self.client_id,
            self.client_secret.expose()
        ));
        let text = Zeroizing::new(format!("Basic {}", STANDARD.encode(raw.as_bytes())));
        sensitive(&text)
    }
}

impl fmt::Debug for ClientCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientCredentials")
            .field("scope", &self.scope)
            .finish_non_exhaustive()
    }
}

/// Requests an access token: `auth.token`.
///
/// *Effect:* issues a token; it may be sent any number of times. A rejected client certificate is
/// usually found by this request first.
///
/// Source: Upload guide, Step 1 (Obtaining an Access Token).
#[derive(Clone, Debug)]
pub struct TokenRequest {
    url: Uri,
    credentials: ClientCredentials,
}

impl TokenRequest {
    /// Creates a request to the token endpoint at `url`.
    #[must_use]
    pub fn new(url: Uri, credentials: ClientCredentials) -> Self {
        Self { url, credentials }
    }

    pub(crate) fn url(&self) -> &Uri {
        &self.url
    }
}

impl Operation for TokenRequest {
    type Output = AccessToken;

    fn meta(&self) -> CallMeta {
        let route = Route::post_chosen(&self.url, &["/api/v1/token"], "{token}");
        CallMeta::new("auth.token", route, Replay::Safe)
            .with_step(Step::Token)
            .with_max_response_bytes(64 * 1024)
    }

    fn request(&self) -> Result<Request<Body>, Error> {
        let scope = form_encoded(&self.credentials.scope);
        let body = format!("grant_type=client_credentials&scope={scope}");
        let mut request = Request::new(Body::from(body));
        *request.method_mut() = http::Method::POST;
        *request.uri_mut() = self.url.clone();
        let form = HeaderValue::from_static("application/x-www-form-urlencoded");
        request.headers_mut().insert(CONTENT_TYPE, form);
        request
            .headers_mut()
            .insert(AUTHORIZATION, self.credentials.basic()?);
        Ok(request)
    }

    fn decode(&self, response: Response<Bytes>) -> Result<AccessToken, DecodeError> {
        let body = response.into_body();
        let answer = from_json::<TokenResponse>(&body).map_err(|error| {
            // A token service may report an OAuth error with status 200.
            match ApiError::from_body(&body) {
                Some(api) if api.oauth_error.is_some() => DecodeError::api(api),
                _ => DecodeError::json(&error),
            }
        })?;
        AccessToken::read(answer, &self.credentials.scope)
    }
}

/// An access token for the upload host. It is not valid for other hosts: the fraud analysis
/// requires an [`ApiSecret`](crate::ApiSecret).
///
/// `Debug` shows only its lifetime.
#[derive(Clone)]
pub struct AccessToken {
    pub(crate) header: HeaderValue,
    lifetime: Option<Duration>,
}

impl AccessToken {
    fn read(answer: TokenResponse, scope: &str) -> Result<Self, DecodeError> {
        let malformed = |what: &str| DecodeError::Malformed(what.to_owned());
        // Another Flinks service answers in lower case.
        let bearer = answer
            .token_type
            .as_deref()
            .is_none_or(|t| t.eq_ignore_ascii_case("bearer"));
        if !bearer {
            return Err(malformed("token_type is not Bearer"));
        }
        if !grants(answer.scope.as_deref().unwrap_or(scope), scope) {
            return Err(DecodeError::Setting(
                "the token does not grant the requested scope: check the scope".to_owned(),
            ));
        }
        let token = answer.access_token.expose();
        let plain = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
        if !plain || token.len() > 16 * 1024 {
            return Err(malformed("access_token is not a valid token"));
        }
        let header = sensitive(&Zeroizing::new(format!("Bearer {token}")))
            .map_err(|_| malformed("access_token is not a valid token"))?;
        Ok(Self {
            header,
            lifetime: answer.expires_in,
        })
    }

    /// Returns the lifetime that the service states, if any.
    #[must_use]
    pub fn lifetime(&self) -> Option<Duration> {
        self.lifetime
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessToken")
            .field("lifetime", &self.lifetime)
            .finish_non_exhaustive()
    }
}

/// Whether a granted scope covers the requested one. Services echo scopes in their own spelling: in
/// any case and order, with commas, with a prefix (`upload:ocr.write`), or as `*`. A scope that is
/// accepted here may still be rejected by the upload.
fn grants(granted: &str, requested: &str) -> bool {
    let words = |scope: &str| -> Vec<String> {
        let unprefixed = |word: &str| {
            word.rsplit([':', '/'])
                .next()
                .unwrap_or(word)
                .to_lowercase()
        };
        scope
            .split(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '+' | '"'))
            .map(unprefixed)
            .filter(|word| !word.is_empty())
            .collect()
    };
    let granted = words(granted);
    granted.is_empty()
        || granted.iter().any(|word| word == "*")
        || words(requested).iter().all(|word| granted.contains(word))
}

/// Creates a header value that `Debug` does not show. The error does not contain it either.
pub(crate) fn sensitive(text: &str) -> Result<HeaderValue, Error> {
    let plain = text
        .bytes()
        .all(|byte| byte == b' ' || byte.is_ascii_graphic());
    let value = HeaderValue::from_str(text).ok().filter(|_| plain);
    let mut value = value.ok_or_else(|| {
        config("a secret contains a line break, a control character or a non-ASCII character")
    })?;
    value.set_sensitive(true);
    Ok(value)
}

/// Encodes a scope as `application/x-www-form-urlencoded`; RFC 6749 limits it to printable ASCII.
fn form_encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'_' | b'*' => {
                encoded.push(char::from(byte));
            }
            b' ' => encoded.push('+'),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
        encoded
    })
}

fn config(message: &'static str) -> Error {
    Error::new(ErrorKind::Config, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(id: &str, secret: &str) -> Result<Request<Body>, Error> {
        let url = "https://example.com/api/v1/token".parse().expect("a URL");
        TokenRequest::new(url, ClientCredentials::new(id, secret)).request()
    }

    #[test]
    fn the_raw_strings_are_encoded_as_in_the_guide() {
        let request = request("id", "se:cr+et%é").expect("credentials that can be sent");
        let header = &request.headers()[AUTHORIZATION];
        let encoded = STANDARD.encode("id:se:cr+et%é");
        assert_eq!(header.as_bytes(), format!("Basic {encoded}").as_bytes());
        assert!(
            !format!("{request:?}").contains(&encoded),
            "the header must be sensitive"
        );
        let body = request.body().as_bytes().expect("a form");
        assert_eq!(body, "grant_type=client_credentials&scope=ocr.write");
    }

    #[test]
    fn credentials_that_cannot_be_right_are_refused_before_anything_is_sent() {
        for (id, secret) in [
            ("", "s"),
            ("id", ""),
            ("a:b", "s"),
            ("id", "canary\n"),
            ("id\r", "canary"),
        ] {
            let error = request(id, secret).expect_err("refused");
            assert_eq!(error.kind(), ErrorKind::Config);
            assert!(!format!("{error}{error:?}").contains("canary"));
        }
    }

    #[test]
    fn an_echo_of_the_scope_may_be_spelled_otherwise() {
        for echo in [
            "ocr.write",
            "ocr.write,x",
            "x ocr.write",
            "OCR.WRITE",
            "ocr.write\n",
            "upload:ocr.write",
            "https://flinks.example/ocr.write",
            "*",
            " ",
        ] {
            assert!(grants(echo, "ocr.write"), "{echo}");
        }
        for echo in ["ocr.read", "ocr", "ocr.writer", "profile"] {
            assert!(!grants(echo, "ocr.write"), "{echo}");
        }
        assert!(grants("b,a", "a b"));
        assert!(!grants("a", "a b"));
    }

    #[test]
    fn a_scope_is_form_encoded() {
        assert_eq!(form_encoded("ocr.write a&b=c"), "ocr.write+a%26b%3Dc");
    }
}
