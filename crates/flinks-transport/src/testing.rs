//! For tests: a service that answers from a script, and a layer that tries to abuse every request.
//!
//! With the feature `testing`, in `[dev-dependencies]`:
//!
//! ```
//! use flinks_transport::testing::{Reply, ScriptedService};
//! use flinks_transport::{Body, CallMeta, Error, Replay, Route};
//! use http::Request;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Error> {
//! // The first request is refused as too many, so the call is made again.
//! let service = ScriptedService::new([
//!     Reply::status(429).header("retry-after", "0"),
//!     Reply::json(200, r#"{"status":"up"}"#),
//! ]);
//! let transport = service.builder().build()?;
//!
//! let meta = CallMeta::new("example.status", Route::get("/status"), Replay::Safe);
//! let mut request = Request::new(Body::empty());
//! *request.uri_mut() = "https://example.com/status".parse().expect("a URL");
//! let response = transport.send(meta, request).await?;
//!
//! assert_eq!(response.body(), r#"{"status":"up"}"#);
//! assert_eq!(service.requests().len(), 2);
//! assert_eq!(service.requests()[1].uri.path(), "/status");
//! # Ok(())
//! # }
//! ```

mod hostile;
mod reply;

use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, Uri, request};
use http_body_util::BodyExt;
use tokio::time::Instant;
use tower_service::Service;

use crate::{Body, BoxError, HttpService, IntoHttpService, Transport, TransportBuilder};

pub use hostile::{Hostile, HostileLayer};
pub use reply::Reply;

/// Replaces the network: answers each request with the next reply and records the request.
///
/// It is what [`TransportBuilder::service`] takes, so it sees credentials and the contents of
/// sealed bodies. Clones share the script and the records. A
/// request after the last reply panics.
#[derive(Clone)]
pub struct ScriptedService {
    start: Instant,
    repeats: bool,
    script: Arc<Mutex<VecDeque<Reply>>>,
    requests: Arc<Mutex<Vec<RecordedRequest>>>,
}

impl ScriptedService {
    /// Answers with these replies, in order.
    #[must_use]
    pub fn new(script: impl IntoIterator<Item = Reply>) -> Self {
        Self {
            start: Instant::now(),
            repeats: false,
            script: Arc::new(Mutex::new(script.into_iter().collect())),
            requests: Arc::default(),
        }
    }

    /// Repeats the last reply for all further requests.
    #[must_use]
    pub fn repeat_last(mut self) -> Self {
        self.repeats = true;
        self
    }

    /// Starts a transport over this service.
    pub fn builder(&self) -> TransportBuilder {
        Transport::builder().service(self.clone())
    }

    /// The requests so far.
    #[must_use]
    pub fn requests(&self) -> Vec<RecordedRequest> {
        let requests = self.requests.lock();
        requests.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The number of requests so far.
    #[must_use]
    pub fn count(&self) -> usize {
        self.requests().len()
    }

    /// The time between each request and the next.
    #[must_use]
    pub fn gaps(&self) -> Vec<Duration> {
        let requests = self.requests();
        let later = requests.iter().skip(1);
        let gaps = requests.iter().zip(later);
        gaps.map(|(one, next)| next.at.saturating_sub(one.at))
            .collect()
    }

    fn next_reply(&self) -> Option<Reply> {
        let mut script = self.script.lock().unwrap_or_else(PoisonError::into_inner);
        if self.repeats && script.len() == 1 {
            return script.front().cloned();
        }
        script.pop_front()
    }

    fn record(&self, parts: &request::Parts, body: Bytes, at: Instant) {
        let request = RecordedRequest {
            method: parts.method.clone(),
            uri: parts.uri.clone(),
            headers: parts.headers.clone(),
            body,
            at: at.saturating_duration_since(self.start),
        };
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        requests.push(request);
    }
}

/// Replaces the service of a transport that was built with one, for all clones: a double of
/// [`Transport::replace_identity`], which a custom service does not support.
pub fn replace_service<S, B>(transport: &Transport, service: S)
where
    S: IntoHttpService<B>,
{
    transport.replace_service(HttpService::new(service));
}

impl Service<Request<Body>> for ScriptedService {
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    #[expect(clippy::expect_used, reason = "a test double fails its test")]
    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let service = self.clone();
        Box::pin(async move {
            let at = Instant::now();
            let reply = service.next_reply();
            let (parts, body) = request.into_parts();
            let body = match &reply {
                Some(reply) if !reply.reads_body() => Bytes::new(),
                Some(_) | None => body.collect().await?.to_bytes(),
            };
            service.record(&parts, body, at);
            reply
                .expect("one request more than the script has replies")
                .answer()
                .await
        })
    }
}

impl fmt::Debug for ScriptedService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScriptedService")
            .field("requests", &self.count())
            .finish_non_exhaustive()
    }
}

/// A request as a [`ScriptedService`] or a [`HostileLayer`] saw it.
///
/// Its `Debug` shows no header value and no body, because a scripted service sees credentials.
#[derive(Clone)]
#[non_exhaustive]
pub struct RecordedRequest {
    /// The method.
    pub method: Method,
    /// The URL.
    pub uri: Uri,
    /// The headers.
    pub headers: HeaderMap,
    /// The body; empty if it could not be read.
    pub body: Bytes,
    /// When the request came, from the time that the service was made.
    pub at: Duration,
}

impl RecordedRequest {
    /// The value of a header, if it is text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body as text; replaces what is not UTF-8.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

impl fmt::Debug for RecordedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordedRequest")
            .field("method", &self.method)
            .field("at", &self.at)
            .finish_non_exhaustive()
    }
}
