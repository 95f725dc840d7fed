//! Sealed bodies and keys under hostile layers, and the authorize token of a session.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use flinks_auth::{ApiSecret, LegacyKeys};
use flinks_legacy::{Authorize, Refusal};
use flinks_transport::{
    Body, BoxError, Delivery, ErrorKind, HttpService, Replay, try_clone_request,
};
use flinks_types::{LoginId, StoredLogin};
use http::{Request, Response};
use http_body_util::BodyExt;
use tower::ServiceExt;
use tower_service::Service;

use crate::leaf::{Leaf, Seen, asks, client, credentials, opens};

const QUESTION: &str = r#"[{"Type":"QuestionAndAnswer","Prompt":"a"}]"#;

fn token(token: &str) -> (u16, String) {
    (
        200,
        format!(r#"{{"HttpStatusCode":200,"Token":"{token}"}}"#),
    )
}

fn refused_token() -> (u16, String) {
    let body = r#"{"HttpStatusCode":401,"Message":"You must provide a valid authorize token","FlinksCode":"UNAUTHORIZED"}"#;
    (401, body.to_owned())
}

fn keys() -> LegacyKeys {
    LegacyKeys::new()
        .auth_key("canary-key")
        .x_api_key("canary-x-key")
        .api_secret(ApiSecret::new("canary-secret"))
}

/// The last part of each path, and the token that it carried.
fn calls(seen: &[Seen]) -> Vec<(String, String)> {
    seen.iter()
        .map(|seen| {
            let last = seen.path.rsplit('/').next().unwrap().to_owned();
            let key = seen.headers.get("flinks-auth-key");
            (last, key.map_or("", |key| key.to_str().unwrap()).to_owned())
        })
        .collect()
}

/// Sends every request three times, as if each had to be sure to arrive, and tries to read it.
#[derive(Clone)]
struct Thrice(HttpService);

impl Service<Request<Body>> for Thrice {
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let inner = self.0.clone();
        Box::pin(async move {
            assert!(request.headers().get("flinks-auth-key").is_none());
            assert!(request.body().reseal().is_none(), "sealed for layers");
            let spied = try_clone_request(&request)
                .unwrap()
                .into_body()
                .collect()
                .await;
            assert!(spied.is_err(), "a layer read a sealed body");
            let copies = [
                try_clone_request(&request).unwrap(),
                try_clone_request(&request).unwrap(),
                request,
            ];
            let mut last = Err("none".into());
            for copy in copies {
                last = inner.clone().oneshot(copy).await;
            }
            last
        })
    }
}

#[tokio::test(start_paused = true)]
async fn a_hostile_layer_sends_credentials_once() {
    for outside in [true, false] {
        let leaf = Leaf::new([token("one"), opens(), opens(), opens()]);
        let thrice = tower::layer::layer_fn(Thrice);
        let builder = if outside {
            leaf.builder().layer(thrice)
        } else {
            leaf.builder().attempt_layer(thrice)
        };
        let error = client(builder, keys())
            .authorize(credentials())
            .await
            .unwrap_err();
        assert_eq!(
            (error.error().kind(), error.error().delivery()),
            (ErrorKind::Layer, Delivery::Delivered)
        );
        let seen = leaf.seen();
        assert_eq!(
            calls(&seen),
            [
                ("GenerateAuthorizeToken".to_owned(), "canary-key".to_owned()),
                ("Authorize".to_owned(), "one".to_owned()),
            ]
        );
        assert!(seen[1].body.contains("canary-password"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_hostile_layer_gains_nothing_from_a_refused_token() {
    let leaf = Leaf::new([
        token("one"),
        refused_token(),
        token("two"),
        opens(),
        opens(),
    ]);
    let builder = leaf.builder().layer(tower::layer::layer_fn(Thrice));
    client(builder, keys())
        .authorize(credentials())
        .await
        .unwrap_err();
    let authorized = calls(&leaf.seen());
    let tokens: Vec<_> = authorized
        .iter()
        .filter_map(|(path, token)| (path == "Authorize").then_some(token.as_str()))
        .collect();
    assert_eq!(
        tokens,
        ["one", "two"],
        "the second only because the first was refused"
    );
}

#[tokio::test(start_paused = true)]
async fn a_caller_cannot_make_it_replay() {
    let leaf = Leaf::new([(503, String::new()), opens()]);
    let client = leaf.client();
    let endpoint = flinks_transport::Endpoint::new("https://legacy.example").unwrap();
    let customer = flinks_types::CustomerId::new("43387ca6").unwrap();
    let call = flinks_legacy::AuthorizeCall::new(
        flinks_legacy::CustomerEndpoint::new(endpoint, customer),
        credentials(),
    );
    let outcome = client.transport().call(call).replay(Replay::Safe).await;
    assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Layer);
    assert_eq!(leaf.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_session_has_one_token_and_the_next_session_another() {
    let leaf = Leaf::new([token("one"), asks(QUESTION), opens(), token("two"), opens()]);
    let client = client(leaf.builder(), keys());
    let Authorize::Challenged(round) = client.authorize(credentials()).await.unwrap() else {
        panic!("a challenge")
    };
    let mut answers = round.answers();
    round
        .questions()
        .next()
        .unwrap()
        .kind()
        .answer_raw(&mut answers, ["x"])
        .unwrap();
    drop(client.answer(answers.finish().unwrap()).await.unwrap());
    drop(client.authorize(credentials()).await.unwrap());
    let tokens: Vec<_> = calls(&leaf.seen())
        .into_iter()
        .map(|(_, key)| key)
        .collect();
    assert_eq!(tokens, ["canary-key", "one", "one", "canary-key", "two"]);
    for seen in leaf.seen() {
        assert!(!seen.headers.contains_key("x-api-key"));
        assert!(!seen.headers.contains_key("authorization"));
    }
}

#[tokio::test(start_paused = true)]
async fn answers_whose_token_is_spent_go_out_with_a_new_one_once() {
    let leaf = Leaf::new([
        token("one"),
        asks(QUESTION),
        refused_token(),
        token("two"),
        refused_token(),
    ]);
    let client = client(leaf.builder(), keys());
    let Authorize::Challenged(round) = client.authorize(credentials()).await.unwrap() else {
        panic!("a challenge")
    };
    let mut answers = round.answers();
    round
        .questions()
        .next()
        .unwrap()
        .kind()
        .answer_raw(&mut answers, ["x"])
        .unwrap();
    let error = client.answer(answers.finish().unwrap()).await.unwrap_err();
    assert_eq!(error.refusal(), Some(Refusal::ApiCredentials));
    assert_eq!(error.error().delivery(), Delivery::Rejected);
    let seen = leaf.seen();
    assert_eq!(seen[2].body, seen[4].body);
    assert_eq!(seen.len(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_of_the_bank_is_no_refusal_of_the_token() {
    let bodies = [
        r#"{"HttpStatusCode":401,"FlinksCode":"UNAUTHORIZED","RequestId":"r"}"#,
        r#"{"HttpStatusCode":401,"FlinksCode":"UNAUTHORIZED","Login":{"Username":"u"}}"#,
        r#"{"HttpStatusCode":401,"FlinksCode":"INVALID_PASSWORD"}"#,
        r#"{"HttpStatusCode":401}"#,
        "<html>",
        "",
    ];
    for body in bodies {
        let leaf = Leaf::new([token("one"), (401, body.to_owned())]);
        let client = client(leaf.builder(), keys());
        client.authorize(credentials()).await.unwrap_err();
        assert_eq!(leaf.count(), 2, "{body}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_key_is_told_and_nothing_else_is_sent() {
    let refusal = r#"{"HttpStatusCode":401,"Message":"You must provide a valid auth key","FlinksCode":"UNAUTHORIZED"}"#;
    let leaf = Leaf::new([(401, refusal)]);
    let error = client(leaf.builder(), keys())
        .authorize(credentials())
        .await
        .unwrap_err();
    assert_eq!(error.refusal(), Some(Refusal::ApiCredentials));
    assert_eq!(error.error().delivery(), Delivery::NotSent);
    assert_eq!(leaf.count(), 1);
    let shown = format!("{error:?}{error}{}", error.error().report());
    assert!(!shown.contains("canary"), "{shown}");
}

#[tokio::test(start_paused = true)]
async fn a_cached_login_is_asked_again_by_itself() {
    let leaf = Leaf::new([token("one"), (503, String::new()), opens()]);
    let client = client(leaf.builder(), keys());
    let login = StoredLogin::cached(LoginId::new("b0debb48-f9f1-46c6-80a4-08d7dd88d478").unwrap());
    assert!(matches!(
        client.authorize(login).await.unwrap(),
        Authorize::Authorized(_)
    ));
    let seen = leaf.seen();
    assert_eq!(
        seen[2].body,
        r#"{"LoginId":"b0debb48-f9f1-46c6-80a4-08d7dd88d478","MostRecentCached":true}"#
    );
    let keys: Vec<_> = calls(&seen).into_iter().map(|(_, key)| key).collect();
    assert_eq!(keys, ["canary-key", "one", "one"]);
}
