//! Credentials below every other layer: the trait that adds them, and its tower layer.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use flinks_transport::{Body, BoxError, CallMeta, Credential, Error, ErrorKind, HttpService};
use http::{Request, Response};
use tower_layer::Layer;
use tower_service::Service;

/// Adds a credential to requests, and answers its refusal.
///
/// An implementation compares the request's origin with the one that its credential was made for,
/// and adds the credential only if the call requires it ([`CallMeta::credential`]). It may send a
/// request again only when the service refused the credential before it looked at the body.
///
/// ```
/// use flinks_auth::{AuthLayer, Authenticate};
/// use flinks_transport::{Body, BoxError, Endpoint, Error, ErrorKind, HttpService};
/// use http::{HeaderValue, Request, Response};
///
/// /// The key of a gateway in front of the service.
/// #[derive(Debug)]
/// struct GatewayKey {
///     endpoint: Endpoint,
///     key: HeaderValue,
/// }
///
/// impl Authenticate for GatewayKey {
///     async fn send(
///         &self,
///         next: HttpService,
///         mut request: Request<Body>,
///     ) -> Result<Response<Body>, BoxError> {
///         if !self.endpoint.is_same_origin(request.uri()) {
///             return Err(Error::new(ErrorKind::Config, "not the gateway's host").into());
///         }
///         request.headers_mut().insert("gateway-key", self.key.clone());
///         next.send(request).await
///     }
/// }
///
/// # fn main() -> Result<(), Error> {
/// # let transport = flinks_transport::Transport::builder().service(tower::service_fn(
/// #     |_: Request<Body>| async { Ok::<_, BoxError>(Response::new(Body::empty())) },
/// # )).build()?;
/// let mut key = HeaderValue::from_static("the key");
/// key.set_sensitive(true);
/// let endpoint = Endpoint::new("https://gateway.example")?;
/// let transport = transport.with_credentials(AuthLayer::new(GatewayKey { endpoint, key }));
/// # Ok(())
/// # }
/// ```
pub trait Authenticate: Send + Sync + 'static {
    /// Sends a request with the credential through `next`.
    ///
    /// # Errors
    /// Those of `next`, and why a credential could not be had.
    fn send(
        &self,
        next: HttpService,
        request: Request<Body>,
    ) -> impl Future<Output = Result<Response<Body>, BoxError>> + Send;
}

/// The layer of an [`Authenticate`], for
/// [`Transport::with_credentials`](flinks_transport::Transport::with_credentials).
#[derive(Debug)]
pub struct AuthLayer<A>(Arc<A>);

impl<A> AuthLayer<A> {
    /// Shares the credential among all calls.
    #[must_use]
    pub fn new(authenticate: A) -> Self {
        Self(Arc::new(authenticate))
    }
}

impl<A> Clone for AuthLayer<A> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<A> Layer<HttpService> for AuthLayer<A> {
    type Service = Auth<A>;

    fn layer(&self, next: HttpService) -> Auth<A> {
        Auth {
            next,
            authenticate: Arc::clone(&self.0),
        }
    }
}

/// The service of an [`AuthLayer`].
#[derive(Debug)]
pub struct Auth<A> {
    next: HttpService,
    authenticate: Arc<A>,
}

impl<A> Clone for Auth<A> {
    fn clone(&self) -> Self {
        Self {
            next: self.next.clone(),
            authenticate: Arc::clone(&self.authenticate),
        }
    }
}

impl<A: Authenticate> Service<Request<Body>> for Auth<A> {
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        // `HttpService::send` waits until the next service is ready, for each request it sends.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let Self { next, authenticate } = self.clone();
        Box::pin(async move { authenticate.send(next, request).await })
    }
}

/// The credential that a request's call requires.
pub(crate) fn required(request: &Request<Body>) -> Credential {
    let meta = request.extensions().get::<CallMeta>();
    meta.map_or(Credential::None, CallMeta::credential)
}

/// The error of a credential for a request to a host that it was not made for.
pub(crate) fn wrong_origin() -> Error {
    Error::new(
        ErrorKind::Config,
        "the request goes to another host than its credentials were made for",
    )
}
