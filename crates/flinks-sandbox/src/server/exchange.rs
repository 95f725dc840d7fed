//! One request: its faults, its body, its effect, its answer, its line in the log.

use std::future::pending;
use std::sync::Arc;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderValue, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::sleep;

use super::fault_answer::{distort, instead_of_acting, with_status};
use crate::answer::Answer;
use crate::control;
use crate::fault::{Kind, Plan};
use crate::fraud;
use crate::legacy;
use crate::lock::lock;
use crate::log::{Entry, LogLine};
use crate::operation::{ApiOperation, Host};
use crate::request::is_of_type;
use crate::routes::Route;
use crate::state::State;
use crate::upload::{self, BODY_LIMIT, TooLarge, UPLOAD_LIMIT, UploadBody};

/// The body of a request that its head has refused is read up to this size, so that the connection
/// can be kept.
const SMALL_BODY: u64 = 64 * 1024;

const CLIENT_LEFT: &str = "The client closed the connection in the middle of its request.";

/// How a connection ends when no ordinary answer is sent.
#[derive(Debug)]
pub(super) enum Ending {
    Reset,
    Close,
    /// Sends these bytes, then closes.
    Raw(Vec<u8>),
}

/// One client connection.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) state: Arc<State>,
    pub(super) host: Host,
    /// The serial number of the client's certificate, on the upload host.
    pub(super) serial: Option<String>,
    /// Why the client's certificate is not trusted.
    pub(super) untrusted: Option<String>,
    pub(super) endings: UnboundedSender<Ending>,
}

/// A request whose head was read.
#[derive(Debug)]
pub(super) struct Arrival {
    plan: Plan,
    entry: Entry,
}

/// The body of a request.
enum Received {
    Upload(UploadBody),
    Other(Vec<u8>),
}

impl Received {
    fn new(operation: ApiOperation) -> Self {
        if operation == ApiOperation::Upload {
            Self::Upload(UploadBody::default())
        } else {
            Self::Other(Vec::new())
        }
    }

    fn push(&mut self, data: &[u8]) -> Result<(), TooLarge> {
        match self {
            Self::Upload(body) => body.push(data),
            Self::Other(body) if (body.len() + data.len()) as u64 > BODY_LIMIT => Err(TooLarge),
            Self::Other(body) => {
                body.extend_from_slice(data);
                Ok(())
            }
        }
    }
}

/// Why a body was not read to its end.
enum Unread {
    TooLarge,
    /// The client left in the middle of the body.
    Broken,
}

impl Connection {
    /// Whether a request is of the control endpoint, which is neither counted nor logged.
    pub(super) fn is_control(&self, request: &Request<Incoming>) -> bool {
        self.host == Host::Results
            && self.state.config.has_control()
            && request.uri().path().starts_with(control::PREFIX)
    }

    /// Counts a request and opens its line in the log.
    pub(super) fn arrive(&self, request: &Request<Incoming>) -> Arrival {
        let (method, path) = (request.method(), request.uri().path());
        let operation = Route::new(self.host, method, path).operation;
        let plan = self.state.arrive(operation);
        let line = LogLine::new(self.host, method.as_str(), path, operation);
        let mut entry = Entry::new(&self.state.log, line);
        entry.client_serial.clone_from(&self.serial);
        entry.fault.clone_from(&plan.names);
        Arrival { plan, entry }
    }

    /// Answers a request, or ends the connection and never resolves.
    pub(super) async fn answer(
        &self,
        request: Request<Incoming>,
        mut arrival: Arrival,
    ) -> Response<Full<Bytes>> {
        let (head, body) = request.into_parts();
        let route = Route::new(self.host, &head.method, head.uri.path());
        let kind = arrival.plan.kind.clone();
        if let Some(Kind::Stall(time)) = kind {
            let Some(time) = time else {
                arrival.entry.write();
                return pending().await;
            };
            sleep(time).await;
        }
        if kind == Some(Kind::ResetBefore) {
            sleep(arrival.plan.before).await;
            return self.end(arrival.entry, Ending::Reset).await;
        }
        let answer = match instead_of_acting(route.operation, kind.as_ref()) {
            Some(answer) => replace(answer, body, &mut arrival).await,
            None => match self.admit(route, &head, &body) {
                Ok(()) => self.perform(route, &head, body, &mut arrival).await,
                Err(refusal) => refuse(refusal, body, &mut arrival).await,
            },
        };
        let Some(mut answer) = answer else {
            arrival.entry.reason = Some(CLIENT_LEFT.to_owned());
            return self.end(arrival.entry, Ending::Close).await;
        };
        if let Some(Kind::StatusAfter(status)) = kind {
            answer = with_status(route.operation, status);
        }
        arrival.entry.explain(&answer);
        if let Some(Kind::Odd(odd)) = kind {
            answer = distort(answer, odd);
        }
        let ending = match kind {
            Some(Kind::ResetAfter) => Ending::Reset,
            Some(Kind::CloseAfter) => Ending::Close,
            Some(Kind::Torn) => Ending::Raw(answer.torn()),
            _ => {
                arrival.entry.finish(Some(answer.status.as_u16()));
                return answer.into_response();
            }
        };
        self.end(arrival.entry, ending).await
    }

    /// Refuses a request by its head alone.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "every other operation is the legacy API's"
    )]
    fn admit(&self, route: Route<'_>, head: &Parts, body: &Incoming) -> Result<(), Answer> {
        let (state, headers) = (&self.state, &head.headers);
        // As by a gateway, which knows no paths: the form of the answer is the same for all.
        if let Some(reason) = &self.untrusted {
            let message = format!("The client certificate is not trusted: {reason}.");
            return Err(Answer::forbidden(&message));
        }
        match route.operation {
            ApiOperation::Token => upload::check_basic(&state.config.credentials, headers)?,
            ApiOperation::Upload | ApiOperation::Complete => {
                lock(&state.tokens).check_bearer(headers, self.serial())?;
                if !is_of_type(headers, "application/json") {
                    return Err(Answer::not_json());
                }
            }
            ApiOperation::Fraud => fraud::authorize(state, headers, route.customer_id)?,
            ApiOperation::Unknown => return Err(not_found(route)),
            _ => legacy::admit(state, headers, route)?,
        }
        let limit = match route.operation {
            ApiOperation::Upload => UPLOAD_LIMIT,
            _ => BODY_LIMIT,
        };
        if body.size_hint().lower() > limit {
            return Err(Answer::too_large("The body is too large."));
        }
        Ok(())
    }

    /// Reads the body and acts; `None` if the client left in the middle of it.
    async fn perform(
        &self,
        route: Route<'_>,
        head: &Parts,
        body: Incoming,
        Arrival { plan, entry }: &mut Arrival,
    ) -> Option<Answer> {
        let mut received = Received::new(route.operation);
        match read(body, entry, |data| received.push(data)).await {
            Err(Unread::Broken) => None,
            Err(Unread::TooLarge) => Some(Answer::too_large("The body is too large.").closing()),
            Ok(()) => {
                sleep(plan.before).await;
                let answer = self.act(route, head, received, entry).await;
                sleep(plan.after).await;
                Some(answer.unwrap_or_else(|refusal| refusal))
            }
        }
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "every other operation is the legacy API's"
    )]
    async fn act(
        &self,
        route: Route<'_>,
        head: &Parts,
        body: Received,
        line: &mut LogLine,
    ) -> Result<Answer, Answer> {
        let state = &self.state;
        let body = match body {
            Received::Upload(body) => return upload::accept(state, body, line).await,
            Received::Other(body) => body,
        };
        match route.operation {
            ApiOperation::Token => {
                let mut tokens = lock(&state.tokens);
                let answer = tokens.issue(&state.config, &head.headers, &body, self.serial())?;
                line.acted = true;
                Ok(answer)
            }
            ApiOperation::Complete => upload::complete(state, &body, line),
            ApiOperation::Fraud => fraud::analysis(state, route.id, line),
            _ => legacy::act(state, route, head, &body, line),
        }
    }

    async fn end(&self, entry: Entry, ending: Ending) -> Response<Full<Bytes>> {
        entry.finish(None);
        // Fails only if the connection has ended already.
        drop(self.endings.send(ending));
        pending().await
    }

    fn serial(&self) -> &str {
        self.serial.as_deref().unwrap_or_default()
    }
}

fn not_found(route: Route<'_>) -> Answer {
    let Some(allowed) = route.allowed else {
        let message = "There is nothing under this path.";
        return Answer::error(StatusCode::NOT_FOUND, "NOT_FOUND", message);
    };
    let status = StatusCode::METHOD_NOT_ALLOWED;
    Answer::error(
        status,
        "METHOD_NOT_ALLOWED",
        "This path takes another method.",
    )
    .with(header::ALLOW, HeaderValue::from_static(allowed))
}

/// Refuses by the head alone. A large body is not read, and then the connection closes.
async fn refuse(answer: Answer, body: Incoming, arrival: &mut Arrival) -> Option<Answer> {
    if body
        .size_hint()
        .upper()
        .is_some_and(|size| size <= SMALL_BODY)
    {
        return replace(answer, body, arrival).await;
    }
    sleep(arrival.plan.before.saturating_add(arrival.plan.after)).await;
    Some(answer.closing())
}

/// Answers after the whole body, without acting; `None` if the client left in the middle of it.
async fn replace(answer: Answer, body: Incoming, arrival: &mut Arrival) -> Option<Answer> {
    let answer = match read(body, &mut arrival.entry, |_| Ok(())).await {
        Ok(()) => answer,
        Err(Unread::TooLarge) => answer.closing(),
        Err(Unread::Broken) => return None,
    };
    sleep(arrival.plan.before.saturating_add(arrival.plan.after)).await;
    Some(answer)
}

/// Reads a body, in pieces.
async fn read(
    mut body: Incoming,
    entry: &mut Entry,
    mut push: impl FnMut(&[u8]) -> Result<(), TooLarge>,
) -> Result<(), Unread> {
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Unread::Broken)?;
        if let Some(data) = frame.data_ref() {
            entry.bytes += data.len() as u64;
            if entry.bytes > UPLOAD_LIMIT || push(data).is_err() {
                return Err(Unread::TooLarge);
            }
        }
    }
    Ok(())
}
