//! A scripted leaf: answers each request by its turn, and remembers what it saw and when.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use flinks_auth::ApiSecret;
use flinks_fraud::FraudClient;
use flinks_transport::{Body, BoxError, Endpoint, Error, ErrorKind, RetryConfig, Transport};
use flinks_types::{CustomerId, LoginId};
use http::{HeaderMap, Method, Request, Response, Uri};
use tokio::time::Instant;
use tower::Service;

use crate::log;

pub(crate) const SECRET: &str = "canary-secret-4711";
pub(crate) const LOGIN: &str = "aabf32b7-2f4e-4248-8895-b47b7ebc5a3c";

/// What the leaf does with one request.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    Answer(u16, String),
    /// As `Answer`, with a `Retry-After` of so many seconds.
    After(u16, String, u64),
    Refuse,
    Break,
    Untrusted,
    Hang,
}

/// An answer with a body of JSON.
pub(crate) fn answer(status: u16, body: impl Into<String>) -> Act {
    Act::Answer(status, body.into())
}

#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) headers: HeaderMap,
    pub(crate) at: Instant,
}

#[derive(Clone, Debug)]
pub(crate) struct Leaf {
    script: Arc<Mutex<VecDeque<Act>>>,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Leaf {
    /// The last act is repeated for ever.
    pub(crate) fn new(script: impl IntoIterator<Item = Act>) -> Self {
        log::begin();
        Self {
            script: Arc::new(Mutex::new(script.into_iter().collect())),
            seen: Arc::default(),
        }
    }

    /// A client whose every poll is one request.
    pub(crate) fn client(&self) -> FraudClient {
        self.client_over(|builder| builder.retry(RetryConfig::none()))
    }

    pub(crate) fn client_over(
        &self,
        change: impl FnOnce(flinks_transport::TransportBuilder) -> flinks_transport::TransportBuilder,
    ) -> FraudClient {
        FraudClient::new(
            change(Transport::builder().service(self.clone()))
                .build()
                .unwrap(),
            Endpoint::instance("toolbox").unwrap(),
            CustomerId::new("43387ca6").unwrap(),
            ApiSecret::new(SECRET),
        )
        .unwrap()
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    pub(crate) fn count(&self) -> usize {
        self.seen.lock().unwrap().len()
    }

    /// The time between each request and the next.
    pub(crate) fn gaps(&self) -> Vec<Duration> {
        let seen = self.seen();
        seen.windows(2).map(|two| two[1].at - two[0].at).collect()
    }
}

pub(crate) fn login_id() -> LoginId {
    LoginId::new(LOGIN).unwrap()
}

impl Service<Request<Body>> for Leaf {
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let mut script = self.script.lock().unwrap();
        let act = if script.len() > 1 {
            script.pop_front()
        } else {
            script.front().cloned()
        };
        self.seen.lock().unwrap().push(Seen {
            method: request.method().clone(),
            uri: request.uri().clone(),
            headers: request.headers().clone(),
            at: Instant::now(),
        });
        Box::pin(async move {
            let (response, body) = match act.expect("a script") {
                Act::Answer(status, body) => (Response::builder().status(status), body),
                Act::After(status, body, seconds) => (
                    Response::builder()
                        .status(status)
                        .header("retry-after", seconds),
                    body,
                ),
                Act::Refuse => return Err(Error::new(ErrorKind::Connect, "refused").into()),
                Act::Untrusted => {
                    return Err(Error::new(ErrorKind::ServerCertificate, "untrusted").into());
                }
                Act::Break => return Err("broken".into()),
                Act::Hang => std::future::pending().await,
            };
            Ok(response.body(Body::from(body)).unwrap())
        })
    }
}
