//! What the service answered, kept by a layer that looks at every attempt and at nothing of the request.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use flinks_transport::{Body, BoxError, HttpService};
use http::{HeaderMap, Request, Response};
use tower_layer::Layer;
use tower_service::Service;

/// One answer. It has no `Debug`: it is somebody's data.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// The answers, in the order of their requests; `None` for a request without one. Token requests
/// never come here.
#[derive(Clone, Default)]
pub(super) struct Tape(Arc<Mutex<Vec<Option<Answer>>>>);

impl Tape {
    pub(super) fn take(&self) -> Vec<Option<Answer>> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A place for the answer of a request that begins.
    fn begin(&self) -> usize {
        let mut answers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        answers.push(None);
        answers.len() - 1
    }

    fn keep(&self, place: usize, response: &Response<Body>) {
        // An answer arrives collected, whatever stands below.
        let Some(body) = response.body().as_bytes() else {
            return;
        };
        let answer = Answer {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body: body.clone(),
        };
        let mut answers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = answers.get_mut(place) {
            *slot = Some(answer);
        }
    }
}

impl Layer<HttpService> for Tape {
    type Service = Recording;

    fn layer(&self, inner: HttpService) -> Recording {
        Recording {
            inner,
            tape: self.clone(),
        }
    }
}

#[derive(Clone)]
pub(super) struct Recording {
    inner: HttpService,
    tape: Tape,
}

impl Service<Request<Body>> for Recording {
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let (tape, place) = (self.tape.clone(), self.tape.begin());
        let answering = self.inner.call(request);
        Box::pin(async move {
            let response = answering.await?;
            tape.keep(place, &response);
            Ok(response)
        })
    }
}
