//! One request: its faults, its body, what it does, its answer, its line in the log.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, header, request::Parts};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};
use tokio::{sync::mpsc::UnboundedSender, time::sleep};

use crate::{
    answer::Answer,
    bearer, complete,
    fault::{Kind, Plan},
    fraud, legacy,
    log::{Entry, LogLine},
    media,
    operation::{Host, Route},
    state::State,
    token,
    upload::{self, BODY_LIMIT},
};

/// A body up to this size is read even if its head is already refused, so that the
/// connection can be kept.
const SMALL_BODY: u64 = 64 * 1024;

/// How a connection ends when no ordinary answer is sent.
#[derive(Debug)]
pub(crate) enum Ending {
    Reset,
    Close,
    /// These bytes, then the end.
    Raw(Vec<u8>),
}

/// One client connection.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) state: Arc<State>,
    pub(crate) host: Host,
    /// Serial of the client's certificate; `None` on the results host.
    pub(crate) serial: Option<String>,
    pub(crate) endings: UnboundedSender<Ending>,
}

/// A request whose head was read.
#[derive(Debug)]
pub(crate) struct Arrival {
    plan: Plan,
    entry: Entry,
}

impl Arrival {
    /// The answer that a fault puts in the place of acting.
    fn substitute(&self) -> Option<Answer> {
        let operation = self.entry.operation;
        match self.plan.kind.as_ref()? {
            Kind::Status(status, after) => {
                let answer = Answer::fault(operation, *status);
                Some(match after {
                    Some(value) => answer.with(header::RETRY_AFTER, value.clone()),
                    None => answer,
                })
            }
            Kind::Unauthorized => Some(Answer::fault(operation, StatusCode::UNAUTHORIZED)),
            Kind::Html(status) => Some(Answer::html(*status)),
            Kind::Delay(_)
            | Kind::DelayAfter(_)
            | Kind::ResetBefore
            | Kind::ResetAfter
            | Kind::CloseAfter
            | Kind::Torn
            | Kind::Stall(_)
            | Kind::StatusAfter(_) => None,
        }
    }
}

enum Intake {
    Whole(Bytes),
    TooLarge,
    Broken,
}

impl Connection {
    /// Counts a request and opens its line in the log.
    pub(crate) fn arrive(&self, request: &Request<Incoming>) -> Arrival {
        let (method, path) = (request.method(), request.uri().path());
        let operation = Route::new(self.host, method, path).operation();
        let plan = self.state.arrive(operation);
        let line = LogLine::new(self.host, method.as_str(), path, operation);
        let mut entry = Entry::new(&self.state.log, line);
        entry.client_serial.clone_from(&self.serial);
        entry.fault.clone_from(&plan.names);
        Arrival { plan, entry }
    }

    /// Answers a request, or ends the connection and never resolves.
    pub(crate) async fn answer(
        &self,
        request: Request<Incoming>,
        mut arrival: Arrival,
    ) -> Response<Full<Bytes>> {
        let (head, body) = request.into_parts();
        let route = Route::new(self.host, &head.method, head.uri.path());
        if let Some(Kind::Stall(time)) = arrival.plan.kind {
            let Some(time) = time else {
                arrival.entry.write();
                return std::future::pending().await;
            };
            sleep(time).await;
        }
        if arrival.plan.kind == Some(Kind::ResetBefore) {
            sleep(arrival.plan.before).await;
            return self.end(arrival.entry, Ending::Reset).await;
        }
        let answer = match arrival.substitute() {
            Some(answer) => replace(answer, body, &mut arrival).await,
            None => match self.admit(&route, &head, &body) {
                Ok(()) => self.perform(&route, &head, body, &mut arrival).await,
                Err(refusal) => refuse(refusal, body, &mut arrival).await,
            },
        };
        match answer {
            Some(answer) => self.finish(answer, arrival).await,
            None => self.end(arrival.entry, Ending::Close).await,
        }
    }

    /// What can be told from the head alone.
    fn admit(&self, route: &Route<'_>, head: &Parts, body: &Incoming) -> Result<(), Answer> {
        match route {
            Route::Token => token::authorize(&self.state.config.credentials, &head.headers)?,
            Route::Upload | Route::Complete => {
                bearer::authorize(&self.state, &head.headers, self.serial())?;
                if !media::is(&head.headers, "application/json") {
                    return Err(upload::wrong_media_type());
                }
            }
            Route::Fraud { customer_id, .. } => {
                fraud::authorize(&self.state, &head.headers, customer_id)?;
            }
            Route::Legacy { customer_id, call } => {
                legacy::admit(&self.state, &head.headers, customer_id, *call)?;
            }
            Route::WrongMethod { allowed } => {
                let allowed = HeaderValue::from_str(allowed.as_str());
                let answer = Answer::house(
                    StatusCode::METHOD_NOT_ALLOWED,
                    "METHOD_NOT_ALLOWED",
                    "This path takes another method.",
                );
                return Err(match allowed {
                    Ok(allowed) => answer.with(header::ALLOW, allowed),
                    Err(_) => answer,
                });
            }
            Route::Nothing => {
                return Err(Answer::house(
                    StatusCode::NOT_FOUND,
                    "NOT_FOUND",
                    "There is nothing under this path.",
                ));
            }
        }
        if body.size_hint().lower() > BODY_LIMIT {
            return Err(upload::too_large("The body is too large."));
        }
        Ok(())
    }

    /// Reads the body and acts; `None` if the client left in the middle of it.
    async fn perform(
        &self,
        route: &Route<'_>,
        head: &Parts,
        body: Incoming,
        Arrival { plan, entry }: &mut Arrival,
    ) -> Option<Answer> {
        match read(body, entry).await {
            Intake::Broken => None,
            Intake::TooLarge => Some(upload::too_large("The body is too large.").closing()),
            Intake::Whole(body) => {
                sleep(plan.before).await;
                let answer = self.act(route, head, body, entry).await;
                sleep(plan.after).await;
                Some(answer.unwrap_or_else(|refusal| refusal))
            }
        }
    }

    async fn act(
        &self,
        route: &Route<'_>,
        head: &Parts,
        body: Bytes,
        line: &mut LogLine,
    ) -> Result<Answer, Answer> {
        match route {
            Route::Token => {
                let answer = token::issue(&self.state, &head.headers, &body, self.serial())?;
                line.acted = true;
                Ok(answer)
            }
            Route::Upload => upload::accept(&self.state, body, line).await,
            Route::Complete => complete::complete(&self.state, &body, line),
            Route::Fraud { login_id, .. } => fraud::analysis(&self.state, login_id, line),
            Route::Legacy { call, .. } => legacy::act(&self.state, *call, head, &body, line),
            // Refused by their head already.
            Route::WrongMethod { .. } | Route::Nothing => Err(Answer::html(StatusCode::NOT_FOUND)),
        }
    }

    /// Sends the answer, or what the plan makes of it.
    async fn finish(&self, answer: Answer, arrival: Arrival) -> Response<Full<Bytes>> {
        let Arrival { plan, entry } = arrival;
        let answer = match plan.kind {
            Some(Kind::ResetAfter) => return self.end(entry, Ending::Reset).await,
            Some(Kind::CloseAfter) => return self.end(entry, Ending::Close).await,
            Some(Kind::Torn) => return self.end(entry, Ending::Raw(answer.torn())).await,
            Some(Kind::StatusAfter(status)) => Answer::fault(entry.operation, status),
            Some(
                Kind::Delay(_)
                | Kind::DelayAfter(_)
                | Kind::ResetBefore
                | Kind::Stall(_)
                | Kind::Status(..)
                | Kind::Unauthorized
                | Kind::Html(_),
            )
            | None => answer,
        };
        entry.finish(Some(answer.status.as_u16()));
        answer.into_response()
    }

    async fn end(&self, entry: Entry, ending: Ending) -> Response<Full<Bytes>> {
        entry.finish(None);
        // Fails only when the connection is gone, which is what was asked for.
        drop(self.endings.send(ending));
        std::future::pending().await
    }

    fn serial(&self) -> &str {
        self.serial.as_deref().unwrap_or_default()
    }
}

/// Refuses by the head alone. A large body is not waited for, but then the connection closes.
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

/// Answers after the whole body without acting; `None` if the client left in the middle of it.
async fn replace(answer: Answer, body: Incoming, arrival: &mut Arrival) -> Option<Answer> {
    let answer = match read(body, &mut arrival.entry).await {
        Intake::Whole(_) => answer,
        Intake::TooLarge => answer.closing(),
        Intake::Broken => return None,
    };
    sleep(arrival.plan.before.saturating_add(arrival.plan.after)).await;
    Some(answer)
}

async fn read(mut body: Incoming, entry: &mut Entry) -> Intake {
    let expected = body.size_hint().lower().min(BODY_LIMIT);
    let mut whole = Vec::with_capacity(usize::try_from(expected).unwrap_or(0));
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else {
            return Intake::Broken;
        };
        let Some(data) = frame.data_ref() else {
            continue;
        };
        entry.bytes += data.len() as u64;
        if entry.bytes > BODY_LIMIT {
            return Intake::TooLarge;
        }
        whole.extend_from_slice(data);
    }
    Intake::Whole(whole.into())
}
