//! A layer of the application's own that looks at every request: credentials must not be there, and
//! each layer must stand where it says.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use flinks_transport::{Body, HttpService, TransportBuilder};
use http::Request;
use tower_layer::Layer;
use tower_service::Service;

use crate::script::Arrived;

/// A layer in each of the two places where an application may have one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Watches {
    calls: Watch,
    attempts: Watch,
}

impl Watches {
    /// Puts the layers in their places, outside of those that are added later.
    pub(crate) fn add(&self, builder: TransportBuilder) -> TransportBuilder {
        builder
            .layer(self.calls.clone())
            .attempt_layer(self.attempts.clone())
    }

    /// Everything that was seen in either place.
    pub(crate) fn text(&self) -> String {
        [&self.calls, &self.attempts]
            .map(|watch| watch.seen().text.clone())
            .concat()
    }

    /// What does not stand where it says: a call passes the outer layers once however often it is
    /// sent, and whatever is sent again passes the inner ones again, but for what the credentials
    /// repeat after a 401.
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
struct Watch(Arc<Mutex<Seen>>);

#[derive(Debug, Default)]
struct Seen {
    requests: usize,
    text: String,
}

impl Watch {
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
