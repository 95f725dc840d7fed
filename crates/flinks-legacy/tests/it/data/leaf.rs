//! A scripted leaf that can fail, and remembers method, query and time.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use flinks_auth::LegacyKeys;
use flinks_legacy::{LegacyClient, Session};
use flinks_transport::{
    Body, BoxError, Error, ErrorKind, RetryConfig, Transport, TransportBuilder,
};
use flinks_types::{LoginId, RequestId};
use http::header::CONTENT_TYPE;
use http::{Request, Response};
use http_body_util::BodyExt;
use tokio::time::Instant;
use tower_service::Service;

pub(crate) const LOGIN: &str = "b0debb48-f9f1-46c6-80a4-08d7dd88d478";
pub(crate) const REQUEST: &str = crate::leaf::REQUEST_ID;

/// What the leaf does with one request.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    Answer(u16, String),
    /// As `Answer`, with a `Retry-After` of so many seconds.
    After(u16, String, u64),
    Refuse,
    Break,
    Hang,
}

pub(crate) fn answer(status: u16, body: impl Into<String>) -> Act {
    Act::Answer(status, body.into())
}

pub(crate) fn pending() -> Act {
    answer(
        202,
        r#"{"HttpStatusCode":202,"FlinksCode":"OPERATION_PENDING","Message":"Your operation is still processing"}"#,
    )
}

pub(crate) fn ready() -> Act {
    answer(
        200,
        r#"{"HttpStatusCode":200,"Accounts":[{"Title":"One"}]}"#,
    )
}

#[derive(Clone, Debug)]
pub(crate) struct Seen {
    /// Method and path, with the query.
    pub(crate) line: String,
    pub(crate) body: String,
    pub(crate) has_json: bool,
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
        Self {
            script: Arc::new(Mutex::new(script.into_iter().collect())),
            seen: Arc::default(),
        }
    }

    /// A client whose every call is one request.
    pub(crate) fn client(&self) -> LegacyClient {
        self.client_over(|builder| builder.retry(RetryConfig::none()))
    }

    pub(crate) fn client_over(
        &self,
        change: impl FnOnce(TransportBuilder) -> TransportBuilder,
    ) -> LegacyClient {
        let builder = change(Transport::builder().service(self.clone()));
        crate::leaf::client(builder, LegacyKeys::new())
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// The methods of all requests, in a row.
    pub(crate) fn methods(&self) -> Vec<String> {
        let seen = self.seen();
        let methods = seen.iter().map(|seen| seen.line.split(' ').next().unwrap());
        methods.map(str::to_owned).collect()
    }

    /// The time between each request and the next.
    pub(crate) fn gaps(&self) -> Vec<Duration> {
        let seen = self.seen();
        seen.windows(2).map(|two| two[1].at - two[0].at).collect()
    }
}

pub(crate) fn session() -> Session {
    Session::from_request_id(RequestId::new(REQUEST).unwrap())
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
        let leaf = self.clone();
        Box::pin(async move {
            let at = Instant::now();
            let act = {
                let mut script = leaf.script.lock().unwrap();
                if script.len() > 1 {
                    script.pop_front()
                } else {
                    script.front().cloned()
                }
            };
            let (parts, body) = request.into_parts();
            let line = format!("{} {}", parts.method, parts.uri.path_and_query().unwrap());
            // A refused connection reads nothing.
            let body = if matches!(act, Some(Act::Refuse)) {
                Vec::new()
            } else {
                body.collect().await?.to_bytes().to_vec()
            };
            leaf.seen.lock().unwrap().push(Seen {
                line,
                body: String::from_utf8(body).unwrap(),
                has_json: parts
                    .headers
                    .get(CONTENT_TYPE)
                    .is_some_and(|value| value == "application/json"),
                at,
            });
            let (response, body) = match act.expect("a script") {
                Act::Answer(status, body) => (Response::builder().status(status), body),
                Act::After(status, body, seconds) => (
                    Response::builder()
                        .status(status)
                        .header("retry-after", seconds),
                    body,
                ),
                Act::Refuse => return Err(Error::new(ErrorKind::Connect, "refused").into()),
                Act::Break => return Err("broken".into()),
                Act::Hang => std::future::pending().await,
            };
            Ok(response.body(Body::from(body)).unwrap())
        })
    }
}
