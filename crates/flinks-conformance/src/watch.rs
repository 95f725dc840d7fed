//! A layer of the application's own that looks at every request: credentials must not be there.

use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use flinks_transport::{Body, HttpService};
use http::Request;
use tower_layer::Layer;
use tower_service::Service;

/// Keeps the headers of every attempt, and the body of those whose body can be read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Watch(Arc<Mutex<String>>);

impl Watch {
    /// Everything that was seen.
    pub(crate) fn text(&self) -> String {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn note(&self, request: &Request<Body>) {
        let mut text = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let headers = request.headers().values().map(http::HeaderValue::as_bytes);
        let body = request.body().as_bytes().map(AsRef::as_ref);
        for seen in headers.chain(body) {
            text.push_str(&String::from_utf8_lossy(seen));
            text.push('\n');
        }
    }
}

impl Layer<HttpService> for Watch {
    type Service = Watching;

    fn layer(&self, inner: HttpService) -> Watching {
        Watching {
            inner,
            watch: self.clone(),
        }
    }
}

#[derive(Clone)]
pub(crate) struct Watching {
    inner: HttpService,
    watch: Watch,
}

impl Service<Request<Body>> for Watching {
    type Response = <HttpService as Service<Request<Body>>>::Response;
    type Error = <HttpService as Service<Request<Body>>>::Error;
    type Future = <HttpService as Service<Request<Body>>>::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        self.watch.note(&request);
        self.inner.call(request)
    }
}
