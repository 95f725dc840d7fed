//! The API secret of the results host: a long-lived bearer of its own kind.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use flinks_transport::{
    Body, BoxError, CallMeta, Credential, Endpoint, Error, ErrorKind, HttpService,
};
use flinks_types::Secret;
use http::header::AUTHORIZATION;
use http::{HeaderValue, Request, Response};
use tower_layer::Layer;
use tower_service::Service;
use zeroize::Zeroizing;

use crate::client_credentials::sensitive;

/// The API secret key that Flinks hands out for the results host.
///
/// It is not the OAuth token, and that is a type's business here: neither fits where the other
/// belongs. `Debug` prints nothing of it.
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
pub struct ApiSecretLayer {
    endpoint: Endpoint,
    header: HeaderValue,
}

impl ApiSecretLayer {
    /// Binds a secret to the endpoint that it opens.
    ///
    /// # Errors
    /// [`ErrorKind::Config`]: the secret is empty or cannot stand in a header.
    pub fn new(endpoint: Endpoint, secret: &ApiSecret) -> Result<Self, Error> {
        Ok(Self {
            endpoint,
            header: secret.header()?,
        })
    }
}

impl Layer<HttpService> for ApiSecretLayer {
    type Service = WithApiSecret;

    fn layer(&self, inner: HttpService) -> WithApiSecret {
        WithApiSecret {
            inner,
            layer: self.clone(),
        }
    }
}

impl fmt::Debug for ApiSecretLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiSecretLayer")
            .field("endpoint", &self.endpoint)
            .finish_non_exhaustive()
    }
}

/// The service of an [`ApiSecretLayer`].
#[derive(Clone, Debug)]
pub struct WithApiSecret {
    inner: HttpService,
    layer: ApiSecretLayer,
}

impl Service<Request<Body>> for WithApiSecret {
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        if !self.layer.endpoint.is_same_origin(request.uri()) {
            return Box::pin(async { Err(elsewhere().into()) });
        }
        let meta = request.extensions().get::<CallMeta>();
        if meta.map(CallMeta::credential) == Some(Credential::ApiSecret) {
            let header = self.layer.header.clone();
            request.headers_mut().insert(AUTHORIZATION, header);
        }
        Box::pin(self.inner.call(request))
    }
}

/// What a credential says to a request for a host that it was not made for.
pub(crate) fn elsewhere() -> Error {
    Error::new(
        ErrorKind::Config,
        "the request goes to another host than its credentials were made for",
    )
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use flinks_transport::{Replay, Route, Transport};

    use super::*;

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
        let layer = ApiSecretLayer::new(endpoint, &ApiSecret::new("canary")).expect("a secret");
        let transport = Transport::builder().service(leaf).build();
        let transport = transport.expect("a transport").with_credentials(layer);
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
