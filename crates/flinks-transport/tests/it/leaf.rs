//! A scripted leaf: answers each request by its turn, and remembers what it saw.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use flinks_transport::{
    Body, BoxError, CallMeta, DecodeError, Error, ErrorKind, Operation, Replay, Route, Transport,
    TransportBuilder,
};
use http::{HeaderMap, Request, Response};
use http_body_util::BodyExt;
use tower_service::Service;

/// What the leaf does with one request.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    /// Reads the request and answers.
    Answer(u16, &'static str),
    /// As `Answer`, with one header.
    With(u16, &'static str, &'static str),
    /// Cannot be connected to.
    Refuse,
    /// Breaks without reading the body.
    BreakBefore,
    /// Reads the whole body, then breaks.
    BreakAfter,
    /// Reads the whole body and never answers.
    Hang,
    /// Answers, but the body breaks off.
    Torn(u16),
}

pub(crate) fn ok() -> Act {
    Act::Answer(200, "up")
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Leaf {
    script: Arc<Mutex<VecDeque<Act>>>,
    seen: Arc<Mutex<Vec<Seen>>>,
}

#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) at: tokio::time::Instant,
}

impl Leaf {
    pub(crate) fn new(script: impl IntoIterator<Item = Act>) -> Self {
        Self {
            script: Arc::new(Mutex::new(script.into_iter().collect())),
            ..Self::default()
        }
    }

    pub(crate) fn builder(&self) -> TransportBuilder {
        Transport::builder().service(self.clone())
    }

    pub(crate) fn transport(&self) -> Transport {
        self.builder().build().unwrap()
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    pub(crate) fn count(&self) -> usize {
        self.seen.lock().unwrap().len()
    }
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
            let at = tokio::time::Instant::now();
            let act = leaf
                .script
                .lock()
                .unwrap()
                .pop_front()
                .expect("one request too many");
            let note = |headers: &HeaderMap, body: Bytes| {
                leaf.seen.lock().unwrap().push(Seen {
                    headers: headers.clone(),
                    body,
                    at,
                });
            };
            let (parts, body) = request.into_parts();
            #[expect(
                clippy::wildcard_enum_match_arm,
                reason = "the others read the request first"
            )]
            match act {
                Act::Refuse => {
                    note(&parts.headers, Bytes::new());
                    return Err(Error::new(ErrorKind::Connect, "refused").into());
                }
                Act::BreakBefore => {
                    note(&parts.headers, Bytes::new());
                    return Err("broken".into());
                }
                _ => {}
            }
            let bytes = body.collect().await?.to_bytes();
            note(&parts.headers, bytes);
            #[expect(clippy::wildcard_enum_match_arm, reason = "the others never answer")]
            let (status, text) = match act {
                Act::Answer(status, text) => (status, Body::from(text.to_owned())),
                Act::With(status, _, _) => (status, Body::from("{}".to_owned())),
                Act::Torn(status) => (status, Body::from_stream(TornBody(false))),
                Act::BreakAfter => return Err("broken".into()),
                _ => std::future::pending().await,
            };
            let mut response = Response::builder().status(status);
            if let Act::With(_, name, value) = act {
                response = response.header(name, value);
            }
            Ok(response.body(text).unwrap())
        })
    }
}

struct TornBody(bool);

impl http_body::Body for TornBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, BoxError>>> {
        let torn = std::mem::replace(&mut self.0, true);
        Poll::Ready(Some(if torn {
            Err("cut".into())
        } else {
            Ok(http_body::Frame::data(Bytes::from_static(b"{\"a\":")))
        }))
    }
}

/// An operation of the tests.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    pub(crate) replay: Replay,
    pub(crate) body: &'static str,
    pub(crate) url: String,
    pub(crate) stall: Option<(Duration, Duration)>,
    /// Reads every answer as a failure whose body names this status.
    pub(crate) says: Option<Option<u16>>,
}

impl Ask {
    pub(crate) fn new(replay: Replay) -> Self {
        Self {
            replay,
            body: "question",
            url: "https://example.com/ask".to_owned(),
            stall: None,
            says: None,
        }
    }
}

impl Operation for Ask {
    type Output = String;

    fn meta(&self) -> CallMeta {
        let meta = CallMeta::new("test.ask", Route::post("/"), self.replay);
        match self.stall {
            Some((idle, answer)) => meta.with_stall_timeout(idle, answer).without_timeout(),
            None => meta,
        }
    }

    fn request(&self) -> Result<Request<Body>, Error> {
        let mut request = Request::new(Body::from(self.body.to_owned()));
        *request.method_mut() = http::Method::POST;
        *request.uri_mut() = self.url.parse().expect("a URL");
        Ok(request)
    }

    fn decode(&self, response: Response<Bytes>) -> Result<String, DecodeError> {
        if let Some(status) = self.says {
            let mut api = flinks_types::ApiError::default();
            api.http_status_code = status;
            return Err(DecodeError::api(api));
        }
        match String::from_utf8(response.into_body().to_vec()) {
            Ok(text) if text != "malformed" => Ok(text),
            _ => Err(DecodeError::Malformed("no answer".to_owned())),
        }
    }
}
