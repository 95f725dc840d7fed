//! Layers of an application's own: the corpus passes with harmless ones and fails with broken ones.

use std::sync::Mutex;
use std::task::{Context, Poll};

use flinks_conformance::{Pass, Suite, Summary};
use flinks_transport::{Body, HttpService, try_clone_request};
use http::Request;
use tower_layer::{Layer, layer_fn};
use tower_service::Service;

/// A service that changes what it sends on.
#[derive(Clone)]
struct Changed<F> {
    inner: HttpService,
    call: F,
}

impl<F> Service<Request<Body>> for Changed<F>
where
    F: FnMut(&mut HttpService, Request<Body>) -> Answer,
{
    type Response = <HttpService as Service<Request<Body>>>::Response;
    type Error = <HttpService as Service<Request<Body>>>::Error;
    type Future = Answer;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Answer {
        (self.call)(&mut self.inner, request)
    }
}

type Answer = <HttpService as Service<Request<Body>>>::Future;
type Change = fn(&mut HttpService, Request<Body>) -> Answer;

fn changing(call: Change) -> impl Layer<HttpService, Service = Changed<Change>> + Clone {
    layer_fn(move |inner| Changed { inner, call })
}

fn of_attempts(call: Change) -> Summary {
    Suite::new()
        .expect("a corpus")
        .matching("upload/")
        .through(move |builder| builder.attempt_layer(changing(call)).build())
        .run(&[Pass::Stack])
}

#[test]
fn a_layer_that_passes_everything_on_changes_nothing() {
    let summary = of_attempts(|inner, request| inner.call(request));
    assert_eq!(summary.failed(), 0, "{summary}");
}

#[test]
fn what_a_layer_sends_of_its_own_is_named() {
    let summary = of_attempts(|inner, request| {
        let again = try_clone_request(&request).map(|again| inner.call(again));
        let first = inner.call(request);
        Box::pin(async move {
            let answer = first.await;
            match again {
                Some(again) => again.await,
                None => answer,
            }
        })
    });
    let text = summary.to_string();
    assert!(
        text.contains("one request more than the steps have"),
        "{text}"
    );
    assert!(
        text.contains("2 requests arrived, but only 1 passed the layers of attempts"),
        "{text}"
    );
}

#[test]
fn a_body_of_another_length_than_it_says_is_named() {
    let summary = of_attempts(|inner, request| {
        let (parts, body) = request.into_parts();
        let length = http_body::Body::size_hint(&body).exact().unwrap_or(0);
        let body = Mutex::new(body);
        let open = move || {
            let body = body.lock().expect("the body");
            body.try_clone().unwrap_or_else(Body::empty)
        };
        let longer = Body::replayable(length + 1, open);
        inner.call(Request::from_parts(parts, longer))
    });
    let text = summary.to_string();
    assert!(text.contains("Content-Length is "), "{text}");
}
