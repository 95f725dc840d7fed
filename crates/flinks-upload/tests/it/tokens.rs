//! One token for everyone: under load, near its end, when it is refused, and when callers give up.

use std::time::Duration;

use flinks_auth::ClientCredentials;
use flinks_transport::{RetryConfig, Transport};
use flinks_upload::UploadClient;
use tokio::task::JoinSet;
use tokio::time::{Instant, advance};
use tower::limit::ConcurrencyLimitLayer;

use crate::service::{Host, documents};

fn client(transport: Transport) -> UploadClient {
    UploadClient::new(transport, ClientCredentials::new("client-id", "secret")).unwrap()
}

async fn upload_at_once(client: &UploadClient, count: usize) {
    let mut calls = JoinSet::new();
    for document in documents(count) {
        calls.spawn(client.upload_file(document, None).into_future());
    }
    while let Some(outcome) = calls.join_next().await {
        outcome.unwrap().unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_thousand_uploads_through_a_limit_of_four_need_one_token() {
    let host = Host::default();
    host.state(|state| state.token_delay = Duration::from_secs(3));
    let limited = host
        .builder()
        .layer(ConcurrencyLimitLayer::new(4))
        .build()
        .unwrap();
    upload_at_once(&client(limited), 1000).await;
    assert_eq!(host.state(|state| (state.tokens, state.uploads)), (1, 1000));

    let host = Host::default();
    let limited = host
        .builder()
        .attempt_layer(ConcurrencyLimitLayer::new(4))
        .build()
        .unwrap();
    upload_at_once(&client(limited), 1000).await;
    assert_eq!(host.state(|state| (state.tokens, state.uploads)), (1, 1000));
}

#[tokio::test(start_paused = true)]
async fn from_four_fifths_of_the_lifetime_nobody_waits_for_the_refresh() {
    let host = Host::default();
    let client = host.client();
    upload_at_once(&client, 1).await;
    host.state(|state| state.token_delay = Duration::from_secs(8));
    advance(Duration::from_secs(239)).await;
    upload_at_once(&client, 1).await;
    assert_eq!(
        host.state(|state| state.tokens),
        1,
        "the refresh came too early"
    );
    advance(Duration::from_secs(2)).await;
    for call in 0..10 {
        let start = Instant::now();
        upload_at_once(&client, 10).await;
        assert_eq!(start.elapsed(), Duration::ZERO, "call {call} waited");
    }
    assert_eq!(host.state(|state| state.tokens), 2, "one refresh at a time");
}

#[tokio::test(start_paused = true)]
async fn a_token_refused_to_a_hundred_is_fetched_once() {
    let host = Host::default();
    let client = host.client();
    upload_at_once(&client, 1).await;
    host.state(|state| {
        state.revoked = Some("Bearer token-1".to_owned());
        state.token_delay = Duration::from_secs(1);
    });
    upload_at_once(&client, 100).await;
    assert_eq!(host.state(|state| (state.tokens, state.uploads)), (2, 101));
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_gives_up_leaves_its_fetch_to_the_others() {
    let host = Host::default();
    host.state(|state| state.token_delay = Duration::from_secs(5));
    let client = host.client();
    let mut documents = documents(2).into_iter();
    let leader = client
        .upload_file(documents.next().unwrap(), None)
        .into_future();
    let leader = tokio::spawn(tokio::time::timeout(Duration::from_secs(2), leader));
    tokio::task::yield_now().await;
    let follower = tokio::spawn(
        client
            .upload_file(documents.next().unwrap(), None)
            .into_future(),
    );
    assert!(leader.await.unwrap().is_err(), "the leader was to give up");
    follower.await.unwrap().unwrap();
    assert_eq!(host.state(|state| (state.tokens, state.uploads)), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_token_that_cannot_be_had_is_said_to_be_the_token_step() {
    let down = Transport::builder()
        .retry(RetryConfig::none())
        .service(tower::service_fn(
            |_: http::Request<flinks_transport::Body>| async {
                Ok::<_, flinks_transport::BoxError>(crate::service::answer(
                    401,
                    r#"{"error":"invalid_client"}"#.to_owned(),
                ))
            },
        ));
    let client = client(down.build().unwrap());
    let error = client
        .upload_file(documents(1).remove(0), None)
        .await
        .unwrap_err();
    assert_eq!(error.step(), flinks_transport::Step::Token);
    assert_eq!(
        (error.operation(), error.status().unwrap().as_u16()),
        (Some("upload.file"), 401)
    );
    assert_eq!(
        error.api().unwrap().oauth_error.as_deref(),
        Some("invalid_client")
    );
    assert!(error.to_string().contains("token request"), "{error}");
}
