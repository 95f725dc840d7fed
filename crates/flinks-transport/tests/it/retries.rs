//! Which outcomes are tried again, how often, and what the final error says.

use std::time::Duration;

use flinks_transport::testing::{Reply, ScriptedService};
use flinks_transport::{Delivery, ErrorKind, Replay, RetryConfig, Route};

use crate::ask::{Ask, ok};

async fn run(
    replay: Replay,
    script: Vec<Reply>,
) -> (ScriptedService, Result<String, flinks_transport::Error>) {
    let leaf = ScriptedService::new(script);
    let outcome = leaf.builder().build().unwrap().call(Ask::new(replay)).await;
    (leaf, outcome)
}

#[tokio::test(start_paused = true)]
async fn a_refused_connect_is_tried_again_unless_never() {
    for (replay, sends) in [(Replay::Safe, 3), (Replay::Unsent, 3), (Replay::Never, 1)] {
        let (leaf, outcome) = run(
            replay,
            vec![Reply::refuse(), Reply::refuse(), Reply::refuse()],
        )
        .await;
        let error = outcome.unwrap_err();
        assert_eq!((leaf.count(), error.attempts()), (sends, sends as u32));
        assert_eq!(error.delivery(), Delivery::NotSent);
        assert_eq!(error.operation(), Some("test.ask"));
    }
}

#[tokio::test(start_paused = true)]
async fn what_may_have_arrived_is_sent_again_only_when_safe() {
    for act in [
        Reply::disconnect(),
        Reply::truncated(200, "{\"a\":"),
        Reply::json(503, ""),
        Reply::hang(),
    ] {
        let (leaf, outcome) = run(Replay::Safe, vec![act.clone(), ok()]).await;
        assert_eq!(
            (leaf.count(), outcome.unwrap().as_str()),
            (2, "up"),
            "{act:?}"
        );
        for replay in [Replay::Unsent, Replay::Never] {
            let (leaf, outcome) = run(replay, vec![act.clone(), ok()]).await;
            assert_eq!(leaf.count(), 1, "{act:?} {replay:?}");
            assert_eq!(
                outcome.unwrap_err().delivery(),
                Delivery::Unknown,
                "{act:?}"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_was_not_read_is_not_sent() {
    let (leaf, outcome) = run(Replay::Unsent, vec![Reply::disconnect_before_body(), ok()]).await;
    assert_eq!((leaf.count(), outcome.unwrap().as_str()), (2, "up"));
}

#[tokio::test(start_paused = true)]
async fn an_unknown_attempt_before_a_refusal_stays_unknown() {
    let (_, outcome) = run(
        Replay::Safe,
        vec![Reply::disconnect(), Reply::json(403, "")],
    )
    .await;
    let error = outcome.unwrap_err();
    assert_eq!(
        (error.kind(), error.delivery()),
        (ErrorKind::Api, Delivery::Unknown)
    );
    assert_eq!(error.attempts(), 2);
}

#[tokio::test(start_paused = true)]
async fn retry_after_is_honoured_up_to_a_minute() {
    let throttled = |after| Reply::json(429, "{}").header("retry-after", after);
    let (leaf, outcome) = run(Replay::Unsent, vec![throttled("7"), ok()]).await;
    outcome.unwrap();
    let seen = leaf.requests();
    assert_eq!(seen[1].at - seen[0].at, Duration::from_secs(7));

    let (leaf, outcome) = run(Replay::Safe, vec![throttled("61"), ok()]).await;
    let error = outcome.unwrap_err();
    assert_eq!(
        (leaf.count(), error.retry_after()),
        (1, Some(Duration::from_secs(61)))
    );
    assert_eq!(error.delivery(), Delivery::Rejected);
    assert!(error.to_string().contains("61 s"), "{error}");

    // Garbage counts as absent: the wait is our own.
    let (leaf, outcome) = run(Replay::Safe, vec![throttled("120junk"), ok()]).await;
    outcome.unwrap();
    let seen = leaf.requests();
    assert!(seen[1].at - seen[0].at <= Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn no_wait_goes_beyond_the_deadline() {
    let leaf = ScriptedService::new([Reply::json(429, "{}").header("retry-after", "50"), ok()]);
    let call = leaf.builder().build().unwrap().call(Ask::new(Replay::Safe));
    let start = tokio::time::Instant::now();
    let error = call.timeout(Duration::from_secs(40)).await.unwrap_err();
    assert_eq!(
        start.elapsed(),
        Duration::ZERO,
        "the last real answer is returned at once"
    );
    assert_eq!(error.status().unwrap(), 429);
}

#[tokio::test(start_paused = true)]
async fn a_storm_of_failures_runs_out_of_budget() {
    let leaf = ScriptedService::new(std::iter::repeat_n(Reply::json(503, ""), 4000));
    let transport = leaf
        .builder()
        .retry(RetryConfig::new().backoff(Duration::ZERO, Duration::ZERO))
        .build()
        .unwrap();
    for _ in 0..1000 {
        transport.call(Ask::new(Replay::Safe)).await.unwrap_err();
    }
    // 20 % of the traffic and ten a second over ten seconds.
    assert!(
        leaf.count() <= 1000 + 200 + 100,
        "{} requests for 1000 calls",
        leaf.count()
    );
}

#[tokio::test(start_paused = true)]
async fn redirects_are_errors_and_are_not_followed() {
    let (leaf, outcome) = run(
        Replay::Safe,
        vec![Reply::json(302, "{}").header("location", "https://evil.example/")],
    )
    .await;
    let error = outcome.unwrap_err();
    assert_eq!((leaf.count(), error.delivery()), (1, Delivery::Unknown));
    assert!(
        !error.report().to_string().contains("evil"),
        "{}",
        error.report()
    );
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_cannot_be_read_was_delivered() {
    let (_, outcome) = run(Replay::Safe, vec![Reply::json(200, "malformed")]).await;
    let error = outcome.unwrap_err();
    assert_eq!(
        (error.kind(), error.delivery()),
        (ErrorKind::Decode, Delivery::Delivered)
    );
}

#[tokio::test(start_paused = true)]
async fn what_the_body_says_decides_the_delivery_unless_it_is_no_refusal() {
    for (status, inner, delivery) in [
        (200, None, Delivery::Rejected),
        (200, Some(200), Delivery::Rejected),
        (200, Some(403), Delivery::Rejected),
        (200, Some(202), Delivery::Delivered),
        (202, None, Delivery::Delivered),
        (200, Some(100), Delivery::Unknown),
        (200, Some(302), Delivery::Unknown),
        (200, Some(503), Delivery::Unknown),
        (200, Some(600), Delivery::Unknown),
        (200, Some(7), Delivery::Unknown),
    ] {
        let leaf = ScriptedService::new([Reply::json(status, "refused")]);
        let mut ask = Ask::new(Replay::Unsent);
        ask.says = Some(inner);
        let error = leaf.builder().build().unwrap().call(ask).await.unwrap_err();
        assert_eq!(error.delivery(), delivery, "{status} {inner:?}");
        assert_eq!(error.answer().is_some(), delivery.may_have_acted());
    }
}

#[tokio::test(start_paused = true)]
async fn an_encoded_refusal_is_still_a_refusal() {
    let acts =
        [429, 401].map(|status| Reply::json(status, "{}").header("content-encoding", "gzip"));
    let (leaf, outcome) = run(Replay::Unsent, acts.into()).await;
    let error = outcome.unwrap_err();
    assert_eq!((leaf.count(), error.kind()), (2, ErrorKind::Api));
    assert_eq!(error.status().unwrap(), 401);
}

#[tokio::test(start_paused = true)]
async fn a_success_that_came_before_the_whole_request_is_an_unknown_outcome() {
    use flinks_transport::{Body, BoxError, Transport};
    use http_body_util::BodyExt;

    let early = |request: http::Request<Body>| async move {
        request.into_body().frame().await.unwrap()?;
        Ok::<_, BoxError>(http::Response::new(Body::from("up".to_owned())))
    };
    let transport = Transport::builder().service(tower::service_fn(early));
    let transport = transport.build().unwrap();
    // Eight bytes, of which a service that asks for one frame gets four.
    let half = || http_body_util::Full::new(bytes::Bytes::from_static(b"half"));
    let body = Body::replayable(8, half);
    let meta = flinks_transport::CallMeta::new("test.early", Route::post("/"), Replay::Unsent);
    let request = http::Request::post("https://example.com/").body(body);
    let error = transport.send(meta, request.unwrap()).await.unwrap_err();
    let kept = error.answer().map(|answer| &answer[..]);
    assert_eq!(
        (error.delivery(), kept),
        (Delivery::Unknown, Some(&b"up"[..]))
    );
}
