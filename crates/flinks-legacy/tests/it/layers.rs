//! Sealed bodies and keys under hostile layers, and the authorize token of a session.

use flinks_auth::{ApiSecret, LegacyKeys};
use flinks_legacy::{Authorize, Refusal};
use flinks_transport::testing::{HostileLayer, RecordedRequest, Reply, ScriptedService};
use flinks_transport::{Delivery, ErrorKind, Replay};
use flinks_types::{LoginId, StoredLogin};

use crate::service::{LegacyService as _, asks, client, credentials, opens};

const QUESTION: &str = r#"[{"Type":"QuestionAndAnswer","Prompt":"a"}]"#;

fn token(token: &str) -> Reply {
    Reply::json(
        200,
        format!(r#"{{"HttpStatusCode":200,"Token":"{token}"}}"#),
    )
}

fn refused_token() -> Reply {
    let body = r#"{"HttpStatusCode":401,"Message":"You must provide a valid authorize token","FlinksCode":"UNAUTHORIZED"}"#;
    Reply::json(401, body)
}

fn keys() -> LegacyKeys {
    LegacyKeys::new()
        .auth_key("canary-key")
        .x_api_key("canary-x-key")
        .api_secret(ApiSecret::new("canary-secret"))
}

/// The last part of each path, and the token that it carried.
fn calls(requests: &[RecordedRequest]) -> Vec<(String, String)> {
    let calls = requests.iter();
    calls
        .map(|request| {
            let last = request.uri.path().rsplit('/').next().unwrap();
            let key = request.header("flinks-auth-key").unwrap_or_default();
            (last.to_owned(), key.to_owned())
        })
        .collect()
}

#[tokio::test(start_paused = true)]
async fn a_hostile_layer_sends_credentials_once() {
    for outside in [true, false] {
        let service = ScriptedService::new([token("one"), opens(), opens(), opens()]);
        let hostile = HostileLayer::new(3);
        let builder = if outside {
            service.builder().layer(hostile.clone())
        } else {
            service.builder().attempt_layer(hostile.clone())
        };
        let error = client(builder, keys())
            .authorize(credentials())
            .await
            .unwrap_err();
        assert_eq!(
            (error.error().kind(), error.error().delivery()),
            (ErrorKind::Layer, Delivery::Delivered)
        );
        let seen = service.requests();
        assert_eq!(
            calls(&seen),
            [
                ("GenerateAuthorizeToken".to_owned(), "canary-key".to_owned()),
                ("Authorize".to_owned(), "one".to_owned()),
            ]
        );
        assert!(seen[1].text().contains("canary-password"));
        for request in hostile.requests() {
            assert!(request.body.is_empty(), "a layer read a sealed body");
            assert_eq!(request.header("flinks-auth-key"), None);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_hostile_layer_gains_nothing_from_a_refused_token() {
    let service = ScriptedService::new([
        token("one"),
        refused_token(),
        token("two"),
        opens(),
        opens(),
    ]);
    let builder = service.builder().layer(HostileLayer::new(3));
    client(builder, keys())
        .authorize(credentials())
        .await
        .unwrap_err();
    let authorized = calls(&service.requests());
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
    let service = ScriptedService::new([Reply::status(503), opens()]);
    let client = service.client();
    let endpoint = flinks_transport::Endpoint::new("https://legacy.example").unwrap();
    let customer = flinks_types::CustomerId::new("43387ca6").unwrap();
    let call = flinks_legacy::AuthorizeCall::new(
        flinks_legacy::CustomerEndpoint::new(endpoint, customer),
        credentials(),
    );
    let outcome = client.transport().call(call).replay(Replay::Safe).await;
    assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Layer);
    assert_eq!(service.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_session_has_one_token_and_the_next_session_another() {
    let service =
        ScriptedService::new([token("one"), asks(QUESTION), opens(), token("two"), opens()]);
    let client = client(service.builder(), keys());
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
    let tokens: Vec<_> = calls(&service.requests())
        .into_iter()
        .map(|(_, key)| key)
        .collect();
    assert_eq!(tokens, ["canary-key", "one", "one", "canary-key", "two"]);
    for seen in service.requests() {
        assert!(!seen.headers.contains_key("x-api-key"));
        assert!(!seen.headers.contains_key("authorization"));
    }
}

#[tokio::test(start_paused = true)]
async fn answers_with_a_refused_token_are_sent_once_more_with_a_new_one() {
    let service = ScriptedService::new([
        token("one"),
        asks(QUESTION),
        refused_token(),
        token("two"),
        refused_token(),
    ]);
    let client = client(service.builder(), keys());
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
    let seen = service.requests();
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
        let service = ScriptedService::new([token("one"), Reply::json(401, body)]);
        let client = client(service.builder(), keys());
        client.authorize(credentials()).await.unwrap_err();
        assert_eq!(service.count(), 2, "{body}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_key_is_reported_and_nothing_else_is_sent() {
    let refusal = r#"{"HttpStatusCode":401,"Message":"You must provide a valid auth key","FlinksCode":"UNAUTHORIZED"}"#;
    let service = ScriptedService::new([Reply::json(401, refusal)]);
    let error = client(service.builder(), keys())
        .authorize(credentials())
        .await
        .unwrap_err();
    assert_eq!(error.refusal(), Some(Refusal::ApiCredentials));
    assert_eq!(error.error().delivery(), Delivery::NotSent);
    assert_eq!(service.count(), 1);
    let shown = format!("{error:?}{error}{}", error.error().report());
    assert!(!shown.contains("canary"), "{shown}");
}

#[tokio::test(start_paused = true)]
async fn a_cached_login_is_asked_again_by_itself() {
    let service = ScriptedService::new([token("one"), Reply::status(503), opens()]);
    let client = client(service.builder(), keys());
    let login = StoredLogin::cached(LoginId::new("b0debb48-f9f1-46c6-80a4-08d7dd88d478").unwrap());
    assert!(matches!(
        client.authorize(login).await.unwrap(),
        Authorize::Authorized(_)
    ));
    let seen = service.requests();
    assert_eq!(
        seen[2].text(),
        r#"{"LoginId":"b0debb48-f9f1-46c6-80a4-08d7dd88d478","MostRecentCached":true}"#
    );
    let keys: Vec<_> = calls(&seen).into_iter().map(|(_, key)| key).collect();
    assert_eq!(keys, ["canary-key", "one", "one"]);
}
