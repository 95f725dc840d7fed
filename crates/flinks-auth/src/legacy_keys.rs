//! The keys of the legacy calls, and the authorize token that `/Authorize` requires.

use std::fmt;

use flinks_transport::{
    Body, BoxError, Credential, Delivery, Endpoint, Error, ErrorKind, HttpService, KnownSecrets,
    Step, Transport, try_clone_request,
};
use flinks_types::{AuthorizeResponse, CustomerId, FlinksCode, Secret, from_json};
use http::header::{AUTHORIZATION, HeaderName};
use http::{HeaderValue, Request, Response, StatusCode};

use crate::api_secret::ApiSecret;
use crate::authenticate::{Authenticate, required, wrong_origin};
use crate::authorize_token::{AUTH_KEY, AuthorizeTokenRequest, AuthorizeTokenSlot, key_value};

const X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// The keys of the legacy flow, each of them optional: integrations of different years were given
/// different ones, the oldest none at all.
///
/// `Debug` says which there are, and nothing of them.
#[derive(Clone, Default)]
pub struct LegacyKeys {
    auth_key: Option<Secret>,
    x_api_key: Option<Secret>,
    api_secret: Option<ApiSecret>,
}

impl LegacyKeys {
    /// No key: the customer id in the path is then the only credential.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The secret that `/GenerateAuthorizeToken` wants: each session then gets an authorize token.
    #[must_use]
    pub fn auth_key(mut self, key: impl Into<Secret>) -> Self {
        self.auth_key = Some(key.into());
        self
    }

    /// The `x-api-key` of the data calls.
    #[must_use]
    pub fn x_api_key(mut self, key: impl Into<Secret>) -> Self {
        self.x_api_key = Some(key.into());
        self
    }

    /// The API secret, which only the nightly refresh status wants.
    #[must_use]
    pub fn api_secret(mut self, secret: ApiSecret) -> Self {
        self.api_secret = Some(secret);
        self
    }
}

impl fmt::Debug for LegacyKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LegacyKeys")
            .field("auth_key", &self.auth_key.is_some())
            .field("x_api_key", &self.x_api_key.is_some())
            .field("api_secret", &self.api_secret.is_some())
            .finish()
    }
}

/// Adds the key that each call requires, to requests for one endpoint only: the authorize token,
/// the API secret, or `x-api-key` (see [`Credential`]). A key that is not configured is not sent.
///
/// The authorize token is fetched through the transport's pool but not through its layers, once
/// for each [`AuthorizeTokenSlot`] in a request's extensions. When the service refuses the token
/// itself, a new one is fetched and the request is sent again, once.
///
/// Source: API reference, Authentication Reference and Authorize troubleshooting.
pub struct LegacyKeysAuth {
    transport: Transport,
    endpoint: Endpoint,
    token: Option<AuthorizeTokenRequest>,
    x_api_key: Option<HeaderValue>,
    bearer: Option<HeaderValue>,
    secrets: KnownSecrets,
}

impl LegacyKeysAuth {
    /// Binds keys to the endpoint and customer that they open.
    ///
    /// # Errors
    /// [`ErrorKind::Config`]: a key is empty or is not a valid header value.
    pub fn new(
        transport: &Transport,
        endpoint: Endpoint,
        customer_id: CustomerId,
        keys: &LegacyKeys,
    ) -> Result<Self, Error> {
        let token = keys
            .auth_key
            .as_ref()
            .map(|key| AuthorizeTokenRequest::new(endpoint.clone(), customer_id.clone(), key));
        let x_api_key = keys.x_api_key.as_ref();
        let bearer = keys.api_secret.as_ref().map(ApiSecret::header);
        let token = token.transpose()?;
        let x_api_key = x_api_key
            .map(|key| key_value("the x-api-key", key.expose()))
            .transpose()?;
        let bearer = bearer.transpose()?;
        let auth_key = token.as_ref().map(|token| token.key.clone());
        let all = [auth_key, x_api_key.clone(), bearer.clone()];
        Ok(Self {
            transport: transport.without_layers(),
            endpoint,
            token,
            x_api_key,
            bearer,
            secrets: KnownSecrets::new(all.into_iter().flatten()),
        })
    }
}

impl Authenticate for LegacyKeysAuth {
    async fn send(
        &self,
        next: HttpService,
        mut request: Request<Body>,
    ) -> Result<Response<Body>, BoxError> {
        if !self.endpoint.is_same_origin(request.uri()) {
            return Err(wrong_origin().into());
        }
        request.extensions_mut().insert(self.secrets.clone());
        let credential = required(&request);
        if credential == Credential::AuthorizeToken
            && let Some(token) = &self.token
        {
            return self.authorize(next, request, token).await;
        }
        let key = match credential {
            Credential::ApiSecret => Some((AUTHORIZATION, &self.bearer)),
            Credential::ApiKey => Some((X_API_KEY, &self.x_api_key)),
            Credential::None | Credential::OAuth | Credential::AuthorizeToken | _ => None,
        };
        if let Some((name, Some(key))) = key {
            request.headers_mut().insert(name, key.clone());
        }
        next.send(request).await
    }
}

impl LegacyKeysAuth {
    async fn authorize(
        &self,
        next: HttpService,
        mut request: Request<Body>,
        token: &AuthorizeTokenRequest,
    ) -> Result<Response<Body>, BoxError> {
        let slot = request.extensions().get().cloned();
        let slot: AuthorizeTokenSlot = slot.unwrap_or_default();
        let value = match slot.read() {
            Some(value) => value,
            None => self.fetch(token, &slot, Delivery::NotSent).await?,
        };
        request.headers_mut().insert(AUTH_KEY, value);
        let again = copy_for_new_token(&request);
        let response = next.clone().send(request).await?;
        let Some(mut again) = again.filter(|_| refuses_the_token(&response)) else {
            return Ok(response);
        };
        // The service refused the call; that is still true when no other token can be had.
        let value = self.fetch(token, &slot, Delivery::Rejected).await?;
        again.headers_mut().insert(AUTH_KEY, value);
        next.send(again).await
    }

    /// A new token, kept for the rest of the session. A failure gets the delivery of
    /// the call that needed the token.
    async fn fetch(
        &self,
        token: &AuthorizeTokenRequest,
        slot: &AuthorizeTokenSlot,
        delivery: Delivery,
    ) -> Result<HeaderValue, Error> {
        let fetched = self.transport.call(token.clone()).await;
        let fetched =
            fetched.map_err(|error| error.with_step(Step::Token).with_delivery(delivery))?;
        let value = fetched.read().ok_or_else(|| {
            Error::new(ErrorKind::Decode, "the answer contains no token")
                .with_delivery(delivery)
                .with_step(Step::Token)
        })?;
        slot.keep(value.clone());
        Ok(value)
    }
}

/// The request once more, even if its body is sealed: the service looks at the token first, so a
/// request whose token it refuses never reached the bank.
fn copy_for_new_token(request: &Request<Body>) -> Option<Request<Body>> {
    let again = try_clone_request(request)?;
    let sealed = again.body().reseal();
    Some(match sealed {
        Some(body) => again.map(|_| body),
        None => again,
    })
}

/// `UNAUTHORIZED` means the token only when the answer knows neither session nor login nor
/// questions: with any of them it is the bank that refused, and asking it again could lock a card.
fn refuses_the_token(response: &Response<Body>) -> bool {
    if response.status() != StatusCode::UNAUTHORIZED {
        return false;
    }
    let body = response.body().as_bytes();
    let answer = body.and_then(|body| from_json::<AuthorizeResponse>(body).ok());
    answer.is_some_and(|answer| {
        answer.flinks_code == Some(FlinksCode::Unauthorized)
            && answer.request_id.is_none()
            && answer.login.is_none()
            && answer.security_challenges.is_empty()
    })
}

impl fmt::Debug for LegacyKeysAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LegacyKeysAuth")
            .field("endpoint", &self.endpoint)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use tower::service_fn;

    use std::sync::{Arc, Mutex};

    use bytes::Bytes;
    use flinks_transport::{CallMeta, DecodeError, Operation, Replay, Route};

    use super::*;
    use crate::AuthLayer;

    type Seen = Arc<Mutex<Vec<(String, http::HeaderMap)>>>;

    const HOST: &str = "https://legacy.example";

    /// A client's transport whose leaf grants a token and remembers path and headers.
    fn stack(keys: &LegacyKeys) -> Result<(Transport, Seen), Error> {
        let seen = Seen::default();
        let notes = Arc::clone(&seen);
        let leaf = service_fn(move |request: Request<Body>| {
            let path = request.uri().path().to_owned();
            notes
                .lock()
                .unwrap()
                .push((path, request.headers().clone()));
            async {
                let token = r#"{"HttpStatusCode":200,"Token":"canary-token"}"#;
                Ok::<_, Infallible>(Response::new(Body::from(token.to_owned())))
            }
        });
        let transport = Transport::builder().service(leaf).build()?;
        let customer = CustomerId::new("43387ca6").unwrap();
        let auth = LegacyKeysAuth::new(&transport, Endpoint::new(HOST)?, customer, keys)?;
        assert!(!format!("{auth:?}{keys:?}").contains("canary"));
        Ok((transport.with_credentials(AuthLayer::new(auth)), seen))
    }

    fn all() -> LegacyKeys {
        LegacyKeys::new()
            .auth_key("canary-auth")
            .x_api_key("canary-x")
            .api_secret(ApiSecret::new("canary-secret"))
    }

    async fn send(transport: &Transport, credential: Credential, url: &str) -> Result<(), Error> {
        let mut request = Request::new(Body::empty());
        *request.uri_mut() = url.parse().unwrap();
        let meta = CallMeta::new("a.users_own", Route::get("/"), Replay::Never);
        let meta = meta.with_credential(credential);
        transport.send(meta, request).await.map(drop)
    }

    #[tokio::test(start_paused = true)]
    async fn each_call_carries_the_key_that_it_requires_and_no_other() {
        let rows = [
            (
                Credential::AuthorizeToken,
                Some(("flinks-auth-key", "canary-token")),
            ),
            (Credential::ApiKey, Some(("x-api-key", "canary-x"))),
            (
                Credential::ApiSecret,
                Some(("authorization", "Bearer canary-secret")),
            ),
            (Credential::OAuth, None),
            (Credential::None, None),
        ];
        for (credential, expected) in rows {
            let (transport, seen) = stack(&all()).unwrap();
            send(&transport, credential, HOST).await.unwrap();
            let seen = seen.lock().unwrap();
            let (_, headers) = seen.last().unwrap();
            let keys: Vec<_> = ["flinks-auth-key", "x-api-key", "authorization"]
                .into_iter()
                .filter_map(|name| Some((name, headers.get(name)?.to_str().unwrap())))
                .collect();
            assert_eq!(keys, Vec::from_iter(expected), "{credential:?}");
            assert!(headers.values().all(|value| {
                let secret = value.to_str().unwrap().contains("canary");
                !secret || value.is_sensitive()
            }));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_token_is_asked_for_with_the_secret_key() {
        let (transport, seen) = stack(&all()).unwrap();
        send(&transport, Credential::AuthorizeToken, HOST)
            .await
            .unwrap();
        let seen = seen.lock().unwrap();
        let (path, headers) = &seen[0];
        assert_eq!(path, "/v3/43387ca6/BankingServices/GenerateAuthorizeToken");
        assert_eq!(headers["flinks-auth-key"], "canary-auth");
        assert_eq!(headers["content-type"], "application/json");
        assert_eq!(seen.len(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_key_that_is_not_there_is_not_sent() {
        for credential in [
            Credential::AuthorizeToken,
            Credential::ApiKey,
            Credential::ApiSecret,
        ] {
            let (transport, seen) = stack(&LegacyKeys::new()).unwrap();
            send(&transport, credential, HOST).await.unwrap();
            let seen = seen.lock().unwrap();
            assert_eq!(seen.len(), 1, "{credential:?}");
            assert!(!format!("{seen:?}").contains("ensitive"), "{credential:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn keys_go_to_their_own_host_only() {
        for url in [
            "https://other.example",
            "http://legacy.example",
            "https://legacy.example:444",
        ] {
            for credential in [Credential::AuthorizeToken, Credential::ApiKey] {
                let (transport, seen) = stack(&all()).unwrap();
                let error = send(&transport, credential, url).await.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Config, "{url}");
                assert!(seen.lock().unwrap().is_empty(), "{url}");
            }
        }
    }

    #[test]
    fn keys_that_cannot_be_sent_are_refused_early() {
        for wrong in ["", "a\nb", "clé"] {
            let keys = [
                LegacyKeys::new().auth_key(wrong),
                LegacyKeys::new().x_api_key(wrong),
                LegacyKeys::new().api_secret(ApiSecret::new(wrong)),
            ];
            for keys in keys {
                let error = stack(&keys).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Config);
            }
        }
    }

    #[test]
    fn answers_without_a_token_are_told_apart() {
        let key = Secret::new("canary");
        let customer = CustomerId::new("43387ca6").unwrap();
        let endpoint = Endpoint::new(HOST).unwrap();
        let request = AuthorizeTokenRequest::new(endpoint, customer, &key).unwrap();
        assert!(!format!("{request:?}").contains("canary"));
        let decode = |body: &'static str| request.decode(Response::new(Bytes::from(body)));
        let token = decode(r#"{"Token":"canary"}"#).unwrap();
        assert!(!format!("{token:?}").contains("canary"));
        let refused = decode(r#"{"HttpStatusCode":401,"FlinksCode":"UNAUTHORIZED"}"#);
        assert!(matches!(refused, Err(DecodeError::Api(_))));
        for wrong in [
            "",
            "{}",
            r#"{"Token":""}"#,
            r#"{"Token":"a\nb"}"#,
            r#"{"Token":7}"#,
        ] {
            let error = decode(wrong).unwrap_err();
            assert!(
                matches!(error, DecodeError::Malformed(_)),
                "{wrong}: {error}"
            );
        }
    }
}
