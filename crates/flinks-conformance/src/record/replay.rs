//! The replaced call, made once more over answers that are already there: what it sends is written down.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use flinks_transport::{Body, BoxError};
use http::header::CONTENT_TYPE;
use http::{Request, Response};
use http_body_util::BodyExt as _;
use serde_json::{Map, Value, json};
use tower_service::Service;

use crate::matching::{Head, header, target};
use crate::standard;

/// Longer bodies are known by their length.
const LONGEST_BODY: usize = 16 * 1024;

/// Gives the replies of a case in their order, and makes the steps of it.
#[derive(Clone)]
pub(super) struct Replay(Arc<Mutex<State>>);

struct State {
    /// The call is for a token itself: then its answer is recorded as any other.
    is_token: bool,
    left: VecDeque<Value>,
    last: Option<Value>,
    steps: Vec<Exchange>,
    missing: bool,
}

struct Exchange {
    expect: Value,
    reply: Value,
    /// The runner answers this by itself unless a case has steps for tokens.
    by_itself: bool,
}

impl Replay {
    pub(super) fn new(replies: Vec<Value>, operation: &str) -> Self {
        Self(Arc::new(Mutex::new(State {
            is_token: matches!(operation, "auth.token" | "auth.authorize_token"),
            left: replies.into(),
            last: None,
            steps: Vec::new(),
            missing: false,
        })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The steps of the case.
    ///
    /// # Errors
    /// The replaced call did not ask for just these answers.
    pub(super) fn steps(&self) -> Result<Vec<(Value, Value)>, String> {
        let state = self.state();
        if state.missing || !state.left.is_empty() {
            return Err("once replaced, the call does not ask for the same answers".to_owned());
        }
        let tokens = state.steps.iter().filter(|step| step.by_itself).count();
        // A step for one token stands for all of them.
        let steps = state.steps.iter();
        let steps = steps.filter(|step| tokens > 1 || !step.by_itself);
        Ok(steps
            .map(|step| (step.expect.clone(), step.reply.clone()))
            .collect())
    }
}

impl State {
    fn answer(&mut self, head: &Head, body: &Bytes) -> Result<Value, BoxError> {
        let by_itself = !self.is_token && standard::is_token(&head.path);
        let reply = if by_itself {
            let body = if standard::is_authorize_token(&head.path) {
                standard::authorize_token_answer()
            } else {
                standard::token_answer()
            };
            json!({ "status": 200, "body_json": body })
        } else {
            // A refused token is replaced below the layer that recorded: two attempts were one.
            let refused = |last: &Value| last.get("status") == Some(&json!(401));
            let again = self.last.take().filter(refused);
            let reply = self.left.pop_front().or(again);
            self.missing |= reply.is_none();
            self.last.clone_from(&reply);
            reply.ok_or("no answer is left")?
        };
        self.steps.push(Exchange {
            expect: expect(head, body),
            reply: reply.clone(),
            by_itself,
        });
        Ok(reply)
    }
}

impl Service<Request<Body>> for Replay {
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let replay = self.clone();
        let (parts, body) = request.into_parts();
        let head = Head {
            method: parts.method.to_string(),
            path: target(&parts.uri),
            headers: parts.headers,
        };
        Box::pin(async move {
            let body = body.collect().await?.to_bytes();
            let reply = replay.state().answer(&head, &body)?;
            response(&reply)
        })
    }
}

fn expect(head: &Head, body: &Bytes) -> Value {
    let mut expect = Map::new();
    let mut put = |key: &str, value| drop(expect.insert(key.to_owned(), value));
    put("method", head.method.as_str().into());
    put("path", head.path.as_str().into());
    if let Some(kind) = header(&head.headers, CONTENT_TYPE.as_str()) {
        put("headers", json!({ "content-type": kind }));
    }
    if body.len() > LONGEST_BODY {
        put("body_length", body.len().into());
    } else if let Ok(value) = serde_json::from_slice(body) {
        put("body_json", value);
    } else if !body.is_empty() {
        put("body_text", String::from_utf8_lossy(body).into());
    }
    Value::Object(expect)
}

/// What the scripted servers make of a reply.
fn response(reply: &Value) -> Result<Response<Body>, BoxError> {
    let body = match (reply.get("body_json"), reply.get("body_text")) {
        (Some(value), _) => value.to_string(),
        (None, text) => text.and_then(Value::as_str).unwrap_or_default().to_owned(),
    };
    let status = reply.get("status").and_then(Value::as_u64);
    let mut response = Response::builder().status(u16::try_from(status.unwrap_or_default())?);
    if let Some(headers) = reply.get("headers").and_then(Value::as_object) {
        for (name, value) in headers {
            response = response.header(name, value.as_str().unwrap_or_default());
        }
    }
    let typed = response.headers_ref();
    let typed = typed.is_some_and(|headers| headers.contains_key(CONTENT_TYPE));
    if !typed && !body.is_empty() {
        response = response.header(CONTENT_TYPE, "application/json");
    }
    Ok(response.body(Body::from(body.into_bytes()))?)
}
