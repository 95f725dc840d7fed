//! Sealed bodies: unreadable above the innermost layer, and sent at most once whatever layers do.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use flinks_transport::testing::{HostileLayer, Reply, ScriptedService};
use flinks_transport::{
    Body, BoxError, CallMeta, DecodeError, Delivery, Error, ErrorKind, HttpService, Operation,
    Replay, Route, try_clone_request,
};
use http::{Request, Response};
use http_body_util::BodyExt;
use tower::ServiceExt;
use tower_service::Service;

use crate::ask::ok;

const PASSWORD: &str = "canary-password";

struct SignIn;

impl Operation for SignIn {
    type Output = ();

    fn meta(&self) -> CallMeta {
        CallMeta::new("test.sign_in", Route::post("/"), Replay::Never)
    }

    fn request(&self) -> Result<Request<Body>, Error> {
        let mut request = Request::new(Body::sealed(PASSWORD.as_bytes().to_vec()));
        *request.uri_mut() = "https://example.com/".parse().unwrap();
        Ok(request)
    }

    fn decode(&self, _: Response<Bytes>) -> Result<(), DecodeError> {
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn a_hostile_layer_cannot_send_it_twice() {
    let leaf = ScriptedService::new([ok()]);
    let hostile = HostileLayer::new(3);
    let transport = leaf.builder().layer(hostile.clone()).build().unwrap();
    let error = transport.call(SignIn).await.unwrap_err();
    assert_eq!(leaf.requests()[0].body, PASSWORD);
    assert!(hostile.requests()[0].body.is_empty());
    assert_eq!(leaf.count(), 1);
    assert_eq!(
        (error.kind(), error.delivery()),
        (ErrorKind::Layer, Delivery::Delivered)
    );
}

#[tokio::test(start_paused = true)]
async fn a_hostile_layer_cannot_read_it() {
    let leaf = ScriptedService::new([ok()]);
    let reading = tower::layer::layer_fn(|inner: HttpService| {
        tower::service_fn(move |request: Request<Body>| {
            let inner = inner.clone();
            async move {
                let (parts, body) = request.into_parts();
                let bytes = body.collect().await?.to_bytes();
                inner
                    .oneshot(Request::from_parts(parts, Body::from(bytes)))
                    .await
            }
        })
    });
    let transport = leaf.builder().attempt_layer(reading).build().unwrap();
    let error = transport.call(SignIn).await.unwrap_err();
    assert_eq!((leaf.count(), error.delivery()), (0, Delivery::NotSent));
    assert!(!format!("{error:?} {}", error.report()).contains(PASSWORD));
}

#[tokio::test(start_paused = true)]
async fn a_layer_that_drops_the_extensions_sends_nothing() {
    let leaf = ScriptedService::new([ok()]);
    let forgetting = tower::util::MapRequestLayer::new(|request: Request<Body>| {
        let (parts, body) = request.into_parts();
        let mut bare = Request::new(body);
        *bare.uri_mut() = parts.uri;
        bare
    });
    let transport = leaf.builder().layer(forgetting).build().unwrap();
    let error = transport.call(SignIn).await.unwrap_err();
    assert_eq!((leaf.count(), error.kind()), (0, ErrorKind::Layer));
    assert!(error.to_string().contains("extensions"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn it_is_never_tried_again() {
    for act in [Reply::refuse(), Reply::json(429, ""), Reply::json(503, "")] {
        let leaf = ScriptedService::new([act.clone(), ok()]);
        leaf.builder()
            .build()
            .unwrap()
            .call(SignIn)
            .await
            .unwrap_err();
        assert_eq!(leaf.count(), 1, "{act:?}");
    }
}

/// A credential layer that has its credential refused once, and sends the request with another.
#[derive(Clone)]
struct Renewing(HttpService);

impl Service<Request<Body>> for Renewing {
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let inner = self.0.clone();
        Box::pin(async move {
            let again = try_clone_request(&request).unwrap();
            let body = again.body().reseal().unwrap();
            let response = inner.clone().oneshot(request).await?;
            if response.status() != 401 {
                return Ok(response);
            }
            inner.oneshot(again.map(|_| body)).await
        })
    }
}

#[tokio::test(start_paused = true)]
async fn a_credential_layer_sends_it_again_and_a_hostile_layer_above_does_not() {
    let renewing = tower::layer::layer_fn(Renewing);
    let leaf = ScriptedService::new([Reply::json(401, ""), ok()]);
    let transport = leaf.builder().build().unwrap().with_credentials(renewing);
    transport.call(SignIn).await.unwrap();
    assert!(leaf.requests().iter().all(|seen| seen.body == PASSWORD));
    assert_eq!(leaf.count(), 2);

    let leaf = ScriptedService::new([Reply::json(401, ""), ok()]);
    let hostile = leaf.builder().layer(HostileLayer::new(3)).build();
    let transport = hostile.unwrap().with_credentials(renewing);
    let error = transport.call(SignIn).await.unwrap_err();
    assert_eq!((leaf.count(), error.kind()), (2, ErrorKind::Layer));
}

#[tokio::test(start_paused = true)]
async fn what_the_service_repeats_of_a_request_is_not_shown() {
    let answer =
        r#"{"FlinksCode":"X","Message":"canary-password, Bearer tok-1, c2VjcmV0OnMzY3I=, s3cr"}"#;
    let mut basic = http::HeaderValue::from_static("Basic c2VjcmV0OnMzY3I=");
    basic.set_sensitive(true);
    let mut bearer = http::HeaderValue::from_static("Bearer tok-1");
    bearer.set_sensitive(true);
    let headers = [
        (http::header::AUTHORIZATION, basic),
        ("x-api-key".parse().unwrap(), bearer),
    ];
    for status in [200, 401, 500] {
        let leaf = ScriptedService::new([Reply::json(status, answer)]);
        let mut transport = leaf.builder();
        for (name, value) in headers.clone() {
            transport = transport.header(name, value);
        }
        let error = transport.build().unwrap().call(Refused).await.unwrap_err();
        let message = error.api().unwrap().message.clone().unwrap();
        assert_eq!(
            message, "[redacted], [redacted], [redacted], [redacted]",
            "{status}"
        );
        assert!(!format!("{error} {error:?} {}", error.report()).contains("canary"));
    }
}

/// A sealed request that every answer refuses.
struct Refused;

impl Operation for Refused {
    type Output = ();

    fn meta(&self) -> CallMeta {
        CallMeta::new("test.refused", Route::post("/"), Replay::Never)
    }

    fn request(&self) -> Result<Request<Body>, Error> {
        let body = Body::sealed(PASSWORD.as_bytes().to_vec()).with_secrets(vec![PASSWORD.into()]);
        let mut request = Request::new(body);
        *request.uri_mut() = "https://example.com/".parse().unwrap();
        Ok(request)
    }

    fn decode(&self, response: Response<Bytes>) -> Result<(), DecodeError> {
        let api = flinks_types::ApiError::from_body(response.body()).unwrap();
        Err(DecodeError::api(api))
    }
}
