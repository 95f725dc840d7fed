//! The seam: one boxed, cloneable service type that every layer wraps and every layer is.

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
        Self(BoxCloneSyncService::new(
            service
                .map_response(|response: Response<B>| response.map(Body::from_http))
                .map_err(Into::into),
        ))
    }

    /// Waits until the service is ready, and sends.
    pub(crate) async fn send(self, request: Request<Body>) -> Result<Response<Body>, BoxError> {
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

/// A layer of any type, kept so that a transport can be assembled again.
pub(crate) type ErasedLayer = std::sync::Arc<dyn Fn(HttpService) -> HttpService + Send + Sync>;

pub(crate) fn erase<L, B>(layer: L) -> ErasedLayer
where
    L: Layer<HttpService> + Send + Sync + 'static,
    L::Service: Service<
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
    std::sync::Arc::new(move |inner| HttpService::new(layer.layer(inner)))
}
