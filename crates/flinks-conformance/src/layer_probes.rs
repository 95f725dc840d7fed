//! Two layers in the places of an application's own: they must see no credentials, and each request the
//! right number of times.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use flinks_transport::{Body, HttpService, TransportBuilder};
use http::Request;
use tower_layer::Layer;
use tower_service::Service;

use crate::script::Arrived;

/// A layer in each of the two places where an application may have one.
#[derive(Clone, Debug, Default)]
pub(crate) struct LayerProbes {
    calls: Probe,
    attempts: Probe,
}

impl LayerProbes {
    /// Puts the layers in their places, outside of those that are added later.
    pub(crate) fn add(&self, builder: TransportBuilder) -> TransportBuilder {
        builder
            .layer(self.calls.clone())
            .attempt_layer(self.attempts.clone())
    }

    /// Returns everything that was seen in either place.
    pub(crate) fn text(&self) -> String {
        [&self.calls, &self.attempts]
            .map(|probe| probe.seen().text.clone())
            .concat()
    }

    /// Returns what passed the layers too often or not at all: a call passes the outer ones once,
    /// each attempt passes the inner ones, except a repetition after a 401.
    pub(crate) fn misplaced(&self, is_one_call: bool, arrived: Arrived) -> Vec<String> {
        let (calls, attempts) = (self.calls.seen().requests, self.attempts.seen().requests);
        let Arrived { requests, refused } = arrived;
        let mut lines = Vec::new();
        if is_one_call && calls > 1 {
            lines.push(format!("one call passed the layers of calls {calls} times"));
        }
        if attempts + refused < requests {
            lines.push(format!(
                "{requests} requests arrived, but only {attempts} passed the layers of attempts"
            ));
        }
        lines
    }
}

/// Counts the requests, and keeps the headers of each, and the body of those whose body can be read.
#[derive(Clone, Debug, Default)]
struct Probe(Arc<Mutex<Seen>>);

#[derive(Debug, Default)]
struct Seen {
    requests: usize,
    text: String,
}

impl Probe {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, request: &Request<Body>) {
        let mut seen = self.seen();
        seen.requests += 1;
        let headers = request.headers().values().map(http::HeaderValue::as_bytes);
        let body = request.body().as_bytes().map(AsRef::as_ref);
        for part in headers.chain(body) {
            seen.text.push_str(&String::from_utf8_lossy(part));
            seen.text.push('\n');
        }
    }
}

impl Layer<HttpService> for Probe {
    type Service = Probed;

    fn layer(&self, inner: HttpService) -> Probed {
        Probed {
            inner,
            probe: self.clone(),
        }
    }
}

#[derive(Clone)]
pub(crate) struct Probed {
    inner: HttpService,
    probe: Probe,
}

impl Service<Request<Body>> for Probed {
    type Response = <HttpService as Service<Request<Body>>>::Response;
    type Error = <HttpService as Service<Request<Body>>>::Error;
    type Future = <HttpService as Service<Request<Body>>>::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        self.probe.note(&request);
        self.inner.call(request)
    }
}
