//! The innermost service: unseals the body, limits the attempt's time, adds static headers, and collects the answer.

use std::future::Future;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::header::HeaderMap;
use http::{Request, Response};
use http_body::Body as HttpBody;
use tower_service::Service;

use crate::attempt::{Attempt, AttemptState, Tracked};
use crate::collect::collect;
use crate::metrics::Recorder;
use crate::progress::Progress;
use crate::timeout::{stalled, timed};
use crate::{Body, BoxError, CallMeta, Delivery, Error, ErrorKind, IdentitySnapshot};

/// The settings that apply to every request of a transport.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) attempt_timeout: Duration,
    pub(crate) max_response_bytes: usize,
    pub(crate) headers: HeaderMap,
    pub(crate) recorder: Option<Arc<dyn Recorder>>,
}

/// Sends each request with the identity of its [`IdentitySnapshot`].
#[derive(Clone)]
pub(crate) struct Exchange {
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
        let settings = Arc::clone(&self.settings);
        Box::pin(async move { exchange(&settings, request).await.map_err(Into::into) })
    }
}

async fn exchange(settings: &Settings, request: Request<Body>) -> Result<Response<Body>, Error> {
    let extensions = request.extensions();
    let (Some(meta), Some(progress), Some(leaf)) = (
        extensions.get::<CallMeta>().copied(),
        extensions.get::<Arc<Progress>>().cloned(),
        extensions
            .get::<IdentitySnapshot>()
            .map(IdentitySnapshot::leaf),
    ) else {
        return Err(Error::new(
            ErrorKind::Layer,
            "a layer dropped the request's extensions: copy them to the request that it builds",
        ));
    };
    let (parts, body) = request.into_parts();
    progress.sends(|secrets| {
        for secret in body.secrets() {
            secrets.add(secret.expose());
        }
    });
    let body = body.unseal()?;
    let mut attempt = Attempt::new(
        meta,
        settings.recorder.clone(),
        Arc::clone(&progress),
        &body,
    );
    let state = Arc::clone(&attempt.state);
    let mut request = Request::from_parts(parts, track(body, &state));
    request.extensions_mut().insert(Arc::clone(&state));
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
            .map_err(|error| of_leaf(error, &state))?;
        seen.in_turn = state.is_answered_in_turn();
        collect(response, limit, seen).await
    };
    let outcome = match timed(answer, &state, meta.timing, settings.attempt_timeout).await {
        Some(outcome) => outcome,
        None => Err(stalled(&state, meta.timing, settings.attempt_timeout)),
    };
    attempt.count_bytes(outcome.as_ref().ok());
    match &outcome {
        Ok(response) => attempt.see_beyond(response),
        Err(_) => attempt.see_raw(),
    }
    let outcome = outcome.and_then(|response| in_turn(response, &mut attempt));
    attempt.settle(&outcome);
    outcome
}

/// Rejects a success that arrived before the whole request was sent: it cannot cover the unsent
/// part. An error response is kept.
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

fn track(body: Body, state: &Arc<AttemptState>) -> Body {
    if body.size_hint().exact() == Some(0) {
        // hyper never asks an empty body for a frame; leaving it as it is keeps `Content-Length: 0` cheap.
        return body;
    }
    Body::tracked(Tracked {
        body,
        state: Arc::clone(state),
    })
}

/// Converts the leaf's error: our own connector has classified it, a custom service has not.
fn of_leaf(error: BoxError, state: &AttemptState) -> Error {
    if let Some(failure) = state.take_failure() {
        return match failure.downcast::<Error>() {
            Ok(error) => error.with_delivery(state.delivery_if_dropped()),
            Err(other) => Error::new(ErrorKind::Local, "the source of the request body failed")
                .with_delivery(state.delivery_if_dropped())
                .with_source(other),
        };
    }
    match error.downcast::<Error>() {
        Ok(error) => *error,
        Err(other) => Error::new(ErrorKind::Connection, "the connection failed")
            .with_delivery(state.delivery_if_dropped())
            .with_source(other),
    }
}
