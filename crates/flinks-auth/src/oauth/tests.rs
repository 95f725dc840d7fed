//! To whom a token belongs: one transport, and one generation of its client identity.
#![allow(
    clippy::disallowed_methods,
    reason = "a test may run a call on a task of its own"
)]

use flinks_transport::testing::{Reply, ScriptedService, replace_service};
use flinks_transport::{Replay, Route};
use tokio::task::JoinHandle;
use tokio::time::advance;

use super::*;
use crate::AuthLayer;

const URL: &str = "https://upload.example/";
const DELAY: Duration = Duration::from_secs(5);

/// A service that answers in order, and issues tokens of its own name.
fn host(replies: impl IntoIterator<Item = Reply>) -> ScriptedService {
    ScriptedService::new(replies)
}

fn token(name: &str) -> Reply {
    let token = format!(r#"{{"access_token":"canary-{name}","expires_in":300}}"#);
    Reply::json(200, token)
}

fn ok() -> Reply {
    Reply::status(200)
}

/// The path and the token of each request that a service received.
fn seen(host: &ScriptedService) -> Vec<String> {
    let line = |request: &flinks_transport::testing::RecordedRequest| {
        let header = request.header("authorization").unwrap_or_default();
        let token = header.strip_prefix("Bearer canary-").unwrap_or_default();
        format!("{} {token}", request.uri.path())
    };
    host.requests().iter().map(line).collect()
}

fn layer(transport: &Transport) -> AuthLayer<OAuth> {
    let url = Uri::from_static("https://upload.example/token");
    let credentials = ClientCredentials::new("id", "secret");
    AuthLayer::new(OAuth::new(transport, url, credentials).expect("credentials"))
}

fn clients_of(host: &ScriptedService) -> (Transport, Transport) {
    let transport = host.builder().build().expect("a transport");
    let bound = transport.with_credentials(layer(&transport));
    (transport, bound)
}

fn send(transport: &Transport) -> JoinHandle<Result<Response<bytes::Bytes>, Error>> {
    let request = Request::get(URL).body(Body::empty());
    let meta = CallMeta::new("test.call", Route::get("/"), Replay::Safe)
        .with_credential(Credential::OAuth);
    let transport = transport.clone();
    tokio::spawn(async move { transport.send(meta, request.expect("a request")).await })
}

async fn finish(call: JoinHandle<Result<Response<bytes::Bytes>, Error>>) {
    let response = call.await.expect("no panic").expect("an answer");
    assert_eq!(response.status(), 200);
}

/// Lets a call run until its request waits for an answer.
async fn in_flight(host: &ScriptedService, requests: usize) {
    while host.count() < requests {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_layer_serves_the_transport_it_was_made_for_and_no_other() {
    let (own, other) = (host([token("own"), ok()]), host([]));
    let (own, _) = clients_of(&own);
    let (other, _) = clients_of(&other);
    let layer = layer(&own);
    let call = send(&other.with_credentials(layer.clone()));
    let error = call.await.expect("no panic").expect_err("another identity");
    assert_eq!(error.kind(), ErrorKind::Config);
    finish(send(&own.without_layers().with_credentials(layer))).await;
}

#[tokio::test(start_paused = true)]
async fn a_token_is_not_sent_with_another_identity() {
    let old = host([token("old"), ok()]);
    let new = host([token("new"), ok(), ok()]);
    let (transport, bound) = clients_of(&old);
    finish(send(&bound)).await;
    replace_service(&transport, new.clone());
    finish(send(&bound)).await;
    finish(send(&bound)).await;
    assert_eq!(seen(&old), ["/token ", "/ old"]);
    assert_eq!(seen(&new), ["/token ", "/ new", "/ new"]);
}

#[tokio::test(start_paused = true)]
async fn a_token_that_arrives_after_a_swap_is_not_used() {
    // It is not used whether it arrives or not.
    for late in [token("old"), Reply::status(401)] {
        let old = host([late.delay(DELAY)]);
        let new = host([token("new"), ok(), ok(), ok()]);
        let (transport, bound) = clients_of(&old);
        let (first, second) = (send(&bound), send(&bound));
        in_flight(&old, 1).await;
        replace_service(&transport, new.clone());
        finish(send(&bound)).await;
        assert_eq!(seen(&new), ["/token ", "/ new"], "it does not wait");
        finish(first).await;
        finish(second).await;
        assert_eq!(seen(&old), ["/token "]);
        assert_eq!(seen(&new), ["/token ", "/ new", "/ new", "/ new"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_in_flight_finishes_and_its_repetition_uses_the_new_identity() {
    for (first, requests) in [(200, 2), (401, 2), (503, 2)] {
        let old = host([token("old"), Reply::status(first).delay(DELAY)]);
        let new = host([token("new"), ok()]);
        let (transport, bound) = clients_of(&old);
        let call = send(&bound);
        in_flight(&old, requests).await;
        replace_service(&transport, new.clone());
        finish(call).await;
        assert_eq!(seen(&old), ["/token ", "/ old"], "{first}");
        let repeated: &[_] = if first == 200 {
            &[]
        } else {
            &["/token ", "/ new"]
        };
        assert_eq!(seen(&new), repeated, "{first}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_refresh_that_began_before_a_swap_does_not_reach_the_new_cache() {
    let old = host([token("old"), ok(), ok().delay(DELAY), token("refreshed")]);
    let new = host([token("new"), ok()]);
    let (transport, bound) = clients_of(&old);
    finish(send(&bound)).await;
    advance(Duration::from_secs(241)).await;
    // Its refresh runs alongside.
    let call = send(&bound);
    in_flight(&old, 4).await;
    replace_service(&transport, new.clone());
    finish(call).await;
    finish(send(&bound)).await;
    assert_eq!(seen(&new), ["/token ", "/ new"]);
}
