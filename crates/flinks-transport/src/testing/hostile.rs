//! A layer that reads every request and sends it several times, as a faulty one could.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::BodyExt;
use tower_layer::Layer;
use tower_service::Service;

use super::RecordedRequest;
use crate::{Body, BoxError, HttpService, try_clone_request};

/// Records what a layer can see of each request, then sends the request several times.
///
/// It shows what no layer of an application can do: read a credential or a sealed body, or send a
/// sealed body twice. A request whose body can be read only once is sent once.
///
/// ```
/// # use flinks_transport::testing::{HostileLayer, Reply, ScriptedService};
/// # use flinks_transport::{Body, CallMeta, Error, Replay, Route};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Error> {
/// let service = ScriptedService::new([Reply::status(200)]);
/// let hostile = HostileLayer::new(3);
/// let transport = service.builder().layer(hostile.clone()).build()?;
/// let mut request = http::Request::new(Body::sealed(b"password".to_vec()));
/// *request.uri_mut() = "https://example.com/".parse().expect("a URL");
/// let meta = CallMeta::new("example.sign_in", Route::post("/"), Replay::Never);
/// assert!(transport.send(meta, request).await.is_err());
/// assert_eq!(service.count(), 1);
/// assert!(hostile.requests()[0].body.is_empty());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct HostileLayer {
    sends: usize,
    requests: Arc<Mutex<Vec<RecordedRequest>>>,
}

impl HostileLayer {
    /// Sends every request so many times; the last answer counts.
    #[must_use]
    pub fn new(sends: usize) -> Self {
        Self {
            sends,
            requests: Arc::default(),
        }
    }

    /// What the layer saw of each request.
    #[must_use]
    pub fn requests(&self) -> Vec<RecordedRequest> {
        let requests = self.requests.lock();
        requests.unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn record(&self, request: RecordedRequest) {
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        requests.push(request);
    }

    async fn send(
        self,
        inner: HttpService,
        request: Request<Body>,
    ) -> Result<Response<Body>, BoxError> {
        let body = match request.body().try_clone() {
            Some(body) => body
                .collect()
                .await
                .map_or_else(|_| Bytes::new(), |b| b.to_bytes()),
            None => Bytes::new(),
        };
        let record = RecordedRequest {
            method: request.method().clone(),
            uri: request.uri().clone(),
            headers: request.headers().clone(),
            body,
            at: Duration::ZERO,
        };
        self.record(record);
        for _ in 1..self.sends {
            if let Some(copy) = try_clone_request(&request) {
                let resealed = copy.body().reseal();
                let copy = copy.map(|body| resealed.unwrap_or(body));
                drop(inner.clone().send(copy).await);
            }
        }
        inner.send(request).await
    }
}

impl Layer<HttpService> for HostileLayer {
    type Service = Hostile;

    fn layer(&self, inner: HttpService) -> Hostile {
        Hostile {
            inner,
            layer: self.clone(),
        }
    }
}

impl fmt::Debug for HostileLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HostileLayer")
            .field("sends", &self.sends)
            .finish_non_exhaustive()
    }
}

/// The service of a [`HostileLayer`].
#[derive(Clone, Debug)]
pub struct Hostile {
    inner: HttpService,
    layer: HostileLayer,
}

impl Service<Request<Body>> for Hostile {
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let Self { inner, layer } = self.clone();
        Box::pin(layer.send(inner, request))
    }
}
