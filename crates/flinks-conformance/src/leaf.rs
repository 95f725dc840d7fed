//! Level 2's server: a tower service in the place of hyper that follows the script.

use std::future::{Future, pending};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use flinks_transport::{Body, BoxError, Error, ErrorKind};
use http::{Request, Response};
use http_body::{Body as _, Frame};
use http_body_util::BodyExt as _;
use tokio::time::sleep;
use tower_service::Service;

use crate::case::Fault;
use crate::matching::{Head, target};
use crate::script::{Action, Script, ScriptedReply};

/// Follows the script, one request at a time or several at once.
#[derive(Clone)]
pub(crate) struct Leaf(pub(crate) Script);

impl Service<Request<Body>> for Leaf {
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let script = self.0.clone();
        Box::pin(answer(script, request))
    }
}

async fn answer(script: Script, request: Request<Body>) -> Result<Response<Body>, BoxError> {
    let (parts, body) = request.into_parts();
    let head = Head {
        method: parts.method.to_string(),
        path: target(&parts.uri),
        headers: parts.headers,
    };
    let mut body = Some(body);
    let read = if script.any_order() {
        Some(collect(&script, &mut body).await?)
    } else {
        None
    };
    // The step ends when this is dropped, also by a time limit of the caller.
    let turn = script.begin(&head, read.as_ref());
    if turn.action.reads_body() && read.is_none() {
        turn.check_body(&collect(&script, &mut body).await?);
    }
    sleep(turn.after).await;
    match &turn.action {
        Action::Reply(reply) => response(reply, Body::from(reply.body.clone())),
        Action::Fault(fault) => fail(*fault).await,
    }
}

/// Reads a body, which must be as long as its `Content-Length` would say.
async fn collect(script: &Script, body: &mut Option<Body>) -> Result<Bytes, BoxError> {
    let Some(body) = body.take() else {
        return Ok(Bytes::new());
    };
    let length = body.size_hint().exact();
    let bytes = body.collect().await?.to_bytes();
    if length != u64::try_from(bytes.len()).ok() {
        let (said, has) = (length.unwrap_or_default(), bytes.len());
        script.problem(format!(
            "Content-Length is {said}, the body has {has} bytes"
        ));
    }
    Ok(bytes)
}

fn response(reply: &ScriptedReply, body: Body) -> Result<Response<Body>, BoxError> {
    let mut response = Response::builder().status(reply.status);
    for (name, value) in &reply.headers {
        response = response.header(name, value);
    }
    Ok(response.body(body)?)
}

/// Fails as a connection would, in words that only the network has.
async fn fail(fault: Fault) -> Result<Response<Body>, BoxError> {
    match fault {
        Fault::Refuse => Err(Error::new(ErrorKind::Connect, "could not connect").into()),
        Fault::ResetBeforeSend | Fault::ResetAfterSend => {
            Err(io::Error::from(io::ErrorKind::ConnectionReset).into())
        }
        Fault::CloseAfterSend => Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
        Fault::Garbage => Err(io::Error::from(io::ErrorKind::InvalidData).into()),
        Fault::TornBody => Ok(Response::new(Body::from_stream(Torn { sent: false }))),
        Fault::Hang | Fault::Stall => pending().await,
    }
}

/// The first half of an answer that breaks off.
pub(crate) const TORN: &[u8] = b"{\"HttpStatusCode\":200,";

/// Half an answer, then the end of the connection.
struct Torn {
    sent: bool,
}

impl http_body::Body for Torn {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let end = || io::Error::from(io::ErrorKind::UnexpectedEof);
        let sent = std::mem::replace(&mut self.sent, true);
        let frame = Frame::data(Bytes::from_static(TORN));
        Poll::Ready(Some(if sent { Err(end()) } else { Ok(frame) }))
    }
}
