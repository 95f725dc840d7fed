//! The boxed, cloneable service type that every layer wraps.

use std::fmt;
use std::task::{Context, Poll};

use bytes::Buf;
use http::{Request, Response};
use http_body::Body as HttpBody;
use tower::ServiceExt;
use tower::util::BoxCloneSyncService;
use tower_layer::Layer;
use tower_service::Service;

use crate::{Body, BoxError};

/// A service from request to answer with its type erased: what a user's layer wraps.
///
/// `Clone + Send + Sync`; needs no runtime to be built and owns no task.
#[derive(Clone)]
pub struct HttpService(BoxCloneSyncService<Request<Body>, Response<Body>, BoxError>);

impl HttpService {
    /// Erases a service's type.
    pub fn new<S, B>(service: S) -> Self
    where
        S: IntoHttpService<B>,
    {
        service.into_http_service()
    }

    /// Waits until the service is ready, then sends the request.
    ///
    /// # Errors
    /// Those of the service.
    pub async fn send(self, request: Request<Body>) -> Result<Response<Body>, BoxError> {
        self.0.oneshot(request).await
    }
}

impl Service<Request<Body>> for HttpService {
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = <BoxCloneSyncService<Request<Body>, Response<Body>, BoxError> as Service<
        Request<Body>,
    >>::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        self.0.call(request)
    }
}

impl fmt::Debug for HttpService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HttpService")
    }
}

/// A service that a layer may return or [`TransportBuilder::service`](crate::TransportBuilder::service)
/// takes. Implemented for every tower service from a request to a response with any body of bytes
/// that is `Clone + Send + Sync` and has a `Send` future.
///
/// `B` is the answer's body, which is always inferred.
pub trait IntoHttpService<B> {
    /// Erases the service's type.
    fn into_http_service(self) -> HttpService;
}

impl<S, B> IntoHttpService<B> for S
where
    S: Service<
            Request<Body>,
            Response = Response<B>,
            Error: Into<BoxError>,
            Future: Send + 'static,
        > + Clone
        + Send
        + Sync
        + 'static,
    B: HttpBody<Data: Buf + Send, Error: Into<BoxError>> + Send + 'static,
{
    fn into_http_service(self) -> HttpService {
        let service = self
            .map_response(|response: Response<B>| response.map(Body::from_http))
            .map_err(Into::into);
        HttpService(BoxCloneSyncService::new(service))
    }
}

/// A layer of any type, kept so that a transport can be assembled again.
pub(crate) type ErasedLayer = std::sync::Arc<dyn Fn(HttpService) -> HttpService + Send + Sync>;

pub(crate) fn erase<L, B>(layer: L) -> ErasedLayer
where
    L: Layer<HttpService, Service: IntoHttpService<B>> + Send + Sync + 'static,
{
    std::sync::Arc::new(move |inner| layer.layer(inner).into_http_service())
}
