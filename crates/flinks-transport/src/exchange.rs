//! The innermost service: unseal the body, time the attempt, add static headers, collect the answer within its limit.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::header::HeaderMap;
use http::{Request, Response};
use http_body::Body as HttpBody;
use tokio::time::sleep_until;
use tower_service::Service;

use crate::call_meta::Timing;
use crate::collect::collect;
use crate::progress::{Attempt, Flight, Progress, Tracked};
use crate::service::HttpService;
use crate::{Body, BoxError, CallMeta, Delivery, Error, ErrorKind};

/// What the exchange does to every request of a transport.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) attempt_timeout: Duration,
    pub(crate) max_response_bytes: usize,
    pub(crate) headers: HeaderMap,
}

#[derive(Clone)]
pub(crate) struct Exchange {
    pub(crate) leaf: HttpService,
    pub(crate) settings: Arc<Settings>,
}

impl Service<Request<Body>> for Exchange {
    type Response = Response<Body>;
    type Error = BoxError;
    type Future =
        std::pin::Pin<Box<dyn Future<Output = Result<Response<Body>, BoxError>> + Send + 'static>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        // The leaf's readiness is awaited inside the attempt, so that its limit covers it.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let Self { leaf, settings } = self.clone();
        Box::pin(async move { exchange(leaf, &settings, request).await.map_err(Into::into) })
    }
}

async fn exchange(
    leaf: HttpService,
    settings: &Settings,
    request: Request<Body>,
) -> Result<Response<Body>, Error> {
    let extensions = request.extensions();
    let (Some(meta), Some(progress)) = (
        extensions.get::<CallMeta>().copied(),
        extensions.get::<Arc<Progress>>().cloned(),
    ) else {
        return Err(Error::new(
            ErrorKind::Layer,
            "a layer dropped the request's extensions: carry them over to the request it builds",
        ));
    };
    let (parts, body) = request.into_parts();
    progress.sends(|secrets| {
        for secret in body.secrets() {
            secrets.add(secret.expose());
        }
    });
    let body = body.unseal()?;
    let mut attempt = Attempt::new(Arc::clone(&progress), &body);
    let flight = Arc::clone(&attempt.flight);
    let mut request = Request::from_parts(parts, track(body, &flight));
    request.extensions_mut().insert(Arc::clone(&flight));
    for (name, value) in &settings.headers {
        request
            .headers_mut()
            .entry(name)
            .or_insert_with(|| value.clone());
    }
    progress.sends(|secrets| {
        secrets.add_headers(request.headers());
        if let Some(known) = request.extensions().get() {
            secrets.add_known(known);
        }
    });
    let limit = meta
        .max_response_bytes
        .unwrap_or(settings.max_response_bytes);
    let seen = &mut attempt.seen;
    let answer = async {
        let response = leaf
            .send(request)
            .await
            .map_err(|error| of_leaf(error, &flight))?;
        seen.in_turn = flight.is_answered_in_turn();
        collect(response, limit, seen).await
    };
    let outcome = match timed(answer, &flight, meta.timing, settings.attempt_timeout).await {
        Some(outcome) => outcome,
        None => Err(stalled(&flight, meta.timing, settings.attempt_timeout)),
    };
    match &outcome {
        Ok(response) => attempt.see_beyond(response),
        Err(_) => attempt.see_raw(),
    }
    let outcome = outcome.and_then(|response| in_turn(response, &mut attempt));
    attempt.settle(match &outcome {
        Ok(response) => Delivery::of_status(response.status()),
        Err(error) => error.delivery(),
    });
    outcome
}

/// A success that came before the whole request had left says nothing about what was not sent. A
/// refusal stays one.
fn in_turn(response: Response<Body>, attempt: &mut Attempt) -> Result<Response<Body>, Error> {
    if !response.status().is_success() || attempt.seen.in_turn {
        return Ok(response);
    }
    attempt.seen.put_back(&response);
    Err(Error::new(
        ErrorKind::Connection,
        "the server answered before it had received the whole request",
    )
    .with_delivery(Delivery::Unknown))
}

fn track(body: Body, flight: &Arc<Flight>) -> Body {
    if body.size_hint().exact() == Some(0) {
        // hyper never asks an empty body for a frame; leaving it bare keeps `Content-Length: 0` cheap.
        return body;
    }
    Body::tracked(Tracked {
        body,
        flight: Arc::clone(flight),
    })
}

/// Runs an exchange until it ends or nothing moves any more.
async fn timed<T>(
    exchange: impl Future<Output = T>,
    flight: &Flight,
    timing: Timing,
    default: Duration,
) -> Option<T> {
    let mut exchange = pin!(exchange);
    loop {
        let mut alarm = pin!(sleep_until(flight.limit(timing, default)));
        let finished = poll_fn(|cx| match exchange.as_mut().poll(cx) {
            Poll::Ready(value) => Poll::Ready(Some(value)),
            Poll::Pending => alarm.as_mut().poll(cx).map(|()| None),
        })
        .await;
        if finished.is_some() {
            return finished;
        }
        // Bytes may have moved since the alarm was set: then there is a new limit.
        if flight.limit(timing, default) <= tokio::time::Instant::now() {
            return None;
        }
    }
}

fn stalled(flight: &Flight, timing: Timing, default: Duration) -> Error {
    let (sent, length) = flight.sent();
    let message = match timing {
        Timing::Default => no_answer(default),
        Timing::Attempt(limit) => no_answer(limit),
        Timing::Stall { answer, .. } if flight.is_sent() => {
            format!("no answer within {} after the last byte", seconds(answer))
        }
        Timing::Stall { idle, .. } => format!(
            "the server took no byte for {}, after {sent} of {} bytes",
            seconds(idle),
            length.map_or_else(|| "?".to_owned(), |length| length.to_string())
        ),
    };
    Error::new(ErrorKind::Timeout, message).with_delivery(flight.if_lost())
}

fn no_answer(limit: Duration) -> String {
    format!("no complete answer within {}", seconds(limit))
}

fn seconds(limit: Duration) -> String {
    format!("{} s", limit.as_secs_f64())
}

/// Reads the leaf's error: our own connector classifies, a leaf of the user's cannot.
fn of_leaf(error: BoxError, flight: &Flight) -> Error {
    if let Some(failure) = flight.take_failure() {
        return match failure.downcast::<Error>() {
            Ok(error) => error.with_delivery(flight.if_lost()),
            Err(other) => Error::new(ErrorKind::Local, "the source of the request body failed")
                .with_delivery(flight.if_lost())
                .with_source(other),
        };
    }
    match error.downcast::<Error>() {
        Ok(error) => *error,
        Err(other) => Error::new(ErrorKind::Connection, "the connection failed")
            .with_delivery(flight.if_lost())
            .with_source(other),
    }
}
