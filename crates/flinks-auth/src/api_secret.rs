//! The API secret of the results host: a long-lived bearer of its own kind.

use std::fmt;

use flinks_transport::{Body, BoxError, Credential, Endpoint, Error, ErrorKind, HttpService};
use flinks_types::Secret;
use http::header::AUTHORIZATION;
use http::{HeaderValue, Request, Response};
use zeroize::Zeroizing;

use crate::authenticate::{Authenticate, required, wrong_origin};
use crate::client_credentials::sensitive;

/// The API secret key that Flinks hands out for the results host.
///
/// It is not the OAuth token: the two are different types. `Debug` prints nothing of it.
#[derive(Clone)]
pub struct ApiSecret(Secret);

impl ApiSecret {
    /// Wraps the key.
    #[must_use]
    pub fn new(secret: impl Into<Secret>) -> Self {
        Self(secret.into())
    }

    /// `Bearer <API secret>`.
    pub(crate) fn header(&self) -> Result<HeaderValue, Error> {
        if self.0.is_empty() {
            return Err(Error::new(
                ErrorKind::Config,
                "the API secret must not be empty",
            ));
        }
        sensitive(&Zeroizing::new(format!("Bearer {}", self.0.expose())))
    }
}

impl fmt::Debug for ApiSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiSecret")
    }
}

/// Adds `Authorization: Bearer <API secret>` to calls that require [`Credential::ApiSecret`].
/// Requests for another endpoint are refused.
///
/// A 401 is final here: the secret is static. Source: Upload guide, Fraud Analysis Endpoint.
#[derive(Clone)]
pub struct ApiSecretAuth {
    endpoint: Endpoint,
    header: HeaderValue,
}

impl ApiSecretAuth {
    /// Binds a secret to the endpoint that it opens.
    ///
    /// # Errors
    /// [`ErrorKind::Config`]: the secret is empty or is not a valid header value.
    pub fn new(endpoint: Endpoint, secret: &ApiSecret) -> Result<Self, Error> {
        Ok(Self {
            endpoint,
            header: secret.header()?,
        })
    }
}

impl fmt::Debug for ApiSecretAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiSecretAuth")
            .field("endpoint", &self.endpoint)
            .finish_non_exhaustive()
    }
}

impl Authenticate for ApiSecretAuth {
    async fn send(
        &self,
        next: HttpService,
        mut request: Request<Body>,
    ) -> Result<Response<Body>, BoxError> {
        if !self.endpoint.is_same_origin(request.uri()) {
            return Err(wrong_origin().into());
        }
        if required(&request) == Credential::ApiSecret {
            let headers = request.headers_mut();
            headers.insert(AUTHORIZATION, self.header.clone());
        }
        next.send(request).await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use flinks_transport::{CallMeta, Replay, Route, Transport};

    use super::*;
    use crate::AuthLayer;

    #[tokio::test]
    async fn the_secret_goes_to_its_own_host_only() {
        let sent = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&sent);
        let leaf = tower::service_fn(move |request: Request<Body>| {
            assert_eq!(request.headers()[AUTHORIZATION], "Bearer canary");
            count.fetch_add(1, Ordering::SeqCst);
            async { Ok::<_, Error>(Response::new(Body::empty())) }
        });
        let endpoint = Endpoint::new("https://results.example").expect("a base");
        let auth = ApiSecretAuth::new(endpoint, &ApiSecret::new("canary")).expect("a secret");
        let transport = Transport::builder().service(leaf).build();
        let transport = transport
            .expect("a transport")
            .with_credentials(AuthLayer::new(auth));
        let send = |url: &str| {
            let request = Request::get(url).body(Body::empty()).expect("a request");
            transport.send(
                CallMeta::new("test.call", Route::get("/"), Replay::Safe)
                    .with_credential(Credential::ApiSecret),
                request,
            )
        };
        for url in [
            "https://other.example/",
            "https://results.example:444/",
            "https://results.example.other/",
            "http://results.example/",
        ] {
            let error = send(url).await.expect_err(url);
            assert_eq!(error.kind(), ErrorKind::Config, "{url}");
            assert!(!format!("{error:?} {}", error.report()).contains("canary"));
        }
        assert_eq!(sent.load(Ordering::SeqCst), 0);
        send("https://results.example/v3").await.expect("an answer");
        assert_eq!(sent.load(Ordering::SeqCst), 1);
    }
}
